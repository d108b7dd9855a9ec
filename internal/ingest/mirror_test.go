package ingest

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"paperwire/internal/fetch"
	"paperwire/internal/paper"
	"paperwire/internal/store"
	"paperwire/sources"
)

func TestSizesOf(t *testing.T) {
	for address, want := range map[string][]string{
		"http://a.cn/pic/202408/19/x.jpg.2":     {"http://a.cn/pic/202408/19/x.jpg", "http://a.cn/pic/202408/19/x.jpg.2"},
		"http://a.cn/pic/202408/19/x.jpg":       {"http://a.cn/pic/202408/19/x.jpg", "http://a.cn/pic/202408/19/x.jpg.2"},
		"http://a.cn/2026031701_brief.jpg":      {"http://a.cn/2026031701.jpg", "http://a.cn/2026031701_brief.jpg"},
		"http://a.cn/res01_s.PNG":               {"http://a.cn/res01.PNG", "http://a.cn/res01_s.PNG"},
		"http://a.cn/res01_sea.jpg":             {"http://a.cn/res01_sea.jpg"},
		"http://a.cn/res1_1.jpg":                {"http://a.cn/res1_1.jpg"},
		"http://a.cn/show.aspx?id=1_s.jpg":      {"http://a.cn/show.aspx?id=1_s.jpg"},
		"http://a.cn/pic/202408/19/x.jpg.2?t=1": {"http://a.cn/pic/202408/19/x.jpg.2?t=1"},
		"http://a.cn/picture":                   {"http://a.cn/picture"},
	} {
		if got := sizesOf(address); !cmp.Equal(got, want) {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}

func paint(t *testing.T, w, h int, shade uint8) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = shade
	}
	m.SetGray(0, 0, color.Gray{Y: shade + 1})
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What a source's pictures come to: the full size first, three tries at what may
// pass, one at what will not, and the publisher's address for the rest.
func TestMirror(t *testing.T) {
	const day = paper.Day("2026-03-18")
	large, small := paint(t, 90, 60, 10), paint(t, 45, 30, 20)
	var mu sync.Mutex
	asked := map[string]int{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked[r.URL.Path]++
		switch r.URL.Path {
		case "/full.jpg", "/again.jpg", "/thumb_s.jpg":
			if r.URL.Path == "/again.jpg" && asked[r.URL.Path] == 1 {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			w.Write(large)
		case "/full.jpg.2", "/only.jpg.2", "/thumb.jpg":
			w.Write(small)
		case "/down.jpg":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/login.jpg":
			w.Write([]byte("<html>"))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer srv.Close()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "p.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := fetch.New(fetch.Options{Open: []string{"127.0.0.1"}, Pace: -1})
	defer c.Close()
	g := &Ingest{store: s, fetch: c, log: slog.New(slog.DiscardHandler), now: time.Now}
	if err := s.Configure(t.Context(), store.Setup{Papers: []paper.Paper{{Key: "a", Zone: "Asia/Shanghai", Rights: paper.RightsFull}}, Sources: []store.SourceRow{{Key: "a", Paper: "a"}}}); err != nil {
		t.Fatal(err)
	}
	src := &source{Source: Source{Source: sources.Source{Key: "a", Paper: "a"}, Mirror: true}}
	take := func(origin string, names ...string) {
		t.Helper()
		a := paper.Article{Paper: "a", Source: "a", Day: day, URL: srv.URL + "/" + origin, Headline: origin, Text: "x"}
		for _, n := range names {
			i := paper.Image{URL: srv.URL + n}
			if n == "/thumb_s.jpg" {
				i.Width = 90 // as a feed declares it
			}
			a.Images = append(a.Images, i)
		}
		if _, _, err := s.List(t.Context(), store.Listing{Source: "a", Paper: "a", Day: day, Refs: []store.Listed{{Origin: origin, URL: a.URL}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Ingest(t.Context(), store.Incoming{Article: a, Origin: origin, RefDay: day, Hash: origin}); err != nil {
			t.Fatal(err)
		}
	}
	take("1", "/full.jpg.2", "/only.jpg.2", "/thumb_s.jpg", "/again.jpg", "/login.jpg", "/none.jpg")
	for range 3 { // looks: what is known is not asked for again
		if err := g.mirror(t.Context(), src, day); err != nil {
			t.Fatal(err)
		}
	}
	take("2", "/full.jpg.2", "/down.jpg")
	for range 3 {
		if err := g.mirror(t.Context(), src, day); err != nil {
			t.Fatal(err)
		}
	}
	// What is not copied in time keeps no edition back.
	take("3", "/late.jpg")
	began := time.Now()
	g.now = func() time.Time { began = began.Add(mirrorFor); return began }
	if err := g.mirror(t.Context(), src, day); err != nil {
		t.Fatal(err)
	}
	want := map[string]int{
		"/full.jpg": 1, "/only.jpg": 1, "/only.jpg.2": 1, "/thumb.jpg": 1, "/thumb_s.jpg": 1, "/again.jpg": 2, "/login.jpg": 1, "/none.jpg": 1, "/down.jpg": 3, "/robots.txt": 1,
	}
	mu.Lock()
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	mu.Unlock()
	if err := s.Settle(t.Context(), "a", "a", day, nil, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Release(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, id := range []string{"a-20260318-1", "a-20260318-2", "a-20260318-3"} {
		item, err := s.Item(t.Context(), paper.Public, id)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range item.Images {
			at := "theirs"
			if i.Mirror != nil {
				at = fmt.Sprintf("%d from %s", i.Mirror.Width, i.Mirror.Source[len(srv.URL):])
			}
			got[i.URL[len(srv.URL):]] = at
		}
	}
	// The same bytes are kept once, with the source they came from first.
	if diff := cmp.Diff(map[string]string{
		"/full.jpg.2": "90 from /full.jpg", "/only.jpg.2": "45 from /only.jpg.2", "/thumb_s.jpg": "90 from /full.jpg",
		"/again.jpg": "90 from /full.jpg", "/login.jpg": "theirs", "/none.jpg": "theirs", "/down.jpg": "theirs", "/late.jpg": "theirs",
	}, got); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
}
