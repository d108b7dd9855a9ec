package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"paperwire/internal/paper"
)

// The home page shows at most so many front pages with their leads, and lists
// so many latest articles where no paper has editions.
const (
	frontPages  = 6
	frontLeads  = 4
	latestItems = 20
)

// homeBody is what the home page shows.
type homeBody struct {
	Fronts   []front
	Latest   []group
	Panel    panel
	Cities   []cityIndex
	Sections []scopeLink
	Papers   []paperLink
}

// front is the newest edition of a paper with its front page.
type front struct {
	Paper   string
	Edition paper.Edition
	Href    string
	Page    paper.EditionPage
	Picture picture
	Lead    *entry
	More    []entry
}

// cityIndex is the districts of one city; Name is empty for those above none.
type cityIndex struct {
	Path, Name string
	Districts  []scopeLink
}

type paperLink struct {
	scopeLink
	Retired bool
}

func (s *Site) home(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	c, err := s.catalog(ctx)
	if err != nil {
		s.fail(w, r, "list scopes", err)
		return
	}
	p := s.page(r, "home_desc")
	p.Description, p.Title = p.Title, ""
	p.Alternates = s.alternates(paper.Scope{}, p.plain("scope_all"))
	body := homeBody{Panel: s.panel(paper.Scope{}), Cities: districtIndex(c)}
	body.Panel.Hint = "subscribe_all_hint"
	if body.Fronts, err = s.fronts(ctx, p, c); err != nil {
		s.fail(w, r, "list editions", err)
		return
	}
	if len(body.Fronts) == 0 {
		items, err := s.opts.Data.Items(ctx, paper.Public, paper.Scope{}, paper.Window{Limit: latestItems})
		if err != nil {
			s.fail(w, r, "list articles", err)
			return
		}
		body.Latest = p.groups(c, items)
	}
	for _, info := range c.infos {
		if slug, ok := strings.CutPrefix(info.Part, "section/"); ok {
			body.Sections = append(body.Sections, scopeLink{"/" + info.Part, c.label("section", slug), info.Count, info.Last})
		}
	}
	slices.SortStableFunc(body.Sections, func(a, b scopeLink) int { return b.Count - a.Count })
	for _, one := range c.papers {
		info := c.byPart["paper/"+one.Key]
		body.Papers = append(body.Papers, paperLink{scopeLink{"/paper/" + one.Key, c.label("paper", one.Key), info.Count, info.Last}, one.Retired})
	}
	p.Body = body
	s.write(w, r, http.StatusOK, "home", p)
}

// fronts are the newest editions, one of each paper, newest day first.
func (s *Site) fronts(ctx context.Context, p *page, c catalog) ([]front, error) {
	// Papers that do not appear every day stand a few editions down the list.
	editions, err := s.opts.Data.Editions(ctx, paper.Public, "", min(4*len(c.papers)+4, 100))
	if err != nil {
		return nil, err
	}
	var fronts []front
	seen := make(map[string]bool)
	for _, ed := range editions {
		if seen[ed.Paper] || ed.Day == "" || len(fronts) == frontPages {
			continue
		}
		seen[ed.Paper] = true
		items, err := s.opts.Data.Items(ctx, paper.Public, paper.Scope{Papers: []string{ed.Paper}}, paper.Window{Day: ed.Day})
		if err != nil {
			return nil, err
		}
		f := front{Paper: c.label("paper", ed.Paper), Edition: ed, Href: p.href(editionPath(ed.Paper, ed.Day, ""))}
		if len(ed.Pages) > 0 {
			f.Page = ed.Pages[0]
			if src := webURL(f.Page.Picture); src != "" {
				width, height := sizeOf(f.Page)
				f.Picture = s.thumb(src, width, height, 255, 364)
			}
		}
		for _, it := range items {
			if it.State == paper.Withdrawn {
				continue
			}
			e := p.entry(it)
			if f.Lead == nil {
				f.Lead = &e
			} else if len(f.More) < frontLeads {
				f.More = append(f.More, e)
			}
		}
		fronts = append(fronts, f)
	}
	return fronts, nil
}

// districtIndex lists the counties that ever had news, under their cities, both
// in the order of pinyin.
func districtIndex(c catalog) []cityIndex {
	under := make(map[string][]paper.Division)
	for _, info := range c.infos {
		code, ok := strings.CutPrefix(info.Part, "district/")
		if !ok || level(c.names, code) != "county" {
			continue
		}
		d, known := c.names.Division(code)
		if !known {
			d = paper.Division{Code: code, Name: c.label("district", code)}
		}
		city := ""
		if above := c.names.Above(code); len(above) > 0 {
			city = above[0]
		}
		under[city] = append(under[city], d)
	}
	var cities []paper.Division
	for code := range under {
		d, _ := c.names.Division(code)
		d.Code = code
		cities = append(cities, d)
	}
	var index []cityIndex
	for _, city := range sortedDivisions(cities) {
		one := cityIndex{}
		if city.Code != "" {
			one.Path, one.Name = "/district/"+city.Code, c.label("district", city.Code)
		}
		for _, d := range sortedDivisions(under[city.Code]) {
			info := c.byPart["district/"+d.Code]
			one.Districts = append(one.Districts, scopeLink{"/" + info.Part, c.label("district", d.Code), info.Count, info.Last})
		}
		index = append(index, one)
	}
	return index
}
