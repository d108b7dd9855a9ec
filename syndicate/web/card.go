package web

import (
	"html/template"

	"paperwire/internal/paper"
)

// meta is one <meta> of a share page: one of the three names is set.
type meta struct{ Property, Name, Itemprop, Content string }

// cardOf is what unfurlers read off the share page.
func (s *Site) cardOf(it paper.Item) ([]meta, template.JS) {
	return []meta{
		{Property: "og:title", Content: it.Title()},
		{Property: "og:type", Content: "article"},
		{Property: "og:url", Content: s.opts.Base + "/a/" + it.ID},
	}, ""
}
