package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"pgregory.net/rapid"

	"paperwire/internal/paper"
)

const base = "https://news.example.cn"

// handler is the site behind a mux, with the 404 page for the rest, as the
// handler around it does.
func handler(o Options) http.Handler {
	site, mux := New(o), http.NewServeMux()
	site.Register(mux, nil)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { site.NotFound(w, r) })
	return mux
}

func get(t testing.TB, h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// see gets a page that must answer with a status, and parses it.
func see(t testing.TB, h http.Handler, status int, path string, header ...string) *goquery.Document {
	t.Helper()
	w := get(t, h, path, header...)
	if w.Code != status {
		t.Fatalf("%s: status %d, want %d (Location %q)", path, w.Code, status, w.Header().Get("Location"))
	}
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return doc
}

// every is one path of each kind of page, with its status.
var every = map[string]int{
	"/": 200, "/all": 200, "/paper/demo": 200, "/paper/demo/section/yaowen/district/410825/page/01": 200, "/section/yaowen": 200,
	"/district/410825,410882": 200, "/district/410800": 200, "/-section/yaowen": 200, "/paper/oldpaper": 200, "/section/fukan": 200,
	"/editions/demo/2017-09-07": 200, "/editions/demo/2017-09-06?page=04": 200, "/editions/demo/1999-01-01": 404, "/editions/demo/2017-09-07?page=99": 404,
	"/a/demo-20170907-1000": 200, "/a/demo-20170907-1001": 200, "/a/demo-20170907-1005": 200, "/a/gazette-20170906-0123456789abcdef": 200,
	"/a/demo-20170907-1009": 410, "/a/nothing": 404, "/status": 200, "/district/999999": 404, "/paper/nothing": 404, "/page/01": 404,
	"/desk": 401, "/district/1,2,3,4,5,6,7,8,9": 400, "/all?before=yesterday": 400, "/all?before=1.demo": 200,
}

func TestEveryPage(t *testing.T) {
	h := handler(options(newsroom(), base))
	for path, status := range every {
		for _, lang := range []string{chinese, english} {
			t.Run(lang+path, func(t *testing.T) {
				w := get(t, h, path, "Accept-Language", lang)
				doc := see(t, h, status, path, "Accept-Language", lang)
				if got := doc.Find("html").AttrOr("lang", ""); got != lang {
					t.Errorf("lang is %q", got)
				}
				if n := w.Body.Len(); n > 60<<10 {
					t.Errorf("the page has %d bytes: at most 60 KB", n)
				}
				checkMarkup(t, w.Body.String(), doc)
				if lang == english {
					checkHanIsMarked(t, doc)
				}
			})
		}
	}
}

// checkMarkup holds what must be true of every page: nothing that the content
// security policy would stop, and what keyboards and screen readers need.
func checkMarkup(t *testing.T, text string, doc *goquery.Document) {
	t.Helper()
	for _, bad := range []string{"ZgotmplZ", "%!", "<nil>", "0001-01-01", "style="} {
		if strings.Contains(text, bad) {
			t.Errorf("the page holds %q: …%s", bad, text[max(0, strings.Index(text, bad)-80):][:120])
		}
	}
	if n := doc.Find("h1").Length(); n != 1 {
		t.Errorf("%d h1", n)
	}
	if doc.Find("title").Text() == "" || doc.Find("h1").Text() == "" {
		t.Error("no title or an empty h1")
	}
	if doc.Find("main#main").Length() != 1 || doc.Find("a.skip[href='#main']").Length() != 1 {
		t.Error("no main, or no link that skips to it")
	}
	doc.Find("script").Each(func(_ int, s *goquery.Selection) {
		if typ := s.AttrOr("type", ""); typ != "application/ld+json" && !strings.HasPrefix(s.AttrOr("src", ""), "/assets/") {
			t.Errorf("script that the policy stops: %s", s.Text())
		}
	})
	seen := make(map[string]bool)
	level := 0
	doc.Find("*").Each(func(_ int, s *goquery.Selection) {
		node := s.Get(0)
		for _, a := range node.Attr {
			if strings.HasPrefix(a.Key, "on") {
				t.Errorf("<%s %s=%q>", node.Data, a.Key, a.Val)
			}
			if a.Key == "id" && seen[a.Val] {
				t.Errorf("id %q stands twice", a.Val)
			} else if a.Key == "id" {
				seen[a.Val] = true
			}
			if (a.Key == "href" || a.Key == "src") && !regexp.MustCompile(`^(https?:|mailto:\?|feed:(https:)?//|[/?#])`).MatchString(a.Val) {
				t.Errorf("<%s %s=%q>", node.Data, a.Key, a.Val)
			}
		}
		switch node.Data {
		case "h1", "h2", "h3", "h4":
			if now := int(node.Data[1] - '0'); now > level+1 {
				t.Errorf("<%s>%s after h%d: a level is missing", node.Data, s.Text(), level)
			} else {
				level = now
			}
		case "img":
			if _, ok := s.Attr("alt"); !ok {
				t.Errorf("picture %s has no alt", s.AttrOr("src", ""))
			}
			if s.AttrOr("referrerpolicy", "") != "no-referrer" {
				t.Errorf("picture %s tells its publisher about us", s.AttrOr("src", ""))
			}
		case "area":
			if s.AttrOr("alt", "") == "" || s.AttrOr("href", "") == "" {
				t.Error("an area without alt or href cannot be reached by keyboard")
			}
		case "input", "select":
			if s.AttrOr("type", "") == "hidden" {
				return
			}
			if doc.Find("label[for='"+s.AttrOr("id", "")+"']").Length() != 1 {
				t.Errorf("input %q has no label", s.AttrOr("id", ""))
			}
		case "a":
			if strings.TrimSpace(s.Text()) == "" && s.AttrOr("aria-hidden", "") == "" {
				t.Errorf("link to %s has no text", s.AttrOr("href", ""))
			}
		case "time":
			if s.AttrOr("datetime", "") == "" {
				t.Errorf("time %s has no datetime", s.Text())
			}
		case "style":
			t.Error("inline style")
		}
	})
}

// checkHanIsMarked holds that on an English page every visible Chinese text
// stands in an element that says so.
func checkHanIsMarked(t *testing.T, doc *goquery.Document) {
	t.Helper()
	doc.Find("body *").Contents().Each(func(_ int, s *goquery.Selection) {
		node := s.Get(0)
		if node.Data == "" || node.Type != 1 || !hasHan(node.Data) || node.Parent.Data == "title" || node.Parent.Data == "script" {
			return
		}
		for n := node.Parent; n != nil; n = n.Parent {
			for _, a := range n.Attr {
				if a.Key == "lang" {
					if a.Val != chinese {
						t.Errorf("%q is marked as %s", node.Data, a.Val)
					}
					return
				}
			}
		}
	})
}

// Every link within the site leads somewhere, from the home page on.
func TestLinksLeadSomewhere(t *testing.T) {
	for _, start := range []string{"/", "/?lang=en"} {
		h := handler(options(newsroom(), base))
		seen := map[string]bool{start: true}
		queue := []string{start}
		for len(queue) > 0 {
			at := queue[0]
			queue = queue[1:]
			w := get(t, h, at)
			if w.Code != http.StatusOK {
				t.Errorf("%s: status %d", at, w.Code)
				continue
			}
			doc, err := goquery.NewDocumentFromReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			doc.Find("a[href], area[href], link[href], script[src]").Each(func(_ int, s *goquery.Selection) {
				href := s.AttrOr("href", s.AttrOr("src", ""))
				to, _, _ := strings.Cut(href, "#")
				if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "/feeds") || seen[to] {
					return
				}
				if start != "/" && s.Is("a") && !strings.Contains(to, "lang=en") {
					t.Errorf("%s: the link to %s loses the language", at, to)
				}
				seen[to] = true
				queue = append(queue, to)
			})
		}
		if len(seen) < 120 {
			t.Errorf("from %s only %d pages could be reached", start, len(seen))
		}
	}
}

func TestHeaders(t *testing.T) {
	h := handler(options(newsroom(), base))
	w := get(t, h, "/district/410825")
	for name, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "Vary": "Accept-Language", "Cache-Control": "public, max-age=60",
		"X-Content-Type-Options": "nosniff", "Content-Language": "zh-CN", "Referrer-Policy": "strict-origin-when-cross-origin",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	policy := w.Header().Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'; style-src 'self'; script-src 'self'") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
	etag := w.Header().Get("ETag")
	if again := get(t, h, "/district/410825"); again.Header().Get("ETag") != etag || again.Body.String() != w.Body.String() {
		t.Error("the same page has other bytes the second time")
	}
	if w := get(t, h, "/district/410825", "If-None-Match", etag); w.Code != http.StatusNotModified || w.Body.Len() != 0 {
		t.Errorf("the same ETag: status %d with %d bytes", w.Code, w.Body.Len())
	}
	if w := get(t, h, "/district/410825", "If-None-Match", etag, "Accept-Language", "en"); w.Code != http.StatusOK {
		t.Errorf("the ETag of another language: status %d", w.Code)
	}
	for path, status := range every {
		r := httptest.NewRequest(http.MethodHead, path, nil)
		head := httptest.NewRecorder()
		h.ServeHTTP(head, r)
		full := get(t, h, path)
		if head.Code != status || head.Body.Len() != 0 || head.Header().Get("ETag") != full.Header().Get("ETag") {
			t.Errorf("HEAD %s: status %d, %d bytes, ETag %q", path, head.Code, head.Body.Len(), head.Header().Get("ETag"))
		}
		if n := head.Header().Get("Content-Length"); n != fmt.Sprint(full.Body.Len()) {
			t.Errorf("HEAD %s: length %s, GET has %d", path, n, full.Body.Len())
		}
	}
	if got := get(t, h, "/status").Header().Get("Cache-Control"); got != "no-cache" {
		t.Errorf("status: Cache-Control %q", got)
	}
}

func TestAssets(t *testing.T) {
	h := handler(options(newsroom(), base))
	doc := see(t, h, 200, "/")
	css := doc.Find("link[rel=stylesheet]").AttrOr("href", "")
	w := get(t, h, css)
	if w.Code != 200 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Header().Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("%s: %d %v", css, w.Code, w.Header())
	}
	if w.Body.Len() > 15<<10 {
		t.Errorf("the stylesheet has %d bytes: at most 15 KB", w.Body.Len())
	}
	if w := get(t, h, doc.Find("script[src]").AttrOr("src", "")); w.Code != 200 || w.Body.Len() > 2<<10 {
		t.Errorf("script: %d with %d bytes", w.Code, w.Body.Len())
	}
	if w := get(t, h, "/favicon.ico"); w.Code != 200 || w.Header().Get("Content-Type") != "image/x-icon" {
		t.Errorf("favicon: %d %v", w.Code, w.Header())
	}
	if w := get(t, h, "/assets/paper.css"); w.Code != 404 {
		t.Errorf("a name without hash: %d", w.Code)
	}
}

// A correction is told above the text it corrects and leads both ways; other
// forms of a story stand quietly below it.
func TestRelations(t *testing.T) {
	h := handler(options(newsroom(), base))
	for path, want := range map[string][]string{
		"/a/demo-20170907-1000": {
			"2017年9月7日第02版刊登了对本文的更正 → /a/demo-20170907-1010",
			"同一报道的简讯：堤上的灯亮了（2017年9月7日第02版） → /a/demo-20170907-1011",
		},
		"/a/demo-20170907-1010":         {"更正的是2017年9月7日第01版《河堤上的<灯>重新亮了》 → /a/demo-20170907-1000"},
		"/a/demo-20170907-1010?lang=en": {"This is a correction of 河堤上的<灯>重新亮了 (7 September 2017, page 01) → /a/demo-20170907-1000?lang=en"},
		"/a/demo-20170907-1002":         nil,
	} {
		doc := see(t, h, 200, path)
		var got []string
		doc.Find(".note, .other").Each(func(_ int, s *goquery.Selection) {
			if to, ok := s.Find("a").Attr("href"); ok {
				got = append(got, s.Text()+" → "+to)
			}
		})
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q", path, got)
		}
		if len(want) > 0 && doc.Find(".note ~ .text").Length() != 1 {
			t.Errorf("%s: the correction does not stand above the text", path)
		}
	}
	if doc := see(t, h, 200, "/a/demo-20170907-1010?lang=en"); doc.Find(".note a[lang=zh-CN]").Length() != 1 {
		t.Error("the headline is not marked as Chinese")
	}
	marks := see(t, h, 200, "/editions/demo/2017-09-07").Find(`.entry:has(a[href="/a/demo-20170907-1000"])`).Text()
	if !strings.Contains(marks, "有更正") {
		t.Errorf("a corrected article is not marked in a list: %q", marks)
	}
}

func TestRedirects(t *testing.T) {
	h := handler(options(newsroom(), base))
	for from, to := range map[string]string{
		"/district/温县":                  "/district/410825",
		"/district/wenxian?lang=en":     "/district/410825?lang=en",
		"/district/zhongzhan,温县,410825": "/district/410803,410825",
		"/district/410825,410803/":      "/district/410803,410825",
		"/paper/demo/-district/沁阳":      "/paper/demo/-district/410882",
		"/paper/demo/page/02,01":        "/paper/demo/page/01,02",
		"/editions/demo/20170907":       "/editions/demo/2017-09-07",
		"/paper/demo/":                  "/paper/demo",
	} {
		u, _ := url.Parse(from)
		w := get(t, h, u.String())
		if w.Code != http.StatusPermanentRedirect || w.Header().Get("Location") != to {
			t.Errorf("%s: %d to %q, want %q", from, w.Code, w.Header().Get("Location"), to)
		}
	}
	if w := get(t, h, "/editions/demo"); w.Code != http.StatusTemporaryRedirect || w.Header().Get("Location") != "/editions/demo/2017-09-07" {
		t.Errorf("newest edition: %d to %q", w.Code, w.Header().Get("Location"))
	}
	if w := get(t, h, "/editions/gazette"); w.Code != http.StatusNotFound {
		t.Errorf("a paper without editions: %d", w.Code)
	}
}

func TestLanguage(t *testing.T) {
	for _, c := range []struct{ query, accept, want string }{
		{"", "", chinese},
		{"", "en", english},
		{"", "en-GB,en;q=0.9", english},
		{"", "zh-TW,zh;q=0.9,en;q=0.8", chinese},
		{"", "fr-FR, en;q=0.5", english},
		{"", "fr", english},
		{"", "*", chinese},
		{"", "en;q=0.1, zh;q=0.9", chinese},
		{"", "zh;q=0, en", english},
		{"", ";;;=", chinese},
		{"", strings.Repeat("en-", 5000), chinese},
		{"en", "zh-CN", english},
		{"zh", "en", chinese},
		{"zh-CN", "en", chinese},
		{"fr", "", english},
		{`"><script>`, "en", english},
	} {
		r := httptest.NewRequest(http.MethodGet, "/?lang="+url.QueryEscape(c.query), nil)
		r.Header.Set("Accept-Language", c.accept)
		if got := localeOf(r); got.lang != c.want {
			t.Errorf("?lang=%s with Accept-Language %.40s: %s, want %s", c.query, c.accept, got.lang, c.want)
		}
	}
}

func TestMessages(t *testing.T) {
	verbs := regexp.MustCompile(`%(\[\d\][a-z]|.)`)
	used := make(map[string]bool)
	templates, _ := files.ReadDir("templates")
	for _, f := range templates {
		text, _ := files.ReadFile("templates/" + f.Name())
		for _, m := range regexp.MustCompile(`\(?\b(?:t|plain) "([a-z_]+)"`).FindAllStringSubmatch(string(text), -1) {
			used[m[1]] = true
			if _, ok := messages[m[1]]; !ok {
				t.Errorf("%s: there is no message %q", f.Name(), m[1])
			}
		}
	}
	for key, m := range messages {
		if m.zh == "" || m.en == "" {
			t.Errorf("%s lacks a language", key)
		}
		a, b := verbs.FindAllString(m.zh, -1), verbs.FindAllString(m.en, -1)
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(a, b) {
			t.Errorf("%s: arguments %v in Chinese, %v in English", key, a, b)
		}
		if strings.ContainsAny(m.zh+m.en, "!！<>") {
			t.Errorf("%s: no exclamation marks, no markup", key)
		}
		if hasHan(m.en) {
			t.Errorf("%s: Chinese in English", key)
		}
	}
	// The others are named in the code, by themselves or by the start of their key.
	sources, _ := filepath.Glob("*.go")
	var code strings.Builder
	for _, f := range sources {
		if text, err := os.ReadFile(f); err == nil && !strings.HasSuffix(f, "_test.go") {
			for line := range strings.Lines(string(text)) {
				if !regexp.MustCompile(`^\t"[a-z_]+":`).MatchString(line) {
					code.WriteString(line)
				}
			}
		}
	}
	for key := range messages {
		kind, _, _ := strings.Cut(key, "_")
		if !used[key] && !strings.Contains(code.String(), `"`+key+`"`) && !strings.Contains(code.String(), `"`+kind+`_"+`) && !strings.Contains(code.String(), `"`+kind+`_" +`) {
			t.Errorf("message %q is not used", key)
		}
	}
	if len(used) < 60 {
		t.Errorf("only %d messages found in the templates", len(used))
	}
}

// Hostile text in every string field must come out as text.
func TestHostileText(t *testing.T) {
	const evil = `"'><script>alert(1)</script><img src=x onerror=alert(2)></title></textarea><!-- javascript:alert(3) {{.}}`
	s := newsroom()
	var spoil func(v reflect.Value, keep ...string)
	spoil = func(v reflect.Value, keep ...string) {
		switch v.Kind() {
		case reflect.String:
			if v.CanSet() {
				v.SetString(evil)
			}
		case reflect.Slice:
			for i := range v.Len() {
				spoil(v.Index(i), keep...)
			}
		case reflect.Struct:
			for i := range v.NumField() {
				if !slices.Contains(keep, v.Type().Field(i).Name) && v.Type() != reflect.TypeFor[time.Time]() {
					spoil(v.Field(i), keep...)
				}
			}
		}
	}
	for i := range s.items {
		spoil(reflect.ValueOf(&s.items[i]).Elem(), "ID", "Paper", "Day", "State", "Rights")
		s.items[i].Sections = []paper.Section{{Slug: "yaowen", Name: evil}}
		s.items[i].Districts = append(s.items[i].Districts, paper.Tag{Code: "410825", Name: evil})
	}
	for i := range s.editions {
		spoil(reflect.ValueOf(&s.editions[i]).Elem(), "Paper", "Day")
	}
	for i := range s.papers {
		spoil(reflect.ValueOf(&s.papers[i]).Elem(), "Key")
	}
	for i := range s.scopes {
		spoil(reflect.ValueOf(&s.scopes[i]).Elem(), "Part")
	}
	for i := range s.health {
		spoil(reflect.ValueOf(&s.health[i]).Elem())
	}
	o := options(s, base)
	o.SiteTitle, o.Footer = evil, evil
	h := handler(o)
	for _, path := range []string{
		"/", "/all", "/paper/demo", "/district/410825", "/district/410882", "/editions/demo/2017-09-07", "/a/demo-20170907-1000", "/a/demo-20170907-1009",
		"/a/gazette-20170906-0123456789abcdef", "/status", "/nope/" + url.PathEscape(evil), "/district/" + url.PathEscape(evil), "/all?before=" + url.QueryEscape(evil),
		"/?lang=" + url.QueryEscape(evil), "/editions/demo/2017-09-07?page=" + url.QueryEscape(evil),
	} {
		for _, lang := range []string{chinese, english} {
			w := get(t, h, path, "Accept-Language", lang)
			if w.Code >= 500 {
				t.Fatalf("%s: %d", path, w.Code)
			}
			text := w.Body.String()
			doc, err := goquery.NewDocumentFromReader(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			checkMarkup(t, strings.NewReplacer("%!", "", "0001-01-01", "").Replace(text), doc)
			if doc.Find("img[src=x], [onerror], main script:not([type])").Length() > 0 {
				t.Errorf("%s: markup came through", path)
			}
			if n := doc.Find("script").Length(); n > 2 {
				t.Errorf("%s: %d scripts", path, n)
			}
		}
	}
}

func TestHome(t *testing.T) {
	h := handler(options(newsroom(), base))
	doc := see(t, h, 200, "/")
	front := doc.Find(".front")
	if front.Length() != 1 || front.Find(".lead").Text() != "河堤上的灯重新亮了" || front.Find(".sheet img").Length() != 1 {
		t.Errorf("front page: %s", front.Text())
	}
	var names []string
	doc.Find(".city + .index a").Each(func(_ int, s *goquery.Selection) { names = append(names, s.Text()) })
	if got := strings.Join(names, " "); got != "博爱县 马村区 沁阳市 温县 中站区" {
		t.Errorf("districts in the order %s: want that of pinyin", got)
	}
	if got := doc.Find(".city + .index li").First().Text(); got != "博爱县 24 篇 2017-09-07" {
		t.Errorf("district line %q", got)
	}
	if !strings.Contains(get(t, h, "/").Body.String(), `type="application/rss+xml"`) {
		t.Error("a reader that looks for application/rss+xml as it is finds no feed")
	}
	if n := doc.Find(".panel").Length(); n != 1 {
		t.Errorf("%d subscribe boxes", n)
	}
	if got := doc.Find("#feed-rss").AttrOr("value", ""); got != base+"/feeds/all.rss" {
		t.Errorf("address %q", got)
	}
	empty := see(t, handler(options(&shelf{}, base)), 200, "/")
	if empty.Find(".empty").Length() != 1 {
		t.Error("an empty site says nothing")
	}
	s := newsroom()
	s.editions = nil
	if n := see(t, handler(options(s, base)), 200, "/").Find(".entry").Length(); n < 15 {
		t.Errorf("without editions %d latest articles", n)
	}
}

func TestScopePage(t *testing.T) {
	h := handler(options(newsroom(), base))
	doc := see(t, h, 200, "/paper/demo/section/yaowen/district/410825/-district/410882")
	if got := doc.Find(".sentence").Text(); got != "《示例日报》“要闻”栏目中有关温县的报道（不含沁阳市），新的在前。" {
		t.Errorf("sentence %q", got)
	}
	doc = see(t, h, 200, "/paper/demo/section/yaowen/district/410825/-district/410882", "Accept-Language", "en")
	if got := doc.Find(".sentence").Text(); got != "Articles about 温县 from 示例日报, filed under 要闻, without 沁阳市, newest first." {
		t.Errorf("sentence %q", got)
	}

	doc = see(t, h, 200, "/-section/yaowen")
	if got := doc.Find("h1").Text() + "|" + doc.Find(".sentence").Text(); got != "全部报道 · 不含要闻|全部报纸的报道（不含要闻），新的在前。" {
		t.Errorf("heading and sentence %q", got)
	}

	doc = see(t, h, 200, "/district/410825")
	var found []string
	doc.Find("link[rel=alternate]").Each(func(_ int, s *goquery.Selection) {
		found = append(found, s.AttrOr("type", "")+" "+s.AttrOr("href", ""))
	})
	want := []string{
		"application/rss+xml " + base + "/feeds/district/410825.rss", "application/atom+xml " + base + "/feeds/district/410825.atom",
		"application/feed+json " + base + "/feeds/district/410825.json",
	}
	if !slices.Equal(found, want) {
		t.Errorf("autodiscovery %q", found)
	}
	if got := doc.Find(".feed a").First().AttrOr("href", ""); got != "feed:"+base+"/feeds/district/410825.rss" {
		t.Errorf("reader link %q", got)
	}
	if doc.Find("input[readonly]").Length() != 5 || doc.Find("button:not([hidden])").Length() != 0 {
		t.Error("every format needs an address, and no button may show that needs the script")
	}
	if doc.Find(`a[href="/feeds/district/410825.opml"]`).Length() != 1 {
		t.Error("no OPML of the district")
	}
	first := doc.Find(".entry").First()
	if first.Find(".kicker").Text() != "秋日见闻" || first.Find("h3").Text() != "河堤上的灯重新亮了" || first.Find(".first").Text() != "本报讯 清晨六点，温县黄河滩区的灯一盏接一盏亮了起来。" ||
		first.Find("img[width][height][loading=lazy]").Length() != 1 || first.Find(`.line a[href="/editions/demo/2017-09-07?page=01"]`).Text() != "《示例日报》第01版 要闻" {
		t.Errorf("entry: %s", first.Text())
	}
	if got := doc.Find(".near, .beside .index a").First().Text(); got != "焦作市" {
		t.Errorf("related: %q", got)
	}

	empty := see(t, h, 200, "/district/410882")
	if text := empty.Find(".empty").Text(); !strings.Contains(text, "沁阳市最近一次有报道是在2016年3月1日") {
		t.Errorf("empty district: %s", text)
	}
	if empty.Find("#feed-rss").Length() != 1 {
		t.Error("an empty district cannot be subscribed to")
	}
	if text := see(t, h, 200, "/section/fukan").Find(".empty").Text(); !strings.Contains(text, "副刊还没有过报道") {
		t.Errorf("empty section: %s", text)
	}
}

// A list of 200 articles is paged through completely, each article once, even
// where many share an instant; and no page is heavier than it may be.
func TestPaging(t *testing.T) {
	s := newsroom()
	one := s.items[len(s.items)-1]
	s.items = nil
	for i := range 200 {
		it := one
		it.ID = fmt.Sprintf("demo-20170907-%03d", 199-i)
		it.Paper, it.PaperName, it.Rights = "demo", "示例日报", paper.RightsFull
		it.Page = paper.PageRef{Number: "01", Name: "焦作/温县·马村区"}
		it.Kicker, it.Headline, it.Subtitle = strings.Repeat("肩", 20), longHan, "——"+longHan
		it.Summary = strings.Repeat("长", 119) + "。"
		it.Images = []paper.Image{{URL: "http://epaper.example.cn/pic/2017-09/07/0123456789abcdef_brief.jpg"}}
		it.Published = one.Published.Add(-time.Duration(i/7) * time.Second)
		s.items = append(s.items, it)
	}
	h := handler(options(s, base))
	var seen []string
	for path := "/paper/demo"; path != ""; {
		w := get(t, h, path)
		if w.Body.Len() > 60<<10 {
			t.Errorf("%s has %d bytes: at most 60 KB", path, w.Body.Len())
		}
		doc := see(t, h, 200, path)
		doc.Find(".entry h3 a").Each(func(_ int, s *goquery.Selection) { seen = append(seen, s.AttrOr("href", "")) })
		path = doc.Find(".turn a[rel=next]").AttrOr("href", "")
		if len(seen) > 1000 {
			t.Fatal("the list does not end")
		}
	}
	if len(seen) != 200 || len(slices.Compact(slices.Sorted(slices.Values(seen)))) != 200 {
		t.Errorf("%d articles seen", len(seen))
	}
}

// The largest pages there may be stay light: an edition of 200 articles on 24
// pages, and the home page of a province.
func TestWeight(t *testing.T) {
	s := newsroom()
	one := s.items[0]
	s.items, s.scopes = nil, nil
	ed := paper.Edition{Paper: "demo", Day: "2017-09-07", Articles: 200}
	for n := range 24 {
		ed.Pages = append(ed.Pages, paper.EditionPage{PageRef: paper.PageRef{Number: fmt.Sprintf("A%02d", n+1), Name: "焦作/温县·马村区"}, Picture: "http://epaper.example.cn/page.jpg"})
	}
	for i := range 200 {
		it := one
		it.ID, it.Ordinal, it.Headline, it.Page = fmt.Sprintf("demo-20170907-%07d", i), i, longHan[:90], ed.Pages[i%24].PageRef
		s.items = append(s.items, it)
		page := &ed.Pages[i%24]
		page.Areas = append(page.Areas, paper.Area{Article: it.ID, Shape: "poly", Coords: strings.Repeat("1234,567,", 12) + "1,1"})
	}
	s.editions = []paper.Edition{ed}
	p := s.papers
	for i := range 11 {
		p = append(p, paper.Paper{Key: fmt.Sprint("paper", i), Name: "示例县区日报"})
	}
	s.papers = p
	o := options(s, base)
	large := slices.Clone(places)
	for i := range 160 {
		code := fmt.Sprint(411000 + i)
		large = append(large, paper.Division{Code: code, Name: "示例自治县", Slug: fmt.Sprint("shili", i), Level: "county", Parent: fmt.Sprint(410900 + i/40*10)})
		s.scopes = append(s.scopes, paper.ScopeInfo{Part: "district/" + code, Name: "示例自治县", Count: 1000 + i, Last: "2017-09-07"})
	}
	o.Names = large
	h := handler(o)
	for _, path := range []string{"/", "/editions/demo/2017-09-07", "/a/demo-20170907-0000000"} {
		for _, lang := range []string{chinese, english} {
			w := get(t, h, path, "Accept-Language", lang)
			if w.Code != 200 || w.Body.Len() > 60<<10 {
				t.Errorf("%s in %s: status %d, %d bytes: at most 60 KB", path, lang, w.Code, w.Body.Len())
			}
		}
	}
}

func TestEdition(t *testing.T) {
	h := handler(options(newsroom(), base))
	doc := see(t, h, 200, "/editions/demo/2017-09-06?page=02")
	if got := doc.Find(".tabs [aria-current=page]").Text(); got != "02 综合" {
		t.Errorf("tab %q", got)
	}
	for _, want := range []string{"01 要闻", "03 焦作/温县·马村区", "2017-09-05", "2017-09-07"} {
		if !strings.Contains(doc.Find(".turn").Text(), want) {
			t.Errorf("no way to %s: %s", want, doc.Find(".turn").Text())
		}
	}
	if n := doc.Find("map area").Length(); n != 4 {
		t.Errorf("%d areas", n)
	}
	area := doc.Find("map area").First()
	if area.AttrOr("coords", "") != "40,170,330,550" || area.AttrOr("href", "") != "/a/demo-20170906-1008" || area.AttrOr("alt", "") != "河堤上的灯重新亮了" {
		t.Errorf("area %v", area.Get(0).Attr)
	}
	if "#"+doc.Find("map").AttrOr("name", "") != doc.Find(".sheet img").AttrOr("usemap", "") {
		t.Error("the picture does not use its map")
	}
	if n := doc.Find(".spread .entry").Length(); n != 8 {
		t.Errorf("%d articles on the page", n)
	}
	if n := doc.Find(".contents li").Length(); n != 32 {
		t.Errorf("%d articles in the contents", n)
	}
	if got := doc.Find("link[rel=canonical]").AttrOr("href", ""); got != base+"/editions/demo/2017-09-06?page=02" {
		t.Errorf("canonical %q", got)
	}
	// A withdrawn article is in no list, and its area leads nowhere.
	doc = see(t, h, 200, "/editions/demo/2017-09-07?page=02")
	if doc.Find("map area").Length() != 3 || doc.Find(`[href="/a/demo-20170907-1009"]`).Length() != 0 {
		t.Error("the withdrawn article is still linked")
	}
	if see(t, h, 200, "/editions/demo/2017-09-07").Find(".note").Length() != 1 {
		t.Error("a partial edition does not say so")
	}
	if see(t, h, 200, "/editions/demo/2017-09-07?page=04").Find(".sheet").Length() != 0 {
		t.Error("a page without picture shows one")
	}
}

func TestArticle(t *testing.T) {
	h := handler(options(newsroom(), base))
	doc := see(t, h, 200, "/a/demo-20170907-1000")
	if got := doc.Find(".story > .line").First().Text(); got != "2017-09-07 · 《示例日报》第01版 要闻 · 记者 陈示例、李样本 · 通讯员 王范文" {
		t.Errorf("line %q", got)
	}
	if doc.Find(".text h3").Length() != 2 || doc.Find(".text p").Length() != 5 {
		t.Errorf("body: %s", doc.Find(".text").Text())
	}
	figure := doc.Find(".story figure")
	if figure.Length() != 1 || strings.TrimSpace(figure.Find("figcaption").Text()) != "灯光映在新修的堤上 摄影：赵摄影" || figure.Find("img[width='900'][height='600'][loading=lazy]").Length() != 1 {
		t.Errorf("figure: %s", figure.Text())
	}
	if got := doc.Find(".note time").Last().AttrOr("datetime", ""); got != "2017-09-07T13:30:00+08:00" {
		t.Errorf("corrected at %q", got)
	}
	if got := doc.Find("link[rel=canonical]").AttrOr("href", ""); got != base+"/a/demo-20170907-1000" {
		t.Errorf("canonical %q", got)
	}
	if doc.Find(`link[type="application/json+oembed"]`).AttrOr("href", "") != base+"/oembed?url=https%3A%2F%2Fnews.example.cn%2Fa%2Fdemo-20170907-1000" ||
		doc.Find(`link[type="application/json"]`).AttrOr("href", "") != base+"/a/demo-20170907-1000/card.json" {
		t.Error("no oEmbed or card link")
	}
	var marked []string
	doc.Find(".why li").Each(func(_ int, s *goquery.Selection) {
		marked = append(marked, s.Find("mark").Text()+"|"+s.Find("q").Text()+"|"+s.Find(".line").Text())
	})
	want := []string{
		"温县|本报讯 清晨六点，温县黄河滩区的灯一盏接一盏亮了起…|首段 · 全称 · 3.0",
		"黄河滩区|本报讯 清晨六点，温县黄河滩区的灯一盏接一盏亮了起来。巡堤…|首段 · 别称 · 1.5",
		"马村|马村|正文 · 简称 · 不计", // not found at its offset: the words alone
	}
	if !slices.Equal(marked, want) {
		t.Errorf("evidence:\n%s", strings.Join(marked, "\n"))
	}
	if doc.Find(".turn a").Length() != 1 || doc.Find(`.turn a[rel=next][href="/a/demo-20170907-1001"]`).Length() != 1 {
		t.Error("the lead has only a next article")
	}
	if n := doc.Find(".same li").Length(); n != 7 {
		t.Errorf("%d others on the page", n)
	}
	if got := doc.Find(`.origin a[href="http://epaper.example.cn/content_demo-20170907-1000.htm"]`).Text(); got != "在epaper.example.cn阅读原文" {
		t.Errorf("origin %q", got)
	}
	shared := 0
	doc.Find(".share .tags a").Each(func(_ int, s *goquery.Selection) {
		u, err := url.Parse(s.AttrOr("href", ""))
		if err == nil && strings.Contains(u.RawQuery, url.QueryEscape(base+"/a/demo-20170907-1000")) && !strings.Contains(u.RawQuery, "+") {
			shared++
		}
	})
	if shared != 9 {
		t.Errorf("%d share links carry the share page", shared)
	}
	var ld map[string]any
	if err := json.Unmarshal([]byte(doc.Find(`head script[type="application/ld+json"]`).Text()), &ld); err != nil || ld["@type"] != "NewsArticle" || ld["headline"] != "河堤上的灯重新亮了" {
		t.Errorf("JSON-LD: %v, %v", ld, err)
	}
	if doc.Find(`meta[property="og:title"]`).AttrOr("content", "") != "河堤上的灯重新亮了" || doc.Find(`meta[property="og:image"]`).Length() != 1 || doc.Find(`meta[name="description"]`).Length() != 1 {
		t.Error("the card in the head is not whole, or stands twice")
	}
	// The neighbour of a withdrawn article is the one beyond it.
	if see(t, h, 200, "/a/demo-20170907-1008").Find(`.turn a[rel=next][href="/a/demo-20170907-1010"]`).Length() != 1 {
		t.Error("the withdrawn article is a neighbour")
	}
}

func TestArticleByRights(t *testing.T) {
	h := handler(options(newsroom(), base))
	doc := see(t, h, 200, "/a/demo-20170907-1005")
	if got := doc.Find("link[rel=canonical]").AttrOr("href", ""); got != "http://epaper.example.cn/content_demo-20170907-1005.htm" {
		t.Errorf("canonical of a summary %q", got)
	}
	if got := doc.Find(".text p").Length(); got != 1 || doc.Find(".note").Length() != 1 {
		t.Errorf("a summary shows %d paragraphs", got)
	}
	doc = see(t, h, 200, "/a/gazette-20170906-0123456789abcdef")
	if got := doc.Find("link[rel=canonical]").AttrOr("href", ""); got != "https://gazette.example.org/libraries?a=1&b=2" {
		t.Errorf("canonical of link: origin %q", got)
	}
	if doc.Find("h1").Closest("[lang=en]").Length() != 1 || doc.Find(".text").AttrOr("lang", "") != english {
		t.Error("an English article on a Chinese page does not say that it is English")
	}
	s := newsroom()
	s.items[0].URL = "javascript:alert(1)"
	doc = see(t, handler(options(s, base)), 200, "/a/"+s.items[0].ID)
	if doc.Find(".origin").Length() != 0 {
		t.Error("an origin that is no web address is linked")
	}
}

func TestWithdrawn(t *testing.T) {
	w := get(t, handler(options(newsroom(), base)), "/a/demo-20170907-1009")
	if w.Code != http.StatusGone || w.Header().Get("ETag") != "" {
		t.Errorf("status %d", w.Code)
	}
	doc, _ := goquery.NewDocumentFromReader(w.Body)
	if doc.Find("main time").AttrOr("datetime", "") != "2017-09-07T10:29:51+08:00" || doc.Find(`a[href="/editions/demo/2017-09-07?page=02"]`).Length() != 1 {
		t.Errorf("page: %s", doc.Find("main").Text())
	}
}

func asIs(src string, _, _ int) picture { return picture{URL: src} }

func TestSetBody(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`<p>一<script>alert(1)</script>二</p>`, `<p>一二</p>`},
		{`<h1>大</h1><h2>中</h2><h6>小</h6>`, `<h3>大</h3><h3>中</h3><h3>小</h3>`},
		{`<font color=red><p class=x id=y onclick=z>字</p></font>`, `<p>字</p>`},
		{`<center><font><b>粗</b></font></center>`, `<b>粗</b>`},
		{`<font><script>x</script></font><p>后</p>`, `<p>后</p>`},
		{`<a href="javascript:x">点</a>`, `<a>点</a>`},
		{`<a href="http://a.example/?x=1&amp;y=2" target=_blank>点</a>`, `<a href="http://a.example/?x=1&amp;y=2" rel="nofollow noopener">点</a>`},
		{`<img src="data:image/png;base64,AAAA">`, ``},
		{`<img src="http://a.example/1.jpg" width="100%" height=5 onerror=x style=y>`, `<img src="http://a.example/1.jpg" alt="" loading="lazy" referrerpolicy="no-referrer"/>`},
		{`<img src="http://a.example/known.jpg">`, `<img src="http://a.example/known.jpg" alt="" width="640" height="480" loading="lazy" referrerpolicy="no-referrer"/>`},
		{`<svg><a xlink:href="javascript:x"><text>x</text></a></svg><p>后</p>`, `<p>后</p>`},
		{`<table style=x><tr><td colspan=2 bgcolor=red>格</td></tr></table>`, `<table><tbody><tr><td colspan="2">格</td></tr></tbody></table>`},
		{`<p>没有关`, `<p>没有关</p>`},
		{`<!-- 注 --><p>后</p>`, `<p>后</p>`},
		{``, "<p>正文</p>\n<p>a &lt; b</p>\n"},
	} {
		it := paper.Item{Article: paper.Article{HTML: c.in, Text: "正文\n\na < b", Images: []paper.Image{{URL: "http://a.example/known.jpg", Width: 640, Height: 480}}}}
		if got, _ := setBody(it, asIs); string(got) != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.in, got, c.want)
		}
	}
	deep := strings.Repeat("<div>", 20000) + "深"
	if got, _ := setBody(paper.Item{Article: paper.Article{HTML: deep, Text: "深"}}, asIs); !strings.Contains(string(got), "深") {
		t.Error("a deep body is lost")
	}
}

// Whatever markup comes in, a browser that parses what goes out finds kept
// elements and attributes only. (What was unwrapped may nest otherwise when it
// is parsed again; nothing that is kept can turn into anything else by that.)
func TestSetBodyProperty(t *testing.T) {
	pieces := []string{
		"<p>", "</p>", "<b", ">", "字", "<script>", "</script>", "<img src=", "http://a.example/1.jpg", `"`, "'", " onload=x", "<a href=javascript:x>", "</a>", "<svg>", "</svg>",
		"<math><mi>", "<table><td>", "<tr>", "<h1>", "</h1>", "<font>", "</font>", "<!--", "-->", "<style>", "</style>", "<noscript>", "<template>", "&lt;", "&#0;", "\x00", "<div", " ", "<br/>",
		"<textarea>", "<title>", "<frameset>", "<plaintext>", "<select><option>", "<body onload=x>", "<li>", "<ruby>字<rt>z",
	}
	rapid.Check(t, func(t *rapid.T) {
		in := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 1, 40).Draw(t, "pieces"), "")
		once, _ := setBody(paper.Item{Article: paper.Article{HTML: in}}, asIs)
		doc, err := goquery.NewDocumentFromReader(strings.NewReader("<!DOCTYPE html><body><main>" + string(once)))
		if err != nil {
			t.Fatal(err)
		}
		doc.Find("main *").Each(func(_ int, s *goquery.Selection) {
			node := s.Get(0)
			if _, ok := kept[node.DataAtom]; !ok {
				t.Fatalf("%q lets <%s> through: %s", in, node.Data, once)
			}
			for _, a := range node.Attr {
				if strings.HasPrefix(a.Key, "on") || strings.Contains(a.Val, "javascript:") && (a.Key == "href" || a.Key == "src") {
					t.Fatalf("%q lets %s=%q through", in, a.Key, a.Val)
				}
			}
		})
	})
}

func TestFirstSentence(t *testing.T) {
	for in, want := range map[string]string{
		"天亮了，灯还没有熄。人已经走了。":                                 "天亮了，灯还没有熄。",
		"“走吧，不早了！”他说，天要下雨。后来":                              "“走吧，不早了！”",
		"好！这是头一句完整的话。第二句":                                  "好！这是头一句完整的话。",
		"It cost 3.5 million in all. More.":                "It cost 3.5 million in all.",
		"没有句号的一段":                                          "没有句号的一段",
		"":                                                 "",
		"www.example.cn is the address, they said. Twice.": "www.example.cn is the address, they said.",
	} {
		if got := firstSentence(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestStatus(t *testing.T) {
	h := handler(options(newsroom(), base))
	doc := see(t, h, 200, "/status")
	rows := doc.Find(".status tbody")
	first := rows.First()
	if rows.Length() != 3 || !strings.Contains(first.Text(), "The Example Gazette") || !strings.Contains(rows.Last().Text(), "停用") {
		t.Errorf("what fails does not come first, or what is retired last: %s", rows.Text())
	}
	if first.Find("progress[max='40'][value='31']").Length() != 1 || !strings.Contains(first.Text(), "已读 31 / 40") || !strings.Contains(first.Text(), "9 篇没读到") {
		t.Errorf("completeness: %s", first.Text())
	}
	if got := first.Find(".trouble [lang=en]").Text(); !strings.Contains(got, "503 Service Unavailable") {
		t.Errorf("problem %q", got)
	}
	if got := first.Find(".do code").Text(); got != "paperwire probe https://gazette.example.org/feed" {
		t.Errorf("what to do: %q", got)
	}
	if !strings.Contains(first.Find(".mark").First().Text(), "✗ 失败") {
		t.Error("a state is told by colour alone")
	}
	// A late edition is no state of its source, and must be seen all the same.
	late := rows.Eq(1)
	if text := late.Text(); !strings.Contains(text, "✓ 正常") || !strings.Contains(text, "! 逾时未出报") || !strings.Contains(text, "no edition of 2017-09-08 by 09:00") || late.Find(".do code").Text() != "paperwire fetch demo" {
		t.Errorf("a late edition: %s", text)
	}
	if got := doc.Find(".sentence").Text(); got != "✗ 需要看一看：The Example Gazette（失败）、示例日报（逾时未出报）。" {
		t.Errorf("summary %q", got)
	}
	if got := see(t, h, 200, "/status?lang=en").Find(".sentence").Text(); got != "✗ Needs a look: The Example Gazette (failing), 示例日报 (late)." {
		t.Errorf("summary %q", got)
	}
	// What lasts stands above, so only what is over is listed as past.
	if past := doc.Find("section li"); past.Length() != 1 || !strings.Contains(past.Text(), "警报") || past.Find("time").Length() != 2 {
		t.Errorf("past: %s", past.Text())
	}
	if got := see(t, handler(options(&shelf{}, base)), 200, "/status").Find(".sentence").Text(); !strings.Contains(got, "还没有配置来源") {
		t.Errorf("without sources: %q", got)
	}
}

// Each state says what it is in a word, and what to do where somebody can.
func TestStatusOfEveryState(t *testing.T) {
	s := newsroom()
	s.worsen(time.Date(2017, 9, 6, 12, 0, 0, 0, time.UTC))
	h := handler(options(s, base))
	for _, lang := range []string{chinese, english} {
		w := get(t, h, "/status?lang="+lang)
		doc := see(t, h, 200, "/status?lang="+lang)
		checkMarkup(t, w.Body.String(), doc)
		var order []string
		doc.Find(".status tbody").Each(func(_ int, row *goquery.Selection) {
			mark := row.Find(".mark").Last()
			state, _ := strings.CutPrefix(mark.AttrOr("class", ""), "mark ")
			if state == "failing" && row.Find(".mark").Length() > 1 {
				state, _ = strings.CutPrefix(row.Find(".mark").First().AttrOr("class", ""), "mark ") // the last counts articles
			}
			order = append(order, state)
			if want := needed(state) || state == "partial"; want != (row.Find(".do").Length() == 1) {
				t.Errorf("%s: %s: what to do is told %d times", lang, state, row.Find(".do").Length())
			}
		})
		if want := []string{"blocked", "failing", "alarm", "late", "partial", "waiting", "retired"}; !slices.Equal(order, want) {
			t.Errorf("%s: order %q", lang, order)
		}
	}
}

// What is read again by itself is no trouble, and an ended incident neither.
func TestStatusWithoutTrouble(t *testing.T) {
	s := newsroom()
	s.health[1].State, s.health[1].Problem = "partial", "9 of 40 articles could not be read; they are tried again"
	s.trouble = s.trouble[2:]
	doc := see(t, handler(options(s, base)), 200, "/status")
	if got := doc.Find(".sentence").Text(); got != "✓ 没有要处理的问题。 还没读全的有 1 个，缺的会自动补读。" {
		t.Errorf("%q", got)
	}
	s.health[1].State, s.health[1].Problem = "ok", ""
	if got := see(t, handler(options(s, base)), 200, "/status").Find(".sentence").Text(); got != "✓ 2 个来源都正常。" {
		t.Errorf("%q", got)
	}
}

func TestNearest(t *testing.T) {
	h := handler(options(newsroom(), base))
	for path, want := range map[string]string{
		"/district/wenxain": "/district/410825", "/district/4108255": "/district/410825", "/paper/dmo": "/paper/demo", "/section/yaowne": "/section/yaowen",
		"/a/demo-20170907-9": "/paper/demo", "/district/马村镇": "/district/410804", "/xyzzy": "/paper/demo",
	} {
		u, _ := url.Parse(path)
		doc := see(t, h, 404, u.String())
		if got := doc.Find(".index a").First().AttrOr("href", ""); got != want && !(path == "/xyzzy" && got != "") {
			t.Errorf("%s: %q is offered first, want %q", path, got, want)
		}
	}
}

// What is wrong inside is named in the log and nowhere else.
func TestStoreFails(t *testing.T) {
	var log bytes.Buffer
	s := newsroom()
	s.broken = errors.New("secret path /var/db")
	o := options(s, base)
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	h := handler(o)
	for _, path := range []string{"/", "/all", "/district/410825", "/editions/demo", "/editions/demo/2017-09-07", "/a/demo-20170907-1000", "/status"} {
		log.Reset()
		w := get(t, h, path)
		body, _ := io.ReadAll(w.Body)
		if w.Code != 500 || bytes.Contains(body, []byte("secret")) || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s", path, w.Code, w.Header())
		}
		if !strings.Contains(log.String(), "secret") {
			t.Errorf("%s: the log does not say why", path)
		}
	}
}

func BenchmarkScopePage(b *testing.B) {
	h := handler(options(newsroom(), base))
	for b.Loop() {
		get(b, h, "/all")
	}
}

func BenchmarkArticlePage(b *testing.B) {
	h := handler(options(newsroom(), base))
	for b.Loop() {
		get(b, h, "/a/demo-20170907-1000")
	}
}
