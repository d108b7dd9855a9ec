package card

import (
	_ "embed"
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"paperwire/syndicate/feed"
)

func init() {
	register(Platform{
		Key: "x", Name: "X", Limit: 280, Unit: "weighted characters", Measure: weighted, Image: "og",
		About: "a post", Spec: "https://docs.x.com/fundamentals/counting-characters",
		write: func(w *writer) Post {
			p := w.post(plainly)
			p.Intent = query("https://x.com/intent/post?", "text", p.Text)
			return p
		},
	})
}

// linkWeight is what X counts for an address, however long it is.
const linkWeight = 23

// The top-level domains by which twitter-text 3.1.0, which X counts with, tells an
// address: what ends with another one is text to it. And its emoji (twemoji-parser
// 11.0.2), in the syntax of regexp: each counts as one Han character, younger ones as the characters they
// consist of. See NOTICE.
var (
	//go:embed x_domains.txt
	xDomains string
	//go:embed x_emoji.txt
	xEmoji string

	topLevel = sync.OnceValue(func() map[string]bool {
		m := map[string]bool{}
		for _, d := range strings.Fields(xDomains) {
			m[d] = true
		}
		return m
	})
	emojis = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(strings.TrimSpace(xEmoji)) })
)

// weighted is how X counts: one for the characters of most scripts with letters,
// two for all others and for an emoji, 23 for an address, after NFC. Where a text
// itself holds something like an address, it is counted as an address or as
// characters, whichever is more.
func weighted(s string) int {
	n := 0
	dots, pictures, composed := false, false, true
	for _, r := range s {
		n += weight(r)
		dots = dots || r == '.'
		if r >= 0x300 && !feed.Alone(r) || r >= 0x2f800 && r <= 0x2fa1f {
			composed = false
			pictures = pictures || pictorial(r)
		}
	}
	if !composed && !norm.NFC.IsNormalString(s) {
		return weighted(norm.NFC.String(s))
	}
	if pictures {
		for _, at := range emojis().FindAllStringIndex(s, -1) {
			if dots && s[at[0]] < utf8.RuneSelf && strings.Contains(s[strings.LastIndexAny(s[:at[0]], " \n")+1:at[0]], ".") {
				continue // a keycap behind what may be an address, which takes its digit then
			}
			n += 2
			for _, r := range s[at[0]:at[1]] {
				n -= weight(r)
			}
		}
	}
	if dots {
		n += addresses(s)
	}
	return n
}

// weight is that of one character (configuration v3 of twitter-text).
func weight(r rune) int {
	switch {
	case r <= 0x10ff, r >= 0x2000 && r <= 0x200d, r >= 0x2010 && r <= 0x201f, r >= 0x2032 && r <= 0x2037:
		return 1
	}
	return 2
}

// addresses is what the addresses in a text add to the weight of its characters.
func addresses(s string) int {
	more := 0
	for at := 0; at < len(s); {
		i := strings.IndexByte(s[at:], '.')
		if i < 0 {
			break
		}
		dot := at + i
		at = dot + 1
		if !endsDomain(s[dot+1:]) {
			continue
		}
		from, to := wordAround(s, dot)
		count := 0
		for _, r := range s[from:to] {
			count += weight(r)
		}
		switch {
		case plainAddress(s, from, to):
			more += linkWeight - count
			at = to
		case plainDomain(s[from:to]):
			more += max(0, linkWeight-count)
			at = to
		default:
			// One may begin anywhere in it; it has four characters at least.
			more += linkWeight - 4
		}
	}
	return more
}

// endsDomain reports whether what follows a dot begins with a top-level domain.
func endsDomain(s string) bool {
	end := 0
	for end < len(s) && (s[end]|0x20 >= 'a' && s[end]|0x20 <= 'z') {
		end++
	}
	if end > 0 {
		if strings.EqualFold(s[:min(end, 2)], "xn") && strings.HasPrefix(s[min(end, 2):], "--") {
			return true
		}
		if end < len(s) && (s[end] >= '0' && s[end] <= '9' || s[end] == '@' || s[end] == '+' || s[end] == '-') {
			return false
		}
		return topLevel()[strings.ToLower(s[:end])]
	}
	r, _ := utf8.DecodeRuneInString(s)
	if r < utf8.RuneSelf || !unicode.IsLetter(r) {
		return false
	}
	for i := range s {
		if i > 64 {
			break
		}
		if i > 0 && topLevel()[strings.ToLower(s[:i])] {
			return true
		}
	}
	return topLevel()[strings.ToLower(s)]
}

// addressed reports the characters of an address as we write ours.
func addressed(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("-._~:/?#&=%+", c) >= 0
}

// wordAround is the run of characters of an address around a place.
func wordAround(s string, at int) (from, to int) {
	from, to = at, at
	for from > 0 && addressed(s[from-1]) {
		from--
	}
	for to < len(s) && addressed(s[to]) {
		to++
	}
	return from, to
}

// plainAddress reports an address that twitter-text certainly takes for one, and
// for one as a whole: with its scheme, between spaces, in plain ASCII.
func plainAddress(s string, from, to int) bool {
	if from > 0 && s[from-1] != ' ' && s[from-1] != '\n' || to < len(s) && s[to] != ' ' && s[to] != '\n' {
		return false
	}
	s = s[from:to]
	host, ok := strings.CutPrefix(s, "https://")
	if !ok {
		if host, ok = strings.CutPrefix(s, "http://"); !ok {
			return false
		}
	}
	rest := ""
	if i := strings.IndexAny(host, "/?#"); i >= 0 {
		host, rest = host[:i], host[i:]
	}
	host, port, ported := strings.Cut(host, ":")
	if ported && (port == "" || strings.Trim(port, "0123456789") != "") || len(s) > 4000 || !plainDomain(host) {
		return false
	}
	path, query, asked := strings.Cut(rest, "?")
	// It takes no full stop at the end of a path or a query with it.
	const ends = "-_/="
	ended := func(s string) bool {
		c := s[len(s)-1]
		return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || strings.IndexByte(ends, c) >= 0
	}
	return (path == "" || path[0] == '/' && ended(path)) && (!asked || query != "" && ended(query)) && !strings.ContainsAny(rest, ":#+") && !strings.Contains(query, "?")
}

// plainDomain reports a domain in ASCII that certainly is one.
func plainDomain(s string) bool {
	labels := 0
	for {
		label, rest, more := strings.Cut(s, ".")
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := 0; i < len(label); i++ {
			if c := label[i]; (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
		if labels++; !more {
			return labels > 1 && topLevel()[strings.ToLower(label)]
		}
		s = rest
	}
}
