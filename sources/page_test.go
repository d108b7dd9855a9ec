package sources

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"paperwire/internal/fetch"
	"paperwire/internal/paper"
)

func TestShapes(t *testing.T) {
	for _, c := range []struct {
		url        string
		kind       kind
		day, id    string
		number     string
		positional bool
	}{
		{"http://e.cn/hyrb/html/2017-09/07/node_2.htm", indexPage, "2017-09-07", "", "", false},
		{"http://e.cn/hyrb/html/2017-09/07/content_279424.htm", articlePage, "2017-09-07", "279424", "", false},
		{"http://e.cn/hyrb/html/2017-09/07/content_1_2.htm", articlePage, "2017-09-07", "1_2", "", false},
		{"http://e.cn/html/2017-09/07/content_36.htm?div=-1", articlePage, "2017-09-07", "36", "", false},
		{"http://e.cn/html/2017-09/07/nbs.D110000renmrb_01.htm", indexPage, "2017-09-07", "", "01", false},
		{"http://e.cn/html/2017-10/16/nw.D110000renmrb_20171016_1-01.htm", articlePage, "2017-10-16", "1-01", "01", true},
		{"http://e.cn/pc/layout/202408/30/node_A01.html", indexPage, "2024-08-30", "", "A01", false},
		{"http://e.cn/pc/col/202408/30/node_1.html", indexPage, "2024-08-30", "", "1", false},
		{"http://e.cn/pc/column/202408/30/node_01.html", indexPage, "2024-08-30", "", "01", false},
		{"http://e.cn/pc/con/202408/30/c1051934.html", articlePage, "2024-08-30", "1051934", "", false},
		{"http://e.cn/pc/content/202408/30/content_3251363.html", articlePage, "2024-08-30", "3251363", "", false},
		{"http://e.cn/html/cqrb/2023-01/01/001/node.htm", indexPage, "2023-01-01", "", "001", false},
		{"http://e.cn/html/cqrb/2023-01/01/001/content_rb_319110.htm", articlePage, "2023-01-01", "rb_319110", "", false},
		{"http://e.cn/glrb/content/20241011/Page01BC.htm", indexPage, "2024-10-11", "", "01", false},
		{"http://e.cn/content/20241011/PageA12.htm", indexPage, "2024-10-11", "", "A12", false},
		{"http://e.cn/content/20241011/ArticelA12003NU.htm", articlePage, "2024-10-11", "A12003", "A12", true},
		{"http://e.cn/content/20241011/Article01002.htm", articlePage, "2024-10-11", "01002", "01", true},
		{"http://e.cn/content/20241011/IssueIndex.htm", other, "", "", "", false},
		{"http://e.cn/content/PaperIndex.htm", other, "", "", "", false},
		{"http://e.cn/glrb/content/20241011/Articel01002MT.htm", articlePage, "2024-10-11", "01002", "01", true},
		{"http://e.cn/html/2017-13/07/node_2.htm", other, "", "", "", false},
		{"http://e.cn/html/node_2.htm", other, "", "", "", false},
		{"http://e.cn/pc/layout/index.html", other, "", "", "", false},
	} {
		u, err := url.Parse(c.url)
		if err != nil {
			t.Fatal(err)
		}
		s, _ := shapeOf(u)
		if s.kind != c.kind || string(s.day) != c.day || s.id != c.id || s.number != c.number || s.positional != c.positional {
			t.Errorf("%s: %+v", c.url, s)
		}
	}
}

func TestCanonical(t *testing.T) {
	base, _ := url.Parse("http://E.cn/hyrb/html/2017-09/07/node_2.htm")
	for in, want := range map[string]string{
		"./content_1.htm":                                     "http://e.cn/hyrb/html/2017-09/07/content_1.htm",
		"content_1.htm?div=-1#top":                            "http://e.cn/hyrb/html/2017-09/07/content_1.htm",
		" ../07/./content_1.htm ":                             "http://e.cn/hyrb/html/2017-09/07/content_1.htm",
		`..\07\content_1.htm`:                                 "http://e.cn/hyrb/html/2017-09/07/content_1.htm",
		"//E.CN/hyrb//html/2017-09/07/content_1.htm;":         "http://e.cn/hyrb/html/2017-09/07/content_1.htm;",
		"HTTP://u:p@e.cn/hyrb/html/2017-09/07/content_1.htm":  "http://e.cn/hyrb/html/2017-09/07/content_1.htm",
		"https://e.cn/hyrb/html/2017-09/07/content_1.htm?a=b": "https://e.cn/hyrb/html/2017-09/07/content_1.htm",
	} {
		u := resolve(base, in)
		if u == nil || canonical(u) != want {
			t.Errorf("%q: %v, want %s", in, u, want)
		}
	}
	for _, in := range []string{"", "#top", "javascript:void(0)", "mailto:a@b.cn", "data:text/html,x", "http://[bad", strings.Repeat("a", 3000)} {
		if u := resolve(base, in); u != nil {
			t.Errorf("%q: %s", in, u)
		}
	}
	if identity("http://e.cn:80/a") != identity("https://e.cn/a") {
		t.Error("http and https are one")
	}
	for a, b := range map[string]string{"Page01BC.htm": "Page01NU.htm", "Articel01002MT.htm": "Articel01002TB.htm", "PageA01BC.html": "PageA01.html"} {
		if identity("http://e.cn/20240101/"+a) != identity("http://e.cn/20240101/"+b) {
			t.Errorf("%s and %s are skins of one page", a, b)
		}
	}
	for a, b := range map[string]string{"Page01BC.htm": "Page02BC.htm", "Articel01002MT.htm": "Articel01003MT.htm", "apple.htm": "appl.htm", "pageab.htm": "pagecd.htm"} {
		if identity("http://e.cn/20240101/"+a) == identity("http://e.cn/20240101/"+b) {
			t.Errorf("%s and %s are two", a, b)
		}
	}
	// What a program shows is told by the query, without sessions and clocks.
	u := resolve(base, "/show.aspx?id=7&PHPSESSID=abc&page=2&_=1700000000&t=3#x")
	if got := canonical(u); got != "http://e.cn/show.aspx?id=7&page=2&t=3" {
		t.Errorf("%s", got)
	}
	u = resolve(base, "/list.php?t=3&time=20261121&rnd=0.12&utm_source=x&tid=&t=0.5")
	if got := canonical(u); got != "http://e.cn/list.php?t=3&time=20261121&tid=" {
		t.Errorf("%s", got)
	}
}

// TestOnePageOwnsAnArticle: by its image map, whoever lists it first.
func TestOnePageOwnsAnArticle(t *testing.T) {
	page := func(n string) *index {
		return &index{ParsedPage: ParsedPage{Page: Page{PageRef: paper.PageRef{Number: n}}}, mapped: map[string]bool{}, other: map[string]string{}}
	}
	ref := func(u string) Ref { return Ref{URL: "http://e.cn/d/" + u} }
	a, b := page("01"), page("02")
	a.Refs = []Ref{ref("3"), ref("1"), ref("4")}
	b.Refs = []Ref{ref("3"), ref("4"), ref("1"), {URL: "https://www.e.cn/d/1"}}
	b.mapped["e.cn/d/3"] = true
	list := []Page{{PageRef: a.Page.PageRef, URL: "http://e.cn/p1"}, {PageRef: b.Page.PageRef, URL: "http://e.cn/p2"}}
	var e Edition
	(&builder{}).assemble(&e, list, []*index{a, b})
	got := ""
	for _, r := range e.Refs {
		got += fmt.Sprintf("%s:%d=%s ", r.Page.Number, r.Position, strings.TrimPrefix(r.URL, "http://e.cn/d/"))
	}
	if got != "01:1=1 01:2=4 02:1=3 " {
		t.Errorf("%s", got)
	}
}

// benchPages are the sizes of a common article page and of a large index.
func benchArticle() []byte {
	var b strings.Builder
	b.WriteString(`<html><head><title>河阳日报</title></head><body><table><tr><td><map name=pagepicmap>`)
	for i := range 40 {
		fmt.Fprintf(&b, `<area shape=polygon coords="1,2,3,4,5,6,7,8" href="content_%d.htm">`, 1000+i)
	}
	b.WriteString(`</map><img src=../../../page/1/x_brief.jpg usemap=#PagePicMap></td><td>第01版：<strong>要闻</strong></td></tr></table>`)
	for i := range 60 {
		fmt.Fprintf(&b, `<tr><td class=default>&nbsp;<a id=pageLink href=node_%d.htm>第%02d版：要闻</a></td><td><a href=../../../page/1/2024-01-01/%02d/1.pdf>PDF</a></td></tr>`, i+2, i+1, i+1)
	}
	for i := range 40 {
		fmt.Fprintf(&b, `<tr><td><a href=content_%d.htm><div style="display:inline" id=mp%d>第%d篇报道的标题</div></a></td></tr>`, 1000+i, 1000+i, i)
	}
	b.WriteString(`<table><tr><td class=font02>肩题</td></tr><tr><td class=font01>主题</td></tr><tr><td class=font02>副题</td></tr></table><div id=ozoom><founder-content>`)
	for b.Len() < 40<<10 {
		b.WriteString(`<P>　　这是一段用来量速度的正文，长短与常见的报道相仿，读起来没有什么意思。</P>`)
	}
	b.WriteString(`</founder-content></div></body></html><!--enpproperty <founder-date>2024-01-01</founder-date><founder-title>主题</founder-title><founder-type>1</founder-type><founder-pagenum>01</founder-pagenum> /enpproperty-->`)
	return []byte(b.String())
}

// BenchmarkArticle reads an article page of 40 KB.
func BenchmarkArticle(b *testing.B) {
	body := benchArticle()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if p := Parse(Source{Platform: "founder"}, "http://e.cn/html/2024-01/01/content_1001.htm", "text/html", body); p.Kind != "article" || p.Article.Kicker != "肩题" {
			b.Fatalf("%+v", p)
		}
	}
}

// BenchmarkIndex reads the same bytes as an index page.
func BenchmarkIndex(b *testing.B) {
	body := benchArticle()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if p := Parse(Source{Platform: "founder"}, "http://e.cn/html/2024-01/01/node_2.htm", "text/html", body); p.Kind != "page" || len(p.Page.Pages) != 60 || len(p.Page.Refs) != 40 {
			b.Fatalf("%+v", p)
		}
	}
}

// FuzzParse: whatever the bytes, Parse ends, tells one kind with its field, and
// every URL in what it tells is absolute.
func FuzzParse(f *testing.F) {
	for _, dir := range cases(f) {
		at, _, body := loadCase(f, dir)
		f.Add(at, body)
	}
	f.Fuzz(func(t *testing.T, at string, in []byte) {
		body, _ := fetch.Decode(in, "text/html")
		p := Parse(Source{}, at, "text/html", body)
		absolute := func(s string) {
			if u, err := url.Parse(s); err != nil || s != "" && (u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
				t.Errorf("%q is not absolute", s)
			}
		}
		switch p.Kind {
		case "page":
			for _, q := range p.Page.Pages {
				absolute(q.URL)
				absolute(q.PDF)
			}
			seen := map[string]bool{}
			for _, r := range p.Page.Refs {
				absolute(r.URL)
				if r.Origin == "" || seen[r.URL] || r.Position < 1 {
					t.Errorf("%+v", r)
				}
				seen[r.URL] = true
			}
		case "article":
			absolute(p.Article.URL)
			for _, i := range p.Article.Images {
				absolute(i.URL)
			}
			if strings.Contains(strings.ToLower(p.Article.Body), "<script") {
				t.Errorf("script in %q", p.Article.Body)
			}
		case "feed":
			for _, r := range p.Feed.Refs {
				absolute(r.URL)
			}
		case "calendar":
			for _, c := range p.Calendar {
				absolute(c.URL)
			}
		case "blocked", "unknown":
			if p.Reason == "" {
				t.Errorf("%s without a reason", p.Kind)
			}
		default:
			t.Errorf("kind %q", p.Kind)
		}
	})
}
