package sources

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"paperwire/internal/paper"
)

// Platform paperindex reads editions whose entry is PaperIndex.htm: pages
// Page01BC.htm, articles Articel01002MT.htm (spelt so). Number and place are in
// the names; one page often lists the whole edition, and sometimes holds every
// body of it.
func init() {
	register(platform{
		info: Info{
			Name:   "paperindex",
			About:  "PaperIndex digital newspapers, any skin, with bodies embedded or not",
			Shapes: []string{"content/PaperIndex.htm", "content/20241011/IssueIndex.htm", "content/20241011/Page01BC.htm", "content/20241011/Articel01002MT.htm"},
		},
		sniff: sniffEdition("paperindex"),
		find:  findEdition("paperindex"),
		read:  readEdition,
		parse: parseEdition("paperindex"),
	})
}

// numbered gives every article the page whose number its name has.
func (p *index) numbered(all []anchor, g group) {
	keys := map[string]string{} // bare page number → key
	for _, q := range p.Pages {
		if k := bareNumber(q.Number); keys[k] == "" {
			keys[k] = identity(q.URL)
		}
	}
	if p.Page.Number != "" && p.Page.URL != "" {
		keys[bareNumber(p.Page.Number)] = identity(p.Page.URL)
	}
	for _, a := range all {
		if a.sh.kind == articlePage && a.sh.day == g.day {
			if k := keys[bareNumber(a.sh.number)]; k != "" {
				p.other[a.key] = k
			}
		}
	}
}

var overlayPart = regexp.MustCompile(`(?i)(?:^|;)\s*(width|height|left|top)\s*:\s*(-?\d{1,5})(?:\.\d+)?(?:px)?\s*`)

// overlay reads the place of a link that lies over the page's picture from its
// style, as an image map would have it.
func overlay(style string) (form, coords string) {
	if style == "" || len(style) > 1000 {
		return "", ""
	}
	at := map[string]int{}
	for _, m := range overlayPart.FindAllStringSubmatch(style, 8) {
		n, _ := strconv.Atoi(m[2])
		at[strings.ToLower(m[1])] = n
	}
	if at["width"] <= 0 || at["height"] <= 0 {
		return "", ""
	}
	return "rect", fmt.Sprintf("%d,%d,%d,%d", at["left"], at["top"], at["left"]+at["width"], at["top"]+at["height"])
}

// maxEmbedded caps the bodies read out of one page, and what each may be long.
const (
	maxEmbedded     = 1000
	maxEmbeddedBody = 256 << 10
)

var pagePicture = regexp.MustCompile(`(?i)(?:^|/)page0*([a-z]{0,2}\d{1,4})[^/]*\.(?:jpe?g|png|gif)$`)

// embedded reads what a page of the form holds beside its links: the pictures
// of several pages side by side, and the bodies of the edition.
func (p *index) embedded(d *document) {
	own := bareNumber(p.Page.Number)
	pictures := map[string]string{}
	areas := map[string][]Area{} // by bare page number
	var bodies []*html.Node
	fields := map[string]string{} // the mark that joins link and body → article's key
	walk(d.root, func(n *html.Node) bool {
		switch {
		case n.Type != html.ElementNode:
		case n.DataAtom == atom.Img && attr(n, "usemap") != "":
			if u := resolve(d.base, attr(n, "src")); u != nil {
				if m := pagePicture.FindStringSubmatch(u.Path); m != nil && pictures[bareNumber(m[1])] == "" {
					pictures[bareNumber(m[1])] = u.String()
				}
			}
		case n.DataAtom == atom.Div && hasClass(n, "neirong") && len(bodies) < maxEmbedded:
			bodies = append(bodies, n)
			return false
		}
		return true
	})
	if u := pictures[own]; u != "" {
		p.Page.Picture = u
	}
	for _, a := range anchorsOf(d) {
		if a.sh.kind != articlePage || a.sh.day != p.Day {
			continue
		}
		if f := attr(a.n, "field"); f != "" {
			fields[f] = a.key
		}
		if n := bareNumber(a.sh.number); a.area && len(areas[n]) < maxArticles {
			areas[n] = append(areas[n], areaOf(a))
		}
	}
	refs := map[string]int{} // article's key → its place in Refs
	byNumber := map[string][]int{}
	for i, r := range p.Refs {
		refs[identity(r.URL)] = i
		if u, err := url.Parse(r.URL); err == nil {
			sh, _ := d.shapeOf(u)
			byNumber[bareNumber(sh.number)] = append(byNumber[bareNumber(sh.number)], i)
		}
	}
	read := map[string]bool{} // pages of which a body stands here
	taken := map[int]bool{}   // articles whose text was seen, be it empty
	for _, n := range bodies {
		number := bareNumber(strings.TrimSpace(attr(n, "daoxiang")))
		at := -1
		for _, f := range append(strings.Fields(attr(n, "class")), attr(n, "alt")) {
			if k := fields[f]; k != "" {
				if i, ok := refs[k]; ok {
					at = i
				}
			}
		}
		lines := embeddedLines(n, d.base)
		if at < 0 {
			// No mark: the article of that page whose title stands in it.
			for _, i := range byNumber[number] {
				if !taken[i] && titleLine(lines, p.Refs[i].Title) >= 0 {
					at = i
					break
				}
			}
		}
		if at < 0 || taken[at] {
			continue
		}
		taken[at] = true
		r := &p.Refs[at]
		if a := embeddedArticle(lines, *r, p.Day); a != nil {
			r.Printed = a
			// What is embedded is meant to be read aloud: pictures, and often kicker
			// and author, stand on the article's own page only.
			r.Sketch = true
		}
		read[number] = true
	}
	if len(read) < 2 {
		return
	}
	// What the document holds of the other pages needs no request.
	for _, q := range p.Pages {
		n := bareNumber(q.Number)
		if n == own || !read[n] || pictures[n] == "" {
			continue
		}
		x := &index{platform: p.platform, mapped: map[string]bool{}, other: map[string]string{}, dated: true}
		x.Paper, x.Day, x.Page = p.Paper, p.Day, Page{PageRef: q.PageRef, URL: q.URL, PDF: q.PDF, Picture: pictures[n], Areas: areas[n]}
		for _, r := range p.Refs {
			if r.Page == q.PageRef {
				x.Refs = append(x.Refs, r)
			}
		}
		p.whole = append(p.whole, x)
	}
}

// embeddedLines are the lines of an embedded article's source: kicker, headline,
// subtitle and body stand in one each, the first and third often empty.
func embeddedLines(n *html.Node, base *url.URL) []string {
	s := innerHTML(n, base)
	if len(s) > maxEmbeddedBody {
		return nil
	}
	lines := strings.Split(strings.ReplaceAll(s, "\r", ""), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimSpace(l)
	}
	return lines
}

// titleLine is the line that is the title; -1 where none is.
func titleLine(lines []string, title string) int {
	if title == "" {
		return -1
	}
	return slices.IndexFunc(lines[:min(len(lines), 12)], func(l string) bool {
		return len(l) < 8*maxTitle && sameText(plain(l), title)
	})
}

var leadingByline = regexp.MustCompile(`^(?:<[^>]*>)*[□■●◆]`)

// embeddedArticle makes an article of the lines; nil where it has no body.
func embeddedArticle(lines []string, r Ref, day paper.Day) *Printed {
	a := &Printed{URL: r.URL, Day: day, Page: r.Page, Headline: r.Title}
	h := titleLine(lines, r.Title)
	if h < 0 {
		return nil
	}
	a.Headline = plain(lines[h])
	for _, l := range lines[:h] {
		if s := plain(l); s != "" && utf8.RuneCountInString(s) <= maxTitle {
			a.Kicker = strings.TrimSpace(a.Kicker + " " + s)
		}
	}
	rest := lines[h+1:]
	if len(rest) > 1 && rest[0] != "" && slices.ContainsFunc(rest[1:], func(s string) bool { return plain(s) != "" }) && utf8.RuneCountInString(plain(rest[0])) <= 120 {
		// ——副题<br>□作者（单位）, either alone
		for _, part := range lineBreak.Split(rest[0], -1) {
			switch s := plain(part); {
			case s == "":
			case leadingByline.MatchString(part) || bylineLine.MatchString(s):
				a.Author = strings.TrimSpace(a.Author + " " + s)
			default:
				a.Subtitle = strings.TrimSpace(a.Subtitle + " " + s)
			}
		}
		rest = rest[1:]
	}
	a.Body = strings.TrimSpace(strings.Join(rest, "\n"))
	if plain(a.Body) == "" && !strings.Contains(a.Body, "<img") {
		return nil
	}
	return a
}

var lineBreak = regexp.MustCompile(`(?i)<br\s*/?>`)
