package place

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"paperwire/internal/paper"
)

// Limits of a table of another country.
const (
	maxTable = 16 << 20 // bytes
	maxRows  = 200_000
	maxName  = 64 // characters
)

var tableCode = regexp.MustCompile(`^[0-9]{6,12}$`)

// row is what a table says beyond an override.
type row struct {
	level, parent, short string
	flags                uint8
	lang                 *language
	prefixes             []string
}

// compile makes the tries of a language pack. Words are kept in small letters.
func (l *Language) compile() *language {
	low := func(lists ...[]string) (all []string) {
		for _, list := range lists {
			for _, s := range list {
				if s = strings.ToLower(strings.TrimSpace(s)); s != "" {
					all = append(all, s)
				}
			}
		}
		return all
	}
	c := newLanguage(true,
		map[int32][]string{
			afterOrgan: low(l.Organs), afterRoad: low(l.Roads), afterStation: low(l.Stations), afterRiver: low(l.Features),
			afterBrand: low(l.Brands), afterOrigin: low(l.FromAfter),
		},
		map[int32][]string{
			beforeOrigin: low(l.From), beforePassing: low(l.Passing), beforeVisit: low(l.Visit), beforePerson: low(l.Persons),
			beforePrefix: low(l.Prefixes, l.In), // after "in" stands a place
		})
	c.whole = low(l.Whole)
	return c
}

// above is the level that a level hangs on.
var above = map[string]string{"province": "", "city": "province", "county": "city", "town": "county"}

// readTable reads the rows of a country's table, parents before children.
func readTable(r io.Reader, l Language) ([]Override, error) {
	limited := &io.LimitedReader{R: r, N: maxTable + 1}
	in := csv.NewReader(limited)
	in.ReuseRecord = true
	in.TrimLeadingSpace = true
	head, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("read the table's first line: %w", err)
	}
	const want = "level,code,parent,name,aliases,flags"
	if got := strings.TrimPrefix(strings.Join(head, ","), "\ufeff"); got != want {
		return nil, fmt.Errorf("line 1 is %.80q: write %q", got, want)
	}
	lang := l.compile()
	seen := map[string]string{} // level by code
	var list []Override
	var wrong []error
	for {
		f, err := in.Read()
		switch {
		case errors.Is(err, io.EOF) && limited.N > 0:
			return list, errors.Join(wrong...)
		case limited.N <= 0:
			return nil, fmt.Errorf("read the table: larger than %d MB", maxTable>>20)
		case err != nil:
			return nil, fmt.Errorf("read the table: %w", err)
		case len(list) == maxRows:
			return nil, fmt.Errorf("read the table: more than %d lines", maxRows)
		}
		o, err := l.row(f, seen)
		if err != nil {
			line, _ := in.FieldPos(0)
			if len(wrong) < 20 {
				wrong = append(wrong, fmt.Errorf("line %d: %w", line, err))
			}
			continue
		}
		o.row.lang = lang
		seen[o.Code] = o.row.level
		list = append(list, o)
	}
}

// row reads one line of a table; seen has the levels of the codes above it.
func (l *Language) row(f []string, seen map[string]string) (Override, error) {
	o := Override{Code: f[1], Name: strings.TrimSpace(f[3]), row: &row{level: f[0], parent: f[2], prefixes: l.Prefixes, flags: flags(f[5])}}
	for a := range strings.SplitSeq(f[4], "|") {
		if a = strings.TrimSpace(a); a != "" {
			o.Aliases = append(o.Aliases, a)
		}
	}
	parent, known := above[f[0]]
	switch {
	case !known:
		return o, fmt.Errorf("level %q: one of province, city, county, town", f[0])
	case !tableCode.MatchString(f[1]) || f[0] != "town" && len(f[1]) != 6:
		return o, fmt.Errorf("code %q: six digits, for a town up to twelve", f[1])
	case seen[f[1]] != "":
		return o, fmt.Errorf("code %s stands there twice", f[1])
	case parent == "" && f[2] != "":
		return o, fmt.Errorf("parent %q: a province has none", f[2])
	case parent != "" && seen[f[2]] != parent:
		return o, fmt.Errorf("parent %q of a %s: name a %s that stands above it", f[2], f[0], parent)
	case strings.Trim(f[5], "wgz") != "":
		return o, fmt.Errorf("flags %q: w (also a word or a surname), g (a common noun), z (a zone)", f[5])
	}
	for _, n := range append([]string{o.Name}, o.Aliases...) {
		if c := utf8.RuneCountInString(n); c < 2 || c > maxName {
			return o, fmt.Errorf("name %q: 2 to %d characters", n, maxName)
		}
	}
	o.row.short = l.short(o.Name)
	return o, nil
}

// short leaves out what kind of division it is.
func (l *Language) short(name string) string {
	for _, s := range l.Suffixes {
		if cut, ok := strings.CutSuffix(name, s); ok && utf8.RuneCountInString(cut) >= 2 {
			return strings.TrimSpace(cut)
		}
	}
	for _, s := range l.Prefixes {
		if cut, ok := strings.CutPrefix(name, s); ok && utf8.RuneCountInString(cut) >= 2 {
			return strings.TrimSpace(cut)
		}
	}
	return name
}

// join puts a table's row among the divisions. Its code must be new.
func (g *Gazetteer) join(o Override) error {
	if o.row.level == "town" {
		for _, n := range append([]string{o.Name}, o.Aliases...) {
			g.towns[o.row.parent] = append(g.towns[o.row.parent], town{code: o.Code, name: n, flags: o.row.flags})
		}
		return nil
	}
	if have := g.byCode[o.Code]; have != nil {
		return fmt.Errorf("code %s is %s already: choose codes that begin with 9", o.Code, have.Name)
	}
	d := &division{
		Division: paper.Division{Code: o.Code, Name: o.Name, Short: o.row.short, Slug: latinSlug(o.row.short, o.Code), Level: o.row.level, Parent: o.row.parent},
		flags:    o.row.flags, aliases: o.Aliases, row: o.row,
	}
	if slices.ContainsFunc(g.rows, func(x *division) bool { return x.row != nil && x.Parent == d.Parent && x.Slug == d.Slug }) {
		d.Slug += d.Code
	}
	g.insert(d)
	return nil
}

// latinSlug leaves letters and digits without their marks: Élmoor is elmoor.
func latinSlug(s, code string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(s)) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		}
	}
	if b.Len() == 0 {
		return "d" + code
	}
	return b.String()
}

// buildWords collects the names of a city of another country.
func (b *builder) buildWords(city *division, counties []*division) {
	add := func(s string, n name) {
		n.text = strings.ToLower(s)
		b.add(n)
	}
	for i, d := range counties {
		one := []int16{int16(i)}
		b.f.districts = append(b.f.districts, district{code: d.Code, name: d.Name, short: d.Short, flags: d.flags})
		for _, w := range d.stops {
			add(w, name{kind: kindWord, stop: true, targets: one})
		}
		flags := d.flags
		if d.trusted {
			flags &^= flagWord
		}
		if d.Short != d.Name {
			add(d.Name, name{kind: kindFull, flags: flags &^ flagWord, targets: one}) // Reading District is no verb
		}
		for _, p := range d.row.prefixes {
			add(strings.TrimSpace(p)+" "+d.Short, name{kind: kindFull, targets: one})
		}
		for _, a := range d.aliases {
			add(a, name{kind: kindAlias, targets: one})
		}
		for _, a := range d.landmarks {
			add(a, name{kind: kindLandmark, targets: one})
		}
		add(d.Short, name{kind: kindShort, flags: flags, targets: one})
	}
	for i, d := range counties {
		for _, t := range b.g.towns[d.Code] {
			add(t.name, name{kind: kindTown, flags: t.flags, targets: []int16{int16(i)}})
		}
	}
	for _, m := range city.row.lang.whole {
		add(m, name{kind: kindMark, strong: true})
	}
	for _, d := range b.g.rows {
		if d.row == nil || d.row.lang != city.row.lang || d.retired {
			continue
		}
		kind := kindForeign
		if d == city || d.Code == city.Parent {
			kind = kindOwn
		}
		for _, s := range append([]string{d.Name, d.Short}, d.aliases...) {
			add(s, name{kind: kind, flags: d.flags})
		}
	}
}

func isWordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// scanWords appends the names in s that stand between spaces or marks.
func (t *trie) scanWords(s string, hits []hit, limit int) []hit {
	pos, free, skip := 0, true, 0 // free: a word may begin here; skip: where the last name ends
	for i, r := range s {
		if free && i >= skip && isWordRune(r) {
			node, n, found := int32(0), 0, hit{id: -1}
			for j := i; j < len(s); {
				c, size := utf8.DecodeRuneInString(s[j:])
				if node = t.child(node, unicode.ToLower(c)); node < 0 {
					break
				}
				j += size
				n++
				if id := t.terms[node]; id >= 0 {
					if next, _ := utf8.DecodeRuneInString(s[j:]); j == len(s) || !isWordRune(next) {
						found = hit{id: id, from: i, to: j, rune: pos, size: n}
					}
				}
			}
			if found.id >= 0 {
				hits = append(hits, found)
				if skip = found.to; len(hits) >= limit {
					return hits
				}
			}
		}
		free = !isWordRune(r)
		pos++
	}
	return hits
}

// precededWords gives the bits of the words right before a name, in any letters.
func (l *language) precededWords(before string) (bits int32) {
	before = strings.TrimRight(before, " \u00a0")
	node := int32(0)
	for before != "" {
		r, size := utf8.DecodeLastRuneInString(before)
		if node = l.before.child(node, unicode.ToLower(r)); node < 0 {
			break
		}
		before = before[:len(before)-size]
		if t := l.before.terms[node]; t > 0 {
			if prev, _ := utf8.DecodeLastRuneInString(before); before == "" || !isWordRune(prev) {
				bits |= t
			}
		}
	}
	return bits
}

// followedWords gives the class of the words right after a name, in any letters.
func (l *language) followedWords(rest string) int32 {
	rest = strings.TrimPrefix(strings.TrimPrefix(rest, "'s"), "’s")
	rest = strings.TrimLeft(rest, " \u00a0")
	node, class := int32(0), afterNothing
	for i := 0; i < len(rest); {
		r, size := utf8.DecodeRuneInString(rest[i:])
		if node = l.after.child(node, unicode.ToLower(r)); node < 0 {
			break
		}
		i += size
		if t := l.after.terms[node]; t >= 0 {
			if next, _ := utf8.DecodeRuneInString(rest[i:]); i == len(rest) || !isWordRune(next) {
				class = t
			}
		}
	}
	return class
}

// neighbour tells whether a word with a capital stands beside a name, parted by
// one space alone: before it (John |Ashford) or behind it (Ashford| Hill). At the
// head of a sentence every word has one: In Ashford.
func neighbour(before, rest string) (left, right bool) {
	if s, ok := strings.CutSuffix(before, " "); ok {
		i := strings.LastIndexFunc(s, func(r rune) bool { return !isWordRune(r) && r != '\'' && r != '-' && r != '.' })
		word := s[i+1:]
		first, _ := utf8.DecodeRuneInString(word)
		head := strings.TrimRight(s[:i+1], " \n\t“”\"'‘(")
		last, _ := utf8.DecodeLastRuneInString(head)
		sentence := head == "" || strings.ContainsRune(".!?:;", last)
		left = unicode.IsUpper(first) && (!sentence || strings.HasSuffix(word, ".") && len(word) == 2)
	}
	if s, ok := strings.CutPrefix(rest, " "); ok {
		first, _ := utf8.DecodeRuneInString(s)
		right = unicode.IsUpper(first)
	}
	return left, right
}

// readWords judges every name of a zone in a language of spaces and capitals.
func (r *reading) readWords(z int) {
	text, hits := r.texts[z], r.s.hits[z]
	for i, h := range hits {
		n := &r.f.names[h.id]
		if n.kind == kindMark {
			r.mark(z, n, h)
			continue
		}
		if first, _ := utf8.DecodeRuneInString(text[h.from:]); unicode.IsLower(first) {
			continue // reading, not Reading
		}
		before, rest := text[:h.from], text[h.to:]
		class, bits := r.f.lang.followedWords(rest), r.f.lang.precededWords(before)
		left, right := neighbour(before, rest)
		if z == zoneTitle || bits&beforePrefix != 0 { // headlines have capitals everywhere
			left, right = false, false
		}
		switch n.kind {
		case kindOwn:
			r.own += zoneWeight[z]
			continue
		case kindForeign:
			if class != afterRoad && class != afterBrand && bits&(beforeOrigin|beforePerson) == 0 && !left {
				r.foreign += zoneWeight[z]
				r.foreignFront = r.foreignFront || z != zoneBody
			}
			continue
		case kindWord:
			r.note(mention{hit: h, zone: uint8(z), target: n.targets[0], rule: "word", dead: true})
			continue
		}
		m := mention{hit: h, zone: uint8(z), target: -1}
		if len(n.targets) == 1 {
			m.target = n.targets[0]
		}
		word := n.flags&(flagWord|flagGeneric) != 0
		m.needs, m.own = word, !word
		switch n.kind {
		case kindFull:
			m.rule, m.weight = "full", weightFull
		case kindShort:
			m.rule, m.weight = "short", weightShort
		case kindTown:
			m.rule, m.weight = "town", weightTown
		case kindLandmark:
			m.rule, m.weight = "landmark", weightAlias
		default:
			m.rule, m.weight = "alias", weightAlias
		}
		if len(n.targets) > 1 {
			m.rule, m.weight, m.own = "shared town", weightEither, false
		}
		// What follows after a comma is the larger place.
		other := false
		if i+1 < len(hits) && text[h.to:hits[i+1].from] == ", " {
			next := r.f.names[hits[i+1].id].kind
			other = next == kindForeign
			m.own = m.own || next == kindOwn
		}
		switch {
		case other:
			m.reject("elsewhere")
			if m.target >= 0 {
				r.s.state[m.target].elsewhere = true
			}
		case bits&beforePerson != 0, left && n.kind != kindFull && class != afterOrgan:
			m.reject("person")
			if word && m.target >= 0 {
				r.s.state[m.target].word = true
			}
		case class == afterRoad, class == afterStation, class == afterRiver:
			m.reject(afterRule[class])
		case class == afterBrand:
			m.reject("brand")
		case z == zoneLead && h.from == 0 && opensStory(rest):
			m.rule, m.weight, m.special, m.own = "dateline", weightDateline, true, true
		case class == afterOrigin || bits&beforeOrigin != 0:
			m.rule, m.origin, m.own = "origin", true, false
			m.weight *= originFactor
		case bits&beforePassing != 0:
			m.rule, m.own = "passing", false
			m.weight *= passingFactor
		case class == afterOrgan:
			m.own = true
			if m.rule == "short" {
				m.rule = "organ"
			}
		case bits&beforePrefix != 0:
			m.own = true
		case word && right:
			m.reject("name")
		case bits&beforeVisit != 0:
			m.weight *= visitFactor
			m.rule = "visit"
		}
		r.note(m)
	}
}

// opensStory: a dateline ends with a dash or an agency in brackets.
func opensStory(rest string) bool {
	rest = strings.TrimLeft(rest, " ")
	return strings.HasPrefix(rest, "—") || strings.HasPrefix(rest, "–") || strings.HasPrefix(rest, "- ") || strings.HasPrefix(rest, "(")
}

// lookWords reads the page's name. A byline is people.
func (r *reading) lookWords() {
	for _, h := range r.s.hits[zonePage] {
		n := &r.f.names[h.id]
		if len(n.targets) != 1 || n.kind == kindWord || r.s.state[n.targets[0]].page {
			continue
		}
		st := &r.s.state[n.targets[0]]
		st.page, st.support = true, true
		r.pages++
		r.s.mentions = append(r.s.mentions, mention{hit: h, zone: zonePage, target: n.targets[0], rule: zoneNames[zonePage], special: true, own: true})
	}
}
