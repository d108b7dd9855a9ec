// Package feed writes feeds: one format per file, all from one [Input].
//
// To add a format, write one file that calls register in its init and put its
// expectation beside every case under testdata/syndicate.
package feed

import (
	"io"
	"slices"
	"strings"
	"time"

	"paperwire/internal/paper"
)

// Input is everything a format may know. Formats read no clock and no store:
// the same Input gives the same bytes.
type Input struct {
	Feed    Feed
	Links   Links
	View    paper.View
	Profile Profile
	// Part, from 1, is which stretch of the edition a format takes that is made of
	// one and holds only so much of it ([Format.Edition]); 0 means 1.
	Part int
}

// Feed is what the document is about and what it holds.
type Feed struct {
	Scope     paper.Scope
	Variant   string // of a search or a paced feed, which are lists of their own: its part of the URL, ?q=…; else empty
	Title     string // 温县 · 焦作日报
	Subtitle  string // one sentence
	Language  string // zh-CN
	Copyright string
	Site      string    // name of this installation, for the generator and publisher fields
	Updated   time.Time // when the scope's version last rose; never the time of rendering
	Items     []paper.Item
	// Points gives georss points ("lat lon") of district codes where known.
	Points map[string]string
	// Complete are the editions among the items that are complete: nothing of them
	// is missing any more, and a reader need not wait.
	Complete []Edition
}

// id names the feed for ever (RFC 4287 §4.2.6).
func (f Feed) id() string { return paper.URN(f.Scope.String() + f.Variant) }

// Edition names one issue of a paper.
type Edition struct {
	Paper string    `json:"paper"`
	Day   paper.Day `json:"day"`
}

// Links are the absolute URLs of one document.
type Links struct {
	Base string      // scheme and host without a trailing slash
	Self string      // this document, canonical
	Home string      // the HTML page of the scope
	Icon string      // a square PNG or ICO; may be empty
	Hubs []string    // WebSub hubs; empty until there is one
	Next string      // the continuation (JSON Feed next_url, RFC 5005); may be empty
	More []Alternate // the same scope in the other formats
	// An archive document (RFC 5005 §4) has Current, the subscription document it
	// belongs to, and Previous and Following, its neighbours where they are known.
	// A subscription document may have Previous only: its newest archive.
	Current, Previous, Following string
	// Open says that an archive document may still change its items, because its day
	// is not closed: it is not marked as an archive (RFC 5005 §4, fh:archive).
	Open bool
	// Cards says that every article has card images at /a/{id}/card/{name}.jpg.
	Cards bool
}

// Alternate is the same scope in another format.
type Alternate struct{ Type, Title, Href string }

// Article is the share page of an article.
func (l Links) Article(id string) string { return l.Base + "/a/" + id }

// Card is the card document of an article.
func (l Links) Card(id string) string { return l.Base + "/a/" + id + "/card.json" }

// CardImage is one of an article's card images, where there are any.
func (l Links) CardImage(id, name string) string {
	return l.Base + "/a/" + id + "/card/" + name + ".jpg"
}

// Scope is the feed of a scope in a format.
func (l Links) Scope(scope, ext string) string { return l.Base + "/feeds/" + scope + "." + ext }

// Profile is how full the items are.
type Profile struct {
	Summaries bool // full=0: no bodies
}

// Related is an article that another one is tied to, as every document tells it.
type Related struct {
	Relation paper.Relation `json:"relation"`
	ID       string         `json:"id"`
	URL      string         `json:"url"` // its share page
	Title    string         `json:"title"`
	Day      paper.Day      `json:"day"`
	Page     string         `json:"page"` // its number; empty for an item of a feed
}

// Relations are the articles an item is tied to, by their share pages below a
// base address; nil where there are none. A withdrawn item tells of none.
func Relations(item paper.Item, base string) []Related { return relations(item, base) }

// Line is text on one line, without what may not leave the house: controls,
// broken bytes, noncharacters, bidirectional controls.
func Line(s string) string { return line(s) }

// WebURL is an absolute http or https address in ASCII (RFC 3986), or the empty
// string for everything else.
func WebURL(s string) string { return uri(s) }

// Cutter shortens the texts of one article. Names are what may not be torn: people,
// places, the paper. A Chinese text has no word boundaries, so a name that is not known
// can only be kept whole by cutting elsewhere: after a sentence, a clause or a space, as
// nearly always happens. It is of one goroutine.
type Cutter struct {
	Names []string
	// The edges of the last text that was gone through to its end: several platforms
	// cut the same one.
	text  string
	known []edge
}

// NewCutter makes one for an item; it keeps whole what the item names, and more names.
func NewCutter(item paper.Item, more ...string) *Cutter { return &Cutter{Names: names(item, more)} }

// Cluster is the length in bytes of the grapheme cluster that a text begins with
// (UAX #29).
func Cluster(s string) int { return cluster(s) }

// Alone reports characters that are a grapheme cluster of their own beside each other:
// nearly all of a Chinese text.
func Alone(r rune) bool { return alone(r) }

// Closer gives the mark that closes a bracket or a quotation; ok is false for what
// opens none.
func Closer(r rune) (shut rune, ok bool) {
	shut, ok = pairs[r]
	return shut, ok
}

// Unclosed gives what closes the brackets and quotation marks that a text leaves open.
func Unclosed(s string) string { return unclosed(s) }

// Withdrawal is what stands in place of a withdrawn article, in the language of
// a BCP 47 tag: Chinese for the empty one, English for all but Chinese.
func Withdrawal(language string) (title, sentence string) { return wording(language) }

// Format is one way to write a feed.
type Format struct {
	Ext      string // as in the URL: rss
	Name     string // RSS 2.0
	Type     string // Content-Type with charset
	LinkType string // type of <link rel=alternate>; empty: not advertised to readers
	About    string // one line for people
	Spec     string // where it is specified
	// Edition says that the document is made of the newest edition in page order
	// ([paper.Window.Newest]) and not of the newest articles, and that it knows
	// [Input.Part].
	Edition bool
	Write   func(w io.Writer, in Input) error
}

var formats []Format

// register makes a format known; only init functions of this package call it.
func register(f Format) {
	if _, have := ByExt(f.Ext); have {
		panic("feed: format " + f.Ext + " registered twice")
	}
	formats = append(formats, f)
	slices.SortFunc(formats, func(a, b Format) int { return strings.Compare(a.Ext, b.Ext) })
}

// Formats lists the registered formats, by extension.
func Formats() []Format { return slices.Clone(formats) }

// ByExt finds a format by the extension of its URL.
func ByExt(ext string) (Format, bool) {
	for _, f := range formats {
		if f.Ext == ext {
			return f, true
		}
	}
	return Format{}, false
}

// Outline is one line of an OPML list: a group where it has Children, else a
// feed, whose XMLURL is the RSS form and whose HTMLURL is the scope's page.
type Outline struct {
	Text     string
	XMLURL   string
	HTMLURL  string
	Language string
	Children []Outline
}

// WriteOPML writes a subscription list (OPML 2.0). Groups nest; a group without
// a feed below it is left out, because some readers make an empty folder of it.
func WriteOPML(w io.Writer, title string, outlines []Outline) error {
	return writeOPML(w, title, outlines)
}

// NewsEntry is one article of a Google News sitemap.
type NewsEntry struct {
	URL         string // the article's canonical page, absolute
	Publication string // 焦作日报
	Language    string // BCP 47; written as Google wants it
	Title       string
	Published   time.Time
	Keywords    []string
	Images      []paper.Image // at most 1000 are written
}

// MaxNews is how many articles one Google News sitemap may hold.
const MaxNews = 1000

// WriteNewsSitemap writes a Google News sitemap with the image extension. Of
// more than [MaxNews] entries the first are taken, so pass the newest first.
func WriteNewsSitemap(w io.Writer, entries []NewsEntry) error {
	return writeNewsSitemap(w, entries)
}

// SitemapURL is one line of a sitemap or of a sitemap index.
type SitemapURL struct {
	URL      string
	Modified time.Time // zero where it is not known
}

// WriteSitemap writes a sitemap (sitemaps.org 0.9) of at most 50,000 URLs.
func WriteSitemap(w io.Writer, urls []SitemapURL) error { return writeSitemap(w, urls) }

// WriteSitemapIndex writes an index of sitemaps, at most 50,000 of them.
func WriteSitemapIndex(w io.Writer, sitemaps []SitemapURL) error {
	return writeSitemapIndex(w, sitemaps)
}

// WriteStatusFeed writes the health of the sources as an Atom feed: one entry
// when an incident begins and another when it ends, newest first. It moves only
// when a state changes, not with every look at a publisher.
func WriteStatusFeed(w io.Writer, links Links, health []paper.Health, incidents []paper.Incident) error {
	return writeStatusFeed(w, links, health, incidents)
}

// JSON writes a JSON document (RFC 8259) by hand, value after value: a document that is
// written often costs a third of what encoding/json takes for it. Commas are set where
// they belong; names and values in their turn, and names that are not twice in one
// object, are the caller's part.
type JSON struct {
	b    []byte
	from int // where the document begins
	// Script: < > and & are written as escapes, for documents that stand in a script
	// element, which no text must end.
	Script bool
}

// NewJSON begins a document in a buffer, behind what stands in it.
func NewJSON(b []byte) *JSON { return &JSON{b: b, from: len(b)} }
