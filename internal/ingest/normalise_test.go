package ingest

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"paperwire/internal/paper"
	"paperwire/sources"
)

var update = flag.Bool("update", false, "rewrite the expectations under testdata")

type printed = sources.Printed

var cloudPaper = paper.Paper{Key: "yzrb", Name: "云州日报", Language: "zh-CN"}

// normalised is the article of a body in the fictional 云州日报.
func normalised(body string, set ...func(*printed)) paper.Article {
	p := printed{URL: "http://paper.example/html/2024-09/05/content_7.htm", Headline: "小桥通了", Body: body}
	for _, f := range set {
		f(&p)
	}
	return normalise(p, sources.Ref{URL: p.URL, Origin: "7", Position: 1}, normaliseOptions{Paper: cloudPaper})
}

// Every testdata/normalise/*.txt is a case: fields and a body, a line of hyphens,
// and the article. Adding a file is all it takes; -update writes the lower half.
func TestNormaliseCases(t *testing.T) {
	files, err := filepath.Glob("testdata/normalise/*.txt")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d cases, %v: the glob is wrong", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			in, want, _ := strings.Cut(string(b), "\n----------\n")
			p, ref, err := readCase(in)
			if err != nil {
				t.Fatal(err)
			}
			a := normalise(p, ref, normaliseOptions{Paper: cloudPaper})
			got := showArticle(t, a)
			if *update {
				if err := os.WriteFile(file, []byte(in+"\n----------\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

// readCase reads `field: value` lines up to an empty line, then the body.
func readCase(in string) (p printed, r sources.Ref, err error) {
	head, body, _ := strings.Cut(in, "\n\n")
	p.URL, p.Body = "http://paper.example/html/2024-09/05/content_7.htm", body
	p.Day = "2024-09-05"
	r = sources.Ref{URL: p.URL, Origin: "7", Position: 1}
	for s := bufio.NewScanner(strings.NewReader(head)); s.Scan(); {
		key, value, ok := strings.Cut(s.Text(), ": ")
		if !ok {
			return p, r, fmt.Errorf("%q: write field: value", s.Text())
		}
		if unquoted, err := strconv.Unquote(value); err == nil {
			value = unquoted
		}
		switch key {
		case "kicker":
			p.Kicker = value
		case "headline":
			p.Headline = value
		case "subtitle":
			p.Subtitle = value
		case "author":
			p.Author = value
		case "agency":
			p.Agency = value
		case "summary":
			p.Summary = value
		case "column":
			p.Columns = append(p.Columns, value)
		case "page":
			r.Page.Number, r.Page.Name, _ = strings.Cut(value, " ")
		case "listed":
			r.Title = value
		case "image":
			im := sources.Image{}
			im.URL, im.Caption, _ = strings.Cut(value, " ")
			p.Images = append(p.Images, im)
		case "dated":
			if p.Dated, err = time.Parse(time.RFC3339, value); err != nil {
				return p, r, err
			}
			p.Day = ""
		default:
			return p, r, fmt.Errorf("unknown field %q", key)
		}
	}
	return p, r, nil
}

// showArticle writes what a reviewer wants to see, one field a line.
func showArticle(t *testing.T, a paper.Article) string {
	t.Helper()
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	line("day", string(a.Day))
	line("page", strings.TrimSpace(a.Page.Number+" "+a.Page.Name))
	line("kicker", a.Kicker)
	line("headline", a.Headline)
	line("subtitle", a.Subtitle)
	line("byline", show(a.Byline, a.Agency))
	line("summary", a.Summary)
	line("columns", strings.Join(a.Columns, ", "))
	line("pseudo", a.Pseudo)
	for _, i := range a.Images {
		j, err := json.Marshal(map[string]string{"url": i.URL, "caption": i.Caption, "credit": i.Credit})
		if err != nil {
			t.Fatal(err)
		}
		line("image", string(j))
	}
	b.WriteString("text:\n")
	for _, l := range strings.Split(a.Text, "\n") {
		b.WriteString("  " + l + "\n")
	}
	b.WriteString("html:\n")
	h := a.HTML
	for _, tag := range []string{"</p>", "</h3>", "</figure>", "</table>", "</tr>", "</ul>", "</ol>", "</li>", "</blockquote>"} {
		h = strings.ReplaceAll(h, tag, tag+"\n")
	}
	for _, l := range strings.Split(strings.TrimRight(h, "\n"), "\n") {
		b.WriteString("  " + l + "\n")
	}
	return b.String()
}

func TestTitles(t *testing.T) {
	for _, tt := range []struct {
		kicker, headline, subtitle string
		want                       [3]string
	}{
		{"", "小桥<br>通了", "", [3]string{"", "小桥 通了", ""}},
		{"", "小桥通了<br>——两岸三村修桥记", "", [3]string{"", "小桥通了", "两岸三村修桥记"}},
		{"", "小桥通了<BR/>两岸热闹了", "——三村修桥记", [3]string{"", "小桥通了 两岸热闹了", "三村修桥记"}},
		{"", "小桥通了<br>——三村修桥记", "全市现场会召开", [3]string{"", "小桥通了 ——三村修桥记", "全市现场会召开"}},
		{"", "小桥通了<br>——三村修桥记", "——三村修桥记", [3]string{"", "小桥通了", "三村修桥记"}},
		{"", "小桥通了 ——三村修桥记", "", [3]string{"", "小桥通了", "三村修桥记"}},
		{"", "小桥——三村的桥", "", [3]string{"", "小桥——三村的桥", ""}},
		{"", "导 读", "", [3]string{"", "导读", ""}},
		{"", "让 爱 回 家", "", [3]string{"", "让爱回家", ""}},
		{"", "古桥如月 小城如画", "", [3]string{"", "古桥如月 小城如画", ""}},
		{"学习贯彻会议精神&nbsp;", "　小桥通了　", "—— 两岸三村修桥记 ", [3]string{"学习贯彻会议精神", "小桥通了", "两岸三村修桥记"}},
		{"小桥通了", "小桥通了", "小桥通了", [3]string{"", "小桥通了", ""}},
		{"小桥通了", "", "", [3]string{"", "小桥通了", ""}},
		{"", "", "两岸三村修桥记", [3]string{"", "两岸三村修桥记", ""}},
		{"", "3<5，小桥&lt;大桥", "", [3]string{"", "3<5，小桥<大桥", ""}},
		{"", "<script>alert(1)</script>小桥", "", [3]string{"", "alert(1)小桥", ""}},
		{"", "小\u200b桥\u202e通\ufeff了\x00", "", [3]string{"", "小桥通了", ""}},
		{"", "小桥通了", "□林小河", [3]string{"", "小桥通了", ""}},
		{"", "-5℃的早晨", "", [3]string{"", "-5℃的早晨", ""}},
	} {
		a := normalised("<p>"+filler+"</p>", func(p *printed) { p.Kicker, p.Headline, p.Subtitle = tt.kicker, tt.headline, tt.subtitle })
		if got := [3]string{a.Kicker, a.Headline, a.Subtitle}; got != tt.want {
			t.Errorf("%q %q %q: %q, want %q", tt.kicker, tt.headline, tt.subtitle, got, tt.want)
		}
	}
}

func TestHeadlineWhereNoneIsPrinted(t *testing.T) {
	for _, tt := range []struct{ listed, body, want string }{
		{"列表里的标题", "<p>" + filler + "</p>", "列表里的标题"},
		{"", "<p>本报讯（记者 林小河）三座小桥通车。两岸热闹起来。</p>", "三座小桥通车"},
		{"", "", "无题"},
	} {
		a := normalise(printed{Body: tt.body}, sources.Ref{Title: tt.listed}, normaliseOptions{Paper: cloudPaper})
		if a.Headline != tt.want {
			t.Errorf("listed %q, body %q: headline %q, want %q", tt.listed, tt.body, a.Headline, tt.want)
		}
	}
}

func TestCleanPageName(t *testing.T) {
	for in, want := range map[string]string{
		"焦作/ 温县·马村区": "焦作/温县·马村区", "第04版：要 闻": "要闻", "A01： 头版": "头版", "01版:要闻": "要闻", "第1版　　　　要闻": "要闻",
		"第1版\u00a0要闻": "要闻", "(GA01) 封面": "封面", "第01版：": "", "财 经": "财经", "财\n经": "财经", "第一版": "", "要 闻·公益广告": "要闻·公益广告",
		"时事·体育": "时事·体育", "三农": "三农", "21世纪": "21世纪", "一版要闻": "一版要闻", "：要闻": "要闻", "山水 云州": "山水 云州",
	} {
		if got := cleanPageName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestPageOf(t *testing.T) {
	ref := paper.PageRef{Number: "04", Name: ""}
	if got := pageOf(ref, paper.PageRef{Number: "04", Name: "要 闻"}); got != (paper.PageRef{Number: "04", Name: "要闻"}) {
		t.Errorf("the name on the article's own page is lost: %+v", got)
	}
	if got := pageOf(ref, paper.PageRef{Number: "05", Name: "体育"}); got != (paper.PageRef{Number: "04"}) {
		t.Errorf("the page that lists the article decides: %+v", got)
	}
	if got := pageOf(paper.PageRef{}, paper.PageRef{Number: "A05", Name: "体育"}); got != (paper.PageRef{Number: "A05", Name: "体育"}) {
		t.Errorf("%+v", got)
	}
}

func TestSummary(t *testing.T) {
	long := strings.Repeat("桥上的灯一盏一盏亮起来，", 20)
	for _, tt := range []struct{ body, given, want string }{
		{"<p>本报讯（记者 林小河）三座小桥昨天通车，两岸的人往来方便了。</p>", "", "三座小桥昨天通车，两岸的人往来方便了。"},
		{"<p>据新华社北京9月5日电　三座小桥昨天通车，两岸的人往来方便了。</p>", "", "三座小桥昨天通车，两岸的人往来方便了。"},
		{"<p>短句。</p><p>后面一段。</p>", "", "短句。"},
		{"<p>编者按</p><p>三座小桥昨天通车，两岸的人往来方便了。</p>", "", "三座小桥昨天通车，两岸的人往来方便了。"},
		{"<p>“三座桥都通了。”老人说。" + long + "</p>", "", "“三座桥都通了。”老人说。"},
		{"<p>" + long + "</p>", "", strings.TrimSuffix(strings.Repeat("桥上的灯一盏一盏亮起来，", 10), "，") + "…"},
		// Figures and addresses are whole, and what is open is closed.
		{"<p>" + strings.Repeat("桥", 100) + "公共预算收入累计完成1,234,567.8万元" + strings.Repeat("桥", 100) + "</p>", "", strings.Repeat("桥", 100) + "公共预算收入累计完成…"},
		{"<p>" + strings.Repeat("桥", 100) + "见https://example.com/" + strings.Repeat("a", 300) + "</p>", "", strings.Repeat("桥", 100) + "见…"},
		{"<p>“三座桥都通了。我们都高兴。" + long + "”</p>", "", "“三座桥都通了。我们都高兴。”"},
		{"<p>“三座桥都通了。我们都高兴。</p><p>“大家都说好。”</p>", "", "“三座桥都通了。我们都高兴。”"},
		{"<p>“" + long + "”</p>", "", "“" + strings.TrimSuffix(strings.Repeat("桥上的灯一盏一盏亮起来，", 9), "，") + "…”"},
		{"<p>三座小桥昨天通车，两岸的人都说“好！”" + long + "</p>", "", "三座小桥昨天通车，两岸的人都说“好！”"},
		{"<p>" + strings.Repeat("桥", 300) + "</p>", "", strings.Repeat("桥", 119) + "…"},
		{"<p>" + filler + "</p>", "<p>三座小桥昨天通车，两岸的人往来方便了。大家都说好 [&#8230;]</p>", "三座小桥昨天通车，两岸的人往来方便了。"},
		{"<p>" + filler + "</p>", "小桥通了", filler},
		{"", "", ""},
	} {
		a := normalised(tt.body, func(p *printed) { p.Summary = tt.given })
		if a.Summary != tt.want {
			t.Errorf("%.60s: %q, want %q", tt.body, a.Summary, tt.want)
		}
		if n := len([]rune(a.Summary)); n > maxSummary {
			t.Errorf("%.60s: %d characters", tt.body, n)
		}
	}
}

func TestContentHash(t *testing.T) {
	base := func(p *printed) {
		p.Kicker, p.Subtitle = "肩题", "副题"
		p.Images = []sources.Image{{URL: "http://img.example/a.jpg?v=1", Caption: "桥上的孩子。（林小河摄）"}}
	}
	body := "<p>本报讯（记者 林小河）" + filler + "</p>"
	h := contentHash(normalised(body, base))
	same := map[string]string{
		"skin":        `<div class="new"><p style="text-indent:2em">　　本报讯（记者 林小河）` + filler + `</p></div>`,
		"white space": "<p>\n本报讯 （记者 林小河） " + filler + "\n</p>\n",
		"comments":    "<!--ad--><p>本报讯（记者 林小河）" + filler + "</p><script>ad()</script>",
		"arrows":      body + "<p>3上一篇  下一篇4</p>",
	}
	for name, b := range same {
		if got := contentHash(normalised(b, base)); got != h {
			t.Errorf("%s: the hash moved", name)
		}
	}
	if got := contentHash(normalised(body, base, func(p *printed) { p.Images[0].URL = "http://cdn.example/b.jpg?v=2" })); got != h {
		t.Error("picture address: the hash moved")
	}
	for name, set := range map[string]func(*printed){
		"kicker":   func(p *printed) { p.Kicker = "另一肩题" },
		"headline": func(p *printed) { p.Headline = "大桥通了" },
		"subtitle": func(p *printed) { p.Subtitle = "" },
		"byline":   func(p *printed) { p.Author = "罗大山" },
		"text":     func(p *printed) { p.Body = strings.Replace(p.Body, "三座", "四座", 1) },
		"caption":  func(p *printed) { p.Images[0].Caption = "桥上的老人。（林小河摄）" },
		"credit":   func(p *printed) { p.Images[0].Caption = "桥上的孩子。（罗大山摄）" },
		"picture":  func(p *printed) { p.Images = append(p.Images, sources.Image{URL: "http://img.example/c.jpg"}) },
	} {
		if got := contentHash(normalised(body, base, set)); got == h {
			t.Errorf("%s: the hash stayed", name)
		}
	}
}

func TestFingerprint(t *testing.T) {
	a := normalised("<p>本报讯（记者 林小河）" + filler + "</p>")
	b := normalised("<div>　　本报讯（记者　林小河）"+strings.ReplaceAll(filler, "，", ",")+"</div>", func(p *printed) { p.Headline = "小桥 通了" })
	if fingerprint(a) == "" || fingerprint(a) != fingerprint(b) {
		t.Errorf("a redesign changes it: %q, %q", fingerprint(a), fingerprint(b))
	}
	if c := normalised("<p>本报讯（记者 林小河）" + strings.Replace(filler, "三座", "四座", 1) + "</p>"); fingerprint(c) == fingerprint(a) {
		t.Error("another text has the same")
	}
	if f := fingerprint(normalised("<p>太短。</p>")); f != "" {
		t.Errorf("a body of two characters: %q", f)
	}
	photo := func(caption string) string {
		return fingerprint(normalised("", func(p *printed) {
			p.Headline = "图片新闻"
			p.Images = []sources.Image{{URL: "http://img.example/a.jpg", Caption: caption}}
		}))
	}
	if photo("桥上的孩子。") == "" || photo("桥上的孩子。") == photo("田里的老人。") {
		t.Error("captions tell pictures apart")
	}
}

func TestSimilar(t *testing.T) {
	other := "<p>图书馆新开了一间阅览室，放学以后孩子们可以在里面看书到晚上八点。</p>"
	head := func(s string) func(*printed) { return func(p *printed) { p.Headline = s } }
	one := normalised("<p>" + filler + "</p>")
	for _, tt := range []struct {
		name string
		b    paper.Article
		want bool
	}{
		{"the same", one, true},
		{"corrected text", normalised("<p>" + strings.Replace(filler, "三座", "四座", 1) + "</p>"), true},
		{"same headline, text rewritten", normalised(other), true},
		{"near headline", normalised(other, head("小桥终于通了")), false},
		{"longer headline", normalised(other, head("云州市三座便民小桥昨日正式通车")), false},
		{"new headline, same text", normalised("<p>"+filler+"</p>", head("云州三桥通车")), true},
		{"both changed", normalised(other, head("阅览室开门")), false},
	} {
		if got := similar(one, tt.b); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
		if similar(one, tt.b) != similar(tt.b, one) {
			t.Errorf("%s: not symmetric", tt.name)
		}
	}
	long := normalised("<p>"+filler+"</p>", head("云州市三座便民小桥昨日通车"))
	if !similar(long, normalised(other, head("云州市四座便民小桥昨日通车"))) {
		t.Error("one character of thirteen makes another headline")
	}
	p1 := normalised("<p>"+filler+"</p>", head("图片新闻"))
	if similar(p1, normalised(other, head("图片新闻"))) {
		t.Error("two pictures headed 图片新闻 are one")
	}
}

func TestPlaceText(t *testing.T) {
	a := normalised("<p>本报讯（记者 林小河）第一段。</p><p>第二段在这里结束了。</p>", func(p *printed) {
		p.Kicker, p.Subtitle = "肩题", "副题"
		p.Images = []sources.Image{{URL: "http://img.example/a.jpg", Caption: "桥上的孩子"}}
	})
	got := placeText(a)
	if got.Title != "肩题 小桥通了 副题" || got.Lead != "本报讯（记者 林小河）第一段。" || got.Body != "第二段在这里结束了。\n桥上的孩子" || got.Byline != "林小河" {
		t.Errorf("%+v", got)
	}
	a.Text = ""
	if got := placeText(a); got.Lead != "桥上的孩子" {
		t.Errorf("a picture without text: lead %q", got.Lead)
	}
}

func TestFeedItem(t *testing.T) {
	at := time.Date(2024, 9, 4, 17, 30, 0, 0, time.UTC)
	a := normalised("<p>"+filler+"</p>", func(p *printed) { p.Dated = at })
	if a.Day != "2024-09-05" { // 01:30 in Shanghai
		t.Errorf("day %s", a.Day)
	}
	if !a.Dated.Equal(at) {
		t.Errorf("dated %v", a.Dated)
	}
}

// A body of 40 KB, as a long read has it.
func BenchmarkNormalise(b *testing.B) {
	var s strings.Builder
	s.WriteString("<founder-content><P>　　本报讯（记者 林小河 通讯员 罗大山）" + filler + "</P>")
	for i := 0; s.Len() < 40<<10; i++ {
		switch i % 8 {
		case 3:
			s.WriteString("<P><STRONG>两岸三村一条心</STRONG></P>")
		case 6:
			s.WriteString(`<TABLE class=pci_c><TR><TD><IMG src="../../res/1/2024-09/05/` + strconv.Itoa(i) + `.jpg"></TD></TR><TR><TD>桥上的孩子。 林小河 摄</TD></TR></TABLE>`)
		default:
			s.WriteString("<P>　　" + strings.Repeat(filler, 4) + "</P>")
		}
	}
	s.WriteString("</founder-content>")
	body := s.String()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if a := normalised(body); len(a.Byline) != 2 {
			b.Fatalf("byline %v", a.Byline)
		}
	}
}

// A megabyte of one thing: the time must grow with its length and no faster.
func BenchmarkNormaliseHostile(b *testing.B) {
	for _, body := range []struct{ name, piece string }{
		{"paragraphs", "<p>"}, {"parentheses", "（"}, {"one-line", "甲"}, {"verse", "甲<br>"}, {"styles", "<b>甲</b>乙"}, {"left-open", "<b a=1><b a=2><p>"},
	} {
		for _, size := range []int{64 << 10, 1 << 20} {
			b.Run(body.name+"/"+strconv.Itoa(size>>10)+"KB", func(b *testing.B) {
				s := strings.Repeat(body.piece, size/len(body.piece))
				b.SetBytes(int64(len(s)))
				b.ReportAllocs()
				for b.Loop() {
					if a := normalised(s); a.Headline == "" {
						b.Fatal("no headline")
					}
				}
			})
		}
	}
}
