package store

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"paperwire/internal/paper"
)

// Many ask for the same drips at once while editions come out and slots pass, by two
// processes on one database: each drip is made once, no edition is missed and no slot
// given twice.
func TestDripsAtOnce(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		d := dsn(t)
		stores := []*Store{open(t, d, c), open(t, d, c)}
		var all sync.WaitGroup
		for i := range 6 {
			all.Go(func() {
				for j := range 6 {
					w := paper.Window{Drip: &paper.Drip{Pace: time.Hour, Max: j + 1}}
					if _, err := stores[i%2].Items(t.Context(), paper.Public, paper.Scope{}, w); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Go(func() {
			for n := range 4 {
				edition(t, stores[0], "a", paper.Day("2026-03-18"), 10*n, 2)
				c.add(20 * time.Second)
			}
		})
		all.Go(func() {
			for range 20 {
				if _, err := stores[1].Drip(t.Context()); err != nil {
					t.Error(err)
				}
				if _, err := stores[1].CloseDays(t.Context()); err != nil && !errors.Is(err, errNothing) {
					t.Error(err)
				}
			}
		})
		all.Wait()
		if n, err := count(stores[0], `SELECT COUNT(*) FROM drips`); err != nil || n != 6 {
			t.Errorf("%d drips, %v", n, err)
		}
		for j := range 6 {
			// Late ones of the front page join: every article here stands on it, but
			// for what came out at once with more than the first batch has room for.
			part := (paper.Drip{Pace: time.Hour, Max: j + 1}).Part(paper.Scope{})
			list := slots(t, stores[0], part)
			seen := map[string]bool{}
			for i, x := range list {
				if seen[x.id] || i > 0 && x.at-list[i-1].at < 3600 {
					t.Errorf("%s: %v", part, list)
				}
				seen[x.id] = true
			}
			if len(list) < 7 {
				t.Errorf("%s: %d slots: %v", part, len(list), fmt.Sprint(list))
			}
		}
	})
}
