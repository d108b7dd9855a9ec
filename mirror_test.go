package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"paperwire/internal/fetch"
	"paperwire/internal/ingest"
	"paperwire/internal/paper"
	"paperwire/internal/papertest"
	"paperwire/sources"
)

// guarded serves a publisher that refuses its pictures to whoever does not come
// from one of its pages, and to nobody else: hot-link protection.
func guarded(t *testing.T, o papertest.Options) *papertest.Publisher {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.Base = "http://" + ln.Addr().String()
	p := publisher(t, o)
	srv := &httptest.Server{Listener: ln, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/res") && !strings.HasPrefix(r.Referer(), o.Base+"/") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		p.ServeHTTP(w, r)
	})}}
	srv.Start()
	t.Cleanup(srv.Close)
	return p
}

// mirroring is configFor with pictures copied.
func mirroring(t *testing.T, dir string, p *papertest.Publisher) string {
	t.Helper()
	file := configFor(t, dir, p)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Replace(b, []byte("every: 1s"), []byte("every: 1s, mirror: true"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func photograph(t *testing.T, shade uint8, kind string) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 900, 600))
	for y := range 600 {
		for x := range 900 {
			m.SetRGBA(x, y, color.RGBA{uint8(x), uint8(y), shade, 255})
		}
	}
	var b bytes.Buffer
	err := jpeg.Encode(&b, m, nil)
	if kind == "png" {
		b.Reset()
		err = png.Encode(&b, m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var (
	ourPicture = regexp.MustCompile(`http://paperwire\.test(/img/[0-9a-f]{64}\.(?:jpg|png|gif|webp))`)
	anyImg     = regexp.MustCompile(`<img[^>]* src="([^"]+)"|<img src="([^"]+)"`)
)

func picturesIn(e entry) (list []string) {
	for _, m := range anyImg.FindAllStringSubmatch(e.HTML, -1) {
		list = append(list, m[1]+m[2])
	}
	return list
}

func TestMirror(t *testing.T) {
	stores(t, func(t *testing.T, dsn string) {
		first, second := photograph(t, 10, "jpeg"), photograph(t, 20, "png")
		small := photograph(t, 30, "png")
		bomb := bytes.Clone(small)
		binary.BigEndian.PutUint32(bomb[16:], 20000)
		binary.BigEndian.PutUint32(bomb[20:], 20000)
		binary.BigEndian.PutUint32(bomb[29:], crc32.ChecksumIEEE(bomb[12:29]))
		p := guarded(t, papertest.Options{Key: "one", Pages: -1, Day: today()})
		text := []string{"本报讯 河滩上的芦苇黄了，摄影爱好者一早就来守着，等太阳从堤坝后面升起来。", "到了九点，雾才散开。"}
		p.Publish(today(), []papertest.Page{{Number: "01", Name: "要闻", Articles: []papertest.Article{
			{Headline: "河滩芦苇黄了", Paragraphs: text, Images: []papertest.Image{{Data: first, Caption: "芦苇"}, {Data: second, Format: "png", Inline: true}}},
			{Headline: "坏掉的照片也要能发", Paragraphs: text[:1], Images: []papertest.Image{
				{Data: first[:len(first)/2]},
				{Data: bomb, Format: "png"},
				{Data: []byte("<html><script>alert(1)</script></html>")},
				{Data: []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`)},
			}},
			{Headline: "同一张照片又登一次", Paragraphs: text[1:], Images: []papertest.Image{{Data: first, Caption: "还是芦苇"}}},
		}}})
		dir := t.TempDir()
		file := mirroring(t, dir, p)
		d := start(t, 0, "serve", "--config", file, "--data", dir, "--store", dsn)
		until(t, "the edition is out", func() bool { f, _ := d.feed("all"); return len(f) == 3 })
		f, _ := d.feed("all")
		mine := map[string][]string{}
		for _, e := range f {
			mine[e.Title] = picturesIn(e)
		}
		good := mine["河滩芦苇黄了"]
		if len(good) != 2 {
			t.Fatalf("pictures %q", mine)
		}
		for i, want := range [][]byte{first, second} {
			m := ourPicture.FindStringSubmatch(good[i])
			if m == nil {
				t.Fatalf("not ours: %s", good[i])
			}
			a := d.get(m[1])
			if a.StatusCode != 200 || !bytes.Equal(a.body, want) {
				t.Errorf("%s: %d, %d bytes of %d", m[1], a.StatusCode, len(a.body), len(want))
			}
			for range 2 { // drawn, then kept
				a := d.get(m[1] + "?w=320")
				if img, _, err := image.Decode(bytes.NewReader(a.body)); err != nil || img.Bounds().Dx() != 320 {
					t.Errorf("%s?w=320: %d %v", m[1], a.StatusCode, err)
				}
			}
		}
		if again := mine["同一张照片又登一次"]; len(again) != 1 || again[0] != good[0] {
			t.Errorf("the same picture is kept twice: %q and %q", again, good[0])
		}
		for _, u := range mine["坏掉的照片也要能发"] {
			if ourPicture.MatchString(u) {
				t.Errorf("a hostile picture is served by us: %s", u)
			}
		}
		if n := len(mine["坏掉的照片也要能发"]); n != 4 {
			t.Errorf("%d of 4 pictures stay with the publisher", n)
		}
		// Nothing is asked for twice, and no feed changes.
		d.closed("all")
		feeds := map[string]string{}
		for _, ext := range []string{"rss", "atom", "json"} {
			feeds[ext] = string(d.get("/feeds/all." + ext).body)
		}
		asked := func() (n int, twice []string) {
			times := map[string]int{}
			for _, r := range p.Requests() {
				if strings.Contains(r.Path, "/res") {
					n++
					if times[r.Path]++; times[r.Path] > 1 {
						twice = append(twice, r.Path)
					}
				}
			}
			return n, twice
		}
		n, twice := asked()
		if n != 7 || len(twice) > 0 {
			t.Errorf("%d pictures asked for, want 7; twice: %q", n, twice)
		}
		polls := p.Count("node_", 0)
		until(t, "two more polls", func() bool { return p.Count("node_", 0) > polls+2 })
		d.kill()
		d = start(t, 0, "serve", "--config", file, "--data", dir, "--store", dsn)
		until(t, "it polls again", func() bool { return p.Count("node_", 0) > polls+4 })
		for ext, want := range feeds {
			if got := string(d.get("/feeds/all." + ext).body); got != want {
				t.Errorf("the %s feed changed", ext)
			}
		}
		if after, _ := asked(); after != n {
			t.Errorf("%d pictures asked for again", after-n)
		}
	})
}

// kill -9 while pictures are copied: every picture is there in the end and whole,
// and what a reader saw first stays.
func TestMirrorKilled(t *testing.T) {
	stores(t, func(t *testing.T, dsn string) {
		p := guarded(t, papertest.Options{Key: "one", Pages: -1, Day: today()})
		var list []papertest.Article
		photos := map[string][]byte{}
		for i := range 12 {
			b := photograph(t, uint8(i), "jpeg")
			title := fmt.Sprintf("第%d组照片", i+1)
			photos[title] = b
			list = append(list, papertest.Article{Headline: title, Paragraphs: []string{fmt.Sprintf("本报讯 第%d组照片拍于清晨，那时候河面上还没有船。", i+1)}, Images: []papertest.Image{{Data: b}}})
		}
		p.Publish(today(), []papertest.Page{{Number: "01", Name: "要闻", Articles: list}})
		p.Misbehave(papertest.Slow(60 * time.Millisecond).On("/res"))
		dir := t.TempDir()
		file := mirroring(t, dir, p)
		kills := []int{4}
		if os.Getenv("PAPERWIRE_TEST_LONG") == "1" {
			kills = []int{2, 5, 8, 10}
		}
		for _, n := range kills {
			d := start(t, 0, "serve", "--config", file, "--data", dir, "--store", dsn)
			until(t, "it copies", func() bool { return p.Count("/res", 0) >= n })
			if f, _ := d.feed("all"); len(f) > 0 {
				t.Errorf("%d articles are out before their pictures are copied", len(f))
			}
			d.kill()
		}
		d := start(t, 0, "serve", "--config", file, "--data", dir, "--store", dsn)
		until(t, "the edition is out", func() bool { f, _ := d.feed("all"); return len(f) == len(list) })
		f, _ := d.feed("all")
		for _, e := range f {
			all := picturesIn(e)
			if len(all) != 1 || !ourPicture.MatchString(all[0]) {
				t.Errorf("%s: %q", e.Title, all)
				continue
			}
			if a := d.get(strings.TrimPrefix(all[0], "http://paperwire.test")); a.StatusCode != 200 || !bytes.Equal(a.body, photos[e.Title]) {
				t.Errorf("%s: %d, %d bytes", e.Title, a.StatusCode, len(a.body))
			}
		}
		if n := p.Count("/res", 200); n > len(list)+len(kills) {
			t.Errorf("%d pictures fetched for %d: at most one is lost at each kill", n, len(list))
		}
	})
}

// TestMirrorPages: the pictures of an edition's pages are copied too. One that shows
// what was withdrawn, or is not out yet, is not shown.
func TestMirrorPages(t *testing.T) {
	now := func() time.Time { return paper.Day("2026-03-16").In(paper.Shanghai).Add(6 * time.Hour) }
	p := papertest.New(papertest.Options{Key: "jz", Day: "2026-03-16", Pages: 2, ArticlesPerPage: 2, Now: now})
	t.Cleanup(p.Close)
	var late atomic.Int64
	s, in := inProcess(t, func() time.Time { return now().Add(time.Duration(late.Load())) }, fetch.Options{},
		ingest.Source{Source: sources.Source{Key: "jz", Platform: "auto", URL: p.URL()}, Mirror: true})
	look := func() {
		t.Helper()
		if err := in.Fetch(t.Context(), nil, func(ingest.Report) {}); err != nil {
			t.Fatal(err)
		}
		late.Add(int64(time.Hour))
	}
	pages := func() []paper.EditionPage {
		t.Helper()
		e, err := s.Edition(t.Context(), paper.Public, "jz", "2026-03-16")
		if err != nil {
			t.Fatal(err)
		}
		return e.Pages
	}
	look()
	for _, page := range pages() {
		m := page.Mirror
		if m == nil || m.Width < 1 || m.Type != "image/jpeg" {
			t.Fatalf("page %s: copy %+v", page.Number, m)
		}
		if got, err := s.Picture(t.Context(), paper.Public, m.Name); err != nil || got != *m {
			t.Errorf("page %s: %+v, %v", page.Number, got, err)
		}
		if _, err := s.Picture(t.Context(), paper.View{Key: "x", Rights: paper.RightsSummary}, m.Name); err == nil {
			t.Error("a page can be read by who may see summaries only")
		}
		_, r, err := s.Blob(t.Context(), m.Name)
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		if n := p.Count(strings.TrimPrefix(page.Picture, p.URL()[:strings.Index(p.URL(), "/jz/")]), 0); n != 1 {
			t.Errorf("page %s: its picture was asked for %d times", page.Number, n)
		}
	}
	look()
	first, second := pages()[0].Mirror.Name, pages()[1].Mirror.Name
	if err := s.Withdraw(t.Context(), "jz-20260316-"+p.Articles("2026-03-16")[0].ID, "a court's order"); err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"asked for", "out"} {
		if got := pages(); got[0].Mirror != nil || got[1].Mirror == nil {
			t.Errorf("withdrawal %s: copies %v and %v", step, got[0].Mirror, got[1].Mirror)
		}
		// The publisher of the test draws the same picture for every page.
		if _, err := s.Picture(t.Context(), paper.Public, first); errors.Is(err, paper.ErrNotFound) == (first == second) {
			t.Errorf("withdrawal %s: the page that shows it is served: %v", step, err)
		}
		if _, err := s.Release(t.Context(), "jz"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Withdraw(t.Context(), "jz-20260316-"+p.Articles("2026-03-16")[2].ID, "a court's order"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Picture(t.Context(), paper.Public, first); !errors.Is(err, paper.ErrNotFound) {
		t.Errorf("nothing shows it, and it is served: %v", err)
	}
}

// TestCardImagesOfAll: every article of the demo, of a hostile edition and of a paper
// whose pictures are copied has all eight pictures for cards, as large as told and no
// larger than allowed, at the addresses that its card document names.
func TestCardImagesOfAll(t *testing.T) {
	local := regexp.MustCompile(`^https?://[^/]+`) // the base URL as it is told
	check := func(t *testing.T, d *daemon, articles int) {
		f, _ := d.feed("all")
		if len(f) != articles {
			t.Fatalf("%d articles, want %d", len(f), articles)
		}
		fromPhoto := 0
		for _, e := range f {
			path := local.ReplaceAllString(e.URL, "")
			var doc struct {
				QR     string
				Images map[string]struct {
					URL           string
					Width, Height int
					Type          string
					Generated     bool
				}
			}
			if err := json.Unmarshal(d.get(path+"/card.json").body, &doc); err != nil {
				t.Fatal(err)
			}
			if len(doc.Images) != 8 || !doc.Images["og"].Generated {
				fromPhoto++
			}
			for name, i := range doc.Images {
				a := d.get(local.ReplaceAllString(i.URL, ""))
				got, err := jpeg.DecodeConfig(bytes.NewReader(a.body))
				if limit := map[bool]int{false: 300_000, true: 32_000}[name == "thumb"]; err != nil || a.StatusCode != http.StatusOK || got.Width != i.Width || got.Height != i.Height || i.Type != "image/jpeg" || len(a.body) > limit {
					t.Errorf("%s: %d, %d bytes, %d×%d, %v", i.URL, a.StatusCode, len(a.body), got.Width, got.Height, err)
				}
			}
			a := d.get(local.ReplaceAllString(doc.QR, ""))
			if m, err := png.Decode(bytes.NewReader(a.body)); err != nil || m.Bounds().Dx() < 200 {
				t.Errorf("%s: %d %v", doc.QR, a.StatusCode, err)
			}
		}
		t.Logf("%d articles, %d from their photo", len(f), fromPhoto)
	}
	papers(t, check)
	t.Run("photos", func(t *testing.T) {
		p := guarded(t, papertest.Options{Key: "one", Pages: -1, Day: today()})
		var list []papertest.Article
		for i := range 4 {
			list = append(list, papertest.Article{
				Headline: fmt.Sprintf("河滩芦苇第%d天", i), Paragraphs: []string{"本报讯 河滩上的芦苇黄了。"},
				Images: []papertest.Image{{Data: photograph(t, uint8(i*40), []string{"jpeg", "png"}[i%2]), Format: []string{"", "png"}[i%2]}},
			})
		}
		p.Publish(today(), []papertest.Page{{Number: "01", Name: "要闻", Articles: list}})
		dir := t.TempDir()
		d := start(t, 0, "serve", "--config", mirroring(t, dir, p), "--data", dir)
		until(t, "the edition is out", func() bool { f, _ := d.feed("all"); return len(f) == len(list) })
		check(t, d, len(list))
		f, _ := d.feed("all")
		at := local.ReplaceAllString(f[0].URL, "")
		if a := d.get(at + "/card/thumb.jpg"); a.StatusCode != http.StatusFound || !strings.HasPrefix(a.Header.Get("Location"), at+"/card/thumb-") {
			t.Errorf("the address without a hash: %d %v", a.StatusCode, a.Header)
		}
	})
}
