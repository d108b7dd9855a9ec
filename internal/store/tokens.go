package store

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Of one text so much is indexed: PostgreSQL keeps no position beyond 16,383.
const (
	maxTokens = 500 // of headline, kicker, subtitle and names, and of a summary
	maxBody   = 15000
	maxToken  = 64 // characters
)

// fold makes what is searched and what is searched for alike: compatibility forms
// (NFKC: full-width letters), case and accents.
func fold(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFKD.String(s))
	return strings.ToLower(norm.NFC.String(s))
}

// han reports whether a character is one of a script without spaces between words.
func han(r rune) bool {
	return r >= 0x2e80 && (unicode.Is(unicode.Han, r) || unicode.In(r, unicode.Hiragana, unicode.Katakana))
}

// runs cuts a folded text into stretches of Han characters and words of letters and
// digits; everything else separates.
func runs(s string, each func(run []rune, han bool) bool) {
	var run []rune
	var kind bool
	flush := func() bool {
		more := len(run) == 0 || each(run, kind)
		run = run[:0]
		return more
	}
	for _, r := range fold(s) {
		h := han(r)
		if !h && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			if !flush() {
				return
			}
			continue
		}
		if len(run) > 0 && h != kind && !flush() {
			return
		}
		run, kind = append(run, r), h
	}
	flush()
}

// tokens are the words of a text as both databases index them: of a stretch of Han
// characters all that stand side by side in twos and the last alone, so that any
// stretch of two or more is found as a phrase and one alone by its prefix. SQLite's
// trigrams would never find 温县.
func tokens(s string, most int) []string {
	var list []string
	runs(s, func(run []rune, h bool) bool {
		if !h {
			list = append(list, string(run[:min(len(run), maxToken)]))
			return len(list) < most
		}
		for i := range run {
			list = append(list, string(run[i:min(i+2, len(run))]))
		}
		return len(list) < most
	})
	return list[:min(len(list), most)]
}

// phrase is one word of a query: tokens that stand side by side, the last of them
// possibly only begun.
type phrase struct {
	tokens []string
	prefix bool
}

// phrases reads the words of a query. One without a letter or digit finds nothing:
// ok is false.
func phrases(words []string) (list []phrase, ok bool) {
	for _, w := range words {
		var p phrase
		lone := false // the last token is the last of its stretch, which may go on in a text
		runs(w, func(run []rune, h bool) bool {
			lone = h
			p.prefix = h && len(run) == 1
			if !h {
				p.tokens = append(p.tokens, string(run[:min(len(run), maxToken)]))
				return true
			}
			for i := range run {
				p.tokens = append(p.tokens, string(run[i:min(i+2, len(run))]))
			}
			return true
		})
		if len(p.tokens) == 0 {
			return nil, false
		}
		if lone && !p.prefix {
			p.tokens = p.tokens[:len(p.tokens)-1]
		}
		list = append(list, p)
	}
	return list, len(list) > 0
}

// in reports whether a phrase stands in one of some texts.
func (p phrase) in(texts ...[]string) bool {
	for _, text := range texts {
		for i := 0; i+len(p.tokens) <= len(text); i++ {
			n := len(p.tokens) - 1
			if last := text[i+n]; (last == p.tokens[n] || p.prefix && strings.HasPrefix(last, p.tokens[n])) && slices.Equal(text[i:i+n], p.tokens[:n]) {
				return true
			}
		}
	}
	return false
}
