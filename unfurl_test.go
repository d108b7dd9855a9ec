package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
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
