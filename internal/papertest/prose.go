package papertest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"unicode/utf8"

	"paperwire/internal/paper"
)

// Synthetic prose: sentences with gaps, by topic. In the gaps {d} is a district
// or the city, {v} a village or neighbourhood that does not exist, {p} and {q}
// people, {n} a small number, {m} a larger one, {o} a body.

// districts of 焦作 (410800) as papers write them.
var districts = []string{"解放区", "中站区", "马村区", "山阳区", "修武县", "博爱县", "武陟县", "温县", "沁阳市", "孟州市"}

// pageNames are the pages of a synthetic edition, in order; more are numbered.
var pageNames = []string{"要闻", "焦作/温县·马村区", "民生", "文化", "经济", "教育·健康", "体育", "副刊"}

// onPage are the districts that a page's own name promises.
var onPage = map[string][]string{"焦作/温县·马村区": {"温县", "马村区"}}

var villages = []string{
	"青石桥村", "槐荫社区", "柳湾村", "杏林街", "望河社区", "石榴湾村", "北塬村", "南窑社区", "桃花岭村", "双井村",
	"枣园社区", "芦花渡村", "三棵榆村", "丰乐里社区", "竹影村", "麦香社区", "栗子沟村", "清泉社区", "小寨坡村", "合欢街",
}

var (
	surnames = []rune("赵钱孙周吴郑冯陈褚蒋沈韩杨朱秦许何吕张孔曹严华金魏陶姜谢邹苏潘葛范彭鲁韦马苗方俞任袁柳")
	givens   = []string{"砚秋", "望舒", "立夏", "松年", "知远", "怀瑾", "思齐", "云舟", "北辰", "念慈", "青禾", "书禾", "田", "冬梅", "小满", "建川", "秀兰", "麦收", "长河", "雨桐"}
)

type topic struct {
	heads, subs []string
	body        []string
}

var topics = []topic{
	{
		[]string{"{d}{n}条乡村道路完成提升改造", "{v}通上公交车 {d}打通出行“最后一公里”", "{d}新修便民桥{n}座"},
		[]string{"——{v}村民出行记", "群众出行更加顺畅", ""},
		[]string{
			"清晨六点半，{v}村口的候车亭里已经站了{n}位等车的村民。过去要走上四十分钟才能到镇上，如今坐公交只要一刻钟。",
			"据了解，这次改造的道路总长{m}米，路面由原来的三米半拓宽到五米，沿线新装路灯{n}盏，弯道处全部加装了反光镜。",
			"“路修好了，菜贩子把车直接开到地头，一斤能多卖两毛钱。”种了半辈子菜的{p}掰着指头算起账来，脸上满是笑意。",
			"施工期间，养护站的工人们错开早晚高峰作业，在每个路口都留出了一条临时便道。站长{q}说，能少耽误一家人吃早饭，就少耽误一家。",
			"为了让路修得好也管得好，{d}从沿线村庄聘请了{n}名护路员，每人负责一段，落叶、积水、坑槽随时上报。",
		},
	},
	{
		[]string{"{d}小麦返青期管理忙", "{v}大棚番茄抢“鲜”上市", "{d}{m}亩高标准农田迎来春灌"},
		[]string{"农技员走进田间地头", "——一粒种子背后的{n}次试验", ""},
		[]string{
			"走进{v}的麦田，一台台喷灌机缓缓移动，水雾在阳光下划出一道道彩虹。种粮大户{p}蹲在地头，扒开土层查看墒情。",
			"“去年秋天雨水多，播种比往年晚了{n}天，今年开春就得早追肥、早控旺。”农技员{q}一边说一边在本子上记下每块地的苗情。",
			"{d}农业部门把全区的麦田按苗情分成三类，一块地一张卡片，什么时候浇水、施多少肥，都写得明明白白。",
			"记者从{o}获悉，今年春灌预计用水比去年同期减少一成，靠的是新铺的{m}米地埋管道和田头的智能水表。",
			"眼下，合作社的{n}架植保无人机已经检修完毕，只等一个无风的早晨就能下地。",
		},
	},
	{
		[]string{"{d}{n}所学校课后服务添新课", "{v}小学的孩子有了自己的气象站", "{d}为{m}名学生免费检查视力"},
		[]string{"让每个孩子都有一项爱好", "", "——{p}老师和她的种植课"},
		[]string{
			"下午四点半，铃声一响，{v}小学的操场立刻热闹起来。有人奔向篮球架，有人抱着二胡走进音乐教室，还有{n}个孩子径直跑向菜园。",
			"“以前放学没人接，只能在校门口等。现在学会了做豆腐，还给奶奶做过一回。”五年级学生{p}说。",
			"据介绍，这些课程由教师和返乡的手艺人共同开设，每学期开课前先听取家长意见，不收取任何费用。",
			"校长{q}告诉记者，开课一年来，学校近视新增人数比上一学年下降了近三成，体质测试优良率提高了{n}个百分点。",
			"{o}有关负责人表示，下一步将让城区的老师每周到村小上一天课，把好课送到更远的教室。",
		},
	},
	{
		[]string{"{d}家庭医生签约服务进院落", "{v}卫生室添了“远程诊室”", "{d}{n}家社区医院周末不停诊"},
		[]string{"小病不出村 取药不跑腿", "", "——记乡村医生{p}"},
		[]string{
			"“大娘，血压比上周稳多了，盐还得再少放一点。”昨天上午，乡村医生{p}背着药箱走进{v}，挨家给慢性病老人复查。",
			"这条路他走了{n}年，哪家的门朝哪边开、哪位老人怕打针，他心里都有一本账。",
			"去年冬天，卫生室装上了远程会诊设备，疑难的片子十分钟就能传到上级医院，{m}多位村民因此少跑了一趟远路。",
			"{o}介绍，今年将为全部村级卫生室配齐心电图机，并把常用药目录从过去的八十种增加到一百二十种。",
			"在候诊的长椅上，{q}老人说，最让他安心的不是机器，是医生记得住他的名字。",
		},
	},
	{
		[]string{"{v}老旧小区换新颜", "{d}今年改造老旧小区{n}个", "{d}{n}处口袋公园开门迎客"},
		[]string{"居民的事居民商量着办", "——{v}的议事长廊", ""},
		[]string{
			"在{v}的议事长廊里，十几位居民围坐一圈，为楼前那块空地该种树还是该停车争得面红耳赤。",
			"争了三个晚上，最后定下的方案是：中间种树，两侧停车，留一块铺上沙子给孩子们玩。施工图由退休的工程师{p}画成。",
			"“以前下雨天得穿雨靴回家，现在下水道通了，墙也补了，连信箱都是新的。”住在这里{n}年的{q}说。",
			"据社区统计，改造共更换管道{m}米，新增停车位五十多个，没有一户因为施工搬走。",
			"{o}表示，今后每个项目完工满半年，都要回头再听一次居民的意见，不满意的地方继续改。",
		},
	},
	{
		[]string{"{d}一企业新生产线投产", "{d}{n}个项目集中开工", "小齿轮转出大市场 {d}企业闯出新路"},
		[]string{"当年签约 当年投产", "", "关键零件实现自己造"},
		[]string{
			"机器一启动，{n}条机械臂同时扬起，一块块钢板经过切割、打磨、喷涂，不到十分钟就变成了成品。",
			"车间主任{p}介绍，新线投产后，产量比过去翻了一番，用电量却下降了两成，次品率控制在千分之三以内。",
			"这家从作坊起步的企业，二十年里搬了三次家，最难的时候账上只剩下{m}块钱。负责人{q}说，撑下来靠的是不肯糊弄。",
			"项目落地过程中，{d}派出专人帮助办理手续，从递交材料到拿到许可只用了{n}个工作日。",
			"记者从{o}获悉，今年一季度，全区规模以上工业企业用电量同比增长，订单普遍排到了秋天。",
		},
	},
	{
		[]string{"{d}河道里的白鹭又回来了", "{v}的{n}口老井重新出水", "{d}完成造林{m}亩"},
		[]string{"一条河和两岸人家的约定", "", "——护林员{p}的一天"},
		[]string{
			"太阳刚升起来，{p}就架好了望远镜。取景框里，{n}只白鹭正在浅滩上踱步，时不时把长喙探进水里。",
			"十年前，这段河道还是沙坑连着沙坑。{d}清退采砂场、种下芦苇，又花了三年时间等它自己好起来。",
			"“水清了，鱼就来；鱼来了，鸟就来；鸟来了，人也就来了。”护河员{q}这样总结。",
			"监测显示，去年河水水质全年保持在三类以上，沿岸记录到的鸟类达到{n}种，其中三种是头一回出现。",
			"{o}提醒，眼下正是候鸟停歇的时节，观鸟请勿投喂，也不要在芦苇荡附近放飞无人机。",
		},
	},
	{
		[]string{"{v}的戏台又唱响了", "{d}农家书屋办起夜读会", "{d}非遗手艺人走进课堂"},
		[]string{"——老剧团的新观众", "一盏灯 一屋书", ""},
		[]string{
			"锣鼓一响，{v}的老戏台前坐满了人，连墙头上都趴着孩子。台上唱的是老戏，扮戏的却多是二十来岁的年轻人。",
			"剧团团长{p}今年六十七岁，一生收过{n}个徒弟，走得最远的一个如今在南方的剧院里唱主角。",
			"为了让老调子有人听，剧团把演出挪到了傍晚，散场时在台口摆上热茶，谁有意见都可以当面提。",
			"“头一回听懂了我爷爷哼的是什么。”看完演出，放寒假回家的大学生{q}特地跑到后台道谢。",
			"据{o}介绍，今年将有{n}支民间剧团得到排练场地的支持，全年下乡演出不少于三百场。",
		},
	},
	{
		[]string{"{d}消防演练进{v}", "{d}为{m}户老人更换燃气软管", "{v}网格员巡查记"},
		[]string{"把隐患排除在开火之前", "", "——{p}的一本台账"},
		[]string{
			"“捂住口鼻，弯下腰，跟着前面的人走！”随着一声哨响，{v}的居民有序撤离到空地，全程用时不到{n}分钟。",
			"网格员{p}的台账上记着每一户的情况：谁家有卧床的老人，谁家的电动车还停在楼道里，谁家换过热水器。",
			"今年以来，{d}已上门检查{m}户，更换老化的软管和阀门，费用由保险和社区共同承担。",
			"“换一根管子只要十分钟，可要是不换，谁也不知道哪天会出事。”维修工{q}收拾着工具说。",
			"{o}提醒市民，春季风大物燥，出门前务必检查火源，不要占用消防通道。",
		},
	},
	{
		[]string{"{d}春季长跑{n}公里开跑", "{v}的乡村篮球队打进决赛", "{d}{n}片球场免费开放"},
		[]string{"有人为了成绩 有人为了早饭", "", "——一支由菜农组成的球队"},
		[]string{
			"发令枪响，{m}名跑者从广场涌出，跑在最前面的是一位送快递的小伙子，跑在最后的是推着婴儿车的一家三口。",
			"{v}的球队没有教练，队长{p}白天在大棚里摘菜，晚上带着大家在晒谷场上练球，灯是从拖拉机上接的。",
			"决赛打得难解难分，离终场还有{n}秒时，场上只差一分。看台上的鼓点越来越急，连裁判都忍不住看了一眼。",
			"“输赢都请客，羊是我家的。”替补队员{q}的一句话，把两队人都逗笑了。",
			"{o}表示，今年还将举办乡村足球赛和登山赛，报名不设门槛，只要有一双合脚的鞋。",
		},
	},
}

var general = []string{
	"采访中，不少群众表示，这样的变化看得见、摸得着，希望能一直坚持下去。",
	"“事情要一件一件办，话要一句一句听。”{p}说，他手机里存着{m}个号码，谁打来都接。",
	"一位路过的老人停下脚步，看了好一会儿，才对记者说：“我在这儿住了一辈子，头一回见这么干净。”",
	"记者了解到，类似的做法今年还将在更多的地方推开，具体安排会提前在公告栏和网上公布。",
	"夜色渐深，灯一盏一盏亮起来。{p}锁好门，又回头看了一眼，才放心地往家走。",
	"从去年冬天到今年春天，前后开了{n}次会，改了四稿，最后的方案贴在了每一个楼栋的门口。",
	"算下来，平均每户一年能省下{m}元，虽然不多，但大家觉得值。",
	"当天，来自邻近乡村的代表也前来学习，{q}把自己的笔记本借给他们抄了一个下午。",
}

var bodies = []string{"有关部门", "主管部门", "项目指挥部", "街道办事处", "相关单位"}

// writer fills the gaps of one article; it is deterministic.
type writer struct {
	rng   *rand.Rand
	names map[string]string
}

func (w *writer) one(list []string) string { return list[w.rng.IntN(len(list))] }

func (w *writer) person() string {
	return string(surnames[w.rng.IntN(len(surnames))]) + w.one(givens)
}

func (w *writer) fill(s string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '{')
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		switch gap := s[i+1]; gap {
		case 'n':
			b.WriteString(strconv.Itoa(3 + w.rng.IntN(47)))
		case 'm':
			b.WriteString(strconv.Itoa(120 + w.rng.IntN(9000)))
		default:
			// People and places keep their names throughout an article.
			b.WriteString(w.names[string(gap)])
		}
		s = s[i+3:]
	}
}

// compose writes the synthetic edition of a day.
func (p *Publisher) compose(day paper.Day) []Page {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, _ := strconv.ParseUint(day.Compact(), 10, 64)
	rng := rand.New(rand.NewPCG(uint64(p.opts.Seed), n))
	count := p.opts.Pages
	if count < 0 {
		count = 4
	}
	pages := make([]Page, count)
	for i := range pages {
		pages[i] = Page{Number: fmt.Sprintf(cmp.Or(layouts[p.form].number, "%02d"), i+1), Name: pageNames[i%len(pageNames)]}
		if round := i / len(pageNames); round > 0 {
			pages[i].Name += string([]rune("②③④⑤⑥⑦⑧⑨")[min(round-1, 7)])
		}
		if p.opts.City != "410800" {
			pages[i].Name = strings.Replace(pages[i].Name, "焦作/温县·马村区", "城乡", 1)
		}
		for j := range p.opts.ArticlesPerPage {
			pages[i].Articles = append(pages[i].Articles, p.write(rng, pages[i].Name, i*p.opts.ArticlesPerPage+j, j))
		}
	}
	return pages
}

// write is one synthetic article; ordinal is its place in the edition and
// position its place on the page, both from 0.
func (p *Publisher) write(rng *rand.Rand, pageName string, ordinal, position int) Article {
	w := &writer{rng: rng}
	district := "我市"
	if p.opts.City == "410800" {
		if own := onPage[pageName]; own != nil {
			district = w.one(own)
		} else if rng.IntN(10) < 7 {
			district = w.one(districts)
		}
	}
	w.names = map[string]string{"d": district, "v": w.one(villages), "p": w.person(), "q": w.person(), "o": w.one(bodies)}
	t := topics[rng.IntN(len(topics))]
	a := Article{Headline: w.fill(w.one(t.heads))}
	for i := 2; p.used[a.Headline]; i++ {
		// A paper does not print the same headline twice within days.
		w.names["v"] = w.one(villages)
		a.Headline = w.fill(w.one(t.heads))
		if i > 8 {
			a.Headline = w.names["v"] + "：" + w.fill(w.one(t.heads))
		}
		if i > 24 {
			a.Headline += "（" + strconv.Itoa(i) + "）"
		}
	}
	p.used[a.Headline] = true
	if rng.IntN(3) == 0 {
		a.Kicker = w.fill(w.one([]string{"春到{d}", "民生实事看进展", "走基层·{v}", "高质量发展一线观察"}))
	}
	a.Subtitle = w.fill(w.one(t.subs))
	lines := append([]string{}, t.body...)
	rng.Shuffle(len(lines)-1, func(i, j int) { lines[i+1], lines[j+1] = lines[j+1], lines[i+1] })
	extra := append([]string{}, general...)
	rng.Shuffle(len(extra), func(i, j int) { extra[i], extra[j] = extra[j], extra[i] })
	lines = append(lines, extra...)
	want := 300 + rng.IntN(300) // characters
	if rng.IntN(5) == 0 {
		// A round-up is longer and has a second subject.
		lines = append(lines, topics[rng.IntN(len(topics))].body...)
		want += 600
	}
	length := 0
	if district != "我市" {
		// The lead says where: 温县青石桥村.
		lines[0] = strings.Replace(lines[0], "{v}", "{d}{v}", 1)
	}
	for i, line := range lines {
		if length >= want && i >= 5 {
			break
		}
		s := w.fill(line)
		length += utf8.RuneCountInString(s)
		// Two sentences make a paragraph now and then.
		if n := len(a.Paragraphs); n > 1 && rng.IntN(3) == 0 {
			a.Paragraphs[n-1] += s
		} else {
			a.Paragraphs = append(a.Paragraphs, s)
		}
	}
	reporter, other := w.person(), w.person()
	switch ordinal % 6 {
	case 0:
		a.Byline = "本报讯（记者 " + reporter + "）"
	case 1:
		a.Byline = "本报讯（记者 " + reporter + " 通讯员 " + other + "）"
	case 2:
		a.Byline = "■ 本报记者 " + reporter
	case 3:
		a.Byline = "□本报记者" + reporter + "\n通讯员" + other + " 文/摄"
	case 4:
		a.Paragraphs[len(a.Paragraphs)-1] += "（" + reporter + "）"
	case 5:
		a.Author = reporter
	}
	if position == 0 {
		a.Images = append(a.Images, Image{Caption: w.fill("图为{v}一景。") + "　" + other + " 摄"})
	}
	if ordinal%7 == 5 {
		a.Images = append(a.Images, Image{Format: "png", Width: 240, Height: 160, Inline: true, Caption: "示意图"})
	}
	return a
}
