package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strconv"
	"strings"

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
	if err == nil {
		err = s.finder.make(ctx, s.w)
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

// vectors is the search index of PostgreSQL. The vectors are written by us, without
// its parser, which has views of its own on 5g and 2026e3. The weights A, B and D
// are head, lead and body.
type vectors struct{}

func (vectors) make(ctx context.Context, db *sql.DB) error {
	t, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer t.Rollback()
	for _, q := range []string{
		`SELECT pg_advisory_xact_lock(7303014)`, // IF NOT EXISTS races with itself
		`CREATE TABLE IF NOT EXISTS search (id BIGINT PRIMARY KEY, words TSVECTOR NOT NULL)`,
		`CREATE INDEX IF NOT EXISTS search_words ON search USING GIN (words)`,
	} {
		if _, err := t.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return t.Commit()
}

func (vectors) put(ctx context.Context, t *sql.Tx, row int64, head, lead, body []string) error {
	at := map[string][]string{}
	n := 0
	for i, text := range [][]string{head, lead, body} {
		for _, token := range text {
			n++
			at[token] = append(at[token], strconv.Itoa(n)+[]string{"A", "B", "D"}[i])
		}
		n += 2 // a phrase does not go on from one text into the next
	}
	var b strings.Builder
	for token, places := range at {
		// Letters and digits only: nothing to escape. More than 256 places are not kept.
		b.WriteString("'" + token + "':" + strings.Join(places[:min(len(places), 255)], ",") + " ")
	}
	_, err := t.ExecContext(ctx, `INSERT INTO search (id, words) VALUES ($1, CAST($2 AS TEXT)::tsvector) ON CONFLICT (id) DO UPDATE SET words = EXCLUDED.words`, row, b.String())
	return err
}

func (vectors) drop(ctx context.Context, t *sql.Tx, row int64) error {
	_, err := t.ExecContext(ctx, `DELETE FROM search WHERE id = $1`, row)
	return err
}

func (vectors) query(words []phrase, zones int) string {
	var b strings.Builder
	for i, p := range words {
		if i > 0 {
			b.WriteString(" & ")
		}
		b.WriteString("(")
		for j, token := range p.tokens {
			if j > 0 {
				b.WriteString(" <-> ")
			}
			b.WriteString("'" + token + "':" + []string{"A", "AB", "ABD"}[zones-1])
			if p.prefix && j == len(p.tokens)-1 {
				b.WriteString("*")
			}
		}
		b.WriteString(")")
	}
	return b.String()
}

func (vectors) table() (name, row string) { return "search", "search.id" }

func (vectors) match(placeholder string) string {
	return "search.words @@ CAST(" + placeholder + " AS TEXT)::tsquery"
}
