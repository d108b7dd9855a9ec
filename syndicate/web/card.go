package web

import (
	"html/template"
	"time"

	"paperwire/internal/paper"
	"paperwire/syndicate/card"
)

// addCard puts into the head of a share page what unfurlers read off it. The
// JSON-LD is JavaScript to html/template and stands as it is: the card writes it
// with < > and & as \u003c and so on, so nothing in it can end the element.
func (p *page) addCard(it paper.Item, zone *time.Location) card.Document {
	links := p.site.opts.Links
	links.Zone = zone
	doc := card.New(it, links)
	p.Meta, p.JSONLD = doc.Meta, template.JS(doc.JSONLD)
	for _, m := range doc.Meta {
		switch m.Name {
		case "description":
			p.Description = ""
		case "robots":
			p.NoIndex = false // the card says it, and more
		}
	}
	return doc
}
