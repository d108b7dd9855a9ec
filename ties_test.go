package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"paperwire/internal/fetch"
	"paperwire/internal/ingest"
	"paperwire/internal/paper"
	"paperwire/internal/papertest"
	"paperwire/sources"
)

// TestTies: a story that goes on on another page is one article under its first
// page; a brief and the whole story, and a notice and what it corrects, are told
// of each other. Looks, corrections and a redesign make no second article of them,
// and updated moves for nothing but a change of content.
func TestTies(t *testing.T) {
	var clock atomic.Int64
	clock.Store(paper.Day("2026-03-16").In(paper.Shanghai).Add(6 * time.Hour).UnixMilli())
	now := func() time.Time { return time.UnixMilli(clock.Load()) }
	p := papertest.New(papertest.Options{Key: "jz", Pages: -1, Day: "2026-03-16", Noise: true, NoValidators: true, Now: now})
	t.Cleanup(p.Close)
	whole := []string{
		"渠首的闸门是老人们年轻时用石头垒起来的，后来换过三回，每一回都是全村的人一起抬。",
		"这一年冬天水位低，他们又下到沟里去清淤，一锹一锹地往上送，送到天黑才收工。",
		"管水的人在本子上记着每一户的钟点，谁家先浇谁家后浇，几十年里没有红过脸。",
	}
	p.Publish("2026-03-16", []papertest.Page{
		{Number: "01", Name: "要闻", Articles: []papertest.Article{
			{ID: "1001", Headline: "修渠记三百天", Byline: "本报讯（记者 林小河）", Paragraphs: []string{"渠从山脚下来，绕过三个村子，最后到了最缺水的（下转第三版）"}},
			{ID: "1002", Headline: "闸门换了第四回", Paragraphs: []string{whole[0]}},
		}},
		{Number: "02", Name: "综合", Articles: []papertest.Article{
			{ID: "2001", Headline: "渠首的闸门换了第四回", Paragraphs: whole},
			{ID: "2002", Headline: "果园里搭起戏台", Paragraphs: []string{"戏台搭在七十四棵桃树中间，锣鼓一响，邻村的人也来了，坐得满满当当。"}},
		}},
		{Number: "03", Name: "要闻", Articles: []papertest.Article{
			{ID: "3001", Headline: "修渠记三百天", Paragraphs: []string{"（上接第一版）田头。人们放下锄头，蹲在渠边洗手。", "水是甜的，孩子们说。"}, Images: []papertest.Image{{Caption: "通水那天"}}},
			{ID: "3002", Headline: "上下三代的石匠", Paragraphs: []string{"凿子是祖父留下的，锤子是父亲打的，石头还是山上那一面坡的石头。"}},
		}},
	})
	s, in := inProcess(t, now, fetch.Options{}, ingest.Source{Source: sources.Source{Key: "jz", Platform: "auto", URL: p.URL()}})
	look := func() {
		t.Helper()
		var rep ingest.Report
		if err := in.Fetch(t.Context(), nil, func(r ingest.Report) { rep = r }); err != nil {
			t.Fatalf("%v: %+v", err, rep)
		}
		clock.Add(2 * time.Hour.Milliseconds())
	}
	items := func() map[string]paper.Item {
		t.Helper()
		list, err := s.Items(t.Context(), paper.Public, paper.Scope{}, paper.Window{})
		if err != nil {
			t.Fatal(err)
		}
		m := map[string]paper.Item{}
		for _, i := range list {
			m[i.ID] = i
		}
		return m
	}
	relations := func(i paper.Item) (list []string) {
		for _, r := range i.Related {
			list = append(list, string(r.Relation)+" "+r.ID)
		}
		return list
	}

	look()
	got := items()
	if len(got) != 5 {
		t.Fatalf("%d items, want 5: %v", len(got), got)
	}
	head := got["jz-20260316-1001"]
	if want := "最后到了最缺水的田头。人们放下锄头"; !strings.Contains(head.Text, want) || strings.Contains(head.Text, "下转") || head.Page.Number != "01" || len(head.Images) != 1 || len(head.Byline) != 1 {
		t.Errorf("joined article: %+v", head.Article)
	}
	if _, err := s.Item(t.Context(), paper.Public, "jz-20260316-3001"); err == nil {
		t.Error("what goes on on page 3 is an article of its own")
	}
	e, err := s.Edition(t.Context(), paper.Public, "jz", "2026-03-16")
	if err != nil || e.State != paper.EditionComplete {
		t.Errorf("edition %+v: %v", e, err)
	}
	if !slices.ContainsFunc(e.Pages[2].Areas, func(a paper.Area) bool { return a.Article == "jz-20260316-1001" }) {
		t.Errorf("page 3's map does not lead to the joined article: %+v", e.Pages[2].Areas)
	}
	if r := relations(got["jz-20260316-1002"]); !slices.Equal(r, []string{"fuller jz-20260316-2001"}) {
		t.Errorf("the brief: %v", r)
	}
	if r := relations(got["jz-20260316-2001"]); !slices.Equal(r, []string{"brief jz-20260316-1002"}) {
		t.Errorf("the whole story: %v", r)
	}

	// Later looks change nothing.
	look()
	for id, i := range items() {
		if i.Version != 1 || !i.Updated.Equal(got[id].Updated) {
			t.Errorf("%s: version %d updated %s without a change", id, i.Version, i.Updated)
		}
	}

	// The next day's notice.
	clock.Store(paper.Day("2026-03-17").In(paper.Shanghai).Add(6 * time.Hour).UnixMilli())
	seq, _, err := s.Changes(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	p.Publish("2026-03-17", []papertest.Page{{Number: "01", Name: "要闻", Articles: []papertest.Article{
		{ID: "4001", Headline: "春耕备好了种子", Paragraphs: []string{"仓库的门一早就开了，种子按村分好，袋子上写着各家的名字。"}},
		{ID: "4002", Headline: "更 正", Paragraphs: []string{"本报3月16日第二版《果园里搭起戏台》一文中，“七十四棵”应为“四十七棵”，特此更正，并向读者致歉。"}},
	}}})
	look()
	after := items()
	if r := relations(after["jz-20260317-4002"]); !slices.Equal(r, []string{"corrects jz-20260316-2002"}) {
		t.Errorf("the notice: %v", r)
	}
	corrected := after["jz-20260316-2002"]
	if r := relations(corrected); !slices.Equal(r, []string{"corrected_by jz-20260317-4002"}) {
		t.Errorf("what it corrects: %v", r)
	}
	if corrected.Version != 1 || !corrected.Updated.Equal(got["jz-20260316-2002"].Updated) {
		t.Errorf("a notice about it moved its updated: %+v", corrected)
	}
	_, parts, err := s.Changes(t.Context(), seq)
	if err != nil {
		t.Fatal(err)
	}
	section := "section/" + corrected.Sections[0].Slug
	if !slices.ContainsFunc(parts, func(v paper.PartVersion) bool { return v.Part == section }) {
		t.Errorf("%s shows the corrected article and did not rise: %v", section, parts)
	}

	// A correction on the page where it goes on corrects the one article.
	p.Correct("3001", func(a *papertest.Article) { a.Paragraphs[1] = "水是凉的，孩子们说。" })
	clock.Add(6 * time.Hour.Milliseconds()) // yesterday's edition is looked through four times a day
	look()
	if i := items()["jz-20260316-1001"]; i.Version != 2 || !strings.Contains(i.Text, "水是凉的") || strings.Contains(i.Text, "水是甜的") {
		t.Errorf("after a correction on page 3: version %d, %s", i.Version, i.Text)
	}

	// A redesign gives other ids and addresses; the articles stay.
	before := items()
	p.Switch(papertest.FounderNew, true)
	for range 3 {
		clock.Add(6 * time.Hour.Milliseconds())
		look()
	}
	for id, i := range items() {
		if b, ok := before[id]; !ok || b.Version != i.Version {
			t.Errorf("after a redesign: %s version %d, before %d", id, i.Version, b.Version)
		}
	}

	// A withdrawn notice is told of no longer.
	if err := s.Withdraw(t.Context(), "jz-20260317-4002", "editor"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Release(t.Context(), "jz"); err != nil {
		t.Fatal(err)
	}
	if r := relations(items()["jz-20260316-2002"]); r != nil {
		t.Errorf("told of a withdrawn notice: %v", r)
	}
}

// TestEmptied: bodies that a redesign emptied are an alarm; what was read stands.
func TestEmptied(t *testing.T) {
	var clock atomic.Int64
	clock.Store(paper.Day("2026-03-16").In(paper.Shanghai).Add(6 * time.Hour).UnixMilli())
	now := func() time.Time { return time.UnixMilli(clock.Load()) }
	p := papertest.New(papertest.Options{Key: "jz", Day: "2026-03-16", Pages: 2, ArticlesPerPage: 4, Now: now})
	t.Cleanup(p.Close)
	s, in := inProcess(t, now, fetch.Options{}, ingest.Source{Source: sources.Source{Key: "jz", Platform: "auto", URL: p.URL()}})
	look := func() (rep ingest.Report) {
		in.Fetch(t.Context(), nil, func(r ingest.Report) { rep = r })
		clock.Add(5 * time.Minute.Milliseconds())
		return rep
	}
	if rep := look(); rep.Problem != "" {
		t.Fatal(rep.Problem)
	}
	p.NextDay()
	clock.Add(24 * time.Hour.Milliseconds())
	for _, a := range p.Articles("2026-03-17")[1:6] {
		p.Correct(a.ID, func(a *papertest.Article) { a.Paragraphs, a.Images, a.Byline = nil, nil, "" })
	}
	incidents := func() (n int) {
		list, err := s.Incidents(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range list {
			if i.State == "alarm" && i.Ended.IsZero() && strings.Contains(i.Problem, "neither text nor picture") {
				n++
			}
		}
		return n
	}
	for n := range 3 { // it lasts, though nothing is tried again at once
		if rep := look(); !strings.Contains(rep.Alarm, "5 of 8 articles") {
			t.Errorf("look %d: %+v", n, rep)
		}
		if incidents() != 1 {
			t.Errorf("look %d: %d incidents", n, incidents())
		}
	}
	list, err := s.Items(t.Context(), paper.Public, paper.Scope{}, paper.Window{})
	if err != nil || len(list) != 8+3 {
		t.Errorf("%d items: %v", len(list), err)
	}
	for _, a := range p.Articles("2026-03-17")[1:6] {
		p.Correct(a.ID, func(a *papertest.Article) {
			a.Paragraphs = []string{"正文又回来了，和当天早上印出来的报纸上一样长，一个字也不少。"}
		})
	}
	clock.Add(6 * time.Hour.Milliseconds())
	if rep := look(); rep.Alarm != "" || incidents() != 0 {
		t.Errorf("after it was mended: %+v, %d incidents", rep, incidents())
	}
}

// TestTiesBesideAFeed: a look at a feed of the same paper, which knows nothing of
// twins, leaves the ties of an edition's articles as they are.
func TestTiesBesideAFeed(t *testing.T) {
	var clock atomic.Int64
	clock.Store(paper.Day("2026-03-16").In(paper.Shanghai).Add(6 * time.Hour).UnixMilli())
	now := func() time.Time { return time.UnixMilli(clock.Load()) }
	p := papertest.New(papertest.Options{Key: "jz", Pages: -1, Day: "2026-03-16", Now: now})
	t.Cleanup(p.Close)
	text := []string{"渠首的闸门是老人们年轻时用石头垒起来的，后来换过三回，每一回都是全村的人一起抬。", "这一年冬天水位低，他们又下到沟里去清淤，一锹一锹地往上送，送到天黑才收工。"}
	p.Publish("2026-03-16", []papertest.Page{
		{Number: "01", Name: "要闻", Articles: []papertest.Article{{ID: "1001", Headline: "闸门换了第四回", Paragraphs: text[:1]}}},
		{Number: "02", Name: "综合", Articles: []papertest.Article{{ID: "2001", Headline: "渠首的闸门换了第四回", Paragraphs: text}}},
	})
	s, in := inProcess(t, now, fetch.Options{},
		ingest.Source{Source: sources.Source{Key: "jz", Platform: "auto", URL: p.URL()}},
		ingest.Source{Source: sources.Source{Key: "jzfeed", Paper: "jz", Platform: "auto", URL: p.Feed(papertest.RSS)}})
	poll := func(key string) {
		t.Helper()
		if err := in.Poll(t.Context(), key, now()); err != nil {
			t.Fatal(err)
		}
		clock.Add(2 * time.Hour.Milliseconds())
	}
	tied := func(when string) {
		t.Helper()
		i, err := s.Item(t.Context(), paper.Public, "jz-20260316-1001")
		if err != nil || len(i.Related) != 1 || i.Related[0].Relation != paper.Fuller || i.Related[0].ID != "jz-20260316-2001" {
			t.Errorf("%s: %+v, %v", when, i.Related, err)
		}
	}
	poll("jz")
	tied("after the edition")
	clock.Add(20 * time.Hour.Milliseconds())
	p.Publish("2026-03-17", []papertest.Page{{Number: "01", Name: "要闻", Articles: []papertest.Article{
		{ID: "4001", Headline: "春耕备好了种子", Paragraphs: []string{"仓库的门一早就开了，种子按村分好，袋子上写着各家的名字。"}},
	}}})
	poll("jzfeed")
	list, err := s.Items(t.Context(), paper.Public, paper.Scope{}, paper.Window{})
	if err != nil || len(list) != 3 {
		t.Fatalf("%d items: %v", len(list), err)
	}
	tied("after a feed")
}

// TestStoppedAsItFellDue: a process that stops between claiming a source and looking
// at it leaves it due, so that the next need not wait for minutes.
func TestStoppedAsItFellDue(t *testing.T) {
	now := time.Date(2026, 3, 16, 1, 0, 0, 0, time.UTC)
	p := papertest.New(papertest.Options{Key: "jz", Day: "2026-03-16", Now: func() time.Time { return now }})
	t.Cleanup(p.Close)
	s, in := inProcess(t, func() time.Time { return now }, fetch.Options{}, ingest.Source{Source: sources.Source{Key: "jz", Platform: "auto", URL: p.URL()}})
	due := func() []string {
		t.Helper()
		keys, err := s.Due(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return keys
	}
	if keys := due(); len(keys) != 1 {
		t.Fatalf("due: %v", keys)
	}
	if keys := due(); len(keys) != 0 {
		t.Fatalf("claimed twice: %v", keys)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := in.Poll(stopped, "jz", now); !errors.Is(err, context.Canceled) {
		t.Errorf("a look that was stopped: %v", err)
	}
	if keys := due(); len(keys) != 1 {
		t.Errorf("due after the stop: %v", keys)
	}
}
