package papertest

import (
	"fmt"
	"html"
	"strings"

	"paperwire/internal/paper"
)

// The form H (joyhua): the day before html, lists in boxes named in pinyin
// initials (bmml 版面目录, bmdh 版面导航), the body in #zoom, and a calendar in a
// script.

func init() {
	layouts[H] = layout{
		entry: "/%s/index.htm", build: (*Publisher).buildH, dir: paper.Day.Compact,
		article: func(p *Publisher, x *entry) string { return p.hDir(x.Day) + "content_" + x.ID + ".htm" },
		picture: hPicture,
	}
}

func (p *Publisher) hDir(d paper.Day) string { return p.root + "/" + d.Compact() + "/html/" }

func hPage(q *page) string { return "page_" + q.Number + ".htm" }

func hPicture(p *Publisher, x *entry, m *picture) string {
	return p.root + "/" + x.Day.Compact() + "/images/" + m.name + m.ext()
}

func (p *Publisher) buildH(site map[string]*file) {
	if e := p.front(); e != nil && len(e.pages) > 0 {
		to := e.day.Compact() + "/html/" + hPage(e.pages[0])
		site[p.entryPath(H)] = &file{kind: "text/html", charset: p.opts.Charset, changed: e.changed, text: func(label string) string {
			return "<html><head><meta charset=\"" + label + "\"><script>window.location.href='" + to + "';</script></head><body></body></html>\n"
		}}
	}
	if !p.opts.NoCalendar {
		for month, es := range p.months() {
			var days []string
			changed := es[0].changed
			for _, e := range es {
				days = append(days, `"`+e.day.Compact()+`"`)
				if e.changed.After(changed) {
					changed = e.changed
				}
			}
			site[p.root+"/js/"+strings.ReplaceAll(month, "-", "")+".js"] = &file{kind: "application/javascript", charset: "utf-8", changed: changed, text: func(string) string {
				return "var issueDates=[" + strings.Join(days, ",") + "];\n"
			}}
		}
	}
	for _, e := range p.editions {
		dir := p.hDir(e.day)
		for _, q := range e.pages {
			site[dir+hPage(q)] = &file{
				kind: "text/html", charset: q.charset, changed: e.changed,
				text: func(label string) string { return p.hIndex(e, q, label) },
			}
			files := p.root + "/" + e.day.Compact() + "/images/page" + q.Number
			site[files+".jpg"] = &file{kind: "image/jpeg", changed: e.changed, data: q.picture}
			site[files+".pdf"] = &file{kind: "application/pdf", changed: e.changed, data: q.pdf}
			for _, x := range q.articles {
				site[p.articlePath(x)] = &file{
					kind: "text/html", charset: x.Charset, changed: x.changed,
					text: func(label string) string { return p.hText(e, q, x, label) },
				}
				pictures(site, x, func(m *picture) string { return hPicture(p, x, m) })
			}
		}
	}
}

func (p *Publisher) hIndex(e *edition, q *page, label string) string {
	var b strings.Builder
	b.WriteString(divHead(label, p.opts.Name))
	month := strings.ReplaceAll(string(e.day[:7]), "-", "")
	if !p.opts.NoCalendar {
		fmt.Fprintf(&b, "<script src=\"../../js/%s.js\"></script>\n", month)
	}
	fmt.Fprintf(&b, "<div class=\"rq\">%s 星期%s</div>\n<div class=\"bmml_con\">\n", longDay(e.day), weekday(e.day))
	for _, o := range e.pages {
		fmt.Fprintf(&b, "<div class=\"bmml_con_div\"><a class=\"bmml_con_div_name\" href=\"%s\">%s版：%s</a><a class=\"bmml_con_div_pdf\" href=\"../images/page%s.pdf\"></a></div>\n", hPage(o), o.Number, html.EscapeString(o.Name), o.Number)
	}
	fmt.Fprintf(&b, "</div>\n<div class=\"bm_img\"><img src=\"../images/page%s.jpg\" usemap=\"#bmMap\" width=\"%d\" height=\"%d\"><map name=\"bmMap\">\n", q.Number, q.width, q.height)
	areas := p.pageAreas(q)
	for i, x := range q.articles {
		fmt.Fprintf(&b, "<area shape=\"poly\" coords=\"%s\" href=\"content_%s.htm\" title=\"%s\">\n", areas[i].coords(q.width, q.height), x.ID, html.EscapeString(listTitle(x)))
	}
	fmt.Fprintf(&b, "</map></div>\n<div class=\"bmdh\"><div class=\"bmdh_bt\">第%s版：%s</div>\n", q.Number, html.EscapeString(q.Name))
	for _, x := range p.listed(q) {
		fmt.Fprintf(&b, "<a class=\"bmdh_con_a\" href=\"content_%s.htm\">%s</a>\n", x.ID, headlineHTML(listTitle(x)))
	}
	b.WriteString("</div>\n")
	if before := p.previous(e.day); before != nil && len(before.pages) > 0 {
		fmt.Fprintf(&b, "<a class=\"syq\" href=\"../../%s/html/%s\">上一期</a>\n", before.day.Compact(), hPage(before.pages[0]))
	}
	b.WriteString("</body>\n</html>\n")
	return b.String()
}

func (p *Publisher) hText(e *edition, q *page, x *entry, label string) string {
	var b strings.Builder
	src := func(m *picture) string { return "../images/" + m.name + m.ext() }
	b.WriteString(divHead(label, p.opts.Name))
	fmt.Fprintf(&b, "<div class=\"rq\">%s</div><div class=\"bm\"><a href=\"%s\">第%s版：%s</a></div>\n<div class=\"text_c\">\n", longDay(e.day), hPage(q), q.Number, html.EscapeString(q.Name))
	fmt.Fprintf(&b, "<h3>%s</h3>\n<h1>%s</h1>\n<h2>%s</h2>\n<p class=\"zz\">%s</p>\n", html.EscapeString(x.Kicker), headlineHTML(x.Headline), html.EscapeString(x.Subtitle), html.EscapeString(x.Author))
	b.WriteString("<div id=\"zoom\">\n" + figures(x, false, src) + x.body("<p>%s</p>\n", figures(x, true, src)) + "</div>\n</div>\n</body>\n</html>\n")
	return b.String()
}
