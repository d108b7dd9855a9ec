package syndicate

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/andybalholm/brotli"
	"pgregory.net/rapid"

	"paperwire/internal/paper"
	"paperwire/syndicate/feed"
)

func TestScopesAndParameters(t *testing.T) {
	s, _ := open(t, newMemory())
	q := url.PathEscape
	for _, c := range []struct {
		target string
		status int
		want   string // Location of a redirect, or part of the detail
	}{
		{"/feeds/all.rss", 200, ""},
		{"/feeds/all.atom", 200, ""},
		{"/feeds/district/410825.json", 200, ""},
		{"/feeds/district/410800.rss", 200, ""},
		{"/feeds/paper/demo/district/410825.rss", 200, ""},
		{"/feeds/paper/demo/page/01.rss", 200, ""},
		{"/feeds/all/-section/yaowen.rss", 308, "/feeds/-section/yaowen.rss"},
		{"/feeds/-section/yaowen.rss", 200, ""},
		{"/feeds/section/leer.rss", 200, ""},    // known, empty
		{"/feeds/district/410823.rss", 200, ""}, // known to the gazetteer, empty
		{"/feeds/all.rss?limit=5&x=1", 308, "/feeds/all.rss?limit=5"},
		{"/feeds/all.rss?utm_source=x", 308, "/feeds/all.rss"},
		{"/feeds/all.rss?", 308, "/feeds/all.rss"},
		{"/feeds/all.rss?limit=007", 308, "/feeds/all.rss?limit=7"},
		{"/feeds/all.rss?limit=5&full=0", 308, "/feeds/all.rss?full=0&limit=5"},
		{"/feeds/all.rss?full=0&limit=5", 200, ""},
		{"/feeds/all.rss?full=1", 308, "/feeds/all.rss"},
		{"/feeds/all.rss?limit=0", 400, "1 to 200"},
		{"/feeds/all.rss?limit=201", 400, "1 to 200"},
		{"/feeds/all.rss?limit=x", 400, "1 to 200"},
		{"/feeds/all.rss?full=2", 400, "full=0"},
		{"/feeds/all.rss?q=" + q("山药"), 200, ""},
		{"/feeds/all.rss?q=" + q("山药") + "%20%E3%80%80App+" + q("山药"), 308, "/feeds/all.rss?q=app+" + q("山药")},
		{"/feeds/all.rss?q=" + q("５Ｇ") + "&limit=3&full=0", 308, "/feeds/all.rss?full=0&limit=3&q=5g"},
		{"/feeds/all.rss?q=", 400, "q is empty"},
		{"/feeds/all.rss?q=a+b+c+d+e", 400, "at most 4"},
		{"/feeds/all.rss?q=" + strings.Repeat("x", 33), 400, "at most 32"},
		{"/feeds/all.rss?q=a+%22*", 400, "neither letter nor digit"},
		{"/feeds/all.rss?q=%FF", 400, "q is not UTF-8"},
		{"/feeds/all.rss?q=x&pace=65m", 400, "pace with q"},
		{"/feeds/all.wechat?q=x", 400, "newest edition"},
		{"/feeds/all.wechat?part=2", 200, ""},
		{"/feeds/all.wechat?part=1", 308, "/feeds/all.wechat"},
		{"/feeds/all.wechat?part=26", 400, "1 to 25"},
		{"/feeds/all.rss?pace=65m&max=8", 200, ""},
		{"/feeds/all.rss?pace=65m", 308, "/feeds/all.rss?pace=65m&max=8"},
		{"/feeds/all.rss?max=008&pace=65m&limit=1", 308, "/feeds/all.rss?limit=1&pace=65m&max=8"},
		{"/feeds/all.rss?limit=1&pace=2h&max=50", 200, ""},
		{"/feeds/all.rss?pace=60m", 400, "30m, 65m, 2h, 4h, 6h"},
		{"/feeds/all.rss?pace=", 400, "30m, 65m, 2h, 4h, 6h"},
		{"/feeds/all.rss?pace=2h&max=51", 400, "1 to 50"},
		{"/feeds/all.rss?max=8", 400, "without pace"},
		{"/feeds/all.rss?part=2", 400, "no parts"},
		{"/feeds/all.RSS", 308, "/feeds/all.rss"},
		{"/feeds/all.rss/", 308, "/feeds/all.rss"},
		{"/feeds/%61ll.rss", 308, "/feeds/all.rss"},
		{"/feeds/district/" + q("温县") + ".atom", 308, "/feeds/district/410825.atom"},
		{"/feeds/district/wenxian.atom?limit=3", 308, "/feeds/district/410825.atom?limit=3"},
		{"/feeds/district/" + q("温县") + ",410803,wenxian.rss", 308, "/feeds/district/410803,410825.rss"},
		{"/feeds/district/410825,410803.rss", 308, "/feeds/district/410803,410825.rss"},
		{"/feeds/section/yaowen,yaowen.rss", 308, "/feeds/section/yaowen.rss"},
		{"/feeds/paper/demo/page/a01.rss", 308, "/feeds/paper/demo/page/A01.rss"},
		{"/feeds/section/alt.rss", 308, "/feeds/section/yaowen.rss"},
		{"/feeds/section/aelter.rss", 308, "/feeds/section/yaowen.rss"},
		{"/feeds/-section/alt.rss", 308, "/feeds/-section/yaowen.rss"},
		{"/feeds/section/kreis.rss", 404, "unknown section"}, // a circle of moves ends
		{"/feeds/section/nie.rss", 404, `unknown section "nie"`},
		{"/feeds/paper/nie.rss", 404, `unknown paper "nie"`},
		{"/feeds/paper/nie.rss", 404, "did you mean /feeds/paper/demo.rss"},
		{"/api/v1/articles?scope=paper/nie", 404, "did you mean paper/demo"},
		{"/feeds/district/999999.rss", 404, `unknown district "999999"`},
		{"/feeds/district/410825100.rss", 404, "unknown district"}, // a town
		{"/feeds/district/1,2,3,4,5,6,7,8,9.rss", 400, "at most 8"},
		{"/feeds/page/01.rss", 400, "one paper"},
		{"/feeds/section/yaowen/paper/demo.rss", 400, "order"},
		{"/feeds/x/y.rss", 400, "unknown part"},
		{"/feeds/all.exe", 404, "rss"},
		{"/feeds/all", 404, "rss"},
		{"/feeds/", 404, "rss"},
		{"/feeds/paper/demo.opml", 200, ""},
		{"/feeds/district/410800.opml", 200, ""},
		{"/feeds/district/wenxian.opml", 308, "/feeds/district/410825.opml"},
		{"/feeds/all.opml", 308, "/feeds.opml"},
		{"/feeds/section/yaowen.opml", 404, "papers and for districts"},
		{"/feeds.opml", 200, ""},
		{"/feeds/status.atom", 200, ""},
		{"/sitemap.xml", 200, ""},
		{"/sitemap-news.xml", 200, ""},
		{"/sitemap-pages.xml", 200, ""},
		{"/sitemap-2017-09.xml", 200, ""},
		{"/sitemap-2017-09.xml?x=1", 308, "/sitemap-2017-09.xml"},
		{"/sitemap-2017-09-2.xml", 404, ""},
		{"/sitemap-2017-09-1.xml", 404, ""},
		{"/sitemap-2017-13.xml", 404, ""},
		{"/sitemap-2017-10.xml", 404, ""},
		{"/sitemap-x.xml", 404, ""},
		{"/robots.txt", 200, ""},
		{"/district/" + q("温县"), 308, "/district/410825"},
		{"/district/wenxian?lang=en", 308, "/district/410825?lang=en"},
		{"/district/wenxian,410825,410803", 308, "/district/410803,410825"},
		{"/section/alt", 308, "/section/yaowen"},
		{"/section/aelter,yaowen?before=1.demo-00", 308, "/section/yaowen?before=1.demo-00"},
		{"/paper/demo/-section/alt", 308, "/paper/demo/-section/yaowen"},
		{"/all/", 308, "/all"},
		{"/all/?lang=en", 308, "/all?lang=en"},
		{"/paper/demo/", 308, "/paper/demo"},
		{"/status/", 308, "/status"},
		{"/a/demo-20170907-1_0/", 308, "/a/demo-20170907-1_0"},
		{"/a/demo-20170907-1_0/card.json/", 308, "/a/demo-20170907-1_0/card.json"},
		{"/editions/demo/2017-09-07/?page=01", 308, "/editions/demo/2017-09-07?page=01"},
		{"/feeds.opml/", 308, "/feeds.opml"},
		{"/no/such/thing", 404, ""},
		{"/no/such/thing/", 404, ""},
		{"/a/", 404, ""},
		{"/%2Fevil.example/all/", 404, ""},
		{"/%5Cevil.example/", 404, ""},
		{"/feeds/all.rss?x=" + strings.Repeat("x", 5000), 414, "too long"},
	} {
		r := ask(s, "GET", c.target)
		text := body(t, r)
		if r.StatusCode != c.status {
			t.Errorf("%s: %d, want %d: %.300s", c.target, r.StatusCode, c.status, text)
			continue
		}
		if c.status == 308 {
			if got := r.Header.Get("Location"); got != c.want {
				t.Errorf("%s: redirects to %s, want %s", c.target, got, c.want)
			} else if again := ask(s, "GET", got); again.StatusCode != 200 {
				t.Errorf("%s: redirects to %s, which is %d", c.target, got, again.StatusCode)
			}
		}
		if c.status >= 400 {
			var p struct {
				Status        int
				Title, Detail string
			}
			if r.Header.Get("Content-Type") != "application/problem+json" || json.Unmarshal([]byte(text), &p) != nil || p.Status != c.status || p.Title == "" {
				t.Errorf("%s: no problem document: %s %s", c.target, r.Header.Get("Content-Type"), text)
			}
			if !strings.Contains(p.Detail, c.want) {
				t.Errorf("%s: says %q, want %q in it", c.target, p.Detail, c.want)
			}
		}
	}
}

// However a scope is spelled, one redirect leads to the one spelling that is
// served, and nothing a client writes is the server's fault.
func TestSpellingProperty(t *testing.T) {
	s, _ := open(t, newMemory())
	values := map[string][]string{
		"paper":   {"demo", "abend", "nie", "DEMO"},
		"section": {"yaowen", "minsheng", "alt", "aelter", "leer", "nie"},
		"district": {
			"410825", "wenxian", "温县", "410803", "中站", "410800", "焦作", "武陟县", "nirgends",
		},
		"page":      {"01", "a02", "A02", "B1"},
		"-section":  {"yaowen", "alt", "minsheng"},
		"-district": {"温县", "410803", "zhongzhan"},
	}
	rapid.Check(t, func(t *rapid.T) {
		var path strings.Builder
		for _, part := range []string{"paper", "section", "district", "page", "-section", "-district"} {
			if rapid.Bool().Draw(t, part) {
				list := rapid.SliceOfN(rapid.SampledFrom(values[part]), 1, 9).Draw(t, "values")
				path.WriteString("/" + part + "/" + strings.Join(list, rapid.SampledFrom([]string{",", "%2C"}).Draw(t, "comma")))
			}
		}
		query := rapid.SampledFrom([]string{"", "?limit=3", "?limit=03&utm_source=x", "?full=0&limit=9", "?limit=9&full=0", "?full=1"}).Draw(t, "query")
		target := "/feeds" + path.String() + "." + rapid.SampledFrom([]string{"rss", "atom", "JSON"}).Draw(t, "ext") + query
		u, err := url.Parse(target)
		if err != nil {
			t.Fatal(err)
		}
		r := ask(s, "GET", u.RequestURI())
		if r.StatusCode == 308 {
			to := r.Header.Get("Location")
			if r = ask(s, "GET", to); r.StatusCode != 200 {
				t.Fatalf("%s redirects to %s, which is %d", target, to, r.StatusCode)
			}
			target = to
		}
		switch r.StatusCode {
		case 200:
			self := "<https://news.example.cn" + target + `>; rel="self"`
			if r.Header.Get("Link") != self {
				t.Fatalf("%s calls itself %s", target, r.Header.Get("Link"))
			}
		case 400, 404:
		default:
			t.Fatalf("%s: %d", target, r.StatusCode)
		}
	})
}

func FuzzPath(f *testing.F) {
	s, _ := open(f, newMemory())
	for _, seed := range []string{"feeds/all.rss", "feeds/%FF.rss?limit=%zz", "feeds/paper/demo/../../x.atom", "a/x/card.json", "oembed?url=%00", "api/v1/articles?before=AA", "feeds/./.rss"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		u, err := url.Parse("/" + path)
		if err != nil || u.Host != "" || strings.ContainsAny(path, " \r\n") {
			return // no URL that a client could send
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.URL, r.RequestURI = u, u.RequestURI()
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != 501 {
			t.Errorf("%q: %d %s", path, w.Code, w.Body)
		}
	})
}

// Every document is whole in every encoding, told by the same headers, and the
// same on another machine.
func TestDocuments(t *testing.T) {
	m := newMemory()
	m.incidents = []paper.Incident{{ID: 1, Source: "abend", Name: "示例晚报", State: "failing", Problem: "503", Began: epoch}}
	one, _ := open(t, m)
	two, _ := open(t, m)
	targets := []string{"/feeds.opml", "/feeds/status.atom", "/sitemap.xml", "/sitemap-pages.xml", "/sitemap-2017-09.xml", "/sitemap-news.xml", "/robots.txt", "/feeds/paper/demo.opml", "/feeds/district/410800.opml"}
	for _, f := range feed.Formats() {
		targets = append(targets, "/feeds/all."+f.Ext, "/feeds/section/leer."+f.Ext, "/feeds/district/410825."+f.Ext+"?full=0")
	}
	for _, target := range targets {
		identity := ask(one, "GET", target)
		want := body(t, identity)
		if identity.StatusCode != 200 || want == "" {
			t.Errorf("%s: %d, %d bytes", target, identity.StatusCode, len(want))
			continue
		}
		ctype := identity.Header.Get("Content-Type")
		if strings.Contains(ctype, "xml") {
			for d := xml.NewDecoder(strings.NewReader(want)); ; {
				if _, err := d.Token(); err == io.EOF {
					break
				} else if err != nil {
					t.Errorf("%s: %v", target, err)
					break
				}
			}
		}
		for _, coding := range []string{"gzip", "br"} {
			r := ask(one, "GET", target, "Accept-Encoding", coding)
			packed := body(t, r)
			if r.Header.Get("Content-Encoding") == "" && len(want) < compressFrom {
				continue // too small to be compressed
			}
			var b []byte
			var err error
			if coding == "gzip" {
				var z *gzip.Reader
				if z, err = gzip.NewReader(strings.NewReader(packed)); err == nil {
					b, err = io.ReadAll(z)
				}
			} else {
				b, err = io.ReadAll(brotli.NewReader(strings.NewReader(packed)))
			}
			if err != nil || string(b) != want || r.Header.Get("Content-Encoding") != coding {
				t.Errorf("%s: %s does not hold the same (%v)", target, coding, err)
			}
			other := ask(two, "GET", target, "Accept-Encoding", coding)
			if body(t, other) != packed || other.Header.Get("ETag") != r.Header.Get("ETag") {
				t.Errorf("%s: %s differs from the other machine's", target, coding)
			}
		}
		for name, want := range map[string]string{"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding"} {
			if got := identity.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", target, name, got, want)
			}
		}
		head := ask(one, "HEAD", target)
		if head.Header.Get("Content-Length") != identity.Header.Get("Content-Length") || head.Header.Get("ETag") != identity.Header.Get("ETag") {
			t.Errorf("%s: HEAD tells other headers: %v", target, head.Header)
		}
	}
}

func TestFeedHeaders(t *testing.T) {
	m := newMemory()
	s, _ := open(t, m)
	catchUp(t, s)
	h := ask(s, "GET", "/feeds/district/410825.atom").Header
	for name, want := range map[string]string{
		"Last-Modified":     epoch.Add(11*time.Minute + time.Second).Format(http.TimeFormat),
		"Cache-Control":     "public, max-age=60",
		"Link":              `<https://news.example.cn/feeds/district/410825.atom>; rel="self"`,
		"Paperwire-Checked": epoch.Add(time.Hour).Format(http.TimeFormat), // of demo alone
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	// abend was looked at longest ago.
	if got, want := ask(s, "GET", "/feeds/all.rss").Header.Get("Paperwire-Checked"), epoch.Format(http.TimeFormat); got != want {
		t.Errorf("Paperwire-Checked of all: %q, want %q", got, want)
	}
	// Another look moves the header and not the document.
	before := ask(s, "GET", "/feeds/all.rss")
	m.mu.Lock()
	m.health[1].Checked = epoch.Add(2 * time.Hour)
	m.mu.Unlock()
	catchUp(t, s)
	after := ask(s, "GET", "/feeds/all.rss")
	if got, want := after.Header.Get("Paperwire-Checked"), epoch.Add(time.Hour).Format(http.TimeFormat); got != want {
		t.Errorf("after another look: %q, want %q", got, want)
	}
	if before.Header.Get("ETag") != after.Header.Get("ETag") || m.asked() != 2 {
		t.Errorf("a look at a publisher made another document (%d reads)", m.asked())
	}
	// A source that was never looked at with success, such as a new one, tells nothing
	// and hides nothing of the others.
	m.mu.Lock()
	m.health[1].Checked = time.Time{}
	m.mu.Unlock()
	catchUp(t, s)
	if got, want := ask(s, "GET", "/feeds/all.rss").Header.Get("Paperwire-Checked"), m.health[0].Checked.UTC().Format(http.TimeFormat); got != want {
		t.Errorf("beside one that was never checked: %q, want %q", got, want)
	}
	m.mu.Lock()
	for i := range m.health {
		m.health[i].Checked = time.Time{}
	}
	m.mu.Unlock()
	catchUp(t, s)
	if got := ask(s, "GET", "/feeds/all.rss").Header.Get("Paperwire-Checked"); got != "" {
		t.Errorf("never checked, but tells %q", got)
	}
}

// Only what changed is rendered again.
func TestChangeReachesItsScopesOnly(t *testing.T) {
	m := newMemory()
	s, _ := open(t, m)
	tag := func(target string) string { return ask(s, "GET", target).Header.Get("ETag") }
	wen, zhong := tag("/feeds/district/410825.rss"), tag("/feeds/district/410803.rss")
	both := tag("/feeds/section/minsheng/district/410803.rss")
	reads := m.asked()
	m.release("demo", 60, "yaowen", "410825")
	m.mu.Lock()
	m.rise(epoch.Add(2*time.Hour), "section/minsheng")
	m.mu.Unlock()
	catchUp(t, s)
	if tag("/feeds/district/410803.rss") != zhong || m.asked() != reads {
		t.Errorf("the other district was rendered again (%d reads more)", m.asked()-reads)
	}
	if tag("/feeds/section/minsheng/district/410803.rss") != both || m.asked() != reads {
		t.Error("an intersection rose though only one of its parts did")
	}
	if tag("/feeds/district/410825.rss") == wen || m.asked() != reads+1 {
		t.Errorf("the change did not arrive (%d reads more)", m.asked()-reads)
	}
}

// However many ask at once, the store is read once a change.
func TestOneRenderingForAll(t *testing.T) {
	m := newMemory()
	s, _ := open(t, m)
	catchUp(t, s)
	started, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	m.during = func() {
		once.Do(func() { close(started) })
		<-release
	}
	var all sync.WaitGroup
	tags := make([]string, 32)
	for i := range tags {
		all.Go(func() { tags[i] = ask(s, "GET", "/feeds/all.rss").Header.Get("ETag") })
	}
	<-started
	close(release)
	all.Wait()
	if m.asked() != 1 {
		t.Errorf("%d renderings, want 1", m.asked())
	}
	for _, tag := range tags {
		if tag == "" || tag != tags[0] {
			t.Fatalf("different answers: %q", tags)
		}
	}
}

// A release between reading the version and reading the items must not give
// the new items the old instant: another process would never make such bytes.
func TestReleaseDuringRendering(t *testing.T) {
	m := newMemory()
	s, _ := open(t, m)
	catchUp(t, s)
	var once sync.Once
	m.during = func() { once.Do(func() { m.release("demo", 90, "yaowen", "410825") }) }
	r := ask(s, "GET", "/feeds/all.rss")
	m.during = nil
	other, _ := open(t, m)
	same := ask(other, "GET", "/feeds/all.rss")
	if r.Header.Get("Last-Modified") != same.Header.Get("Last-Modified") || body(t, r) != body(t, same) {
		t.Errorf("rendered during a release: %s, after it: %s", r.Header.Get("Last-Modified"), same.Header.Get("Last-Modified"))
	}
}

func TestStoreTrouble(t *testing.T) {
	m := newMemory()
	clock := epoch
	s, log := open(t, m, func(o *Options) { o.Now = func() time.Time { return clock } })
	good := ask(s, "GET", "/feeds/all.rss")
	want := body(t, good)

	// The change is known, and then the store fails: the last good bytes stay.
	m.release("demo", 60, "yaowen", "410825")
	catchUp(t, s)
	m.fail(errors.New("disk /var/lib/geheim is on fire"))
	for range 3 {
		r := ask(s, "GET", "/feeds/all.rss")
		if r.StatusCode != 200 || body(t, r) != want || r.Header.Get("ETag") != good.Header.Get("ETag") {
			t.Fatalf("while the store fails: %d", r.StatusCode)
		}
	}
	if n := strings.Count(log.String(), "last good bytes"); n != 1 {
		t.Errorf("%d lines in the log within a second, want 1:\n%s", n, log)
	}
	// What was never rendered cannot be had.
	r := ask(s, "GET", "/feeds/all.atom")
	if text := body(t, r); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" || strings.Contains(text, "geheim") {
		t.Errorf("first rendering: %d %v %s", r.StatusCode, r.Header, text)
	}
	if r := ask(s, "GET", "/readyz"); r.StatusCode != 503 {
		t.Errorf("/readyz: %d", r.StatusCode)
	}
	if r := ask(s, "GET", "/healthz"); r.StatusCode != 200 {
		t.Errorf("/healthz: %d", r.StatusCode)
	}
	m.fail(nil)
	clock = clock.Add(2 * time.Second)
	if got := body(t, ask(s, "GET", "/feeds/all.rss")); got == want {
		t.Error("the change did not arrive when the store was back")
	}
	if r := ask(s, "GET", "/readyz"); r.StatusCode != 200 {
		t.Errorf("/readyz: %d", r.StatusCode)
	}
}

func TestRunFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		s, log := open(t, m)
		if r := ask(s, "GET", "/readyz"); r.StatusCode != 503 {
			t.Errorf("ready before the first look: %d", r.StatusCode)
		}
		go s.Run(t.Context())
		synctest.Wait()
		if r := ask(s, "GET", "/readyz"); r.StatusCode != 200 {
			t.Errorf("not ready after the first look: %d", r.StatusCode)
		}
		before := body(t, ask(s, "GET", "/feeds/all.rss"))
		m.release("demo", 60, "yaowen", "410825")
		time.Sleep(changesEvery)
		synctest.Wait()
		after := body(t, ask(s, "GET", "/feeds/all.rss"))
		if before == after {
			t.Error("a release did not arrive within one look")
		}
		// Ten minutes of trouble are two lines in the log, and no other bytes.
		m.fail(errors.New("gone"))
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if body(t, ask(s, "GET", "/feeds/all.rss")) != after {
			t.Error("other bytes while the store is away")
		}
		m.fail(nil)
		time.Sleep(time.Second)
		synctest.Wait()
		if n := strings.Count(log.String(), "\n"); n != 2 {
			t.Errorf("%d lines in the log, want 2:\n%s", n, log)
		}
	})
}

// Another store behind the same process (a backup played back) is taken up.
func TestSequenceGoesBack(t *testing.T) {
	m := newMemory()
	s, _ := open(t, m)
	before := body(t, ask(s, "GET", "/feeds/all.rss"))
	m.mu.Lock()
	m.items, m.seq, m.parts = m.items[:3], 0, map[string]paper.PartVersion{}
	m.rise(epoch, "all", "paper/demo")
	m.mu.Unlock()
	catchUp(t, s)
	if got := body(t, ask(s, "GET", "/feeds/all.rss")); got == before {
		t.Error("still serving what the store no longer holds")
	}
}

func TestReconfigure(t *testing.T) {
	m := newMemory()
	s, _ := open(t, m)
	if !strings.Contains(body(t, ask(s, "GET", "/feeds/all.rss")), "https://news.example.cn/feeds/all.rss") {
		t.Error("no self link")
	}
	if err := s.Reconfigure(Options{Base: "ftp://x"}); err == nil {
		t.Error("a base URL that is none was taken")
	}
	if err := s.Reconfigure(Options{Base: "http://anders.example/", Title: "Anders"}); err != nil {
		t.Fatal(err)
	}
	got := body(t, ask(s, "GET", "/feeds/all.rss"))
	if !strings.Contains(got, "http://anders.example/feeds/all.rss") || strings.Contains(got, "news.example.cn/feeds") || !strings.Contains(got, "Anders") {
		t.Errorf("not taken up: %.600s", got)
	}
	if r := ask(s, "GET", "/feeds/section/alt.rss"); r.StatusCode != 404 {
		t.Errorf("a move that was taken out still redirects: %d", r.StatusCode)
	}
	// The store knows a section for ever: one that has moved redirects all the same.
	if err := s.Reconfigure(Options{Base: "http://anders.example/", Moved: map[string]string{"leer": "yaowen"}}); err != nil {
		t.Fatal(err)
	}
	if r := ask(s, "GET", "/feeds/section/leer.rss"); r.StatusCode != 308 || r.Header.Get("Location") != "/feeds/section/yaowen.rss" {
		t.Errorf("a section that has moved: %d %q", r.StatusCode, r.Header.Get("Location"))
	}
}

func TestMethods(t *testing.T) {
	s, _ := open(t, newMemory())
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "BREW"} {
		r := ask(s, method, "/feeds/all.rss")
		if r.StatusCode != 405 || r.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
			t.Errorf("%s: %d, Allow %q", method, r.StatusCode, r.Header.Get("Allow"))
		}
	}
	r := ask(s, "OPTIONS", "/feeds/all.rss", "Origin", "https://x.example", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "if-none-match")
	if r.StatusCode != 204 || r.Header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(r.Header.Get("Access-Control-Allow-Headers"), "If-None-Match") {
		t.Errorf("preflight: %d %v", r.StatusCode, r.Header)
	}
	if r := ask(s, "GET", "/feeds/all.rss", "Accept-Encoding", "identity;q=0, zstd"); r.StatusCode != 200 || r.Header.Get("Content-Encoding") != "" {
		t.Errorf("nothing acceptable: %d", r.StatusCode)
	}
}

func TestPanicIsContained(t *testing.T) {
	m := newMemory()
	s, log := open(t, m)
	m.during = func() { panic("secret inside") }
	for _, accept := range []string{"", "text/html"} {
		r := ask(s, "GET", "/feeds/all.rss", "Accept", accept)
		if text := body(t, r); r.StatusCode != 500 || strings.Contains(text, "secret") {
			t.Errorf("%d: %s", r.StatusCode, text)
		}
	}
	if !strings.Contains(log.String(), "secret inside") {
		t.Error("the log does not tell of it")
	}
	m.during = nil
	if r := ask(s, "GET", "/feeds/all.rss"); r.StatusCode != 200 {
		t.Errorf("afterwards: %d", r.StatusCode)
	}
}

func TestOperatorKey(t *testing.T) {
	m := newMemory()
	s, _ := open(t, m)
	none, _ := open(t, m, func(o *Options) { o.OperatorKey = "" })
	elsewhere, _ := open(t, m, func(o *Options) { o.Operations = false })
	const url = "/debug/pprof/cmdline"
	for _, c := range []struct {
		s       http.Handler
		headers []string
		want    int
	}{
		{s, nil, 401},
		{s, []string{"Authorization", "Bearer falsch"}, 401},
		{s, []string{"Authorization", "Basic geheim"}, 401},
		{s, []string{"Paperwire-Key", ""}, 401},
		{s, []string{"Authorization", "Bearer geheim"}, 200},
		{s, []string{"authorization", "bearer geheim"}, 200},
		{s, []string{"Paperwire-Key", "geheim"}, 200},
		{none, nil, 401},
		{none, []string{"Paperwire-Key", ""}, 401},
		{none, []string{"Authorization", "Bearer "}, 401},
		{elsewhere, []string{"Paperwire-Key", "geheim"}, 404},
		{elsewhere.OperationsHandler(), []string{"Paperwire-Key", "geheim"}, 200},
		{elsewhere.OperationsHandler(), nil, 401},
	} {
		r := ask(c.s, "GET", url, c.headers...)
		if r.StatusCode != c.want {
			t.Errorf("%v: %d, want %d", c.headers, r.StatusCode, c.want)
		}
		if c.want == 401 && (r.Header.Get("WWW-Authenticate") == "" || r.Header.Get("Content-Type") != "application/problem+json") {
			t.Errorf("%v: %v", c.headers, r.Header)
		}
	}
}

func TestMetrics(t *testing.T) {
	s, _ := open(t, newMemory())
	catchUp(t, s)
	ask(s, "GET", "/feeds/all.rss")
	tag := ask(s, "GET", "/feeds/all.rss").Header.Get("ETag")
	ask(s, "GET", "/feeds/all.rss", "If-None-Match", tag)
	ask(s, "GET", "/feeds/section/nie.rss")
	got := body(t, ask(s, "GET", "/metrics"))
	for _, line := range []string{
		`paperwire_http_requests_total{kind="rss",status="200"} 2`,
		`paperwire_http_requests_total{kind="rss",status="304"} 1`,
		`paperwire_http_requests_total{kind="feed",status="404"} 1`,
		`paperwire_cache_hits_total 2`,
		`paperwire_cache_misses_total 1`,
		`paperwire_cache_documents 1`,
		`paperwire_render_seconds_count{kind="rss"} 1`,
		`paperwire_source_up{paper="demo",source="demo"} 1`,
		`paperwire_source_up{paper="abend",source="abend"} 0`,
		`paperwire_source_last_success_timestamp_seconds{paper="abend",source="abend"} 1.504764e+09`,
		`go_goroutines`,
	} {
		if !strings.Contains(got, line) {
			t.Errorf("no %s", line)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}

// Pages are compressed too, once for equal bytes.
func TestPagesAreCompressed(t *testing.T) {
	s, _ := open(t, newMemory())
	want := ask(s, "GET", "/")
	text := body(t, want)
	r := ask(s, "GET", "/", "Accept-Encoding", "gzip")
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(z); err != nil || string(b) != text {
		t.Errorf("gzip holds another page (%v)", err)
	}
	if want.Header.Get("ETag") == r.Header.Get("ETag") || strings.HasPrefix(r.Header.Get("ETag"), "W/") {
		t.Errorf("ETags %s and %s: want a strong one for each encoding", want.Header.Get("ETag"), r.Header.Get("ETag"))
	}
	if !strings.Contains(strings.Join(r.Header.Values("Vary"), ","), "Accept-Encoding") || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") {
		t.Errorf("headers %v", r.Header)
	}
	again := ask(s, "GET", "/", "Accept-Encoding", "gzip", "If-None-Match", r.Header.Get("ETag"))
	if again.StatusCode != 304 || body(t, again) != "" {
		t.Errorf("conditional: %d", again.StatusCode)
	}
	if head := ask(s, "HEAD", "/"); head.Header.Get("ETag") != want.Header.Get("ETag") || body(t, head) != "" {
		t.Errorf("HEAD: %v", head.Header)
	}
}

func TestCardAndEmbed(t *testing.T) {
	m := newMemory()
	s, _ := open(t, m)
	const id = "demo-20170907-1_3"
	r := ask(s, "GET", "/a/"+id+"/card.json")
	var d struct{ ID, URL, Title, Published string }
	if text := body(t, r); r.StatusCode != 200 || json.Unmarshal([]byte(text), &d) != nil || d.ID != id || d.Title != "第3条消息" || d.Published != "2017-09-07T14:03:00+08:00" {
		t.Errorf("card: %d %s", r.StatusCode, text)
	}
	if again := ask(s, "GET", "/a/"+id+"/card.json", "If-None-Match", r.Header.Get("ETag")); again.StatusCode != 304 {
		t.Errorf("card again: %d", again.StatusCode)
	}
	embed := "/oembed?format=json&url=" + url.QueryEscape(d.URL)
	var e struct{ Type, Title, Version string }
	if text := body(t, ask(s, "GET", embed)); json.Unmarshal([]byte(text), &e) != nil || e.Type != "link" || e.Version != "1.0" || e.Title != d.Title {
		t.Errorf("oembed: %s", text)
	}
	for target, want := range map[string]int{
		"/a/nie-20170907-1_1/card.json": 404, "/a/nie/card.json": 404, "/oembed": 400,
		"/oembed?url=https://other.example/a/" + id: 404, "/oembed?format=xml&url=" + url.QueryEscape(d.URL): 501,
	} {
		if r := ask(s, "GET", target); r.StatusCode != want {
			t.Errorf("%s: %d, want %d", target, r.StatusCode, want)
		}
	}
	m.mu.Lock()
	for i := range m.items {
		if m.items[i].ID == id {
			m.items[i].State, m.items[i].Headline, m.items[i].Text, m.items[i].HTML, m.items[i].Summary = paper.Withdrawn, "", "", "", ""
		}
	}
	m.rise(epoch.Add(time.Hour), "all", "paper/demo")
	m.mu.Unlock()
	catchUp(t, s)
	for range 2 { // the second from the cache
		gone := ask(s, "GET", "/a/"+id+"/card.json", "If-None-Match", r.Header.Get("ETag")+", *")
		if text := body(t, gone); gone.StatusCode != 410 || strings.Contains(text, "第3条消息") || !strings.Contains(text, "撤回") {
			t.Errorf("withdrawn: %d %s", gone.StatusCode, text)
		}
	}
	if r := ask(s, "GET", embed); r.StatusCode != 410 {
		t.Errorf("oembed of a withdrawn article: %d", r.StatusCode)
	}
}

// A page is rendered once until anything changes, in the store or at a source.
func TestPagesAreKept(t *testing.T) {
	m := newMemory()
	s, _ := open(t, m)
	catchUp(t, s)
	const url = "/district/410825"
	first := body(t, ask(s, "GET", url))
	reads := m.asked()
	for range 3 {
		if body(t, ask(s, "GET", url, "Accept-Encoding", "identity")) != first {
			t.Fatal("another page though nothing changed")
		}
	}
	if m.asked() != reads {
		t.Errorf("%d reads for a page that is known", m.asked()-reads)
	}
	if english := body(t, ask(s, "GET", url, "Accept-Language", "en")); english == first {
		t.Error("one language was kept for all")
	}
	m.release("demo", 60, "yaowen", "410825")
	catchUp(t, s)
	second := body(t, ask(s, "GET", url))
	if !strings.Contains(second, "第60条消息") {
		t.Error("the release does not show")
	}
	// While the store fails the last good page stays; one never seen is an error
	// that tells nothing of the cause.
	m.release("demo", 61, "yaowen", "410825")
	catchUp(t, s)
	m.fail(errors.New("secret inside"))
	if r := ask(s, "GET", url, "Accept-Encoding", "identity"); r.StatusCode != 200 || body(t, r) != second {
		t.Errorf("while the store fails: %d", r.StatusCode)
	}
	if r := ask(s, "GET", "/district/410803"); r.StatusCode < 500 || strings.Contains(body(t, r), "secret") {
		t.Errorf("a page never seen, while the store fails: %d", r.StatusCode)
	}
	m.fail(nil)
	status := body(t, ask(s, "GET", "/status"))
	m.mu.Lock()
	m.health[0].State, m.health[0].Problem = "blocked", "验证码"
	m.mu.Unlock()
	catchUp(t, s)
	if got := body(t, ask(s, "GET", "/status")); got == status || !strings.Contains(got, "验证码") {
		t.Error("the trouble of a source does not show")
	}
}

// No address stands in the sitemap twice.
func TestSitemapNamesEachPageOnce(t *testing.T) {
	s, _ := open(t, newMemory())
	seen := map[string]bool{}
	whole := body(t, ask(s, "GET", "/sitemap.xml"))
	for _, path := range []string{"/sitemap-pages.xml", "/sitemap-2017-09.xml"} {
		if !strings.Contains(whole, "<loc>https://news.example.cn"+path+"</loc>") {
			t.Errorf("the index does not name %s: %s", path, whole)
		}
		whole += body(t, ask(s, "GET", path))
	}
	for _, line := range strings.Split(whole, "\n") {
		if strings.Contains(line, "<loc>") && seen[line] {
			t.Error("twice: " + line)
		}
		seen[line] = true
	}
	for _, path := range []string{"/", "/all", "/paper/demo", "/editions/demo/2017-09-07", "/a/demo-20170907-1_0"} {
		if !seen["    <loc>https://news.example.cn"+path+"</loc>"] {
			t.Errorf("%s is missing", path)
		}
	}
}

// What somebody may have meant stands in the 404, in the scope as they wrote it.
func TestNearest(t *testing.T) {
	s, _ := open(t, newMemory())
	for target, want := range map[string]string{
		"/feeds/section/yaown.rss":                   "/feeds/section/yaowen.rss (要闻)",
		"/feeds/paper/dem/section/yaowen.atom":       "/feeds/paper/demo/section/yaowen.atom (示例日报)",
		"/feeds/paper/demo/-section/minshen.json":    "/feeds/paper/demo/-section/minsheng.json (民生)",
		"/feeds/district/wenxan.rss":                 "/feeds/district/410825.rss (温县)",
		"/feeds/paper/demo/district/410825100.rss":   "/feeds/paper/demo/district/410825.rss (温县)",
		"/feeds/section/yaowen/district/410826.opml": "/feeds/section/yaowen/district/410825.opml (温县)",
	} {
		var p struct{ Detail string }
		r := ask(s, "GET", target)
		if text := body(t, r); json.Unmarshal([]byte(text), &p) != nil || !strings.HasSuffix(p.Detail, "did you mean "+want+"?") {
			t.Errorf("%s: %s, want %s", target, text, want)
		}
	}
	lost := ask(s, "GET", "/~", "Accept", "text/html")
	if text := body(t, lost); lost.StatusCode != 404 || !strings.Contains(text, `<a href="/district/410825">温县</a>`) || !strings.Contains(text, `<a href="/all">全部报道</a>`) {
		t.Errorf("%d: scopes without the names that people know: %s", lost.StatusCode, text)
	}
	page := ask(s, "GET", "/feeds/section/yaown.rss", "Accept", "text/html,*/*")
	if text := body(t, page); page.StatusCode != 404 || !strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") || !strings.Contains(text, `href="/section/yaowen"`) {
		t.Errorf("a browser gets %d %s", page.StatusCode, page.Header)
	}
}

func TestAPIIsMounted(t *testing.T) {
	m := newMemory()
	s, _ := open(t, m)
	r := ask(s, "GET", "/api/v1/articles?scope=district/wenxian&limit=5", "Accept-Encoding", "gzip")
	if r.StatusCode != 200 || r.Header.Get("Content-Encoding") != "gzip" || r.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	if again := ask(s, "GET", "/api/v1/articles?scope=district/410825&limit=5", "Accept-Encoding", "gzip", "If-None-Match", r.Header.Get("ETag")); again.StatusCode != 304 {
		t.Errorf("the same by its canonical name: %d", again.StatusCode)
	}
	for target, want := range map[string]int{
		"/api/v1/articles?scope=section/nie": 404, "/api/v1/articles?scope=x/y": 400, "/api/nie": 404, "/api/v1/articles/nie": 404, "/api/": 404,
	} {
		r := ask(s, "GET", target, "Accept", "text/html")
		if ctype := r.Header.Get("Content-Type"); r.StatusCode != want || ctype != "application/problem+json" {
			t.Errorf("%s: %d %s, want %d", target, r.StatusCode, ctype, want)
		}
	}
	m.fail(errors.New("secret"))
	if r := ask(s, "GET", "/api/v1/sources"); r.StatusCode != 503 || strings.Contains(body(t, r), "secret") || r.Header.Get("Retry-After") == "" {
		t.Errorf("store away: %d %v", r.StatusCode, r.Header)
	}
}

// An edition that is late is told as soon as the store knows, although the source
// fares as before.
func TestLateEditionIsTold(t *testing.T) {
	m := newMemory()
	s, _ := open(t, m)
	catchUp(t, s)
	targets := []string{"/status", "/feeds/status.atom"}
	for _, target := range targets {
		if text := body(t, ask(s, "GET", target, "Accept", "text/html")); strings.Contains(text, "no edition of 2017-09-08") {
			t.Fatalf("%s: told too early: %s", target, text)
		}
	}
	m.mu.Lock()
	m.incidents = append([]paper.Incident{{ID: 9, Source: "demo", Name: "示例日报", State: "late", Problem: "no edition of 2017-09-08 by 09:00", Began: epoch}}, m.incidents...)
	m.mu.Unlock()
	catchUp(t, s)
	for _, target := range targets {
		if text := body(t, ask(s, "GET", target, "Accept", "text/html")); !strings.Contains(text, "no edition of 2017-09-08") {
			t.Errorf("%s: not told: %s", target, text)
		}
	}
	if text := body(t, ask(s, "GET", "/feeds/status.atom")); strings.Contains(text, "全部来源正常") {
		t.Errorf("the status feed says that all is well: %s", text)
	}
}

// Over real connections, as a reader uses it.
func TestOverHTTP(t *testing.T) {
	m := newMemory()
	s, _ := open(t, m)
	server := httptest.NewServer(s)
	defer server.Close()
	r, err := server.Client().Get(server.URL + "/feeds/district/wenxian.rss") // follows the redirect
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if got := body(t, r); r.StatusCode != 200 || !r.Uncompressed || !strings.Contains(got, "第3条消息") || r.Request.URL.Path != "/feeds/district/410825.rss" {
		t.Errorf("%d %s", r.StatusCode, r.Request.URL)
	}
	var whole bytes.Buffer
	if err := r.Header.Write(&whole); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(whole.String(), "127.0.0.1") {
		t.Errorf("the Host header shows in the answer:\n%s", whole.String())
	}
}

// What would lead to another feed than was meant is a mistake, and says how to write it.
func TestQueryMistakes(t *testing.T) {
	s, _ := open(t, newMemory())
	catchUp(t, s)
	for uri, want := range map[string]string{
		"/feeds/all.rss?pace=65m;max=3":                     "cannot be read",
		"/feeds/all.rss?q=%zz":                              "cannot be read",
		"/feeds/all.rss?q=a&q=b":                            "q stands more than once",
		"/feeds/all.json?limit=3&limit=4":                   "limit stands more than once",
		"/feeds/all.json?a=1;limit=3":                       "cannot be read",
		"/feeds/all/archive/2017-09-07.rss?q=a":             "takes no parameters",
		"/feeds/all/archive/2017-09-07.rss?pace=65m&max=3":  "takes no parameters",
		"/api/v1/articles?q=%zz":                            "cannot be read",
		"/feeds/all/archive/2017-09-07.json?full=0&limit=1": "takes no parameters",
	} {
		r := ask(s, "GET", uri)
		if b := body(t, r); r.StatusCode != http.StatusBadRequest || !strings.Contains(string(b), want) {
			t.Errorf("%s: %s %s", uri, r.Status, b)
		}
	}
	// An untidy path has a tidy one, as any other spelling has.
	for uri, want := range map[string]string{
		"/feeds//all.rss": "/feeds/all.rss", "/feeds/./all.rss?limit=3": "/feeds/all.rss?limit=3", "//evil.example/..//": "/",
		"/feeds/all.rss?utm_source=a;b": "/feeds/all.rss", "/feeds/all.rss?utm_campaign=50%&limit=3": "/feeds/all.rss?limit=3",
	} {
		if r := ask(s, "GET", uri); r.StatusCode != http.StatusPermanentRedirect || r.Header.Get("Location") != want || r.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %s %s", uri, r.Status, r.Header.Get("Location"))
		}
	}
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"PUT", "/feeds/all.rss", 405, "GET, HEAD, OPTIONS"},
		{"POST", "/api/v1/articles", 405, "GET, HEAD, OPTIONS"},
		{"POST", "/api/nope", 404, ""},
		{"GET", "/api/nope", 404, ""},
		{"OPTIONS", "/feeds/all.rss", 204, "GET, HEAD, OPTIONS"},
	} {
		r := ask(s, c.method, c.path)
		if got := r.Header.Get("Allow"); r.StatusCode != c.status || got != c.allow {
			t.Errorf("%s %s: %s, Allow %q", c.method, c.path, r.Status, got)
		}
	}
}

// Two lists of one scope have two ids, and one list in two lengths has one.
func TestFeedIDs(t *testing.T) {
	s, _ := open(t, newMemory())
	catchUp(t, s)
	id := func(query string) string {
		_, after, _ := strings.Cut(string(body(t, ask(s, "GET", "/feeds/all.atom"+query))), "<id>")
		id, _, _ := strings.Cut(after, "</id>")
		return id
	}
	whole, limited, search, paced := id(""), id("?limit=3"), id("?q=%E6%B8%A9%E5%8E%BF"), id("?pace=30m&max=8")
	if whole != limited || whole == search || whole == paced || search == paced || !strings.HasPrefix(search, "urn:uuid:") {
		t.Error(whole, limited, search, paced)
	}
}
