package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"paperwire/internal/paper"
)

// Memo gives a small value that was kept under a name, and until when it holds; the
// zero time means for ever. Where there is none, or no longer, the error is
// [paper.ErrNotFound].
func (s *Store) Memo(ctx context.Context, name string) (value string, until time.Time, err error) {
	var ms int64
	err = s.r.QueryRowContext(ctx, `SELECT value, until FROM memos WHERE name = $1 AND (until = 0 OR until > $2)`, name, s.now().UnixMilli()).Scan(&value, &ms)
	if errors.Is(err, sql.ErrNoRows) {
		return "", until, fmt.Errorf("memo %s: %w", name, paper.ErrNotFound)
	}
	if err != nil {
		return "", until, fmt.Errorf("memo %s: %w", name, err)
	}
	if ms > 0 {
		until = time.UnixMilli(ms)
	}
	return value, until, nil
}

// KeepMemo keeps a value in the place of what was kept under the name. An instant that
// is over forgets it.
func (s *Store) KeepMemo(ctx context.Context, name, value string, until time.Time) error {
	return s.tx(ctx, "keep "+name, func(t *sql.Tx) error {
		_, err := t.ExecContext(ctx, `INSERT INTO memos (name, value, until) VALUES ($1,$2,$3)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value, until = excluded.until`, name, clean(value), untilMilli(until))
		return err
	})
}

// FirstMemo keeps a value unless one is kept under the name already, and gives the
// one that stands: of many who come at once, all get that of the first.
func (s *Store) FirstMemo(ctx context.Context, name, value string, until time.Time) (stands string, err error) {
	now := s.now().UnixMilli()
	err = s.tx(ctx, "keep "+name, func(t *sql.Tx) error {
		return t.QueryRowContext(ctx, `INSERT INTO memos (name, value, until) VALUES ($1,$2,$3)
			ON CONFLICT (name) DO UPDATE SET
				value = CASE WHEN memos.until > 0 AND memos.until <= $4 THEN excluded.value ELSE memos.value END,
				until = CASE WHEN memos.until > 0 AND memos.until <= $4 THEN excluded.until ELSE memos.until END
			RETURNING value`, name, clean(value), untilMilli(until), now).Scan(&stands)
	})
	return stands, err
}

func untilMilli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return max(t.UnixMilli(), 1)
}
