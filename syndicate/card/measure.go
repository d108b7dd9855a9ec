package card

import (
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// Measures: how long a text is, as a platform counts. None gives less than the
// platform does.

// characters counts code points.
func characters(s string) int { return utf8.RuneCountInString(s) }

// size counts bytes of UTF-8.
func size(s string) int { return len(s) }

// units counts UTF-16 code units: what Java, JavaScript and Objective-C call the
// length of a string, and so the strictest count where a platform says "characters".
func units(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xffff {
			n++
		}
	}
	return n
}

// graphemes counts what a reader takes for one character (UAX #29).
func graphemes(s string) int {
	n := 0
	for len(s) > 0 {
		s = s[cluster(s):]
		n++
	}
	return n
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

// pictorial reports characters that may be an emoji or a part of one; more than
// that only in so far as it makes a count higher.
func pictorial(r rune) bool {
	switch {
	case r < 0x200d: // © and ® are emoji with U+FE0F only
		return false
	case r == 0x200d, r == 0x203c, r == 0x2049, r == 0x20e3, r == 0x2122, r == 0x2139, r == 0x3030, r == 0x303d, r == 0x3297, r == 0x3299, r == 0xfe0f:
		return true
	case r >= 0x2190 && r <= 0x2bff, r >= 0xe000 && r <= 0xf8ff:
		return true
	}
	return r >= 0x1f000 && r < 0x20000 || r >= 0xe0020 && r <= 0xe007f
}
