package store

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"paperwire/internal/paper"
)

func TestMemos(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		ctx := t.Context()
		if _, _, err := s.Memo(ctx, "a"); !errors.Is(err, paper.ErrNotFound) {
			t.Fatal(err)
		}
		check := func(name, want string, until time.Time) {
			t.Helper()
			if got, at, err := s.Memo(ctx, name); err != nil || got != want || !at.Equal(until) {
				t.Errorf("%s: %q until %v, %v", name, got, at, err)
			}
		}
		hour := c.now().Add(time.Hour).Truncate(time.Millisecond)
		for _, v := range []string{"一", "two\x00"} {
			if err := s.KeepMemo(ctx, "a", v, hour); err != nil {
				t.Fatal(err)
			}
		}
		check("a", "two", hour)
		if err := s.KeepMemo(ctx, "ever", "x", time.Time{}); err != nil {
			t.Fatal(err)
		}
		if got, err := s.FirstMemo(ctx, "a", "three", hour.Add(time.Hour)); err != nil || got != "two" {
			t.Errorf("%q, %v", got, err)
		}
		check("a", "two", hour)
		c.add(time.Hour)
		if _, _, err := s.Memo(ctx, "a"); !errors.Is(err, paper.ErrNotFound) {
			t.Errorf("it is over: %v", err)
		}
		if got, err := s.FirstMemo(ctx, "a", "three", hour.Add(time.Hour)); err != nil || got != "three" {
			t.Errorf("%q, %v", got, err)
		}
		check("a", "three", hour.Add(time.Hour))
		c.add(2 * time.Hour)
		if err := s.Prune(ctx, time.Hour); err != nil {
			t.Fatal(err)
		}
		check("ever", "x", time.Time{})
		var n int
		if err := s.r.QueryRowContext(ctx, `SELECT COUNT(*) FROM memos`).Scan(&n); err != nil || n != 1 {
			t.Errorf("%d rows, %v", n, err)
		}
	})
}

// Of many who keep at once all get the same.
func TestFirstMemo(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		s := open(t, dsn(t), newClock())
		until := s.now().Add(time.Hour)
		got := make([]string, 20)
		var all sync.WaitGroup
		for i := range got {
			all.Go(func() {
				var err error
				if got[i], err = s.FirstMemo(t.Context(), "a", fmt.Sprint(i), until); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, g := range got {
			if g == "" || g != got[0] {
				t.Errorf("%q and %q", g, got[0])
			}
		}
	})
}
