package syndicate

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"paperwire/internal/paper"
	"paperwire/syndicate/feed"
)

// params are the parameters of a feed in canonical form.
type params struct {
	limit     int // 0: what a feed holds by itself
	summaries bool
	part      int // of a list that is handed on in parts; 0 and 1 are the first
	drip      *paper.Drip
	pace      string   // as written: 65m
	ids       []string // of a notice: those articles alone; in no URL
	words     []string // of a search
}

// A list that is handed on is one edition: beyond these parts there is nothing.
const (
	maxParts   = 25
	articlesIn = 8 // at most, of one part
)

// known are the parameters of feeds.
var known = []string{"limit", "q", "full", "pace", "max", "part"}

// feedQuery reads the known parameters of a feed's URL. What cannot be read of them, or
// says two things, is a mistake: dropped, it would lead to another feed. Others' (utm_source
// and its kind) may look as they like. Errors are *[paper.ScopeError].
func feedQuery(raw string) (url.Values, error) {
	q := url.Values{}
	for part := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(part, "=")
		name, err := url.QueryUnescape(name)
		others := err != nil || !slices.Contains(known, name)
		if others && !slices.ContainsFunc(known, func(k string) bool { return strings.Contains(part, ";"+k+"=") || strings.HasPrefix(part, k+";") }) {
			continue
		}
		if value, err = url.QueryUnescape(value); err != nil || others || strings.Contains(part, ";") {
			return nil, &paper.ScopeError{Reason: fmt.Sprintf("%q cannot be read: write name=value, joined by &, with %%XX for what is special", clip(part))}
		}
		if q.Has(name) {
			return nil, &paper.ScopeError{Reason: name + " stands more than once: write it once"}
		}
		q.Set(name, value)
	}
	return q, nil
}

// parseParams reads the parameters that mean something to a format and drops the
// others (utm_source and its kind). Errors are *[paper.ScopeError].
func parseParams(q url.Values, f feed.Format) (params, error) {
	var p params
	wrong := func(format string, args ...any) (params, error) {
		return p, &paper.ScopeError{Reason: fmt.Sprintf(format, args...)}
	}
	if q.Has("full") {
		switch q.Get("full") {
		case "0":
			p.summaries = true
		case "1":
		default:
			return wrong("full %q: write full=0 for summaries, or leave it out", clip(q.Get("full")))
		}
	}
	if f.Edition {
		for _, name := range []string{"limit", "q", "pace", "max"} {
			if q.Has(name) {
				return wrong("%s: a .%s list is the newest edition in parts of %d; write part=2 for the next", name, f.Ext, articlesIn)
			}
		}
		if q.Has("part") {
			n, err := strconv.Atoi(q.Get("part"))
			if err != nil || n < 1 || n > maxParts {
				return wrong("part %q: write a number from 1 to %d", clip(q.Get("part")), maxParts)
			}
			if n > 1 {
				p.part = n
			}
		}
		return p, nil
	}
	if q.Has("part") {
		return wrong("part: a .%s feed has no parts; write limit=1 to 200, or see its archives", f.Ext)
	}
	if q.Has("limit") {
		n, err := strconv.Atoi(q.Get("limit"))
		if err != nil || n < 1 || n > 200 {
			return wrong("limit %q: write a number from 1 to 200", clip(q.Get("limit")))
		}
		p.limit = n
	}
	if q.Has("q") {
		var err error
		if p.words, err = queryWords(q.Get("q")); err != nil {
			return p, err
		}
	}
	switch {
	case q.Has("pace") && p.words != nil:
		return wrong("pace with q: a search has no editions to pace; take one of them")
	case q.Has("pace"):
		p.pace = q.Get("pace")
		pace, ok := paces[p.pace]
		if !ok {
			return wrong("pace %q: write one of 30m, 65m, 2h, 4h, 6h", clip(p.pace))
		}
		p.drip = &paper.Drip{Pace: pace, Max: defaultMax}
		if q.Has("max") {
			n, err := strconv.Atoi(q.Get("max"))
			if err != nil || n < 1 || n > 50 {
				return wrong("max %q: write how many articles of an edition, from 1 to 50", clip(q.Get("max")))
			}
			p.drip.Max = n
		}
	case q.Has("max"):
		return wrong("max without pace: write pace=65m&max=%s, or limit for the length of the feed", clip(q.Get("max")))
	}
	return p, nil
}

// maxWord is how long a word of a search may be, in characters.
const maxWord = 32

// queryWords reads the words of a search into the one form that has the same
// meaning: compatibility forms (NFKC), lower case, sorted, each once.
func queryWords(q string) ([]string, error) {
	if !utf8.ValidString(q) {
		return nil, &paper.ScopeError{Reason: "q is not UTF-8: write 温县 as %E6%B8%A9%E5%8E%BF"}
	}
	words := strings.FieldsFunc(strings.ToLower(norm.NFKC.String(strings.ToValidUTF8(q, " "))), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	})
	slices.Sort(words)
	words = slices.Compact(words)
	switch n := len(words); {
	case n == 0:
		return nil, &paper.ScopeError{Reason: fmt.Sprintf("q is empty: write 1 to %d words that must occur", paper.MaxWords)}
	case n > paper.MaxWords:
		return nil, &paper.ScopeError{Reason: fmt.Sprintf("q has %d words: at most %d are allowed", n, paper.MaxWords)}
	}
	for _, w := range words {
		if n := utf8.RuneCountInString(w); n > maxWord {
			return nil, &paper.ScopeError{Reason: fmt.Sprintf("q: the word %q has %d characters: at most %d are allowed", clip(w), n, maxWord)}
		}
		if !strings.ContainsFunc(w, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
			return nil, &paper.ScopeError{Reason: fmt.Sprintf("q: %q has neither letter nor digit: nothing can be found by it", clip(w))}
		}
	}
	return words, nil
}

// defaultMax is how many articles of an edition a paced feed takes.
const defaultMax = 8

var paces = map[string]time.Duration{"30m": 30 * time.Minute, "65m": 65 * time.Minute, "2h": 2 * time.Hour, "4h": 4 * time.Hour, "6h": 6 * time.Hour}

// String is the canonical query with its question mark; empty where there is none.
func (p params) String() string {
	var q []string
	if p.summaries {
		q = append(q, "full=0")
	}
	if p.limit > 0 {
		q = append(q, "limit="+strconv.Itoa(p.limit))
	}
	if p.drip != nil {
		q = append(q, "pace="+p.pace, "max="+strconv.Itoa(p.drip.Max))
	}
	if p.part > 1 {
		q = append(q, "part="+strconv.Itoa(p.part))
	}
	if p.words != nil {
		q = append(q, "q="+url.QueryEscape(strings.Join(p.words, " ")))
	}
	if q == nil {
		return ""
	}
	return "?" + strings.Join(q, "&")
}

// variant tells the feeds of one scope apart that are another list than its own: its
// searches and its paces.
func (p params) variant() string {
	return params{drip: p.drip, pace: p.pace, words: p.words}.String()
}

// window is what of a scope the parameters ask for, in a format.
func (p params) window(f feed.Format) paper.Window {
	if p.ids != nil {
		return paper.Window{IDs: p.ids}
	}
	if f.Edition {
		return paper.Window{Newest: true, Limit: articlesIn * max(p.part, 1)}
	}
	return paper.Window{Limit: p.limit, Beside: true, Drip: p.drip, Query: p.words}
}

// parts are what the version of a feed derives from. A paced one moves with all that
// its scope may hold, for what it holds may have left the scope; a search when the
// index of a store from before is whole.
func (p params) parts(sc paper.Scope) [][]string {
	switch {
	case p.drip != nil:
		return [][]string{append(slices.Concat(sc.Parts()...), p.drip.Part(sc))}
	case p.words != nil:
		return [][]string{append(slices.Concat(sc.Parts()...), "search")}
	}
	return sc.Parts()
}

// in are the parameters that mean something to another format too.
func (p params) in(f feed.Format) params {
	if f.Edition {
		return params{summaries: p.summaries}
	}
	p.part = 0
	return p
}

// combined reports whether a feed is one of the many that can be put together: all
// but those of one value, which are as many as there are papers, sections and
// districts.
func combined(sc paper.Scope, p params) bool {
	return p.String() != "" || len(sc.Papers)+len(sc.Sections)+len(sc.Districts) > 1 || len(sc.Pages)+len(sc.NotSections)+len(sc.NotDistricts) > 0
}
