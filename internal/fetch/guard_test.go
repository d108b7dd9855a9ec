package fetch

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
)

var discardLog = log.New(io.Discard, "", 0)

func mustURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

// errLetThrough stands for a packet that would have left.
var errLetThrough = errors.New("let through")

// watch makes a client that reaches nothing and tells what the guard let through.
func watch(t *testing.T, o Options) (*Client, func() []string) {
	t.Helper()
	if o.IgnoreRobots == nil {
		o.IgnoreRobots = []string{}
	}
	if o.Open == nil {
		o.Open = []string{}
	}
	c := client(t, o)
	var mu sync.Mutex
	var through []string
	c.dialer.Control = func(_, address string, _ syscall.RawConn) error {
		mu.Lock()
		defer mu.Unlock()
		through = append(through, address)
		return errLetThrough
	}
	return c, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return through
	}
}

func TestGuard(t *testing.T) {
	c, through := watch(t, Options{})
	for _, u := range []string{
		"http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "http://[::1]:8080/", "http://0.0.0.0/", "http://127.0.0.1:22/",
		"http://192.168.1.1/", "http://172.16.0.1/", "http://100.64.0.1/", "http://[fe80::1%25lo]/", "http://[fc00::1]/", "http://[::ffff:127.0.0.1]/",
		"http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://255.255.255.255/", "http://224.0.0.1/", "http://[::]/",
		"http://localhost/", "https://LOCALHOST:8443/", "http://１２７.０.０.１/", "http://[0:0:0:0:0:0:0:1]/",
	} {
		if _, err := c.Get(t.Context(), Request{URL: u}); !errors.Is(err, ErrForbidden) {
			t.Errorf("%s: %v", u, err)
		}
		if _, err := c.Picture(t.Context(), u, ""); !errors.Is(err, ErrForbidden) {
			t.Errorf("picture %s: %v", u, err)
		}
	}
	if got := through(); len(got) != 0 {
		t.Errorf("let through: %v", got)
	}
	for _, u := range []string{"http://93.184.216.34/", "https://[2606:2800:220:1::1]:8443/"} {
		if _, err := c.Get(t.Context(), Request{URL: u}); !errors.Is(err, errLetThrough) {
			t.Errorf("public %s: %v", u, err)
		}
	}
}

func TestRefusedURLs(t *testing.T) {
	c, through := watch(t, Options{})
	for _, u := range []string{
		"ftp://example.cn/", "file:///etc/passwd", "gopher://example.cn/", "javascript:alert(1)", "/etc/passwd", "", "http:///x", "http://me:secret@example.cn/",
		"http:opaque", "data:text/plain,x", "unix:///run/docker.sock", "http://" + strings.Repeat("a", 9000) + "/",
	} {
		_, err := c.Get(t.Context(), Request{URL: u})
		if !errors.Is(err, ErrForbidden) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", u, err)
		}
	}
	for _, u := range []string{"http://me:secret@[::1/", "http://example.cn:port/", "http://exa mple.cn/", "http://example.cn/\r\nHost: x"} {
		if _, err := c.Get(t.Context(), Request{URL: u}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", u, err)
		}
	}
	if got := through(); len(got) != 0 {
		t.Errorf("let through: %v", got)
	}
}

func TestRedirectToPrivate(t *testing.T) {
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusFound)
	})
	c := client(t, Options{Open: []string{hostOf(p.URL)}})
	for _, to := range []string{"http://169.254.169.254/", "http://10.0.0.1/", "http://[::1]/", "http://0.0.0.0/", "http://localhost/", "http://127.0.0.1:1/"} {
		if _, err := c.Get(t.Context(), Request{URL: p.URL + "/?to=" + url.QueryEscape(to)}); !errors.Is(err, ErrForbidden) {
			t.Errorf("%s: %v", to, err)
		}
	}
}

// dns answers DNS questions for A records from a list, the next one each time.
func dns(t *testing.T, c *Client, answers map[string][]string) {
	t.Helper()
	var mu sync.Mutex
	c.dialer.Resolver = resolver(func(name string) net.IP {
		mu.Lock()
		defer mu.Unlock()
		list := answers[name]
		if len(list) == 0 {
			return nil
		}
		if len(list) > 1 {
			answers[name] = list[1:]
		}
		return net.ParseIP(list[0]).To4()
	})
}

// A name that resolves to a private address is refused, also when it was public
// a moment ago (DNS rebinding).
func TestRebinding(t *testing.T) {
	c, through := watch(t, Options{IgnoreRobots: []string{"rebind.example", "inside.example"}})
	dns(t, c, map[string][]string{
		"inside.example.": {"10.1.2.3"},
		"rebind.example.": {"93.184.216.34", "127.0.0.1"},
	})
	if _, err := c.Get(t.Context(), Request{URL: "http://inside.example/"}); !errors.Is(err, ErrForbidden) {
		t.Errorf("inside: %v", err)
	}
	if _, err := c.Get(t.Context(), Request{URL: "http://rebind.example/"}); !errors.Is(err, errLetThrough) {
		t.Errorf("first: %v", err)
	}
	if _, err := c.Get(t.Context(), Request{URL: "http://rebind.example/"}); !errors.Is(err, ErrForbidden) {
		t.Errorf("then: %v", err)
	}
	if got := through(); len(got) != 1 || got[0] != "93.184.216.34:80" {
		t.Errorf("let through: %v", got)
	}
}

func TestOpen(t *testing.T) {
	for _, tc := range []struct {
		open, url string
		want      bool
	}{
		{"10.0.0.1", "http://10.0.0.1:8080/", true},
		{"10.0.0.1:8080", "http://10.0.0.1:8080/", true},
		{"10.0.0.1:8080", "http://10.0.0.1:8081/", false},
		{"10.0.0.1:80", "http://10.0.0.1/", true},
		{"10.0.0.1:443", "https://10.0.0.1/", true},
		{"10.0.0.1", "http://10.0.0.2/", false},
		{"::1", "http://[::1]:9/", true},
		{"[::1]", "http://[::1]:9/", true},
		{"[::1]:9", "http://[::1]:9/", true},
		{"[::1]:9", "http://[::1]:8/", false},
		{"Paper.Inside.example", "http://paper.inside.EXAMPLE/", true},
		{"例子.example", "http://例子.example/", true},
		{"例子.example", "http://xn--fsqu00a.example/", true},
		{"inside.example", "http://other.inside.example/", false},
		{"inside.example", "http://127.0.0.1/", false},
	} {
		c, through := watch(t, Options{Open: []string{tc.open}})
		dns(t, c, map[string][]string{
			"paper.inside.example.": {"10.0.0.1"}, "xn--fsqu00a.example.": {"10.0.0.1"}, "other.inside.example.": {"10.0.0.1"},
		})
		_, err := c.Get(t.Context(), Request{URL: tc.url})
		if got := errors.Is(err, errLetThrough); got != tc.want || got != (len(through()) > 0) || !got && !errors.Is(err, ErrForbidden) {
			t.Errorf("open %s, get %s: %v", tc.open, tc.url, err)
		}
	}
}

// No proxy of the environment dials past the guard.
func TestNoProxy(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://93.184.216.34:3128")
	t.Setenv("http_proxy", "http://93.184.216.34:3128")
	c, through := watch(t, Options{})
	if _, err := c.Get(t.Context(), Request{URL: "http://10.0.0.1/"}); !errors.Is(err, ErrForbidden) {
		t.Error(err)
	}
	if got := through(); len(got) != 0 {
		t.Errorf("let through: %v", got)
	}
	if c.transport.Proxy != nil {
		t.Error("the transport asks for a proxy")
	}
}
