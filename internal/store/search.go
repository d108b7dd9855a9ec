package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"paperwire/internal/paper"
)

// What a search looks at: where the scope is small, each of its articles is tested;
// else matches are walked newest first, at most so many, and then so many articles
// of the scope beyond them.
const (
	smallScope   = 2000
	matchBudget  = 10000
	beyondBudget = 3000
	indexBatch   = 200
)

// finder is the search index of a database. A row has three texts: head is what
// everybody may see, lead the summary, body the rest; zones are how many of them
// count. Rows are numbered by search_row.
type finder interface {
	// make makes the index where there is none.
	make(ctx context.Context, db *sql.DB) error
	put(ctx context.Context, t *sql.Tx, row int64, head, lead, body []string) error
	drop(ctx context.Context, t *sql.Tx, row int64) error
	// query writes what is looked for.
	query(words []phrase, zones int) string
	// table, row and match are the index, its number, and the condition that the
	// query of a placeholder matches.
	table() (name, row string)
	match(placeholder string) string
}

// zones are how many of head, lead and body a right may see.
func zones(r paper.Rights) int {
	switch r {
	case paper.RightsHeadline:
		return 1
	case paper.RightsSummary:
		return 2
	}
	return 3
}

// texts are the three texts of an article.
func texts(a paper.Article) (head, lead, body []string) {
	names := make([]string, 0, len(a.Byline))
	for _, p := range a.Byline {
		names = append(names, p.Name)
	}
	h := strings.Join(append([]string{a.Headline, a.Kicker, a.Subtitle}, names...), "\n")
	return tokens(h, maxTokens), tokens(a.Summary, maxTokens), tokens(a.Text, maxBody)
}

// indexed puts the words of an article that is out into the index, or takes them out.
func (r *release) indexed(a paper.Article, published int64, out bool) error {
	return r.s.index(r.ctx, r.t, a, published, out)
}

func (s *Store) index(ctx context.Context, t *sql.Tx, a paper.Article, published int64, out bool) error {
	var row, seq int64
	if err := t.QueryRowContext(ctx, `SELECT search_row, COALESCE((SELECT MIN(seq) FROM versions WHERE article = a.id), 0) FROM articles a WHERE id = $1`, a.ID).Scan(&row, &seq); err != nil {
		return err
	}
	if row == 0 {
		row = rowFrom(published) | seq&0xffffff
		if _, err := t.ExecContext(ctx, `UPDATE articles SET search_row = $2 WHERE id = $1`, a.ID, row); err != nil {
			return err
		}
	} else if err := s.finder.drop(ctx, t, row); err != nil {
		return err
	}
	if !out {
		return nil
	}
	head, lead, body := texts(a)
	return s.finder.put(ctx, t, row, head, lead, body)
}

// rowFrom is the least row of what was published at an instant.
func rowFrom(published int64) int64 { return published << 24 }

// Index puts into the search index what an earlier version of the program let out:
// the newest that is missing, some hundred articles at a time. left is how many are
// missing then. The part search rises when the last is in.
func (s *Store) Index(ctx context.Context) (n, left int, err error) {
	count := func() error {
		return s.r.QueryRowContext(ctx, `SELECT COUNT(*) FROM articles WHERE search_row = 0 AND state = 'released'`).Scan(&left)
	}
	if err := count(); err != nil || left == 0 {
		return 0, left, err
	}
	err = s.tx(ctx, "index articles", func(t *sql.Tx) error {
		n = 0
		// One process at a time, and in the order of a release: the clock, then articles.
		if _, err := t.ExecContext(ctx, `UPDATE clock SET n = n WHERE name = 'change'`); err != nil {
			return err
		}
		var ids []string
		if err := each(ctx, t, func(r *sql.Rows) error {
			var id string
			err := r.Scan(&id)
			ids = append(ids, id)
			return err
		}, `SELECT id FROM articles WHERE search_row = 0 AND state = 'released' ORDER BY published DESC LIMIT `+strconv.Itoa(indexBatch)); err != nil {
			return err
		}
		slices.Sort(ids)
		for _, id := range ids {
			var doc, state string
			var published int64
			// Read with its row locked: what a release changes meanwhile is seen.
			if err := t.QueryRowContext(ctx, `UPDATE articles SET hash = hash WHERE id = $1 RETURNING doc, state, published`, id).Scan(&doc, &state, &published); err != nil {
				return err
			}
			var a paper.Article
			if err := json.Unmarshal([]byte(doc), &a); err != nil {
				return fmt.Errorf("article %s: %w", id, err)
			}
			a.ID = id
			if err := s.index(ctx, t, a, published, state == "released"); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	if err != nil {
		return n, left, err
	}
	if err := count(); err != nil || left > 0 {
		return n, left, err
	}
	return n, 0, s.tx(ctx, "index articles", func(t *sql.Tx) error {
		seq, err := change(ctx, t)
		if err != nil {
			return err
		}
		at, err := risen(ctx, t, s.now().Unix())
		if err != nil {
			return err
		}
		return rise(ctx, t, "search", seq, at, 0, "")
	})
}

// matching gives the newest articles of a scope in which all words occur, as far as
// a view may see them, and what the scope tells of.
func (s *Store) matching(ctx context.Context, v paper.View, scope paper.Scope, w paper.Window) ([]key, error) {
	words, ok := phrases(w.Query)
	if !ok {
		return nil, nil
	}
	limit := w.Limit
	if limit == 0 {
		limit = feedItems
	}
	var from *key
	if !w.Before.IsZero() {
		from = &key{w.Before.Unix(), w.BeforeID}
	}
	groups, err := s.rightsIn(ctx, v, scope)
	if err != nil {
		return nil, err
	}
	var all []key
	for _, g := range groups {
		q := query{s: s, scope: scope, text: s.finder.query(words, g.zones), rights: g.rights, archive: w.Archive}
		list, err := q.newest(ctx, limit, from)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	all = merge(all, nil)
	all = all[:min(limit, len(all))]
	if from != nil || w.Archive {
		return all, nil
	}
	told, err := s.notices(ctx, scope)
	if err != nil {
		return nil, err
	}
	if told, err = s.matched(ctx, v, told, words); err != nil {
		return nil, err
	}
	all = merge(all, told)
	if w.Limit > 0 && len(all) > w.Limit && !w.Beside {
		all = all[:w.Limit]
	}
	return all, nil
}

// group are the papers of some rights; empty for all.
type group struct {
	rights []string
	zones  int
}

// rightsIn groups the papers of a scope by what a view may see of them: an article
// is not to be found by a body that is not shown.
func (s *Store) rightsIn(ctx context.Context, v paper.View, scope paper.Scope) ([]group, error) {
	var args []any
	q := `SELECT DISTINCT rights FROM papers`
	if len(scope.Papers) > 0 {
		q += ` WHERE ` + in("key", scope.Papers, &args)
	}
	var list []group
	err := each(ctx, s.r, func(r *sql.Rows) error {
		var rights string
		if err := r.Scan(&rights); err != nil {
			return err
		}
		z := zones(paper.Rights(rights).Narrower(v.Rights))
		for i := range list {
			if list[i].zones == z {
				list[i].rights = append(list[i].rights, rights)
				return nil
			}
		}
		list = append(list, group{[]string{rights}, z})
		return nil
	}, q+` ORDER BY rights`, args...)
	if len(list) == 1 {
		list[0].rights = nil
	}
	return list, err
}

// query is one search among the papers of one group.
type query struct {
	s       *Store
	scope   paper.Scope
	text    string
	rights  []string
	archive bool
}

// own are the conditions of its papers.
func (q *query) own(args *[]any) []string {
	if q.rights == nil {
		return nil
	}
	return []string{"a.paper IN (SELECT key FROM papers WHERE " + in("rights", q.rights, args) + ")"}
}

// newest gives its newest matches.
func (q *query) newest(ctx context.Context, limit int, from *key) ([]key, error) {
	drive, values, n, err := q.s.driver(ctx, q.scope)
	if err != nil {
		return nil, err
	}
	table, row := q.s.finder.table()
	test := func(args *[]any) []string {
		*args = append(*args, q.text)
		return append(q.own(args), "EXISTS (SELECT 1 FROM "+table+" WHERE "+q.s.finder.match("$"+strconv.Itoa(len(*args)))+" AND "+row+" = a.search_row)")
	}
	if drive != "all" && n <= smallScope && !q.archive {
		return q.s.walkAll(ctx, q.scope, drive, values, limit, from, []int{smallScope}, test)
	}
	where := func(lo, hi int64) ([]any, []string) {
		args := []any{q.text}
		conds := []string{q.s.finder.match("$1")}
		if hi != 0 {
			args = append(args, hi)
			conds = append(conds, row+" < $"+strconv.Itoa(len(args)))
		}
		if lo != 0 {
			args = append(args, lo)
			conds = append(conds, row+" >= $"+strconv.Itoa(len(args)))
		}
		return args, conds
	}
	find := func(lo, hi int64, limit int) ([]key, error) {
		args, conds := where(lo, hi)
		conds = append(conds, "a.state = 'released'")
		if !q.archive {
			conds = append(conds, "a.archive = 0")
		}
		if from != nil {
			args = append(args, from.published, from.id)
			conds = append(conds, fmt.Sprintf("(a.published, a.id) < ($%d, $%d)", len(args)-1, len(args)))
		}
		conds = append(append(conds, scopeConds(q.scope, &args, "")...), q.own(&args)...)
		sel := `SELECT a.id, a.published FROM ` + table + ` CROSS JOIN articles a WHERE a.search_row = ` + row + ` AND ` + and(conds) + ` ORDER BY ` + row + ` DESC`
		if limit > 0 {
			sel += ` LIMIT ` + strconv.Itoa(limit)
		}
		return q.s.keys(ctx, sel, args...)
	}
	var hi, lo int64
	if from != nil {
		hi = rowFrom(from.published + 1)
	}
	bounded := !q.scope.IsAll() || q.rights != nil
	if bounded {
		args, conds := where(0, hi)
		var end []int64
		if err := each(ctx, q.s.r, func(r *sql.Rows) error {
			end = append(end, 0)
			return r.Scan(&end[0])
		}, `SELECT `+row+` FROM `+table+` WHERE `+and(conds)+` ORDER BY `+row+` DESC LIMIT 1 OFFSET `+strconv.Itoa(matchBudget-1), args...); err != nil {
			return nil, err
		}
		if len(end) > 0 {
			lo = rowFrom(end[0] >> 24) // whole seconds
		}
	}
	list, err := find(lo, hi, limit)
	if err != nil {
		return nil, err
	}
	if len(list) == limit {
		// Rows of one second stand in the order they came out; feeds sort them by id.
		last := list[len(list)-1].published
		rest, err := find(rowFrom(last), rowFrom(last+1), 0)
		if err != nil {
			return nil, err
		}
		list = merge(list, rest)
		return list[:limit], nil
	}
	if lo == 0 || drive == "all" || q.archive {
		return merge(list, nil), nil
	}
	rest, err := q.s.walkAll(ctx, q.scope, drive, values, limit-len(list), &key{lo >> 24, ""}, []int{beyondBudget}, test)
	return merge(list, rest), err
}

// matched keeps of what a scope tells of what the words occur in, or did in any
// version: a withdrawn article stands in no index, and who found it hears of it.
func (s *Store) matched(ctx context.Context, v paper.View, told []key, words []phrase) ([]key, error) {
	hit := map[string]bool{}
	for part := range slices.Chunk(told, 200) {
		var args []any
		named := make([]string, len(part))
		for i, k := range part {
			named[i] = k.id
		}
		if err := each(ctx, s.r, func(r *sql.Rows) error {
			var id, doc string
			var rights paper.Rights
			if err := r.Scan(&id, &doc, &rights); err != nil || hit[id] || doc == "" {
				return err
			}
			var a paper.Article
			if err := json.Unmarshal([]byte(doc), &a); err != nil {
				return fmt.Errorf("article %s: %w", id, err)
			}
			head, lead, body := texts(a)
			seen := [][]string{head, lead, body}[:zones(rights.Narrower(v.Rights))]
			hit[id] = !slices.ContainsFunc(words, func(p phrase) bool { return !p.in(seen...) })
			return nil
		}, `SELECT v.article, v.doc, p.rights FROM versions v JOIN articles a ON a.id = v.article JOIN papers p ON p.key = a.paper WHERE `+in("v.article", named, &args), args...); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(told, func(k key) bool { return !hit[k.id] }), nil
}
