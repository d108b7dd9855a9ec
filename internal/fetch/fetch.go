// Package fetch is the one polite client through which everything comes in.
//
// It keeps a pace per host, remembers validators across restarts, obeys
// robots.txt and Retry-After, caps bytes, redirects and time, decompresses
// within the cap, turns text into UTF-8 and refuses addresses that are not
// public, at dial time, unless the configuration opens a host by name.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// Memory keeps validators, and the bodies of documents asked for with Keep,
// across restarts. The store satisfies it.
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
	Timeout      time.Duration // of one request, body included; default 30 s
	MaxBody      int64         // bytes after decompression; default 16 MiB
	MaxRedirects int           // default 5
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
	Keep    bool  // remember the body too, so that a 304 still gives a document
	Fresh   bool  // ask without validators
	MaxBody int64 // overrides Options.MaxBody
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
)

// StatusError is an answer other than 200 and 304.
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

// Client is safe for concurrent use.
type Client struct {
	opts Options
}

// New makes a client; it starts nothing.
func New(o Options) *Client { return &Client{opts: o} }

// Get fetches one document. Errors: *StatusError, ErrForbidden, ErrRobots,
// ErrTooLarge, ErrRedirects, or what the network said, wrapped with the URL.
func (c *Client) Get(ctx context.Context, r Request) (*Document, error) {
	return nil, errors.New("fetch: not built yet")
}

// Picture reads the head of a picture by a range request of 64 KB and tells its
// type, size in pixels and length in bytes (GIF, JPEG, PNG, WebP).
func (c *Client) Picture(ctx context.Context, url, referer string) (Picture, error) {
	return Picture{}, errors.New("fetch: not built yet")
}

// Decode turns the bytes of a text document into UTF-8 and names the charset it
// took them for. Labels lie, so: a BOM decides; else a body that is valid UTF-8
// is UTF-8; else it is GB18030, which contains GBK and GB2312. A declared
// UTF-16 without BOM is believed. NUL characters are dropped.
func Decode(body []byte, contentType string) (text []byte, charset string) {
	return body, "utf-8"
}
