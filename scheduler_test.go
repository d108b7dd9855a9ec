package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mmcdole/gofeed"

	"paperwire/internal/paper"
	"paperwire/internal/place"
	"paperwire/internal/store"
	"paperwire/syndicate"
)

// press is a house without a publisher: articles are taken in at the store's own
// door, and its feeds are served over HTTP, all by one clock. While it is down
// nothing of it runs; each time it comes up it is another process on the same file.
type press struct {
	testing.TB
	file  string
	clock time.Time
	store *store.Store
	web   *httptest.Server
	h     http.Handler
	names *place.Gazetteer
}

func (p *press) now() time.Time { return p.clock }

func newPress(t testing.TB, start time.Time) *press {
	names, err := place.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &press{TB: t, file: filepath.Join(t.TempDir(), "paperwire.db"), clock: start, names: names}
	p.web = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.h.ServeHTTP(w, r) }))
	t.Cleanup(p.web.Close)
	p.up()
	t.Cleanup(func() {
		if p.store != nil {
			p.store.Close()
		}
	})
	setup := store.Setup{
		Papers:   []paper.Paper{{Key: "wk", Name: "测试日报", City: "410800", Zone: "Asia/Shanghai", Language: "zh-CN", Link: paper.LinkShare, Rights: paper.RightsFull}},
		Sources:  []store.SourceRow{{Key: "wk", Paper: "wk", Name: "wk", Platform: "founder", URL: "http://wk.example/", Step: time.Hour}},
		Sections: []paper.Section{{Slug: "yaowen", Name: "要闻"}},
	}
	if err := p.store.Configure(t.Context(), setup); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *press) up() {
	p.Helper()
	s, err := store.Open(p.Context(), p.file, store.Options{Now: p.now})
	if err != nil {
		p.Fatal(err)
	}
	p.store = s
}

func (p *press) down() {
	if err := p.store.Close(); err != nil {
		p.Fatal(err)
	}
	p.store = nil
}

// tick does what a process does twice a second; some of it less often here.
func (p *press) tick() {
	p.Helper()
	if _, err := p.store.Drip(p.Context()); err != nil {
		p.Fatal(err)
	}
	if p.clock.Minute()%5 != 0 {
		return
	}
	papers, err := p.store.Ready(p.Context())
	if err != nil {
		p.Fatal(err)
	}
	for _, key := range papers {
		if _, err := p.store.Release(p.Context(), key); err != nil {
			p.Fatal(err)
		}
	}
	if _, err := p.store.Expire(p.Context()); err != nil {
		p.Fatal(err)
	}
}

// print takes in articles as a poll does: they come out with the next ticks.
func (p *press) print(day paper.Day, from, n int, page func(i int) string, words func(i int) string) {
	p.Helper()
	l := store.Listing{Source: "wk", Paper: "wk", Day: day, Pages: []paper.EditionPage{{PageRef: paper.PageRef{Number: "01", Name: "要闻"}}, {PageRef: paper.PageRef{Number: "02", Name: "民生"}}}}
	for i := range from + n {
		l.Refs = append(l.Refs, store.Listed{Origin: fmt.Sprint(i), URL: fmt.Sprintf("http://wk.example/%s/%d", day, i), Page: page(i), Ordinal: i})
	}
	if _, _, err := p.store.List(p.Context(), l); err != nil {
		p.Fatal(err)
	}
	for i := from; i < from+n; i++ {
		w := words(i)
		a := paper.Article{
			Paper: "wk", Source: "wk", Day: day, URL: l.Refs[i].URL, Page: paper.PageRef{Number: page(i), Name: "要闻"}, Ordinal: i,
			Headline: w, Text: strings.Repeat(w+"。", 10), HTML: "<p>" + w + "</p>", Summary: w, Language: "zh-CN",
		}
		f := paper.Filing{Sections: []paper.Section{{Slug: "yaowen", Name: "要闻"}}, Placing: paper.Placing{Reach: paper.ReachNone, Districts: []paper.Tag{}}}
		if _, err := p.store.Ingest(p.Context(), store.Incoming{Article: a, Filing: f, Origin: fmt.Sprint(i), RefDay: day, Hash: w, Fingerprint: w}); err != nil {
			p.Fatal(err)
		}
	}
	if err := p.store.Settle(p.Context(), "wk", "wk", day, l.Pages, 0); err != nil {
		p.Fatal(err)
	}
}

// get asks for a feed. Each look is answered by a process that has just begun:
// what it serves comes from the store alone.
func (p *press) get(target string) *gofeed.Feed {
	p.Helper()
	h, err := syndicate.New(syndicate.Options{Base: "http://press.example", Store: p.store, Names: p.names, Now: p.now})
	if err != nil {
		p.Fatal(err)
	}
	p.h = h
	resp, err := http.Get(p.web.URL + target)
	if err != nil {
		p.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		p.Fatalf("%s: %s %v %.300s", target, resp.Status, err, b)
	}
	f, err := gofeed.NewParser().ParseString(string(b))
	if err != nil {
		p.Fatalf("%s: %v", target, err)
	}
	return f
}

// postiz posts as Postiz does: once an hour, with up to five minutes of jitter, the
// one newest item, if its date is after the last one's and its link is new.
type postiz struct {
	last  time.Time
	links map[string]bool
	posts []string
}

func (c *postiz) poll(f *gofeed.Feed) {
	if len(f.Items) == 0 {
		return
	}
	x := f.Items[0]
	if x.PublishedParsed.After(c.last) && !c.links[x.Link] {
		c.last, c.links[x.Link] = *x.PublishedParsed, true
		c.posts = append(c.posts, x.GUID)
	}
}

// n8n posts every item whose date is after the greatest of the look before.
type n8n struct {
	last  time.Time
	posts []string
}

func (c *n8n) poll(f *gofeed.Feed) {
	newest := c.last
	for _, x := range f.Items {
		if x.PublishedParsed.After(c.last) {
			c.posts = append(c.posts, x.GUID)
		}
		if x.PublishedParsed.After(newest) {
			newest = *x.PublishedParsed
		}
	}
	c.last = newest
}

// Thirty days of a paper of forty articles with a scheduler at its paced feed: what
// has a slot is posted, once, by either client; a late article of the front page
// too. There are corrections, withdrawals, late editions, and times when nothing runs.
func TestSchedulersLife(t *testing.T) {
	seeds := []uint64{1}
	if os.Getenv("PAPERWIRE_TEST_LONG") == "1" {
		seeds = []uint64{1, 2, 3, 4, 5, 6}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			schedulersLife(t, seed)
		})
	}
}

func schedulersLife(t *testing.T, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 20260316))
	first := paper.Day("2026-03-01")
	p := newPress(t, first.In(paper.Shanghai).Add(5*time.Hour))
	const target = "/feeds/paper/wk.rss?pace=65m&max=8"
	p.get(target) // the scheduler is set up before the first edition
	a, b := &postiz{links: map[string]bool{}}, &n8n{}
	hour := p.clock.Add(7 * time.Minute) // of the next look, before jitter
	look := hour
	late := map[string]paper.Day{}
	var downTill time.Time
	downs := 0
	for d := range 31 {
		day := first.Add(d)
		midnight := day.In(paper.Shanghai)
		comes := midnight.Add(6*time.Hour + 30*time.Minute + time.Duration(rnd.IntN(60))*time.Minute)
		if d%9 == 5 {
			comes = comes.Add(7 * time.Hour) // a late upload
		}
		lateAt := comes.Add(time.Duration(1+rnd.IntN(6)) * time.Hour)
		hold := d%3 == 1
		downAt := midnight.Add(time.Duration(rnd.IntN(24*60)) * time.Minute)
		end := midnight.Add(29 * time.Hour)
		printed, latePrinted, correctedAt := false, false, comes.Add(4*time.Hour)
		for ; p.clock.Before(end); p.clock = p.clock.Add(time.Minute) {
			if p.store == nil {
				if p.clock.Before(downTill) {
					if !p.clock.Before(look) {
						hour = hour.Add(time.Hour)
						look = hour.Add(time.Duration(rnd.IntN(301)) * time.Second)
					}
					continue
				}
				p.up()
			}
			if d < 30 && d%3 == 2 && !p.clock.Before(downAt) && p.clock.Sub(downAt) < time.Minute {
				p.down()
				downs++
				downTill = p.clock.Add(time.Duration(1+rnd.IntN(9*60)) * time.Minute)
				continue
			}
			if d < 30 && !printed && !p.clock.Before(comes) {
				printed = true
				// What comes out together with its edition, after an outage, is not late.
				if soon := p.clock.Add(time.Hour); lateAt.Before(soon) {
					lateAt = soon
				}
				p.print(day, 0, 40, func(i int) string { return []string{"01", "02"}[min(i/5, 1)] }, func(i int) string { return fmt.Sprintf("%s第%d条", day, i) })
			}
			if printed && hold && !latePrinted && !p.clock.Before(lateAt) {
				latePrinted = true
				p.print(day, 40, 2, func(i int) string { return map[bool]string{true: "01", false: "02"}[i < 5 || i == 40] }, func(i int) string { return fmt.Sprintf("%s迟到第%d条", day, i) })
				late[paper.URN("wk-"+day.Compact()+"-40")] = day
			}
			if printed && !p.clock.Before(correctedAt) {
				correctedAt = end
				p.print(day, 0, 3, func(int) string { return "01" }, func(i int) string { return fmt.Sprintf("%s第%d条（更正）", day, i) })
				if d%5 == 3 {
					if err := p.store.Withdraw(t.Context(), fmt.Sprintf("wk-%s-%d", day.Compact(), rnd.IntN(8)), ""); err != nil {
						t.Fatal(err)
					}
				}
			}
			p.tick()
			if !p.clock.Before(look) {
				f := p.get(target)
				a.poll(f)
				b.poll(f)
				hour = hour.Add(time.Hour)
				look = hour.Add(time.Duration(rnd.IntN(301)) * time.Second)
			}
		}
	}
	if p.store == nil {
		p.up()
	}
	// What has a slot is what the feed holds in the end, and what came before it: all
	// slots that came, by the store's own list.
	want := slotted(t, p)
	for name, posts := range map[string][]string{"Postiz": a.posts, "n8n": b.posts} {
		got := slices.Clone(posts)
		slices.Sort(got)
		if n := len(slices.Compact(slices.Clone(got))); n != len(got) {
			t.Errorf("%s posted %d of %d twice", name, len(got)-n, len(got))
		}
		missing := 0
		for _, id := range want {
			if !slices.Contains(got, id) {
				missing++
			}
		}
		if missing > 0 {
			t.Errorf("%s missed %d of %d articles with a slot", name, missing, len(want))
		}
		posted := 0
		for id, day := range late {
			if slices.Contains(got, id) {
				posted++
			} else {
				t.Errorf("%s: the late article of %s was not posted", name, day)
			}
		}
		if posted != len(late) {
			t.Errorf("%s posted %d of %d late articles of front pages", name, posted, len(late))
		}
		t.Logf("%s: %d posts of %d slots, %d late ones of front pages, %d outages", name, len(got), len(want), posted, downs)
	}
	if len(want) < 200 || len(late) < 8 || downs < 5 {
		t.Errorf("too little happened: %d slots, %d late articles, %d outages", len(want), len(late), downs)
	}
}

// slotted are the articles whose slot came, by their URN: the feed with room for all.
func slotted(t *testing.T, p *press) (urns []string) {
	t.Helper()
	sc, err := paper.ParseScope("paper/wk")
	if err != nil {
		t.Fatal(err)
	}
	items, err := p.store.Items(t.Context(), paper.Public, sc, paper.Window{Limit: 1000, Drip: &paper.Drip{Pace: 65 * time.Minute, Max: 8}})
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range items {
		if i > 0 && items[i-1].Published.Sub(x.Published) < 65*time.Minute {
			t.Errorf("%s stands %s above %s", items[i-1].ID, items[i-1].Published.Sub(x.Published), x.ID)
		}
		urns = append(urns, x.URN)
	}
	return urns
}
