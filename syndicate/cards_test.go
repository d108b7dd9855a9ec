package syndicate

import (
	"bytes"
	"errors"
	"fmt"
	"image/jpeg"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"paperwire/internal/paper"
	"paperwire/syndicate/card"
)

// pictured is a site with one article that shows a copy and one that shows none.
func pictured(t testing.TB) (*Syndicate, *memory, *album, string, string) {
	t.Helper()
	a := newAlbum()
	p := a.add("image/jpeg", 900, 600, jpegOf(t, painting(900, 600, false)))
	m := newMemory()
	m.items = nil
	m.release("demo", 0, "yaowen", "410825")
	m.release("demo", 1, "yaowen", "410825")
	m.items[0].Images = []paper.Image{{URL: "http://epaper.example.cn/1.jpg", Mirror: &p}}
	s := gallerySite(t, a, m)
	catchUp(t, s)
	return s, m, a, m.items[0].ID, m.items[1].ID
}

func TestCardImages(t *testing.T) {
	s, m, a, with, without := pictured(t)
	for _, id := range []string{with, without} {
		for _, size := range card.Sizes() {
			for _, name := range []string{size.Name, size.Name + card.Dark} {
				r := askPicture(s, "GET", "/a/"+id+"/card/"+name+".jpg", nil)
				to := r.Header().Get("Location")
				if r.Code != 302 || !strings.HasPrefix(to, "/a/"+id+"/card/"+name+"-") || r.Header().Get("Cache-Control") != "public, max-age=60" {
					t.Fatalf("%s: %d to %q, %v", name, r.Code, to, r.Header())
				}
				r = askPicture(s, "GET", to, nil)
				got, err := jpeg.DecodeConfig(bytes.NewReader(r.Body.Bytes()))
				if r.Code != 200 || err != nil || got.Width != size.Width || got.Height != size.Height {
					t.Fatalf("%s: %d, %dx%d, %v", to, r.Code, got.Width, got.Height, err)
				}
				for name, want := range map[string]string{
					"Content-Type": "image/jpeg", "Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff",
					"Content-Length": fmt.Sprint(r.Body.Len()), "Last-Modified": "", "Content-Encoding": "", "Access-Control-Allow-Origin": "*",
				} {
					if got := r.Header().Get(name); got != want {
						t.Errorf("%s: %s is %q, want %q", to, name, got, want)
					}
				}
				if c := askPicture(s, "GET", to, map[string]string{"If-None-Match": r.Header().Get("Etag"), "Accept-Encoding": "gzip, br"}); c.Code != 304 || c.Body.Len() != 0 {
					t.Errorf("%s: conditional %d", to, c.Code)
				}
				if h := askPicture(s, "HEAD", to, nil); h.Code != 200 || h.Body.Len() != 0 {
					t.Errorf("%s: HEAD %d", to, h.Code)
				}
			}
		}
	}
	// Each was drawn once and kept.
	if want := 2 * 2 * len(card.Sizes()); a.made != want {
		t.Errorf("%d pictures drawn, want %d", a.made, want)
	}
	// Another process finds them in the store.
	again := gallerySite(t, a, m)
	catchUp(t, again)
	to := askPicture(again, "GET", "/a/"+with+"/card/og.jpg", nil).Header().Get("Location")
	one, two := askPicture(s, "GET", to, nil), askPicture(again, "GET", to, nil)
	if !bytes.Equal(one.Body.Bytes(), two.Body.Bytes()) || a.made != 2*2*len(card.Sizes()) {
		t.Error("another process draws it again, or another picture")
	}
	for target, status := range map[string]int{
		"/a/" + with + "/card/":                           404,
		"/a/" + with + "/card/nope.jpg":                   404,
		"/a/" + with + "/card/og.png":                     404,
		"/a/" + with + "/card/og-1234567.jpg":             404,
		"/a/" + with + "/card/og-dark-dark.jpg":           404,
		"/a/" + with + "/card/OG.jpg":                     404,
		"/a/" + with + "/card/og-00000000.jpg":            302,
		"/a/nie-20250304-1_1/card/og.jpg":                 404,
		"/a/" + strings.Repeat("x-", 80) + "/card/og.jpg": 404,
		"/a/x/card/og.jpg":                                404,
		to + "?utm_source=x":                              200,
	} {
		if r := askPicture(s, "GET", target, nil); r.Code != status {
			t.Errorf("%s: %d, want %d", target, r.Code, status)
		}
	}
}

// A correction moves the address; the old one redirects. A withdrawal takes all away.
func TestCardImageLife(t *testing.T) {
	s, m, _, id, _ := pictured(t)
	was := askPicture(s, "GET", "/a/"+id+"/card/og.jpg", nil).Header().Get("Location")
	if r := askPicture(s, "GET", was, nil); r.Code != 200 {
		t.Fatal(r.Code)
	}
	m.mu.Lock()
	m.items[0].Version++
	m.rise(epoch.Add(time.Hour), "paper/demo", "all")
	m.mu.Unlock()
	catchUp(t, s)
	r := askPicture(s, "GET", was, nil)
	to := r.Header().Get("Location")
	if r.Code != 302 || to == was || to == "" {
		t.Fatalf("corrected: %d to %q", r.Code, to)
	}
	if r := askPicture(s, "GET", to, nil); r.Code != 200 {
		t.Fatalf("corrected: %d", r.Code)
	}
	if r := askPicture(s, "GET", "/a/"+id+"/qr.png", nil); r.Code != 200 {
		t.Fatalf("code: %d", r.Code)
	}
	// While the store fails, the last good bytes stay.
	m.mu.Lock()
	m.rise(epoch.Add(time.Hour), "paper/demo", "all")
	m.mu.Unlock()
	catchUp(t, s)
	m.fail(errors.New("disk on fire"))
	if r := askPicture(s, "GET", to, nil); r.Code != 200 {
		t.Errorf("while the store fails: %d", r.Code)
	}
	if r := askPicture(s, "GET", "/a/"+id+"/card/thumb.jpg", nil); r.Code != 503 {
		t.Errorf("an address that cannot be told while the store fails: %d", r.Code)
	}
	m.fail(nil)
	m.mu.Lock()
	m.items[0].State = paper.Withdrawn
	m.rise(epoch.Add(2*time.Hour), "paper/demo", "all")
	m.mu.Unlock()
	catchUp(t, s)
	for _, target := range []string{was, to, "/a/" + id + "/card/og.jpg", "/a/" + id + "/card/thumb.jpg", "/a/" + id + "/qr.png"} {
		if r := askPicture(s, "GET", target, map[string]string{"If-None-Match": `*`}); r.Code != 410 {
			t.Errorf("withdrawn: %s is %d", target, r.Code)
		}
	}
}

// Many who ask at once wait for one drawing.
func TestCardImageDrawnOnce(t *testing.T) {
	s, _, a, id, _ := pictured(t)
	to := askPicture(s, "GET", "/a/"+id+"/card/og.jpg", nil).Header().Get("Location")
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if r := askPicture(s, "GET", to, nil); r.Code != 200 {
				t.Errorf("%d", r.Code)
			}
		})
	}
	wg.Wait()
	if a.made != 1 {
		t.Errorf("drawn %d times", a.made)
	}
}

// A copy whose bytes went, or that nothing can decode, makes a card in type; an
// address that looks like a copy of ours shows nothing that may not be seen.
func TestCardWithoutItsPicture(t *testing.T) {
	draw := func(change func(*memory, *album)) []byte {
		s, m, a, id, _ := pictured(t)
		change(m, a)
		to := askPicture(s, "GET", "/a/"+id+"/card/og.jpg", nil).Header().Get("Location")
		r := askPicture(s, "GET", to, nil)
		if r.Code != 200 {
			t.Fatalf("%d: %s", r.Code, r.Body)
		}
		return r.Body.Bytes()
	}
	inType := func(b []byte) bool {
		m, err := jpeg.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		y, _, _, _ := m.At(6, 6).RGBA()
		return y>>8 > 240 // paper, and not the picture's red
	}
	if inType(draw(func(*memory, *album) {})) {
		t.Fatal("the picture is not shown")
	}
	for what, change := range map[string]func(*memory, *album){
		"bytes gone": func(_ *memory, a *album) { clear(a.bytes) },
		"broken": func(_ *memory, a *album) {
			for n := range a.bytes {
				a.bytes[n] = a.bytes[n][:200]
			}
		},
		"not its kind": func(_ *memory, a *album) {
			for n := range a.shown {
				p := a.shown[n]
				p.Type = "image/png"
				a.shown[n] = p
			}
		},
		"not shown": func(_ *memory, a *album) { clear(a.shown) },
		"withdrawn": func(_ *memory, a *album) {
			for n := range a.shown {
				a.gone[n] = true
			}
		},
		"elsewhere": func(m *memory, _ *album) { m.items[0].Images[0].Mirror = nil },
	} {
		if !inType(draw(change)) {
			t.Errorf("%s: no card in type", what)
		}
	}
}

func TestQRCode(t *testing.T) {
	s, _, _, id, _ := pictured(t)
	r := askPicture(s, "GET", "/a/"+id+"/qr.png", nil)
	if r.Code != 200 || r.Header().Get("Content-Type") != "image/png" || r.Header().Get("Cache-Control") != "public, max-age=86400" {
		t.Fatalf("%d %v", r.Code, r.Header())
	}
	m, err := png.Decode(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	bmp, err := gozxing.NewBinaryBitmapFromImage(m)
	if err != nil {
		t.Fatal(err)
	}
	res, err := qrcode.NewQRCodeReader().Decode(bmp, nil)
	if err != nil || res.GetText() != "https://news.example.cn/a/"+id {
		t.Errorf("%v %v", res, err)
	}
	for target, status := range map[string]int{"/a/nie-1/qr.png": 404, "/a/x/qr.png": 404} {
		if r := askPicture(s, "GET", target, nil); r.Code != status {
			t.Errorf("%s: %d, want %d", target, r.Code, status)
		}
	}
}

// A cached picture costs what a cached feed costs.
func BenchmarkCardImage(b *testing.B) {
	s, _, _, id, _ := pictured(b)
	to := askPicture(s, "GET", "/a/"+id+"/card/og.jpg", nil).Header().Get("Location")
	b.Run("cached", func(b *testing.B) {
		r := httptest.NewRequest("GET", to, nil)
		w := discard{http.Header{}}
		b.ReportAllocs()
		for b.Loop() {
			clear(w.h)
			s.ServeHTTP(w, r)
		}
	})
}
