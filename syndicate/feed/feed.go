// Package feed writes feeds: one format per file, all from one [Input].
//
// To add a format, write one file that calls register in its init and put its
// expectation beside every case under testdata/syndicate.
package feed

import (
	"io"
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
}

// Feed is what the document is about and what it holds.
type Feed struct {
	Scope     paper.Scope
	Title     string // 温县 · 焦作日报
	Subtitle  string // one sentence
	Language  string // zh-CN
	Copyright string
	Site      string    // name of this installation, for the generator and publisher fields
	Updated   time.Time // when the scope's version last rose; never the time of rendering
	Items     []paper.Item
	// Points gives georss points ("lat lon") of district codes where known.
	Points map[string]string
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
}

// Alternate is the same scope in another format.
type Alternate struct{ Type, Title, Href string }

// Article is the share page of an article.
func (l Links) Article(id string) string { return l.Base + "/a/" + id }

// Card is the card document of an article.
func (l Links) Card(id string) string { return l.Base + "/a/" + id + "/card.json" }

// Scope is the feed of a scope in a format.
func (l Links) Scope(scope, ext string) string { return l.Base + "/feeds/" + scope + "." + ext }

// Profile is how full the items are.
type Profile struct {
	Summaries bool // full=0: no bodies
}

// Format is one way to write a feed.
type Format struct {
	Ext      string // as in the URL: rss
	Name     string // RSS 2.0
	Type     string // Content-Type with charset
	LinkType string // type of <link rel=alternate>; empty: not advertised to readers
	About    string // one line for people
	Spec     string // where it is specified
	Write    func(w io.Writer, in Input) error
}

var formats []Format

// register makes a format known; only init functions of this package call it.
func register(f Format) {
	for _, have := range formats {
		if have.Ext == f.Ext {
			panic("feed: format " + f.Ext + " registered twice")
		}
	}
	formats = append(formats, f)
}

// Formats lists the registered formats, by extension.
func Formats() []Format { return nil }

// ByExt finds a format by the extension of its URL.
func ByExt(ext string) (Format, bool) { return Format{}, false }
