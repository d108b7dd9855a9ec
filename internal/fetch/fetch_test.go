package fetch

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a clock that moves only when somebody sleeps on it.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

func newClock() *clock { return &clock{now: time.Date(2017, 9, 7, 6, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.slept = append(c.slept, d)
	return nil
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *clock) sleeps() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]time.Duration(nil), c.slept...)
}

// memory is a Memory that forgets at the end of the test.
type memory struct {
	mu   sync.Mutex
	kept map[string][4]string
	err  error
}

func newMemory() *memory { return &memory{kept: map[string][4]string{}} }

func (m *memory) Recall(_ context.Context, url string) (etag, modified, contentType, body string, ok bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := m.kept[url]
	return k[0], k[1], k[2], k[3], ok, m.err
}

func (m *memory) Remember(_ context.Context, url, etag, modified, contentType, body string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept[url] = [4]string{etag, modified, contentType, body}
	return m.err
}

// publisher is a loopback server that writes down what it is asked. Without a
// handler of its own for it, robots.txt is a 404.
type publisher struct {
	*httptest.Server
	mu    sync.Mutex
	asked []*http.Request
}

func serve(t testing.TB, h http.HandlerFunc) *publisher {
	t.Helper()
	p := &publisher{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.asked = append(p.asked, r.Clone(context.Background()))
		p.mu.Unlock()
		h(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

// paths are what was asked, in order.
func (p *publisher) paths() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var s []string
	for _, r := range p.asked {
		s = append(s, r.URL.RequestURI())
	}
	return s
}

func (p *publisher) last() *http.Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[len(p.asked)-1]
}

// client is a client that may reach loopback, without pace and robots.txt unless
// the options say otherwise.
func client(t testing.TB, o Options) *Client {
	t.Helper()
	if o.Open == nil {
		o.Open = []string{"127.0.0.1"}
	}
	if o.IgnoreRobots == nil {
		o.IgnoreRobots = []string{"127.0.0.1"}
	}
	if o.Pace == 0 {
		o.Pace = -1
	}
	c := New(o)
	t.Cleanup(c.Close)
	return c
}

func get(t testing.TB, c *Client, url string) *Document {
	t.Helper()
	d, err := c.Get(t.Context(), Request{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// status is the code of a *StatusError, 0 for anything else.
func status(err error) int {
	var s *StatusError
	if errors.As(err, &s) {
		return s.Code
	}
	return 0
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		panic(err)
	}
	return u.Host
}
