package sources

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"paperwire/internal/paper"
)

// bodySelectors name the containers of a body, the surest first. A marker
// element of the publishing system is tried before all of them.
var bodySelectors = containers(
	"#ozoom", "#articleContent", "#ArticleContent", "#article_content", "#article-content", "#contenttext", "#zoom", "#zhenwenzone",
	"[itemprop=articleBody]", ".newsdetatext", ".article-content", ".article_content", ".articleContent", ".news-content", ".news_content",
	".detail-content", ".text_c", ".content-text", ".txt_con", "#neirong", ".neirong", ".article-body", ".articletext", "#content", ".content",
)

// container is the selector of one container.
type container struct {
	cascadia.Selector
	name string
	id   bool // by its id
}

func containers(names ...string) []container {
	list := make([]container, 0, len(names))
	for _, name := range names {
		list = append(list, container{cascadia.MustCompile(name), name, name[0] == '#'})
	}
	return list
}

var (
	markerSelector = cascadia.MustCompile("founder-content")
	authorSelector = cascadia.MustCompile("#Author, #author, .sec, .author, founder-author, #zuozhe, .zuozhe, .text_c .zz")
	cellSelector   = cascadia.MustCompile(".font01, .font02") // of the classic form's titles
)

var (
	authorField = regexp.MustCompile(`^(?:作者|本文作者|文[/／]图|撰稿|记者)[ 　]*[:：][ 　]*(.{2,40}?)(?: {2,}|[|｜]|来源|版次|编辑|日期|$)`)
	bylineLine  = regexp.MustCompile(`^[□■●◆\s]*(?:本报|本刊|新华社|中新社)?(?:特约|首席|实习|见习|全媒体|融媒体)*(?:记者|通讯员|评论员|特派员|撰稿人?)[\s:：]+\p{Han}[\p{Han}·\s、，/／]{1,40}$`)
	sourceField = regexp.MustCompile(`(?:稿件来源|文章来源|来源)[ 　]*[:：][ 　]*([^\s　|｜《》]{2,20})`)
	banField    = regexp.MustCompile(`(?:版次|版面|版号)[ 　]*[:：][ 　]*第?[ 　]*([A-Za-z]{0,3}\d{1,4})[ 　]*版?`)
	footerPage  = regexp.MustCompile(`[(（]\s*(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*日[\s,，　]*第?\s*([A-Za-z]{0,3}\d{1,4})\s*版\s*[)）]`)
	shortName   = regexp.MustCompile(`^[\p{Han}·]{2,6}(?:[ 　、,，][\p{Han}·]{2,6}){0,5}$`)
	jumpPage    = regexp.MustCompile(`content_htm_jump\s*=\s*["']([^"']+)["']`)
	dateInText  = regexp.MustCompile(`(20\d{2}|19\d{2})\s*[年\-/.]\s*(\d{1,2})\s*[月\-/.]\s*(\d{1,2})`)
)

// readArticle reads an article page as printed; nil, with the reason, where it
// holds neither a body nor a picture nor a headline.
func readArticle(d *document) (*Printed, string) {
	if d.root == nil {
		return nil, "is no HTML"
	}
	meta := readMeta(d)
	self, dated := d.shapeOf(d.url)
	a := &Printed{URL: canonical(d.url)}
	if dated {
		a.Day = self.day
	}
	if a.Day == "" {
		a.Day = metaDay(meta)
	}
	body, sure := d.rules.bodyOf(d), true
	if body == nil {
		body, sure = findBody(d)
	}
	titles(d, meta, body, a)
	a.Page = articlePageRef(d, meta, self)
	column := articleColumn(d, body)
	bylineFields(d, meta, body, column, a)
	a.Images = outsidePictures(d, meta, body, column, a.Day)
	if a.Day == "" {
		if m := dateInText.FindStringSubmatch(collapse(rawText(d.root, 64<<10, nil))); m != nil {
			a.Day, _ = paper.ParseDay(m[1] + "-" + pad(m[2]) + "-" + pad(m[3]))
		}
	}
	if lang := strings.TrimSpace(attrOf(d, atom.Html, "lang")); len(lang) <= 20 && (strings.HasPrefix(strings.ToLower(lang), "zh") || !han.MatchString(a.Headline)) {
		a.Language = lang // many Chinese templates say lang="en", as their editor made them
	}
	d.rules.article(d, body, a)
	if body != nil {
		dropTitles(body, a)
		a.Body = innerHTML(body, d.base)
		if !hasContent(body) {
			a.Body = ""
		}
		a.Images = notInBody(a.Images, a.Body)
	}
	switch {
	case a.Body == "" && len(a.Images) == 0 && a.Headline == "":
		return nil, "no body, no picture and no headline"
	case !sure && errorPage.MatchString(a.Headline+" "+d.seen.title):
		return nil, "looks like an error page"
	case !sure && len(meta) == 0 && a.Body == "" && len(a.Images) == 0:
		return nil, "no container of a body is known and no block of text is dense enough"
	}
	return a, ""
}

var (
	han       = regexp.MustCompile(`\p{Han}`)
	errorPage = regexp.MustCompile(`(?i)\b(?:404|500|502|503)\b|not found|页面不存在|找不到(?:页面|网页|该页|文件)|出错了|无法访问|服务器错误|系统维护|bad gateway`)
)

func pad(s string) string {
	if len(s) == 1 {
		return "0" + s
	}
	return s
}

// attrOf is an attribute of the first element of a name.
func attrOf(d *document, element atom.Atom, key string) string {
	var first *html.Node
	walk(d.root, func(n *html.Node) bool {
		if first == nil && n.DataAtom == element {
			first = n
		}
		return first == nil
	})
	if first == nil {
		return ""
	}
	return attr(first, key)
}

// hasContent reports whether a body has any text or picture at all.
func hasContent(n *html.Node) bool {
	found := false
	walk(n, func(c *html.Node) bool {
		switch {
		case found:
		case c.Type == html.TextNode:
			found = collapse(c.Data[:min(len(c.Data), 64)]) != "" || len(c.Data) > 64 && collapse(c.Data) != ""
		case c.DataAtom == atom.Img, c.DataAtom == atom.Video, c.DataAtom == atom.Iframe:
			found = true
		case c.Type == html.ElementNode && unseen(c):
			return false
		}
		return !found
	})
	return found
}

// findBody finds the element that holds the body alone. It reports false where
// only the density of text spoke for it.
func findBody(d *document) (*html.Node, bool) {
	var known *html.Node // a known container that is empty: a page of pictures
	var best *html.Node
	size := -1
	markers := d.find(markerSelector)
	if len(markers) == 1 {
		best = markers[0]
	} else {
		for _, n := range markers[:min(len(markers), 21)] {
			// Markers nest: the innermost with all of the text is the body.
			if l := len(text(n)); l > size || l == size && inside(n, best) {
				best, size = n, l
			}
		}
	}
	if best != nil && hasContent(best) {
		return best, true
	}
	// An empty marker: the parser closed it early, or there are only pictures.
	// No other container than one around it can be the body.
	marker := best
	known = marker
	if marker != nil && refill(d, marker) {
		return marker, true
	}
	if n := betweenMarkers(d); n != nil {
		return n, true
	}
	for _, sel := range bodySelectors {
		best, size = nil, 0
		boxes := d.find(sel.Selector)
		for _, n := range boxes[:min(len(boxes), 21)] {
			if marker != nil && !inside(marker, n) {
				continue
			}
			if known == nil && sel.id && !tooWide(d, n) {
				known = n
			}
			if l := len(text(n)); (l > size || best == nil && hasContent(n)) && !tooWide(d, n) {
				best, size = n, l
			}
		}
		if best != nil && hasContent(best) && (sel.id || size >= 60 || paragraphs(best) > 0) {
			return best, true
		}
	}
	if known != nil {
		return known, true
	}
	return densest(d), false
}

var (
	rawMarker  = regexp.MustCompile(`(?is)<founder-content[^>]*>(.*?)</founder-content`)
	rawComment = regexp.MustCompile(`(?s)<!--\s*enpproperty.*?-->`)
)

// refill gives a marker that the parser closed early (<P><founder-content><P>)
// what the bytes have between its tags.
func refill(d *document, marker *html.Node) bool {
	var best []byte
	for _, m := range rawMarker.FindAllSubmatch(rawComment.ReplaceAll(d.body, nil), 20) {
		if len(m[1]) > len(best) {
			best = m[1]
		}
	}
	if plain(string(best)) == "" {
		return false
	}
	nodes, err := html.ParseFragment(bytes.NewReader(tame(best)), &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div})
	if err != nil {
		return false
	}
	for _, n := range nodes {
		marker.AppendChild(n)
	}
	return true
}

func paragraphs(n *html.Node) int {
	count := 0
	walk(n, func(c *html.Node) bool {
		if c.DataAtom == atom.P {
			count++
		}
		return true
	})
	return count
}

// tooWide reports whether a container holds more than a body: links to pages of
// the edition or to several other articles.
func tooWide(d *document, n *html.Node) bool {
	pages, articles := 0, map[string]bool{}
	look(n, func(c *html.Node) bool {
		if c.DataAtom == atom.A || c.DataAtom == atom.Area {
			if l := d.link(attr(c, "href")); l.isPage() {
				pages++
			} else if l.ok && l.sh.kind == articlePage {
				articles[l.u.Path] = true
			}
		}
		return true
	})
	return pages > 0 || len(articles) > 2
}

// Comments that stand around a body, and their ends.
var bodyMarkers = [][2]string{{"enpcontent", "/enpcontent"}, {"<npm:article-content>", "</npm:article-content>"}}

// betweenMarkers wraps what stands between the body comments of the publishing
// system, where both are children of one element.
func betweenMarkers(d *document) *html.Node {
	var found *html.Node
	for _, n := range d.seen.comments {
		if found != nil || n.Parent == nil {
			break
		}
	marks:
		for _, m := range bodyMarkers {
			if strings.TrimSpace(n.Data) != m[0] {
				continue
			}
			var between []*html.Node
			for c := n.NextSibling; c != nil; c = c.NextSibling {
				if c.Type == html.CommentNode && strings.TrimSpace(c.Data) == m[1] {
					if len(between) > 0 {
						found = wrap(n, between)
					}
					break marks
				}
				between = append(between, c)
			}
		}
	}
	if found != nil && !hasContent(found) {
		return nil
	}
	return found
}

// wrap moves siblings into a new element after a node.
func wrap(after *html.Node, list []*html.Node) *html.Node {
	div := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	after.Parent.InsertBefore(div, after.NextSibling)
	for _, c := range list {
		c.Parent.RemoveChild(c)
		div.AppendChild(c)
	}
	return div
}

// minDense is the least text of a block that is taken for a body without a known
// container, in characters.
const minDense = 80

// densest is the block with the most text of its own paragraphs outside links;
// nil where no block is dense enough.
func densest(d *document) *html.Node {
	var best *html.Node
	most := minDense - 1
	walk(d.root, func(n *html.Node) bool {
		if n.Type != html.ElementNode || unseen(n) {
			return n.Type != html.ElementNode
		}
		switch n.DataAtom {
		case atom.Div, atom.Td, atom.Article, atom.Section, atom.Main, atom.Center, atom.Font, atom.Span:
		default:
			return true
		}
		own, linked := 0, 0
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			s := ""
			switch {
			case c.Type == html.TextNode:
				s = c.Data
			case c.DataAtom == atom.P, c.DataAtom == atom.B, c.DataAtom == atom.Strong, c.DataAtom == atom.Font, c.DataAtom == atom.Span:
				s = rawText(c, 1<<14, nil)
				look(c, func(x *html.Node) bool {
					if x.DataAtom == atom.A {
						linked += utf8.RuneCountInString(text(x))
					}
					return true
				})
			case c.DataAtom == atom.A:
				linked += utf8.RuneCountInString(text(c))
			}
			own += utf8.RuneCountInString(collapse(s))
		}
		if own > most && linked*3 < own && !tooWide(d, n) && sentence.MatchString(collapse(rawText(n, 1<<12, nil))) {
			best, most = n, own
		}
		return true
	})
	return best
}

// sentence tells prose from menus and imprints.
var sentence = regexp.MustCompile(`[。！？][^。！？]{4,}|，.*。`)

// articlePageRef tells the page an article says it stands on.
func articlePageRef(d *document, meta map[string]string, self shape) paper.PageRef {
	var ref paper.PageRef
	ref.Number = meta["pagenum"]
	all := anchorsOf(d)
	own := group{self.platform, self.prefix, self.root, self.day}
	labels := map[string]paper.PageRef{}
	for _, a := range all {
		if a.sh.kind == indexPage && (a.sh.day == own.day || own.day == "") {
			if l, sure := a.read().label, a.read().sure; sure != noLabel && (labels[a.key].Number == "" || labels[a.key].Name == "") {
				labels[a.key] = l
			}
		}
	}
	// Classic articles name the page to go back to.
	if m := jumpPage.FindSubmatch(d.body); m != nil {
		if u := d.resolve(string(m[1])); u != nil {
			if l, ok := labels[identity(canonical(u))]; ok && (ref.Number == "" || sameNumber(ref.Number, l.Number)) {
				return l
			}
		}
	}
	printed, found := labelOnPage(d, "")
	if ref.Number == "" {
		ref.Number = self.number
	}
	if ref.Number == "" {
		var n string
		walk(d.root, func(x *html.Node) bool {
			if x.Type == html.TextNode && n == "" && len(x.Data) < 400 && strings.Contains(x.Data, "版") {
				if m := banField.FindStringSubmatch(x.Data); m != nil {
					n = m[1]
				} else if m := footerPage.FindStringSubmatch(x.Data); m != nil {
					n = m[4]
				}
			}
			return n == ""
		})
		if n != "" && found && !sameNumber(n, printed.Number) {
			found = false
		}
		ref.Number = n
	}
	switch {
	case ref.Number == "" && found:
		ref = printed
	case found && sameNumber(ref.Number, printed.Number):
		ref.Name = printed.Name
	}
	if ref.Number != "" && ref.Name == "" {
		for _, a := range all { // in document order, so that the outcome is one
			if l, ok := labels[a.key]; ok && sameNumber(l.Number, ref.Number) && l.Name != "" {
				ref.Name = l.Name
				break
			}
		}
	}
	return ref
}

// bylineFields fills author and agency from the fields of the page.
func bylineFields(d *document, meta map[string]string, body, column *html.Node, a *Printed) {
	a.Author = collapse(meta["author"])
	if a.Author == "" {
		for _, n := range d.find(authorSelector) {
			if body != nil && inside(n, body) {
				continue
			}
			t := collapse(rawText(n, 400, func(c *html.Node) bool { return hasClass(c, "date") }))
			if m := authorField.FindStringSubmatch(t); m != nil {
				t = m[1]
			}
			if t != "" && utf8.RuneCountInString(t) <= 60 && !strings.Contains(t, "版次") && !strings.Contains(t, "来源") && !dateInText.MatchString(t) {
				a.Author = t
				break
			}
		}
	}
	if a.Author == "" {
		// The fourth title cell of the classic form.
		if cells := sameTable(d.find(cellSelector)); len(cells) >= 3 {
			a.Author = titleText(cells[len(cells)-1])
		}
	}
	walk(d.root, func(n *html.Node) bool {
		if n == body || n.Type == html.ElementNode && unseen(n) {
			return false
		}
		if n.Type != html.TextNode || len(n.Data) > 300 {
			return true
		}
		t := collapse(n.Data)
		if a.Author == "" && strings.ContainsAny(t, "者员稿图") { // one of them is in either
			if column != nil && bylineLine.MatchString(t) && inside(n, column) {
				a.Author = t
			} else if m := authorField.FindStringSubmatch(t); m != nil {
				a.Author = strings.TrimSpace(m[1])
			}
		}
		if a.Agency != "" || !strings.Contains(t, "来源") {
			return true
		}
		if m := sourceField.FindStringSubmatch(t); m != nil {
			// The paper itself is no other source.
			if name := meta["papername"]; name != m[1] && paperName(d, meta) != m[1] && !strings.Contains(d.seen.title, m[1]) {
				a.Agency = m[1]
			}
		}
		return true
	})
	if a.Author != "" && sameText(a.Author, a.Subtitle) && meta["author"] == "" {
		// A cell in the subtitle's place that holds only names is the author's.
		if shortName.MatchString(a.Author) {
			a.Subtitle = ""
		} else {
			a.Author = ""
		}
	}
}

// sameTable are the cells .font02 in the table of the first .font01.
func sameTable(cells []*html.Node) []*html.Node {
	i := slices.IndexFunc(cells, func(n *html.Node) bool { return hasClass(n, "font01") })
	if i < 0 {
		return nil
	}
	table := cells[i]
	for table != nil && table.DataAtom != atom.Table {
		table = table.Parent
	}
	if table == nil {
		return nil
	}
	var list []*html.Node
	for _, n := range cells {
		if n != table && hasClass(n, "font02") && inside(n, table) {
			list = append(list, n)
		}
	}
	return list
}

// pictureBoxes are where skins put photos outside the body.
var pictureBoxes = cascadia.MustCompile("#newspic, #picres, #articlePic, .newspic, table.pci_c, .pci_c, .attachment, .article-pic, .pic_list, .imgbox")

var noPhoto = regexp.MustCompile(`(?i)tplimg|/static/|/template|/images?/(?:logo|icon|img\d|pic\d|bg|btn)|webcss|logo|icon|_brief\.|_thumb\.|qrcode|erweima|spacer|blank\.gif|\.gif$|/css/|/js/`)

// outsidePictures are the photos of an article that stand outside its body, with
// their captions: those in the known boxes, and those of the edition's own
// directories (res/1/20170907/…, pic/202408/19/…) in the article's column.
func outsidePictures(d *document, meta map[string]string, body, column *html.Node, day paper.Day) []Image {
	var list []Image
	seen := map[string]bool{}
	add := func(n *html.Node, boxed bool) {
		if attr(n, "usemap") != "" || body != nil && inside(n, body) || len(list) >= 100 {
			return
		}
		src := attr(n, "src")
		for _, key := range lazyAttrs {
			if v := attr(n, key); v != "" && !strings.HasPrefix(v, "data:") {
				src = v
				break
			}
		}
		u := d.resolve(fullSize(src))
		if u == nil || seen[u.String()] || noPhoto.MatchString(u.Path) || meta["pagepicurl"] != "" && strings.HasSuffix(u.Path, meta["pagepicurl"]) {
			return
		}
		if !boxed && (!datedFile(u.Path, day) || leadsToPage(d, n)) {
			return
		}
		seen[u.String()] = true
		list = append(list, Image{URL: u.String(), Caption: caption(n, body)})
	}
	for _, box := range d.find(pictureBoxes) {
		walk(box, func(n *html.Node) bool {
			if n.DataAtom == atom.Img && !leadsToPage(d, n) {
				add(n, true)
			}
			return true
		})
	}
	if column != nil {
		walk(column, func(n *html.Node) bool {
			if n.DataAtom == atom.Img {
				add(n, false)
			}
			return n != body
		})
	}
	return list
}

// articleColumn is the part of the page around the body that leads to no other
// page of the edition.
func articleColumn(d *document, body *html.Node) *html.Node {
	if body == nil {
		return nil
	}
	column := body
	var seen *html.Node // below p, and not wide
	for p, steps := body.Parent, 0; p != nil && steps < 12 && p.DataAtom != atom.Html; p, steps = p.Parent, steps+1 {
		wide := false
		walk(p, func(n *html.Node) bool {
			if n == seen || wide {
				return false
			}
			wide = n.DataAtom == atom.Img && attr(n, "usemap") != "" || n.DataAtom == atom.A && d.link(attr(n, "href")).isPage()
			return !wide
		})
		if wide {
			break
		}
		column, seen = p, p
	}
	return column
}

// datedFile reports whether a picture lies in a directory of the day or has it
// in its name.
func datedFile(p string, day paper.Day) bool {
	c := day.Compact()
	if c == "" {
		return false
	}
	for _, form := range []string{c, c[:6] + "/" + c[6:], c[:4] + "-" + c[4:6] + "/" + c[6:], c[:4] + "-" + c[4:6] + "-" + c[6:], c[:4] + "/" + c[4:6] + "/" + c[6:]} {
		if strings.Contains(p, form) {
			return true
		}
	}
	return strings.Contains(p, "/res/1/")
}

// leadsToPage reports whether a picture is the thumbnail of a page.
func leadsToPage(d *document, n *html.Node) bool {
	found := false
	check := func(a *html.Node) {
		found = found || d.link(attr(a, "href")).isPage()
	}
	for p, steps := n.Parent, 0; p != nil && steps < 3; p, steps = p.Parent, steps+1 {
		if p.DataAtom == atom.A {
			check(p)
		}
		if p.DataAtom == atom.Li {
			walk(p, func(c *html.Node) bool {
				if c.DataAtom == atom.A {
					check(c)
				}
				return true
			})
		}
	}
	return found
}

// maxCaption caps a caption, in characters.
const maxCaption = 400

// caption is the text that belongs to a picture: <figcaption>, the next row of
// its table, the element after it, else its own alt or title.
func caption(img, body *html.Node) string {
	ok := func(s string) bool {
		return s != "" && utf8.RuneCountInString(s) <= maxCaption && !navText.MatchString(s)
	}
	if fig := closest(img, 4, func(n *html.Node) bool { return n.DataAtom == atom.Figure }); fig != nil {
		s := ""
		walk(fig, func(n *html.Node) bool {
			if n.DataAtom == atom.Figcaption {
				s = text(n)
			}
			return true
		})
		if ok(s) {
			return s
		}
	}
	if row := closest(img, 6, func(n *html.Node) bool { return n.DataAtom == atom.Tr }); row != nil {
		if s := text(row); ok(s) {
			return s
		}
		if next := nextElement(row); next != nil && !hasPicture(next) && !inside(body, next) {
			if s := text(next); ok(s) {
				return s
			}
		}
	} else {
		for n, steps := img, 0; n != nil && steps < 3; n, steps = n.Parent, steps+1 {
			next := nextElement(n)
			if next != nil && next.DataAtom == atom.Br {
				// <img><br>caption
				if c := next.NextSibling; c != nil {
					if s := text(c); ok(s) && (c.Type == html.TextNode || c.Type == html.ElementNode && !hasPicture(c)) {
						return s
					}
				}
				break
			}
			if next != nil {
				if hasPicture(next) || inside(body, next) {
					break // the next picture, or the article itself
				}
				if s := text(next); ok(s) && !isHeading(next) {
					return s
				}
				break
			}
			if c := n.NextSibling; c != nil && c.Type == html.TextNode {
				if s := collapse(c.Data); ok(s) {
					return s
				}
			}
		}
	}
	for _, key := range []string{"alt", "title"} {
		if s := plain(attr(img, key)); ok(s) && strings.IndexFunc(s, unicode.IsLetter) >= 0 && !strings.Contains(s, ".jpg") {
			return s
		}
	}
	return ""
}

func isHeading(n *html.Node) bool {
	return len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6'
}

func hasPicture(n *html.Node) bool {
	found := n.DataAtom == atom.Img
	walk(n, func(c *html.Node) bool {
		found = found || c.DataAtom == atom.Img
		return !found
	})
	return found
}

// notInBody drops pictures that the body shows too.
func notInBody(list []Image, body string) []Image {
	var out []Image
	for _, i := range list {
		if !strings.Contains(body, html.EscapeString(i.URL)) {
			out = append(out, i)
		}
	}
	return out
}

// dropTitles takes headings out of a wide container's top that only repeat the
// titles: they are no part of the body.
func dropTitles(body *html.Node, a *Printed) {
	for c, steps := body.FirstChild, 0; c != nil && steps < 12; steps++ {
		next := c.NextSibling
		if c.Type == html.ElementNode {
			s := text(c)
			if s != "" && !(isHeading(c) && (sameText(s, a.Headline) || sameText(s, a.Kicker) || sameText(s, a.Subtitle))) {
				return
			}
			if s != "" {
				body.RemoveChild(c)
			}
		} else if c.Type == html.TextNode && strings.TrimSpace(c.Data) != "" {
			return
		}
		c = next
	}
}
