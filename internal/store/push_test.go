package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"paperwire/internal/paper"
)

// outboxed releases n articles of paper a, each in a transaction of its own.
func outboxed(t testing.TB, s *Store, c *clock, from, n int) {
	t.Helper()
	for i := range n {
		c.add(2 * time.Second)
		take(t, s, false, art("a", "2026-03-18", fmt.Sprint(from+i), from+i, fmt.Sprintf("第%d条", from+i)))
		letOut(t, s, "a")
	}
}

func TestOutboxIsReadInOrder(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		ctx := t.Context()
		if end, err := s.Outbox(ctx); err != nil || end != (paper.Cursor{}) {
			t.Fatal(end, err)
		}
		outboxed(t, s, c, 0, 3)
		half := c.now()
		outboxed(t, s, c, 3, 4)
		var at paper.Cursor
		var got []string
		for {
			list, err := s.Events(ctx, at, 2)
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == 0 {
				break
			}
			for _, e := range list {
				if !at.Before(e.Cursor()) {
					t.Errorf("%v after %v", e.Cursor(), at)
				}
				at = e.Cursor()
				got = append(got, e.Article)
				if e.Kind != paper.ArticlePublished || len(e.Parts) != 1 || e.Parts[0] != "section/yaowen" || e.At.IsZero() || e.Day != "2026-03-18" {
					t.Errorf("%+v", e)
				}
			}
		}
		if len(got) != 7 {
			t.Fatal(got)
		}
		if end, err := s.Outbox(ctx); err != nil || end != at {
			t.Errorf("end %v, read up to %v: %v", end, at, err)
		}
		from, err := s.OutboxAt(ctx, half.Add(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		if rest, err := s.Events(ctx, from, 100); err != nil || len(rest) != 4 || rest[0].Article != got[3] {
			t.Errorf("%v %v", rest, err)
		}
	})
}

func receiver(id string, at paper.Cursor) paper.Receiver {
	return paper.Receiver{ID: id, Kind: paper.Webhook, Scope: "all", URL: "https://x.example/?s=1", Host: "x.example:443", Doc: "{}", Cursor: at, State: paper.ReceiverLive}
}

// One drain at a time, whoever asks; who lost the lease moves nothing.
func TestReceiverLeases(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		ctx := t.Context()
		for _, id := range []string{"one", "two"} {
			if err := s.KeepReceiver(ctx, receiver(id, paper.Cursor{})); err != nil {
				t.Fatal(err)
			}
		}
		due := func(want int) []string {
			t.Helper()
			list, err := s.DueReceivers(ctx, 15*time.Second, 100)
			var ids []string
			for _, r := range list {
				ids = append(ids, r.ID)
			}
			if err != nil || len(ids) != want {
				t.Fatalf("due %v %v, want %d", ids, err, want)
			}
			return ids
		}
		due(0) // nothing is behind an empty outbox
		outboxed(t, s, c, 0, 3)
		due(2)
		due(0) // handed out
		c.add(16 * time.Second)
		due(2) // nobody began
		r, err := s.ClaimReceiver(ctx, "one", "p1", 20*time.Second)
		if err != nil || r.URL != "https://x.example/?s=1" {
			t.Fatalf("%+v %v", r, err)
		}
		if _, err := s.ClaimReceiver(ctx, "one", "p2", 20*time.Second); !errors.Is(err, ErrBusy) {
			t.Fatal(err)
		}
		if _, err := s.ClaimReceiver(ctx, "nobody", "p2", 20*time.Second); !errors.Is(err, paper.ErrNotFound) {
			t.Fatal(err)
		}
		events, _ := s.Events(ctx, r.Cursor, 10)
		r.Cursor = events[0].Cursor()
		d := &paper.Delivery{Event: events[0].ID(), Kind: events[0].Kind, At: c.now(), Took: 12 * time.Millisecond, Status: 200}
		if err := s.MoveReceiver(ctx, r, "p2", 20*time.Second, d, nil); !errors.Is(err, ErrBusy) {
			t.Fatal(err)
		}
		if err := s.MoveReceiver(ctx, r, "p1", 20*time.Second, d, nil); err != nil {
			t.Fatal(err)
		}
		if list, err := s.Deliveries(ctx, "one", 0, 10); err != nil || len(list) != 1 || list[0].N != 1 || list[0].Took != 12*time.Millisecond || list[0].Status != 200 {
			t.Fatalf("%+v %v", list, err)
		}
		c.add(21 * time.Second)
		due(2) // the process of the drain died
		if r, err = s.ClaimReceiver(ctx, "one", "p2", 20*time.Second); err != nil || r.Cursor != events[0].Cursor() {
			t.Fatalf("%+v %v", r, err)
		}
		if err := s.MoveReceiver(ctx, r, "p1", time.Second, nil, nil); !errors.Is(err, ErrBusy) {
			t.Fatal("a dead drain moves the cursor: ", err)
		}
		// The operator sets it back: the drain under way has nothing to say any more.
		back := r
		back.Cursor = paper.Cursor{}
		if err := s.KeepReceiver(ctx, back); err != nil {
			t.Fatal(err)
		}
		if err := s.MoveReceiver(ctx, r, "p2", 0, nil, nil); !errors.Is(err, ErrBusy) {
			t.Fatal(err)
		}
		if got, _ := s.Receiver(ctx, "one"); got.Cursor != (paper.Cursor{}) {
			t.Errorf("%+v", got)
		}
		// What must not be sent to yet is not due.
		if r, err = s.ClaimReceiver(ctx, "one", "p2", 20*time.Second); err != nil {
			t.Fatal(err)
		}
		r.Retry, r.Attempts, r.Since, r.Problem = c.now().Add(time.Minute), 1, c.now(), "503"
		dead := &paper.DeadLetter{Event: events[1], Attempts: 3, Problem: "410\x00"}
		if err := s.MoveReceiver(ctx, r, "p2", 0, nil, dead); err != nil {
			t.Fatal(err)
		}
		c.add(20 * time.Second)
		if ids := due(1); ids[0] != "two" {
			t.Fatal(ids)
		}
		if _, err := s.ClaimReceiver(ctx, "one", "p2", time.Second); !errors.Is(err, ErrBusy) {
			t.Fatal(err)
		}
		// What is not for them passes by without a drain, but not under a drain's hands.
		held, err := s.ClaimReceiver(ctx, "two", "p3", time.Second)
		if err != nil {
			t.Fatal(err)
		}
		pass := func() paper.Cursor {
			t.Helper()
			if err := s.PassReceivers(ctx, paper.Cursor{}, events[2].Cursor(), []string{"one", "two", "nobody"}); err != nil {
				t.Fatal(err)
			}
			got, _ := s.Receiver(ctx, "two")
			return got.Cursor
		}
		if got := pass(); got != (paper.Cursor{}) {
			t.Errorf("moved to %v under a drain", got)
		}
		if err := s.MoveReceiver(ctx, held, "p3", 0, nil, nil); err != nil {
			t.Fatal(err)
		}
		due(1)
		if _, err := s.ChangeReceiver(ctx, "two", func(r *paper.Receiver) error { r.Scope = "section/neu"; return nil }); err != nil {
			t.Fatal(err)
		}
		if got := pass(); got != (paper.Cursor{}) {
			t.Errorf("moved to %v though it is about something else now", got)
		}
		due(1)
		if got := pass(); got != events[2].Cursor() {
			t.Errorf("it stands at %v", got)
		}
		if err := s.KeepReceiver(ctx, receiver("two", paper.Cursor{})); err != nil {
			t.Fatal(err)
		}
		if err := s.KeepReceiver(ctx, r); err != nil {
			t.Fatal(err)
		}
		letters, err := s.DeadLetters(ctx, "one", paper.Cursor{}, 10)
		if err != nil || len(letters) != 1 || letters[0].Event.ID() != events[1].ID() || letters[0].Event.Parts[0] != "section/yaowen" || letters[0].Attempts != 3 {
			t.Fatalf("%+v %v", letters, err)
		}
		logs, err := s.Backlogs(ctx)
		if err != nil || len(logs) != 1 || logs[0].Receivers != 2 || logs[0].Failing != 1 || !logs[0].Oldest.Equal(events[0].At) {
			t.Errorf("%+v %v", logs, err)
		}
		if err := s.DropDeadLetter(ctx, "one", events[1].Cursor()); err != nil {
			t.Error(err)
		}
		if err := s.DropReceiver(ctx, "one"); err != nil {
			t.Error(err)
		}
		if err := s.DropReceiver(ctx, "one"); !errors.Is(err, paper.ErrNotFound) {
			t.Error(err)
		}
		if all, there, theirs, err := s.CountReceivers(ctx, paper.Webhook, "x.example", "someone"); err != nil || all != 1 || there != 1 || theirs != 0 {
			t.Error(all, there, theirs, err)
		}
	})
}

// Changes of one receiver at once are all kept; who is gone does not come back.
func TestReceiverIsChangedInTurn(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		s := open(t, dsn(t), newClock())
		ctx := t.Context()
		nothing := func(*paper.Receiver) error { return nil }
		if _, err := s.ChangeReceiver(ctx, "one", nothing); !errors.Is(err, paper.ErrNotFound) {
			t.Fatal(err)
		}
		if err := s.KeepReceiver(ctx, receiver("one", paper.Cursor{})); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := s.ChangeReceiver(ctx, "one", func(r *paper.Receiver) error { r.Attempts++; r.Doc += "x"; return nil }); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if r, err := s.Receiver(ctx, "one"); err != nil || r.Attempts != 20 || len(r.Doc) != 22 {
			t.Errorf("%+v %v", r, err)
		}
		no := errors.New("no")
		if _, err := s.ChangeReceiver(ctx, "one", func(r *paper.Receiver) error { r.Doc = ""; return no }); err != no {
			t.Errorf("the error of who changes: %v", err)
		}
		if _, err := s.ClaimReceiver(ctx, "one", "p", time.Minute); err != nil {
			t.Fatal(err)
		}
		r, err := s.ChangeReceiver(ctx, "one", nothing)
		if err != nil || len(r.Doc) != 22 {
			t.Errorf("%+v %v", r, err)
		}
		if err := s.MoveReceiver(ctx, r, "p", 0, nil, nil); !errors.Is(err, ErrBusy) {
			t.Errorf("the drain goes on: %v", err)
		}
	})
}

// An id names one event for ever; those that were sent before ids held the instant stay.
func TestEventIDs(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		ctx := t.Context()
		outboxed(t, s, c, 0, 2)
		events, err := s.Events(ctx, paper.Cursor{}, 10)
		if err != nil || len(events) != 2 {
			t.Fatal(events, err)
		}
		again := events[0]
		again.At = again.At.Add(time.Second)
		if events[0].ID() == again.ID() {
			t.Errorf("another event of its number has the id %s too", again.ID())
		}
		// As a version before left them.
		if err := s.KeepReceiver(ctx, receiver("one", paper.Cursor{})); err != nil {
			t.Fatal(err)
		}
		r, err := s.ClaimReceiver(ctx, "one", "p", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.MoveReceiver(ctx, r, "p", 0, nil, &paper.DeadLetter{Event: events[0], Problem: "x"}); err != nil {
			t.Fatal(err)
		}
		migration, err := migrations.ReadFile("migrations/0016_event_ids.sql")
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(migration), "\n") {
			if strings.HasPrefix(line, "UPDATE") {
				if _, err := s.w.ExecContext(ctx, line); err != nil {
					t.Fatal(err)
				}
			}
		}
		outboxed(t, s, c, 2, 1)
		events, err = s.Events(ctx, paper.Cursor{}, 10)
		if err != nil || len(events) != 3 {
			t.Fatal(events, err)
		}
		for i, e := range events {
			if old := e.ID() == fmt.Sprintf("evt_%d_%d", e.Seq, e.N); old != (i < 2) {
				t.Errorf("event %d: %s", i, e.ID())
			}
		}
		if letters, err := s.DeadLetters(ctx, "one", paper.Cursor{}, 10); err != nil || len(letters) != 1 || letters[0].Event.ID() != events[0].ID() {
			t.Errorf("%+v %v", letters, err)
		}
	})
}

// Trouble with a receiver is told to the operator and not to the public.
func TestTroubleWithReceivers(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		ctx := t.Context()
		if err := s.Trouble(ctx, "wh_1", "failing", "HTTP 503 from n8n.internal:5678", true); err != nil {
			t.Fatal(err)
		}
		if list, err := s.Incidents(ctx, 10); err != nil || len(list) != 0 {
			t.Errorf("public: %+v %v", list, err)
		}
		if list, err := s.Untold(ctx); err != nil || len(list) != 1 || list[0].Source != "wh_1" {
			t.Errorf("to the operator: %+v %v", list, err)
		}
	})
}

// Nobody waits for what is no source any more.
func TestTroubleOfRetired(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		s := open(t, dsn(t), newClock())
		ctx := t.Context()
		if err := s.Trouble(ctx, "a", "late", "no edition", true); err != nil {
			t.Fatal(err)
		}
		if err := s.Configure(ctx, Setup{}); err != nil {
			t.Fatal(err)
		}
		if list, err := s.Incidents(ctx, 10); err != nil || len(list) != 1 || list[0].Ended.IsZero() {
			t.Errorf("%+v %v", list, err)
		}
		if list, err := s.Untold(ctx); err != nil || len(list) != 0 {
			t.Errorf("told: %+v %v", list, err)
		}
	})
}

// Intents are handed out by client in turn: one that asks for many gets its share, and
// no more are under way than can be worked on. Receivers do not wait behind them.
func TestIntentsAreShared(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		ctx := t.Context()
		keep := func(client, host string, n int) {
			t.Helper()
			for i := range n {
				r := receiver(fmt.Sprintf("int_%s_%02d", client, i), paper.Cursor{Seq: -1})
				r.Kind, r.Client, r.Host = paper.Intent, client, fmt.Sprintf("%s:%d", host, 8000+i)
				if err := s.KeepReceiver(ctx, r); err != nil {
					t.Fatal(err)
				}
			}
		}
		keep("a", "x.example", 20)
		keep("b", "xx.example", 3)
		outboxed(t, s, c, 0, 1)
		if list, err := s.DueReceivers(ctx, 15*time.Second, 10); err != nil || len(list) != 0 {
			t.Errorf("intents among receivers: %v %v", list, err)
		}
		due := func(n, each int) map[string]int {
			t.Helper()
			list, err := s.DueIntents(ctx, 15*time.Second, n, each)
			if err != nil {
				t.Fatal(err)
			}
			of := map[string]int{}
			for _, id := range list {
				of[id[4:5]]++
			}
			return of
		}
		if of := due(5, 4); of["a"]+of["b"] != 5 || of["b"] < 2 {
			t.Errorf("first %v", of)
		}
		if of := due(16, 4); of["a"]+of["b"] != 2 {
			t.Errorf("the others %v", of)
		}
		if of := due(16, 4); len(of) != 0 {
			t.Errorf("more than its share: %v", of)
		}
		if of := due(7, 20); len(of) != 0 {
			t.Errorf("more than can be worked on: %v", of)
		}
		c.add(16 * time.Second)
		if of := due(16, 4); of["a"] != 4 || of["b"] != 3 {
			t.Errorf("none of them began: %v", of)
		}
		if all, there, theirs, err := s.CountReceivers(ctx, paper.Intent, "x.example", "b"); err != nil || all != 23 || there != 20 || theirs != 3 {
			t.Error(all, there, theirs, err)
		}
	})
}

// Nothing is pruned that a receiver still needs, and nothing of the last 30 days.
func TestPrunePushed(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock()
		s := open(t, dsn(t), c)
		ctx := t.Context()
		outboxed(t, s, c, 0, 4)
		events, _ := s.Events(ctx, paper.Cursor{}, 10)
		slow := receiver("slow", events[1].Cursor())
		if err := s.KeepReceiver(ctx, slow); err != nil {
			t.Fatal(err)
		}
		left := func() (n int) {
			if err := s.PrunePushed(ctx); err != nil {
				t.Fatal(err)
			}
			list, _ := s.Events(ctx, paper.Cursor{}, 10)
			return len(list)
		}
		if n := left(); n != 4 {
			t.Fatalf("%d of 4 events left at once", n)
		}
		c.add(31 * 24 * time.Hour)
		outboxed(t, s, c, 4, 1)
		if n := left(); n != 4 { // the receiver stands behind the second, which stays as the place it is at
			t.Fatalf("%d events left, want 4", n)
		}
		slow.State = paper.ReceiverPaused
		if err := s.KeepReceiver(ctx, slow); err != nil {
			t.Fatal(err)
		}
		even := receiver("even", events[3].Cursor()) // it has what is pruned
		even.State = paper.ReceiverPaused
		if err := s.KeepReceiver(ctx, even); err != nil {
			t.Fatal(err)
		}
		if n := left(); n != 1 {
			t.Fatalf("%d events left, want the newest", n)
		}
		for id, want := range map[string]string{"slow": paper.Missed, "even": ""} {
			if r, err := s.Receiver(ctx, id); err != nil || r.Problem != want {
				t.Errorf("%s: problem %q %v", id, r.Problem, err)
			}
		}
		// A lease that ends takes its subscription along.
		sub := receiver("sub", paper.Cursor{})
		sub.Kind, sub.Expires = paper.Subscription, c.now().Add(time.Hour)
		if err := s.KeepReceiver(ctx, sub); err != nil {
			t.Fatal(err)
		}
		for _, want := range []int{0, 1, 0} {
			if n, err := s.ExpireReceivers(ctx); err != nil || n != want {
				t.Fatal(n, err)
			}
			c.add(time.Hour)
		}
		// A robot that nobody renews goes with what was kept of it; one that is renewed stays.
		for _, id := range []string{"robot:a", "robot:b"} {
			r := receiver(id, paper.Cursor{})
			r.Kind, r.State, r.Expires = paper.Robot, paper.ReceiverPaused, c.now().Add(time.Hour)
			if err := s.KeepReceiver(ctx, r); err != nil {
				t.Fatal(err)
			}
			if err := s.LogDelivery(ctx, paper.Delivery{Receiver: id, Event: "e"}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.RenewReceivers(ctx, []string{"robot:a"}, c.now().Add(3*time.Hour)); err != nil {
			t.Fatal(err)
		}
		c.add(2 * time.Hour)
		if n, err := s.ExpireReceivers(ctx); err != nil || n != 1 {
			t.Error(n, err)
		}
		if r, err := s.Receiver(ctx, "robot:a"); err != nil || r.State != paper.ReceiverLive {
			t.Errorf("%+v %v", r, err)
		}
		for id, want := range map[string]int{"robot:a": 1, "robot:b": 0} {
			if list, err := s.Deliveries(ctx, id, 0, 10); err != nil || len(list) != want {
				t.Errorf("%s: %v %v", id, list, err)
			}
		}
	})
}

// The delivery log is bounded.
func TestDeliveriesAreBounded(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir()+"/p.db", c)
	if err := s.KeepReceiver(t.Context(), receiver("one", paper.Cursor{})); err != nil {
		t.Fatal(err)
	}
	// As if a thousand had been.
	if _, err := s.w.ExecContext(context.Background(), `UPDATE receivers SET deliveries = 999`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.w.ExecContext(context.Background(), `INSERT INTO deliveries (receiver, n, event, kind, at, took, status, problem) VALUES ('one', 1, '', '', 0, 0, 0, ''), ('one', 2, '', '', 0, 0, 0, '')`); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.LogDelivery(t.Context(), paper.Delivery{Receiver: "one", Event: "e"}); err != nil {
			t.Fatal(err)
		}
	}
	list, err := s.Deliveries(t.Context(), "one", 0, 10)
	if err != nil || len(list) != 3 || list[2].N != 2 {
		t.Errorf("%+v %v", list, err)
	}
}
