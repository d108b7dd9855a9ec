package card

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"paperwire/internal/paper"
	"paperwire/syndicate/feed"
)

var update = flag.Bool("update", false, "rewrite the expected cards under testdata/syndicate")

const cases = "../../testdata/syndicate"

var links = Links{Base: "https://feeds.example.net", Site: "示例聚合", Logo: "https://feeds.example.net/icon.png", Zone: paper.Shanghai}

// The cards of the same articles that the feeds are held against: adding a
// folder with an input.json adds a case here too.
func TestCases(t *testing.T) {
	inputs, err := filepath.Glob(filepath.Join(cases, "*", "input.json"))
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no cases under %s: %v", cases, err)
	}
	for _, input := range inputs {
		dir := filepath.Dir(input)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			data, err := os.ReadFile(input)
			if err != nil {
				t.Fatal(err)
			}
			var in struct{ Feed struct{ Items []paper.Item } }
			if err := json.Unmarshal(data, &in); err != nil {
				t.Fatal(err)
			}
			cards := []Document{}
			for _, item := range in.Feed.Items {
				cards = append(cards, New(item, links))
				sameJSON(t, New(item, links))
			}
			var b bytes.Buffer
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", " ")
			if err := enc.Encode(cards); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, "cards.json")
			if *update {
				if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if errors.Is(err, os.ErrNotExist) {
				t.Fatal("no cards.json in this case; run go test ./syndicate/card -update and read the diff")
			} else if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), b.String()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// sameJSON holds what Document.JSON writes against encoding/json.
func sameJSON(t interface {
	Helper()
	Fatalf(string, ...any)
}, d Document,
) {
	t.Helper()
	var want bytes.Buffer
	enc := json.NewEncoder(&want)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(d); err != nil {
		t.Fatalf("%v", err)
	}
	got, err := d.JSON()
	if err != nil {
		t.Fatalf("%v", err)
	}
	// One writes U+FFFD as an escape, the other as it is.
	plain := strings.ReplaceAll(want.String(), `\ufffd`, "\ufffd")
	if d := cmp.Diff(plain, string(got)+"\n"); d != "" {
		t.Fatalf("(-want +got):\n%s", d)
	}
}

func TestJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := links
		if rapid.Bool().Draw(t, "drawn") {
			l.Look = "type"
		}
		sameJSON(t, New(anyItem(t), l))
	})
}

// A description has nothing open, whatever the summary was.
func TestDescriptionIsClosed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		it := anyItem(t)
		it.State, it.Summary = paper.Live, hostile(t, "summary", 200)
		if feed.Line(it.Summary) == "" {
			return // then it is the headline, as it stands
		}
		d := New(it, links)
		if feed.Unclosed(d.Description) != "" || characters(d.Description) > MaxDescription || d.Description == "" {
			t.Fatalf("%q becomes %q", it.Summary, d.Description)
		}
	})
}

func anyItem(t *rapid.T) paper.Item {
	piece := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"三月三日清晨，温县北干渠首闸缓缓提起。", "“水来了！”", "增长 3.5 个百分点，达到 12.30 亿元，", "</script>", "<b>", "&amp;", "\u202e", "\x00", "\xff", "😀", "One sentence. ", "没有标点的长句子一直写下去不停",
	}), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
	text := rapid.Map(rapid.SliceOfN(piece, 0, 12), func(p []string) string { return strings.Join(p, "") })
	str := func(name string) string { return text.Draw(t, name) }
	published := time.Unix(rapid.Int64Range(0, 2e9).Draw(t, "published"), 0)
	item := paper.Item{
		Article: paper.Article{
			ID: "slrb-20250304-1_1", Paper: "slrb", Day: "2025-03-04", URL: "http://epaper.example.org/" + str("url"), Page: paper.PageRef{Number: "01", Name: str("page")},
			Headline: str("headline"), Kicker: str("kicker"), Subtitle: str("subtitle"), Summary: str("summary"), Text: str("text"), Agency: str("agency"), Language: "zh-CN",
			Byline: []paper.Person{{Name: str("person"), Role: paper.Reporter}, {Name: str("editor"), Role: paper.Editor}},
			Images: []paper.Image{{URL: "http://epaper.example.org/" + str("image"), Caption: str("caption"), Type: str("type"), Width: rapid.IntRange(-1, 2000).Draw(t, "width"), Height: rapid.IntRange(-1, 2000).Draw(t, "height")}},
		},
		State: rapid.SampledFrom([]paper.ItemState{paper.Live, paper.Live, paper.Withdrawn}).Draw(t, "state"), Version: rapid.IntRange(1, 2).Draw(t, "version"),
		Published: published, Updated: published.Add(time.Hour), Rights: rapid.SampledFrom([]paper.Rights{paper.RightsFull, paper.RightsSummary, paper.RightsHeadline}).Draw(t, "rights"),
		Link: rapid.SampledFrom([]paper.Link{paper.LinkShare, paper.LinkOrigin}).Draw(t, "link"), PaperName: str("paper name"),
		Sections:  []paper.Section{{Slug: "yaowen", Name: "要闻"}},
		Districts: []paper.Tag{{Code: "410825", Name: "温县"}, {Code: "410803", Name: "中站区"}},
	}
	return item
}

func TestAnyItem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		item := anyItem(t)
		d := New(item, links)
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := json.Marshal(New(item, links)); !bytes.Equal(b, again) {
			t.Fatal("the same item gave other bytes")
		}
		for _, r := range string(b) {
			if r == utf8.RuneError || unicode.In(r, unicode.Bidi_Control, unicode.Cc) {
				t.Fatalf("holds %U: %s", r, b)
			}
		}
		n := utf8.RuneCountInString(d.Description)
		if d.Title == "" || n == 0 || n > MaxDescription {
			t.Fatalf("title %q, description of %d characters", d.Title, n)
		}
		count := map[string]int{}
		for i, m := range d.Meta {
			set := 0
			for _, s := range []string{m.Property, m.Name, m.ItemProp} {
				if s != "" {
					set++
				}
			}
			if set != 1 || m.Content == "" {
				t.Fatalf("meta %+v", m)
			}
			count[m.Property+m.Name]++
			if m.Property == "og:image" && (d.Meta[i+1].Property != "og:image:width" || d.Meta[i+2].Property != "og:image:height") {
				t.Fatal("the picture's size does not follow it")
			}
		}
		if item.State == paper.Withdrawn {
			if d.JSONLD != nil || count["robots"] != 1 || d.Images.OG != nil || d.SourceURL != "" && d.Modified == nil {
				t.Fatalf("withdrawn: %s", b)
			}
			return
		}
		for _, p := range []string{"og:type", "og:title", "og:url", "og:description", "description", "article:published_time", "twitter:card"} {
			if count[p] != 1 {
				t.Fatalf("%d × %s", count[p], p)
			}
		}
		if (d.Images.OG != nil) != (count["og:image"] == 1) || count["article:modified_time"] != item.Version-1 || (d.Modified != nil) != (item.Version > 1) {
			t.Fatalf("meta and document disagree: %s", b)
		}
		if d.Tags[len(d.Tags)-1] != "温县" {
			t.Fatalf("the best district is not the last tag: %v", d.Tags)
		}
		if bytes.ContainsAny(d.JSONLD, "<>&") {
			t.Fatalf("JSON-LD would end its script: %s", d.JSONLD)
		}
		var ld map[string]any
		if err := json.Unmarshal(d.JSONLD, &ld); err != nil {
			t.Fatal(err)
		}
		if ld["@type"] != "NewsArticle" || ld["headline"] != d.Title || ld["datePublished"] != d.Published || ld["dateModified"] != nil != (item.Version > 1) {
			t.Fatalf("JSON-LD: %s", d.JSONLD)
		}
		if ts, err := time.Parse(time.RFC3339, d.Published); err != nil || !ts.Equal(item.Published) || !strings.HasSuffix(d.Published, "+08:00") {
			t.Fatalf("published %s", d.Published)
		}
	})
}

// A description is whole sentences of its text wherever a sentence fits.
func TestSentences(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sentence := rapid.SampledFrom([]string{"渠首闸缓缓提起。", "“水来了！”他说。", "增长 3.5 个百分点。", "真的吗？", "（完）。", "It rose by 3.5 percent. ", "她说：“好。”"})
		s := feed.Line(strings.Join(rapid.SliceOfN(sentence, 1, 40).Draw(t, "sentences"), ""))
		max := rapid.IntRange(24, 120).Draw(t, "max")
		got := new(feed.Cutter).Within(s, max)
		if utf8.RuneCountInString(got) > max || got == "" || !strings.HasPrefix(s, got) {
			t.Fatalf("within(%q, %d) = %q", s, max, got)
		}
		if last, _ := utf8.DecodeLastRuneInString(got); got != s && !strings.ContainsRune("。！？.”", last) {
			t.Fatalf("within(%q, %d) = %q ends inside a sentence", s, max, got)
		}
		if rest, _ := utf8.DecodeRuneInString(s[len(got):]); got != s && strings.ContainsRune("”）", rest) {
			t.Fatalf("within(%q, %d) = %q leaves a quote open", s, max, got)
		}
	})
	for _, c := range []struct {
		in   string
		max  int
		want string
	}{
		{"一句，没有句号的很长的话", 10, "一句，没有句号的很…"},
		{"一二三四五六，七八九十一二", 10, "一二三四五六…"},
		{"一。二", 3, "一。二"},
		{"版本 3.5 发布了很多新的东西", 8, "版本 3.5…"},
		{"", 5, ""},
	} {
		if got := new(feed.Cutter).Within(c.in, c.max); got != c.want {
			t.Errorf("within(%q, %d) = %q, want %q", c.in, c.max, got, c.want)
		}
	}
}

func TestLocale(t *testing.T) {
	for tag, want := range map[string]string{"zh-CN": "zh_CN", "zh": "zh_CN", "": "zh_CN", "zh-Hant": "zh_TW", "zh-Hant-HK": "zh_HK", "en": "en_US", "en-gb": "en_GB", "ug": "ug"} {
		if got := locale(tag); got != want {
			t.Errorf("locale(%q) = %q, want %q", tag, got, want)
		}
	}
}

// The picture of the card is one that platforms will show.
func TestOwn(t *testing.T) {
	item := paper.Item{Article: paper.Article{ID: "x", Images: []paper.Image{
		{URL: "javascript:1", Width: 900, Height: 900},
		{URL: "http://a.example/unknown.jpg"},
		{URL: "http://a.example/small.jpg", Width: 199, Height: 900},
		{URL: "http://a.example/drawn.svg", Width: 900, Height: 900},
		{URL: "http://a.example/good.jpg", Width: 280, Height: 200, Type: "image/jpeg", Length: 7},
		{URL: "http://a.example/later.jpg", Width: 900, Height: 900},
	}}}
	got := New(item, links)
	if want := (&Image{URL: "http://a.example/good.jpg", Width: 280, Height: 200, Type: "image/jpeg", Bytes: 7, Alt: "x"}); !cmp.Equal(got.Images.OG, want) {
		t.Error(cmp.Diff(want, got.Images.OG))
	}
	for _, m := range got.Meta {
		if m.Name == "twitter:card" && m.Content != "summary" {
			t.Errorf("a narrow picture makes a %s", m.Content)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	item := paper.Item{Article: paper.Article{
		ID: "slrb-20250304-1_1", Paper: "slrb", Day: "2025-03-04", Headline: "春灌用水提前入渠", Summary: strings.Repeat("渠首闸缓缓提起。", 12), Language: "zh-CN",
		Images: []paper.Image{{URL: "http://a.example/good.jpg", Width: 900, Height: 600}},
	}, Version: 1, Rights: paper.RightsFull}
	b.ReportAllocs()
	for b.Loop() {
		New(item, links)
	}
}
