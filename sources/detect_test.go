package sources

import (
	"net/url"
	"strings"
	"testing"
)

func open(t *testing.T, at, body string) *document {
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	return openDocument(u, "text/html", []byte(body))
}

func TestWall(t *testing.T) {
	links := strings.Repeat(`<a href="/n/1.html">新闻</a>`, 12)
	for _, c := range []struct {
		name, body string
		wall       bool
	}{
		{"captcha", `<html><title>安全验证</title><body><form>请输入验证码<img src=/captcha.php><input></form></body></html>`, true},
		{"named challenge", `<html><script src="/cdn-cgi/challenge-platform/h/b"></script><body>Just a moment...</body></html>`, true},
		{"nameless challenge", `<html><head><script>document["cookie"]="a";location["reload"]()</script></head><body></body></html>`, true},
		{"challenge with noscript", `<html><script>document.cookie="__jsl_clearance=1";location.href=location.pathname</script><noscript>` + strings.Repeat("请打开脚本。", 200) + `</noscript></html>`, true},
		{"firewall", `<html><body><h1>403</h1><p>您的请求可能存在威胁，已被拦截。</p><a href="/">返回</a></body></html>`, true},

		{"a page with a captcha in its search form", `<html><body>` + links + `<form><img src=/captcha.php></form></body></html>`, false},
		{"a short article about captchas", `<html><body><div id=ozoom><p>别把验证码告诉别人。</p></div></body></html>`, false},
		{"an article by its metadata", `<html><body><p>滑块</p></body></html><!--enpproperty <founder-type>1</founder-type> /enpproperty-->`, false},
		{"a long text about firewalls", `<html><body><p>` + strings.Repeat("网站防火墙是一种产品。", 80) + `</p></body></html>`, false},
		{"an entry that counts its visitors", `<html><head><meta http-equiv=refresh content="0;url=html/2026-03/02/node_1.htm"><script>document.cookie="n=1";var captcha;location.reload</script></head></html>`, false},
		{"a frameset", `<html><frameset><frame src=a.htm></frameset><!-- captcha --></html>`, false},
		{"nothing", ``, false},
	} {
		if got := wall(open(t, "http://e.example/x/", c.body)); (got != "") != c.wall {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

func TestHop(t *testing.T) {
	const at = "http://e.example/hyrb/paperindex.htm"
	for _, c := range []struct{ body, want string }{
		{`<META HTTP-EQUIV="REFRESH" CONTENT="0; URL=html/2017-09/07/node_2.htm">`, "http://e.example/hyrb/html/2017-09/07/node_2.htm"},
		{`<meta http-equiv=refresh content='3;url="html/2017-09/07/node_2.htm?v=1"'>`, "http://e.example/hyrb/html/2017-09/07/node_2.htm?v=1"},
		{`<meta HTTP-EQUIV='Refresh' content=" 0 ; Url = 'html/2017-09/07/node_2.htm' ">`, "http://e.example/hyrb/html/2017-09/07/node_2.htm"},
		{`<noscript><meta http-equiv="refresh" content="0;url=/x/"></noscript>`, "http://e.example/x/"},
		{`<script>window.location.href="html/2017-09/07/node_2.htm";</script>`, "http://e.example/hyrb/html/2017-09/07/node_2.htm"},
		{`<script>self.location='html/2017-09/07/node_2.htm'</script>`, "http://e.example/hyrb/html/2017-09/07/node_2.htm"},
		{`<script>location.replace("/hyrb/html/2017-09/07/node_2.htm")</script>`, "http://e.example/hyrb/html/2017-09/07/node_2.htm"},
		{`<script>setTimeout("javascript:location.href='html/2017-09/07/node_2.htm'",3000)</script>`, "http://e.example/hyrb/html/2017-09/07/node_2.htm"},
		{`<body onload="location.href='html/2017-09/07/node_2.htm'">`, "http://e.example/hyrb/html/2017-09/07/node_2.htm"},
		{`<script>if(p){location.href="/wap/index.html"}else{location.href="/pc/layout/index.html"}</script>`, "http://e.example/pc/layout/index.html"},
		{`<script>location.href="html/2017-09/07/node_2.htm"; location.href="other.htm"</script>`, "http://e.example/hyrb/html/2017-09/07/node_2.htm"},
		{`<frameset><frame src="top.htm"><frame src="html/2017-09/07/node_2.htm"></frameset>`, "http://e.example/hyrb/html/2017-09/07/node_2.htm"},
		{`<script>location.href="html/" + day + "/node_2.htm"</script>`, ""},
		{`<meta http-equiv="refresh" content="600">`, ""},
		{`<meta http-equiv="refresh" content="600;url=paperindex.htm">`, ""},
		{`<meta http-equiv="refresh" content="0;url=javascript:void(0)">`, ""},
		{`<script>location.href="/wap/index.html"</script>`, ""},
		{strings.Repeat(`<a href="/a.html">a</a>`, 12) + `<script>location.href="/b.html"</script>`, ""},
		{`<p>nothing</p>`, ""},
	} {
		got := ""
		if u := hop(open(t, at, c.body)); u != nil {
			got = u.String()
		}
		if got != c.want {
			t.Errorf("%s\n%q, want %q", c.body, got, c.want)
		}
	}
}
