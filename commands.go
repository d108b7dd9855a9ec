package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"paperwire/internal/fetch"
	"paperwire/internal/ingest"
	"paperwire/internal/paper"
	"paperwire/internal/place"
	"paperwire/internal/store"
	"paperwire/sources"
	"paperwire/syndicate/card"
	"paperwire/syndicate/feed"
)

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unknown command %q%s", args[0], suggest(cmd, args[0]))}
	}
	return nil
}

func suggest(cmd *cobra.Command, arg string) string {
	if list := cmd.Root().SuggestionsFor(arg); len(list) > 0 {
		return ": did you mean " + strings.Join(list, " or ") + "?"
	}
	return ""
}

// isCobraUsage recognises cobra's own errors about arguments, which have no type.
func isCobraUsage(err error) bool {
	for _, s := range []string{"unknown command", "accepts ", "requires at least", "required flag"} {
		if strings.HasPrefix(err.Error(), s) {
			return true
		}
	}
	return false
}

func (a *app) commands(root *cobra.Command) {
	serve := &cobra.Command{
		Use:   "serve",
		Short: "Run the daemon: poll the sources and serve the feeds",
		Long: `Serve polls the configured sources on their schedule and serves feeds, pages and
API. Any number of processes may share one PostgreSQL store.

The configuration is taken up again when its file changes, or on SIGHUP; listen,
store, fetch and cache need a restart.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serve(cmd.Context()) },
	}
	for _, c := range []*cobra.Command{root, serve} {
		c.Flags().StringVar(&a.flags.listen, "listen", "", "address to listen on (default :8080)")
		c.Flags().StringVar(&a.flags.baseURL, "base-url", "", "the address readers use, such as https://news.example.cn")
	}

	fetchCmd := &cobra.Command{
		Use:   "fetch [SOURCE…]",
		Short: "Make one pass over the sources now, then stop",
		Long: `Fetch looks at the named sources (all, without a name) once, takes in what is new,
releases it and stops. It works beside a running serve. Exit code 1 if any failed.`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.fetch(cmd.Context(), args) },
	}

	var readURL, readSource, readType string
	read := &cobra.Command{
		Use:   "read --url URL [FILE]",
		Short: "Read one saved document as if fetched from URL, and print it as JSON",
		Long: `Read says what Paperwire makes of a saved page, article, feed or calendar: no
network, no clock. Without FILE it reads standard input. With --config and
--source it uses that source's platform, city and sections. The result is one
JSON object whose kind is page, article, feed, calendar, blocked or unknown; the
last two exit with 1.`,
		Example: `  paperwire read --url http://epaper.example.cn/html/2026-03/17/node_2.htm node_2.htm
  curl -s "$URL" | paperwire read --url "$URL" --config paperwire.yaml --source jzrb`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.read(readURL, readSource, readType, args) },
	}
	read.Flags().StringVar(&readURL, "url", "", "the address the document was fetched from")
	read.Flags().StringVar(&readSource, "source", "", "a source of the configuration whose rules apply")
	read.Flags().StringVar(&readType, "type", "", "the Content-Type it came with, if known")

	var city string
	classify := &cobra.Command{
		Use:   "classify [--city 410800]",
		Short: "File texts under districts: JSON lines in, JSON lines out",
		Long: `Classify reads one JSON object a line (id, page_name, title, lead, body_snippet,
byline, and paper_city_code, which overrides --city) and writes one a line in the
same order: id, reach and districts with tier, score and evidence.`,
		Example: `  echo '{"id":"1","title":"温县铁棍山药喜获丰收"}' | paperwire classify --city 410800`,
		Args:    noArgs,
		RunE:    func(*cobra.Command, []string) error { return a.classify(city) },
	}
	classify.Flags().StringVar(&city, "city", "", "division code of the city the paper serves")

	check := &cobra.Command{
		Use:   "check",
		Short: "Check the configuration: every mistake in one go, with its path",
		Args:  noArgs,
		RunE:  func(*cobra.Command, []string) error { return a.check() },
	}
	var markdown bool
	platforms := &cobra.Command{
		Use:   "platforms",
		Short: "List the kinds of source that can be read",
		Args:  noArgs,
		RunE:  func(*cobra.Command, []string) error { return a.platforms(markdown) },
	}
	formats := &cobra.Command{
		Use:   "formats",
		Short: "List the formats that feeds are written in",
		Args:  noArgs,
		RunE:  func(*cobra.Command, []string) error { return a.formats(markdown) },
	}
	cards := &cobra.Command{
		Use:   "cards",
		Short: "List the platforms that a card has a ready post for, with their limits",
		Args:  noArgs,
		RunE:  func(*cobra.Command, []string) error { return a.cards(markdown) },
	}
	for _, c := range []*cobra.Command{platforms, formats, cards} {
		c.Flags().BoolVar(&markdown, "markdown", false, "as the table in docs/")
	}
	scopes := &cobra.Command{
		Use:   "scopes",
		Short: "List the scopes that hold something, with counts",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.scopes(cmd) },
	}
	versionCmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(a.out, "paperwire %s %s %s/%s\n", buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
	root.AddCommand(serve, fetchCmd, backfillCommand(a), read, classify, probeCommand(a), evaluateCommand(a), check, platforms, formats, cards, scopes, versionCmd)
	root.AddCommand(editorCommands(a)...)
	root.AddCommand(wechatCommand(a))
}

// buildVersion is the version set at build time, else what Go recorded.
func buildVersion() string {
	if version != "dev" {
		return version
	}
	if i, ok := debug.ReadBuildInfo(); ok && i.Main.Version != "" && i.Main.Version != "(devel)" {
		return i.Main.Version
	}
	return version
}

func (a *app) check() error {
	c, err := loadConfig(a.flags)
	var bad *configError
	if errors.As(err, &bad) {
		for _, p := range bad.problems {
			fmt.Fprintln(a.out, p)
		}
		return fmt.Errorf("%w: %d in %s", errTold, len(bad.problems), or(bad.file, "the embedded config.yaml"))
	}
	if err != nil {
		return err
	}
	for _, w := range c.warnings() {
		fmt.Fprintln(a.out, "warning: "+w)
	}
	fmt.Fprintf(a.out, "ok: %d sources, %d sections\n", len(c.Sources), len(c.Sections))
	return nil
}

func (a *app) classify(city string) error {
	g, err := place.Load(nil)
	if a.flags.file != "" {
		c, cerr := localConfig(a.flags)
		if cerr != nil {
			return cerr
		}
		g, err = place.Load(c.overrides())
	}
	if err != nil {
		return err
	}
	if city != "" {
		if _, err := g.City(city); err != nil {
			return usageError{fmt.Errorf("--city: %w", err)}
		}
	}
	return g.Classify(a.in, a.out, city)
}

func (a *app) platforms(markdown bool) error {
	list := sources.Platforms()
	if markdown {
		return writePlatforms(a.out, list)
	}
	t := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	for _, p := range list {
		fmt.Fprintf(t, "%s\t%s\n", p.Name, p.About)
	}
	return t.Flush()
}

func writePlatforms(w io.Writer, list []sources.Info) error {
	fmt.Fprintln(w, "| platform | reads | needs | addresses it knows |\n|---|---|---|---|")
	for _, p := range list {
		if _, err := fmt.Fprintf(w, "| `%s` | %s | %s | %s |\n", p.Name, p.About, or(p.Needs, "nothing more"), "`"+strings.Join(p.Shapes, "`<br>`")+"`"); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) formats(markdown bool) error {
	list := feed.Formats()
	if markdown {
		return writeFormats(a.out, list)
	}
	t := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	for _, f := range list {
		fmt.Fprintf(t, "%s\t%s\t%s\n", f.Ext, f.Name, f.About)
	}
	return t.Flush()
}

func writeFormats(w io.Writer, list []feed.Format) error {
	fmt.Fprintln(w, "| extension | format | Content-Type | for | specified in |\n|---|---|---|---|---|")
	for _, f := range list {
		if _, err := fmt.Fprintf(w, "| `%s` | %s | `%s` | %s | %s |\n", f.Ext, f.Name, f.Type, f.About, f.Spec); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) cards(markdown bool) error {
	list := card.Platforms()
	if markdown {
		return writeCards(a.out, list)
	}
	t := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	for _, p := range list {
		fmt.Fprintf(t, "%s\t%s\t%d %s\n", p.Key, p.Name, p.Limit, p.Unit)
	}
	return t.Flush()
}

func writeCards(w io.Writer, list []card.Platform) error {
	fmt.Fprintln(w, "| key | platform | is | `text` at most | picture | limit documented in |\n|---|---|---|---|---|---|")
	for _, p := range list {
		if _, err := fmt.Fprintf(w, "| `%s` | %s | %s | %d %s | `%s` | %s |\n", p.Key, p.Name, p.About, p.Limit, p.Unit, p.Image, or(p.Spec, "nowhere: ours")); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) scopes(cmd *cobra.Command) error {
	c, err := localConfig(a.flags)
	if err != nil {
		return err
	}
	g, err := place.Load(c.overrides())
	if err != nil {
		return err
	}
	if !store.IsPostgres(c.storeDSN()) {
		if _, err := os.Stat(c.storeDSN()); err != nil {
			return fmt.Errorf("no store at %s: name its directory with --data, or run paperwire serve there first", c.storeDSN())
		}
	}
	st, err := store.Open(cmd.Context(), c.storeDSN(), store.Options{})
	if err != nil {
		return err
	}
	defer st.Close()
	list, err := st.Scopes(cmd.Context(), paper.Public)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintln(a.err, "nothing yet: run paperwire serve or paperwire fetch")
	}
	t := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	for _, s := range list {
		name := s.Name
		if code, ok := strings.CutPrefix(s.Part, "district/"); ok {
			if d, ok := g.Division(code); ok {
				name = d.Name
			}
		}
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\n", s.Part, s.Count, or(string(s.Last), "-"), name)
	}
	return t.Flush()
}

// maxRead bounds a document handed to read.
const maxRead = 64 << 20

// read prints one of the contract's shapes. Days are full-date, instants RFC 3339,
// both null where unknown.
func (a *app) read(url, key, contentType string, args []string) error {
	if url == "" {
		return usageError{errors.New("read: --url is missing: links and dates are resolved against it")}
	}
	in := a.in
	if len(args) == 1 && args[0] != "-" {
		f, err := os.Open(args[0])
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		defer f.Close()
		in = f
	}
	raw, err := io.ReadAll(io.LimitReader(in, maxRead+1))
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if len(raw) > maxRead {
		return fmt.Errorf("read: the document is over %d MB", maxRead>>20)
	}
	cfg := ingest.Config{Sources: []ingest.Source{{
		Source: sources.Source{Key: "read", Paper: "read", Platform: "auto", URL: url, Zone: paper.Shanghai},
		Name:   "", Language: "zh-CN", Rights: paper.RightsFull, Link: paper.LinkShare,
	}}}
	var places []place.Override
	if key != "" {
		c, err := localConfig(a.flags)
		if err != nil {
			return err
		}
		cfg, places = c.ingest(c.base("")), c.overrides()
	} else {
		key = "read"
	}
	g, err := place.Load(places)
	if err != nil {
		return err
	}
	ing := ingest.New(ingest.Options{Gazetteer: g})
	if err := ing.Prepare(cfg); err != nil {
		return err
	}
	var src *sources.Source
	for i := range cfg.Sources {
		if cfg.Sources[i].Key == key {
			src = &cfg.Sources[i].Source
		}
	}
	if src == nil {
		return usageError{fmt.Errorf("read: --source %s: not in the configuration", key)}
	}
	text, _ := fetch.Decode(raw, contentType)
	doc := sources.Parse(*src, url, contentType, text)
	out, err := readResult(ing, *src, url, doc)
	if err != nil {
		return err
	}
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	if err := e.Encode(out); err != nil {
		return err
	}
	if doc.Kind == "blocked" || doc.Kind == "unknown" {
		return errTold
	}
	return nil
}

type (
	readPageRef struct {
		Number string `json:"number"`
		Name   string `json:"name"`
	}
	readPageLink struct {
		Number string `json:"number"`
		Name   string `json:"name"`
		URL    string `json:"url"`
	}
	readListed struct {
		URL      string `json:"url"`
		Title    string `json:"title"`
		Page     string `json:"page"`
		Position int    `json:"position"`
	}
	readPage struct {
		Kind     string         `json:"kind"`
		Paper    string         `json:"paper"`
		Day      *paper.Day     `json:"day"`
		Number   string         `json:"number"`
		Name     string         `json:"name"`
		Pages    []readPageLink `json:"pages"`
		Articles []readListed   `json:"articles"`
	}
	readImage struct {
		URL     string `json:"url"`
		Caption string `json:"caption"`
		Credit  string `json:"credit"`
	}
	readArticle struct {
		Kind      string         `json:"kind"`
		ID        string         `json:"id"`
		Kicker    string         `json:"kicker"`
		Headline  string         `json:"headline"`
		Subtitle  string         `json:"subtitle"`
		Byline    []paper.Person `json:"byline"`
		Source    string         `json:"source"`
		Day       *paper.Day     `json:"day"`
		Page      readPageRef    `json:"page"`
		Text      string         `json:"text"`
		HTML      string         `json:"html"`
		Images    []readImage    `json:"images"`
		Districts []string       `json:"districts"`
		Sections  []string       `json:"sections"`
	}
	readItem struct {
		ID        string     `json:"id"`
		Title     string     `json:"title"`
		URL       string     `json:"url"`
		Published *time.Time `json:"published"`
	}
	readFeed struct {
		Kind     string     `json:"kind"`
		Title    string     `json:"title"`
		Articles []readItem `json:"articles"`
	}
	readDay struct {
		Day paper.Day `json:"day"`
		URL string    `json:"url"`
	}
	readCalendar struct {
		Kind     string    `json:"kind"`
		Editions []readDay `json:"editions"`
	}
	readReason struct {
		Kind   string `json:"kind"`
		Reason string `json:"reason"`
	}
)

func readResult(ing *ingest.Ingest, src sources.Source, url string, doc sources.Parsed) (any, error) {
	switch doc.Kind {
	case "page":
		p := doc.Page
		out := readPage{Kind: "page", Paper: p.Paper, Day: dayOrNull(p.Day), Number: p.Page.Number, Name: p.Page.Name, Pages: []readPageLink{}, Articles: []readListed{}}
		for _, x := range p.Pages {
			out.Pages = append(out.Pages, readPageLink{x.Number, x.Name, x.URL})
		}
		for _, r := range p.Refs {
			out.Articles = append(out.Articles, readListed{r.URL, r.Title, r.Page.Number, r.Position})
		}
		return out, nil
	case "article":
		art, filing, err := ing.Article(src.Key, *doc.Article, doc.Ref)
		if err != nil {
			return nil, err
		}
		out := readArticle{
			Kind: "article", ID: art.ID, Kicker: art.Kicker, Headline: art.Headline, Subtitle: art.Subtitle, Byline: art.Byline,
			Source: art.Agency, Day: dayOrNull(art.Day), Page: readPageRef(art.Page), Text: art.Text, HTML: art.HTML,
			Images: []readImage{}, Districts: filing.Placing.Sure(), Sections: []string{},
		}
		if out.Byline == nil {
			out.Byline = []paper.Person{}
		}
		if out.Districts == nil {
			out.Districts = []string{}
		}
		for _, i := range art.Images {
			out.Images = append(out.Images, readImage{i.URL, i.Caption, i.Credit})
		}
		for _, s := range filing.Sections {
			out.Sections = append(out.Sections, s.Slug)
		}
		return out, nil
	case "feed":
		out := readFeed{Kind: "feed", Title: doc.Title, Articles: []readItem{}}
		for _, r := range doc.Feed.Refs {
			x := readItem{ID: store.BaseID(src.Paper, src.Key, "", r.Origin), Title: r.Title, URL: r.URL}
			if r.Printed != nil && !r.Printed.Dated.IsZero() {
				t := r.Printed.Dated.In(src.Zone)
				x.Published = &t
			}
			out.Articles = append(out.Articles, x)
		}
		return out, nil
	case "calendar":
		out := readCalendar{Kind: "calendar", Editions: []readDay{}}
		for _, d := range doc.Calendar {
			out.Editions = append(out.Editions, readDay{d.Day, d.URL})
		}
		return out, nil
	}
	return readReason{doc.Kind, doc.Reason}, nil
}

func dayOrNull(d paper.Day) *paper.Day {
	if d == "" {
		return nil
	}
	return &d
}
