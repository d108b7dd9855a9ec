package feed

import (
	"cmp"
	"html"
	"mime"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	xhtml "golang.org/x/net/html"

	"paperwire/internal/paper"
)

// generator names the program in the documents, without a version: an update of
// the program must not move the bytes of a feed.
const generator = "Paperwire"

// ttl is how many minutes an RSS reader may keep a feed before it asks again.
const ttl = 30

// entry is one item made ready for every format: text cleaned, addresses
// checked, the wording of a withdrawal put in. What is empty is left out.
type entry struct {
	paper.Item
	title       string
	description string // plain text, never empty
	full        bool   // the view sees a body
	link        string // where the item leads
	other       string // the other one of share page and publisher's page
	otherRel    string // what it is to the item: via (the publisher's) or related (ours)
	authors     []string
	editors     []string
	sections    []paper.Section
	districts   []paper.Tag
	images      []paper.Image
	enclosure   *paper.Image // the first picture whose type and length are known
	related     []Related
	point       string
	feed        string // scope of our feed of the paper
	valid       string // how long a withdrawn item stood (DCMI Period)
	tongue      string // the language it is in; may be empty
	language    string // the same; empty where it is the feed's
	issue       string
}

// wording is what stands in place of a withdrawn article.
func wording(language string) (title, sentence string) {
	if chinese(language) {
		return "本文已撤回", "本文已由发布方撤回，内容不再提供。"
	}
	return "This article has been withdrawn", "This article has been withdrawn by its publisher; its content is no longer available."
}

func chinese(language string) bool {
	return language == "" || strings.HasPrefix(strings.ToLower(language), "zh")
}

var pointForm = regexp.MustCompile(`^[-+]?\d+(\.\d+)? [-+]?\d+(\.\d+)?$`)

func (in Input) entries() []entry {
	es := make([]entry, len(in.Feed.Items))
	for i, item := range in.Feed.Items {
		es[i] = in.entry(item)
	}
	return es
}

func (in Input) entry(item paper.Item) entry {
	e := entry{Item: item, feed: "paper/" + item.Paper}
	language := item.Language
	if language == "" {
		language = in.Feed.Language
	} else if language != in.Feed.Language {
		e.language = line(language)
	}
	e.tongue = line(language)
	share, origin := uri(in.Links.Article(item.ID)), uri(item.URL)
	e.link, e.other, e.otherRel = share, origin, "via"
	if item.Link == paper.LinkOrigin && origin != "" {
		e.link, e.other, e.otherRel = origin, share, "related"
	}
	if item.Day != "" && item.Page.Number != "" { // an item of a feed has a day, but no edition
		e.issue = item.Paper + "-" + item.Day.Compact()
	}
	for _, s := range item.Sections {
		if s.Name = plain(s.Name); s.Name != "" {
			e.sections = append(e.sections, s)
		}
	}
	for _, d := range item.Districts {
		if d.Name = plain(d.Name); d.Name == "" {
			continue
		}
		e.districts = append(e.districts, d)
		if p := in.Feed.Points[d.Code]; e.point == "" && pointForm.MatchString(p) {
			e.point = p
		}
	}
	if item.State == paper.Withdrawn {
		e.title, e.description = wording(language)
		e.authors = append(e.authors, paperName(item))
		e.valid = "start=" + stamp(item.Published) + "; end=" + stamp(item.Updated) + "; scheme=W3C-DTF"
		// The gate blanks these; the formats must not bring back what it forgot.
		e.Kicker, e.Subtitle = "", ""
		return e
	}

	e.related = relations(item, in.Links.Base)
	e.Kicker, e.Subtitle = plain(item.Kicker), plain(item.Subtitle)
	e.description = flat(item.Summary)
	if e.description == "" {
		e.description = flat(NewCutter(item).Within(item.Text, 120))
	}
	e.title = cmp.Or(plain(item.Title()), e.Subtitle)
	if e.title == "" { // a picture without a headline: its words
		e.title = cmp.Or(plain(NewCutter(item).Within(e.description, 30)), item.ID)
	}
	if e.description == "" {
		e.description = flat(e.title)
	}
	for _, p := range item.Byline {
		name := plain(p.Name)
		switch {
		case name == "":
		case p.Role == paper.Editor:
			e.editors = append(e.editors, name)
		default:
			e.authors = append(e.authors, name)
		}
	}
	for _, name := range []string{plain(item.Agency), plain(item.PaperName), item.Paper} {
		if len(e.authors) == 0 && name != "" {
			e.authors = append(e.authors, name)
		}
	}
	for _, img := range item.Images {
		if img.URL = uri(img.URL); img.URL == "" {
			continue
		}
		img.Caption, img.Credit = plain(img.Caption), plain(img.Credit)
		img.Type = imageType(img)
		e.images = append(e.images, img)
	}
	for i := range e.images {
		if img := &e.images[i]; img.Type != "" && img.Length > 0 {
			e.enclosure = img
			break
		}
	}
	e.full = item.HTML != "" && !in.Profile.Summaries
	return e
}

func relations(item paper.Item, base string) []Related {
	if item.State == paper.Withdrawn {
		return nil
	}
	var all []Related
	for _, r := range item.Related {
		one := Related{
			Relation: r.Relation, ID: r.ID, URL: uri(Links{Base: base}.Article(r.ID)),
			Title: plain(r.Title), Day: r.Day, Page: line(r.Page.Number),
		}
		if one.Title == "" {
			one.Title = plain(r.ID)
		}
		if one.URL != "" {
			all = append(all, one)
		}
	}
	return all
}

// imageType is the picture's media type: as its server said, else by the
// ending of its path, else empty.
func imageType(img paper.Image) string {
	if t, _, err := mime.ParseMediaType(img.Type); err == nil && strings.HasPrefix(t, "image/") {
		return t
	}
	p, _, _ := strings.Cut(img.URL, "?")
	switch strings.ToLower(path.Ext(p)) {
	case ".jpg", ".jpeg":
		return "image/jpeg"
	case ".png":
		return "image/png"
	case ".gif":
		return "image/gif"
	case ".webp":
		return "image/webp"
	}
	return ""
}

// whole is the article's body as it was printed, empty where the view sees none: kicker and subtitle, which
// have no field of their own in most readers, then the pictures that the body
// does not show itself, then the body, its pictures with their sizes. Pictures
// are plain <img> elements, because several schedulers do not look into <figure>.
func (e *entry) whole() string {
	if !e.full {
		return ""
	}
	var b strings.Builder
	body := clean(e.HTML)
	b.Grow(len(body) + 512)
	if e.Kicker != "" {
		b.WriteString("<p>" + html.EscapeString(e.Kicker) + "</p>\n")
	}
	if e.Subtitle != "" {
		b.WriteString("<p><strong>" + html.EscapeString(e.Subtitle) + "</strong></p>\n")
	}
	body, shown := sized(body, e.images)
	for _, img := range e.images {
		if shown[img.URL] {
			continue
		}
		b.WriteString(`<p><img src="` + html.EscapeString(img.URL) + `" alt="` + html.EscapeString(img.Caption) + `"`)
		if img.Width > 0 && img.Height > 0 {
			b.WriteString(` width="` + strconv.Itoa(img.Width) + `" height="` + strconv.Itoa(img.Height) + `"`)
		}
		b.WriteString("></p>\n")
		if legend := legend(img, e.tongue); legend != "" {
			b.WriteString("<p>" + html.EscapeString(legend) + "</p>\n")
		}
	}
	b.WriteString(body)
	return b.String()
}

// legend is a picture's caption with its credit, as a newspaper prints them.
func legend(img paper.Image, language string) string {
	credit := img.Credit
	switch {
	case credit == "":
	case chinese(language):
		credit += " 摄"
	default:
		credit = "Photo: " + credit
	}
	return strings.TrimSpace(img.Caption + " " + credit)
}

// sized gives the pictures in sanitised HTML the width and height that are
// known for them, and says which of the pictures the HTML shows. Schedulers
// take the first <img> that has both.
func sized(body string, images []paper.Image) (string, map[string]bool) {
	shown := make(map[string]bool, len(images))
	if len(images) == 0 || !strings.Contains(body, "<img") {
		return body, shown
	}
	var b strings.Builder
	for {
		at := strings.Index(body, "<img")
		if at < 0 {
			break
		}
		b.WriteString(body[:at])
		body = body[at:]
		z := xhtml.NewTokenizer(strings.NewReader(body))
		if tt := z.Next(); tt != xhtml.StartTagToken && tt != xhtml.SelfClosingTagToken {
			break
		}
		raw := len(z.Raw())
		t := z.Token()
		var src string
		attrs := t.Attr[:0]
		for _, a := range t.Attr {
			switch a.Key {
			case "src":
				src = uri(a.Val)
			}
			attrs = append(attrs, a)
		}
		for _, img := range images {
			if t.Data != "img" || src == "" || img.URL != src {
				continue
			}
			shown[src] = true
			if img.Width > 0 && img.Height > 0 {
				kept := attrs[:0]
				for _, a := range attrs {
					if a.Key != "width" && a.Key != "height" {
						kept = append(kept, a)
					}
				}
				t.Attr = append(kept, xhtml.Attribute{Key: "width", Val: strconv.Itoa(img.Width)},
					xhtml.Attribute{Key: "height", Val: strconv.Itoa(img.Height)})
				t.Type = xhtml.StartTagToken // <img>, not <img/>
			}
			break
		}
		b.WriteString(t.String())
		body = body[raw:]
	}
	b.WriteString(body)
	return b.String(), shown
}

// section is the newspaper's section as PRISM means it: ours, else the page's name.
func (e *entry) section() string {
	if len(e.sections) > 0 {
		return e.sections[0].Name
	}
	return plain(e.Page.Name)
}

// changed reports whether the item was corrected or withdrawn since its release.
func (e *entry) changed() bool { return e.Updated.After(e.Published) }

// stamp writes an instant as RFC 3339 in UTC with whole seconds. A scope that
// never rose has no instant; Atom must have one, and the clock may not be read,
// so it is the epoch.
func stamp(t time.Time) string {
	if t.IsZero() {
		t = time.Unix(0, 0)
	}
	return t.UTC().Truncate(time.Second).Format(time.RFC3339)
}

// completeMark names what a feed says of an edition of which nothing is missing:
// the domain of a category in RSS, the scheme of one in Atom.
const completeMark = "edition-complete"

// complete are the terms of those categories: demo/2026-03-18.
func (f Feed) complete() []string {
	terms := make([]string, len(f.Complete))
	for i, e := range f.Complete {
		terms[i] = e.Paper + "/" + string(e.Day)
	}
	return terms
}

// archive reports whether the document is an archive document that may be marked
// as one: no item joins or leaves it any more.
func (l Links) archive() bool { return l.Current != "" && !l.Open }

// maker is the generator's text: the program and the installation.
func (f Feed) maker() string {
	if site := plain(f.Site); site != "" && site != generator {
		return generator + " (" + site + ")"
	}
	return generator
}

// publisher is who the feed is from where an item names nobody.
func (f Feed) publisher() string {
	if site := plain(f.Site); site != "" {
		return site
	}
	return f.title()
}

// title is never empty, as every format demands.
func (f Feed) title() string {
	if t := plain(f.Title); t != "" {
		return t
	}
	return f.Scope.String()
}
