package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"paperwire/internal/paper"
)

// Apply is a filing as the editor left it.
func (h ByHand) Apply(f paper.Filing) paper.Filing {
	if h.Placing != nil {
		f.Placing, f.Districts = *h.Placing, h.Districts
	}
	if h.Sections != nil {
		f.Sections = *h.Sections
	}
	return f
}

// byHand gives how an editor filed an article.
func byHand(ctx context.Context, q interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}, id string,
) (h ByHand, err error) {
	var doc string
	err = q.QueryRowContext(ctx, `SELECT doc FROM by_hand WHERE article = $1`, id).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return h, nil
	} else if err != nil {
		return h, err
	}
	return h, json.Unmarshal([]byte(doc), &h)
}

// Subjects gives articles with what filing them again needs, by id: at most n after
// an id; of one paper, or of all for "".
func (s *Store) Subjects(ctx context.Context, pkey, after string, n int) ([]Subject, error) {
	q, args := `a.id > $1`, []any{after}
	if pkey != "" {
		q, args = q+` AND a.paper = $2`, append(args, pkey)
	}
	list, err := s.subjects(ctx, q+` ORDER BY a.id LIMIT `+strconv.Itoa(n), args...)
	if err != nil {
		return nil, fmt.Errorf("articles after %q: %w", after, err)
	}
	return list, nil
}

// Subject gives one of them; the error is paper.ErrNotFound.
func (s *Store) Subject(ctx context.Context, id string) (Subject, error) {
	if !storable(id) {
		return Subject{}, fmt.Errorf("article %q: %w", id, paper.ErrNotFound)
	}
	list, err := s.subjects(ctx, `a.id = $1`, id)
	if err == nil && len(list) == 0 {
		err = paper.ErrNotFound
	}
	if err != nil {
		return Subject{}, fmt.Errorf("article %s: %w", id, err)
	}
	return list[0], nil
}

func (s *Store) subjects(ctx context.Context, where string, args ...any) ([]Subject, error) {
	var list []Subject
	err := each(ctx, s.r, func(r *sql.Rows) error {
		var x Subject
		var id, doc, draft, filing, drafted, hand string
		if err := r.Scan(&id, &doc, &draft, &x.State, &x.Pending, &x.Reason, &x.Hash, &filing, &drafted, &hand); err != nil {
			return err
		}
		for _, part := range []struct {
			doc string
			to  any
		}{{doc, &x.Article}, {filing, &x.Filing}, {drafted, &x.Drafted}, {hand, &x.Hand}} {
			if part.doc == "" {
				continue
			}
			if err := json.Unmarshal([]byte(part.doc), part.to); err != nil {
				return fmt.Errorf("article %s: %w", id, err)
			}
		}
		if draft != "" {
			x.Draft = new(paper.Article)
			if err := json.Unmarshal([]byte(draft), x.Draft); err != nil {
				return fmt.Errorf("article %s: %w", id, err)
			}
		}
		x.Article.ID = id
		list = append(list, x)
		return nil
	}, `SELECT a.id, a.doc, a.draft, a.state, a.pending, a.reason, a.hash, e.doc, e.draft, COALESCE(h.doc, '')
		FROM articles a JOIN evidence e ON e.article = a.id LEFT JOIN by_hand h ON h.article = a.id WHERE `+where, args...)
	return list, err
}

// Refile files articles of one paper otherwise, in one transaction: the versions of
// the scopes concerned rise, and neither published nor updated moves. What left a
// scope goes on telling there of its corrections (promise 4). d and hand are the
// editor's, nil where rules have changed. It returns what moved.
func (s *Store) Refile(ctx context.Context, pkey string, moves []Move, d *paper.Decision, hand *ByHand) ([]paper.Refiled, error) {
	var list []paper.Refiled
	err := s.tx(ctx, "refile articles of "+pkey, func(t *sql.Tx) error {
		if _, err := t.ExecContext(ctx, `UPDATE clock SET n = n WHERE name = 'change'`); err != nil {
			return err
		}
		r := release{s: s, ctx: ctx, t: t, now: s.now().Unix(), parts: map[string]int{}, last: map[string]paper.Day{}}
		if err := t.QueryRowContext(ctx, `UPDATE papers SET stamp = stamp WHERE key = $1 RETURNING key, zone, stamp`, pkey).Scan(&r.paper.Key, &r.paper.Zone, &r.stamp); err != nil {
			return err
		}
		for _, m := range moves {
			moved, err := r.move(m)
			if err != nil {
				return fmt.Errorf("article %s: %w", m.ID, err)
			}
			if moved != nil {
				list = append(list, *moved)
			}
			if hand == nil {
				continue
			}
			if _, err := t.ExecContext(ctx, `INSERT INTO by_hand (article, doc) VALUES ($1,$2) ON CONFLICT (article) DO UPDATE SET doc=$2`, m.ID, encode(hand)); err != nil {
				return err
			}
		}
		if d != nil {
			if err := s.decided(ctx, t, *d); err != nil {
				return err
			}
		}
		if r.seq == 0 {
			return nil // nobody sees any of it
		}
		return r.finish()
	})
	return list, err
}

// move files one article otherwise; nil where it changed meanwhile.
func (r *release) move(m Move) (*paper.Refiled, error) {
	var doc, filing, state, hash string
	var version, published, archive int64
	err := r.t.QueryRowContext(r.ctx, `SELECT a.doc, e.doc, a.state, a.hash, a.version, a.published, a.archive FROM articles a JOIN evidence e ON e.article = a.id WHERE a.id = $1 AND a.paper = $2`, m.ID, r.paper.Key).
		Scan(&doc, &filing, &state, &hash, &version, &published, &archive)
	if err != nil {
		return nil, err
	}
	if m.Hash != "" && m.Hash != hash {
		return nil, nil
	}
	var a paper.Article
	if err := json.Unmarshal([]byte(doc), &a); err != nil {
		return nil, err
	}
	moved := &paper.Refiled{ID: m.ID, Title: a.Title()}
	if _, err := r.t.ExecContext(r.ctx, `UPDATE evidence SET doc=$2 WHERE article=$1`, m.ID, encode(m.Filing)); err != nil {
		return nil, err
	}
	if m.Drafted != nil {
		if _, err := r.t.ExecContext(r.ctx, `UPDATE evidence SET draft=$2 WHERE article=$1 AND EXISTS (SELECT 1 FROM articles WHERE id=$1 AND draft<>'')`, m.ID, encode(*m.Drafted)); err != nil {
			return nil, err
		}
	}
	want := filedUnder(m.Filing)
	if state != "released" { // filed when it comes out, or comes back
		var f paper.Filing
		if err := json.Unmarshal([]byte(filing), &f); err != nil {
			return nil, err
		}
		before := filedUnder(f)
		moved.Left, moved.Joined = without(before, want), without(want, before)
		return moved, nil
	}
	before, err := r.open(m.ID)
	if err != nil {
		return nil, err
	}
	moved.Left, moved.Joined = without(before, want), without(want, before)
	if r.seq == 0 {
		if r.seq, err = change(r.ctx, r.t); err != nil {
			return nil, err
		}
	}
	parts, err := r.refile(m.ID, published, want, 1, 1, archive != 0, a.Day)
	if err != nil {
		return nil, err
	}
	if err := r.sections(m.Filing.Sections); err != nil {
		return nil, err
	}
	if archive != 0 {
		return moved, r.archived(a, 0)
	}
	for _, part := range []string{"all", "paper/" + r.paper.Key} {
		r.touch(part, 0, a.Day)
	}
	if len(moved.Left)+len(moved.Joined) == 0 {
		return moved, nil
	}
	return moved, r.out(paper.ArticleRefiled, m.ID, a.Day, version, parts)
}

// Moved is what filing an article otherwise would come to.
func (x Subject) Moved(f paper.Filing) paper.Refiled {
	before, after := filedUnder(x.Filing), filedUnder(f)
	return paper.Refiled{ID: x.Article.ID, Title: x.Article.Title(), Left: without(before, after), Joined: without(after, before)}
}

// without is what of a list another does not have.
func without(list, other []string) (left []string) {
	for _, s := range list {
		if !slices.Contains(other, s) {
			left = append(left, s)
		}
	}
	return left
}

// open are the parts that an article is filed under now, sorted.
func (r *release) open(id string) (parts []string, err error) {
	err = each(r.ctx, r.t, func(rows *sql.Rows) error {
		var part string
		err := rows.Scan(&part)
		parts = append(parts, part)
		return err
	}, `SELECT part FROM filings WHERE article = $1 AND to_seq = 0 ORDER BY part`, id)
	return parts, err
}

// Decide withdraws, restores or holds an article for an editor and writes down who,
// when and why. What it asks for comes out with the next Release. Errors:
// paper.ErrNotFound, and paper.ErrDecision with the reason.
func (s *Store) Decide(ctx context.Context, d paper.Decision) error {
	if !storable(d.Article) {
		return fmt.Errorf("%s %q: %w", d.Action, d.Article, paper.ErrNotFound)
	}
	return s.tx(ctx, string(d.Action)+" "+d.Article, func(t *sql.Tx) error {
		if _, err := t.ExecContext(ctx, `UPDATE papers SET stamp = stamp WHERE key = (SELECT paper FROM articles WHERE id = $1)`, d.Article); err != nil {
			return err
		}
		var state, pending, reason, draft string
		err := t.QueryRowContext(ctx, `SELECT state, pending, reason, draft FROM articles WHERE id = $1`, d.Article).Scan(&state, &pending, &reason, &draft)
		if errors.Is(err, sql.ErrNoRows) {
			return paper.ErrNotFound
		} else if err != nil {
			return err
		}
		now := s.now().UnixMilli()
		set := func(state, pending, reason string, at int64) error {
			_, err := t.ExecContext(ctx, `UPDATE articles SET state=$2, pending=$3, reason=$4, release_at=$5 WHERE id=$1`, d.Article, state, pending, clean(reason), at)
			return err
		}
		no := func(why string) error { return fmt.Errorf("%w: %s", paper.ErrDecision, why) }
		// The publisher's own reason is another word: what an editor took out stays
		// out when the publisher has it again.
		mine := "editor: " + d.Why
		switch d.Action {
		case paper.WithdrawHand:
			switch state {
			case "released":
				err = set(state, "withdraw", mine, now)
			case "ingested", "withheld":
				err = set("withheld", "", mine, never)
			default:
				if reason != byPublisher {
					return no("it has been withdrawn")
				}
				err = set(state, pending, mine, now)
			}
		case paper.HoldHand:
			switch {
			case state == "ingested" || state == "withheld":
				err = set("withheld", "", mine, never)
			case state == "released":
				return no("it is out; withdraw it instead")
			default:
				return no("it has been withdrawn")
			}
		case paper.RestoreHand:
			switch {
			case state == "withheld":
				err = set("ingested", "", "", now)
			case state == "withdrawn":
				err = set(state, "restore", "", now)
			case pending == "withdraw":
				pending = ""
				if draft != "" {
					pending = "correct"
				}
				err = set(state, pending, "", now)
			default:
				return no("it is neither withdrawn nor held")
			}
		default:
			return no(fmt.Sprintf("unknown action %q", d.Action))
		}
		if err != nil {
			return err
		}
		return s.decided(ctx, t, d)
	})
}

// decided writes a decision into the log.
func (s *Store) decided(ctx context.Context, t *sql.Tx, d paper.Decision) error {
	d.Who, d.Why, d.At = clean(d.Who), clean(d.Why), s.now().UTC()
	var n int64
	if err := t.QueryRowContext(ctx, `UPDATE clock SET n = n + 1 WHERE name = 'decision' RETURNING n`).Scan(&n); err != nil {
		return err
	}
	_, err := t.ExecContext(ctx, `INSERT INTO decisions (n, article, action, who, why, at, doc) VALUES ($1,$2,$3,$4,$5,$6,$7)`,
		n, d.Article, string(d.Action), d.Who, d.Why, seconds(d.At), encode(d))
	return err
}

// Decisions lists what editors did to an article, or to all for "": the newest n,
// newest first.
func (s *Store) Decisions(ctx context.Context, id string, n int) ([]paper.Decision, error) {
	if !storable(id) {
		return nil, fmt.Errorf("decisions on %q: %w", id, paper.ErrNotFound)
	}
	q, args := ``, []any{}
	if id != "" {
		q, args = ` WHERE article = $1`, append(args, id)
	}
	var list []paper.Decision
	err := each(ctx, s.r, func(r *sql.Rows) error {
		var doc string
		if err := r.Scan(&doc); err != nil {
			return err
		}
		var d paper.Decision
		list = append(list, d)
		return json.Unmarshal([]byte(doc), &list[len(list)-1])
	}, `SELECT doc FROM decisions`+q+` ORDER BY n DESC LIMIT `+strconv.Itoa(n), args...)
	if err != nil {
		return nil, fmt.Errorf("decisions: %w", err)
	}
	return list, nil
}
