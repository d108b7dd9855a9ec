package web

import (
	"cmp"
	"context"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"paperwire/internal/paper"
	"paperwire/syndicate/feed"
)

// perPage is how many articles a scope page lists. With headline, subtitle and
// first sentence of the longest kind they stay below the page's 60 KB.
const perPage = 50

// catalog is what names the parts of a scope.
type catalog struct {
	names  Names
	papers []paper.Paper
	infos  []paper.ScopeInfo
	byPart map[string]paper.ScopeInfo
}

func (s *Site) catalog(ctx context.Context) (catalog, error) {
	c := catalog{names: s.opts.Names, byPart: make(map[string]paper.ScopeInfo)}
	var err error
	if c.papers, err = s.opts.Data.Papers(ctx); err != nil {
		return c, err
	}
	if c.infos, err = s.opts.Data.Scopes(ctx, paper.Public); err != nil {
		return c, err
	}
	for _, info := range c.infos {
		c.byPart[info.Part] = info
	}
	return c, nil
}

func (c catalog) paper(key string) (paper.Paper, bool) {
	for _, p := range c.papers {
		if p.Key == key {
			return p, true
		}
	}
	return paper.Paper{}, false
}

// zone is a paper's zone; Shanghai where the paper is not known.
func (c catalog) zone(key string) *time.Location {
	p, _ := c.paper(key)
	return p.Location()
}

// label is the name of one value of a part.
func (c catalog) label(part, value string) string {
	if info := c.byPart[part+"/"+value]; info.Name != "" {
		return info.Name
	}
	switch part {
	case "paper":
		if p, ok := c.paper(value); ok && p.Name != "" {
			return p.Name
		}
	case "district":
		if d, ok := c.names.Division(value); ok {
			return d.Name
		}
	}
	return value
}

func (c catalog) labels(part string, values []string) []string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = c.label(part, v)
	}
	return names
}

// title names a scope in one line: 温县 · 要闻 · 焦作日报.
func (l locale) title(c catalog, scope paper.Scope) string {
	if scope.IsAll() {
		return l.plain("scope_all")
	}
	sep := l.plain("separator")
	var parts []string
	add := func(names []string) {
		if len(names) > 0 {
			parts = append(parts, strings.Join(names, sep))
		}
	}
	add(c.labels("district", scope.Districts))
	add(c.labels("section", scope.Sections))
	for _, n := range scope.Pages {
		parts = append(parts, l.plain("page_n", n))
	}
	add(c.labels("paper", scope.Papers))
	if len(parts) == 0 {
		parts = append(parts, l.plain("scope_all"))
	}
	if without := append(c.labels("section", scope.NotSections), c.labels("district", scope.NotDistricts)...); len(without) > 0 {
		parts = append(parts, l.plain("title_without", strings.Join(without, sep)))
	}
	return strings.Join(parts, " · ")
}

// sentence says in one sentence what a scope holds.
func (l locale) sentence(c catalog, scope paper.Scope) template.HTML {
	if scope.IsAll() {
		return l.rich("scope_all_sentence")
	}
	phrase := func(key string, names []string) template.HTML {
		if len(names) == 0 {
			return ""
		}
		return l.rich(key, l.names(names))
	}
	papers := c.labels("paper", scope.Papers)
	if l.lang == chinese {
		for i := range papers {
			papers[i] = "《" + papers[i] + "》"
		}
	}
	without := append(c.labels("section", scope.NotSections), c.labels("district", scope.NotDistricts)...)
	from := phrase("scope_papers", papers)
	if len(scope.Papers)+len(scope.Sections)+len(scope.Districts) == 0 {
		from = l.rich("scope_every") // only exclusions
	}
	text := l.rich("scope_sentence",
		from, phrase("scope_pages", scope.Pages),
		phrase("scope_sections", c.labels("section", scope.Sections)),
		phrase("scope_districts", c.labels("district", scope.Districts)), phrase("scope_without", without))
	for _, code := range scope.Districts {
		if level(c.names, code) != "county" {
			return text + " " + l.rich("scope_whole_city")
		}
	}
	return text
}

// level is county, city or province, by the gazetteer or else by the zeros of
// the code (GB/T 2260).
func level(names Names, code string) string {
	if d, ok := names.Division(code); ok && d.Level != "" {
		return d.Level
	}
	switch {
	case strings.HasSuffix(code, "0000"):
		return "province"
	case strings.HasSuffix(code, "00"):
		return "city"
	}
	return "county"
}

// panel is where a scope can be subscribed to.
type panel struct {
	Rows, More []address
	OPML       string
	Hint       string // message key
}

// address is one feed with its address to copy. Open has the feed: scheme,
// which some readers take from the system; html/template would refuse it as a
// string, and it is made of our own base URL and a canonical scope only.
type address struct {
	ID, Name, About, URL string
	Open                 template.URL
}

func (s *Site) panel(scope paper.Scope) panel {
	p := panel{OPML: "/feeds.opml", Hint: "subscribe_hint"}
	links := feed.Links{Base: s.opts.Base}
	for _, f := range s.formats {
		u := links.Scope(scope.String(), f.Ext)
		a := address{ID: "feed-" + f.Ext, Name: f.Name, About: f.About, URL: u}
		if f.LinkType == "" {
			p.More = append(p.More, a)
			continue
		}
		// feed://host stands for http; https has to be said, though the URL
		// standard frowns on two schemes in a row.
		a.Open = template.URL("feed:" + strings.TrimPrefix(u, "http:"))
		p.Rows = append(p.Rows, a)
	}
	if one := scope.String(); len(scope.Papers)+len(scope.Districts) == 1 && strings.Count(one, "/") == 1 {
		p.OPML = "/feeds/" + one + ".opml"
	}
	return p
}

// alternates are the autodiscovery links of a scope.
func (s *Site) alternates(scope paper.Scope, title string) []alternate {
	var all []alternate
	for _, f := range s.formats {
		if f.LinkType != "" {
			all = append(all, alternate{f.LinkType, title + " (" + f.Name + ")", feed.Links{Base: s.opts.Base}.Scope(scope.String(), f.Ext)})
		}
	}
	return all
}

// byHabit puts the formats people know first.
func byHabit(formats []feed.Format) []feed.Format {
	rank := func(f feed.Format) int {
		switch {
		case f.Ext == "rss":
			return 0
		case f.Ext == "atom":
			return 1
		case f.Ext == "json":
			return 2
		case f.LinkType != "":
			return 3
		case f.Ext == "wechat":
			return 4
		}
		return 5
	}
	sorted := slices.Clone(formats)
	slices.SortStableFunc(sorted, func(a, b feed.Format) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a.Ext, b.Ext)
	})
	return sorted
}

// scopeBody is what the page of a scope shows.
type scopeBody struct {
	Heading  string
	Sentence template.HTML
	Retired  bool // its one paper is no longer read
	Panel    panel
	Groups   []group
	Older    string // href; empty on the last page
	Newest   string // href; empty on the first page
	Editions []paper.Edition
	Near     []scopeLink
	Last     []template.HTML // of an empty scope: when each part last had news
}

// group is the articles of one day.
type group struct {
	Day     paper.Day
	Entries []entry
}

// toAll leads from a kind of scope without a value to where all of them are listed.
func (s *Site) toAll(w http.ResponseWriter, r *http.Request) {
	s.redirect(w, r, "/", http.StatusPermanentRedirect)
}

func (s *Site) scope(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/paper/", "/section/", "/district/":
		s.toAll(w, r)
		return
	}
	ctx := r.Context()
	scope, err := s.opts.Scope(ctx, r.URL.Path)
	var c catalog
	if err == nil {
		c, err = s.catalog(ctx)
	}
	var bad *paper.ScopeError
	switch {
	case errors.As(err, &bad):
		s.Error(w, r, http.StatusBadRequest, bad.Reason)
		return
	case err != nil:
		s.fail(w, r, "resolve scope", err)
		return
	}
	path := "/" + scope.String()
	if r.URL.Path != path {
		s.redirect(w, r, path, http.StatusPermanentRedirect)
		return
	}
	window := paper.Window{Limit: perPage + 1} // one more tells whether there is an older page
	before := r.URL.Query().Get("before")
	if before != "" {
		var ok bool
		if window.Before, window.BeforeID, ok = parseCursor(before); !ok {
			s.Error(w, r, http.StatusBadRequest, localeOf(r).plain("bad_cursor"))
			return
		}
	}
	items, err := s.opts.Data.Items(ctx, paper.Public, scope, window)
	if err != nil {
		s.fail(w, r, "list articles", err)
		return
	}

	p := s.page(r, "scope_all")
	p.Title = p.title(c, scope)
	body := scopeBody{Heading: p.Title, Sentence: p.sentence(c, scope), Panel: s.panel(scope)}
	p.Description = stripTags(body.Sentence)
	if len(scope.Papers) == 1 {
		one, _ := c.paper(scope.Papers[0])
		body.Retired = one.Retired
	}
	p.Alternates = s.alternates(scope, p.Title)
	if len(items) > perPage {
		items = items[:perPage]
		last := items[perPage-1]
		body.Older = p.href(path + "?before=" + cursor(last))
		p.Next = body.Older
	}
	if before != "" {
		body.Newest = p.href(path)
		p.NoIndex = true // the list moves on; what it lists is found by itself
	}
	body.Groups = p.groups(c, items)
	if len(scope.Papers) == 1 && strings.Count(scope.String(), "/") == 1 {
		if body.Editions, err = s.opts.Data.Editions(ctx, paper.Public, scope.Papers[0], 8); err != nil {
			s.fail(w, r, "list editions", err)
			return
		}
	}
	if len(items) == 0 {
		p.NoIndex = true
		if before == "" {
			body.Last = p.lastNews(c, scope)
		}
	}
	body.Near = p.near(c, scope)
	p.Body = body
	s.write(w, r, http.StatusOK, "scope", p)
}

// redirect keeps the query, so that a language or a cursor is not lost.
func (s *Site) redirect(w http.ResponseWriter, r *http.Request, path string, status int) {
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	w.Header().Set("Cache-Control", usualCaching)
	http.Redirect(w, r, path, status)
}

// cursor names a place in a list: the instant in seconds and the id, as
// [paper.Window] wants them.
func cursor(it paper.Item) string {
	return strconv.FormatInt(it.Published.Unix(), 10) + "." + it.ID
}

func parseCursor(s string) (time.Time, string, bool) {
	sec, id, ok := strings.Cut(s, ".")
	n, err := strconv.ParseInt(sec, 10, 64)
	if !ok || err != nil || n < 0 || n > 1<<36 || !validID(id) {
		return time.Time{}, "", false
	}
	return time.Unix(n, 0).UTC(), id, true
}

// validID tells whether a string has the shape of an article id; what has not
// is not worth a look into the store.
func validID(id string) bool {
	if id == "" || len(id) > 200 {
		return false
	}
	return !strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' || r == '/' })
}

// lastNews says for each part of an empty scope when it last had an article.
func (l locale) lastNews(c catalog, scope paper.Scope) []template.HTML {
	var lines []template.HTML
	for _, list := range scope.Parts() {
		for _, part := range list {
			if part == "all" {
				continue
			}
			kind, value, _ := strings.Cut(part, "/")
			name := l.name(c.label(kind, value))
			if last := c.byPart[part].Last; last != "" {
				lines = append(lines, l.rich("empty_last", name, l.longDay(last)))
			} else {
				lines = append(lines, l.rich("empty_never", name))
			}
		}
	}
	return lines
}

// scopeLink is a link to a scope with what it holds.
type scopeLink struct {
	Path, Name string
	Count      int
	Last       paper.Day
}

// near offers what somebody at a scope may want instead: its wider parts, and
// for a district the city above with the other districts that have news.
func (l locale) near(c catalog, scope paper.Scope) []scopeLink {
	const most = 24
	var links []scopeLink
	seen := map[string]bool{scope.String(): true}
	add := func(part string) {
		if seen[part] || len(links) >= most {
			return
		}
		seen[part] = true
		kind, value, _ := strings.Cut(part, "/")
		info := c.byPart[part]
		links = append(links, scopeLink{"/" + part, c.label(kind, value), info.Count, info.Last})
	}
	for _, list := range scope.Parts() {
		for _, part := range list {
			if part != "all" {
				add(part)
			}
		}
	}
	for _, code := range scope.Districts {
		// A city stands for its districts, a district for its city's.
		city := code
		if above := c.names.Above(code); level(c.names, code) == "county" && len(above) > 0 {
			city = above[0]
			add("district/" + city)
		}
		for _, d := range sortedDivisions(c.names.Under(city)) {
			if c.byPart["district/"+d.Code].Count > 0 {
				add("district/" + d.Code)
			}
		}
	}
	return links
}

// sortedDivisions sorts by slug, which is pinyin.
func sortedDivisions(list []paper.Division) []paper.Division {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b paper.Division) int {
		if d := strings.Compare(pinyin(a), pinyin(b)); d != 0 {
			return d
		}
		return strings.Compare(a.Code, b.Code)
	})
	return list
}

func pinyin(d paper.Division) string {
	if d.Slug != "" {
		return d.Slug
	}
	return "~" + d.Name // what has no slug comes last
}

// namedScopes are links to scopes of one part, with the names people know them by.
func (p *page) namedScopes(infos []paper.ScopeInfo) []scopeLink {
	var links []scopeLink
	for _, info := range infos {
		kind, value, _ := strings.Cut(info.Part, "/")
		name := cmp.Or(info.Name, value)
		if d, ok := p.site.opts.Names.Division(value); ok && kind == "district" {
			name = d.Name
		} else if info.Part == "all" {
			name = p.plain("scope_all")
		}
		links = append(links, scopeLink{"/" + info.Part, name, info.Count, info.Last})
	}
	return links
}

// nearest ranks the known scopes by how little their value, name or slug
// differs from any word of what was asked for.
func (s *Site) nearest(infos []paper.ScopeInfo, wanted string, n int) []paper.ScopeInfo {
	words := strings.FieldsFunc(strings.ToLower(clip(wanted, 300)), func(r rune) bool {
		return strings.ContainsRune("/,.-_ ?&=", r)
	})
	words = slices.DeleteFunc(words, func(w string) bool {
		return slices.Contains([]string{"paper", "section", "district", "page", "feeds", "editions", "a", "all"}, w)
	})
	words = words[:min(len(words), 8)]
	type candidate struct {
		info paper.ScopeInfo
		far  float64
	}
	var found []candidate
	for _, info := range infos {
		kind, value, _ := strings.Cut(info.Part, "/")
		called := []string{value, info.Name}
		if d, ok := s.opts.Names.Division(value); ok && kind == "district" {
			called = append(called, d.Slug, d.Short)
		}
		far := 1.0
		for _, word := range words {
			for _, name := range called {
				far = min(far, distance(word, strings.ToLower(name)))
			}
		}
		if far < 0.7 {
			found = append(found, candidate{info, far})
		}
	}
	if len(found) == 0 {
		// Nothing is like it: the fullest are the best guess.
		for _, info := range infos {
			if info.Count > 0 {
				found = append(found, candidate{info, 1})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int {
		switch {
		case a.far < b.far:
			return -1
		case a.far > b.far:
			return 1
		}
		return b.info.Count - a.info.Count
	})
	var nearest []paper.ScopeInfo
	for _, f := range found[:min(len(found), n)] {
		nearest = append(nearest, f.info)
	}
	return nearest
}

// distance is the share of characters to change between two short words: 0 for
// the same, 1 for nothing in common (Levenshtein).
func distance(a, b string) float64 {
	x, y := []rune(clip(a, 90)), []rune(clip(b, 90))
	if len(x) == 0 || len(y) == 0 {
		return 1
	}
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return float64(row[len(y)]) / float64(max(len(x), len(y)))
}
