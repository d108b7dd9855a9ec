package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"golang.org/x/text/width"

	"paperwire/internal/ingest"
	"paperwire/internal/paper"
	"paperwire/internal/store"
)

// maxPast bounds the days of one run; no newspaper on the web is older.
const maxPast = 40 * 366

// backfillFlags are the flags of backfill as given.
type backfillFlags struct {
	from, to string
	again    bool
	dry      bool
	pause    time.Duration
}

func backfillCommand(a *app) *cobra.Command {
	var f backfillFlags
	cmd := &cobra.Command{
		Use:   "backfill SOURCE --from DAY [--to DAY]",
		Short: "Bring in past editions: archive only, no subscriber is disturbed",
		Long: `Backfill reads the editions of past days, newest first, and files them as history:
in archives, on the pages of editions and articles and in search, never in a
current feed. It works beside a running serve and lets its looks at the same site
go first, after the edition under way.

It may be ended at any moment: run it again with the same arguments, and it goes on
where it was. Editions that are there are not asked for again, nor are days that
the publisher did not have lately. Editions that a look found, and today's, are left
to looks; articles that are missing in older ones are added. A source that was never
looked at is better fetched once before: what backfill brings in stays out of the
current feed for good.

Exit code 1 if an edition stayed incomplete.`,
		Example: `  paperwire backfill jzrb --from 2026-01-01 --dry-run     what is there?
  paperwire backfill jzrb --from 2026-01-01               until yesterday
  paperwire backfill jzrb --from 2025-01-01 --to 2025-12-31 --pause 5s
  paperwire backfill jzrb --from 2026-03-01 --to 2026-03-07 --again`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{errors.New("backfill: name one source: paperwire backfill SOURCE --from DAY")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.backfill(cmd.Context(), args[0], f) },
	}
	cmd.Flags().StringVar(&f.from, "from", "", "first day, such as 2026-01-01 (required)")
	cmd.Flags().StringVar(&f.to, "to", "", "last day (default: yesterday)")
	cmd.Flags().BoolVar(&f.dry, "dry-run", false, "tell which days the publisher has and what would be read; index pages are asked for, nothing is kept")
	cmd.Flags().BoolVar(&f.again, "again", false, "look again at what backfill brought in, for corrections, and at days that were missing")
	cmd.Flags().DurationVar(&f.pause, "pause", 0, "rest after each article, beyond the pace of all requests, such as 2s")
	return cmd
}

// days reads --from and --to against today in the source's zone.
func (f backfillFlags) days(today paper.Day) (from, to paper.Day, err error) {
	bad := func(format string, args ...any) error { return usageError{fmt.Errorf("backfill: "+format, args...)} }
	if f.from == "" {
		return "", "", bad("--from is missing: the first day to bring in, such as --from %s", today.Add(-30))
	}
	if from, err = paper.ParseDay(f.from); err != nil {
		return "", "", bad("--from %s: not a day; write it as %s", f.from, today.Add(-30))
	}
	to = today.Add(-1)
	if f.to != "" {
		if to, err = paper.ParseDay(f.to); err != nil {
			return "", "", bad("--to %s: not a day; write it as %s", f.to, to)
		}
	}
	switch {
	case from > today:
		return "", "", bad("--from %s is yet to come: today is %s", from, today)
	case to > today:
		return "", "", bad("--to %s is yet to come: today is %s", to, today)
	case from > to:
		return "", "", bad("--from %s is after --to %s", from, to)
	case from < to.Add(-maxPast):
		return "", "", bad("--from %s: more than %d years before --to", from, maxPast/366)
	case f.pause < 0 || f.pause > time.Hour:
		return "", "", bad("--pause %s: between 0s and 1h", f.pause)
	}
	return from, to, nil
}

// backfill is the command.
func (a *app) backfill(ctx context.Context, key string, f backfillFlags) error {
	c, err := a.settled(ctx, localConfig, true)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(c.Sources, func(s sourceConfig) bool { return s.Key == key })
	if at < 0 {
		return usageError{fmt.Errorf("backfill: source %s is not in the configuration", key)}
	}
	zone := paper.Shanghai
	for _, s := range c.ingest(c.base("")).Sources {
		if s.Key == key && s.Zone != nil {
			zone = s.Zone
		}
	}
	from, to, err := f.days(paper.DayOf(clock(), zone))
	if err != nil {
		return err
	}
	// On a terminal the bar tells how it goes, and the log only of trouble.
	tty := isTerminal(a.err)
	bar := &progressBar{out: a.err, now: time.Now, columns: func() int { return columns(a.err) }, on: tty}
	level := a.logLevel
	if tty && level == "info" {
		level = "warn"
	}
	log, err := logTo(bar, tty, level)
	if err != nil {
		return err
	}
	h, err := open(ctx, c, c.base(""), log, false)
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.include(ctx, key); err != nil {
		return err
	}

	// The first signal ends the run after the article under way, a second one at once.
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	over := make(chan struct{})
	defer close(over)
	second := make(chan os.Signal, 1)
	go func() {
		select {
		case <-over:
			return
		case <-ctx.Done():
		}
		signal.Notify(second, os.Interrupt, syscall.SIGTERM)
		defer signal.Stop(second)
		fmt.Fprintln(bar, "paperwire: stopping after this article; once more to stop at once")
		select {
		case <-over:
		case <-second:
			cancel()
		}
	}()

	began := time.Now()
	days, err := h.ingest.Backfill(work, key, ingest.Past{
		From: from, To: to, Again: f.again, DryRun: f.dry, Pause: f.pause, Stop: ctx.Done(), Progress: bar.show,
	})
	bar.clear()
	if errors.Is(err, ingest.ErrNoPast) {
		return usageError{fmt.Errorf("backfill: %w", err)}
	}
	stopped := errors.Is(err, ingest.ErrStopped) || work.Err() != nil
	if len(days) > 0 {
		if werr := writePast(a.out, days, f.dry, time.Since(began)); err == nil {
			err = werr
		}
	}
	reached, incomplete := 0, 0
	for _, d := range days {
		switch d.State {
		case ingest.PastFailed:
			incomplete++
			fallthrough
		default:
			reached++
		case ingest.PastPending:
			incomplete++
		}
	}
	if stopped {
		fmt.Fprintf(a.err, "paperwire: stopped after %d of %d days; go on with:\n  %s\n", reached, len(days), a.again(key, from, to, f))
		return errTold
	}
	if err != nil {
		return fmt.Errorf("backfill %s: %w\nWhat was read is kept; go on with:\n  %s", key, err, a.again(key, from, to, f))
	}
	if incomplete > 0 && !f.dry {
		return fmt.Errorf("backfill %s: %d of %d days stayed incomplete; the same command tries them again", key, incomplete, len(days))
	}
	return nil
}

// again is the command line that goes on. An address of a store may hold a
// password and is left out.
func (a *app) again(key string, from, to paper.Day, f backfillFlags) string {
	args := []string{"paperwire", "backfill", key, "--from", string(from), "--to", string(to)}
	add := func(name, value string) {
		if value == "" {
			return
		}
		if strings.ContainsAny(value, " \t\"'$`\\*?#&;|<>()!") {
			value = "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
		}
		args = append(args, name, value)
	}
	if f.dry {
		args = append(args, "--dry-run")
	}
	if f.again {
		args = append(args, "--again")
	}
	if f.pause > 0 {
		add("--pause", f.pause.String())
	}
	add("--config", a.flags.file)
	add("--data", a.flags.data)
	if store.IsPostgres(a.flags.store) {
		args = append(args, "--store …")
	} else {
		add("--store", a.flags.store)
	}
	return strings.Join(args, " ")
}

// maxUnread bounds the articles that are named, per day.
const maxUnread = 20

// writePast prints what became of the days: every one of a dry run, else a table of
// sums and the days that need somebody.
func writePast(w io.Writer, days []ingest.PastDay, dry bool, took time.Duration) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	count := map[ingest.PastState]int{}
	var fresh, changed, pictures, unread int
	for _, d := range days {
		count[d.State]++
		fresh, changed, unread = fresh+d.New, changed+d.Changed, unread+len(d.Unread)
		if d.State == ingest.PastRead || d.State == ingest.PastFailed {
			pictures += d.Pictures
		}
	}
	if dry {
		fmt.Fprintln(t, "DAY\tSTATE\tLISTED\tHERE\tREMARK")
		for _, d := range days {
			fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%s\n", d.Day, d.State, d.Listed, d.Read, oneLine(d.Problem))
		}
		fmt.Fprintf(t, "\n%d would be read, %d already there, %d not published, %d left to looks, %d failed, %d not reached\n",
			count[ingest.PastWould], count[ingest.PastThere], count[ingest.PastGap], count[ingest.PastLeft], count[ingest.PastFailed], count[ingest.PastPending])
		return t.Flush()
	}
	trouble := false
	for _, d := range days {
		if d.State != ingest.PastFailed && (d.Problem == "" || d.State == ingest.PastLeft) {
			continue
		}
		if !trouble {
			trouble = true
			fmt.Fprintln(t, "DAY\tSTATE\tLISTED\tHERE\tREASON")
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%s\n", d.Day, d.State, d.Listed, d.Read, oneLine(d.Problem))
		for i, u := range d.Unread {
			if i == maxUnread {
				fmt.Fprintf(t, "\t\t\t\t… and %d more\n", len(d.Unread)-i)
				break
			}
			fmt.Fprintf(t, "\t\t\t\t%s: %s\n", oneLine(u.URL), or(oneLine(u.Problem), "not tried"))
		}
	}
	if trouble {
		fmt.Fprintln(t)
	}
	for _, x := range []struct {
		what string
		n    int
	}{
		{"editions read", count[ingest.PastRead]},
		{string(ingest.PastThere), count[ingest.PastThere]},
		{string(ingest.PastGap), count[ingest.PastGap]},
		{"left to looks", count[ingest.PastLeft]},
		{string(ingest.PastFailed), count[ingest.PastFailed]},
		{string(ingest.PastPending), count[ingest.PastPending]},
		{"new articles", fresh},
		{"corrected", changed},
		{"pictures", pictures},
		{"not readable", unread},
	} {
		fmt.Fprintf(t, "%s\t%d\n", x.what, x.n)
	}
	fmt.Fprintf(t, "took\t%s\n", took.Round(time.Second))
	return t.Flush()
}

// oneLine keeps what came from a publisher from moving the terminal's cursor.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, s)
}

// isTerminal reports whether a writer is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	i, err := f.Stat()
	return err == nil && i.Mode()&os.ModeCharDevice != 0
}

// logTo logs text for a terminal and JSON elsewhere.
func logTo(w io.Writer, terminal bool, least string) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(least)); err != nil {
		return nil, usageError{fmt.Errorf("--log %s: one of debug, info, warn, error", least)}
	}
	o := &slog.HandlerOptions{Level: level}
	if terminal {
		return slog.New(slog.NewTextHandler(w, o)), nil
	}
	return slog.New(slog.NewJSONHandler(w, o)), nil
}

// redraw is the least time between two drawings of a bar.
const redraw = 200 * time.Millisecond

// progressBar draws one line at the bottom of a terminal. What is written through
// it, such as the log, stands above. Off, it draws nothing and only writes through.
type progressBar struct {
	out     io.Writer
	now     func() time.Time
	columns func() int
	on      bool

	mu    sync.Mutex
	began time.Time
	drawn time.Time
	there bool // the line is on the screen
}

// eraseLine goes to the beginning of the line and clears it (ECMA-48 EL).
const eraseLine = "\r\x1b[K"

// Write writes above the bar.
func (b *progressBar) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.erase()
	return b.out.Write(p)
}

func (b *progressBar) erase() {
	if b.there {
		io.WriteString(b.out, eraseLine)
		b.there = false
	}
}

func (b *progressBar) clear() { b.mu.Lock(); defer b.mu.Unlock(); b.erase() }

// show draws the bar, five times a second at most.
func (b *progressBar) show(p ingest.PastProgress) {
	if !b.on {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	if b.began.IsZero() {
		b.began = now
	}
	if !b.drawn.IsZero() && now.Sub(b.drawn) < redraw {
		return
	}
	b.drawn, b.there = now, true
	// One column stays free: a line that fills the last one wraps on some terminals.
	io.WriteString(b.out, eraseLine+fit(progressLine(p, now.Sub(b.began)), max(b.columns()-1, 20)))
}

// progressLine is what the bar says after a time.
func progressLine(p ingest.PastProgress, took time.Duration) string {
	const cells = 20
	done := float64(p.Done)
	if p.Listed > 0 && p.Done < p.Days {
		done += min(float64(p.Read)/float64(p.Listed), 1)
	}
	share := 1.0
	if p.Days > 0 {
		share = min(done/float64(p.Days), 1)
	}
	full := int(share * cells)
	line := fmt.Sprintf("%s %s [%s%s] %d/%d", oneLine(or(p.Name, p.Source)), p.Day, strings.Repeat("#", full), strings.Repeat("-", cells-full), p.Done, p.Days)
	if p.Listed > 0 {
		line += fmt.Sprintf("  articles %d/%d", p.Read, p.Listed)
	}
	if s := took.Seconds(); s >= 1 {
		line += fmt.Sprintf("  %.1f/s", float64(p.Articles)/s)
		if done > 0 && done < float64(p.Days) {
			left := time.Duration(float64(took) * (float64(p.Days) - done) / done)
			line += "  " + left.Round(time.Second).String() + " left"
		}
	}
	if p.Errors > 0 {
		line += fmt.Sprintf("  errors %d", p.Errors)
	}
	return line
}

// fit cuts a line to a number of terminal columns: a Chinese character takes two.
func fit(s string, columns int) string {
	at := 0
	for i, r := range s {
		n := 1
		switch k := width.LookupRune(r).Kind(); {
		case k == width.EastAsianWide || k == width.EastAsianFullwidth:
			n = 2
		case unicode.Is(unicode.Mn, r):
			n = 0
		}
		if at += n; at > columns {
			return s[:i]
		}
	}
	return s
}
