package card

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"pgregory.net/rapid"

	"paperwire/internal/paper"
	"paperwire/syndicate/feed"
)

// hostile draws what a headline or a text may hold, of any length.
func hostile(t *rapid.T, name string, most int) string {
	piece := rapid.OneOf(
		rapid.SampledFrom([]string{
			"温县北干渠首闸缓缓提起", "，", "。", "！", "？", "：", "；", "、", "…", "……", "——", "·", " ", "　", "\n", "“", "”", "‘", "’", "「", "」", "《", "》", "（", "）", "(", ")", "【", "】", "[", "]", "{", "}", "«", "»", "\"", "'",
			"😀", "👨‍👩‍👧‍👦", "👩🏽‍🚀", "🏳️‍🌈", "🇨🇳", "🇩🇪🇫", "1️⃣", "☑️", "☑", "❤️‍🔥", "🫠", "©️", "\ufe0f", "\u200d", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "𠮷", "𪚥", "é", "e\u0301\u0302\u0303", "각", "각", "กำ", "नि", "Å", "\u2126", "が", "か\u3099", "豈", "\U0002f800",
			"don’t", "U.S.", "Mr. Smith", "e.g.", "3.5", "12:30", "1,000", "50%", "3月", "第5届", "COVID-19", "Supercalifragilistic", "https://epaper.example.cn/jzrb/content_1_2.htm?a=b&c=d", "http://焦作.中国/路", "www.jzrb.com", "jzrb.com.cn", "a.co", "me@jzrb.com", "x_a.cn", "@某人", "#话题#", "$TSLA", "t.co/abc",
			"卡洛斯·阿尔卡拉斯", "林知远", "（记者 林知远 通讯员 苏砚秋）", "他说：“水来了！”", "《三体》", "ﷺ", "مرحبا", "שלום", "Привет", "ｆｕｌｌ", "ﾊﾝｶｸ",
		}),
		rapid.String(),
	)
	return strings.Join(rapid.SliceOfN(piece, 0, most).Draw(t, name), "")
}

// balance gives the marks that a text leaves open.
func balance(s string) string {
	var open []rune
	runes := []rune(s)
	letter := func(i int) bool {
		return i >= 0 && i < len(runes) && unicode.IsLetter(runes[i]) && !unicode.In(runes[i], unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Bopomofo, unicode.Hangul) && (runes[i] < 0x2e80 || runes[i] > 0x9fff)
	}
	for i, r := range runes {
		if (r == '’' || r == '‘') && letter(i-1) && letter(i+1) {
			continue
		}
		if k := slices.Index([]rune("“‘「『（(【《〈［[{｛〔〖«‹"), r); k >= 0 {
			open = append(open, []rune("”’」』）)】》〉］]}｝〕〗»›")[k])
			continue
		}
		k := len(open) - 1
		for k >= 0 && open[k] != r {
			k--
		}
		if k >= 0 {
			open = open[:k]
		} else if r == '"' && (i == 0 || runes[i-1] < '0' || runes[i-1] > '9') { // 24" is a length
			open = append(open, r)
		}
	}
	return string(open)
}

// No cut is inside a grapheme, none leaves a quotation or bracket open, and none
// is longer than there is room for, whatever the text and the measure.
func TestFit(t *testing.T) {
	measures := map[string]func(string) int{
		"characters": characters, "bytes": size, "units": units, "graphemes": graphemes, "weighted": weighted, "bluesky": blueskyLength, "threads": threadsLength, "han": hanLength,
	}
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(strings.Fields(strings.ToValidUTF8(hostile(t, "text", 60), "")), " ")
		most := rapid.IntRange(0, 300).Draw(t, "limit")
		name := rapid.SampledFrom([]string{"characters", "bytes", "units", "graphemes", "weighted", "bluesky", "threads", "han"}).Draw(t, "measure")
		measure := measures[name]
		c := &feed.Cutter{Names: []string{"林知远", "温县", "Smith"}}
		got, cut := c.Fit(s, most, 0.3, func(s string) bool { return measure(s) <= most })
		if n := measure(got); n > most {
			t.Fatalf("%q is %d %s long, over %d", got, n, name, most)
		}
		if !cut {
			if got != s {
				t.Fatalf("%q came back as %q", s, got)
			}
			return
		}
		if got == "" {
			return
		}
		if left := balance(got); left != "" {
			t.Fatalf("%q leaves %q open, cut from %q", got, left, s)
		}
		// What is left is a beginning, up to a boundary.
		head := got
		if i := strings.LastIndex(got, "…"); i >= 0 && !strings.HasPrefix(s, got) {
			head = got[:i]
		}
		if !strings.HasPrefix(s, head) || head == "" {
			t.Fatalf("%q is no beginning of %q", head, s)
		}
		at, rest, state := 0, s, -1
		for at < len(head) {
			var one string
			one, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
			at += len(one)
		}
		if at != len(head) {
			t.Fatalf("%q is cut inside a grapheme: %q", s, head)
		}
	})
}

// Words, numbers and known names are whole wherever there is a better place.
func TestFitWords(t *testing.T) {
	c := &feed.Cutter{Names: []string{"温县", "林知远", "焦作日报", "本报记者"}}
	for _, x := range []struct {
		in   string
		most int
		want string
	}{
		{"一句。二句。三句很长很长。", 8, "一句。二句。"},
		{"春灌用水提前入渠，麦苗返青", 12, "春灌用水提前入渠…"},
		{"春灌用水提前入渠 麦苗返青", 12, "春灌用水提前入渠…"},
		{"他说：“水来了！大家高兴。”于是都去看水", 17, "他说：“水来了！大家高兴。”"},
		{"“水来了水来了水来了水来了水来了”", 10, "“水来了水来了水…”"},
		{"《一部很长的书的名字（修订版）》出版发行", 12, "《一部很长的书的名字…》"},
		{"全市生产总值达到1234.56亿元", 12, "全市生产总值达到…"},
		{"The quick brown fox jumps over the lazy dog", 20, "The quick brown fox…"},
		{"Mr. Smith goes to Washington", 14, "Mr. Smith…"},
		{"It works. And so on and on and on", 15, "It works."},
		{"春天里来到温县看水", 8, "春天里来到温县…"},
		{"春天里来到了温县看水", 8, "春天里来到了…"},
		{"春天里大家见到林知远同志", 9, "春天里大家见到…"},
		{"卡洛斯·阿尔卡拉斯夺冠了", 6, "卡洛斯·阿…"}, // one name and no more
		{"前方记者见到卡洛斯·阿尔卡拉斯夺冠", 10, "前方记…"},
		{"见 https://epaper.example.cn/content_1.htm 原文", 20, "见…"},
		{"a very/long.address-that_goes+on=and&on", 12, "a…"},
		{"最长的一个词Supercalifragilisticexpialidocious", 12, "最长的一个词…"},
		{"Supercalifragilisticexpialidocious", 12, "Supercalifr…"},
		{"（（（（（（（（（（", 4, "（…）"},
		{"don’t stop the music now", 11, "don’t stop…"},
	} {
		if got, _ := c.Fit(x.in, x.most, 0.3, func(s string) bool { return characters(s) <= x.most }); got != x.want {
			t.Errorf("%q in %d: %q, want %q", x.in, x.most, got, x.want)
		}
	}
}

// Each measure against the plainest way to write it, and X's against what it counts.
func TestMeasures(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := strings.ToValidUTF8(hostile(t, "text", 40), "")
		if got, want := graphemes(s), uniseg.GraphemeClusterCount(s); got != want {
			t.Fatalf("%q has %d graphemes, want %d", s, got, want)
		}
		if got, want := units(s), len(utf16.Encode([]rune(s))); got != want {
			t.Fatalf("%q has %d units, want %d", s, got, want)
		}
	})
	for s, want := range map[string]int{
		"": 0, "a": 1, "字": 2, "😀": 2, "👨‍👩‍👧‍👦": 2, "👩🏽‍🚀": 2, "🇨🇳": 2, "1️⃣": 2, "🏴󠁧󠁢󠁥󠁮󠁧󠁿": 2, "é": 1, "e\u0301": 1, "“”…": 4, "𠮷": 2, "𠮷𠮷": 4,
		strings.Repeat("字", 127) + " https://feeds.example.net/a/slrb-20250304-1_1?utm_source=x": 278,
		"http://localhost:8080/a/x": 25, "https://news.paperwire.internal/a/x": 35, "见jzrb.com。": 2 + 23 + 2, "3.5": 3, "e.g. so": 7,
	} {
		if got := weighted(s); got != want {
			t.Errorf("X counts %q as %d, want %d", s, got, want)
		}
	}
	for s, want := range map[string]int{"": 0, "ab": 1, "abc": 2, "字": 1, "字a": 2, "𠮷": 2} {
		if got := hanLength(s); got != want {
			t.Errorf("Weibo counts %q as %d, want %d", s, got, want)
		}
	}
	if got := threadsLength("字😀a"); got != 6 {
		t.Errorf("Threads counts %d", got)
	}
	if got := blueskyLength(strings.Repeat("e"+strings.Repeat("\u0301", 10), 200)); got != 420 {
		t.Errorf("Bluesky counts %d", got)
	}
}

// Whatever was printed, every platform gets what it takes.
func TestPosts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		item := anyItem(t)
		item.State = paper.Live
		item.Headline, item.Summary = hostile(t, "headline", 80), hostile(t, "summary", 80)
		if rapid.Bool().Draw(t, "long") {
			item.Headline = strings.Repeat(item.Headline, 40)
		}
		item.ID = "slrb-20250304-" + strings.Repeat("1", rapid.IntRange(1, 100).Draw(t, "id"))
		look := rapid.SampledFrom([]string{"", "type"}).Draw(t, "look")
		d := New(item, Links{Base: rapid.SampledFrom([]string{"https://feeds.example.net", "http://localhost:8080", "https://news." + strings.Repeat("long-", 10) + "host.example.cn"}).Draw(t, "base"), Site: "示例聚合", Zone: paper.Shanghai, Look: look})
		if len(d.Platforms) != 16 {
			t.Fatalf("%d platforms", len(d.Platforms))
		}
		for _, p := range Platforms() {
			post := d.Platforms[p.Key]
			if post.Text == "" || !utf8.ValidString(post.Text) {
				t.Fatalf("%s: %q", p.Key, post.Text)
			}
			if n := p.Measure(post.Text); n > p.Limit || n != post.Length || post.Limit != p.Limit || post.Unit != p.Unit {
				t.Fatalf("%s: %d of %d: %+v", p.Key, n, p.Limit, post)
			}
			if !strings.Contains(post.URL, "?utm_source="+p.Key+"&utm_medium=social&utm_campaign=slrb-20250304") || !strings.HasPrefix(post.URL, d.URL) {
				t.Fatalf("%s: %s", p.Key, post.URL)
			}
			if strings.ContainsAny(post.Intent, " \n+") {
				t.Fatalf("%s: %s", p.Key, post.Intent)
			}
			if (look != "") != (post.Image != "") && d.Images.OG == nil {
				t.Fatalf("%s: picture %q", p.Key, post.Image)
			}
			if post.Truncated && len(post.Fields) > 0 && p.Key != "telegram" && balance(post.Text) != "" {
				t.Fatalf("%s leaves %q open: %q", p.Key, balance(post.Text), post.Text)
			}
			for _, f := range post.Fields {
				var n int
				switch f.Unit {
				case "bytes":
					n = len(f.Text)
				case "UTF-16 units":
					n = len(utf16.Encode([]rune(f.Text)))
				default:
					t.Fatalf("%s.%s counts %s", p.Key, f.Name, f.Unit)
				}
				if n > f.Limit || n != f.Length {
					t.Fatalf("%s.%s: %d of %d: %+v", p.Key, f.Name, n, f.Limit, f)
				}
			}
		}
		b := d.Platforms["bluesky"].Payload.(blueskyPost)
		if len(b.Text) > blueskyBytes {
			t.Fatalf("%d bytes", len(b.Text))
		}
		for _, f := range b.Facets {
			if link := b.Text[f.Index.Start:f.Index.End]; link != f.Features[0].URI || !strings.HasPrefix(link, d.URL) {
				t.Fatalf("the facet shows %q", link)
			}
		}
		if link := d.Platforms["wechat_draft"].Payload.(map[string]string)["content_source_url"]; len(link) > 1024 {
			t.Fatal(link)
		}
	})
}

// The description is at most 120 characters, and leaves nothing open when it is cut.
func TestDescription(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := hostile(t, "text", 80)
		got := new(feed.Cutter).Within(s, MaxDescription)
		if n := characters(got); n > MaxDescription {
			t.Fatalf("%d characters: %q", n, got)
		}
	})
}

func benchItem() paper.Item {
	return paper.Item{Article: paper.Article{
		ID: "slrb-20250304-1_1", Paper: "slrb", Day: "2025-03-04", Headline: "春灌用水提前入渠 全市四十万亩麦田喝上返青水", Page: paper.PageRef{Number: "01", Name: "要闻"}, Language: "zh-CN",
		Summary: "本报讯 三月三日清晨，温县北干渠首闸缓缓提起。水到之处，麦苗返青。" + strings.Repeat("渠首闸缓缓提起。", 10), URL: "http://epaper.example.org/slrb/html/2025-03/04/content_1_1.htm",
		Byline: []paper.Person{{Name: "林小满", Role: paper.Reporter}, {Name: "何青", Role: paper.Correspondent}},
		Images: []paper.Image{{URL: "http://a.example/good.jpg", Width: 900, Height: 600, Caption: "渠首闸"}},
	}, Version: 1, Rights: paper.RightsFull, PaperName: "示例日报", Sections: []paper.Section{{Slug: "yaowen", Name: "要闻"}}, Districts: []paper.Tag{{Code: "410825", Name: "温县"}}}
}

// The whole document, as it is served: made and written.
func BenchmarkDocument(b *testing.B) {
	item, links := benchItem(), links
	links.Look = "type"
	b.ReportAllocs()
	began := processor()
	for b.Loop() {
		d := New(item, links)
		if _, err := d.JSON(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((processor()-began).Microseconds())/float64(b.N), "cpu-µs/op")
}

// Names, numbers and addresses are whole wherever a clause ends within reach.
func TestFitNames(t *testing.T) {
	whole := []string{"林知远", "阿不都热合曼·买买提", "温县", "示例日报", "1234.56", "2025", "19:30", "https://epaper.example.cn/a_1.htm", "Supercalifragilistic", "👨‍👩‍👧‍👦"}
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.SampledFrom([]string{
			"林知远在温县说，", "记者林知远、", "阿不都热合曼·买买提来了；", "示例日报刊发了消息。", "达到1234.56亿元，", "2025年19:30开始。", "见https://epaper.example.cn/a_1.htm 一文，", "Supercalifragilistic 这个词，", "👨‍👩‍👧‍👦一家，", "（温县人）", "“林知远”",
		})
		s := strings.TrimSuffix(strings.Join(rapid.SliceOfN(piece, 8, 30).Draw(t, "pieces"), ""), " ")
		most := rapid.IntRange(60, 200).Draw(t, "limit")
		c := &feed.Cutter{Names: []string{"林知远", "温县", "示例日报"}}
		got, cut := c.Fit(s, most, 0.3, func(s string) bool { return characters(s) <= most })
		if !cut {
			return
		}
		head := got
		if i := strings.LastIndex(got, "…"); i >= 0 {
			head = got[:i]
		}
		if !strings.HasPrefix(s, head) {
			t.Fatalf("%q is no beginning of %q", head, s)
		}
		for _, w := range whole {
			for from := 0; ; {
				i := strings.Index(s[from:], w)
				if i < 0 {
					break
				}
				if at := from + i; at < len(head) && len(head) < at+len(w) {
					t.Fatalf("%q is torn in %q", w, got)
				}
				from += i + len(w)
			}
		}
		if characters(got) < 10 {
			t.Fatalf("%d of %d characters left: %q", characters(got), most, got)
		}
	})
}

// Nothing is said twice: a picture's title is made of its caption, that of many feeds'
// items is their first sentence.
func TestNothingTwice(t *testing.T) {
	for _, c := range []struct {
		title, text, subtitle, weibo, summary string
	}{
		{"图片新闻：社区食堂开张", "社区食堂开张。", "", "【图片新闻：社区食堂开张】", "示例日报 2025-03-04"},
		{"图片新闻：3月15日，温县柳湾村的田埂上", "3月15日，温县柳湾村的田埂上，孩子们追着蝴蝶跑。", "", "【图片新闻】3月15日，温县柳湾村的田埂上，孩子们追着蝴蝶跑。", "孩子们追着蝴蝶跑。"},
		{"三座水闸今晨同时开启。", "三座水闸今晨同时开启。两岸麦田喝上了返青水。", "", "【三座水闸今晨同时开启。】两岸麦田喝上了返青水。", "两岸麦田喝上了返青水。"},
		{"三座水闸今晨同时开启", "", "两岸麦田喝上返青水", "【三座水闸今晨同时开启】", "两岸麦田喝上返青水"},
		{"春灌开始", "春灌开始了，两岸麦田喝上了返青水。", "", "【春灌开始】春灌开始了，两岸麦田喝上了返青水。", "春灌开始了，两岸麦田喝上了返青水。"},
		{"观察：水到渠成", "去年冬天修好的渠，今年春天有了水。", "", "【观察：水到渠成】去年冬天修好的渠，今年春天有了水。", "去年冬天修好的渠，今年春天有了水。"},
	} {
		d := New(paper.Item{State: paper.Live, PaperName: "示例日报", Article: paper.Article{
			ID: "slrb-20250304-1_1", Paper: "slrb", Day: "2025-03-04", Headline: c.title, Subtitle: c.subtitle, Text: c.text, Summary: c.text,
		}}, Links{Base: "https://feeds.example.net"})
		if got, _, _ := strings.Cut(d.Platforms["weibo"].Text, " https://"); got != c.weibo {
			t.Errorf("%s: Weibo gets %q, want %q", c.title, got, c.weibo)
		}
		if got := d.Platforms["dingtalk"].Fields[0].Text; got != c.summary {
			t.Errorf("%s: the summary is %q, want %q", c.title, got, c.summary)
		}
	}
}
