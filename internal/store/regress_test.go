package store

// What a hostile reading of the store found once, and must not come back.

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"paperwire/internal/paper"
)

const rd = paper.Day("2026-03-18")

func TestSwap(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(t testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		a, b, d := art("a", rd, "1_1", 0, "甲文内容"), art("a", rd, "1_2", 1, "乙文内容"), art("a", rd, "1_3", 2, "丙文内容")
		a.Positional, b.Positional, d.Positional = true, true, true
		take(t, s, false, a, b, d)
		letOut(t, s, "a")
		t.Log(ids(items(t, s, "all")))
		c.add(time.Hour)
		// the publisher drops the first article: the rest move up
		b2, d2 := art("a", rd, "1_1", 0, "乙文内容"), art("a", rd, "1_2", 1, "丙文内容")
		b2.Positional, d2.Positional = true, true
		takeMarked(t, s, "m2", b2, d2)
		c.add(time.Hour)
		letOut(t, s, "a")
		got := map[string]int{}
		for _, i := range items(t, s, "all") {
			got[i.Headline]++
			t.Log(i.ID, i.Headline)
		}
		for h, n := range got {
			if n > 1 {
				t.Errorf("%s stands %d times", h, n)
			}
		}
	})
}

func takeMarked(t testing.TB, s *Store, mark string, ins ...Incoming) []Outcome {
	t.Helper()
	l := Listing{Source: ins[0].Article.Source, Paper: ins[0].Article.Paper, Day: ins[0].RefDay, Pages: []paper.EditionPage{{PageRef: paper.PageRef{Number: "01"}}}}
	for _, in := range ins {
		l.Refs = append(l.Refs, Listed{Origin: in.Origin, URL: in.Article.URL, Page: in.Article.Page.Number, Ordinal: in.Article.Ordinal, Mark: mark})
	}
	todo, _, err := s.List(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	var out []Outcome
	for _, x := range todo {
		in := ins[x.Index]
		in.Mark = mark
		o, err := s.Ingest(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, o)
	}
	if err := s.Settle(t.Context(), l.Source, l.Paper, l.Day, l.Pages, 0); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestUnrelease(t *testing.T) {
	needPostgres(t)
	ctx := t.Context()
	c := newClock()
	dsn := freshPostgres(t)
	s := open(t, dsn, c)
	a := art("a", rd, "1_1", 0, "甲文内容")
	b := art("a", rd, "1_2", 1, "乙文内容")
	take(t, s, false, a, b)
	locker, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer locker.Close(ctx)
	lt, _ := locker.Begin(ctx)
	if _, err := lt.Exec(ctx, `SELECT 1 FROM articles WHERE id = 'a-20260318-1_1' FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	rel := make(chan error, 1)
	go func() { _, err := s.Release(ctx, "a"); rel <- err }()
	time.Sleep(400 * time.Millisecond)
	ing := make(chan error, 1)
	a2 := art("a", rd, "1_1", 0, "甲文内容")
	a2.Hash = "changed"
	go func() { _, err := s.Ingest(ctx, a2); ing <- err }()
	time.Sleep(400 * time.Millisecond)
	lt.Rollback(ctx)
	t.Log("release:", <-rel, "ingest:", <-ing)
	t.Log("feed now:", ids(items(t, s, "all")))
	for range 3 {
		c.add(time.Minute)
		_, err := s.Release(ctx, "a")
		t.Log("next release:", err)
		if err != nil {
			t.Fail()
		}
	}
	// anything new in the paper
	take(t, s, false, art("a", rd, "1_3", 2, "丁文内容"))
	c.add(time.Minute)
	_, err = s.Release(ctx, "a")
	t.Log("release of a new article:", err, ids(items(t, s, "all")))
}

func TestTwinRace(t *testing.T) {
	needPostgres(t)
	ctx := t.Context()
	c := newClock()
	dsn := freshPostgres(t)
	s := open(t, dsn, c)
	dup := 0
	for n := range 30 {
		w := fmt.Sprintf("同一篇%d", n)
		x, y := art("a", rd, fmt.Sprintf("1_%d", n), 0, w), art("a", rd, fmt.Sprintf("9_%d", n), 0, w)
		y.Article.Source = "a2"
		y.Article.URL += "/other"
		ch := make(chan Outcome, 2)
		for _, in := range []Incoming{x, y} {
			go func() {
				o, err := s.Ingest(ctx, in)
				if err != nil {
					t.Error(err)
				}
				ch <- o
			}()
		}
		if o, p := <-ch, <-ch; o.ID != p.ID {
			dup++
		}
	}
	if dup > 0 {
		t.Errorf("%d of 30 articles got two ids", dup)
	}
}

func TestWithheldComesBack(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir()+"/p.db", c)
	a := art("a", rd, "1_1", 0, "甲文内容")
	l := Listing{Source: "a", Paper: "a", Day: rd, Refs: []Listed{{Origin: "1_1", URL: a.Article.URL}}}
	s.List(t.Context(), l)
	s.Ingest(t.Context(), a)
	s.Settle(t.Context(), "a", "a", rd, nil, 30*time.Minute)
	if err := s.Withdraw(t.Context(), "a-20260318-1_1", "the editor"); err != nil { // the editor steps in
		t.Fatal(err)
	}
	a.Hash = "typo mended by the publisher"
	s.Ingest(t.Context(), a)
	c.add(time.Hour)
	r, err := s.Release(t.Context(), "a")
	if err != nil || r.Articles > 0 || len(items(t, s, "all")) > 0 {
		t.Errorf("withheld article released: %+v %v", r, err)
	}
}

func TestRevertedBeforeRelease(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir()+"/p.db", c)
	a := art("a", rd, "1_1", 0, "甲文内容")
	take(t, s, false, a)
	letOut(t, s, "a")
	was := items(t, s, "all")[0]
	c.add(time.Hour)
	b := a
	b.Hash = "wrong"
	takeMarked(t, s, "1", b)
	takeMarked(t, s, "2", a) // back before the release (hold, or no free second)
	c.add(time.Hour)
	letOut(t, s, "a")
	if now := items(t, s, "all")[0]; !now.Updated.Equal(was.Updated) {
		t.Errorf("updated moved from %v to %v, version %d, content as before", was.Updated, now.Updated, now.Version)
	}
}

func TestStalePapers(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(t testing.TB) string) {
		c := newClock()
		d := dsn(t)
		s := open(t, d, c)
		take(t, s, false, art("a", rd, "1_1", 0, "甲文内容"))
		letOut(t, s, "a")
		other, err := Open(t.Context(), d, Options{Now: c.now})
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		items(t, s, "all") // warm
		setup := Setup{Papers: []paper.Paper{{Key: "a", Name: "新名", Zone: "Asia/Shanghai", Rights: paper.RightsHeadline}}}
		seq0, _, _ := s.Changes(t.Context(), 0)
		if err := other.Configure(t.Context(), setup); err != nil {
			t.Fatal(err)
		}
		seq, _, err := s.Changes(t.Context(), seq0)
		if err != nil || seq == seq0 {
			t.Fatal("not told", err)
		}
		i := items(t, s, "all")[0]
		if i.PaperName != "新名" || i.Text != "" {
			t.Errorf("at sequence %d this process renders %q, rights %s, %d bytes of text", seq, i.PaperName, i.Rights, len(i.Text))
		}
	})
}

func TestNotices(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir()+"/p.db", c)
	a := filed(art("a", rd, "1_1", 0, "甲文内容"), "yaowen", "410825")
	take(t, s, false, a)
	letOut(t, s, "a")
	c.add(time.Hour)
	// refiled: another district, and now an advertisement
	b := filed(a, "ads", "410803")
	b.Hash = "2"
	b.Article.Page.Number = "02"
	takeMarked(t, s, "2", b)
	letOut(t, s, "a")
	if got := ids(items(t, s, "district/410803/-section/ads")); len(got) > 0 {
		t.Errorf("a feed without ads holds what it never carried and excludes: %v", got)
	}
	if got := ids(items(t, s, "paper/a/page/01")); len(got) == 0 {
		t.Errorf("page 01 carried it and does not hear of the correction")
	}
}

func TestManyNotices(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir()+"/p.db", c)
	var ins []Incoming
	for n := range 260 {
		ins = append(ins, art("a", rd, fmt.Sprintf("1_%d", n), n, fmt.Sprintf("第%d文内容", n)))
	}
	take(t, s, false, ins...)
	letOut(t, s, "a")
	c.add(time.Hour)
	if err := s.Withdraw(t.Context(), "a-20260318-1_259", ""); err != nil {
		t.Fatal(err)
	}
	for n := range 259 {
		ins[n].Hash += "x"
	}
	takeMarked(t, s, "2", ins[:259]...)
	letOut(t, s, "a")
	list := items(t, s, "paper/a")
	for _, i := range list {
		if i.State == paper.Withdrawn {
			return
		}
	}
	t.Errorf("%d items, the withdrawal of an hour ago is not among them", len(list))
}

func TestWithdrawalWaits(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir()+"/p.db", c)
	a := art("a", rd, "1_1", 0, "甲文内容")
	take(t, s, false, a)
	letOut(t, s, "a")
	s.Withdraw(t.Context(), "a-20260318-1_1", "the editor")
	a.Hash = "2"
	s.Ingest(t.Context(), a) // a look under way reads a correction
	c.add(24 * time.Hour)
	r, err := s.Release(t.Context(), "a")
	if err != nil || r.Articles != 1 {
		t.Errorf("a day later the withdrawal is not released: %+v %v", r, err)
	}
}

func TestBatchWait(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir()+"/p.db", c)
	var ins []Incoming
	for n := range 1200 {
		ins = append(ins, art("a", rd, fmt.Sprintf("1_%d", n), n, fmt.Sprintf("第%d文内容", n)))
	}
	take(t, s, false, ins...)
	r, err := s.Release(t.Context(), "a")
	t.Log(r, err)
	if r.Articles < 1200 && r.Wait == 0 {
		t.Errorf("%d of 1200 released, Wait 0: fetch stops here", r.Articles)
	}
}

func TestHistorySameSecond(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir()+"/p.db", c)
	at := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for round := range 3 {
		var ins []Incoming
		for n := range 200 {
			in := art("a", "", fmt.Sprintf("%d_%d", round, n), n, fmt.Sprintf("轮%d第%d文内容", round, n))
			in.Article.Day, in.Article.Dated, in.History = "2020-01-01", at, true
			ins = append(ins, in)
		}
		take(t, s, true, ins...)
		letOut(t, s, "a")
	}
	var n, d int
	s.r.QueryRow(`SELECT COUNT(*), COUNT(DISTINCT published) FROM articles`).Scan(&n, &d)
	if n != d {
		t.Errorf("%d articles, %d instants", n, d)
	}
}

func TestFeedSameLink(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir()+"/p.db", c)
	x, y := art("a", "", "guid1", 0, "星期一的菜价"), art("a", "", "guid2", 1, "星期二的菜价")
	for _, in := range []*Incoming{&x, &y} {
		in.Article.Headline, in.Article.URL, in.Article.Day = "每日菜价", "http://a.example/prices", rd
	}
	take(t, s, false, x, y)
	letOut(t, s, "a")
	if got := items(t, s, "all"); len(got) != 2 {
		t.Errorf("two items with two guids became %v", ids(got))
	}
}

func TestHoldNeverEnds(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir()+"/p.db", c)
	a := art("a", "", "g1", 0, "甲文内容")
	take(t, s, false, a)
	letOut(t, s, "a")
	n := 0
	for h := range 48 { // half a day, looked at every 15 minutes, hold 30 minutes
		a.Hash = fmt.Sprint("read by ", h)
		l := Listing{Source: "a", Paper: "a", Refs: []Listed{{Origin: "g1", URL: a.Article.URL, Mark: a.Hash}}}
		s.List(t.Context(), l)
		a.Mark = a.Hash
		s.Ingest(t.Context(), a)
		s.Settle(t.Context(), "a", "a", "", nil, 30*time.Minute)
		c.add(15 * time.Minute)
		n += letOut(t, s, "a").Articles
	}
	if n == 0 {
		t.Error("no correction got out in twelve hours")
	}
}

func TestPostgresText(t *testing.T) {
	needPostgres(t)
	c := newClock()
	s := open(t, freshPostgres(t), c)
	b := make([]byte, 3000)
	rand.Read(b)
	long := art("a", rd, "1", 0, "长")
	long.Article.URL = "http://a.example/?" + hex.EncodeToString(b)
	_, err := s.Ingest(t.Context(), long)
	t.Log("long URL:", err)
	guid := art("a", "", "2", 0, "长2")
	guid.Also = []string{hex.EncodeToString(b)}
	_, err = s.Ingest(t.Context(), guid)
	t.Log("long guid:", err)
	err = s.Remember(t.Context(), "http://x/?"+hex.EncodeToString(b), "", "", "", "")
	t.Log("remember:", err)
	err = s.Failed(t.Context(), "a", rd, "1", "bad \xff\x00 byte")
	t.Log("failed with raw bytes:", err)
	err = s.Report(t.Context(), "a", "failing", "bad \xff byte", "")
	t.Log("report with raw bytes:", err)
	_, _, err = s.List(t.Context(), Listing{Source: "a", Paper: "a", Day: rd, Refs: []Listed{{Origin: "x", URL: "http://a/\x00"}}})
	t.Log("NUL in URL:", err)
	nul := art("a", rd, "3", 0, "文")
	nul.Mark = "标\x00题"
	_, err = s.Ingest(t.Context(), nul)
	t.Log("NUL in title:", err)
	sec := art("a", rd, "4", 0, "文4")
	sec.Filing.Sections = []paper.Section{{Slug: "x", Name: "名\x00"}}
	_, err = s.Ingest(t.Context(), sec)
	t.Log("NUL in section:", err)
}

func TestHiccup(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir()+"/p.db", c)
	a := art("a", rd, "1", 0, "甲文内容")
	take(t, s, false, a)
	letOut(t, s, "a")
	c.add(time.Hour)
	s.Withdraw(t.Context(), "a-20260318-1", "")
	b := a
	b.Hash, b.Article.Subtitle = "corrected", "更正"
	for n := range 3 {
		takeMarked(t, s, string(rune('p'+n)), b)
		c.add(time.Hour)
		letOut(t, s, "a")
	}
	if got := items(t, s, "all")[0]; got.Subtitle != "更正" {
		t.Errorf("state %s version %d subtitle %q", got.State, got.Version, got.Subtitle)
	}
}

// What an editor filed in a scope and took out again before its next version is told
// of there too: so is a correction, and a withdrawal.
func TestMovedTwice(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(t testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		first := filed(art("a", rd, "1", 0, "甲文内容"), "yaowen", "410825", "410800")
		take(t, s, false, first, filed(art("a", rd, "2", 1, "乙文内容"), "yaowen", "410825", "410800"))
		letOut(t, s, "a")
		c.add(time.Hour)
		id := "a-20260318-1"
		for _, to := range []string{"410823", "410883"} {
			if _, err := s.Refile(t.Context(), "a", []Move{{ID: id, Filing: filed(first, "yaowen", to, "410800").Filing}}, nil, nil); err != nil {
				t.Fatal(err)
			}
			c.add(time.Hour)
		}
		for _, change := range []struct {
			do    func()
			state paper.ItemState
		}{
			{func() {
				again := filed(art("a", rd, "1", 0, "甲文更正"), "yaowen", "410883", "410800")
				takeMarked(t, s, "m2", again, filed(art("a", rd, "2", 1, "乙文内容"), "yaowen", "410825", "410800"))
			}, paper.Live},
			{func() {
				if err := s.Withdraw(t.Context(), id, ""); err != nil {
					t.Fatal(err)
				}
			}, paper.Withdrawn},
		} {
			change.do()
			c.add(time.Hour)
			letOut(t, s, "a")
			// In 410823 it stood only between the two moves.
			for scope, want := range map[string]bool{
				"district/410825": true, "district/410823": true, "district/410883": true, "district/410802": false,
				"section/yaowen/district/410823": true, "section/minsheng/district/410823": false,
				"paper/a/district/410823/page/01": true, "paper/a/district/410823/page/02": false,
				"district/410800/-district/410823": true, "district/410825/-section/yaowen": false,
			} {
				held := false
				for _, i := range items(t, s, scope) {
					held = held || i.ID == id && i.State == change.state && i.Version > 1
				}
				if held != want {
					t.Errorf("%s after a change to %s: told %t, want %t", scope, change.state, held, want)
				}
			}
		}
	})
}

// Last-Modified of whatever is made of several parts rises with each change: within
// a second, by a clock that is behind, and by a new configuration.
func TestRisenNeverStandsStill(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(t testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		modified := func(named ...string) (at time.Time) {
			t.Helper()
			_, all, err := s.Changes(t.Context(), 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range all {
				if slices.Contains(named, p.Part) && p.At.After(at) {
					at = p.At
				}
			}
			return at
		}
		take(t, s, false, art("a", rd, "1", 0, "one"))
		letOut(t, s, "a")
		if at := modified("all"); !at.Equal(c.now()) {
			t.Errorf("risen at %s, now is %s", at, c.now())
		}
		was := modified("paper/a", "paper/b")
		rose := func(what string) {
			t.Helper()
			at := modified("paper/a", "paper/b")
			if !at.After(was) {
				t.Errorf("%s: at %s, before it %s", what, at, was)
			}
			was = at
		}
		take(t, s, false, art("b", rd, "1", 0, "two"))
		letOut(t, s, "b")
		rose("another paper in the same second")
		if _, err := s.Refile(t.Context(), "b", []Move{{ID: "b-20260318-1"}}, nil, nil); err != nil {
			t.Fatal(err)
		}
		rose("the same paper in the same second")
		c.add(-30 * time.Second)
		if _, err := s.Refile(t.Context(), "a", []Move{{ID: "a-20260318-1"}}, nil, nil); err != nil {
			t.Fatal(err)
		}
		rose("by a slower clock")
		if err := s.Configure(t.Context(), Setup{Presentation: "other"}); err != nil {
			t.Fatal(err)
		}
		rose("configured")
	})
}

// What the publisher lost before it was out, and has again, comes out like a new one;
// what an editor keeps back does not.
func TestLostBeforeItsRelease(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(t testing.TB) string) {
		for _, words := range []string{"one", "mended"} {
			for _, why := range []string{"", "editor: no"} {
				c := newClock()
				s := open(t, dsn(t), c)
				in := art("a", rd, "1", 0, "one")
				look := func(in Incoming) Outcome {
					t.Helper()
					if _, _, err := s.List(t.Context(), Listing{Source: "a", Paper: "a", Day: rd, Refs: []Listed{{Origin: "1", URL: in.Article.URL}}}); err != nil {
						t.Fatal(err)
					}
					out, err := s.Ingest(t.Context(), in)
					if err != nil {
						t.Fatal(err)
					}
					if err := s.Settle(t.Context(), "a", "a", rd, nil, 30*time.Minute); err != nil {
						t.Fatal(err)
					}
					return out
				}
				look(in)
				c.add(20 * time.Minute)
				if err := s.Withdraw(t.Context(), "a-20260318-1", why); err != nil {
					t.Fatal(err)
				}
				letOut(t, s, "a")
				in = art("a", rd, "1", 0, words)
				in.Similar = nil
				if out := look(in); why == "" && out.Result != Changed {
					t.Errorf("%s: ingest came to %s", words, out.Result)
				}
				c.add(29 * time.Minute)
				if r := letOut(t, s, "a"); r.Articles != 0 {
					t.Errorf("%s: released within the hold", words)
				}
				c.add(2 * time.Minute)
				letOut(t, s, "a")
				got := items(t, s, "all")
				if why != "" {
					if len(got) > 0 {
						t.Errorf("%s: what an editor keeps back came out", words)
					}
				} else if len(got) != 1 || got[0].Headline != "题 "+words || got[0].Version != 1 {
					t.Errorf("%s: %+v", words, got)
				}
			}
		}
	})
}

// A page printed b02 is the scope page/B02: in feeds, notices, archives and drips.
func TestPageWithoutRegardToCase(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(t testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		d := &paper.Drip{Pace: time.Hour, Max: 2}
		window(t, s, "paper/a/page/B02", paper.Window{Drip: d})
		in := art("a", rd, "1", 0, "one")
		in.Article.Page.Number = "b02"
		take(t, s, false, in)
		letOut(t, s, "a")
		tickDrip(t, s)
		for _, scope := range []string{"paper/a/page/b02", "paper/a/page/B02,C01"} {
			got := items(t, s, scope)
			if len(got) != 1 || got[0].Page.Number != "b02" {
				t.Errorf("%s: %+v", scope, got)
			}
		}
		if got := window(t, s, "paper/a/page/B02", paper.Window{Drip: d}); len(got) != 1 {
			t.Errorf("drip: %v", ids(got))
		}
		closeDays(t, s)
		if got, _ := archiveOf(t, s, "paper/a/page/B02", rd); len(got) != 1 {
			t.Errorf("archive: %v", got)
		}
		c.add(time.Minute)
		if err := s.Withdraw(t.Context(), "a-20260318-1", ""); err != nil {
			t.Fatal(err)
		}
		letOut(t, s, "a")
		if got := items(t, s, "paper/a/page/B02"); len(got) != 1 || got[0].State != paper.Withdrawn {
			t.Errorf("notice: %v", ids(got))
		}
	})
}

// After a wrong clock new articles wait until the time has caught up. What is taken
// down is taken down at once, and comes back at once: its updated is above all that
// was told before, in whole seconds, and what waited comes out when its time comes.
func TestWithdrawalAfterAWrongClock(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(t testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		c.add(time.Hour) // ahead
		one, two, three := art("a", rd, "1", 0, "one"), art("a", rd, "2", 1, "two"), art("a", rd, "3", 2, "three")
		take(t, s, false, one, two)
		letOut(t, s, "a")
		stamp := c.now()
		c.add(-time.Hour)
		take(t, s, false, one, two, three)
		for _, id := range []string{"a-20260318-1", "a-20260318-2"} {
			if err := s.Withdraw(t.Context(), id, ""); err != nil {
				t.Fatal(err)
			}
		}
		if r := letOut(t, s, "a"); r.Articles != 2 || r.Wait < time.Hour {
			t.Fatalf("%+v", r)
		}
		updated := map[time.Time]bool{}
		look := func(state paper.ItemState, n int, last time.Time) {
			t.Helper()
			list := items(t, s, "all")
			if len(list) != n {
				t.Fatalf("holds %v", ids(list))
			}
			for _, i := range list {
				if i.State != state || !i.Updated.After(last) || updated[i.Updated] || i.Updated.Nanosecond() != 0 || i.Published.After(stamp) {
					t.Errorf("%s %s, published %s, updated %s", i.ID, i.State, i.Published, i.Updated)
				}
				updated[i.Updated] = true
			}
		}
		look(paper.Withdrawn, 2, stamp)
		for _, id := range []string{"a-20260318-1", "a-20260318-2"} {
			if err := s.Decide(t.Context(), paper.Decision{Article: id, Action: paper.RestoreHand, Who: "x", Why: "y"}); err != nil {
				t.Fatal(err)
			}
		}
		if r := letOut(t, s, "a"); r.Articles != 2 {
			t.Fatalf("%+v", r)
		}
		look(paper.Live, 2, stamp.Add(2*time.Second))
		r := letOut(t, s, "a")
		c.add(r.Wait - time.Second)
		if letOut(t, s, "a").Articles != 0 {
			t.Error("released too early")
		}
		c.add(time.Second)
		if r := letOut(t, s, "a"); r.Articles != 1 || r.Wait != 0 {
			t.Errorf("when the time has caught up: %+v", r)
		}
		if i, err := s.Item(t.Context(), paper.Public, "a-20260318-3"); err != nil || !i.Published.After(stamp.Add(4*time.Second)) {
			t.Errorf("%s %v", i.Published, err)
		}
	})
}

// No stored key holds NUL or broken UTF-8, so whoever asks for one hears that it is
// not there, whatever the database thinks of it.
func TestKeysThatCannotBe(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(t testing.TB) string) {
		c := newClock()
		s, ctx := open(t, dsn(t), c), t.Context()
		take(t, s, false, art("a", rd, "1", 0, "one"))
		letOut(t, s, "a")
		for _, key := range []string{"a\x00b", "a\xffb"} {
			for what, ask := range map[string]func() error{
				"item":      func() error { _, err := s.Item(ctx, paper.Public, key); return err },
				"edition":   func() error { _, err := s.Edition(ctx, paper.Public, key, rd); return err },
				"day":       func() error { _, err := s.Edition(ctx, paper.Public, "a", paper.Day(key)); return err },
				"editions":  func() error { _, err := s.Editions(ctx, paper.Public, key, 5); return err },
				"changes":   func() error { _, err := s.Changed(ctx, paper.Public, 0, key, 5); return err },
				"picture":   func() error { _, err := s.Picture(ctx, paper.Public, key); return err },
				"blob":      func() error { _, _, err := s.Blob(ctx, key); return err },
				"subject":   func() error { _, err := s.Subject(ctx, key); return err },
				"decisions": func() error { _, err := s.Decisions(ctx, key, 5); return err },
				"receiver":  func() error { _, err := s.Receiver(ctx, key); return err },
				"receivers": func() error { _, err := s.Receivers(ctx, paper.Webhook, key, 5); return err },
				"dropped":   func() error { return s.DropReceiver(ctx, key) },
				"decide": func() error {
					return s.Decide(ctx, paper.Decision{Article: key, Action: paper.WithdrawHand, Who: "x", Why: "y"})
				},
				"items before": func() error {
					_, err := s.Items(ctx, paper.Public, paper.Scope{}, paper.Window{Limit: 5, Before: c.now(), BeforeID: key})
					return err
				},
			} {
				if err := ask(); !errors.Is(err, paper.ErrNotFound) {
					t.Errorf("%s of %q: %v", what, key, err)
				}
			}
			if got := ids(window(t, s, "all", paper.Window{IDs: []string{key, "a-20260318-1"}})); len(got) != 1 {
				t.Errorf("named beside %q: %v", key, got)
			}
		}
	})
}
