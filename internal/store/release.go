package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"paperwire/internal/paper"
)

// batch bounds how many articles one release transaction takes.
const batch = 1000

// Ready lists the papers that have something to release now.
func (s *Store) Ready(ctx context.Context) ([]string, error) {
	var keys []string
	err := each(ctx, s.r, func(r *sql.Rows) error {
		var k string
		if err := r.Scan(&k); err != nil {
			return err
		}
		keys = append(keys, k)
		return nil
	}, `SELECT DISTINCT paper FROM articles WHERE (state = 'ingested' OR pending <> '') AND release_at <= $1 ORDER BY paper`, s.now().UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("ready papers: %w", err)
	}
	return keys, nil
}

// Release makes visible what is ready in one paper: in one transaction, from the
// paper's locked row (promise 2). History goes first, dated by its own date; then
// news and corrections, which take one second each, ending no later than now. If
// those seconds are not free yet, only what was out before and is withdrawn or
// restored is released, and Wait says how long the others' take to become free.
func (s *Store) Release(ctx context.Context, pkey string) (Released, error) {
	var out Released
	err := s.tx(ctx, "release "+pkey, func(t *sql.Tx) error {
		seq, err := change(ctx, t)
		if err != nil {
			return err
		}
		var p paper.Paper
		var stamp int64
		if err := t.QueryRowContext(ctx, `UPDATE papers SET stamp = stamp WHERE key = $1 RETURNING key, zone, stamp`, pkey).Scan(&p.Key, &p.Zone, &stamp); err != nil {
			return err
		}
		r := release{s: s, ctx: ctx, t: t, seq: seq, paper: p, now: s.now().Unix(), stamp: stamp, parts: map[string]int{}, last: map[string]paper.Day{}}
		if err := r.load(); err != nil {
			return err
		}
		if err := r.history(); err != nil {
			return err
		}
		if err := r.news(&out); err != nil {
			return err
		}
		if r.n == 0 {
			return errNothing // roll back: a number drawn for nothing would wake every process
		}
		out.Seq, out.Articles = seq, r.n
		return r.finish()
	})
	if errors.Is(err, errNothing) {
		return out, nil
	}
	return out, err
}

var errNothing = errors.New("nothing to release")

// release is one release under way.
type release struct {
	s     *Store
	ctx   context.Context
	t     *sql.Tx
	seq   int64
	at    int64 // drawn once; see instant
	paper paper.Paper
	now   int64
	stamp int64

	ready []readyRow
	n     int                  // changes made, and numbers within seq drawn
	parts map[string]int       // part -> change of the number of its articles
	last  map[string]paper.Day // part -> newest day released in it
	fresh []fresh              // news released now: what may get slots in drips
	days  map[[2]string]bool   // part and day of what began to stand there now
}

type readyRow struct {
	a             paper.Article
	filing        paper.Filing
	state         string
	pending       string
	history       bool
	archive       bool
	version       int64
	published     int64
	draft, hash   string
	evidenceDraft string
}

func (r *release) load() error {
	return each(r.ctx, r.t, func(rows *sql.Rows) error {
		var x readyRow
		var doc, filing string
		var h, arch int64
		if err := rows.Scan(&doc, &x.state, &x.pending, &h, &arch, &x.version, &x.published, &x.draft, &x.hash, &filing, &x.evidenceDraft); err != nil {
			return err
		}
		x.history, x.archive = h != 0, arch != 0
		if err := json.Unmarshal([]byte(doc), &x.a); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(filing), &x.filing); err != nil {
			return err
		}
		r.ready = append(r.ready, x)
		return nil
	}, `SELECT a.doc, a.state, a.pending, a.history, a.archive, a.version, a.published, a.draft, a.hash, e.doc, e.draft
		FROM articles a JOIN evidence e ON e.article = a.id
		WHERE a.paper = $1 AND a.release_at <= $2 AND (a.state = 'ingested' OR a.pending <> '')
		ORDER BY CASE WHEN a.pending = 'correct' THEN 2 WHEN a.pending = '' THEN 1 ELSE 0 END, a.day, a.ordinal, a.id LIMIT $3`, r.paper.Key, r.now*1000+999, batch)
}

// history releases what a source already held when first seen: dated by its own
// date where that has a time, else 06:00 of its day less its place in seconds.
// No two of a paper share a second; the later in print steps down.
func (r *release) history() error {
	var old []readyRow
	for _, x := range r.ready {
		if x.history && x.state == "ingested" {
			old = append(old, x)
		}
	}
	if len(old) == 0 {
		return nil
	}
	want := func(x readyRow) int64 {
		at := x.a.Dated.Unix()
		if x.a.Dated.IsZero() {
			at = x.a.Day.In(r.paper.Location()).Add(6*time.Hour).Unix() - int64(x.a.Ordinal)
		}
		return min(at, r.now)
	}
	sort.SliceStable(old, func(i, j int) bool {
		a, b := old[i], old[j]
		if x, y := want(a), want(b); x != y {
			return x > y
		}
		if a.a.Ordinal != b.a.Ordinal {
			return a.a.Ordinal < b.a.Ordinal
		}
		return a.a.ID < b.a.ID
	})
	taken := map[int64]bool{}
	lo, hi := want(old[len(old)-1])-int64(len(old))-3600, want(old[0])
	if err := each(r.ctx, r.t, func(rows *sql.Rows) error {
		var at int64
		if err := rows.Scan(&at); err != nil {
			return err
		}
		taken[at] = true
		return nil
	}, `SELECT published FROM articles WHERE paper = $1 AND published >= $2 AND published <= $3`, r.paper.Key, lo, hi); err != nil {
		return err
	}
	for _, x := range old {
		at := want(x)
		for taken[at] {
			at--
		}
		taken[at] = true
		if err := r.publish(x, at); err != nil {
			return err
		}
		r.stamp = max(r.stamp, at)
	}
	return nil
}

// news releases new articles, withdrawals and restored articles: the front page's
// lead gets the greatest second. Corrections follow as far as there are seconds:
// one that changes at every look never keeps the news back. What is released
// before keeps its published; it takes its second in updated only, and does not wait
// for it unless it is a correction.
func (r *release) news(out *Released) error {
	var fresh, corrections []readyRow
	for _, x := range r.ready {
		switch {
		case x.pending == "correct":
			corrections = append(corrections, x)
		case !x.history || x.state != "ingested":
			fresh = append(fresh, x)
		}
	}
	n, free := len(fresh), int(max(r.now-r.stamp, 0))
	if free < n {
		done, err := r.atOnce(fresh)
		if rest := n - done; rest+len(corrections) > 0 {
			out.Wait = time.Duration(int64(max(rest, 1))-(r.now-r.stamp)) * time.Second
		}
		return err
	}
	if most := free - n; len(corrections) > most {
		corrections = corrections[:most]
		out.Wait = time.Second
	}
	if len(r.ready) == batch {
		out.Wait = time.Second // there may be more
	}
	inPrint(fresh)
	all := append(fresh, corrections...)
	if len(all) == 0 {
		return nil
	}
	for i, x := range all {
		at := r.now - int64(i)
		var err error
		if x.state == "ingested" {
			err = r.publish(x, at)
		} else {
			err = r.revise(x, at)
		}
		if err != nil {
			return err
		}
	}
	r.stamp = r.now
	return nil
}

// atOnce releases withdrawals and restored articles where new ones must wait: after a
// wrong clock the paper's stamp may be days ahead, and what the publisher took down
// stands no day longer. They take the next seconds in updated, and no published.
func (r *release) atOnce(fresh []readyRow) (int, error) {
	list := slices.DeleteFunc(slices.Clone(fresh), func(x readyRow) bool { return x.state == "ingested" })
	inPrint(list)
	for i, x := range list {
		if err := r.revise(x, r.stamp+int64(len(list)-i)); err != nil {
			return 0, err
		}
	}
	r.stamp += int64(len(list))
	return len(list), nil
}

// inPrint sorts later days above earlier ones, then in print order: the first gets
// the greatest second.
func inPrint(list []readyRow) {
	sort.SliceStable(list, func(i, j int) bool {
		a, b := list[i].a, list[j].a
		if a.Day != b.Day {
			return a.Day > b.Day
		}
		return a.Ordinal < b.Ordinal
	})
}

// publish is the first release of one article.
func (r *release) publish(x readyRow, at int64) error {
	if _, err := r.t.ExecContext(r.ctx, `UPDATE articles SET state='released', version=1, published=$2, updated=$2 WHERE id=$1`, x.a.ID, at); err != nil {
		return err
	}
	if _, err := r.t.ExecContext(r.ctx, `INSERT INTO versions (article, version, seq, updated, hash, page, doc) VALUES ($1,1,$2,$3,$4,$5,$6)`,
		x.a.ID, r.seq, at, x.hash, x.a.Page.Number, encode(x.a)); err != nil {
		return err
	}
	if err := r.indexed(x.a, at, true); err != nil {
		return err
	}
	r.stand(x.a.Day, "all", "paper/"+x.a.Paper)
	parts := filedUnder(x.filing)
	for _, part := range parts {
		if err := r.file(part, x.a.ID, at); err != nil {
			return err
		}
	}
	r.stand(x.a.Day, parts...)
	if err := r.sections(x.filing.Sections); err != nil {
		return err
	}
	if x.archive {
		return r.archived(x.a, 1)
	}
	for _, part := range append(parts, "all", "paper/"+x.a.Paper) {
		r.touch(part, 1, x.a.Day)
	}
	if err := r.touchRelated(x.a.ID); err != nil {
		return err
	}
	if !x.history {
		r.fresh = append(r.fresh, fresh{x.a.ID, x.a.Paper, x.a.Page.Number, x.a.Day, x.a.Ordinal, parts})
	}
	return r.out(paper.ArticlePublished, x.a.ID, x.a.Day, 1, parts)
}

// revise releases what is pending on an article that was released before.
func (r *release) revise(x readyRow, at int64) error {
	version := x.version + 1
	kind, state := paper.ArticleCorrected, "released"
	doc := encode(x.a)
	filing := x.filing
	draft, draftFiling := "", ""
	switch x.pending {
	case "withdraw":
		kind, state = paper.ArticleWithdrawn, "withdrawn"
		draft, draftFiling = x.draft, x.evidenceDraft // what waits for a restore goes on waiting
	case "restore":
		kind = paper.ArticlePublished
		fallthrough
	default:
		if x.draft != "" {
			var a paper.Article
			if err := json.Unmarshal([]byte(x.draft), &a); err != nil {
				return err
			}
			// What the publisher's redesign changed about the place stays ours, and
			// so does the day: an item of a feed is filed under the one it came with.
			a.ID, a.Day = x.a.ID, x.a.Day
			x.a, doc = a, encode(a)
		}
		if x.evidenceDraft != "" {
			filing = paper.Filing{}
			if err := json.Unmarshal([]byte(x.evidenceDraft), &filing); err != nil {
				return err
			}
		}
	}
	notice := r.now + int64(r.s.notice/time.Second)
	if x.archive {
		notice = 0 // nobody received it, so nobody is told
	}
	was, is := int(flag(x.state == "released")), int(flag(state == "released"))
	if _, err := r.t.ExecContext(r.ctx, `UPDATE articles SET state=$2, version=$3, updated=$4, notice=$5, pending='', draft=$6, doc=$7, page=$8, ordinal=$9 WHERE id=$1`,
		x.a.ID, state, version, at, notice, draft, doc, x.a.Page.Number, x.a.Ordinal); err != nil {
		return err
	}
	if _, err := r.t.ExecContext(r.ctx, `INSERT INTO versions (article, version, seq, updated, hash, page, doc) VALUES ($1,$2,$3,$4,$5,$6,$7)`,
		x.a.ID, version, r.seq, at, x.hash, x.a.Page.Number, doc); err != nil {
		return err
	}
	if _, err := r.t.ExecContext(r.ctx, `UPDATE evidence SET doc=$2, draft=$3 WHERE article=$1`, x.a.ID, encode(filing), draftFiling); err != nil {
		return err
	}
	if _, err := r.t.ExecContext(r.ctx, `UPDATE editions SET state='corrected' WHERE paper=$1 AND day=$2 AND state='complete'`, x.a.Paper, string(x.a.Day)); err != nil {
		return err
	}
	if err := r.indexed(x.a, x.published, state == "released"); err != nil {
		return err
	}
	parts, err := r.refile(x.a.ID, x.published, filedUnder(filing), was, is, x.archive, x.a.Day)
	if err != nil {
		return err
	}
	if err := r.sections(filing.Sections); err != nil {
		return err
	}
	if x.archive {
		return r.archived(x.a, is-was)
	}
	for _, part := range []string{"all", "paper/" + x.a.Paper} {
		r.touch(part, is-was, x.a.Day)
	}
	if err := r.touchRelated(x.a.ID); err != nil {
		return err
	}
	return r.out(kind, x.a.ID, x.a.Day, version, parts)
}

// refile ends the filings that no longer hold, begins new ones, and touches all
// of them: who received the article hears of the change. was and is are 1 where the
// article counts before and after it: a withdrawn one counts nowhere. It returns the
// parts.
func (r *release) refile(id string, published int64, want []string, was, is int, archive bool, day paper.Day) ([]string, error) {
	open, ever := map[string]bool{}, map[string]bool{}
	if err := each(r.ctx, r.t, func(rows *sql.Rows) error {
		var part string
		var to int64
		if err := rows.Scan(&part, &to); err != nil {
			return err
		}
		ever[part] = true
		if to == 0 {
			open[part] = true
		}
		return nil
	}, `SELECT part, to_seq FROM filings WHERE article = $1`, id); err != nil {
		return nil, err
	}
	delta := map[string]int{}
	for _, part := range want {
		ever[part] = true
		if open[part] {
			delta[part] = is - was
			continue
		}
		delta[part] = is
		r.stand(day, part)
		if err := r.file(part, id, published); err != nil {
			return nil, err
		}
	}
	for part := range open {
		if slices.Contains(want, part) {
			continue
		}
		delta[part] = -was
		if _, err := r.t.ExecContext(r.ctx, `UPDATE filings SET to_seq=$3 WHERE part=$1 AND article=$2 AND to_seq=0`, part, id, r.seq); err != nil {
			return nil, err
		}
	}
	parts := sorted(ever)
	for _, part := range parts {
		if archive {
			continue
		}
		r.touch(part, delta[part], day)
	}
	return parts, nil
}

func (r *release) file(part, id string, published int64) error {
	_, err := r.t.ExecContext(r.ctx, `INSERT INTO filings (part, article, from_seq, to_seq, published) VALUES ($1,$2,$3,0,$4)
		ON CONFLICT (article, part, from_seq) DO UPDATE SET to_seq=0`, part, id, r.seq, published)
	return err
}

// sections remembers the names of automatic sections, for ever once published.
func (r *release) sections(list []paper.Section) error {
	for _, x := range list {
		if _, err := r.t.ExecContext(r.ctx, `INSERT INTO sections (slug, name, auto) VALUES ($1,$2,1) ON CONFLICT (slug) DO NOTHING`, x.Slug, x.Name); err != nil {
			return err
		}
	}
	return nil
}

func (r *release) touch(part string, gain int, day paper.Day) {
	r.parts[part] += gain
	if gain > 0 && day > r.last[part] {
		r.last[part] = day
	} else if _, ok := r.last[part]; !ok {
		r.last[part] = ""
	}
}

// out writes one event to the outbox, numbered in commit order.
func (r *release) out(kind paper.EventKind, article string, day paper.Day, version int64, parts []string) error {
	r.n++
	_, err := r.t.ExecContext(r.ctx, `INSERT INTO outbox (seq, n, kind, paper, day, article, version, parts, at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)`,
		r.seq, r.n, kind, r.paper.Key, string(day), article, version, encode(parts), r.now)
	return err
}

// finish hands the paper's row its new stamp, gives out slots and raises the versions.
func (r *release) finish() error {
	if _, err := r.t.ExecContext(r.ctx, `UPDATE papers SET stamp = $2 WHERE key = $1`, r.paper.Key, r.stamp); err != nil {
		return err
	}
	if err := r.drip(); err != nil {
		return err
	}
	for x := range r.days {
		open := -1
		if strings.HasPrefix(x[0], "paper/") {
			open = 0
		}
		if _, err := r.t.ExecContext(r.ctx, `INSERT INTO days (part, day, closed) VALUES ($1,$2,$3) ON CONFLICT DO NOTHING`, x[0], x[1], open); err != nil {
			return err
		}
	}
	return r.rise()
}

// stand notes that something of a day stands in parts from now on.
func (r *release) stand(day paper.Day, parts ...string) {
	if r.days == nil {
		r.days = map[[2]string]bool{}
	}
	for _, part := range parts {
		r.days[[2]string{part, string(day)}] = true
	}
}

// rise raises the versions of the parts that were touched.
func (r *release) rise() error {
	parts := make([]string, 0, len(r.parts))
	for part := range r.parts {
		parts = append(parts, part)
	}
	slices.Sort(parts)
	at, err := r.instant()
	if err != nil {
		return err
	}
	for _, part := range parts {
		if err := rise(r.ctx, r.t, part, r.seq, at, r.parts[part], r.last[part]); err != nil {
			return err
		}
	}
	return nil
}

// instant is when what this transaction changes rises: see risen.
func (r *release) instant() (at int64, err error) {
	if r.at == 0 {
		r.at, err = risen(r.ctx, r.t, r.now)
	}
	return r.at, err
}

// rise raises one part's version, at an instant of risen.
func rise(ctx context.Context, t *sql.Tx, part string, seq, at int64, gain int, last paper.Day) error {
	_, err := t.ExecContext(ctx, `INSERT INTO scopes (part, seq, at, items, last) VALUES ($1,$2,$3,$4,$5)
		ON CONFLICT (part) DO UPDATE SET seq=$2, at=$3, items=scopes.items+$4,
			last=CASE WHEN scopes.last > $5 THEN scopes.last ELSE $5 END`,
		part, seq, at, gain, string(last))
	return err
}

// filedUnder are the parts of a filing, sorted.
func filedUnder(f paper.Filing) []string {
	set := map[string]bool{}
	for _, x := range f.Sections {
		set["section/"+x.Slug] = true
	}
	for _, code := range f.Districts {
		set["district/"+code] = true
	}
	return sorted(set)
}

// byPublisher is the reason of a withdrawal that the publisher's site shows.
const byPublisher = "publisher"

// Withdraw marks a released article as withdrawn; the next Release tells everybody
// who received it. An article that was never released is just not released. The
// reason is kept; an empty one says that the publisher withdrew it, and it is
// restored when the publisher has it again.
func (s *Store) Withdraw(ctx context.Context, id, reason string) error {
	if reason == "" {
		reason = byPublisher
	}
	return s.tx(ctx, "withdraw "+id, func(t *sql.Tx) error {
		if _, err := t.ExecContext(ctx, `UPDATE papers SET stamp = stamp WHERE key = (SELECT paper FROM articles WHERE id = $1)`, id); err != nil {
			return err
		}
		res, err := t.ExecContext(ctx, `UPDATE articles SET pending='withdraw', reason=$3, release_at=$2 WHERE id=$1 AND state='released'`, id, s.now().UnixMilli(), reason)
		if err != nil {
			return err
		}
		if n, _ := res.RowsAffected(); n > 0 {
			return nil
		}
		res, err = t.ExecContext(ctx, `UPDATE articles SET state='withheld', reason=$2 WHERE id=$1 AND state='ingested'`, id, reason)
		if err != nil {
			return err
		}
		if n, _ := res.RowsAffected(); n == 0 {
			return paper.ErrNotFound
		}
		return nil
	})
}

// Expire ends the notices whose time has come; each end is an event that raises
// the versions of the scopes that told of it (promise 6).
func (s *Store) Expire(ctx context.Context) (int, error) {
	now := s.now().Unix()
	var due int
	if err := s.r.QueryRowContext(ctx, `SELECT COUNT(*) FROM articles WHERE notice > 0 AND notice <= $1`, now).Scan(&due); err != nil {
		return 0, fmt.Errorf("expire notices: %w", err)
	}
	if due == 0 {
		return 0, nil
	}
	err := s.tx(ctx, "expire notices", func(t *sql.Tx) error {
		seq, err := change(ctx, t)
		if err != nil {
			return err
		}
		parts := map[string]bool{}
		if err := each(ctx, t, func(r *sql.Rows) error {
			var part string
			if err := r.Scan(&part); err != nil {
				return err
			}
			parts[part] = true
			return nil
		}, `SELECT DISTINCT f.part FROM filings f JOIN articles a ON a.id = f.article WHERE a.notice > 0 AND a.notice <= $1
			UNION SELECT DISTINCT 'paper/' || paper FROM articles WHERE notice > 0 AND notice <= $1`, now); err != nil {
			return err
		}
		parts["all"] = true
		if _, err := t.ExecContext(ctx, `UPDATE articles SET notice = 0 WHERE notice > 0 AND notice <= $1`, now); err != nil {
			return err
		}
		at, err := risen(ctx, t, now)
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
	return due, err
}

// Changes gives the change sequence as it stands, and every part that rose after
// a number: what a process needs to follow what others release.
func (s *Store) Changes(ctx context.Context, after int64) (seq int64, parts []paper.PartVersion, err error) {
	// The sequence is read first: what commits in between is told twice, never missed.
	if err := s.r.QueryRowContext(ctx, `SELECT n FROM clock WHERE name = 'change'`).Scan(&seq); err != nil {
		return 0, nil, fmt.Errorf("follow changes: %w", err)
	}
	if seq <= after {
		return seq, nil, nil
	}
	err = each(ctx, s.r, func(r *sql.Rows) error {
		var p paper.PartVersion
		var at int64
		if err := r.Scan(&p.Part, &p.Seq, &at); err != nil {
			return err
		}
		p.At = instant(at)
		parts = append(parts, p)
		return nil
	}, `SELECT part, seq, at FROM scopes WHERE seq > $1 ORDER BY part`, after)
	if err != nil {
		return 0, nil, fmt.Errorf("follow changes: %w", err)
	}
	return seq, parts, nil
}

// and joins the conditions of a query that is built (see in).
func and(conds []string) string { return strings.Join(conds, " AND ") }
