package papertest

import (
	"encoding/json"
	"fmt"
	"html"
	"slices"
	"strings"
	"time"

	"paperwire/internal/paper"
)

// feedLength is how many articles a feed holds: many papers cut at a round number.
const feedLength = 100

// dated is an article's own time in a feed: the morning of its day, the front
// page's lead last, so that newest first reads like the paper.
func (e *edition) dated(ordinal int) time.Time {
	return e.day.In(paper.Shanghai).Add(6*time.Hour - time.Duration(ordinal)*time.Second)
}

// feedItem is what the three feeds tell of one article.
type feedItem struct {
	*entry
	guid, url string
	dated     time.Time
	summary   string
	content   string
}

// items are the newest articles, newest first.
func (p *Publisher) items() []feedItem {
	var list []feedItem
	for _, e := range slices.Backward(p.editions) {
		n := 0
		for _, q := range e.pages {
			for _, x := range q.articles {
				it := feedItem{entry: x, url: p.base + p.articlePath(x), dated: e.dated(n)}
				n++
				it.guid = fmt.Sprintf("%s-%s-%s", p.opts.Key, e.day.Compact(), x.ID)
				var b strings.Builder
				for _, m := range x.images {
					fmt.Fprintf(&b, "<p><img src=\"%s\" alt=\"%s\" width=\"%d\" height=\"%d\"></p>", p.picture(x, m), html.EscapeString(m.Caption), m.Width, m.Height)
				}
				for _, s := range x.paragraphs("") {
					if !strings.HasPrefix(s, "<") {
						s = "<p>" + s + "</p>"
					}
					b.WriteString(s)
				}
				it.content = b.String()
				for _, s := range x.Paragraphs {
					if !strings.HasPrefix(s, "<") {
						it.summary = s
						break
					}
				}
				list = append(list, it)
				if len(list) == feedLength {
					return list
				}
			}
		}
	}
	return list
}

// picture is the absolute URL of an article's picture in the form of today.
func (p *Publisher) picture(x *entry, m *picture) string {
	return p.base + layouts[p.form].picture(p, x, m)
}

func (p *Publisher) feed(form Form) *file {
	f := &file{charset: p.opts.Charset, changed: p.clock}
	switch form {
	case RSS:
		f.kind, f.text = "application/rss+xml", p.rss
	case Atom:
		f.kind, f.text = "application/atom+xml", p.atom
	default:
		f.kind, f.charset, f.text = "application/feed+json", "utf-8", func(string) string { return p.jsonFeed() }
	}
	return f
}

func (p *Publisher) rss(label string) string {
	var b strings.Builder
	esc := html.EscapeString
	fmt.Fprintf(&b, "<?xml version=\"1.0\" encoding=\"%s\"?>\n<rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n<channel>\n", strings.ToUpper(label))
	fmt.Fprintf(&b, "<title>%s</title>\n<link>%s</link>\n<description>%s</description>\n<language>zh-CN</language>\n", esc(p.opts.Name), p.base+p.root+"/", esc(p.opts.Name+"数字报"))
	for _, it := range p.items() {
		fmt.Fprintf(&b, "<item>\n<title>%s</title>\n<link>%s</link>\n<guid isPermaLink=\"false\">%s</guid>\n<pubDate>%s</pubDate>\n", esc(oneLine(listTitle(it.entry))), esc(it.url), it.guid, it.dated.Format(time.RFC1123Z))
		if it.Page.Name != "" {
			fmt.Fprintf(&b, "<category>%s</category>\n", esc(it.Page.Name))
		}
		if it.Author != "" {
			fmt.Fprintf(&b, "<dc:creator>%s</dc:creator>\n", esc(it.Author))
		}
		fmt.Fprintf(&b, "<description>%s</description>\n<content:encoded><![CDATA[%s]]></content:encoded>\n", esc(it.summary), it.content)
		for i, m := range it.images {
			if i == 0 {
				fmt.Fprintf(&b, "<enclosure url=\"%s\" length=\"%d\" type=\"image/%s\"/>\n", esc(p.picture(it.entry, m)), len(m.data()), m.Format)
			}
		}
		b.WriteString("</item>\n")
	}
	b.WriteString("</channel>\n</rss>\n")
	return b.String()
}

func (p *Publisher) atom(label string) string {
	var b strings.Builder
	esc := html.EscapeString
	fmt.Fprintf(&b, "<?xml version=\"1.0\" encoding=\"%s\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"zh-CN\">\n", strings.ToUpper(label))
	fmt.Fprintf(&b, "<title>%s</title>\n<id>tag:%s.example,2026:feed</id>\n<link rel=\"self\" href=\"%s\"/>\n<link href=\"%s\"/>\n<updated>%s</updated>\n<author><name>%[1]s</name></author>\n",
		esc(p.opts.Name), p.opts.Key, p.base+p.root+feedPaths[Atom], p.base+p.root+"/", p.clock.Format(time.RFC3339))
	for _, it := range p.items() {
		// A correction moves updated by as much as the newsroom took after printing.
		updated := it.dated.Add(it.changed.Sub(it.added))
		fmt.Fprintf(&b, "<entry>\n<title>%s</title>\n<id>tag:%s.example,%s:%s</id>\n<link href=\"%s\"/>\n<published>%s</published>\n<updated>%s</updated>\n",
			esc(oneLine(listTitle(it.entry))), p.opts.Key, it.Day, it.ID, esc(it.url), it.dated.Format(time.RFC3339), updated.Format(time.RFC3339))
		if it.Page.Name != "" {
			fmt.Fprintf(&b, "<category term=\"%s\"/>\n", esc(it.Page.Name))
		}
		fmt.Fprintf(&b, "<summary>%s</summary>\n<content type=\"html\">%s</content>\n</entry>\n", esc(it.summary), esc(it.content))
	}
	b.WriteString("</feed>\n")
	return b.String()
}

func (p *Publisher) jsonFeed() string {
	type author struct {
		Name string `json:"name"`
	}
	type item struct {
		ID        string   `json:"id"`
		URL       string   `json:"url"`
		Title     string   `json:"title"`
		Content   string   `json:"content_html"`
		Summary   string   `json:"summary,omitempty"`
		Image     string   `json:"image,omitempty"`
		Published string   `json:"date_published"`
		Modified  string   `json:"date_modified,omitempty"`
		Authors   []author `json:"authors,omitempty"`
		Tags      []string `json:"tags,omitempty"`
	}
	feed := struct {
		Version string `json:"version"`
		Title   string `json:"title"`
		Home    string `json:"home_page_url"`
		Self    string `json:"feed_url"`
		Lang    string `json:"language"`
		Items   []item `json:"items"`
	}{"https://jsonfeed.org/version/1.1", p.opts.Name, p.base + p.root + "/", p.base + p.root + feedPaths[JSONFeed], "zh-CN", []item{}}
	for _, it := range p.items() {
		j := item{ID: it.guid, URL: it.url, Title: oneLine(listTitle(it.entry)), Content: it.content, Summary: it.summary, Published: it.dated.Format(time.RFC3339)}
		if it.changed.After(it.added) {
			j.Modified = it.dated.Add(it.changed.Sub(it.added)).Format(time.RFC3339)
		}
		if len(it.images) > 0 {
			j.Image = p.picture(it.entry, it.images[0])
		}
		if it.Author != "" {
			j.Authors = []author{{it.Author}}
		}
		if it.Page.Name != "" {
			j.Tags = []string{it.Page.Name}
		}
		feed.Items = append(feed.Items, j)
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(feed); err != nil {
		panic(err)
	}
	return b.String()
}
