package sources

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"paperwire/internal/fetch"
	"paperwire/internal/paper"
)

// paperIndexSite is a PaperIndex paper of two days; the suffix of its skin
// changes from one to the next, and only the second embeds its bodies.
func paperIndexSite(t *testing.T) *site {
	raw := func(name string) string {
		_, _, body := loadCase(t, filepath.Join("..", "testdata", "sources", "paperindex", name))
		return string(body)
	}
	hop := func(to string) string { return `<META HTTP-EQUIV="REFRESH" CONTENT="0; URL=` + to + `">` }
	page := func(n, suffix string) string {
		return `<html><title>云桥日报 -` + n + `版-2026年11月20日</title><A href="Page01` + suffix + `.htm">01</A><A href="Page01` + suffix + `.htm">头版</A> <A href="Page02` + suffix + `.htm">02</A><A href="Page02` + suffix + `.htm">县区</A>` +
			`<ul><li><a daoxiang="Articel` + n + `001NU.htm">` + n + `版头条</a></li><li><a daoxiang="Articel` + n + `002NU.htm">图片新闻</a></li></ul><img src="Page` + n + `-640.jpg" usemap="#PageMap"></html>`
	}
	return newSite(t, map[string]string{
		"/yqrb/content/PaperIndex.htm":              hop("20261121/IssueIndex.htm"),
		"/yqrb/content/20261121/IssueIndex.htm":     hop("Page01BC.htm"),
		"/yqrb/content/20261121/Page01BC.htm":       raw("edition-embedded"),
		"/yqrb/content/20261121/Articel02001NR.htm": raw("article"),
		"/yqrb/content/20261121/Articel02002NR.htm": "500",
		"/yqrb/content/20261120/IssueIndex.htm":     hop("Page01TB.htm"),
		"/yqrb/content/20261120/Page01TB.htm":       page("01", "TB"),
		"/yqrb/content/20261120/Page02TB.htm":       page("02", "TB"),
		"/yqrb/content/20261120/Articel01001NU.htm": `<html><title>云桥日报-01版-2026年11月20日</title><h1>01版头条</h1><div class=neirong><p>昨天的正文，昨天的正文。</p></div></html>`,
	})
}

func TestFindPaperIndex(t *testing.T) {
	s := paperIndexSite(t)
	g := s.client()
	src := Source{Key: "yqrb", Platform: auto, URL: s.URL + "/yqrb/content/PaperIndex.htm"}
	f, err := Find(t.Context(), g, src, Want{After: "2026-11-18", Max: 5})
	if err != nil {
		t.Fatal(err)
	}
	if f.Platform != "paperindex" || f.Name != "云桥日报" || days(f) != "2026-11-20 2026-11-21" || !slices.Equal(f.Missing, []paper.Day{"2026-11-19"}) || f.Problem != "" {
		t.Fatalf("%s %s %s missing %v, %s", f.Platform, f.Name, days(f), f.Missing, f.Problem)
	}
	list := func(e Edition) string {
		got := ""
		for i, r := range e.Refs {
			if !r.Positional || r.Ordinal != i {
				t.Errorf("%+v", r)
			}
			got += fmt.Sprintf("%s %s:%d=%s ", r.Page.Number, r.Page.Name, r.Position, r.Origin)
		}
		return strings.TrimSpace(got)
	}
	old, e := f.Editions[0], f.Editions[1]
	if got := list(old); got != "01 头版:1=01001 01 头版:2=01002 02 县区:1=02001 02 县区:2=02002" || old.Partial || old.Pages[1].Picture == "" {
		t.Errorf("%s (%s)", got, old.Problem)
	}
	if got := list(e); got != "01 头版:1=01001 01 头版:2=01002 01 头版:3=01004 02 县区·乡村:1=02001 02 县区·乡村:2=02002 03 副刊:1=03001" || e.Partial {
		t.Errorf("%s (%s)", got, e.Problem)
	}
	for _, q := range e.Pages {
		if q.Picture != s.URL+"/yqrb/content/20261121/Page"+q.Number+"-640.jpg" || len(q.Areas) == 0 || q.Areas[0].Coords == "" {
			t.Errorf("%+v", q)
		}
	}
	// The newest edition stands on one page: no other is asked for.
	for _, line := range s.asked() {
		if strings.Contains(line, "20261121/Page02") || strings.Contains(line, "20261121/Page03") {
			t.Errorf("asked for %s", line)
		}
	}

	// An article's own page has its pictures; where there is none the embedded
	// text stands, and a fault that passes is told.
	read := func(origin string) (Printed, error) {
		for _, r := range slices.Concat(e.Refs, old.Refs) {
			if r.Origin == origin {
				return Read(t.Context(), g, src, r)
			}
		}
		t.Fatalf("no article %s", origin)
		return Printed{}, nil
	}
	if p, err := read("02001"); err != nil || !strings.Contains(p.Body, "res02_attpic_brief1.jpg") || p.Subtitle != "——今年多卖一万斤" || p.Page.Name != "县区·乡村" {
		t.Errorf("%+v %v", p, err)
	}
	if p, err := read("03001"); err != nil || p.Author != "□白玉" || !strings.Contains(p.Body, "一盏灯") || p.Day != "2026-11-21" || p.Page.Number != "03" {
		t.Errorf("%+v %v", p, err)
	}
	if p, err := read("02002"); err == nil {
		t.Errorf("a fault was hidden: %+v", p)
	}
	if _, err := read("01004"); !fetch.Missing(err) { // a photo without text, and no page
		t.Errorf("%v", err)
	}
	if p, err := Read(t.Context(), g, src, old.Refs[0]); err != nil || p.Headline != "01版头条" || p.Day != "2026-11-20" {
		t.Errorf("%+v %v", p, err)
	}
}

// TestAutoTellsPlatformsApart: by the shape of links, from the entry on.
func TestAutoTellsPlatformsApart(t *testing.T) {
	p, c := paperIndexSite(t), classicSite(t)
	feed := newSite(t, map[string]string{"/rss": `<rss version="2.0"><channel><title>快讯</title><item><title>甲</title><guid>1</guid></item></channel></rss>`})
	for at, want := range map[string]string{
		p.URL + "/yqrb/content/PaperIndex.htm": "paperindex", p.URL + "/yqrb/content/20261120/Page02TB.htm": "paperindex",
		c.URL + "/hyrb/paperindex.htm": "founder", feed.URL + "/rss": "feed",
	} {
		s := p
		if strings.HasPrefix(at, c.URL) {
			s = c
		} else if strings.HasPrefix(at, feed.URL) {
			s = feed
		}
		if f, err := Find(t.Context(), s.client(), Source{Key: "k", URL: at}, Want{}); err != nil || f.Platform != want || len(f.Editions) != 1 {
			t.Errorf("%s: %s %v", at, f.Platform, err)
		}
		for _, other := range []string{"founder", "paperindex"} {
			if _, err := Find(t.Context(), s.client(), Source{Key: "k", Platform: other, URL: at}, Want{}); (err == nil) != (other == want) {
				t.Errorf("%s asked for as %s: %v", at, other, err)
			}
		}
	}
}

// TestOldEditionAtNewAddress: what is served under a day's directory and says
// itself that it is of another day is not that day's edition.
func TestOldEditionAtNewAddress(t *testing.T) {
	nav := `<a id=pageLink href=node_2.htm>第01版：要闻</a><a id=pageLink href=node_3.htm>第02版：县区</a>`
	meta := func(day string) string {
		return "<!--enpproperty <founder-date>" + day + " 23:59:59</founder-date><founder-type>2</founder-type> /enpproperty-->"
	}
	index := func(head, list, tail string) string {
		return `<html><title>河阳日报</title>` + head + nav + `<ul>` + list + `</ul></html>` + tail
	}
	one, two := `<li><a href=content_1.htm>甲</a></li>`, `<li><a href=content_2.htm>乙</a></li>`
	const a, b = "/html/2026-11/21/node_2.htm", "/html/2026-11/21/node_3.htm"
	const pa, pb = "/content/20261121/Page01BC.htm", "/content/20261121/Page02BC.htm"
	pi := func(title, n, head string) string {
		return `<html><title>` + title + `</title><h1>` + head + `</h1><a href=Page01BC.htm>01版:要闻</a><a href=Page02BC.htm>02版:县区</a><a href=Articel` + n + `001BC.htm>` + n + `条</a></html>`
	}
	for _, c := range []struct {
		name, first, second string
		pi                  bool
		missing, partial    bool
	}{
		{"metadata", index("", one, meta("2026-11-20")), index("", two, meta("2026-11-20")), false, true, false},
		{"label", index("<td>第01版：要闻 2026年11月20日 星期五</td>", one, ""), index("", two, ""), false, true, false},
		{"date line", index("<span>2026年11月20日 星期五</span>", one, ""), index("", two, ""), false, true, false},
		{"one page only", index("", one, meta("2026-11-21")), index("", two, meta("2026-11-20")), false, false, true},
		{"of its day", index("", one, meta("2026-11-21")), index("", two, ""), false, false, false},
		{"metadata of the day before, printed date right", index("<span>2026年11月21日</span>", one, meta("2026-11-20")), index("<span>2026年11月21日</span>", two, meta("2026-11-20")), false, false, false},
		{"printed in figures", index("<span>2026-11-21 星期六</span>", one, meta("2026-11-20")), index("<span>2026/11/21</span>", two, meta("2026-11-20")), false, false, false},
		{"old in figures", index("<span>2026-11-20 星期五</span>", one, ""), index("", two, ""), false, true, false},
		{"the day before is a link", index("<a href=../20/node_2.htm>2026年11月20日</a>", one, ""), index("", two, ""), false, false, false},
		{"a date in a title", index("", `<li><a href=content_1.htm>2026年11月20日大事记</a></li>`, ""), index("<p>自2026年11月20日起施行</p>", two, ""), false, false, false},
		{"paperindex title", pi("云桥日报 -01版:要闻-2026年11月20日", "01", ""), pi("云桥日报", "02", ""), true, true, false},
		{"paperindex head", pi("云桥日报", "01", "前一版 下一版"), pi("云桥日报", "02", "2026年11月20日"), true, false, true},
		{"paperindex of its day", pi("云桥日报 -01版:要闻-2026年11月21日", "01", "2026年11月21日"), pi("云桥日报", "02", "2026年11月21日"), true, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, map[string]string{a: c.first, b: c.second})
			entry, name := a, "founder"
			if c.pi {
				s = newSite(t, map[string]string{pa: c.first, pb: c.second})
				entry, name = pa, "paperindex"
			}
			f, err := Find(t.Context(), s.client(), Source{Key: "k", URL: s.URL + entry}, Want{After: "2026-11-20"})
			if err != nil || f.Platform != name {
				t.Fatalf("%s %v", f.Platform, err)
			}
			if c.missing {
				if len(f.Editions) != 0 || !slices.Equal(f.Missing, []paper.Day{"2026-11-21"}) || !strings.Contains(f.Problem, "2026-11-20") || !strings.Contains(f.Problem, "2026-11-21") {
					t.Errorf("%s, missing %v: %q", days(f), f.Missing, f.Problem)
				}
				return
			}
			if days(f) != "2026-11-21" || len(f.Missing) != 0 || f.Problem != "" {
				t.Fatalf("%s, missing %v: %q", days(f), f.Missing, f.Problem)
			}
			e := f.Editions[0]
			if e.Partial != c.partial || c.partial && (!strings.Contains(e.Problem, "2026-11-20") || len(e.Refs) != 1) || !c.partial && len(e.Refs) != 2 {
				t.Errorf("%+v", e)
			}
		})
	}
}

// benchPaperIndex is a whole edition on one page: 8 pages of 8 articles with
// their bodies, about 180 KB, as real ones have.
func benchPaperIndex() []byte {
	var nav, list, links, bodies strings.Builder
	for n := 1; n <= 8; n++ {
		fmt.Fprintf(&nav, `<li><a href="Page%02dBC.htm">%02d版:要闻</a></li>`, n, n)
		fmt.Fprintf(&list, "<h4>%02d版：要闻</h4><ul>", n)
		for i := 1; i <= 8; i++ {
			fmt.Fprintf(&list, `<li>*<a href="Articel%02d%03dNR.htm">第%d版第%d篇</a></li>`, n, i, n, i)
			fmt.Fprintf(&links, `<a href="Articel%02d%03dNR.htm" class="overlink" style='width:1px;height:2px;left:3px;top:4px;' title="第%d版第%d篇" field="f%d-%d"></a>`, n, i, n, i, n, i)
			fmt.Fprintf(&bodies, "<div class=\"neirong f%d-%d\" daoxiang=\"%02d \">\n\n第%d版第%d篇\n\n%s\n</div>\n", n, i, n, n, i, strings.Repeat("　　这是一段用来量速度的正文，长短与常见的报道相仿。<BR>", 30))
		}
		list.WriteString("</ul>")
	}
	return []byte(`<html><title>云桥日报-01版-2026年11月21日</title><div class=leftmenu>` + nav.String() + `</div><div class=rightmenu>` + list.String() + `</div>` + links.String() + `<div>` + bodies.String() + `</div></html>`)
}

func BenchmarkPaperIndex(b *testing.B) {
	body := benchPaperIndex()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		p := Parse(Source{}, "http://e.cn/content/20261121/Page01BC.htm", "text/html", body)
		if p.Platform != "paperindex" || len(p.Page.Refs) != 64 || p.Page.Refs[63].Printed == nil {
			b.Fatalf("%+v", p)
		}
	}
}
