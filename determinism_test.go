package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"paperwire/internal/papertest"
)

// fingerprint is everything that readers keep of a document: its bytes and its
// validators, in every encoding.
type fingerprint map[string]string

func (d *daemon) fingerprint(paths []string) fingerprint {
	d.t.Helper()
	f := fingerprint{}
	for _, path := range paths {
		for _, enc := range []string{"identity", "gzip", "br"} {
			a := d.ok(path, "Accept-Encoding", enc)
			f[path+" as "+enc] = fmt.Sprintf("%s %s %s\n%s", a.Header.Get("ETag"), a.Header.Get("Last-Modified"), a.Header.Get("Content-Type"), a.body)
		}
	}
	return f
}

// bytesOnly leaves out Last-Modified, which is when this store's version rose.
func (f fingerprint) bytesOnly() fingerprint {
	g := fingerprint{}
	for k, v := range f {
		head, body, _ := strings.Cut(v, "\n")
		tag, _, _ := strings.Cut(head, " ")
		g[k] = tag + "\n" + body
	}
	return g
}

func compare(t *testing.T, what string, want, got fingerprint) {
	t.Helper()
	if len(want) == 0 || len(want) != len(got) {
		t.Fatalf("%s: %d documents, then %d", what, len(want), len(got))
	}
	for k, w := range want {
		if g := got[k]; g != w {
			i := 0
			for i < min(len(g), len(w)) && g[i] == w[i] {
				i++
			}
			t.Errorf("%s: %s differs at byte %d of %d and %d:\n%q\n%q", what, k, i, len(w), len(g), w[max(0, i-80):min(len(w), i+80)], g[max(0, i-80):min(len(g), i+80)])
		}
	}
}

// feedPaths are the three formats of several scopes, with parameters.
func feedPaths() []string {
	var paths []string
	for _, scope := range []string{"all", "paper/p1", "section/yaowen", "district/410800", "district/410803,410825", "paper/p1/page/01", "paper/p1/-district/410825", "district/410871"} {
		for _, ext := range []string{"rss", "atom", "json"} {
			paths = append(paths, "/feeds/"+scope+"."+ext, "/feeds/"+scope+"."+ext+"?full=0", "/feeds/"+scope+"."+ext+"?limit=2")
		}
	}
	return append(paths, "/feeds.opml", "/sitemap-news.xml")
}

// The same store gives the same bytes and validators: asked again, after a
// restart, and as a copy in another place on another port.
func TestSameStoreSameBytes(t *testing.T) {
	p := publisher(t, papertest.Options{Key: "one", Day: today(), Seed: 11})
	dir := t.TempDir()
	file := configFor(t, dir, p)
	d := start(t, 0, "serve", "--config", file, "--data", dir)
	n, _ := listed(p)
	until(t, "the edition", func() bool { f, _ := d.feed("all"); return len(f) == n })
	// A late article and a correction, so that there is more than one version. What
	// is known is looked at again after an hour, after six once its day is over.
	p.AddLate(p.Day(), "01", papertest.Article{Headline: "最后一条", Paragraphs: []string{"本报讯 这一条来得晚，登出来以后就不再有别的变化，可以比较每一个字节。"}})
	until(t, "the late article", func() bool { f, _ := d.feed("all"); return len(f) == n+1 })
	d.stop()
	p.Correct(p.Articles(p.Day())[1].ID, func(a *papertest.Article) {
		a.Paragraphs = append(a.Paragraphs, "更正：上文的数字有误，以这里的为准，特此向读者致歉。")
	})
	d = start(t, 7*time.Hour, "serve", "--config", file, "--data", dir)
	until(t, "the correction", func() bool {
		f, _ := d.feed("all")
		return slices.ContainsFunc(f, func(e entry) bool {
			return strings.Contains(e.HTML, "特此向读者致歉") && e.Modified > e.Published
		})
	})
	d.closed("all")
	p.Misbehave(papertest.Down()) // nothing more comes
	paths := feedPaths()
	var first fingerprint
	until(t, "the feeds to rest", func() bool {
		// A release is followed within half a second.
		next := d.fingerprint(paths[:3])
		same := first != nil && fmt.Sprint(first) == fmt.Sprint(next)
		first = next
		return same
	})
	first = d.fingerprint(paths)
	compare(t, "asked again", first, d.fingerprint(paths))
	pages := []string{"/", "/all", "/editions/p1/" + string(today()), "/a/" + idOf(t, d)}
	shown := map[string][]byte{}
	for _, path := range pages {
		shown[path] = d.ok(path).body
	}
	d.stop()

	// Time alone changes nothing.
	d = start(t, 10*time.Hour, "serve", "--config", file, "--data", dir)
	compare(t, "after a restart", first, d.fingerprint(paths))
	for _, path := range pages[1:] { // the front page tells when sources were looked at
		if got := d.ok(path).body; !bytes.Equal(got, shown[path]) {
			t.Errorf("page %s differs after a restart", path)
		}
	}
	d.stop()

	elsewhere := filepath.Join(t.TempDir(), "another machine")
	if err := os.CopyFS(elsewhere, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	d = start(t, 10*time.Hour, "serve", "--config", filepath.Join(elsewhere, "paperwire.yaml"), "--data", elsewhere, "--base-url", "http://paperwire.test")
	compare(t, "from a copy", first, d.fingerprint(paths))
	d.stop()

	// Another process, with another address, is another publisher's feed.
	d = start(t, 10*time.Hour, "serve", "--config", filepath.Join(elsewhere, "paperwire.yaml"), "--data", elsewhere, "--base-url", "http://other.test")
	got := d.fingerprint(paths)
	for k, v := range got {
		if strings.Contains(k, "identity") && v == first[k] {
			t.Errorf("%s does not depend on base_url", k)
		}
		if strings.Contains(v, "http://paperwire.test") {
			t.Errorf("%s still names the old address", k)
		}
	}
}

func idOf(t *testing.T, d *daemon) string {
	t.Helper()
	f, ok := d.feed("all")
	if !ok || len(f) == 0 {
		t.Fatal("no items")
	}
	return f[0].Ours.ID
}

// History is dated by what was printed, so two databases that read the same
// edition at different times serve the same bytes, whatever their kind.
func TestTwoDatabasesSameBytes(t *testing.T) {
	day := today().Add(-30)
	p := publisher(t, papertest.Options{Key: "one", Day: day, Seed: 12})
	n, _ := listed(p)
	paths := feedPaths()
	serve := func(t *testing.T, dsn string) fingerprint {
		dir := t.TempDir()
		d := start(t, 0, "serve", "--config", configFor(t, dir, p), "--data", dir, "--store", dsn)
		until(t, "the edition", func() bool { f, _ := d.feed("all"); return len(f) == n })
		d.closed("all")
		for _, e := range mustFeed(t, d) {
			if !strings.HasPrefix(e.Published, string(day.Add(-1))) {
				t.Errorf("%s is dated %s", e.Ours.ID, e.Published)
			}
		}
		return d.fingerprint(paths).bytesOnly()
	}
	first := serve(t, "paperwire.db")
	compare(t, "another SQLite file", first, serve(t, "paperwire.db"))
	t.Run("postgres", func(t *testing.T) {
		dsn := papertest.Postgres(t)
		compare(t, "PostgreSQL", first, serve(t, dsn))
	})
}

func mustFeed(t *testing.T, d *daemon) []entry {
	t.Helper()
	f, ok := d.feed("all")
	if !ok {
		t.Fatal("no feed")
	}
	return f
}

// The demo paper is the same everywhere: two machines that never met serve the
// same bytes under the same address.
func TestDemoSameBytes(t *testing.T) {
	var first fingerprint
	paths := []string{"/feeds/all.rss", "/feeds/district/410825.atom", "/feeds/section/yaowen.json", "/feeds/paper/demo/district/410803.rss", "/feeds.opml", "/sitemap-news.xml"}
	for range 2 {
		d := demoDaemon(t, "--base-url", "http://paperwire.test")
		d.closed("all")
		f := d.fingerprint(paths).bytesOnly()
		if first != nil {
			compare(t, "another machine", first, f)
		}
		first = f
		d.stop()
	}
	// And the publisher's files are those of the repository.
	count := 0
	err := fs.WalkDir(demoFiles, "testdata/demo", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			count++
		}
		return err
	})
	if err != nil || count < 60 {
		t.Errorf("%d files are embedded: %v", count, err)
	}
}
