package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"paperwire/internal/paper"
)

// editionBody is what one page of an edition shows.
type editionBody struct {
	Paper, PaperPath   string
	Edition            paper.Edition
	Partial            bool
	Tabs               []tab
	Page               paper.EditionPage
	Picture            picture
	Full, PDF          string // the picture in its own size
	Origin             string
	Areas              []area
	Entries            []entry // of this page, in order
	Contents           []contents
	PagePath           string // scope page of this page number
	PrevPage, NextPage *tab
	PrevEdition        string
	NextEdition        string
}

// tab leads to a page of the edition.
type tab struct {
	Number, Name, Href string
	Here               bool
}

// contents are the headlines of one page.
type contents struct {
	Tab     tab
	Entries []entry
}

// area is a clickable area of the page's picture.
type area struct{ Href, Shape, Coords, Alt string }

func (s *Site) newestEdition(w http.ResponseWriter, r *http.Request) {
	key := r.PathValue("paper")
	list, err := s.opts.Data.Editions(r.Context(), paper.Public, key, 1)
	switch {
	case err != nil:
		s.fail(w, r, "list editions", err)
	case len(list) == 0 || list[0].Paper != key || list[0].Day == "":
		s.NotFound(w, r)
	default:
		s.redirect(w, r, editionPath(key, list[0].Day, ""), http.StatusTemporaryRedirect)
	}
}

func (s *Site) edition(w http.ResponseWriter, r *http.Request) {
	ctx, key := r.Context(), r.PathValue("paper")
	day, err := paper.ParseDay(r.PathValue("day"))
	if err != nil {
		s.NotFound(w, r)
		return
	}
	if string(day) != r.PathValue("day") {
		s.redirect(w, r, editionPath(key, day, ""), http.StatusPermanentRedirect)
		return
	}
	ed, err := s.opts.Data.Edition(ctx, paper.Public, key, day)
	if err != nil {
		s.fail(w, r, "read edition", err)
		return
	}
	scope := paper.Scope{Papers: []string{key}}
	items, err := s.opts.Data.Items(ctx, paper.Public, scope, paper.Window{Day: day})
	if err != nil {
		s.fail(w, r, "list articles of edition", err)
		return
	}
	items = slices.DeleteFunc(items, func(it paper.Item) bool { return it.State == paper.Withdrawn })
	c, err := s.catalog(ctx)
	if err != nil {
		s.fail(w, r, "list papers", err)
		return
	}

	pages := pagesOf(ed, items)
	at := 0
	wanted := r.URL.Query().Get("page")
	if wanted != "" {
		at = slices.IndexFunc(pages, func(p paper.EditionPage) bool { return strings.EqualFold(p.Number, wanted) })
		if at < 0 {
			s.NotFound(w, r, c.byPart["paper/"+key])
			return
		}
	}
	p := s.page(r, "edition_title", c.label("paper", key), "")
	name := c.label("paper", key)
	p.Title = p.plain("edition_title", name, p.longDayText(day))
	p.Alternates = s.alternates(scope, name)
	body := editionBody{
		Paper: name, PaperPath: p.href("/paper/" + key), Edition: ed, Partial: ed.State == paper.EditionPartial,
		Origin: webURL(ed.URL),
	}
	for i, one := range pages {
		body.Tabs = append(body.Tabs, tab{Number: one.Number, Name: one.Name, Href: p.href(editionPath(key, day, one.Number)), Here: i == at})
	}
	if at > 0 {
		body.PrevPage = &body.Tabs[at-1]
		p.Prev = body.PrevPage.Href
	}
	if at+1 < len(pages) {
		body.NextPage = &body.Tabs[at+1]
		p.Next = body.NextPage.Href
	}
	if ed.Previous != "" {
		body.PrevEdition = p.href(editionPath(key, ed.Previous, ""))
	}
	if ed.Next != "" {
		body.NextEdition = p.href(editionPath(key, ed.Next, ""))
	}
	titles := make(map[string]string, len(items))
	for i, one := range pages {
		line := contents{Tab: body.Tabs[i]}
		for _, it := range items {
			if it.Page.Number != one.Number {
				continue
			}
			e := p.entry(it)
			titles[it.ID] = e.Headline
			line.Entries = append(line.Entries, e)
			if i == at {
				body.Entries = append(body.Entries, e)
			}
		}
		if len(line.Entries) > 0 {
			body.Contents = append(body.Contents, line)
		}
	}
	if len(pages) > 0 {
		here := pages[at]
		body.Page, body.Full, body.PDF = here, webURL(here.Picture), webURL(here.PDF)
		width, height := sizeOf(here)
		body.Picture = s.wide(body.Full, width, height, sheetWidth, columnSizes)
		if u := webURL(here.URL); u != "" {
			body.Origin = u
		}
		if here.Number != "" {
			if paged, err := paper.ParseScope("paper/" + key + "/page/" + here.Number); err == nil {
				body.PagePath = p.href("/" + paged.String())
			}
			p.Description = p.plain("edition_desc", name, p.longDayText(day), strings.TrimSpace(here.Number+" "+here.Name))
			p.Title = p.plain("edition_title", p.Title, p.plain("page_n", here.Number))
			if wanted != "" && at > 0 {
				p.Canonical = s.opts.Base + editionPath(key, day, here.Number)
			}
		}
		for _, a := range here.Areas {
			// An area whose article is not released, or not for this view, leads nowhere.
			if alt, ok := titles[a.Article]; ok {
				body.Areas = append(body.Areas, area{p.href("/a/" + a.Article), a.Shape, shrunk(a.Coords, body.Picture.Width, width), alt})
			}
		}
	}
	p.Body = body
	s.write(w, r, http.StatusOK, "edition", p)
}

// pagesOf are the pages of an edition; of one that lists none, those that its
// articles name.
func pagesOf(ed paper.Edition, items []paper.Item) []paper.EditionPage {
	pages := slices.Clone(ed.Pages)
	for _, it := range items {
		if !slices.ContainsFunc(pages, func(p paper.EditionPage) bool { return p.Number == it.Page.Number }) {
			pages = append(pages, paper.EditionPage{PageRef: it.Page})
		}
	}
	return pages
}

// sheetWidth is the greatest width of a page's picture, in CSS pixels. Without a
// script that follows the screen its areas fit this width only.
const sheetWidth = 960

// sizeOf is the size of a page's picture in pixels: known of our own copies.
func sizeOf(p paper.EditionPage) (width, height int) {
	if p.Mirror == nil {
		return 0, 0
	}
	return p.Mirror.Width, p.Mirror.Height
}

// shrunk brings the coordinates of an area from the width of a picture to the
// width it is shown at; 0 is a width that is not known.
func shrunk(coords string, shown, width int) string {
	if shown == width || shown == 0 || width == 0 {
		return coords
	}
	numbers := strings.Split(coords, ",")
	for i, field := range numbers {
		n, err := strconv.Atoi(field)
		if err != nil {
			return coords
		}
		numbers[i] = strconv.Itoa((n*shown + width/2) / width)
	}
	return strings.Join(numbers, ",")
}
