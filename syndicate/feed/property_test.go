package feed

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"paperwire/internal/paper"
)

// anyText draws what publishers and attackers send: any runes, any bytes, and
// the pieces that break feeds.
func anyText() *rapid.Generator[string] {
	piece := rapid.OneOf(
		rapid.String(),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
		rapid.SampledFrom([]string{
			"]]>", "<![CDATA[", "<script>alert(1)</script>", "&nbsp;", "&#0;", "&#x202e;", "\u202e", "\x00", "\x1b[31m", "\xff\xfe", "\ufffe", "\U0001ffff",
			"𠮷😀", "<img src=x>", "<!--", "?>", "\r\n", "\u2028", "温县", "A&B", "a < b", "</title>", "\"'", "％",
		}),
	)
	return rapid.Map(rapid.SliceOfN(piece, 0, 4), func(p []string) string { return strings.Join(p, "") })
}

func anyInput(t *rapid.T) Input {
	text := anyText()
	str := func(name string) string { return text.Draw(t, name) }
	in := Input{
		Feed: Feed{
			Title: str("title"), Subtitle: str("subtitle"), Language: "zh-CN", Copyright: str("copyright"), Site: str("site"),
			Updated: time.Unix(rapid.Int64Range(0, 2e9).Draw(t, "updated"), 0),
			Points:  map[string]string{"410825": str("point")},
		},
		Links:   Links{Base: "https://feeds.example.net", Self: "https://feeds.example.net/feeds/all.x", Home: "https://feeds.example.net/" + str("home"), Icon: str("icon"), Hubs: []string{str("hub")}},
		Profile: Profile{Summaries: rapid.Bool().Draw(t, "summaries")},
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "items") {
		published := time.Unix(rapid.Int64Range(0, 2e9).Draw(t, "published"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds"))
		item := paper.Item{
			Article: paper.Article{
				ID: fmt.Sprintf("slrb-20250304-%d", i), Paper: "slrb", Day: "2025-03-04", URL: "http://epaper.example.org/" + str("url"),
				Page: paper.PageRef{Number: str("number"), Name: str("page name")}, Kicker: str("kicker"), Headline: str("headline"), Subtitle: str("sub"),
				Byline: []paper.Person{{Name: str("person"), Role: paper.Reporter}}, Agency: str("agency"), Text: str("text"),
				HTML: "<p>" + str("html") + "</p>", Summary: str("summary"), Language: rapid.SampledFrom([]string{"zh-CN", "en", ""}).Draw(t, "language"),
				Images: []paper.Image{{URL: "http://epaper.example.org/" + str("image"), Caption: str("caption"), Credit: str("credit"), Type: str("type"), Width: 3, Height: 2, Length: 1}},
			},
			State: rapid.SampledFrom([]paper.ItemState{paper.Live, paper.Withdrawn}).Draw(t, "state"), Version: 1,
			Published: published, Updated: published.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "later")) * time.Hour),
			Rights: paper.RightsFull, Link: rapid.SampledFrom([]paper.Link{paper.LinkShare, paper.LinkOrigin}).Draw(t, "link"),
			PaperName: str("paper"), Sections: []paper.Section{{Slug: "yaowen", Name: str("section")}}, Districts: []paper.Tag{{Code: "410825", Name: str("district")}},
			Related: []paper.Related{{Relation: paper.Same, ID: "slrb-20250303-1", Title: str("other title"), Day: "2025-03-03", Page: paper.PageRef{Number: str("other page")}}},
		}
		item.URN = paper.URN(item.ID)
		in.Feed.Items = append(in.Feed.Items, item)
	}
	return in
}

var (
	fraction = regexp.MustCompile(`\d\d:\d\d:\d\d\.\d`)
	openTag  = regexp.MustCompile(`<[a-zA-Z/!?]`)
)

// Whatever comes in, every format is well-formed, holds only characters that
// may leave the house, keeps the ids and their order, has titles that are no
// markup even when taken for HTML, and reads no clock and no zone.
func TestAnyInput(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := anyInput(t)
		for _, f := range Formats() {
			var b, again bytes.Buffer
			if err := f.Write(&b, in); err != nil {
				t.Fatalf("%s: %v", f.Ext, err)
			}
			doc := b.String()
			if !utf8.ValidString(doc) {
				t.Fatalf("%s: not UTF-8", f.Ext)
			}
			for _, r := range doc {
				if unfit(r) {
					t.Fatalf("%s: holds %U:\n%s", f.Ext, r, doc)
				}
			}
			if fraction.MatchString(doc) {
				t.Fatalf("%s: fractions of a second:\n%s", f.Ext, doc)
			}
			if f.Edition {
				continue // it has articles, not items: see TestWechatAnyInput
			}
			ids, titles := read(t, f.Ext, b.Bytes())
			if len(ids) != len(in.Feed.Items) {
				t.Fatalf("%s: %d of %d items", f.Ext, len(ids), len(in.Feed.Items))
			}
			for i, item := range in.Feed.Items {
				if ids[i] != item.URN {
					t.Fatalf("%s: id %q at %d, want %q", f.Ext, ids[i], i, item.URN)
				}
				if titles[i] == "" || openTag.MatchString(titles[i]) {
					t.Fatalf("%s: title %q", f.Ext, titles[i])
				}
				if item.State == paper.Withdrawn && item.Headline != "" && strings.Contains(titles[i], item.Headline) && len(item.Headline) > 40 {
					t.Fatalf("%s: a withdrawn headline is still there", f.Ext)
				}
			}
			moved := in
			moved.Feed.Items = append([]paper.Item(nil), in.Feed.Items...)
			moved.Feed.Updated = in.Feed.Updated.In(paper.Shanghai)
			for i := range moved.Feed.Items {
				moved.Feed.Items[i].Published = in.Feed.Items[i].Published.In(paper.Shanghai)
			}
			if err := f.Write(&again, moved); err != nil {
				t.Fatal(err)
			}
			if again.String() != doc {
				t.Fatalf("%s: the zone of an instant moved the bytes", f.Ext)
			}
		}
	})
}

// Lists are well-formed too, whatever they name.
func TestAnyList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := anyText()
		str := func(name string) string { return text.Draw(t, name) }
		address := "https://feeds.example.net/" + str("address")
		outlines := []Outline{{Text: str("group"), Children: []Outline{
			{Text: str("feed"), XMLURL: address, HTMLURL: str("page"), Language: str("language")},
			{Text: str("deeper"), Children: []Outline{{Text: str("leaf"), XMLURL: address}, {Text: "none", XMLURL: str("no address")}}},
		}}}
		news := []NewsEntry{{
			URL: address, Publication: str("publication"), Language: str("language"), Title: str("title"), Published: noon,
			Keywords: []string{str("keyword")}, Images: []paper.Image{{URL: "http://a.example/" + str("image")}},
		}}
		for name, write := range map[string]func(io.Writer) error{
			"opml":    func(w io.Writer) error { return WriteOPML(w, str("list"), outlines) },
			"news":    func(w io.Writer) error { return WriteNewsSitemap(w, news) },
			"sitemap": func(w io.Writer) error { return WriteSitemap(w, []SitemapURL{{address, noon}}) },
			"status": func(w io.Writer) error {
				return WriteStatusFeed(w, listLinks, nil, []paper.Incident{{ID: 1, Source: "x", Name: str("source"), State: str("state"), Problem: str("problem"), Began: noon}})
			},
		} {
			var b bytes.Buffer
			if err := write(&b); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, r := range b.String() {
				if unfit(r) {
					t.Fatalf("%s holds %U", name, r)
				}
			}
			var any struct{ XMLName xml.Name }
			if err := strict(b.Bytes(), &any); err != nil {
				t.Fatalf("%s: %v\n%s", name, err, b.String())
			}
		}
	})
}

// read takes ids and titles out of a document with a strict parser.
func read(t *rapid.T, ext string, doc []byte) (ids, titles []string) {
	switch ext {
	case "rss":
		var x struct {
			Items []struct {
				Title string `xml:"title"`
				GUID  string `xml:"guid"`
			} `xml:"channel>item"`
		}
		if err := strict(doc, &x); err != nil {
			t.Fatalf("rss: %v\n%s", err, doc)
		}
		for _, i := range x.Items {
			ids, titles = append(ids, i.GUID), append(titles, i.Title)
		}
	case "atom":
		var x struct {
			Entries []struct {
				ID    string `xml:"http://www.w3.org/2005/Atom id"`
				Title string `xml:"http://www.w3.org/2005/Atom title"`
			} `xml:"http://www.w3.org/2005/Atom entry"`
		}
		if err := strict(doc, &x); err != nil {
			t.Fatalf("atom: %v\n%s", err, doc)
		}
		for _, e := range x.Entries {
			ids, titles = append(ids, e.ID), append(titles, e.Title)
		}
	case "json":
		var x struct {
			Items []struct{ ID, Title string }
		}
		if err := json.Unmarshal(doc, &x); err != nil {
			t.Fatalf("json: %v\n%s", err, doc)
		}
		if x.Items == nil {
			t.Fatal("json: items is missing or null")
		}
		for _, i := range x.Items {
			ids, titles = append(ids, i.ID), append(titles, i.Title)
		}
	case "ninjs", "ninjs3":
		var x struct {
			Associations []struct {
				URI       string
				Headlines []struct{ Value string }
			}
		}
		if err := json.Unmarshal(doc, &x); err != nil {
			t.Fatalf("%s: %v\n%s", ext, err, doc)
		}
		for _, i := range x.Associations {
			ids, titles = append(ids, i.URI), append(titles, i.Headlines[0].Value)
		}
	default:
		t.Fatalf("teach this test to read the format %s", ext)
	}
	return ids, titles
}

func strict(doc []byte, v any) error {
	d := xml.NewDecoder(bytes.NewReader(doc))
	d.Strict = true
	if err := d.Decode(v); err != nil {
		return err
	}
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return nil
		}
		if text, ok := tok.(xml.CharData); err != nil || !ok || strings.TrimSpace(string(text)) != "" {
			return fmt.Errorf("something follows the root element: %v %v", tok, err)
		}
	}
}

// What line takes for a line already is one.
func TestLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyText().Draw(t, "text")
		if space := rapid.SampledFrom([]string{"", " ", "  ", "\u3000", "\u00a0", "\n", "\u2028"}).Draw(t, "space"); rapid.Bool().Draw(t, "front") {
			s = space + s
		} else {
			s += space
		}
		if got, want := line(s), strings.Join(strings.Fields(clean(s)), " "); got != want {
			t.Fatalf("line(%q) = %q, want %q", s, got, want)
		}
	})
}

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"春灌用水提前入渠":           "春灌用水提前入渠",
		" 两\n行\t题 ":          "两 行 题",
		"a < b > c":          "a < b > c",
		"《<三体>》":             "《<三体>》",
		"R&D":                "R&D",
		"AT&T 与 Q&A":         "AT&T 与 Q&A",
		"&nbsp;":             "＆nbsp;",
		"&copy 2025":         "＆copy 2025",
		"&#60;":              "＆#60;",
		"<b>粗</b>":           "＜b＞粗＜/b＞",
		"5 & 3":              "5 & 3",
		"\u202e反\u2066":      "反",
		"坏\xff字节\ufffd":      "坏字节",
		"👨‍👩‍👧":              "👨‍👩‍👧",
		"\u0085\u009f\ufeff": "",
	} {
		if got := plain(in); got != want {
			t.Errorf("plain(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestURI(t *testing.T) {
	for in, want := range map[string]string{
		"http://a.example/x?y=1&z=2#f":      "http://a.example/x?y=1&z=2#f",
		" https://a.example ":               "https://a.example",
		"http://a.example/图.jpg":            "http://a.example/%E5%9B%BE.jpg",
		"http://a.example/%E5%9B%BE 100%":   "http://a.example/%E5%9B%BE%20100%25",
		"http://例子.example/a?q=[1]|\"":      "http://xn--fsqu00a.example/a?q=%5B1%5D%7C%22",
		"http://例子.example:8080/":           "http://xn--fsqu00a.example:8080/",
		"http://[::1]:8080/a":               "http://[::1]:8080/a",
		"http://a.example/#a#b":             "http://a.example/#a%23b",
		"http://a<b\"/":                     "",
		"http://[x]/":                       "",
		"http://[fe80::1%25eth0]/":          "",
		"javascript:alert(1)":               "",
		"//a.example/x":                     "",
		"/relative":                         "",
		"http://user:secret@a.example/":     "",
		"data:image/png;base64,AAAA":        "",
		"http://":                           "",
		"":                                  "",
		"http://a.example/\u202ea\x00b\n c": "http://a.example/ab%0A%20c",
	} {
		got := uri(in)
		if got != want {
			t.Errorf("uri(%q) = %q, want %q", in, got, want)
		}
	}
}

// The first <img> of a body has its size where it is known, whether the body
// showed the picture or not; what the sanitiser wrote stays otherwise.
func TestSized(t *testing.T) {
	images := []paper.Image{{URL: "http://a.example/1.jpg?x=1&y=2", Width: 30, Height: 20}, {URL: "http://a.example/2.jpg"}}
	for in, want := range map[string]string{
		`<p>x</p>`: `<p>x</p>`,
		`<p><img src="http://a.example/1.jpg?x=1&amp;y=2" alt="&#34;a&#34; &lt;b&gt;"/>y</p>`:                       `<p><img src="http://a.example/1.jpg?x=1&amp;y=2" alt="&#34;a&#34; &lt;b&gt;" width="30" height="20">y</p>`,
		`<img width="100%" src="http://a.example/1.jpg?x=1&amp;y=2"><img src="http://a.example/1.jpg?x=1&amp;y=2">`: `<img src="http://a.example/1.jpg?x=1&amp;y=2" width="30" height="20"><img src="http://a.example/1.jpg?x=1&amp;y=2" width="30" height="20">`,
		`<img src="http://a.example/2.jpg" alt="x"/>`:                                                               `<img src="http://a.example/2.jpg" alt="x"/>`,
		`<img`:           `<img`,
		`<imgx src="y">`: `<imgx src="y">`,
	} {
		if got, _ := sized(in, images); got != want {
			t.Errorf("sized(%s)\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestRegisterTwice(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a second rss format was accepted")
		}
	}()
	register(Format{Ext: "rss"})
}

func TestFormats(t *testing.T) {
	list := Formats()
	for i, f := range list {
		if f.Name == "" || f.Type == "" || f.About == "" || f.Spec == "" || f.Write == nil {
			t.Errorf("format %q says too little of itself", f.Ext)
		}
		if i > 0 && list[i-1].Ext >= f.Ext {
			t.Errorf("formats are not in order: %s before %s", list[i-1].Ext, f.Ext)
		}
		if have, ok := ByExt(f.Ext); !ok || have.Name != f.Name {
			t.Errorf("ByExt(%q) does not find it", f.Ext)
		}
	}
	if _, ok := ByExt("nothing"); ok {
		t.Error("an unknown extension was found")
	}
	list[0].Ext = "changed"
	if Formats()[0].Ext == "changed" {
		t.Error("a caller can change the registry")
	}
}

// fifty is the feed of the benchmark table: 50 items of about 5 KB.
func fifty() Input {
	in := Input{
		Feed:  Feed{Scope: paper.Scope{Papers: []string{"slrb"}}, Title: "示例日报", Language: "zh-CN", Site: "示例", Updated: noon, Points: map[string]string{"410825": "34.94 113.08"}},
		Links: Links{Base: "https://feeds.example.net", Self: "https://feeds.example.net/feeds/paper/slrb.rss", Home: "https://feeds.example.net/paper/slrb"},
	}
	body := strings.Repeat("<p>三月三日清晨，北干渠首闸缓缓提起，水到之处麦苗返青，沿渠的人们都来看。</p>\n", 46)
	for i := range 50 {
		id := fmt.Sprintf("slrb-20250304-%d", i)
		in.Feed.Items = append(in.Feed.Items, paper.Item{
			Article: paper.Article{
				ID: id, Paper: "slrb", Day: "2025-03-04", URL: "http://epaper.example.org/" + id + ".htm", Page: paper.PageRef{Number: "01", Name: "要闻"}, Position: i + 1,
				Headline: "春灌用水提前入渠", Kicker: "抢墒情 保丰收", Summary: "三月三日清晨，北干渠首闸缓缓提起。", HTML: body, Language: "zh-CN",
				Byline: []paper.Person{{Name: "林小满", Role: paper.Reporter}}, Images: []paper.Image{{URL: "http://epaper.example.org/a.jpg", Caption: "首闸", Type: "image/jpeg", Width: 900, Height: 600, Length: 81234}},
			},
			URN: paper.URN(id), State: paper.Live, Version: 1, Published: noon.Add(-time.Duration(i) * time.Second), Updated: noon.Add(-time.Duration(i) * time.Second),
			Rights: paper.RightsFull, Link: paper.LinkShare, PaperName: "示例日报", Sections: []paper.Section{{Slug: "yaowen", Name: "要闻"}}, Districts: []paper.Tag{{Code: "410825", Name: "温县"}},
		})
	}
	return in
}

func BenchmarkWrite(b *testing.B) {
	in := fifty()
	for _, f := range Formats() {
		b.Run(f.Ext, func(b *testing.B) {
			b.ReportAllocs()
			var out bytes.Buffer
			for b.Loop() {
				out.Reset()
				if err := f.Write(&out, in); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(out.Len()), "bytes/feed")
		})
	}
}
