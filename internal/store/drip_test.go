package store

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"paperwire/internal/paper"
)

// edition takes in and releases articles of one paper and day; the first two of
// each ten stand on the front page.
func edition(t testing.TB, s *Store, pkey string, day paper.Day, from, n int) {
	t.Helper()
	var ins []Incoming
	for i := from; i < from+n; i++ {
		in := filed(art(pkey, day, strconv.Itoa(i), i, fmt.Sprint(pkey, day, i)), "yaowen", "410825")
		if in.Article.Page.Number = "01"; i%10 > 1 {
			in.Article.Page.Number = "02"
		}
		ins = append(ins, in)
	}
	take(t, s, false, ins...)
	letOut(t, s, pkey)
}

type slot struct {
	id  string
	at  int64
	out bool
}

func slots(t testing.TB, s *Store, part string) (list []slot) {
	t.Helper()
	rows, err := s.r.QueryContext(t.Context(), `SELECT article, at, out FROM slots WHERE drip = $1 ORDER BY at, article`, part)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var x slot
		var out int64
		if err := rows.Scan(&x.id, &x.at, &out); err != nil {
			t.Fatal(err)
		}
		x.out = out == 1
		list = append(list, x)
	}
	return list
}

func tickDrip(t testing.TB, s *Store) int {
	t.Helper()
	n, err := s.Drip(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// dripFor lets so many minutes pass with somebody there, and tells how many came.
func dripFor(t testing.TB, s *Store, c *clock, minutes int) (n int) {
	t.Helper()
	for range minutes {
		c.add(time.Minute)
		n += tickDrip(t, s)
	}
	return n
}

func TestDrip(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		d := &paper.Drip{Pace: 65 * time.Minute, Max: 4}
		part := d.Part(paper.Scope{})
		shown := func() []string { return ids(window(t, s, "all", paper.Window{Drip: d})) }
		if got := shown(); got != nil {
			t.Fatalf("before any release: %v", got)
		}
		before := parts(t, s)[part]
		edition(t, s, "a", "2026-03-18", 0, 10)
		if got := slots(t, s, part); len(got) != 4 || got[0].id != "a-20260318-0" || got[3].at-got[0].at != 3*65*60 || got[0].at != c.now().Unix() {
			t.Fatalf("slots of an edition: %v", got)
		}
		if n := tickDrip(t, s); n != 1 || parts(t, s)[part] <= before {
			t.Errorf("%d slots came, part at %d", n, parts(t, s)[part])
		}
		if n := tickDrip(t, s); n != 0 {
			t.Errorf("%d slots came too early", n)
		}
		item := window(t, s, "all", paper.Window{Drip: d})
		if len(item) != 1 || !item[0].Published.Equal(c.now()) || !item[0].Updated.Equal(c.now()) {
			t.Errorf("first: %+v", item)
		}
		// A late article of an inner page gets none; one of the front page does, at the end.
		dripFor(t, s, c, 10)
		late := filed(art("a", "2026-03-18", "late", 20, "late"), "yaowen")
		late.Article.Page.Number = "02"
		front := filed(art("a", "2026-03-18", "front", 21, "front"), "yaowen")
		take(t, s, false, late, front)
		letOut(t, s, "a")
		if got := slots(t, s, part); len(got) != 5 || got[4].id != "a-20260318-front" || got[4].at-got[3].at != 65*60 {
			t.Errorf("late ones: %v", got)
		}
		// What is withdrawn before its slot loses it; what is corrected stands corrected.
		if err := s.Withdraw(t.Context(), "a-20260318-1", ""); err != nil {
			t.Fatal(err)
		}
		dripFor(t, s, c, 1)
		letOut(t, s, "a")
		if n := dripFor(t, s, c, 60); n != 0 {
			t.Errorf("a withdrawn article came")
		}
		dripFor(t, s, c, 59)
		if got := shown(); !slices.Equal(got, []string{"a-20260318-2", "a-20260318-0"}) {
			t.Errorf("shown: %v", got)
		}
		published := window(t, s, "all", paper.Window{Drip: d})[0].Published
		c.add(time.Minute)
		take(t, s, false, filed(art("a", "2026-03-18", "2", 2, "mended"), "yaowen"))
		letOut(t, s, "a")
		if x := window(t, s, "all", paper.Window{Drip: d})[0]; x.Headline != "题 mended" || !x.Published.Equal(published) || !x.Updated.After(published) {
			t.Errorf("corrected: %q %s %s", x.Headline, x.Published, x.Updated)
		}
		// The process is away for five hours, before who looks hourly has seen what came
		// last: the rest goes on a pace after its return.
		c.add(5 * time.Hour)
		if n := tickDrip(t, s); n != 0 {
			t.Errorf("%d came at once", n)
		}
		if got := slots(t, s, part); got[2].at != c.now().Unix()+65*60 || got[3].at != got[2].at+65*60 {
			t.Errorf("after five hours: %v, now %d", got, c.now().Unix())
		}
		dripFor(t, s, c, 65)
		if got := slots(t, s, part); !got[2].out || got[2].at != c.now().Unix() {
			t.Errorf("a pace later: %v, now %d", got, c.now().Unix())
		}
		// Away when it has been seen: the next comes at once.
		dripFor(t, s, c, 64)
		c.add(59 * time.Second)
		tickDrip(t, s)
		c.add(5 * time.Hour)
		if n := tickDrip(t, s); n != 0 {
			t.Errorf("%d came a second too early", n)
		}
		// The next edition begins behind what still waits; the one of before gets none.
		edition(t, s, "a", "2026-03-19", 0, 10)
		edition(t, s, "a", "2026-03-18", 30, 3)
		got := slots(t, s, part)
		if len(got) != 8 || got[4].id != "a-20260319-0" || got[4].at != got[3].at+65*60 {
			t.Errorf("next edition: %v", got)
		}
		// A withdrawal of what came is told in place while its notice lasts.
		if err := s.Withdraw(t.Context(), "a-20260318-0", ""); err != nil {
			t.Fatal(err)
		}
		c.add(time.Minute)
		letOut(t, s, "a")
		list := window(t, s, "all", paper.Window{Drip: d})
		if x := list[len(list)-1]; x.ID != "a-20260318-0" || x.State != paper.Withdrawn {
			t.Errorf("withdrawn: %v", ids(list))
		}
		c.add(8 * 24 * time.Hour)
		if _, err := s.Expire(t.Context()); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(shown(), "a-20260318-0") {
			t.Error("told for ever")
		}
		if got := ids(window(t, s, "all", paper.Window{Drip: d, Limit: 1})); len(got) != 1 {
			t.Errorf("limit: %v", got)
		}
	})
}

// The first request for a drip finds the edition of the day, and only that.
func TestDripIsMade(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		ask := func(pace time.Duration) []string {
			return ids(window(t, s, "district/410825", paper.Window{Drip: &paper.Drip{Pace: pace, Max: 3}}))
		}
		take(t, s, true, filed(art("a", "2026-03-17", "old", 0, "history"), "yaowen", "410825"))
		letOut(t, s, "a")
		if got := ask(time.Minute); got != nil {
			t.Errorf("history: %v", got)
		}
		edition(t, s, "a", "2026-03-18", 1, 5)
		c.add(5 * time.Hour)
		if got := ask(2 * time.Minute); !slices.Equal(got, []string{"a-20260318-1"}) {
			t.Errorf("of today: %v", got)
		}
		sc := paper.Scope{Districts: []string{"410825"}}
		if got := slots(t, s, (paper.Drip{Pace: 2 * time.Minute, Max: 3}).Part(sc)); len(got) != 3 || got[0].at != c.now().Unix() || !got[0].out || got[1].out {
			t.Errorf("slots: %v", got)
		}
		c.add(30 * time.Hour)
		ask(time.Minute)
		ask(2 * time.Minute)
		if got := ask(3 * time.Minute); got != nil {
			t.Errorf("of the day before yesterday: %v", got)
		}
		// There is room for so many; one that nobody asks for goes for another.
		for i := 3; i < maxDrips; i++ {
			ask(time.Duration(i+1) * time.Minute)
		}
		_, err := s.Items(t.Context(), paper.Public, sc, paper.Window{Drip: &paper.Drip{Pace: time.Second, Max: 1}})
		if !errors.Is(err, paper.ErrFull) {
			t.Errorf("one too many: %v", err)
		}
		c.add(7 * time.Hour)
		for i := range maxDrips {
			ask(time.Duration(i+1) * time.Minute) // all are asked for again
		}
		c.add(25 * time.Hour)
		if _, err := s.Items(t.Context(), paper.Public, sc, paper.Window{Drip: &paper.Drip{Pace: time.Second, Max: 1}}); !errors.Is(err, paper.ErrFull) {
			t.Errorf("one too many, all asked for: %v", err)
		}
		c.add(31 * 24 * time.Hour)
		ask(time.Second)
		if n, err := count(s, `SELECT COUNT(*) FROM drips`); err != nil || n != maxDrips {
			t.Errorf("%d drips, %v", n, err)
		}
	})
}

func count(s *Store, q string) (n int, err error) {
	err = s.r.QueryRow(q).Scan(&n)
	return n, err
}

// An edition is a paper's day: in a scope of several papers each has its own number,
// and none is older than another's. All stand in one queue, which ends a day ahead.
func TestDripOfSeveralPapers(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		d := &paper.Drip{Pace: 65 * time.Minute, Max: 2}
		part := d.Part(paper.Scope{})
		window(t, s, "all", paper.Window{Drip: d})
		given := func(want ...string) {
			t.Helper()
			list := slots(t, s, part)
			var got []string
			for i, x := range list {
				got = append(got, x.id)
				if i > 0 && x.at-list[i-1].at < 65*60 {
					t.Errorf("%s comes %d s after %s", x.id, x.at-list[i-1].at, list[i-1].id)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("slots %v, want %v", got, want)
			}
		}
		edition(t, s, "a", "2026-03-18", 2, 5)
		want := []string{"a-20260318-2", "a-20260318-3"}
		given(want...)
		dripFor(t, s, c, 60)
		edition(t, s, "b", "2026-03-18", 2, 5)
		want = append(want, "b-20260318-2", "b-20260318-3")
		given(want...)
		// A paper of an earlier date is no older edition; one of the same paper is.
		dripFor(t, s, c, 60)
		edition(t, s, "b", "2026-03-19", 2, 1)
		dripFor(t, s, c, 1)
		edition(t, s, "b", "2026-03-18", 20, 3)
		edition(t, s, "a", "2026-03-17", 2, 3)
		want = append(want, "b-20260319-2")
		given(want...)
		// Items of feeds stand in no edition: of each day so many, in whichever order.
		item := func(day paper.Day, origin string) {
			t.Helper()
			c.add(time.Second)
			in := art("a", day, origin, 0, origin)
			in.RefDay, in.Article.Page = "", paper.PageRef{}
			take(t, s, false, in)
			letOut(t, s, "a")
		}
		item("2026-03-19", "f1")
		item("2026-03-18", "f2")
		item("2026-03-19", "f3")
		item("2026-03-19", "f4")
		want = append(want, "a-f1", "a-f2", "a-f3")
		given(want...)
		// What would come more than a day after its release gets no slot.
		for i := range 12 {
			c.add(2 * time.Second)
			edition(t, s, "a", paper.Day("2026-03-20").Add(i), 2, 2)
		}
		list := slots(t, s, part)
		if last := list[len(list)-1].at - c.now().Unix(); last > 24*3600 || last < 22*3600 {
			t.Errorf("the last slot is %d s ahead", last)
		}
	})
}

// Slots from before they knew their edition learn it.
func TestSlotsOfBefore(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		window(t, s, "all", paper.Window{Drip: &paper.Drip{Pace: time.Hour, Max: 3}})
		edition(t, s, "a", "2026-03-18", 0, 5)
		item := art("b", "2026-03-18", "f", 0, "item")
		item.RefDay, item.Article.Page = "", paper.PageRef{}
		take(t, s, false, item)
		letOut(t, s, "b")
		text, err := migrations.ReadFile("migrations/0014_slots.sql")
		if err != nil {
			t.Fatal(err)
		}
		_, update, _ := strings.Cut(string(text), "UPDATE")
		update, _, _ = strings.Cut(update, ";")
		for _, q := range []string{`UPDATE slots SET paper = '', printed = 0`, "UPDATE" + update} {
			if _, err := s.w.ExecContext(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}
		for q, want := range map[string]int{
			`SELECT COUNT(*) FROM slots WHERE paper = 'a' AND printed = 1`: 3,
			`SELECT COUNT(*) FROM slots WHERE paper = 'b' AND printed = 0`: 1,
		} {
			if n, err := count(s, q); err != nil || n != want {
				t.Errorf("%s: %d, %v", q, n, err)
			}
		}
	})
}

// Whatever comes when: slots of a drip stand a pace apart, each article has one at
// most, none moves once it came, an edition has its number and late front pages.
func TestDripProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := newClock()
		s, err := Open(t.Context(), t.TempDir()+"/p.db", Options{Now: c.now})
		if err != nil {
			rt.Fatal(err)
		}
		defer s.Close()
		configure(t, s, "a", "b")
		d := &paper.Drip{Pace: rapid.SampledFrom([]time.Duration{30 * time.Minute, 65 * time.Minute, 6 * time.Hour}).Draw(rt, "pace"), Max: rapid.IntRange(1, 6).Draw(rt, "max")}
		part := d.Part(paper.Scope{})
		window(t, s, "all", paper.Window{Drip: d})
		day, next := paper.Day("2026-03-18"), map[string]int{}
		came := map[string]int64{}
		for range rapid.IntRange(5, 25).Draw(rt, "steps") {
			switch rapid.IntRange(0, 5).Draw(rt, "what") {
			case 0, 1:
				key := rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "paper")
				n := rapid.IntRange(1, 8).Draw(rt, "articles")
				edition(t, s, key, day, next[key+string(day)], n)
				next[key+string(day)] += n
			case 2:
				day = day.Add(1)
				c.add(20 * time.Hour)
			case 3:
				c.add(time.Duration(rapid.IntRange(1, 400).Draw(rt, "minutes")) * time.Minute)
			default:
				for range 10 {
					c.add(rapid.SampledFrom([]time.Duration{time.Second, 5 * time.Minute, d.Pace}).Draw(rt, "wait"))
					tickDrip(t, s)
				}
			}
			list := slots(t, s, part)
			for i, x := range list {
				if i > 0 && x.at-list[i-1].at < int64(d.Pace/time.Second) {
					rt.Fatalf("slots too near: %v", list)
				}
				if at, ok := came[x.id]; ok && (at != x.at || !x.out) {
					rt.Fatalf("slot of %s moved from %d to %d", x.id, at, x.at)
				}
				if x.out {
					came[x.id] = x.at
					if x.at > c.now().Unix() {
						rt.Fatalf("%s came before its time", x.id)
					}
				}
			}
			per := map[string]int{}
			first := map[string]int64{}
			for _, x := range list {
				d0 := x.id[:10]
				if per[d0]++; first[d0] == 0 {
					first[d0] = x.at
				}
			}
			for d0, n := range per {
				front := 0
				for key := range next {
					if key[:1]+"-"+paper.Day(key[1:]).Compact() == d0 {
						for i := range next[key] {
							if i%10 < 2 {
								front++
							}
						}
					}
				}
				if n > d.Max+front {
					rt.Fatalf("%d slots of %s, max %d, %d on front pages", n, d0, d.Max, front)
				}
			}
		}
	})
}
