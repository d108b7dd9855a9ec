package queue

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
)

// job is the one kind of River job; Work says which of ours it is.
type job struct {
	Work string `json:"work"`
	Key  string `json:"key"`
	At   int64  `json:"at"` // milliseconds
}

func (job) Kind() string { return "paperwire" }

type worker struct {
	river.WorkerDefaults[job]
	kinds map[string]Work
	log   *slog.Logger
}

func (w *worker) Work(ctx context.Context, j *river.Job[job]) error {
	do, ok := w.kinds[j.Args.Work]
	if !ok {
		w.log.Error("job of an unknown kind", "kind", j.Args.Work, "key", j.Args.Key)
		return nil
	}
	err := do(ctx, j.Args.Key, time.UnixMilli(j.Args.At))
	if err != nil && !errors.Is(err, context.Canceled) {
		w.log.Error("job", "kind", j.Args.Work, "key", j.Args.Key, "error", err)
	}
	return nil
}

// atLeast lets through records of a level and above: River tells much that an
// operator can do nothing about.
type atLeast struct {
	slog.Handler
	level slog.Level
}

func (h atLeast) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= h.level && h.Handler.Enabled(ctx, l)
}

func (h atLeast) WithAttrs(a []slog.Attr) slog.Handler {
	return atLeast{h.Handler.WithAttrs(a), h.level}
}

func (h atLeast) WithGroup(g string) slog.Handler {
	return atLeast{h.Handler.WithGroup(g), h.level}
}
