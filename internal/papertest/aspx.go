package papertest

import (
	"fmt"
	"html"
	"strings"

	"paperwire/internal/paper"
)

// The form N: pages made on request, so that day, page and article stand in the
// query and the entry is the front page itself.

func init() {
	layouts[N] = layout{
		entry: "/%s/index.aspx", build: (*Publisher).buildN,
		dir:     func(d paper.Day) string { return string(d) },
		article: func(p *Publisher, x *entry) string { return p.root + "/show.aspx?id=" + x.ID },
		picture: nPicture,
	}
}

func nPage(d paper.Day, q *page) string { return "page.aspx?date=" + string(d) + "&page=" + q.Number }

func nPicture(p *Publisher, x *entry, m *picture) string {
	return p.root + "/upload/" + string(x.Day) + "/" + m.name + m.ext()
}

func (p *Publisher) buildN(site map[string]*file) {
	if e := p.front(); e != nil && len(e.pages) > 0 {
		q := e.pages[0]
		front := &file{kind: "text/html", charset: q.charset, changed: e.changed, text: func(label string) string { return p.nIndex(e, q, label) }}
		if p.stale != "" {
			front = &file{kind: "text/html", changed: p.clock, to: p.root + "/" + nPage(e.day, q)}
		}
		site[p.entryPath(N)] = front
	}
	for _, e := range p.editions {
		for _, q := range e.pages {
			site[p.root+"/"+nPage(e.day, q)] = &file{
				kind: "text/html", charset: q.charset, changed: e.changed,
				text: func(label string) string { return p.nIndex(e, q, label) },
			}
			files := p.root + "/upload/" + string(e.day) + "/" + q.Number
			site[files+".jpg"] = &file{kind: "image/jpeg", changed: e.changed, data: q.picture}
			site[files+".pdf"] = &file{kind: "application/pdf", changed: e.changed, data: q.pdf}
			for _, x := range q.articles {
				site[p.articlePath(x)] = &file{
					kind: "text/html", charset: x.Charset, changed: x.changed,
					text: func(label string) string { return p.nText(e, q, x, label) },
				}
				pictures(site, x, func(m *picture) string { return nPicture(p, x, m) })
			}
		}
	}
}

func (p *Publisher) nIndex(e *edition, q *page, label string) string {
	var b strings.Builder
	b.WriteString(divHead(label, p.opts.Name+"电子版"))
	fmt.Fprintf(&b, "<form id=\"aspnetForm\"><input type=\"hidden\" name=\"__VIEWSTATE\" value=\"\">\n<span id=\"lblDate\">%s</span>\n<table id=\"gvPages\">\n", longDay(e.day))
	for _, o := range e.pages {
		fmt.Fprintf(&b, "<tr><td><a class=\"banmian\" href=\"%s\">%s</a></td><td><a href=\"upload/%s/%s.pdf\">PDF</a></td></tr>\n", html.EscapeString(nPage(e.day, o)), html.EscapeString(pageLabel(o.PageRef)), e.day, o.Number)
	}
	fmt.Fprintf(&b, "</table>\n<img id=\"imgPage\" src=\"upload/%s/%s.jpg\" usemap=\"#pagemap\"><map name=\"pagemap\">\n", e.day, q.Number)
	areas := p.pageAreas(q)
	for i, x := range q.articles {
		fmt.Fprintf(&b, "<area shape=\"poly\" coords=\"%s\" href=\"show.aspx?id=%s\" alt=\"%s\">\n", areas[i].coords(q.width, q.height), x.ID, html.EscapeString(listTitle(x)))
	}
	fmt.Fprintf(&b, "</map>\n<h3 id=\"lblPage\">%s</h3>\n<ul id=\"ulTitles\">\n", html.EscapeString(pageLabel(q.PageRef)))
	for _, x := range p.listed(q) {
		fmt.Fprintf(&b, "<li><a href=\"javascript:void(0)\" onclick=\"openNews('show.aspx?id=%s')\">%s</a></li>\n", x.ID, headlineHTML(listTitle(x)))
	}
	b.WriteString("</ul>\n")
	if before := p.previous(e.day); before != nil && len(before.pages) > 0 {
		fmt.Fprintf(&b, "<a id=\"lnkPrev\" href=\"%s\">上一期</a>\n", html.EscapeString(nPage(before.day, before.pages[0])))
	}
	b.WriteString("</form>\n</body>\n</html>\n")
	return b.String()
}

func (p *Publisher) nText(e *edition, q *page, x *entry, label string) string {
	var b strings.Builder
	src := func(m *picture) string { return "upload/" + string(e.day) + "/" + m.name + m.ext() }
	b.WriteString(divHead(label, p.opts.Name+"电子版"))
	fmt.Fprintf(&b, "<span id=\"lblDate\">%s</span> <a id=\"lnkPage\" href=\"%s\">%s</a>\n", longDay(e.day), html.EscapeString(nPage(e.day, q)), html.EscapeString(pageLabel(q.PageRef)))
	fmt.Fprintf(&b, "<div id=\"lblYinti\">%s</div>\n<div id=\"lblTitle\">%s</div>\n<div id=\"lblFuti\">%s</div>\n<div id=\"lblAuthor\">%s</div>\n", html.EscapeString(x.Kicker), headlineHTML(x.Headline), html.EscapeString(x.Subtitle), html.EscapeString(x.Author))
	b.WriteString("<div id=\"lblContent\">\n" + figures(x, false, src) + x.body("<p>%s</p>\n", figures(x, true, src)) + "</div>\n</body>\n</html>\n")
	return b.String()
}
