package feed

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"paperwire/internal/paper"
)

const lists = cases + "/lists"

var noon = time.Date(2025, 3, 4, 12, 0, 0, 0, time.UTC)

var listLinks = Links{
	Base: "https://feeds.example.net", Self: "https://feeds.example.net/feeds/status.atom", Home: "https://feeds.example.net/status",
}

var health = []paper.Health{
	{Source: "slrb", Name: "示例日报", State: "ok", Since: noon.Add(-time.Hour), Checked: noon, Tried: noon},
	{Source: "wbss", Name: "晚报示例", State: "blocked", Problem: "页面要求输入验证码：降低抓取频率或联系发布方", Since: noon},
}

var incidents = []paper.Incident{
	{ID: 1, Source: "slrb", Name: "示例日报", State: "failing", Problem: "get https://epaper.example.org/: 503", Began: noon.Add(-3 * time.Hour), Ended: noon.Add(-time.Hour)},
	{ID: 2, Source: "wbss", Name: "晚报<b>示例</b>", State: "blocked", Problem: "页面要求输入验证码\u0007：降低抓取频率或联系发布方", Began: noon},
}

func writeStatus(w io.Writer) error { return WriteStatusFeed(w, listLinks, health, incidents) }

func statusFile(t *testing.T) string { return absolute(t, lists+"/status.atom") }

func TestLists(t *testing.T) {
	feed := func(scope, name string) Outline {
		return Outline{Text: name, XMLURL: listLinks.Scope(scope, "rss"), HTMLURL: listLinks.Base + "/" + scope, Language: "zh-CN"}
	}
	news := []NewsEntry{
		{
			URL: listLinks.Article("slrb-20250304-1_1"), Publication: "示例日报", Language: "zh-CN", Title: "春灌 & <春耕>", Published: noon, Keywords: []string{"要闻", "温县, 河南"},
			Images: []paper.Image{{URL: "http://epaper.example.org/图.jpg"}, {URL: "javascript:1"}},
		},
		{URL: "https://feeds.example.net/a/x", Publication: "Sample", Language: "en-GB", Title: "A letter", Published: noon.Add(-time.Hour)},
		{URL: "ftp://feeds.example.net/a/y", Publication: "Sample", Title: "wrong scheme", Published: noon},
		{URL: "https://feeds.example.net/a/z", Publication: "Sample", Title: " ", Published: noon},
	}
	urls := []SitemapURL{{"https://feeds.example.net/", noon}, {"https://feeds.example.net/district/410825", time.Time{}}, {"not a url", noon}}
	for name, write := range map[string]func(io.Writer) error{
		"feeds.opml": func(w io.Writer) error {
			return WriteOPML(w, "示例聚合 & 全部来源", []Outline{
				{Text: "报纸", Children: []Outline{feed("paper/slrb", "示例日报")}},
				{Text: "栏目", Children: []Outline{feed("section/yaowen", "要闻 \"头版\"")}},
				{Text: "县区", Children: []Outline{{Text: "焦作市", Children: []Outline{feed("district/410825", "温县"), feed("district/410803", "中站区")}}, {Text: "空"}}},
				{Text: "空组", Children: []Outline{{Text: "坏地址", XMLURL: "javascript:1"}}},
			})
		},
		"news.xml":    func(w io.Writer) error { return WriteNewsSitemap(w, news) },
		"sitemap.xml": func(w io.Writer) error { return WriteSitemap(w, urls) },
		"index.xml":   func(w io.Writer) error { return WriteSitemapIndex(w, urls[:1]) },
		"status.atom": writeStatus,
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := write(&b); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(lists, name)
			if *update {
				if err := os.MkdirAll(lists, 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), b.String()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			wellFormed(t, "xml", b.Bytes())
		})
	}
}

func TestNewsSitemapLimit(t *testing.T) {
	var entries []NewsEntry
	for i := range MaxNews + 5 {
		entries = append(entries, NewsEntry{URL: fmt.Sprintf("https://feeds.example.net/a/%d", i), Publication: "示例日报", Title: "标题", Published: noon})
	}
	var b bytes.Buffer
	if err := WriteNewsSitemap(&b, entries); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "<loc>"); n != MaxNews {
		t.Errorf("%d entries, want %d", n, MaxNews)
	}
	if strings.Contains(b.String(), "/a/1000<") || !strings.Contains(b.String(), "/a/0<") {
		t.Error("not the first entries were kept")
	}
}

func TestNewsLanguage(t *testing.T) {
	for tag, want := range map[string]string{
		"zh-CN": "zh-cn", "zh": "zh-cn", "": "zh-cn", "zh-Hant-HK": "zh-tw", "zh_TW": "zh-tw", "en-GB": "en", "ug": "ug", "x-private": "zh-cn", "english": "zh-cn",
	} {
		if got := newsLanguage(tag); got != want {
			t.Errorf("newsLanguage(%q) = %q, want %q", tag, got, want)
		}
	}
}

// The status feed rests while nothing happens: looking at a publisher again
// changes no byte, and entries keep their ids when an incident ends.
func TestStatusFeedRests(t *testing.T) {
	render := func(h []paper.Health, i []paper.Incident) string {
		var b bytes.Buffer
		if err := WriteStatusFeed(&b, listLinks, h, i); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	before := render(health, incidents)
	later := append([]paper.Health(nil), health...)
	for i := range later {
		later[i].Checked, later[i].Tried, later[i].Due = noon.Add(time.Hour), noon.Add(time.Hour), noon.Add(2*time.Hour)
		later[i].Articles += 40
	}
	if after := render(later, incidents); before != after {
		t.Errorf("a look at the publisher moved the feed:\n%s", cmp.Diff(before, after))
	}
	ended := append([]paper.Incident(nil), incidents...)
	ended[1].Ended = noon.Add(time.Hour)
	after := render(health, ended)
	for _, id := range ids(t, before) {
		if !strings.Contains(after, id) {
			t.Errorf("id %s is gone", id)
		}
	}
	if len(ids(t, after)) != len(ids(t, before))+1 {
		t.Error("the end of an incident is no entry of its own")
	}
	if empty := render(nil, nil); !strings.Contains(empty, "<updated>1970-01-01T00:00:00Z</updated>") {
		t.Errorf("an empty status feed has an instant of its own:\n%s", empty)
	}
}

func ids(t *testing.T, doc string) []string {
	t.Helper()
	var f struct {
		Entries []struct {
			ID string `xml:"id"`
		} `xml:"entry"`
	}
	if err := xml.Unmarshal([]byte(doc), &f); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range f.Entries {
		all = append(all, e.ID)
	}
	return all
}
