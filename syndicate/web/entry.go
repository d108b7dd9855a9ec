package web

import (
	"html/template"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"paperwire/internal/paper"
)

// entry is one article in a list: what it takes to decide whether to read it.
type entry struct {
	Href                       string
	Lang                       string // of its text
	Kicker, Headline, Subtitle string
	First                      string // first sentence of the summary
	Thumb                      picture
	Paper                      string
	Page                       paper.PageRef
	Edition                    string // href of the page it stood on; empty for an item of a feed
	Day                        paper.Day
	Corrected                  bool
}

func (p *page) entry(it paper.Item) entry {
	e := entry{
		Href: p.href("/a/" + it.ID), Lang: p.langOf(it.Language, it.Headline),
		Kicker: it.Kicker, Headline: it.Title(), Subtitle: it.Subtitle, First: clipRunes(firstSentence(it.Summary), 80),
		Paper: it.PaperName, Page: it.Page, Day: it.Day,
		Corrected: it.Corrected() || slices.ContainsFunc(it.Related, func(r paper.Related) bool { return r.Relation == paper.CorrectedBy }),
	}
	if e.Headline == "" {
		e.Kicker, e.Headline = "", it.Title()
	}
	if e.Headline == "" {
		e.Headline = it.ID // a link without text cannot be followed by ear
	}
	if len(it.Images) > 0 {
		if src := webURL(it.Images[0].URL); src != "" {
			e.Thumb = p.site.thumb(src, it.Images[0].Width, it.Images[0].Height, 120, 90)
		}
	}
	if it.Page.Number != "" && it.Day != "" {
		e.Edition = p.href(editionPath(it.Paper, it.Day, it.Page.Number))
	}
	return e
}

// groups gathers a list under the days of its articles, in the list's order. A
// withdrawn article holds nothing to read and is left to the feeds.
func (p *page) groups(c catalog, items []paper.Item) []group {
	var all []group
	for _, it := range items {
		if it.State == paper.Withdrawn {
			continue
		}
		day := it.Day
		if day == "" {
			day = paper.DayOf(it.Published, c.zone(it.Paper))
		}
		if len(all) == 0 || all[len(all)-1].Day != day {
			all = append(all, group{Day: day})
		}
		g := &all[len(all)-1]
		g.Entries = append(g.Entries, p.entry(it))
	}
	return all
}

// editionPath is the page of an edition; page is its number, empty for the first.
func editionPath(key string, day paper.Day, page string) string {
	path := "/editions/" + url.PathEscape(key) + "/" + url.PathEscape(string(day))
	if page != "" {
		path += "?page=" + url.QueryEscape(page)
	}
	return path
}

// firstSentence cuts a summary after its first sentence, closing quotes
// included. A Latin full stop counts only before a space: 3.5 is a number.
func firstSentence(s string) string {
	r := []rune(strings.TrimSpace(s))
	for i, c := range r {
		stop := strings.ContainsRune("。！？!?", c) || c == '.' && i+1 < len(r) && r[i+1] == ' '
		if !stop || i < 7 {
			continue // 好！ alone tells nothing
		}
		for i+1 < len(r) && strings.ContainsRune("”’」』）)\"", r[i+1]) {
			i++
		}
		return string(r[:i+1])
	}
	return string(r)
}

// webURL gives an address from outside if it is http or https, else nothing.
func webURL(s string) string {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return ""
	}
	return u.String()
}

// bareURL is a web address without what may be secret in it: user and parameters.
func bareURL(s string) string {
	u, err := url.Parse(webURL(s))
	if err != nil {
		return ""
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

// stripTags makes plain text of our own short HTML, for <meta> descriptions.
func stripTags(h template.HTML) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(string(h)))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			b.WriteString(z.Token().Data)
		}
	}
}

func clipRunes(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
