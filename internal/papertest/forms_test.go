package papertest

import (
	"bufio"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"paperwire/internal/paper"
)

// allForms are the forms that print pages; a feed's articles stand on classic ones.
var allForms = []Form{FounderClassic, FounderNew, PaperIndex, S, H, N, TRS, JSONAPI, DataJS}

// text gives a document as UTF-8.
func text(t *testing.T, at string) string {
	t.Helper()
	_, body := get(t, at)
	if !utf8.ValidString(body) {
		body, _ = simplifiedchinese.GB18030.NewDecoder().String(body)
	}
	return body
}

// post asks the interface of JSONAPI.
func post(t *testing.T, at, body string, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequest("POST", at, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

// Each form serves the same synthetic edition, and of each article the whole
// text at its URL; what is corrected, withdrawn and late shows there.
func TestFormsServeTheSameArticles(t *testing.T) {
	want := New(Options{Base: "http://a.example", Seed: 5}).Articles("2026-03-17")
	for _, form := range allForms {
		t.Run(string(form), func(t *testing.T) {
			p := start(t, Options{Form: form, Seed: 5})
			got := p.Articles(p.Day())
			if len(got) != len(want) {
				t.Fatalf("%d articles, want %d", len(got), len(want))
			}
			for i, a := range got {
				if a.Headline != want[i].Headline || strings.TrimLeft(a.Page.Number, "0") != strings.TrimLeft(want[i].Page.Number, "0") {
					t.Errorf("article %d: %s on page %s", i, a.Headline, a.Page.Number)
				}
				body := text(t, a.URL)
				for _, s := range append([]string{a.Kicker, a.Headline, a.Subtitle}, a.Paragraphs...) {
					if !strings.Contains(body, html.EscapeString(s)) {
						t.Errorf("%s lacks %s", a.URL, s)
					}
				}
			}
			p.Correct(got[1].ID, func(a *Article) { a.Paragraphs = append(a.Paragraphs, "更正之后加上的一段。") })
			if !strings.Contains(text(t, got[1].URL), "更正之后加上的一段。") {
				t.Error("the correction is not served")
			}
			p.Withdraw(got[2].ID)
			if resp, _ := get(t, got[2].URL); resp.StatusCode != http.StatusNotFound {
				t.Errorf("withdrawn: %s", resp.Status)
			}
			id := p.AddLate(p.Day(), got[0].Page.Number, Article{Headline: "晚到的消息", Paragraphs: []string{"晚到的正文。"}})
			for _, a := range p.Articles(p.Day()) {
				if a.ID == id && !strings.Contains(text(t, a.URL), "晚到的正文。") {
					t.Error("the late article is not served")
				}
				if resp, _ := get(t, a.URL); resp.StatusCode != 200 {
					t.Errorf("%s: %s", a.URL, resp.Status)
				}
			}
		})
	}
}

// The entry of every form leads to the newest edition.
func TestEntriesOfForms(t *testing.T) {
	for form, want := range map[Form]string{
		PaperIndex: "url=20260318/IssueIndex.htm", S: "url=20260318/v01.shtml", H: "location.href='20260318/html/page_01.htm'",
		N: "page.aspx?date=2026-03-18&amp;page=01", TRS: "url=20260318/20260318_001/20260318_001.htm", DataJS: `src="2026/20260318/data.js"`,
	} {
		p := start(t, Options{Key: "k", Form: form})
		p.NextDay()
		if body := text(t, p.URL()); !strings.Contains(body, want) {
			t.Errorf("%s: the entry lacks %s: %s", form, want, body)
		}
		if form == TRS && !strings.Contains(text(t, p.URL()), "charset=gbk") {
			t.Error("TRS does not call itself gbk")
		}
	}
}

// What real pages of each form have that a reader is to cope with.
func TestTraitsOfForms(t *testing.T) {
	at := func(form Form, path string, o Options) string {
		o.Key, o.Form = "k", form
		return text(t, start(t, o).base+path)
	}
	front := at(PaperIndex, "/k/content/20260317/Page01BC.htm", Options{Embed: true})
	other := at(PaperIndex, "/k/content/20260317/Page02BC.htm", Options{})
	for body, list := range map[string][]string{
		front: {`<a  href="Page02BC.htm"`, `<A href="Page02BC.htm">02</A>`, `<h4> 04版：文化</h4>`, `<a href="Articel04004NR.htm" target`, `class="overlink"`, `daoxiang="04 "`},
		other: {`<a daoxiang="Articel02001NR.htm"`, `alt="Articel02001NR.htm" neirong="`, `div class="listdaohang"`},
		at(S, "/shtml/k/20260317/v01.shtml", Options{}): {
			`<div class="page-title"><span class="title-text"><a href="v01.shtml">第01版：要闻</a>`, `<a onclick="window.location.href='v02.shtml'">`, `<a class="selectBox" href="27`,
		},
		at(H, "/k/20260317/html/page_01.htm", Options{}):                                    {`<a class="bmml_con_div_name" href="page_02.htm">`, `<a class="bmdh_con_a" href="content_27`},
		at(N, "/k/page.aspx?page=02&date=2026-03-17", Options{}):                            {`onclick="openNews('show.aspx?id=27`, `<area shape="poly"`},
		at(TRS, "/k/20260317/20260317_002/20260317_002.htm", Options{}):                     {`href="../20260317_002/20260317_002_1.htm"`, `banciArray="001,002,003,004"`, `var pagename='第002版：`},
		at(DataJS, "/k/html/2026/20260317/data.js", Options{}):                              {`var data=[{"pageNo":"01","pageName":"要闻"`, `"articleHref":"article_27`},
		at(PaperIndex, "/k/content/20260317/Articel01001NR.htm", Options{Charset: "utf-8"}): {`class="maintitle"`, `id="contenttext"`},
	} {
		for _, want := range list {
			if !strings.Contains(body, want) {
				t.Errorf("no %s in %.300s", want, body)
			}
		}
	}
	if strings.Contains(other, `href="Articel`) {
		t.Error("the second page has links with href")
	}
	if trs := at(TRS, "/k/20260317/20260317_001/20260317_001.htm", Options{}); regexp.MustCompile(`<a [^>]*20260317_00`).MatchString(trs) {
		t.Error("the TRS page has text links")
	}
}

func TestAPI(t *testing.T) {
	p := start(t, Options{Key: "k", Form: JSONAPI})
	p.NextDay()
	api := p.base + "/k/app/api/"
	xhr := []string{"X-Requested-With", "XMLHttpRequest"}
	var list struct {
		Status int
		Data   struct {
			Code, PrevCode string
			PageList       []struct{ Page, PageName string }
		}
	}
	status, body := post(t, api+"list.do", "", xhr...)
	if err := json.Unmarshal([]byte(body), &list); err != nil || status != 200 {
		t.Fatal(status, err)
	}
	if list.Data.Code != "20260318" || list.Data.PrevCode != "20260317" || len(list.Data.PageList) != 4 || list.Data.PageList[1].PageName != "焦作/温县·马村区" {
		t.Errorf("%+v", list)
	}
	want := p.Articles("2026-03-17")[4:8]
	for _, how := range []string{"query", "form"} {
		var page struct {
			Data struct {
				ArticleList []struct {
					ArticleID int
					Title     string
					Content   string
				}
			}
		}
		if how == "query" {
			_, body = post(t, api+"getPage.do?page=02&code=20260317", "", xhr...)
		} else {
			_, body = post(t, api+"getPage.do", "code=20260317&page=02", xhr...)
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil {
			t.Fatal(err)
		}
		got := page.Data.ArticleList
		if len(got) != 4 || got[0].Title != want[3].Headline || got[3].Title != want[0].Headline {
			t.Fatalf("by %s: %+v", how, got)
		}
		if c := got[3].Content; !strings.HasPrefix(c, "&lt;p&gt;") || !strings.Contains(html.UnescapeString(c), want[0].Paragraphs[1]) {
			t.Errorf("content %.80s", c)
		}
	}
	if status, _ := post(t, api+"list.do", ""); status != http.StatusForbidden {
		t.Errorf("without X-Requested-With: %d", status)
	}
	if resp, _ := get(t, api+"list.do"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("GET: %s", resp.Status)
	}
	if status, body := post(t, api+"getPage.do?page=09&code=20260317", "", xhr...); status != 200 || !strings.Contains(body, `"status":0`) {
		t.Errorf("an unknown page: %d %s", status, body)
	}
	if status, _ := post(t, p.URL(), "a=b"); status != http.StatusMethodNotAllowed {
		t.Errorf("POST to a page: %d", status)
	}
	if r := p.Requests(); r[0].RequestedWith != "XMLHttpRequest" || r[0].Method != "POST" {
		t.Errorf("recorded %+v", r[0])
	}
}

// Every form is redesigned into every other: the old entry leads on, the old
// articles are gone, the new ones are there.
func TestSwitchBetweenForms(t *testing.T) {
	for i, form := range allForms {
		next := allForms[(i+3)%len(allForms)]
		p := start(t, Options{Form: form})
		before := p.Articles(p.Day())[0]
		p.Switch(next, true)
		if resp, _ := get(t, p.URL()); resp.Header.Get("Location") != p.entryPath(next) {
			t.Errorf("%s to %s: the old entry leads to %q (%s)", form, next, resp.Header.Get("Location"), resp.Status)
		}
		if resp, _ := get(t, before.URL); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s to %s: the old article: %s", form, next, resp.Status)
		}
		if a := p.Articles(p.Day())[0]; !strings.Contains(text(t, a.URL), a.Headline) {
			t.Errorf("%s to %s: the new article lacks its headline", form, next)
		}
	}
	// A PaperIndex that is redesigned into itself changes its suffixes.
	p := start(t, Options{Form: PaperIndex})
	p.Switch(PaperIndex, true)
	if a := p.Articles(p.Day())[0]; !strings.HasSuffix(a.URL, "/Articel01001MT.htm") {
		t.Errorf("article at %s", a.URL)
	}
}

// A withdrawal leaves a gap in the numbers of a positional form.
func TestPositionsStay(t *testing.T) {
	for _, form := range []Form{PaperIndex, TRS} {
		p := start(t, Options{Form: form})
		before := p.Articles(p.Day())
		p.Withdraw(before[0].ID)
		if after := p.Articles(p.Day()); after[0].URL != before[1].URL || after[0].Position != 1 {
			t.Errorf("%s: %s became %s", form, before[1].URL, after[0].URL)
		}
	}
}

func TestStaleEntry(t *testing.T) {
	for _, form := range allForms {
		p := start(t, Options{Key: "k", Form: form})
		day := p.Day()
		a := p.Articles(day)[0]
		dir := layouts[form].dir
		p.StaleEntry(true)
		again := strings.ReplaceAll(a.URL, dir(day), dir(day.Add(1)))
		if strings.Contains(a.URL, dir(day)) && text(t, again) != text(t, a.URL) {
			t.Errorf("%s: %s is not %s", form, again, a.URL)
		}
		if form == JSONAPI {
			if _, body := post(t, p.base+"/k/app/api/list.do", "", "X-Requested-With", "XMLHttpRequest"); !strings.Contains(body, "20260318") {
				t.Errorf("%s: list.do %s", form, body)
			}
		} else if resp, body := get(t, p.URL()); !strings.Contains(body+resp.Header.Get("Location"), dir(day.Add(1))) {
			t.Errorf("%s: the entry leads elsewhere: %s", form, body)
		}
		if next := p.NextDay(); next != day.Add(1) {
			t.Fatalf("%s: next is %s", form, next)
		}
		if b := p.Articles(p.Day())[0]; b.Headline == a.Headline || !strings.Contains(text(t, b.URL), b.Headline) {
			t.Errorf("%s: the right edition is not served", form)
		}
	}
	// What leads there says today, what stands there says yesterday.
	p := start(t, Options{Key: "k"})
	p.StaleEntry(true)
	body := text(t, p.base+"/k/html/2026-03/18/node_2.htm")
	if !strings.Contains(body, "2026年3月17日") || strings.Contains(body, "2026年3月18日") || !strings.Contains(body, "<founder-date>2026-03-17 ") {
		t.Error("the old edition is printed with another day")
	}
	if cal := text(t, p.base+"/k/html/2026-03/period.xml"); !strings.Contains(cal, "<period_date>2026-03-18</period_date>") {
		t.Error("the calendar does not tell it")
	}
	p.StaleEntry(false)
	if resp, _ := get(t, p.base+"/k/html/2026-03/18/node_2.htm"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("it is still there: %s", resp.Status)
	}
}

func TestHoldEntry(t *testing.T) {
	p := start(t, Options{Key: "k"})
	p.HoldEntry(true)
	p.NextDay()
	if body := text(t, p.URL()); !strings.Contains(body, "2026-03/17/") {
		t.Errorf("the entry leads on: %s", body)
	}
	if resp, _ := get(t, p.base+"/k/html/2026-03/18/node_2.htm"); resp.StatusCode != 200 {
		t.Errorf("today's page: %s", resp.Status)
	}
	if cal := text(t, p.base+"/k/html/2026-03/period.xml"); strings.Contains(cal, "2026-03-18") {
		t.Error("the calendar tells today")
	}
	p.HoldEntry(false)
	if body := text(t, p.URL()); !strings.Contains(body, "2026-03/18/") {
		t.Errorf("the entry stays: %s", body)
	}
}

func TestPart(t *testing.T) {
	p := start(t, Options{})
	day := p.NextDayPart(2, 3)
	part := p.Articles(day)
	if day != "2026-03-18" || len(part) != 6 {
		t.Fatalf("%d articles on %s", len(part), day)
	}
	p.Complete(day)
	whole := p.Articles(day)
	if len(whole) != 16 {
		t.Fatalf("%d articles when complete", len(whole))
	}
	for i, a := range part {
		if b := whole[i/3*4+i%3]; a.ID != b.ID || a.URL != b.URL || a.Position != b.Position {
			t.Errorf("%s became %s", a.URL, b.URL)
		}
	}
	full := New(Options{Base: "http://a.example"})
	full.NextDay()
	for i, a := range full.Articles(day) {
		if whole[i].Headline != a.Headline || whole[i].Page != a.Page {
			t.Errorf("article %d is %s, want %s", i, whole[i].Headline, a.Headline)
		}
	}
}

func TestHiccup(t *testing.T) {
	p := start(t, Options{})
	before := p.Articles(p.Day())
	a := before[1]
	p.Hiccup(a.ID, 2)
	if n := len(p.Articles(p.Day())); n != len(before)-1 {
		t.Errorf("%d articles are listed", n)
	}
	for want := range 3 {
		resp, _ := get(t, a.URL)
		if gone := resp.StatusCode == http.StatusNotFound; gone != (want < 2) {
			t.Errorf("answer %d: %s", want, resp.Status)
		}
	}
	p.Hiccup(before[0].ID, 0)
	p.Hiccup(before[2].ID, 0)
	for range 5 {
		if resp, _ := get(t, before[0].URL); resp.StatusCode != http.StatusNotFound {
			t.Errorf("back by itself: %s", resp.Status)
		}
	}
	p.Recover()
	for i, b := range p.Articles(p.Day()) {
		if b.ID != before[i].ID || b.Position != before[i].Position {
			t.Errorf("article %d is %s", i, b.ID)
		}
	}
}

func TestShrink(t *testing.T) {
	p := start(t, Options{})
	before := p.Articles(p.Day())
	gone := p.Shrink(p.Day(), 5)
	left := p.Articles(p.Day())
	if len(left) != 5 || len(gone) != 11 || left[4].Page.Number != "04" {
		t.Fatalf("%d left, %d gone", len(left), len(gone))
	}
	p.Recover(gone...)
	for i, b := range p.Articles(p.Day()) {
		if b.ID != before[i].ID {
			t.Errorf("article %d is %s, was %s", i, b.ID, before[i].ID)
		}
	}
}

func TestEmptyBodies(t *testing.T) {
	for _, form := range allForms {
		p := start(t, Options{Form: form})
		a := p.Articles(p.Day())[0]
		p.EmptyBodies(p.Day(), true)
		if body := text(t, a.URL); strings.Contains(body, a.Paragraphs[1]) || !strings.Contains(body, a.Headline) {
			t.Errorf("%s: not a headline without text", form)
		}
		p.EmptyBodies(p.Day(), false)
		if body := text(t, a.URL); !strings.Contains(body, a.Paragraphs[1]) {
			t.Errorf("%s: the text is not back", form)
		}
	}
}

func TestSelfSigned(t *testing.T) {
	p := start(t, Options{})
	resp, err := http.Get(p.SelfSigned())
	if err == nil {
		resp.Body.Close()
		t.Fatal("an unknown certificate was taken")
	}
	if !strings.Contains(err.Error(), "certificate") {
		t.Error(err)
	}
	c := p.secure.Client()
	if resp, err = c.Get(p.SelfSigned()); err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
}

// A body cut in half is never a whole empty one, whatever was asked for.
func TestCutOffEverywhere(t *testing.T) {
	p := start(t, Options{Entry: "redirect"})
	for at, status := range map[string]int{p.base + "/nowhere.htm": http.StatusNotFound, p.URL(): http.StatusFound} {
		p.Misbehave(CutOff())
		resp, err := http.DefaultTransport.RoundTrip(httptest.NewRequest("GET", at, nil))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != status || err == nil || len(body) == 0 || int64(len(body)) >= resp.ContentLength {
			t.Errorf("%s: %s, %d of %d bytes, %v", at, resp.Status, len(body), resp.ContentLength, err)
		}
		p.Behave()
	}
}

// A kicker that the list prints for want of a headline moves the list.
func TestCorrectedKickerMovesTheList(t *testing.T) {
	p := start(t, Options{Key: "k", Pages: -1})
	p.Publish("2026-03-17", []Page{{Number: "01", Name: "要闻", Articles: []Article{{ID: "5", Kicker: "图片新闻", Paragraphs: []string{"正文。"}}}}})
	at := p.base + "/k/html/2026-03/17/node_2.htm"
	first, _ := get(t, at)
	p.Correct("5", func(a *Article) { a.Subtitle = "副题" })
	if resp, _ := get(t, at, "If-Modified-Since", first.Header.Get("Last-Modified")); resp.StatusCode != http.StatusNotModified {
		t.Errorf("a subtitle moved the list: %s", resp.Status)
	}
	p.Correct("5", func(a *Article) { a.Kicker = "图片新闻之二" })
	if resp, body := get(t, at, "If-Modified-Since", first.Header.Get("Last-Modified")); resp.StatusCode != 200 || !strings.Contains(body, "图片新闻之二") {
		t.Errorf("after the kicker: %s", resp.Status)
	}
}

func TestGzipOfFeeds(t *testing.T) {
	p := start(t, Options{Gzip: true})
	for _, f := range []Form{RSS, Atom, JSONFeed} {
		if resp, _ := get(t, p.Feed(f), "Accept-Encoding", "gzip"); resp.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s: %s", f, resp.Header)
		}
	}
	for _, m := range links.FindAllStringSubmatch(text(t, p.Articles(p.Day())[0].URL), -1) {
		if strings.HasSuffix(m[1], ".jpg") {
			u, _ := url.Parse(p.Articles(p.Day())[0].URL)
			u, _ = u.Parse(m[1])
			if resp, _ := get(t, u.String(), "Accept-Encoding", "gzip"); resp.Header.Get("Content-Encoding") != "" {
				t.Errorf("a picture was compressed: %s", resp.Header)
			}
		}
	}
}

func TestHostileAnswers(t *testing.T) {
	p := start(t, Options{})
	a := p.Articles(p.Day())[0]
	_, right := get(t, a.URL)
	ask := func() (*http.Response, string, error) {
		resp, err := http.DefaultTransport.RoundTrip(httptest.NewRequest("GET", a.URL, nil))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		return resp, string(b), err
	}
	p.Misbehave(WrongLength(50))
	if _, body, err := ask(); err != nil || len(body) != len(right)/2 || !strings.HasPrefix(right, body) {
		t.Errorf("half: %d of %d bytes, %v", len(body), len(right), err)
	}
	p.Misbehave(WrongLength(200))
	if _, body, err := ask(); err == nil || body != right {
		t.Errorf("double: %d of %d bytes, %v", len(body), len(right), err)
	}
	p.Misbehave(RedirectTo("http://169.254.169.254/latest/meta-data/"))
	if resp, _, err := ask(); err != nil || resp.StatusCode != http.StatusFound || resp.Header.Get("Location") != "http://169.254.169.254/latest/meta-data/" {
		t.Errorf("%v, %v", resp.Header, err)
	}
	p.Misbehave(Endless())
	resp, err := http.Get(a.URL)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.CopyN(io.Discard, resp.Body, 130<<20); err != nil {
		t.Errorf("it ended after %d bytes: %v", n, err)
	}
	resp.Body.Close()
	p.Misbehave(SlowLoris(1))
	if _, body, err := ask(); err != nil || body != right {
		t.Errorf("loris: %d of %d bytes, %v", len(body), len(right), err)
	}
	p.Behave()
	p.Misbehave(SlowLoris(1 << 40))
	resp, err = http.Get(a.URL)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := bufio.NewReader(resp.Body).ReadByte(); err != nil || c != right[0] {
		t.Errorf("first byte %c, %v", c, err)
	}
	resp.Body.Close()
}

// A wall stands until the clock of the test says otherwise.
func TestFaultsEndByTheClock(t *testing.T) {
	now := paper.Day("2026-03-17").In(paper.Shanghai)
	p := start(t, Options{Now: func() time.Time { return now }})
	p.Misbehave(Captcha().For(6 * time.Hour))
	for _, step := range []struct {
		wait time.Duration
		wall bool
	}{{0, true}, {6*time.Hour - 1, true}, {1, false}, {time.Hour, false}} {
		now = now.Add(step.wait)
		if body := text(t, p.URL()); strings.Contains(body, "验证码") != step.wall {
			t.Errorf("at %s: wall %v", now, !step.wall)
		}
	}
}
