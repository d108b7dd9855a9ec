package sources

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-viper/mapstructure/v2"
	"go.yaml.in/yaml/v3"

	"paperwire/internal/fetch"
	"paperwire/internal/paper"
)

// jsonRules reads rules as a configuration has them; unknown keys are errors.
func jsonRules(t testing.TB, text string) *JSONRules {
	var v map[string]any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	r := new(JSONRules)
	dec, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{Result: r, ErrorUnused: true})
	if err == nil {
		err = dec.Decode(v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// caseJSON are the rules beside a case, json.yaml.
func caseJSON(t testing.TB, dir string) *JSONRules {
	raw, err := os.ReadFile(filepath.Join(dir, "json.yaml"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return jsonRules(t, string(raw))
}

// jsonSite answers by method, address and body, with the header that some insist on.
func jsonSite(t *testing.T, docs map[string]string) (*httptest.Server, *fetch.Client) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		key := strings.TrimSpace(r.Method + " " + r.URL.RequestURI() + " " + string(body))
		answer, ok := docs[key]
		if !ok || r.Method == http.MethodPost && r.Header.Get("X-Requested-With") != "XMLHttpRequest" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		if strings.HasPrefix(answer, "<") {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	return s, fetch.New(fetch.Options{Pace: -1, Open: []string{strings.TrimPrefix(s.URL, "http://")}, Memory: memory{}})
}

const jsonBody = "市区新增三处口袋公园，步道与座椅一并铺设到位，附近居民傍晚便可前往散步。"

// jsonShapes are the shapes of real papers' APIs, each with rules of at most 15
// lines. All hold the same edition: two pages, three articles.
var jsonShapes = []struct {
	name, url, rules string
	docs             map[string]string
}{
	{
		"data.json, nested, articles are pages", "/html/",
		`
list: "{yyyy}/{yyyymmdd}/data.json"
pages: "."
page_number: pageNo
page_name: pageName
page_picture: pagePic
articles: onePageArticleList
title: mainTitle
author: articleAuthor
link: articleHref
`,
		map[string]string{
			"GET /html/2026/20260317/data.json": `[{"pageNo":"01","pageName":"要闻","pagePic":"2026/20260317/01.jpg","onePageArticleList":[{"mainTitle":"甲<br>地","articleHref":"/html/2026/20260317/a1.html","articleAuthor":"林舟"},{"mainTitle":"乙地","articleHref":"/html/2026/20260317/a2.html"}]},{"pageNo":"02","pageName":"县 区","onePageArticleList":[{"mainTitle":"丙地","articleHref":"/html/2026/20260317/a3.html"}]}]`,
			"GET /html/2026/20260317/a1.html":   `<html><title>甲地</title><h1>甲地</h1><div id="content"><p>` + jsonBody + `</p><p>` + jsonBody + `</p></div></html>`,
			"GET /html/2026/20260317/a2.html":   `<html><title>乙地</title><h1>乙地</h1><div id="content"><p>` + jsonBody + `</p><p>` + jsonBody + `</p></div></html>`,
			"GET /html/2026/20260317/a3.html":   `<html><title>丙地</title><h1>丙地</h1><div id="content"><p>` + jsonBody + `</p><p>` + jsonBody + `</p></div></html>`,
		},
	},
	{
		"list.do and getPage.do, reversed", "/paper/list.do",
		`
days: periods[*].date
list: "list.do?date={yyyy-mm-dd}"
pages: pages
page_number: no
page_name: name
page: "getPage.do?page={no}&code={periodCode}"
articles: data.list
reversed: true
id: articleId
title: title
article: "getArticle.do?id={articleId}"
content: data.content
`,
		map[string]string{
			"GET /paper/list.do":                           `{"periods":[{"date":"2026-03-16"},{"date":"2026-03-17"}]}`,
			"GET /paper/list.do?date=2026-03-17":           `{"periodCode":"2026 0317","pages":[{"no":1,"name":"第01版：要闻"},{"no":2,"name":"第02版：县区"}]}`,
			"GET /paper/getPage.do?page=1&code=2026+0317":  `{"data":{"list":[{"articleId":102,"title":"乙地"},{"articleId":101,"title":"甲地"}]}}`,
			"GET /paper/getPage.do?page=2&code=2026+0317":  `{"data":{"list":[{"articleId":103,"title":"丙地"}]}}`,
			"GET /paper/getArticle.do?id=101":              `{"data":{"content":"<p>` + jsonBody + `</p>"}}`,
			"GET /paper/getArticle.do?id=102":              `{"data":{"content":"&lt;p&gt;` + jsonBody + `&lt;/p&gt;"}}`,
			"GET /paper/getArticle.do?id=103":              `{"data":{"content":"%3Cp%3E` + jsonBody + `%3C/p%3E"}}`,
			"GET /paper/getArticle.do?id=nothing-of-these": `{}`,
		},
	},
	{
		"index.json, paperInfo and xyList, bodies inline", "/index.json",
		`
day: date
paper: name
pages: paperInfo
page_number: bc
page_name: bm
articles: xyList
id: id
title: bt
kicker: yt
subtitle: ft
author: zz
content: nr
link: "detail.html?id={id}"
`,
		map[string]string{
			"GET /index.json": `{"date":"2026年3月17日","name":"河阳晚报","paperInfo":[{"bc":"01","bm":"要闻","xyList":[{"id":"a-1","bt":"甲地","yt":"引题","ft":"副题","zz":"林舟","nr":"&lt;p&gt;` + jsonBody + `&lt;/p&gt;"},{"id":"a-2","bt":"乙地","nr":"` + jsonBody + `\n第二段。"}]},{"bc":"02","bm":"县区","xyList":[{"id":"a-3","bt":"丙地","nr":"<p>` + jsonBody + `</p>"}]}]}`,
		},
	},
	{
		"data.js, flat, articles name their page", "/epaper/2026/03/17/data.js",
		`
variable: data
day: url
page_number: bq
page_name: bq
articles: "."
title: t
content: c
images: pics[*].src
captions: pics[*].txt
`,
		map[string]string{
			"GET /epaper/2026/03/17/data.js": "// 自动生成\nvar total = {n:3}; var data=[\n{bq:'第01版：要闻',t:'甲\\u5730',c:'" + jsonBody + "', pics:[{src:'p/1.jpg.2',txt:'图说'}]},{bq:'第01版：要闻',t:\"乙地\",c:'<p>" + jsonBody + "</p>',},/* 完 */{bq:'第02版：县区',t:'丙地',c:'<p>" + jsonBody + "</p>'},];\nshow(data);",
		},
	},
	{
		"POST of forms with X-Requested-With", "/api/",
		`
headers: ["X-Requested-With: XMLHttpRequest"]
list: getPaper
list_body: "paperId=7&date={yyyy-mm-dd}"
pages: result.pageList
page_number: pageNum
page_name: pageName
articles: articles
id: aid
title: title
article: getArticle
article_body: "aid={aid}&t={title}"
article_at: result
content: body
`,
		map[string]string{
			"POST /api/getPaper paperId=7&date=2026-03-17":        `{"result":{"pageList":[{"pageNum":"01","pageName":"要闻","articles":[{"aid":1,"title":"甲地"},{"aid":2,"title":"乙地"}]},{"pageNum":"02","pageName":"县区","articles":[{"aid":3,"title":"丙地"}]}]}}`,
			"POST /api/getArticle aid=1&t=%E7%94%B2%E5%9C%B0":     `{"result":{"title":"甲地","body":"<p>` + jsonBody + `</p>"}}`,
			"POST /api/getArticle aid=2&t=%E4%B9%99%E5%9C%B0":     `{"result":"{\"title\":\"乙地\",\"body\":\"<p>` + jsonBody + `<\/p>\"}"}`,
			"POST /api/getArticle aid=3&t=%E4%B8%99%E5%9C%B0":     `{"result":{"title":"丙地","body":"<p>` + jsonBody + `</p>"}}`,
			"POST /api/getArticle aid=99&t=nobody-asks-for-these": `{}`,
		},
	},
	{
		"POST of JSON", "/v1/",
		`
headers: ["X-Requested-With: XMLHttpRequest"]
list: layouts
list_body: '{"sid":3,"day":"{yyyymmdd}"}'
pages: data[*]
page_number: layoutNo
page_name: layoutName
page: articles
page_body: '{"layout":"{layoutId}","day":"{yyyymmdd}"}'
articles: data
id: uuid
title: headline|title
content: html|text
`,
		map[string]string{
			`POST /v1/layouts {"sid":3,"day":"20260317"}`:           `{"data":[{"layoutId":"x\"1","layoutNo":"01","layoutName":"要闻"},{"layoutId":"x2","layoutNo":"02","layoutName":"县区"}]}`,
			`POST /v1/articles {"layout":"x\"1","day":"20260317"}`:  `{"data":[{"uuid":"9b2e","headline":"甲地","html":"<p>` + jsonBody + `</p>"},{"uuid":"9b2f","title":"乙地","html":null,"text":"` + jsonBody + `"}]}`,
			`POST /v1/articles {"layout":"x2","day":"20260317"}`:    `{"data":[{"uuid":"长编号 不合","headline":"丙地","html":"<p>` + jsonBody + `</p>"}]}`,
			`POST /v1/articles {"layout":"none","day":"20260317"}`:  `{"data":[]}`,
			`POST /v1/articles {"layout":"none2","day":"20260317"}`: `{"data":[]}`,
		},
	},
	{
		"getLayouts with sid, cid, date", "/",
		`
list: "api/getLayouts?sid=1&cid=2&date={yyyymmdd}"
pages: data.layouts[*]
page_number: code
page_name: name
articles: "articles[*]"
id: id
title: title
link: "h5/article.html?id={id}"
article: "api/getArticle?sid=1&aid={id}"
article_at: data
content: content
author: authors[*].name
`,
		map[string]string{
			"GET /api/getLayouts?sid=1&cid=2&date=20260317": `{"data":{"layouts":{"01":{"code":"01","name":"要闻","articles":{"1":{"id":"11","title":"甲地"},"2":{"id":"12","title":"乙地"}}},"02":{"code":"02","name":"县区","articles":{"1":{"id":"13","title":"丙地"}}}}}}`,
			"GET /api/getArticle?sid=1&aid=11":              `{"data":{"content":"<p>` + jsonBody + `</p>","authors":[{"name":"林舟"},{"name":"陈溪"}]}}`,
			"GET /api/getArticle?sid=1&aid=12":              `{"data":{"content":"<p>` + jsonBody + `</p>"}}`,
			"GET /api/getArticle?sid=1&aid=13":              `{"data":{"content":"<p>` + jsonBody + `</p>"}}`,
		},
	},
}

func TestJSONShapes(t *testing.T) {
	for _, c := range jsonShapes {
		t.Run(c.name, func(t *testing.T) {
			rules := strings.TrimSpace(c.rules)
			if n := strings.Count(rules, "\n") + 1; n > 15 {
				t.Errorf("%d lines of rules", n)
			}
			site, g := jsonSite(t, c.docs)
			src := Source{Key: "hywb", URL: site.URL + c.url, JSON: jsonRules(t, rules)}
			if err := src.JSON.Check(); err != nil {
				t.Fatal(err)
			}
			f, err := Find(t.Context(), g, src, Want{Today: "2026-03-17"})
			if err != nil {
				t.Fatal(err)
			}
			if f.Platform != "json" || len(f.Editions) != 1 {
				t.Fatalf("%+v", f)
			}
			e := f.Editions[0]
			if e.Day != "2026-03-17" || e.Partial || len(e.Pages) != 2 || len(e.Refs) != 3 {
				t.Fatalf("%s partial %v %q: %d pages, %d articles", e.Day, e.Partial, e.Problem, len(e.Pages), len(e.Refs))
			}
			var got []string
			urls, origins := map[string]bool{}, map[string]bool{}
			for i, r := range e.Refs {
				got = append(got, fmt.Sprintf("%s %s %d %s", strings.TrimLeft(r.Page.Number, "0"), r.Page.Name, r.Position, strings.ReplaceAll(r.Title, " ", "")))
				urls[r.URL], origins[r.Origin] = true, true
				if r.Ordinal != i || !cleanID.MatchString(r.Origin) || !strings.HasPrefix(r.URL, site.URL) {
					t.Errorf("%+v", r)
				}
				p, err := Read(t.Context(), g, src, r)
				if err != nil {
					t.Fatalf("%s: %v", r.URL, err)
				}
				if !strings.HasPrefix(p.Body, "<p>"+jsonBody) || p.Headline == "" || p.Page != r.Page || p.Day != e.Day || p.URL == "" {
					t.Errorf("%+v", p)
				}
			}
			want := []string{"1 要闻 1 甲地", "1 要闻 2 乙地", "2 县区 1 丙地"}
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("articles %q, want %q", got, want)
			}
			if len(urls) != 3 || len(origins) != 3 {
				t.Errorf("addresses %v, origins %v", urls, origins)
			}
			// The same again is the same.
			again, err := Find(t.Context(), g, src, Want{Today: "2026-03-17", Again: []paper.Day{"2026-03-17"}, After: "2026-03-17"})
			if err != nil || len(again.Editions) != 1 || len(again.Editions[0].Refs) != 3 || again.Editions[0].Refs[2].Origin != e.Refs[2].Origin {
				t.Errorf("%+v %v", again, err)
			}
			none, err := Find(t.Context(), g, src, Want{Today: "2026-03-17", Only: "2026-03-15"})
			if err != nil || len(none.Editions) != 0 || fmt.Sprint(none.Missing) != "[2026-03-15]" {
				t.Errorf("a day without an edition: %+v %v", none, err)
			}
		})
	}
}

func TestJSONFields(t *testing.T) {
	c := jsonShapes[2]
	site, g := jsonSite(t, c.docs)
	f, err := Find(t.Context(), g, Source{URL: site.URL + c.url, JSON: jsonRules(t, c.rules)}, Want{})
	if err != nil || f.Name != "河阳晚报" {
		t.Fatalf("%+v %v", f, err)
	}
	p := f.Editions[0].Refs[0].Printed
	if p.Kicker != "引题" || p.Subtitle != "副题" || p.Author != "林舟" || p.URL != site.URL+"/detail.html?id=a-1" || p.Body != "<p>"+jsonBody+"</p>" {
		t.Errorf("%+v", p)
	}
	if q := f.Editions[0].Refs[1].Printed; strings.Count(q.Body, "<p>") != 2 {
		t.Errorf("%q", q.Body)
	}
	c = jsonShapes[3]
	site, g = jsonSite(t, c.docs)
	f, err = Find(t.Context(), g, Source{URL: site.URL + c.url, JSON: jsonRules(t, c.rules)}, Want{})
	if err != nil {
		t.Fatal(err)
	}
	if img := f.Editions[0].Refs[0].Printed.Images; len(img) != 1 || img[0].Caption != "图说" || img[0].URL != site.URL+"/epaper/2026/03/17/p/1.jpg" {
		t.Errorf("%+v", img)
	}
}

// What goes wrong at the publisher's is told, and is no empty edition.
// A late edition is found by the list of days, by its address where it was missing at
// a look, or where the one list that there is has gone back to it.
func TestJSONLate(t *testing.T) {
	edition := func(day string) string {
		return `{"day":"` + day + `","pages":[{"n":"01","list":[{"id":1,"t":"甲","c":"` + jsonBody + `"}]}]}`
	}
	docs := map[string]string{
		"GET /":           `{"days":["2026-03-14","2026-03-15","2026-03-16","2026-03-17"]}`,
		"GET /one":        edition("2026-03-16"),
		"GET /d/20260314": edition("2026-03-14"), "GET /d/20260316": edition("2026-03-16"), "GET /d/20260317": edition("2026-03-17"),
	}
	site, g := jsonSite(t, docs)
	const rest = `day: day, pages: pages, page_number: n, articles: list, id: id, title: t, content: c}`
	for _, x := range []struct{ path, rules, found, missing, announced string }{
		{"/", `{days: days, list: "d/{yyyymmdd}", `, "2026-03-16", "[2026-03-15]", "[2026-03-15]"},
		{"/", `{list: "d/{yyyymmdd}", `, "2026-03-16", "[2026-03-13 2026-03-18]", "[]"},
		{"/one", `{`, "2026-03-16", "[]", "[]"},
	} {
		f, err := Find(t.Context(), g, Source{URL: site.URL + x.path, JSON: jsonRules(t, x.rules+rest)}, Want{
			Today: "2026-03-18", After: "2026-03-17", Max: 7,
			Late: []paper.Day{"2026-03-13", "2026-03-15", "2026-03-16"}, Missed: []paper.Day{"2026-03-13", "2026-03-16"},
		})
		if err != nil || days(f) != x.found || fmt.Sprint(f.Missing) != x.missing || fmt.Sprint(f.Announced) != x.announced {
			t.Errorf("%s: %s, missing %v, listed %v: %v", x.rules, days(f), f.Missing, f.Announced, err)
		}
	}
}

func TestJSONTrouble(t *testing.T) {
	docs := map[string]string{}
	site, g := jsonSite(t, docs)
	src := Source{URL: site.URL + "/", JSON: jsonRules(t, `{list: "d/{yyyymmdd}", day: day, pages: pages, page_number: n, page: "p/{n}", articles: list, id: id, title: t, content: c}`)}
	list := `{"day":"2026-03-17","pages":[{"n":"01"},{"n":"02"}]}`
	page := `{"list":[{"id":1,"t":"甲","c":"` + jsonBody + `"}]}`
	look := func(w Want) (Found, error) { t.Helper(); return Find(t.Context(), g, src, w) }
	var unknown *UnknownError
	var blocked *BlockedError

	if _, err := look(Want{Today: "2026-03-17"}); !errors.As(err, &unknown) || !strings.Contains(err.Error(), "2026-03-10") {
		t.Errorf("no edition for a week: %v", err)
	}
	f, err := look(Want{Today: "2026-03-18", After: "2026-03-17"})
	if err != nil || len(f.Editions) != 0 || fmt.Sprint(f.Missing) != "[2026-03-18]" {
		t.Errorf("a holiday: %+v %v", f, err)
	}
	docs["GET /d/20260317"], docs["GET /p/01"] = list, page
	f, err = look(Want{Today: "2026-03-18", After: "2026-03-15", Max: 3})
	if err != nil || len(f.Editions) != 1 || !f.Editions[0].Partial || !strings.Contains(f.Editions[0].Problem, "02") || len(f.Editions[0].Refs) != 1 || len(f.Editions[0].Pages) != 2 {
		t.Errorf("half an edition: %+v %v", f, err)
	}
	if fmt.Sprint(f.Missing) != "[2026-03-16 2026-03-18]" {
		t.Errorf("missing %v", f.Missing)
	}
	docs["GET /d/20260318"] = list // yesterday's at today's address
	if f, err = look(Want{Today: "2026-03-18", After: "2026-03-17"}); err != nil || len(f.Editions) != 0 || len(f.Missing) != 1 {
		t.Errorf("an old edition: %+v %v", f, err)
	}
	docs["GET /d/20260319"] = `{"day":"2026-03-19","pages":[{"n":"01"}]}`
	docs["GET /p/01"] = `{"msg":"renamed","items":[]}`
	if f, err = look(Want{Today: "2026-03-19", After: "2026-03-18"}); err != nil || len(f.Editions) != 1 || !f.Editions[0].Partial || f.Editions[0].Problem == "" {
		t.Errorf("a redesign: %+v %v", f, err)
	}
	docs["GET /d/20260319"] = `<html><body>请输入验证码</body></html>`
	if _, err = look(Want{Today: "2026-03-19", After: "2026-03-18"}); !errors.As(err, &blocked) {
		t.Errorf("a wall: %v", err)
	}
	docs["GET /d/20260319"] = `<html><body><a href=/>首页</a></body></html>`
	if _, err = look(Want{Today: "2026-03-19", After: "2026-03-18"}); !errors.As(err, &unknown) {
		t.Errorf("a page: %v", err)
	}
	if _, err = Find(t.Context(), g, Source{URL: site.URL, Platform: "json"}, Want{}); !errors.As(err, &unknown) || !strings.Contains(err.Error(), "docs/platforms.md") {
		t.Errorf("without rules: %v", err)
	}
}

func TestJSONRulesCheck(t *testing.T) {
	good := JSONRules{Articles: "a", Title: "t", Content: "c", Day: "d"}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*JSONRules){
		"json.articles: missing":      func(r *JSONRules) { r.Articles = "" },
		"json.title: missing":         func(r *JSONRules) { r.Title = "" },
		"json.content: missing":       func(r *JSONRules) { r.Content = "" },
		"json.day: missing":           func(r *JSONRules) { r.Day = "" },
		"json.list: must hold":        func(r *JSONRules) { r.Days = "x" },
		"json.page: missing":          func(r *JSONRules) { r.PageBody = "x" },
		"json.pages: missing":         func(r *JSONRules) { r.Page = "x" },
		"json.article: missing":       func(r *JSONRules) { r.ArticleBody, r.ID = "x", "i" },
		"json.id: missing":            func(r *JSONRules) { r.ArticleBody, r.Article = "x", "y" },
		"json.headers: \"nothing\"":   func(r *JSONRules) { r.Headers = []string{"nothing"} },
		"json.headers: cookie":        func(r *JSONRules) { r.Headers = []string{"Cookie: a=b"} },
		"json.kicker: \"a[x]\"":       func(r *JSONRules) { r.Kicker = "a[x]" },
		"json.author: \"a|\"":         func(r *JSONRules) { r.Author = "a|" },
		"json.images: \"a[0\"":        func(r *JSONRules) { r.Images = "a[0" },
		"json.link: \"x?id={id\"":     func(r *JSONRules) { r.Link = "x?id={id" },
		"json.page_name: \"第{n}版\"":   func(r *JSONRules) { r.PageName = "第{n}版" },
		"json.agency: \"\\\"a\"":      func(r *JSONRules) { r.Agency = `"a` },
		"json.article: \"{a[b]}\"":    func(r *JSONRules) { r.Article = "{a[b]}" },
		"json.subtitle: longer than ": func(r *JSONRules) { r.Subtitle = strings.Repeat("a", 501) },
	} {
		r := good
		change(&r)
		err := r.Check()
		if err == nil {
			t.Errorf("%s: passes", want)
			continue
		}
		if want == "json.article: \"{a[b]}\"" {
			want = "json.article: "
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if err := (*JSONRules)(nil).Check(); err == nil {
		t.Error("no rules pass")
	}
}

func TestStrictJSON(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":1}`:                              `{"a":1}`,
		`var d=[{a:'x"y',b:01,}] ;z`:           `[{"a":"x\"y","b":"01"}]`,
		`cb({a:true,$b:null,1:undefined});`:    `{"$b":null,"1":null,"a":true}`,
		`[ 'a\'b', "c\x41\u4e2d\q" , -1.5e3 ]`: `["a'b","cA中q",-1.5e3]`,
		"[\"a\nb\t\", // x\n 2, /* y */ 3,]":   `["a\nb\t",2,3]`,
		"\ufeff{\"a\":[]}":                     `{"a":[]}`,
		"[`t`,,1]":                             `["t",1]`,
	} {
		v, err := jsonValue([]byte(in), "")
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got, _ := json.Marshal(v); string(got) != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	for _, in := range []string{
		"", "x", "<html>{}</html>", `{"a":`, `{"a":"`, `[1`, `[}`, `{a:new Date()}`, `[1]]`[1:], `["a" "b"]`, `{"a" 1}`,
		strings.Repeat("[", maxDepth+1), "[" + strings.Repeat("0,", maxJSONValues+1) + "0]", "[" + strings.Repeat(" ", maxJSON) + "]",
	} {
		if v, err := jsonValue([]byte(in), ""); err == nil {
			t.Errorf("%.40q: %v", in, v)
		}
	}
	if _, err := jsonValue([]byte(`var a=[1]`), "b"); err == nil {
		t.Error("another variable")
	}
}

func TestPaths(t *testing.T) {
	v, err := jsonValue([]byte(`{"a":{"b":[{"c":1},{"c":"二"},{"c":null}]},"x.y":"q","n":"","s":"{\"in\":[7,8]}","o":{"2":"b","1":"a"}}`), "")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"a.b[0].c": "1", "a.b[*].c": "1 二", "a.b[-2].c": "二", "a.b[9].c": "", `"x.y"`: "q", "n|a.b[1].c": "二", "missing | x | \"x.y\"": "q",
		"s.in[1]": "8", "s.in": "7 8", "o[*]": "a b", "o.1": "a", ".o.2": "b", "a.b.c": "", "a": "",
	} {
		if got := strings.Join(texts(v, path), " "); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func FuzzJSON(f *testing.F) {
	for _, c := range jsonShapes {
		for _, d := range c.docs {
			f.Add([]byte(d), c.rules)
		}
	}
	f.Fuzz(func(t *testing.T, in []byte, path string) {
		v, err := jsonValue(in, "")
		if err != nil {
			return
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := jsonValue(b, ""); err != nil && len(b) < maxJSON {
			t.Errorf("%q became %q: %v", in, b, err)
		}
		for _, line := range strings.Split(path, "\n") {
			if _, p, ok := strings.Cut(line, ":"); ok {
				texts(v, strings.Trim(p, ` "'`))
			}
		}
	})
}
