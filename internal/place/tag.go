package place

import (
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"paperwire/internal/paper"
)

// The zones of a text, in the order they are read.
const (
	zonePage = iota
	zoneTitle
	zoneLead
	zoneBody
	zoneByline
	zones
)

var (
	zoneNames  = [zones]string{"page", "title", "lead", "body", "byline"}
	zoneWeight = [zones]float64{0, 3, 2, 1, 0}
)

// Weights of what a name is, before its zone. They were set on labelled items of
// five cities. What went wrong in items of thirty others has been mended since,
// so testdata/items.jsonl guards against falling back and measures nothing.
const (
	weightFull     = 3.0
	weightShort    = 2.4
	weightTown     = 2.4
	weightCommon   = 1.6 // a town's name that the country is full of: 城关镇
	weightEither   = 1.8 // a town's name of two counties, decided by the rest
	weightStem     = 2.0
	weightFormer   = 2.6
	weightAlias    = 2.2
	weightDateline = 5.0 // 本报武陟讯, whatever the zone
	weightAlone    = 2.6 // the page's name or the byline, when nothing else speaks
	weightLone     = 0.2 // a town that only the body names, when no other district is named
	weightBeside   = 0.8 // the same, beside other evidence

	bareFactor    = 0.2 // a name that is also a word, with nothing to support it
	onPage        = 1.25
	offPage       = 0.6
	originFactor  = 0.05 // 温县籍, 来自温县
	passingFactor = 0.15
	visitFactor   = 0.4
	opensFactor   = 0.8 // 解放区 at the head of a clause
	brandFactor   = 0.4
	nativeFactor  = 0.4 // the title tells of somebody who comes from there
	passedFactor  = 0.8
	sightFactor   = 0.3 // only a landmark, when title or lead name another district
	asideFactor   = 0.5 // only in the body, when the title names another place

	sureScore   = 2.5
	likelyScore = 2.0

	shortList = 4 // counties named in the lead of a text that says 我市, and still about each of them

	maxHits     = 4096 // names looked at in a zone
	maxEvidence = 24   // pieces of evidence kept for a tag
	maxRejected = 200  // mentions told that led to no tag
)

// mention is one name in a zone and what became of it.
type mention struct {
	hit
	zone    uint8
	target  int16 // -1 while two counties' town is undecided
	rule    string
	weight  float64
	needs   bool // counts only with support
	own     bool // brings its own support
	dead    bool
	origin  bool
	ours    bool // the served city's name stands right before: not another city's of that name
	opens   bool // a generic name that opens a clause
	item    bool // stands behind a bullet: what follows is a piece of its own
	within  bool // a town right behind the city's or its county's name
	listed  bool // stands in a list with another of the city's counties
	special bool // dateline, byline in the lead: no zone factor, no repeats
}

// scratch is what one Find needs, kept between calls.
type scratch struct {
	hits     [zones][]hit
	mentions []mention
	order    []int32 // mentions by weight
	state    []state
	strange  []int32 // names of towns that are another place's in this text
}

// state is what is known of one district while a text is tagged.
type state struct {
	support   bool
	page      bool
	byline    bool
	elsewhere bool  // its name is another place's in this text
	twin      bool  // another place of its short name is named in full
	inside    bool  // its short name is a village's in this text
	plain     uint8 // short names that are no words, as found
	town      bool  // a town of it is named
	called    bool  // by more than a landmark
	located   bool  // one of them stands as places do: 在武陟
	word      bool  // the text has a word that contains its short name
	solid     bool  // something counted that is not a bare word
	front     bool  // named in title or lead
	title     bool
	native    bool // in the title somebody comes from there
	seen      [zones]uint8
	score     float64
	factor    float64
}

// outlook is what the text says beside names of districts.
type outlook struct {
	own          float64 // the served city is named
	ownTitle     bool    // in the title
	foreign      float64 // other places are
	foreignFront bool    // in title or lead
	markStrong   bool    // 全市 in the title
	markWeak     bool    // 我市 in the title
	markLead     bool
	marks        bool
	wary         bool // short names need support: a cultural or national page
	agency       bool
	era          verdict // 1946年, 八路军: a 解放区 is no district
	cityOrgan    bool    // 市委 in title or lead: the city's bodies act
	home         bool    // 故里 in title or lead: a native's story comes home
	honour       verdict // 喜报, wherever it stands: the same
	lone         bool    // one district is named at all, by the body only
	every        bool    // nearly all its counties, name by name
	pages        int
	bylines      int
}

func (f *Finder) find(t Text, rejected *[]Rejection) paper.Placing {
	none := paper.Placing{Reach: paper.ReachNone, Districts: []paper.Tag{}}
	if f.trie == nil {
		return none
	}
	s := f.scratch.Get().(*scratch)
	defer f.scratch.Put(s)
	s.mentions, s.strange = s.mentions[:0], s.strange[:0]
	s.state = append(s.state[:0], make([]state, len(f.districts))...)
	texts := [zones]string{t.PageName, t.Title, t.Lead, t.Body, t.Byline}
	any := false
	for z, text := range texts {
		if f.lang.words {
			s.hits[z] = f.trie.scanWords(text, s.hits[z][:0], maxHits)
		} else {
			s.hits[z] = f.trie.scan(text, s.hits[z][:0], maxHits)
		}
		any = any || len(s.hits[z]) > 0
	}
	if !any {
		return none
	}
	r := reading{f: f, s: s, texts: texts}
	if f.lang.words {
		r.lookWords()
	} else {
		r.look()
	}
	for z := zoneTitle; z <= zoneBody; z++ {
		if f.lang.words {
			r.readWords(z)
		} else {
			r.read(z)
		}
	}
	r.settle()
	r.weigh()
	p := r.placing()
	if rejected != nil {
		*rejected = r.rejected(p)
	}
	return p
}

// reading is one Find under way.
type reading struct {
	f     *Finder
	s     *scratch
	texts [zones]string
	outlook
}

// verdict is a yes or no that is only worked out when it is asked for.
type verdict uint8

// says tells whether any of the words occurs in the text, which is read once.
func (r *reading) says(v *verdict, words []string) bool {
	if *v == 0 {
		*v = 1
		for z := zoneTitle; z <= zoneBody; z++ {
			if containsAny(r.texts[z], words) {
				*v = 2
			}
		}
	}
	return *v == 2
}

// look reads the page's name and the byline, and what colours the whole text.
func (r *reading) look() {
	page, byline := r.texts[zonePage], r.texts[zoneByline]
	r.wary = containsAny(page, cultural) || containsAny(page, nationals)
	r.agency = containsAny(byline, agencies) || strings.HasPrefix(byline, "据") || containsAny(clause(r.texts[zoneLead], 12), agencies[:1])
	r.wary = r.wary || r.agency
	r.home = containsAny(r.texts[zoneTitle], homeWords) || containsAny(r.texts[zoneLead], homeWords)
	r.cityOrgan = containsAny(r.texts[zoneTitle], cityOrgans) || containsAny(r.texts[zoneLead], cityOrgans)
	for _, z := range [...]int{zonePage, zoneByline} {
		text := r.texts[z]
		for i, h := range r.s.hits[z] {
			n := &r.f.names[h.id]
			if len(n.targets) != 1 || n.kind == kindWord || n.kind == kindLandmark { // a page called 烟雨楼 is a supplement
				continue
			}
			if n.kind == kindShort || n.flags&flagGeneric != 0 {
				rest := text[h.to:]
				next, _ := utf8.DecodeRuneInString(rest)
				clear := boundary(text[:h.from]) || i > 0 && r.s.hits[z][i-1].to == h.from
				ends := rest == "" || !unicode.Is(unicode.Han, next) || hasAnyPrefix(rest, pageTails) || r.f.lang.followed(rest) == afterOrgan
				if n.flags&(flagWord|flagGeneric) != 0 && !(clear && ends) || r.f.lang.followed(rest) == afterRoad {
					continue
				}
			}
			if i > 0 && r.s.hits[z][i-1].to == h.from && r.f.names[r.s.hits[z][i-1].id].kind == kindForeign {
				continue
			}
			st := &r.s.state[n.targets[0]]
			if z == zonePage && !st.page {
				st.page = true
				r.pages++
			} else if z == zoneByline && !st.byline {
				st.byline = true
				r.bylines++
			} else {
				continue
			}
			st.support = true
			r.s.mentions = append(r.s.mentions, mention{hit: h, zone: uint8(z), target: n.targets[0], rule: zoneNames[z], special: true, own: true})
		}
	}
}

// read judges every name of a zone in its context.
func (r *reading) read(z int) {
	text, hits := r.texts[z], r.s.hits[z]
	const (
		chainNone = iota
		chainOwn
		chainForeign
		chainTown
		chainCounty
	)
	chain, chainTarget, chainFrom, chainTo := chainNone, int16(-1), 0, -1
	last := -1 // the mention before, where it is a county
	credit := 0
	if z == zoneLead {
		credit = creditLine(text)
	}
	for i, h := range hits {
		n := &r.f.names[h.id]
		touch := kindWord // what ends right where this name begins; kindWord for nothing of use
		if i > 0 && hits[i-1].to == h.from {
			touch = r.f.names[hits[i-1].id].kind
		}
		gap := ""
		adjacent := false
		if chainTo >= 0 {
			gap = text[chainTo:h.from]
			adjacent = gap == "" || gap == " "
		}
		if !adjacent {
			chain, chainTarget, chainFrom = chainNone, -1, h.from
		}
		before, rest := text[:chainFrom], text[h.to:]
		followed := r.f.lang.followed(rest)
		if i+1 < len(hits) && hits[i+1].from == h.to && r.f.names[hits[i+1].id].kind != kindWord {
			followed = afterNothing // 温岭|玉环 is no jade
		}
		switch n.kind {
		case kindMark:
			r.mark(z, n, h)
			chainTo = h.to
			chain, chainFrom, last = chainOwn, h.from, -1
			continue
		case kindOwn:
			if r.f.lang.followed(rest) != afterRoad {
				r.own += zoneWeight[z]
				r.ownTitle = r.ownTitle || z == zoneTitle
			}
			chain, chainTo, last = chainOwn, h.to, -1
			continue
		case kindForeign:
			if n.bare && chain != chainForeign {
				chainTo, last = -1, -1
				continue
			}
			if n.twin > 0 {
				r.s.state[n.twin-1].twin = true
			}
			class := r.f.lang.followed(rest)
			if class != afterRoad && class != afterBrand && !hasAnyPrefix(rest, visitors) && r.f.lang.preceded(before)&(beforeOrigin|beforeVisit) == 0 {
				r.foreign += zoneWeight[z]
				r.foreignFront = r.foreignFront || z != zoneBody
			}
			chain, chainTo, last = chainForeign, h.to, -1
			continue
		case kindWord:
			if d := &r.f.districts[n.targets[0]]; !n.stop && d.short != "" && strings.HasPrefix(n.text, d.short) {
				// 山阳公 was a title, 山阳公安 is the police.
				if class, size := r.f.lang.after.prefix(text[h.from+len(d.short):]); class == afterOrgan && len(d.short)+size > len(n.text) {
					h.to, h.size = h.from+len(d.short), utf8.RuneCountInString(d.short)
					m := mention{hit: h, zone: uint8(z), target: n.targets[0], rule: "organ", weight: weightShort, own: true}
					r.note(m)
					chainTo, last = h.to, len(r.s.mentions)-1
					chain, chainTarget = chainCounty, m.target
					continue
				}
			}
			r.s.state[n.targets[0]].word = true
			r.note(mention{hit: h, zone: uint8(z), target: n.targets[0], rule: "word", dead: true})
			chainTo, last = -1, -1
			continue
		}
		m := mention{hit: h, zone: uint8(z), target: -1, ours: touch == kindOwn, within: adjacent && (chain == chainOwn || chain == chainCounty)}
		if len(n.targets) == 1 {
			m.target = n.targets[0]
		}
		r.judge(&m, n, z, before, rest, followed, adjacent && chain == chainOwn, touch != kindWord && touch != kindForeign)
		m.item = bulleted(before)
		switch {
		case adjacent && chain == chainForeign, n.kind == kindTown && chain == chainNone && r.f.foreignEnd(before):
			m.reject("elsewhere")
			if n.kind == kindTown {
				r.s.strange = append(r.s.strange, h.id)
			}
			if m.target >= 0 && (n.kind == kindFull || n.kind == kindShort) {
				r.s.state[m.target].elsewhere = true
			}
		case adjacent && chain == chainTown && n.kind == kindShort && m.target != chainTarget,
			adjacent && chain == chainCounty && n.kind == kindShort && m.target != chainTarget && village(n.text):
			// 大封镇马村小学: a village of that town bears our district's name.
			m.reject("inside")
			r.s.state[m.target].inside = true
		case adjacent && chain == chainCounty && (n.kind == kindTown || n.kind == kindStem):
			// 金水区花园口镇, which the table has in 惠济区: the county as printed stands.
			if slices.Contains(n.targets, chainTarget) {
				m.target = chainTarget
			} else {
				m.reject("inside")
			}
		}
		if z == zoneLead && h.from < credit && !m.dead {
			// 本报讯（通讯员 温县 王雪）: a byline inside the lead.
			m.rule, m.weight, m.special, m.own = "byline", 0, true, true
			if m.target >= 0 && !r.s.state[m.target].byline {
				r.s.state[m.target].byline = true
				r.bylines++
			}
		}
		county := n.kind == kindFull || n.kind == kindShort || n.kind == kindFormer
		at := len(r.s.mentions)
		if county && last >= 0 && !m.dead && !m.special {
			if p := &r.s.mentions[last]; !p.dead && p.target != m.target && listed(text[p.to:h.from]) {
				p.own, m.own, p.listed, m.listed = true, true, true, true
				if p.origin && !m.origin && text[p.to:h.from] != "" {
					m.origin = true
					m.weight *= originFactor
					m.rule = "origin"
				}
				if p.rule == "passing" && m.rule != "passing" { // 途经湖口、都昌
					m.weight *= passingFactor
					m.rule = "passing"
				}
				if p.rule == "passing" {
					p.own, m.own = false, false
				}
			}
		}
		r.s.mentions = append(r.s.mentions, m)
		last = -1
		if county && !m.dead {
			last = at
		}
		chainTo = h.to
		switch {
		case chain == chainForeign && adjacent:
			// stays another place's
		case m.dead && m.rule != "inside":
			chainTo = -1
		case n.kind == kindTown:
			chain, chainTarget = chainTown, m.target
		default:
			chain, chainTarget = chainCounty, m.target
		}
	}
}

func (m *mention) reject(rule string) { m.dead, m.rule, m.weight = true, rule, 0 }

func (r *reading) note(m mention) { r.s.mentions = append(r.s.mentions, m) }

func (r *reading) mark(z int, n *name, h hit) {
	r.marks = true
	switch z {
	case zoneTitle:
		r.markStrong = r.markStrong || n.strong
		r.markWeak = r.markWeak || !n.strong
	case zoneLead:
		r.markLead = true
	}
}

// judge gives a mention its rule and weight from its own context.
func (r *reading) judge(m *mention, n *name, z int, before, rest string, class int32, ownBefore, touches bool) {
	bits := r.f.lang.preceded(before)
	if z <= zoneLead && bits&beforePaper != 0 && n.kind != kindLandmark && dateline(rest) {
		m.rule, m.weight, m.special, m.own = "dateline", weightDateline, true, true
		return
	}
	switch n.kind {
	case kindFull:
		m.rule, m.weight = "full", weightFull
		m.own = true
		if n.flags&flagGeneric != 0 || n.flags&flagCommonWord != 0 && r.says(&r.era, eraWords) {
			// In a text about the war 解放区 is none of today's, and 和平区 neither.
			m.own, m.needs = false, true
		}
		if m.size == 2 && r.wary && strings.HasPrefix(rest, "城") {
			m.own, m.needs = false, true // 柳色青，县城外
		}
		if strings.HasPrefix(rest, "域") && strings.HasSuffix(n.text, "区") {
			m.reject("word") // 新城|区域, 黄河河口|区域
			return
		}
		if m.size == 2 && !ownBefore { // 温县: the only short form there is
			if class == afterRoad || class == afterStation {
				m.reject(afterRule[class])
				return
			}
			if r.fused(m, z) || r.countyWord(rest) {
				m.reject("word")
				return
			}
		}
	case kindShort:
		m.rule, m.weight = "short", weightShort
		m.needs = n.flags&flagWord != 0 || r.wary && !n.trusted || !ownBefore && !touches && r.fused(m, z) || class != afterOrgan && !n.trusted && r.runsOn(n, rest)
	case kindTown:
		m.rule, m.weight, m.own = "town", weightTown, true
		if n.flags&flagCommon != 0 {
			m.weight = weightCommon
			m.needs, m.own = r.wary, !r.wary
		}
		if len(n.targets) > 1 {
			m.rule, m.weight, m.own = "shared town", weightEither, false
		}
	case kindStem:
		m.rule, m.weight, m.own = "town name", weightStem, n.flags&flagWord == 0
		if len(n.targets) > 1 {
			m.weight, m.own = weightEither, false
		}
	case kindFormer:
		m.rule, m.weight, m.own = "former", weightFormer, n.flags&flagWord == 0
		m.needs = n.flags&flagWord != 0
	case kindAlias:
		m.rule, m.weight, m.own = "alias", weightAlias, true
	case kindLandmark:
		m.rule, m.weight, m.own = "landmark", weightAlias, !r.wary
		m.needs = r.wary
	}
	if n.kind != kindFull && n.kind != kindTown && titled(before, rest) {
		m.reject("title of a work")
		return
	}
	if (n.kind == kindShort || n.kind == kindFormer) && bankside(n.text, rest) {
		m.reject("river")
		return
	}
	shortish := n.kind == kindShort || n.kind == kindFormer && n.flags&flagWord != 0
	if shortish {
		switch class {
		case afterRoad, afterStation, afterRiver, afterThing:
			m.reject(afterRule[class])
			return
		case afterBrand:
			if m.needs || n.flags&flagShared != 0 {
				m.reject("brand")
				return
			}
			m.weight *= brandFactor
			m.rule = "brand"
		}
		if n.flags&flagWord != 0 && !ownBefore && before != "" && (!boundary(before) || class != afterOrgan && r.fused(m, z)) && !touches {
			m.reject("word")
			return
		}
	}
	if n.flags&flagGeneric != 0 && n.kind == kindFull && !ownBefore && !boundary(before) && !touches {
		r.s.state[m.target].word = true
		m.reject("generic")
		return
	}
	switch {
	case n.kind == kindLandmark: // 云冈石窟游客中心 is where the guests are
	case class == afterOrigin || bits&beforeOrigin != 0:
		if !(strings.HasPrefix(rest, "籍") && (r.home || r.says(&r.honour, honourWords))) {
			m.origin = true
			m.weight *= originFactor
			m.rule = "origin"
			m.own = false
		}
	case bits&beforeLeave != 0 && (hasAnyPrefix(rest, leaveWords) || containsAny(clause(rest, 8), riseWords)):
		m.origin = true
		m.weight *= originFactor
		m.rule = "origin"
		m.own = false
	case class == afterComer && containsAny(clause(rest, 14), comeWords):
		m.origin = true // 滦南养殖户上门学技术
		m.weight *= originFactor
		m.rule = "origin"
		m.own = false
	case bits&beforePassing != 0:
		m.weight *= passingFactor
		m.rule = "passing"
		m.own = false
	case bits&beforeVisit != 0 && containsAny(clause(rest, 16), visitWords):
		m.weight *= visitFactor
		m.rule = "visit"
	}
	if m.needs && !m.origin {
		switch {
		case class == afterOrgan && (ownBefore || touches || !r.fused(m, z) || hasAnyPrefix(rest, kinds) || hasAnySuffix(before, kinds)):
			m.own = true
			if m.rule == "short" {
				m.rule = "organ"
			}
		case ownBefore:
			m.own = true
		case heads(before, rest):
			m.own = true
		case n.flags&flagGeneric != 0 && n.kind == kindFull && opens(before) && !strings.HasPrefix(rest, "的") && !r.says(&r.era, eraWords):
			// 解放区打造…: a generic name that opens a clause, where no history is told.
			m.own, m.opens = true, true
			m.weight *= opensFactor
		}
	} else if class == afterOrgan && m.rule == "short" {
		m.rule = "organ"
		m.own = true
	} else if n.kind == kindShort && !m.needs && m.rule == "short" {
		m.own = true // no word, no other county's: it speaks for itself
		if n.flags&flagShared != 0 && r.foreignFront {
			m.own, m.needs = false, true
		}
	}
}

var afterRule = [...]string{afterRoad: "road", afterStation: "station", afterRiver: "river", afterThing: "word"}

// fused: the rune before makes a common word with the name's first (升|温县). Before a
// plain short name some are prepositions (在|建德, 和|平湖).
func (r *reading) fused(m *mention, z int) bool {
	text := r.texts[z]
	prev, _ := utf8.DecodeLastRuneInString(text[:m.from])
	first, _ := utf8.DecodeRuneInString(text[m.from:])
	if n := &r.f.names[m.id]; n.kind == kindShort && n.flags&flagWord == 0 && strings.ContainsRune("在到从和与赴抵", prev) {
		return false
	}
	return unicode.Is(unicode.Han, prev) && strings.ContainsRune(r.f.fuse[first], prev)
}

// runsOn: the name's last rune makes a common word with the one behind it (高要|求),
// unless that one begins a word itself (瑞安|全力).
func (r *reading) runsOn(n *name, rest string) bool {
	last, _ := utf8.DecodeLastRuneInString(n.text)
	next, size := utf8.DecodeRuneInString(rest)
	return unicode.Is(unicode.Han, next) && strings.ContainsRune(r.f.tail[last], next) && !r.begins(next, rest[size:])
}

// begins: a rune begins a common word with the one after it.
func (r *reading) begins(first rune, rest string) bool {
	then, _ := utf8.DecodeRuneInString(rest)
	return then != utf8.RuneError && strings.ContainsRune(r.f.release[first], then)
}

// countyWord: behind a name of two runes stands what belongs to 县 and not to the
// name: 代|县长, 和|县级, but not 温县|长途.
func (r *reading) countyWord(rest string) bool {
	next, size := utf8.DecodeRuneInString(rest)
	return next != utf8.RuneError && strings.ContainsRune("长域级直", next) && !r.begins(next, rest[size:])
}

func village(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return strings.ContainsRune("村庄店屯堡寨桥", r)
}

// located: what stands around a name says that it is a place.
func located(before, rest string) bool {
	r, _ := utf8.DecodeLastRuneInString(before)
	next, _ := utf8.DecodeRuneInString(rest)
	return strings.ContainsRune("在到去回来从于往赴住游访抵进", r) || strings.ContainsRune("的城人县乡境老", next) || before == "" && strings.ContainsRune("：: 　", next)
}

// bankside: the name is that of a water or a mountain here: 晋江|两岸.
func bankside(s, rest string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	switch r {
	case '江', '河', '湖', '海', '溪':
		return hasAnyPrefix(rest, waterside)
	case '山':
		return hasAnyPrefix(rest, hillside)
	}
	return false
}

// listed: what stands between two names that are listed together.
func listed(gap string) bool {
	switch gap {
	case "", " ", "、", "和", "与", "及", "·", "/", "・", "以及", "，", "—", "-":
		return true
	}
	return false
}

// heads: the name stands alone at the head of a line, before a colon or a space.
func heads(before, rest string) bool {
	if before != "" {
		r, _ := utf8.DecodeLastRuneInString(before)
		if !unicode.IsSpace(r) && !strings.ContainsRune("●■▲★◆○·|｜", r) {
			return false
		}
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return strings.ContainsRune("：: 　｜|", r)
}

// bulleted: the name stands right behind a bullet: ●马村区…
func bulleted(before string) bool {
	for before != "" {
		r, size := utf8.DecodeLastRuneInString(before)
		switch r {
		case ' ', '\u3000':
			before = before[:len(before)-size]
		case '●', '■', '▲', '★', '◆', '○', '•', '◎', '□', '▶':
			return true
		default:
			return false
		}
	}
	return false
}

// opens: a clause begins here.
func opens(before string) bool {
	r, _ := utf8.DecodeLastRuneInString(before)
	return before == "" || !unicode.Is(unicode.Han, r) && !unicode.IsDigit(r) && !strings.ContainsRune("“”《》", r)
}

// dateline: 讯 or 电 follows within a date's length.
func dateline(rest string) bool {
	c := clause(rest, 12)
	i := strings.IndexAny(c, "讯电")
	return i >= 0 && i <= 24
}

// creditLine is where a byline at the head of the lead ends, in bytes: 本报讯（记者 …）.
func creditLine(lead string) int {
	head := lead[:min(len(lead), 150)]
	open := strings.IndexAny(head, "（(")
	if open < 0 || open > 45 {
		return 0
	}
	end := strings.IndexAny(head[open:], "）)")
	if end < 0 || !containsAny(head[open:open+end], []string{"记者", "通讯员", "融媒"}) {
		return 0
	}
	return open + end
}

// settle decides what one mention says about another: one sense per text, and
// which county a shared town is in.
func (r *reading) settle() {
	for i := range r.s.mentions {
		m := &r.s.mentions[i]
		if m.target < 0 || m.dead || m.special {
			continue
		}
		st := &r.s.state[m.target]
		k := r.f.names[m.id].kind
		if k == kindTown && slices.Contains(r.s.strange, m.id) && !m.within {
			m.reject("elsewhere")
		} else if st.elsewhere && (k == kindFull || k == kindShort) && !m.ours {
			m.reject("elsewhere")
		} else if st.twin && k == kindShort && !m.ours && !m.listed {
			m.reject("elsewhere") // 河北省 stands there, so 河北 is the province
		} else if st.inside && k == kindShort {
			m.reject("inside")
		} else if st.word && (m.rule == "short" && !m.listed && !r.f.names[m.id].trusted || m.opens) {
			// The text speaks of 蓝田玉 or of any 老城区; 蓝田 alone may be the same.
			m.needs, m.own = true, false
		} else if m.rule == "short" && !m.origin && r.f.names[m.id].flags&flagWord == 0 && !r.fused(m, int(m.zone)) {
			st.plain = min(st.plain+1, 2)
			text := r.texts[m.zone]
			st.located = st.located || located(text[:m.from], text[m.to:])
		}
	}
	for i := range r.s.mentions {
		// On a cultural or national page a plain short name that comes back is meant.
		m := &r.s.mentions[i]
		if m.target >= 0 && !m.dead && m.rule == "short" && r.wary && r.s.state[m.target].plain >= 2 && r.s.state[m.target].located && r.f.names[m.id].flags&flagWord == 0 && !r.fused(m, int(m.zone)) {
			m.own = true
		}
	}
	for i := range r.s.mentions {
		if m := &r.s.mentions[i]; m.target >= 0 && !m.dead && m.own && !m.origin {
			r.s.state[m.target].support = true
		}
	}
	for i := range r.s.mentions {
		m := &r.s.mentions[i]
		if m.target >= 0 || m.dead {
			continue
		}
		for _, t := range r.f.names[m.id].targets {
			if r.s.state[t].support {
				if m.target >= 0 {
					m.target = -1
					break
				}
				m.target = t
			}
		}
		if m.target < 0 {
			m.reject("shared town")
		}
	}
}

// weigh adds up the evidence of each district and decides for the whole city.
func (r *reading) weigh() {
	order := r.s.order[:0]
	for i := range r.s.mentions {
		m := &r.s.mentions[i]
		if m.dead || m.target < 0 || m.zone == zonePage || m.zone == zoneByline {
			continue
		}
		st := &r.s.state[m.target]
		if m.special {
			if m.rule == "dateline" {
				st.solid, st.front, st.called = true, true, true
				st.score += m.weight
			}
			continue
		}
		if m.needs && !m.own && !st.support {
			m.weight *= bareFactor
			m.rule = "bare"
		} else if m.origin {
			st.native = st.native || m.zone == zoneTitle
		} else {
			st.solid = true
			st.town = st.town || m.rule == "town"
			st.called = st.called || m.rule != "landmark"
			st.front = st.front || m.zone != zoneBody || m.item
			st.title = st.title || m.zone == zoneTitle
		}
		m.weight *= zoneWeight[m.zone]
		order = append(order, int32(i))
	}
	r.s.order = order
	// Of several mentions in a zone the strongest counts whole, the next half, and so
	// on: in this order, so that it is all one which sentence comes first.
	slices.SortFunc(order, func(a, b int32) int {
		switch x, y := &r.s.mentions[a], &r.s.mentions[b]; {
		case x.weight > y.weight:
			return -1
		case x.weight < y.weight:
			return 1
		}
		return int(a - b)
	})
	for _, i := range order {
		m := &r.s.mentions[i]
		st := &r.s.state[m.target]
		if n := st.seen[m.zone]; n > 0 {
			m.weight *= math.Pow(0.5, float64(n))
		}
		st.seen[m.zone] = min(st.seen[m.zone]+1, 20)
		if r.pages > 0 {
			if st.page {
				m.weight *= onPage
			} else {
				m.weight *= offPage
			}
		}
		m.weight = round(m.weight)
		st.score += m.weight
	}
	title, lead, called := false, false, false
	named, fronts := 0, 0
	for i := range r.s.state {
		st := &r.s.state[i]
		st.factor = 1
		title = title || st.title
		if st.solid && st.called {
			named++
		}
		if st.front {
			fronts++
			called = called || st.called
			lead = lead || st.score >= sureScore
		}
	}
	most := 0.0
	for i := range r.s.state {
		most = max(most, r.s.state[i].score)
	}
	r.lone = named == 1 && fronts == 0 && !r.marks && !r.foreignFront && !r.cityOrgan && !r.wary
	// Most of the city's counties, or five of them under a headline about the city.
	r.every = named >= 3 && !title && containsAny(r.texts[zoneTitle], bulletins) ||
		named >= 5 && (named*10 >= len(r.s.state)*6 || !title && (r.own > 0 || r.marks))
	for i := range r.s.state {
		st := &r.s.state[i]
		switch {
		case r.every:
			st.factor = 0
		case r.markStrong && !title:
			st.factor = 0
		case r.markWeak && !title && (r.markLead || !(st.front && fronts <= shortList && st.score >= 4)):
			st.factor = 0
		case st.native && !st.title:
			st.factor = nativeFactor
		case called && st.solid && !st.called:
			st.factor = sightFactor
		case !st.front && (title || lead || r.ownTitle || r.markLead || r.markWeak || r.foreignFront && r.own == 0 || fronts == 0 && named >= 3 && !st.page || r.cityOrgan):
			st.factor = asideFactor
		case fronts == 0 && st.seen[zoneBody] == 1 && !st.page && st.score < most*passedFactor:
			st.factor = asideFactor // named once, where another has its town named as well
		}
	}
}

func round(w float64) float64 { return math.Round(w*100) / 100 }

func (r *reading) placing() paper.Placing {
	p := paper.Placing{Districts: []paper.Tag{}}
	spoken := false
	for i := range r.s.state {
		st := &r.s.state[i]
		if round(st.score*st.factor) >= likelyScore && st.solid {
			spoken = true
		}
	}
	sure := false
	for i := range r.s.state {
		st := &r.s.state[i]
		score := st.score * st.factor
		if r.lone && st.town && score >= weightTown {
			score += weightLone
		}
		score = round(score) // rounded before it is compared: sums of fractions depend on their order
		alone := ""
		quiet := !spoken && !r.every && !r.markStrong && !r.markWeak && !r.markLead && !(r.foreignFront && r.own == 0) && !r.agency
		switch {
		case score > 0 && st.solid && (st.page || st.byline):
			score = round(score + weightBeside)
		case quiet && st.page && r.pages == 1 && (r.bylines == 0 || st.byline):
			alone, score = "page", round(score+weightAlone)
			st.solid = true
		case quiet && st.byline && r.bylines == 1 && (r.pages == 0 || st.page):
			alone, score = "byline", round(score+weightAlone)
			st.solid = true
		}
		if !st.solid || score < likelyScore {
			continue
		}
		d := &r.f.districts[i]
		tag := paper.Tag{Code: d.code, Name: d.name, Tier: paper.Likely, Score: score}
		if score >= sureScore {
			tag.Tier, sure = paper.Sure, true
		}
		tag.Evidence = r.evidence(int16(i), st.factor, alone)
		p.Districts = append(p.Districts, tag)
	}
	slices.SortStableFunc(p.Districts, func(a, b paper.Tag) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return strings.Compare(a.Code, b.Code)
	})
	switch {
	case sure:
		p.Reach = paper.ReachDistrict
	case r.every || r.marks && !(r.foreign > r.own+3):
		p.Reach = paper.ReachCity
	case r.foreign > r.own:
		p.Reach = paper.ReachElsewhere
	case r.own > 0 || len(p.Districts) > 0:
		p.Reach = paper.ReachCity
	default:
		p.Reach = paper.ReachNone
	}
	return p
}

// evidence lists what was said for and against a district, in reading order.
func (r *reading) evidence(target int16, factor float64, alone string) []paper.Evidence {
	list := make([]paper.Evidence, 0, 4)
	for i := range r.s.mentions {
		m := &r.s.mentions[i]
		if m.target != target || len(list) == maxEvidence {
			continue
		}
		e := paper.Evidence{Text: r.texts[m.zone][m.from:m.to], Zone: zoneNames[m.zone], Offset: m.rune, Rule: m.rule, Weight: round(m.weight * factor)}
		if m.rule == "page" || m.rule == "byline" {
			e.Weight = weightBeside
			if alone != "" {
				e.Weight = 0
			}
			if m.rule == alone {
				e.Rule, e.Weight = alone+" alone", weightAlone
			}
		}
		list = append(list, e)
	}
	return list
}

// rejected lists the mentions of districts that got no tag.
func (r *reading) rejected(p paper.Placing) []Rejection {
	list := []Rejection{}
	for i := range r.s.mentions {
		m := &r.s.mentions[i]
		x := Rejection{Evidence: paper.Evidence{Text: r.texts[m.zone][m.from:m.to], Zone: zoneNames[m.zone], Offset: m.rune, Rule: m.rule, Weight: m.weight}}
		if m.target >= 0 {
			d := &r.f.districts[m.target]
			x.Code, x.Name = d.code, d.name
			x.Weight = round(m.weight * r.s.state[m.target].factor)
		}
		if slices.ContainsFunc(p.Districts, func(t paper.Tag) bool { return t.Code == x.Code }) {
			continue
		}
		if list = append(list, x); len(list) == maxRejected {
			break
		}
	}
	return list
}
