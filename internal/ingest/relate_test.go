package ingest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"paperwire/internal/paper"
	"paperwire/internal/store"
)

func TestNotices(t *testing.T) {
	for _, c := range []struct {
		head, text string
		want       bool
	}{
		{"更正", "本报3月16日第2版《水渠通了》一文中，“七十四户”应为“四十七户”。", true},
		{"更 正", "本报昨日02版刊登的《水渠通了》一文有误。", true},
		{"致歉", "本报3月16日《水渠通了》一文作者署名有误，特此致歉。", true},
		{"更正与致歉", "本报昨日第4版有误。", true},
		{"更正启事", "昨日《测试日报》第三版《水渠通了》一文有误。", true},
		{"勘误", "本版3月16日《水渠通了》有误。", true},
		{"关于《水渠通了》一文的更正", "本报3月16日第2版刊登的报道有误。", true},
		{"更正公告", "某某项目招标文件第三章有误，现更正如下。", false},
		{"车企为刹车门致歉", "本报讯 一家车企昨日为《召回说明》致歉。", false},
		{"更正", "甲公司声明：此前公告有误。", false},
		{"知错就更正", "本报讯 《弟子规》里说，过能改，归于无。", false},
	} {
		if got := corrects(paper.Article{Headline: c.head, Text: c.text}, "测试日报"); got != c.want {
			t.Errorf("%s: %s: %t", c.head, c.text, got)
		}
	}
}

func TestReferences(t *testing.T) {
	for text, want := range map[string]string{
		"本报2026年3月16日A03版刊登的《水渠通了》一文中":     "水渠通了 2026-03-16 A3",
		"本报3月16日第二版《水渠通了》":                 "水渠通了 2026-03-16 2",
		"昨日本报04版《水渠通了》有误":                  "水渠通了 2026-03-16 4",
		"本报昨日头版《水渠通了》有误":                   "水渠通了 2026-03-16 1",
		"本报12月30日3版《水渠通了》":                 "水渠通了 2025-12-30 3",
		"本报本月5日《水渠通了》":                     "水渠通了 2026-03-05 ",
		"本报《水渠通了》一文":                       "水渠通了  ",
		"本报3月16日2版《水渠通了》、3版《果园开园》及《三月的雨》":  "水渠通了 2026-03-16 2|果园开园 2026-03-16 3|三月的雨 2026-03-16 3",
		"本报3月16日2版“水渠通了三个村”一文":             "水渠通了三个村 2026-03-16 2",
		"本报2月31日2版《水渠通了》":                  "水渠通了  2",
		"本报3月14日《水渠通了》，3月15日5版《水渠通了之后》均有误": "水渠通了 2026-03-14 |水渠通了之后 2026-03-15 5",
	} {
		var got []string
		for _, r := range references(paper.Article{Headline: "更正", Text: text, Day: "2026-03-17"}) {
			got = append(got, r.Title+" "+string(r.Day)+" "+r.Page)
		}
		if s := strings.Join(got, "|"); s != want {
			t.Errorf("%s: %q, want %q", text, s, want)
		}
	}
}

// story is text of n sentences that no other seed shares.
func story(seed, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "第%c%d件事发生在%d号院，%c家的人说了%d句话，后来%c来了。", rune(0x4e00+seed*37+i*11), seed*100+i, seed+i*7, rune(0x5f20+seed*13+i), i*seed+3, rune(0x6c34+i*seed))
	}
	return b.String()
}

func TestTwins(t *testing.T) {
	art := func(id, page, head, text string) paper.Article {
		return paper.Article{ID: id, Headline: head, Text: text, Page: paper.PageRef{Number: page}}
	}
	long := story(1, 30)
	list := []paper.Article{
		art("a", "01", "水渠通了", long[:len(long)/5]),
		art("b", "03", "水渠通到三个村", story(9, 2)+long+story(8, 3)),
		art("c", "01", "果园开园", story(2, 12)),
		art("d", "05", "果园开园迎来游客", story(2, 12)+story(7, 1)),
		art("e", "02", "另一件事", story(3, 12)),
		art("f", "02", "又一件事", story(4, 12)),
		art("g", "01", "老街的灯亮了三百盏", story(5, 1)+"（详见第6版）"),
		art("h", "06", "老街的灯亮了三百盏", story(6, 12)),
		{ID: "i", Headline: "导读", Text: long, Pseudo: "导读"},
	}
	got := twins(list)
	want := []store.Tie{{Article: "a", Relation: paper.Fuller, Other: "b"}, {Article: "c", Relation: paper.Same, Other: "d"}, {Article: "g", Relation: paper.Fuller, Other: "h"}}
	if !slices.Equal(got, want) {
		t.Errorf("ties %v, want %v", got, want)
	}
	slices.Reverse(list)
	if again := twins(list); len(again) != len(want) {
		t.Errorf("in another order: %v", again)
	}
}

func BenchmarkTwins(b *testing.B) {
	var list []paper.Article
	for n := range 100 {
		list = append(list, paper.Article{ID: fmt.Sprint(n), Headline: fmt.Sprint("标题", n), Text: story(n, 40)})
	}
	b.ReportAllocs()
	for b.Loop() {
		twins(list)
	}
}
