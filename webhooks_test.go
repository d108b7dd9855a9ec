package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"paperwire/internal/papertest"
)

// inbox is the receiving end of a webhook.
type inbox struct {
	*httptest.Server
	mu     sync.Mutex
	got    []posted
	answer func(n int, w http.ResponseWriter, r *http.Request) bool // n counts requests; false: not received
}

type posted struct {
	header http.Header
	body   []byte
	took   time.Time // when it came
	ok     bool      // it was answered with 2xx
	// of the body
	Type   string
	Cursor string
	Data   struct {
		ID, State, Headline, Paper, Day string
		Revision                        int
		Scopes                          []string
		Left                            bool `json:"left_scope"`
		Articles                        int
	}
}

func (p posted) id() string { return p.header.Get("Webhook-Id") }

func newInbox(t testing.TB, answer func(n int, w http.ResponseWriter, r *http.Request) bool) *inbox {
	t.Helper()
	x := &inbox{answer: answer}
	x.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := posted{header: r.Header.Clone(), took: time.Now(), ok: true}
		var err error
		if p.body, err = io.ReadAll(r.Body); err != nil {
			return // cut off by a kill
		}
		if err := json.Unmarshal(p.body, &p); err != nil || r.Method != http.MethodPost {
			t.Errorf("%s %v: %s", r.Method, err, p.body)
		}
		x.mu.Lock()
		x.got = append(x.got, p)
		n, answer := len(x.got)-1, x.answer
		x.mu.Unlock()
		if answer != nil {
			ok := answer(n, w, r)
			x.mu.Lock()
			x.got[n].ok = ok
			x.mu.Unlock()
		}
	}))
	t.Cleanup(func() { x.CloseClientConnections(); x.Close() })
	return x
}

func (x *inbox) list() []posted { x.mu.Lock(); defer x.mu.Unlock(); return slices.Clone(x.got) }

func (x *inbox) behave(answer func(int, http.ResponseWriter, *http.Request) bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.answer = answer
}

// find waits for a message.
func (x *inbox) find(t testing.TB, what string, want func(posted) bool) (found posted) {
	t.Helper()
	until(t, what, func() bool {
		for _, p := range x.list() {
			if want(p) {
				found = p
				return true
			}
		}
		return false
	})
	return found
}

// status answers always the same.
func status(code int) func(int, http.ResponseWriter, *http.Request) bool {
	return func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(code)
		return code/100 == 2
	}
}

// standard verifies messages with npm standardwebhooks: a line for each.
func standard(t testing.TB, secret string, list ...posted) []string {
	t.Helper()
	node, err := exec.LookPath("node")
	modules := os.Getenv("PAPERWIRE_NODE_MODULES")
	if _, e := os.Stat(modules + "/standardwebhooks"); err != nil || modules == "" || e != nil {
		if os.Getenv("PAPERWIRE_TEST_ALL") == "1" {
			t.Fatal("node and standardwebhooks in PAPERWIRE_NODE_MODULES are needed")
		}
		t.Skip("PAPERWIRE_NODE_MODULES names no folder with standardwebhooks: run npm ci in a copy of testdata/tools and name its node_modules")
	}
	var in bytes.Buffer
	for _, p := range list {
		head := map[string]string{}
		for name := range p.header {
			head[strings.ToLower(name)] = p.header.Get(name)
		}
		if err := json.NewEncoder(&in).Encode(map[string]any{"secret": secret, "headers": head, "body": string(p.body)}); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(node, "testdata/push/verify.mjs")
	cmd.Stdin, cmd.Stderr = &in, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

type hookAnswer struct {
	ID, Secret, State, Cursor, Problem, Scope string
	Attempts                                  int
}

func (d *daemon) webhook(body string) hookAnswer {
	d.t.Helper()
	var h hookAnswer
	d.operate("POST", "/api/v1/webhooks", body, http.StatusCreated, &h)
	if !strings.HasPrefix(h.Secret, "whsec_") || h.ID == "" {
		d.t.Fatalf("%+v", h)
	}
	return h
}

func TestWebhooks(t *testing.T) {
	t.Parallel() // it mostly waits
	stores(t, func(t *testing.T, dsn string) {
		p := publisher(t, papertest.Options{Key: "one", Day: today(), Seed: 3, Pages: 2, ArticlesPerPage: 3})
		dir := t.TempDir()
		d := start(t, 0, "serve", "--config", pushConfig(t, dir, "", p), "--data", dir, "--store", dsn)
		until(t, "the first edition", func() bool { f, ok := d.feed("all"); return ok && len(f) == 6 })

		const hooks = "/api/v1/webhooks"
		for _, c := range [][2]string{{"GET", hooks}, {"POST", hooks}, {"DELETE", hooks + "/x"}, {"PATCH", hooks + "/x"}, {"GET", hooks + "/x/deliveries"}, {"POST", hooks + "/x/replay"}} {
			if a := d.send(c[0], c[1], `{"url":"http://a.example/","cursor":"0.0"}`, "Content-Type", "application/json"); a.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s %s without the key: %d %s", c[0], c[1], a.StatusCode, a.body)
			}
		}
		for body, want := range map[string]string{
			`{"url":"gopher://a.example/"}`: "http", `{"url":"http://a.example/","scope":"paper/nobody"}`: "unknown paper",
			`{"url":"http://a.example/","events":["article.eaten"]}`: "article.eaten", `{"url":"http://a.example/","patience":0}`: "patience", `{}`: "url",
		} {
			var problem struct{ Detail string }
			d.operate("POST", hooks, body, http.StatusBadRequest, &problem)
			if !strings.Contains(problem.Detail, want) {
				t.Errorf("%s: %q", body, problem.Detail)
			}
		}
		all := newInbox(t, nil)
		section := newInbox(t, nil)
		withdrawn := newInbox(t, nil)
		one := d.webhook(fmt.Sprintf(`{"url":%q,"description":"所有","patience":2}`, all.URL+"/h?key=1"))
		d.webhook(fmt.Sprintf(`{"url":%q,"scope":"section/yaowen"}`, section.URL))
		d.webhook(fmt.Sprintf(`{"url":%q,"events":["article.withdrawn"]}`, withdrawn.URL))
		var got struct{ Webhooks []hookAnswer }
		a := d.send("GET", hooks, "", "Authorization", "Bearer test-key")
		if err := json.Unmarshal(a.body, &got); err != nil || len(got.Webhooks) != 3 || bytes.Contains(a.body, []byte("whsec_")) {
			t.Fatalf("%v %s", err, a.body)
		}
		if a := d.get(hooks); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("a kept answer goes out without the key: %d", a.StatusCode)
		}

		// Published, corrected, withdrawn; what was there before is not told.
		late(p, "一条新消息")
		news := all.find(t, "article.published", func(x posted) bool { return x.Data.Headline == "一条新消息" })
		if news.Type != "article.published" || news.Data.State != "live" || !slices.Contains(news.Data.Scopes, "paper/p1") || !slices.Contains(news.Data.Scopes, "section/yaowen") || news.header.Get("Content-Type") != "application/json" {
			t.Errorf("%+v %s", news.header, news.body)
		}
		var told struct{ Data map[string]any }
		var api map[string]any
		if err := json.Unmarshal(news.body, &told); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(d.get("/api/v1/articles/"+news.Data.ID).body, &api); err != nil {
			t.Fatal(err)
		}
		for k, v := range api {
			if k != "$schema" && fmt.Sprint(told.Data[k]) != fmt.Sprint(v) {
				t.Errorf("data.%s is %v, by API %v", k, told.Data[k], v)
			}
		}
		for _, x := range p.Articles(p.Day()) {
			if x.Headline == "一条新消息" {
				p.Correct(x.ID, func(a *papertest.Article) { a.Headline = "一条新消息（更正）" })
			}
		}
		all.find(t, "article.corrected", func(x posted) bool {
			return x.Type == "article.corrected" && x.Data.Headline == "一条新消息（更正）" && x.Data.Revision == 2
		})
		d.operate("POST", "/api/v1/articles/"+news.Data.ID+"/decisions", `{"action":"refile","sections":["wenhua=文化"]}`, http.StatusOK, nil)
		left := section.find(t, "article.refiled", func(x posted) bool { return x.Type == "article.refiled" })
		if !left.Data.Left || left.Data.ID != news.Data.ID {
			t.Errorf("%s", left.body)
		}
		d.operate("POST", "/api/v1/articles/"+news.Data.ID+"/decisions", `{"action":"withdraw","why":"错了"}`, http.StatusOK, nil)
		for _, x := range []*inbox{all, section, withdrawn} { // who received it hears of it, though it was filed elsewhere since
			gone := x.find(t, "article.withdrawn", func(x posted) bool { return x.Type == "article.withdrawn" })
			if gone.Data.State != "withdrawn" || gone.Data.Headline != "" || bytes.Contains(gone.body, []byte("足够长的正文")) || gone.Data.ID != news.Data.ID {
				t.Errorf("%s", gone.body)
			}
		}
		if n := len(withdrawn.list()); n != 1 {
			t.Errorf("%d messages of one kind", n)
		}
		list := all.list()
		for i := 1; i < len(list); i++ {
			if list[i].id() == list[i-1].id() {
				t.Error("the same message twice without need")
			}
		}
		for i, line := range standard(t, one.Secret, list...) {
			if line != "ok" {
				t.Errorf("message %d: %s", i, line)
			}
		}
		if lines := standard(t, "whsec_"+strings.Repeat("A", 43)+"=", list[0]); lines[0] == "ok" {
			t.Error("any secret will do")
		}

		// A new secret: for a day both sign.
		var rotated struct{ Secret string }
		d.operate("POST", hooks+"/"+one.ID+"/secret", "", http.StatusOK, &rotated)
		var tried struct {
			Event, Type string
			Status      int
		}
		d.operate("POST", hooks+"/"+one.ID+"/test", "", http.StatusOK, &tried)
		test := all.find(t, "a test", func(x posted) bool { return x.Type == "test" })
		if tried.Status != 200 || tried.Event != test.id() {
			t.Errorf("%+v", tried)
		}
		for _, secret := range []string{one.Secret, rotated.Secret} {
			if lines := standard(t, secret, test); lines[0] != "ok" {
				t.Error(lines)
			}
		}
		var log struct {
			Deliveries []struct {
				N           int
				Event, Type string
				Status      int
				Problem     string
				Took        int `json:"took_ms"`
			}
		}
		d.operate("GET", hooks+"/"+one.ID+"/deliveries?limit=200", "", http.StatusOK, &log)
		if len(log.Deliveries) != len(all.list()) || log.Deliveries[0].Type != "test" || log.Deliveries[0].N != len(log.Deliveries) {
			t.Errorf("%d entries of %d: %+v", len(log.Deliveries), len(all.list()), log.Deliveries[0])
		}

		// What fails for as long as the webhook has patience is a dead letter; it goes on.
		all.behave(status(500))
		late(p, "第一条收不到")
		letters := func() (list struct {
			DeadLetters []struct{ Event, Type, Article, Problem string } `json:"dead_letters"`
		},
		) {
			d.operate("GET", hooks+"/"+one.ID+"/dead-letters", "", http.StatusOK, &list)
			return list
		}
		until(t, "a dead letter", func() bool { return len(letters().DeadLetters) == 1 })
		all.behave(nil)
		late(p, "第二条收得到")
		all.find(t, "the next", func(x posted) bool { return x.ok && x.Data.Headline == "第二条收得到" })
		dead := letters().DeadLetters[0]
		if dead.Problem != "HTTP 500 Internal Server Error" || dead.Type != "article.published" {
			t.Errorf("%+v", dead)
		}
		d.operate("POST", hooks+"/"+one.ID+"/dead-letters/"+dead.Event, "", http.StatusOK, nil)
		again := all.find(t, "the dead letter", func(x posted) bool { return x.ok && x.id() == dead.Event })
		if again.Data.Headline != "第一条收不到" || len(letters().DeadLetters) != 0 {
			t.Errorf("%s", again.body)
		}
		d.operate("POST", hooks+"/"+one.ID+"/dead-letters/"+dead.Event, "", http.StatusNotFound, nil)

		// Replay gives the same ids in the same order; of what is withdrawn by now only that.
		before := all.list()
		d.operate("POST", hooks+"/"+one.ID+"/replay", `{"cursor":"`+news.Cursor+`"}`, http.StatusOK, nil)
		until(t, "the replay", func() bool {
			l := all.list()
			return len(l) >= len(before)+3 && l[len(l)-1].Data.Headline == "第二条收得到"
		})
		var ids, want []string
		for _, x := range all.list()[len(before):] {
			ids = append(ids, x.id())
		}
		from := slices.IndexFunc(before, func(x posted) bool { return x.id() == news.id() })
		for _, x := range before[from:] {
			if strings.HasPrefix(x.id(), "evt_") && (x.Data.ID != news.Data.ID || x.Type == "article.withdrawn") && !slices.Contains(want, x.id()) {
				want = append(want, x.id())
			}
		}
		slices.Sort(want)
		if sorted := slices.Sorted(slices.Values(ids)); !slices.Equal(sorted, want) {
			t.Errorf("replay %v, want %v", ids, want)
		}
		d.operate("POST", hooks+"/"+one.ID+"/replay", `{"since":"2020-01-01T00:00:00Z"}`, http.StatusConflict, nil)
		d.operate("POST", hooks+"/"+one.ID+"/replay", `{"cursor":"x"}`, http.StatusBadRequest, nil)
		d.operate("POST", hooks+"/"+one.ID+"/replay", `{}`, http.StatusBadRequest, nil)

		// 410: nothing any more, until the operator says so; then from where it stood.
		all.behave(status(410))
		late(p, "第三条之后再不要了")
		var h hookAnswer
		until(t, "gone", func() bool {
			d.operate("GET", hooks+"/"+one.ID, "", http.StatusOK, &h)
			return h.State == "gone"
		})
		all.behave(nil)
		n := len(all.list())
		late(p, "第四条")
		section.find(t, "the fourth", func(x posted) bool { return x.Data.Headline == "第四条" })
		if len(all.list()) != n {
			t.Error("it said that it is gone")
		}
		d.operate("PATCH", hooks+"/"+one.ID, `{"state":"live"}`, http.StatusOK, &h)
		all.find(t, "the third", func(x posted) bool { return x.ok && x.Data.Headline == "第三条之后再不要了" })
		all.find(t, "the fourth", func(x posted) bool { return x.ok && x.Data.Headline == "第四条" })
		d.operate("DELETE", hooks+"/"+one.ID, "", http.StatusNoContent, nil)
		d.operate("GET", hooks+"/"+one.ID, "", http.StatusNotFound, nil)
		if strings.Contains(d.log.String(), "key=1") || strings.Contains(d.log.String(), one.Secret) {
			t.Error("a URL or a secret is in the log")
		}
	})
}

// Receivers that are slow, fail, are gone, hang up and hang for ever, while the
// process is killed five times: who lives has every event in order at least once,
// with the same id when it is repeated; the dead letters hold the rest; nobody
// waits for another.
func TestDeliveryUnderFaults(t *testing.T) {
	t.Parallel() // it mostly waits
	stores(t, func(t *testing.T, dsn string) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		rnd := rand.New(rand.NewPCG(seed, 2))
		p := publisher(t, papertest.Options{Key: "one", Day: today(), Seed: 5, Pages: 2, ArticlesPerPage: 3})
		dir := t.TempDir()
		file := pushConfig(t, dir, "", p)
		run := func() *daemon { return start(t, 0, "serve", "--config", file, "--data", dir, "--store", dsn) }
		d := run()
		until(t, "the first edition", func() bool { f, ok := d.feed("all"); return ok && len(f) == 6 })
		hang := make(chan struct{})
		t.Cleanup(func() { close(hang) })
		live := map[string]*inbox{
			"prompt": newInbox(t, nil),
			"slow": newInbox(t, func(_ int, _ http.ResponseWriter, r *http.Request) bool {
				select {
				case <-time.After(400 * time.Millisecond):
					return true
				case <-r.Context().Done():
					return false
				}
			}),
			"flaky": newInbox(t, func(n int, w http.ResponseWriter, _ *http.Request) bool {
				if n%3 == 1 {
					w.WriteHeader(http.StatusServiceUnavailable)
					return false
				}
				return true
			}),
		}
		dying := map[string]*inbox{
			"500": newInbox(t, status(500)),
			"hangs up": newInbox(t, func(int, http.ResponseWriter, *http.Request) bool {
				panic(http.ErrAbortHandler)
			}),
			"410": newInbox(t, status(410)),
			"hangs": newInbox(t, func(_ int, _ http.ResponseWriter, r *http.Request) bool {
				select {
				case <-hang:
				case <-r.Context().Done():
				}
				return false
			}),
		}
		ids := map[string]string{}
		for name, x := range live {
			ids[name] = d.webhook(fmt.Sprintf(`{"url":%q}`, x.URL)).ID
		}
		for name, x := range dying {
			ids[name] = d.webhook(fmt.Sprintf(`{"url":%q,"patience":1}`, x.URL)).ID
		}
		printed := 0
		printing := func() {
			for range 2 {
				printed++
				late(p, fmt.Sprintf("第%d条：进程被杀的时候印出来的", printed))
			}
			list := p.Articles(p.Day())
			p.Correct(list[rnd.IntN(len(list))].ID, func(a *papertest.Article) { a.Headline += "改" })
		}
		for range 5 {
			printing()
			n := len(live["prompt"].list())
			until(t, "a delivery", func() bool { return len(live["prompt"].list()) > n })
			time.Sleep(time.Duration(rnd.IntN(400)) * time.Millisecond)
			d.kill()
			d = run()
		}
		until(t, "all that was printed", func() bool {
			f, _ := d.feed("all")
			have := map[string]bool{}
			for _, e := range f {
				have[e.Title] = true
			}
			for _, a := range p.Articles(p.Day()) {
				if !have[a.Headline] {
					return false
				}
			}
			return true
		})
		last := "最后一条消息到了"
		late(p, last)
		for name, x := range live {
			for end := time.Now().Add(3 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
				if slices.ContainsFunc(x.list(), func(p posted) bool { return p.ok && p.Data.Headline == last }) {
					break
				}
				if time.Now().After(end) {
					t.Fatalf("%s has not got the last message; it has %d", name, len(x.list()))
				}
			}
		}
		// The whole outbox, by a replay to somebody new.
		whole := newInbox(t, nil)
		w := d.webhook(fmt.Sprintf(`{"url":%q}`, whole.URL))
		d.operate("POST", "/api/v1/webhooks/"+w.ID+"/replay", `{"cursor":"0.0"}`, http.StatusOK, nil)
		whole.find(t, "the replay", func(p posted) bool { return p.Data.Headline == last })
		var want []posted
		for _, p := range whole.list() {
			if len(want) == 0 || want[len(want)-1].id() != p.id() {
				want = append(want, p)
			}
		}
		first := slices.IndexFunc(want, func(p posted) bool { return strings.HasPrefix(p.Data.Headline, "第1条：") })
		if first < 0 || len(want)-first < printed {
			t.Fatalf("%d events in the outbox, %d printed", len(want), printed)
		}
		// What stood before the webhooks is not theirs. Some of the same release as
		// the first may stand before it.
		var expected []string
		firstSeq, _, _ := strings.Cut(want[first].Cursor, ".")
		for _, p := range want {
			if seq, _, _ := strings.Cut(p.Cursor, "."); len(expected) > 0 || seq == firstSeq {
				expected = append(expected, p.id())
			}
		}
		for name, x := range live {
			var order []string
			repeated := 0
			for _, p := range x.list() {
				switch {
				case !p.ok:
				case slices.Contains(order, p.id()):
					repeated++
				default:
					order = append(order, p.id())
				}
			}
			order = slices.DeleteFunc(order, func(id string) bool { return !slices.Contains(expected, id) })
			if !slices.Equal(order, expected) {
				t.Errorf("%s: %d events, want %d:\n%v\n%v", name, len(order), len(expected), order, expected)
			}
			t.Logf("%s: %d events, %d repeated", name, len(order), repeated)
		}
		// The dead letters hold the rest, in order, and their webhooks went on.
		letters := func(name string) (list []string) {
			var l struct {
				DeadLetters []struct{ Event string } `json:"dead_letters"`
			}
			d.operate("GET", "/api/v1/webhooks/"+ids[name]+"/dead-letters?limit=200", "", http.StatusOK, &l)
			for _, x := range l.DeadLetters {
				if slices.Contains(expected, x.Event) { // what stood before, too, may come: the edition is complete
					list = append(list, x.Event)
				}
			}
			return list
		}
		for _, name := range []string{"500", "hangs up"} {
			for end := time.Now().Add(4 * time.Minute); ; time.Sleep(300 * time.Millisecond) {
				if l := letters(name); slices.Equal(l, expected) {
					break
				} else if time.Now().After(end) {
					t.Fatalf("%s: dead letters %v, want %v", name, l, expected)
				}
			}
		}
		until(t, "a dead letter of who hangs", func() bool { return len(letters("hangs")) > 0 })
		if l := letters("hangs"); len(l) == 0 || !slices.Equal(l, expected[:len(l)]) {
			t.Errorf("hangs: dead letters %v, want the first of %v", l, expected)
		}
		var gone hookAnswer
		if d.operate("GET", "/api/v1/webhooks/"+ids["410"], "", http.StatusOK, &gone); gone.State != "gone" {
			t.Errorf("%+v", gone)
		}
		// While one hangs, another hears at once.
		began := time.Now()
		late(p, "别人挂着的时候")
		until(t, "the news", func() bool { f, _ := d.feed("all"); return len(f) > 0 && f[0].Title == "别人挂着的时候" })
		out := time.Now()
		got := live["prompt"].find(t, "the news", func(p posted) bool { return p.Data.Headline == "别人挂着的时候" })
		t.Logf("out after %s, delivered %s after that", out.Sub(began).Round(time.Millisecond), got.took.Sub(out).Round(time.Millisecond))
		if wait := got.took.Sub(out); wait > 4*time.Second {
			t.Errorf("delivered %s after it came out", wait)
		}
	})
}

// A day of failures, by the clock of the process: pauses grow, after a day the event
// is a dead letter and the next has its turn. Three days of them end a subscription.
func TestPatience(t *testing.T) {
	t.Parallel() // it mostly waits
	p := publisher(t, papertest.Options{Key: "one", Day: today(), Seed: 3, Pages: 2, ArticlesPerPage: 2})
	dir := t.TempDir()
	told := newInbox(t, nil)
	file := pushConfig(t, dir, fmt.Sprintf("alerts: {webhook: %q}\n", told.URL), p)
	var d *daemon
	run := func(ahead time.Duration) {
		t.Helper()
		if d != nil {
			d.stop()
		}
		d = start(t, ahead, "serve", "--config", file, "--data", dir)
	}
	run(0)
	until(t, "the first edition", func() bool { f, ok := d.feed("all"); return ok && len(f) == 4 })
	x := newInbox(t, status(503))
	h := d.webhook(fmt.Sprintf(`{"url":%q,"events":["article.published","article.withdrawn"]}`, x.URL))
	c := newCallback(t, "")
	c.on(nil, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	d.hub(map[string][]string{"hub.mode": {"subscribe"}, "hub.topic": {topicBase + "all.rss"}, "hub.callback": {c.URL}})
	until(t, "a verification", func() bool { asked, _ := c.counts(); return asked == 1 })
	late(p, "第一条")
	stands := func() (a struct {
		hookAnswer
		Next time.Time `json:"next_try"`
	},
	) {
		d.operate("GET", "/api/v1/webhooks/"+h.ID, "", http.StatusOK, &a)
		return a
	}
	near := func(tries int, ahead, pause time.Duration) {
		t.Helper()
		until(t, fmt.Sprintf("%d tries", tries), func() bool { return stands().Attempts == tries })
		if in := time.Until(stands().Next) - ahead; in < pause*8/10-2*time.Second || in > pause*12/10 {
			t.Errorf("after %d tries the next is in %s, want about %s", tries, in, pause)
		}
	}
	near(1, 0, 5*time.Second)
	near(2, 0, 5*time.Minute)
	late(p, "第二条")
	until(t, "the second to be out", func() bool { f, _ := d.feed("all"); return len(f) == 6 })
	ahead := 6 * time.Minute
	run(ahead)
	near(3, ahead, 30*time.Minute)
	ahead = time.Hour
	run(ahead)
	near(4, ahead, 2*time.Hour)
	for _, m := range x.list() {
		if m.Data.Headline != "第一条" {
			t.Fatalf("%s before the first has arrived", m.Data.Headline)
		}
	}
	ahead = 23*time.Hour + 55*time.Minute
	run(ahead)
	near(5, ahead, 5*time.Minute) // not five hours: the day is over before
	ahead = 24*time.Hour + 20*time.Minute
	run(ahead)
	until(t, "the second", func() bool {
		l := x.list()
		return l[len(l)-1].Data.Headline == "第二条"
	})
	until(t, "two dead letters", func() bool { // its day is over too: it was tried once
		var l struct {
			DeadLetters []struct{ Attempts int } `json:"dead_letters"`
		}
		d.operate("GET", "/api/v1/webhooks/"+h.ID+"/dead-letters", "", http.StatusOK, &l)
		return len(l.DeadLetters) == 2
	})
	told.find(t, "the operator to be told of a webhook that fails for a day", func(m posted) bool { return bytes.Contains(m.body, []byte(h.ID)) })
	for _, path := range []string{"/feeds/status.atom", "/status"} {
		if a := d.get(path); bytes.Contains(a.body, []byte(h.ID)) || bytes.Contains(a.body, []byte("503")) {
			t.Errorf("%s tells everybody of a webhook", path)
		}
	}
	x.behave(nil)
	late(p, "第三条")
	third := x.find(t, "the third", func(m posted) bool { return m.ok && m.Data.Headline == "第三条" })
	until(t, "the end of its trouble", func() bool { s := stands(); return s.Problem == "" && s.Attempts == 0 })
	run(74 * time.Hour)
	until(t, "the end of the subscription", func() bool { return strings.Contains(d.log.String(), "subscription ended") })
	_, got := c.counts()
	c.on(nil, nil)
	d.operate("POST", "/api/v1/articles/"+third.Data.ID+"/decisions", `{"action":"withdraw"}`, http.StatusOK, nil)
	x.find(t, "the withdrawal", func(m posted) bool { return m.ok && m.Type == "article.withdrawn" })
	time.Sleep(time.Second)
	if _, now := c.counts(); now != got {
		t.Error("a subscription that failed for three days goes on")
	}
}

// Webhooks reach no private address that is not opened.
func TestWebhooksAreGuarded(t *testing.T) {
	p := publisher(t, papertest.Options{Key: "one", Day: today(), Seed: 3, Pages: 2, ArticlesPerPage: 2})
	dir := t.TempDir()
	d := start(t, 0, "serve", "--config", pushConfig(t, dir, "push: {open_hosts: [other.example]}\n", p), "--data", dir)
	x := newInbox(t, nil)
	// Its publisher is open, receivers are not: an address is refused when it is written, a
	// name when it is dialled.
	d.operate("POST", "/api/v1/webhooks", fmt.Sprintf(`{"url":%q}`, x.URL), http.StatusBadRequest, nil)
	h := d.webhook(fmt.Sprintf(`{"url":%q}`, strings.Replace(x.URL, "127.0.0.1", "localhost", 1)))
	var tried struct {
		Status  int
		Problem string
	}
	d.operate("POST", "/api/v1/webhooks/"+h.ID+"/test", "", http.StatusOK, &tried)
	if tried.Status != 0 || !strings.Contains(tried.Problem, "opened by its name") || len(x.list()) != 0 {
		t.Errorf("%+v, %d requests", tried, len(x.list()))
	}
}

// What is open to the operator's webhooks is not open to whom strangers name at the hub.
func TestCallbacksAreGuarded(t *testing.T) {
	p := publisher(t, papertest.Options{Key: "one", Day: today(), Seed: 3, Pages: 2, ArticlesPerPage: 2})
	dir := t.TempDir()
	d := start(t, 0, "serve", "--config", pushConfig(t, dir, "push: {open_hosts: [127.0.0.1]}\n", p), "--data", dir)
	x, c := newInbox(t, nil), newCallback(t, "")
	h := d.webhook(fmt.Sprintf(`{"url":%q}`, x.URL))
	d.operate("POST", "/api/v1/webhooks/"+h.ID+"/test", "", http.StatusOK, nil)
	if len(x.list()) != 1 {
		t.Error("the webhook is not reached")
	}
	if a := d.hub(map[string][]string{"hub.mode": {"subscribe"}, "hub.topic": {topicBase + "all.rss"}, "hub.callback": {c.URL}}); a.StatusCode != http.StatusAccepted {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	until(t, "a try", func() bool {
		var r struct{ Receivers []struct{ Attempts int } }
		d.operate("GET", "/api/v1/receivers?kind=intent", "", http.StatusOK, &r)
		return len(r.Receivers) == 1 && r.Receivers[0].Attempts > 0
	})
	if asked, got := c.counts(); asked != 0 || got != 0 {
		t.Errorf("%d questions, %d messages", asked, got)
	}
}

// Robots and pings of the configuration, in the running program: headlines when the
// edition is complete, corrections and withdrawals after it, and no secret in the log.
func TestRobots(t *testing.T) {
	storesInTurn(t, func(t *testing.T, dsn string) {
		var mu sync.Mutex
		got := map[string][]string{}
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			mu.Lock()
			got[r.URL.Path] = append(got[r.URL.Path], string(b))
			mu.Unlock()
			io.WriteString(w, `{"errcode":0,"code":0,"success":1}`)
		}))
		t.Cleanup(server.Close)
		has := func(path string, words ...string) func() bool {
			return func() bool {
				mu.Lock()
				defer mu.Unlock()
				return slices.ContainsFunc(got[path], func(b string) bool {
					for _, w := range words {
						if !strings.Contains(b, w) {
							return false
						}
					}
					return true
				})
			}
		}
		t.Setenv("PAPERWIRE_ROBOT_A_URL", server.URL+"/wecom?key=geheim1")
		t.Setenv("PAPERWIRE_ROBOT_B_SECRET", "geheim2")
		t.Setenv("PAPERWIRE_ROBOT_C_URL", server.URL+"/feishu/geheim3")
		t.Setenv("PAPERWIRE_ROBOT_D_URL", server.URL+"/elsewhere")
		t.Setenv("PAPERWIRE_INDEXNOW_KEY", "indexnow-key")
		t.Setenv("PAPERWIRE_BAIDU_TOKEN", "geheim4")
		// News of a day that is over is complete at the first look.
		p := publisher(t, papertest.Options{Key: "one", Day: today().Add(-2), Seed: 3, Pages: 2, ArticlesPerPage: 6})
		dir := t.TempDir()
		if err := os.WriteFile(dir+"/b.url", []byte(server.URL+"/dingtalk?access_token=geheim5\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		file := pushConfig(t, dir, fmt.Sprintf(`push: {open_hosts: [127.0.0.1], hubs: ["%[1]s/hub"], indexnow: "%[1]s/indexnow", baidu: "%[1]s/baidu"}
robots:
  - {key: a, kind: wecom}
  - {key: b, kind: dingtalk, scope: paper/p1, url_file: b.url}
  - {key: c, kind: feishu, scope: section/yaowen}
  - {key: d, kind: wecom, scope: paper/p1/page/99}
`, server.URL), p)
		d := start(t, 0, "serve", "--config", file, "--data", dir, "--store", dsn)
		x := newInbox(t, nil)
		d.webhook(fmt.Sprintf(`{"url":%q,"events":["edition.complete"]}`, x.URL))
		until(t, "the first look", func() bool { f, _ := d.feed("all"); return len(f) == 12 })
		day := string(p.NextDay())
		until(t, "headlines in WeCom", has("/wecom", `"msgtype":"news"`, day, "http://paperwire.test/a/p1-"))
		until(t, "headlines in DingTalk", has("/dingtalk", `"feedCard"`, day))
		until(t, "headlines in Feishu", has("/feishu/geheim3", `"post"`, day))
		until(t, "a ping of the hub", has("/hub", "hub.mode=publish", "paper%2Fp1.rss"))
		until(t, "IndexNow", has("/indexnow", `"key":"indexnow-key"`, "http://paperwire.test/a/p1-"))
		until(t, "Baidu", has("/baidu", "http://paperwire.test/a/p1-"))
		if a := d.get("/indexnow-key.txt"); string(a.body) != "indexnow-key" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
		if a := d.get("/feeds/all.rss"); !bytes.Contains(a.body, []byte(server.URL+"/hub")) || !strings.Contains(a.Header.Get("Link"), server.URL+"/hub") {
			t.Error("the outside hub is not announced")
		}
		done := x.find(t, "edition.complete", func(m posted) bool { return m.Type == "edition.complete" })
		if done.Data.Day != day || done.Data.Paper != "p1" || done.Data.Articles != 12 {
			t.Errorf("%s", done.body)
		}
		first := p.Articles(p.Day())[0]
		p.Correct(first.ID, func(a *papertest.Article) { a.Headline = "改过的要闻" })
		until(t, "the correction", has("/wecom", `"msgtype":"text"`, "更正：改过的要闻"))
		until(t, "the correction", has("/feishu/geheim3", `"text"`, "更正：改过的要闻"))
		f, _ := d.feed("all")
		for _, e := range f {
			if e.Title == "改过的要闻" {
				d.operate("POST", "/api/v1/articles/"+e.Ours.ID+"/decisions", `{"action":"withdraw"}`, http.StatusOK, nil)
			}
		}
		until(t, "the withdrawal", has("/dingtalk", "撤稿：报1 "+day))
		until(t, "the withdrawal", has("/wecom", "撤稿：报1 "+day))
		if has("/elsewhere")() {
			t.Error("a message about another page")
		}
		var r struct {
			Receivers []struct{ ID, Kind, State, Host string }
		}
		d.operate("GET", "/api/v1/receivers?kind=robot", "", http.StatusOK, &r)
		if len(r.Receivers) != 4 || r.Receivers[0].ID != "robot:a" || r.Receivers[0].State != "live" || r.Receivers[0].Host == "" {
			t.Errorf("%+v", r)
		}
		a := d.send("GET", "/api/v1/receivers", "", "Paperwire-Key", "test-key")
		b := d.send("GET", "/api/v1/receivers/robot:a/deliveries", "", "Paperwire-Key", "test-key")
		if bytes.Contains(a.body, []byte("geheim")) || bytes.Contains(b.body, []byte("geheim")) || !bytes.Contains(b.body, []byte("edition.complete")) {
			t.Errorf("%s %s", a.body, b.body)
		}
		if strings.Contains(d.log.String(), "geheim") {
			t.Error("a secret is in the log")
		}
		// Who is taken out of the configuration is forgotten; who stays goes on.
		d.stop()
		mu.Lock()
		before := len(got["/wecom"])
		mu.Unlock()
		start(t, 0, "serve", "--config", pushConfig(t, dir, "push: {open_hosts: [127.0.0.1]}\nrobots:\n  - {key: a, kind: wecom}\n", p), "--data", dir, "--store", dsn)
		p.Correct(p.Articles(p.Day())[1].ID, func(a *papertest.Article) { a.Headline = "又改过一条" })
		until(t, "the second correction", has("/wecom", "更正：又改过一条"))
		time.Sleep(500 * time.Millisecond)
		mu.Lock()
		defer mu.Unlock()
		if n := len(got["/wecom"]); n != before+1 || strings.Contains(strings.Join(got["/dingtalk"], ""), "又改过一条") {
			t.Errorf("%d messages more", n-before)
		}
	})
}

// Fifty subscribers that hang: the operator's webhook and the other subscribers hear
// at once all the same.
func TestNobodyWaits(t *testing.T) {
	t.Parallel() // it mostly waits
	p := publisher(t, papertest.Options{Key: "one", Day: today(), Seed: 3, Pages: 2, ArticlesPerPage: 2})
	dir := t.TempDir()
	d := start(t, 0, "serve", "--config", pushConfig(t, dir, "", p), "--data", dir)
	until(t, "the first edition", func() bool { f, ok := d.feed("all"); return ok && len(f) == 4 })
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	subscribe := func(c *callback) {
		t.Helper()
		form := map[string][]string{"hub.mode": {"subscribe"}, "hub.topic": {topicBase + "all.rss"}, "hub.callback": {c.URL}}
		for end := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
			if a := d.hub(form); a.StatusCode == http.StatusAccepted {
				return
			} else if a.StatusCode != http.StatusTooManyRequests || time.Now().After(end) {
				t.Fatalf("%d %s", a.StatusCode, a.body)
			}
		}
	}
	var hanging []*callback
	for i := range 50 {
		c := newCallback(t, fmt.Sprintf("127.0.1.%d:0", i+1))
		c.on(nil, func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		})
		subscribe(c)
		hanging = append(hanging, c)
	}
	good := newCallback(t, "")
	subscribe(good)
	until(t, "all verifications", func() bool {
		for _, c := range append(hanging, good) {
			if asked, _ := c.counts(); asked == 0 {
				return false
			}
		}
		return true
	})
	time.Sleep(300 * time.Millisecond)
	x := newInbox(t, nil)
	d.webhook(fmt.Sprintf(`{"url":%q}`, x.URL))
	const most = 5 * time.Second
	for i := range 2 {
		title := fmt.Sprintf("第%d条消息给大家", i)
		late(p, title)
		until(t, title, func() bool { f, _ := d.feed("all"); return len(f) > 0 && f[0].Title == title })
		out := time.Now()
		m := x.find(t, "the webhook", func(m posted) bool { return m.Data.Headline == title })
		until(t, "the good subscriber", func() bool { _, got := good.counts(); return got > i })
		own, theirs := m.took.Sub(out), time.Since(out)
		t.Logf("the webhook after %s, the good subscriber after %s", own.Round(time.Millisecond), theirs.Round(time.Millisecond))
		if own > most || theirs > most {
			t.Errorf("the webhook waited for %s, the subscriber for %s", own, theirs)
		}
		if i == 0 { // until all have hung once
			until(t, "everybody's try", func() bool {
				for _, c := range hanging {
					if _, got := c.counts(); got == 0 {
						return false
					}
				}
				return true
			})
			time.Sleep(11 * time.Second)
		}
	}
}
