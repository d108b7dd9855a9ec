// Package place finds the districts (区县) that a text is about, with evidence
// for every tag and for every mention that was rejected. It is deterministic:
// no model, no network, no clock. The gazetteer is embedded.
package place

import (
	"errors"
	"fmt"
	"io"
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
	Aliases []string // further names: former names, zones, what people say
	// Landmarks lie in it and are named without it. On pages about culture or of
	// other places they need the support of another mention.
	Landmarks []string
	// Stops are phrases that contain a name of it and mean something else: 山阳书院.
	Stops []string
	// Trusted lifts the caution with a short name that is also a word or another
	// place's: here it never misleads.
	Trusted bool
	Retire  bool   // the division exists no longer
	Point   string // "35.08 113.08", for georss

	row *row // from a table of another country
}

// Language is what the tagger must know of a language with spaces and capitals,
// for the tables of other countries. All words are read in capital and small
// letters alike; phrases may have several words.
type Language struct {
	Suffixes  []string // of a division's name, not said every time: " County"
	Prefixes  []string // before a division's name: "County of "
	Organs    []string // after a name, whose place is meant: City Council, police
	Roads     []string // after a name, which is then no place: Road, Street
	Stations  []string
	Features  []string // River, Hill
	Brands    []string // United, plc
	FromAfter []string `mapstructure:"from_after"` // after a name where somebody comes from: native, -born
	From      []string // before such a name: born in, raised in
	In        []string // before a name that can only be a place: in, near
	Passing   []string // before a name that is passed or compared with: bound for
	Visit     []string // before a place that is visited: on a visit to
	Persons   []string // before a surname: Mr, Councillor
	Whole     []string // the whole city: citywide
}

// ReadTable reads a table of another country, CSV of at most 16 MB with the first
// line "level,code,parent,name,aliases,flags": level is province, city, county or
// town; aliases are parted by "|"; of the flags w says that the name is a word or
// a surname too, g that it is a common noun, z that it is a zone. What it returns
// goes to Load with the overrides that correct it. The error names lines.
func ReadTable(r io.Reader, l Language) ([]Override, error) { return readTable(r, l) }

// Gazetteer is the table of divisions. It is immutable and safe for concurrent use.
type Gazetteer struct {
	table  *table
	rows   []*division          // by code
	byCode map[string]*division // provinces, cities, counties
	kids   map[string][]*division

	overrides []Override        // as given
	towns     map[string][]town // of other countries, by county

	indexOnce sync.Once
	index     map[string][]entry

	nationOnce sync.Once
	nation     []name
	shorts     shortNames // of the country's counties, those that are no words
}

// Load decodes the embedded table and applies overrides, some milliseconds in
// all; towns are read when a city's finder or a town's code asks for them. The
// error names every override that is wrong, by its place from 0 among them.
func Load(overrides []Override) (*Gazetteer, error) {
	t, err := base()
	if err != nil {
		return nil, err
	}
	g := &Gazetteer{table: t, overrides: overrides, towns: map[string][]town{}, byCode: make(map[string]*division, len(t.divisions)+len(overrides)), kids: make(map[string][]*division, 400)}
	rows := slices.Clone(t.divisions)
	for i := range rows {
		g.rows = append(g.rows, &rows[i])
		g.byCode[rows[i].Code] = &rows[i]
	}
	var wrong []error
	n := 0
	for _, o := range overrides { // tables first, so that overrides can correct them
		if o.row == nil {
			continue
		}
		if err := g.join(o); err != nil {
			wrong = append(wrong, err)
		}
	}
	for _, o := range overrides {
		if o.row != nil {
			continue
		}
		if err := g.override(o); err != nil {
			wrong = append(wrong, fmt.Errorf("override %d (%s): %w", n, o.Code, err))
		}
		n++
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

// Labelled is an item with the districts that a person gave it.
type Labelled struct {
	Item
	Districts []string `json:"districts"` // codes; empty for none
	Class     string   `json:"class"`     // what makes it difficult; any word
	Note      string   `json:"note"`
}

// Measure counts tags against labels.
type Measure struct {
	Items, Exact         int // exact: all labels and no other tag
	Right, Wrong, Missed int
}

// Tiers are the measures of what is filed (sure) and of all tags (likely, which
// holds the sure ones too).
type Tiers struct {
	Sure   Measure `json:"sure"`
	Likely Measure `json:"likely"`
}

// Mistake is an item whose sure tags are not its labels.
type Mistake struct {
	ID       any           `json:"id"`
	City     string        `json:"city"`
	Class    string        `json:"class"`
	Title    string        `json:"title"`
	Want     []string      `json:"want"`
	Got      []string      `json:"got"`
	Placing  paper.Placing `json:"placing"`
	Rejected []Rejection   `json:"rejected"`
}

// Rejection is a mention that counted for nothing, or for too little, with the
// rule that says why.
type Rejection struct {
	Code string `json:"code"` // of the district it would have been; empty where several might
	Name string `json:"name"`
	paper.Evidence
}

// Evaluation is how well items are filed, and how simple programs would do:
// official names in the text; these, short names, and both in the page's name.
type Evaluation struct {
	Tiers
	Classes  map[string]*Tiers `json:"classes"`
	Cities   map[string]*Tiers `json:"cities"`
	Official Measure           `json:"official"`
	Short    Measure           `json:"short"`
	Errors   []Mistake         `json:"errors"`
}

// Rule is one thing that a person wrote about a division: that its short name is
// a word (word) or its full name a common noun (generic), a phrase that contains
// it (stop), a landmark, a former name, or an override of the configuration.
type Rule struct {
	Kind string `json:"kind"`
	Code string `json:"code"`
	Text string `json:"text"`
}

// Left is a city measured with and without the rules that were written for it.
type Left struct {
	City    string `json:"city"`
	Rules   []Rule `json:"rules"` // what was off
	With    Tiers  `json:"with"`
	Without Tiers  `json:"without"`
}

// ReadLabelled reads labelled items as JSON lines; those without a
// paper_city_code are of the given city. A line that is no item, or has no
// districts, is an error that names the line.
func ReadLabelled(r io.Reader, city string) ([]Labelled, error) { return readLabelled(r, city) }

// Evaluate files the items and holds the tags against the labels. The error names
// items of unknown cities, which are not counted.
func (g *Gazetteer) Evaluate(items []Labelled) (Evaluation, error) { return g.evaluate(items) }

// Rules lists everything written by hand, here or in the configuration, that
// names the city or one of its counties. What is generated is not in it.
func (g *Gazetteer) Rules(city string) []Rule { return g.rules(city) }

// Without is a gazetteer in which the given rules are off.
func (g *Gazetteer) Without(rules []Rule) (*Gazetteer, error) { return g.without(rules) }

// LeaveOut evaluates each city's items with all its Rules off: how the tagger
// does in a city that nobody has looked at.
func (g *Gazetteer) LeaveOut(items []Labelled) (Evaluation, []Left, error) { return g.leaveOut(items) }

// Finder tags texts of one city's papers. It is compiled once and safe for
// concurrent use.
type Finder struct {
	city      *division
	districts []district
	names     []name
	lang      *language
	trie      *trie
	fuse      map[rune]string // a name's first rune -> runes that make a word with it
	tail      map[rune]string // a short name's last rune -> runes that make a word with it
	release   map[rune]string // a rune of those -> runes with which it begins a word of its own
	others    shortNames      // of the country's counties
	scratch   sync.Pool
}

// City compiles the finder of one city (410800), or of a county right under its
// province (419001). An unknown code is an error. A paper without a city has the
// finder of "", which files nothing.
func (g *Gazetteer) City(code string) (*Finder, error) { return g.compile(code) }

// Find tags one text. Districts is never nil; likely tags are included and
// marked, rejected mentions are evidence with a weight of 0 or less. Offsets
// are in runes into their zone.
func (f *Finder) Find(t Text) paper.Placing { return f.find(t, nil) }

// Explain is Find with every mention beside it that led to no tag, in reading
// order, at most 200, and why.
func (f *Finder) Explain(t Text) (paper.Placing, []Rejection) {
	var rejected []Rejection
	return f.find(t, &rejected), rejected
}
