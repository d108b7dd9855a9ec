package place

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"paperwire/internal/paper"
)

func finder(t testing.TB, city string) *Finder {
	t.Helper()
	f, err := load(t).City(city)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestCity(t *testing.T) {
	g := load(t)
	for code, want := range map[string]int{"410800": 11, "310000": 16, "310100": 16, "419001": 1, "500100": 38, "": 0, "441900": 0} {
		f, err := g.City(code)
		if err != nil || len(f.districts) != want {
			t.Errorf("City(%q): %v, want %d districts", code, err, want)
		}
	}
	for _, code := range []string{"4108", "410000", "410825", "999900", "焦作"} {
		if _, err := g.City(code); err == nil {
			t.Errorf("City(%q) is no error", code)
		}
	}
}

func TestEveryCityCompiles(t *testing.T) {
	g := load(t)
	for _, d := range g.rows {
		if d.Level != "city" {
			continue
		}
		f, err := g.City(d.Code)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range f.districts {
			p := f.Find(Text{Title: d.Name + c.name + "图书馆开馆", Lead: c.name + "新添一处图书馆。"})
			if c.name != d.Name && !slices.Contains(p.Sure(), c.code) {
				t.Errorf("%s: %s %s is not found in its own title: %+v", d.Name, c.code, c.name, p)
			}
			if len(p.Sure()) > 1 {
				t.Errorf("%s %s: also %v", d.Name, c.name, p.Sure())
			}
		}
	}
}

func TestWithoutCity(t *testing.T) {
	p := finder(t, "").Find(Text{PageName: "温县", Title: "温县武陟县", Lead: "温县"})
	if p.Districts == nil || len(p.Districts) > 0 || p.Reach != paper.ReachNone {
		t.Errorf("%+v", p)
	}
}

func TestEvidence(t *testing.T) {
	f := finder(t, "410800")
	for _, c := range []struct {
		name string
		text Text
		code string
		want []string // zone offset text rule sign of weight
	}{
		{"title, town and byline", Text{Title: "a 温县田里来了“机器人”", Lead: "祥云镇的麦田里……", Byline: "温县融媒体中心 某某"}, "410825", []string{"byline 0 温县 byline +", "title 2 温县 full +", "lead 0 祥云镇 town +"}},
		{"a road is rejected", Text{Title: "武陟县修路忙", Lead: "武陟路与迎宾路口，工人正在铺油。"}, "410823", []string{"title 0 武陟县 full +", "lead 0 武陟 road 0"}},
		{"a word is rejected", Text{Title: "博爱县办起竹编班", Lead: "“博爱助学”基金出资五万元。"}, "410822", []string{"title 0 博爱县 full +", "lead 1 博爱助学 word 0"}},
		{"only the page", Text{PageName: "第06版:焦作/沁阳市", Title: "村口的老井"}, "410882", []string{"page 8 沁阳市 page alone +"}},
		{"dateline", Text{Title: "堤上的灯", Lead: "本报孟州3月2日讯 夜里的堤很静。"}, "410883", []string{"lead 2 孟州 dateline +"}},
		{"another city's", Text{Title: "山阳区派人赴商洛", Lead: "商洛市山阳县的香菇大棚里，客人们看得仔细。"}, "410811", []string{"title 0 山阳区 full +"}},
	} {
		p := f.Find(c.text)
		i := slices.IndexFunc(p.Districts, func(t paper.Tag) bool { return t.Code == c.code })
		if i < 0 {
			t.Errorf("%s: no tag %s: %+v", c.name, c.code, p)
			continue
		}
		var got []string
		for _, e := range p.Districts[i].Evidence {
			sign := "0"
			if e.Weight > 0 {
				sign = "+"
			}
			got = append(got, fmt.Sprintf("%s %d %s %s %s", e.Zone, e.Offset, e.Text, e.Rule, sign))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestReach(t *testing.T) {
	f := finder(t, "410800")
	for _, c := range []struct {
		want paper.Reach
		text Text
	}{
		{paper.ReachDistrict, Text{Title: "温县办起夜校"}},
		{paper.ReachCity, Text{Title: "我市发布大风预警", Lead: "全市各校停止户外活动。"}},
		{paper.ReachCity, Text{Title: "焦作公交添新车"}},
		{paper.ReachElsewhere, Text{Title: "徐州市鼓楼区办起夜校"}},
		{paper.ReachNone, Text{Title: "一壶老酒", Lead: "窗外下着雨。"}},
		{paper.ReachNone, Text{}},
		{paper.ReachCity, Text{Title: "三夏进度", Lead: "修武县、博爱县、武陟县、温县、沁阳市、孟州市、马村区、中站区麦收过半。"}},
	} {
		if p := f.Find(c.text); p.Reach != c.want {
			t.Errorf("%+v: reach %s, want %s: %+v", c.text, p.Reach, c.want, p.Districts)
		}
	}
}

// Whatever the text, offsets point at the words, tiers follow scores, and the
// same text gives the same answer.
func TestFindHolds(t *testing.T) {
	f := finder(t, "410800")
	bits := []string{"温县", "武陟", "解放", "解放区", "路", "、", "：", " ", "徐州市", "鼓楼区", "太行街道", "我市", "全市", "籍", "来自", "（记者", "）", "《", "》", "山", "\n", "x", "\xff", "𠮷", "博爱", "县", "马村", "大封镇", "新华社", "本报", "讯", "焦作", "从", "走出", "云台山", "升", "1946年"}
	rapid.Check(t, func(t *rapid.T) {
		zone := func(name string) string {
			return strings.Join(rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(bits), rapid.StringN(0, 3, -1)), 0, 12).Draw(t, name), "")
		}
		text := Text{PageName: zone("page"), Title: zone("title"), Lead: zone("lead"), Body: zone("body"), Byline: zone("byline")}
		p := f.Find(text)
		if p.Districts == nil || p.Reach == "" {
			t.Fatalf("%+v", p)
		}
		zones := map[string]string{"page": text.PageName, "title": text.Title, "lead": text.Lead, "body": text.Body, "byline": text.Byline}
		for i, tag := range p.Districts {
			if len(tag.Evidence) == 0 || tag.Score < likelyScore || (tag.Tier == paper.Sure) != (tag.Score >= sureScore) || i > 0 && tag.Score > p.Districts[i-1].Score {
				t.Fatalf("%+v", p)
			}
			for _, e := range tag.Evidence {
				runes := []rune(zones[e.Zone])
				n := utf8.RuneCountInString(e.Text)
				if e.Offset < 0 || e.Offset+n > len(runes) || string(runes[e.Offset:e.Offset+n]) != e.Text {
					t.Fatalf("%q is not at %d of %q", e.Text, e.Offset, zones[e.Zone])
				}
			}
		}
		if again := f.Find(text); !cmp.Equal(p, again) {
			t.Fatalf("%+v, then %+v", p, again)
		}
	})
}

func TestClassify(t *testing.T) {
	g := load(t)
	in := "\ufeff" + `{"id":"a","title":"温县办起夜校","unknown":{"x":[1]}}` + "\n\n" +
		`{"id":12345678901234567890,"title":"夜里的灯","districts":["410825"]}` + "\r\n" +
		`{"title":"江宁区办起夜校 <b>","lead":"江宁区的夜校开课。","paper_city_code":"320100"}`
	var out bytes.Buffer
	if err := g.Classify(strings.NewReader(in), &out, "410800"); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines:\n%s", len(lines), out.String())
	}
	if want := `{"id":"a","reach":"district","districts":[{"code":"410825","name":"温县","tier":"sure","score":9,"evidence":[{"text":"温县","zone":"title","offset":0,"rule":"full","weight":9}]}]}`; lines[0] != want {
		t.Errorf("line 1:\n%s\nwant\n%s", lines[0], want)
	}
	if want := `{"id":12345678901234567890,"reach":"none","districts":[]}`; lines[1] != want {
		t.Errorf("line 2:\n%s\nwant\n%s", lines[1], want)
	}
	if !strings.HasPrefix(lines[2], `{"id":null,"reach":"district","districts":[{"code":"320115",`) {
		t.Errorf("line 3:\n%s", lines[2])
	}
	out.Reset()
	if err := g.Classify(strings.NewReader(""), &out, ""); err != nil || out.Len() > 0 {
		t.Errorf("nothing in: %v, %q", err, out.String())
	}
}

func TestClassifyBadLines(t *testing.T) {
	g := load(t)
	good := `{"id":1,"title":"温县"}` + "\n"
	for bad, want := range map[string]string{
		"{":                        "line 2",
		"null":                     "line 2: not a JSON object",
		`["温县"]`:                   "line 2: not a JSON object",
		`{"title":5}`:              "line 2",
		`{} {}`:                    "line 2: more than one",
		`{"paper_city_code":"99"}`: `line 2: city "99" is unknown`,
		`{"lead":"` + strings.Repeat("x", maxLine) + `"}`: "line 2: longer than 4 MB",
	} {
		var out bytes.Buffer
		err := g.Classify(strings.NewReader(good+bad+"\n"+good), &out, "410800")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %q", bad, err, want)
		}
		lines := 3 // the bad one is answered in its place, with the error
		if len(bad) > maxLine {
			lines = 1
		}
		if n := strings.Count(out.String(), "\n"); n != lines || lines == 3 && strings.Count(out.String(), `"error":"line 2: `) != 1 {
			t.Errorf("%.40s: %d lines were written:\n%s", bad, n, out.String())
		}
	}
	if err := g.Classify(strings.NewReader(good), new(bytes.Buffer), "nowhere"); err == nil {
		t.Error("an unknown city is accepted")
	}
	long, _ := json.Marshal(Item{ID: "long", Title: "温县", BodySnippet: strings.Repeat("x", maxLine-1000)})
	var out bytes.Buffer
	if err := g.Classify(bytes.NewReader(long), &out, "410800"); err != nil || !strings.Contains(out.String(), "410825") {
		t.Errorf("a line of %d bytes: %v", len(long), err)
	}
}

// TestHostile: a text made of nothing but names costs no more than reading it.
func TestHostile(t *testing.T) {
	f := finder(t, "410800")
	for _, bit := range []string{"解放", "温县", "《解放", "徐州市鼓楼区", "（记者", "太行街道", "从解放"} {
		body := strings.Repeat(bit, 1<<20/len(bit))
		p := f.Find(Text{Title: body, Lead: body, Body: body})
		for _, tag := range p.Districts {
			if len(tag.Evidence) > maxEvidence {
				t.Errorf("%s: %d pieces of evidence", bit, len(tag.Evidence))
			}
		}
	}
}

// TestTogether shares one gazetteer and one finder among goroutines; run it
// with -race.
func TestTogether(t *testing.T) {
	g := load(t)
	f := finder(t, "410800")
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			city := []string{"410800", "320100", "310000", "419001"}[i%4]
			own, err := g.City(city)
			if err != nil {
				t.Error(err)
				return
			}
			for range 20 {
				own.Find(Text{Title: "温县办起夜校"})
				if got := f.Find(Text{Title: "温县办起夜校"}).Sure(); !slices.Equal(got, []string{"410825"}) {
					t.Errorf("%v", got)
				}
				g.Resolve("wenxian", "410800")
				g.Division("410825101")
				g.Nearest("wenxan", 2)
			}
		})
	}
	wait.Wait()
}

// Sentences for the properties, with places and without.
var (
	placed    = []string{"温县的麦子黄了。", "赵堡镇的干部下了地。", "武陟县城的灯亮到半夜。", "山阳公安的巡逻车停在路口。", "沁阳、孟州的客商来了两拨。", "他是博爱县人。", "徐州市鼓楼区的客人看得仔细。", "解放路上的雨停了。", "太行街道的楼道刷了新漆。", "全市的高中开了学。", "修武的云彩很低。", "途经马村区的公交改了线。"}
	placeless = []string{"雨下了一夜。", "人们说起往年的收成。", "灯下的书翻到最后一页。", "孩子们笑了。", "机器响了半天。", "三十七个人排成一行。", "“真好。”老周说。"}
)

// The order of the body's sentences, and sentences without places among them or
// after them, change neither the tags nor their scores.
func TestSentencesAreFree(t *testing.T) {
	f := finder(t, "410800")
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.SliceOfN(rapid.SampledFrom(placed), 0, 14).Draw(t, "body")
		text := Text{
			PageName: rapid.SampledFrom([]string{"", "第05版:县区新闻", "第04版:焦作/温县", "第08版:副刊"}).Draw(t, "page"),
			Title:    rapid.SampledFrom(append([]string{"一地麦香", "我市开镰", "温县开镰", "市委常委会召开"}, placed...)).Draw(t, "title"),
			Lead:     rapid.SampledFrom(append([]string{"机器响了半天。"}, placed...)).Draw(t, "lead"),
			Body:     strings.Join(body, ""),
		}
		want := f.Find(text)
		bare := func(p paper.Placing) []string {
			s := []string{string(p.Reach)}
			for _, d := range p.Districts {
				s = append(s, fmt.Sprintf("%s %s %.2f", d.Code, d.Tier, d.Score))
			}
			return s
		}
		other := text
		other.Body = strings.Join(rapid.Permutation(body).Draw(t, "order"), "")
		if diff := cmp.Diff(bare(want), bare(f.Find(other))); diff != "" {
			t.Fatalf("in another order: %s", diff)
		}
		more := strings.Join(rapid.SliceOfN(rapid.SampledFrom(placeless), 1, 60).Draw(t, "more"), "")
		other.Body = text.Body + more
		if diff := cmp.Diff(want, f.Find(other)); diff != "" {
			t.Fatalf("with more behind it: %s", diff)
		}
		other.Body = more + text.Body
		if diff := cmp.Diff(bare(want), bare(f.Find(other))); diff != "" {
			t.Fatalf("with more before it: %s", diff)
		}
	})
}

// Every mention that was looked at is told: as evidence of a tag, or with the
// reason why it led to none.
func TestExplain(t *testing.T) {
	f := finder(t, "410800")
	for _, c := range []struct{ title, text, rule string }{
		{"武陟路修好了", "武陟", "road"},
		{"徐州市鼓楼区与山阳", "山阳", "bare"},
		{"博爱助学的种子", "博爱助学", "word"},
		{"温县籍院士的课", "温县", "origin"},
		{"途经温县的公交", "温县", "passing"},
		{"《武陟》出版", "武陟", "title of a work"},
		{"商洛市山阳的棚", "山阳", "elsewhere"},
	} {
		p, rejected := f.Explain(Text{Title: c.title})
		if len(p.Districts) > 0 || !slices.ContainsFunc(rejected, func(x Rejection) bool { return x.Text == c.text && x.Rule == c.rule && x.Code != "" }) {
			t.Errorf("%s: %+v %+v", c.title, p, rejected)
		}
	}
	if p, rejected := f.Explain(Text{Title: "夜里的灯"}); len(p.Districts)+len(rejected) > 0 {
		t.Errorf("%+v %+v", p, rejected)
	}
	if _, rejected := f.Explain(Text{Body: strings.Repeat("武陟路。", 2000)}); len(rejected) != maxRejected {
		t.Errorf("%d mentions are told, want %d", len(rejected), maxRejected)
	}
}

// Tagging an article allocates the tags and their evidence, however long it is.
func TestAllocations(t *testing.T) {
	f := finder(t, "410800")
	text := Text{PageName: "第05版:焦作/温县", Title: "温县、武陟携手治堤", Lead: "本报讯 温县赵堡镇和武陟县大封镇的堤连在一起。", Body: strings.Repeat("温县的麦子黄了，武陟的稻子青着，孟州、沁阳的客人从解放路上走过。", 400), Byline: "记者 周可"}
	f.Find(text)
	if n := testing.AllocsPerRun(50, func() { f.Find(text) }); n >= 20 {
		t.Errorf("%v allocations", n)
	}
}
