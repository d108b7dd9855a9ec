package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"paperwire/internal/paper"
)

func found(t testing.TB, s *Store, scope string, words ...string) []string {
	t.Helper()
	return ids(window(t, s, scope, paper.Window{Query: words, Limit: 200}))
}

func TestTokens(t *testing.T) {
	for text, want := range map[string]string{
		"温县":           "温县 县",
		"温县人，好":        "温县 县人 人 好",
		"５Ｇ网络Ａｐｐ":      "5g 网络 络 app",
		"Café 2026年3月": "cafe 2026 年 3 月",
		"𠮷野家":          "𠮷野 野家 家",
		"，。<>\"' ":     "",
		"カタカナ":         "カタ タカ カナ ナ",
	} {
		if got := strings.Join(tokens(text, 100), " "); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if n := len(tokens(strings.Repeat("长", 20000), maxBody)); n != maxBody {
		t.Errorf("%d tokens of a long text", n)
	}
}

// What is searched for is found in every article that has it and in no other.
func TestSearchFinds(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		pieces := []string{"温县", "县人", "人民", "焦作", "市", "，", "5G", " ", "网", "App", "。", "Ｘ1", "é"}
		body := map[string]string{}
		next := 0
		rapid.Check(t, func(rt *rapid.T) {
			draw := func(name string, n int) string {
				return strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 1, n).Draw(rt, name), "")
			}
			for range 2 {
				text := draw("text", 12)
				in := filed(art("a", "2026-03-18", fmt.Sprint(next), next, fmt.Sprint("w", next)), "yaowen", "410825")
				in.Article.Headline, in.Article.Text, in.Article.Summary = "题", text, ""
				next++
				out, err := s.Ingest(t.Context(), in)
				if err != nil {
					rt.Fatal(err)
				}
				body[out.ID] = text
			}
			if _, err := s.w.Exec(`UPDATE articles SET release_at = 0 WHERE state = 'ingested'`); err != nil {
				rt.Fatal(err)
			}
			c.add(10 * time.Second)
			letOut(t, s, "a")
			var words []string
			for range rapid.IntRange(1, 3).Draw(rt, "words") {
				w := draw("word", 3)
				if _, ok := phrases([]string{w}); !ok {
					continue
				}
				words = append(words, w)
			}
			if len(words) == 0 {
				return
			}
			list, _ := phrases(words)
			var want []string
			for id, text := range body {
				hit := true
				for i, p := range list {
					in := p.in(tokens(text, maxBody), tokens("题", 10))
					if w := words[i]; !strings.ContainsFunc(w, func(r rune) bool { return !han(r) }) && in != strings.Contains(text+"\n题", w) {
						rt.Fatalf("%q in %q: %v", w, text, in)
					}
					hit = hit && in
				}
				if hit {
					want = append(want, id)
				}
			}
			if len(want) > 200 {
				return
			}
			for _, scope := range []string{"all", "section/yaowen", "paper/a/district/410825"} {
				got := found(t, s, scope, words...)
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					rt.Fatalf("%s %q: %d found, want %d: %v %v", scope, words, len(got), len(want), got, want)
				}
			}
		})
	})
}

// A search follows what happens to an article, and tells who found it.
func TestSearchLife(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		day := paper.Day("2026-03-18")
		one := filed(art("a", day, "1", 0, "铁棍山药丰收"), "yaowen", "410825")
		one.Article.Byline = []paper.Person{{Name: "丁一"}}
		two := filed(art("a", day, "2", 1, "山药出口"), "wenhua", "410803")
		take(t, s, false, one, two)
		if got := found(t, s, "all", "山药"); got != nil {
			t.Errorf("before its release: %v", got)
		}
		letOut(t, s, "a")
		old(t, s, false, filed(art("a", "2026-01-01", "9", 0, "山药旧闻"), "yaowen", "410825"))
		letOut(t, s, "a")
		check := func(want []string, scope string, words ...string) {
			t.Helper()
			if got := found(t, s, scope, words...); !slices.Equal(got, want) {
				t.Errorf("%s %q: %v, want %v", scope, words, got, want)
			}
		}
		check([]string{"a-20260318-1", "a-20260318-2"}, "all", "山药")
		check([]string{"a-20260318-2"}, "-section/yaowen", "山药")
		check([]string{"a-20260318-1"}, "all", "丁一", "丰")
		check(nil, "all", "药丰", "出口")
		check(nil, "all", "，")
		if got := ids(window(t, s, "all", paper.Window{Query: []string{"山药"}, Archive: true})); len(got) != 3 {
			t.Errorf("archive articles too: %v", got)
		}
		if got := ids(window(t, s, "all", paper.Window{Query: []string{"山药"}, Limit: 1})); !slices.Equal(got, []string{"a-20260318-1"}) {
			t.Errorf("limit: %v", got)
		}
		first := window(t, s, "all", paper.Window{Query: []string{"山药"}})[0]
		if got := ids(window(t, s, "all", paper.Window{Query: []string{"山药"}, Before: first.Published, BeforeID: first.ID})); !slices.Equal(got, []string{"a-20260318-2"}) {
			t.Errorf("continued: %v", got)
		}

		c.add(time.Hour)
		take(t, s, false, filed(art("a", day, "1", 0, "铁棍地黄丰收"), "yaowen", "410825"), two)
		letOut(t, s, "a")
		check([]string{"a-20260318-1"}, "all", "地黄")
		check([]string{"a-20260318-1", "a-20260318-2"}, "all", "山药") // who found it hears of the correction
		if err := s.Withdraw(t.Context(), "a-20260318-2", ""); err != nil {
			t.Fatal(err)
		}
		c.add(time.Hour)
		letOut(t, s, "a")
		list := window(t, s, "section/wenhua", paper.Window{Query: []string{"出口"}})
		if len(list) != 1 || list[0].State != paper.Withdrawn || list[0].Text+list[0].Headline != "" {
			t.Errorf("withdrawn: %+v", list)
		}
		c.add(8 * 24 * time.Hour)
		if _, err := s.Expire(t.Context()); err != nil {
			t.Fatal(err)
		}
		check(nil, "all", "出口")
		check(nil, "all", "山药")
		check([]string{"a-20260318-1"}, "all", "地黄")
		if err := s.Decide(t.Context(), paper.Decision{Article: "a-20260318-2", Action: paper.RestoreHand, Who: "x", Why: "y"}); err != nil {
			t.Fatal(err)
		}
		letOut(t, s, "a")
		check([]string{"a-20260318-2"}, "all", "出口")
		if n, err := count(s, `SELECT COUNT(*) FROM articles WHERE search_row = 0 AND state = 'released'`); n != 0 || err != nil {
			t.Errorf("%d not indexed, %v", n, err)
		}
	})
}

// What a view may not see does not find an article, neither now nor in its notice.
func TestSearchRights(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		setup := Setup{}
		for key, r := range map[string]paper.Rights{"a": paper.RightsFull, "b": paper.RightsSummary, "c": paper.RightsHeadline} {
			setup.Papers = append(setup.Papers, paper.Paper{Key: key, Name: key, Zone: "Asia/Shanghai", Language: "zh-CN", Link: paper.LinkShare, Rights: r})
			setup.Sources = append(setup.Sources, SourceRow{Key: key, Paper: key, Name: key, Platform: "founder", URL: "http://" + key + ".example/", Step: time.Hour})
		}
		if err := s.Configure(t.Context(), setup); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"a", "b", "c"} {
			in := art(key, "2026-03-18", "1", 0, "x")
			in.Article.Headline, in.Article.Summary, in.Article.Text = "标题四字", "摘要四字", "正文四字"
			take(t, s, false, in)
			letOut(t, s, key)
		}
		check := func(r paper.Rights, word string, want ...string) {
			t.Helper()
			list, err := s.Items(t.Context(), paper.View{Key: string(r), Rights: r}, paper.Scope{}, paper.Window{Query: []string{word}})
			if err != nil {
				t.Fatal(err)
			}
			got := ids(list)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s as %s: %v, want %v", word, r, got, want)
			}
		}
		for round := range 2 {
			check(paper.RightsFull, "标题", "a-20260318-1", "b-20260318-1", "c-20260318-1")
			check(paper.RightsFull, "摘要", "a-20260318-1", "b-20260318-1")
			check(paper.RightsFull, "正文", "a-20260318-1")
			check(paper.RightsSummary, "摘要", "a-20260318-1", "b-20260318-1")
			check(paper.RightsSummary, "正文")
			check(paper.RightsHeadline, "摘要")
			check(paper.RightsHeadline, "标题", "a-20260318-1", "b-20260318-1", "c-20260318-1")
			// The same of what has been withdrawn, by its notice.
			for _, key := range []string{"a", "b", "c"} {
				if round > 0 {
					break
				}
				if err := s.Withdraw(t.Context(), key+"-20260318-1", ""); err != nil {
					t.Fatal(err)
				}
				c.add(time.Minute)
				letOut(t, s, key)
			}
		}
	})
}

// A store from before gets its index afterwards, while it is being used.
func TestIndexAfterwards(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		var ins []Incoming
		for i := range indexBatch + 50 {
			ins = append(ins, filed(art("a", "2026-03-18", fmt.Sprint(i), i, fmt.Sprintf("山药%d", i)), "yaowen"))
		}
		take(t, s, false, ins...)
		letOut(t, s, "a")
		table, _ := s.finder.table()
		for _, q := range []string{`UPDATE articles SET search_row = 0`, `DELETE FROM ` + table} {
			if _, err := s.w.Exec(q); err != nil {
				t.Fatal(err)
			}
		}
		if got := found(t, s, "all", "山药"); got != nil {
			t.Errorf("%d found in no index", len(got))
		}
		// What changes meanwhile is indexed as it is then.
		c.add(time.Hour)
		if err := s.Withdraw(t.Context(), "a-20260318-0", ""); err != nil {
			t.Fatal(err)
		}
		letOut(t, s, "a")
		n, left, err := s.Index(t.Context())
		if err != nil || n != indexBatch || left != 49 {
			t.Fatalf("%d %d %v", n, left, err)
		}
		if _, ok := parts(t, s)["search"]; ok {
			t.Error("the part rose before the index was whole")
		}
		if n, left, err := s.Index(t.Context()); err != nil || n != 49 || left != 0 {
			t.Fatalf("%d %d %v", n, left, err)
		}
		if n, left, err := s.Index(t.Context()); err != nil || n+left != 0 {
			t.Fatalf("%d %d %v", n, left, err)
		}
		if _, ok := parts(t, s)["search"]; !ok {
			t.Error("the part did not rise")
		}
		if got := window(t, s, "all", paper.Window{Query: []string{"山药"}, Limit: 200}); len(got) != 200 {
			t.Errorf("%d found", len(got))
		}
		if got := found(t, s, "all", "山药3"); len(got) != 1 {
			t.Errorf("found %v", got)
		}
	})
}

func BenchmarkSearch(b *testing.B) {
	s, _ := stocked(b, 100_000)
	began := time.Now()
	n := 0
	for {
		k, left, err := s.Index(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if n += k; left == 0 {
			break
		}
	}
	b.Logf("%d articles indexed in %s", n, time.Since(began).Round(time.Second))
	for _, x := range []struct{ name, word, scope string }{
		{"common", "收成", "all"},
		{"common-district", "收成", "district/410805"},
		{"some", "怀川大地", "all"},
		{"rare", "四大怀药", "all"},
		{"rare-district", "四大怀药", "district/410805"},
		{"none", "不存在的词", "all"},
		{"one-character", "药", "all"},
		{"common-nowhere", "收成", "paper/p0/district/410802"},
	} {
		sc, err := paper.ParseScope(x.scope)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(x.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Items(b.Context(), paper.Public, sc, paper.Window{Query: []string{x.word}, Limit: 50}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
