package syndicate

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"paperwire/internal/paper"
	"paperwire/syndicate/feed"
)

// maxStamps is how many articles one sitemap holds: what sitemaps.org allows.
const maxStamps = 50_000

// sitemap answers /sitemap.xml: the index of the pages and of the articles of each
// month.
func (s *Syndicate) sitemap(w http.ResponseWriter, r *http.Request, st *site) {
	v := view(r)
	s.serve(w, r, st, document{
		kind: "sitemap", uri: "/sitemap.xml", parts: [][]string{{"all", "archive"}},
		write: func(ctx context.Context, _ time.Time) (content, error) {
			months, err := s.store.Months(ctx, v)
			if err != nil {
				return content{}, err
			}
			list := []feed.SitemapURL{{URL: st.Base + "/sitemap-pages.xml"}}
			for _, m := range months {
				for part := 1; part <= max(1, (m.Most+maxStamps-1)/maxStamps); part++ {
					list = append(list, feed.SitemapURL{URL: st.Base + monthPath(m.Month, part)})
				}
			}
			var b bytes.Buffer
			if err := feed.WriteSitemapIndex(&b, list); err != nil {
				return content{}, fmt.Errorf("write sitemap index: %w", err)
			}
			return content{ctype: xmlType, body: b.Bytes()}, nil
		},
	})
}

// monthPath is /sitemap-2026-03.xml, and /sitemap-2026-03-2.xml for what one file may
// not hold. They stand at the root: a sitemap speaks for what is below it.
func monthPath(month string, part int) string {
	if part > 1 {
		month += "-" + strconv.Itoa(part)
	}
	return "/sitemap-" + month + ".xml"
}

// monthSitemap answers these; ok is false for another path.
func (s *Syndicate) monthSitemap(w http.ResponseWriter, r *http.Request, st *site) (ok bool) {
	name := strings.TrimPrefix(r.URL.Path, "/sitemap-")
	if name, ok = strings.CutSuffix(name, ".xml"); !ok || len(name) < len("2026-03") {
		return false
	}
	month, part := name[:7], 1
	if _, err := paper.ParseDay(month + "-01"); err != nil {
		return false
	}
	if rest := name[7:]; rest != "" {
		n, err := strconv.Atoi(strings.TrimPrefix(rest, "-"))
		if err != nil || n < 2 || n > 1000 {
			return false
		}
		part = n
	}
	uri := monthPath(month, part)
	if r.URL.Path != uri {
		return false
	}
	if r.URL.RawQuery != "" || r.URL.ForceQuery {
		redirect(w, uri)
		return true
	}
	v := view(r)
	s.serve(w, r, st, document{
		kind: "sitemap", uri: uri, parts: [][]string{{"all", "archive"}},
		write: func(ctx context.Context, _ time.Time) (content, error) {
			stamps, err := s.store.Stamps(ctx, v, month, (part-1)*maxStamps, maxStamps)
			if err != nil {
				return content{}, err
			}
			if len(stamps) == 0 {
				return content{}, fmt.Errorf("articles of %s: %w", month, paper.ErrNotFound)
			}
			list := make([]feed.SitemapURL, len(stamps))
			for i, x := range stamps {
				list[i] = feed.SitemapURL{URL: st.Base + "/a/" + x.ID, Modified: x.Updated}
			}
			var b bytes.Buffer
			if err := feed.WriteSitemap(&b, list); err != nil {
				return content{}, fmt.Errorf("write sitemap of %s: %w", month, err)
			}
			return content{ctype: xmlType, body: b.Bytes()}, nil
		},
	})
	return true
}

// newsSitemap answers /sitemap-news.xml: the 48 hours before the newest article.
func (s *Syndicate) newsSitemap(w http.ResponseWriter, r *http.Request, st *site) {
	v := view(r)
	s.serve(w, r, st, document{
		kind: "sitemap", uri: "/sitemap-news.xml", parts: everything,
		write: func(ctx context.Context, _ time.Time) (content, error) {
			known, err := s.catalog(ctx, st, false)
			if err != nil {
				return content{}, err
			}
			var entries []feed.NewsEntry
			var since time.Time
			next := paper.Window{Limit: 200}
		pages:
			for len(entries) < feed.MaxNews {
				items, err := s.store.Items(ctx, v, paper.Scope{}, next)
				if err != nil {
					return content{}, fmt.Errorf("read items for the news sitemap: %w", err)
				}
				for i := range items {
					it := &items[i]
					if since.IsZero() {
						since = it.Published.Add(-48 * time.Hour)
					}
					if it.Published.Before(since) {
						break pages
					}
					// A search engine wants the address that the page itself calls canonical.
					if it.State != paper.Live || it.Link == paper.LinkOrigin {
						continue
					}
					entries = append(entries, newsEntry(st, it, known))
				}
				if len(items) < next.Limit {
					break
				}
				last := items[len(items)-1]
				next.Before, next.BeforeID = last.Published, last.ID
			}
			var b bytes.Buffer
			if err := feed.WriteNewsSitemap(&b, entries); err != nil {
				return content{}, fmt.Errorf("write news sitemap: %w", err)
			}
			return content{ctype: xmlType, body: b.Bytes()}, nil
		},
	})
}

const xmlType = "application/xml; charset=utf-8"

func newsEntry(st *site, it *paper.Item, known *catalog) feed.NewsEntry {
	e := feed.NewsEntry{
		URL: st.Base + "/a/" + it.ID, Publication: cmp.Or(it.PaperName, it.Paper),
		Language:  cmp.Or(it.Language, known.papers[it.Paper].Language, "zh-CN"),
		Title:     it.Title(),
		Published: it.Published, Images: it.Images,
	}
	for _, x := range it.Sections {
		e.Keywords = append(e.Keywords, x.Name)
	}
	for _, d := range it.Districts {
		e.Keywords = append(e.Keywords, d.Name)
	}
	return e
}

// Editions named in the sitemap: the newest of all papers. Older ones are found
// through their previous and next links.
const sitemapEditions = 400

// pagesSitemap answers /sitemap-pages.xml: the pages of every scope that holds
// something, and of the recent editions.
func (s *Syndicate) pagesSitemap(w http.ResponseWriter, r *http.Request, st *site) {
	v := view(r)
	s.serve(w, r, st, document{
		kind: "sitemap", uri: "/sitemap-pages.xml", parts: [][]string{{"all", "archive"}},
		write: func(ctx context.Context, rose time.Time) (content, error) {
			scopes, err := s.store.Scopes(ctx, v)
			if err != nil {
				return content{}, fmt.Errorf("list scopes: %w", err)
			}
			editions, err := s.store.Editions(ctx, v, "", sitemapEditions)
			if err != nil {
				return content{}, fmt.Errorf("list editions: %w", err)
			}
			sn := s.snap.Load()
			list := []feed.SitemapURL{{URL: st.Base + "/", Modified: rose}, {URL: st.Base + "/all", Modified: rose}}
			slices.SortFunc(scopes, func(a, b paper.ScopeInfo) int { return strings.Compare(a.Part, b.Part) })
			for _, x := range scopes {
				if x.Count > 0 && x.Part != "all" {
					list = append(list, feed.SitemapURL{URL: st.Base + "/" + x.Part, Modified: sn.parts[x.Part].At})
				}
			}
			for _, e := range editions {
				list = append(list, feed.SitemapURL{URL: st.Base + "/editions/" + e.Paper + "/" + string(e.Day)})
			}
			var b bytes.Buffer
			if err := feed.WriteSitemap(&b, list); err != nil {
				return content{}, fmt.Errorf("write sitemap: %w", err)
			}
			return content{ctype: xmlType, body: b.Bytes()}, nil
		},
	})
}
