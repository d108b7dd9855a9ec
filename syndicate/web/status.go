package web

import (
	"cmp"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"paperwire/internal/paper"
)

// statusBody is what the status page shows.
type statusBody struct {
	Summary template.HTML
	Well    bool
	Rows    []statusRow
	Past    []pastTrouble
}

// statusRow is one source.
type statusRow struct {
	paper.Health
	Path, Edition, URL string // hrefs; empty where there is nothing to lead to
	States             []condition
	Troubles           []trouble
	Checked, Due       template.HTML
}

// condition is a state as a sign and as a word: never as colour alone.
type condition struct {
	State, Mark, Word string
	Since             template.HTML // empty where all is well
}

// trouble is what is wrong, in the words of whoever found it, and what to do.
type trouble struct {
	Needed  bool
	Problem string
	Do      template.HTML
}

// pastTrouble is an incident that is over.
type pastTrouble struct {
	condition
	Name, Problem string
	Until         template.HTML
}

// The page looks through so many incidents for those that last, and lists so
// many that are over.
const (
	incidentsRead = 50
	incidentsPast = 8
)

// order of the states: what needs a hand comes first.
var states = []string{"blocked", "failing", "alarm", "late", "missing", "partial", "waiting", "ok", "retired"}

// marks are the signs of the states, so that a state is not told by colour alone.
var marks = map[string]string{"ok": "✓", "waiting": "…", "failing": "✗", "blocked": "⊘", "alarm": "!", "late": "!", "missing": "!", "partial": "◐", "retired": "–"}

// needed reports whether a state wants somebody to have a look; what is partial
// is read again by itself.
func needed(state string) bool {
	return state == "blocked" || state == "failing" || state == "alarm" || state == "late" || state == "missing"
}

func (s *Site) status(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	sources, err := s.opts.Data.Health(ctx)
	if err != nil {
		s.fail(w, r, "read health", err)
		return
	}
	incidents, err := s.opts.Data.Incidents(ctx, incidentsRead)
	if err != nil {
		s.fail(w, r, "read incidents", err)
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

	var body statusBody
	zones := make(map[string]*time.Location)
	counted, partial := 0, 0
	for _, h := range sources {
		zone := c.zone(h.Paper)
		zones[h.Source] = zone
		row := p.statusRow(c, h, zone)
		for _, i := range incidents {
			// The other kinds of trouble are the state itself.
			if i.Source == h.Source && (i.State == "late" || i.State == "missing") && i.Ended.IsZero() && h.State != "retired" {
				row.add(p, i.State, i.Problem, p.instant(i.Began, zone))
			}
		}
		if h.State != "retired" {
			counted++
		}
		if h.State == "partial" {
			partial++
		}
		body.Rows = append(body.Rows, row)
	}
	slices.SortStableFunc(body.Rows, func(a, b statusRow) int { return a.rank() - b.rank() })
	for _, i := range incidents {
		if i.Ended.IsZero() || len(body.Past) == incidentsPast {
			continue
		}
		zone := cmp.Or(zones[i.Source], paper.Shanghai)
		body.Past = append(body.Past, pastTrouble{p.condition(i.State, p.instant(i.Began, zone)), cmp.Or(i.Name, i.Source), i.Problem, p.instant(i.Ended, zone)})
	}

	var troubled []template.HTML
	for _, row := range body.Rows {
		for _, state := range row.States {
			if needed(state.State) {
				troubled = append(troubled, p.rich("status_named", row.Name, state.Word))
			}
		}
	}
	const named = 5
	body.Well = len(troubled) == 0
	switch {
	case len(sources) == 0:
		body.Summary = p.rich("status_none")
	case len(troubled) > 0:
		names := template.HTML("")
		for i, t := range troubled[:min(len(troubled), named)] {
			if i > 0 {
				names += p.rich("separator")
			}
			names += t
		}
		if len(troubled) > named {
			names += " …"
		}
		body.Summary = p.rich("status_trouble", names)
	case partial > 0:
		body.Summary = p.rich("status_no_trouble")
	case counted == 1:
		body.Summary = p.rich("status_one_well")
	default:
		body.Summary = p.rich("status_all_well", counted)
	}
	if partial > 0 {
		body.Summary += p.rich("status_partial", partial)
	}
	p.Body = body
	s.write(w, r, http.StatusOK, "status", p)
}

// statusRow sets out how a source fares.
func (p *page) statusRow(c catalog, h paper.Health, zone *time.Location) statusRow {
	row := statusRow{Health: h, URL: bareURL(h.URL), Checked: p.instant(h.Checked, zone), Due: p.instant(h.Due, zone)}
	row.Name = cmp.Or(h.Name, h.Source)
	if _, ok := c.paper(h.Paper); ok {
		row.Path = p.href("/paper/" + h.Paper)
		if h.Edition != "" && h.Articles > 0 {
			row.Edition = p.href(editionPath(h.Paper, h.Edition, ""))
		}
	}
	since := p.instant(h.Since, zone)
	if h.State == "ok" || h.State == "retired" {
		since = ""
	}
	row.add(p, h.State, h.Problem, since)
	return row
}

// add notes a state of a source, with what is wrong where it names something.
func (row *statusRow) add(p *page, state, problem string, since template.HTML) {
	row.States = append(row.States, p.condition(state, since))
	if problem == "" && !needed(state) {
		return
	}
	t := trouble{Needed: needed(state), Problem: problem}
	command := func(words ...string) template.HTML {
		return template.HTML("<code>paperwire " + template.HTMLEscapeString(strings.Join(words, " ")) + "</code>")
	}
	switch state {
	case "failing", "alarm":
		t.Do = p.rich("do_"+state, command("probe", row.URL))
	case "late", "missing":
		t.Do = p.rich("do_"+state, command("fetch", row.Source))
	case "blocked", "partial":
		t.Do = p.rich("do_" + state)
	}
	row.Troubles = append(row.Troubles, t)
}

// rank is the place of a source in the list, by the worst of its states.
func (row statusRow) rank() int {
	worst := len(states)
	for _, c := range row.States {
		if at := slices.Index(states, c.State); at >= 0 {
			worst = min(worst, at)
		}
	}
	return worst
}

func (l locale) condition(state string, since template.HTML) condition {
	c := condition{State: state, Mark: marks[state], Word: state, Since: since}
	if _, ok := messages["state_"+state]; ok {
		c.Word = l.plain("state_" + state)
	}
	return c
}

// errorBody is what an error page says.
type errorBody struct {
	Status  int
	Message string
	Nearest []scopeLink
}
