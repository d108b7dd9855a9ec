package place

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

func readLabelled(r io.Reader, city string) ([]Labelled, error) {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 64<<10), maxLine+2)
	var items []Labelled
	line := 0
	for in.Scan() {
		line++
		b := bytes.TrimSpace(bytes.TrimPrefix(in.Bytes(), []byte("\ufeff")))
		if len(b) == 0 {
			continue
		}
		var it Labelled
		if err := json.Unmarshal(b, &it); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if it.Districts == nil {
			return nil, fmt.Errorf("line %d: no districts: label it with their codes, [] for none", line)
		}
		if it.PaperCityCode == "" {
			it.PaperCityCode = city
		}
		items = append(items, it)
	}
	if err := in.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			err = errors.New("longer than 4 MB")
		}
		return nil, fmt.Errorf("line %d: %w", line+1, err)
	}
	return items, nil
}

func (m *Measure) add(want, got []string) {
	m.Items++
	right := 0
	for _, code := range got {
		if slices.Contains(want, code) {
			right++
		}
	}
	m.Right += right
	m.Wrong += len(got) - right
	m.Missed += len(want) - right
	if right == len(got) && right == len(want) {
		m.Exact++
	}
}

// ratio is 1 of nothing: where nothing was to be found, nothing was missed.
func ratio(a, b int) float64 {
	if b == 0 {
		return 1
	}
	return float64(a) / float64(b)
}

// Precision is the share of the tags given that are right.
func (m Measure) Precision() float64 { return ratio(m.Right, m.Right+m.Wrong) }

// Recall is the share of the labels that were found.
func (m Measure) Recall() float64 { return ratio(m.Right, m.Right+m.Missed) }

// F1 is the harmonic mean of precision and recall, over all tags (micro).
func (m Measure) F1() float64 { return ratio(2*m.Right, 2*m.Right+m.Wrong+m.Missed) }

func (m Measure) String() string {
	return fmt.Sprintf("F1 %.3f  precision %.3f  recall %.3f  exact %d of %d  (%d right, %d wrong, %d missed)", m.F1(), m.Precision(), m.Recall(), m.Exact, m.Items, m.Right, m.Wrong, m.Missed)
}

// MarshalJSON writes the counts and, to four places, what follows from them.
func (m Measure) MarshalJSON() ([]byte, error) {
	four := func(x float64) float64 { return math.Round(x*1e4) / 1e4 }
	return json.Marshal(struct {
		Precision float64 `json:"precision"`
		Recall    float64 `json:"recall"`
		F1        float64 `json:"f1"`
		Items     int     `json:"items"`
		Exact     int     `json:"exact"`
		Right     int     `json:"right"`
		Wrong     int     `json:"wrong"`
		Missed    int     `json:"missed"`
	}{four(m.Precision()), four(m.Recall()), four(m.F1()), m.Items, m.Exact, m.Right, m.Wrong, m.Missed})
}

func (it Labelled) text() Text {
	return Text{PageName: it.PageName, Title: it.Title, Lead: it.Lead, Body: it.BodySnippet, Byline: it.Byline}
}

func (g *Gazetteer) evaluate(items []Labelled) (Evaluation, error) {
	e := Evaluation{Classes: map[string]*Tiers{}, Cities: map[string]*Tiers{}}
	finders := map[string]*Finder{}
	var unknown []error
	for i, it := range items {
		f, err := g.finder(finders, it.PaperCityCode)
		if err != nil {
			unknown = append(unknown, fmt.Errorf("item %d (%v): %w", i+1, it.ID, err))
			continue
		}
		p, rejected := f.Explain(it.text())
		sure := p.Sure()
		var all []string
		for _, tag := range p.Districts {
			all = append(all, tag.Code)
		}
		for _, t := range [...]*Tiers{&e.Tiers, part(e.Classes, it.Class), part(e.Cities, it.PaperCityCode)} {
			t.Sure.add(it.Districts, sure)
			t.Likely.add(it.Districts, all)
		}
		if !sameSet(sure, it.Districts) {
			e.Errors = append(e.Errors, Mistake{ID: it.ID, City: it.PaperCityCode, Class: it.Class, Title: it.Title, Want: it.Districts, Got: append([]string{}, sure...), Placing: p, Rejected: rejected})
		}
		official, short := g.baselines(it)
		e.Official.add(it.Districts, official)
		e.Short.add(it.Districts, short)
	}
	return e, errors.Join(unknown...)
}

func part(m map[string]*Tiers, key string) *Tiers {
	if m[key] == nil {
		m[key] = &Tiers{}
	}
	return m[key]
}

func sameSet(a, b []string) bool {
	for _, x := range a {
		if !slices.Contains(b, x) {
			return false
		}
	}
	return len(a) == len(b)
}

// baselines are what a simple program would file: the districts whose official
// names stand in the text; and those whose official or short names stand there or
// in the page's name.
func (g *Gazetteer) baselines(it Labelled) (official, short []string) {
	text := it.Title + "\n" + it.Lead + "\n" + it.BodySnippet
	for _, d := range g.served(it.PaperCityCode) {
		switch {
		case strings.Contains(text, d.Name):
			official = append(official, d.Code)
			short = append(short, d.Code)
		case d.Short != "" && (strings.Contains(text, d.Short) || strings.Contains(it.PageName, d.Short)) || strings.Contains(it.PageName, d.Name):
			short = append(short, d.Code)
		}
	}
	return official, short
}

// served are the counties that a city's papers are filed under.
func (g *Gazetteer) served(city string) []*division {
	d := g.byCode[city]
	if d != nil && d.Level == "county" {
		return []*division{d}
	}
	if d != nil && d.Level == "province" && len(g.kids[city]) > 0 {
		d = g.kids[city][0] // a municipality's code means its city
	}
	if d == nil {
		return nil
	}
	return g.kids[d.Code]
}

// rules lists what people wrote that names the city or a county of it.
func (g *Gazetteer) rules(city string) []Rule {
	var list []Rule
	own := map[string]bool{}
	all := slices.Clone(g.served(city))
	if d := g.byCode[city]; d != nil && d.Level == "city" {
		all = append(all, d)
	}
	for _, d := range all {
		own[d.Code] = true
		if (d.flags&flagWord != 0) != (d.flags&flagListed != 0) {
			list = append(list, Rule{"word", d.Code, d.Short})
		}
		if d.flags&flagHand != 0 {
			list = append(list, Rule{"generic", d.Code, d.Name})
		}
		for _, key := range [...]string{d.Short, d.Name} {
			for w := range strings.SplitSeq(g.table.handStops[key], " ") {
				if key != "" && w != "" {
					list = append(list, Rule{"stop", d.Code, w})
				}
			}
		}
	}
	for _, l := range g.table.landmarks {
		if own[l[0]] {
			list = append(list, Rule{"landmark", l[0], l[1]})
		}
	}
	for _, f := range g.table.formers {
		if f.hand && slices.ContainsFunc(f.to, func(code string) bool { return own[code] }) {
			list = append(list, Rule{"former", f.to[0], f.name})
		}
	}
	for _, o := range g.overrides {
		if own[o.Code] && o.row == nil {
			list = append(list, Rule{"override", o.Code, o.Name})
		}
	}
	slices.SortFunc(list, func(a, b Rule) int {
		return strings.Compare(a.Code+a.Kind+a.Text, b.Code+b.Kind+b.Text)
	})
	return list
}

// without makes the gazetteer anew and leaves the rules out. A short name's being
// a word is then what the segmenter's dictionary says, and nothing else.
func (g *Gazetteer) without(rules []Rule) (*Gazetteer, error) {
	off := map[Rule]bool{}
	overridden := map[string]bool{}
	for _, r := range rules {
		if r.Kind == "override" {
			overridden[r.Code] = true
		}
		off[r] = true
	}
	var kept []Override
	for _, o := range g.overrides {
		if !overridden[o.Code] || o.row != nil {
			kept = append(kept, o)
		}
	}
	n, err := Load(kept)
	if err != nil {
		return nil, fmt.Errorf("leave rules out: %w", err)
	}
	t := *n.table
	t.handStops = make(map[string]string, len(n.table.handStops))
	stopsOff := map[string]bool{}
	for r := range off {
		if r.Kind == "stop" {
			stopsOff[r.Text] = true
		}
	}
	for key, words := range n.table.handStops {
		left := slices.DeleteFunc(strings.Split(words, " "), func(w string) bool { return w == "" || stopsOff[w] })
		t.handStops[key] = strings.Join(left, " ")
	}
	t.landmarks = slices.DeleteFunc(slices.Clone(t.landmarks), func(l [2]string) bool { return off[Rule{"landmark", l[0], l[1]}] })
	t.formers = slices.DeleteFunc(slices.Clone(t.formers), func(f former) bool { return f.hand && off[Rule{"former", f.to[0], f.name}] })
	n.table = &t
	for _, d := range n.rows { // Load's own copies
		if off[Rule{"word", d.Code, d.Short}] {
			d.flags ^= flagWord
		}
		if off[Rule{"generic", d.Code, d.Name}] {
			d.flags &^= flagGeneric | flagHand
		}
	}
	return n, nil
}

// leaveOut measures a city's items with everything off that was written for it.
func (g *Gazetteer) leaveOut(items []Labelled) (Evaluation, []Left, error) {
	byCity := map[string][]Labelled{}
	var cities []string
	for _, it := range items {
		if byCity[it.PaperCityCode] == nil {
			cities = append(cities, it.PaperCityCode)
		}
		byCity[it.PaperCityCode] = append(byCity[it.PaperCityCode], it)
	}
	slices.Sort(cities)
	sum := Evaluation{Classes: map[string]*Tiers{}, Cities: map[string]*Tiers{}}
	var left []Left
	for _, city := range cities {
		rules := g.rules(city)
		bare, err := g.without(rules)
		if err != nil {
			return sum, nil, err
		}
		whole, err := g.evaluate(byCity[city])
		if err != nil {
			return sum, nil, err
		}
		e, err := bare.evaluate(byCity[city])
		if err != nil {
			return sum, nil, err
		}
		left = append(left, Left{City: city, Rules: rules, With: whole.Tiers, Without: e.Tiers})
		sum.Tiers.plus(e.Tiers)
		sum.Official.plus(e.Official)
		sum.Short.plus(e.Short)
		for k, v := range e.Classes {
			part(sum.Classes, k).plus(*v)
		}
		for k, v := range e.Cities {
			part(sum.Cities, k).plus(*v)
		}
		sum.Errors = append(sum.Errors, e.Errors...)
	}
	return sum, left, nil
}

func (t *Tiers) plus(o Tiers) {
	t.Sure.plus(o.Sure)
	t.Likely.plus(o.Likely)
}

func (m *Measure) plus(o Measure) {
	m.Items += o.Items
	m.Exact += o.Exact
	m.Right += o.Right
	m.Wrong += o.Wrong
	m.Missed += o.Missed
}
