package sources

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/html"

	"paperwire/internal/fetch"
	"paperwire/internal/paper"
)

// Platform sitemap takes what a site tells search engines (sitemaps.org 0.9, with
// Google's news extension) for its list of articles, and reads each from its page.
// It is an edition without a day, as a feed is.
func init() {
	register(platform{
		info: Info{
			Name:   "sitemap",
			About:  "sitemaps, indexes of sitemaps and news sitemaps, plain or gzip; articles from their pages by schema.org, Open Graph or readability",
			Shapes: []string{"sitemap.xml", "sitemap_index.xml", "sitemap-news.xml.gz"},
		},
		sniff: func(_ Source, d *document) bool { return sitemapRoot(d.body) != "" },
		find:  findSitemap,
		read:  readWeb,
		parse: parseSitemap,
	})
}

// Caps of a sitemap. The standard allows 50 MB and 50,000 addresses.
const (
	maxSitemap     = 50 << 20 // bytes after decompression
	maxSitemapURLs = 50_000
	maxSitemaps    = 5   // of an index, the newest
	maxSitemapRefs = 300 // taken, the newest
	sitemapWindow  = 7 * 24 * time.Hour
)

// entry is one <url> or <sitemap>.
type entry struct {
	loc, lastmod                      string
	title, published, paper, language string // of the news extension
	image                             string
	at                                moment // of lastmod or published
}

var sitemapStart = regexp.MustCompile(`(?i)<(?:[a-z0-9]+:)?(urlset|sitemapindex)[\s>]`)

// sitemapRoot is urlset or sitemapindex, or empty where a document is neither.
func sitemapRoot(body []byte) string {
	body = inflated(body)
	if m := sitemapStart.FindSubmatch(body[:min(len(body), 8192)]); m != nil && !bytes.Contains(bytes.ToLower(body[:min(len(body), 512)]), []byte("<html")) {
		return strings.ToLower(string(m[1]))
	}
	return ""
}

// inflated undoes gzip where a body is it, up to the cap: a .gz is sent as a file
// and not as an encoding.
func inflated(body []byte) []byte {
	if !bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		return body
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil
	}
	out, err := io.ReadAll(io.LimitReader(z, maxSitemap+1))
	if err != nil && len(out) == 0 || len(out) > maxSitemap {
		return nil
	}
	text, _ := fetch.Decode(out, "text/xml")
	return text
}

// readSitemap reads the entries of a sitemap. It is read as tags, not as XML: one
// bad byte would otherwise lose it, and nothing of it can nest or expand.
func readSitemap(body []byte) (list []entry, cut bool, err error) {
	body = inflated(body)
	if len(body) == 0 {
		return nil, false, errors.New("empty, or over the cap when decompressed")
	}
	t := html.NewTokenizer(bytes.NewReader(body))
	t.SetMaxBuf(64 << 10)
	t.AllowCDATA(true)
	var e *entry
	var to *string
	for {
		switch t.Next() {
		case html.ErrorToken:
			if !errors.Is(t.Err(), io.EOF) {
				return list, true, nil
			}
			return list, e != nil, nil
		case html.StartTagToken:
			raw, _ := t.TagName()
			name := string(raw)
			prefix, local, ok := strings.Cut(name, ":")
			if !ok {
				prefix, local = "", name
			}
			to = nil
			switch {
			case local == "url" || local == "sitemap":
				if len(list) >= maxSitemapURLs {
					return list, true, nil
				}
				e = &entry{}
			case e == nil:
			case prefix == "image":
				if local == "loc" {
					to = &e.image
				}
			case prefix == "video":
			case local == "loc":
				to = &e.loc
			case local == "lastmod":
				to = &e.lastmod
			case prefix == "news" && local == "title":
				to = &e.title
			case local == "publication_date":
				to = &e.published
			case prefix == "news" && local == "name":
				to = &e.paper
			case prefix == "news" && local == "language":
				to = &e.language
			}
		case html.TextToken:
			if to != nil && len(*to) < 4096 {
				*to += string(t.Text())
			}
		case html.EndTagToken:
			raw, _ := t.TagName()
			name := string(raw)
			to = nil
			if i := strings.IndexByte(name, ':'); i >= 0 {
				name = name[i+1:]
			}
			if (name == "url" || name == "sitemap") && e != nil {
				if e.loc = strings.TrimSpace(e.loc); e.loc != "" {
					list = append(list, *e)
				}
				e = nil
			}
		}
	}
}

func findSitemap(ctx context.Context, g Getter, s Source, w Want, d *document) (Found, error) {
	f := Found{Platform: "sitemap"}
	e := Edition{URL: d.url.String()}
	var list []entry
	switch sitemapRoot(d.body) {
	case "urlset":
		var cut bool
		if list, cut, _ = readSitemap(d.body); cut {
			e.Partial, e.Problem = true, "the sitemap's tail is missing"
		}
	case "sitemapindex":
		index, _, err := readSitemap(d.body)
		if err != nil {
			return f, &UnknownError{URL: e.URL, Reason: err.Error()}
		}
		for _, child := range newestSitemaps(index, s, w.Now) {
			u := resolve(d.url, child.loc)
			if u == nil {
				continue
			}
			c, err := request(ctx, g, fetch.Request{URL: u.String(), Referer: e.URL, Keep: true, MaxBody: maxSitemap})
			if err == nil && sitemapRoot(c.body) != "urlset" {
				err = &UnknownError{URL: u.String(), Reason: "no sitemap: " + seen(c)}
			}
			if ctx.Err() != nil {
				return f, fmt.Errorf("find %s: %w", s.URL, ctx.Err())
			}
			if err != nil {
				e.Partial, e.Problem = true, err.Error()
				continue
			}
			part, cut, _ := readSitemap(c.body)
			if cut {
				e.Partial, e.Problem = true, "the tail of "+u.String()+" is missing"
			}
			list = append(list, part...)
		}
		if len(list) == 0 && e.Partial {
			return f, &UnknownError{URL: e.URL, Reason: "none of its sitemaps can be read: " + e.Problem}
		}
	default:
		return f, &UnknownError{URL: e.URL, Reason: "no sitemap: " + seen(d)}
	}
	f.Name = e.take(list, s, w, d.url)
	if len(e.Refs) == 0 && len(list) > 0 {
		e.Partial, e.Problem = true, fmt.Sprintf("none of %d addresses is an article's of the last days", len(list))
	}
	if len(list) == 0 {
		return f, &UnknownError{URL: e.URL, Reason: "a sitemap without any address"}
	}
	f.Editions = []Edition{e}
	return f, nil
}

// newestSitemaps are the children of an index worth asking: the newest, those
// for news first.
func newestSitemaps(index []entry, s Source, now time.Time) []entry {
	for i := range index {
		index[i].at = readDate(index[i].lastmod, s.zone(), now)
	}
	news := func(e entry) bool { return strings.Contains(strings.ToLower(e.loc), "news") }
	slices.SortStableFunc(index, func(a, b entry) int {
		if news(a) != news(b) {
			if news(a) {
				return -1
			}
			return 1
		}
		return later(a.at, b.at)
	})
	return index[:min(len(index), maxSitemaps)]
}

// later orders the newest first.
func later(a, b moment) int {
	if a.day != b.day {
		return strings.Compare(string(b.day), string(a.day))
	}
	return b.at.Compare(a.at)
}

var hasDigit = regexp.MustCompile(`\d`)

// take makes references of the entries that may be articles, the newest first: of
// a news sitemap all; else those changed within a week of the newest, whose
// addresses hold a digit, as articles' do and columns' do not.
func (e *Edition) take(list []entry, s Source, w Want, base *url.URL) (name string) {
	numbered := slices.ContainsFunc(list, func(x entry) bool {
		u := resolve(base, x.loc)
		return u != nil && hasDigit.MatchString(u.Path+u.RawQuery)
	})
	known := map[string]bool{}
	var kept []entry
	for _, x := range list {
		u := resolve(base, x.loc)
		if u == nil || known[u.String()] {
			continue
		}
		known[u.String()] = true
		news := x.title != "" || x.published != ""
		if !news && (len(u.Path) <= 1 && u.RawQuery == "" || numbered && !hasDigit.MatchString(u.Path+u.RawQuery)) {
			continue
		}
		x.loc = u.String()
		for _, raw := range []string{x.published, x.lastmod} {
			if x.at = readDate(raw, s.zone(), w.Now); x.at.day != "" {
				break
			}
		}
		if x.paper != "" && name == "" {
			name = plain(x.paper)
		}
		kept = append(kept, x)
	}
	slices.SortStableFunc(kept, func(a, b entry) int { return later(a.at, b.at) })
	oldest := paper.Day("")
	if len(kept) > 0 && kept[0].at.day != "" {
		oldest = kept[0].at.day.Add(-int(sitemapWindow / (24 * time.Hour)))
	}
	for _, x := range kept {
		if len(e.Refs) == maxSitemapRefs || x.at.day < oldest {
			break
		}
		r := Ref{
			URL: x.loc, Origin: hashOf(identity(x.loc)), Title: plain(x.title), Changed: strings.TrimSpace(x.lastmod),
			Position: len(e.Refs) + 1, Ordinal: len(e.Refs), Also: []string{x.loc},
		}
		p := Printed{URL: x.loc, Headline: r.Title, Day: x.at.day, Dated: x.at.at, Language: plain(x.language)}
		if u := resolve(base, strings.TrimSpace(x.image)); u != nil {
			p.Images = []Image{{URL: u.String()}}
		}
		r.listed = &p
		e.Refs = append(e.Refs, r)
	}
	return name
}

// readWeb reads an article from its page. What the sitemap says of it stands where
// the page says nothing.
func readWeb(ctx context.Context, g Getter, s Source, r Ref) (Printed, error) {
	d, err := s.get(ctx, g, r.URL, s.URL, false)
	if err != nil {
		return Printed{}, err
	}
	a, reason := webArticle(d, s.zone())
	if a == nil {
		return Printed{}, &UnknownError{URL: r.URL, Reason: reason + ": " + seen(d)}
	}
	if l := r.listed; l != nil {
		if l.Headline != "" && (s.HTML == nil || s.HTML.Headline == "") {
			a.Headline = l.Headline
		}
		if a.Dated.IsZero() && !l.Dated.IsZero() {
			a.Day, a.Dated = l.Day, l.Dated
		}
		if a.Day == "" {
			a.Day = l.Day
		}
		if len(a.Images) == 0 && !strings.Contains(a.Body, "<img") {
			a.Images = l.Images
		}
	}
	if a.Day == "" {
		if m := dayInAddress.FindStringSubmatch(d.url.Path); m != nil {
			a.Day, _ = paper.ParseDay(m[1] + m[2] + m[3])
		}
	}
	return *a, nil
}

// parseSitemap reads a saved sitemap, and, where the source says sitemap, an
// article's page; auto leaves pages to the platforms that know their links.
func parseSitemap(s Source, d *document) (Parsed, bool) {
	if root := sitemapRoot(d.body); root != "" {
		list, cut, err := readSitemap(d.body)
		if err != nil {
			return Parsed{Kind: "unknown", Reason: err.Error()}, true
		}
		if root == "sitemapindex" {
			return Parsed{Kind: "unknown", Reason: fmt.Sprintf("an index of %d sitemaps, which hold the addresses", len(list))}, true
		}
		e := Edition{URL: d.url.String(), Partial: cut}
		name := e.take(list, s, Want{}, d.url)
		return Parsed{Kind: "feed", Platform: "sitemap", Feed: &e, Title: name}, true
	}
	if d.root == nil {
		return Parsed{}, false
	}
	if s.Platform != "sitemap" && !readMetadata(d).article {
		return Parsed{}, false
	}
	a, reason := webArticle(d, s.zone())
	if a == nil {
		return Parsed{Kind: "unknown", Reason: reason}, true
	}
	return Parsed{Kind: "article", Platform: "sitemap", Article: a, Ref: Ref{URL: a.URL, Origin: hashOf(identity(d.url.String())), Title: a.Headline}}, true
}
