package fetch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func canvas(w, h int) image.Image { return image.NewGray(image.Rect(0, 0, w, h)) }

func drawn(t testing.TB, kind string, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	switch kind {
	case "jpeg":
		err = jpeg.Encode(&b, canvas(w, h), nil)
	case "png":
		err = png.Encode(&b, canvas(w, h))
	case "gif":
		err = gif.Encode(&b, canvas(w, h), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// segment is a JPEG segment of n bytes of data.
func segment(marker byte, n int) []byte {
	return append([]byte{0xFF, marker, byte((n + 2) >> 8), byte(n + 2)}, make([]byte, n)...)
}

// frame is a JPEG frame header of the kind of its marker.
func frame(marker byte, w, h uint16) []byte {
	b := segment(marker, 15)
	b[4] = 8
	binary.BigEndian.PutUint16(b[5:], h)
	binary.BigEndian.PutUint16(b[7:], w)
	return b
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// webp wraps a chunk in a RIFF container and pads it to the size of a real file.
func webp(kind, chunk string) []byte {
	return []byte("RIFF\x40\x00\x00\x00WEBP" + kind + "\x20\x00\x00\x00" + chunk + strings.Repeat("\x00", 32))
}

func TestParsePicture(t *testing.T) {
	soi, eoi := []byte{0xFF, 0xD8}, []byte{0xFF, 0xD9}
	for name, tc := range map[string]struct {
		body []byte
		want Picture
	}{
		"jpeg":             {drawn(t, "jpeg", 37, 21), Picture{"image/jpeg", 37, 21, 0}},
		"png":              {drawn(t, "png", 300, 2), Picture{"image/png", 300, 2, 0}},
		"gif":              {drawn(t, "gif", 258, 3), Picture{"image/gif", 258, 3, 0}},
		"progressive":      {join(soi, segment(0xE0, 14), frame(0xC2, 1200, 800)), Picture{"image/jpeg", 1200, 800, 0}},
		"lossless":         {join(soi, frame(0xC3, 12, 8), eoi), Picture{"image/jpeg", 12, 8, 0}},
		"EXIF before SOF":  {join(soi, segment(0xE1, 60_000), segment(0xED, 300), segment(0xC4, 28), frame(0xC0, 1024, 768)), Picture{"image/jpeg", 1024, 768, 0}},
		"fill bytes":       {join(soi, []byte{0xFF, 0xFF}, segment(0xE0, 14), []byte{0xFF, 0x01}, frame(0xC1, 5, 6)), Picture{"image/jpeg", 5, 6, 0}},
		"tables first":     {join(soi, segment(0xC4, 20), segment(0xC8, 4), segment(0xCC, 4), frame(0xC0, 7, 9)), Picture{"image/jpeg", 7, 9, 0}},
		"size far behind":  {join(soi, segment(0xE1, 60_000), segment(0xE2, 60_000), frame(0xC0, 1024, 768))[:64<<10], Picture{"image/jpeg", 0, 0, 0}},
		"broken segment":   {join(soi, []byte{0xFF, 0xE0, 0, 0}, frame(0xC0, 1, 1)), Picture{"image/jpeg", 0, 0, 0}},
		"no frame":         {join(soi, segment(0xE0, 14), segment(0xDA, 8), frame(0xC0, 1, 1)), Picture{"image/jpeg", 0, 0, 0}},
		"frame cut":        {join(soi, frame(0xC0, 1, 1)[:7]), Picture{"image/jpeg", 0, 0, 0}},
		"png cut":          {drawn(t, "png", 300, 2)[:20], Picture{"image/png", 0, 0, 0}},
		"png of 4 billion": {[]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\xff\xff\xff\xff\x00\x00\x00\x02"), Picture{"image/png", 0, 2, 0}},
		"gif cut":          {[]byte("GIF89a"), Picture{"image/gif", 0, 0, 0}},
		"webp lossy":       {webp("VP8 ", "\x00\x00\x00\x9d\x01\x2a\x58\x42\x20\x03"), Picture{"image/webp", 600, 800, 0}}, // the top bits of the width scale
		"webp lossless":    {webp("VP8L", "\x2f\x57\xc2\xc7\x00"), Picture{"image/webp", 600, 800, 0}},
		"webp extended":    {webp("VP8X", "\x10\x00\x00\x00\x57\x02\x01\x1f\x03\x00"), Picture{"image/webp", 600 + 65536, 800, 0}},
		"webp inter frame": {webp("VP8 ", "\x01\x00\x00\x9d\x01\x2a\x58\x02\x20\x03"), Picture{"image/webp", 0, 0, 0}},
		"webp other":       {webp("ANIM", ""), Picture{"image/webp", 0, 0, 0}},
		"webp cut":         {webp("VP8X", "")[:20], Picture{"image/webp", 0, 0, 0}},
	} {
		got, err := parsePicture(tc.body)
		if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
	for _, s := range []string{"", "\xff\xd8", "<html>", "RIFF\x00\x00\x00\x00WAVEfmt ", "BM", "\x89PNG", "%PDF-1.4"} {
		if p, err := parsePicture([]byte(s)); !errors.Is(err, ErrNotPicture) {
			t.Errorf("%q: %+v", s, p)
		}
	}
}

func TestPicture(t *testing.T) {
	small := drawn(t, "jpeg", 37, 21)
	big := append(bytes.Clone(small), make([]byte, 3<<20)...)
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		whole := func(b []byte) {
			w.Header().Set("Content-Length", strconv.Itoa(len(b)))
			_, _ = w.Write(b)
		}
		part := func(span string, b []byte) {
			w.Header().Set("Content-Range", span)
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write(b)
		}
		switch r.URL.Path {
		case "/small", "/big":
			b := small
			if r.URL.Path == "/big" {
				b = big
			}
			w.Header().Set("Content-Type", "text/html") // the bytes tell
			http.ServeContent(w, r, "x.jpg", time.Time{}, bytes.NewReader(b))
		case "/norange":
			whole(big)
		case "/chunked":
			for b := big; len(b) > 0; b = b[1<<20:] {
				if _, err := w.Write(b[:min(1<<20, len(b))]); err != nil || len(b) < 1<<20 {
					return
				}
				w.(http.Flusher).Flush()
			}
		case "/shortchunked":
			w.(http.Flusher).Flush()
			_, _ = w.Write(small)
		case "/star":
			part("bytes 0-65535/*", big[:65536])
		case "/lies":
			part("bytes 0-65535/12", big[:65536])
		case "/other":
			part("bytes 100-65535/70000", big[:65436])
		case "/nospan":
			part("", small)
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			whole(packed("gzip", string(small)))
		case "/cut":
			w.Header().Set("Content-Length", "5000")
			_, _ = w.Write(small[:100])
		case "/login":
			_, _ = io.WriteString(w, "<html>please log in</html>")
		case "/moved":
			http.Redirect(w, r, "/big", http.StatusFound)
		case "/empty":
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
		default:
			http.NotFound(w, r)
		}
	})
	c := client(t, Options{Memory: newMemory()})
	for path, length := range map[string]int{
		"/small": len(small), "/big": len(big), "/norange": len(big), "/chunked": 0, "/shortchunked": len(small),
		"/star": 0, "/lies": 0, "/gzip": len(small), "/moved": len(big),
	} {
		got, err := c.Picture(t.Context(), p.URL+path, p.URL+"/page.htm")
		if diff := cmp.Diff(Picture{"image/jpeg", 37, 21, int64(length)}, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", path, err, diff)
		}
		if r := p.last(); r.Header.Get("Range") != "bytes=0-65535" || r.Header.Get("Accept-Encoding") != "identity" || r.Referer() != p.URL+"/page.htm" {
			t.Errorf("%s: headers %v", path, r.Header)
		}
	}
	if b := c.Stats()[0].Bytes; b > 7*(headBytes+1) {
		t.Errorf("%d bytes read for nine heads", b)
	}
	for path, want := range map[string]func(error) bool{
		"/none":   Missing,
		"/empty":  func(err error) bool { return status(err) == 416 },
		"/login":  func(err error) bool { return errors.Is(err, ErrNotPicture) },
		"/cut":    func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) },
		"/other":  func(err error) bool { return err != nil },
		"/nospan": func(err error) bool { return err != nil },
	} {
		if got, err := c.Picture(t.Context(), p.URL+path, ""); !want(err) || got != (Picture{}) {
			t.Errorf("%s: %+v, %v", path, got, err)
		}
	}
}

func FuzzPicture(f *testing.F) {
	for _, kind := range []string{"jpeg", "png", "gif"} {
		f.Add(drawn(f, kind, 30, 20))
	}
	f.Add(webp("VP8 ", "\x00\x00\x00\x9d\x01\x2a\x58\x42\x20\x03"))
	f.Add(webp("VP8L", "\x2f\x57\xc2\xc7\x00"))
	f.Add(webp("VP8X", "\x10\x00\x00\x00\x57\x02\x01\x1f\x03\x00"))
	f.Add(join([]byte{0xFF, 0xD8}, segment(0xE1, 300), frame(0xC2, 12, 8)))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parsePicture(b)
		if p.Width < 0 || p.Height < 0 || p.Width > 1<<31-1 || p.Height > 1<<31-1 || (err == nil) != (p.Type != "") {
			t.Errorf("%+v, %v", p, err)
		}
	})
}
