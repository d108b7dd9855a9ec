package store

import (
	"slices"
	"testing"
	"time"

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
		// Something waits: a correction, then an article that an editor keeps back.
		c.add(time.Minute)
		take(t, s, false, one, filed(art("a", day, "2", 1, "two, mended"), "yaowen", "410825"), three)
		if n := closeDays(t, s); n != 0 {
			t.Error("closed while a correction waits")
		}
		letOut(t, s, "a")
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
		c.add(30 * time.Hour)
		events = outbox(t, s)
		if n := closeDays(t, s); n != 1 || outbox(t, s) != events {
			t.Errorf("%d closed, %d events", n, outbox(t, s)-events)
		}
	})
}

// An article that an editor keeps back keeps its day open, but not for ever.
func TestHeldDay(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir()+"/p.db", c)
	take(t, s, false, art("a", "2026-03-18", "1", 0, "one"), art("a", "2026-03-18", "2", 1, "two"))
	if err := s.Decide(t.Context(), paper.Decision{Article: "a-20260318-2", Action: paper.HoldHand, Who: "x", Why: "y"}); err != nil {
		t.Fatal(err)
	}
	letOut(t, s, "a")
	if n := closeDays(t, s); n != 0 {
		t.Error("closed while one is held")
	}
	c.add(9 * 24 * time.Hour)
	if n := closeDays(t, s); n != 1 {
		t.Error("open for ever")
	}
	if got, _ := archiveOf(t, s, "all", "2026-03-18"); !slices.Equal(got, []string{"a-20260318-1"}) {
		t.Errorf("holds %v", got)
	}
}
