// Package sources is what comes in: one platform per file, one door, this file.
//
// A platform is a kind of source: a family of newspaper sites that look alike
// to a reader of link shapes, or a feed format. [Find] looks at a source and
// tells its editions with references to every article; [Read] reads one of
// them as printed. [Parse] does the same for one saved document, without
// network and clock. Nothing here normalises, files or stores.
//
// To add a platform, write one file that calls register in its init, and put at
// least one case under testdata/sources/{platform}/.
package sources

import (
	"context"
	"fmt"
	"time"

	"paperwire/internal/fetch"
	"paperwire/internal/paper"
)

// Source is one configured source, as far as reading it goes.
type Source struct {
	Key      string
	Paper    string // paper key; equals Key unless several sources feed one paper
	Platform string // a registered name, or "auto"
	URL      string // entry page or feed
	Zone     *time.Location
}

// Getter fetches documents; *fetch.Client is one.
type Getter interface {
	Get(ctx context.Context, r fetch.Request) (*fetch.Document, error)
}

// Want says which editions Find shall look for.
type Want struct {
	Today paper.Day // in the source's zone
	Now   time.Time // future dates of feed items are clamped to it
	// After is the newest edition known; editions of later days are found, and
	// After itself is looked at again when Again says so. Empty: first sight.
	After paper.Day
	Again []paper.Day // known editions to look at again
	Max   int         // at most so many new editions, newest first; 0 means 1
	Only  paper.Day   // just this day (backfill); the others are ignored
}

// Found is what a look at a source told.
type Found struct {
	Platform string    // which platform it was (the answer of auto)
	Name     string    // the paper's or feed's own name as printed; may be empty
	Editions []Edition // oldest first; a feed is one Edition without a day
	// Missing are days that the calendar or the URL scheme offers and the
	// publisher does not have: holidays and late uploads. Not an error.
	Missing []paper.Day
}

// Edition is one issue as its index pages list it.
type Edition struct {
	Day   paper.Day
	URL   string
	Build string // the publisher's mark of a rebuild (rmp_build_time); may be empty
	Pages []Page
	Refs  []Ref // in page order, then position; each article once
	// Partial: an index page could not be read; Problem says why. What was
	// found stands, and nothing may be concluded from what is absent.
	Partial bool
	Problem string
}

// Page is one page of an edition.
type Page struct {
	paper.PageRef
	URL     string
	Picture string // full-size picture of the page; may be empty
	PDF     string
	Areas   []Area
}

// Area is one clickable area of the page's picture.
type Area struct {
	URL    string // the article it leads to
	Shape  string
	Coords string
	Title  string
}

// Ref is a reference to one article.
type Ref struct {
	URL    string // canonical: absolute, no fragment, no session parameters
	Origin string // what the platform's pattern captures of it: 279424, 1_2, 01002; for a feed item its hash
	// Positional: Origin tells a place in the edition (page 01, article 002)
	// and may mean another article after a re-upload.
	Positional bool
	Page       paper.PageRef
	Position   int    // on its page, from 1
	Ordinal    int    // in the edition or feed document, from 0
	Title      string // as listed; may be empty
	// Also are further keys by which the same article may be known: other URLs,
	// the guid of a feed item.
	Also []string
	// Printed is set where the index held the whole article (feeds): Read needs
	// no request then.
	Printed *Printed
}

// Printed is an article as printed: nothing is normalised yet.
type Printed struct {
	URL      string
	Day      paper.Day // as the page itself says; empty where it does not
	Dated    time.Time // own publication time of a feed item; zero otherwise
	Page     paper.PageRef
	Kicker   string
	Headline string
	Subtitle string
	Author   string   // the page's author field or the feed's authors, as printed
	Agency   string   // other paper or agency, where a field names it
	Summary  string   // of a feed item, HTML
	Body     string   // HTML of the body alone, links absolute, not sanitised
	Images   []Image  // pictures outside the body, in order
	Columns  []string // column or categories
	Language string
}

// Image is a picture that stands outside the body.
type Image struct {
	URL     string
	Caption string
	Type    string // where a feed tells it
	Length  int64
	Width   int
	Height  int
}

// Parsed is what one document turned out to be. Kind is page, article, feed,
// calendar, blocked or unknown; the field of that name is set.
type Parsed struct {
	Kind     string
	Platform string
	Reason   string      // blocked, unknown: why, in words
	Page     *ParsedPage // one page of an edition
	Article  *Printed    // with Ref telling its identity
	Ref      Ref
	Feed     *Edition
	Title    string // of the feed
	Calendar []CalendarDay
}

// ParsedPage is one index page: which page it is, the pages it leads to and the
// articles it lists.
type ParsedPage struct {
	Paper string // printed name or empty
	Day   paper.Day
	Page  Page
	Pages []Page
	Refs  []Ref
}

// CalendarDay is one edition that a calendar offers.
type CalendarDay struct {
	Day   paper.Day
	URL   string
	Build string
}

// BlockedError says that the publisher answered with a wall (captcha,
// JavaScript challenge) instead of the document. It is reported, never bypassed.
type BlockedError struct {
	URL    string
	Reason string
}

func (e *BlockedError) Error() string { return fmt.Sprintf("read %s: blocked: %s", e.URL, e.Reason) }

// UnknownError says what was seen where no platform recognised a document.
type UnknownError struct {
	URL    string
	Reason string
}

func (e *UnknownError) Error() string { return fmt.Sprintf("read %s: %s", e.URL, e.Reason) }

// Info describes one registered platform for people.
type Info struct {
	Name   string
	About  string   // one line
	Needs  string   // what its configuration needs beyond key, name, url; may be empty
	Shapes []string // examples of the URLs it reads
}

// Platforms lists the registered platforms by name.
func Platforms() []Info { return nil }

// Find looks at a source. Errors: *BlockedError, *UnknownError, or fetch's.
func Find(ctx context.Context, g Getter, s Source, w Want) (Found, error) {
	return Found{}, fmt.Errorf("sources: not built yet")
}

// Read reads one article. Errors as for Find.
func Read(ctx context.Context, g Getter, s Source, r Ref) (Printed, error) {
	return Printed{}, fmt.Errorf("sources: not built yet")
}

// Parse reads one document as if it had been fetched from url; body is UTF-8
// (see fetch.Decode). No network, no clock. It never fails: what it cannot tell
// is of kind unknown, with the reason.
func Parse(s Source, url, contentType string, body []byte) Parsed {
	return Parsed{Kind: "unknown", Reason: "not built yet"}
}
