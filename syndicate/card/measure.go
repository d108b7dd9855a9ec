package card

import (
	"unicode/utf8"

	"paperwire/syndicate/feed"
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
		s = s[feed.Cluster(s):]
		n++
	}
	return n
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
