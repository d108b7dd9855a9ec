package ingest

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"paperwire/internal/paper"
)

func sectionsOf(t *testing.T, rules []sectionRule) *sectionTable {
	t.Helper()
	table, err := compileSections(rules)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestFile(t *testing.T) {
	table := sectionsOf(t, []sectionRule{
		{Slug: "yaowen", Name: "要闻", Match: []string{"要闻", "头版"}, Pages: []string{"01", "A01"}},
		{Slug: "minsheng", Name: "民生", Match: []string{"民生*", "城市"}, Was: []string{"life"}},
		{Slug: "ads", Name: "公益", Match: []string{"公益广告"}},
		{Slug: "fukan", Name: "副刊", Match: []string{"*副刊"}},
		{Slug: "shijie", Name: "国际视野"},
	})
	for _, tt := range []struct {
		number, name, columns, want string
	}{
		{"05", "要闻", "", "yaowen"},
		{"05", "要 闻", "", "yaowen"},
		{"01", "", "", "yaowen"},
		{"a01", "", "", "yaowen"},
		{"1", "", "", ""},
		{"05", "要闻·公益广告", "", "yaowen ads"},
		{"05", "时事·体育", "", "shishi-tiyu"},
		{"05", "民生新闻", "", "minsheng"},
		{"05", "百姓民生", "", "baixingminsheng-"},
		{"05", "城市・民生", "", "minsheng"},
		{"05", "大河副刊", "", "fukan"},
		{"05", "副刊", "", "fukan"},
		{"05", "要闻②", "", "yaowen"},
		{"05", "国际视野", "", "shijie"},
		{"05", "世界", "", "shijie-"}, // the operator gave shijie to another name
		{"05", "视界", "", "shijie-"},
		{"05", "体育", "", "tiyu"},
		{"05", "体育", "要闻,足球", "yaowen tiyu"},
		{"", "", "足球,篮球", "zuqiu-"},
		{"", "", "民生,足球", "minsheng"},
		{"", "", "", ""},
		{"04", "焦作/温县·马村区", "", "jiaozuo-wenxian-macunqu-"},
		{"04", "Sport", "", "sport-"},
		{"04", "sport", "", "sport"},
		{"04", "···", "", ""},
	} {
		var columns []string
		if tt.columns != "" {
			columns = strings.Split(tt.columns, ",")
		}
		got := table.file(paper.PageRef{Number: tt.number, Name: tt.name}, columns)
		var slugs []string
		for _, s := range got {
			if !slugForm.MatchString(s.Slug) || s.Name == "" {
				t.Errorf("%s %s: section %+v", tt.number, tt.name, s)
			}
			slugs = append(slugs, s.Slug)
		}
		want := strings.Fields(tt.want)
		ok := len(want) == len(slugs)
		for i := 0; ok && i < len(want); i++ {
			if hash, open := strings.CutPrefix(slugs[i], want[i]); open && strings.HasSuffix(want[i], "-") {
				ok = len(hash) == 4
			} else {
				ok = slugs[i] == want[i]
			}
		}
		if !ok {
			t.Errorf("page %s %q, columns %q: %v, want %v", tt.number, tt.name, tt.columns, slugs, want)
		}
	}
	series := func(name string) paper.Section { return table.file(paper.PageRef{Number: "06", Name: name}, nil)[0] }
	if a, b := series("云州的历史性变革⑧"), series("云州的历史性变革（九）"); a != b || a.Name != "云州的历史性变革" {
		t.Errorf("pages of one series: %+v, %+v", a, b)
	}
	if a, b := series("世界"), series("视界"); a.Slug == b.Slug {
		t.Errorf("homophones share the slug %s", a.Slug)
	}
	whole := series("焦作/温县·马村区")
	if whole.Name != "焦作/温县·马村区" {
		t.Errorf("a page of districts is the section of its whole name: %+v", whole)
	}
}

func TestCompileSectionsNamesThePlace(t *testing.T) {
	_, err := compileSections([]sectionRule{
		{Slug: "yaowen", Name: "要闻"},
		{Slug: "Yao Wen", Name: "要闻"},
		{Slug: "yaowen", Name: "头版", Was: []string{"-x"}},
		{Slug: "tiyu", Name: "体育", Match: []string{"*"}, Was: []string{"yaowen"}},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`sections[1].slug: bad slug "Yao Wen"`, `sections[2].slug: slug "yaowen" stands already at sections[0].slug`, `sections[2].was[0]: bad slug "-x"`,
		`sections[3].match[0]: "*" matches nothing`, `sections[3].was[0]: slug "yaowen"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
}

// The slugs of the names that most papers use: URLs that must never change, not
// even with another version of the pinyin library.
func TestSlugsAreForEver(t *testing.T) {
	for name, want := range map[string]string{
		"要闻": "yaowen", "头版": "touban", "综合新闻": "zonghexinwen", "副刊": "fukan", "时政": "shizheng", "县区": "xianqu", "公益广告": "gongyiguanggao",
		"法治": "fazhi", "旅游": "lvyou", "都市": "dushi", "音乐": "yinyue-db95", "重庆": "chongqing-ea31", "焦作/温县·马村区": "jiaozuo-wenxian-macunqu-5698",
		"世界": "shijie", "视界": "shijie-2770", "要闻·公益广告": "yaowen-gongyiguanggao", "Ａ叠": "die-9ad3", "！？": "ban-06e4", "云州@河南": "yunzhou-henan-a022",
		"一个非常非常非常非常非常非常非常非常非常长的版面名称": "yigefeichangfeichangfeichangfeichangfeichangfeic-a053",
	} {
		if got := slugOf(name); got != want {
			t.Errorf("%q: %q,", name, got)
		}
	}
	seen := map[string]string{}
	for name := range plainSlugs {
		s := slugOf(name)
		if before := seen[s]; before != "" {
			t.Errorf("%s and %s share the slug %s", name, before, s)
		}
		seen[s] = name
		if strings.Contains(s, "-") {
			t.Errorf("%s: %s", name, s)
		}
	}
}

func TestSlugProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		s := slugOf(name)
		if !slugForm.MatchString(s) {
			t.Fatalf("%q: slug %q", name, s)
		}
		table, _ := compileSections(nil)
		for _, sec := range table.file(paper.PageRef{Number: "02", Name: name}, []string{name}) {
			if !slugForm.MatchString(sec.Slug) || sec.Name == "" {
				t.Fatalf("%q: section %+v", name, sec)
			}
		}
	})
}
