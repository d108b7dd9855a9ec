package syndicate

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"paperwire/syndicate/feed"
)

// discard is a ResponseWriter that costs nothing, so that only the handler is
// measured. The header map is used again, as a connection cannot.
type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) WriteHeader(int)             {}
func (d discard) Write(b []byte) (int, error) { return len(b), nil }

// full is a store with the 50 items of about 5 KB that a full feed has.
func full() *memory {
	m := newMemory()
	m.items = nil
	for i := range 50 {
		m.release("demo", i, "yaowen", "410825")
	}
	for i := range m.items {
		var text strings.Builder
		for j := 0; text.Len() < 5000; j++ {
			fmt.Fprintf(&text, "第%d段：今年%d月，温县番田镇第%d号地块的小麦长势良好，农技员%x说。", j, i%12+1, i*31+j, (i+1)*(j+7)*2654435761)
		}
		m.items[i].Text, m.items[i].HTML = text.String(), "<p>"+text.String()+"</p>"
	}
	return m
}

// The cost of a cached feed beside a bare handler that writes the same bytes,
// without a connection and over one.
func BenchmarkCached(b *testing.B) {
	s, _ := open(b, full())
	catchUp(b, s)
	const url = "/feeds/all.rss"
	for _, c := range []struct{ name, encoding string }{{"plain", "identity"}, {"gzip", "gzip"}, {"304", "gzip"}} {
		first := ask(s, "GET", url, "Accept-Encoding", c.encoding)
		text := []byte(body(b, first))
		headers := []string{"Accept-Encoding", c.encoding}
		if c.name == "304" {
			headers = append(headers, "If-None-Match", first.Header.Get("ETag"))
			text = nil
		}
		bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Etag", first.Header.Get("ETag"))
			if text == nil {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			h.Set("Content-Type", "application/rss+xml; charset=utf-8")
			h.Set("Content-Length", first.Header.Get("Content-Length"))
			w.Write(text)
		})
		for _, who := range []struct {
			name string
			h    http.Handler
		}{{"bare", bare}, {"feed", s}} {
			b.Run(c.name+"/handler/"+who.name, func(b *testing.B) {
				r := httptest.NewRequest("GET", url, nil)
				for i := 0; i < len(headers); i += 2 {
					r.Header.Set(headers[i], headers[i+1])
				}
				w := discard{http.Header{}}
				b.ReportAllocs()
				for b.Loop() {
					clear(w.h)
					who.h.ServeHTTP(w, r)
				}
			})
			b.Run(c.name+"/loopback/"+who.name, func(b *testing.B) {
				server := httptest.NewServer(who.h)
				defer server.Close()
				conn, err := net.Dial("tcp", server.Listener.Addr().String())
				if err != nil {
					b.Fatal(err)
				}
				defer conn.Close()
				request := []byte("GET " + url + " HTTP/1.1\r\nHost: x\r\n")
				for i := 0; i < len(headers); i += 2 {
					request = append(request, headers[i]+": "+headers[i+1]+"\r\n"...)
				}
				request = append(request, "\r\n"...)
				// The client parses once: every later answer has the same length.
				var length int
				took := make([]time.Duration, 0, 1<<20)
				b.ReportAllocs()
				for b.Loop() {
					began := time.Now()
					conn.Write(request)
					if length == 0 {
						length = wholeAnswer(b, conn)
						continue
					}
					if _, err := io.CopyN(io.Discard, conn, int64(length)); err != nil {
						b.Fatal(err)
					}
					took = append(took, time.Since(began))
				}
				if slices.Sort(took); len(took) > 100 {
					b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "p99-ns")
				}
			})
		}
	}
}

// wholeAnswer reads one answer and gives its length on the wire.
func wholeAnswer(b *testing.B, conn net.Conn) int {
	var wire bytes.Buffer
	r, err := http.ReadResponse(bufio.NewReader(io.TeeReader(conn, &wire)), nil)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		b.Fatal(err)
	}
	return wire.Len()
}

// From a change to bytes that are ready: reading the store, writing, compressing.
func BenchmarkRender(b *testing.B) {
	m := full()
	s, _ := open(b, m)
	catchUp(b, s)
	for _, f := range feed.Formats() {
		b.Run(f.Ext, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m.mu.Lock()
				m.rise(epoch, "all")
				m.mu.Unlock()
				catchUp(b, s)
				if r := ask(s, "GET", "/feeds/all."+f.Ext); r.StatusCode != 200 {
					b.Fatal(r.Status)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	s, _ := open(b, full())
	text := []byte(body(b, ask(s, "GET", "/feeds/all.rss")))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		encode(text)
	}
}

func BenchmarkAccepted(b *testing.B) {
	field := []string{"gzip, deflate, br, zstd"}
	b.ReportAllocs()
	for b.Loop() {
		accepted(field)
	}
}

var _ Store = (*memory)(nil)
