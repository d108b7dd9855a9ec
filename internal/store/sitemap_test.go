package store

import (
	"testing"
	"time"

	"paperwire/internal/paper"
)

// A month stands in the list where it has a stamp, and only there: not where all is
// withdrawn, or stands at its publisher's address.
func TestMonths(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		check := func(want ...string) {
			t.Helper()
			months, err := s.Months(t.Context(), paper.Public)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range months {
				stamps, err := s.Stamps(t.Context(), paper.Public, m.Month, 0, 10)
				if err != nil || len(stamps) == 0 || len(stamps) > m.Most {
					t.Errorf("%s: %d stamps of at most %d, %v", m.Month, len(stamps), m.Most, err)
				}
				got = append(got, m.Month)
			}
			if len(got) != len(want) {
				t.Fatalf("months %v, want %v", got, want)
			}
			for i := range got {
				if got[i] != want[i] {
					t.Errorf("months %v, want %v", got, want)
				}
			}
		}
		check()
		take(t, s, false, art("a", "2026-02-18", "1", 0, "one"))
		letOut(t, s, "a")
		take(t, s, false, art("b", "2026-03-18", "1", 0, "two"))
		letOut(t, s, "b")
		c.add(time.Minute)
		take(t, s, false, art("a", "2026-04-18", "1", 0, "three"))
		check("2026-02", "2026-03") // the last one is not out yet
		letOut(t, s, "a")
		check("2026-02", "2026-03", "2026-04")
		if err := s.Withdraw(t.Context(), "a-20260218-1", ""); err != nil {
			t.Fatal(err)
		}
		letOut(t, s, "a")
		check("2026-03", "2026-04")
		if err := s.Configure(t.Context(), Setup{Papers: []paper.Paper{{Key: "b", Name: "B", Zone: "Asia/Shanghai", Link: paper.LinkOrigin, Rights: paper.RightsFull}}}); err != nil {
			t.Fatal(err)
		}
		check("2026-04")
	})
}
