package store

import (
	"context"
	"database/sql"
	"slices"
	"strconv"

	"paperwire/internal/paper"
)

// keys reads rows of id and published.
func (s *Store) keys(ctx context.Context, query string, args ...any) (list []key, err error) {
	err = each(ctx, s.r, func(r *sql.Rows) error {
		var k key
		err := r.Scan(&k.id, &k.published)
		list = append(list, k)
		return err
	}, query, args...)
	return list, err
}

// standing gives those of the named articles that a push about the scope may hold: the
// live ones in it, and of those it ever carried the corrected ones whose notice lasts
// (promise 4) and all that are withdrawn: a receiver that was away for longer than a
// notice lasts must hear of a withdrawal all the same. With ever it gives all that the
// scope ever carried.
func (s *Store) standing(ctx context.Context, scope paper.Scope, ids []string, ever bool) ([]key, error) {
	noted := "(a.state = 'withdrawn' OR a.state = 'released' AND a.notice > 0)"
	if ever {
		noted = "a.state IN ('released','withdrawn')"
	}
	var all []key
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !storable(id) })
	for part := range slices.Chunk(ids, 500) {
		for _, told := range []bool{false, true} {
			var args []any
			conds := []string{in("a.id", part, &args), "a.archive = 0"}
			if told {
				conds = append(append(conds, noted), everConds(scope, &args)...)
			} else {
				conds = append(append(conds, "a.state = 'released'"), scopeConds(scope, &args, "")...)
			}
			list, err := s.keys(ctx, `SELECT a.id, a.published FROM articles a WHERE `+and(conds), args...)
			if err != nil {
				return nil, err
			}
			all = append(all, list...)
		}
	}
	return merge(all, nil), nil
}

// newestEdition gives the live articles of the newest edition of a scope in page
// order, of several papers page by page in turn; at most limit, if there is one.
// It is looked for among the newest articles that a feed can hold: an article of a
// later day that came out before two hundred of earlier days is none to hand on.
func (s *Store) newestEdition(ctx context.Context, v paper.View, scope paper.Scope, limit int) ([]paper.Item, error) {
	args, conds, err := s.newestConds(ctx, scope)
	if err != nil || conds == nil {
		return nil, err
	}
	query := `SELECT a.id, a.published FROM articles a WHERE ` + and(conds) + ` ORDER BY a.ordinal, a.paper, a.id`
	if limit > 0 {
		query += ` LIMIT ` + strconv.Itoa(limit)
	}
	ids, err := s.keys(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	items, err := s.let(ctx, v, ids)
	// One may have been withdrawn since its key was read.
	items = slices.DeleteFunc(items, func(i paper.Item) bool { return i.State != paper.Live })
	inOrder(items, ids)
	return items, err
}

// newestConds gives the conditions of the newest edition of a scope, by its newest
// articles; nil where there are none. An edition is what has pages: one item of a
// website past midnight does not replace the newspaper. Where none of the newest has
// a page it is the items of the newest day.
func (s *Store) newestConds(ctx context.Context, scope paper.Scope) (args []any, conds []string, err error) {
	newest, err := s.newest(ctx, scope, feedMax, nil)
	if err != nil || len(newest) == 0 {
		return nil, nil, err
	}
	named := make([]string, len(newest))
	for i, k := range newest {
		named[i] = k.id
	}
	var day, printed string
	var of []any
	if err := s.r.QueryRowContext(ctx, `SELECT MAX(a.day), COALESCE(MAX(CASE WHEN a.page <> '' THEN a.day END), '') FROM articles a WHERE `+in("a.id", named, &of), of...).Scan(&day, &printed); err != nil {
		return nil, nil, err
	}
	args, conds = []any{day}, []string{"a.day = $1", "a.state = 'released'", "a.archive = 0"}
	if printed != "" {
		args[0], conds = printed, append(conds, "a.page <> ''")
	}
	return args, append(conds, scopeConds(scope, &args, "")...), nil
}

// inOrder sorts items as their keys stand.
func inOrder(items []paper.Item, ids []key) {
	place := make(map[string]int, len(ids))
	for i, k := range ids {
		place[k.id] = i
	}
	slices.SortFunc(items, func(a, b paper.Item) int { return place[a.ID] - place[b.ID] })
}
