package web

import (
	"html/template"
	"net/http"
	"slices"

	"paperwire/internal/paper"
)

// statusBody is what the status page shows.
type statusBody struct {
	Summary template.HTML
	Well    bool
	Rows    []statusRow
}

// statusRow is one source.
type statusRow struct {
	paper.Health
	Path, Edition, URL  string // hrefs; empty where there is nothing to lead to
	Mark, Word          string // the state as a sign and as a word: never as colour alone
	Since, Checked, Due template.HTML
}

// order of the states: what needs a hand comes first.
var states = []string{"blocked", "failing", "alarm", "partial", "waiting", "ok", "retired"}

// marks are the signs of the states, so that a state is not told by colour alone.
var marks = map[string]string{"ok": "✓", "waiting": "…", "failing": "✗", "blocked": "⊘", "alarm": "!", "partial": "◐", "retired": "–"}

func (s *Site) status(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	sources, err := s.opts.Data.Health(ctx)
	if err != nil {
		s.fail(w, r, "read health", err)
		return
	}
	c, err := s.catalog(ctx)
	if err != nil {
		s.fail(w, r, "list papers", err)
		return
	}
	p := s.page(r, "status_title")
	p.caching = "no-cache" // an operator who looks again wants to see what is
	p.Description = p.plain("status_desc")
	p.Alternates = []alternate{{"application/atom+xml", p.plain("status_feed"), s.opts.Base + "/feeds/status.atom"}}
	p.NoIndex = true

	sources = slices.Clone(sources)
	slices.SortStableFunc(sources, func(a, b paper.Health) int {
		return slices.Index(states, a.State) - slices.Index(states, b.State)
	})
	var body statusBody
	trouble, counted := 0, 0
	for _, h := range sources {
		zone := c.zone(h.Paper)
		row := statusRow{
			Health: h, Mark: marks[h.State], Word: h.State, URL: webURL(h.URL),
			Since: p.instant(h.Since, zone), Checked: p.instant(h.Checked, zone), Due: p.instant(h.Due, zone),
		}
		if _, ok := messages["state_"+h.State]; ok {
			row.Word = p.plain("state_" + h.State)
		}
		if h.Name == "" {
			row.Name = h.Source
		}
		if _, ok := c.paper(h.Paper); ok {
			row.Path = p.href("/paper/" + h.Paper)
			if h.Edition != "" {
				row.Edition = p.href(editionPath(h.Paper, h.Edition, ""))
			}
		}
		if h.State != "retired" {
			counted++
		}
		if h.State == "failing" || h.State == "blocked" || h.State == "alarm" || h.Failed > 0 {
			trouble++
		}
		body.Rows = append(body.Rows, row)
	}
	body.Well = trouble == 0
	switch {
	case len(sources) == 0:
		body.Summary = p.rich("status_none")
	case trouble > 0:
		body.Summary = p.rich("status_trouble", trouble, counted)
	case counted == 1:
		body.Summary = p.rich("status_one_well")
	default:
		body.Summary = p.rich("status_all_well", counted)
	}
	p.Body = body
	s.write(w, r, http.StatusOK, "status", p)
}

// errorBody is what an error page says.
type errorBody struct {
	Status  int
	Message string
	Nearest []scopeLink
}
