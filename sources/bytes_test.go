package sources

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"paperwire/internal/fetch"
)

// In GB18030 㳇 and 𬭩 take four bytes; GBK has neither.
const (
	fourBytes = "㳇池村的𬭩与水渠"
	twoBytes  = "大樊家村的水渠"
)

// TestEncodings reads every kind of document over HTTP in whatever bytes and
// under whatever labels: what comes out are the words.
func TestEncodings(t *testing.T) {
	le := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	be := unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	gbk, gb18030 := simplifiedchinese.GBK, simplifiedchinese.GB18030
	for _, c := range []struct {
		name           string
		e              encoding.Encoding // nil: UTF-8
		words          string
		bom            string
		header, inside string // labels; "": none
		far            bool   // the inner label stands behind the first 4 KB
		cut            string // the last bytes of the document, of half a character
	}{
		{name: "UTF-8", words: fourBytes, header: "utf-8", inside: "utf-8"},
		{name: "UTF-8, no label", words: fourBytes},
		{name: "UTF-8 called gb2312 inside", words: fourBytes, inside: "gb2312"},
		{name: "UTF-8 called gbk in the header", words: fourBytes, header: "gbk", inside: "utf-8"},
		{name: "UTF-8 called gbk2312", words: fourBytes, header: "gbk2312", inside: "gbk2312"},
		{name: "UTF-8 with BOM called gbk", words: fourBytes, bom: "\ufeff", header: "gbk", inside: "gb2312"},
		{name: "UTF-8, cut in a character", words: fourBytes, header: "utf-8", cut: "\xe6\xb0"},
		{name: "GBK", e: gbk, words: twoBytes, header: "gbk", inside: "gbk"},
		{name: "GBK, no label", e: gbk, words: twoBytes},
		{name: "GBK called utf-8 inside", e: gbk, words: twoBytes, inside: "utf-8"},
		{name: "GBK, the header against the document", e: gbk, words: twoBytes, header: "utf-8", inside: "gb2312"},
		{name: "GBK, cut in a character", e: gbk, words: twoBytes, inside: "gbk", cut: "\xcb"},
		{name: "GB18030 with characters of four bytes", e: gb18030, words: fourBytes, header: "gb18030", inside: "gb18030"},
		{name: "GB18030 called gb2312", e: gb18030, words: fourBytes, inside: "gb2312"},
		{name: "GB18030 called gbk2312", e: gb18030, words: fourBytes, header: "gbk2312", inside: "gbk2312"},
		{name: "GB18030 called utf-8", e: gb18030, words: fourBytes, header: "utf-8", inside: "utf-8"},
		{name: "GB18030 labelled late", e: gb18030, words: fourBytes, inside: "gb18030", far: true},
		{name: "GB18030 labelled late and wrong", e: gb18030, words: fourBytes, inside: "utf-8", far: true},
		{name: "GB18030 with BOM", e: gb18030, words: fourBytes, bom: "\x84\x31\x95\x33", header: "utf-8"},
		{name: "GB18030, cut in four bytes", e: gb18030, words: fourBytes, inside: "gb18030", cut: "\x82\x30\x81"},
		{name: "UTF-16 little endian with BOM", e: le, words: fourBytes, bom: "\xff\xfe", header: "utf-8", inside: "gb2312"},
		{name: "UTF-16 big endian with BOM", e: be, words: fourBytes, bom: "\xfe\xff", inside: "utf-16"},
		{name: "UTF-16 by its first character", e: le, words: fourBytes},
		{name: "UTF-16, half a unit at the end", e: le, words: fourBytes, bom: "\xff\xfe", cut: "\x2d"},
	} {
		t.Run(c.name, func(t *testing.T) {
			meta, prolog := "", `<?xml version="1.0"?>`
			if c.inside != "" {
				meta, prolog = `<meta http-equiv="Content-Type" content="text/html; charset=`+c.inside+`">`, `<?xml version="1.0" encoding="`+c.inside+`"?>`
			}
			if c.far {
				meta = "<!-- " + strings.Repeat("skin ", 900) + "-->" + meta
			}
			docs := map[string]string{
				"/jz/html/2026-03/17/node_2.htm": "<html><head>" + meta + `<title>河阳日报</title></head><body><a id=pageLink href=node_2.htm>第01版：` + c.words + `</a><a href=content_7.htm>` + c.words + `</a></body></html>`,
				"/jz/html/2026-03/17/content_7.htm": "<html><head>" + meta + `<title>河阳日报</title></head><body><p class=font01>` + c.words + `</p><div id=ozoom><founder-content><p>` + strings.Repeat(c.words+"修好了。", 8) +
					`</p></founder-content></div></body></html>`,
				"/rss.xml":   prolog + `<rss version="2.0"><channel><title>河阳快讯</title><item><title>` + c.words + `</title><guid>1</guid><description>` + strings.Repeat(c.words+"。", 8) + `</description></item></channel></rss>`,
				"/feed.json": `{"version":"https://jsonfeed.org/version/1.1","title":"河阳快讯","items":[{"id":"1","title":"` + c.words + `","content_text":"` + strings.Repeat(c.words, 8) + `"}]}`,
				"/api/list":  `{"day":"2026-03-17","list":[{"id":"9","title":"` + c.words + `","content":"<p>` + strings.Repeat(c.words+"。", 8) + `</p>"}]}`,
			}
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, ok := docs[r.URL.Path]
				if !ok {
					http.NotFound(w, r)
					return
				}
				kind := "text/html"
				switch {
				case strings.HasSuffix(r.URL.Path, ".xml"):
					kind = "text/xml"
				case strings.Contains(r.URL.Path, "json"), strings.Contains(r.URL.Path, "api"):
					kind = "application/json"
				}
				if c.header != "" {
					kind += "; charset=" + c.header
				}
				raw := []byte(body)
				if c.e != nil {
					var err error
					if raw, err = c.e.NewEncoder().Bytes(raw); err != nil {
						t.Error(err)
					}
				}
				w.Header().Set("Content-Type", kind)
				fmt.Fprint(w, c.bom, string(raw), c.cut)
			}))
			defer srv.Close()
			g := fetch.New(fetch.Options{Pace: -1, Open: []string{strings.TrimPrefix(srv.URL, "http://")}})
			defer g.Close()
			for _, s := range []Source{
				{Key: "k", URL: srv.URL + "/jz/html/2026-03/17/node_2.htm"},
				{Key: "k", URL: srv.URL + "/rss.xml"},
				{Key: "k", URL: srv.URL + "/feed.json"},
				{Key: "k", URL: srv.URL + "/api/list", Platform: "json", JSON: &JSONRules{Day: "day", Articles: "list", ID: "id", Title: "title", Content: "content"}},
			} {
				f, err := Find(t.Context(), g, s, Want{Today: "2026-03-17", Now: time.Date(2026, 3, 17, 4, 0, 0, 0, time.UTC)})
				if err != nil || len(f.Editions) != 1 || len(f.Editions[0].Refs) != 1 {
					t.Errorf("%s: %+v %v", s.URL, f, err)
					continue
				}
				e := f.Editions[0]
				if r := e.Refs[0]; r.Title != c.words || len(e.Pages) == 1 && f.Platform == "founder" && e.Pages[0].Name != c.words {
					t.Errorf("%s: %q on %+v", s.URL, r.Title, e.Pages)
				}
				p, err := Read(t.Context(), g, s, e.Refs[0])
				if err != nil || p.Headline != c.words || !strings.Contains(p.Body, c.words) || strings.ContainsRune(p.Body, '\ufffd') {
					t.Errorf("%s: %+v %v", s.URL, p, err)
				}
			}
		})
	}
}

// A page of which only the beginning came is an error that passes, and no page
// that is merely untidy is taken for one.
func TestSevered(t *testing.T) {
	page := `<html><head><title>河阳日报</title></head><body><p class=font01>标题</p><div id=ozoom><founder-content><p>第一段。</p><p>第二段。</p></founder-content></div><a href="x.htm">尾</a></body></html><!--enpproperty <founder-title>标题</founder-title> /enpproperty-->`
	at := func(mark string, more int) string { return page[:strings.Index(page, mark)+more] }
	for name, c := range map[string]struct {
		page string
		cut  bool
	}{
		"whole":                     {page, false},
		"within a tag":              {at(`<a href`, 6), true},
		"within an end tag":         {at(`</founder-content`, 5), true},
		"between two paragraphs":    {at("<p>第二", 0), true},
		"after the body's end":      {at(`<a href`, 0), false},
		"a headline and no more":    {at("<founder-content", 0), true},
		"neither body nor html end": {strings.NewReplacer("</body>", "", "</html>", "").Replace(page), false},
		"no metadata":               {at("<!--enp", 0), false},
		"within the metadata":       {strings.NewReplacer("</body>", "", "</html>", "").Replace(page[:len(page)-9]), true},
		"the last tag left open":    {strings.TrimSuffix(at("<!--enp", 0), "</body></html>") + "</html", false},
		"a marker never closed":     {strings.Replace(page, "</founder-content>", "", 1), false},
		"a sign in the text":        {strings.Replace(page, "</body></html>", "", 1)[:strings.Index(page, "<!--enp")-len("</body></html>")] + "1 < 2", false},
	} {
		s := newSite(t, map[string]string{"/html/2026-03/17/content_1.htm": c.page})
		p, err := Read(t.Context(), s.client(), Source{Key: "k", Platform: "founder", URL: s.URL}, Ref{URL: s.URL + "/html/2026-03/17/content_1.htm"})
		var unknown *UnknownError
		switch {
		case c.cut && (!errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &unknown)):
			t.Errorf("%s: %v", name, err)
		case !c.cut && (err != nil || p.Headline != "标题" || !strings.Contains(p.Body, "第二段。")):
			t.Errorf("%s: %+v %v", name, p, err)
		}
	}
}

// A page list may hold numbers without 版: a joint page, a page of pictures.
func TestBareLabels(t *testing.T) {
	link := func(file, text string) string { return `<li><a class=p href=` + file + `.html>` + text + `</a></li>` }
	for name, c := range map[string]struct {
		html string
		want []string
	}{
		"beside labels of their kind": {
			link("node_01", "第01版：要闻") + link("node_02", "02") + link("node_0607", "0607") + link("node_08", "第08版：副刊"),
			[]string{"01 要闻", "02 ", "0607 ", "08 副刊"},
		},
		"a joint page of a section":     {link("node_A01", "A01 头版") + link("node_A0607", "A0607") + link("node_A08", "A08"), []string{"A01 头版", "A0607 ", "A08 "}},
		"nothing but numbers":           {link("node_1", "01") + link("node_2", "02") + link("node_11", "11"), []string{"01 ", "02 ", "11 "}},
		"as the address has it":         {link("node_01", "第01版：要闻") + `<p><a href=node_11.html>11</a></p>`, []string{"01 要闻", "11 "}},
		"arrows in Webdings":            {link("node_01", "第01版：要闻") + link("node_02", "第02版：县区") + `<a href=node_02.html>4</a><a href=node_03.html>3</a>`, []string{"01 要闻", "02 县区"}},
		"a year and a number of visits": {link("node_01", "第01版：要闻") + `<p><a href=node_05.html>2026</a></p>`, []string{"01 要闻"}},
	} {
		body := `<html><title>河阳日报</title><ul>` + c.html + `</ul><a href=../../../content/202603/17/content_5.html>标题</a></html>`
		p := Parse(Source{}, "http://e.example/layout/202603/17/node_01.html", "text/html", []byte(body))
		if p.Kind != "page" {
			t.Errorf("%s: %+v", name, p)
			continue
		}
		var got []string
		for _, q := range p.Page.Pages {
			got = append(got, q.Number+" "+q.Name)
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Rules for pages override what platforms json, sitemap and feed find as well.
func TestRulesOnTop(t *testing.T) {
	article := `<html><title>河阳日报</title><meta property="og:title" content="站名 标题"><h1 class=bt>好标题</h1><p class=ft></p><p class=zz>林小河</p><div class=zw><p>` + jsonBody + `</p><p class=gg>广告</p></div><div class=other>` + strings.Repeat(jsonBody, 4) + `</div></html>`
	rules := &HTMLRules{Headline: ".bt", Subtitle: ".ft", Byline: ".zz", Body: ".zw", Drop: []string{".gg"}}
	check := func(name string, p Printed, err error) {
		t.Helper()
		if err != nil || p.Headline != "好标题" || p.Author != "林小河" || p.Subtitle != "" || p.Body != "<p>"+jsonBody+"</p>" {
			t.Errorf("%s: %+v %v", name, p, err)
		}
	}
	s, g := jsonSite(t, map[string]string{
		"GET /list":        `{"day":"2026-03-17","list":[{"id":"1","title":"标题","href":"/a/1.html"}]}`,
		"GET /inside":      `{"day":"2026-03-17","list":[{"id":"1","title":"标题","sub":"作者的话","body":"<h1 class=bt>好标题</h1><p class=ft> </p><p class=zz>林小河</p><div class=zw><p>` + jsonBody + `</p><p class=gg>广告</p></div>"}]}`,
		"GET /a/1.html":    article,
		"GET /rss":         `<rss version="2.0"><channel><title>t</title><item><title>标题</title><guid>1</guid><link>/a/1.html</link><description>` + strings.Repeat(jsonBody, 9) + `</description></item></channel></rss>`,
		"GET /sitemap.xml": `<urlset><url><loc>HOST/a/1.html</loc><lastmod>2026-03-17T01:00:00Z</lastmod></url></urlset>`,
	})
	want := Want{Today: "2026-03-17", Now: time.Date(2026, 3, 17, 4, 0, 0, 0, time.UTC)}
	for name, src := range map[string]Source{
		"json, pages":  {URL: s.URL + "/list", Platform: "json", JSON: &JSONRules{Day: "day", Articles: "list", ID: "id", Title: "title", Link: "href"}},
		"json, inside": {URL: s.URL + "/inside", Platform: "json", JSON: &JSONRules{Day: "day", Articles: "list", ID: "id", Title: "title", Subtitle: "sub", Content: "body"}},
		"feed":         {URL: s.URL + "/rss", Platform: "feed", FullText: true},
	} {
		src.Key, src.HTML = "k", rules
		f, err := Find(t.Context(), g, src, want)
		if err != nil || len(f.Editions) != 1 || len(f.Editions[0].Refs) != 1 {
			t.Errorf("%s: %+v %v", name, f, err)
			continue
		}
		p, err := Read(t.Context(), g, src, f.Editions[0].Refs[0])
		check(name, p, err)
	}
	p, err := Read(t.Context(), g, Source{Key: "k", Platform: "sitemap", URL: s.URL + "/sitemap.xml", HTML: rules}, Ref{URL: s.URL + "/a/1.html"})
	check("sitemap", p, err)
}

// A cell that a rule names and that is empty says that there is none.
func TestEmptyCells(t *testing.T) {
	page := `<html><title>河阳日报</title><table><tr><td class=font02>肩题</td></tr><tr><td class=font01>主题</td></tr><tr><td class=font02>别的话</td></tr></table><p id=s></p><p id=z> </p><h1 id=h></h1><div id=ozoom><p>正文。</p></div></html>`
	for name, c := range map[string]struct {
		rules                      HTMLRules
		kicker, headline, subtitle string
	}{
		"guessed":      {HTMLRules{}, "肩题", "主题", "别的话"},
		"empty":        {HTMLRules{Subtitle: "#s", Kicker: "#s, #z", Headline: "#h"}, "", "主题", ""},
		"absent":       {HTMLRules{Subtitle: "#none"}, "肩题", "主题", "别的话"},
		"one of two":   {HTMLRules{Subtitle: "#s, .font02"}, "肩题", "主题", "肩题 别的话"},
		"empty byline": {HTMLRules{Byline: "#z"}, "肩题", "主题", "别的话"},
	} {
		p := Parse(Source{HTML: &c.rules}, "http://e.example/html/2026-03/17/content_1.htm", "text/html", []byte(page))
		if p.Kind != "article" || p.Article.Kicker != c.kicker || p.Article.Headline != c.headline || p.Article.Subtitle != c.subtitle || p.Article.Author != "" {
			t.Errorf("%s: %+v", name, p.Article)
		}
	}
}
