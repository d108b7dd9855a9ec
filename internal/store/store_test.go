package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"paperwire/internal/paper"
)

// clock is a clock that tests turn.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }

func (c *clock) add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.t = c.t.Add(d) }

func newClock() *clock {
	return &clock{t: time.Date(2026, 3, 18, 6, 30, 0, 0, paper.Shanghai)}
}

// databases runs a test on both databases; PostgreSQL needs
// PAPERWIRE_TEST_POSTGRES=postgres://user@host/db with the right to create databases.
func databases(t *testing.T, run func(t *testing.T, dsn func(t testing.TB) string)) {
	t.Run("sqlite", func(t *testing.T) {
		run(t, func(t testing.TB) string { return filepath.Join(t.TempDir(), "p.db") })
	})
	t.Run("postgres", func(t *testing.T) {
		needPostgres(t)
		run(t, freshPostgres)
	})
}

// needPostgres skips a test where there is no server, and fails it where all tests
// were promised.
func needPostgres(t testing.TB) {
	t.Helper()
	if os.Getenv("PAPERWIRE_TEST_POSTGRES") != "" {
		return
	}
	if os.Getenv("PAPERWIRE_TEST_ALL") == "1" {
		t.Fatal("PAPERWIRE_TEST_POSTGRES is not set")
	}
	t.Skip("PAPERWIRE_TEST_POSTGRES is not set")
}

func freshPostgres(t testing.TB) string {
	t.Helper()
	base := os.Getenv("PAPERWIRE_TEST_POSTGRES")
	ctx := context.Background()
	b := make([]byte, 6)
	rand.Read(b)
	name := "pw_" + hex.EncodeToString(b)
	exec := func(q string) {
		c, err := pgx.Connect(ctx, base)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(ctx)
		if _, err := c.Exec(ctx, q); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE DATABASE " + name)
	t.Cleanup(func() { exec("DROP DATABASE " + name + " WITH (FORCE)") })
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

func open(t testing.TB, dsn string, c *clock) *Store {
	t.Helper()
	s, err := Open(t.Context(), dsn, Options{Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	configure(t, s, "a", "b")
	return s
}

func configure(t testing.TB, s *Store, keys ...string) {
	t.Helper()
	var setup Setup
	for _, k := range keys {
		setup.Papers = append(setup.Papers, paper.Paper{Key: k, Name: strings.ToUpper(k), City: "410800", Zone: "Asia/Shanghai", Language: "zh-CN", Link: paper.LinkShare, Rights: paper.RightsFull})
		setup.Sources = append(setup.Sources, SourceRow{Key: k, Paper: k, Name: k, Platform: "founder", URL: "http://" + k + ".example/", Step: time.Hour})
	}
	if err := s.Configure(t.Context(), setup); err != nil {
		t.Fatal(err)
	}
}

// art makes an incoming article; words decide its content.
func art(pkey string, day paper.Day, origin string, ordinal int, words string) Incoming {
	a := paper.Article{
		Paper: pkey, Source: pkey, Day: day, URL: "http://" + pkey + ".example/" + string(day) + "/" + origin,
		Page: paper.PageRef{Number: "01", Name: "要闻"}, Ordinal: ordinal, Headline: "题 " + words, Text: strings.Repeat(words+"。", 12), HTML: "<p>" + words + "</p>", Summary: words,
	}
	return Incoming{
		Article: a, Origin: origin, RefDay: day, Hash: words, Fingerprint: words,
		Similar: func(x, y paper.Article) bool { return x.Headline == y.Headline || x.Text == y.Text },
		Filing: paper.Filing{
			Sections: []paper.Section{{Slug: "yaowen", Name: "要闻"}},
			Placing:  paper.Placing{Reach: paper.ReachNone, Districts: []paper.Tag{}},
		},
	}
}

func filed(in Incoming, section string, districts ...string) Incoming {
	in.Filing.Sections = nil
	if section != "" {
		in.Filing.Sections = []paper.Section{{Slug: section, Name: section}}
	}
	in.Filing.Districts = districts
	return in
}

// take lists, ingests and settles articles of one paper and day, as a poll does.
func take(t testing.TB, s *Store, history bool, ins ...Incoming) []Outcome {
	t.Helper()
	l := Listing{Source: ins[0].Article.Source, Paper: ins[0].Article.Paper, Day: ins[0].RefDay, History: history, Pages: []paper.EditionPage{{PageRef: paper.PageRef{Number: "01", Name: "要闻"}}}}
	for _, in := range ins {
		l.Refs = append(l.Refs, Listed{Origin: in.Origin, URL: in.Article.URL, Page: in.Article.Page.Number, Ordinal: in.Article.Ordinal})
	}
	todo, _, err := s.List(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	isHistory := map[int]bool{}
	for _, x := range todo {
		isHistory[x.Index] = x.History
	}
	var outs []Outcome
	for i, in := range ins {
		in.History = isHistory[i]
		out, err := s.Ingest(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		outs = append(outs, out)
	}
	if err := s.Settle(t.Context(), l.Source, l.Paper, l.Day, l.Pages, 0); err != nil {
		t.Fatal(err)
	}
	return outs
}

func letOut(t testing.TB, s *Store, pkey string) Released {
	t.Helper()
	r, err := s.Release(t.Context(), pkey)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func items(t testing.TB, s *Store, scope string) []paper.Item {
	t.Helper()
	sc, err := paper.ParseScope(scope)
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.Items(t.Context(), paper.Public, sc, paper.Window{})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func ids(list []paper.Item) []string {
	var out []string
	for _, i := range list {
		out = append(out, i.ID)
	}
	return out
}

func TestIngestedIsNotReleased(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		in := art("a", "2026-03-18", "1", 0, "one")
		if _, _, err := s.List(t.Context(), Listing{Source: "a", Paper: "a", Day: "2026-03-18", Refs: []Listed{{Origin: "1", URL: in.Article.URL}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Ingest(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		if r := letOut(t, s, "a"); r.Articles != 0 {
			t.Fatalf("released %d before it was settled", r.Articles)
		}
		if _, err := s.Item(t.Context(), paper.Public, "a-20260318-1"); !errors.Is(err, paper.ErrNotFound) {
			t.Fatalf("item before release: %v", err)
		}
		if _, err := s.Edition(t.Context(), paper.Public, "a", "2026-03-18"); !errors.Is(err, paper.ErrNotFound) {
			t.Fatalf("edition before release: %v", err)
		}
		if err := s.Settle(t.Context(), "a", "a", "2026-03-18", nil, 10*time.Minute); err != nil {
			t.Fatal(err)
		}
		c.add(9 * time.Minute)
		if r := letOut(t, s, "a"); r.Articles != 0 {
			t.Fatal("released within the hold")
		}
		c.add(time.Minute)
		if r := letOut(t, s, "a"); r.Articles != 1 {
			t.Fatal("not released after the hold")
		}
		i, err := s.Item(t.Context(), paper.Public, "a-20260318-1")
		if err != nil || !i.Published.Equal(c.now()) || !i.Updated.Equal(c.now()) || i.Version != 1 {
			t.Fatalf("item %+v %v", i, err)
		}
	})
}

func TestFrontPageLeadsTheBatch(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		take(t, s, false, art("a", "2026-03-18", "11", 0, "lead"), art("a", "2026-03-18", "12", 1, "second"), art("a", "2026-03-18", "13", 2, "third"))
		letOut(t, s, "a")
		if got := ids(items(t, s, "paper/a")); !slices.Equal(got, []string{"a-20260318-11", "a-20260318-12", "a-20260318-13"}) {
			t.Fatalf("order %v", got)
		}
		// A late article stands above; two seconds later there is one second free for it.
		c.add(time.Second)
		take(t, s, false, art("a", "2026-03-18", "11", 0, "lead"), art("a", "2026-03-18", "12", 1, "second"), art("a", "2026-03-18", "13", 2, "third"),
			art("a", "2026-03-18", "14", 3, "late"), art("a", "2026-03-18", "15", 4, "later"))
		if r := letOut(t, s, "a"); r.Wait != time.Second || r.Articles != 0 {
			t.Fatalf("two articles in one second: %+v", r)
		}
		c.add(time.Second)
		if r := letOut(t, s, "a"); r.Articles != 2 {
			t.Fatalf("%+v", r)
		}
		if got := ids(items(t, s, "paper/a"))[:2]; !slices.Equal(got, []string{"a-20260318-14", "a-20260318-15"}) {
			t.Fatalf("order %v", got)
		}
	})
}

func TestHistoryIsDatedByItsDay(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		take(t, s, true, art("a", "2026-03-10", "1", 0, "x"), art("a", "2026-03-10", "2", 1, "y"))
		feed := art("b", "2026-03-11", "f", 0, "z")
		feed.RefDay = ""
		feed.Article.Dated = time.Date(2026, 3, 11, 9, 15, 0, 0, paper.Shanghai)
		twin := art("b", "2026-03-11", "g", 1, "w")
		twin.RefDay, twin.Article.Dated = "", feed.Article.Dated
		take(t, s, true, feed, twin)
		letOut(t, s, "a")
		letOut(t, s, "b")
		six := time.Date(2026, 3, 10, 6, 0, 0, 0, paper.Shanghai)
		want := map[string]time.Time{
			"a-20260310-1": six, "a-20260310-2": six.Add(-time.Second),
			"b-f": feed.Article.Dated, "b-g": feed.Article.Dated.Add(-time.Second), // never equal within a paper
		}
		for _, i := range items(t, s, "all") {
			if !i.Published.Equal(want[i.ID]) {
				t.Errorf("%s published %s, want %s", i.ID, i.Published, want[i.ID])
			}
			delete(want, i.ID)
		}
		if len(want) > 0 {
			t.Errorf("missing %v", want)
		}
	})
}

// Promise 2 over random batches, late articles, corrections, pauses, two papers.
func TestPublishedProperties(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		round := 0
		type seen struct{ published, updated time.Time }
		known := map[string]seen{}
		greatest := map[string]time.Time{}
		rapid.Check(t, func(rt *rapid.T) {
			for range rapid.IntRange(1, 4).Draw(rt, "polls") {
				round++
				day := paper.Day("2026-03-18").Add(round)
				key := rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "paper")
				n := rapid.IntRange(1, 12).Draw(rt, "articles")
				var ins []Incoming
				for i := range n {
					ins = append(ins, art(key, day, fmt.Sprint(i), i, fmt.Sprintf("%s %d %d", key, round, i)))
				}
				history := rapid.Bool().Draw(rt, "history") && round%5 == 0
				take(t, s, history, ins...)
				before := c.now()
				r := letOut(t, s, key)
				for r.Wait > 0 {
					c.add(r.Wait)
					r = letOut(t, s, key)
				}
				var fresh []paper.Item
				for _, i := range items(t, s, "paper/"+key) {
					if i.Published.Nanosecond() != 0 {
						rt.Fatalf("%s not whole seconds: %s", i.ID, i.Published)
					}
					if i.Published.After(c.now()) {
						rt.Fatalf("%s in the future: %s", i.ID, i.Published)
					}
					if k, ok := known[i.ID]; ok {
						if !k.published.Equal(i.Published) {
							rt.Fatalf("%s moved from %s to %s", i.ID, k.published, i.Published)
						}
						continue
					}
					fresh = append(fresh, i)
				}
				if !history {
					if len(fresh) != n {
						rt.Fatalf("%d of %d released (since %s)", len(fresh), n, before)
					}
					for j, i := range fresh { // newest first reads like the paper, without gaps
						if !i.Published.After(greatest[key]) {
							rt.Fatalf("%s at %s, but %s was committed before", i.ID, i.Published, greatest[key])
						}
						if i.Ordinal != j {
							rt.Fatalf("%s has place %d, stands at %d", i.ID, i.Ordinal, j)
						}
						if j > 0 && fresh[j-1].Published.Sub(i.Published) != time.Second {
							rt.Fatalf("gap between %s and %s", fresh[j-1].Published, i.Published)
						}
					}
				}
				for _, i := range fresh {
					known[i.ID] = seen{i.Published, i.Updated}
					if i.Published.After(greatest[key]) {
						greatest[key] = i.Published
					}
				}
				c.add(time.Duration(rapid.IntRange(0, 30).Draw(rt, "pause")) * time.Second)
			}
			all := map[string]map[time.Time]string{"a": {}, "b": {}}
			for id, k := range known {
				p := id[:1]
				if other := all[p][k.published]; other != "" {
					rt.Fatalf("%s and %s share %s", id, other, k.published)
				}
				all[p][k.published] = id
			}
		})
	})
}

func TestCorrectionMovesUpdatedOnly(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		day := paper.Day("2026-03-18")
		take(t, s, false, filed(art("a", day, "1", 0, "one"), "yaowen", "410825"), art("a", day, "2", 1, "two"))
		letOut(t, s, "a")
		first := items(t, s, "paper/a")
		seq, _, _ := s.Changes(t.Context(), 0)

		c.add(time.Hour)
		if out := take(t, s, false, filed(art("a", day, "1", 0, "one"), "yaowen", "410825"), art("a", day, "2", 1, "two")); out[0].Result != Same {
			t.Fatalf("same content: %+v", out)
		}
		if r := letOut(t, s, "a"); r.Articles != 0 {
			t.Fatal("same content was released again")
		}
		if now, _, _ := s.Changes(t.Context(), 0); now != seq {
			t.Fatal("the change sequence rose for nothing")
		}

		fixed := filed(art("a", day, "1", 0, "one, mended"), "minsheng", "410803")
		if out := take(t, s, false, fixed, art("a", day, "2", 1, "two")); out[0].Result != Changed || out[0].ID != "a-20260318-1" {
			t.Fatalf("%+v", out)
		}
		if got := items(t, s, "paper/a"); !cmp.Equal(got, first) {
			t.Fatal("visible before its release")
		}
		letOut(t, s, "a")
		got := items(t, s, "paper/a")
		if got[0].Headline != "题 one, mended" || !got[0].Published.Equal(first[0].Published) || !got[0].Updated.Equal(c.now()) || got[0].Version != 2 {
			t.Fatalf("%+v", got[0])
		}
		if !cmp.Equal(got[1], first[1]) {
			t.Fatal("the other article changed")
		}
		// Who received it hears of it: the feeds it has left carry it as a notice.
		for _, scope := range []string{"section/yaowen", "district/410825", "section/minsheng", "district/410803", "section/minsheng/district/410803", "section/yaowen/district/410825"} {
			list := items(t, s, scope)
			if i := slices.IndexFunc(list, func(i paper.Item) bool { return i.ID == "a-20260318-1" }); i < 0 || list[i].Version != 2 {
				t.Errorf("%s does not tell of the correction", scope)
			}
		}
		if n := len(items(t, s, "section/minsheng/district/410825")); n != 0 {
			t.Errorf("a scope that never carried it holds %d", n)
		}
		// The notice ends by a stored instant, and its end is a change.
		before, _, _ := s.Changes(t.Context(), 0)
		c.add(7 * 24 * time.Hour)
		if n, err := s.Expire(t.Context()); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		after, parts, _ := s.Changes(t.Context(), before)
		if after == before || !slices.ContainsFunc(parts, func(p paper.PartVersion) bool { return p.Part == "district/410825" }) {
			t.Fatalf("end of a notice raised %v", parts)
		}
		if got := ids(items(t, s, "district/410825")); len(got) != 0 {
			t.Fatalf("still told after the notice: %v", got)
		}
		if got := ids(items(t, s, "district/410803")); len(got) != 1 {
			t.Fatalf("lost where it is filed: %v", got)
		}
	})
}

// A new way of reading the same page is no correction; what changes after it is.
func TestAnotherReadingIsNoCorrection(t *testing.T) {
	c := newClock()
	s := open(t, filepath.Join(t.TempDir(), "p.db"), c)
	in := art("a", "2026-03-18", "1", 0, "one")
	in.Hash = "1:abc"
	take(t, s, false, in)
	letOut(t, s, "a")
	for _, step := range []struct {
		hash string
		want Result
	}{{"1:abc", Same}, {"2:def", Same}, {"2:def", Same}, {"2:fff", Changed}} {
		in.Hash = step.hash
		if out := take(t, s, false, in); out[0].Result != step.want {
			t.Errorf("%s: %s, want %s", step.hash, out[0].Result, step.want)
		}
	}
}

func TestWithdrawal(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		day := paper.Day("2026-03-18")
		take(t, s, false, filed(art("a", day, "1", 0, "secret one"), "yaowen", "410825"), art("a", day, "2", 1, "two"))
		letOut(t, s, "a")
		c.add(time.Hour)
		if err := s.Withdraw(t.Context(), "a-20260318-1", "court order"); err != nil {
			t.Fatal(err)
		}
		letOut(t, s, "a")
		i, err := s.Item(t.Context(), paper.Public, "a-20260318-1")
		if !errors.Is(err, paper.ErrGone) || i.State != paper.Withdrawn || strings.Contains(encode(i), "secret") {
			t.Fatalf("%+v %v", i, err)
		}
		for _, scope := range []string{"all", "paper/a", "section/yaowen", "district/410825"} {
			list := items(t, s, scope)
			if list[0].ID != "a-20260318-1" || list[0].State != paper.Withdrawn || list[0].Headline != "" {
				t.Errorf("%s: %+v", scope, list[0])
			}
		}
		info, err := s.Scopes(t.Context(), paper.Public)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range info {
			if x.Part == "paper/a" && x.Count != 1 || x.Part == "district/410825" && x.Count != 0 || x.Part == "section/yaowen" && x.Count != 1 {
				t.Errorf("count %+v", x)
			}
		}
		if err := s.Withdraw(t.Context(), "a-20260318-9", ""); !errors.Is(err, paper.ErrNotFound) {
			t.Errorf("unknown id: %v", err)
		}
	})
}

func TestOneIDForEver(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		day := paper.Day("2026-03-18")
		id := func(in Incoming) string {
			t.Helper()
			c.add(time.Minute) // another look, another listing
			return take(t, s, false, in)[0].ID
		}
		if got := id(art("a", day, "100", 0, "first")); got != "a-20260318-100" {
			t.Fatal(got)
		}
		// A redesign changes ids and URLs: the same words of the same day are the same article.
		if got := id(art("a", day, "9100", 0, "first")); got != "a-20260318-100" {
			t.Errorf("after a redesign: %s", got)
		}
		// On another day they are another article.
		if got := id(art("a", "2026-03-19", "9100", 0, "first")); got != "a-20260319-9100" {
			t.Errorf("another day: %s", got)
		}
		// Two that stand on one listing with the same words are two.
		outs := take(t, s, false, art("a", "2026-03-20", "1", 0, "图片新闻"), art("a", "2026-03-20", "2", 1, "图片新闻"))
		if outs[0].ID == outs[1].ID {
			t.Errorf("twins merged: %v", outs)
		}
		// A position that holds another article now: -2.
		pos := art("b", day, "01002", 0, "morning")
		pos.Positional = true
		other := art("b", day, "01002", 0, "another story")
		other.Positional = true
		if a, b := id(pos), id(other); a != "b-20260318-01002" || b != "b-20260318-01002-2" {
			t.Errorf("position reused: %s %s", a, b)
		}
		// A number that is no position keeps its article however much it changed.
		if a, b := id(art("b", day, "55", 0, "draft")), id(art("b", day, "55", 0, "rewritten")); a != b {
			t.Errorf("corrected article became another: %s %s", a, b)
		}
		// Two sources of one paper: the second prefixes its key.
		second := art("a", day, "7", 0, "second source")
		second.Article.Source = "b"
		if out, err := s.Ingest(t.Context(), second); err != nil || out.ID != "a-20260318-b-7" {
			t.Errorf("second source: %v %v", out, err)
		}
		// An item of a feed whose guid changed is known by its link; a home page as link proves nothing.
		f1, f2, f3 := art("b", day, "aaaa", 0, "item"), art("b", day, "bbbb", 0, "item"), art("b", day, "cccc", 0, "unlike")
		for _, f := range []*Incoming{&f1, &f2, &f3} {
			f.RefDay, f.Article.URL = "", "http://b.example/"
		}
		if a, b, c := id(f1), id(f2), id(f3); a != "b-aaaa" || b != a || c != "b-cccc" {
			t.Errorf("feed items: %s %s %s", a, b, c)
		}
	})
}

// Scopes against a naive model: every part, union, intersection, exclusion.
func TestScopeAlgebra(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		sections, districts := []string{"s0", "s1", "s2"}, []string{"410802", "410825", "410000"}
		type filedAs struct {
			paper, page, section string
			districts            []string
		}
		model := map[string]filedAs{}
		for n := range 60 {
			key := []string{"a", "b"}[n%2]
			var ds []string
			for j, d := range districts {
				if n>>j&1 == 1 {
					ds = append(ds, d)
				}
			}
			in := filed(art(key, "2026-03-18", fmt.Sprint(n), n, fmt.Sprint("article ", n)), sections[n%3], ds...)
			in.Article.Page.Number = fmt.Sprintf("0%d", n%4+1)
			out, err := s.Ingest(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			model[out.ID] = filedAs{key, in.Article.Page.Number, sections[n%3], ds}
		}
		// Settle counts what is listed; these were never listed, so they are let out here.
		if _, err := s.w.Exec(`UPDATE articles SET release_at = 0`); err != nil {
			t.Fatal(err)
		}
		letOut(t, s, "a")
		letOut(t, s, "b")
		rapid.Check(t, func(rt *rapid.T) {
			some := func(name string, from []string) []string {
				list := slices.Clone(rapid.SliceOfNDistinct(rapid.SampledFrom(from), 0, 2, rapid.ID[string]).Draw(rt, name))
				slices.Sort(list)
				return list
			}
			sc := paper.Scope{Papers: some("papers", []string{"a", "b"}), Sections: some("sections", sections), Districts: some("districts", districts), NotSections: some("not sections", sections), NotDistricts: some("not districts", districts)}
			if len(sc.Papers) == 1 {
				sc.Pages = some("pages", []string{"01", "02", "03"})
			}
			any := func(want, have []string) bool {
				return slices.ContainsFunc(want, func(x string) bool { return slices.Contains(have, x) })
			}
			var want []string
			for id, f := range model {
				if len(sc.Papers) > 0 && !slices.Contains(sc.Papers, f.paper) || len(sc.Pages) > 0 && !slices.Contains(sc.Pages, f.page) ||
					len(sc.Sections) > 0 && !slices.Contains(sc.Sections, f.section) || len(sc.Districts) > 0 && !any(sc.Districts, f.districts) ||
					slices.Contains(sc.NotSections, f.section) || any(sc.NotDistricts, f.districts) {
					continue
				}
				want = append(want, id)
			}
			list, err := s.Items(t.Context(), paper.Public, sc, paper.Window{Limit: 200})
			if err != nil {
				rt.Fatal(err)
			}
			got := ids(list)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				rt.Fatalf("%s: %v, want %v", sc, got, want)
			}
			if !slices.IsSortedFunc(list, func(x, y paper.Item) int { return newer(key{x.Published.Unix(), x.ID}, key{y.Published.Unix(), y.ID}) }) {
				rt.Fatalf("%s: not newest first", sc)
			}
			// Paging through it gives the same.
			var paged []string
			w := paper.Window{Limit: 7, Before: time.Unix(1<<40, 0)}
			for {
				part, err := s.Items(t.Context(), paper.Public, sc, w)
				if err != nil {
					rt.Fatal(err)
				}
				if len(part) == 0 {
					break
				}
				paged = append(paged, ids(part)...)
				w.Before, w.BeforeID = part[len(part)-1].Published, part[len(part)-1].ID
			}
			if !slices.Equal(paged, ids(list)) {
				rt.Fatalf("%s: paged %v", sc, paged)
			}
		})
	})
}

func TestFeedWindow(t *testing.T) {
	c := newClock()
	s := open(t, filepath.Join(t.TempDir(), "p.db"), c)
	release := func(day paper.Day, n int) {
		var ins []Incoming
		for i := range n {
			ins = append(ins, art("a", day, fmt.Sprint(i), i, fmt.Sprint(day, i)))
		}
		take(t, s, false, ins...)
		r, err := s.Release(t.Context(), "a")
		if err != nil || r.Articles != n {
			t.Fatal(r, err)
		}
	}
	release("2026-03-16", 40)
	c.add(72 * time.Hour)
	release("2026-03-19", 30)
	if n := len(items(t, s, "all")); n != 50 {
		t.Errorf("newest 50: %d", n)
	}
	c.add(24 * time.Hour)
	release("2026-03-20", 60)
	if n := len(items(t, s, "all")); n != 90 {
		t.Errorf("all within 48 hours: %d", n)
	}
	c.add(time.Hour)
	release("2026-03-21", 150)
	if n := len(items(t, s, "all")); n != 200 {
		t.Errorf("at most 200: %d", n)
	}
}

func TestRightsAtTheGate(t *testing.T) {
	c := newClock()
	s := open(t, filepath.Join(t.TempDir(), "p.db"), c)
	in := art("a", "2026-03-18", "1", 0, "words")
	in.Article.Images = []paper.Image{{URL: "http://a.example/1.jpg"}, {URL: "http://a.example/2.jpg"}}
	in.Filing.Placing = paper.Placing{Reach: paper.ReachDistrict, Districts: []paper.Tag{{Code: "410825", Name: "温县", Tier: paper.Sure, Evidence: []paper.Evidence{{Text: "温县", Zone: "body"}, {Text: "温县", Zone: "title"}}}, {Code: "410803", Tier: paper.Likely}}}
	take(t, s, false, in)
	letOut(t, s, "a")
	see := func(r paper.Rights) paper.Item {
		i, err := s.Item(t.Context(), paper.View{Key: "x", Rights: r}, "a-20260318-1")
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	if i := see(paper.RightsFull); i.Text == "" || len(i.Images) != 2 || len(i.Districts) != 1 || len(i.Districts[0].Evidence) != 2 {
		t.Errorf("full: %+v", i)
	}
	if i := see(paper.RightsSummary); i.Text+i.HTML != "" || i.Summary == "" || len(i.Images) != 1 || len(i.Districts[0].Evidence) != 1 {
		t.Errorf("summary: %+v", i)
	}
	if i := see(paper.RightsHeadline); i.Text+i.HTML+i.Summary != "" || len(i.Images) != 0 || i.Headline == "" {
		t.Errorf("headline: %+v", i)
	}
}

func TestDueIsHandedOutOnce(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		d := dsn(t)
		one, two := open(t, d, c), open(t, d, c)
		var mu sync.Mutex
		got := map[string]int{}
		var wg sync.WaitGroup
		for _, s := range []*Store{one, two, one, two} {
			wg.Go(func() {
				keys, err := s.Due(context.Background())
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				for _, k := range keys {
					got[k]++
				}
			})
		}
		wg.Wait()
		if got["a"] != 1 || got["b"] != 1 {
			t.Errorf("handed out %v", got)
		}
		// One that was never done falls due again.
		c.add(claimFor + time.Second)
		if keys, err := two.Due(t.Context()); len(keys) != 2 || err != nil {
			t.Errorf("after the claim: %v %v", keys, err)
		}
		if err := one.Done(t.Context(), "a", c.now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		c.add(claimFor + time.Second)
		if keys, _ := one.Due(t.Context()); !slices.Equal(keys, []string{"b"}) {
			t.Errorf("after one was done: %v", keys)
		}
	})
}

func TestLease(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		ctx := t.Context()
		for _, step := range []struct {
			owner string
			wait  time.Duration
			want  error
		}{{"x", 0, nil}, {"y", 0, ErrBusy}, {"x", 8 * time.Second, nil}, {"y", 8 * time.Second, ErrBusy}, {"y", 3 * time.Second, nil}, {"x", 0, ErrBusy}} {
			c.add(step.wait)
			if err := s.Acquire(ctx, "host:h", step.owner, 10*time.Second); !errors.Is(err, step.want) {
				t.Fatalf("%+v: %v", step, err)
			}
		}
		if err := s.Drop(ctx, "host:h", "x"); err != nil {
			t.Fatal(err)
		}
		if err := s.Acquire(ctx, "host:h", "x", time.Second); !errors.Is(err, ErrBusy) {
			t.Fatal("gave back another's lease")
		}
	})
}

func TestPresentationRaisesEveryVersion(t *testing.T) {
	c := newClock()
	s := open(t, filepath.Join(t.TempDir(), "p.db"), c)
	take(t, s, false, art("a", "2026-03-18", "1", 0, "one"))
	letOut(t, s, "a")
	at := func() int64 { n, _, err := s.Changes(t.Context(), 0); _ = err; return n }
	before := at()
	configure(t, s, "a", "b")
	if at() != before {
		t.Error("the same configuration raised versions")
	}
	configure(t, s, "b") // a source taken out keeps its feeds as they are
	if at() != before || len(items(t, s, "paper/a")) != 1 {
		t.Error("taking a source out changed feeds")
	}
	if err := s.Configure(t.Context(), Setup{Papers: []paper.Paper{{Key: "a", Name: "新名", Zone: "Asia/Shanghai", Rights: paper.RightsFull}}}); err != nil {
		t.Fatal(err)
	}
	if at() == before {
		t.Error("a paper's new name raised nothing")
	}
}

func TestCompleteness(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		day := paper.Day("2026-03-18")
		l := Listing{Source: "a", Paper: "a", Day: day, Pages: []paper.EditionPage{{PageRef: paper.PageRef{Number: "01", Name: "要闻"}, Areas: []paper.Area{{Article: "1", Coords: "0,0,1,1"}, {Article: "2", Coords: "2,2,3,3"}}}}}
		for i := range 3 {
			l.Refs = append(l.Refs, Listed{Origin: fmt.Sprint(i + 1), URL: "u" + fmt.Sprint(i+1), Page: "01", Ordinal: i})
		}
		todo, _, err := s.List(t.Context(), l)
		if err != nil || len(todo) != 3 {
			t.Fatal(todo, err)
		}
		if _, err := s.Ingest(t.Context(), art("a", day, "1", 0, "one")); err != nil {
			t.Fatal(err)
		}
		if err := s.Failed(t.Context(), "a", day, "2", "404"); err != nil {
			t.Fatal(err)
		}
		settle := func() {
			t.Helper()
			if err := s.Settle(t.Context(), "a", "a", day, l.Pages, 0); err != nil {
				t.Fatal(err)
			}
			c.add(time.Minute)
			letOut(t, s, "a")
		}
		settle()
		e, err := s.Edition(t.Context(), paper.Public, "a", day)
		if err != nil {
			t.Fatal(err)
		}
		p := e.Pages[0]
		if e.State != paper.EditionPartial || p.Listed != 3 || p.Read != 1 || p.Failed != 1 || len(p.Areas) != 1 || p.Areas[0].Article != "a-20260318-1" {
			t.Errorf("%+v", e)
		}
		if todo, resting, _ := s.List(t.Context(), l); len(todo) != 1 || resting != 1 {
			t.Errorf("what failed rests: %+v %d", todo, resting)
		}
		c.add(2 * time.Minute)
		if todo, resting, _ := s.List(t.Context(), l); len(todo) != 2 || todo[1].Index != 1 || resting != 0 {
			t.Errorf("and is tried last: %+v %d", todo, resting)
		}
		for i, w := range []string{"two", "three"} {
			if _, err := s.Ingest(t.Context(), art("a", day, fmt.Sprint(i+2), i+1, w)); err != nil {
				t.Fatal(err)
			}
		}
		settle()
		if e, _ = s.Edition(t.Context(), paper.Public, "a", day); e.State != paper.EditionComplete || e.Articles != 3 || len(e.Pages[0].Areas) != 2 {
			t.Errorf("%+v", e)
		}
	})
}

func BenchmarkIngest(b *testing.B) {
	c := newClock()
	s := open(b, filepath.Join(b.TempDir(), "p.db"), c)
	body := strings.Repeat("一段关于县区的新闻正文，讲的是今天发生的事。", 60)
	n := 0
	for b.Loop() {
		in := filed(art("a", paper.Day("2026-01-01").Add(n/100), fmt.Sprint(n), n%100, fmt.Sprint("article ", n)), "yaowen", "410825", "410800", "410000")
		in.Article.Text, in.Article.HTML = body, "<p>"+body+"</p>"
		if _, err := s.Ingest(b.Context(), in); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "articles/s")
}

func BenchmarkNewest(b *testing.B) {
	c := newClock()
	s := open(b, filepath.Join(b.TempDir(), "p.db"), c)
	for d := range 20 {
		var ins []Incoming
		for i := range 50 {
			ins = append(ins, filed(art("a", paper.Day("2026-03-18").Add(d), fmt.Sprint(i), i, fmt.Sprint(d, i)), "yaowen", "410825", "410800", "410000"))
		}
		take(b, s, false, ins...)
		letOut(b, s, "a")
		c.add(24 * time.Hour)
	}
	sc, _ := paper.ParseScope("district/410825")
	for b.Loop() {
		if _, err := s.Items(b.Context(), paper.Public, sc, paper.Window{}); err != nil {
			b.Fatal(err)
		}
	}
}

// The list of changed cards holds every article once, where its present version came
// to be, in the order in which changes became visible.
func TestChanged(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		day := paper.Day("2026-03-18")
		changed := func(seq int64, id string, n int) (list []string, last paper.Change) {
			t.Helper()
			changes, err := s.Changed(t.Context(), paper.Public, seq, id, n)
			if err != nil {
				t.Fatal(err)
			}
			for i, x := range changes {
				if i > 0 && (x.Seq < last.Seq || x.Seq == last.Seq && x.Item.ID <= last.Item.ID) {
					t.Errorf("%d %s after %d %s", x.Seq, x.Item.ID, last.Seq, last.Item.ID)
				}
				list, last = append(list, fmt.Sprintf("%s %d %s", x.Item.ID, x.Item.Version, x.Item.State)), x
			}
			return list, last
		}
		if list, _ := changed(0, "", 10); len(list) != 0 {
			t.Fatal(list)
		}
		take(t, s, false, art("a", day, "1", 0, "secret one"), art("a", day, "2", 1, "two"), art("a", day, "3", 2, "three"))
		if list, _ := changed(0, "", 10); len(list) != 0 {
			t.Fatalf("ingested, and listed: %v", list)
		}
		letOut(t, s, "a")
		// In one transaction, so by id; a page ends in the middle of it.
		list, last := changed(0, "", 2)
		rest, end := changed(last.Seq, last.Item.ID, 2)
		if got := append(list, rest...); !slices.Equal(got, []string{"a-20260318-1 1 live", "a-20260318-2 1 live", "a-20260318-3 1 live"}) {
			t.Fatal(got)
		}
		c.add(time.Hour)
		noon := c.now()
		c.add(time.Minute)
		if err := s.Withdraw(t.Context(), "a-20260318-1", "court order"); err != nil {
			t.Fatal(err)
		}
		letOut(t, s, "a")
		c.add(time.Hour)
		in := art("a", day, "2", 1, "two, mended")
		in.Similar = func(paper.Article, paper.Article) bool { return true }
		take(t, s, false, in, art("a", day, "3", 2, "three"))
		letOut(t, s, "a")
		// A paper whose dates are older comes later, and is found behind what was read.
		take(t, s, true, art("b", "2026-01-02", "1", 0, "history"))
		letOut(t, s, "b")
		want := []string{"a-20260318-1 2 withdrawn", "a-20260318-2 2 live", "b-20260102-1 1 live"}
		if list, _ := changed(end.Seq, end.Item.ID, 10); !slices.Equal(list, want) {
			t.Errorf("%v, want %v", list, want)
		}
		at, err := s.OutboxAt(t.Context(), noon)
		if list, _ := changed(at.Seq+1, "", 10); err != nil || !slices.Equal(list, want) {
			t.Errorf("from an instant: %v, want %v; %v", list, want, err)
		}
		if list, _ := changed(0, "", 10); !slices.Equal(list, append([]string{"a-20260318-3 1 live"}, want...)) {
			t.Errorf("from the beginning: %v", list)
		}
		changes, err := s.Changed(t.Context(), paper.View{Key: "x", Rights: paper.RightsHeadline}, 0, "", 10)
		if err != nil || changes[0].Item.Text != "" || strings.Contains(encode(changes), "secret") {
			t.Errorf("the gate was passed by: %+v %v", changes, err)
		}
	})
}
