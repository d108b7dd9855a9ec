package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"paperwire/internal/paper"
)

// claimFor is how long a due row rests after it was handed out. A look under way
// sets it to the end of its lease (see Hold): one that is killed is due again soon.
// The claim itself is long, so that sources that wait for a free worker are not
// queued again and again.
const claimFor = 5 * time.Minute

// Due hands out the sources whose look is due, each to one caller only.
func (s *Store) Due(ctx context.Context) ([]string, error) {
	now := s.now()
	var n int
	// Looked at without the write lock first: most ticks find nothing.
	if err := s.r.QueryRowContext(ctx, `SELECT COUNT(*) FROM schedule WHERE due <= $1`, now.UnixMilli()).Scan(&n); err != nil {
		return nil, fmt.Errorf("due sources: %w", err)
	}
	if n == 0 {
		return nil, nil
	}
	var keys []string
	err := s.tx(ctx, "due sources", func(t *sql.Tx) error {
		keys = keys[:0]
		return each(ctx, t, func(r *sql.Rows) error {
			var k string
			if err := r.Scan(&k); err != nil {
				return err
			}
			keys = append(keys, k)
			return nil
		}, `UPDATE schedule SET due = $2 WHERE due <= $1 RETURNING source`, now.UnixMilli(), now.Add(claimFor).UnixMilli())
	})
	return keys, err
}

// Done ends a look: the next one is due at next.
func (s *Store) Done(ctx context.Context, source string, next time.Time) error {
	return s.tx(ctx, "schedule "+source, func(t *sql.Tx) error {
		_, err := t.ExecContext(ctx, `UPDATE schedule SET due = $2, done = $3 WHERE source = $1`, source, next.UnixMilli(), s.now().UnixMilli())
		return err
	})
}

// Postpone moves a look that could not begin.
func (s *Store) Postpone(ctx context.Context, source string, due time.Time) error {
	return s.tx(ctx, "schedule "+source, func(t *sql.Tx) error {
		_, err := t.ExecContext(ctx, `UPDATE schedule SET due = $2 WHERE source = $1`, source, due.UnixMilli())
		return err
	})
}

// LastDone is when the last look at a source ended; zero before the first.
func (s *Store) LastDone(ctx context.Context, source string) (time.Time, error) {
	var ms int64
	err := s.r.QueryRowContext(ctx, `SELECT done FROM schedule WHERE source = $1`, source).Scan(&ms)
	if errors.Is(err, sql.ErrNoRows) || ms == 0 {
		return time.Time{}, nil
	}
	return time.UnixMilli(ms), err
}

// Acquire takes a lease, or renews one's own. ErrBusy: somebody else has it.
func (s *Store) Acquire(ctx context.Context, name, owner string, ttl time.Duration) error {
	now := s.now()
	return s.tx(ctx, "lease "+name, func(t *sql.Tx) error {
		var got string
		err := t.QueryRowContext(ctx, `INSERT INTO leases (name, owner, until) VALUES ($1,$2,$3)
			ON CONFLICT (name) DO UPDATE SET owner=$2, until=$3 WHERE leases.owner = $2 OR leases.until < $4 RETURNING owner`,
			name, owner, now.Add(ttl).UnixMilli(), now.UnixMilli()).Scan(&got)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrBusy
		}
		return err
	})
}

// Hold takes or renews the lease of a look and sets its source's schedule row to
// fall due just after the lease would end: a look that is killed is due again then.
func (s *Store) Hold(ctx context.Context, name, owner string, ttl time.Duration, source string) error {
	if err := s.Acquire(ctx, name, owner, ttl); err != nil {
		return err
	}
	return s.Postpone(ctx, source, s.now().Add(ttl+time.Second))
}

// Drop gives a lease back if it is still ours.
func (s *Store) Drop(ctx context.Context, name, owner string) error {
	return s.tx(ctx, "lease "+name, func(t *sql.Tx) error {
		_, err := t.ExecContext(ctx, `DELETE FROM leases WHERE name = $1 AND owner = $2`, name, owner)
		return err
	})
}

// Recall gives what Remember kept for a URL; both are the memory of fetch.
func (s *Store) Recall(ctx context.Context, url string) (etag, modified, contentType, body string, ok bool, err error) {
	err = s.r.QueryRowContext(ctx, `SELECT etag, modified, type, body FROM documents WHERE url = $1`, short(url, maxKey)).Scan(&etag, &modified, &contentType, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", "", "", false, nil
	}
	if err != nil {
		return "", "", "", "", false, fmt.Errorf("recall %s: %w", url, err)
	}
	return etag, modified, contentType, body, true, nil
}

// Remember keeps what a later conditional request needs. See Recall.
func (s *Store) Remember(ctx context.Context, url, etag, modified, contentType, body string) error {
	return s.tx(ctx, "remember "+url, func(t *sql.Tx) error {
		_, err := t.ExecContext(ctx, `INSERT INTO documents (url, etag, modified, type, body, at) VALUES ($1,$2,$3,$4,$5,$6)
			ON CONFLICT (url) DO UPDATE SET etag=$2, modified=$3, type=$4, body=$5, at=$6`, short(url, maxKey), clean(etag), clean(modified), clean(contentType), clean(body), seconds(s.now()))
		return err
	})
}

// Prune forgets documents that were not asked for in days (editions move on), and
// kept values that hold no longer.
func (s *Store) Prune(ctx context.Context, age time.Duration) error {
	if err := s.shelf.sweep(ctx); err != nil {
		return fmt.Errorf("sweep pictures: %w", err)
	}
	return s.tx(ctx, "prune documents", func(t *sql.Tx) error {
		if _, err := t.ExecContext(ctx, `DELETE FROM memos WHERE until > 0 AND until <= $1`, s.now().UnixMilli()); err != nil {
			return err
		}
		_, err := t.ExecContext(ctx, `DELETE FROM documents WHERE at < $1`, s.now().Add(-age).Unix())
		return err
	})
}

// Report notes how a look at a source ended: state is ok, partial, waiting, alarm,
// failing or blocked; problem says in words what a person can do. An incident
// begins when the state turns to one of the last three and ends when it leaves it.
func (s *Store) Report(ctx context.Context, source, state, problem, platform string) error {
	now := seconds(s.now())
	problem = clean(problem)
	return s.tx(ctx, "report "+source, func(t *sql.Tx) error {
		looked := state != "failing" && state != "blocked"
		if _, err := t.ExecContext(ctx, `UPDATE sources SET state=$2, problem=$3, tried=$4,
				since = CASE WHEN state = $2 THEN since ELSE $4 END,
				checked = CASE WHEN $5 = 1 THEN $4 ELSE checked END,
				failures = CASE WHEN $5 = 1 THEN 0 ELSE failures + 1 END,
				platform = CASE WHEN $6 = '' THEN platform ELSE $6 END WHERE key = $1`,
			source, state, problem, now, flag(looked), platform); err != nil {
			return err
		}
		for _, kind := range []string{"alarm", "failing", "blocked"} {
			if err := s.incident(ctx, t, source, kind, problem, kind == state); err != nil {
				return err
			}
		}
		return nil
	})
}

// Health tells how every source fares, retired ones last.
func (s *Store) Health(ctx context.Context) ([]paper.Health, error) {
	var list []paper.Health
	err := each(ctx, s.r, func(r *sql.Rows) error {
		var h paper.Health
		var retired, since, checked, tried, due int64
		if err := r.Scan(&h.Source, &h.Paper, &h.Name, &h.Platform, &h.URL, &h.State, &h.Problem, &retired, &since, &checked, &tried, &due,
			&h.Edition, &h.Listed, &h.Read, &h.Failed, &h.Articles); err != nil {
			return err
		}
		h.Since, h.Checked, h.Tried = instant(since), instant(checked), instant(tried)
		if due > 0 {
			h.Due = time.UnixMilli(due).UTC().Truncate(time.Second)
		}
		if retired != 0 {
			h.State, h.Problem, h.Due = "retired", "", time.Time{}
		}
		list = append(list, h)
		return nil
	}, `SELECT s.key, s.paper, s.name, s.platform, s.url, s.state, s.problem, s.retired, s.since, s.checked, s.tried, COALESCE(d.due, 0),
			s.edition, COALESCE(e.listed - `+unseen("e")+`), 0), COALESCE(e.read - `+unseen("e")+`), 0), COALESCE(e.failed, 0), COALESCE(c.items, 0)
		FROM sources s LEFT JOIN schedule d ON d.source = s.key
		LEFT JOIN editions e ON e.paper = s.paper AND e.day = s.edition
		LEFT JOIN scopes c ON c.part = 'paper/' || s.paper
		ORDER BY s.retired, s.key`)
	if err != nil {
		return nil, fmt.Errorf("health: %w", err)
	}
	return list, nil
}

// Incidents lists the newest n stretches of trouble with sources, newest first. Those
// with receivers are the operator's alone (see Untold): they name hosts in his house.
func (s *Store) Incidents(ctx context.Context, n int) ([]paper.Incident, error) {
	var list []paper.Incident
	err := each(ctx, s.r, func(r *sql.Rows) error {
		var i paper.Incident
		var began, ended int64
		if err := r.Scan(&i.ID, &i.Source, &i.Name, &i.State, &i.Problem, &began, &ended); err != nil {
			return err
		}
		i.Began, i.Ended = instant(began), instant(ended)
		list = append(list, i)
		return nil
	}, `SELECT i.id, i.source, s.name, i.state, i.problem, i.began, i.ended
		FROM incidents i JOIN sources s ON s.key = i.source ORDER BY i.id DESC LIMIT $1`, n)
	if err != nil {
		return nil, fmt.Errorf("incidents: %w", err)
	}
	return list, nil
}
