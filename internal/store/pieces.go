package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"paperwire/internal/paper"
)

// KeepPiece keeps an article that goes on on another page, or goes on from one,
// as it was read; doc is ingest's own. The reference stays to be read until the
// article made of it is taken in. An empty doc forgets the piece.
func (s *Store) KeepPiece(ctx context.Context, source string, day paper.Day, origin, doc string) error {
	return s.tx(ctx, "piece "+origin, func(t *sql.Tx) error {
		q, args := `INSERT INTO pieces (source, day, origin, doc) VALUES ($1,$2,$3,$4) ON CONFLICT (source, day, origin) DO UPDATE SET doc=$4`,
			[]any{source, string(day), short(origin, maxOrigin), doc}
		if doc == "" {
			q, args = `DELETE FROM pieces WHERE source=$1 AND day=$2 AND origin=$3`, args[:3]
		}
		_, err := t.ExecContext(ctx, q, args...)
		return err
	})
}

// Pieces gives the pieces that the newest listing of an edition has, in print order.
func (s *Store) Pieces(ctx context.Context, source string, day paper.Day) ([]Piece, error) {
	var list []Piece
	err := each(ctx, s.r, func(r *sql.Rows) error {
		var p Piece
		err := r.Scan(&p.Origin, &p.Doc, &p.Article, &p.State)
		list = append(list, p)
		return err
	}, `SELECT p.origin, p.doc, f.article, COALESCE(a.state, '') FROM pieces p JOIN refs f ON f.source = p.source AND f.day = p.day AND f.origin = p.origin
		LEFT JOIN articles a ON a.id = f.article
		WHERE p.source = $1 AND p.day = $2 AND f.listing = (SELECT MAX(listing) FROM refs WHERE source = $1 AND day = $2) ORDER BY f.place, p.origin`, source, string(day))
	if err != nil {
		return nil, fmt.Errorf("pieces of %s %s: %w", source, day, err)
	}
	return list, nil
}

// Absorb notes that what a reference leads to is part of an article that was
// taken in. Where it was an article of its own that nobody has seen, that one is
// withheld.
func (s *Store) Absorb(ctx context.Context, source, pkey string, day paper.Day, origin, mark, article string) error {
	return s.tx(ctx, "ref "+origin, func(t *sql.Tx) error {
		if err := lockPaper(ctx, t, pkey); err != nil {
			return err
		}
		origin, mark := short(origin, maxOrigin), short(mark, maxKey)
		var was string
		err := t.QueryRowContext(ctx, `SELECT article FROM refs WHERE source=$1 AND day=$2 AND origin=$3`, source, string(day), origin).Scan(&was)
		if err != nil {
			return err
		}
		if was != "" && was != article {
			if _, err := t.ExecContext(ctx, `UPDATE articles SET state='withheld' WHERE id=$1 AND state='ingested'
				AND NOT EXISTS (SELECT 1 FROM refs WHERE article=$1 AND (source<>$2 OR day<>$3 OR origin<>$4))`, was, source, string(day), origin); err != nil {
				return err
			}
		}
		_, err = t.ExecContext(ctx, `UPDATE refs SET state='read', article=$4, mark=$5, problem='', checked=$6, gone=0, gone_at=0 WHERE source=$1 AND day=$2 AND origin=$3`,
			source, string(day), origin, article, mark, s.now().UnixMilli())
		return err
	})
}

// Emptied counts the articles of an edition's newest listing whose last reading
// ended with a problem of the given words, and all of them.
func (s *Store) Emptied(ctx context.Context, source string, day paper.Day, problem string) (empty, listed int, err error) {
	err = s.r.QueryRowContext(ctx, `SELECT COALESCE(SUM(CASE WHEN problem = $3 THEN 1 ELSE 0 END), 0), COUNT(*) FROM refs
		WHERE source = $1 AND day = $2 AND listing = (SELECT MAX(listing) FROM refs WHERE source = $1 AND day = $2)`, source, string(day), problem).Scan(&empty, &listed)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, 0, fmt.Errorf("problems of %s %s: %w", source, day, err)
	}
	return empty, listed, nil
}
