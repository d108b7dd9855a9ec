package queue

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"paperwire/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// database gives a fresh PostgreSQL database, by psql; see PAPERWIRE_TEST_POSTGRES.
func database(t *testing.T) string {
	t.Helper()
	base := os.Getenv("PAPERWIRE_TEST_POSTGRES")
	psql, err := exec.LookPath("psql")
	if base == "" || err != nil {
		if os.Getenv("PAPERWIRE_TEST_ALL") == "1" {
			t.Fatal("psql and PAPERWIRE_TEST_POSTGRES are needed")
		}
		t.Skip("psql and PAPERWIRE_TEST_POSTGRES are needed")
	}
	name := fmt.Sprintf("pw_queue_%d", time.Now().UnixNano())
	run := func(q string) {
		if out, err := exec.Command(psql, base, "-qc", q).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v %s", q, err, out)
		}
	}
	run("CREATE DATABASE " + name)
	t.Cleanup(func() { run("DROP DATABASE " + name + " WITH (FORCE)") })
	at := strings.LastIndexByte(base, '/')
	return base[:at+1] + name
}

func both(t *testing.T, run func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) { run(t, filepath.Join(t.TempDir(), "p.db")) })
	t.Run("postgres", func(t *testing.T) { run(t, database(t)) })
}

type recorder struct {
	mu   sync.Mutex
	keys map[string]int
}

func (r *recorder) work(_ context.Context, key string, _ time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys[key]++
	switch key {
	case "fails":
		return errors.New("it fails")
	case "panics":
		panic("it panics")
	}
	return nil
}

func (r *recorder) count() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.keys {
		n += c
	}
	return n
}

// Two queues on one store: every job is worked once, by either, and failures and
// panics neither stop the queue nor come again.
func TestJobsRunOnce(t *testing.T) {
	both(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		rec := &recorder{keys: map[string]int{}}
		var queues []*Queue
		for range 2 {
			s, err := store.Open(ctx, dsn, store.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			q, err := Open(ctx, s, map[string]Work{"poll": rec.work}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			queues = append(queues, q)
		}
		if err := queues[0].Insert(ctx, "poll", time.Now(), "fails", "panics"); err != nil {
			t.Fatal(err)
		}
		for _, q := range queues {
			if err := q.Start(ctx); err != nil {
				t.Fatal(err)
			}
		}
		var keys []string
		for i := range 40 {
			keys = append(keys, fmt.Sprint("k", i))
		}
		for i := 0; i < len(keys); i += 4 {
			if err := queues[i/4%2].Insert(ctx, "poll", time.Now(), keys[i:i+4]...); err != nil {
				t.Fatal(err)
			}
		}
		for end := time.Now().Add(30 * time.Second); rec.count() < 42 && time.Now().Before(end); {
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(700 * time.Millisecond) // longer than a fetch: what would come twice comes now
		for _, q := range queues {
			if err := q.Stop(ctx); err != nil {
				t.Error(err)
			}
		}
		rec.mu.Lock()
		defer rec.mu.Unlock()
		if len(rec.keys) != 42 {
			t.Errorf("%d of 42 jobs ran", len(rec.keys))
		}
		for k, n := range rec.keys {
			if n != 1 {
				t.Errorf("%s ran %d times", k, n)
			}
		}
	})
}

// Stop ends a job under way through its context.
func TestStopCancels(t *testing.T) {
	ctx := context.Background()
	s, err := store.Open(ctx, filepath.Join(t.TempDir(), "p.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	began, ended := make(chan struct{}), make(chan struct{})
	q, err := Open(ctx, s, map[string]Work{"poll": func(ctx context.Context, _ string, _ time.Time) error {
		close(began)
		<-ctx.Done()
		close(ended)
		return ctx.Err()
	}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := q.Insert(ctx, "poll", time.Now(), "a"); err != nil {
		t.Fatal(err)
	}
	<-began
	if err := q.Stop(ctx); err != nil {
		t.Error(err)
	}
	select {
	case <-ended:
	default:
		t.Error("stopped while a job was under way")
	}
}
