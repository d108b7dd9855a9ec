package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/net/html"

	"paperwire/internal/papertest"
)

const schemas = "testdata/syndicate/schemas"

// marks tell the articles of the hostile edition apart: a headline begins or
// ends with its own.
const marks = "甲乙丙丁戊己庚辛壬癸"

// hostileEdition is what a paper may print, on purpose or by accident.
func hostileEdition() []papertest.Page {
	long := strings.Repeat("一个很长很长的段落里什么都有可是没有一个字是多余的。", 20)
	var paragraphs []string
	for utf8.RuneCountInString(strings.Join(paragraphs, "")) < 20_000 {
		paragraphs = append(paragraphs, fmt.Sprintf("第%d段。%s", len(paragraphs)+1, long))
	}
	body := []string{"这一段只是为了让正文有一点长度，免得被当成导读或者空白的版面而不发表。", "第二段也一样，说的是同一件事情，只是换了一种说法，多写几个字。"}
	a := func(headline string, p ...string) papertest.Article {
		return papertest.Article{Headline: headline, Paragraphs: append(p, body...)}
	}
	return []papertest.Page{
		{Number: "01", Name: "要闻", Articles: []papertest.Article{
			a("控制\x01\x08\x0b\x1f字符\x7f\u0085甲", "响铃\x07退格\x08换页\x0c删除\x7f之后的字还在。"),
			a("收尾]]>符号乙", "正文里也有]]>和<![CDATA[这样的东西，还有<!-- 注释 -->和<?php 代码 ?>。"),
			a("表情😀与生僻字𠮷𬭛丙", "𠮷野家的🍜很好吃，👨‍👩‍👧一家人都来了，𬭛是一种元素。"),
			a("<script>alert(1)</script><b>加粗</b>的标题丁", "<p onclick=\"alert(1)\">点我<script>alert(2)</script><img src=x onerror=alert(3)><iframe src=\"//evil.example\"></iframe></p>"),
			a("实体&amp;&lt;i&gt;&nbsp;&#x41;和 \"引号\" 'and' 戊", "AT&T 与 R&D，1<2，3>2，还有&notanentity;和&#xD800;&#0;。"),
		}},
		{Number: "A02", Name: "副刊<i>/</i>\"版\" & 其他", Articles: []papertest.Article{
			a("反向\u202e字符\u2066和\ufeff标记\u200b己"),
			{Headline: "非字符\ufffe\uffff和\u2028分行\u2029庚", Byline: "本报记者 <b>郝望舒</b> & 子]]>\x00", Paragraphs: body},
			{Headline: "二万字的长文辛", Byline: "本报记者 林知远", Paragraphs: paragraphs},
			{Headline: "壬" + strings.Repeat("很长的标题", 60), Byline: "本报讯（记者 林知远 苏砚秋 通讯员 郝望舒）", Kicker: "肩题]]>&", Subtitle: "副题<br>两行 \x02", Paragraphs: body, Images: []papertest.Image{{Caption: "图说 \"引号\" ]]> <b>😀</b> 𠮷"}, {Format: "png", Inline: true}}},
			{Headline: "没有图也没有署名癸", Paragraphs: body},
		}},
	}
}

// papers runs a test on the demo paper and on the hostile one, each served by a
// real daemon, and tells how many articles are to be seen.
func papers(t *testing.T, run func(t *testing.T, d *daemon, articles int)) {
	t.Run("demo", func(t *testing.T) { run(t, demoDaemon(t), demoArticles) })
	t.Run("hostile", func(t *testing.T) {
		p := publisher(t, papertest.Options{Key: "one", Day: today(), Pages: -1})
		edition := hostileEdition()
		p.Publish(today(), edition)
		n := 0
		for _, page := range edition {
			n += len(page.Articles)
		}
		dir := t.TempDir()
		d := start(t, 0, "serve", "--config", configFor(t, dir, p), "--data", dir)
		until(t, "the hostile edition", func() bool { f, _ := d.feed("all"); return len(f) == n })
		run(t, d, n)
	})
}

// Whatever was printed, every reader gets it, and nothing of it is markup.
func TestConformanceHostileText(t *testing.T) {
	papers(t, func(t *testing.T, d *daemon, n int) {
		items := d.demoItems("all")
		if n == demoArticles {
			return
		}
		text := map[string]demoItem{}
		for _, i := range items {
			for _, mark := range strings.Split(marks, "") {
				if strings.HasPrefix(i.Title, mark) || strings.HasSuffix(i.Title, mark) {
					text[mark] = i
				}
			}
			for _, c := range i.Title + i.HTML + i.Own.Kicker + i.Own.Subtitle {
				if c < 0x20 && c != '\n' && c != '\t' || c == 0x7F || c == 0xFFFE || c == 0xFFFF || c == utf8.RuneError {
					t.Errorf("%s holds %U", i.Title, c)
				}
			}
			lower := strings.ToLower(i.HTML)
			for _, bad := range []string{"<script", "onclick", "onerror", "<iframe", "javascript:", "<?php"} {
				if strings.Contains(lower, bad) && !strings.Contains(lower, "&lt;"+strings.TrimPrefix(bad, "<")) {
					t.Errorf("%s holds %s: %s", i.Title, bad, i.HTML)
				}
			}
		}
		for _, mark := range strings.Split(marks, "") {
			if _, ok := text[mark]; !ok {
				t.Errorf("article %s is missing", mark)
			}
		}
		if i := text["丙"]; !strings.Contains(i.Title, "😀") || !strings.Contains(i.Title, "𠮷𬭛") || !strings.Contains(i.HTML, "𠮷野家的🍜") {
			t.Errorf("four-byte characters: %s %s", i.Title, i.HTML)
		}
		if i := text["辛"]; utf8.RuneCountInString(i.HTML) < 20_000 {
			t.Errorf("the long article has %d characters", utf8.RuneCountInString(i.HTML))
		}
		if i := text["壬"]; len(i.Files) < 1 || i.Own.Kicker == "" || i.Own.Subtitle == "" || len(i.Authors) < 3 {
			t.Errorf("article with everything: %+v", i)
		}
		if i := text["癸"]; len(i.Files) != 0 || len(i.Authors) != 1 || i.Authors[0].Name != "报1" {
			t.Errorf("article with nothing: %+v", i)
		}
	})
}

// scopesOf gives every single part that holds something, some combinations and
// a scope that is known and empty.
func (d *daemon) scopesOf() []string {
	d.t.Helper()
	var list struct {
		Scopes []struct {
			Scope string `json:"scope"`
		}
	}
	if err := json.Unmarshal(d.ok("/api/v1/scopes").body, &list); err != nil {
		d.t.Fatal(err)
	}
	scopes := []string{"all", "district/410871", "section/yaowen/-district/410825", "district/410803,410825"}
	for _, s := range list.Scopes {
		if s.Scope != "all" {
			scopes = append(scopes, s.Scope)
		}
	}
	if len(scopes) < 7 {
		d.t.Fatalf("%d scopes only: %v", len(scopes), scopes)
	}
	return scopes
}

// save writes an answer into a file of the test's own.
func (d *daemon) save(dir, path string) string {
	d.t.Helper()
	file := filepath.Join(dir, strings.NewReplacer("/", "_", "?", "_", ",", "_").Replace(strings.Trim(path, "/")))
	if err := os.WriteFile(file, d.ok(path).body, 0o644); err != nil {
		d.t.Fatal(err)
	}
	return file
}

func command(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	out, err := exec.Command(papertest.Need(t, name), args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", name, err, tail(string(out), 2000))
	}
	return out
}

// Every document in XML is well-formed, and valid where a schema is known.
func TestConformanceXML(t *testing.T) {
	papers(t, func(t *testing.T, d *daemon, n int) {
		dir := t.TempDir()
		var atoms []string
		for _, scope := range d.scopesOf() {
			for _, query := range []string{"", "?full=0", "?limit=1"} {
				wellFormed(t, d.ok("/feeds/"+scope+".rss"+query).body)
				atom := d.save(dir, "/feeds/"+scope+".atom"+query)
				atoms = append(atoms, atom)
				b, _ := os.ReadFile(atom)
				wellFormed(t, b)
			}
		}
		// Searches and paced feeds are feeds like others.
		for _, query := range []string{"?q=%E8%AE%B0%E8%80%85", "?q=zzz", "?pace=65m&max=8"} {
			wellFormed(t, d.ok("/feeds/all.rss"+query).body)
			atoms = append(atoms, d.save(dir, "/feeds/all.atom"+query))
		}
		for _, path := range []string{"/feeds.opml", "/sitemap.xml", "/sitemap-news.xml", "/feeds/status.atom"} {
			wellFormed(t, d.ok(path).body)
		}
		atoms = append(atoms, d.save(dir, "/feeds/status.atom"))
		t.Run("atom", func(t *testing.T) {
			command(t, "jing", append([]string{"-c", schemas + "/atom-rfc4287.rnc"}, atoms...)...)
		})
		t.Run("sitemap", func(t *testing.T) {
			news := d.save(dir, "/sitemap-news.xml")
			command(t, "xmllint", "--nonet", "--noout", "--schema", schemas+"/sitemap/all.xsd", news)
			b, _ := os.ReadFile(news)
			if got := bytes.Count(b, []byte("<news:news>")); got != n {
				t.Errorf("%d of %d articles in the news sitemap", got, n)
			}
			index := d.ok("/sitemap.xml").body
			command(t, "xmllint", "--nonet", "--noout", "--schema", schemas+"/sitemap/siteindex.xsd", d.save(dir, "/sitemap.xml"))
			articles := 0
			for _, m := range regexp.MustCompile(`<loc>[^<]*(/sitemap-[^<]*)</loc>`).FindAllSubmatch(index, -1) {
				command(t, "xmllint", "--nonet", "--noout", "--schema", schemas+"/sitemap/all.xsd", d.save(dir, string(m[1])))
				articles += bytes.Count(d.ok(string(m[1])).body, []byte("/a/"))
			}
			if articles != n {
				t.Errorf("%d of %d articles in the sitemaps of their months", articles, n)
			}
		})
		// The validators must be able to say no.
		t.Run("says no", func(t *testing.T) {
			bad := filepath.Join(dir, "bad.atom")
			b, _ := os.ReadFile(atoms[0])
			os.WriteFile(bad, bytes.ReplaceAll(b, []byte("<updated>"), []byte("<updated>not a date ")), 0o644)
			if exec.Command(papertest.Need(t, "jing"), "-c", schemas+"/atom-rfc4287.rnc", bad).Run() == nil {
				t.Error("jing takes a feed without dates")
			}
		})
	})
}

type outline struct {
	Text     string    `xml:"text,attr"`
	Title    string    `xml:"title,attr"`
	Type     string    `xml:"type,attr"`
	XMLURL   string    `xml:"xmlUrl,attr"`
	HTMLURL  string    `xml:"htmlUrl,attr"`
	Outlines []outline `xml:"outline"`
}

// The list of subscriptions names feeds and pages that are there.
func TestConformanceOPML(t *testing.T) {
	papers(t, func(t *testing.T, d *daemon, n int) {
		var doc struct {
			XMLName xml.Name
			Version string `xml:"version,attr"`
			Head    struct {
				Title string `xml:"title"`
			} `xml:"head"`
			Outlines []outline `xml:"body>outline"`
		}
		if err := xml.Unmarshal(d.ok("/feeds.opml").body, &doc); err != nil {
			t.Fatal(err)
		}
		if doc.XMLName.Local != "opml" || doc.Version != "2.0" || doc.Head.Title == "" {
			t.Errorf("%+v", doc)
		}
		feeds := map[string]bool{}
		base := ""
		if n != demoArticles {
			base = "http://paperwire.test"
		}
		var walk func([]outline)
		walk = func(list []outline) {
			for _, o := range list {
				if o.Text == "" {
					t.Errorf("outline without text: %+v", o)
				}
				if o.XMLURL != "" {
					if feeds[o.XMLURL] {
						t.Errorf("%s stands twice", o.XMLURL)
					}
					feeds[o.XMLURL] = true
					for _, link := range []string{o.XMLURL, o.HTMLURL} {
						path, ok := strings.CutPrefix(link, base)
						if base == "" {
							path, ok = d.local(link)
						}
						if !ok {
							t.Errorf("link %q leads elsewhere", link)
						} else {
							d.ok(path)
						}
					}
					if o.Type != "rss" {
						t.Errorf("%s has type %q", o.XMLURL, o.Type)
					}
				}
				walk(o.Outlines)
			}
		}
		walk(doc.Outlines)
		if len(feeds) < 4 {
			t.Errorf("%d feeds", len(feeds))
		}
		// newsboat takes all of them in, each into the folder of its group.
		dir := t.TempDir()
		urls := filepath.Join(dir, "urls")
		if err := os.WriteFile(urls, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		boat := exec.Command(papertest.Need(t, "newsboat"), "-u", urls, "-c", filepath.Join(dir, "cache.db"), "-C", os.DevNull, "-i", d.save(dir, "/feeds.opml"))
		boat.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_DATA_HOME="+dir, "LC_ALL=C.UTF-8")
		if out, err := boat.CombinedOutput(); err != nil {
			t.Fatalf("newsboat -i: %v\n%s", err, out)
		}
		b, err := os.ReadFile(urls)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(b)), "\n")
		for _, l := range lines {
			address, folder, _ := strings.Cut(l, " ")
			if !feeds[address] || folder == "" && !strings.HasSuffix(address, "/feeds/all.rss") {
				t.Errorf("newsboat took in %s", l)
			}
		}
		if len(lines) != len(feeds) {
			t.Errorf("newsboat took in %d of %d feeds", len(lines), len(feeds))
		}
	})
}

// An archive document holds the articles of its day, in every format alike; from the
// subscription document one comes to all of them, and from each of them back.
func TestConformanceArchives(t *testing.T) {
	node := papertest.Need(t, "node")
	nodeModules(t)
	papers(t, func(t *testing.T, d *daemon, n int) {
		dir := t.TempDir()
		var atoms, objects []string
		base := d.base(n)
		until(t, "the archives", func() bool {
			newest := d.demoItems("all")[0].Own.Day
			return bytes.Contains(d.get("/feeds/all/archive/"+newest+".atom").body, []byte("<fh:archive>"))
		})
		for _, i := range d.demoItems("all") {
			edition := i.Own.Paper + "/" + i.Own.Day
			for ext, mark := range map[string]string{
				"rss": `<category domain="edition-complete">` + edition + `</category>`, "atom": `<category term="` + edition + `" scheme="` + base + `/editions/#edition-complete">`,
				"json": `{"paper":"` + i.Own.Paper + `","day":"` + i.Own.Day + `"}`, "ninjs": `{"role":"edition-complete","value":"` + edition + `"}`,
			} {
				if !bytes.Contains(d.ok("/feeds/all."+ext).body, []byte(mark)) {
					t.Fatalf("all.%s does not say that %s is complete: no %s", ext, edition, mark)
				}
			}
		}
		for _, scope := range d.scopesOf() {
			days := map[string][]string{}
			for _, i := range d.demoItems(scope) {
				days[i.Own.Day] = append(days[i.Own.Day], i.ID)
			}
			for _, ext := range []string{"rss", "atom", "json"} {
				at := func(day string) string { return "/feeds/" + scope + "/archive/" + day + "." + ext }
				subscription := "/feeds/" + scope + "." + ext
				order := slices.Sorted(maps.Keys(days))
				slices.Reverse(order)
				// The chain of RFC 5005 §4: newest day first, and then nothing.
				links := archiveLinks(t, d.ok(subscription).body)
				if len(order) == 0 {
					if links["prev-archive"] != "" {
						t.Errorf("%s is empty and leads to %v", subscription, links)
					}
					if a := d.get(at("2017-09-07")); a.StatusCode != http.StatusNotFound {
						t.Errorf("%s: %s", at("2017-09-07"), a.Status)
					}
					continue
				}
				if links["prev-archive"] != base+at(order[0]) {
					t.Errorf("%s leads to %v, want %s", subscription, links, at(order[0]))
				}
				for k, day := range order {
					file := d.save(dir, at(day))
					a := d.ok(at(day))
					if cc := a.Header.Get("Cache-Control"); !strings.Contains(cc, "max-age=3600") || !strings.Contains(cc, "must-revalidate") || strings.Contains(cc, "immutable") {
						t.Errorf("%s: Cache-Control %s", at(day), cc)
					}
					var items []told
					switch ext {
					case "rss":
						wellFormed(t, a.body)
						items = toldByRSS(t, a.body, at(day))
					case "atom":
						atoms = append(atoms, file)
						items = toldByAtom(t, a.body, at(day))
					case "json":
						objects = append(objects, file)
						items = toldByJSON(t, a.body, at(day))
					}
					var ids []string
					for _, i := range items {
						ids = append(ids, i.ID)
					}
					if !slices.Equal(ids, days[day]) {
						t.Errorf("%s holds %v, the feed has %v of that day", at(day), ids, days[day])
					}
					links := archiveLinks(t, a.body)
					want := map[string]string{"current": base + subscription, "prev-archive": "", "next-archive": ""}
					if k+1 < len(order) {
						want["prev-archive"] = base + at(order[k+1])
					}
					if k > 0 && ext != "json" {
						want["next-archive"] = base + at(order[k-1])
					}
					for rel, href := range want {
						if links[rel] != href {
							t.Errorf("%s: %s is %q, want %q", at(day), rel, links[rel], href)
						}
					}
					if links["archive"] != "yes" {
						t.Errorf("%s is not marked as an archive", at(day))
					}
				}
			}
		}
		command(t, "jing", append([]string{"-c", schemas + "/atom-rfc4287.rnc"}, atoms...)...)
		var saw map[string]struct{ Errors []any }
		if err := json.Unmarshal(command(t, node, append([]string{"testdata/syndicate/tools/validate.mjs", schemas}, objects...)...), &saw); err != nil {
			t.Fatal(err)
		}
		for _, file := range objects {
			if doc, ok := saw[file]; !ok || len(doc.Errors) > 0 {
				t.Errorf("%s: %v", file, doc.Errors)
			}
		}
	})
}

// archiveLinks are the links of a feed that RFC 5005 defines, and whether it is marked
// as an archive document.
func archiveLinks(t *testing.T, doc []byte) map[string]string {
	links := map[string]string{}
	if bytes.HasPrefix(doc, []byte("{")) {
		var f struct {
			Next string `json:"next_url"`
			Own  struct {
				Current string
				Archive bool
			} `json:"_paperwire"`
		}
		if err := json.Unmarshal(doc, &f); err != nil {
			t.Fatal(err)
		}
		links["prev-archive"], links["current"] = f.Next, f.Own.Current
		if f.Own.Archive {
			links["archive"] = "yes"
		}
		return links
	}
	var f struct {
		Links   []toldLink `xml:"link"`
		Archive *struct{}  `xml:"http://purl.org/syndication/history/1.0 archive"`
		Channel *struct {
			Links   []toldLink `xml:"link"`
			Archive *struct{}  `xml:"http://purl.org/syndication/history/1.0 archive"`
		} `xml:"channel"`
	}
	if err := xml.Unmarshal(doc, &f); err != nil {
		t.Fatal(err)
	}
	if f.Channel != nil {
		f.Links, f.Archive = f.Channel.Links, f.Channel.Archive
	}
	for _, l := range f.Links {
		links[l.Rel] = l.Href
	}
	if f.Archive != nil {
		links["archive"] = "yes"
	}
	return links
}

// base is what a daemon's own addresses begin with.
func (d *daemon) base(articles int) string {
	if articles != demoArticles {
		return "http://paperwire.test"
	}
	at, err := url.Parse(d.url)
	if err != nil {
		d.t.Fatal(err)
	}
	return "http://localhost:" + at.Port()
}

// What machines read: every path of the OpenAPI document answers, with no
// $schema link, and JSON as it is described.
func TestConformanceAPI(t *testing.T) {
	d := demoDaemon(t)
	var doc struct {
		OpenAPI string
		Info    struct{ Title, Version string }
		Paths   map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Summary     string
			Responses   map[string]any
			Security    []map[string]any
		}
	}
	if err := json.Unmarshal(d.ok("/api/openapi.json").body, &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") || doc.Info.Title == "" || doc.Info.Version == "" || len(doc.Paths) < 4 {
		t.Errorf("%s %+v, %d paths", doc.OpenAPI, doc.Info, len(doc.Paths))
	}
	ids := map[string]bool{}
	hook := d.webhook(`{"url":"http://receiver.example/"}`).ID
	for path, operations := range doc.Paths {
		for method, o := range operations {
			if o.OperationID == "" || ids[o.OperationID] || o.Summary == "" || len(o.Responses) < 2 {
				t.Errorf("%s %s: operation %q %q with %d responses", method, path, o.OperationID, o.Summary, len(o.Responses))
			}
			ids[o.OperationID] = true
			if method != "get" {
				continue
			}
			at := strings.NewReplacer("webhooks/{id}", "webhooks/"+hook, "receivers/{id}", "receivers/"+hook, "{id}", "demo-20260318-512031", "{key}", "demo", "{paper}", "demo", "{day}", "2026-03-18").Replace(path)
			var header []string
			if len(o.Security) > 0 {
				if a := d.get(at); a.StatusCode != http.StatusUnauthorized {
					t.Errorf("%s without a key: %d", at, a.StatusCode)
				}
				header = []string{"Paperwire-Key", "test-key"}
			}
			a := d.ok(at, header...)
			var v any
			if err := json.Unmarshal(a.body, &v); err != nil {
				t.Errorf("%s: %v", at, err)
			}
			if bytes.Contains(a.body, []byte(`"$schema"`)) || a.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s: %s %s", at, a.Header.Get("Content-Type"), tail(string(a.body), 200))
			}
		}
	}
}

// seenByReaders is what testdata/syndicate/tools/consume.mjs prints.
type seenByReaders struct {
	RSSParser struct {
		Title string
		Items []struct {
			Title, Link, GUID string
			ISODate           time.Time
			Encoded           string `json:"content:encoded"`
			Content           string
			Enclosure         *struct{ URL, Type, Length string }
			Categories        []struct {
				Name string                  `json:"_"`
				Attr struct{ Domain string } `json:"$"`
			}
		}
	} `json:"rssParser"`
	FeedParser map[string][]struct {
		Title, Link, GUID string
		Date              time.Time
		Enclosures        []struct{ URL, Length string }
	}
	FeedSmith struct {
		RSS struct {
			Feed struct {
				Items []struct {
					Title, Link, PubDate string
					GUID                 struct{ Value string }
					Enclosures           []struct {
						URL, Type string
						Length    int
					}
				}
			}
		}
		Atom struct {
			Feed struct {
				Entries []struct {
					ID        string
					Title     struct{ Value string }
					Published time.Time
					Links     []struct {
						Href, Rel, Type string
						Length          int
					}
				}
			}
		}
		JSON struct {
			Feed struct {
				Items []struct {
					ID, URL, Title string
					Published      time.Time `json:"date_published"`
					Attachments    []struct {
						URL  string
						Type string `json:"mime_type"`
						Size int    `json:"size_in_bytes"`
					}
				}
			}
		}
	} `json:"feedsmith"`
	JSONErrors []any `json:"jsonErrors"`
}

// sighting is what every reader must see alike of an item.
type sighting struct {
	ID, Title, Link string
	Date            int64
	Enclosure       string // its address; empty where there is none
}

func (i demoItem) sighting(t *testing.T) sighting {
	published, err := time.Parse(time.RFC3339, i.Published)
	if err != nil {
		t.Fatal(err)
	}
	s := sighting{i.ID, i.Title, i.URL, published.Unix(), ""}
	if len(i.Files) > 0 {
		s.Enclosure = i.Files[0].URL
	}
	return s
}

// nodeModules skips a test where the npm packages that it needs are not installed.
func nodeModules(t *testing.T) {
	t.Helper()
	if os.Getenv("PAPERWIRE_NODE_MODULES") == "" {
		if os.Getenv("PAPERWIRE_TEST_ALL") == "1" {
			t.Fatal("PAPERWIRE_NODE_MODULES is not set")
		}
		t.Skip("PAPERWIRE_NODE_MODULES names no folder: run npm ci in a copy of testdata/tools and name its node_modules")
	}
}

// The programs that Postiz, n8n and others read feeds with see every item whole,
// the same in RSS as in JSON; JSON Feed satisfies its schema.
func TestConformanceReaders(t *testing.T) {
	node := papertest.Need(t, "node")
	nodeModules(t)
	papers(t, func(t *testing.T, d *daemon, n int) {
		dir := t.TempDir()
		for _, scope := range []string{"all", "section/yaowen", "district/410825", "district/410871", "all?full=0"} {
			scope, query, _ := strings.Cut(scope, "?")
			if query != "" {
				query = "?" + query
			}
			var f struct {
				Title string
				Items []demoItem
			}
			jsonFile := d.save(dir, "/feeds/"+scope+".json"+query)
			b, _ := os.ReadFile(jsonFile)
			if err := json.Unmarshal(b, &f); err != nil {
				t.Fatal(err)
			}
			var stderr bytes.Buffer
			cmd := exec.Command(node, "testdata/syndicate/tools/consume.mjs", d.save(dir, "/feeds/"+scope+".rss"+query), d.save(dir, "/feeds/"+scope+".atom"+query), jsonFile, schemas)
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%s: %v\n%s", scope, err, stderr.String())
			}
			var saw seenByReaders
			if err := json.Unmarshal(out, &saw); err != nil {
				t.Fatal(err)
			}
			if len(saw.JSONErrors) > 0 {
				t.Errorf("%s: JSON Feed schema: %v", scope, saw.JSONErrors)
			}
			smith := saw.FeedSmith
			counts := []int{
				len(saw.RSSParser.Items), len(saw.FeedParser["rss"]), len(saw.FeedParser["atom"]),
				len(smith.RSS.Feed.Items), len(smith.Atom.Feed.Entries), len(smith.JSON.Feed.Items),
			}
			if scope == "all" && len(f.Items) != n || slices.Min(counts) != len(f.Items) || slices.Max(counts) != len(f.Items) {
				t.Fatalf("%s: %d of %d items, the readers see %v", scope, len(f.Items), n, counts)
			}
			if saw.RSSParser.Title != f.Title {
				t.Errorf("%s: title %q and %q", scope, saw.RSSParser.Title, f.Title)
			}
			for k, i := range f.Items {
				published, err := time.Parse(time.RFC3339, i.Published)
				if err != nil {
					t.Fatal(err)
				}
				r := saw.RSSParser.Items[k]
				if r.GUID != i.ID || r.Title != i.Title || r.Link != i.URL || !r.ISODate.Equal(published) {
					t.Errorf("%s item %d: rss-parser saw %q %q %q %s, JSON has %q %q %q %s", scope, k, r.GUID, r.Title, r.Link, r.ISODate, i.ID, i.Title, i.URL, i.Published)
				}
				if query == "" && (r.Encoded == "" || r.Encoded != i.HTML) {
					t.Errorf("%s %s: content:encoded and content_html differ:\n%s\n%s", scope, i.Own.ID, r.Encoded, i.HTML)
				}
				if query != "" && r.Encoded != "" {
					t.Errorf("%s %s: a summary with a body", scope, i.Own.ID)
				}
				if len(i.Files) > 0 {
					if e := r.Enclosure; e == nil || e.URL != i.Files[0].URL || e.Type != i.Files[0].Type || e.Length != fmt.Sprint(i.Files[0].Size) {
						t.Errorf("%s %s: enclosure %+v, attachment %+v", scope, i.Own.ID, r.Enclosure, i.Files[0])
					}
				} else if r.Enclosure != nil {
					t.Errorf("%s %s: enclosure %+v of no picture", scope, i.Own.ID, r.Enclosure)
				}
				var labels []string
				for _, c := range r.Categories {
					labels = append(labels, c.Name)
					if c.Attr.Domain != "section" && c.Attr.Domain != "district" {
						t.Errorf("%s %s: category %s of domain %q", scope, i.Own.ID, c.Name, c.Attr.Domain)
					}
				}
				if len(labels) == 0 || !slices.Equal(slices.Sorted(slices.Values(labels)), slices.Sorted(slices.Values(i.Tags))) {
					t.Errorf("%s %s: categories %v, tags %v", scope, i.Own.ID, labels, i.Tags)
				}
				want := i.sighting(t)
				see := func(who, id, title, link string, date time.Time, enclosure string) {
					if got := (sighting{id, title, link, date.Unix(), enclosure}); got != want {
						t.Errorf("%s item %d: %s saw %+v, JSON has %+v", scope, k, who, got, want)
					}
				}
				for _, ext := range []string{"rss", "atom"} {
					// It takes every media:content for an enclosure, also what has no size.
					x, enclosure := saw.FeedParser[ext][k], ""
					if len(x.Enclosures) > 0 && x.Enclosures[0].Length != "" {
						enclosure = x.Enclosures[0].URL
					}
					see("feedparser in "+ext, x.GUID, x.Title, x.Link, x.Date, enclosure)
				}
				{
					x, enclosure := smith.RSS.Feed.Items[k], ""
					if len(x.Enclosures) > 0 {
						enclosure = x.Enclosures[0].URL
					}
					date, err := time.Parse(time.RFC1123Z, x.PubDate)
					if err != nil || len(x.Enclosures) > 0 && (x.Enclosures[0].Length != i.Files[0].Size || x.Enclosures[0].Type != i.Files[0].Type) {
						t.Errorf("%s item %d: feedsmith saw %+v in rss: %v", scope, k, x, err)
					}
					see("feedsmith in rss", x.GUID.Value, x.Title, x.Link, date, enclosure)
				}
				{
					x, link, enclosure := smith.Atom.Feed.Entries[k], "", ""
					for _, l := range x.Links {
						switch l.Rel {
						case "alternate":
							link = l.Href
						case "enclosure":
							if enclosure = l.Href; l.Type != i.Files[0].Type || l.Length != i.Files[0].Size {
								t.Errorf("%s item %d: feedsmith saw %+v in atom", scope, k, l)
							}
						}
					}
					see("feedsmith in atom", x.ID, x.Title.Value, link, x.Published, enclosure)
				}
				{
					x, enclosure := smith.JSON.Feed.Items[k], ""
					if len(x.Attachments) > 0 {
						enclosure = x.Attachments[0].URL
					}
					see("feedsmith in json", x.ID, x.Title, x.URL, x.Published, enclosure)
				}
			}
		}
	})
}

// told is what DESIGN's list of the content of a feed wants of every item. RSS, Atom
// and JSON Feed tell it in their own places, and must tell the same.
type told struct {
	ID, Title, Summary, Link, Other, Published, Body                             string
	People, Sections, Districts, Pictures                                        []string
	Enclosure, PaperFeed, PaperName, Day, Page, Section, Edition, Point, Updated string
}

// prism, media and the like stand in RSS and in Atom alike.
type toldExtras struct {
	Media []struct {
		URL    string `xml:"url,attr"`
		Type   string `xml:"type,attr"`
		Size   string `xml:"fileSize,attr"`
		Width  string `xml:"width,attr"`
		Height string `xml:"height,attr"`
	} `xml:"http://search.yahoo.com/mrss/ content"`
	Name    string `xml:"http://prismstandard.org/namespaces/basic/2.0/ publicationName"`
	Date    string `xml:"http://prismstandard.org/namespaces/basic/2.0/ publicationDate"`
	Page    string `xml:"http://prismstandard.org/namespaces/basic/2.0/ startingPage"`
	Section string `xml:"http://prismstandard.org/namespaces/basic/2.0/ section"`
	Issue   string `xml:"http://prismstandard.org/namespaces/basic/2.0/ issueIdentifier"`
	Point   string `xml:"http://www.georss.org/georss point"`
}

func (x toldExtras) fill(i *told) {
	for _, m := range x.Media {
		i.Pictures = append(i.Pictures, strings.Join([]string{m.URL, m.Type, m.Size, m.Width, m.Height}, " "))
	}
	i.PaperName, i.Day, i.Page, i.Section, i.Edition, i.Point = x.Name, x.Date, x.Page, x.Section, x.Issue, x.Point
}

type toldLink struct {
	Rel    string `xml:"rel,attr"` // empty: RSS's own link, which is its text
	Type   string `xml:"type,attr"`
	Href   string `xml:"href,attr"`
	Length string `xml:"length,attr"`
	Text   string `xml:",chardata"`
}

func toldByRSS(t *testing.T, doc []byte, self string) (items []told) {
	var f struct {
		Channel struct {
			Links     []toldLink `xml:"link"`
			Copyright string     `xml:"copyright"`
			Items     []struct {
				Title       string   `xml:"title"`
				Description string   `xml:"description"`
				Body        string   `xml:"http://purl.org/rss/1.0/modules/content/ encoded"`
				Creators    []string `xml:"http://purl.org/dc/elements/1.1/ creator"`
				Date        string   `xml:"pubDate"`
				GUID        struct {
					Permalink string `xml:"isPermaLink,attr"`
					ID        string `xml:",chardata"`
				} `xml:"guid"`
				Categories []struct {
					Domain string `xml:"domain,attr"`
					Name   string `xml:",chardata"`
				} `xml:"category"`
				Enclosures []struct {
					URL    string `xml:"url,attr"`
					Type   string `xml:"type,attr"`
					Length string `xml:"length,attr"`
				} `xml:"enclosure"`
				Source struct {
					URL string `xml:"url,attr"`
				} `xml:"source"`
				Links   []toldLink `xml:"link"`
				Updated string     `xml:"http://www.w3.org/2005/Atom updated"`
				toldExtras
			} `xml:"item"`
		} `xml:"channel"`
	}
	if err := xml.Unmarshal(doc, &f); err != nil {
		t.Fatal(err)
	}
	c := f.Channel
	if len(c.Links) < 2 || c.Links[0].Rel != "" || c.Links[1].Rel != "self" || !strings.HasSuffix(c.Links[1].Href, self) || c.Copyright == "" {
		t.Errorf("%s: links %+v, copyright %q", self, c.Links, c.Copyright)
	}
	for _, x := range c.Items {
		date, err := time.Parse(time.RFC1123Z, x.Date)
		if err != nil || !strings.HasSuffix(x.Date, " +0000") || x.GUID.Permalink != "false" || strings.Contains(x.Description, "<") || len(x.Enclosures) > 1 {
			t.Errorf("%s: date %s, guid %+v, %d enclosures, description %s", x.GUID.ID, x.Date, x.GUID, len(x.Enclosures), x.Description)
		}
		i := told{
			ID: x.GUID.ID, Title: x.Title, Summary: x.Description, Published: date.UTC().Format(time.RFC3339), Body: x.Body,
			People: x.Creators, PaperFeed: strings.TrimSuffix(x.Source.URL, ".rss"), Updated: x.Updated,
		}
		for _, y := range x.Categories {
			switch y.Domain {
			case "section":
				i.Sections = append(i.Sections, y.Name)
			case "district":
				i.Districts = append(i.Districts, y.Name)
			default:
				t.Errorf("%s: category %+v", i.ID, y)
			}
		}
		for _, y := range x.Enclosures {
			i.Enclosure = y.URL + " " + y.Type + " " + y.Length
		}
		for _, y := range x.Links {
			switch {
			case y.Rel == "":
				i.Link = y.Text
			case y.Rel == "via" || y.Rel == "related" && i.Other == "":
				i.Other = y.Href
			}
		}
		x.fill(&i)
		items = append(items, i)
	}
	return items
}

func toldByAtom(t *testing.T, doc []byte, self string) (items []told) {
	var f struct {
		ID      string     `xml:"id"`
		Links   []toldLink `xml:"link"`
		Rights  string     `xml:"rights"`
		Entries []struct {
			ID        string `xml:"id"`
			Title     string `xml:"title"`
			Summary   string `xml:"summary"`
			Published string `xml:"published"`
			Updated   string `xml:"updated"`
			Content   struct {
				Type string `xml:"type,attr"`
				HTML string `xml:",chardata"`
			} `xml:"http://www.w3.org/2005/Atom content"`
			Authors []struct {
				Name string `xml:"name"`
			} `xml:"author"`
			Categories []struct {
				Scheme string `xml:"scheme,attr"`
				Label  string `xml:"label,attr"`
			} `xml:"category"`
			Links  []toldLink `xml:"link"`
			Source struct {
				Link toldLink `xml:"link"`
			} `xml:"source"`
			toldExtras
		} `xml:"entry"`
	}
	if err := xml.Unmarshal(doc, &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Links) == 0 || f.Links[0].Rel != "self" || !strings.HasSuffix(f.Links[0].Href, self) || f.Rights == "" || !strings.HasPrefix(f.ID, "urn:uuid:") {
		t.Errorf("%s: id %s, links %+v, rights %q", self, f.ID, f.Links, f.Rights)
	}
	for _, x := range f.Entries {
		i := told{
			ID: x.ID, Title: x.Title, Summary: x.Summary, Published: x.Published, Body: x.Content.HTML, PaperFeed: strings.TrimSuffix(x.Source.Link.Href, ".atom"),
		}
		if x.Updated != x.Published {
			i.Updated = x.Updated
		}
		for _, y := range x.Authors {
			i.People = append(i.People, y.Name)
		}
		for _, y := range x.Categories {
			switch {
			case strings.HasSuffix(y.Scheme, "/section/"):
				i.Sections = append(i.Sections, y.Label)
			case strings.HasSuffix(y.Scheme, "/district/"):
				i.Districts = append(i.Districts, y.Label)
			default:
				t.Errorf("%s: category %+v", i.ID, y)
			}
		}
		for _, y := range x.Links {
			switch {
			case y.Rel == "alternate":
				i.Link = y.Href
			case y.Rel == "enclosure":
				i.Enclosure = y.Href + " " + y.Type + " " + y.Length
			case y.Rel == "via" || y.Rel == "related" && i.Other == "":
				i.Other = y.Href
			}
		}
		x.fill(&i)
		items = append(items, i)
	}
	return items
}

func toldByJSON(t *testing.T, doc []byte, self string) (items []told) {
	var f struct {
		FeedURL string `json:"feed_url"`
		Own     struct{ Copyright string }
		Items   []struct {
			ID, URL, Title, Summary string
			Other                   string `json:"external_url"`
			HTML                    string `json:"content_html"`
			Published               string `json:"date_published"`
			Updated                 string `json:"date_modified"`
			Authors                 []struct{ Name string }
			Attachments             []struct {
				URL  string
				Type string `json:"mime_type"`
				Size int    `json:"size_in_bytes"`
				Own  struct{ Width, Height int }
			}
			Own struct {
				Day, Page, Point, Feed, Paper string
				Name                          string `json:"paper_name"`
				Sections, Districts           []struct{ Name string }
			}
		}
	}
	doc = bytes.ReplaceAll(doc, []byte(`"_paperwire":`), []byte(`"Own":`))
	if err := json.Unmarshal(doc, &f); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(f.FeedURL, self) || f.Own.Copyright == "" {
		t.Errorf("%s: feed_url %s, copyright %q", self, f.FeedURL, f.Own.Copyright)
	}
	for _, x := range f.Items {
		o := x.Own
		i := told{
			ID: x.ID, Title: x.Title, Summary: x.Summary, Link: x.URL, Other: x.Other, Published: x.Published, Body: x.HTML, Updated: x.Updated,
			PaperFeed: strings.TrimSuffix(o.Feed, ".json"), PaperName: o.Name, Day: o.Day, Page: o.Page, Point: o.Point, Edition: o.Paper + "-" + strings.ReplaceAll(o.Day, "-", ""),
		}
		for _, y := range x.Authors {
			i.People = append(i.People, y.Name)
		}
		for _, y := range o.Sections {
			i.Sections = append(i.Sections, y.Name)
		}
		if len(i.Sections) > 0 {
			i.Section = i.Sections[0]
		}
		for _, y := range o.Districts {
			i.Districts = append(i.Districts, y.Name)
		}
		for k, y := range x.Attachments {
			i.Pictures = append(i.Pictures, fmt.Sprint(y.URL, " ", y.Type, " ", y.Size, " ", y.Own.Width, " ", y.Own.Height))
			if k == 0 {
				i.Enclosure = fmt.Sprint(y.URL, " ", y.Type, " ", y.Size)
			}
		}
		items = append(items, i)
	}
	return items
}

// What DESIGN wants of every item stands in RSS, Atom and JSON Feed, and is the same
// in all of them.
func TestConformanceContent(t *testing.T) {
	d := demoDaemon(t)
	points, pictures := 0, 0
	for _, scope := range d.scopesOf() {
		at := "/feeds/" + scope
		asked := d.ok(at + ".json").body
		byJSON := toldByJSON(t, asked, at+".json")
		byRSS := toldByRSS(t, d.ok(at+".rss").body, at+".rss")
		byAtom := toldByAtom(t, d.ok(at+".atom").body, at+".atom")
		if len(byRSS) != len(byJSON) || len(byAtom) != len(byJSON) {
			t.Fatalf("%s: %d, %d and %d items", scope, len(byRSS), len(byAtom), len(byJSON))
		}
		for k, want := range byJSON {
			if scope == "paper/demo" {
				byAtom[k].PaperFeed = want.PaperFeed // of the paper's own feed it says nothing
			}
			for who, got := range map[string]told{"RSS": byRSS[k], "Atom": byAtom[k]} {
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%s item %d:\n%s says %+v\nJSON says %+v", scope, k, who, got, want)
				}
			}
			for what, missing := range map[string]bool{
				"an id": !strings.HasPrefix(want.ID, "urn:uuid:"), "a title": want.Title == "", "a summary": want.Summary == "", "a link": want.Link == "", "the other link": want.Other == "",
				"a body": want.Body == "", "people": len(want.People) == 0, "sections": len(want.Sections) == 0, "its paper's feed": want.PaperFeed == "",
				"paper": want.PaperName == "", "day": want.Day == "", "page": want.Page == "",
				"the size of its first picture": len(want.Pictures) > 0 && !firstPicture.MatchString(want.Body),
			} {
				if missing {
					t.Errorf("%s %s has not %s", scope, want.Title, what)
				}
			}
			if want.Point != "" {
				points++
			}
			pictures += len(want.Pictures)
		}
	}
	if points == 0 || pictures == 0 {
		t.Errorf("%d points, %d pictures", points, pictures)
	}
}

// The first <img> of a body, with a width and a height.
var firstPicture = regexp.MustCompile(`^(?s:[^<]|<[^i]|<i[^m])*<img [^>]*width="\d+" height="\d+"`)

// Both versions of ninjs satisfy IPTC's schemas, the feed and every item alone, and
// hold what JSON Feed holds.
func TestConformanceNinjs(t *testing.T) {
	node := papertest.Need(t, "node")
	nodeModules(t)
	papers(t, func(t *testing.T, d *daemon, n int) {
		dir := t.TempDir()
		addresses := map[string]string{}
		args := []string{"testdata/syndicate/tools/validate.mjs", schemas}
		for _, scope := range d.scopesOf() {
			for _, ext := range []string{"ninjs", "ninjs3"} {
				for _, query := range []string{"", "?full=0", "?limit=1"} {
					file := d.save(dir, "/feeds/"+scope+"."+ext+query)
					addresses[file] = scope + " " + ext + " " + query
					args = append(args, file)
				}
			}
		}
		var saw map[string]struct {
			Errors []any
			Items  []struct {
				ID, Title, Link, Body string
				Published             time.Time
				Pictures              []string
			}
		}
		if err := json.Unmarshal(command(t, node, args...), &saw); err != nil {
			t.Fatal(err)
		}
		all := d.demoItems("all")
		for file, what := range addresses {
			doc := saw[file]
			if len(doc.Errors) > 0 {
				t.Errorf("%s: %v", what, doc.Errors)
			}
			if scope, query := strings.Fields(what)[0], strings.HasSuffix(what, " "); scope != "all" || !query {
				continue
			}
			if len(doc.Items) != n {
				t.Fatalf("%s: %d of %d items", what, len(doc.Items), n)
			}
			for k, i := range all {
				x := doc.Items[k]
				got := sighting{x.ID, x.Title, x.Link, x.Published.Unix(), ""}
				if len(x.Pictures) > 0 {
					got.Enclosure = x.Pictures[0]
				}
				want := i.sighting(t)
				want.Enclosure = i.Image // the first picture, whether or not its type is known
				if got != want || x.Body == "" || !strings.Contains(i.HTML, x.Body) && len(x.Pictures) == 0 {
					t.Errorf("%s item %d: %+v, JSON has %+v", what, k, got, want)
				}
			}
		}
	})
}

// The list for WeChat holds the newest edition in page order, within the limits of
// a draft, eight articles at a time.
func TestConformanceWechat(t *testing.T) {
	length := func(s string) int { return len(utf16.Encode([]rune(s))) }
	papers(t, func(t *testing.T, d *daemon, n int) {
		for _, scope := range d.scopesOf() {
			items := d.demoItems(scope)
			newest := ""
			for _, i := range items {
				newest = max(newest, i.Own.Day)
			}
			items = slices.DeleteFunc(items, func(i demoItem) bool { return i.Own.Day != newest })
			slices.SortStableFunc(items, func(a, b demoItem) int {
				return cmp.Or(strings.Compare(a.Own.Page, b.Own.Page), cmp.Compare(a.Own.Position, b.Own.Position))
			})
			if n != demoArticles && len(items) == 10 && !strings.HasSuffix(items[0].Title, "甲") {
				t.Errorf("the lead is %s", items[0].Title)
			}
			for part := 1; part < 4; part++ {
				path := "/feeds/" + scope + ".wechat"
				if part > 1 {
					path += fmt.Sprint("?part=", part)
				}
				a := d.ok(path)
				if got := a.Header.Get("Content-Type"); got != "application/json" {
					t.Errorf("%s: %s", path, got)
				}
				var doc struct {
					Articles []struct {
						Title, Author, Digest, Content string
						Source                         string `json:"content_source_url"`
						Cover                          string `json:"cover_url"`
						Square                         string `json:"cover_square_url"`
					}
				}
				if err := json.Unmarshal(a.body, &doc); err != nil || doc.Articles == nil {
					t.Fatalf("%s: %v %s", path, err, tail(string(a.body), 200))
				}
				want := items[min(len(items), (part-1)*8):min(len(items), part*8)]
				if len(doc.Articles) != len(want) {
					t.Fatalf("%s: %d articles, want %d", path, len(doc.Articles), len(want))
				}
				for k, x := range doc.Articles {
					i := want[k]
					if x.Source != i.URL || x.Title == "" || length(x.Title) > 32 || !strings.HasPrefix(i.Title, strings.TrimSuffix(x.Title, "…")) {
						t.Errorf("%s %d: %q at %s, JSON has %q at %s", path, k, x.Title, x.Source, i.Title, i.URL)
					}
					if length(x.Author) == 0 || length(x.Author) > 16 || length(x.Digest) == 0 || length(x.Digest) > 128 || length(x.Content) >= 20_000 || x.Content == "" {
						t.Errorf("%s %d: author %q, digest of %d, content of %d characters", path, k, x.Author, length(x.Digest), length(x.Content))
					}
					// The card's pictures: cropped from the article's own, or set in type.
					if card := "/a/" + i.Own.ID + "/card/"; !strings.HasSuffix(x.Cover, card+"wechat_cover.jpg") || !strings.HasSuffix(x.Square, card+"r1x1.jpg") {
						t.Errorf("%s %d: cover %q, %q", path, k, x.Cover, x.Square)
					}
					for _, bad := range badNesting([]byte(x.Content)) {
						t.Errorf("%s %d: %s", path, k, bad)
					}
					for _, bad := range []string{"<script", "<iframe", "<style", "<link", " class=", "<a ", " id="} {
						if strings.Contains(strings.ToLower(x.Content), bad) {
							t.Errorf("%s %d holds %s: %s", path, k, bad, x.Content)
						}
					}
				}
			}
		}
	})
}

// Python's feedparser, which robots and planets use, finds nothing to complain of.
func TestConformancePython(t *testing.T) {
	python := ""
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(name, "-c", "import feedparser").Run() == nil {
			python = name
			break
		}
	}
	if python == "" {
		if os.Getenv("PAPERWIRE_TEST_ALL") == "1" {
			t.Fatal("python3 has no feedparser: apt install python3-feedparser")
		}
		t.Skip("python3 has no feedparser")
	}
	const program = `
import calendar, feedparser, json, sys
out = {}
for name in sys.argv[1:]:
    f = feedparser.parse(name)
    out[name] = {"bozo": str(f.bozo_exception) if f.bozo else "", "version": f.version,
        "items": [{"id": e.id, "title": e.title, "link": e.link, "date": calendar.timegm(e.published_parsed),
            "enclosure": next((x.href for x in e.get("enclosures", [])), "")} for e in f.entries]}
json.dump(out, sys.stdout)`
	papers(t, func(t *testing.T, d *daemon, n int) {
		dir := t.TempDir()
		files := map[string]string{"rss20": d.save(dir, "/feeds/all.rss"), "atom10": d.save(dir, "/feeds/all.atom")}
		out, err := exec.Command(python, "-c", program, files["rss20"], files["atom10"]).Output()
		if err != nil {
			t.Fatal(err)
		}
		var saw map[string]struct {
			Bozo, Version string
			Items         []sighting
		}
		if err := json.Unmarshal(out, &saw); err != nil {
			t.Fatal(err)
		}
		items := d.demoItems("all")
		for version, file := range files {
			f := saw[file]
			if f.Bozo != "" || f.Version != version || len(f.Items) != n {
				t.Fatalf("%s: %q, version %s, %d items of %d", version, f.Bozo, f.Version, len(f.Items), n)
			}
			for k, i := range items {
				// It takes titles for HTML, and tells them as such.
				got, want := f.Items[k], i.sighting(t)
				if got.Title = html.UnescapeString(got.Title); got != want {
					t.Errorf("%s item %d: %+v, JSON has %+v", version, k, got, want)
				}
			}
		}
	})
}

// newsboat subscribes over HTTP, shows every title and is answered 304 later on.
func TestConformanceNewsboat(t *testing.T) {
	papers(t, func(t *testing.T, d *daemon, n int) {
		target, err := url.Parse(d.url)
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		statuses := map[string][]int{}
		proxy := httputil.NewSingleHostReverseProxy(target)
		proxy.ModifyResponse = func(r *http.Response) error {
			mu.Lock()
			defer mu.Unlock()
			statuses[r.Request.URL.Path] = append(statuses[r.Request.URL.Path], r.StatusCode)
			return nil
		}
		front := httptest.NewServer(proxy)
		defer front.Close()
		items := d.demoItems("all")
		for _, ext := range []string{"rss", "atom"} {
			path := "/feeds/all." + ext
			rows := newsboat(t, front.URL+path)
			mu.Lock()
			// It asks conditionally from the third time on.
			if got := statuses[path]; len(got) != 4 || got[0] != http.StatusOK || got[3] != http.StatusNotModified {
				t.Errorf("%s: newsboat was answered %v", path, got)
			}
			mu.Unlock()
			if len(rows) != n {
				t.Errorf("%s: newsboat holds %d of %d items", path, len(rows), n)
			}
			for _, i := range items {
				published, _ := time.Parse(time.RFC3339, i.Published)
				row := rows[i.ID]
				// (Of enclosures it keeps only what can be played.)
				if row.Title != i.Title || row.URL != i.URL || row.PubDate != published.Unix() || row.Content == "" {
					t.Errorf("%s: %s %q is %+v in newsboat", path, i.ID, i.Title, row)
				}
			}
		}
	})
}

type boatRow struct {
	GUID, Title, URL, Content string
	PubDate                   int64
}

// boat is a newsboat with a directory of its own.
type boat struct {
	testing.TB
	dir string
}

// newBoat subscribes to feeds. Without newsboat the test is skipped.
func newBoat(t testing.TB, feeds ...string) boat {
	t.Helper()
	papertest.Need(t, "newsboat")
	papertest.Need(t, "sqlite3")
	b := boat{t, t.TempDir()}
	for name, text := range map[string]string{"urls": strings.Join(feeds, "\n") + "\n", "config": "download-retries 1\n"} {
		if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// do runs one of newsboat's commands (-x).
func (b boat) do(command string) string {
	b.Helper()
	at := func(name string) string { return filepath.Join(b.dir, name) }
	cmd := exec.Command("newsboat", "-q", "-u", at("urls"), "-c", at("cache.db"), "-C", at("config"), "-x", command)
	cmd.Env = append(os.Environ(), "HOME="+b.dir, "XDG_CONFIG_HOME="+b.dir, "XDG_DATA_HOME="+b.dir, "LC_ALL=C.UTF-8", "TERM=dumb", "http_proxy=", "no_proxy=*")
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("newsboat -x %s: %v\n%s", command, err, out)
	}
	return string(out)
}

// rows is what newsboat holds, by guid.
func (b boat) rows() map[string]boatRow {
	b.Helper()
	out := command(b, "sqlite3", "-json", filepath.Join(b.dir, "cache.db"), "SELECT guid, title, url, pubDate, content FROM rss_item WHERE deleted = 0")
	var list []boatRow
	if err := json.Unmarshal(out, &list); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	rows := map[string]boatRow{}
	for _, r := range list {
		rows[r.GUID] = r
	}
	if out := b.do("print-unread"); len(rows) != len(list) || !strings.HasPrefix(out, fmt.Sprint(len(rows), " ")) {
		b.Errorf("newsboat holds %d items, %d different ones, and says %q", len(list), len(rows), out)
	}
	return rows
}

// newsboat subscribes to a feed, reloads it four times and gives what it then
// holds, by guid. An item is filed under one feed only, so each has a cache of
// its own.
func newsboat(t *testing.T, feed string) map[string]boatRow {
	t.Helper()
	b := newBoat(t, feed)
	for range 4 {
		b.do("reload")
	}
	return b.rows()
}

// voidElements have no end (HTML §13.1.2). Every other end is written out in our
// pages, so that simple parsers read them too.
var voidElements = []string{"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}

// badNesting tells what does not nest in a page.
func badNesting(page []byte) (bad []string) {
	var open []string
	ids := map[string]bool{}
	z := html.NewTokenizer(bytes.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				bad = append(bad, fmt.Sprintf("never closed: %v", open))
			}
			return bad
		case html.StartTagToken:
			tok := z.Token()
			seen := map[string]bool{}
			for _, a := range tok.Attr {
				if seen[a.Key] {
					bad = append(bad, "attribute twice: "+tok.String())
				}
				seen[a.Key] = true
				if a.Key == "id" && ids[a.Val] {
					bad = append(bad, "id twice: "+a.Val)
				}
				if a.Key == "id" {
					ids[a.Val] = true
				}
				if strings.HasPrefix(a.Key, "on") {
					bad = append(bad, "script in "+tok.String())
				}
			}
			if !slices.Contains(voidElements, tok.Data) {
				open = append(open, tok.Data)
			}
		case html.EndTagToken:
			tok := z.Token()
			if len(open) == 0 || open[len(open)-1] != tok.Data {
				return append(bad, fmt.Sprintf("</%s> within %v", tok.Data, open))
			}
			open = open[:len(open)-1]
		}
	}
}

// Pages nest, whatever the paper printed.
func TestConformanceHTML(t *testing.T) {
	for page, want := range map[string]int{"<p>a<br></p>": 0, "<p><b>a</p></b>": 1, "<div>": 1, "<i id=a></i><i id=a></i>": 1, "<p onclick=a></p>": 1, "</p>": 1} {
		if got := badNesting([]byte(page)); len(got) != want {
			t.Errorf("%s: %v", page, got)
		}
	}
	papers(t, func(t *testing.T, d *daemon, n int) {
		paths := []string{"/", "/status", "/nothing", "/a/nothing"}
		for _, scope := range d.scopesOf() {
			paths = append(paths, "/"+scope)
		}
		days := map[string]bool{}
		for _, i := range d.demoItems("all") {
			paths = append(paths, "/a/"+i.Own.ID)
			days["/editions/"+i.Own.Paper+"/"+i.Own.Day] = true
		}
		for path := range days {
			paths = append(paths, path)
		}
		for _, path := range paths {
			for _, lang := range []string{"zh-CN", "en"} {
				a := d.get(path, "Accept", "text/html", "Accept-Language", lang)
				if !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") || !bytes.HasPrefix(bytes.ToLower(a.body), []byte("<!doctype html>")) || !utf8.Valid(a.body) {
					t.Errorf("%s is no page: %s", path, a.Header.Get("Content-Type"))
				}
				if got := a.Header.Get("Content-Language"); got != lang {
					t.Errorf("%s in %s is in %q", path, lang, got)
				}
				for _, bad := range badNesting(a.body) {
					t.Errorf("%s: %s", path, bad)
				}
				if bytes.Contains(a.body, []byte("<script>alert")) {
					t.Errorf("%s runs what the paper printed", path)
				}
				for _, c := range string(a.body) {
					if c < 0x20 && c != '\n' && c != '\t' && c != '\r' || c == 0x7F {
						t.Errorf("%s holds %U", path, c)
						break
					}
				}
			}
			if !strings.HasPrefix(path, "/a/"+paperOf(d)) {
				continue
			}
			// JSON-LD parses, in every article.
			_, rest, ok := strings.Cut(string(d.get(path).body), `<script type="application/ld+json">`)
			ld, _, _ := strings.Cut(rest, "</script>")
			var v map[string]any
			if err := json.Unmarshal([]byte(ld), &v); !ok || err != nil || v["@type"] != "NewsArticle" || v["headline"] == "" {
				t.Errorf("%s: JSON-LD: %v %s", path, err, ld)
			}
		}
	})
}

// paperOf is the key of the only paper a daemon has.
func paperOf(d *daemon) string {
	items := d.demoItems("all")
	if len(items) == 0 {
		d.t.Fatal("no items")
	}
	return items[0].Own.Paper
}
