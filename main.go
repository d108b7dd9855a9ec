// Paperwire turns newspaper editions into feeds. This file is the command line;
// the wiring of the daemon is in serve.go, the configuration in config.go.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"paperwire/internal/paper"
)

// version is set at build time: -ldflags "-X main.version=1.2.3".
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if os.Getenv("GOGC") == "" {
		// What lives is small (gazetteer, rules, 64 MB of cache at most); what polls
		// leave behind is many times that. Served from the cache nothing is allocated.
		debug.SetGCPercent(50)
	}
	os.Exit(exitCode(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr), os.Stderr))
}

// Exit codes of the contract.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// usageError is a command line that cannot be meant.
type usageError struct{ error }

// errTold is a failure that the output already tells.
var errTold = errors.New("failed")

func exitCode(err error, stderr io.Writer) int {
	var usage usageError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errTold):
		return exitFailed
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "paperwire: %v\n", err)
		if !errors.Is(usage.error, paper.ErrDecision) { // there the command is right, and the article says no
			fmt.Fprintln(stderr, "Try paperwire --help.")
		}
		return exitUsage
	}
	fmt.Fprintf(stderr, "paperwire: %v\n", err)
	return exitFailed
}

// run is the whole program: main and the tests call it.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	app := &app{in: stdin, out: stdout, err: stderr}
	root := &cobra.Command{
		Use:   "paperwire",
		Short: "Turn newspaper editions into feeds",
		Long: `Paperwire pulls the articles of newspaper editions from configured sources, files
each under its section and district, and republishes them as RSS, Atom and JSON
Feed, with a share page for every article.

Without a command it serves: with no configuration file, the embedded demo paper
on http://localhost:8080.`,
		Example: `  paperwire                                     serve the demo paper
  paperwire check --config paperwire.yaml       is the configuration right?
  paperwire serve --config paperwire.yaml --data /var/lib/paperwire
  paperwire read --url http://epaper.example.cn/html/2026-03/17/content_1.htm saved.htm`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return app.serve(cmd.Context()) },
	}
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.CompletionOptions.HiddenDefaultCmd = true
	p := root.PersistentFlags()
	p.StringVar(&app.flags.file, "config", "", "configuration file (default: the embedded one, with the demo paper; beside serve the one that it used last)")
	p.StringVar(&app.flags.data, "data", "", "data directory (default: the working directory)")
	p.StringVar(&app.flags.store, "store", "", "SQLite file, relative to --data, or postgres://…")
	p.StringVar(&app.logLevel, "log", "info", "least level to log: debug, info, warn, error")
	app.commands(root)
	err := root.ExecuteContext(ctx)
	if err != nil && isCobraUsage(err) {
		return usageError{err}
	}
	return err
}

// app is what the commands share.
type app struct {
	in       io.Reader
	out, err io.Writer
	flags    overrides
	logLevel string
}

// logger writes text to a terminal and JSON elsewhere.
func (a *app) logger() (*slog.Logger, error) {
	return logTo(a.err, isTerminal(a.err), a.logLevel)
}
