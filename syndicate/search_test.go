package syndicate

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestSearchPage(t *testing.T) {
	s, _ := open(t, newMemory(), func(o *Options) { o.Now = func() time.Time { return epoch } })
	q := url.QueryEscape
	for _, c := range []struct {
		target string
		status int
		want   string
	}{
		{"/search", 200, `<input id="q"`},
		{"/search?lang=en", 200, "at most four"},
		{"/search?q=" + q("山药"), 200, `href="https://news.example.cn/feeds/all.rss?q=` + q("山药") + `"`},
		{"/search?q=" + q("<b>山药\"'"), 200, `value="&lt;b&gt;山药&#34;&#39;"`},
		{"/search?q=a+b+c+d+e", 400, "at most 4"},
		{"/search?q=%22%2A", 400, "neither letter nor digit"},
		{"/search?q=x&before=nonsense", 400, ""},
		{"/api/v1/articles?q=" + q("山药"), 200, "demo-20170907-1_0"},
		{"/api/v1/articles?q=a+b+c+d+e", 400, "at most 4"},
		{"/api/v1/articles?q=a&day=2017-09-07", 400, "q with day"},
	} {
		r := ask(s, "GET", c.target, "Accept", "text/html")
		text := body(t, r)
		if r.StatusCode != c.status || !strings.Contains(text, c.want) {
			t.Errorf("%s: %d, no %s in %.600s", c.target, r.StatusCode, c.want, text)
		}
		if c.status == 200 && strings.HasPrefix(c.target, "/search") && !strings.Contains(text, `content="noindex"`) {
			t.Errorf("%s may be indexed", c.target)
		}
	}
	// Searches share the limit of combinations, and their cache.
	for i := range 2 * clientBurst {
		r := from(s, "192.0.2.9:1", fmt.Sprintf("/search?q=w%d", i))
		if i < clientBurst && r.StatusCode != 200 {
			t.Fatalf("search %d: %d", i, r.StatusCode)
		}
		if i == 2*clientBurst-1 && (r.StatusCode != 429 || r.Header.Get("Retry-After") == "") {
			t.Errorf("search %d: %d", i, r.StatusCode)
		}
	}
	if e := s.site.Load().cache.get("public", "/search?q=w1\n"); e != nil {
		t.Error("a search is kept in the cache of all")
	}
	if r := from(s, "192.0.2.9:1", "/all"); r.StatusCode != 200 {
		t.Errorf("a page: %d", r.StatusCode)
	}
}

// The words of a search have one form: read again, it is the same.
func TestQueryWordsProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words, err := queryWords(rapid.String().Draw(t, "q"))
		if err != nil {
			return
		}
		again, err := queryWords(strings.Join(words, " "))
		if err != nil || strings.Join(again, " ") != strings.Join(words, " ") {
			t.Fatalf("%q becomes %q: %v", words, again, err)
		}
	})
}
