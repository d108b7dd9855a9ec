package syndicate

import (
	"context"
	"io"
	"net/http"
	"net/http/pprof"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"paperwire/internal/paper"
	"paperwire/syndicate/api"
	"paperwire/syndicate/card"
	"paperwire/syndicate/feed"
	"paperwire/syndicate/web"
)

// newSite makes everything that depends on the configuration. named is the title as
// configured: a card of a site that has none is the paper's.
func (s *Syndicate) newSite(o Options, named string) (*site, error) {
	o.Store = s.store
	st := &site{Options: o, cache: newCache(s.size - s.size/4), small: newCache(s.size / 8), pictures: newCache(s.size / 8), mux: http.NewServeMux(), operations: http.NewServeMux()}
	st.links = card.Links{Base: o.Base, Site: named, Logo: o.Base + "/icon.png", Look: s.easel.studio.Look(), Focus: o.Focus}
	scope := func(ctx context.Context, written string) (paper.Scope, error) { return s.resolve(ctx, st, written) }
	st.pages = web.New(web.Options{
		Base: o.Base, SiteTitle: o.Title, Footer: o.Footer, Data: s.store, Names: o.Names, Scope: scope, Words: queryWords,
		Formats: feed.Formats(), Widths: widths, Links: st.links, Wechat: o.Wechat != nil && o.Wechat.Signs(), Log: s.log,
		Operator: st.operates(), Client: client, Seal: st.seal(), Now: s.now,
	})
	with := func(h func(http.ResponseWriter, *http.Request, *site)) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h(w, r, st) })
	}
	// The methods are settled before the mux, so patterns name none; kinds of
	// page are registered one by one, because a pattern for the rest of a path
	// would panic beside another room's.
	st.mux.Handle("/feeds/", with(s.feeds))
	st.mux.Handle("/feeds.opml", with(s.allOPML))
	st.mux.Handle("/sitemap.xml", with(s.sitemap))
	st.mux.Handle("/sitemap-pages.xml", with(s.pagesSitemap))
	st.mux.Handle("/sitemap-news.xml", with(s.newsSitemap))
	st.mux.Handle("/robots.txt", with(s.robots))
	programs, err := api.New(api.Options{
		Base: o.Base, Title: o.Title, Data: s.store, Names: o.Names, View: view, Log: s.log, Scope: scope, Words: queryWords,
		Editor: o.Editor, Push: o.Push, Operator: st.operates(),
	})
	if err != nil {
		return nil, err
	}
	st.programs = programs
	st.mux.Handle("/api", s.compressed(st, false, programs))
	st.mux.Handle("/api/", s.compressed(st, false, programs))
	if o.Editor != nil {
		st.mux.Handle("POST /api/v1/articles/{id}/decisions", programs)
	}
	if o.Push != nil {
		for _, pattern := range api.WebhookPatterns() {
			st.mux.Handle(pattern, programs)
		}
		st.mux.Handle("/hub", with(s.hub))
		st.mux.Handle("POST /hub", with(s.hub))
		if path, _, ok := o.Push.KeyFile(); ok {
			st.mux.Handle(path, with(s.keyFile))
		}
	}
	st.registerWechat()
	st.mux.Handle("/a/{id}/card.json", with(s.card))
	st.mux.Handle("/a/{id}/card/{file}", with(s.cardImage))
	st.mux.Handle("/a/{id}/qr.png", with(s.qrCode))
	st.mux.Handle("/img/{name}", with(s.picture))
	st.mux.Handle("/oembed", s.compressed(st, false, with(s.oembed)))
	st.mux.Handle("/", with(func(w http.ResponseWriter, r *http.Request, st *site) {
		if to, ok := st.withoutSlash(r); ok {
			redirect(w, to)
			return
		}
		if strings.HasPrefix(r.URL.Path, "/sitemap-") && s.monthSitemap(w, r, st) {
			return
		}
		s.problem(w, r, st, http.StatusNotFound, "")
	}))
	st.pages.Register(st.mux, func(h http.Handler) http.Handler { return s.compressed(st, true, h) })

	s.live(st.mux)
	s.live(st.operations)
	s.operate(st.operations, st)
	if s.ops {
		s.operate(st.mux, st)
	}
	st.operations.Handle("/", with(func(w http.ResponseWriter, r *http.Request, _ *site) {
		writeProblem(w, r, http.StatusNotFound, "there are /metrics, /healthz, /readyz and /debug/pprof/")
	}))
	return st, nil
}

// withoutSlash gives the address that a request with a slash too many at its end
// means, where there is something at it.
func (st *site) withoutSlash(r *http.Request) (string, bool) {
	path := strings.TrimRight(r.URL.Path, "/")
	if path == "" || path == r.URL.Path || strings.HasPrefix(path, "//") { // that would be another host
		return "", false
	}
	to := url.URL{Path: path, RawQuery: r.URL.RawQuery}
	_, pattern := st.mux.Handler(&http.Request{Method: http.MethodGet, Host: r.Host, URL: &to})
	return to.String(), pattern != "" && pattern != "/"
}

// live registers the two questions a supervisor asks: does the process run, and
// can it answer.
func (s *Syndicate) live(mux *http.ServeMux) {
	say := func(w http.ResponseWriter, status int, text string) {
		w.Header()["Cache-Control"] = notToStore
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		io.WriteString(w, text+"\n")
	}
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") })
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if err := s.store.Ping(ctx); err != nil {
			s.log.Warn("not ready", "error", err)
			say(w, http.StatusServiceUnavailable, "the store does not answer")
			return
		}
		if s.snap.Load() == nil {
			say(w, http.StatusServiceUnavailable, "the store has not been read yet")
			return
		}
		say(w, http.StatusOK, "ok")
	})
}

// operate registers metrics, open as scrapers expect it, and profiling, which
// shows what runs and so needs the operator key.
func (s *Syndicate) operate(mux *http.ServeMux, st *site) {
	mux.Handle("/metrics", promhttp.HandlerFor(s.metrics.gather, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	for path, h := range map[string]http.HandlerFunc{
		"/debug/pprof/": pprof.Index, "/debug/pprof/cmdline": pprof.Cmdline, "/debug/pprof/profile": pprof.Profile,
		"/debug/pprof/symbol": pprof.Symbol, "/debug/pprof/trace": pprof.Trace,
	} {
		mux.Handle(path, s.operator(st, h))
	}
}
