package papertest

import (
	"crypto/sha1"
	"fmt"
	"html"
	"strings"
	"time"

	"paperwire/internal/paper"
)

// The new form: divs, relative paths over three directories, pictures named by
// uuid with a size behind the extension, percent-free areas with fractions, the
// metadata in a comment inside founder-content.

func init() {
	layouts[FounderNew] = layout{
		entry: "/%s/pc/layout/index.html", build: (*Publisher).buildNew, article: (*Publisher).newArticle,
		dir:     func(d paper.Day) string { return d.Compact()[:6] + "/" + d.Compact()[6:] },
		picture: func(p *Publisher, x *entry, m *picture) string { return p.root + "/" + newPicturePath(x, m) },
	}
}

func newDir(e *edition) string { return e.day.Compact()[:6] + "/" + e.day.Compact()[6:] }

func newNode(q *page) string { return "node_" + q.Number + ".html" }

func (p *Publisher) newArticle(x *entry) string {
	return fmt.Sprintf("%s/pc/content/%s/%s/content_%s.html", p.root, x.Day.Compact()[:6], x.Day.Compact()[6:], x.ID)
}

// uuid names a file as the new form does; the same name for the same words.
func uuid(words ...string) string {
	h := sha1.Sum([]byte(strings.Join(words, "\x00")))
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

func newPageFile(e *edition, q *page, dir, ext string) string {
	return "pc/" + dir + "/" + newDir(e) + "/" + uuid(string(e.day), q.Number, ext) + ext
}

func newPicturePath(x *entry, m *picture) string {
	return fmt.Sprintf("pc/pic/%s/%s/%s%s", x.Day.Compact()[:6], x.Day.Compact()[6:], uuid(m.name), m.ext())
}

func (p *Publisher) buildNew(site map[string]*file) {
	if e := p.front(); e != nil && len(e.pages) > 0 {
		front := &file{kind: "text/html", charset: e.pages[0].charset, changed: e.changed, text: func(label string) string {
			return p.newIndex(e, e.pages[0], label, newDir(e)+"/", "")
		}}
		if p.stale != "" {
			front = &file{kind: "text/html", changed: p.clock, to: p.root + "/pc/layout/" + newDir(e) + "/" + newNode(e.pages[0])}
		}
		site[p.root+"/pc/layout/index.html"], site[p.root+"/pc/layout/"] = front, front
	}
	if !p.opts.NoCalendar {
		for month, es := range p.months() {
			site[p.root+"/pc/layout/"+strings.ReplaceAll(month, "-", "")+"/period.xml"] = p.calendar(es, func(e *edition) string {
				if len(e.pages) == 0 {
					return ""
				}
				return newNode(e.pages[0])
			})
		}
	}
	for _, e := range p.editions {
		for _, q := range e.pages {
			site[p.root+"/pc/layout/"+newDir(e)+"/"+newNode(q)] = &file{
				kind: "text/html", charset: q.charset, changed: e.changed,
				text: func(label string) string { return p.newIndex(e, q, label, "", "../../") },
			}
			// .2 and .1 are resized; the name without them is the full size.
			for _, size := range []string{"", ".1", ".2"} {
				site[p.root+"/"+newPageFile(e, q, "pic", ".jpg")+size] = &file{kind: "image/jpeg", changed: e.changed, data: q.picture}
			}
			site[p.root+"/"+newPageFile(e, q, "att", ".pdf")] = &file{kind: "application/pdf", changed: e.changed, data: q.pdf}
			for _, x := range q.articles {
				site[p.newArticle(x)] = &file{
					kind: "text/html", charset: x.Charset, changed: x.changed,
					text: func(label string) string { return p.newText(e, q, x, label) },
				}
				for _, size := range []string{"", ".1", ".2"} {
					pictures(site, x, func(m *picture) string { return p.root + "/" + newPicturePath(x, m) + size })
				}
			}
		}
	}
}

func (p *Publisher) newHead(label, title string) string {
	return `<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="` + label + `">
<meta http-equiv="X-UA-Compatible" content="IE=edge,chrome=1">
<title>` + html.EscapeString(title) + `</title>
<style>body{font:14px/1.8 sans-serif;margin:0 auto;max-width:1100px}.newscondiv{display:flex;gap:30px}.newsdetatext p{text-indent:2em}</style>
</head>
<body id="allBody">
`
}

const newFoot = `<div class="footer">版权声明：本报所有内容未经书面授权不得转载</div>
</body>
</html>
`

// newIndex is one page of an edition. The entry is the front page again at
// another place: there is the way down to the day's directory, up the way to
// the directory of the layouts.
func (p *Publisher) newIndex(e *edition, q *page, label, there, up string) string {
	var b strings.Builder
	b.WriteString(p.newHead(label, p.opts.Name))
	files := up + "../../" // the paths of pictures begin with pc/
	content := up + "../content/" + newDir(e) + "/content_"
	b.WriteString("<div class=\"Newslistbox\"><div class=\"newscondiv clearfix\">\n<div class=\"newsside\"><a class=\"Phone\" href=\"" + up + "../../pad/layout/" + newDir(e) + "/node_01.html\">手机版</a>\n<div class=\"Chunkiconlist\" id=\"list\"><ul>\n")
	for _, o := range e.pages {
		fmt.Fprintf(&b, "<li><p>\n\t<a href=\"%s%s\">%s</a>\n\t<a href=\"%s%s\"></a>\n</p></li>\n", there, newNode(o), html.EscapeString(pageLabel(o.PageRef)), files, newPageFile(e, o, "att", ".pdf"))
	}
	b.WriteString("</ul></div></div>\n")
	fmt.Fprintf(&b, "<div class=\"newsconimg\" style=\"position: relative;\">\n<img src=\"%s%s.2\" id=\"paperImg\" width=\"%d\" height=\"%d\" USEMAP=#PagePicMap> <MAP NAME=\"PagePicMap\">", files, newPageFile(e, q, "pic", ".jpg"), q.width, q.height)
	areas := p.pageAreas(q)
	for i, x := range q.articles {
		fmt.Fprintf(&b, "<Area coords=\"%s\" shape=\"polygon\" href=\"%s%s.html\">", areas[i].coords(q.width, q.height), content, x.ID)
	}
	b.WriteString("</MAP>\n</div>\n<div class=\"newsconright\">\n")
	fmt.Fprintf(&b, "<div class=\"newslisttit\"><span class=\"newstime\">%s</span> <em>%s</em></div>\n", e.day.In(time.UTC).Format("2006年01月02日"), html.EscapeString(pageLabel(q.PageRef)))
	if before := p.previous(e.day); before != nil && len(before.pages) > 0 {
		fmt.Fprintf(&b, "<a class=\"preperiod\" href=\"%s%s/%s\">上一期</a>\n", orHere(up), newDir(before), newNode(before.pages[0]))
	}
	b.WriteString("<div class=\"newslist\"><ul>\n")
	for _, x := range p.listed(q) {
		fmt.Fprintf(&b, "<li><h3><a href=\"%s%s.html\">%s</a></h3></li>\n", content, x.ID, headlineHTML(listTitle(x)))
	}
	b.WriteString("</ul></div>\n</div></div></div>\n" + newFoot)
	return b.String()
}

func orHere(up string) string {
	if up == "" {
		return "./"
	}
	return up
}

func (p *Publisher) newText(e *edition, q *page, x *entry, label string) string {
	var b strings.Builder
	b.WriteString(p.newHead(label, oneLine(x.Headline)+"_"+p.opts.Name+"数字报"))
	b.WriteString("<div class=\"newsdetatit\">\n")
	fmt.Fprintf(&b, "<p id=\"PreTitle\" style=\"text-align:center;\">%s</p>\n<h3>%s</h3>\n<p id=\"SubTitle\" style=\"text-align:center;\">%s</p>\n", html.EscapeString(x.Kicker), headlineHTML(x.Headline), html.EscapeString(x.Subtitle))
	fmt.Fprintf(&b, "<p><span class=\"Author\">版次：%s</span><span>来源：%s&nbsp;&nbsp;&nbsp;&nbsp;%s</span></p>\n</div>\n", q.Number, html.EscapeString(p.opts.Name), e.day.In(time.UTC).Format("2006年01月02日"))
	b.WriteString("<div class=\"newsdetatext\">\n<founder-content>\n<!--enpcontent--><html>\n <head></head>\n <body>\n")
	pics := func(inline bool) string {
		var b strings.Builder
		for _, m := range x.images {
			if m.Inline == inline {
				fmt.Fprintf(&b, "  <p style=\"text-align:center\"><img src=\"../../../../%s.2\" width=\"%d\" height=\"%d\"></p>\n", newPicturePath(x, m), m.Width, m.Height)
				if m.Caption != "" {
					fmt.Fprintf(&b, "  <p style=\"text-align:center\">%s</p>\n", html.EscapeString(m.Caption))
				}
			}
		}
		return b.String()
	}
	b.WriteString(pics(false))
	b.WriteString(x.body("  <p>%s</p>\n", pics(true)))
	fmt.Fprintf(&b, " </body>\n</html><!--/enpcontent--><!--enpproperty <date>%s 00:00:00:0</date><author>%s</author><subtitle>%s</subtitle><introtitle>%s</introtitle><keyword></keyword><paperarticleid>%s</paperarticleid><channel>1</channel><nodeid>0</nodeid><nodename></nodename><url>%s</url><siteid>1</siteid><paperid>1</paperid><title>%s</title><liability></liability>/enpproperty-->\n",
		e.day, html.EscapeString(x.Author), html.EscapeString(x.Subtitle), html.EscapeString(x.Kicker), x.ID, p.newArticle(x), html.EscapeString(oneLine(x.Headline)))
	b.WriteString("</founder-content>\n</div>\n" + newFoot)
	return b.String()
}
