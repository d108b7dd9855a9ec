package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"image"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"paperwire/internal/paper"
	"paperwire/internal/papertest"
	"paperwire/syndicate/card"
)

// node runs a script beside the fixtures and reads what it prints.
func node(t testing.TB, into any, stdin []byte, script string, args ...string) {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command(papertest.Need(t, "node"), append([]string{"testdata/syndicate/tools/" + script}, args...)...)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(stdin), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, tail(stderr.String(), 2000))
	}
	if err := json.Unmarshal(out, into); err != nil {
		t.Fatalf("%s: %v", script, err)
	}
}

// cards are the card documents of all articles, in the order of the feed.
func (d *daemon) cards() []card.Document {
	d.t.Helper()
	var list []card.Document
	for _, i := range d.demoItems("all") {
		var c card.Document
		if err := json.Unmarshal(d.ok("/a/"+i.Own.ID+"/card.json").body, &c); err != nil {
			d.t.Fatal(err)
		}
		list = append(list, c)
	}
	return list
}

// What messengers, search engines and social platforms read off every share page is
// what the card document says.
func TestConformanceUnfurlers(t *testing.T) {
	nodeModules(t)
	papers(t, func(t *testing.T, d *daemon, n int) {
		cards := d.cards()
		if len(cards) != n {
			t.Fatalf("%d cards of %d articles", len(cards), n)
		}
		args := []string{d.base(n), d.url}
		for _, c := range cards {
			args = append(args, c.URL)
		}
		var seen map[string]struct {
			Head       int
			Saw        map[string]map[string]any
			Structured struct{ Schemas, Failed []string }
		}
		node(t, &seen, nil, "unfurl.mjs", args...)
		for _, c := range cards {
			page := seen[c.URL]
			if page.Head <= 0 || page.Head > 64<<10 {
				t.Errorf("%s: the head ends at byte %d", c.ID, page.Head)
			}
			if len(page.Structured.Failed) > 0 || !strings.Contains(fmt.Sprint(page.Structured.Schemas), "NewsArticle") {
				t.Errorf("%s: structured data: %v", c.ID, page.Structured)
			}
			var authors []string
			for _, a := range c.Authors {
				authors = append(authors, a.Name)
			}
			date := c.Published
			if c.Modified != nil {
				date = *c.Modified
			}
			tag := ""
			if len(c.Tags) > 0 {
				tag = c.Tags[len(c.Tags)-1]
			}
			want := map[string]any{
				"title": c.Title, "description": c.Description, "image": c.Images.OG.URL, "width": float64(c.Images.OG.Width), "site": c.SiteName,
				"author": strings.Join(authors, ", "), "date": date, "url": c.URL, "tag": tag, "images": 1.0,
			}
			if len(page.Saw) != 7 {
				t.Errorf("%s: seen by %d", c.ID, len(page.Saw))
			}
			for reader, saw := range page.Saw {
				for what, got := range saw {
					want := want[what]
					if reader == "X card" { // it has limits of its own
						for _, m := range c.Meta {
							if m.Name == "twitter:"+what {
								want = m.Content
							}
						}
					}
					if got == want || what == "date" && sameInstant(got, want) {
						continue
					}
					if n == demoArticles || read(got) != read(want) {
						t.Errorf("%s: %s sees the %s %q, the card says %q", c.ID, reader, what, got, want)
					}
				}
			}
		}
	})
}

// read is a text as some readers tell it: unfurl.js takes what it has unescaped for
// HTML once more, metascraper turns quotation marks into its own.
func read(v any) string {
	s := strings.Map(func(r rune) rune {
		if strings.ContainsRune("\"'“”‘’\u00a0\ufffd\x00 ", r) {
			return -1
		}
		return r
	}, html.UnescapeString(html.UnescapeString(fmt.Sprint(v))))
	return s
}

func sameInstant(a, b any) bool {
	x, err := time.Parse(time.RFC3339, fmt.Sprint(a))
	y, e := time.Parse(time.RFC3339, fmt.Sprint(b))
	return err == nil && e == nil && x.Equal(y)
}

// The compiler takes the JSON-LD of every article for a NewsArticle of schema.org.
func TestConformanceJSONLD(t *testing.T) {
	nodeModules(t)
	program := papertest.Need(t, "node")
	papers(t, func(t *testing.T, d *daemon, n int) {
		dir := t.TempDir()
		modules, err := filepath.Abs(os.Getenv("PAPERWIRE_NODE_MODULES"))
		if err == nil {
			err = os.Symlink(modules, filepath.Join(dir, "node_modules"))
		}
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		b.WriteString("import type { NewsArticle, WithContext } from 'schema-dts'\n")
		for i, c := range d.cards() {
			if bytes.ContainsAny(c.JSONLD, "<>&") {
				t.Errorf("%s: not escaped: %s", c.ID, c.JSONLD)
			}
			if !bytes.Contains(d.ok("/a/"+c.ID).body, c.JSONLD) {
				t.Errorf("%s: the page has another JSON-LD than the card", c.ID)
			}
			fmt.Fprintf(&b, "export const a%d: WithContext<NewsArticle> = %s\n", i, c.JSONLD)
		}
		check := func(name, source string) ([]byte, error) {
			project := filepath.Join(dir, name+".json")
			for file, text := range map[string]string{
				filepath.Join(dir, name): source,
				project:                  `{"compilerOptions": {"noEmit": true, "strict": true, "skipLibCheck": true, "module": "nodenext", "types": []}, "files": ["` + name + `"]}`,
			} {
				if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			return exec.Command(program, filepath.Join(modules, "typescript/bin/tsc"), "-p", project).CombinedOutput()
		}
		if out, err := check("cards.ts", b.String()); err != nil {
			t.Errorf("%v\n%s", err, tail(string(out), 3000))
		}
		if n != demoArticles {
			return
		}
		// The compiler must be able to say no.
		if out, err := check("bad.ts", strings.Replace(b.String(), `"datePublished":`, `"datePublish":`, 1)); err == nil || !bytes.Contains(out, []byte("datePublish")) {
			t.Errorf("it takes an unknown property: %v %s", err, out)
		}
	})
}

// X counts every post as we do. Where a text itself holds something like an address
// we may count more, never less.
func TestConformanceTweets(t *testing.T) {
	nodeModules(t)
	type count struct {
		Length int
		Valid  bool
	}
	papers(t, func(t *testing.T, d *daemon, n int) {
		var texts []string
		cards := d.cards()
		for _, c := range cards {
			texts = append(texts, c.Platforms["x"].Text)
		}
		in, _ := json.Marshal(texts)
		var counts []count
		node(t, &counts, in, "tweets.mjs")
		for i, c := range cards {
			if p := c.Platforms["x"]; counts[i].Length != p.Length || !counts[i].Valid {
				t.Errorf("%s: X counts %+v, we %d: %q", c.ID, counts[i], p.Length, p.Text)
			}
		}
	})
	t.Run("any text", func(t *testing.T) {
		words := []string{
			"温县", "，", "。", " ", "\n", "abc", "3.5", "12.30", "e.g.", "U.S.A.", "😀", "👨‍👩‍👧‍👦", "👩🏽‍🚀", "🏳️‍🌈", "🇨🇳", "🇩🇪🇫", "🇦🇦🇩", "1️⃣", "#️⃣", "☑️", "☑", "❤️‍🔥", "🫠", "©️", "©", "\ufe0f", "\ufe0e", "\u200d", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "𠮷", "e\u0301", "각", "각", "Å", "か\u3099", "\U0002f800", "ﬁ", "“", "”", "…", "—", "\u2010", "\u2032", "\u0e33", "ﷺ",
			"https://epaper.example.cn/jzrb/content_1_2.htm?a=b&c=d", "http://焦作.中国/路", "www.jzrb.com", "jzrb.com.cn", "a.co", "me@jzrb.com", "x_a.cn", "@某人", "#a.cn", "$a.cn", "t.co/abcdefghijk", "http://a.cn/(b)c", "-a.cn", ".a.cn", "/a.cn", "a.cn/", "a.cn.", "a.中国人", "http://localhost:8080/a", "HTTP://EXAMPLE.COM/X", "xn--fiqs8s.xn--fiqs8s", "a.b.c.cn:80/x?y=z.", "example.com-x", "example.com2", "foo.photography", "foo.zzz", "http://1.2.3.4/x", "é.cn", "a.cné", "http://a_b.cn", "a--b.cn", "https://x.cn/a/b..c", "https://x.cn?q", "http://" + strings.Repeat("a", 64) + ".cn/",
		}
		text := rapid.Map(rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(words), rapid.SampledFrom(words), rapid.String()), 0, 30), func(s []string) string { return strings.Join(s, "") })
		x := card.Platforms()[len(card.Platforms())-1]
		for _, p := range card.Platforms() {
			if p.Key == "x" {
				x = p
			}
		}
		var texts []string
		var posts []card.Post
		for seed := range 3000 {
			s := text.Example(seed)
			item := paper.Item{Article: paper.Article{ID: "slrb-20250304-1_1", Paper: "slrb", Day: "2025-03-04", Headline: s, Summary: text.Example(seed + 100_000)}, Version: 1, State: paper.Live}
			posts = append(posts, card.New(item, card.Links{Base: "https://feeds.example.net"}).Platforms["x"])
			texts = append(texts, posts[seed].Text)
		}
		single := len(texts)
		texts = append(texts, words...)
		in, err := json.Marshal(texts)
		if err != nil {
			t.Fatal(err)
		}
		var counts []count
		node(t, &counts, in, "tweets.mjs")
		same := 0
		for i, p := range posts {
			if counts[i].Length > p.Length || !counts[i].Valid {
				t.Errorf("X counts %+v, we %d: %q", counts[i], p.Length, p.Text)
			}
			if counts[i].Length == p.Length {
				same++
			} else if !strings.Contains(strings.TrimSuffix(p.Text, p.URL), ".") {
				t.Errorf("nothing like an address in it, and X counts %d, we %d: %q", counts[i].Length, p.Length, p.Text)
			}
		}
		for i, w := range words {
			if got, want := x.Measure(w), counts[single+i].Length; got < want {
				t.Errorf("X counts %q as %d, we as %d", w, want, got)
			}
		}
		t.Logf("%d of %d counted alike", same, len(posts))
	})
}

// A correction makes a new card and a withdrawal ends it; the list of changed cards
// tells of both, behind the place where one stopped reading.
func TestCardsFollow(t *testing.T) {
	stores(t, func(t *testing.T, dsn string) {
		p := publisher(t, papertest.Options{Key: "one", Pages: -1, Day: today(), NoValidators: true})
		p.Publish(today(), []papertest.Page{{Number: "02", Name: "民生", Articles: []papertest.Article{
			{ID: "101", Headline: "温县菜园里种出了彩虹", Paragraphs: []string{"本报讯 温县的菜园里，一排排菜叶红的红、紫的紫，看的人一拨接一拨。"}},
			{ID: "102", Headline: "修武县的茶馆又开了门", Paragraphs: []string{"本报讯 修武县城的老茶馆歇了半年，这几天又烧起了水，茶客们都回来了。"}},
		}}})
		dir := t.TempDir()
		d := start(t, 0, "serve", "--config", configFor(t, dir, p), "--data", dir, "--store", dsn)
		until(t, "the edition", func() bool { items, _ := d.feed("all"); return len(items) == 2 })
		id := func(n string) string { return "p1-" + today().Compact() + "-" + n }
		read := func(n string) (c card.Document, status int) {
			a := d.get("/a/" + id(n) + "/card.json")
			if err := json.Unmarshal(a.body, &c); err != nil {
				t.Fatal(err)
			}
			return c, a.StatusCode
		}
		type list struct {
			Cards []struct {
				ID, State string
				Revision  int
				Card      string `json:"card_url"`
			}
			Next string
		}
		changed := func(since string) (l list) {
			if err := json.Unmarshal(d.ok("/api/v1/cards?changed_since="+since).body, &l); err != nil {
				t.Fatal(err)
			}
			return l
		}
		first, _ := read("101")
		all := changed("")
		if len(all.Cards) != 2 || first.Revision != 1 || first.Modified != nil || changed(all.Next).Cards == nil || len(changed(all.Next).Cards) != 0 {
			t.Fatalf("%+v, revision %d", all, first.Revision)
		}

		p.Correct("101", func(a *papertest.Article) { a.Headline = "温县菜园里种出了三色彩虹" })
		until(t, "the new card", func() bool { c, _ := read("101"); return c.Revision == 2 })
		second, _ := read("101")
		if second.Modified == nil || second.Published != first.Published || !strings.Contains(second.Platforms["x"].Text, "三色") || second.Images.OG.URL == first.Images.OG.URL {
			t.Errorf("corrected: %+v", second)
		}
		l := changed(all.Next)
		if len(l.Cards) != 1 || l.Cards[0].ID != id("101") || l.Cards[0].Revision != 2 || l.Cards[0].State != "live" || l.Cards[0].Card != second.URL+"/card.json" {
			t.Errorf("after the correction: %+v", l)
		}

		if a := d.post("/api/v1/articles/"+id("101")+"/decisions", "test-key", `{"action":"withdraw","who":"值班编辑","why":"来电"}`); a.StatusCode >= 300 {
			t.Fatalf("%s: %s", a.Status, a.body)
		}
		until(t, "the end of the card", func() bool { _, status := read("101"); return status == http.StatusGone })
		if c, _ := read("101"); len(c.Platforms) != 0 || c.JSONLD != nil && string(c.JSONLD) != "null" || c.QR != "" || c.Images.OG != nil || c.Revision != 3 {
			t.Errorf("withdrawn: %+v", c)
		}
		if a := d.get("/a/" + id("101") + "/card/og.jpg"); a.StatusCode != http.StatusGone {
			t.Errorf("its picture: %s", a.Status)
		}
		if l := changed(l.Next); len(l.Cards) != 1 || l.Cards[0].State != "withdrawn" || l.Cards[0].Revision != 3 {
			t.Errorf("after the withdrawal: %+v", l)
		}
		if l := changed(""); len(l.Cards) != 2 {
			t.Errorf("in all: %+v", l)
		}
	})
}

// The pictures that a card names are there, in the size it says.
func TestCardPictures(t *testing.T) {
	d := demoDaemon(t)
	for _, c := range d.cards()[:3] {
		for name, img := range map[string]*card.Image{"og": c.Images.OG, "r16x9": c.Images.R16x9, "r4x3": c.Images.R4x3, "r1x1": c.Images.R1x1, "wechat_cover": c.Images.WechatCover, "wecom": c.Images.Wecom, "miniprogram": c.Images.Miniprogram, "thumb": c.Images.Thumb} {
			if img == nil {
				t.Errorf("%s has no %s", c.ID, name)
				continue
			}
			path, ok := d.local(img.URL)
			if !ok {
				t.Errorf("%s leads elsewhere", img.URL)
				continue
			}
			a := d.ok(path)
			size, kind, err := image.DecodeConfig(bytes.NewReader(a.body))
			if err != nil || size.Width != img.Width || size.Height != img.Height || "image/"+kind != img.Type || a.Header.Get("Content-Type") != img.Type || img.Alt == "" {
				t.Errorf("%s: %s %+v, the card says %+v: %v", path, kind, size, img, err)
			}
		}
		if path, ok := d.local(c.QR); !ok || d.ok(path).Header.Get("Content-Type") != "image/png" {
			t.Errorf("code %s", c.QR)
		}
	}
}
