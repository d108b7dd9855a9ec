package papertest

import (
	"fmt"
	"html"
	"strings"

	"paperwire/internal/paper"
)

// The form S: the paper's key behind shtml, the day in one piece, a column of
// articles for every page of the edition in one document, half of the page links
// in onclick only, and bodies that are still founder-content.

func init() {
	layouts[S] = layout{
		entry: "/shtml/%s/index.shtml", build: (*Publisher).buildS, dir: paper.Day.Compact,
		article: func(p *Publisher, x *entry) string { return p.sDir(x.Day) + x.ID + ".shtml" },
		picture: sPicture,
	}
}

func (p *Publisher) sDir(d paper.Day) string { return "/shtml/" + p.opts.Key + "/" + d.Compact() + "/" }

func sPage(q *page) string { return "v" + q.Number + ".shtml" }

func sPicture(p *Publisher, x *entry, m *picture) string {
	return "/shtml/" + p.opts.Key + "/images/" + x.Day.Compact() + "/" + m.name + m.ext()
}

func (p *Publisher) buildS(site map[string]*file) {
	if e := p.front(); e != nil && len(e.pages) > 0 {
		first := sPage(e.pages[0])
		site[p.entryPath(S)] = &file{kind: "text/html", charset: p.opts.Charset, changed: e.changed, text: func(label string) string {
			return refresh(label, e.day.Compact()+"/"+first)
		}}
	}
	for _, e := range p.editions {
		dir := p.sDir(e.day)
		for _, q := range e.pages {
			site[dir+sPage(q)] = &file{
				kind: "text/html", charset: q.charset, changed: e.changed,
				text: func(label string) string { return p.sIndex(e, q, label) },
			}
			site[dir+"v"+q.Number+".jpg"] = &file{kind: "image/jpeg", changed: e.changed, data: q.picture}
			site[dir+"v"+q.Number+".pdf"] = &file{kind: "application/pdf", changed: e.changed, data: q.pdf}
			for _, x := range q.articles {
				site[p.articlePath(x)] = &file{
					kind: "text/html", charset: x.Charset, changed: x.changed,
					text: func(label string) string { return p.sText(e, q, x, label) },
				}
				pictures(site, x, func(m *picture) string { return sPicture(p, x, m) })
			}
		}
	}
}

func divHead(label, title string) string {
	return "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"" + label + "\">\n<title>" + html.EscapeString(title) + "</title>\n</head>\n<body>\n"
}

func (p *Publisher) sIndex(e *edition, q *page, label string) string {
	var b strings.Builder
	b.WriteString(divHead(label, p.opts.Name+"数字报"))
	fmt.Fprintf(&b, "<div class=\"date\">%s 星期%s</div>\n", longDay(e.day), weekday(e.day))
	b.WriteString("<div class=\"page-list\">\n")
	for i, o := range e.pages {
		at := fmt.Sprintf("href=\"%s\"", sPage(o))
		if i%2 == 1 {
			at = fmt.Sprintf("onclick=\"window.location.href='%s'\"", sPage(o))
		}
		fmt.Fprintf(&b, "<div class=\"page-title\"><span class=\"title-text\"><a %s>%s</a></span> <a class=\"pdf\" href=\"v%s.pdf\">PDF</a></div>\n", at, html.EscapeString(pageLabel(o.PageRef)), o.Number)
	}
	fmt.Fprintf(&b, "</div>\n<div class=\"page\" data-page=\"%s\">\n<img src=\"v%[1]s.jpg\" width=\"%d\" height=\"%d\">\n", q.Number, q.width, q.height)
	areas := p.pageAreas(q)
	for i, x := range q.articles {
		a := areas[i]
		fmt.Fprintf(&b, "<a class=\"selectBox\" href=\"%s.shtml\" title=\"%s\" style=\"left:%d.%d%%;top:%d.%d%%;width:%d.%d%%;height:%d.%d%%\"></a>\n", x.ID, html.EscapeString(listTitle(x)),
			a.x0/10, a.x0%10, a.y0/10, a.y0%10, (a.x1-a.x0)/10, (a.x1-a.x0)%10, (a.y1-a.y0)/10, (a.y1-a.y0)%10)
	}
	b.WriteString("</div>\n<ul class=\"news\">\n")
	for _, x := range p.listed(q) {
		fmt.Fprintf(&b, "<li><a href=\"%s.shtml\">%s</a></li>\n", x.ID, headlineHTML(listTitle(x)))
	}
	b.WriteString("</ul>\n")
	if before := p.previous(e.day); before != nil && len(before.pages) > 0 {
		fmt.Fprintf(&b, "<a class=\"prev\" href=\"../%s/%s\">上一期</a>\n", before.day.Compact(), sPage(before.pages[0]))
	}
	b.WriteString("</body>\n</html>\n")
	return b.String()
}

func (p *Publisher) sText(e *edition, q *page, x *entry, label string) string {
	var b strings.Builder
	src := func(m *picture) string { return "../images/" + e.day.Compact() + "/" + m.name + m.ext() }
	b.WriteString(divHead(label, oneLine(listTitle(x))+"-"+p.opts.Name))
	fmt.Fprintf(&b, "<div class=\"crumb\"><a href=\"%s\">%s</a> %s</div>\n<div class=\"detail\">\n", sPage(q), html.EscapeString(pageLabel(q.PageRef)), longDay(e.day))
	fmt.Fprintf(&b, "<p class=\"introtitle\">%s</p>\n<h1 class=\"article-title\">%s</h1>\n<p class=\"subtitle\">%s</p>\n<p class=\"author\">%s</p>\n", html.EscapeString(x.Kicker), headlineHTML(x.Headline), html.EscapeString(x.Subtitle), html.EscapeString(x.Author))
	b.WriteString("<div id=\"ozoom\"><founder-content>\n" + figures(x, false, src) + x.body("<p>%s</p>\n", figures(x, true, src)) + "</founder-content></div>\n</div>\n</body>\n</html>\n")
	return b.String()
}
