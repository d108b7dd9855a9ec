// Package card says what a social platform shows for an article: the card
// document, the tags of the share page's head and its JSON-LD, all from one
// [paper.Item]. It reads no clock and no store: the same item gives the same
// bytes.
//
// To add a platform, write one file that calls register in its init and run the
// tests of this package with -update: every case under testdata/syndicate has its
// posts in cards.json.
package card

import (
	"encoding/json"
	"log/slog"
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
	// tells; with another one they have other addresses. Empty: none are drawn.
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
	QR           string          `json:"qr"`                // picture of a code that leads to the share page; empty where none are drawn
	Platforms    map[string]Post `json:"platforms"`         // ready to post, by the keys of Platforms; empty when withdrawn
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

// Images are the pictures of a card by the names of their sizes. Where none are
// drawn there is OG only: the article's own picture, if it has one that fits.
type Images struct {
	OG          *Image `json:"og,omitempty"`
	R16x9       *Image `json:"r16x9,omitempty"`
	R4x3        *Image `json:"r4x3,omitempty"`
	R1x1        *Image `json:"r1x1,omitempty"`
	WechatCover *Image `json:"wechat_cover,omitempty"`
	Wecom       *Image `json:"wecom,omitempty"`
	Miniprogram *Image `json:"miniprogram,omitempty"`
	Thumb       *Image `json:"thumb,omitempty"`
}

// Image is one picture of a card.
type Image struct {
	URL       string `json:"url"`
	Width     int    `json:"width"`  // pixels
	Height    int    `json:"height"` // pixels
	Type      string `json:"type"`   // media type; empty where it is not known
	Bytes     int64  `json:"bytes"`  // 0 where it is not known
	Alt       string `json:"alt"`
	Generated bool   `json:"generated"` // set in type, rather than made from the article's own
}

// Post is what one platform gets of an article, ready to be posted. Text and the
// texts of Fields are within the platform's limits by its own measure; they end with
// a sentence, a clause or a word, and what was cut has its quotation marks and
// brackets closed.
type Post struct {
	Text      string  `json:"text"` // the whole post with its address; the title where the platform wants several texts
	Length    int     `json:"length"`
	Limit     int     `json:"limit"`
	Unit      string  `json:"unit"`      // what Length and Limit count
	Truncated bool    `json:"truncated"` // headline or description is not whole
	URL       string  `json:"url"`       // the share page, with utm_source and so on
	Image     string  `json:"image,omitempty"`
	Intent    string  `json:"intent,omitempty"`  // opens the platform's own form with what it takes filled in
	Fields    []Field `json:"fields,omitempty"`  // the further texts of a platform that wants several
	Payload   any     `json:"payload,omitempty"` // as the platform's API wants it; nil where it takes just a text
}

// Field is one of several texts that a platform wants.
type Field struct {
	Name      string `json:"name"`
	Text      string `json:"text"`
	Length    int    `json:"length"`
	Limit     int    `json:"limit"`
	Unit      string `json:"unit"`
	Truncated bool   `json:"truncated"`
}

// Platform is a place where articles are shared.
type Platform struct {
	Key     string // x: the key of its entry, and its utm_source
	Name    string // for people
	Limit   int
	Unit    string                // what Limit counts
	Measure func(text string) int // how the platform counts
	Image   string                // the size that it shows, by name
	About   string                // what the entry is for, in one line
	Spec    string                // where the limit is documented; empty where it is ours, because nobody documents one
	write   func(*writer) Post
}

// Platforms lists the registered platforms, by key.
func Platforms() []Platform { return slices.Clone(platforms) }

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

// Photo is a picture that was decoded, put upright and looked at once, for all the
// sizes that are drawn from it. It is safe for concurrent use.
type Photo struct {
	levels []planar // each half as wide as the one before
	eye    eye
}

// MaxDecode is how many bytes decoding a picture may take: enough for what cameras
// store.
const MaxDecode = 192 << 20

// Weigh tells from its headers alone how many bytes decoding a picture takes, about.
// The error is that of one that is never decoded: it is damaged, of another kind than
// JPEG, PNG, WebP and GIF, takes more than [MaxDecode], or would take for ever.
func Weigh(data []byte, kind string) (bytes int64, err error) { return weigh(data, kind) }

// OpenPhoto decodes a picture of somebody else's: JPEG, PNG, WebP, and of a GIF the
// first frame. What [Weigh] refuses is not decoded.
func OpenPhoto(data []byte, kind string) (*Photo, error) { return openPhoto(data, kind) }

// Studio draws the pictures of cards. It is safe for concurrent use.
type Studio struct {
	serif, sans typeface
	look        string
}

// NewStudio prepares a studio. font is the path of a font with Han characters (TrueType
// or OpenType, also a collection); where it is empty, one is looked for in the
// usual places. Without any the studio draws all the same, and the log says once
// what is missing. The error is that of a font that was named and cannot be read.
func NewStudio(font string, log *slog.Logger) (*Studio, error) { return newStudio(font, log) }

// Look names the fonts, for [Links]; it is never empty.
func (s *Studio) Look() string { return s.look }

// Draw draws the picture of an item's card in a size, with or without [Dark] behind
// its name, from a photo, or from nil in type. It gives a JPEG of at most 300,000
// bytes, a thumb of at most 32,000; the same input gives the same bytes.
func (s *Studio) Draw(item paper.Item, links Links, name string, photo *Photo) ([]byte, error) {
	return s.draw(item, links, name, photo)
}

// QR is a code of an address, as a PNG with 8 pixels a module and the quiet zone
// around it (ISO/IEC 18004). The error is that of an address of more than 2,900 bytes.
func QR(url string) ([]byte, error) { return qrPNG(url) }

// Orientation is the EXIF orientation of a JPEG, 1 to 8 (CIPA DC-008 §4.6.4); 1
// where there is none. Telephones store pictures lying.
func Orientation(data []byte) int { return orientation(data) }

// New makes the card of an item as the gate let it out. A withdrawn item has a
// card that says so and nothing else, with robots told not to keep it.
func New(item paper.Item, links Links) Document { return build(item, links) }
