package feed

import (
	"html"
	"net/netip"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// unfit reports characters that may not leave the house: those XML 1.0 forbids
// (§2.2), the C1 controls and U+FFFD that the W3C validator takes for encoding
// damage, byte order marks, noncharacters, and the bidirectional controls, with
// which a headline could turn round the text that a reader shows after it.
func unfit(r rune) bool {
	switch {
	case r < 0x20:
		return r != '\t' && r != '\n'
	case r < 0x7f:
		return false
	case r <= 0x9f:
		return true
	case r < 0x61c:
		return false
	case r == 0x61c, r == 0x200e, r == 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return true
	case r >= 0xfdd0 && r <= 0xfdef, r == 0xfeff, r == utf8.RuneError, r&0xfffe == 0xfffe:
		return true
	}
	return false
}

// clean drops what is unfit and every byte that is not UTF-8. Nearly all text
// comes back as it is, without a copy.
func clean(s string) string {
	at := firstUnfit(s)
	if at == len(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	b.WriteString(s[:at])
	for _, r := range s[at:] {
		if !unfit(r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// firstUnfit is where the first unfit character stands, or the length. A feed is
// mostly Han in three bytes (U+3000 to U+9FFF), which need no decoding: this
// halves the time of writing one.
func firstUnfit(s string) int {
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c < utf8.RuneSelf:
			if unfit(rune(c)) {
				return i
			}
			i++
		case c >= 0xe3 && c <= 0xe9 && i+2 < len(s) && s[i+1]&0xc0 == 0x80 && s[i+2]&0xc0 == 0x80:
			i += 3
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			if unfit(r) {
				return i
			}
			i += n
		}
	}
	return len(s)
}

// line is clean text on one line: every run of white space is one space.
func line(s string) string {
	if s = clean(s); spaced(s) {
		return s
	}
	return strings.Join(strings.Fields(s), " ")
}

// spaced reports whether a text has single spaces between words and no other white
// space: nearly every line comes back from line as it is, without a copy.
func spaced(s string) bool {
	space := len(s) > 0 // as if one stood before the beginning
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == ' ':
			if space {
				return false
			}
			space = true
			i++
		case c < utf8.RuneSelf:
			if c < ' ' { // clean leaves tabs and newlines only
				return false
			}
			space = false
			i++
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			if unicode.IsSpace(r) {
				return false
			}
			space = false
			i += n
		}
	}
	return !space
}

// plain is one line of text that stays text for a reader that takes it for
// HTML, as most do with RSS titles: what would begin a tag or a character
// reference gets the full-width form, so that nothing is lost, nothing runs, and
// the validators see no markup. "a < b", "R&D" and "《三体》" stay as they are.
func plain(s string) string {
	s = line(s)
	if !strings.ContainsAny(s, "<&") {
		return s
	}
	var b strings.Builder
	open := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		next := byte(0)
		if i+1 < len(s) {
			next = s[i+1]
		}
		switch {
		case c == '<' && (next == '/' || next == '!' || next == '?' || letter(next)):
			b.WriteString("＜")
			open = true
		case c == '>' && open:
			b.WriteString("＞")
			open = false
		case c == '&' && reference(s[i+1:]):
			b.WriteString("＆")
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// flat is plain text for the one place that is HTML by definition, the RSS
// description: a strict HTML parser must find nothing in it to stumble over.
func flat(s string) string {
	s = line(s)
	if !strings.ContainsAny(s, "<&") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '<':
			b.WriteString("＜")
		case c == '&' && i+1 < len(s) && s[i+1] != ' ':
			b.WriteString("＆")
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// reference reports whether an ampersand before s would be read as the start of
// a character reference, with or without the semicolon.
func reference(s string) bool {
	end, letters := 0, true
	for end < len(s) && (letter(s[end]) || s[end] >= '0' && s[end] <= '9' || s[end] == '#' && end == 0) {
		letters = letters && letter(s[end])
		end++
	}
	if end == 0 {
		return false
	}
	name := "&" + s[:end] + ";"
	return !letters || html.UnescapeString(name) != name
}

// uri brings an http or https URL into the form that RFC 3986 and the
// validators accept: ASCII only, everything else percent-encoded, an
// international host in its xn-- form. Anything else gives the empty string.
func uri(s string) string {
	s = strings.TrimSpace(clean(s))
	at := strings.Index(s, "://")
	if at < 0 {
		return ""
	}
	end := len(s)
	if i := strings.IndexAny(s[at+3:], "/?#"); i >= 0 {
		end = at + 3 + i
	}
	// Only the authority is parsed: a bare % further on, which publishers write,
	// would make the whole URL invalid.
	u, err := url.Parse(s[:end])
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	host, rest := u.Host, s[end:]
	// net/url lets through what no host holds (RFC 3986 §3.2.2).
	if strings.ContainsAny(host, `"<>`) {
		return ""
	} else if host[0] == '[' {
		if ip, err := netip.ParseAddr(u.Hostname()); err != nil || !ip.Is6() || ip.Zone() != "" {
			return ""
		}
	}
	if strings.IndexFunc(host, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0 {
		if host, err = idna.Lookup.ToASCII(u.Hostname()); err != nil {
			return ""
		}
		if p := u.Port(); p != "" {
			host += ":" + p
		}
	}
	var b strings.Builder
	b.Grow(len(s))
	b.WriteString(u.Scheme)
	b.WriteString("://")
	b.WriteString(host)
	const kept = ";/?:@&=+$.-_!~*'(),"
	fragment := false
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '#' && !fragment: // a second one is data
			fragment = true
			b.WriteByte(c)
		case letter(c), c >= '0' && c <= '9', strings.IndexByte(kept, c) >= 0,
			c == '%' && i+2 < len(rest) && hexdigit(rest[i+1]) && hexdigit(rest[i+2]):
			b.WriteByte(c)
		default:
			const digits = "0123456789ABCDEF"
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}

func hexdigit(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }
