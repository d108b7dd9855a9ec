package feed

import (
	"encoding/xml"
	"io"
	"strings"
	"time"
)

// maxURLs is the limit of one sitemap or index (sitemaps.org); maxPictures that
// of one URL (Google's image extension).
const (
	maxURLs     = 50_000
	maxPictures = 1000
)

const sitemapNamespace = "http://www.sitemaps.org/schemas/sitemap/0.9"

type urlset struct {
	XMLName xml.Name   `xml:"urlset"`
	Xmlns   string     `xml:"xmlns,attr"`
	News    string     `xml:"xmlns:news,attr,omitempty"`
	Image   string     `xml:"xmlns:image,attr,omitempty"`
	URLs    []urlEntry `xml:"url"`
}

type urlEntry struct {
	Loc     string       `xml:"loc"`
	LastMod string       `xml:"lastmod,omitempty"`
	News    *newsXML     `xml:"news:news"`
	Images  []sitemapImg `xml:"image:image"`
}

type newsXML struct {
	Name     string `xml:"news:publication>news:name"`
	Language string `xml:"news:publication>news:language"`
	Date     string `xml:"news:publication_date"`
	Title    string `xml:"news:title"`
	Keywords string `xml:"news:keywords,omitempty"`
}

type sitemapImg struct {
	Loc string `xml:"image:loc"`
}

// newsLanguage is the language as Google News wants it: ISO 639 in lower case,
// but zh-cn or zh-tw for Chinese.
func newsLanguage(tag string) string {
	tag = strings.ToLower(strings.ReplaceAll(tag, "_", "-"))
	base, rest, _ := strings.Cut(tag, "-")
	switch {
	case base == "" || base == "zh":
		for _, t := range []string{"hant", "tw", "hk", "mo"} {
			if strings.Contains(rest, t) {
				return "zh-tw"
			}
		}
		return "zh-cn"
	case len(base) < 2 || len(base) > 3 || strings.Trim(base, "abcdefghijklmnopqrstuvwxyz") != "":
		return "zh-cn"
	}
	return base
}

func writeNewsSitemap(w io.Writer, entries []NewsEntry) error {
	set := urlset{
		Xmlns: sitemapNamespace,
		News:  "http://www.google.com/schemas/sitemap-news/0.9",
		Image: "http://www.google.com/schemas/sitemap-image/1.1",
	}
	for _, e := range entries {
		loc := uri(e.URL)
		if loc == "" || line(e.Title) == "" || e.Published.IsZero() {
			continue
		}
		if len(set.URLs) == MaxNews {
			break
		}
		var keywords []string
		for _, k := range e.Keywords {
			if k = strings.ReplaceAll(line(k), ",", " "); k != "" {
				keywords = append(keywords, k)
			}
		}
		u := urlEntry{Loc: loc, News: &newsXML{
			Name:     line(e.Publication),
			Language: newsLanguage(e.Language),
			Date:     stamp(e.Published),
			Title:    line(e.Title),
			Keywords: strings.Join(keywords, ", "),
		}}
		for _, img := range e.Images {
			if src := uri(img.URL); src != "" && len(u.Images) < maxPictures {
				u.Images = append(u.Images, sitemapImg{src})
			}
		}
		set.URLs = append(set.URLs, u)
	}
	return indented(w, set)
}

func writeSitemap(w io.Writer, urls []SitemapURL) error {
	set := urlset{Xmlns: sitemapNamespace}
	for _, u := range urls {
		if loc := uri(u.URL); loc != "" && len(set.URLs) < maxURLs {
			set.URLs = append(set.URLs, urlEntry{Loc: loc, LastMod: lastMod(u.Modified)})
		}
	}
	return indented(w, set)
}

type sitemapIndex struct {
	XMLName  xml.Name   `xml:"sitemapindex"`
	Xmlns    string     `xml:"xmlns,attr"`
	Sitemaps []urlEntry `xml:"sitemap"`
}

func writeSitemapIndex(w io.Writer, sitemaps []SitemapURL) error {
	index := sitemapIndex{Xmlns: sitemapNamespace}
	for _, u := range sitemaps {
		if loc := uri(u.URL); loc != "" && len(index.Sitemaps) < maxURLs {
			index.Sitemaps = append(index.Sitemaps, urlEntry{Loc: loc, LastMod: lastMod(u.Modified)})
		}
	}
	return indented(w, index)
}

func lastMod(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return stamp(t)
}
