package papertest

import (
	"fmt"
	"html"
	"strings"

	"paperwire/internal/paper"
)

// The TRS-like form: GBK, a directory per page, page numbers of three digits,
// articles in the image map only, the list of pages in a script and in a
// document of its own that a frame shows, PDF in onclick.

func init() {
	layouts[TRS] = layout{
		entry: "/%s/index.html", build: (*Publisher).buildTRS, dir: paper.Day.Compact,
		article: func(p *Publisher, x *entry) string {
			return p.root + "/" + x.Day.Compact() + "/" + trsArticle(x)
		},
		picture: trsPicture, charset: "gb18030", label: "gbk", number: "%03d",
	}
}

// trsPage is a page's directory and the stem of the names in it: 20260317_001.
func trsPage(d paper.Day, number string) string {
	return d.Compact() + "_" + strings.Repeat("0", max(0, 3-len(number))) + number
}

func trsArticle(x *entry) string {
	at := trsPage(x.Day, x.Page.Number)
	return fmt.Sprintf("%s/%s_%d.htm", at, at, x.slot)
}

func trsPicture(p *Publisher, x *entry, m *picture) string {
	return p.root + "/" + x.Day.Compact() + "/" + trsPage(x.Day, x.Page.Number) + "/" + m.name + m.ext()
}

func (p *Publisher) trsFile(d paper.Day, number string) string {
	return "news-" + p.opts.Key + "-" + d.Compact() + "-m-001-" + number + "-300"
}

func (p *Publisher) buildTRS(site map[string]*file) {
	if e := p.front(); e != nil && len(e.pages) > 0 {
		at := trsPage(e.day, e.pages[0].Number)
		site[p.entryPath(TRS)] = &file{kind: "text/html", charset: p.opts.Charset, changed: e.changed, text: func(label string) string {
			return refresh(label, e.day.Compact()+"/"+at+"/"+at+".htm")
		}}
	}
	for _, e := range p.editions {
		dir := p.root + "/" + e.day.Compact() + "/"
		site[dir+e.day.Compact()+"_plist.htm"] = &file{
			kind: "text/html", charset: p.opts.Charset, changed: e.changed,
			text: func(label string) string { return p.trsList(e, label) },
		}
		for _, q := range e.pages {
			at := trsPage(e.day, q.Number)
			site[dir+at+"/"+at+".htm"] = &file{
				kind: "text/html", charset: q.charset, changed: e.changed,
				text: func(label string) string { return p.trsIndex(e, q, label) },
			}
			site[dir+at+"/"+p.trsFile(e.day, q.Number)+".jpg"] = &file{kind: "image/jpeg", changed: e.changed, data: q.picture}
			site[dir+at+"/"+p.trsFile(e.day, q.Number)+".pdf"] = &file{kind: "application/pdf", changed: e.changed, data: q.pdf}
			for _, x := range q.articles {
				site[p.articlePath(x)] = &file{
					kind: "text/html", charset: x.Charset, changed: x.changed,
					text: func(label string) string { return p.trsText(e, q, x, label) },
				}
				pictures(site, x, func(m *picture) string { return trsPicture(p, x, m) })
			}
		}
	}
}

func trsHead(label, title string) string {
	return "<html  xmlns:v>\n<head>\n<meta http-equiv=Content-Type content=\"text/html; charset=" + label + "\">\n<title>" + html.EscapeString(title) + "</title>\n</head>\n<body onselectstart=\"return false\">\n"
}

// trsList is the list of pages, which no page links to but as a frame.
func (p *Publisher) trsList(e *edition, label string) string {
	var b strings.Builder
	b.WriteString(trsHead(label, p.opts.Name))
	for _, q := range e.pages {
		at := trsPage(e.day, q.Number)
		fmt.Fprintf(&b, "<div><div id=\"bancititle\"><a href=\"%s/%[1]s.htm\" target=\"_parent\"><span>%s</span></a></div></div>\n", at, html.EscapeString(pageLabel(q.PageRef)))
	}
	b.WriteString("</body>\n</html>\n")
	return b.String()
}

func (p *Publisher) trsIndex(e *edition, q *page, label string) string {
	var b strings.Builder
	esc := html.EscapeString
	b.WriteString(trsHead(label, p.opts.Name+"数字报"))
	fmt.Fprintf(&b, "<a href=\"../../index.html\" style=\"font-size:16pt\">返回</a>\n<img id=\"imageth\" src=\"%s.jpg\" border=\"0\" usemap=\"#map_of_yyb\" title=\"报名：%s 版次：第%s版：版名：%s 日期：%s\">\n",
		p.trsFile(e.day, q.Number), esc(p.opts.Name), q.Number, esc(q.Name), e.day.Compact())
	var numbers []string
	for _, o := range e.pages {
		numbers = append(numbers, o.Number)
	}
	fmt.Fprintf(&b, "<script language=\"javascript\">\n  var banciArray=\"%s\".split(\",\");\n  var YMD=\"%s\";\n</script>\n<map name=\"map_of_yyb\">\n", strings.Join(numbers, ","), e.day.Compact())
	areas := p.pageAreas(q)
	for i, x := range q.articles {
		title := esc(oneLine(listTitle(x)))
		fmt.Fprintf(&b, "<AREA id=\"items%d\"  name=\"%s\" alt=\"%[2]s\" title=\"%[2]s\" onmouseover=\"draw(this,'%s');\" class=\"areablock\" shape=POLY coords=\"%[3]s\" href=\"../%s\">\n",
			i+1, title, areas[i].coords(q.width, q.height), trsArticle(x))
	}
	fmt.Fprintf(&b, "</map>\n<iframe id=\"iframe1\" src=\"../%s_plist.htm\" frameborder=0></iframe>\n<div style=\"cursor:pointer\" onClick=\"window.location.href='../%s/%s.pdf'\">PDF</div>\n", e.day.Compact(), trsPage(e.day, q.Number), p.trsFile(e.day, q.Number))
	fmt.Fprintf(&b, "<script>\nvar pagename='%s';\n</script>\n</body>\n</html>\n", pageLabel(q.PageRef))
	return b.String()
}

func (p *Publisher) trsText(e *edition, q *page, x *entry, label string) string {
	var b strings.Builder
	src := func(m *picture) string { return m.name + m.ext() }
	b.WriteString(trsHead(label, p.opts.Name+"数字报"))
	fmt.Fprintf(&b, "<table width=\"100%%\"><tr><td>%s　%s　<a href=\"%s.htm\">返回版面</a></td></tr>\n", longDay(e.day), html.EscapeString(pageLabel(q.PageRef)), trsPage(e.day, q.Number))
	fmt.Fprintf(&b, "<tr><td id=\"yinti\" align=center>%s</td></tr>\n<tr><td id=\"biaoti\" align=center>%s</td></tr>\n<tr><td id=\"futi\" align=center>%s</td></tr>\n<tr><td id=\"zuozhe\" align=center>%s</td></tr>\n<tr><td><div id=\"zhenwenzone\">\n",
		html.EscapeString(x.Kicker), headlineHTML(x.Headline), html.EscapeString(x.Subtitle), html.EscapeString(x.Author))
	b.WriteString(figures(x, false, src) + x.body("<p>%s</p>\n", figures(x, true, src)) + "</div></td></tr></table>\n</body>\n</html>\n")
	return b.String()
}
