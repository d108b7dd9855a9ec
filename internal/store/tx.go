package store

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema up to date. text is the type that TEXT stands for.
func (s *Store) migrate(ctx context.Context, d goose.Dialect, text string, opts ...goose.ProviderOption) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	dir = rewritten{dir, []byte(" TEXT"), []byte(" " + text)}
	p, err := goose.NewProvider(d, s.w, dir, opts...)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// rewritten is a file system in whose files one text stands for another.
type rewritten struct {
	fs.FS
	old, new []byte
}

func (r rewritten) Open(name string) (fs.File, error) {
	f, err := r.FS.Open(name)
	if err != nil || path.Ext(name) != ".sql" {
		return f, err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	return rewrittenFile{bytes.NewReader(bytes.ReplaceAll(b, r.old, r.new)), info}, err
}

type rewrittenFile struct {
	*bytes.Reader
	info fs.FileInfo
}

func (f rewrittenFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f rewrittenFile) Close() error               { return nil }

// Close closes the database.
func (s *Store) Close() error {
	var err error
	if s.r != nil && s.r != s.w {
		err = s.r.Close()
	}
	if s.w != nil {
		if e := s.w.Close(); err == nil {
			err = e
		}
	}
	if s.pool != nil {
		s.pool.Close()
	}
	return err
}

// Ping asks the database whether it is there.
func (s *Store) Ping(ctx context.Context) error { return s.r.PingContext(ctx) }

// Pool is the PostgreSQL pool that the queue shares; nil on SQLite.
func (s *Store) Pool() *pgxpool.Pool { return s.pool }

// Path is the SQLite file; empty on PostgreSQL.
func (s *Store) Path() string { return s.path }

// tx runs fn in one write transaction.
func (s *Store) tx(ctx context.Context, what string, fn func(*sql.Tx) error) error {
	t, err := s.w.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := fn(t); err != nil {
		t.Rollback()
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := t.Commit(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// change draws the next number of the change sequence. The row stays locked
// until the transaction ends, so what carries a lower number is committed.
func change(ctx context.Context, t *sql.Tx) (seq int64, err error) {
	err = t.QueryRowContext(ctx, `UPDATE clock SET n = n + 1 WHERE name = 'change' RETURNING n`).Scan(&seq)
	return seq, err
}

// risen draws the instant at which versions rise in this transaction: now, but later
// than every one drawn before, whatever the clock does. Two rises within a second,
// of one part or of two that a document is made of, would share a Last-Modified.
func risen(ctx context.Context, t *sql.Tx, now int64) (at int64, err error) {
	err = t.QueryRowContext(ctx, `UPDATE clock SET n = CASE WHEN n >= $1 THEN n + 1 ELSE $1 END WHERE name = 'risen' RETURNING n`, now).Scan(&at)
	return at, err
}

// in writes `column IN (…)` with numbered placeholders,
// while appending the values to args.
func in(column string, values []string, args *[]any) string {
	if len(values) == 1 {
		*args = append(*args, values[0])
		return column + " = $" + strconv.Itoa(len(*args))
	}
	var b strings.Builder
	b.WriteString(column)
	b.WriteString(" IN (")
	for i, v := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		*args = append(*args, v)
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(len(*args)))
	}
	b.WriteByte(')')
	return b.String()
}

// storable reports whether keys are text that both databases take: UTF-8 without
// NUL. What is not is stored nowhere, and PostgreSQL refuses to look for it.
func storable(keys ...string) bool {
	for _, k := range keys {
		if !utf8.ValidString(k) || strings.IndexByte(k, 0) >= 0 {
			return false
		}
	}
	return true
}

// each runs a query and hands each row to scan.
func each(ctx context.Context, q interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}, scan func(*sql.Rows) error, query string, args ...any,
) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil { // only paper's data types come here: they always marshal
		panic(err)
	}
	return string(b)
}

func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func instant(sec int64) time.Time {
	if sec == 0 {
		return time.Time{}
	}
	return time.Unix(sec, 0).UTC()
}

func sorted(m map[string]bool) []string {
	list := make([]string, 0, len(m))
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}
