package sources

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// titleSelectors name the cells of headline, kicker and subtitle by skin.
var titleSelectors = titleCells([][3]string{
	{"#Title, #title, #articleTitle", "#PreTitle, #pretitle, #preTitle, #introTitle", "#SubTitle, #subtitle, #subTitle"},
	{"founder-title", "founder-introtitle", "founder-subtitle"},
	{".main-title, .maintitle, .mainTitle", ".pre-title, .pretitle, .preTitle, .introtitle, .intro-title, .yinti, .jianti", ".sub-title, .subtitle, .subTitle, .futi"},
	{".article-title, .articleTitle, .article_title, .news-title, .newstitle, .news_title", ".pre-title, .pretitle, .introtitle, .yinti", ".sub-title, .subtitle, .futi"},
	{"[itemprop=headline]", "[itemprop=alternativeHeadline]", ""},
})

// titleCells compiles selectors of headline, kicker and subtitle.
func titleCells(list [][3]string) (all [][3]cascadia.Selector) {
	for _, t := range list {
		var row [3]cascadia.Selector
		for i, sel := range t {
			if sel != "" {
				row[i] = cascadia.MustCompile(sel)
			}
		}
		all = append(all, row)
	}
	return all
}

// titles fills kicker, headline and subtitle: from the metadata, else from the
// cells of the skin, else from the entry that the page's own title list has for
// it, else from the document's title.
func titles(d *document, meta map[string]string, body *html.Node, a *Printed) {
	a.Headline, a.Kicker, a.Subtitle = title(meta["title"]), collapse(meta["introtitle"]), collapse(meta["subtitle"])
	headline, kicker, subtitle := cells(d, body)
	if a.Headline == "" {
		a.Headline = headline
	}
	if a.Headline == "" {
		a.Headline = listedTitle(d)
	}
	if a.Headline == "" {
		a.Headline = documentTitle(d)
	}
	if len(meta) == 0 && kicker == "" && subtitle == "" && a.Headline != "" {
		headline = a.Headline
		kicker, subtitle = besideHeadline(d, body, a.Headline)
	}
	if sameText(a.Kicker, a.Headline) {
		a.Kicker = ""
	}
	if sameText(a.Subtitle, a.Headline) {
		a.Subtitle = ""
	}
	// The cells speak for what the metadata leaves empty, if they are about the
	// same headline and do not merely repeat it.
	if headline == "" || sameText(headline, a.Headline) || strings.Contains(a.Headline, headline) || strings.Contains(headline, a.Headline) {
		if a.Kicker == "" && !sameText(kicker, a.Headline) {
			a.Kicker = kicker
		}
		if a.Subtitle == "" && !sameText(subtitle, a.Headline) && !sameText(subtitle, a.Kicker) {
			a.Subtitle = subtitle
		}
	}
}

// besideHeadline finds the headline as printed before the body, in whatever
// element, and takes its neighbours for kicker and subtitle: the cells of the
// rows around it, or the elements beside it.
func besideHeadline(d *document, body *html.Node, headline string) (kicker, subtitle string) {
	var at *html.Node
	done := false
	walk(d.root, func(n *html.Node) bool {
		if n == body || done {
			done = true
			return false
		}
		if n.Type != html.ElementNode || n.DataAtom == atom.A || n.DataAtom == atom.Li || unseen(n) {
			return n.Type != html.ElementNode
		}
		if len(n.Data) > 0 && n.FirstChild != nil && sameText(rawText(n, 4*maxTitle, nil), headline) {
			at = n
		}
		return true
	})
	if at == nil {
		return "", ""
	}
	cell := func(row *html.Node) string {
		if row == nil || row.DataAtom != atom.Tr {
			return ""
		}
		for c := row.FirstChild; c != nil; c = c.NextSibling {
			if c.DataAtom == atom.Td {
				return titleParagraph(c)
			}
		}
		return ""
	}
	kicker, subtitle = titleParagraph(prevElement(at)), titleParagraph(nextElement(at))
	if row := closest(at, 5, func(n *html.Node) bool { return n.DataAtom == atom.Tr }); row != nil && sameText(text(row), headline) {
		if kicker == "" {
			kicker = cell(prevElement(row))
		}
		if subtitle == "" {
			subtitle = cell(nextElement(row))
		}
	}
	return kicker, subtitle
}

// sameText compares two texts without white space.
func sameText(a, b string) bool { return noSpace(a) == noSpace(b) }

func noSpace(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// maxTitle caps what is taken for a title, in characters.
const maxTitle = 200

func titleText(n *html.Node) string {
	s := title(text(n))
	if utf8.RuneCountInString(s) > maxTitle {
		return ""
	}
	return s
}

// cells reads the title cells of the known skins.
func cells(d *document, body *html.Node) (headline, kicker, subtitle string) {
	outside := func(n *html.Node) bool { return body == nil || !inside(n, body) || n == body }
	first := func(sel cascadia.Selector) string {
		if sel == nil {
			return ""
		}
		for _, n := range d.find(sel) {
			if outside(n) {
				if s := titleText(n); s != "" {
					return s
				}
			}
		}
		return ""
	}
	// Classic: cells .font02 kicker, .font01 headline, .font02 subtitle, a fourth
	// .font02 author; any may be empty.
	var before, after []string
	seen := false
	var main *html.Node
	for _, n := range d.find(cellSelector) {
		if !outside(n) {
			continue
		}
		switch {
		case hasClass(n, "font01") && main == nil:
			main, headline, seen = n, titleText(n), true
		case hasClass(n, "font02") && !seen:
			before = append(before, titleText(n))
		case hasClass(n, "font02"):
			after = append(after, titleText(n))
		}
	}
	if main != nil && headline != "" {
		if len(before) > 0 {
			kicker = before[len(before)-1]
		}
		if len(after) > 0 {
			subtitle = after[0]
		}
		return headline, kicker, subtitle
	}
	for _, t := range titleSelectors {
		if headline = first(t[0]); headline != "" && !siteLike(headline) {
			return headline, first(t[1]), first(t[2])
		}
	}
	if headline, kicker, subtitle = byNames(d, body); headline != "" {
		return headline, kicker, subtitle
	}
	// Headings before the body: the greatest is the headline, the neighbours
	// before and after it are kicker and subtitle (.article > h3 + h1 + h2).
	return headings(d, body)
}

// What skins call their title cells.
var (
	kickerName   = regexp.MustCompile(`(?i)^(?:.*[-_])?(?:pre|intro|up|lead|shoulder|top)[-_]?title$|yinti|jianti|kicker`)
	subtitleName = regexp.MustCompile(`(?i)^(?:.*[-_])?(?:sub|second|vice|deputy|down)[-_]?title$|futi|subhead`)
	headlineName = regexp.MustCompile(`(?i)^(?:.*[-_])?(?:main|article|art|news|content|detail|doc|text|big|h)?[-_]?title1?$|^zhuti$|^biaoti$|^bt1$|^headline$`)
)

// byNames reads title cells by the sense of their id or class, before the body.
func byNames(d *document, body *html.Node) (headline, kicker, subtitle string) {
	done := false
	walk(d.root, func(n *html.Node) bool {
		if n == body {
			done = true
		}
		if done || n.Type != html.ElementNode {
			return !done
		}
		if unseen(n) || n.DataAtom == atom.A || n.DataAtom == atom.Li || n.DataAtom == atom.Ul {
			return false
		}
		for _, name := range append(strings.Fields(attr(n, "class")), attr(n, "id")) {
			s := ""
			switch {
			case name == "":
				continue
			case kickerName.MatchString(name):
				if s = titleText(n); s != "" {
					kicker = s
				}
				return false
			case subtitleName.MatchString(name):
				if s = titleText(n); s != "" {
					subtitle = s
				}
				return false
			case headlineName.MatchString(name):
				s = titleText(n)
				if _, sure := readLabel(s); s == "" || sure == strongLabel || siteLike(s) || navText.MatchString(s) || utf8.RuneCountInString(s) < 2 || n.FirstChild != nil && holdsBlocks(n) {
					continue
				}
				headline, subtitle = s, ""
				return false
			}
		}
		return true
	})
	return headline, kicker, subtitle
}

// holdsBlocks reports whether an element is a container and no title cell.
func holdsBlocks(n *html.Node) bool {
	blocks := 0
	look(n, func(c *html.Node) bool {
		if isBlock(c) {
			blocks++
		}
		return blocks < 2
	})
	return blocks > 1
}

// headings reads the headings that stand nearest before the body.
func headings(d *document, body *html.Node) (headline, kicker, subtitle string) {
	type heading struct {
		n     *html.Node
		level int
		s     string
	}
	var list []heading
	done := false
	walk(d.root, func(n *html.Node) bool {
		if n == body {
			done = true
		}
		if done || n.Type != html.ElementNode || unseen(n) {
			return !done && n.Type != html.ElementNode
		}
		switch n.DataAtom {
		case atom.H1, atom.H2, atom.H3, atom.H4:
			s := titleText(n)
			if _, sure := readLabel(s); s != "" && sure != strongLabel && !siteLike(s) && !navText.MatchString(s) {
				list = append(list, heading{n, int(n.Data[1] - '0'), s})
			}
			return false
		}
		return true
	})
	if len(list) == 0 {
		return "", "", ""
	}
	best := len(list) - 1
	for i := len(list) - 1; i >= 0; i-- {
		// Headings of one title block share their parent.
		if list[i].n.Parent == list[best].n.Parent && list[i].level < list[best].level {
			best = i
		}
	}
	near := func(i int) string {
		if i < 0 || i >= len(list) || list[i].n.Parent != list[best].n.Parent {
			return ""
		}
		return list[i].s
	}
	headline, kicker, subtitle = list[best].s, near(best-1), near(best+1)
	// A lone heading may have its kicker and subtitle in paragraphs around it
	// (.newsdetatit: p, h3, p).
	if kicker == "" {
		kicker = titleParagraph(prevElement(list[best].n))
	}
	if subtitle == "" {
		subtitle = titleParagraph(nextElement(list[best].n))
	}
	return headline, kicker, subtitle
}

func prevElement(n *html.Node) *html.Node {
	for n = n.PrevSibling; n != nil && n.Type != html.ElementNode; n = n.PrevSibling {
	}
	return n
}

func nextElement(n *html.Node) *html.Node {
	for n = n.NextSibling; n != nil && n.Type != html.ElementNode; n = n.NextSibling {
	}
	return n
}

var noTitle = regexp.MustCompile(`[:：]|来源|作者|版次|记者|编辑|\d{4} ?[年\-/]|字号|分享|。$`)

// titleParagraph is a paragraph's text where it can be a kicker or subtitle.
func titleParagraph(n *html.Node) string {
	if n == nil || n.DataAtom != atom.P && n.DataAtom != atom.Div && n.DataAtom != atom.Span && n.DataAtom != atom.Td {
		return ""
	}
	s := titleText(n)
	if utf8.RuneCountInString(s) > 60 || noTitle.MatchString(s) || hasPicture(n) || bylineLine.MatchString(s) || navText.MatchString(s) {
		return ""
	}
	links := 0
	walk(n, func(c *html.Node) bool {
		if c.DataAtom == atom.A {
			links++
		}
		return true
	})
	if links > 0 {
		return ""
	}
	return s
}

// listedTitle is the title under which the page's own list has this article.
func listedTitle(d *document) string {
	key := identity(canonical(d.url))
	for _, a := range anchorsOf(d) {
		if a.key == key && a.sh.kind == articlePage {
			if s := title(anchorText(a)); s != "" && !navText.MatchString(s) {
				return s
			}
		}
	}
	return ""
}

var siteName = regexp.MustCompile(`数字报|电子报|数字版|电子版|多媒体|新闻网|平台|网站|首页|epaper|ePaper|^[\p{Han}]{2,8}(?:日报|晚报|时报|晨报|商报|都市报|周报|早报|青年报|导报)(?:社)?$`)

func siteLike(s string) bool { return siteName.MatchString(s) && utf8.RuneCountInString(s) < 30 }

// documentTitle is the document's title without the names of paper and site.
func documentTitle(d *document) string {
	t := collapse(d.seen.title)
	parts := titleDash.Split(t, -1)
	for _, part := range parts {
		part = strings.TrimSpace(part)
		if _, sure := readLabel(part); part != "" && !siteLike(part) && sure != strongLabel && !dateOnly.MatchString(part) {
			return title(part)
		}
	}
	return ""
}

var (
	titleDash = regexp.MustCompile(`\s*[_|｜]+\s*|\s+[-—–]+\s+|-+`)
	dateOnly  = regexp.MustCompile(`^\d{4}\s*[年\-/.]?\s*\d{1,2}\s*[月\-/.]?\s*\d{1,2}\s*日?$`)
)
