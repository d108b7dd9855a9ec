package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
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
	leaseFor    = 10 * time.Second // a killed process frees a host after this
	giveUp      = 5                // failures in a row after which a look ends
	maxPictures = 12               // picture headers asked for per article
	againFor    = store.RetryDays  // days for which a partial edition is tried again
	catchUp     = 7                // missed editions read after a pause
	maxBackoff  = 6 * time.Hour
	// letOutAfter is how long what was read waits for a look that gets through its
	// edition, so that it is let out in the paper's order.
	letOutAfter = 20 * time.Minute
	// lookFor bounds one look; what is left is read by the next, which follows at once.
	lookFor = 8 * time.Minute
	// maxWait bounds how long a command waits for free seconds: more means that a
	// clock was wrong.
	maxWait = 15 * time.Minute
)

// Poll looks at one source: the work of a queue job. at is when the job was
// queued; one that another look has overtaken does nothing.
func (g *Ingest) Poll(ctx context.Context, key string, at time.Time) error {
	s, ok := g.plan.Load().sources[key]
	if !ok {
		return nil // taken out of the configuration since
	}
	_, err := g.look(ctx, s, at)
	switch {
	case errors.Is(err, store.ErrBusy):
		return g.store.Postpone(ctx, key, g.now().Add(leaseFor/2))
	case err != nil && ctx.Err() != nil:
		return errors.Join(err, g.dueAgain(ctx, key))
	}
	return err
}

// dueAgain makes sources due at once whose look a stop has cut off, or kept from
// beginning: the next process need not wait until the claim on it ends.
func (g *Ingest) dueAgain(ctx context.Context, keys ...string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	var errs []error
	for _, key := range keys {
		errs = append(errs, g.store.Postpone(ctx, key, g.now()))
	}
	return errors.Join(errs...)
}

// Fetch makes one pass over sources now (all for no keys), whatever their
// schedule says, and releases what it brought in.
func (g *Ingest) Fetch(ctx context.Context, keys []string, each func(Report)) error {
	plan := g.plan.Load()
	if len(keys) == 0 {
		keys = sortedKeys(plan.sources)
	}
	var errs []error
	for _, key := range keys {
		s, ok := plan.sources[key]
		if !ok {
			errs = append(errs, fmt.Errorf("source %s: not in the configuration", key))
			continue
		}
		var rep Report
		var err error
		for {
			rep, err = g.look(ctx, s, g.now())
			if !errors.Is(err, store.ErrBusy) {
				break
			}
			// A running serve is at this host: wait for our turn.
			if err = sleep(ctx, time.Second); err != nil {
				break
			}
		}
		if err != nil {
			rep.Source, rep.Problem = key, err.Error()
		}
		each(rep)
		if rep.Problem != "" {
			errs = append(errs, fmt.Errorf("source %s: %s", key, rep.Problem))
		}
		for {
			r, err := g.store.Release(ctx, s.Paper)
			if err != nil {
				errs = append(errs, err)
				break
			}
			if r.Wait == 0 {
				break
			}
			if r.Wait > maxWait {
				errs = append(errs, fmt.Errorf("source %s: the newest article is dated %s ahead of this machine's clock: set the clock right", key, r.Wait.Round(time.Second)))
				break
			}
			if err := sleep(ctx, r.Wait); err != nil {
				return err
			}
		}
	}
	return errors.Join(errs...)
}

// look looks at a source under the lease of its host and writes down how it went.
func (g *Ingest) look(ctx context.Context, s *source, at time.Time) (Report, error) {
	rep := Report{Source: s.Key}
	lease := leaseOf(s)
	owner := g.owner + "/" + strconv.FormatInt(g.looks.Add(1), 36)
	if err := g.store.Acquire(ctx, lease, owner, leaseFor); err != nil {
		if errors.Is(err, store.ErrBusy) {
			g.ask(ctx, lease)
		}
		return rep, err
	}
	defer g.giveBack(ctx, lease, owner)
	g.giveBack(ctx, askFor(lease), anybody)
	if done, err := g.store.LastDone(ctx, s.Key); err != nil || !done.Before(at) {
		return rep, err
	}
	if err := g.store.Hold(ctx, lease, owner, leaseFor, s.Key); err != nil {
		return rep, err
	}
	work, cancel := g.renewed(ctx, s, func(ctx context.Context) error { return g.store.Hold(ctx, lease, owner, leaseFor, s.Key) })
	defer cancel(nil)
	began := g.now()
	err := g.read(work, s, &rep)
	rep.Took = g.now().Sub(began)
	if ctx.Err() != nil { // stopped: what was read is kept, the rest falls due again
		return rep, ctx.Err()
	}
	if errors.Is(context.Cause(work), store.ErrBusy) {
		return rep, store.ErrBusy // the other one tells how it went
	}
	return rep, g.conclude(ctx, s, &rep, err)
}

// leaseOf names the lease of a source's host.
func leaseOf(s *source) string {
	if u, err := url.Parse(s.URL); err == nil && u.Host != "" {
		return "host:" + u.Host
	}
	return "host:" + s.URL
}

// renewed is a context that lasts as long as a lease, which hold renews, or until
// it is cancelled. Its cause is store.ErrBusy where the lease was lost.
func (g *Ingest) renewed(ctx context.Context, s *source, hold func(context.Context) error) (context.Context, context.CancelCauseFunc) {
	work, cancel := context.WithCancelCause(ctx)
	go func() {
		held := time.Now()
		for sleep(work, leaseFor/3) == nil {
			err := hold(work)
			switch {
			case work.Err() != nil:
				return
			case err == nil:
				held = time.Now()
			case errors.Is(err, store.ErrBusy) || time.Since(held) > leaseFor:
				g.log.Warn("lease lost", "source", s.Key, "lease", leaseOf(s), "error", err)
				cancel(store.ErrBusy) // somebody else may be at the host by now
				return
			default:
				g.log.Warn("lease not renewed", "source", s.Key, "lease", leaseOf(s), "error", err)
			}
		}
	}()
	return work, cancel
}

// giveBack gives a lease back, also where the context is over.
func (g *Ingest) giveBack(ctx context.Context, lease, owner string) {
	c, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := g.store.Drop(c, lease, owner); err != nil {
		g.log.Warn("lease not given back", "lease", lease, "error", err)
	}
}

// discreet is a text without the parameters of the source's address, which may be keys.
func (s *source) discreet(text string) string {
	u, err := url.Parse(s.URL)
	if err != nil || u.RawQuery == "" {
		return text
	}
	text = strings.ReplaceAll(text, "?"+u.RawQuery, "?…")
	for _, values := range u.Query() {
		for _, v := range values {
			if len(v) >= 6 { // shorter ones would be anything
				text = strings.NewReplacer(v, "…", url.QueryEscape(v), "…").Replace(text)
			}
		}
	}
	return text
}

// conclude writes down how a look went and when the next one is due.
func (g *Ingest) conclude(ctx context.Context, s *source, rep *Report, err error) error {
	now := g.now()
	window := s.Window.of(rep.Platform)
	next := window.next(now, s.Zone)
	state := "ok"
	var blocked *sources.BlockedError
	var status *fetch.StatusError
	switch {
	case errors.As(err, &blocked):
		state, rep.Problem = "blocked", blocked.Reason+": open the site in a browser and agree on access with the publisher; it is never bypassed"
	case err != nil:
		state, rep.Problem = "failing", err.Error()
	case rep.Alarm != "":
		state, rep.Problem = "alarm", rep.Alarm
	case rep.Failed+rep.resting > 0:
		state = "partial"
		rep.Problem = fmt.Sprintf("%d of %d articles could not be read; they are tried again", rep.Failed+rep.resting, rep.Listed)
	case rep.Problem != "":
		state = "partial"
	}
	rep.Problem = s.discreet(rep.Problem) // the world reads it
	if err != nil {
		st, serr := g.store.State(ctx, s.Key, "")
		if serr != nil {
			return serr
		}
		// Back off: 1, 2, 4 … minutes, for a wall from an hour on.
		wait := time.Minute << min(st.Failures, 9)
		if blocked != nil {
			wait = time.Hour << min(st.Failures, 3)
		}
		if errors.As(err, &status) {
			wait = max(wait, status.RetryAfter)
		}
		if blocked == nil && window.Every > 0 {
			wait = min(wait, max(window.Every, status429(status)))
		}
		next = now.Add(min(wait, maxBackoff))
	} else if rep.unfinished {
		next = earlier(next, now.Add(5*time.Second))
	} else if state == "partial" && (rep.Failed > 0 || rep.resting == 0) {
		next = earlier(next, now.Add(2*time.Minute))
	}
	if err := g.store.Report(ctx, s.Key, state, rep.Problem, rep.Platform); err != nil {
		return err
	}
	if err := g.store.Done(ctx, s.Key, next); err != nil {
		return err
	}
	attrs := []any{
		"source", s.Key, "paper", s.Paper, "state", state, "listed", rep.Listed, "read", rep.Read,
		"new", rep.New, "changed", rep.Changed, "withdrawn", rep.Gone, "failed", rep.Failed, "took", rep.Took.Round(time.Millisecond).String(), "next", next.In(zone(s)).Format(time.DateTime),
	}
	if rep.Problem != "" {
		g.log.Warn("poll", append(attrs, "problem", rep.Problem)...)
	} else {
		g.log.Info("poll", attrs...)
	}
	return nil
}

func status429(e *fetch.StatusError) time.Duration {
	if e == nil {
		return 0
	}
	return e.RetryAfter
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func zone(s *source) *time.Location {
	if s.Zone == nil {
		return paper.Shanghai
	}
	return s.Zone
}

// read finds what is new at a source and takes it in.
func (g *Ingest) read(ctx context.Context, s *source, rep *Report) error {
	now := g.now()
	today := paper.DayOf(now, zone(s))
	st, err := g.store.State(ctx, s.Key, today.Add(-againFor))
	if err != nil {
		return err
	}
	want := sources.Want{Today: today, Now: now, Max: catchUp}
	gaps, err := g.gaps(ctx, s, st, today)
	if err != nil {
		return err
	}
	if st.Seen {
		want.After = st.Edition
		want.Again = st.Again
		if st.Edition != "" && st.Edition > today.Add(-againFor) && !slices.Contains(want.Again, st.Edition) {
			want.Again = append(want.Again, st.Edition)
		}
		want.Again = append(want.Again, g.before(s, st, now)...)
		want.Again = append(want.Again, gaps.unfinished...)
		want.Late, want.Missed = g.lookedFor(s, gaps, now)
	} else {
		want.Max = max(1, s.Editions)
	}
	found, err := sources.Find(ctx, g.fetch, s.Source.Source, want)
	rep.Platform = found.Platform
	if err != nil {
		return err
	}
	if found.Problem != "" {
		rep.Problem = found.Problem
	}
	newest := st.Edition
	until := now.Add(lookFor)
	var trouble error
	// What comes new is read before an older edition, late or looked through again.
	older := func(e sources.Edition) int { return b2i(e.Day != "" && e.Day < st.Edition) }
	slices.SortStableFunc(found.Editions, func(a, b sources.Edition) int { return older(a) - older(b) })
	for _, e := range found.Editions {
		if e.Day > today.Add(1) {
			// Tomorrow's may be out before midnight; a later day is a misprint, and
			// taking it for the newest would hide every edition until then.
			trouble = fmt.Errorf("an edition of %s, which is yet to come, stands at %s: not read", e.Day, e.URL)
			continue
		}
		if e.Day != "" && slices.Contains(want.Late, e.Day) {
			if len(e.Refs) == 0 {
				// Its first page stands there and could not be read.
				found.Missing, found.Announced = append(found.Missing, e.Day), append(found.Announced, e.Day)
				continue
			}
			g.log.Info("late edition", "source", s.Key, "paper", s.Paper, "day", e.Day, "newest", st.Edition, "listed", len(e.Refs))
		}
		if err := g.edition(ctx, s, e, st, today, until, rep); err != nil {
			var blocked *sources.BlockedError
			if ctx.Err() != nil || errors.As(err, &blocked) {
				return err
			}
			trouble = err // of this edition; the later ones are read all the same
			continue
		}
		newest = max(newest, e.Day)
		gaps.have[e.Day] = true
	}
	if err := g.noteLate(ctx, s, gaps, found, newest); err != nil {
		return err
	}
	if rep.unfinished && !st.Seen {
		return trouble // still the first look: what comes of it is history too
	}
	if err := g.store.Seen(ctx, s.Key, newest); err != nil {
		return err
	}
	return trouble
}

// again reports whether an edition is an older one that was complete.
func again(day paper.Day, st store.SourceState) bool {
	_, listed := st.Listed[day]
	return listed && day < st.Edition && !slices.Contains(st.Again, day)
}

// before are the editions before the newest that are due to be looked at again,
// for corrections and withdrawals: of yesterday every six hours, of the days before
// daily. They wait until the edition of the day is there, or it is noon.
func (g *Ingest) before(s *source, st store.SourceState, now time.Time) (days []paper.Day) {
	local := now.In(zone(s))
	today := paper.DayOf(local, zone(s))
	if st.Edition < today && local.Hour() < 12 {
		return nil
	}
	for day, at := range st.Listed {
		if !again(day, st) {
			continue
		}
		key := s.Key + " " + string(day)
		if tried, ok := g.tried.Load(key); ok && tried.(time.Time).After(at) {
			at = tried.(time.Time) // it is no longer there, as it seems
		}
		if now.Sub(at) >= recheck(day, today) {
			g.tried.Store(key, now)
			days = append(days, day)
		}
	}
	slices.Sort(days)
	return days
}

// recheck is how long after it was last read an article of an edition is read again.
func recheck(day, today paper.Day) time.Duration {
	switch {
	case day >= today:
		return time.Hour
	case day >= today.Add(-1):
		return 6 * time.Hour
	}
	return 24 * time.Hour
}

// edition takes in one edition, or one look at a feed.
func (g *Ingest) edition(ctx context.Context, s *source, e sources.Edition, st store.SourceState, today paper.Day, until time.Time, rep *Report) error {
	rep.Editions++
	rep.Listed += len(e.Refs)
	if len(e.Refs) == 0 && again(e.Day, st) {
		g.log.Info("older edition", "source", s.Key, "day", e.Day, "listed", 0)
		return nil // it was taken from the site, as some do; what we have stays
	}
	if e.Day != "" && len(e.Refs) == 0 && !e.Partial {
		// Never an empty edition: what we have stays, and somebody looks.
		return fmt.Errorf("edition %s lists no article at %s: the site may have been redesigned", e.Day, e.URL)
	}
	l := store.Listing{
		Source: s.Key, Paper: s.Paper, Day: e.Day, URL: e.URL, Build: e.Build,
		Partial: e.Partial, History: !st.Seen && (e.Day == "" || e.Day != today),
	}
	if e.Partial {
		l.Problem = e.Problem
		if rep.Problem == "" {
			rep.Problem = e.Problem
		}
	}
	switch {
	case rep.past != nil:
		l.Archive, l.Recheck = true, rep.past.recheck()
	case e.Day != "": // a feed shows its changes itself
		l.Recheck = recheck(e.Day, today)
	}
	origins := map[string]string{} // URL -> origin
	for _, r := range e.Refs {
		origins[r.URL] = r.Origin
		l.Refs = append(l.Refs, store.Listed{Origin: r.Origin, URL: r.URL, Page: r.Page.Number, Ordinal: r.Ordinal, Mark: mark(r)})
	}
	for _, p := range e.Pages {
		page := paper.EditionPage{PageRef: p.PageRef, URL: p.URL, Picture: p.Picture, PDF: p.PDF}
		for _, a := range p.Areas {
			if origin, ok := origins[a.URL]; ok {
				page.Areas = append(page.Areas, paper.Area{Article: origin, Shape: a.Shape, Coords: a.Coords, Title: a.Title})
			}
		}
		l.Pages = append(l.Pages, page)
	}
	todo, resting, err := g.store.List(ctx, l)
	if err != nil {
		return err
	}
	rep.resting += resting
	if err := g.shrunk(ctx, s, e, rep); err != nil {
		return err
	}
	kept, err := g.store.Pieces(ctx, s.Key, e.Day)
	if err != nil {
		return err
	}
	parts := map[string]bool{} // origins of articles on several pages
	for _, p := range kept {
		parts[p.Origin] = true
	}
	failures, asides := 0, 0
	before := rep.New + rep.Changed
	var wall error
	for _, t := range todo {
		if rep.past != nil && !t.Archive {
			continue // it came by a look, and stays as it is
		}
		if rep.past.stopped() {
			rep.unfinished = true
			break
		}
		if g.now().After(until) {
			rep.unfinished = true
			rep.Problem = "there is more to read than one look has time for; it goes on"
			break
		}
		r := e.Refs[t.Index]
		out, err := g.one(ctx, s, e, r, t, parts)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		rep.past.step(ctx, err)
		var blocked *sources.BlockedError
		dead := fetch.Missing(err) || errors.Is(err, errEmpty)
		switch {
		case errors.As(err, &blocked):
			wall = err
		case err != nil:
			rep.Failed++
			if !dead {
				failures++ // a dead link is that article's trouble, not the publisher's
			}
			g.log.Debug("article", "source", s.Key, "day", e.Day, "url", r.URL, "error", err)
		default:
			failures = 0
			rep.Read++
			switch out.Result {
			case store.New:
				rep.New++
			case store.Changed:
				rep.Changed++
			case "":
				asides++
			}
			continue
		}
		if err := g.store.Failed(ctx, s.Key, e.Day, r.Origin, err.Error()); err != nil {
			return err
		}
		if dead && e.Day != "" {
			if err := g.store.NoteDead(ctx, s.Key, e.Day, r.Origin); err != nil {
				return err
			}
		}
		if failures >= giveUp {
			wall = fmt.Errorf("%d articles in a row could not be read, the last: %w", failures, err)
		}
		if wall != nil {
			break
		}
	}
	if wall == nil && !rep.unfinished && asides > 0 {
		if err := g.compose(ctx, s, e.Day, rep); err != nil {
			return err
		}
	}
	if err := g.emptied(ctx, s, e, rep); err != nil {
		return err
	}
	if rep.New+rep.Changed > before {
		if err := g.relate(ctx, s, e.Day); err != nil {
			return err
		}
	}
	if wall == nil && !rep.unfinished && e.Day != "" && !e.Partial && !rep.past.foreign() {
		if err := g.withdrawn(ctx, s, e, rep); err != nil {
			return err
		}
	}
	// An edition is let out when a look has been through the whole of it, so that
	// its order is the paper's; after a while (see Run) what there is goes out.
	if wall == nil && !rep.unfinished || e.Day == "" {
		if err := g.mirror(ctx, s, e.Day); err != nil {
			return err
		}
		if err := g.store.Settle(ctx, s.Key, s.Paper, e.Day, l.Pages, rep.past.hold(s)); err != nil {
			return err
		}
		if _, err := g.store.Release(ctx, s.Paper); err != nil {
			return err
		}
	}
	return wall
}

// one reads, normalises, files and stores one article. The result is empty where
// the article was put aside, for it is part of one on several pages.
func (g *Ingest) one(ctx context.Context, s *source, e sources.Edition, r sources.Ref, t store.Todo, parts map[string]bool) (store.Outcome, error) {
	// Validators are remembered only once the article is stored: a process that
	// dies in between must not be told "not modified" afterwards.
	get := &careful{Getter: g.fetch, fresh: !t.Known}
	printed, err := sources.Read(ctx, get, s.Source.Source, r)
	if errors.Is(err, sources.ErrUnchanged) && t.Known {
		return store.Outcome{Result: store.Same}, g.store.Unchanged(ctx, s.Key, e.Day, r.Origin, mark(r))
	}
	if err != nil {
		return store.Outcome{}, err
	}
	day := e.Day
	if day == "" {
		day = printed.Day
	}
	a := s.plan.article(s, printed, r, day)
	if e.Day != "" && a.Text == "" && len(a.Images) == 0 {
		// A redesign empties bodies without a word; an article without any content
		// is never let out.
		return store.Outcome{}, errEmpty
	}
	if err := g.pictures(ctx, s, e.Day, r, &a); err != nil {
		return store.Outcome{}, err
	}
	p := piece{Article: a, Origin: r.Origin, Positional: r.Positional, Also: r.Also, Mark: mark(r), History: t.History, Archive: t.Archive}
	var out store.Outcome
	apart := false
	if e.Day != "" {
		apart, err = g.aside(ctx, s, r, e.Day, p, parts)
	}
	if err == nil && !apart {
		out, err = g.store.Ingest(ctx, s.incoming(p, a, e.Day))
	}
	if err == nil {
		for _, remember := range get.after {
			remember(ctx)
		}
	}
	return out, err
}

// pictures learns type, size and length of an article's pictures from their
// first bytes. A picture that does not answer keeps zeros; the article stands.
func (g *Ingest) pictures(ctx context.Context, s *source, day paper.Day, r sources.Ref, a *paper.Article) error {
	if len(a.Images) == 0 {
		return nil
	}
	known := map[string]paper.Image{}
	if old, ok, err := g.store.Stored(ctx, s.Key, day, r.Origin); err != nil {
		return err
	} else if ok {
		for _, i := range old.Images {
			known[i.URL] = i
		}
	}
	for n := range a.Images {
		i := &a.Images[n]
		if i.Width > 0 && i.Length > 0 && i.Type != "" {
			continue
		}
		if k, ok := known[i.URL]; ok && k.Width > 0 {
			i.Type, i.Width, i.Height, i.Length = k.Type, k.Width, k.Height, k.Length
			continue
		}
		if k, ok := g.seenPictures.get(i.URL); ok {
			i.Type, i.Width, i.Height, i.Length = k.Type, k.Width, k.Height, k.Length
			continue
		}
		if n >= maxPictures || s.Mirror { // mirror asks for the whole
			break
		}
		p, err := g.fetch.Picture(ctx, i.URL, a.URL)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			g.log.Debug("picture", "source", s.Key, "url", i.URL, "error", err)
			continue
		}
		i.Type, i.Width, i.Height, i.Length = p.Type, p.Width, p.Height, p.Length
		g.seenPictures.put(i.URL, p)
	}
	sizes(a)
	return nil
}

// careful gets documents whose validators are kept back until they are stored.
type careful struct {
	sources.Getter
	fresh bool // ask without validators: it was never stored
	after []func(context.Context)
}

func (c *careful) Get(ctx context.Context, r fetch.Request) (*fetch.Document, error) {
	r.Fresh = r.Fresh || c.fresh
	r.Defer = true
	d, err := c.Getter.Get(ctx, r)
	if err == nil && d.Remember != nil {
		c.after = append(c.after, d.Remember)
	}
	return d, err
}

// mark changes when the listing itself shows that an article changed: the title
// listed, or anything of an item of a feed.
func mark(r sources.Ref) string {
	if r.Printed == nil {
		return strings.TrimSuffix(r.Title+"|"+r.Changed, "|")
	}
	p := *r.Printed
	p.Day = "" // of an undated item it is today's
	b, err := json.Marshal(p)
	if err != nil {
		return r.Title
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
