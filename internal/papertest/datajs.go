package papertest

import (
	"slices"
	"strings"

	"paperwire/internal/paper"
)

// The data.js form: the entry is a page without a link that loads the edition's
// data as a script; the same data stands beside it as JSON. The articles are
// HTML.

func init() {
	layouts[DataJS] = layout{
		entry: "/%s/html/index.html", build: (*Publisher).buildData,
		dir: func(d paper.Day) string { return string(d[:4]) + "/" + d.Compact() },
		article: func(p *Publisher, x *entry) string {
			return p.dataDir(x.Day) + "article_" + x.ID + ".html"
		},
		picture: func(p *Publisher, x *entry, m *picture) string { return p.dataDir(x.Day) + m.name + m.ext() },
	}
}

func (p *Publisher) dataDir(d paper.Day) string {
	return p.root + "/html/" + string(d[:4]) + "/" + d.Compact() + "/"
}

func (p *Publisher) buildData(site map[string]*file) {
	text := func(path, kind string, e *edition, write func() string) {
		site[path] = &file{kind: kind, charset: "utf-8", changed: e.changed, text: func(string) string { return write() }}
	}
	if e := p.front(); e != nil {
		site[p.entryPath(DataJS)] = &file{kind: "text/html", charset: p.opts.Charset, changed: e.changed, text: func(label string) string {
			return divHead(label, p.opts.Name) + "<div id=\"paper\"></div>\n<script src=\"" + string(e.day[:4]) + "/" + e.day.Compact() + "/data.js\"></script>\n<script>render(data);</script>\n</body>\n</html>\n"
		}}
		if !p.opts.NoCalendar {
			text(p.root+"/html/dates.js", "application/javascript", e, func() string {
				var days []string
				for _, es := range p.months() {
					for _, e := range es {
						days = append(days, `"`+string(e.day)+`"`)
					}
				}
				// Newest first, as a reader's calendar wants them.
				slices.Sort(days)
				slices.Reverse(days)
				return "var dates=[" + strings.Join(days, ",") + "];\n"
			})
		}
	}
	for _, e := range p.editions {
		dir := p.dataDir(e.day)
		text(dir+"data.js", "application/javascript", e, func() string { return "var data=" + p.data(e) + ";\n" })
		text(dir+"data.json", "application/json", e, func() string { return p.data(e) })
		for _, q := range e.pages {
			site[dir+"page_"+q.Number+".jpg"] = &file{kind: "image/jpeg", changed: e.changed, data: q.picture}
			site[dir+"page_"+q.Number+".pdf"] = &file{kind: "application/pdf", changed: e.changed, data: q.pdf}
			for _, x := range q.articles {
				site[p.articlePath(x)] = &file{
					kind: "text/html", charset: x.Charset, changed: x.changed,
					text: func(label string) string { return p.plainText(e, q, x, label) },
				}
				pictures(site, x, func(m *picture) string { return layouts[DataJS].picture(p, x, m) })
			}
		}
	}
}

// data lists an edition's pages and articles; titles are HTML.
func (p *Publisher) data(e *edition) string {
	type item struct {
		Title  string `json:"mainTitle"`
		Href   string `json:"articleHref"`
		Author string `json:"articleAuthor"`
		Coords string `json:"coords"`
	}
	type sheet struct {
		No   string    `json:"pageNo"`
		Name string    `json:"pageName"`
		Day  paper.Day `json:"paperDate"`
		Pic  string    `json:"pagePic"`
		PDF  string    `json:"pagePdf"`
		List []item    `json:"onePageArticleList"`
	}
	pages := []sheet{}
	for _, q := range e.pages {
		s := sheet{q.Number, q.Name, e.day, "page_" + q.Number + ".jpg", "page_" + q.Number + ".pdf", []item{}}
		areas := p.pageAreas(q)
		for i, x := range q.articles {
			s.List = append(s.List, item{headlineHTML(listTitle(x)), "article_" + x.ID + ".html", x.Author, areas[i].coords(q.width, q.height)})
		}
		pages = append(pages, s)
	}
	return object(pages)
}
