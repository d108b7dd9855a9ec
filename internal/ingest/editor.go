package ingest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"paperwire/internal/paper"
	"paperwire/internal/store"
)

// handWeight is that of an editor's word, as evidence: above all that a text says.
const handWeight = 10

// reindexBatch is how many articles are filed again in one transaction.
const reindexBatch = 200

// Decide carries out what an editor decided, writes down who and why, and releases
// what is to be seen of it. Errors: paper.ErrNotFound, and paper.ErrDecision with
// what is wrong.
func (g *Ingest) Decide(ctx context.Context, d paper.Decision) (paper.Refiled, error) {
	x, err := g.store.Subject(ctx, d.Article)
	if err != nil {
		return paper.Refiled{}, err
	}
	moved := paper.Refiled{ID: d.Article, Title: x.Article.Title()}
	if d.Action != paper.Refile {
		if err := g.store.Decide(ctx, d); err != nil {
			return moved, err
		}
		_, err := g.store.Release(ctx, x.Article.Paper)
		return moved, err
	}
	if d.Districts == nil && d.Sections == nil {
		return moved, fmt.Errorf("%w: say where to file it: districts, sections or both", paper.ErrDecision)
	}
	s, err := g.filer(ctx, x.Article)
	if err != nil {
		return moved, err
	}
	hand := x.Hand
	if d.Districts != nil {
		if err := g.byHandDistricts(s, &d, &hand); err != nil {
			return moved, err
		}
	}
	if d.Sections != nil {
		if err := g.byHandSections(ctx, &d, &hand); err != nil {
			return moved, err
		}
	}
	m := store.Move{ID: d.Article, Filing: hand.Apply(s.plan.file(s, x.Article))}
	if x.Draft != nil {
		f := hand.Apply(s.plan.file(s, *x.Draft))
		m.Drafted = &f
	}
	list, err := g.store.Refile(ctx, x.Article.Paper, []store.Move{m}, &d, &hand)
	if err != nil || len(list) == 0 {
		return moved, err
	}
	return list[0], nil
}

// Decisions lists what editors did to an article, or to all for "": the newest n,
// newest first.
func (g *Ingest) Decisions(ctx context.Context, article string, n int) ([]paper.Decision, error) {
	return g.store.Decisions(ctx, article, n)
}

// byHandDistricts turns the districts of a decision into a filing; codes and names
// become codes.
func (g *Ingest) byHandDistricts(s *source, d *paper.Decision, hand *store.ByHand) error {
	p := paper.Placing{Reach: paper.ReachNone, Districts: []paper.Tag{}}
	if len(d.Districts) == 1 {
		switch d.Districts[0] {
		case paper.FiledByRules:
			hand.Placing, hand.Districts = nil, nil
			return nil
		case paper.FiledNone, paper.FiledElsewhere, paper.FiledCity:
			p.Reach = map[string]paper.Reach{paper.FiledNone: paper.ReachNone, paper.FiledElsewhere: paper.ReachElsewhere, paper.FiledCity: paper.ReachCity}[d.Districts[0]]
			if p.Reach == paper.ReachCity && s.City == "" {
				return fmt.Errorf("%w: paper %s has no city in the configuration", paper.ErrDecision, s.Paper)
			}
			hand.Placing, hand.Districts = &p, s.districts(p)
			return nil
		}
	}
	for n, word := range d.Districts {
		x, ok := g.names.Resolve(word, s.City)
		if ok && x.Level == "town" {
			x, ok = g.names.Division(x.Parent)
		}
		switch {
		case !ok:
			var near []string
			for _, y := range g.names.Nearest(word, 3) {
				near = append(near, y.Code+" "+y.Name)
			}
			hint := ""
			if len(near) > 0 {
				hint = "; near: " + strings.Join(near, ", ")
			}
			return fmt.Errorf("%w: district %q is not known, or there are several: write its code%s", paper.ErrDecision, clipRunes(word, 40), hint)
		case x.Level == "city" && x.Code == s.City:
			return fmt.Errorf("%w: %s is the paper's city: write city for what is about all of it", paper.ErrDecision, x.Name)
		case x.Level == "province" || x.Level == "city" && len(g.names.Under(x.Code)) > 0:
			return fmt.Errorf("%w: %s is no district: name one, or write elsewhere", paper.ErrDecision, x.Name)
		}
		d.Districts[n] = x.Code
		if slices.ContainsFunc(p.Districts, func(t paper.Tag) bool { return t.Code == x.Code }) {
			continue
		}
		p.Districts = append(p.Districts, paper.Tag{
			Code: x.Code, Name: x.Name, Tier: paper.Sure, Score: handWeight,
			Evidence: []paper.Evidence{{Text: x.Name, Zone: "editor", Rule: "editor", Weight: handWeight}},
		})
	}
	p.Reach = paper.ReachDistrict
	hand.Placing, hand.Districts = &p, s.districts(p)
	return nil
}

// byHandSections turns the sections of a decision into sections. A new one is
// written slug=name.
func (g *Ingest) byHandSections(ctx context.Context, d *paper.Decision, hand *store.ByHand) error {
	list := []paper.Section{}
	if len(d.Sections) == 1 && d.Sections[0] == paper.FiledByRules {
		hand.Sections = nil
		return nil
	}
	if len(d.Sections) == 1 && d.Sections[0] == paper.FiledNone {
		hand.Sections = &list
		return nil
	}
	known, err := g.store.Sections(ctx)
	if err != nil {
		return err
	}
	for n, word := range d.Sections {
		slug, name, create := strings.Cut(word, "=")
		at := slices.IndexFunc(known, func(x paper.Section) bool { return x.Slug == slug || x.Name == word })
		switch {
		case at >= 0:
			list = append(list, known[at])
			d.Sections[n] = known[at].Slug
		case create && slugForm.MatchString(slug) && strings.TrimSpace(name) != "":
			list = append(list, paper.Section{Slug: slug, Name: strings.TrimSpace(name)})
		default:
			var near []string
			for _, x := range known {
				if strings.Contains(x.Slug, slug) || strings.Contains(slug, x.Slug) || strings.Contains(x.Name, word) {
					near = append(near, x.Slug+" "+x.Name)
				}
			}
			hint := ""
			if len(near) > 0 {
				hint = "; near: " + strings.Join(near[:min(len(near), 5)], ", ")
			}
			return fmt.Errorf("%w: section %q is not known; a new one is written slug=name%s", paper.ErrDecision, clipRunes(word, 40), hint)
		}
	}
	hand.Sections = &list
	return nil
}

// filer gives what files the articles of a paper: its source, or for one that was
// taken out the like of it.
func (g *Ingest) filer(ctx context.Context, a paper.Article) (*source, error) {
	p := g.plan.Load()
	if s, ok := p.sources[a.Source]; ok {
		return s, nil
	}
	for _, key := range sortedKeys(p.sources) {
		if s := p.sources[key]; s.Paper == a.Paper {
			return s, nil
		}
	}
	papers, err := g.store.Papers(ctx)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(papers, func(x paper.Paper) bool { return x.Key == a.Paper })
	if at < 0 {
		return nil, fmt.Errorf("paper %s: %w", a.Paper, paper.ErrNotFound)
	}
	s := &source{plan: p, above: g.names.Above, paper: papers[at]}
	s.Key, s.Paper, s.Name, s.City = a.Source, a.Paper, papers[at].Name, papers[at].City
	s.finder, err = g.names.City(s.City)
	return s, err
}

// Reindex files the stored articles again, of the papers named or of all: after the
// gazetteer, its overrides or the rules of sections have changed. What an editor
// decided stays. Neither published nor updated moves. each is told of every article
// that leaves or joins a scope; done of the progress. With dry nothing is written.
func (g *Ingest) Reindex(ctx context.Context, papers []string, dry bool, each func(paper.Refiled), done func(articles int)) error {
	if len(papers) == 0 {
		list, err := g.store.Papers(ctx)
		if err != nil {
			return err
		}
		for _, p := range list {
			papers = append(papers, p.Key)
		}
	}
	n := 0
	for _, pkey := range papers {
		filers := map[string]*source{}
		for after := ""; ; {
			list, err := g.store.Subjects(ctx, pkey, after, reindexBatch)
			if err != nil {
				return err
			}
			if len(list) == 0 {
				break
			}
			after = list[len(list)-1].Article.ID
			var moves []store.Move
			for _, x := range list {
				m, changed, err := g.again(ctx, x, filers)
				if err != nil {
					return err
				}
				if !changed {
					continue
				}
				if dry {
					each(x.Moved(m.Filing))
					continue
				}
				moves = append(moves, m)
			}
			if len(moves) > 0 {
				moved, err := g.store.Refile(ctx, pkey, moves, nil, nil)
				if err != nil {
					return err
				}
				for _, r := range moved {
					each(r)
				}
			}
			n += len(list)
			done(n)
		}
	}
	return nil
}

// again files one stored article by the rules of now, and reports whether that is
// otherwise than it is filed, if only by other evidence. filers keeps what files
// the articles of each source.
func (g *Ingest) again(ctx context.Context, x store.Subject, filers map[string]*source) (m store.Move, changed bool, err error) {
	s := filers[x.Article.Source]
	if s == nil {
		if s, err = g.filer(ctx, x.Article); err != nil {
			return m, false, err
		}
		filers[x.Article.Source] = s
	}
	m = store.Move{ID: x.Article.ID, Hash: x.Hash, Filing: x.Hand.Apply(s.plan.file(s, x.Article))}
	changed = !sameFiling(m.Filing, x.Filing)
	if x.Draft != nil {
		f := x.Hand.Apply(s.plan.file(s, *x.Draft))
		m.Drafted = &f
		changed = changed || !sameFiling(f, x.Drafted)
	}
	return m, changed, nil
}

// How many articles outdated looks at, of a paper and in all.
const (
	outdatedOfPaper = 50
	outdatedInAll   = 2000
)

// outdated counts, among some articles of the last days of every paper, those that
// the rules of now would put under other sections or districts: rules, overrides
// or the tagger have changed since, and only an operator decides that what readers
// have seen in one feed moves to another.
func (g *Ingest) outdated(ctx context.Context) (n, of int, err error) {
	day := paper.DayOf(g.now().Add(-72*time.Hour), time.UTC).Compact()
	for _, p := range g.plan.Load().papers {
		list, err := g.store.Subjects(ctx, p.Key, p.Key+"-"+day, outdatedOfPaper)
		if err == nil && len(list) == 0 { // no edition of these days; items of a feed have no day in their id
			list, err = g.store.Subjects(ctx, p.Key, "", outdatedOfPaper)
		}
		if err != nil {
			return n, of, err
		}
		filers := map[string]*source{}
		for _, x := range list {
			m, changed, err := g.again(ctx, x, filers)
			if err != nil {
				return n, of, err
			}
			if moved := x.Moved(m.Filing); changed && len(moved.Left)+len(moved.Joined) > 0 {
				n++
			}
		}
		if of += len(list); of >= outdatedInAll {
			break
		}
	}
	return n, of, nil
}

// tellOutdated logs what outdated found, once for each plan.
func (g *Ingest) tellOutdated(ctx context.Context) {
	n, of, err := g.outdated(ctx)
	switch {
	case err != nil:
		g.complain(ctx, "compare filings with the rules", err)
	case n > 0:
		g.log.Warn("stored articles are filed by older rules: see paperwire reindex --dry-run, then paperwire reindex", "otherwise", n, "looked_at", of)
	}
}

// sameFiling reports whether two filings say the same, evidence included.
func sameFiling(a, b paper.Filing) bool {
	return slices.Equal(a.Districts, b.Districts) && slices.Equal(a.Sections, b.Sections) && a.Placing.Reach == b.Placing.Reach &&
		len(a.Placing.Districts) == len(b.Placing.Districts) && (len(a.Placing.Districts) == 0 || reflect.DeepEqual(a.Placing.Districts, b.Placing.Districts))
}
