// Package place finds the districts (区县) that a text is about, with evidence
// for every tag and for every mention that was rejected. It is deterministic:
// no model, no network, no clock. The gazetteer is embedded.
package place

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"paperwire/internal/paper"
)

// Override corrects the embedded gazetteer from the configuration. Official
// tables have stopped being published, so overrides are there to stay.
type Override struct {
	City    string   // code of the city it belongs to, such as 410800
	Code    string   // the division's code; a new one adds a division
	Name    string   // full name; empty leaves the name
	Aliases []string // further names: former names, zones, landmarks
	Retire  bool     // the division exists no longer
	Point   string   // "35.08 113.08", for georss
}

// Gazetteer is the table of divisions. It is immutable and safe for concurrent use.
type Gazetteer struct {
	table  *table
	rows   []*division          // by code
	byCode map[string]*division // provinces, cities, counties
	kids   map[string][]*division

	indexOnce sync.Once
	index     map[string][]entry

	nationOnce sync.Once
	nation     []name
}

// Load decodes the embedded table and applies overrides, some milliseconds in
// all; towns are read when a city's finder or a town's code asks for them. The
// error names every override that is wrong, by its place in the list from 0.
func Load(overrides []Override) (*Gazetteer, error) {
	t, err := base()
	if err != nil {
		return nil, err
	}
	g := &Gazetteer{table: t, byCode: make(map[string]*division, len(t.divisions)+len(overrides)), kids: make(map[string][]*division, 400)}
	rows := slices.Clone(t.divisions)
	for i := range rows {
		g.rows = append(g.rows, &rows[i])
		g.byCode[rows[i].Code] = &rows[i]
	}
	var wrong []error
	for i, o := range overrides {
		if err := g.override(o); err != nil {
			wrong = append(wrong, fmt.Errorf("override %d (%s): %w", i, o.Code, err))
		}
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	for _, d := range g.rows {
		if d.Parent != "" && !d.retired {
			g.kids[d.Parent] = append(g.kids[d.Parent], d)
		}
	}
	return g, nil
}

// Division gives a province, city, county or town by code: six digits, nine or
// twelve for a town. A retired division is still known, for what was filed under it.
func (g *Gazetteer) Division(code string) (paper.Division, bool) {
	if d := g.byCode[code]; d != nil {
		return d.Division, true
	}
	return g.town(code)
}

// Above gives the codes of the city and the province above a county (or of the
// province above a city), nearest first. A county right under its province
// (济源) has the province only.
func (g *Gazetteer) Above(code string) []string {
	var above []string
	for d, ok := g.Division(code); ok && d.Parent != ""; d, ok = g.Division(d.Parent) {
		above = append(above, d.Parent)
	}
	return above
}

// Under gives the counties of a city, or the cities of a province, by code. The
// counties right under a province stand among its cities. Nil where there are none.
func (g *Gazetteer) Under(code string) []paper.Division {
	var under []paper.Division
	for _, d := range g.kids[code] {
		under = append(under, d.Division)
	}
	return under
}

// Resolve finds a division by code, full name, short name, slug or former name,
// preferring the given cities; ok is false where it is unknown or ambiguous.
func (g *Gazetteer) Resolve(s string, cities ...string) (paper.Division, bool) {
	return g.resolve(s, cities)
}

// Nearest gives at most n cities and counties whose code, name or slug is
// nearest to s by edit distance, nearest first: what a 404 page can offer.
// It looks at the first 24 characters of s.
func (g *Gazetteer) Nearest(s string, n int) []paper.Division { return g.nearest(s, n) }

// Text is what the tagger looks at. All fields are plain text.
type Text struct {
	PageName string
	Title    string // kicker, headline and subtitle, joined by a space
	Lead     string // first paragraph
	Body     string // the rest
	Byline   string
}

// Item is one line that Classify reads. Unknown fields are ignored; ID is given
// back as it came, whatever its JSON type.
type Item struct {
	ID            any    `json:"id"`
	PageName      string `json:"page_name"`
	Title         string `json:"title"`
	Lead          string `json:"lead"`
	BodySnippet   string `json:"body_snippet"`
	Byline        string `json:"byline"`
	PaperCityCode string `json:"paper_city_code"`
}

// Finder tags texts of one city's papers. It is compiled once and safe for
// concurrent use.
type Finder struct {
	city      *division
	districts []district
	names     []name
	trie      *trie
	fuse      map[rune]string // a name's first rune -> runes that make a word with it
	scratch   sync.Pool
}

// City compiles the finder of one city (410800), or of a county right under its
// province (419001). An unknown code is an error. A paper without a city has the
// finder of "", which files nothing.
func (g *Gazetteer) City(code string) (*Finder, error) { return g.compile(code) }

// Find tags one text. Districts is never nil; likely tags are included and
// marked, rejected mentions are evidence with a weight of 0 or less. Offsets
// are in runes into their zone.
func (f *Finder) Find(t Text) paper.Placing { return f.find(t) }
