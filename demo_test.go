package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"image"
	_ "image/jpeg"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/andybalholm/brotli"

	"paperwire/internal/paper"
)

// The demo paper: 34 pieces are printed, and one of them, a guide to the other
// pages (导读), is withheld.
const (
	demoPieces   = 34
	demoArticles = 33
)

var demoDays = []paper.Day{"2026-03-17", "2026-03-18"}

// demoDaemon serves the embedded configuration from an empty data directory
// until the demo paper is released as a whole.
func demoDaemon(t testing.TB, args ...string) *daemon {
	t.Helper()
	d := start(t, 0, append([]string{"serve", "--data", t.TempDir(), "--listen", "127.0.0.1:0"}, args...)...)
	until(t, "the demo paper", func() bool { f, _ := d.feed("all"); return len(f) == demoArticles })
	return d
}

// local turns a URL of the daemon's own into a path, and tells whether it is one.
func (d *daemon) local(raw string) (string, bool) {
	u, err := url.Parse(raw)
	if err != nil {
		d.t.Errorf("link %q: %v", raw, err)
		return "", false
	}
	at, _ := url.Parse(d.url)
	if u.Host != "" && (u.Hostname() != "localhost" || u.Port() != at.Port()) {
		return "", false
	}
	return u.RequestURI(), true
}

// ok gets what must be there.
func (d *daemon) ok(path string, header ...string) answer {
	d.t.Helper()
	a := d.get(path, header...)
	if a.StatusCode != http.StatusOK {
		d.t.Errorf("%s: %s: %s", path, a.Status, tail(string(a.body), 300))
	}
	return a
}

// item is what the demo's articles are held to.
type demoItem struct {
	entry
	Authors []struct{ Name string }
	Image   string
	Tags    []string
	Files   []struct {
		URL  string `json:"url"`
		Type string `json:"mime_type"`
		Size int    `json:"size_in_bytes"`
	} `json:"attachments"`
	Own struct {
		ID, Paper, Day, Page, Kicker, Subtitle, Origin, Share, State string
		PageName                                                     string `json:"page_name"`
		Position                                                     int
		Sections                                                     []paper.Section
		Districts                                                    []struct{ Code, Name string }
	} `json:"_paperwire"`
}

func (d *daemon) demoItems(scope string) []demoItem {
	d.t.Helper()
	var f struct{ Items []demoItem }
	if err := json.Unmarshal(d.ok("/feeds/"+scope+".json?limit=200").body, &f); err != nil {
		d.t.Fatal(err)
	}
	return f.Items
}

// What a fresh clone serves.
func TestDemo(t *testing.T) {
	d := demoDaemon(t)
	items := d.demoItems("all")
	byID := map[string]demoItem{}
	for _, i := range items {
		byID[i.Own.ID] = i
	}

	t.Run("editions", func(t *testing.T) {
		perDay, perPage, kickers, subtitles, pictures := map[string]int{}, map[string]int{}, 0, 0, 0
		for n, i := range items {
			perDay[i.Own.Day]++
			perPage[i.Own.Day+" "+i.Own.Page]++
			if i.Own.Kicker != "" {
				kickers++
			}
			if i.Own.Subtitle != "" {
				subtitles++
			}
			pictures += len(i.Files)
			if i.Title == "" || i.HTML == "" || len(i.Authors) == 0 || len(i.Own.Sections) == 0 || i.Own.Paper != "demo" || i.Own.State != "live" {
				t.Errorf("incomplete: %+v", i)
			}
			// Newest first reads like the paper: days backwards, pages and positions forwards.
			if n > 0 && items[n-1].Own.Day == i.Own.Day && fmt.Sprint(items[n-1].Own.Page, 100+items[n-1].Own.Position) >= fmt.Sprint(i.Own.Page, 100+i.Own.Position) {
				t.Errorf("%s stands after %s", i.Own.ID, items[n-1].Own.ID)
			}
			// History is dated by its own day, 06:00 in the paper's zone less its position.
			published, err := time.Parse(time.RFC3339, i.Published)
			if dawn := paper.Day(i.Own.Day).In(paper.Shanghai).Add(6 * time.Hour); err != nil || published.After(dawn) || published.Before(dawn.Add(-time.Minute)) {
				t.Errorf("%s is dated %s", i.Own.ID, i.Published)
			}
		}
		if len(perDay) != 2 || len(perPage) != 8 || perDay["2026-03-17"]+perDay["2026-03-18"] != demoArticles {
			t.Errorf("not two editions of four pages: %v %v", perDay, perPage)
		}
		if kickers < 3 || subtitles < 3 || pictures < 10 {
			t.Errorf("%d kickers, %d subtitles, %d pictures", kickers, subtitles, pictures)
		}
		if _, ok := byID["demo-20260317-512005"]; ok {
			t.Error("the guide to other pages is released as an article")
		}
	})

	t.Run("text", func(t *testing.T) {
		if i := byID["demo-20260317-512010"]; !strings.Contains(i.Title, "㳇滩村") || !strings.Contains(i.HTML, "㳇") {
			t.Errorf("the four-byte character of the GB18030 page: %q", i.Title)
		}
		ids, positions := map[string]bool{}, map[int]bool{}
		for _, i := range items {
			if strings.HasPrefix(i.Title, "图片新闻：") {
				ids[i.ID], positions[i.Own.Position] = true, true
				if i.Own.Day != "2026-03-17" || i.Own.Page != "04" || i.Own.PageName != "焦作/温县·马村区" {
					t.Errorf("图片新闻 stands on %s %s %s", i.Own.Day, i.Own.Page, i.Own.PageName)
				}
			}
			if strings.ContainsRune(i.Title+i.HTML, '\uFFFD') {
				t.Errorf("%s has lost a character", i.Own.ID)
			}
		}
		if len(ids) != 2 || len(positions) != 2 {
			t.Errorf("%d ids for two articles headed 图片新闻", len(ids))
		}
	})

	t.Run("bylines", func(t *testing.T) {
		names := map[string]string{ // the last person of some article each
			"demo-20260318-512031": "林知远 阮怀瑾 水云舟",
			"demo-20260317-512010": "潘怀瑾 阿依努尔·买买提",
			"demo-20260317-512018": "司马云舟",
			"demo-20260317-512011": "欧阳青禾",
			"demo-20260317-512007": "邹砚秋 彭云舟 柳田 谢雨桐 章望舒",
		}
		for id, want := range names {
			var have []string
			for _, a := range byID[id].Authors {
				have = append(have, a.Name)
			}
			if got := strings.Join(have, " "); got != want {
				t.Errorf("%s is by %q, want %q", id, got, want)
			}
		}
		roles := map[string]int{}
		var list struct {
			Articles []struct{ Byline []paper.Person }
		}
		if err := json.Unmarshal(d.ok("/api/v1/articles?limit=200").body, &list); err != nil {
			t.Fatal(err)
		}
		for _, a := range list.Articles {
			for _, p := range a.Byline {
				roles[string(p.Role)]++
			}
		}
		for _, role := range []string{"reporter", "correspondent", "intern", "photographer", "author"} {
			if roles[role] == 0 {
				t.Errorf("nobody is %s: %v", role, roles)
			}
		}
	})

	t.Run("districts", func(t *testing.T) {
		for code, name := range map[string]string{
			"410802": "解放区", "410803": "中站区", "410804": "马村区", "410811": "山阳区", "410821": "修武县",
			"410822": "博爱县", "410823": "武陟县", "410825": "温县", "410882": "沁阳市", "410883": "孟州市",
		} {
			f := d.demoItems("district/" + code)
			if len(f) == 0 {
				t.Errorf("%s has nothing", name)
			}
			for _, i := range f {
				if !slices.ContainsFunc(i.Own.Districts, func(x struct{ Code, Name string }) bool { return x.Code == code && x.Name == name }) {
					t.Errorf("%s in the feed of %s is filed under %v", i.Own.ID, name, i.Own.Districts)
				}
			}
		}
		// The city covers all of it; an article about another province is not in it.
		if n := len(d.demoItems("district/410800")); n < 24 || n >= demoArticles {
			t.Errorf("the city has %d of %d articles", n, demoArticles)
		}
		if i := byID["demo-20260317-512013"]; len(i.Own.Districts) > 0 && strings.HasPrefix(i.Own.Districts[0].Code, "4108") {
			t.Errorf("柳州 is filed under %v", i.Own.Districts)
		}
	})

	t.Run("everything answers", func(t *testing.T) {
		types := map[string]string{
			"/feeds/all.rss":                             "application/rss+xml; charset=utf-8",
			"/feeds/district/410825.atom":                "application/atom+xml; charset=utf-8",
			"/feeds/section/yaowen.json":                 "application/feed+json; charset=utf-8",
			"/feeds/paper/demo/district/410803.rss":      "application/rss+xml; charset=utf-8",
			"/feeds/section/yaowen/-district/410825.rss": "application/rss+xml; charset=utf-8",
			"/feeds/status.atom":                         "application/atom+xml; charset=utf-8",
			"/feeds.opml":                                "text/x-opml; charset=utf-8",
			"/feeds/paper/demo.opml":                     "text/x-opml; charset=utf-8",
			"/sitemap-news.xml":                          "application/xml; charset=utf-8",
			"/sitemap.xml":                               "application/xml; charset=utf-8",
			"/robots.txt":                                "text/plain; charset=utf-8",
			"/favicon.ico":                               "image/x-icon",
			"/":                                          "text/html; charset=utf-8",
			"/all":                                       "text/html; charset=utf-8",
			"/status":                                    "text/html; charset=utf-8",
			"/editions/demo/2026-03-17":                  "text/html; charset=utf-8",
			"/api/openapi.json":                          "application/openapi+json",
			"/api/v1/articles":                           "application/json",
			"/api/v1/scopes":                             "application/json",
			"/api/v1/sources":                            "application/json",
			"/healthz":                                   "text/plain; charset=utf-8",
			"/readyz":                                    "text/plain; charset=utf-8",
			"/metrics":                                   "",
			"/a/demo-20260318-512031/card.json":          "application/json",
		}
		for path, want := range types {
			a := d.ok(path)
			if got := a.Header.Get("Content-Type"); want != "" && got != want {
				t.Errorf("%s is %s, want %s", path, got, want)
			}
			if len(a.body) == 0 {
				t.Errorf("%s is empty", path)
			}
		}
		for path, want := range map[string]string{
			"/feeds/district/410825.atom":           "温县一山药种苗基地建成",
			"/feeds/section/yaowen.json":            "我市小麦春灌全面展开",
			"/feeds/paper/demo/district/410803.rss": "中站区一家小厂的“毫米之争”",
			"/":                                     "示例日报",
			"/status":                               "示例日报",
			"/feeds.opml":                           "/feeds/district/410825.rss",
			"/sitemap-news.xml":                     "/a/demo-20260318-512031",
			"/api/v1/articles":                      "demo-20260318-512031",
			"/robots.txt":                           "/sitemap-news.xml",
			"/metrics":                              `paperwire_source_up{paper="demo",source="demo"} 1`,
		} {
			if a := d.get(path); !strings.Contains(string(a.body), want) {
				t.Errorf("%s does not hold %s", path, want)
			}
		}
		for _, i := range items {
			a := d.ok("/a/" + i.Own.ID)
			if !bytes.Contains(a.body, []byte(i.Own.Origin)) {
				t.Errorf("%s does not name its origin", i.Own.ID)
			}
			d.ok("/a/" + i.Own.ID + "/card.json")
			for _, f := range i.Files {
				path, ours := d.local(f.URL)
				if !ours {
					t.Errorf("the demo's picture is elsewhere: %s", f.URL)
					continue
				}
				a := d.ok(path)
				if a.Header.Get("Content-Type") != f.Type || len(a.body) != f.Size {
					t.Errorf("%s: %s of %d bytes, told %s of %d", f.URL, a.Header.Get("Content-Type"), len(a.body), f.Type, f.Size)
				}
				if c, _, err := image.DecodeConfig(bytes.NewReader(a.body)); err != nil || c.Width < 200 {
					t.Errorf("%s is no picture: %v", f.URL, err)
				}
			}
		}
		for _, day := range demoDays {
			a := d.ok("/editions/demo/" + string(day))
			for _, i := range items {
				if has := bytes.Contains(a.body, []byte("/a/"+i.Own.ID+`"`)); has != (i.Own.Day == string(day)) {
					t.Errorf("edition %s, article %s: listed is %v", day, i.Own.ID, has)
				}
			}
		}
	})

	// No page leads nowhere: every link, picture, style, script and feed that a
	// page of ours names answers 200, perhaps after one redirect.
	t.Run("links", func(t *testing.T) {
		seen, queue, pages, pictures := map[string]bool{"/": true}, []string{"/", "/all", "/status"}, 0, 0
		for len(queue) > 0 {
			path := queue[0]
			queue = queue[1:]
			a := d.get(path)
			if a.StatusCode == http.StatusPermanentRedirect {
				next, _ := d.local(a.Header.Get("Location"))
				a = d.get(next)
			}
			if a.StatusCode != http.StatusOK {
				t.Errorf("%s, which a page names: %s", path, a.Status)
				continue
			}
			if strings.HasPrefix(path, "/demo/") || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
				continue // the publisher's own pages are not ours to mend
			}
			pages++
			at, err := url.Parse(path)
			if err != nil {
				t.Fatal(err)
			}
			doc, err := goquery.NewDocumentFromReader(bytes.NewReader(a.body))
			if err != nil {
				t.Fatal(err)
			}
			if doc.Find("h1").Length() != 1 || doc.Find("html[lang]").Length() != 1 || doc.Find("title").Text() == "" {
				t.Errorf("%s: one h1, a language and a title: %d, %q", path, doc.Find("h1").Length(), doc.Find("title").Text())
			}
			// The status page's feed is the sources' health, in Atom.
			if doc.Find(`link[rel=alternate][type="application/rss+xml"], link[rel=alternate][href$="/feeds/status.atom"]`).Length() == 0 {
				t.Errorf("%s: no autodiscovery link", path)
			}
			pictures += doc.Find("img").Length()
			doc.Find("img").Each(func(_ int, s *goquery.Selection) {
				if _, ok := s.Attr("alt"); !ok {
					t.Errorf("%s: picture without alt", path)
				}
			})
			doc.Find("[href], [src]").Each(func(_ int, s *goquery.Selection) {
				for _, name := range []string{"href", "src"} {
					link, ok := s.Attr(name)
					if !ok || strings.HasPrefix(link, "#") {
						continue
					}
					ref, err := at.Parse(link)
					if err != nil {
						t.Errorf("%s: link %q: %v", path, link, err)
						continue
					}
					if to, ours := d.local(ref.String()); ours && !seen[to] && ref.Scheme != "mailto" {
						seen[to] = true
						queue = append(queue, to)
					}
				}
			})
			if len(seen) > 3000 {
				t.Fatal("links without end")
			}
		}
		if pages < demoArticles+20 || pictures < 20 {
			t.Errorf("%d pages with %d pictures were reached", pages, pictures)
		}
		t.Logf("%d addresses, %d pages", len(seen), pages)
	})
}

// What the contract says about HTTP, on a real connection.
func TestDemoHTTP(t *testing.T) {
	d := demoDaemon(t)

	t.Run("redirects", func(t *testing.T) {
		for from, to := range map[string]string{
			"/feeds/district/温县.rss":                           "/feeds/district/410825.rss",
			"/feeds/district/wenxian.atom":                     "/feeds/district/410825.atom",
			"/feeds/district/410825,410803.rss":                "/feeds/district/410803,410825.rss",
			"/feeds/district/410803,410803.json?limit=3":       "/feeds/district/410803.json?limit=3",
			"/feeds/section/yaowen/district/410825,410803.rss": "/feeds/section/yaowen/district/410803,410825.rss",
			"/feeds/paper/demo/page/a01.rss":                   "/feeds/paper/demo/page/A01.rss",
			"/district/温县":                                     "/district/410825",
		} {
			u := (&url.URL{Path: strings.SplitN(from, "?", 2)[0]}).EscapedPath()
			if _, q, ok := strings.Cut(from, "?"); ok {
				u += "?" + q
			}
			a := d.get(u)
			got, _ := d.local(a.Header.Get("Location"))
			if a.StatusCode != http.StatusPermanentRedirect || got != to {
				t.Errorf("%s: %d to %q, want 308 to %s", from, a.StatusCode, got, to)
			}
		}
	})

	t.Run("problems", func(t *testing.T) {
		nine := "410802,410803,410804,410811,410821,410822,410823,410825,410882"
		for path, want := range map[string]struct {
			status int
			says   string
		}{
			"/feeds/section/yaowan.rss":            {404, "/feeds/section/yaowen.rss"},
			"/feeds/paper/dema.rss":                {404, "/feeds/paper/demo.rss"},
			"/feeds/district/410899.rss":           {404, "/feeds/district/4108"},
			"/feeds/district/" + nine + ".rss":     {400, "8"},
			"/feeds/section/yaowen/paper/demo.rss": {400, "order"},
			"/feeds/page/01.rss":                   {400, "paper"},
			"/feeds/all.rss?limit=201":             {400, "200"},
			"/feeds/all.rss?limit=0":               {400, "200"},
			"/feeds/all.opus":                      {404, ".rss"},
			"/api/v1/nothing":                      {404, "openapi.json"},
			"/api/v1/articles/demo-20260318-1":     {404, ""},
		} {
			a := d.get(path)
			var p struct {
				Title, Detail string
				Status        int
			}
			err := json.Unmarshal(a.body, &p)
			if a.StatusCode != want.status || a.Header.Get("Content-Type") != "application/problem+json" || err != nil || p.Status != want.status || !strings.Contains(p.Detail, want.says) {
				t.Errorf("%s: %d %s %q", path, a.StatusCode, a.Header.Get("Content-Type"), a.body)
			}
		}
		// Eight are allowed.
		d.ok("/feeds/district/" + nine[:len(nine)-7] + ".rss")
		// People get a page.
		for _, path := range []string{"/a/nothing", "/section/yaowan", "/nothing", "/editions/demo/2026-03-16"} {
			if a := d.get(path, "Accept", "text/html"); a.StatusCode != http.StatusNotFound || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
				t.Errorf("%s: %d %s", path, a.StatusCode, a.Header.Get("Content-Type"))
			}
		}
		req, _ := http.NewRequestWithContext(t.Context(), "POST", d.url+"/feeds/all.rss", nil)
		resp, err := plainClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") == "" {
			t.Errorf("POST: %s, Allow %q", resp.Status, resp.Header.Get("Allow"))
		}
	})

	t.Run("validators", func(t *testing.T) {
		until(t, "the end of the first look", func() bool { return d.get("/feeds/all.rss").Header.Get("Paperwire-Checked") != "" })
		tags := map[string]string{}
		for _, ext := range []string{"rss", "atom", "json"} {
			path := "/feeds/all." + ext
			plain := d.ok(path)
			for _, enc := range []string{"identity", "gzip", "br"} {
				a := d.ok(path, "Accept-Encoding", enc)
				tag := a.Header.Get("ETag")
				if tags[tag] != "" || tag == "" || strings.HasPrefix(tag, "W/") {
					t.Errorf("%s as %s has the ETag %q of %q", path, enc, tag, tags[tag])
				}
				tags[tag] = path + " " + enc
				if !strings.Contains(a.Header.Get("Vary"), "Accept-Encoding") {
					t.Errorf("%s: Vary %q", path, a.Header.Get("Vary"))
				}
				if !bytes.Equal(unpack(t, a), plain.body) {
					t.Errorf("%s as %s is another document", path, enc)
				}
				if a.Header.Get("Access-Control-Allow-Origin") != "*" {
					t.Errorf("%s: no CORS", path)
				}
				if !strings.Contains(a.Header.Get("Cache-Control"), "max-age=") || a.Header.Get("Paperwire-Checked") == "" {
					t.Errorf("%s: %v", path, a.Header)
				}
				for name, header := range map[string][]string{
					"If-None-Match":         {"If-None-Match", tag},
					"a weak one in a list":  {"If-None-Match", `"other", W/` + tag},
					"any":                   {"If-None-Match", "*"},
					"If-Modified-Since":     {"If-Modified-Since", a.Header.Get("Last-Modified")},
					"a tag before its date": {"If-None-Match", tag, "If-Modified-Since", "Mon, 01 Jan 2001 00:00:00 GMT"},
				} {
					b := d.get(path, append(header, "Accept-Encoding", enc)...)
					if b.StatusCode != http.StatusNotModified || len(b.body) > 0 || b.Header.Get("ETag") != tag {
						t.Errorf("%s as %s, %s: %d, %d bytes, ETag %q", path, enc, name, b.StatusCode, len(b.body), b.Header.Get("ETag"))
					}
				}
				for name, header := range map[string][]string{
					"another tag":           {"If-None-Match", `"other"`},
					"a tag and a late date": {"If-None-Match", `"other"`, "If-Modified-Since", "Tue, 01 Jan 2069 00:00:00 GMT"},
					"an early date":         {"If-Modified-Since", "Mon, 01 Jan 2001 00:00:00 GMT"},
					"a broken date":         {"If-Modified-Since", "yesterday"},
				} {
					if b := d.get(path, append(header, "Accept-Encoding", enc)...); b.StatusCode != http.StatusOK {
						t.Errorf("%s as %s, %s: %d", path, enc, name, b.StatusCode)
					}
				}
			}
			req, _ := http.NewRequestWithContext(t.Context(), "HEAD", d.url+path, nil)
			resp, err := plainClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			b, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK || len(b) > 0 || resp.ContentLength != int64(len(plain.body)) || resp.Header.Get("ETag") != plain.Header.Get("ETag") {
				t.Errorf("HEAD %s: %s, %d bytes, length %d, ETag %q", path, resp.Status, len(b), resp.ContentLength, resp.Header.Get("ETag"))
			}
		}
		for _, tag := range slices.Sorted(maps.Keys(tags)) {
			if len(tag) < 10 {
				t.Errorf("ETag %s is too short to be a hash", tag)
			}
		}
	})

	t.Run("CORS", func(t *testing.T) {
		req, _ := http.NewRequestWithContext(t.Context(), "OPTIONS", d.url+"/feeds/all.json", nil)
		req.Header.Set("Origin", "https://partner.example")
		req.Header.Set("Access-Control-Request-Method", "GET")
		resp, err := plainClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode >= 300 || resp.Header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(resp.Header.Get("Access-Control-Allow-Methods"), "GET") {
			t.Errorf("preflight: %s %v", resp.Status, resp.Header)
		}
		if a := d.get("/feeds/all.json", "Origin", "https://partner.example"); !strings.Contains(a.Header.Get("Access-Control-Expose-Headers"), "ETag") {
			t.Errorf("a script cannot see the ETag: %v", a.Header)
		}
	})
}

func unpack(t testing.TB, a answer) []byte {
	t.Helper()
	var r io.Reader = bytes.NewReader(a.body)
	switch enc := a.Header.Get("Content-Encoding"); enc {
	case "":
	case "gzip":
		z, err := gzip.NewReader(r)
		if err != nil {
			t.Fatal(err)
		}
		r = z
	case "br":
		r = brotli.NewReader(r)
	default:
		t.Fatalf("Content-Encoding %s", enc)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
