package syndicate

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"paperwire/internal/paper"
	"paperwire/syndicate/feed"
)

// feeds answers /feeds/{scope}.{ext}. No pattern of ServeMux can split that, so
// it is done here.
func (s *Syndicate) feeds(w http.ResponseWriter, r *http.Request, st *site) {
	path := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/feeds/"), "/")
	if path == "status.atom" {
		s.statusFeed(w, r, st)
		return
	}
	dot := strings.LastIndexByte(path, '.')
	if dot < strings.LastIndexByte(path, '/') {
		dot = -1
	}
	if dot < 0 {
		s.problem(w, r, st, http.StatusNotFound, "a feed ends in its format: "+extensions())
		return
	}
	written, ext := path[:dot], strings.ToLower(path[dot+1:])
	if scope, day, ok := archivePath(written); ok {
		s.archive(w, r, st, scope, day, ext)
		return
	}
	format, ok := feed.ByExt(ext)
	if !ok && ext != "opml" {
		s.problem(w, r, st, http.StatusNotFound, fmt.Sprintf("unknown format %q: there are %s", clip(ext), extensions()))
		return
	}
	sc, err := s.resolve(r.Context(), st, written)
	if err != nil {
		s.failScope(w, r, st, err, ext)
		return
	}
	var p params
	if ext != "opml" {
		q, err := feedQuery(r.URL.RawQuery)
		if err == nil {
			p, err = parseParams(q, format)
		}
		if err != nil {
			s.failScope(w, r, st, err, ext)
			return
		}
	}
	canonical := "/feeds/" + sc.String() + "." + ext + p.String()
	if ext == "opml" && sc.IsAll() {
		canonical = "/feeds.opml"
	}
	if r.URL.RequestURI() != canonical {
		redirect(w, canonical)
		return
	}
	if ext == "opml" {
		s.scopeOPML(w, r, st, sc)
		return
	}
	v := view(r)
	s.serve(w, r, st, document{
		kind: ext, uri: canonical, parts: p.parts(sc), ofPapers: true, combined: combined(sc, p),
		write: func(ctx context.Context, rose time.Time) (content, error) {
			return s.writeFeed(ctx, st, v, sc, p, format, rose)
		},
	})
}

// extensions lists the formats for people.
func extensions() string {
	var list []string
	for _, f := range feed.Formats() {
		list = append(list, "."+f.Ext)
	}
	return strings.Join(list, ", ")
}

// writeFeed renders one feed.
func (s *Syndicate) writeFeed(ctx context.Context, st *site, v paper.View, sc paper.Scope, p params, format feed.Format, rose time.Time) (content, error) {
	known, err := s.catalog(ctx, st, false)
	if err != nil {
		return content{}, err
	}
	items, err := s.store.Items(ctx, v, sc, p.window(format))
	if err != nil {
		return content{}, fmt.Errorf("read items of %s: %w", sc, err)
	}
	self := st.Base + "/feeds/" + sc.String() + "." + format.Ext + p.String()
	in := st.input(sc, items, known)
	in.Feed.Updated, in.Feed.Variant = updated(items, rose), p.variant()
	in.Links.Self, in.Links.Hubs = self, st.hubs(sc, p, format)
	in.View, in.Profile.Summaries, in.Part = v, p.summaries, max(p.part, 1)
	if p.words != nil {
		in.Feed.Title = "“" + strings.Join(p.words, " ") + "” · " + in.Feed.Title
		in.Feed.Subtitle = "含“" + strings.Join(p.words, "”“") + "”的报道：" + in.Feed.Subtitle
	}
	if in.Feed.Complete, err = s.complete(ctx, items); err != nil {
		return content{}, err
	}
	if archives(format) && p.drip == nil && p.words == nil {
		a, err := s.store.Archive(ctx, v, sc, "")
		if err != nil {
			return content{}, fmt.Errorf("newest archive of %s: %w", sc, err)
		}
		in.Links.Previous = st.archiveURL(sc, a.Previous, format)
	}
	for _, f := range feed.Formats() {
		if f.LinkType != "" && f.Ext != format.Ext {
			in.Links.More = append(in.Links.More, feed.Alternate{Type: f.LinkType, Title: f.Name, Href: in.Links.Scope(sc.String(), f.Ext) + p.in(f).String()})
		}
	}
	var b bytes.Buffer
	if err := format.Write(&b, in); err != nil {
		return content{}, fmt.Errorf("write %s of %s: %w", format.Ext, sc, err)
	}
	held := len(items)
	if format.Edition { // a list to hand on tells of no withdrawals
		held = 0
		for _, it := range items {
			if it.State == paper.Live {
				held++
			}
		}
	}
	return content{ctype: format.Type, body: b.Bytes(), papers: papersOf(items, sc, known), self: self, hubs: in.Links.Hubs, items: held}, nil
}

// input is what every document about a scope tells of it and of its items.
func (st *site) input(sc paper.Scope, items []paper.Item, known *catalog) feed.Input {
	in := feed.Input{
		Feed: feed.Feed{
			Scope: sc, Title: st.title(sc, known), Subtitle: st.subtitle(sc, known),
			Language: "zh-CN", Copyright: "版权归各报社所有。", Site: st.Title,
			Items: items, Points: st.points(items),
		},
		Links: feed.Links{Base: st.Base, Home: st.Base + "/" + sc.String(), Icon: st.Base + "/favicon.ico", Cards: true},
	}
	if len(sc.Papers) == 1 {
		own := known.papers[sc.Papers[0]]
		in.Feed.Language = cmp.Or(own.Language, in.Feed.Language)
		in.Feed.Copyright = "© " + cmp.Or(own.Name, own.Key)
	}
	return in
}

// complete are the editions among items of which nothing is to come.
func (s *Syndicate) complete(ctx context.Context, items []paper.Item) ([]feed.Edition, error) {
	closed, err := s.store.Closed(ctx, items)
	if err != nil {
		return nil, fmt.Errorf("complete editions: %w", err)
	}
	var list []feed.Edition
	for _, e := range closed {
		list = append(list, feed.Edition{Paper: e.Paper, Day: e.Day})
	}
	return list, nil
}

// updated is the instant a feed tells of itself: when the newest change among its
// items was released. It follows from the content alone, for a version may rise
// without anything in this document having changed (a limit, an intersection), and
// the same content has the same bytes. An empty feed tells when its scope last
// rose; Atom demands an instant (RFC 4287 §4.1.1) even where nothing was ever
// released: the beginning of time, because the present would make other bytes at
// every rendering.
func updated(items []paper.Item, rose time.Time) time.Time {
	var at time.Time
	for i := range items {
		if items[i].Updated.After(at) {
			at = items[i].Updated
		}
	}
	switch {
	case !at.IsZero():
	case !rose.IsZero():
		at = rose
	default:
		at = time.Unix(0, 0)
	}
	return at.UTC().Truncate(time.Second)
}

// papersOf are the papers a feed depends on: those of its scope, else those of
// its items, else every paper that still appears.
func papersOf(items []paper.Item, sc paper.Scope, known *catalog) []string {
	keys := slices.Clone(sc.Papers)
	if len(keys) == 0 {
		for i := range items {
			if p, ok := known.papers[items[i].Paper]; ok && !p.Retired {
				keys = append(keys, p.Key)
			}
		}
	}
	if len(keys) == 0 {
		for key, p := range known.papers {
			if !p.Retired {
				keys = append(keys, key)
			}
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// points are the georss points of the districts that items name.
func (st *site) points(items []paper.Item) map[string]string {
	points := map[string]string{}
	for i := range items {
		for _, d := range items[i].Districts {
			if _, done := points[d.Code]; done {
				continue
			}
			if at := st.Points[d.Code]; at != "" {
				points[d.Code] = at
			} else if known, ok := st.Names.Division(d.Code); ok && known.Point != "" {
				points[d.Code] = known.Point
			}
		}
	}
	return points
}

// statusFeed answers /feeds/status.atom: how the sources fare, as a feed.
func (s *Syndicate) statusFeed(w http.ResponseWriter, r *http.Request, st *site) {
	s.serve(w, r, st, document{
		kind: "status", uri: "/feeds/status.atom", health: true, parts: [][]string{{}},
		write: func(context.Context, time.Time) (content, error) {
			c := s.health.Load() // of the look that came before
			self := st.Base + "/feeds/status.atom"
			var b bytes.Buffer
			links := feed.Links{Base: st.Base, Self: self, Home: st.Base + "/status", Icon: st.Base + "/favicon.ico"}
			if err := feed.WriteStatusFeed(&b, links, c.sources, c.incidents); err != nil {
				return content{}, fmt.Errorf("write status feed: %w", err)
			}
			return content{ctype: "application/atom+xml; charset=utf-8", body: b.Bytes(), self: self}, nil
		},
	})
}

const opmlType = "text/x-opml; charset=utf-8"

// outline is the line of one scope in a list of feeds.
func (st *site) outline(scope, text, language string) feed.Outline {
	return feed.Outline{Text: text, XMLURL: st.Base + "/feeds/" + scope + ".rss", HTMLURL: st.Base + "/" + scope, Language: cmp.Or(language, "zh-CN")}
}

// allOPML answers /feeds.opml: every single-part scope that holds something.
func (s *Syndicate) allOPML(w http.ResponseWriter, r *http.Request, st *site) {
	v := view(r)
	s.serve(w, r, st, document{
		kind: "opml", uri: "/feeds.opml", parts: everything,
		write: func(ctx context.Context, _ time.Time) (content, error) {
			scopes, err := s.store.Scopes(ctx, v)
			if err != nil {
				return content{}, fmt.Errorf("list scopes: %w", err)
			}
			known, err := s.catalog(ctx, st, true)
			if err != nil {
				return content{}, err
			}
			var papers, sections []feed.Outline
			type city struct {
				code string
				list []feed.Outline
			}
			var cities []city
			at := func(code string) *city {
				for i := range cities {
					if cities[i].code == code {
						return &cities[i]
					}
				}
				cities = append(cities, city{code: code})
				return &cities[len(cities)-1]
			}
			slices.SortFunc(scopes, func(a, b paper.ScopeInfo) int { return strings.Compare(a.Part, b.Part) })
			for _, x := range scopes {
				kind, value, _ := strings.Cut(x.Part, "/")
				line := st.outline(x.Part, cmp.Or(x.Name, value), "")
				switch kind {
				case "paper":
					line.Language = cmp.Or(known.papers[value].Language, "zh-CN")
					papers = append(papers, line)
				case "section":
					sections = append(sections, line)
				case "district":
					if x.Count == 0 {
						continue // the country has thousands
					}
					group := value
					if d, ok := st.Names.Division(value); ok {
						line.Text = d.Name
						if above := st.Names.Above(value); d.Level == "county" && len(above) > 0 {
							group = above[0]
						}
					}
					c := at(group)
					c.list = append(c.list, line)
				}
			}
			slices.SortFunc(cities, func(a, b city) int { return strings.Compare(a.code, b.code) })
			list := []feed.Outline{st.outline("all", "全部", "")}
			list = append(list, feed.Outline{Text: "报纸", Children: papers}, feed.Outline{Text: "栏目", Children: sections})
			for _, c := range cities {
				name := c.code
				if d, ok := st.Names.Division(c.code); ok {
					name = d.Name
				}
				list = append(list, feed.Outline{Text: name, Children: c.list})
			}
			return writeOPML(st.Title, list, st.Base+"/feeds.opml")
		},
	})
}

// scopeOPML answers /feeds/{paper or district scope}.opml: that scope, and its
// combinations with what its newest articles are filed under.
func (s *Syndicate) scopeOPML(w http.ResponseWriter, r *http.Request, st *site, sc paper.Scope) {
	if len(sc.Sections)+len(sc.Pages)+len(sc.NotSections)+len(sc.NotDistricts) > 0 || len(sc.Papers) > 0 && len(sc.Districts) > 0 {
		s.problem(w, r, st, http.StatusNotFound, "lists of feeds exist for papers and for districts: /feeds/paper/{key}.opml, /feeds/district/{code}.opml, and /feeds.opml for all")
		return
	}
	v, uri := view(r), "/feeds/"+sc.String()+".opml"
	s.serve(w, r, st, document{
		kind: "opml", uri: uri, parts: sc.Parts(), ofPapers: true,
		write: func(ctx context.Context, _ time.Time) (content, error) {
			known, err := s.catalog(ctx, st, false)
			if err != nil {
				return content{}, err
			}
			items, err := s.store.Items(ctx, v, sc, paper.Window{Limit: 200})
			if err != nil {
				return content{}, fmt.Errorf("read items of %s: %w", sc, err)
			}
			sections, districts, papers := map[string]string{}, map[string]string{}, map[string]string{}
			for i := range items {
				for _, x := range items[i].Sections {
					sections[x.Slug] = x.Name
				}
				for _, d := range items[i].Districts {
					districts[d.Code] = d.Name
				}
				papers[items[i].Paper] = items[i].PaperName
			}
			with := func(values map[string]string, narrow func(*paper.Scope, string)) (lines []feed.Outline) {
				for value, name := range values {
					narrower := sc
					narrow(&narrower, value)
					if narrower.String() != sc.String() {
						lines = append(lines, st.outline(narrower.String(), cmp.Or(name, value), ""))
					}
				}
				slices.SortFunc(lines, func(a, b feed.Outline) int { return strings.Compare(a.XMLURL, b.XMLURL) })
				return lines
			}
			list := []feed.Outline{st.outline(sc.String(), st.title(sc, known), "")}
			list = append(list, feed.Outline{Text: "栏目", Children: with(sections, func(n *paper.Scope, x string) { n.Sections = []string{x} })})
			list = append(list, feed.Outline{Text: "地区", Children: with(districts, func(n *paper.Scope, x string) { n.Districts = []string{x} })})
			if len(sc.Papers) == 0 {
				list = append(list, feed.Outline{Text: "报纸", Children: with(papers, func(n *paper.Scope, x string) { n.Papers = []string{x} })})
			}
			c, err := writeOPML(st.title(sc, known), list, st.Base+uri)
			c.papers = papersOf(items, sc, known)
			return c, err
		},
	})
}

func writeOPML(title string, list []feed.Outline, self string) (content, error) {
	var b bytes.Buffer
	if err := feed.WriteOPML(&b, title, list); err != nil {
		return content{}, fmt.Errorf("write opml %s: %w", self, err)
	}
	return content{ctype: opmlType, body: b.Bytes(), self: self}, nil
}

// robots answers /robots.txt. Feeds and pages are open; what only people with a
// key or programs use is not for search engines.
func (s *Syndicate) robots(w http.ResponseWriter, r *http.Request, st *site) {
	s.serve(w, r, st, document{
		kind: "robots", uri: "/robots.txt", parts: [][]string{{}},
		write: func(context.Context, time.Time) (content, error) {
			body := "User-agent: *\nAllow: /\nDisallow: /api/\nDisallow: /desk\nDisallow: /search\nDisallow: /debug/\nDisallow: /metrics\n\n" +
				"Sitemap: " + st.Base + "/sitemap.xml\nSitemap: " + st.Base + "/sitemap-news.xml\n"
			return content{ctype: "text/plain; charset=utf-8", body: []byte(body), caching: oneHour}, nil
		},
	})
}
