package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"paperwire/internal/paper"
	"paperwire/internal/store"
)

// editorFlags are those of the editor's commands.
type editorFlags struct {
	districts, sections []string
	who, why            string
}

// editorCommands are the editor's hand: each works beside a running serve.
func editorCommands(a *app) []*cobra.Command {
	var f editorFlags
	decide := func(action paper.Action) func(*cobra.Command, []string) error {
		return func(cmd *cobra.Command, args []string) error {
			d := paper.Decision{Article: args[0], Action: action, Who: f.who, Why: f.why}
			if cmd.Flags().Changed("district") {
				d.Districts = words(f.districts)
			}
			if cmd.Flags().Changed("section") {
				d.Sections = words(f.sections)
			}
			return a.decide(cmd.Context(), d)
		}
	}
	one := func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usageError{fmt.Errorf("%s: name one article by its id, such as jzrb-20260317-279424", cmd.Name())}
		}
		return nil
	}
	refile := &cobra.Command{
		Use:   "refile ID [--district D,…] [--section S,…]",
		Short: "File an article otherwise, or show how it is filed and why",
		Long: `Refile puts an article under the districts and sections named, whatever rules and
tagger say, now and at every later look. Without --district and --section it shows
how the article is filed, by which words, and what editors did to it.

--district takes codes, names or slugs of districts, or one word: city (about the
whole city), elsewhere, none, or rules (leave it to the tagger again). --section
takes slugs, slug=name for a new one, or none or rules. Neither published nor
updated moves; feeds that had the article go on telling of its corrections.`,
		Example: `  paperwire refile jzrb-20260317-279424
  paperwire refile jzrb-20260317-279424 --district 温县,410823 --why "读者来信"
  paperwire refile jzrb-20260317-279424 --district rules --section minsheng`,
		Args: one, RunE: decide(paper.Refile),
	}
	refile.Flags().StringSliceVar(&f.districts, "district", nil, "districts to file under, or city, elsewhere, none, rules")
	refile.Flags().StringSliceVar(&f.sections, "section", nil, "sections to file under, or none, rules")
	list := []*cobra.Command{refile, {
		Use:   "withdraw ID",
		Short: "Withdraw an article: a notice stands in its place",
		Long: `Withdraw takes an article out. Where it is out already, every feed that had it
shows a notice in its place, its page answers 410, and receivers are told; else it
never comes out. It stays so, whatever the publisher's page says, until restore.`,
		Args: one, RunE: decide(paper.WithdrawHand),
	}, {
		Use:   "restore ID",
		Short: "Undo a withdrawal or a hold; release what was taken for no article",
		Args:  one, RunE: decide(paper.RestoreHand),
	}, {
		Use:   "hold ID",
		Short: "Keep back an article that is not out yet",
		Long: `Hold keeps back an article that has been read and is not out: give its source a
hold in the configuration (hold: 30m) to have the time. restore lets it out.`,
		Args: one, RunE: decide(paper.HoldHand),
	}}
	for _, c := range list {
		c.Flags().StringVar(&f.who, "who", "", "who decided (default: the user logged in)")
		c.Flags().StringVar(&f.why, "why", "", "the reason, for the log")
	}
	var dry bool
	reindex := &cobra.Command{
		Use:   "reindex [PAPER…]",
		Short: "File the stored articles again, after rules or gazetteer changed",
		Long: `Reindex files every stored article by the sections, places and gazetteer of now and
tells what moved. What editors decided stays. Neither published nor updated moves.
It works beside a running serve and may be ended and run again at any moment.`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.reindex(cmd.Context(), args, dry) },
	}
	reindex.Flags().BoolVar(&dry, "dry-run", false, "tell what would move, and write nothing")
	return append(list, reindex)
}

// words are the values of a flag, without blanks.
func words(list []string) []string {
	out := []string{}
	for _, w := range list {
		if w = strings.TrimSpace(w); w != "" {
			out = append(out, w)
		}
	}
	return out
}

// desk opens what an editor's command works with. It writes no configuration into
// the store. rules says whether those of the configuration matter: see settled.
func (a *app) desk(ctx context.Context, read func(overrides) (*config, error), rules bool) (*house, error) {
	c, err := a.settled(ctx, read, rules)
	if err != nil {
		return nil, err
	}
	if !store.IsPostgres(c.storeDSN()) {
		if _, err := os.Stat(c.storeDSN()); err != nil {
			return nil, fmt.Errorf("no store at %s: name its directory with --data, or run paperwire serve there first", c.storeDSN())
		}
	}
	log, err := a.logger()
	if err != nil {
		return nil, err
	}
	h, err := open(ctx, c, c.base(""), log, false)
	if err != nil {
		return nil, err
	}
	if err := h.ingest.Prepare(c.ingest(h.base)); err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

func (a *app) decide(ctx context.Context, d paper.Decision) error {
	// What is not decided of a filing stays with the rules.
	files := d.Action == paper.Refile && (d.Districts != nil || d.Sections != nil)
	h, err := a.desk(ctx, localConfig, files)
	if err != nil {
		return err
	}
	defer h.close()
	if d.Action == paper.Refile && !files {
		return a.filed(ctx, h, d.Article)
	}
	if d.Who == "" {
		if u, err := user.Current(); err == nil {
			d.Who = u.Username
		}
	}
	moved, err := h.ingest.Decide(ctx, d)
	switch {
	case errors.Is(err, paper.ErrNotFound):
		return fmt.Errorf("%s: no article of this id; its page is /a/{id}", d.Article)
	case errors.Is(err, paper.ErrDecision):
		if strings.Contains(err.Error(), d.Article) {
			return usageError{err}
		}
		return usageError{fmt.Errorf("%s: %w", d.Article, err)}
	case err != nil:
		return err
	}
	fmt.Fprintf(a.out, "%s  %s: %s\n", moved.ID, moved.Title, d.Action)
	a.told(moved)
	return nil
}

// told prints which scopes an article left and joined.
func (a *app) told(r paper.Refiled) {
	for _, p := range r.Left {
		fmt.Fprintln(a.out, "  -", p)
	}
	for _, p := range r.Joined {
		fmt.Fprintln(a.out, "  +", p)
	}
}

// filed prints how an article is filed, by which words, and what editors did.
func (a *app) filed(ctx context.Context, h *house, id string) error {
	x, err := h.store.Subject(ctx, id)
	if errors.Is(err, paper.ErrNotFound) {
		return fmt.Errorf("%s: no article of this id; its page is /a/{id}", id)
	} else if err != nil {
		return err
	}
	state := x.State
	if x.Pending != "" {
		state += ", to be " + map[string]string{"correct": "corrected", "withdraw": "withdrawn", "restore": "restored"}[x.Pending]
	}
	fmt.Fprintf(a.out, "%s  %s\n%s %s版 %s, %s\n", id, x.Article.Title(), x.Article.Day, x.Article.Page.Number, x.Article.Page.Name, state)
	for _, s := range x.Filing.Sections {
		by := ""
		if x.Hand.Sections != nil {
			by = "  by an editor"
		}
		fmt.Fprintf(a.out, "section/%s  %s%s\n", s.Slug, s.Name, by)
	}
	fmt.Fprintf(a.out, "reach %s, filed under %s\n", x.Filing.Placing.Reach, or(strings.Join(x.Filing.Districts, " "), "no district"))
	t := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	for _, d := range x.Filing.Placing.Districts {
		fmt.Fprintf(t, "%s %s\t%s\t%.2f\t\n", d.Code, d.Name, d.Tier, d.Score)
		for _, e := range d.Evidence {
			fmt.Fprintf(t, "  %s\t%s:%d\t%.2f\t%s\n", e.Text, e.Zone, e.Offset, e.Weight, e.Rule)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	log, err := h.store.Decisions(ctx, id, 100)
	if err != nil {
		return err
	}
	for _, d := range slices.Backward(log) {
		what := strings.Join(append(slices.Clone(d.Districts), d.Sections...), " ")
		fmt.Fprintf(a.out, "%s  %s %s  %s  %s\n", d.At.In(time.Local).Format(time.DateTime), d.Action, what, d.Who, d.Why)
	}
	return nil
}

func (a *app) reindex(ctx context.Context, papers []string, dry bool) error {
	h, err := a.desk(ctx, localConfig, true)
	if err != nil {
		return err
	}
	defer h.close()
	known, err := h.store.Papers(ctx)
	if err != nil {
		return err
	}
	for _, key := range papers {
		if !slices.ContainsFunc(known, func(p paper.Paper) bool { return p.Key == key }) {
			return usageError{fmt.Errorf("reindex: no paper %s in the store", key)}
		}
	}
	moved, evidence, articles := 0, 0, 0
	progress := io.Discard
	if isTerminal(a.err) {
		progress = a.err
	}
	shown := time.Time{}
	err = h.ingest.Reindex(ctx, papers, dry, func(r paper.Refiled) {
		if len(r.Left)+len(r.Joined) == 0 {
			evidence++
			return
		}
		moved++
		fmt.Fprintf(progress, "\r\033[K")
		fmt.Fprintf(a.out, "%s  %s\n", r.ID, r.Title)
		a.told(r)
	}, func(n int) {
		if articles = n; time.Since(shown) > 200*time.Millisecond {
			shown = time.Now()
			fmt.Fprintf(progress, "\r\033[K%d articles", n)
		}
	})
	fmt.Fprintf(progress, "\r\033[K")
	verb := "moved"
	if dry {
		verb = "would move"
	}
	fmt.Fprintf(a.out, "%d articles, %d %s, %d with other evidence only\n", articles, moved, verb, evidence)
	return err
}
