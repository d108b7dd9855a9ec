package store

import (
	"slices"
	"testing"
	"time"

	"paperwire/internal/paper"
)

// counted fails where the count of a part is not what stands in it now.
func counted(t testing.TB, s *Store, parts ...string) {
	t.Helper()
	list, err := s.Scopes(t.Context(), paper.Public)
	if err != nil {
		t.Fatal(err)
	}
	n := map[string]int{}
	for _, x := range list {
		n[x.Part] = x.Count
	}
	for _, part := range parts {
		sc, err := paper.ParseScope(part)
		if err != nil {
			t.Fatal(err)
		}
		now, err := s.newest(t.Context(), sc, feedMax, nil)
		if err != nil {
			t.Fatal(err)
		}
		if n[part] != len(now) {
			t.Errorf("%s: count %d, holds %v", part, n[part], now)
		}
	}
}

func refile(t testing.TB, s *Store, id string, in Incoming) paper.Refiled {
	t.Helper()
	list, err := s.Refile(t.Context(), in.Article.Paper, []Move{{ID: id, Filing: in.Filing}}, nil, nil)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	return list[0]
}

// An article that is filed otherwise while it is withdrawn leaves once.
func TestCountsOfWithdrawnAndRefiled(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		places := []string{"district/410825", "district/410803", "section/yaowen", "section/wenhua", "paper/a", "all"}
		one, two := filed(art("a", rd, "1", 0, "one"), "yaowen", "410825"), filed(art("a", rd, "2", 1, "two"), "yaowen", "410825")
		take(t, s, false, one, two)
		letOut(t, s, "a")
		counted(t, s, places...)
		hand := func(what paper.Action) {
			t.Helper()
			c.add(time.Minute)
			if err := s.Decide(t.Context(), paper.Decision{Article: "a-20260318-1", Action: what, Who: "x", Why: "y"}); err != nil {
				t.Fatal(err)
			}
			letOut(t, s, "a")
			counted(t, s, places...)
		}
		hand(paper.WithdrawHand)
		moved := refile(t, s, "a-20260318-1", filed(one, "wenhua", "410803"))
		if !slices.Equal(moved.Left, []string{"district/410825", "section/yaowen"}) || !slices.Equal(moved.Joined, []string{"district/410803", "section/wenhua"}) {
			t.Errorf("filed otherwise while it is withdrawn: %+v", moved)
		}
		counted(t, s, places...)
		hand(paper.RestoreHand)
		if got := ids(items(t, s, "district/410803")); !slices.Equal(got, []string{"a-20260318-1"}) {
			t.Errorf("restored: %v", got)
		}
		// The publisher loses it for a while and has it again in another district.
		if err := s.Withdraw(t.Context(), "a-20260318-2", ""); err != nil {
			t.Fatal(err)
		}
		c.add(time.Minute)
		letOut(t, s, "a")
		counted(t, s, places...)
		c.add(time.Minute)
		take(t, s, false, one, filed(art("a", rd, "2", 1, "two, mended"), "wenhua", "410803"))
		letOut(t, s, "a")
		counted(t, s, places...)
	})
}

// A store whose counts went wrong before is mended when it is opened by a version
// that knows.
func TestCountsAreMended(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		take(t, s, false, filed(art("a", rd, "1", 0, "one"), "yaowen", "410825"))
		letOut(t, s, "a")
		text, err := migrations.ReadFile("migrations/0013_counts.sql")
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range []string{`UPDATE scopes SET items = items - 1`, string(text), `UPDATE scopes SET items = items + 1 WHERE part IN ('all', 'paper/a')`} {
			if _, err := s.w.ExecContext(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}
		counted(t, s, "district/410825", "section/yaowen", "paper/a", "all")
	})
}

// A correction that waits behind a withdrawal comes back as a whole: with its filing,
// whose offsets are those of its text.
func TestCorrectionBehindAWithdrawal(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		for name, first := range map[string]bool{"corrected before it is out": true, "corrected after": false} {
			c := newClock()
			s := open(t, dsn(t), c)
			take(t, s, false, filed(art("a", rd, "1", 0, "one"), "yaowen", "410825"))
			letOut(t, s, "a")
			mended := filed(art("a", rd, "1", 0, "mended"), "yaowen", "410803")
			mended.Similar = nil
			hand := func(what paper.Action) {
				t.Helper()
				c.add(time.Minute)
				if err := s.Decide(t.Context(), paper.Decision{Article: "a-20260318-1", Action: what, Who: "x", Why: "y"}); err != nil {
					t.Fatal(err)
				}
			}
			hand(paper.WithdrawHand)
			if !first {
				letOut(t, s, "a")
			}
			takeMarked(t, s, "2", mended)
			c.add(time.Minute)
			letOut(t, s, "a")
			hand(paper.RestoreHand)
			letOut(t, s, "a")
			if got := items(t, s, "district/410803"); len(got) != 1 || got[0].Headline != "题 mended" {
				t.Errorf("%s: its district has %v", name, ids(got))
			}
			counted(t, s, "district/410803", "district/410825")
		}
	})
}

// A correction never moves an article to another day: it stands filed under the one
// it came out with.
func TestCorrectionKeepsTheDay(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		in := art("a", rd, "g", 0, "one")
		in.RefDay, in.Article.Page = "", paper.PageRef{}
		take(t, s, false, in)
		letOut(t, s, "a")
		c.add(time.Hour)
		in = art("a", rd.Add(1), "g", 0, "mended")
		in.RefDay, in.Article.Page, in.Similar, in.Article.URL = "", paper.PageRef{}, nil, "http://a.example/2026-03-18/g"
		takeMarked(t, s, "2", in)
		letOut(t, s, "a")
		got := items(t, s, "paper/a")
		if len(got) != 1 || got[0].Headline != "题 mended" || got[0].Day != rd {
			t.Fatalf("%+v", got)
		}
		if got := window(t, s, "paper/a", paper.Window{Day: rd}); len(got) != 1 || got[0].Day != rd {
			t.Errorf("the day has %v", ids(got))
		}
	})
}
