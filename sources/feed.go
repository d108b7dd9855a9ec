package sources

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"mime"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	xhtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	atomfeed "github.com/mmcdole/gofeed/atom"
	ext "github.com/mmcdole/gofeed/extensions"
	jsonfeed "github.com/mmcdole/gofeed/json"
	"github.com/mmcdole/gofeed/rss"
)

// Platform feed reads RSS, Atom and JSON Feed with gofeed's format parsers,
// behind a pre-pass that caps and repairs (repair.go) and with dates of our own
// (date.go). The merged feed of gofeed is not used: it resolves ids, invents
// published and loses schemes.
func init() {
	register(platform{
		info: Info{
			Name:   "feed",
			About:  "RSS 0.9–2.0, Atom 0.3 and 1.0, JSON Feed 1.0 and 1.1",
			Shapes: []string{"rss.xml", "atom.xml", "feed.json"},
		},
		sniff: func(s Source, d *document) bool { return looksFeed(d) },
		find: func(_ context.Context, _ Getter, s Source, w Want, d *document) (Found, error) {
			e, name, err := readFeed(s, w, d)
			if err != nil {
				return Found{}, &UnknownError{URL: d.url.String(), Reason: err.Error()}
			}
			return Found{Platform: "feed", Name: name, Editions: []Edition{e}}, nil
		},
		parse: func(s Source, d *document) (Parsed, bool) {
			if !looksFeed(d) {
				return Parsed{}, false
			}
			e, name, err := readFeed(s, Want{}, d)
			if err != nil {
				return Parsed{Kind: "unknown", Reason: err.Error()}, true
			}
			return Parsed{Kind: "feed", Platform: "feed", Feed: &e, Title: name}, true
		},
	})
}

// looksFeed decides by the root of the document, because content types lie.
func looksFeed(d *document) bool {
	head := bytes.TrimLeft(d.body, "\ufeff \t\r\n")
	// A licence of many KB may stand before the root.
	for {
		end := "?>"
		if bytes.HasPrefix(head, []byte("<!--")) {
			end = "-->"
		} else if !bytes.HasPrefix(head, []byte("<?")) {
			break
		}
		n := bytes.Index(head, []byte(end))
		if n < 0 {
			break
		}
		head = bytes.TrimLeft(head[n+len(end):], " \t\r\n")
	}
	if head = head[:min(len(head), 8192)]; len(head) == 0 {
		return false
	}
	if head[0] == '{' {
		return strings.Contains(d.contentType, "json") || bytes.Contains(head, []byte("jsonfeed.org/")) || bytes.Contains(head, []byte(`"items"`))
	}
	for _, page := range []string{"<!doctype html", "<html"} {
		if len(head) >= len(page) && strings.EqualFold(string(head[:len(page)]), page) {
			return false
		}
	}
	low := bytes.ToLower(head)
	return (bytes.Contains(low, []byte("<rss")) || bytes.Contains(low, []byte("<rdf:rdf")) || bytes.Contains(low, []byte("feed"))) && feedRoot.Match(low)
}

var feedRoot = regexp.MustCompile(`<(?:rss|rdf:rdf|(?:[a-z]+:)?feed)[\s>]`)

// item is what the three formats have in common, as written.
type item struct {
	guid, link   string
	permalink    bool // the guid may stand in for a link that is missing
	title        string
	dates        []string // the surest first
	content      string
	contentPlain bool
	summary      string
	authors      []string
	columns      []string
	agency       string
	base         string // xml:base in force
	pictures     []Image
	thumbnails   []Image
	language     string
}

// readFeed reads a feed document whole: one edition without a day.
func readFeed(s Source, w Want, d *document) (e Edition, name string, err error) {
	// The parsers below are other people's code at work on other people's bytes.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("parse feed: %v", r)
		}
	}()
	var items []item
	var site, language string
	head := bytes.TrimLeft(d.body, "\ufeff \t\r\n")
	e.URL = d.url.String()
	if len(head) > 0 && head[0] == '{' {
		var cut bool
		if head, cut, err = repairJSON(head[:min(len(head), maxFeed)]); err == nil {
			items, name, site, language, err = readJSONFeed(head)
		}
		if cut {
			e.Partial, e.Problem = true, "the feed's tail is missing"
		}
	} else {
		var r repaired
		if r, err = repair(head); err == nil {
			e.Partial, e.Problem = r.cut != "", r.cut
			switch {
			case r.root == "feed":
				items, name, site, language, err = readAtom(r)
			case r.root == "rss" || r.root == "rdf":
				items, name, site, language, err = readRSS(r)
			default:
				err = fmt.Errorf("its root is <%s>, which is no feed", r.root)
			}
		}
	}
	if err != nil {
		return e, "", fmt.Errorf("parse feed: %w", err)
	}
	name = plain(name)
	if len(items) > maxItems {
		items, e.Partial, e.Problem = items[:maxItems], true, fmt.Sprintf("more than %d items", maxItems)
	}
	if len(items) == 0 && name == "" {
		return e, "", errors.New("parse feed: it has neither a title nor items")
	}
	base := d.url
	if u := resolve(d.url, site); u != nil {
		base = u
	}
	oneGuid := len(items) > 2
	for _, i := range items {
		oneGuid = oneGuid && i.guid == items[0].guid
	}
	seen := map[string]bool{}
	for _, i := range items {
		if oneGuid {
			i.guid = "" // every item claims to be the same one
		}
		if i.language == "" {
			i.language = language
		}
		r := i.ref(s, w, d.url, base)
		if seen[r.Origin] || r.URL == "" && r.Title == "" && r.Printed.Body == "" && len(r.Printed.Images) == 0 {
			continue
		}
		seen[r.Origin] = true
		r.Ordinal, r.Position = len(e.Refs), len(e.Refs)+1
		e.Refs = append(e.Refs, r)
	}
	return e, name, nil
}

// ref makes an item a reference that holds its whole article.
func (i item) ref(s Source, w Want, feed, site *url.URL) Ref {
	zone := s.zone()
	p := &Printed{Headline: plain(i.title), Agency: plain(i.agency), Language: i.language}
	var date string
	for _, raw := range i.dates {
		if m := readDate(raw, zone, w.Now); m.day != "" {
			p.Day, p.Dated = m.day, m.at
			break
		}
	}
	for _, raw := range i.dates {
		if raw != "" {
			date = raw
			break
		}
	}
	if p.Day == "" {
		p.Day = w.Today
	}
	// Links resolve against xml:base where there is one, else against the site
	// that the feed names, else against the feed itself.
	base := site
	if i.base != "" {
		if u := resolve(feed, i.base); u != nil {
			base = u
		}
	}
	if u := resolve(base, i.link); u != nil {
		p.URL = u.String()
	} else if u := resolve(feed, i.guid); u != nil && i.permalink && strings.Contains(i.guid, "://") {
		p.URL = u.String()
	}
	within := base
	if u, err := url.Parse(p.URL); err == nil && u.Host != "" && i.base == "" {
		within = u
	}
	p.Body, p.Summary = i.content, i.summary
	if p.Body == "" {
		p.Body, p.Summary, i.contentPlain = i.summary, "", i.contentPlain && i.content != ""
	}
	p.Body = bodyHTML(p.Body, i.contentPlain, within)
	p.Summary = bodyHTML(p.Summary, false, within)
	var authors []string
	for _, a := range i.authors {
		if a = authorName(a); a != "" && !slices.Contains(authors, a) {
			authors = append(authors, a)
		}
	}
	p.Author = strings.Join(authors, "、")
	for _, c := range i.columns {
		if c = plain(c); c != "" && utf8.RuneCountInString(c) <= 60 && !slices.Contains(p.Columns, c) && len(p.Columns) < 50 {
			p.Columns = append(p.Columns, c)
		}
	}
	pictures := i.pictures
	if len(pictures) == 0 && !strings.Contains(p.Body, "<img") {
		pictures = i.thumbnails[:min(len(i.thumbnails), 1)]
	}
	known := map[string]bool{}
	for _, img := range pictures {
		u := resolve(within, img.URL)
		if u == nil || known[u.String()] || len(p.Images) >= 50 {
			continue
		}
		known[u.String()] = true
		img.URL = u.String()
		p.Images = append(p.Images, img)
	}
	p.Images = notInBody(p.Images, p.Body)
	if p.Headline == "" {
		first, _, _ := strings.Cut(p.Body, "</p>")
		if p.Headline = firstClause(plain(first)); p.Headline == "" {
			p.Headline = firstClause(plain(p.Summary))
		}
	}

	key := i.guid
	if key == "" {
		key = i.link
	}
	if key == "" {
		key = i.title + "\n" + date
	}
	if key == "\n" {
		key = i.content + "\n" + i.summary
	}
	sum := sha256.Sum256([]byte(key))
	r := Ref{URL: p.URL, Origin: hex.EncodeToString(sum[:8]), Title: p.Headline, Printed: p}
	for _, k := range []string{i.guid, i.link, p.URL} {
		if k != "" && (k == i.guid || strings.Contains(k, "://")) && !slices.Contains(r.Also, k) {
			r.Also = append(r.Also, k)
		}
	}
	return r
}

// firstClause heads an item that has no title, as microblogs have none.
func firstClause(s string) string {
	const least, most = 6, 40 // characters
	n := 0
	for i, r := range s {
		if n == most || n >= least && strings.ContainsRune("。！？!?\n", r) {
			return s[:i]
		}
		n++
	}
	return s
}

var (
	hasTag    = regexp.MustCompile(`<(?:[a-zA-Z][a-zA-Z0-9]*[\s/>]|/[a-zA-Z]|!--)`)
	mailbox   = regexp.MustCompile(`^\S+@\S+ \((.+)\)$`)
	onlyMail  = regexp.MustCompile(`^[^\s@]+@[^\s@]+$`)
	mailAfter = regexp.MustCompile(` ?[(<]\S+@\S+[)>]$`)
)

// authorName is the name of a person as RSS writes it: name, mail (name), or a
// mail address alone, which is nobody's name.
func authorName(s string) string {
	s = plain(s)
	if m := mailbox.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	if onlyMail.MatchString(s) || utf8.RuneCountInString(s) > 100 {
		return ""
	}
	return mailAfter.ReplaceAllString(s, "")
}

// bodyHTML makes content HTML with absolute links. Text without any tag becomes
// paragraphs, one a line.
func bodyHTML(s string, isPlain bool, base *url.URL) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	if isPlain || !hasTag.MatchString(s) {
		if !isPlain {
			s = html.UnescapeString(s)
		}
		var b strings.Builder
		for line := range strings.Lines(s) {
			if line = collapse(line); line != "" {
				b.WriteString("<p>" + html.EscapeString(line) + "</p>")
			}
		}
		return b.String()
	}
	if finished(s) {
		return s
	}
	return rewritten(s, base)
}

// rewritten is a fragment of HTML parsed and written as a body.
func rewritten(s string, base *url.URL) string {
	div := &xhtml.Node{Type: xhtml.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := xhtml.ParseFragment(bytes.NewReader(tame([]byte(s))), div)
	if err != nil {
		return "<p>" + html.EscapeString(plain(s)) + "</p>"
	}
	for _, n := range nodes {
		div.AppendChild(n)
	}
	return innerHTML(div, base)
}

// finished reports whether a body is written already as it would be after parsing
// and rendering: paragraphs one after the other, in them text, line breaks and
// single marks of emphasis, nothing with an attribute. Every second feed's are.
func finished(s string) bool {
	for s != "" {
		ok := false
		if s, ok = strings.CutPrefix(s, "<p>"); !ok {
			return false
		}
		open := ""
	inside:
		for {
			i := strings.IndexAny(s, "<>&\"'\r\x00")
			if i < 0 {
				return false
			}
			s = s[i:]
			for _, word := range finishedWords {
				if rest, ok := strings.CutPrefix(s, word); ok {
					s = rest
					continue inside
				}
			}
			for _, tag := range finishedTags {
				if rest, ok := strings.CutPrefix(s, tag[0]); ok && open == "" {
					s, open = rest, tag[1]
					continue inside
				}
			}
			if rest, ok := strings.CutPrefix(s, "</p>"); ok && open == "" {
				s = rest
				break
			}
			rest, ok := strings.CutPrefix(s, open)
			if !ok || open == "" {
				return false
			}
			s, open = rest, ""
		}
		s = strings.TrimLeft(s, " \t\n")
	}
	return true
}

var (
	finishedWords = []string{"<br/>", "&amp;", "&lt;", "&gt;", "&#34;", "&#39;"}
	finishedTags  = [][2]string{{"<strong>", "</strong>"}, {"<em>", "</em>"}, {"<b>", "</b>"}, {"<i>", "</i>"}}
)

// ---- RSS

func readRSS(r repaired) (items []item, name, site, language string, err error) {
	f, err := (&rss.Parser{}).Parse(bytes.NewReader(r.xml))
	if err != nil {
		return nil, "", "", "", err
	}
	for n, x := range f.Items {
		i := item{title: x.Title, link: x.Link, content: r.back(x.Content), summary: r.back(x.Description), permalink: true}
		if n < len(r.base) {
			i.base = r.base[n]
		}
		if x.GUID != nil {
			i.guid = strings.TrimSpace(x.GUID.Value)
			i.permalink = !strings.EqualFold(x.GUID.IsPermalink, "false")
		}
		if v := value(x.Extensions, "feedburner", "origLink"); v != "" {
			i.link = v
		}
		i.link = strings.TrimSpace(i.link)
		i.dates = []string{x.PubDate}
		if x.DublinCoreExt != nil {
			i.dates = append(i.dates, x.DublinCoreExt.Date...)
			i.authors = append(i.authors, x.DublinCoreExt.Creator...)
			i.authors = append(i.authors, x.DublinCoreExt.Author...)
			i.columns = append(i.columns, x.DublinCoreExt.Subject...)
			i.title = or(i.title, x.DublinCoreExt.Title)
			i.summary = r.back(or(i.summary, x.DublinCoreExt.Description))
		}
		if len(i.authors) == 0 {
			i.authors = []string{x.Author}
		}
		for _, prefix := range []string{"dcterms", "atom", "a10"} {
			for _, key := range []string{"created", "issued", "published", "modified", "updated"} {
				i.dates = append(i.dates, value(x.Extensions, prefix, key))
			}
		}
		for _, key := range []string{"pubTime", "pubdate", "date", "time", "publishDate"} {
			i.dates = append(i.dates, x.Custom[key])
		}
		for _, key := range []string{"content", "fulltext", "body", "full-text"} {
			if i.content == "" {
				i.content = x.Custom[key]
			}
		}
		for _, c := range x.Categories {
			i.columns = append(i.columns, c.Value)
		}
		if x.Source != nil {
			i.agency = x.Source.Title
		}
		for _, e := range x.Enclosures {
			length, _ := strconv.ParseInt(strings.TrimSpace(e.Length), 10, 64)
			if img, ok := picture(e.URL, e.Type, "", max(length, 0)); ok {
				i.pictures = append(i.pictures, img)
			}
		}
		i.media(x.Extensions)
		items = append(items, i)
	}
	name, language = f.Title, f.Language
	if f.DublinCoreExt != nil {
		name, language = or(name, f.DublinCoreExt.Title), or(language, f.DublinCoreExt.Language)
	}
	return items, name, f.Link, language, nil
}

// or is s, else the first of a Dublin Core element.
func or(s string, dc []string) string {
	if s == "" && len(dc) > 0 {
		return dc[0]
	}
	return s
}

// value is the text of the first extension element of a name.
func value(e ext.Extensions, prefix, name string) string {
	if list := e[prefix][name]; len(list) > 0 {
		return strings.TrimSpace(list[0].Value)
	}
	return ""
}

// media takes the pictures of Media RSS, also in groups.
func (i *item) media(e ext.Extensions) {
	var take func(children map[string][]ext.Extension, depth int)
	take = func(children map[string][]ext.Extension, depth int) {
		if depth > 4 {
			return
		}
		for _, c := range children["content"] {
			length, _ := strconv.ParseInt(c.Attrs["fileSize"], 10, 64)
			img, ok := picture(c.Attrs["url"], c.Attrs["type"], c.Attrs["medium"], max(length, 0))
			if ok {
				img.Width, _ = strconv.Atoi(c.Attrs["width"])
				img.Height, _ = strconv.Atoi(c.Attrs["height"])
				img.Width, img.Height = max(img.Width, 0), max(img.Height, 0)
				for _, key := range []string{"description", "title"} {
					if list := c.Children[key]; len(list) > 0 && img.Caption == "" {
						img.Caption = plain(list[0].Value)
					}
				}
				i.pictures = append(i.pictures, img)
			}
			take(c.Children, depth+1)
		}
		for _, g := range children["group"] {
			take(g.Children, depth+1)
		}
		for _, t := range children["thumbnail"] {
			if u := t.Attrs["url"]; u != "" {
				i.thumbnails = append(i.thumbnails, Image{URL: u})
			}
		}
	}
	take(e["media"], 0)
}

// picture tells whether a media object is a picture, by its type, its medium,
// or its name.
func picture(at, kind, medium string, length int64) (Image, bool) {
	if at == "" {
		return Image{}, false
	}
	if m, _, err := mime.ParseMediaType(kind); err == nil {
		kind = m
	}
	named := false
	if u, err := url.Parse(at); err == nil {
		switch strings.ToLower(path.Ext(u.Path)) {
		case ".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".avif":
			named = true
		}
	}
	switch {
	case strings.HasPrefix(kind, "image/"):
	case kind == "" && (medium == "image" || medium == "" && named):
	case medium == "image":
		kind = ""
	default:
		return Image{}, false
	}
	return Image{URL: at, Type: kind, Length: length}, true
}

// ---- Atom

func readAtom(r repaired) (items []item, name, site, language string, err error) {
	f, err := (&atomfeed.Parser{}).Parse(bytes.NewReader(r.xml))
	if err != nil {
		return nil, "", "", "", err
	}
	whole := len(f.Entries) == len(r.ids)
	for n, x := range f.Entries {
		i := item{guid: strings.TrimSpace(x.ID), title: x.Title, summary: x.Summary, permalink: true}
		if whole {
			// As written: the parser resolves and normalises ids.
			i.base = r.base[n]
			if r.ids[n] != "" {
				i.guid = r.ids[n]
			}
		}
		i.link = alternate(x.Links)
		i.dates = []string{x.Published, x.Updated}
		for _, prefix := range []string{"dc", "dcterms"} {
			for _, key := range []string{"date", "issued", "created"} {
				i.dates = append(i.dates, value(x.Extensions, prefix, key))
			}
		}
		if c := x.Content; c != nil && c.Src == "" {
			switch kind := strings.ToLower(c.Type); {
			case kind == "" || kind == "text" || kind == "text/plain":
				// Many write HTML under type text.
				i.content, i.contentPlain = c.Value, !hasTag.MatchString(c.Value)
			case strings.Contains(kind, "html") || strings.HasSuffix(kind, "xml") || strings.HasPrefix(kind, "text/"):
				i.content = c.Value
			}
		}
		for _, a := range x.Authors {
			i.authors = append(i.authors, a.Name)
		}
		for _, c := range x.Categories {
			if c.Label != "" {
				i.columns = append(i.columns, c.Label)
			} else {
				i.columns = append(i.columns, c.Term)
			}
		}
		if x.Source != nil {
			i.agency = x.Source.Title
		}
		for _, l := range x.Links {
			if l.Rel == "enclosure" {
				length, _ := strconv.ParseInt(strings.TrimSpace(l.Length), 10, 64)
				if img, ok := picture(l.Href, l.Type, "", max(length, 0)); ok {
					img.Caption = plain(l.Title)
					i.pictures = append(i.pictures, img)
				}
			}
		}
		i.media(x.Extensions)
		items = append(items, i)
	}
	return items, f.Title, alternate(f.Links), f.Language, nil
}

// alternate is the link to the document itself (RFC 4287 §4.2.7.2), HTML first.
func alternate(links []*atomfeed.Link) string {
	best := ""
	for _, l := range links {
		if l.Rel != "" && !strings.EqualFold(l.Rel, "alternate") || l.Href == "" {
			continue
		}
		if best == "" || strings.Contains(l.Type, "html") {
			best = l.Href
			if l.Type == "" || strings.Contains(l.Type, "html") {
				break
			}
		}
	}
	return best
}

// ---- JSON Feed

func readJSONFeed(body []byte) (items []item, name, site, language string, err error) {
	var f struct {
		Title    any               `json:"title"`
		Home     any               `json:"home_page_url"`
		Language any               `json:"language"`
		Items    []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(body, &f); err != nil {
		return nil, "", "", "", err
	}
	if f.Items == nil {
		return nil, "", "", "", errors.New("JSON without items, which is no JSON Feed")
	}
	str := func(v any) string { s, _ := v.(string); return s }
	for _, raw := range f.Items[:min(len(f.Items), maxItems+1)] {
		x, ok := jsonItem(raw)
		if !ok {
			continue
		}
		i := item{guid: strings.TrimSpace(x.ID), link: strings.TrimSpace(x.URL), title: html.EscapeString(x.Title), permalink: true, language: x.Language}
		if i.link == "" {
			i.link = x.ExternalURL
		}
		i.dates = []string{x.DatePublished, x.DateModified}
		i.content, i.summary = x.ContentHTML, x.Summary
		if i.content == "" {
			i.content, i.contentPlain = x.ContentText, true
		}
		authors := x.Authors
		if x.Author != nil {
			authors = append(authors, x.Author)
		}
		for _, a := range authors {
			if a != nil {
				i.authors = append(i.authors, html.EscapeString(a.Name))
			}
		}
		for _, t := range x.Tags {
			i.columns = append(i.columns, html.EscapeString(t))
		}
		for _, u := range []string{x.Image, x.BannerImage} {
			if u != "" {
				i.pictures = append(i.pictures, Image{URL: u})
				break
			}
		}
		if x.Attachments != nil {
			for _, a := range *x.Attachments {
				if img, ok := picture(a.URL, a.MimeType, "", max(a.SizeInBytes, 0)); ok {
					img.Caption = a.Title
					i.pictures = append(i.pictures, img)
				}
			}
		}
		items = append(items, i)
	}
	return items, html.EscapeString(str(f.Title)), str(f.Home), str(f.Language), nil
}

// jsonItem decodes one item. Where a member has the wrong type, such as a
// numeric id, the strings among its members still count.
func jsonItem(raw json.RawMessage) (*jsonfeed.Item, bool) {
	var x jsonfeed.Item
	if err := json.Unmarshal(raw, &x); err == nil {
		return &x, true
	}
	var loose map[string]any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&loose); err != nil || loose == nil {
		return nil, false
	}
	for key, v := range loose {
		switch v := v.(type) {
		case json.Number:
			loose[key] = v.String()
		case string:
		case []any:
			if key != "tags" && key != "authors" && key != "attachments" {
				delete(loose, key)
			}
		default:
			delete(loose, key)
		}
	}
	for _, drop := range []string{"", "attachments", "authors", "tags"} {
		delete(loose, drop)
		again, err := json.Marshal(loose)
		if err != nil {
			return nil, false
		}
		x = jsonfeed.Item{}
		if json.Unmarshal(again, &x) == nil {
			return &x, true
		}
	}
	return nil, false
}
