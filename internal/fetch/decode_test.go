package fetch

import (
	"bytes"
	"compress/gzip"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

func encode(t testing.TB, e encoding.Encoding, s string) string {
	t.Helper()
	b, err := e.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func zipped(t testing.TB, s string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What a .gz may hold is bounded.
func TestDecodeBomb(t *testing.T) {
	var b bytes.Buffer
	z, page := gzip.NewWriter(&b), make([]byte, 1<<20)
	for range maxUnzipped>>20 + 1 {
		if _, err := z.Write(page); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if text, _ := Decode(b.Bytes(), ""); len(text) > 2*b.Len() {
		t.Errorf("%d bytes became %d", b.Len(), len(text))
	}
}

func TestDecode(t *testing.T) {
	le := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	be := unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	const html, han = "<p>温县麦收，大樊家与㳇池村</p>", "温县麦收，大樊家与㳇池村"
	gb := encode(t, simplifiedchinese.GB18030, html)
	if len(gb) <= len(encode(t, simplifiedchinese.GBK, strings.ReplaceAll(html, "㳇", "")))+2 {
		t.Fatal("the case has no character of four bytes")
	}
	for _, tc := range []struct {
		name, body, label, want, charset string
	}{
		{"utf-8", html, "text/html; charset=utf-8", html, "utf-8"},
		{"utf-8 labelled gb2312", html, "text/html; charset=gb2312", html, "utf-8"},
		{"utf-8 with BOM", "\ufeff" + html, "text/html; charset=gbk", html, "utf-8"},
		{"utf-8 with BOM, broken", "\ufeffa\xffb", "", "a\ufffdb", "utf-8"},
		{"ASCII", "plain", "", "plain", "utf-8"},
		{"empty", "", "text/html; charset=gbk", "", "utf-8"},
		{"gb18030", gb, "text/html; charset=gb18030", html, "gb18030"},
		{"gbk labelled utf-8", gb, "text/html; charset=utf-8", html, "gb18030"},
		{"gbk labelled gbk2312", gb, `text/html; charset="gbk2312"`, html, "gb18030"},
		{"gb18030 with BOM", "\x84\x31\x95\x33" + gb, "", html, "gb18030"},
		{"two characters of gbk in ASCII", strings.Repeat("<br>", 1000) + "\xce\xc2\xcf\xd8", "", strings.Repeat("<br>", 1000) + "温县", "gb18030"},
		{"gbk, broken", gb + "\xff", "", html + "\ufffd", "gb18030"},
		{"gbk euro", "\x80" + gb, "", "€" + html, "gb18030"},
		{"utf-16le with BOM", "\xff\xfe" + encode(t, le, html), "text/html; charset=utf-8", html, "utf-16le"},
		{"utf-16be with BOM", "\xfe\xff" + encode(t, be, html), "", html, "utf-16be"},
		{"utf-16le declared", encode(t, le, han), "text/plain; charset=UTF-16LE", han, "utf-16le"},
		{"utf-16be declared", encode(t, be, han), "text/plain; charset='utf-16be'", han, "utf-16be"},
		{"utf-16 declared, big", encode(t, be, "x "+han), "text/plain; charset=utf-16", "x " + han, "utf-16be"},
		{"utf-16 declared, little", encode(t, le, "x "+han), "text/plain; charset=utf-16", "x " + han, "utf-16le"},
		{"utf-16le by its markup", encode(t, le, html), "", html, "utf-16le"},
		{"utf-16be by its markup", encode(t, be, html), "text/html; charset=utf-8", html, "utf-16be"},
		{"utf-16, half a character", encode(t, le, html) + "x", "", html + "\ufffd", "utf-16le"},
		{"utf-8 declared utf-16", `<?xml version="1.0" encoding="utf-16"?><r>温县</r>`, "text/xml; charset=utf-16", `<?xml version="1.0" encoding="utf-16"?><r>温县</r>`, "utf-8"},
		{"gbk declared utf-16", gb, "text/html; charset=utf-16", html, "gb18030"},
		{"NUL", "a\x00b\x00", "", "ab", "utf-8"},
		{"NUL in gbk", "\xce\xc2\x00\xcf\xd8", "", "温县", "gb18030"},
		{"NUL in utf-16", encode(t, le, "<a>\x00</a>"), "", "<a></a>", "utf-16le"},
		// a description cut by bytes, in the middle of 县
		{"utf-8 cut in a character", strings.Repeat(han, 5) + "\xe5\x8e…</p>", "", strings.Repeat(han, 5) + "\ufffd…</p>", "utf-8"},
		{"utf-8, cut off in a character", han + "\xe5\x8e", "", han + "\ufffd", "utf-8"},
		{"a gbk character that begins like utf-8", strings.Repeat("<br>", 20) + "\xe5\x8e", "", strings.Repeat("<br>", 20) + "鍘", "gb18030"},
		{"gb18030, cut off in four bytes", gb + "\x82\x30", "", html + "\ufffd0", "gb18030"},
		{"json in utf-16le", encode(t, le, `{"a":"温县"}`), "application/json", `{"a":"温县"}`, "utf-16le"},
		{"json in utf-16be", encode(t, be, `["温县"]`), "application/json", `["温县"]`, "utf-16be"},
		{"a saved .gz", zipped(t, "<urlset>㳇</urlset>"), "application/x-gzip", "<urlset>㳇</urlset>", "utf-8"},
		{"a saved .gz of gb18030", zipped(t, gb), "", html, "gb18030"},
		{"half a saved .gz", zipped(t, strings.Repeat(html, 100))[:60], "", "", ""},
		{"no .gz at all", "\x1f\x8b\x08温县", "", "\x1f\ufffd\x08温县", ""},
		{"utf-8 with gbk pasted in", strings.Repeat(han, 20) + "\xce\xc2\xcf\xd8", "", strings.Repeat(han, 20) + "\ufffd", "utf-8"},
	} {
		got, charset := Decode([]byte(tc.body), tc.label)
		if tc.charset == "" { // what a broken .gz gives is of no use to anybody
			if !utf8.Valid(got) {
				t.Errorf("%s: %q", tc.name, got)
			}
			continue
		}
		if string(got) != tc.want || charset != tc.charset {
			t.Errorf("%s: %q in %s, want %q in %s", tc.name, got, charset, tc.want, tc.charset)
		}
	}
}

// Text in GBK is never taken for broken UTF-8, however long or short it is.
func TestDecodeGBK(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		runes := make([]rune, 1+rnd.IntN(60))
		for i := range runes {
			runes[i] = 0x4E00 + rune(rnd.IntN(0x51A6)) // 一 … 龥, all of GBK's Han
		}
		want := string(runes)
		body := encode(t, simplifiedchinese.GBK, want)
		if utf8.ValidString(body) {
			continue // a handful of two-byte texts are both
		}
		if got, charset := Decode([]byte(body), "text/html; charset=utf-8"); charset != "gb18030" || string(got) != want {
			t.Fatalf("%q came out as %q in %s", want, got, charset)
		}
	}
}

func TestMediaType(t *testing.T) {
	for _, tc := range []struct {
		label, body, want string
		text              bool
	}{
		{"Text/HTML;charset=gbk", "x", "text/html", true},
		{"text/html, text/html; charset=utf-8", "x", "text/html", true},
		{"application/rss+xml", "<rss/>", "application/rss+xml", true},
		{"application/feed+json; charset=utf-8", "{}", "application/feed+json", true},
		{"application/x-javascript", "var data=[]", "application/x-javascript", true},
		{"application/pdf", "%PDF-1.4", "application/pdf", false},
		{"text/html", "%PDF-1.4", "application/pdf", false},
		{"text/plain", "\xff\xd8\xff\xe0", "image/jpeg", false},
		{"image/jpeg", "\xff\xd8\xff", "image/jpeg", false},
		{"", "<?xml version=\"1.0\"?><periodlist/>", "text/xml", true},
		{"", "\ufeff <periodlist/>", "text/html", true},
		{"application/octet-stream", "[{\"pageNo\":1}]", "application/json", true},
		{"html", "<html>", "text/html", true},
		{"", "\x00\x01\x02", "application/octet-stream", false},
		{"", "", "text/plain", true},
	} {
		if got, text := mediaType(tc.label, []byte(tc.body)); got != tc.want || text != tc.text {
			t.Errorf("%q over %q: %s, %v", tc.label, tc.body, got, text)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"", "a\x00", "\xff\xfe<\x00", "\xce\xc2\xcf\xd8", "\x84\x31\x95\x33\x81\x30", "\xef\xbb\xbf\xff", "<\x00\xd8"} {
		f.Add([]byte(s), "text/html; charset=utf-16")
	}
	f.Fuzz(func(t *testing.T, body []byte, label string) {
		before := bytes.Clone(body)
		text, charset := Decode(body, label)
		if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
			t.Errorf("%q in %s is not clean", text, charset)
		}
		if !bytes.Equal(before, body) {
			t.Error("the caller's bytes were changed")
		}
		if again, cs := Decode(text, ""); cs == charsetUTF8 && !bytes.HasPrefix(text, []byte("\ufeff")) && !bytes.Equal(again, text) {
			t.Errorf("decoding twice: %q, then %q", text, again)
		}
		mediaType(label, body)
	})
}

func BenchmarkDecode(b *testing.B) {
	gb := []byte(encode(b, simplifiedchinese.GB18030, page40))
	for name, body := range map[string][]byte{"utf8": []byte(page40), "gb18030": gb} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				Decode(body, "text/html")
			}
		})
	}
}
