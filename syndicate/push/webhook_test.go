package push

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"paperwire/internal/paper"
)

// outbox is a store with a list of events and some receivers, for one drain at a time.
type outbox struct {
	Store
	mu        sync.Mutex
	events    []paper.Event
	receivers map[string]paper.Receiver
	letters   []paper.DeadLetter
	tries     []paper.Delivery
	trouble   map[string]string // open incidents, by receiver
	between   func()            // what others do before a receiver is changed
}

func (o *outbox) Events(_ context.Context, after paper.Cursor, n int) (list []paper.Event, _ error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range o.events {
		if after.Before(e.Cursor()) && len(list) < n {
			list = append(list, e)
		}
	}
	return list, nil
}

func (o *outbox) Outbox(context.Context) (c paper.Cursor, _ error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.events) > 0 {
		c = o.events[len(o.events)-1].Cursor()
	}
	return c, nil
}

func (o *outbox) OutboxAt(_ context.Context, at time.Time) (c paper.Cursor, _ error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range o.events {
		if e.At.Before(at) {
			c = e.Cursor()
		}
	}
	return c, nil
}

func (o *outbox) Receiver(_ context.Context, id string) (paper.Receiver, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r, ok := o.receivers[id]
	if !ok {
		return r, paper.ErrNotFound
	}
	return r, nil
}

func (o *outbox) Receivers(_ context.Context, kind paper.ReceiverKind, _ string, _ int) (list []paper.Receiver, _ error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.receivers {
		if r.Kind == kind {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b paper.Receiver) int { return strings.Compare(a.ID, b.ID) })
	return list, nil
}

func (o *outbox) CountReceivers(_ context.Context, kind paper.ReceiverKind, host, client string) (all, there, theirs int, _ error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.receivers {
		if r.Kind != kind {
			continue
		}
		all++
		if strings.HasPrefix(r.Host, host+":") {
			there++
		}
		if r.Client == client {
			theirs++
		}
	}
	return all, there, theirs, nil
}

func (o *outbox) KeepReceiver(_ context.Context, r paper.Receiver) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.receivers[r.ID] = r
	return nil
}

func (o *outbox) ChangeReceiver(_ context.Context, id string, change func(*paper.Receiver) error) (paper.Receiver, error) {
	if o.between != nil {
		o.between()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	r, ok := o.receivers[id]
	if !ok {
		return r, paper.ErrNotFound
	}
	if err := change(&r); err != nil {
		return r, err
	}
	o.receivers[id] = r
	return r, nil
}

func (o *outbox) RenewReceivers(ctx context.Context, ids []string, until time.Time) error {
	for _, id := range ids {
		if _, err := o.ChangeReceiver(ctx, id, func(r *paper.Receiver) error {
			if r.Expires = until; r.State == paper.ReceiverPaused {
				r.State = paper.ReceiverLive
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

func (o *outbox) DropReceiver(_ context.Context, id string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.receivers, id)
	return nil
}

func (o *outbox) ClaimReceiver(ctx context.Context, id, _ string, _ time.Duration) (paper.Receiver, error) {
	return o.Receiver(ctx, id)
}

func (o *outbox) MoveReceiver(_ context.Context, r paper.Receiver, _ string, _ time.Duration, d *paper.Delivery, dead *paper.DeadLetter) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.receivers[r.ID] = r
	if d != nil {
		o.tries = append(o.tries, *d)
	}
	if dead != nil {
		o.letters = append(o.letters, *dead)
	}
	return nil
}

func (o *outbox) LogDelivery(_ context.Context, d paper.Delivery) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tries = append(o.tries, d)
	return nil
}

func (o *outbox) DeadLetters(_ context.Context, _ string, after paper.Cursor, n int) (list []paper.DeadLetter, _ error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, l := range o.letters {
		if after.Before(l.Event.Cursor()) && len(list) < n {
			list = append(list, l)
		}
	}
	return list, nil
}

func (o *outbox) DropDeadLetter(_ context.Context, _ string, at paper.Cursor) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.letters = slices.DeleteFunc(o.letters, func(l paper.DeadLetter) bool { return l.Event.Cursor() == at })
	return nil
}

func (o *outbox) Trouble(_ context.Context, source, _, problem string, open bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.trouble[source] = problem; !open {
		delete(o.trouble, source)
	}
	return nil
}

// hooked is a Dispatch over an outbox with one webhook, wh_1, and what it was sent.
func hooked(t *testing.T, press *shelf, doc hook, events ...paper.Event) (*Dispatch, *outbox, func() []hookMessage) {
	t.Helper()
	var mu sync.Mutex
	var got []hookMessage
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		var m hookMessage
		if err := json.Unmarshal(b, &m); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		got = append(got, m)
	}))
	t.Cleanup(server.Close)
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	box := &outbox{events: events, trouble: map[string]string{}, receivers: map[string]paper.Receiver{
		"wh_1": {ID: "wh_1", Kind: paper.Webhook, Scope: "all", URL: server.URL, Doc: string(raw), State: paper.ReceiverLive},
	}}
	d := New(Options{Store: box, Client: server.Client(), Base: "https://news.example", Open: []string{"127.0.0.1"}, Now: func() time.Time { return epoch.Add(time.Minute) }})
	d.Attach(press)
	return d, box, func() []hookMessage {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(got)
	}
}

func types(list []hookMessage) (out []string) {
	for _, m := range list {
		out = append(out, m.Type)
	}
	return out
}

// The dead letter of a withdrawal is never thrown away unsent.
func TestDeadLetterOfAWithdrawal(t *testing.T) {
	gone := edition("a", "2026-03-18", 1)
	gone[0].State = paper.Withdrawn
	press := &shelf{}
	d, box, got := hooked(t, press, hook{})
	for i, kind := range []paper.EventKind{paper.ArticleCorrected, paper.ArticleWithdrawn} {
		box.letters = append(box.letters, paper.DeadLetter{Event: event(int64(i+1), kind, "a", "2026-03-18", gone[0].ID)})
	}
	for _, l := range slices.Clone(box.letters) {
		if _, err := d.Resend(t.Context(), "wh_1", l.Event.ID()); !errors.Is(err, ErrRequest) {
			t.Errorf("%s: %v", l.Event.Kind, err)
		}
	}
	if len(box.letters) != 1 || box.letters[0].Event.Kind != paper.ArticleWithdrawn {
		t.Fatalf("%+v", box.letters)
	}
	press.items = gone
	if _, err := d.Resend(t.Context(), "wh_1", box.letters[0].Event.ID()); err != nil {
		t.Fatal(err)
	}
	if l := got(); len(l) != 1 || l[0].Type != "article.withdrawn" || len(box.letters) != 0 {
		t.Errorf("%+v, %+v", l, box.letters)
	}
}

// What is withdrawn by now comes as its withdrawal alone; who did not ask for those hears
// of it in what he asked for.
func TestPublishedAndWithdrawnMeanwhile(t *testing.T) {
	items := edition("a", "2026-03-18", 2)
	items[0].State = paper.Withdrawn
	events := []paper.Event{
		event(1, paper.ArticlePublished, "a", "2026-03-18", items[0].ID), event(2, paper.ArticleCorrected, "a", "2026-03-18", items[0].ID),
		event(3, paper.ArticlePublished, "a", "2026-03-18", items[1].ID), event(4, paper.ArticleRefiled, "a", "2026-03-18", items[0].ID),
		event(5, paper.ArticleWithdrawn, "a", "2026-03-18", items[0].ID),
	}
	for _, c := range []struct {
		asked []paper.EventKind
		want  []string
	}{
		{nil, []string{"article.published", "article.withdrawn"}},
		{[]paper.EventKind{paper.ArticlePublished, paper.ArticleWithdrawn}, []string{"article.published", "article.withdrawn"}},
		{[]paper.EventKind{paper.ArticlePublished}, []string{"article.published", "article.published"}},
	} {
		d, _, got := hooked(t, &shelf{items: items}, hook{Events: c.asked}, events...)
		if err := d.Drain(t.Context(), "wh_1", epoch); err != nil {
			t.Fatal(err)
		}
		if l := types(got()); !slices.Equal(l, c.want) {
			t.Errorf("who asked for %v got %v", c.asked, l)
		}
	}
}

// What has left the scope is told without its text, and only where the scope had it.
func TestRefiledOutOfTheScope(t *testing.T) {
	items := edition("a", "2026-03-18", 3)
	for i := range items {
		items[i].Text = "正文"
	}
	press := &shelf{items: items[:2], left: []string{items[1].ID}}
	d, _, got := hooked(t, press, hook{},
		event(1, paper.ArticleRefiled, "a", "2026-03-18", items[0].ID), event(2, paper.ArticleRefiled, "a", "2026-03-18", items[1].ID),
		event(3, paper.ArticleRefiled, "a", "2026-03-18", items[2].ID)) // the scope never had the third
	if err := d.Drain(t.Context(), "wh_1", epoch); err != nil {
		t.Fatal(err)
	}
	l := got()
	if len(l) != 2 {
		t.Fatalf("%v", types(l))
	}
	for i, m := range l {
		left := strings.Contains(string(m.Data), `"left_scope":true`)
		if left != (i == 1) || strings.Contains(string(m.Data), "正文") == left || !strings.Contains(string(m.Data), items[i].Headline) {
			t.Errorf("%d: %s", i, m.Data)
		}
	}
	if items[1].Text == "" {
		t.Error("the text is gone for everybody")
	}
}

// The cursor of a message is behind that event. Where a backup was restored since and
// another event has its number, its instant counts.
func TestReplayAfterABackup(t *testing.T) {
	var events []paper.Event
	for i := range 5 {
		e := event(int64(10+i), paper.ArticlePublished, "a", "2026-03-18", "a-20260318-0")
		e.At = epoch.Add(time.Duration(i) * time.Minute)
		events = append(events, e)
	}
	d, _, _ := hooked(t, &shelf{}, hook{}, events...)
	lost := events[4] // it had this number before the backup was restored
	lost.At = events[2].At.Add(time.Second)
	for _, c := range []struct {
		cursor string
		want   paper.Cursor
	}{
		{writePlace(events[3]), events[3].Cursor()}, {WriteCursor(events[3].Cursor()), events[3].Cursor()}, {writePlace(lost), events[2].Cursor()},
	} {
		at, since, err := ReadCursor(c.cursor)
		if err != nil {
			t.Fatal(err)
		}
		w, err := d.Replay(t.Context(), "wh_1", &at, since)
		if err != nil || w.Receiver.Cursor != c.want {
			t.Errorf("from %s: at %v, want %v: %v", c.cursor, w.Receiver.Cursor, c.want, err)
		}
	}
	for _, bad := range []string{"", "x", "1", "1.", "1.x", "-1.2", "1.2.", "1.2.!", "1.2.3.4"} {
		if c, _, err := ReadCursor(bad); !errors.Is(err, ErrRequest) {
			t.Errorf("%q: %v %v", bad, c, err)
		}
	}
}

// What two operators change at once is all kept, and nothing brings back what one deletes.
func TestChangesAtOnce(t *testing.T) {
	d, box, _ := hooked(t, &shelf{}, hook{Secret: "whsec_QUFBQQ=="})
	box.between = func() {
		box.between = nil
		if _, err := d.UpdateWebhook(t.Context(), "wh_1", func(s *WebhookSpec) { s.URL, s.Description = "https://neu.example/", "x" }); err != nil {
			t.Error(err)
		}
	}
	if _, _, err := d.RotateSecret(t.Context(), "wh_1"); err != nil {
		t.Fatal(err)
	}
	r := box.receivers["wh_1"]
	if h := readHook(&r); r.URL != "https://neu.example/" || h.Description != "x" || len(h.Formers) != 1 {
		t.Errorf("%+v", r)
	}
	box.between = func() {
		box.between = nil
		if _, _, err := d.RotateSecret(t.Context(), "wh_1"); err != nil {
			t.Error(err)
		}
	}
	w, err := d.UpdateWebhook(t.Context(), "wh_1", func(s *WebhookSpec) {
		s.Scope = "paper/a/"
		s.Events = []paper.EventKind{paper.ArticleWithdrawn, paper.ArticlePublished, paper.ArticlePublished}
	})
	if err != nil {
		t.Fatal(err)
	}
	r = box.receivers["wh_1"]
	if h := readHook(&r); len(h.Formers) != 2 || r.Scope != "paper/a" || len(h.Events) != 2 || w.Scope != "paper/a" || w.URL != "https://neu.example/" {
		t.Errorf("%+v", r)
	}
	box.between = func() { box.between = nil; _ = d.DeleteWebhook(t.Context(), "wh_1") }
	if _, err := d.UpdateWebhook(t.Context(), "wh_1", func(s *WebhookSpec) { s.Description = "y" }); !errors.Is(err, paper.ErrNotFound) || len(box.receivers) != 0 {
		t.Errorf("%v, %+v", err, box.receivers)
	}
}

// Who resumes a webhook that missed something sees it until the next delivery.
func TestResumedWithAGap(t *testing.T) {
	items := edition("a", "2026-03-18", 1)
	d, box, _ := hooked(t, &shelf{items: items}, hook{}, event(1, paper.ArticlePublished, "a", "2026-03-18", items[0].ID))
	r := box.receivers["wh_1"]
	r.State, r.Problem = paper.ReceiverPaused, paper.Missed
	box.receivers["wh_1"] = r
	w, err := d.UpdateWebhook(t.Context(), "wh_1", func(s *WebhookSpec) { s.Paused = false })
	if err != nil || w.Receiver.Problem != paper.Missed || w.Receiver.State != paper.ReceiverLive {
		t.Fatalf("%+v %v", w, err)
	}
	if err := d.Drain(t.Context(), "wh_1", epoch); err != nil || box.receivers["wh_1"].Problem != "" {
		t.Errorf("%+v %v", box.receivers["wh_1"], err)
	}
}

// A webhook that is gone stays so until somebody says otherwise.
func TestGoneStaysGone(t *testing.T) {
	d, box, _ := hooked(t, &shelf{}, hook{})
	for _, c := range []struct {
		change func(*WebhookSpec)
		want   paper.ReceiverState
	}{
		{func(s *WebhookSpec) { s.Description = "x" }, paper.ReceiverGone},
		{func(s *WebhookSpec) { s.Scope = "paper/a" }, paper.ReceiverGone},
		{func(s *WebhookSpec) { s.Paused, s.Gone = false, false }, paper.ReceiverLive},
		{func(s *WebhookSpec) { s.Paused, s.Gone = true, false }, paper.ReceiverPaused},
		{func(s *WebhookSpec) { s.URL = "https://neu.example/" }, paper.ReceiverLive},
	} {
		r := box.receivers["wh_1"]
		r.State, r.Problem = paper.ReceiverGone, "HTTP 410 Gone"
		box.receivers["wh_1"], box.trouble["wh_1"] = r, "gone"
		w, err := d.UpdateWebhook(t.Context(), "wh_1", c.change)
		if err != nil || w.Receiver.State != c.want || (w.Receiver.Problem == "") == (c.want == paper.ReceiverGone) || (len(box.trouble) > 0) != (c.want == paper.ReceiverGone) {
			t.Errorf("%+v %v, want %s; trouble %v", w, err, c.want, box.trouble)
		}
	}
}

// Who says when to come again is believed, whatever the status of his error.
func TestRetryAfterWithAnyError(t *testing.T) {
	for status, want := range map[int]time.Duration{200: 0, 302: 0, 400: time.Minute, 404: time.Minute, 429: time.Minute, 500: time.Minute, 503: time.Minute} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(status)
		}))
		d := New(Options{Client: server.Client(), Base: "https://news.example"})
		if v := d.send(t.Context(), paper.Webhook, &parcel{url: server.URL}); v.after != want || v.status != status {
			t.Errorf("%d: %+v", status, v)
		}
		server.Close()
	}
}

// A secret that is in use signs for its day, however often it is rotated.
func TestSecretsRotatedTwice(t *testing.T) {
	d, box, _ := hooked(t, &shelf{}, hook{Secret: "whsec_QUFBQQ==", Former: "whsec_T0xE", Rotated: epoch.Add(time.Hour).Unix()})
	now := epoch
	d.o.Now = func() time.Time { return now }
	secrets := []string{"whsec_T0xE", "whsec_QUFBQQ=="}
	for range 2 {
		now = now.Add(time.Minute)
		secret, _, err := d.RotateSecret(t.Context(), "wh_1")
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, secret)
	}
	signed := func(want ...string) {
		t.Helper()
		r := box.receivers["wh_1"]
		p := d.signed(&r, readHook(&r), "evt_1_1", []byte("{}"))
		got := strings.Fields(p.header["Webhook-Signature"][0])
		if len(got) != len(want) {
			t.Errorf("%d signatures, want %d", len(got), len(want))
		}
		for _, secret := range want {
			if !slices.Contains(got, sign(secret, "evt_1_1", p.header["Webhook-Timestamp"][0], []byte("{}"))) {
				t.Errorf("%s does not sign", secret)
			}
		}
	}
	signed(secrets...)
	now = epoch.Add(2 * time.Hour)
	signed(secrets[1:]...)
	now = epoch.Add(25 * time.Hour)
	signed(secrets[3])
	for n := range formersMost + 1 {
		if _, _, err := d.RotateSecret(t.Context(), "wh_1"); errors.Is(err, ErrRequest) != (n == formersMost) {
			t.Errorf("rotated %d times: %v", n, err)
		}
	}
}

// A webhook goes on where its section has moved to, and hears of what was filed under
// the former name.
func TestScopeThatMoved(t *testing.T) {
	items := edition("a", "2026-03-18", 2)
	before, after := event(1, paper.ArticlePublished, "a", "2026-03-18", items[0].ID), event(2, paper.ArticlePublished, "a", "2026-03-18", items[1].ID)
	before.Parts, after.Parts = []string{"section/alt"}, []string{"section/neu"}
	press := &shelf{items: items, moved: map[string]string{"section/alt": "section/neu"}}
	d, box, got := hooked(t, press, hook{}, before, after)
	r := box.receivers["wh_1"]
	r.Scope = "section/alt"
	box.receivers["wh_1"] = r
	if err := d.Drain(t.Context(), "wh_1", epoch); err != nil {
		t.Fatal(err)
	}
	if l := got(); len(l) != 2 || slices.ContainsFunc(press.asked, func(s string) bool { return s != "section/neu" }) {
		t.Errorf("%v, asked of %v", types(l), press.asked)
	}
}
