package store

import (
	"context"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// openPostgres opens one pool, used by the store through database/sql and lent
// to the queue.
func (s *Store) openPostgres(ctx context.Context, dsn string) error {
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return fmt.Errorf("open store %s: %w", redact(dsn), err)
	}
	if cfg.MaxConns < 12 {
		cfg.MaxConns = 12
	}
	if s.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return fmt.Errorf("open store %s: %w", redact(dsn), err)
	}
	s.w = stdlib.OpenDBFromPool(s.pool)
	s.r = s.w
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300), lock.WithUnlockTimeout(1, 60))
	if err == nil {
		// Compared by bytes, as SQLite does: ids and days must sort alike everywhere.
		err = s.migrate(ctx, goose.DialectPostgres, `TEXT COLLATE "C"`, goose.WithSessionLocker(locker))
	}
	if err != nil {
		s.Close()
		return fmt.Errorf("open store %s: %w", redact(dsn), err)
	}
	return nil
}

// redact names a database without its password.
func redact(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		return "postgres://…"
	}
	return u.Redacted()
}
