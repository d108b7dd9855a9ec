package sources

import (
	"html"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"paperwire/internal/paper"
)

// How sure a text is a page label. A weak one (01, A01 要闻, 要闻 A01) counts
// only where something else says that it stands for a page, such as a link of
// the page shape; a strong one (第01版：要闻) counts anywhere.
const (
	noLabel = iota
	weakLabel
	strongLabel
)

// maxLabelName caps a page's name, in characters. Real ones reach about 30.
const maxLabelName = 60

const labelSep = `[:：\-—–_.、|｜/·・,，]`

var (
	// 第04版：焦作, 第A01版, 01版要闻, 第06-07版：专题, 版次：A02
	labelBan = regexp.MustCompile(`^第? ?([特增专]?[A-Za-z]{0,3} ?\d{1,4}[A-Za-z]?(?: ?[-—–~～、,，/·至] ?[A-Za-z]{0,3}\d{1,4})?) ?[版板](?:面)? ?` + labelSep + `* ?(.*)$`)
	// 第一版, 第十二版：要闻
	labelHan = regexp.MustCompile(`^第? ?([一二三四五六七八九十百〇零]{1,4}) ?版(?:面)? ?` + labelSep + `* ?(.*)$`)
	// 版次：A02, 版面：A02 要闻
	labelField = regexp.MustCompile(`^(?:版次|版面|版号|所在版面|版) ?[:：] ?第? ?([A-Za-z]{0,3}\d{1,4}) ?版? ?` + labelSep + `* ?(.*)$`)
	// (GA01) 封面, 【A01】要闻
	labelBracket = regexp.MustCompile(`^[(（\[【] ?第? ?([A-Za-z]{0,3}\d{1,4}) ?版? ?[)）\]】] ?` + labelSep + `* ?(.*)$`)
	// A01：头版 (no 版)
	labelColon = regexp.MustCompile(`^第? ?([A-Za-z]{0,3}\d{1,4}) ?[:：] ?(.*)$`)
	// 01, A01, 0607, 01 要闻, A01-要闻
	labelBare = regexp.MustCompile(`^([A-Za-z]{0,3}\d{1,4})(?:(?: ?[\-—–_、|｜·・] ?| )(.*))?$`)
	// A01要闻: a letter or a leading zero, so that 5月 or 3个 is no label
	labelTight = regexp.MustCompile(`^([A-Za-z]{1,3}\d{1,3}|0\d{1,2}) ?(\p{Han}.*)$`)
	// 要闻（01版）, 要闻 第01版, 要闻·A01版
	labelLast = regexp.MustCompile(`^(.{1,24}?) ?` + labelSep + `? ?[(（\[【]? ?第? ?([A-Za-z]{0,3}\d{1,4}) ?版 ?[)）\]】]?$`)

	labelDate = regexp.MustCompile(`^(?:\d{4} ?[年\-/.] ?\d{1,2} ?[月\-/.] ?\d{1,2} ?日?|\d{8}) ?(?:(?:星期|周)[一二三四五六日天])? ?[,，]? ?`)
	// Words beside a label that are no part of the name.
	labelTail = regexp.MustCompile(`(?i)[\s:：|｜>》»\-—]*(?:上一?版|下一?版|前一?版|后一?版|上一?页|下一?页|上一?期|下一?期|上一?篇|下一?篇|版面导航|版面概览|标题导航|返回目录|返回首页|查看原版|(?:下载|查看|原版|点击|版面)? ?pdf ?(?:版|下载|文件)?|>+|»|→|←)[\s\d<>]*$`)
	// Fields that stand in one line with the label.
	labelRest = regexp.MustCompile(`[ 　|｜]*(?:(?:稿件来源|来源|作者|责任编辑|责编|编辑|记者|日期|发布时间|字号|出版日期|主编|美编|校对) ?[:：].*|\d{4} ?[年\-/.] ?\d{1,2} ?[月\-/.] ?\d{1,2}.*|(?:星期|周)[一二三四五六日天]$)$`)
	labelNav  = regexp.MustCompile(`^(?:第?[上下前后首末本] ?一?|返回|更多|全部|查看|今日|共|总) ?\d* ?(?:版|页|期|篇)`)
	jump      = regexp.MustCompile(`[转见接刊]于?$|^(?:上接|下转|详见|报道见|导读)`)
	countBan  = regexp.MustCompile(`^(?:今日|本期|本报|共|总|合计) ?\d+ ?[版页]`)
)

// readLabel reads a page label as printed, such as 第04版:焦作/ 温县·马村区. The
// number is kept as printed (04, A01, 0607), except that Han numerals become
// digits; the name loses spaces between single Han characters (要 闻) and
// beside the separators that join several names (/ · ・ ｜ 、).
func readLabel(s string) (ref paper.PageRef, sure int) {
	if len(s) > 400 || !utf8.ValidString(s) {
		return ref, noLabel
	}
	s, cut := tidyLabel(s)
	if s == "" || !numbered(s) || navLabel(s) {
		return ref, noLabel
	}
	if m := leadingDate(s); m != "" && len(m) < len(s) {
		s = strings.TrimSpace(s[len(m):])
	}
	if strings.ContainsAny(s, "源者编期间号对年星周") || digits(s) >= 6 { // what labelRest begins with
		if m := labelRest.FindStringIndex(s); m != nil && m[0] > 0 {
			s = strings.TrimSpace(s[:m[0]])
		}
	}
	number, name := "", ""
	ban := strings.ContainsAny(s, "版板")
	switch {
	case plainBan(s, &number, &name), ban && (match(labelBan, s, &number, &name) || match(labelField, s, &number, &name)):
		sure = strongLabel
	case ban && match(labelHan, s, &number, &name):
		n := hanNumber(number)
		if n == 0 {
			return ref, noLabel
		}
		number, sure = strconv.Itoa(n), strongLabel
	case strings.Contains("(（[【", s[:runeLen(s)]) && match(labelBracket, s, &number, &name):
		sure = strongLabel
		if !plausibleNumber(number) {
			return ref, noLabel
		}
	case strings.ContainsAny(s, ":：") && match(labelColon, s, &number, &name):
		// 2024：… is a year and 10：30 a time of day, not a page.
		if !plausibleNumber(number) || name != "" && name[0] >= '0' && name[0] <= '9' {
			return ref, noLabel
		}
		sure = strongLabel
		if number[0] >= '1' && number[0] <= '9' && len(number) < 2 {
			sure = weakLabel
		}
	case ban && match(labelLast, s, &name, &number):
		// Prose ends like this as well: 下转第02版, a digest's 一条消息 第03版.
		if jump.MatchString(name) {
			return ref, noLabel
		}
		sure = weakLabel
	case s[0] < utf8.RuneSelf && (match(labelTight, s, &number, &name) || match(labelBare, s, &number, &name)):
		if !plausibleNumber(number) {
			return ref, noLabel
		}
		sure = weakLabel
	default:
		return ref, noLabel
	}
	if cut && sure == weakLabel {
		return ref, noLabel // 3 上一版: the digit is an arrow in Webdings
	}
	number = strings.ReplaceAll(number, " ", "")
	name = tidyName(name)
	if utf8.RuneCountInString(name) > maxLabelName || number == "" || zero(number) {
		return ref, noLabel
	}
	return paper.PageRef{Number: number, Name: name}, sure
}

// numbered reports whether a text holds a figure at all, Arabic or Han.
func numbered(s string) bool {
	return strings.ContainsAny(s, "0123456789") || strings.ContainsAny(s, "一二三四五六七八九十百〇零")
}

// navLabel tells 下一版 and 今日8版; most labels are spared the expressions.
func navLabel(s string) bool {
	head := strings.TrimPrefix(s, "第")
	if head == "" || !strings.Contains("上下前后首末本返更全查今共总合", head[:runeLen(head)]) {
		return false
	}
	return labelNav.MatchString(s) || countBan.MatchString(s)
}

// runeLen is the length of the first character of a text, in bytes.
func runeLen(s string) int {
	_, n := utf8.DecodeRuneInString(s)
	return n
}

// plainBan is labelBan for the form that most papers have: 第04版：焦作, A01版.
func plainBan(s string, number, name *string) bool {
	t := strings.TrimPrefix(s, "第")
	i := 0
	for i < len(t) && i < 3 && (t[i]|0x20 >= 'a' && t[i]|0x20 <= 'z') {
		i++
	}
	j := i
	for j < len(t) && j < i+4 && t[j] >= '0' && t[j] <= '9' {
		j++
	}
	rest, ok := strings.CutPrefix(t[j:], "版")
	if j == i || !ok {
		return false
	}
	if r, ok := strings.CutPrefix(rest, "："); ok {
		rest = r
	} else if r, ok := strings.CutPrefix(rest, ":"); ok {
		rest = r
	}
	if rest != "" && strings.Contains("面 :：-—–_.、|｜/·・,，", rest[:runeLen(rest)]) {
		return false
	}
	*number, *name = t[:j], rest
	return true
}

// leadingDate is the date before a label; a number of four digits begins it.
func leadingDate(s string) string {
	if len(s) < 4 || s[0] < '0' || s[0] > '9' || digits(s[:4]) < 4 {
		return ""
	}
	return labelDate.FindString(s)
}

func digits(s string) int {
	n := 0
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			n++
		}
	}
	return n
}

// match runs a pattern of two groups and stores what they captured.
func match(re *regexp.Regexp, s string, first, second *string) bool {
	m := re.FindStringSubmatch(s)
	if m == nil {
		return false
	}
	*first, *second = m[1], m[2]
	return true
}

// plausibleNumber tells a page number without 版 from a year or a count: four
// digits are a joint page only when they name neighbours (0607).
func plausibleNumber(s string) bool {
	digits := strings.TrimLeftFunc(s, unicode.IsLetter)
	if len(digits) < 4 {
		return true
	}
	a, errA := strconv.Atoi(digits[:2])
	b, errB := strconv.Atoi(digits[2:])
	return errA == nil && errB == nil && b == a+1
}

func zero(number string) bool { return strings.Trim(number, "0") == "" }

// tidyLabel makes spaces plain and single, full-width letters and digits
// half-width, and drops the words of links beside the label; cut tells whether
// there were any.
func tidyLabel(s string) (label string, cut bool) {
	if strings.Contains(s, "&") {
		s = html.UnescapeString(s)
	}
	if tidy(s) && !strings.ContainsFunc(s, func(r rune) bool { return r >= '０' && r <= 'ｚ' || r < ' ' || r >= 0x7f && r < 0xa0 }) {
		return cutLabel(s)
	}
	var b strings.Builder
	space := false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r), r == '\u200b', r == '\ufeff', unicode.IsControl(r):
			space = b.Len() > 0
			continue
		case r >= '０' && r <= '９', r >= 'Ａ' && r <= 'Ｚ', r >= 'ａ' && r <= 'ｚ':
			r -= 0xfee0
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	return cutLabel(b.String())
}

// cutLabel drops the words of links beside a label.
func cutLabel(s string) (label string, cut bool) {
	// None of these, none of labelTail: most labels are spared the expression.
	for i := 0; i < 4 && (strings.ContainsAny(s, "上下前后导概返查>»→←") || strings.Contains(strings.ToLower(s), "pdf")); i++ {
		t := labelTail.ReplaceAllString(s, "")
		if t == s {
			break
		}
		s, cut = t, true
	}
	return strings.TrimSpace(s), cut
}

// nameOf tidies a name that stands alone, without a number.
func nameOf(s string) string {
	s, _ = tidyLabel(s)
	return tidyName(s)
}

var labelBrackets = [][2]string{{"[", "]"}, {"（", "）"}, {"(", ")"}, {"【", "】"}}

// joiners stand between several names of one page.
const joiners = "/／·・•｜|、"

// tidyName cleans the name part of a label.
func tidyName(s string) string {
	s = strings.TrimFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(":：-—–_.,，|｜、>》<·・/*", r)
	})
	for _, p := range labelBrackets {
		if strings.HasPrefix(s, p[0]) && strings.HasSuffix(s, p[1]) && strings.Count(s, p[0]) == 1 {
			s = strings.TrimSpace(s[len(p[0]) : len(s)-len(p[1])])
		}
	}
	if !strings.Contains(s, " ") {
		return s
	}
	for _, r := range joiners {
		j := string(r)
		s = strings.ReplaceAll(strings.ReplaceAll(s, " "+j, j), j+" ", j)
	}
	words := strings.Split(s, " ")
	var b strings.Builder
	for i, w := range words {
		if i > 0 && !(edgeSingle(words[i-1], true) && edgeSingle(w, false)) {
			b.WriteByte(' ')
		}
		b.WriteString(w)
	}
	return b.String()
}

// edgeSingle reports whether the last (or first) name of a word is one single
// Han character: the halves of 要 闻, also in 要 闻/时 政.
func edgeSingle(word string, last bool) bool {
	cut := func(r rune) bool { return strings.ContainsRune(joiners, r) }
	if last {
		if i := strings.LastIndexFunc(word, cut); i >= 0 {
			_, n := utf8.DecodeRuneInString(word[i:])
			word = word[i+n:]
		}
	} else if i := strings.IndexFunc(word, cut); i >= 0 {
		word = word[:i]
	}
	r, n := utf8.DecodeRuneInString(word)
	return n == len(word) && n > 0 && unicode.Is(unicode.Han, r)
}

// hanNumber reads 一 … 九十九, 一百二十 and so on; 0 where it is no number.
func hanNumber(s string) int {
	total, digit := 0, 0
	for _, r := range s {
		switch {
		case r == '十':
			total += max(digit, 1) * 10
			digit = 0
		case r == '百':
			total += max(digit, 1) * 100
			digit = 0
		default:
			i := strings.Index("〇一二三四五六七八九", string(r))
			if r == '零' {
				i = 0
			}
			if i < 0 {
				return 0
			}
			if total > 0 {
				digit = 0 // 十二: the ten is counted already; 一二 is written digit by digit
			}
			digit = digit*10 + i/3
		}
	}
	return total + digit
}
