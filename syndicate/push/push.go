// Package push is what goes out without being asked for: today the operator's
// alerts; the hub, webhooks and chat robots join it.
package push

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"paperwire/internal/paper"
)

// Incidents is what alerts are made of; the store satisfies it.
type Incidents interface {
	// Untold lists what the operator has not been told of, oldest first.
	Untold(ctx context.Context) ([]paper.Incident, error)
	// Told notes that he has been told of an incident as it stands.
	Told(ctx context.Context, i paper.Incident) error
	// Acquire takes or renews a lease, so that one process of several speaks.
	Acquire(ctx context.Context, name, owner string, ttl time.Duration) error
}

// Mail says how mail goes out. User and Password may be empty; with them the
// connection must be encrypted (STARTTLS) or lead to this machine.
type Mail struct {
	Server         string // host:port of the SMTP server
	From           string
	To             []string
	User, Password string
}

// AlertOptions configure the alerts. Without Webhook and Mail.Server nothing is sent.
type AlertOptions struct {
	Incidents Incidents
	Webhook   string // gets a POST of JSON for each message
	Mail      Mail
	Base      string // our own address, for the link to the status page
	Owner     string // names this process in the lease
	// Patience is how long a source must fail before anybody is told; a hiccup is
	// no alarm. Default 15 minutes. Alarms, walls and late editions are told at once.
	Patience time.Duration
	Client   *http.Client // default: one with a timeout of 20 s
	Log      *slog.Logger
	Now      func() time.Time
}

// Alerts tells the operator of trouble: one message per incident and one when it
// is over.
type Alerts struct {
	o AlertOptions
}

// NewAlerts makes alerts; it starts nothing.
func NewAlerts(o AlertOptions) *Alerts {
	if o.Patience == 0 {
		o.Patience = 15 * time.Minute
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 20 * time.Second}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Alerts{o}
}
