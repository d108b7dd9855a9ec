package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// openSQLite opens one writer connection, which takes the write lock when its
// transaction begins (so it never has to upgrade and fail), and a pool of
// readers beside it. synchronous=FULL: what was acknowledged survives a power cut.
func (s *Store) openSQLite(ctx context.Context, path string) error {
	if strings.Contains(path, ":memory:") {
		return fmt.Errorf("open store %s: name a file: a memory database cannot be shared", path)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("open store %s: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(abs), 0o755); err != nil {
		return fmt.Errorf("open store %s: %w", path, err)
	}
	s.path = abs
	// It holds secrets of receivers: a new one is for its owner alone, and so are the files
	// that SQLite puts beside it.
	if f, err := os.OpenFile(abs, os.O_CREATE|os.O_RDWR, 0o600); err == nil {
		f.Close()
	}
	dsn := func(extra ...string) string {
		q := url.Values{}
		for _, p := range append([]string{"journal_mode(WAL)", "busy_timeout(10000)", "synchronous(FULL)", "foreign_keys(ON)", "temp_store(MEMORY)"}, extra...) {
			q.Add("_pragma", p)
		}
		return "file:" + (&url.URL{Path: abs}).EscapedPath() + "?" + q.Encode()
	}
	if s.w, err = sql.Open("sqlite", dsn("cache_size(-8000)")+"&_txlock=immediate"); err != nil {
		return fmt.Errorf("open store %s: %w", path, err)
	}
	s.w.SetMaxOpenConns(1)
	if s.r, err = sql.Open("sqlite", dsn("query_only(ON)", "cache_size(-4000)")); err != nil {
		s.w.Close()
		return fmt.Errorf("open store %s: %w", path, err)
	}
	s.r.SetMaxOpenConns(max(4, runtime.NumCPU()))
	s.r.SetMaxIdleConns(max(4, runtime.NumCPU()))
	// Two processes may start on a new file at once: the loser of the race to
	// create it waits and looks again.
	for try := 0; ; try++ {
		if err = s.migrate(ctx, goose.DialectSQLite3, "TEXT"); err == nil {
			err = s.finder.make(ctx, s.w)
		}
		if err == nil || try == 20 || !sqliteBusy(err) {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err != nil {
		s.Close()
		return fmt.Errorf("open store %s: %w", path, err)
	}
	return nil
}

func sqliteBusy(err error) bool {
	for e := err; e != nil; {
		if se, ok := e.(*sqlite.Error); ok {
			return se.Code()&0xff == sqlite3.SQLITE_BUSY || strings.Contains(se.Error(), "already exists")
		}
		u, ok := e.(interface{ Unwrap() error })
		if !ok {
			return strings.Contains(err.Error(), "already exists") || strings.Contains(err.Error(), "database is locked")
		}
		e = u.Unwrap()
	}
	return false
}

// QueueDB opens the file that the queue of an SQLite store lives in: its own,
// so that the queue's many small writes never wait for a release, nor it for them.
// It has one connection. The caller closes it. Not for PostgreSQL; see Pool.
func (s *Store) QueueDB() (*sql.DB, error) {
	path := strings.TrimSuffix(s.path, filepath.Ext(s.path)) + "-queue.db"
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+
		"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(10000)&_pragma=synchronous(NORMAL)&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open queue %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// fts is the search index of SQLite. It keeps no content but positions; its tokens
// are made by us, so that its own tokeniser has nothing to know: ascii takes every
// character beyond ASCII for a letter.
type fts struct{}

func (fts) make(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, `CREATE VIRTUAL TABLE IF NOT EXISTS search USING fts5(head, lead, body, content='', contentless_delete=1, tokenize='ascii')`)
	return err
}

func (fts) put(ctx context.Context, t *sql.Tx, row int64, head, lead, body []string) error {
	_, err := t.ExecContext(ctx, `INSERT OR REPLACE INTO search (rowid, head, lead, body) VALUES ($1,$2,$3,$4)`,
		row, strings.Join(head, " "), strings.Join(lead, " "), strings.Join(body, " "))
	return err
}

func (fts) drop(ctx context.Context, t *sql.Tx, row int64) error {
	_, err := t.ExecContext(ctx, `DELETE FROM search WHERE rowid = $1`, row)
	return err
}

func (fts) query(words []phrase, zones int) string {
	var b strings.Builder
	b.WriteString([]string{"{head} : (", "{head lead} : (", "("}[zones-1])
	for i, p := range words {
		if i > 0 {
			b.WriteString(" AND ")
		}
		b.WriteString(`"` + strings.Join(p.tokens, " ") + `"`) // letters and digits only
		if p.prefix {
			b.WriteString(" *")
		}
	}
	b.WriteString(")")
	return b.String()
}

func (fts) table() (name, row string) { return "search", "search.rowid" }

func (fts) match(placeholder string) string { return "search MATCH " + placeholder }
