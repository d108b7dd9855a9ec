// Package queue runs jobs with River, on SQLite and on PostgreSQL by the same
// code. A job is a kind and a key (poll, jzrb). Jobs are idempotent and carry
// nothing that the store does not know: one that is lost is due again, one that
// comes twice finds its work done (see docs/notes/why-no-unique-jobs.md).
package queue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"paperwire/internal/store"
)

// Work does one job. at is when the job was inserted. An error is logged and the
// job is not tried again: what is still to be done falls due again in the store.
type Work func(ctx context.Context, key string, at time.Time) error

// Options configure a queue.
type Options struct {
	// Workers is how many jobs of a kind may be under way at once in this process;
	// 16 of a kind that it does not name.
	Workers map[string]int
	Timeout time.Duration // of one job; default 10 minutes
	Log     *slog.Logger
}

// Queue is safe for concurrent use.
type Queue struct {
	client client
	close  func() error
}

// client hides that River's client has the driver's transaction type in its own.
type client interface {
	Start(ctx context.Context) error
	StopAndCancel(ctx context.Context) error
	InsertMany(ctx context.Context, params []river.InsertManyParams) error
}

// Open connects (and migrates) a queue beside a store and registers its kinds of
// work. Nothing runs before Start; a queue that is never started can insert.
func Open(ctx context.Context, s *store.Store, kinds map[string]Work, o Options) (*Queue, error) {
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Minute
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if pool := s.Pool(); pool != nil {
		c, err := connect(ctx, riverpgxv5.New(pool), kinds, o)
		if err != nil {
			return nil, err
		}
		return &Queue{client: c, close: func() error { return nil }}, nil
	}
	db, err := s.QueueDB()
	if err != nil {
		return nil, err
	}
	c, err := connect(ctx, riversqlite.New(db), kinds, o)
	if err != nil {
		db.Close()
		return nil, err
	}
	return &Queue{client: c, close: db.Close}, nil
}

func connect[T any](ctx context.Context, d riverdriver.Driver[T], kinds map[string]Work, o Options) (client, error) {
	quiet := slog.New(atLeast{o.Log.Handler(), slog.LevelWarn})
	m, err := rivermigrate.New(d, &rivermigrate.Config{Logger: quiet})
	if err != nil {
		return nil, fmt.Errorf("open queue: %w", err)
	}
	// Two processes may migrate a new database at once: the loser looks again.
	for try := 0; ; try++ {
		if _, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil); err == nil || try == 10 {
			break
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open queue: migrate: %w", err)
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker{kinds: kinds, log: o.Log})
	queues := map[string]river.QueueConfig{}
	for kind := range kinds {
		queues[kind] = river.QueueConfig{MaxWorkers: cmp.Or(o.Workers[kind], 16)}
	}
	c, err := river.NewClient(d, &river.Config{
		Queues:               queues,
		Workers:              workers,
		Logger:               quiet,
		JobTimeout:           o.Timeout,
		RescueStuckJobsAfter: o.Timeout + time.Minute,
		FetchPollInterval:    500 * time.Millisecond,
		MaxAttempts:          1,
		// Finished jobs tell nothing that the store does not: keep them for an hour.
		CompletedJobRetentionPeriod: time.Hour,
		CancelledJobRetentionPeriod: time.Hour,
		DiscardedJobRetentionPeriod: time.Hour,
	})
	if err != nil {
		return nil, fmt.Errorf("open queue: %w", err)
	}
	return adapter[T]{c}, nil
}

type adapter[T any] struct{ *river.Client[T] }

func (a adapter[T]) InsertMany(ctx context.Context, params []river.InsertManyParams) error {
	_, err := a.Client.InsertManyFast(ctx, params)
	return err
}

// Start begins to work on jobs, those of other processes too.
func (q *Queue) Start(ctx context.Context) error {
	if err := q.client.Start(ctx); err != nil {
		return fmt.Errorf("start queue: %w", err)
	}
	return nil
}

// Stop cancels what is under way, waits for it, and closes.
func (q *Queue) Stop(ctx context.Context) error {
	return errors.Join(q.client.StopAndCancel(ctx), q.close())
}

// Insert queues one job per key.
func (q *Queue) Insert(ctx context.Context, kind string, at time.Time, keys ...string) error {
	if len(keys) == 0 {
		return nil
	}
	params := make([]river.InsertManyParams, len(keys))
	for i, k := range keys {
		params[i] = river.InsertManyParams{Args: job{Work: kind, Key: k, At: at.UnixMilli()}, InsertOpts: &river.InsertOpts{Queue: kind}}
	}
	if err := q.client.InsertMany(ctx, params); err != nil {
		return fmt.Errorf("queue %s: %w", kind, err)
	}
	return nil
}
