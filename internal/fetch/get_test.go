package fetch

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/google/go-cmp/cmp"
)

func TestGet(t *testing.T) {
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "Text/HTML; charset=gb2312")
		_, _ = io.WriteString(w, "<p>温县</p>")
	})
	c := client(t, Options{})
	d, err := c.Get(t.Context(), Request{URL: " " + p.URL + "/html/2017-09/07/node_2.htm#top ", Referer: p.URL + "/"})
	if err != nil {
		t.Fatal(err)
	}
	want := &Document{
		URL: p.URL + "/html/2017-09/07/node_2.htm", ContentType: "text/html", Charset: "utf-8", Body: []byte("<p>温县</p>"),
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
	r := p.last()
	if ua := r.UserAgent(); !strings.HasPrefix(ua, "Mozilla/5.0 ") || !strings.Contains(ua, "Paperwire/") {
		t.Errorf("user agent %q", ua)
	}
	if r.Referer() != p.URL+"/" {
		t.Errorf("referer %q", r.Referer())
	}
}

func TestStatus(t *testing.T) {
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		w.WriteHeader(n)
	})
	c := client(t, Options{})
	for _, n := range []int{204, 206, 304, 300, 403, 404, 410, 500, 503} {
		_, err := c.Get(t.Context(), Request{URL: fmt.Sprintf("%s/%d", p.URL, n)})
		if status(err) != n {
			t.Errorf("%d gave %v", n, err)
		}
		if got, want := Missing(err), n == 404 || n == 410; got != want {
			t.Errorf("Missing of %d is %v", n, got)
		}
	}
}

func TestConditional(t *testing.T) {
	body, etag := "<p>one</p>", `W/"1"`
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", etag)
		w.Header().Set("Last-Modified", "Thu, 07 Sep 2017 00:00:00 GMT")
		if r.Header.Get("If-None-Match") == etag && r.Header.Get("If-Modified-Since") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, body)
	})
	m := newMemory()
	ask := func(r Request) *Document {
		t.Helper()
		r.URL = p.URL + "/"
		c := client(t, Options{Memory: m}) // a new one each time: memory outlives the process
		d, err := c.Get(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	check := func(d *Document, modified bool, want string) {
		t.Helper()
		if d.NotModified == modified || string(d.Body) != want || want == "" && d.Body != nil {
			t.Errorf("not modified %v, body %q; want %v, %q", d.NotModified, d.Body, !modified, want)
		}
		if d.ContentType != "text/html" || d.Charset != "utf-8" {
			t.Errorf("type %q, charset %q", d.ContentType, d.Charset)
		}
	}
	check(ask(Request{}), true, body)
	check(ask(Request{}), false, "")
	check(ask(Request{Keep: true}), true, body) // no body was kept, so a 304 would be of no use
	check(ask(Request{Keep: true}), false, body)
	check(ask(Request{}), false, "")
	check(ask(Request{Keep: true, Fresh: true}), true, body)
	body, etag = "<p>two</p>", `W/"2"`
	check(ask(Request{Keep: true}), true, body)
	check(ask(Request{Keep: true}), false, body)

	etag = "\"\xff\"" // could not be stored as text
	check(ask(Request{Keep: true, Fresh: true}), true, body)
	if k := m.kept[p.URL+"/"]; k[0] != "" {
		t.Errorf("remembered ETag %q", k[0])
	}
	m.err = errors.New("disk full")
	check(ask(Request{Keep: true}), true, body) // memory is a help, not a need
}

// What was fetched and lost before it was stored is given again.
func TestDefer(t *testing.T) {
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "x.htm", time.Unix(1e9, 0), strings.NewReader("<p>corrected</p>"))
	})
	c := client(t, Options{Memory: newMemory()})
	for i, same := range []bool{false, false, true} {
		d, err := c.Get(t.Context(), Request{URL: p.URL, Defer: true})
		if err != nil || d.NotModified != same || (d.Remember == nil) != same {
			t.Fatalf("%d: %+v, %v", i, d, err)
		}
		if i == 1 {
			d.Remember(t.Context())
		}
	}
	if d, err := client(t, Options{}).Get(t.Context(), Request{URL: p.URL, Defer: true}); err != nil || d.Remember != nil {
		t.Errorf("without a memory: %+v, %v", d, err)
	}
}

// A redirect whose target changes every day must not get yesterday's validators.
func TestConditionalBehindRedirect(t *testing.T) {
	day := "06"
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/"+day, http.StatusFound)
			return
		}
		if r.Header.Get("If-Modified-Since") != "" { // any copy will do
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Last-Modified", "Thu, 07 Sep 2017 00:00:00 GMT")
		_, _ = io.WriteString(w, "day "+r.URL.Path)
	})
	c := client(t, Options{Memory: newMemory()})
	for _, want := range []struct {
		day, body string
		same      bool
	}{{"06", "day /06", false}, {"06", "day /06", true}, {"07", "day /07", false}, {"06", "day /06", true}} {
		day = want.day
		d, err := c.Get(t.Context(), Request{URL: p.URL, Keep: true})
		if err != nil {
			t.Fatal(err)
		}
		if string(d.Body) != want.body || d.NotModified != want.same || d.URL != p.URL+"/"+want.day {
			t.Errorf("day %s: %s, %q, %v", want.day, d.URL, d.Body, d.NotModified)
		}
	}
}

func TestPace(t *testing.T) {
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	k := newClock()
	c := client(t, Options{Pace: 1200 * time.Millisecond, Now: k.Now, Sleep: k.Sleep})
	for range 3 {
		get(t, c, p.URL)
	}
	k.advance(time.Second)
	get(t, c, p.URL)
	k.advance(time.Hour)
	get(t, c, p.URL)
	want := []time.Duration{1200 * time.Millisecond, 1200 * time.Millisecond, 200 * time.Millisecond}
	if diff := cmp.Diff(want, k.sleeps()); diff != "" {
		t.Error(diff)
	}
}

// A caller that gives up while waiting leaves its place to the next.
func TestPaceGivenUp(t *testing.T) {
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	k := newClock()
	ctx, cancel := context.WithCancel(t.Context())
	c := client(t, Options{Pace: time.Second, Now: k.Now, Sleep: func(_ context.Context, d time.Duration) error {
		if ctx.Err() == nil {
			cancel()
			return context.Canceled
		}
		return k.Sleep(t.Context(), d)
	}})
	get(t, c, p.URL)
	if _, err := c.Get(ctx, Request{URL: p.URL}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	get(t, c, p.URL)
	if diff := cmp.Diff([]time.Duration{time.Second}, k.sleeps()); diff != "" {
		t.Error(diff)
	}
}

func TestPerHost(t *testing.T) {
	var now, most atomic.Int32
	in, gate := make(chan struct{}, 6), make(chan struct{})
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		most.Store(max(most.Load(), now.Add(1)))
		in <- struct{}{}
		<-gate
		now.Add(-1)
	})
	c := client(t, Options{PerHost: 2})
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if _, err := c.Get(t.Context(), Request{URL: p.URL}); err != nil {
				t.Error(err)
			}
		})
	}
	<-in
	<-in // two are under way; nobody else may be
	for range 6 {
		gate <- struct{}{}
	}
	wg.Wait()
	if most.Load() != 2 {
		t.Errorf("%d at once, want 2", most.Load())
	}
}

func TestRetryAfter(t *testing.T) {
	k := newClock()
	for _, tc := range []struct {
		status     int
		head       string
		want, left time.Duration // as told at once; left a second later
		code       int           // while on hold
	}{
		{503, "120", 2 * time.Minute, 2*time.Minute - time.Second, 503},
		{429, " 60 ", time.Minute, 59 * time.Second, 429},
		{404, "60", time.Minute, 59 * time.Second, 503}, // on hold is not missing
		{503, k.Now().Add(90 * time.Second).Format(http.TimeFormat), 90 * time.Second, 89 * time.Second, 503},
		{503, "86400", 6 * time.Hour, 6*time.Hour - time.Second, 503},
		{503, "99999999999999999999999", 6 * time.Hour, 6*time.Hour - time.Second, 503},
		{429, "", 0, 29 * time.Second, 429},
		{503, "0", 0, 0, 503},
		{503, "-5", 0, 0, 503},
		{503, "soon", 0, 0, 503},
		{503, k.Now().Add(-time.Hour).Format(http.TimeFormat), 0, 0, 503},
		{200, "30", 0, 29 * time.Second, 503},
		{301, "30", 30 * time.Second, 29 * time.Second, 503},
	} {
		t.Run(fmt.Sprint(tc.status, tc.head), func(t *testing.T) {
			p := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if tc.status == 301 {
					w.Header().Set("Location", "/to")
				}
				if tc.head != "" {
					w.Header().Set("Retry-After", tc.head)
				}
				w.WriteHeader(tc.status)
			})
			k := newClock()
			c := client(t, Options{Now: k.Now, Sleep: k.Sleep})
			_, err := c.Get(t.Context(), Request{URL: p.URL + "/a"})
			var s *StatusError
			if errors.As(err, &s) != (tc.status != 200) {
				t.Fatal(err)
			}
			if s != nil && s.RetryAfter != tc.want {
				t.Errorf("told %s, want %s", s.RetryAfter, tc.want)
			}
			n := len(p.paths())
			k.advance(time.Second)
			_, err = c.Get(t.Context(), Request{URL: p.URL + "/b"})
			asked := len(p.paths()) > n
			if tc.left == 0 {
				if !asked {
					t.Errorf("not asked again: %v", err)
				}
				return
			}
			if asked {
				t.Error("asked while on hold")
			}
			if !errors.As(err, &s) || s.RetryAfter != tc.left || s.Code != tc.code || s.URL != p.URL+"/b" {
				t.Errorf("on hold: %+v", s)
			}
			if until := c.Stats()[0].HeldUntil; !until.Equal(k.Now().Add(tc.left)) {
				t.Errorf("stats: held until %s", until)
			}
			k.advance(tc.left)
			if _, _ = c.Get(t.Context(), Request{URL: p.URL + "/c"}); len(p.paths()) == n {
				t.Error("still on hold afterwards")
			}
		})
	}
}

// Who was already waiting for the pace is told too.
func TestHoldWhileWaiting(t *testing.T) {
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	k := newClock()
	var c *Client
	nested := false
	c = client(t, Options{PerHost: 2, Pace: time.Second, Now: k.Now, Sleep: func(ctx context.Context, d time.Duration) error {
		if !nested {
			nested = true
			h := c.host(mustURL(p.URL))
			h.heed(k.Now(), &http.Response{StatusCode: 503, Header: http.Header{"Retry-After": {"60"}}})
			c.done(h)
		}
		return k.Sleep(ctx, d)
	}})
	h := c.host(mustURL(p.URL))
	h.next = k.Now().Add(time.Second)
	c.done(h)
	if _, err := c.Get(t.Context(), Request{URL: p.URL}); status(err) != 503 || len(p.paths()) != 0 {
		t.Errorf("%v after %d requests", err, len(p.paths()))
	}
}

func packed(coding, s string) []byte {
	var b bytes.Buffer
	var w io.WriteCloser
	switch coding {
	case "gzip", "x-gzip":
		w = gzip.NewWriter(&b)
	case "deflate":
		w = zlib.NewWriter(&b)
	case "deflate bare":
		w, _ = flate.NewWriter(&b, 9)
	case "br":
		w = brotli.NewWriter(&b)
	default:
		return []byte(s)
	}
	_, _ = io.WriteString(w, s)
	_ = w.Close()
	return b.Bytes()
}

func TestDecompress(t *testing.T) {
	text := strings.Repeat("温县的小麦 and more. ", 500)
	for _, coding := range []string{"", "identity", "gzip", "x-gzip", "deflate", "deflate bare", "br", "GZIP"} {
		t.Run(coding, func(t *testing.T) {
			label, _, _ := strings.Cut(coding, " ")
			whole := packed(strings.ToLower(coding), text)
			p := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/plain")
				w.Header().Set("Content-Encoding", label)
				b := whole
				switch r.URL.Path {
				case "/cut": // the stream ends, the message does not
					b = b[:len(b)/2]
				case "/plain": // labelled by a proxy, sent as it was
					b = []byte(text)
				case "/empty":
					b = nil
				case "/padded":
					b = append(bytes.Clone(b), make([]byte, 300)...)
				}
				_, _ = w.Write(b)
			})
			c := client(t, Options{})
			if d := get(t, c, p.URL); string(d.Body) != text {
				t.Errorf("got %d bytes, want %d", len(d.Body), len(text))
			}
			if d := get(t, c, p.URL+"/empty"); len(d.Body) != 0 {
				t.Errorf("empty: %q", d.Body)
			}
			switch strings.ToLower(coding) {
			case "", "identity":
				return
			case "gzip":
				if d := get(t, c, p.URL+"/plain"); string(d.Body) != text {
					t.Errorf("labelled gzip, sent plain: %d bytes", len(d.Body))
				}
				if d := get(t, c, p.URL+"/padded"); string(d.Body) != text {
					t.Errorf("padded: %d bytes", len(d.Body))
				}
			}
			if _, err := c.Get(t.Context(), Request{URL: p.URL + "/cut"}); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("cut stream: %v", err)
			}
		})
	}
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", strings.TrimPrefix(r.URL.Path, "/"))
		_, _ = io.WriteString(w, "?")
	})
	c := client(t, Options{})
	for _, coding := range []string{"zstd", "gzip,br"} {
		if _, err := c.Get(t.Context(), Request{URL: p.URL + "/" + coding}); err == nil || !strings.Contains(err.Error(), "encoding") {
			t.Errorf("%s: %v", coding, err)
		}
	}
}

func TestTooLarge(t *testing.T) {
	const limit = 100_000
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		write := func(b []byte) bool { _, err := w.Write(b); return err == nil }
		block := make([]byte, 10_000)
		switch r.URL.Path {
		case "/exact":
			write(make([]byte, limit))
		case "/one":
			write(make([]byte, limit+1))
		case "/declared":
			w.Header().Set("Content-Length", "100000000")
			for range 10_000 {
				if !write(block) {
					return
				}
			}
		case "/endless":
			for r.Context().Err() == nil && write(block) {
			}
		default: // a bomb: 100 MB of zeros
			coding := r.URL.Path[1:]
			w.Header().Set("Content-Encoding", coding)
			var z io.WriteCloser = gzip.NewWriter(w)
			switch coding {
			case "br":
				z = brotli.NewWriter(w)
			case "deflate":
				z = zlib.NewWriter(w)
			}
			for range 10_000 {
				if _, err := z.Write(block); err != nil {
					return
				}
			}
			_ = z.Close()
		}
	})
	c := client(t, Options{MaxBody: limit})
	if d := get(t, c, p.URL+"/exact"); len(d.Body) != limit {
		t.Errorf("exactly the limit: %d", len(d.Body))
	}
	for _, path := range []string{"/one", "/declared", "/endless", "/gzip", "/br", "/deflate"} {
		d, err := c.Get(t.Context(), Request{URL: p.URL + path})
		if !errors.Is(err, ErrTooLarge) || d != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if d, err := c.Get(t.Context(), Request{URL: p.URL + "/one", MaxBody: 2 * limit}); err != nil || len(d.Body) != limit+1 {
		t.Errorf("with a larger limit of its own: %v", err)
	}
	if b := c.Stats()[0].Bytes; b > 6*limit {
		t.Errorf("%d bytes read for documents of at most %d", b, limit)
	}
}

// raw answers every connection with the bytes given, then closes it.
func raw(t *testing.T, answer string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, answer)
		_ = conn.Close()
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestCutOff(t *testing.T) {
	c := client(t, Options{})
	for name, answer := range map[string]string{
		"length":  "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<p>half",
		"chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<p>ha\r\n",
		"chunk":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\n<p>ha",
		"gzip":    "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nContent-Encoding: gzip\r\n\r\n" + string(packed("gzip", "<p>half")),
		"brotli":  "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nContent-Encoding: br\r\n\r\n" + string(packed("br", "<p>half")),
		"nothing": "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nContent-Encoding: br\r\n\r\n",
	} {
		d, err := c.Get(t.Context(), Request{URL: raw(t, answer)})
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v, %+v", name, err, d)
		}
	}
	for name, answer := range map[string]string{
		"no answer":  "",
		"not HTTP":   "SSH-2.0-OpenSSH_9.6\r\n",
		"bad length": "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n<p>",
		"long head":  "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n",
	} {
		if d, err := c.Get(t.Context(), Request{URL: raw(t, answer)}); err == nil || !strings.HasPrefix(err.Error(), "get http") {
			t.Errorf("%s: %v, %+v", name, err, d)
		}
	}
}

func TestRedirects(t *testing.T) {
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var n int
		if _, err := fmt.Sscanf(r.URL.Path, "/down/%d", &n); err == nil && n > 0 {
			http.Redirect(w, r, fmt.Sprintf("%d#part", n-1), []int{301, 302, 303, 307, 308}[n%5])
			return
		}
		switch r.URL.Path {
		case "/self":
			http.Redirect(w, r, "/self#again", http.StatusFound)
		case "/a":
			http.Redirect(w, r, "/b", http.StatusFound)
		case "/b":
			http.Redirect(w, r, "/a", http.StatusFound)
		case "/nowhere":
			w.WriteHeader(http.StatusFound)
		case "/bad":
			w.Header().Set("Location", "http://[::1")
			w.WriteHeader(http.StatusFound)
		case "/file":
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
		case "/user":
			w.Header().Set("Location", "http://me:secret@"+r.Host+"/")
			w.WriteHeader(http.StatusFound)
		default:
			_, _ = io.WriteString(w, "here")
		}
	})
	c := client(t, Options{})
	if d := get(t, c, p.URL+"/down/5"); string(d.Body) != "here" || d.URL != p.URL+"/down/0" {
		t.Errorf("%+v", d)
	}
	n := len(p.paths())
	for path, want := range map[string]error{
		"/down/6": ErrRedirects, "/self": ErrRedirects, "/a": ErrRedirects, "/file": ErrForbidden, "/user": ErrForbidden,
	} {
		_, err := c.Get(t.Context(), Request{URL: p.URL + path})
		if !errors.Is(err, want) {
			t.Errorf("%s: %v", path, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error tells a password: %v", path, err)
		}
	}
	if got := len(p.paths()) - n; got != 6+1+2+1+1 {
		t.Errorf("%d requests", got)
	}
	if _, err := c.Get(t.Context(), Request{URL: p.URL + "/nowhere"}); status(err) != 302 {
		t.Error(err)
	}
	if _, err := c.Get(t.Context(), Request{URL: p.URL + "/bad"}); err == nil {
		t.Error("a bad Location was followed")
	}
	none := client(t, Options{MaxRedirects: -1})
	if _, err := none.Get(t.Context(), Request{URL: p.URL + "/down/1"}); !errors.Is(err, ErrRedirects) {
		t.Error(err)
	}
}

// Each hop has the pace and the robots.txt of its own host.
func TestRedirectToOtherHost(t *testing.T) {
	other := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			_, _ = io.WriteString(w, "User-agent: *\nDisallow: /no\n")
		}
	})
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
			return
		}
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusFound)
	})
	k := newClock()
	c := client(t, Options{IgnoreRobots: []string{}, Pace: time.Second, Now: k.Now, Sleep: k.Sleep})
	get(t, c, p.URL+"/yes")
	if diff := cmp.Diff([]time.Duration{time.Second, time.Second}, k.sleeps()); diff != "" {
		t.Error(diff)
	}
	if _, err := c.Get(t.Context(), Request{URL: p.URL + "/no"}); !errors.Is(err, ErrRobots) {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"/robots.txt", "/yes"}, other.paths()); diff != "" {
		t.Error(diff)
	}
}

func TestTimeout(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/silent" {
			select {
			case <-r.Context().Done():
			case <-stop:
			}
			return
		}
		w.WriteHeader(http.StatusOK) // slow loris: a byte now and then, for ever
		for {
			_, _ = io.WriteString(w, "x")
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
				return
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
		}
	})
	c := client(t, Options{Timeout: 50 * time.Millisecond})
	for _, path := range []string{"/silent", "/loris"} {
		_, err := c.Get(t.Context(), Request{URL: p.URL + path})
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "within 50ms") {
			t.Errorf("%s: %v", path, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(5*time.Millisecond, cancel)
	patient := client(t, Options{Timeout: time.Hour})
	if _, err := patient.Get(ctx, Request{URL: p.URL + "/loris"}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
	s.EnableHTTP2 = true
	s.Config.ErrorLog = discardLog
	s.StartTLS()
	t.Cleanup(s.Close)
	c := client(t, Options{IgnoreRobots: []string{}})
	_, err := c.Get(t.Context(), Request{URL: s.URL})
	var bad *tls.CertificateVerificationError
	if !errors.As(err, &bad) || !strings.HasPrefix(err.Error(), "get "+s.URL) {
		t.Errorf("unknown certificate: %v", err)
	}
	trusting := client(t, Options{})
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	trusting.transport.TLSClientConfig.RootCAs = pool
	if d := get(t, trusting, s.URL); string(d.Body) != "HTTP/2.0" {
		t.Errorf("spoke %s", d.Body)
	}
	plain := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	if _, err := c.Get(t.Context(), Request{URL: strings.Replace(plain.URL, "http:", "https:", 1)}); err == nil || !strings.HasPrefix(err.Error(), "get https:") {
		t.Errorf("no TLS there: %v", err)
	}
}

func TestLocal(t *testing.T) {
	m := newMemory()
	var seen *http.Request
	k := newClock()
	c := client(t, Options{Memory: m, Pace: time.Hour, Now: k.Now, Sleep: k.Sleep, IgnoreRobots: []string{}, Open: []string{}, Local: map[string]http.Handler{
		"Demo.invalid": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen = r
			switch r.URL.Path {
			case "/moved":
				http.Redirect(w, r, "/page?x=1", http.StatusFound)
			case "/page":
				http.ServeContent(w, r, "page.htm", time.Unix(1e9, 0), strings.NewReader("<p>demo</p>"))
			case "/panic":
				panic("oh")
			case "/large":
				for range 100 {
					if _, err := w.Write(make([]byte, 1<<20)); err != nil {
						return
					}
				}
			default:
				http.NotFound(w, r)
			}
		}),
	}})
	for i, same := range []bool{false, true} {
		d, err := c.Get(t.Context(), Request{URL: "http://demo.invalid/moved", Keep: true})
		if err != nil {
			t.Fatal(err)
		}
		if string(d.Body) != "<p>demo</p>" || d.NotModified != same || d.URL != "http://demo.invalid/page?x=1" || d.ContentType != "text/html" {
			t.Errorf("%d: %+v", i, d)
		}
	}
	if seen.Host != "demo.invalid" || seen.RequestURI != "/page?x=1" || seen.Body == nil {
		t.Errorf("handler saw %+v", seen)
	}
	if _, err := c.Get(t.Context(), Request{URL: "http://demo.invalid/none"}); !Missing(err) {
		t.Error(err)
	}
	if _, err := c.Get(t.Context(), Request{URL: "http://demo.invalid/panic"}); err == nil {
		t.Error("a panic gave a document")
	}
	if _, err := c.Get(t.Context(), Request{URL: "http://demo.invalid/large"}); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	if len(k.sleeps()) != 0 || len(c.Stats()) != 0 {
		t.Error("a local host was paced")
	}
}

func TestStats(t *testing.T) {
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			http.ServeContent(w, r, "x.htm", time.Unix(1e9, 0), strings.NewReader(strings.Repeat("x", 1000)))
		case "/cut":
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "x")
		default:
			http.NotFound(w, r)
		}
	})
	c := client(t, Options{Memory: newMemory()})
	get(t, c, p.URL+"/")
	get(t, c, p.URL+"/")
	_, _ = c.Get(t.Context(), Request{URL: p.URL + "/none"})
	_, _ = c.Get(t.Context(), Request{URL: p.URL + "/cut"})
	want := []HostStat{{Host: hostOf(p.URL), Requests: 4, NotModified: 1, Errors: 2, Bytes: 1001}}
	if diff := cmp.Diff(want, c.Stats()); diff != "" {
		t.Error(diff)
	}
}

func TestHostsAreBounded(t *testing.T) {
	k := newClock()
	c := client(t, Options{Now: k.Now, Sleep: k.Sleep})
	busy := c.host(mustURL("http://busy.example/"))
	for i := range 3 * maxHosts {
		k.advance(time.Second)
		h := c.host(mustURL(fmt.Sprintf("http://h%d.example/", i)))
		if i == 0 {
			h.held = k.Now().Add(2 * time.Hour)
		}
		c.done(h)
	}
	if n := len(c.hosts); n > maxHosts {
		t.Errorf("%d hosts", n)
	}
	if c.hosts["busy.example"] != busy {
		t.Error("a host in use was forgotten")
	}
}

func TestClose(t *testing.T) {
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	c := client(t, Options{})
	get(t, c, p.URL)
	c.Close()
	if _, err := c.Get(t.Context(), Request{URL: p.URL}); !errors.Is(err, errClosed) {
		t.Error(err)
	}
	if len(p.paths()) != 1 {
		t.Error("asked after Close")
	}
}

// Connections are used again, also after an error page.
func TestReuse(t *testing.T) {
	remotes := map[string]bool{}
	var mu sync.Mutex
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		remotes[r.RemoteAddr] = true
		mu.Unlock()
		if r.URL.Path == "/none" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Encoding", "br")
		_, _ = w.Write(packed("br", strings.Repeat("x", 9000)))
	})
	c := client(t, Options{})
	for range 3 {
		get(t, c, p.URL)
		_, _ = c.Get(t.Context(), Request{URL: p.URL + "/none"})
	}
	if len(remotes) != 1 {
		t.Errorf("%d connections for 6 requests", len(remotes))
	}
}

var page40 = func() string {
	var b strings.Builder
	w := bufio.NewWriter(&b)
	for i := 0; b.Len()+w.Buffered() < 40<<10; i++ {
		fmt.Fprintf(w, "<p>第%d段：温县的小麦熟了，收割机开进田里。</p>\n", i)
	}
	_ = w.Flush()
	return b.String()
}()

func BenchmarkGet(b *testing.B) {
	zipped := packed("gzip", page40)
	p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"1"`)
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if r.URL.Path == "/gzip" {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(zipped)
			return
		}
		_, _ = io.WriteString(w, page40)
	}))
	defer p.Close()
	for _, bc := range []struct {
		name string
		mem  Memory
		path string
	}{{"304", newMemory(), "/"}, {"40KB", nil, "/"}, {"40KB_gzip", nil, "/gzip"}} {
		b.Run(bc.name, func(b *testing.B) {
			c := client(b, Options{Memory: bc.mem})
			get(b, c, p.URL+bc.path)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Get(b.Context(), Request{URL: p.URL + bc.path}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
