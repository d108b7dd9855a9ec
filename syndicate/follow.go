package syndicate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"paperwire/internal/paper"
)

// How often the store is asked, and how long it may take to answer.
const (
	changesEvery = 250 * time.Millisecond
	healthEvery  = time.Second
	storePatient = 10 * time.Second
	maxIncidents = 50 // that the status tells of
)

// snapshot is when every part last rose, as of one change sequence. It is never
// written after it was shared, so that comparing two pointers tells whether
// anything changed at all.
type snapshot struct {
	seq   int64
	parts map[string]paper.PartVersion
}

// version is when a combination of parts last rose: the earliest, over its
// lists, of the latest within a list (see [paper.Scope.Parts]). It is zero where
// nothing was ever released in one of them.
func (sn *snapshot) version(lists [][]string) paper.PartVersion {
	var least paper.PartVersion
	for i, list := range lists {
		var most paper.PartVersion
		for _, part := range list {
			if v := sn.parts[part]; v.Seq > most.Seq {
				most = v
			}
		}
		if i == 0 || most.Seq < least.Seq {
			least = most
		}
	}
	return least
}

// refresh asks the store what changed and gives the present snapshot.
func (s *Syndicate) refresh(ctx context.Context) (*snapshot, error) {
	s.following.Lock()
	defer s.following.Unlock()
	have := s.snap.Load()
	if have == nil {
		have = &snapshot{}
	}
	seq, rose, err := s.store.Changes(ctx, have.seq)
	if err != nil {
		return nil, fmt.Errorf("read changes after %d: %w", have.seq, err)
	}
	if seq < have.seq {
		// Another store, or an older backup of this one: what we know is void.
		have = &snapshot{}
		if seq, rose, err = s.store.Changes(ctx, 0); err != nil {
			return nil, fmt.Errorf("read changes: %w", err)
		}
	} else if seq == have.seq && len(rose) == 0 && have.parts != nil {
		return have, nil
	}
	next := &snapshot{seq: seq, parts: make(map[string]paper.PartVersion, len(have.parts)+len(rose))}
	maps.Copy(next.parts, have.parts)
	for _, v := range rose {
		next.parts[v.Part] = v
	}
	s.snap.Store(next)
	return next, nil
}

// fresh reports whether a rendered document still says what the store holds.
func (s *Syndicate) fresh(e *entry) bool {
	if (e.checks != nil || e.page) && e.checks != s.health.Load() {
		return false
	}
	sn := s.snap.Load()
	if e.seen.Load() == sn {
		return true
	}
	if e.page {
		return false
	}
	if sn.version(e.parts).Seq != e.version.Seq {
		return false
	}
	e.seen.Store(sn)
	return true
}

// checks is the sources' health as of one look at the store, never written
// after it was shared.
type checks struct {
	sources   []paper.Health
	incidents []paper.Incident // the last ones, newest first
	// papers gives the last successful look at each paper: of several sources the one
	// longest ago among those that were ever looked at; zero where none was.
	papers map[string]time.Time
}

// oldest is the look longest ago among papers. One that was never looked at with success
// has brought nothing, and counts only where there is no other: then it is zero.
func (c *checks) oldest(papers []string) time.Time {
	var oldest time.Time
	for _, key := range papers {
		if at := c.papers[key]; !at.IsZero() && (oldest.IsZero() || at.Before(oldest)) {
			oldest = at
		}
	}
	return oldest
}

// look asks the store how the sources fare. The checks are replaced only where
// something changed, so that documents that show them stay as they are.
func (s *Syndicate) look(ctx context.Context) (*checks, error) {
	sources, err := s.store.Health(ctx)
	if err != nil {
		return nil, fmt.Errorf("read health: %w", err)
	}
	incidents, err := s.store.Incidents(ctx, maxIncidents)
	if err != nil {
		return nil, fmt.Errorf("read incidents: %w", err)
	}
	have := s.health.Load()
	if have != nil && slices.Equal(have.sources, sources) && slices.Equal(have.incidents, incidents) {
		return have, nil
	}
	next := &checks{sources: sources, incidents: incidents, papers: make(map[string]time.Time, len(sources))}
	for _, h := range sources {
		if at := next.papers[h.Paper]; at.IsZero() || !h.Checked.IsZero() && h.Checked.Before(at) {
			next.papers[h.Paper] = h.Checked
		}
	}
	s.health.Store(next)
	return next, nil
}

// follow keeps the snapshot and the checks current. Trouble is logged when it
// begins and when it ends, not four times a second.
func (s *Syndicate) follow(ctx context.Context) {
	changes, health := time.NewTicker(changesEvery), time.NewTicker(healthEvery)
	defer changes.Stop()
	defer health.Stop()
	troubled := false
	ask := func(what func(context.Context) error) {
		ctx, cancel := context.WithTimeout(ctx, storePatient)
		defer cancel()
		err := what(ctx)
		switch {
		case err != nil && !troubled && context.Cause(ctx) != context.Canceled:
			s.log.Error("follow the store: serving what is rendered", "error", err)
			troubled = true
		case err == nil && troubled:
			s.log.Info("following the store again")
			troubled = false
		}
	}
	changed := func(ctx context.Context) error { _, err := s.refresh(ctx); return err }
	fares := func(ctx context.Context) error { _, err := s.look(ctx); return err }
	ask(changed)
	ask(fares)
	for {
		select {
		case <-ctx.Done():
			return
		case <-changes.C:
			ask(changed)
		case <-health.C:
			ask(fares)
		}
	}
}
