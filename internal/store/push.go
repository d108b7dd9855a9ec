package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"paperwire/internal/paper"
)

// What is kept of deliveries: the newest of each receiver, and none older than that.
const (
	keepDeliveries = 1000
	keepPushed     = 30 * 24 * time.Hour // deliveries, and the outbox for replays
)

const receiverColumns = `id, kind, scope, url, host, doc, seq, n, state, problem, attempts, since, retry_at, created, expires, client`

func scanReceiver(row interface{ Scan(...any) error }) (r paper.Receiver, err error) {
	var since, retry, created, expires int64
	err = row.Scan(&r.ID, &r.Kind, &r.Scope, &r.URL, &r.Host, &r.Doc, &r.Cursor.Seq, &r.Cursor.N, &r.State, &r.Problem, &r.Attempts,
		&since, &retry, &created, &expires, &r.Client)
	r.Since, r.Created, r.Expires = instant(since), instant(created), instant(expires)
	if retry > 0 {
		r.Retry = time.UnixMilli(retry).UTC()
	}
	return r, err
}

// Events reads the outbox behind a cursor, n events at most, in commit order.
func (s *Store) Events(ctx context.Context, after paper.Cursor, n int) ([]paper.Event, error) {
	var list []paper.Event
	err := each(ctx, s.r, func(rows *sql.Rows) error {
		var e paper.Event
		var parts string
		var at, plain int64
		if err := rows.Scan(&e.Seq, &e.N, &e.Kind, &e.Paper, &e.Day, &e.Article, &e.Version, &parts, &at, &plain); err != nil {
			return err
		}
		e.At, e.Plain = instant(at), plain > 0
		list = append(list, e)
		return json.Unmarshal([]byte(parts), &list[len(list)-1].Parts)
	}, `SELECT seq, n, kind, paper, day, article, version, parts, at, plain FROM outbox WHERE (seq, n) > ($1, $2) ORDER BY seq, n LIMIT $3`, after.Seq, after.N, n)
	if err != nil {
		return nil, fmt.Errorf("events after %d.%d: %w", after.Seq, after.N, err)
	}
	return list, nil
}

// Outbox is the cursor behind the newest event.
func (s *Store) Outbox(ctx context.Context) (paper.Cursor, error) {
	c, err := s.cursor(ctx, `SELECT seq, n FROM outbox ORDER BY seq DESC, n DESC LIMIT 1`)
	if err != nil {
		return c, fmt.Errorf("end of the outbox: %w", err)
	}
	return c, nil
}

// OutboxAt is the cursor behind the last event before an instant.
func (s *Store) OutboxAt(ctx context.Context, at time.Time) (paper.Cursor, error) {
	c, err := s.cursor(ctx, `SELECT seq, n FROM outbox WHERE at < $1 ORDER BY seq DESC, n DESC LIMIT 1`, at.Unix())
	if err != nil {
		return c, fmt.Errorf("outbox at %s: %w", at.UTC().Format(time.RFC3339), err)
	}
	return c, nil
}

func (s *Store) cursor(ctx context.Context, q string, args ...any) (c paper.Cursor, err error) {
	err = s.r.QueryRowContext(ctx, q, args...).Scan(&c.Seq, &c.N)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return c, err
}

// Receivers lists those of a kind, or of all for "", by id: at most n after an id.
func (s *Store) Receivers(ctx context.Context, kind paper.ReceiverKind, after string, n int) ([]paper.Receiver, error) {
	if !storable(after) {
		return nil, fmt.Errorf("receivers after %q: %w", after, paper.ErrNotFound)
	}
	var list []paper.Receiver
	err := each(ctx, s.r, func(rows *sql.Rows) error {
		r, err := scanReceiver(rows)
		list = append(list, r)
		return err
	}, `SELECT `+receiverColumns+` FROM receivers WHERE ($1 = '' OR kind = $1) AND id > $2 ORDER BY id LIMIT $3`, kind, after, n)
	if err != nil {
		return nil, fmt.Errorf("receivers: %w", err)
	}
	return list, nil
}

// Receiver gives one; the error is paper.ErrNotFound.
func (s *Store) Receiver(ctx context.Context, id string) (paper.Receiver, error) {
	if !storable(id) {
		return paper.Receiver{}, fmt.Errorf("receiver %q: %w", id, paper.ErrNotFound)
	}
	r, err := scanReceiver(s.r.QueryRowContext(ctx, `SELECT `+receiverColumns+` FROM receivers WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		err = paper.ErrNotFound
	}
	if err != nil {
		return r, fmt.Errorf("receiver %s: %w", id, err)
	}
	return r, nil
}

// CountReceivers counts those of a kind: in all, at one host (a name, whatever the
// port), and those that one client asked for.
func (s *Store) CountReceivers(ctx context.Context, kind paper.ReceiverKind, host, client string) (all, there, theirs int, err error) {
	host += ":"
	err = s.r.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN substr(host, 1, $3) = $2 THEN 1 ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN client = $4 THEN 1 ELSE 0 END), 0)
		FROM receivers WHERE kind = $1`, kind, host, utf8.RuneCountInString(host), client).Scan(&all, &there, &theirs)
	if err != nil {
		return 0, 0, 0, fmt.Errorf("count receivers: %w", err)
	}
	return all, there, theirs, nil
}

// KeepReceiver stores a receiver as it is given, in place of one with its id. A
// drain of it that is under way loses its lease and so moves nothing any more.
func (s *Store) KeepReceiver(ctx context.Context, r paper.Receiver) error {
	if r.Created.IsZero() {
		r.Created = s.now()
	}
	return s.tx(ctx, "keep receiver "+r.ID, func(t *sql.Tx) error {
		_, err := t.ExecContext(ctx, `INSERT INTO receivers (`+receiverColumns+`, owner, lease_until, deliveries)
			VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,'',0,0)
			ON CONFLICT (id) DO UPDATE SET kind=$2, scope=$3, url=$4, host=$5, doc=$6, seq=$7, n=$8, state=$9, problem=$10, attempts=$11,
				since=$12, retry_at=$13, expires=$15, client=$16, owner='', lease_until=0`,
			r.ID, r.Kind, r.Scope, r.URL, r.Host, r.Doc, r.Cursor.Seq, r.Cursor.N, r.State, clean(r.Problem), r.Attempts,
			seconds(r.Since), millis(r.Retry), seconds(r.Created), seconds(r.Expires), r.Client)
		return err
	})
}

// ChangeReceiver changes one that is there, in one transaction: what others write
// meanwhile is not lost. A drain under way loses its lease. Errors: paper.ErrNotFound,
// and that of change, with which nothing is written.
func (s *Store) ChangeReceiver(ctx context.Context, id string, change func(*paper.Receiver) error) (r paper.Receiver, err error) {
	var refused error
	err = s.tx(ctx, "change receiver "+id, func(t *sql.Tx) error {
		// Written first, so that the row is ours from here on.
		r, err = scanReceiver(t.QueryRowContext(ctx, `UPDATE receivers SET owner = '', lease_until = 0 WHERE id = $1 RETURNING `+receiverColumns, id))
		if errors.Is(err, sql.ErrNoRows) {
			return paper.ErrNotFound
		} else if err != nil {
			return err
		}
		if refused = change(&r); refused != nil {
			return refused
		}
		_, err := t.ExecContext(ctx, `UPDATE receivers SET scope=$2, url=$3, host=$4, doc=$5, seq=$6, n=$7, state=$8, problem=$9, attempts=$10,
			since=$11, retry_at=$12, expires=$13 WHERE id = $1`, id, r.Scope, r.URL, r.Host, r.Doc, r.Cursor.Seq, r.Cursor.N, r.State, clean(r.Problem), r.Attempts,
			seconds(r.Since), millis(r.Retry), seconds(r.Expires))
		return err
	})
	if refused != nil {
		err = refused // in its own words
	}
	return r, err
}

// RenewReceivers lets those that are named live on until an instant; those that were
// paused go on. A drain under way is not disturbed.
func (s *Store) RenewReceivers(ctx context.Context, ids []string, until time.Time) error {
	if len(ids) == 0 {
		return nil
	}
	return s.tx(ctx, "renew receivers", func(t *sql.Tx) error {
		args := []any{until.Unix()}
		_, err := t.ExecContext(ctx, `UPDATE receivers SET expires = $1, state = CASE WHEN state = 'paused' THEN 'live' ELSE state END WHERE `+in("id", ids, &args), args...)
		return err
	})
}

// DropReceiver forgets a receiver with its deliveries and dead letters; the error
// is paper.ErrNotFound.
func (s *Store) DropReceiver(ctx context.Context, id string) error {
	if !storable(id) {
		return fmt.Errorf("drop receiver %q: %w", id, paper.ErrNotFound)
	}
	return s.tx(ctx, "drop receiver "+id, func(t *sql.Tx) error {
		res, err := t.ExecContext(ctx, `DELETE FROM receivers WHERE id = $1`, id)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, paper.ErrNotFound)
		}
		return s.forget(ctx, t, id)
	})
}

// forget drops what is kept beside a receiver.
func (s *Store) forget(ctx context.Context, t *sql.Tx, id string) error {
	for _, q := range []string{`DELETE FROM deliveries WHERE receiver = $1`, `DELETE FROM dead_letters WHERE receiver = $1`} {
		if _, err := t.ExecContext(ctx, q, id); err != nil {
			return err
		}
	}
	return s.incident(ctx, t, id, "failing", "", false)
}

// DueReceivers hands out receivers, but for intents, that are behind the outbox and may
// be sent to now, n at most, those longest behind first; each to one caller, who has
// hold time to begin (see ClaimReceiver).
func (s *Store) DueReceivers(ctx context.Context, hold time.Duration, n int) ([]paper.Receiver, error) {
	end, err := s.Outbox(ctx)
	if err != nil {
		return nil, err
	}
	now := s.now()
	const due = `(seq, n) < ($1, $2) AND seq >= 0 AND state = 'live' AND retry_at <= $3 AND lease_until <= $3`
	// Looked at without the write lock first: most sweeps find nothing.
	var one int
	err = s.r.QueryRowContext(ctx, `SELECT 1 FROM receivers WHERE `+due+` LIMIT 1`, end.Seq, end.N, now.UnixMilli()).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("due receivers: %w", err)
	}
	var list []paper.Receiver
	err = s.tx(ctx, "due receivers", func(t *sql.Tx) error {
		list = list[:0]
		return each(ctx, t, func(rows *sql.Rows) error {
			r, err := scanReceiver(rows)
			list = append(list, r)
			return err
		}, `UPDATE receivers SET owner = '', lease_until = $4
			WHERE id IN (SELECT id FROM receivers WHERE `+due+` ORDER BY seq, n, id LIMIT $5) AND `+due+` RETURNING `+receiverColumns,
			end.Seq, end.N, now.UnixMilli(), now.Add(hold).UnixMilli(), n)
	})
	return list, err
}

// DueIntents hands out intents as DueReceivers does receivers: as many as bring those
// under way to n, and those of one client to ofClient.
func (s *Store) DueIntents(ctx context.Context, hold time.Duration, n, ofClient int) (ids []string, err error) {
	now := s.now()
	// Those under way come first, so that they take the first places of their client.
	const due = `SELECT id FROM (SELECT id, created, lease_until, ROW_NUMBER() OVER (PARTITION BY client ORDER BY CASE WHEN lease_until > $1 THEN 0 ELSE 1 END, created, id) AS place
		FROM receivers WHERE kind = 'intent' AND state = 'live' AND retry_at <= $1) waiting WHERE lease_until <= $1 AND place <= $2 ORDER BY place, created, id`
	var one string
	err = s.r.QueryRowContext(ctx, due+` LIMIT 1`, now.UnixMilli(), ofClient).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("due intents: %w", err)
	}
	err = s.tx(ctx, "due intents", func(t *sql.Tx) error {
		ids = ids[:0]
		var under int
		if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM receivers WHERE kind = 'intent' AND lease_until > $1`, now.UnixMilli()).Scan(&under); err != nil {
			return err
		}
		return each(ctx, t, func(rows *sql.Rows) error {
			var id string
			err := rows.Scan(&id)
			ids = append(ids, id)
			return err
		}, `UPDATE receivers SET owner = '', lease_until = $3 WHERE id IN (`+due+` LIMIT $4) AND lease_until <= $1 RETURNING id`,
			now.UnixMilli(), ofClient, now.Add(hold).UnixMilli(), max(n-under, 0))
	})
	return ids, err
}

// PassReceivers moves receivers that were handed out from one cursor to another without
// a drain: there is nothing for them in between. Who is drained by now, stands elsewhere
// or was changed since, and so may be about something else, stays.
func (s *Store) PassReceivers(ctx context.Context, from, to paper.Cursor, ids []string) error {
	return s.tx(ctx, "pass receivers", func(t *sql.Tx) error {
		for at := 0; at < len(ids); at += 500 {
			args := []any{from.Seq, from.N, to.Seq, to.N}
			if _, err := t.ExecContext(ctx, `UPDATE receivers SET seq = $3, n = $4, lease_until = 0
				WHERE seq = $1 AND n = $2 AND owner = '' AND lease_until > 0 AND `+in("id", ids[at:min(at+500, len(ids))], &args), args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// ClaimReceiver takes the lease of a receiver that was handed out, for a drain.
// Errors: ErrBusy, where another drain has it or nothing may be sent to it now, and
// paper.ErrNotFound.
func (s *Store) ClaimReceiver(ctx context.Context, id, owner string, ttl time.Duration) (r paper.Receiver, err error) {
	now := s.now()
	err = s.tx(ctx, "claim receiver "+id, func(t *sql.Tx) error {
		r, err = scanReceiver(t.QueryRowContext(ctx, `UPDATE receivers SET owner = $2, lease_until = $3
			WHERE id = $1 AND (owner = '' OR lease_until <= $4) AND retry_at <= $4 AND state = 'live' RETURNING `+receiverColumns,
			id, owner, now.Add(ttl).UnixMilli(), now.UnixMilli()))
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		var there int
		err = t.QueryRowContext(ctx, `SELECT COUNT(*) FROM receivers WHERE id = $1`, id).Scan(&there)
		if err == nil {
			if err = ErrBusy; there == 0 {
				err = paper.ErrNotFound
			}
		}
		return err
	})
	return r, err
}

// MoveReceiver writes down how a drain got on: cursor, state, problem and the next
// try, in one transaction with the try itself and the event that was given up,
// where there are such. The drain keeps its lease for ttl; 0 ends it. The error is
// ErrBusy when the lease was lost meanwhile: then nothing is written.
func (s *Store) MoveReceiver(ctx context.Context, r paper.Receiver, owner string, ttl time.Duration, d *paper.Delivery, dead *paper.DeadLetter) error {
	now := s.now()
	until, keeps := int64(0), ""
	if ttl > 0 {
		until, keeps = now.Add(ttl).UnixMilli(), owner
	}
	return s.tx(ctx, "move receiver "+r.ID, func(t *sql.Tx) error {
		tries := 0
		if d != nil {
			tries = 1
		}
		var n int64
		err := t.QueryRowContext(ctx, `UPDATE receivers SET seq=$3, n=$4, state=$5, problem=$6, attempts=$7, since=$8, retry_at=$9, lease_until=$10,
				owner=$12, deliveries = deliveries + $11
			WHERE id = $1 AND owner = $2 RETURNING deliveries`,
			r.ID, owner, r.Cursor.Seq, r.Cursor.N, r.State, clean(r.Problem), r.Attempts, seconds(r.Since), millis(r.Retry), until, tries, keeps).Scan(&n)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrBusy
		} else if err != nil {
			return err
		}
		if d != nil {
			if err := logDelivery(ctx, t, r.ID, n, d); err != nil {
				return err
			}
		}
		if dead == nil {
			return nil
		}
		_, err = t.ExecContext(ctx, `INSERT INTO dead_letters (receiver, seq, n, event, at, attempts, problem) VALUES ($1,$2,$3,$4,$5,$6,$7)
			ON CONFLICT (receiver, seq, n) DO UPDATE SET at=$5, attempts=$6, problem=$7`,
			r.ID, dead.Event.Seq, dead.Event.N, encode(dead.Event), now.Unix(), dead.Attempts, clean(dead.Problem))
		return err
	})
}

func logDelivery(ctx context.Context, t *sql.Tx, id string, n int64, d *paper.Delivery) error {
	if _, err := t.ExecContext(ctx, `INSERT INTO deliveries (receiver, n, event, kind, at, took, status, problem) VALUES ($1,$2,$3,$4,$5,$6,$7,$8)`,
		id, n, d.Event, d.Kind, d.At.UnixMilli(), d.Took.Milliseconds(), d.Status, clean(d.Problem)); err != nil {
		return err
	}
	_, err := t.ExecContext(ctx, `DELETE FROM deliveries WHERE receiver = $1 AND n <= $2`, id, n-keepDeliveries)
	return err
}

// LogDelivery writes down a try that no drain made: a test, a dead letter sent again.
func (s *Store) LogDelivery(ctx context.Context, d paper.Delivery) error {
	return s.tx(ctx, "log delivery to "+d.Receiver, func(t *sql.Tx) error {
		var n int64
		err := t.QueryRowContext(ctx, `UPDATE receivers SET deliveries = deliveries + 1 WHERE id = $1 RETURNING deliveries`, d.Receiver).Scan(&n)
		if errors.Is(err, sql.ErrNoRows) {
			return paper.ErrNotFound
		} else if err != nil {
			return err
		}
		return logDelivery(ctx, t, d.Receiver, n, &d)
	})
}

// Deliveries lists the tries of one receiver, newest first: at most n before a
// number; 0 for the newest.
func (s *Store) Deliveries(ctx context.Context, receiver string, before int64, n int) ([]paper.Delivery, error) {
	var list []paper.Delivery
	err := each(ctx, s.r, func(r *sql.Rows) error {
		d := paper.Delivery{Receiver: receiver}
		var at, took int64
		if err := r.Scan(&d.N, &d.Event, &d.Kind, &at, &took, &d.Status, &d.Problem); err != nil {
			return err
		}
		d.At, d.Took = time.UnixMilli(at).UTC(), time.Duration(took)*time.Millisecond
		list = append(list, d)
		return nil
	}, `SELECT n, event, kind, at, took, status, problem FROM deliveries WHERE receiver = $1 AND ($2 = 0 OR n < $2) ORDER BY n DESC LIMIT $3`, receiver, before, n)
	if err != nil {
		return nil, fmt.Errorf("deliveries to %s: %w", receiver, err)
	}
	return list, nil
}

// DeadLetters lists what one receiver did not get, in order: at most n behind a cursor.
func (s *Store) DeadLetters(ctx context.Context, receiver string, after paper.Cursor, n int) ([]paper.DeadLetter, error) {
	var list []paper.DeadLetter
	err := each(ctx, s.r, func(r *sql.Rows) error {
		d := paper.DeadLetter{Receiver: receiver}
		var event string
		var at int64
		if err := r.Scan(&event, &at, &d.Attempts, &d.Problem); err != nil {
			return err
		}
		d.At = instant(at)
		list = append(list, d)
		return json.Unmarshal([]byte(event), &list[len(list)-1].Event)
	}, `SELECT event, at, attempts, problem FROM dead_letters WHERE receiver = $1 AND (seq, n) > ($2, $3) ORDER BY seq, n LIMIT $4`, receiver, after.Seq, after.N, n)
	if err != nil {
		return nil, fmt.Errorf("dead letters of %s: %w", receiver, err)
	}
	return list, nil
}

// DropDeadLetter forgets one that arrived after all, or is not wanted any more; the
// error is paper.ErrNotFound.
func (s *Store) DropDeadLetter(ctx context.Context, receiver string, at paper.Cursor) error {
	return s.tx(ctx, "drop dead letter of "+receiver, func(t *sql.Tx) error {
		res, err := t.ExecContext(ctx, `DELETE FROM dead_letters WHERE receiver = $1 AND seq = $2 AND n = $3`, receiver, at.Seq, at.N)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, paper.ErrNotFound)
		}
		return nil
	})
}

// Backlogs tells how far behind the receivers are, by kind and state.
func (s *Store) Backlogs(ctx context.Context) ([]paper.Backlog, error) {
	end, err := s.Outbox(ctx)
	if err != nil {
		return nil, err
	}
	var list []paper.Backlog
	var behind []paper.Cursor // longest behind of each, or the end
	err = each(ctx, s.r, func(r *sql.Rows) error {
		var b paper.Backlog
		var c paper.Cursor
		err := r.Scan(&b.Kind, &b.State, &b.Receivers, &b.Failing, &c.Seq)
		c.N = -1
		list, behind = append(list, b), append(behind, c)
		return err
	}, `SELECT kind, state, COUNT(*), SUM(CASE WHEN since > 0 THEN 1 ELSE 0 END), MIN(CASE WHEN (seq, n) < ($1, $2) THEN seq ELSE $1 END)
		FROM receivers WHERE kind <> 'intent' GROUP BY kind, state ORDER BY kind, state`, end.Seq, end.N)
	for i := range list {
		if err != nil {
			break
		}
		if list[i].State != paper.ReceiverLive || behind[i].Seq == end.Seq {
			continue // within the newest transaction at most
		}
		var at int64
		err = s.r.QueryRowContext(ctx, `SELECT at FROM outbox WHERE seq > $1 ORDER BY seq, n LIMIT 1`, behind[i].Seq).Scan(&at)
		list[i].Oldest = instant(at)
	}
	if err != nil {
		return nil, fmt.Errorf("backlogs: %w", err)
	}
	return list, nil
}

// ExpireReceivers forgets those whose time is over, with what is kept beside them, and
// says how many: subscriptions whose lease has ended, robots and pings that stand in no
// configuration any more.
func (s *Store) ExpireReceivers(ctx context.Context) (n int, err error) {
	now := s.now().Unix()
	err = s.r.QueryRowContext(ctx, `SELECT COUNT(*) FROM receivers WHERE expires > 0 AND expires <= $1`, now).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("expire receivers: %w", err)
	}
	if n == 0 {
		return 0, nil
	}
	err = s.tx(ctx, "expire receivers", func(t *sql.Tx) error {
		var logged []string
		n = 0
		if err := each(ctx, t, func(rows *sql.Rows) error {
			var id string
			var kind paper.ReceiverKind
			err := rows.Scan(&id, &kind)
			if n++; kind != paper.Subscription {
				logged = append(logged, id)
			}
			return err
		}, `DELETE FROM receivers WHERE expires > 0 AND expires <= $1 RETURNING id, kind`, now); err != nil {
			return err
		}
		for _, id := range logged {
			if err := s.forget(ctx, t, id); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// PrunePushed forgets what is older than a replay may reach back: deliveries, dead
// letters, and of the outbox what no live receiver still has to get. Those that are not
// live do not hold it for ever: they are told that they missed something.
func (s *Store) PrunePushed(ctx context.Context) error {
	old := s.now().Add(-keepPushed)
	return s.tx(ctx, "prune outbox", func(t *sql.Tx) error {
		if _, err := t.ExecContext(ctx, `DELETE FROM deliveries WHERE at < $1`, old.UnixMilli()); err != nil {
			return err
		}
		if _, err := t.ExecContext(ctx, `DELETE FROM dead_letters WHERE at < $1`, old.Unix()); err != nil {
			return err
		}
		// The newest event stays: its number is where the outbox ends.
		const pruned = `at < $1 AND outbox.seq < (SELECT MAX(seq) FROM outbox)
			AND outbox.seq < COALESCE((SELECT MIN(seq) FROM receivers WHERE state = 'live' AND kind <> 'intent'), outbox.seq + 1)`
		if _, err := t.ExecContext(ctx, `UPDATE receivers SET problem = $2 WHERE state <> 'live' AND problem <> $2
			AND EXISTS (SELECT 1 FROM outbox WHERE `+pruned+` AND (outbox.seq, outbox.n) > (receivers.seq, receivers.n))`, old.Unix(), paper.Missed); err != nil {
			return err
		}
		_, err := t.ExecContext(ctx, `DELETE FROM outbox WHERE `+pruned, old.Unix())
		return err
	})
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
