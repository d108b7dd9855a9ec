package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	tick       = 500 * time.Millisecond
	closeEvery = time.Second
	pruneEvery = 6 * time.Hour
	keepDocs   = 10 * 24 * time.Hour // validators and index pages; an edition is not looked at longer
)

// Run queues a poll for each source that falls due, releases what is ready, ends
// notices, lets the slots of paced feeds come and closes days, until the context is over. Every process of an installation runs
// it; the store hands each due source and each release to one of them.
func (g *Ingest) Run(ctx context.Context) error {
	t := time.NewTicker(tick)
	defer t.Stop()
	var indexing sync.WaitGroup
	defer indexing.Wait()
	indexing.Go(func() { g.index(ctx) })
	var pruned, lateness, closed time.Time
	waits := map[string]time.Time{} // paper -> when its seconds are free
	var told *plan
	for {
		if now := g.plan.Load(); now != told {
			told = now
			g.tellOutdated(ctx)
		}
		if err := g.due(ctx); err != nil {
			g.complain(ctx, "schedule", err)
		}
		if err := g.release(ctx, waits); err != nil {
			g.complain(ctx, "release", err)
		}
		if n, err := g.store.Expire(ctx); err != nil {
			g.complain(ctx, "notices", err)
		} else if n > 0 {
			g.log.Info("notices ended", "articles", n)
		}
		if _, err := g.store.Drip(ctx); err != nil {
			g.complain(ctx, "paced feeds", err)
		}
		if now := g.now(); now.Sub(closed) >= closeEvery {
			closed = now
			if n, err := g.store.CloseDays(ctx); err != nil {
				g.complain(ctx, "archives", err)
			} else if n > 0 {
				g.log.Info("days closed", "days", n)
			}
		}
		if now := g.now(); now.Sub(lateness) > time.Minute {
			lateness = now
			if err := g.late(ctx); err != nil {
				g.complain(ctx, "late editions", err)
			}
			n, err := g.store.Overdue(ctx, now.Add(-letOutAfter), g.hold)
			if err != nil {
				g.complain(ctx, "overdue articles", err)
			} else if n > 0 {
				g.log.Warn("let out before a look got through its edition", "articles", n)
			}
		}
		if now := g.now(); now.Sub(pruned) > pruneEvery {
			pruned = now
			g.tried.Range(func(key, at any) bool {
				if now.Sub(at.(time.Time)) > (againFor+2)*24*time.Hour {
					g.tried.Delete(key)
				}
				return true
			})
			if err := g.store.Prune(ctx, keepDocs); err != nil {
				g.complain(ctx, "prune", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// hold is the hold of a source, zero for one that was taken out.
func (g *Ingest) hold(source string) time.Duration {
	if s, ok := g.plan.Load().sources[source]; ok {
		return s.Hold
	}
	return 0
}

func (g *Ingest) complain(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		g.log.Error(what, "error", err)
	}
}

func (g *Ingest) due(ctx context.Context) error {
	if g.queue == nil {
		return nil
	}
	keys, err := g.store.Due(ctx)
	if err != nil {
		return err
	}
	if err := g.queue(ctx, "poll", g.now(), keys...); err != nil {
		return errors.Join(err, g.dueAgain(ctx, keys...))
	}
	return nil
}

func (g *Ingest) release(ctx context.Context, waits map[string]time.Time) error {
	papers, err := g.store.Ready(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, key := range papers {
		if g.now().Before(waits[key]) {
			continue
		}
		r, err := g.store.Release(ctx, key)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if r.Wait > 0 {
			waits[key] = g.now().Add(min(r.Wait, time.Minute))
			if r.Wait > maxWait {
				errs = append(errs, fmt.Errorf("paper %s: its newest article is dated %s ahead of this machine's clock: set the clock right", key, r.Wait.Round(time.Second)))
			}
		} else {
			delete(waits, key)
		}
		if r.Articles > 0 {
			g.log.Info("release", "paper", key, "articles", r.Articles, "seq", r.Seq)
		}
	}
	return errors.Join(errs...)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// index brings the search index of a store from before up to date, in the background
// and a little at a time: searches find meanwhile what is there.
func (g *Ingest) index(ctx context.Context) {
	began, done := g.now(), 0
	for ctx.Err() == nil {
		n, left, err := g.store.Index(ctx)
		if err != nil {
			if ctx.Err() == nil {
				g.log.Error("index articles for the search: tried again in a minute", "error", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(time.Minute):
			}
			continue
		}
		if done == 0 && left > 0 {
			g.log.Info("indexing articles for the search", "articles", n+left)
		}
		if done += n; left == 0 {
			if done > 0 {
				g.log.Info("indexed articles for the search", "articles", done, "took", g.now().Sub(began).Round(time.Second))
			}
			return
		}
		select { // releases go first
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}
