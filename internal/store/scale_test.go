package store

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"paperwire/internal/paper"
)

// stocked gives a store with n released articles of ten papers, 400 a day in all,
// put into its tables by hand: by its own doors a hundred thousand take minutes.
// One in ten is filed in each of ten districts; all but one in 10,000 in the province.
// PAPERWIRE_TEST_ARTICLES names another number.
func stocked(b testing.TB, n int) (*Store, *clock) {
	b.Helper()
	if s := os.Getenv("PAPERWIRE_TEST_ARTICLES"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	c := newClock()
	s := open(b, filepath.Join(b.TempDir(), "p.db"), c)
	var keys []string
	for p := range 10 {
		keys = append(keys, "p"+strconv.Itoa(p))
	}
	configure(b, s, keys...)
	first := c.now().Add(-time.Duration(n/400+1) * 24 * time.Hour)
	counts := map[string]int{}
	for from := 0; from < n; from += 10000 {
		if err := s.tx(b.Context(), "stock", func(t *sql.Tx) error {
			prepare := func(q string) *sql.Stmt {
				st, err := t.PrepareContext(b.Context(), q)
				if err != nil {
					b.Fatal(err)
				}
				return st
			}
			article := prepare(`INSERT INTO articles (id, paper, day, source, page, ordinal, state, version, published, updated, notice, release_at, history, archive, hash, fingerprint, pending, reason, draft, doc)
				VALUES ($1,$2,$3,$2,'01',$4,'released',1,$5,$5,0,0,0,0,$1,$1,'','','',$6)`)
			evidence := prepare(`INSERT INTO evidence (article, doc, draft) VALUES ($1,$2,'')`)
			filing := prepare(`INSERT INTO filings (part, article, from_seq, to_seq, published) VALUES ($1,$2,1,0,$3)`)
			version := prepare(`INSERT INTO versions (article, version, seq, updated, hash, page, doc) VALUES ($1,1,1,$2,$1,'01','')`)
			for i := from; i < min(from+10000, n); i++ {
				key := keys[i%10]
				at := first.Add(time.Duration(i/400)*24*time.Hour + time.Duration(i%400)*time.Second)
				day := paper.DayOf(at, paper.Shanghai)
				in := filed(art(key, day, strconv.Itoa(i), i%400, words(i)), []string{"yaowen", "minsheng", "wenhua", "tiyu"}[i%4], "4108"+fmt.Sprintf("%02d", i*7%10+1), "410800", "410000")
				if i%10000 == 7 {
					in.Filing.Districts = nil
				}
				in.Article.ID = BaseID(key, key, day, strconv.Itoa(i))
				for _, run := range []struct {
					st   *sql.Stmt
					args []any
				}{
					{article, []any{in.Article.ID, key, string(day), i % 400, at.Unix(), encode(in.Article)}},
					{evidence, []any{in.Article.ID, encode(in.Filing)}},
					{version, []any{in.Article.ID, at.Unix()}},
				} {
					if _, err := run.st.Exec(run.args...); err != nil {
						return err
					}
				}
				counts["all"]++
				counts["paper/"+key]++
				for _, part := range filedUnder(in.Filing) {
					counts[part]++
					if _, err := filing.Exec(part, in.Article.ID, at.Unix()); err != nil {
						return err
					}
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.tx(b.Context(), "stock", func(t *sql.Tx) error {
		for part, n := range counts {
			if err := rise(b.Context(), t, part, 1, first.Unix(), n, ""); err != nil {
				return err
			}
		}
		_, err := t.ExecContext(b.Context(), `UPDATE clock SET n = 1 WHERE name = 'change'`)
		return err
	}); err != nil {
		b.Fatal(err)
	}
	return s, c
}

// words are the words of the i-th article: some in every one, some in few.
func words(i int) string {
	w := fmt.Sprintf("今年地里的收成比去年好村里的人都来看%d", i)
	if i%1000 == 3 {
		w += "怀川大地"
	}
	if i%20000 == 11 {
		w += "四大怀药"
	}
	return w
}

// Lists of a store that is full, beside the figures of docs/operations.md.
func BenchmarkScopes(b *testing.B) {
	s, _ := stocked(b, 100_000)
	for _, x := range []struct {
		name, scope string
	}{
		{"all", "all"},
		{"district", "district/410805"},
		{"intersection", "section/tiyu/district/410805"},
		{"nothing in common", "paper/p0/district/410802"},
		{"all but nearly all", "-district/410000"},
		{"eight by eight", "paper/p0,p1,p2,p3,p4,p5,p6,p7/section/tiyu,wenhua/district/410801,410802,410803,410804,410805,410806,410807,410808"},
	} {
		sc, err := paper.ParseScope(x.scope)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(strings.ReplaceAll(x.name, " ", "-"), func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Items(b.Context(), paper.Public, sc, paper.Window{Limit: 50}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The release of an edition of sixty articles in a full store, without paced feeds
// and with as many as there may be, each of which gives eight slots.
func BenchmarkRelease(b *testing.B) {
	for _, drips := range []int{0, maxDrips} {
		b.Run(strconv.Itoa(drips)+"-drips", func(b *testing.B) {
			s, c := stocked(b, 100_000)
			for i := range drips {
				sc := paper.Scope{Papers: []string{"a"}, NotDistricts: []string{"41" + fmt.Sprintf("%04d", i)}}
				if _, err := s.Items(b.Context(), paper.Public, sc, paper.Window{Drip: &paper.Drip{Pace: 65 * time.Minute, Max: 8}}); err != nil {
					b.Fatal(err)
				}
			}
			day := paper.Day("2026-03-18")
			for b.Loop() {
				b.StopTimer()
				c.add(24 * time.Hour)
				day = day.Add(1)
				var ins []Incoming
				for i := range 60 {
					in := filed(art("a", day, strconv.Itoa(i), i, words(i)+string(day)), "yaowen", "410805", "410800", "410000")
					in.Article.Text = strings.Repeat(words(i), 40)
					ins = append(ins, in)
				}
				take(b, s, false, ins...)
				b.StartTimer()
				if r := letOut(b, s, "a"); r.Articles != 60 {
					b.Fatalf("%+v", r)
				}
			}
		})
	}
}
