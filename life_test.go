package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paperwire/internal/fetch"
	"paperwire/internal/ingest"
	"paperwire/internal/paper"
	"paperwire/internal/papertest"
	"paperwire/internal/place"
	"paperwire/internal/store"
	"paperwire/sources"
	"paperwire/syndicate"
)

// Thirty days of a subscriber: a publisher of forty articles a day who corrects,
// withdraws and is late, an editor who files otherwise, withdraws, restores and
// holds, and readers of several scopes in three formats who ask every half hour. One
// process serves all the time, so that what is cached must notice every change.
//
// Every printing of an article carries a mark of its own (lh00042v3e: story 42, the
// third printing) in headline, text and captions. So any document can be searched
// for what must not stand in it: a mark that is not the newest of a live article.

const lifeDays = 30

// The districts that editors file under.
var lifeDistricts = []string{"410802", "410804", "410811", "410821", "410822", "410823", "410825", "410882", "410883"}

// What is subscribed to; the last four in the long run only.
var lifeFeeds = []string{
	"all.json", "paper/wk.atom", "district/410825.rss", "section/yaowen.json", "paper/wk/district/410823,410825.rss", // merged
	"all.rss", "all.atom", "paper/wk/district/410823,410825.json", "section/minsheng,yaowen/-district/410825.atom",
}

// lifeLong says that all is done that takes minutes.
var lifeLong = os.Getenv("PAPERWIRE_TEST_LONG") == "1"

type life struct {
	*testing.T
	clock   atomic.Int64 // milliseconds of the Unix epoch
	rnd     *rand.Rand
	pub     *papertest.Publisher
	store   *store.Store
	in      *ingest.Ingest
	options syndicate.Options
	web     *httptest.Server

	mu      sync.Mutex
	traffic map[string]*traffic // by user agent

	stories []*story
	byURN   map[string]*story
	open    []*story // of which the store does not show yet what it must
	readers []*subscriber
	boat    *boat           // nil where newsboat is not installed
	boated  map[string]bool // by URN: what it saw live
	deeds   map[string]int  // what happened, and how often
	later   []deed
}

// traffic is what one kind of client was answered.
type traffic struct {
	requests, unchanged int
	bytes               int64
}

// deed is something that somebody does at a moment.
type deed struct {
	at   time.Time
	what string
	do   func()
}

// story is one article from its printing to the end of the month.
type story struct {
	number, printing int
	id, urn          string
	at               string // its id at the publisher's
	base             papertest.Article
	want             string // the state that the store must come to

	// As the store has it now.
	state, shows string
	filing       paper.Filing

	published time.Time // as first read by anybody
	busy      bool      // something happens to it
	revived   bool      // it came back after a withdrawal
}

var lifeMark = regexp.MustCompile(`lh\d{5}v\d+e`)

func (s *story) mark() string { return fmt.Sprintf("lh%05dv%de", s.number, s.printing) }

// print gives the article as the publisher prints it now.
func (s *story) print() papertest.Article {
	a, m := s.base, s.mark()
	a.Headline += m
	if a.Kicker != "" {
		a.Kicker += m
	}
	if a.Subtitle != "" {
		a.Subtitle += m
	}
	a.Paragraphs, a.Images = slices.Clone(a.Paragraphs), slices.Clone(a.Images)
	a.Paragraphs[1] = m + a.Paragraphs[1]
	for i := range a.Images {
		a.Images[i].Caption = m + a.Images[i].Caption
	}
	return a
}

func (l *life) now() time.Time { return time.UnixMilli(l.clock.Load()) }

func lifeDay(d int) paper.Day { return paper.Day("2026-03-01").Add(d) }

func lifeTime(d, hour, minute int) time.Time {
	return lifeDay(d).In(paper.Shanghai).Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
}

func newLife(t *testing.T, dsn string) *life {
	l := &life{T: t, rnd: rand.New(rand.NewPCG(20260301, 30)), traffic: map[string]*traffic{}, byURN: map[string]*story{}, deeds: map[string]int{}, boated: map[string]bool{}}
	l.clock.Store(lifeTime(0, 5, 0).UnixMilli())
	l.pub = papertest.New(papertest.Options{Key: "wk", Name: "测试日报", Pages: -1, Day: lifeDay(0), Now: l.now})
	t.Cleanup(l.pub.Close)
	var err error
	if l.store, err = store.Open(t.Context(), dsn, store.Options{Now: l.now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.store.Close() })
	client := fetch.New(fetch.Options{Open: []string{"127.0.0.1"}, Pace: -1, Memory: l.store, Now: l.now})
	t.Cleanup(client.Close)
	names, err := place.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	l.in = ingest.New(ingest.Options{Store: l.store, Fetch: client, Gazetteer: names, Now: l.now})
	if err := l.in.Configure(t.Context(), ingest.Config{
		Sources: []ingest.Source{{
			Source: sources.Source{Key: "wk", Paper: "wk", Platform: "auto", URL: l.pub.URL(), Zone: paper.Shanghai},
			Name:   "测试日报", City: "410800", Language: "zh-CN", Rights: paper.RightsFull, Link: paper.LinkShare,
			Hold:   30 * time.Minute,
			Window: ingest.Window{From: 5 * time.Hour, To: 7 * time.Hour, Within: 30 * time.Minute, Every: 3 * time.Hour},
		}},
		Sections: []ingest.SectionRule{{Slug: "yaowen", Name: "要闻", Match: []string{"要闻"}}, {Slug: "minsheng", Name: "民生", Match: []string{"民生"}}},
	}); err != nil {
		t.Fatal(err)
	}

	var h atomic.Pointer[http.Handler]
	l.web = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &counted{ResponseWriter: w, status: http.StatusOK}
		(*h.Load()).ServeHTTP(c, r)
		agent, _, _ := strings.Cut(r.UserAgent(), "/")
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.traffic[agent] == nil {
			l.traffic[agent] = &traffic{}
		}
		l.traffic[agent].requests++
		l.traffic[agent].bytes += c.bytes
		if c.status == http.StatusNotModified {
			l.traffic[agent].unchanged++
		}
	}))
	t.Cleanup(l.web.Close)
	l.options = syndicate.Options{Base: l.web.URL, Store: l.store, Names: names, Pictures: l.store, Editor: l.in, Now: l.now}
	serving, err := syndicate.New(l.options)
	if err != nil {
		t.Fatal(err)
	}
	var handler http.Handler = serving
	h.Store(&handler)

	feeds := lifeFeeds[:5]
	if lifeLong {
		feeds = lifeFeeds
	}
	for i, name := range feeds {
		scope, ext := name[:strings.LastIndex(name, ".")], name[strings.LastIndex(name, ".")+1:]
		sc, err := paper.ParseScope(scope)
		if err != nil {
			t.Fatal(err)
		}
		// Each is away for three days, every one at another time.
		gone := 1 + i*24/(len(feeds)-1)
		l.readers = append(l.readers, &subscriber{
			life: l, scope: sc, ext: ext, url: l.web.URL + "/feeds/" + name,
			have: map[string]kept{}, owed: map[string]bool{}, needs: map[string]bool{}, may: map[string]bool{},
			left: lifeTime(gone, 12, 15), back: lifeTime(gone+3, 12, 15),
		})
	}
	return l
}

// counted counts what a client is sent.
type counted struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (c *counted) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	c.bytes += int64(n)
	return n, err
}

// kept is an article as a reader keeps it.
type kept struct {
	title, body        string
	published, updated time.Time
	withdrawn          bool
}

// subscriber is a subscription of the small client: it asks conditionally, keeps items
// by id, replaces what changed, honours withdrawals, and when it was away reads the
// archives back to what it knows.
type subscriber struct {
	*life
	scope         paper.Scope
	ext, url      string
	tag, modified string
	have          map[string]kept
	left, back    time.Time
	archives      int

	// By URN: what stands in the scope and was not asked for yet, what must be kept in
	// the end, and what may.
	owed, needs, may map[string]bool
}

// stands takes note of where a story is now.
func (r *subscriber) stands(s *story) {
	if s.state == "released" && within(r.scope, s.filing) {
		r.may[s.urn] = true
		if !r.needs[s.urn] {
			r.owed[s.urn] = true
		}
		return
	}
	delete(r.owed, s.urn)
}

// within reports whether an article so filed stands in a scope.
func within(sc paper.Scope, f paper.Filing) bool {
	in := func(list []string, district bool) bool {
		return slices.ContainsFunc(list, func(v string) bool {
			if district {
				return slices.Contains(f.Districts, v)
			}
			return slices.ContainsFunc(f.Sections, func(x paper.Section) bool { return x.Slug == v })
		})
	}
	return (len(sc.Sections) == 0 || in(sc.Sections, false)) && (len(sc.Districts) == 0 || in(sc.Districts, true)) &&
		!in(sc.NotSections, false) && !in(sc.NotDistricts, true)
}

// get is one request as a good reader makes it; nil is a 304.
func (r *subscriber) get(target, tag, modified string) (*http.Response, []byte) {
	r.Helper()
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, target, nil)
	if err != nil {
		r.Fatal(err)
	}
	req.Header.Set("User-Agent", "reader/1")
	req.Header.Set("Accept-Encoding", "gzip")
	if tag != "" {
		req.Header.Set("If-None-Match", tag)
		req.Header.Set("If-Modified-Since", modified)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotModified {
		return resp, nil
	}
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.Header.Get("Content-Encoding") == "gzip" {
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(body)); err == nil {
			body, err = io.ReadAll(z)
		}
	}
	if err != nil || resp.StatusCode != http.StatusOK {
		r.Fatalf("%s %s: %s %v %.300s", r.stamp(), target, resp.Status, err, body)
	}
	return resp, body
}

func (l *life) stamp() string { return l.now().In(paper.Shanghai).Format("01-02 15:04") }

// poll is one look at the feed.
func (r *subscriber) poll() {
	r.Helper()
	resp, body := r.get(r.url, r.tag, r.modified)
	if body != nil {
		r.tag, r.modified = resp.Header.Get("ETag"), resp.Header.Get("Last-Modified")
		before := maps.Clone(r.have)
		doc := r.read(r.url, body)
		// After a time away the archives are read back to a day that was known as a whole.
		for known := 0; r.now().Sub(r.back).Abs() < time.Hour && doc.previous != "" && known < 1; r.archives++ {
			target := doc.previous
			_, body := r.get(target, "", "")
			doc = r.read(target, body)
			if !slices.ContainsFunc(doc.entries, func(e brought) bool { _, known := before[e.id]; return !known }) {
				known++
			}
		}
	}
	for urn := range r.owed {
		if k, ok := r.have[urn]; !ok || k.withdrawn {
			s := r.byURN[urn]
			r.Errorf("%s: %s has not brought %s of %s (answer %s)", r.stamp(), r.url, s.mark(), s.id, resp.Status)
		}
		r.needs[urn] = true
	}
	clear(r.owed)
	if r.Failed() {
		r.FailNow()
	}
}

// read takes in one document.
func (r *subscriber) read(target string, body []byte) document {
	r.Helper()
	doc, err := readDocument(r.ext, body)
	if err != nil {
		r.Fatalf("%s: %v", target, err)
	}
	seen := map[string]bool{}
	for i, e := range doc.entries {
		s := r.byURN[e.id]
		if s == nil {
			r.Errorf("%s: %s holds %s %q, which was never printed", r.stamp(), target, e.id, e.title)
			continue
		}
		if seen[e.id] {
			r.Errorf("%s: %s holds %s twice", r.stamp(), target, s.id)
		}
		seen[e.id] = true
		if i > 0 && !doc.entries[i-1].published.After(e.published) {
			r.Errorf("%s: %s: %s stands below one of its own date", r.stamp(), target, s.id)
		}
		if !r.may[e.id] {
			r.Errorf("%s: %s holds %s, which never stood there", r.stamp(), target, s.id)
		}
		if s.published.IsZero() {
			s.published = e.published
		}
		if !e.published.Equal(s.published) {
			r.Errorf("%s: %s: %s is published %s, was %s", r.stamp(), target, s.id, e.published, s.published)
		}
		marks := lifeMark.FindAllString(e.title+" "+e.body, -1)
		switch {
		case e.withdrawn:
			if s.state != "withdrawn" || len(marks) > 0 || strings.Contains(e.body, s.base.Paragraphs[0]) {
				r.Errorf("%s: %s: %s is withdrawn: %q %.60q; in the store it is %s", r.stamp(), target, s.id, e.title, e.body, s.state)
			}
		case s.state != "released" || len(marks) < 2 || slices.ContainsFunc(marks, func(m string) bool { return m != s.shows }) || !lifeMark.MatchString(e.title):
			r.Errorf("%s: %s: %s shows %v, title %q; in the store it is %s with %s", r.stamp(), target, s.id, marks, e.title, s.state, s.shows)
		}
		was, known := r.have[e.id]
		if known && !e.updated.After(was.updated) && (!e.updated.Equal(was.updated) || e.kept != was) {
			r.Errorf("%s: %s: %s changed in silence: updated %s, was %s", r.stamp(), target, s.id, e.updated, was.updated)
		}
		if known && e.updated.After(was.updated) && e.title == was.title && e.body == was.body && e.withdrawn == was.withdrawn && !s.revived {
			r.Errorf("%s: %s: %s moved updated and nothing else", r.stamp(), target, s.id)
		}
		r.have[e.id] = e.kept
	}
	if r.Failed() {
		r.FailNow()
	}
	return doc
}

// brought is an item as a document has it.
type brought struct {
	id string
	kept
}

type document struct {
	entries  []brought
	previous string // the archive before it (RFC 5005 §4)
}

type lifeLink struct {
	Rel  string `xml:"rel,attr"`
	Href string `xml:"href,attr"`
}

// readDocument reads a feed the way that the smallest of clients would.
func readDocument(ext string, body []byte) (doc document, err error) {
	var wrong []error
	date := func(layout, s string) time.Time {
		at, err := time.Parse(layout, s)
		if err != nil {
			wrong = append(wrong, err)
		}
		return at
	}
	add := func(id, title, content string, published, updated time.Time, withdrawn bool) {
		if updated.IsZero() {
			updated = published
		}
		doc.entries = append(doc.entries, brought{id, kept{title, plainText(content), published, updated, withdrawn}})
	}
	link := func(list []lifeLink) {
		for _, l := range list {
			if l.Rel == "prev-archive" {
				doc.previous = l.Href
			}
		}
	}
	switch ext {
	case "rss":
		var x struct {
			Channel struct {
				Links []lifeLink `xml:"http://www.w3.org/2005/Atom link"`
				Items []struct {
					GUID      string `xml:"guid"`
					Title     string `xml:"title"`
					PubDate   string `xml:"pubDate"`
					Plain     string `xml:"description"`
					Content   string `xml:"http://purl.org/rss/1.0/modules/content/ encoded"`
					Updated   string `xml:"http://www.w3.org/2005/Atom updated"`
					Withdrawn string `xml:"http://purl.org/dc/terms/ valid"`
				} `xml:"item"`
			} `xml:"channel"`
		}
		err = xml.Unmarshal(body, &x)
		link(x.Channel.Links)
		for _, i := range x.Channel.Items {
			updated := time.Time{}
			if i.Updated != "" {
				updated = date(time.RFC3339, i.Updated)
			}
			add(i.GUID, i.Title, cmp.Or(i.Content, i.Plain), date(time.RFC1123Z, i.PubDate), updated, i.Withdrawn != "")
		}
	case "atom":
		var x struct {
			Links   []lifeLink `xml:"http://www.w3.org/2005/Atom link"`
			Entries []struct {
				ID        string `xml:"http://www.w3.org/2005/Atom id"`
				Title     string `xml:"http://www.w3.org/2005/Atom title"`
				Published string `xml:"http://www.w3.org/2005/Atom published"`
				Updated   string `xml:"http://www.w3.org/2005/Atom updated"`
				Summary   string `xml:"http://www.w3.org/2005/Atom summary"`
				Content   string `xml:"http://www.w3.org/2005/Atom content"`
			} `xml:"http://www.w3.org/2005/Atom entry"`
			Deleted []struct {
				Ref  string `xml:"ref,attr"`
				When string `xml:"when,attr"`
			} `xml:"http://purl.org/atompub/tombstones/1.0 deleted-entry"`
		}
		err = xml.Unmarshal(body, &x)
		link(x.Links)
		gone := map[string]time.Time{}
		for _, d := range x.Deleted {
			gone[d.Ref] = date(time.RFC3339, d.When)
		}
		for _, e := range x.Entries {
			updated := date(time.RFC3339, e.Updated)
			when, dead := gone[e.ID]
			// RFC 6721 §3: a tombstone counts where the entry is not newer.
			add(e.ID, e.Title, cmp.Or(e.Content, e.Summary), date(time.RFC3339, e.Published), updated, dead && !updated.After(when))
			delete(gone, e.ID)
		}
		if len(gone) > 0 {
			wrong = append(wrong, fmt.Errorf("tombstones of %v without an entry", gone))
		}
	case "json":
		var x struct {
			Next  string `json:"next_url"`
			Items []struct {
				ID        string    `json:"id"`
				Title     string    `json:"title"`
				HTML      string    `json:"content_html"`
				Text      string    `json:"content_text"`
				Published time.Time `json:"date_published"`
				Modified  time.Time `json:"date_modified"`
				Ours      struct {
					State string `json:"state"`
				} `json:"_paperwire"`
			} `json:"items"`
		}
		err = json.Unmarshal(body, &x)
		doc.previous = x.Next
		for _, i := range x.Items {
			add(i.ID, i.Title, cmp.Or(i.HTML, html.EscapeString(i.Text)), i.Published, i.Modified, i.Ours.State == "withdrawn")
		}
	}
	return doc, errors.Join(append(wrong, err)...)
}

var tagOf = regexp.MustCompile(`<[^>]*>`)

// plainText is the text of HTML without any white space.
func plainText(s string) string {
	return strings.Join(strings.Fields(html.UnescapeString(tagOf.ReplaceAllString(s, ""))), "")
}

// lacks tells what of an article's last printing a client's copy does not have.
func (s *story) lacks(title, body string) string {
	a := s.print()
	if title != a.Headline {
		return "the title " + a.Headline
	}
	for i, p := range a.Paragraphs {
		p = plainText(p)
		if i == len(a.Paragraphs)-1 && strings.HasSuffix(p, "）") {
			p = p[:strings.LastIndex(p, "（")] // a name, which is a byline
		}
		at := strings.Index(body, p)
		if at < 0 {
			return "the paragraph " + p
		}
		body = body[at+len(p):]
	}
	return ""
}

// write gives the pages of an edition of pages of perPage articles, as stories.
func (l *life) write(day paper.Day, pages, perPage int) []papertest.Page {
	desk := papertest.New(papertest.Options{Day: day, Pages: pages, ArticlesPerPage: perPage, Seed: 20260301, Base: "http://desk.example"})
	defer desk.Close()
	var list []papertest.Page
	for _, a := range desk.Articles(day) {
		if n := len(list); n == 0 || list[n-1].Number != a.Page.Number {
			list = append(list, papertest.Page{Number: a.Page.Number, Name: a.Page.Name})
		}
		p := &list[len(list)-1]
		p.Articles = append(p.Articles, l.story(day, a))
	}
	return list
}

// story takes up an article, as the publisher shall print it.
func (l *life) story(day paper.Day, a papertest.Article) papertest.Article {
	s := &story{number: len(l.stories) + 1, printing: 1, base: a, want: "released"}
	s.at = fmt.Sprint(400000 + s.number)
	s.id = "wk-" + day.Compact() + "-" + s.at
	s.urn = paper.URN(s.id)
	s.base.ID, s.base.Day = s.at, day
	l.stories, l.byURN[s.urn] = append(l.stories, s), s
	l.open = append(l.open, s)
	return s.print()
}

// pick takes a live story of a day to which nothing happens otherwise.
func (l *life) pick(day paper.Day) *story {
	l.Helper()
	var list []*story
	for _, s := range l.stories {
		if s.base.Day == day && s.state == "released" && s.want == "released" && !s.busy {
			list = append(list, s)
		}
	}
	if len(list) == 0 {
		l.Fatalf("%s: nothing happens to no story of %s", l.stamp(), day)
	}
	s := list[l.rnd.IntN(len(list))]
	s.busy = true
	return s
}

// becomes says what the store must come to show.
func (l *life) becomes(s *story, state string) {
	s.want = state
	if !slices.Contains(l.open, s) {
		l.open = append(l.open, s)
	}
}

// correct prints a story once more.
func (l *life) correct(s *story) {
	s.printing++
	switch s.printing % 3 {
	case 0:
		s.base.Headline = "更正后的标题"
	case 1:
		s.base.Images = nil
	}
	s.base.Paragraphs[2] = fmt.Sprintf("第%d次印出来的时候，这一段已经改过。", s.printing)
	l.pub.Correct(s.at, func(a *papertest.Article) { *a = s.print() })
	l.becomes(s, s.want)
}

// decide is the editor's hand.
func (l *life) decide(s *story, d paper.Decision) {
	l.Helper()
	d.Article, d.Who = s.id, "值班编辑"
	if _, err := l.in.Decide(l.Context(), d); err != nil {
		l.Fatalf("%s: %s %s: %v", l.stamp(), d.Action, s.id, err)
	}
	l.note(s)
}

// elsewhere files a story under another district.
func (l *life) elsewhere(s *story) {
	l.Helper()
	for {
		code := lifeDistricts[l.rnd.IntN(len(lifeDistricts))]
		if !slices.Contains(s.filing.Districts, code) {
			l.decide(s, paper.Decision{Action: paper.Refile, Districts: []string{code}})
			return
		}
	}
}

// note asks the store where a story is now, and tells the readers.
func (l *life) note(s *story) {
	l.Helper()
	x, err := l.store.Subject(l.Context(), s.id)
	if errors.Is(err, paper.ErrNotFound) {
		return
	} else if err != nil {
		l.Fatal(err)
	}
	s.state, s.shows, s.filing = x.State, lifeMark.FindString(x.Article.Headline), x.Filing
	for _, r := range l.readers {
		r.stands(s)
	}
}

// settle notes what became of the stories of which something is awaited.
func (l *life) settle() {
	l.Helper()
	l.open = slices.DeleteFunc(l.open, func(s *story) bool {
		l.note(s)
		return s.state == s.want && (s.state != "released" || s.shows == s.mark())
	})
}

func (l *life) at(d, hour, minute int, what string, do func()) {
	l.later = append(l.later, deed{lifeTime(d, hour, minute), what, do})
}

// month writes down what happens, beside what each reader does.
func (l *life) month() {
	for d := range lifeDays {
		day := lifeDay(d)
		switch d {
		case 14:
			l.at(d, 5, 30, "days without an edition", l.pub.Rest)
			continue
		case 10:
			l.at(d, 5, 30, "busy days", func() { l.pub.Publish(day, l.write(day, 15, 10)) })
		case 19:
			l.at(d, 5, 30, "editions", func() { l.pub.PublishPart(day, l.write(day, 8, 5), 7, 0) })
			l.at(d, 8, 0, "late pages", func() { l.pub.Complete(day) })
		default:
			l.at(d, 5, 30, "editions", func() { l.pub.Publish(day, l.write(day, 8, 5)) })
		}
		if d == 6 || d == 23 {
			l.at(d, 9, 0, "late articles of the front page", func() {
				l.pub.AddLate(day, "01", l.story(day, papertest.Article{
					Headline: "晚到的一条消息", Paragraphs: []string{"本报讯 这一条是上午十点才登出来的。", "那时早上的一版已经有人读过了。", "它还是要到每一位读者手里。"},
				}))
			})
		}
		// Corrections of the day, one of them twice; of the day before.
		l.at(d, 9, 0, "corrections", func() {
			for i := range 3 {
				s := l.pick(day)
				l.correct(s)
				if i == 0 {
					l.at(d, 15, 0, "corrections", func() { l.correct(s) })
				}
			}
		})
		if d > 0 && d != 15 {
			l.at(d, 9, 0, "corrections of the day before", func() { l.correct(l.pick(day.Add(-1))) })
		}
		// The publisher withdraws for good, or for half a day.
		switch d % 3 {
		case 0:
			l.at(d, 9, 0, "withdrawals by the publisher", func() {
				s := l.pick(day)
				l.pub.Withdraw(s.at)
				l.becomes(s, "withdrawn")
			})
		case 1:
			l.at(d, 9, 0, "withdrawals by the publisher", func() {
				s := l.pick(day)
				l.pub.Hiccup(s.at, 0)
				l.becomes(s, "withdrawn")
				l.at(d, 17, 0, "restored by the publisher", func() {
					l.pub.Recover(s.at)
					s.revived = true
					l.becomes(s, "released")
				})
			})
		}
		// The editor moves two from district to district, one of them twice; that one is
		// corrected or withdrawn afterwards, and so is one that was moved once.
		l.at(d, 12, 0, "moves between districts", func() {
			once, twice := l.pick(day), l.pick(day)
			l.elsewhere(once)
			l.elsewhere(twice)
			l.at(d, 15, 0, "moves between districts", func() { l.elsewhere(twice) })
			switch d % 4 {
			case 0:
				l.at(d, 17, 0, "corrections of what was moved", func() { l.correct(once); l.correct(twice) })
			case 1:
				l.at(d, 17, 0, "withdrawals of what was moved", func() {
					for _, s := range []*story{once, twice} {
						l.becomes(s, "withdrawn")
						l.decide(s, paper.Decision{Action: paper.WithdrawHand})
					}
				})
			}
			if d%5 == 4 {
				l.at(d, 12, 0, "moves between sections", func() { l.decide(once, paper.Decision{Action: paper.Refile, Sections: []string{"minsheng"}}) })
			}
		})
		// The editor withdraws what is out, of today or up to five days ago, and brings
		// some of it back the day after, or when it has long left the feeds. The publisher
		// has it all the while, and goes on correcting it.
		if d >= 6 {
			l.at(d, 12, 0, "withdrawals by the editor", func() {
				s := l.pick(lifeDay(d - d%6))
				l.becomes(s, "withdrawn")
				l.decide(s, paper.Decision{Action: paper.WithdrawHand})
				switch {
				case d%4 == 1 && d < lifeDays-6:
					l.at(d+1, 12, 0, "restored by the editor", func() { l.restore(s) })
				case d%4 == 2 && d < lifeDays-6:
					l.at(d+4, 12, 0, "restored by the editor", func() { l.restore(s) })
				case d%6 == 0:
					l.at(d, 17, 0, "corrections of what is withdrawn", func() { l.correct(s) })
				}
			})
		}
	}
}

func (l *life) restore(s *story) {
	l.Helper()
	s.revived = true
	l.becomes(s, "released")
	l.decide(s, paper.Decision{Action: paper.RestoreHand})
}

// holds keeps back what has been read and is not out yet: every fifth day one
// article until the next day, and one for ever.
func (l *life) holds() {
	l.Helper()
	now := l.now().In(paper.Shanghai)
	if now.Day()%5 != 4 || now.Hour() != 5 {
		return
	}
	n := 0
	for _, s := range l.open {
		if s.state != "ingested" || s.busy || s.base.Page.Number != "03" || n == 2 {
			continue
		}
		if n++; n == 2 {
			l.at(now.Day(), 12, 0, "released after a hold", func() {
				l.becomes(s, "released")
				l.decide(s, paper.Decision{Action: paper.RestoreHand})
			})
		}
		s.busy, s.want = true, "withheld"
		l.decide(s, paper.Decision{Action: paper.HoldHand})
		l.deeds["holds"]++
	}
}

// run lets the month pass in steps of half an hour.
func (l *life) run() {
	for ; l.now().Before(lifeTime(lifeDays, 5, 0)); l.clock.Add((30 * time.Minute).Milliseconds()) {
		var due []deed
		l.later = slices.DeleteFunc(l.later, func(d deed) bool {
			if d.at.After(l.now()) {
				return false
			}
			due = append(due, d)
			return true
		})
		for _, d := range due {
			d.do()
			l.deeds[d.what]++
		}
		l.step()
		l.nudge()
		for _, r := range l.readers {
			if l.now().Before(r.left) || l.now().After(r.back) {
				r.poll()
			}
		}
		if now := l.now().In(paper.Shanghai); now.Hour() == 22 && now.Minute() == 0 {
			l.sail()
		}
	}
}

// sail is newsboat's look, once a day.
func (l *life) sail() {
	if l.boat == nil {
		return
	}
	l.boat.do("reload")
	for _, s := range l.stories {
		if s.state == "released" {
			l.boated[s.urn] = true
		}
	}
}

// step is what the process does by itself.
func (l *life) step() {
	l.Helper()
	must := func(err error) {
		l.Helper()
		if err != nil {
			l.Fatalf("%s: %v", l.stamp(), err)
		}
	}
	keys, err := l.store.Due(l.Context())
	must(err)
	for _, key := range keys {
		must(l.in.Poll(l.Context(), key, l.now()))
		l.settle()
		l.holds()
	}
	papers, err := l.store.Ready(l.Context())
	must(err)
	for _, key := range papers {
		_, err := l.store.Release(l.Context(), key)
		must(err)
	}
	if len(papers) > 0 {
		l.settle()
	}
	_, err = l.store.Expire(l.Context())
	must(err)
	_, err = l.store.CloseDays(l.Context())
	must(err)
}

// nudge makes the serving process look at the store, as it does by itself four times
// a second of the other clock: whatever has to be rendered begins with that.
func (l *life) nudge() {
	resp, err := http.Get(l.web.URL + "/feeds/all/archive/2000-01-01.json")
	if err != nil {
		l.Fatal(err)
	}
	resp.Body.Close()
}

// Each reader ends with every article of its scope once, in its last version; what was
// withdrawn or held stands nowhere.
func TestSubscribersLife(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { subscribersLife(t, filepath.Join(t.TempDir(), "paperwire.db")) })
	if lifeLong { // on PostgreSQL it takes minutes
		t.Run("postgres", func(t *testing.T) { subscribersLife(t, papertest.Postgres(t)) })
	}
}

func subscribersLife(t *testing.T, dsn string) {
	l := newLife(t, dsn)
	_, err := exec.LookPath("newsboat")
	if err == nil {
		_, err = exec.LookPath("sqlite3")
	}
	if err == nil {
		b := newBoat(t, l.web.URL+"/feeds/paper/wk.rss", l.web.URL+"/feeds/paper/wk/district/410823,410825.atom")
		l.boat = &b
	}
	l.month()
	began := time.Now()
	l.run()
	for _, what := range slices.Sorted(maps.Keys(l.deeds)) {
		t.Logf("%d %s", l.deeds[what], what)
	}
	for _, s := range l.open {
		t.Errorf("%s is %s with %s, to be %s with %s", s.id, s.state, s.shows, s.want, s.mark())
	}
	for _, r := range l.readers {
		r.balance()
	}
	for _, agent := range slices.Sorted(maps.Keys(l.traffic)) {
		x := l.traffic[agent]
		t.Logf("%s: %d requests, %d of them answered 304, %d KB", agent, x.requests, x.unchanged, x.bytes>>10)
	}
	if x := l.traffic["reader"]; x.unchanged*4 < x.requests*3 {
		t.Errorf("of %d requests of readers %d were answered 304", x.requests, x.unchanged)
	}
	t.Logf("the month took %s", time.Since(began).Round(time.Second))
	t.Run("newsboat", func(t *testing.T) {
		if l.boat == nil {
			newBoat(t) // skips, or fails where all tests were promised
		}
		l.landed(t)
	})
	t.Run("nowhere", l.nowhere)
	t.Run("restarted", l.restarted)
}

// landed holds what newsboat has against what was printed last: each article once,
// in its last version or as a notice.
func (l *life) landed(t *testing.T) {
	rows, withdrawn := l.boat.rows(), 0
	for urn := range l.boated {
		s := l.byURN[urn]
		row, ok := rows[urn]
		body := plainText(row.Content)
		switch {
		case !ok:
			t.Errorf("newsboat lacks %s", s.id)
		case s.want == "withdrawn":
			withdrawn++
			if lifeMark.MatchString(row.Title + row.Content) {
				t.Errorf("newsboat shows %s, which is withdrawn: %s %s", s.id, row.Title, body)
			}
		default:
			if what := s.lacks(row.Title, body); what != "" || row.PubDate != s.published.Unix() {
				t.Errorf("newsboat: %s of %d, not %d, lacks %s: %s %s", s.id, row.PubDate, s.published.Unix(), what, row.Title, body)
			}
		}
	}
	for guid, row := range rows {
		if s := l.byURN[guid]; s == nil || s.state == "withheld" {
			t.Errorf("newsboat has %s %s", guid, row.Title)
		}
	}
	t.Logf("newsboat: %d articles, %d of them withdrawn", len(rows), withdrawn)
}

// ask is a request of nobody in particular. The clock goes on by a second, for what
// is asked for is more than one client's share of a moment.
func (l *life) ask(t *testing.T, target string) (*http.Response, []byte) {
	t.Helper()
	l.clock.Add(1000)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.web.URL+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("User-Agent", "anybody")
	resp, err := http.DefaultTransport.RoundTrip(req) // redirects are what it answers
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}

// of is the story that an address is about; nil where it is about none.
func (l *life) of(target string) *story {
	i := slices.IndexFunc(l.stories, func(s *story) bool { return strings.Contains(target, s.id) })
	if i < 0 {
		return nil
	}
	return l.stories[i]
}

// worth reports whether a link is followed: of the very many that are alike, some.
func (l *life) worth(to string) bool {
	if strings.HasSuffix(to, "/") || strings.ContainsAny(to, "{}") || strings.Contains(to, "/card/") || strings.HasSuffix(to, ".png") || strings.Contains(to, "utm_") {
		return false // names of schemes, templates, pictures, addresses to share
	}
	if s := l.of(to); s != nil && (!s.busy || s.state == "released" && s.number%2 == 0) {
		return false
	}
	// Of combinations that nobody subscribed to one format; and fewer archives and pages.
	read := slices.ContainsFunc(lifeFeeds, func(f string) bool {
		scope := "/feeds/" + f[:strings.LastIndex(f, ".")]
		return strings.HasPrefix(to, scope+".") || strings.HasPrefix(to, scope+"/archive/")
	})
	one := strings.HasSuffix(to, ".json") || read && lifeLong
	switch {
	case strings.Contains(to, "/archive/"):
		return read && one || strings.HasPrefix(to, "/feeds/all/")
	case strings.HasPrefix(to, "/feeds/"):
		return read || one || strings.Count(to, "/") <= 3
	case strings.Contains(to, "?page="):
		return lifeLong || strings.HasSuffix(to, "=03")
	}
	return true
}

// nowhere asks for everything there is and looks for what must not be: any mark but
// that of the newest printing of a live article.
func (l *life) nowhere(t *testing.T) {
	live := map[string]bool{}
	for _, s := range l.stories {
		if s.state == "released" {
			live[s.mark()] = true
		}
	}
	clean := func(target string, resp *http.Response, body []byte) {
		t.Helper()
		for name, values := range resp.Header {
			body = append(body, " "+name+" "+strings.Join(values, " ")...)
		}
		for _, m := range lifeMark.FindAll(body, -1) {
			if !live[string(m)] {
				t.Errorf("%s (%s) holds %s", target, resp.Status, m)
				return
			}
		}
	}

	// Whatever can be reached by links.
	todo := []string{
		"/", "/all", "/status", "/feeds.opml", "/feeds/paper/wk.opml", "/feeds/district/410800.opml", "/feeds/status.atom",
		"/sitemap.xml", "/sitemap-news.xml", "/robots.txt", "/search?q=lh", "/api/openapi.json", "/api/v1/articles", "/api/v1/scopes", "/api/v1/sources", "/api/v1/cards?changed_since=2026-03-01T00:00:00Z",
	}
	for d := range lifeDays {
		if d == 14 {
			continue
		}
		todo = append(todo, "/api/v1/editions/wk/"+string(lifeDay(d)))
	}
	for _, name := range lifeFeeds {
		scope := name[:strings.LastIndex(name, ".")]
		for _, ext := range []string{"rss", "atom", "json", "ninjs", "ninjs3"} {
			for _, query := range []string{"", "?full=0", "?limit=200", "?pace=65m&max=8", "?limit=200&q=lh"} {
				todo = append(todo, "/feeds/"+scope+"."+ext+query)
			}
		}
		for part := range 6 {
			todo = append(todo, fmt.Sprintf("/feeds/%s.wechat?part=%d", scope, part+1))
		}
	}
	known := map[string]bool{}
	for _, target := range todo {
		known[target] = true
	}
	link := regexp.MustCompile(regexp.QuoteMeta(l.web.URL) + `(/[^\s"'<>\\)|]*)|(?:href|src)="(/[^"]*)"`)
	kinds, began := map[string]int{}, time.Now()
	for len(todo) > 0 {
		target := todo[0]
		todo = todo[1:]
		resp, body := l.ask(t, target)
		kind, _, _ := strings.Cut(strings.TrimPrefix(target, "/"), "/")
		kind, _, _ = strings.Cut(kind, "?")
		if strings.Contains(target, "/archive/") {
			kind = "archive"
		}
		kinds[kind]++
		clean(target, resp, body)
		// Notices lead to the page of what is withdrawn, which says so.
		if resp.StatusCode >= 400 && (resp.StatusCode != http.StatusGone || l.of(target) == nil || l.of(target).state != "withdrawn") {
			t.Errorf("%s, which something leads to, is %s: %.200s", target, resp.Status, body)
		}
		for _, m := range link.FindAllStringSubmatch(html.UnescapeString(resp.Header.Get("Location")+" "+string(body)), -1) {
			to := cmp.Or(m[1], m[2])
			to, _, _ = strings.Cut(to, "#")
			if !known[to] && l.worth(to) {
				known[to] = true
				todo = append(todo, to)
			}
		}
	}
	t.Logf("%d documents in %s: %v", len(known), time.Since(began).Round(time.Second), kinds)

	// What is withdrawn or held, by all of its addresses.
	gone := 0
	for _, s := range l.stories {
		if s.state == "released" {
			continue
		}
		gone++
		want := map[string]int{"withdrawn": http.StatusGone, "withheld": http.StatusNotFound}[s.state]
		share := "/a/" + s.id
		for _, target := range []string{share, share + "/card.json", share + "/qr.png", share + "/card/og.jpg", "/oembed?url=" + url.QueryEscape(l.web.URL+share), "/api/v1/articles/" + s.id} {
			resp, body := l.ask(t, target)
			clean(target, resp, body)
			if resp.StatusCode != want {
				t.Errorf("%s of what is %s: %s %.200s", target, s.state, resp.Status, body)
			}
		}
	}

	// What is not, or not so any more, is not found.
	searched := 0
	never := "lh99999v9e"
	echoes := map[string]int{}
	searches := []string{"/search?q=", "/api/v1/articles?q=", "/feeds/all.rss?q=", "/feeds/all.json?q="}
	for _, q := range searches {
		_, body := l.ask(t, q+never)
		echoes[q] = bytes.Count(body, []byte(never))
	}
	began = time.Now()
	for _, s := range l.stories {
		for v := range s.printing {
			old := *s
			old.printing = v + 1
			m := old.mark()
			if live[m] {
				continue
			}
			in := searches
			if !lifeLong {
				in = searches[searched%len(searches):][:1]
			}
			searched++
			for _, q := range in {
				resp, body := l.ask(t, q+m)
				if n := bytes.Count(body, []byte(m)); resp.StatusCode != http.StatusOK || n != echoes[q] {
					t.Errorf("%s%s: %s, and the word stands %d times in it, of nothing %d times", q, m, resp.Status, n, echoes[q])
				}
			}
		}
	}
	t.Logf("searches for %d printings in %s", searched, time.Since(began).Round(time.Second))
	if gone < 30 || searched < 100 {
		t.Errorf("too little happened: %d articles are gone, %d printings", gone, searched)
	}
}

// restarted holds that a process that has just begun serves the same bytes: what is
// cached has noticed every change.
func (l *life) restarted(t *testing.T) {
	h, err := syndicate.New(l.options)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range l.readers {
		target := r.url[len(l.web.URL):]
		resp, body := l.ask(t, target)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
		if !bytes.Equal(w.Body.Bytes(), body) || w.Header().Get("Last-Modified") != resp.Header.Get("Last-Modified") {
			t.Errorf("%s: %d bytes of %s, after a restart %d of %s", target, len(body), resp.Header.Get("Last-Modified"), w.Body.Len(), w.Header().Get("Last-Modified"))
		}
	}
}

// balance holds what a reader has in the end against what was printed last.
func (r *subscriber) balance() {
	withdrawn := 0
	for urn := range r.needs {
		s := r.byURN[urn]
		k, ok := r.have[urn]
		switch {
		case !ok:
			r.Errorf("%s: %s is missing", r.url, s.id)
		case k.withdrawn != (s.want == "withdrawn"):
			r.Errorf("%s: %s is withdrawn: %t, at the publisher's and the editor's %s", r.url, s.id, k.withdrawn, s.want)
		case k.withdrawn:
			withdrawn++
		default:
			if what := s.lacks(k.title, k.body); what != "" {
				r.Errorf("%s: %s lacks %s: %s %s", r.url, s.id, what, k.title, k.body)
			}
		}
	}
	for urn := range r.have {
		if !r.may[urn] {
			r.Errorf("%s: %s never stood there", r.url, r.byURN[urn].id)
		}
	}
	r.Logf("%s: %d articles, %d of them withdrawn, %d archives read", r.url[len(r.web.URL):], len(r.have), withdrawn, r.archives)
}
