package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"paperwire/internal/paper"
)

// What a feed holds (DESIGN.md, the contract).
const (
	feedItems = 50
	feedMax   = 200
	feedSpan  = 48 * time.Hour
	// maxNotices bounds a feed against a publisher that corrects everything; what
	// was withdrawn comes first.
	maxNotices = 1000
)

// columns of every query that lets an article out; see gate.
const columns = `a.id, a.doc, a.state, a.version, a.published, a.updated, a.notice, e.doc, p.name, p.city, p.link, p.rights,
	CASE WHEN a.version > 1 AND a.state = 'released' THEN NOT EXISTS (SELECT 1 FROM versions v WHERE v.article = a.id AND v.version > 1
		AND v.hash <> (SELECT f.hash FROM versions f WHERE f.article = a.id AND f.version = 1)) ELSE FALSE END`

const from = ` FROM articles a JOIN evidence e ON e.article = a.id JOIN papers p ON p.key = a.paper`

// gate turns a stored row into what one view may see (promise 7). Nothing else
// makes an Item.
func gate(rows *sql.Rows, v paper.View) (paper.Item, error) {
	var i paper.Item
	var rights paper.Rights
	var id, doc, state, filing string
	var published, updated, notice int64
	if err := rows.Scan(&id, &doc, &state, &i.Version, &published, &updated, &notice, &filing,
		&i.PaperName, &i.PaperCity, &i.Link, &rights, &i.AsFirst); err != nil {
		return i, err
	}
	if err := json.Unmarshal([]byte(doc), &i.Article); err != nil {
		return i, fmt.Errorf("article %s: %w", id, err)
	}
	var f paper.Filing
	if err := json.Unmarshal([]byte(filing), &f); err != nil {
		return i, fmt.Errorf("evidence of %s: %w", id, err)
	}
	i.ID = id
	i.URN = paper.URN(id)
	i.Published, i.Updated = instant(published), instant(updated)
	i.Notice = notice > 0
	i.Rights = rights.Narrower(v.Rights)
	i.Sections, i.Reach = f.Sections, f.Placing.Reach
	for _, t := range f.Placing.Districts {
		if t.Tier == paper.Sure {
			i.Districts = append(i.Districts, t)
		}
	}
	if state == "withdrawn" {
		i.State = paper.Withdrawn
		i.Article = paper.Article{
			ID: id, Paper: i.Paper, Source: i.Source, Day: i.Day, Page: i.Page,
			Position: i.Position, Ordinal: i.Ordinal, Language: i.Language,
		}
		i.Sections, i.Districts, i.Reach = nil, nil, ""
		return i, nil
	}
	i.State = paper.Live
	switch i.Rights {
	case paper.RightsSummary:
		i.Text, i.HTML = "", ""
		i.Images = i.Images[:min(1, len(i.Images))]
		evidenceWithin(&i)
	case paper.RightsHeadline:
		i.Text, i.HTML, i.Summary, i.Images = "", "", "", nil
		evidenceWithin(&i)
	default:
		i.Rights = paper.RightsFull
	}
	return i, nil
}

// evidenceWithin drops the evidence that quotes the body of an article whose
// body the view may not see.
func evidenceWithin(i *paper.Item) {
	for t := range i.Districts {
		i.Districts[t].Evidence = slices.DeleteFunc(slices.Clone(i.Districts[t].Evidence), func(e paper.Evidence) bool {
			return e.Zone == "body" || e.Zone == "lead"
		})
	}
}

// Items lets out the items of a scope that a window asks for.
func (s *Store) Items(ctx context.Context, v paper.View, scope paper.Scope, w paper.Window) ([]paper.Item, error) {
	var items []paper.Item
	err := paper.ErrNotFound
	if storable(string(w.Day), w.BeforeID) {
		items, err = s.items(ctx, v, scope, w)
	}
	if err == nil {
		err = s.related(ctx, v, items)
	}
	if err != nil {
		return nil, fmt.Errorf("items of %s: %w", scope, err)
	}
	return items, nil
}

func (s *Store) items(ctx context.Context, v paper.View, scope paper.Scope, w paper.Window) ([]paper.Item, error) {
	switch {
	case w.IDs != nil:
		ids, err := s.standing(ctx, scope, w.IDs, w.Ever)
		if err != nil {
			return nil, err
		}
		return s.let(ctx, v, ids)
	case w.Newest:
		return s.newestEdition(ctx, v, scope, w.Limit)
	case w.Query != nil:
		ids, err := s.matching(ctx, v, scope, w)
		if err != nil {
			return nil, err
		}
		return s.let(ctx, v, ids)
	case w.Drip != nil:
		return s.dripped(ctx, v, scope, *w.Drip, w.Limit, w.Limit == 0 || w.Beside)
	case w.Archive && w.Day != "":
		return s.archive(ctx, v, scope, w.Day, w.Limit)
	case w.Day != "":
		args := []any{string(w.Day)}
		conds := []string{"a.day = $1", "a.state = 'released'"}
		conds = append(conds, scopeConds(scope, &args, "")...)
		var items []paper.Item
		err := each(ctx, s.r, func(r *sql.Rows) error {
			i, err := gate(r, v)
			items = append(items, i)
			return err
		}, `SELECT `+columns+from+` WHERE `+and(conds)+` ORDER BY a.ordinal, a.paper, a.id`, args...)
		return items, err
	}
	limit := w.Limit
	if limit == 0 {
		limit = feedMax
	}
	var from *key
	if !w.Before.IsZero() {
		from = &key{w.Before.Unix(), w.BeforeID}
	}
	ids, err := s.newest(ctx, scope, limit, from)
	if err != nil {
		return nil, err
	}
	if w.Limit == 0 && len(ids) > feedItems {
		// All within 48 hours before the newest, at least 50, at most 200.
		oldest := ids[0].published - int64(feedSpan/time.Second)
		n := feedItems
		for n < len(ids) && ids[n].published >= oldest {
			n++
		}
		ids = ids[:n]
	}
	if w.Before.IsZero() {
		told, err := s.notices(ctx, scope)
		if err != nil {
			return nil, err
		}
		ids = merge(ids, told)
		if w.Limit > 0 && len(ids) > w.Limit && !w.Beside {
			ids = ids[:w.Limit]
		}
	}
	return s.let(ctx, v, ids)
}

// let lets the named articles out, newest first.
func (s *Store) let(ctx context.Context, v paper.View, ids []key) ([]paper.Item, error) {
	var items []paper.Item
	for part := range slices.Chunk(ids, 500) {
		var args []any
		values := make([]string, len(part))
		for i, x := range part {
			values[i] = x.id
		}
		if err := each(ctx, s.r, func(r *sql.Rows) error {
			i, err := gate(r, v)
			if err == nil {
				items = append(items, i)
			}
			return err
		}, `SELECT `+columns+from+` WHERE `+in("a.id", values, &args)+` AND a.state IN ('released','withdrawn')`, args...); err != nil {
			return nil, err
		}
	}
	sortItems(items)
	return items, nil
}

// sortItems sorts newest first; equal instants (across papers) by id.
func sortItems(items []paper.Item) {
	slices.SortFunc(items, func(a, b paper.Item) int {
		if c := b.Published.Compare(a.Published); c != 0 {
			return c
		}
		return strings.Compare(b.ID, a.ID)
	})
}

type key struct {
	published int64
	id        string
}

func newer(a, b key) int {
	switch {
	case a.published != b.published:
		if a.published > b.published {
			return -1
		}
		return 1
	}
	return strings.Compare(b.id, a.id)
}

// merge unites two lists, newest first, each id once.
func merge(a, b []key) []key {
	all := append(slices.Clone(a), b...)
	slices.SortFunc(all, newer)
	return slices.CompactFunc(all, func(x, y key) bool { return x.id == y.id })
}

// budget bounds how many articles of its driving part a list of a combination
// looks at: what excludes or intersects nearly everything would walk through the
// whole store (1.3 s at 240,000 articles). Where the next match lies further away
// than this, the list ends. The first stretch is enough for nearly all.
var budget = []int{2000, 28000}

// newest finds the newest released articles of a scope by key look-ups. The kind
// of part that holds the fewest articles drives; each value of it is walked newest
// first along its index, so the cost does not grow with the store. from is the key
// that the list goes on after; nil for its beginning.
func (s *Store) newest(ctx context.Context, scope paper.Scope, limit int, from *key) ([]key, error) {
	drive, values, _, err := s.driver(ctx, scope)
	if err != nil {
		return nil, err
	}
	return s.walkAll(ctx, scope, drive, values, limit, from, budget, nil)
}

// walkAll is newest along the values of the driving part, within a budget; test are
// further conditions.
func (s *Store) walkAll(ctx context.Context, scope paper.Scope, drive string, values []string, limit int, from *key, budget []int, test func(*[]any) []string) ([]key, error) {
	var all []key
	for _, value := range values {
		list, err := s.walk(ctx, scope, drive, value, limit, from, shares(budget, len(values)), test)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	if len(values) > 1 {
		all = merge(all, nil)
	}
	return all[:min(limit, len(all))], nil
}

// shares is a budget for each of n.
func shares(budget []int, n int) []int {
	list := slices.Clone(budget)
	for i := range list {
		list[i] /= max(n, 1)
	}
	return list
}

// walk is walkAll along one value.
func (s *Store) walk(ctx context.Context, scope paper.Scope, drive, value string, limit int, from *key, budget []int, test func(*[]any) []string) ([]key, error) {
	table, order := " FROM articles a", "a.published, a.id"
	base := []any{}
	var conds []string
	switch drive {
	case "district", "section":
		// The filing carries published too, so one index gives the order.
		table, order = " FROM filings d", "d.published, d.article"
		base, conds = append(base, drive+"/"+value), append(conds, "d.part = $1")
	case "paper":
		base, conds = append(base, value), append(conds, "a.paper = $1")
	default:
		conds = append(conds, "a.state = 'released'", "a.archive = 0")
	}
	sorted := " ORDER BY " + strings.Replace(order, ",", " DESC,", 1) + " DESC LIMIT "
	join := table
	if table == " FROM filings d" {
		join += " JOIN articles a ON a.id = d.article"
	}
	// after and until are the stretch of the index that one query walks.
	between := func(args *[]any, after, until *key) []string {
		list := slices.Clone(conds)
		for _, x := range []struct {
			k  *key
			is string
		}{{after, " < "}, {until, " >= "}} {
			if x.k != nil {
				*args = append(*args, x.k.published, x.k.id)
				list = append(list, fmt.Sprintf("(%s)%s($%d, $%d)", order, x.is, len(*args)-1, len(*args)))
			}
		}
		return list
	}
	var all []key
	for step := 0; step < len(budget); step++ {
		args := slices.Clone(base)
		var until *key
		rest := scopeConds(scope, &args, drive)
		if test != nil {
			rest = append(rest, test(&args)...)
		}
		if len(rest) > 0 {
			bound := slices.Clone(base)
			end, err := s.keys(ctx, `SELECT `+reversed(order)+table+` WHERE `+and(between(&bound, from, nil))+sorted+`1 OFFSET `+strconv.Itoa(budget[step]-1), bound...)
			if err != nil {
				return nil, err
			}
			if len(end) > 0 {
				until = &end[0]
			}
		}
		where := append(between(&args, from, until), rest...)
		if drive == "district" || drive == "section" {
			where = append(where, "d.to_seq = 0")
		}
		if drive != "all" {
			where = append(where, "a.state = 'released'", "a.archive = 0")
		}
		list, err := s.keys(ctx, `SELECT `+reversed(order)+join+` WHERE `+and(where)+sorted+strconv.Itoa(limit-len(all)), args...)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
		if len(all) >= limit || until == nil {
			break
		}
		from = until
	}
	return all, nil
}

// reversed gives the two columns of an order as keys are read: the id first.
func reversed(order string) string {
	published, id, _ := strings.Cut(order, ", ")
	return id + ", " + published
}

// driver chooses the part that a query is driven by: the one with the fewest
// articles, which scopes counts; for all it counts none.
func (s *Store) driver(ctx context.Context, scope paper.Scope) (kind string, values []string, fewest int64, err error) {
	kind, values = "all", []string{""}
	kinds := []struct {
		kind   string
		values []string
	}{{"district", scope.Districts}, {"section", scope.Sections}, {"paper", scope.Papers}}
	fewest = -1
	for _, k := range kinds {
		if len(k.values) == 0 {
			continue
		}
		var args []any
		var n int64
		if err := s.r.QueryRowContext(ctx, `SELECT CAST(COALESCE(SUM(items), 0) AS BIGINT) FROM scopes WHERE `+in("part", prefixed(k.kind, k.values), &args), args...).Scan(&n); err != nil {
			return "", nil, 0, err
		}
		if fewest < 0 || n < fewest {
			fewest, kind, values = n, k.kind, k.values
		}
	}
	return kind, values, fewest, nil
}

// notices finds what the scope ever carried whose correction or withdrawal is
// still told (promise 4), filed here still or not.
func (s *Store) notices(ctx context.Context, scope paper.Scope) ([]key, error) {
	var args []any
	conds := []string{"a.notice > 0", "a.archive = 0", "a.state IN ('released','withdrawn')"}
	conds = append(conds, everConds(scope, &args)...)
	var all []key
	err := each(ctx, s.r, func(r *sql.Rows) error {
		var k key
		if err := r.Scan(&k.id, &k.published); err != nil {
			return err
		}
		all = append(all, k)
		return nil
	}, `SELECT a.id, a.published FROM articles a WHERE `+and(conds)+
		` ORDER BY CASE WHEN a.state = 'withdrawn' THEN 0 ELSE 1 END, a.published DESC, a.id DESC LIMIT `+strconv.Itoa(maxNotices), args...)
	return all, err
}

// scopeConds are the conditions that an article stands in a scope now, but for
// the kind of part that the query is driven by.
func scopeConds(s paper.Scope, args *[]any, drive string) []string {
	var conds []string
	if len(s.Papers) > 0 && drive != "paper" {
		conds = append(conds, in("a.paper", s.Papers, args))
	}
	if len(s.Pages) > 0 {
		conds = append(conds, in(onPage("a.page"), s.Pages, args))
	}
	filed := func(kind string, values []string) string {
		return "EXISTS (SELECT 1 FROM filings f WHERE f.article = a.id AND f.to_seq = 0 AND " + in("f.part", prefixed(kind, values), args) + ")"
	}
	if len(s.Sections) > 0 && drive != "section" {
		conds = append(conds, filed("section", s.Sections))
	}
	if len(s.Districts) > 0 && drive != "district" {
		conds = append(conds, filed("district", s.Districts))
	}
	if len(s.NotSections) > 0 {
		conds = append(conds, "NOT "+filed("section", s.NotSections))
	}
	if len(s.NotDistricts) > 0 {
		conds = append(conds, "NOT "+filed("district", s.NotDistricts))
	}
	return conds
}

// onPage is a printed page number as scopes write it: b02 stands at page/B02. (No
// index holds pages: the one paper beside them drives.)
func onPage(printed string) string { return "UPPER(" + printed + ")" }

// everConds are the conditions that a scope carried an article at some moment: the
// inclusions held then and the exclusions did not. What stands where changes with a
// version and with an editor's filing, so the moments are those of both. The paper is
// compared as an expression, so that the index of notices drives: they are few.
func everConds(s paper.Scope, args *[]any) []string {
	var conds []string
	if len(s.Papers) > 0 {
		conds = append(conds, in("a.paper || ''", s.Papers, args))
	}
	var then []string
	if len(s.Pages) > 0 {
		then = append(then, in(onPage("(SELECT v.page FROM versions v WHERE v.article = a.id AND v.seq <= m.seq ORDER BY v.version DESC LIMIT 1)"), s.Pages, args))
	}
	for _, x := range []struct {
		not, kind string
		values    []string
	}{{"", "section", s.Sections}, {"", "district", s.Districts}, {"NOT ", "section", s.NotSections}, {"NOT ", "district", s.NotDistricts}} {
		if len(x.values) > 0 {
			then = append(then, x.not+"EXISTS (SELECT 1 FROM filings f WHERE f.article = a.id AND "+in("f.part", prefixed(x.kind, x.values), args)+
				" AND f.from_seq <= m.seq AND (f.to_seq = 0 OR f.to_seq > m.seq))")
		}
	}
	if len(then) > 0 {
		conds = append(conds, `EXISTS (SELECT 1 FROM (SELECT seq FROM versions WHERE article = a.id
			UNION SELECT from_seq FROM filings WHERE article = a.id UNION SELECT to_seq FROM filings WHERE article = a.id AND to_seq > 0) m WHERE `+and(then)+")")
	}
	return conds
}

func prefixed(kind string, values []string) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = kind + "/" + v
	}
	return list
}

// Item lets out one article by id. Errors: paper.ErrNotFound, also for what is
// not released; paper.ErrGone with the blanked item for what was withdrawn.
func (s *Store) Item(ctx context.Context, v paper.View, id string) (paper.Item, error) {
	item, err := s.item(ctx, v, id)
	if err != nil {
		return item, err
	}
	one := []paper.Item{item}
	if err := s.related(ctx, v, one); err != nil {
		return paper.Item{}, fmt.Errorf("article %s: %w", id, err)
	}
	return one[0], nil
}

// item is Item without what it is related to.
func (s *Store) item(ctx context.Context, v paper.View, id string) (paper.Item, error) {
	var item paper.Item
	err := paper.ErrNotFound
	if !storable(id) {
		return item, fmt.Errorf("article %q: %w", id, err)
	}
	qerr := each(ctx, s.r, func(r *sql.Rows) error {
		item, err = gate(r, v)
		return err
	}, `SELECT `+columns+from+` WHERE a.id = $1 AND a.state IN ('released','withdrawn')`, id)
	switch {
	case qerr != nil:
		return paper.Item{}, fmt.Errorf("article %s: %w", id, qerr)
	case err != nil:
		return paper.Item{}, fmt.Errorf("article %s: %w", id, err)
	case item.State == paper.Withdrawn:
		return item, fmt.Errorf("article %s: %w", id, paper.ErrGone)
	}
	return item, nil
}

// Changed lets out what was published, corrected or withdrawn behind a place in the
// order of changes, oldest first, n items at most: each once, where its present version
// came to be. What came by backfill stands in it from its first correction on.
func (s *Store) Changed(ctx context.Context, v paper.View, seq int64, id string, n int) ([]paper.Change, error) {
	if !storable(id) {
		return nil, fmt.Errorf("changes after %d %q: %w", seq, id, paper.ErrNotFound)
	}
	var list []paper.Change
	var ids []key
	err := each(ctx, s.r, func(r *sql.Rows) error {
		var c paper.Change
		if err := r.Scan(&c.Seq, &c.Item.ID); err != nil {
			return err
		}
		list, ids = append(list, c), append(ids, key{id: c.Item.ID})
		return nil
	}, `SELECT w.seq, w.article FROM versions w JOIN articles a ON a.id = w.article AND a.version = w.version
		WHERE (w.seq, w.article) > ($1, $2) AND a.state IN ('released','withdrawn') AND (a.archive = 0 OR a.version > 1) ORDER BY w.seq, w.article LIMIT $3`, seq, id, n)
	if err != nil {
		return nil, fmt.Errorf("changes after %d: %w", seq, err)
	}
	items, err := s.let(ctx, v, ids)
	if err != nil {
		return nil, fmt.Errorf("changes after %d: %w", seq, err)
	}
	by := make(map[string]paper.Item, len(items))
	for _, i := range items {
		by[i.ID] = i
	}
	for i := range list {
		list[i].Item = by[list[i].Item.ID]
	}
	return slices.DeleteFunc(list, func(c paper.Change) bool { return c.Item.ID == "" }), nil
}

// Papers lists the papers by key, retired ones too.
func (s *Store) Papers(ctx context.Context) ([]paper.Paper, error) {
	var list []paper.Paper
	err := each(ctx, s.r, func(r *sql.Rows) error {
		var p paper.Paper
		var retired int64
		if err := r.Scan(&p.Key, &p.Name, &p.City, &p.Zone, &p.Language, &p.URL, &p.Link, &p.Rights, &retired); err != nil {
			return err
		}
		p.Retired = retired != 0
		list = append(list, p)
		return nil
	}, `SELECT key, name, city, zone, language, url, link, rights, retired FROM papers ORDER BY key`)
	if err != nil {
		return nil, fmt.Errorf("papers: %w", err)
	}
	return list, nil
}

// Sections lists the sections by slug, automatic ones too.
func (s *Store) Sections(ctx context.Context) ([]paper.Section, error) {
	var list []paper.Section
	err := each(ctx, s.r, func(r *sql.Rows) error {
		var x paper.Section
		if err := r.Scan(&x.Slug, &x.Name); err != nil {
			return err
		}
		list = append(list, x)
		return nil
	}, `SELECT slug, name FROM sections ORDER BY slug`)
	if err != nil {
		return nil, fmt.Errorf("sections: %w", err)
	}
	return list, nil
}

// Scopes lists the single-part scopes with what they hold: every paper, section
// and filed district. District names are left to who knows the gazetteer.
func (s *Store) Scopes(ctx context.Context, v paper.View) ([]paper.ScopeInfo, error) {
	var list []paper.ScopeInfo
	err := each(ctx, s.r, func(r *sql.Rows) error {
		var x paper.ScopeInfo
		if err := r.Scan(&x.Part, &x.Name, &x.Count, &x.Last); err != nil {
			return err
		}
		list = append(list, x)
		return nil
	}, `SELECT n.part, n.name, COALESCE(c.items, 0), COALESCE(c.last, '') FROM (
			SELECT 'paper/' || key AS part, name FROM papers
			UNION ALL SELECT 'section/' || slug, name FROM sections
			UNION ALL SELECT part, '' FROM scopes WHERE part LIKE 'district/%' OR part = 'all') n
		LEFT JOIN scopes c ON c.part = n.part ORDER BY n.part`)
	if err != nil {
		return nil, fmt.Errorf("scopes: %w", err)
	}
	return list, nil
}

// Edition gives one edition with its pages and the editions before and after it.
func (s *Store) Edition(ctx context.Context, v paper.View, pkey string, day paper.Day) (paper.Edition, error) {
	e := paper.Edition{Paper: pkey, Day: day}
	what := fmt.Sprintf("edition %s %s", pkey, day)
	if !storable(pkey, string(day)) {
		return e, fmt.Errorf("edition %q %q: %w", pkey, day, paper.ErrNotFound)
	}
	var rights string
	err := s.r.QueryRowContext(ctx, `SELECT url, state, (SELECT rights FROM papers WHERE key = e.paper), (SELECT COUNT(*) FROM articles a WHERE a.paper = e.paper AND a.day = e.day AND a.state = 'released'),
			COALESCE((SELECT MAX(b.day) FROM editions b WHERE b.paper = e.paper AND b.day < e.day AND `+visible("b")+`), ''),
			COALESCE((SELECT MIN(b.day) FROM editions b WHERE b.paper = e.paper AND b.day > e.day AND `+visible("b")+`), '')
		FROM editions e WHERE e.paper = $1 AND e.day = $2 AND `+visible("e"), pkey, string(day)).
		Scan(&e.URL, &e.State, &rights, &e.Articles, &e.Previous, &e.Next)
	if errors.Is(err, sql.ErrNoRows) {
		return e, fmt.Errorf("%s: %w", what, paper.ErrNotFound)
	} else if err != nil {
		return e, fmt.Errorf("%s: %w", what, err)
	}
	err = each(ctx, s.r, func(r *sql.Rows) error {
		var p paper.EditionPage
		var areas, mirror string
		if err := r.Scan(&p.Number, &p.Name, &p.URL, &p.Picture, &p.PDF, &areas, &p.Listed, &p.Read, &p.Failed, &mirror); err != nil {
			return err
		}
		if mirror != "" && v.Rights.Narrower(paper.Rights(rights)) == paper.RightsFull {
			p.Mirror = new(paper.Picture)
			if err := json.Unmarshal([]byte(mirror), p.Mirror); err != nil {
				return err
			}
		}
		if err := json.Unmarshal([]byte(areas), &p.Areas); err != nil {
			return err
		}
		e.Pages = append(e.Pages, p)
		return nil
	}, `SELECT number, name, url, picture, pdf, areas, listed - `+unseen("g")+` AND h.page = g.number), read - `+unseen("g")+` AND h.page = g.number), failed, CASE WHEN `+allOut("g")+` THEN mirror ELSE '' END
		FROM edition_pages g WHERE paper = $1 AND day = $2 ORDER BY place`, pkey, string(day))
	if err != nil {
		return e, fmt.Errorf("%s: %w", what, err)
	}
	if err := s.hideAreas(ctx, &e); err != nil {
		return e, fmt.Errorf("%s: %w", what, err)
	}
	return e, nil
}

// visible is the condition that an edition has anything released: one that is
// ingested only, or held, leaves no trace.
func visible(alias string) string {
	return "EXISTS (SELECT 1 FROM articles v WHERE v.paper = " + alias + ".paper AND v.day = " + alias + ".day AND v.state = 'released')"
}

// unseen begins a count of the articles of an edition that were read and that nobody
// may know of: not out yet, or kept back. It is open at its end.
func unseen(alias string) string {
	return "(SELECT COUNT(*) FROM articles h WHERE h.paper = " + alias + ".paper AND h.day = " + alias + ".day AND (h.state = 'ingested' OR h.state = 'withheld' AND h.reason <> '')"
}

// allOut is the condition that all articles of a page are out: its picture shows
// what was withdrawn, or is held, as well.
func allOut(alias string) string {
	return "NOT EXISTS (SELECT 1 FROM articles w WHERE w.paper = " + alias + ".paper AND w.day = " + alias + ".day AND w.page = " + alias + ".number" +
		" AND (w.state IN ('withdrawn','ingested') OR w.state = 'withheld' AND w.reason <> '' OR w.pending = 'withdraw'))"
}

// hideAreas drops the areas of articles that are not released.
func (s *Store) hideAreas(ctx context.Context, e *paper.Edition) error {
	out := map[string]bool{}
	if err := each(ctx, s.r, func(r *sql.Rows) error {
		var id string
		if err := r.Scan(&id); err != nil {
			return err
		}
		out[id] = true
		return nil
	}, `SELECT id FROM articles WHERE paper = $1 AND day = $2 AND state = 'released'`, e.Paper, string(e.Day)); err != nil {
		return err
	}
	for i := range e.Pages {
		p := &e.Pages[i]
		p.Areas = slices.DeleteFunc(p.Areas, func(a paper.Area) bool { return !out[a.Article] })
	}
	return nil
}

// Editions lists the newest n editions of a paper, or of all papers for "", with
// their pages.
func (s *Store) Editions(ctx context.Context, v paper.View, pkey string, n int) ([]paper.Edition, error) {
	if !storable(pkey) {
		return nil, fmt.Errorf("editions of %q: %w", pkey, paper.ErrNotFound)
	}
	var days []paper.Edition
	q, args := `SELECT e.paper, e.day FROM editions e WHERE `+visible("e"), []any{}
	if pkey != "" {
		q, args = q+` AND e.paper = $1`, append(args, pkey)
	}
	err := each(ctx, s.r, func(r *sql.Rows) error {
		var e paper.Edition
		if err := r.Scan(&e.Paper, &e.Day); err != nil {
			return err
		}
		days = append(days, e)
		return nil
	}, q+` ORDER BY e.day DESC, e.paper LIMIT `+strconv.Itoa(n), args...)
	if err != nil {
		return nil, fmt.Errorf("editions: %w", err)
	}
	for i := range days {
		if days[i], err = s.Edition(ctx, v, days[i].Paper, days[i].Day); err != nil {
			return nil, err
		}
	}
	return days, nil
}
