package papertest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"image"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"paperwire/internal/paper"
)

func start(t *testing.T, o Options) *Publisher {
	t.Helper()
	p := New(o)
	t.Cleanup(p.Close)
	return p
}

// get asks once, following no redirect and decompressing nothing.
func get(t *testing.T, url string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "identity")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	return resp, string(body)
}

var links = regexp.MustCompile(`(?i)(?:href|src|url)=["']?([^"' >]+)`)

// crawl follows every link of the site from its entry and gives the answers by
// path; a link within the site that leads nowhere is an error.
func crawl(t *testing.T, p *Publisher) map[string]string {
	t.Helper()
	seen := map[string]string{}
	queue := []string{p.URL()}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		u, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := seen[u.RequestURI()]; ok || !strings.HasPrefix(at, p.base) || strings.Contains(at, "/pad/") {
			continue
		}
		resp, body := get(t, at)
		if resp.StatusCode == http.StatusFound {
			body = `<a href="` + resp.Header.Get("Location") + `">`
		} else if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", at, resp.Status)
		}
		seen[u.RequestURI()] = body
		if strings.HasPrefix(resp.Header.Get("Content-Type"), "image/") || strings.HasSuffix(at, ".pdf") {
			continue
		}
		for _, m := range links.FindAllStringSubmatch(body, -1) {
			if next, err := u.Parse(html.UnescapeString(m[1])); err == nil && next.Fragment == "" && next.Path != "" {
				queue = append(queue, next.String())
			}
		}
	}
	return seen
}

func TestEveryLinkLeadsSomewhere(t *testing.T) {
	for _, form := range []Form{FounderClassic, FounderNew, PaperIndex, S, H, N, TRS} {
		for _, charset := range []string{"utf-8", "gb18030"} {
			t.Run(string(form)+" "+charset, func(t *testing.T) {
				p := start(t, Options{Key: "jzrb", Form: form, Charset: charset, Pages: 3, ArticlesPerPage: 3})
				p.NextDay()
				seen := crawl(t, p)
				for _, day := range []paper.Day{"2026-03-17", "2026-03-18"} {
					if form == TRS && day != p.Day() {
						continue // no link leads to past editions
					}
					list := p.Articles(day)
					if len(list) != 9 {
						t.Fatalf("%s lists %d articles, want 9", day, len(list))
					}
					for _, a := range list {
						u, _ := url.Parse(a.URL)
						body := seen[u.RequestURI()]
						if charset == "gb18030" {
							body, _ = simplifiedchinese.GB18030.NewDecoder().String(body)
						}
						if !strings.Contains(body, a.Headline) {
							t.Errorf("%s does not print its headline %s", a.URL, a.Headline)
						}
					}
				}
				for path, body := range seen {
					switch {
					case strings.Contains(path, ".jpg"), strings.HasSuffix(path, ".png"):
						if _, _, err := image.DecodeConfig(strings.NewReader(body)); err != nil {
							t.Errorf("%s: %v", path, err)
						}
					case strings.HasSuffix(path, ".pdf"):
						if !strings.HasPrefix(body, "%PDF-") {
							t.Errorf("%s is no PDF", path)
						}
					}
				}
			})
		}
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	site := func(seed int64) map[string]string {
		p := New(Options{Seed: seed, Base: "http://demo.example"})
		p.NextDay()
		all := map[string]string{}
		for path := range p.build() {
			all[path] = string(p.render(path, false).body)
		}
		return all
	}
	a, b, c := site(7), site(7), site(8)
	if len(a) < 40 || len(a) != len(b) {
		t.Fatalf("%d and %d documents", len(a), len(b))
	}
	for path, body := range a {
		if b[path] != body {
			t.Errorf("%s differs between two publishers of one seed", path)
		}
	}
	same := 0
	for path, body := range a {
		if len(body) > 0 && c[path] == body {
			same++
		}
	}
	if same > 12 { // entries and PDFs of empty words may agree
		t.Errorf("another seed gave %d equal documents of %d", same, len(a))
	}
}

func TestProse(t *testing.T) {
	p := New(Options{Base: "http://demo.example", Pages: 8, ArticlesPerPage: 6})
	for range 9 {
		p.NextDay()
	}
	heads, named, day := map[string]bool{}, map[string]int{}, paper.Day("2026-03-17")
	for ; day <= p.Day(); day = day.Add(1) {
		for _, a := range p.Articles(day) {
			if heads[a.Headline] {
				t.Errorf("headline %s twice", a.Headline)
			}
			heads[a.Headline] = true
			text := strings.Join(a.Paragraphs, "")
			if n := utf8.RuneCountInString(text); n < 300 || n > 1500 {
				t.Errorf("%s has %d characters", a.Headline, n)
			}
			if strings.ContainsAny(text+a.Headline+a.Kicker+a.Subtitle, "{}") {
				t.Errorf("a gap was left: %s %s", a.Headline, text)
			}
			for _, d := range districts {
				if strings.Contains(a.Headline+text, d) {
					named[d]++
				}
			}
		}
	}
	if len(heads) != 480 {
		t.Errorf("%d headlines, want 480", len(heads))
	}
	for _, d := range districts {
		if named[d] == 0 {
			t.Errorf("no article names %s", d)
		}
	}
}

func TestConditional(t *testing.T) {
	p := start(t, Options{})
	a := p.Articles(p.Day())[0]
	resp, _ := get(t, a.URL)
	tag, modified := resp.Header.Get("ETag"), resp.Header.Get("Last-Modified")
	if tag == "" || modified == "" {
		t.Fatalf("ETag %q, Last-Modified %q", tag, modified)
	}
	for _, h := range [][]string{{"If-None-Match", tag}, {"If-Modified-Since", modified}} {
		if resp, body := get(t, a.URL, h...); resp.StatusCode != http.StatusNotModified || body != "" {
			t.Errorf("%s: %s", h[0], resp.Status)
		}
	}
	p.Correct(a.ID, func(a *Article) { a.Paragraphs[0] += "更正之后。" })
	for _, h := range [][]string{{"If-None-Match", tag}, {"If-Modified-Since", modified}} {
		if resp, body := get(t, a.URL, h...); resp.StatusCode != 200 || !strings.Contains(body, "更正之后。") {
			t.Errorf("%s after a correction: %s", h[0], resp.Status)
		}
	}
	if n := p.Count("content_"+a.ID, http.StatusNotModified); n != 2 {
		t.Errorf("counted %d answers 304, want 2", n)
	}
	p.Validators(false)
	if resp, _ := get(t, a.URL, "If-None-Match", tag); resp.StatusCode != 200 || resp.Header.Get("ETag") != "" {
		t.Errorf("without validators: %s, ETag %s", resp.Status, resp.Header.Get("ETag"))
	}
}

func TestRange(t *testing.T) {
	p := start(t, Options{})
	_, body := get(t, p.Articles(p.Day())[0].URL)
	m := regexp.MustCompile(`(?i)<img src="\.\./\.\./\.\./(res[^"]+)"`).FindStringSubmatch(body)
	if m == nil {
		t.Fatal("the lead has no picture")
	}
	resp, part := get(t, p.base+"/test/"+m[1], "Range", "bytes=0-99")
	if resp.StatusCode != http.StatusPartialContent || len(part) != 100 {
		t.Errorf("%s, %d bytes", resp.Status, len(part))
	}
	if r := p.Requests(); r[len(r)-1].Range != "bytes=0-99" || r[len(r)-1].Bytes != 100 {
		t.Errorf("recorded %+v", r[len(r)-1])
	}
}

func TestNewsroom(t *testing.T) {
	p := start(t, Options{Form: FounderNew})
	day := p.Day()
	list := p.Articles(day)
	p.Withdraw(list[1].ID)
	if resp, _ := get(t, list[1].URL); resp.StatusCode != http.StatusNotFound {
		t.Errorf("withdrawn: %s", resp.Status)
	}
	if _, body := get(t, p.URL()); strings.Contains(body, list[1].ID) {
		t.Error("the page still lists what was withdrawn")
	}
	id := p.AddLate(day, "02", Article{Headline: "晚到的消息", Paragraphs: []string{"晚到的正文。"}})
	now := p.Articles(day)
	i := slices.IndexFunc(now, func(a Article) bool { return a.ID == id })
	if i < 0 || now[i].Page.Number != "02" || now[i].Position != 5 {
		t.Fatalf("late article at %d of %d", i, len(now))
	}
	if _, body := get(t, now[i].URL); !strings.Contains(body, "晚到的正文。") {
		t.Error("the late article is not served")
	}
	if p.Rest(); p.NextDay() != "2026-03-19" {
		t.Errorf("after a day of rest comes %s", p.Day())
	}
	_, calendar := get(t, p.base+"/test/pc/layout/202603/period.xml")
	var got struct {
		Period []struct {
			Date  string `xml:"period_date"`
			Front string `xml:"front_page"`
		} `xml:"period"`
	}
	if err := xml.Unmarshal([]byte(calendar), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Period) != 2 || got.Period[1].Date != "2026-03-19" || got.Period[1].Front != "node_01.html" {
		t.Errorf("calendar %+v", got)
	}
}

func TestSwitch(t *testing.T) {
	p := start(t, Options{Key: "jzrb"})
	before := p.Articles(p.Day())
	p.Switch(FounderNew, true)
	after := p.Articles(p.Day())
	for i, a := range after {
		if a.ID == before[i].ID || a.Headline != before[i].Headline {
			t.Errorf("article %s became %s", before[i].ID, a.ID)
		}
		if resp, _ := get(t, before[i].URL); resp.StatusCode != http.StatusNotFound {
			t.Errorf("the old page %s is still there: %s", before[i].URL, resp.Status)
		}
	}
	resp, _ := get(t, p.URL())
	if got := resp.Header.Get("Location"); resp.StatusCode != http.StatusFound || got != "/jzrb/pc/layout/index.html" {
		t.Errorf("the old entry leads to %q (%s)", got, resp.Status)
	}
	if seen := crawl(t, p); len(seen) < 20 {
		t.Errorf("only %d documents in the new form", len(seen))
	}
}

func TestPublishExplicitPages(t *testing.T) {
	for _, form := range []Form{FounderClassic, FounderNew} {
		p := start(t, Options{Form: form, Pages: -1})
		if resp, _ := get(t, p.URL()); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: before the first edition the entry answers %s", form, resp.Status)
		}
		day := p.Day()
		article := Article{
			ID: "77", Kicker: "肩题", Headline: "主题<br>第二行", Subtitle: "——副题", Byline: "□本报记者某某\n通讯员某某 文/摄",
			Paragraphs: []string{"第一段 <b> & 。", "<TABLE><TR><TD>格</TD></TR></TABLE>"},
			Images:     []Image{{Caption: "上图"}, {Caption: "插图", Inline: true, Format: "png"}},
		}
		front := Page{Number: "A01", Name: "头版", Articles: []Article{{ID: "76", Headline: "别的", Paragraphs: []string{"正文。"}}}, Featured: []string{"77"}}
		p.Publish(day, []Page{front, {Number: "A02", Articles: []Article{article}}})
		list := p.Articles(day)
		if len(list) != 2 || list[1].Page.Number != "A02" || list[1].Position != 1 {
			t.Fatalf("%s: %+v", form, list)
		}
		_, body := get(t, list[1].URL)
		for _, want := range []string{"肩题", "主题<br>第二行", "——副题", "　　□本报记者某某<br>　　通讯员某某 文/摄", "第一段 &lt;b&gt; &amp; 。", "<TABLE><TR><TD>格</TD></TR></TABLE>", "上图", "插图", "主题 第二行</"} {
			if !strings.Contains(body, want) {
				t.Errorf("%s: the article lacks %s", form, want)
			}
		}
		if i, j := strings.Index(body, "第一段"), strings.Index(body, "插图"); i > j {
			t.Errorf("%s: the picture in the text stands before the text", form)
		}
		index := p.base + "/test/html/2026-03/17/node_2.htm"
		if form == FounderNew {
			index = p.base + "/test/pc/layout/202603/17/node_A01.html"
		}
		_, body = get(t, index)
		if strings.Count(body, "content_77.htm") != 1 || strings.Count(body, "content_76.htm") != 2 {
			t.Errorf("%s: the front page names its own article %d times, the featured one %d times", form, strings.Count(body, "content_76.htm"), strings.Count(body, "content_77.htm"))
		}
		// Printed again the edition is another one; an id that stays keeps its URL.
		p.Publish(day, []Page{{Number: "A01", Name: "头版", Articles: []Article{article}}})
		if again := p.Articles(day); len(again) != 1 || again[0].URL != list[1].URL || again[0].Page.Number != "A01" {
			t.Errorf("%s: printed again: %+v", form, again)
		}
		if resp, _ := get(t, list[0].URL); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: what is printed no more answers %s", form, resp.Status)
		}
	}
}

// The areas of a page's picture cover its articles without touching.
func TestAreas(t *testing.T) {
	for n := range 15 {
		list := areas(n)
		if len(list) != n {
			t.Fatalf("%d areas for %d articles", len(list), n)
		}
		for i, a := range list {
			if a.x0 >= a.x1 || a.y0 >= a.y1 || a.x0 < 0 || a.x1 > 1000 || a.y1 > 1000 {
				t.Errorf("of %d: %+v", n, a)
			}
			for _, b := range list[:i] {
				if a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1 {
					t.Errorf("of %d: %+v and %+v overlap", n, a, b)
				}
			}
		}
	}
}

func TestEntries(t *testing.T) {
	for way, want := range map[string]string{"meta": "CONTENT=\"0; URL=html/2026-03/17/node_2.htm\"", "script": "window.location.href=\"html/2026-03/17/node_2.htm\"", "timeout": "javascript:location.href='html/2026-03/17/node_2.htm'"} {
		p := start(t, Options{Entry: way})
		if _, body := get(t, p.URL()); !strings.Contains(body, want) {
			t.Errorf("%s: %s", way, body)
		}
	}
	p := start(t, Options{Entry: "redirect"})
	if resp, _ := get(t, p.URL()); resp.Header.Get("Location") != "/test/html/2026-03/17/node_2.htm" {
		t.Errorf("redirect to %s", resp.Header.Get("Location"))
	}
	if resp, _ := get(t, p.base+"/robots.txt"); resp.StatusCode != 404 {
		t.Errorf("robots.txt: %s", resp.Status)
	}
}

func TestFaults(t *testing.T) {
	p := start(t, Options{})
	a := p.Articles(p.Day())[0]
	_, right := get(t, a.URL)

	p.Misbehave(Status(503, 90*time.Second).On("content_").Times(2))
	for want := range 3 {
		resp, _ := get(t, a.URL)
		if want < 2 && (resp.StatusCode != 503 || resp.Header.Get("Retry-After") != "90") || want == 2 && resp.StatusCode != 200 {
			t.Errorf("answer %d: %s", want, resp.Status)
		}
	}
	p.Misbehave(Status(500, 0).On("node_"))
	if resp, _ := get(t, a.URL); resp.StatusCode != 200 {
		t.Errorf("a fault on pages struck an article: %s", resp.Status)
	}
	p.Behave()

	p.Misbehave(CutOff())
	resp, err := http.Get(a.URL)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) || len(body) == 0 || len(body) >= len(right) {
		t.Errorf("cut off: %d of %d bytes, %v", len(body), len(right), err)
	}
	resp.Body.Close()
	p.Behave()

	p.Reset()
	p.Misbehave(Down())
	if resp, err := http.Get(a.URL); err == nil {
		resp.Body.Close()
		t.Errorf("down: %s", resp.Status)
	}
	if r := p.Requests(); len(r) != 1 || r[0].Status != 0 {
		t.Errorf("down recorded %+v", r)
	}
	p.Behave()

	for _, f := range []Fault{Captcha(), Challenge(), Empty()} {
		p.Misbehave(f)
		if resp, body := get(t, a.URL); resp.StatusCode != 200 || strings.Contains(body, a.Headline) {
			t.Errorf("%s: %s", f.kind, resp.Status)
		}
		p.Behave()
	}

	p.Misbehave(RedirectLoop())
	if _, err := http.Get(a.URL); err == nil || !strings.Contains(err.Error(), "10 redirects") {
		t.Errorf("loop: %v", err)
	}
	p.Behave()

	p.Misbehave(Huge())
	if _, body := get(t, a.URL); len(body) < 60<<20 {
		t.Errorf("huge is %d bytes", len(body))
	}
	p.Misbehave(Bomb())
	if _, body := get(t, a.URL); len(body) > 1<<20 {
		t.Errorf("the bomb is %d bytes", len(body))
	} else if z, err := gzip.NewReader(strings.NewReader(body)); err != nil {
		t.Error(err)
	} else if n, err := io.Copy(io.Discard, z); n < 60<<20 || err != nil {
		t.Errorf("the bomb inflates to %d bytes, %v", n, err)
	}
	p.Behave()

	done := make(chan struct{})
	p.Misbehave(Slow(time.Hour))
	go func() {
		defer close(done)
		c := http.Client{Timeout: 20 * time.Millisecond}
		if resp, err := c.Get(a.URL); err == nil {
			resp.Body.Close()
			t.Error("slow answered within its time")
		}
	}()
	<-done
}

func TestCharsets(t *testing.T) {
	const rare = "㳇𠅤" // four bytes each in GB18030, none in GBK
	for _, charset := range []string{"utf-8", "gb18030"} {
		p := start(t, Options{Charset: charset, Pages: -1})
		p.Publish("2026-03-17", []Page{{Number: "01", Name: "要闻", Articles: []Article{{ID: "5", Headline: rare + "河通航", Paragraphs: []string{"正文。"}}}}})
		at := p.Articles("2026-03-17")[0].URL
		resp, body := get(t, at)
		p.Misbehave(WrongCharset())
		wrong, mislabelled := get(t, at)
		if body == mislabelled {
			t.Fatalf("%s: the wrong charset changes nothing", charset)
		}
		if charset == "gb18030" {
			if resp.Header.Get("Content-Type") != "text/html" || !strings.Contains(body, "charset=gb2312") || wrong.Header.Get("Content-Type") != "text/html; charset=utf-8" {
				t.Errorf("%s: %s, then %s", charset, resp.Header, wrong.Header)
			}
			if utf8.ValidString(body) || utf8.ValidString(mislabelled) {
				t.Error("GB18030 that is valid UTF-8 tests nothing")
			}
			body, _ = simplifiedchinese.GB18030.NewDecoder().String(body)
		} else if !utf8.ValidString(mislabelled) || !strings.Contains(mislabelled, "charset=gb2312") || wrong.Header.Get("Content-Type") != "text/html; charset=gb2312" {
			t.Errorf("utf-8: %s", wrong.Header)
		}
		if !strings.Contains(body, rare) {
			t.Errorf("%s loses %s", charset, rare)
		}
	}
}

func TestNoise(t *testing.T) {
	p := start(t, Options{Noise: true, Gzip: true})
	a := p.Articles(p.Day())[0]
	first, x := get(t, a.URL)
	_, y := get(t, a.URL)
	if x == y || first.Header.Get("ETag") != "" {
		t.Error("two noisy answers agree, or have validators")
	}
	resp, z := get(t, a.URL, "Accept-Encoding", "gzip")
	if resp.Header.Get("Content-Encoding") != "gzip" || len(z) >= len(x) {
		t.Errorf("not compressed: %s, %d bytes", resp.Header, len(z))
	}
}

func TestFeeds(t *testing.T) {
	p := start(t, Options{Form: RSS, Pages: 2, ArticlesPerPage: 2})
	p.NextDay()
	lead := p.Articles(p.Day())[0]
	_, rss := get(t, p.URL())
	var r struct {
		Items []struct {
			Title, Link, Guid, PubDate string
		} `xml:"channel>item"`
	}
	if err := xml.Unmarshal([]byte(strings.NewReplacer("pubDate>", "PubDate>", "title>", "Title>", "link>", "Link>", "guid ", "Guid ", "/guid>", "/Guid>").Replace(rss)), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Items) != 8 || r.Items[0].Title != lead.Headline || r.Items[0].Link != lead.URL || r.Items[0].PubDate != "Wed, 18 Mar 2026 06:00:00 +0800" {
		t.Errorf("%d items, first %+v", len(r.Items), r.Items[:1])
	}
	if resp, _ := get(t, lead.URL); resp.StatusCode != 200 {
		t.Errorf("an item links to nothing: %s", resp.Status)
	}
	p.Correct(lead.ID, func(a *Article) { a.Headline = "更正了的标题" })
	var atom struct {
		Entries []struct {
			Title     string `xml:"title"`
			Published string `xml:"published"`
			Updated   string `xml:"updated"`
		} `xml:"entry"`
	}
	_, body := get(t, p.Feed(Atom))
	if err := xml.Unmarshal([]byte(body), &atom); err != nil {
		t.Fatal(err)
	}
	if e := atom.Entries[0]; e.Title != "更正了的标题" || e.Published != "2026-03-18T06:00:00+08:00" || e.Updated <= e.Published {
		t.Errorf("atom entry %+v", e)
	}
	var feed struct{ Items []map[string]any }
	_, body = get(t, p.Feed(JSONFeed))
	if err := json.Unmarshal([]byte(body), &feed); err != nil || len(feed.Items) != 8 || feed.Items[0]["date_modified"] == nil {
		t.Errorf("%d items, %v", len(feed.Items), err)
	}
}

// Readers, a newsroom at work and a fault come at once; the race detector and
// the server's own checks are the judges.
func TestConcurrent(t *testing.T) {
	p := start(t, Options{Pages: 2, ArticlesPerPage: 2})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range 15 {
				for _, a := range p.Articles(p.Day()) {
					if resp, err := http.Get(a.URL); err == nil {
						io.Copy(io.Discard, resp.Body)
						resp.Body.Close()
					}
				}
				if i == 0 {
					p.AddLate(p.Day(), "01", Article{Headline: fmt.Sprint("晚到的消息", j), Paragraphs: []string{"正文。"}})
					p.Misbehave(Status(500, 0).Times(1))
				}
				if i == 1 && j%5 == 0 {
					p.NextDay()
				}
			}
		})
	}
	wg.Wait()
	if p.Count("content_", 500) == 0 || p.Count("content_", 200) == 0 {
		t.Errorf("%d answers 500, %d answers 200", p.Count("", 500), p.Count("", 200))
	}
}

func TestPostgres(t *testing.T) {
	dsn := Postgres(t)
	psql := Need(t, "psql")
	out, err := exec.Command(psql, "-X", "-At", "-c", "SELECT current_database(), count(*) FROM information_schema.tables WHERE table_schema = 'public'", dsn).CombinedOutput()
	if err != nil || !bytes.HasPrefix(out, []byte("paperwire_test_")) || !bytes.HasSuffix(bytes.TrimSpace(out), []byte("|0")) {
		t.Errorf("%s: %s, %v", dsn, out, err)
	}
}
