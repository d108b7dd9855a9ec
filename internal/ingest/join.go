package ingest

import (
	"cmp"
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"paperwire/internal/paper"
	"paperwire/internal/store"
	"paperwire/sources"
)

// pageOfMark is the page that a mark names, and ① where that page holds several.
const pageOfMark = `\s*(?:本报)?\s*第?\s*([A-Za-z]{0,2}\d{1,3}|[一二三四五六七八九十]{1,3}|头)\s*版\s*([①-⑳]?)`

// Marks of an article that goes on on another page (下转第4版) and of what goes on
// there (上接第1版). 详见 and 报道见 lead to another article: they are no such marks.
var (
	jumpMark  = regexp.MustCompile(`(?:[（(【\[]\s*(?:下转|转)` + pageOfMark + `[^（()）【】\]\n]{0,10}[）)】\]]|下转` + pageOfMark + `。?)[\s　]*$`)
	fromMark  = regexp.MustCompile(`^\s*(?:[（(【\[]\s*(?:上接|紧接|接)|上接|紧接)` + pageOfMark + `(?:[^（()）【】\]\n]{0,10}[）)】\]]|)\s*[：:]?\s*`)
	fromTitle = regexp.MustCompile(`\s*[（(【\[]?\s*(?:上接|紧接)` + pageOfMark + `(?:[^（()）【】\]\n]{0,10}[）)】\]]|)\s*[：:]?\s*`)
)

// markLines is how many lines from the end a jump may stand: a photo credit or an
// editor's line follows now and then.
const markLines = 3

// jump is where a mark leads: to page To, or from page From; Sign is ① where the
// page holds several.
type jump struct {
	Page string // as pageKey writes it
	Sign string
	Line string // the mark as printed
}

// piece is part of an article, as it was read, with all it takes to take it in.
type piece struct {
	Article    paper.Article
	Origin     string
	Positional bool
	Also       []string
	Mark       string
	History    bool
	Archive    bool

	to, from *jump
	standing store.Piece
}

// incoming is the piece as an article of its own, or with what was joined to it.
func (s *source) incoming(p piece, a paper.Article, refDay paper.Day) store.Incoming {
	return store.Incoming{
		Article: a, Filing: s.plan.file(s, a), Origin: p.Origin, Positional: p.Positional, Also: p.Also, RefDay: refDay, Mark: p.Mark,
		Hash: contentHash(a), Fingerprint: fingerprint(a), Similar: similar, History: p.History, Archive: p.Archive,
	}
}

// goesOn is where an article says that it goes on, nil where it does not.
func goesOn(a paper.Article) *jump {
	lines := strings.Split(a.Text, "\n")
	for n := len(lines) - 1; n >= max(0, len(lines)-markLines); n-- {
		if !strings.Contains(lines[n], "转") {
			continue
		}
		if m := jumpMark.FindStringSubmatch(lines[n]); m != nil {
			return &jump{Page: pageKey(m[1] + m[3]), Sign: m[2] + m[4], Line: strings.TrimSpace(m[0])}
		}
	}
	return nil
}

// comesFrom is the page that an article says it goes on from: at the head of its
// text, or in one of its titles.
func comesFrom(a paper.Article) *jump {
	first, _, _ := strings.Cut(a.Text, "\n")
	if strings.Contains(clipRunes(first, 20), "接") {
		if m := fromMark.FindStringSubmatch(first); m != nil {
			return &jump{Page: pageKey(m[1]), Sign: m[2], Line: strings.TrimSpace(m[0])}
		}
	}
	for _, title := range []string{a.Headline, a.Kicker, a.Subtitle} {
		if strings.Contains(title, "接") {
			if m := fromTitle.FindStringSubmatch(title); m != nil {
				return &jump{Page: pageKey(m[1]), Sign: m[2]}
			}
		}
	}
	return nil
}

// pageKey writes a page's number so that 第四版, 4版, 04 and 头版 compare: letters in
// upper case, digits without zeros before them.
func pageKey(s string) string {
	s = strings.ToUpper(strings.TrimSpace(s))
	if s == "头" {
		return "1"
	}
	if n := hanNumber(s); n != "" {
		return n
	}
	i := strings.IndexAny(s, "0123456789")
	if i < 0 {
		return s
	}
	return s[:i] + cmp.Or(strings.TrimLeft(s[i:], "0"), "0")
}

// hanNumber reads 一 to 九十九; "" for what is no such number.
func hanNumber(s string) string {
	tens, ones, ten := 0, 0, false
	for _, c := range s {
		i := strings.IndexRune("一二三四五六七八九", c)
		switch {
		case c == '十' && !ten:
			ten, tens, ones = true, max(ones, 1), 0
		case i >= 0 && ones == 0:
			ones = i/len("一") + 1
		default:
			return ""
		}
	}
	if n := tens*10 + ones; n > 0 {
		return strings.TrimLeft(string([]byte{byte('0' + n/10), byte('0' + n%10)}), "0")
	}
	return ""
}

// samePage reports whether a page as printed is the one that a mark names. Some
// marks leave out the letter of a section: 下转4版 for A04.
func samePage(number, key string) bool {
	k := pageKey(number)
	return k == key || strings.TrimLeft(k, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == key
}

// aside keeps an article that is part of one on several pages until the look has
// been through the edition, and reports whether it did. One that was a part and is
// none any more goes the same way, once.
func (g *Ingest) aside(ctx context.Context, s *source, r sources.Ref, day paper.Day, p piece, known map[string]bool) (bool, error) {
	if goesOn(p.Article) == nil && comesFrom(p.Article) == nil && !known[r.Origin] {
		return false, nil
	}
	doc, err := json.Marshal(p)
	if err != nil {
		return false, err
	}
	return true, g.store.KeepPiece(ctx, s.Key, day, r.Origin, string(doc))
}

// compose makes articles of the pieces of an edition and takes them in: each that
// goes on with what goes on from it, under the first page. What has no counterpart
// is an article as it stands.
func (g *Ingest) compose(ctx context.Context, s *source, day paper.Day, rep *Report) error {
	kept, err := g.store.Pieces(ctx, s.Key, day)
	if err != nil {
		return err
	}
	pieces := make([]*piece, 0, len(kept))
	for _, k := range kept {
		p := &piece{standing: k}
		if err := json.Unmarshal([]byte(k.Doc), p); err != nil {
			return err
		}
		p.to, p.from = goesOn(p.Article), comesFrom(p.Article)
		pieces = append(pieces, p)
	}
	next := match(pieces)
	part := map[*piece]bool{}
	for _, p := range next {
		part[p] = true
	}
	for _, head := range pieces {
		if part[head] {
			continue
		}
		whole, tails := head.Article, []*piece{}
		for p := head; next[p] != nil; p = next[p] {
			whole = join(whole, p.to, next[p].Article, next[p].from)
			tails = append(tails, next[p])
		}
		out, err := g.store.Ingest(ctx, s.incoming(*head, whole, day))
		if err != nil {
			return err
		}
		switch out.Result {
		case store.New:
			rep.New++
		case store.Changed:
			rep.Changed++
		}
		for _, t := range tails {
			if err := g.store.Absorb(ctx, s.Key, s.Paper, day, t.Origin, t.Mark, out.ID); err != nil {
				return err
			}
		}
		if head.to == nil && head.from == nil {
			if err := g.store.KeepPiece(ctx, s.Key, day, head.Origin, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// match finds, for each piece that goes on, the piece that goes on from it. Their
// pages must name each other, or one page and the headline must agree; where that
// leaves a choice, the sign ① or the headline decides, else nothing is joined.
func match(pieces []*piece) map[*piece]*piece {
	next := map[*piece]*piece{}
	taken := map[*piece]bool{}
	type pair struct {
		head, tail *piece
		score      int
	}
	var pairs []pair
	for _, tail := range pieces {
		if tail.from == nil {
			continue
		}
		for _, head := range pieces {
			if head == tail || head.to == nil || !samePage(head.Article.Page.Number, tail.from.Page) {
				continue
			}
			// Two that are out by themselves stay so: nothing is taken back from readers.
			if out := tail.standing; (out.State == "released" || out.State == "withdrawn") && out.Article != head.standing.Article {
				continue
			}
			score := 0
			if samePage(tail.Article.Page.Number, head.to.Page) {
				score += 4
			}
			if sameTitle(head.Article, tail.Article) {
				score += 3
			}
			if head.to.Sign != tail.from.Sign {
				score -= 2
			}
			if score >= 3 {
				pairs = append(pairs, pair{head, tail, score})
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(b.score, a.score), slices.Index(pieces, a.head)-slices.Index(pieces, b.head))
	})
	for _, p := range pairs {
		if next[p.head] != nil || taken[p.tail] {
			continue
		}
		rival := slices.ContainsFunc(pairs, func(q pair) bool {
			return q.score == p.score && (q.head == p.head) != (q.tail == p.tail) && next[q.head] == nil && !taken[q.tail]
		})
		if rival || reaches(next, p.tail, p.head) {
			continue
		}
		next[p.head], taken[p.tail] = p.tail, true
	}
	return next
}

// reaches reports whether to goes on from p: marks that lead in a circle.
func reaches(next map[*piece]*piece, p, to *piece) bool {
	for ; p != nil; p = next[p] {
		if p == to {
			return true
		}
	}
	return false
}

func sameTitle(head, tail paper.Article) bool {
	h, t := fold(head.Headline), fold(fromTitle.ReplaceAllString(tail.Headline, ""))
	return h != "" && t != "" && near(h, t)
}

// join makes one article of two parts, under the titles and on the page of the
// first. The marks that lead from one to the other go.
func join(head paper.Article, to *jump, tail paper.Article, from *jump) paper.Article {
	a := head
	headText, headHTML := cutMark(head.Text, head.HTML, to, true)
	tailText, tailHTML := cutMark(tail.Text, tail.HTML, from, false)
	between := "\n"
	figures := leadFigures.FindString(tailHTML)
	if rest := tailHTML[len(figures):]; brokenOff(headText, headHTML) && strings.HasPrefix(rest, "<p>") {
		// The page ended in the middle of a sentence: it goes on, and pictures follow.
		between = ""
		first, more, _ := strings.Cut(rest[len("<p>"):], "</p>")
		headHTML, tailHTML = strings.TrimSuffix(headHTML, "</p>"), first+"</p>"+figures+more
	}
	a.Text = strings.Trim(headText+between+tailText, "\n")
	a.HTML = headHTML + tailHTML
	a.Images = slices.Clone(head.Images)
	for _, i := range tail.Images {
		if !slices.ContainsFunc(a.Images, func(h paper.Image) bool { return h.URL == i.URL }) {
			a.Images = append(a.Images, i)
		}
	}
	a.Byline = mergePeople(slices.Clone(head.Byline), tail.Byline)
	a.Byline = a.Byline[:min(len(a.Byline), maxPeople)]
	a.Agency = cmp.Or(head.Agency, tail.Agency)
	a.Summary = summary(a, "")
	return a
}

// brokenOff reports whether a part ends within a sentence, in a paragraph.
func brokenOff(text, html string) bool {
	last, _ := utf8.DecodeLastRuneInString(text)
	return strings.HasSuffix(html, "</p>") && !strings.ContainsRune("。！？…；：”’」』）》!?.;:)\"", last)
}

var emptyParagraph = regexp.MustCompile(`<p>(?:\s|</?(?:strong|em|b|i|u|span)>)*</p>|<h3>\s*</h3>`)

// cutMark takes a mark out of text and HTML: the last of its kind, or the first.
func cutMark(text, html string, j *jump, last bool) (string, string) {
	if j == nil || j.Line == "" {
		return text, html
	}
	at := strings.Index(text, j.Line)
	if last {
		at = strings.LastIndex(text, j.Line)
	}
	if at >= 0 {
		before, after := text[:at], text[at+len(j.Line):]
		text = strings.TrimRight(before, " 　")
		if after = strings.TrimLeft(after, " 　"); after != "" {
			text += after
		}
		// A line of its own goes whole.
		for strings.Contains(text, "\n\n") {
			text = strings.ReplaceAll(text, "\n\n", "\n")
		}
		text = strings.Trim(text, "\n")
	}
	// In the HTML the mark may be bold in part.
	var b strings.Builder
	for i, c := range j.Line {
		if i > 0 {
			b.WriteString(`(?:</?(?:strong|em|b|i|u|span|sup|sub)>|\s)*`)
		}
		b.WriteString(regexp.QuoteMeta(string(c)))
	}
	if marks := regexp.MustCompile(b.String()).FindAllStringIndex(html, -1); marks != nil {
		m := marks[0]
		if last {
			m = marks[len(marks)-1]
		}
		html = html[:m[0]] + strings.Join(inlineTag.FindAllString(html[m[0]:m[1]], -1), "") + html[m[1]:]
		html = emptyParagraph.ReplaceAllString(html, "")
	}
	return text, html
}

var leadFigures = regexp.MustCompile(`^(?:<figure>.*?</figure>)+`)

var inlineTag = regexp.MustCompile(`</?[a-z]+>`)
