package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// userAgent names us, inside what about one publisher in ten insists on: the
// look of a browser.
const userAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36 Paperwire/1.0"

// errClosed is what a closed client answers.
var errClosed = errors.New("client closed")

// errand is what is asked along a chain of redirects.
type errand struct {
	first  *url.URL
	robots bool // obey robots.txt; false for robots.txt itself
	hops   int  // redirects at most
	limit  time.Duration
	// budget is what is left of the time limit; each hop takes its share, waiting
	// for the pace takes none.
	budget time.Duration
	post   string // body of a POST request; a redirect other than 307 and 308 makes it a GET
	// prepare fills the headers for one hop.
	prepare func(ctx context.Context, u *url.URL, head http.Header)
	// answer takes an answer that is no redirect. It tells the bytes it read off the wire.
	answer func(u *url.URL, resp *http.Response, a answered) (int64, error)
}

// run follows the chain. Every hop passes the guard, the hold, the pace and the
// robots.txt of its own host.
func (c *Client) run(ctx context.Context, e *errand) error {
	if c.closed.Load() {
		return fmt.Errorf("get %s: %w", e.first, errClosed)
	}
	seen := make(map[string]bool, 1)
	u := e.first
	for hop := 0; ; hop++ {
		next, err := c.hop(ctx, e, u)
		if err != nil || next == nil {
			return err
		}
		if hop >= e.hops {
			return fmt.Errorf("get %s: %w: more than %d", e.first, ErrRedirects, e.hops)
		}
		seen[u.String()] = true
		if seen[next.String()] {
			return fmt.Errorf("get %s: %w: a loop at %s", e.first, ErrRedirects, next)
		}
		u = next
	}
}

// hop makes one request; next is where a redirect leads.
func (c *Client) hop(ctx context.Context, e *errand, u *url.URL) (next *url.URL, err error) {
	head := http.Header{
		"User-Agent":      {c.opts.UserAgent},
		"Accept-Language": {"zh-CN,zh;q=0.9,en;q=0.5"},
	}
	e.prepare(ctx, u, head)
	var h *host
	handler := c.localHandler(u)
	if handler == nil {
		h = c.host(u)
		defer c.done(h)
		if e.robots {
			if err := c.allowed(ctx, h, u); err != nil {
				return nil, err
			}
		}
		if err := c.enter(ctx, h, u); err != nil {
			return nil, wrap(u, err)
		}
		defer h.leave()
	}

	asked, reached := time.Now(), handler != nil
	limited, cancel := context.WithTimeout(ctx, e.budget)
	defer cancel()
	tracing := httptrace.WithClientTrace(limited, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { reached = true },
	})
	req := (&http.Request{
		Method: http.MethodGet, URL: u, Host: u.Host, Header: head,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(tracing)
	if e.post != "" {
		kind := "application/x-www-form-urlencoded; charset=UTF-8"
		if c := strings.TrimLeft(e.post, " \t\r\n"); c != "" && (c[0] == '{' || c[0] == '[') {
			kind = "application/json; charset=UTF-8"
		}
		head.Set("Content-Type", kind)
		req.Method, req.ContentLength = http.MethodPost, int64(len(e.post))
		req.Body = io.NopCloser(strings.NewReader(e.post))
		// A connection that died idle is found out before anything was sent.
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(e.post)), nil }
	}

	status, bytes := 0, int64(0)
	defer func() {
		took := time.Since(asked)
		e.budget -= took
		var answered *StatusError
		failed := err != nil && !errors.As(err, &answered)
		if failed && limited.Err() != nil && ctx.Err() == nil && !errors.Is(err, ErrTooLarge) {
			late := fmt.Errorf("no whole answer within %s: %w", e.limit, context.DeadlineExceeded)
			if err = wrap(u, late); !reached {
				err = wrap(u, &unreached{late})
			}
		}
		if h != nil {
			h.count(status, bytes, failed)
		}
		if c.log.Enabled(ctx, slog.LevelDebug) {
			c.log.DebugContext(ctx, "fetched", "url", u.String(), "status", status, "bytes", bytes, "took", took)
		}
	}()

	var resp *http.Response
	if handler != nil {
		resp, err = serveLocal(handler, req, c.opts.MaxBody)
	} else {
		resp, err = c.transport.RoundTrip(req)
	}
	if err != nil {
		if !reached {
			return nil, wrap(u, &unreached{err})
		}
		return nil, wrap(u, err)
	}
	defer resp.Body.Close()
	status = resp.StatusCode

	var a answered
	if h != nil {
		a.retry = h.heed(c.opts.Now(), resp)
	}
	if to := resp.Header.Get("Location"); to != "" && redirects(status) {
		drain(resp.Body)
		target, err := u.Parse(strings.TrimSpace(to))
		if err != nil || len(to) > maxURL {
			return nil, fmt.Errorf("get %s: %d with a bad Location", u, status)
		}
		if target, err = c.checked(target); err != nil {
			return nil, fmt.Errorf("get %s: redirected: %w", u, err)
		}
		if status != http.StatusTemporaryRedirect && status != http.StatusPermanentRedirect {
			e.post = "" // RFC 9110 §15.4.4, and what browsers make of 301 and 302
		}
		return target, nil
	}
	bytes, err = e.answer(u, resp, a)
	return nil, wrap(u, err)
}

// unreached is the error of a request that never got a connection: the host is
// down, unknown, refused by the guard, or its certificate is bad.
type unreached struct{ error }

func (e *unreached) Unwrap() error { return e.error }

// answered is what the host's own record made of an answer.
type answered struct {
	retry time.Duration // Retry-After, capped
}

// status is the error for an answer that is not what was asked for.
func (a answered) status(u *url.URL, resp *http.Response) error {
	return &StatusError{URL: u.String(), Code: resp.StatusCode, RetryAfter: a.retry}
}

// wrap adds the URL to an error that does not tell it yet.
func wrap(u *url.URL, err error) error {
	var s *StatusError
	if err == nil || errors.As(err, &s) {
		return err
	}
	return fmt.Errorf("get %s: %w", u, err)
}

func redirects(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// drain reads a little of a body that nobody wants, so that its connection can
// be used again; more than 4 KB is not worth it.
func drain(r io.Reader) { _, _ = io.CopyN(io.Discard, r, 4<<10) }

// remembered is what Memory has about one URL.
type remembered struct {
	etag, modified, contentType, body string
	known                             bool // something is kept, used or not
	sent                              bool // validators were sent
}

// get is Get for a checked URL.
func (c *Client) get(ctx context.Context, first *url.URL, r Request) (*Document, error) {
	limit := c.opts.MaxBody
	if r.MaxBody > 0 {
		limit = r.MaxBody
	}
	var (
		mem  remembered // of the hop under way
		doc  *Document
		etag string
		date string
	)
	err := c.run(ctx, &errand{
		first: first, robots: true, hops: c.opts.MaxRedirects, limit: c.opts.Timeout, budget: c.opts.Timeout, post: r.Post,
		prepare: func(ctx context.Context, u *url.URL, head http.Header) {
			if r.Post == "" {
				mem = c.recall(ctx, u)
			}
			head.Set("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
			head.Set("Accept-Encoding", "gzip, deflate, br")
			if r.Referer != "" {
				head.Set("Referer", r.Referer)
			}
			if u.Host == first.Host {
				r.header(head)
			}
			// A 304 must be of use: with Keep there has to be a body to give.
			if r.Fresh || r.Keep && mem.body == "" {
				return
			}
			if mem.etag != "" {
				head.Set("If-None-Match", mem.etag)
			}
			if mem.modified != "" {
				head.Set("If-Modified-Since", mem.modified)
			}
			mem.sent = mem.etag != "" || mem.modified != ""
		},
		answer: func(u *url.URL, resp *http.Response, a answered) (int64, error) {
			switch {
			case resp.StatusCode == http.StatusNotModified && mem.sent:
				doc = mem.document(u, r.Keep)
				return 0, nil
			case resp.StatusCode != http.StatusOK:
				drain(resp.Body)
				return 0, a.status(u, resp)
			}
			body, wire, err := readBody(resp, limit)
			if err != nil {
				return wire, err
			}
			doc = document(u, resp.Header.Get("Content-Type"), body)
			if r.Raw {
				doc.Raw, doc.Label = body, resp.Header.Get("Content-Type")
			}
			etag, date = validator(resp.Header.Get("ETag")), validator(resp.Header.Get("Last-Modified"))
			return wire, nil
		},
	})
	if err != nil {
		return nil, err
	}
	if doc.NotModified {
		return doc, nil
	}
	// Without a validator there will never be a 304; only what was kept must go.
	if c.opts.Memory == nil || r.Post != "" || etag == "" && date == "" && !mem.known {
		return doc, nil
	}
	if remember := c.remember(doc, etag, date, r.Keep); r.Defer {
		doc.Remember = remember
	} else {
		remember(ctx)
	}
	return doc, nil
}

// header adds what the request says itself. What frames or carries the message is
// the client's own.
func (r Request) header(head http.Header) {
	for name, values := range r.Header {
		switch name = http.CanonicalHeaderKey(name); name {
		case "Host", "Content-Length", "Transfer-Encoding", "Connection", "Accept-Encoding", "If-None-Match", "If-Modified-Since", "Range":
		default:
			head[name] = values
		}
	}
}

// document makes the document of an answer.
func document(u *url.URL, contentType string, body []byte) *Document {
	d := &Document{URL: u.String(), Body: body}
	var text bool
	if d.ContentType, text = mediaType(contentType, body); text {
		d.Body, d.Charset = decode(body, contentType)
	}
	return d
}

// document makes the document of a 304.
func (m remembered) document(u *url.URL, keep bool) *Document {
	d := &Document{URL: u.String(), NotModified: true}
	d.ContentType, d.Charset, _ = strings.Cut(m.contentType, "; charset=")
	if keep {
		d.Body = []byte(m.body)
	}
	return d
}

// recall asks Memory. A memory that fails costs a whole answer, not the poll.
func (c *Client) recall(ctx context.Context, u *url.URL) (m remembered) {
	if c.opts.Memory == nil {
		return m
	}
	var err error
	m.etag, m.modified, m.contentType, m.body, m.known, err = c.opts.Memory.Recall(ctx, u.String())
	if err != nil {
		c.log.WarnContext(ctx, "recall", "url", u.String(), "error", err)
		return remembered{}
	}
	if !m.known {
		return remembered{}
	}
	return m
}

// remember makes what tells Memory about a document that came whole.
func (c *Client) remember(d *Document, etag, modified string, keep bool) func(context.Context) {
	url, contentType, body := d.URL, d.ContentType, ""
	if d.Charset != "" {
		contentType += "; charset=" + d.Charset
		if keep {
			body = string(d.Body)
		}
	}
	return func(ctx context.Context) {
		if err := c.opts.Memory.Remember(ctx, url, etag, modified, contentType, body); err != nil {
			c.log.WarnContext(ctx, "remember", "url", url, "error", err)
		}
	}
}

// validator drops an ETag or date that could not be stored or sent back. Some
// servers put raw bytes or a path of kilobytes there.
func validator(v string) string {
	if len(v) > 1<<10 || !utf8.ValidString(v) {
		return ""
	}
	for i := range len(v) {
		if v[i] < ' ' || v[i] == 0x7f {
			return ""
		}
	}
	return v
}
