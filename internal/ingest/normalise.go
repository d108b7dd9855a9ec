package ingest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"

	"paperwire/internal/paper"
	"paperwire/internal/place"
	"paperwire/sources"
)

// Caps on the fields beside the body, in characters.
const (
	maxTitle   = 300
	maxCaption = 1000
	maxSummary = 120 // a contract of the feeds and cards
	maxPeople  = 20
	maxColumns = 20
)

// normaliseOptions say whose article it is.
type normaliseOptions struct {
	Paper      paper.Paper
	PaperNames []string // what it may call itself, where Paper has no name: a document read without a source
}

// normalise makes an article of what was printed. It never fails: what it
// cannot read stays as it stands. It sets everything but ID, Paper and Source.
//
// What leaves the body and what stays follows the newspapers' own good sites.
// The dateline (本报讯（记者 张三）) stays as printed: it is part of the text, and
// a partner that reprints it needs it; only the summary begins after it. A
// byline that stands apart (its own paragraph, or after the last sentence) is
// shown in the byline's place and leaves. So does a picture's caption.
func normalise(p sources.Printed, r sources.Ref, o normaliseOptions) paper.Article {
	own := []string{o.Paper.Name}
	if o.Paper.Name == "" {
		own = o.PaperNames
	}
	a := paper.Article{
		Day:      p.Day,
		URL:      cmp.Or(r.URL, p.URL),
		Page:     pageOf(r.Page, p.Page),
		Position: r.Position,
		Ordinal:  r.Ordinal,
		Language: cmp.Or(clipRunes(cleanLine(p.Language), 35), o.Paper.Language, "zh-CN"),
		Dated:    p.Dated,
	}
	if a.Day == "" && !p.Dated.IsZero() {
		a.Day = paper.DayOf(p.Dated, o.Paper.Location())
	}
	for _, c := range p.Columns {
		if c = clipRunes(cleanLine(c), 60); c != "" && !slices.Contains(a.Columns, c) && len(a.Columns) < maxColumns {
			a.Columns = append(a.Columns, c)
		}
	}
	p, head := signedTitles(p, own)
	a.Kicker, a.Headline, a.Subtitle = titles(p, r)

	base, err := url.Parse(cmp.Or(p.URL, r.URL))
	if err != nil || !base.IsAbs() {
		base = nil
	}
	blocks := readBody(p.Body, base)
	if len(blocks) == 0 {
		blocks = readBody(p.Summary, base)
	}
	blocks = dropRepeats(blocks, a.Kicker, a.Headline, a.Subtitle)
	blocks, filed := dropBoilerplate(blocks)
	markLabels(blocks)
	blocks = takeCaptions(blocks, own)
	blocks = addPictures(blocks, p.Images, base)
	blocks, labelled := takeLabels(blocks, own)
	blocks, credit := takeByline(blocks, own)
	credit.join(labelled)
	a.Byline = mergePeople(head.people, credit.people)
	field := authorField(p.Author, own)
	a.Byline = mergePeople(a.Byline, field.people)
	a.Agency = cmp.Or(agencyName(p.Agency, own), head.agency, credit.agency, field.agency)
	// Who edited the page comes after those who wrote.
	slices.SortStableFunc(a.Byline, func(x, y paper.Person) int {
		return cmp.Compare(b2i(x.Role == paper.Editor), b2i(y.Role == paper.Editor))
	})
	if len(a.Byline) > maxPeople {
		a.Byline = a.Byline[:maxPeople]
	}
	markSubheads(blocks)
	signed := head
	signed.join(credit)
	signed.join(field)
	signed.filed = signed.filed || filed
	creditPictures(blocks, a.Byline, signed)

	a.Text = textOf(blocks)
	a.HTML = writeHTML(blocks)
	for _, b := range blocks {
		if b.kind == figure {
			a.Images = append(a.Images, paper.Image{
				URL: b.image.url, Caption: plain(b.runs), Credit: b.image.credit, Type: b.image.kind,
				Width: b.image.width, Height: b.image.height, Length: b.image.length,
			})
		}
	}
	if a.Headline == "" {
		a.Headline = titleFromText(a)
	}
	a.Summary = summary(a, p.Summary)
	a.Pseudo = pseudo(a)
	return a
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// titleFromText heads what was printed without a headline: feeds and readers
// need one.
func titleFromText(a paper.Article) string {
	if a.Kicker != "" {
		return a.Kicker
	}
	s := a.Text
	for _, i := range a.Images {
		s = cmp.Or(s, i.Caption)
	}
	s, _, _ = strings.Cut(s[datelineEnd(s):], "\n")
	if i := strings.IndexAny(s, "。！？"); i > 0 {
		s = s[:i]
	}
	if r := []rune(s); len(r) > 40 {
		s = string(r[:39]) + "…"
	}
	return cmp.Or(strings.TrimSpace(s), "无题")
}

// pageOf prefers the page that lists the article; its name may stand on the
// article's own page only.
func pageOf(ref, printed paper.PageRef) paper.PageRef {
	p := ref
	if p.Number == "" {
		p = printed
	} else if p.Name == "" && strings.EqualFold(p.Number, printed.Number) {
		p.Name = printed.Name
	}
	p.Number = clipRunes(cleanLine(p.Number), 12)
	p.Name = cleanPageName(p.Name)
	return p
}

var pageLabel = regexp.MustCompile(`^(?:第?\s*[A-Za-z]{0,3}\d{1,4}\s*版\s*[:：]?|第\s*[一二三四五六七八九十]{1,3}\s*版\s*[:：]?|[A-Za-z]{0,3}\d{1,4}\s*[:：]|[(（][A-Za-z]{0,3}\d{1,4}[)）])\s*`)

// cleanPageName brings a printed page name into one form: no label before it, no
// spaces beside its separators, none inside a spaced-out word (要 闻).
func cleanPageName(s string) string {
	s = clipRunes(cleanLine(s), 60)
	s = pageLabel.ReplaceAllString(s, "")
	s = strings.Trim(s, " :：-—·/")
	var b strings.Builder
	for _, part := range splitKeep(s, isPageSep) {
		b.WriteString(unspace(strings.TrimSpace(part)))
	}
	return b.String()
}

func isPageSep(c rune) bool { return strings.ContainsRune("/／·・•｜|、", c) }

// splitKeep splits at separators and keeps each as a part of its own.
func splitKeep(s string, sep func(rune) bool) []string {
	var out []string
	start := 0
	for i, c := range s {
		if sep(c) {
			out = append(out, s[start:i], s[i:i+utf8.RuneLen(c)])
			start = i + utf8.RuneLen(c)
		}
	}
	return append(out, s[start:])
}

// unspace joins a word that was spaced out to fill its line: 导 读. Every token
// has to be a single Chinese character, or it is a title with a pause in it.
func unspace(s string) string {
	tokens := strings.Fields(s)
	if len(tokens) < 2 {
		return s
	}
	for _, t := range tokens {
		c, n := utf8.DecodeRuneInString(t)
		if n != len(t) || !unicode.Is(unicode.Han, c) {
			return s
		}
	}
	return strings.Join(tokens, "")
}

var (
	markup   = regexp.MustCompile(`</?[a-zA-Z!][^<>]*>`)
	lineTag  = regexp.MustCompile(`(?i)<br\s*/?>|</?p>|\r?\n`)
	leadDash = regexp.MustCompile(`^[—―─–\-－_﹣]+\s*`)
	dashLine = regexp.MustCompile(`^(.*?\S)\s+——\s*(\S.*)$`)
)

// titles reads kicker, headline and subtitle. A headline may hold its subtitle
// after a line break and a dash: 主题<br>——副题, of which a page's metadata leaves
// a space. Where the subtitle's own place is filled with something else the
// paper printed a headline of two lines, and it stays one.
func titles(p sources.Printed, r sources.Ref) (kicker, headline, subtitle string) {
	head := p.Headline
	if cleanTitle(head) == "" {
		head = r.Title
	}
	subtitle = leadDash.ReplaceAllString(cleanTitle(p.Subtitle), "")
	headline = cleanTitle(head)
	if m := dashLine.FindStringSubmatch(headline); m != nil && (subtitle == "" || fold(subtitle) == fold(m[2])) {
		headline, subtitle = m[1], m[2]
	}
	kicker = cleanTitle(p.Kicker)
	if kicker == headline {
		kicker = ""
	}
	if headline == "" {
		headline, kicker = kicker, ""
	}
	if subtitle == headline || subtitle == kicker {
		subtitle = ""
	}
	if headline == "" {
		headline, subtitle = subtitle, ""
	}
	return kicker, headline, subtitle
}

// signedTitles takes a byline out of kicker and subtitle, where some skins print
// it: ——副题<br>□张三（市医院）.
func signedTitles(p sources.Printed, own []string) (sources.Printed, credits) {
	var c credits
	for _, field := range []*string{&p.Kicker, &p.Subtitle} {
		if *field == "" {
			continue
		}
		var keep []string
		for _, line := range lineTag.Split(clipBytes(*field, 16<<10), -1) {
			text := cleanTitle(line)
			got, ok := wholeByline(text, own, true)
			if bulleted(text) && !ok {
				var cut int
				got, cut = bulletByline(text, own)
				ok = cut == 0
			}
			if ok && (got.titled || bulleted(text)) {
				c.people = mergePeople(c.people, got.people)
				c.agency = cmp.Or(c.agency, got.agency)
				c.pictures = c.pictures || got.pictures
				continue
			}
			keep = append(keep, line)
		}
		*field = strings.Join(keep, "<br>")
	}
	return p, c
}

// cleanTitle makes one line of plain text of a title, which may hold tags and
// entities. A lone < stays: 3<5.
func cleanTitle(s string) string {
	s = clipBytes(s, 16<<10)
	if strings.Contains(s, "<") {
		s = lineTag.ReplaceAllString(s, " ")
		s = markup.ReplaceAllString(s, "")
	}
	if strings.Contains(s, "&") {
		s = html.UnescapeString(s)
	}
	return clipRunes(unspace(cleanLine(s)), maxTitle)
}

// cleanLine makes one line: hostile characters gone, white space collapsed.
func cleanLine(s string) string { return strings.Join(strings.Fields(cleanRunes(s)), " ") }

// cleanRunes drops what has no business in printed text: invalid UTF-8, control
// characters and others that XML 1.0 §2.2 forbids, zero-width characters, and
// the bidirectional overrides and isolates (U+202A–202E, U+2066–2069), which can
// show a text as another. Joiners stay where a script or an emoji needs them.
// Chinese characters are never replaced by others (no NFC, NFKC): the
// compatibility ideographs are other characters in names.
func cleanRunes(s string) string {
	if plainRunes(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	var last rune
	for i, c := range s {
		switch {
		case c == utf8.RuneError:
			if _, n := utf8.DecodeRuneInString(s[i:]); n == 1 {
				continue
			}
		case c == '\t' || c == '\n' || c == '\r':
		case c == 0x2028 || c == 0x2029 || c == 0x0b || c == 0x0c:
			c = '\n'
		case c < 0x20, c >= 0x7f && c < 0xa0, c == 0xad:
			continue
		case c == 0x200d || c == 0x200c: // joiners
			if last < 0x590 || last >= 0x2000 && last < 0x2600 || last >= 0x3000 && last < 0xfe00 {
				continue
			}
		case c >= 0x200b && c <= 0x200f, c >= 0x202a && c <= 0x202e, c >= 0x2060 && c <= 0x206f,
			c == 0x061c, c == 0xfeff, c >= 0xfff0 && c <= 0xfffb, c&0xfffe == 0xfffe, c >= 0xfdd0 && c <= 0xfdef,
			c >= 0xe0000 && c <= 0xe007f:
			continue
		}
		b.WriteRune(c)
		last = c
	}
	return b.String()
}

// plainRunes tells the common case, in which there is nothing to drop. Of the
// Chinese characters it looks at the first byte only, where that says enough.
func plainRunes(s string) bool {
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c >= 0x20 && c < 0x7f, c == '\n', c == '\t', c == '\r':
			i++
			continue
		case c >= 0xe4 && c <= 0xe9 && i+2 < len(s) && s[i+1]&0xc0 == 0x80 && s[i+2]&0xc0 == 0x80: // U+4000–9FFF
			i += 3
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError: // U+FFFD stays, a bad byte goes
			if n < 2 {
				return false
			}
		case r >= 0x3000 && r < 0xd800, r >= 0xff01 && r < 0xffe7:
		case r >= 0x2010 && r < 0x2028: // dashes, quotation marks, the ellipsis
		case r == 0xa0 || r == 0xb7:
		default:
			return false
		}
		i += n
	}
	return true
}

func clipBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func clipRunes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	count := 0
	for i := range s {
		if count == n {
			return s[:i]
		}
		count++
	}
	return s
}

// fold keeps the letters, digits and Chinese characters of a text, half-width
// and lower-case: what a redesign does not change.
func fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, c := range s {
		if c >= 0xff01 && c <= 0xff5e {
			c -= 0xfee0
		}
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			b.WriteRune(unicode.ToLower(c))
		}
	}
	return b.String()
}

// dropRepeats takes the titles out of the body's first lines, where some skins
// print them again.
func dropRepeats(blocks []block, titles ...string) []block {
	have := map[string]bool{}
	longest := 0
	for _, t := range titles {
		if f := fold(t); f != "" {
			have[f] = true
			longest = max(longest, 2*len(t)+100)
		}
	}
	seen := 0
	for i := 0; i < len(blocks) && seen < 4; {
		if b := blocks[i]; b.kind == para || b.kind == subhead {
			seen++
			if s := plain(b.runs); len(s) <= longest && have[fold(s)] {
				blocks = slices.Delete(blocks, i, i+1)
				continue
			}
		}
		i++
	}
	return blocks
}

// boilerplate matches whole lines that are the skin's or the edition's, never
// the article's: arrows (Webdings digits), zoom links, share bars, notices.
var boilerplate = regexp.MustCompile(`^(?:` + strings.Join([]string{
	`[3479◀▶<>《》«»\s]*(?:上一篇|下一篇|上一版|下一版|上一期|下一期|返回目录|返回首页|返回顶部|回到顶部|上一页|下一页)[3479◀▶<>《》«»\s]*(?:[:：].{0,80}|(?:上一篇|下一篇|上一版|下一版|下一期|返回目录|返回首页)[3479◀▶<>\s]*)*`,
	`(?:放大|缩小|默认|字号|大|中|小|打印|关闭|收藏|朗读|复制链接|\s|[/|｜\[\]【】+\-:：]){2,}`,
	`分享(?:到|至)?\s*[:：]?.{0,30}`,
	`(?:本报|本网|特别)?(?:版权声明|免责声明|版权所有)\s*[:：©].*`,
	`未经(?:本报|本网|书面|授权|许可).{0,60}(?:不得|禁止|请勿).{0,60}`,
	`(?:更多(?:精彩)?(?:内容|资讯|新闻))?[，,]?(?:敬请|欢迎|请)?(?:登录|关注|扫描|扫码|扫一扫).{0,30}(?:官方微博|官方微信|微信公众号|二维码|客户端).{0,40}`,
	`(?:移动|联通|电信|手机)用户发送.{0,60}(?:到|至)\d{4,12}.{0,40}`,
	`《[^》]{2,20}》\s*[（(]\s*\d{4}年\s*\d{1,2}月\s*\d{1,2}日\s*第?\s*[A-Za-z]{0,2}\d{0,3}\s*版?.{0,20}[）)]?`,
	`(?:点击|阅读|浏览)(?:数|量|次数)?\s*[:：]\s*\d+`,
	`[（(](?:完|终|全文完)[）)]`,
}, "|") + `)$`)

// styleText is a style sheet whose <style> was lost on the way: p.MsoNormal {margin:0}.
var styleText = regexp.MustCompile(`^(?:\s*[@.#*A-Za-z][^{}。，！？]{0,200}\{[^{}。！？]*\})+$`)

var footerCredits = regexp.MustCompile(`^(《[^》]{2,20}》\s*[（(]\s*\d{4}年\s*\d{1,2}月\s*\d{1,2}日[^）)]{0,20}[）)])\s*([（(]?(?:责编|责任编辑|编辑).*)$`)

// fileLine says of all pictures that they are no new ones.
var fileLine = regexp.MustCompile(`^[（(]?(?:本版|本期|本组|本文|以上|文中)?(?:图片|照片)?(?:均)?(?:为)?资料(?:图片?|照片)[）)]?$`)

// dropBoilerplate looks at the first and last lines only; an article may well
// say in its middle what a skin says around it. It reports whether one of them
// was that the pictures are from the files.
func dropBoilerplate(blocks []block) (left []block, filed bool) {
	is := func(i int) bool {
		b := blocks[i]
		if b.kind != para && b.kind != subhead {
			return false
		}
		s := strings.TrimSpace(plain(b.runs))
		if strings.Contains(s, "资料") && fileLine.MatchString(s) {
			// Right under a picture it is this picture's caption.
			if i > 0 && blocks[i-1].kind == figure && len(blocks[i-1].runs) == 0 {
				return false
			}
			filed = true
			return true
		}
		return len(s) < 600 && boilerplate.MatchString(s) || strings.HasSuffix(s, "}") && styleText.MatchString(s)
	}
	for n := 0; n < 3 && len(blocks) > 0 && is(0); n++ {
		blocks = blocks[1:]
	}
	end := len(blocks)
	for i, n := end-1, 0; i >= 0 && n < 8; i, n = i-1, n+1 {
		b := &blocks[i]
		if b.kind == para {
			if s := plain(b.runs); strings.HasPrefix(s, "《") {
				if m := footerCredits.FindStringSubmatchIndex(s); m != nil {
					b.runs = cutRuns(b.runs, m[4], m[5]) // 责编 stays for the byline
					continue
				}
			}
		}
		if is(i) {
			blocks = slices.Delete(blocks, i, i+1)
		}
	}
	return blocks, filed
}

// captionStart are the words and signs that a caption opens with.
var captionStart = regexp.MustCompile(`^(?:[▲△▼▽◀◁▶▷←→↑↓↖↗↘↙]|(?:上|下|左|右|本|题|组|大|小|资料)?图[①-⑳\d一二三四五]?\s*(?:[:：]|为|片)|图[①-⑳]|[（(]?资料(?:图|照片))`)

// columnHeads open or close a text and are no picture's caption.
var columnHeads = regexp.MustCompile(`^(?:编者按|编者的话|开栏的话|核心提示|阅读提示|内容提要|新闻提示|引子|导语|前言|序|结语|尾声|后记|相关链接|延伸阅读|新闻链接|[一二三四五六七八九十]{1,2}、|第[一二三四五六七八九十]{1,2}[章节]|\d{1,2}[.．、]).*$`)

// captionBelow reports whether the paragraph at i, right under a picture, is its
// caption by its markup or its shape: one short line that ends no sentence. A
// subhead has the same shape. It is bold or numbered, stands to the left where
// the picture is centred, or has others like it in the article.
func captionBelow(blocks []block, i int, own []string) bool {
	b, s := blocks[i], plain(blocks[i].runs)
	n := utf8.RuneCountInString(s)
	if b.caption {
		return n <= 300
	}
	if b.kind != para || b.bold || b.labels || n < 2 || n > 60 || strings.Contains(s, "\n") || columnHeads.MatchString(s) {
		return false
	}
	// Centred under a centred picture, it may be a sentence.
	if !shapeOfHead(s) {
		alone := b.centred && blocks[i-1].centred && i+1 < len(blocks) && !blocks[i+1].centred
		if !alone || !strings.HasSuffix(s, "。") || strings.IndexAny(s, "“（(【[□■●◆▲△") == 0 {
			return false
		}
	}
	if _, ok := wholeByline(s, own, true); ok {
		return false
	}
	if _, end := readDateline(s, own); end > 0 {
		return false
	}
	prose := func(i int) bool {
		s := plain(blocks[i].runs)
		return isProse(s)
	}
	last := i+1 == len(blocks)
	if !last && (blocks[i+1].kind == para && !prose(i+1) || blocks[i+1].kind != para && blocks[i+1].kind != figure && blocks[i+1].kind != subhead) {
		return false // the first line of verse or of a list
	}
	if b.centred && blocks[i-1].centred {
		return last || !blocks[i+1].centred || blocks[i+1].kind == figure
	}
	if last || n > 30 {
		return false
	}
	for j := range blocks {
		if j != i && j > 0 && j+1 < len(blocks) && blocks[j].kind == para && blocks[j].centred == b.centred && blocks[j-1].kind == para && blocks[j+1].kind == para {
			if t := plain(blocks[j].runs); utf8.RuneCountInString(t) <= 30 && shapeOfHead(t) {
				return false
			}
		}
	}
	return true
}

// isProse reports whether a paragraph is more than a line between others.
func isProse(s string) bool { return longer(s, 30) || strings.ContainsAny(s, "。！？") }

// shapeOfHead reports whether a line ends no sentence and opens no parenthesis
// or list, as subheads and short captions do.
func shapeOfHead(s string) bool {
	last, _ := utf8.DecodeLastRuneInString(s)
	first, _ := utf8.DecodeRuneInString(s)
	return !strings.ContainsRune("。！？；：，、…;:,.!?）)】", last) && !strings.ContainsRune("（(【[□■●◆▲△—", first) &&
		!strings.Contains(s, "。") && strings.IndexFunc(s, unicode.IsLetter) >= 0
}

// takeCaptions makes the paragraph after a picture its caption, where it looks
// like one. It never takes the last words of an article: a picture story keeps
// its text.
func takeCaptions(blocks []block, own []string) []block {
	texts, bare := 0, false
	for _, b := range blocks {
		bare = bare || b.kind == figure && len(b.runs) == 0
		if b.kind != figure && len(b.runs)+len(b.items)+len(b.rows)+len(b.inner) > 0 {
			texts++
		}
	}
	if !bare || texts <= 1 {
		return tidyCaptions(blocks)
	}
	out := make([]block, 0, len(blocks))
	for i, b := range blocks {
		if n := len(out); n > 0 && b.kind == para && !b.labels && out[n-1].kind == figure && len(out[n-1].runs) == 0 && texts > 1 {
			s := plain(b.runs)
			credit := ""
			short := !longer(s, 200)
			if short {
				_, credit = splitCredit(s)
			}
			if short && (credit != "" || captionStart.MatchString(s)) || captionBelow(blocks, i, own) {
				out[n-1].runs = b.runs
				texts--
				continue
			}
		}
		out = append(out, b)
	}
	return tidyCaptions(out)
}

func tidyCaptions(blocks []block) []block {
	for i := range blocks {
		if blocks[i].kind == figure {
			tidyCaption(&blocks[i])
		}
	}
	return blocks
}

var (
	// A label and what binds it to its caption: 图①：, 图1为, ①, 上图：.
	label     = regexp.MustCompile(`[▲△（(]?(?:图\s*([①-⑳])\s*[）)]?\s*(?:[:：，,]|为)?|图\s*([一二三四五六七八九十]|\d{1,2})\s*[）)]?\s*(?:[:：]|为)|([①-⑳])|(?:左上|右上|左下|右下|[上下左右中大小])图\s*[）)]?\s*(?:[:：]|为))\s*`)
	labelOnly = regexp.MustCompile(`^[（(]?图?\s*(?:[①-⑳一二三四五六七八九十]|\d{1,2})[）)]?[:：]?$`)
)

// circled are the first two bytes of ①…⑳ (U+2460–2473).
const circled = "\xe2\x91"

// labelled splits captions of several pictures that were printed together, in
// the order of their numbers, which have to be 1, 2, 3 …; from is where those of
// this text begin. Without a number (上图, 下图) they come in order. It is nil
// where s is anything else.
func labelled(s string, from int) (captions []string) {
	if !strings.Contains(s, "图") && !strings.Contains(s, circled) {
		return nil
	}
	var cuts [][]int
	for _, m := range label.FindAllStringSubmatchIndex(s, maxImages) {
		before, _ := utf8.DecodeLastRuneInString(s[:m[0]])
		if m[0] > 0 && !unicode.IsSpace(before) && !strings.ContainsRune("。；;！？”）)，、", before) {
			continue // 见图①
		}
		number := from + len(cuts)
		switch {
		case m[2] >= 0:
			number = int(lastRune(s[m[2]:m[3]])-'①') + 1
		case m[6] >= 0:
			number = int(lastRune(s[m[6]:m[7]])-'①') + 1
		case m[4] >= 0:
			if v, err := strconv.Atoi(s[m[4]:m[5]]); err == nil {
				number = v
			} else {
				number = strings.Index("一二三四五六七八九十", s[m[4]:m[5]])/len("一") + 1
			}
		}
		if number != from+len(cuts) || len(cuts) == 0 && m[0] != 0 {
			return nil
		}
		cuts = append(cuts, m)
	}
	for i, m := range cuts {
		end := len(s)
		if i+1 < len(cuts) {
			end = cuts[i+1][0]
		}
		captions = append(captions, strings.Trim(cleanLine(s[m[1]:end]), "；; "))
	}
	return captions
}

// markLabels marks the paragraphs that hold the captions of several pictures,
// and a line of credits below them. ①… alone numbers arguments as well: it needs
// the credit.
func markLabels(blocks []block) {
	for i := 0; i < len(blocks); i++ {
		count, end, credited, bare := 0, i, false, false
		for end < len(blocks) && blocks[end].kind == para {
			s := plain(blocks[end].runs)
			if head := clipBytes(s, 24); count == 0 && !strings.Contains(head, "图") && !strings.Contains(head, "①") {
				break // nearly every paragraph
			}
			if longer(s, maxCaption) {
				break
			}
			caption, credit := splitCredit(s)
			got := labelled(s, count+1)
			if len(got) == 0 && (count == 0 || caption != "" || credit == "") {
				break
			}
			bare = bare || strings.ContainsRune("①②③④⑤⑥⑦⑧⑨", []rune(s)[0])
			credited = credited || credit != ""
			count += len(got)
			end++
			if len(got) == 0 {
				break
			}
		}
		if count >= 2 && (credited || !bare) {
			for j := i; j < end; j++ {
				blocks[j].labels = true
			}
		}
		i = max(i, end-1)
	}
}

// takeLabels gives captions that were printed together to the pictures that have
// none, where there are as many; a credit at their end is all these pictures'.
// Otherwise they stay text, and only their credit leaves.
func takeLabels(blocks []block, own []string) ([]block, credits) {
	var c credits
	first := slices.IndexFunc(blocks, func(b block) bool { return b.labels })
	if first < 0 {
		// A table of pictures has them in its last row.
		for i := range blocks {
			if b := &blocks[i]; b.kind == figure && len(b.runs) > 0 {
				if got := labelled(plain(b.runs), 1); len(got) >= 2 {
					runs := b.runs
					if b.runs = nil; !deal(blocks, got, b.image.credit) {
						b.runs = runs
					}
				}
			}
		}
		return blocks, c
	}
	end := first
	var parts []string
	for ; end < len(blocks) && blocks[end].labels; end++ {
		parts = append(parts, plain(blocks[end].runs))
	}
	all, credit := splitCredit(strings.Join(parts, "\n"))
	if deal(blocks, labelled(all, 1), credit) {
		return slices.Delete(blocks, first, end), c
	}
	b := &blocks[end-1]
	s := plain(b.runs)
	caption, _ := splitCredit(s)
	if !strings.HasPrefix(s, caption) {
		return blocks, c
	}
	if got, ok := parseCredits(strings.Trim(s[len(caption):], " （()）。"), own, strictName); ok && len(got.people) > 0 {
		c = got
		if b.runs = cutRuns(b.runs, 0, len(caption)); len(b.runs) == 0 {
			blocks = slices.Delete(blocks, end-1, end)
		}
	}
	return blocks, c
}

// deal gives each picture without a caption one of captions, if they are as many.
func deal(blocks []block, captions []string, credit string) bool {
	var free []*block
	for i := range blocks {
		if b := &blocks[i]; b.kind == figure && (len(b.runs) == 0 || labelOnly.MatchString(plain(b.runs))) {
			free = append(free, b)
		}
	}
	if len(free) == 0 || len(free) != len(captions) {
		return false
	}
	for i, b := range free {
		b.runs = []run{{text: captions[i]}}
		tidyCaption(b)
		if !isFile(captions[i]) {
			b.image.credit = cmp.Or(b.image.credit, credit)
		}
	}
	return true
}

// tidyCaption makes a caption plain text of one line, its credit apart.
func tidyCaption(b *block) {
	s := clipRunes(cleanLine(strings.TrimLeft(plain(b.runs), "▲△▼▽◀◁▶▷ ")), maxCaption)
	s, credit := splitCredit(s)
	b.image.credit = cmp.Or(b.image.credit, credit)
	b.runs = nil
	if s != "" {
		b.runs = []run{{text: s}}
	}
}

var numberedHead = regexp.MustCompile(`^(?:[（(][一二三四五六七八九十]{1,2}[）)]|[一二三四五六七八九十]{1,2}、|\d{1,2}[.．、])`)

// markSubheads makes headings of short paragraphs without end punctuation that
// stand alone between longer ones. Verse, lists and signatures have short
// neighbours or none.
func markSubheads(blocks []block) {
	text := func(i int) (string, bool) {
		if i < 0 || i >= len(blocks) || blocks[i].kind != para {
			return "", false
		}
		return plain(blocks[i].runs), true
	}
	prose := func(i int) bool {
		s, ok := text(i)
		return ok && isProse(s)
	}
	bold := func(i int) bool { return i >= 0 && i < len(blocks) && blocks[i].kind == para && blocks[i].bold }
	opening := 0 // the first paragraph; pictures may stand above it
	for opening < len(blocks) && blocks[opening].kind == figure {
		opening++
	}
	heads := make([]bool, len(blocks))
	first, more := false, false // the article opens with a numbered line, and has more of them
	allBold := true
	for i := range blocks {
		allBold = allBold && (blocks[i].kind != para || blocks[i].bold)
	}
	for i := range blocks {
		s, ok := text(i)
		if !ok || strings.Contains(s, "\n") {
			continue
		}
		if longer(s, 40) || !longer(s, 1) || !shapeOfHead(s) {
			continue
		}
		after := prose(i+1) || i+1 < len(blocks) && blocks[i+1].kind == figure && prose(i+2)
		if !after {
			continue
		}
		if bold(i) && !allBold && !bold(i+1) {
			heads[i] = true
			continue
		}
		before := i == 0 || prose(i-1) || blocks[i-1].kind != para
		// The first line of an article is a subhead only where more follow.
		if before && !longer(s, 30) {
			numbered := numberedHead.MatchString(s)
			heads[i] = i > opening
			first = first || i == opening && numbered
			more = more || i > opening && numbered
		}
	}
	if first && more {
		heads[opening] = true
	}
	for i := range heads {
		if heads[i] {
			blocks[i].kind = subhead
		}
	}
	for i := range blocks {
		if blocks[i].kind == subhead {
			for j := range blocks[i].runs {
				blocks[i].runs[j].strong = false
			}
		}
	}
}

// addPictures puts the pictures that stand outside the body first, in order, as
// the printed page has them above the text. A picture that the body holds too
// stays there and takes the outer caption.
func addPictures(blocks []block, images []sources.Image, base *url.URL) []block {
	in := map[string]int{}
	var top []block
	figures := 0
	for i, b := range blocks {
		if b.kind == figure {
			in[pictureKey(b.image.url)] = i
			figures++
		}
	}
	seen := map[string]bool{}
	for _, im := range images {
		if len(top) >= maxImages {
			break
		}
		u := fullSize(resolve(base, im.URL, false))
		key := pictureKey(u)
		if u == "" || seen[key] {
			continue
		}
		seen[key] = true
		f := block{kind: figure, image: picture{url: u, width: im.Width, height: im.Height, kind: mediaType(im.Type), length: max(im.Length, 0)}}
		if f.image.width <= 0 || f.image.height <= 0 {
			f.image.width, f.image.height = 0, 0
		}
		if c := cleanCaption(im.Caption); c != "" {
			f.runs = []run{{text: c}}
			tidyCaption(&f)
		}
		at, inBody := in[key]
		if !inBody {
			top = append(top, f)
			continue
		}
		b := &blocks[at]
		if len(b.runs) == 0 {
			b.runs = f.runs
		}
		b.image.credit = cmp.Or(b.image.credit, f.image.credit)
		b.image.kind, b.image.length = f.image.kind, f.image.length
		if f.image.width > 0 {
			b.image.width, b.image.height = f.image.width, f.image.height
		}
	}
	if len(top) == 0 && len(in) == figures {
		return blocks
	}
	// The same picture twice in a body is the skin's preview and its full size.
	have := map[string]bool{}
	out := slices.Grow(top, len(blocks))
	for _, b := range blocks {
		if b.kind == figure {
			key := pictureKey(b.image.url)
			if have[key] {
				continue
			}
			have[key] = true
		}
		out = append(out, b)
	}
	return out
}

// fileMark is in the captions of pictures that those who sign did not take: old
// ones, other houses' ones, and drawings.
var fileMark = regexp.MustCompile(`资料(?:图片|照片)|资料图(?:$|[^书像])|(?:图片|照片)(?:来自|据|源自|来源|选自)|[（(\s]图(?:据|源)|网络(?:图片|供图)|截图|新华社(?:发|照片|图片)|(?:示意|效果|规划|平面|位置|线路|流程|统计)图[）)。]?\s*$|[（(]漫画[）)]|AI\s*(?:生成|制图|绘图|合成)`)

func isFile(caption string) bool {
	for _, c := range caption {
		switch c {
		case '资', '图', '照', '新', '漫', 'A': // one of them is in every such mark
			return fileMark.MatchString(caption)
		}
	}
	return false
}

// creditPictures fills the credit of pictures that have none of their own from
// the byline: its photographers, or its few writers where they signed 文/摄, or
// the office it names. A picture from the files gets none.
func creditPictures(blocks []block, byline []paper.Person, signed credits) {
	var names, writers []string
	for _, p := range byline {
		switch p.Role {
		case paper.Photographer:
			names = append(names, p.Name)
		case paper.Editor:
		default:
			writers = append(writers, p.Name)
		}
	}
	if signed.pictures && len(names) == 0 && len(writers) <= 3 {
		names = writers
	}
	credit := cmp.Or(strings.Join(names, "、"), signed.giver)
	for i := range blocks {
		if b := &blocks[i]; b.kind == figure {
			if credit != "" && !signed.filed && !isFile(plain(b.runs)) {
				b.image.credit = cmp.Or(b.image.credit, credit)
			}
			if b.image.alt == "" {
				b.image.alt = clipRunes(plain(b.runs), 120)
			}
		}
	}
}

func cleanCaption(s string) string {
	if strings.Contains(s, "<") {
		s = lineTag.ReplaceAllString(s, " ")
		s = markup.ReplaceAllString(s, "")
	}
	if strings.Contains(s, "&") {
		s = html.UnescapeString(s)
	}
	return clipRunes(cleanLine(s), maxCaption)
}

var mediaTypeForm = regexp.MustCompile(`^image/[a-z0-9.+-]{1,40}$`)

func mediaType(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if mediaTypeForm.MatchString(s) {
		return s
	}
	return ""
}

// pictureKey is what makes two addresses the same picture: scheme, query and
// fragment differ between a skin's copies.
func pictureKey(u string) string {
	if i := strings.Index(u, "://"); i >= 0 {
		u = u[i+3:]
	}
	if i := strings.IndexAny(u, "?#"); i >= 0 {
		// A picture served by a script is known by its query only.
		if resizable.MatchString(u[:i]) {
			u = u[:i]
		}
	}
	return u
}

var resizable = regexp.MustCompile(`(?i)\.(?:jpe?g|png|gif|webp|avif|bmp)$`)

// summary is whole sentences from the first real paragraph, at most 120
// characters, without the dateline. A publisher's own summary (of a feed item)
// comes first where it is one. A sentence that alone is too long is cut at its
// last clause and ends with an ellipsis.
func summary(a paper.Article, given string) string {
	if given != "" {
		s := strings.ReplaceAll(textOf(readBody(given, nil)), "\n", " ")
		if cut := cutMore.ReplaceAllString(s, ""); cut != s {
			// An excerpt breaks off anywhere: back to its last whole sentence.
			if i := strings.LastIndexAny(cut, "。！？"); i >= 0 {
				s = cut[:i+len("。")]
			} else if i := strings.LastIndex(cut, ". "); i >= 0 {
				s = cut[:i+1]
			} else {
				s = strings.TrimSpace(cut) + "…"
			}
		}
		if s = sentences(s[datelineEnd(s):]); utf8.RuneCountInString(s) >= 12 && fold(s) != fold(a.Headline) {
			return s
		}
	}
	for line := range strings.SplitSeq(a.Text, "\n") {
		line = line[datelineEnd(line):]
		if head := clipBytes(line, 8*utf8.UTFMax*maxSummary); strings.Contains(head, "版") {
			line = continued.ReplaceAllString(head, "")
		}
		s := sentences(strings.TrimSpace(line))
		if longer(s, 19) || strings.ContainsAny(s, "。！？") {
			return s
		}
	}
	// Verse: its first lines.
	best := sentences(strings.ReplaceAll(a.Text, "\n", " "))
	for _, i := range a.Images {
		best = cmp.Or(best, sentences(i.Caption))
	}
	return cmp.Or(best, clipRunes(a.Subtitle, maxSummary))
}

var cutMore = regexp.MustCompile(`\s*(?:\[(?:…|\.{3})\]|…+|\.{3})?\s*(?:\[(?:…|\.{3})\]|阅读全文|查看全文|阅读更多|Read more|Continue reading)\s*[»>]*$`)

// continued are the marks of a story that goes on on another page. They stay in
// the text.
var continued = regexp.MustCompile(`[（(](?:下转|上接|紧接|转|接|详见|见)[^（）()]{0,12}版[^（）()]{0,6}[）)]`)

// marks are quotation marks and brackets by what closes them.
var marks = map[rune]rune{'“': '”', '‘': '’', '「': '」', '『': '』', '（': '）', '(': ')', '《': '》', '〈': '〉', '【': '】', '[': ']', '〔': '〕'}

// cutting is a place that a text may be cut at.
type cutting struct {
	at   int
	shut string // closes what is open there
}

// sentences cuts a text after its last whole sentence within 120 characters, else
// after a clause, else between words. What is open there is closed.
func sentences(s string) string {
	var whole, inner, clause, any cutting
	var open []rune
	var before, last rune // last is the character before any closing marks
	count := 0
	solid := func(r rune) bool {
		return r < 0x2e80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) || r != 0 && strings.ContainsRune(".,:-_/@%&'+#?=~$*!;", r)
	}
	shut := func() string {
		closing := make([]rune, 0, len(open))
		for i := len(open) - 1; i >= 0; i-- {
			closing = append(closing, open[i])
		}
		return string(closing)
	}
	for i, c := range s {
		count++
		n := i + utf8.RuneLen(c)
		next, _ := utf8.DecodeRuneInString(s[n:])
		// Before the character: there must be room for an ellipsis.
		if count+len(open) <= maxSummary && !(solid(before) && solid(c)) && !unicode.In(c, unicode.M, unicode.Cf, unicode.Sk, unicode.Variation_Selector) && before != '\u200d' && !strings.ContainsRune("，。！？；：、”』」）)》】…", c) && marks[before] == 0 {
			any = cutting{i, shut()}
		}
		if strings.ContainsRune("，；：、,;: ", c) && count+len(open) <= maxSummary && !(c < utf8.RuneSelf && c != ' ' && solid(next)) && !(unicode.IsDigit(before) && unicode.IsDigit(next)) {
			clause = cutting{i, shut()}
		}
		switch at := slices.Index(open, c); {
		case c == '’' && unicode.IsLetter(before) && before < 0x2e80 && unicode.IsLetter(next): // don’t
		case marks[c] != 0:
			open = append(open, marks[c])
		case at >= 0:
			open = open[:at]
		case c == '"' && !unicode.IsDigit(before): // 24" is a length
			open = append(open, c)
		}
		if count+len(open) <= maxSummary {
			end := 0
			switch closing := strings.ContainsRune("”』」）)’\"", c); {
			case strings.ContainsRune("。！？", c), strings.ContainsRune("!?", c) && !solid(next), c == '…' && before == '…':
				end = n
			case closing && strings.ContainsRune("。！？!?…", last) && (before == last || strings.ContainsRune("”』」）)’\"", before)):
				end = n // the mark that closes the sentence belongs to it
			case c == ' ' && before == '.':
				end = i // Latin full stop; a decimal point has no space after it
			}
			if end > 0 && len(open) == 0 {
				whole = cutting{end, ""}
			} else if end > 0 {
				inner = cutting{end, shut()}
			}
		} else if count > maxSummary {
			break
		}
		if !strings.ContainsRune("”』」）)’\"", c) {
			last = c
		}
		before = c
	}
	const short = len("一二三四五六七八九十")
	switch {
	case count+len(open) <= maxSummary:
		return s + shut()
	case whole.at > short, whole.at > 0 && inner.at == 0:
		return s[:whole.at]
	case inner.at > 0:
		return s[:inner.at] + inner.shut
	case clause.at > short:
		return strings.TrimSpace(s[:clause.at]) + "…" + clause.shut
	case any.at > 0:
		return strings.TrimSpace(s[:any.at]) + "…" + any.shut
	}
	return clipRunes(s, maxSummary-1) + "…"
}

// contentHash changes with every real change of content and with nothing else:
// not with the publisher's skin, white space, or where its pictures are served.
func contentHash(a paper.Article) string {
	h := sha256.New()
	put := func(s string) {
		writeSqueezed(h, s)
		h.Write([]byte{0})
	}
	put(a.Kicker)
	put(a.Headline)
	put(a.Subtitle)
	for _, p := range a.Byline {
		put(string(p.Role) + ":" + p.Name)
	}
	h.Write([]byte{1})
	put(a.Text)
	// One entry per picture: a picture that comes late is news to a reader.
	for _, i := range a.Images {
		put(i.Caption)
		put(i.Credit)
		h.Write([]byte{2})
	}
	return reading + ":" + hex.EncodeToString(h.Sum(nil))
}

// reading numbers the way articles are read and normalised. Raise it with every
// change that makes another text of the same page: a hash of another reading is
// no correction, it is only replaced.
const reading = "4"

// writeSqueezed writes s without white space.
func writeSqueezed(h hash.Hash, s string) {
	start := 0
	for i, c := range s {
		if unicode.IsSpace(c) {
			h.Write([]byte(s[start:i]))
			start = i + utf8.RuneLen(c)
		}
	}
	h.Write([]byte(s[start:]))
}

// fingerprint tells the same article of the same day under another id, after a
// redesign. It is empty where there is too little to be sure: a body under 20
// characters and no caption.
func fingerprint(a paper.Article) string {
	// Who wrote it may stand in the text of one skin and beside it in the next.
	body := fold(a.Text[datelineEnd(a.Text):])
	if utf8.RuneCountInString(body) < 20 {
		n := len(body)
		for _, i := range a.Images {
			body += "\n" + fold(i.Caption)
		}
		if strings.TrimSpace(body[n:]) == "" {
			return ""
		}
	}
	sum := sha256.Sum256([]byte(fold(a.Headline) + "\n" + body))
	return hex.EncodeToString(sum[:16])
}

// generic headlines say nothing about which article it is.
var generic = map[string]bool{
	"图片新闻": true, "简讯": true, "要闻简报": true, "导读": true, "广告": true, "公告": true, "无题": true, "新闻图片": true,
	"图片报道": true, "短讯": true, "新闻简报": true, "快讯": true, "简明新闻": true, "一句话新闻": true, "天气预报": true,
}

// similar reports whether b may be a new state of a: the headline is equal or
// near, or the bodies share at least 30% of the shorter one's four-character
// sequences. Where it is false, a position-numbered id means another article.
func similar(a, b paper.Article) bool {
	ha, hb := fold(a.Headline), fold(b.Headline)
	if !generic[ha] && !generic[hb] && ha != "" && hb != "" && near(ha, hb) {
		return true
	}
	ta, tb := storyText(a), storyText(b)
	ga, gb := grams(ta, 4), grams(tb, 4)
	if len(ga) == 0 || len(gb) == 0 {
		return ta == tb && ha == hb
	}
	if len(gb) < len(ga) {
		ga, gb = gb, ga
	}
	shared := 0
	for g := range ga {
		if gb[g] {
			shared++
		}
	}
	return shared*10 >= len(ga)*3
}

// storyText is the folded body, or the captions of a picture without one.
func storyText(a paper.Article) string {
	s := fold(a.Text)
	if s == "" {
		for _, i := range a.Images {
			s += fold(i.Caption)
		}
	}
	return clipRunes(s, 20_000)
}

// near: equal, one within the other, or two thirds of the shorter one's pairs of
// characters in both.
func near(a, b string) bool {
	if a == b {
		return true
	}
	ra, rb := utf8.RuneCountInString(a), utf8.RuneCountInString(b)
	if min(ra, rb) >= 6 && (strings.Contains(a, b) || strings.Contains(b, a)) {
		return true
	}
	ga, gb := grams(a, 2), grams(b, 2)
	if min(len(ga), len(gb)) < 4 {
		return false
	}
	shared := 0
	for g := range ga {
		if gb[g] {
			shared++
		}
	}
	return shared*3 >= max(len(ga), len(gb))*2
}

func grams(s string, n int) map[[4]rune]bool {
	r := []rune(s)
	if len(r) < n {
		return nil
	}
	set := make(map[[4]rune]bool, len(r))
	for i := 0; i+n <= len(r); i++ {
		var g [4]rune
		copy(g[:], r[i:i+n])
		set[g] = true
	}
	return set
}

// placeText is what the tagger looks at. Captions stand with the body: a
// picture story names its place nowhere else.
func placeText(a paper.Article) place.Text {
	t := place.Text{PageName: a.Page.Name}
	var parts []string
	for _, s := range []string{a.Kicker, a.Headline, a.Subtitle} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	t.Title = strings.Join(parts, " ")
	body := a.Text
	for _, i := range a.Images {
		if i.Caption != "" {
			body += "\n" + i.Caption
		}
	}
	t.Lead, t.Body, _ = strings.Cut(strings.TrimPrefix(body, "\n"), "\n")
	for i, p := range a.Byline {
		if i > 0 {
			t.Byline += " "
		}
		t.Byline += p.Name
	}
	return t
}
