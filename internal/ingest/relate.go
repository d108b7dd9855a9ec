package ingest

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"paperwire/internal/paper"
	"paperwire/internal/store"
)

const (
	maxTies     = 5    // articles that one is tied to
	maxPrinted  = 4000 // articles looked through for what belongs together
	lookBack    = 31   // days in which a corrected article is looked for where the notice names none
	gramRunes   = 8    // length of the sequences by which two texts are compared
	gramSample  = 4    // one in so many of them is compared
	leastSample = 8    // fewer tell nothing
)

// relate finds what belongs together in an edition and writes it down: briefs and
// the whole story, the same story twice, and notices with what they correct. They
// stay articles of their own.
func (g *Ingest) relate(ctx context.Context, s *source, day paper.Day) error {
	from, to := day, day
	if day == "" { // a feed has notices, too; its items are their own
		to = paper.DayOf(g.now(), zone(s)).Add(1)
		from = to.Add(-3)
	}
	list, err := g.store.Printed(ctx, s.Paper, from, to, maxPrinted)
	if err != nil {
		return err
	}
	var ties []store.Tie
	if day != "" {
		ties = twins(list)
	}
	var ids []string // whose ties are found here
	for _, a := range list {
		notice := a.Pseudo == "" && corrects(a, s.Name)
		if day != "" || notice {
			ids = append(ids, a.ID) // a feed does not tell which articles of an edition are twins
		}
		if !notice {
			continue
		}
		for _, r := range references(a) {
			id, err := g.find(ctx, s, a, r)
			if err != nil {
				return err
			}
			if id == "" {
				g.log.Info("correction", "source", s.Key, "notice", a.ID, "of", r.Title, "found", false)
				continue
			}
			ties = append(ties, store.Tie{Article: a.ID, Relation: paper.Corrects, Other: id})
		}
	}
	return g.store.Relate(ctx, s.Paper, ids, ties)
}

// twins ties briefs to the whole story and the same story to itself, by the share
// of sequences of eight characters that the shorter has in common with the longer.
func twins(list []paper.Article) []store.Tie {
	type text struct {
		a      paper.Article
		length int
		grams  int
	}
	texts := make([]text, 0, len(list))
	where := map[uint64][]int{} // gram -> texts that have it
	for _, a := range list {
		if a.Pseudo != "" {
			continue
		}
		folded := []rune(storyText(a))
		t := text{a: a, length: len(folded)}
		n := len(texts)
		for i := 0; i+gramRunes <= len(folded); i++ {
			sum := uint64(14695981039346656037) // FNV-1a over runes
			for _, c := range folded[i : i+gramRunes] {
				sum = (sum ^ uint64(c)) * 1099511628211
			}
			// Chosen by content, so that both texts choose the same.
			if sum>>32%gramSample != 0 {
				continue
			}
			if at := where[sum]; len(at) == 0 || at[len(at)-1] != n {
				where[sum] = append(at, n)
				t.grams++
			}
		}
		texts = append(texts, t)
	}
	shared := map[[2]int]int{}
	for _, at := range where {
		if len(at) > 12 { // a phrase of everybody's
			continue
		}
		for i := range at {
			for j := i + 1; j < len(at); j++ {
				shared[[2]int{at[i], at[j]}]++
			}
		}
	}
	var ties []store.Tie
	count := map[string]int{}
	add := func(a string, r paper.Relation, b string) {
		if count[a] < maxTies && count[b] < maxTies {
			count[a]++
			count[b]++
			ties = append(ties, store.Tie{Article: a, Relation: r, Other: b})
		}
	}
	// A brief that says where the whole story stands needs no words of it.
	for i, t := range texts {
		m := seeMark.FindStringSubmatch(t.a.Text)
		if m == nil {
			continue
		}
		for j, o := range texts {
			if i != j && o.length > t.length && samePage(o.a.Page.Number, pageKey(m[1])) && near(fold(t.a.Headline), fold(o.a.Headline)) {
				shared[[2]int{min(i, j), max(i, j)}] = max(t.grams, leastSample)
				texts[i].grams = max(t.grams, leastSample)
			}
		}
	}
	pairs := make([][2]int, 0, len(shared))
	for p := range shared {
		pairs = append(pairs, p)
	}
	slices.SortFunc(pairs, func(x, y [2]int) int { return cmp.Or(x[0]-y[0], x[1]-y[1]) })
	for _, p := range pairs {
		x, y := texts[p[0]], texts[p[1]]
		short, long := x, y
		if long.length < short.length {
			short, long = long, short
		}
		if short.grams < leastSample {
			continue
		}
		share := float64(shared[p]) / float64(short.grams)
		headed := !generic[fold(short.a.Headline)] && near(fold(short.a.Headline), fold(long.a.Headline))
		switch {
		case share >= 0.6, share >= 0.2 && headed:
		default:
			continue
		}
		if float64(short.length) >= 0.8*float64(long.length) {
			add(x.a.ID, paper.Same, y.a.ID)
		} else {
			add(short.a.ID, paper.Fuller, long.a.ID)
		}
	}
	return ties
}

var (
	seeMark    = regexp.MustCompile(`(?:详见|全文见|报道见|全文刊|刊于|见)\s*(?:今日)?(?:本报)?第?\s*([A-Za-z]{0,2}\d{1,3}|[一二三四五六七八九十]{1,3})\s*版`)
	noticeHead = regexp.MustCompile(`^(?:重要)?(?:更正|致歉|勘误|订正|道歉)(?:[与及和暨并]?(?:致歉|说明|启事|声明|更正|道歉|信|函))?$|^关于.{2,40}的?(?:更正|致歉|勘误)(?:说明|启事|声明)?$|^(?:更正|勘误|致歉)[:： ]`)
	// What a notice names: a title in 《》, else in quotation marks.
	namedTitle  = regexp.MustCompile(`《([^《》\n]{3,60})》`)
	quotedTitle = regexp.MustCompile(`[“"]([^“”"\n]{5,60})[”"]`)
	fullDate    = regexp.MustCompile(`(\d{4})年(\d{1,2})月(\d{1,2})日`)
	shortDate   = regexp.MustCompile(`(\d{1,2})月(\d{1,2})日`)
	dayOnly     = regexp.MustCompile(`本月(\d{1,2})日`)
	onPage      = regexp.MustCompile(`第?\s*([A-Za-z]{0,2}\d{1,3}|[一二三四五六七八九十]{1,3}|头)\s*版`)
)

// corrects reports whether an article is the paper's notice (更正, 致歉) about an
// earlier one: headed so, and its text names the paper and an article, page or day.
func corrects(a paper.Article, name string) bool {
	head := strings.TrimSpace(a.Headline)
	if !noticeHead.MatchString(head) && !noticeHead.MatchString(fold(head)) {
		return false
	}
	ours := name != "" && strings.Contains(a.Text, name)
	for _, w := range []string{"本报", "本刊", "本版", "我报"} {
		ours = ours || strings.Contains(a.Text, w)
	}
	return ours && utf8.RuneCountInString(a.Text) < 1500 && (namedTitle.MatchString(a.Text) || onPage.MatchString(a.Text))
}

// reference is an article as a notice names it. Day and Page are empty where it
// does not tell them.
type reference struct {
	Title string
	Day   paper.Day
	Page  string // as pageKey writes it
}

// references are the articles that a notice names, at most five. Day and page
// stand before a title, and hold for the titles after it until others come.
func references(a paper.Article) []reference {
	text := a.Headline + "\n" + a.Text
	names := namedTitle.FindAllStringSubmatchIndex(text, 2*maxTies)
	if names == nil {
		names = quotedTitle.FindAllStringSubmatchIndex(text, maxTies)
	}
	var list []reference
	last, r := 0, reference{}
	for _, m := range names {
		before := text[last:m[0]]
		last = m[1]
		if d := dayBefore(before, a.Day); d != "" {
			r.Day, r.Page = d, ""
		}
		if p := onPage.FindAllStringSubmatch(before, -1); p != nil {
			r.Page = pageKey(p[len(p)-1][1])
		}
		r.Title = strings.TrimSpace(text[m[2]:m[3]])
		if !slices.ContainsFunc(list, func(x reference) bool { return x.Title == r.Title }) && len(list) < maxTies {
			list = append(list, r)
		}
	}
	return list
}

// dayBefore reads the last day that a text names, seen from the day of the notice.
func dayBefore(s string, of paper.Day) paper.Day {
	best, found := -1, paper.Day("")
	take := func(at int, d paper.Day) {
		if at > best && d != "" {
			best, found = at, d
		}
	}
	whole := func(y, m, d string) paper.Day {
		month, _ := strconv.Atoi(m)
		day, _ := strconv.Atoi(d)
		year, _ := strconv.Atoi(y)
		t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
		if t.Month() != time.Month(month) || t.Day() != day {
			return ""
		}
		return paper.Day(t.Format(time.DateOnly))
	}
	for _, m := range fullDate.FindAllStringSubmatchIndex(s, -1) {
		take(m[1], whole(s[m[2]:m[3]], s[m[4]:m[5]], s[m[6]:m[7]]))
	}
	if len(of) == 10 {
		for _, m := range shortDate.FindAllStringSubmatchIndex(s, -1) {
			d := whole(string(of[:4]), s[m[2]:m[3]], s[m[4]:m[5]])
			if d > of { // in January, of December
				year, _ := strconv.Atoi(string(of[:4]))
				d = whole(strconv.Itoa(year-1), s[m[2]:m[3]], s[m[4]:m[5]])
			}
			take(m[1], d)
		}
		for _, m := range dayOnly.FindAllStringSubmatchIndex(s, -1) {
			take(m[1], whole(string(of[:4]), string(of[5:7]), s[m[2]:m[3]]))
		}
		for word, back := range map[string]int{"昨日": 1, "昨天": 1, "前日": 2, "前天": 2, "今日": 0, "今天": 0} {
			if i := strings.LastIndex(s, word); i >= 0 {
				take(i+len(word), of.Add(-back))
			}
		}
	}
	return found
}

// find finds the article that a notice names: by title, of the day and page that
// the notice tells. "" where none or more than one fits best.
func (g *Ingest) find(ctx context.Context, s *source, notice paper.Article, r reference) (string, error) {
	from, to := notice.Day.Add(-lookBack), notice.Day
	if r.Day != "" {
		from, to = r.Day.Add(-1), r.Day.Add(1) // notices err by a day, too
	}
	list, err := g.store.Printed(ctx, s.Paper, from, to, maxPrinted)
	if err != nil {
		return "", err
	}
	title := fold(r.Title)
	best, second, id := 0, 0, ""
	for _, a := range list {
		if a.ID == notice.ID || corrects(a, s.Name) {
			continue
		}
		score := 0
		for _, head := range []string{a.Headline, a.Kicker + a.Headline, a.Headline + a.Subtitle, a.Subtitle} {
			switch h := fold(head); {
			case h == "" || title == "":
			case h == title:
				score = max(score, 8)
			case utf8.RuneCountInString(title) >= 5 && strings.Contains(h, title):
				score = max(score, 6)
			case near(h, title):
				score = max(score, 5)
			}
		}
		if score == 0 {
			continue
		}
		if r.Page != "" && samePage(a.Page.Number, r.Page) {
			score += 2
		}
		if r.Day == a.Day {
			score++
		}
		switch {
		case score > best:
			best, second, id = score, best, a.ID
		case score > second:
			second = score
		}
	}
	if best == second {
		return "", nil
	}
	return id, nil
}
