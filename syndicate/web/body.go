package web

import (
	"html/template"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"paperwire/internal/paper"
)

// kept are the elements that the stylesheet sets, with the attributes they may
// carry here. The body was sanitised when it came in; this only fits it to the
// page (every heading an h3, no publisher's widths) and, where that gate ever
// failed, would still let nothing run.
var kept = map[atom.Atom][]string{
	atom.P: nil, atom.Br: nil, atom.Hr: nil, atom.H3: nil,
	atom.Strong: nil, atom.B: nil, atom.Em: nil, atom.I: nil, atom.U: nil, atom.S: nil, atom.Small: nil, atom.Mark: nil,
	atom.Sub: nil, atom.Sup: nil, atom.Del: nil, atom.Ins: nil, atom.Q: nil, atom.Cite: nil, atom.Code: nil, atom.Pre: nil,
	atom.Ruby: nil, atom.Rt: nil, atom.Rp: nil, atom.Blockquote: nil, atom.Span: nil, atom.Div: nil,
	atom.Ul: nil, atom.Ol: {"start"}, atom.Li: nil, atom.Dl: nil, atom.Dt: nil, atom.Dd: nil,
	atom.Table: nil, atom.Caption: nil, atom.Thead: nil, atom.Tbody: nil, atom.Tfoot: nil, atom.Tr: nil,
	atom.Th: {"colspan", "rowspan", "scope"}, atom.Td: {"colspan", "rowspan"},
	atom.Figure: nil, atom.Figcaption: nil, atom.A: {"href", "title"}, atom.Img: {"src", "alt", "width", "height"},
}

// dropped are the elements that go with everything in them.
var dropped = []atom.Atom{
	atom.Script, atom.Style, atom.Iframe, atom.Frame, atom.Frameset, atom.Noframes, atom.Object, atom.Embed, atom.Applet, atom.Form,
	atom.Input, atom.Button, atom.Select, atom.Textarea, atom.Template, atom.Noscript, atom.Svg, atom.Math, atom.Head, atom.Title,
	atom.Meta, atom.Link, atom.Base, atom.Video, atom.Audio, atom.Canvas,
}

// setBody fits the body of an article to the page, and tells which pictures it
// holds; wide says how each is shown. A body without HTML is set from its text.
func setBody(it paper.Item, wide func(src string, width, height int) picture) (template.HTML, map[string]bool) {
	inText := make(map[string]bool)
	root := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := html.ParseFragment(strings.NewReader(it.HTML), root)
	if err != nil || len(nodes) == 0 {
		var b strings.Builder
		for line := range strings.SplitSeq(it.Text, "\n") {
			if line = strings.TrimSpace(line); line != "" {
				b.WriteString("<p>" + template.HTMLEscapeString(line) + "</p>\n")
			}
		}
		return template.HTML(b.String()), inText
	}
	for _, n := range nodes {
		root.AppendChild(n)
	}
	fit(root, it, wide, inText)
	var b strings.Builder
	for n := root.FirstChild; n != nil; n = n.NextSibling {
		if html.Render(&b, n) != nil {
			return "", inText
		}
	}
	return template.HTML(b.String()), inText
}

// fit walks the children of a node; the parser caps their depth.
func fit(parent *html.Node, it paper.Item, wide func(string, int, int) picture, inText map[string]bool) {
	for n := parent.FirstChild; n != nil; {
		next := n.NextSibling
		switch n.DataAtom {
		case atom.H1, atom.H2, atom.H4, atom.H5, atom.H6:
			n.DataAtom, n.Data = atom.H3, "h3" // h1 is the headline, h2 the page's own
		}
		attributes, keep := kept[n.DataAtom]
		switch {
		case n.Type == html.TextNode:
		case n.Type != html.ElementNode || n.Namespace != "" || slices.Contains(dropped, n.DataAtom):
			parent.RemoveChild(n)
		case !keep:
			// An element we do not know: its children take its place and are
			// looked at next.
			first := n.FirstChild
			for c := n.FirstChild; c != nil; c = n.FirstChild {
				n.RemoveChild(c)
				parent.InsertBefore(c, n)
			}
			parent.RemoveChild(n)
			if first != nil {
				next = first
			}
		default:
			n.Attr = slices.DeleteFunc(n.Attr, func(a html.Attribute) bool {
				return a.Namespace != "" || a.Key != "lang" && a.Key != "dir" && !slices.Contains(attributes, a.Key)
			})
			if n.DataAtom == atom.A {
				fitLink(n)
			}
			if n.DataAtom == atom.Img && !fitPicture(n, it, wide, inText) {
				parent.RemoveChild(n)
				break
			}
			fit(n, it, wide, inText)
		}
		n = next
	}
}

func fitLink(n *html.Node) {
	href := attribute(n, "href")
	if !strings.HasPrefix(strings.ToLower(href), "mailto:") {
		href = webURL(href)
	}
	n.Attr = slices.DeleteFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "href" })
	if href != "" {
		n.Attr = append(n.Attr, html.Attribute{Key: "href", Val: href}, html.Attribute{Key: "rel", Val: "nofollow noopener"})
	}
}

// fitPicture gives a picture its size, where the article knows it, so that the
// text does not jump, and asks for it without naming us: many publishers refuse
// pictures to foreign pages. It reports whether the picture can be shown.
func fitPicture(n *html.Node, it paper.Item, wide func(string, int, int) picture, inText map[string]bool) bool {
	raw := attribute(n, "src")
	src := webURL(raw)
	if src == "" {
		return false
	}
	inText[raw], inText[src] = true, true
	width, height := number(attribute(n, "width")), number(attribute(n, "height"))
	for _, image := range it.Images {
		if image.URL == raw && image.Width > 0 && image.Height > 0 {
			width, height = image.Width, image.Height
		}
	}
	alt := attribute(n, "alt")
	p := wide(src, width, height)
	n.Attr = []html.Attribute{{Key: "src", Val: p.URL}}
	if p.Set != "" {
		n.Attr = append(n.Attr, html.Attribute{Key: "srcset", Val: p.Set}, html.Attribute{Key: "sizes", Val: p.Sizes})
	}
	n.Attr = append(n.Attr, html.Attribute{Key: "alt", Val: alt})
	if width > 0 && height > 0 {
		n.Attr = append(n.Attr, html.Attribute{Key: "width", Val: strconv.Itoa(width)}, html.Attribute{Key: "height", Val: strconv.Itoa(height)})
	}
	n.Attr = append(n.Attr, html.Attribute{Key: "loading", Val: "lazy"}, html.Attribute{Key: "referrerpolicy", Val: "no-referrer"})
	return true
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// number reads a size in pixels; 0 for anything else, such as 100%.
func number(s string) int {
	n, err := strconv.Atoi(strings.TrimSuffix(s, "px"))
	if err != nil || n < 1 || n > 20000 {
		return 0
	}
	return n
}

// figure is a picture that stands beside the text.
type figure struct {
	picture
	Alt, Caption, Credit string
}

// figures are the pictures that the body does not hold itself.
func (p *page) figures(it paper.Item, inText map[string]bool) []figure {
	var all []figure
	for _, image := range it.Images {
		src := webURL(image.URL)
		if src == "" || inText[src] || inText[image.URL] {
			continue
		}
		inText[src] = true // the same picture once
		f := figure{picture{URL: src}, image.Caption, image.Caption, image.Credit}
		if f.Alt == "" {
			f.Alt = p.plain("picture_of", it.Title())
		}
		if image.Width > 0 && image.Height > 0 {
			f.picture = p.site.inText(src, image.Width, image.Height)
		}
		all = append(all, f)
	}
	return all
}
