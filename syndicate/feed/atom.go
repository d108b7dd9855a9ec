package feed

import (
	"encoding/xml"
	"io"
	"strconv"

	"github.com/gorilla/feeds"

	"paperwire/internal/paper"
)

func init() {
	register(Format{
		Ext:      "atom",
		Name:     "Atom 1.0",
		Type:     "application/atom+xml; charset=utf-8",
		LinkType: "application/atom+xml",
		About:    "the same with both dates, and with tombstones for withdrawn articles",
		Spec:     "https://www.rfc-editor.org/rfc/rfc4287",
		Write:    writeAtom,
	})
}

// atomXML is the document; see rssXML for the shadowing. Tombstones stand
// before the entries, because the schema of RFC 4287 (appendix B) ends a feed
// with them.
type atomXML struct {
	XMLName xml.Name `xml:"feed"`
	Xmlns   string   `xml:"xmlns,attr"`
	namespaces
	Tombstones string `xml:"xmlns:at,attr,omitempty"`
	Lang       string `xml:"xml:lang,attr,omitempty"`
	*feeds.AtomFeed
	Links      []atomLink     `xml:"link"`
	Author     *atomPerson    `xml:"author"`
	Categories []atomCategory `xml:"category"`
	Generator  atomGenerator  `xml:"generator"`
	Archive    *struct{}      `xml:"fh:archive"`
	Deleted    []atomDeleted  `xml:"at:deleted-entry"`
	Entries    []atomEntryXML `xml:"entry"`
}

type atomGenerator struct {
	Text string `xml:",chardata"`
}

type atomLink struct {
	Rel    string `xml:"rel,attr"`
	Type   string `xml:"type,attr,omitempty"`
	Title  string `xml:"title,attr,omitempty"`
	Href   string `xml:"href,attr"`
	Length string `xml:"length,attr,omitempty"`
}

type atomPerson struct {
	feeds.AtomPerson
}

// atomDeleted is a tombstone (RFC 6721 §3). An entry of the same id may stand
// beside it: as long as the entry's updated is not later than when, a reader
// that knows tombstones removes the article, and one that does not shows the
// notice that replaced it.
type atomDeleted struct {
	Ref     string `xml:"ref,attr"`
	When    string `xml:"when,attr"`
	Comment string `xml:"at:comment"`
}

type atomEntryXML struct {
	Lang string `xml:"xml:lang,attr,omitempty"`
	*feeds.AtomEntry
	Links        []atomLink     `xml:"link"`
	Authors      []atomPerson   `xml:"author"`
	Contributors []atomPerson   `xml:"contributor"`
	Categories   []atomCategory `xml:"category"`
	Content      *atomContent   `xml:"content"`
	Source       *atomSource    `xml:"source"`
	extras
}

type atomCategory struct {
	Term   string `xml:"term,attr"`
	Scheme string `xml:"scheme,attr"`
	Label  string `xml:"label,attr,omitempty"`
}

// atomContent is HTML in a CDATA section: a third shorter than escaped, and
// encoding/xml splits a "]]>" in it.
type atomContent struct {
	Type string `xml:"type,attr"`
	HTML string `xml:",cdata"`
}

type atomSource struct {
	ID      string   `xml:"id"`
	Title   string   `xml:"title"`
	Updated string   `xml:"updated"`
	Link    atomLink `xml:"link"`
}

// FeedXml makes the document something that gorilla/feeds can write.
func (a *atomXML) FeedXml() any { return a }

func writeAtom(w io.Writer, in Input) error {
	f := in.Feed
	doc := &atomXML{
		Xmlns:      atomNamespace,
		namespaces: extensions(),
		Lang:       line(f.Language),
		AtomFeed: &feeds.AtomFeed{
			Title:    f.title(),
			Id:       f.id(),
			Updated:  stamp(f.Updated),
			Rights:   plain(f.Copyright),
			Subtitle: plain(f.Subtitle),
			Icon:     uri(in.Links.Icon),
		},
		Author:    person(f.publisher()),
		Generator: atomGenerator{Text: f.maker()},
	}
	for _, l := range in.Links.document("atom") {
		doc.Links = append(doc.Links, atomLink{Rel: l.Rel, Type: l.Type, Title: l.Title, Href: l.Href})
	}
	if home := uri(in.Links.Home); home != "" {
		doc.Links = append(doc.Links, atomLink{Rel: "alternate", Type: "text/html", Href: home})
	}
	for _, term := range f.complete() {
		doc.Categories = append(doc.Categories, atomCategory{Term: term, Scheme: uri(in.Links.Base + "/editions/#" + completeMark)})
	}
	if in.Links.archive() {
		doc.History = historyNamespace
		doc.Archive = &struct{}{}
	}
	for _, e := range in.entries() {
		if e.State == paper.Withdrawn {
			doc.Tombstones = "http://purl.org/atompub/tombstones/1.0"
			doc.Deleted = append(doc.Deleted, atomDeleted{Ref: e.URN, When: stamp(e.Updated), Comment: e.description})
		}
		doc.Entries = append(doc.Entries, in.atomEntry(e))
	}
	return writeXML(w, doc)
}

func person(name string) *atomPerson {
	return &atomPerson{feeds.AtomPerson{Name: name}}
}

func (in Input) atomEntry(e entry) atomEntryXML {
	x := atomEntryXML{
		Lang: e.language,
		AtomEntry: &feeds.AtomEntry{
			Title:     e.title,
			Id:        e.URN,
			Published: stamp(e.Published),
			Updated:   stamp(e.Updated),
			Summary:   &feeds.AtomSummary{Content: e.description, Type: "text"},
		},
		Links:  []atomLink{{Rel: "alternate", Type: "text/html", Href: e.link}},
		extras: e.extras(),
	}
	if e.other != "" {
		x.Links = append(x.Links, atomLink{Rel: e.otherRel, Type: "text/html", Href: e.other})
	}
	for _, r := range e.related {
		x.Links = append(x.Links, atomLink{Rel: "related", Type: "text/html", Title: r.Title, Href: r.URL})
	}
	if img := e.enclosure; img != nil {
		x.Links = append(x.Links, atomLink{
			Rel: "enclosure", Type: img.Type, Href: img.URL, Length: strconv.FormatInt(img.Length, 10),
		})
	}
	for _, name := range e.authors {
		x.Authors = append(x.Authors, *person(name))
	}
	for _, name := range e.editors {
		x.Contributors = append(x.Contributors, *person(name))
	}
	for _, s := range e.sections {
		x.Categories = append(x.Categories, atomCategory{Term: line(s.Slug), Scheme: uri(in.Links.Base + "/section/"), Label: s.Name})
	}
	for _, d := range e.districts {
		x.Categories = append(x.Categories, atomCategory{Term: line(d.Code), Scheme: uri(in.Links.Base + "/district/"), Label: d.Name})
	}
	if e.full {
		x.Content = &atomContent{Type: "html", HTML: e.whole()}
	}
	if in.Feed.Scope.String() != e.feed {
		// The feed the entry also stands in (RFC 4287 §4.2.11). Its own updated is
		// not known here; the entry's is an instant at which it certainly rose.
		x.Source = &atomSource{
			ID: paper.URN(e.feed), Title: paperName(e.Item), Updated: stamp(e.Updated),
			Link: atomLink{Rel: "self", Type: "application/atom+xml", Href: uri(in.Links.Scope(e.feed, "atom"))},
		}
	}
	return x
}
