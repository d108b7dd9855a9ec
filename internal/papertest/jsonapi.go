package papertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"paperwire/internal/paper"
)

// The interface: an empty page with scripts, behind it api/list.do and
// api/getPage.do, which take POST with X-Requested-With only.
//
// It answers 200 with status 0 to what it does not have. Its
// list.do (code=20260317, or nothing: the newest) gives the pages; getPage.do
// (page=01&code=20260317) the articles of one, last first, with their bodies as
// escaped HTML.

func init() {
	layouts[JSONAPI] = layout{
		entry: "/%s/app/index.html", build: (*Publisher).buildAPI, dir: paper.Day.Compact,
		article: func(p *Publisher, x *entry) string { return p.root + "/app/detail/" + x.ID + ".html" },
		picture: func(p *Publisher, x *entry, m *picture) string {
			return p.root + "/app/files/" + x.Day.Compact() + "/" + m.name + m.ext()
		},
	}
}

// object writes JSON on one line, < and & as they stand.
func object(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // of strings and numbers only
	}
	return strings.TrimSpace(b.String())
}

func (p *Publisher) buildAPI(site map[string]*file) {
	answer := func(key string, e *edition, text func() string) {
		site["POST "+p.root+"/app/api/"+key] = &file{kind: "application/json", charset: "utf-8", changed: e.changed, text: func(string) string { return text() }}
	}
	if e := p.front(); e != nil {
		site[p.entryPath(JSONAPI)] = &file{kind: "text/html", charset: p.opts.Charset, changed: p.opts.Day.In(paper.Shanghai), text: func(label string) string {
			return divHead(label, p.opts.Name) + "<div id=\"app\"></div>\n<script src=\"static/app.js\"></script>\n</body>\n</html>\n"
		}}
		site[p.root+"/app/static/app.js"] = &file{kind: "application/javascript", charset: "utf-8", changed: p.opts.Day.In(paper.Shanghai), text: func(string) string {
			return "var api={list:\"api/list.do\",page:\"api/getPage.do\"};\n"
		}}
		answer("list.do", e, func() string { return p.apiList(e) })
		none := func() string { return `{"status":0,"msg":"暂无数据","data":null}` }
		answer("list.do?*", e, none)
		answer("getPage.do", e, none)
		answer("getPage.do?*", e, none)
	}
	for _, e := range p.editions {
		code := e.day.Compact()
		answer("list.do?code="+code, e, func() string { return p.apiList(e) })
		for _, q := range e.pages {
			query := url.Values{"page": {q.Number}, "code": {code}}
			answer("getPage.do?"+query.Encode(), e, func() string { return p.apiPage(e, q) })
			files := p.root + "/app/files/" + code + "/" + q.Number
			site[files+".jpg"] = &file{kind: "image/jpeg", changed: e.changed, data: q.picture}
			site[files+".pdf"] = &file{kind: "application/pdf", changed: e.changed, data: q.pdf}
			for _, x := range q.articles {
				site[p.articlePath(x)] = &file{
					kind: "text/html", charset: x.Charset, changed: x.changed,
					text: func(label string) string { return p.plainText(e, q, x, label) },
				}
				pictures(site, x, func(m *picture) string { return layouts[JSONAPI].picture(p, x, m) })
			}
		}
	}
}

// apiList is what list.do says of one edition.
func (p *Publisher) apiList(e *edition) string {
	type item struct {
		Page string `json:"page"`
		Name string `json:"pageName"`
		Pic  string `json:"pic"`
		PDF  string `json:"pdf"`
	}
	type data struct {
		Paper string `json:"paperName"`
		Code  string `json:"code"`
		Day   string `json:"paperDate"`
		Prev  string `json:"prevCode"`
		Pages []item `json:"pageList"`
	}
	d := data{Paper: p.opts.Name, Code: e.day.Compact(), Day: string(e.day), Pages: []item{}}
	if before := p.previous(e.day); before != nil {
		d.Prev = before.day.Compact()
	}
	for _, q := range e.pages {
		files := p.root + "/app/files/" + e.day.Compact() + "/" + q.Number
		d.Pages = append(d.Pages, item{q.Number, q.Name, files + ".jpg", files + ".pdf"})
	}
	return object(map[string]any{"status": 1, "data": d})
}

// apiPage is what getPage.do says of one page.
func (p *Publisher) apiPage(e *edition, q *page) string {
	type image struct {
		Src     string `json:"src"`
		Caption string `json:"caption"`
	}
	type item struct {
		ID      int     `json:"articleId"`
		Sort    int     `json:"sort"`
		Title   string  `json:"title"`
		Intro   string  `json:"introTitle"`
		Sub     string  `json:"subTitle"`
		Author  string  `json:"author"`
		Content string  `json:"content"`
		URL     string  `json:"url"`
		Images  []image `json:"images"`
	}
	list := []item{}
	for i, x := range slices.Backward(q.articles) {
		id, _ := strconv.Atoi(x.ID)
		a := item{
			ID: id, Sort: i + 1, Title: x.Headline, Intro: x.Kicker, Sub: x.Subtitle, Author: x.Author,
			Content: html.EscapeString(p.dataBody(x)), URL: p.articlePath(x), Images: []image{},
		}
		for _, m := range x.images {
			if !m.Inline {
				a.Images = append(a.Images, image{layouts[p.form].picture(p, x, m), m.Caption})
			}
		}
		list = append(list, a)
	}
	return object(map[string]any{"status": 1, "data": map[string]any{
		"page": q.Number, "pageName": q.Name, "paperDate": e.day, "articleList": list,
	}})
}

func (p *Publisher) dataBody(x *entry) string {
	return x.body("<p>%s</p>", figures(x, true, func(m *picture) string { return layouts[p.form].picture(p, x, m) }))
}

// plainText is an article's page to share, its pictures by path.
func (p *Publisher) plainText(e *edition, q *page, x *entry, label string) string {
	var b strings.Builder
	b.WriteString(divHead(label, oneLine(listTitle(x))))
	fmt.Fprintf(&b, "<div class=\"info\">%s　%s</div>\n", longDay(e.day), html.EscapeString(pageLabel(q.PageRef)))
	fmt.Fprintf(&b, "<div class=\"preTitle\">%s</div>\n<div class=\"mainTitle\">%s</div>\n<div class=\"subTitle\">%s</div>\n<div class=\"author\">%s</div>\n<div class=\"article-content\">\n", html.EscapeString(x.Kicker), headlineHTML(x.Headline), html.EscapeString(x.Subtitle), html.EscapeString(x.Author))
	b.WriteString(figures(x, false, func(m *picture) string { return layouts[p.form].picture(p, x, m) }) + p.dataBody(x))
	b.WriteString("</div>\n</body>\n</html>\n")
	return b.String()
}
