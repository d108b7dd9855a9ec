package card

import (
	"encoding/json"
	"mime"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"paperwire/internal/paper"
	"paperwire/syndicate/feed"
)

// Smallest pictures, in pixels: Facebook takes none below 200×200, X shows the
// large card from 300×157.
const (
	minSide       = 200
	minLargeWidth = 300
)

// X's limits, in characters.
const (
	maxXTitle       = 70
	maxXDescription = 200
)

func build(item paper.Item, links Links) Document {
	withdrawn := item.State == paper.Withdrawn
	d := Document{
		ID:        item.ID,
		Revision:  item.Version,
		URL:       links.Article(item.ID),
		SourceURL: feed.WebURL(item.URL),
		Title:     feed.Line(item.Title()),
		SiteName:  feed.Line(links.Site),
		Locale:    locale(item.Language),
		Authors:   []Author{},
		Districts: []string{},
		Tags:      []string{},
		Edition: Edition{
			Paper: item.Paper, PaperName: feed.Line(item.PaperName),
			Page: feed.Line(item.Page.Number), PageName: feed.Line(item.Page.Name),
		},
		Published: stamp(item.Published, links.Zone),
		Platforms: map[string]Post{},
	}
	if d.Edition.Page != "" {
		d.Edition.Date = item.Day // an item of a feed has a day, but no edition
	}
	d.OEmbedURL = links.Base + "/oembed?url=" + url.QueryEscape(d.URL)
	d.CanonicalURL = d.URL
	if d.SourceURL != "" && (item.Link == paper.LinkOrigin || item.Rights != paper.RightsFull) {
		// Where the whole text stands at the publisher's, search engines shall find it there.
		d.CanonicalURL = d.SourceURL
	}
	if d.SiteName == "" {
		d.SiteName = d.Edition.PaperName
	}
	if withdrawn {
		d.Title, d.Description = feed.Withdrawal(item.Language)
		modified := stamp(item.Updated, links.Zone)
		d.Modified = &modified
		d.Meta = []Meta{
			{Name: "robots", Content: "noindex, noarchive"},
			{Property: "og:title", Content: d.Title},
			{Property: "og:description", Content: d.Description},
			{Property: "og:url", Content: d.URL},
		}
		return d
	}

	if d.Title == "" {
		d.Title = feed.Line(item.Subtitle)
	}
	c := feed.NewCutter(item, d.Edition.PaperName, d.SiteName)
	d.Description = c.Within(item.Summary, MaxDescription)
	if d.Description == "" {
		d.Description = c.Within(item.Text, MaxDescription)
	}
	d.Description = c.Closed(d.Description, MaxDescription)
	if d.Title == "" {
		// A picture without a headline: its words, else where it was printed.
		d.Title = c.Within(d.Description, 30)
	}
	if d.Title == "" {
		d.Title = strings.TrimSpace(d.Edition.PaperName + " " + string(item.Day))
	}
	if d.Title == "" {
		d.Title = item.ID
	}
	if d.Description == "" {
		d.Description = c.Within(d.Title, MaxDescription) // WhatsApp shows no card without one
	}
	if item.Corrected() {
		modified := stamp(item.Updated, links.Zone)
		d.Modified = &modified
	}
	authors := writers(item)
	for _, a := range authors {
		d.Authors = append(d.Authors, Author{a.Name})
	}
	for _, s := range item.Sections {
		if name := feed.Line(s.Name); name != "" {
			d.Tags = append(d.Tags, name)
		}
	}
	d.Section = d.Edition.PageName
	if len(d.Tags) > 0 {
		d.Section = d.Tags[0]
	}
	for _, t := range item.Districts {
		d.Districts = append(d.Districts, t.Code)
	}
	// open-graph-scraper keeps the last article:tag only: the best district.
	for i := len(item.Districts) - 1; i >= 0; i-- {
		if name := feed.Line(item.Districts[i].Name); name != "" {
			d.Tags = append(d.Tags, name)
		}
	}
	d.pictures(item, links)
	d.Related = feed.Relations(item, links.Base)
	d.Meta = d.head(c)
	d.JSONLD = d.newsArticle(item, authors, links)
	d.Platforms = posts(&d, &item, c)
	return d
}

// pictures says which pictures the card has. Drawn ones are told without drawing:
// their addresses are made of what they are made from.
func (d *Document) pictures(item paper.Item, links Links) {
	if links.Look == "" {
		d.Images.OG = own(item, d.Title)
		return
	}
	alt := d.Title
	photo, _, ok := photoOf(item, links)
	if caption := feed.Line(photo.Caption); ok && caption != "" {
		alt = caption
	}
	hash := madeFrom(item, links)[:8]
	all := make([]Image, len(sizes))
	for i, s := range sizes {
		all[i] = Image{URL: d.URL + "/card/" + s.Name + "-" + hash + ".jpg", Width: s.Width, Height: s.Height, Type: "image/jpeg", Alt: alt, Generated: !ok}
		*d.Images.at(s.Name) = &all[i]
	}
	d.QR = d.URL + "/qr.png"
}

// at is where the picture of a size stands.
func (i *Images) at(name string) **Image {
	switch name {
	case "og":
		return &i.OG
	case "r16x9":
		return &i.R16x9
	case "r4x3":
		return &i.R4x3
	case "r1x1":
		return &i.R1x1
	case "wechat_cover":
		return &i.WechatCover
	case "wecom":
		return &i.Wecom
	case "miniprogram":
		return &i.Miniprogram
	case "thumb":
		return &i.Thumb
	}
	panic("card: no place for pictures of the size " + name)
}

// named is the address of the picture of a size, or of the one there is; empty
// where there is none.
func (i *Images) named(name string) string {
	img := *i.at(name)
	if img == nil {
		img = i.OG
	}
	if img == nil {
		return ""
	}
	return img.URL
}

// own is the article's first picture that a platform will show: its size known,
// since Facebook shows none at the first share without it.
func own(item paper.Item, title string) *Image {
	for _, img := range item.Images {
		src := feed.WebURL(img.URL)
		if src == "" || img.Width < minSide || img.Height < minSide || strings.EqualFold(path.Ext(src), ".svg") || strings.Contains(img.Type, "svg") {
			continue
		}
		alt := feed.Line(img.Caption)
		if alt == "" {
			alt = title
		}
		kind, _, err := mime.ParseMediaType(img.Type)
		if err != nil {
			kind = ""
		}
		return &Image{URL: src, Width: img.Width, Height: img.Height, Type: kind, Bytes: max(img.Length, 0), Alt: alt}
	}
	return nil
}

// head is what stands in the share page's <head>: Open Graph with exactly one
// og:image and its size right after it, X's card, and itemprop for QQ.
func (d *Document) head(c *feed.Cutter) []Meta {
	m := make([]Meta, 0, 26+len(d.Tags))
	property := func(name, content string) {
		if content != "" {
			m = append(m, Meta{Property: name, Content: content})
		}
	}
	name := func(name, content string) {
		if content != "" {
			m = append(m, Meta{Name: name, Content: content})
		}
	}
	itemprop := func(name, content string) {
		if content != "" {
			m = append(m, Meta{ItemProp: name, Content: content})
		}
	}
	var authors []string
	for _, a := range d.Authors {
		authors = append(authors, a.Name)
	}
	og := d.Images.OG

	// QQ takes this one too; readers of both would see an itemprop beside it as a
	// second half (url-metadata).
	name("description", d.Description)
	name("author", strings.Join(authors, ", "))
	property("og:type", "article")
	property("og:title", d.Title)
	property("og:url", d.URL)
	if og != nil {
		property("og:image", og.URL)
		property("og:image:width", strconv.Itoa(og.Width))
		property("og:image:height", strconv.Itoa(og.Height))
		property("og:image:type", og.Type)
		property("og:image:alt", og.Alt)
	}
	property("og:description", d.Description)
	property("og:site_name", d.SiteName)
	property("og:locale", d.Locale)
	property("article:published_time", d.Published)
	if d.Modified != nil {
		// metascraper takes this for the date, so only when the text changed.
		property("article:modified_time", *d.Modified)
	}
	property("article:section", d.Section)
	for _, tag := range d.Tags {
		property("article:tag", tag)
	}
	kind := "summary"
	if og != nil && og.Width >= minLargeWidth {
		kind = "summary_large_image"
	}
	name("twitter:card", kind)
	name("twitter:title", c.Within(d.Title, maxXTitle))
	name("twitter:description", c.Within(d.Description, maxXDescription))
	itemprop("name", d.Title)
	if og != nil {
		name("twitter:image", og.URL)
		name("twitter:image:alt", og.Alt)
		itemprop("image", og.URL)
	}
	return m
}

// party is a Person or Organization of schema.org; name only, as Google asks.
type party struct {
	Type string `json:"@type"`
	Name string `json:"name"`
	Logo *thing `json:"logo,omitempty"`
}

type thing struct {
	Type string `json:"@type"`
	ID   string `json:"@id,omitempty"`
	URL  string `json:"url,omitempty"`
	Name string `json:"name,omitempty"`
	// Identifier is the division's code.
	Identifier string `json:"identifier,omitempty"`
}

// newsArticle is the JSON-LD root. Mastodon ignores @graph and wants the plain
// string in @type.
type newsArticle struct {
	Context     string   `json:"@context"`
	Type        string   `json:"@type"`
	Page        thing    `json:"mainEntityOfPage"`
	URL         string   `json:"url"`
	Headline    string   `json:"headline"`
	Alternative string   `json:"alternativeHeadline,omitempty"`
	Description string   `json:"description"`
	Image       []string `json:"image,omitempty"`
	Published   string   `json:"datePublished"`
	Modified    string   `json:"dateModified,omitempty"`
	Author      []party  `json:"author,omitempty"`
	Publisher   *party   `json:"publisher,omitempty"`
	Edition     string   `json:"printEdition,omitempty"`
	PrintPage   string   `json:"printPage,omitempty"`
	PrintPart   string   `json:"printSection,omitempty"`
	Section     string   `json:"articleSection,omitempty"`
	Keywords    []string `json:"keywords,omitempty"`
	Location    []thing  `json:"contentLocation,omitempty"`
	Language    string   `json:"inLanguage,omitempty"`
	Free        *bool    `json:"isAccessibleForFree,omitempty"`
	Correction  []string `json:"correction,omitempty"` // pages of the notices that correct it
}

func (d *Document) newsArticle(item paper.Item, authors []party, links Links) json.RawMessage {
	a := newsArticle{
		Context: "https://schema.org", Type: "NewsArticle",
		Page: thing{Type: "WebPage", ID: d.CanonicalURL}, URL: d.URL,
		Headline: d.Title, Alternative: feed.Line(item.Subtitle), Description: d.Description,
		Published: d.Published, Author: authors,
		Edition: string(d.Edition.Date), PrintPage: d.Edition.Page, PrintPart: d.Edition.PageName,
		Section: d.Section, Keywords: d.Tags, Language: feed.Line(item.Language),
	}
	for _, img := range []*Image{d.Images.R16x9, d.Images.R4x3, d.Images.R1x1} { // as Google wants them
		if img != nil {
			a.Image = append(a.Image, img.URL)
		}
	}
	if a.Image == nil && d.Images.OG != nil {
		a.Image = []string{d.Images.OG.URL}
	}
	if d.Modified != nil {
		a.Modified = *d.Modified
	}
	publisher := d.Edition.PaperName
	if publisher == "" {
		publisher = d.SiteName
	}
	if publisher != "" {
		a.Publisher = &party{Type: "Organization", Name: publisher}
		if logo := feed.WebURL(links.Logo); logo != "" {
			a.Publisher.Logo = &thing{Type: "ImageObject", URL: logo}
		}
	}
	for _, r := range d.Related {
		if r.Relation == paper.CorrectedBy {
			a.Correction = append(a.Correction, r.URL)
		}
	}
	for _, t := range item.Districts {
		if name := feed.Line(t.Name); name != "" {
			a.Location = append(a.Location, thing{Type: "AdministrativeArea", Name: name, Identifier: t.Code})
		}
	}
	if item.Rights == paper.RightsFull {
		// Only the whole text proves it; less than that is no paywall either.
		free := true
		a.Free = &free
	}
	// Marshal keeps < > and & as \u003c …: Mastodon decodes entities in the
	// script before it parses, and no </script> can end it.
	b, err := json.Marshal(a)
	if err != nil {
		return nil // strings, bools and slices of them always marshal
	}
	return b
}

// writers are those who wrote or photographed the article; the page's editors
// did not. Without a byline it is the agency, and last the paper itself.
func writers(item paper.Item) []party {
	var all []party
	for _, p := range item.Byline {
		if name := feed.Line(p.Name); name != "" && p.Role != paper.Editor {
			all = append(all, party{Type: "Person", Name: name})
		}
	}
	for _, name := range []string{feed.Line(item.Agency), feed.Line(item.PaperName)} {
		if len(all) == 0 && name != "" {
			all = append(all, party{Type: "Organization", Name: name})
		}
	}
	return all
}

// locale is a language tag in Open Graph's form, language_TERRITORY.
func locale(tag string) string {
	parts := strings.Split(strings.ReplaceAll(tag, "_", "-"), "-")
	base, region := strings.ToLower(parts[0]), ""
	for _, p := range parts[1:] {
		switch {
		case len(p) == 2:
			region = strings.ToUpper(p)
		case strings.EqualFold(p, "hant") && region == "":
			region = "TW"
		}
	}
	switch {
	case base == "" || base == "zh" && region == "":
		return "zh_CN"
	case base == "en" && region == "":
		return "en_US"
	case region == "":
		return base
	}
	return base + "_" + region
}

func stamp(t time.Time, zone *time.Location) string {
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone).Truncate(time.Second).Format(time.RFC3339)
}
