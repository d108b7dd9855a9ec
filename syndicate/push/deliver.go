package push

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"paperwire/internal/paper"
)

// parcel is what goes to one receiver in one request.
type parcel struct {
	id    string // the same when it comes again
	kind  paper.EventKind
	event paper.Event // of a parcel of one event
	// through is where the cursor moves when it has arrived.
	through paper.Cursor
	since   time.Time     // when it came about
	again   time.Time     // when it was asked for again; zero where it was not
	pause   time.Duration // until the receiver may get the next one

	within time.Duration // for the answer; 0: as long as the client has

	method string // POST where empty
	url    string
	header http.Header
	body   []byte
	// judge says what an answer means, where the status alone does not.
	judge func(status int, body []byte) verdict
}

type outcome int

const (
	delivered outcome = iota
	failed            // and is tried again
	refused           // and would be again
	gone              // the receiver wants nothing any more (HTTP 410)
	crowded           // its host has enough under way: not tried
)

// names of outcomes in metrics.
var outcomes = map[outcome]string{delivered: "delivered", failed: "failed", refused: "refused", gone: "gone", crowded: "postponed"}

type verdict struct {
	outcome outcome
	status  int // HTTP status, 0 where there was no answer
	problem string
	after   time.Duration // not sooner than that; 0 where nothing was said
	took    time.Duration
	body    []byte
}

const (
	maxAnswer = 64 << 10 // bytes of an answer that are read
	maxWait   = 2 * time.Hour
)

// send makes the request of a parcel and judges the answer.
func (d *Dispatch) send(ctx context.Context, kind paper.ReceiverKind, p *parcel) verdict {
	v := d.exchange(ctx, kind, p)
	if ctx.Err() == nil {
		d.metrics.deliveries.WithLabelValues(string(kind), outcomes[v.outcome]).Inc()
		if v.outcome != crowded {
			d.metrics.took.WithLabelValues(string(kind)).Observe(v.took.Seconds())
		}
	}
	return v
}

func (d *Dispatch) exchange(ctx context.Context, kind paper.ReceiverKind, p *parcel) verdict {
	method := p.method
	if method == "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, p.url, bytes.NewReader(p.body))
	if err != nil {
		return verdict{outcome: refused, problem: "not a URL"}
	}
	client, place := d.o.Client, req.URL.Host
	if kind == paper.Intent || kind == paper.Subscription {
		// A stranger has as many ports as he likes.
		client, place = d.o.Callbacks, "callbacks at "+strings.ToLower(req.URL.Hostname())
	}
	leave, ok := d.hosts.enter(ctx, place)
	if !ok {
		return verdict{outcome: crowded}
	}
	defer leave()
	for name, value := range p.header {
		req.Header[name] = value
	}
	req.Header.Set("User-Agent", "Paperwire (+"+d.o.Base+")")
	if p.within > 0 {
		ctx, cancel := context.WithTimeout(ctx, p.within)
		defer cancel()
		req = req.WithContext(ctx)
	}
	began := d.o.Now()
	resp, err := client.Do(req)
	if err != nil {
		return verdict{outcome: failed, problem: bare(err), took: d.o.Now().Sub(began)}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	took := d.o.Now().Sub(began)
	if err != nil && resp.StatusCode/100 == 2 {
		return verdict{outcome: failed, status: resp.StatusCode, problem: "its answer broke off: " + bare(err), took: took}
	}
	v := byStatus(resp.StatusCode)
	if p.judge != nil {
		v = p.judge(resp.StatusCode, body)
	}
	v.status, v.took, v.body = resp.StatusCode, took, body
	if resp.StatusCode >= http.StatusBadRequest {
		v.after = max(v.after, retryAfter(resp.Header.Get("Retry-After"), d.o.Now()))
	}
	return v
}

// byStatus is what an answer means where only its status counts: 2xx is received.
func byStatus(status int) verdict {
	switch {
	case status/100 == 2:
		return verdict{outcome: delivered}
	case status == http.StatusGone:
		return verdict{outcome: gone, problem: "HTTP 410 Gone"}
	case status/100 == 3:
		return verdict{outcome: failed, problem: fmt.Sprintf("HTTP %d: redirects are not followed", status)}
	}
	return verdict{outcome: failed, problem: strings.TrimSpace(fmt.Sprintf("HTTP %d %s", status, http.StatusText(status)))}
}

// retryAfter reads RFC 9110 §10.2.3, up to two hours.
func retryAfter(s string, now time.Time) time.Duration {
	if s == "" {
		return 0
	}
	if n, err := strconv.Atoi(strings.TrimSpace(s)); err == nil {
		return min(max(time.Duration(n), 0)*time.Second, maxWait)
	}
	if at, err := http.ParseTime(s); err == nil {
		return min(max(at.Sub(now), 0), maxWait)
	}
	return 0
}

// bare is an error of the client without the URL, which may hold a secret.
func bare(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		if u.Timeout() {
			return "no answer in time"
		}
		err = u.Err
	}
	return err.Error()
}

// hostOf is host:port of a URL; empty where it is none.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = "80"
		if u.Scheme == "https" {
			port = "443"
		}
	}
	return strings.ToLower(u.Hostname()) + ":" + port
}

// Limits at one host, whoever of its receivers is meant.
const (
	hostMost  = 4                     // requests under way at once
	hostQueue = 4                     // drains that wait for one to end
	hostWait  = 3 * time.Second       // and for how long
	hostEvery = 20 * time.Millisecond // between two requests
	hostIdle  = 10 * time.Minute      // after that it is forgotten
)

// hosts bounds what this process does at each host at once.
type hosts struct {
	now func() time.Time
	mu  sync.Mutex
	all map[string]*host
}

type host struct {
	slots   chan struct{}
	waiting int
	next    time.Time // for the next request
	used    time.Time
}

func newHosts(now func() time.Time) *hosts { return &hosts{now: now, all: map[string]*host{}} }

// enter waits for a place at a host; ok is false where too many wait already.
func (h *hosts) enter(ctx context.Context, name string) (leave func(), ok bool) {
	now := h.now()
	h.mu.Lock()
	x := h.all[name]
	if x == nil {
		x = &host{slots: make(chan struct{}, hostMost)}
		h.all[name] = x
	}
	x.used = now
	select {
	case x.slots <- struct{}{}:
		ok = true
	default:
	}
	if !ok {
		if x.waiting >= hostQueue {
			h.mu.Unlock()
			return nil, false
		}
		x.waiting++
		h.mu.Unlock()
		t := time.NewTimer(hostWait)
		select {
		case x.slots <- struct{}{}:
			ok = true
		case <-t.C:
		case <-ctx.Done():
		}
		t.Stop()
		h.mu.Lock()
		x.waiting--
	}
	if !ok {
		h.mu.Unlock()
		return nil, false
	}
	at := later(now, x.next)
	x.next = at.Add(hostEvery)
	h.mu.Unlock()
	leave = func() { <-x.slots }
	if wait := at.Sub(now); wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			leave()
			return nil, false
		}
	}
	return leave, true
}

// tidy forgets hosts that nothing was sent to lately.
func (h *hosts) tidy() {
	now := h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, x := range h.all {
		if len(x.slots) == 0 && x.waiting == 0 && now.Sub(x.used) > hostIdle {
			delete(h.all, name)
		}
	}
}

// slowList remembers which receivers took long to answer, for some minutes.
type slowList struct{ m sync.Map }

const slowFor = 5 * time.Minute

func (l *slowList) add(id string, now time.Time) { l.m.Store(id, now) }

func (l *slowList) has(id string, now time.Time) bool {
	at, ok := l.m.Load(id)
	if ok && now.Sub(at.(time.Time)) > slowFor {
		l.m.Delete(id)
		return false
	}
	return ok
}

func (l *slowList) tidy(now time.Time) {
	l.m.Range(func(id, at any) bool {
		if now.Sub(at.(time.Time)) > slowFor {
			l.m.Delete(id)
		}
		return true
	})
}

// buckets bounds how often each client asks: rate a second, burst at once.
type buckets struct {
	now func() time.Time
	mu  sync.Mutex
	all map[string]*bucket
}

type bucket struct {
	left float64
	at   time.Time
}

const (
	askRate, askBurst = 5, 60      // of one client
	allRate, allBurst = 100, 1000  // of all together
	maxBuckets        = 10_000     // clients remembered; beyond that all share one bucket
	together          = "together" // no address
)

func newBuckets(now func() time.Time) *buckets {
	return &buckets{now: now, all: map[string]*bucket{}}
}

func (b *buckets) take(client string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	// The client's own first: who asks too often takes nothing from the others.
	return b.from(client, askRate, askBurst) && b.from(together, allRate, allBurst)
}

func (b *buckets) from(name string, rate, burst float64) bool {
	x := b.all[name]
	now := b.now()
	if x == nil {
		if len(b.all) >= maxBuckets && name != together {
			return false // thousands of clients within a minute are no subscribers
		}
		x = &bucket{left: burst, at: now}
		b.all[name] = x
	}
	x.left = min(burst, x.left+now.Sub(x.at).Seconds()*rate)
	x.at = now
	if x.left < 1 {
		return false
	}
	x.left--
	return true
}

// tidy forgets clients whose bucket is full again.
func (b *buckets) tidy() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name, x := range b.all {
		if b.now().Sub(x.at).Seconds()*askRate >= askBurst && name != together {
			delete(b.all, name)
		}
	}
}
