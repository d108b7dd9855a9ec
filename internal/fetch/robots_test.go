package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// robotsSite serves one robots.txt and 200 for everything else.
func robotsSite(t *testing.T, text string) *publisher {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			_, _ = io.WriteString(w, text)
		}
	})
}

func TestRobots(t *testing.T) {
	home := "<html><head><title>焦作日报</title></head>\n<p>User-agent: everybody</p>\n<script>allow: 1; disallow: /</script>\n"
	many := strings.Repeat("Disallow: /x*y\n", 100_000)
	for _, tc := range []struct {
		name, text       string
		allowed, refused []string
	}{
		{"plain", "User-agent: *\nDisallow: /admin/\nAllow: /admin/open", []string{"/", "/html/", "/admin/open/x"}, []string{"/admin/", "/admin/x"}},
		{"everything", "user-agent:*\ndisallow:/", nil, []string{"/", "", "/a?b=c"}},
		{"nothing", "", []string{"/a"}, nil},
		{"ours before all", "User-agent: *\nDisallow: /\n\nUser-agent: Paperwire\nDisallow: /no\n", []string{"/", "/yes"}, []string{"/no"}},
		{"our version", "User-agent: paperwire/1.0\nDisallow: /\n", nil, []string{"/"}},
		{"not our name", "User-agent: paper\nDisallow: /\n\nUser-agent: Baiduspider\nDisallow: /\n", []string{"/"}, nil},
		{"shared group", "User-agent: a\nUser-agent: *\nUser-agent: b\nDisallow: /no\n", []string{"/"}, []string{"/no"}},
		// the library alone gives the second group's rules to everybody
		{"empty disallow", "User-agent: *\nDisallow:\n\nUser-agent: BadBot\nDisallow: /\n", []string{"/"}, nil},
		// and gives up on each of these
		{"bad delay", "User-agent: *\nCrawl-delay: slow\nDisallow: /no\n", []string{"/"}, []string{"/no"}},
		{"rule before agent", "Disallow: /a\nUser-agent: *\nDisallow: /no\n", []string{"/a"}, []string{"/no"}},
		{"home page", home, []string{"/", "/a"}, nil},
		{"BOM, CR and comments", "\ufeffUser-agent: * # all\r\rDisallow: /no # not this\r", []string{"/"}, []string{"/no"}},
		{"wildcards", "User-agent: *\nDisallow: /*?\nDisallow: /*.pdf$\n", []string{"/a", "/a.pdfx"}, []string{"/a?b", "/x/y.pdf"}},
		{"query", "User-agent: *\nDisallow: /list?page=\n", []string{"/list", "/list?x=1"}, []string{"/list?page=2"}},
		{"raw path", "User-agent: *\nDisallow: /内部/\n", []string{"/公开/"}, []string{"/内部/a", "/%E5%86%85%E9%83%A8/a"}},
		{"encoded path", "User-agent: *\nDisallow: /%E5%86%85%E9%83%A8/\n", []string{"/公开/"}, []string{"/内部/a", "/%E5%86%85%E9%83%A8/a"}},
		{"encoded letter", "User-agent: *\nDisallow: /no\n", []string{"/"}, []string{"/%6Eo"}},
		{"a page of rules", "User-agent: *\nDisallow: /no\n" + many, []string{"/"}, []string{"/no"}},
		{"long line", "User-agent: *\nDisallow: /" + strings.Repeat("a", 5000) + "\nDisallow: /no\n", []string{"/"}, []string{"/no"}},
		{"beyond the cap", "User-agent: *\n" + strings.Repeat("# nothing\n", 60_000) + "Disallow: /no\n", []string{"/no"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := robotsSite(t, tc.text)
			c := client(t, Options{IgnoreRobots: []string{}})
			for _, path := range tc.allowed {
				if _, err := c.Get(t.Context(), Request{URL: p.URL + path}); err != nil {
					t.Errorf("%q: %v", path, err)
				}
			}
			for _, path := range tc.refused {
				if _, err := c.Get(t.Context(), Request{URL: p.URL + path}); !errors.Is(err, ErrRobots) {
					t.Errorf("%q: %v", path, err)
				}
				if _, err := c.Picture(t.Context(), p.URL+path, ""); !errors.Is(err, ErrRobots) {
					t.Errorf("picture %q: %v", path, err)
				}
			}
			if got := p.paths(); len(got) != 1+len(tc.allowed) || got[0] != "/robots.txt" {
				t.Errorf("asked %v", got)
			}
			free := client(t, Options{IgnoreRobots: []string{hostOf(p.URL)}})
			for _, path := range tc.refused {
				if _, err := free.Get(t.Context(), Request{URL: p.URL + path}); err != nil {
					t.Errorf("by agreement %q: %v", path, err)
				}
			}
		})
	}
}

// What robots.txt answers, whether the page may then be had, and for how long
// that stands.
func TestRobotsAnswers(t *testing.T) {
	for _, tc := range []struct {
		name   string
		answer func(w http.ResponseWriter, r *http.Request)
		kept   time.Duration
	}{
		{"200", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "User-agent: *\nDisallow: /no") }, 24 * time.Hour},
		{"404", http.NotFound, 24 * time.Hour},
		{"403", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(403) }, 24 * time.Hour},
		{"500", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) }, time.Hour},
		{"cut off", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "9")
			w.WriteHeader(200)
		}, 10 * time.Minute},
		{"loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/robots.txt", http.StatusFound) }, 24 * time.Hour},
		{"to a private address", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://10.0.0.1/robots.txt", http.StatusFound)
		}, 24 * time.Hour},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/robots.txt" {
					tc.answer(w, r)
				}
			})
			k := newClock()
			c := client(t, Options{IgnoreRobots: []string{}, Now: k.Now, Sleep: k.Sleep})
			want := []string{"/robots.txt", "/1", "/2", "/robots.txt", "/3"}
			get(t, c, p.URL+"/1")
			k.advance(tc.kept - time.Second)
			get(t, c, p.URL+"/2")
			k.advance(time.Second)
			get(t, c, p.URL+"/3")
			if diff := cmp.Diff(want, p.paths()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRobotsRedirected(t *testing.T) {
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/robots.txt":
			http.Redirect(w, r, "/other/robots.txt", http.StatusMovedPermanently)
		case "/other/robots.txt":
			_, _ = io.WriteString(w, "User-agent: *\nDisallow: /no")
		}
	})
	c := client(t, Options{IgnoreRobots: []string{}})
	if _, err := c.Get(t.Context(), Request{URL: p.URL + "/no"}); !errors.Is(err, ErrRobots) {
		t.Error(err)
	}
}

// A 429 for robots.txt means: go away. Nothing else is asked meanwhile.
func TestRobotsTooMany(t *testing.T) {
	for _, after := range []string{"", "90"} {
		busy := true
		p := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if busy {
				if after != "" {
					w.Header().Set("Retry-After", after)
				}
				w.WriteHeader(http.StatusTooManyRequests)
			}
		})
		k := newClock()
		c := client(t, Options{IgnoreRobots: []string{}, Now: k.Now, Sleep: k.Sleep})
		var s *StatusError
		for range 2 {
			_, err := c.Get(t.Context(), Request{URL: p.URL + "/a"})
			if !errors.As(err, &s) || s.Code != 429 || s.RetryAfter < tooMany || s.URL != p.URL+"/a" {
				t.Errorf("%v, %+v", err, s)
			}
		}
		k.advance(s.RetryAfter)
		busy = false
		get(t, c, p.URL+"/a")
		if diff := cmp.Diff([]string{"/robots.txt", "/robots.txt", "/a"}, p.paths()); diff != "" {
			t.Error(diff)
		}
	}
}

// What robots.txt says beside its 5xx is heard as well.
func TestRobotsRetryAfter(t *testing.T) {
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	k := newClock()
	c := client(t, Options{IgnoreRobots: []string{}, Now: k.Now, Sleep: k.Sleep})
	_, err := c.Get(t.Context(), Request{URL: p.URL + "/a"})
	if status(err) != 503 || len(p.paths()) != 1 {
		t.Errorf("%v after %v", err, p.paths())
	}
}

// A host that is down is down, not without robots.txt: one try, and its error.
func TestRobotsOfDeadHost(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := "http://" + l.Addr().String() + "/a"
	_ = l.Close()
	c := client(t, Options{IgnoreRobots: []string{}})
	_, err = c.Get(t.Context(), Request{URL: dead})
	if !errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, ErrRobots) || strings.Contains(err.Error(), "robots.txt") {
		t.Error(err)
	}
	if s := c.Stats(); len(s) != 1 || s[0].Requests != 1 || s[0].Errors != 1 {
		t.Errorf("%+v", s)
	}
	unknown, _ := watch(t, Options{})
	unknown.dialer.Resolver = resolver(func(string) net.IP { return nil })
	var noSuch *net.DNSError
	if _, err := unknown.Get(t.Context(), Request{URL: "http://gone.example/"}); !errors.As(err, &noSuch) || !noSuch.IsNotFound {
		t.Error(err)
	}
}

// One who waits for robots.txt may give up; the file is fetched once for all.
func TestRobotsOnce(t *testing.T) {
	gate := make(chan struct{})
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			<-gate
		}
	})
	c := client(t, Options{IgnoreRobots: []string{}})
	var wg sync.WaitGroup
	for i := range 5 {
		wg.Go(func() {
			if _, err := c.Get(t.Context(), Request{URL: fmt.Sprintf("%s/%d", p.URL, i)}); err != nil {
				t.Error(err)
			}
		})
	}
	gate <- struct{}{}
	wg.Wait()
	n := 0
	for _, path := range p.paths() {
		if path == "/robots.txt" {
			n++
		}
	}
	if n != 1 || len(p.paths()) != 6 {
		t.Errorf("asked %v", p.paths())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client(t, Options{IgnoreRobots: []string{}}).Get(ctx, Request{URL: p.URL}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestCrawlDelay(t *testing.T) {
	for _, tc := range []struct {
		delay string
		want  time.Duration
	}{
		{"5", 5 * time.Second},
		{"2.5", 2500 * time.Millisecond},
		{"0.5", 1200 * time.Millisecond}, // our own pace is slower
		{"86400", 30 * time.Second},
		{"1e300", 30 * time.Second},
		{"NaN", 1200 * time.Millisecond},
		{"-1", 1200 * time.Millisecond},
	} {
		p := robotsSite(t, "User-agent: *\nCrawl-delay: "+tc.delay+"\nDisallow: /no\n")
		k := newClock()
		c := client(t, Options{IgnoreRobots: []string{}, Pace: 1200 * time.Millisecond, Now: k.Now, Sleep: k.Sleep})
		get(t, c, p.URL+"/1")
		get(t, c, p.URL+"/2")
		// the first wait is between robots.txt and the page
		if diff := cmp.Diff([]time.Duration{tc.want, tc.want}, k.sleeps()); diff != "" {
			t.Errorf("Crawl-delay %s: %s", tc.delay, diff)
		}
	}
}

func FuzzRobots(f *testing.F) {
	f.Add([]byte("User-agent: *\nDisallow: /a*b$\nCrawl-delay: 3\n"), "/axb")
	f.Add([]byte("User-agent: paperwire\nAllow: /\xff\xfe\nDisallow: *\n"), "/%")
	f.Add([]byte("\xef\xbb\xbfuser-agent:*\rdisallow: / /\x0b\r"), "")
	f.Fuzz(func(t *testing.T, text []byte, path string) {
		r := parseRobots(text)
		if r.delay < 0 || r.delay > maxDelay {
			t.Errorf("delay %s", r.delay)
		}
		if r.group != nil {
			r.group.Test(path)
		}
	})
}
