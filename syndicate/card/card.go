// Package card says what a social platform shows for an article: the card
// document, the tags of the share page's head and its JSON-LD, all from one
// [paper.Item]. It reads no clock and no store: the same item gives the same
// bytes.
package card

import (
	"encoding/json"
	"time"

	"paperwire/internal/paper"
	"paperwire/syndicate/feed"
)

// MaxDescription is how long a description may be, in characters (runes).
const MaxDescription = 120

// Links are what a card needs to know of the installation.
type Links struct {
	Base string         // scheme and host without a trailing slash
	Site string         // name of the installation; the paper's where it is empty
	Logo string         // the publisher's logo, absolute; may be empty
	Zone *time.Location // the paper's zone, for dates with its offset; nil: UTC
}

// Article is the share page of an article.
func (l Links) Article(id string) string { return l.Base + "/a/" + id }

// Document is the card document /a/{id}/card.json. Its fields are part of the
// contract: fields may join, none may leave or change.
type Document struct {
	ID           string          `json:"id"`
	Revision     int             `json:"revision"` // 1 at first release, one more for each correction
	URL          string          `json:"url"`      // the share page
	CanonicalURL string          `json:"canonical_url"`
	SourceURL    string          `json:"source_url"` // the publisher's page; may be empty
	OEmbedURL    string          `json:"oembed_url"`
	Title        string          `json:"title"`
	Description  string          `json:"description"` // whole sentences, at most MaxDescription characters, never empty
	SiteName     string          `json:"site_name"`
	Locale       string          `json:"locale"` // as in og:locale: zh_CN
	Authors      []Author        `json:"authors"`
	Section      string          `json:"section"`
	Districts    []string        `json:"districts"` // codes, best first
	Tags         []string        `json:"tags"`      // names: sections, then districts, the best last
	Edition      Edition         `json:"edition"`
	Published    string          `json:"published"` // RFC 3339
	Modified     *string         `json:"modified"`  // null unless the text was really corrected
	Images       Images          `json:"images"`
	Related      []feed.Related  `json:"related,omitempty"` // what it corrects, what corrects it, other forms of its story
	Meta         []Meta          `json:"meta"`              // for the head of the share page, in this order
	JSONLD       json.RawMessage `json:"jsonld"`            // for <script type="application/ld+json">; null when withdrawn
}

// Author is somebody named in the byline, or the agency where it names nobody.
type Author struct {
	Name string `json:"name"` // the name only, never 本报记者
}

// Edition is where the article was printed. All but Paper and PaperName are
// empty for an item of a feed.
type Edition struct {
	Paper     string    `json:"paper"` // key
	PaperName string    `json:"paper_name"`
	Date      paper.Day `json:"date"`
	Page      string    `json:"page"`
	PageName  string    `json:"page_name"`
}

// Images are the pictures of a card by use. A use without a fitting picture is
// left out.
type Images struct {
	OG *Image `json:"og,omitempty"`
}

// Image is one picture of a card.
type Image struct {
	URL       string `json:"url"`
	Width     int    `json:"width"`  // pixels
	Height    int    `json:"height"` // pixels
	Type      string `json:"type"`   // media type; empty where it is not known
	Bytes     int64  `json:"bytes"`  // 0 where it is not known
	Alt       string `json:"alt"`
	Generated bool   `json:"generated"` // drawn here rather than the article's own
}

// Meta is one <meta> element; exactly one of Property, Name and ItemProp is set.
type Meta struct {
	Property string `json:"property,omitempty"`
	Name     string `json:"name,omitempty"`
	ItemProp string `json:"itemprop,omitempty"`
	Content  string `json:"content"`
}

// New makes the card of an item as the gate let it out. A withdrawn item has a
// card that says so and nothing else, with robots told not to keep it.
func New(item paper.Item, links Links) Document { return build(item, links) }
