package feed

import (
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/gorilla/feeds"

	"paperwire/internal/paper"
)

func init() {
	register(Format{
		Ext:      "json",
		Name:     "JSON Feed 1.1",
		Type:     "application/feed+json; charset=utf-8",
		LinkType: "application/feed+json",
		About:    "the same for programs, with the newspaper's own fields under _paperwire",
		Spec:     "https://www.jsonfeed.org/version/1.1/",
		Write:    writeJSON,
	})
}

// jsonFeed shadows what gorilla/feeds drops or misspells: empty items,
// attachments longer than 2 GB or with their own marshaller.
type jsonFeed struct {
	*feeds.JSONFeed
	Paperwire jsonScope  `json:"_paperwire"`
	Items     []jsonItem `json:"items"`
}

// jsonScope is the extension of the feed itself: what JSON Feed has no field for.
type jsonScope struct {
	Scope     string `json:"scope"`
	Updated   string `json:"updated,omitempty"`
	Copyright string `json:"copyright,omitempty"`
	Current   string `json:"current,omitempty"` // of an archive document: the feed it belongs to
	Archive   bool   `json:"archive,omitempty"` // no item joins or leaves any more
	// Complete are the editions among the items of which nothing is missing.
	Complete []Edition `json:"complete,omitempty"`
}

type jsonItem struct {
	*feeds.JSONItem
	Language    string           `json:"language,omitempty"`
	Attachments []jsonAttachment `json:"attachments,omitempty"`
	Paperwire   jsonPaperwire    `json:"_paperwire"`
}

type jsonAttachment struct {
	URL      string       `json:"url"`
	MIMEType string       `json:"mime_type"`
	Title    string       `json:"title,omitempty"`
	Size     int64        `json:"size_in_bytes,omitempty"`
	Picture  *jsonPicture `json:"_paperwire,omitempty"`
}

type jsonPicture struct {
	Width   int    `json:"width,omitempty"`
	Height  int    `json:"height,omitempty"`
	Caption string `json:"caption,omitempty"`
	Credit  string `json:"credit,omitempty"`
}

// jsonPaperwire is the extension. Its fields are part of the contract: fields
// may join, none may leave or change.
type jsonPaperwire struct {
	ID        string         `json:"id"`
	Paper     string         `json:"paper"`
	PaperName string         `json:"paper_name"`
	Day       paper.Day      `json:"day"`
	Page      string         `json:"page"`
	PageName  string         `json:"page_name"`
	Position  int            `json:"position"`
	Kicker    string         `json:"kicker"`
	Subtitle  string         `json:"subtitle"`
	Sections  []jsonSection  `json:"sections"`
	Districts []jsonDistrict `json:"districts"`
	Editors   []string       `json:"editors,omitempty"`
	Point     string         `json:"point,omitempty"`
	Rights    paper.Rights   `json:"rights"`
	Origin    string         `json:"origin"`
	Share     string         `json:"share"`
	Feed      string         `json:"feed"` // our feed of the paper
	State     string         `json:"state"`
	Version   int            `json:"version"`
	Valid     string         `json:"valid,omitempty"`
	Related   []Related      `json:"related,omitempty"`
}

type jsonSection struct {
	Slug string `json:"slug"`
	Name string `json:"name"`
}

type jsonDistrict struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

func writeJSON(w io.Writer, in Input) error {
	f := in.Feed
	doc := jsonFeed{
		JSONFeed: &feeds.JSONFeed{
			Version:     "https://jsonfeed.org/version/1.1",
			Title:       f.title(),
			HomePageUrl: uri(in.Links.Home),
			FeedUrl:     uri(in.Links.Self),
			Description: plain(f.Subtitle),
			NextUrl:     uri(in.Links.Next),
			Language:    line(f.Language),
			Authors:     []*feeds.JSONAuthor{{Name: f.publisher()}},
		},
		Paperwire: jsonScope{Scope: f.Scope.String(), Updated: lastMod(f.Updated), Copyright: plain(f.Copyright), Complete: f.Complete, Current: uri(in.Links.Current), Archive: in.Links.archive()},
		Items:     []jsonItem{},
	}
	if icon := uri(in.Links.Icon); strings.HasSuffix(icon, ".ico") {
		doc.Favicon = icon
	} else {
		doc.Icon = icon
	}
	if doc.NextUrl == "" {
		doc.NextUrl = uri(in.Links.Previous)
	}
	for _, hub := range in.Links.Hubs {
		if hub = uri(hub); hub != "" {
			doc.Hubs = append(doc.Hubs, &feeds.JSONHub{Type: "WebSub", Url: hub})
		}
	}
	for _, e := range in.entries() {
		doc.Items = append(doc.Items, in.jsonItem(e))
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(doc)
}

func (in Input) jsonItem(e entry) jsonItem {
	published := e.Published.UTC().Truncate(time.Second)
	item := jsonItem{
		JSONItem: &feeds.JSONItem{
			Id:            e.URN,
			Url:           e.link,
			Title:         e.title,
			ContentHTML:   e.whole(),
			Summary:       e.description,
			PublishedDate: &published,
		},
		Language: e.language,
		Paperwire: jsonPaperwire{
			ID: e.ID, Paper: e.Paper, PaperName: plain(e.PaperName), Day: e.Day,
			Page: line(e.Page.Number), PageName: line(e.Page.Name), Position: e.Position,
			Kicker: e.Kicker, Subtitle: e.Subtitle,
			Sections: []jsonSection{}, Districts: []jsonDistrict{}, Editors: e.editors,
			Point: e.point, Rights: e.Rights, Origin: uri(e.URL), Share: uri(in.Links.Article(e.ID)),
			Feed: uri(in.Links.Scope(e.feed, "json")), State: string(e.State), Version: e.Version, Valid: e.valid, Related: e.related,
		},
	}
	if !e.full {
		// One of the contents is required, and the summary is what there is.
		item.ContentText = e.description
	}
	if e.otherRel == "via" {
		item.ExternalUrl = e.other
	}
	if e.changed() {
		updated := e.Updated.UTC().Truncate(time.Second)
		item.ModifiedDate = &updated
	}
	for _, name := range e.authors {
		item.Authors = append(item.Authors, &feeds.JSONAuthor{Name: name})
	}
	for _, s := range e.sections {
		item.Tags = append(item.Tags, s.Name)
		item.Paperwire.Sections = append(item.Paperwire.Sections, jsonSection{line(s.Slug), s.Name})
	}
	for _, d := range e.districts {
		item.Tags = append(item.Tags, d.Name)
		item.Paperwire.Districts = append(item.Paperwire.Districts, jsonDistrict{line(d.Code), d.Name})
	}
	titles := map[string]int{}
	for _, img := range e.images {
		titles[img.Caption]++
	}
	for i, img := range e.images {
		if i == 0 {
			item.Image = img.URL
		}
		if img.Type == "" {
			continue // mime_type is required
		}
		a := jsonAttachment{
			URL: img.URL, MIMEType: img.Type, Size: max(img.Length, 0),
			Picture: &jsonPicture{Width: max(img.Width, 0), Height: max(img.Height, 0), Caption: img.Caption, Credit: img.Credit},
		}
		if titles[img.Caption] == 1 {
			// Attachments of one title would be taken for forms of one thing.
			a.Title = img.Caption
		}
		item.Attachments = append(item.Attachments, a)
	}
	return item
}
