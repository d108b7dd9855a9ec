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
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
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
	// JSON are the rules of platform json. Where they are set and Platform is
	// empty or auto, that is the platform.
	JSON *JSONRules
	// FullText asks for the article's page behind every item of a feed; the
	// feed's own text stays where the page gives less.
	FullText bool
	HTML     *HTMLRules // rules of platform html, or overrides of another platform's reader
}

// HTMLRules tell how to read a newspaper's pages: CSS selectors, regular
// expressions (RE2) and URL templates, each optional. Platform html reads by
// them alone and needs Articles or ArticleURL; on top of another platform a rule
// that is set wins over what the platform would find.
//
// A URL expression is held against the whole resolved URL. Its day is what Day
// captures, else the first date in it; a link of another day is another
// edition's. In templates {yyyy} {mm} {dd} are the edition's day and {page} is a
// page's number; they are relative to the source's URL, PageLink to the page.
type HTMLRules struct {
	// Where articles and pages are linked. With a selector only those links
	// count (or the links below what it selects); with an expression only URLs
	// that match.
	Articles   string `mapstructure:"articles"`    // selector of links to articles
	ArticleURL string `mapstructure:"article_url"` // (?P<id>…) or the groups joined by _ are the origin id, (?P<page>…) the page
	Pages      string `mapstructure:"pages"`       // selector of links to pages
	PageURL    string `mapstructure:"page_url"`    // (?P<page>…) or the first group is the page number
	// Positional: the origin id tells a place in the edition, not an article.
	Positional bool     `mapstructure:"positional"`
	HrefAttrs  []string `mapstructure:"href_attrs"`  // attributes that hold links, beside href
	TitleAttrs []string `mapstructure:"title_attrs"` // attributes that hold titles, before the link's text
	OnClick    []string `mapstructure:"onclick"`     // expressions on onclick; the first group is the URL

	// Which pages an edition has where no link tells.
	PageNumbers string `mapstructure:"page_numbers"` // on the page's source; the first group lists the numbers: 001,002
	PageLink    string `mapstructure:"page_link"`    // template of a page's URL
	PageNumber  string `mapstructure:"page_number"`  // on a page's label, else its URL; the first group is the number, a second one the name
	PageLabel   string `mapstructure:"page_label"`   // selector of a page's own label: its text, else its title or alt
	PagePicture string `mapstructure:"page_picture"` // selector of the page's picture

	// Which editions there are.
	Latest       string `mapstructure:"latest"`        // selector of the entry's link to the newest edition
	LatestURL    string `mapstructure:"latest_url"`    // expression on that URL, also where a script holds it
	Edition      string `mapstructure:"edition"`       // template of an edition's first page
	Calendar     string `mapstructure:"calendar"`      // template of a month's calendar
	CalendarDays string `mapstructure:"calendar_days"` // selector of its days, or /expression/ with groups year, month, day, or the day alone
	Day          string `mapstructure:"day"`           // on a URL; groups year, month, day

	// What an article's page holds: selectors.
	Kicker   string   `mapstructure:"kicker"`
	Headline string   `mapstructure:"headline"`
	Subtitle string   `mapstructure:"subtitle"`
	Byline   string   `mapstructure:"byline"`
	Date     string   `mapstructure:"date"` // the printed day: its text, else its title or alt. It names the day where the URL does not, and tells an old edition at a new address
	Body     string   `mapstructure:"body"`
	Images   string   `mapstructure:"images"`   // photos outside the body
	Captions string   `mapstructure:"captions"` // their captions, in the same order
	Drop     []string `mapstructure:"drop"`     // what is taken out of every page first
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
	// Late are days up to After whose editions are not known, for one may come after
	// a later one: they are found where the publisher's own list has them. Where it
	// lists no days, only those in Missed are asked for.
	Late   []paper.Day
	Missed []paper.Day // of Late, days that were missing at an earlier look
	Max    int         // at most so many new editions, newest first; 0 means 1
	Only   paper.Day   // just this day (backfill); the others are ignored
}

// Found is what a look at a source told.
type Found struct {
	Platform string    // which platform it was (the answer of auto)
	Name     string    // the paper's or feed's own name as printed; may be empty
	Editions []Edition // oldest first; a feed is one Edition without a day
	// Missing are days that the calendar or the URL scheme offers and the
	// publisher does not have: holidays and late uploads. Not an error.
	Missing []paper.Day
	// Announced are those of Missing that the publisher's own list of days has.
	Announced []paper.Day
	// Problem says why a missing day is more than that: an old edition stands at
	// its address.
	Problem string
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
	// Printed is set where the index held the whole article (feeds, some
	// editions): Read needs no request then, unless Sketch says that the
	// article's own page has more of it (its pictures).
	Printed *Printed
	Sketch  bool
	// Changed is the publisher's own sign that an article changed, such as a
	// sitemap's lastmod; empty where the index has none.
	Changed string

	by   string // the platform that found it
	body string // of the POST request that gets it; empty for GET
	// listed is what the index tells of an article that must be asked for.
	listed *Printed
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

// ErrUnchanged: the publisher says nothing changed since the last read (304).
var ErrUnchanged = errors.New("unchanged since the last read")

// Info describes one registered platform for people.
type Info struct {
	Name   string
	About  string   // one line
	Needs  string   // what its configuration needs beyond key, name, url; may be empty
	Shapes []string // examples of the URLs it reads
}

// JSONRules say where things stand in the documents of a JSON API or a data.js.
//
// A path leads from an object to a value: names joined by dots, [2] for a place
// in a list, [-1] for the last one, [*] for every one: data.list[*].pages. A |
// between paths takes the first that leads to something; "" quotes a name with
// other characters; a dot alone is the object itself. Text that holds JSON again
// is gone into. On an object [*] gives its values, sorted by name.
//
// A template is an address or a request body with {…} in it. Of the edition's
// day: {yyyy} {mm} {dd} {yy} {m} {d} {yyyymmdd} {yyyy-mm-dd}; anything else is a
// path from the article, else from its page, else from the edition's list.
// Addresses are relative to the source's url. A request with a body is a POST:
// JSON where the body begins with { or [ and a form otherwise.
type JSONRules struct {
	List     string   `mapstructure:"list"`      // template of the edition's list; empty: the source's url
	ListBody string   `mapstructure:"list_body"` // template
	Headers  []string `mapstructure:"headers"`   // "X-Requested-With: XMLHttpRequest", sent with every request
	Variable string   `mapstructure:"variable"`  // of data.js, where it holds several; empty: the first list or object

	Days  string `mapstructure:"days"`  // path: the days there are, in the source's url; list then needs the day
	Day   string `mapstructure:"day"`   // path: the edition's day, in its list; or the word url: it stands in the address
	Paper string `mapstructure:"paper"` // path: the paper's name, in the list

	Pages       string `mapstructure:"pages"`        // path: every page, in the list; empty: articles name their page
	PageNumber  string `mapstructure:"page_number"`  // path, from a page; without pages from an article; 第01版：要闻 gives both
	PageName    string `mapstructure:"page_name"`    // path
	PagePicture string `mapstructure:"page_picture"` // path
	PagePDF     string `mapstructure:"page_pdf"`     // path
	Page        string `mapstructure:"page"`         // template: a page's own request, where its articles need one
	PageBody    string `mapstructure:"page_body"`    // template

	Articles string `mapstructure:"articles"` // path: every article, from a page, from the answer of its own request, or from the list
	Reversed bool   `mapstructure:"reversed"` // the last of the list is the first on the page
	ID       string `mapstructure:"id"`       // path, from an article: what never changes; empty: a hash of its address

	Title    string `mapstructure:"title"`    // path, in the list or in the article's own answer, as those below
	Kicker   string `mapstructure:"kicker"`   // path
	Subtitle string `mapstructure:"subtitle"` // path
	Author   string `mapstructure:"author"`   // path
	Agency   string `mapstructure:"agency"`   // path: the other paper or agency it is from
	Content  string `mapstructure:"content"`  // path: the body: HTML, escaped HTML or text
	Images   string `mapstructure:"images"`   // path: addresses of pictures outside the body
	Captions string `mapstructure:"captions"` // path: as many

	Article     string `mapstructure:"article"`      // template: an article's own request; empty: link, unless content stands in the list
	ArticleBody string `mapstructure:"article_body"` // template
	ArticleAt   string `mapstructure:"article_at"`   // path: the article in the answer of its own request
	Link        string `mapstructure:"link"`         // path, or a template with {…}: the address people open
}

// Check names what is missing or cannot work, a line each, with the remedy.
func (r *JSONRules) Check() error { return r.check() }

// platform is one registered kind of source.
type platform struct {
	info Info
	// sniff reports whether an entry document, after its hops, is of this kind.
	sniff func(Source, *document) bool
	// find tells the editions behind an entry document.
	find func(context.Context, Getter, Source, Want, *document) (Found, error)
	// direct platforms ask by rules of their own; the entry is not fetched for
	// them and find gets no document.
	direct bool
	// read reads one article.
	read func(context.Context, Getter, Source, Ref) (Printed, error)
	// parse reads one document; false where it is none of this platform's.
	parse func(Source, *document) (Parsed, bool)
}

// platforms is written by init functions only.
var platforms = map[string]platform{}

// register adds a platform; a name that is taken panics.
func register(p platform) {
	if _, ok := platforms[p.info.Name]; ok || p.info.Name == "" || p.info.Name == auto {
		panic("sources: platform " + p.info.Name + " registered twice or badly named")
	}
	platforms[p.info.Name] = p
}

// auto is the platform name that means: find out by looking.
const auto = "auto"

// Platforms lists the registered platforms by name.
func Platforms() []Info {
	list := make([]Info, 0, len(platforms))
	for _, p := range platforms {
		list = append(list, p.info)
	}
	slices.SortFunc(list, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// asked are the platforms that a source's setting allows, by name.
func (s Source) asked() ([]platform, error) {
	if s.JSON != nil && (s.Platform == "" || s.Platform == auto) {
		s.Platform = "json"
	}
	if s.Platform != "" && s.Platform != auto {
		p, ok := platforms[s.Platform]
		if !ok {
			return nil, fmt.Errorf("platform %q: not known; see paperwire platforms", s.Platform)
		}
		return []platform{p}, nil
	}
	var list []platform
	for _, i := range Platforms() {
		list = append(list, platforms[i.Name])
	}
	return list, nil
}

// zone is the source's zone, UTC+8 where none is set.
func (s Source) zone() *time.Location {
	if s.Zone == nil {
		return paper.Shanghai
	}
	return s.Zone
}

// maxHops caps how often an entry page may send its reader on by refresh or
// script; HTTP redirects are the client's.
const maxHops = 3

// Find looks at a source. Errors: *BlockedError, *UnknownError, or fetch's. A
// page that cannot be read makes its edition Partial; only the entry itself
// makes Find fail.
func Find(ctx context.Context, g Getter, s Source, w Want) (Found, error) {
	asked, err := s.asked()
	if err != nil {
		return Found{}, fmt.Errorf("find %s: %w", s.Key, err)
	}
	var d *document
	if len(asked) != 1 || !asked[0].direct {
		if d, err = s.land(ctx, g, s.URL, ""); err != nil {
			return Found{}, fmt.Errorf("find %s: %w", s.Key, err)
		}
	}
	for _, p := range asked {
		if len(asked) > 1 && !p.sniff(s, d) {
			continue
		}
		f, err := p.find(ctx, g, s, w, d)
		for _, e := range f.Editions {
			for i := range e.Refs {
				e.Refs[i].by = p.info.Name
			}
		}
		return f, err
	}
	return Found{}, fmt.Errorf("find %s: %w", s.Key, &UnknownError{URL: d.url.String(), Reason: "no platform knows it: " + seen(d)})
}

// Read reads one article. Errors as for Find, and ErrUnchanged.
func Read(ctx context.Context, g Getter, s Source, r Ref) (Printed, error) {
	if r.Printed != nil && !r.Sketch {
		if s.FullText && (r.by == "feed" || r.by == "") {
			return fullText(ctx, g, s, r)
		}
		return *r.Printed, nil
	}
	asked, err := s.asked()
	if err != nil {
		return Printed{}, fmt.Errorf("read %s: %w", r.URL, err)
	}
	if p, ok := platforms[r.by]; ok {
		asked = []platform{p}
	}
	for _, p := range asked {
		if p.read != nil {
			return p.read(ctx, g, s, r)
		}
	}
	return Printed{}, &UnknownError{URL: r.URL, Reason: "the source's feed no longer holds it"}
}

// Rebuilds reports whether a parser of HTML may build more than limit elements of
// src, because formatting elements are left open. What it counts as open is never
// less than what the parser has open.
func Rebuilds(src string, limit int) bool { return rebuilds(src, limit) }

// Report is what a look at a paper's site told.
type Report struct {
	URL      string // as asked
	Landed   string // after redirects; empty where nothing answered
	Platform string // empty where none knows it: then Saw says what stands there
	Saw      string
	Name     string   // the paper's or feed's own, as printed; may be empty
	Edition  Edition  // the newest
	Article  *Printed // a sample; nil where none could be read
	Warnings []string
	Lines    []string  // of configuration, to paste under sources
	Fetched  []Fetched // every document, in order
}

// Fetched is one document as it came, decompressed and not decoded.
type Fetched struct {
	URL   string // after redirects
	Label string // Content-Type as sent
	Body  []byte
}

// Probe looks at a paper's site as platform auto does, reads one article and
// proposes the lines of configuration. city, which may be nil, gives the division
// code of the city that a paper's name speaks of, or nothing. An address that no
// platform knows is no error; the error is the context's, or a bad address.
func Probe(ctx context.Context, g Getter, at string, zone *time.Location, now time.Time, city func(name string) string) (Report, error) {
	if u, err := url.Parse(at); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return Report{URL: at}, fmt.Errorf("probe %s: no absolute http(s) address: write it with http:// or https://", at)
	}
	if zone == nil {
		zone = paper.Shanghai
	}
	return probe(ctx, g, at, zone, now, city)
}

// Parse reads one document as if it had been fetched from url; body is UTF-8
// (see fetch.Decode). No network, no clock. It never fails: what it cannot tell
// is of kind unknown, with the reason.
func Parse(s Source, at, contentType string, body []byte) Parsed {
	asked, err := s.asked()
	if err != nil {
		return Parsed{Kind: "unknown", Reason: err.Error()}
	}
	u, err := url.Parse(at)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return Parsed{Kind: "unknown", Reason: fmt.Sprintf("%q is no absolute http(s) URL", at)}
	}
	d := openDocument(u, contentType, body)
	if reason := wall(d); reason != "" {
		return Parsed{Kind: "blocked", Reason: reason}
	}
	if err := s.rule(d); err != nil {
		return Parsed{Kind: "unknown", Reason: err.Error()}
	}
	unknown := ""
	for _, p := range asked {
		got, ok := p.parse(s, d)
		if ok && got.Kind != "unknown" {
			return got
		}
		if ok && unknown == "" {
			unknown = got.Reason
		}
	}
	if u := hop(d); u != nil {
		unknown = "an entry page that sends its reader on to " + u.String()
	}
	if unknown == "" {
		unknown = "no platform knows it"
	}
	return Parsed{Kind: "unknown", Reason: unknown + ": " + seen(d)}
}

// land fetches an entry and follows where it sends on, up to three times; what
// it ends at is what links resolve against.
func (s Source) land(ctx context.Context, g Getter, at, from string) (*document, error) {
	entry := at
	been := map[string]bool{}
	for hops := 0; ; hops++ {
		been[identity(at)] = true
		d, err := s.get(ctx, g, at, from, true)
		if err != nil {
			return nil, err
		}
		next, latest := hop(d), d.rules.latestOf(d)
		if latest != nil {
			next = latest
		}
		if next == nil || been[identity(next.String())] {
			return d, nil
		}
		// A full index may reload itself or send telephones away.
		if p := readIndex(d); latest == nil && p != nil && len(p.Pages) > 1 && len(p.Refs) > 0 {
			return d, nil
		}
		if hops == maxHops {
			return nil, &UnknownError{URL: entry, Reason: fmt.Sprintf("sends its reader on more than %d times, at last to %s", maxHops, next)}
		}
		at, from = next.String(), d.url.String()
	}
}

// get fetches and opens one document under the source's rules; see [get].
func (s Source) get(ctx context.Context, g Getter, at, referer string, keep bool) (*document, error) {
	d, err := get(ctx, g, at, referer, keep)
	if err != nil {
		return nil, err
	}
	if err := s.rule(d); err != nil {
		return nil, &UnknownError{URL: at, Reason: err.Error()}
	}
	return d, nil
}

// get fetches and opens one document. With keep the client remembers its body,
// so that an unchanged document still is read; without it an unchanged one is
// ErrUnchanged. A wall is a *BlockedError.
func get(ctx context.Context, g Getter, at, referer string, keep bool) (*document, error) {
	return request(ctx, g, fetch.Request{URL: at, Referer: referer, Keep: keep})
}

// request is get for a whole request.
func request(ctx context.Context, g Getter, r fetch.Request) (*document, error) {
	doc, err := g.Get(ctx, r)
	if err == nil && doc.NotModified && len(doc.Body) == 0 {
		if !r.Keep {
			return nil, ErrUnchanged
		}
		r.Fresh = true
		doc, err = g.Get(ctx, r)
	}
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(doc.URL)
	if err != nil || u.Host == "" {
		if u, err = url.Parse(r.URL); err != nil {
			return nil, fmt.Errorf("get %s: %w", r.URL, err)
		}
	}
	d := openDocument(u, doc.ContentType, doc.Body)
	if reason := wall(d); reason != "" {
		return nil, &BlockedError{URL: u.String(), Reason: reason}
	}
	if reason := severed(d); reason != "" {
		return nil, fmt.Errorf("read %s: cut off, %s: %w", u, reason, io.ErrUnexpectedEOF)
	}
	return d, nil
}

// seen says in a few words what a document looked like, for people.
func seen(d *document) string {
	if d.root == nil {
		return fmt.Sprintf("%d bytes of %q, no HTML", len(d.body), d.contentType)
	}
	t := collapse(d.seen.title)
	if r := []rune(t); len(r) > 60 {
		t = string(r[:60])
	}
	s := fmt.Sprintf("an HTML page titled %q with %d links", t, d.dom.Find("a[href], area[href]").Length())
	if href, ok := d.dom.Find(`link[rel="alternate"][type="application/rss+xml"], link[rel="alternate"][type="application/atom+xml"]`).First().Attr("href"); ok {
		if u := resolve(d.base, href); u != nil {
			s += "; it names a feed, " + u.String()
		}
	}
	return s
}
