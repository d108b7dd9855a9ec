package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mozillazg/go-pinyin"

	"paperwire/internal/paper"
)

// sectionRule is one entry of the configuration's sections.
type sectionRule struct {
	Slug, Name string
	Match      []string // page names, parts of them, or columns; * at either end stands for anything
	Pages      []string // page numbers as printed
	Was        []string // former slugs, which redirect
}

// sectionTable files articles under sections. It is immutable.
type sectionTable struct {
	sections []paper.Section
	names    map[string][]int // folded name → rules
	wild     []wildRule
	pages    map[string][]int
	taken    map[string]string // slug, also a former one → name
}

type wildRule struct {
	head, tail bool // * at the beginning, at the end
	text       string
	rule       int
}

var slugForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,79}$`)

// compileSections checks the rules; errors name the place and all stand in one.
func compileSections(rules []sectionRule) (*sectionTable, error) {
	t := &sectionTable{names: map[string][]int{}, pages: map[string][]int{}, taken: map[string]string{}}
	where := map[string]string{}
	var errs []error
	claim := func(slug, name, at string) {
		if !slugForm.MatchString(slug) {
			errs = append(errs, fmt.Errorf("%s: bad slug %q: write lower-case letters, digits and hyphens, beginning with a letter or digit, at most 80", at, clipRunes(slug, 40)))
			return
		}
		if before, ok := where[slug]; ok {
			errs = append(errs, fmt.Errorf("%s: slug %q stands already at %s", at, slug, before))
			return
		}
		where[slug] = at
		t.taken[slug] = name
	}
	for i, r := range rules {
		at := fmt.Sprintf("sections[%d]", i)
		claim(r.Slug, r.Name, at+".slug")
		for j, w := range r.Was {
			claim(w, r.Name, fmt.Sprintf("%s.was[%d]", at, j))
		}
		name := cleanLine(r.Name)
		if name == "" {
			name = r.Slug
		}
		t.sections = append(t.sections, paper.Section{Slug: r.Slug, Name: name})
		for j, m := range append(slices.Clone(r.Match), r.Name) {
			text := strings.Trim(m, "*")
			key := sectionKey(text)
			switch {
			case key == "" && j == len(r.Match): // no name
			case key == "":
				errs = append(errs, fmt.Errorf("%s.match[%d]: %q matches nothing: write a page name or a part of one", at, j, clipRunes(m, 40)))
			case text != m:
				t.wild = append(t.wild, wildRule{strings.HasPrefix(m, "*"), strings.HasSuffix(m, "*"), key, i})
			case !slices.Contains(t.names[key], i):
				t.names[key] = append(t.names[key], i)
			}
		}
		for _, p := range r.Pages {
			p = strings.ToUpper(strings.TrimSpace(p))
			t.pages[p] = append(t.pages[p], i)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return t, nil
}

// file finds the sections of an article by its page and columns, in the order of
// the configuration. What no rule matches goes into a section of the whole page
// name (of the first column where there is no page name), so that a new page of
// a paper has its feed before anybody configures it.
func (t *sectionTable) file(page paper.PageRef, columns []string) []paper.Section {
	hit := make([]bool, len(t.sections))
	any := false
	match := func(name string) {
		key := sectionKey(name)
		if key == "" {
			return
		}
		for _, i := range t.names[key] {
			hit[i], any = true, true
		}
		for _, w := range t.wild {
			if w.head && w.tail && strings.Contains(key, w.text) || w.head && !w.tail && strings.HasSuffix(key, w.text) ||
				!w.head && w.tail && strings.HasPrefix(key, w.text) {
				hit[w.rule], any = true, true
			}
		}
	}
	byParts := func(name string) {
		match(name)
		parts := strings.FieldsFunc(name, isPageSep)
		for _, p := range parts {
			if len(parts) > 1 {
				match(p)
			}
		}
	}
	byParts(page.Name)
	for _, i := range t.pages[strings.ToUpper(page.Number)] {
		hit[i], any = true, true
	}
	byPage := any
	for _, c := range columns {
		byParts(c)
	}
	var out []paper.Section
	for i, ok := range hit {
		if ok {
			out = append(out, t.sections[i])
		}
	}
	name := sectionName(page.Name)
	if name == "" && !any {
		for _, c := range columns {
			if name = sectionName(c); name != "" {
				break
			}
		}
	}
	// A column's rule does not file the page: the page keeps its own section.
	if name != "" && !byPage && !slices.ContainsFunc(out, func(s paper.Section) bool { return s.Name == name }) {
		if s := t.automatic(name); s.Slug != "" {
			out = append(out, s)
		}
	}
	return out
}

// sectionName is what a page's section is called: without the number that counts
// the pages of a series (…历史性变革⑧).
func sectionName(page string) string { return trimSuffixMarks(cleanPageName(page)) }

var seriesMark = regexp.MustCompile(`\s*(?:[①-⑳㉑-㉟㊱-㊿❶-❿⓫-⓴⑴-⒇⒈-⒛㈠-㈩]|[（(](?:\d{1,3}|[一二三四五六七八九十]{1,3}|上|中|下|续)[）)]|之[一二三四五六七八九十]{1,3})$`)

func trimSuffixMarks(s string) string {
	if t := strings.TrimSpace(seriesMark.ReplaceAllString(s, "")); t != "" {
		return t
	}
	return s
}

// sectionKey is the form in which names are compared: 要 闻 and 要闻 are one.
func sectionKey(s string) string { return fold(sectionName(s)) }

// plainSlugs are the usual page names, whose pinyin stands alone as the slug; a
// test holds them apart. Every other name gets four hexadecimal digits of its
// hash behind its pinyin, because Chinese has many homophones (世界, 视界) and a
// slug must mean one name for ever, on every installation, without a register.
var plainSlugs = words(`要闻 头版 封面 综合 综合新闻 新闻 时政 时政要闻 本地 本地新闻 本市新闻 民生 民生新闻 社会 社会新闻 经济 经济新闻 财经 产经 金融 国内 国内新闻 国际 国际新闻 国内国际 天下 中国 世界 全国
文化 文化新闻 文艺 文学 文旅 旅游 文体 体育 体育新闻 娱乐 副刊 文艺副刊 教育 健康 卫生 医疗 科技 科教 法治 政法 理论 评论 观点 言论 专题 专版 特刊 专刊 特别报道 深度 深度报道 调查 聚焦 关注 热点 焦点新闻 县区 县区新闻 县域 区县 乡村 乡村振兴 农业 三农 农村 城市 都市
环境 生态 房产 汽车 消费 生活 人物 读书 书画 摄影 图片 影像 悦读 周末 周刊 党建 廉政 军事 国防 公益 广告 公益广告 公告 信息 中缝 彩票 政务 服务 市场 企业 工业 能源 交通 安全 天气 便民 互动 声音 百姓 人文 历史 地理 收藏 美食 亲子 校园 青年 少年 老年 妇女 时评 时事 时尚 视点 视野 看点 快讯 资讯 动态 连载 小说 诗歌 散文 作文 大地 家园 今日关注 本报专稿 重点新闻 新闻综合 要闻综合 一版要闻 信息披露`)

// automatic makes the section of a name that no rule knows.
func (t *sectionTable) automatic(name string) paper.Section {
	name = clipRunes(name, 40)
	slug := slugOf(name)
	// The operator has given the slug to another name: keep out of it.
	if have, ok := t.taken[slug]; ok && sectionKey(have) != sectionKey(name) {
		slug = hashed(slug, name)
	}
	return paper.Section{Slug: slug, Name: name}
}

// slugOf is a pure function of the name: pinyin, parts joined by hyphens.
func slugOf(name string) string {
	parts := strings.FieldsFunc(name, isPageSep)
	sure := len(parts) > 0
	var out []string
	for _, p := range parts {
		if s := syllables(p); s != "" {
			out = append(out, s)
		}
		sure = sure && (plainSlugs[p] || latinSlug(p))
	}
	slug := strings.Join(out, "-")
	if len(slug) > 48 {
		slug, sure = strings.TrimRight(slug[:48], "-"), false
	}
	if slug == "" {
		slug, sure = "ban", false // no letter in it at all
	}
	if sure {
		return slug
	}
	return hashed(slug, strings.Join(parts, "/"))
}

func hashed(slug, name string) string {
	sum := sha256.Sum256([]byte(name))
	return slug + "-" + hex.EncodeToString(sum[:2])
}

// latinSlug reports whether a name is its own slug, such as sport.
func latinSlug(s string) bool {
	for i, c := range s {
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' && i > 0) {
			return false
		}
	}
	return len(s) > 2
}

var pinyinForm = pinyin.NewArgs()

// readings are the words of page names that the library, which reads character by
// character, gets wrong. A word added later changes published slugs: don't.
var readings = strings.NewReplacer(
	"都市", "dushi", "音乐", "yinyue", "银行", "yinhang", "行业", "hangye", "重庆", "chongqing", "重阳", "chongyang", "长安", "changan", "长城", "changcheng",
	"长江", "changjiang", "长河", "changhe", "长廊", "changlang", "长卷", "changjuan", "长垣", "changyuan", "长葛", "changge", "单县", "shanxian", "乐清", "yueqing",
)

// syllables is the pinyin of Chinese characters run together, with Latin letters
// and digits kept and everything else a hyphen.
func syllables(s string) string {
	var b strings.Builder
	for _, c := range readings.Replace(s) {
		switch {
		case unicode.Is(unicode.Han, c):
			if p := pinyin.SinglePinyin(c, pinyinForm); len(p) > 0 {
				b.WriteString(p[0])
			}
		case c < utf8.RuneSelf && (unicode.IsLetter(c) || unicode.IsDigit(c)):
			b.WriteRune(unicode.ToLower(c))
		default:
			if n := b.Len(); n > 0 && b.String()[n-1] != '-' {
				b.WriteByte('-')
			}
		}
	}
	return strings.Trim(b.String(), "-")
}
