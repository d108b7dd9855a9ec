package fetch

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// maxHosts bounds what we keep about hosts; a hostile page can name any number.
	maxHosts = 1024
	// idleHost is how long a host is remembered at least when room is short.
	idleHost = time.Hour
	// maxHold is the longest Retry-After we obey; longer ones are a mistake or a way to make a paper vanish.
	maxHold = 6 * time.Hour
	// tooMany is how long we stay away after a 429 that names no time.
	tooMany = 30 * time.Second
)

// host is what we know about one host: when it may be asked again and what it
// said in robots.txt.
type host struct {
	name  string
	slots chan struct{} // one token per request under way
	asked chan struct{} // held by the one who fetches robots.txt

	users int       // who hold this record now; guarded by Client.mu
	used  time.Time // when it was last wanted; guarded by Client.mu

	mu       sync.Mutex
	started  time.Time // of the last request
	next     time.Time // earliest start of the next request
	held     time.Time // on hold until
	holdCode int
	robots   map[string]robots // by scheme: http and https may differ (RFC 9309 §2.3)
	stats    HostStat
}

// host gives the record of a URL's host; done must be called with it.
func (c *Client) host(u *url.URL) *host {
	now := c.opts.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.hosts[u.Host]
	if h == nil {
		if len(c.hosts) >= maxHosts {
			c.forget(now)
		}
		h = &host{
			name:   u.Host,
			slots:  make(chan struct{}, c.opts.PerHost),
			asked:  make(chan struct{}, 1),
			robots: make(map[string]robots, 1),
		}
		c.hosts[u.Host] = h
	}
	h.users++
	h.used = now
	return h
}

func (c *Client) done(h *host) {
	c.mu.Lock()
	h.users--
	c.mu.Unlock()
}

// forget makes room: all hosts idle for an hour and not on hold, or else the one
// that has been idle longest. c.mu is held.
func (c *Client) forget(now time.Time) {
	var oldest *host
	before := len(c.hosts)
	for _, h := range c.hosts {
		if h.users > 0 {
			continue
		}
		h.mu.Lock()
		held := h.held.After(now)
		h.mu.Unlock()
		if !held && now.Sub(h.used) > idleHost {
			delete(c.hosts, h.name)
		}
		if oldest == nil || h.used.Before(oldest.used) {
			oldest = h
		}
	}
	if len(c.hosts) == before && oldest != nil {
		delete(c.hosts, oldest.name)
	}
}

// enter waits for a free slot and for the pace. leave must be called unless it
// returns an error.
func (c *Client) enter(ctx context.Context, h *host, u *url.URL) error {
	if err := h.onHold(c.opts.Now(), u); err != nil {
		return err
	}
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := c.pace(ctx, h, u); err != nil {
		<-h.slots
		return err
	}
	return nil
}

func (h *host) leave() { <-h.slots }

// pace books the next start and waits for it.
func (c *Client) pace(ctx context.Context, h *host, u *url.URL) error {
	now := c.opts.Now()
	h.mu.Lock()
	start := now
	if h.next.After(now) {
		start = h.next
	}
	booked := start.Add(max(c.opts.Pace, h.robots[u.Scheme].delay))
	h.next, h.started = booked, start
	h.mu.Unlock()
	if wait := start.Sub(now); wait > 0 {
		if err := c.opts.Sleep(ctx, wait); err != nil {
			h.mu.Lock()
			if h.next.Equal(booked) { // nobody queued behind us: the start is free again
				h.next = start
			}
			h.mu.Unlock()
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return h.onHold(c.opts.Now(), u) // somebody may have been told to go while we waited
}

// onHold is a *StatusError while the host is to be left alone.
func (h *host) onHold(now time.Time, u *url.URL) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if left := h.held.Sub(now); left > 0 {
		return &StatusError{URL: u.String(), Code: h.holdCode, RetryAfter: left}
	}
	return nil
}

// heed obeys Retry-After, which stands on 503 and 429 by RFC 9110 §10.2.3 and on
// anything in the wild, and tells what it said, capped.
func (h *host) heed(now time.Time, resp *http.Response) time.Duration {
	after := retryAfter(resp.Header.Get("Retry-After"), now)
	hold := after
	if hold == 0 && resp.StatusCode == http.StatusTooManyRequests {
		hold = tooMany
	}
	if hold > 0 {
		h.mu.Lock()
		if until := now.Add(hold); until.After(h.held) {
			h.held = until
		}
		h.holdCode = http.StatusServiceUnavailable
		if resp.StatusCode == http.StatusTooManyRequests {
			h.holdCode = http.StatusTooManyRequests
		}
		h.mu.Unlock()
	}
	return after
}

// retryAfter reads seconds or an HTTP date; 0 where there is none or it has passed.
func retryAfter(v string, now time.Time) time.Duration {
	v = strings.TrimSpace(v)
	if v == "" {
		return 0
	}
	var d time.Duration
	if n, err := strconv.ParseUint(v, 10, 64); err == nil {
		d = time.Duration(min(n, uint64(maxHold/time.Second))) * time.Second
	} else if strings.Trim(v, "0123456789") == "" {
		d = maxHold // digits beyond 64 bits
	} else if t, err := http.ParseTime(v); err == nil {
		d = t.Sub(now)
	}
	return min(max(d, 0), maxHold)
}

// count books one request.
func (h *host) count(status int, bytes int64, failed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stats.Requests++
	h.stats.Bytes += bytes
	if status == http.StatusNotModified {
		h.stats.NotModified++
	}
	if failed || status >= 400 {
		h.stats.Errors++
	}
}

func (h *host) stat(now time.Time) HostStat {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.stats
	s.Host = h.name
	if h.held.After(now) {
		s.HeldUntil = h.held
	}
	return s
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
