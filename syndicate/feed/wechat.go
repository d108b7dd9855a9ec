package feed

import (
	"cmp"
	"encoding/json"
	"html"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	xhtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"paperwire/internal/paper"
)

func init() {
	register(Format{
		Ext:     "wechat",
		Name:    "WeChat articles",
		Type:    "application/json",
		About:   "the newest edition in page order, eight articles at a time, for a draft of a WeChat account",
		Spec:    "https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Add_draft.html",
		Edition: true,
		Write:   writeWechat,
	})
}

// The limits of a draft (draft/add). Characters are counted as UTF-16 code units,
// the strictest way of counting that a server may use. Less than 20,000 of them are
// less than 60 KB of UTF-8, so that the other limit of a body, 1 MB, needs no count.
const (
	wechatArticles = 8
	wechatTitle    = 32
	wechatAuthor   = 16
	wechatDigest   = 128
	wechatSummary  = 120 // characters: what a card has of it
	wechatContent  = 19_999
	wechatURL      = 1024 // bytes
)

type wechatDoc struct {
	Articles []wechatArticle `json:"articles"`
}

// wechatArticle has the fields of draft/add, and pictures by their addresses where
// that wants the ids of uploaded ones.
type wechatArticle struct {
	Title       string `json:"title"`
	Author      string `json:"author"`
	Digest      string `json:"digest"`
	Content     string `json:"content"`
	SourceURL   string `json:"content_source_url"`
	Cover       string `json:"cover_url"`        // 900×383
	CoverSquare string `json:"cover_square_url"` // 200×200 and more
}

func writeWechat(w io.Writer, in Input) error {
	doc := wechatDoc{Articles: []wechatArticle{}}
	skip := (max(in.Part, 1) - 1) * wechatArticles
	for _, item := range in.Feed.Items {
		// A draft is new: there is nothing in it that a notice could replace.
		if item.State != paper.Live {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		e := in.entry(item)
		doc.Articles = append(doc.Articles, in.wechat(&e))
		if len(doc.Articles) == wechatArticles {
			break
		}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // WeChat shows \u003c as it stands
	return enc.Encode(doc)
}

func (in Input) wechat(e *entry) wechatArticle {
	c := NewCutter(e.Item)
	shorten := func(s string, most int) string {
		s, _ = c.Fit(s, most, 0.3, func(s string) bool { return units(s) <= most })
		return s
	}
	a := wechatArticle{
		Title:  cmp.Or(shorten(e.title, wechatTitle), e.ID),
		Digest: shorten(c.Closed(e.description, wechatSummary), wechatDigest),
	}
	for i, name := range e.authors {
		switch {
		case i == 0:
			a.Author = shorten(name, wechatAuthor)
		case units(a.Author)+1+units(name) <= wechatAuthor:
			a.Author += " " + name
		}
	}
	for _, link := range []string{e.link, uri(in.Links.Article(e.ID))} {
		if len(link) <= wechatURL {
			a.SourceURL = link
			break
		}
	}
	a.Content = e.wechatContent(a.SourceURL)
	switch {
	case in.Links.Cards:
		a.Cover = uri(in.Links.CardImage(e.ID, "wechat_cover"))
		a.CoverSquare = uri(in.Links.CardImage(e.ID, "r1x1"))
	case len(e.images) > 0:
		a.Cover, a.CoverSquare = e.images[0].URL, e.images[0].URL
	}
	return a
}

// units counts characters as UTF-16 does: two for what lies beyond the first plane.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += unitsOf(r)
	}
	return n
}

func unitsOf(r rune) int {
	if r > 0xffff {
		return 2
	}
	return 1
}

// sentenceEnd reports whether a sentence ends with r.
func sentenceEnd(r rune) bool {
	switch r {
	case '。', '！', '？', '!', '?', '…':
		return true
	}
	return false
}

// wechatStyles are the elements that remain, each with what WeChat needs to know
// of its looks: it takes no style sheets and no classes. A figure and its caption
// are sections there. An address cannot be followed in an article, so links are
// only their words.
var wechatStyles = map[atom.Atom]struct{ name, style string }{
	atom.P:          {"p", "margin:0 0 1em;font-size:17px;line-height:1.8;text-align:justify;"},
	atom.H3:         {"h3", "margin:1.2em 0 .6em;font-size:18px;line-height:1.5;font-weight:bold;"},
	atom.Figure:     {"section", "margin:0 0 1em;text-align:center;"},
	atom.Figcaption: {"section", "font-size:14px;line-height:1.6;color:#888;text-align:center;"},
	atom.Blockquote: {"blockquote", "margin:0 0 1em;padding-left:1em;border-left:3px solid #ddd;color:#555;"},
	atom.Ul:         {"ul", "margin:0 0 1em;padding-left:1.5em;font-size:17px;line-height:1.8;"},
	atom.Ol:         {"ol", "margin:0 0 1em;padding-left:1.5em;font-size:17px;line-height:1.8;"},
	atom.Li:         {"li", ""},
	atom.Table:      {"table", "width:100%;margin:0 0 1em;border-collapse:collapse;font-size:15px;line-height:1.6;"},
	atom.Tr:         {"tr", ""},
	atom.Td:         {"td", "border:1px solid #ddd;padding:4px 8px;"},
	atom.Th:         {"th", "border:1px solid #ddd;padding:4px 8px;"},
	atom.Strong:     {"strong", ""},
	atom.B:          {"strong", ""},
	atom.Em:         {"em", ""},
	atom.I:          {"em", ""},
}

const wechatPicture = "display:block;max-width:100%;height:auto;margin:0 auto;"

// wechatContent is the article within the limits of a draft. What is longer, or
// may not be shown whole, ends with a line that says where the rest is.
func (e *entry) wechatContent(source string) string {
	more := "全文请点文末“阅读原文”"
	if !chinese(e.tongue) {
		more = "The whole article is behind the link below"
	}
	if source != "" {
		more += " " + source // in words, because an address cannot be followed in an article
	}
	var tail wechatBody
	tail.paragraph(more)

	c := wechatBody{limit: wechatContent, tail: tail.used}
	root := e.tree()
	shown := map[string]bool{}
	for n := range root.Descendants() {
		if n.DataAtom == atom.Img {
			shown[uri(attribute(n, "src"))] = true
		}
	}
	if e.full {
		c.paragraph(e.Kicker)
		if e.Subtitle != "" {
			c.open(atom.P, "")
			c.open(atom.Strong, "")
			c.text(e.Subtitle)
			c.close()
			c.close()
		}
	}
	for _, img := range e.images {
		if shown[img.URL] {
			continue
		}
		c.open(atom.Figure, "")
		c.picture(img.URL, img.Caption)
		if words := legend(img, e.tongue); words != "" {
			c.open(atom.Figcaption, "")
			c.text(words)
			c.close()
		}
		c.close()
	}
	c.children(root, true, 0)
	if !c.said && !c.over {
		c = wechatBody{limit: c.limit, tail: c.tail} // elements around nothing
	}
	if !c.said || !e.full {
		c.paragraph(e.description)
	}
	if e.full && !c.over {
		return c.b.String()
	}
	return c.cut() + tail.b.String()
}

// tree is the body as a browser reads it, so that whatever it holds nests; where
// none would (more than 512 levels), it is the plain text.
func (e *entry) tree() *xhtml.Node {
	root := &xhtml.Node{Type: xhtml.ElementNode, DataAtom: atom.Body, Data: "body"}
	if !e.full {
		return root
	}
	nodes, err := xhtml.ParseFragment(strings.NewReader(clean(e.HTML)), root)
	if err != nil {
		nodes = nil
		for words := range strings.SplitSeq(e.Text, "\n") {
			p := &xhtml.Node{Type: xhtml.ElementNode, DataAtom: atom.P, Data: "p"}
			p.AppendChild(&xhtml.Node{Type: xhtml.TextNode, Data: words})
			nodes = append(nodes, p)
		}
	}
	for _, n := range nodes {
		root.AppendChild(n)
	}
	return root
}

func attribute(n *xhtml.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key && a.Namespace == "" {
			return a.Val
		}
	}
	return ""
}

// wechatBody builds a body within a limit (none where it is 0). It remembers the
// last place at which it could end: after a whole sentence or block, with room to
// close what is open and for the line about the rest.
type wechatBody struct {
	b       strings.Builder
	limit   int      // characters in all
	tail    int      // characters of the line about the rest
	used    int      // characters written
	closing int      // characters that closing what is open takes
	stack   []string // what is open
	said    bool     // there is a word or a picture in it
	over    bool     // more than the limit was to be written; nothing is any more

	end   int      // where it could end
	atEnd []string // what is open there
	hard  string   // the whole body cut within a sentence, where it begins with one that is too long
}

func (c *wechatBody) write(s string) {
	n := units(s)
	if c.limit > 0 && c.used+n+c.closing > c.limit {
		c.over = true
	}
	if !c.over {
		c.b.WriteString(s)
		c.used += n
	}
}

// room is how many characters more there may be if the body ends then.
func (c *wechatBody) room() int { return c.limit - c.used - c.closing - c.tail }

// mark remembers that the body could end here.
func (c *wechatBody) mark() {
	if !c.over && c.room() >= 0 {
		c.end = c.b.Len()
		c.atEnd = append(c.atEnd[:0], c.stack...)
	}
}

func (c *wechatBody) open(a atom.Atom, attributes string) {
	s := wechatStyles[a]
	c.stack = append(c.stack, s.name)
	c.closing += len("</>") + len(s.name)
	if s.style != "" {
		attributes += ` style="` + s.style + `"`
	}
	c.write("<" + s.name + attributes + ">")
}

func (c *wechatBody) close() {
	name := c.stack[len(c.stack)-1]
	c.stack = c.stack[:len(c.stack)-1]
	c.closing -= len("</>") + len(name)
	c.write("</" + name + ">")
	if name != "strong" && name != "em" {
		c.mark()
	}
}

func (c *wechatBody) paragraph(words string) {
	if words != "" {
		c.open(atom.P, "")
		c.text(words)
		c.close()
	}
}

func (c *wechatBody) picture(src, caption string) {
	if src != "" {
		c.said = true
		c.write(`<img src="` + html.EscapeString(src) + `" alt="` + html.EscapeString(caption) + `" style="` + wechatPicture + `">`)
	}
}

// text writes words, sentence by sentence, because the body can end after each.
func (c *wechatBody) text(s string) {
	c.said = c.said || strings.TrimSpace(s) != ""
	for s != "" && !c.over {
		n, whole := sentence(s)
		words := html.EscapeString(s[:n])
		if c.end == 0 && c.hard == "" && c.limit > 0 && c.room() > 0 && units(words) > c.room() {
			c.hard = c.b.String() + clip(s[:n], c.room()-1) + "…" + closed(c.stack)
		}
		c.write(words)
		if whole {
			c.mark()
		}
		s = s[n:]
	}
}

// sentence is how many bytes of s its first sentence takes, with the quotes and
// brackets that close after it, and whether it ends there at all.
func sentence(s string) (n int, whole bool) {
	for i, r := range s {
		end := i + utf8.RuneLen(r)
		if sentenceEnd(r) || r == '.' && strings.HasPrefix(s[end:], " ") {
			return len(s) - len(strings.TrimLeft(s[end:], "。！？!?… ”’」』）)\"")), true
		}
	}
	return len(s), strings.HasSuffix(s, ".")
}

// clip escapes as much of a text as fits into so many characters.
func clip(s string, room int) string {
	var b strings.Builder
	for _, r := range s {
		c := html.EscapeString(string(r))
		if room -= units(c); room < 0 {
			break
		}
		b.WriteString(c)
	}
	return strings.TrimRight(b.String(), " \u200d\ufe0f")
}

// closed are the end tags of what is open.
func closed(stack []string) string {
	var b strings.Builder
	for _, name := range slices.Backward(stack) {
		b.WriteString("</" + name + ">")
	}
	return b.String()
}

// cut is the body up to where it can end.
func (c *wechatBody) cut() string {
	if c.end == 0 {
		return c.hard
	}
	return c.b.String()[:c.end] + closed(c.atEnd)
}

// wechatDepth is how deep what remains may nest; a newspaper does not nest deeper.
const wechatDepth = 24

// children writes what is below a node. At the top, where no block is around,
// words and what belongs to them get a paragraph.
func (c *wechatBody) children(n *xhtml.Node, top bool, depth int) {
	paragraph := false
	for k := n.FirstChild; k != nil && !c.over; k = k.NextSibling {
		if top {
			inline := k.Type == xhtml.TextNode && (paragraph || strings.TrimSpace(k.Data) != "") || k.Type == xhtml.ElementNode && wechatInline[k.DataAtom]
			if inline != paragraph && (inline || k.Type == xhtml.ElementNode) {
				if paragraph = inline; paragraph {
					c.open(atom.P, "")
				} else {
					c.close()
				}
			}
		}
		c.node(k, top && !paragraph, depth)
	}
	if paragraph {
		c.close()
	}
}

// wechatInline are the elements that stand among words.
var wechatInline = map[atom.Atom]bool{
	atom.A: true, atom.B: true, atom.Br: true, atom.Em: true, atom.I: true, atom.Span: true, atom.Strong: true, atom.Sub: true, atom.Sup: true, atom.U: true,
}

// node writes a node. What is no known element, or nests too deep, is its content
// only, and what never was words is nothing.
func (c *wechatBody) node(n *xhtml.Node, top bool, depth int) {
	if n.Type == xhtml.TextNode {
		switch n.Parent.DataAtom {
		case atom.Table, atom.Tbody, atom.Tr, atom.Ul, atom.Ol, atom.Figure, atom.Blockquote:
			if strings.TrimSpace(n.Data) == "" {
				return
			}
		}
		if !top {
			c.text(clean(n.Data))
		}
		return
	}
	if n.Type != xhtml.ElementNode || n.Namespace != "" {
		return
	}
	switch n.DataAtom {
	case atom.Script, atom.Style, atom.Template, atom.Noscript, atom.Iframe, atom.Object, atom.Textarea, atom.Title, atom.Select,
		atom.Noembed, atom.Noframes, atom.Xmp, atom.Plaintext:
		return
	case atom.Br:
		c.write("<br>")
		return
	case atom.Img:
		c.picture(uri(attribute(n, "src")), line(attribute(n, "alt")))
		return
	}
	if _, known := wechatStyles[n.DataAtom]; !known || depth >= wechatDepth {
		c.children(n, top, depth)
		return
	}
	if n.FirstChild == nil && n.DataAtom != atom.Td && n.DataAtom != atom.Th {
		return
	}
	attributes := ""
	for _, key := range []string{"colspan", "rowspan"} {
		if v, err := strconv.Atoi(attribute(n, key)); err == nil && v > 1 && v <= 100 {
			attributes += ` ` + key + `="` + strconv.Itoa(v) + `"`
		}
	}
	c.open(n.DataAtom, attributes)
	c.children(n, false, depth+1)
	c.close()
}
