package card

import (
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"paperwire/syndicate/feed"
)

func setterFor(t testing.TB) *setter {
	t.Helper()
	s := studio(t)
	if s.serif.han == nil {
		if os.Getenv("PAPERWIRE_TEST_ALL") == "1" {
			t.Fatal("PAPERWIRE_TEST_ALL is set and no font with Han characters is installed")
		}
		t.Skip("no font with Han characters is installed: fonts-noto-cjk or fonts-droid-fallback")
	}
	return newSetter(s.serif)
}

func textOf(b block, l line) string {
	var s strings.Builder
	for _, c := range b.cells[l.from:l.to] {
		s.WriteRune(c.first)
	}
	return s.String()
}

// Lines begin and end where they may, hold the measure, and lose nothing.
func TestKinsoku(t *testing.T) {
	s := setterFor(t)
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SampledFrom([]string{
			"水", "来了", "《人民日报》", "“链”", "（2025）", "，", "。", "！", "：", "、", "——", "……", " ", "3.5亿元", "80%", "Microsoft", "AI-Ready", "1,206", "第", "12届", "℃", "·", "GDP", "don't", "焦作市", "「", "」",
		})
		text := strings.Join(rapid.SliceOfN(pieces, 1, 40).Draw(t, "pieces"), "")
		w, h := rapid.Float64Range(200, 1100).Draw(t, "w"), rapid.Float64Range(60, 500).Draw(t, "h")
		list, missing := s.cells(text)
		if missing > 0 {
			t.Fatalf("%q: %d characters are missing", text, missing)
		}
		b := s.fit(list, w, h, 120, 24, 1.3, 6)
		if len(b.lines) == 0 {
			return
		}
		if float64(b.height()) > max(h, b.size)+1 || b.width() > w+1 {
			t.Fatalf("%q: %d high and %.0f wide in %.0f×%.0f", text, b.height(), b.width(), w, h)
		}
		set := ""
		for n, l := range b.lines {
			one := textOf(b, l)
			set += one
			if l.width > w/b.size+1e-6 || one == "" {
				t.Fatalf("%q: line %q is %.2f ems of %.2f", text, one, l.width, w/b.size)
			}
			first, _ := utf8.DecodeRuneInString(one)
			last, _ := utf8.DecodeLastRuneInString(one)
			// Where a row of marks is longer than a line there is no other way.
			forced := func(i int) bool { return i <= 0 || i >= len(b.cells) || runLonger(b.cells, i, w/b.size) }
			subtitle := first == '—' && n > 0 && b.cells[l.from-1].space // the dash of one begins a line
			if n > 0 && strings.ContainsRune(noStart, first) && !subtitle && !forced(l.from) {
				t.Fatalf("%q: a line begins with %q", text, one)
			}
			if n < len(b.lines)-1 {
				if strings.ContainsRune(noEnd, last) && !forced(l.to) {
					t.Fatalf("%q: a line ends with %q", text, one)
				}
				next := b.lines[n+1].from
				if isLatin(last) && next == l.to && next < len(b.cells) && isLatin(b.cells[next].first) && !forced(l.to) {
					t.Fatalf("%q: a word is torn after %q", text, one)
				}
			}
		}
		squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
		whole := ""
		for _, c := range list {
			whole += string(c.first)
		}
		if set := squeeze(set); set != squeeze(whole) && !beginsWith(squeeze(whole), set) {
			t.Fatalf("%q is set as %q", whole, set)
		}
	})
}

// beginsWith reports whether what is set is a beginning of the text, an ellipsis and
// what closes the marks that are open there.
func beginsWith(text, set string) bool {
	i := strings.LastIndex(set, "…")
	return i >= 0 && strings.HasPrefix(text, set[:i]) && set[i+len("…"):] == feed.Unclosed(set[:i])
}

// runLonger reports whether the unbreakable run around a place is longer than a line.
func runLonger(list []cell, i int, measure float64) bool {
	from, to := i, i
	for from > 0 && !mayBreak(list, from) {
		from--
	}
	for to < len(list) && to > 0 && (to == i || !mayBreak(list, to)) {
		to++
	}
	return newStrip(list).line(from, to).width > measure-0.6
}

// Headlines break where they pause.
func TestBreaks(t *testing.T) {
	s := setterFor(t)
	for _, c := range []struct {
		text    string
		measure float64
		want    string
	}{
		{"不忘初心 牢记使命", 5, "不忘初心/牢记使命"},
		{"水来了，田绿了", 5, "水来了，/田绿了"},
		{"来自38个国家的选手", 6, "来自38个/国家的选手"},
		{"《太极》开播", 4.5, "《太极》/开播"},
		{"一二三四五。", 5, "一二三四五。"}, // the stop hangs
		{"one two three", 5, "one two/three"},
		{"白鹭回来了 ——小沙河三年记", 9, "白鹭回来了/——小沙河三年记"},
		{"图片新闻：3月16日骑行", 6.5, "图片新闻：/3月16日骑行"},
	} {
		list, _ := s.cells(c.text)
		lines, ok := breakLines(list, c.measure, 9, 1)
		var got []string
		for _, l := range lines {
			got = append(got, textOf(block{cells: list}, l))
		}
		if !ok || strings.Join(got, "/") != c.want {
			t.Errorf("%q: %q, want %q", c.text, strings.Join(got, "/"), c.want)
		}
	}
}

// What the article writes as one word is not torn in its headline.
func TestWordsOfTheArticle(t *testing.T) {
	s := setterFor(t)
	list, _ := s.cells("武陟县柳湾闸开闸放水")
	set := func() string {
		lines, ok := breakLines(list, 6, 2, 1)
		if !ok {
			t.Fatal("it does not fit")
		}
		return textOf(block{cells: list}, lines[0])
	}
	if got := set(); got != "武陟县柳湾" {
		t.Fatalf("without its text: %q", got)
	}
	bind(list, "三月三日，柳湾闸的水放了下来。柳湾闸建于一九七五年，开闸的人说，柳湾闸放水要看天。武陟县有十九万亩麦田。", nil)
	if got := set(); got != "武陟县柳湾闸" {
		t.Errorf("%q", got)
	}
}

// Names and what stands in quotation marks are whole, and so are figures; what must be
// shortened ends with a word.
func TestNamesAreWhole(t *testing.T) {
	s := setterFor(t)
	for _, c := range []struct {
		text    string
		names   []string
		measure float64
		most    int
		want    string
	}{
		{"白鹭回到小沙河下游湿地", []string{"小沙河"}, 7, 2, "白鹭回到小沙河/下游湿地"},
		{"孟州市“农机120”待命", nil, 5, 3, "孟州市/“农机120”/待命"},
		{"去年完成投资1,234,567元", nil, 8, 2, "去年完成投资/1,234,567元"},
	} {
		list, _ := s.cells(c.text)
		bind(list, "", c.names)
		lines, ok := breakLines(list, c.measure, c.most, 1)
		var got []string
		for _, l := range lines {
			got = append(got, textOf(block{cells: list}, l))
		}
		if !ok || strings.Join(got, "/") != c.want {
			t.Errorf("%q: %q, want %q", c.text, strings.Join(got, "/"), c.want)
		}
	}
	list, _ := s.cells("The council deliberates on whiskers and other remarkable matters of state")
	b := s.fit(list, 200, 100, 20, 20, 1.3, 3)
	got := ""
	for _, l := range b.lines {
		got += textOf(b, l) + " "
	}
	if words := strings.Fields(strings.TrimSuffix(strings.TrimSpace(got), "…")); len(words) < 3 || !strings.Contains(" The council deliberates on whiskers and other remarkable matters of state ", " "+words[len(words)-1]+" ") {
		t.Errorf("%q", got)
	}
}

// What the font lacks is 〓 unless it is an emoji, and what would be set wrongly is not set.
func TestMissing(t *testing.T) {
	s := setterFor(t)
	for text, want := range map[string]string{
		"春天🎉来":          "春天来",
		"一家👨‍👩‍👧‍👦人":    "一家人",
		"国🇨🇳旗":          "国旗",
		"★\ufe0f来":      "★来",
		"ئۇ":            "〓〓",
		"a\u0301b":      "áb",
		"\u200b水\ufeff": "水",
		"\u202e水\x00":   "水",
	} {
		list, _ := s.cells(text)
		got := ""
		for _, c := range list {
			got += string(c.first)
			if len(c.glyphs) == 0 && !c.missing {
				t.Errorf("%q: a cell without a glyph", text)
			}
			for _, g := range c.glyphs {
				if g.index == 0 {
					t.Errorf("%q: a box is set", text)
				}
			}
		}
		if got != want {
			t.Errorf("%q is set as %q, want %q", text, got, want)
		}
	}
}
