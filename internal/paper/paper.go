// Package paper holds the words of the trade: papers, editions, pages,
// articles, scopes, views. It is data only and imports the standard library
// only; every other package speaks in these types. Read it first.
//
// Three types describe an article on its way through the house. What is read
// off a publisher's page is sources.Printed. What ingest makes of it, and the
// store keeps, is [Article]. What the gate lets out for one view is [Item]; no
// outgoing room ever sees anything else.
package paper

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Errors that cross room boundaries. Callers test with errors.Is.
var (
	// ErrNotFound: no such article, edition, paper or scope for this view.
	ErrNotFound = errors.New("not found")
	// ErrGone: it was published once and has been withdrawn (HTTP 410).
	ErrGone = errors.New("withdrawn")
	// ErrDecision: what an editor asks for does not fit the article; the text of
	// the error says why.
	ErrDecision = errors.New("not possible")
	// ErrBusy: another process is at it and holds the lease.
	ErrBusy = errors.New("another process is at it")
	// ErrFull: there are as many of these as may be.
	ErrFull = errors.New("no room for another")
)

// Day is a calendar day in the paper's own zone, written 2017-09-07. The empty
// Day means that the day is not known. It is never an instant: midnight of an
// edition's day is not a publication time.
type Day string

// ParseDay reads 2017-09-07, 20170907, 2017-09/07 or 2017/09/07.
func ParseDay(s string) (Day, error) {
	digits := make([]byte, 0, 8)
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= '0' && c <= '9' {
			digits = append(digits, c)
		} else if c != '-' && c != '/' {
			return "", fmt.Errorf("day %q: write it like 2017-09-07", s)
		}
	}
	if len(digits) != 8 {
		return "", fmt.Errorf("day %q: write it like 2017-09-07", s)
	}
	t, err := time.Parse("20060102", string(digits))
	if err != nil {
		return "", fmt.Errorf("day %q: no such day", s)
	}
	return Day(t.Format(time.DateOnly)), nil
}

// DayOf is the calendar day of an instant in a zone.
func DayOf(t time.Time, zone *time.Location) Day { return Day(t.In(zone).Format(time.DateOnly)) }

// Compact writes the day as 20170907, the form used in article ids.
func (d Day) Compact() string {
	if len(d) != 10 {
		return ""
	}
	return string(d[:4] + d[5:7] + d[8:])
}

// In is midnight of the day in a zone; the zero time for the empty Day.
func (d Day) In(zone *time.Location) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, string(d), zone)
	if err != nil {
		return time.Time{}
	}
	return t
}

// Add is the day n days later.
func (d Day) Add(n int) Day {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return d
	}
	return Day(t.AddDate(0, 0, n).Format(time.DateOnly))
}

// Paper is a publication, such as 焦作日报.
type Paper struct {
	Key      string `json:"key"`               // [a-z0-9]{1,24}
	Name     string `json:"name"`              // 焦作日报
	City     string `json:"city,omitempty"`    // division code of the city it serves, such as 410800
	Zone     string `json:"zone"`              // IANA name, such as Asia/Shanghai
	Language string `json:"language"`          // BCP 47, such as zh-CN
	URL      string `json:"url,omitempty"`     // the publisher's own entry page
	Link     Link   `json:"link"`              // where items link to
	Rights   Rights `json:"rights"`            // what may be shown in full
	Retired  bool   `json:"retired,omitempty"` // its source was taken out; its feeds stay
}

// Location is the paper's zone, Asia/Shanghai (UTC+8) where the name is unknown.
func (p Paper) Location() *time.Location {
	if z, err := time.LoadLocation(p.Zone); err == nil && p.Zone != "" {
		return z
	}
	return Shanghai
}

// Shanghai is UTC+8, the zone of a Chinese paper that names none. It is a fixed
// zone so that it needs no zone database; China has kept no summer time since 1991.
var Shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)

// Rights say how much of an article a view may see. The wider comes first.
type Rights string

// The rights a source may be given in the configuration.
const (
	RightsFull     Rights = "full"     // the whole article
	RightsSummary  Rights = "summary"  // headline, summary, first picture
	RightsHeadline Rights = "headline" // headline and link
)

// Narrower is the narrower of two rights.
func (r Rights) Narrower(o Rights) Rights {
	rank := func(r Rights) int {
		switch r {
		case RightsHeadline:
			return 2
		case RightsSummary:
			return 1
		}
		return 0
	}
	if rank(o) > rank(r) {
		return o
	}
	return r
}

// Link says where the items of a feed link to.
type Link string

// The link policies a source may be given in the configuration.
const (
	LinkShare  Link = "share"  // to our share page /a/{id}; the origin is given beside it
	LinkOrigin Link = "origin" // to the publisher's page; the share page is given beside it
)

// PageRef names a page (版) of an edition.
type PageRef struct {
	Number string `json:"number"` // as printed: 04, A01; leading zeros matter
	Name   string `json:"name"`   // 焦作/温县·马村区; empty where the paper prints none
}

// Person is somebody named in a byline.
type Person struct {
	Name string `json:"name"`
	Role Role   `json:"role"`
}

// Role is what a person in a byline did.
type Role string

// The roles of the contract.
const (
	Reporter      Role = "reporter"      // 记者
	Correspondent Role = "correspondent" // 通讯员
	Intern        Role = "intern"        // 实习生, 见习记者
	Photographer  Role = "photographer"  // 摄
	Editor        Role = "editor"        // 责编, 编辑
	Author        Role = "author"        // a bare name
)

// Image is a picture of an article. Width and Height are pixels and Length is
// bytes; each is 0 where it is not known.
type Image struct {
	URL     string `json:"url"` // absolute
	Caption string `json:"caption"`
	Credit  string `json:"credit"` // the photographer, without 摄
	Type    string `json:"type,omitempty"`
	Width   int    `json:"width,omitempty"`
	Height  int    `json:"height,omitempty"`
	Length  int64  `json:"length,omitempty"`
	// Mirror is our own copy, where there was one when the article was released:
	// from then on the version is shown with it, or without.
	Mirror *Picture `json:"mirror,omitempty"`
}

// Picture is a copy of a publisher's picture that we keep, served at /img/{name}.
type Picture struct {
	Name   string `json:"name"`   // {SHA-256 of its bytes}.{jpg, png, gif or webp}
	Type   string `json:"type"`   // image/jpeg
	Width  int    `json:"width"`  // pixels, 0 where unknown
	Height int    `json:"height"` // pixels
	Length int64  `json:"length"` // bytes
	Source string `json:"source"` // where it was fetched: often a larger one than the article shows
}

// Article is one normalised article: the content that is kept, and that a
// version of it consists of. Nothing in it depends on when we read it.
type Article struct {
	ID       string   `json:"id"` // {paper}-{yyyymmdd}-{origin id}, for ever
	Paper    string   `json:"paper"`
	Source   string   `json:"source"`           // key of the source it was read from
	Day      Day      `json:"day"`              // the edition's day; for an item of a feed the day of its date
	URL      string   `json:"url"`              // the publisher's page
	Page     PageRef  `json:"page"`             // empty for an item of a feed
	Position int      `json:"position"`         // place on its page, from 1
	Ordinal  int      `json:"ordinal"`          // place in the whole edition (or feed document), from 0: the front page's lead is 0
	Kicker   string   `json:"kicker,omitempty"` // 肩题
	Headline string   `json:"headline"`         // 主题
	Subtitle string   `json:"subtitle,omitempty"`
	Byline   []Person `json:"byline,omitempty"`
	Agency   string   `json:"agency,omitempty"` // the other paper or agency it came from: 新华社, 广西日报
	Text     string   `json:"text"`             // plain, paragraphs joined by \n
	HTML     string   `json:"html"`             // sanitised, links absolute
	Summary  string   `json:"summary"`          // whole sentences, at most 120 characters
	Images   []Image  `json:"images,omitempty"`
	Columns  []string `json:"columns,omitempty"` // columns or categories as the source names them
	Language string   `json:"language"`
	// Dated is the source's own publication time where it gives one with a time
	// of day (an item of a feed), else zero. It is never our published.
	Dated time.Time `json:"dated,omitzero"`
	// Pseudo says why this is no article at all (导读, 广告, 责编…): it is kept,
	// and not released by default. Empty for an article.
	Pseudo string `json:"pseudo,omitempty"`
}

// Title is the headline to show where there is room for one line only. A photo
// story whose headline only says that it is one (图片新闻 may stand twice on a page)
// shows the first clause of its caption or text too.
func (a Article) Title() string {
	title := a.Headline
	if title == "" {
		title = a.Kicker
	}
	if !photoHeads[title] {
		return title
	}
	words := a.Text
	if len(a.Images) > 0 && a.Images[0].Caption != "" {
		words = a.Images[0].Caption
	}
	if clause := firstClause(words); clause != "" {
		return title + "：" + clause
	}
	return title
}

// photoHeads are headlines that say no more than that there is a picture.
var photoHeads = map[string]bool{
	"图片新闻": true, "图片报道": true, "图片": true, "图说": true, "图片故事": true, "新闻图片": true,
	"摄影报道": true, "镜头": true, "光影": true, "图文": true, "一图": true, "图片说明": true,
}

// firstClause is the words before the second comma or the first full stop, at
// most 30 characters: a date alone, as captions begin, says nothing yet.
func firstClause(s string) string {
	clause := []rune{}
	commas := 0
	for _, r := range strings.TrimSpace(s) {
		switch r {
		case '。', '！', '？', '；', '\n', '(', '（':
			return string(clause)
		case '，', ',', '：', '、':
			if commas++; commas == 2 || len(clause) >= 12 {
				return string(clause)
			}
		}
		if len(clause) == 30 {
			return string(clause) + "…"
		}
		clause = append(clause, r)
	}
	return string(clause)
}

// Namespace is the constant UUID namespace of article and feed ids in feeds.
// Changing it would make every reader show everything again.
var Namespace = [16]byte{0x2f, 0x6b, 0x1c, 0x9e, 0x5d, 0x0a, 0x4c, 0x37, 0x9b, 0x41, 0x70, 0x61, 0x70, 0x65, 0x72, 0x77}

// URN is the urn:uuid (RFC 9562 §5.5, version 5) of an article id or of a scope.
func URN(id string) string {
	h := sha1.New()
	h.Write(Namespace[:])
	h.Write([]byte(id))
	u := h.Sum(nil)[:16]
	u[6] = u[6]&0x0f | 0x50
	u[8] = u[8]&0x3f | 0x80
	x := hex.EncodeToString(u)
	return "urn:uuid:" + x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

// Reach says how far an article reaches.
type Reach string

// The four reaches.
const (
	ReachDistrict  Reach = "district"  // about one district or a few of the served city
	ReachCity      Reach = "city"      // about the whole served city
	ReachElsewhere Reach = "elsewhere" // about another place
	ReachNone      Reach = "none"      // about no place
)

// Tier says how sure a district tag is. Only sure tags file an article.
type Tier string

// The two tiers.
const (
	Sure   Tier = "sure"
	Likely Tier = "likely"
)

// Evidence is one reason for a tag: which words, where, which rule, which weight.
type Evidence struct {
	Text   string  `json:"text"`   // the words as printed
	Zone   string  `json:"zone"`   // page, title, lead, body, byline
	Offset int     `json:"offset"` // of the words in their zone, in characters (runes), from 0
	Rule   string  `json:"rule"`   // short stable name of the rule
	Weight float64 `json:"weight"` // what it added; 0 or less where the mention was rejected
}

// Tag is one district an article is about.
type Tag struct {
	Code     string     `json:"code"` // 410825
	Name     string     `json:"name"` // 温县
	Tier     Tier       `json:"tier"`
	Score    float64    `json:"score"`
	Evidence []Evidence `json:"evidence"`
}

// Placing is what the tagger says of one text.
type Placing struct {
	Reach     Reach `json:"reach"`
	Districts []Tag `json:"districts"` // best first, never nil
}

// Sure are the codes of the sure tags.
func (p Placing) Sure() []string {
	var codes []string
	for _, t := range p.Districts {
		if t.Tier == Sure {
			codes = append(codes, t.Code)
		}
	}
	return codes
}

// Division is an administrative division: province, city, county or town.
type Division struct {
	Code   string `json:"code"` // 410825; towns have nine or twelve digits
	Name   string `json:"name"` // 温县
	Short  string `json:"short,omitempty"`
	Slug   string `json:"slug,omitempty"` // wenxian; unique among the counties of its city
	Level  string `json:"level"`          // province, city, county, town
	Parent string `json:"parent,omitempty"`
	Point  string `json:"point,omitempty"` // "35.08 113.08", latitude and longitude as in georss:point; empty where not known
}

// Section is a stable slug and a name that page names and columns map to.
type Section struct {
	Slug string `json:"slug"`
	Name string `json:"name"`
}

// Filing is everything an article is filed under at its ingest.
type Filing struct {
	Sections []Section `json:"sections"`
	Placing  Placing   `json:"placing"`
	// Districts are the codes to file under: the sure districts with the city
	// and province above them, or the city and province of a city-wide article.
	Districts []string `json:"districts"`
}

// Decision is what an editor does to an article. It stands above rules, tagger and
// publisher, at every later look too.
type Decision struct {
	Article string `json:"article"`
	Action  Action `json:"action"`
	// What to file under, for a refile; nil leaves it. Districts are codes, or one
	// word: [FiledCity], [FiledElsewhere], [FiledNone], [FiledByRules]. Sections are
	// slugs, or [FiledNone], [FiledByRules].
	Districts []string  `json:"districts,omitempty"`
	Sections  []string  `json:"sections,omitempty"`
	Who       string    `json:"who"`
	Why       string    `json:"why"`
	At        time.Time `json:"at,omitzero"`
}

// Action is a kind of decision.
type Action string

// The actions of an editor.
const (
	Refile       Action = "refile"
	WithdrawHand Action = "withdraw" // what is out becomes a notice; what is not out stays in
	RestoreHand  Action = "restore"  // undoes a withdrawal or a hold, whoever made it
	HoldHand     Action = "hold"     // keeps back what is not out yet
)

// Words that stand for districts or sections in a refiling.
const (
	FiledCity      = "city"      // about the whole city: in its feed and in no district's
	FiledElsewhere = "elsewhere" // about another place
	FiledNone      = "none"      // about no place; in no section
	FiledByRules   = "rules"     // as rules and tagger say, again
)

// Refiled says what moving one article came to.
type Refiled struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	// Parts of scopes that it left and that it joined; both empty where only the
	// evidence is another.
	Left   []string `json:"left,omitempty"`
	Joined []string `json:"joined,omitempty"`
}

// Edition is one issue of a paper.
type Edition struct {
	Paper    string        `json:"paper"`
	Day      Day           `json:"day"`
	URL      string        `json:"url,omitempty"` // the publisher's first page
	State    EditionState  `json:"state"`
	Pages    []EditionPage `json:"pages"`
	Articles int           `json:"articles"` // released, as the view sees them
	Previous Day           `json:"previous,omitempty"`
	Next     Day           `json:"next,omitempty"`
}

// EditionState says how complete an edition is.
type EditionState string

// The states of an edition.
const (
	EditionPartial   EditionState = "partial"   // something listed could not be read yet
	EditionComplete  EditionState = "complete"  // every article listed so far has been read
	EditionCorrected EditionState = "corrected" // complete, and an article changed since
)

// EditionPage is one page of an edition, with what it takes to show it and to
// tell whether it is complete.
type EditionPage struct {
	PageRef
	URL     string `json:"url,omitempty"`
	Picture string `json:"picture,omitempty"` // the page's picture
	PDF     string `json:"pdf,omitempty"`
	// Mirror is our own copy of the picture, where there is one.
	Mirror *Picture `json:"mirror,omitempty"`
	Areas  []Area   `json:"areas,omitempty"`
	Listed int      `json:"listed"` // articles the page lists
	Read   int      `json:"read"`   // of them read
	Failed int      `json:"failed"` // of them failed at the last try
}

// Area is a clickable area of a page's picture, as an HTML image map has it.
type Area struct {
	Article string `json:"article"`         // our article id
	Shape   string `json:"shape,omitempty"` // rect, poly, circle
	Coords  string `json:"coords"`          // as in <area coords>, pixels of the picture
	Title   string `json:"title,omitempty"`
}

// Archive tells of the archive of a scope (RFC 5005 §4) on a day.
type Archive struct {
	Day    Day
	Holds  bool      // there is something on that day
	Closed bool      // all editions of the day are: no item joins or leaves any more
	At     time.Time // when the last of them was closed; zero while it is open
	// The nearest days that hold something; empty where there is none.
	Previous, Next Day
}

// Stamp is an article that is out, and when it last changed: a line of a sitemap.
type Stamp struct {
	ID      string
	Updated time.Time
}

// Month is a calendar month of edition days, 2026-03, and how many articles it may
// hold at most.
type Month struct {
	Month string
	Most  int
}

// View is who is looking. It is part of every cache key.
type View struct {
	Key    string // "public", or the partner's key
	Rights Rights // the widest this view may see
}

// Public is everybody.
var Public = View{Key: "public", Rights: RightsFull}

// ItemState says whether an item still stands.
type ItemState string

// The states of an item in a feed.
const (
	Live      ItemState = "live"
	Withdrawn ItemState = "withdrawn" // its content is blank; only id, dates and place remain
)

// Item is a released article as the gate lets one view see it. Content that the
// view has no right to is already gone from the embedded Article.
type Item struct {
	Article
	URN       string
	State     ItemState
	Version   int       // 1 at first release, one more for each correction
	AsFirst   bool      // it reads as at its first release, whatever its version: withdrawn and restored
	Published time.Time // first release here, whole seconds, UTC; never moves
	Updated   time.Time // last real change of content, whole seconds, UTC
	Rights    Rights    // the narrower of paper and view
	Link      Link
	PaperName string
	PaperCity string
	Sections  []Section
	Districts []Tag // the sure tags with their evidence, county level
	Reach     Reach
	Notice    bool // in this feed because of a recent correction or withdrawal
	// Related are released articles of the paper that this one is tied to, by day
	// and place; nil where there are none.
	Related []Related
}

// Relation says what another article is to an item.
type Relation string

// The relations. Each but same has its reverse on the other article.
const (
	Corrects    Relation = "corrects"     // the item is a notice (更正) about the other
	CorrectedBy Relation = "corrected_by" // the other is a notice about the item
	Fuller      Relation = "fuller"       // the item is a brief, the other the whole story
	Brief       Relation = "brief"        // the other is a brief of the item
	Same        Relation = "same"         // the same story printed twice
)

// Reverse is the relation as the other article has it.
func (r Relation) Reverse() Relation {
	switch r {
	case Corrects:
		return CorrectedBy
	case CorrectedBy:
		return Corrects
	case Fuller:
		return Brief
	case Brief:
		return Fuller
	}
	return r
}

// Related is an article that an item is tied to.
type Related struct {
	Relation Relation `json:"relation"`
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Day      Day      `json:"day"`
	Page     PageRef  `json:"page"`
}

// Change is an item with the change that made its present version. Seq, and within
// it the id, order all changes as they became visible.
type Change struct {
	Seq  int64
	Item Item
}

// Corrected reports whether the item's content changed after its first release.
func (i Item) Corrected() bool { return i.Version > 1 && !i.AsFirst && i.State == Live }

// PartVersion says when one part of a scope last rose. A part is `all`,
// `paper/{key}`, `section/{slug}` or `district/{code}`.
type PartVersion struct {
	Part string
	Seq  int64     // the change sequence at which it last rose
	At   time.Time // the stored instant of that rise: Last-Modified
}

// ScopeInfo is one known single-part scope with what it holds.
type ScopeInfo struct {
	Part  string // district/410825
	Name  string // 温县
	Count int    // released articles in it
	Last  Day    // newest edition day in it; empty where it is empty
}

// Health is how a source fares. Times are zero where nothing happened yet.
type Health struct {
	Source   string    `json:"source"`
	Paper    string    `json:"paper"`
	Name     string    `json:"name"`
	Platform string    `json:"platform"`
	URL      string    `json:"url"`
	State    string    `json:"state"`            // ok, partial, waiting, alarm, failing, blocked, retired
	Problem  string    `json:"problem"`          // in words a person can act on; empty when ok
	Since    time.Time `json:"since,omitzero"`   // when the state began
	Checked  time.Time `json:"checked,omitzero"` // last successful look at the publisher
	Tried    time.Time `json:"tried,omitzero"`   // last look at all
	Due      time.Time `json:"due,omitzero"`     // next look
	Edition  Day       `json:"edition"`          // newest edition known
	Listed   int       `json:"listed"`           // of that edition: articles listed, read, failed
	Read     int       `json:"read"`
	Failed   int       `json:"failed"`
	Articles int       `json:"articles"` // released articles in all
}

// Incident is one stretch of trouble at a source, for the status feed.
type Incident struct {
	ID      int64     `json:"id"`
	Source  string    `json:"source"`
	Name    string    `json:"name"`
	State   string    `json:"state"`
	Problem string    `json:"problem"`
	Began   time.Time `json:"began"`
	Ended   time.Time `json:"ended,omitzero"` // zero while it lasts
}

// MaxValues is how many values one part of a scope may unite.
const MaxValues = 8

// Scope is what a feed is about. Its canonical string is the key of caches,
// URLs and ids: `all`, or parts in the order paper, section, district, page,
// then -section, -district, each value list sorted and without repeats. The
// zero Scope is `all`.
type Scope struct {
	Papers, Sections, Districts, Pages []string
	NotSections, NotDistricts          []string
}

// ScopeError says what is wrong with a scope and how to mend it. It is a 400.
type ScopeError struct{ Reason string }

func (e *ScopeError) Error() string { return e.Reason }

// ParseScope reads a scope from a URL path (already unescaped). It accepts
// values in any order, repeated values and the wrong case and brings them into
// canonical form; a caller redirects where the input differs from the result's
// String. It checks shapes only: whether a value is known, and whether one was
// written by name, is for the caller. Errors are *[ScopeError].
func ParseScope(path string) (Scope, error) {
	var s Scope
	path = strings.Trim(path, "/")
	if all, rest, more := strings.Cut(path, "/"); strings.EqualFold(all, "all") {
		if !more {
			return s, nil
		}
		path = rest // all/-section/x says no more than -section/x
	}
	if path == "" {
		return s, &ScopeError{"empty scope: write all, or paper/…, section/…, district/…"}
	}
	fields := strings.Split(path, "/")
	next := 0
	parts := s.parts()
	for i := 0; i < len(fields); i += 2 {
		at := -1
		for j := range parts {
			if parts[j].name == fields[i] {
				at = j
			}
		}
		switch {
		case at < 0:
			return s, &ScopeError{fmt.Sprintf("unknown part %q: a scope consists of paper, section, district, page, -section and -district", clip(fields[i]))}
		case at < next:
			return s, &ScopeError{fmt.Sprintf("part %q stands too late or twice: the order is paper, section, district, page, -section, -district", fields[i])}
		case i+1 >= len(fields) || fields[i+1] == "":
			return s, &ScopeError{fmt.Sprintf("part %q has no value", fields[i])}
		}
		next = at + 1
		values := strings.Split(fields[i+1], ",")
		for j, v := range values {
			if parts[at].name == "page" {
				v = strings.ToUpper(v)
			} else {
				v = strings.ToLower(v)
			}
			if !validValue(parts[at].name, v) {
				return s, &ScopeError{fmt.Sprintf("part %q: bad value %q", fields[i], clip(v))}
			}
			values[j] = v
		}
		slices.Sort(values)
		values = slices.Compact(values)
		if len(values) > MaxValues {
			return s, &ScopeError{fmt.Sprintf("part %q has %d values: at most %d are allowed", fields[i], len(values), MaxValues)}
		}
		*parts[at].values = values
	}
	if len(s.Pages) > 0 && len(s.Papers) != 1 {
		return s, &ScopeError{"page/… needs exactly one paper before it"}
	}
	return s, nil
}

// Window says which items of a scope are wanted. The zero Window is what a feed
// holds: the newest 50, or all within the 48 hours before the newest where that
// is more (at most 200), newest first, and the notices in their published place.
type Window struct {
	Limit int // 1..200 instead of the rule above; notices within it only, but for Beside
	// Beside lets notices stand beside the limit, as in a feed.
	Beside bool
	// Day asks for one edition day, in page order, of several papers page by page in
	// turn, without a limit; with Paper scopes this is the edition.
	Day Day
	// Before continues a list: items older than this published instant and, at
	// the same instant, with a smaller id. Newest first, Limit at most, no notices.
	Before   time.Time
	BeforeID string
	// Query are words that must all occur in an article, at most [MaxWords].
	Query []string
	// Newest asks for the newest edition of the scope that has live articles, in page
	// order, without notices and without a limit: a list to hand on (wechat). Items
	// of feeds, on no page, are in it only where nothing newest has a page.
	Newest bool
	// Archive asks, with Day, for what the archive document of that day holds (RFC
	// 5005 §4): what the scope held when the day was closed (until then: now),
	// newest first, withdrawn articles in their place, without a limit.
	Archive bool
	// Drip asks for the articles whose slot in the paced feed has come, newest slot
	// first; their Published is the slot.
	Drip *Drip
	// IDs asks for those of the named articles that a push about the scope may hold:
	// the live ones that stand in it, those it carried whose notice lasts, and the
	// withdrawn ones that it ever carried, however long ago. Newest first.
	IDs []string
	// Ever asks, with IDs, for everything that the scope ever carried.
	Ever bool
}

// MaxWords is how many words a search may consist of.
const MaxWords = 4

// Drip is the pace of a feed for schedulers: per edition at most Max articles, one
// every Pace.
type Drip struct {
	Pace time.Duration
	Max  int // 1..50
}

// Part names what rises, beside the parts of the scope itself, when an article's
// slot in the drip of a scope comes.
func (d Drip) Part(s Scope) string {
	return fmt.Sprintf("drip/%d/%d/%s", int(d.Pace/time.Second), d.Max, s)
}

// Event is one line of the outbox, written by the transaction that made the change.
type Event struct {
	Seq     int64 // the change sequence of that transaction; with N it orders all events
	N       int64
	Kind    EventKind
	Paper   string
	Day     Day
	Article string // empty for edition.complete
	Version int
	Parts   []string // every section/… and district/… that carries or ever carried it
	At      time.Time
	Plain   bool `json:",omitempty"` // written before ids held the instant
}

// EventKind is what happened.
type EventKind string

// The kinds of events.
const (
	ArticlePublished EventKind = "article.published" // first release, and restored ones
	ArticleCorrected EventKind = "article.corrected"
	ArticleWithdrawn EventKind = "article.withdrawn"
	ArticleRefiled   EventKind = "article.refiled"  // moved between scopes; content and dates are the same
	EditionClosed    EventKind = "edition.complete" // nothing more of it is expected
)

// Cursor is a place in the outbox: just behind the event of that number. The zero
// Cursor stands before every event.
type Cursor struct{ Seq, N int64 }

// Before reports whether a cursor stands before another.
func (c Cursor) Before(o Cursor) bool { return c.Seq < o.Seq || c.Seq == o.Seq && c.N < o.N }

// Cursor is the place just behind the event.
func (e Event) Cursor() Cursor { return Cursor{e.Seq, e.N} }

// ID is the event's id, the same in every push of it: its cursor and, in base 36, its
// second. After a backup was restored numbers come again, and an id must not: who keeps
// those he has seen would drop the news.
func (e Event) ID() string {
	if e.Plain {
		return fmt.Sprintf("evt_%d_%d", e.Seq, e.N)
	}
	return fmt.Sprintf("evt_%d_%d_%s", e.Seq, e.N, strconv.FormatInt(e.At.Unix(), 36))
}

// Receiver is somebody whom events are pushed to: a subscription at the hub, a
// webhook, a chat robot, a search engine. It has read the outbox up to its Cursor.
type Receiver struct {
	ID    string
	Kind  ReceiverKind
	Scope string // canonical; empty for an intent
	// URL is where it is reached. It may hold secrets and is never logged; empty
	// where the configuration has it.
	URL  string
	Host string // of URL, as host:port
	// Client is the address of who asked for an intent; empty for everything else.
	Client string
	Doc    string // JSON of what only its kind knows
	// Cursor is behind the last event that it received, or that is not for it.
	Cursor   Cursor
	State    ReceiverState
	Problem  string    // of the last try; empty after a success
	Attempts int       // failed tries of what it gets next
	Since    time.Time // first failure after the last success; zero where all is well
	Retry    time.Time // nothing is sent to it before
	Created  time.Time
	Expires  time.Time // zero: never
}

// ReceiverKind says what a receiver is.
type ReceiverKind string

// The kinds of receivers.
const (
	Subscription ReceiverKind = "subscription" // at the hub (WebSub)
	Intent       ReceiverKind = "intent"       // to subscribe or unsubscribe, not verified yet
	Webhook      ReceiverKind = "webhook"
	Robot        ReceiverKind = "robot"
	Ping         ReceiverKind = "ping" // outside hubs and search engines
)

// ReceiverState says whether a receiver gets anything.
type ReceiverState string

// The states of a receiver.
const (
	ReceiverLive   ReceiverState = "live"
	ReceiverPaused ReceiverState = "paused" // by the operator
	ReceiverGone   ReceiverState = "gone"   // it said so (HTTP 410)
)

// Missed is the Problem of a receiver that was not live for so long that events which
// it did not get are kept no longer.
const Missed = "it missed what happened more than 30 days ago: events are kept for no longer"

// Delivery is one try to push something.
type Delivery struct {
	Receiver string
	N        int64 // counts the tries of one receiver, from 1
	Event    string
	Kind     EventKind
	At       time.Time
	Took     time.Duration
	Status   int    // HTTP status; 0 where there was no answer
	Problem  string // empty where it was received
}

// DeadLetter is an event that a receiver did not get and is not sent again by itself.
type DeadLetter struct {
	Receiver string
	Event    Event
	At       time.Time // when it was given up
	Attempts int
	Problem  string // of the last try
}

// Backlog says how the receivers of one kind and state fare.
type Backlog struct {
	Kind      ReceiverKind
	State     ReceiverState
	Receivers int
	Failing   int       // of them failed at the last try
	Oldest    time.Time // of the oldest event that one of them has not got; zero where none waits
}
