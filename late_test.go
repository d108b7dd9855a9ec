package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"paperwire/internal/fetch"
	"paperwire/internal/ingest"
	"paperwire/internal/paper"
	"paperwire/internal/papertest"
	"paperwire/internal/place"
	"paperwire/internal/store"
	"paperwire/sources"
)

// latePages is an edition that is printed after a later one.
func latePages(day paper.Day) []papertest.Page {
	page := papertest.Page{Number: "01", Name: "要闻"}
	for _, place := range []string{"温县", "武陟县", "修武县"} {
		page.Articles = append(page.Articles, papertest.Article{
			Headline:   fmt.Sprintf("%s%s日的麦田里", place, day[8:]),
			Paragraphs: []string{"本报讯 " + place + "的麦田里，拖拉机从早忙到晚。", "村民们说，" + string(day) + "的墒情正好。"},
		})
	}
	return []papertest.Page{page}
}

// newest are the days of a current feed's articles, in its order, each once in a row.
func newest(t testing.TB, s *store.Store) (days []paper.Day, count map[paper.Day]int) {
	t.Helper()
	items, err := s.Items(t.Context(), paper.Public, paper.Scope{}, paper.Window{})
	if err != nil {
		t.Fatal(err)
	}
	count = map[paper.Day]int{}
	for i, x := range items {
		if i > 0 && !x.Published.Before(items[i-1].Published) {
			t.Errorf("%s does not stand below %s", x.ID, items[i-1].ID)
		}
		if len(days) == 0 || days[len(days)-1] != x.Day {
			days = append(days, x.Day)
		}
		count[x.Day]++
	}
	return days, count
}

// fetched is one look that must go well.
func fetched(t testing.TB, in *ingest.Ingest) {
	t.Helper()
	if err := in.Fetch(t.Context(), nil, func(ingest.Report) {}); err != nil {
		t.Error(err)
	}
}

// An edition that appears after a later one is news all the same, on every form:
// where the publisher has a list of days, because it stands there now, else because
// it was missing at a look.
func TestLateEdition(t *testing.T) {
	for form, rules := range formLines {
		t.Run(string(form), func(t *testing.T) {
			t.Parallel()
			now := at(16, 6, 0)
			p := papertest.New(papertest.Options{Key: "k", Form: form, Day: "2026-03-16", Pages: 2, ArticlesPerPage: 2, Seed: 7})
			t.Cleanup(p.Close)
			c, err := loadConfig(overrides{file: writeConfig(t, probeConfig+fmt.Sprintf("  - key: k\n    name: 测试日报\n    url: %q\n    city: \"410800\"", p.URL())+rules+"\n")})
			if err != nil {
				t.Fatal(err)
			}
			s, in := inProcess(t, func() time.Time { return now }, fetch.Options{}, c.ingest("http://paperwire.test").Sources...)
			fetched(t, in)
			p.Rest()
			p.NextDay()
			now = at(18, 6, 0)
			fetched(t, in)
			if days, _ := newest(t, s); fmt.Sprint(days) != "[2026-03-18 2026-03-16]" {
				t.Fatalf("before it is out the feed has %v", days)
			}
			p.Publish("2026-03-17", latePages("2026-03-17"))
			now = at(18, 6, 5)
			fetched(t, in)
			days, count := newest(t, s)
			if fmt.Sprint(days) != "[2026-03-17 2026-03-18 2026-03-16]" || count["2026-03-17"] != 3 {
				t.Errorf("when it is out the feed has %v, %v", days, count)
			}
			now = at(18, 6, 10)
			fetched(t, in)
			if again, _ := newest(t, s); len(again) != 3 {
				t.Errorf("a look later the feed has %v", again)
			}
		})
	}
}

// The same by command, on both databases.
func TestFetchLateEdition(t *testing.T) {
	stores(t, func(t *testing.T, dsn string) {
		p := publisher(t, papertest.Options{Key: "one", Day: today().Add(-3), Pages: 1, ArticlesPerPage: 2})
		dir := t.TempDir()
		file := configFor(t, dir, p)
		look := func() {
			t.Helper()
			if out, log, code := paperwireRun(t.Context(), "fetch", "--config", file, "--data", dir, "--store", dsn); code != 0 {
				t.Fatalf("exit %d\n%s%s", code, out, log)
			}
		}
		look()
		p.Rest()
		p.NextDay()
		look()
		p.Publish(today().Add(-2), latePages(today().Add(-2)))
		look()
		if !store.IsPostgres(dsn) {
			dsn = filepath.Join(dir, dsn)
		}
		s, err := store.Open(t.Context(), dsn, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if days, count := newest(t, s); len(days) != 3 || days[0] != today().Add(-2) || count[days[0]] != 3 {
			t.Errorf("the feed has %v, %v", days, count)
		}
	})
}

// An edition whose first page fails once while later ones are read is read at the
// next look.
func TestMissedEdition(t *testing.T) {
	for name, fault := range map[string]papertest.Fault{"404": papertest.Status(404, 0), "503": papertest.Status(503, 0), "cut off": papertest.CutOff()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := at(16, 6, 0)
			p := papertest.New(papertest.Options{Key: "k", Day: "2026-03-16", Pages: 2, ArticlesPerPage: 2, Now: func() time.Time { return now }})
			t.Cleanup(p.Close)
			s, in := inProcess(t, func() time.Time { return now }, fetch.Options{}, ingest.Source{Source: sources.Source{Key: "k", URL: p.URL()}})
			fetched(t, in)
			p.NextDay()
			p.NextDay()
			now = at(18, 6, 0)
			p.Misbehave(fault.On("17/node_2.htm").For(2 * time.Minute))
			_ = in.Fetch(t.Context(), nil, func(ingest.Report) {}) // a page that failed is told
			if days, _ := newest(t, s); fmt.Sprint(days) != "[2026-03-18 2026-03-16]" {
				t.Fatalf("while it fails the feed has %v", days)
			}
			now = at(18, 6, 5)
			fetched(t, in)
			if days, _ := newest(t, s); fmt.Sprint(days) != "[2026-03-17 2026-03-18 2026-03-16]" {
				t.Errorf("then the feed has %v", days)
			}
		})
	}
}

// lateHouse is inProcess with a log and a usual window.
func lateHouse(t *testing.T, now func() time.Time, p *papertest.Publisher) (*store.Store, *ingest.Ingest, *bytes.Buffer) {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "paperwire.db"), store.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	client := fetch.New(fetch.Options{Open: []string{"127.0.0.1"}, Pace: -1, Memory: s, Now: now})
	t.Cleanup(client.Close)
	names, err := place.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	log := &bytes.Buffer{}
	in := ingest.New(ingest.Options{Store: s, Fetch: client, Gazetteer: names, Now: now, Log: slog.New(slog.NewTextHandler(log, nil))})
	if err := in.Configure(t.Context(), ingest.Config{Sources: []ingest.Source{{
		Source: sources.Source{Key: "k", Paper: "k", URL: p.URL(), Zone: paper.Shanghai}, Name: "测试日报", Language: "zh-CN", Rights: paper.RightsFull, Link: paper.LinkShare,
		Window: ingest.Window{From: 5 * time.Hour, To: 9 * time.Hour, Within: 5 * time.Minute, Every: time.Hour},
	}}}); err != nil {
		t.Fatal(err)
	}
	return s, in, log
}

// An edition that the publisher lists and does not have is asked for now and then for
// a week, the operator is told, and then it is given up.
func TestEditionGivenUp(t *testing.T) {
	now := at(16, 6, 0)
	p := papertest.New(papertest.Options{Key: "k", Day: "2026-03-16", Pages: 1, ArticlesPerPage: 2})
	t.Cleanup(p.Close)
	s, in, log := lateHouse(t, func() time.Time { return now }, p)
	fetched(t, in)
	p.NextDay()
	p.Misbehave(papertest.Status(404, 0).On("17/node_2.htm"))
	open := func() (n int) {
		t.Helper()
		list, err := s.Incidents(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range list {
			if i.State != "missing" || !strings.Contains(i.Problem, "2026-03-17") {
				t.Errorf("incident %+v", i)
			}
			if i.Ended.IsZero() {
				n++
			}
		}
		return n
	}
	for day := 18; day < 27; day++ {
		p.NextDay()
		for hour := 6; hour < 24; hour++ {
			now = at(day, hour, 0)
			fetched(t, in)
		}
		if want := map[bool]int{true: 1, false: 0}[day < 24]; open() != want {
			t.Errorf("on the %dth %d incidents last", day, open())
		}
	}
	if n := p.Count("17/node_2.htm", 0); n < 6 || n > 7*24 {
		t.Errorf("it was asked for %d times", n)
	}
	if missing, given := strings.Count(log.String(), `msg="edition missing"`), strings.Count(log.String(), `msg="edition given up`); missing != 1 || given != 1 {
		t.Errorf("the log tells %d times that it is missing and %d times that it was given up", missing, given)
	}
	p.Reset()
	p.Behave()
	now = at(27, 6, 0)
	fetched(t, in)
	if n := p.Count("17/node_2.htm", 0); n != 0 {
		t.Errorf("given up, it was asked for %d times", n)
	}
	if days, _ := newest(t, s); days[0] != "2026-03-26" {
		t.Errorf("given up, it came: %v", days)
	}
}

// What is looked for costs a publisher little: nothing where no day is missing, the
// list of days at a few looks where some are, and of days that nothing lists a request
// now and then.
func TestGapsCostLittle(t *testing.T) {
	for _, x := range []struct {
		name     string
		rest     int  // days without a paper between two editions
		calendar bool // the publisher has a list of days
		lists    int  // requests of it, at most
		others   int  // that were answered with 404, at most
	}{
		{"daily", 0, true, 6, 0}, // yesterday's edition is looked through again
		{"every other day", 1, true, 60, 0},
		{"weekly", 6, true, 200, 0},
		{"weekly without a list", 6, false, 200, 60},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			now := at(2, 6, 0)
			p := papertest.New(papertest.Options{Key: "k", Day: "2026-03-02", Pages: 1, ArticlesPerPage: 2, NoCalendar: !x.calendar})
			t.Cleanup(p.Close)
			s, in, _ := lateHouse(t, func() time.Time { return now }, p)
			fetched(t, in)
			next := 2
			for range 2 {
				for range x.rest {
					p.Rest()
				}
				p.NextDay()
				next += 1 + x.rest
				now = at(next, 5, 0)
				fetched(t, in)
			}
			p.Reset()
			// The window of one day, then a look every hour until the next edition.
			for ; now.Before(at(next, 9, 0)); now = now.Add(5 * time.Minute) {
				fetched(t, in)
			}
			for ; now.Before(at(next+1+x.rest, 5, 0)); now = now.Add(time.Hour) {
				fetched(t, in)
			}
			if n := p.Count("period.xml", 0); n > x.lists {
				t.Errorf("the list of days was asked for %d times", n)
			}
			if n := p.Count("node_", 404); n > x.others {
				t.Errorf("%d requests for days that there are not", n)
			}
			t.Log(p.Count("", 0), "requests,", p.Count("period.xml", 0), "of the list,", p.Count("node_", 404), "in vain")
			if days, _ := newest(t, s); len(days) != 3 {
				t.Errorf("the feed has %v", days)
			}
		})
	}
}

// What a source had before it was first looked at is history, and what backfill
// brought stays in the archive: neither is taken for late.
func TestOldEditionsAreNotLate(t *testing.T) {
	now := at(20, 6, 0)
	p := papertest.New(papertest.Options{Key: "k", Day: "2026-03-16", Pages: 1, ArticlesPerPage: 2})
	t.Cleanup(p.Close)
	for range 4 {
		p.NextDay()
	}
	s, in, _ := lateHouse(t, func() time.Time { return now }, p)
	for range 3 {
		fetched(t, in)
		now = now.Add(time.Hour)
	}
	if days, _ := newest(t, s); fmt.Sprint(days) != "[2026-03-20]" {
		t.Errorf("the feed has %v", days)
	}
	p.Rest()
	p.NextDay()
	now = at(22, 6, 0)
	fetched(t, in)
	p.Publish("2026-03-21", latePages("2026-03-21"))
	if _, err := in.Backfill(t.Context(), "k", ingest.Past{From: "2026-03-18", To: "2026-03-21"}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		now = now.Add(time.Hour)
		fetched(t, in)
	}
	if days, _ := newest(t, s); fmt.Sprint(days) != "[2026-03-22 2026-03-20]" {
		t.Errorf("after a backfill the feed has %v", days)
	}
}
