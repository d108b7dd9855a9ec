package sources

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"paperwire/internal/fetch"
)

// hostileFeeds are documents made to cost. refused tells that nothing of it may
// be taken; the others are read as far as they are feeds.
var hostileFeeds = []struct {
	name    string
	kind    string
	refused bool
	write   func(io.Writer)
}{
	{"namespace bomb", "text/xml", true, func(w io.Writer) {
		fmt.Fprint(w, `<?xml version="1.0"?><rss version="2.0"`)
		for i, n := 0, 0; n < 160<<10; i++ {
			k, _ := fmt.Fprintf(w, ` xmlns:n%d="u%d"`, i, i)
			n += k
		}
		fmt.Fprint(w, `><channel><title>t</title><item><title>1</title></item></channel></rss>`)
	}},
	{"nested namespaces", "text/xml", true, func(w io.Writer) {
		fmt.Fprint(w, `<rss version="2.0"><channel><title>t</title>`)
		for i := range 4000 {
			fmt.Fprintf(w, `<a xmlns:n%d="u">`, i)
		}
	}},
	{"namespaces below the caps", "text/xml", false, func(w io.Writer) {
		fmt.Fprint(w, `<rss version="2.0"><channel><title>t</title>`)
		for range 2000 {
			fmt.Fprint(w, `<item><title>1</title>`)
			for d := range 40 {
				fmt.Fprint(w, `<x`)
				for a := range 3 {
					fmt.Fprintf(w, ` xmlns:p%dq%d="u"`, d, a)
				}
				fmt.Fprint(w, `>`)
			}
			fmt.Fprint(w, strings.Repeat(`</x>`, 40), `</item>`)
		}
		fmt.Fprint(w, `</channel></rss>`)
	}},
	{"200,000 elements deep", "text/xml", true, func(w io.Writer) {
		fmt.Fprint(w, `<rss version="2.0"><channel><title>t</title>`, strings.Repeat("<a>", 200_000))
	}},
	{"200,000 elements deep in a body", "text/xml", false, func(w io.Writer) {
		fmt.Fprint(w, `<rss version="2.0"><channel><title>t</title><item><title>1</title><description><![CDATA[`, strings.Repeat("<div>", 200_000), `x]]></description></item></channel></rss>`)
	}},
	{"200,000 values deep", "application/json", true, func(w io.Writer) {
		fmt.Fprint(w, `{"version":"https://jsonfeed.org/version/1.1","title":"t","items":`, strings.Repeat("[", 200_000), strings.Repeat("]", 200_000), "}")
	}},
	{"billion laughs", "text/xml", false, func(w io.Writer) {
		fmt.Fprint(w, `<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a0 "lol">`)
		for i := 1; i < 12; i++ {
			fmt.Fprintf(w, `<!ENTITY a%d "%s">`, i, strings.Repeat(fmt.Sprintf("&a%d;", i-1), 10))
		}
		fmt.Fprint(w, `]><rss version="2.0"><channel><title>t</title><item><title>&a11;</title><guid>1</guid></item></channel></rss>`)
	}},
	{"100 MB of text", "text/xml", true, func(w io.Writer) {
		fmt.Fprint(w, `<rss version="2.0"><channel><title>t</title><item><description>`)
		block := bytes.Repeat([]byte("正文。"), 100<<10)
		for n := 0; n < 100<<20; n += len(block) {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
		fmt.Fprint(w, `</description></item></channel></rss>`)
	}},
	{"a million items", "text/xml", false, func(w io.Writer) {
		fmt.Fprint(w, `<rss version="2.0"><channel><title>t</title>`, strings.Repeat("<item></item>", 1_000_000), `</channel></rss>`)
	}},
	{"a million items of JSON", "application/json", false, func(w io.Writer) {
		fmt.Fprint(w, `{"title":"t","items":[{"id":"1","title":"1"}`, strings.Repeat(",{}", 1_000_000), `]}`)
	}},
	{"8 MB of references", "text/xml", false, func(w io.Writer) {
		fmt.Fprint(w, `<rss version="2.0"><channel><title>t</title><item><title>1</title><description>`, strings.Repeat("&#1;&lt;&", 900_000), `</description></item></channel></rss>`)
	}},
}

const (
	hostileEnv = "PAPERWIRE_TEST_HOSTILE" // in the child: which one to read
	// What one feed may cost a process at most, everything else that is in the
	// test's binary included.
	hostileRSS = 160 << 10 // KB
)

// TestHostileFeeds reads each in a process of its own with little memory, and
// holds it to its peak and to the bytes it took off the wire.
func TestHostileFeeds(t *testing.T) {
	if which := os.Getenv(hostileEnv); which != "" {
		hostileChild(t, which)
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("/proc/self/status"); err != nil {
		if os.Getenv("PAPERWIRE_TEST_ALL") == "1" {
			t.Fatalf("nothing tells what a process takes: %v", err)
		}
		t.Skipf("nothing tells what a process takes: %v", err)
	}
	for _, c := range hostileFeeds {
		t.Run(c.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestHostileFeeds$", "-test.v")
			cmd.Env = append(os.Environ(), hostileEnv+"="+c.name, "GOMEMLIMIT=96MiB", "GOGC=50")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%.2000s", err, out)
			}
			_, rest, ok := strings.Cut(string(out), "peak-kb=")
			peak, _ := strconv.Atoi(strings.Fields(rest + " 0")[0])
			if !ok || peak < 1000 {
				t.Fatalf("the child tells no peak:\n%.2000s", out)
			}
			t.Logf("%d MB at most", peak>>10)
			if peak > hostileRSS {
				t.Errorf("took %d MB", peak>>10)
			}
		})
	}
}

func hostileChild(t *testing.T, which string) {
	for _, c := range hostileFeeds {
		if c.name != which {
			continue
		}
		var sent atomic.Int64
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/robots.txt" {
				http.NotFound(w, r)
				return
			}
			w.Header().Set("Content-Type", c.kind)
			b := bufio.NewWriterSize(&counted{w, &sent}, 64<<10)
			c.write(b)
			_ = b.Flush()
		}))
		s.Config.ConnState = func(c net.Conn, state http.ConnState) {
			if tcp, ok := c.(*net.TCPConn); ok && state == http.StateNew {
				_ = tcp.SetWriteBuffer(64 << 10)
			}
		}
		s.Start()
		defer s.Close()
		g := fetch.New(fetch.Options{Pace: -1, Open: []string{strings.TrimPrefix(s.URL, "http://")}, Timeout: time.Minute})
		defer g.Close()
		f, err := Find(t.Context(), g, Source{Key: "k", Platform: "feed", URL: s.URL + "/f"}, Want{Today: "2026-03-17"})
		refs := 0
		for _, e := range f.Editions {
			refs += len(e.Refs)
			for _, r := range e.Refs {
				if strings.Contains(r.Title, "lollol") {
					t.Error("an entity was expanded")
				}
			}
		}
		switch {
		case c.refused && err == nil:
			t.Errorf("taken: %d items", refs)
		case c.refused && strings.HasPrefix(c.name, "100 MB") && !errors.Is(err, fetch.ErrTooLarge):
			t.Errorf("%v", err)
		case !c.refused && (err != nil || refs > maxItems):
			t.Errorf("%d items: %v", refs, err)
		}
		// The client's side of a socket buffers some MB on the way; the server's
		// side, which the kernel would let grow too, is kept small above.
		if n := sent.Load(); n > 16<<20+8<<20 {
			t.Errorf("%d MB were sent", n>>20)
		}
		if stats := g.Stats(); len(stats) != 1 || stats[0].Bytes > 16<<20+1 {
			t.Errorf("%+v", stats)
		}
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	fmt.Printf("peak-kb=%s\n", strings.Fields(rest + " 0")[0])
}

type counted struct {
	w io.Writer
	n *atomic.Int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n.Add(int64(n))
	return n, err
}

// Everything that gofeed alone gets wrong, and what must come out instead.
func TestGofeedsWeaknesses(t *testing.T) {
	feed := func(item string) string {
		return `<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>河阳快讯</title><link>https://n.example/a/</link>` + item + `</channel></rss>`
	}
	for _, c := range []struct {
		name, in string
		check    func(Edition, Ref) bool
	}{
		{"a bad byte loses nothing", feed("<item><title>甲\x0b乙</title><guid>1</guid></item>"), func(_ Edition, r Ref) bool { return r.Title == "甲乙" }},
		{"a bare ampersand", feed("<item><title>甲 & 乙 &amp; 丙</title><link>?a=1&b=2</link></item>"), func(_ Edition, r Ref) bool {
			return r.Title == "甲 & 乙 & 丙" && r.URL == "https://n.example/a/?a=1&b=2"
		}},
		{"a forbidden reference", feed("<item><title>甲&#0;&#x1f;乙</title></item>"), func(_ Edition, r Ref) bool { return r.Title == "甲乙" }},
		{"the tail is missing", strings.TrimSuffix(feed("<item><title>甲</title></item><item><title>乙"), "</channel></rss>"), func(e Edition, r Ref) bool { return e.Partial && len(e.Refs) == 1 && r.Title == "甲" }},
		{"another declaration than encoding", `<?xml version="1.0" encoding="gb2312"?>` + feed("<item><title>甲</title></item>"), func(_ Edition, r Ref) bool { return r.Title == "甲" }},
		{"an encoding that has no name", `<?xml version="1.0" encoding="gbk2312"?>` + feed("<item><title>甲</title></item>"), func(_ Edition, r Ref) bool { return r.Title == "甲" }},
		{"a root behind 5 KB", `<?xml version="1.0"?><!-- ` + strings.Repeat("x", 5<<10) + ` -->` + feed("<item><title>甲</title></item>"), func(_ Edition, r Ref) bool { return r.Title == "甲" }},
		{"a root behind 20 KB", `<?xml version="1.0"?><!-- ` + strings.Repeat("x", 20<<10) + ` -->` + feed("<item><title>甲</title></item>"), func(_ Edition, r Ref) bool { return r.Title == "甲" }},
		{"a warning before the root", "<br />\n<b>Warning</b>: x in y on line 1<br />\n" + feed("<item><title>甲</title></item>"), func(_ Edition, r Ref) bool { return r.Title == "甲" }},
		{"JSON behind a BOM", "\ufeff" + `{"version":"https://jsonfeed.org/version/1.1","title":"t","items":[{"id":"1","title":"甲"}]}`, func(_ Edition, r Ref) bool { return r.Title == "甲" }},
		{"an error in JSON", `{"error":"no such feed","items":null}`, nil},
		{"a feed of nothing", `<rss version="2.0"><channel></channel></rss>`, nil},
		{"HTML", `<html><body>no feed</body></html>`, nil},
		{"CST", feed("<item><title>甲</title><pubDate>Fri, 20 Nov 2026 08:30:00 CST</pubDate></item>"), func(_ Edition, r Ref) bool {
			return r.Printed.Dated.UTC().Format(time.RFC3339) == "2026-11-20T00:30:00Z"
		}},
		{"GMT+8", feed("<item><title>甲</title><pubDate>Fri, 20 Nov 2026 08:30:00 GMT+8</pubDate></item>"), func(_ Edition, r Ref) bool { return r.Printed.Dated.UTC().Hour() == 0 }},
		{"HKT", feed("<item><title>甲</title><pubDate>Fri, 20 Nov 2026 08:30:00 HKT</pubDate></item>"), func(_ Edition, r Ref) bool { return r.Printed.Dated.UTC().Hour() == 0 }},
		{"no zone", feed("<item><title>甲</title><pubDate>2026-11-20 08:30:00</pubDate></item>"), func(_ Edition, r Ref) bool { return r.Printed.Dated.UTC().Hour() == 0 }},
		{"2026年11月20日", feed("<item><title>甲</title><pubDate>2026年11月20日</pubDate></item>"), func(_ Edition, r Ref) bool { return r.Printed.Day == "2026-11-20" && r.Printed.Dated.IsZero() }},
		{"2026/1/2 8:00", feed("<item><title>甲</title><pubDate>2026/1/2 8:00</pubDate></item>"), func(_ Edition, r Ref) bool {
			return r.Printed.Dated.UTC().Format(time.DateTime) == "2026-01-02 00:00:00"
		}},
		{"epoch", feed("<item><title>甲</title><pubDate>1795134600</pubDate></item>"), func(_ Edition, r Ref) bool { return r.Printed.Day == "2026-11-20" }},
		{"星期五", feed("<item><title>甲</title><pubDate>星期五, 20 十一月 2026 08:30:00 +0800</pubDate><dc:date>2026-11-20</dc:date></item>"), func(_ Edition, r Ref) bool { return r.Printed.Day == "2026-11-20" }},
		{"an id as written", `<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://b.example/x/"><title>t</title><entry><id>HTTP://B.example/a/../b</id><title>甲</title><link href="c"/><updated>2026-11-20T08:30:00+08:00</updated></entry></feed>`, func(_ Edition, r Ref) bool {
			return r.Origin == hashOf("HTTP://B.example/a/../b") && r.URL == "https://b.example/x/c"
		}},
		{"relative links in a body", feed(`<item><title>甲</title><link>/n/1.html</link><content:encoded><![CDATA[<p><a href="2.html">乙</a><img src="/p.jpg"></p>]]></content:encoded></item>`), func(_ Edition, r Ref) bool {
			return strings.Contains(r.Printed.Body, `href="https://n.example/n/2.html"`) && strings.Contains(r.Printed.Body, `src="https://n.example/p.jpg"`)
		}},
		{"a bare less-than", feed("<item><title>甲 < 乙 <3 丙</title><guid>1</guid></item>"), func(_ Edition, r Ref) bool { return r.Title == "甲 < 乙 <3 丙" }},
		{"an end tag too many", feed("<item><title>甲</b></title><guid>1</guid></p></item>"), func(_ Edition, r Ref) bool { return r.Title == "甲" && len(r.Also) == 1 }},
		{"an entity of its own", `<!DOCTYPE rss [<!ENTITY lol "哈"><!ENTITY lol2 "&lol;&lol;">]>` + feed("<item><title>甲&lol2;</title></item>"), func(_ Edition, r Ref) bool {
			return strings.HasPrefix(r.Title, "甲") && !strings.Contains(r.Title, "哈")
		}},
		{"the future", feed("<item><title>甲</title><pubDate>2099-11-20 08:30:00</pubDate></item>"), func(_ Edition, r Ref) bool {
			return r.Printed.Day == "2026-12-01" && r.Printed.Dated.Equal(time.Date(2026, 12, 1, 4, 0, 0, 0, time.UTC))
		}},
		{"an offset is believed", feed("<item><title>甲</title><pubDate>Fri, 20 Nov 2026 08:30:00 -0500</pubDate></item>"), func(_ Edition, r Ref) bool {
			return r.Printed.Dated.UTC().Format(time.RFC3339) == "2026-11-20T13:30:00Z"
		}},
		{"published and updated", `<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title><entry><id>1</id><title>甲</title><updated>2026-11-21T08:30:00Z</updated><published>2026-11-20T08:30:00Z</published></entry></feed>`, func(_ Edition, r Ref) bool {
			return r.Printed.Dated.UTC().Format(time.RFC3339) == "2026-11-20T08:30:00Z"
		}},
		{"categories with schemes and domains", `<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title><entry><id>1</id><title>甲</title><category term="yw" scheme="https://b.example/s" label="要闻"/><category term="时政" scheme="https://b.example/d"/></entry></feed>`, func(_ Edition, r Ref) bool {
			return slices.Equal(r.Printed.Columns, []string{"要闻", "时政"})
		}},
		{"relative links of the item", feed(`<item><title>甲</title><link>2026/1.html</link><enclosure url="/p.jpg" type="image/jpeg" length="9"/></item>`), func(_ Edition, r Ref) bool {
			return r.URL == "https://n.example/a/2026/1.html" && len(r.Printed.Images) == 1 && r.Printed.Images[0].URL == "https://n.example/p.jpg"
		}},
		{"many xmlns", "<rss" + strings.Repeat(` xmlns:a="u"`, maxAttrs+1) + "><channel><title>t</title></channel></rss>", nil},
		{"an element too deep", feed("<item>" + strings.Repeat("<a>", maxDepth) + "</item>"), nil},
		{"one guid for all", feed(`<item><guid>x</guid><link>/1</link><title>甲</title></item><item><guid>x</guid><link>/2</link><title>乙</title></item><item><guid>x</guid><link>/3</link><title>丙</title></item>`), func(e Edition, r Ref) bool { return len(e.Refs) == 3 }},
	} {
		e, _, err := readFeed(Source{}, Want{Today: "2026-12-01", Now: time.Date(2026, 12, 1, 4, 0, 0, 0, time.UTC)}, openDocument(mustURL("https://n.example/rss.xml"), "text/xml", []byte(c.in)))
		if c.check == nil {
			if err == nil {
				t.Errorf("%s: taken for a feed: %+v", c.name, e)
			}
			continue
		}
		if err != nil || len(e.Refs) == 0 || !c.check(e, e.Refs[0]) {
			t.Errorf("%s: %+v %v", c.name, e, err)
			continue
		}
		if !looksFeed(openDocument(mustURL("https://n.example/rss.xml"), "text/xml", []byte(c.in))) {
			t.Errorf("%s: not known for a feed", c.name)
		}
	}
}
