package syndicate

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"paperwire/internal/paper"
)

// memory is a store made of slices. It counts what it is asked and fails on
// request.
type memory struct {
	mu        sync.Mutex
	papers    []paper.Paper
	sections  []paper.Section
	items     []paper.Item
	parts     map[string]paper.PartVersion
	seq       int64
	health    []paper.Health
	incidents []paper.Incident
	broken    error
	reads     int                 // calls of Items
	views     []paper.View        // of these calls
	closed    map[paper.Day]bool  // days that are closed
	during    func()              // called inside Items, without the lock
	pages     []paper.EditionPage // of the one edition; nil: a page without a picture
}

var epoch = time.Date(2017, 9, 7, 6, 0, 0, 0, time.UTC)

func newMemory() *memory {
	m := &memory{
		papers: []paper.Paper{
			{Key: "demo", Name: "示例日报", City: "410800", Zone: "Asia/Shanghai", Language: "zh-CN", Link: paper.LinkShare, Rights: paper.RightsFull},
			{Key: "abend", Name: "示例晚报", City: "410800", Zone: "Asia/Shanghai", Language: "zh-CN", Link: paper.LinkShare, Rights: paper.RightsFull},
		},
		sections: []paper.Section{{Slug: "yaowen", Name: "要闻"}, {Slug: "minsheng", Name: "民生"}, {Slug: "leer", Name: "空栏"}},
		parts:    map[string]paper.PartVersion{},
		health: []paper.Health{
			{Source: "demo", Paper: "demo", Name: "示例日报", Platform: "founder", State: "ok", Checked: epoch.Add(time.Hour), Tried: epoch.Add(time.Hour)},
			{Source: "abend", Paper: "abend", Name: "示例晚报", Platform: "founder", State: "failing", Problem: "503", Checked: epoch, Tried: epoch.Add(time.Hour)},
		},
	}
	for i := range 12 {
		m.release("demo", i, "yaowen", "410825")
	}
	m.release("abend", 0, "minsheng", "410803")
	return m
}

// release puts one article in, published i minutes after the epoch.
func (m *memory) release(key string, i int, section, district string) paper.Item {
	m.mu.Lock()
	defer m.mu.Unlock()
	var p paper.Paper
	for _, have := range m.papers {
		if have.Key == key {
			p = have
		}
	}
	at := epoch.Add(time.Duration(i) * time.Minute)
	name := map[string]string{"410825": "温县", "410803": "中站区"}[district]
	it := paper.Item{
		Article: paper.Article{
			ID: fmt.Sprintf("%s-20170907-1_%d", key, i), Paper: key, Source: key, Day: "2017-09-07", URL: "http://epaper.example.cn/1.htm",
			Page: paper.PageRef{Number: "01", Name: "要闻"}, Position: i + 1, Ordinal: i, Headline: fmt.Sprintf("第%d条消息", i),
			Text: strings.Repeat("秋收时节，田里一片繁忙。", 40), HTML: "<p>" + strings.Repeat("秋收时节，田里一片繁忙。", 40) + "</p>", Summary: "秋收时节，田里一片繁忙。", Language: "zh-CN",
		},
		State: paper.Live, Version: 1, Published: at, Updated: at, Rights: paper.RightsFull, Link: paper.LinkShare, PaperName: p.Name, PaperCity: p.City,
		Sections:  []paper.Section{{Slug: section, Name: map[string]string{"yaowen": "要闻", "minsheng": "民生"}[section]}},
		Districts: []paper.Tag{{Code: district, Name: name, Tier: paper.Sure, Score: 3}}, Reach: paper.ReachDistrict,
	}
	it.URN = paper.URN(it.ID)
	m.items = append(m.items, it)
	m.rise(at.Add(time.Second), "all", "paper/"+key, "section/"+section, "district/"+district, "district/410800")
	return it
}

// rise moves parts to the next change sequence; the lock is held.
func (m *memory) rise(at time.Time, parts ...string) {
	m.seq++
	for _, p := range parts {
		m.parts[p] = paper.PartVersion{Part: p, Seq: m.seq, At: at}
	}
}

func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken = err
}

func (m *memory) asked() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.reads
}

func in(it paper.Item, s paper.Scope) bool {
	has := func(want []string, have func(string) bool) bool {
		return len(want) == 0 || slices.ContainsFunc(want, have)
	}
	section := func(v string) bool {
		return slices.ContainsFunc(it.Sections, func(x paper.Section) bool { return x.Slug == v })
	}
	district := func(v string) bool {
		return slices.ContainsFunc(it.Districts, func(d paper.Tag) bool { return d.Code == v || v == "410800" })
	}
	return has(s.Papers, func(v string) bool { return it.Paper == v }) && has(s.Sections, section) && has(s.Districts, district) &&
		has(s.Pages, func(v string) bool { return it.Page.Number == v }) &&
		!slices.ContainsFunc(s.NotSections, section) && !slices.ContainsFunc(s.NotDistricts, district)
}

func (m *memory) Items(_ context.Context, v paper.View, s paper.Scope, w paper.Window) ([]paper.Item, error) {
	if m.during != nil {
		m.during()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads++
	m.views = append(m.views, v)
	if m.broken != nil {
		return nil, m.broken
	}
	var list []paper.Item
	for _, it := range m.items {
		older := w.Before.IsZero() || it.Published.Before(w.Before) || it.Published.Equal(w.Before) && it.ID < w.BeforeID
		if in(it, s) && older && (w.Day == "" || it.Day == w.Day) && (w.IDs == nil || slices.Contains(w.IDs, it.ID)) {
			list = append(list, it)
		}
	}
	slices.SortFunc(list, func(a, b paper.Item) int {
		if w.Day != "" {
			return cmp.Compare(a.Ordinal, b.Ordinal)
		}
		return cmp.Or(b.Published.Compare(a.Published), strings.Compare(b.ID, a.ID))
	})
	if n := cmp.Or(w.Limit, 50); w.Day == "" && len(list) > n {
		list = list[:n]
	}
	return list, nil
}

func (m *memory) Item(_ context.Context, _ paper.View, id string) (paper.Item, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, it := range m.items {
		if it.ID == id && it.State == paper.Withdrawn {
			return it, fmt.Errorf("article %s: %w", id, paper.ErrGone)
		} else if it.ID == id {
			return it, m.broken
		}
	}
	return paper.Item{}, fmt.Errorf("article %s: %w", id, paper.ErrNotFound)
}

func (m *memory) Papers(context.Context) ([]paper.Paper, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.papers), m.broken
}

func (m *memory) Sections(context.Context) ([]paper.Section, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.sections), m.broken
}

func (m *memory) Scopes(context.Context, paper.View) ([]paper.ScopeInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []paper.ScopeInfo
	add := func(part, name string) {
		s, err := paper.ParseScope(part)
		if err != nil {
			panic(err)
		}
		x := paper.ScopeInfo{Part: part, Name: name}
		for _, it := range m.items {
			if in(it, s) {
				x.Count++
				x.Last = max(x.Last, it.Day)
			}
		}
		list = append(list, x)
	}
	add("all", "")
	for _, p := range m.papers {
		add("paper/"+p.Key, p.Name)
	}
	for _, x := range m.sections {
		add("section/"+x.Slug, x.Name)
	}
	for _, d := range []string{"410800", "410803", "410825"} {
		add("district/"+d, "")
	}
	return list, m.broken
}

func (m *memory) Edition(_ context.Context, _ paper.View, key string, day paper.Day) (paper.Edition, error) {
	if day != "2017-09-07" {
		return paper.Edition{}, fmt.Errorf("edition %s %s: %w", key, day, paper.ErrNotFound)
	}
	e := paper.Edition{Paper: key, Day: day, State: paper.EditionComplete, Articles: 12, Pages: m.pages}
	if e.Pages == nil {
		e.Pages = []paper.EditionPage{{PageRef: paper.PageRef{Number: "01", Name: "要闻"}, Listed: 12, Read: 12}}
	}
	return e, nil
}

func (m *memory) Editions(ctx context.Context, v paper.View, key string, _ int) ([]paper.Edition, error) {
	e, err := m.Edition(ctx, v, cmp.Or(key, "demo"), "2017-09-07")
	return []paper.Edition{e}, err
}

func (m *memory) Archive(_ context.Context, _ paper.View, s paper.Scope, day paper.Day) (paper.Archive, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := paper.Archive{Day: day}
	if m.broken != nil {
		return a, m.broken
	}
	for _, it := range m.items {
		if !in(it, s) {
			continue
		}
		switch d := it.Day; {
		case day == "":
			if m.closed[d] {
				a.Previous = max(a.Previous, d)
			}
		case d == day:
			if a.Holds = true; m.closed[d] {
				a.Closed, a.At = true, epoch.Add(12*time.Hour)
			}
		case d < day:
			a.Previous = max(a.Previous, d)
		case a.Next == "" || d < a.Next:
			a.Next = d
		}
	}
	return a, nil
}

func (m *memory) Closed(_ context.Context, items []paper.Item) (list []paper.Edition, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, it := range items {
		if e := (paper.Edition{Paper: it.Paper, Day: it.Day}); m.closed[it.Day] && !slices.ContainsFunc(list, func(x paper.Edition) bool { return x.Paper == e.Paper && x.Day == e.Day }) {
			list = append(list, e)
		}
	}
	return list, m.broken
}

func (m *memory) Months(context.Context, paper.View) (list []paper.Month, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, it := range m.items {
		if n := len(list); n == 0 || list[n-1].Month != string(it.Day[:7]) {
			list = append(list, paper.Month{Month: string(it.Day[:7])})
		}
		list[len(list)-1].Most++
	}
	return list, m.broken
}

func (m *memory) Stamps(_ context.Context, _ paper.View, month string, skip, n int) (list []paper.Stamp, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, it := range m.items {
		if strings.HasPrefix(string(it.Day), month) && it.State == paper.Live {
			list = append(list, paper.Stamp{ID: it.ID, Updated: it.Updated})
		}
	}
	list = list[min(skip, len(list)):]
	return list[:min(n, len(list))], m.broken
}

func (m *memory) Health(context.Context) ([]paper.Health, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.health), m.broken
}

func (m *memory) Incidents(context.Context, int) ([]paper.Incident, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.incidents), m.broken
}

func (m *memory) Changed(_ context.Context, _ paper.View, seq int64, id string, n int) ([]paper.Change, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []paper.Change
	for i, it := range m.items {
		if at := int64(i) + 1; len(list) < n && (at > seq || at == seq && it.ID > id) {
			list = append(list, paper.Change{Seq: at, Item: it})
		}
	}
	return list, m.broken
}

func (m *memory) OutboxAt(context.Context, time.Time) (paper.Cursor, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return paper.Cursor{}, m.broken
}

func (m *memory) Changes(_ context.Context, after int64) (int64, []paper.PartVersion, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var rose []paper.PartVersion
	for _, v := range m.parts {
		if v.Seq > after {
			rose = append(rose, v)
		}
	}
	return m.seq, rose, m.broken
}

func (m *memory) Ping(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.broken
}

// table is a gazetteer of one city.
type table struct{}

var divisions = []paper.Division{
	{Code: "410000", Name: "河南省", Level: "province"},
	{Code: "410800", Name: "焦作市", Short: "焦作", Slug: "jiaozuo", Level: "city", Parent: "410000"},
	{Code: "410803", Name: "中站区", Short: "中站", Slug: "zhongzhan", Level: "county", Parent: "410800"},
	{Code: "410825", Name: "温县", Slug: "wenxian", Level: "county", Parent: "410800", Point: "34.94 113.08"},
	{Code: "410823", Name: "武陟县", Short: "武陟", Slug: "wuzhi", Level: "county", Parent: "410800"},
	{Code: "410825100", Name: "温泉镇", Level: "town", Parent: "410825"},
}

func (table) Division(code string) (paper.Division, bool) {
	i := slices.IndexFunc(divisions, func(d paper.Division) bool { return d.Code == code })
	if i < 0 {
		return paper.Division{}, false
	}
	return divisions[i], true
}

func (table) Resolve(s string, _ ...string) (paper.Division, bool) {
	i := slices.IndexFunc(divisions, func(d paper.Division) bool {
		return s != "" && (d.Code == s || d.Name == s || d.Short == s || d.Slug == s)
	})
	if i < 0 {
		return paper.Division{}, false
	}
	return divisions[i], true
}

func (t table) Above(code string) []string {
	d, ok := t.Division(code)
	if !ok || d.Parent == "" {
		return nil
	}
	return append([]string{d.Parent}, t.Above(d.Parent)...)
}

func (table) Under(code string) (list []paper.Division) {
	for _, d := range divisions {
		if d.Parent == code {
			list = append(list, d)
		}
	}
	return list
}

// open makes a Syndicate over a store, with its log at hand.
func open(t testing.TB, m Store, change ...func(*Options)) (*Syndicate, *strings.Builder) {
	t.Helper()
	var log strings.Builder
	o := Options{
		Base: "https://news.example.cn", Title: "示例新闻", Store: m, Names: table{}, Moved: map[string]string{"alt": "yaowen", "aelter": "alt", "kreis": "bogen", "bogen": "kreis"},
		OperatorKey: "geheim", Log: slog.New(slog.NewTextHandler(&lockedWriter{w: &log}, nil)), Operations: true,
	}
	for _, c := range change {
		c(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s, &log
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// catchUp brings a Syndicate up to date, as Run does all the time.
func catchUp(t testing.TB, s *Syndicate) {
	t.Helper()
	if _, err := s.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.look(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// ask makes one request; headers come in pairs.
func ask(s http.Handler, method, target string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result()
}

func body(t testing.TB, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
