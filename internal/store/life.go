package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"paperwire/internal/paper"
)

// Vanished finds what a source listed before and lists no longer: read articles
// whose reference the newest listing of the day does not have, and that no other
// reference of it stands for (a redesign lists the same articles under other
// ids). listed is how many articles the newest listing has.
func (s *Store) Vanished(ctx context.Context, source string, day paper.Day) (gone []Gone, listed int, err error) {
	what := fmt.Sprintf("vanished of %s %s", source, day)
	var newest int64
	if err := s.r.QueryRowContext(ctx, `SELECT COALESCE(MAX(listing), 0) FROM refs WHERE source = $1 AND day = $2`, source, string(day)).Scan(&newest); err != nil {
		return nil, 0, fmt.Errorf("%s: %w", what, err)
	}
	if err := s.r.QueryRowContext(ctx, `SELECT COUNT(*) FROM refs WHERE source = $1 AND day = $2 AND listing = $3`, source, string(day), newest).Scan(&listed); err != nil {
		return nil, 0, fmt.Errorf("%s: %w", what, err)
	}
	err = each(ctx, s.r, func(r *sql.Rows) error {
		var g Gone
		var at int64
		if err := r.Scan(&g.Origin, &g.URL, &g.Article, &g.Times, &at); err != nil {
			return err
		}
		if at > 0 {
			g.Last = time.UnixMilli(at)
		}
		gone = append(gone, g)
		return nil
	}, `SELECT f.origin, f.url, f.article, f.gone, f.gone_at FROM refs f JOIN articles a ON a.id = f.article
		WHERE f.source = $1 AND f.day = $2 AND f.listing < $3 AND f.state = 'read' AND a.state IN ('released','ingested')
		AND NOT EXISTS (SELECT 1 FROM refs g WHERE g.article = f.article AND g.source = f.source AND g.day = f.day AND g.listing = $3)
		ORDER BY f.place, f.origin`, source, string(day), newest)
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", what, err)
	}
	return gone, listed, nil
}

// NoteGone notes that a vanished article was looked for at its URL: gone says
// that it was not there either. It returns how often in a row that was so.
func (s *Store) NoteGone(ctx context.Context, source string, day paper.Day, origin string, gone bool) (times int, err error) {
	err = s.tx(ctx, "ref "+origin, func(t *sql.Tx) error {
		q := `UPDATE refs SET gone = gone + 1, gone_at = $4 WHERE source=$1 AND day=$2 AND origin=$3 RETURNING gone`
		if !gone {
			q = `UPDATE refs SET gone = 0, gone_at = $4 WHERE source=$1 AND day=$2 AND origin=$3 RETURNING gone`
		}
		return t.QueryRowContext(ctx, q, source, string(day), origin, s.now().UnixMilli()).Scan(&times)
	})
	return times, err
}

// Usual is how many articles an edition of a paper usually lists: the mean over
// its last ten complete editions before a day; 0 where there are fewer than three.
func (s *Store) Usual(ctx context.Context, pkey string, before paper.Day) (int, error) {
	var n, sum int
	err := s.r.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(listed), 0) FROM (
		SELECT listed FROM editions WHERE paper = $1 AND day < $2 AND state <> 'partial' ORDER BY day DESC LIMIT 10) t`, pkey, string(before)).Scan(&n, &sum)
	if err != nil {
		return 0, fmt.Errorf("usual size of %s: %w", pkey, err)
	}
	if n < 3 {
		return 0, nil
	}
	return sum / n, nil
}

// Trouble opens or ends an incident of a kind that is not the outcome of a look,
// such as late: at most one of a kind is open for a source.
func (s *Store) Trouble(ctx context.Context, source, kind, problem string, open bool) error {
	return s.tx(ctx, "incident "+source, func(t *sql.Tx) error {
		return s.incident(ctx, t, source, kind, problem, open)
	})
}

// incident opens one, or ends the open one, of a kind.
func (s *Store) incident(ctx context.Context, t *sql.Tx, source, kind, problem string, open bool) error {
	now := seconds(s.now())
	var id int64
	err := t.QueryRowContext(ctx, `SELECT id FROM incidents WHERE source = $1 AND state = $2 AND ended = 0 ORDER BY id DESC LIMIT 1`, source, kind).Scan(&id)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	switch {
	case !open && id != 0:
		_, err := t.ExecContext(ctx, `UPDATE incidents SET ended = $2 WHERE id = $1`, id, now)
		return err
	case open && id == 0:
		if err := t.QueryRowContext(ctx, `UPDATE clock SET n = n + 1 WHERE name = 'incident' RETURNING n`).Scan(&id); err != nil {
			return err
		}
		_, err := t.ExecContext(ctx, `INSERT INTO incidents (id, source, state, problem, began, ended, told, told_end) VALUES ($1,$2,$3,$4,$5,0,0,0)`, id, source, kind, problem, now)
		return err
	}
	return nil
}

// Untold lists the incidents whose beginning, or whose end after it, the operator
// has not been told of, oldest first. One that ended before it was told is left out.
func (s *Store) Untold(ctx context.Context) ([]paper.Incident, error) {
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
	}, `SELECT i.id, i.source, COALESCE(s.name, i.source), i.state, i.problem, i.began, i.ended
		FROM incidents i LEFT JOIN sources s ON s.key = i.source
		WHERE i.told = 0 AND i.ended = 0 OR i.told = 1 AND i.ended > 0 AND i.told_end = 0 ORDER BY i.id`)
	if err != nil {
		return nil, fmt.Errorf("untold incidents: %w", err)
	}
	return list, nil
}

// Told notes that the operator has been told of an incident as it stands.
func (s *Store) Told(ctx context.Context, i paper.Incident) error {
	return s.tx(ctx, "incident told", func(t *sql.Tx) error {
		// A refusal is a moment: it is over when it has been told.
		_, err := t.ExecContext(ctx, `UPDATE incidents SET told = 1, told_end = CASE WHEN state = 'refused' THEN 1 ELSE $2 END,
			ended = CASE WHEN state = 'refused' AND ended = 0 THEN $3 ELSE ended END WHERE id = $1`, i.ID, flag(!i.Ended.IsZero()), seconds(s.now()))
		return err
	})
}
