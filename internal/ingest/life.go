package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"paperwire/internal/fetch"
	"paperwire/internal/paper"
	"paperwire/sources"
)

// errEmpty: a page was read, and it holds neither text nor picture.
var errEmpty = errors.New("the page holds neither text nor picture: the site may have been redesigned")

const (
	goneTimes = 2                // looks that must agree before a withdrawal counts
	goneApart = 10 * time.Minute // least time between them
)

// shrunk raises an alarm for an edition that is far smaller than the paper's
// usual: a redesign or a broken upload. What it lists is taken in all the same.
func (g *Ingest) shrunk(ctx context.Context, s *source, e sources.Edition, rep *Report) error {
	if e.Day == "" || e.Partial {
		return nil
	}
	usual, err := g.store.Usual(ctx, s.Paper, e.Day)
	if err != nil {
		return err
	}
	if usual >= 6 && len(e.Refs)*3 < usual {
		rep.Alarm = fmt.Sprintf("edition %s lists %d articles, usually %d: a redesign or an upload that broke off; compare it with the site", e.Day, len(e.Refs), usual)
	}
	return nil
}

// emptied raises an alarm for an edition many of whose articles came without any
// content: a redesign has emptied them. What was read before stands.
func (g *Ingest) emptied(ctx context.Context, s *source, e sources.Edition, rep *Report) error {
	if e.Day == "" || rep.Failed+rep.resting == 0 || rep.Alarm != "" {
		return nil
	}
	empty, listed, err := g.store.Emptied(ctx, s.Key, e.Day, errEmpty.Error())
	if err != nil {
		return err
	}
	if empty >= 3 && empty*3 > listed {
		rep.Alarm = fmt.Sprintf("%d of %d articles of edition %s came with neither text nor picture: the site may have been redesigned; look at one with paperwire probe", empty, listed, e.Day)
	}
	return nil
}

// withdrawn looks after the articles that an edition lists no longer. One is
// withdrawn when it is gone from the list and gone at its URL, at two looks. Many
// at once, or any while something else is wrong, is an alarm and no withdrawal.
func (g *Ingest) withdrawn(ctx context.Context, s *source, e sources.Edition, rep *Report) error {
	gone, listed, err := g.store.Vanished(ctx, s.Key, e.Day)
	if err != nil || len(gone) == 0 {
		return err
	}
	if rep.Alarm != "" {
		return nil
	}
	if 5*len(gone) > len(gone)+listed && len(gone) > 1 {
		rep.Alarm = fmt.Sprintf("%d of %d articles of edition %s vanished from its pages at once: taken for a fault of the site, nothing was withdrawn; withdraw by hand what really is", len(gone), len(gone)+listed, e.Day)
		return nil
	}
	for _, x := range gone {
		if !x.Last.IsZero() && g.now().Sub(x.Last) < goneApart {
			continue
		}
		_, err := g.fetch.Get(ctx, fetch.Request{URL: x.URL, Referer: e.URL, Fresh: true, Defer: true})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		missing := fetch.Missing(err)
		if err != nil && !missing {
			continue // we cannot tell: look again next time
		}
		times, err := g.store.NoteGone(ctx, s.Key, e.Day, x.Origin, missing)
		if err != nil {
			return err
		}
		if times < goneTimes {
			continue
		}
		if err := g.store.Withdraw(ctx, x.Article, ""); err != nil && !errors.Is(err, paper.ErrNotFound) {
			return err
		}
		rep.Gone++
		g.log.Warn("withdrawn by the publisher", "source", s.Key, "paper", s.Paper, "day", e.Day, "article", x.Article, "url", x.URL)
	}
	return nil
}

// late opens an incident for each paper whose edition of the day is not there by
// the time it is expected, and ends it when the edition has come or the day is over.
func (g *Ingest) late(ctx context.Context) error {
	var errs []error
	for _, s := range g.plan.Load().sources {
		if s.Expect <= 0 {
			if _, done := g.tried.LoadOrStore(s.Key+" unexpected", g.now()); done {
				continue
			}
			if err := g.store.Trouble(ctx, s.Key, "late", "", false); err != nil { // it was expected before
				errs = append(errs, err)
				g.tried.Delete(s.Key + " unexpected")
			}
			continue
		}
		g.tried.Delete(s.Key + " unexpected")
		local := g.now().In(zone(s))
		today := paper.DayOf(local, zone(s))
		due := today.In(zone(s)).Add(s.Expect)
		st, err := g.store.State(ctx, s.Key, today)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		open := st.Seen && st.Edition < today && !local.Before(due)
		problem := fmt.Sprintf("no edition of %s by %s: late, or a day without a paper", today, due.Format("15:04"))
		if err := g.store.Trouble(ctx, s.Key, "late", problem, open); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
