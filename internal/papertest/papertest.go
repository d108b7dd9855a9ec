// Package papertest is a newspaper publisher for tests. It serves papers that
// nobody printed over loopback HTTP, with the link shapes, cells, image maps,
// metadata comments and calendars of real ones. It advances by a day, corrects
// and withdraws articles, is redesigned overnight, and misbehaves on request.
//
//	p := papertest.New(papertest.Options{Key: "jzrb", Form: papertest.FounderClassic})
//	defer p.Close()
//	// read p.URL() …
//	p.NextDay()
//	p.Misbehave(papertest.Status(503, time.Minute).On("content_").Times(2))
//
// Everything it serves follows from the options and the calls alone: the same
// seed and the same calls give the same bytes (but for the port in the absolute
// links of a feed, and for [Options.Noise], which is there to differ).
package papertest

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"paperwire/internal/paper"
)

// Form is how a paper appears on the web.
type Form string

// The forms. Every publisher serves its feeds beside its pages; the form says
// what [Publisher.URL] leads to.
const (
	FounderClassic Form = "founder-classic" // {key}/html/2026-03/17/node_2.htm, content_N.htm
	FounderNew     Form = "founder-new"     // {key}/pc/layout/202603/17/node_01.html, pc/content/…/content_N.html
	RSS            Form = "rss"             // {key}/rss.xml; the articles stand on classic pages
	Atom           Form = "atom"            // {key}/atom.xml
	JSONFeed       Form = "jsonfeed"        // {key}/feed.json, version 1.1
	PaperIndex     Form = "paperindex"      // {key}/content/20260317/Page01BC.htm, Articel01002NR.htm
	S              Form = "s"               // shtml/{key}/20260317/v01.shtml, 270001.shtml
	H              Form = "h"               // {key}/20260317/html/page_01.htm, content_270001.htm
	N              Form = "n"               // {key}/page.aspx?date=2026-03-17&page=01, show.aspx?id=270001
	TRS            Form = "trs"             // {key}/20260317/20260317_001/20260317_001.htm, …_001_1.htm; GBK
	JSONAPI        Form = "jsonapi"         // {key}/app/index.html; POST {key}/app/api/list.do, getPage.do?code=20260317&page=01
	DataJS         Form = "datajs"          // {key}/html/2026/20260317/data.js, data.json, article_270001.html
)

// Options describe a publisher. The zero value of each field means its default.
type Options struct {
	Key  string // path prefix of all it serves (in S the second part of it); default "test"
	Name string // printed name; default 测试日报
	Form Form   // default FounderClassic
	// Day of the first edition, which New publishes; default 2026-03-17.
	Day paper.Day
	// Pages and ArticlesPerPage size a synthetic edition; default 4 and 4.
	// Pages -1: New publishes nothing, the test does by Publish.
	Pages, ArticlesPerPage int
	// City 410800 (the default) makes synthetic text name the districts of 焦作;
	// any other makes it name none.
	City string
	Seed int64
	// Charset is utf-8 (the default, but for TRS) or gb18030. The latter is served
	// as many papers do it: without a charset in the header and labelled gb2312,
	// or gbk by TRS.
	Charset string
	// Entry is how a classic entry page leads to the first page: meta (the
	// default), script, timeout, or redirect (a 302).
	Entry string
	// Noise puts an advertisement and a hit counter that change with each
	// response into every HTML page; such responses carry no validators.
	Noise bool
	// NoValidators leaves out ETag and Last-Modified, so nothing is ever a 304.
	NoValidators bool
	// NoCalendar leaves out period.xml.
	NoCalendar bool
	// Gzip compresses text for clients that ask for it.
	Gzip bool
	// Embed makes a PaperIndex front page carry the body of every article of the
	// edition, as some do.
	Embed bool
	// Robots is the text of /robots.txt; empty: it is a 404.
	Robots string
	// Now is the clock by which faults end (see Fault.For); default time.Now.
	Now func() time.Time
	// Base is what absolute links begin with, such as http://demo.example. Where
	// it is set no server is started: the Publisher is used as a handler.
	Base string
}

// Page is one page (版) of an edition.
type Page struct {
	Number   string // 01, A01
	Name     string // 要闻; may be empty
	Articles []Article
	// Featured are ids of articles of other pages that this page's text list
	// names too (今日关注); its image map does not.
	Featured []string
	Charset  string // of the page's document; default Options.Charset
}

// Article is one article as the publisher holds it.
type Article struct {
	ID       string // digits, as in content_279424; Publish gives one where it is empty
	Kicker   string // 肩题
	Headline string // may hold <br>
	Subtitle string
	// Byline is printed at the head of the first paragraph: 本报讯（记者 某某）.
	// Where it holds ■, □ or a line break it is a paragraph of its own.
	Byline string
	Author string // the author field of cells and metadata; usually empty
	// Paragraphs are plain text. One that begins with < is HTML and is written
	// as it stands: a table, a bold subhead.
	Paragraphs []string
	Images     []Image
	Charset    string // of the article's document; default Options.Charset
	Page       paper.PageRef
	Position   int       // on its page, from 1
	Day        paper.Day // of its edition
	URL        string    // where it stands now; set by Articles, ignored on the way in
}

// Image is a picture of an article.
type Image struct {
	Caption string
	Format  string // jpeg (the default) or png
	Width   int    // pixels; default 480
	Height  int    // pixels; default 320
	Inline  bool   // inside the body, not above it
	Data    []byte // the file; nil: one is drawn
}

// Request is one request as the publisher answered it.
type Request struct {
	Time            time.Time // when it came
	Method          string
	Path            string // with the query
	Status          int    // 0: no answer yet, or the connection was closed without one
	Bytes           int64  // of the body as sent
	IfNoneMatch     string
	IfModifiedSince string
	Range           string
	UserAgent       string
	Referer         string
	RequestedWith   string // X-Requested-With
}

// Fault is one way to misbehave. The zero Fault does nothing; make one with
// Slow, Status and so on, and narrow it with On and Times.
type Fault struct {
	kind   string
	path   string // substring of path and query; empty: all
	left   int    // requests it still strikes; 0: until Behave
	delay  time.Duration
	status int // or a share in percent
	retry  time.Duration
	to     string        // a redirect's target
	during time.Duration // 0: for ever
	until  time.Time     // set when it begins, where during is
}

// Slow answers rightly, but only after d (or when the client leaves).
func Slow(d time.Duration) Fault { return Fault{kind: "slow", delay: d} }

// Status answers with a status code and a short HTML body; retryAfter above 0
// adds Retry-After in whole seconds.
func Status(code int, retryAfter time.Duration) Fault {
	return Fault{kind: "status", status: code, retry: retryAfter}
}

// CutOff announces the whole body, sends half of it and closes the connection.
func CutOff() Fault { return Fault{kind: "cutoff"} }

// WrongCharset sends the other charset than the labels in header and page say:
// GB18030 called utf-8, or UTF-8 called gb2312.
func WrongCharset() Fault { return Fault{kind: "charset"} }

// Captcha answers 200 with a page that asks for the characters in a picture.
func Captcha() Fault { return Fault{kind: "captcha"} }

// Challenge answers 200 with a page that a script is to leave again.
func Challenge() Fault { return Fault{kind: "challenge"} }

// RedirectLoop answers 302 to another URL of the same path, for ever.
func RedirectLoop() Fault { return Fault{kind: "loop"} }

// Huge sends 64 MiB of HTML.
func Huge() Fault { return Fault{kind: "huge"} }

// Bomb sends 64 MiB of HTML in about 64 KB of gzip, asked for or not.
func Bomb() Fault { return Fault{kind: "bomb"} }

// Empty answers 200 with a page that lists nothing and links nowhere, as a
// paper does whose upload failed.
func Empty() Fault { return Fault{kind: "empty"} }

// Down closes every connection without an answer.
func Down() Fault { return Fault{kind: "down"} }

// WrongLength announces percent of the body's length and sends the whole body:
// of 50 the client reads half a page and no error, of 200 a body that ends early.
func WrongLength(percent int) Fault { return Fault{kind: "length", status: percent} }

// Endless sends HTML until the client leaves.
func Endless() Fault { return Fault{kind: "endless"} }

// SlowLoris announces the whole body and sends it a byte at a time, each every
// later than the one before.
func SlowLoris(every time.Duration) Fault { return Fault{kind: "loris", delay: every} }

// RedirectTo answers 302 to a URL as it stands, such as a forbidden address:
// http://169.254.169.254/latest/meta-data/.
func RedirectTo(url string) Fault { return Fault{kind: "redirect", to: url} }

// On strikes only requests whose path or query contains the substring.
func (f Fault) On(substring string) Fault { f.path = substring; return f }

// Times strikes n requests and then no more.
func (f Fault) Times(n int) Fault { f.left = n; return f }

// For ends the fault after d by the clock of Options.Now.
func (f Fault) For(d time.Duration) Fault { f.during = d; return f }

// Publisher serves one paper. It is safe for concurrent use; it is also an
// http.Handler.
type Publisher struct {
	opts   Options
	server *httptest.Server // nil where Options.Base is set
	secure *httptest.Server // nil before SelfSigned
	base   string
	root   string // of every path: /test
	entry  string // path of the first form's entry; it outlives a redesign

	mu       sync.RWMutex
	form     Form
	day      paper.Day
	clock    time.Time // of the newsroom: rises with every change
	editions []*edition
	byID     map[string]*entry
	nextID   int
	used     map[string]bool  // headlines printed so far
	site     map[string]*file // by path; nil after a change
	noise    int
	faults   []Fault
	requests []*Request           // in order of arrival
	skin     int                  // of PaperIndex: rises with a redesign that renames
	stale    paper.Day            // at whose address the newest edition is served again; empty: none
	held     bool                 // the entry leads to the edition before the newest
	rest     map[paper.Day][]Page // what Complete is to bring
	gone     []*absent            // what is hidden for a while
}

// New publishes the first edition and starts a server on loopback.
func New(o Options) *Publisher {
	p := prepare(o)
	if p.opts.Base == "" {
		p.server = httptest.NewServer(p)
		p.base = p.server.URL
	}
	if p.opts.Pages > 0 {
		p.Publish(p.day, p.compose(p.day))
	}
	return p
}

// Close stops the server and closes every connection to it.
func (p *Publisher) Close() {
	for _, s := range []*httptest.Server{p.server, p.secure} {
		if s != nil {
			s.CloseClientConnections()
			s.Close()
		}
	}
}

// SelfSigned is the entry over https, by a certificate that nobody vouches for.
// The listener starts with the first call.
func (p *Publisher) SelfSigned() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.secure == nil {
		p.secure = httptest.NewUnstartedServer(p)
		// Clients that refuse the certificate are what it is for.
		p.secure.Config.ErrorLog = log.New(io.Discard, "", 0)
		p.secure.StartTLS()
	}
	return p.secure.URL + p.entry
}

// URL is the entry of the paper in its first form. After a redesign it leads on
// to the new one, as publishers keep it.
func (p *Publisher) URL() string { return p.base + p.entry }

// Feed is the URL of the paper's feed in a format: RSS, Atom or JSONFeed.
func (p *Publisher) Feed(f Form) string { return p.base + p.root + feedPaths[f] }

// Day is the day of the newest edition.
func (p *Publisher) Day() paper.Day {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.day
}

// Postgres gives the DSN of a fresh, empty database and drops it when the test
// ends. It needs the program psql and, in PAPERWIRE_TEST_POSTGRES, the URL of a
// server with the right to create databases, such as
// postgres://postgres@127.0.0.1:5432/postgres. Where one is missing the test is
// skipped, or fails with PAPERWIRE_TEST_ALL=1.
func Postgres(t testing.TB) string {
	t.Helper()
	return createDatabase(t)
}

// Need gives the path of a program that a test runs. Where it is not installed
// the test is skipped, or fails with PAPERWIRE_TEST_ALL=1.
func Need(t testing.TB, program string) string {
	t.Helper()
	return lookUp(t, program)
}

var _ http.Handler = (*Publisher)(nil)
