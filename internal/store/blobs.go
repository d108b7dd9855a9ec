package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"paperwire/internal/paper"
)

const (
	defaultQuota = 2 << 30        // bytes
	youngFor     = 7              // days for which an article's pictures stay while there is any room
	usedEvery    = 12 * time.Hour // how exactly it is known when a picture was last asked for
	piece        = 256 << 10      // bytes of a picture in one row
	orphanAfter  = time.Hour      // a file that no row knows by then was left by a process that died
	maxURL       = 2000           // bytes of a picture's address; an index of PostgreSQL takes 2,700
	pictureTries = 3              // how often a picture is asked for in vain
	maxShowing   = 200            // articles asked whether they show a picture
	temporary    = "tmp-"         // what unfinished files are called
	roomAbove    = 1.25           // of the quota: beyond it young pictures go too
	notedWithin  = 100 * time.Millisecond
)

// shelf keeps bytes under names. note runs in the transaction that writes down
// what became of them, so that a row never names bytes that are not there.
type shelf interface {
	// put keeps bytes, then notes it.
	put(ctx context.Context, name string, data []byte, note func(*sql.Tx) error) error
	// open gives them; fs.ErrNotExist where they are not.
	open(ctx context.Context, name string, length int64) (io.ReadSeekCloser, error)
	// remove lets go of the bytes of the names that note returns.
	remove(ctx context.Context, note func(*sql.Tx) ([]string, error)) error
	// sweep clears away what died processes left.
	sweep(ctx context.Context) error
}

// KeepPicture keeps a picture fetched for a URL, by the hash of its bytes, and
// remembers it for that URL. day is that of the article that shows it; p tells
// type, size and source.
func (s *Store) KeepPicture(ctx context.Context, url string, day paper.Day, p paper.Picture, data []byte) (paper.Picture, error) {
	sum := sha256.Sum256(data)
	hash := hex.EncodeToString(sum[:])
	ext := extension(p.Type)
	if ext == "" || len(url) > maxURL {
		return p, fmt.Errorf("keep picture %.200s: no picture of ours", url)
	}
	p.Name, p.Length = hash+"."+ext, int64(len(data))
	if len(p.Source) > maxURL {
		p.Source = url
	}
	err := s.shelf.put(ctx, p.Name, data, func(t *sql.Tx) error {
		if err := s.shelve(ctx, t, hash, day, &p); err != nil {
			return err
		}
		_, err := t.ExecContext(ctx, `INSERT INTO picture_urls (url, name, tries) VALUES ($1,$2,0) ON CONFLICT (url) DO UPDATE SET name=$2, tries=0`, url, p.Name)
		return err
	})
	if err != nil {
		return p, fmt.Errorf("keep picture %s: %w", p.Name, err)
	}
	return p, s.evict(ctx)
}

// KeepVariant keeps a resized picture under the name it has there. It is the
// first to go when room is needed.
func (s *Store) KeepVariant(ctx context.Context, p paper.Picture, data []byte) error {
	hash, _, ok := strings.Cut(p.Name, "-")
	if !ok || extension(p.Type) == "" {
		return fmt.Errorf("keep picture %s: the name of a resized one is {hash}-{width}.{ext}", p.Name)
	}
	p.Length, p.Source = int64(len(data)), ""
	err := s.shelf.put(ctx, p.Name, data, func(t *sql.Tx) error { return s.shelve(ctx, t, hash, "", &p) })
	if err != nil {
		return fmt.Errorf("keep picture %s: %w", p.Name, err)
	}
	return s.evict(ctx)
}

// shelve writes a picture's row. The same bytes keep the first source they came from.
func (s *Store) shelve(ctx context.Context, t *sql.Tx, hash string, day paper.Day, p *paper.Picture) error {
	return t.QueryRowContext(ctx, `INSERT INTO pictures (name, hash, type, width, height, length, source, used, day, kept)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,1)
		ON CONFLICT (name) DO UPDATE SET type=$3, width=$4, height=$5, length=$6, used=$8, kept=1,
			day = CASE WHEN pictures.day < $9 THEN $9 ELSE pictures.day END RETURNING source`,
		p.Name, hash, p.Type, p.Width, p.Height, p.Length, p.Source, s.now().Unix(), string(day)).Scan(&p.Source)
}

// Kept tells what is known of a picture's address: our copy, whose bytes are
// there, or how often it was tried in vain.
func (s *Store) Kept(ctx context.Context, url string) (p *paper.Picture, tries int, err error) {
	var q paper.Picture
	var kept int64
	err = s.r.QueryRowContext(ctx, `SELECT u.tries, COALESCE(p.name,''), COALESCE(p.type,''), COALESCE(p.width,0), COALESCE(p.height,0), COALESCE(p.length,0), COALESCE(p.source,''), COALESCE(p.kept,0)
		FROM picture_urls u LEFT JOIN pictures p ON p.name = u.name WHERE u.url = $1`, url).
		Scan(&tries, &q.Name, &q.Type, &q.Width, &q.Height, &q.Length, &q.Source, &kept)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, 0, nil
	case err != nil:
		return nil, 0, fmt.Errorf("picture of %.200s: %w", url, err)
	case kept == 0:
		return nil, tries, nil
	}
	return &q, tries, nil
}

// PictureFailed notes that a picture could not be had; final says that trying
// again is of no use.
func (s *Store) PictureFailed(ctx context.Context, url string, final bool) error {
	if len(url) > maxURL {
		return nil
	}
	tries := int64(1)
	if final {
		tries = pictureTries
	}
	return s.tx(ctx, "picture failed", func(t *sql.Tx) error {
		_, err := t.ExecContext(ctx, `INSERT INTO picture_urls (url, name, tries) VALUES ($1,'',$2)
			ON CONFLICT (url) DO UPDATE SET tries = picture_urls.tries + $2`, url, tries)
		return err
	})
}

// Unmirrored gives the articles of one edition (or of a feed, for the empty day)
// that are about to be released and show pictures without a copy, in print order.
func (s *Store) Unmirrored(ctx context.Context, source string, day paper.Day) ([]paper.Article, error) {
	list, err := s.contents(ctx, `release_at = $1 AND (state = 'ingested' OR pending IN ('correct','restore'))
		AND id IN (SELECT article FROM refs WHERE source = $2 AND day = $3) ORDER BY ordinal, id`, never, source, string(day))
	if err != nil {
		return nil, fmt.Errorf("pictures of %s %s: %w", source, day, err)
	}
	return slices.DeleteFunc(list, func(a paper.Article) bool {
		return !slices.ContainsFunc(a.Images, func(i paper.Image) bool { return i.Mirror == nil })
	}), nil
}

// Mirrored writes down, by URL, which copies an article is going to show. One
// that is settled or released by now stays as it is: what is out never changes
// without a version.
func (s *Store) Mirrored(ctx context.Context, id string, copies map[string]*paper.Picture) error {
	return s.tx(ctx, "mirror "+id, func(t *sql.Tx) error {
		var doc, draft string
		err := t.QueryRowContext(ctx, `SELECT doc, draft FROM articles WHERE id = $1 AND release_at = $2 AND (state = 'ingested' OR pending <> '')`, id, never).Scan(&doc, &draft)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		} else if err != nil {
			return err
		}
		column, content := "doc", doc
		if draft != "" {
			column, content = "draft", draft
		}
		var a paper.Article
		if err := json.Unmarshal([]byte(content), &a); err != nil {
			return err
		}
		for n := range a.Images {
			i := &a.Images[n]
			p := copies[i.URL]
			if p == nil {
				continue
			}
			i.Mirror = p
			if _, err := t.ExecContext(ctx, `INSERT INTO picture_articles (name, article) VALUES ($1,$2) ON CONFLICT (name, article) DO NOTHING`, p.Name, id); err != nil {
				return err
			}
			if _, err := t.ExecContext(ctx, `UPDATE pictures SET day = $2 WHERE name = $1 AND day < $2`, p.Name, string(a.Day)); err != nil {
				return err
			}
		}
		_, err = t.ExecContext(ctx, `UPDATE articles SET `+column+` = $2 WHERE id = $1`, id, encode(a))
		return err
	})
}

// errEnough ends a query whose answer is known.
var errEnough = errors.New("enough")

// Picture gives a copy by its name where an article shows it to the view now:
// whether it does is for the gate. Errors: paper.ErrNotFound, paper.ErrGone where
// all that showed it has been withdrawn.
func (s *Store) Picture(ctx context.Context, v paper.View, name string) (paper.Picture, error) {
	if !storable(name) {
		return paper.Picture{}, fmt.Errorf("picture %q: %w", name, paper.ErrNotFound)
	}
	var ids []string
	err := each(ctx, s.r, func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	}, `SELECT a.id FROM picture_articles m JOIN articles a ON a.id = m.article
		WHERE m.name = $1 AND a.state IN ('released','withdrawn') ORDER BY a.state, a.id LIMIT `+strconv.Itoa(maxShowing), name)
	if err != nil {
		return paper.Picture{}, fmt.Errorf("picture %s: %w", name, err)
	}
	found := paper.ErrNotFound
	for _, id := range ids {
		item, err := s.item(ctx, v, id)
		switch {
		case errors.Is(err, paper.ErrGone):
			found = paper.ErrGone
		case errors.Is(err, paper.ErrNotFound): // since the query
		case err != nil:
			return paper.Picture{}, fmt.Errorf("picture %s: %w", name, err)
		}
		for _, i := range item.Images {
			if i.Mirror != nil && i.Mirror.Name == name {
				return *i.Mirror, nil
			}
		}
	}
	if p, err := s.pagePicture(ctx, v, name); err != nil || p != nil {
		if err != nil {
			return paper.Picture{}, fmt.Errorf("picture %s: %w", name, err)
		}
		return *p, nil
	}
	return paper.Picture{}, fmt.Errorf("picture %s: %w", name, found)
}

// pagePicture gives a copy of a page's picture that an edition shows to the view
// now: whoever may read all of the page.
func (s *Store) pagePicture(ctx context.Context, v paper.View, name string) (*paper.Picture, error) {
	var pages []string
	if err := each(ctx, s.r, func(r *sql.Rows) error {
		var page string
		err := r.Scan(&page)
		pages = append(pages, page)
		return err
	}, `SELECT article FROM picture_articles WHERE name = $1 AND article >= 'page:' AND article < 'page;' ORDER BY article LIMIT `+strconv.Itoa(maxShowing), name); err != nil {
		return nil, err
	}
	for _, page := range pages {
		at := strings.SplitN(strings.TrimPrefix(page, "page:"), "/", 3)
		if len(at) < 3 {
			continue
		}
		var doc string
		var rights paper.Rights
		err := s.r.QueryRowContext(ctx, `SELECT g.mirror, p.rights FROM edition_pages g JOIN papers p ON p.key = g.paper
			WHERE g.paper = $1 AND g.day = $2 AND g.number = $3 AND `+visible("g")+` AND `+allOut("g"), at[0], at[1], at[2]).Scan(&doc, &rights)
		if errors.Is(err, sql.ErrNoRows) || err == nil && (doc == "" || v.Rights.Narrower(rights) != paper.RightsFull) {
			continue
		} else if err != nil {
			return nil, err
		}
		var p paper.Picture
		if err := json.Unmarshal([]byte(doc), &p); err != nil {
			return nil, err
		}
		if p.Name == name {
			return &p, nil
		}
	}
	return nil, nil
}

// pageKey names a page where pictures note who shows them; no article id has a colon.
func pageKey(pkey string, day paper.Day, number string) string {
	return "page:" + pkey + "/" + string(day) + "/" + number
}

// UnmirroredPages gives the pages of an edition whose pictures have no copy.
func (s *Store) UnmirroredPages(ctx context.Context, pkey string, day paper.Day) ([]paper.EditionPage, error) {
	var list []paper.EditionPage
	err := each(ctx, s.r, func(r *sql.Rows) error {
		var p paper.EditionPage
		err := r.Scan(&p.Number, &p.URL, &p.Picture)
		list = append(list, p)
		return err
	}, `SELECT number, url, picture FROM edition_pages WHERE paper = $1 AND day = $2 AND picture <> '' AND mirror = '' ORDER BY place`, pkey, string(day))
	if err != nil {
		return nil, fmt.Errorf("page pictures of %s %s: %w", pkey, day, err)
	}
	return list, nil
}

// MirroredPage writes down our copy of a page's picture, if the page still shows it.
func (s *Store) MirroredPage(ctx context.Context, pkey string, day paper.Day, page paper.EditionPage) error {
	if page.Mirror == nil {
		return nil
	}
	return s.tx(ctx, fmt.Sprintf("mirror page %s of %s %s", page.Number, pkey, day), func(t *sql.Tx) error {
		res, err := t.ExecContext(ctx, `UPDATE edition_pages SET mirror=$4 WHERE paper=$1 AND day=$2 AND number=$3 AND picture=$5`, pkey, string(day), page.Number, encode(page.Mirror), page.Picture)
		if err != nil {
			return err
		}
		if n, _ := res.RowsAffected(); n == 0 {
			return nil
		}
		_, err = t.ExecContext(ctx, `INSERT INTO picture_articles (name, article) VALUES ($1, $2) ON CONFLICT DO NOTHING`, page.Mirror.Name, pageKey(pkey, day, page.Number))
		return err
	})
}

// Blob opens the bytes of a copy or of a resized one. It asks nobody's leave: see
// Picture. The error is paper.ErrNotFound where they never were or had to go.
func (s *Store) Blob(ctx context.Context, name string) (paper.Picture, io.ReadSeekCloser, error) {
	p := paper.Picture{Name: name}
	if !storable(name) {
		return p, nil, fmt.Errorf("blob %q: %w", name, paper.ErrNotFound)
	}
	var used, kept int64
	err := s.r.QueryRowContext(ctx, `SELECT type, width, height, length, source, used, kept FROM pictures WHERE name = $1`, name).
		Scan(&p.Type, &p.Width, &p.Height, &p.Length, &p.Source, &used, &kept)
	if errors.Is(err, sql.ErrNoRows) || err == nil && kept == 0 {
		return p, nil, fmt.Errorf("blob %s: %w", name, paper.ErrNotFound)
	} else if err != nil {
		return p, nil, fmt.Errorf("blob %s: %w", name, err)
	}
	f, err := s.shelf.open(ctx, name, p.Length)
	if errors.Is(err, fs.ErrNotExist) {
		// Somebody removed the file: so it is not kept, and may be fetched again.
		err = s.note(ctx, `UPDATE pictures SET kept = 0 WHERE name = $1`, name)
		if err == nil {
			err = paper.ErrNotFound
		}
	}
	if err != nil {
		return p, nil, fmt.Errorf("blob %s: %w", name, err)
	}
	if now := s.now().Unix(); now-used >= int64(usedEvery/time.Second) {
		// A reader does not wait long for a note that only eviction needs.
		short, cancel := context.WithTimeout(ctx, notedWithin)
		defer cancel()
		if err := s.note(short, `UPDATE pictures SET used = $2 WHERE name = $1 AND used < $2`, name, now); err != nil {
			s.log.Debug("note use of picture", "name", name, "error", err)
		}
	}
	return p, f, nil
}

func (s *Store) note(ctx context.Context, q string, args ...any) error {
	_, err := s.w.ExecContext(ctx, q, args...)
	return err
}

// evict makes room: what was asked for longest ago goes first, but the pictures
// of articles of the last seven days stay until a quarter more than the quota is
// used. Their rows stay, so that the publisher's own picture can be named instead.
func (s *Store) evict(ctx context.Context) error {
	var total int64
	if err := s.r.QueryRowContext(ctx, `SELECT CAST(COALESCE(SUM(length), 0) AS BIGINT) FROM pictures WHERE kept = 1`).Scan(&total); err != nil {
		return fmt.Errorf("make room for pictures: %w", err)
	}
	if total <= s.quota {
		return nil
	}
	young := string(paper.DayOf(s.now(), paper.Shanghai).Add(-youngFor))
	gone, freed := 0, int64(0)
	err := s.shelf.remove(ctx, func(t *sql.Tx) ([]string, error) {
		var names []string
		choose := func(cond string, least int64, args ...any) error {
			if total <= least {
				return nil
			}
			err := each(ctx, t, func(r *sql.Rows) error {
				var name string
				var length int64
				if err := r.Scan(&name, &length); err != nil {
					return err
				}
				names = append(names, name)
				total -= length
				freed += length
				if total <= least {
					return errEnough
				}
				return nil
			}, `SELECT name, length FROM pictures WHERE kept = 1 AND `+cond+` ORDER BY used, name LIMIT 500`, args...)
			if errors.Is(err, errEnough) {
				err = nil
			}
			return err
		}
		if err := choose(`(source = '' OR day < $1)`, s.quota, young); err != nil {
			return nil, err
		}
		if err := choose(`source <> '' AND day >= $1`, int64(float64(s.quota)*roomAbove), young); err != nil {
			return nil, err
		}
		for _, name := range names {
			if _, err := t.ExecContext(ctx, `UPDATE pictures SET kept = 0 WHERE name = $1`, name); err != nil {
				return nil, err
			}
			if _, err := t.ExecContext(ctx, `DELETE FROM pictures WHERE name = $1 AND source = ''`, name); err != nil {
				return nil, err
			}
		}
		gone = len(names)
		return names, nil
	})
	if err != nil {
		return fmt.Errorf("make room for pictures: %w", err)
	}
	if gone > 0 {
		s.log.Info("pictures let go", "pictures", gone, "bytes", freed, "kept", total, "quota", s.quota)
	}
	return nil
}

// extension of the kinds of picture that are kept; empty for any other.
func extension(kind string) string {
	switch kind {
	case "image/jpeg":
		return "jpg"
	case "image/png":
		return "png"
	case "image/gif":
		return "gif"
	case "image/webp":
		return "webp"
	}
	return ""
}

// files is the shelf beside an SQLite file: {dir}/ab/abcdef….jpg. A file appears
// whole, by renaming, and safe on disk before a row names it.
type files struct {
	s   *Store
	dir string
	mu  sync.Mutex // an eviction must not take the file that is being put back
}

func (f *files) path(name string) string { return filepath.Join(f.dir, name[:2], name) }

func (f *files) put(ctx context.Context, name string, data []byte, note func(*sql.Tx) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := f.path(name)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	var b [8]byte
	rand.Read(b[:])
	tmp := filepath.Join(filepath.Dir(at), temporary+hex.EncodeToString(b[:]))
	if err := writeSafe(tmp, at, data); err != nil {
		os.Remove(tmp) // gone already after a rename
		return err
	}
	return f.s.tx(ctx, "put "+name, note)
}

// writeSafe writes a file that survives a power cut, its name too.
func writeSafe(tmp, at string, data []byte) error {
	w, err := os.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	if err == nil {
		err = w.Sync()
	}
	if e := w.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(tmp, at)
	}
	if err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(at))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

func (f *files) open(_ context.Context, name string, length int64) (io.ReadSeekCloser, error) {
	r, err := os.Open(f.path(name))
	if err != nil {
		return nil, err
	}
	if info, err := r.Stat(); err != nil || info.Size() != length {
		r.Close()
		return nil, fmt.Errorf("%s: not %d bytes long: %w", name, length, fs.ErrNotExist)
	}
	return r, nil
}

func (f *files) remove(ctx context.Context, note func(*sql.Tx) ([]string, error)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var names []string
	if err := f.s.tx(ctx, "let go", func(t *sql.Tx) (err error) {
		names, err = note(t)
		return err
	}); err != nil {
		return err
	}
	for _, name := range names {
		if err := os.Remove(f.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			f.s.log.Warn("remove picture", "name", name, "error", err) // the next sweep takes it
		}
	}
	return nil
}

// sweep removes what no row names: unfinished files, and whole ones whose
// process died before it wrote the row.
func (f *files) sweep(ctx context.Context) error {
	dirs, err := os.ReadDir(f.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	for _, d := range dirs {
		if !d.IsDir() || len(d.Name()) != 2 {
			continue
		}
		known := map[string]bool{}
		if err := each(ctx, f.s.r, func(r *sql.Rows) error {
			var name string
			err := r.Scan(&name)
			known[name] = true
			return err
		}, `SELECT name FROM pictures WHERE kept = 1 AND name >= $1 AND name < $2`, d.Name(), d.Name()+"~"); err != nil {
			return err
		}
		list, err := os.ReadDir(filepath.Join(f.dir, d.Name()))
		if err != nil {
			return err
		}
		for _, e := range list {
			info, err := e.Info()
			// By the file system's clock: it made the time we compare with.
			if err != nil || known[e.Name()] || time.Since(info.ModTime()) < orphanAfter {
				continue
			}
			if err := os.Remove(filepath.Join(f.dir, d.Name(), e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// table is the shelf of processes that share a database and no disk.
type table struct{ s *Store }

func (b table) put(ctx context.Context, name string, data []byte, note func(*sql.Tx) error) error {
	return b.s.tx(ctx, "put "+name, func(t *sql.Tx) error {
		if err := note(t); err != nil { // its row lock keeps a second writer out
			return err
		}
		for n := 0; n*piece < len(data); n++ {
			part := data[n*piece : min(len(data), (n+1)*piece)]
			if _, err := t.ExecContext(ctx, `INSERT INTO blobs (name, n, data) VALUES ($1,$2,$3) ON CONFLICT (name, n) DO UPDATE SET data=$3`, name, n, part); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b table) open(ctx context.Context, name string, length int64) (io.ReadSeekCloser, error) {
	r := &pieces{ctx: ctx, s: b.s, name: name, length: length, n: -1}
	if err := r.load(0); err != nil {
		return nil, err
	}
	return r, nil
}

func (b table) remove(ctx context.Context, note func(*sql.Tx) ([]string, error)) error {
	return b.s.tx(ctx, "let go", func(t *sql.Tx) error {
		names, err := note(t)
		if err != nil {
			return err
		}
		for _, name := range names {
			if _, err := t.ExecContext(ctx, `DELETE FROM blobs WHERE name = $1`, name); err != nil {
				return err
			}
		}
		return nil
	})
}

func (table) sweep(context.Context) error { return nil } // rows come and go with their bytes

// pieces reads bytes from the table, one row in memory at a time.
type pieces struct {
	ctx    context.Context //nolint:containedctx // of the request that reads it
	s      *Store
	name   string
	length int64
	at     int64
	n      int64 // the piece in data
	data   []byte
}

func (r *pieces) load(n int64) error {
	if n == r.n {
		return nil
	}
	var data []byte
	err := r.s.r.QueryRowContext(r.ctx, `SELECT data FROM blobs WHERE name = $1 AND n = $2`, r.name, n).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%s, piece %d: %w", r.name, n, fs.ErrNotExist)
	} else if err != nil {
		return err
	}
	r.n, r.data = n, bytes.Clone(data)
	return nil
}

func (r *pieces) Read(p []byte) (int, error) {
	if r.at >= r.length {
		return 0, io.EOF
	}
	if err := r.load(r.at / piece); err != nil {
		return 0, err
	}
	from := r.at % piece
	if from >= int64(len(r.data)) {
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(p, r.data[from:])
	r.at += int64(n)
	return n, nil
}

func (r *pieces) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.length
	}
	if offset < 0 {
		return 0, fmt.Errorf("seek %s: before its beginning", r.name)
	}
	r.at = offset
	return offset, nil
}

func (r *pieces) Close() error { return nil }

var (
	_ shelf = (*files)(nil)
	_ shelf = table{}
)
