package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"paperwire/internal/paper"
	"paperwire/internal/papertest"
)

// post sends JSON with a key, "" for none.
func (d *daemon) post(path, key, body string) answer {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.url+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return answer{resp, b}
}

// holds reports whether a feed holds an article, and how it is titled there.
func (d *daemon) holds(scope, id string) (title string, ok bool) {
	items, _ := d.feed(scope)
	for _, i := range items {
		if i.Ours.ID == id {
			return i.Title, true
		}
	}
	return "", false
}

// TestEditor: an editor refiles, withdraws, restores and holds by command and by
// API beside a running serve. What was decided stays through later looks, moves
// neither published nor updated, and a re-filed article goes on telling of its
// corrections where it was.
func TestEditor(t *testing.T) {
	stores(t, func(t *testing.T, dsn string) {
		p := publisher(t, papertest.Options{Key: "one", Pages: -1, Day: today(), NoValidators: true})
		p.Publish(today(), []papertest.Page{{Number: "02", Name: "民生", Articles: []papertest.Article{
			{ID: "101", Headline: "温县菜园里种出了彩虹", Paragraphs: []string{"本报讯 温县的菜园里，一排排菜叶红的红、紫的紫，看的人一拨接一拨。"}},
			{ID: "102", Headline: "修武县的茶馆又开了门", Paragraphs: []string{"本报讯 修武县城的老茶馆歇了半年，这几天又烧起了水，茶客们都回来了。"}},
			{ID: "103", Headline: "博爱县竹林里的早市", Paragraphs: []string{"本报讯 博爱县的竹林边，天不亮就有人来赶早市，竹筐摆了一路。"}},
		}}})
		dir := t.TempDir()
		file := configFor(t, dir, p)
		d := start(t, 0, "serve", "--config", file, "--data", dir, "--store", dsn)
		id := func(n string) string { return "p1-" + today().Compact() + "-" + n }
		until(t, "the edition", func() bool { items, _ := d.feed("all"); return len(items) == 3 })
		hand := func(args ...string) string {
			t.Helper()
			out, errs, code := paperwireRun(t.Context(), append(args, "--config", file, "--data", dir, "--store", dsn)...)
			if code != 0 {
				t.Fatalf("%v: exit %d\n%s%s", args, code, out, errs)
			}
			return out
		}
		first, _ := d.feed("all")

		// By command: from one district to two others, and to another section.
		out := hand("refile", id("101"), "--district", "武陟,410883", "--section", "zhuanti=专题", "--why", "读者来信", "--who", "值班编辑")
		for _, want := range []string{"- district/410825", "+ district/410823", "+ district/410883", "+ section/zhuanti"} {
			if !strings.Contains(out, want) {
				t.Errorf("refile does not tell %q:\n%s", want, out)
			}
		}
		until(t, "the refiling", func() bool { _, ok := d.holds("district/410823", id("101")); return ok })
		for scope, want := range map[string]bool{"district/410825": false, "district/410883": true, "section/zhuanti": true, "district/410800": true, "all": true} {
			if _, ok := d.holds(scope, id("101")); ok != want {
				t.Errorf("after the refiling %s holds it: %t", scope, ok)
			}
		}
		after, _ := d.feed("all")
		for n, e := range after {
			if e.Published != first[n].Published || e.Modified != first[n].Modified || e.ID != first[n].ID {
				t.Errorf("a refiling moved %+v to %+v", first[n], e)
			}
		}
		if shown := hand("refile", id("101")); !strings.Contains(shown, "editor") || !strings.Contains(shown, "值班编辑") || !strings.Contains(shown, "读者来信") {
			t.Errorf("how it is filed:\n%s", shown)
		}
		if a := d.ok("/api/v1/articles/" + id("101")); !bytes.Contains(a.body, []byte(`"editor"`)) || bytes.Contains(a.body, []byte("值班编辑")) {
			t.Errorf("the API on it: %s", a.body)
		}

		// A correction: it stays where the editor put it, and is told where it was.
		p.Correct("101", func(a *papertest.Article) { a.Headline = "温县菜园里种出了三色彩虹" })
		until(t, "the correction", func() bool {
			title, _ := d.holds("district/410823", id("101"))
			return strings.Contains(title, "三色")
		})
		if title, ok := d.holds("district/410825", id("101")); !ok || !strings.Contains(title, "三色") {
			t.Error("温县's feed, which had it, does not tell of its correction")
		}

		// Withdrawn by a call: the publisher has it all the while, and it stays out.
		hand("withdraw", id("102"), "--why", "来电")
		until(t, "the withdrawal", func() bool { a := d.get("/a/" + id("102")); return a.StatusCode == http.StatusGone })
		p.Correct("102", func(a *papertest.Article) { a.Headline = "修武县的茶馆又开门了" })
		time.Sleep(2500 * time.Millisecond) // two looks
		if a := d.get("/a/" + id("102")); a.StatusCode != http.StatusGone {
			t.Errorf("the publisher's page brought back what was withdrawn: %s", a.Status)
		}
		hand("restore", id("102"))
		until(t, "the restoration", func() bool { a := d.get("/a/" + id("102")); return a.StatusCode == http.StatusOK })
		if _, ok := d.holds("district/410821", id("102")); !ok {
			t.Error("restored, and in no feed")
		}

		// By API: with the key only, and in words where it cannot be.
		path := "/api/v1/articles/" + id("103") + "/decisions"
		for _, key := range []string{"", "wrong"} {
			if a := d.post(path, key, `{"action":"withdraw"}`); a.StatusCode != http.StatusUnauthorized {
				t.Errorf("key %q: %s", key, a.Status)
			}
		}
		for body, want := range map[string]int{
			`{"action":"refile","districts":["city"],"why":"全市"}`: 200, `{"action":"refile"}`: 409, `{"action":"burn"}`: 400, `{"action":"hold"}`: 409, `not JSON`: 400,
			`{"action":"refile","districts":["亚特兰蒂斯"]}`: 409, `{"action":"refile","sections":["no-such"]}`: 409, `{"action":"refile","districts":["410800"]}`: 409, `{"action":"restore"}`: 409,
		} {
			if a := d.post(path, "test-key", body); a.StatusCode != want || !strings.Contains(a.Header.Get("Content-Type"), "json") {
				t.Errorf("%s: %s %s", body, a.Status, a.body)
			}
		}
		if a := d.post("/api/v1/articles/p1-20000101-1/decisions", "test-key", `{"action":"withdraw"}`); a.StatusCode != http.StatusNotFound {
			t.Errorf("no such article: %s", a.Status)
		}
		if a := d.post("/api/v1/articles", "test-key", `{}`); a.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("post elsewhere: %s", a.Status)
		}
		until(t, "city-wide", func() bool {
			_, there := d.holds("district/410800", id("103"))
			_, here := d.holds("district/410822", id("103"))
			return there && !here
		})
		if a := d.get(path); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("the log without a key: %s", a.Status)
		}
		var log struct{ Decisions []paper.Decision }
		if a := d.get(path, "Paperwire-Key", "test-key"); json.Unmarshal(a.body, &log) != nil || len(log.Decisions) != 1 || log.Decisions[0].Why != "全市" || log.Decisions[0].Who != "operator" || log.Decisions[0].At.IsZero() {
			t.Errorf("the log: %s", a.body)
		}

		// What the rules say again: 410822 comes back; what rules changed since, reindex moves.
		hand("refile", id("103"), "--district", "rules")
		until(t, "the rules again", func() bool { _, ok := d.holds("district/410822", id("103")); return ok })
		if out := hand("reindex"); !strings.Contains(out, "3 articles, 0 moved") {
			t.Errorf("reindex without a change of rules: %s", out)
		}
	})
}

// TestHold: what is held before its release leaves no trace until it is restored.
func TestHold(t *testing.T) {
	p := publisher(t, papertest.Options{Key: "one", Day: today(), Pages: 1, ArticlesPerPage: 3})
	dir := t.TempDir()
	file := configFor(t, dir, p)
	rewrite(t, file, "every: 1s", "every: 1s, hold: 4s")
	d := start(t, 0, "serve", "--config", file, "--data", dir)
	article := "p1-" + today().Compact() + "-" + p.Articles(today())[1].ID
	hand := func(args ...string) (string, int) {
		out, errs, code := paperwireRun(t.Context(), append(args, "--config", file, "--data", dir)...)
		return out + errs, code
	}
	until(t, "the article to be read and held", func() bool { _, code := hand("hold", article, "--why", "电话"); return code == 0 })
	until(t, "the others", func() bool { items, _ := d.feed("all"); return len(items) == 2 })
	time.Sleep(2 * time.Second)
	for _, path := range []string{"/a/" + article, "/a/" + article + "/card.json", "/api/v1/articles/" + article} {
		if a := d.get(path); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s of what is held: %s", path, a.Status)
		}
	}
	for _, path := range []string{"/feeds/all.rss", "/feeds/all.json", "/sitemap.xml", "/sitemap-pages.xml", "/sitemap-" + string(today()[:7]) + ".xml", "/sitemap-news.xml", "/", "/all", "/feeds.opml", "/api/v1/articles", "/api/v1/scopes", "/api/v1/editions/p1/" + string(today()), "/p1/" + string(today())} {
		if a := d.get(path); bytes.Contains(a.body, []byte(article)) || bytes.Contains(a.body, []byte(p.Articles(today())[1].Headline)) {
			t.Errorf("%s tells of what is held", path)
		}
	}
	if out, code := hand("hold", "p1-"+today().Compact()+"-"+p.Articles(today())[0].ID); code != 2 || !strings.Contains(out, "withdraw it instead") {
		t.Errorf("hold of what is out: %d %s", code, out)
	}
	if out, code := hand("restore", article); code != 0 {
		t.Errorf("restore: %s", out)
	}
	until(t, "what was held", func() bool { _, ok := d.holds("all", article); return ok })
}

// TestReindex: after the rules of sections and an override of the gazetteer have
// changed, reindex moves what is stored and tells what moved.
func TestReindex(t *testing.T) {
	stores(t, func(t *testing.T, dsn string) {
		p := publisher(t, papertest.Options{Key: "one", Pages: -1, Day: today()})
		p.Publish(today(), []papertest.Page{{Number: "02", Name: "民生", Articles: []papertest.Article{
			{ID: "101", Headline: "彩虹谷的菜园开了", Paragraphs: []string{"本报讯 彩虹谷的菜园里，一排排菜叶红的红、紫的紫，看的人一拨接一拨。"}},
			{ID: "102", Headline: "修武县的茶馆又开了门", Paragraphs: []string{"本报讯 修武县城的老茶馆歇了半年，这几天又烧起了水，茶客们都回来了。"}},
		}}})
		dir := t.TempDir()
		file := configFor(t, dir, p)
		d := start(t, 0, "serve", "--config", file, "--data", dir, "--store", dsn)
		id := "p1-" + today().Compact() + "-101"
		until(t, "the edition", func() bool { items, _ := d.feed("all"); return len(items) == 2 })
		before, _ := d.feed("all")
		rewrite(t, file, "sections:\n", "places:\n  - {city: \"410800\", code: \"410825\", aliases: [彩虹谷]}\nsections:\n  - {slug: richang, name: 日常, match: [民生]}\n")
		run := func(args ...string) string {
			t.Helper()
			out, errs, code := paperwireRun(t.Context(), append(args, "--config", file, "--data", dir, "--store", dsn)...)
			if code != 0 {
				t.Fatalf("%v: exit %d\n%s%s", args, code, out, errs)
			}
			return out
		}
		for _, args := range [][]string{{"reindex", "--dry-run"}, {"reindex"}} {
			out := run(args...)
			for _, want := range []string{id, "+ district/410825", "+ section/richang", "- section/minsheng", "2 articles, 2 "} {
				if !strings.Contains(out, want) {
					t.Errorf("%v does not tell %q:\n%s", args, want, out)
				}
			}
			if len(args) == 2 {
				until(t, "word that rules changed", func() bool {
					return strings.Contains(d.log.String(), "stored articles are filed by older rules") && strings.Contains(d.log.String(), `"otherwise":2`)
				})
				time.Sleep(time.Second)
				if _, ok := d.holds("district/410825", id); ok {
					t.Error("a dry run moved it")
				}
			}
		}
		until(t, "what moved", func() bool { _, ok := d.holds("district/410825", id); return ok })
		if items, _ := d.feed("section/minsheng"); len(items) != 0 {
			t.Errorf("still in the old section: %v", items)
		}
		after, _ := d.feed("all")
		if !slices.EqualFunc(before, after, func(a, b entry) bool { return a.ID == b.ID && a.Published == b.Published && a.Modified == b.Modified }) {
			t.Errorf("reindex moved dates: %v, before %v", after, before)
		}
		if out := run("reindex", "p1"); !strings.Contains(out, "2 articles, 0 moved, 0 with") {
			t.Errorf("once more: %s", out)
		}
	})
}

// rewrite replaces text of a file once.
func rewrite(t testing.TB, file, old, text string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(b, []byte(old)) {
		t.Fatalf("%s does not hold %q", file, old)
	}
	if err := os.WriteFile(file, bytes.Replace(b, []byte(old), []byte(text), 1), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestReach: what a district's, the city's and the province's feeds hold of articles
// of each reach, and that a city-wide one stands in no district's, one about
// elsewhere in none of them.
func TestReach(t *testing.T) {
	p := publisher(t, papertest.Options{Key: "one", Pages: -1, Day: today()})
	body := []string{"这一段只是为了让正文有一点长度，免得被当成导读。", "第二段说的是同一件事，只是换了一种说法。"}
	p.Publish(today(), []papertest.Page{{Number: "01", Name: "要闻", Articles: []papertest.Article{
		{ID: "101", Headline: "温县赵堡镇的灯会开到深夜", Paragraphs: body},
		{ID: "102", Headline: "全市今年种树三百万棵", Paragraphs: body},
		{ID: "103", Headline: "徐州市鼓楼区的老街重新开张", Paragraphs: body},
		{ID: "104", Headline: "怎样腌一坛不坏的咸菜", Paragraphs: body},
		{ID: "105", Headline: "沁阳市和孟州市联手护河", Paragraphs: body},
	}}})
	dir := t.TempDir()
	d := start(t, 0, "serve", "--config", configFor(t, dir, p), "--data", dir)
	until(t, "the edition", func() bool { items, _ := d.feed("all"); return len(items) == 5 })
	for scope, want := range map[string]string{
		"district/410825": "101", "district/410882": "105", "district/410883": "105", "district/410811": "", "district/320302": "",
		"district/410800": "101 102 105", "district/410000": "101 102 105", "district/320300": "", "district/410882,410883": "105",
		"district/410800/-district/410825": "102 105", "all": "101 102 103 104 105",
	} {
		items, _ := d.feed(scope)
		var got []string
		for _, i := range items {
			got = append(got, i.Ours.ID[strings.LastIndexByte(i.Ours.ID, '-')+1:])
		}
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("%s holds %v, want %s", scope, got, want)
		}
	}
	for id, want := range map[string]string{"101": "district", "102": "city", "103": "elsewhere", "104": "none"} {
		if a := d.ok("/api/v1/articles/p1-" + today().Compact() + "-" + id); !bytes.Contains(a.body, []byte(`"reach":"`+want+`"`)) {
			t.Errorf("%s: no reach %s in %s", id, want, a.body)
		}
	}
}
