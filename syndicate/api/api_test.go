package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"paperwire/internal/paper"
)

// data is a store of n articles, some of which share their instant.
type data struct {
	items  []paper.Item
	health []paper.Health
	err    error
}

var epoch = time.Date(2017, 9, 7, 6, 0, 0, 0, time.UTC)

func newData(n int) *data {
	d := &data{health: []paper.Health{{Source: "demo", Paper: "demo", URL: "https://user:pass@epaper.example.cn/x?token=geheim#y", State: "ok", Checked: epoch}}}
	for i := range n {
		at := epoch.Add(time.Duration(i/3) * time.Second)
		d.items = append(d.items, paper.Item{
			Article: paper.Article{
				ID: fmt.Sprintf("demo-20170907-1_%d", i), Paper: "demo", Day: "2017-09-07", Ordinal: i, Headline: fmt.Sprintf("第%d条 <b>&", i), Text: "正文", HTML: "<p>正文</p>", Language: "zh-CN",
				Page: paper.PageRef{Number: "01", Name: "要闻"}, Byline: []paper.Person{{Name: "王芳", Role: paper.Reporter}},
			},
			State: paper.Live, Version: 1, Published: at, Updated: at, Rights: paper.RightsFull, Link: paper.LinkShare,
			Districts: []paper.Tag{{Code: "410825", Name: "温县", Tier: paper.Sure, Evidence: []paper.Evidence{{Text: "温县", Zone: "title", Rule: "name", Weight: 3}}}}, Reach: paper.ReachDistrict,
		})
	}
	return d
}

func (d *data) Items(_ context.Context, _ paper.View, _ paper.Scope, w paper.Window) ([]paper.Item, error) {
	list := slices.Clone(d.items)
	slices.SortFunc(list, func(a, b paper.Item) int {
		if w.Day != "" {
			return cmp.Compare(a.Ordinal, b.Ordinal)
		}
		return cmp.Or(b.Published.Compare(a.Published), strings.Compare(b.ID, a.ID))
	})
	list = slices.DeleteFunc(list, func(it paper.Item) bool {
		return w.Day != "" && it.Day != w.Day || w.Day == "" && !it.Published.Before(w.Before) && (!it.Published.Equal(w.Before) || it.ID >= w.BeforeID)
	})
	if w.Day == "" && len(list) > w.Limit {
		list = list[:w.Limit]
	}
	return list, d.err
}

func (d *data) Item(_ context.Context, _ paper.View, id string) (paper.Item, error) {
	if d.err != nil {
		return paper.Item{}, d.err
	}
	for _, it := range d.items {
		if it.ID == id && it.State == paper.Withdrawn {
			return it, fmt.Errorf("article %s: %w", id, paper.ErrGone)
		} else if it.ID == id {
			return it, nil
		}
	}
	return paper.Item{}, fmt.Errorf("article %s: %w", id, paper.ErrNotFound)
}

// Changed takes the ordinal for the change sequence.
func (d *data) Changed(_ context.Context, _ paper.View, seq int64, id string, n int) ([]paper.Change, error) {
	var list []paper.Change
	for _, it := range d.items {
		if at := int64(it.Ordinal/4) + 1; len(list) < n && (at > seq || at == seq && it.ID > id) {
			list = append(list, paper.Change{Seq: at, Item: it})
		}
	}
	return list, d.err
}

func (d *data) OutboxAt(_ context.Context, at time.Time) (paper.Cursor, error) {
	return paper.Cursor{Seq: at.Unix() - epoch.Unix(), N: 7}, d.err
}

func (d *data) Scopes(context.Context, paper.View) ([]paper.ScopeInfo, error) {
	return []paper.ScopeInfo{{Part: "district/410825", Count: 3, Last: "2017-09-07"}, {Part: "paper/demo", Name: "示例日报"}}, d.err
}

func (d *data) Edition(_ context.Context, _ paper.View, key string, day paper.Day) (paper.Edition, error) {
	if day != "2017-09-07" || key != "demo" {
		return paper.Edition{}, paper.ErrNotFound
	}
	return paper.Edition{Paper: key, Day: day, State: paper.EditionComplete, Pages: []paper.EditionPage{{PageRef: paper.PageRef{Number: "01"}}}}, d.err
}

func (d *data) Health(context.Context) ([]paper.Health, error) { return d.health, d.err }

func (d *data) Division(code string) (paper.Division, bool) {
	return paper.Division{Code: code, Name: "温县"}, code == "410825"
}

func open(t *testing.T, d *data) http.Handler {
	t.Helper()
	h, err := New(Options{
		Base: "https://news.example.cn", Title: "示例", Data: d, Names: d, Log: slog.New(slog.DiscardHandler),
		View: func(*http.Request) paper.View { return paper.Public },
		Scope: func(_ context.Context, written string) (paper.Scope, error) {
			s, err := paper.ParseScope(written)
			if err == nil && slices.Contains(s.Sections, "nie") {
				err = fmt.Errorf("unknown section: %w", paper.ErrNotFound)
			}
			return s, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func get(t *testing.T, h http.Handler, target string, into any) *http.Response {
	t.Helper()
	r := httptest.NewRequest("GET", target, nil)
	r.Host = "evil.example"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if strings.Contains(w.Body.String(), "evil.example") || strings.Contains(w.Body.String(), "$schema") || strings.Contains(w.Header().Get("Link"), "describedBy") {
		t.Errorf("%s: the Host of the request or a schema link shows: %s", target, w.Body)
	}
	if into != nil {
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
			t.Fatalf("%s: %v: %s", target, err, w.Body)
		}
	}
	return w.Result()
}

type list struct {
	Scope    string
	Articles []article
	Next     string
}

// Following next gives every article exactly once, also where several share an
// instant and whatever the size of a page.
func TestPaging(t *testing.T) {
	d := newData(31)
	h := open(t, d)
	for _, limit := range []int{1, 2, 3, 7, 31, 200} {
		var ids []string
		target := fmt.Sprintf("/api/v1/articles?limit=%d", limit)
		for pages := 0; target != ""; pages++ {
			if pages > 32 {
				t.Fatalf("limit %d: no end", limit)
			}
			var l list
			r := get(t, h, target, &l)
			if r.StatusCode != 200 {
				t.Fatalf("%s: %d", target, r.StatusCode)
			}
			for _, a := range l.Articles {
				ids = append(ids, a.ID)
			}
			link := r.Header.Get("Link")
			if (l.Next == "") != (link == "") {
				t.Fatalf("next %q, but Link %q", l.Next, link)
			}
			target, _, _ = strings.Cut(strings.TrimPrefix(link, "<https://news.example.cn"), ">")
		}
		if len(ids) != 31 || len(slices.Compact(slices.Sorted(slices.Values(ids)))) != 31 {
			t.Errorf("limit %d: %d articles: %v", limit, len(ids), ids)
		}
	}
}

// Following next gives every change exactly once, in order, whatever the size of a
// page, and its end is where to go on later.
func TestCards(t *testing.T) {
	type cards struct {
		Cards []changedCard
		Next  string
		More  bool
	}
	d := newData(9)
	d.items[8].State = paper.Withdrawn
	h := open(t, d)
	for _, limit := range []int{1, 2, 4, 9, 50} {
		var ids []string
		var l cards
		for more := true; more; more = l.More {
			l = cards{Next: l.Next}
			r := get(t, h, fmt.Sprintf("/api/v1/cards?limit=%d&changed_since=%s", limit, l.Next), &l)
			if r.StatusCode != 200 || l.More != (r.Header.Get("Link") != "") || len(ids) > 9 {
				t.Fatalf("%d %+v %v", r.StatusCode, l, r.Header)
			}
			for _, c := range l.Cards {
				ids = append(ids, c.ID)
			}
		}
		if len(ids) != 9 || !slices.IsSorted(ids) {
			t.Errorf("limit %d: %v", limit, ids)
		}
		end := l.Next
		if get(t, h, "/api/v1/cards?changed_since="+end, &l); len(l.Cards) != 0 || l.Next != end || l.More {
			t.Errorf("behind the end: %+v", l)
		}
	}
	// From an instant: here the second is the change sequence.
	for _, since := range []string{"2017-09-07T06:00:02Z", "2017-09-07T14:00:02%2B08:00", "2017-09-07T14:00:02+08:00"} {
		var l cards
		get(t, h, "/api/v1/cards?changed_since="+since, &l)
		if len(l.Cards) != 1 {
			t.Fatalf("%s: %+v", since, l)
		}
		want := changedCard{"demo-20170907-1_8", 1, "withdrawn", "https://news.example.cn/a/demo-20170907-1_8", "https://news.example.cn/a/demo-20170907-1_8/card.json", "2017-09-07T06:00:02Z"}
		if l.Cards[0] != want {
			t.Errorf("%+v", l.Cards[0])
		}
	}
}

func TestDayGivesTheEditionInPageOrder(t *testing.T) {
	var l list
	get(t, open(t, newData(60)), "/api/v1/articles?day=2017-09-07&limit=5&full=true", &l)
	if len(l.Articles) != 60 || l.Articles[0].ID != "demo-20170907-1_0" || l.Next != "" || l.Articles[0].HTML == "" {
		t.Errorf("%d articles, next %q", len(l.Articles), l.Next)
	}
}

func TestBodiesOnlyWhenAsked(t *testing.T) {
	h := open(t, newData(3))
	var l list
	get(t, h, "/api/v1/articles?scope=district/410825,410803", &l)
	if l.Scope != "district/410803,410825" || l.Articles[0].HTML != "" || l.Articles[0].Districts[0].Evidence[0].Text != "温县" {
		t.Errorf("%+v", l)
	}
	var a article
	get(t, h, "/api/v1/articles/demo-20170907-1_1", &a)
	if a.Text != "正文" || a.URL != "https://news.example.cn/a/demo-20170907-1_1" || a.Images == nil || a.Sections == nil || a.Headline != "第1条 <b>&" {
		t.Errorf("%+v", a)
	}
}

func TestRelated(t *testing.T) {
	d := newData(2)
	d.items[0].Related = []paper.Related{{Relation: paper.CorrectedBy, ID: "demo-20170908-4_1", Title: "更正", Day: "2017-09-08", Page: paper.PageRef{Number: "04", Name: "综合"}}}
	h := open(t, d)
	var a article
	get(t, h, "/api/v1/articles/demo-20170907-1_0", &a)
	want := related{paper.CorrectedBy, "demo-20170908-4_1", "https://news.example.cn/a/demo-20170908-4_1", "更正", "2017-09-08", "04"}
	if len(a.Related) != 1 || a.Related[0] != want {
		t.Errorf("%+v", a.Related)
	}
	var raw map[string]any
	if get(t, h, "/api/v1/articles/demo-20170907-1_1", &raw); raw["related"] != nil {
		t.Errorf("%v", raw["related"])
	}
}

func TestProblems(t *testing.T) {
	d := newData(3)
	d.items[2].State = paper.Withdrawn
	h := open(t, d)
	for target, want := range map[string]int{
		"/api/v1/articles/nie":                                   404,
		"/api/v1/articles/demo-20170907-1_2":                     410,
		"/api/v1/articles?scope=x/y":                             400,
		"/api/v1/articles?scope=section/nie":                     404,
		"/api/v1/articles?limit=0":                               400,
		"/api/v1/articles?limit=201":                             400,
		"/api/v1/articles?limit=x":                               400,
		"/api/v1/articles?day=gestern":                           400,
		"/api/v1/articles?day=2017-02-31":                        400,
		"/api/v1/cards?changed_since=x":                          400,
		"/api/v1/cards?changed_since=2017-09-07":                 400,
		"/api/v1/cards?limit=0":                                  400,
		"/api/v1/cards?changed_since=" + cursor(epoch, "x"):      400,
		"/api/v1/articles?before=x":                              400,
		"/api/v1/articles?before=" + cursor(epoch, ""):           400,
		"/api/v1/articles?scope=" + strings.Repeat("x", 3000):    400,
		"/api/v1/editions/demo/2017-09-08":                       404,
		"/api/v1/editions/demo/gestern":                          400,
		"/api/v1/nie":                                            404,
		"/api/v2/articles":                                       404,
		"/api/v1/articles/" + url.PathEscape("../../etc/passwd"): 404,
	} {
		var p struct {
			Status        int
			Title, Detail string
		}
		r := get(t, h, target, &p)
		if r.StatusCode != want || p.Status != want || p.Title == "" || r.Header.Get("Content-Type") != "application/problem+json" || r.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %d, want %d: %+v %v", target, r.StatusCode, want, p, r.Header)
		}
	}
	for query, want := range map[string]string{
		"limit=201":                          `limit "201": write a number from 1 to 200`,
		"limit=0":                            `limit "0": write a number from 1 to 200`,
		"limit=x":                            `limit "x": write a number from 1 to 200`,
		"day=7.9.":                           `day "7.9.": write it like 2017-09-07`,
		"full=maybe":                         `full "maybe": write true or false`,
		"scope=" + strings.Repeat("x", 2001): `scope "` + strings.Repeat("x", 40) + `": at most 2000 characters`,
	} {
		var p struct{ Detail string }
		if get(t, h, "/api/v1/articles?"+query, &p); p.Detail != want {
			t.Errorf("%.30s: %q, want %q", query, p.Detail, want)
		}
	}
	d.err = errors.New("secret inside")
	for _, target := range []string{"/api/v1/articles", "/api/v1/articles/x", "/api/v1/cards", "/api/v1/cards?changed_since=2017-09-07T08:00:00Z", "/api/v1/scopes", "/api/v1/sources", "/api/v1/editions/demo/2017-09-07"} {
		var p struct{ Detail string }
		if r := get(t, h, target, &p); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" || strings.Contains(p.Detail, "secret") {
			t.Errorf("%s: %d %q", target, r.StatusCode, p.Detail)
		}
	}
}

func TestSourcesKeepSecrets(t *testing.T) {
	var raw json.RawMessage
	get(t, open(t, newData(0)), "/api/v1/sources", &raw)
	if bytes.Contains(raw, []byte("geheim")) || bytes.Contains(raw, []byte("pass")) || !bytes.Contains(raw, []byte(`"https://epaper.example.cn/x"`)) {
		t.Errorf("%s", raw)
	}
}

func TestScopesAndEdition(t *testing.T) {
	h := open(t, newData(0))
	var s struct{ Scopes []scopeInfo }
	get(t, h, "/api/v1/scopes", &s)
	if len(s.Scopes) != 2 || s.Scopes[0].Name != "温县" || s.Scopes[0].Feed != "https://news.example.cn/feeds/district/410825.rss" {
		t.Errorf("%+v", s)
	}
	var e edition
	get(t, h, "/api/v1/editions/demo/20170907", &e)
	if e.Day != "2017-09-07" || len(e.Pages) != 1 || e.State != "complete" {
		t.Errorf("%+v", e)
	}
}

// The description is OpenAPI 3.1, holds every operation, and is the same bytes
// each time.
func TestOpenAPI(t *testing.T) {
	var d struct {
		OpenAPI string
		Servers []struct{ URL string }
		Paths   map[string]map[string]struct {
			OperationID string
			Responses   map[string]any
		}
	}
	var one, two json.RawMessage
	h := open(t, newData(0))
	get(t, h, "/api/openapi.json", &d)
	get(t, h, "/api/openapi.json", &one)
	get(t, open(t, newData(0)), "/api/openapi.json", &two)
	if !bytes.Equal(one, two) {
		t.Error("the description differs from one start to the next")
	}
	if !strings.HasPrefix(d.OpenAPI, "3.1") || len(d.Paths) != 6 || d.Servers[0].URL != "https://news.example.cn" {
		t.Errorf("%+v", d)
	}
	if op := d.Paths["/api/v1/articles/{id}"]["get"]; op.OperationID != "getArticle" || op.Responses["410"] == nil {
		t.Errorf("%+v", op)
	}
	for path, ops := range d.Paths {
		if ops["get"].Responses["200"] == nil || ops["get"].Responses["422"] != nil || len(ops) != 1 {
			t.Errorf("%s: %+v", path, ops)
		}
	}
}
