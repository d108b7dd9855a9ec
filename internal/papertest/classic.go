package papertest

import (
	"fmt"
	"html"
	"slices"
	"strings"

	"paperwire/internal/paper"
)

// The classic form (方正翔宇): tables, cells without quotes, ids that repeat, the
// image map whose name differs in case from its usemap, pictures above #ozoom,
// and the metadata in a comment behind </html>.

func init() {
	classic := layout{
		entry: "/%s/paperindex.htm", build: (*Publisher).buildClassic, article: (*Publisher).classicArticle,
		dir:     func(d paper.Day) string { return string(d[:7]) + "/" + string(d[8:]) },
		picture: func(p *Publisher, x *entry, m *picture) string { return p.root + "/" + classicPicture(x, m) },
	}
	layouts[FounderClassic] = classic
	// The articles of a paper that is read by its feed stand on classic pages.
	for form, path := range feedPaths {
		classic.entry = "/%s" + path
		layouts[form] = classic
	}
}

func classicDir(e *edition) string { return string(e.day[:7]) + "/" + string(e.day[8:]) }

func (p *Publisher) classicArticle(x *entry) string {
	return fmt.Sprintf("%s/html/%s/%s/content_%s.htm", p.root, x.Day[:7], x.Day[8:], x.ID)
}

// classicPage is where a page's picture and PDF stand: page/1/2026-03/17/01/2026031701.
func classicPage(e *edition, q *page) string {
	return fmt.Sprintf("page/1/%s/%s/%s%s", classicDir(e), q.Number, e.day.Compact(), q.Number)
}

func classicPicture(x *entry, m *picture) string {
	return fmt.Sprintf("res/1/%s/%s/%s/%s%s", x.Day[:7], x.Day[8:], x.Page.Number, m.name, m.ext())
}

func (p *Publisher) buildClassic(site map[string]*file) {
	if e := p.front(); e != nil {
		front := "html/" + classicDir(e) + "/node_2.htm"
		way := &file{kind: "text/html", charset: p.opts.Charset, changed: e.changed, text: func(label string) string { return p.classicEntry(label, front) }}
		if p.opts.Entry == "redirect" {
			way = &file{kind: "text/html", changed: e.changed, to: p.root + "/" + front}
		}
		site[p.root+"/paperindex.htm"], site[p.root+"/index.htm"] = way, way
	}
	if !p.opts.NoCalendar {
		for month, es := range p.months() {
			site[p.root+"/html/"+month+"/period.xml"] = p.calendar(es, func(*edition) string { return "node_2.htm" })
		}
	}
	for _, e := range p.editions {
		dir := p.root + "/html/" + classicDir(e) + "/"
		for _, q := range e.pages {
			site[fmt.Sprintf("%snode_%d.htm", dir, q.node)] = &file{
				kind: "text/html", charset: q.charset, changed: e.changed,
				text: func(label string) string { return p.classicIndex(e, q, label) },
			}
			at := p.root + "/" + classicPage(e, q)
			site[at+"_brief.jpg"] = &file{kind: "image/jpeg", changed: e.changed, data: q.picture}
			site[at+"_pdf.pdf"] = &file{kind: "application/pdf", changed: e.changed, data: q.pdf}
			for _, x := range q.articles {
				site[p.classicArticle(x)] = &file{
					kind: "text/html", charset: x.Charset, changed: x.changed,
					text: func(label string) string { return p.classicText(e, q, x, label) },
				}
				pictures(site, x, func(m *picture) string { return p.root + "/" + classicPicture(x, m) })
			}
		}
	}
}

// classicEntry hops to the first page in one of the ways that are in use.
func (p *Publisher) classicEntry(label, front string) string {
	head := fmt.Sprintf("<HTML><HEAD>\n<META http-equiv=\"Content-Type\" content=\"text/html; charset=%s\">\n<TITLE>%s数字报</TITLE>\n", label, html.EscapeString(p.opts.Name))
	switch p.opts.Entry {
	case "script":
		return head + "</HEAD><BODY>\n<script language=\"javascript\">window.location.href=\"" + front + "\";</script>\n</BODY></HTML>\n"
	case "timeout":
		return head + "</HEAD><BODY onload=\"setTimeout(&quot;javascript:location.href='" + front + "'&quot;,3000)\">\n" +
			"<script>setTimeout(\"javascript:location.href='" + front + "'\",3000)</script>\n</BODY></HTML>\n"
	}
	return head + "<META HTTP-EQUIV=\"REFRESH\" CONTENT=\"0; URL=" + front + "\">\n</HEAD><BODY></BODY></HTML>\n"
}

// classicHead opens a document down to the first table.
func (p *Publisher) classicHead(label, title string) string {
	return `<html><head>
<meta http-equiv="Content-Type" content="text/html; charset=` + label + `" />
<title>` + html.EscapeString(title) + `</title>
<style type="text/css">
<!--
body {background-color:#F7FAFF; margin:0;}
body,td,th {font-size:12px; font-family:sans-serif;}
a {color:#222; text-decoration:none;}
.default {font-size:13px; line-height:22px;}
.font01 {font-size:24px; font-weight:bold; line-height:34px; color:#0205FF;}
.font02 {font-size:15px; line-height:24px; color:#827E7B;}
.content p {text-indent:2em; font-size:15px; line-height:27px; margin:8px 0;}
.content table {border-collapse:collapse; margin:10px auto;} .content td {border:1px solid #999; padding:4px 14px; font-size:14px;}
.pci_c img, .content img {max-width:620px; height:auto;}
.whitenav {color:#fff;}
-->
</style>
</head>
<SPAN id=leveldiv title=点击查看内容 style="Z-INDEX: 100; POSITION: absolute; TOP: 123px; HEIGHT: 34px"></SPAN>
<body text=#000000 vlink=#000000 alink=#ff0000 link=#000000>
<table cellspacing=0 cellpadding=6 width=100% border=0><tr><td bgcolor=#A90110 class=whitenav height=44><font size=5><b>` + html.EscapeString(p.opts.Name) + `</b></font>&nbsp;&nbsp;数字报</td></tr></table>
`
}

const classicFoot = `<table width=100% cellpadding=10><tr><td align=center bgcolor=#A90110 class=whitenav>版权声明：本报所有内容未经书面授权不得转载　联系电话：0000-0000000<br>
分享到: 微博 微信　手机报订阅请发送短信DB到00000000</td></tr></table>
</body>
</html>
`

// classicNav is the strip above lists and articles with day and pages.
func classicNav(e *edition) string {
	return "<td align=center><span class=\"default\"><strong>" + longDay(e.day) + "</strong> <strong>星期<font class=weekday>" + weekday(e.day) + "</font></strong></span></td>"
}

func (p *Publisher) classicIndex(e *edition, q *page, label string) string {
	var b strings.Builder
	b.WriteString(p.classicHead(label, p.opts.Name+"数字报"))
	at := "../../../" + classicPage(e, q)
	// The page's picture with its map, and the page's own line below it.
	fmt.Fprintf(&b, "<table cellspacing=0 cellpadding=8 align=center border=0><tr valign=top><td width=%d>\n<MAP NAME=\"pagepicmap\">", q.width+20)
	areas := p.pageAreas(q)
	for i, x := range q.articles {
		fmt.Fprintf(&b, "<Area coords=\"%s\" shape=\"polygon\" href=\"content_%s.htm\">", areas[i].coords(q.width, q.height), x.ID)
	}
	fmt.Fprintf(&b, "</MAP><img src=%s_brief.jpg border=0 height=%d width=%d USEMAP=#PagePicMap>\n", at, q.height, q.width)
	fmt.Fprintf(&b, "<table width=100%% border=0 cellpadding=5><tr><td align=left>第%s版：<STRONG>%s</STRONG></td><td align=right nowrap>", q.Number, html.EscapeString(q.Name))
	i := slices.Index(e.pages, q)
	if i > 0 {
		fmt.Fprintf(&b, "<a class=preart href=\"node_%d.htm\"><span style='font-size:12px;font-family:webdings'>3</span>上一版</a>&nbsp;&nbsp;", e.pages[i-1].node)
	}
	if i < len(e.pages)-1 {
		fmt.Fprintf(&b, "<a class=preart href=\"node_%d.htm\">下一版<span style='font-size:12px;font-family:webdings'>4</span></a>", e.pages[i+1].node)
	}
	fmt.Fprintf(&b, "</td><td width=50 align=right><a href=%s_pdf.pdf>PDF</a></td></tr></table>\n</td>\n<td width=430>\n", at)

	// The day, and the edition before it.
	b.WriteString("<table width=100% border=0><tr>" + classicNav(e) + "<td align=center>")
	if before := p.previous(e.day); before != nil {
		fmt.Fprintf(&b, "<a href=\"../../%s/node_2.htm\">上一期</a>", classicDir(before))
	}
	b.WriteString("</td></tr></table>\n")

	// The edition's pages, with the PDF in the sibling cell.
	b.WriteString("<table cellspacing=0 cellpadding=2 width=100% border=0 style=\"BORDER: #C0C0C0 1px solid\"><tbody>")
	for i, o := range e.pages {
		tr := "<tr>"
		if i%2 == 1 {
			tr = "<tr bgcolor=#e8e8e8>"
		}
		href := fmt.Sprintf("node_%d.htm", o.node)
		if i == 0 {
			href = "./" + href
		}
		fmt.Fprintf(&b, " %s <td class=default align=left>&nbsp;<a id=pageLink href=%s>%s</a></td> <td nowrap align=middle width=55><a href=../../../%s_pdf.pdf>PDF</a></td></tr>",
			tr, href, html.EscapeString(pageLabel(o.PageRef)), classicPage(e, o))
	}
	b.WriteString(" </tbody></table>\n<br><span style=\"color:#B52008\"><b>标题导航</b></span>\n<TABLE cellSpacing=0 cellPadding=1 border=0 id=main-ed-articlenav-list> <TBODY>")
	for _, x := range p.listed(q) {
		fmt.Fprintf(&b, " <tr> <TD class=default valign=top>·</TD> <td class=default valign=top> <a href=content_%s.htm><div style=\"display:inline\" id=mp%[1]s>%s</div></a> </td> </TR>", x.ID, headlineHTML(listTitle(x)))
	}
	b.WriteString(" </TBODY> </TABLE>\n</td></tr></table>\n")

	// The hidden menu repeats the list of pages.
	b.WriteString("<!-------bmdh版面导航------>\n<div id=bmdh style=\"display:none\"><TABLE id=bmdhTable border=0 cellPadding=2> <TBODY>")
	for _, o := range e.pages {
		fmt.Fprintf(&b, " <TR> <TD class=default><a id=pageLink href=node_%d.htm>%s</a></TD> </TR>", o.node, html.EscapeString(pageLabel(o.PageRef)))
	}
	b.WriteString(" </TBODY> </TABLE></div>\n<!-------bmdh版面导航END------>\n")
	b.WriteString(classicFoot)
	fmt.Fprintf(&b, "<!--enpproperty <founder-date>%s 23:59:59</founder-date><founder-pagenum>%s</founder-pagenum><founder-papername>%s</founder-papername><founder-type>2</founder-type><founder-pagepicurl>%s/%s_brief.jpg</founder-pagepicurl><founder-content>%[3]s</founder-content> /enpproperty-->\n",
		e.day, q.Number, html.EscapeString(p.opts.Name), p.opts.Key, classicPage(e, q))
	return b.String()
}

// listTitle is what a list prints of an article; some have no headline of their own.
func listTitle(x *entry) string {
	if x.Headline == "" {
		return x.Kicker
	}
	return x.Headline
}

func (p *Publisher) pageAreas(q *page) []area {
	if len(q.areas) >= len(q.articles) && q.areas != nil {
		return q.areas
	}
	return areas(len(q.articles))
}

func (p *Publisher) classicText(e *edition, q *page, x *entry, label string) string {
	var b strings.Builder
	b.WriteString(p.classicHead(label, p.opts.Name+"数字报-"+p.opts.Name))
	i := slices.Index(q.articles, x)
	var around strings.Builder
	if i > 0 {
		fmt.Fprintf(&around, "<a class=preart href=\"content_%s.htm\"><span style='font-size:12px;font-family:webdings'>3</span>上一篇</a>&nbsp;&nbsp;", q.articles[i-1].ID)
	}
	if i >= 0 && i < len(q.articles)-1 {
		fmt.Fprintf(&around, "<a class=preart href=\"content_%s.htm\">下一篇 <span style='font-size:12px;font-family:webdings'>4</span></a>", q.articles[i+1].ID)
	}
	fmt.Fprintf(&b, "<table cellspacing=0 cellpadding=6 width=760 align=center border=0 bgcolor=#FFFFFF><tr><td align=left>第%s版：<STRONG>%s</STRONG>　<a href=node_%d.htm>返回本版</a></td>%s</tr>\n",
		q.Number, html.EscapeString(q.Name), q.node, classicNav(e))
	fmt.Fprintf(&b, "<tr><td>%s</td><td align=right><a onClick=\"zoomIn();\" href=#>放大</a> <a onClick=\"zoomOut();\" href=#>缩小</a> <a href=#>默认</a></td></tr>\n", around.String())
	b.WriteString("<tr><td colspan=2><!----------文章部分开始---------->\n<table cellspacing=0 cellpadding=5 width=100% border=0> <tbody>")
	fmt.Fprintf(&b, " <tr valign=top> <td class=\"font02\" align=center style=\"color: #827E7B;\">%s</td> </TR>", html.EscapeString(x.Kicker))
	fmt.Fprintf(&b, " <tr valign=top> <td class=\"font01\" align=center style=\"color: #0205FF;\">%s</td> </TR>", headlineHTML(x.Headline))
	fmt.Fprintf(&b, " <tr valign=top> <td class=\"font02\" align=center style=\"color: #827E7B;\">%s</td> </TR>", html.EscapeString(x.Subtitle))
	fmt.Fprintf(&b, " <tr valign=top> <td class=\"font02\" align=center>%s</td> </tr> </tbody> </table>\n", html.EscapeString(x.Author))
	var inline strings.Builder
	var outside strings.Builder
	for _, m := range x.images {
		src := "../../../" + classicPicture(x, m)
		if m.Inline {
			fmt.Fprintf(&inline, "<P align=center><IMG src=\"%s\" width=%d height=%d></P>", src, m.Width, m.Height)
			if m.Caption != "" {
				fmt.Fprintf(&inline, "<P align=center>%s</P>", html.EscapeString(m.Caption))
			}
			continue
		}
		fmt.Fprintf(&outside, "<table class=\"pci_c\" align=center border=0 cellspacing=0 cellpadding=3 width=620><tr><td align=center><IMG src=\"%s\" border=0></td></tr><tr><td align=left class=font6>%s</td></tr></table>", src, html.EscapeString(m.Caption))
	}
	if outside.Len() > 0 {
		b.WriteString("<div id=newspic>" + outside.String() + "</div>\n")
	}
	b.WriteString("<DIV id=ozoom style=\"zoom:100%;\" class=\"content\">\n<founder-content><!--enpcontent-->")
	b.WriteString(x.body("<P>%s</P>", inline.String()))
	b.WriteString("<!--/enpcontent--></founder-content> <INPUT type=checkbox value=0 name=titlecheckbox sourceid=\"\" style=\"display:none\">\n</DIV>\n<!----------文章部分结束---------->\n</td></tr>\n")
	fmt.Fprintf(&b, "<tr><td>%s</td><td></td></tr></table>\n", around.String())
	b.WriteString(classicFoot)
	fmt.Fprintf(&b, "<!--enpproperty <founder-date>%s</founder-date><founder-author>%s</founder-author><founder-title>%s</founder-title><founder-nodename></founder-nodename><founder-keyword></founder-keyword><founder-subtitle>%s</founder-subtitle><founder-type>1</founder-type><founder-introtitle>%s</founder-introtitle><founder-pagepicurl>%s/%s_brief.jpg</founder-pagepicurl><founder-pagenum>%s</founder-pagenum><founder-papername>%s</founder-papername><founder-nodeid>%d</founder-nodeid> /enpproperty-->\n",
		e.day, html.EscapeString(x.Author), html.EscapeString(oneLine(x.Headline)), html.EscapeString(x.Subtitle), html.EscapeString(x.Kicker), p.opts.Key, classicPage(e, q), q.Number, html.EscapeString(p.opts.Name), q.node)
	return b.String()
}
