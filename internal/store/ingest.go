package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"paperwire/internal/paper"
)

// never is a release_at that no clock reaches: ingested, and not yet settled.
const never = int64(1) << 62

// Configure writes down what the configuration says: papers, sources and their
// schedule, sections. A paper or source that the configuration no longer has is
// retired, unless it is one beside others; its feeds stay.
func (s *Store) Configure(ctx context.Context, c Setup) error {
	return s.tx(ctx, "configure store", func(t *sql.Tx) error {
		// Locked first, as in every transaction: see change.
		var shown string
		if err := t.QueryRowContext(ctx, `UPDATE clock SET n = n WHERE name = 'change' RETURNING doc`).Scan(&shown); err != nil {
			return err
		}
		if !c.Beside {
			for _, table := range []string{"papers", "sources"} {
				if _, err := t.ExecContext(ctx, `UPDATE `+table+` SET retired = 1`); err != nil {
					return err
				}
			}
		}
		// What shows of papers and sections in documents: a new one shows nowhere yet.
		shows, err := shownNow(ctx, t)
		if err != nil {
			return err
		}
		renamed := false
		for _, p := range c.Papers {
			was, ok := shows["paper/"+p.Key]
			renamed = renamed || ok && was != shownOf(p)
			if _, err := t.ExecContext(ctx, `INSERT INTO papers (key, name, city, zone, language, url, link, rights, retired, stamp)
				VALUES ($1,$2,$3,$4,$5,$6,$7,$8,0,0)
				ON CONFLICT (key) DO UPDATE SET name=$2, city=$3, zone=$4, language=$5, url=$6, link=$7, rights=$8, retired=0`,
				p.Key, p.Name, p.City, p.Zone, p.Language, p.URL, string(p.Link), string(p.Rights)); err != nil {
				return err
			}
		}
		now := s.now()
		for _, r := range c.Sources {
			if _, err := t.ExecContext(ctx, `INSERT INTO sources (key, paper, name, platform, url, retired, seen, state, problem, since, checked, tried, edition, failures)
				VALUES ($1,$2,$3,$4,$5,0,0,'waiting','',$6,0,0,'',0)
				ON CONFLICT (key) DO UPDATE SET paper=$2, name=$3, platform=$4, retired=0,
					-- a source that moved is another publisher: its first look is a first look again
					seen = CASE WHEN sources.paper = $2 THEN sources.seen ELSE 0 END, url=$5`,
				r.Key, r.Paper, r.Name, r.Platform, r.URL, seconds(now)); err != nil {
				return err
			}
			if _, err := t.ExecContext(ctx, `INSERT INTO schedule (source, span, step, due, done) VALUES ($1,$2,$3,$4,0)
				ON CONFLICT (source) DO UPDATE SET span=$2, step=$3`,
				r.Key, r.Span, r.Step.Milliseconds(), now.UnixMilli()); err != nil {
				return err
			}
		}
		if _, err := t.ExecContext(ctx, `DELETE FROM schedule WHERE source IN (SELECT key FROM sources WHERE retired = 1)`); err != nil {
			return err
		}
		// Nobody waits for what is no source any more.
		if _, err := t.ExecContext(ctx, `UPDATE incidents SET ended = $1 WHERE ended = 0 AND source IN (SELECT key FROM sources WHERE retired = 1)`, seconds(now)); err != nil {
			return err
		}
		for _, x := range c.Sections {
			was, ok := shows["section/"+x.Slug]
			if ok && c.Beside {
				continue
			}
			renamed = renamed || ok && was != x.Name
			if _, err := t.ExecContext(ctx, `INSERT INTO sections (slug, name, auto) VALUES ($1,$2,0)
				ON CONFLICT (slug) DO UPDATE SET name=$2, auto=0`, x.Slug, x.Name); err != nil {
				return err
			}
		}
		if renamed || c.Presentation != "" && shown != c.Presentation {
			seq, err := change(ctx, t)
			if err != nil {
				return err
			}
			if _, err := t.ExecContext(ctx, `UPDATE clock SET doc = CASE WHEN $1 = '' THEN doc ELSE $1 END WHERE name = 'change'`, c.Presentation); err != nil {
				return err
			}
			at, err := risen(ctx, t, seconds(now))
			if err != nil {
				return err
			}
			if _, err := t.ExecContext(ctx, `UPDATE scopes SET seq = $1, at = $2`, seq, at); err != nil {
				return err
			}
		}
		return nil
	})
}

func shownOf(p paper.Paper) string {
	return p.Name + "|" + p.City + "|" + p.Zone + "|" + p.Language + "|" + string(p.Link) + "|" + string(p.Rights)
}

// shownNow gives, by part, what documents show of papers and sections.
func shownNow(ctx context.Context, t *sql.Tx) (map[string]string, error) {
	shows := map[string]string{}
	err := each(ctx, t, func(r *sql.Rows) error {
		var p paper.Paper
		if err := r.Scan(&p.Key, &p.Name, &p.City, &p.Zone, &p.Language, &p.Link, &p.Rights); err != nil {
			return err
		}
		shows["paper/"+p.Key] = shownOf(p)
		return nil
	}, `SELECT key, name, city, zone, language, link, rights FROM papers`)
	if err != nil {
		return nil, err
	}
	return shows, each(ctx, t, func(r *sql.Rows) error {
		var slug, name string
		if err := r.Scan(&slug, &name); err != nil {
			return err
		}
		shows["section/"+slug] = name
		return nil
	}, `SELECT slug, name FROM sections`)
}

// State is what a poll needs to know of its source; days not after since are
// too old to be looked at again.
func (s *Store) State(ctx context.Context, source string, since paper.Day) (SourceState, error) {
	var st SourceState
	var seen, checked int64
	var pkey string
	err := s.r.QueryRowContext(ctx, `SELECT paper, seen, edition, failures, checked FROM sources WHERE key = $1`, source).
		Scan(&pkey, &seen, &st.Edition, &st.Failures, &checked)
	if errors.Is(err, sql.ErrNoRows) {
		return st, fmt.Errorf("source %s: %w", source, paper.ErrNotFound)
	} else if err != nil {
		return st, fmt.Errorf("source %s: %w", source, err)
	}
	st.Seen = seen != 0
	st.Checked = instant(checked)
	st.Listed = map[paper.Day]time.Time{}
	err = each(ctx, s.r, func(r *sql.Rows) error {
		var d paper.Day
		var state string
		var at int64
		if err := r.Scan(&d, &state, &at); err != nil {
			return err
		}
		if state == string(paper.EditionPartial) {
			st.Again = append(st.Again, d)
		}
		st.Listed[d] = time.UnixMilli(at)
		return nil
	}, `SELECT e.day, e.state, f.listing FROM editions e
		JOIN (SELECT day, MAX(listing) AS listing FROM refs WHERE source = $3 AND day > $2 GROUP BY day) f ON f.day = e.day
		WHERE e.paper = $1 AND e.day > $2 AND e.archive = 0 ORDER BY e.day`, pkey, string(since), source)
	if err != nil {
		return st, fmt.Errorf("source %s: %w", source, err)
	}
	return st, nil
}

// Seen notes that the first look at a source has been completed, and the newest
// edition it has.
func (s *Store) Seen(ctx context.Context, source string, edition paper.Day) error {
	return s.tx(ctx, "source "+source, func(t *sql.Tx) error {
		_, err := t.ExecContext(ctx, `UPDATE sources SET seen = 1, edition = CASE WHEN edition < $2 THEN $2 ELSE edition END WHERE key = $1`, source, string(edition))
		return err
	})
}

// List writes down what the publisher lists now and tells which of it is to be
// read: what was never read, failed before, or shows a changed mark, and what
// was last read longer ago than Recheck.
//
// What failed before comes last and rests for longer after each try, so that a few
// bad articles never keep the rest from being read: resting is how many wait.
func (s *Store) List(ctx context.Context, l Listing) (todo []Todo, resting int, err error) {
	now := s.now()
	var again []Todo
	err = s.tx(ctx, fmt.Sprintf("list %s %s", l.Source, l.Day), func(t *sql.Tx) error {
		if err := lockPaper(ctx, t, l.Paper); err != nil {
			return err
		}
		history, archive := l.History || l.Archive, l.Archive
		if l.Day != "" {
			var h, arch int64
			// An edition keeps the nature it had at first sight: news stays news.
			if err := t.QueryRowContext(ctx, `INSERT INTO editions (paper, day, url, build, state, history, problem, listed, read, failed, seen, complete, archive)
				VALUES ($1,$2,$3,$4,'partial',$5,$6,0,0,0,$7,0,$8)
				ON CONFLICT (paper, day) DO UPDATE SET build=$4, problem=$6, url = CASE WHEN $3 = '' THEN editions.url ELSE $3 END
				RETURNING history, archive`,
				l.Paper, string(l.Day), l.URL, l.Build, flag(history), l.Problem, seconds(now), flag(archive)).Scan(&h, &arch); err != nil {
				return err
			}
			// What backfill finds missing in an edition of old is archive all the same.
			history, archive = h != 0 || archive, arch != 0 || archive
			for i, p := range l.Pages {
				if _, err := t.ExecContext(ctx, `INSERT INTO edition_pages (paper, day, number, place, name, url, picture, pdf, areas, listed, read, failed)
					VALUES ($1,$2,$3,$4,$5,$6,$7,$8,'[]',0,0,0)
					ON CONFLICT (paper, day, number) DO UPDATE SET place=$4, name=$5, url=$6,
						mirror = CASE WHEN $7 = '' OR $7 = edition_pages.picture THEN edition_pages.mirror ELSE '' END,
						picture = CASE WHEN $7 = '' THEN edition_pages.picture ELSE $7 END,
						pdf = CASE WHEN $8 = '' THEN edition_pages.pdf ELSE $8 END`,
					l.Paper, string(l.Day), p.Number, i, p.Name, p.URL, p.Picture, p.PDF); err != nil {
					return err
				}
			}
		}
		type known struct {
			state, mark, url     string
			history, archive     bool
			checked, gone, tries int64
		}
		have := map[string]known{}
		if err := each(ctx, t, func(r *sql.Rows) error {
			var origin string
			var k known
			var h, arch int64
			if err := r.Scan(&origin, &k.state, &k.mark, &k.url, &h, &arch, &k.checked, &k.gone, &k.tries); err != nil {
				return err
			}
			k.history, k.archive = h != 0, arch != 0
			have[origin] = k
			return nil
		}, `SELECT origin, state, mark, url, history, archive, checked, gone, tries FROM refs WHERE source = $1 AND day = $2`, l.Source, string(l.Day)); err != nil {
			return err
		}
		for i, r := range l.Refs {
			r.Origin, r.URL, r.Mark = short(r.Origin, maxOrigin), clean(r.URL), short(r.Mark, maxKey)
			k, ok := have[r.Origin]
			if !ok || archive && k.state != "read" {
				k.history, k.archive = history, archive
			}
			if _, err := t.ExecContext(ctx, `INSERT INTO refs (source, day, origin, paper, url, page, place, mark, listed, state, listing, history, article, tries, problem, checked, gone, gone_at, archive)
				VALUES ($1,$2,$3,$4,$5,$6,$7,'',$10,'listed',$8,$9,'',0,'',0,0,0,$11)
				ON CONFLICT (source, day, origin) DO UPDATE SET url=$5, page=$6, place=$7, listing=$8, history=$9, listed=$10, archive=$11`,
				l.Source, string(l.Day), r.Origin, l.Paper, r.URL, clean(r.Page), r.Ordinal, now.UnixMilli(), flag(k.history), r.Mark, flag(k.archive)); err != nil {
				return err
			}
			read := ok && k.state == "read"
			t := Todo{Index: i, History: k.history, Archive: k.archive, Known: read && k.url == r.URL && k.gone == 0}
			switch {
			case ok && k.state == "failed" && !l.Archive && now.UnixMilli()-k.checked < retryAfter(k.tries).Milliseconds():
				resting++
			case ok && k.state == "failed":
				again = append(again, t)
			case !read, k.mark != r.Mark, k.url != r.URL, k.gone > 0,
				l.Recheck > 0 && now.UnixMilli()-k.checked >= l.Recheck.Milliseconds():
				todo = append(todo, t)
			}
		}
		return nil
	})
	return append(todo, again...), resting, err
}

// Unchanged notes that a listed article was looked at again and is as it was.
func (s *Store) Unchanged(ctx context.Context, source string, day paper.Day, origin, mark string) error {
	return s.tx(ctx, "ref "+origin, func(t *sql.Tx) error {
		_, err := t.ExecContext(ctx, `UPDATE refs SET state='read', mark=$4, problem='', checked=$5 WHERE source=$1 AND day=$2 AND origin=$3`,
			source, string(day), short(origin, maxOrigin), short(mark, maxKey), s.now().UnixMilli())
		return err
	})
}

// Failed notes that a listed article could not be read. One that was read
// before keeps its state: what we have stands.
func (s *Store) Failed(ctx context.Context, source string, day paper.Day, origin, problem string) error {
	return s.tx(ctx, "ref "+origin, func(t *sql.Tx) error {
		_, err := t.ExecContext(ctx, `UPDATE refs SET state = CASE WHEN state='read' THEN 'read' ELSE 'failed' END, tries=tries+1, problem=$4,
				checked = CASE WHEN state='read' THEN checked ELSE $5 END WHERE source=$1 AND day=$2 AND origin=$3`,
			source, string(day), short(origin, maxOrigin), clean(problem), s.now().UnixMilli())
		return err
	})
}

// Ingest takes in one article that was read. It decides which article it is
// (promise 1) and whether it changed (promise 3). What it took in is not
// released before Settle.
func (s *Store) Ingest(ctx context.Context, in Incoming) (Outcome, error) {
	var out Outcome
	in.Origin, in.Mark, in.Article.URL = short(in.Origin, maxOrigin), short(in.Mark, maxKey), clean(in.Article.URL)
	a := in.Article
	err := s.tx(ctx, fmt.Sprintf("ingest %s %s %s", a.Paper, a.Day, in.Origin), func(t *sql.Tx) error {
		if err := lockPaper(ctx, t, a.Paper); err != nil {
			return err
		}
		id, err := s.identify(ctx, t, in)
		if err != nil {
			return err
		}
		now := s.now()
		fresh := id == ""
		if fresh {
			if id, err = s.newID(ctx, t, in); err != nil {
				return err
			}
		}
		a.ID = id
		out.ID = id
		keys := aliasKeys(in)
		for i, key := range keys {
			// The origin's alias moves to the article that the origin now means; a
			// URL or guid stays with the article that had it first.
			q := `INSERT INTO aliases (paper, key, article) VALUES ($1,$2,$3) ON CONFLICT (paper, key) DO NOTHING`
			if i == 0 {
				q = `INSERT INTO aliases (paper, key, article) VALUES ($1,$2,$3) ON CONFLICT (paper, key) DO UPDATE SET article=$3`
			}
			if _, err := t.ExecContext(ctx, q, a.Paper, key, id); err != nil {
				return err
			}
		}
		if _, err := t.ExecContext(ctx, `UPDATE refs SET state='read', article=$4, mark=$5, problem='', checked=$6, gone=0, gone_at=0 WHERE source=$1 AND day=$2 AND origin=$3`,
			a.Source, string(in.RefDay), in.Origin, id, in.Mark, now.UnixMilli()); err != nil {
			return err
		}
		if fresh {
			out.Result = New
			state := "ingested"
			if a.Pseudo != "" {
				state = "withheld"
			}
			if _, err := t.ExecContext(ctx, `INSERT INTO articles (id, paper, day, source, page, ordinal, state, version, published, updated, notice, release_at, history, archive, hash, fingerprint, pending, reason, draft, doc)
				VALUES ($1,$2,$3,$4,$5,$6,$7,0,0,0,0,$8,$9,$10,$11,$12,'','','',$13)`,
				id, a.Paper, string(a.Day), a.Source, a.Page.Number, a.Ordinal, state, never, flag(in.History || in.Archive), flag(in.Archive), in.Hash, in.Fingerprint, encode(a)); err != nil {
				return err
			}
			_, err := t.ExecContext(ctx, `INSERT INTO evidence (article, doc, draft) VALUES ($1,$2,'')`, id, encode(in.Filing))
			return err
		}
		hand, err := byHand(ctx, t, id)
		if err != nil {
			return err
		}
		in.Filing = hand.Apply(in.Filing)
		var state, hash, pending, reason string
		if err := t.QueryRowContext(ctx, `SELECT state, hash, pending, reason FROM articles WHERE id = $1`, id).Scan(&state, &hash, &pending, &reason); err != nil {
			return err
		}
		if reason == byPublisher && (state == "withdrawn" || pending == "withdraw") {
			// It was only a hiccup: the publisher has it again.
			out.Result = Changed
			draft, filing := encode(a), encode(in.Filing)
			switch {
			case state == "withdrawn":
				pending = "restore"
			case hash == in.Hash:
				pending, draft, filing = "", "", ""
			default:
				pending = "correct"
			}
			if _, err := t.ExecContext(ctx, `UPDATE articles SET pending=$2, reason='', release_at=$3, hash=$4, fingerprint=$5, draft=$6 WHERE id=$1`,
				id, pending, never, in.Hash, in.Fingerprint, draft); err != nil {
				return err
			}
			_, err := t.ExecContext(ctx, `UPDATE evidence SET draft=$2 WHERE article=$1`, id, filing)
			return err
		}
		// Lost before it was out, it comes out like a new one.
		again := reason == byPublisher && state == "withheld"
		if hash == in.Hash && !again {
			out.Result = Same
			return nil
		}
		if then, _, ok := strings.Cut(hash, ":"); ok && state != "ingested" && state != "withheld" {
			if now, _, _ := strings.Cut(in.Hash, ":"); now != then {
				// We read otherwise since an upgrade; nobody corrected anything.
				out.Result = Same
				_, err := t.ExecContext(ctx, `UPDATE articles SET hash=$2, fingerprint=$3 WHERE id=$1`, id, in.Hash, in.Fingerprint)
				return err
			}
		}
		out.Result = Changed
		if state == "ingested" || state == "withheld" { // nobody has seen it: just replace it
			switch {
			case reason != "" && !again: // the editor's hand holds it
			case a.Pseudo != "":
				state = "withheld"
			default:
				state = "ingested"
			}
			if again {
				if _, err := t.ExecContext(ctx, `UPDATE articles SET reason='', release_at=$2 WHERE id=$1`, id, never); err != nil {
					return err
				}
			}
			if _, err := t.ExecContext(ctx, `UPDATE articles SET state=$2, page=$3, ordinal=$4, hash=$5, fingerprint=$6, doc=$7, day=$8 WHERE id=$1`,
				id, state, a.Page.Number, a.Ordinal, in.Hash, in.Fingerprint, encode(a), string(a.Day)); err != nil {
				return err
			}
			_, err := t.ExecContext(ctx, `UPDATE evidence SET doc=$2 WHERE article=$1`, id, encode(in.Filing))
			return err
		}
		if state == "withdrawn" {
			// A withdrawn article stays withdrawn until somebody restores it; the
			// newer content waits there.
			if _, err := t.ExecContext(ctx, `UPDATE articles SET hash=$2, fingerprint=$3, draft=$4 WHERE id=$1`, id, in.Hash, in.Fingerprint, encode(a)); err != nil {
				return err
			}
			_, err := t.ExecContext(ctx, `UPDATE evidence SET draft=$2 WHERE article=$1`, id, encode(in.Filing))
			return err
		}
		var out string
		if err := t.QueryRowContext(ctx, `SELECT hash FROM versions WHERE article = $1 ORDER BY version DESC LIMIT 1`, id).Scan(&out); err != nil {
			return err
		}
		if out == in.Hash && pending == "correct" {
			// Corrected and corrected back before anybody saw it.
			if _, err := t.ExecContext(ctx, `UPDATE articles SET hash=$2, fingerprint=$3, draft='', pending='' WHERE id=$1`, id, in.Hash, in.Fingerprint); err != nil {
				return err
			}
			_, err := t.ExecContext(ctx, `UPDATE evidence SET draft='' WHERE article=$1`, id)
			return err
		}
		// What waits already keeps its time: an item that changes at every look
		// would wait for ever.
		q := `UPDATE articles SET hash=$2, fingerprint=$3, draft=$4 WHERE id=$1`
		args := []any{id, in.Hash, in.Fingerprint, encode(a)}
		if pending == "" {
			q = `UPDATE articles SET hash=$2, fingerprint=$3, draft=$4, pending='correct', release_at=$5 WHERE id=$1`
			args = append(args, never)
		}
		if _, err := t.ExecContext(ctx, q, args...); err != nil {
			return err
		}
		_, err = t.ExecContext(ctx, `UPDATE evidence SET draft=$2 WHERE article=$1`, id, encode(in.Filing))
		return err
	})
	return out, err
}

func aliasKeys(in Incoming) []string {
	keys := []string{"o:" + in.Article.Source + ":" + string(in.RefDay) + ":" + in.Origin}
	if in.Article.URL != "" {
		keys = append(keys, short("u:"+in.Article.URL, maxKey))
	}
	for _, k := range in.Also {
		if k != "" {
			keys = append(keys, short("u:"+k, maxKey))
		}
	}
	return keys
}

// identify finds the article that an incoming one is, or "" for a new one.
func (s *Store) identify(ctx context.Context, t *sql.Tx, in Incoming) (string, error) {
	load := func(id string) (paper.Article, string, error) {
		var a paper.Article
		var doc, draft, fp string
		if err := t.QueryRowContext(ctx, `SELECT doc, draft, fingerprint FROM articles WHERE id = $1`, id).Scan(&doc, &draft, &fp); err != nil {
			return a, "", err
		}
		if draft != "" {
			doc = draft
		}
		return a, fp, json.Unmarshal([]byte(doc), &a)
	}
	for i, key := range aliasKeys(in) {
		var id string
		err := t.QueryRowContext(ctx, `SELECT article FROM aliases WHERE paper = $1 AND key = $2`, in.Article.Paper, key).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		} else if err != nil {
			return "", err
		}
		known, _, err := load(id)
		if err != nil {
			return "", err
		}
		alike := in.Similar == nil || in.Similar(known, in.Article)
		switch {
		case i == 0 && (alike || !in.Positional && known.URL == in.Article.URL):
			// The same origin is the same article, unless it only tells a place in
			// the edition, or stands at another URL since a redesign, and both
			// headline and body are others.
			return id, nil
		case i == 0:
			continue
		case alike && (known.Day == in.Article.Day || in.RefDay == "" && near(known.Day, in.Article.Day)):
			// A URL alone proves little (some feeds give every item the home page),
			// so the content must agree, and nothing listed beside this one may be it.
			beside, err := s.listedBeside(ctx, t, id, in)
			if err != nil || !beside {
				return id, err
			}
		}
	}
	if in.Fingerprint == "" {
		return "", nil
	}
	// A redesign changed ids and URLs at once. An article that the publisher
	// still lists beside this one is another article with the same words.
	var same []string
	if err := each(ctx, t, func(r *sql.Rows) error {
		var id string
		if err := r.Scan(&id); err != nil {
			return err
		}
		same = append(same, id)
		return nil
	}, `SELECT id FROM articles WHERE paper = $1 AND day = $2 AND fingerprint = $3 ORDER BY id`,
		in.Article.Paper, string(in.Article.Day), in.Fingerprint); err != nil {
		return "", err
	}
	for _, id := range same {
		beside, err := s.listedBeside(ctx, t, id, in)
		if err != nil || !beside {
			return id, err
		}
	}
	return "", nil
}

// listedBeside reports whether an article stands in the same listing as an
// incoming one under another origin. A reference whose listing shows that it
// changed, and that was not read since, proves nothing: a place in the edition may
// hold another article by now.
func (s *Store) listedBeside(ctx context.Context, t *sql.Tx, id string, in Incoming) (bool, error) {
	var n int
	err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM refs f JOIN refs mine ON mine.source = f.source AND mine.day = f.day AND mine.listing = f.listing
		WHERE f.article = $1 AND f.listed = f.mark AND mine.source = $2 AND mine.day = $3 AND mine.origin = $4 AND f.origin <> $4`,
		id, in.Article.Source, string(in.RefDay), in.Origin).Scan(&n)
	return n > 0, err
}

// near reports whether two days are at most three days apart, or one is unknown.
func near(a, b paper.Day) bool {
	return a == "" || b == "" || a <= b.Add(3) && b <= a.Add(3)
}

// Bounds of what stands in an index: PostgreSQL takes 2,704 bytes at most.
const (
	maxOrigin = 200
	maxKey    = 1000
)

// clean keeps text to what both databases take: UTF-8 without NUL.
func clean(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// short is clean text of at most limit bytes: what is longer ends in its digest.
func short(s string, limit int) string {
	s = clean(s)
	if len(s) <= limit {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	digest := hex.EncodeToString(sum[:])
	return strings.ToValidUTF8(s[:limit-len(digest)], "") + digest
}

// retryAfter is how long an article that could not be read rests after n tries.
func retryAfter(n int64) time.Duration {
	return min(2*time.Minute<<min(max(n-1, 0), 8), 6*time.Hour)
}

// newID makes an id that is free: {paper}-{yyyymmdd}-{origin}, and -2, -3 … for
// another article at a position that had one.
func (s *Store) newID(ctx context.Context, t *sql.Tx, in Incoming) (string, error) {
	base := BaseID(in.Article.Paper, in.Article.Source, in.RefDay, in.Origin)
	for n := 1; ; n++ {
		id := base
		if n > 1 {
			id += "-" + strconv.Itoa(n)
		}
		var one int
		err := t.QueryRowContext(ctx, `SELECT 1 FROM articles WHERE id = $1`, id).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return id, nil
		} else if err != nil {
			return "", err
		}
	}
}

// Overdue lets out what was read and never settled, because no look got through
// its edition since before an instant: hold gives the hold of each source.
func (s *Store) Overdue(ctx context.Context, before time.Time, hold func(source string) time.Duration) (int, error) {
	list := map[string]bool{}
	if err := each(ctx, s.r, func(r *sql.Rows) error {
		var source string
		if err := r.Scan(&source); err != nil {
			return err
		}
		list[source] = true
		return nil
	}, `SELECT DISTINCT a.source FROM articles a WHERE (a.state = 'ingested' OR a.pending <> '') AND a.release_at = $1
		AND EXISTS (SELECT 1 FROM refs f WHERE f.article = a.id AND f.checked < $2)`, never, before.UnixMilli()); err != nil {
		return 0, fmt.Errorf("overdue articles: %w", err)
	}
	total := 0
	for _, source := range sorted(list) {
		err := s.tx(ctx, "overdue articles of "+source, func(t *sql.Tx) error {
			if _, err := t.ExecContext(ctx, `UPDATE papers SET stamp = stamp WHERE key = (SELECT paper FROM sources WHERE key = $1)`, source); err != nil {
				return err
			}
			res, err := t.ExecContext(ctx, `UPDATE articles SET release_at = $1 WHERE (state = 'ingested' OR pending <> '') AND release_at = $2 AND source = $3
				AND EXISTS (SELECT 1 FROM refs f WHERE f.article = articles.id AND f.checked < $4)`,
				s.now().Add(hold(source)).UnixMilli(), never, source, before.UnixMilli())
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			total += int(n)
			return err
		})
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// Settle ends a look at an edition (or, with an empty day, at a feed): counts its
// completeness, resolves the areas of its pages, and lets what it took in be
// released after the hold.
func (s *Store) Settle(ctx context.Context, source, pkey string, day paper.Day, pages []paper.EditionPage, hold time.Duration) error {
	now := s.now()
	return s.tx(ctx, fmt.Sprintf("settle %s %s", source, day), func(t *sql.Tx) error {
		if err := lockPaper(ctx, t, pkey); err != nil {
			return err
		}
		if _, err := t.ExecContext(ctx, `UPDATE articles SET release_at = $1 WHERE release_at = $2 AND (state = 'ingested' OR pending <> '')
			AND id IN (SELECT article FROM refs WHERE source = $3 AND day = $4)`,
			now.Add(hold).UnixMilli(), never, source, string(day)); err != nil {
			return err
		}
		if day == "" {
			return nil
		}
		per := map[string]*tally{}
		var all tally
		// Completeness counts what the newest listing of each source has.
		if err := each(ctx, t, func(r *sql.Rows) error {
			var page, state string
			var n, dead int
			if err := r.Scan(&page, &state, &n, &dead); err != nil {
				return err
			}
			c := per[page]
			if c == nil {
				c = &tally{}
				per[page] = c
			}
			for _, c := range []*tally{c, &all} {
				c.listed += n
				c.dead += dead
				switch state {
				case "read":
					c.read += n
				case "failed":
					c.failed += n
				}
			}
			return nil
		}, `SELECT f.page, f.state, COUNT(*), SUM(`+isDead+`)`+newestListing+` GROUP BY f.page, f.state`, pkey, string(day)); err != nil {
			return err
		}
		for _, p := range pages {
			areas := p.Areas
			if len(areas) > 0 {
				areas = slices.Clone(areas)
				for i := range areas { // Article holds the origin key until here
					err := t.QueryRowContext(ctx, `SELECT article FROM refs WHERE source=$1 AND day=$2 AND origin=$3`, source, string(day), short(areas[i].Article, maxOrigin)).Scan(&areas[i].Article)
					if err != nil && !errors.Is(err, sql.ErrNoRows) {
						return err
					} else if err != nil {
						areas[i].Article = ""
					}
				}
				areas = slices.DeleteFunc(areas, func(a paper.Area) bool { return a.Article == "" })
			}
			if len(areas) == 0 {
				continue
			}
			if _, err := t.ExecContext(ctx, `UPDATE edition_pages SET areas=$4 WHERE paper=$1 AND day=$2 AND number=$3`, pkey, string(day), p.Number, encode(areas)); err != nil {
				return err
			}
		}
		for page, c := range per {
			if _, err := t.ExecContext(ctx, `UPDATE edition_pages SET listed=$4, read=$5, failed=$6 WHERE paper=$1 AND day=$2 AND number=$3`,
				pkey, string(day), page, c.listed, c.read, c.failed); err != nil {
				return err
			}
		}
		var state string
		var problem string
		if err := t.QueryRowContext(ctx, `SELECT state, problem FROM editions WHERE paper=$1 AND day=$2`, pkey, string(day)).Scan(&state, &problem); err != nil {
			return err
		}
		whole := all.listed > 0 && all.read == all.listed && problem == ""
		switch {
		case !whole:
			state = string(paper.EditionPartial)
		case state == string(paper.EditionPartial):
			state = string(paper.EditionComplete)
			var changed int
			if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM articles WHERE paper=$1 AND day=$2 AND version > 1`, pkey, string(day)).Scan(&changed); err != nil {
				return err
			}
			if changed > 0 {
				state = string(paper.EditionCorrected) // it was, before a page failed
			}
		}
		if _, err := t.ExecContext(ctx, `UPDATE editions SET listed=$3, read=$4, failed=$5, state=$6,
			complete = CASE WHEN complete = 0 AND $7 = 1 THEN $8 ELSE complete END WHERE paper=$1 AND day=$2`,
			pkey, string(day), all.listed, all.read, all.failed, state, flag(all.whole() && problem == ""), seconds(now)); err != nil {
			return err
		}
		return compared(ctx, t, pkey, day, now)
	})
}

// lockPaper locks a paper's row: what takes an article in, lets one out or
// withdraws one goes one after the other. Release locks the clock before it.
func lockPaper(ctx context.Context, t *sql.Tx, key string) error {
	_, err := t.ExecContext(ctx, `UPDATE papers SET stamp = stamp WHERE key = $1`, key)
	return err
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// idPart keeps an origin id to characters that are safe in a URL path and in a
// file name: letters, digits, dot, hyphen, underscore.
func idPart(origin string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '.', r == '-', r == '_':
			return r
		}
		return '_'
	}, origin)
}

// Stored gives the content kept of a listed article, the newest, pending included.
// ok is false where it was never read.
func (s *Store) Stored(ctx context.Context, source string, day paper.Day, origin string) (a paper.Article, ok bool, err error) {
	var doc, draft string
	err = s.r.QueryRowContext(ctx, `SELECT a.doc, a.draft FROM refs f JOIN articles a ON a.id = f.article WHERE f.source=$1 AND f.day=$2 AND f.origin=$3`,
		source, string(day), short(origin, maxOrigin)).Scan(&doc, &draft)
	if errors.Is(err, sql.ErrNoRows) {
		return a, false, nil
	}
	if draft != "" {
		doc = draft
	}
	if err == nil {
		err = json.Unmarshal([]byte(doc), &a)
	}
	if err != nil {
		return a, false, fmt.Errorf("ref %s %s %s: %w", source, day, origin, err)
	}
	return a, true, nil
}
