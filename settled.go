package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"paperwire/internal/paper"
	"paperwire/internal/store"
)

// configMemo names what the store remembers of its configuration: the absolute path
// of the file that serve used last, empty for the embedded one.
const configMemo = "configuration"

// remember keeps in the store where its configuration is: a command beside serve
// finds it there.
func (h *house) remember(ctx context.Context) error {
	file, err := h.cfg.path()
	if err != nil {
		return err
	}
	return h.store.KeepMemo(ctx, configMemo, file, time.Time{})
}

// include takes up the configuration for a command that looks at some sources, all
// without keys. The first one at a new store is remembered until serve says more.
func (h *house) include(ctx context.Context, keys ...string) error {
	if err := h.ingest.Include(ctx, h.cfg.ingest(h.base), keys); err != nil {
		return err
	}
	file, err := h.cfg.path()
	if err != nil || file == "" {
		return err
	}
	_, err = h.store.FirstMemo(ctx, configMemo, file, time.Time{})
	return err
}

// path is the absolute path of the configuration, empty for the embedded one.
func (c *config) path() (string, error) {
	if c.file == "" {
		return "", nil
	}
	return filepath.Abs(c.file)
}

// settled reads the configuration of a command that works on a store: the file of
// --config, else the one that serve used last with this store, else the embedded one.
//
// The embedded one must not be taken for that of papers that it does not know:
// reindex would file them all by the demo's sections. Where the right one cannot be
// had, a command to which its rules or sources matter is refused; any other goes on.
func (a *app) settled(ctx context.Context, read func(overrides) (*config, error), rules bool) (*config, error) {
	c, err := read(a.flags)
	if err != nil || a.flags.file != "" {
		return c, err
	}
	if !store.IsPostgres(c.storeDSN()) {
		if _, err := os.Stat(c.storeDSN()); err != nil {
			return c, nil // a new store, which nobody has configured
		}
	}
	known, err := a.known(ctx, c, read)
	if err != nil && rules {
		return nil, fmt.Errorf("%w: name the configuration that serve uses with --config", err)
	}
	if err != nil {
		fmt.Fprintf(a.err, "paperwire: %v: going on with the embedded configuration (notice_days %d)\n", err, c.NoticeDays)
		return c, nil
	}
	return known, nil
}

// known gives the configuration that a store was configured with, where the command
// line names none. c is the embedded one.
func (a *app) known(ctx context.Context, c *config, read func(overrides) (*config, error)) (*config, error) {
	st, err := store.Open(ctx, c.storeDSN(), store.Options{Now: clock})
	if err != nil {
		return nil, err
	}
	defer st.Close()
	file, _, err := st.Memo(ctx, configMemo)
	if err != nil && !errors.Is(err, paper.ErrNotFound) {
		return nil, err
	}
	if file != "" {
		flags := a.flags
		flags.file, flags.store = file, c.Store // this store, whichever the file names
		if c, err = read(flags); err != nil {
			return nil, fmt.Errorf("this store was configured by %s, which cannot be read: %w", file, err)
		}
	}
	health, err := st.Health(ctx)
	if err != nil {
		return nil, err
	}
	var mine, others []string
	for _, h := range health {
		switch {
		case h.State == "retired":
		case slices.ContainsFunc(c.Sources, func(s sourceConfig) bool { return s.Key == h.Source }):
			mine = append(mine, h.Source)
		default:
			others = append(others, h.Source)
		}
	}
	switch {
	case file == "" && len(others) > 0:
		return nil, fmt.Errorf("this store holds sources that the embedded configuration does not have (%s)", strings.Join(others, ", "))
	case len(others) > 0 && len(mine) == 0: // another file of the same name, on another machine
		return nil, fmt.Errorf("this store was configured by a file %s, and the one that stands there has none of its sources (%s)", file, strings.Join(others, ", "))
	case file != "":
		fmt.Fprintf(a.err, "paperwire: configuration %s, the one that serve used last with this store\n", file)
	}
	return c, nil
}
