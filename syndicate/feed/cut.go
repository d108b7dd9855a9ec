package feed

import (
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"paperwire/internal/paper"
)

// grade says how good a place to cut at is.
type grade uint8

const (
	cutTorn     grade = iota // inside a word, a number, an address or a name
	cutPossible              // between two Han characters
	cutWord
	cutClause
	cutSentence // what comes before it is whole: no ellipsis
)

const (
	openers = "“‘「『（(【《〈［[{｛〔〖«‹"
	shutter = "”’」』）)】》〉］]}｝〕〗»›" // in the same order
	closers = shutter + "\""
	pauses  = "，；、：,;:—–－- ｜|/／·～"
)

// pairs are the marks that close by those that open.
var pairs = func() map[rune]rune {
	m := map[rune]rune{}
	shut := []rune(shutter)
	for i, r := range []rune(openers) {
		m[r] = shut[i]
	}
	return m
}()

// edge is a place between two grapheme clusters.
type edge struct {
	at    int // bytes before it
	grade grade
	open  string // what closes the brackets and quotation marks that are open here
}

// names are what must not be torn in the texts of an item.
func names(item paper.Item, more []string) []string {
	list := make([]string, 0, 16)
	add := func(name string) {
		if name = line(name); name != "" && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	for _, p := range item.Byline {
		add(p.Name)
	}
	for _, t := range item.Districts {
		add(t.Name)
		for _, e := range t.Evidence {
			add(e.Text)
		}
	}
	for _, s := range item.Sections {
		add(s.Name)
	}
	add(item.Agency)
	add(item.PaperName)
	for _, name := range more {
		add(name)
	}
	return list
}

// Within is as much of a text as goes into so many characters, on one line: whole
// sentences where there are any.
func (c *Cutter) Within(s string, most int) string {
	s = line(s)
	// Bytes bound characters from above, and a summary is short: nearly always this
	// is the end of it. And no more of a whole body is looked at than is needed.
	if len(s) > most {
		s, _ = c.Fit(s, most, 0, func(s string) bool { return utf8.RuneCountInString(s) <= most })
	}
	return s
}

// Closed is a text with its quotation marks and brackets closed, as those of others may
// not be: the paragraphs of a long quotation but its last are left open in print.
func (c *Cutter) Closed(s string, most int) string {
	switch shut := unclosed(s); {
	case shut == "":
	case utf8.RuneCountInString(s)+utf8.RuneCountInString(shut) <= most:
		s += shut
	default:
		whole := s
		s, _ = c.Fit(s, most, 0, func(s string) bool { return s != whole && utf8.RuneCountInString(s) <= most })
	}
	return s
}

// Fit is as much of a line, from its beginning, as fits. It ends with a sentence
// where that keeps enough of what there is room for (least, from 0 to 1), else with a
// clause, a word, or somewhere in between, and an ellipsis says so; quotation marks
// and brackets that are open there are closed. cut reports whether anything is
// missing. It is empty where nothing fits.
func (c *Cutter) Fit(s string, most int, least float64, fits func(string) bool) (text string, cut bool) {
	if fits(s) {
		return s, false
	}
	all := c.edges(s, most)
	at := func(e edge) string {
		if e.grade == cutSentence && e.open == "" {
			return s[:e.at]
		}
		end := e.at
		for end > 0 { // an ellipsis stands behind no other mark
			r, n := utf8.DecodeLastRuneInString(s[:end])
			if !strings.ContainsRune(pauses+"…。．.", r) {
				break
			}
			if _, whole := slices.BinarySearchFunc(all, end-n, func(e edge, at int) int { return e.at - at }); !whole {
				break // it is joined to what comes before it; or nothing does
			}
			end -= n
		}
		return s[:end] + "…" + e.open
	}
	edges := all[:sort.Search(len(all), func(i int) bool { return !fits(s[:all[i].at]) })]
	for tries := 0; len(edges) > 0; tries++ {
		i := c.choose(edges, least)
		if t := at(edges[i]); fits(t) {
			return t, true
		}
		// There is no room for the ellipsis, or for what closes the brackets.
		if tries == 0 {
			edges = slices.Clone(edges)
		}
		if tries < 8 {
			edges = slices.Delete(edges, i, i+1)
		} else {
			edges = edges[:min(i, len(edges)-1-len(edges)/8)]
		}
	}
	return "", true
}

// choose finds the best edge.
func (c *Cutter) choose(edges []edge, least float64) int {
	last := len(edges) - 1
	half := last / 2
	from := int(least * float64(last))
	for _, want := range []struct {
		grade  grade
		closed bool
		from   int
	}{
		{cutSentence, true, from}, {cutClause, true, half}, {cutWord, true, half}, {cutClause, false, half}, {cutWord, false, half}, {cutClause, true, half * 4 / 5}, {cutWord, true, half * 4 / 5}, {cutSentence, true, 0}, {cutPossible, false, 0},
	} {
		for i := last; i >= want.from; i-- {
			if edges[i].grade >= want.grade && (edges[i].open == "" || !want.closed) {
				return i
			}
		}
	}
	return last // one word that is longer than there is room
}

// edges are the places between the first clusters of a line, of which at most
// twice as many are looked at as it may be long: no measure counts less than half
// for one.
func (c *Cutter) edges(s string, most int) []edge {
	if s == c.text {
		return c.known
	}
	list := make([]edge, 0, min(len(s)/3+8, 2*most+2))
	var marks brackets
	var last rune // of the cluster before
	at := 0
	for at < len(s) && len(list) < 2*most+2 {
		n := cluster(s[at:])
		r, first := utf8.DecodeRuneInString(s[at:])
		marks.pass(s, at, r)
		for i := at + first; i < at+n; { // a mark may stand behind what joins it to itself
			more, n := utf8.DecodeRuneInString(s[i:])
			marks.pass(s, i, more)
			i += n
		}
		end := at + n
		if end < len(s) {
			next, _ := utf8.DecodeRuneInString(s[end:])
			list = append(list, edge{end, grades(s, end, last, r, next), marks.shut})
		}
		if !strings.ContainsRune(closers, r) {
			last = r
		}
		at = end
	}
	c.keep(s, list)
	if at == len(s) {
		c.text, c.known = s, list
	}
	return list
}

func unclosed(s string) string {
	var marks brackets
	for i, r := range s {
		marks.pass(s, i, r)
	}
	return marks.shut
}

// brackets are the brackets and quotation marks that are open somewhere in a text.
type brackets struct {
	open []rune // by what closes them, the outermost first
	shut string // closes them all
}

// pass goes past the character of a text at a place.
func (b *brackets) pass(s string, at int, r rune) {
	if r < 0x80 && strings.IndexByte("\"()[]{}", byte(r)) < 0 || ideograph(r) {
		return
	}
	want, opens := pairs[r]
	k := lastIndex(b.open, r)
	switch {
	case apostrophe(s, at, r):
		return
	case opens:
		b.open = append(b.open, want)
	case k >= 0: // what was left open inside it ends with it
		b.open = b.open[:k]
	case r == '"' && (at == 0 || s[at-1] < '0' || s[at-1] > '9'): // opens and closes alike; 24" is a length
		b.open = append(b.open, r)
	default:
		return
	}
	shut := make([]rune, 0, len(b.open))
	for i := len(b.open) - 1; i >= 0; i-- {
		shut = append(shut, b.open[i])
	}
	b.shut = string(shut)
}

func lastIndex(open []rune, r rune) int {
	for i := len(open) - 1; i >= 0; i-- {
		if open[i] == r {
			return i
		}
	}
	return -1
}

// apostrophe reports whether the mark at a place stands inside a Latin word: don’t.
func apostrophe(s string, at int, r rune) bool {
	if r != '’' && r != '‘' || at == 0 {
		return false
	}
	before, _ := utf8.DecodeLastRuneInString(s[:at])
	after, _ := utf8.DecodeRuneInString(s[at+utf8.RuneLen(r):])
	return latin(before) && latin(after)
}

// latin reports letters of scripts that set spaces between words.
func latin(r rune) bool {
	return !han(r) && unicode.IsLetter(r)
}

// han reports letters of scripts that do not.
func han(r rune) bool {
	return r >= 0x2e80 && r <= 0x9fff || r >= 0xf900 && r <= 0xfaff || r >= 0x20000 && r <= 0x3fffd || r == '〇'
}

// ideograph reports the Han characters proper.
func ideograph(r rune) bool {
	return r >= 0x3400 && r <= 0x4dbf || r >= 0x4e00 && r <= 0x9fff || r >= 0x20000 && r <= 0x3fffd
}

// joiner reports marks that stand inside numbers, words and addresses.
func joiner(r rune) bool { return strings.ContainsRune(".,:-_/@%&'’+#?=~$*!;", r) }

// grades says how good it is to cut at a place of a text, between a cluster that
// begins with r (a closing mark perhaps, with last before it) and the character next.
func grades(s string, end int, last, r, next rune) grade {
	if next >= 0x3400 && r >= 0x3400 && r != '第' && ideograph(r) && ideograph(next) {
		return cutPossible // nearly always
	}
	switch {
	case strings.ContainsRune(closers, next) || strings.ContainsRune("，。！？；：、…,;!?％%℃°", next) || next == '.' && r != ' ':
		// A line may not begin with them; and before them there is only half a thought.
		if pausing(s, end, next) && !strings.ContainsRune(openers, r) {
			return cutClause
		}
		return cutTorn
	case strings.ContainsRune(openers, r):
		return cutTorn
	case next == '·' || r == '·' || next == '—' && r == '—':
		return cutTorn
	}
	was := r
	if strings.ContainsRune(closers, r) && last != 0 {
		was = last
	}
	switch was {
	case '。', '！', '？', '…':
		return cutSentence
	case '!', '?':
		if !latin(next) && !unicode.IsDigit(next) {
			return cutSentence
		}
	case '.':
		if next == ' ' && !abbreviated(s[:end]) {
			return cutSentence
		}
	}
	switch {
	case next == ' ':
		if han(r) || strings.ContainsRune(closers, r) {
			return cutClause
		}
		return cutWord
	case r == ' ':
		return cutTorn // the edge before it is the same
	case strings.ContainsRune("，；：、", r), r == '—':
		return cutClause
	case strings.ContainsRune(closers, r), strings.ContainsRune(openers, next):
		return cutWord
	}
	solid := func(r rune) bool { return latin(r) || unicode.IsNumber(r) || unicode.IsMark(r) || joiner(r) }
	switch {
	case solid(r) && solid(next):
		return cutTorn
	case unicode.IsNumber(r) && han(next), r == '第', han(r) && joiner(next) && next != '@' && next != '#':
		return cutTorn // 3 月, 12.3 亿, 第 5 届
	case solid(r) != solid(next):
		return cutWord
	case han(r) && han(next):
		return cutPossible
	}
	return cutWord
}

// abbreviated reports a full stop that ends no sentence: Mr. and J. and U.S.
func abbreviated(s string) bool {
	s = s[strings.LastIndexByte(s, ' ')+1:]
	r, _ := utf8.DecodeRuneInString(s)
	return len(s) <= 4 && unicode.IsUpper(r) || strings.Count(s, ".") > 1
}

// pausing reports whether the mark at a place ends a clause or a sentence rather
// than standing inside a number.
func pausing(s string, at int, r rune) bool {
	if !strings.ContainsRune("，；、：,;:。！？!?…", r) {
		return false
	}
	before, _ := utf8.DecodeLastRuneInString(s[:at])
	after, _ := utf8.DecodeRuneInString(s[at+utf8.RuneLen(r):])
	if r < utf8.RuneSelf && (latin(after) || unicode.IsNumber(after) || after == '/') {
		return false // 12:30, 1,000, https://
	}
	return !unicode.IsNumber(before) || !unicode.IsNumber(after)
}

// keep marks the edges inside of names.
func (c *Cutter) keep(s string, edges []edge) {
	if len(edges) == 0 {
		return
	}
	tear := func(from, to int) { // both exclusive
		i := sort.Search(len(edges), func(i int) bool { return edges[i].at > from })
		for ; i < len(edges) && edges[i].at < to; i++ {
			edges[i].grade = cutTorn
		}
	}
	end := edges[len(edges)-1].at
	for _, name := range c.Names {
		if len(name) < 2 {
			continue
		}
		for from := 0; from < end; {
			i := strings.Index(s[from:], name)
			if i < 0 {
				break
			}
			tear(from+i, from+i+len(name))
			from += i + len(name)
		}
	}
	// A foreign name: 卡洛斯·阿尔卡拉斯. Where it begins and ends nobody says, so six
	// characters on each side go with it, as far as no mark ends it.
	const reach = 6
	for i := strings.Index(s, "·"); i >= 0 && i < end; {
		from, to := i, i+len("·")
		for k := 0; k < reach && from > 0; k++ {
			r, n := utf8.DecodeLastRuneInString(s[:from])
			if !unicode.IsLetter(r) {
				break
			}
			from -= n
		}
		for k := 0; k < reach && to < len(s); k++ {
			r, n := utf8.DecodeRuneInString(s[to:])
			if !unicode.IsLetter(r) {
				break
			}
			to += n
		}
		tear(from, to)
		next := strings.Index(s[i+1:], "·")
		if next < 0 {
			break
		}
		i += 1 + next
	}
}

// cluster is the length in bytes of the grapheme cluster that a text begins with.
func cluster(s string) int {
	r, n := utf8.DecodeRuneInString(s)
	if alone(r) {
		if n == len(s) {
			return n
		}
		if next, _ := utf8.DecodeRuneInString(s[n:]); alone(next) {
			return n
		}
	}
	one, _, _, _ := uniseg.FirstGraphemeClusterInString(s, -1)
	return len(one)
}

// alone reports characters that are a cluster of their own beside each other:
// nearly all of a Chinese text, which so needs no table (it is 20 times as fast).
func alone(r rune) bool {
	switch {
	case r < 0x20:
		return false
	case r < 0x7f:
		return true
	case r < 0x2010:
		return false
	case r <= 0x2027: // dashes, quotes, the ellipsis
		return true
	case r < 0x3001:
		return false
	case r <= 0x3029:
		return true
	case r < 0x3041:
		return false
	case r <= 0x3096:
		return true
	case r < 0x309b:
		return false
	case r <= 0x3296:
		return true
	case r < 0x3400:
		return false
	case r <= 0x4dbf, r >= 0x4e00 && r <= 0x9fff, r >= 0xff01 && r <= 0xff9d, r >= 0x20000 && r <= 0x3fffd:
		return true
	}
	return false
}
