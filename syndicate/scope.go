package syndicate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"paperwire/internal/paper"
)

// unknownError says that a scope names something nobody knows. It is a 404.
type unknownError struct {
	part, value string
	scope       string // as asked
	nearest     []paper.ScopeInfo
}

func (e *unknownError) text() string { return fmt.Sprintf("unknown %s %q", e.part, e.value) }

func (e *unknownError) Error() string {
	if len(e.nearest) == 0 {
		return e.text()
	}
	return e.text() + ": did you mean " + e.nearest[0].Part + named(e.nearest[0]) + "?"
}

// named is the name of a scope in parentheses, where it has one.
func named(x paper.ScopeInfo) string {
	if x.Name == "" {
		return ""
	}
	return " (" + x.Name + ")"
}

// Unwrap makes it a [paper.ErrNotFound] for who does not care what is missing.
func (e *unknownError) Unwrap() error { return paper.ErrNotFound }

// nearest gives what somebody may have meant who wrote an unknown value: the
// scope as written with the best known value in its place, then other scopes.
func (s *Syndicate) nearest(ctx context.Context, st *site, unknown *unknownError) []paper.ScopeInfo {
	const most = 6
	list := st.pages.Nearest(ctx, unknown.part+"/"+unknown.value, most)
	// A paper is meant where a paper was written, however little the names have in common.
	alike := func(x paper.ScopeInfo) bool { return strings.HasPrefix(x.Part, unknown.part+"/") }
	if !slices.ContainsFunc(list, alike) {
		if all := st.pages.Nearest(ctx, "", 1000); slices.ContainsFunc(all, alike) {
			list = append(list[:min(len(list), most-1)], all[slices.IndexFunc(all, alike)])
		}
	}
	if d, ok := st.Names.Division(unknown.value); ok && unknown.part == "district" && d.Level == "town" {
		list = append([]paper.ScopeInfo{{Part: "district/" + d.Parent}}, list...)
	}
	var sorted []paper.ScopeInfo
	found := false
	for _, x := range list {
		value, same := strings.CutPrefix(x.Part, unknown.part+"/")
		if d, ok := st.Names.Division(value); same && ok && unknown.part == "district" {
			x.Name = d.Name
		}
		if same && !found {
			sc, err := paper.ParseScope(unknown.scope)
			if err != nil {
				continue
			}
			for _, values := range map[string][]*[]string{
				"paper": {&sc.Papers}, "section": {&sc.Sections, &sc.NotSections}, "district": {&sc.Districts, &sc.NotDistricts},
			}[unknown.part] {
				for i := range *values {
					if (*values)[i] == unknown.value {
						(*values)[i] = value
					}
				}
			}
			x.Part, found = sc.String(), true
			sorted = append([]paper.ScopeInfo{x}, sorted...)
		} else {
			sorted = append(sorted, x)
		}
	}
	return sorted
}

// catalog is what scopes may name, as of one look at the store.
type catalog struct {
	papers   map[string]paper.Paper
	sections map[string]paper.Section
	cities   []string // of all papers, for district names that several cities have
	snap     *snapshot
	at       time.Time
}

// catalog gives the known papers and sections. It is read again when anything
// changed, and where something is missing (again) at most once a second. While
// the store fails the last one stays good for what it has.
func (s *Syndicate) catalog(ctx context.Context, st *site, again bool) (*catalog, error) {
	sn, now, have := s.snap.Load(), s.now(), st.known.Load()
	if have != nil && have.snap == sn && (!again || now.Sub(have.at) < time.Second) {
		return have, nil
	}
	papers, err := s.store.Papers(ctx)
	if err == nil {
		var sections []paper.Section
		if sections, err = s.store.Sections(ctx); err == nil {
			c := newCatalog(papers, sections, sn, now)
			st.known.Store(c)
			return c, nil
		}
	}
	if have != nil && !again {
		return have, nil
	}
	return nil, fmt.Errorf("list what scopes may name: %w", err)
}

func newCatalog(papers []paper.Paper, sections []paper.Section, sn *snapshot, now time.Time) *catalog {
	c := &catalog{papers: make(map[string]paper.Paper, len(papers)), sections: make(map[string]paper.Section, len(sections)), snap: sn, at: now}
	for _, p := range papers {
		c.papers[p.Key] = p
		if p.City != "" {
			c.cities = append(c.cities, p.City)
		}
	}
	for _, x := range sections {
		c.sections[x.Slug] = x
	}
	slices.Sort(c.cities)
	c.cities = slices.Compact(c.cities)
	return c
}

// paperNamed finds a paper by its name; the first by key where two share it.
func (c *catalog) paperNamed(name string) (found paper.Paper, ok bool) {
	for _, p := range c.papers {
		if strings.EqualFold(p.Name, name) && (!ok || p.Key < found.Key) {
			found, ok = p, true
		}
	}
	return found, ok
}

// sectionNamed finds a section by its name; the first by slug where two share it.
func (c *catalog) sectionNamed(name string) (found paper.Section, ok bool) {
	for _, x := range c.sections {
		if strings.EqualFold(x.Name, name) && (!ok || x.Slug < found.Slug) {
			found, ok = x, true
		}
	}
	return found, ok
}

// resolve reads a scope as somebody wrote it and gives the canonical one: names
// and slugs of districts become codes, moved sections their present slug. Errors
// are *[paper.ScopeError] (400), *unknownError (404) or the store's.
func (s *Syndicate) resolve(ctx context.Context, st *site, written string) (paper.Scope, error) {
	sc, err := paper.ParseScope(written)
	if err != nil {
		return sc, err
	}
	c, err := s.catalog(ctx, st, false)
	if err != nil {
		return sc, err
	}
	done, err := st.settle(sc, c, written)
	var unknown *unknownError
	if errors.As(err, &unknown) {
		// It may be new: another process may have taken up a paper a moment ago.
		if c, err = s.catalog(ctx, st, true); err == nil {
			done, err = st.settle(sc, c, written)
		}
	}
	if errors.As(err, &unknown) {
		unknown.nearest = s.nearest(ctx, st, unknown)
	}
	return done, err
}

// settle replaces every value of a scope by its canonical spelling.
func (st *site) settle(sc paper.Scope, c *catalog, written string) (paper.Scope, error) {
	cities := c.cities
	var own []string
	sc.Papers = slices.Clone(sc.Papers)
	for i, key := range sc.Papers {
		p, ok := c.papers[key]
		if !ok {
			p, ok = c.paperNamed(key)
		}
		if !ok {
			return sc, &unknownError{part: "paper", value: key, scope: written}
		}
		sc.Papers[i] = p.Key
		if p.City != "" {
			own = append(own, p.City)
		}
	}
	if len(own) > 0 {
		cities = own
	}
	each := func(values []string, settle func(string) (string, error)) ([]string, error) {
		settled := make([]string, 0, len(values))
		for _, v := range values {
			v, err := settle(v)
			if err != nil {
				return nil, err
			}
			settled = append(settled, v)
		}
		slices.Sort(settled)
		return slices.Compact(settled), nil
	}
	section := func(v string) (string, error) {
		// A section may have moved more than once; a circle ends. What has moved stays
		// known to the store for ever, so that it is known says nothing.
		for range 8 {
			to, moved := st.Moved[v]
			if !moved {
				break
			}
			v = to
		}
		if _, ok := c.sections[v]; ok {
			return v, nil
		}
		if x, ok := c.sectionNamed(v); ok {
			return x.Slug, nil
		}
		return "", &unknownError{part: "section", value: v, scope: written}
	}
	district := func(v string) (string, error) {
		d, ok := st.Names.Division(v)
		if !ok {
			d, ok = st.Names.Resolve(v, cities...)
		}
		if !ok || d.Level == "town" { // articles are filed down to the county
			return "", &unknownError{part: "district", value: v, scope: written}
		}
		return d.Code, nil
	}
	slices.Sort(sc.Papers)
	sc.Papers = slices.Compact(sc.Papers)
	var err error
	for _, part := range []struct {
		values *[]string
		settle func(string) (string, error)
	}{{&sc.Sections, section}, {&sc.NotSections, section}, {&sc.Districts, district}, {&sc.NotDistricts, district}} {
		if len(*part.values) == 0 {
			continue
		}
		if *part.values, err = each(*part.values, part.settle); err != nil {
			return sc, err
		}
	}
	return sc, nil
}

// redirect sends a client to the canonical spelling (RFC 9110 §15.4.9), as a
// path: the host is the one it already talks to.
func redirect(w http.ResponseWriter, to string) {
	h := w.Header()
	h["Cache-Control"] = oneHour
	h["Access-Control-Allow-Origin"] = anyone
	h.Set("Location", to)
	w.WriteHeader(http.StatusPermanentRedirect)
}

// title names a scope for people: 温县 · 要闻 · 焦作日报.
func (st *site) title(sc paper.Scope, c *catalog) string {
	if sc.IsAll() {
		return st.Title
	}
	n := st.names(sc, c)
	var parts []string
	for _, list := range [][]string{n.districts, n.sections, n.papers} {
		if len(list) > 0 {
			parts = append(parts, strings.Join(list, "、"))
		}
	}
	if len(sc.Pages) > 0 {
		parts = append(parts, strings.Join(sc.Pages, "、")+"版")
	}
	if len(n.without) > 0 {
		if parts == nil {
			parts = []string{st.Title}
		}
		parts = append(parts, "不含"+strings.Join(n.without, "、"))
	}
	return strings.Join(parts, " · ")
}

// subtitle says in one sentence what a feed holds.
func (st *site) subtitle(sc paper.Scope, c *catalog) string {
	n := st.names(sc, c)
	var b strings.Builder
	if len(n.papers) > 0 {
		b.WriteString("《" + strings.Join(n.papers, "》《") + "》")
	} else {
		b.WriteString("各报")
	}
	if len(sc.Pages) > 0 {
		b.WriteString("第" + strings.Join(sc.Pages, "、") + "版")
	}
	if len(n.sections) > 0 {
		b.WriteString("“" + strings.Join(n.sections, "”“") + "”栏目")
	}
	if len(n.districts) > 0 {
		b.WriteString("关于" + strings.Join(n.districts, "、"))
	}
	b.WriteString("的最新报道")
	if len(n.without) > 0 {
		b.WriteString("，不含" + strings.Join(n.without, "、"))
	}
	b.WriteString("。")
	return b.String()
}

// scopeNames are the names of a scope's values, in the order of its values.
type scopeNames struct{ papers, sections, districts, without []string }

func (st *site) names(sc paper.Scope, c *catalog) (n scopeNames) {
	section := func(slug string) string {
		if x, ok := c.sections[slug]; ok && x.Name != "" {
			return x.Name
		}
		return slug
	}
	district := func(code string) string {
		if d, ok := st.Names.Division(code); ok {
			return d.Name
		}
		return code
	}
	for _, key := range sc.Papers {
		name := key
		if p, ok := c.papers[key]; ok && p.Name != "" {
			name = p.Name
		}
		n.papers = append(n.papers, name)
	}
	for _, v := range sc.Sections {
		n.sections = append(n.sections, section(v))
	}
	for _, v := range sc.Districts {
		n.districts = append(n.districts, district(v))
	}
	for _, v := range sc.NotSections {
		n.without = append(n.without, section(v))
	}
	for _, v := range sc.NotDistricts {
		n.without = append(n.without, district(v))
	}
	return n
}

func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
