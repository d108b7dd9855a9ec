package feed

import (
	"encoding/xml"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/feeds"

	"paperwire/internal/paper"
)

func init() {
	register(Format{
		Ext:      "rss",
		Name:     "RSS 2.0",
		Type:     "application/rss+xml; charset=utf-8",
		LinkType: "application/rss+xml",
		About:    "whole articles with pictures, for every feed reader and scheduler",
		Spec:     "https://www.rssboard.org/rss-specification",
		Write:    writeRSS,
	})
}

// rssXML is the document. Its fields shadow those of gorilla/feeds that cannot
// carry what we have: of two fields with one element name encoding/xml writes
// the shallower.
type rssXML struct {
	XMLName xml.Name `xml:"rss"`
	Version string   `xml:"version,attr"`
	namespaces
	Atom    string `xml:"xmlns:atom,attr"`
	Channel *rssChannel
}

// namespaces are the extensions that RSS and Atom have in common.
type namespaces struct {
	Content string `xml:"xmlns:content,attr,omitempty"`
	DC      string `xml:"xmlns:dc,attr"`
	Terms   string `xml:"xmlns:dcterms,attr"`
	Media   string `xml:"xmlns:media,attr"`
	Prism   string `xml:"xmlns:prism,attr"`
	GeoRSS  string `xml:"xmlns:georss,attr"`
	History string `xml:"xmlns:fh,attr,omitempty"`
}

const atomNamespace = "http://www.w3.org/2005/Atom"

func extensions() namespaces {
	return namespaces{
		DC:     "http://purl.org/dc/elements/1.1/",
		Terms:  "http://purl.org/dc/terms/",
		Media:  "http://search.yahoo.com/mrss/",
		Prism:  "http://prismstandard.org/namespaces/basic/2.0/",
		GeoRSS: "http://www.georss.org/georss",
	}
}

const historyNamespace = "http://purl.org/syndication/history/1.0"

type rssChannel struct {
	*feeds.RssFeed
	Publisher  string        `xml:"dc:publisher,omitempty"`
	Categories []rssCategory `xml:"category"`
	Links      []rssLink     `xml:"atom:link"`
	Archive    *struct{}     `xml:"fh:archive"`
	Items      []rssItem     `xml:"item"`
}

// rssLink is an Atom link inside RSS. The channel's plain <link> comes before
// it: yarr takes the first link of any kind for the site's.
type rssLink struct {
	Rel   string `xml:"rel,attr"`
	Type  string `xml:"type,attr,omitempty"`
	Title string `xml:"title,attr,omitempty"`
	Href  string `xml:"href,attr"`
}

type rssItem struct {
	*feeds.RssItem
	Language   string        `xml:"dc:language,omitempty"`
	Creators   []string      `xml:"dc:creator"`
	Editors    []string      `xml:"dc:contributor"`
	Categories []rssCategory `xml:"category"`
	Source     *rssSource    `xml:"source"`
	Links      []rssLink     `xml:"atom:link"`
	Updated    string        `xml:"atom:updated,omitempty"`
	extras
}

type rssCategory struct {
	Domain string `xml:"domain,attr"`
	Name   string `xml:",chardata"`
}

type rssSource struct {
	URL  string `xml:"url,attr"`
	Name string `xml:",chardata"`
}

// extras are the extension elements of an item in RSS and Atom.
type extras struct {
	Media   []mediaContent `xml:"media:content"`
	Name    string         `xml:"prism:publicationName,omitempty"`
	Date    string         `xml:"prism:publicationDate,omitempty"`
	Page    string         `xml:"prism:startingPage,omitempty"`
	Section string         `xml:"prism:section,omitempty"`
	Issue   string         `xml:"prism:issueIdentifier,omitempty"`
	Point   string         `xml:"georss:point,omitempty"`
	Valid   string         `xml:"dcterms:valid,omitempty"`
}

type mediaContent struct {
	URL         string       `xml:"url,attr"`
	Type        string       `xml:"type,attr,omitempty"`
	Medium      string       `xml:"medium,attr"`
	FileSize    int64        `xml:"fileSize,attr,omitempty"`
	Width       int          `xml:"width,attr,omitempty"`
	Height      int          `xml:"height,attr,omitempty"`
	Title       string       `xml:"media:title"`
	Description string       `xml:"media:description,omitempty"`
	Credit      *mediaCredit `xml:"media:credit"`
}

// mediaCredit names the photographer; the role is one of EBU's, the default scheme.
type mediaCredit struct {
	Role string `xml:"role,attr"`
	Name string `xml:",chardata"`
}

func (e *entry) extras() extras {
	x := extras{
		Name:    plain(e.PaperName),
		Date:    string(e.Day),
		Page:    line(e.Page.Number),
		Section: e.section(),
		Issue:   e.issue,
		Point:   e.point,
		Valid:   e.valid,
	}
	for _, img := range e.images {
		m := mediaContent{
			URL: img.URL, Type: img.Type, Medium: "image", FileSize: max(img.Length, 0),
			Width: max(img.Width, 0), Height: max(img.Height, 0),
			Title: e.title, Description: img.Caption,
		}
		if img.Credit != "" {
			m.Credit = &mediaCredit{Role: "photographer", Name: img.Credit}
		}
		x.Media = append(x.Media, m)
	}
	return x
}

// rssDate is RFC 822 with the four-digit year of RSS 2.0 and a numeric zone:
// some schedulers read GMT as local time.
func rssDate(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Truncate(time.Second).Format(time.RFC1123Z)
}

// FeedXml makes the document something that gorilla/feeds can write.
func (r *rssXML) FeedXml() any { return r }

func writeRSS(w io.Writer, in Input) error {
	f := in.Feed
	home := uri(in.Links.Home)
	if home == "" {
		home = uri(in.Links.Self)
	}
	doc := &rssXML{Version: "2.0", namespaces: extensions(), Atom: atomNamespace}
	doc.Content = "http://purl.org/rss/1.0/modules/content/"
	channel := &rssChannel{
		RssFeed: &feeds.RssFeed{
			Title:         f.title(),
			Link:          home,
			Description:   plain(f.Subtitle),
			Language:      line(f.Language),
			Copyright:     plain(f.Copyright),
			LastBuildDate: rssDate(f.Updated),
			Generator:     f.maker(),
			Ttl:           ttl,
		},
		Publisher: plain(f.Site),
	}
	if channel.Description == "" {
		channel.Description = channel.Title
	}
	if icon := uri(in.Links.Icon); icon != "" && !strings.HasSuffix(icon, ".ico") {
		// Title and link must be the channel's (RSS 2.0); an .ico is no web picture.
		channel.Image = &feeds.RssImage{Url: icon, Title: channel.Title, Link: home}
	}
	for _, term := range f.complete() {
		channel.Categories = append(channel.Categories, rssCategory{Domain: completeMark, Name: term})
	}
	for _, l := range in.Links.document("rss") {
		channel.Links = append(channel.Links, rssLink(l))
	}
	if in.Links.archive() {
		doc.History = historyNamespace
		channel.Archive = &struct{}{}
	}
	for _, e := range in.entries() {
		channel.Items = append(channel.Items, in.rssItem(e))
	}
	doc.Channel = channel
	return writeXML(w, doc)
}

func (in Input) rssItem(e entry) rssItem {
	item := rssItem{
		RssItem: &feeds.RssItem{
			Title:       e.title,
			Link:        e.link,
			Description: e.description,
			Guid:        &feeds.RssGuid{Id: e.URN, IsPermaLink: "false"},
			PubDate:     rssDate(e.Published),
		},
		Language: e.language,
		Creators: e.authors,
		Editors:  e.editors,
		Source: &rssSource{
			URL:  uri(in.Links.Scope(e.feed, "rss")),
			Name: paperName(e.Item),
		},
		extras: e.extras(),
	}
	if e.full {
		item.Content = &feeds.RssContent{Content: e.whole()}
	}
	if img := e.enclosure; img != nil {
		item.Enclosure = &feeds.RssEnclosure{Url: img.URL, Type: img.Type, Length: strconv.FormatInt(img.Length, 10)}
	}
	for _, s := range e.sections {
		item.Categories = append(item.Categories, rssCategory{Domain: "section", Name: s.Name})
	}
	for _, d := range e.districts {
		item.Categories = append(item.Categories, rssCategory{Domain: "district", Name: d.Name})
	}
	if e.other != "" {
		item.Links = append(item.Links, rssLink{Rel: e.otherRel, Type: "text/html", Href: e.other})
	}
	for _, r := range e.related {
		item.Links = append(item.Links, rssLink{Rel: "related", Type: "text/html", Title: r.Title, Href: r.URL})
	}
	if e.changed() {
		item.Updated = stamp(e.Updated)
	}
	return item
}

func paperName(item paper.Item) string {
	if name := plain(item.PaperName); name != "" {
		return name
	}
	return item.Paper
}

// link is one link of the document as a whole.
type link struct{ Rel, Type, Title, Href string }

// document gives the links of a document in format ext, in a fixed order. A
// link whose address is not usable is left out.
func (l Links) document(ext string) []link {
	own := ""
	if f, ok := ByExt(ext); ok {
		own = f.LinkType
	}
	links := []link{{"self", own, "", l.Self}}
	for _, a := range l.More {
		// RFC 4287 §4.1.1: no two alternates of one type; our own type is self.
		if a.Type != own && a.Type != "text/html" && a.Type != "" {
			links = append(links, link{"alternate", a.Type, plain(a.Title), a.Href})
		}
	}
	for _, hub := range l.Hubs {
		links = append(links, link{"hub", "", "", hub})
	}
	links = append(links,
		link{"next", own, "", l.Next}, link{"current", own, "", l.Current},
		link{"prev-archive", own, "", l.Previous}, link{"next-archive", own, "", l.Following})
	kept := links[:0]
	for _, k := range links {
		if k.Href = uri(k.Href); k.Href != "" {
			kept = append(kept, k)
		}
	}
	return kept
}

func writeXML(w io.Writer, doc feeds.XmlFeed) error {
	if err := feeds.WriteXML(doc, w); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
