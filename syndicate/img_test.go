package syndicate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"paperwire/internal/paper"
	"paperwire/syndicate/card"
)

// album is Pictures in memory.
type album struct {
	mu    sync.Mutex
	shown map[string]paper.Picture
	gone  map[string]bool
	bytes map[string][]byte
	kinds map[string]paper.Picture
	made  int // variants kept
}

func newAlbum() *album {
	return &album{shown: map[string]paper.Picture{}, gone: map[string]bool{}, bytes: map[string][]byte{}, kinds: map[string]paper.Picture{}}
}

// add keeps a picture and lets it be seen.
func (a *album) add(kind string, w, h int, data []byte) paper.Picture {
	sum := sha256.Sum256(data)
	ext := map[string]string{"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp"}[kind]
	p := paper.Picture{Name: hex.EncodeToString(sum[:]) + "." + ext, Type: kind, Width: w, Height: h, Length: int64(len(data)), Source: "http://epaper.example.cn/full.jpg"}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.shown[p.Name], a.kinds[p.Name], a.bytes[p.Name] = p, p, data
	return p
}

func (a *album) Picture(_ context.Context, _ paper.View, name string) (paper.Picture, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p, ok := a.shown[name]
	switch {
	case a.gone[name]:
		return p, fmt.Errorf("picture: %w", paper.ErrGone)
	case !ok:
		return p, fmt.Errorf("picture: %w", paper.ErrNotFound)
	}
	return p, nil
}

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }

func (a *album) Blob(_ context.Context, name string) (paper.Picture, io.ReadSeekCloser, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	b, ok := a.bytes[name]
	if !ok {
		return paper.Picture{}, nil, fmt.Errorf("blob: %w", paper.ErrNotFound)
	}
	return a.kinds[name], nopCloser{bytes.NewReader(b)}, nil
}

func (a *album) KeepVariant(_ context.Context, p paper.Picture, data []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.made++
	a.kinds[p.Name], a.bytes[p.Name] = p, data
	return nil
}

// painting is a picture with a red left half, blue elsewhere, and a clear corner
// where it is asked for.
func painting(w, h int, clearCorner bool) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{20, 20, 200, 255}
			if x < w/2 {
				c = color.NRGBA{200, 20, 20, 255}
			}
			if clearCorner && x > w*3/4 && y > h*3/4 {
				c = color.NRGBA{}
			}
			m.SetNRGBA(x, y, c)
		}
	}
	return m
}

func jpegOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gallerySite(t testing.TB, a *album, m *memory) *Syndicate {
	t.Helper()
	s, err := New(Options{Base: "https://news.example.cn", Store: m, Names: table{}, Pictures: a})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func askPicture(s http.Handler, method, target string, head map[string]string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for k, v := range head {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestPictureIsServed(t *testing.T) {
	a := newAlbum()
	data := jpegOf(t, painting(800, 600, false))
	p := a.add("image/jpeg", 800, 600, data)
	s := gallerySite(t, a, newMemory())
	w := askPicture(s, "GET", "/img/"+p.Name, nil)
	if w.Code != 200 || !bytes.Equal(w.Body.Bytes(), data) {
		t.Fatalf("%d, %d bytes", w.Code, w.Body.Len())
	}
	for name, want := range map[string]string{
		"Content-Type": "image/jpeg", "Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "default-src 'none'; sandbox", "Etag": `"` + p.Name[:64] + `"`, "Content-Length": fmt.Sprint(len(data)),
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if h := askPicture(s, "HEAD", "/img/"+p.Name, nil); h.Code != 200 || h.Body.Len() != 0 || h.Header().Get("Content-Length") != fmt.Sprint(len(data)) {
		t.Errorf("HEAD: %d, %d bytes, %v", h.Code, h.Body.Len(), h.Header())
	}
	if c := askPicture(s, "GET", "/img/"+p.Name, map[string]string{"If-None-Match": w.Header().Get("Etag")}); c.Code != 304 || c.Body.Len() != 0 {
		t.Errorf("conditional: %d", c.Code)
	}
	if c := askPicture(s, "GET", "/img/"+p.Name, map[string]string{"Range": "bytes=0-9"}); c.Code != 206 || c.Body.Len() != 10 {
		t.Errorf("range: %d", c.Code)
	}
	for target, status := range map[string]int{
		"/img/" + strings.Repeat("0", 64) + ".jpg": 404, "/img/x.jpg": 404, "/img/": 404, "/img/" + p.Name + "/": 308,
		"/img/" + p.Name[:64] + ".svg": 404, "/img/" + p.Name[:64] + "-160.jpg": 404, "/img/..%2f..%2fetc%2fpasswd": 404,
		"/img/" + p.Name + "?w=161": 400, "/img/" + p.Name + "?w=": 400, "/img/" + p.Name + "?w=0160": 400, "/img/" + p.Name + "?w=160&w=320": 400,
		"/img/" + p.Name + "?w=1600": 200, "/img/" + p.Name + "?x=1": 200,
	} {
		if w := askPicture(s, "GET", target, nil); w.Code != status {
			t.Errorf("%s: %d, want %d", target, w.Code, status)
		} else if status == 400 && !strings.Contains(w.Body.String(), "160, 320, 480, 640, 960, 1200, 1600") {
			t.Errorf("%s: does not name the widths: %s", target, w.Body)
		}
	}
	a.gone[p.Name] = true
	if w := askPicture(s, "GET", "/img/"+p.Name, map[string]string{"If-None-Match": `"` + p.Name[:64] + `"`}); w.Code != 410 {
		t.Errorf("withdrawn: %d", w.Code)
	}
	// Bytes that had to go: the publisher's picture is named.
	q := a.add("image/jpeg", 800, 600, data[:len(data)-1])
	delete(a.bytes, q.Name)
	for _, query := range []string{"", "?w=160"} {
		if w := askPicture(s, "GET", "/img/"+q.Name+query, nil); w.Code != 302 || w.Header().Get("Location") != q.Source {
			t.Errorf("without its bytes: %d to %q", w.Code, w.Header().Get("Location"))
		}
	}
	if w := askPicture(gallerySiteWithout(t), "GET", "/img/"+p.Name, nil); w.Code != 404 {
		t.Errorf("without pictures: %d", w.Code)
	}
}

func gallerySiteWithout(t *testing.T) *Syndicate {
	t.Helper()
	s, err := New(Options{Base: "https://news.example.cn", Store: newMemory(), Names: table{}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestResize(t *testing.T) {
	a := newAlbum()
	s := gallerySite(t, a, newMemory())
	var anim bytes.Buffer
	if err := gif.Encode(&anim, painting(640, 480, false), nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, kind   string
		w, h         int
		data         []byte
		ask          string
		want         string
		wantW, wantH int
	}{
		{"jpeg", "image/jpeg", 800, 600, jpegOf(t, painting(800, 600, false)), "320", "image/jpeg", 320, 240},
		{"opaque png", "image/png", 800, 601, pngOf(t, painting(800, 601, false)), "160", "image/jpeg", 160, 120},
		{"png with alpha", "image/png", 800, 600, pngOf(t, painting(800, 600, true)), "160", "image/png", 160, 120},
		{"gif", "image/gif", 640, 480, anim.Bytes(), "160", "image/gif", 640, 480},
		{"small", "image/jpeg", 300, 200, jpegOf(t, painting(300, 200, false)), "320", "image/jpeg", 300, 200},
		{"strip", "image/png", 4000, 3, pngOf(t, painting(4000, 3, false)), "160", "image/jpeg", 160, 1},
		{"large", "image/jpeg", 3000, 2000, jpegOf(t, painting(3000, 2000, false)), "640", "image/jpeg", 640, 427},
	} {
		p := a.add(c.kind, c.w, c.h, c.data)
		w := askPicture(s, "GET", "/img/"+p.Name+"?w="+c.ask, nil)
		m, kind, err := image.Decode(bytes.NewReader(w.Body.Bytes()))
		if w.Code != 200 || w.Header().Get("Content-Type") != c.want || err != nil {
			t.Errorf("%s: %d %s %v", c.name, w.Code, w.Header().Get("Content-Type"), err)
			continue
		}
		if "image/"+kind != c.want || m.Bounds().Dx() != c.wantW || m.Bounds().Dy() != c.wantH {
			t.Errorf("%s: %s %v, want %s %d×%d", c.name, kind, m.Bounds(), c.want, c.wantW, c.wantH)
		}
		r, _, b, _ := m.At(c.wantW/4, c.wantH/4).RGBA()
		r2, _, b2, _ := m.At(c.wantW*3/5, c.wantH/4).RGBA()
		if r < b || b2 < r2 {
			t.Errorf("%s: the colours are elsewhere", c.name)
		}
		again := askPicture(s, "GET", "/img/"+p.Name+"?w="+c.ask, nil)
		if !bytes.Equal(again.Body.Bytes(), w.Body.Bytes()) || again.Header().Get("Etag") != w.Header().Get("Etag") {
			t.Errorf("%s: other bytes the second time", c.name)
		}
		if whole := askPicture(s, "GET", "/img/"+p.Name, nil); c.wantW != c.w && whole.Header().Get("Etag") == w.Header().Get("Etag") {
			t.Errorf("%s: one ETag for two widths", c.name)
		}
	}
	if a.made != 5 {
		t.Errorf("%d were drawn, want 5: each once", a.made)
	}
}

// Same content, same bytes: on every machine, and after the cache was emptied.
func TestResizeIsDeterministic(t *testing.T) {
	data := jpegOf(t, painting(700, 500, false))
	first, _, _, err := resize(data, "image/jpeg", 480)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if again, _, _, err := resize(data, "image/jpeg", 480); err != nil || !bytes.Equal(first, again) {
			t.Fatalf("other bytes: %v", err)
		}
	}
}

func TestResizeOnceForAll(t *testing.T) {
	a := newAlbum()
	p := a.add("image/jpeg", 1600, 1200, jpegOf(t, painting(1600, 1200, false)))
	s := gallerySite(t, a, newMemory())
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if w := askPicture(s, "GET", "/img/"+p.Name+"?w=480", nil); w.Code != 200 {
				t.Errorf("%d", w.Code)
			}
		})
	}
	all.Wait()
	if a.made != 1 {
		t.Errorf("drawn %d times", a.made)
	}
}

// bomb is a PNG whose header promises more than its few bytes hold.
func bomb(t testing.TB, w, h uint32) []byte {
	b := pngOf(t, painting(8, 8, false))
	binary.BigEndian.PutUint32(b[16:], w)
	binary.BigEndian.PutUint32(b[20:], h)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

// bomb16 is one with 16 bits a channel.
func bomb16(t testing.TB, w, h uint32) []byte {
	b := bomb(t, w, h)
	b[24] = 16
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

// While others are drawn, a picture goes out as it is, but not for ever.
func TestBusyGallery(t *testing.T) {
	a := newAlbum()
	p := a.add("image/jpeg", 1600, 1200, jpegOf(t, painting(1600, 1200, false)))
	s := gallerySite(t, a, newMemory())
	s.gallery.within = 10 * time.Millisecond
	if err := s.gallery.room.Acquire(t.Context(), decoding); err != nil {
		t.Fatal(err)
	}
	if w := askPicture(s, "GET", "/img/"+p.Name+"?w=480", nil); w.Code != 200 || w.Body.Len() != int(p.Length) || w.Header().Get("Cache-Control") != oneMinute[0] {
		t.Errorf("busy: %d, %d bytes of %d, %s", w.Code, w.Body.Len(), p.Length, w.Header().Get("Cache-Control"))
	}
	s.gallery.room.Release(decoding)
	if w := askPicture(s, "GET", "/img/"+p.Name+"?w=480", nil); w.Code != 200 || w.Body.Len() >= int(p.Length) || w.Header().Get("Cache-Control") != forEver[0] {
		t.Errorf("then: %d, %d bytes of %d, %s", w.Code, w.Body.Len(), p.Length, w.Header().Get("Cache-Control"))
	}
}

// What cannot be decoded is sent as it is, sandboxed; it takes nobody down.
func TestHostilePictures(t *testing.T) {
	whole := jpegOf(t, painting(800, 600, false))
	for name, data := range map[string][]byte{
		"truncated": whole[:len(whole)/2], "bomb": bomb(t, 7000, 7000), "header only": whole[:20], "html": []byte("<html><script>alert(1)</script>"),
		"svg": []byte("<svg onload='alert(1)'/>"), "empty": {}, "deep": bomb16(t, 7000, 7000),
	} {
		a := newAlbum()
		p := a.add("image/png", 7000, 7000, data)
		if bytes.HasPrefix(data, []byte{0xff, 0xd8}) {
			p = a.add("image/jpeg", 800, 600, data)
		}
		s := gallerySite(t, a, newMemory())
		w := askPicture(s, "GET", "/img/"+p.Name+"?w=160", nil)
		if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "image/") || w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
		if a.made != 0 || w.Header().Get("Cache-Control") != forEver[0] {
			t.Errorf("%s: something was drawn of it, or will be: %s", name, w.Header().Get("Cache-Control"))
		}
	}
}

func TestOrientation(t *testing.T) {
	for turn, want := range map[int][2]int{1: {320, 240}, 3: {320, 240}, 6: {320, 427}, 8: {320, 427}, 9: {320, 240}} {
		for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
			mark := "MM"
			if order == binary.AppendByteOrder(binary.LittleEndian) {
				mark = "II"
			}
			exif := append([]byte("Exif\x00\x00"+mark), order.AppendUint16(nil, 42)...)
			exif = order.AppendUint32(exif, 8)
			exif = order.AppendUint16(exif, 1)
			exif = order.AppendUint16(exif, 0x0112)
			exif = order.AppendUint16(exif, 3)
			exif = order.AppendUint32(exif, 1)
			exif = order.AppendUint16(exif, uint16(turn))
			exif = append(exif, 0, 0, 0, 0, 0, 0)
			plain := jpegOf(t, painting(800, 600, false))
			data := slices.Concat(plain[:2], []byte{0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(exif)+2)), exif, plain[2:])
			out, _, _, err := resize(data, "image/jpeg", 320)
			if err != nil {
				t.Fatal(err)
			}
			m, err := jpeg.Decode(bytes.NewReader(out))
			if err != nil || m.Bounds().Dx() != want[0] || m.Bounds().Dy() != want[1] {
				t.Errorf("%s %d: %v %v, want %v", mark, turn, m.Bounds(), err, want)
				continue
			}
			red := func(x, y int) bool { r, _, b, _ := m.At(x, y).RGBA(); return r > b }
			// The red left half lies above for 6, below for 8, on the right for 3.
			at := map[int][2]int{1: {40, 120}, 9: {40, 120}, 3: {280, 120}, 6: {160, 60}, 8: {160, 360}}[turn]
			if !red(at[0], at[1]) {
				t.Errorf("%s %d: turned another way", mark, turn)
			}
		}
	}
	for cut := range 60 { // no length leads past the end
		card.Orientation(slices.Concat([]byte{0xff, 0xd8, 0xff, 0xe1, 0, byte(cut)}, []byte("Exif\x00\x00II*\x00\xff\xff\xff\x7f"), make([]byte, cut)))
	}
}

// Items carry our addresses in every format, and the store's own stay as they are.
func TestCopiesAreShownEverywhere(t *testing.T) {
	const origin, other = "http://epaper.example.cn/pic/1.jpg?a=1&b=2", "http://epaper.example.cn/pic/2.jpg"
	m, a := newMemory(), newAlbum()
	p := a.add("image/jpeg", 800, 600, jpegOf(t, painting(800, 600, false)))
	it := m.release("demo", 20, "yaowen", "410825")
	it.Images = []paper.Image{{URL: origin, Caption: "稻田", Width: 80, Height: 60, Mirror: &p}, {URL: other, Caption: "渠"}}
	it.HTML = `<p>稻田 <b>src=` + html.EscapeString(origin) + `</b></p><p><img src="` + html.EscapeString(origin) + `" alt="a&#34;b" width="80" height="60"/></p><img src="` + other + `"/>`
	m.items[len(m.items)-1] = it
	s := gallerySite(t, a, m)
	want := "https://news.example.cn/img/" + p.Name
	got, err := s.store.Item(t.Context(), paper.Public, it.ID)
	if err != nil {
		t.Fatal(err)
	}
	if i := got.Images[0]; i.URL != want || i.Width != 800 || i.Height != 600 || i.Type != "image/jpeg" || i.Length != p.Length || i.Caption != "稻田" || i.Mirror != nil {
		t.Errorf("picture %+v", i)
	}
	wantHTML := `<p>稻田 <b>src=` + html.EscapeString(origin) + `</b></p><p><img src="` + want + `" alt="a&#34;b" width="800" height="600"/></p><img src="` + other + `"/>`
	if got.HTML != wantHTML {
		t.Errorf("html\n%s\nwant\n%s", got.HTML, wantHTML)
	}
	if m.items[len(m.items)-1].Images[0].URL != origin {
		t.Error("the store's item was changed")
	}
	for _, target := range []string{"/feeds/all.rss", "/feeds/all.atom", "/feeds/all.json", "/a/" + it.ID, "/a/" + it.ID + "/card.json", "/api/v1/articles/" + it.ID, "/sitemap-news.xml"} {
		w := askPicture(s, "GET", target, nil)
		body := strings.ReplaceAll(w.Body.String(), `\/`, "/")
		want := want
		if strings.HasPrefix(target, "/a/") { // a card shows what is drawn from it
			want = "https://news.example.cn/a/" + it.ID + "/card/og-"
		}
		if w.Code != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d, without our address", target, w.Code)
		}
		if strings.Contains(body, `"http://epaper.example.cn/pic/1.jpg`) {
			t.Errorf("%s: names the publisher's picture", target)
		}
	}
	if len(slices.Collect(maps.Keys(a.shown))) != 1 {
		t.Error("the album changed")
	}
}

func BenchmarkResize(b *testing.B) {
	for _, c := range []struct{ w, h, to int }{{800, 600, 320}, {4000, 3000, 1200}} {
		data := jpegOf(b, painting(c.w, c.h, false))
		b.Run(fmt.Sprintf("%dx%d to %d", c.w, c.h, c.to), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, _, err := resize(data, "image/jpeg", c.to); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCachedPicture(b *testing.B) {
	a := newAlbum()
	p := a.add("image/jpeg", 800, 600, jpegOf(b, painting(800, 600, false)))
	s := gallerySite(b, a, newMemory())
	askPicture(s, "GET", "/img/"+p.Name+"?w=320", nil)
	b.ReportAllocs()
	for b.Loop() {
		if w := askPicture(s, "GET", "/img/"+p.Name+"?w=320", nil); w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}
