package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"paperwire/internal/place"
)

// evaluateCommand measures the filing under districts against labelled items.
func evaluateCommand(a *app) *cobra.Command {
	var o evaluateOptions
	c := &cobra.Command{
		Use:   "evaluate FILE.jsonl…",
		Short: "Measure the filing under districts against labelled items",
		Long: `Evaluate reads one JSON object a line, as classify does, with districts (codes;
[] for none) and, if you like, class and note. It prints precision, recall, F1
and exact matches of the sure tags, which file articles, and of all tags; by
class and by city; what two simple programs would do; and the errors with their
evidence, rejected mentions included. FILE may be - for standard input. With
--config the places of the configuration apply.

--leave-out measures every city of the file with all that was written for it by
hand switched off (words, stop phrases, landmarks, former names, places of the
configuration): how the filing does in a city that nobody has looked at.`,
		Example: `  paperwire evaluate --city 410800 items.jsonl
  paperwire evaluate --leave-out --errors 0 items.jsonl
  paperwire evaluate --json items.jsonl | jq .sure.f1`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{errors.New("evaluate: name a file of labelled items, or - for standard input")}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.evaluate(o, args) },
	}
	c.Flags().StringVar(&o.city, "city", "", "division code of the city of items without paper_city_code")
	c.Flags().IntVar(&o.errors, "errors", 20, "how many errors to print")
	c.Flags().BoolVar(&o.json, "json", false, "print one JSON object, with all errors")
	c.Flags().BoolVar(&o.leaveOut, "leave-out", false, "measure each city without what was written for it")
	return c
}

type evaluateOptions struct {
	city           string
	errors         int
	json, leaveOut bool
}

func (a *app) evaluate(o evaluateOptions, files []string) error {
	var places []place.Override
	if a.flags.file != "" {
		c, err := localConfig(a.flags)
		if err != nil {
			return err
		}
		places = c.overrides()
	}
	g, err := place.Load(places)
	if err != nil {
		return err
	}
	if o.errors < 0 {
		return usageError{errors.New("evaluate: --errors is negative")}
	}
	if o.city != "" {
		if _, err := g.City(o.city); err != nil {
			return usageError{fmt.Errorf("--city: %w", err)}
		}
	}
	var items []place.Labelled
	for _, name := range files {
		more, err := a.labelled(name, o.city)
		if err != nil {
			return fmt.Errorf("evaluate: read %s: %w", name, err)
		}
		items = append(items, more...)
	}
	if len(items) == 0 {
		return errors.New("evaluate: no items")
	}
	e, err := g.Evaluate(items)
	if err != nil {
		return fmt.Errorf("evaluate: %w", err)
	}
	var left []place.Left
	whole := e
	if o.leaveOut {
		if e, left, err = g.LeaveOut(items); err != nil {
			return fmt.Errorf("evaluate: %w", err)
		}
	}
	if o.json {
		enc := json.NewEncoder(a.out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(struct {
			place.Evaluation
			LeftOut []place.Left `json:"left_out,omitempty"`
		}{e, left})
	}
	var b strings.Builder
	writeEvaluation(&b, g, e, o.errors)
	if o.leaveOut {
		fmt.Fprintf(&b, "\nleft out, city by city (sure F1 with and without what was written for it)\n")
		for _, l := range left {
			fmt.Fprintf(&b, "  %-24s %.3f  %.3f  %+.3f  %d rules off\n", cityName(g, l.City), l.With.Sure.F1(), l.Without.Sure.F1(), l.Without.Sure.F1()-l.With.Sure.F1(), len(l.Rules))
		}
		fmt.Fprintf(&b, "  %-24s %.3f  %.3f  %+.3f\n", "all", whole.Sure.F1(), e.Sure.F1(), e.Sure.F1()-whole.Sure.F1())
	}
	_, err = io.WriteString(a.out, printable(b.String()))
	return err
}

func (a *app) labelled(name, city string) ([]place.Labelled, error) {
	if name == "-" {
		return place.ReadLabelled(a.in, city)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return place.ReadLabelled(f, city)
}

func cityName(g *place.Gazetteer, code string) string {
	if d, ok := g.Division(code); ok {
		return code + " " + d.Name
	}
	return code
}

func writeEvaluation(b *strings.Builder, g *place.Gazetteer, e place.Evaluation, errs int) {
	fmt.Fprintf(b, "sure tags        %v\n", e.Sure)
	fmt.Fprintf(b, "all tags         %v\n", e.Likely)
	fmt.Fprintf(b, "official names   %v\n", e.Official)
	fmt.Fprintf(b, "+ short, page    %v\n", e.Short)
	for _, part := range []struct {
		title string
		of    map[string]*place.Tiers
		name  func(string) string
	}{
		{"by class (sure tags; F1 of all tags)", e.Classes, func(s string) string { return or(s, "(none)") }},
		{"by city", e.Cities, func(s string) string { return cityName(g, s) }},
	} {
		fmt.Fprintf(b, "\n%s\n", part.title)
		for _, key := range slices.Sorted(maps.Keys(part.of)) {
			t := part.of[key]
			fmt.Fprintf(b, "  %-24s F1 %.3f  precision %.3f  recall %.3f  exact %3d of %3d   %.3f\n", part.name(key), t.Sure.F1(), t.Sure.Precision(), t.Sure.Recall(), t.Sure.Exact, t.Sure.Items, t.Likely.F1())
		}
	}
	fmt.Fprintf(b, "\n%d errors\n", len(e.Errors))
	for i, m := range e.Errors {
		if i == errs {
			if errs > 0 {
				fmt.Fprintf(b, "… and %d more: --errors %d shows all\n", len(e.Errors)-i, len(e.Errors))
			}
			break
		}
		fmt.Fprintf(b, "\n%v  %s  %s  %s\n  want %s\n  got  %s (reach %s)\n", m.ID, m.City, m.Class, m.Title, districtNames(g, m.Want), districtNames(g, m.Got), m.Placing.Reach)
		for _, t := range m.Placing.Districts {
			fmt.Fprintf(b, "  %s %s %s %.2f\n", t.Code, t.Name, t.Tier, t.Score)
			for _, x := range t.Evidence {
				fmt.Fprintf(b, "    %s %d “%s” %s %+.2f\n", x.Zone, x.Offset, x.Text, x.Rule, x.Weight)
			}
		}
		for _, x := range m.Rejected {
			fmt.Fprintf(b, "  no tag: %s %d “%s” %s %+.2f %s %s\n", x.Zone, x.Offset, x.Text, x.Rule, x.Weight, x.Code, x.Name)
		}
	}
}

func districtNames(g *place.Gazetteer, codes []string) string {
	if len(codes) == 0 {
		return "none"
	}
	names := make([]string, len(codes))
	for i, c := range codes {
		names[i] = cityName(g, c)
	}
	return strings.Join(names, ", ")
}
