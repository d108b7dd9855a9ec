package ingest

import (
	"strings"
	"testing"

	"paperwire/internal/paper"
	"paperwire/internal/store"
	"paperwire/sources"
)

func TestPageKey(t *testing.T) {
	for in, want := range map[string]string{
		"04": "4", "4": "4", "A04": "A4", "a4": "A4", "第": "第", "四": "4", "十": "10", "十二": "12", "二十": "20", "二十一": "21", "头": "1", "00": "0", "B": "B", "一一": "一一",
	} {
		if got := pageKey(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestJumps(t *testing.T) {
	for text, want := range map[string]string{
		"走到河边，（下转第四版）":          "4",
		"走到河边。（下转4版）":           "4",
		"走到河边。下转第A02版":          "A2",
		"走到河边。【下转第02版·综合新闻】":    "2",
		"走到河边。（转第3版）":           "3",
		"走到河边。（下转第二版①）":         "2",
		"走到河边。（下转本报第六版）":        "6",
		"走到河边。\n（下转第四版）\n林小河 摄": "4",
		"走到河边。（下转第12版）　":        "12",
		"走到河边。":                 "",
		"由下转第四版的说法不同。":          "",
		"走到河边。（详见第4版）":          "",
		"他从一版转到三版":              "",
	} {
		got := ""
		if j := goesOn(paper.Article{Text: text}); j != nil {
			got = j.Page
		}
		if got != want {
			t.Errorf("%q: goes on at %q, want %q", text, got, want)
		}
	}
	for _, c := range []struct{ head, text, want string }{
		{"修渠", "（上接第一版）水到了田头。", "1"},
		{"修渠", "上接第1版\n水到了田头。", "1"},
		{"修渠", "（紧接A01版）水到了田头。", "A1"},
		{"修渠", "（上接头版）水到了田头。", "1"},
		{"（上接01版）修渠", "水到了田头。", "1"},
		{"修渠（上接第一版）", "水到了田头。", "1"},
		{"上接第一版：修渠", "水到了田头。", "1"},
		{"修渠", "接三版的通知，水到了田头。", ""},
		{"修渠", "水到了田头，上接第一版的渠。", ""},
	} {
		got := ""
		if j := comesFrom(paper.Article{Headline: c.head, Text: c.text}); j != nil {
			got = j.Page
		}
		if got != c.want {
			t.Errorf("%q %q: comes from %q, want %q", c.head, c.text, got, c.want)
		}
	}
}

// part makes a piece as the house reads it.
func part(page, headline, body string) *piece {
	a := normalise(sources.Printed{URL: "http://e.cn/html/2026-03/17/content_1.htm", Headline: headline, Body: body},
		sources.Ref{URL: "http://e.cn/html/2026-03/17/content_1.htm", Page: paper.PageRef{Number: page}}, normaliseOptions{})
	return &piece{Article: a, to: goesOn(a), from: comesFrom(a)}
}

func TestMatchAndJoin(t *testing.T) {
	const story = "<p>渠从山脚下来，绕过三个村子，最后到了最缺水的"
	for _, c := range []struct {
		name   string
		pieces []*piece
		want   map[int]int
	}{
		{"one", []*piece{part("01", "修渠记", story+"（下转第三版）</p>"), part("03", "修渠记", "<p>（上接第一版）田头。</p>")}, map[int]int{0: 1}},
		{"other headline", []*piece{part("01", "修渠记", story+"（下转第三版）</p>"), part("03", "水到田头", "<p>（上接第一版）田头。</p>")}, map[int]int{0: 1}},
		{"wrong page printed", []*piece{part("01", "修渠记三百天", story+"（下转第二版）</p>"), part("03", "修渠记三百天", "<p>（上接第一版）田头。</p>")}, map[int]int{0: 1}},
		{"two, by headline", []*piece{
			part("01", "修渠记三百天", story+"（下转第三版）</p>"), part("01", "果园开园迎客", "<p>果子红了，路（下转第三版）</p>"),
			part("03", "果园开园迎客", "<p>（上接第一版）也通了。</p>"), part("03", "修渠记三百天", "<p>（上接第一版）田头。</p>"),
		}, map[int]int{0: 3, 1: 2}},
		{"two, by sign", []*piece{
			part("01", "修渠记", story+"（下转第三版①）</p>"), part("01", "果园开园迎客", "<p>果子红了，路（下转第三版②）</p>"),
			part("03", "上接第一版②", "<p>也通了，人来得很多。</p>"), part("03", "上接第一版①", "<p>田头，人们放起了鞭炮。</p>"),
		}, map[int]int{0: 3, 1: 2}},
		{"two, nothing tells", []*piece{
			part("01", "修渠记", story+"（下转第三版）</p>"), part("01", "果园开园迎客", "<p>果子红了，路（下转第三版）</p>"),
			part("03", "综合", "<p>（上接第一版）也通了。</p>"), part("03", "其他", "<p>（上接第一版）田头。</p>"),
		}, map[int]int{}},
		{"a chain", []*piece{
			part("A01", "修渠记", story+"（下转A03版）</p>"), part("A03", "修渠记", "<p>（上接A01版）田头。（下转A05版）</p>"), part("A05", "修渠记", "<p>（上接A03版）完。</p>"),
		}, map[int]int{0: 1, 1: 2}},
		{"a circle", []*piece{
			part("01", "修渠记", "<p>（上接第三版）甲。（下转第三版）</p>"), part("03", "修渠记", "<p>（上接第一版）田头。（下转第一版）</p>"),
		}, map[int]int{0: 1}},
		{"out already", []*piece{part("01", "修渠记", story+"（下转第三版）</p>"), func() *piece {
			p := part("03", "修渠记", "<p>（上接第一版）田头。</p>")
			p.standing = store.Piece{Article: "jz-20260317-2", State: "released"}
			return p
		}()}, map[int]int{}},
	} {
		next := match(c.pieces)
		got := map[int]int{}
		for h, x := range c.pieces {
			for n, y := range c.pieces {
				if next[x] == y {
					got[h] = n
				}
			}
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: joined %v, want %v", c.name, got, c.want)
		}
		for h, n := range c.want {
			if got[h] != n {
				t.Errorf("%s: joined %v, want %v", c.name, got, c.want)
			}
		}
	}

	for _, c := range []struct{ name, head, tail, text, html string }{
		{
			"within a sentence", story + "（下转第三版）</p>", "<p>　　（上接第一版）田头。</p><p>水甜。</p>",
			"渠从山脚下来，绕过三个村子，最后到了最缺水的田头。\n水甜。",
			"<p>渠从山脚下来，绕过三个村子，最后到了最缺水的田头。</p><p>水甜。</p>",
		},
		{
			"after a sentence", "<p>渠修好了。<strong>（下转</strong>第三版）</p>", "<p>（上接第一版）</p><p>水甜。</p>",
			"渠修好了。\n水甜。", "",
		},
		{"the mark alone", "<p>渠修好了。</p><p>（下转第三版）</p>", "<p>上接第一版</p><p>水甜。</p>", "渠修好了。\n水甜。", "<p>渠修好了。</p><p>水甜。</p>"},
		{"a figure first", "<p>渠修好了，（下转第三版）</p>", `<p><img src="x.jpg"></p><p>（上接第一版）水甜。</p>`, "渠修好了，水甜。", `<p>渠修好了，水甜。</p><figure><img src="http://e.cn/html/2026-03/17/x.jpg" alt=""/></figure>`},
	} {
		head, tail := part("01", "修渠记", c.head), part("03", "修渠记", c.tail)
		a := join(head.Article, head.to, tail.Article, tail.from)
		if a.Text != c.text {
			t.Errorf("%s: text %q, want %q", c.name, a.Text, c.text)
		}
		if c.html != "" && a.HTML != c.html {
			t.Errorf("%s: html %q, want %q", c.name, a.HTML, c.html)
		}
		if strings.Contains(a.HTML, "下转") || strings.Contains(a.HTML, "上接") || strings.Contains(a.HTML, "<p></p>") {
			t.Errorf("%s: html %q", c.name, a.HTML)
		}
		if a.HTML != policy.Sanitize(a.HTML) {
			t.Errorf("%s: html %q is not what the sanitiser lets through", c.name, a.HTML)
		}
	}
}
