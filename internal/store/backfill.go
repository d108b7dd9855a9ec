package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"paperwire/internal/paper"
)

// A day that the publisher did not have is believed to be a gap for as long as it
// was past when it was asked for, within these bounds: a late upload comes within
// days, and a publisher completes its archive now and then.
const (
	gapLeast = 24 * time.Hour
	gapMost  = 30 * 24 * time.Hour
)

// Past tells what the store has of a source's days, both included, by day; a day
// of which nothing is known is not in it.
func (s *Store) Past(ctx context.Context, source, pkey string, first, last paper.Day) (map[paper.Day]PastDay, error) {
	what := fmt.Sprintf("past of %s %s to %s", source, first, last)
	days := map[paper.Day]PastDay{}
	// An edition may be complete by another source of the paper: what counts is
	// what this one listed last.
	newest := map[paper.Day]int64{}
	err := each(ctx, s.r, func(r *sql.Rows) error {
		var d paper.Day
		var listing int64
		var p PastDay
		if err := r.Scan(&d, &listing, &p.Listed, &p.Read); err != nil {
			return err
		}
		if listing > newest[d] {
			newest[d], days[d] = listing, p
		}
		return nil
	}, `SELECT day, listing, COUNT(*), SUM(CASE WHEN state = 'read' THEN 1 ELSE 0 END) FROM refs
		WHERE source = $1 AND day >= $2 AND day <= $3 GROUP BY day, listing`, source, string(first), string(last))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	err = each(ctx, s.r, func(r *sql.Rows) error {
		var d paper.Day
		var state string
		var archive int64
		if err := r.Scan(&d, &state, &archive); err != nil {
			return err
		}
		if p, ok := days[d]; ok {
			p.Archive = archive != 0
			p.Complete = state != string(paper.EditionPartial) && p.Read == p.Listed
			days[d] = p
		}
		return nil
	}, `SELECT day, state, archive FROM editions WHERE paper = $1 AND day >= $2 AND day <= $3`, pkey, string(first), string(last))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	err = each(ctx, s.r, func(r *sql.Rows) error {
		var d paper.Day
		if err := r.Scan(&d); err != nil {
			return err
		}
		p := days[d]
		p.Gap = p.Listed == 0
		days[d] = p
		return nil
	}, `SELECT day FROM gaps WHERE source = $1 AND day >= $2 AND day <= $3 AND until > $4`, source, string(first), string(last), s.now().UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return days, nil
}

// NoteGap notes that the publisher was asked for a day and does not have it.
func (s *Store) NoteGap(ctx context.Context, source string, day paper.Day) error {
	now := s.now()
	believed := min(max(now.Sub(day.In(paper.Shanghai)), gapLeast), gapMost)
	return s.tx(ctx, fmt.Sprintf("gap %s %s", source, day), func(t *sql.Tx) error {
		_, err := t.ExecContext(ctx, `INSERT INTO gaps (source, day, until) VALUES ($1,$2,$3)
			ON CONFLICT (source, day) DO UPDATE SET until=$3`, source, string(day), now.Add(believed).UnixMilli())
		return err
	})
}

// Unread lists the articles of the newest listing of a day that could not be read
// so far, in the paper's order.
func (s *Store) Unread(ctx context.Context, source string, day paper.Day) ([]Unread, error) {
	var list []Unread
	err := each(ctx, s.r, func(r *sql.Rows) error {
		var u Unread
		if err := r.Scan(&u.URL, &u.Page, &u.Problem); err != nil {
			return err
		}
		list = append(list, u)
		return nil
	}, `SELECT url, page, problem FROM refs WHERE source = $1 AND day = $2 AND state <> 'read'
		AND listing = (SELECT MAX(listing) FROM refs WHERE source = $1 AND day = $2) ORDER BY place, origin`, source, string(day))
	if err != nil {
		return nil, fmt.Errorf("unread of %s %s: %w", source, day, err)
	}
	return list, nil
}

// Pictures counts the pictures of the articles of a source's day.
func (s *Store) Pictures(ctx context.Context, source string, day paper.Day) (int, error) {
	n := 0
	err := each(ctx, s.r, func(r *sql.Rows) error {
		var doc string
		var a paper.Article
		if err := r.Scan(&doc); err != nil {
			return err
		}
		err := json.Unmarshal([]byte(doc), &a)
		n += len(a.Images)
		return err
	}, `SELECT doc FROM articles WHERE id IN (SELECT article FROM refs WHERE source = $1 AND day = $2)`, source, string(day))
	if err != nil {
		return 0, fmt.Errorf("pictures of %s %s: %w", source, day, err)
	}
	return n, nil
}

// Asked reports whether somebody waits for a lease or holds it now.
func (s *Store) Asked(ctx context.Context, lease string) (bool, error) {
	var until int64
	err := s.r.QueryRowContext(ctx, `SELECT until FROM leases WHERE name = $1`, lease).Scan(&until)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("lease %s: %w", lease, err)
	}
	return until >= s.now().UnixMilli(), nil
}

// archived ends the release of something in an article that is archive only. The
// scopes of current feeds do not rise, and the outbox hears nothing: whoever
// follows them never received it. Parts of its own let the documents rise that
// show it: archive, and archive/{paper}. (Pages rise with every change.)
func (r *release) archived(a paper.Article, gain int) error {
	r.n++
	r.touch("archive", gain, a.Day)
	r.touch("archive/"+a.Paper, gain, a.Day)
	return r.touchRelated(a.ID)
}
