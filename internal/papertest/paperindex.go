package papertest

import (
	"fmt"
	"html"
	"slices"
	"strings"

	"paperwire/internal/paper"
)

// The PaperIndex form: two refreshes in the way, files numbered by page and
// place on it (Articel, spelt so) with two letters behind that change with the
// skin, the front page listing the whole edition, links without href on the
// others, and on request every body hidden in the front page.

func init() {
	layouts[PaperIndex] = layout{
		entry: "/%s/content/PaperIndex.htm", build: (*Publisher).buildIndex,
		dir: paper.Day.Compact,
		article: func(p *Publisher, x *entry) string {
			return p.root + "/content/" + x.Day.Compact() + "/" + p.indexArticle(x)
		},
		picture: indexPicture,
	}
}

// skins are the suffixes of pages and articles.
var skins = [][2]string{{"BC", "NR"}, {"TB", "MT"}, {"NU", "NU"}}

func (p *Publisher) indexPage(q *page) string {
	return "Page" + q.Number + skins[p.skin%len(skins)][0] + ".htm"
}

func (p *Publisher) indexArticle(x *entry) string {
	return fmt.Sprintf("Articel%s%03d%s.htm", x.Page.Number, x.slot, skins[p.skin%len(skins)][1])
}

func indexPicture(p *Publisher, x *entry, m *picture) string {
	return fmt.Sprintf("%s/content/%s/%s%s", p.root, x.Day.Compact(), m.name, m.ext())
}

func refresh(label, to string) string {
	return `<html><head><meta http-equiv="Content-Type" content="text/html; charset=` + label + `"><meta http-equiv="refresh" content="0;url=` + to + `"></head><body></body></html>
`
}

func (p *Publisher) buildIndex(site map[string]*file) {
	if e := p.front(); e != nil {
		site[p.root+"/content/PaperIndex.htm"] = &file{kind: "text/html", charset: p.opts.Charset, changed: e.changed, text: func(label string) string {
			return refresh(label, e.day.Compact()+"/IssueIndex.htm")
		}}
	}
	for _, e := range p.editions {
		dir := p.root + "/content/" + e.day.Compact() + "/"
		for i, q := range e.pages {
			if i == 0 {
				site[dir+"IssueIndex.htm"] = &file{kind: "text/html", charset: p.opts.Charset, changed: e.changed, text: func(label string) string {
					return refresh(label, p.indexPage(q))
				}}
			}
			site[dir+p.indexPage(q)] = &file{
				kind: "text/html", charset: q.charset, changed: e.changed,
				text: func(label string) string { return p.indexIndex(e, q, label) },
			}
			site[dir+"Page"+q.Number+"-640.jpg"] = &file{kind: "image/jpeg", changed: e.changed, data: q.picture}
			site[dir+"Page"+q.Number+".pdf"] = &file{kind: "application/pdf", changed: e.changed, data: q.pdf}
			for _, x := range q.articles {
				site[p.articlePath(x)] = &file{
					kind: "text/html", charset: x.Charset, changed: x.changed,
					text: func(label string) string { return p.indexText(e, q, x, label) },
				}
				pictures(site, x, func(m *picture) string { return indexPicture(p, x, m) })
			}
		}
	}
}

func indexHead(label, title string) string {
	return `<!-- -->
<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN" "http://www.w3c.org/TR/1999/REC-html401-19991224/loose.dtd">
<html xmlns="http://www.w3.org/1999/xhtml">
<head>
    <title>
        ` + html.EscapeString(title) + `</title>
    <meta http-equiv="Content-Type" content="text/html; charset=` + label + `">
</head>
<body>
`
}

func (p *Publisher) indexIndex(e *edition, q *page, label string) string {
	var b strings.Builder
	b.WriteString(indexHead(label, p.opts.Name+"\n        -"+q.Number+"版:"+q.Name+"-"+longDay(e.day)))
	fmt.Fprintf(&b, "<script>\n  var PageDate = \"%s\";\n</script>\n<div class=\"search\"></div>\n", longDay(e.day))
	// The list of pages, twice: by name and by number.
	b.WriteString("<div class=\"leftmenu\">\n    <h3></h3>\n    <ul>\n")
	for _, o := range e.pages {
		fmt.Fprintf(&b, "<li><a  href=\"%s\" target=\"_blank\">%s版:%s</a></li>", p.indexPage(o), o.Number, html.EscapeString(o.Name))
	}
	b.WriteString("\n    </ul>\n</div>\n<div class=\"pagenumbers\">")
	for _, o := range e.pages {
		fmt.Fprintf(&b, "<A href=\"%s\">%s</A> ", p.indexPage(o), o.Number)
	}
	b.WriteString("</div>\n")
	list := func(o *page, href bool) {
		for _, x := range p.listed(o) {
			at := p.indexArticle(x)
			if href {
				fmt.Fprintf(&b, "<li>*<a href=\"%s\" target=\"_blank\">%s</a></li>", at, headlineHTML(listTitle(x)))
			} else {
				fmt.Fprintf(&b, "<li><a daoxiang=\"%s\" class=\"dao\">%s</a></li>", at, headlineHTML(listTitle(x)))
			}
		}
	}
	front := q == e.pages[0]
	if front {
		b.WriteString("<div class=\"rightmenu\">\n    <h3></h3>\n")
		for _, o := range e.pages {
			fmt.Fprintf(&b, "        <h4> %s版：%s</h4>\n    <ul>\n        ", o.Number, html.EscapeString(o.Name))
			list(o, true)
			b.WriteString("\n    </ul>\n")
		}
		b.WriteString("</div>\n")
	} else {
		fmt.Fprintf(&b, "<div class=\"listdaohang\"><h4>%s版：%s</h4><ul>", q.Number, html.EscapeString(q.Name))
		list(q, false)
		b.WriteString("</ul></div>\n")
	}
	// The page's picture with its areas: links that float above it.
	fmt.Fprintf(&b, "<div class=\"swiper-slide \" alt='%s' fld='%s'>\n<div class=\"mylink\">\n", q.Number, html.EscapeString(q.Name))
	areas := p.pageAreas(q)
	for i, x := range q.articles {
		a, at := areas[i], p.indexArticle(x)
		style := fmt.Sprintf("width:%dpx;height:%dpx;left:%dpx;top:%dpx;", (a.x1-a.x0)*640/1000, (a.y1-a.y0)*914/1000, a.x0*640/1000, a.y0*914/1000)
		title := html.EscapeString(listTitle(x))
		if front {
			fmt.Fprintf(&b, "<a href=\"%s\" class=\"overlink\" style='%s' title=\"%s\" field=\"%s\"><span class=\"play none\"></span></a>\n", at, style, title, uuid(x.ID))
		} else {
			fmt.Fprintf(&b, "<a class=\"overlink\" style='%s' alt=\"%s\" neirong=\"%s\"></a>\n", style, at, title)
		}
	}
	fmt.Fprintf(&b, "</div>\n<img src=\"Page%s-640.jpg\" border=\"1\" width=\"640\" usemap=\"#PageMap\">\n</div>\n<a class=\"pdf\" href=\"Page%[1]s.pdf\">PDF</a>\n", q.Number)
	if before := p.previous(e.day); before != nil {
		fmt.Fprintf(&b, "<a class=\"qici\" href=\"../%s/IssueIndex.htm\">上一期</a>\n", before.day.Compact())
	}
	if front && p.opts.Embed {
		b.WriteString("<div class=\"none neirongbox\">\n")
		for _, o := range e.pages {
			for _, x := range o.articles {
				fmt.Fprintf(&b, "<div class=\"neirong %s\" alt=\"%[1]s\" daoxiang=\"%s \">\n\n    %s\n\n    %s\n</div>\n", uuid(x.ID), o.Number, headlineHTML(listTitle(x)), x.body("%s<BR>", ""))
			}
		}
		b.WriteString("</div>\n")
	}
	b.WriteString("</body>\n</html>\n")
	return b.String()
}

func (p *Publisher) indexText(e *edition, q *page, x *entry, label string) string {
	var b strings.Builder
	b.WriteString(indexHead(label, oneLine(listTitle(x))+"-"+p.opts.Name))
	fmt.Fprintf(&b, "<div class=\"dangqian\"><a href=\"%s\">%s版:%s</a> <span class=\"date\">%s 星期%s</span></div>\n<div class=\"articlebox\">\n", p.indexPage(q), q.Number, html.EscapeString(q.Name), longDay(e.day), weekday(e.day))
	fmt.Fprintf(&b, "<h4 class=\"yinti\">%s</h4>\n<h2 class=\"maintitle\">%s</h2>\n<h4 class=\"futi\">%s</h4>\n<div class=\"author\">%s</div>\n", html.EscapeString(x.Kicker), headlineHTML(x.Headline), html.EscapeString(x.Subtitle), html.EscapeString(x.Author))
	b.WriteString("<div id=\"contenttext\">\n" + figures(x, false, func(m *picture) string { return m.name + m.ext() }))
	b.WriteString(x.body("<p>%s</p>\n", figures(x, true, func(m *picture) string { return m.name + m.ext() })))
	b.WriteString("</div>\n</div>\n<div class=\"nextbox\">")
	if i := slices.Index(q.articles, x); i > 0 {
		fmt.Fprintf(&b, "<a href=\"%s\">上一篇</a> ", p.indexArticle(q.articles[i-1]))
	}
	if i := slices.Index(q.articles, x); i >= 0 && i < len(q.articles)-1 {
		fmt.Fprintf(&b, "<a href=\"%s\">下一篇</a>", p.indexArticle(q.articles[i+1]))
	}
	b.WriteString("</div>\n</body>\n</html>\n")
	return b.String()
}

// figures are the pictures above the text or in it, each with its caption below.
func figures(x *entry, inline bool, src func(*picture) string) string {
	var b strings.Builder
	for _, m := range x.images {
		if m.Inline == inline {
			fmt.Fprintf(&b, "<p align=\"center\"><img src=\"%s\" width=\"%d\" height=\"%d\" alt=\"\"></p>\n", src(m), m.Width, m.Height)
			if m.Caption != "" {
				fmt.Fprintf(&b, "<p align=\"center\" class=\"tushuo\">%s</p>\n", html.EscapeString(m.Caption))
			}
		}
	}
	return b.String()
}
