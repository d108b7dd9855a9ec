package store

import (
	"slices"
	"testing"
	"time"

	"paperwire/internal/paper"
)

// old lists, ingests and settles articles of one day as backfill does.
func old(t testing.TB, s *Store, again bool, ins ...Incoming) []Todo {
	t.Helper()
	l := Listing{Source: ins[0].Article.Source, Paper: ins[0].Article.Paper, Day: ins[0].RefDay, Archive: true, Pages: []paper.EditionPage{{PageRef: paper.PageRef{Number: "01", Name: "要闻"}}}}
	if again {
		l.Recheck = time.Millisecond
	}
	for _, in := range ins {
		l.Refs = append(l.Refs, Listed{Origin: in.Origin, URL: in.Article.URL, Page: in.Article.Page.Number, Ordinal: in.Article.Ordinal})
	}
	todo, _, err := s.List(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range todo {
		in := ins[x.Index]
		in.History, in.Archive = x.History, x.Archive
		if _, err := s.Ingest(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Settle(t.Context(), l.Source, l.Paper, l.Day, l.Pages, 0); err != nil {
		t.Fatal(err)
	}
	return todo
}

// parts gives the number at which each part last rose.
func parts(t testing.TB, s *Store) map[string]int64 {
	t.Helper()
	_, list, err := s.Changes(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]int64{}
	for _, p := range list {
		m[p.Part] = p.Seq
	}
	return m
}

func outbox(t testing.TB, s *Store) (n int) {
	t.Helper()
	if err := s.r.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM outbox`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// What backfill brings in is let out into archives, and what moves is theirs alone.
func TestArchiveOnly(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		take(t, s, false, filed(art("a", rd, "1", 0, "今天的新闻"), "yaowen", "410825"))
		letOut(t, s, "a")
		before, told := parts(t, s), outbox(t, s)
		c.add(time.Hour)
		const past = paper.Day("2026-01-05")
		was := filed(art("a", past, "1", 0, "冬天的旧闻"), "yaowen", "410825")
		if todo := old(t, s, false, was); len(todo) != 1 || !todo[0].Archive || !todo[0].History {
			t.Fatalf("to be read: %+v", todo)
		}
		if r := letOut(t, s, "a"); r.Articles != 1 {
			t.Fatalf("released: %+v", r)
		}
		same := func(when string) {
			t.Helper()
			now := parts(t, s)
			for part, seq := range before {
				if now[part] != seq {
					t.Errorf("%s: %s rose", when, part)
				}
			}
			if outbox(t, s) != told {
				t.Errorf("%s: the outbox tells of it", when)
			}
			for _, scope := range []string{"all", "paper/a", "section/yaowen", "district/410825"} {
				if got := ids(items(t, s, scope)); !slices.Equal(got, []string{"a-20260318-1"}) {
					t.Errorf("%s: %s holds %v", when, scope, got)
				}
			}
		}
		same("released")
		changed := func() []paper.Change {
			list, err := s.Changed(t.Context(), paper.Public, 0, "", 10)
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		if list := changed(); len(list) != 1 || list[0].Item.Day == past {
			t.Errorf("what backfill brought is a changed card: %+v", list)
		}
		if now := parts(t, s); now["archive"] == 0 || now["archive/a"] != now["archive"] {
			t.Errorf("parts of the archive: %v", now)
		}
		day := func() []paper.Item {
			list, err := s.Items(t.Context(), paper.Public, paper.Scope{Districts: []string{"410825"}}, paper.Window{Day: past})
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		list := day()
		if len(list) != 1 || !list[0].Published.Equal(past.In(paper.Shanghai).Add(6*time.Hour)) {
			t.Fatalf("of its day: %+v", list)
		}
		if e, err := s.Edition(t.Context(), paper.Public, "a", past); err != nil || e.Articles != 1 || e.State != paper.EditionComplete {
			t.Errorf("edition: %+v, %v", e, err)
		}

		// A correction, and a withdrawal, move the archive only, and no notice ends later.
		c.add(time.Hour)
		archive := parts(t, s)["archive"]
		was.Hash, was.Article.Headline = "改", "题 改过的旧闻"
		old(t, s, true, was)
		letOut(t, s, "a")
		same("corrected")
		if list = day(); len(list) != 1 || list[0].Headline != "题 改过的旧闻" || list[0].Notice || list[0].Version != 2 || parts(t, s)["archive"] <= archive {
			t.Errorf("corrected: %+v", list)
		}
		if list := changed(); len(list) != 2 || list[1].Item.Day != past || list[1].Item.Version != 2 {
			t.Errorf("a corrected one is no changed card: %+v", list)
		}
		if err := s.Withdraw(t.Context(), list[0].ID, "by hand"); err != nil {
			t.Fatal(err)
		}
		c.add(time.Hour)
		letOut(t, s, "a")
		same("withdrawn")
		c.add(9 * 24 * time.Hour)
		if n, err := s.Expire(t.Context()); err != nil || n != 0 {
			t.Errorf("%d notices ended, %v", n, err)
		}
	})
}

// An edition keeps the nature it had at first sight, from both sides; what backfill
// finds missing in one of the looks' is archive.
func TestArchiveBesideLooks(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		one, two := art("a", rd, "1", 0, "先来的一篇"), art("a", rd, "2", 1, "没读到的一篇")
		l := Listing{Source: "a", Paper: "a", Day: rd, Refs: []Listed{{Origin: "1", URL: one.Article.URL, Page: "01"}, {Origin: "2", URL: two.Article.URL, Page: "01", Ordinal: 1}}}
		if _, _, err := s.List(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Ingest(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		if err := s.Failed(t.Context(), "a", rd, "2", "503"); err != nil {
			t.Fatal(err)
		}
		if err := s.Settle(t.Context(), "a", "a", rd, nil, 0); err != nil {
			t.Fatal(err)
		}
		letOut(t, s, "a")
		if known, err := s.Past(t.Context(), "a", "a", rd, rd); err != nil || known[rd] != (PastDay{Listed: 2, Read: 1}) {
			t.Errorf("partial: %+v, %v", known, err)
		}
		if u, err := s.Unread(t.Context(), "a", rd); err != nil || len(u) != 1 || u[0] != (Unread{two.Article.URL, "01", "503"}) {
			t.Errorf("unread: %+v, %v", u, err)
		}
		// At once: what failed does not rest for backfill.
		if todo := old(t, s, false, one, two); len(todo) != 1 || todo[0].Index != 1 || !todo[0].Archive {
			t.Fatalf("to be read: %+v", todo)
		}
		letOut(t, s, "a")
		if got := ids(items(t, s, "all")); !slices.Equal(got, []string{"a-20260318-1"}) {
			t.Errorf("the feed holds %v", got)
		}
		if known, err := s.Past(t.Context(), "a", "a", rd, rd); err != nil || known[rd] != (PastDay{Listed: 2, Read: 2, Complete: true}) {
			t.Errorf("complete: %+v, %v", known, err)
		}
		// The other way round: a look that comes to a day that backfill brought in.
		past := rd.Add(-1)
		b := art("a", past, "1", 0, "昨天补来的一篇")
		old(t, s, false, b)
		letOut(t, s, "a")
		late := art("a", past, "2", 1, "昨天晚到的一篇")
		take(t, s, false, b, late)
		letOut(t, s, "a")
		if st, err := s.State(t.Context(), "a", past.Add(-3)); err != nil || slices.Contains(st.Again, past) {
			t.Errorf("looks are to go on at a day of the archive: %+v, %v", st, err)
		}
		if known, err := s.Past(t.Context(), "a", "a", past, rd); err != nil || !known[past].Archive || known[rd].Archive {
			t.Errorf("natures: %+v, %v", known, err)
		}
	})
}

func TestGapsAreBelievedForAWhile(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		recent, old := rd.Add(-1), rd.Add(-200)
		for _, day := range []paper.Day{recent, old} {
			if err := s.NoteGap(t.Context(), "a", day); err != nil {
				t.Fatal(err)
			}
		}
		gaps := func() (n [2]bool) {
			known, err := s.Past(t.Context(), "a", "a", old, recent)
			if err != nil {
				t.Fatal(err)
			}
			return [2]bool{known[recent].Gap, known[old].Gap}
		}
		for _, x := range []struct {
			after time.Duration
			want  [2]bool
		}{{0, [2]bool{true, true}}, {2 * 24 * time.Hour, [2]bool{false, true}}, {31 * 24 * time.Hour, [2]bool{false, false}}} {
			c.add(x.after)
			if got := gaps(); got != x.want {
				t.Errorf("after %s: %v, want %v", x.after, got, x.want)
			}
		}
	})
}

func TestAskedForALease(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		is := func(want bool) {
			t.Helper()
			if got, err := s.Asked(t.Context(), "ask:host:x"); err != nil || got != want {
				t.Errorf("asked: %v, %v", got, err)
			}
		}
		is(false)
		if err := s.Acquire(t.Context(), "ask:host:x", "anybody", 10*time.Second); err != nil {
			t.Fatal(err)
		}
		is(true)
		c.add(11 * time.Second) // who asked was killed
		is(false)
	})
}

// What ties articles of the archive to each other raises the archive's parts, and no
// part that current feeds know.
func TestArchiveRelations(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		take(t, s, false, filed(art("a", rd, "1", 0, "news"), "yaowen", "410825"))
		letOut(t, s, "a")
		old(t, s, false, filed(art("a", "2026-01-01", "1", 0, "long ago"), "yaowen", "410825"), filed(art("a", "2026-01-01", "2", 1, "mended"), "yaowen", "410825"))
		letOut(t, s, "a")
		before := parts(t, s)
		if err := s.Relate(t.Context(), "a", []string{"a-20260101-2"}, []Tie{{Article: "a-20260101-2", Relation: paper.Corrects, Other: "a-20260101-1"}}); err != nil {
			t.Fatal(err)
		}
		after := parts(t, s)
		for part, seq := range before {
			if rose := after[part] > seq; rose != (part == "archive" || part == "archive/a") {
				t.Errorf("%s from %d to %d", part, seq, after[part])
			}
		}
		if i, err := s.Item(t.Context(), paper.Public, "a-20260101-1"); err != nil || len(i.Related) != 1 {
			t.Errorf("%+v %v", i.Related, err)
		}
	})
}
