// Package place finds the districts (区县) that a text is about, with evidence
// for every tag and for every mention that was rejected. It is deterministic:
// no model, no network, no clock. The gazetteer is embedded.
package place

import "paperwire/internal/paper"

// Override corrects the embedded gazetteer from the configuration.
type Override struct {
	City    string   // code of the city it belongs to, such as 410800
	Code    string   // the division's code; a new one adds a division
	Name    string   // full name; empty leaves the name
	Aliases []string // further names: former names, zones, landmarks
	Retire  bool     // the division exists no longer
	Point   string   // "35.08 113.08", for georss
}

// Gazetteer is the table of divisions. It is immutable and safe for concurrent use.
type Gazetteer struct{}

// Load decodes the embedded table and applies overrides. Errors name the
// override that is wrong.
func Load(overrides []Override) (*Gazetteer, error) { return &Gazetteer{}, nil }

// Division gives a province, city, county or town by code.
func (g *Gazetteer) Division(code string) (paper.Division, bool) { return paper.Division{}, false }

// Above gives the codes of the city and the province above a county (or of the
// province above a city), nearest first.
func (g *Gazetteer) Above(code string) []string { return nil }

// Under gives the counties of a city, or the cities of a province, by code.
func (g *Gazetteer) Under(code string) []paper.Division { return nil }

// Resolve finds a division by code, full name, short name or slug, preferring
// the given cities; ok is false where it is unknown or ambiguous.
func (g *Gazetteer) Resolve(s string, cities ...string) (paper.Division, bool) {
	return paper.Division{}, false
}

// Text is what the tagger looks at. All fields are plain text.
type Text struct {
	PageName string
	Title    string // kicker, headline and subtitle, joined by a space
	Lead     string // first paragraph
	Body     string // the rest
	Byline   string
}

// Finder tags texts of one city's papers. It is compiled once and safe for
// concurrent use.
type Finder struct{}

// City compiles the finder of one city (410800). An unknown code is an error.
// A paper without a city has the finder of "", which files nothing.
func (g *Gazetteer) City(code string) (*Finder, error) { return &Finder{}, nil }

// Find tags one text. Districts is never nil; likely tags are included and
// marked, rejected mentions are evidence with a weight of 0 or less.
func (f *Finder) Find(t Text) paper.Placing {
	return paper.Placing{Reach: paper.ReachNone, Districts: []paper.Tag{}}
}
