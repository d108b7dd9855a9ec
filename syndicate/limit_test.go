package syndicate

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"
)

// from asks as a client of an address.
func from(s http.Handler, addr, target string, headers ...string) *http.Response {
	r := httptest.NewRequest("GET", target, nil)
	r.RemoteAddr = addr
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result()
}

// Combinations are rendered as often as a client's share allows; what is at hand
// and what is simple is not limited, and a stale copy is better than none.
func TestCombinationsAreLimited(t *testing.T) {
	m := newMemory()
	now := epoch
	s, _ := open(t, m, func(o *Options) { o.Now = func() time.Time { return now } })
	const one, two = "192.0.2.1:999", "192.0.2.2:999"
	for i := range clientBurst {
		if r := from(s, one, fmt.Sprintf("/feeds/all.rss?limit=%d", i+1)); r.StatusCode != 200 {
			t.Fatalf("rendering %d: %d", i+1, r.StatusCode)
		}
	}
	r := from(s, one, "/feeds/all.rss?limit=200")
	text := body(t, r)
	if r.StatusCode != 429 || r.Header.Get("Retry-After") != "1" || r.Header.Get("Cache-Control") != "no-store" || !strings.Contains(text, "not limited") {
		t.Fatalf("over the share: %d %v %s", r.StatusCode, r.Header, text)
	}
	for target, want := range map[string]int{"/feeds/all.rss?limit=7": 200, "/feeds/district/410825.rss": 200, "/feeds/all.atom": 200, "/feeds/section/leer.json": 200, "/feeds/paper/abend,demo.rss": 429, "/feeds/-section/leer.rss": 429} {
		if r := from(s, one, target); r.StatusCode != want {
			t.Errorf("%s: %d, want %d", target, r.StatusCode, want)
		}
	}
	if r := from(s, two, "/feeds/all.rss?limit=200"); r.StatusCode != 200 {
		t.Errorf("another client: %d", r.StatusCode)
	}
	// A copy of before the change is served while no new one may be made.
	before := from(s, one, "/feeds/all.rss?limit=5").Header.Get("ETag")
	m.release("demo", 30, "yaowen", "410825")
	catchUp(t, s)
	if r := from(s, one, "/feeds/all.rss?limit=5"); r.StatusCode != 200 || r.Header.Get("ETag") != before {
		t.Errorf("stale copy: %d %s, want %s", r.StatusCode, r.Header.Get("ETag"), before)
	}
	now = now.Add(time.Second)
	if r := from(s, one, "/feeds/all.rss?limit=5"); r.StatusCode != 200 || r.Header.Get("ETag") == before {
		t.Errorf("a second later: %d %s", r.StatusCode, r.Header.Get("ETag"))
	}
	// All clients together.
	s.limits.together = rate.NewLimiter(1, 1)
	from(s, "192.0.2.77:1", "/feeds/all.atom?limit=1")
	if r := from(s, "192.0.2.78:1", "/feeds/all.atom?limit=2"); r.StatusCode != 429 {
		t.Errorf("over the share of all: %d", r.StatusCode)
	}
}

func TestClient(t *testing.T) {
	for _, x := range []struct{ remote, via, want string }{
		{"192.0.2.1:80", "", "192.0.2.1/32"},
		{"192.0.2.1:80", "203.0.113.9", "192.0.2.1/32"}, // anybody can say that
		{"127.0.0.1:80", "198.51.100.1, 203.0.113.9", "203.0.113.9/32"},
		{"10.0.0.1:80", "nonsense", "10.0.0.1/32"},
		{"[::1]:80", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		{"[2001:db8::1%eth0]:80", "", "2001:db8::/64"},
		{"[::ffff:192.0.2.1]:80", "", "192.0.2.1/32"},
		{"@", "", "invalid Prefix"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = x.remote
		if x.via != "" {
			r.Header.Set("X-Forwarded-For", x.via)
		}
		if got := client(r).String(); got != x.want {
			t.Errorf("%+v: %s", x, got)
		}
	}
}

// However many clients come, few are remembered; who keeps asking is among them.
func TestClientsAreBounded(t *testing.T) {
	l := newLimits()
	l.together = rate.NewLimiter(rate.Inf, 0)
	steady := netip.MustParsePrefix("192.0.2.1/32")
	refused := 0
	for i := range 4 * maxClients {
		if i%16 == 0 && l.ask(steady, epoch) != nil {
			refused++
		}
		l.ask(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32), epoch)
	}
	if n := len(l.now) + len(l.old); n > 2*maxClients {
		t.Errorf("%d clients remembered", n)
	}
	if want := 4*maxClients/16 - clientBurst; refused != want {
		t.Errorf("refused %d times, want %d", refused, want)
	}
}

// Both caches together hold no more than the configuration says, and combinations
// do not push out what everybody reads.
func TestSmallCache(t *testing.T) {
	s, _ := open(t, newMemory(), func(o *Options) { o.CacheBytes = 400 << 10 })
	st := s.site.Load()
	from(s, "192.0.2.1:1", "/feeds/all.rss")
	for i := range 3 * clientBurst {
		from(s, fmt.Sprintf("192.0.2.%d:1", i%200), fmt.Sprintf("/feeds/all.json?limit=%d", i%200+1))
	}
	if st.cache.get("public", "/feeds/all.rss") == nil {
		t.Error("combinations pushed out a feed of one value")
	}
	if size, n := st.small.stats(); size > 50<<10 || n == 0 {
		t.Errorf("the small cache holds %d bytes, %d documents", size, n)
	}
	e := st.small.get("public", "/feeds/all.json?limit=50")
	if e == nil {
		t.Fatal("the last combination is not at hand")
	}
	// It is conditional like any other, in each encoding.
	r := from(s, "192.0.2.1:1", "/feeds/all.json?limit=50", "Accept-Encoding", "gzip", "If-None-Match", e.variants[gzipped].etag[0])
	if r.StatusCode != 304 {
		t.Errorf("conditional: %d", r.StatusCode)
	}
}
