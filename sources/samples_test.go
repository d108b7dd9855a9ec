package sources

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"paperwire/internal/fetch"
)

// TestSamples holds the readers against saved real pages, which lie beside the
// checkout where there are any: they are other people's text and no part of it.
func TestSamples(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "samples")
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("PAPERWIRE_TEST_ALL") == "1" {
			t.Fatalf("no saved real pages beside the checkout: %v", err)
		}
		t.Skipf("no saved real pages beside the checkout: %v", err)
	}
	read := func(t *testing.T, file, at string) Parsed {
		raw, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		kind := "text/html"
		if strings.HasSuffix(file, ".xml") {
			kind = "text/xml"
		}
		body, _ := fetch.Decode(raw, kind)
		return Parse(Source{Key: "read"}, at, kind, body)
	}
	pages := []struct {
		file, url, number, name, day, paper string
		pages, articles, areas              int
	}{
		{"founder-classic-page.html", "http://epaper.example/srrb/html/2024-01/01/node_2.htm", "01", "头版", "2024-01-01", "上饶日报", 4, 6, 6},
		{"founder-new-page.html", "http://epaper.example/pc/layout/202408/19/node_A01.html", "A01", "头版", "2024-08-19", "辽沈晚报", 7, 7, 7},
	}
	for _, c := range pages {
		t.Run(c.file, func(t *testing.T) {
			p := read(t, c.file, c.url).Page
			if p == nil {
				t.Fatal("no page")
			}
			if p.Page.Number != c.number || p.Page.Name != c.name || string(p.Day) != c.day || p.Paper != c.paper {
				t.Errorf("page %+v of %s %s", p.Page.PageRef, p.Paper, p.Day)
			}
			if len(p.Pages) != c.pages || len(p.Refs) != c.articles || len(p.Page.Areas) != c.areas {
				t.Errorf("%d pages, %d articles, %d areas", len(p.Pages), len(p.Refs), len(p.Page.Areas))
			}
			if p.Page.Picture == "" || p.Page.PDF == "" || strings.HasSuffix(p.Page.Picture, ".2") {
				t.Errorf("picture %q, PDF %q", p.Page.Picture, p.Page.PDF)
			}
			for i, r := range p.Refs {
				if r.Title == "" || r.Origin == "" || r.Position != i+1 || r.Page != p.Page.PageRef {
					t.Errorf("article %+v", r)
				}
			}
			for _, q := range p.Pages {
				if q.PDF == "" || q.Name == "" {
					t.Errorf("page %+v", q)
				}
			}
		})
	}
	articles := []struct {
		file, url, origin, day, number, name, author string
		kicker, subtitle                             bool
		paragraphs, least                            int
	}{
		{"founder-classic-article.html", "http://epaper.example/sxjjrb/html/2024-11/06/content_279424.htm", "279424", "2024-11-06", "01", "要闻", "", true, false, 6, 900},
		{"founder-new-article.html", "http://epaper.example/PC/content/202408/30/content_3251363.html", "3251363", "2024-08-30", "A02", "", "赵伟君", false, true, 4, 600},
	}
	for _, c := range articles {
		t.Run(c.file, func(t *testing.T) {
			p := read(t, c.file, c.url)
			a := p.Article
			if a == nil {
				t.Fatalf("no article: %s", p.Reason)
			}
			if p.Ref.Origin != c.origin || string(a.Day) != c.day || a.Page.Number != c.number || a.Page.Name != c.name || a.Author != c.author || a.Agency != "" {
				t.Errorf("%s %s %+v by %q from %q", p.Ref.Origin, a.Day, a.Page, a.Author, a.Agency)
			}
			if a.Headline == "" || (a.Kicker != "") != c.kicker || (a.Subtitle != "") != c.subtitle {
				t.Errorf("titles %q / %q / %q", a.Kicker, a.Headline, a.Subtitle)
			}
			if n := strings.Count(a.Body, "<p>"); n != c.paragraphs || utf8.RuneCountInString(plain(a.Body)) < c.least {
				t.Errorf("%d paragraphs, %d characters", n, utf8.RuneCountInString(plain(a.Body)))
			}
			if strings.Contains(a.Body, "<html") || strings.Contains(a.Body, "<!--") || strings.Contains(a.Body, "founder") {
				t.Errorf("markers in the body")
			}
		})
	}
	t.Run("period.xml", func(t *testing.T) {
		days := read(t, "period.xml", "http://epaper.example/x/html/2024-06/period.xml").Calendar
		if len(days) != 7 || days[0].URL != "http://epaper.example/x/html/2024-06/04/node_2697.htm" {
			t.Errorf("%v", days)
		}
	})
	t.Run("challenge.html", func(t *testing.T) {
		if p := read(t, "challenge.html", "http://epaper.example/"); p.Kind != "blocked" || p.Reason == "" {
			t.Errorf("%s: %s", p.Kind, p.Reason)
		}
	})
	t.Run("paperindex-edition.html", func(t *testing.T) {
		p := read(t, "paperindex-edition.html", "http://epaper.example/glrb/content/20241011/Page01BC.htm")
		if p.Platform != "paperindex" || p.Page == nil {
			t.Fatalf("%s by %s: %s", p.Kind, p.Platform, p.Reason)
		}
		q := p.Page
		if q.Page.Number != "01" || q.Page.Name != "头版" || q.Day != "2024-10-11" || q.Paper != "桂林日报" || len(q.Pages) != 8 || len(q.Refs) != 55 || len(q.Page.Areas) != 8 {
			t.Fatalf("page %+v of %s: %d pages, %d articles, %d areas", q.Page.PageRef, q.Day, len(q.Pages), len(q.Refs), len(q.Page.Areas))
		}
		bodies := 0
		for _, r := range q.Refs {
			if r.Page.Number != r.Origin[:2] || !r.Positional || r.Title == "" || r.Page.Name == "" {
				t.Errorf("%+v", r)
			}
			if r.Printed != nil {
				bodies++
				if !r.Sketch || utf8.RuneCountInString(plain(r.Printed.Body)) < 100 || !sameText(r.Printed.Headline, r.Title) {
					t.Errorf("%s: %q", r.Title, r.Printed.Body)
				}
			}
		}
		if bodies != 54 { // the 55th is a photo without text
			t.Errorf("%d bodies", bodies)
		}
	})
	t.Run("trs-page.html", func(t *testing.T) {
		const at = "http://epaper.example/fzrb/20240822/20240822_001/20240822_001.htm"
		if p := read(t, "trs-page.html", at); p.Kind != "unknown" || p.Reason == "" {
			t.Errorf("without rules: %s: %s", p.Kind, p.Reason)
		}
		raw, err := os.ReadFile(filepath.Join(dir, "trs-page.html"))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := fetch.Decode(raw, "text/html")
		rules := caseRules(t, filepath.Join("..", "testdata", "sources", "html", "trs-page"))
		p := Parse(Source{Key: "read", URL: "http://epaper.example/fzrb/", HTML: rules}, at, "text/html", body)
		if p.Platform != "html" || p.Page == nil {
			t.Fatalf("%s by %s: %s", p.Kind, p.Platform, p.Reason)
		}
		q := p.Page
		if q.Page.Number != "001" || q.Page.Name != "要闻" || q.Day != "2024-08-22" || len(q.Pages) != 8 || len(q.Refs) != 6 || len(q.Page.Areas) != 6 || q.Page.Picture == "" || q.Page.PDF == "" {
			t.Errorf("page %+v of %s: %d pages, %d articles, %d areas, %q, %q", q.Page.PageRef, q.Day, len(q.Pages), len(q.Refs), len(q.Page.Areas), q.Page.Picture, q.Page.PDF)
		}
		for i, r := range q.Refs {
			if r.Title == "" || r.Origin != fmt.Sprintf("001_%d", i+1) || !r.Positional {
				t.Errorf("%+v", r)
			}
		}
	})
}
