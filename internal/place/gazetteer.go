package place

import (
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"paperwire/internal/paper"
)

var (
	codeForm  = regexp.MustCompile(`^[0-9]{6}$`)
	pointForm = regexp.MustCompile(`^-?[0-9]{1,2}(\.[0-9]+)? -?[0-9]{1,3}(\.[0-9]+)?$`)
)

// override applies one correction while the gazetteer is being made.
func (g *Gazetteer) override(o Override) error {
	if !codeForm.MatchString(o.Code) {
		return fmt.Errorf("code %q: write six digits, such as 410871", o.Code)
	}
	if o.Point != "" && !pointForm.MatchString(o.Point) {
		return fmt.Errorf("point %q: write latitude and longitude, such as \"35.08 113.08\"", o.Point)
	}
	for _, a := range slices.Concat([]string{o.Name}, o.Aliases, o.Landmarks, o.Stops) {
		if n := utf8.RuneCountInString(a); a != "" && (n < 2 || n > 32) {
			return fmt.Errorf("name %q: 2 to 32 characters", a)
		}
	}
	d := g.byCode[o.Code]
	if o.City != "" {
		if c := g.byCode[o.City]; c == nil || c.Level == "county" {
			return fmt.Errorf("city %q is unknown", o.City)
		}
		if d != nil && d.Parent != o.City && d.Code != o.City {
			return fmt.Errorf("%s lies in %s, not in %s", d.Name, d.Parent, o.City)
		}
	}
	if d == nil {
		switch {
		case o.Retire:
			return fmt.Errorf("retires a division that is unknown")
		case o.Name == "":
			return fmt.Errorf("adds a division without a name")
		case o.City == "":
			return fmt.Errorf("adds a division without a city")
		}
		// A new division has no reading in the table; its code serves as slug.
		d = &division{Division: paper.Division{Code: o.Code, Name: o.Name, Short: shorten(o.Name), Slug: "d" + o.Code, Level: "county", Parent: o.City}}
		g.insert(d)
	} else if o.Name != "" && o.Name != d.Name {
		// The old name goes on being understood.
		d.aliases = append(slices.Clone(d.aliases), d.Name)
		d.Name, d.Short = o.Name, shorten(o.Name)
		d.flags &^= flagGeneric | flagWord | flagShared
	}
	for _, w := range o.Stops {
		if !slices.ContainsFunc(append([]string{d.Name, d.Short}, d.aliases...), func(n string) bool { return n != "" && n != w && strings.Contains(w, n) }) {
			return fmt.Errorf("stop %q contains no name of %s: it would stop nothing", w, d.Name)
		}
	}
	d.aliases = append(slices.Clone(d.aliases), o.Aliases...)
	d.landmarks = append(slices.Clone(d.landmarks), o.Landmarks...)
	d.stops = append(slices.Clone(d.stops), o.Stops...)
	d.trusted = d.trusted || o.Trusted
	if d.trusted && d.Short == "" {
		return fmt.Errorf("trusts a short name, but %s has none", d.Name)
	}
	if o.Point != "" {
		d.Point = o.Point
	}
	d.retired = o.Retire
	return nil
}

// insert keeps the rows in order of their codes.
func (g *Gazetteer) insert(d *division) {
	i := sort.Search(len(g.rows), func(i int) bool { return g.rows[i].Code >= d.Code })
	g.rows = slices.Insert(g.rows, i, d)
	g.byCode[d.Code] = d
}

// shorten leaves the kind of division out where two characters or more remain.
func shorten(full string) string {
	for _, kind := range []string{"自治县", "新区", "县", "区", "市", "旗"} {
		if s, ok := strings.CutSuffix(full, kind); ok && utf8.RuneCountInString(s) >= 2 {
			return s
		}
	}
	return ""
}

func (g *Gazetteer) town(code string) (paper.Division, bool) {
	for county, towns := range g.towns {
		if i := slices.IndexFunc(towns, func(t town) bool { return t.code == code }); i >= 0 {
			return paper.Division{Code: code, Name: towns[i].name, Level: "town", Parent: county}, true
		}
	}
	if len(code) == 12 && strings.HasSuffix(code, "000") {
		code = code[:9]
	}
	if len(code) != 9 {
		return paper.Division{}, false
	}
	rows := g.table.townsOf(code[:2])
	i := sort.Search(len(rows), func(i int) bool { return rows[i].code >= code })
	if i == len(rows) || rows[i].code != code {
		return paper.Division{}, false
	}
	return paper.Division{Code: code, Name: rows[i].name, Level: "town", Parent: code[:6]}, true
}

// entry is one way to call a division; a lower rank is a better match.
type entry struct {
	d    *division
	rank uint8
}

const (
	rankName = iota
	rankShort
	rankSlug
	rankFormer
)

func (g *Gazetteer) lookup() map[string][]entry {
	g.indexOnce.Do(func() {
		g.index = make(map[string][]entry, 3*len(g.rows))
		add := func(s string, d *division, rank uint8) {
			if s == "" || slices.ContainsFunc(g.index[s], func(e entry) bool { return e.d == d }) {
				return
			}
			g.index[s] = append(g.index[s], entry{d, rank})
		}
		for _, d := range g.rows {
			if d.retired {
				continue
			}
			add(d.Name, d, rankName)
			add(d.official, d, rankName)
			for _, a := range d.aliases {
				add(a, d, rankName)
			}
			add(d.Short, d, rankShort)
			add(d.Slug, d, rankSlug)
		}
		for _, f := range g.table.formers {
			if d := g.byCode[f.to[0]]; len(f.to) == 1 && d != nil && !d.retired {
				add(f.name, d, rankFormer)
				add(f.code, d, rankFormer)
			}
		}
	})
	return g.index
}

func (g *Gazetteer) resolve(s string, cities []string) (paper.Division, bool) {
	s = strings.TrimSpace(s)
	if d, ok := g.Division(s); ok {
		return d, ok
	}
	entries := g.lookup()[s]
	if len(entries) == 0 {
		entries = g.lookup()[strings.ToLower(s)]
	}
	local := func(e entry) bool {
		return slices.Contains(cities, e.d.Code) || slices.Contains(cities, e.d.Parent)
	}
	if d := best(entries, local); d != nil {
		return d.Division, true
	}
	if slices.ContainsFunc(entries, local) {
		return paper.Division{}, false // two of the preferred cities' own
	}
	if d := best(entries, func(entry) bool { return true }); d != nil {
		return d.Division, true
	}
	return paper.Division{}, false
}

// best is the one division of the best rank among those that count; nil where
// none or several are. A city and the county of its name within it (长沙) are
// the city.
func best(entries []entry, counts func(entry) bool) *division {
	for rank := uint8(rankName); rank <= rankFormer; rank++ {
		var found *division
		several := false
		for _, e := range entries {
			if e.rank != rank || !counts(e) {
				continue
			}
			switch {
			case found == nil || e.d.Code == found.Parent:
				found = e.d
			case found.Code != e.d.Parent && found.Code[:2]+"0000" != found.Code || found.Code[:2] != e.d.Code[:2]:
				several = true
			}
		}
		if several {
			return nil
		}
		if found != nil {
			return found
		}
	}
	return nil
}

func (g *Gazetteer) nearest(s string, n int) []paper.Division {
	want := []rune(strings.ToLower(strings.TrimSpace(s)))
	if len(want) == 0 || n <= 0 {
		return nil
	}
	if len(want) > 24 {
		want = want[:24]
	}
	type candidate struct {
		d        *division
		distance int
	}
	var found []candidate
	limit := max(1, len(want)/2)
	row := make([]int, 0, 40)
	for _, d := range g.rows {
		if d.retired || d.Level == "province" {
			continue
		}
		least := limit + 1
		for _, have := range [...]string{d.Code, d.Name, d.Short, d.Slug} {
			if have != "" {
				least = min(least, distance(want, have, least, &row))
			}
		}
		if least <= limit {
			found = append(found, candidate{d, least})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return a.distance - b.distance })
	var near []paper.Division
	for _, c := range found[:min(n, len(found))] {
		near = append(near, c.d.Division)
	}
	return near
}

// distance is the edit distance (Levenshtein) between two names, or limit where
// it is that or more.
func distance(a []rune, s string, limit int, row *[]int) int {
	m := utf8.RuneCountInString(s)
	if gap := m - len(a); gap >= limit || -gap >= limit {
		return limit
	}
	r := (*row)[:0]
	for i := 0; i <= len(a); i++ {
		r = append(r, i)
	}
	*row = r
	j := 0
	for _, c := range s {
		j++
		diagonal, least := r[0], j
		r[0] = j
		for i, b := range a {
			cost := diagonal
			if b != c {
				cost++
			}
			diagonal = r[i+1]
			r[i+1] = min(cost, diagonal+1, r[i]+1)
			least = min(least, r[i+1])
		}
		if least >= limit {
			return limit
		}
	}
	return min(r[len(a)], limit)
}
