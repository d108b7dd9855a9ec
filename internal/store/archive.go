package store

import (
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

const (
	closeBatch = 100 // papers' days that one transaction closes
	// An editor's hold keeps a day open for so long, not for ever.
	holdsOpen = 8 * 24 * time.Hour
	// An event of a closing is for who waits for an edition: not for one that was
	// complete long ago, as all are at an upgrade.
	closedLately = 24 * time.Hour
	nearDays     = 40 // days that are looked at for the nearest that holds something
)

// openDay is a paper's day that may be closed.
type openDay struct {
	paper            string
	day              paper.Day
	edition          bool
	archive, history bool
	complete         int64
}

// CloseDays closes the papers' days of which nothing is missing or waits any more: a
// complete edition, and of a feed's items what is a day past. Their archives change
// no more but for corrections and withdrawals (RFC 5005 §4), and an edition of news
// is told of in the outbox. It tells how many it closed; there may be more.
func (s *Store) CloseDays(ctx context.Context) (int, error) {
	now := s.now()
	var due []openDay
	if err := each(ctx, s.r, func(r *sql.Rows) error {
		var d openDay
		var state, zone string
		var archive, history, feed int64
		if err := r.Scan(&d.paper, &d.day, &zone, &state, &archive, &history, &d.complete, &feed); err != nil {
			return err
		}
		d.edition, d.archive, d.history = state != "", archive != 0, history != 0
		past := !now.Before(d.day.Add(2).In(paper.Paper{Zone: zone}.Location()))
		if state == string(paper.EditionPartial) || (!d.edition || feed > 0) && !past {
			return nil
		}
		due = append(due, d)
		return nil
	}, `SELECT p.key, d.day, p.zone, COALESCE(e.state, ''), COALESCE(e.archive, 0), COALESCE(e.history, 0), COALESCE(e.complete, 0),
			(SELECT COUNT(*) FROM sources s WHERE s.paper = p.key AND s.platform IN ('feed','sitemap') AND s.retired = 0)
		FROM days d JOIN papers p ON d.part = 'paper/' || p.key LEFT JOIN editions e ON e.paper = p.key AND e.day = d.day
		WHERE d.closed = 0 ORDER BY d.day, p.key`); err != nil {
		return 0, fmt.Errorf("close days: %w", err)
	}
	closed := 0
	for batch := range slices.Chunk(due, closeBatch) {
		n := 0
		err := s.tx(ctx, "close days", func(t *sql.Tx) error {
			n = 0
			seq, err := change(ctx, t)
			if err != nil {
				return err
			}
			r := release{s: s, ctx: ctx, t: t, seq: seq, now: now.Unix(), parts: map[string]int{}, last: map[string]paper.Day{}}
			for _, d := range batch {
				ok, err := r.close(d)
				if err != nil {
					return fmt.Errorf("%s %s: %w", d.paper, d.day, err)
				}
				if ok {
					n++
				}
			}
			if n == 0 {
				return errNothing
			}
			return r.rise()
		})
		if err != nil && !errors.Is(err, errNothing) {
			return closed, err
		}
		closed += n
	}
	return closed, nil
}

// close closes one day, unless something of it waits.
func (r *release) close(d openDay) (bool, error) {
	if err := lockPaper(r.ctx, r.t, d.paper); err != nil {
		return false, err
	}
	var waiting, held, done int
	if err := r.t.QueryRowContext(r.ctx, `SELECT COALESCE(SUM(CASE WHEN state = 'ingested' OR pending <> '' THEN 1 ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN state = 'withheld' AND reason LIKE 'editor:%' THEN 1 ELSE 0 END), 0),
			(SELECT COUNT(*) FROM closings WHERE paper = $1 AND day = $2)
		FROM articles WHERE paper = $1 AND day = $2`, d.paper, string(d.day)).Scan(&waiting, &held, &done); err != nil {
		return false, err
	}
	if waiting > 0 || done > 0 || held > 0 && r.now < d.day.In(paper.Shanghai).Add(holdsOpen).Unix() {
		return false, nil
	}
	if d.edition {
		var state string
		if err := r.t.QueryRowContext(r.ctx, `SELECT state FROM editions WHERE paper = $1 AND day = $2`, d.paper, string(d.day)).Scan(&state); err != nil {
			return false, err
		}
		if state == string(paper.EditionPartial) {
			return false, nil
		}
	}
	for _, q := range []string{
		`UPDATE articles SET closed = $3 WHERE paper = $1 AND day = $2 AND state = 'released'`,
		`UPDATE days SET closed = $3 WHERE part = 'paper/' || $1 AND day = $2`,
	} {
		if _, err := r.t.ExecContext(r.ctx, q, d.paper, string(d.day), r.seq); err != nil {
			return false, err
		}
	}
	if _, err := r.t.ExecContext(r.ctx, `INSERT INTO closings (paper, day, seq, at, edition, archive) VALUES ($1,$2,$3,$4,$5,$6)`,
		d.paper, string(d.day), r.seq, r.now, flag(d.edition), flag(d.archive)); err != nil {
		return false, err
	}
	if d.archive {
		r.touch("archive", 0, d.day)
		r.touch("archive/"+d.paper, 0, d.day)
		return true, nil
	}
	var parts []string
	if err := each(r.ctx, r.t, func(rows *sql.Rows) error {
		var part string
		err := rows.Scan(&part)
		parts = append(parts, part)
		return err
	}, `SELECT DISTINCT f.part FROM filings f JOIN articles a ON a.id = f.article WHERE a.paper = $1 AND a.day = $2 AND f.to_seq = 0 AND a.state = 'released' ORDER BY f.part`, d.paper, string(d.day)); err != nil {
		return false, err
	}
	for _, part := range append(slices.Clone(parts), "all", "paper/"+d.paper) {
		r.touch(part, 0, d.day)
	}
	if !d.edition || d.history || d.complete < r.now-int64(closedLately/time.Second) {
		return true, nil
	}
	r.paper.Key = d.paper
	return true, r.out(paper.EditionClosed, "", d.day, 0, parts)
}

// archive gives what the archive document of a day holds: of closed papers' days
// what stood in the scope when they were closed, of others what stands in it now.
func (s *Store) archive(ctx context.Context, v paper.View, scope paper.Scope, day paper.Day, limit int) ([]paper.Item, error) {
	var all []key
	for _, closed := range []bool{true, false} {
		args := []any{string(day)}
		conds := archiveConds(scope, closed, &args)
		q := `SELECT a.id, a.published FROM articles a WHERE ` + and(conds)
		if limit > 0 {
			q += ` ORDER BY a.published DESC, a.id DESC LIMIT ` + strconv.Itoa(limit)
		}
		list, err := s.keys(ctx, q, args...)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return s.let(ctx, v, merge(all, nil))
}

// archiveConds are the conditions that an article of the day of $1 is in a scope's
// archive: as its day was closed, or as it is now where that is open.
func archiveConds(s paper.Scope, closed bool, args *[]any) []string {
	if !closed {
		return append([]string{
			"a.day = $1", "a.state = 'released'", "a.closed = 0",
			"NOT EXISTS (SELECT 1 FROM closings c WHERE c.paper = a.paper AND c.day = a.day)",
		}, scopeConds(s, args, "")...)
	}
	conds := []string{"a.day = $1", "a.closed > 0"}
	if len(s.Papers) > 0 {
		conds = append(conds, in("a.paper", s.Papers, args))
	}
	if len(s.Pages) > 0 {
		conds = append(conds, in(onPage("(SELECT v.page FROM versions v WHERE v.article = a.id AND v.seq <= a.closed ORDER BY v.version DESC LIMIT 1)"), s.Pages, args))
	}
	for _, x := range []struct {
		not, kind string
		values    []string
	}{{"", "section", s.Sections}, {"", "district", s.Districts}, {"NOT ", "section", s.NotSections}, {"NOT ", "district", s.NotDistricts}} {
		if len(x.values) > 0 {
			conds = append(conds, x.not+"EXISTS (SELECT 1 FROM filings f WHERE f.article = a.id AND "+in("f.part", prefixed(x.kind, x.values), args)+
				" AND f.from_seq <= a.closed AND (f.to_seq = 0 OR f.to_seq > a.closed))")
		}
	}
	return conds
}

// Archive tells of the archive of a scope: of a day, whether it is closed, and the
// nearest days that hold something. For the empty day Previous is the newest closed
// day of what current feeds hold. Holds is false where the day has nothing.
func (s *Store) Archive(ctx context.Context, v paper.View, scope paper.Scope, day paper.Day) (paper.Archive, error) {
	a := paper.Archive{Day: day}
	err := s.archiveOf(ctx, scope, &a)
	if err != nil {
		return a, fmt.Errorf("archive of %s %s: %w", scope, day, err)
	}
	return a, nil
}

func (s *Store) archiveOf(ctx context.Context, scope paper.Scope, a *paper.Archive) error {
	drive, values, _, err := s.driver(ctx, scope)
	if err != nil {
		return err
	}
	parts := []string{"all"}
	if drive != "all" {
		parts = prefixed(drive, values)
	}
	near := func(before bool, from paper.Day, good func(paper.Day) (bool, error)) (paper.Day, error) {
		args := []any{string(from)}
		q := `SELECT DISTINCT day FROM days WHERE day > $1 AND `
		order := ` ORDER BY day LIMIT `
		if before {
			q, order = strings.Replace(q, ">", "<", 1), ` ORDER BY day DESC LIMIT `
		}
		var days []paper.Day
		if err := each(ctx, s.r, func(r *sql.Rows) error {
			var d paper.Day
			err := r.Scan(&d)
			days = append(days, d)
			return err
		}, q+in("part", parts, &args)+order+strconv.Itoa(nearDays), args...); err != nil {
			return "", err
		}
		for _, d := range days {
			if ok, err := good(d); err != nil || ok {
				return d, err
			}
		}
		return "", nil
	}
	if a.Day == "" {
		a.Previous, err = near(true, "9999", func(d paper.Day) (bool, error) {
			_, closed, err := s.closedAt(ctx, scope, d, true)
			return closed, err
		})
		return err
	}
	holds := func(d paper.Day) (bool, error) {
		for _, closed := range []bool{true, false} {
			if ok, err := s.inArchive(ctx, scope, d, closed); err != nil || ok {
				return ok, err
			}
		}
		return false, nil
	}
	if a.At, a.Closed, err = s.closedAt(ctx, scope, a.Day, false); err != nil {
		return err
	}
	if a.Holds = a.Closed; !a.Holds {
		if a.Holds, err = holds(a.Day); err != nil {
			return err
		}
	}
	if a.Previous, err = near(true, a.Day, holds); err != nil {
		return err
	}
	a.Next, err = near(false, a.Day, holds)
	return err
}

// inArchive reports whether a day's archive of a scope holds something of closed
// papers' days, or of open ones.
func (s *Store) inArchive(ctx context.Context, scope paper.Scope, day paper.Day, closed bool) (bool, error) {
	args := []any{string(day)}
	var one int
	err := s.r.QueryRowContext(ctx, `SELECT 1 FROM articles a WHERE `+and(archiveConds(scope, closed, &args))+` LIMIT 1`, args...).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// closedAt tells whether all of a day that a scope holds is closed, and when the last
// of it was; current leaves out what came by backfill.
func (s *Store) closedAt(ctx context.Context, scope paper.Scope, day paper.Day, current bool) (time.Time, bool, error) {
	if open, err := s.inArchive(ctx, scope, day, false); err != nil || open {
		return time.Time{}, false, err
	}
	args := []any{string(day)}
	conds := append(archiveConds(scope, true, &args), "c.paper = a.paper", "c.day = a.day")
	if current {
		conds = append(conds, "c.archive = 0")
	}
	var at int64
	err := s.r.QueryRowContext(ctx, `SELECT COALESCE(MAX(c.at), 0) FROM articles a, closings c WHERE `+and(conds), args...).Scan(&at)
	return instant(at), at > 0, err
}

// Closed gives the editions among items that are closed: complete, and nothing of
// them is to come.
func (s *Store) Closed(ctx context.Context, items []paper.Item) ([]paper.Edition, error) {
	have := map[string]bool{}
	for i := range items {
		have[string(items[i].Day)+items[i].Paper] = true
	}
	days := map[string]bool{}
	for i := range items {
		days[string(items[i].Day)] = true
	}
	if len(days) == 0 {
		return nil, nil
	}
	var list []paper.Edition
	var args []any
	err := each(ctx, s.r, func(r *sql.Rows) error {
		var e paper.Edition
		if err := r.Scan(&e.Paper, &e.Day); err != nil {
			return err
		}
		if have[string(e.Day)+e.Paper] {
			e.State = paper.EditionComplete
			list = append(list, e)
		}
		return nil
	}, `SELECT paper, day FROM closings WHERE edition = 1 AND `+in("day", sorted(days), &args)+` ORDER BY day DESC, paper`, args...)
	if err != nil {
		return nil, fmt.Errorf("closed editions: %w", err)
	}
	return list, nil
}
