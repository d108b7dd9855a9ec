package main

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
	"golang.org/x/sync/errgroup"

	"paperwire/internal/fetch"
	"paperwire/internal/ingest"
	"paperwire/internal/place"
	"paperwire/internal/queue"
	"paperwire/internal/store"
	"paperwire/syndicate"
	"paperwire/syndicate/push"
	"paperwire/syndicate/wechat"
)

//go:embed all:testdata/demo
var demoFiles embed.FS

// clock is what tells the time everywhere; tests set it ahead.
var clock = time.Now

// house is the wired program: what serve and fetch share.
type house struct {
	cfg    *config
	base   string
	log    *slog.Logger
	store  *store.Store
	names  *place.Gazetteer
	fetch  *fetch.Client
	queue  *queue.Queue
	reach  *fetch.Client // deliveries to the operator's receivers
	calls  *fetch.Client // and to callbacks of the hub
	push   *push.Dispatch
	wechat *wechat.Account // nil where none is configured
	api    *fetch.Client   // of WeChat
	ingest *ingest.Ingest
}

// open wires everything that needs no listener. jobs says whether polls are queued.
// The configuration is not taken up yet: serve writes it into the store (Configure),
// fetch and backfill what they look at (Include), the editor's hand nothing (Prepare).
func open(ctx context.Context, c *config, base string, log *slog.Logger, jobs bool) (*house, error) {
	h := &house{cfg: c, base: base, log: log}
	var err error
	if h.names, err = place.Load(c.overrides()); err != nil {
		return nil, err
	}
	if h.store, err = store.Open(ctx, c.storeDSN(), store.Options{Log: log, Now: clock, NoticeDays: c.NoticeDays, Blobs: filepath.Join(c.data, "pictures"), Quota: int64(c.Pictures.QuotaMB) << 20}); err != nil {
		return nil, err
	}
	o := fetch.Options{
		UserAgent: c.Fetch.UserAgent, Pace: c.Fetch.Pace, Open: c.Fetch.OpenHosts, IgnoreRobots: c.Fetch.IgnoreRobots,
		Memory: h.store, Log: log, Now: clock,
	}
	if c.usesDemo() {
		if u, err := url.Parse(base); err == nil {
			o.Local = map[string]http.Handler{u.Host: demoHandler()}
		}
	}
	h.fetch = fetch.New(o)
	in := ingest.Options{Store: h.store, Fetch: h.fetch, Gazetteer: h.names, Log: log, Now: clock}
	if jobs {
		in.Insert = func(ctx context.Context, kind string, at time.Time, keys ...string) error {
			return h.queue.Insert(ctx, kind, at, keys...)
		}
	}
	h.ingest = ingest.New(in)
	if err = h.account(); err != nil {
		h.close()
		return nil, err
	}
	if jobs {
		if err = h.dispatch(); err != nil {
			h.close()
			return nil, err
		}
		work := map[string]queue.Work{"poll": h.ingest.Poll}
		for kind := range push.Works() {
			work[kind] = h.push.Drain
		}
		if h.queue, err = queue.Open(ctx, h.store, work, queue.Options{Log: log, Workers: push.Works()}); err != nil {
			h.close()
			return nil, err
		}
	}
	return h, nil
}

// dispatch wires what is pushed. Its clients have lists of open hosts of their own:
// strangers name callbacks, and nobody but the operator sources and webhooks.
func (h *house) dispatch() error {
	c := h.cfg
	host, _ := os.Hostname()
	h.reach = fetch.New(fetch.Options{Open: c.Push.OpenHosts, Log: h.log, Now: clock})
	h.calls = fetch.New(fetch.Options{Open: c.Push.OpenCallbacks, Log: h.log, Now: clock})
	o := push.Options{
		Store: h.store, Client: h.reach.HTTP(10 * time.Second), Open: c.Push.OpenHosts, Callbacks: h.calls.HTTP(10 * time.Second), Base: h.base, Log: h.log, Now: clock, Pings: c.pings(),
		Owner: fmt.Sprintf("%s/%d/%d", host, os.Getpid(), time.Now().UnixNano()),
		Queue: func(ctx context.Context, kind string, at time.Time, keys ...string) error {
			return h.queue.Insert(ctx, kind, at, keys...)
		},
		MaxSubscriptions: c.Push.MaxSubscriptions, MaxSubscriptionsPerHost: c.Push.MaxSubscriptionsPerHost,
	}
	for _, r := range c.Robots {
		x, err := c.robot(r)
		if err != nil {
			return fmt.Errorf("robot %s: %w", r.Key, err)
		}
		o.Robots = append(o.Robots, x)
	}
	h.push = push.New(o)
	return nil
}

// account wires the WeChat account, where there is one.
func (h *house) account() error {
	if h.cfg.local {
		return nil
	}
	o, err := h.cfg.wechat()
	if err != nil || o.AppID == "" {
		return err
	}
	// The operator names the API, so that host may be inside the house.
	u, err := url.Parse(or(o.API, wechat.DefaultAPI))
	if err != nil {
		return fmt.Errorf("wechat.api: %w", err)
	}
	h.api = fetch.New(fetch.Options{Open: []string{u.Host}, Log: h.log, Now: clock})
	host, _ := os.Hostname()
	o.Store, o.Client, o.Base, o.Log, o.Now = h.store, h.api.HTTP(10*time.Second), h.base, h.log, clock
	o.Owner = fmt.Sprintf("%s/%d/%d", host, os.Getpid(), time.Now().UnixNano())
	o.Fetch = func(ctx context.Context, address string) ([]byte, string, error) {
		d, err := h.fetch.Get(ctx, fetch.Request{URL: address, Fresh: true, MaxBody: 12 << 20})
		if err != nil {
			return nil, "", err
		}
		return d.Body, d.ContentType, nil
	}
	h.wechat, err = wechat.New(o)
	if err != nil {
		return fmt.Errorf("wechat: %w", err)
	}
	return nil
}

// alerts tells the operator of trouble, as configured once.
func (h *house) alerts() *push.Alerts {
	host, _ := os.Hostname()
	return push.NewAlerts(push.AlertOptions{
		Incidents: h.store, Webhook: h.cfg.Alerts.Webhook, Base: h.base, Log: h.log, Now: clock,
		Owner: fmt.Sprintf("%s/%d", host, os.Getpid()),
		Mail: push.Mail{
			Server: h.cfg.Alerts.SMTP, From: h.cfg.Alerts.From, To: h.cfg.Alerts.To,
			User: os.Getenv("PAPERWIRE_SMTP_USER"), Password: os.Getenv("PAPERWIRE_SMTP_PASSWORD"),
		},
	})
}

func (h *house) close() {
	h.fetch.Close()
	for _, c := range []*fetch.Client{h.reach, h.calls, h.api} {
		if c != nil {
			c.Close()
		}
	}
	if err := h.store.Close(); err != nil {
		h.log.Error("close store", "error", err)
	}
}

// usesDemo reports whether a source is served by ourselves.
func (c *config) usesDemo() bool {
	for _, s := range c.Sources {
		if strings.HasPrefix(s.URL, "{base_url}/demo/") {
			return true
		}
	}
	return false
}

// demoHandler is the demo paper's publisher, under /demo/.
func demoHandler() http.Handler {
	dir, err := fs.Sub(demoFiles, "testdata/demo")
	if err != nil {
		panic(err) // the folder is embedded
	}
	files := http.StripPrefix("/demo", http.FileServerFS(dir))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=3600")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		// Saved pages carry their charset in a meta tag, as real ones do.
		switch filepath.Ext(r.URL.Path) {
		case ".htm", ".html":
			w.Header().Set("Content-Type", "text/html")
		case "":
			if strings.HasSuffix(r.URL.Path, "/") {
				r = r.Clone(r.Context())
				r.URL.Path += "index.htm"
				w.Header().Set("Content-Type", "text/html")
			}
		}
		files.ServeHTTP(w, r)
	})
}

// fetch is the command: one pass now.
func (a *app) fetch(ctx context.Context, keys []string) error {
	log, err := a.logger()
	if err != nil {
		return err
	}
	c, err := a.settled(ctx, localConfig, true)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if !slices.ContainsFunc(c.Sources, func(s sourceConfig) bool { return s.Key == key }) {
			return usageError{fmt.Errorf("fetch: source %s is not in the configuration", key)}
		}
	}
	h, err := open(ctx, c, c.base(""), log, false)
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.include(ctx, keys...); err != nil {
		return err
	}
	// A line each as it comes: widths that hold what there is.
	const row = "%-24s  %6v  %6v  %6v  %7v  %6v  %8v  %s\n"
	fmt.Fprintf(a.out, row, "SOURCE", "LISTED", "READ", "NEW", "CHANGED", "FAILED", "TOOK", "PROBLEM")
	return h.ingest.Fetch(ctx, keys, func(r ingest.Report) {
		fmt.Fprintf(a.out, row, r.Source, r.Listed, r.Read, r.New, r.Changed, r.Failed, r.Took.Round(time.Millisecond), r.Problem)
	})
}

// serve is the daemon.
func (a *app) serve(ctx context.Context) error {
	log, err := a.logger()
	if err != nil {
		return err
	}
	c, err := loadConfig(a.flags)
	if err != nil {
		return err
	}
	for _, w := range c.warnings() {
		log.Warn("configuration: " + w)
	}
	ln, err := net.Listen("tcp", c.Listen)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("listen: %w: is another paperwire running? --listen takes another address", err)
		}
		return fmt.Errorf("listen: %w", err)
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	base := c.base(port)
	if c.BaseURL == "" {
		log.Warn("base_url is not set: links will only work on this machine", "base_url", base)
	}
	h, err := open(ctx, c, base, log, true)
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.ingest.Configure(ctx, c.ingest(base)); err != nil {
		return err
	}
	if err := h.remember(ctx); err != nil {
		return err
	}
	key, err := operatorKey(c.data, log)
	if err != nil {
		return err
	}
	options := func(c *config) syndicate.Options {
		return syndicate.Options{
			Base: base, Title: c.Site.Title, Footer: c.Site.Footer, Store: h.store, Names: h.names, Pictures: h.store,
			Moved: c.moved(), Points: c.points(), CardFont: c.font(), Focus: c.focus(), OperatorKey: key, Editor: h.ingest, Push: h.push, Wechat: h.wechat, CacheBytes: int64(c.CacheMB) << 20,
			Log: log, Now: clock, Operations: c.OperationsListen == "",
		}
	}
	syn, err := syndicate.New(options(c))
	if err != nil {
		return err
	}
	var handler http.Handler = syn
	if c.usesDemo() {
		demo := demoHandler()
		handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // no mux: it would redirect before syn can
			switch {
			case r.URL.Path == "/demo":
				http.Redirect(w, r, "/demo/", http.StatusPermanentRedirect)
			case strings.HasPrefix(r.URL.Path, "/demo/"):
				demo.ServeHTTP(w, r)
			default:
				syn.ServeHTTP(w, r)
			}
		})
	}

	g, ctx := errgroup.WithContext(ctx)
	serveHTTP(ctx, g, ln, handler, log)
	if c.OperationsListen != "" {
		ops, err := net.Listen("tcp", c.OperationsListen)
		if err != nil {
			return fmt.Errorf("operations_listen: %w", err)
		}
		serveHTTP(ctx, g, ops, syn.OperationsHandler(), log)
	}
	if err := h.queue.Start(ctx); err != nil {
		return err
	}
	g.Go(func() error { return syn.Run(ctx) })
	g.Go(func() error { return h.ingest.Run(ctx) })
	g.Go(func() error { return h.alerts().Run(ctx) })
	g.Go(func() error { return h.push.Run(ctx) })
	g.Go(func() error {
		a.watch(ctx, log, c, func(next *config) error {
			// The gazetteer is compiled into finders; only sources, sections and what
			// pages show are taken up without a restart.
			if err := h.ingest.Configure(ctx, next.ingest(base)); err != nil {
				return err
			}
			return syn.Reconfigure(options(next))
		})
		return nil
	})
	log.Info("serving", "url", base, "listen", ln.Addr().String(), "store", storeName(c), "sources", len(c.Sources), "version", buildVersion())
	err = g.Wait()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if serr := h.queue.Stop(stop); serr != nil {
		log.Warn("stop queue", "error", serr)
	}
	log.Info("stopped")
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return err
}

// restart names what differs between two configurations and needs a restart.
func (c *config) restart(next *config) []string {
	var keys []string
	for _, x := range []struct {
		key       string
		now, next any
	}{
		{"listen", c.Listen, next.Listen},
		{"operations_listen", c.OperationsListen, next.OperationsListen},
		{"base_url", c.BaseURL, next.BaseURL},
		{"store", c.Store, next.Store},
		{"notice_days", c.NoticeDays, next.NoticeDays},
		{"cache_mb", c.CacheMB, next.CacheMB},
		{"card.font", c.Card.Font, next.Card.Font},
		{"fetch", c.Fetch, next.Fetch},
		{"alerts", c.Alerts, next.Alerts},
		{"push", c.Push, next.Push},
		{"robots", c.Robots, next.Robots},
		{"wechat", c.Wechat, next.Wechat},
		{"pictures", c.Pictures, next.Pictures},
		{"places", c.Places, next.Places},
		{"gazetteers", c.Gazetteers, next.Gazetteers},
	} {
		if !reflect.DeepEqual(x.now, x.next) {
			keys = append(keys, x.key)
		}
	}
	return keys
}

func storeName(c *config) string {
	if u, err := url.Parse(c.storeDSN()); err == nil && u.Scheme != "" {
		return u.Redacted()
	}
	return c.storeDSN()
}

// newServer is an HTTP server that no client holds up.
func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

func serveHTTP(ctx context.Context, g *errgroup.Group, ln net.Listener, handler http.Handler, log *slog.Logger) {
	srv := newServer(handler, log)
	g.Go(func() error {
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := srv.Shutdown(stop); err != nil {
			srv.Close()
		}
		return nil
	})
}

// operatorKey comes from the environment, else from a file in the data directory
// that is made once and named in the log; the key itself is never logged.
func operatorKey(data string, log *slog.Logger) (string, error) {
	if key := os.Getenv("PAPERWIRE_OPERATOR_KEY"); key != "" {
		return key, nil
	}
	file := filepath.Join(data, "operator.key")
	if b, err := os.ReadFile(file); err == nil {
		if key := strings.TrimSpace(string(b)); key != "" {
			return key, nil
		}
		if err := os.Chmod(file, 0o600); err != nil { // what is there keeps its mode when it is written
			return "", fmt.Errorf("operator key: %w", err)
		}
	}
	raw := make([]byte, 24)
	if _, err := rand.Read(raw); err != nil {
		return "", err
	}
	key := hex.EncodeToString(raw)
	if err := os.MkdirAll(data, 0o755); err != nil {
		return "", fmt.Errorf("operator key: %w", err)
	}
	if err := os.WriteFile(file, []byte(key+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("operator key: %w", err)
	}
	log.Info("operator key generated", "file", file)
	return key, nil
}

// watch takes up the configuration when its file changes or on SIGHUP. A broken
// one keeps what is in use and says why; one that was mended is taken up.
func (a *app) watch(ctx context.Context, log *slog.Logger, now *config, take func(*config) error) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	changed := make(chan fsnotify.Event)
	if a.flags.file != "" {
		w, err := fsnotify.NewWatcher()
		if err == nil {
			defer w.Close()
			// The directory, not the file: editors and config maps replace it.
			err = w.Add(filepath.Dir(a.flags.file))
		}
		if err != nil {
			log.Warn("configuration file is not watched: send SIGHUP after a change", "error", err)
		} else {
			changed = w.Events
		}
	}
	last, _ := os.ReadFile(a.flags.file)
	gone := false  // the file is away, and the log says so
	asked := false // by a signal: it is answered in any case
	settle := time.NewTimer(0)
	<-settle.C
	settling := false
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-changed:
			// Editors write in several steps. What else happens in the directory, where
			// the database may be written all the time, must not put it off for ever.
			if !settling || filepath.Base(e.Name) == filepath.Base(a.flags.file) {
				settle.Reset(200 * time.Millisecond)
				settling = true
			}
			continue
		case <-hup:
			last, asked = nil, true
		case <-settle.C:
			settling = false
		}
		raw, err := os.ReadFile(a.flags.file)
		if a.flags.file != "" && err != nil {
			if asked || !gone {
				log.Error("configuration not taken up: the old one stays in use", "error", err)
			}
			gone, asked = true, false
			continue
		}
		gone, asked = false, false
		if a.flags.file != "" && string(raw) == string(last) && last != nil {
			continue
		}
		last = raw
		next, err := loadConfig(a.flags)
		if err == nil {
			err = take(next)
		}
		if err != nil {
			log.Error("configuration not taken up: the old one stays in use", "error", err)
			continue
		}
		if keys := now.restart(next); len(keys) > 0 {
			log.Warn("these changes need a restart", "keys", strings.Join(keys, ", "))
		}
		log.Info("configuration taken up", "file", a.flags.file, "sources", len(next.Sources), "sections", len(next.Sections))
	}
}
