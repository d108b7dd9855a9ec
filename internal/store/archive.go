package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
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
	// steadyFor is how long the listing of an edition must have been the same at looks
	// before it is taken for the whole: an upload under way is often seen half done.
	// Looks of a window are five minutes apart; outside a window the next one, an hour
	// later, tells. thinFor is that of an edition of less than three quarters of the
	// paper's usual size, for some papers upload the last pages hours later.
	steadyFor = 20 * time.Minute
	thinFor   = 2 * time.Hour
	// deadLooks is how many looks must have found an article missing or empty before
	// its edition is whole without it. The rests in between (retryAfter) make it two
	// hours at least. Of many that are (see fewDead) a redesign is more likely.
	deadLooks = 7
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
	today            bool // the day is not over
	listed           int
	complete         int64
	steady           time.Duration // how long looks have found the same listed
	due              time.Time     // since when nothing more is expected to be listed
	givenUp          bool          // what could not be read is not tried again
}

// CloseDays closes the papers' days of which nothing is missing or waits any more. An
// edition of today is due when its listing has been the same for a while, or its day
// is over; of a feed's items a day past. Their archives change no more but for
// corrections and withdrawals (RFC 5005 §4), and an edition of news is told of in the
// outbox. It tells how many it closed; there may be more.
func (s *Store) CloseDays(ctx context.Context) (int, error) {
	now := s.now()
	var open, due []openDay
	if err := each(ctx, s.r, func(r *sql.Rows) error {
		var d openDay
		var zone string
		var edition, archive, history, feed, since, at, others int64
		if err := r.Scan(&d.paper, &d.day, &zone, &edition, &archive, &history, &d.listed, &d.complete, &since, &at, &feed, &others); err != nil {
			return err
		}
		d.edition, d.archive, d.history = edition != 0, archive != 0, history != 0
		loc := paper.Paper{Zone: zone}.Location()
		d.due = d.day.Add(1).In(loc)
		if !d.edition || feed > 0 {
			d.due = d.day.Add(2).In(loc)
		} else if d.steady = time.Duration(at-since) * time.Millisecond; (d.steady >= steadyFor || others == 0 && at > 0) && now.Before(d.due) {
			// Nothing tells how large a paper's first edition is, and somebody may wait
			// to see whether anything happens at all.
			d.today, d.due = true, time.UnixMilli(at)
		}
		// A run of backfill may still bring what an earlier one could not read.
		d.givenUp = !d.archive && !now.Before(d.day.Add(GiveUpDays).In(loc))
		if !now.Before(d.due) && (!d.edition || d.complete > 0 || d.givenUp) {
			open = append(open, d)
		}
		return nil
	}, `SELECT p.key, d.day, p.zone, CASE WHEN e.day IS NULL THEN 0 ELSE 1 END, COALESCE(e.archive, 0), COALESCE(e.history, 0),
			COALESCE(e.listed, 0), COALESCE(e.complete, 0), COALESCE(e.same_since, 0), COALESCE(e.same_at, 0),
			(SELECT COUNT(*) FROM sources s WHERE s.paper = p.key AND s.platform IN ('feed','sitemap') AND s.retired = 0),
			(SELECT COUNT(*) FROM (SELECT 1 FROM editions o WHERE o.paper = p.key AND o.day <> d.day LIMIT 1) x)
				+ (SELECT COUNT(*) FROM sources s WHERE s.paper = p.key AND s.retired = 0 AND s.seen = 0)
		FROM days d JOIN papers p ON d.part = 'paper/' || p.key LEFT JOIN editions e ON e.paper = p.key AND e.day = d.day
		WHERE d.closed = 0 ORDER BY d.day, p.key`); err != nil {
		return 0, fmt.Errorf("close days: %w", err)
	}
	// Looked at without the write lock first: what is missing may be for days.
	for _, d := range open {
		left, err := d.left(ctx, s.r)
		if err == nil && !left.open {
			left.open, err = s.thin(ctx, d)
		}
		if err != nil {
			return 0, fmt.Errorf("close %s %s: %w", d.paper, d.day, err)
		}
		if !left.open {
			due = append(due, d)
		}
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

// thin reports whether an edition of today is so small that more pages may come.
func (s *Store) thin(ctx context.Context, d openDay) (bool, error) {
	if !d.today || d.steady >= thinFor {
		return false, nil
	}
	usual, err := s.Usual(ctx, d.paper, d.day)
	return d.listed*4 < usual*3, err
}

// leftOver is what a day still waits for.
type leftOver struct {
	open  bool  // something of it waits, or is missing, or it is closed
	whole bool  // nothing listed is missing, but for what is dead
	last  int64 // when the last article of it came out, seconds
}

// left tells what a day still waits for. What was kept back (withheld) is nothing to
// wait for: an edition that stays open would tell of it, and nobody knows whether it
// is ever let out.
func (d openDay) left(ctx context.Context, q interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
},
) (x leftOver, err error) {
	var waiting, closed int
	if err := q.QueryRowContext(ctx, `SELECT COALESCE(SUM(CASE WHEN state = 'ingested' OR pending <> '' THEN 1 ELSE 0 END), 0),
			COALESCE(MAX(published), 0), (SELECT COUNT(*) FROM closings WHERE paper = $1 AND day = $2)
		FROM articles WHERE paper = $1 AND day = $2`, d.paper, string(d.day)).Scan(&waiting, &x.last, &closed); err != nil {
		return x, err
	}
	x.open = waiting+closed > 0
	if x.open || !d.edition {
		return x, nil
	}
	var all tally
	var problem string
	if err := q.QueryRowContext(ctx, `SELECT problem FROM editions WHERE paper = $1 AND day = $2`, d.paper, string(d.day)).Scan(&problem); err != nil {
		return x, err
	}
	if err := q.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN f.state = 'read' THEN 1 ELSE 0 END), 0), COALESCE(SUM(`+isDead+`), 0)`+newestListing,
		d.paper, string(d.day)).Scan(&all.listed, &all.read, &all.dead); err != nil {
		return x, err
	}
	x.whole = all.whole() && problem == ""
	x.open = !x.whole && !d.givenUp
	return x, nil
}

// newestListing goes on where a query asks what the sources of an edition list now.
const newestListing = ` FROM refs f
	JOIN (SELECT source, MAX(listing) AS newest FROM refs WHERE paper = $1 AND day = $2 GROUP BY source) g ON g.source = f.source AND g.newest = f.listing
	WHERE f.paper = $1 AND f.day = $2`

// isDead is 1 for a listed article that is not expected to be read any more.
var isDead = `CASE WHEN f.state <> 'read' AND f.dead >= ` + strconv.Itoa(deadLooks) + ` THEN 1 ELSE 0 END`

// tally counts what an edition lists.
type tally struct{ listed, read, failed, dead int }

// whole reports whether all that is listed has been read, but for a few that are dead.
func (t tally) whole() bool {
	return t.listed > 0 && t.read+t.dead == t.listed && (t.dead < fewDead || t.dead*fewDead <= t.listed)
}

// fewDead and more, if they are more than one in fewDead, are a redesign, which an
// alarm tells of (emptied in ingest), and the edition waits for who mends it.
const fewDead = 3

// NoteDead notes that a look found a listed article missing at its URL, or without
// any content.
func (s *Store) NoteDead(ctx context.Context, source string, day paper.Day, origin string) error {
	return s.tx(ctx, "ref "+origin, func(t *sql.Tx) error {
		_, err := t.ExecContext(ctx, `UPDATE refs SET dead = dead + 1 WHERE source=$1 AND day=$2 AND origin=$3`, source, string(day), short(origin, maxOrigin))
		return err
	})
}

// compared notes at the end of a look at an edition whether it lists what it listed
// before. Of several sources each must have been looked at since.
func compared(ctx context.Context, t *sql.Tx, pkey string, day paper.Day, now time.Time) error {
	h := sha256.New()
	add := func(r *sql.Rows) error {
		var a, b string
		err := r.Scan(&a, &b)
		fmt.Fprintf(h, "%q%q\n", a, b)
		return err
	}
	for _, q := range []string{
		`SELECT f.source, f.origin` + newestListing + ` ORDER BY f.source, f.origin`,
		`SELECT '', number FROM edition_pages WHERE paper = $1 AND day = $2 ORDER BY number`,
	} {
		if err := each(ctx, t, add, q, pkey, string(day)); err != nil {
			return err
		}
	}
	_, err := t.ExecContext(ctx, `UPDATE editions SET listing = $3, same_since = CASE WHEN listing = $3 THEN same_since ELSE $4 END,
			same_at = (SELECT COALESCE(MIN(newest), 0) FROM (SELECT MAX(f.listing) AS newest FROM refs f JOIN sources s ON s.key = f.source
				WHERE f.paper = $1 AND f.day = $2 AND s.retired = 0 GROUP BY f.source) g)
		WHERE paper = $1 AND day = $2`, pkey, string(day), hex.EncodeToString(h.Sum(nil)[:16]), now.UnixMilli())
	return err
}

// close closes one day, unless something of it waits.
func (r *release) close(d openDay) (bool, error) {
	if err := lockPaper(r.ctx, r.t, d.paper); err != nil {
		return false, err
	}
	left, err := d.left(r.ctx, r.t)
	if err != nil || left.open {
		return false, err
	}
	for _, q := range []string{
		`UPDATE articles SET closed = $3 WHERE paper = $1 AND day = $2 AND state = 'released'`,
		`UPDATE days SET closed = $3 WHERE part = 'paper/' || $1 AND day = $2`,
	} {
		if _, err := r.t.ExecContext(r.ctx, q, d.paper, string(d.day), r.seq); err != nil {
			return false, err
		}
	}
	at, err := r.instant()
	if err != nil {
		return false, err
	}
	if _, err := r.t.ExecContext(r.ctx, `INSERT INTO closings (paper, day, seq, at, edition, archive) VALUES ($1,$2,$3,$4,$5,$6)`,
		d.paper, string(d.day), r.seq, at, flag(d.edition), flag(d.archive)); err != nil {
		return false, err
	}
	if d.archive {
		r.touch("archive", 0, d.day)
		r.touch("archive/"+d.paper, 0, d.day)
		return true, nil
	}
	// What was withdrawn, or filed elsewhere, may stand as a notice or in a paced feed
	// where it was: there too the edition shows as closed.
	var parts, ever []string
	if err := each(r.ctx, r.t, func(rows *sql.Rows) error {
		var part string
		var now int64
		err := rows.Scan(&part, &now)
		if now > 0 {
			parts = append(parts, part)
		}
		ever = append(ever, part)
		return err
	}, `SELECT f.part, SUM(CASE WHEN f.to_seq = 0 AND a.state = 'released' THEN 1 ELSE 0 END) FROM filings f JOIN articles a ON a.id = f.article
		WHERE a.paper = $1 AND a.day = $2 AND a.state IN ('released','withdrawn') GROUP BY f.part ORDER BY f.part`, d.paper, string(d.day)); err != nil {
		return false, err
	}
	for _, part := range append(ever, "all", "paper/"+d.paper) {
		r.touch(part, 0, d.day)
	}
	since := max(d.complete, d.due.Unix(), left.last)
	if !d.edition || d.history || d.complete == 0 || !left.whole || since < r.now-int64(closedLately/time.Second) {
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

// Closed gives the editions among items that are closed: nothing of them is to come.
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
