package main

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"paperwire/internal/fetch"
	"paperwire/internal/ingest"
	"paperwire/internal/paper"
	"paperwire/internal/papertest"
	"paperwire/internal/place"
	"paperwire/internal/store"
	"paperwire/sources"
)

// week is a publisher, the house that polls it on its schedule and a subscriber
// who looks at the feed of everything after each poll, all by one clock.
type week struct {
	*testing.T
	ctx   context.Context
	clock atomic.Int64 // milliseconds of the Unix epoch
	pub   *papertest.Publisher
	store *store.Store
	in    *ingest.Ingest
	polls int

	printed map[string]papertest.Article // by the id it must have here, for ever
	coming  map[string]bool              // ids that may appear, and have not
	last    map[string]paper.Item        // as the subscriber saw it last
	changes map[string]change            // what may change, once
}

// change is what one item may turn into, and not before when.
type change struct {
	state paper.ItemState
	after time.Time
	text  string // what the corrected text holds
}

func (w *week) now() time.Time { return time.UnixMilli(w.clock.Load()) }

// newWeek begins on the morning of Monday, 16 March 2026.
func newWeek(t *testing.T, o papertest.Options) *week {
	w := &week{
		T: t, ctx: t.Context(), printed: map[string]papertest.Article{}, coming: map[string]bool{},
		last: map[string]paper.Item{}, changes: map[string]change{},
	}
	w.clock.Store(paper.Day("2026-03-16").In(paper.Shanghai).Add(5*time.Hour + 30*time.Minute).UnixMilli())
	o.Key, o.Day, o.ArticlesPerPage, o.Seed, o.Now = "wk", "2026-03-16", 3, 20260316, w.now
	w.pub = papertest.New(o)
	t.Cleanup(w.pub.Close)
	w.store, w.in = inProcess(t, w.now, fetch.Options{}, ingest.Source{
		Source: sources.Source{Key: "wk", Platform: "auto", URL: w.pub.URL()},
		Window: ingest.Window{From: 5 * time.Hour, To: 9 * time.Hour, Within: 5 * time.Minute, Every: time.Hour},
	})
	return w
}

// inProcess wires what polls sources, without a daemon, by a clock of the test.
// Name, zone, city and rights of the sources are filled in, and what a fetcher
// on loopback needs.
func inProcess(t *testing.T, now func() time.Time, o fetch.Options, list ...ingest.Source) (*store.Store, *ingest.Ingest) {
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "paperwire.db"), store.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	o.Open, o.Pace, o.Memory, o.Now = []string{"127.0.0.1"}, -1, s, now
	client := fetch.New(o)
	t.Cleanup(client.Close)
	names, err := place.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	in := ingest.New(ingest.Options{Store: s, Fetch: client, Gazetteer: names, Now: now})
	for i := range list {
		x := &list[i]
		if x.Paper == "" {
			x.Paper = x.Key
		}
		x.Zone, x.Name, x.City, x.Language = paper.Shanghai, "测试日报", "410800", "zh-CN"
		x.Rights, x.Link = paper.RightsFull, paper.LinkShare
	}
	if err := in.Configure(t.Context(), ingest.Config{Sources: list}); err != nil {
		t.Fatal(err)
	}
	return s, in
}

// expect says that the subscriber is to see these articles now, each under the
// id that it has from its first printing on.
func (w *week) expect(list ...papertest.Article) {
	for _, a := range list {
		w.printed[weekID(a)], w.coming[weekID(a)] = a, true
	}
}

// weekID is the id of an article by the URL it was first printed at.
func weekID(a papertest.Article) string {
	return "wk-" + a.Day.Compact() + "-" + originOf.FindStringSubmatch(a.URL)[1]
}

// weekPath is where an article stands at its publisher.
func weekPath(a papertest.Article) string {
	u, err := url.Parse(a.URL)
	if err != nil {
		panic(err)
	}
	return u.Path
}

var originOf = regexp.MustCompile(`(?:content_|Articel)(\d+)(?:NR|MT)?\.html?$`)

// at gives 2026-03-{day} {hour}:{minute} in the paper's zone.
func at(day, hour, minute int) time.Time {
	return time.Date(2026, 3, day, hour, minute, 0, 0, paper.Shanghai)
}

// run lets the time pass until then in steps of five minutes: what falls due is
// polled, what is ready released, and after each poll the subscriber looks; days are
// closed.
func (w *week) run(until time.Time) {
	w.Helper()
	for ; w.now().Before(until); w.clock.Add((5 * time.Minute).Milliseconds()) {
		keys, err := w.store.Due(w.ctx)
		if err != nil {
			w.Fatal(err)
		}
		for _, key := range keys {
			if err := w.in.Poll(w.ctx, key, w.now()); err != nil {
				w.Fatal(err)
			}
			w.polls++
		}
		papers, err := w.store.Ready(w.ctx)
		if err != nil {
			w.Fatal(err)
		}
		for _, p := range papers {
			if _, err := w.store.Release(w.ctx, p); err != nil {
				w.Fatal(err)
			}
		}
		if len(keys)+len(papers) > 0 {
			w.look()
		}
		if _, err := w.store.CloseDays(w.ctx); err != nil {
			w.Fatal(err)
		}
	}
}

// arrived holds that everything expected has come and every change been seen.
func (w *week) arrived(what string) {
	w.Helper()
	for id := range w.coming {
		w.Errorf("%s: by %s the subscriber has not seen %s %s", what, w.stamp(), id, w.printed[id].Headline)
	}
	for id, c := range w.changes {
		w.Errorf("%s: by %s %s is not %s and changed", what, w.stamp(), id, c.state)
	}
	clear(w.changes)
	if w.Failed() {
		w.Fatalf("%s: state of the source: %s", what, w.health())
	}
}

func (w *week) stamp() string { return w.now().In(paper.Shanghai).Format("Monday 15:04") }

func (w *week) health() string {
	list, err := w.store.Health(w.ctx)
	if err != nil || len(list) != 1 {
		w.Fatalf("%v %v", list, err)
	}
	return list[0].State + ": " + list[0].Problem
}

// look is the subscriber's: every item is one that was printed, once, whole, with
// the id, date and place it had, and changed only if that was to come.
func (w *week) look() {
	w.Helper()
	items, err := w.store.Items(w.ctx, paper.Public, paper.Scope{}, paper.Window{})
	if err != nil {
		w.Fatal(err)
	}
	if len(items) == 0 {
		w.Fatalf("%s: the feed is empty", w.stamp())
	}
	ids, heads := map[string]bool{}, map[string]bool{}
	for i, item := range items {
		a, known := w.printed[item.ID]
		before, seen := w.last[item.ID]
		switch {
		case !known:
			w.Errorf("%s: item %s %q was never printed", w.stamp(), item.ID, item.Headline)
			continue
		case ids[item.ID]:
			w.Errorf("%s: item %s twice", w.stamp(), item.ID)
		case !seen && !w.coming[item.ID]:
			w.Errorf("%s: item %s %s came back", w.stamp(), item.ID, item.Headline)
		}
		ids[item.ID] = true
		delete(w.coming, item.ID)
		if i > 0 && !items[i-1].Published.After(item.Published) {
			w.Errorf("%s: item %s stands below one of its own date", w.stamp(), item.ID)
		}
		if item.State == paper.Live {
			if item.Headline != a.Headline || heads[item.Headline] {
				w.Errorf("%s: item %s is headed %q, printed %q", w.stamp(), item.ID, item.Headline, a.Headline)
			}
			heads[item.Headline] = true
			if item.Day != a.Day || item.Page.Number != a.Page.Number || !strings.Contains(item.Text, a.Paragraphs[1]) {
				w.Errorf("%s: item %s is of %s page %s: %.60s", w.stamp(), item.ID, item.Day, item.Page.Number, item.Text)
			}
			if len(item.Images) != len(a.Images) {
				w.Errorf("%s: item %s has %d pictures, printed %d", w.stamp(), item.ID, len(item.Images), len(a.Images))
			}
		}
		if seen {
			w.compare(before, item)
		} else if item.Version != 1 || !item.Updated.Equal(item.Published) || item.State != paper.Live {
			w.Errorf("%s: item %s began as version %d, %s", w.stamp(), item.ID, item.Version, item.State)
		}
		w.last[item.ID] = item
	}
	// What the subscriber had is there still, unless it is more than two days older
	// than the newest and fifty are newer; below those stand notices only.
	for id, item := range w.last {
		if !ids[id] && (len(items) < 50 || item.Published.After(items[49].Published) || items[0].Published.Sub(item.Published) <= 48*time.Hour) {
			w.Errorf("%s: item %s %s is gone from a feed of %d", w.stamp(), id, item.Headline, len(items))
		}
	}
	if w.Failed() {
		w.Fatalf("after poll %d, state of the source: %s", w.polls, w.health())
	}
}

// compare holds an item to what it was, but for the change that is due to it.
func (w *week) compare(before, item paper.Item) {
	w.Helper()
	if !item.Published.Equal(before.Published) || item.URN != before.URN {
		w.Errorf("%s: item %s is published %s as %s, was %s as %s", w.stamp(), item.ID, item.Published, item.URN, before.Published, before.URN)
	}
	if item.Version == before.Version && item.Updated.Equal(before.Updated) && item.State == before.State {
		if item.Text != before.Text || item.HTML != before.HTML {
			w.Errorf("%s: item %s changed in silence", w.stamp(), item.ID)
		}
		return
	}
	c, due := w.changes[item.ID]
	if !due || item.State != c.state || w.now().Before(c.after) || !item.Updated.After(before.Updated) || !strings.Contains(item.Text, c.text) {
		w.Errorf("%s: item %s moved to version %d, %s, updated %s: %.80s", w.stamp(), item.ID, item.Version, item.State, item.Updated, item.Text)
	}
	delete(w.changes, item.ID)
}

// A week as publishers have them. After each of its polls a subscriber sees every
// article once, under one id, in its place; only the correction moves updated,
// only the withdrawal withdraws, and nothing that goes wrong shows in the feed.
func TestBadWeek(t *testing.T) {
	for _, x := range []struct {
		options    papertest.Options
		next       papertest.Form // after the redesign
		fourth     string         // page of Wednesday
		stale      string         // page of Friday while it is Wednesday's
		redesigned string         // page of Saturday
	}{
		// One has an advertisement in each page that changes with each look, and no
		// validators; the others answer 304 to what did not change.
		{papertest.Options{Form: papertest.FounderClassic, Noise: true}, papertest.FounderNew, "2026-03/18/node_5.htm", "2026-03/20/node_2.htm", "202603/21/node_01.html"},
		{papertest.Options{Form: papertest.FounderNew}, papertest.PaperIndex, "202603/18/node_04.html", "202603/20/node_01.html", "20260321/Page01TB.htm"},
		{papertest.Options{Form: papertest.PaperIndex}, papertest.FounderClassic, "20260318/Page04BC.htm", "20260320/Page01BC.htm", "2026-03/21/node_2.htm"},
	} {
		t.Run(string(x.options.Form), func(t *testing.T) {
			t.Parallel()
			badWeek(t, x.options, x.next, x.fourth, x.stale, x.redesigned)
		})
	}
}

func badWeek(t *testing.T, o papertest.Options, next papertest.Form, fourth, stale, redesigned string) {
	w := newWeek(t, o)

	// Monday is quiet, but for a correction at noon.
	monday := w.pub.Articles("2026-03-16")
	w.expect(monday...)
	w.run(at(16, 6, 0))
	w.arrived("Monday's edition")
	w.run(at(16, 12, 0))
	const mended = "更正之后，这里说的是四十七户，不是七十四户。"
	w.pub.Correct(monday[5].ID, func(a *papertest.Article) { a.Paragraphs[len(a.Paragraphs)-1] += mended })
	w.changes[weekID(monday[5])] = change{state: paper.Live, after: at(16, 12, 0), text: mended}
	w.run(at(16, 15, 0))
	w.arrived("the correction")

	// Tuesday's upload is late: until then the entry leads to Monday's.
	w.run(at(17, 10, 40))
	w.pub.NextDay()
	tuesday := w.pub.Articles("2026-03-17")
	w.expect(tuesday...)
	w.run(at(17, 12, 0))
	w.arrived("the late upload")
	// Two articles vanish: one for good, one just for a moment, and again later. The
	// first is withdrawn no sooner than ten minutes after it was first missed.
	w.run(at(17, 13, 30))
	w.pub.Withdraw(tuesday[4].ID)
	w.changes[weekID(tuesday[4])] = change{state: paper.Withdrawn, after: at(17, 13, 40)}
	w.run(at(17, 17, 0))
	w.arrived("the withdrawal")
	for _, hour := range []int{17, 20} {
		w.run(at(17, hour, 0))
		w.pub.Hiccup(tuesday[7].ID, 1)
		missed := w.pub.Count(weekPath(tuesday[7]), 404)
		w.run(at(17, hour+3, 0))
		if n := w.pub.Count(weekPath(tuesday[7]), 404) - missed; n != 1 {
			t.Errorf("during the hiccup the article was missed %d times at its URL, want once", n)
		}
	}

	// Wednesday's upload comes in parts: three short pages, then the whole with a
	// page that is named and not there, then that page.
	w.run(at(18, 5, 10))
	w.pub.NextDayPart(3, 2)
	part := w.pub.Articles("2026-03-18")
	w.expect(part...)
	w.run(at(18, 6, 0))
	w.arrived("the part")
	w.run(at(18, 7, 0))
	w.pub.Complete("2026-03-18")
	w.pub.Misbehave(papertest.Status(404, 0).On(fourth))
	wednesday := w.pub.Articles("2026-03-18")
	rest := slices.DeleteFunc(slices.Clone(wednesday), func(a papertest.Article) bool {
		return slices.ContainsFunc(part, func(b papertest.Article) bool { return a.ID == b.ID })
	})
	missed := 3 // articles of the page that is not there
	if o.Form == papertest.PaperIndex {
		missed = 0 // its front page lists the whole edition
	}
	w.expect(rest[:len(rest)-missed]...)
	w.run(at(18, 7, 30))
	w.arrived("more of the part")
	w.pub.Behave()
	w.expect(rest[len(rest)-missed:]...)
	w.run(at(18, 8, 0))
	w.arrived("the whole")
	// An article is away for seven minutes, in which two polls miss it.
	w.pub.Hiccup(wednesday[3].ID, 0)
	w.run(at(18, 8, 10))
	w.pub.Recover()

	// Thursday is a holiday.
	w.run(at(19, 0, 0))
	w.pub.Rest()
	w.run(at(20, 0, 0))

	// Friday's address serves Wednesday's edition until twenty past nine.
	w.pub.StaleEntry(true)
	w.run(at(20, 9, 20))
	if w.pub.Count(stale, 200) == 0 {
		t.Errorf("nobody looked at %s", stale)
	}
	w.pub.NextDay()
	friday := w.pub.Articles("2026-03-20")
	w.expect(friday...)
	w.run(at(20, 11, 0))
	w.arrived("Friday's edition")
	// Behind a wall from noon to six an article is added.
	w.run(at(20, 12, 0))
	w.pub.Misbehave(papertest.Captcha().For(6 * time.Hour))
	w.run(at(20, 13, 0))
	late := w.pub.AddLate("2026-03-20", "02", papertest.Article{
		Headline: "晚到的一条消息", Paragraphs: []string{"本报讯 这一条是下午一点才登出来的。", "那时网站正要每一位读者先认出图片里的字，谁也看不到它。"},
	})
	w.run(at(20, 18, 0))
	if got := w.health(); !strings.HasPrefix(got, "blocked: ") {
		t.Errorf("behind the wall the source is %s", got)
	}
	friday = w.pub.Articles("2026-03-20")
	w.expect(friday[slices.IndexFunc(friday, func(a papertest.Article) bool { return a.ID == late })])
	w.run(at(20, 23, 0))
	w.arrived("the article behind the wall")

	// In the night to Saturday the site is redesigned: another form, other ids.
	w.run(at(21, 2, 0))
	w.pub.Switch(next, true)
	w.run(at(21, 5, 0))
	w.pub.NextDay()
	w.expect(w.pub.Articles("2026-03-21")...)
	w.run(at(21, 6, 0))
	w.arrived("the first edition after the redesign")

	w.run(at(22, 5, 0))
	w.pub.NextDay()
	w.expect(w.pub.Articles("2026-03-22")...)
	w.run(at(23, 0, 0))
	w.arrived("Sunday's edition")

	if len(w.last) != 6*12+1 || len(w.last) != len(w.printed) {
		t.Errorf("the subscriber saw %d items of %d printed", len(w.last), len(w.printed))
	}
	if w.polls < 7*48 {
		t.Errorf("%d polls in a week", w.polls)
	}
	if w.pub.Count(fourth, 404) == 0 || w.pub.Count(redesigned, 200) == 0 {
		t.Errorf("nobody missed %s, or found %s", fourth, redesigned)
	}
	if got := w.health(); got != "ok: " {
		t.Errorf("in the end the source is %s", got)
	}
}

// An edition is closed, and told of as complete, when the whole of it is there, however
// it is uploaded; what nobody can read does not keep it open.
func TestEditionsAreClosed(t *testing.T) {
	w := newWeek(t, papertest.Options{Form: papertest.FounderClassic})
	closed := func(day paper.Day, want int) {
		t.Helper()
		a, err := w.store.Archive(t.Context(), paper.Public, paper.Scope{}, day)
		if err != nil {
			t.Fatal(err)
		}
		list, err := w.store.Items(t.Context(), paper.Public, paper.Scope{}, paper.Window{Day: day, Archive: true})
		if err != nil {
			t.Fatal(err)
		}
		events, err := w.store.Events(t.Context(), paper.Cursor{}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		events = slices.DeleteFunc(events, func(e paper.Event) bool { return e.Kind != paper.EditionClosed || e.Day != day })
		told := 0
		if want > 0 {
			told = 1
		}
		if a.Closed != (want > 0) || want > 0 && len(list) != want || len(events) != told {
			t.Errorf("%s: %s: closed %v with %d articles, %d events; want %d", w.stamp(), day, a.Closed, len(list), len(events), want)
		}
	}
	monday, tuesday, wednesday, thursday := paper.Day("2026-03-16"), paper.Day("2026-03-17"), paper.Day("2026-03-18"), paper.Day("2026-03-19")
	w.expect(w.pub.Articles(monday)...)
	w.run(at(16, 5, 45))
	closed(monday, 12) // the first one that is seen, at once

	// Half of it, then the whole.
	w.run(at(17, 5, 0))
	w.pub.NextDayPart(2, 0)
	w.expect(w.pub.Articles(tuesday)...)
	w.run(at(17, 5, 15))
	closed(tuesday, 0)
	w.pub.Complete(tuesday)
	w.expect(w.pub.Articles(tuesday)...)
	w.run(at(17, 5, 30))
	closed(tuesday, 0)
	w.run(at(17, 6, 0))
	closed(tuesday, 12)

	// An article whose link is dead.
	w.run(at(18, 5, 0))
	w.pub.NextDay()
	list := w.pub.Articles(wednesday)
	w.pub.Misbehave(papertest.Status(404, 0).On(weekPath(list[4])))
	w.expect(slices.Delete(slices.Clone(list), 4, 5)...)
	w.run(at(18, 7, 0))
	closed(wednesday, 0)
	w.run(at(18, 12, 0))
	closed(wednesday, 11)
	w.pub.Behave()
	w.expect(list[4])
	w.run(at(19, 5, 0))
	w.arrived("the article that was dead")
	closed(wednesday, 11)

	// One that nobody can tell of: it is waited for as long as it is tried again.
	w.pub.NextDay()
	list = w.pub.Articles(thursday)
	w.pub.Misbehave(papertest.Status(500, 0).On(weekPath(list[4])))
	w.expect(slices.Delete(slices.Clone(list), 4, 5)...)
	w.run(at(25, 23, 55))
	closed(thursday, 0)
	w.run(at(26, 0, 10))
	a, err := w.store.Archive(t.Context(), paper.Public, paper.Scope{}, thursday)
	if err != nil || !a.Closed {
		t.Errorf("%+v %v", a, err)
	}
}

// Every form that papertest knows is read on two days, each article whole.
func TestEveryForm(t *testing.T) {
	for _, x := range []struct {
		form     papertest.Form
		platform string
		url      string // relative to the entry
		html     *sources.HTMLRules
		json     *sources.JSONRules
	}{
		{form: papertest.FounderClassic},
		{form: papertest.FounderNew},
		{form: papertest.PaperIndex},
		{form: papertest.S, platform: "html", html: &sources.HTMLRules{
			Articles: ".page a.selectBox", ArticleURL: `/(\d+)\.shtml$`, Pages: ".page-title .title-text a", PageURL: `/v(\w+)\.shtml$`,
			OnClick: []string{`location\.href='([^']+)'`}, Headline: ".article-title", Kicker: ".introtitle", Subtitle: ".subtitle", Byline: ".author", Body: "#ozoom",
		}},
		{form: papertest.H, platform: "html", html: &sources.HTMLRules{
			Articles: "a.bmdh_con_a, .bm_img area", ArticleURL: `/content_(\d+)\.htm$`, Pages: "a.bmml_con_div_name", PageURL: `/page_(\w+)\.htm$`,
			Kicker: ".text_c h3", Headline: ".text_c h1", Subtitle: ".text_c h2", Byline: ".text_c .zz", Body: "#zoom",
		}},
		{form: papertest.N, platform: "html", html: &sources.HTMLRules{
			Articles: "map area, #ulTitles a", ArticleURL: `show\.aspx\?id=(\d+)`, Pages: "a.banmian", PageURL: `page=(\w+)`, OnClick: []string{`openNews\('([^']+)'\)`},
			Edition: "page.aspx?date={yyyy}-{mm}-{dd}&page=01", Date: "#lblDate", PageLabel: "#lblPage", Kicker: "#lblYinti", Headline: "#lblTitle", Subtitle: "#lblFuti", Byline: "#lblAuthor", Body: "#lblContent",
		}},
		{form: papertest.TRS, platform: "html", html: &sources.HTMLRules{
			ArticleURL: `/\d{8}_(\d{3}_\d+)\.htm$`, PageURL: `/\d{8}_(\d{3})\.htm$`, Positional: true, PageNumbers: `banciArray="([\d,]+)"`,
			PageLink: "../{yyyy}{mm}{dd}_{page}/{yyyy}{mm}{dd}_{page}.htm", PageLabel: "#imageth", PageNumber: `版次：第(\d+)版：版名：(\S+)`,
			Headline: "#biaoti", Kicker: "#yinti", Subtitle: "#futi", Byline: "#zuozhe", Body: "#zhenwenzone",
		}},
		{form: papertest.JSONAPI, platform: "json", url: "api/list.do", json: &sources.JSONRules{
			ListBody: "code={yyyymmdd}", Headers: []string{"X-Requested-With: XMLHttpRequest"}, Day: "data.paperDate", Paper: "data.paperName",
			Pages: "data.pageList", PageNumber: "page", PageName: "pageName", PagePicture: "pic", PagePDF: "pdf",
			Page: "getPage.do?page={page}&code={yyyymmdd}", PageBody: "page={page}&code={yyyymmdd}", Articles: "data.articleList", Reversed: true, ID: "articleId",
			Title: "title", Kicker: "introTitle", Subtitle: "subTitle", Author: "author", Content: "content", Images: "images[*].src", Captions: "images[*].caption", Link: "url",
		}},
		{form: papertest.DataJS, platform: "json", json: &sources.JSONRules{
			List: "{yyyy}/{yyyymmdd}/data.js", Day: "[0].paperDate", Pages: "[*]", PagePicture: "pagePic", PagePDF: "pagePdf", PageNumber: "pageNo", PageName: "pageName", Articles: "onePageArticleList",
			Title: "mainTitle", Author: "articleAuthor", Link: "articleHref",
		}},
	} {
		t.Run(string(x.form), func(t *testing.T) {
			t.Parallel()
			now := at(16, 6, 0)
			p := papertest.New(papertest.Options{Key: "k", Form: x.form, Day: "2026-03-16", ArticlesPerPage: 3, Seed: 9, Gzip: true})
			t.Cleanup(p.Close)
			entry, err := url.Parse(p.URL())
			if err == nil {
				entry, err = entry.Parse(x.url)
			}
			if err != nil {
				t.Fatal(err)
			}
			s, in := inProcess(t, func() time.Time { return now }, fetch.Options{}, ingest.Source{
				Source: sources.Source{Key: "k", Platform: x.platform, URL: entry.String(), HTML: x.html, JSON: x.json},
			})
			for range 2 {
				readWhole(t, p, s, in)
				p.NextDay()
				now = now.Add(24 * time.Hour)
			}
		})
	}
}

// readWhole looks at a publisher and holds what came of its newest edition against
// what it printed.
func readWhole(t *testing.T, p *papertest.Publisher, s *store.Store, in *ingest.Ingest) {
	t.Helper()
	if err := in.Fetch(t.Context(), nil, func(ingest.Report) {}); err != nil {
		t.Error(err)
	}
	items, err := s.Items(t.Context(), paper.Public, paper.Scope{}, paper.Window{Day: p.Day()})
	if err != nil {
		t.Fatal(err)
	}
	want := p.Articles(p.Day())
	if len(items) != len(want) || len(want) == 0 {
		t.Fatalf("%s: %d items, want %d", p.Day(), len(items), len(want))
	}
	for i, a := range want {
		g := items[i]
		got := fmt.Sprintln(g.URL, g.Kicker, g.Headline, g.Subtitle, g.Page, g.Position, len(g.Images))
		// A dash before a subtitle is not part of it.
		if want := fmt.Sprintln(a.URL, a.Kicker, a.Headline, strings.TrimPrefix(a.Subtitle, "——"), a.Page, a.Position, len(a.Images)); got != want {
			t.Errorf("got  %swant %s", got, want)
		}
		if a.Byline+a.Author != "" && len(g.Byline) == 0 {
			t.Errorf("%s names nobody, printed %s%s", g.ID, a.Byline, a.Author)
		}
		// The last paragraph may end with a name, which is a byline.
		for _, s := range a.Paragraphs[:len(a.Paragraphs)-1] {
			if !strings.Contains(g.Text, s) {
				t.Errorf("%s lacks %s", g.ID, s)
			}
		}
	}
}

// A publisher that answers with anything but its paper costs bounded bytes, keeps
// its last good feed, says what is wrong, and is read again when it is over; the
// other paper notices nothing.
func TestHostilePublisher(t *testing.T) {
	for name, x := range map[string]struct {
		fault papertest.Fault
		state string
		says  string // part of the problem that the status page shows
	}{
		"slow-loris":     {papertest.SlowLoris(100 * time.Millisecond), "failing", "deadline exceeded"},
		"endless":        {papertest.Endless(), "failing", "too large"},
		"huge":           {papertest.Huge(), "failing", "too large"},
		"gzip bomb":      {papertest.Bomb(), "failing", "too large"},
		"redirect loop":  {papertest.RedirectLoop(), "failing", "too many redirects"},
		"metadata":       {papertest.RedirectTo("http://169.254.169.254/latest/meta-data/"), "failing", "not allowed"},
		"private":        {papertest.RedirectTo("http://10.0.0.1:6379/"), "failing", "not allowed"},
		"file":           {papertest.RedirectTo("file:///etc/passwd"), "failing", "not allowed"},
		"short body":     {papertest.WrongLength(200), "failing", "unexpected EOF"},
		"cut off":        {papertest.CutOff(), "failing", "unexpected EOF"},
		"no answer":      {papertest.Down(), "failing", "EOF"},
		"too many":       {papertest.Status(429, 2*time.Hour), "failing", "429"},
		"unavailable":    {papertest.Status(503, 0), "failing", "503"},
		"captcha":        {papertest.Captcha(), "blocked", "agree on access"},
		"script wall":    {papertest.Challenge(), "blocked", "agree on access"},
		"failed upload":  {papertest.Empty(), "failing", "no platform"},
		"entry vanished": {papertest.Status(404, 0), "failing", "404"},
	} {
		timeout := time.Minute // a busy machine shall not look like a slow publisher
		if name == "slow-loris" {
			timeout = 2 * time.Second
		}
		hostile(t, name, timeout, x.fault, func(h paper.Health) bool { return h.State == x.state && strings.Contains(h.Problem, x.says) })
		// Where only articles are struck, the entry and the pages are read.
		hostile(t, name+" for articles", timeout, x.fault.On("content_"), func(h paper.Health) bool { return h.State != "ok" && h.Problem != "" })
	}
	t.Run("certificate", func(t *testing.T) {
		t.Parallel()
		bad := papertest.New(papertest.Options{Key: "bad", Day: "2026-03-16"})
		t.Cleanup(bad.Close)
		s, in := inProcess(t, func() time.Time { return at(16, 6, 0) }, fetch.Options{}, ingest.Source{Source: sources.Source{Key: "bad", URL: bad.SelfSigned()}})
		if err := in.Fetch(t.Context(), nil, func(ingest.Report) {}); err == nil {
			t.Error("a certificate of nobody was taken")
		}
		h, err := s.Health(t.Context())
		if err != nil || h[0].State != "failing" || !strings.Contains(h[0].Problem, "certificate") {
			t.Errorf("%+v, %v", h, err)
		}
	})
}

// hostile lets a publisher misbehave beside another for three looks; right says
// whether the first one's state is told as it should be.
func hostile(t *testing.T, name string, timeout time.Duration, fault papertest.Fault, right func(paper.Health) bool) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		now := at(16, 6, 0)
		bad := papertest.New(papertest.Options{Key: "bad", Day: "2026-03-16", Pages: 2, ArticlesPerPage: 2, Seed: 1})
		t.Cleanup(bad.Close)
		good := papertest.New(papertest.Options{Key: "good", Form: papertest.FounderNew, Day: "2026-03-16", Pages: 2, ArticlesPerPage: 2, Seed: 2})
		t.Cleanup(good.Close)
		s, in := inProcess(t, func() time.Time { return now }, fetch.Options{Timeout: timeout, MaxBody: 1 << 20},
			ingest.Source{Source: sources.Source{Key: "bad", URL: bad.URL()}}, ingest.Source{Source: sources.Source{Key: "good", URL: good.URL()}})
		feed := func(key string) []paper.Item {
			items, err := s.Items(t.Context(), paper.Public, paper.Scope{Papers: []string{key}}, paper.Window{})
			if err != nil {
				t.Fatal(err)
			}
			return items
		}
		look := func() map[string]paper.Health {
			in.Fetch(t.Context(), nil, func(ingest.Report) {}) // its error is what Health tells
			list, err := s.Health(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			of := map[string]paper.Health{}
			for _, h := range list {
				of[h.Source] = h
			}
			return of
		}
		if h := look(); h["bad"].State != "ok" || h["good"].State != "ok" {
			t.Fatalf("at first %+v", h)
		}
		before := feed("bad")

		bad.Misbehave(fault)
		bad.NextDay()
		good.NextDay()
		for range 3 {
			now = now.Add(9 * time.Hour) // after what it asked for, and what is waited for at most
			bad.Reset()
			h := look()
			if !right(h["bad"]) {
				t.Errorf("the bad one is %s: %s", h["bad"].State, h["bad"].Problem)
			}
			if h["good"].State != "ok" {
				t.Errorf("the good one is %s: %s", h["good"].State, h["good"].Problem)
			}
			if diff := cmp.Diff(before, feed("bad")); diff != "" {
				t.Errorf("its feed changed: %s", diff)
			}
			// Counted where it is sent: most of 8 MiB never left the buffers between.
			var sent int64
			for _, r := range bad.Requests() {
				sent += r.Bytes
			}
			if n := len(bad.Requests()); n == 0 || n > 64 || sent > int64(n)*8<<20 {
				t.Errorf("it was asked %d times and sent %d bytes", n, sent)
			}
		}
		if n := len(feed("good")); n != 8 {
			t.Errorf("the good feed has %d items, want 8", n)
		}

		bad.Behave()
		now = now.Add(9 * time.Hour)
		if h := look(); h["bad"].State != "ok" || len(feed("bad")) != 8 {
			t.Errorf("when it is over: %d items, %s: %s", len(feed("bad")), h["bad"].State, h["bad"].Problem)
		}
	})
}
