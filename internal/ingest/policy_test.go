package ingest

import (
	"regexp"

	"github.com/microcosm-cc/bluemonday"
)

// policy judges what writeHTML wrote: it must find nothing to change. It says in
// another's words what docs/formats.md promises.
var policy = newPolicy()

func newPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "h3", "figure", "figcaption", "table", "tr", "td", "th", "blockquote", "ul", "ol", "li", "strong", "em", "br")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("src").OnElements("img")
	p.AllowAttrs("alt").OnElements("img")
	number := regexp.MustCompile(`^[0-9]{1,5}$`)
	p.AllowAttrs("width", "height").Matching(number).OnElements("img")
	p.AllowAttrs("colspan", "rowspan").Matching(number).OnElements("td", "th")
	p.AllowURLSchemes("http", "https", "mailto")
	p.AllowRelativeURLs(false)
	p.RequireParseableURLs(true)
	return p
}
