package wechat

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The two signatures of WeChat's documentation.
func TestSign(t *testing.T) {
	const ticket = "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg"
	for page, want := range map[string]string{
		"http://mp.weixin.qq.com":              "f4d90daf4b3bca3078ab155816175ba34c443a7b",
		"http://mp.weixin.qq.com?params=value": "0f9de62fce790f9a083d5c99e95740ceb90c27ed",
	} {
		if got := sign(ticket, "Wm3WZYTPz0wzccnW", 1414587457, page); got != want {
			t.Errorf("%s: %s, want %s", page, got, want)
		}
	}
}

func TestPage(t *testing.T) {
	a, err := New(Options{AppID: "wx1", Base: "https://news.example.cn:8443", Domains: []string{"Partner.example.cn"}})
	if err != nil {
		t.Fatal(err)
	}
	for raw, want := range map[string]string{
		"https://news.example.cn/a/x#top":            "https://news.example.cn/a/x",
		"http://NEWS.example.cn/a/x?from=timeline&_": "http://NEWS.example.cn/a/x?from=timeline&_",
		"https://partner.example.cn/":                "https://partner.example.cn/",
		"https://news.example.cn/新闻":                 "https://news.example.cn/新闻",
		"":                                           "", "#": "",
		"https://evil.example/":                                     "",
		"https://news.example.cn.evil.example/":                     "",
		"https://news.example.cn@evil.example/":                     "",
		"https://user@news.example.cn/":                             "",
		"https://evil.example\\@news.example.cn/":                   "",
		"https://evil.example/https://news.example.cn/":             "",
		"//news.example.cn/":                                        "",
		"javascript:alert(1)//news.example.cn":                      "",
		"https:news.example.cn":                                     "",
		"https://news.example.cn/ x":                                "",
		"https://news.example.cn/" + strings.Repeat("x", 2048):      "",
		"https://news.example.cn/\x00&jsapi_ticket=":                "",
		"ftp://news.example.cn/":                                    "",
		"https://sub.news.example.cn/":                              "",
		"https://news.example.cn%2eevil.example/":                   "",
		"https://[news.example.cn]/":                                "",
		"https://evil.example?x=https://news.example.cn/a#x":        "",
		"https://evil.example#https://news.example.cn/":             "",
		"https://news.example.cn:80@evil.example/":                  "",
		"https://news.example.cn.:443/":                             "",
		"https://xn--news.example.cn/":                              "",
		"https://news.example.cn\t.evil.example/":                   "",
		"https://news.example.cn/\n":                                "",
		"https://news.example.cn/a/x?utm_source=wechat&a=%E4%B8%AD": "https://news.example.cn/a/x?utm_source=wechat&a=%E4%B8%AD",
	} {
		got, err := a.page(raw)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", raw, got, err)
		}
	}
}

func TestKeys(t *testing.T) {
	for key, ok := range map[string]bool{
		"": true, strings.Repeat("a", 43): true, strings.Repeat("a", 42): false, strings.Repeat("a", 44): false, strings.Repeat("-", 43): false,
	} {
		_, err := New(Options{AppID: "wx1", AESKey: key})
		if (err == nil) != ok {
			t.Errorf("%q: %v", key, err)
		}
		if err != nil && strings.Contains(err.Error(), key) {
			t.Errorf("the error tells the key: %v", err)
		}
	}
	if _, err := New(Options{}); err == nil {
		t.Error("an account without AppID")
	}
}

// Whatever is encrypted comes back, for this account only; what was tampered with is
// refused and never panics.
func TestCrypt(t *testing.T) {
	key := bytes.Repeat([]byte{7}, 32)
	rapid.Check(t, func(t *rapid.T) {
		message := rapid.String().Draw(t, "message")
		box, err := encrypt(key, bytes.NewReader(bytes.Repeat([]byte{1}, 16)), "wx1", message)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decrypt(key, "wx1", box); err != nil || got != message {
			t.Fatalf("%q, %v", got, err)
		}
		if got, err := decrypt(key, "wx2", box); err == nil {
			t.Fatalf("another account reads %q", got)
		}
		broken := []byte(box)
		broken[rapid.IntRange(0, len(broken)-1).Draw(t, "at")] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
		_, _ = decrypt(key, "wx1", string(broken)) // without a signature anything may come out, but no panic
		_, _ = decrypt(key, "wx1", rapid.String().Draw(t, "rubbish"))
	})
}

// Whatever an article says stands in the XML as it is, as far as XML can hold it.
func TestCdata(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[\]>a<!\[CDATA]{0,20}`)).Draw(t, "text")
		var got struct{ Text string }
		if err := xml.Unmarshal([]byte("<xml><Text>"+cdata(s)+"</Text></xml>"), &got); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		want := strings.Map(func(r rune) rune {
			if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
				return -1
			}
			return r
		}, strings.ToValidUTF8(s, ""))
		want = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(want)
		if got.Text != want {
			t.Fatalf("%q, want %q", got.Text, want)
		}
	})
}

func TestErrorsTellNoSecret(t *testing.T) {
	a, err := New(Options{AppID: "wx1", Secret: "s3cret", API: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	if got := a.harmless("bad s3cret\n here"); got != "bad … here" {
		t.Errorf("%q", got)
	}
}

func TestEachPicture(t *testing.T) {
	for in, want := range map[string]string{
		"":     "",
		"text": "text",
		`<p>a<img src="http://a/1.jpg" alt="&lt;&quot;" style="x">b</p>`: `<p>a<img src="new:http://a/1.jpg" alt="&lt;&#34;" style="x">b</p>`,
		`<img src="drop"><img src="b"/>`:                                 `<img src="new:b"/>`,
		`<img alt="none">x`:                                              `x`,
		`<imgx src="a"><img`:                                             `<imgx src="a">`,
		`<p title="<img src='a'>">`:                                      `<p title="<img src='a'>">`,
	} {
		got, err := eachPicture(in, func(src string) (string, error) {
			if src == "drop" {
				return "", nil
			}
			return "new:" + src, nil
		})
		if err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", in, got, err, want)
		}
	}
}

// A picture that is left out takes its caption along, and nothing else.
func TestCaptionsGoToo(t *testing.T) {
	for in, want := range map[string]string{
		`<p>一</p><section style="a"><img src="x" alt="闸"/><section style="b">闸</section></section><p>二</p>`: `<p>一</p><p>二</p>`,
		`<p>一<img src="x"/>二</p>`:                                            `<p>一二</p>`,
		`<section><p>一</p><img src="x"/></section>`:                          `<section><p>一</p></section>`,
		`<section><img src="y"/><section>闸</section></section>`:              `<section><img src="to-y"/><section>闸</section></section>`,
		`<section><img src="x"/></section><section><img src="y"/></section>`: `<section><img src="to-y"/></section>`,
	} {
		got, err := eachPicture(in, func(src string) (string, error) {
			if src == "x" {
				return "", nil
			}
			return "to-" + src, nil
		})
		if err != nil || got != want {
			t.Errorf("%s\n got %s\nwant %s (%v)", in, got, want, err)
		}
	}
}
