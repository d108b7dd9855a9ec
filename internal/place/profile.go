package place

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// kind says what a name found in a text is.
type kind uint8

const (
	kindFull     kind = iota // a served county's full name: 温县
	kindShort                // a served county's short name: 武陟
	kindTown                 // a town or street of a served county: 赵堡镇
	kindStem                 // a town's distinctive name without its kind (嘉应观), or with an organ (北冷派出所)
	kindFormer               // a name a served county had: 户县
	kindAlias                // from the configuration
	kindLandmark             // 云台山
	kindWord                 // a word that contains a served short name: 解放军
	kindOwn                  // the served city or its province
	kindForeign              // another city, province or county
	kindMark                 // 我市, 全市: the whole city
)

// name is one pattern of a finder.
type name struct {
	text    string
	kind    kind
	flags   uint8
	targets []int16 // places in Finder.districts
	short   string  // foreign: its short name
	bare    bool    // foreign: proves nothing unless another place stands before it (和县)
	strong  bool    // mark: 全市 rather than 我市
	trusted bool    // short: never misleads here
	stop    bool    // word: the operator says so, whatever follows
	twin    int16   // foreign: 1 + the served district that has its short name (河北省 and 河北区, 开平市 and 开平区)
}

// district is one county a finder can file under.
type district struct {
	code, name string
	short      string
	flags      uint8
}

func (g *Gazetteer) compile(code string) (*Finder, error) {
	f := &Finder{fuse: g.table.fuse, tail: g.table.tail, release: g.table.release, lang: chinese()}
	f.scratch = sync.Pool{New: func() any { return new(scratch) }}
	if code == "" {
		return f, nil
	}
	city := g.byCode[code]
	switch {
	case city == nil:
		return nil, fmt.Errorf("city %q is unknown: give the six digits of a city, such as 410800", code)
	case city.Level == "province":
		// A municipality's own code means its city: 310000 is 310100.
		kids := g.kids[code]
		if len(kids) == 0 || kids[0].Name != city.Name {
			return nil, fmt.Errorf("city %q is the province %s: give the code of a city", code, city.Name)
		}
		city = kids[0]
	case city.Level == "county" && (city.row != nil || !strings.HasSuffix(city.Parent, "0000")):
		return nil, fmt.Errorf("city %q is the county %s: give the code of its city, %s", code, city.Name, city.Parent)
	}
	f.city = city
	counties := g.kids[city.Code]
	if city.Level == "county" {
		counties = []*division{city}
	}
	b := &builder{g: g, f: f, at: make(map[string]int32, 6000)}
	if city.row != nil {
		f.lang = city.row.lang
		b.buildWords(city, counties)
	} else {
		b.build(city, counties)
	}
	f.trie = newTrie(24 * 1024)
	for i := range f.names {
		f.trie.add(f.names[i].text, int32(i))
	}
	return f, nil
}

// builder collects the names of one city. The first to claim a name keeps it,
// so the order in build is an order of precedence.
type builder struct {
	g  *Gazetteer
	f  *Finder
	at map[string]int32
}

func (b *builder) add(n name) {
	if utf8.RuneCountInString(n.text) < 2 {
		return
	}
	if i, ok := b.at[n.text]; ok {
		have := &b.f.names[i]
		// Two counties with a town of one name: it stands for both, and the rest
		// of the text must decide.
		if have.kind == n.kind && len(n.targets) > 0 {
			for _, t := range n.targets {
				if !slices.Contains(have.targets, t) {
					have.targets = append(slices.Clone(have.targets), t)
				}
			}
		}
		return
	}
	b.at[n.text] = int32(len(b.f.names))
	b.f.names = append(b.f.names, n)
}

func (b *builder) build(city *division, counties []*division) {
	province := b.g.byCode[city.Code[:2]+"0000"]
	whole := city.Level == "city"
	isOwn := func(s string) bool { return s != "" && (whole && s == city.Short || s == province.Short) }
	place := map[string]int16{}
	for i, d := range counties {
		t := int16(i)
		place[d.Code] = t
		b.f.districts = append(b.f.districts, district{code: d.Code, name: d.Name, short: d.Short, flags: d.flags})
		if !(whole && d.Name == city.Name) {
			b.add(name{text: d.Name, kind: kindFull, flags: d.flags, targets: []int16{t}})
		}
		b.add(name{text: d.official, kind: kindFull, flags: d.flags &^ flagGeneric, targets: []int16{t}})
	}
	// What the operator says comes before what the tables say.
	for i, d := range counties {
		one := []int16{int16(i)}
		for _, a := range d.aliases {
			b.add(name{text: a, kind: kindAlias, targets: one})
		}
		for _, a := range d.landmarks {
			b.add(name{text: a, kind: kindLandmark, targets: one})
		}
		for _, w := range d.stops {
			b.add(name{text: w, kind: kindWord, stop: true, targets: one})
		}
	}
	sights := map[string]bool{} // that lie in the district called like them: 岳阳楼
	for _, l := range b.g.table.landmarks {
		sights[l[0]+l[1]] = true
	}
	for i, d := range counties {
		flags := d.flags
		if d.trusted || sights[d.Code+d.Short] {
			flags &^= flagWord | flagShared
		}
		if !isOwn(d.Short) || d.trusted {
			b.add(name{text: d.Short, kind: kindShort, trusted: d.trusted, flags: flags, targets: []int16{int16(i)}})
		}
	}
	for _, m := range []struct {
		text   string
		strong bool
	}{{"全市", true}, {"我市", false}, {"各县（市）区", true}, {"各县(市)区", true}, {"各县（市、区）", true}, {"各县区", true}, {"各县市区", true}} {
		b.add(name{text: m.text, kind: kindMark, strong: m.strong})
	}
	if whole {
		b.add(name{text: city.Name, kind: kindOwn})
		b.add(name{text: city.Short, kind: kindOwn})
	}
	b.add(name{text: province.Name, kind: kindOwn})
	b.add(name{text: province.Short, kind: kindOwn})
	for _, l := range b.g.table.landmarks {
		if t, ok := place[l[0]]; ok {
			b.add(name{text: l[1], kind: kindLandmark, targets: []int16{t}})
		}
	}
	for _, fm := range b.g.table.formers {
		if t, ok := place[fm.to[0]]; ok && len(fm.to) == 1 {
			b.add(name{text: fm.name, kind: kindFormer, targets: []int16{t}})
		}
	}
	for _, d := range counties {
		b.towns(d, place[d.Code])
	}
	// Words last among the served: a name that is itself in the tables is no mere word.
	for i, d := range counties {
		for _, key := range [...]string{d.Short, d.Name} {
			for _, words := range [...]string{b.g.table.stops[key], b.g.table.handStops[key]} {
				for w := range strings.SplitSeq(words, " ") {
					if w != "" {
						b.add(name{text: w, kind: kindWord, targets: []int16{int16(i)}})
					}
				}
			}
		}
	}
	for _, fm := range b.g.table.formers {
		// 闸北 for 闸北区, where the short name is no other's.
		if t, ok := place[fm.to[0]]; ok && len(fm.to) == 1 {
			b.add(name{text: shorten(fm.name), kind: kindFormer, flags: flagWord, targets: []int16{t}})
		}
	}
	b.f.names = slices.Grow(b.f.names, 4500)
	twins := map[string]int16{}
	for i, d := range counties {
		if d.Short != "" {
			twins[d.Short] = int16(i) + 1
		}
	}
	nation := b.g.national()
	b.f.others = b.g.shorts
	for _, n := range nation {
		if n.short != "" {
			n.twin = twins[n.short]
		}
		b.add(n)
	}
}

// elsewhere reports whether a name is the short one of another county or city of
// the country: 武夷山镇 is a town of 铅山, 武夷山 is not.
func (b *builder) elsewhere(s string, d *division) bool {
	return slices.ContainsFunc(b.g.lookup()[s], func(e entry) bool { return e.rank == rankShort && e.d != d })
}

// townOrgans follow a town's bare name where it has one: 北冷派出所.
var townOrgans = [...]string{"派出所", "卫生院", "司法所", "法庭", "中心小学", "中心校", "古镇", "集镇", "供电所", "税务所", "财政所"}

// towns adds the towns and streets of a county.
func (b *builder) towns(d *division, t int16) {
	for _, town := range b.g.table.townsUnder(d.Code) {
		n := utf8.RuneCountInString(town.name)
		if n < 3 || genericTown(town.name) {
			continue
		}
		one := []int16{t}
		b.add(name{text: town.name, kind: kindTown, flags: town.flags, targets: one})
		stem := town.name
		for _, k := range [...]string{"街道", "镇", "乡"} {
			s, ok := strings.CutSuffix(stem, k)
			if !ok {
				continue
			}
			stem = s
			if utf8.RuneCountInString(stem) < 2 {
				break
			}
			switch k {
			case "街道":
				b.add(name{text: stem + "办事处", kind: kindTown, flags: town.flags, targets: one})
			case "镇":
				b.add(name{text: stem + "乡", kind: kindTown, flags: town.flags, targets: one})
			case "乡": // many have become 镇 since
				b.add(name{text: stem + "镇", kind: kindTown, flags: town.flags, targets: one})
			}
			for _, o := range townOrgans {
				b.add(name{text: stem + o, kind: kindStem, flags: town.flags, targets: one})
			}
			// A long name needs no kind behind it (嘉应观, 苏家作), unless it is a
			// road, a gate, a number or a common word.
			if utf8.RuneCountInString(stem) >= 3 && !b.elsewhere(stem, d) && town.flags&flagCommon == 0 && k != "街道" && !strings.ContainsAny(stem, "路街道门桥东西南北新城区一二三四五六七八九十百江河") {
				b.add(name{text: stem, kind: kindStem, flags: flagWord, targets: one})
			}
			break
		}
	}
}

// genericTown: 开发区, 工业园区 and the like stand in the tables as towns and name none.
func genericTown(s string) bool {
	for _, g := range [...]string{"开发区", "工业园", "工业园区", "产业园", "产业园区", "产业集聚区", "管理区", "工业区", "示范区", "管委会", "园区"} {
		if s == g || strings.HasSuffix(s, g) {
			return true
		}
	}
	return false
}

// national gives the names of the country that are another place's wherever the
// served city does not claim them first.
func (g *Gazetteer) national() []name {
	g.nationOnce.Do(func() {
		g.nation = make([]name, 0, 4200)
		g.shorts = make(shortNames, 2400)
		for _, d := range g.rows {
			if d.retired || d.row != nil {
				continue
			}
			switch d.Level {
			case "province", "city":
				g.nation = append(g.nation, name{text: d.Name, kind: kindForeign, short: d.Short})
				if d.flags&flagWord == 0 && d.Short != "" {
					g.nation = append(g.nation, name{text: d.Short, kind: kindForeign})
				}
			case "county":
				if d.Short != "" && d.flags&(flagWord|flagListed|flagCommonWord|flagZone) == 0 {
					g.shorts[d.Short] = true
				}
				if d.flags&(flagGeneric|flagZone) == 0 {
					g.nation = append(g.nation, name{text: d.Name, kind: kindForeign, bare: utf8.RuneCountInString(d.Name) == 2, short: d.Short})
				}
			}
		}
	})
	return g.nation
}

// shortNames are short names of counties. They stand apart from a finder's names:
// alone they prove nothing, and in the trie they would eat into other words.
type shortNames map[string]bool

// foreignEnd reports whether a text ends in one that is none of the served city's:
// 枝江|仙女镇.
func (f *Finder) foreignEnd(text string) bool {
	at := len(text)
	for n := 1; n <= 3; n++ {
		r, size := utf8.DecodeLastRuneInString(text[:at])
		if !unicode.Is(unicode.Han, r) {
			return false
		}
		if at -= size; n > 1 && f.others[text[at:]] {
			return !slices.ContainsFunc(f.districts, func(d district) bool { return d.short == text[at:] })
		}
	}
	return false
}
