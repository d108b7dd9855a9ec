package sources

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"paperwire/internal/fetch"
	"paperwire/internal/paper"
)

// site is a publisher on loopback: documents by path, with validators, and a
// log of what was asked and how it was answered.
type site struct {
	*httptest.Server
	mu   sync.Mutex
	docs map[string]string
	log  []string
}

func newSite(t *testing.T, docs map[string]string) *site {
	s := &site{docs: docs}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		body, ok := s.docs[r.URL.RequestURI()]
		if !ok {
			body, ok = s.docs[r.URL.Path]
		}
		code := http.StatusOK
		etag := fmt.Sprintf(`"%x"`, len(body)*31+strings.Count(body, "改"))
		switch {
		case r.URL.Path == "/robots.txt":
			http.NotFound(w, r)
			return
		case !ok:
			code = http.StatusNotFound
		case strings.HasPrefix(body, "→"):
			http.Redirect(w, r, strings.TrimPrefix(body, "→"), http.StatusFound)
			s.log = append(s.log, "302 "+r.URL.Path)
			return
		case body == "500":
			code = http.StatusInternalServerError
		case r.Header.Get("If-None-Match") == etag:
			code = http.StatusNotModified
		}
		s.log = append(s.log, fmt.Sprint(code, " ", r.URL.Path))
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if strings.HasSuffix(r.URL.Path, ".xml") {
			w.Header().Set("Content-Type", "text/xml")
		}
		w.Header().Set("ETag", etag)
		w.WriteHeader(code)
		if code == http.StatusOK {
			_, _ = w.Write([]byte(body))
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// asked gives what was asked since the last call.
func (s *site) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	log := s.log
	s.log = nil
	return log
}

func (s *site) set(path, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if body == "" {
		delete(s.docs, path)
		return
	}
	s.docs[path] = body
}

// memory is what the store does for the client.
type memory map[string][4]string

func (m memory) Recall(_ context.Context, url string) (etag, modified, contentType, body string, ok bool, err error) {
	v, ok := m[url]
	return v[0], v[1], v[2], v[3], ok, nil
}

func (m memory) Remember(_ context.Context, url, etag, modified, contentType, body string) error {
	m[url] = [4]string{etag, modified, contentType, body}
	return nil
}

func (s *site) client() *fetch.Client {
	return fetch.New(fetch.Options{Pace: -1, Open: []string{strings.TrimPrefix(s.URL, "http://")}, Memory: memory{}})
}

// classicDay writes one classic edition of two pages and three articles.
func classicDay(docs map[string]string, day string) {
	dir := "/hyrb/html/" + day[:7] + "/" + day[8:] + "/"
	n := strings.ReplaceAll(day, "-", "")[4:]
	nav := `<a id=pageLink href=./node_2.htm>第01版：要闻</a> <a id=pageLink href=node_3.htm>第02版：县区</a>`
	list := func(ids ...string) string {
		b := `<img src=../../../page/1/x_brief.jpg usemap=#PagePicMap><map name=pagepicmap>`
		for _, id := range ids {
			b += `<area shape=rect coords="1,1,2,2" href="content_` + n + id + `.htm">`
		}
		b += "</map>"
		for _, id := range ids {
			b += `<a href=content_` + n + id + `.htm><div id=mp>标题` + id + `</div></a>`
		}
		return b
	}
	meta := func(page string) string {
		return `<!--enpproperty <founder-date>` + day + `</founder-date><founder-pagenum>` + page + `</founder-pagenum><founder-papername>河阳日报</founder-papername><founder-type>2</founder-type> /enpproperty-->`
	}
	docs[dir+"node_2.htm"] = "<html><title>河阳日报</title><div>今日关注 <a href=content_" + n + "3.htm>标题3</a></div>" + nav + list("1", "2") + "</html>" + meta("01")
	docs[dir+"node_3.htm"] = "<html><title>河阳日报</title>" + nav + list("3") + "</html>" + meta("02")
	for _, id := range []string{"1", "2", "3"} {
		docs[dir+"content_"+n+id+".htm"] = `<html><title>河阳日报</title><td class=font01>标题` + id + `</td><div id=ozoom><founder-content><p>正文` + id + `。</p></founder-content></div></html>`
	}
}

func classicSite(t *testing.T) *site {
	docs := map[string]string{
		"/":                    "→/hyrb/",
		"/hyrb/":               `<script>window.location.href="paperindex.htm"</script>`,
		"/hyrb/paperindex.htm": `<META HTTP-EQUIV='Refresh' content="0;URL=html/2017-09/07/node_2.htm?v=1">`,
		"/hyrb/html/2017-09/period.xml": `<periodlist><period><period_date>2017-09-04</period_date><front_page>node_2.htm</front_page></period>
<period><period_date>2017-09-05</period_date><front_page>node_2.htm</front_page><rmp_build_time>b5</rmp_build_time></period><period><period_date>2017-09-06</period_date><front_page>node_2.htm</front_page></period>
<period><period_date>2017-09-07</period_date><front_page>node_2.htm</front_page></period></periodlist>`,
	}
	for _, day := range []string{"2017-09-04", "2017-09-05", "2017-09-07"} {
		classicDay(docs, day)
	}
	return newSite(t, docs)
}

func days(f Found) string {
	var list []string
	for _, e := range f.Editions {
		list = append(list, string(e.Day))
	}
	return strings.Join(list, " ")
}

func TestFindClassic(t *testing.T) {
	s := classicSite(t)
	g := s.client()
	src := Source{Key: "hyrb", Platform: auto, URL: s.URL + "/"}
	f, err := Find(t.Context(), g, src, Want{Today: "2017-09-07"})
	if err != nil {
		t.Fatal(err)
	}
	if f.Platform != "founder" || f.Name != "河阳日报" || days(f) != "2017-09-07" || f.Editions[0].Partial {
		t.Fatalf("%+v", f)
	}
	e := f.Editions[0]
	var got []string
	for i, r := range e.Refs {
		got = append(got, fmt.Sprint(r.Page.Number, " ", r.Position, " ", r.Origin, " ", r.Title))
		if r.Ordinal != i || !strings.HasPrefix(r.URL, s.URL+"/hyrb/html/2017-09/07/content_") {
			t.Errorf("%+v", r)
		}
	}
	want := []string{"01 1 09071 标题1", "01 2 09072 标题2", "02 1 09073 标题3"}
	if !slices.Equal(got, want) {
		t.Errorf("articles %q, want %q", got, want)
	}
	if len(e.Pages) != 2 || e.Pages[1].Name != "县区" || len(e.Pages[0].Areas) != 2 || e.Pages[1].Picture == "" {
		t.Errorf("pages %+v", e.Pages)
	}
	// The landed page is asked for once, no article and no calendar at all.
	log := s.asked()
	if n := len(log); n != 5 {
		t.Errorf("asked %q", log)
	}

	// The next poll costs answers without bodies only.
	if _, err = Find(t.Context(), g, src, Want{Today: "2017-09-07", After: "2017-09-07", Again: []paper.Day{"2017-09-07"}}); err != nil {
		t.Fatal(err)
	}
	for _, line := range s.asked() {
		if strings.HasPrefix(line, "200") {
			t.Errorf("fetched again: %s", line)
		}
	}
}

func TestFindChoosesDays(t *testing.T) {
	s := classicSite(t)
	src := Source{Key: "hyrb", Platform: "founder", URL: s.URL + "/hyrb/paperindex.htm"}
	for _, c := range []struct {
		name          string
		w             Want
		days, missing string
	}{
		{"first sight", Want{}, "2017-09-07", ""},
		{"first sight, three", Want{Max: 3}, "2017-09-05 2017-09-07", "2017-09-06"},
		{"nothing new", Want{After: "2017-09-07"}, "", ""},
		{"one new", Want{After: "2017-09-06", Max: 5}, "2017-09-07", ""},
		{"a gap", Want{After: "2017-09-04", Max: 5}, "2017-09-05 2017-09-07", "2017-09-06"},
		{"a gap, newest first", Want{After: "2017-09-03", Max: 1}, "2017-09-07", ""},
		{"again", Want{After: "2017-09-07", Again: []paper.Day{"2017-09-05", "2017-09-07"}}, "2017-09-05 2017-09-07", ""},
		{"late, listed", Want{After: "2017-09-07", Late: []paper.Day{"2017-09-03", "2017-09-05"}}, "2017-09-05", ""},
		{"late, listed and not there", Want{After: "2017-09-07", Late: []paper.Day{"2017-09-06"}}, "", "2017-09-06"},
		{"late, missed and not listed", Want{After: "2017-09-07", Late: []paper.Day{"2017-09-03"}, Missed: []paper.Day{"2017-09-03"}}, "", ""},
		{"late, the entry has gone back to it", Want{After: "2017-09-08", Late: []paper.Day{"2017-09-07"}}, "2017-09-07", ""},
		{"only", Want{Only: "2017-09-05", After: "2017-09-07"}, "2017-09-05", ""},
		{"only, absent", Want{Only: "2017-09-02"}, "", "2017-09-02"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := Find(t.Context(), s.client(), src, c.w)
			if err != nil {
				t.Fatal(err)
			}
			missing := fmt.Sprint(f.Missing)
			if days(f) != c.days || strings.Trim(missing, "[]") != c.missing {
				t.Errorf("days %q, missing %v", days(f), f.Missing)
			}
			if !slices.Equal(f.Announced, f.Missing) && c.w.Only == "" {
				t.Errorf("%v are missing, and listed are %v", f.Missing, f.Announced)
			}
			for _, e := range f.Editions {
				if e.Day == "2017-09-05" && e.Build != "b5" {
					t.Errorf("build %q", e.Build)
				}
				if len(e.Refs) != 3 || e.Partial {
					t.Errorf("%+v", e)
				}
			}
		})
	}
}

func TestFindWithoutCalendar(t *testing.T) {
	s := classicSite(t)
	s.set("/hyrb/html/2017-09/period.xml", "")
	src := Source{Key: "hyrb", Platform: auto, URL: s.URL + "/hyrb/paperindex.htm"}
	f, err := Find(t.Context(), s.client(), src, Want{After: "2017-09-04", Max: 5, Again: []paper.Day{"2017-09-04"}})
	if err != nil || days(f) != "2017-09-04 2017-09-05 2017-09-07" || fmt.Sprint(f.Missing) != "[2017-09-06]" {
		t.Errorf("%s missing %v: %v", days(f), f.Missing, err)
	}
	// Of late days only those that were missing at a look are asked for.
	f, err = Find(t.Context(), s.client(), src, Want{After: "2017-09-07", Late: []paper.Day{"2017-09-04", "2017-09-05", "2017-09-06"}, Missed: []paper.Day{"2017-09-05", "2017-09-06"}})
	if err != nil || days(f) != "2017-09-05" || fmt.Sprint(f.Missing, f.Announced) != "[2017-09-06] []" {
		t.Errorf("%s missing %v, listed %v: %v", days(f), f.Missing, f.Announced, err)
	}
}

func TestFindPartial(t *testing.T) {
	s := classicSite(t)
	s.set("/hyrb/html/2017-09/07/node_3.htm", "500")
	src := Source{Key: "hyrb", URL: s.URL + "/hyrb/html/2017-09/07/node_2.htm"}
	f, err := Find(t.Context(), s.client(), src, Want{})
	if err != nil {
		t.Fatal(err)
	}
	e := f.Editions[0]
	if !e.Partial || !strings.Contains(e.Problem, "02") || len(e.Pages) != 2 || len(e.Refs) != 3 {
		t.Errorf("%+v", e)
	}
	// What only page 2 says is missing, so its article stays with the page that
	// lists it.
	if e.Refs[2].Page.Number != "01" {
		t.Errorf("%+v", e.Refs)
	}
	// A wall in the middle of an edition.
	s.set("/hyrb/html/2017-09/07/node_3.htm", `<html><body>请输入验证码</body></html>`)
	if f, err = Find(t.Context(), s.client(), src, Want{}); err != nil || !f.Editions[0].Partial || !strings.Contains(f.Editions[0].Problem, "captcha") {
		t.Errorf("%+v %v", f, err)
	}
	// An edition without any article is an alarm, not an empty edition.
	for _, p := range []string{"node_2.htm", "node_3.htm"} {
		s.set("/hyrb/html/2017-09/07/"+p, `<a id=pageLink href=node_2.htm>第01版：要闻</a><a id=pageLink href=node_3.htm>第02版：县区</a>`)
	}
	if f, err = Find(t.Context(), s.client(), src, Want{}); err != nil || !f.Editions[0].Partial || len(f.Editions[0].Refs) != 0 {
		t.Errorf("%+v %v", f, err)
	}
}

func TestFindFails(t *testing.T) {
	s := newSite(t, map[string]string{
		"/wall":  `<html><script>document.cookie="a=1";location.reload()</script></html>`,
		"/shop":  `<html><title>商店</title><a href=/x>x</a></html>`,
		"/blog":  `<html><title>博客</title><link rel="alternate" type="application/rss+xml" href="/rss"><a href=/x>x</a></html>`,
		"/1":     `<meta http-equiv=refresh content="0;url=/2">`,
		"/2":     `<meta http-equiv=refresh content="0;url=/3">`,
		"/3":     `<meta http-equiv=refresh content="0;url=/4">`,
		"/4":     `<meta http-equiv=refresh content="0;url=/5">`,
		"/ping":  `<meta http-equiv=refresh content="0;url=/pong">`,
		"/pong":  `<meta http-equiv=refresh content="0;url=/ping">`,
		"/error": `{"error":"no"}`,
	})
	var blocked *BlockedError
	var unknown *UnknownError
	for _, c := range []struct {
		path, platform, want string
		as                   any
	}{
		{"/wall", auto, "challenge", &blocked},
		{"/shop", auto, "商店", &unknown},
		{"/shop", "founder", "no page list", &unknown},
		{"/shop", "feed", "", &unknown},
		{"/blog", auto, "/rss", &unknown},
		{"/1", auto, "more than 3", &unknown},
		{"/ping", auto, "", &unknown},
		{"/error", auto, "", &unknown},
		{"/none", auto, "404", nil},
		{"/shop", "nosuch", "nosuch", nil},
	} {
		_, err := Find(t.Context(), s.client(), Source{Key: "k", Platform: c.platform, URL: s.URL + c.path}, Want{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.path, err)
		}
		if c.as != nil && !errors.As(err, c.as) {
			t.Errorf("%s: %T %v", c.path, err, err)
		}
		if c.path == "/none" && !fetch.Missing(err) {
			t.Errorf("%s: %v", c.path, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Find(ctx, s.client(), Source{URL: s.URL + "/shop"}, Want{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestFindNewForm(t *testing.T) {
	page := func(n, list string) string {
		return `<html><title>示例时报</title><div><a href="node_01.html">01版：头版</a><a href="node_02.html">02版：国内</a></div><p>` + n + `</p>` + list + `</html>`
	}
	s := newSite(t, map[string]string{
		"/pc/layout/index.html":                `<html><title>示例时报</title><script>if(phone){location.href="/pad/layout/index.html"}</script><ul><li><a href="202609/27/node_01.html">01版：头版</a><li><a href="202609/27/node_02.html">02版：国内</a><li><a href="/pad/layout/202609/28/node_01.html">手机版</a></ul><a href="202609/26/node_01.html">上一期</a></html>`,
		"/pc/layout/202609/27/node_01.html":    page("01版：头版", `<a href="../../../content/202609/27/content_1.html">一</a>`),
		"/pc/layout/202609/27/node_02.html":    page("02版：国内", `<a href="../../../content/202609/27/content_2.html">二</a><a href="../../../content/202609/27/content_1.html">一</a><a href="../../../content/202609/26/content_0.html">昨天</a>`),
		"/pc/layout/202609/26/node_01.html":    page("01版：头版", `<a href="../../../content/202609/26/content_0.html">零</a>`),
		"/pc/layout/202609/26/node_02.html":    page("02版：国内", ``),
		"/pc/layout/202609/period.xml":         `<periodlist><period><date>2026-09-26</date><url>202609/26/node_01.html</url></period><period><date>2026-09-27</date><url>202609/27/node_01.html</url></period></periodlist>`,
		"/pc/content/202609/27/content_1.html": `<html><title>一_示例时报</title><h1>一</h1><div id=ozoom><founder-content><p>正文。</p></founder-content></div></html>`,
	})
	g := s.client()
	src := Source{Key: "slsb", Platform: auto, URL: s.URL + "/pc/layout/index.html"}
	f, err := Find(t.Context(), g, src, Want{Max: 2, Today: "2026-09-28"})
	if err != nil || days(f) != "2026-09-26 2026-09-27" {
		t.Fatalf("%s %v", days(f), err)
	}
	e := f.Editions[1]
	if len(e.Refs) != 2 || e.Refs[0].Origin != "1" || e.Refs[1].Page.Number != "02" || e.Partial {
		t.Errorf("%+v", e)
	}
	if f.Editions[0].Refs[0].Title != "零" || f.Editions[0].Partial {
		t.Errorf("%+v", f.Editions[0])
	}
	p, err := Read(t.Context(), g, src, e.Refs[0])
	if err != nil || p.Headline != "一" || p.Page.Name != "头版" || p.Body != "<p>正文。</p>" || p.Day != "2026-09-27" {
		t.Errorf("%+v %v", p, err)
	}
	if _, err = Read(t.Context(), g, src, e.Refs[0]); !errors.Is(err, ErrUnchanged) {
		t.Errorf("second read: %v", err)
	}
	if _, err = Read(t.Context(), g, src, e.Refs[1]); !fetch.Missing(err) {
		t.Errorf("missing article: %v", err)
	}
	// What stands in an article's place is never taken for it.
	for _, body := range []string{
		"→/pc/layout/202609/27/node_01.html",
		`<html><title>404 页面不存在</title><body><div><p>` + strings.Repeat("您访问的页面不存在，请检查地址。", 10) + `</p></div></body></html>`,
		`<html><body>请输入验证码</body></html>`,
		`<html></html>`,
	} {
		s.set("/pc/content/202609/27/content_2.html", body)
		if p, err := Read(t.Context(), g, src, e.Refs[1]); err == nil {
			t.Errorf("%s: read as %+v", body, p)
		}
	}
}

func TestFindFeed(t *testing.T) {
	s := newSite(t, map[string]string{
		"/rss.xml": `<rss version="2.0"><channel><title>快讯</title><link>https://n.example/</link><item><title>甲</title><guid>g1</guid><pubDate>2030-01-01 00:00</pubDate><description>正文</description></item><item><title>乙</title><guid>g2</guid><description>正文</description></item></channel></rss>`,
	})
	now := time.Date(2026, 11, 20, 1, 0, 0, 0, time.UTC)
	g := s.client()
	for range 2 { // the second time it is a 304
		f, err := Find(t.Context(), g, Source{Key: "n", URL: s.URL + "/rss.xml"}, Want{Now: now, Today: "2026-11-20"})
		if err != nil || f.Platform != "feed" || f.Name != "快讯" || len(f.Editions) != 1 || len(f.Editions[0].Refs) != 2 || f.Editions[0].Day != "" {
			t.Fatalf("%+v %v", f, err)
		}
		a, b := f.Editions[0].Refs[0], f.Editions[0].Refs[1]
		if a.Printed.Day != "2026-11-20" || !a.Printed.Dated.Equal(now) {
			t.Errorf("the future is not clamped: %+v", a.Printed)
		}
		if b.Printed.Day != "2026-11-20" || !b.Printed.Dated.IsZero() {
			t.Errorf("undated: %+v", b.Printed)
		}
		p, err := Read(t.Context(), g, Source{Key: "n", Platform: "feed"}, a)
		if err != nil || p.Headline != "甲" {
			t.Errorf("%+v %v", p, err)
		}
		if _, err = Read(t.Context(), g, Source{Key: "n", Platform: "feed"}, Ref{URL: "https://n.example/x"}); err == nil {
			t.Error("an item that is not in the feed was read")
		}
	}
}
