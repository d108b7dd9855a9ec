package paper

import (
	"strings"
	"unicode"
)

// IsAll reports whether the scope is everything.
func (s Scope) IsAll() bool {
	return len(s.Papers)+len(s.Sections)+len(s.Districts)+len(s.Pages)+len(s.NotSections)+len(s.NotDistricts) == 0
}

// parts gives the name and values of every part in canonical order.
func (s *Scope) parts() [6]struct {
	name   string
	values *[]string
} {
	return [6]struct {
		name   string
		values *[]string
	}{
		{"paper", &s.Papers},
		{"section", &s.Sections},
		{"district", &s.Districts},
		{"page", &s.Pages},
		{"-section", &s.NotSections},
		{"-district", &s.NotDistricts},
	}
}

// String is the canonical form, such as paper/jzrb/section/yaowen.
func (s Scope) String() string {
	if s.IsAll() {
		return "all"
	}
	var b strings.Builder
	for _, p := range s.parts() {
		if len(*p.values) == 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('/')
		}
		b.WriteString(p.name)
		b.WriteByte('/')
		for i, v := range *p.values {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(v)
		}
	}
	return b.String()
}

// Parts are the single-part scopes whose versions this scope's version is
// derived from, one list per intersected part: a scope changed no later than
// the earliest over the lists of the latest within a list. Every change of an
// article raises all of its parts at once, so exclusions need no list.
func (s Scope) Parts() [][]string {
	var all [][]string
	for _, p := range s.parts() {
		if len(*p.values) == 0 || p.name == "page" || p.name[0] == '-' {
			continue
		}
		list := make([]string, len(*p.values))
		for i, v := range *p.values {
			list[i] = p.name + "/" + v
		}
		all = append(all, list)
	}
	if all == nil {
		return [][]string{{"all"}}
	}
	return all
}

func validValue(part, v string) bool {
	if v == "" || len(v) > 96 {
		return false
	}
	for i, r := range v {
		switch {
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z':
		case r >= 'A' && r <= 'Z' && part == "page":
		case r == '-' && i > 0:
		case part != "page" && (unicode.Is(unicode.Han, r) || r == '·'): // a name
		default:
			return false
		}
	}
	return true
}

func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
