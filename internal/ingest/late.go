package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"paperwire/internal/paper"
	"paperwire/internal/store"
	"paperwire/sources"
)

const (
	// lateFor is how many days an edition is looked for that comes after a later one.
	lateFor = store.GiveUpDays
	// lateEvery is how long after a look for late editions, at most, the next one
	// follows; where looks are frequent, every fourth of them is one.
	lateEvery = time.Hour
	// lateTold is how many tries in vain make the operator hear of an edition that the
	// publisher lists: one that is on its way is there by the third.
	lateTold = 3
)

// missed is what is remembered of a day that was missing at a look.
type missed struct {
	Tries int       `json:"tries"`
	At    time.Time `json:"at"`     // of the last
	Shown bool      `json:"listed"` // the publisher's own list has the day
}

// rest is how long a day is left alone after it was missing: not at all at first, for
// many a page is missing for a moment; what the publisher lists is asked for hourly
// then, and what only its addresses would allow daily: it may be no day of a paper.
func (m missed) rest() time.Duration {
	if m.Tries < 2 {
		return 0
	}
	longest := 24 * time.Hour
	if m.Shown {
		longest = time.Hour
	}
	return min(15*time.Minute<<(2*min(m.Tries-2, 6)), longest)
}

// gaps are the recent days of a source that come before its newest edition and are
// not there: days without a paper, editions that are late, and those that were
// missing when they were looked for.
type gaps struct {
	first, since paper.Day // only days after both count
	have         map[paper.Day]bool
	unfinished   []paper.Day // there, and not read to the end
	days         []paper.Day
	missed       map[paper.Day]missed
	kept         string // missed as it was kept
}

func missedMemo(s *source) string { return "missed editions of " + s.Key }

// gaps finds them; a feed has none.
func (g *Ingest) gaps(ctx context.Context, s *source, st store.SourceState, today paper.Day) (*gaps, error) {
	x := &gaps{since: today.Add(-lateFor), have: map[paper.Day]bool{}, missed: map[paper.Day]missed{}}
	if !st.Seen || st.Edition == "" {
		return x, nil
	}
	r, err := g.store.Recent(ctx, s.Key, s.Paper, x.since)
	if err != nil {
		return nil, err
	}
	x.first, x.have = r.First, r.Listed
	for _, day := range r.Unfinished {
		if day <= today.Add(-againFor) { // younger ones are tried again anyway
			x.unfinished = append(x.unfinished, day)
		}
	}
	for day := x.since.Add(1); x.first != "" && day <= st.Edition; day = day.Add(1) {
		again := day == st.Edition && day > today.Add(-againFor) // it is looked at again anyway
		if day > x.first && !x.have[day] && !again {
			x.days = append(x.days, day)
		}
	}
	x.kept, _, err = g.store.Memo(ctx, missedMemo(s))
	if errors.Is(err, paper.ErrNotFound) {
		return x, nil
	} else if err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(x.kept), &x.missed); err != nil {
		return nil, fmt.Errorf("%s: %w", missedMemo(s), err)
	}
	return x, nil
}

// lookedFor are the gaps to look into at this look. It costs the publisher its list of
// days, so a paper that has gaps every week is not asked for it at every look; an
// edition that was missing is.
func (g *Ingest) lookedFor(s *source, x *gaps, now time.Time) (days, again []paper.Day) {
	if len(x.days) == 0 {
		return nil, nil
	}
	due := false
	for _, day := range x.days {
		m, ok := x.missed[day]
		switch {
		case !ok:
			days = append(days, day)
		case now.Sub(m.At) >= m.rest():
			due = true
			days = append(days, day)
			again = append(again, day)
		}
	}
	key := s.Key + " late"
	every := min(lateEvery, 4*s.Window.next(now, s.Zone).Sub(now))
	if at, ok := g.tried.Load(key); ok && now.Sub(at.(time.Time)) < every && !due {
		return nil, nil
	}
	g.tried.Store(key, now)
	return days, again
}

// noteLate writes down which days were missing at a look, and tells of those that
// the publisher lists: in the log at first, as an incident when it lasts, and in the
// log when they are given up.
func (g *Ingest) noteLate(ctx context.Context, s *source, x *gaps, found sources.Found, newest paper.Day) error {
	if x.first == "" {
		return nil
	}
	told := waiting(x.missed)
	for _, day := range found.Missing {
		if day <= x.since || day <= x.first || day >= newest || x.have[day] {
			continue
		}
		m, known := x.missed[day]
		m.Tries, m.At, m.Shown = m.Tries+1, g.now().UTC().Truncate(time.Second), m.Shown || slices.Contains(found.Announced, day)
		x.missed[day] = m
		if !known {
			g.log.Info("edition missing", "source", s.Key, "paper", s.Paper, "day", day, "listed", m.Shown)
		}
	}
	for _, day := range slices.Sorted(maps.Keys(x.missed)) {
		switch m := x.missed[day]; {
		case x.have[day]:
			delete(x.missed, day)
		case day <= x.since:
			delete(x.missed, day)
			if m.Shown {
				g.log.Warn("edition given up: the publisher lists it, and it is not there", "source", s.Key, "paper", s.Paper, "day", day, "tries", m.Tries)
			} else {
				g.log.Info("edition given up: a day without a paper, as it seems", "source", s.Key, "paper", s.Paper, "day", day, "tries", m.Tries)
			}
		}
	}
	if now := waiting(x.missed); len(now) > 0 || len(told) > 0 {
		problem := fmt.Sprintf("the publisher lists the edition of %s, and it is not there; looks go on for %d days, then backfill can bring it into the archive", strings.Join(now, ", "), lateFor)
		if len(now) > 0 && len(told) > 0 && !slices.Equal(now, told) { // other days are other trouble
			if err := g.store.Trouble(ctx, s.Key, "missing", problem, false); err != nil {
				return err
			}
		}
		if err := g.store.Trouble(ctx, s.Key, "missing", problem, len(now) > 0); err != nil {
			return err
		}
	}
	value := ""
	if len(x.missed) > 0 {
		b, err := json.Marshal(x.missed)
		if err != nil {
			return err
		}
		value = string(b)
	}
	switch {
	case value == x.kept:
		return nil
	case value == "":
		return g.store.KeepMemo(ctx, missedMemo(s), "", g.now()) // forgets it
	}
	return g.store.KeepMemo(ctx, missedMemo(s), value, g.now().Add(4*lateFor*24*time.Hour))
}

// waiting are the days whose absence the operator is told of.
func waiting(m map[paper.Day]missed) (days []string) {
	for _, day := range slices.Sorted(maps.Keys(m)) {
		if m[day].Shown && m[day].Tries >= lateTold {
			days = append(days, string(day))
		}
	}
	return days
}
