package push

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"paperwire/internal/paper"
)

const (
	sweepEvery = 500 * time.Millisecond
	sweepMost  = 250              // receivers that one sweep wakes: about what is drained until the next
	passMost   = 500              // events that are looked at for who passes by
	beginsIn   = 15 * time.Second // a job that has not begun by then is taken for lost
	leaseOf    = 20 * time.Second // longer than a delivery may take
	drainFor   = time.Minute      // then the others of the queue have their turn
	troubleIn  = time.Hour        // of failing, and the operator is told
	tidyEvery  = time.Hour
	countEvery = 10 * time.Second
	expectedIn = 2 * time.Second // an answer that takes longer is slow
	renewEvery = 10 * time.Minute
	silentFor  = 30 * time.Minute // and a robot that no process has in its configuration is paused
	unseenFor  = 24 * time.Hour   // and it is forgotten
)

type counter struct{ n atomic.Int64 }

// line is what all receivers of one kind have in common.
type line struct {
	batch int // events that are looked at together
	// compose makes one parcel of events in order, from the first of them on; nil
	// where none of them is for the receiver. It moves nothing.
	compose func(d *Dispatch, ctx context.Context, r *paper.Receiver, events []paper.Event) (*parcel, error)
	backoff []time.Duration // pauses after the first, second … failure; the last one stays
	// patience is how long a parcel is tried.
	patience func(r *paper.Receiver) time.Duration
	end      ending
	logged   bool
}

// ending is what becomes of a parcel whose time is over.
type ending int

const (
	buried  ending = iota // to the dead letters, and on with the next
	skipped               // on with the next
	dropped               // the receiver ends
)

// newLines are the kinds that read the outbox. An intent does not and has its own
// way (see verify).
func newLines() map[paper.ReceiverKind]line {
	return map[paper.ReceiverKind]line{
		paper.Subscription: {
			batch: 200, compose: (*Dispatch).composeNotice, end: dropped,
			backoff:  []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour},
			patience: func(*paper.Receiver) time.Duration { return 3 * 24 * time.Hour },
		},
		paper.Webhook: {
			batch: 100, compose: (*Dispatch).composeEvent, end: buried, logged: true,
			backoff: []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour},
			patience: func(r *paper.Receiver) time.Duration {
				return readHook(r).patience()
			},
		},
		paper.Robot: {
			batch: 500, compose: (*Dispatch).composeChat, end: skipped, logged: true,
			backoff:  []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour},
			patience: func(*paper.Receiver) time.Duration { return 6 * time.Hour },
		},
		paper.Ping: {
			batch: 500, compose: (*Dispatch).composePing, end: skipped, logged: true,
			backoff:  []time.Duration{30 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour},
			patience: func(*paper.Receiver) time.Duration { return 24 * time.Hour },
		},
	}
}

// Run wakes receivers that are behind, ends subscriptions whose lease is over and
// tidies, until the context is over. Every process of an installation runs it; the
// store hands each receiver to one of them.
func (d *Dispatch) Run(ctx context.Context) error {
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	var tidied, counted, expired, configured time.Time
	troubled := false
	say := func(what string, err error) {
		if err != nil && ctx.Err() == nil && !troubled {
			d.o.Log.Error(what, "error", err)
			troubled = true
		}
	}
	for {
		err := error(nil)
		// By the wall's clock, as what expires: a machine may have slept for days.
		if now := d.o.Now().Round(0); now.Sub(configured) >= renewEvery {
			err = d.configure(ctx, configured.IsZero())
			say("take up robots and pings", err)
			if err == nil {
				configured = now
			}
		}
		if err == nil {
			err = d.sweep(ctx)
			say("wake receivers", err)
		}
		if err == nil {
			troubled = false
		}
		now := d.o.Now()
		if now.Sub(expired) >= time.Minute {
			expired = now
			n, err := d.o.Store.ExpireReceivers(ctx)
			say("end subscriptions", err)
			if n > 0 {
				d.o.Log.Info("receivers expired", "receivers", n)
			}
			d.asked.tidy()
			d.slow.tidy(now)
			d.hosts.tidy()
		}
		if now.Sub(counted) >= countEvery {
			counted = now
			if list, err := d.o.Store.Backlogs(ctx); err != nil {
				say("count receivers", err)
			} else {
				d.metrics.backlogs.Store(&backlogs{list, now})
			}
		}
		if now.Sub(tidied) >= tidyEvery {
			tidied = now
			say("prune outbox", d.o.Store.PrunePushed(ctx))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// configure makes receivers of the robots and pings of the configuration, and says
// that they are in it still. Who is new begins at the end of the outbox; who was there
// goes on where it stands, at the start at once: what was wrong may be mended.
//
// Another process may have others: they are left alone until it has been silent about
// them for a while, then paused, and expire a day after it spoke last.
func (d *Dispatch) configure(ctx context.Context, start bool) error {
	want := map[string]paper.Receiver{}
	for id, r := range d.robots {
		want[id] = paper.Receiver{ID: id, Kind: paper.Robot, Scope: r.Scope, Host: hostOf(r.URL)}
	}
	for id, p := range d.pings {
		want[id] = paper.Receiver{ID: id, Kind: paper.Ping, Scope: "all", Host: hostOf(p.url)}
	}
	end, err := d.o.Store.Outbox(ctx)
	if err != nil {
		return err
	}
	until := d.o.Now().Add(unseenFor)
	var own []string
	for _, kind := range []paper.ReceiverKind{paper.Robot, paper.Ping} {
		have, err := d.o.Store.Receivers(ctx, kind, "", 1000)
		if err != nil {
			return err
		}
		for _, r := range have {
			w, ok := want[r.ID]
			delete(want, r.ID)
			var change func(*paper.Receiver)
			switch {
			case !ok && r.Expires.IsZero():
				change = func(r *paper.Receiver) { r.Expires = until }
			case !ok && r.State == paper.ReceiverLive && until.Sub(r.Expires) > silentFor:
				change = func(r *paper.Receiver) { r.State = paper.ReceiverPaused }
			case ok && (start || w.Scope != r.Scope || w.Host != r.Host):
				// Since when it fails stays: the first success ends the incident by it.
				change = func(r *paper.Receiver) {
					r.Scope, r.Host, r.State, r.Attempts, r.Retry, r.Expires = w.Scope, w.Host, paper.ReceiverLive, 0, time.Time{}, until
				}
			case ok:
				own = append(own, r.ID)
				continue
			default:
				continue
			}
			if _, err := d.o.Store.ChangeReceiver(ctx, r.ID, func(r *paper.Receiver) error { change(r); return nil }); err != nil && !errors.Is(err, paper.ErrNotFound) {
				return err
			}
		}
	}
	for _, r := range want {
		r.Cursor, r.State, r.Doc, r.Expires = end, paper.ReceiverLive, "{}", until
		if err := d.o.Store.KeepReceiver(ctx, r); err != nil {
			return err
		}
	}
	return d.o.Store.RenewReceivers(ctx, own, until)
}

// sweep queues a drain for each receiver that is due and that the events behind its
// cursor may concern. The others are moved on together: a release about one district
// is no work for the subscribers of another.
func (d *Dispatch) sweep(ctx context.Context) error {
	intents, err := d.o.Store.DueIntents(ctx, beginsIn, verifyMost, verifyShare)
	if err == nil && len(intents) > 0 {
		err = d.o.Queue(ctx, workVerify, d.o.Now(), intents...)
	}
	if err != nil {
		return err
	}
	list, err := d.o.Store.DueReceivers(ctx, beginsIn, sweepMost)
	if err != nil || len(list) == 0 {
		return err
	}
	drains := map[string][]string{}
	add := func(r paper.Receiver) {
		kind := d.work(r)
		drains[kind] = append(drains[kind], r.ID)
	}
	at := map[paper.Cursor][]paper.Receiver{} // most stand at one place
	for _, r := range list {
		if r.Kind == paper.Ping {
			add(r)
		} else {
			at[r.Cursor] = append(at[r.Cursor], r)
		}
	}
	for cursor, there := range at {
		events, err := d.o.Store.Events(ctx, cursor, passMost)
		if err != nil {
			return err
		}
		var pass []string
		concerned := map[string]bool{} // by scope
		for _, r := range there {
			does, known := concerned[r.Scope]
			if !known {
				_, touch, err := d.scope(ctx, &r)
				does = err != nil || slices.ContainsFunc(events, touch)
				concerned[r.Scope] = does
			}
			if does || len(events) == 0 {
				add(r)
			} else {
				pass = append(pass, r.ID)
			}
		}
		if len(pass) == 0 {
			continue
		}
		if err := d.o.Store.PassReceivers(ctx, cursor, events[len(events)-1].Cursor(), pass); err != nil {
			return err
		}
	}
	var errs []error
	for kind, ids := range drains {
		errs = append(errs, d.o.Queue(ctx, kind, d.o.Now(), ids...))
	}
	return errors.Join(errs...)
}

// The kinds of jobs; see [Works].
const (
	workOwn     = "push"
	workOwnSlow = "push-slow"
	workHub     = "hub"
	workHubSlow = "hub-slow"
	workVerify  = "verify"
)

// work is the kind of job that drains a receiver.
func (d *Dispatch) work(r paper.Receiver) string {
	doubtful := r.Attempts > 0 || d.slow.has(r.ID, d.o.Now())
	switch {
	case r.Kind == paper.Subscription && doubtful:
		return workHubSlow
	case r.Kind == paper.Subscription:
		return workHub
	case doubtful:
		return workOwnSlow
	}
	return workOwn
}

// Drain brings one receiver what it has not got yet: a job. What it cannot finish
// is due again by itself.
func (d *Dispatch) Drain(ctx context.Context, id string, _ time.Time) error {
	owner := fmt.Sprintf("%s/%d", d.o.Owner, d.drains.n.Add(1))
	r, err := d.o.Store.ClaimReceiver(ctx, id, owner, leaseOf)
	if errors.Is(err, paper.ErrBusy) || errors.Is(err, paper.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	x := &drain{Dispatch: d, r: r, owner: owner}
	if !d.knows(r) {
		return x.later(ctx, 5*time.Second) // for a process that does, or until it is paused
	}
	if r.Kind == paper.Intent {
		return x.verify(ctx)
	}
	return x.run(ctx)
}

// knows reports whether this process knows where a receiver is reached: robots and
// pings stand in the configuration, which another may have otherwise.
func (d *Dispatch) knows(r paper.Receiver) bool {
	switch r.Kind {
	case paper.Robot:
		_, ok := d.robots[r.ID]
		return ok
	case paper.Ping:
		_, ok := d.pings[r.ID]
		return ok
	}
	return true
}

// drain is one under way.
type drain struct {
	*Dispatch
	r     paper.Receiver
	owner string
}

// move writes down how it stands; the lease goes on for ttl.
func (x *drain) move(ctx context.Context, ttl time.Duration, try *paper.Delivery, dead *paper.DeadLetter) error {
	// What a receiver has acknowledged is written down even while we are stopped.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return x.o.Store.MoveReceiver(ctx, x.r, x.owner, ttl, try, dead)
}

// later ends the drain: the receiver is due again after a pause.
func (x *drain) later(ctx context.Context, pause time.Duration) error {
	// Spread, so that those that wait for one thing do not come back all at once.
	x.r.Retry = x.o.Now().Add(pause/2 + rand.N(pause))
	return x.settled(x.move(ctx, 0, nil, nil))
}

// settled takes the loss of a lease for what it is: somebody else goes on.
func (x *drain) settled(err error) error {
	if errors.Is(err, paper.ErrBusy) {
		return nil
	}
	return err
}

func (x *drain) run(ctx context.Context) error {
	k, ok := x.lines[x.r.Kind]
	if !ok {
		return fmt.Errorf("receiver %s: unknown kind %q", x.r.ID, x.r.Kind)
	}
	until := x.o.Now().Add(drainFor)
	for ctx.Err() == nil && x.o.Now().Before(until) {
		events, err := x.o.Store.Events(ctx, x.r.Cursor, k.batch)
		if err == nil && len(events) == 0 {
			return x.settled(x.move(ctx, 0, nil, nil))
		}
		var p *parcel
		if err == nil {
			p, err = k.compose(x.Dispatch, ctx, &x.r, events)
		}
		if err != nil {
			// The store, not the receiver: it has done nothing wrong.
			return errors.Join(err, x.later(context.WithoutCancel(ctx), 5*time.Second))
		}
		if p == nil {
			x.r.Cursor = events[len(events)-1].Cursor()
			if err := x.move(ctx, leaseOf, nil, nil); err != nil {
				return x.settled(err)
			}
			continue
		}
		on, err := x.deliver(ctx, k, p)
		if err != nil || !on {
			return x.settled(err)
		}
	}
	return x.settled(x.move(ctx, 0, nil, nil))
}

// deliver brings one parcel and writes down what came of it. on says whether the
// drain goes on with the next.
func (x *drain) deliver(ctx context.Context, k line, p *parcel) (on bool, err error) {
	v := x.send(ctx, x.r.Kind, p)
	switch {
	case ctx.Err() != nil && v.outcome != delivered:
		// Stopped in between: it may have arrived, and comes again.
		return false, x.move(ctx, 0, nil, nil)
	case v.outcome == crowded:
		return false, x.later(ctx, 2*time.Second)
	}
	if v.took > expectedIn {
		x.slow.add(x.r.ID, x.o.Now())
	}
	now := x.o.Now()
	var try *paper.Delivery
	if k.logged {
		try = &paper.Delivery{Receiver: x.r.ID, Event: p.id, Kind: p.kind, At: now.Add(-v.took), Took: v.took, Status: v.status, Problem: v.problem}
	}
	x.tell(p, v)
	if v.outcome == delivered {
		was := x.r.Since
		x.r.Cursor, x.r.Attempts, x.r.Since, x.r.Problem, x.r.Retry = p.through, 0, time.Time{}, "", time.Time{}
		ttl := leaseOf
		if p.pause > 0 {
			x.r.Retry, ttl = now.Add(p.pause), 0
		} else if end, err := x.o.Store.Outbox(ctx); err == nil && !p.through.Before(end) {
			ttl = 0 // that was all: what comes now is for the sweep to see
		}
		if err := x.move(ctx, ttl, try, nil); err != nil {
			return false, err
		}
		if x.told() && !was.IsZero() {
			return ttl > 0, x.o.Store.Trouble(ctx, x.r.ID, "failing", "", false)
		}
		return ttl > 0, nil
	}
	x.r.Attempts++
	x.r.Problem = v.problem
	if x.r.Since.IsZero() {
		x.r.Since = now
	}
	if v.outcome == gone {
		if x.r.Kind == paper.Subscription {
			return false, x.drop(ctx, "it answered 410")
		}
		x.r.State = paper.ReceiverGone
		if err := x.move(ctx, 0, try, nil); err != nil {
			return false, err
		}
		x.o.Log.Warn("receiver is gone: nothing is sent to it any more", "receiver", x.r.ID, "host", x.r.Host)
		return false, x.o.Store.Trouble(ctx, x.r.ID, "failing", "it answered 410: nothing is sent to it any more", true)
	}
	over := later(later(p.since, x.r.Since), p.again).Add(k.patience(&x.r))
	if v.outcome != refused && now.Before(over) {
		pause := k.backoff[min(x.r.Attempts, len(k.backoff))-1]
		pause = max(pause*9/10+rand.N(pause/5+1), v.after)
		x.r.Retry = now.Add(min(pause, max(over.Sub(now), time.Second)))
		if err := x.move(ctx, 0, try, nil); err != nil {
			return false, err
		}
		if x.told() && now.Sub(x.r.Since) >= troubleIn {
			return false, x.o.Store.Trouble(ctx, x.r.ID, "failing", x.r.Problem+" from "+x.r.Host, true)
		}
		return false, nil
	}
	var dead *paper.DeadLetter
	switch k.end {
	case dropped:
		return false, x.drop(ctx, "it failed for too long: "+v.problem)
	case buried:
		dead = &paper.DeadLetter{Receiver: x.r.ID, Event: p.event, Attempts: x.r.Attempts, Problem: v.problem}
	}
	x.metrics.deliveries.WithLabelValues(string(x.r.Kind), "given up").Inc()
	x.o.Log.Warn("delivery given up", "receiver", x.r.ID, "host", x.r.Host, "event", p.id, "attempts", x.r.Attempts, "problem", v.problem)
	x.r.Cursor, x.r.Attempts, x.r.Retry = p.through, 0, time.Time{}
	ttl := leaseOf
	if v.outcome == refused {
		x.r.Retry, ttl = now.Add(max(v.after, p.pause)), 0
	}
	if err := x.move(ctx, ttl, try, dead); err != nil {
		return false, err
	}
	if !x.told() || v.outcome == refused && v.after > 0 { // a quota is no trouble
		return ttl > 0, nil
	}
	// Of what is left out nobody would hear otherwise. It is no stretch of time that the
	// next success could end before anybody was told.
	return ttl > 0, x.o.Store.Trouble(ctx, x.r.ID, "refused", v.problem+" from "+x.r.Host+": given up", true)
}

// told reports whether the operator hears of this receiver's trouble: of what he set up.
func (x *drain) told() bool { return x.r.Kind != paper.Subscription }

// drop ends a subscription.
func (x *drain) drop(ctx context.Context, why string) error {
	// Only who still has the lease may: it may have been renewed meanwhile.
	if err := x.move(ctx, leaseOf, nil, nil); err != nil {
		return err
	}
	x.o.Log.Info("subscription ended", "host", x.r.Host, "scope", x.r.Scope, "why", why)
	x.metrics.deliveries.WithLabelValues(string(x.r.Kind), "ended").Inc()
	return x.o.Store.DropReceiver(context.WithoutCancel(ctx), x.r.ID)
}

// tell writes the line of a delivery into the log; a URL may hold secrets, so it
// names the host only.
func (x *drain) tell(p *parcel, v verdict) {
	level := x.o.Log.Debug
	if v.outcome != delivered && x.told() {
		level = x.o.Log.Warn
	}
	level("delivery", "receiver", x.r.ID, "scope", x.r.Scope, "host", x.r.Host, "event", p.id, "status", v.status, "problem", v.problem, "took", v.took.Round(time.Millisecond).String())
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// scope is what a receiver is about: its scope as it is written by now, for a section
// may have moved since it was stored. touch reports whether an event may concern it:
// what was filed under the former name before is about it too.
func (d *Dispatch) scope(ctx context.Context, r *paper.Receiver) (now paper.Scope, touch func(paper.Event) bool, err error) {
	was, err := paper.ParseScope(r.Scope)
	if err != nil {
		return was, nil, fmt.Errorf("scope of receiver %s: %w", r.ID, err)
	}
	now, err = d.press.Scope(ctx, r.Scope)
	if errors.Is(err, ErrRequest) {
		now = was // what it names is gone
	} else if err != nil {
		return now, nil, err
	}
	return now, func(e paper.Event) bool { return touches(now, e) || touches(was, e) }, nil
}

// touches reports whether an event may concern a scope: what it says of sections,
// districts and papers. Whether it does is for the gate to say.
func touches(s paper.Scope, e paper.Event) bool {
	if len(s.Papers) > 0 && !contains(s.Papers, "", e.Paper) {
		return false
	}
	for prefix, values := range map[string][]string{"section/": s.Sections, "district/": s.Districts} {
		if len(values) == 0 {
			continue
		}
		if !slices.ContainsFunc(e.Parts, func(part string) bool { return contains(values, prefix, part) }) {
			return false
		}
	}
	return true
}

func contains(values []string, prefix, part string) bool {
	for _, v := range values {
		if part == prefix+v {
			return true
		}
	}
	return false
}
