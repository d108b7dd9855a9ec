package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"paperwire/internal/paper"
)

// maxRelated bounds the articles told beside one item.
const maxRelated = 8

// Relate writes down what ties articles of a paper to others: the ties of the
// articles named become exactly these. Where that changes what an article that is
// out tells beside itself, the versions of its scopes rise; its updated does not.
func (s *Store) Relate(ctx context.Context, pkey string, of []string, ties []Tie) error {
	if len(of) == 0 {
		return nil
	}
	slices.SortFunc(ties, compareTies)
	ties = slices.Compact(ties)
	if have, err := tiesOf(ctx, s.r, of); err != nil {
		return fmt.Errorf("relations of %s: %w", pkey, err)
	} else if slices.Equal(have, ties) {
		return nil
	}
	return s.tx(ctx, "relate articles of "+pkey, func(t *sql.Tx) error {
		// Locked in the order of a release: the clock, then the paper.
		if _, err := t.ExecContext(ctx, `UPDATE clock SET n = n WHERE name = 'change'`); err != nil {
			return err
		}
		if err := lockPaper(ctx, t, pkey); err != nil {
			return err
		}
		have, err := tiesOf(ctx, t, of)
		if err != nil {
			return err
		}
		var moved []Tie
		for _, x := range have {
			if slices.Contains(ties, x) {
				continue
			}
			moved = append(moved, x)
			if _, err := t.ExecContext(ctx, `DELETE FROM relations WHERE article = $1 AND relation = $2 AND other = $3`, x.Article, string(x.Relation), x.Other); err != nil {
				return err
			}
		}
		for _, x := range ties {
			if slices.Contains(have, x) {
				continue
			}
			moved = append(moved, x)
			if _, err := t.ExecContext(ctx, `INSERT INTO relations (article, relation, other) VALUES ($1,$2,$3) ON CONFLICT DO NOTHING`, x.Article, string(x.Relation), x.Other); err != nil {
				return err
			}
		}
		// An article that is not out leaves no trace: nothing rises for it.
		ends := map[string]bool{}
		for _, x := range moved {
			var out int
			if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM articles WHERE id IN ($1, $2) AND state = 'released'`, x.Article, x.Other).Scan(&out); err != nil {
				return err
			}
			if out == 2 {
				ends[x.Article], ends[x.Other] = true, true
			}
		}
		parts := map[string]bool{}
		for _, id := range sorted(ends) {
			if err := shownIn(ctx, t, id, parts); err != nil {
				return err
			}
		}
		if len(parts) == 0 {
			return nil
		}
		seq, err := change(ctx, t)
		if err != nil {
			return err
		}
		at, err := risen(ctx, t, s.now().Unix())
		if err != nil {
			return err
		}
		for _, part := range sorted(parts) {
			if err := rise(ctx, t, part, seq, at, 0, ""); err != nil {
				return err
			}
		}
		return nil
	})
}

func compareTies(a, b Tie) int {
	return cmp.Or(cmp.Compare(a.Article, b.Article), cmp.Compare(a.Relation, b.Relation), cmp.Compare(a.Other, b.Other))
}

func tiesOf(ctx context.Context, q interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}, of []string,
) ([]Tie, error) {
	var ties []Tie
	for part := range slices.Chunk(of, 500) {
		var args []any
		if err := each(ctx, q, func(r *sql.Rows) error {
			var x Tie
			err := r.Scan(&x.Article, &x.Relation, &x.Other)
			ties = append(ties, x)
			return err
		}, `SELECT article, relation, other FROM relations WHERE `+in("article", part, &args), args...); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(ties, compareTies)
	return ties, nil
}

// shownIn adds the parts that show an article which is out; see archived.
func shownIn(ctx context.Context, t *sql.Tx, id string, parts map[string]bool) error {
	return each(ctx, t, func(r *sql.Rows) error {
		var part, pkey string
		var archive int64
		if err := r.Scan(&part, &pkey, &archive); err != nil {
			return err
		}
		if archive != 0 {
			parts["archive"], parts["archive/"+pkey] = true, true
			return nil
		}
		if part != "" {
			parts[part] = true
		}
		parts["all"], parts["paper/"+pkey] = true, true
		return nil
	}, `SELECT COALESCE(f.part, ''), a.paper, a.archive FROM articles a LEFT JOIN filings f ON f.article = a.id
		WHERE a.id = $1 AND a.state = 'released'`, id)
}

// touchRelated raises the parts of what is out and tells of an article beside
// itself: it is released now, or withdrawn.
func (r *release) touchRelated(id string) error {
	var others []string
	if err := each(r.ctx, r.t, func(rows *sql.Rows) error {
		var other string
		err := rows.Scan(&other)
		others = append(others, other)
		return err
	}, `SELECT other FROM relations WHERE article = $1 UNION SELECT article FROM relations WHERE other = $1`, id); err != nil {
		return err
	}
	parts := map[string]bool{}
	for _, other := range others {
		if err := shownIn(r.ctx, r.t, other, parts); err != nil {
			return err
		}
	}
	for part := range parts {
		r.touch(part, 0, "")
	}
	return nil
}

// related lets out, beside each item, the articles it is tied to.
func (s *Store) related(ctx context.Context, v paper.View, items []paper.Item) error {
	at := make(map[string]int, len(items))
	ids := make([]string, 0, len(items))
	for n, i := range items {
		if i.State == paper.Live {
			at[i.ID] = n
			ids = append(ids, i.ID)
		}
	}
	for part := range slices.Chunk(ids, 500) {
		var args []any
		mine := in("r.article", part, &args)
		theirs := in("r.other", part, &args)
		type tie struct {
			of, relation string
			reverse      bool
		}
		ties := map[string][]tie{} // by the other's id
		if err := each(ctx, s.r, func(r *sql.Rows) error {
			var of, other string
			var x tie
			if err := r.Scan(&of, &x.relation, &other, &x.reverse); err != nil {
				return err
			}
			x.of = of
			ties[other] = append(ties[other], x)
			return nil
		}, `SELECT r.article, r.relation, r.other, 0 = 1 FROM relations r WHERE `+mine+
			` UNION ALL SELECT r.other, r.relation, r.article, 1 = 1 FROM relations r WHERE `+theirs, args...); err != nil {
			return err
		}
		if len(ties) == 0 {
			continue
		}
		others := make([]string, 0, len(ties))
		for id := range ties {
			others = append(others, id)
		}
		slices.Sort(others)
		for part := range slices.Chunk(others, 500) {
			var args []any
			if err := each(ctx, s.r, func(r *sql.Rows) error {
				o, err := gate(r, v)
				if err != nil {
					return err
				}
				for _, x := range ties[o.ID] {
					relation := paper.Relation(x.relation)
					if x.reverse {
						relation = relation.Reverse()
					}
					i := &items[at[x.of]]
					i.Related = append(i.Related, paper.Related{Relation: relation, ID: o.ID, Title: o.Title(), Day: o.Day, Page: o.Page})
				}
				return nil
			}, `SELECT `+columns+from+` WHERE a.state = 'released' AND `+in("a.id", part, &args)+` ORDER BY a.day, a.ordinal, a.id`, args...); err != nil {
				return err
			}
		}
	}
	for _, n := range at {
		items[n].Related = items[n].Related[:min(len(items[n].Related), maxRelated)]
	}
	return nil
}

// Printed gives the articles of a paper of some days as they were read last, the
// unreleased too and withheld ones not, in print order: to find what belongs
// together. At most limit of them, the newest days first.
func (s *Store) Printed(ctx context.Context, pkey string, from, to paper.Day, limit int) ([]paper.Article, error) {
	list, err := s.contents(ctx, `paper = $1 AND day >= $2 AND day <= $3 AND state IN ('ingested','released')
		ORDER BY day DESC, ordinal, id LIMIT $4`, pkey, string(from), string(to), limit)
	if err != nil {
		return nil, fmt.Errorf("articles of %s %s: %w", pkey, to, err)
	}
	return list, nil
}

// contents gives the articles of a condition as they were read last, pending
// corrections included.
func (s *Store) contents(ctx context.Context, where string, args ...any) ([]paper.Article, error) {
	var list []paper.Article
	err := each(ctx, s.r, func(r *sql.Rows) error {
		var id, doc, draft string
		if err := r.Scan(&id, &doc, &draft); err != nil {
			return err
		}
		if draft != "" {
			doc = draft
		}
		var a paper.Article
		if err := json.Unmarshal([]byte(doc), &a); err != nil {
			return fmt.Errorf("article %s: %w", id, err)
		}
		a.ID = id
		list = append(list, a)
		return nil
	}, `SELECT id, doc, draft FROM articles WHERE `+where, args...)
	return list, err
}
