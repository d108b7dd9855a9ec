package sources

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"codeberg.org/readeck/go-readability/v2"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"paperwire/internal/fetch"
)

// What a page of the web tells about its article, whatever made it: schema.org in
// JSON-LD and microdata, Open Graph, and the names that Chinese news sites give
// their meta elements. The sitemap platform, full text of feeds and articles of
// JSON APIs that are pages are read by it.

// Caps of a page of the web.
const (
	maxLD       = 512 << 10 // bytes of one JSON-LD script
	maxElements = 60_000    // nodes that readability may look at
	leastBody   = 20        // characters of a body; less is a caption or a message
)

// metadata is what a page says about its article.
type metadata struct {
	headline, section, author, agency, summary, body, picture string
	published                                                 string
	article                                                   bool // it says that it is one
}

// webArticle reads an article's page; nil, with the reason, where it is none.
func webArticle(d *document, zone *time.Location) (a *Printed, reason string) {
	if d.root == nil {
		return nil, "is no HTML"
	}
	m := readMetadata(d)
	ruledBody := d.rules.has(d, d.rules.bodySelector())
	read, _ := readArticle(d)
	if read != nil && read.Body != "" && founderPage(d) {
		return read, ""
	}
	a = &Printed{URL: canonicalOf(d), Headline: m.headline, Author: authorName(m.author), Agency: plain(m.agency)}
	if read != nil {
		a.Page, a.Language, a.Kicker, a.Subtitle, a.Day = read.Page, read.Language, read.Kicker, read.Subtitle, read.Day
		if a.Headline == "" {
			a.Headline = read.Headline
		} else if !sameText(a.Headline, read.Headline) {
			a.Kicker, a.Subtitle = "", "" // of another headline
		}
		if a.Author == "" {
			a.Author = read.Author
		}
		if a.Agency == "" {
			a.Agency = read.Agency
		}
	}
	for _, f := range []*string{&a.Kicker, &a.Subtitle} {
		if *f != "" && (sameText(*f, a.Author) || sameText(*f, m.section)) {
			*f = ""
		}
	}
	if at := readDate(m.published, zone, time.Time{}); at.day != "" {
		a.Day, a.Dated = at.day, at.at
	}
	if m.section != "" {
		a.Columns = []string{m.section}
	}
	if ruledBody && read != nil {
		a.Body = read.Body
	} else {
		a.Body = bestBody(d, read, m)
	}
	d.rules.keep(a, read)
	length := utf8.RuneCountInString(plain(a.Body))
	switch {
	case a.Headline == "":
		return nil, "no headline"
	case errorPage.MatchString(a.Headline):
		return nil, fmt.Sprintf("an error page, %q", a.Headline)
	case length < leastBody && !strings.Contains(a.Body, "<img"):
		return nil, "no body"
	case !m.article && length < 3*leastBody && !strings.Contains(a.Body, "<p"):
		return nil, "no article by its own word, and hardly a body"
	}
	if u := resolve(d.base, m.picture); u != nil && !strings.Contains(a.Body, "<img") {
		a.Images = []Image{{URL: u.String()}}
	}
	return a, ""
}

// canonicalOf is where the page says that it stands, on its own host; else where
// it was got. The query stays: many sites have nothing else (?id=7).
func canonicalOf(d *document) string {
	u := *d.url
	u.Fragment, u.RawFragment, u.User = "", "", nil
	if href, ok := d.dom.Find(`link[rel="canonical"]`).First().Attr("href"); ok {
		if c := resolve(d.base, href); c != nil && hostOf(c) == hostOf(d.url) && len(c.Path) > 1 {
			c.Fragment, c.RawFragment, c.User = "", "", nil
			return c.String()
		}
	}
	return u.String()
}

// founderPage: the publishing system's own marks make any guess unnecessary.
func founderPage(d *document) bool {
	return d.dom.Find("founder-content, #ozoom").Length() > 0
}

// bestBody takes the surest body that is whole: a marked one, a known container,
// what readability finds; the text of the metadata where all of them are half.
func bestBody(d *document, read *Printed, m metadata) string {
	body := ""
	if n := d.dom.Find(`[itemprop="articleBody"]`); n.Length() > 0 {
		best := 0
		n.EachWithBreak(func(i int, s *selection) bool {
			if l := len(text(s.Nodes[0])); l > best {
				best, body = l, innerHTML(s.Nodes[0], d.base)
			}
			return i < 20
		})
	}
	size := func(s string) int { return utf8.RuneCountInString(plain(s)) }
	if size(body) < leastBody {
		known := false
		for _, sel := range bodySelectors {
			known = known || len(d.find(sel.Selector)) > 0
		}
		if read != nil && known {
			body = read.Body
		}
		if got := readable(d); size(body) < leastBody || size(got) > 2*size(body) {
			body = got
			if read != nil && prose(read.Body) >= prose(got) {
				body = read.Body
			}
		}
	}
	if m.body != "" && size(m.body) > size(body)*3/2 {
		body = bodyHTML(m.body, false, d.base)
	}
	return body
}

// prose weighs a body: characters, less those that lead elsewhere, which are
// lists and not sentences.
func prose(body string) int {
	root, err := html.Parse(bytes.NewReader(tame([]byte(body))))
	if err != nil {
		return 0
	}
	n := utf8.RuneCountInString(text(root))
	walk(root, func(c *html.Node) bool {
		if c.DataAtom == atom.A {
			n -= 3 * utf8.RuneCountInString(text(c))
			return false
		}
		return true
	})
	return n
}

// readable is what readability takes for the body. It mutates, so it gets its own
// tree.
func readable(d *document) (body string) {
	// It is other people's code at work on other people's bytes.
	defer func() {
		if recover() != nil {
			body = ""
		}
	}()
	root, err := html.ParseWithOptions(bytes.NewReader(tame(d.body)), html.ParseOptionEnableScripting(false))
	if err != nil {
		return ""
	}
	n := 0
	walk(root, func(*html.Node) bool { n++; return n <= maxElements })
	if n > maxElements {
		return ""
	}
	p := readability.NewParser()
	p.CharThresholds = 120 // characters; its default of 500 is meant for Latin script
	p.DisableJSONLD = true
	got, err := p.ParseAndMutate(root, d.base)
	if err != nil || got.Node == nil {
		return ""
	}
	wrapped := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	node := got.Node
	// Its own wrappers stand for nothing.
	for node.FirstChild != nil && node.FirstChild == node.LastChild && node.FirstChild.DataAtom == atom.Div {
		node = node.FirstChild
	}
	for c := node.FirstChild; c != nil; c = node.FirstChild {
		node.RemoveChild(c)
		wrapped.AppendChild(c)
	}
	return innerHTML(wrapped, d.base)
}

// readMetadata collects what a page says about itself, the surest first.
func readMetadata(d *document) metadata {
	var m metadata
	set := func(to *string, v string) {
		if *to == "" && len(v) < 1000 {
			*to = plain(v)
		}
	}
	scripts := 0
	d.dom.Find(`script[type="application/ld+json"]`).EachWithBreak(func(_ int, s *selection) bool {
		if n := s.Nodes[0]; n.FirstChild != nil && len(n.FirstChild.Data) <= maxLD {
			if v, err := jsonValue([]byte(n.FirstChild.Data), ""); err == nil {
				m.linked(v, 0)
			}
		}
		scripts++
		return scripts < 20
	})
	prop := func(name string) string {
		s := d.dom.Find(`[itemprop="` + name + `"]`).First()
		if s.Length() == 0 {
			return ""
		}
		for _, key := range []string{"content", "datetime"} {
			if v, ok := s.Attr(key); ok {
				return v
			}
		}
		return text(s.Nodes[0])
	}
	if t, _ := d.dom.Find("[itemtype]").First().Attr("itemtype"); strings.Contains(t, "schema.org/") && strings.Contains(t, "Article") {
		m.article = true
		set(&m.headline, prop("headline"))
		set(&m.author, prop("author"))
		set(&m.published, prop("datePublished"))
		set(&m.section, prop("articleSection"))
	}
	metas := map[string]string{}
	d.dom.Find("meta[content]").EachWithBreak(func(i int, s *selection) bool {
		n := s.Nodes[0]
		name := attr(n, "property")
		if name == "" {
			name = attr(n, "name")
		}
		if name = strings.ToLower(name); name != "" && metas[name] == "" {
			metas[name] = attr(n, "content")
		}
		return i < 200
	})
	m.article = m.article || strings.HasPrefix(metas["og:type"], "article") || metas["articletitle"] != "" || metas["article:published_time"] != ""
	for _, f := range []struct {
		to    *string
		names []string
	}{
		{&m.headline, []string{"articletitle", "og:title", "twitter:title"}},
		{&m.published, []string{"article:published_time", "pubdate", "publishdate", "og:release_date", "og:published_time", "weibo: article:create_at"}},
		{&m.section, []string{"article:section", "columnname"}},
		{&m.agency, []string{"contentsource", "source"}},
		{&m.summary, []string{"og:description", "description"}},
		{&m.picture, []string{"og:image", "twitter:image"}},
	} {
		for _, name := range f.names {
			set(f.to, metas[name])
		}
	}
	if a := metas["article:author"]; !strings.Contains(a, "://") {
		set(&m.author, a)
	}
	if m.article {
		set(&m.author, metas["author"])
	}
	// 标题_栏目_某某网 and 标题 - 某某日报 are titles of the document.
	for range 3 {
		cut := strings.LastIndexAny(m.headline, "_|-—－｜")
		if cut <= 0 || !siteLike(strings.TrimLeft(m.headline[cut:], "_|-—－｜ ")) {
			break
		}
		m.headline = strings.TrimRight(m.headline[:cut], "_|-—－｜ ")
	}
	return m
}

var articleTypes = []string{"NewsArticle", "ReportageNewsArticle", "AnalysisNewsArticle", "OpinionNewsArticle", "Article", "BlogPosting", "LiveBlogPosting"}

// linked takes the first article of a JSON-LD value.
func (m *metadata) linked(v any, depth int) {
	if depth > 4 {
		return
	}
	switch x := v.(type) {
	case []any:
		for _, e := range x[:min(len(x), 50)] {
			m.linked(e, depth+1)
		}
	case map[string]any:
		if !slices.ContainsFunc(texts(x, `"@type"`), func(t string) bool { return slices.Contains(articleTypes, t) }) {
			m.linked(x["@graph"], depth+1)
			m.linked(x["mainEntity"], depth+1)
			return
		}
		if m.article {
			return
		}
		m.article = true
		m.headline = plain(value1(x, "headline|name"))
		m.published = value1(x, "datePublished|dateCreated")
		m.section = plain(value1(x, "articleSection"))
		m.author = plain(strings.Join(texts(x, "author[*].name|author.name|author"), "、"))
		m.agency = plain(value1(x, "sourceOrganization.name|isBasedOn.name"))
		m.summary = plain(value1(x, "description"))
		m.body = value1(x, "articleBody")
		m.picture = value1(x, "image[0].url|image.url|image[0]|image|thumbnailUrl")
	}
}

// fullText fetches the page behind an item of a feed. What the feed itself says
// stands where the page gives less or cannot be read for good; an error that may
// pass is one, so that the article is tried again.
func fullText(ctx context.Context, g Getter, s Source, r Ref) (Printed, error) {
	p := *r.Printed
	at := p.URL
	if at == "" {
		return p, nil
	}
	d, err := s.get(ctx, g, at, s.URL, false)
	var blocked *BlockedError
	var status *fetch.StatusError
	switch {
	case err == nil:
	case errors.As(err, &blocked), errors.Is(err, fetch.ErrRobots), errors.Is(err, fetch.ErrForbidden), errors.Is(err, fetch.ErrTooLarge), errors.Is(err, fetch.ErrRedirects),
		errors.As(err, &status) && status.Code >= 400 && status.Code < 500 && status.Code != 408 && status.Code != 429:
		return p, nil
	default:
		return Printed{}, err
	}
	page, _ := webArticle(d, s.zone())
	if page == nil {
		return p, nil
	}
	ruled := d.rules.bodySelector() != nil
	longer := func(a, b string) bool { return utf8.RuneCountInString(plain(a)) > utf8.RuneCountInString(plain(b)) }
	if page.Body == "" || !ruled && !longer(page.Body, p.Body) {
		return p, nil
	}
	d.rules.keep(&p, page)
	if p.Summary == "" {
		p.Summary = p.Body
	}
	p.Body = page.Body
	if strings.Contains(p.Body, "<img") {
		p.Images = notInBody(p.Images, p.Body)
	} else if len(p.Images) == 0 {
		p.Images = page.Images
	}
	for _, f := range []struct {
		to   *string
		from string
	}{{&p.Author, page.Author}, {&p.Agency, page.Agency}, {&p.Kicker, page.Kicker}, {&p.Subtitle, page.Subtitle}} {
		if *f.to == "" {
			*f.to = f.from
		}
	}
	if p.Dated.IsZero() && !page.Dated.IsZero() {
		p.Day, p.Dated = page.Day, page.Dated
	}
	return p, nil
}
