package store

import (
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"paperwire/internal/paper"
)

func closeDays(t testing.TB, s *Store) int {
	t.Helper()
	n, err := s.CloseDays(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func archiveOf(t testing.TB, s *Store, scope string, day paper.Day) ([]string, paper.Archive) {
	t.Helper()
	sc, err := paper.ParseScope(scope)
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.Archive(t.Context(), paper.Public, sc, day)
	if err != nil {
		t.Fatal(err)
	}
	if day == "" {
		return nil, a
	}
	return ids(window(t, s, scope, paper.Window{Day: day, Archive: true})), a
}

// A closed day stays as it was: nothing joins or leaves, a correction rewrites, a
// withdrawn article stands in its place for ever.
func TestClosedDay(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		const day = paper.Day("2026-03-18")
		one := filed(art("a", day, "1", 0, "one"), "yaowen", "410825")
		two := filed(art("a", day, "2", 1, "two"), "yaowen", "410825")
		three := filed(art("a", day, "3", 2, "three"), "wenhua", "410803")
		take(t, s, false, one, two, three)
		if n := closeDays(t, s); n != 0 {
			t.Fatalf("%d days closed before anything was out", n)
		}
		letOut(t, s, "a")
		all := []string{"a-20260318-1", "a-20260318-2", "a-20260318-3"}
		check := func(what, scope string, closed bool, want ...string) {
			t.Helper()
			got, a := archiveOf(t, s, scope, day)
			if !slices.Equal(got, want) || a.Closed != closed || a.Closed != !a.At.IsZero() || a.Holds != (len(want) > 0) {
				t.Errorf("%s, %s: %v %+v, want %v closed %v", what, scope, got, a, want, closed)
			}
		}
		check("open", "all", false, all...)
		// Something waits: a correction.
		c.add(time.Minute)
		take(t, s, false, one, filed(art("a", day, "2", 1, "two, mended"), "yaowen", "410825"), three)
		if n := closeDays(t, s); n != 0 {
			t.Error("closed while a correction waits")
		}
		letOut(t, s, "a")
		c.add(steadyFor)
		take(t, s, false, one, filed(art("a", day, "2", 1, "two, mended"), "yaowen", "410825"), three)
		events, before := outbox(t, s), parts(t, s)
		if n := closeDays(t, s); n != 1 {
			t.Fatalf("closed %d days", n)
		}
		if n := closeDays(t, s); n != 0 {
			t.Errorf("closed %d days again", n)
		}
		if outbox(t, s) != events+1 {
			t.Errorf("%d events, want %d", outbox(t, s), events+1)
		}
		var kind, article, evParts, evDay string
		if err := s.r.QueryRow(`SELECT kind, article, day, parts FROM outbox ORDER BY seq DESC, n DESC LIMIT 1`).Scan(&kind, &article, &evDay, &evParts); err != nil {
			t.Fatal(err)
		}
		if kind != string(paper.EditionClosed) || article != "" || evDay != string(day) || evParts != `["district/410803","district/410825","section/wenhua","section/yaowen"]` {
			t.Errorf("event %s %q %s %s", kind, article, evDay, evParts)
		}
		for _, part := range []string{"all", "paper/a", "district/410825", "section/wenhua"} {
			if parts(t, s)[part] <= before[part] {
				t.Errorf("%s did not rise", part)
			}
		}
		check("closed", "all", true, all...)
		check("closed", "district/410825", true, "a-20260318-1", "a-20260318-2")

		// A late article, one that is filed elsewhere, one withdrawn.
		c.add(time.Hour)
		take(t, s, false, one, filed(art("a", day, "2", 1, "two, mended"), "yaowen", "410825"), three, filed(art("a", day, "4", 3, "late"), "yaowen", "410825"))
		letOut(t, s, "a")
		moved := three.Filing
		moved.Sections, moved.Districts = []paper.Section{{Slug: "yaowen", Name: "要闻"}}, []string{"410825"}
		if _, err := s.Refile(t.Context(), "a", []Move{{ID: "a-20260318-3", Filing: moved}}, nil, nil); err != nil {
			t.Fatal(err)
		}
		if err := s.Withdraw(t.Context(), "a-20260318-1", ""); err != nil {
			t.Fatal(err)
		}
		c.add(time.Hour)
		letOut(t, s, "a")
		closeDays(t, s)
		for range 2 {
			check("after", "all", true, all...)
			check("after", "district/410825", true, "a-20260318-1", "a-20260318-2")
			check("after", "district/410803", true, "a-20260318-3")
			check("after", "section/wenhua/-district/410825", true, "a-20260318-3")
			check("after", "paper/a/page/01", true, all...)
			check("after", "paper/a/page/02", false)
			list := window(t, s, "all", paper.Window{Day: day, Archive: true})
			if x := list[0]; x.State != paper.Withdrawn || x.Headline+x.Text != "" {
				t.Errorf("withdrawn: %+v", x)
			}
			if list[1].Headline != "题 two, mended" {
				t.Errorf("corrected: %s", list[1].Headline)
			}
			c.add(20 * 24 * time.Hour)
			if _, err := s.Expire(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if e, err := s.Closed(t.Context(), window(t, s, "all", paper.Window{})); err != nil || len(e) != 1 || e[0].Paper != "a" || e[0].Day != day {
			t.Errorf("closed editions: %v %v", e, err)
		}
	})
}

func TestArchiveNeighbours(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		// Old days of both papers come by backfill; they are closed and told to nobody.
		old(t, s, false, filed(art("a", "2026-01-01", "1", 0, "old"), "yaowen", "410825"))
		letOut(t, s, "a")
		if n := closeDays(t, s); n != 1 || outbox(t, s) != 0 {
			t.Errorf("backfilled: %d closed, %d events", n, outbox(t, s))
		}
		take(t, s, false, filed(art("a", "2026-03-16", "1", 0, "monday"), "yaowen", "410825"))
		letOut(t, s, "a")
		closeDays(t, s)
		c.add(24 * time.Hour)
		take(t, s, false, filed(art("a", "2026-03-17", "1", 0, "tuesday"), "wenhua", "410803"))
		letOut(t, s, "a")
		closeDays(t, s)
		c.add(24 * time.Hour)
		take(t, s, false, filed(art("a", "2026-03-18", "1", 0, "wednesday"), "yaowen", "410825"), filed(art("a", "2026-03-18", "2", 1, "wednesday two"), "yaowen"))
		take(t, s, false, filed(art("b", "2026-03-18", "1", 0, "wednesday b"), "yaowen", "410803"))
		letOut(t, s, "a")
		letOut(t, s, "b")
		for _, x := range []struct {
			scope          string
			day, prev, nxt paper.Day
			holds, closed  bool
		}{
			{"all", "2026-03-18", "2026-03-17", "", true, false},
			{"all", "2026-03-17", "2026-03-16", "2026-03-18", true, true},
			{"district/410825", "2026-03-16", "2026-01-01", "2026-03-18", true, true},
			{"district/410825", "2026-03-17", "2026-03-16", "2026-03-18", false, false},
			{"district/410825", "", "2026-03-16", "", false, false},
			{"section/yaowen/district/410803", "2026-03-17", "", "2026-03-18", false, false},
			{"section/yaowen/district/410803", "", "", "", false, false},
			{"paper/b", "2020-01-01", "", "2026-03-18", false, false},
			{"district/410823", "2026-03-17", "", "", false, false},
		} {
			_, a := archiveOf(t, s, x.scope, x.day)
			if a.Previous != x.prev || a.Next != x.nxt || a.Holds != x.holds || a.Closed != x.closed {
				t.Errorf("%s %s: %+v", x.scope, x.day, a)
			}
		}
		// Of two papers one is closed: the day is open where both stand.
		if err := s.Decide(t.Context(), paper.Decision{Article: "b-20260318-1", Action: paper.WithdrawHand, Who: "x", Why: "y"}); err != nil {
			t.Fatal(err)
		}
		if n := closeDays(t, s); n != 1 {
			t.Errorf("closed %d", n)
		}
		if _, a := archiveOf(t, s, "all", "2026-03-18"); a.Closed {
			t.Error("closed with an edition open")
		}
		if _, a := archiveOf(t, s, "paper/a", "2026-03-18"); !a.Closed {
			t.Error("open with its edition closed")
		}
	})
}

// Items of feeds are closed a day after their day; what an earlier version of the
// program had complete is closed at once and told to nobody.
func TestClosingOfFeeds(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		in := filed(art("b", "2026-03-18", "guid", 0, "item"), "yaowen")
		in.RefDay, in.Article.Page = "", paper.PageRef{}
		take(t, s, false, in)
		letOut(t, s, "b")
		if n := closeDays(t, s); n != 0 {
			t.Error("closed on its day")
		}
		c.add(41 * time.Hour) // 23:30 on the 19th
		if n := closeDays(t, s); n != 0 {
			t.Error("closed before a day had passed")
		}
		c.add(time.Hour)
		events := outbox(t, s)
		if n := closeDays(t, s); n != 1 || outbox(t, s) != events {
			t.Errorf("%d closed, %d events", n, outbox(t, s)-events)
		}
		if e, err := s.Closed(t.Context(), window(t, s, "all", paper.Window{})); err != nil || len(e) != 0 {
			t.Errorf("closed editions: %v %v", e, err)
		}
		take(t, s, false, art("a", "2026-03-20", "1", 0, "edition"))
		letOut(t, s, "a")
		c.add(50 * time.Hour)
		events = outbox(t, s)
		if n := closeDays(t, s); n != 1 || outbox(t, s) != events {
			t.Errorf("%d closed, %d events", n, outbox(t, s)-events)
		}
	})
}

// closings are the events of closed editions, newest last.
func closings(t testing.TB, s *Store) (days []string) {
	t.Helper()
	if err := each(t.Context(), s.r, func(r *sql.Rows) error {
		var d string
		err := r.Scan(&d)
		days = append(days, d)
		return err
	}, `SELECT day FROM outbox WHERE kind = 'edition.complete' ORDER BY seq, n`); err != nil {
		t.Fatal(err)
	}
	return days
}

// closing makes the store close what it may and tells whether a day of the paper a is
// closed now.
func closing(t testing.TB, s *Store, day paper.Day) bool {
	t.Helper()
	closeDays(t, s)
	_, a := archiveOf(t, s, "paper/a", day)
	return a.Closed
}

// begun gives the paper a an earlier edition: its first one is closed at the first look.
func begun(t testing.TB, s *Store) {
	t.Helper()
	take(t, s, true, art("a", "2026-03-02", "0", 0, "before"))
	letOut(t, s, "a")
	if !closing(t, s, "2026-03-02") || len(closings(t, s)) != 0 {
		t.Fatalf("what was there before: events %v", closings(t, s))
	}
}

// Of a paper's first edition nobody knows how large it is: it is closed once it is read.
func TestFirstEdition(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		s := open(t, dsn(t), newClock())
		take(t, s, false, art("a", "2026-03-18", "1", 0, "one"), art("a", "2026-03-18", "2", 1, "two"))
		letOut(t, s, "a")
		if closing(t, s, "2026-03-18") {
			t.Error("closed before the first look was over")
		}
		if err := s.Seen(t.Context(), "a", "2026-03-18"); err != nil {
			t.Fatal(err)
		}
		if !closing(t, s, "2026-03-18") || len(closings(t, s)) != 1 {
			t.Errorf("open, events %v", closings(t, s))
		}
	})
}

// An edition is closed when two looks some time apart have found the same, not when all
// is read that is there while it is uploaded.
func TestUploadInParts(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock() // 6:30
		s := open(t, dsn(t), c)
		day := paper.Day("2026-03-18")
		pages := func(n int) (list []Incoming) {
			for i := range n {
				list = append(list, art("a", day, fmt.Sprint(i+1), i, fmt.Sprint(day, i)))
			}
			return list
		}
		look := func(n int) {
			t.Helper()
			take(t, s, false, pages(n)...)
			letOut(t, s, "a")
		}
		open := func(what string) {
			t.Helper()
			if closing(t, s, day) || len(closings(t, s)) > 0 {
				t.Errorf("%s: closed", what)
			}
		}
		begun(t, s)
		look(2)
		open("half of it")
		for range 3 {
			c.add(5 * time.Minute)
			look(2)
			open("half of it for a quarter of an hour")
		}
		c.add(4 * time.Minute)
		look(4)
		open("all of it, just found")
		c.add(steadyFor - time.Minute)
		look(4)
		open("all of it, some minutes ago")
		c.add(time.Hour)
		open("without another look")
		look(4)
		if !closing(t, s, day) || !slices.Equal(closings(t, s), []string{string(day)}) {
			t.Errorf("open, events %v", closings(t, s))
		}
		if got, _ := archiveOf(t, s, "all", day); len(got) != 4 {
			t.Errorf("the archive holds %v", got)
		}
		// What comes late is in the feeds and joins no closed archive.
		c.add(time.Hour)
		look(5)
		closeDays(t, s)
		if got, _ := archiveOf(t, s, "all", day); len(got) != 4 || len(items(t, s, "all")) != 6 || len(closings(t, s)) != 1 {
			t.Errorf("the archive holds %v, the feed %d", got, len(items(t, s, "all")))
		}

		// Another, looked at once only: its day's end closes it, but not while what the
		// last look listed is being read.
		day = "2026-03-19"
		c.add(24 * time.Hour)
		look(3)
		c.add(10 * time.Hour)
		if closing(t, s, day) {
			t.Error("closed after one look")
		}
		l := Listing{Source: "a", Paper: "a", Day: day}
		for _, in := range pages(4) {
			l.Refs = append(l.Refs, Listed{Origin: in.Origin, URL: in.Article.URL, Page: "01", Ordinal: in.Article.Ordinal})
		}
		if _, _, err := s.List(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		c.add(8 * time.Hour) // past midnight
		if closing(t, s, day) {
			t.Error("closed while an article is being read")
		}
		look(4)
		if !closing(t, s, day) || len(closings(t, s)) != 2 {
			t.Errorf("open after its day, events %v", closings(t, s))
		}

		// A day past is closed at the first look.
		day = "2026-03-17"
		c.add(time.Minute)
		look(2)
		if !closing(t, s, day) || len(closings(t, s)) != 3 {
			t.Errorf("a day past is open, events %v", closings(t, s))
		}

		// One far smaller than the paper's usual waits longer.
		day = "2026-03-20"
		c.add(6 * time.Hour)
		look(2)
		for range 3 {
			c.add(30 * time.Minute)
			look(2)
			if closing(t, s, day) {
				t.Error("a thin edition is closed soon")
			}
		}
		c.add(30 * time.Minute)
		look(2)
		if !closing(t, s, day) {
			t.Error("a thin edition is open after two hours")
		}
	})
}

// Of an edition from two sources each must have been looked at again.
func TestSteadyAtEachSource(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		two := Setup{Papers: []paper.Paper{{Key: "a", Name: "A", City: "410800", Zone: "Asia/Shanghai", Language: "zh-CN", Link: paper.LinkShare, Rights: paper.RightsFull}}}
		for _, k := range []string{"a", "z"} {
			two.Sources = append(two.Sources, SourceRow{Key: k, Paper: "a", Name: k, Platform: "founder", URL: "http://" + k + ".example/", Step: time.Hour})
		}
		if err := s.Configure(t.Context(), two); err != nil {
			t.Fatal(err)
		}
		begun(t, s)
		const day = paper.Day("2026-03-18")
		one, other := art("a", day, "1", 0, "one"), art("a", day, "9", 1, "other")
		other.Article.Source = "z"
		take(t, s, false, one)
		take(t, s, false, other)
		c.add(2 * time.Second)
		letOut(t, s, "a")
		for range 5 {
			c.add(10 * time.Minute)
			take(t, s, false, one)
			if closing(t, s, day) {
				t.Fatal("closed before the other source was looked at again")
			}
		}
		take(t, s, false, other)
		if !closing(t, s, day) {
			t.Error("open after both")
		}
	})
}

// What cannot be read keeps an edition open for as long as it is expected, not for ever:
// what is missing or empty for hours, anything for the days that it is tried again.
func TestUnreadable(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		const day = paper.Day("2026-03-18")
		// begin has ten articles of which the last n are bad, at look after look for hours.
		begin := func(t *testing.T, n int, dead bool, hours int) (*Store, *clock) {
			c := newClock()
			s := open(t, dsn(t), c)
			var l Listing
			l.Source, l.Paper, l.Day = "a", "a", day
			for i := range 10 {
				l.Refs = append(l.Refs, Listed{Origin: fmt.Sprint(i), URL: fmt.Sprintf("http://a.example/%s/%d", day, i), Page: "01", Ordinal: i})
			}
			for end := c.now().Add(time.Duration(hours) * time.Hour); c.now().Before(end); c.add(15 * time.Minute) {
				todo, _, err := s.List(t.Context(), l)
				if err != nil {
					t.Fatal(err)
				}
				for _, x := range todo {
					if x.Index < 10-n {
						if _, err := s.Ingest(t.Context(), art("a", day, fmt.Sprint(x.Index), x.Index, fmt.Sprint("words ", x.Index))); err != nil {
							t.Fatal(err)
						}
						continue
					}
					if err := s.Failed(t.Context(), "a", day, fmt.Sprint(x.Index), "404"); err != nil {
						t.Fatal(err)
					}
					if dead {
						if err := s.NoteDead(t.Context(), "a", day, fmt.Sprint(x.Index)); err != nil {
							t.Fatal(err)
						}
					}
				}
				if err := s.Settle(t.Context(), "a", "a", day, nil, 0); err != nil {
					t.Fatal(err)
				}
				letOut(t, s, "a")
				closeDays(t, s)
			}
			return s, c
		}
		state := func(t *testing.T, s *Store) paper.EditionState {
			e, err := s.Edition(t.Context(), paper.Public, "a", day)
			if err != nil {
				t.Fatal(err)
			}
			return e.State
		}
		t.Run("dead", func(t *testing.T) {
			s, _ := begin(t, 1, true, 2)
			if closing(t, s, day) {
				t.Error("closed within two hours")
			}
			s, _ = begin(t, 1, true, 4)
			if !closing(t, s, day) || !slices.Equal(closings(t, s), []string{string(day)}) || state(t, s) != paper.EditionPartial {
				t.Errorf("closed %v, events %v, %s", closing(t, s, day), closings(t, s), state(t, s))
			}
			if e, err := s.Closed(t.Context(), window(t, s, "all", paper.Window{})); err != nil || len(e) != 1 {
				t.Errorf("closed editions: %v %v", e, err)
			}
		})
		for name, x := range map[string]struct {
			bad  int
			dead bool
		}{"failing": {1, false}, "many": {4, true}} {
			t.Run(name, func(t *testing.T) {
				s, c := begin(t, x.bad, x.dead, 6)
				for _, h := range []time.Duration{0, 24, 130} { // until 22:30 on the 24th
					c.add(h * time.Hour)
					if closing(t, s, day) {
						t.Errorf("closed at %s", c.now())
					}
				}
				c.add(2 * time.Hour)
				if !closing(t, s, day) || len(closings(t, s)) != 0 {
					t.Errorf("open, or events %v", closings(t, s))
				}
				if got, _ := archiveOf(t, s, "all", day); len(got) != 10-x.bad {
					t.Errorf("holds %v", got)
				}
			})
		}
		t.Run("backfill", func(t *testing.T) {
			s, c := begin(t, 0, false, 1)
			was := art("a", "2026-01-05", "1", 0, "old")
			l := Listing{Source: "a", Paper: "a", Day: "2026-01-05", Archive: true, Refs: []Listed{{Origin: "1", URL: was.Article.URL, Page: "01"}, {Origin: "2", URL: "http://a.example/2", Page: "01"}}}
			if _, _, err := s.List(t.Context(), l); err != nil {
				t.Fatal(err)
			}
			was.History, was.Archive = true, true
			if _, err := s.Ingest(t.Context(), was); err != nil {
				t.Fatal(err)
			}
			if err := s.Failed(t.Context(), "a", "2026-01-05", "2", "500"); err != nil {
				t.Fatal(err)
			}
			if err := s.Settle(t.Context(), "a", "a", "2026-01-05", nil, 0); err != nil {
				t.Fatal(err)
			}
			letOut(t, s, "a")
			c.add(10 * 24 * time.Hour)
			if closing(t, s, "2026-01-05") {
				t.Error("closed, though another run may bring the rest")
			}
		})
	})
}

// An article that an editor keeps back, or withdraws before it is out, leaves no trace
// in the closing of its day: neither does it keep it open nor the event from being sent.
func TestHeldDay(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		const day = paper.Day("2026-03-18")
		one, two := filed(art("a", day, "1", 0, "甲"), "yaowen", "410825"), filed(art("a", day, "2", 1, "乙"), "yaowen", "410803")
		secret := filed(art("a", day, "3", 2, "秘密"), "secret", "410825")
		run := func(ins []Incoming, hide func(*Store)) (*Store, string) {
			c := newClock()
			s := open(t, dsn(t), c)
			take(t, s, false, ins...)
			hide(s)
			c.add(time.Minute)
			letOut(t, s, "a")
			c.add(steadyFor)
			take(t, s, false, ins...)
			if !closing(t, s, day) || len(closings(t, s)) != 1 {
				t.Errorf("open, or events %v", closings(t, s))
			}
			return s, everything(t, s)
		}
		_, want := run([]Incoming{one, two}, func(*Store) {})
		for _, what := range []paper.Action{paper.HoldHand, paper.WithdrawHand} {
			s, got := run([]Incoming{one, two, secret}, func(s *Store) { decide(t, s, what) })
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", what, diff)
			}
			// Let out after all it is in the feeds, as what comes late.
			decide(t, s, paper.RestoreHand)
			letOut(t, s, "a")
			closeDays(t, s)
			if got, a := archiveOf(t, s, "all", day); len(got) != 2 || !a.Closed || len(items(t, s, "all")) != 3 || len(closings(t, s)) != 1 {
				t.Errorf("%s: %v %+v", what, got, a)
			}
		}
	})
}

// What waits for the end of its hold keeps the day open until it is out, and the event
// is sent however long that was.
func TestClosingAfterHold(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		const day = paper.Day("2026-03-18")
		c := newClock()
		s := open(t, dsn(t), c)
		one, two := art("a", day, "1", 0, "one"), art("a", day, "2", 1, "two")
		take(t, s, false, one)
		letOut(t, s, "a")
		c.add(time.Minute)
		take(t, s, false, one, two)
		if _, err := s.w.Exec(`UPDATE articles SET release_at = $1 WHERE id = 'a-20260318-2'`, c.now().Add(60*time.Hour).UnixMilli()); err != nil {
			t.Fatal(err)
		}
		c.add(59 * time.Hour)
		letOut(t, s, "a")
		if closing(t, s, day) {
			t.Error("closed while one is held")
		}
		c.add(time.Hour)
		letOut(t, s, "a")
		if !closing(t, s, day) || len(closings(t, s)) != 1 {
			t.Errorf("open, or events %v", closings(t, s))
		}
	})
}

// A feed that tells of an edition only by a notice, or by a slot of what has left it,
// rises at the closing: its bytes change.
func TestClosingRaisesNotices(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		const day = paper.Day("2026-03-18")
		c := newClock()
		s := open(t, dsn(t), c)
		ins := []Incoming{
			filed(art("a", day, "1", 0, "one"), "yaowen", "410825"),
			filed(art("a", day, "2", 1, "gone"), "wenhua", "410803"),
			filed(art("a", day, "3", 2, "moved"), "minsheng", "410822"),
		}
		take(t, s, false, ins...)
		c.add(time.Minute)
		letOut(t, s, "a")
		if err := s.Withdraw(t.Context(), "a-20260318-2", "x"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Refile(t.Context(), "a", []Move{{ID: "a-20260318-3", Filing: ins[0].Filing}}, nil, nil); err != nil {
			t.Fatal(err)
		}
		c.add(time.Minute)
		letOut(t, s, "a")
		told := []string{"section/wenhua", "district/410803"}
		for _, scope := range told {
			list := items(t, s, scope)
			if e, err := s.Closed(t.Context(), list); len(list) != 1 || err != nil || len(e) != 0 {
				t.Fatalf("%s: %v %v %v", scope, ids(list), e, err)
			}
		}
		c.add(steadyFor)
		take(t, s, false, ins...)
		before := parts(t, s)
		if !closing(t, s, day) {
			t.Fatal("open")
		}
		for _, scope := range append(told, "section/minsheng", "district/410822", "section/yaowen") {
			if parts(t, s)[scope] <= before[scope] {
				t.Errorf("%s did not rise", scope)
			}
		}
		for _, scope := range told {
			if e, err := s.Closed(t.Context(), items(t, s, scope)); err != nil || len(e) != 1 {
				t.Errorf("%s: %v %v", scope, e, err)
			}
		}
		// The event is of the scopes that hold something of it.
		var list string
		if err := s.r.QueryRow(`SELECT parts FROM outbox ORDER BY seq DESC, n DESC LIMIT 1`).Scan(&list); err != nil || list != `["district/410825","section/yaowen"]` {
			t.Errorf("%s %v", list, err)
		}
	})
}
