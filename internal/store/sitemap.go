package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"

	"paperwire/internal/paper"
)

// Months lists the months of which Stamps has something, oldest first.
func (s *Store) Months(ctx context.Context, v paper.View) ([]paper.Month, error) {
	var list []paper.Month
	// The index of days alone counts: a million rows of articles would have to be
	// read to leave out what is not released. Whether anything is, the first row of
	// a month mostly tells.
	err := each(ctx, s.r, func(r *sql.Rows) error {
		var m paper.Month
		err := r.Scan(&m.Month, &m.Most)
		list = append(list, m)
		return err
	}, `SELECT m.month, (SELECT COUNT(*) FROM articles a WHERE a.day >= m.month AND a.day < m.month || '~' AND a.paper IN (SELECT key FROM papers WHERE link <> 'origin'))
		FROM (SELECT DISTINCT substr(day, 1, 7) AS month FROM days WHERE part = 'all') m
		WHERE m.month <> '' AND EXISTS (SELECT 1 FROM articles a WHERE a.day >= m.month AND a.day < m.month || '~' AND a.state = 'released' AND a.paper IN (SELECT key FROM papers WHERE link <> 'origin'))
		ORDER BY m.month`)
	if err != nil {
		return nil, fmt.Errorf("months: %w", err)
	}
	return list, nil
}

// Stamps lists the live articles of a month whose own page is their canonical one:
// n of them, after the first skip, by day and id.
func (s *Store) Stamps(ctx context.Context, v paper.View, month string, skip, n int) ([]paper.Stamp, error) {
	var list []paper.Stamp
	err := each(ctx, s.r, func(r *sql.Rows) error {
		var x paper.Stamp
		var updated int64
		err := r.Scan(&x.ID, &updated)
		x.Updated = instant(updated)
		list = append(list, x)
		return err
	}, `SELECT a.id, a.updated FROM articles a JOIN papers p ON p.key = a.paper WHERE a.day >= $1 AND a.day < $2 AND a.state = 'released' AND p.link <> 'origin'
		ORDER BY a.day, a.id LIMIT `+strconv.Itoa(n)+` OFFSET `+strconv.Itoa(skip), month, month+"~")
	if err != nil {
		return nil, fmt.Errorf("articles of %s: %w", month, err)
	}
	return list, nil
}
