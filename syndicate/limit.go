package syndicate

import (
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// How many combinations are rendered: for one client, and in all. A reader with a
// hundred of them gets them all at once; a program that goes through all there are
// does not take the machine from the others.
const (
	clientRate  = 10 // a second
	clientBurst = 150
	allRate     = 50
	allBurst    = 500
	maxClients  = 4096 // remembered in each half of the table
)

// limits bounds the renderings of combinations. A client that a full table forgets
// begins anew: what it can do with that is bounded by the limit of all.
type limits struct {
	mu       sync.Mutex
	now, old map[netip.Prefix]*rate.Limiter // the last clients seen, and those seen before them
	together *rate.Limiter
}

func newLimits() *limits {
	return &limits{now: map[netip.Prefix]*rate.Limiter{}, together: rate.NewLimiter(allRate, allBurst)}
}

// tooMany says that a rendering has to wait. It is a 429.
type tooMany struct {
	wait time.Duration
	who  string
}

func (e *tooMany) Error() string {
	return fmt.Sprintf("too many combinations that are not at hand were asked for %s: try again in %s seconds; feeds of one paper, section or district are not limited", e.who, e.seconds())
}

// seconds is the value of Retry-After (RFC 9110 §10.2.3).
func (e *tooMany) seconds() string {
	return strconv.Itoa(int((e.wait + time.Second - 1) / time.Second))
}

// ask takes one rendering from a client's share.
func (l *limits) ask(client netip.Prefix, now time.Time) error {
	l.mu.Lock()
	c := l.now[client]
	if c == nil {
		if c = l.old[client]; c == nil {
			c = rate.NewLimiter(clientRate, clientBurst)
		}
		if len(l.now) >= maxClients {
			l.now, l.old = map[netip.Prefix]*rate.Limiter{}, l.now
		}
		l.now[client] = c
	}
	l.mu.Unlock()
	return take(c, now, "from your address")
}

// all takes one rendering from everybody's share.
func (l *limits) all(now time.Time) error { return take(l.together, now, "by all") }

func take(l *rate.Limiter, now time.Time, who string) error {
	if l.AllowN(now, 1) {
		return nil
	}
	missing := 1 - l.TokensAt(now)
	return &tooMany{max(time.Second, time.Duration(missing/float64(l.Limit())*float64(time.Second))), who}
}

// client is who asks, as far as an address says: of IPv6 the network of a site
// (/64), in which one machine has as many addresses as it likes. Behind a proxy on
// this machine or network it is the address that the proxy saw; nothing but a
// client's share depends on it.
func client(r *http.Request) netip.Prefix {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Prefix{}
	}
	addr := at.Addr().Unmap()
	if addr.IsLoopback() || addr.IsPrivate() {
		if via := r.Header["X-Forwarded-For"]; len(via) > 0 {
			last := via[len(via)-1]
			if seen, err := netip.ParseAddr(strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])); err == nil {
				addr = seen.Unmap()
			}
		}
	}
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	p, err := addr.WithZone("").Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
