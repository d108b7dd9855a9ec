package web

import (
	"cmp"
	"net/url"
	"path"
	"slices"
	"unicode/utf8"

	"paperwire/internal/paper"
	"paperwire/syndicate/card"
)

// preview is a post as its platform would show it, drawn by us, with what it takes
// to post it.
type preview struct {
	ID      string // of its elements begins so
	Key     string // of the platform
	Name    string // of the platform, for people
	Lang    string // of the texts
	Form    string // how it is drawn: wall, chat, note, cover or side
	Account string // who posts it
	Initial string // in the place of the account's picture
	Words   string // the post itself, of platforms that take one text
	Image   string // href of what is shown, and of what is downloaded
	Alt     string
	Width   int // pixels of the picture
	Height  int
	File    string // name of the picture where it is kept
	Lines   []line // of the card, from above
	Texts   []text
	URL     string
	Intent  string
	All     string // href: the same for all platforms; empty beside them
}

// line is one line of a card as platforms draw it: title, desc, host, site.
type line struct{ Kind, Text, ID string }

// text is one of the texts to copy.
type text struct {
	ID        string // of the element that holds it
	Name      string // what the platform calls it
	Length    int
	Limit     int
	Unit      string
	Truncated bool
}

// manner is how a platform draws a post: its form, and the lines of its card. A
// wall and a chat show one text with its card below; the others only a card.
type manner struct {
	form  string
	lines []string
}

// manners are by platform. Lines that are named like a field of the post show that
// field; title is the post's text where it takes several, else the card's.
var manners = map[string]manner{
	"x":            {"wall", []string{"title", "host"}},
	"facebook":     {"wall", []string{"host", "title", "desc"}},
	"linkedin":     {"wall", []string{"title", "host"}},
	"mastodon":     {"wall", []string{"site", "title", "desc"}},
	"bluesky":      {"wall", []string{"title", "desc", "host"}},
	"threads":      {"wall", []string{"host", "title"}},
	"weibo":        {"wall", nil}, // the picture is posted beside the text
	"telegram":     {"chat", []string{"site", "title", "desc"}},
	"feishu":       {"note", []string{"title", "text", "link"}},
	"wecom":        {"cover", []string{"title", "description"}},
	"wechat_draft": {"cover", []string{"title", "author", "digest"}},
	"wechat_reply": {"cover", []string{"title", "description"}},
	"miniprogram":  {"cover", []string{"site", "title"}},
	"wechat_share": {"side", []string{"title", "desc", "site"}},
	"qq":           {"side", []string{"title", "summary", "site"}},
	"dingtalk":     {"side", []string{"title", "text"}},
}

// preview draws what a platform gets of an article. id is unlike those of the
// other previews on the page.
func (p *page) preview(it paper.Item, doc card.Document, platform card.Platform, id string) preview {
	post := doc.Platforms[platform.Key]
	how, known := manners[platform.Key]
	if !known { // one that came later
		how = manner{"wall", []string{"title", "desc", "host"}}
	}
	v := preview{
		ID: "p" + id, Key: platform.Key, Name: p.platform(platform), Lang: p.langOf(it.Language, doc.Title), Form: how.form,
		Account: doc.SiteName, URL: post.URL, Intent: webURL(post.Intent),
	}
	first, _ := utf8.DecodeRuneInString(doc.SiteName)
	v.Initial = string(first)
	if src := webURL(post.Image); src != "" && how.form != "note" { // which has no picture
		v.Image = p.site.within(src)
		v.File = it.ID + "-" + platform.Image + cmp.Or(path.Ext(v.Image), ".jpg")
		size := sizeNamed(platform.Image)
		v.Width, v.Height = size.Width, size.Height
		if og := doc.Images.OG; p.site.opts.Links.Look == "" && og != nil { // the article's own picture
			v.Width, v.Height = og.Width, og.Height
		}
		if og := doc.Images.OG; og != nil && og.Alt != doc.Title { // which stands beside it
			v.Alt = og.Alt
		}
	}
	several := how.form != "wall" && how.form != "chat" // then the post's text is a title
	whole := text{ID: v.ID + "-text", Name: "field_post", Length: post.Length, Limit: post.Limit, Unit: p.unit(post.Unit), Truncated: post.Truncated}
	if several {
		whole.ID, whole.Name = v.ID+"-title", "field_title"
	} else {
		v.Words = post.Text
	}
	v.Texts = append(v.Texts, whole)
	shown := func(kind string) line {
		l := line{Kind: kind}
		switch kind {
		case "title":
			if l.Text = doc.Title; several {
				l.Text, l.ID = post.Text, whole.ID
			}
		case "desc":
			l.Text = doc.Description
		case "host":
			if u, err := url.Parse(doc.URL); err == nil {
				l.Text = u.Hostname()
			}
		case "site":
			l.Text = doc.SiteName
		case "link":
			l.Text = post.URL
		}
		for _, f := range post.Fields {
			if f.Name == kind {
				l.Text, l.ID = f.Text, v.ID+"-"+kind
			}
		}
		return l
	}
	for _, kind := range how.lines {
		if l := shown(kind); l.Text != "" {
			v.Lines = append(v.Lines, l)
		}
	}
	for _, f := range post.Fields {
		if f.Text == "" || f.Text == post.Text {
			continue // a caption that is the text
		}
		one := text{ID: v.ID + "-" + f.Name, Name: "field_" + f.Name, Length: f.Length, Limit: f.Limit, Unit: p.unit(f.Unit), Truncated: f.Truncated}
		if _, ok := messages[one.Name]; !ok {
			one.Name = "field_post"
		}
		if !slices.ContainsFunc(v.Lines, func(l line) bool { return l.ID == one.ID }) {
			v.Lines = append(v.Lines, line{"more", f.Text, one.ID})
		}
		v.Texts = append(v.Texts, one)
	}
	return v
}

// platform is the name of a platform in the language of the page.
func (l locale) platform(p card.Platform) string {
	if _, ok := messages["platform_"+p.Key]; ok {
		return l.plain("platform_" + p.Key)
	}
	return p.Name
}

// unit is what a platform counts, in the language of the page.
func (l locale) unit(name string) string {
	switch name {
	case "bytes":
		return l.plain("unit_bytes")
	case "graphemes":
		return l.plain("unit_graphemes")
	case "UTF-16 units":
		return l.plain("unit_utf")
	case "Han characters":
		return l.plain("unit_han")
	case "weighted characters":
		return l.plain("unit_weighted")
	case "characters, emoji as bytes":
		return l.plain("unit_threads")
	}
	return name
}

func sizeNamed(name string) card.Size {
	sizes := card.Sizes()
	i := slices.IndexFunc(sizes, func(s card.Size) bool { return s.Name == name })
	if i < 0 {
		return card.Size{}
	}
	return sizes[i]
}
