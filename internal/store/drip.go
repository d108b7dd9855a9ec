package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"paperwire/internal/paper"
)

// Bounds of drips. Each costs every release a look, and a stranger can ask for one.
const (
	maxDrips    = 500
	dripUnasked = 30 * 24 * time.Hour // after that it may go for another
	dripOnce    = 24 * time.Hour      // the same, where nobody came back within an hour of the first request
	askedEvery  = 6 * time.Hour       // how exactly it is noted when one was asked for
	editionSpan = 24 * time.Hour      // of the slots of one edition
	slotKept    = 60 * 24 * time.Hour
	// A slot that is later than this was missed: nobody was there to let it come.
	// Not much is forgiven, for at 65 minutes an hourly reader with five minutes of
	// jitter has none to spare.
	slotMissed = 5 * time.Second
	// While something is under way it is noted so often that somebody is there; when
	// nobody was for longer than an outage, what readers could not see is made up for.
	beatEvery = 15 * time.Second
	outage    = time.Minute
)

// fresh is an article that is released now, as far as a drip needs to know it.
type fresh struct {
	id, paper, page string
	day             paper.Day
	ordinal         int
	parts           []string // section/… and district/…
}

// within reports whether an article of these parts stands in a scope.
func (f fresh) within(s paper.Scope) bool {
	any := func(kind string, values []string) bool {
		return slices.ContainsFunc(values, func(v string) bool { return slices.Contains(f.parts, kind+"/"+v) })
	}
	return (len(s.Papers) == 0 || slices.Contains(s.Papers, f.paper)) &&
		(len(s.Pages) == 0 || slices.Contains(s.Pages, strings.ToUpper(f.page))) &&
		(len(s.Sections) == 0 || any("section", s.Sections)) &&
		(len(s.Districts) == 0 || any("district", s.Districts)) &&
		!any("section", s.NotSections) && !any("district", s.NotDistricts)
}

// drip gives slots in the drips whose scope holds any of what is released now.
func (r *release) drip() error {
	if len(r.fresh) == 0 {
		return nil
	}
	if err := beat(r.ctx, r.t, r.now); err != nil {
		return err
	}
	drips, err := drips(r.ctx, r.t)
	if err != nil {
		return err
	}
	for _, d := range drips {
		var list []fresh
		for _, f := range r.fresh {
			if f.within(d.scope) {
				list = append(list, f)
			}
		}
		if len(list) == 0 {
			continue
		}
		if err := d.give(r.ctx, r.t, list, r.now); err != nil {
			return err
		}
	}
	return nil
}

// dripRow is a stored drip.
type dripRow struct {
	part       string
	scope      paper.Scope
	pace, last int64 // seconds
	most       int
}

// drips reads them all, by part.
func drips(ctx context.Context, t *sql.Tx) (list []dripRow, err error) {
	err = each(ctx, t, func(r *sql.Rows) error {
		var d dripRow
		var scope string
		if err := r.Scan(&d.part, &scope, &d.pace, &d.most, &d.last); err != nil {
			return err
		}
		var err error
		d.scope, err = paper.ParseScope(scope)
		list = append(list, d)
		return err
	}, `SELECT part, scope, pace, most, last FROM drips ORDER BY part`)
	return list, err
}

// portion is what one edition has of a drip: a paper's day, and apart from it the
// items of that day that stand on no page.
type portion struct {
	taken int
	first int64 // the instant of its first slot; 0 for none
	late  bool  // it had slots before this release
	over  bool  // it gets none any more
}

// portion looks up what the edition of an article has.
func (d *dripRow) portion(ctx context.Context, t *sql.Tx, f fresh) (*portion, error) {
	var p portion
	var newest paper.Day
	err := t.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(MIN(at), 0), COALESCE((SELECT MAX(day) FROM slots WHERE drip = $1 AND paper = $2 AND printed = 1), '')
		FROM slots WHERE drip = $1 AND paper = $2 AND printed = $3 AND day = $4`, d.part, f.paper, flag(f.page != ""), string(f.day)).Scan(&p.taken, &p.first, &newest)
	p.late = p.taken > 0
	p.over = f.page != "" && f.day < newest
	return &p, err
}

// give gives articles their slots: of each edition at most so many in page order,
// and then the late ones of its front page; none of an edition older than one of its
// paper that has some. All papers of the scope stand in one queue, one pace apart.
// What would come more than a day after its release gets none, or the queue of many
// papers would grow for ever.
func (d *dripRow) give(ctx context.Context, t *sql.Tx, list []fresh, now int64) error {
	slices.SortFunc(list, func(a, b fresh) int {
		return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.ordinal, b.ordinal), cmp.Compare(a.paper, b.paper), cmp.Compare(a.id, b.id))
	})
	type edition struct {
		paper   string
		day     paper.Day
		printed bool
	}
	portions := map[edition]*portion{}
	var rows []string
	args := []any{d.part}
	for _, f := range list {
		e := edition{f.paper, f.day, f.page != ""}
		p := portions[e]
		if p == nil {
			var err error
			if p, err = d.portion(ctx, t, f); err != nil {
				return err
			}
			portions[e] = p
		}
		if p.over || p.taken >= d.most && !p.late {
			continue
		}
		if p.taken >= d.most {
			if front, err := f.onFront(ctx, t); err != nil {
				return err
			} else if !front {
				continue
			}
		}
		at := now
		if d.last > 0 {
			at = max(now, d.last+d.pace)
		}
		span := int64(editionSpan / time.Second)
		if at-now >= span || p.first > 0 && at-p.first >= span {
			p.over = true
			continue
		}
		if p.late { // restored: it may have its slot
			var has int
			if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM slots WHERE drip = $1 AND article = $2`, d.part, f.id).Scan(&has); err != nil {
				return err
			} else if has > 0 {
				continue
			}
		}
		n := len(args)
		args = append(args, f.id, string(f.day), at, f.paper, flag(e.printed))
		rows = append(rows, fmt.Sprintf("($1,$%d,$%d,$%d,0,$%d,$%d)", n+1, n+2, n+3, n+4, n+5))
		if p.first == 0 {
			p.first = at
		}
		p.taken, d.last = p.taken+1, at
	}
	if rows != nil {
		if _, err := t.ExecContext(ctx, `INSERT INTO slots (drip, article, day, at, out, paper, printed) VALUES `+strings.Join(rows, ",")+` ON CONFLICT DO NOTHING`, args...); err != nil {
			return err
		}
	}
	if _, err := t.ExecContext(ctx, `UPDATE drips SET last = $2 WHERE part = $1`, d.part, d.last); err != nil {
		return err
	}
	// What stands in the feed no longer; the release raises its scope anyway.
	_, err := t.ExecContext(ctx, `DELETE FROM slots WHERE drip = $1 AND at < $2 AND out = 1`, d.part, now-int64(slotKept/time.Second))
	return err
}

// onFront reports whether an article stands on the first page of its edition.
func (f fresh) onFront(ctx context.Context, t *sql.Tx) (bool, error) {
	var front string
	err := t.QueryRowContext(ctx, `SELECT number FROM edition_pages WHERE paper = $1 AND day = $2 ORDER BY place LIMIT 1`, f.paper, string(f.day)).Scan(&front)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil // an item of a feed
	}
	return front == f.page, err
}

// Drip lets the slots come that are due, one of each drip at a time, and tells how
// many came. What waited while no process was there moves behind that time, with
// all that wait behind it at their distance: who looks once an hour and takes the
// newest only misses none.
func (s *Store) Drip(ctx context.Context) (int, error) {
	now := s.now().Unix()
	var due, active int
	var last int64
	if err := s.r.QueryRowContext(ctx, `SELECT n, (SELECT COUNT(*) FROM slots WHERE out = 0 AND at <= $1), (SELECT COUNT(*) FROM drips WHERE last > 0 AND last + pace > c.n)
		FROM clock c WHERE name = 'drip'`, now).Scan(&last, &due, &active); err != nil {
		return 0, fmt.Errorf("drip: %w", err)
	}
	switch pause := now - last; {
	case due > 0, active > 0 && pause > int64(outage/time.Second):
	case active > 0 && pause >= int64(beatEvery/time.Second):
		if err := s.note(ctx, `UPDATE clock SET n = $1 WHERE name = 'drip' AND n < $1`, now); err != nil {
			return 0, fmt.Errorf("drip: %w", err)
		}
		return 0, nil
	default:
		return 0, nil
	}
	n := 0
	err := s.tx(ctx, "drip", func(t *sql.Tx) error {
		n = 0
		seq, err := change(ctx, t)
		if err != nil {
			return err
		}
		if err := beat(ctx, t, now); err != nil {
			return err
		}
		due := map[string]bool{}
		if err := each(ctx, t, func(r *sql.Rows) error {
			var part string
			err := r.Scan(&part)
			due[part] = true
			return err
		}, `SELECT DISTINCT drip FROM slots WHERE out = 0 AND at <= $1`, now); err != nil {
			return err
		}
		drips, err := drips(ctx, t)
		if err != nil {
			return err
		}
		var at int64
		for _, d := range drips {
			if !due[d.part] {
				continue
			}
			came, err := d.come(ctx, t, now)
			if err != nil {
				return err
			}
			if !came {
				continue
			}
			if n == 0 {
				if at, err = risen(ctx, t, now); err != nil {
					return err
				}
			}
			n++
			if err := rise(ctx, t, d.part, seq, at, 0, ""); err != nil {
				return err
			}
		}
		if n > 0 {
			return nil
		}
		// A number drawn for nothing would wake every process.
		_, err = t.ExecContext(ctx, `UPDATE clock SET n = n - 1 WHERE name = 'change'`)
		return err
	})
	return n, err
}

// beat notes that somebody is there, and makes up for an outage: what is under way
// waits a pace from now on, unless what came last could be seen for as long before.
// The change sequence is locked.
func beat(ctx context.Context, t *sql.Tx, now int64) error {
	var last int64
	if err := t.QueryRowContext(ctx, `SELECT n FROM clock WHERE name = 'drip'`).Scan(&last); err != nil {
		return err
	}
	if now <= last {
		return nil
	}
	if now-last > int64(outage/time.Second) {
		all, err := drips(ctx, t)
		if err != nil {
			return err
		}
		for _, d := range all {
			if d.last == 0 || d.last+d.pace <= last {
				continue
			}
			var came, next int64
			if err := t.QueryRowContext(ctx, `SELECT COALESCE(MAX(CASE WHEN out = 1 THEN at END), 0), COALESCE(MIN(CASE WHEN out = 0 THEN at END), 0) FROM slots WHERE drip = $1`, d.part).Scan(&came, &next); err != nil {
				return err
			}
			from := now
			if came+d.pace > last {
				from = now + d.pace
			}
			if next == 0 {
				// Nothing waits: the next edition waits until the last one was seen.
				next = d.last + d.pace
			}
			if next >= from {
				continue
			}
			if _, err := t.ExecContext(ctx, `UPDATE slots SET at = at + $2 WHERE drip = $1 AND out = 0`, d.part, from-next); err != nil {
				return err
			}
			if _, err := t.ExecContext(ctx, `UPDATE drips SET last = last + $2 WHERE part = $1`, d.part, from-next); err != nil {
				return err
			}
		}
	}
	_, err := t.ExecContext(ctx, `UPDATE clock SET n = $1 WHERE name = 'drip'`, now)
	return err
}

// come lets the first due slot come whose article still stands in the scope; what
// was withdrawn or moved before its slot loses it.
func (d *dripRow) come(ctx context.Context, t *sql.Tx, now int64) (bool, error) {
	for {
		var id string
		var at int64
		err := t.QueryRowContext(ctx, `SELECT article, at FROM slots WHERE drip = $1 AND out = 0 AND at <= $2 ORDER BY at LIMIT 1`, d.part, now).Scan(&id, &at)
		if errors.Is(err, sql.ErrNoRows) {
			return false, nil
		} else if err != nil {
			return false, err
		}
		args := []any{id}
		conds := append([]string{"a.id = $1", "a.state = 'released'", "a.archive = 0"}, scopeConds(d.scope, &args, "")...)
		var stands int
		if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM articles a WHERE `+and(conds), args...).Scan(&stands); err != nil {
			return false, err
		}
		if stands == 0 {
			if _, err := t.ExecContext(ctx, `DELETE FROM slots WHERE drip = $1 AND article = $2`, d.part, id); err != nil {
				return false, err
			}
			continue
		}
		if missed := now - at; missed > int64(slotMissed/time.Second) {
			if _, err := t.ExecContext(ctx, `UPDATE slots SET at = at + $2 WHERE drip = $1 AND out = 0`, d.part, missed); err != nil {
				return false, err
			}
			if _, err := t.ExecContext(ctx, `UPDATE drips SET last = last + $2 WHERE part = $1`, d.part, missed); err != nil {
				return false, err
			}
		}
		_, err = t.ExecContext(ctx, `UPDATE slots SET out = 1 WHERE drip = $1 AND article = $2`, d.part, id)
		return true, err
	}
}

// dripped gives what has come in the drip of a scope, newest slot first, and beside it
// what it ever held whose notice lasts. The first to ask for a drip makes it.
func (s *Store) dripped(ctx context.Context, v paper.View, scope paper.Scope, d paper.Drip, limit int, beside bool) ([]paper.Item, error) {
	part := d.Part(scope)
	var asked int64
	err := s.r.QueryRowContext(ctx, `SELECT asked FROM drips WHERE part = $1`, part).Scan(&asked)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		err = s.makeDrip(ctx, scope, d)
	case err == nil && s.now().Unix()-asked > int64(askedEvery/time.Second):
		err = s.note(ctx, `UPDATE drips SET asked = $2 WHERE part = $1`, part, s.now().Unix())
	}
	if err != nil {
		return nil, err
	}
	n := limit
	if n == 0 {
		n = feedItems
	}
	const stands = ` FROM slots t JOIN articles a ON a.id = t.article WHERE t.drip = $1 AND t.out = 1
		AND (a.state = 'released' OR a.state = 'withdrawn' AND a.notice > 0)`
	slots, err := s.keys(ctx, `SELECT t.article, t.at`+stands+` ORDER BY t.at DESC LIMIT `+strconv.Itoa(n), part)
	if err != nil {
		return nil, err
	}
	if beside {
		told, err := s.keys(ctx, `SELECT t.article, t.at`+stands+` AND a.notice > 0 ORDER BY t.at DESC LIMIT `+strconv.Itoa(maxNotices), part)
		if err != nil {
			return nil, err
		}
		slots = merge(slots, told)
	}
	items, err := s.let(ctx, v, slots)
	if err != nil {
		return nil, err
	}
	at := make(map[string]time.Time, len(slots))
	for _, k := range slots {
		at[k.id] = instant(k.published)
	}
	for i := range items {
		x := &items[i]
		x.Published = at[x.ID]
		if x.Updated.Before(x.Published) {
			x.Updated = x.Published
		}
	}
	sortItems(items)
	return items, nil
}

// makeDrip makes the drip of a scope. The newest edition, if it is news of the last
// 24 hours, gets slots from now on, and the first comes at once. The error is
// paper.ErrFull where there are too many.
func (s *Store) makeDrip(ctx context.Context, scope paper.Scope, d paper.Drip) error {
	for try := 0; ; try++ {
		var seen int64
		if err := s.r.QueryRowContext(ctx, `SELECT n FROM clock WHERE name = 'change'`).Scan(&seen); err != nil {
			return err
		}
		list, err := s.newsOf(ctx, scope)
		if err != nil {
			return err
		}
		err = s.tx(ctx, "make drip of "+scope.String(), func(t *sql.Tx) error {
			var n int64
			if err := t.QueryRowContext(ctx, `UPDATE clock SET n = n WHERE name = 'change' RETURNING n`).Scan(&n); err != nil {
				return err
			}
			if n != seen && try < 5 {
				return errAgain // something was released since: it would get no slot
			}
			return s.insertDrip(ctx, t, scope, d, list)
		})
		switch {
		case errors.Is(err, errAgain):
		case errors.Is(err, errNothing):
			return nil
		default:
			return err
		}
	}
}

var errAgain = errors.New("the store changed meanwhile")

func (s *Store) insertDrip(ctx context.Context, t *sql.Tx, scope paper.Scope, d paper.Drip, list []fresh) error {
	now := s.now().Unix()
	row := dripRow{part: d.Part(scope), scope: scope, pace: int64(d.Pace / time.Second), most: d.Max}
	var have, all int
	if err := t.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN part = $1 THEN 1 ELSE 0 END), 0) FROM drips`, row.part).Scan(&all, &have); err != nil {
		return err
	}
	if have > 0 {
		return errNothing // another was first
	}
	if all >= maxDrips {
		var idle string
		err := t.QueryRowContext(ctx, `SELECT part FROM drips WHERE asked < $1 OR asked < made + 3600 AND made < $2 ORDER BY asked, part LIMIT 1`,
			now-int64(dripUnasked/time.Second), now-int64(dripOnce/time.Second)).Scan(&idle)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("%d paced feeds: %w", all, paper.ErrFull)
		} else if err != nil {
			return err
		}
		for _, q := range []string{`DELETE FROM slots WHERE drip = $1`, `DELETE FROM drips WHERE part = $1`} {
			if _, err := t.ExecContext(ctx, q, idle); err != nil {
				return err
			}
		}
	}
	if _, err := t.ExecContext(ctx, `INSERT INTO drips (part, scope, pace, most, last, made, asked) VALUES ($1,$2,$3,$4,0,$5,$5)`,
		row.part, scope.String(), row.pace, row.most, now); err != nil {
		return err
	}
	if len(list) == 0 {
		return nil
	}
	if err := beat(ctx, t, now); err != nil {
		return err
	}
	if err := row.give(ctx, t, list, now); err != nil {
		return err
	}
	came, err := row.come(ctx, t, now)
	if err != nil || !came {
		return err
	}
	seq, err := change(ctx, t)
	if err != nil {
		return err
	}
	at, err := risen(ctx, t, now)
	if err != nil {
		return err
	}
	return rise(ctx, t, row.part, seq, at, 0, "")
}

// newsOf gives the live articles of a scope's newest edition, if they are news and
// one of them came out within the last 24 hours.
func (s *Store) newsOf(ctx context.Context, scope paper.Scope) (list []fresh, err error) {
	args, conds, err := s.newestConds(ctx, scope)
	if err != nil || conds == nil {
		return nil, err
	}
	var newest int64
	err = each(ctx, s.r, func(r *sql.Rows) error {
		var f fresh
		var published int64
		err := r.Scan(&f.id, &f.paper, &f.page, &f.day, &f.ordinal, &published)
		newest = max(newest, published)
		list = append(list, f)
		return err
	}, `SELECT a.id, a.paper, a.page, a.day, a.ordinal, a.published FROM articles a WHERE `+and(append(conds, "a.history = 0"))+` ORDER BY a.ordinal, a.paper, a.id LIMIT 1000`, args...)
	if newest <= s.now().Add(-editionSpan).Unix() {
		return nil, err
	}
	return list, err
}
