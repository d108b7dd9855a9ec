package place

import (
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// What follows a name decides what the name means: 山阳路 is a road, 山阳公安 the
// district's police. The longest phrase counts, so that 山药 is not a mountain
// and 街头 no street.
const (
	afterNothing int32 = iota
	afterOrgan         // a body, a people or a part of the district: the name is meant
	afterRoad
	afterStation
	afterRiver
	afterThing
	afterBrand
	afterOrigin // where somebody comes from, not where it happens
	afterComer  // people who may have come here from the place: 滦南养殖户上门学技术
)

var afterPhrases = map[int32]string{
	afterNothing: "线上 线下 街道 街头 街坊 街区 街上 街边 街舞 山药 山区 山村 山乡 山林 山水 山楂 山歌 山羊 山地 山货 河长 河道 河段 江段 湖羊 玉米 石榴 石材 石化 石匠 站稳 站点 站位 桥梁 桥头 " +
		"路段 路灯 路网 路长 路政 泉水 松树 塔吊 寺庙 火车站 高铁站 汽车站 客运站 动车站 港口 机场 国际机场 国际会展 王先生 王女士 王某 石某 松茸 人民 人才 人大 人社",
	afterOrgan: "公安 法院 检察 检方 警方 交警 消防 刑警 特警 巡警 民警 辅警 派出所 税务 供电 电力 烟草 邮政 移动公司 联通公司 电信公司 农商银行 农商行 农信 联社 一中 二中 三中 四中 五中 六中 七中 八中 " +
		"高级中学 实验中学 实验小学 高中 中学 中专 职专 职高 职教 师范 县委 区委 市委 委宣传 政府 人大 政协 纪委 监委 纪检 统战 政法 组织部 宣传部 融媒 广电 电视台 文旅 文广 文化馆 图书馆 博物馆 教育局 教体 " +
		"民政 人社 住建 自然资源 生态环境 环保 农业农村 农业局 水利 林业 交通运输 交通局 应急 市场监管 市监 城管 城市管理 卫健 卫生 疾控 妇幼 人民医院 中医院 信访 司法 审计 统计 财政 发改 工信 商务局 科技局 " +
		"国资 医保 退役军人 妇联 团委 共青团 工会 总工会 残联 红十字 文联 科协 工商联 关工委 武装部 人武部 气象 公路局 国土 规划局 行政服务 政务服务 产业集聚区 开发区 高新区 经开区 工业园 产业园 县城 城区 城关 群众 人民 " +
		"百姓 市民 居民 村民 农民 干部 各界 各地 全县 全区 全域 全境 境内 辖区 等地 等县 等区 撤县 撤市 分局 分公司 支行 乡村 县域 综合实验区 烈士陵园 某局 某镇 某乡 某街道 某单位 某村 委、 委书记 委副书记 委常委 区长 县长 副县长 副区长 委办 " +
		"两区 两县 两地 两市 三区 三县 三地 三市 四区 四县 四地 五区 五地 民兵 环卫 园林 审批局 信用社 供销社 老年大学 党校 机关 街道办 片区 老城 新城 古城 县域 大学城",
	afterRoad:    "路 大道 大街 街 巷 胡同 东路 西路 南路 北路 中路 东街 西街 南街 北街 中街 老街 新街 塘路 环路 环城路 环线 连接线 大堤路 一路 二路 三路 四路 五路 六路 七路 东一路 东二路 西一路 西二路 南一路 南二路 北一路 北二路 快速路 机场高速 机场路 机场高架 绕城高速 立交 高架 隧道 大桥 桥 路口 东大街 西大街 南大街 北大街",
	afterStation: "站 收费站 高速 服务区 互通 下站口 高速口 立交桥 枢纽",
	afterRiver:   "河 塘河 运河 江 湖 溪 岛 湾 山 峰 岭 峡 水库 古道",
	afterThing:   "玉 石 松 岩 拳 剑 寺 塔 宫 阁 窑 帖 碑 公国 王 侯 太守 郡 古国",
	afterBrand:   "股份 集团 汽车 钢铁 能源 药业 重工 证券 银行 保险 基金 信托 电器 实业 控股 酒店 大酒店 饭店 国际酒店 大厦 宾馆 牌 酒业 啤酒 造船 地产 置业 万达 医院 国际 建国饭店 影城 科技公司 有限公司 传媒",
	afterOrigin:  "籍 人氏 人， 人。 人、 人） 人； 人, 人) 客商 游客 商人 老乡 商会 姑娘 小伙 媳妇 女婿 走出 出生 户籍 老家 县人， 县人。 人的他 人的她 来的 的客商 的游客 的客人 的老乡 来客 旅客",
	afterComer:   "养殖户 种植户 农户 果农 茶农 菜农 花农 渔民 老农 同行 老板 学员 师生 读者 戏迷 球迷 车友 驴友",
}

// The same before a name; several may hold at once.
const (
	beforeOrigin int32 = 1 << iota // where somebody comes from
	beforePassing
	beforeVisit // the visitors' own place is what the text is about
	beforePaper // 本报: a dateline's place follows
	beforeLeave // 从: it matters what follows
	beforePerson
	beforePrefix // County of: the name is meant
)

// language is what the tagger knows of the words around names.
type language struct {
	words  bool     // names stand between spaces, with capitals; else anywhere
	after  *trie    // class of what follows a name
	before *trie    // reversed; bits of what stands before one
	whole  []string // words for the whole city, where words is set
}

func newLanguage(words bool, after, before map[int32][]string) *language {
	l := &language{words: words, after: newTrie(2048), before: newTrie(512)}
	for class := afterNothing; class <= afterComer; class++ {
		for _, p := range after[class] {
			l.after.add(p, class)
		}
	}
	bits := map[string]int32{}
	for bit, list := range before {
		for _, p := range list {
			bits[reversed(p)] |= bit
		}
	}
	for p, b := range bits {
		l.before.add(p, b)
	}
	return l
}

func reversed(s string) string {
	r := []rune(s)
	slices.Reverse(r)
	return string(r)
}

var chinese = sync.OnceValue(func() *language {
	after := map[int32][]string{}
	for class, list := range afterPhrases {
		after[class] = strings.Fields(list)
	}
	return newLanguage(false, after, map[int32][]string{
		beforeOrigin:  {"来自", "生于", "他生在", "她生在", "我生在", "，生在", "出生于", "出生在", "祖籍", "籍贯", "原籍", "老家", "老家在", "老家是", "家在", "嫁到", "嫁给", "毕业于", "曾任", "历任", "户籍地", "曾在", "出身", "家乡", "故乡", "离开", "告别", "离别"},
		beforePassing: {"途经", "途径", "绕行", "驶往", "开往", "发往", "毗邻", "相邻", "接壤", "学习", "借鉴", "对标", "距", "距离", "紧邻", "比邻", "东邻", "西邻", "南邻", "北邻", "东接", "西接", "南接", "北接", "东临", "西临", "南临", "北临", "邻县", "邻近"},
		beforeVisit:   {"前往", "赴", "远赴", "奔赴"},
		beforePaper:   {"本报", "本报驻"},
		beforeLeave:   {"从"},
	})
})

// followed gives the class of what follows a name.
func (l *language) followed(rest string) int32 {
	class, _ := l.after.prefix(rest)
	return max(class, afterNothing)
}

// preceded gives the bits of what stands right before a name.
func (l *language) preceded(before string) (bits int32) {
	node := int32(0)
	for before != "" {
		r, size := utf8.DecodeLastRuneInString(before)
		if node = l.before.child(node, r); node < 0 {
			break
		}
		if t := l.before.terms[node]; t > 0 {
			bits |= t
		}
		before = before[:len(before)-size]
	}
	return bits
}

var (
	visitWords = []string{"学习", "考察", "参观", "取经", "观摩", "交流", "求学", "务工"}
	// After 从: 从孟州走出的院士, 从解放区走失
	leaveWords = []string{"走出", "走失", "来到", "来的", "赶来", "赶到", "出发", "考入", "考上", "嫁", "赴", "调任", "前往", "回到", "驱车"}
	// Behind another place: people who have come from there.
	visitors = []string{"客人", "客商", "游客", "考察团", "代表团", "嘉宾", "专家", "来宾", "企业家", "学者", "选手", "教授", "籍", "人", "商人", "的客", "的游客", "的考察团", "的专家", "的嘉宾", "的选手"}
	// What people have come for who come from the place named.
	comeWords = []string{"上门", "前来", "赶来", "远道", "慕名", "专程来", "来取经", "来学", "来考察", "来参观", "来观摩", "来我", "来咱"}
	// 从温县农村走进北大
	riseWords   = []string{"走出", "走进", "走向", "走到", "考进"}
	homeWords   = []string{"喜报", "家乡", "故里", "返乡", "回乡", "故乡", "荣归"}
	honourWords = []string{"喜报", "报喜"}
	waterside   = []string{"两岸", "沿岸", "岸边", "畔", "江边", "河边", "湖边", "边上", "流域", "水面", "江面", "河面", "湖面", "水位", "水质", "堤", "上游", "中游", "下游", "干流", "支流", "大桥", "水系"}
	kinds       = []string{"县", "区", "市"} // of divisions: what stands between is a name
	hillside    = []string{"山顶", "脚下", "之巅", "主峰", "山脚", "上的树"}
	// Titles of what goes through the city district by district.
	bulletins = []string{"天气", "气象", "预报", "空气质量", "停电", "停水", "停气", "水位", "雨情", "汛情", "菜价", "考点", "网点一览"}
	eraWords  = []string{"抗日", "抗战", "八路军", "新四军", "根据地", "红军", "解放战争", "民国", "游击", "晋察冀", "晋冀鲁豫", "边区", "国民党", "日寇", "土改", "渡江", "淮海战役", "老区人民", "敌后", "193", "194"}
	cultural  = []string{"副刊", "文史", "科普", "文学", "读书", "人文", "国学", "往事", "历史", "诗", "文艺", "艺术", "书画", "随笔", "连载", "小说", "美食", "养生"}
	nationals = []string{"国内", "国际", "天下", "环球", "时事", "世界", "全国", "中国新闻", "省内", "财经", "证券", "域外"}
	// Bodies of the whole city. A county's stands there under its name.
	cityOrgans = []string{"市委", "市政府", "市人大", "市政协", "市纪委", "市监委", "市长"}
	agencies   = []string{"新华社", "人民日报", "中新社", "央视", "光明日报", "经济日报", "据《", "中国新闻"}
	pageTails  = []string{"新闻", "专版", "专刊", "专题", "之窗", "视窗", "周刊", "时讯", "要闻", "频道", "版", "特刊", "县", "区", "市", "时空", "看点", "播报", "融媒", "导刊", "记者站"}
)

func hasAnyPrefix(s string, list []string) bool {
	for _, x := range list {
		if strings.HasPrefix(s, x) {
			return true
		}
	}
	return false
}

func hasAnySuffix(s string, list []string) bool {
	for _, x := range list {
		if strings.HasSuffix(s, x) {
			return true
		}
	}
	return false
}

func containsAny(s string, list []string) bool {
	for _, x := range list {
		if strings.Contains(s, x) {
			return true
		}
	}
	return false
}

// clause is the rest of the clause, at most n runes.
func clause(s string, n int) string {
	for i, r := range s {
		if n == 0 || strings.ContainsRune("，。；！？：\n,;!?", r) {
			return s[:i]
		}
		n--
	}
	return s
}

// titled: the name stands inside 《》, so it is part of a work's title (《白鹿原》).
func titled(before, rest string) bool {
	before, rest = before[max(0, len(before)-120):], rest[:min(120, len(rest))]
	open := strings.LastIndex(before, "《")
	if open < 0 || strings.Contains(before[open:], "》") {
		return false
	}
	end := strings.IndexAny(rest, "》《")
	return end >= 0 && strings.HasPrefix(rest[end:], "》")
}

// particles may stand right before a place's name.
const particles = "在到从由和与及赴为对将向把让的于至给以经是往进访抵看游驻助跟同即如像即或称唤走去来了过县区市"

// boundary says whether a name that is also a word may begin after the given text.
func boundary(before string) bool {
	r, _ := utf8.DecodeLastRuneInString(before)
	return before == "" || !unicode.Is(unicode.Han, r) || strings.ContainsRune(particles, r)
}
