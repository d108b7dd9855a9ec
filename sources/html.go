package sources

import (
	"bytes"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/PuerkitoBio/goquery"
	"github.com/andybalholm/cascadia"

	"paperwire/internal/paper"
)

// maxHTML caps the bytes of a page that is parsed; real ones reach 200 KB.
const maxHTML = 4 << 20

// selection is goquery's, under a name of one word.
type selection = goquery.Selection

// document is one fetched document on its way through the readers.
type document struct {
	url         *url.URL // as fetched, after redirects
	base        *url.URL // what links resolve against: <base href> or url
	contentType string
	body        []byte            // UTF-8
	root        *html.Node        // nil where it is no HTML
	dom         *goquery.Document // of root
	seen        inventory
	anchors     []anchor // see anchorsOf
	headings    []anchor // page labels that stand as plain text
	collected   bool
	dir         string               // of base where it is plain, see resolve
	links       map[string]*link     // see link
	dirs        map[string]directory // see directory
	index       *index               // see readIndex
	indexed     bool
	rules       *ruleSet        // nil where the source has none
	picked      map[string]kind // links that the rules' selectors chose, by identity
	day         paper.Day       // that the page itself is of, for links without one
}

// openDocument parses a body where it is HTML. A page is parsed with scripting
// off, so that what stands in <noscript> is seen.
func openDocument(u *url.URL, contentType string, body []byte) *document {
	d := &document{url: u, base: u, contentType: contentType, body: bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))}
	if len(body) > maxHTML || !looksHTML(d.body, contentType) {
		return d
	}
	root, err := html.ParseWithOptions(bytes.NewReader(tame(d.body)), html.ParseOptionEnableScripting(false))
	if err != nil {
		// Deeper than 512: unclosed inline elements, of a word processor mostly,
		// can be spared.
		root, err = html.ParseWithOptions(bytes.NewReader(inlineTags.ReplaceAll(d.body, nil)), html.ParseOptionEnableScripting(false))
	}
	if err != nil {
		return d
	}
	d.root, d.dom = root, goquery.NewDocumentFromNode(root)
	d.takeStock()
	if d.seen.base != "" {
		if b := resolve(u, d.seen.base); b != nil {
			d.base = b
		}
	}
	d.dir = plainDir(d.base)
	return d
}

// inventory is what one walk notes of a document, so that its readers need not
// search the whole tree again and again.
type inventory struct {
	base     string       // href of the first <base>
	title    string       // text of the first <title>, as written
	marked   []*html.Node // elements with an id, a class or an itemprop, and those HTML does not know (founder-content)
	comments []*html.Node
}

// takeStock fills the inventory; to be done anew when nodes were taken out.
func (d *document) takeStock() {
	var v inventory
	based, titled := false, false
	walk(d.root, func(n *html.Node) bool {
		switch n.Type {
		case html.CommentNode:
			v.comments = append(v.comments, n)
		case html.ElementNode:
			mark := n.DataAtom == 0
			for i := range n.Attr {
				switch n.Attr[i].Key {
				case "id", "class", "itemprop":
					mark = true
				case "href":
					if n.DataAtom == atom.Base && !based {
						v.base, based = n.Attr[i].Val, true
					}
				}
			}
			if mark {
				v.marked = append(v.marked, n)
			}
			if n.DataAtom == atom.Title && !titled {
				v.title, titled = goquery.NewDocumentFromNode(n).Text(), true
			}
		}
		return true
	})
	d.seen = v
}

// find is every marked element that a selector of ids, classes, itemprops and
// the publishing system's own elements matches, in document order.
func (d *document) find(sel cascadia.Selector) []*html.Node {
	var list []*html.Node
	for _, n := range d.seen.marked {
		if sel.Match(n) {
			list = append(list, n)
		}
	}
	return list
}

var inlineTags = regexp.MustCompile(`(?i)</?(?:font|span|b|strong|i|em|u|o:p|st1:[a-z]+)(?:\s[^<>]*)?>`)

// severed tells why a page is only the beginning of one: the connection was lost
// or the announced length was too small, and nobody noticed. Many real pages close
// neither body nor html, so it asks for more: the end stands within a tag, within
// the metadata, or within a body that the publishing system would have closed.
func severed(d *document) string {
	if d.root == nil {
		return ""
	}
	tail := d.body[max(0, len(d.body)-maxTail):]
	if closing.Match(tail) {
		return ""
	}
	if i := bytes.LastIndexByte(tail, '<'); i > bytes.LastIndexByte(tail, '>') && i+1 < len(tail) {
		if c := tail[i+1]; (c == '/' || c == '!' || c|0x20 >= 'a' && c|0x20 <= 'z') && !closing.Match(append(tail[i:len(tail):len(tail)], '>')) {
			return "it ends within a tag"
		}
	}
	if i := bytes.LastIndex(d.body, []byte("<!--")); i >= 0 && !bytes.Contains(d.body[i:], []byte("-->")) && bytes.Contains(d.body[i:], []byte("enpproperty")) {
		return "it ends within its metadata"
	}
	low := bytes.ToLower(d.body)
	if i := bytes.Index(low, []byte("<founder-content")); i >= 0 && !bytes.Contains(low, []byte("</founder-content")) && !bytes.Contains(low, []byte("enpproperty")) && !closing.Match(low[i:]) {
		return "it ends within its body"
	}
	return ""
}

// maxTail is how far from its end a page may be closed: counters and metadata
// follow, in bytes.
const maxTail = 16 << 10

var closing = regexp.MustCompile(`(?i)</(?:html|body)\s*>`)

// looksHTML decides by the first bytes, because content types lie.
func looksHTML(body []byte, contentType string) bool {
	head := bytes.ToLower(bytes.TrimLeft(body[:min(len(body), 2048)], "\ufeff \t\r\n"))
	switch {
	case len(head) == 0, head[0] == '{', head[0] == '[', bytes.HasPrefix(head, []byte("%pdf")):
		return false
	case bytes.HasPrefix(head, []byte("<?xml")), bytes.HasPrefix(head, []byte("<rss")), bytes.HasPrefix(head, []byte("<feed")),
		bytes.HasPrefix(head, []byte("<periodlist")):
		return bytes.Contains(head, []byte("<html")) || bytes.Contains(head, []byte("<!doctype html"))
	}
	return strings.Contains(contentType, "html") || bytes.IndexByte(head, '<') >= 0
}

// walk visits every node below n in document order; visit says whether to go
// into the node. x/net/html caps the depth of a document at 512.
func walk(n *html.Node, visit func(*html.Node) bool) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if visit(c) {
			walk(c, visit)
		}
	}
}

// maxLook caps the nodes that a look around one link visits, so that a hostile
// page of many links costs no square.
const maxLook = 3000

// look visits nodes below n until visit says stop or maxLook are seen; it
// reports whether it saw them all.
func look(n *html.Node, visit func(*html.Node) bool) bool {
	left := maxLook
	var each func(*html.Node) bool
	each = func(n *html.Node) bool {
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if left--; left < 0 || !visit(c) || !each(c) {
				return false
			}
		}
		return true
	}
	return each(n)
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func setAttr(n *html.Node, key, val string) {
	for i := range n.Attr {
		if n.Attr[i].Key == key {
			n.Attr[i].Val = val
			return
		}
	}
	n.Attr = append(n.Attr, html.Attribute{Key: key, Val: val})
}

// hasClass reports whether an element has a class, whatever its case.
func hasClass(n *html.Node, class string) bool {
	for _, f := range strings.Fields(attr(n, "class")) {
		if strings.EqualFold(f, class) {
			return true
		}
	}
	return false
}

// unseen are elements whose text nobody reads.
func unseen(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Script, atom.Style, atom.Template, atom.Select, atom.Textarea, atom.Head, atom.Iframe:
		return true
	}
	return false
}

// rawText is the text below a node with a space for each <br> and between
// blocks, up to limit bytes.
func rawText(n *html.Node, limit int, skip func(*html.Node) bool) string {
	var b strings.Builder
	var add func(*html.Node)
	nodes := 0 // as many as bytes, and some: nested empty elements cost as well
	add = func(n *html.Node) {
		for c := n.FirstChild; c != nil && b.Len() <= limit && nodes <= limit+maxLook; c = c.NextSibling {
			nodes++
			switch c.Type {
			case html.TextNode:
				b.WriteString(strings.ToValidUTF8(c.Data[:min(len(c.Data), limit+4)], ""))
			case html.ElementNode:
				if unseen(c) || skip != nil && skip(c) {
					continue
				}
				if c.DataAtom == atom.Br || isBlock(c) {
					b.WriteByte(' ')
				}
				add(c)
				if isBlock(c) {
					b.WriteByte(' ')
				}
			}
		}
	}
	if n.Type == html.TextNode {
		return n.Data
	}
	if c := n.FirstChild; c != nil && c.NextSibling == nil && c.Type == html.TextNode && len(c.Data) <= limit {
		return strings.ToValidUTF8(c.Data, "") // as mostly
	}
	add(n)
	return b.String()
}

func isBlock(n *html.Node) bool {
	switch n.DataAtom {
	case atom.P, atom.Div, atom.Td, atom.Th, atom.Tr, atom.Table, atom.Tbody, atom.Li, atom.Ul, atom.Ol, atom.Dl, atom.Dt, atom.Dd,
		atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Figure,
		atom.Figcaption, atom.Center, atom.Blockquote, atom.Hr, atom.Form:
		return true
	}
	return false
}

// collapse makes every run of white space one space. The ideographic space of
// a title (标题　副题) counts; zero-width characters go.
func collapse(s string) string {
	if tidy(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for _, r := range s {
		if unicode.IsSpace(r) {
			space = b.Len() > 0
			continue
		}
		if r == '\u200b' || r == '\ufeff' || r == 0 {
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// tidy reports whether there is nothing to collapse, as mostly.
func tidy(s string) bool {
	space := true
	for _, r := range s {
		switch {
		case r == ' ' && !space:
			space = true
		case unicode.IsSpace(r), r == '\u200b', r == '\ufeff', r == 0, r == utf8.RuneError:
			return false
		default:
			space = false
		}
	}
	return !space || s == ""
}

// text is the collapsed text of a node.
func text(n *html.Node) string { return collapse(rawText(n, 1<<20, nil)) }

// plain is the collapsed text of a fragment of HTML.
func plain(fragment string) string {
	if !strings.ContainsAny(fragment, "<&") {
		return collapse(fragment)
	}
	nodes, err := html.ParseFragment(bytes.NewReader(tame([]byte(fragment))), &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div})
	if err != nil {
		return collapse(fragment)
	}
	var b strings.Builder
	for _, n := range nodes {
		if n.Type == html.ElementNode && unseen(n) {
			continue
		}
		if n.DataAtom == atom.Br || isBlock(n) {
			b.WriteByte(' ')
		}
		b.WriteString(rawText(n, 1<<20, nil))
	}
	return collapse(b.String())
}

// closest is the nearest ancestor (n itself not) for which ok holds, within so
// many steps.
func closest(n *html.Node, steps int, ok func(*html.Node) bool) *html.Node {
	for p := n.Parent; p != nil && steps > 0; p, steps = p.Parent, steps-1 {
		if p.Type == html.ElementNode && ok(p) {
			return p
		}
	}
	return nil
}

// inside reports whether n is below (or is) an ancestor.
func inside(n, ancestor *html.Node) bool {
	for ; n != nil; n = n.Parent {
		if n == ancestor {
			return true
		}
	}
	return false
}

// links whose values must become absolute in a body.
var linkAttrs = map[string]bool{"href": true, "src": true, "poster": true, "data": true, "cite": true, "background": true, "longdesc": true}

// lazy attributes carry the picture that a script would put into src.
var lazyAttrs = []string{"data-src", "data-original", "data-lazy-src", "data-url", "original", "_src"}

// innerHTML renders the children of a node as a body: scripts, styles, form
// controls, comments and markers of the publishing system go, links become absolute.
func innerHTML(n *html.Node, base *url.URL) string {
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		tidyBody(c, base, true)
		c = next
	}
	size := 0 // about
	walk(n, func(c *html.Node) bool {
		if size += len(c.Data); c.Type == html.ElementNode {
			size += len(c.Data) + len("<></>")
		}
		for i := range c.Attr {
			size += len(c.Attr[i].Key) + len(c.Attr[i].Val) + len(` =""`)
		}
		return true
	})
	var b strings.Builder
	b.Grow(size + size/64)
	renderInner(&b, n)
	return strings.TrimFunc(b.String(), unicode.IsSpace)
}

// renderInner writes the children of a node; a marker element of the publishing
// system stands for nothing but its own children.
func renderInner(b *strings.Builder, n *html.Node) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if marker(c) {
			renderInner(b, c)
		} else if err := html.Render(b, c); err != nil {
			return
		}
	}
}

func marker(n *html.Node) bool {
	return n.Type == html.ElementNode && (strings.HasPrefix(n.Data, "founder-") || strings.Contains(n.Data, ":"))
}

// tidyBody does one subtree of a body; it may take n out of the tree. top tells
// that nothing but markers stands between n and the body.
func tidyBody(n *html.Node, base *url.URL, top bool) {
	switch n.Type {
	case html.CommentNode, html.DoctypeNode:
		n.Parent.RemoveChild(n)
		return
	case html.ElementNode:
	default:
		return
	}
	switch n.DataAtom {
	case atom.Script, atom.Style, atom.Link, atom.Meta, atom.Title, atom.Base, atom.Input, atom.Button, atom.Select, atom.Textarea, atom.Noscript, atom.Template:
		n.Parent.RemoveChild(n)
		return
	}
	if n.DataAtom == atom.Img {
		for _, key := range lazyAttrs {
			if v := attr(n, key); v != "" && !strings.HasPrefix(v, "data:") {
				setAttr(n, "src", v)
				break
			}
		}
		if v := attr(n, "src"); v != "" {
			setAttr(n, "src", fullSize(v))
		}
	}
	for i, a := range n.Attr {
		if linkAttrs[a.Key] && a.Val != "" && !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(strings.ToLower(a.Val), "data:") {
			if u := resolve(base, a.Val); u != nil {
				n.Attr[i].Val = u.String()
			}
		}
	}
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		tidyBody(c, base, top && marker(n))
		c = next
	}
	if marker(n) && !top {
		n.Data, n.DataAtom, n.Attr = "span", atom.Span, nil // within other elements it marks a run of text
	}
}

// A formatting element that is never closed is built again in every later paragraph:
// 100 KB of <b a=1><b a=2>…<p>x<p>x… are ten million elements.
const (
	maxRebuilt = 4_000_000 // open formatting elements × elements
	maxNesting = 512       // the parser's own limit
)

// tame is a document as it is; without its inline elements where the parser would
// build too many; nothing where it still would. Of <a> the parser has one open.
func tame(body []byte) []byte {
	if !rebuilds(string(body), maxRebuilt) {
		return body
	}
	if body = formattingTags.ReplaceAll(body, nil); rebuilds(string(body), maxRebuilt) {
		return nil
	}
	return body
}

var formattingTags = regexp.MustCompile(`(?i)</?(?:b|big|code|em|font|i|nobr|s|small|span|strike|strong|tt|u)(?:\s[^<>]*)?>`)

// formatting are the elements that the parser opens again (HTML §13.2.4.3).
var formatting = map[atom.Atom]bool{
	atom.B: true, atom.Big: true, atom.Code: true, atom.Em: true, atom.Font: true, atom.I: true,
	atom.Nobr: true, atom.S: true, atom.Small: true, atom.Strike: true, atom.Strong: true, atom.Tt: true, atom.U: true,
}

// rebuilds is Rebuilds. What it counts as open is never less than what the parser has open.
func rebuilds(src string, limit int) bool {
	tags := strings.Count(src, "<")
	if tags*maxNesting <= limit {
		return false // every real article
	}
	open := map[atom.Atom]int{} // since the last boundary
	now, most, opaque := 0, 0, false
	z := html.NewTokenizer(strings.NewReader(src))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			return min(most, maxNesting)*tags > limit
		}
		if kind == html.TextToken || kind == html.CommentToken || kind == html.DoctypeToken {
			continue
		}
		name, _ := z.TagName()
		switch a := atom.Lookup(name); {
		case formatting[a] && kind == html.EndTagToken:
			if open[a] > 0 && !opaque {
				open[a]--
				now--
			}
		case formatting[a]:
			open[a]++
			now++
			most = max(most, now)
		case a == atom.Table || a == atom.Td || a == atom.Th || a == atom.Caption:
			clear(open) // no end tag reaches beyond it
		case foreign[a]:
			opaque = true // what stands in it may be no end tag to the parser
		}
	}
}

// foreign are the elements in which a tag may not be a tag.
var foreign = map[atom.Atom]bool{
	atom.Select: true, atom.Textarea: true, atom.Title: true, atom.Xmp: true, atom.Iframe: true, atom.Noembed: true, atom.Noframes: true,
	atom.Noscript: true, atom.Plaintext: true, atom.Script: true, atom.Style: true, atom.Svg: true, atom.Math: true, atom.Template: true,
	atom.Object: true, atom.Applet: true, atom.Marquee: true, atom.Frameset: true,
}
