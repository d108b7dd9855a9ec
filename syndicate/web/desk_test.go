package web

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"paperwire/internal/paper"
	"paperwire/syndicate/card"
)

// deskSite is a site with card pictures, whose clock can be set, and which answers
// a wrong key at once.
func deskSite(d Data) (h http.Handler, now *time.Time) {
	at := time.Date(2017, 9, 7, 9, 0, 0, 0, time.UTC)
	o := options(d, base)
	o.Links.Look = "test"
	o.Now = func() time.Time { return at }
	site, mux := New(o), http.NewServeMux()
	site.pause = 0
	site.Register(mux, nil)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { site.NotFound(w, r) })
	return mux, &at
}

// look sees a page of the desk with the key.
func look(t testing.TB, h http.Handler, status int, path string, header ...string) *goquery.Document {
	t.Helper()
	return see(t, h, status, path, append([]string{"Paperwire-Key", deskKey}, header...)...)
}

func send(h http.Handler, path string, form url.Values, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// deskPaths are one of each view of the desk.
var deskPaths = []string{
	"/desk", "/desk?platform=x", "/desk?platform=wechat_draft&part=2", "/desk?day=2017-09-06&section=yaowen&district=410825", "/desk?section=nothing",
	"/desk?day=1999-01-01", "/desk?part=99", "/desk?since=1", "/desk?since=99999999999", "/desk?paper=gazette", "/desk?paper=oldpaper",
	"/desk?article=demo-20170907-1000", "/desk?article=demo-20170907-1009", "/desk?article=gazette-20170906-0123456789abcdef",
}

// Every view of the desk in both languages: its markup, its weight, and that
// nothing of it may be kept or found.
func TestDeskPages(t *testing.T) {
	h, _ := deskSite(newsroom())
	paths := slices.Clone(deskPaths)
	for _, one := range deskPlatforms {
		paths = append(paths, "/desk?platform="+one.Key)
	}
	for _, path := range paths {
		for _, lang := range []string{chinese, english} {
			t.Run(lang+path, func(t *testing.T) {
				w := get(t, h, path, "Accept-Language", lang, "Paperwire-Key", deskKey)
				doc := look(t, h, 200, path, "Accept-Language", lang)
				if n := w.Body.Len(); n > 60<<10 {
					t.Errorf("the page has %d bytes: at most 60 KB", n)
				}
				checkMarkup(t, w.Body.String(), doc)
				if lang == english {
					checkHanIsMarked(t, doc)
				}
				if got := w.Header().Get("Cache-Control"); got != "no-store" {
					t.Errorf("Cache-Control %q", got)
				}
				if !strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "default-src 'none'; style-src 'self'; script-src 'self'") {
					t.Error("no strict policy")
				}
				if doc.Find("meta[name=robots][content=noindex]").Length() != 1 {
					t.Error("may be found by search engines")
				}
				doc.Find("button[data-copy]").Each(func(_ int, s *goquery.Selection) {
					if n := doc.Find("#" + s.AttrOr("data-copy", "")).Length(); n != 1 {
						t.Errorf("the button %q copies from %d elements", s.AttrOr("aria-label", ""), n)
					}
					if _, hidden := s.Attr("hidden"); !hidden {
						t.Error("a button that does nothing without a script is shown")
					}
				})
			})
		}
	}
	for _, path := range []string{"/desk?platform=nope", "/desk?day=yesterday", "/desk?since=-1", "/desk?since=x", "/desk?part=0", "/desk?part=9999999", "/desk?article=a%20b"} {
		look(t, h, 400, path)
	}
	for _, path := range []string{"/desk?paper=nothing", "/desk?article=nothing"} {
		look(t, h, 404, path)
	}
}

// Without the key there is a form and nothing else, whatever is asked for.
func TestDeskIsClosed(t *testing.T) {
	h, now := deskSite(newsroom())
	var plainForm string
	for i, path := range append(slices.Clone(deskPaths), "/desk?paper=nothing", "/desk?platform=nope") {
		for _, header := range [][]string{
			nil,
			{"Paperwire-Key", "wrong"},
			{"Cookie", sessionName + "="},
			{"Cookie", sessionName + "=1.00"},
			{"Cookie", sessionName + "=99999999999.00"},
			{"Cookie", sessionName + "=" + strconv.FormatInt(now.Add(time.Hour).Unix(), 10) + "."},
		} {
			doc := see(t, h, http.StatusUnauthorized, path, header...)
			doc.Find("form.enter").RemoveAttr("action")
			doc.Find("header.mast").Remove() // the link to the other language names what was asked for
			text, _ := doc.Html()
			if i == 0 && header == nil {
				plainForm = text
			} else if text != plainForm {
				t.Fatalf("%s with %q is told apart from /desk:\n%s", path, header, text)
			}
		}
	}
	if strings.Contains(plainForm, "河堤") || strings.Contains(plainForm, "示例日报") {
		t.Error("the form tells of articles")
	}
	// A site without a key has a form that nothing opens; one without a desk has none.
	o := options(newsroom(), base)
	o.Operator, o.Seal = func(*http.Request) bool { return false }, nil
	site, mux := New(o), http.NewServeMux()
	site.pause = 0
	site.Register(mux, nil)
	for _, key := range []string{"", deskKey} {
		if w := send(mux, "/desk", url.Values{"key": {key}}); w.Code != http.StatusUnauthorized {
			t.Errorf("key %q without an operator: %d", key, w.Code)
		}
	}
	o.Operator = nil
	if w := get(t, handler(o), "/desk"); w.Code != http.StatusNotFound {
		t.Errorf("a site without desk: %d", w.Code)
	}
}

func TestDeskSession(t *testing.T) {
	h, now := deskSite(newsroom())
	w := send(h, "/desk?platform=x&day=2017-09-06", url.Values{"key": {" " + deskKey + "\n"}})
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/desk?platform=x&day=2017-09-06" {
		t.Fatalf("the right key: %d, to %q", w.Code, w.Header().Get("Location"))
	}
	cookies := w.Result().Cookies()
	if len(cookies) != 1 {
		t.Fatalf("cookies: %v", cookies)
	}
	c := cookies[0]
	if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode || c.Path != "/desk" || c.MaxAge != 12*60*60 || strings.Contains(c.Value, deskKey) {
		t.Errorf("cookie %v", c)
	}
	session := c.Name + "=" + c.Value
	if doc := see(t, h, 200, "/desk", "Cookie", session); doc.Find(".ready").Length() == 0 {
		t.Error("nothing at the desk")
	}
	see(t, h, 200, "/desk", "Cookie", c.Name+"=tossed; "+session)
	end, seal, _ := strings.Cut(c.Value, ".")
	n, _ := strconv.ParseInt(end, 10, 64)
	for what, value := range map[string]string{
		"a later end":  strconv.FormatInt(n+60, 10) + "." + seal,
		"another seal": end + "." + strings.Repeat("0", len(seal)),
		"half a seal":  end + "." + seal[:len(seal)/2],
		"spelled":      "0" + c.Value,
	} {
		if w := get(t, h, "/desk", "Cookie", c.Name+"="+value); w.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d", what, w.Code)
		}
	}
	*now = now.Add(12*time.Hour - time.Second)
	see(t, h, 200, "/desk", "Cookie", session)
	*now = now.Add(time.Second)
	see(t, h, http.StatusUnauthorized, "/desk", "Cookie", session)
	*now = now.Add(-13 * time.Hour) // a clock that went back makes no session last longer
	see(t, h, http.StatusUnauthorized, "/desk", "Cookie", session)

	w = send(h, "/desk", url.Values{"leave": {"1"}})
	if c := w.Result().Cookies(); w.Code != http.StatusSeeOther || len(c) != 1 || c[0].MaxAge >= 0 || c[0].Value != "" {
		t.Errorf("leaving: %d %v", w.Code, c)
	}
	// GET changes nothing, whatever it carries.
	if w := get(t, h, "/desk?leave=1&key="+url.QueryEscape(deskKey)); w.Code != http.StatusUnauthorized || len(w.Result().Cookies()) != 0 {
		t.Errorf("a key in the address: %d %v", w.Code, w.Result().Cookies())
	}
	if w := send(h, "/desk?key="+url.QueryEscape(deskKey), nil); w.Code != http.StatusUnauthorized {
		t.Errorf("a key in the address of a form: %d", w.Code)
	}
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://other.example.org"}, {"Origin", "null"}} {
		for _, form := range []url.Values{{"key": {deskKey}}, {"leave": {"1"}}} {
			if w := send(h, "/desk", form, header...); w.Code != http.StatusForbidden || len(w.Result().Cookies()) != 0 {
				t.Errorf("a form of another site (%v): %d", header, w.Code)
			}
		}
	}
	for _, header := range [][]string{{"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Site", "none"}, {"Origin", base}} {
		if w := send(h, "/desk", url.Values{"key": {deskKey}}, header...); w.Code != http.StatusSeeOther {
			t.Errorf("our own form (%v): %d", header, w.Code)
		}
	}
	if w := send(h, "/desk", url.Values{"key": {strings.Repeat("x", 1<<20)}}); w.Code != http.StatusBadRequest {
		t.Errorf("a megabyte of key: %d", w.Code)
	}
}

// A wrong key is answered slowly and clearly, and no more are tried at once than
// there are places.
func TestDeskWrongKey(t *testing.T) {
	o := options(newsroom(), base)
	site, mux := New(o), http.NewServeMux()
	site.Register(mux, nil)
	began := time.Now()
	w := send(mux, "/desk", url.Values{"key": {"wrong"}})
	if took := time.Since(began); took < time.Second || w.Code != http.StatusUnauthorized {
		t.Errorf("%d after %s", w.Code, took)
	}
	doc, err := goquery.NewDocumentFromReader(w.Body)
	if err != nil || !strings.Contains(doc.Find("[role=alert]").Text(), "密钥不对") || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("not said clearly: %v %q", err, doc.Find("main").Text())
	}
	codes := make(chan int)
	for range 3 * triesOfOne {
		go func() { codes <- send(mux, "/desk", url.Values{"key": {"wrong"}}).Code }()
	}
	count := map[int]int{}
	for range 2 * triesOfOne { // those that find no place
		count[<-codes]++
	}
	// Somebody else comes in all the same.
	r := httptest.NewRequest(http.MethodPost, "/desk", strings.NewReader("key="+url.QueryEscape(deskKey)))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = "198.51.100.7:1"
	other := httptest.NewRecorder()
	mux.ServeHTTP(other, r)
	if other.Code != http.StatusSeeOther {
		t.Errorf("another client with the key: %d", other.Code)
	}
	for range triesOfOne {
		count[<-codes]++
	}
	if count[http.StatusUnauthorized] != triesOfOne || count[http.StatusTooManyRequests] != 2*triesOfOne {
		t.Errorf("%v: want %d tried", count, triesOfOne)
	}
	// Who gives up frees the place.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r = httptest.NewRequest(http.MethodPost, "/desk", strings.NewReader("key=wrong")).WithContext(ctx)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	began = time.Now()
	mux.ServeHTTP(httptest.NewRecorder(), r)
	if took := time.Since(began); took > time.Second/2 {
		t.Errorf("waits %s for somebody who left", took)
	}
}

// The edition in page order, every article with the texts and the picture of its card.
func TestDeskShowsTheCards(t *testing.T) {
	s := newsroom()
	h, _ := deskSite(s)
	day, err := s.Items(t.Context(), paper.Public, paper.Scope{Papers: []string{"demo"}}, paper.Window{Day: "2017-09-07"})
	if err != nil {
		t.Fatal(err)
	}
	day = slices.DeleteFunc(day, func(it paper.Item) bool { return it.State == paper.Withdrawn })
	links := card.Links{Base: base, Look: "test", Zone: paper.Shanghai}
	for _, platform := range deskPlatforms {
		next, n := "/desk?platform="+platform.Key, 0
		for next != "" {
			doc := look(t, h, 200, next)
			if got := doc.Find(".tabs [aria-current=page]").Text(); got != (locale{lang: chinese}).platform(platform) {
				t.Errorf("%s: the tab is %q", next, got)
			}
			doc.Find(".ready").Each(func(_ int, post *goquery.Selection) {
				it := day[n]
				n++
				want := card.New(it, links).Platforms[platform.Key]
				if href := post.Find("h3 a").AttrOr("href", ""); href != "/a/"+it.ID {
					t.Fatalf("%s: %s stands where %s should", next, href, it.ID)
				}
				texts := map[string]bool{}
				post.Find(".texts [data-copy]").Each(func(_ int, b *goquery.Selection) {
					texts[post.Find("#"+b.AttrOr("data-copy", "")).Text()] = true
				})
				for _, text := range append([]string{want.Text, want.URL}, fields(want)...) {
					if !texts[text] {
						t.Errorf("%s of %s cannot be copied: %q, only %v", platform.Key, it.ID, text, texts)
					}
				}
				if said := post.Find(".texts").Text(); !strings.Contains(said, fmt.Sprintf("%d / %d", want.Length, want.Limit)) {
					t.Errorf("%s of %s: length %d of %d is not said: %q", platform.Key, it.ID, want.Length, want.Limit, said)
				}
				cut := want.Truncated || slices.ContainsFunc(want.Fields, func(f card.Field) bool { return f.Truncated && f.Text != want.Text })
				if got := strings.Contains(post.Find(".texts").Text(), "已截短"); got != cut {
					t.Errorf("%s of %s: shortened %v, said %v", platform.Key, it.ID, cut, got)
				}
				intent := post.Find(".tags a[target=_blank]")
				if intent.AttrOr("href", "") != want.Intent {
					t.Errorf("%s of %s: leads to %q, want %q", platform.Key, it.ID, intent.AttrOr("href", ""), want.Intent)
				}
				if picture := post.Find(".tags a[download]"); platform.Key != "feishu" && base+picture.AttrOr("href", "") != want.Image {
					t.Errorf("%s of %s: picture %q, want %q", platform.Key, it.ID, picture.AttrOr("href", ""), want.Image)
				}
			})
			next = doc.Find(".turn a[rel=next]").AttrOr("href", "")
		}
		if n != len(day) {
			t.Errorf("%s: %d articles, the edition has %d", platform.Key, n, len(day))
		}
	}
	// All of one, side by side.
	doc := look(t, h, 200, "/desk?article=demo-20170907-1000")
	if n := doc.Find(".every > section").Length(); n != len(deskPlatforms) {
		t.Errorf("%d platforms side by side, want %d", n, len(deskPlatforms))
	}
	if n := doc.Find("a[download$='.jpg'][href*='/card/']").Length(); n < 2*len(card.Sizes()) {
		t.Errorf("%d pictures to download", n)
	}
}

func fields(p card.Post) (texts []string) {
	for _, f := range p.Fields {
		if f.Text != "" {
			texts = append(texts, f.Text)
		}
	}
	return texts
}

func TestDeskFilters(t *testing.T) {
	s := newsroom()
	for i := range s.items {
		if s.items[i].Page.Number == "02" && s.items[i].State == paper.Live {
			s.items[i].Sections = []paper.Section{{Slug: "zonghe", Name: "综合"}}
		}
	}
	h, _ := deskSite(s)
	ids := func(path string) (list []string) {
		look(t, h, 200, path).Find(".ready h3 a").Each(func(_ int, a *goquery.Selection) { list = append(list, a.AttrOr("href", "")) })
		return list
	}
	if got := ids("/desk?section=zonghe"); len(got) != 7 || got[0] != "/a/demo-20170907-1008" { // one of eight was withdrawn
		t.Errorf("a section: %v", got)
	}
	if got := ids("/desk?section=zonghe&district=410825"); !slices.Equal(got, []string{"/a/demo-20170907-1008", "/a/demo-20170907-1012"}) {
		t.Errorf("a district in a section: %v", got)
	}
	// A form sends what is empty, too; it keeps platform and language.
	doc := look(t, h, 200, "/desk?paper=demo&day=2017-09-07&section=zonghe&district=&platform=x&lang=en")
	if n := doc.Find(".ready").Length(); n != 7 {
		t.Errorf("as a form sends it: %d", n)
	}
	form := doc.Find("form.filter")
	for name, want := range map[string]string{"input[name=platform]": "x", "input[name=lang]": "en", "input[name=day]": "2017-09-07", "select[name=section] [selected]": "zonghe"} {
		if got := form.Find(name).AttrOr("value", ""); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	if got := form.Find("a").AttrOr("href", ""); got != "/desk?day=2017-09-07&paper=demo&platform=x&lang=en" {
		t.Errorf("without the filter: %q", got)
	}
	for path, want := range map[string]string{
		"/desk?section=nothing": "没有符合", "/desk?day=1999-01-01": "这一天没有", "/desk?part=99": "后面没有", "/desk?since=99999999999": "没有新的",
	} {
		if got := look(t, h, 200, path).Find(".empty").Text(); !strings.Contains(got, want) {
			t.Errorf("%s says %q", path, got)
		}
	}
	empty, _ := deskSite(&shelf{})
	if got := look(t, empty, 200, "/desk").Find(".empty").Text(); !strings.Contains(got, "还没有报道") {
		t.Errorf("an empty store: %q", got)
	}
	// Every link of every page leads somewhere.
	seen, queue := map[string]bool{}, []string{"/desk?lang=en"}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		look(t, h, 200, at).Find("main a[href^='/desk']").Each(func(_ int, a *goquery.Selection) {
			if to := a.AttrOr("href", ""); !seen[to] && len(seen) < 400 {
				if !strings.Contains(to, "lang=en") {
					t.Errorf("%s: the link to %s loses the language", at, to)
				}
				seen[to] = true
				queue = append(queue, to)
			}
		})
	}
	if len(seen) < 100 {
		t.Errorf("only %d views found", len(seen))
	}
}

// What was corrected or withdrawn stands above, with what to do; and the address
// that somebody keeps shows next time only what is new.
func TestDeskChanges(t *testing.T) {
	s := newsroom()
	h, _ := deskSite(s)
	doc := look(t, h, 200, "/desk")
	rows := doc.Find(".changed li")
	if n := rows.Length(); n < 2 {
		t.Fatalf("%d changes", n)
	}
	corrected := rows.FilterFunction(func(_ int, r *goquery.Selection) bool {
		return r.Find("a[href='/desk?article=demo-20170907-1000']").Length() == 1
	})
	if text := corrected.Text(); !strings.Contains(text, "有更正") || !strings.Contains(text, "重新读取") {
		t.Errorf("a correction: %q", text)
	}
	address := base + "/a/demo-20170907-1000"
	for _, want := range []string{"https://developers.facebook.com/tools/debug/?q=", "https://www.linkedin.com/post-inspector/inspect/"} {
		if corrected.Find("a[href='"+want+url.QueryEscape(address)+"']").Length() != 1 {
			t.Errorf("nothing leads to %s", want)
		}
	}
	withdrawn := rows.FilterFunction(func(_ int, r *goquery.Selection) bool { return strings.Contains(r.Text(), "demo-20170907-1009") })
	if text := withdrawn.Text(); !strings.Contains(text, "已撤回") || !strings.Contains(text, "删除") || !strings.Contains(text, base+"/a/demo-20170907-1009") || strings.Contains(text, "图书角") {
		t.Errorf("a withdrawal: %q", text)
	}

	// The address to keep.
	after := doc.Find("main > .line a").Last().AttrOr("href", "")
	doc = look(t, h, 200, after)
	if doc.Find(".ready, .changed").Length() != 0 || !strings.Contains(doc.Find(".empty").Text(), "没有新的") {
		t.Errorf("%s shows something, and nothing happened: %s", after, doc.Find("main").Text())
	}
	u, err := url.Parse(after)
	if err != nil {
		t.Fatal(err)
	}
	since, err := strconv.ParseInt(u.Query().Get("since"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	next := time.Unix(since+10, 0).UTC()
	late := s.items[slices.IndexFunc(s.items, func(it paper.Item) bool { return it.ID == "demo-20170906-1003" })]
	late.ID, late.Published, late.Updated = "demo-20170906-9999", next, next
	mended := slices.IndexFunc(s.items, func(it paper.Item) bool { return it.ID == "demo-20170907-1003" })
	s.items[mended].Version, s.items[mended].Updated = 2, next.Add(time.Second)
	s.items = append([]paper.Item{late}, s.items...)
	doc = look(t, h, 200, after)
	if got := doc.Find(".ready h3 a"); got.Length() != 1 || got.AttrOr("href", "") != "/a/"+late.ID {
		t.Errorf("new: %q", got.Text())
	}
	if got := doc.Find(".changed li"); got.Length() != 1 || got.Find("a").AttrOr("href", "") != "/desk?article=demo-20170907-1003" {
		t.Errorf("changed: %q", got.Text())
	}
	if again := doc.Find("main > .line a").Last().AttrOr("href", ""); !strings.Contains(again, "since="+strconv.FormatInt(since+11, 10)) {
		t.Errorf("the next address is %s", again)
	}
	// A long list goes on behind one question.
	s.items = nil
	for i := range 2*deskNew + 30 {
		it := late
		it.ID, it.Published = fmt.Sprintf("demo-20170906-%05d", i), next.Add(-time.Duration(i)*time.Second)
		it.Updated, it.Ordinal = it.Published, i
		s.items = append(s.items, it)
	}
	doc = look(t, h, 200, "/desk?since="+strconv.FormatInt(next.Unix()-2*deskNew-10, 10))
	if text := doc.Find(".hint").Text(); !strings.Contains(text, fmt.Sprint("共 ", 2*deskNew+10, " 篇")) {
		t.Errorf("a long list: %q", text)
	}
}

// However many there are, what was withdrawn stands there; and a day without an edition
// leads to the days beside it.
func TestDeskTakesDown(t *testing.T) {
	s := newsroom()
	first := s.items[0]
	s.items = nil
	for i := range 30 {
		it := first
		it.ID, it.Version = fmt.Sprintf("demo-20170907-%04d", i), 2
		it.Updated = it.Published.Add(time.Duration(i+1) * time.Minute)
		if i < 12 { // the oldest changes
			it.State = paper.Withdrawn
		}
		s.items = append(s.items, it)
	}
	h, _ := deskSite(s)
	doc := look(t, h, 200, "/desk")
	if n := doc.Find(".changed").First().Find("li").Length(); n != 12+deskChanges {
		t.Errorf("%d changes at once", n)
	}
	if n := doc.Find("details .changed li").Length(); n != 30-12-deskChanges {
		t.Errorf("%d behind the fold", n)
	}
	if got := strings.Count(doc.Find(".changed").First().Text(), "已撤回"); got != 12 {
		t.Errorf("%d of 12 withdrawals are listed", got)
	}
	doc = look(t, h, 200, "/desk?paper=demo&day=2017-09-20")
	if got := doc.Find("main .line a[rel=prev]").AttrOr("href", ""); !strings.Contains(got, "day=2017-09-07") {
		t.Errorf("an empty day leads to %q", got)
	}
	for target, status := range map[string]int{"/desk?day=x": 400, "/desk?paper=nobody": 404, "/desk?article=demo-20170907-9998": 404} {
		r := httptest.NewRequest(http.MethodGet, target, nil)
		r.Header.Set("Paperwire-Key", deskKey)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != status || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d, %s", target, w.Code, w.Header().Get("Cache-Control"))
		}
	}
}

// The longest articles that a paper prints stay below the weight of a page.
func TestDeskWeight(t *testing.T) {
	s := newsroom()
	one := s.items[0]
	s.items = nil
	for i := range 200 {
		it := one
		it.ID, it.Ordinal, it.Headline = fmt.Sprintf("demo-20170907-%07d", i), i, longHan
		it.Summary = strings.Repeat("灯是村里人自己修好的，电线从旧仓库里清出来，一截一截接上，灯罩洗了三遍。", 4)
		it.Version, it.Updated = 2, it.Published.Add(time.Duration(i)*time.Second)
		for n := range 40 {
			it.Districts = append(it.Districts[:len(it.Districts):len(it.Districts)], paper.Tag{Code: fmt.Sprint(420100 + (i+n)%40), Name: "示例自治县"})
			if n > 2 {
				break
			}
		}
		s.items = append(s.items, it)
	}
	h, _ := deskSite(s)
	most := map[string]int{}
	for _, platform := range deskPlatforms {
		w := get(t, h, "/desk?platform="+platform.Key, "Paperwire-Key", deskKey)
		most["/desk"] = max(most["/desk"], w.Body.Len())
	}
	most["article"] = get(t, h, "/desk?article=demo-20170907-0000000", "Paperwire-Key", deskKey).Body.Len()
	for what, n := range most {
		t.Logf("%s: %d bytes", what, n)
		if n > 60<<10 {
			t.Errorf("%s: %d bytes: at most 60 KB", what, n)
		}
	}
}

// Hostile text in every field comes out as text.
func TestDeskHostileText(t *testing.T) {
	const evil = `"'><script>alert(1)</script><img src=x onerror=alert(2)></textarea><!-- javascript:alert(3) {{.}}`
	s := newsroom()
	for i := range s.items {
		v := reflect.ValueOf(&s.items[i].Article).Elem()
		for _, name := range []string{"URL", "Kicker", "Headline", "Subtitle", "Agency", "Text", "HTML", "Summary", "Language"} {
			v.FieldByName(name).SetString(evil)
		}
		s.items[i].Page = paper.PageRef{Number: evil, Name: evil}
		s.items[i].PaperName = evil
		s.items[i].Byline = []paper.Person{{Name: evil}}
		s.items[i].Images = []paper.Image{{URL: "javascript:alert(4)", Caption: evil, Width: 900, Height: 600}}
		s.items[i].Sections = []paper.Section{{Slug: "yaowen", Name: evil}}
		s.items[i].Districts = []paper.Tag{{Code: "410825", Name: evil}}
	}
	for i := range s.papers {
		s.papers[i].Name = evil
	}
	h, _ := deskSite(s)
	for _, path := range []string{
		"/desk", "/desk?platform=x", "/desk?platform=qq&lang=en", "/desk?article=demo-20170907-1000", "/desk?section=" + url.QueryEscape(evil),
		"/desk?district=" + url.QueryEscape(evil) + "&since=1", "/desk?lang=" + url.QueryEscape(evil),
	} {
		w := get(t, h, path, "Paperwire-Key", deskKey)
		doc := look(t, h, 200, path)
		checkMarkup(t, w.Body.String(), doc)
		if doc.Find("img[src=x], [onerror], main script, [href^='javascript:'], [src^='javascript:']").Length() > 0 {
			t.Errorf("%s: markup came through", path)
		}
	}
	w := send(h, "/desk?x="+url.QueryEscape(evil), url.Values{"key": {evil}})
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	checkMarkup(t, w.Body.String(), doc)
}

func TestDeskStoreFails(t *testing.T) {
	s := newsroom()
	h, _ := deskSite(s)
	s.broken = io.ErrUnexpectedEOF
	for _, path := range []string{"/desk", "/desk?article=demo-20170907-1000"} {
		if w := get(t, h, path, "Paperwire-Key", deskKey); w.Code != 500 || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func BenchmarkDesk(b *testing.B) {
	h, _ := deskSite(newsroom())
	b.ReportAllocs()
	for b.Loop() {
		get(b, h, "/desk", "Paperwire-Key", deskKey)
	}
}
