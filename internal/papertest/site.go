package papertest

import (
	"cmp"
	"fmt"
	"html"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"paperwire/internal/paper"
)

// layout is how one form lays a paper out on the web; its file registers it.
type layout struct {
	entry string // path; %s is the paper's key
	// dir is what stands for an edition's day in the paths of all its files.
	dir     func(paper.Day) string
	build   func(*Publisher, map[string]*file)
	article func(*Publisher, *entry) string // path, with its query
	picture func(*Publisher, *entry, *picture) string
	charset string // of its documents where the options do not say; empty: utf-8
	label   string // what it calls GB18030; empty: gb2312
	number  string // a synthetic edition's page numbers; empty: %02d
}

// layouts is written by init functions only.
var layouts = map[Form]layout{}

func (p *Publisher) entryPath(f Form) string {
	return strings.Replace(layouts[f].entry, "%s", p.opts.Key, 1)
}

var feedPaths = map[Form]string{RSS: "/rss.xml", Atom: "/atom.xml", JSONFeed: "/feed.json"}

// build lays the whole site out by path; the lock is held.
func (p *Publisher) build() map[string]*file {
	site := map[string]*file{}
	newest := p.latest()
	changed := p.clock
	entry := p.entryPath(p.form)
	layouts[p.form].build(p, site)
	if p.stale != "" {
		p.serveAgain(site)
	}
	for form, path := range feedPaths {
		site[p.root+path] = p.feed(form)
	}
	// Every way in leads on, also the entry of a form that was given up.
	ways := []string{"/", p.root, p.root + "/", p.root + "/index.htm", p.root + "/index.html", p.root + "/paperindex.htm", p.root + "/pc/layout/index.html", p.root + "/pc/layout/", p.entry}
	for _, way := range ways {
		if site[way] == nil && newest != nil {
			site[way] = &file{kind: "text/html", to: entry, changed: changed}
		}
	}
	if p.opts.Robots != "" {
		robots := []byte(p.opts.Robots)
		site["/robots.txt"] = &file{kind: "text/plain", changed: p.opts.Day.In(paper.Shanghai), data: func() []byte { return robots }}
	}
	return site
}

// articlePath is where an article stands in the form of today.
func (p *Publisher) articlePath(x *entry) string { return layouts[p.form].article(p, x) }

// front is the edition that the entry leads to; nil where nothing is printed.
// Of one that is served again at a later day's address it tells that day.
func (p *Publisher) front() *edition {
	e := p.latest()
	switch {
	case e == nil:
		return nil
	case p.stale != "":
		again := *e
		again.day, again.number, again.changed = p.stale, e.number+1, p.clock
		return &again
	case p.held:
		if before := p.previous(e.day); before != nil {
			return before
		}
	}
	return e
}

// serveAgain lays the newest edition out a second time, at the address of a
// later day; what its documents say of their day stays.
func (p *Publisher) serveAgain(site map[string]*file) {
	dir := layouts[p.form].dir
	old, now := dir(p.latest().day), dir(p.stale)
	for _, path := range slices.Sorted(maps.Keys(site)) {
		if at := strings.ReplaceAll(path, old, now); site[at] == nil {
			site[at] = site[path]
		}
	}
}

// months groups the editions by month, oldest first, as calendars do.
func (p *Publisher) months() map[string][]*edition {
	m := map[string][]*edition{}
	for _, e := range p.editions {
		if p.held && e == p.latest() && len(p.editions) > 1 {
			continue // not announced yet
		}
		m[string(e.day[:7])] = append(m[string(e.day[:7])], e)
	}
	if p.stale != "" {
		m[string(p.stale[:7])] = append(m[string(p.stale[:7])], p.front())
	}
	return m
}

// calendar is one month's period.xml; front tells each edition's first page.
func (p *Publisher) calendar(es []*edition, front func(*edition) string) *file {
	last := slices.MaxFunc(es, func(a, b *edition) int { return a.changed.Compare(b.changed) })
	return &file{kind: "text/xml", charset: "utf-8", changed: last.changed, text: func(string) string {
		var b strings.Builder
		b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<periodlist>\n")
		for _, e := range es {
			fmt.Fprintf(&b, "\t<period id=\"%d\">\n\t\t<period_name>%s</period_name>\n\t\t<paper_id>1,%03d</paper_id>\n\t\t<period_date>%[2]s</period_date>\n", e.number, e.day, 513)
			b.WriteString("\t\t<rmp_exe_path></rmp_exe_path>\n\t\t<rmp_pic_path></rmp_pic_path>\n\t\t<rmp_xml_path></rmp_xml_path>\n")
			fmt.Fprintf(&b, "\t\t<rmp_build_time>%s</rmp_build_time>\n\t\t<front_page>%s</front_page>\n\t</period>\n", e.changed.Format(time.DateTime), front(e))
		}
		b.WriteString("</periodlist>\n")
		return b.String()
	}}
}

// pageLabel prints a page as papers do: 第01版：要闻.
func pageLabel(r paper.PageRef) string { return "第" + r.Number + "版：" + r.Name }

// listed are the articles that a page's text list names: its own, then those of
// other pages that it features.
func (p *Publisher) listed(q *page) []*entry {
	list := slices.Clone(q.articles)
	for _, id := range q.featured {
		if x := p.byID[id]; x != nil {
			list = append(list, x)
		}
	}
	return list
}

// area is a rectangle of a page's picture in thousandths of its width and height.
type area struct{ x0, y0, x1, y1 int }

// areas divide a page below its head among n articles: a lead over the whole
// width, the others in two columns.
func areas(n int) []area {
	const top, left, right, bottom, gap = 130, 30, 970, 975, 15
	if n == 0 {
		return nil
	}
	list := []area{{left, top, right, bottom}}
	if n == 1 {
		return list
	}
	list[0].y1 = top + (bottom-top)*2/5
	rows := n / 2
	height := (bottom - list[0].y1) / rows
	for i := range n - 1 {
		row, column := i/2, i%2
		a := area{left, list[0].y1 + row*height + gap, 500 - gap/2, list[0].y1 + (row+1)*height}
		if column == 1 {
			a.x0, a.x1 = 500+gap/2, right
		} else if i == n-2 {
			a.x1 = right
		}
		list = append(list, a)
	}
	return list
}

// coords writes an area as the polygon of an image map, in pixels.
func (a area) coords(width, height int) string {
	x0, y0, x1, y1 := a.x0*width/1000, a.y0*height/1000, a.x1*width/1000, a.y1*height/1000
	return fmt.Sprintf("%d,%d,%d,%d,%d,%d,%d,%d", x0, y0, x1, y0, x1, y1, x0, y1)
}

// headlineHTML escapes a headline but keeps its <br>.
func headlineHTML(s string) string {
	return strings.ReplaceAll(html.EscapeString(s), "&lt;br&gt;", "<br>")
}

// oneLine is a headline without markup.
func oneLine(s string) string { return strings.ReplaceAll(s, "<br>", " ") }

// paragraphs are the body's paragraphs as HTML, with the byline where it is
// printed: before the first words, or a paragraph of its own.
func (x *entry) paragraphs(indent string) []string {
	var list []string
	if x.hollow {
		return nil
	}
	run := x.Byline
	if x.ownByline() {
		list = append(list, indent+strings.ReplaceAll(html.EscapeString(run), "\n", "<br>"+indent))
		run = ""
	}
	for _, s := range x.Paragraphs {
		if strings.HasPrefix(s, "<") {
			list = append(list, s)
			continue
		}
		list = append(list, indent+html.EscapeString(run+s))
		run = ""
	}
	return list
}

var tags = regexp.MustCompile(`<[^>]*>`)

// plain is the article's text without markup, each paragraph indented.
func (x *entry) plain() string {
	var b strings.Builder
	for _, s := range x.paragraphs("") {
		b.WriteString("　　" + html.UnescapeString(tags.ReplaceAllString(s, " ")))
	}
	return b.String()
}

// ownByline reports whether the byline is a paragraph of its own.
func (x *entry) ownByline() bool { return strings.ContainsAny(x.Byline, "■□\n") }

// body writes the paragraphs, each in the frame wrap, with the pictures that
// stand in the text after the first paragraph that is no byline.
func (x *entry) body(wrap, pictures string) string {
	var b strings.Builder
	after := 0
	if x.ownByline() {
		after = 1
	}
	if x.hollow {
		pictures = ""
	}
	list := x.paragraphs("　　")
	for i, s := range list {
		if !strings.HasPrefix(s, "<") {
			s = fmt.Sprintf(wrap, s)
		}
		b.WriteString(s)
		if i == min(after, len(list)-1) {
			b.WriteString(pictures)
		}
	}
	if len(list) == 0 {
		b.WriteString(pictures)
	}
	return b.String()
}

// weekday names the day of the week: 二.
func weekday(d paper.Day) string {
	return string([]rune("日一二三四五六")[d.In(time.UTC).Weekday()])
}

// longDay writes 2026年3月17日.
func longDay(d paper.Day) string { return d.In(time.UTC).Format("2006年1月2日") }

// pictures fill the site with an edition's article pictures, below a directory.
func pictures(site map[string]*file, x *entry, path func(*picture) string) {
	for _, m := range x.images {
		site[path(m)] = &file{kind: "image/" + cmp.Or(m.Format, "jpeg"), changed: x.changed, data: m.data}
	}
}
