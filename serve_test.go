package main

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"paperwire/internal/papertest"
)

func publisher(t testing.TB, o papertest.Options) *papertest.Publisher {
	t.Helper()
	if o.Day == "" {
		o.Day = today().Add(-1)
	}
	p := papertest.New(o)
	t.Cleanup(p.Close)
	return p
}

// urls gives the origin URLs that a publisher lists on the days.
func listed(p *papertest.Publisher) (n int, titles map[string]bool) {
	titles = map[string]bool{}
	for _, a := range p.Articles(p.Day()) {
		n++
		titles[a.Headline] = true
	}
	return n, titles
}

// A real run: two papers are polled on their schedule, the next day's edition
// appears, and nothing that did not change is fetched twice.
func TestServePollsOnSchedule(t *testing.T) {
	stores(t, func(t *testing.T, dsn string) {
		classic := publisher(t, papertest.Options{Key: "one", Form: papertest.FounderClassic, Seed: 1})
		modern := publisher(t, papertest.Options{Key: "two", Form: papertest.FounderNew, Seed: 2})
		dir := t.TempDir()
		d := start(t, 0, "serve", "--config", configFor(t, dir, classic, modern), "--data", dir, "--store", dsn)
		counts := map[string]int{}
		for i, p := range []*papertest.Publisher{classic, modern} {
			key := fmt.Sprintf("p%d", i+1)
			n, _ := listed(p)
			counts[key] = n
			until(t, key+" holds the first edition", func() bool { f, _ := d.feed("paper/" + key); return len(f) == n })
		}
		first := d.get("/feeds/all.rss")
		classic.NextDay()
		modern.NextDay()
		for i, p := range []*papertest.Publisher{classic, modern} {
			key := fmt.Sprintf("p%d", i+1)
			n, titles := listed(p)
			until(t, key+" holds both editions", func() bool { f, _ := d.feed("paper/" + key); return len(f) == counts[key]+n })
			f, _ := d.feed("paper/" + key)
			for _, e := range f[:n] { // newest first: today's edition stands above
				if !titles[e.Title] {
					t.Errorf("%s: %q is not of the new edition", key, e.Title)
				}
			}
			if slices.ContainsFunc(f, func(e entry) bool { return e.HTML == "" || e.Published == "" }) {
				t.Errorf("%s: item without content or date", key)
			}
		}
		if a := d.get("/feeds/all.rss", "If-None-Match", first.Header.Get("ETag")); a.StatusCode != http.StatusOK || a.Header.Get("ETag") == first.Header.Get("ETag") {
			t.Errorf("changed feed answers %d", a.StatusCode)
		}
		// Some more polls, then count.
		for range 2 {
			n := len(classic.Requests())
			until(t, "another poll", func() bool { return len(classic.Requests()) > n+3 })
		}
		for _, p := range []*papertest.Publisher{classic, modern} {
			full, all := map[string]int{}, map[string]int{}
			for _, r := range p.Requests() {
				if r.Range != "" {
					continue
				}
				all[r.Path]++
				if r.Status == http.StatusOK {
					full[r.Path]++
				}
			}
			for path, n := range all {
				if strings.Contains(path, "content") && n != 1 {
					t.Errorf("article %s asked for %d times", path, n)
				}
				changes := 1
				if strings.Contains(path, "period.xml") || full[path] == 2 && !strings.Contains(path, "node") {
					changes = 2 // entry and calendar changed with the new edition
				}
				if full[path] > changes {
					t.Errorf("%s fetched %d times in full", path, full[path])
				}
			}
			pictures := map[string]int{}
			for _, r := range p.Requests() {
				if r.Range != "" {
					pictures[r.Path]++
				}
			}
			for path, n := range pictures {
				if n > 1 {
					t.Errorf("picture %s asked for %d times", path, n)
				}
			}
		}
	})
}

// Two processes on one PostgreSQL share the work: nothing is fetched twice,
// published has no gap within an edition, and both serve a release within a second.
func TestTwoProcessesShareOneDatabase(t *testing.T) {
	dsn := papertest.Postgres(t)
	var pubs []*papertest.Publisher
	for i, form := range []papertest.Form{papertest.FounderClassic, papertest.FounderNew, papertest.FounderClassic, papertest.FounderNew} {
		pubs = append(pubs, publisher(t, papertest.Options{Key: fmt.Sprint("k", i), Form: form, Seed: int64(i), Day: today()}))
	}
	dir := t.TempDir()
	file := configFor(t, dir, pubs...)
	var both []*daemon
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range 2 { // at the same moment, on an empty database
		wg.Go(func() {
			d := start(t, 0, "serve", "--config", file, "--data", dir, "--store", dsn)
			mu.Lock()
			both = append(both, d)
			mu.Unlock()
		})
	}
	wg.Wait()
	if len(both) != 2 {
		t.Fatal("one of them did not start")
	}
	for i, p := range pubs {
		n, _ := listed(p)
		key := fmt.Sprintf("p%d", i+1)
		appeared := [2]time.Time{}
		until(t, key+" is served by both", func() bool {
			for j, d := range both {
				if f, _ := d.feed("paper/" + key); len(f) == n && appeared[j].IsZero() {
					appeared[j] = time.Now()
				}
			}
			return !appeared[0].IsZero() && !appeared[1].IsZero()
		})
		f, _ := both[0].feed("paper/" + key)
		for j := 1; j < len(f); j++ {
			a, _ := time.Parse(time.RFC3339, f[j-1].Published)
			b, _ := time.Parse(time.RFC3339, f[j].Published)
			if a.Sub(b) != time.Second {
				t.Errorf("%s: %s then %s", key, f[j-1].Published, f[j].Published)
			}
		}
	}
	// A release is served by both within a second.
	late := pubs[0].AddLate(pubs[0].Day(), "01", papertest.Article{Headline: "晚到的一条", Paragraphs: []string{"本报讯 这一条在付印之后才到，两个进程都要在一秒之内端出来，读者才不会看到两样的目录。"}})
	var seen [2]time.Time
	until(t, "the late article "+late, func() bool {
		for j, d := range both {
			if seen[j].IsZero() {
				f, _ := d.feed("paper/p1")
				if len(f) > 0 && f[0].Title == "晚到的一条" {
					seen[j] = time.Now()
				}
			}
		}
		return !seen[0].IsZero() && !seen[1].IsZero()
	})
	if gap := seen[0].Sub(seen[1]).Abs(); gap > time.Second {
		t.Errorf("one of them served it %s after the other", gap)
	}
	for i := range 2 {
		if a, b := both[0].get("/feeds/all.atom"), both[1].get("/feeds/all.atom"); string(a.body) != string(b.body) || a.Header.Get("ETag") != b.Header.Get("ETag") {
			if i == 1 {
				t.Error("the two serve different bytes")
			}
			time.Sleep(time.Second)
		}
	}
	for _, p := range pubs {
		for _, r := range p.Articles(p.Day()) {
			if n := p.Count("content_"+r.ID, 0); n > 1 {
				t.Errorf("article %s asked for %d times", r.ID, n)
			}
		}
	}
	until(t, "both processes to have polled", func() bool {
		for _, d := range both {
			if !strings.Contains(d.log.String(), `"msg":"poll"`) {
				return false
			}
		}
		return true
	})
	for _, p := range pubs {
		for _, r := range p.Articles(p.Day()) {
			if n := p.Count("content_"+r.ID, 0); n > 1 {
				t.Errorf("article %s asked for %d times", r.ID, n)
			}
		}
	}
}

// A publisher that is redesigned overnight, with other ids and URLs for the same
// day's articles, makes no duplicate.
func TestRedesignMakesNoDuplicate(t *testing.T) {
	stores(t, func(t *testing.T, dsn string) {
		p := publisher(t, papertest.Options{Key: "one", Day: today(), Seed: 3})
		dir := t.TempDir()
		d := start(t, 0, "serve", "--config", configFor(t, dir, p), "--data", dir, "--store", dsn)
		n, _ := listed(p)
		until(t, "the edition", func() bool { f, _ := d.feed("all"); return len(f) == n })
		before, _ := d.feed("all")
		p.Switch(papertest.FounderNew, true)
		late := p.AddLate(p.Day(), "02", papertest.Article{Headline: "改版之后的一条", Paragraphs: []string{"本报讯 网站一夜之间换了模样，编号也换了，这一条是换过之后才登出来的，前面的都不该再来一遍。"}})
		until(t, "the article after the redesign "+late, func() bool { f, _ := d.feed("all"); return len(f) > n })
		requests := len(p.Requests())
		until(t, "another poll", func() bool { return len(p.Requests()) > requests+3 })
		after, _ := d.feed("all")
		if len(after) != n+1 {
			t.Fatalf("%d items after the redesign, want %d", len(after), n+1)
		}
		for i, e := range before {
			if got := after[i+1]; got.ID != e.ID || got.Published != e.Published || got.URL != e.URL || got.Modified != e.Modified {
				t.Errorf("item changed: %+v, was %+v", got, e)
			}
		}
	})
}

// A day without the publisher: feeds stay as they are, and it is told.
func TestUpstreamGoneForADay(t *testing.T) {
	p := publisher(t, papertest.Options{Key: "one", Seed: 4})
	dir := t.TempDir()
	file := configFor(t, dir, p)
	d := start(t, 0, "serve", "--config", file, "--data", dir)
	n, _ := listed(p)
	until(t, "the edition", func() bool { f, _ := d.feed("all"); return len(f) == n })
	d.closed("all")
	paths := []string{"/feeds/all.rss", "/feeds/paper/p1.atom", "/feeds/section/yaowen.json"}
	first := map[string]answer{}
	for _, path := range paths {
		first[path] = d.get(path)
	}
	var checked string
	until(t, "Paperwire-Checked", func() bool { checked = d.get(paths[0]).Header.Get("Paperwire-Checked"); return checked != "" })
	p.Misbehave(papertest.Down())
	until(t, "the failure is known", func() bool {
		a := d.get("/api/v1/sources")
		return strings.Contains(string(a.body), `"failing"`)
	})
	d.stop()
	d = start(t, 24*time.Hour, "serve", "--config", file, "--data", dir) // a day later
	until(t, "a look a day later", func() bool { return strings.Contains(d.log.String(), `"state":"failing"`) })
	until(t, "metrics that tell", func() bool {
		return strings.Contains(string(d.get("/metrics").body), `paperwire_source_up{paper="p1",source="p1"} 0`)
	})
	for _, path := range paths {
		a := d.get(path)
		if string(a.body) != string(first[path].body) || a.Header.Get("ETag") != first[path].Header.Get("ETag") || a.Header.Get("Last-Modified") != first[path].Header.Get("Last-Modified") {
			t.Errorf("%s changed while the publisher was away", path)
		}
		if a := d.get(path, "If-None-Match", first[path].Header.Get("ETag")); a.StatusCode != http.StatusNotModified {
			t.Errorf("%s: %d instead of 304", path, a.StatusCode)
		}
	}
	when, err := http.ParseTime(d.get(paths[0]).Header.Get("Paperwire-Checked"))
	if err != nil || clock().Add(24*time.Hour).Sub(when) < 23*time.Hour {
		t.Errorf("Paperwire-Checked does not tell: %s %v", when, err)
	}
	if a := d.get("/feeds/status.atom"); !strings.Contains(string(a.body), "报1") {
		t.Errorf("status feed does not tell: %s", a.body)
	}
	if a := d.get("/status"); !strings.Contains(string(a.body), "connection") && !strings.Contains(string(a.body), "EOF") {
		t.Error("status page does not tell what is wrong")
	}
	p.Behave()
}

// A broken edit keeps the running configuration, a good one is taken up, and a
// source taken out keeps its feeds.
func TestReload(t *testing.T) {
	one := publisher(t, papertest.Options{Key: "one", Seed: 5})
	two := publisher(t, papertest.Options{Key: "two", Day: today(), Seed: 6})
	dir := t.TempDir()
	file := configFor(t, dir, one)
	d := start(t, 0, "serve", "--config", file, "--data", dir)
	until(t, "the first paper", func() bool { f, _ := d.feed("paper/p1"); return len(f) > 0 })
	d.closed("paper/p1")
	first := d.get("/feeds/paper/p1.rss")
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(good, []byte("sorces: [\n")...), 0o644); err != nil {
		t.Fatal(err)
	}
	until(t, "the complaint", func() bool { return strings.Contains(d.log.String(), "not taken up") })
	if a := d.get("/feeds/paper/p1.rss"); string(a.body) != string(first.body) {
		t.Error("a broken configuration changed a feed")
	}
	configFor(t, dir, one, two)
	until(t, "the second paper", func() bool { f, _ := d.feed("paper/p2"); return len(f) > 0 })
	// p1 goes, p2 stays.
	both, _ := os.ReadFile(file)
	var lines []string
	for _, l := range strings.Split(string(both), "\n") {
		if !strings.Contains(l, "key: p1") {
			lines = append(lines, l)
		}
	}
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	until(t, "the paper is retired", func() bool { return strings.Contains(string(d.get("/api/v1/sources").body), `"retired"`) })
	if a := d.get("/feeds/paper/p1.rss"); a.StatusCode != http.StatusOK || string(a.body) != string(first.body) {
		t.Errorf("a source taken out lost its feed: %d", a.StatusCode)
	}
}
