package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"paperwire/internal/paper"
	"paperwire/syndicate/feed"
)

// searchBody is what the page of a search shows.
type searchBody struct {
	Words  string // as they stand in the field
	Asked  bool
	Groups []group
	Older  string // href; empty on the last page
	Newest string // href; empty on the first page
	Feed   string
	Lang   string // that the address asks for; empty where it does not
}

// search answers /search?q=: the articles that hold all words, newest first, those of
// past editions among them.
func (s *Site) search(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	p := s.page(r, "search")
	p.NoIndex = true
	p.Alternates = s.alternates(paper.Scope{}, p.plain("scope_all"))
	query := r.URL.Query()
	if strings.TrimSpace(query.Get("q")) == "" {
		p.Body = searchBody{Lang: chosen(p)}
		s.write(w, r, http.StatusOK, "search", p)
		return
	}
	words, err := s.opts.Words(query.Get("q"))
	var bad *paper.ScopeError
	if errors.As(err, &bad) {
		s.Error(w, r, http.StatusBadRequest, bad.Reason)
		return
	}
	if err != nil {
		s.fail(w, r, "read words", err)
		return
	}
	text := strings.Join(words, " ")
	path := "/search?q=" + url.QueryEscape(text)
	window := paper.Window{Query: words, Archive: true, Limit: perPage + 1}
	before := query.Get("before")
	if before != "" {
		var ok bool
		if window.Before, window.BeforeID, ok = parseCursor(before); !ok {
			s.Error(w, r, http.StatusBadRequest, localeOf(r).plain("bad_cursor"))
			return
		}
	}
	c, err := s.catalog(ctx)
	if err != nil {
		s.fail(w, r, "search", err)
		return
	}
	items, err := s.opts.Data.Items(ctx, paper.Public, paper.Scope{}, window)
	if err != nil {
		s.fail(w, r, "search", err)
		return
	}
	p.Title = p.plain("search_title", text)
	body := searchBody{Words: text, Asked: true, Lang: chosen(p), Feed: feed.Links{Base: s.opts.Base}.Scope("all", "rss") + "?q=" + url.QueryEscape(text)}
	for i := range p.Alternates {
		p.Alternates[i].Title = p.Title
		p.Alternates[i].Href += "?q=" + url.QueryEscape(text)
	}
	if len(items) > perPage {
		items = items[:perPage]
		body.Older = p.href(path + "&before=" + cursor(items[perPage-1]))
	}
	if before != "" {
		body.Newest = p.href(path)
	}
	body.Groups = p.groups(c, items)
	p.Body = body
	s.write(w, r, http.StatusOK, "search", p)
}

// chosen is the language that a page's address asks for; empty where it does not.
func chosen(p *page) string {
	if p.chosen {
		return p.lang
	}
	return ""
}
