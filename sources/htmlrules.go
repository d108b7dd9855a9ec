package sources

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"paperwire/internal/paper"
)

// Platform html reads by the source's own rules what no platform knows by its
// shape: S (shtml/…), H (joyhua), N (.asp, .aspx, .php), TRS-like pages. The
// rules give links their shape; everything behind that is the editions' common
// reader. On top of another platform the same rules override what it finds.
func init() {
	find, sniff, parse := findEdition("html"), sniffEdition("html"), parseEdition("html")
	register(platform{
		info: Info{
			Name:  "html",
			About: "any newspaper's HTML pages, by selectors and expressions in the configuration",
			Needs: "html: with articles or article_url",
			Shapes: []string{
				"20240822/20240822_001/20240822_001_1.htm", "shtml/hyrb/20240822/98765.shtml",
				"hyrb/20240822/html/content_7_1.htm", "show.aspx?date=2024-08-22&id=7",
			},
		},
		sniff: func(s Source, d *document) bool { return s.HTML.Drives() && sniff(s, d) },
		find: func(ctx context.Context, g Getter, s Source, w Want, d *document) (Found, error) {
			if !s.HTML.Drives() {
				return Found{}, errors.New("platform html: no rules; give the source html: with articles or article_url")
			}
			return find(ctx, g, s, w, d)
		},
		read: readEdition,
		parse: func(s Source, d *document) (Parsed, bool) {
			if !s.HTML.Drives() {
				return Parsed{}, false
			}
			if p, ok := parse(s, d); ok {
				return p, true
			}
			return parseRuled(s, d)
		},
	})
}

// Drives reports whether the rules say what an article's link looks like, so
// that a source can be read by them alone.
func (r *HTMLRules) Drives() bool { return r != nil && (r.Articles != "" || r.ArticleURL != "") }

// parseRuled reads an article whose URL tells nothing: its body or headline
// stands where the rules say.
func parseRuled(s Source, d *document) (Parsed, bool) {
	if d.root == nil || d.rules == nil {
		return Parsed{}, false
	}
	if !d.rules.has(d, d.rules.body) && !d.rules.has(d, d.rules.headline) {
		return Parsed{}, false
	}
	a, reason := readArticle(d)
	if a == nil {
		return Parsed{Kind: "unknown", Reason: reason}, true
	}
	return Parsed{Kind: "article", Platform: "html", Article: a, Ref: Ref{URL: canonical(d.url), Origin: stem(d.url), Positional: s.HTML.Positional}}, true
}

// Limits of rules.
const (
	maxRule     = 500 // bytes of one selector, expression or template
	maxRuleList = 20
)

// Check reports the rules that cannot be used, all at once, each by its key with
// what mends it. It does not ask whether they are enough for platform html; see
// [HTMLRules.Drives].
func (r *HTMLRules) Check() error {
	if r == nil {
		return nil
	}
	_, errs := compileRules(r)
	return errors.Join(errs...)
}

// ruleSet are rules ready for use. A nil one rules nothing.
type ruleSet struct {
	HTMLRules
	platform string // whose links those of the rules are; empty: found by looking
	root     *url.URL

	articles, pages, label, picture, latest, calendarLinks                    cascadia.Selector
	kicker, headline, subtitle, byline, date, body, images, captions          cascadia.Selector
	articleURL, pageURL, pageNumbers, pageNumber, latestURL, calendarDay, day *regexp.Regexp
	onclick                                                                   []*regexp.Regexp
	drop                                                                      []cascadia.Selector
}

// compileRules compiles every rule; the errors name the keys.
func compileRules(r *HTMLRules) (*ruleSet, []error) {
	c := &ruleSet{HTMLRules: *r}
	var errs []error
	long := func(key, v string) bool {
		if len(v) > maxRule {
			errs = append(errs, fmt.Errorf("%s: %d bytes long; at most %d are allowed, shorten it", key, len(v), maxRule))
		}
		return len(v) > maxRule
	}
	sel := func(key, v string) cascadia.Selector {
		if strings.TrimSpace(v) == "" || long(key, v) {
			return nil
		}
		s, err := cascadia.Compile(v)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %q is no CSS selector (%w); write it like div.list a[href]", key, v, err))
			return nil
		}
		return s
	}
	re := func(key, v string, groups int) *regexp.Regexp {
		if v == "" || long(key, v) {
			return nil
		}
		x, err := regexp.Compile(v)
		if err != nil {
			errs = append(errs, fmt.Errorf(`%s: %q is no regular expression (%w); RE2 has no look-around, and . ? + ( are written \. \? \+ \(`, key, v, err))
			return nil
		}
		if x.NumSubexp() < groups {
			errs = append(errs, fmt.Errorf("%s: %q captures nothing; put what it shall tell into parentheses", key, v))
			return nil
		}
		return x
	}
	template := func(key, v string, need ...string) {
		if v == "" || long(key, v) {
			return
		}
		for _, n := range need {
			if !strings.Contains(v, n) {
				errs = append(errs, fmt.Errorf("%s: %q has no %s; write it like /paper/{yyyy}{mm}/{dd}/{page}.htm", key, v, n))
				return
			}
		}
		if u, err := url.Parse(fill(v, "2006-01-02", "01")); err != nil || u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" {
			errs = append(errs, fmt.Errorf("%s: %q is no http(s) URL or path", key, v))
		}
	}
	list := func(key string, v []string) bool {
		if len(v) > maxRuleList {
			errs = append(errs, fmt.Errorf("%s: %d entries; at most %d are allowed", key, len(v), maxRuleList))
		}
		for _, s := range v {
			long(key, s)
		}
		return len(v) <= maxRuleList
	}
	c.articles, c.pages, c.label = sel("articles", r.Articles), sel("pages", r.Pages), sel("page_label", r.PageLabel)
	c.picture = sel("page_picture", r.PagePicture)
	c.latest = sel("latest", r.Latest)
	c.kicker, c.headline, c.subtitle = sel("kicker", r.Kicker), sel("headline", r.Headline), sel("subtitle", r.Subtitle)
	c.byline, c.date, c.body = sel("byline", r.Byline), sel("date", r.Date), sel("body", r.Body)
	c.images, c.captions = sel("images", r.Images), sel("captions", r.Captions)
	c.articleURL, c.pageURL = re("article_url", r.ArticleURL, 0), re("page_url", r.PageURL, 0)
	c.pageNumbers, c.pageNumber = re("page_numbers", r.PageNumbers, 1), re("page_number", r.PageNumber, 1)
	c.latestURL, c.day = re("latest_url", r.LatestURL, 0), re("day", r.Day, 3)
	if v := r.CalendarDays; len(v) > 1 && v[0] == '/' && strings.HasSuffix(v, "/") {
		c.calendarDay = re("calendar_days", v[1:len(v)-1], 1)
	} else {
		c.calendarLinks = sel("calendar_days", v)
	}
	template("page_link", r.PageLink, "{page}")
	template("edition", r.Edition, "{dd}")
	template("calendar", r.Calendar)
	list("href_attrs", r.HrefAttrs)
	list("title_attrs", r.TitleAttrs)
	if list("onclick", r.OnClick) {
		for _, v := range r.OnClick {
			if x := re("onclick", v, 1); x != nil {
				c.onclick = append(c.onclick, x)
			}
		}
	}
	if list("drop", r.Drop) {
		for _, v := range r.Drop {
			if x := sel("drop", v); x != nil {
				c.drop = append(c.drop, x)
			}
		}
	}
	if r.PageNumbers != "" && r.PageLink == "" {
		errs = append(errs, errors.New("page_numbers: tells numbers only; add page_link, the template of a page's URL"))
	}
	if r.CalendarDays != "" && r.Calendar == "" {
		errs = append(errs, errors.New("calendar_days: add calendar, the template of the calendar's URL"))
	}
	if r.Captions != "" && r.Images == "" {
		errs = append(errs, errors.New("captions: add images, whose captions they are"))
	}
	return c, errs
}

// compiled keeps rule sets by what they say, so that an article costs no
// compilation. It holds what one configuration needs and starts anew beyond.
var compiled struct {
	sync.Mutex
	sets map[string]*ruleSet
}

const maxCompiled = 500 // sources with rules

// ruleSet compiles the source's rules, once; nil where it has none.
func (s Source) ruleSet() (*ruleSet, error) {
	if s.HTML == nil {
		return nil, nil
	}
	key := fmt.Sprintf("%q %q %+v", s.Platform, s.URL, *s.HTML)
	compiled.Lock()
	defer compiled.Unlock()
	if c := compiled.sets[key]; c != nil {
		return c, nil
	}
	c, errs := compileRules(s.HTML)
	if len(errs) > 0 {
		return nil, fmt.Errorf("rules: %w", errors.Join(errs...))
	}
	switch {
	case s.Platform != "" && s.Platform != auto:
		c.platform = s.Platform
	case s.HTML.Drives():
		c.platform = "html"
	}
	c.root, _ = url.Parse(s.URL)
	if compiled.sets == nil || len(compiled.sets) >= maxCompiled {
		compiled.sets = map[string]*ruleSet{}
	}
	compiled.sets[key] = c
	return c, nil
}

// rule puts a document under the source's rules: what they drop goes, and what
// their selectors choose gets its shape.
func (s Source) rule(d *document) error {
	c, err := s.ruleSet()
	if c == nil || err != nil || d.root == nil {
		return err
	}
	for _, sel := range c.drop {
		for _, n := range cascadia.QueryAll(d.root, sel) {
			if n.Parent != nil && n.DataAtom != atom.Html && n.DataAtom != atom.Body {
				n.Parent.RemoveChild(n)
			}
		}
	}
	if len(c.drop) > 0 {
		d.takeStock()
	}
	d.rules, d.picked = c, map[string]kind{}
	d.anchors, d.headings, d.collected, d.index, d.indexed = nil, nil, false, nil, false
	d.day = c.dayOf(d.url)
	if d.day == "" {
		d.day = c.printedDay(d)
	}
	if d.day == "" && c.Drives() && c.platform == "html" {
		// Links without a date belong to the day that the page prints first.
		d.day = dayIn(collapse(rawText(d.root, 16<<10, nil)))
	}
	c.pick(d, c.pages, c.pageURL, indexPage)
	c.pick(d, c.articles, c.articleURL, articlePage)
	d.links = nil
	return nil
}

// printedDay is the date that stands where the rules say.
func (c *ruleSet) printedDay(d *document) paper.Day {
	if c == nil || c.date == nil {
		return ""
	}
	n := cascadia.Query(d.root, c.date)
	if n == nil {
		return ""
	}
	for _, s := range []string{text(n), attr(n, "title"), attr(n, "alt"), attr(n, "content"), attr(n, "datetime")} {
		if day := dayIn(s); day != "" {
			return day
		}
	}
	return ""
}

// dayIn is the first date in a text, in figures.
func dayIn(s string) paper.Day {
	if m := dateInText.FindStringSubmatch(s); m != nil {
		day, _ := paper.ParseDay(m[1] + "-" + pad(m[2]) + "-" + pad(m[3]))
		return day
	}
	if m := urlDay.FindStringSubmatch(s); m != nil {
		day, _ := paper.ParseDay(m[1] + m[2] + m[3])
		return day
	}
	return ""
}

// pick notes which URLs a selector chose.
func (c *ruleSet) pick(d *document, sel cascadia.Selector, form *regexp.Regexp, k kind) {
	if sel == nil {
		return
	}
	add := func(n *html.Node) bool {
		found := false
		for _, v := range c.links(n) {
			if u := resolve(d.base, v); u != nil && (form == nil || form.MatchString(u.String())) && len(d.picked) < 4*maxArticles {
				d.picked[identity(canonical(u))] = k
				found = true
			}
		}
		return found
	}
	for i, n := range cascadia.QueryAll(d.root, sel) {
		if i >= 4*maxArticles {
			return
		}
		if !add(n) {
			look(n, func(c *html.Node) bool { add(c); return true })
		}
	}
}

// links are what an element links to: href, the attributes of the rules, what
// its onclick holds.
func (c *ruleSet) links(n *html.Node) []string {
	if n.Type != html.ElementNode {
		return nil
	}
	var list []string
	if v := attr(n, "href"); v != "" && (n.DataAtom == atom.A || n.DataAtom == atom.Area) {
		list = append(list, v)
	}
	if n.DataAtom == atom.Option {
		list = append(list, attr(n, "value"))
	}
	for _, key := range c.linkAttrs() {
		if v := attr(n, key); v != "" {
			list = append(list, v)
		}
	}
	if v := attr(n, "onclick"); v != "" {
		if list = append(list, c.clicked(v)...); len(c.onclick) == 0 {
			for _, m := range quotedLink.FindAllStringSubmatch(v, 4) {
				list = append(list, m[1])
			}
		}
	}
	return list
}

var defaultLinkAttrs = []string{"data-href", "data-url", "daoxiang"}

// linkAttrs are the attributes beside href that hold links.
func (c *ruleSet) linkAttrs() []string {
	if c == nil || len(c.HrefAttrs) == 0 {
		return defaultLinkAttrs
	}
	return c.HrefAttrs
}

// clicked are the URLs that the rules see in an onclick.
func (c *ruleSet) clicked(v string) []string {
	if c == nil || len(v) > 4000 {
		return nil
	}
	var list []string
	for _, x := range c.onclick {
		for _, m := range x.FindAllStringSubmatch(v, 4) {
			list = append(list, m[1])
		}
	}
	return list
}

// titleOf is the title of a link in the attributes of the rules.
func (c *ruleSet) titleOf(n *html.Node) string {
	if c == nil {
		return ""
	}
	for _, key := range c.TitleAttrs {
		if s := plain(attr(n, key)); s != "" {
			return s
		}
	}
	return ""
}

// shapeOf is the shape of a URL by the source's rules, else by the built-in
// platforms.
func (d *document) shapeOf(u *url.URL) (shape, bool) {
	if c := d.rules; c != nil {
		if s, ok := c.shape(d, u); ok {
			return s, true
		}
		if c.platform == "html" && c.Drives() {
			return shape{}, false
		}
	}
	return shapeIn(u, d.directory)
}

// directory reads a directory once: a page's links lie in very few.
func (d *document) directory(u *url.URL, dir string) directory {
	key := u.Host + dir
	in, ok := d.dirs[key]
	if !ok {
		in = readDir(u, dir)
		if d.dirs == nil {
			d.dirs = map[string]directory{}
		}
		if len(d.dirs) < maxArticles {
			d.dirs[key] = in
		}
	}
	return in
}

// shape is what the rules say of a URL.
func (c *ruleSet) shape(d *document, u *url.URL) (shape, bool) {
	if c.articleURL == nil && c.pageURL == nil && len(d.picked) == 0 && c.PageLink == "" {
		return shape{}, false
	}
	at := *u
	at.Fragment, at.RawFragment = "", ""
	key, full := identity(canonical(&at)), at.String()
	picked := d.picked[key]
	self := key == identity(canonical(d.url))
	s := shape{platform: c.platform, ruled: true, file: path.Base(u.Path)}
	if s.platform == "" {
		// Overrides of a platform that is found by looking.
		if s.platform = "founder"; padPath.MatchString(u.Path) {
			return shape{}, false
		}
		if own, ok := shapeOf(d.url); ok {
			s.platform = own.platform
		}
	}
	switch {
	case picked == articlePage, c.articleURL != nil && (c.articles == nil || self && picked == other) && c.articleURL.MatchString(full):
		s.kind, s.positional = articlePage, c.Positional
		s.id, s.number = captured(c.articleURL, full)
		if s.id == "" {
			s.id = stem(&at)
		}
	case picked == indexPage, c.pageURL != nil && (c.pages == nil || self) && c.pageURL.MatchString(full):
		s.kind = indexPage
		if id, number := captured(c.pageURL, full); number != "" {
			s.number = number
		} else {
			s.number, _, _ = strings.Cut(id, "_")
		}
		if c.pageNumber != nil && s.number == "" {
			if m := c.pageNumber.FindStringSubmatch(full); m != nil {
				s.number = m[1]
			}
		}
	default:
		return shape{}, false
	}
	if len(s.number) > 8 {
		s.number = ""
	}
	if s.day = c.dayOf(&at); s.day == "" {
		s.day = d.day
	}
	if s.platform != "html" {
		// Among the links of a built-in platform it has their directories.
		if m := datedPath.FindStringSubmatch(at.Path); m != nil {
			s.prefix = hostOf(&at) + strings.ToLower(m[1])
			s.root = hostOf(&at) + strings.TrimSuffix(path.Dir(strings.TrimSuffix(strings.ToLower(m[1]), "/")), "/") + "/"
		}
	}
	return s, true
}

// captured are the origin id and the page number that an expression captures.
func captured(x *regexp.Regexp, s string) (id, number string) {
	if x == nil {
		return "", ""
	}
	m := x.FindStringSubmatch(s)
	if m == nil {
		return "", ""
	}
	var parts []string
	for i, name := range x.SubexpNames() {
		switch {
		case i == 0 || m[i] == "":
		case name == "id":
			id = m[i]
		case name == "page":
			number = m[i]
		case name == "":
			parts = append(parts, m[i])
		}
	}
	if id == "" {
		id = strings.Join(parts, "_")
	}
	if len(id) > 100 {
		id = ""
	}
	return id, number
}

var unnamed = regexp.MustCompile(`[^A-Za-z0-9_]+`)

// stem names an article by its file and query where no expression captures it.
func stem(u *url.URL) string {
	s := strings.TrimSuffix(path.Base(u.Path), path.Ext(u.Path))
	if c, err := url.Parse(canonical(u)); err == nil && c.RawQuery != "" {
		s += "_" + c.RawQuery
	}
	s = strings.Trim(unnamed.ReplaceAllString(s, "_"), "_")
	if len(s) > 100 {
		s = s[len(s)-100:]
	}
	return s
}

// urlDay is a date in a URL: 20240822, 2024-08/22, 2024/08/22, 202408/22.
var urlDay = regexp.MustCompile(`(?:^|\D)((?:19|20)\d{2})[-/_.]?(0[1-9]|1[0-2])[-/_.]?(0[1-9]|[12]\d|3[01])(?:\D|$)`)

// dayOf is the day in a URL; empty where it has none.
func (c *ruleSet) dayOf(u *url.URL) paper.Day {
	s := u.Path
	if u.RawQuery != "" {
		s += "?" + u.RawQuery
	}
	if c.day != nil {
		if m := c.day.FindStringSubmatch(s); m != nil {
			day, _ := paper.ParseDay(m[1] + "-" + pad(m[2]) + "-" + pad(m[3]))
			return day
		}
		return ""
	}
	if m := urlDay.FindStringSubmatch(s); m != nil {
		day, _ := paper.ParseDay(m[1] + m[2] + m[3])
		return day
	}
	return ""
}

// fill puts a day and a page into a template.
func fill(template string, day paper.Day, page string) string {
	if len(day) != 10 {
		return template
	}
	return strings.NewReplacer("{yyyy}", string(day[:4]), "{yy}", string(day[2:4]), "{mm}", string(day[5:7]), "{dd}", string(day[8:]),
		"{page}", url.PathEscape(page)).Replace(template)
}

// at resolves a template against the source's URL, or the front page's where
// the source has none.
func (c *ruleSet) at(front *url.URL, template string, day paper.Day, page string) *url.URL {
	base := front
	if c.root != nil && c.root.Host != "" {
		base = c.root
	}
	if base == nil {
		return nil
	}
	return resolve(base, fill(template, day, page))
}

// editionURL is a day's first page by the rules; nil where they do not say.
func (c *ruleSet) editionURL(front *url.URL, day paper.Day) *url.URL {
	if c == nil || c.Edition == "" {
		return nil
	}
	return c.at(front, c.Edition, day, "01")
}

// calendarURL is a month's calendar by the rules.
func (c *ruleSet) calendarURL(front *url.URL, day paper.Day) *url.URL {
	if c == nil || c.Calendar == "" {
		return nil
	}
	return c.at(front, c.Calendar, day, "")
}

// sameForm is another day's front page where its date is written in the URL of
// the newest one, wherever that is.
func sameForm(front *url.URL, newest, day paper.Day) string {
	s := front.String()
	if len(newest) != 10 || len(day) != 10 {
		return s
	}
	for _, form := range []string{"{yyyy}{mm}{dd}", "{yyyy}-{mm}-{dd}", "{yyyy}-{mm}/{dd}", "{yyyy}{mm}/{dd}", "{yyyy}/{mm}/{dd}", "{yyyy}_{mm}_{dd}"} {
		if old := fill(form, newest, ""); strings.Contains(s, old) {
			return strings.ReplaceAll(s, old, fill(form, day, ""))
		}
	}
	return s
}

// calendarDays are the days of a calendar, oldest first.
func (c *ruleSet) calendarDays(d *document, front *url.URL, month paper.Day) []CalendarDay {
	var days []CalendarDay
	add := func(day paper.Day, at *url.URL) {
		if day == "" || len(days) >= maxPeriods {
			return
		}
		if u := c.editionURL(front, day); u != nil {
			at = u
		}
		x := CalendarDay{Day: day}
		if at != nil {
			x.URL = canonical(at)
		}
		days = append(days, x)
	}
	switch {
	case c.calendarDay != nil:
		for _, m := range c.calendarDay.FindAllSubmatch(d.body, maxPeriods) {
			s := string(m[1])
			switch {
			case len(m) > 3:
				s += "-" + pad(string(m[2])) + "-" + pad(string(m[3]))
			case len(s) <= 2:
				s = string(month[:8]) + pad(s)
			}
			day, _ := paper.ParseDay(s)
			add(day, nil)
		}
	case d.root != nil:
		var nodes []*html.Node
		if c.calendarLinks != nil {
			nodes = cascadia.QueryAll(d.root, c.calendarLinks)
		} else {
			nodes = d.dom.Find("a[href]").Nodes
		}
		for _, n := range nodes[:min(len(nodes), maxPeriods)] {
			for _, v := range c.links(n) {
				if u := resolve(d.base, v); u != nil {
					add(c.dayOf(u), u)
				}
			}
		}
	}
	slices.SortStableFunc(days, func(a, b CalendarDay) int { return strings.Compare(string(a.Day), string(b.Day)) })
	return slices.CompactFunc(days, func(a, b CalendarDay) bool { return a.Day == b.Day })
}

// quotedPDF is a PDF that a click opens.
var quotedPDF = regexp.MustCompile(`(?i)["']([^"'\s<>]{1,300}\.pdf)["']`)

// quotedURL is a string of a script that may be a URL.
var quotedURL = regexp.MustCompile(`["']([^"'\s<>]{1,300})["']`)

// latestOf is where an entry's rules say its newest edition begins: of the links
// they choose the one of the newest day; nil where there is none.
func (c *ruleSet) latestOf(d *document) *url.URL {
	if c == nil || d.root == nil || c.latest == nil && c.latestURL == nil {
		return nil
	}
	var best *url.URL
	var newest paper.Day
	add := func(v string) {
		u := resolve(d.base, v)
		if u == nil || c.latestURL != nil && !c.latestURL.MatchString(u.String()) {
			return
		}
		if day := c.dayOf(u); best == nil || day > newest {
			best, newest = u, day
		}
	}
	if c.latest != nil {
		for _, n := range cascadia.QueryAll(d.root, c.latest) {
			for _, v := range c.links(n) {
				add(v)
			}
			look(n, func(x *html.Node) bool {
				for _, v := range c.links(x) {
					add(v)
				}
				return true
			})
		}
	} else {
		walk(d.root, func(n *html.Node) bool {
			for _, v := range c.links(n) {
				add(v)
			}
			if n.DataAtom == atom.Script && n.FirstChild != nil {
				for _, m := range quotedURL.FindAllStringSubmatch(n.FirstChild.Data, maxArticles) {
					add(m[1])
				}
			}
			return true
		})
	}
	return best
}

// index completes an index page by the rules: its own label, and pages that the
// document names by number only.
func (c *ruleSet) index(d *document, p *index) {
	if c == nil {
		return
	}
	if ref, ok := c.labelOf(d); ok {
		c.rename(p, ref)
	}
	if c.picture != nil {
		if n := cascadia.Query(d.root, c.picture); n != nil {
			if u := resolve(d.base, fullSize(attr(n, "src"))); u != nil {
				p.Page.Picture = u.String()
			}
		}
	}
	if p.Page.PDF == "" && p.Page.URL != "" {
		d.dom.Find("[onclick]").EachWithBreak(func(_ int, s *selection) bool {
			if m := quotedPDF.FindStringSubmatch(attr(s.Nodes[0], "onclick")); m != nil {
				if u := resolve(d.base, m[1]); u != nil {
					p.Page.PDF = u.String()
				}
			}
			return p.Page.PDF == ""
		})
	}
	if c.pageNumbers == nil {
		return
	}
	m := c.pageNumbers.FindSubmatch(d.body)
	if m == nil || len(m[1]) > 8<<10 || p.Day == "" {
		return
	}
	known := map[string]Page{}
	for _, q := range p.Pages {
		known[bareNumber(q.Number)] = q
	}
	if p.Page.URL != "" {
		known[bareNumber(p.Page.Number)] = Page{PageRef: p.Page.PageRef, URL: p.Page.URL, PDF: p.Page.PDF}
	}
	var pages []Page
	for _, number := range unnamed.Split(string(m[1]), -1) {
		if number == "" || len(number) > 8 || len(pages) >= maxPages {
			continue
		}
		if q, ok := known[bareNumber(number)]; ok {
			pages = append(pages, q)
		} else if u := resolve(d.base, fill(c.PageLink, p.Day, number)); u != nil {
			pages = append(pages, Page{PageRef: paper.PageRef{Number: number}, URL: canonical(u)})
		}
	}
	if len(pages) > 0 {
		p.Pages = pages
	}
}

// labelOf is the page's own label where the rules say it stands.
func (c *ruleSet) labelOf(d *document) (paper.PageRef, bool) {
	if c == nil || c.label == nil {
		return paper.PageRef{}, false
	}
	n := cascadia.Query(d.root, c.label)
	if n == nil {
		return paper.PageRef{}, false
	}
	s := text(n)
	for _, key := range []string{"title", "alt"} { // of the page's picture
		if s == "" {
			s = plain(attr(n, key))
		}
	}
	ref, sure := readLabel(s)
	if c.pageNumber != nil {
		if m := c.pageNumber.FindStringSubmatch(s); m != nil && len(m[1]) <= 8 {
			switch {
			case len(m) > 2:
				ref.Name = nameOf(m[2])
			case sure == noLabel:
				ref.Name = nameOf(strings.Replace(s, m[0], "", 1))
			}
			ref.Number, sure = m[1], strongLabel
		}
	}
	if sure == noLabel && len(s) <= 3*maxLabelName {
		ref.Name = nameOf(s)
	}
	return ref, ref.Number != "" || ref.Name != ""
}

// rename gives a page the label of the rules, and its articles with it.
func (c *ruleSet) rename(p *index, ref paper.PageRef) {
	old := p.Page.PageRef
	if ref.Number != "" {
		p.Page.Number = ref.Number
	}
	if ref.Name != "" {
		p.Page.Name = ref.Name
	}
	for i := range p.Refs {
		if p.Refs[i].Page == old {
			p.Refs[i].Page = p.Page.PageRef
		}
	}
	for i := range p.Pages {
		if p.Page.URL != "" && identity(p.Pages[i].URL) == identity(p.Page.URL) {
			p.Pages[i].PageRef = p.Page.PageRef
		}
	}
}

// has reports whether a selector finds something with content.
func (c *ruleSet) has(d *document, sel cascadia.Selector) bool {
	if c == nil || sel == nil {
		return false
	}
	n := cascadia.Query(d.root, sel)
	return n != nil && hasContent(n)
}

// bodyOf is the body where the rules say it stands: the greatest of several.
func (c *ruleSet) bodyOf(d *document) *html.Node {
	if c == nil || c.body == nil {
		return nil
	}
	var best *html.Node
	size := -1
	found := cascadia.QueryAll(d.root, c.body)
	if len(found) == 1 && hasContent(found[0]) {
		return found[0]
	}
	for i, n := range found {
		if i >= 20 {
			break
		}
		if l := len(text(n)); l > size && hasContent(n) {
			best, size = n, l
		}
	}
	return best
}

// bodySelector is the rule for the body; nil where there is none.
func (c *ruleSet) bodySelector() cascadia.Selector {
	if c == nil {
		return nil
	}
	return c.body
}

// keep puts what the rules found on a page into an article that was put together
// from several sources.
func (c *ruleSet) keep(a, read *Printed) {
	if c == nil || read == nil {
		return
	}
	for _, f := range []struct {
		rule     cascadia.Selector
		to, from *string
	}{
		{c.headline, &a.Headline, &read.Headline},
		{c.kicker, &a.Kicker, &read.Kicker},
		{c.subtitle, &a.Subtitle, &read.Subtitle},
		{c.byline, &a.Author, &read.Author},
	} {
		if f.rule != nil {
			*f.to = *f.from
		}
	}
	if c.label != nil && read.Page.Number != "" {
		a.Page = read.Page
	}
	if c.images != nil {
		a.Images = notInBody(read.Images, a.Body)
	}
}

// fragment reads the content of an API, which is HTML without a page around it,
// under the source's rules; false where they say nothing of articles.
func (s Source) fragment(content string, at *url.URL, a *Printed) bool {
	c, err := s.ruleSet()
	if c == nil || err != nil || c.body == nil && c.headline == nil && c.kicker == nil && c.subtitle == nil && c.byline == nil && c.images == nil && len(c.drop) == 0 {
		return false
	}
	d := openDocument(at, "text/html", []byte("<!DOCTYPE html><body>"+content))
	if d.root == nil || s.rule(d) != nil {
		return false
	}
	body := c.bodyOf(d)
	if body == nil {
		body = cascadia.Query(d.root, cascadia.Selector(func(n *html.Node) bool { return n.DataAtom == atom.Body }))
	}
	if body == nil {
		return false
	}
	c.article(d, nil, a)
	a.Body = innerHTML(body, at)
	if !hasContent(body) {
		a.Body = ""
	}
	return true
}

// article overrides what was read off an article's page.
func (c *ruleSet) article(d *document, body *html.Node, a *Printed) {
	if c == nil {
		return
	}
	set := func(to *string, sel cascadia.Selector, limit int) {
		if sel == nil {
			return
		}
		var parts []string
		found, empty := cascadia.QueryAll(d.root, sel), true
		for i, n := range found {
			s := title(text(n))
			if empty = empty && s == ""; s != "" && len(s) <= limit && i < 5 && !slices.Contains(parts, s) {
				parts = append(parts, s)
			}
		}
		// A cell that is there and empty says that there is none; only a
		// headline every article has.
		if len(parts) > 0 || len(found) > 0 && empty && to != &a.Headline {
			*to = strings.Join(parts, " ")
		}
	}
	set(&a.Headline, c.headline, 4*maxTitle)
	set(&a.Kicker, c.kicker, 4*maxTitle)
	set(&a.Subtitle, c.subtitle, 4*maxTitle)
	if set(&a.Author, c.byline, 400); c.subtitle == nil && sameText(a.Subtitle, a.Author) {
		a.Subtitle = ""
	}
	if c.headline != nil {
		for _, s := range []*string{&a.Kicker, &a.Subtitle} {
			if sameText(*s, a.Headline) {
				*s = ""
			}
		}
	}
	if c.date != nil && c.dayOf(d.url) == "" && d.day != "" {
		a.Day = d.day
	}
	if ref, ok := c.labelOf(d); ok && ref.Number != "" {
		a.Page = ref
	}
	if c.images == nil {
		return
	}
	a.Images = nil
	var captions []*html.Node
	if c.captions != nil {
		captions = cascadia.QueryAll(d.root, c.captions)
	}
	var pictures []*html.Node
	for _, n := range cascadia.QueryAll(d.root, c.images) {
		if n.DataAtom == atom.Img {
			pictures = append(pictures, n)
			continue
		}
		look(n, func(x *html.Node) bool {
			if x.DataAtom == atom.Img {
				pictures = append(pictures, x)
			}
			return true
		})
	}
	seen := map[string]bool{}
	for i, n := range pictures[:min(len(pictures), 100)] {
		src := attr(n, "src")
		for _, key := range lazyAttrs {
			if v := attr(n, key); v != "" && !strings.HasPrefix(v, "data:") {
				src = v
				break
			}
		}
		u := resolve(d.base, fullSize(src))
		if u == nil || seen[u.String()] || body != nil && inside(n, body) {
			continue
		}
		seen[u.String()] = true
		im := Image{URL: u.String()}
		switch {
		case c.captions != nil && i < len(captions):
			if s := text(captions[i]); len(s) <= 4*maxCaption {
				im.Caption = s
			}
		case c.captions == nil:
			im.Caption = caption(n, body)
		}
		a.Images = append(a.Images, im)
	}
}
