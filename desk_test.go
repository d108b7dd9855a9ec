package main

import (
	"bytes"
	"image/jpeg"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"paperwire/internal/papertest"
)

// The desk in the running program: nothing of it without the key, and with it an
// edition as posts, pictures that can be had, and what became of what was posted.
func TestDesk(t *testing.T) {
	stores(t, func(t *testing.T, dsn string) {
		p := publisher(t, papertest.Options{Key: "one", Pages: -1, Day: today(), NoValidators: true})
		p.Publish(today(), []papertest.Page{
			{Number: "01", Name: "要闻", Articles: []papertest.Article{
				{ID: "101", Headline: "温县菜园里种出了彩虹", Paragraphs: []string{"本报讯 温县的菜园里，一排排菜叶红的红、紫的紫，看的人一拨接一拨。"}},
			}},
			{Number: "02", Name: "民生", Articles: []papertest.Article{
				{ID: "102", Headline: "修武县的茶馆又开了门", Paragraphs: []string{"本报讯 修武县城的老茶馆歇了半年，这几天又烧起了水，茶客们都回来了。"}},
				{ID: "103", Headline: "博爱县竹林里的早市", Paragraphs: []string{"本报讯 博爱县的竹林边，天不亮就有人来赶早市，竹筐摆了一路。"}},
			}},
		})
		dir := t.TempDir()
		d := start(t, 0, "serve", "--config", configFor(t, dir, p), "--data", dir, "--store", dsn)
		id := func(n string) string { return "p1-" + today().Compact() + "-" + n }
		until(t, "the edition", func() bool { items, _ := d.feed("all"); return len(items) == 3 })
		see := func(path string, header ...string) *goquery.Document {
			t.Helper()
			doc, err := goquery.NewDocumentFromReader(bytes.NewReader(d.ok(path, header...).body))
			if err != nil {
				t.Fatal(err)
			}
			return doc
		}
		ids := func(doc *goquery.Document) (list []string) {
			doc.Find(".ready h3 a").Each(func(_ int, a *goquery.Selection) {
				list = append(list, strings.TrimPrefix(a.AttrOr("href", ""), "/a/"))
			})
			return list
		}
		withKey := []string{"Authorization", "Bearer test-key"}

		// In page order, and never out of the cache for anybody else.
		open := d.ok("/desk", withKey...)
		if got := strings.Join(ids(see("/desk", withKey...)), " "); got != id("101")+" "+id("102")+" "+id("103") {
			t.Errorf("at the desk: %s", got)
		}
		if got := open.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("Cache-Control %q", got)
		}
		paths := []string{"/desk", "/desk?platform=x", "/desk?article=" + id("101"), "/desk?paper=p1&day=" + string(today())}
		for _, path := range paths {
			d.ok(path, withKey...)
			for _, header := range [][]string{nil, {"Authorization", "Bearer wrong"}, {"If-None-Match", open.Header.Get("ETag")}, {"Cookie", "paperwire_desk=1.2"}, {"Accept-Encoding", "br"}} {
				a := d.get(path, header...)
				if a.StatusCode != http.StatusUnauthorized || bytes.Contains(a.body, []byte("彩虹")) || bytes.Contains(a.body, []byte("报1")) {
					t.Errorf("%s with %q: %s\n%s", path, header, a.Status, tail(string(a.body), 500))
				}
			}
		}

		// Signing in as a browser does, and what else the session opens: nothing.
		form := func(path string, values url.Values, header ...string) answer {
			t.Helper()
			return d.send("POST", path, values.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)...)
		}
		if a := form("/desk", url.Values{"key": {"wrong"}}); a.StatusCode != http.StatusUnauthorized || len(a.Cookies()) != 0 {
			t.Errorf("a wrong key: %s %v", a.Status, a.Cookies())
		}
		if a := form("/desk", url.Values{"key": {"test-key"}}, "Origin", "https://elsewhere.example.org"); a.StatusCode != http.StatusForbidden {
			t.Errorf("the form of another site: %s", a.Status)
		}
		a := form("/desk?platform=x", url.Values{"key": {"test-key"}}, "Origin", "http://paperwire.test")
		if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/desk?platform=x" || len(a.Cookies()) != 1 {
			t.Fatalf("signing in: %s %v", a.Status, a.Header)
		}
		session := []string{"Cookie", a.Cookies()[0].Name + "=" + a.Cookies()[0].Value}
		for _, path := range []string{"/debug/pprof/", "/api/v1/webhooks", "/api/v1/articles/" + id("101") + "/decisions"} {
			if a := d.get(path, session...); a.StatusCode != http.StatusUnauthorized {
				t.Errorf("the session opens %s: %s", path, a.Status)
			}
		}

		// Filters, and pictures under the addresses that are shown.
		doc := see("/desk?platform=wecom&district=410821", session...)
		if got := ids(doc); len(got) != 1 || got[0] != id("102") {
			t.Errorf("of 修武县: %v", got)
		}
		picture := doc.Find(".ready a[download]").AttrOr("href", "")
		if img, err := jpeg.DecodeConfig(bytes.NewReader(d.ok(picture).body)); err != nil || img.Width != 1068 || img.Height != 455 {
			t.Errorf("%s: %v %+v", picture, err, img)
		}
		if got := ids(see("/desk?section=yaowen", session...)); len(got) != 1 || got[0] != id("101") {
			t.Errorf("of 要闻: %v", got)
		}

		// What changed stands above; the address kept from before shows what is new.
		later := see("/desk", session...).Find("main > .line a").Last().AttrOr("href", "")
		if got := ids(see(later, session...)); len(got) != 0 {
			t.Errorf("new at %s: %v", later, got)
		}
		p.Correct("101", func(a *papertest.Article) { a.Headline = "温县菜园里种出了三色彩虹" })
		d.operate("POST", "/api/v1/articles/"+id("102")+"/decisions", `{"action":"withdraw","who":"值班编辑","why":"来电"}`, http.StatusOK, nil)
		p.AddLate(today(), "02", papertest.Article{Headline: "晚到的一条", Paragraphs: []string{"本报讯 这一条在付印之后才到，发帖的人要看得见它，才不会漏发。"}})
		until(t, "all of it at the desk", func() bool { return see(later, session...).Find(".changed li, .ready").Length() == 3 })
		doc = see(later, session...)
		text := doc.Find(".changed").Text()
		if !strings.Contains(text, "温县菜园里种出了三色彩虹") || !strings.Contains(text, "/a/"+id("102")) || strings.Contains(text, "茶馆") || strings.Contains(text, "值班编辑") {
			t.Errorf("what changed: %s", text)
		}
		if got := doc.Find(".ready h3").Text(); got != "晚到的一条" {
			t.Errorf("what is new: %q", got)
		}
		if log := d.log.String(); strings.Contains(log, "test-key") || strings.Contains(log, a.Cookies()[0].Value) {
			t.Error("the log holds the key or a session")
		}
	})
}
