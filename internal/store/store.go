// Package store keeps everything, in SQLite or PostgreSQL with one SQL text, and
// holds the two moments that matter: the release, when an ingested article
// becomes visible, and the gate, through which alone anything leaves.
package store

import (
	"context"
	"database/sql"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"paperwire/internal/paper"
)

// Options configure a store. The zero value of each field means its default.
type Options struct {
	Log *slog.Logger
	Now func() time.Time // for tests
	// NoticeDays is how long a feed tells of a correction or withdrawal (promise 4). Default 7.
	NoticeDays int
	// Blobs is the directory of copied pictures on SQLite, default pictures beside
	// the file; PostgreSQL keeps them in a table. Quota bounds them, in bytes;
	// default 2 GiB.
	Blobs string
	Quota int64
}

// Store is safe for concurrent use by any number of goroutines and, on one
// database, of processes.
type Store struct {
	w, r   *sql.DB // one writer connection and readers on SQLite; the same pool on PostgreSQL
	pool   *pgxpool.Pool
	path   string // of the SQLite file; empty on PostgreSQL
	log    *slog.Logger
	now    func() time.Time
	notice time.Duration
	shelf  shelf // of pictures
	finder finder
	quota  int64 // of their bytes
}

// For how many days from its own on an edition is tried again of which something could
// not be read.
const (
	RetryDays  = 3 // at every look
	GiveUpDays = 7 // at all; then it is closed without that
)

// ErrBusy: another process holds the lease.
var ErrBusy = paper.ErrBusy

// SourceRow is what the store keeps of a configured source.
type SourceRow struct {
	Key, Paper, Name, Platform, URL string
	Span                            string        // window, 05:00-09:00; may be empty
	Step                            time.Duration // interval outside it
}

// Setup is what the configuration says that the store must know.
type Setup struct {
	Papers   []paper.Paper
	Sources  []SourceRow
	Sections []paper.Section
	// Beside: a command brings in its own papers and sources beside what serve has
	// configured. Nothing is retired, and sections that are there keep their names.
	Beside bool
	// Presentation is a digest of everything in the configuration that shows in
	// documents; when it changes, every scope's version rises. Empty: a process
	// that serves nothing (fetch) does not say.
	Presentation string
}

// SourceState is what a poll needs to know of its source.
type SourceState struct {
	Seen    bool      // the first look has been completed
	Edition paper.Day // newest edition known; empty at first
	// Again are editions of the last days that are not complete.
	Again []paper.Day
	// Listed tells when each edition of the last days was listed last.
	Listed   map[paper.Day]time.Time
	Failures int // looks that failed in a row
	Checked  time.Time
}

// Recent is what a source has of its last days.
type Recent struct {
	Listed map[paper.Day]bool // days of which it has listed articles, by backfill too
	// Unfinished are those of whose newest listing something is still to be read.
	Unfinished []paper.Day
	// First is the day after which what is not there was never seen: up to it, it
	// was history when the source was first looked at. Empty before that.
	First paper.Day
}

// Listing is one edition (or one look at a feed) as the publisher lists it.
type Listing struct {
	Source, Paper string
	Day           paper.Day // empty for a feed
	URL, Build    string
	Pages         []paper.EditionPage
	Refs          []Listed
	Partial       bool // nothing may be concluded from what is absent
	Problem       string
	History       bool // what it lists for the first time is history
	// Archive: what it lists for the first time is archive-only history, and what
	// could not be read is tried again without a rest (backfill).
	Archive bool
	// Recheck is how long after an article was last read it is read again to
	// learn of corrections; 0 means never.
	Recheck time.Duration
}

// Listed is one article as listed.
type Listed struct {
	Origin  string
	URL     string
	Page    string
	Ordinal int
	Mark    string // changes when the listing shows that the article changed
}

// Todo says that a listed article is to be read.
type Todo struct {
	Index   int // into Listing.Refs
	History bool
	Archive bool
	Known   bool // read before: this is a look for corrections
}

// Incoming is one article on its way into the store.
type Incoming struct {
	Article    paper.Article // without ID
	Filing     paper.Filing
	Origin     string
	Positional bool
	Also       []string // further keys: other URLs, guid
	// RefDay is the day of the listing it came from: the edition's, empty for a feed.
	RefDay paper.Day
	Mark   string
	// Hash is of what counts as content: "{reading}:{digest}". Where only the
	// reading differs from the stored one, nothing was corrected.
	Hash        string
	Fingerprint string // to know it again after a redesign; may be empty
	Similar     func(a, b paper.Article) bool
	History     bool
	Archive     bool // history that no current feed ever holds
}

// Gone is an article that is listed no longer.
type Gone struct {
	Origin, URL, Article string
	Times                int       // looks in a row that found it neither listed nor at its URL
	Last                 time.Time // the last of them
}

// Tie says what another article is to one of the same paper.
type Tie struct {
	Article  string
	Relation paper.Relation // what Other is to Article
	Other    string
}

// ByHand is how an editor filed an article. nil leaves it to rules and tagger.
type ByHand struct {
	Placing   *paper.Placing   `json:"placing,omitempty"`
	Districts []string         `json:"districts,omitempty"` // to file under, with Placing
	Sections  *[]paper.Section `json:"sections,omitempty"`
}

// Subject is a stored article with all that filing it again needs.
type Subject struct {
	Article paper.Article
	Filing  paper.Filing
	Draft   *paper.Article // a pending correction
	Drafted paper.Filing   // how that one is filed
	Hand    ByHand
	State   string // ingested, released, withdrawn, withheld
	Pending string // correct, withdraw, restore; empty for nothing
	Reason  string // of a withdrawal or hold
	Hash    string
}

// Move is how an article shall be filed from now on.
type Move struct {
	ID      string
	Hash    string // of the Subject it was worked out for; empty: whatever it is now
	Filing  paper.Filing
	Drafted *paper.Filing
}

// Piece is part of an article that goes on on another page; see KeepPiece.
type Piece struct {
	Origin  string
	Doc     string
	Article string // which article its reference leads to now; may be empty
	State   string // of that article
}

// Outcome says what Ingest made of it.
type Outcome struct {
	ID     string
	Result Result
}

// Result is what an ingest came to.
type Result string

// The results of an ingest.
const (
	New     Result = "new"
	Changed Result = "changed" // a correction is pending, or an unreleased article was replaced
	Same    Result = "same"
)

// Released says what a release did.
type Released struct {
	Seq      int64
	Articles int
	// Wait is how long until seconds are free for the rest; 0: nothing is waiting.
	Wait time.Duration
}

// PastDay is what is known of one past day of a source.
type PastDay struct {
	Listed, Read int  // articles, by the newest listing
	Complete     bool // nothing of it is missing
	Archive      bool // it came by backfill
	Gap          bool // the publisher did not have it lately
}

// Unread is a listed article that could not be read.
type Unread struct {
	URL, Page, Problem string // Problem is empty where it was never tried
}

// Open opens (and migrates) the store. dsn is postgres://… or the path of an
// SQLite file, ":memory:" excluded: readers and the writer share a file.
func Open(ctx context.Context, dsn string, o Options) (*Store, error) {
	s := &Store{log: o.Log, now: o.Now, notice: time.Duration(o.NoticeDays) * 24 * time.Hour}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.notice == 0 {
		s.notice = 7 * 24 * time.Hour
	}
	if s.quota = o.Quota; s.quota <= 0 {
		s.quota = defaultQuota
	}
	if IsPostgres(dsn) {
		s.shelf, s.finder = table{s}, vectors{}
		return s, s.openPostgres(ctx, dsn)
	}
	if o.Blobs == "" {
		o.Blobs = filepath.Join(filepath.Dir(dsn), "pictures")
	}
	s.shelf, s.finder = &files{s: s, dir: o.Blobs}, fts{}
	return s, s.openSQLite(ctx, dsn)
}

// IsPostgres reports whether a store setting names a PostgreSQL database.
func IsPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// BaseID is the id that a new article gets (promise 1), unless another article
// already stands at its place: {paper}-{yyyymmdd}-{origin id}, and without a day
// for an item of a feed. A second source of a paper prefixes its key.
func BaseID(paperKey, source string, day paper.Day, origin string) string {
	id := paperKey + "-"
	if day != "" {
		id += day.Compact() + "-"
	}
	if source != paperKey {
		id += source + "-"
	}
	return id + idPart(origin)
}
