package syndicate

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"paperwire/internal/paper"
)

// days puts an article of the demo paper on each of some days.
func (m *memory) days(list ...paper.Day) {
	for i, d := range list {
		m.release("demo", 100+i, "yaowen", "410825")
		m.mu.Lock()
		x := &m.items[len(m.items)-1]
		x.Day, x.ID, x.URN = d, "demo-"+d.Compact()+"-1", paper.URN("demo-"+d.Compact()+"-1")
		m.mu.Unlock()
	}
}

func TestArchiveDocuments(t *testing.T) {
	m := newMemory()
	m.days("2017-09-05", "2017-09-09")
	m.closed = map[paper.Day]bool{"2017-09-05": true, "2017-09-07": true}
	s, _ := open(t, m)
	for _, c := range []struct {
		target string
		status int
		want   string
	}{
		{"/feeds/all/archive/2017-09-07.rss", 200, ""},
		{"/feeds/district/410825/archive/2017-09-07.json", 200, ""},
		{"/feeds/all/archive/20170907.atom", 308, "/feeds/all/archive/2017-09-07.atom"},
		{"/feeds/all/archive/2017-09-07.ATOM?utm_source=x", 308, "/feeds/all/archive/2017-09-07.atom"},
		{"/feeds/district/wenxian/archive/2017-09-07.atom", 308, "/feeds/district/410825/archive/2017-09-07.atom"},
		{"/feeds/all/archive/2017-13-07.rss", 400, "2017-09-07"},
		{"/feeds/all/archive/x.rss", 400, "2017-09-07"},
		{"/feeds/all/archive/2017-09-07.wechat", 404, ".rss, .atom and .json"},
		{"/feeds/all/archive/2017-09-07.opml", 404, ".rss, .atom and .json"},
		{"/feeds/all/archive/2017-09-06.rss", 404, "/feeds/all/archive/2017-09-05.rss and /feeds/all/archive/2017-09-07.rss"},
		{"/feeds/all/archive/2011-01-01.rss", 404, "/feeds/all/archive/2017-09-05.rss"},
		{"/feeds/section/leer/archive/2017-09-07.rss", 404, "holds nothing on 2017-09-07"},
		{"/feeds/section/nie/archive/2017-09-07.rss", 404, "unknown section"},
		{"/feeds/archive/2017-09-07.rss", 400, "unknown part"},
	} {
		r := ask(s, "GET", c.target)
		text := body(t, r)
		if r.StatusCode != c.status || c.status == 308 && r.Header.Get("Location") != c.want || c.status >= 400 && !strings.Contains(text, c.want) {
			t.Errorf("%s: %d %s %.300s", c.target, r.StatusCode, r.Header.Get("Location"), text)
		}
	}

	r := ask(s, "GET", "/feeds/all/archive/2017-09-07.atom")
	text := body(t, r)
	for _, want := range []string{
		"<fh:archive", `rel="current" href="https://news.example.cn/feeds/all.atom"`, `rel="prev-archive" href="https://news.example.cn/feeds/all/archive/2017-09-05.atom"`,
		`rel="next-archive" href="https://news.example.cn/feeds/all/archive/2017-09-09.atom"`, `rel="self" href="https://news.example.cn/feeds/all/archive/2017-09-07.atom"`,
	} {
		attrs := strings.Fields(strings.NewReplacer("<", "", ">", "").Replace(want))
		if !slices.ContainsFunc(strings.Split(text, "\n"), func(line string) bool {
			return !slices.ContainsFunc(attrs, func(a string) bool { return !strings.Contains(line, a) })
		}) {
			t.Errorf("no %s in %.1500s", want, text)
		}
	}
	if got := r.Header.Get("Cache-Control"); got != "public, max-age=3600, must-revalidate" {
		t.Errorf("Cache-Control: %s", got)
	}
	if got := r.Header.Get("Last-Modified"); got != epoch.Add(12*time.Hour).Format(http.TimeFormat) {
		t.Errorf("Last-Modified of a closed day: %s", got)
	}
	if again := ask(s, "GET", "/feeds/all/archive/2017-09-07.atom", "If-None-Match", r.Header.Get("ETag")); again.StatusCode != 304 {
		t.Errorf("conditional: %d", again.StatusCode)
	}
	// What happens on other days changes neither its bytes nor its date.
	m.days("2017-09-10")
	catchUp(t, s)
	after := ask(s, "GET", "/feeds/all/archive/2017-09-07.atom")
	if body(t, after) != text || after.Header.Get("Last-Modified") != r.Header.Get("Last-Modified") {
		t.Error("another day changed a closed one")
	}
	if text := body(t, ask(s, "GET", "/feeds/all/archive/2017-09-09.atom")); strings.Contains(text, "fh:archive/") || strings.Contains(text, "<fh:archive>") {
		t.Errorf("an open day calls itself an archive: %.800s", text)
	}

	// The subscription documents lead to the newest closed day and name what is complete.
	var doc struct {
		NextURL   string `json:"next_url"`
		Paperwire struct {
			Complete []struct {
				Paper string
				Day   paper.Day
			}
		} `json:"_paperwire"`
	}
	if err := json.Unmarshal([]byte(body(t, ask(s, "GET", "/feeds/paper/demo.json"))), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.NextURL != "https://news.example.cn/feeds/paper/demo/archive/2017-09-07.json" || len(doc.Paperwire.Complete) != 2 {
		t.Errorf("subscription document: %+v", doc)
	}
	if text := body(t, ask(s, "GET", "/feeds/all.rss?pace=65m&max=8")); strings.Contains(text, "prev-archive") {
		t.Error("a paced feed has archives")
	}
}
