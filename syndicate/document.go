package syndicate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"paperwire/internal/paper"
)

// document is something that can be rendered: once per change, then served as
// bytes until its version rises.
type document struct {
	kind  string // for metrics: rss, opml, sitemap …
	uri   string // canonical; with the view it is the key
	parts [][]string
	// health: it also shows how the sources fare, so it changes with that.
	health bool
	// ofPapers: it is answered with Paperwire-Checked.
	ofPapers bool
	// combined: it is one of very many, so it is kept in the small cache, and
	// rendering it is limited.
	combined bool
	archive  bool // it is one of very many too, each asked for once by whoever wants the past
	// picture: it is kept in a cache of its own, not compressed, and never changes:
	// it stands with others only for whether it may be seen.
	picture bool
	write   func(ctx context.Context, rose time.Time) (content, error)
}

// content is what writing a document gave.
type content struct {
	status  int // 0 is 200; another one is cached like it and never a 304
	ctype   string
	body    []byte
	papers  []string // whose checks the document depends on
	self    string   // for Link rel=self; empty for none
	hubs    []string // for Link rel=hub (WebSub §4)
	items   int      // of a feed
	caching []string // nil: one minute
	// modified is its Last-Modified; zero: when its version rose.
	modified time.Time
}

// everything is the version list of a document about all papers.
var everything = [][]string{{"all"}}

// serve answers with a document: as cached, or rendered now by the first of
// those who ask at the same time. Where the store fails, the last good bytes
// stay (promise 5).
func (s *Syndicate) serve(w http.ResponseWriter, r *http.Request, st *site, d document) {
	if rec, ok := w.(*recorder); ok {
		rec.kind = d.kind
	}
	k := key{view(r).Key, d.uri}
	have := st.keeps(d).get(k.view, k.uri)
	if have != nil && s.fresh(have) {
		s.metrics.hits.Inc()
		s.send(w, r, st, have)
		return
	}
	if have != nil && s.now().UnixNano() < have.retry.Load() {
		s.metrics.stale.Inc()
		s.send(w, r, st, have)
		return
	}
	var e *entry
	var err error
	if d.combined {
		err = s.limits.ask(client(r), s.now())
	}
	if err == nil {
		s.metrics.misses.Inc()
		e, err = s.rendered(r.Context(), st, k, d)
	}
	var many *tooMany
	var wrong *paper.ScopeError
	switch {
	case err == nil:
		s.send(w, r, st, e)
	case errors.As(err, &many):
		s.refuse(w, r, st, have, err)
	case errors.Is(err, paper.ErrNotFound), errors.Is(err, paper.ErrGone):
		if have != nil {
			st.keeps(d).remove(have)
		}
		s.fail(w, r, st, err)
	case errors.Is(err, paper.ErrFull), errors.As(err, &wrong):
		s.fail(w, r, st, err)
	case have != nil:
		s.log.Error("render again: serving the last good bytes", "url", d.uri, "error", err)
		have.retry.Store(s.now().Add(time.Second).UnixNano())
		s.metrics.stale.Inc()
		s.send(w, r, st, have)
	default:
		s.log.Error("render", "url", d.uri, "error", err)
		s.unavailable(w, r, st)
	}
}

// rendered renders a document once for all who ask for it now. Whoever asks
// after the store moved on does not get the bytes of before.
func (s *Syndicate) rendered(ctx context.Context, st *site, k key, d document) (*entry, error) {
	// Pointers name what the rendering is made from: another site, snapshot or
	// look at the sources is another flight.
	flight := fmt.Sprintf("%s %s %p %p %p", k.view, k.uri, st, s.snap.Load(), s.health.Load())
	v, err, _ := s.flights.Do(flight, func() (any, error) {
		// The first to ask may hang up; the others still wait.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storePatient)
		defer cancel()
		began := s.now()
		if d.combined {
			if err := s.limits.all(began); err != nil {
				return nil, err
			}
		}
		e, err := s.render(ctx, k, d)
		if err != nil {
			return nil, err
		}
		s.metrics.render.WithLabelValues(d.kind).Observe(s.now().Sub(began).Seconds())
		st.keeps(d).put(e)
		return e, nil
	})
	if err != nil {
		return nil, err
	}
	return v.(*entry), nil
}

// render writes a document as of one version. What the store gives may be newer
// than the version that was read before it; so that the same content always
// carries the same instant, the version is read again afterwards, and where it
// rose meanwhile the document is written once more.
func (s *Syndicate) render(ctx context.Context, k key, d document) (*entry, error) {
	sn, err := s.refresh(ctx)
	if err != nil {
		return nil, err
	}
	for tries := 1; ; tries++ {
		var c *checks
		if d.health {
			if c, err = s.look(ctx); err != nil {
				return nil, err
			}
		}
		version := sn.version(d.parts)
		made, err := d.write(ctx, version.At)
		if err != nil {
			return nil, err
		}
		after, err := s.refresh(ctx)
		if err != nil {
			return nil, err
		}
		if tries < 3 && after.version(d.parts).Seq != version.Seq {
			sn = after
			continue
		}
		return s.newEntry(k, d, made, version, c), nil
	}
}

// newEntry prepares a document for being served.
func (s *Syndicate) newEntry(k key, d document, made content, version paper.PartVersion, c *checks) *entry {
	e := &entry{
		key:     k,
		status:  cmp.Or(made.status, http.StatusOK),
		ctype:   []string{made.ctype},
		count:   s.metrics.counters(d.kind),
		parts:   d.parts,
		version: version,
		checks:  c,
		small:   d.combined || d.archive,
		picture: d.picture,
	}
	if d.ofPapers {
		e.papers = made.papers
	}
	caching := made.caching
	if caching == nil {
		caching = oneMinute
	}
	e.header = []field{
		{"Cache-Control", caching},
		{"Vary", varies},
		{"Access-Control-Allow-Origin", anyone},
		{"Access-Control-Expose-Headers", exposed},
	}
	e.whole = []field{{"X-Content-Type-Options", noSniff}}
	if d.picture {
		e.variants[plain] = newVariant(made.body, "")
		e.header = []field{
			{"Cache-Control", caching},
			{"Access-Control-Allow-Origin", anyone},
			{"Cross-Origin-Resource-Policy", crossOrigin},
		}
		return e
	}
	e.variants = encode(made.body)
	// A document about the sources moves without the version of any scope.
	if !d.health {
		e.modified = httpTime(version.At)
		if !made.modified.IsZero() {
			e.modified = httpTime(made.modified)
		}
	}
	if e.modified != "" {
		e.whole = append(e.whole, field{"Last-Modified", []string{e.modified}})
	}
	if made.self != "" {
		link := "<" + made.self + `>; rel="self"`
		for _, hub := range made.hubs {
			link += ", <" + hub + `>; rel="hub"`
		}
		e.whole = append(e.whole, field{"Link", []string{link}})
	}
	return e
}

// hit answers from the cache without anything in between.
func (s *Syndicate) hit(w http.ResponseWriter, r *http.Request, st *site, e *entry) {
	verbose := s.log.Enabled(r.Context(), slog.LevelDebug)
	var began time.Time
	if verbose {
		began = s.now()
	}
	status := s.send(w, r, st, e)
	s.metrics.hits.Inc()
	switch status {
	case http.StatusOK:
		e.count.ok.Inc()
	case http.StatusNotModified:
		e.count.unchanged.Inc()
	default:
		s.metrics.served(e.count.kind, status)
	}
	if verbose {
		s.told(r, status, began)
	}
}
