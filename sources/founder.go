package sources

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"paperwire/internal/fetch"
	"paperwire/internal/paper"
)

// Platform founder reads 方正翔宇 editions, classic (html/2017-09/07/node_2.htm)
// and new (layout/202408/30/node_A01.html), by the shape of their links and not
// by their skin: about every second Chinese newspaper, in dozens of skins.
func init() {
	register(platform{
		info: Info{
			Name:  "founder",
			About: "方正翔宇 digital newspapers, classic and new form, any skin, and joyhua's",
			Shapes: []string{
				"html/2017-09/07/node_2.htm", "html/2017-09/07/content_279424.htm",
				"layout/202408/30/node_A01.html", "content/202408/30/content_3251363.html", "con/202408/30/c1051934.html",
				"html/2017-10/16/nbs.D110000renmrb_01.htm", "html/2017-09/period.xml", "20240822/html/page_01.htm",
			},
		},
		sniff: sniffEdition("founder"),
		find:  findEdition("founder"),
		read:  readEdition,
		parse: parseEdition("founder"),
	})
}

// Limits of one edition. Real ones reach about 80 pages and 400 articles.
const (
	maxPages    = 200
	maxArticles = 4000
)

// The platforms of editions (founder, paperindex, html) share their readers: they
// differ in the shapes of their links only.

// sniffEdition: an index or an article of this platform by its links.
func sniffEdition(name string) func(Source, *document) bool {
	return func(s Source, d *document) bool {
		if sh, ok := d.shapeOf(d.url); ok && d.root != nil && sh.kind != other {
			return sh.platform == name
		}
		p := readIndex(d)
		return p != nil && p.platform == name && (len(p.Pages) > 0 || len(p.Refs) > 0)
	}
}

func parseEdition(name string) func(Source, *document) (Parsed, bool) {
	return func(_ Source, d *document) (Parsed, bool) { return parseDocument(d, name) }
}

func parseDocument(d *document, name string) (Parsed, bool) {
	if days, ok := readPeriods(d); ok && name == "founder" {
		return Parsed{Kind: "calendar", Platform: name, Calendar: days}, true
	}
	if d.root == nil {
		return Parsed{}, false
	}
	sh, dated := d.shapeOf(d.url)
	if dated && sh.kind != other && sh.platform != name {
		return Parsed{}, false
	}
	if dated && sh.kind == articlePage {
		a, reason := readArticle(d)
		if a == nil {
			return Parsed{Kind: "unknown", Reason: reason}, true
		}
		return Parsed{Kind: "article", Platform: name, Article: a, Ref: refOf(d.url, sh)}, true
	}
	meta := readMeta(d)
	if meta["type"] == "1" && !dated && name == "founder" {
		// An article under a URL of another shape, by its own word.
		if a, _ := readArticle(d); a != nil && a.Headline != "" {
			id := meta["paperarticleid"]
			if id == "" {
				id = strings.TrimSuffix(path.Base(d.url.Path), path.Ext(d.url.Path))
			}
			return Parsed{Kind: "article", Platform: "founder", Article: a, Ref: Ref{URL: canonical(d.url), Origin: id, Page: a.Page, Title: a.Headline}}, true
		}
	}
	p := readIndex(d)
	if p == nil || p.platform != name || len(p.Pages) == 0 && len(p.Refs) == 0 {
		return Parsed{}, false
	}
	return Parsed{Kind: "page", Platform: name, Page: &p.ParsedPage}, true
}

// refOf is the identity of an article by its URL alone.
func refOf(u *url.URL, sh shape) Ref {
	return Ref{URL: canonical(u), Origin: sh.id, Positional: sh.positional}
}

// ---- metadata

var (
	metaField = regexp.MustCompile(`(?is)<(?:founder-)?([a-z]+)>(.*?)</(?:founder-)?([a-z]+)>`)
	metaDate  = regexp.MustCompile(`^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})`)
)

// readMeta reads the enpproperty comment, in the classic form (founder-title)
// and the new one (title); the keys come without the prefix. It stands inside a
// comment, so that a page's <founder-content>江西日报</founder-content> there is
// never taken for a body.
func readMeta(d *document) map[string]string {
	meta := map[string]string{}
	for _, n := range d.seen.comments {
		if len(n.Data) > 64<<10 || !strings.Contains(n.Data, "enpproperty") {
			continue
		}
		for _, m := range metaField.FindAllStringSubmatch(n.Data, 60) {
			key := strings.ToLower(m[1])
			if strings.EqualFold(m[1], m[3]) && meta[key] == "" {
				meta[key] = plain(m[2])
			}
		}
	}
	return meta
}

// metaDay is the day of the metadata; it may carry 23:59:59 or 00:00:00:0.
func metaDay(meta map[string]string) paper.Day {
	m := metaDate.FindStringSubmatch(meta["date"])
	if m == nil {
		return ""
	}
	day, err := paper.ParseDay(fmt.Sprintf("%s-%02s-%02s", m[1], m[2], m[3]))
	if err != nil {
		return ""
	}
	return day
}

// ---- index pages

// anchor is one link of a page.
type anchor struct {
	n    *html.Node
	at   int // place in document order
	u    *url.URL
	to   string // canonical
	key  string // identity
	sh   *shape
	area bool
	says *wording
	// label is set for a heading: a page label that is no link.
	label paper.PageRef
	title string // where a rule names the attribute that has it
}

// wording is what a link says, read once.
type wording struct {
	known bool
	text  string
	nav   bool          // 上一版, 返回目录: it names nothing
	label paper.PageRef // see readLabel
	sure  int
}

// read fills the wording.
func (a anchor) read() *wording {
	w := a.says
	if w == nil {
		w = &wording{} // a heading is no link
	}
	if !w.known {
		w.known, w.text = true, linkText(a)
		w.nav = isNav(w.text)
		w.label, w.sure = readLabel(w.text)
	}
	return w
}

// isNav reports whether a link's text names nothing. What no such text begins
// with is spared the expression.
func isNav(s string) bool {
	t := strings.TrimLeft(s, "0123456789<>«» \t\n\f\r")
	if t != "" && len(t) == len(s) {
		r, n := utf8.DecodeRuneInString(t)
		if second, _ := utf8.DecodeRuneInString(t[n:]); r == '第' && !strings.ContainsRune("一版页期篇", second) || !strings.ContainsRune("上下前后首末尾第返更头目版标关打阅详查p.", r) {
			return false
		}
	}
	return navText.MatchString(s)
}

// anchorText is the text of a link as listed.
func anchorText(a anchor) string { return a.read().text }

// index is a page of an edition as read, with what an edition needs to put its
// pages together.
type index struct {
	ParsedPage
	platform string
	mapped   map[string]bool   // articles in this page's image map, by identity
	other    map[string]string // articles listed under another page, by identity: that page's key
	more     []*url.URL        // pages of the same edition without a label (下一版)
	dated    bool              // the URL itself is a page of the edition
	says     paper.Day         // the day printed on the page where it is another than the URL's
	whole    []*index          // the edition's other pages where this document holds them whole
}

var (
	quotedLink = regexp.MustCompile(`["']([^"'\s<>]{1,300}\.s?html?)(?:[?#][^"'\s<>]*)?["']`)
	navText    = regexp.MustCompile(`^(?:[\d<>«»\s]*)(?:(?:上|下|前|后|首|末|尾|第)一?[版页期篇]|返回.*|更多.*|首页|头条|目录|版面(?:导航|概览|目录)?|标题导航|关闭|打印|阅读全文|详细|查看.*|pdf.*|上一版.*|下一版.*|>+|<+|\.+)?(?:[\d<>«»\s]*)$`)
	moreText   = regexp.MustCompile(`[\s…\[［(（【]*(?:详细|阅读全文|查看全文|查看详细|更多)[\]］)）】\s>»]*$`)
	writeView  = regexp.MustCompile(`document\.write(?:ln)?\s*\(\s*(?:\w+\s*\(\s*)?(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')`)
)

// anchorsOf collects every link with a shape, in document order. Some skins
// link by script only: those count where plain links of the kind are missing.
func anchorsOf(d *document) []anchor {
	if !d.collected {
		d.collected = true
		d.anchors, d.headings = collectAnchors(d)
	}
	return d.anchors
}

// script is code that may hold links.
type script struct {
	n    *html.Node
	at   int
	text string
	most int // links taken
}

func collectAnchors(d *document) (list, headings []anchor) {
	var scripted []anchor
	var scripts []script // looked through only where plain links are missing
	at := 0
	list = make([]anchor, 0, 128)
	selfPad := padPath.MatchString(d.url.Path)
	linkAttrs := d.rules.linkAttrs()
	add := func(to *[]anchor, n *html.Node, href string) {
		if len(*to) > 4*maxArticles {
			return
		}
		l := d.link(href)
		if !l.ok || l.sh.kind == other || l.sh.pad && !selfPad {
			return
		}
		*to = append(*to, anchor{
			title: d.rules.titleOf(n), n: n, at: at, u: l.u, to: l.at, key: l.key, sh: &l.sh, says: &wording{},
			area: n.DataAtom == atom.Area || l.sh.platform == "paperindex" && hasClass(n, "overlink"),
		})
	}
	walk(d.root, func(n *html.Node) bool {
		at++
		if n.Type == html.TextNode && len(n.Data) < 200 && strings.Contains(n.Data, "版") && len(headings) < 2*maxPages {
			if closest(n, 3, func(p *html.Node) bool { return p.DataAtom == atom.A || unseen(p) }) == nil {
				if ref, sure := readLabel(n.Data); sure == strongLabel {
					headings = append(headings, anchor{n: n, at: at, label: ref, sh: &shape{}})
				}
			}
		}
		if n.Type != html.ElementNode {
			return true
		}
		switch n.DataAtom {
		case atom.A, atom.Area:
			add(&list, n, attr(n, "href"))
		case atom.Option:
			add(&list, n, attr(n, "value"))
		case atom.Script:
			if n.FirstChild != nil {
				scripts = append(scripts, script{n, at, n.FirstChild.Data, 2 * maxArticles})
			}
			return true
		}
		if !slices.ContainsFunc(n.Attr, func(a html.Attribute) bool {
			return a.Key == "onclick" || a.Key == "alt" || slices.Contains(linkAttrs, a.Key)
		}) {
			return true
		}
		for _, key := range linkAttrs {
			if v := attr(n, key); v != "" {
				add(&list, n, v)
			}
		}
		if n.DataAtom == atom.A && attr(n, "href") == "" && hasClass(n, "overlink") {
			add(&list, n, attr(n, "alt"))
		}
		if v := attr(n, "onclick"); v != "" {
			for _, u := range d.rules.clicked(v) {
				add(&list, n, u)
			}
			scripts = append(scripts, script{n, at, v, 4})
		}
		return true
	})
	articles := slices.ContainsFunc(list, func(a anchor) bool { return a.sh.kind == articlePage })
	pages := slices.ContainsFunc(list, func(a anchor) bool { return a.sh.kind == indexPage })
	if !articles || !pages {
		for _, s := range scripts {
			if !strings.Contains(s.text, ".htm") && !strings.Contains(s.text, ".shtm") {
				continue
			}
			at = s.at
			for _, m := range quotedLink.FindAllStringSubmatch(s.text, s.most) {
				add(&scripted, s.n, m[1])
			}
		}
	}
	for _, a := range scripted {
		if a.sh.kind == articlePage && !articles || a.sh.kind == indexPage && !pages {
			list = append(list, a)
		}
	}
	return list, headings
}

// linkText reads the text of a link. 2017's People's Daily writes it by script:
// document.write(view("标题<br>副题")).
func linkText(a anchor) string {
	if a.n.DataAtom == atom.Script {
		return ""
	}
	if s := a.title; s != "" {
		return s
	}
	s := text(a.n)
	if utf8.RuneCountInString(s) > 30 {
		// A card: the heading in it is the title, the rest a summary.
		look(a.n, func(n *html.Node) bool {
			if isHeading(n) {
				if h := text(n); h != "" {
					s = h
					return false
				}
			}
			return true
		})
	}
	if s == "" {
		walk(a.n, func(n *html.Node) bool {
			if n.DataAtom == atom.Script && n.FirstChild != nil && s == "" {
				if m := writeView.FindStringSubmatch(n.FirstChild.Data); m != nil {
					s = plain(unescapeJS(m[1] + m[2]))
				}
			}
			return true
		})
	}
	if s == "" && a.n.DataAtom == atom.Option {
		s = collapse(rawText(a.n, 1000, nil))
	}
	if s == "" {
		for _, key := range []string{"neirong", "title", "alt", "name"} {
			if key == "alt" && hasClass(a.n, "overlink") {
				continue // it is the link
			}
			if s = plain(attr(a.n, key)); s != "" && (a.area || key != "name") {
				return s
			}
			s = ""
		}
		if !a.area {
			walk(a.n, func(n *html.Node) bool {
				if n.DataAtom == atom.Img && s == "" {
					if s = plain(attr(n, "alt")); s == "" {
						s = plain(attr(n, "title"))
					}
				}
				return true
			})
		}
	}
	return s
}

func unescapeJS(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	if t, err := strconv.Unquote(`"` + strings.ReplaceAll(strings.ReplaceAll(s, `\'`, `'`), `\/`, `/`) + `"`); err == nil {
		return t
	}
	return strings.ReplaceAll(s, `\`, "")
}

// readIndex reads an index page, once; nil where it has nothing of one.
func readIndex(d *document) *index {
	if !d.indexed {
		d.indexed, d.index = true, indexOf(d)
	}
	return d.index
}

func indexOf(d *document) *index {
	if d.root == nil {
		return nil
	}
	self, dated := d.shapeOf(d.url)
	if dated && self.kind != indexPage {
		dated = false
	}
	all := slices.Clone(anchorsOf(d))
	meta := readMeta(d)
	group, ok := chooseGroup(all, self, dated)
	if !ok && !dated {
		return nil
	}
	p := &index{platform: group.platform, mapped: map[string]bool{}, other: map[string]string{}, dated: dated}
	if dated {
		p.platform = self.platform
	}
	p.Day = group.day
	p.Paper = paperName(d, meta)
	selfKey := ""
	if dated {
		p.Day = self.day
		p.Page.URL = canonical(d.url)
		selfKey = identity(p.Page.URL)
		if host, path, _ := strings.Cut(group.prefix, "/"); group.prefix != self.prefix && strings.HasSuffix(self.prefix, "/"+path) {
			// The page's own list knows it by that other host.
			selfKey = host + selfKey[strings.Index(selfKey, "/"):]
			p.Page.URL = d.url.Scheme + "://" + selfKey
		}
	}

	labels := p.listPages(d, all, group, selfKey)
	p.nameSelf(d, meta, self, dated, selfKey, labels)
	selfPageKey := selfKey
	if selfPageKey == "" {
		for _, q := range p.Pages {
			if q.Number == p.Page.Number && q.Number != "" {
				selfPageKey = identity(q.URL)
			}
		}
	}
	p.pictures(d, all, meta, selfPageKey)
	p.listArticles(d, all, group, selfPageKey, labels)
	if dated && len(p.Pages) == 0 && len(p.Refs) == 0 && p.Page.Number == "" && meta["type"] != "2" {
		return nil
	}
	if p.platform == "paperindex" {
		p.embedded(d)
	}
	d.rules.index(d, p)
	if dated {
		p.says = otherDay(d, meta, self.day)
	}
	return p
}

// group is the edition that a page's links belong to.
type group struct {
	platform string

	prefix string
	root   string
	day    paper.Day
}

// chooseGroup finds which edition an index is about: that of its own URL; else,
// for an undated entry (layout/index.html), the one that most labelled page
// links lead to, the newest of equals.
func chooseGroup(all []anchor, self shape, dated bool) (group, bool) {
	type tally struct{ labelled, pages, first int }
	tallies := map[group]*tally{}
	for i, a := range all {
		g := group{a.sh.platform, a.sh.prefix, a.sh.root, a.sh.day}
		if a.sh.kind == articlePage {
			continue
		}
		t := tallies[g]
		if t == nil {
			t = &tally{first: i}
			tallies[g] = t
		}
		t.pages++
		if _, sure := pageLabel(a); sure != noLabel {
			t.labelled++
		}
	}
	if dated {
		own := group{self.platform, self.prefix, self.root, self.day}
		if t := tallies[own]; t != nil && t.labelled > 0 {
			return own, true
		}
		// The list may name another host for the same directory.
		_, path, _ := strings.Cut(own.prefix, "/")
		best, found := own, tallies[own] != nil
		for g, t := range tallies {
			if _, other, _ := strings.Cut(g.prefix, "/"); other == path && g.platform == own.platform && g.day == self.day && t.labelled > 0 && (best == own || g.prefix < best.prefix) {
				best, found = g, true
			}
		}
		if found {
			return best, true
		}
		// Under another prefix: the day holds.
		for g, t := range tallies {
			if g.platform == own.platform && g.day == self.day && t.labelled > 1 && (!found || t.labelled > tallies[best].labelled || t.labelled == tallies[best].labelled && g.prefix < best.prefix) {
				best, found = g, true
			}
		}
		return best, true
	}
	var best group
	found := false
	better := func(g, b group) bool {
		x, y := tallies[g], tallies[b]
		if (x.labelled > 1) != (y.labelled > 1) {
			return x.labelled > 1
		}
		if x.labelled > 1 && x.labelled != y.labelled && g.day == b.day {
			return x.labelled > y.labelled
		}
		if g.day != b.day {
			return g.day > b.day
		}
		return x.first < y.first
	}
	for g := range tallies {
		if !found || better(g, best) {
			best, found = g, true
		}
	}
	if found {
		return best, true
	}
	// No page link at all: a single page that lists articles.
	days := map[group]int{}
	for _, a := range all {
		g := group{a.sh.platform, a.sh.prefix, a.sh.root, a.sh.day}
		days[g]++
		if !found || days[g] > days[best] || days[g] == days[best] && g.day > best.day {
			best, found = g, true
		}
	}
	return best, found && days[best] > 1
}

// samePages reports whether a link leads to a page of the edition.
func (g group) samePage(a anchor) bool {
	return a.sh.kind == indexPage && a.sh.platform == g.platform && a.sh.day == g.day && a.sh.prefix == g.prefix
}

// listPages fills Pages in the order of the list and gives the labels by key.
func (p *index) listPages(d *document, all []anchor, g group, selfKey string) map[string]paper.PageRef {
	type entry struct {
		ref  paper.PageRef
		sure int
		at   int
		a    anchor
	}
	entries := map[string]*entry{}
	taken := map[string]string{} // number → key
	var loose []anchor
	put := func(a anchor, ref paper.PageRef, sure int) {
		e := entries[a.key]
		if e == nil {
			if k, ok := taken[ref.Number]; ok && k != a.key {
				return // 下一版's picture beside this page's label
			}
			entries[a.key] = &entry{ref, sure, a.at, a}
			taken[ref.Number] = a.key
			return
		}
		switch {
		case sure > e.sure:
			at := e.at
			*e = entry{ref, sure, at, a}
		case e.ref.Name == "" && ref.Number == e.ref.Number:
			e.ref.Name = ref.Name
		}
	}
	for _, a := range all {
		if !g.samePage(a) {
			continue
		}
		if ref, sure := pageLabel(a); sure != noLabel {
			// A second page with the same number (要闻 01 of a supplement) stays.
			if k, ok := taken[ref.Number]; ok && k != a.key && entries[a.key] == nil {
				entries[a.key] = &entry{ref, sure, a.at, a}
				continue
			}
			put(a, ref, sure)
			continue
		}
		if ref, sure := readLabel(attr(a.n, "title")); sure != noLabel {
			put(a, ref, sure)
			continue
		}
		loose = append(loose, a)
	}
	// A bare number (11, 0607) may be the page's, or a page's place among the links
	// to turn over: it counts beside labels of its own kind, where several make a
	// list, and where the address has it too.
	numbers := map[string]map[string]bool{} // by signature
	for _, a := range loose {
		if ref, ok := bareNumbered(a); ok {
			sig := signature(a.n)
			if numbers[sig] == nil {
				numbers[sig] = map[string]bool{}
				for _, e := range entries {
					if e.sure != noLabel && signature(e.a.n) == sig {
						numbers[sig][e.ref.Number] = true
					}
				}
			}
			numbers[sig][ref.Number] = true
		}
	}
	for _, a := range loose {
		if ref, ok := bareNumbered(a); ok && entries[a.key] == nil && (len(numbers[signature(a.n)]) > 1 || sameNumber(a.sh.number, ref.Number)) {
			put(a, ref, weakLabel)
		}
	}
	// A thumbnail without text has its label beside it; so has a bare name
	// (<td>01版</td><td><a>要闻</a></td>).
	for _, a := range loose[:min(len(loose), 4*maxPages)] {
		s := anchorText(a)
		if e := entries[a.key]; e != nil && e.ref.Name != "" || s != "" && navText.MatchString(s) && strings.IndexFunc(s, unicode.IsLetter) >= 0 {
			continue
		}
		if ref, sure := labelBeside(d, a); sure != noLabel {
			if ref.Name == "" && s != "" && !navText.MatchString(s) && utf8.RuneCountInString(s) <= maxLabelName {
				ref.Name = nameOf(s)
			}
			put(a, ref, sure)
		}
	}
	// Names without any number: the list may have none (封面), or no page has.
	labelled := len(entries)
	signatures := map[string]bool{}
	for _, e := range entries {
		signatures[signature(e.a.n)] = true
	}
	for _, a := range loose {
		s := anchorText(a)
		if entries[a.key] != nil {
			continue
		}
		if s == "" || navText.MatchString(s) || labelNav.MatchString(s) || utf8.RuneCountInString(s) > 20 || strings.IndexFunc(s, unicode.IsLetter) < 0 {
			if a.key != selfKey {
				p.more = append(p.more, a.u)
			}
			continue
		}
		if labelled > 0 && !signatures[signature(a.n)] {
			continue
		}
		e := &entry{paper.PageRef{Number: a.sh.number, Name: nameOf(s)}, weakLabel, a.at, a}
		entries[a.key] = e
	}
	if g.platform == "paperindex" {
		// Number and name are two links to one page.
		for _, a := range loose {
			s := anchorText(a)
			if e := entries[a.key]; e != nil && e.ref.Name == "" && s != "" && !navText.MatchString(s) && !labelNav.MatchString(s) && utf8.RuneCountInString(s) <= maxLabelName {
				e.ref.Name = nameOf(s)
			}
		}
	}
	list := make([]*entry, 0, len(entries))
	for _, e := range entries {
		list = append(list, e)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].at < list[j].at })
	if len(list) > maxPages {
		list = list[:maxPages]
	}
	labels := map[string]paper.PageRef{}
	for i, e := range list {
		if e.ref.Number == "" {
			if e.ref.Number = numberByFiles(d, e.a); e.ref.Number == "" && labelled == 0 {
				e.ref.Number = fmt.Sprintf("%02d", i+1)
			}
		}
		labels[e.a.key] = e.ref
		p.Pages = append(p.Pages, Page{PageRef: e.ref, URL: e.a.to})
	}
	return labels
}

// bareNumbered reads a link that says nothing but a number. One figure alone is
// none: arrows are figures in Webdings.
func bareNumbered(a anchor) (paper.PageRef, bool) {
	w := a.read()
	if !w.nav || len(w.text) < 2 || len(w.text) > 4 || digits(w.text) != len(w.text) || w.sure != weakLabel {
		return paper.PageRef{}, false
	}
	return w.label, true
}

// signature is what the links of one list share: the element around them.
func signature(n *html.Node) string {
	if n.Parent == nil {
		return ""
	}
	return n.Parent.Data + "." + attr(n.Parent, "class") + ">" + n.Data + "." + attr(n, "class") + "#" + attr(n, "id")
}

// labelBeside reads the label in the smallest element around a link that leads
// to no other page.
func labelBeside(d *document, a anchor) (paper.PageRef, int) {
	for p, steps := a.n.Parent, 0; p != nil && steps < 6; p, steps = p.Parent, steps+1 {
		if p.Type != html.ElementNode || p.DataAtom == atom.Body {
			break
		}
		alone := look(p, func(n *html.Node) bool {
			if n.DataAtom == atom.A {
				l := d.link(attr(n, "href"))
				return !l.ok || l.isPage() && l.key == a.key
			}
			return true
		})
		if !alone {
			break
		}
		if ref, sure := readLabel(rawText(p, 400, nil)); sure == strongLabel {
			return ref, sure
		}
	}
	return paper.PageRef{}, noLabel
}

// filePage is the page's directory in the path of its picture and PDF:
// page/1/2024-01-01/01/93271704068338466.pdf, page/1/2024-11/06/A01/….
var filePage = regexp.MustCompile(`(?i)/\d{4}-?\d{2}[-/]?\d{2}/([a-z]{0,2}\d{1,3})/[^/]+\.(?:pdf|jpe?g|png|gif)(?:\.\d)?$`)

// numberByFiles takes a page's number from the files beside its link.
func numberByFiles(d *document, a anchor) string {
	if pdf := pdfBeside(d, a); pdf != "" {
		if m := filePage.FindStringSubmatch(pdf); m != nil {
			return m[1]
		}
	}
	number := ""
	walk(a.n, func(n *html.Node) bool {
		if n.DataAtom == atom.Img && number == "" {
			if m := filePage.FindStringSubmatch(attr(n, "src")); m != nil {
				number = m[1]
			}
		}
		return true
	})
	return number
}

// pdfBeside is the PDF in the row of a page link: the nearest element around it
// that holds a PDF and no link to another page.
func pdfBeside(d *document, a anchor) string {
	for p, steps := a.n.Parent, 0; p != nil && steps < 5 && p.DataAtom != atom.Body; p, steps = p.Parent, steps+1 {
		pdf := ""
		alone := look(p, func(n *html.Node) bool {
			if n.DataAtom != atom.A {
				return true
			}
			l := d.link(attr(n, "href"))
			if pdf == "" && l.u != nil && isPDF(l.u) {
				pdf = l.u.String()
			}
			return !l.isPage() || l.key == a.key
		})
		if !alone {
			return ""
		}
		if pdf != "" {
			return pdf
		}
	}
	return ""
}

func isPDF(u *url.URL) bool {
	return len(u.Path) > 4 && strings.EqualFold(u.Path[len(u.Path)-4:], ".pdf")
}

// nameSelf tells which page this is: by its entry in the list, the label printed
// on it, the metadata, the URL.
func (p *index) nameSelf(d *document, meta map[string]string, self shape, dated bool, selfKey string, labels map[string]paper.PageRef) {
	if ref, ok := labels[selfKey]; ok && ref.Number != "" {
		p.Page.PageRef = ref
	}
	printed, found := labelOnPage(d, selfKey)
	number := meta["pagenum"]
	if number == "" {
		number = self.number
	}
	switch {
	case p.Page.Number == "" && found && (number == "" || sameNumber(number, printed.Number)):
		p.Page.PageRef = printed
	case p.Page.Number == "" && number != "":
		p.Page.Number = number
		if found && p.Page.Name == "" && sameNumber(number, printed.Number) {
			p.Page.Name = printed.Name
		}
	case found && p.Page.Name == "" && sameNumber(p.Page.Number, printed.Number):
		p.Page.Name = printed.Name
	}
	if p.Page.Name == "" {
		if ref, ok := labels[selfKey]; ok {
			p.Page.Name = ref.Name
		}
		for _, q := range p.Pages {
			if p.Page.Name == "" && q.Number == p.Page.Number {
				p.Page.Name = q.Name
			}
		}
	}
	if selfKey != "" {
		for i := range p.Pages {
			if identity(p.Pages[i].URL) == selfKey {
				p.Pages[i].PageRef = p.Page.PageRef
			}
		}
	} else if !dated && p.Page.Number == "" && len(p.Pages) > 0 {
		// An undated entry shows the first page.
		p.Page.PageRef = p.Pages[0].PageRef
	}
	if !dated {
		for _, q := range p.Pages {
			if q.Number == p.Page.Number {
				p.Page.URL = q.URL
				break
			}
		}
	}
}

// sameNumber compares page numbers whatever their leading zeros and case: 4 is
// 04, a01 is A01.
func sameNumber(a, b string) bool { return bareNumber(a) == bareNumber(b) }

func bareNumber(s string) string {
	s = strings.ToUpper(s)
	i := strings.IndexFunc(s, unicode.IsDigit)
	if i < 0 {
		return s
	}
	return s[:i] + strings.TrimLeft(s[i:], "0")
}

// labelOnPage finds the page's own label among its text: the first small element
// that is a label once links to other pages are left out.
func labelOnPage(d *document, selfKey string) (ref paper.PageRef, found bool) {
	elsewhere := func(n *html.Node) bool {
		if n.DataAtom != atom.A {
			return false
		}
		l := d.link(attr(n, "href"))
		return l.isPage() && l.key != selfKey || l.ok && l.sh.kind == articlePage
	}
	walk(d.root, func(n *html.Node) bool {
		if found || n.Type != html.ElementNode {
			return !found
		}
		if unseen(n) || elsewhere(n) || n.DataAtom == atom.Option {
			return false
		}
		if n.DataAtom == atom.Html || n.DataAtom == atom.Body {
			return true
		}
		s := rawText(n, 240, elsewhere)
		if len(s) > 240 || !strings.ContainsAny(s, "版板") {
			return len(s) > 240
		}
		// The smallest element that has the whole label: a child that is one too
		// and no poorer goes first (<td><b>第01版：要闻</b> 3月1日</td>).
		r, sure := readLabel(s)
		if sure == strongLabel {
			ref, found = r, true
			for c := n.FirstChild; c != nil; c = c.NextSibling {
				if c.Type == html.ElementNode && !elsewhere(c) {
					if r, sure := readLabel(rawText(c, 240, elsewhere)); sure == strongLabel && r.Name != "" && len(r.Name) < len(ref.Name) {
						ref = r
					}
				}
			}
			return false
		}
		return true
	})
	return ref, found
}

var briefName = regexp.MustCompile(`(?i)_(?:brief|icon|small|thumb|s|m)(\.(?:jpe?g|png|gif))$`)

// fullSize is the full picture behind a resized one: uuid.jpg.2 → uuid.jpg.
func fullSize(src string) string {
	if n := len(src); n == 0 || src[n-1] < '0' || src[n-1] > '9' {
		return src
	}
	return resizedName.ReplaceAllString(src, "$1")
}

var resizedName = regexp.MustCompile(`(?i)(\.(?:jpe?g|png|gif|bmp|webp))\.\d$`)

// pictures finds the page's picture, its image map and its PDF.
func (p *index) pictures(d *document, all []anchor, meta map[string]string, selfKey string) {
	// The map's name may differ in case from usemap, so the picture is the one
	// that has a usemap at all, preferring the page's own name.
	var picture *html.Node
	walk(d.root, func(n *html.Node) bool {
		if n.DataAtom == atom.Img {
			if m := strings.ToLower(strings.TrimPrefix(attr(n, "usemap"), "#")); m != "" && (picture == nil || m == "pagepicmap" && !strings.EqualFold(attr(picture, "usemap"), "#pagepicmap")) {
				picture = n
			}
			if picture == nil && strings.EqualFold(attr(n, "id"), "paperImg") {
				picture = n
			}
		}
		return true
	})
	if picture != nil {
		src := attr(picture, "src")
		for _, key := range lazyAttrs {
			if v := attr(picture, key); v != "" {
				src = v
				break
			}
		}
		if u := resolve(d.base, fullSize(src)); u != nil {
			p.Page.Picture = u.String()
			if m := briefName.FindStringSubmatchIndex(p.Page.Picture); m != nil {
				stem, ext := p.Page.Picture[:m[0]], p.Page.Picture[m[2]:]
				refs := referred(d, path.Base(stem))
				for _, full := range []string{"", "_b", "_big", "_large", "_full", "_pic"} {
					if refs[stem+full+ext] {
						p.Page.Picture = stem + full + ext
						break
					}
				}
			}
		}
	}
	pdfs := map[string]string{}
	for tries, a := range all {
		if a.sh.kind == indexPage && a.n.DataAtom == atom.A && pdfs[a.key] == "" && tries < 4*maxPages {
			pdfs[a.key] = pdfBeside(d, a)
		}
	}
	for i := range p.Pages {
		p.Pages[i].PDF = pdfs[identity(p.Pages[i].URL)]
		if identity(p.Pages[i].URL) == selfKey {
			p.Page.PDF = p.Pages[i].PDF
		}
	}
	if p.Page.PDF != "" {
		return
	}
	// The first PDF that is no other page's.
	others := map[string]bool{}
	for _, q := range p.Pages {
		others[q.PDF] = true
	}
	walk(d.root, func(n *html.Node) bool {
		if n.DataAtom == atom.A && p.Page.PDF == "" {
			if u := d.link(attr(n, "href")).u; u != nil && isPDF(u) && !others[u.String()] {
				p.Page.PDF = u.String()
			}
		}
		return true
	})
}

// referred are the URLs that a document names and that hold a word.
func referred(d *document, word string) map[string]bool {
	refs := map[string]bool{}
	if !plainPath("/" + word) {
		word = "" // it may be written in several ways
	}
	walk(d.root, func(n *html.Node) bool {
		for _, a := range n.Attr {
			switch a.Key {
			case "href", "src", "data-src", "value":
				if strings.Contains(a.Val, word) {
					if u := d.resolve(a.Val); u != nil {
						refs[u.String()] = true
					}
				}
			}
		}
		return true
	})
	return refs
}

// listArticles fills Refs and Areas: every article of the same day, first those
// of this page in the order of its list, then those that it lists for others.
func (p *index) listArticles(d *document, all []anchor, g group, selfKey string, labels map[string]paper.PageRef) {
	type entry struct {
		ref   Ref
		at    int
		root  string
		title string
	}
	// One article by two names of the host is one: its path decides. The URL
	// kept is that on the page's own host where there is one.
	byPath := map[string]string{}
	for _, a := range all {
		if k := pathOf(a.key); a.sh.kind == articlePage && (byPath[k] == "" || hostOf(a.u) == hostOf(d.url)) {
			byPath[k] = a.key
		}
	}
	for i, a := range all {
		if a.sh.kind == articlePage {
			all[i].key = byPath[pathOf(a.key)]
		}
	}
	entries := map[string]*entry{}
	var order []string
	var areas []string // keys of Page.Areas
	own := false       // an article below the edition's own root was seen
	for _, a := range all {
		if a.sh.kind != articlePage || a.sh.platform != p.platform || a.sh.day != p.Day || len(order) >= maxArticles {
			continue
		}
		if a.area && (a.sh.platform != "paperindex" || sameNumber(a.sh.number, p.Page.Number)) {
			p.mapped[a.key] = true
			if len(p.Page.Areas) < maxArticles {
				areas = append(areas, a.key)
				p.Page.Areas = append(p.Page.Areas, areaOf(a))
			}
		}
		e := entries[a.key]
		if e == nil {
			e = &entry{ref: Ref{URL: a.to, Origin: a.sh.id, Positional: a.sh.positional}, at: -1, root: a.sh.root}
			entries[a.key] = e
			order = append(order, a.key)
		}
		if u := a.to; u != e.ref.URL && !slices.Contains(e.ref.Also, u) {
			if identity(u) == a.key && identity(e.ref.URL) != a.key {
				u, e.ref.URL = e.ref.URL, u
			}
			e.ref.Also = append(e.ref.Also, u)
		}
		own = own || sameRoot(a.sh, g)
		if !a.area && e.at < 0 {
			e.at = a.at
		}
		w := a.read()
		s := title(w.text)
		if s == w.text && w.nav || s != w.text && isNav(s) || strings.IndexFunc(s, unicode.IsLetter) < 0 {
			s = title(plain(attr(a.n, "title"))) // 查看, an arrow, the number of an area
		}
		switch cut := strings.TrimRight(e.title, ".…"); {
		case s == "":
		case e.title == "":
			e.title = s
		case cut != e.title && len(s) > len(cut) && strings.HasPrefix(noSpace(s), noSpace(cut)): // the first was cut short
			e.title = s
		}
	}
	if p.platform == "paperindex" {
		p.numbered(all, g)
	} else {
		p.tree(all, d.headings, g)
	}
	var mine, rest []*entry
	firstMapped := -1
	for _, k := range order {
		if e := entries[k]; p.mapped[k] && e.at >= 0 && (firstMapped < 0 || e.at < firstMapped) {
			firstMapped = e.at
		}
	}
	keep := order[:0]
	for _, k := range order {
		// A sibling paper's articles (晚报) on the same day are not ours.
		if e := entries[k]; !own || p.mapped[k] || sameRootOf(e.root, g) {
			keep = append(keep, k)
		}
	}
	sort.SliceStable(keep, func(i, j int) bool { return entries[keep[i]].at < entries[keep[j]].at && entries[keep[i]].at >= 0 })
	for _, k := range keep {
		e := entries[k]
		e.ref.Title = e.title
		if p.mapped[k] {
			delete(p.other, k)
		}
		switch {
		case p.other[k] != "" && p.other[k] != selfKey, !p.mapped[k] && firstMapped >= 0 && e.at >= 0 && e.at < firstMapped:
			rest = append(rest, e)
		default:
			delete(p.other, k)
			mine = append(mine, e)
		}
	}
	// Those that only the image map has come last.
	sort.SliceStable(mine, func(i, j int) bool { return mine[i].at >= 0 && mine[j].at < 0 })
	for i, k := range areas {
		p.Page.Areas[i].URL = entries[k].ref.URL
	}
	position := map[string]int{}
	for _, e := range append(mine, rest...) {
		e.ref.Page = p.Page.PageRef
		if k := p.other[identity(e.ref.URL)]; k != "" {
			e.ref.Page = labels[k]
		}
		position[e.ref.Page.Number]++
		e.ref.Position = position[e.ref.Page.Number]
		e.ref.Ordinal = len(p.Refs)
		p.Refs = append(p.Refs, e.ref)
	}
}

// areaOf is a link's area of the page's picture.
func areaOf(a anchor) Area {
	area := Area{URL: a.to, Shape: strings.ToLower(attr(a.n, "shape")), Coords: attr(a.n, "coords"), Title: title(anchorText(a))}
	if area.Coords == "" {
		area.Shape, area.Coords = overlay(attr(a.n, "style"))
	}
	return area
}

func sameRoot(sh *shape, g group) bool { return sh.prefix == g.prefix || sameRootOf(sh.root, g) }

// sameRootOf compares roots whatever their host: articles may lie on another
// one. A root above the pages' own counts, but for the host's.
func sameRootOf(root string, g group) bool {
	_, a, _ := strings.Cut(root, "/")
	_, b, _ := strings.Cut(g.root, "/")
	return a == b || a != "" && strings.HasPrefix(b, a)
}

// tree notes articles that stand under another page's heading: a whole edition
// in one page (dl trees, catalogues). A list of pages followed by a list of
// articles is none: in a tree a heading follows articles, not another heading.
func (p *index) tree(all, headings []anchor, g group) {
	keys := map[string]string{} // page number → its key
	for _, q := range p.Pages {
		if keys[q.Number] == "" {
			keys[q.Number] = identity(q.URL)
		}
	}
	list := slices.Concat(all, headings)
	slices.SortStableFunc(list, func(a, b anchor) int { return a.at - b.at })
	under := map[string]string{}
	heads := map[string]bool{} // and whether each follows an article
	var head anchor
	clean, afterArticle := false, true
	for _, a := range list {
		isHead := false
		if a.label.Number != "" {
			a.key = keys[a.label.Number]
			isHead = a.key != ""
		} else if g.samePage(a) {
			_, sure := pageLabel(a)
			isHead = sure != noLabel
		}
		switch {
		case isHead && a.key != head.key:
			head, clean, afterArticle = a, afterArticle, false
		case isHead:
			head.n = a.n
		case a.sh.kind == articlePage && !a.area && a.sh.day == g.day:
			afterArticle = true
			if under[a.key] != "" || head.n == nil || closest(a.n, 12, func(n *html.Node) bool { return inside(head.n, n) && n.DataAtom != atom.Body }) == nil {
				continue
			}
			under[a.key] = head.key
			heads[head.key] = heads[head.key] || clean
		}
	}
	good := 0
	for _, ok := range heads {
		if ok {
			good++
		}
	}
	if len(heads) >= 2 && good*2 >= len(heads) {
		p.other = under
	}
}

// pageLabel reads the label of a link to a page; 下一版 is none.
func pageLabel(a anchor) (paper.PageRef, int) {
	w := a.read()
	if w.nav {
		return paper.PageRef{}, noLabel
	}
	return w.label, w.sure
}

// title tidies a title as listed: a bullet before it and 详细 after it go.
func title(s string) string {
	s = strings.TrimLeft(collapse(s), "·•●■◆▪□*○◇►▶>» ")
	for _, word := range []string{"详细", "全文", "更多"} { // none of these, none of moreText
		if strings.Contains(s, word) {
			s = moreText.ReplaceAllString(s, "")
			break
		}
	}
	return strings.TrimSpace(s)
}

var siteWords = regexp.MustCompile(`数字报刊?|电子报刊?|数字版|电子版|多媒体|网络版|平台|新闻网|首页|阅读|在线|epaper`)

// paperName is the printed name: of the metadata, else of the document's title.
func paperName(d *document, meta map[string]string) string {
	if n := meta["papername"]; n != "" {
		return n
	}
	t := collapse(d.seen.title)
	best := ""
	for _, part := range titleParts(t) {
		part = strings.TrimSpace(siteWords.ReplaceAllString(part, ""))
		if paperWord.MatchString(part) && utf8.RuneCountInString(part) <= 12 && (best == "" || len(part) < len(best)) {
			best = part
		}
	}
	return best
}

var (
	paperWord  = regexp.MustCompile(`(?:报|时报|日报|晚报|周刊|周报)$`)
	titleSplit = regexp.MustCompile(`\s*[-_|—–－―｜:：·]+\s*|\s{2,}`)
)

func titleParts(t string) []string { return titleSplit.Split(t, -1) }

// ---- finding editions

func findEdition(name string) func(context.Context, Getter, Source, Want, *document) (Found, error) {
	return func(ctx context.Context, g Getter, s Source, w Want, entry *document) (Found, error) {
		return findEditions(ctx, g, s, w, entry, name)
	}
}

func findEditions(ctx context.Context, g Getter, s Source, w Want, entry *document, name string) (Found, error) {
	f := Found{Platform: name}
	first := readIndex(entry)
	if first == nil || first.Day == "" || first.platform != name || len(first.Pages) == 0 && len(first.Refs) == 0 && len(first.more) == 0 {
		return f, &UnknownError{URL: entry.url.String(), Reason: "no page list of a " + name + " edition: " + seen(entry)}
	}
	f.Name = first.Paper
	b := &builder{g: g, s: s, platform: name, rules: entry.rules, have: map[string]*index{}}
	if first.dated {
		b.keep(identity(canonical(entry.url)), first)
		b.keep(identity(first.Page.URL), first)
	}
	front := first.Page.URL
	if len(first.Pages) > 0 {
		front = first.Pages[0].URL
	} else if front == "" && len(first.more) > 0 {
		front = canonical(first.more[0])
	}
	if front == "" {
		front = canonical(entry.url)
	}
	b.front, b.newest = front, first.Day

	days := b.choose(ctx, w, &f)
	if err := ctx.Err(); err != nil {
		return f, fmt.Errorf("find %s: %w", s.URL, err)
	}
	for _, day := range days {
		var e Edition
		var ok bool
		if day == first.Day {
			e, ok = b.edition(ctx, day, front, first, entry)
		} else {
			e, ok = b.edition(ctx, day, b.frontOf(ctx, day), nil, nil)
		}
		if err := ctx.Err(); err != nil {
			return f, fmt.Errorf("find %s: %w", s.URL, err)
		}
		if !ok {
			f.Missing = append(f.Missing, day)
			if b.lists(day) {
				f.Announced = append(f.Announced, day)
			}
			if e.Problem != "" && f.Problem == "" && !slices.Contains(w.Late, day) {
				f.Problem = fmt.Sprintf("edition %s: %s", day, e.Problem)
			}
			continue
		}
		e.Build = b.build(day)
		f.Editions = append(f.Editions, e)
	}
	return f, nil
}

// builder puts editions together out of their index pages.
type builder struct {
	g        Getter
	s        Source
	platform string
	rules    *ruleSet
	have     map[string]*index // pages read, by identity
	front    string            // first page of the newest edition
	newest   paper.Day
	months   map[string][]CalendarDay // by 2017-09; nil entry: there is none
}

// maxGap caps how many days are tried by URL scheme between the last known and
// the newest edition where a source has no calendar.
const maxGap = 7

// choose tells the days to look at, oldest first.
func (b *builder) choose(ctx context.Context, w Want, f *Found) []paper.Day {
	if w.Only != "" {
		return []paper.Day{w.Only}
	}
	limit := max(w.Max, 1)
	var fresh []paper.Day
	if b.newest > w.After {
		fresh = append(fresh, b.newest)
		switch {
		case w.After == "" && limit > 1:
			// First sight: the newest, from this month's and the last one's calendar.
			for _, month := range []paper.Day{b.newest, b.newest.Add(-dayOfMonth(b.newest))} {
				for _, c := range b.calendar(ctx, month) {
					if c.Day < b.newest {
						fresh = append(fresh, c.Day)
					}
				}
				if len(fresh) >= limit {
					break
				}
			}
		case w.After != "" && w.After.Add(1) < b.newest && limit > 1:
			found := false
			for m := b.newest; m[:7] >= w.After[:7] && len(fresh) < limit; m = m.Add(-dayOfMonth(m)) {
				days := b.calendar(ctx, m)
				found = found || len(days) > 0
				for _, c := range days {
					if c.Day > w.After && c.Day < b.newest {
						fresh = append(fresh, c.Day)
					}
				}
			}
			if !found {
				for day := b.newest.Add(-1); day > w.After && len(fresh) < min(limit, maxGap+1); day = day.Add(-1) {
					fresh = append(fresh, day)
				}
			}
		}
	}
	slices.Sort(fresh)
	fresh = slices.Compact(fresh)
	if len(fresh) > limit {
		fresh = fresh[len(fresh)-limit:]
	}
	fresh = append(fresh, w.Again...)
	for _, day := range w.Late {
		listed := len(b.calendar(ctx, day)) > 0
		if day == b.newest || b.lists(day) || !listed && slices.Contains(w.Missed, day) {
			fresh = append(fresh, day)
		}
	}
	slices.Sort(fresh)
	return slices.Compact(fresh)
}

func dayOfMonth(d paper.Day) int {
	n, _ := strconv.Atoi(string(d[8:]))
	return n
}

// calendar reads a month's period.xml, oldest first; nil where there is none.
func (b *builder) calendar(ctx context.Context, day paper.Day) []CalendarDay {
	month := string(day[:7])
	if days, ok := b.months[month]; ok {
		return days
	}
	if b.months == nil {
		b.months = map[string][]CalendarDay{}
	}
	b.months[month] = nil
	u, err := url.Parse(b.front)
	if err != nil {
		return nil
	}
	if at := b.rules.calendarURL(u, day); at != nil {
		doc, err := b.s.get(ctx, b.g, at.String(), b.s.URL, true)
		if err != nil {
			return nil
		}
		b.months[month] = b.rules.calendarDays(doc, u, day)
		return b.months[month]
	}
	if b.platform != "founder" {
		return nil
	}
	m := datedPath.FindStringSubmatch(u.Path)
	if m == nil {
		return nil
	}
	dir := string(day[:4]) + m[3] + string(day[5:7])
	if m[3] == "/" {
		dir = string(day[:4]) + string(day[5:7])
	}
	at := *u
	at.Path, at.RawPath = m[1]+dir+"/period.xml", ""
	doc, err := b.s.get(ctx, b.g, at.String(), b.s.URL, true)
	if err != nil {
		return nil
	}
	days, ok := readPeriods(doc)
	if !ok {
		return nil
	}
	b.months[month] = days
	return days
}

// build is the publisher's mark of a rebuild, where its calendar was read.
func (b *builder) build(day paper.Day) string {
	for _, c := range b.months[string(day[:7])] {
		if c.Day == day {
			return c.Build
		}
	}
	return ""
}

// lists reports whether a calendar that was read has a day.
func (b *builder) lists(day paper.Day) bool {
	return slices.ContainsFunc(b.months[string(day[:7])], func(c CalendarDay) bool { return c.Day == day })
}

// frontOf is the first page of another day: by the calendar, else by the URL
// scheme of the newest edition.
func (b *builder) frontOf(ctx context.Context, day paper.Day) string {
	for _, c := range b.calendar(ctx, day) {
		if c.Day == day && c.URL != "" && !strings.HasSuffix(c.URL, "/") {
			return c.URL
		}
	}
	u, err := url.Parse(b.front)
	if err != nil {
		return b.front
	}
	if at := b.rules.editionURL(u, day); at != nil {
		return at.String()
	}
	m := datedPath.FindStringSubmatchIndex(u.Path)
	if m == nil || b.platform == "html" {
		return sameForm(u, b.newest, day)
	}
	p := u.Path
	u.Path, u.RawPath = p[:m[4]]+string(day[:4])+p[m[5]:m[8]]+string(day[5:7])+p[m[9]:m[10]]+string(day[8:])+p[m[11]:], ""
	if b.platform == "paperindex" {
		// The skin's suffix of that day is not known; the index sends on to it.
		u.Path = path.Dir(u.Path) + "/IssueIndex.htm"
	}
	return u.String()
}

// edition reads all index pages of one day. It reports false where the
// publisher has no such edition.
func (b *builder) edition(ctx context.Context, day paper.Day, front string, first *index, entry *document) (Edition, bool) {
	e := Edition{Day: day, URL: front}
	problem := func(at string, err error) {
		e.Partial = true
		if e.Problem == "" {
			e.Problem = fmt.Sprintf("page %s: %v", at, err)
		}
	}
	var list []Page
	known := map[string]bool{}
	add := func(p Page) {
		if k := identity(p.URL); p.URL != "" && !known[k] && len(list) < maxPages {
			known[k] = true
			list = append(list, p)
		}
	}
	if first == nil {
		p, err := b.page(ctx, front)
		if err != nil {
			if fetch.Missing(err) {
				return e, false
			}
			problem(front, err)
			return e, true
		}
		if p.Day != day {
			return e, false // the publisher answers with its newest edition instead
		}
		first, e.URL = p, p.Page.URL
	}
	if first.dated && first.says != "" {
		// An old edition at the new one's address: that day has none yet.
		e.Problem = fmt.Sprintf("%s says that it is of %s", first.Page.URL, first.says)
		return e, false
	}
	for _, p := range first.Pages {
		add(p)
	}
	if len(list) == 0 {
		if first.dated {
			add(first.Page)
		}
		for _, u := range first.more {
			add(Page{URL: canonical(u)})
		}
	} else if first.dated && !known[identity(first.Page.URL)] {
		// A page that its own list leaves out: first where its number says so.
		list = append([]Page{first.Page}, list...)
		known[identity(first.Page.URL)] = true
	}
	if len(list) == 0 && entry != nil {
		// The entry is the whole edition.
		list = append(list, Page{PageRef: first.Page.PageRef, URL: canonical(entry.url)})
		b.keep(identity(canonical(entry.url)), first)
	}
	read := make([]*index, 0, len(list))
	for i := 0; i < len(list); i++ {
		p, err := b.page(ctx, list[i].URL)
		if err == nil && p.Day != day {
			err = fmt.Errorf("is of %s", p.Day)
		}
		if err == nil && p.says != "" {
			err = fmt.Errorf("says that it is of %s", p.says)
		}
		if err != nil {
			problem(orNumber(list[i]), err)
			read = append(read, nil)
			continue
		}
		read = append(read, p)
		for _, q := range p.Pages {
			add(q)
		}
		if len(p.Pages) <= 1 {
			for _, u := range p.more {
				add(Page{URL: canonical(u)})
			}
		}
	}
	b.assemble(&e, list, read)
	if len(e.Pages) > 0 {
		e.URL = e.Pages[0].URL
	}
	if len(e.Refs) == 0 && !e.Partial {
		e.Partial, e.Problem = true, fmt.Sprintf("no article on any of %d pages", len(list))
	}
	return e, true
}

func orNumber(p Page) string {
	if p.Number != "" {
		return p.Number
	}
	return p.URL
}

// page reads one index page, once. It is asked for with Keep, so that an
// unchanged one costs the publisher a 304 and still is read in full.
func (b *builder) page(ctx context.Context, at string) (*index, error) {
	if p := b.have[identity(at)]; p != nil {
		return p, nil
	}
	see := b.s.land // an issue's index sends on to its first page
	if b.platform == "founder" {
		see = func(ctx context.Context, g Getter, at, from string) (*document, error) {
			return b.s.get(ctx, g, at, from, true)
		}
	}
	d, err := see(ctx, b.g, at, b.s.URL)
	if err != nil {
		return nil, err
	}
	p := readIndex(d)
	if p == nil || p.platform != b.platform {
		return nil, &UnknownError{URL: at, Reason: "no page of an edition: " + seen(d)}
	}
	b.keep(identity(at), p)
	return p, nil
}

// keep remembers a page, and the other pages that its document holds whole.
func (b *builder) keep(key string, p *index) {
	b.have[key] = p
	for _, q := range p.whole {
		if k := identity(q.Page.URL); b.have[k] == nil {
			b.have[k] = q
		}
	}
}

// assemble gives every article its one page: the page whose image map has it,
// else the one under whose heading it is listed, else the first that lists it.
func (b *builder) assemble(e *Edition, list []Page, read []*index) {
	owner := map[string]int{} // article → index of its page
	at := map[string]int{}    // page → its index
	for i, p := range list {
		at[identity(p.URL)] = i
	}
	for _, rank := range []func(p *index, r Ref) (string, bool){
		func(p *index, r Ref) (string, bool) { return "", p.mapped[identity(r.URL)] },
		func(p *index, r Ref) (string, bool) { k := p.other[identity(r.URL)]; return k, k != "" },
		func(p *index, r Ref) (string, bool) { return "", true },
	} {
		for i, p := range read {
			if p == nil {
				continue
			}
			for _, r := range p.Refs {
				k := pathOf(r.URL)
				if _, ok := owner[k]; ok {
					continue
				}
				if other, ok := rank(p, r); ok {
					owner[k] = i
					if j, ok := at[other]; ok {
						owner[k] = j
					}
				}
			}
		}
	}
	seen := map[string]int{}
	for i, p := range list {
		out := p
		if q := read[i]; q != nil {
			out.Picture, out.Areas = q.Page.Picture, q.Page.Areas
			if out.PDF == "" {
				out.PDF = q.Page.PDF
			}
			if q.Page.Number != "" && (out.Number == "" || out.Name == "") {
				out.PageRef = q.Page.PageRef
			}
		}
		if out.Number == "" {
			out.Number = fmt.Sprintf("%02d", i+1)
		}
		e.Pages = append(e.Pages, out)
	}
	byPage := make([][]Ref, len(list))
	for _, q := range read {
		if q == nil {
			continue
		}
		for _, r := range q.Refs {
			k := pathOf(r.URL)
			i := owner[k]
			if n, ok := seen[k]; ok {
				// Known already: a longer title may stand on the second page.
				if byPage[i][n].Title == "" {
					byPage[i][n].Title = r.Title
				}
				if u := byPage[i][n].URL; u != r.URL && !slices.Contains(byPage[i][n].Also, r.URL) {
					byPage[i][n].Also = append(byPage[i][n].Also, r.URL)
				}
				continue
			}
			seen[k] = len(byPage[i])
			byPage[i] = append(byPage[i], r)
		}
	}
	for i, refs := range byPage {
		// The order of the page's own list holds where it was read.
		if q := read[i]; q != nil {
			rank := map[string]int{}
			for n, r := range q.Refs {
				rank[pathOf(r.URL)] = n + 1
			}
			sort.SliceStable(refs, func(x, y int) bool {
				rx, ry := rank[pathOf(refs[x].URL)], rank[pathOf(refs[y].URL)]
				return rx > 0 && (ry == 0 || rx < ry)
			})
		}
		for n, r := range refs {
			r.Page, r.Position, r.Ordinal = e.Pages[i].PageRef, n+1, len(e.Refs)
			e.Refs = append(e.Refs, r)
		}
	}
}

// pathOf is the identity of an article within one edition, whatever its host.
func pathOf(u string) string {
	_, p, _ := strings.Cut(identity(u), "/")
	return p
}

func readEdition(ctx context.Context, g Getter, s Source, r Ref) (Printed, error) {
	d, err := s.get(ctx, g, r.URL, s.URL, false)
	if err != nil {
		return sketch(r, err)
	}
	if u, err := url.Parse(r.URL); err == nil && d.url.Path != u.Path {
		asked, _ := d.shapeOf(u)
		if got, _ := d.shapeOf(d.url); asked.kind == articlePage && (got.kind != articlePage || got.id != asked.id) {
			return sketch(r, &UnknownError{URL: r.URL, Reason: "sends on to " + d.url.String() + ", which is not the article"})
		}
	}
	a, reason := readArticle(d)
	if a == nil {
		return sketch(r, &UnknownError{URL: r.URL, Reason: reason + ": " + seen(d)})
	}
	if a.Body == "" && r.Printed != nil {
		a.Body = r.Printed.Body
	}
	if a.Body == "" && len(a.Images) == 0 && !closing.Match(d.body) && len(readMeta(d)) == 0 {
		// Nothing but a headline, and the page is not closed: most likely its
		// beginning alone. To be tried again.
		return Printed{}, fmt.Errorf("read %s: cut off, it holds a headline only and is not closed: %w", d.url, io.ErrUnexpectedEOF)
	}
	if a.Headline == "" {
		a.Headline = r.Title
	}
	if a.Page.Number == "" {
		a.Page = r.Page
	} else if a.Page.Name == "" && sameNumber(a.Page.Number, r.Page.Number) {
		a.Page = r.Page
	}
	return *a, nil
}

// sketch is what the index held of an article whose own page is not there; a
// fault that passes is none of that.
func sketch(r Ref, err error) (Printed, error) {
	var unknown *UnknownError
	if r.Printed != nil && (fetch.Missing(err) || errors.As(err, &unknown)) {
		return *r.Printed, nil
	}
	return Printed{}, err
}

// otherDay is the day that a page prints where it is another than its URL's; a
// rule on the date decides, else the metadata speak first, then the document's title and the line of the label.
// A page that prints its URL's day anywhere among them is of that day.
func otherDay(d *document, meta map[string]string, day paper.Day) paper.Day {
	says := d.rules.printedDay(d)
	if says != "" {
		if says == day {
			return ""
		}
		return says
	}
	if says = metaDay(meta); says == day {
		return ""
	}
	for _, s := range printedDates(d) {
		if s == day {
			return ""
		}
		if says == "" {
			says = s
		}
	}
	return says
}

// headDate is a date as a page's head prints it: 2024年1月1日, 2024-01-01.
var headDate = regexp.MustCompile(`((?:19|20)\d{2}) ?[年\-/.] ?(\d{1,2}) ?[月\-/.] ?(\d{1,2})(?: ?日)?`)

// printedDates are the dates of the document's title and of short lines that are
// a date, with weekday or label, and nothing else. Links (上一期) do not count.
func printedDates(d *document) []paper.Day {
	var days []paper.Day
	add := func(s string) {
		if m := headDate.FindStringSubmatch(s); m != nil && len(days) < 20 {
			if day, err := paper.ParseDay(m[1] + "-" + pad(m[2]) + "-" + pad(m[3])); err == nil {
				days = append(days, day)
			}
		}
	}
	add(collapse(d.seen.title))
	walk(d.root, func(n *html.Node) bool {
		switch {
		case n.Type == html.TextNode && len(n.Data) < 200 && digits(n.Data) >= 6:
			s := collapse(n.Data)
			rest := strings.TrimSpace(headDate.ReplaceAllString(s, ""))
			rest = strings.Trim(weekday.ReplaceAllString(rest, ""), " ,，|｜:：-—")
			if _, sure := readLabel(rest); rest == "" || sure == strongLabel {
				add(s)
			}
		case n.Type == html.ElementNode && (n.DataAtom == atom.A || n.DataAtom == atom.Option || hasClass(n, "neirong") || unseen(n)):
			// The head holds the title, which is read already.
			return false
		}
		return true
	})
	return days
}
