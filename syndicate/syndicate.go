// Package syndicate is what goes out: feeds, lists of feeds, sitemaps, share
// pages and the API, over HTTP. Its rooms write (feed, card, web, api); this
// package decides who sees what, renders each document once per change and
// serves it as bytes.
//
// Nothing here crawls on request, and no document knows when it was rendered:
// the same store gives the same bytes on every machine.
package syndicate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"

	"paperwire/internal/paper"
	"paperwire/syndicate/api"
	"paperwire/syndicate/card"
	"paperwire/syndicate/push"
	"paperwire/syndicate/wechat"
)

// Store is what is served. Everything of an article passes the gate: a method
// that takes a view returns only what that view may see.
type Store interface {
	// Items are the items of a scope within a window.
	Items(ctx context.Context, v paper.View, s paper.Scope, w paper.Window) ([]paper.Item, error)
	// Item is one released article: [paper.ErrNotFound] where there is none, and
	// a withdrawn one with its state or as [paper.ErrGone].
	Item(ctx context.Context, v paper.View, id string) (paper.Item, error)
	// Changed are the items whose present version came to be behind a place in the
	// order of changes, oldest first, n at most.
	Changed(ctx context.Context, v paper.View, seq int64, id string, n int) ([]paper.Change, error)
	// OutboxAt is a place in the change sequence behind all that was visible before an instant.
	OutboxAt(ctx context.Context, at time.Time) (paper.Cursor, error)
	// Papers are all papers, the retired ones too.
	Papers(ctx context.Context) ([]paper.Paper, error)
	// Sections are the sections that are configured or hold something.
	Sections(ctx context.Context) ([]paper.Section, error)
	// Scopes are the single-part scopes with what they hold.
	Scopes(ctx context.Context, v paper.View) ([]paper.ScopeInfo, error)
	// Edition is one edition with its pages.
	Edition(ctx context.Context, v paper.View, paperKey string, day paper.Day) (paper.Edition, error)
	// Editions are the newest n editions of a paper, newest first.
	Editions(ctx context.Context, v paper.View, paperKey string, n int) ([]paper.Edition, error)
	// Archive tells of a scope's archive on a day; for the empty day, of its newest.
	Archive(ctx context.Context, v paper.View, s paper.Scope, day paper.Day) (paper.Archive, error)
	// Closed are the editions among items of which nothing is to come.
	Closed(ctx context.Context, items []paper.Item) ([]paper.Edition, error)
	// Months are the months that hold articles, and Stamps those of one month whose
	// canonical page is ours: n of them after the first skip.
	Months(ctx context.Context, v paper.View) ([]paper.Month, error)
	Stamps(ctx context.Context, v paper.View, month string, skip, n int) ([]paper.Stamp, error)
	// Health is how every source fares.
	Health(ctx context.Context) ([]paper.Health, error)
	// Incidents are the last n stretches of trouble, newest first.
	Incidents(ctx context.Context, n int) ([]paper.Incident, error)
	// Changes is the change sequence now, and every part that rose after one.
	Changes(ctx context.Context, after int64) (seq int64, parts []paper.PartVersion, err error)
	// Ping reports whether the store answers.
	Ping(ctx context.Context) error
}

// Pictures are our copies of publishers' pictures.
type Pictures interface {
	// Picture is a copy that an article or a page of an edition shows to the view
	// now: [paper.ErrNotFound], or [paper.ErrGone] where only withdrawn ones did.
	Picture(ctx context.Context, v paper.View, name string) (paper.Picture, error)
	// Blob opens a copy, or one in another size; [paper.ErrNotFound] where it is
	// not kept, or no longer.
	Blob(ctx context.Context, name string) (paper.Picture, io.ReadSeekCloser, error)
	// KeepVariant keeps one in another size, named {hash}-{width}.{ext}, or a picture
	// of a card, named {hash}-{name}.jpg.
	KeepVariant(ctx context.Context, p paper.Picture, data []byte) error
}

// Names is the gazetteer: it says which districts exist and what they are called.
type Names interface {
	// Division gives a division by its code.
	Division(code string) (paper.Division, bool)
	// Resolve finds a division by code, name, short name or slug, preferring the
	// given cities; ok is false where it is unknown or ambiguous.
	Resolve(s string, cities ...string) (paper.Division, bool)
	// Above gives the codes of the city and the province above a county.
	Above(code string) []string
	// Under gives the counties of a city, or the cities of a province.
	Under(code string) []paper.Division
}

// Options configure what goes out.
type Options struct {
	// Base is our own address as others see it, scheme and host without a
	// trailing slash. Every absolute link starts with it; the Host header never counts.
	Base string
	// Title and Footer name this installation: a name; 备案号 and contact.
	Title, Footer string
	Store         Store
	Names         Names
	// Pictures are the copies served at /img/; nil: there are none.
	Pictures Pictures
	// CardFont is the path of the font that card images are set in; empty: one is looked for.
	CardFont string
	// Focus are points that the cropping of card images keeps, by article id.
	Focus map[string]card.Point
	// Moved maps former section slugs to present ones; the former redirect.
	Moved map[string]string
	// Points are georss points ("lat lon") by district code, beside those that Names knows.
	Points map[string]string
	// OperatorKey opens what only the operator may see. Empty: nobody may.
	OperatorKey string
	// Editor carries out what editors decide by API; nil: nobody may.
	Editor api.Editor
	// Push is the hub and the webhooks; nil: there are none.
	Push *push.Dispatch
	// Wechat is the WeChat account at /wechat/; nil: there is none.
	Wechat *wechat.Account
	// CacheBytes bounds the rendered documents that are kept, an eighth of it those
	// of combinations and archives, another the pictures of cards. Default 64 MB.
	CacheBytes int64
	// Registry takes our metrics. Default: one of our own.
	Registry *prometheus.Registry
	Log      *slog.Logger
	// Now is for logs, metrics and back-off only: no document knows the time.
	Now func() time.Time
	// Operations serves /metrics and profiling beside everything else; without
	// it they are only in [Syndicate.OperationsHandler].
	Operations bool
}

// Syndicate serves everything that goes out. It is safe for concurrent use.
type Syndicate struct {
	store   Store
	log     *slog.Logger
	now     func() time.Time
	metrics *metrics
	size    int64 // of both caches, in bytes
	limits  *limits
	tongues tongues
	ops     bool

	site   atomic.Pointer[site]     // replaced by Reconfigure
	snap   atomic.Pointer[snapshot] // nil until the first look at the changes
	health atomic.Pointer[checks]   // nil until the first look at the sources

	gallery   *gallery
	easel     *easel
	following sync.Mutex // one look at the changes at a time
	flights   singleflight.Group
}

// New prepares a Syndicate. It reads and starts nothing: the store is first
// asked by a request or by [Syndicate.Run].
func New(o Options) (*Syndicate, error) {
	if o.Store == nil || o.Names == nil {
		return nil, errors.New("syndicate: a store and a gazetteer are needed")
	}
	s := &Syndicate{store: o.Store, log: o.Log, now: o.Now, size: o.CacheBytes, ops: o.Operations, limits: newLimits()}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.store = mirrored{o.Store, func() string { return s.site.Load().Base }}
	s.gallery = newGallery(o.Pictures, s.log)
	studio, err := card.NewStudio(o.CardFont, s.log)
	if err != nil {
		return nil, err
	}
	s.easel = newEasel(studio)
	if s.now == nil {
		s.now = time.Now
	}
	if s.size <= 0 {
		s.size = 64 << 20
	}
	registry := o.Registry
	if registry == nil {
		registry = prometheus.NewRegistry()
	}
	if s.metrics, err = newMetrics(registry, s); err != nil {
		return nil, err
	}
	if o.Push != nil {
		o.Push.Attach(&press{s: s})
		if err := registry.Register(o.Push); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	if o.Wechat != nil {
		o.Wechat.Attach(wechatDesk{s})
	}
	return s, s.Reconfigure(o)
}

// Reconfigure takes up the Base, Title, Footer, Names, Moved, Points, Focus and
// OperatorKey of o while serving; the rest of o is left as it was given to
// [New]. It forgets every rendered document.
func (s *Syndicate) Reconfigure(o Options) error {
	base, err := url.Parse(o.Base)
	if err != nil || (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" {
		return errors.New("base url " + o.Base + ": write it like https://news.example.cn")
	}
	o.Base = strings.TrimRight(o.Base, "/")
	named := o.Title
	if o.Title == "" {
		o.Title = "Paperwire"
	}
	if o.Names == nil {
		o.Names = s.site.Load().Names
	}
	st, err := s.newSite(o, named)
	if err != nil {
		return err
	}
	s.site.Store(st)
	return nil
}

// Run follows the store until the context ends: what changed every 250 ms, how
// the sources fare every second. An error of the store is logged, not returned:
// what is rendered goes on being served.
func (s *Syndicate) Run(ctx context.Context) error {
	s.follow(ctx)
	return nil
}

// ServeHTTP serves every public URL of the contract.
func (s *Syndicate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	st := s.site.Load()
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		// The whole cost of a cached document: one look-up by the request's own
		// spelling. Only canonical spellings are ever stored.
		e := st.cache.get(view(r).Key, r.RequestURI)
		if e == nil && strings.HasPrefix(r.RequestURI, "/feeds/") {
			e = st.small.get(view(r).Key, r.RequestURI)
		} else if e == nil && strings.HasPrefix(r.RequestURI, "/a/") {
			e = st.pictures.get(view(r).Key, r.RequestURI)
		}
		if e != nil && s.fresh(e) {
			s.hit(w, r, st, e)
			return
		}
	}
	s.guard(w, r, st)
}

// OperationsHandler serves /metrics, /healthz and /readyz to whoever reaches
// it, and /debug/pprof/ to the operator.
func (s *Syndicate) OperationsHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		st := s.site.Load()
		s.protect(w, r, st, st.operations)
	})
}
