// Package fetch is the one polite client through which everything comes in.
//
// It keeps a pace per host, remembers validators across restarts, obeys
// robots.txt and Retry-After, caps bytes, redirects and time, decompresses
// within the cap, turns text into UTF-8 and refuses addresses that are not
// public, at dial time, unless the configuration opens a host by name.
package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Memory keeps validators, and the bodies of documents asked for with Keep,
// across restarts. The store satisfies it. The key is the address that answered,
// so the target of a redirect that moves every day never gets yesterday's
// validators.
type Memory interface {
	// Recall gives what Remember kept for a URL; ok is false where nothing was.
	// body is empty unless it was remembered.
	Recall(ctx context.Context, url string) (etag, modified, contentType, body string, ok bool, err error)
	// Remember replaces what is kept for a URL. body is UTF-8 without NUL.
	Remember(ctx context.Context, url, etag, modified, contentType, body string) error
}

// Options configure a client. The zero value of each field means its default.
type Options struct {
	UserAgent    string        // default: a browser-like one that names Paperwire
	Pace         time.Duration // least time between two requests to one host; default 1.2 s, negative: none
	PerHost      int           // requests under way at once per host; default 1
	Timeout      time.Duration // of one request, redirects and body included, waiting for the pace not; default 30 s
	MaxBody      int64         // bytes, before and after decompression; default 16 MiB
	MaxRedirects int           // default 5, negative: none
	// Open names hosts (host or host:port) that may resolve to addresses that
	// are not public: a publisher inside the house, or a test.
	Open []string
	// IgnoreRobots names hosts whose robots.txt is not asked, by agreement with
	// the publisher.
	IgnoreRobots []string
	Memory       Memory // nil: nothing is remembered
	// Local answers for hosts that are not on the network (the embedded demo
	// paper): no pace, no robots, no dial.
	Local map[string]http.Handler
	Log   *slog.Logger
	// Now and Sleep are for tests.
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
}

// Request is one document to get.
type Request struct {
	URL     string
	Referer string
	// Keep remembers the body too, so that a 304 still gives a document. Say it
	// for everything whose loss would matter: without it a process that dies
	// between the answer and its use is told "not modified" afterwards.
	Keep  bool
	Fresh bool // ask without validators
	// Defer leaves remembering to the caller, who calls Document.Remember once
	// what was read is safe: the other way to lose nothing, without keeping bodies.
	Defer   bool
	MaxBody int64 // overrides Options.MaxBody
	// Post is the body of a POST request; empty means GET. An answer to a POST is
	// never conditional and never remembered: it belongs to the body, not to the URL.
	Post string
	// Header is sent besides; it goes to the host of URL only. Credentials have no
	// place in it.
	Header http.Header
	Raw    bool // give Document.Raw too
}

// Document is what came back.
type Document struct {
	URL         string // after redirects
	ContentType string // media type without parameters, lower case
	Charset     string // what Body was decoded from; empty for what is not text
	Body        []byte // UTF-8 for text and XML; raw otherwise
	// NotModified: the publisher answered 304. Body is the remembered one where
	// the request said Keep, else nil.
	NotModified bool
	// Raw are the bytes before they were decoded, decompressed all the same, and
	// Label is the Content-Type as sent. Only where the request said Raw and the
	// answer was no 304.
	Raw   []byte
	Label string
	// Remember is set where the request said Defer and there is something to
	// remember. Until it is called the publisher is asked as if this answer had
	// never come.
	Remember func(context.Context)
}

// Picture is what the first bytes of a picture tell. Length is 0 where the
// server does not tell.
type Picture struct {
	Type          string // image/jpeg
	Width, Height int    // pixels
	Length        int64  // bytes
}

// Errors. Test with errors.Is.
var (
	ErrForbidden = errors.New("address not allowed") // the SSRF guard, or a scheme that is not http(s)
	ErrRobots    = errors.New("refused by robots.txt")
	ErrTooLarge  = errors.New("document too large")
	ErrRedirects = errors.New("too many redirects")
	// ErrNotPicture is all there is to say about a login page behind a .jpg.
	ErrNotPicture = errors.New("not a GIF, JPEG, PNG or WebP picture")
)

// StatusError is an answer other than 200 and 304, or tells that the host is on
// hold: it asked to be left alone (Retry-After, on any status) and no request was
// made. On hold Code is 429 or 503, never a 404 that would look like a holiday.
// A 429 that names no time means half a minute; no hold lasts over six hours.
type StatusError struct {
	URL        string
	Code       int
	RetryAfter time.Duration // 0 where the server named none
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("get %s: %d %s", e.URL, e.Code, http.StatusText(e.Code))
}

// Missing reports whether the error says that the document is not there (404 or
// 410): for an edition that is a holiday, not a failure.
func Missing(err error) bool {
	var s *StatusError
	return errors.As(err, &s) && (s.Code == http.StatusNotFound || s.Code == http.StatusGone)
}

// HostStat is what one host has cost and given since this process first asked
// it, for metrics. Hosts that were idle for long may be forgotten.
type HostStat struct {
	Host        string    // example.cn, or example.cn:8080 where the port is not the scheme's own
	Requests    int64     // sent, robots.txt and redirects included
	NotModified int64     // of them answered 304
	Errors      int64     // of them answered 400 or above, or not answered whole
	Bytes       int64     // of bodies as they came over the wire
	HeldUntil   time.Time // zero unless the host asked to be left alone until then
}

// Client is safe for concurrent use.
type Client struct {
	opts         Options
	log          *slog.Logger
	open         names
	ignoreRobots names
	local        map[string]http.Handler
	dialer       *net.Dialer // how a checked address is reached; tests look on here
	transport    *http.Transport
	closed       atomic.Bool

	mu    sync.Mutex
	hosts map[string]*host
}

// New makes a client; it starts nothing.
func New(o Options) *Client {
	if o.UserAgent == "" {
		o.UserAgent = userAgent
	}
	if o.Pace == 0 {
		o.Pace = 1200 * time.Millisecond
	}
	o.Pace = max(o.Pace, 0)
	if o.PerHost <= 0 {
		o.PerHost = 1
	}
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.MaxBody <= 0 {
		o.MaxBody = 16 << 20
	}
	if o.MaxRedirects == 0 {
		o.MaxRedirects = 5
	}
	o.MaxRedirects = max(o.MaxRedirects, 0)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	c := &Client{
		opts:         o,
		log:          o.Log,
		open:         newNames(o.Open),
		ignoreRobots: newNames(o.IgnoreRobots),
		local:        make(map[string]http.Handler, len(o.Local)),
		dialer:       &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second},
		hosts:        make(map[string]*host),
	}
	for name, h := range o.Local {
		c.local[fold(name)] = h
	}
	c.transport = &http.Transport{
		Proxy:                  nil, // a proxy would dial for us, past the guard
		DialContext:            c.dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    10 * time.Second,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // read does it, within the caps
		MaxIdleConns:           64,
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
	}
	return c
}

// Get fetches one document. Errors: *StatusError, ErrForbidden, ErrRobots,
// ErrTooLarge, ErrRedirects, io.ErrUnexpectedEOF for a body that was cut off, or
// what the network said, wrapped with the URL.
func (c *Client) Get(ctx context.Context, r Request) (*Document, error) {
	u, err := c.address(r.URL)
	if err != nil {
		return nil, err
	}
	return c.get(ctx, u, r)
}

// Picture reads the head of a picture by a range request of 64 KB and tells its
// type, size in pixels and length in bytes (GIF, JPEG, PNG, WebP). Width and
// Height are 0 where they stand behind those 64 KB. Errors as for Get.
func (c *Client) Picture(ctx context.Context, url, referer string) (Picture, error) {
	u, err := c.address(url)
	if err != nil {
		return Picture{}, err
	}
	return c.picture(ctx, u, referer)
}

// HTTP is a client for requests that are no fetches, such as a delivery to a
// receiver: behind the same guard, on any port, with no redirect followed and the
// whole exchange within timeout. It is not paced.
func (c *Client) HTTP(timeout time.Duration) *http.Client {
	return &http.Client{
		Transport: c.transport, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Stats tells what each host has cost and given, by host.
func (c *Client) Stats() []HostStat {
	now := c.opts.Now()
	c.mu.Lock()
	stats := make([]HostStat, 0, len(c.hosts))
	for _, h := range c.hosts {
		stats = append(stats, h.stat(now))
	}
	c.mu.Unlock()
	slices.SortFunc(stats, func(a, b HostStat) int { return strings.Compare(a.Host, b.Host) })
	return stats
}

// Close ends the idle connections; those in use end with their request. What is
// asked afterwards fails.
func (c *Client) Close() {
	c.closed.Store(true)
	c.transport.CloseIdleConnections()
}

// Decode turns the bytes of a text document into UTF-8 and names the charset it
// took them for. Labels lie, so: a BOM decides; else a body that is valid UTF-8
// is UTF-8; else it is GB18030, which contains GBK and GB2312. A declared
// UTF-16 without BOM is believed. NUL characters are dropped, and so is the BOM.
// An encoding named inside the document is left as it stands. A body that is a
// .gz, as sitemaps are saved, is undone first, up to 64 MB.
func Decode(body []byte, contentType string) (text []byte, charset string) {
	return decode(body, contentType)
}
