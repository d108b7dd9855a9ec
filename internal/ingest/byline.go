package ingest

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"paperwire/internal/paper"
)

// credits are what a byline says.
type credits struct {
	people []paper.Person
	agency string // the other paper or agency
	// pictures: who wrote it took its pictures too (文/摄).
	pictures bool
	titled   bool   // a role stood in it (记者, 通讯员, 摄 …), not bare names only
	giver    string // the office that the pictures come from (图片由市档案馆提供)
	filed    bool   // the pictures are the paper's old ones, or somebody else's (资料图片)
}

// join adds what another byline of the same article says.
func (c *credits) join(got credits) {
	c.people = mergePeople(c.people, got.people)
	c.agency = cmp.Or(c.agency, got.agency)
	c.pictures = c.pictures || got.pictures
	c.giver = cmp.Or(c.giver, got.giver)
	c.filed = c.filed || got.filed
}

func (c *credits) add(name string, role paper.Role) {
	c.people = mergePeople(c.people, []paper.Person{{Name: name, Role: role}})
}

// mergePeople adds people without doubles. A role that was printed replaces
// author, which only means that none was.
func mergePeople(have, more []paper.Person) []paper.Person {
	for _, p := range more {
		at := slices.IndexFunc(have, func(h paper.Person) bool { return h.Name == p.Name })
		switch {
		case at < 0:
			have = append(have, p)
		case have[at].Role == paper.Author:
			have[at].Role = p.Role
		case have[at].Role == paper.Photographer && p.Role != paper.Author:
			have[at].Role = p.Role // wrote it too
		}
	}
	return have
}

// How bare a name may be to be taken for one.
type strictness int

const (
	titledName  strictness = iota // a role stands before it: any 2–4 characters that cannot be a verb
	lenientName                   // the author field: no surname needed, but no organisation
	strictName                    // in running text: a known surname, and no common word
)

const (
	orgWord = `(?:本报|本刊|本网|本台|本社|新华社|新华网|中新社|中新网|中国新闻社|人民日报|光明日报|经济日报|央视新闻|央视网|央视|央广网|央广|市融媒体中心|县融媒体中心|区融媒体中心|[\p{Han}]{2,10}?(?:日报|晚报|晨报|时报|早报|商报|都市报|快报|周报|青年报|法治报|法制报|工人报|农民报|报社|电视台|广播电台|广播电视台|融媒体中心|融媒体|融媒|客户端|传媒|新闻网|在线|网))`
	modWord = `(?:全媒体|融媒体|融媒|首席|高级|资深|特派|特约|驻站|驻\p{Han}{1,6}?|\p{Han}{2,3}站|见习|实习|摄影|文字|视频|评论|体育|新闻|小|新媒体|数字|客户端|工作室|/|\s)`
	actWord = `文\s*[/／、·&＆]?\s*(?:图片|图|摄影|摄)|图\s*[/／、·&＆]?\s*文|摄影\s*(?:/|／)?\s*(?:报道|报导)|摄制|摄影|摄|综合报道|整理报道|采访报道|联合报道|现场报道|报道|报导|参与(?:采写|采访|报道)|采写|整理|编译|编写|供图|供稿|文稿|来稿|投稿|提供|制图|绘图|漫画|绘|文字|文|图片|图`
)

var (
	// A role, with whom it belongs to before it.
	roleTitle = regexp.MustCompile(`^(` + orgWord + `|\p{Han}{2,6}?[社台报])?\s*(` + modWord + `*)(\p{Han}{2,4}记者站|记者站?|通讯员|通信员|报道员|实习生|见习生|学生记者|小记者|评论员|撰稿人|责任编辑|责编|值班编辑|本版编辑|本期编辑|编辑|美术编辑|美编|版式设计|版式|组版|校对|校检|检校|审核|审校|[一二三初复终]审|统筹|策划|监制|监审|(?:执行|副)?主编|值班(?:副?总编辑?|编委|领导|主任)|副?总编辑|总编|编委|主持人?|指导(?:老师|教师)|辅导(?:老师|教师)|作者|撰文|撰稿|执笔|口述人?|讲述人?|翻译)`)
	// What may follow a name without a space: a role with no house of its own before it.
	nextTitle = regexp.MustCompile(`(?:本报|本刊|本网|本台|新华社)?(?:全媒体|融媒体|融媒|首席|特派|特约|见习|实习)*(?:记者|通讯员|通信员|报道员|实习生|责任编辑|责编|编辑|校对|摄影报道|摄影|参与采写|参与采访|参与报道|报道|采写|文\s*[/／]|图\s*[/／]|摄)`)
	bothForm  = regexp.MustCompile(`^(?:文.*(?:图|摄)|图.*文|摄影.*报道)`)
	bothTitle = regexp.MustCompile(`(?:撰文|采写|采访|文字)\s*[/／、·]\s*(?:摄影|图片|摄|图)`)
	action    = regexp.MustCompile(`^(?:` + actWord + `)`)
	latinName = regexp.MustCompile(`^[A-Z][\pL'’.\-]*(?:\s+[A-Z][\pL'’.\-]*){0,3}`)
)

// bullets stand before a byline.
const bullets = " \t\n\f\r■□▪▫●○◆◇◎★☆▲△▼▽※►▶▷♦·•*＊|｜~～【["

// bulleted reports whether s begins with a mark that newspapers set before bylines.
func bulleted(s string) bool {
	c, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, " \t\n\f\r"))
	return strings.ContainsRune("■□▪▫●○◆◇◎★☆▲△▶►※", c)
}

// ahead reports which of the long expressions can match in s at all: one of these
// characters is in every role, and in everything that may follow a name.
func ahead(s string) (role, next bool) {
	for _, c := range s {
		switch c {
		case '者', '员', '生', '编', '校':
			return true, true
		case '稿', '师', '导', '式', '组', '审', '筹', '划', '监', '任', '持', '撰', '笔', '述', '译':
			role = true
		case '摄', '道', '写', '访', '/', '／':
			next = true
		}
	}
	return role, next
}

// actionAt is the action that s begins with, or "".
func actionAt(s string) string {
	switch c, _ := utf8.DecodeRuneInString(s); c {
	case '参', '文', '图', '摄', '综', '整', '采', '联', '现', '报', '编', '供', '来', '投', '提', '制', '绘', '漫':
		return action.FindString(s)
	}
	return ""
}

// isOffice reports whether s ends as the names of offices and firms do.
func isOffice(s string) bool {
	switch lastRune(s) {
	case '局', '部', '委', '会', '院', '校', '队', '所', '办', '站', '厅', '处', '科', '室', '社', '台', '厂', '矿', '馆', '店', '协':
		return true
	case '心', '司', '团', '学', '府', '道', '行':
		for _, w := range []string{"中心", "公司", "集团", "大学", "中学", "小学", "政府", "街道", "银行"} {
			if strings.HasSuffix(s, w) {
				return true
			}
		}
	}
	return false
}

// hanAt is the Chinese name or word that s begins with, or "": 买买提·吐尔逊.
func hanAt(s string) string {
	end := 0     // of the last Chinese character
	dot := false // and a dot behind it
	for i, c := range s {
		switch {
		case c >= 0x4e00 && c <= 0x9fff || unicode.Is(unicode.Han, c):
			end, dot = i+utf8.RuneLen(c), false
		case i > 0 && i == end && !dot && strings.ContainsRune("·•・‧∙.．", c):
			dot = true
		default:
			return s[:end]
		}
	}
	return s[:end]
}

// houseRoles are named in a footer and are nobody's byline.
var houseRoles = map[string]bool{
	"校对": true, "校检": true, "检校": true, "版式设计": true, "版式": true, "组版": true, "美术编辑": true, "美编": true, "审核": true, "审校": true,
	"统筹": true, "策划": true, "监制": true, "监审": true, "主编": true, "副主编": true, "执行主编": true, "总编": true, "总编辑": true, "副总编辑": true, "编委": true, "主持": true, "主持人": true, "翻译": true,
	"指导老师": true, "指导教师": true, "辅导老师": true, "辅导教师": true,
}

func roleOf(mods, title string) (role paper.Role, keep bool) {
	if strings.HasSuffix(title, "记者站") { // 北山记者站
		title = "记者站"
	}
	switch title {
	case "记者", "学生记者", "小记者", "记者站":
		switch {
		case strings.Contains(mods, "见习"), strings.Contains(mods, "实习"):
			return paper.Intern, true
		case strings.Contains(mods, "摄影"):
			return paper.Photographer, true
		}
		return paper.Reporter, true
	case "通讯员", "通信员", "报道员":
		return paper.Correspondent, true
	case "实习生", "见习生":
		return paper.Intern, true
	case "责任编辑", "责编", "值班编辑", "本版编辑", "本期编辑", "编辑":
		return paper.Editor, true
	}
	return paper.Author, !houseRoles[title] && !strings.HasSuffix(title, "审") && !strings.HasPrefix(title, "值班")
}

// parseCredits reads a text that is a byline and nothing else; ok is false where
// any of it is not. own are the names of the paper itself.
func parseCredits(s string, own []string, how strictness) (c credits, ok bool) {
	if len(s) > 600 {
		return c, false
	}
	s = strings.TrimLeft(s, bullets)
	s = strings.TrimRight(s, " \n\t。.；;：:】]")
	if strings.ContainsAny(s, "/／、·") {
		s = bothTitle.ReplaceAllString(s, "文/图")
	}
	if strings.Contains(s, "源") {
		if m := originNote.FindStringSubmatchIndex(s); m != nil {
			c.agency = agencyName(s[m[2]:m[3]], own)
			s = s[:m[0]] + " " + s[m[1]:]
		}
	}
	s = c.takeNotes(s)
	role := paper.Role("")
	keep := true       // the people of this role are part of the byline
	var group []string // names since the last role or action
	groupRole := paper.Role("")
	pending := "" // single characters of a spaced-out name: 王 伟
	house := ""   // 本报评论员 signs without a name
	bad := false
	ours := false     // 本报记者 signs first: who signs with them makes it nobody else's text
	pictures := false // 图/记者 张三: whatever the role, it is the picture's
	name := func(n string) {
		for _, one := range splitNames(n, how, c.titled) {
			if one == "" {
				bad = true
				return
			}
			group = append(group, one)
		}
	}
	single := func() {
		if pending != "" {
			if utf8.RuneCountInString(pending) < 2 {
				bad = true
			} else {
				name(pending)
			}
			pending = ""
		}
	}
	end := func() {
		single()
		if house != "" && len(group) == 0 {
			c.add(house, paper.Author)
		}
		house = ""
		for _, n := range group {
			r := groupRole
			if r == "" {
				r = paper.Author
			}
			if keep {
				c.add(n, r)
			}
		}
		group = nil
	}
	for s != "" && !bad {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case unicode.IsSpace(r), strings.ContainsRune("、，,;；/／|｜&＆：:（）()■□●◆○＋+", r):
			if !unicode.IsSpace(r) {
				single()
			}
			s = s[size:]
			continue
		}
		hasRole, hasNext := ahead(s)
		var m []string
		if hasRole {
			m = roleTitle.FindStringSubmatch(s)
		}
		if m != nil {
			end()
			var r paper.Role
			if r, keep = roleOf(m[2], m[3]); pictures && r != paper.Editor {
				r = paper.Photographer
			}
			if m[3] == "评论员" {
				house = m[1] + strings.Join(strings.Fields(m[2]), "") + m[3]
			}
			role, groupRole = r, r
			c.titled = true
			if m[1] != "" {
				a := agencyName(m[1], own)
				ours = ours || a == ""
				if c.agency == "" && !ours {
					c.agency = a
				}
			}
			s = s[len(m[0]):]
			continue
		}
		if m := actionAt(s); m != "" && actionHere(s, m, pending) {
			rest := s[len(m):]
			flat := strings.Join(strings.Fields(m), "")
			photo := flat == "摄" || flat == "摄影" || flat == "图" || flat == "图片" || flat == "供图" || flat == "绘图" || flat == "制图" || flat == "漫画" || flat == "绘"
			c.pictures = c.pictures || bothForm.MatchString(flat)
			before := len(group) > 0 || pending != ""
			c.titled = true
			if before && !startsColon(rest) || before && !leadsNames(rest) {
				// 张三 摄: what was said of the names before it.
				if photo && groupRole != paper.Photographer {
					groupRole = paper.Photographer
				}
				end()
				role, groupRole, pictures = "", "", false
			} else {
				// 文/张三, 摄影：李四: of the names after it. 图片新闻 is no byline.
				if next, _ := utf8.DecodeRuneInString(rest); unicode.Is(unicode.Han, next) && !isName(hanAt(rest), strictName) {
					return credits{}, false
				}
				end()
				role, groupRole, pictures = paper.Author, paper.Author, photo
				if photo {
					role, groupRole = paper.Photographer, paper.Photographer
				}
			}
			keep = true
			s = rest
			continue
		}
		word := hanAt(s)
		if word == "" {
			if word = latinName.FindString(s); word != "" && (how == lenientName || role != "") && len(word) <= 60 {
				single()
				group = append(group, word)
				s = s[len(word):]
				continue
			}
			return credits{}, false
		}
		// A role may follow a name without a space: 记者张三通讯员李四.
		if hasNext {
			if at := nextTitle.FindStringIndex(clipBytes(s, len(word)+60)); at != nil && at[0] > 0 && at[0] < len(word) {
				word = word[:at[0]]
			}
		}
		s = s[len(word):]
		if strings.HasPrefix(word, "发自") && len(group) > 0 && pending == "" {
			continue // 发自北山
		}
		// 北京报道: where it was written, unless it is a name.
		if strings.HasPrefix(s, "报道") && len(group) > 0 && pending == "" && !isName(word, strictName) && utf8.RuneCountInString(word) <= 6 {
			continue
		}
		if utf8.RuneCountInString(word) == 1 {
			pending += word
			if utf8.RuneCountInString(pending) == 2 && !nextSingle(s) {
				single()
			} else if utf8.RuneCountInString(pending) == 2 && evenSingles(s) {
				single()
			} else if utf8.RuneCountInString(pending) >= 3 {
				single()
			}
			continue
		}
		single()
		if compound[word] { // 欧阳 小河
			if g := hanAt(strings.TrimLeft(s, " ")); g != "" && utf8.RuneCountInString(g) <= 2 && strings.HasPrefix(s, " ") {
				word += g
				s = strings.TrimLeft(s, " ")[len(g):]
			}
		}
		if isAgency(word) {
			if a := agencyName(word, own); a != "" {
				c.agency = a
			}
			continue
		}
		// The correspondent's office stands before the name: 通讯员 市教育局 李四.
		if role == paper.Correspondent && isOffice(word) && utf8.RuneCountInString(word) >= 3 && !isName(word, strictName) {
			if utf8.RuneCountInString(word) <= 16 {
				continue
			}
		}
		name(word)
	}
	end()
	if bad || len(c.people) == 0 && c.agency == "" && !(c.titled && !keep) {
		return credits{}, false
	}
	return c, true
}

const noteParty = `受访者|受访单位|受访企业|受访人|采访对象|被访者|当事人|主办方|活动方|主办单位|组委会|校方|院方|景区|企业|单位|网络|视觉中国|本报资料|资料|\p{Han}{2,16}(?:局|委|委员会|院|校|中心|公司|集团|队|所|部|政府|大学|中学|小学|街道|银行|馆|社区|协会|联合会)`

// Clauses among those who sign that say where the pictures come from and name
// nobody: 图片由受访者提供, 图据云州发布, 市文旅局供图, 资料图片, 综合.
var (
	givenNote  = regexp.MustCompile(`(?:本文|本组|本版|文中|文内|以上|配)?(?:图片|照片|视频|图)(?:、视频|、图片)?(?:均|皆|全部)?由\s*([^，,。；;、（）()]{2,24}?)\s*(?:提供|供图)`)
	sourceNote = regexp.MustCompile(`(?:本文|本组|本版|文中|以上|配)?(?:图片|照片|视频|图)(?:均|皆)?(?:据|源自|选自|来源|来自|出自|自)于?\s*[:：]?\s*([\p{Han}A-Za-z0-9《》@·]{2,20}?)(?:$|[\s，,、；;|｜])`)
	colonNote  = regexp.MustCompile(`(?:图片|照片|视频|供图|配图|图)\s*[/／:：]\s*(` + noteParty + `)\s*(?:提供|供图)?(?:$|[\s，,、；;|｜])`)
	partyNote  = regexp.MustCompile(`(?:^|[\s，,、；;|｜])(` + noteParty + `)\s*(?:供图|提供图片|提供|[/／]\s*图)`)
	fileNote   = regexp.MustCompile(`(?:^|[\s，,、；;|｜])(?:本报|本刊)?(?:资料|网络|档案)(?:图片|照片|图)|(?:^|[\s，,、；;|｜])(?:视频|网络)?截图`)
	originNote = regexp.MustCompile(`(?:^|[\s，,、；;|｜])(?:本文|消息|文章|文稿|稿件|信息)?(?:来源|稿源)\s*[:：|｜]\s*《?([\p{Han}A-Za-z0-9·]{2,20})》?(?:$|[\s，,、；;|｜])`)
	digestNote = regexp.MustCompile(`[\s，,、；;|｜]综合\s*$`)
)

// takeNotes takes such clauses out of a byline and keeps whom they name, unless
// it is a person: who gave a picture did not take it.
func (c *credits) takeNotes(s string) string {
	if strings.IndexFunc(s, func(c rune) bool {
		return c == '图' || c == '照' || c == '视' || c == '供' || c == '提' || c == '截' || c == '综'
	}) < 0 {
		return s
	}
	for _, form := range []*regexp.Regexp{givenNote, sourceNote, colonNote, partyNote} {
		for range 4 {
			m := form.FindStringSubmatchIndex(s)
			if m == nil {
				break
			}
			who := strings.Trim(s[m[2]:m[3]], " 《》@")
			if strings.Contains(who, "记者") || strings.Contains(who, "通讯员") || form == partyNote && isName(who, strictName) {
				break
			}
			switch {
			case strings.HasSuffix(who, "网络") || strings.HasSuffix(who, "资料"):
				c.filed = true
			case !isName(who, strictName):
				c.giver = cmp.Or(c.giver, who)
			}
			s = s[:m[0]] + " " + s[m[1]:]
		}
	}
	if fileNote.MatchString(s) {
		c.filed = true
		s = fileNote.ReplaceAllString(s, " ")
	}
	return strings.TrimRight(digestNote.ReplaceAllString(s, ""), " ，,、；;")
}

// actionHere reports whether an action word that is a single character (文, 图,
// 摄) stands for itself and is not the beginning of a name (文静).
func actionHere(s, m, pending string) bool {
	if utf8.RuneCountInString(m) > 1 || m == "摄" {
		return true
	}
	next, _ := utf8.DecodeRuneInString(s[len(m):])
	if pending != "" && unicode.IsSpace(next) {
		return true
	}
	return !unicode.Is(unicode.Han, next)
}

func startsColon(s string) bool {
	s = strings.TrimLeft(s, " ")
	return strings.HasPrefix(s, "/") || strings.HasPrefix(s, "／") || strings.HasPrefix(s, ":") || strings.HasPrefix(s, "：")
}

// leadsNames reports whether a name follows, so that 文/张三 图/李四 reads right.
func leadsNames(s string) bool {
	s = strings.TrimLeft(s, " /／:：")
	return hanAt(s) != ""
}

// nextSingle and evenSingles look at how many single characters follow: 王 伟 is
// one name, 王 伟 李 明 two, 王 小 明 one.
func nextSingle(s string) bool { return countSingles(s) > 0 }

func evenSingles(s string) bool { return countSingles(s)%2 == 0 }

func countSingles(s string) int {
	n := 0
	for _, t := range strings.FieldsFunc(s, func(c rune) bool { return unicode.IsSpace(c) }) {
		c, size := utf8.DecodeRuneInString(t)
		if size != len(t) || !unicode.Is(unicode.Han, c) || t == "摄" || t == "文" || t == "图" {
			break
		}
		n++
	}
	return n
}

// splitNames reads a run of Chinese characters as one name, or as several that
// were printed without spaces. An element that is no name is "".
func splitNames(s string, how strictness, titled bool) []string {
	if how == strictName && titled {
		how = titledName
	}
	r := []rune(s)
	// 张三李四: two names, each with its surname.
	two := func(at int) []string {
		a, b := string(r[:at]), string(r[at:])
		if isName(a, strictName) && isName(b, strictName) {
			return []string{a, b}
		}
		return nil
	}
	switch len(r) {
	case 4:
		if !compound[string(r[:2])] {
			if p := two(2); p != nil {
				return p
			}
		}
	case 5:
		if p := two(2); p != nil {
			return p
		}
		if p := two(3); p != nil {
			return p
		}
	case 6:
		if p := two(3); p != nil {
			return p
		}
	}
	if isName(s, how) {
		return []string{s}
	}
	return []string{""}
}

// notFirst begin what follows 记者 in running text: 记者从…获悉, 记者了解到.
const notFirst = "从在了获采走来看发告昨今日近对就前到向由于跟随见问说表将还也又与及等为是有这那该我们您你他她它一每各已被把让使给再正当如若但而却并不没未曾先后随即很更最都只仅约共第至自以因所请或比和写按据称指透介报时曾提称"

// notLast end words that are places, offices or particles.
const notLast = "县市区镇乡省州局部社校厅会们的了到说道着过讯电报网台版期号月日年时处"

// otherFirst begin names of four characters that have no Han surname.
const otherFirst = "阿艾买吐卡努古热帕玛迪库依伊木米麦扎才央卓次达德多拉洛尼平仁索普旦格嘎边巴乌敖斯其苏额呼色朝孟哈吉塔娜萨奥宝包图那赛托沙夏祖再加叶别居马"

// notNames follow a role and are none, whoever is called 高山 or 夏天.
var notNames = words("单位 简介 手记 调查 观察 札记 连线 提问 招待 协会 获悉 了解 介绍 报道 采访 现场 电话 邮箱 热线 地址 团队 综合 整理 综合整理 之家 说法 感言 点评 附图 图片 资料 北京 上海 通讯 专访")

func isName(s string, how strictness) bool {
	if strings.ContainsAny(s, "·•・‧∙.．") {
		n := utf8.RuneCountInString(s)
		return n >= 3 && n <= 20 // 买买提·吐尔逊: a dot stands in names only
	}
	r := []rune(s)
	if len(r) < 2 || len(r) > 4 || isAgency(s) || notNames[s] || how != titledName && commonWords[s] {
		return false
	}
	double := len(r) > 2 && compound[string(r[:2])]
	single := strings.ContainsRune(surnames, r[0])
	last := strings.ContainsRune(notLast, r[len(r)-1])
	if how == strictName {
		if r[0] == '左' && strings.ContainsRune("一二三四五六起图侧边", r[1]) {
			return false // in a picture: （左一）
		}
		if len(r) > 2 && commonWords[string(r[:2])] && !double {
			return false
		}
		return !last && (double || single && len(r) <= 3)
	}
	// 何月 and 王时 are names behind a role; 温县 is not.
	if last && !((single || double) && how == titledName && !strings.ContainsRune("县市区镇乡省局厅", r[len(r)-1])) {
		return false
	}
	if how == lenientName && !single && !double && (isOffice(s) || len(r) == 4 && !strings.ContainsRune(otherFirst, r[0])) {
		return false
	}
	return double || single || !strings.ContainsRune(notFirst, r[0])
}

// agencies that are named without a role.
var agencyForm = regexp.MustCompile(`^(?:新华社|新华网|中新社|中新网|中国新闻社|中国新闻网|人民网|光明网|央视网|央视新闻|央视|央广网|国际在线|[\p{Han}]{2,8}(?:日报|晚报|晨报|时报|早报|商报|都市报|快报|周报|青年报|法治报|法制报|新闻网|通讯社|电视台|广播电视台|融媒体中心|客户端))$`)

func isAgency(s string) bool {
	switch lastRune(s) {
	case '社', '网', '闻', '视', '线', '报', '台', '心', '端': // what they all end with
		return agencyForm.MatchString(s)
	}
	return false
}

// houseForm is how a paper calls itself.
var houseForm = regexp.MustCompile(`^本(?:报|刊|网|台|社|市|地)`)

// bureau is the office of an agency: 云山社北京分社.
var bureau = regexp.MustCompile(`^(\p{Han}{2,6}?社)\p{Han}{2,6}分社$`)

var agencyWords = regexp.MustCompile(`^(?:(?:文章|文稿|稿件|信息)?(?:来源|稿源|消息来源|转自|摘自|原载|据)\s*[:：]?\s*)+`)

// agencyName cleans the name of another paper or agency; it is empty where that
// is the paper itself.
func agencyName(s string, own []string) string {
	s = cleanLine(s)
	s = agencyWords.ReplaceAllString(s, "")
	s = strings.Trim(s, " 《》“”\"'<>（）()：:，,。")
	s = bureau.ReplaceAllString(s, "$1")
	if houseForm.MatchString(s) {
		return ""
	}
	for _, o := range own {
		if o = strings.Trim(o, "《》 "); o != "" && (s == o || s == o+"社" || s == strings.TrimSuffix(o, "社")) {
			return ""
		}
	}
	return clipRunes(s, 40)
}

var (
	dateForm = `(?:(?:\d{2,4}年)?\d{1,2}月\d{1,2}日|\d{1,2}日)`
	// 本报讯, 本报太原11月5日讯, 新华社北京9月5日电, 据《广西日报》消息 …
	dateline  = regexp.MustCompile(`^\s*[【\[]?(据)?\s*(?:《([^》\n]{2,20})》|(` + orgWord + `))\s*(?:客户端|微信公众号)?\s*[\p{Han}/、·\s]{0,14}?\s*` + dateForm + `?\s*(?:综合|专)?\s*(讯|电|消息|报道)(?:$|[\s（(:：，】\]]|记者|通讯员)`)
	placeLine = regexp.MustCompile(`^\s*\p{Han}{0,8}\s*` + dateForm + `?\s*(?:讯|电)\s*[（(]`)
	// 云山社北京9月5日电: an agency that nobody has listed.
	wireLine  = regexp.MustCompile(`^\s*(\p{Han}{2,6}?社)\p{Han}{0,8}\s*` + dateForm + `?\s*电`)
	wireHouse = regexp.MustCompile(`^(?:新华|中新|央视|央广|人民网|光明网|中国新闻)`)
	opening   = regexp.MustCompile(`^[\s】\]]*[（(【\[]\s*([^（）()【】\[\]\n]{2,120})\s*[）)】\]]`)
	bareRole  = regexp.MustCompile(`^\s*(?:` + orgWord + `)?\s*(?:全媒体|融媒体|首席|见习|实习|特约)*(?:记者|通讯员)`)
)

// datelineEnd is the byte length of the dateline and the credits after it, with
// which an article opens; 0 where it has none.
func datelineEnd(s string) int {
	_, end := readDateline(s, nil)
	return end
}

// readDateline reads the opening of an article's first paragraph. Without a
// role or a dateline a parenthesis is just one: （上接第一版）.
func readDateline(s string, own []string) (credits, int) {
	var c credits
	end := 0
	if len(s) > 1200 {
		s = clipBytes(s, 1200)
	}
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		s = s[:i]
	}
	var m []int
	tells := opens(s, "讯", "电", "消息", "报道")
	if tells {
		m = dateline.FindStringSubmatchIndex(s)
	}
	if m != nil {
		house, word := "", s[m[8]:m[9]]
		if m[4] >= 0 {
			house = s[m[4]:m[5]]
		} else if m[6] >= 0 {
			house = s[m[6]:m[7]]
		}
		cited := m[2] >= 0 // 据…
		// X报讯 is how a paper opens its own news; 电 comes from another house.
		if cited || word == "电" || wireHouse.MatchString(house) {
			c.agency = agencyName(house, own)
		}
		if word == "报道" && !cited && !strings.HasPrefix(house, "本") {
			return credits{}, 0
		}
		end = m[9]
	}
	if end == 0 && tells {
		// 云州讯（记者 …）: only with the credits behind it.
		if place := placeLine.FindString(s); place != "" {
			_, size := utf8.DecodeLastRuneInString(place)
			if c, n := readDateline(s[len(place)-size:], own); n > 0 {
				if a := wireLine.FindStringSubmatch(place); a != nil {
					c.agency = cmp.Or(agencyName(a[1], own), c.agency)
				}
				return c, len(place) - size + n
			}
		}
	}
	if p := openingOf(s[end:]); p != nil {
		got, ok := parseCredits(s[end+p[2]:end+p[3]], own, strictName)
		if wire := wireTag.FindStringSubmatch(s[end+p[2] : end+p[3]]); wire != nil && end == 0 {
			c.agency = agencyName(wire[1], own) // （新华社北京9月5日电）
			end = p[1]
		} else if ok && (got.titled || end > 0) {
			if c.agency == "" {
				c.agency = got.agency
			}
			c.people, c.titled, c.pictures = got.people, true, got.pictures
			c.giver, c.filed = got.giver, got.filed
			end += p[1]
		} else if inner := s[end+p[2] : end+p[3]]; end > 0 && bareRole.MatchString(inner) {
			// Behind a dateline the names count, whatever else is said with them.
			if got, n := leadingNames(inner, own); n > 0 && got.titled && len(got.people) > 0 {
				c.people, c.titled, c.pictures = got.people, true, got.pictures
				c.agency = cmp.Or(c.agency, got.agency)
				end += p[1]
			}
		}
	} else if end > 0 && bareRole.MatchString(s[end:]) {
		// 本报讯 记者 张三 通讯员 李四 连日来，…: names as long as they are names.
		got, n := leadingNames(s[end:], own)
		c.people = got.people
		c.titled, c.pictures = len(got.people) > 0, got.pictures
		end += n
	}
	if end > 0 {
		for end < len(s) {
			r, size := utf8.DecodeRuneInString(s[end:])
			if !unicode.IsSpace(r) && !strings.ContainsRune(":：,，】]", r) {
				break
			}
			end += size
		}
	}
	return c, end
}

// opens reports whether one of words stands in the first 100 characters or so: a
// dateline is no longer.
func opens(s string, words ...string) bool {
	s = clipBytes(s, 300)
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// openingOf is opening's match where one can be: a parenthesis has to stand first.
func openingOf(s string) []int {
	c, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, " \t\n\f\r】]"))
	if !strings.ContainsRune("（(【[", c) {
		return nil
	}
	return opening.FindStringSubmatchIndex(s)
}

var reportForm = regexp.MustCompile(`^([^，。：:]{2,60}?报道)[：:，,\s]`)

// leadingNames reads roles and names without a parenthesis around them, token by
// token, and stops at the first that is none.
func leadingNames(s string, own []string) (credits, int) {
	if m := reportForm.FindStringSubmatch(s); m != nil {
		if c, ok := parseCredits(m[1], own, strictName); ok && c.titled && len(c.people) > 0 {
			return c, len(m[1])
		}
	}
	var best credits
	end := 0
	for i, tokens := 0, 0; i <= len(s) && tokens < 14; {
		j := i
		for j < len(s) {
			r, size := utf8.DecodeRuneInString(s[j:])
			if unicode.IsSpace(r) || r == '、' {
				break
			}
			j += size
		}
		tokens++
		word := s[i:j]
		if word != "" && !roleTitle.MatchString(word) && !isName(word, strictName) && word != "报道" && utf8.RuneCountInString(word) > 1 {
			break
		}
		if c, ok := parseCredits(s[:j], own, strictName); ok && word != "" {
			best, end = c, j
		}
		if j >= len(s) {
			break
		}
		_, size := utf8.DecodeRuneInString(s[j:])
		i = j + size
	}
	return best, end
}

var (
	sourceTag = regexp.MustCompile(`^(?:据|(?:本文|消息|文章|文稿|稿件|信息)?来源|稿源|转自|摘自|原载)\s*[:：|｜/]?\s*《?([\p{Han}A-Za-z0-9·]{2,20}?)》?\s*(?:微信公众号|客户端|官网|官方微博)?\s*(?:消息|报道|讯|电)?$`)
	wireTag   = regexp.MustCompile(`^(?:据)?\s*(新华社|中新社|中新网|新华网|人民网|央视新闻|央视网)\s*[\p{Han}]{0,8}\s*` + dateForm + `?\s*(?:电|讯|发|消息)?$`)
)

// parenAtEnd finds the parenthesis that s ends with, a full stop behind it or
// not: s[open:] is all of it, s[from:to] what stands in it, 2 to most
// characters. It is not ok where there is none.
func parenAtEnd(s string, most int) (open, from, to int, ok bool) {
	s = strings.TrimRight(s, " \t\n\f\r")
	s = strings.TrimRight(strings.TrimSuffix(strings.TrimSuffix(s, "。"), "."), " \t\n\f\r")
	if !strings.HasSuffix(s, "）") && !strings.HasSuffix(s, ")") {
		return 0, 0, 0, false
	}
	_, size := utf8.DecodeLastRuneInString(s)
	to = len(s) - size
	for at, n := to, 0; at > 0 && n <= most+8; n++ {
		c, size := utf8.DecodeLastRuneInString(s[:at])
		at -= size
		switch c {
		case '（', '(':
			from = at + size
			for from < to && strings.IndexByte(" \t\n\f\r", s[from]) >= 0 {
				from++
			}
			inner := s[from:to]
			return at, from, to, longer(inner, 1) && !longer(strings.TrimRight(inner, " \t\n\f\r"), most)
		case '）', ')':
			return 0, 0, 0, false
		}
	}
	return 0, 0, 0, false
}

// takeByline reads the byline and takes out of the blocks what stands apart from
// the text. It looks at the first three and the last four paragraphs.
func takeByline(blocks []block, own []string) ([]block, credits) {
	var c credits
	texts := func() (idx []int) {
		for i, b := range blocks {
			if b.kind == para && len(b.runs) > 0 || b.kind == subhead {
				idx = append(idx, i)
			}
		}
		return idx
	}

	// From the top.
	removed := 0
	for n, at := 0, 0; n < 3; n++ {
		idx := texts()
		if at >= len(idx) {
			break
		}
		i := idx[at]
		s := plain(blocks[i].runs)
		if removed < 3 && len(idx) > 1 {
			got, ok := wholeByline(s, own, true)
			// A bare name stands under the title only: after prose it is a subhead.
			if ok && (at == 0 || got.titled || bulleted(s)) {
				c.join(got)
				blocks = slices.Delete(blocks, i, i+1)
				removed++
				continue
			}
		}
		// The byline as the first lines of the paragraph that holds the text.
		if cut, got := bylineLines(s, own); cut > 0 {
			c.join(got)
			blocks[i].runs = cutRuns(blocks[i].runs, cut, len(s))
			s = plain(blocks[i].runs)
		}
		if bulleted(s) {
			if got, cut := bulletByline(s, own); cut >= 0 {
				c.join(got)
				if cut > 0 {
					blocks[i].runs = cutRuns(blocks[i].runs, cut, len(s))
				}
				break
			}
		}
		got, end := readDateline(s, own)
		if end > 0 {
			c.join(got)
			if len(got.people) > 0 || !strings.Contains(s, "题：") {
				break
			}
			// 新华社北京9月5日电 题：…: those who sign come in the next line.
		}
		at++
	}

	// From the end.
	var tail []credits
	for n := 0; n < 4; n++ {
		idx := texts()
		if len(idx) == 0 {
			break
		}
		i := idx[len(idx)-1]
		s := plain(blocks[i].runs)
		if got, ok := wholeByline(s, own, false); ok && len(idx) > 1 {
			tail = append(tail, got)
			blocks = slices.Delete(blocks, i, i+1)
			continue
		}
		cut, got := trailing(s, own)
		if cut < 0 {
			break
		}
		tail = append(tail, got)
		blocks[i].runs = cutRuns(blocks[i].runs, 0, cut)
		if len(blocks[i].runs) == 0 {
			blocks = slices.Delete(blocks, i, i+1)
		}
	}
	slices.Reverse(tail)
	for _, t := range tail {
		c.join(t)
	}
	return blocks, c
}

var (
	roleBehind = regexp.MustCompile(`^[■□●○◆◇▲△\s]*(\p{Han}{2,4})\s*[（(](\p{Han}{0,12}(?:记者|通讯员))[）)]$`)
	viewpoint  = regexp.MustCompile(`社[“"][^“”"]{2,10}[”"]记者`) // 新华社“新华视点”记者
)

func lastRune(s string) rune {
	c, _ := utf8.DecodeLastRuneInString(s)
	return c
}

var columnHead = regexp.MustCompile(`^[■□●▲◆\s]*(?:记者|编辑|作者|通讯员|主编|主持人?)(\p{Han}{2,4})$`)

// wholeByline reads a paragraph that is a byline and nothing else. Bare names
// need a bullet before them, or have to be two or three characters with a
// surname, alone.
func wholeByline(s string, own []string, top bool) (credits, bool) {
	if longer(s, 160) {
		return credits{}, false
	}
	if strings.Contains(s, "社“") || strings.Contains(s, `社"`) {
		s = viewpoint.ReplaceAllString(s, "社记者")
	}
	if longer(s, 120) || strings.ContainsAny(s, "。！？“”") && !strings.HasSuffix(s, "。") {
		return credits{}, false
	}
	inner := s
	if open, from, to, ok := parenAtEnd(s, 120); ok && strings.TrimSpace(s[:open]) == "" {
		inner = s[from:to]
	}
	if m := sourceTag.FindStringSubmatch(inner); m != nil && (!top || strings.HasPrefix(inner, "来源") || strings.HasPrefix(inner, "转自")) {
		if a := agencyName(m[1], own); a != "" || strings.HasPrefix(m[1], "本报") {
			return credits{agency: a}, true
		}
	}
	// 记者手记 heads a column; 记者林小河 signs.
	if m := columnHead.FindStringSubmatch(inner); m != nil && !isName(m[1], strictName) {
		return credits{}, false
	}
	// □林小河（云山社记者）: the role behind the name.
	if last := lastRune(inner); last == '）' || last == ')' {
		if m := roleBehind.FindStringSubmatch(inner); m != nil {
			inner, s = m[2]+" "+m[1], m[2]+" "+m[1]
		}
	}
	got, ok := parseCredits(inner, own, strictName)
	if !ok {
		return got, false
	}
	bullet := bulleted(s)
	// A sentence of two words (天亮了。 段一。) and a speaker (王伟：) are no names.
	if !got.titled && inner == s && strings.ContainsRune(".。;；:：", lastRune(s)) {
		return credits{}, false
	}
	if len(got.people) == 0 && !got.titled {
		return got, inner != s || bullet || wireTag.MatchString(inner)
	}
	if got.titled || bullet || inner != s {
		return got, true
	}
	return got, len(got.people) <= 3
}

// bylineLines is how many bytes of a paragraph, whole lines of it, are a byline
// with a role or a bullet.
func bylineLines(s string, own []string) (int, credits) {
	var best credits
	cut := 0
	for at, n := 0, 0; n < 4; n++ {
		i := strings.IndexByte(s[at:], '\n')
		if i < 0 {
			break
		}
		at += i
		got, ok := wholeByline(s[:at], own, true)
		if ok && (got.titled || bulleted(s)) {
			best, cut = got, at+1
		}
		at++
	}
	return cut, best
}

var affiliated = regexp.MustCompile(`^([^（）()]{2,40})[（(][^（）()]{2,60}[）)]\s*(?:$|[\s\p{Han}])`)

// bulletByline reads a byline with a bullet before it on the same line as the
// text. Of □张三（市医院） the name is taken and the line stays, because it says
// more than the name: cut is 0. It is -1 where there is no byline.
func bulletByline(s string, own []string) (c credits, cut int) {
	if m := affiliated.FindStringSubmatch(s); m != nil {
		if c, ok := parseCredits(m[1], own, strictName); ok {
			return c, 0
		}
	}
	mark := len(s) - len(strings.TrimLeft(s, bullets))
	if c, n := leadingNames(s[mark:], own); n > 0 && c.titled && strings.HasPrefix(s[mark+n:], " ") {
		return c, mark + n
	}
	return credits{}, -1
}

// trailing reads a byline after the last sentence of a paragraph and gives the
// bytes that stay before it; -1 where there is none.
func trailing(s string, own []string) (int, credits) {
	if open, from, to, ok := parenAtEnd(s, 120); ok {
		inner := s[from:to]
		if m := wireTag.FindStringSubmatch(inner); m != nil {
			return open, credits{agency: agencyName(m[1], own)}
		}
		if m := sourceTag.FindStringSubmatch(inner); m != nil {
			return open, credits{agency: agencyName(m[1], own)}
		}
		if got, ok := parseCredits(inner, own, strictName); ok && (got.titled || len(got.people) <= 6) {
			return open, got
		}
		return -1, credits{}
	}
	// After the last mark that ends a sentence.
	end := -1
	for i, r := range s {
		switch {
		case strings.ContainsRune("。！？…", r):
			end = i + utf8.RuneLen(r)
		case strings.ContainsRune("”』」）)", r) && end == i:
			end = i + utf8.RuneLen(r)
		}
	}
	if end <= 0 || end >= len(s) || len(s)-end > 240 {
		return -1, credits{}
	}
	rest := s[end:]
	if strings.Contains(rest, "《") {
		if m := sourceTag.FindStringSubmatch(strings.TrimSpace(rest)); m != nil {
			return end, credits{agency: agencyName(m[1], own)}
		}
	}
	got, ok := parseCredits(rest, own, strictName)
	if !ok || len(got.people) == 0 || !got.titled && len(got.people) > 4 {
		return -1, credits{}
	}
	return end, got
}

var (
	creditSign = regexp.MustCompile(`(?:摄影报道|摄影|摄|供图|图|发|资料图片|提供|绘|制图)$|^(?:摄影|摄|图片?|供图|制图|漫画)\s*[/／:：]`)
	creditLead = regexp.MustCompile(`(?:摄影|图片来源|供图|制图|漫画|图)\s*[/／:：]\s*([^，。！？；]{2,30})$`)
	wirePhoto  = regexp.MustCompile(`^(新华社|中新社)(?:\s*记者|发|照片)?\s*[（(]?\s*([\p{Han}·]{2,12}?)?\s*(?:摄影报道|摄影|摄|发)?[）)]?$`)
)

// splitCredit takes the photographer out of a caption: （张三摄）, 本报记者 张三 摄,
// 摄影：张三, （某某供图）. The credit is without 摄 and without the role.
func splitCredit(s string) (caption, credit string) {
	// 新华社发（张三摄） and 新华社记者 张三 摄
	if i := strings.LastIndex(s, "新华社"); i >= 0 && !strings.HasSuffix(s[:i], "/") && utf8.RuneCountInString(s[i:]) <= 24 {
		rest := strings.TrimRight(s[i:], "。 ）)")
		if m := wirePhoto.FindStringSubmatch(strings.Join(strings.Fields(rest), "")); m != nil {
			return strings.TrimRight(s[:i], " （("), strings.TrimSpace(m[1] + " " + m[2])
		}
	}
	if open, from, to, ok := parenAtEnd(s, 60); ok {
		inner := s[from:to]
		if isFile(inner) && !strings.Contains(inner, "截图") {
			return s, "" // 资料图片 is what a reader must be told
		}
		if creditSign.MatchString(inner) {
			if who := photographer(inner); who != "" {
				return strings.TrimSpace(s[:open]), who
			}
		}
		return s, ""
	}
	if strings.ContainsAny(s, "/:") || strings.Contains(s, "：") || strings.Contains(s, "／") {
		if p := creditLead.FindStringSubmatchIndex(s); p != nil {
			if c, ok := parseCredits(s[p[2]:p[3]], nil, lenientName); ok {
				return strings.TrimRight(s[:p[0]], " 　（("), joinNames(c)
			}
		}
	}
	// The words after the last mark or gap, read backwards: the longest that is a credit.
	trimmed := strings.TrimRight(s, " 。")
	if !strings.HasSuffix(trimmed, "摄") && !strings.HasSuffix(trimmed, "/图") && !strings.HasSuffix(trimmed, "摄影") && !strings.HasSuffix(trimmed, "供图") && !strings.HasSuffix(trimmed, "摄影报道") {
		return s, ""
	}
	from := 0
	for i, r := range trimmed {
		if strings.ContainsRune("。！？；”…", r) {
			from = i + utf8.RuneLen(r)
		}
	}
	starts := []int{from}
	for i, r := range trimmed[from:] {
		if unicode.IsSpace(r) || r == '，' {
			starts = append(starts, from+i+utf8.RuneLen(r))
		}
	}
	for _, at := range starts {
		tail := trimmed[at:]
		if utf8.RuneCountInString(tail) > 60 {
			continue
		}
		if c, ok := parseCredits(tail, nil, strictName); ok && c.titled {
			return strings.TrimRight(strings.TrimSpace(trimmed[:at]), "，"), joinNames(c)
		}
	}
	return s, ""
}

var givenBy = regexp.MustCompile(`^(?:本组|以上|本版)?(?:图片|照片|图)?(?:均)?(?:由|为)`)

// photographer reads the inside of a credit's parenthesis: people, or an office
// that gave the picture.
func photographer(s string) string {
	if c, ok := parseCredits(s, nil, strictName); ok && (len(c.people) > 0 || c.agency != "") {
		return joinNames(c)
	}
	for _, suffix := range []string{"供图", "提供", "截图", "摄影", "摄"} {
		if who, ok := strings.CutSuffix(s, suffix); ok {
			who = givenBy.ReplaceAllString(who, "")
			who = strings.TrimRight(strings.TrimSpace(who), " /／")
			if n := utf8.RuneCountInString(who); n >= 2 && n <= 20 && !strings.ContainsAny(who, "，。、；：") && !strings.HasSuffix(who, "资料") {
				return who
			}
		}
	}
	return ""
}

func joinNames(c credits) string {
	names := make([]string, 0, len(c.people))
	for _, p := range c.people {
		names = append(names, p.Name)
	}
	out := strings.Join(names, "、")
	if c.agency == "新华社" || c.agency == "中新社" || out == "" {
		out = strings.TrimSpace(c.agency + " " + out)
	}
	return out
}

var (
	fieldLabel = regexp.MustCompile(`^(?:作者|撰稿人?|文章作者|By|by|BY)\s*[:：]?\s+|^(?:作者|撰稿人?)\s*[:：]`)
	mailbox    = regexp.MustCompile(`^\s*[^\s@()]+@[^\s@()]+\s*(?:\(([^)]*)\))?\s*$|\s*<[^<>\s]*@[^<>\s]*>`)
	junkAuthor = map[string]bool{"admin": true, "administrator": true, "佚名": true, "编辑部": true, "网络": true, "未知": true, "unknown": true, "本报": true, "本报讯": true, "本网讯": true, "记者": true, "本报记者": true, "root": true, "小编": true, "null": true, "none": true, "无": true, "本报综合": true}
)

// authorField reads the author field of a page or the authors of a feed item.
func authorField(s string, own []string) credits {
	if s == "" {
		return credits{}
	}
	s = cleanCaption(s)
	s = mailbox.ReplaceAllString(s, "$1")
	s = strings.TrimSpace(fieldLabel.ReplaceAllString(s, ""))
	if s == "" || junkAuthor[strings.ToLower(s)] || utf8.RuneCountInString(s) > 200 {
		return credits{}
	}
	if a := strings.Trim(s, "《》"); isAgency(a) {
		return credits{agency: agencyName(a, own)}
	}
	if c, ok := parseCredits(s, own, lenientName); ok {
		return c
	}
	// Some feeds write several authors, and names of every script.
	var c credits
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(",，;；、|/", r) }) {
		part = strings.TrimSpace(part)
		n := utf8.RuneCountInString(part)
		switch {
		case n == 0 || junkAuthor[strings.ToLower(part)]:
		case isAgency(part):
			c.agency = agencyName(part, own)
		case n <= 40 && strings.IndexFunc(part, unicode.IsLetter) >= 0 && !strings.ContainsAny(part, "。！？：<>@"):
			if got, ok := parseCredits(part, own, lenientName); ok {
				c.people = mergePeople(c.people, got.people)
			} else if a := agencyName(part, own); a != "" {
				c.add(a, paper.Author)
			}
		}
	}
	return c
}
