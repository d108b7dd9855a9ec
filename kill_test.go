package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"paperwire/internal/papertest"
)

// reader is a subscriber that polls without pause and holds the server to what
// it has seen: an item keeps its id, published and place, whatever happens.
type reader struct {
	mu     sync.Mutex
	url    string
	seen   map[string]entry
	polls  int
	wrongs []string
	stop   chan struct{}
	done   chan struct{}
}

func newReader() *reader {
	r := &reader{seen: map[string]entry{}, stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(r.done)
		for {
			select {
			case <-r.stop:
				return
			case <-time.After(15 * time.Millisecond):
				r.poll()
			}
		}
	}()
	return r
}

func (r *reader) follow(url string) { r.mu.Lock(); r.url = url; r.mu.Unlock() }

func (r *reader) poll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.url == "" {
		return
	}
	a, err := fetchURL(r.url + "/feeds/all.json?limit=200")
	if err != nil || a.StatusCode != 200 {
		return // it is being killed
	}
	var f struct{ Items []entry }
	if err := json.Unmarshal(a.body, &f); err != nil {
		r.wrongs = append(r.wrongs, "broken feed: "+err.Error())
		return
	}
	r.polls++
	in := map[string]bool{}
	for i, e := range f.Items {
		if in[e.ID] {
			r.wrongs = append(r.wrongs, e.ID+" stands twice in one feed")
		}
		in[e.ID] = true
		if i > 0 && e.Published >= f.Items[i-1].Published {
			r.wrongs = append(r.wrongs, fmt.Sprintf("order: %s after %s", e.Published, f.Items[i-1].Published))
		}
		if old, ok := r.seen[e.ID]; ok && (old.Published != e.Published || old.URL != e.URL || e.Modified < old.Modified) {
			r.wrongs = append(r.wrongs, fmt.Sprintf("%s changed from %+v to %+v", e.ID, old, e))
		}
		r.seen[e.ID] = e
	}
	for id := range r.seen {
		if !in[id] {
			r.wrongs = append(r.wrongs, id+" was seen and is gone")
		}
	}
}

// kill -9 at random moments during ingest and release, while a client polls:
// whatever it ever saw stays as it was, nothing listed is missing at the end,
// nothing is there twice. Three kills here, twenty in .ci/long.
func TestKilled(t *testing.T) {
	kills := 3
	if os.Getenv("PAPERWIRE_TEST_LONG") == "1" {
		kills = 20
	}
	stores(t, func(t *testing.T, dsn string) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		rnd := rand.New(rand.NewPCG(seed, 1))
		p := publisher(t, papertest.Options{Key: "one", Day: today(), Seed: 7})
		p.Misbehave(papertest.Slow(15 * time.Millisecond).On("content_"))
		dir := t.TempDir()
		file := configFor(t, dir, p)
		r := newReader()
		defer func() { close(r.stop); <-r.done }()
		during := 0
		for n := range kills {
			d := start(t, 0, "serve", "--config", file, "--data", dir, "--store", dsn)
			r.follow(d.url)
			requests := p.Count("content_", 0)
			for i := range 4 {
				p.AddLate(p.Day(), "03", papertest.Article{
					Headline:   fmt.Sprintf("第%d轮第%d条晚到的消息", n, i),
					Paragraphs: []string{fmt.Sprintf("本报讯 第%d轮里的第%d条，登出来的时候进程随时会被杀掉，可是读者不该看到任何不对的地方。", n, i)},
				})
			}
			list := p.Articles(p.Day())
			p.Correct(list[rnd.IntN(len(list))].ID, func(a *papertest.Article) {
				a.Headline = strings.TrimSuffix(a.Headline, "（更正）") + "（更正）"
				a.Paragraphs = append(a.Paragraphs, fmt.Sprintf("更正：第%d轮里改过一处。", n))
			})
			// Kill it while it reads, or shortly after, while it releases.
			begun := false
			for end := time.Now().Add(30 * time.Second); time.Now().Before(end) && !begun; time.Sleep(2 * time.Millisecond) {
				begun = p.Count("content_", 0) > requests
			}
			if begun {
				during++
			}
			time.Sleep(time.Duration(rnd.IntN(250)) * time.Millisecond)
			d.kill()
		}
		t.Logf("%d of %d kills came after reading had begun", during, kills)
		if during < kills/2 {
			t.Errorf("only %d of %d kills hit", during, kills)
		}
		d := start(t, 0, "serve", "--config", file, "--data", dir, "--store", dsn)
		r.follow(d.url)
		want := map[string]bool{}
		for _, a := range p.Articles(p.Day()) {
			want[a.Headline] = true
		}
		has := func() (missing int) {
			f, _ := d.feed("all")
			have := map[string]int{}
			for _, e := range f {
				have[e.Title]++
				if have[e.Title] > 1 {
					t.Fatalf("%q stands twice", e.Title)
				}
			}
			for title := range want {
				if have[title] == 0 {
					missing++
				}
			}
			if missing == 0 && len(f) != len(want) {
				t.Fatalf("%d items, %d listed", len(f), len(want))
			}
			return missing
		}
		for end := time.Now().Add(3 * time.Minute); has() > 0; time.Sleep(200 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d of %d articles are missing", has(), len(want))
			}
		}
		time.Sleep(100 * time.Millisecond)
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.polls < 10 {
			t.Errorf("the reader polled %d times", r.polls)
		}
		t.Logf("%d articles, %d polls of the reader", len(want), r.polls)
		for i, w := range r.wrongs {
			if i == 10 {
				break
			}
			t.Error(w)
		}
	})
}
