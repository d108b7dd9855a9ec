package feed

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	xhtml "golang.org/x/net/html"
	"pgregory.net/rapid"

	"paperwire/internal/paper"
)

// fatal is what rapid's and testing's T have in common here.
type fatal interface{ Fatalf(string, ...any) }

// lengthOf counts characters without the code under test.
func lengthOf(s string) int { return len(utf16.Encode([]rune(s))) }

// articlesOf reads a document and holds every article against the limits of a draft.
func articlesOf(t fatal, doc []byte) []wechatArticle {
	var x wechatDoc
	d := json.NewDecoder(bytes.NewReader(doc))
	d.DisallowUnknownFields()
	if err := d.Decode(&x); err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	if x.Articles == nil || len(x.Articles) > 8 {
		t.Fatalf("%d articles: %v", len(x.Articles), x.Articles)
	}
	for _, a := range x.Articles {
		if n := lengthOf(a.Title); n == 0 || n > 32 {
			t.Fatalf("title of %d characters: %q", n, a.Title)
		}
		if n := lengthOf(a.Author); n == 0 || n > 16 {
			t.Fatalf("author of %d characters: %q", n, a.Author)
		}
		if n := lengthOf(a.Digest); n == 0 || n > 128 {
			t.Fatalf("digest of %d characters: %q", n, a.Digest)
		}
		if n := lengthOf(a.Content); n == 0 || n >= 20_000 || len(a.Content) >= 1<<20 {
			t.Fatalf("content of %d characters, %d bytes", n, len(a.Content))
		}
		if len(a.SourceURL) > 1024 {
			t.Fatalf("source of %d bytes", len(a.SourceURL))
		}
		for _, s := range []string{a.Title, a.Author, a.Digest, a.Content} {
			for _, r := range s {
				if unfit(r) {
					t.Fatalf("holds %U: %q", r, s)
				}
			}
		}
		inlineOnly(t, a.Content)
	}
	return x.Articles
}

// inlineOnly holds a body against what WeChat takes: known elements that all close
// in order, styles within them, and nothing that runs or is fetched but pictures.
func inlineOnly(t fatal, content string) {
	allowed := map[string][]string{
		"p": {"style"}, "h3": {"style"}, "section": {"style"}, "blockquote": {"style"}, "ul": {"style"}, "ol": {"style"}, "li": nil,
		"table": {"style"}, "tr": nil, "td": {"style", "colspan", "rowspan"}, "th": {"style", "colspan", "rowspan"},
		"strong": nil, "em": nil, "br": nil, "img": {"src", "alt", "style"},
	}
	var open []string
	z := xhtml.NewTokenizer(strings.NewReader(content))
	for {
		switch z.Next() {
		case xhtml.ErrorToken:
			if len(open) > 0 {
				t.Fatalf("%v left open: %s", open, content)
			}
			return
		case xhtml.StartTagToken:
			tok := z.Token()
			names, ok := allowed[tok.Data]
			if !ok {
				t.Fatalf("<%s> in %s", tok.Data, content)
			}
			for _, a := range tok.Attr {
				if !slices.Contains(names, a.Key) || strings.ContainsAny(a.Val, "{}") && a.Key == "style" || a.Key == "style" && strings.Contains(a.Val, "url(") {
					t.Fatalf("%s in %s", tok, content)
				}
				if a.Key == "src" && !strings.HasPrefix(a.Val, "http://") && !strings.HasPrefix(a.Val, "https://") {
					t.Fatalf("%s in %s", tok, content)
				}
			}
			if tok.Data != "br" && tok.Data != "img" {
				open = append(open, tok.Data)
			}
		case xhtml.EndTagToken:
			tok := z.Token()
			if len(open) == 0 || open[len(open)-1] != tok.Data {
				t.Fatalf("</%s> within %v: %s", tok.Data, open, content)
			}
			open = open[:len(open)-1]
		case xhtml.TextToken:
		default:
			t.Fatalf("%q in %s", z.Raw(), content)
		}
	}
}

// anyHTML draws bodies that are broken, deep, long and without sentences.
func anyHTML() *rapid.Generator[string] {
	tag := rapid.SampledFrom([]string{
		"<p>", "</p>", "<b>", "</b>", "<table><tr><td colspan=3>", "</td></tr></table>", "<ul><li>", "</li></ul>", "<figure>", "<figcaption>", "</figcaption></figure>",
		"<blockquote>", "</blockquote>", "<a href='javascript:1' onclick=x>", "</a>", "<img src='http://a.example/1.jpg' class=x onerror=y>", "<script>x</script>", "<style>p{}</style>",
		"<div class=x style='position:fixed'>", "</div>", "<svg><p>", "<math>", "<iframe src=x></iframe>", "<textarea>", "<plaintext>", "<br>", "<h3>", "<!--", "-->", "<form><input>",
		strings.Repeat("<div>", 600), strings.Repeat("<b>", 200), strings.Repeat("<blockquote>", 40),
	})
	long := rapid.Map(rapid.IntRange(1, 3000), func(n int) string { return strings.Repeat("水到之处麦苗返青，沿渠的人们都来看", n) })
	sentences := rapid.Map(rapid.IntRange(1, 900), func(n int) string { return strings.Repeat("他说：“水来了。”大家都笑&amp;看😀！", n) })
	markup := rapid.Map(rapid.IntRange(1, 2000), func(n int) string { return strings.Repeat("<p>a<b>b</b></p>", n) })
	return rapid.Map(rapid.SliceOfN(rapid.OneOf(tag, tag, tag, anyText(), long, sentences, markup), 0, 12), func(s []string) string { return strings.Join(s, "") })
}

func TestWechatAnyInput(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := anyInput(t)
		in.Links.Cards = rapid.Bool().Draw(t, "cards")
		in.Part = rapid.IntRange(0, 2).Draw(t, "part")
		live := 0
		for i := range in.Feed.Items {
			item := &in.Feed.Items[i]
			item.HTML = anyHTML().Draw(t, "body")
			if rapid.Bool().Draw(t, "long title") {
				item.Headline += strings.Repeat("很长的标题", 10)
			}
			if item.State == paper.Live {
				live++
			}
		}
		var b bytes.Buffer
		if err := writeWechat(&b, in); err != nil {
			t.Fatal(err)
		}
		if got := len(articlesOf(t, b.Bytes())); in.Part < 2 && got != live || in.Part == 2 && got != 0 {
			t.Fatalf("%d articles of %d, part %d", got, live, in.Part)
		}
	})
}

func FuzzWechatContent(f *testing.F) {
	for _, s := range []string{
		"<p>一。二。</p>", "水", "水来了。", "<table><tr><td>x", "<b>x", "<p><a href=x>看。</a>", "a<p>b</p>c<b>d</b>",
		"<svg><title>x</title><p>", "<math><mi><table>", "&#x202e;&lt;script&gt;", "<p>&amp;</p>",
	} {
		f.Add(s, uint16(1), "题", "https://feeds.example.net/a/x")
	}
	f.Add("<p>水来<b>了。</b></p>", uint16(1500), "题", "")
	f.Fuzz(func(t *testing.T, body string, times uint16, kicker, source string) {
		body = strings.Repeat(body, min(1+int(times), 1+60_000/(1+len(body))))
		e := Input{Links: Links{Base: "https://feeds.example.net"}}.entry(paper.Item{
			Article: paper.Article{ID: "x", Headline: "题", Kicker: kicker, HTML: body + " ", Language: "zh-CN"},
		})
		if source = uri(source); len(source) > wechatURL {
			source = ""
		}
		content := e.wechatContent(source)
		if n := lengthOf(content); n >= 20_000 {
			t.Fatalf("%d characters", n)
		}
		inlineOnly(t, content)
	})
}

func TestWechatParts(t *testing.T) {
	in := fifty()
	in.Feed.Items = in.Feed.Items[:19]
	in.Feed.Items[2].State = paper.Withdrawn
	for part, want := range map[int]string{0: "0 1 3 4 5 6 7 8", 1: "0 1 3 4 5 6 7 8", 2: "9 10 11 12 13 14 15 16", 3: "17 18", 4: "", 1 << 40: ""} {
		in.Part = part
		var b bytes.Buffer
		if err := writeWechat(&b, in); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range articlesOf(t, b.Bytes()) {
			got = append(got, a.SourceURL[strings.LastIndexByte(a.SourceURL, '-')+1:])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("part %d: %v, want %s", part, got, want)
		}
	}
}

// A long article ends with a whole sentence and says where the rest is; what fits
// to the last character is whole.
func TestWechatCut(t *testing.T) {
	const source = "https://feeds.example.net/a/slrb-20250304-1"
	content := func(body, language string) string {
		in := Input{Links: Links{Base: "https://feeds.example.net"}}
		e := in.entry(paper.Item{Article: paper.Article{ID: "slrb-20250304-1", Headline: "题", HTML: body, Language: language}})
		c := e.wechatContent(source)
		inlineOnly(t, c)
		if n := lengthOf(c); n > wechatContent {
			t.Errorf("%d characters", n)
		}
		return c
	}
	frame := lengthOf(content("<p>x</p>", "zh-CN")) - 1
	if got := content("<p>"+strings.Repeat("水", wechatContent-frame)+"</p>", "zh-CN"); lengthOf(got) != wechatContent || strings.Contains(got, "阅读原文") {
		t.Errorf("what just fits was cut to %d characters", lengthOf(got))
	}
	tail := "全文请点文末“阅读原文” " + source + "</p>"
	for name, c := range map[string]struct{ body, language, ends string }{
		"within a paragraph":  {"<p>" + strings.Repeat("他说：“水来了。”大家都笑。", 3000) + "</p>", "zh-CN", "”大家都笑。</p>|水来了。”</p>"},
		"between paragraphs":  {strings.Repeat("<p>水来了。</p>", 3000), "zh-CN", "水来了。</p>"},
		"within an element":   {"<p>水来了。<strong>" + strings.Repeat("大家都笑。", 9000) + "</strong></p>", "zh-CN", "大家都笑。</strong></p>"},
		"sentence in pieces":  {"<p>水来了。" + strings.Repeat("大家<b>都</b>笑，", 3000) + "</p>", "zh-CN", "水来了。</p>"},
		"within a table":      {"<table><tr><td>" + strings.Repeat("大家都笑。", 9000) + "</td></tr></table>", "zh-CN", "大家都笑。</td></tr></table>"},
		"without a sentence":  {"<p><em>" + strings.Repeat("水", 30_000) + "</em></p>", "zh-CN", "水…</em></p>"},
		"entities only":       {"<p>" + strings.Repeat("&amp;", 9_000) + "</p>", "zh-CN", "&amp;…</p>"},
		"English":             {"<p>" + strings.Repeat("The water came. All laughed. ", 2000) + "</p>", "en", "came. </p>|laughed. </p>"},
		"without a paragraph": {strings.Repeat("大家都笑。", 9000), "zh-CN", "大家都笑。</p>"},
	} {
		t.Run(name, func(t *testing.T) {
			got := content(c.body, c.language)
			want := tail
			if c.language == "en" {
				want = "The whole article is behind the link below " + source + "</p>"
			}
			if !strings.HasSuffix(got, want) {
				t.Fatalf("ends in %s", got[len(got)-200:])
			}
			got = got[:strings.LastIndex(got, "<p ")]
			if !slices.ContainsFunc(strings.Split(c.ends, "|"), func(end string) bool { return strings.HasSuffix(got, end) }) {
				t.Errorf("the body ends in %s", got[max(0, len(got)-200):])
			}
			// As much as there is room for: no sentence here is longer than thirty characters.
			if n := lengthOf(got); name != "sentence in pieces" && n < wechatContent-300 {
				t.Errorf("%d characters only", n)
			}
		})
	}
}

func TestWechatContent(t *testing.T) {
	const p, h3, figure, caption = `<p style="margin:0 0 1em;font-size:17px;line-height:1.8;text-align:justify;">`, `<h3 style="margin:1.2em 0 .6em;font-size:18px;line-height:1.5;font-weight:bold;">`, `<section style="margin:0 0 1em;text-align:center;">`, `<section style="font-size:14px;line-height:1.6;color:#888;text-align:center;">`
	img := func(n int, alt string) string {
		return fmt.Sprintf(`<img src="http://a.example/%d.jpg" alt="%s" style="display:block;max-width:100%%;height:auto;margin:0 auto;">`, n, alt)
	}
	for name, c := range map[string]struct {
		item paper.Article
		want string
	}{
		"words":             {paper.Article{HTML: "<p>水<a href='http://x.example'>来</a>了</p>\n<h3>小标题</h3>"}, p + "水来了</p>" + h3 + "小标题</h3>"},
		"kicker, subtitle":  {paper.Article{Kicker: "肩", Subtitle: "副", HTML: "<p>文</p>"}, p + "肩</p>" + p + "<strong>副</strong></p>" + p + "文</p>"},
		"figure":            {paper.Article{HTML: "<figure><img src='http://a.example/1.jpg' alt='闸'><figcaption>闸</figcaption></figure>", Images: []paper.Image{{URL: "http://a.example/1.jpg", Caption: "闸"}}}, figure + img(1, "闸") + caption + "闸</section></section>"},
		"picture beside it": {paper.Article{HTML: "<p>文</p>", Images: []paper.Image{{URL: "http://a.example/1.jpg", Caption: "闸", Credit: "林"}}}, figure + img(1, "闸") + caption + "闸 林 摄</section></section>" + p + "文</p>"},
		"no paragraphs":     {paper.Article{HTML: "水<b>来</b>了<p>又</p> \n来<div>去<p>回</p></div>"}, p + "水<strong>来</strong>了</p>" + p + "又</p>" + p + " \n来</p>" + p + "去</p>" + p + "回</p>"},
		"what runs":         {paper.Article{HTML: `<p class="x" onclick="y">水<script>z</script></p><style>p{}</style><iframe src="//x.example">w</iframe><svg><p>来</p></svg>`}, p + "水</p>" + p + "来</p>"},
		"left open":         {paper.Article{HTML: "<p>水<b>来<p>了"}, p + "水<strong>来</strong></p>" + p + "<strong>了</strong></p>"},
		"no words":          {paper.Article{Summary: "要点。", HTML: "<table></table><p><i></i></p><script>x</script>"}, p + "要点。</p>"},
		"nothing":           {paper.Article{HTML: "<p></p><p>文</p>"}, p + "文</p>"},
	} {
		t.Run(name, func(t *testing.T) {
			c.item.ID, c.item.Headline, c.item.Language = "x", "题", "zh-CN"
			e := Input{}.entry(paper.Item{Article: c.item})
			got := e.wechatContent("")
			inlineOnly(t, got)
			if got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
	}
}
