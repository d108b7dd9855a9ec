package sources

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// maxCaseRules is how many lines of rules a paper may need.
const maxCaseRules = 15

// caseRules are the rules beside a case, rules.yaml: one key a line, as they
// stand below html: in a configuration; nil where there are none.
func caseRules(t testing.TB, dir string) *HTMLRules {
	raw, err := os.ReadFile(filepath.Join(dir, "rules.yaml"))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	r := &HTMLRules{}
	v := reflect.ValueOf(r).Elem()
	lines := 0
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		lines++
		key, value, _ := strings.Cut(line, ": ")
		field, ok := v.Type().FieldByNameFunc(func(name string) bool {
			f, _ := v.Type().FieldByName(name)
			return f.Tag.Get("mapstructure") == key
		})
		if !ok {
			t.Fatalf("%s: no rule %q", dir, key)
		}
		to := v.FieldByIndex(field.Index)
		one := func(s string) string {
			if len(s) > 1 && s[0] == '\'' {
				return strings.ReplaceAll(s[1:len(s)-1], "''", "'")
			}
			if strings.HasPrefix(s, `"`) {
				if err := json.Unmarshal([]byte(s), &s); err != nil {
					t.Fatalf("%s: %s: %v", dir, line, err)
				}
			}
			return s
		}
		switch to.Kind() {
		case reflect.Bool:
			to.SetBool(value == "true")
		case reflect.String:
			to.SetString(one(value))
		default:
			// [ 'a', 'b' ], with a comma and a space between entries
			for s := range strings.SplitSeq(strings.Trim(value, "[]"), ", ") {
				to.Set(reflect.Append(to, reflect.ValueOf(one(s))))
			}
		}
	}
	if lines > maxCaseRules {
		t.Errorf("%s: %d lines of rules, more than %d", dir, lines, maxCaseRules)
	}
	if err := r.Check(); err != nil {
		t.Errorf("%s: %v", dir, err)
	}
	return r
}

// rulesOf are the rules of a case.
func rulesOf(t testing.TB, name string) *HTMLRules {
	return caseRules(t, filepath.Join("..", "testdata", "sources", "html", name))
}

// bodyOf is a case's document as fetched.
func bodyOf(t testing.TB, name string) string {
	_, _, body := loadCase(t, filepath.Join("..", "testdata", "sources", "html", name))
	return string(body)
}

// TestFindByRules finds and reads an edition of each of the forms that no
// platform knows, by the rules of their cases.
func TestFindByRules(t *testing.T) {
	day := func(s string) string {
		return strings.NewReplacer("20261121", "20261120", "2026-11-21", "2026-11-20").Replace(s)
	}
	for _, c := range []struct {
		name, entry string
		docs        map[string]string
		refs        string // page:position=origin
		read        string // headline of the second article
		missing     string
	}{
		{
			"trs", "/hwrb/",
			map[string]string{
				"/hwrb/": `<script>function go(){ location = "20261120/20261120_001/20261120_001.htm"; } var today = "20261121/20261121_001/20261121_001.htm";</script>`,
				"/hwrb/20261121/20261121_001/20261121_001.htm":   bodyOf(t, "trs-page"),
				"/hwrb/20261121/20261121_002/20261121_002.htm":   strings.NewReplacer("_001", "_002", ">001<", ">002<", "要闻", "民生").Replace(bodyOf(t, "trs-page")),
				"/hwrb/20261121/20261121_001/20261121_001_2.htm": bodyOf(t, "trs-article"),
				"/hwrb/20261120/20261120_001/20261120_001.htm":   day(bodyOf(t, "trs-page")),
				"/hwrb/20261120/20261120_002/20261120_002.htm":   strings.NewReplacer("_001", "_002", ">001<", ">002<").Replace(day(bodyOf(t, "trs-page"))),
			},
			"001:1=001_1 001:2=001_2 001:3=001_3 002:1=002_1 002:2=002_2 002:3=002_3", "海堤绿道再添三公里", "[2026-11-19]",
		},
		{
			"s", "/shtml/lcrb/20261121/v01.shtml",
			map[string]string{
				"/shtml/lcrb/20261121/v01.shtml":   bodyOf(t, "s-page"),
				"/shtml/lcrb/20261121/v02.shtml":   strings.NewReplacer(`class="active"`, "", "98765", "98801", "98766", "98802", "98770", "98803", `"javascript:;"`, `"javascript:;" class="active"`).Replace(bodyOf(t, "s-page")),
				"/shtml/lcrb/20261121/98766.shtml": bodyOf(t, "s-article"),
				"/shtml/lcrb/20261120/v01.shtml":   day(bodyOf(t, "s-page")),
				"/shtml/lcrb/20261120/v02.shtml":   day(bodyOf(t, "s-page")),
			},
			"01:1=98765 01:2=98766 01:3=98770 02:1=98801 02:2=98802 02:3=98803", "林场护林员的一天", "[2026-11-19]",
		},
		{
			"h", "/phzb/",
			map[string]string{
				"/phzb/":                              `<html><body><div class="latest"><a href="20261121/html/page_01.htm">今日</a><a href="20261120/html/page_01.htm">昨日</a></div></body></html>`,
				"/phzb/20261121/html/page_01.htm":     bodyOf(t, "h-page"),
				"/phzb/20261121/html/page_02.htm":     strings.NewReplacer("content_1_", "content_2_", "name cur", "name", `name" href="page_02`, `name cur" href="page_02`).Replace(bodyOf(t, "h-page")),
				"/phzb/20261121/html/content_1_2.htm": bodyOf(t, "h-article"),
				"/phzb/20261120/html/page_01.htm":     day(bodyOf(t, "h-page")),
				"/phzb/20261120/html/page_02.htm":     day(bodyOf(t, "h-page")),
			},
			"01:1=1_1 01:2=1_2 02:1=2_1 02:2=2_2", "渡口复航", "[2026-11-19]",
		},
		{
			"n", "/paper/index.aspx",
			map[string]string{
				"/paper/index.aspx":                          bodyOf(t, "n-calendar-entry"),
				"/paper/default.aspx?date=2026-11-21&page=1": bodyOf(t, "n-page"),
				"/paper/default.aspx?date=2026-11-21&page=2": strings.NewReplacer("第1版：综合</span>", "第2版：行业</span>", "id=7&", "id=17&", "id=9&", "id=19&").Replace(bodyOf(t, "n-page")),
				"/paper/show.aspx?date=2026-11-21&id=9":      bodyOf(t, "n-article"),
				"/paper/default.aspx?date=2026-11-20&page=1": day(bodyOf(t, "n-page")),
				"/paper/default.aspx?date=2026-11-20&page=2": day(bodyOf(t, "n-page")),
				"/paper/calendar.aspx?m=202611":              `<a href="default.aspx?date=2026-11-20&page=1">20</a><a href="default.aspx?date=2026-11-21&page=1">21</a>`,
			},
			"1:1=7 1:2=9 2:1=17 2:2=19", "新麦种下了地", "[]", // the calendar knows that there is none
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, c.docs)
			src := Source{Key: "k", URL: s.URL + c.entry, HTML: rulesOf(t, c.name+"-page")}
			for _, platform := range []string{auto, "html"} {
				src.Platform = platform
				f, err := Find(t.Context(), s.client(), src, Want{After: "2026-11-18", Max: 5})
				if err != nil {
					t.Fatal(err)
				}
				if f.Platform != "html" || days(f) != "2026-11-20 2026-11-21" || fmt.Sprint(f.Missing) != c.missing {
					t.Fatalf("%s: %s, missing %v", f.Platform, days(f), f.Missing)
				}
				e := f.Editions[1]
				got := ""
				for _, r := range e.Refs {
					got += fmt.Sprintf("%s:%d=%s ", r.Page.Number, r.Position, r.Origin)
				}
				if e.Partial || strings.TrimSpace(got) != c.refs || len(e.Pages) != 2 || e.Pages[1].Name == "" {
					t.Errorf("%s (%s), pages %+v", got, e.Problem, e.Pages)
				}
				p, err := Read(t.Context(), s.client(), src, e.Refs[1])
				if err != nil || p.Headline != c.read || p.Day != "2026-11-21" || !strings.HasPrefix(p.Body, "<p>") {
					t.Errorf("%+v %v", p, err)
				}
			}
		})
	}
}

// TestPrintedDayByRule: where a rule says what day is printed, that decides
// whether an edition is of its address' day.
func TestPrintedDayByRule(t *testing.T) {
	page := strings.Replace(bodyOf(t, "trs-page"), `id="imageth"`, `id="imageth" title="报名：海湾日报 日期：20261120"`, 1)
	s := newSite(t, map[string]string{"/hwrb/20261121/20261121_001/20261121_001.htm": page})
	rules := *rulesOf(t, "trs-page")
	for date, missing := range map[string]int{"": 0, "#imageth": 1} {
		rules.Date = date
		f, err := Find(t.Context(), s.client(), Source{Key: "k", URL: s.URL + "/hwrb/20261121/20261121_001/20261121_001.htm", HTML: &rules}, Want{})
		if err != nil || len(f.Missing) != missing || len(f.Editions) != 1-missing || (f.Problem != "") != (missing > 0) {
			t.Errorf("%q: %s missing %v: %s %v", date, days(f), f.Missing, f.Problem, err)
		}
	}
}

// TestRulesOverride: on top of a platform, what a rule says wins and the rest is
// the platform's.
func TestRulesOverride(t *testing.T) {
	const at = "http://e.example/html/2026-11/21/content_7.htm"
	const page = `<html><title>河阳日报</title><div class=ad>广告</div><h1>旧标题</h1><p class=real>真标题</p><div id=ozoom><founder-content><p>导语，不是正文。</p></founder-content></div><div class=full><p>正文一。</p><p class=qr>扫码看更多</p><p>正文二。</p></div></html>`
	for _, platform := range []string{"", "founder"} {
		p := Parse(Source{Platform: platform, HTML: &HTMLRules{Body: ".full", Headline: ".real", Drop: []string{".qr", ".ad"}}}, at, "text/html", []byte(page))
		if p.Kind != "article" || p.Platform != "founder" || p.Ref.Origin != "7" || p.Article.Headline != "真标题" || p.Article.Body != "<p>正文一。</p><p>正文二。</p>" {
			t.Errorf("%q: %s %s %+v", platform, p.Kind, p.Platform, p.Article)
		}
	}
	// Where a selector finds nothing the platform's reader stands in.
	if p := Parse(Source{HTML: &HTMLRules{Body: ".gone"}}, at, "text/html", []byte(page)); p.Article == nil || p.Article.Body != "<p>导语，不是正文。</p>" {
		t.Errorf("%+v", p.Article)
	}
	// Another form of links on a founder site.
	const index = `<html><title>河阳日报</title><a href=node_2.htm>第01版：要闻</a><a href=node_3.htm>第02版：县区</a><ul><li><a href=story-41.htm>甲乡修路</a></li><li><a href=story-42.htm>乙镇修桥</a></li></ul></html>`
	p := Parse(Source{Platform: "founder", HTML: &HTMLRules{ArticleURL: `/story-(\d+)\.htm$`}}, "http://e.example/html/2026-11/21/node_2.htm", "text/html", []byte(index))
	if p.Kind != "page" || p.Platform != "founder" || len(p.Page.Pages) != 2 || len(p.Page.Refs) != 2 || p.Page.Refs[1].Origin != "42" || p.Page.Refs[1].Page.Number != "01" {
		t.Errorf("%s %s %+v", p.Kind, p.Reason, p.Page)
	}
	// Pages of another form, on a site that is found by looking.
	const pages = `<html><title>河阳日报</title><a href=bm-01.htm>第01版：要闻</a><a href=bm-02.htm>第02版：县区</a><a href=content_41.htm>甲乡修路</a><a href=content_42.htm>乙镇修桥</a></html>`
	p = Parse(Source{HTML: &HTMLRules{PageURL: `/bm-(\d+)\.htm$`}}, "http://e.example/html/2026-11/21/bm-02.htm", "text/html", []byte(pages))
	if p.Platform != "founder" || p.Page == nil || len(p.Page.Pages) != 2 || len(p.Page.Refs) != 2 || p.Page.Page.Name != "县区" {
		t.Errorf("%s %s %+v", p.Kind, p.Reason, p.Page)
	}
	// And of PaperIndex.
	const article = `<html><title>云桥日报</title><h1>题</h1><div class=neirong>正文，正文。</div><div class=real>全文，全文。</div></html>`
	p = Parse(Source{HTML: &HTMLRules{Body: ".real"}}, "http://e.example/content/20261121/Articel01002MT.htm", "text/html", []byte(article))
	if p.Platform != "paperindex" || p.Article == nil || p.Article.Body != "全文，全文。" {
		t.Errorf("%s %+v", p.Platform, p.Article)
	}
}

func TestRulesCheck(t *testing.T) {
	many := make([]string, maxRuleList+1)
	for i := range many {
		many[i] = "p"
	}
	for _, c := range []struct {
		r    HTMLRules
		want []string // in the message; none: no error
	}{
		{HTMLRules{}, nil},
		{HTMLRules{Articles: "a.b, area[title]", ArticleURL: `(\d+)\.htm`, PageLink: "{page}.htm", Calendar: "{yyyy}.xml", CalendarDays: `/(\d{8})/`, OnClick: []string{`go\('(.*?)'\)`}}, nil},
		{HTMLRules{Articles: "a["}, []string{"articles:", "a[", "CSS selector"}},
		{HTMLRules{Pages: "p:nosuch(x)", Body: "//div", Kicker: ">", Drop: []string{"ok", "]"}}, []string{"pages:", "body:", "kicker:", "drop:"}},
		{HTMLRules{ArticleURL: "(", PageURL: "a(?=b)"}, []string{"article_url:", "page_url:", "look-around"}},
		{HTMLRules{PageNumbers: `\d+`, PageLink: "x"}, []string{"page_numbers:", "parentheses", "page_link:", "{page}"}},
		{HTMLRules{PageNumbers: `(\d+)`}, []string{"page_numbers:", "page_link"}},
		{HTMLRules{Day: `(\d{8})`}, []string{"day:"}},
		{HTMLRules{OnClick: []string{"open"}}, []string{"onclick:"}},
		{HTMLRules{Edition: "today.htm"}, []string{"edition:", "{dd}"}},
		{HTMLRules{Edition: "ftp://x/{dd}"}, []string{"edition:", "http"}},
		{HTMLRules{CalendarDays: "a", Captions: "p"}, []string{"calendar_days:", "captions:"}},
		{HTMLRules{CalendarDays: "/(/", Calendar: "x"}, []string{"calendar_days:"}},
		{HTMLRules{Body: strings.Repeat("p", maxRule+1)}, []string{"body:", "500"}},
		{HTMLRules{Drop: many, HrefAttrs: many}, []string{"drop:", "href_attrs:", "20"}},
	} {
		err := c.r.Check()
		if (err == nil) != (c.want == nil) {
			t.Errorf("%+v: %v", c.r, err)
			continue
		}
		for _, s := range c.want {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%v: says nothing of %s", err, s)
			}
		}
	}
	var none *HTMLRules
	if none.Check() != nil || none.Drives() || (&HTMLRules{Body: "p"}).Drives() || !(&HTMLRules{Articles: "a"}).Drives() {
		t.Error("what drives")
	}
	// Bad rules are an answer, not a panic.
	if p := Parse(Source{HTML: &HTMLRules{Body: "["}}, "http://e.example/html/2026-11/21/content_7.htm", "text/html", []byte("<html><p>x</p></html>")); p.Kind != "unknown" || !strings.Contains(p.Reason, "body:") {
		t.Errorf("%s %s", p.Kind, p.Reason)
	}
	s := newSite(t, map[string]string{"/": "<html><a href=/1>x</a></html>"})
	for _, r := range []*HTMLRules{nil, {Body: "p"}, {Articles: "["}} {
		if _, err := Find(t.Context(), s.client(), Source{Platform: "html", URL: s.URL + "/", HTML: r}, Want{}); err == nil || !strings.Contains(err.Error(), "rules") && !strings.Contains(err.Error(), "articles") {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

// benchRules are rules of every kind.
var benchRules = &HTMLRules{
	ArticleURL: `/\d{8}_(\d{3}_\d+)\.htm$`, PageURL: `/\d{8}_(\d{3})\.htm$`, Positional: true,
	PageNumbers: `banciArray="([\d,]+)"`, PageLink: "../{yyyy}{mm}{dd}_{page}/{yyyy}{mm}{dd}_{page}.htm", PageLabel: "p:has(#curbanci)",
	Kicker: "#yinti", Headline: "#biaoti", Subtitle: "#futi", Byline: "#zuozhe", Body: "#zhenwenzone", Images: ".pics img", Drop: []string{".ad", "script"},
}

// BenchmarkRuledArticle reads an article page of 40 KB by rules.
func BenchmarkRuledArticle(b *testing.B) {
	body := []byte(`<html><title>海湾日报</title><p id=yinti>肩题</p><p id=biaoti>主题</p><div class=ad>广告</div><div id=zhenwenzone>` +
		strings.Repeat(`<P>　　这是一段用来量速度的正文，长短与常见的报道相仿，读起来没有什么意思。</P>`, 350) + `</div></html>`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		p := Parse(Source{Platform: "html", HTML: benchRules}, "http://e.cn/20261121/20261121_001/20261121_001_2.htm", "text/html", body)
		if p.Kind != "article" || p.Article.Headline != "主题" || p.Ref.Origin != "001_2" {
			b.Fatalf("%+v", p)
		}
	}
}

// hostilePages are pages made to cost: each must be read within the caps, which
// the tests of the whole package hold by not ending otherwise.
func hostilePages() map[string]string {
	rep := strings.Repeat
	var areas, bodies strings.Builder
	for i := range 6000 {
		fmt.Fprintf(&areas, `<area href="../20261121_001/20261121_001_%d.htm" title=题%d>`, i, i)
		fmt.Fprintf(&bodies, `<a class=overlink alt="Articel01%03dBC.htm" field=f%d neirong=题%[2]d></a><div class="neirong f%[2]d" daoxiang=01>`+"\n题%[2]d\n\n正文。\n</div>", i%1000, i)
	}
	return map[string]string{
		"areas":   areas.String(),
		"bodies":  bodies.String(),
		"nested":  rep("<div class='neirong f1' daoxiang=01>", 400) + "甲" + rep("</div>", 400),
		"numbers": `<script>banciArray="` + rep("001,", 20_000) + `"</script>`,
		"onclick": `<a onclick="` + rep(`go('/20261121_001_1.htm');`, 10_000) + `">甲</a>`,
		"titles":  `<a href=Page01BC.htm title="` + rep("甲<br/>", 10_000) + `">` + rep("01版", 10_000) + `</a>`,
		"lines":   `<a href=Articel01001BC.htm>题</a><div class=neirong daoxiang=01>` + rep("\n题", 50_000) + `</div>`,
		"dates":   rep("<span>2026年11月20日</span>", 20_000),
	}
}

func TestHostileEditions(t *testing.T) {
	for name, page := range hostilePages() {
		for _, at := range []string{"http://e.cn/20261121/20261121_001/20261121_001.htm", "http://e.cn/content/20261121/Page01BC.htm"} {
			for _, r := range []*HTMLRules{nil, benchRules, {Articles: "a, area, div", Pages: "a", OnClick: []string{`go\('([^']*)'\)`}, Images: "div", Captions: "a", Headline: "a", Date: "span"}} {
				p := Parse(Source{HTML: r}, at, "text/html", []byte("<html><title>河阳日报</title>"+page+"</html>"))
				if p.Page == nil {
					continue
				}
				if len(p.Page.Pages) > maxPages || len(p.Page.Refs) > maxArticles || len(p.Page.Page.Areas) > maxArticles {
					t.Errorf("%s at %s: %d pages, %d articles, %d areas", name, at, len(p.Page.Pages), len(p.Page.Refs), len(p.Page.Page.Areas))
				}
				for _, ref := range p.Page.Refs {
					if len(ref.Title) > 1<<20 || ref.Printed != nil && len(ref.Printed.Body) > maxEmbeddedBody {
						t.Errorf("%s at %s: %.100s", name, at, ref.Title)
					}
				}
			}
		}
	}
}

// FuzzRules: whatever rules and page, Check tells of every rule that would not
// do, and Parse ends with absolute URLs and articles that have an origin.
func FuzzRules(f *testing.F) {
	for _, name := range []string{"trs", "s", "h", "n"} {
		r := rulesOf(f, name+"-page")
		for _, kind := range []string{"-page", "-article"} {
			at, _, body := loadCase(f, filepath.Join("..", "testdata", "sources", "html", name+kind))
			f.Add(r.Articles, r.ArticleURL, r.PageURL, r.PageNumbers, r.PageLink, r.PageLabel, r.Body, at, body)
		}
	}
	f.Fuzz(func(t *testing.T, articles, articleURL, pageURL, numbers, link, label, selector, at string, body []byte) {
		if len(body) > 64<<10 {
			return
		}
		r := &HTMLRules{
			Articles: articles, ArticleURL: articleURL, PageURL: pageURL, PageNumbers: numbers, PageLink: link, PageLabel: label,
			Body: selector, Headline: label, Images: selector, Drop: []string{label + ".x"}, LatestURL: pageURL, OnClick: []string{articleURL},
		}
		bad := r.Check()
		s := Source{Platform: "html", URL: at, HTML: r}
		p := Parse(s, at, "text/html", body)
		if bad != nil {
			if p.Kind != "unknown" && p.Kind != "blocked" {
				t.Errorf("read with rules that cannot be used: %v", bad)
			}
			return
		}
		absolute := func(s string) {
			if u, err := url.Parse(s); err != nil || s != "" && (u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
				t.Errorf("%q is not absolute", s)
			}
		}
		if p.Article != nil {
			absolute(p.Article.URL)
			for _, i := range p.Article.Images {
				absolute(i.URL)
			}
		}
		if p.Page != nil {
			for _, q := range p.Page.Pages {
				absolute(q.URL)
			}
			for _, x := range p.Page.Refs {
				absolute(x.URL)
				if x.Origin == "" {
					t.Errorf("%+v has no origin", x)
				}
			}
		}
		d := openDocument(&url.URL{Scheme: "http", Host: "e.example", Path: "/"}, "text/html", body)
		if err := s.rule(d); err == nil && d.rules != nil {
			d.rules.latestOf(d)
			d.rules.calendarDays(d, d.url, "2026-11-01")
		}
	})
}
