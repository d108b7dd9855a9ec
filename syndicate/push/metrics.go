package push

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"paperwire/internal/paper"
)

// metrics are what an operator watches of the pushes.
type metrics struct {
	deliveries *prometheus.CounterVec
	took       *prometheus.HistogramVec
	backlogs   atomic.Pointer[backlogs]
}

// backlogs are how far behind the receivers were at an instant.
type backlogs struct {
	list []paper.Backlog
	at   time.Time
}

func newMetrics() *metrics {
	return &metrics{
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "paperwire_push_deliveries_total", Help: "Tries to push, by kind of receiver and outcome.",
		}, []string{"kind", "outcome"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "paperwire_push_delivery_seconds", Help: "Time that receivers took to answer, by kind.",
			Buckets: []float64{.01, .05, .1, .25, .5, 1, 2, 5, 10},
		}, []string{"kind"}),
	}
}

var (
	pushReceivers = prometheus.NewDesc("paperwire_push_receivers", "Receivers, by kind and state.", []string{"kind", "state"}, nil)
	pushFailing   = prometheus.NewDesc("paperwire_push_failing_receivers", "Receivers whose last delivery failed, by kind.", []string{"kind"}, nil)
	pushLag       = prometheus.NewDesc("paperwire_push_lag_seconds", "Age of the oldest event that a receiver of the kind has not got yet; 0 where none waits.", []string{"kind"}, nil)
)

// Describe makes a Dispatch a prometheus.Collector.
func (d *Dispatch) Describe(ch chan<- *prometheus.Desc) {
	d.metrics.deliveries.Describe(ch)
	d.metrics.took.Describe(ch)
	for _, x := range []*prometheus.Desc{pushReceivers, pushFailing, pushLag} {
		ch <- x
	}
}

// Collect tells what was counted, and how the receivers fared some seconds ago: a
// scrape asks nobody.
func (d *Dispatch) Collect(ch chan<- prometheus.Metric) {
	d.metrics.deliveries.Collect(ch)
	d.metrics.took.Collect(ch)
	b := d.metrics.backlogs.Load()
	if b == nil {
		return
	}
	gauge := func(x *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(x, prometheus.GaugeValue, v, labels...)
	}
	for _, x := range b.list {
		gauge(pushReceivers, float64(x.Receivers), string(x.Kind), string(x.State))
		if x.State != paper.ReceiverLive {
			continue
		}
		lag := 0.0
		if !x.Oldest.IsZero() {
			lag = b.at.Sub(x.Oldest).Seconds()
		}
		gauge(pushFailing, float64(x.Failing), string(x.Kind))
		gauge(pushLag, max(lag, 0), string(x.Kind))
	}
}
