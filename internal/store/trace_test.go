package store

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"paperwire/internal/paper"
)

// everything is all that leaves the store for the public, as JSON, with the versions.
func everything(t testing.TB, s *Store) string {
	t.Helper()
	ctx := t.Context()
	var all []any
	add := func(x any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, x)
	}
	for _, scope := range []string{"all", "paper/a", "section/yaowen", "section/secret", "district/410825", "district/410803"} {
		sc, err := paper.ParseScope(scope)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range []paper.Window{
			{},
			{Limit: 5},
			{Day: "2026-03-18"},
			{Day: "2026-03-18", Archive: true},
			{Newest: true},
			{Query: []string{"秘密"}},
			{Query: []string{"题"}},
			{Query: []string{"秘密"}, Archive: true},
			{IDs: []string{"a-20260318-1", "a-20260318-2", "a-20260318-3"}},
			{Drip: &paper.Drip{Pace: time.Hour, Max: 5}},
		} {
			x, err := s.Items(ctx, paper.Public, sc, w)
			add(x, err)
		}
		for _, d := range []paper.Day{"", "2026-03-17", "2026-03-18"} {
			x, err := s.Archive(ctx, paper.Public, sc, d)
			add(x, err)
		}
	}
	x1, err := s.Scopes(ctx, paper.Public)
	add(x1, err)
	x2, err := s.Edition(ctx, paper.Public, "a", "2026-03-18")
	add(x2, err)
	x3, err := s.Editions(ctx, paper.Public, "", 10)
	add(x3, err)
	x4, err := s.Sections(ctx)
	add(x4, err)
	x5, err := s.Stamps(ctx, paper.Public, "2026-03", 0, 100)
	add(x5, err)
	h, err := s.Health(ctx)
	add([]any{h[0].Listed, h[0].Read, h[0].Articles, h[0].State}, err)
	_, versions, err := s.Changes(ctx, 0)
	add(versions, err)
	_, err = s.Item(ctx, paper.Public, "a-20260318-3")
	all = append(all, err.Error())
	b, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// An article that waits, is kept back, or was withdrawn before it was out leaves no
// trace in anything that leaves the store: no item, count, version or date.
func TestNoTrace(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		day := paper.Day("2026-03-18")
		one, two := filed(art("a", day, "1", 0, "甲"), "yaowen", "410825"), filed(art("a", day, "2", 1, "乙"), "yaowen", "410803")
		secret := filed(art("a", day, "3", 2, "秘密"), "secret", "410825")
		begin := func(t *testing.T) (*Store, *clock) {
			c := newClock()
			s := open(t, dsn(t), c)
			for _, scope := range []paper.Scope{{}, {Papers: []string{"a"}}} {
				if _, err := s.Items(t.Context(), paper.Public, scope, paper.Window{Drip: &paper.Drip{Pace: time.Hour, Max: 5}}); err != nil {
					t.Fatal(err)
				}
			}
			return s, c
		}
		rest := func(s *Store, c *clock) {
			letOut(t, s, "a")
			tickDrip(t, s)
			c.add(10 * time.Second)
			letOut(t, s, "a")
		}
		without, c := begin(t)
		take(t, without, false, one, two)
		rest(without, c)
		want := everything(t, without)

		for name, hide := range map[string]func(s *Store){
			"held":      func(s *Store) { decide(t, s, paper.HoldHand) },
			"withdrawn": func(s *Store) { decide(t, s, paper.WithdrawHand) },
			"waiting": func(s *Store) {
				if _, err := s.w.Exec(`UPDATE articles SET release_at = $1 WHERE id = 'a-20260318-3'`, never); err != nil {
					t.Fatal(err)
				}
			},
		} {
			s, c := begin(t)
			take(t, s, false, one, two, secret)
			hide(s)
			letOut(t, s, "a")
			if err := s.Relate(t.Context(), "a", []string{"a-20260318-1", "a-20260318-3"}, []Tie{{Article: "a-20260318-1", Relation: paper.Corrects, Other: "a-20260318-3"}}); err != nil {
				t.Fatal(err)
			}
			rest(s, c)
			if diff := cmp.Diff(want, everything(t, s)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	})
}

func decide(t testing.TB, s *Store, what paper.Action) {
	t.Helper()
	if err := s.Decide(t.Context(), paper.Decision{Article: "a-20260318-3", Action: what, Who: "x", Why: "y"}); err != nil {
		t.Fatal(err)
	}
}
