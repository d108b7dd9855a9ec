package card

import (
	"regexp"
	"strings"
	"testing"

	"paperwire/internal/paper"
)

var copied = strings.Repeat("0a", 32) + ".jpg"

// An address is told without drawing, and moves with all that the picture shows.
func TestImagePath(t *testing.T) {
	item := func() paper.Item {
		return paper.Item{
			Article: paper.Article{
				ID: "slrb-20250304-1_1", Headline: "春灌用水提前入渠", Page: paper.PageRef{Number: "01", Name: "要闻"},
				Images: []paper.Image{{URL: links.Base + "/img/" + copied, Width: 900, Height: 600}},
			},
			Version: 1, PaperName: "示例日报", Sections: []paper.Section{{Slug: "yaowen", Name: "要闻"}}, Districts: []paper.Tag{{Code: "410825", Name: "温县"}},
		}
	}
	first := ImagePath(item(), links, "og")
	if !regexp.MustCompile(`^/a/slrb-20250304-1_1/card/og-[0-9a-f]{8}\.jpg$`).MatchString(first) || first != ImagePath(item(), links, "og") {
		t.Fatal(first)
	}
	if got, want := ImagePath(item(), links, "r1x1"+Dark), strings.Replace(first, "og-", "r1x1-dark-", 1); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	seen := map[string]string{first: "nothing"}
	for what, change := range map[string]func(*paper.Item, *Links){
		"the version":   func(i *paper.Item, _ *Links) { i.Version++ },
		"the picture":   func(i *paper.Item, _ *Links) { i.Images[0].URL = links.Base + "/img/1" + copied[1:] },
		"no picture":    func(i *paper.Item, _ *Links) { i.Images = nil },
		"the section":   func(i *paper.Item, _ *Links) { i.Sections[0].Name = "民生" },
		"the district":  func(i *paper.Item, _ *Links) { i.Districts[0].Name = "武陟县" },
		"the paper":     func(i *paper.Item, _ *Links) { i.PaperName = "示例晚报" },
		"the page":      func(i *paper.Item, _ *Links) { i.Page.Number = "02" },
		"the site":      func(_ *paper.Item, l *Links) { l.Site = "另一个" },
		"the fonts":     func(_ *paper.Item, l *Links) { l.Look = "serif" },
		"the focus":     func(_ *paper.Item, l *Links) { l.Focus = map[string]Point{"slrb-20250304-1_1": {0.25, 0.5}} },
		"another focus": func(_ *paper.Item, l *Links) { l.Focus = map[string]Point{"slrb-20250304-1_1": {0.5, 0.25}} },
	} {
		i, l := item(), links
		change(&i, &l)
		got := ImagePath(i, l, "og")
		if seen[got] != "" {
			t.Errorf("%s and %s make the same address", what, seen[got])
		}
		seen[got] = what
	}
	other := item()
	other.Text = "a body is not drawn"
	other.Images = append(other.Images, paper.Image{URL: "http://a.example/2.jpg"})
	l := links
	l.Focus = map[string]Point{"another": {0, 0}}
	if got := ImagePath(other, l, "og"); got != first {
		t.Errorf("what is not drawn moves the address: %s", got)
	}
}

// Only a copy of ours becomes a card, and only one that is a picture.
func TestCopy(t *testing.T) {
	ours := links.Base + "/img/" + copied
	for _, c := range []struct {
		name  string
		image paper.Image
		ok    bool
	}{
		{"ours", paper.Image{URL: ours, Width: 900, Height: 600}, true},
		{"as stored", paper.Image{URL: "http://a.example/x.jpg", Mirror: &paper.Picture{Name: copied, Width: 900, Height: 600}}, true},
		{"the publisher's", paper.Image{URL: "http://a.example/x.jpg", Width: 900, Height: 600}, false},
		{"another's that looks like ours", paper.Image{URL: "http://a.example/img/" + copied, Width: 900, Height: 600}, false},
		{"no name of a copy", paper.Image{URL: links.Base + "/img/../a/x/card/og.jpg", Width: 900, Height: 600}, false},
		{"drawn", paper.Image{URL: links.Base + "/img/" + strings.Replace(copied, "jpg", "svg", 1), Width: 900, Height: 600}, false},
		{"small", paper.Image{URL: ours, Width: 900, Height: 199}, false},
		{"a strip", paper.Image{URL: ours, Width: 300, Height: 1600}, false},
		{"a line", paper.Image{URL: ours, Width: 1, Height: 30000}, false},
		{"of unknown size", paper.Image{URL: ours}, false},
	} {
		_, name, ok := Copy(paper.Item{Article: paper.Article{Images: []paper.Image{{URL: "http://a.example/first.jpg", Width: 900, Height: 900}, c.image}}}, links)
		if ok != c.ok || ok && name != copied {
			t.Errorf("%s: %v %q", c.name, ok, name)
		}
	}
}

func TestSizes(t *testing.T) {
	if len(Sizes()) != 8 {
		t.Fatal(Sizes())
	}
	for _, s := range Sizes() {
		for _, name := range []string{s.Name, s.Name + Dark} {
			if got, dark, ok := sizeOf(name); !ok || got != s || dark != strings.HasSuffix(name, Dark) {
				t.Errorf("%s: %v %v %v", name, got, dark, ok)
			}
		}
	}
	for _, name := range []string{"", "x", "-dark", "OG", "og-dark-dark"} {
		if _, _, ok := sizeOf(name); ok {
			t.Errorf("%q is a size", name)
		}
	}
}

func BenchmarkImagePath(b *testing.B) {
	item := paper.Item{Article: paper.Article{ID: "slrb-20250304-1_1", Images: []paper.Image{{URL: links.Base + "/img/" + copied, Width: 900, Height: 600}}}, Version: 1}
	b.ReportAllocs()
	for b.Loop() {
		ImagePath(item, links, "og")
	}
}
