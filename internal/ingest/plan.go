package ingest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"paperwire/internal/paper"
	"paperwire/internal/place"
	"paperwire/sources"
)

// plan is a compiled configuration.
type plan struct {
	sources  map[string]*source
	papers   []paper.Paper
	sections *sectionTable
}

type source struct {
	Source
	paper  paper.Paper
	finder *place.Finder
	names  []string // of all configured papers: a byline may name them
	plan   *plan
	above  func(code string) []string
}

// compile checks a configuration and makes a plan of it: all errors in one go.
func compile(c Config, g *place.Gazetteer) (*plan, error) {
	p := &plan{sources: map[string]*source{}}
	var errs []error
	rules := make([]sectionRule, len(c.Sections))
	for i, r := range c.Sections {
		rules[i] = sectionRule(r)
	}
	var err error
	if p.sections, err = compileSections(rules); err != nil {
		errs = append(errs, err)
	}
	var names []string
	for _, s := range c.Sources {
		names = append(names, s.Name)
	}
	finders := map[string]*place.Finder{}
	for i, s := range c.Sources {
		if p.sources[s.Key] != nil {
			errs = append(errs, fmt.Errorf("sources[%d].key: %q stands twice: give every source a key of its own", i, s.Key))
			continue
		}
		finder := finders[s.City]
		if finder == nil {
			if finder, err = g.City(s.City); err != nil {
				errs = append(errs, fmt.Errorf("sources[%d].city: %w", i, err))
				continue
			}
			finders[s.City] = finder
		}
		x := &source{Source: s, finder: finder, names: names, plan: p, above: g.Above}
		at := slices.IndexFunc(p.papers, func(q paper.Paper) bool { return q.Key == s.Paper })
		if at < 0 {
			p.papers = append(p.papers, paper.Paper{
				Key: s.Paper, Name: s.Name, City: s.City, Zone: zoneName(s.Zone),
				Language: s.Language, URL: s.URL, Link: s.Link, Rights: s.Rights,
			})
			at = len(p.papers) - 1
		} else {
			// Several sources of one paper: the narrower rights hold for all of it.
			p.papers[at].Rights = p.papers[at].Rights.Narrower(s.Rights)
		}
		x.paper = p.papers[at]
		p.sources[s.Key] = x
	}
	return p, errors.Join(errs...)
}

func zoneName(z *time.Location) string {
	if z == nil {
		return paper.Shanghai.String()
	}
	return z.String()
}

// feedItem reports whether a reference is an item of a feed, which has no edition.
func (s *source) feedItem(r sources.Ref) bool { return r.Printed != nil && r.Page.Number == "" }

// article normalises one article. day is its edition's; for an item of
// a feed the item's own.
func (p *plan) article(s *source, printed sources.Printed, r sources.Ref, day paper.Day) paper.Article {
	a := normalise(printed, r, normaliseOptions{Paper: s.paper, PaperNames: s.names})
	a.Paper, a.Source, a.Day = s.Paper, s.Key, day
	a.URL, a.Position, a.Ordinal = r.URL, r.Position, r.Ordinal
	if a.Language == "" {
		a.Language = s.Language
	}
	a.Pseudo = pseudo(a)
	if a.Pseudo != "" && corrects(a, s.Name) {
		a.Pseudo = "" // the paper's own word to its readers
	}
	return a
}

// file files an article under sections and districts.
func (p *plan) file(s *source, a paper.Article) paper.Filing {
	f := paper.Filing{Sections: p.sections.file(a.Page, a.Columns), Placing: s.finder.Find(placeText(a))}
	f.Districts = s.districts(f.Placing)
	return f
}

// districts are the codes that a placing files under: the sure districts and the
// city and province above them; the city and province alone of a city-wide
// article; nothing for elsewhere and none.
func (s *source) districts(p paper.Placing) []string {
	set := map[string]bool{}
	for _, code := range p.Sure() {
		set[code] = true
		for _, up := range s.above(code) {
			set[up] = true
		}
	}
	if p.Reach == paper.ReachCity && s.City != "" {
		set[s.City] = true
		for _, up := range s.above(s.City) {
			set[up] = true
		}
	}
	codes := make([]string, 0, len(set))
	for code := range set {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	return codes
}

// of is the window of a source that turned out to be of a platform.
func (w Window) of(platform string) Window {
	if platform == "feed" && w.OfFeed > 0 {
		return Window{Every: w.OfFeed}
	}
	return w
}

// next is when to look again after a look that ended well at t.
func (w Window) next(t time.Time, zone *time.Location) time.Time {
	if zone == nil {
		zone = paper.Shanghai
	}
	step := w.Every
	if step <= 0 {
		step = time.Hour
	}
	if w.From == w.To {
		return t.Add(step)
	}
	within := w.Within
	if within <= 0 {
		within = 5 * time.Minute
	}
	local := t.In(zone)
	midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, zone)
	since := local.Sub(midnight)
	inside := since >= w.From && since < w.To
	if w.From > w.To { // over midnight
		inside = since >= w.From || since < w.To
	}
	if inside {
		return t.Add(min(within, step))
	}
	// The window's opening comes first where the interval would pass it.
	opening := midnight.Add(w.From)
	if !opening.After(local) {
		opening = opening.AddDate(0, 0, 1)
	}
	if at := t.Add(step); at.Before(opening) {
		return at
	}
	return opening
}

// String is the window as configured, 05:00-09:00; empty where there is none.
func (w Window) String() string {
	if w.From == w.To {
		return ""
	}
	clock := func(d time.Duration) string {
		return fmt.Sprintf("%02d:%02d", int(d.Hours()), int(d.Minutes())%60)
	}
	return clock(w.From) + "-" + clock(w.To)
}
