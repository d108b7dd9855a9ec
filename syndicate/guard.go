package syndicate

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"paperwire/internal/paper"
	"paperwire/syndicate/card"
	"paperwire/syndicate/web"
)

// Limits of a request and of an answer.
const (
	maxURI  = 4 << 10 // bytes; eight names in three parts, percent-encoded, fit
	maxPage = 8 << 20 // bytes of a page that are held to be compressed; beyond that it is passed through
)

// site is one configuration of what goes out, with everything made from it. It
// is replaced as a whole, so a request sees one of them from end to end.
type site struct {
	Options
	cache      *cache // of pages, and of the feeds of one value
	small      *cache // of combinations and archives: very many, each asked for by few
	pictures   *cache // of cards: large, and kept by the store too
	links      card.Links
	pages      *web.Site
	mux        *http.ServeMux
	programs   http.Handler // the API
	operations *http.ServeMux
	known      atomic.Pointer[catalog]
}

// keeps is the cache that a document is kept in.
func (st *site) keeps(d document) *cache {
	switch {
	case d.picture:
		return st.pictures
	case d.combined || d.archive:
		return st.small
	}
	return st.cache
}

// home is the cache that an entry is kept in.
func (e *entry) home(st *site) *cache {
	switch {
	case e.picture:
		return st.pictures
	case e.small:
		return st.small
	}
	return st.cache
}

// view says who is looking. It is the only place that decides it.
func view(*http.Request) paper.View { return paper.Public }

// guard answers everything that is not in the cache.
func (s *Syndicate) guard(w http.ResponseWriter, r *http.Request, st *site) {
	s.protect(w, r, st, st.mux)
}

// protect keeps a handler from harm: it bounds the request, answers what needs
// no handler, turns a panic into a 500 and tells metrics and log.
func (s *Syndicate) protect(w http.ResponseWriter, r *http.Request, st *site, h http.Handler) {
	began := s.now()
	rec := &recorder{ResponseWriter: w, kind: kindOf(r.URL.Path)}
	defer func() {
		p := recover()
		if p == http.ErrAbortHandler { //nolint:errorlint // the value itself is the signal
			panic(p)
		}
		if p != nil {
			s.metrics.panics.Inc()
			s.log.Error("panic while answering", "url", clipURI(r), "panic", p, "stack", string(debug.Stack()))
			if rec.status == 0 {
				clear(rec.Header())
				s.problem(rec, r, st, http.StatusInternalServerError, "")
			}
		}
		if rec.status == 0 {
			rec.status = http.StatusOK
		}
		s.metrics.served(rec.kind, rec.status)
		s.told(r, rec.status, began)
	}()
	switch {
	case len(r.RequestURI) > maxURI:
		s.problem(rec, r, st, http.StatusRequestURITooLong, "the URL is too long: at most 4096 bytes")
	case r.URL.RawPath == "" && uncleaned(r.URL.Path) && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		clean := url.URL{Path: path.Clean(r.URL.Path), RawQuery: r.URL.RawQuery}
		if strings.HasSuffix(r.URL.Path, "/") && clean.Path != "/" {
			clean.Path += "/"
		}
		redirect(rec, clean.String()) // the mux would redirect without CORS
	case r.Method == http.MethodOptions:
		preflight(rec, st.methods(r))
	case r.Method != http.MethodGet && r.Method != http.MethodHead && !slices.Contains(st.methods(r), r.Method):
		if strings.HasPrefix(r.URL.Path, "/api/") {
			st.programs.ServeHTTP(rec, r) // which knows its own paths and methods
			return
		}
		allow := strings.Join(st.methods(r), ", ")
		rec.Header().Set("Allow", allow)
		s.problem(rec, r, st, http.StatusMethodNotAllowed, "there are "+allow)
	default:
		h.ServeHTTP(rec, r)
	}
}

// uncleaned reports a path with empty or dotted elements.
func uncleaned(path string) bool {
	return strings.Contains(path, "//") || strings.Contains(path, "/./") || strings.Contains(path, "/../") || strings.HasSuffix(path, "/.") || strings.HasSuffix(path, "/..")
}

// methods are those that a path answers.
func (st *site) methods(r *http.Request) []string {
	list := []string{http.MethodGet, http.MethodHead, http.MethodOptions}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		_, pattern := st.mux.Handler(&http.Request{Method: method, Host: r.Host, URL: r.URL})
		switch {
		case pattern == "POST /hub": // nothing to see there
			list = []string{http.MethodOptions, method}
		case strings.HasPrefix(pattern, method+" "):
			list = append(list, method)
		}
	}
	return list
}

// told writes the debug line of a request.
func (s *Syndicate) told(r *http.Request, status int, began time.Time) {
	if s.log.Enabled(context.Background(), slog.LevelDebug) {
		s.log.Debug("request", "method", r.Method, "url", clipURI(r), "status", status, "took", s.now().Sub(began).String())
	}
}

func clipURI(r *http.Request) string { return r.RequestURI[:min(len(r.RequestURI), 512)] }

// preflight answers a browser that asks whether another site's script may read
// (fetch standard, CORS preflight). Everything served here may be read.
func preflight(w http.ResponseWriter, methods []string) {
	h := w.Header()
	h.Set("Allow", strings.Join(methods, ", "))
	h["Access-Control-Allow-Origin"] = anyone
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Accept, Authorization, If-Modified-Since, If-None-Match, Paperwire-Key")
	h.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	kind   string
	status int
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection (profiling writes
// for longer than the server's deadline).
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// kindOf names a path for metrics: few names, whatever people ask for.
func kindOf(path string) string {
	first, rest, deeper := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "":
		return "home"
	case "feeds":
		return "feed"
	case "a":
		if deeper && strings.Contains(rest, "/") {
			return "card"
		}
		return "article"
	case "api", "img", "editions", "status", "assets", "oembed", "hub", "desk", "wechat":
		return first
	case "all", "paper", "section", "district", "-section", "-district":
		return "scope"
	case "healthz", "readyz", "metrics", "debug":
		return "operations"
	}
	return "other"
}

// problem answers with an error: RFC 9457 for programs, a page for browsers. An
// empty detail is for what nobody outside can mend: the log has the cause.
func (s *Syndicate) problem(w http.ResponseWriter, r *http.Request, st *site, status int, detail string) {
	h := w.Header()
	h["Cache-Control"] = notToStore
	if status < http.StatusInternalServerError && status != http.StatusUnauthorized && status != http.StatusTooManyRequests {
		h["Cache-Control"] = oneMinute
	}
	h.Add("Vary", "Accept")
	if wantsPage(r) {
		if status == http.StatusNotFound && detail == "" {
			st.pages.NotFound(w, r)
		} else {
			st.pages.Error(w, r, status, detail)
		}
		return
	}
	writeProblem(w, r, status, detail)
}

// writeProblem writes RFC 9457 JSON.
func writeProblem(w http.ResponseWriter, r *http.Request, status int, detail string) {
	if detail == "" && status >= http.StatusInternalServerError {
		detail = "internal error"
	}
	b, err := json.Marshal(struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail,omitempty"`
	}{"about:blank", http.StatusText(status), status, detail})
	if err != nil {
		panic(err) // strings and a number
	}
	h := w.Header()
	h["Access-Control-Allow-Origin"] = anyone
	h["X-Content-Type-Options"] = noSniff
	h.Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(append(b, '\n'))
	}
}

// wantsPage reports whether a person's browser asks.
func wantsPage(r *http.Request) bool {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		return false
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// fail answers an error of the store.
func (s *Syndicate) fail(w http.ResponseWriter, r *http.Request, st *site, err error) {
	var empty *emptyDay
	var wrong *paper.ScopeError
	switch {
	case errors.As(err, &empty):
		s.problem(w, r, st, http.StatusNotFound, empty.Error())
	case errors.As(err, &wrong):
		s.problem(w, r, st, http.StatusBadRequest, wrong.Reason)
	case errors.Is(err, paper.ErrGone):
		s.problem(w, r, st, http.StatusGone, "withdrawn by its publisher")
	case errors.Is(err, paper.ErrNotFound):
		s.problem(w, r, st, http.StatusNotFound, "")
	case errors.Is(err, paper.ErrFull):
		w.Header().Set("Retry-After", "3600")
		s.problem(w, r, st, http.StatusTooManyRequests, "there are as many paced feeds as may be: one that nobody asks for any more makes room; take one that exists, or the feed without pace")
	case errors.Is(err, errBusy):
		s.log.Warn("answer", "url", clipURI(r), "error", err)
		w.Header().Set("Retry-After", "10")
		s.problem(w, r, st, http.StatusServiceUnavailable, errBusy.Error()+": try again")
	default:
		s.log.Error("answer", "url", clipURI(r), "error", err)
		s.unavailable(w, r, st)
	}
}

// unavailable is the answer while the store cannot be read and there is nothing
// rendered to fall back on.
func (s *Syndicate) unavailable(w http.ResponseWriter, r *http.Request, st *site) {
	w.Header().Set("Retry-After", "10")
	s.problem(w, r, st, http.StatusServiceUnavailable, "the store cannot be read at the moment: try again")
}

// failScope answers a scope that cannot be served.
func (s *Syndicate) failScope(w http.ResponseWriter, r *http.Request, st *site, err error, ext string) {
	var wrong *paper.ScopeError
	var unknown *unknownError
	switch {
	case errors.As(err, &wrong):
		s.problem(w, r, st, http.StatusBadRequest, wrong.Reason)
	case errors.As(err, &unknown):
		if wantsPage(r) {
			w.Header().Add("Vary", "Accept")
			st.pages.NotFound(w, r, unknown.nearest...)
			return
		}
		detail := unknown.text()
		if near := unknown.nearest; len(near) > 0 {
			detail += ": did you mean /feeds/" + near[0].Part + "." + ext + named(near[0]) + "?"
		}
		s.problem(w, r, st, http.StatusNotFound, detail)
	default:
		s.fail(w, r, st, err)
	}
}

// compressed holds what a room writes back until it is whole, and sends it in
// the encoding asked for with an ETag of its own. A page may show anything of
// the store, so it is kept until anything changes there or at a source. Of pages' queries
// only what they know makes another page.
func (s *Syndicate) compressed(st *site, pages bool, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sn, c := s.snap.Load(), s.health.Load()
		// The line feed keeps these keys apart from those that ServeHTTP looks up
		// without regard to languages.
		path, query := r.URL.EscapedPath(), r.URL.RawQuery
		if query != "" && pages && r.URL.Path != "/desk" {
			query = web.Query(query)
		}
		k := key{view(r).Key, path + "?" + query + "\n" + s.tongues.of(r)}
		// There are as many queries as somebody writes: they are combinations.
		kept, many := st.cache, query != ""
		if many {
			kept = st.small
		}
		limited := strings.Contains(query, "q=") || pages && strings.Contains(query, "before=")
		have := kept.get(k.view, k.uri)
		if have != nil && s.fresh(have) {
			s.metrics.hits.Inc()
			s.send(w, r, st, have)
			return
		}
		if limited {
			if err := cmp.Or(s.limits.ask(client(r), s.now()), s.limits.all(s.now())); err != nil {
				s.refuse(w, r, st, have, err)
				return
			}
		}
		// The handler writes the whole page; whether that is what the client has is
		// decided here, by the bytes of its encoding.
		inner := r.Clone(r.Context())
		inner.Method, inner.URL.RawQuery = http.MethodGet, query
		for _, name := range []string{"If-None-Match", "If-Modified-Since", "If-Range", "Range"} {
			inner.Header.Del(name)
		}
		held := &page{w: w, header: w.Header()}
		h.ServeHTTP(held, inner)
		if held.passing {
			return
		}
		if held.status == 0 {
			held.status = http.StatusOK
		}
		if have != nil && held.status >= http.StatusInternalServerError {
			// The room has told the log why; the last good page stays.
			clear(w.Header())
			s.metrics.stale.Inc()
			s.send(w, r, st, have)
			return
		}
		if held.status != http.StatusOK {
			w.WriteHeader(held.status)
			if r.Method != http.MethodHead {
				w.Write(held.body.Bytes())
			}
			return
		}
		s.metrics.misses.Inc()
		e := newPage(k, w.Header(), held.body.Bytes(), sn, c)
		if sn != nil && len(k.uri) < maxURI && !strings.Contains(w.Header().Get("Cache-Control"), "no-store") {
			e.small = many
			kept.put(e)
		}
		s.send(w, r, st, e)
	})
}

// tongues remembers which language of the pages is meant by what browsers say of their
// reader: they say it in hundreds of ways. The zero value is ready.
type tongues struct {
	mu    sync.RWMutex
	known map[string]string
}

const mostTongues = 1000

func (t *tongues) of(r *http.Request) string {
	said := r.Header.Get("Accept-Language")
	t.mu.RLock()
	lang, ok := t.known[said]
	t.mu.RUnlock()
	if ok {
		return lang
	}
	lang = web.Language(r)
	if r.URL.RawQuery == "" && len(said) <= 200 { // else the address may say otherwise
		t.mu.Lock()
		if t.known == nil || len(t.known) >= mostTongues {
			t.known = map[string]string{}
		}
		t.known[said] = lang
		t.mu.Unlock()
	}
	return lang
}

// refuse answers a rendering that has to wait: with the bytes of before the last
// change where there are some, else with 429.
func (s *Syndicate) refuse(w http.ResponseWriter, r *http.Request, st *site, have *entry, err error) {
	s.metrics.limited.Inc()
	if have != nil {
		s.send(w, r, st, have)
		return
	}
	var many *tooMany
	if errors.As(err, &many) {
		w.Header().Set("Retry-After", many.seconds())
	}
	s.problem(w, r, st, http.StatusTooManyRequests, err.Error())
}

// newPage makes an entry of what a handler wrote, as of what was known before.
func newPage(k key, head http.Header, body []byte, sn *snapshot, c *checks) *entry {
	head.Del("Content-Length")
	head.Del("Accept-Ranges")
	head.Del("Etag")
	head["X-Content-Type-Options"] = noSniff
	e := &entry{key: k, status: http.StatusOK, page: true, checks: c, ctype: head["Content-Type"]}
	if body = bytes.Clone(body); compressible(head.Get("Content-Type")) {
		head.Add("Vary", "Accept-Encoding")
		e.variants = encode(body)
	} else {
		e.variants[plain] = newVariant(body, "")
	}
	for name, value := range head {
		if name != "Content-Type" {
			e.header = append(e.header, field{name, slices.Clip(value)})
		}
	}
	e.seen.Store(sn)
	return e
}

func compressible(ctype string) bool {
	for _, prefix := range []string{"text/", "application/json", "application/problem+json", "application/openapi+json", "application/xml", "image/svg+xml"} {
		if strings.HasPrefix(ctype, prefix) {
			return true
		}
	}
	return false
}

// page holds an answer back.
type page struct {
	w       http.ResponseWriter
	header  http.Header
	status  int
	body    bytes.Buffer
	passing bool // it became too large and goes through as it comes
}

func (p *page) Header() http.Header { return p.header }

func (p *page) WriteHeader(status int) {
	if p.status == 0 {
		p.status = status
	}
}

func (p *page) Write(b []byte) (int, error) {
	if p.passing {
		return p.w.Write(b)
	}
	if p.body.Len()+len(b) > maxPage {
		p.passing = true
		p.w.WriteHeader(max(p.status, http.StatusOK))
		if _, err := io.Copy(p.w, &p.body); err != nil {
			return 0, err
		}
		return p.w.Write(b)
	}
	return p.body.Write(b)
}
