package store

import (
	"slices"
	"testing"
	"time"

	"paperwire/internal/paper"
)

func window(t testing.TB, s *Store, scope string, w paper.Window) []paper.Item {
	t.Helper()
	sc, err := paper.ParseScope(scope)
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.Items(t.Context(), paper.Public, sc, w)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Of the articles named, a scope gives what stands in it, what it carried while the
// notice lasts and what is withdrawn: neither what it never had, nor what is not out.
func TestNamedArticles(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		day := paper.Day("2026-03-18")
		take(t, s, false, filed(art("a", day, "1", 0, "one"), "yaowen", "410825"), filed(art("a", day, "2", 1, "two"), "yaowen", "410803"), filed(art("a", day, "3", 2, "three"), "wenhua", "410825"))
		letOut(t, s, "a")
		old(t, s, false, filed(art("a", "2026-01-01", "9", 0, "long ago"), "yaowen", "410825"))
		letOut(t, s, "a")
		take(t, s, false, filed(art("b", day, "1", 0, "waits"), "yaowen", "410825")) // not released
		all := []string{"a-20260318-1", "a-20260318-2", "a-20260318-3", "a-20260101-9", "b-20260318-1", "no-such"}
		named := func(scope string) []string { return ids(window(t, s, scope, paper.Window{IDs: all})) }
		check := func(scope string, want ...string) {
			t.Helper()
			if got := named(scope); !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", scope, got, want)
			}
		}
		check("all", "a-20260318-1", "a-20260318-2", "a-20260318-3")
		check("district/410825", "a-20260318-1", "a-20260318-3")
		check("district/410825/-section/wenhua", "a-20260318-1")
		check("paper/b")
		if got := window(t, s, "all", paper.Window{IDs: []string{}}); len(got) != 0 {
			t.Errorf("no names: %v", ids(got))
		}
		c.add(time.Hour)
		if err := s.Withdraw(t.Context(), "a-20260318-1", ""); err != nil {
			t.Fatal(err)
		}
		take(t, s, false, filed(art("a", day, "3", 2, "three, moved"), "wenhua", "410803"))
		letOut(t, s, "a")
		check("district/410825", "a-20260318-1", "a-20260318-3") // it carried both
		check("district/410803", "a-20260318-2", "a-20260318-3")
		if got := window(t, s, "district/410825", paper.Window{IDs: all[:1]}); got[0].State != paper.Withdrawn || got[0].Headline != "" {
			t.Errorf("withdrawn: %+v", got[0])
		}
		c.add(8 * 24 * time.Hour)
		if _, err := s.Expire(t.Context()); err != nil {
			t.Fatal(err)
		}
		// The notices are over. Who was away hears of the withdrawal all the same, and who
		// never had the article does not.
		check("district/410825", "a-20260318-1")
		check("section/yaowen", "a-20260318-1", "a-20260318-2")
		check("district/410825/-section/yaowen")
		check("paper/b")
		check("district/410803", "a-20260318-2", "a-20260318-3")
		if got := window(t, s, "district/410825", paper.Window{IDs: all[:1]}); got[0].State != paper.Withdrawn || got[0].Headline != "" {
			t.Errorf("withdrawn: %+v", got[0])
		}
		// Moved away long ago, it was there all the same.
		for scope, want := range map[string][]string{
			"district/410825": {"a-20260318-1", "a-20260318-3"}, "district/410803": {"a-20260318-2", "a-20260318-3"}, "paper/a/page/99": nil, "section/yaowen/district/410803": {"a-20260318-2"},
		} {
			if got := ids(window(t, s, scope, paper.Window{IDs: all, Ever: true})); !slices.Equal(got, want) {
				t.Errorf("ever in %s: %v, want %v", scope, got, want)
			}
		}
		if got := ids(window(t, s, "district/410825", paper.Window{})); len(got) != 0 {
			t.Errorf("the feed tells of it still: %v", got)
		}
	})
}

// The newest edition of a scope in page order, papers in turn.
func TestNewestEdition(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		newest := func(scope string, limit int) []string {
			return ids(window(t, s, scope, paper.Window{Newest: true, Limit: limit}))
		}
		if got := newest("all", 0); got != nil {
			t.Errorf("empty store: %v", got)
		}
		take(t, s, false, filed(art("a", "2026-03-18", "1", 0, "a1"), "x"), filed(art("a", "2026-03-18", "2", 1, "a2"), "y"))
		letOut(t, s, "a")
		c.add(24 * time.Hour)
		old(t, s, false, filed(art("a", "2026-03-30", "9", 0, "archive only"), "x"))
		letOut(t, s, "a")
		take(t, s, false, filed(art("b", "2026-03-19", "1", 0, "b1"), "x"), filed(art("b", "2026-03-19", "2", 1, "b2"), "x"))
		take(t, s, false, filed(art("a", "2026-03-19", "1", 0, "a1 next"), "x"), filed(art("a", "2026-03-19", "2", 1, "a2 next"), "x"), filed(art("a", "2026-03-19", "3", 2, "a3 next"), "x"))
		letOut(t, s, "b")
		letOut(t, s, "a")
		if err := s.Withdraw(t.Context(), "a-20260319-2", ""); err != nil {
			t.Fatal(err)
		}
		c.add(time.Hour)
		letOut(t, s, "a")
		for _, x := range []struct {
			scope string
			limit int
			want  []string
		}{
			{"all", 0, []string{"a-20260319-1", "b-20260319-1", "b-20260319-2", "a-20260319-3"}},
			{"all", 2, []string{"a-20260319-1", "b-20260319-1"}},
			{"section/y", 0, []string{"a-20260318-2"}},
			{"paper/a", 0, []string{"a-20260319-1", "a-20260319-3"}},
			{"paper/a/-section/x", 0, []string{"a-20260318-2"}},
		} {
			if got := newest(x.scope, x.limit); !slices.Equal(got, x.want) {
				t.Errorf("%s limit %d: %v, want %v", x.scope, x.limit, got, x.want)
			}
		}
	})
}

// An item of a website past midnight does not replace the newspaper: the newest
// edition is what has pages. Where nothing has, it is the items of the newest day.
func TestNewestEditionBesideAFeed(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		item := func(day paper.Day, origin string) {
			t.Helper()
			in := art("b", day, origin, 0, origin)
			in.RefDay, in.Article.Page = "", paper.PageRef{}
			take(t, s, false, in)
			letOut(t, s, "b")
			c.add(time.Minute)
		}
		newest := func(scope string, want ...string) {
			t.Helper()
			if got := ids(window(t, s, scope, paper.Window{Newest: true})); !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", scope, got, want)
			}
		}
		item("2026-03-17", "before")
		newest("all", "b-before")
		take(t, s, false, art("a", rd, "1", 0, "one"), art("a", rd, "2", 1, "two"))
		letOut(t, s, "a")
		item(rd, "day")
		item(rd.Add(1), "past-midnight")
		newest("all", "a-20260318-1", "a-20260318-2")
		newest("paper/a,b", "a-20260318-1", "a-20260318-2")
		newest("paper/b", "b-past-midnight")
		// The first request for a paced feed begins with that edition too.
		d := &paper.Drip{Pace: time.Hour, Max: 3}
		if got := ids(window(t, s, "all", paper.Window{Drip: d})); !slices.Equal(got, []string{"a-20260318-1"}) {
			t.Errorf("paced: %v", got)
		}
	})
}

// A day of several papers stands in the order of the newest edition.
func TestDayOfSeveralPapers(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		for _, key := range []string{"a", "b"} {
			take(t, s, false, art(key, rd, "1", 0, key+"1"), art(key, rd, "2", 1, key+"2"))
			letOut(t, s, key)
		}
		newest, day := ids(window(t, s, "all", paper.Window{Newest: true})), ids(window(t, s, "all", paper.Window{Day: rd}))
		if len(day) != 4 || !slices.Equal(newest, day) {
			t.Errorf("newest %v, day %v", newest, day)
		}
	})
}
