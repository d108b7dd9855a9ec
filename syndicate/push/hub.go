package push

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"paperwire/internal/paper"
)

// Limits of what a subscriber may ask for (WebSub §5.1).
const (
	leaseDefault = 10 * 24 * time.Hour
	leaseLeast   = time.Hour
	leaseMost    = 30 * 24 * time.Hour
	maxForm      = 16 << 10 // bytes
	maxCallback  = 2048     // bytes; so for topics
	maxSecret    = 200      // bytes, exclusive
	maxIntents   = 50       // of one client, and at one host, that wait to be verified
	mostIntents  = 5000     // and at all

	verifyMost  = 16 // verifications under way at once
	verifyShare = 8  // and of one client: however many hang, the others find a place
	// verifyIn is how long a callback may take to answer: a reader that wants something
	// does not think about it.
	verifyIn = 5 * time.Second
)

// intent is the Doc of a request that is not verified yet.
type intent struct {
	Mode   string       `json:"mode"` // subscribe, unsubscribe
	Topic  string       `json:"topic"`
	Secret string       `json:"secret,omitempty"`
	Lease  int64        `json:"lease,omitempty"` // seconds
	From   paper.Cursor `json:"from"`            // what is released while it is verified is part of it
}

// subscription is the Doc of one.
type subscription struct {
	Topic  string `json:"topic"`
	Ext    string `json:"ext"`
	Secret string `json:"secret,omitempty"`
}

// ServeHub answers /hub (W3C WebSub §5): it takes requests to subscribe and to
// unsubscribe and answers 202; whether they are meant is found out afterwards. client
// names who asks, in whatever way two are told apart.
func (d *Dispatch) ServeHub(w http.ResponseWriter, r *http.Request, client string) {
	w.Header().Set("Cache-Control", "no-store")
	say := func(status int, text string) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.WriteHeader(status)
		io.WriteString(w, text+"\n")
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		say(http.StatusMethodNotAllowed, "this is a WebSub hub: POST hub.mode, hub.topic and hub.callback as application/x-www-form-urlencoded")
		return
	}
	if !d.asked.take(client) {
		w.Header().Set("Retry-After", "60")
		say(http.StatusTooManyRequests, "too many requests: try again in a minute")
		return
	}
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/x-www-form-urlencoded" {
		say(http.StatusUnsupportedMediaType, "send application/x-www-form-urlencoded")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		say(http.StatusRequestEntityTooLarge, fmt.Sprintf("at most %d bytes", maxForm))
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		say(http.StatusBadRequest, "the body is no form")
		return
	}
	x, err := d.requested(form)
	if err != nil {
		say(http.StatusBadRequest, err.Error())
		return
	}
	switch err := d.intend(r.Context(), x, form.Get("hub.callback"), client); {
	case errors.Is(err, ErrRequest):
		w.Header().Set("Retry-After", "600")
		say(http.StatusTooManyRequests, err.Error())
	case err != nil:
		d.o.Log.Error("take up a subscription", "error", err)
		w.Header().Set("Retry-After", "10")
		say(http.StatusServiceUnavailable, "the store cannot be written at the moment: try again")
	default:
		say(http.StatusAccepted, "the callback will be asked whether this is meant")
	}
}

// requested reads a form. What it does not know it ignores (WebSub §5.1).
func (d *Dispatch) requested(form url.Values) (x intent, err error) {
	x.Mode, x.Topic, x.Secret = form.Get("hub.mode"), form.Get("hub.topic"), form.Get("hub.secret")
	if x.Mode != "subscribe" && x.Mode != "unsubscribe" {
		if x.Mode == "publish" {
			return x, errors.New("hub.mode publish: this hub knows what changes here and needs no ping")
		}
		return x, errors.New("hub.mode: subscribe or unsubscribe")
	}
	if err := absolute("hub.callback", form.Get("hub.callback")); err != nil {
		return x, err
	}
	if err := absolute("hub.topic", x.Topic); err != nil {
		return x, err
	}
	if len(x.Secret) >= maxSecret {
		return x, errors.New("hub.secret: less than 200 bytes")
	}
	lease := leaseDefault
	if s := form.Get("hub.lease_seconds"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 {
			return x, errors.New("hub.lease_seconds: a number of seconds")
		}
		lease = min(max(time.Duration(min(n, int64(leaseMost/time.Second)))*time.Second, leaseLeast), leaseMost)
	}
	x.Lease = int64(lease / time.Second)
	return x, nil
}

// absolute checks an address that somebody sent: http or https, on any port.
func absolute(name, raw string) error {
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return fmt.Errorf("%s: missing", name)
	case len(raw) > maxCallback:
		return fmt.Errorf("%s: at most %d bytes", name, maxCallback)
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "" || strings.ContainsAny(raw, " \t\r\n"):
		return fmt.Errorf("%s: an absolute http or https URL", name)
	case u.User != nil:
		return fmt.Errorf("%s: without user and password", name)
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return fmt.Errorf("%s: without a fragment", name)
	}
	return nil
}

// intend keeps a request, so that it survives whatever happens, and has it verified.
func (d *Dispatch) intend(ctx context.Context, x intent, callback, client string) error {
	host := hostOf(callback)
	name := host[:strings.LastIndexByte(host, ':')]
	all, there, theirs, err := d.o.Store.CountReceivers(ctx, paper.Intent, name, client)
	if err != nil {
		return err
	}
	pair := subscriber(x.Topic, callback)
	if there >= maxIntents || theirs >= maxIntents || all >= mostIntents {
		// Who subscribes already may renew and end it, whoever else comes by his way.
		if _, err := d.o.Store.Receiver(ctx, "sub_"+pair); err != nil {
			return fmt.Errorf("%w now: too many requests wait to be verified", ErrRequest)
		}
	}
	if x.Mode == "subscribe" {
		all, there, _, err := d.o.Store.CountReceivers(ctx, paper.Subscription, name, "")
		if err != nil {
			return err
		}
		if all >= d.o.MaxSubscriptions || there >= d.o.MaxSubscriptionsPerHost {
			if _, err := d.o.Store.Receiver(ctx, "sub_"+pair); err != nil { // a renewal is none more
				return fmt.Errorf("%w: this hub has as many subscriptions as it takes", ErrRequest)
			}
		}
	}
	if x.From, err = d.o.Store.Outbox(ctx); err != nil {
		return err
	}
	doc, err := json.Marshal(x)
	if err != nil {
		return err
	}
	r := paper.Receiver{
		ID: "int_" + pair, Kind: paper.Intent, URL: callback, Host: host, Client: client, Doc: string(doc), State: paper.ReceiverLive,
		Cursor: paper.Cursor{Seq: -1}, // it reads no events
	}
	return d.o.Store.KeepReceiver(ctx, r)
}

// subscriber names topic and callback: one subscription for each pair (WebSub §5.1).
func subscriber(topic, callback string) string {
	h := sha256.Sum256([]byte(topic + "\n" + callback))
	return hex.EncodeToString(h[:12])
}

// verify asks a callback whether it means what was asked for (WebSub §5.3), or
// tells it that there is no such topic (§5.2).
func (x *drain) verify(ctx context.Context) error {
	var in intent
	if err := json.Unmarshal([]byte(x.r.Doc), &in); err != nil {
		return fmt.Errorf("read intent %s: %w", x.r.ID, err)
	}
	scope, ext, err := x.press.Topic(ctx, in.Topic)
	denied := errors.Is(err, ErrRequest) && in.Mode == "subscribe"
	if err != nil && !errors.Is(err, ErrRequest) {
		return errors.Join(err, x.later(ctx, 5*time.Second))
	}
	raw := make([]byte, 24)
	if _, err := io.ReadFull(x.o.Rand, raw); err != nil {
		return err
	}
	challenge := hex.EncodeToString(raw)
	q := url.Values{"hub.mode": {in.Mode}, "hub.topic": {in.Topic}, "hub.challenge": {challenge}}
	switch {
	case denied:
		q = url.Values{"hub.mode": {"denied"}, "hub.topic": {in.Topic}, "hub.reason": {strings.TrimPrefix(err.Error(), ErrRequest.Error()+": ")}}
	case in.Mode == "subscribe":
		q.Set("hub.lease_seconds", strconv.FormatInt(in.Lease, 10))
	}
	at, err := url.Parse(x.r.URL)
	if err != nil {
		return x.forget(ctx)
	}
	// What the callback has for parameters stays as it is.
	if at.RawQuery != "" {
		at.RawQuery += "&"
	}
	at.RawQuery += q.Encode()
	v := x.send(ctx, paper.Intent, &parcel{method: http.MethodGet, url: at.String(), within: verifyIn})
	meant := v.outcome == delivered && bytes.Equal(v.body, []byte(challenge))
	x.o.Log.Debug("verification", "host", x.r.Host, "mode", in.Mode, "topic", in.Topic, "denied", denied, "meant", meant, "status", v.status, "problem", v.problem)
	switch {
	case ctx.Err() != nil:
		return x.move(ctx, 0, nil, nil)
	case v.outcome == crowded:
		return x.later(ctx, 2*time.Second)
	case v.outcome == failed && (v.status == 0 || v.status >= http.StatusInternalServerError || v.status == http.StatusTooManyRequests) && x.r.Attempts < 2:
		// No answer is no answer; it may only have hiccups.
		x.r.Attempts++
		return x.later(ctx, time.Duration(x.r.Attempts)*15*time.Second)
	case denied || !meant:
		return x.forget(ctx)
	}
	// Another request for the same pair may have come meanwhile: then this one is
	// not what is meant any more.
	if err := x.move(ctx, leaseOf, nil, nil); err != nil {
		return x.settled(err)
	}
	id := "sub_" + strings.TrimPrefix(x.r.ID, "int_")
	if in.Mode == "unsubscribe" {
		if err := x.o.Store.DropReceiver(ctx, id); err != nil && !errors.Is(err, paper.ErrNotFound) {
			return err
		}
		return x.forget(ctx)
	}
	doc, err := json.Marshal(subscription{Topic: in.Topic, Ext: ext, Secret: in.Secret})
	if err != nil {
		return err
	}
	r := paper.Receiver{
		ID: id, Kind: paper.Subscription, Scope: scope.String(), URL: x.r.URL, Host: x.r.Host, Doc: string(doc), Cursor: in.From,
		State: paper.ReceiverLive, Expires: x.o.Now().Add(time.Duration(in.Lease) * time.Second),
	}
	// A renewal goes on where the subscription stands.
	if old, err := x.o.Store.Receiver(ctx, id); err == nil {
		r.Cursor = old.Cursor
	} else if !errors.Is(err, paper.ErrNotFound) {
		return err
	}
	if err := x.o.Store.KeepReceiver(ctx, r); err != nil {
		return err
	}
	x.o.Log.Info("subscription", "host", r.Host, "scope", r.Scope, "format", ext, "expires", r.Expires.UTC().Format(time.RFC3339))
	return x.forget(ctx)
}

// forget ends an intent, unless another one has taken its place.
func (x *drain) forget(ctx context.Context) error {
	if err := x.move(ctx, leaseOf, nil, nil); err != nil {
		return x.settled(err)
	}
	return x.o.Store.DropReceiver(ctx, x.r.ID)
}

// composeNotice makes the distribution of what changed in a topic (WebSub §7): the
// feed document with the changed items, whole.
func (d *Dispatch) composeNotice(ctx context.Context, r *paper.Receiver, events []paper.Event) (*parcel, error) {
	var doc subscription
	if err := json.Unmarshal([]byte(r.Doc), &doc); err != nil {
		return nil, fmt.Errorf("read subscription %s: %w", r.ID, err)
	}
	scope, touch, err := d.scope(ctx, r)
	if err != nil {
		return nil, err
	}
	var ids []string
	seen := map[string]bool{}
	room := d.press.Room(doc.Ext)
	through := events[len(events)-1].Cursor()
	for _, e := range events {
		if e.Article == "" || seen[e.Article] || !touch(e) {
			continue
		}
		if len(ids) == room {
			break
		}
		seen[e.Article] = true
		ids = append(ids, e.Article)
		if len(ids) == room {
			through = e.Cursor()
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	n, err := d.press.Notice(ctx, scope, doc.Ext, ids)
	if err != nil {
		return nil, err
	}
	p := &parcel{
		id: fmt.Sprintf("evt_%d_%d", through.Seq, through.N), through: through, url: r.URL, body: n.Body,
		header: http.Header{
			"Content-Type": {n.Type},
			"Link":         {"<" + d.o.Base + `/hub>; rel="hub", <` + doc.Topic + `>; rel="self"`},
		},
	}
	if n.Items == 0 {
		// Nothing that may be seen there: as if it had been nothing.
		return d.nothing(ctx, r, events, through)
	}
	if doc.Secret != "" {
		m := hmac.New(sha256.New, []byte(doc.Secret))
		m.Write(n.Body)
		p.header["X-Hub-Signature"] = []string{"sha256=" + hex.EncodeToString(m.Sum(nil))}
	}
	return p, nil
}

// nothing is the answer where what the events touch is not to be seen: on with the
// events behind, where there are such.
func (d *Dispatch) nothing(ctx context.Context, r *paper.Receiver, events []paper.Event, through paper.Cursor) (*parcel, error) {
	for i, e := range events {
		if through.Before(e.Cursor()) {
			return d.lines[r.Kind].compose(d, ctx, r, events[i:])
		}
	}
	return nil, nil
}
