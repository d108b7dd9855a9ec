package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"paperwire/internal/fetch"
	"paperwire/internal/paper"
	"paperwire/internal/store"
	"paperwire/sources"
)

const (
	// givePast is how many days in a row may fail with nothing read before a run ends.
	givePast = 3
	// waitPast is the longest Retry-After that a run sits out; beyond, it ends and says so.
	waitPast = 15 * time.Minute
	// memoBytes bounds the index pages that a run remembers (entry, calendars), and
	// memoFor how long it takes them for true.
	memoBytes = 16 << 20
	memoFor   = 30 * time.Minute
	// yield is how often a run looks whether its host is free.
	yield = 250 * time.Millisecond
)

// Backfill brings in the past editions of a source, newest first, as archive-only
// history (promise 2). What the store has is not asked for again, so a run that
// was ended at any moment goes on where it was when it is begun again.
//
// The lease of the host is taken for one edition at a time and given to whoever
// asked for it meanwhile. The source's schedule, state and newest edition are
// those of its looks: nothing here touches them.
//
// It returns a line for every day from From to To, newest first, also beside an
// error. Errors: ErrNoPast, ErrStopped, *sources.BlockedError, and what made it
// give up; days that failed are told in their lines only.
func (g *Ingest) Backfill(ctx context.Context, key string, p Past) ([]PastDay, error) {
	s, ok := g.plan.Load().sources[key]
	if !ok {
		return nil, fmt.Errorf("source %s: %w", key, paper.ErrNotFound)
	}
	if s.Platform == "feed" || s.Platform == "sitemap" {
		return nil, noPast(s, s.Platform)
	}
	b := &backfill{g: g, s: s, p: p, memo: memo{Getter: g.fetch, now: g.now, dry: p.DryRun}, looks: map[paper.Day]bool{}}
	err := b.plan(ctx)
	if err != nil {
		return nil, err
	}
	if !p.DryRun {
		// A run that was killed may have left an edition settled and not let out.
		if err := g.letOut(ctx, s.Paper); err != nil {
			return nil, err
		}
	}
	err = b.pass(ctx, b.todo)
	if err == nil && !p.DryRun {
		var failed []int
		for _, i := range b.todo {
			if b.days[i].State == PastFailed {
				failed = append(failed, i)
			}
		}
		b.memo.forget()
		b.at.Days += len(failed)
		err = b.pass(ctx, failed)
	}
	if err == nil && !p.DryRun {
		err = b.relate(ctx)
	}
	return b.days, err
}

// relate looks once more for what belongs together: a notice was read before the
// older article that it corrects. Editions of looks are left alone.
func (b *backfill) relate(ctx context.Context) error {
	if !slices.ContainsFunc(b.days, func(d PastDay) bool { return d.New+d.Changed > 0 }) {
		return nil
	}
	// Notices of the weeks after those days may be of an earlier run.
	known, err := b.g.store.Past(ctx, b.s.Key, b.s.Paper, b.p.From, b.p.To.Add(lookBack))
	if err != nil {
		return err
	}
	for day, k := range known {
		if k.Archive {
			if err := b.g.relate(ctx, b.s, day); err != nil {
				return err
			}
		}
	}
	return nil
}

func noPast(s *source, platform string) error {
	return fmt.Errorf("source %s: a %s %w: it lists what is new only; backfill needs a source whose platform has a calendar or dated addresses", s.Key, platform, ErrNoPast)
}

// backfill is one run.
type backfill struct {
	g    *Ingest
	s    *source
	p    Past
	memo memo

	days  []PastDay
	todo  []int              // of days
	looks map[paper.Day]bool // of them those that looks brought in
	at    PastProgress
}

// plan tells for every day whether it is to be asked for.
func (b *backfill) plan(ctx context.Context) error {
	today := paper.DayOf(b.g.now(), zone(b.s))
	st, err := b.g.store.State(ctx, b.s.Key, today)
	if err != nil {
		return err
	}
	known, err := b.g.store.Past(ctx, b.s.Key, b.s.Paper, b.p.From, b.p.To)
	if err != nil {
		return err
	}
	for day := b.p.To; day >= b.p.From; day = day.Add(-1) {
		d := PastDay{Day: day, State: PastPending}
		k, have := known[day]
		have = have && k.Listed > 0
		d.Listed, d.Read = k.Listed, k.Read
		if have && !k.Archive {
			b.looks[day] = true
		}
		switch {
		case have && k.Complete && !(k.Archive && b.p.Again):
			d.State = PastThere
		case day >= today:
			d.State, d.Problem = PastLeft, "today's edition is news"
		case st.Seen && day > st.Edition:
			d.State, d.Problem = PastLeft, "newer than the newest edition that a look has found: it is news"
		case have && !k.Archive && day > today.Add(-againFor):
			d.State, d.Problem = PastLeft, "looks at it still go on"
		case k.Gap && !b.p.Again:
			d.State = PastGap
		default:
			b.todo = append(b.todo, len(b.days))
		}
		b.days = append(b.days, d)
	}
	if !st.Seen && len(b.todo) > 0 {
		b.g.log.Warn("this source was never looked at: what backfill brings in never stands in a current feed; paperwire fetch, made first, lets its newest edition stand there", "source", b.s.Key)
	}
	b.at = PastProgress{Source: b.s.Key, Name: b.s.Name, Days: len(b.todo)}
	return nil
}

// pass goes through days once.
func (b *backfill) pass(ctx context.Context, list []int) error {
	lost := 0 // days in a row that failed with nothing read
	for _, i := range list {
		d := &b.days[i]
		b.at.Day, b.at.Listed, b.at.Read = d.Day, 0, 0
		b.tell()
		had := d.Read
		began := b.g.now()
		err := b.day(ctx, d)
		d.Took += b.g.now().Sub(began)
		var blocked *sources.BlockedError
		var status *fetch.StatusError
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, ErrStopped), errors.Is(err, ErrNoPast):
			return err
		case err != nil:
			d.State, d.Problem = PastFailed, err.Error()
			b.at.Errors++
		}
		b.at.Done++
		b.tell()
		b.log(d)
		switch {
		case errors.As(err, &blocked):
			return fmt.Errorf("the publisher answered with a wall: %w: open the site in a browser and agree on access; it is never bypassed. What was read stays", err)
		case errors.Is(err, fetch.ErrRobots), errors.Is(err, fetch.ErrForbidden):
			return err
		case errors.As(err, &status) && status.RetryAfter > waitPast:
			return fmt.Errorf("the publisher asks to be left alone for %s: %w", status.RetryAfter.Round(time.Second), err)
		case errors.As(err, &status) && status.RetryAfter > 0:
			b.g.log.Info("backfill waits", "source", b.s.Key, "for", status.RetryAfter.String(), "because", err)
			if err := b.rest(ctx, status.RetryAfter); err != nil {
				return err
			}
		}
		if d.State == PastFailed && d.Read == had {
			// What was remembered of the entry may hide a wall that stands there now.
			b.memo.forget()
			if lost++; lost == givePast {
				return fmt.Errorf("%d days in a row gave nothing, the last: %s", lost, d.Problem)
			}
		} else {
			lost = 0
		}
	}
	return nil
}

// day brings in one day under the lease of the host.
func (b *backfill) day(ctx context.Context, d *PastDay) error {
	g, lease := b.g, leaseOf(b.s)
	for tries := 1; ; tries++ {
		owner := g.owner + "/" + strconv.FormatInt(g.looks.Add(1), 36)
		if err := b.turn(ctx, lease, owner); err != nil {
			return err
		}
		work, cancel := g.renewed(ctx, b.s, func(ctx context.Context) error { return g.store.Acquire(ctx, lease, owner, leaseFor) })
		err := b.edition(work, d)
		lost := errors.Is(context.Cause(work), store.ErrBusy)
		cancel(nil)
		g.giveBack(ctx, lease, owner)
		if !lost || tries == 3 || ctx.Err() != nil {
			return err
		}
	}
}

// turn waits until the host is free and nobody else waits for it: today's edition
// goes before those of old.
func (b *backfill) turn(ctx context.Context, lease, owner string) error {
	for {
		if (&past{stop: b.p.Stop}).stopped() {
			return ErrStopped
		}
		asked, err := b.g.store.Asked(ctx, askFor(lease))
		if err == nil && !asked {
			err = b.g.store.Acquire(ctx, lease, owner, leaseFor)
			if err == nil {
				return nil
			}
		}
		if err != nil && !errors.Is(err, store.ErrBusy) {
			return err
		}
		if err := b.rest(ctx, yield); err != nil {
			return err
		}
	}
}

// rest waits, and ends early with ErrStopped.
func (b *backfill) rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-b.p.Stop:
		return ErrStopped
	case <-t.C:
		return nil
	}
}

// edition finds one day at the publisher's and takes it in as a look does.
func (b *backfill) edition(ctx context.Context, d *PastDay) error {
	g, s, now := b.g, b.s, b.g.now()
	today := paper.DayOf(now, zone(s))
	d.Problem, d.Unread = "", nil
	found, err := sources.Find(ctx, &b.memo, s.Source.Source, sources.Want{Today: today, Now: now, Only: d.Day})
	if err != nil {
		return err
	}
	i := slices.IndexFunc(found.Editions, func(e sources.Edition) bool { return e.Day == d.Day })
	if found.Platform == "feed" || found.Platform == "sitemap" || i < 0 && len(found.Editions) > 0 && found.Editions[0].Day == "" {
		return noPast(s, found.Platform)
	}
	if i < 0 {
		d.State, d.Problem = PastGap, found.Problem
		if b.p.DryRun {
			return nil
		}
		return g.store.NoteGap(ctx, s.Key, d.Day)
	}
	e := found.Editions[i]
	if e.Partial && (len(e.Refs) == 0 || walled(e.Problem)) {
		// The first page is not there, or a wall: nothing to keep.
		err := fmt.Errorf("edition %s: %s", d.Day, e.Problem)
		if walled(e.Problem) {
			err = fmt.Errorf("edition %s: %w", d.Day, &sources.BlockedError{URL: e.URL, Reason: e.Problem})
		}
		return err
	}
	known := d.Read
	d.Listed = len(e.Refs)
	b.at.Listed, b.at.Read = d.Listed, known
	if b.p.DryRun {
		d.State, d.Problem = PastWould, e.Problem
		return nil
	}
	rep := Report{Source: s.Key, past: &past{again: b.p.Again, looks: b.looks[d.Day], pause: b.p.Pause, stop: b.p.Stop, each: func(err error) {
		if err != nil {
			b.at.Errors++
		} else {
			b.at.Articles++
			b.at.Read = min(b.at.Read+1, b.at.Listed)
		}
		b.tell()
	}}}
	// No bound in time: the lease is renewed, and who waits for it waits for one edition.
	err = g.edition(ctx, s, e, store.SourceState{Seen: true}, today, now.Add(1000*time.Hour), &rep)
	d.New, d.Changed = d.New+rep.New, d.Changed+rep.Changed
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if lerr := g.letOut(ctx, s.Paper); err == nil {
		err = lerr
	}
	if serr := b.judge(ctx, d); err == nil {
		err = serr
	}
	switch {
	case err != nil:
	case rep.unfinished:
		d.State = PastPending
		return ErrStopped
	case d.State == PastFailed && e.Problem != "":
		d.Problem = e.Problem
	case d.State == PastFailed:
		d.Problem = fmt.Sprintf("%d of %d articles could not be read", len(d.Unread), d.Listed)
	case rep.Alarm != "":
		d.Problem = rep.Alarm
	}
	return err
}

// judge tells from the store how a day stands.
func (b *backfill) judge(ctx context.Context, d *PastDay) error {
	known, err := b.g.store.Past(ctx, b.s.Key, b.s.Paper, d.Day, d.Day)
	if err != nil {
		return err
	}
	k := known[d.Day]
	d.Listed, d.Read, d.State = k.Listed, k.Read, PastFailed
	if k.Complete {
		d.State = PastRead
	}
	if d.Pictures, err = b.g.store.Pictures(ctx, b.s.Key, d.Day); err != nil {
		return err
	}
	d.Unread, err = b.g.store.Unread(ctx, b.s.Key, d.Day)
	return err
}

// walled reports whether the problem of an edition is a wall, of which only the
// words are left there (see [sources.BlockedError]).
func walled(problem string) bool { return strings.Contains(problem, ": blocked: ") }

func (b *backfill) tell() {
	if b.p.Progress != nil {
		b.p.Progress(b.at)
	}
}

func (b *backfill) log(d *PastDay) {
	attrs := []any{
		"source", b.s.Key, "paper", b.s.Paper, "day", d.Day, "state", d.State, "listed", d.Listed, "read", d.Read, "new", d.New,
		"changed", d.Changed, "unread", len(d.Unread), "took", d.Took.Round(time.Millisecond).String(), "days", fmt.Sprintf("%d/%d", b.at.Done, b.at.Days),
	}
	if d.Problem != "" {
		b.g.log.Warn("backfill", append(attrs, "problem", d.Problem)...)
	} else {
		b.g.log.Info("backfill", attrs...)
	}
}

// letOut releases what of a paper is ready, as far as its seconds are free; the
// rest is released with the paper's next look.
func (g *Ingest) letOut(ctx context.Context, pkey string) error {
	for {
		r, err := g.store.Release(ctx, pkey)
		if err != nil || r.Articles == 0 || r.Wait == 0 {
			return err
		}
	}
}

// memo is a getter that asks for an index page once: every day of a run begins at
// the same entry, and a month has one calendar. One goroutine uses it.
type memo struct {
	sources.Getter
	now   func() time.Time
	dry   bool
	docs  map[string]*fetch.Document
	bytes int
	since time.Time
}

func (m *memo) Get(ctx context.Context, r fetch.Request) (*fetch.Document, error) {
	if !r.Keep || r.Post != "" {
		return m.Getter.Get(ctx, r)
	}
	if m.docs == nil || m.bytes > memoBytes || m.now().Sub(m.since) > memoFor {
		m.docs, m.bytes, m.since = map[string]*fetch.Document{}, 0, m.now()
	}
	if d := m.docs[r.URL]; d != nil {
		return d, nil
	}
	r.Defer = r.Defer || m.dry // a dry run leaves no validators behind
	d, err := m.Getter.Get(ctx, r)
	if err == nil {
		m.docs[r.URL] = d
		m.bytes += len(d.Body)
	}
	return d, err
}

func (m *memo) forget() { m.docs = nil }

// past is what a look at an edition of old does otherwise than a poll; nil for a poll.
type past struct {
	again bool
	looks bool // the edition came by looks: only what is missing is added
	pause time.Duration
	stop  <-chan struct{} // closed: end after the article under way
	each  func(error)
}

// foreign reports whether an edition is one of the looks', of which backfill
// withdraws nothing.
func (p *past) foreign() bool { return p != nil && p.looks }

// recheck is how long after an article was read it is asked for again: never, but
// where corrections are looked for.
func (p *past) recheck() time.Duration {
	if p.again {
		return time.Millisecond
	}
	return 0
}

// stopped reports whether the run is to end after what it has.
func (p *past) stopped() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.stop:
		return true
	default:
		return false
	}
}

// step tells of one article that was read, or not, and rests as long as was asked for.
func (p *past) step(ctx context.Context, err error) {
	if p == nil {
		return
	}
	p.each(err)
	if p.pause <= 0 {
		return
	}
	t := time.NewTimer(p.pause)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-p.stop:
	case <-t.C:
	}
}

// hold is the time between ingest and release: an editor need not step in before
// an article is let into the archive.
func (p *past) hold(s *source) time.Duration {
	if p == nil {
		return s.Hold
	}
	return 0
}

// anybody owns the lease by which somebody waits for another one.
const anybody = "anybody"

func askFor(lease string) string { return "ask:" + lease }

// ask tells who holds a lease that somebody waits for it: backfill then lets it
// go ahead, after its edition.
func (g *Ingest) ask(ctx context.Context, lease string) {
	if err := g.store.Acquire(ctx, askFor(lease), anybody, leaseFor); err != nil {
		g.log.Debug("lease not asked for", "lease", lease, "error", err)
	}
}
