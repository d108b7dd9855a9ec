package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"paperwire/internal/fetch"
	"paperwire/internal/paper"
	"paperwire/internal/place"
	"paperwire/sources"
)

// probeCommand is the operator's way in: what a paper's site is, and the lines of
// configuration for it.
func probeCommand(a *app) *cobra.Command {
	var save string
	c := &cobra.Command{
		Use:   "probe URL",
		Short: "Look at a paper's site and propose its lines of configuration",
		Long: `Probe looks at a paper's site as platform auto does: it prints the platform, the
newest edition, its pages and articles, one article, what is odd about the site,
and the lines to paste under sources. Exit code 1 where no platform knows the
site; what it saw stands in the report.

With --save it keeps every document as it came, as test cases in the layout of
testdata/sources/{platform}/{case}.`,
		Example: `  paperwire probe http://epaper.example.cn/jzrb/
  paperwire probe http://epaper.example.cn/jzrb/ --save testdata/sources`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.probe(cmd, args[0], save) },
	}
	c.Flags().StringVar(&save, "save", "", "directory to keep the fetched documents in")
	return c
}

func (a *app) probe(cmd *cobra.Command, at, save string) error {
	if !strings.Contains(at, "://") {
		at = "http://" + at
	}
	c, err := localConfig(a.flags)
	if err != nil {
		return err
	}
	g, err := place.Load(c.overrides())
	if err != nil {
		return err
	}
	log, err := a.logger()
	if err != nil {
		return err
	}
	o := fetch.Options{UserAgent: c.Fetch.UserAgent, Pace: c.Fetch.Pace, Open: c.Fetch.OpenHosts, IgnoreRobots: c.Fetch.IgnoreRobots, Log: log}
	if c.usesDemo() {
		if u, err := url.Parse(c.base("")); err == nil {
			o.Local = map[string]http.Handler{u.Host: demoHandler()}
		}
	}
	client := fetch.New(o)
	defer client.Close()
	rep, err := sources.Probe(cmd.Context(), client, at, paper.Shanghai, time.Now(), func(name string) string { return cityOf(g, name) })
	if err != nil {
		if cmd.Context().Err() == nil { // then it is the address
			return usageError{err}
		}
		return err
	}
	if err := writeReport(a.out, rep); err != nil {
		return err
	}
	if save != "" {
		n, err := saveCases(save, rep)
		if err != nil {
			return fmt.Errorf("probe: save: %w", err)
		}
		fmt.Fprintf(a.err, "%d documents kept under %s; go test ./sources -update writes what must come out of them\n", n, save)
	}
	if rep.Platform == "" {
		return errTold
	}
	return nil
}

// mastheads are what follows the city in a paper's name.
var mastheads = []string{"日报", "晚报", "早报", "晨报", "时报", "商报", "都市报", "青年报", "广播电视报", "新闻网", "新闻", "周刊", "周报", "报"}

// cityOf is the code of the city whose name a paper's name begins with; empty
// where it is not clear. A county's paper has its city, a province's none.
func cityOf(g *place.Gazetteer, name string) string {
	for _, tail := range mastheads {
		head, ok := strings.CutSuffix(name, tail)
		if !ok || utf8.RuneCountInString(head) < 2 {
			continue
		}
		d, ok := g.Resolve(head)
		if !ok {
			d, ok = g.Resolve(head + "市")
		}
		if !ok || len(d.Code) != 6 || strings.HasSuffix(d.Code, "0000") {
			return ""
		}
		code := d.Code[:4] + "00"
		if _, err := g.City(code); err != nil {
			return ""
		}
		return code
	}
	return ""
}

// maxListed caps the lists of a report: a person reads it.
const maxListed = 12

func writeReport(w io.Writer, r sources.Report) error {
	var b strings.Builder
	line := func(key, format string, args ...any) {
		fmt.Fprintf(&b, "%-10s %s\n", key+":", fmt.Sprintf(format, args...))
	}
	line("address", "%s", r.URL)
	if r.Landed != "" && r.Landed != r.URL {
		line("leads to", "%s", r.Landed)
	}
	if r.Platform == "" {
		line("platform", "none that is known")
		line("saw", "%s", r.Saw)
	} else {
		line("platform", "%s", r.Platform)
		line("name", "%s", or(r.Name, "not printed"))
		e := r.Edition
		if e.Day != "" {
			line("edition", "%s %s", e.Day, e.URL)
		}
		if len(e.Pages) > 0 {
			line("pages", "%d", len(e.Pages))
			per := map[string]int{}
			for _, ref := range e.Refs {
				per[ref.Page.Number]++
			}
			for i, p := range e.Pages {
				if i == maxListed {
					fmt.Fprintf(&b, "           … and %d more\n", len(e.Pages)-i)
					break
				}
				fmt.Fprintf(&b, "           %s %s: %d articles\n", p.Number, p.Name, per[p.Number])
			}
		}
		line("articles", "%d", len(e.Refs))
	}
	if a := r.Article; a != nil {
		line("sample", "%s", a.URL)
		for _, f := range []struct{ key, value string }{{"kicker", a.Kicker}, {"headline", a.Headline}, {"subtitle", a.Subtitle}, {"author", a.Author}} {
			if f.value != "" {
				fmt.Fprintf(&b, "           %s: %s\n", f.key, f.value)
			}
		}
		fmt.Fprintf(&b, "           body: %d bytes of HTML, %d pictures beside it\n", len(a.Body), len(a.Images))
	}
	for _, s := range r.Warnings {
		line("warning", "%s", s)
	}
	if len(r.Lines) > 0 {
		b.WriteString("\nsources:\n")
		for _, s := range r.Lines {
			b.WriteString("  " + s + "\n")
		}
	}
	_, err := io.WriteString(w, printable(b.String()))
	return err
}

// printable drops what could move a terminal's cursor: titles are other people's.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, s)
}

// saveCases writes every document as a case: raw bytes and where they came from.
// Nothing that a publisher says becomes part of a path.
func saveCases(dir string, r sources.Report) (n int, err error) {
	platform, key := or(r.Platform, "unknown"), "paper"
	if len(r.Lines) > 0 {
		key = strings.TrimPrefix(r.Lines[0], "- key: ")
	}
	for i, d := range r.Fetched {
		at := filepath.Join(dir, platform, key+"-"+strconv.Itoa(i+1))
		if _, err := os.Stat(at); err == nil {
			return n, fmt.Errorf("%s: is there already: choose another directory", at)
		} else if !errors.Is(err, os.ErrNotExist) {
			return n, err
		}
		if err := os.MkdirAll(at, 0o755); err != nil {
			return n, err
		}
		ext := "html"
		switch label := strings.ToLower(d.Label); {
		case strings.Contains(label, "json"):
			ext = "json"
		case strings.Contains(label, "javascript"):
			ext = "js"
		case strings.Contains(label, "gzip"):
			ext = "gz"
		case strings.Contains(label, "xml") && !strings.Contains(label, "xhtml"):
			ext = "xml"
		}
		label := strings.Join(strings.Fields(d.Label), " ")
		if err := os.WriteFile(filepath.Join(at, "case.txt"), []byte("url: "+d.URL+"\ncontent-type: "+label+"\n"), 0o644); err != nil {
			return n, err
		}
		if err := os.WriteFile(filepath.Join(at, "body."+ext), d.Body, 0o644); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
