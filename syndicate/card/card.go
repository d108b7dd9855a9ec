// Package card says what a social platform shows for an article: the card
// document, the tags of the share page's head and its JSON-LD, all from one
// [paper.Item]. It reads no clock and no store: the same item gives the same
// bytes.
package card

import (
	"encoding/json"
	"slices"
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
	// Look names what card images are drawn with, as the studio that draws them
	// tells; with another one they have other addresses.
	Look string
	// Focus are points of pictures that cropping keeps, by article id, for those in
	// which it would find another one.
	Focus map[string]Point
}

// Point is a place in a picture: 0,0 its upper left corner, 1,1 its lower right one.
type Point struct{ X, Y float64 }

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

// Size is one of the pictures that a card has, in pixels.
type Size struct {
	Name          string // og, r16x9 … as in its address
	Width, Height int
}

// Sizes are the pictures that every card has. With [Dark] behind the name there is
// each in colours for a dark ground too.
func Sizes() []Size { return slices.Clone(sizes[:]) }

// Dark stands behind the name of a size: og-dark.
const Dark = "-dark"

// ImagePath is where the picture of an item's card is served, behind the base URL:
// /a/{id}/card/{name}-{hash8}.jpg. The hash is of all that the picture is made from, so
// it is told without drawing, and another picture has another address. name is that
// of a size, with or without [Dark].
func ImagePath(item paper.Item, links Links, name string) string {
	return "/a/" + item.ID + "/card/" + name + "-" + ImageHash(item, links)[:8] + ".jpg"
}

// ImageHash is the SHA-256, in 64 hex digits, of all that the pictures of an item's
// card are made from.
func ImageHash(item paper.Item, links Links) string { return madeFrom(item, links) }

// Copy gives the picture of an item that its card shows: the first one of which we
// have a copy that is large enough, under its name at /img/. ok is false where
// there is none: the card is set in type then.
func Copy(item paper.Item, links Links) (img paper.Image, name string, ok bool) {
	return photoOf(item, links)
}

// New makes the card of an item as the gate let it out. A withdrawn item has a
// card that says so and nothing else, with robots told not to keep it.
func New(item paper.Item, links Links) Document { return build(item, links) }
