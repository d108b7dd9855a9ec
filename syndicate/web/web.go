// Package web is the pages that people see: home, scopes, editions, articles,
// status and errors, in plain Chinese and English, readable without JavaScript.
//
// Every page is rendered from what the gate lets the public view see. A page
// reads no clock and holds no relative age, so the same content gives the same
// bytes and its ETag holds until something changes.
package web

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"paperwire/internal/paper"
	"paperwire/syndicate/card"
	"paperwire/syndicate/feed"
)

// Data is what the pages are made of; the store satisfies it. Every answer has
// passed the gate for the view it was asked for.
type Data interface {
	Items(ctx context.Context, v paper.View, s paper.Scope, w paper.Window) ([]paper.Item, error)
	// Item gives paper.ErrNotFound, or paper.ErrGone together with a blanked item.
	Item(ctx context.Context, v paper.View, id string) (paper.Item, error)
	Papers(ctx context.Context) ([]paper.Paper, error)
	// Scopes lists the known parts paper/…, section/…, district/… with counts.
	Scopes(ctx context.Context, v paper.View) ([]paper.ScopeInfo, error)
	Edition(ctx context.Context, v paper.View, paperKey string, day paper.Day) (paper.Edition, error)
	// Editions are newest first; an empty paperKey means all papers.
	Editions(ctx context.Context, v paper.View, paperKey string, n int) ([]paper.Edition, error)
	// Archive tells of the nearest days before and after one that hold something.
	Archive(ctx context.Context, v paper.View, s paper.Scope, day paper.Day) (paper.Archive, error)
	Health(ctx context.Context) ([]paper.Health, error)
	// Incidents are the last n stretches of trouble, newest first.
	Incidents(ctx context.Context, n int) ([]paper.Incident, error)
}

// Names knows the administrative divisions; place.Gazetteer satisfies it.
type Names interface {
	Division(code string) (paper.Division, bool)
	Under(code string) []paper.Division
	Above(code string) []string // nearest first
}

// Language is the language in which a request's page is written, as Content-Language
// tells it.
func Language(r *http.Request) string { return localeOf(r).lang }

// Query keeps of a query what pages know, each once and in one spelling: whatever else
// stands there (utm_source and its kind) is for others and makes no other page.
func Query(raw string) string { return pageQuery(raw) }

// Options configure the pages.
type Options struct {
	Base      string // scheme and host without a trailing slash
	SiteTitle string // empty: Paperwire
	Footer    string // plain text: contact, registration number
	Data      Data
	Names     Names
	// Scope reads a scope as somebody wrote it and gives its canonical form. Its
	// errors are *paper.ScopeError (400), one that wraps paper.ErrNotFound, or the store's.
	Scope func(ctx context.Context, written string) (paper.Scope, error)
	// Words reads the words of a search and gives its canonical form. Its errors are
	// *paper.ScopeError.
	Words   func(q string) ([]string, error)
	Formats []feed.Format // those without a LinkType are listed, not advertised
	Widths  []int         // pixels, rising: what /img/{name}?w= gives of our copies of pictures
	// Links are what cards are made with; of their fields the zone is the paper's, and
	// Base is that above where it is empty.
	Links card.Links
	// Wechat: there is a script at /wechat/share.js by which WeChat shares pages as cards.
	Wechat bool
	// Operator reports whether a request carries the operator key; nil: there is no desk.
	Operator func(*http.Request) bool
	// Client tells who asks, for the number of keys that one may try; nil: the address
	// that the connection comes from.
	Client func(*http.Request) netip.Prefix
	// Seal is the HMAC-SHA256 of a text under the operator key, for sessions at the
	// desk; nil where there is no key: then nobody can sign in.
	Seal func(text string) []byte
	Now  func() time.Time // for those sessions; no page shows it. nil: time.Now
	Log  *slog.Logger     // nil: slog.Default()
}

// Site renders the pages. It is safe for concurrent use.
type Site struct {
	opts    Options
	views   map[locale]views
	formats []feed.Format // in the order people look for them
	tries   tries         // keys that are being tried at the desk
	pause   time.Duration // that the answer to a wrong one takes
}

// New makes a site. It parses the embedded templates and starts nothing.
func New(o Options) *Site {
	if o.SiteTitle == "" {
		o.SiteTitle = "Paperwire"
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Client == nil {
		o.Client = func(r *http.Request) netip.Prefix {
			at, _ := netip.ParseAddrPort(r.RemoteAddr) // the zero address is one client
			return netip.PrefixFrom(at.Addr(), at.Addr().BitLen())
		}
	}
	o.Base = strings.TrimRight(o.Base, "/")
	o.Links.Base = cmp.Or(o.Links.Base, o.Base)
	return &Site{opts: o, views: parseViews(), formats: byHabit(o.Formats), pause: time.Second}
}

// Register adds the pages to a mux, each behind wrap (compression, metrics,
// logging). A GET pattern answers HEAD too. What no pattern takes is for the
// caller, who may answer it with [Site.NotFound]. A wrapper that compresses may
// keep the ETag: it is weak, so it stands for every encoding (RFC 9110 §8.8.1).
// What is marked no-store is for one reader, and a wrapper must not keep it.
func (s *Site) Register(mux *http.ServeMux, wrap func(http.Handler) http.Handler) {
	if wrap == nil {
		wrap = func(h http.Handler) http.Handler { return h }
	}
	// Kinds are registered one by one: `GET /{scope...}` would panic beside the
	// /api/ of another room.
	for pattern, serve := range map[string]http.HandlerFunc{
		"GET /{$}":                    s.home,
		"GET /all":                    s.scope,
		"GET /paper/":                 s.scope,
		"GET /paper":                  s.toAll,
		"GET /section":                s.toAll,
		"GET /district":               s.toAll,
		"GET /section/":               s.scope,
		"GET /district/":              s.scope,
		"GET /-section/":              s.scope,
		"GET /-district/":             s.scope,
		"GET /editions/{paper}":       s.newestEdition,
		"GET /editions/{paper}/{day}": s.edition,
		"GET /a/{id}":                 s.article,
		"GET /search":                 s.search,
		"GET /status":                 s.status,
		"GET /assets/{name}":          s.asset,
		"GET /favicon.ico":            s.favicon,
		"GET /icon.png":               s.icon,
	} {
		mux.Handle(pattern, wrap(serve))
	}
	if s.opts.Operator != nil {
		mux.Handle("GET /desk", wrap(http.HandlerFunc(s.desk)))
		mux.Handle("POST /desk", s.fromHere(http.HandlerFunc(s.door)))
	}
}

// NotFound writes the 404 page, which offers the nearest scopes; without any
// given it looks for those nearest to the path of the request.
func (s *Site) NotFound(w http.ResponseWriter, r *http.Request, nearest ...paper.ScopeInfo) {
	p := s.page(r, "not_found_title")
	if len(nearest) == 0 {
		nearest = s.Nearest(r.Context(), r.URL.Path, 6)
	}
	p.Body = errorBody{Status: http.StatusNotFound, Nearest: p.namedScopes(nearest)}
	s.write(w, r, http.StatusNotFound, "error", p)
}

// Error writes a page for any other status. The message is shown to people as
// it is and is English unless it holds Han characters; it may be empty.
func (s *Site) Error(w http.ResponseWriter, r *http.Request, status int, message string) {
	p := s.page(r, "error_title")
	if status < http.StatusInternalServerError {
		p = s.page(r, "bad_request_title")
	}
	p.Body = errorBody{Status: status, Message: message}
	s.write(w, r, status, "error", p)
}

// Nearest gives at most n known scopes that a mistyped scope (or any other
// path) may have meant, best first. It is empty where the store cannot be read.
func (s *Site) Nearest(ctx context.Context, wanted string, n int) []paper.ScopeInfo {
	infos, err := s.opts.Data.Scopes(ctx, paper.Public)
	if err != nil {
		s.opts.Log.Error("list scopes", "error", err)
		return nil
	}
	return s.nearest(infos, wanted, n)
}
