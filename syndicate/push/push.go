// Package push is what goes out without being asked for: the hub, webhooks, chat
// robots, pings of outside hubs and search engines, and the operator's alerts.
//
// All but the alerts live off the outbox. Each receiver has a cursor into it and is
// drained by one process at a time, in order; the cursor moves when the receiver has
// answered that it has it. So everything arrives at least once, with the same id
// when it comes again, and a receiver that is slow or away delays no other.
//
// To add a chat robot, write one file that calls registerRobot in its init.
package push

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"paperwire/internal/paper"
	"paperwire/syndicate/card"
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
	o        AlertOptions
	channels []*channel
	open     []paper.Incident // told on one channel and not on the other yet
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
	a := &Alerts{o: o}
	if o.Webhook != "" {
		a.channels = append(a.channels, &channel{send: a.post, said: map[said]progress{}})
	}
	if o.Mail.Server != "" {
		a.channels = append(a.channels, &channel{send: a.mail, said: map[said]progress{}})
	}
	return a
}

// Store is the outbox and who reads it; the store satisfies it.
type Store interface {
	// Events reads the outbox behind a cursor, n events at most, in commit order.
	Events(ctx context.Context, after paper.Cursor, n int) ([]paper.Event, error)
	// Outbox is the cursor behind the newest event.
	Outbox(ctx context.Context) (paper.Cursor, error)
	// OutboxAt is the cursor behind the last event before an instant.
	OutboxAt(ctx context.Context, at time.Time) (paper.Cursor, error)
	// Receivers lists those of a kind, or of all for "", by id: at most n after an id.
	Receivers(ctx context.Context, kind paper.ReceiverKind, after string, n int) ([]paper.Receiver, error)
	// Receiver gives one; the error is [paper.ErrNotFound].
	Receiver(ctx context.Context, id string) (paper.Receiver, error)
	// CountReceivers counts those of a kind: in all, at one host (a name, whatever the
	// port), and those that one client asked for.
	CountReceivers(ctx context.Context, kind paper.ReceiverKind, host, client string) (all, there, theirs int, err error)
	// KeepReceiver stores one as it is given; a drain of it under way loses its lease.
	KeepReceiver(ctx context.Context, r paper.Receiver) error
	// ChangeReceiver changes one that is there, so that nothing of what others write
	// meanwhile is lost; errors: [paper.ErrNotFound] and that of change.
	ChangeReceiver(ctx context.Context, id string, change func(*paper.Receiver) error) (paper.Receiver, error)
	// RenewReceivers lets those that are named live on until an instant; paused ones go on.
	RenewReceivers(ctx context.Context, ids []string, until time.Time) error
	// DropReceiver forgets one with all that is kept beside it.
	DropReceiver(ctx context.Context, id string) error
	// DueReceivers hands out those that are behind and may be sent to now, each to
	// one caller, for hold; intents are none of them.
	DueReceivers(ctx context.Context, hold time.Duration, n int) ([]paper.Receiver, error)
	// DueIntents hands out intents: as many as bring those under way to n, and those
	// of one client to ofClient.
	DueIntents(ctx context.Context, hold time.Duration, n, ofClient int) (ids []string, err error)
	// PassReceivers moves those that stand at a cursor, and that no drain has, to another.
	PassReceivers(ctx context.Context, from, to paper.Cursor, ids []string) error
	// ClaimReceiver takes the lease of one; the errors are [paper.ErrBusy] and
	// [paper.ErrNotFound].
	ClaimReceiver(ctx context.Context, id, owner string, ttl time.Duration) (paper.Receiver, error)
	// MoveReceiver writes down how a drain got on; it keeps its lease for ttl, 0
	// ends it. The error is [paper.ErrBusy] when the lease was lost.
	MoveReceiver(ctx context.Context, r paper.Receiver, owner string, ttl time.Duration, d *paper.Delivery, dead *paper.DeadLetter) error
	LogDelivery(ctx context.Context, d paper.Delivery) error
	Deliveries(ctx context.Context, receiver string, before int64, n int) ([]paper.Delivery, error)
	DeadLetters(ctx context.Context, receiver string, after paper.Cursor, n int) ([]paper.DeadLetter, error)
	DropDeadLetter(ctx context.Context, receiver string, at paper.Cursor) error
	Backlogs(ctx context.Context) ([]paper.Backlog, error)
	// Trouble opens or ends an incident.
	Trouble(ctx context.Context, source, kind, problem string, open bool) error
	ExpireReceivers(ctx context.Context) (int, error)
	PrunePushed(ctx context.Context) error
}

// Press is where documents come from; syndicate satisfies it. Everything it gives
// has passed the gate for the public view.
type Press interface {
	// Items are the items of a scope within a window.
	Items(ctx context.Context, s paper.Scope, w paper.Window) ([]paper.Item, error)
	// Article is an item as the API tells it, a JSON object.
	Article(it paper.Item) (json.RawMessage, error)
	// Card is an item's card.
	Card(it paper.Item) card.Document
	// Topic reads the URL of a feed. Errors are for the subscriber to read where
	// they wrap [ErrRequest]; others are the store's.
	Topic(ctx context.Context, url string) (scope paper.Scope, ext string, err error)
	// Room is how many articles a notice in a format has room for.
	Room(ext string) int
	// Notice is the feed document of a scope that holds the named articles, as far
	// as a feed of the scope may hold them; Items is how many it holds.
	Notice(ctx context.Context, s paper.Scope, ext string, ids []string) (Notice, error)
	// Scope reads a scope as somebody wrote it; errors as for Topic.
	Scope(ctx context.Context, written string) (paper.Scope, error)
	// Topics are the canonical URLs of the feeds of a scope, in all formats that
	// are announced to readers.
	Topics(s paper.Scope) []string
}

// Notice is the changed part of a feed.
type Notice struct {
	Body  []byte
	Type  string // Content-Type, the feed's own
	Self  string // the topic
	Items int
}

// ErrRequest: what was asked for cannot be done; the error's text says why.
var ErrRequest = errors.New("not possible")

// RobotOptions are a chat robot of the configuration. URL and Secret come from the
// environment or a file, and never reach a log.
type RobotOptions struct {
	Key    string
	Kind   string // one of [RobotKinds]
	Scope  string // canonical
	URL    string // the robot's webhook, key and all
	Secret string // for signing; empty where the robot wants none
}

// RobotKinds lists the kinds of robots.
func RobotKinds() []string { return robotKinds() }

// PingOptions say who outside is told that something changed; the zero value
// tells nobody.
type PingOptions struct {
	Hubs     []string // WebSub hubs, besides our own
	IndexNow string   // endpoint; empty: none
	// IndexNowKey is 8 to 128 of a-z, A-Z, 0-9 and -; it is served at /{key}.txt,
	// so it is no secret.
	IndexNowKey string
	Baidu       string // endpoint; empty: none
	BaiduToken  string
}

// Options configure a [Dispatch].
type Options struct {
	Store Store
	// Client reaches the operator's receivers: behind the guard against private
	// addresses, without following redirects, with the time that a delivery may take.
	Client *http.Client
	Open   []string // hosts that Client reaches at private addresses too
	// Callbacks reaches those of the hub in the same way. Anybody names a callback, so
	// what is open to the operator's receivers is closed here. Default Client.
	Callbacks *http.Client
	Base      string // our own address, without a trailing slash
	Owner     string // names this process in leases
	// Queue inserts jobs of a kind; they come back through [Dispatch.Drain].
	Queue  func(ctx context.Context, kind string, at time.Time, keys ...string) error
	Robots []RobotOptions
	Pings  PingOptions
	// MaxSubscriptions bounds those at the hub, in all and at one host of callbacks.
	// Default 20,000 and 2,000.
	MaxSubscriptions, MaxSubscriptionsPerHost int
	Log                                       *slog.Logger
	Now                                       func() time.Time
	Rand                                      io.Reader // default crypto/rand
}

// Dispatch brings events to receivers. It is safe for concurrent use.
type Dispatch struct {
	o       Options
	press   Press
	lines   map[paper.ReceiverKind]line
	metrics *metrics
	hosts   *hosts
	robots  map[string]RobotOptions // by id of the receiver
	pings   map[string]pinger
	slow    slowList
	asked   *buckets // requests to the hub
	drains  counter
}

// Works are the kinds of jobs that a Dispatch queues, all for [Dispatch.Drain], and
// how many of each one process should work on at once. Strangers' receivers and the
// operator's, and of both those that failed or were slow lately, have slots of their
// own: however many of one sort hang, the others find one free.
func Works() map[string]int {
	return map[string]int{workOwn: 64, workOwnSlow: 32, workHub: 128, workHubSlow: 64, workVerify: verifyMost}
}

// New makes a Dispatch; it starts nothing. [Dispatch.Attach] must be called before
// anything else.
func New(o Options) *Dispatch {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Callbacks == nil {
		o.Callbacks = o.Client
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.MaxSubscriptions == 0 {
		o.MaxSubscriptions = 20000
	}
	if o.MaxSubscriptionsPerHost == 0 {
		o.MaxSubscriptionsPerHost = 2000
	}
	d := &Dispatch{
		o: o, lines: newLines(), metrics: newMetrics(), hosts: newHosts(o.Now),
		robots: map[string]RobotOptions{}, pings: pingers(o.Pings), asked: newBuckets(o.Now),
	}
	for _, r := range o.Robots {
		d.robots["robot:"+r.Key] = r
	}
	return d
}

// Attach names where documents come from.
func (d *Dispatch) Attach(p Press) { d.press = p }

// Hubs are the WebSub hubs that feeds announce: ours first, then those that are pinged.
func (d *Dispatch) Hubs() []string {
	return append([]string{d.o.Base + "/hub"}, d.o.Pings.Hubs...)
}

// KeyFile is the path and the text of the file that proves to IndexNow that the
// site is ours; ok is false where there is none.
func (d *Dispatch) KeyFile() (path, text string, ok bool) {
	key := d.o.Pings.IndexNowKey
	return "/" + key + ".txt", key, key != "" && d.o.Pings.IndexNow != ""
}

// WebhookSpec is what a webhook is to get.
type WebhookSpec struct {
	URL         string
	Scope       string            // as somebody writes it
	Events      []paper.EventKind // empty: all
	Description string
	// Patience is how long an event is tried before it goes to the dead letters,
	// 1 s to 24 h; 0 means 24 h.
	Patience time.Duration
	Paused   bool
	Gone     bool // it answered 410; false where it is to be tried again
}

// Webhook is one as it stands. Its URL is the operator's to see.
type Webhook struct {
	WebhookSpec
	Receiver paper.Receiver
	// Rotated is until when the last former secret signs too; zero where there is none.
	Rotated time.Time
}

// WebhookKinds are the kinds of events that a webhook may ask for.
func WebhookKinds() []paper.EventKind {
	return []paper.EventKind{paper.ArticlePublished, paper.ArticleCorrected, paper.ArticleWithdrawn, paper.ArticleRefiled, paper.EditionClosed}
}

// WriteCursor writes a cursor: 42.3.
func WriteCursor(c paper.Cursor) string { return fmt.Sprintf("%d.%d", c.Seq, c.N) }

// writePlace writes the cursor behind an event as messages carry it, with the event's
// second in base 36: 42.3.tc2yvc. It tells the event from another of the same number.
func writePlace(e paper.Event) string {
	return WriteCursor(e.Cursor()) + "." + strconv.FormatInt(e.At.Unix(), 36)
}

// ReadCursor reads a cursor and, where it holds one, the instant of the event that it is
// behind; the error is [ErrRequest].
func ReadCursor(s string) (c paper.Cursor, at time.Time, err error) {
	parts := strings.Split(s, ".")
	numbers := [3]int64{}
	for i, part := range parts[:min(len(parts), 3)] {
		n, e := strconv.ParseInt(part, []int{10, 10, 36}[i], 64)
		if numbers[i] = n; e != nil || n < 0 {
			err = ErrRequest
		}
	}
	if err != nil || len(parts) < 2 || len(parts) > 3 {
		return paper.Cursor{}, at, fmt.Errorf("%w: cursor %.40q: pass the cursor of a message as it came", ErrRequest, s)
	}
	if len(parts) == 3 {
		at = time.Unix(numbers[2], 0).UTC()
	}
	return paper.Cursor{Seq: numbers[0], N: numbers[1]}, at, nil
}
