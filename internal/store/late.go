package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"paperwire/internal/paper"
)

// Recent tells what a source has of the days after since.
func (s *Store) Recent(ctx context.Context, source, pkey string, since paper.Day) (Recent, error) {
	r := Recent{Listed: map[paper.Day]bool{}}
	what := fmt.Sprintf("recent days of %s", source)
	var past, least paper.Day
	err := each(ctx, s.r, func(rows *sql.Rows) error {
		var d paper.Day
		var history, archive, newest, unread int64
		if err := rows.Scan(&d, &history, &archive, &newest, &unread); err != nil {
			return err
		}
		r.Listed[d] = true
		switch {
		case archive != 0:
		case history != 0:
			past = max(past, d)
		case least == "":
			least = d
		}
		if archive == 0 && unread == newest {
			r.Unfinished = append(r.Unfinished, d)
		}
		return nil
	}, `SELECT f.day, e.history, e.archive, MAX(f.listing), MAX(CASE WHEN f.state <> 'read' AND f.dead < `+strconv.Itoa(deadLooks)+` OR e.problem <> '' THEN f.listing ELSE 0 END)
		FROM refs f JOIN editions e ON e.paper = $2 AND e.day = f.day
		WHERE f.source = $1 AND f.day > $3 GROUP BY f.day, e.history, e.archive ORDER BY f.day`, source, pkey, string(since))
	if err != nil {
		return r, fmt.Errorf("%s: %w", what, err)
	}
	if r.First = past; r.First != "" {
		return r, nil
	}
	err = s.r.QueryRowContext(ctx, `SELECT e.day FROM editions e WHERE e.paper = $2 AND e.day <= $3 AND e.archive = 0
		AND EXISTS (SELECT 1 FROM refs f WHERE f.source = $1 AND f.day = e.day) ORDER BY e.day DESC LIMIT 1`,
		source, pkey, string(since)).Scan(&r.First)
	if errors.Is(err, sql.ErrNoRows) {
		r.First = least
	} else if err != nil {
		return r, fmt.Errorf("%s: %w", what, err)
	}
	return r, nil
}
