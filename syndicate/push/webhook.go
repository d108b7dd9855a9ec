package push

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"paperwire/internal/paper"
)

const (
	hookPatience = 24 * time.Hour
	rotates      = 24 * time.Hour // for so long the former secret signs too
	formersMost  = 10             // they make a header long
	secretSize   = 32             // bytes (Standard Webhooks: 24 to 64)
	replayMost   = 30 * 24 * time.Hour
)

// hook is the Doc of a webhook.
type hook struct {
	Description string            `json:"description,omitempty"`
	Events      []paper.EventKind `json:"events,omitempty"`
	Secret      string            `json:"secret"` // whsec_…
	Formers     []former          `json:"formers,omitempty"`
	Former      string            `json:"former,omitempty"` // as a version before kept the only one
	Rotated     int64             `json:"rotated,omitempty"`
	Patience    int64             `json:"patience,omitempty"`
	Again       int64             `json:"again,omitempty"` // when a replay was asked for, seconds
}

// former is a secret that signs for a while yet.
type former struct {
	Secret string `json:"secret"`
	Until  int64  `json:"until"` // seconds
}

func readHook(r *paper.Receiver) (h hook) {
	_ = json.Unmarshal([]byte(r.Doc), &h) // we wrote it
	if h.Former != "" {
		h.Formers = append(h.Formers, former{h.Former, h.Rotated})
		h.Former, h.Rotated = "", 0
	}
	return h
}

func (h hook) patience() time.Duration {
	if h.Patience > 0 {
		return time.Duration(h.Patience) * time.Second
	}
	return hookPatience
}

// wants reports whether events of a kind are sent.
func (h hook) wants(k paper.EventKind) bool {
	return len(h.Events) == 0 || slices.Contains(h.Events, k)
}

// hookMessage is what a webhook gets (Standard Webhooks, payload structure).
type hookMessage struct {
	Type      string          `json:"type"`
	Timestamp time.Time       `json:"timestamp"`
	Cursor    string          `json:"cursor"` // replay from here to get what follows
	Data      json.RawMessage `json:"data"`
}

// composeEvent makes the message of the first event that is for a webhook.
func (d *Dispatch) composeEvent(ctx context.Context, r *paper.Receiver, events []paper.Event) (*parcel, error) {
	h := readHook(r)
	scope, touch, err := d.scope(ctx, r)
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		if !h.wants(e.Kind) || !touch(e) {
			continue
		}
		p, err := d.eventParcel(ctx, r, h, scope, e)
		if err != nil || p != nil {
			return p, err
		}
	}
	return nil, nil
}

// eventParcel makes the message of one event as the gate lets it out now; nil where
// there is nothing of it to be seen in the scope.
func (d *Dispatch) eventParcel(ctx context.Context, r *paper.Receiver, h hook, scope paper.Scope, e paper.Event) (*parcel, error) {
	data, err := d.eventData(ctx, h, scope, e)
	if err != nil || data == nil {
		return nil, err
	}
	body, err := marshal(hookMessage{Type: string(e.Kind), Timestamp: e.At.UTC(), Cursor: writePlace(e), Data: data})
	if err != nil {
		return nil, err
	}
	p := d.signed(r, h, e.ID(), body)
	p.kind, p.event, p.through, p.since = e.Kind, e, e.Cursor(), e.At
	if h.Again > 0 {
		p.again = time.Unix(h.Again, 0)
	}
	return p, nil
}

func (d *Dispatch) eventData(ctx context.Context, h hook, scope paper.Scope, e paper.Event) (json.RawMessage, error) {
	if e.Kind == paper.EditionClosed {
		return d.editionData(ctx, scope, e)
	}
	// Where it has left the scope, that is the news, for whom the scope has carried it to.
	items, err := d.press.Items(ctx, scope, paper.Window{IDs: []string{e.Article}, Ever: e.Kind == paper.ArticleRefiled})
	if err != nil {
		return nil, err
	}
	if len(items) != 1 || items[0].ID != e.Article {
		return nil, nil
	}
	if items[0].State == paper.Withdrawn && e.Kind != paper.ArticleWithdrawn && h.wants(paper.ArticleWithdrawn) {
		return nil, nil // its withdrawal stands later in the outbox; who does not ask for it hears here
	}
	left := false
	if e.Kind == paper.ArticleRefiled {
		// A notice may stand in what it left. A list without notices, begun at its
		// place, begins with it where it is filed.
		list, err := d.press.Items(ctx, scope, paper.Window{Limit: 1, Before: items[0].Published, BeforeID: e.Article + "~"})
		if err != nil {
			return nil, err
		}
		left = len(list) == 0 || list[0].ID != e.Article
	}
	if left {
		// It is no article of the scope any more: what it is called will do.
		it := &items[0]
		it.Text, it.HTML, it.Summary, it.Images = "", "", "", nil
		it.Districts = slices.Clone(it.Districts)
		for i := range it.Districts {
			it.Districts[i].Evidence = nil
		}
	}
	article, err := d.press.Article(items[0])
	if err != nil {
		return nil, err
	}
	more, err := marshal(struct {
		Scopes []string `json:"scopes"`
		Left   bool     `json:"left_scope,omitempty"`
	}{append([]string{"paper/" + e.Paper}, e.Parts...), left})
	if err != nil {
		return nil, err
	}
	// Two objects become one.
	article = article[:len(article)-1]
	return append(append(article[:len(article):len(article)], ','), more[1:]...), nil
}

func (d *Dispatch) editionData(ctx context.Context, scope paper.Scope, e paper.Event) (json.RawMessage, error) {
	scope.Papers = []string{e.Paper}
	items, err := d.press.Items(ctx, scope, paper.Window{Day: e.Day})
	if err != nil || len(items) == 0 {
		return nil, err
	}
	return marshal(struct {
		Paper     string    `json:"paper"`
		PaperName string    `json:"paper_name"`
		Day       paper.Day `json:"day"`
		URL       string    `json:"url"`
		Articles  int       `json:"articles"` // in the webhook's scope
		Scopes    []string  `json:"scopes"`
	}{e.Paper, items[0].PaperName, e.Day, d.o.Base + "/editions/" + e.Paper + "/" + string(e.Day), len(items), append([]string{"paper/" + e.Paper}, e.Parts...)})
}

// signed makes a message of the Standard Webhooks form, signed with the secret and with
// those that were in use within a day.
func (d *Dispatch) signed(r *paper.Receiver, h hook, id string, body []byte) *parcel {
	now := d.o.Now()
	at := strconv.FormatInt(now.Unix(), 10)
	signatures := []string{sign(h.Secret, id, at, body)}
	for _, f := range h.Formers {
		if now.Unix() < f.Until {
			signatures = append(signatures, sign(f.Secret, id, at, body))
		}
	}
	return &parcel{id: id, url: r.URL, body: body, header: http.Header{
		"Content-Type":      {"application/json"},
		"Webhook-Id":        {id},
		"Webhook-Timestamp": {at},
		"Webhook-Signature": {strings.Join(signatures, " ")},
	}}
}

// sign is v1 of Standard Webhooks: HMAC-SHA256 of id.timestamp.body.
func sign(secret, id, at string, body []byte) string {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		key = nil // we made it: it is base64
	}
	m := hmac.New(sha256.New, key)
	io.WriteString(m, id+"."+at+".")
	m.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// marshal writes JSON without escaping what only HTML minds.
func marshal(v any) (json.RawMessage, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return json.RawMessage(strings.TrimSuffix(b.String(), "\n")), nil
}

func (d *Dispatch) random(prefix string, n int, encode func([]byte) string) (string, error) {
	raw := make([]byte, n)
	if _, err := io.ReadFull(d.o.Rand, raw); err != nil {
		return "", fmt.Errorf("read randomness: %w", err)
	}
	return prefix + encode(raw), nil
}

func (d *Dispatch) secret() (string, error) {
	return d.random("whsec_", secretSize, base64.StdEncoding.EncodeToString)
}

// inside reports a URL whose host is written as an address that is not public and not
// open: no delivery would get there. What a name leads to is found out when it is dialled.
func (d *Dispatch) inside(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || slices.Contains(d.o.Open, u.Host) || slices.Contains(d.o.Open, u.Hostname()) {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && (ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() || ip.IsMulticast())
}

// check reads a specification; errors are [ErrRequest].
func (d *Dispatch) check(ctx context.Context, s *WebhookSpec) error {
	if err := absolute("url", s.URL); err != nil {
		return fmt.Errorf("%w: %w", ErrRequest, err)
	}
	if d.inside(s.URL) {
		return fmt.Errorf("%w: url: the address is not a public one: the operator opens it with push.open_hosts", ErrRequest)
	}
	if s.Scope == "" {
		s.Scope = "all"
	}
	scope, err := d.press.Scope(ctx, s.Scope)
	if err != nil {
		return err
	}
	s.Scope = scope.String()
	for _, k := range s.Events {
		if !slices.Contains(WebhookKinds(), k) {
			return fmt.Errorf("%w: unknown event %q", ErrRequest, k)
		}
	}
	if s.Patience != 0 && (s.Patience < time.Second || s.Patience > hookPatience) {
		return fmt.Errorf("%w: patience of 1 s to 24 h", ErrRequest)
	}
	return nil
}

// place writes a specification into a receiver.
func (s WebhookSpec) place(r *paper.Receiver, h *hook) {
	slices.Sort(s.Events)
	h.Description, h.Events, h.Patience = s.Description, slices.Compact(s.Events), int64(s.Patience/time.Second)
	r.Kind, r.URL, r.Host, r.Scope = paper.Webhook, s.URL, hostOf(s.URL), s.Scope
	switch r.State = paper.ReceiverLive; {
	case s.Paused:
		r.State = paper.ReceiverPaused
	case s.Gone:
		r.State = paper.ReceiverGone
	}
}

func asWebhook(r paper.Receiver) Webhook {
	h := readHook(&r)
	w := Webhook{Receiver: r, WebhookSpec: WebhookSpec{
		URL: r.URL, Scope: r.Scope, Events: h.Events, Description: h.Description, Patience: h.patience(),
		Paused: r.State == paper.ReceiverPaused, Gone: r.State == paper.ReceiverGone,
	}}
	if n := len(h.Formers); n > 0 {
		w.Rotated = time.Unix(h.Formers[n-1].Until, 0).UTC()
	}
	r.Doc = ""
	w.Receiver.Doc = "" // it holds the secret
	return w
}

// CreateWebhook registers one. It gets what happens from now on. The secret is
// told this once.
func (d *Dispatch) CreateWebhook(ctx context.Context, s WebhookSpec) (w Webhook, secret string, err error) {
	if err := d.check(ctx, &s); err != nil {
		return w, "", err
	}
	if all, _, _, err := d.o.Store.CountReceivers(ctx, paper.Webhook, "", ""); err != nil {
		return w, "", err
	} else if all >= 1000 {
		return w, "", fmt.Errorf("%w: there are %d webhooks: delete some", ErrRequest, all)
	}
	var r paper.Receiver
	if r.ID, err = d.random("wh_", 9, hex.EncodeToString); err != nil {
		return w, "", err
	}
	if secret, err = d.secret(); err != nil {
		return w, "", err
	}
	if r.Cursor, err = d.o.Store.Outbox(ctx); err != nil {
		return w, "", err
	}
	h := hook{Secret: secret}
	s.place(&r, &h)
	doc, err := json.Marshal(h)
	if err != nil {
		return w, "", err
	}
	r.Doc, r.Created = string(doc), d.o.Now()
	if err := d.o.Store.KeepReceiver(ctx, r); err != nil {
		return w, "", err
	}
	d.o.Log.Info("webhook registered", "receiver", r.ID, "host", r.Host, "scope", r.Scope)
	return asWebhook(r), secret, nil
}

// Webhooks lists all of them.
func (d *Dispatch) Webhooks(ctx context.Context) ([]Webhook, error) {
	list, err := d.o.Store.Receivers(ctx, paper.Webhook, "", 1000)
	out := make([]Webhook, len(list))
	for i, r := range list {
		out[i] = asWebhook(r)
	}
	return out, err
}

// webhook gives the receiver of one; the error is [paper.ErrNotFound].
func (d *Dispatch) webhook(ctx context.Context, id string) (paper.Receiver, error) {
	r, err := d.o.Store.Receiver(ctx, id)
	if err == nil && r.Kind != paper.Webhook {
		err = fmt.Errorf("webhook %s: %w", id, paper.ErrNotFound)
	}
	return r, err
}

// Webhook gives one; the error is [paper.ErrNotFound].
func (d *Dispatch) Webhook(ctx context.Context, id string) (Webhook, error) {
	r, err := d.webhook(ctx, id)
	return asWebhook(r), err
}

// change changes a webhook; errors: [paper.ErrNotFound] and that of change.
func (d *Dispatch) change(ctx context.Context, id string, change func(*paper.Receiver, *hook) error) (paper.Receiver, error) {
	if r, err := d.webhook(ctx, id); err != nil {
		return r, err // without a write
	}
	return d.o.Store.ChangeReceiver(ctx, id, func(r *paper.Receiver) error {
		h := readHook(r)
		if err := change(r, &h); err != nil {
			return err
		}
		doc, err := json.Marshal(h)
		r.Doc = string(doc)
		return err
	})
}

// UpdateWebhook changes what one gets. One that was paused or gone and is not any more
// goes on where it stood; what waits is tried at once. One that said that it is gone is
// so until its URL changes, or whoever changes it says otherwise.
func (d *Dispatch) UpdateWebhook(ctx context.Context, id string, change func(*WebhookSpec)) (Webhook, error) {
	r, err := d.webhook(ctx, id)
	if err != nil {
		return Webhook{}, err
	}
	// Checked before, as the scope may have to be looked up; changed as it stands then.
	checked := asWebhook(r).WebhookSpec
	change(&checked)
	if err := d.check(ctx, &checked); err != nil {
		return Webhook{}, err
	}
	r, err = d.change(ctx, id, func(r *paper.Receiver, h *hook) error {
		s := asWebhook(*r).WebhookSpec
		had := s
		if change(&s); s.Scope != had.Scope {
			s.Scope = checked.Scope // in its canonical form
		}
		s.Gone = s.Gone && s.URL == had.URL
		s.place(r, h)
		if s.Gone {
			return nil
		}
		r.Attempts, r.Retry, r.Since = 0, time.Time{}, time.Time{}
		if r.Problem != paper.Missed { // that is for the operator to see who resumes it
			r.Problem = ""
		}
		return nil
	})
	if err != nil {
		return Webhook{}, err
	}
	if r.Problem != "" && r.State == paper.ReceiverLive {
		d.o.Log.Warn("webhook goes on with a gap", "receiver", r.ID, "problem", r.Problem)
	}
	if r.State == paper.ReceiverGone {
		return asWebhook(r), nil
	}
	return asWebhook(r), d.o.Store.Trouble(ctx, r.ID, "failing", "", false)
}

// DeleteWebhook forgets one with its deliveries and dead letters.
func (d *Dispatch) DeleteWebhook(ctx context.Context, id string) error {
	if _, err := d.webhook(ctx, id); err != nil {
		return err
	}
	return d.o.Store.DropReceiver(ctx, id)
}

// RotateSecret gives a webhook another secret, which is told this once. The former one
// signs too for a day, and so does each that was rotated within it.
func (d *Dispatch) RotateSecret(ctx context.Context, id string) (secret string, until time.Time, err error) {
	if secret, err = d.secret(); err != nil {
		return "", until, err
	}
	until = d.o.Now().Add(rotates).UTC().Truncate(time.Second)
	_, err = d.change(ctx, id, func(_ *paper.Receiver, h *hook) error {
		h.Formers = slices.DeleteFunc(h.Formers, func(f former) bool { return f.Until <= d.o.Now().Unix() })
		if len(h.Formers) >= formersMost {
			return fmt.Errorf("%w: its secret was rotated %d times within a day", ErrRequest, len(h.Formers))
		}
		h.Formers, h.Secret = append(h.Formers, former{h.Secret, until.Unix()}), secret
		return nil
	})
	if err != nil {
		return "", until, err
	}
	return secret, until, nil
}

// TestWebhook sends a message of type test at once and says what came of it.
func (d *Dispatch) TestWebhook(ctx context.Context, id string) (paper.Delivery, error) {
	r, err := d.webhook(ctx, id)
	if err != nil {
		return paper.Delivery{}, err
	}
	event, err := d.random("test_", 9, hex.EncodeToString)
	if err != nil {
		return paper.Delivery{}, err
	}
	body, err := marshal(hookMessage{Type: "test", Timestamp: d.o.Now().UTC().Truncate(time.Second), Cursor: WriteCursor(r.Cursor), Data: json.RawMessage(`{}`)})
	if err != nil {
		return paper.Delivery{}, err
	}
	p := d.signed(&r, readHook(&r), event, body)
	p.kind = "test"
	return d.now(ctx, &r, p)
}

// now sends a parcel while somebody waits for it.
func (d *Dispatch) now(ctx context.Context, r *paper.Receiver, p *parcel) (paper.Delivery, error) {
	v := d.send(ctx, r.Kind, p)
	if v.outcome == crowded {
		return paper.Delivery{}, fmt.Errorf("%w now: its host is busy, try again", ErrRequest)
	}
	t := paper.Delivery{Receiver: r.ID, Event: p.id, Kind: p.kind, At: d.o.Now().Add(-v.took).UTC(), Took: v.took, Status: v.status, Problem: v.problem}
	return t, d.o.Store.LogDelivery(context.WithoutCancel(ctx), t)
}

// Receivers lists those of a kind, or of all for "", by id: at most n after an id.
// What only the kind knows, and where they are reached, is left out.
func (d *Dispatch) Receivers(ctx context.Context, kind paper.ReceiverKind, after string, n int) ([]paper.Receiver, error) {
	list, err := d.o.Store.Receivers(ctx, kind, after, n)
	for i := range list {
		list[i].URL, list[i].Doc = "", ""
	}
	return list, err
}

// Deliveries lists the tries of a webhook, robot or ping, newest first, before a
// number; 0 for the newest. Those of subscriptions are not kept.
func (d *Dispatch) Deliveries(ctx context.Context, id string, before int64, n int) ([]paper.Delivery, error) {
	if _, err := d.o.Store.Receiver(ctx, id); err != nil {
		return nil, err
	}
	return d.o.Store.Deliveries(ctx, id, before, n)
}

// DeadLetters lists what a webhook did not get, in order, behind a cursor.
func (d *Dispatch) DeadLetters(ctx context.Context, id string, after paper.Cursor, n int) ([]paper.DeadLetter, error) {
	if _, err := d.webhook(ctx, id); err != nil {
		return nil, err
	}
	return d.o.Store.DeadLetters(ctx, id, after, n)
}

// Resend sends one dead letter again, now, as the article stands by now. It is
// forgotten when it arrives, or when there is nothing of it to be seen any more; that
// of a withdrawal only when it arrives.
func (d *Dispatch) Resend(ctx context.Context, id, event string) (paper.Delivery, error) {
	var at paper.Cursor
	if _, err := fmt.Sscanf(event, "evt_%d_%d", &at.Seq, &at.N); err != nil {
		return paper.Delivery{}, fmt.Errorf("dead letter %q: %w", event, paper.ErrNotFound)
	}
	r, err := d.webhook(ctx, id)
	if err != nil {
		return paper.Delivery{}, err
	}
	list, err := d.o.Store.DeadLetters(ctx, id, paper.Cursor{Seq: at.Seq, N: at.N - 1}, 1)
	if err != nil {
		return paper.Delivery{}, err
	}
	if len(list) == 0 || list[0].Event.ID() != event {
		return paper.Delivery{}, fmt.Errorf("dead letter %s: %w", event, paper.ErrNotFound)
	}
	scope, _, err := d.scope(ctx, &r)
	if err != nil {
		return paper.Delivery{}, err
	}
	p, err := d.eventParcel(ctx, &r, readHook(&r), scope, list[0].Event)
	if err != nil {
		return paper.Delivery{}, err
	}
	if p == nil && list[0].Event.Kind == paper.ArticleWithdrawn {
		return paper.Delivery{}, fmt.Errorf("%w: the webhook's scope never carried the article; the dead letter is kept", ErrRequest)
	}
	if p == nil {
		err := d.o.Store.DropDeadLetter(ctx, id, at)
		return paper.Delivery{}, errors.Join(fmt.Errorf("%w: nothing of it is to be seen any more; the dead letter is gone", ErrRequest), err)
	}
	t, err := d.now(ctx, &r, p)
	if err == nil && t.Problem == "" {
		err = d.o.Store.DropDeadLetter(ctx, id, at)
	}
	return t, err
}

// Replay sets the cursor of a webhook back (or ahead, as far as anything has happened), to
// a cursor or, where that is nil, to an instant: everything behind it comes again, with
// the ids it had. It reaches back 30 days. With a cursor since may be the instant of its
// event: where another has its number, as after a backup was restored, the instant counts.
func (d *Dispatch) Replay(ctx context.Context, id string, to *paper.Cursor, since time.Time) (Webhook, error) {
	newest, err := d.o.Store.Outbox(ctx)
	if err != nil {
		return Webhook{}, err
	}
	if to != nil && !since.IsZero() {
		there, err := d.o.Store.Events(ctx, paper.Cursor{Seq: to.Seq, N: to.N - 1}, 1)
		if err != nil {
			return Webhook{}, err
		}
		if len(there) == 0 || there[0].Cursor() != *to || !there[0].At.Equal(since) {
			to = nil
		}
	}
	if to != nil && newest.Before(*to) {
		return Webhook{}, fmt.Errorf("%w: nothing has happened yet at cursor %s: the newest is %s", ErrRequest, WriteCursor(*to), WriteCursor(newest))
	}
	if to == nil {
		if since.Before(d.o.Now().Add(-replayMost)) {
			return Webhook{}, fmt.Errorf("%w: a replay reaches back 30 days", ErrRequest)
		}
		c, err := d.o.Store.OutboxAt(ctx, since)
		if err != nil {
			return Webhook{}, err
		}
		to = &c
	}
	r, err := d.change(ctx, id, func(r *paper.Receiver, h *hook) error {
		h.Again = d.o.Now().Unix()
		r.Cursor, r.Attempts, r.Retry = *to, 0, time.Time{}
		return nil
	})
	return asWebhook(r), err
}
