package syndicate

import (
	"fmt"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics are what an operator watches. Their names are part of the contract.
type metrics struct {
	requests            *prometheus.CounterVec
	hits, misses, stale prometheus.Counter
	limited             prometheus.Counter
	render              *prometheus.HistogramVec
	panics              prometheus.Counter
	gather              prometheus.Gatherer
}

// counters are the two outcomes of a cached document, looked up beforehand.
type counters struct {
	kind          string
	ok, unchanged prometheus.Counter
}

func newMetrics(reg *prometheus.Registry, s *Syndicate) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "paperwire_http_requests_total", Help: "Requests answered, by kind of document and status.",
		}, []string{"kind", "status"}),
		hits: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "paperwire_cache_hits_total", Help: "Requests answered from rendered documents.",
		}),
		misses: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "paperwire_cache_misses_total", Help: "Requests that waited for a rendering.",
		}),
		stale: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "paperwire_cache_stale_total", Help: "Requests answered with the last good bytes because the store failed.",
		}),
		limited: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "paperwire_cache_limited_total", Help: "Renderings of combinations refused, or answered with the last bytes, because too many were asked for.",
		}),
		render: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "paperwire_render_seconds", Help: "Time to render a document, reading the store included, by kind.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5},
		}, []string{"kind"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "paperwire_http_panics_total", Help: "Requests that ended in a panic.",
		}),
		gather: reg,
	}
	held := func(what func(size int64, documents int) float64) func() float64 {
		return func() float64 {
			st := s.site.Load()
			size, documents := st.cache.stats()
			more, others := st.small.stats()
			pixels, pictures := st.pictures.stats()
			return what(size+more+pixels, documents+others+pictures)
		}
	}
	for _, c := range []prometheus.Collector{
		m.requests, m.hits, m.misses, m.stale, m.limited, m.render, m.panics,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "paperwire_cache_bytes", Help: "Bytes of rendered documents held.",
		}, held(func(size int64, _ int) float64 { return float64(size) })),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "paperwire_cache_documents", Help: "Rendered documents held.",
		}, held(func(_ int64, documents int) float64 { return float64(documents) })),
		sourceMetrics{s},
	} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	// The process's own; the owner of the registry may have them already.
	for _, c := range []prometheus.Collector{collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})} {
		_ = reg.Register(c)
	}
	return m, nil
}

// counters prepares those of one kind of document.
func (m *metrics) counters(kind string) counters {
	return counters{kind: kind, ok: m.requests.WithLabelValues(kind, "200"), unchanged: m.requests.WithLabelValues(kind, "304")}
}

// served counts an answer.
func (m *metrics) served(kind string, status int) {
	m.requests.WithLabelValues(kind, strconv.Itoa(status)).Inc()
}

// sourceMetrics tells how the sources fare, as last seen by the follower: a
// scrape asks nobody.
type sourceMetrics struct{ s *Syndicate }

var (
	sourceUp = prometheus.NewDesc("paperwire_source_up",
		"1 while a source answers or waits for its next look, 0 while it fails or is blocked.", []string{"source", "paper"}, nil)
	sourceSuccess = prometheus.NewDesc("paperwire_source_last_success_timestamp_seconds",
		"When a source was last looked at with success; 0 for never.", []string{"source", "paper"}, nil)
	sourceTried = prometheus.NewDesc("paperwire_source_last_try_timestamp_seconds",
		"When a source was last looked at; 0 for never.", []string{"source", "paper"}, nil)
	sourceArticles = prometheus.NewDesc("paperwire_source_articles",
		"Released articles of a source.", []string{"source", "paper"}, nil)
	sourceFailed = prometheus.NewDesc("paperwire_source_edition_failed_articles",
		"Articles of a source's newest edition that failed at the last try.", []string{"source", "paper"}, nil)
)

func (m sourceMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{sourceUp, sourceSuccess, sourceTried, sourceArticles, sourceFailed} {
		ch <- d
	}
}

func (m sourceMetrics) Collect(ch chan<- prometheus.Metric) {
	c := m.s.health.Load()
	if c == nil {
		return
	}
	for _, h := range c.sources {
		if h.State == "retired" {
			continue
		}
		gauge := func(d *prometheus.Desc, v float64) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, h.Source, h.Paper)
		}
		up, success, tried := 0.0, 0.0, 0.0
		if h.State == "ok" || h.State == "partial" || h.State == "waiting" {
			up = 1
		}
		if !h.Checked.IsZero() {
			success = float64(h.Checked.Unix())
		}
		if !h.Tried.IsZero() {
			tried = float64(h.Tried.Unix())
		}
		gauge(sourceUp, up)
		gauge(sourceSuccess, success)
		gauge(sourceTried, tried)
		gauge(sourceArticles, float64(h.Articles))
		gauge(sourceFailed, float64(h.Failed))
	}
}
