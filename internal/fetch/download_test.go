package fetch

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestDownload(t *testing.T) {
	var jpg, pic bytes.Buffer
	img := image.NewRGBA(image.Rect(0, 0, 90, 60))
	for i := range img.Pix {
		img.Pix[i] = byte(i * i >> 3)
	}
	if err := errors.Join(jpeg.Encode(&jpg, img, nil), png.Encode(&pic, img)); err != nil {
		t.Fatal(err)
	}
	bodies := map[string][]byte{
		"/a.jpg": jpg.Bytes(), "/text.jpg": jpg.Bytes(), "/b.png": pic.Bytes(),
		"/cut.jpg": jpg.Bytes()[:jpg.Len()/2], "/cut.png": pic.Bytes()[:pic.Len()-20],
		"/svg.jpg": []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`),
		"/login":   []byte("<html>sign in</html>"), "/big.jpg": append(bytes.Clone(jpg.Bytes()), make([]byte, 64<<10)...),
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Referer") == "" { // hot-link protection
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if r.URL.Path == "/text.jpg" {
			w.Header().Set("Content-Type", "text/html; charset=gb2312")
		} else {
			w.Header().Set("Content-Type", "image/jpeg")
		}
		w.Write(bodies[r.URL.Path])
	}))
	defer srv.Close()
	c := New(Options{Open: []string{"127.0.0.1"}, Pace: -1, Timeout: 10 * time.Second})
	defer c.Close()
	for path, kind := range map[string]string{"/a.jpg": "image/jpeg", "/text.jpg": "image/jpeg", "/b.png": "image/png"} {
		p, body, err := c.Download(t.Context(), srv.URL+path, srv.URL+"/", 32<<10)
		if err != nil || p.Type != kind || p.Width != 90 || p.Height != 60 || p.Length != int64(len(body)) || !bytes.Equal(body, bodies[path]) {
			t.Errorf("%s: %+v, %d bytes, %v", path, p, len(body), err)
		}
	}
	for path, want := range map[string]error{
		"/cut.jpg": ErrNotPicture, "/cut.png": ErrNotPicture, "/svg.jpg": ErrNotPicture, "/login": ErrNotPicture, "/big.jpg": ErrTooLarge,
	} {
		if _, body, err := c.Download(t.Context(), srv.URL+path, srv.URL+"/", 32<<10); !errors.Is(err, want) || body != nil {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
	if _, _, err := c.Download(t.Context(), srv.URL+"/a.jpg", "", 32<<10); err == nil {
		t.Error("a publisher that asks for a Referer gave a picture without one")
	}
}
