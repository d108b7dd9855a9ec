// Package ingest brings editions in: it looks at each source when its schedule
// row is due, reads what the publisher lists and the store does not have,
// normalises it, files it under sections and districts, and lets the store
// release it.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"paperwire/internal/fetch"
	"paperwire/internal/paper"
	"paperwire/internal/place"
	"paperwire/internal/store"
	"paperwire/sources"
)

// Source is one configured source with what ingest does to its articles.
type Source struct {
	sources.Source
	Name     string
	City     string // division code of its city; empty: no districts
	Language string // BCP 47
	Window   Window
	Hold     time.Duration // between ingest and release
	Rights   paper.Rights
	Link     paper.Link
	// Expect is when a day's edition should be there, after midnight in the
	// source's zone; 0: the operator is not told of a late one.
	Expect   time.Duration
	Editions int // how many of the newest editions to read at first sight; 0 means 1
	// Mirror copies pictures before the release, and we serve the copies.
	Mirror bool
}

// Window says when to look at a source.
type Window struct {
	From, To time.Duration // after midnight in the source's zone; equal: no window
	Within   time.Duration // interval inside it
	Every    time.Duration // interval outside it
	OfFeed   time.Duration // interval for what turns out to be a feed; 0: as others
}

// SectionRule maps page names, columns and page numbers to a section.
type SectionRule struct {
	Slug, Name string
	Match      []string // page names, parts of page names, or columns
	Pages      []string // page numbers
	Was        []string // earlier slugs: they redirect
}

// Config is what the configuration says; see Configure.
type Config struct {
	Sources  []Source
	Sections []SectionRule
	// Presentation is a digest of all else in the configuration that shows in documents.
	Presentation string
}

// Options are what ingest works with.
type Options struct {
	Store     *store.Store
	Fetch     *fetch.Client
	Gazetteer *place.Gazetteer
	// Insert queues a job of kind "poll" for each key. nil: Run only releases.
	Insert func(ctx context.Context, kind string, at time.Time, keys ...string) error
	Log    *slog.Logger
	Now    func() time.Time // for tests
}

// Report says how one look at a source went.
type Report struct {
	Source   string
	Editions int
	Listed   int // articles listed
	Read     int // of them read now
	New      int
	Changed  int
	Failed   int
	Problem  string // empty when all is well
	Alarm    string // something only a person can judge: a redesign, a broken upload
	Gone     int    // articles withdrawn by the publisher
	Platform string
	Took     time.Duration

	resting    int   // articles that failed before and are not tried at this look
	unfinished bool  // there was more to read than one look has time for
	past       *past // nil for a look: set while backfill brings in an edition of old
}

// Past says which past editions of a source Backfill brings in, and how.
type Past struct {
	From, To paper.Day // both included
	Again    bool      // look again at what backfill brought in: for corrections, and gaps that were filled
	DryRun   bool      // only tell: index pages are asked for, nothing is kept
	Pause    time.Duration
	// Stop ends the run after the article under way once it is closed; nil: nothing does.
	Stop     <-chan struct{}
	Progress func(PastProgress) // after each article and each day; may be nil
}

// PastProgress is how far a run of Backfill has come.
type PastProgress struct {
	Source, Name string // Name is the paper's
	Day          paper.Day
	Done, Days   int // of the days that are asked for in this run
	Read, Listed int // articles of the day
	Articles     int // read in this run
	Errors       int // articles and days that could not be read in this run
}

// PastDay is what became of one day.
type PastDay struct {
	Day   paper.Day
	State PastState
	// Listed are the articles that the publisher lists, New and Changed came in
	// now, Pictures are those of the articles.
	Listed, Read, New, Changed, Pictures int
	Problem                              string         // why it is not complete, or what a person should look at
	Unread                               []store.Unread // articles that could not be read
	Took                                 time.Duration
}

// PastState says what became of a day.
type PastState string

// The states of a day. Failed days are incomplete; so are those that a run that
// was stopped did not come to (Pending).
const (
	PastRead    PastState = "read"
	PastThere   PastState = "already there"
	PastGap     PastState = "not published"
	PastLeft    PastState = "left to the next look"
	PastFailed  PastState = "failed"
	PastPending PastState = "not reached"
	PastWould   PastState = "would be read" // of a dry run
)

// Errors of Backfill. Test with errors.Is.
var (
	// ErrNoPast: a feed or a sitemap holds what is new and no past editions.
	ErrNoPast = errors.New("holds no past editions")
	// ErrStopped: Past.Stop was closed.
	ErrStopped = errors.New("stopped")
)

// Ingest is safe for concurrent use.
type Ingest struct {
	store *store.Store
	fetch *fetch.Client
	names *place.Gazetteer
	queue func(ctx context.Context, kind string, at time.Time, keys ...string) error
	log   *slog.Logger
	now   func() time.Time
	owner string
	looks atomic.Int64 // numbers the owner of leases
	plan  atomic.Pointer[plan]

	seenPictures pictureMemory
	tried        sync.Map // source and day -> time.Time: older editions asked for again
}

// New makes an Ingest; it starts nothing. Call Configure before anything else.
func New(o Options) *Ingest {
	g := &Ingest{store: o.Store, fetch: o.Fetch, names: o.Gazetteer, queue: o.Insert, log: o.Log, now: o.Now}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	if g.now == nil {
		g.now = time.Now
	}
	host, _ := os.Hostname()
	g.owner = host + "/" + strconv.Itoa(os.Getpid()) + "/" + strconv.FormatInt(time.Now().UnixNano(), 36)
	return g
}

// Check tells everything that is wrong with a configuration, without a store.
func Check(c Config, g *place.Gazetteer) error {
	_, err := compile(c, g)
	return err
}

// Configure takes up a configuration and writes it into the store, for serve: what
// it no longer has is retired, and the log says so. Looks under way finish with the
// old one.
func (g *Ingest) Configure(ctx context.Context, c Config) error {
	known, err := g.store.Health(ctx)
	if err != nil {
		return err
	}
	if err := g.configure(ctx, c, store.Setup{Presentation: c.Presentation}, nil); err != nil {
		return err
	}
	var retired []string
	for _, h := range known {
		if h.State != "retired" && g.plan.Load().sources[h.Source] == nil {
			retired = append(retired, h.Source)
		}
	}
	if len(retired) > 0 {
		g.log.Warn("retired: the configuration no longer has these sources; they are not looked at, and their feeds stay", "sources", strings.Join(retired, ", "))
	}
	return nil
}

// Include takes up a configuration for a command that looks at sources by hand: those
// of the keys, all for none, and their papers are written into the store where they
// may not be yet. Whatever else serve has configured there stays.
func (g *Ingest) Include(ctx context.Context, c Config, keys []string) error {
	return g.configure(ctx, c, store.Setup{Beside: true}, keys)
}

func (g *Ingest) configure(ctx context.Context, c Config, setup store.Setup, keys []string) error {
	p, err := compile(c, g.names)
	if err != nil {
		return err
	}
	papers := map[string]bool{}
	for _, s := range c.Sources {
		if len(keys) > 0 && !slices.Contains(keys, s.Key) {
			continue
		}
		papers[s.Paper] = true
		setup.Sources = append(setup.Sources, store.SourceRow{
			Key: s.Key, Paper: s.Paper, Name: s.Name, Platform: s.Platform, URL: s.URL,
			Span: s.Window.String(), Step: s.Window.Every,
		})
	}
	for _, x := range p.papers {
		if papers[x.Key] {
			setup.Papers = append(setup.Papers, x)
		}
	}
	for _, r := range c.Sections {
		setup.Sections = append(setup.Sections, paper.Section{Slug: r.Slug, Name: r.Name})
	}
	if err := g.store.Configure(ctx, setup); err != nil {
		return err
	}
	g.plan.Store(p)
	return nil
}

// Article normalises and files one article as printed, as for a source of the
// configuration; the id is the one a new article would get.
func (g *Ingest) Article(key string, p sources.Printed, r sources.Ref) (paper.Article, paper.Filing, error) {
	plan := g.plan.Load()
	s, ok := plan.sources[key]
	if !ok {
		return paper.Article{}, paper.Filing{}, fmt.Errorf("source %s: %w", key, paper.ErrNotFound)
	}
	day := p.Day
	a := plan.article(s, p, r, day)
	refDay := day
	if s.feedItem(r) {
		refDay = ""
	}
	a.ID = store.BaseID(s.Paper, s.Key, refDay, r.Origin)
	return a, plan.file(s, a), nil
}

// Prepare takes up a configuration and writes nothing down: for reading saved
// documents, and for the editor's hand, which needs the rules alone.
func (g *Ingest) Prepare(c Config) error {
	p, err := compile(c, g.names)
	if err == nil {
		g.plan.Store(p)
	}
	return err
}
