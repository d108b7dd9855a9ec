package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"paperwire/internal/paper"
	"paperwire/internal/papertest"
)

// TestMain lets the test binary be paperwire itself, so that it can be killed.
func TestMain(m *testing.M) {
	if os.Getenv("PAPERWIRE_TEST_AS_MAIN") == "1" {
		if os.Getenv(bareHeaders) != "" {
			serveBare()
		}
		if d, err := time.ParseDuration(os.Getenv("PAPERWIRE_TEST_AHEAD")); err == nil {
			clock = func() time.Time { return time.Now().Add(d) }
		}
		main()
		return
	}
	os.Exit(m.Run())
}

// daemon is a running paperwire serve.
type daemon struct {
	t    testing.TB
	cmd  *exec.Cmd
	url  string
	log  *safeBuffer
	done chan struct{}
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string { b.mu.Lock(); defer b.mu.Unlock(); return b.b.String() }

// start runs paperwire with arguments and waits until it serves.
func start(t testing.TB, ahead time.Duration, args ...string) *daemon {
	t.Helper()
	return startBinary(t, os.Args[0], ahead, args...)
}

// startBinary starts a daemon of another build than this one.
func startBinary(t testing.TB, binary string, ahead time.Duration, args ...string) *daemon {
	t.Helper()
	d := &daemon{t: t, log: &safeBuffer{}, done: make(chan struct{})}
	d.cmd = exec.Command(binary, args...)
	d.cmd.Env = append(os.Environ(), "PAPERWIRE_TEST_AS_MAIN=1", "PAPERWIRE_TEST_AHEAD="+ahead.String(), "PAPERWIRE_OPERATOR_KEY=test-key")
	out, err := d.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	d.cmd.Stdout = d.log
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.stop()
		if t.Failed() {
			t.Logf("log of %v:\n%s", args, tail(d.log.String(), 6000))
		}
	})
	ready := make(chan string, 1)
	go func() {
		defer close(d.done)
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			fmt.Fprintln(d.log, lines.Text())
			var line struct{ Msg, URL, Listen string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
				ready <- "http://" + line.Listen
			}
		}
		d.cmd.Wait()
	}()
	select {
	case d.url = <-ready:
	case <-d.done:
		t.Fatalf("paperwire %v ended:\n%s", args, d.log)
	case <-time.After(60 * time.Second):
		t.Fatalf("paperwire %v does not serve:\n%s", args, d.log)
	}
	return d
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

func (d *daemon) kill() { d.cmd.Process.Kill(); <-d.done }

func (d *daemon) stop() {
	d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.done:
	case <-time.After(20 * time.Second):
		d.t.Error("does not stop on SIGTERM")
		d.kill()
	}
}

// answer is one response, body read.
type answer struct {
	*http.Response
	body []byte
}

func (d *daemon) get(path string, header ...string) answer {
	d.t.Helper()
	a, err := fetchURL(d.url+path, header...)
	if err != nil {
		d.t.Fatal(err)
	}
	return a
}

var plainClient = &http.Client{
	Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 8},
	Timeout:       30 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func fetchURL(url string, header ...string) (answer, error) {
	req, err := http.NewRequestWithContext(context.Background(), "GET", url, nil)
	if err != nil {
		return answer{}, err
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := plainClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return answer{resp, b}, err
}

// entry is what a reader keeps of an item.
type entry struct {
	ID        string `json:"id"`
	Title     string `json:"title"`
	URL       string `json:"url"`
	Published string `json:"date_published"`
	Modified  string `json:"date_modified"`
	HTML      string `json:"content_html"`
	Ours      struct {
		ID string `json:"id"`
	} `json:"_paperwire"`
}

// feed reads a JSON feed; ok is false where it is not there yet.
func (d *daemon) feed(scope string) ([]entry, bool) {
	a, err := fetchURL(d.url + "/feeds/" + scope + ".json")
	if err != nil || a.StatusCode != http.StatusOK {
		return nil, false
	}
	var f struct{ Items []entry }
	if err := json.Unmarshal(a.body, &f); err != nil {
		d.t.Fatalf("%s: %v\n%s", scope, err, tail(string(a.body), 500))
	}
	return f.Items, true
}

// until waits for a condition; the test fails after a minute.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; {
		if ok() {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("waited for a minute: %s", what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// closed waits until an edition of a scope is closed: the last that it does to
// feeds by itself. One of today is closed when looks twenty minutes apart agree.
func (d *daemon) closed(scope string) {
	d.t.Helper()
	until(d.t, "the closing of the edition", func() bool {
		return strings.Contains(string(d.get("/feeds/"+scope+".json").body), `"complete":[`)
	})
}

// stores runs a test on an SQLite store and on a PostgreSQL one, both at once: the
// daemons mostly wait. The data directory is the same for all daemons of a test.
func stores(t *testing.T, run func(t *testing.T, dsn string)) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": func(testing.TB) string { return "paperwire.db" }, "postgres": papertest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, dsn(t))
		})
	}
}

// storesInTurn is stores for tests that change the environment.
func storesInTurn(t *testing.T, run func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) { run(t, "paperwire.db") })
	t.Run("postgres", func(t *testing.T) { run(t, papertest.Postgres(t)) })
}

// configFor writes a configuration that polls publishers every second.
func configFor(t testing.TB, dir string, publishers ...*papertest.Publisher) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("listen: 127.0.0.1:0\nbase_url: http://paperwire.test\nfetch: {pace: 1ms, open_hosts: [127.0.0.1]}\nsources:\n")
	for i, p := range publishers {
		fmt.Fprintf(&b, "  - {key: p%d, name: 报%d, url: %q, city: \"410800\", every: 1s}\n", i+1, i+1, p.URL())
	}
	b.WriteString("sections:\n  - {slug: yaowen, name: 要闻, match: [要闻], pages: [\"01\", A01]}\n")
	file := filepath.Join(dir, "paperwire.yaml")
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// today and yesterday are the days of the paper's zone, as the daemon sees them.
func today() paper.Day { return paper.DayOf(time.Now(), paper.Shanghai) }

func wellFormed(t testing.TB, b []byte) {
	t.Helper()
	x := xml.NewDecoder(bytes.NewReader(b))
	for {
		if _, err := x.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("not well-formed: %v\n%s", err, tail(string(b), 300))
		}
	}
}
