package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paperwire/internal/paper"
	"paperwire/internal/papertest"
	"paperwire/internal/store"
)

// pushConfig is configFor with loopback opened for receivers.
func pushConfig(t testing.TB, dir, more string, publishers ...*papertest.Publisher) string {
	t.Helper()
	file := configFor(t, dir, publishers...)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(more, "push:") {
		// Callbacks of one host share its places: 127.0.1.1 to 60 are hosts of their own.
		more += "push: {open_hosts: [127.0.0.1], open_callbacks: [127.0.0.1"
		for i := range 60 {
			more += fmt.Sprintf(", 127.0.1.%d", i+1)
		}
		more += "]}\n"
	}
	if err := os.WriteFile(file, append(b, more...), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// callback is a receiver of a hub's requests, written from the W3C text alone.
type callback struct {
	*httptest.Server
	mu       sync.Mutex
	asked    []url.Values  // verification and denial requests, in order
	got      []distributed // content distributions
	agree    func(q url.Values, w http.ResponseWriter)
	answer   func(w http.ResponseWriter, r *http.Request)
	wrongful int // requests of another method
}

type distributed struct {
	header http.Header
	query  url.Values
	body   []byte
}

func newCallback(t testing.TB, address string) *callback {
	t.Helper()
	c := &callback{}
	c.Server = httptest.NewUnstartedServer(http.HandlerFunc(c.serve))
	if address != "" {
		ln, err := net.Listen("tcp", address)
		if err != nil {
			if os.Getenv("PAPERWIRE_TEST_ALL") == "1" {
				t.Fatalf("cannot listen at %s: %v", address, err)
			}
			t.Skipf("cannot listen at %s: %v", address, err)
		}
		c.Listener.Close()
		c.Listener = ln
	}
	c.Start()
	t.Cleanup(func() { c.CloseClientConnections(); c.Close() })
	return c
}

func (c *callback) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	agree, answer := c.agree, c.answer
	switch r.Method {
	case http.MethodGet:
		c.asked = append(c.asked, r.URL.Query())
	case http.MethodPost:
		c.got = append(c.got, distributed{r.Header.Clone(), r.URL.Query(), body})
	default:
		c.wrongful++
	}
	c.mu.Unlock()
	switch {
	case r.Method == http.MethodGet && agree != nil:
		agree(r.URL.Query(), w)
	case r.Method == http.MethodGet:
		io.WriteString(w, r.URL.Query().Get("hub.challenge"))
	case answer != nil:
		answer(w, r)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func (c *callback) counts() (asked, got int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.asked), len(c.got)
}

func (c *callback) lastAsked() url.Values {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked[len(c.asked)-1]
}

func (c *callback) on(agree func(url.Values, http.ResponseWriter), answer func(http.ResponseWriter, *http.Request)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.agree, c.answer = agree, answer
}

// hub posts a form to /hub.
func (d *daemon) hub(form url.Values, header ...string) answer {
	d.t.Helper()
	return d.send("POST", "/hub", form.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)...)
}

// send makes a request with a body.
func (d *daemon) send(method, path, body string, header ...string) answer {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := plainClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return answer{resp, b}
}

// operate calls the API with the operator key and reads the answer into a value.
func (d *daemon) operate(method, path, body string, want int, into any) {
	d.t.Helper()
	a := d.send(method, path, body, "Authorization", "Bearer test-key", "Content-Type", "application/json")
	if a.StatusCode != want {
		d.t.Fatalf("%s %s: %d, want %d: %s", method, path, a.StatusCode, want, a.body)
	}
	if into != nil {
		if err := json.Unmarshal(a.body, into); err != nil {
			d.t.Fatalf("%s %s: %v: %s", method, path, err, a.body)
		}
	}
}

// pythonHMAC is HMAC-SHA256 by Python's hmac, in hex.
func pythonHMAC(t testing.TB, key, message []byte) string {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("PAPERWIRE_TEST_ALL") == "1" {
			t.Fatal("python3 is needed")
		}
		t.Skip("python3 is needed")
	}
	cmd := exec.Command(python, "-c", "import hmac,sys,hashlib;d=sys.stdin.buffer.read();k=bytes.fromhex(sys.argv[1]);print(hmac.new(k,d,hashlib.sha256).hexdigest())", fmt.Sprintf("%x", key))
	cmd.Stdin = bytes.NewReader(message)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func late(p *papertest.Publisher, headline string) {
	p.AddLate(p.Day(), "01", papertest.Article{
		Headline:   headline,
		Paragraphs: []string{"本报讯 " + headline + "，记者昨天从有关部门了解到详细情况，这里有足够长的正文，好让它算作一篇稿件。"},
	})
}

const topicBase = "http://paperwire.test/feeds/"

// The W3C cases of a hub and of a publisher (WebSub, Recommendation of 2018), with
// a subscriber that knows nothing of ours.
func TestHub(t *testing.T) {
	t.Parallel()
	p := publisher(t, papertest.Options{Key: "one", Day: today(), Seed: 3, Pages: 2, ArticlesPerPage: 2})
	dir := t.TempDir()
	d := start(t, 0, "serve", "--config", pushConfig(t, dir, "", p), "--data", dir)
	until(t, "the first edition", func() bool { f, ok := d.feed("all"); return ok && len(f) > 0 })
	n := 0
	news := func() string {
		n++
		title := fmt.Sprintf("第%d条新消息出来了", n)
		late(p, title)
		until(t, title, func() bool {
			f, _ := d.feed("all")
			for _, e := range f {
				if e.Title == title {
					return true
				}
			}
			return false
		})
		return title
	}
	subscribe := func(t *testing.T, c *callback, topic string, more ...string) {
		t.Helper()
		form := url.Values{"hub.mode": {"subscribe"}, "hub.topic": {topic}, "hub.callback": {c.URL + "/cb"}}
		for i := 0; i+1 < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		if a := d.hub(form); a.StatusCode != http.StatusAccepted {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
	}
	verified := func(t *testing.T, c *callback, times int) url.Values {
		t.Helper()
		until(t, "a verification", func() bool { asked, _ := c.counts(); return asked >= times })
		time.Sleep(300 * time.Millisecond) // until it is written down
		return c.lastAsked()
	}
	received := func(t *testing.T, c *callback, times int) distributed {
		t.Helper()
		until(t, "a distribution", func() bool { _, got := c.counts(); return got >= times })
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.got[len(c.got)-1]
	}
	// silent: a subscriber of everything hears, and this one does not.
	witness := newCallback(t, "")
	subscribe(t, witness, topicBase+"all.json")
	verified(t, witness, 1)
	silent := func(t *testing.T, c *callback, so int) {
		t.Helper()
		_, before := witness.counts()
		title := news()
		until(t, "the witness", func() bool {
			witness.mu.Lock()
			defer witness.mu.Unlock()
			return len(witness.got) > before && bytes.Contains(witness.got[len(witness.got)-1].body, []byte(title))
		})
		time.Sleep(500 * time.Millisecond)
		if _, got := c.counts(); got != so {
			t.Errorf("%d distributions, want %d", got, so)
		}
	}

	t.Run("subscription", func(t *testing.T) {
		c := newCallback(t, "")
		subscribe(t, c, topicBase+"paper/p1.rss", "hub.callback", c.URL+"/cb?me=%C3%A4&x=1", "hub.secret", "geheim 秘密", "hub.unknown", "ignored")
		q := verified(t, c, 1)
		if q.Get("hub.mode") != "subscribe" || q.Get("hub.topic") != topicBase+"paper/p1.rss" || len(q.Get("hub.challenge")) < 20 || q.Get("hub.lease_seconds") != "864000" || q.Get("me") != "ä" || q.Get("x") != "1" {
			t.Errorf("verification %v", q)
		}
		title := news()
		g := received(t, c, 1)
		if got := g.header.Get("Content-Type"); got != d.get("/feeds/paper/p1.rss").Header.Get("Content-Type") {
			t.Errorf("Content-Type %q", got)
		}
		if got := g.header.Get("Link"); got != `<http://paperwire.test/hub>; rel="hub", <`+topicBase+`paper/p1.rss>; rel="self"` {
			t.Errorf("Link %q", got)
		}
		if g.query.Get("me") != "ä" {
			t.Errorf("query %v", g.query)
		}
		if want := "sha256=" + pythonHMAC(t, []byte("geheim 秘密"), g.body); g.header.Get("X-Hub-Signature") != want {
			t.Errorf("signature %q, want %q", g.header.Get("X-Hub-Signature"), want)
		}
		wellFormed(t, g.body)
		body := string(g.body)
		if strings.Count(body, "<item>") != 1 || !strings.Contains(body, title) || !strings.Contains(body, "content:encoded") || !strings.Contains(body, "足够长的正文") {
			t.Errorf("not the changed part with full content: %s", body)
		}
	})
	t.Run("every format, its own type", func(t *testing.T) {
		var all []*callback
		exts := []string{"rss", "atom", "json", "ninjs", "ninjs3", "wechat"}
		for _, ext := range exts {
			c := newCallback(t, "")
			subscribe(t, c, topicBase+"all."+ext)
			verified(t, c, 1)
			all = append(all, c)
		}
		title := news()
		for i, c := range all {
			g := received(t, c, 1)
			if g.header.Get("Content-Type") != d.get("/feeds/all."+exts[i]).Header.Get("Content-Type") || !bytes.Contains(g.body, []byte(title)) || g.header.Get("X-Hub-Signature") != "" {
				t.Errorf("%s: %v %s", exts[i], g.header, tail(string(g.body), 200))
			}
		}
	})
	t.Run("a wrong challenge is no consent", func(t *testing.T) {
		all := map[string]*callback{}
		for name, agree := range map[string]func(url.Values, http.ResponseWriter){
			"other":   func(_ url.Values, w http.ResponseWriter) { io.WriteString(w, "yes") },
			"more":    func(q url.Values, w http.ResponseWriter) { io.WriteString(w, q.Get("hub.challenge")+"\n") },
			"nothing": func(url.Values, http.ResponseWriter) {},
			"404": func(q url.Values, w http.ResponseWriter) {
				w.WriteHeader(404)
				io.WriteString(w, q.Get("hub.challenge"))
			},
			"redirect": func(q url.Values, w http.ResponseWriter) {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(302)
				io.WriteString(w, q.Get("hub.challenge"))
			},
		} {
			c := newCallback(t, "")
			c.on(agree, nil)
			subscribe(t, c, topicBase+"all.atom")
			verified(t, c, 1)
			all[name] = c
		}
		_, so := witness.counts()
		silent(t, witness, so+1)
		for name, c := range all {
			if asked, got := c.counts(); asked != 1 || got != 0 {
				t.Errorf("%s: asked %d times, %d distributions", name, asked, got)
			}
		}
	})
	t.Run("denied", func(t *testing.T) {
		for topic, reason := range map[string]string{
			topicBase + "paper/nobody.rss":            "unknown paper",
			topicBase + "all.xyz":                     "unknown format",
			"http://elsewhere.example/feed":           "no feed of this site",
			topicBase + "district/温县.rss":             topicBase + "district/410825.rss",
			topicBase + "all.rss?limit=5":             topicBase + "all.rss",
			topicBase + "district/410825,410803.json": topicBase + "district/410803,410825.json",
		} {
			c := newCallback(t, "")
			subscribe(t, c, topic)
			q := verified(t, c, 1)
			if q.Get("hub.mode") != "denied" || q.Get("hub.topic") != topic || !strings.Contains(q.Get("hub.reason"), reason) || q.Has("hub.challenge") {
				t.Errorf("%s: %v", topic, q)
			}
		}
	})
	t.Run("bad requests", func(t *testing.T) {
		good := func() url.Values {
			return url.Values{"hub.mode": {"subscribe"}, "hub.topic": {topicBase + "all.rss"}, "hub.callback": {"http://127.0.0.1:9/"}}
		}
		for name, change := range map[string]func(url.Values){
			"no callback":         func(f url.Values) { f.Del("hub.callback") },
			"no topic":            func(f url.Values) { f.Del("hub.topic") },
			"no mode":             func(f url.Values) { f.Del("hub.mode") },
			"publish":             func(f url.Values) { f.Set("hub.mode", "publish") },
			"ftp":                 func(f url.Values) { f.Set("hub.callback", "ftp://a.example/") },
			"relative":            func(f url.Values) { f.Set("hub.callback", "/cb") },
			"password":            func(f url.Values) { f.Set("hub.callback", "http://a:b@a.example/") },
			"fragment":            func(f url.Values) { f.Set("hub.callback", "http://a.example/#x") },
			"secret of 200 bytes": func(f url.Values) { f.Set("hub.secret", strings.Repeat("x", 200)) },
			"lease":               func(f url.Values) { f.Set("hub.lease_seconds", "for ever") },
			"long":                func(f url.Values) { f.Set("hub.callback", "http://a.example/"+strings.Repeat("x", 2100)) },
		} {
			f := good()
			change(f)
			if a := d.hub(f); a.StatusCode != http.StatusBadRequest || len(a.body) < 10 {
				t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
			}
		}
		if a := d.hub(good(), "Content-Type", "application/json"); a.StatusCode != http.StatusUnsupportedMediaType {
			t.Errorf("%d", a.StatusCode)
		}
		if a := d.send("POST", "/hub", strings.Repeat("a=b&", 5000), "Content-Type", "application/x-www-form-urlencoded"); a.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%d", a.StatusCode)
		}
		if a := d.get("/hub"); a.StatusCode != http.StatusMethodNotAllowed || a.Header.Get("Allow") != "POST" {
			t.Errorf("%d %v", a.StatusCode, a.Header)
		}
	})
	t.Run("leases", func(t *testing.T) {
		for asked, want := range map[string]string{"1": "3600", "7200": "7200", "99999999999": "2592000", "0": "3600"} {
			c := newCallback(t, "")
			subscribe(t, c, topicBase+"all.rss", "hub.lease_seconds", asked)
			if q := verified(t, c, 1); q.Get("hub.lease_seconds") != want {
				t.Errorf("%s: %v", asked, q)
			}
		}
	})
	t.Run("a subscription again takes the place of the former", func(t *testing.T) {
		c := newCallback(t, "")
		subscribe(t, c, topicBase+"all.rss", "hub.secret", "one")
		verified(t, c, 1)
		subscribe(t, c, topicBase+"all.rss", "hub.secret", "two", "hub.lease_seconds", "7200")
		verified(t, c, 2)
		silent(t, c, 1)
		g := received(t, c, 1)
		if want := "sha256=" + pythonHMAC(t, []byte("two"), g.body); g.header.Get("X-Hub-Signature") != want {
			t.Error("not signed with the new secret")
		}
		// A renewal that is not meant leaves it as it is.
		c.on(func(_ url.Values, w http.ResponseWriter) { w.WriteHeader(404) }, nil)
		subscribe(t, c, topicBase+"all.rss", "hub.secret", "three")
		verified(t, c, 3)
		silent(t, c, 2)
		g = received(t, c, 2)
		if want := "sha256=" + pythonHMAC(t, []byte("two"), g.body); g.header.Get("X-Hub-Signature") != want {
			t.Error("not signed with the secret that was verified")
		}
	})
	t.Run("unsubscription", func(t *testing.T) {
		c := newCallback(t, "")
		subscribe(t, c, topicBase+"all.rss")
		verified(t, c, 1)
		c.on(func(_ url.Values, w http.ResponseWriter) { w.WriteHeader(404) }, nil)
		subscribe(t, c, topicBase+"all.rss", "hub.mode", "unsubscribe")
		if q := verified(t, c, 2); q.Get("hub.mode") != "unsubscribe" || q.Get("hub.challenge") == "" || q.Has("hub.lease_seconds") {
			t.Errorf("%v", q)
		}
		silent(t, c, 1) // somebody else asked for it
		c.on(nil, nil)
		subscribe(t, c, topicBase+"all.rss", "hub.mode", "unsubscribe")
		verified(t, c, 3)
		silent(t, c, 1)
	})
	t.Run("410 ends it", func(t *testing.T) {
		c := newCallback(t, "")
		c.on(nil, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) })
		subscribe(t, c, topicBase+"all.rss")
		verified(t, c, 1)
		silent(t, c, 1)
		c.on(nil, nil)
		silent(t, c, 1)
	})
	t.Run("a failure is tried again", func(t *testing.T) {
		c := newCallback(t, "")
		var mu sync.Mutex
		fails := 1
		c.on(nil, func(w http.ResponseWriter, _ *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if fails--; fails >= 0 {
				w.Header().Set("Location", witness.URL)
				w.WriteHeader(http.StatusTemporaryRedirect) // is not followed
			}
		})
		subscribe(t, c, topicBase+"all.rss")
		verified(t, c, 1)
		one := news()
		received(t, c, 1)
		two := news() // joins what is still to be sent
		g := received(t, c, 2)
		if !bytes.Contains(g.body, []byte(one)) || !bytes.Contains(g.body, []byte(two)) {
			t.Errorf("%s", g.body)
		}
	})
	t.Run("corrections and withdrawals", func(t *testing.T) {
		c, elsewhere := newCallback(t, ""), newCallback(t, "")
		subscribe(t, c, topicBase+"section/yaowen.atom")
		subscribe(t, elsewhere, topicBase+"section/yaowen/-district/410825,410883/-section/yaowen.atom") // not canonical: denied
		subscribe(t, elsewhere, topicBase+"district/110101.rss")
		verified(t, c, 1)
		verified(t, elsewhere, 2)
		title := news()
		received(t, c, 1)
		for _, a := range p.Articles(p.Day()) {
			if a.Headline == title {
				p.Correct(a.ID, func(a *papertest.Article) { a.Headline += "（更正）" })
			}
		}
		if g := received(t, c, 2); !bytes.Contains(g.body, []byte(title+"（更正）")) || bytes.Count(g.body, []byte("<entry>")) != 1 {
			t.Errorf("%s", g.body)
		}
		f, _ := d.feed("all")
		at := slices.IndexFunc(f, func(e entry) bool { return e.Title == title+"（更正）" })
		if at < 0 {
			t.Fatal("the correction is not in the feed")
		}
		d.operate("POST", "/api/v1/articles/"+f[at].Ours.ID+"/decisions", `{"action":"withdraw"}`, http.StatusOK, nil)
		g := received(t, c, 3)
		wellFormed(t, g.body)
		if !bytes.Contains(g.body, []byte("deleted-entry")) || !bytes.Contains(g.body, []byte(f[at].ID)) || bytes.Contains(g.body, []byte(title)) || bytes.Contains(g.body, []byte("足够长的正文")) {
			t.Errorf("%s", g.body)
		}
		time.Sleep(time.Second)
		if _, got := elsewhere.counts(); got != 0 {
			t.Errorf("%d distributions of what it does not carry", got)
		}
	})
	t.Run("private addresses are not reached", func(t *testing.T) {
		c := newCallback(t, "127.0.0.2:0")
		subscribe(t, c, topicBase+"all.rss")
		silent(t, c, 0)
		if asked, _ := c.counts(); asked != 0 {
			t.Error("a callback at a private address was asked")
		}
	})
	t.Run("discovery", func(t *testing.T) {
		for _, ext := range []string{"rss", "atom", "json", "ninjs", "ninjs3", "wechat"} {
			a := d.get("/feeds/all." + ext)
			want := `<` + topicBase + "all." + ext + `>; rel="self", <http://paperwire.test/hub>; rel="hub"`
			if got := a.Header.Get("Link"); got != want {
				t.Errorf("%s: Link %q, want %q", ext, got, want)
			}
			if (ext == "rss" || ext == "atom" || ext == "json") && !bytes.Contains(a.body, []byte("http://paperwire.test/hub")) {
				t.Errorf("%s names no hub", ext)
			}
		}
		if a := d.get("/feeds/all.rss?limit=5"); strings.Contains(a.Header.Get("Link"), "hub") || bytes.Contains(a.body, []byte("paperwire.test/hub")) {
			t.Error("a feed with parameters is no topic")
		}
	})
	if witness.wrongful > 0 {
		t.Error("a request of another method")
	}
	if m := string(d.get("/metrics").body); !strings.Contains(m, `paperwire_push_deliveries_total{kind="subscription",outcome="delivered"}`) || !strings.Contains(m, `paperwire_push_receivers{kind="subscription",state="live"}`) {
		t.Error("no metrics of the hub")
	}
}

// What the hub has acknowledged survives a kill, and a lease ends by itself.
func TestHubSurvives(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, dsn string) {
		p := publisher(t, papertest.Options{Key: "one", Day: today(), Seed: 3, Pages: 2, ArticlesPerPage: 2})
		dir := t.TempDir()
		file := pushConfig(t, dir, "", p)
		run := func(ahead time.Duration) *daemon {
			d := start(t, ahead, "serve", "--config", file, "--data", dir, "--store", dsn)
			until(t, "the first edition", func() bool { f, ok := d.feed("all"); return ok && len(f) > 0 })
			return d
		}
		d := run(0)
		c := newCallback(t, "")
		c.on(func(_ url.Values, w http.ResponseWriter) { w.WriteHeader(503) }, nil)
		for i := range 3 {
			if a := d.hub(url.Values{"hub.mode": {"subscribe"}, "hub.topic": {topicBase + "all.rss"}, "hub.callback": {fmt.Sprintf("%s/%d", c.URL, i)}, "hub.lease_seconds": {"7200"}}); a.StatusCode != 202 {
				t.Fatalf("%d %s", a.StatusCode, a.body)
			}
		}
		d.kill()
		c.on(nil, nil)
		before, _ := c.counts()
		d = run(0)
		until(t, "three verifications", func() bool { asked, _ := c.counts(); return asked >= before+3 })
		late(p, "杀掉之后还有新闻")
		until(t, "three distributions", func() bool { _, got := c.counts(); return got >= 3 })
		d.stop()
		d = run(3 * time.Hour)
		_, so := c.counts()
		late(p, "租期已经过去了")
		until(t, "the news", func() bool { f, _ := d.feed("all"); return len(f) > 0 && f[0].Title == "租期已经过去了" })
		time.Sleep(1500 * time.Millisecond)
		if _, got := c.counts(); got != so {
			t.Errorf("%d distributions after the lease", got-so)
		}
	})
}

// A release with a thousand subscriptions, half of them to a topic that it does not
// touch, at fifty hosts: from the article's being in the feed to the first and to the
// last distribution.
func BenchmarkHub(b *testing.B) {
	p := publisher(b, papertest.Options{Key: "one", Day: today(), Seed: 3, Pages: 2, ArticlesPerPage: 2})
	dir := b.TempDir()
	s, err := store.Open(b.Context(), filepath.Join(dir, "paperwire.db"), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	var got atomic.Int64
	var last atomic.Int64
	at := ""
	for i := range 1000 {
		if i%20 == 0 {
			ln, err := net.Listen("tcp", fmt.Sprintf("127.0.1.%d:0", i/20+1))
			if err != nil {
				missing(b, err.Error())
			}
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				last.Store(time.Now().UnixNano())
				got.Add(1)
			}))
			srv.Listener.Close()
			srv.Listener = ln
			srv.Start()
			b.Cleanup(srv.Close)
			at = srv.URL
		}
		scope := "all"
		if i%2 == 1 {
			scope = "district/410821"
		}
		topic := topicBase + scope + ".rss"
		if err := s.KeepReceiver(b.Context(), paper.Receiver{
			ID: fmt.Sprintf("sub_%04d", i), Kind: paper.Subscription, Scope: scope, URL: fmt.Sprintf("%s/%d", at, i), Host: at,
			Doc: fmt.Sprintf(`{"topic":%q,"ext":"rss","secret":"x"}`, topic), State: paper.ReceiverLive,
		}); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	d := start(b, 0, "serve", "--config", pushConfig(b, dir, "", p), "--data", dir)
	until(b, "the first edition", func() bool { f, ok := d.feed("all"); return ok && len(f) == 4 })
	until(b, "its distribution", func() bool { return got.Load() >= 500 })
	time.Sleep(2 * time.Second)
	var first, all time.Duration
	for i := range b.N {
		before := got.Load()
		title := fmt.Sprintf("第%d条", i)
		late(p, title)
		var out time.Time
		for end := time.Now().Add(time.Minute); out.IsZero() && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			if f, _ := d.feed("all"); len(f) > 0 && f[0].Title == title {
				out = time.Now()
			}
		}
		for end := time.Now().Add(time.Minute); got.Load() == before && time.Now().Before(end); time.Sleep(time.Millisecond) {
		}
		first += time.Since(out)
		until(b, "500 distributions", func() bool { return got.Load() >= before+500 })
		all += time.Unix(0, last.Load()).Sub(out)
		time.Sleep(time.Second)
	}
	b.ReportMetric(float64(first.Milliseconds())/float64(b.N), "ms-to-first")
	b.ReportMetric(float64(all.Milliseconds())/float64(b.N), "ms-to-last")
	b.ReportMetric(0, "ns/op")
}
