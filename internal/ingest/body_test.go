package ingest

import (
	"encoding/xml"
	"io"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"pgregory.net/rapid"
)

var pageBase, _ = url.Parse("http://paper.example/html/2024-09/05/content_7.htm")

// allowed are the elements and attributes of clean bodies.
var allowed = map[string]string{
	"p": "", "h3": "", "figure": "", "figcaption": "", "table": "", "tr": "", "td": "colspan rowspan", "th": "colspan rowspan",
	"blockquote": "", "ul": "", "ol": "", "li": "", "strong": "", "em": "", "br": "", "a": "href", "img": "src alt width height",
}

// checkClean says what is wrong with a sanitised body, or "". It reads it twice:
// as XML, strictly, and as a browser would.
func checkClean(s string) string {
	if got := policy.Sanitize(s); got != s {
		return "bluemonday makes it " + got
	}
	d := xml.NewDecoder(strings.NewReader("<body>" + s + "</body>"))
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return "not well-formed: " + err.Error()
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if tok.Name.Local == "body" {
				continue
			}
			attrs, ok := allowed[tok.Name.Local]
			if !ok {
				return "element " + tok.Name.Local
			}
			for _, a := range tok.Attr {
				if !strings.Contains(" "+attrs+" ", " "+a.Name.Local+" ") {
					return "attribute " + tok.Name.Local + " " + a.Name.Local
				}
				if a.Name.Local == "src" || a.Name.Local == "href" {
					if why := checkAddress(a.Value, a.Name.Local == "href"); why != "" {
						return why
					}
				}
			}
		case xml.Comment, xml.ProcInst, xml.Directive:
			return "a comment, instruction or directive"
		}
	}
	nodes, err := html.Parse(strings.NewReader(s))
	if err != nil {
		return err.Error()
	}
	why := ""
	for n := range nodes.Descendants() {
		if n.Type == html.CommentNode {
			why = "a comment for browsers"
		}
		if n.Type != html.ElementNode || n.Data == "html" || n.Data == "head" || n.Data == "body" || n.Data == "tbody" {
			continue
		}
		if _, ok := allowed[n.Data]; !ok {
			why = "element for browsers " + n.Data
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
				why = "attribute for browsers " + a.Key
			}
		}
	}
	return why
}

func checkAddress(s string, mail bool) string {
	u, err := url.Parse(s)
	if err != nil {
		return "address " + s
	}
	if u.Scheme == "http" || u.Scheme == "https" {
		if u.Host == "" || u.User != nil {
			return "address " + s
		}
		return ""
	}
	if mail && u.Scheme == "mailto" {
		return ""
	}
	return "address " + s
}

// badRune is a character that no text field may hold.
func badRune(s string) bool {
	return !utf8.ValidString(s) || strings.IndexFunc(s, func(c rune) bool {
		return c < 0x20 && c != '\n' && c != '\t' || c >= 0x7f && c < 0xa0 || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069 ||
			c == 0x200b || c == 0xfeff || c == 0xfffe || c == 0xffff
	}) >= 0
}

func TestHostileBodies(t *testing.T) {
	payloads := []string{
		`<script>alert(1)</script>`, `<SCRIPT SRC=//evil.example/x.js></SCRIPT>`, `<scr<script>ipt>alert(1)</scr</script>ipt>`, `<script/x>alert(1)</script>`,
		`<img src=x onerror=alert(1)>`, `<img src="javascript:alert(1)">`, `<img src=JaVaScRiPt:alert(1)>`, "<img src=\"jav\tascript:alert(1)\">", "<img src=\"jav&#x0A;ascript:alert(1)\">", `<img src="&#106;avascript:alert(1)">`, `<img src=" &#14; javascript:alert(1)">`, `<img """><script>alert(1)</script>">`,
		`<img src="http://x.example/a.jpg" onload="alert(1)" style="x:expression(alert(1))">`, `<img/src="http://x.example/a.jpg"/onerror=alert(1)>`, `<img src="http://u:p@x.example/a.jpg">`, "<img src='http://x.example/a.jpg\" onerror=\"alert(1)'>", `<img srcset="javascript:alert(1) 1x, data:text/html,x 2x">`, `<img data-src="javascript:alert(1)" src="data:image/svg+xml,<svg onload=alert(1)>">`, `<img src="data:text/html;base64,PHNjcmlwdD4=">`, `<img src="vbscript:msgbox(1)">`, `<image href="x" onerror=alert(1)>`, `<img src="//evil.example/a.jpg" alt='"><script>alert(1)</script>'>`, `<img src=http://x.example/a.jpg alt="&lt;script&gt;alert(1)&lt;/script&gt;">`,
		`<a href="javascript:alert(1)">x</a>`, `<a href="JAVASCRIPT&colon;alert(1)">x</a>`, `<a href="&#0000106&#0000097&#0000118&#0000097&#0000115&#0000099&#0000114&#0000105&#0000112&#0000116&#0000058alert(1)">x</a>`, "<a href=\"\x01javascript:alert(1)\">x</a>", `<a href="data:text/html,<script>alert(1)</script>">x</a>`, `<a href="http://x.example" onmouseover=alert(1) target=_blank>x</a>`, `<a href="vbscript:x">x</a>`, `<a href="file:///etc/passwd">x</a>`, `<a href="http://x.example/%22onmouseover=alert(1)%22">x</a>`, `<a xlink:href="javascript:alert(1)">x</a>`, `<a href="blob:http://x.example/1">x</a>`, `<a href="javascript://%0aalert(1)">x</a>`, `<a href="//javascript:alert(1)">x</a>`,
		`<svg onload=alert(1)>`, `<svg><script>alert(1)</script></svg>`, `<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>`, `<svg><style><img src=x onerror=alert(1)></style></svg>`, `<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">`, `<svg><foreignObject><body onload=alert(1)></foreignObject></svg>`, `<svg><animate onbegin=alert(1) attributeName=x dur=1s>`,
		`<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">`, `<math><mi//xlink:href="data:x,<script>alert(1)</script>">`, `<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>`, `<math href="javascript:alert(1)">x</math>`,
		`<iframe src="javascript:alert(1)"></iframe>`, `<iframe srcdoc="<script>alert(1)</script>"></iframe>`, `<object data="javascript:alert(1)"></object>`, `<embed src="javascript:alert(1)">`, `<applet code=x></applet>`, `<frameset onload=alert(1)><frame src=javascript:alert(1)></frameset>`, `<base href="javascript:alert(1)//"><a href="x">y</a>`, `<link rel=stylesheet href="javascript:alert(1)">`, `<meta http-equiv=refresh content="0;url=javascript:alert(1)">`,
		`<style>@import 'javascript:alert(1)';</style>`, `<div style="background:url(javascript:alert(1))">x</div>`, `<p style="x:expression(alert(1))">x</p>`, `<style><img src="</style><img src=x onerror=alert(1)//">`,
		`<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>`, `<textarea><img title="</textarea><img src=x onerror=alert(1)>"></textarea>`, `<title><img title="</title><img src=x onerror=alert(1)>"></title>`, `<xmp><img title="</xmp><img src=x onerror=alert(1)>"></xmp>`, `<noembed><img title="</noembed><img src=x onerror=alert(1)>"></noembed>`, `<noframes><img title="</noframes><img src=x onerror=alert(1)>"></noframes>`, `<plaintext><script>alert(1)</script>`, `<listing>&lt;img src=x onerror=alert(1)&gt;</listing>`,
		`<template><script>alert(1)</script></template>`, `<details open ontoggle=alert(1)>x</details>`, `<video src=x onerror=alert(1)>`, `<audio src=x onerror=alert(1)>`, `<video><source onerror=alert(1)></video>`, `<input autofocus onfocus=alert(1)>`, `<button formaction=javascript:alert(1)>x</button>`, `<form action=javascript:alert(1)><input type=submit></form>`, `<select autofocus onfocus=alert(1)><option>x</option></select>`, `<keygen autofocus onfocus=alert(1)>`, `<isindex type=image src=1 onerror=alert(1)>`, `<marquee onstart=alert(1)>x</marquee>`, `<body onload=alert(1)>`, `<html onmouseover=alert(1)>x`, `<dialog open onclose=alert(1)>x</dialog>`,
		`<!--><script>alert(1)</script>-->`, `<!--[if IE]><script>alert(1)</script><![endif]-->`, `<![CDATA[<script>alert(1)</script>]]>`, `<?xml version="1.0"?><script>alert(1)</script>`, `<!DOCTYPE x [<!ENTITY e "<script>alert(1)</script>">]>&e;`, `<!-- --!><img src=x onerror=alert(1)> -->`, `</script><script>alert(1)</script>`, `&lt;script&gt;alert(1)&lt;/script&gt;`, `&amp;lt;script&amp;gt;alert(1)`,
		"<p\x00 onclick=alert(1)>x", "<scr\x00ipt>alert(1)</scr\x00ipt>", "<img\x0bsrc=x\x0conerror=alert(1)>", "\xff\xfe<script>alert(1)</script>", "<\u017fcript>alert(1)</script>", "<p title=`><script>alert(1)</script>`>x", "<td background=javascript:alert(1)>x", `<table background="javascript:alert(1)"><tr><td colspan="1;alert(1)" onclick=x>a</td><td rowspan=9999999999>b</td></tr></table>`,
		`<table><tr><td><table><tr><td><script>alert(1)</script></td></tr></table></td></tr></table>`, `<ul><script>alert(1)</script><li onclick=x>a<li><img src=x onerror=alert(1)></ul>`, `<blockquote cite="javascript:alert(1)" onclick=x>x</blockquote>`, `<figure onclick=x><img src=http://x.example/a.jpg><figcaption onclick=x><script>alert(1)</script>题</figcaption></figure>`, `<custom-element onclick=alert(1) is=x>x</custom-element>`, `<p contenteditable onblur=alert(1) autofocus tabindex=1>x</p>`, `<p id=content name=x class=y lang=z dir=rtl>x</p>`, "<a href='mailto:a@b.example?body=\r\nBcc:x'>x</a>",
	}
	if len(payloads) < 60 {
		t.Fatalf("only %d payloads", len(payloads))
	}
	for _, p := range payloads {
		for _, body := range []string{p, "<p>前" + p + "后</p>", "<table><tr><td>" + p + "</td><td>乙</td></tr></table>", "<ul><li>" + p + "</li></ul>", `<div title="` + p + `">x</div>`, "<founder-content>" + p} {
			a := normalised(body, func(pr *printed) { pr.Headline, pr.Summary, pr.Author = p, p, p })
			if why := checkClean(a.HTML); why != "" {
				t.Errorf("%q: %s: %s", body, why, a.HTML)
			}
			for _, s := range []string{a.HTML, a.Text, a.Headline, a.Summary} {
				if badRune(s) {
					t.Errorf("%q: bad character in %q", body, s)
				}
			}
		}
	}
}

// What a reader of the raw source would have seen as words stays.
func TestBodies(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"plain text", "第一段\n第二段\n", "<p>第一段<br/>第二段</p>"},
		{"plain text with indents", "　　第一段\n　　第二段", "<p>第一段</p><p>第二段</p>"},
		{"breaks with indents", "<p>　　第一段。<br>　　第二段。<br>　　第三段。</p>", "<p>第一段。</p><p>第二段。</p><p>第三段。</p>"},
		{"double breaks", "第一段<br><br>第二段", "<p>第一段</p><p>第二段</p>"},
		{"verse", "<p>小桥弯弯<br>流水潺潺<br>灯火三三</p>", "<p>小桥弯弯<br/>流水潺潺<br/>灯火三三</p>"},
		{"lost breaks", "<p>第一段。　　第二段。　　第三段</p>", "<p>第一段。</p><p>第二段。</p><p>第三段</p>"},
		{"no-break indents", "<p>&nbsp;&nbsp;&nbsp;&nbsp;第一段。</p>", "<p>第一段。</p>"},
		{"line ends between characters", "<p>第一\n    段，在\n这里</p>", "<p>第一段，在这里</p>"},
		{"line ends between words", "<p>one\n two</p>", "<p>one two</p>"},
		{"nested document", "<html><head><title>x</title></head><body><p>第一段。</p></body></html>", "<p>第一段。</p>"},
		{"styles", "<p><b>粗<i>斜</i></b><a href='/x'>链</a></p>", `<p><strong>粗<em>斜</em></strong><a href="http://paper.example/x">链</a></p>`},
		{"overlapping styles", "<p><b>粗<i>斜</b>斜</i>平</p>", "<p><strong>粗<em>斜</em></strong><em>斜</em>平</p>"},
		{"entities", "<p>A&amp;B &lt;c&gt; &quot;d&quot;&copy;&#8212;&#x4e00;</p>", "<p>A&amp;B &lt;c&gt; &#34;d&#34;©—一</p>"},
		{"divs", "<div>一<div>二</div>三</div>", "<p>一</p><p>二</p><p>三</p>"},
		{"heading", "<h2>小标题</h2><p>正文。</p>", "<h3>小标题</h3><p>正文。</p>"},
		{"lists", "<ul><li>甲<li>乙<ol><li>丙</ol></ul>", "<ul><li>甲</li><li>乙</li><li>丙</li></ul>"},
		{"ordered list", "<ol><li>甲</li></ol>", "<ol><li>甲</li></ol>"},
		{"quote", "<blockquote>甲<p>乙</p></blockquote>", "<blockquote><p>甲</p><p>乙</p></blockquote>"},
		{"table", "<table><thead><tr><th>名<th>数</tr></thead><tr><td colspan=2>甲</td></tr><tr><td>乙<td rowspan=1>1</table>", `<table><tr><th>名</th><th>数</th></tr><tr><td colspan="2">甲</td></tr><tr><td>乙</td><td>1</td></tr></table>`},
		{"layout table", "<table><tr><td><p>甲</p><p>乙</p></td></tr></table>", "<p>甲</p><p>乙</p>"},
		{"picture table", "<table><tr><td><img src='../../res/a.jpg'></td></tr><tr><td>桥上</td></tr></table>", `<figure><img src="http://paper.example/html/res/a.jpg" alt=""/><figcaption>桥上</figcaption></figure>`},
		{"picture in a paragraph", "<p>甲<img src=a.jpg width=300 height=200>乙</p>", `<p>甲</p><figure><img src="http://paper.example/html/2024-09/05/a.jpg" alt="" width="300" height="200"/></figure><p>乙</p>`},
		{"lazy picture", `<img src="/img/loading.gif" data-src="//img.example/a.jpg">`, `<figure><img src="http://img.example/a.jpg" alt=""/></figure>`},
		{"small picture of a large one", `<img src="../pic/u.jpg.2" width=80 height=60>`, `<figure><img src="http://paper.example/html/2024-09/pic/u.jpg" alt=""/></figure>`},
		{"icon", `<p>甲<img src="../../../tplimg/pdf.gif"><img src=a.png width=16 height=16></p>`, "<p>甲</p>"},
		{"hidden", `<p>甲</p><div style="DISPLAY: none">乙</div><p hidden>丙</p>`, "<p>甲</p>"},
		{"ruby", "<p><ruby>漢<rp>(</rp><rt>han</rt><rp>)</rp></ruby>字</p>", "<p>漢字</p>"},
		{"comments", "<!--enpcontent--><p>甲</p><!--/enpcontent--><!--enpproperty <author>乙</author>/enpproperty-->", "<p>甲</p>"},
		{"preformatted", "<pre>甲\n乙</pre>", "<p>甲<br/>乙</p>"},
		{"zero-width and overrides", "<p>甲\u200b乙\u202e丙\u2066丁\ufeff\u00ad</p>", "<p>甲乙丙丁</p>"},
		{"four-byte character and variants", "<p>𠮷㳇䶮葛󠄀 👨\u200d👩\u200d👧 﨑</p>", "<p>𠮷㳇䶮葛󠄀 👨\u200d👩\u200d👧 﨑</p>"},
		{"word processor's settings", "<xml><w:WordDocument><w:View>Normal</w:View></w:WordDocument></xml><p>甲<o:p></o:p></p>", "<p>甲</p>"},
		{"word processor's settings, not closed", "<xml><p>甲</p>", "<p>甲</p>"},
		{"word processor's runs", "<p class=MsoNormal><span lang=EN-US>2024</span><span>年，</span><span lang=EN-US>A</span>桥</p>", "<p>2024年，A桥</p>"},
		{"raised figures", "<p>5m<sup>2</sup>，10<sup>-6</sup>，CO<sub>2</sub>，桥<sup>[1]</sup>，x<sup><b>2</b></sup></p>", "<p>5m²，10⁻⁶，CO₂，桥[1]，x<strong>2</strong></p>"},
		{"escaped twice", "&lt;p&gt;小桥&amp;nbsp;通了&lt;/p&gt;&lt;p onclick=x&gt;丙&lt;script&gt;x&lt;/script&gt;&lt;/p&gt;", "<p>小桥 通了</p><p>丙</p>"},
		{"escaped once", "3 &lt; 5，&lt;p&gt; 是标签", "<p>3 &lt; 5，&lt;p&gt; 是标签</p>"},
		{"table's heading", "<table><caption>三村桥数</caption><tr><td>北村<td>3</table>", "<p>三村桥数</p><table><tr><td>北村</td><td>3</td></tr></table>"},
		{"pictures side by side", "<table><tr><td><img src=/a.jpg></td><td><img src=/b.jpg></td></tr><tr><td>桥上</td><td>桥下</td></tr></table>", `<figure><img src="http://paper.example/a.jpg" alt=""/><figcaption>桥上</figcaption></figure><figure><img src="http://paper.example/b.jpg" alt=""/><figcaption>桥下</figcaption></figure>`},
		{"picture beside a text", "<table><tr><td><p>甲</p><p>乙</p></td><td><img src=/a.jpg></td></tr></table>", `<p>甲</p><p>乙</p><figure><img src="http://paper.example/a.jpg" alt=""/></figure>`},
		{"picture in a table of facts", "<table><tr><td>北村</td><td>3<img src=/a.jpg></td></tr></table>", `<table><tr><td>北村</td><td>3</td></tr></table><figure><img src="http://paper.example/a.jpg" alt=""/></figure>`},
		{"spaced-out words", "<p>编&#32;者&#32;按</p><p>本 报 讯（记者 林小河）甲</p><p>古桥如月&#32;小城如画</p>", "<p>编者按</p><p>本报讯（记者 林小河）甲</p><p>古桥如月 小城如画</p>"},
		{"vertical tab and form feed", "<p>one\vtwo\fthree\u2028four</p>", "<p>one two three four</p>"},
		{"link within the page", "<p>甲<a href='#top'>回顶部</a></p>", "<p>甲回顶部</p>"},
		{"table in a table", "<table><tr><td><table><tr><td>北村<td>3</table></td></tr></table>", "<table><tr><td>北村</td><td>3</td></tr></table>"},
		{"address with a space", `<img src="/pic?f=a b.jpg"><a href="/x?q=&quot;甲&quot; <乙>">链</a>`, `<figure><img src="http://paper.example/pic?f=a%20b.jpg" alt=""/></figure><p><a href="http://paper.example/x?q=%22甲%22%20%3C乙%3E">链</a></p>`},
		{"address of no host", `<p><a href='http://"evil".example/'>链</a></p>`, "<p>链</p>"},
		{"verse in stanzas", "<p>小桥弯弯<br>流水潺潺<br><br>灯火三三<br>谁在桥上</p>", "<p>小桥弯弯<br/>流水潺潺</p><p>灯火三三<br/>谁在桥上</p>"},
		{"unclosed", "<p>甲<b>乙<p>丙", "<p>甲<strong>乙</strong></p><p><strong>丙</strong></p>"},
	} {
		if got := sanitise(tt.in, pageBase); got != tt.want {
			t.Errorf("%s\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}

func TestSubheads(t *testing.T) {
	long := "<p>" + filler + "</p>"
	heads := func(body string) (out []string) {
		for _, part := range strings.Split(normalised(body).HTML, "<h3>")[1:] {
			head, _, _ := strings.Cut(part, "</h3>")
			out = append(out, head)
		}
		return out
	}
	for _, tt := range []struct{ name, body, want string }{
		{"between paragraphs", long + "<p>率先垂范，带头上桥</p>" + long, "率先垂范，带头上桥"},
		{"bold", long + "<p><b>一、桥怎么修</b></p>" + long, "一、桥怎么修"},
		{"bold first", "<p><b>修桥之前</b></p>" + long, "修桥之前"},
		{"two in one article", long + "<p>修桥</p>" + long + "<p>过桥</p>" + long, "修桥|过桥"},
		{"first line without bold", "<p>编者按</p>" + long, ""},
		{"epigraph", long + "<p>——题记</p>" + long, ""},
		{"first line, numbered", "<p>一、修桥</p>" + long + "<p>二、过桥</p>" + long, "一、修桥|二、过桥"},
		{"first line, the only number", "<p>一、修桥</p>" + long + "<p>过桥</p>" + long, "过桥"},
		{"last line", long + "<p>以上就是全部</p>", ""},
		{"verse", "<p>小桥弯弯</p><p>流水潺潺</p><p>灯火三三</p>", ""},
		{"verse after prose", long + "<p>小桥弯弯</p><p>流水潺潺</p><p>灯火三三</p>" + long, ""},
		{"sentence", long + "<p>桥通了。</p>" + long, ""},
		{"question in bold", long + "<p><b>记者：桥好走吗？</b></p>" + long, ""},
		{"list of names", long + "<p>一等奖：</p><p>林小河</p><p>罗大山</p>" + long, ""},
		{"all bold", "<p><b>" + filler + "</b></p><p><b>短句</b></p><p><b>" + filler + "</b></p>", "短句"},
		{"date", long + "<p>2024</p>" + long, ""},
	} {
		if got := strings.Join(heads(tt.body), "|"); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestPictures(t *testing.T) {
	long := "<p>" + filler + "</p>"
	pictures := func(body string, set ...func(*printed)) string {
		var out []string
		for _, i := range normalised(body, set...).Images {
			out = append(out, strings.TrimPrefix(i.URL, "http://paper.example/")+" "+i.Caption+" "+i.Credit)
		}
		return strings.Join(out, "|")
	}
	outer := func(images ...string) func(*printed) {
		return func(p *printed) {
			for _, s := range images {
				u, c, _ := strings.Cut(s, " ")
				p.Images = append(p.Images, struct {
					URL, Caption, Type string
					Length             int64
					Width, Height      int
				}{URL: u, Caption: c})
			}
		}
	}
	for _, tt := range []struct{ name, got, want string }{
		{"outside", pictures(long, outer("/a.jpg 桥上。（林小河摄）", "/b.jpg")), "a.jpg 桥上。 林小河|b.jpg  "},
		{"outside and inside", pictures(long+"<img src=/a.jpg?v=1>", outer("/a.jpg 桥上 林小河 摄")), "a.jpg?v=1 桥上 林小河"},
		{"twice outside", pictures(long, outer("/a.jpg", "https://paper.example/a.jpg?x=2")), "a.jpg  "},
		{"by a script", pictures(long, outer("/pic.php?id=1", "/pic.php?id=2")), "pic.php?id=1  |pic.php?id=2  "},
		{"caption after it", pictures(long + "<p><img src=/a.jpg></p><p>图为桥上的孩子。</p>" + long), "a.jpg 图为桥上的孩子。 "},
		{"credit after it", pictures(long + "<p><img src=/a.jpg></p><p>桥上的孩子。本报记者 林小河 摄</p>" + long), "a.jpg 桥上的孩子。 林小河"},
		{"triangle", pictures(long + "<p><img src=/a.jpg></p><p>▲桥上的孩子</p>" + long), "a.jpg 桥上的孩子 "},
		{"prose after it", pictures(long + "<p><img src=/a.jpg></p>" + long), "a.jpg  "},
		{"the last words stay text", pictures("<p><img src=/a.jpg></p><p>桥上的孩子。林小河 摄</p>"), "a.jpg  林小河"},
		{"credit from the byline", pictures(long+"<p>桥上的孩子。（林小河摄）</p>", outer("/a.jpg")), "a.jpg  林小河"},
		{"credit of who wrote it", pictures("<p>本报讯（记者 林小河 文/摄）"+filler+"</p>", outer("/a.jpg 桥上。", "/b.jpg （罗大山摄）")), "a.jpg 桥上。 林小河|b.jpg  罗大山"},
		{"short line under a centred one", pictures(long + "<p align=center><img src=/a.jpg></p><p align=center>三座小桥位置示意图</p>" + long + "<p>修桥之后</p>" + long), "a.jpg 三座小桥位置示意图 "},
		{"short line under it", pictures(long + "<p><img src=/a.jpg></p><p>桥上的孩子</p>" + long), "a.jpg 桥上的孩子 "},
		{"sentence centred under a centred one", pictures(long + "<p align=center><img src=/a.jpg></p><p align=center>孩子们在桥上放风筝。</p>" + long), "a.jpg 孩子们在桥上放风筝。 "},
		{"sentence under one", pictures(long + "<p><img src=/a.jpg></p><p>孩子们在桥上放风筝。</p>" + long), "a.jpg  "},
		{"caption by its class", pictures(long + `<p><img src=/a.jpg></p><p class="pic-desc">孩子们在桥上放风筝。</p>` + long), "a.jpg 孩子们在桥上放风筝。 "},
		{"subhead under it, others in the article", pictures(long + "<p>修桥</p>" + long + "<p><img src=/a.jpg></p><p>过桥</p>" + long), "a.jpg  "},
		{"bold subhead under it", pictures(long + "<p align=center><img src=/a.jpg></p><p align=center><b>过桥</b></p>" + long), "a.jpg  "},
		{"numbered subhead under it", pictures(long + "<p><img src=/a.jpg></p><p>一、桥怎么修</p>" + long), "a.jpg  "},
		{"verse under it", pictures("<p align=center><img src=/a.jpg></p><p align=center>小桥弯弯</p><p align=center>流水潺潺</p>"), "a.jpg  "},
		{"byline under it", pictures("<p align=center><img src=/a.jpg></p><p align=center>本报记者 林小河</p>" + long), "a.jpg  "},
		{"file picture beside a photographer", pictures("<p>首席记者 林小河 / 文 罗大山 / 图</p>"+long, outer("/a.jpg 桥上。", "/b.jpg （资料图片）", "/c.jpg 旧桥。（资料照片）", "/d.jpg 图片来自网络", "/e.jpg 小桥位置示意图")), "a.jpg 桥上。 罗大山|b.jpg （资料图片） |c.jpg 旧桥。（资料照片） |d.jpg 图片来自网络 |e.jpg 小桥位置示意图 "},
		{"file picture by its line", pictures("<p>林小河/文 罗大山/图</p>" + long + "<p><img src=/a.jpg></p><p>（资料图片）</p>" + long), "a.jpg （资料图片） "},
		{"all from the files", pictures("<p>林小河/文 罗大山/图</p>"+long+"<p>（图片均为资料图片）</p>", outer("/a.jpg 旧桥。")), "a.jpg 旧桥。 "},
		{"given by an office", pictures("<p>本报讯（记者 林小河 图片由市档案馆提供）"+filler+"</p>", outer("/a.jpg 旧桥。", "/b.jpg 新桥。（林小河摄）")), "a.jpg 旧桥。 市档案馆|b.jpg 新桥。 林小河"},
		{"numbered captions", pictures(long+"<p>图①：桥上。图②：桥下。 本报记者 林小河 摄</p>", outer("/a.jpg", "/b.jpg")), "a.jpg 桥上。 林小河|b.jpg 桥下。 林小河"},
		{"numbered captions inside", pictures(long + "<p><img src=/a.jpg><img src=/b.jpg></p><p>图①为桥上。林小河 摄</p><p>图②为桥下。罗大山 摄</p>" + long), "a.jpg 桥上。 林小河|b.jpg 桥下。 罗大山"},
		{"numbered captions on lines", pictures(long+"<p>①桥上<br>②桥下<br>林小河 摄</p>", outer("/a.jpg", "/b.jpg")), "a.jpg 桥上 林小河|b.jpg 桥下 林小河"},
		{"captions by place", pictures(long+"<p>上图：桥上。</p><p>下图：桥下。</p><p>本报记者 林小河 摄</p>", outer("/a.jpg", "/b.jpg")), "a.jpg 桥上。 林小河|b.jpg 桥下。 林小河"},
		{"numbered captions in a table", pictures(long + "<table><tr><td><img src=/a.jpg></td></tr><tr><td><img src=/b.jpg></td></tr><tr><td>图①：桥上。图②：桥下。林小河 摄</td></tr></table>" + long), "a.jpg 桥上。 林小河|b.jpg 桥下。 林小河"},
		{"numbered captions, other number of pictures", pictures(long+"<p>图①：桥上。图②：桥下。 本报记者 林小河 摄</p>"+long+long+long+long, outer("/a.jpg")), "a.jpg  林小河"},
		{"bad addresses", pictures(long, outer("javascript:alert(1)", "data:image/png;base64,AA", "ftp://x/y.jpg", "")), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, tt.got, tt.want)
		}
	}
	for body, want := range map[string]string{
		"<p>图①：桥上。图②：桥下。 本报记者 林小河 摄</p>" + long:                          "图①：桥上。图②：桥下。\n" + filler, // one picture: they stay
		long + "<p>图①：桥上。图②：桥下。</p>" + long:                              filler + "\n图①：桥上。图②：桥下。\n" + filler,
		long + "<p>①先修桥。②再修路。</p>" + long:                                filler + "\n①先修桥。②再修路。\n" + filler,
		long + "<p align=center><img src=/b.jpg></p><p>桥上的孩子</p>" + long: filler + "\n" + filler,
	} {
		if a := normalised(body, outer("/a.jpg")); a.Text != want {
			t.Errorf("%s: text\n%s\nwant\n%s", body, a.Text, want)
		}
	}
	if a := normalised(long, outer("/a.jpg 桥上")); !strings.HasPrefix(a.HTML, "<figure>") || a.Images[0].URL != "http://paper.example/a.jpg" {
		t.Errorf("a picture outside the body does not come first: %s", a.HTML)
	}
}

// Nesting that breaks parsers costs bounded time and memory; the words stay.
func TestDeepBodies(t *testing.T) {
	start := time.Now()
	for name, body := range map[string]string{
		"divs":       strings.Repeat("<div>", 100_000) + "深处",
		"bold":       strings.Repeat("<b>", 100_000) + "深处",
		"formatting": strings.Repeat("<b a=1><i b=2><a href=x><font>", 30_000) + "深处",
		"tables":     strings.Repeat("<table><tr><td>", 20_000) + "深处",
		"lists":      strings.Repeat("<ul><li>", 50_000) + "深处",
		"quotes":     strings.Repeat("<blockquote>", 50_000) + "深处",
		"paragraphs": strings.Repeat("<p>", 100_000) + "深处",
		"breaks":     strings.Repeat("<br>", 100_000) + "深处",
		"spaces":     strings.Repeat("　", 300_000) + "深处",
		"parens":     "<p>" + strings.Repeat("（", 100_000) + "深处",
		"sentences":  "<p>" + strings.Repeat("。　　", 50_000) + "深处",
		"attributes": "<p " + strings.Repeat("a=b ", 100_000) + ">深处</p>",
		"pictures":   strings.Repeat("<img src=/a.jpg>", 20_000) + "<p>深处</p>",
		"cells":      "<table><tr>" + strings.Repeat("<td>甲</td>", 50_000) + "</tr></table>深处",
		"misnested":  strings.Repeat("<p><b><table><tr><td></b>", 5_000) + "深处",
		"verse":      strings.Repeat("甲<br>", 100_000),
		"plain":      strings.Repeat("甲\n", 200_000),
		"runs":       strings.Repeat("<b>甲</b>乙", 50_000),
		"spans":      strings.Repeat("<span>甲</span>", 60_000),
		"quoted":     strings.Repeat("<blockquote>甲", 60_000),
		"closed":     strings.Repeat("（甲）", 100_000),
		"bylines":    strings.Repeat("<p>本报记者 林小河</p>", 20_000),
		"roles":      strings.Repeat("记者", 150_000),
		"labels":     strings.Repeat("图①：", 100_000),
		"left open":  leftOpen("</p>", 1<<20),
		"in cells":   "<table><tr><td>" + leftOpen("</td><td></b></b>", 1<<20),
		"in a form":  leftOpen("<select></b></b></select>", 1<<20),
	} {
		a := normalised(body)
		if why := checkClean(a.HTML); why != "" {
			t.Errorf("%s: %s", name, why)
		}
		if len(a.HTML) > 4<<20 || len(a.Images) > maxImages {
			t.Errorf("%s: %d bytes of HTML, %d pictures", name, len(a.HTML), len(a.Images))
		}
	}
	t.Logf("took %v", time.Since(start).Round(time.Millisecond))
}

// leftOpen is up to n bytes of paragraphs in which a parser opens 400 elements
// again: 100 KB of them used to cost 1.5 GB.
func leftOpen(end string, n int) string {
	var b strings.Builder
	b.WriteString("<p>")
	for i := range 400 {
		b.WriteString("<b a=" + strconv.Itoa(i) + ">" + end)
	}
	for b.Len() < n {
		b.WriteString("<p>深处")
	}
	return b.String()
}

// The tree is that of the whole source, whatever was held back from the parser.
func checkParse(t failer, src string) {
	render := func(nodes []*html.Node) string {
		var b strings.Builder
		root := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
		var comments []*html.Node // nobody reads them
		for _, n := range nodes {
			root.AppendChild(n)
		}
		for n := range root.Descendants() {
			if n.Type == html.CommentNode {
				comments = append(comments, n)
			}
		}
		for _, n := range comments {
			n.Parent.RemoveChild(n)
		}
		if err := html.Render(&b, root); err != nil {
			return err.Error() // the same for both
		}
		return b.String()
	}
	want, err := html.ParseFragment(strings.NewReader(src), &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body})
	got, gotErr := parse(src)
	if (err == nil) != (gotErr == nil) {
		t.Fatalf("%q: %v, want %v", src, gotErr, err)
	}
	if g, w := render(got), render(want); g != w {
		t.Fatalf("%q: read as\n%s\nwant\n%s", src, g, w)
	}
}

func TestParse(t *testing.T) {
	long := strings.Repeat(filler, 2)
	for _, src := range []string{
		long, "<p>" + long + "</p>", "<p>　　" + long + "&nbsp;" + long + "<b>" + long, "&#32;<p>" + long, "&#xfdd0;\U000f0000<p>" + long, heldMark + "\U000f0000<p>" + long,
		`<img alt="a>` + long + `">` + long, `<img alt="a>` + long + `" title='b>` + long + `' src=c>`, `<img alt="a>b" ` + long + ` c=d>` + long, "<p " + long + " a=b>" + long,
		"<!-- > " + long + "-->" + long, "<!-- > " + long + "--!>" + long, "<!-- > " + long + "--", "<!-- <b>" + long + "-->甲" + long, "<!--->" + long + "-->" + long,
		"<svg><![CDATA[ > " + long + "]]>" + long, "<script>a>" + long + "</script>" + long, "<textarea>\n" + long + "</textarea>", "<pre>\n" + long + "</pre>", "<title>" + long + "</title>" + long,
		"<table>" + long + "<tr>" + long + "<td>" + long + "</table>", "<select>" + long + "<option>" + long + "</select>", "<frameset>" + long, "<math><mi>" + long + "</math>" + long,
		"<p>" + long + "\r\n" + long + "\x00" + long, "<p>\xff\xfe" + long + "\xe4", "<p>" + long + "<", "<p>" + long + "</", "3 < 5 " + long + " > 4 " + long, "<plaintext>" + long + "</p>", "<a href='http://x.example/?a>" + long + "'>" + long + "</a>",
	} {
		checkParse(t, src)
	}
	if n := len(held("<p>" + long + "</p><p>" + long + "&nbsp;" + long)); n != 3 {
		t.Errorf("%d runs of words held back, want 3: the parser reads them all", n)
	}
}

func held(src string) []string {
	_, words := holdWords(src)
	return words
}

func TestHugeBody(t *testing.T) {
	a := normalised("<p>" + strings.Repeat(filler, 100_000) + "</p>")
	if n := len(a.Text); n > maxTextBytes+maxBodyBytes || n < 100_000 {
		t.Errorf("%d bytes of text", n)
	}
	if !utf8.ValidString(a.Text) {
		t.Error("cut within a character")
	}
}

// bodies draws HTML from pieces of real pages and of attacks.
func bodies() *rapid.Generator[string] {
	pieces := []string{
		"<p>", "</p>", "<P align=center>", "<br>", "<br/>", "<div>", "</div>", "<b>", "</b>", "<i>", "</i>", "<strong>", "</strong>", "<em>", "</em>", "<a href='http://x.example/?a=1&b=2'>", "<a href=javascript:x>", "</a>",
		"<table>", "</table>", "<tr>", "</tr>", "<td>", "<td colspan=3>", "</td>", "<th>", "<ul>", "</ul>", "<ol>", "<li>", "</li>", "<blockquote>", "</blockquote>", "<figure>", "</figure>", "<figcaption>", "</figcaption>", "<h2>", "</h2>", "<span style='color:red'>", "</span>",
		"<img src=http://x.example/a.jpg>", "<img src='b.png' alt='甲\"乙' width=300 height=200>", "<script>", "</script>", "<style>", "</style>", "<svg>", "</svg>", "<math>", "<pre>", "</pre>", "<!--", "-->", "<![CDATA[", "]]>", "<founder-content>", "<html>", "<body>", "</body>", "<form>", "<select>", "<textarea>", "</textarea>",
		"　　", " ", "\n", "&nbsp;", "&lt;p&gt;", "&amp;amp;", "<", ">", "&", "\"", "'", "\x00", "\u202e", "\u200b", "\ufeff", "甲", "小桥通了。", "本报讯（记者 林小河）", "（林小河摄）", "■ 本报记者 林小河", "林小河", "图为桥上。", "A&B", "𠮷", filler,
	}
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 40).Draw(t, "pieces"), "")
	})
}

func TestBodyProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := bodies().Draw(t, "body")
		checkParse(t, src)
		checkBody(t, src)
	})
}

type failer interface{ Fatalf(string, ...any) }

func checkBody(t failer, src string) {
	once := sanitise(src, pageBase)
	if why := checkClean(once); why != "" {
		t.Fatalf("%q: %s: %s", src, why, once)
	}
	if twice := sanitise(once, pageBase); twice != once {
		t.Fatalf("%q: not idempotent\n%s\n%s", src, once, twice)
	}
	a := normalised(src)
	if why := checkClean(a.HTML); why != "" {
		t.Fatalf("%q: normalised: %s: %s", src, why, a.HTML)
	}
	if badRune(a.Text) || badRune(a.HTML) || badRune(a.Summary) {
		t.Fatalf("%q: a bad character", src)
	}
	if a.Text != strings.TrimSpace(a.Text) || strings.Contains(a.Text, "\n\n") {
		t.Fatalf("%q: untidy text %q", src, a.Text)
	}
	if utf8.RuneCountInString(a.Summary) > maxSummary {
		t.Fatalf("%q: summary %q", src, a.Summary)
	}
	// The text is the words of the HTML: reading the one gives the other.
	words := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) {
				return -1
			}
			return r
		}, s)
	}
	var fromHTML strings.Builder
	doc, err := html.Parse(strings.NewReader(a.HTML))
	if err != nil {
		t.Fatalf("%q: %v", src, err)
	}
	for n := range doc.Descendants() {
		if n.Type == html.TextNode && (n.Parent == nil || n.Parent.Data != "figcaption") {
			fromHTML.WriteString(n.Data)
		}
	}
	if got, want := words(a.Text), words(fromHTML.String()); got != want {
		t.Fatalf("%q: text %q, but the words of the HTML are %q", src, got, want)
	}
	if h := contentHash(a); h != contentHash(normalised(src)) {
		t.Fatalf("%q: the hash is not stable", src)
	}
}

func FuzzBody(f *testing.F) {
	for _, s := range []string{"<p>甲</p>", "<table><tr><td>甲<td>乙</table>", "<b><p>甲</b>乙", "<svg><p>甲", "<img src=http://x.example/a.jpg>图为甲。", "<a href=http://x.example/\">甲</a>", "　　甲<br>　　乙", "<p>本报讯（记者 林小河）甲。</p><p>（罗大山）</p>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		checkParse(t, s)
		checkBody(t, s)
	})
}
