package sources

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"paperwire/internal/fetch"
)

const webText = `<p>上游水库昨天开闸，三万亩农田陆续见水，沿线十二个村的管水员分段巡查。</p><p>灌区管理处介绍，这次放水预计持续二十天，总量比去年同期增加一成。</p>`

func webPage(title, body string) string {
	return `<html><head><title>` + title + `</title><meta property="og:type" content="article"><meta property="og:title" content="` + title + `"></head><body><h1>` + title + `</h1><div class="content">` + body + `</div></body></html>`
}

func TestFindSitemap(t *testing.T) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	fmt.Fprint(w, `<?xml version="1.0"?><urlset><url><loc>/n/1.html</loc><lastmod>2026-03-17T08:00:00+08:00</lastmod></url><url><loc>/n/2.html</loc><lastmod>2026-03-16</lastmod></url></urlset>`)
	_ = w.Close()
	s := newSite(t, map[string]string{
		"/sitemap_index.xml": `<?xml version="1.0"?><sitemapindex><sitemap><loc>/old.xml</loc><lastmod>2020-01-01</lastmod></sitemap><sitemap><loc>/new.gz</loc><lastmod>2026-03-17</lastmod></sitemap><sitemap><loc>/gone.xml</loc><lastmod>2026-03-16</lastmod></sitemap></sitemapindex>`,
		"/old.xml":           `<?xml version="1.0"?><urlset><url><loc>/n/0.html</loc><lastmod>2020-01-01</lastmod></url></urlset>`,
		"/new.gz":            z.String(),
		"/n/1.html":          webPage("灌区提前放水", webText),
		"/n/2.html":          `<html><body>请输入验证码</body></html>`,
		"/empty.xml":         `<?xml version="1.0"?><urlset></urlset>`,
	})
	g := s.client()
	src := Source{Key: "hyw", URL: s.URL + "/sitemap_index.xml"}
	f, err := Find(t.Context(), g, src, Want{Now: time.Date(2026, 3, 17, 12, 0, 0, 0, time.UTC)})
	if err != nil || f.Platform != "sitemap" || len(f.Editions) != 1 {
		t.Fatalf("%+v %v", f, err)
	}
	e := f.Editions[0]
	if e.Day != "" || !e.Partial || !strings.Contains(e.Problem, "gone.xml") || len(e.Refs) != 2 || e.Refs[0].URL != s.URL+"/n/1.html" {
		t.Fatalf("%+v", e)
	}
	p, err := Read(t.Context(), g, src, e.Refs[0])
	if err != nil || p.Headline != "灌区提前放水" || p.Body != webText || p.Day != "2026-03-17" || p.Dated.IsZero() {
		t.Errorf("%+v %v", p, err)
	}
	if _, err = Read(t.Context(), g, src, e.Refs[0]); !errors.Is(err, ErrUnchanged) {
		t.Errorf("again: %v", err)
	}
	var blocked *BlockedError
	if _, err = Read(t.Context(), g, src, e.Refs[1]); !errors.As(err, &blocked) {
		t.Errorf("a wall: %v", err)
	}
	var unknown *UnknownError
	if _, err = Find(t.Context(), g, Source{URL: s.URL + "/empty.xml"}, Want{}); !errors.As(err, &unknown) {
		t.Errorf("an empty one: %v", err)
	}
}

// A bomb is not inflated beyond the cap, and what cannot end does not.
// A saved .gz is read as what it holds.
func TestSavedSitemap(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(`<?xml version="1.0"?><urlset><url><loc>https://n.example/a/1.html</loc><lastmod>2026-03-17</lastmod></url></urlset>`))
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	body, _ := fetch.Decode(b.Bytes(), "")
	if p := Parse(Source{}, "https://n.example/sitemap.xml.gz", "", body); p.Kind != "feed" || len(p.Feed.Refs) != 1 || p.Feed.Refs[0].URL != "https://n.example/a/1.html" {
		t.Errorf("%+v", p)
	}
}

func TestSitemapHostile(t *testing.T) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	block := make([]byte, 1<<20)
	for range maxSitemap>>20 + 2 {
		_, _ = w.Write(block)
	}
	_ = w.Close()
	if got := inflated(z.Bytes()); got != nil {
		t.Errorf("a bomb became %d bytes", len(got))
	}
	many := "<urlset>" + strings.Repeat("<url><loc>http://a.example/1</loc></url>", maxSitemapURLs+5) + "</urlset>"
	if list, cut, err := readSitemap([]byte(many)); err != nil || !cut || len(list) != maxSitemapURLs {
		t.Errorf("%d entries, cut %v: %v", len(list), cut, err)
	}
	long := "<urlset><url><loc>http://a.example/" + strings.Repeat("a", 1<<20) + "</loc></url><url><loc>http://a.example/2</loc></url></urlset>"
	if list, _, err := readSitemap([]byte(long)); err != nil || len(list) > 2 {
		t.Errorf("%d entries: %v", len(list), err)
	}
	deep := "<urlset>" + strings.Repeat("<url>", 200_000)
	if list, _, _ := readSitemap([]byte(deep)); len(list) != 0 {
		t.Errorf("%d entries", len(list))
	}
}

func TestFullText(t *testing.T) {
	code := http.StatusOK
	page := webPage("灌区提前放水", webText)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/rss.xml":
			w.Header().Set("Content-Type", "text/xml")
			fmt.Fprint(w, `<rss version="2.0"><channel><title>河阳快讯</title><item><title>灌区提前放水</title><guid>1</guid><link>/n/1.html</link><pubDate>2026-03-17 08:00</pubDate><description>上游水库昨天开闸。</description></item></channel></rss>`)
		case "/n/1.html":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(code)
			fmt.Fprint(w, page)
		default:
			http.NotFound(w, r)
		}
	}))
	defer s.Close()
	g := fetch.New(fetch.Options{Pace: -1, Open: []string{strings.TrimPrefix(s.URL, "http://")}})
	src := Source{Key: "kx", URL: s.URL + "/rss.xml", FullText: true}
	f, err := Find(t.Context(), g, src, Want{})
	if err != nil {
		t.Fatal(err)
	}
	ref := f.Editions[0].Refs[0]
	p, err := Read(t.Context(), g, src, ref)
	if err != nil || p.Body != webText || p.Summary != "<p>上游水库昨天开闸。</p>" || p.Headline != "灌区提前放水" || p.Dated.IsZero() {
		t.Errorf("%+v %v", p, err)
	}
	src.FullText = false
	if p, err = Read(t.Context(), g, src, ref); err != nil || strings.Contains(p.Body, "管理处") {
		t.Errorf("not asked for: %+v %v", p, err)
	}
	src.FullText = true
	// Less than the feed's own, a wall, a page that is gone: the feed's text stays.
	for _, c := range []struct {
		code int
		page string
	}{
		{200, webPage("灌区提前放水", "<p>登录后阅读全文。</p>")},
		{200, `<html><body>请输入验证码</body></html>`},
		{200, "%PDF-1.4"},
		{200, ""},
		{404, "gone"},
		{403, "no"},
		{200, webPage("404 页面不存在", webText)},
	} {
		code, page = c.code, c.page
		if p, err = Read(t.Context(), g, src, ref); err != nil || p.Body != ref.Printed.Body {
			t.Errorf("%d %.30s: %+v %v", c.code, c.page, p, err)
		}
	}
	// What may pass is tried again.
	code = 502
	if _, err = Read(t.Context(), g, src, ref); err == nil {
		t.Error("a bad gateway passes for the whole text")
	}
}

func TestTitlesOfTheWeb(t *testing.T) {
	for in, want := range map[string]string{
		"灌区提前放水_要闻_河阳新闻网": "灌区提前放水_要闻", "灌区提前放水 - 河阳日报": "灌区提前放水", "A-B测试": "A-B测试", "灌区提前放水": "灌区提前放水",
	} {
		d := openDocument(resolve(mustURL("http://a.example/"), "/1.html"), "text/html", []byte(`<html><meta property="og:title" content="`+in+`"></html>`))
		if got := readMetadata(d).headline; got != want && got != strings.TrimSuffix(want, "_要闻") {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func FuzzSitemap(f *testing.F) {
	f.Add([]byte(`<urlset><url><loc>http://a.example/1</loc><lastmod>2026-01-01</lastmod><news:news><news:title>x</news:title></news:news></url></urlset>`))
	f.Add([]byte(`<html><script type="application/ld+json">{"@type":"NewsArticle","headline":"x"}</script><p>` + webText))
	f.Fuzz(func(t *testing.T, in []byte) {
		u := mustURL("http://a.example/s.xml")
		list, _, err := readSitemap(in)
		if err == nil {
			var e Edition
			e.take(list, Source{}, Want{}, u)
			for _, r := range e.Refs {
				if !strings.HasPrefix(r.URL, "http") || len(r.Origin) != 16 {
					t.Errorf("%+v", r)
				}
			}
		}
		if a, reason := webArticle(openDocument(u, "text/html", in), nil); a == nil && reason == "" {
			t.Error("no article, and no reason")
		}
	})
}

func mustURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}
