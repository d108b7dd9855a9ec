package sources

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Caps of a feed document. They stand far above real feeds and below what
// costs: many xmlns on one element are quadratic in the XML parser (160 KB took
// 6.6 s), 64 KB of nested elements took 383 MB.
const (
	maxFeed      = 16 << 20 // bytes
	maxDepth     = 100      // open elements
	maxAttrs     = 64       // attributes of one element
	maxName      = 128      // bytes of an element's or attribute's name
	maxAttrValue = 64 << 10 // bytes
	maxItems     = 2000     // items taken, the first ones
)

// errHostile: a cap of the pre-pass was broken.
var errHostile = errors.New("feed refused")

// repaired is a feed document after the pre-pass.
type repaired struct {
	xml  []byte   // well-formed, in UTF-8, with the declaration rewritten
	root string   // rss, feed, rdf; lower case, without prefix
	ids  []string // <id> of every Atom entry as written, by its place
	base []string // xml:base in force at every item, by its place; may be empty
	cut  string   // why the end is not that of the document; empty where it is
	// shelf holds the long texts that stand in xml as a mark only; see back.
	shelf []string
}

// Long CDATA sections of an RSS item's text are put on a shelf while the parser
// is at work, which would take each byte into its hands several times: half of
// the time of reading a feed. The mark between is no character, so no text has it.
const (
	markStart = "\ufdd0"
	markEnd   = "\ufdd1"
	minShelf  = 64 // bytes
)

// back is a text of the parser with what was shelved in its place again.
func (r repaired) back(s string) string {
	if len(r.shelf) == 0 || !strings.Contains(s, markStart) {
		return s
	}
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, markStart)
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		number, after, _ := strings.Cut(rest, markEnd)
		if n, err := strconv.Atoi(number); err == nil && n >= 0 && n < len(r.shelf) {
			b.WriteString(r.shelf[n])
		}
		s = after
	}
}

var feedStart = regexp.MustCompile(`(?i)<(?:\?xml|rss|feed|rdf:rdf|[a-z]+:feed)[\s>?]`)

// repair makes one pass over an XML feed, byte by byte and never backwards but
// to cut: it enforces the caps, drops what XML forbids (control characters and
// references to them, comments, processing instructions, DOCTYPE), escapes
// bare & and <, quotes and balances what is not, and cuts at the last whole item
// where the tail is missing. One bad byte would otherwise lose the whole feed.
func repair(body []byte) (repaired, error) {
	var r repaired
	if len(body) > maxFeed {
		return r, fmt.Errorf("%w: more than %d bytes", errHostile, maxFeed)
	}
	// What a failing server prints before the feed. A comment may stand there
	// by right.
	if m := feedStart.FindIndex(body[:min(len(body), 8192)]); m != nil && !bytes.HasPrefix(body, []byte("<!--")) {
		body = body[m[0]:]
	}
	s := scan{in: body, names: map[string]string{}}
	s.shelve = !bytes.Contains(body, []byte(markStart))
	// Most of what is long goes to the shelf.
	s.out = make([]byte, 0, len(body)/4+1024)
	s.out = append(s.out, `<?xml version="1.0" encoding="UTF-8"?>`...)
	if err := s.run(); err != nil {
		return r, err
	}
	r.xml, r.root, r.ids, r.base, r.shelf = s.out, s.root, s.ids, s.base, s.shelf
	switch {
	case s.full:
		r.cut = fmt.Sprintf("more than %d items", maxItems)
	case s.cut:
		r.cut = "the feed's tail is missing"
	}
	return r, nil
}

// element is one open element.
type element struct {
	name string // as written, with prefix
	kind byte   // what it is to a feed
	base string // xml:base in force
}

// Kinds of elements.
const (
	plainElement byte = iota
	channelElement
	itemElement
	idElement
	textElement // description or content:encoded of an item
)

type scan struct {
	in    []byte
	i     int
	out   []byte
	stack []element
	root  string
	ids   []string
	base  []string
	text  []byte // of the id element that is open
	items int
	safe  int // length of out after the last whole child of the channel
	depth int // of the stack at that place
	cut   bool
	full  bool // more than maxItems
	done  bool

	shelve bool // no mark stands in the document
	shelf  []string
	names  map[string]string // each name once
	keys   []string          // attributes of the start tag at hand
}

func (s *scan) run() error {
	for s.i < len(s.in) && !s.done {
		if s.in[s.i] != '<' {
			s.chars()
			continue
		}
		rest := s.in[s.i:]
		switch {
		case bytes.HasPrefix(rest, []byte("<!--")):
			s.skipTo("-->")
		case bytes.HasPrefix(rest, []byte("<![CDATA[")):
			s.cdata()
		case bytes.HasPrefix(rest, []byte("<!")):
			s.doctype()
		case bytes.HasPrefix(rest, []byte("<?")):
			s.skipTo("?>")
		default:
			if err := s.tag(); err != nil {
				return err
			}
		}
	}
	if len(s.stack) > 0 {
		// The tail is missing: back to the last whole item, if its channel
		// is still open.
		if s.safe > 0 && s.depth <= len(s.stack) {
			s.out = s.out[:s.safe]
			s.stack = s.stack[:s.depth]
		}
		s.cut = true
		for len(s.stack) > 0 {
			s.close()
		}
	}
	if n := s.items; len(s.ids) > n {
		s.ids = s.ids[:n]
	}
	return nil
}

func (s *scan) skipTo(end string) {
	if j := bytes.Index(s.in[s.i:], []byte(end)); j >= 0 {
		s.i += j + len(end)
		return
	}
	s.i = len(s.in)
}

// doctype drops a declaration with its internal subset: no entity of a feed's
// own is ever expanded.
func (s *scan) doctype() {
	depth := 0
	for ; s.i < len(s.in); s.i++ {
		switch s.in[s.i] {
		case '[':
			depth++
		case ']':
			depth--
		case '>':
			if depth <= 0 {
				s.i++
				return
			}
		}
	}
}

func (s *scan) cdata() {
	if len(s.stack) == 0 {
		s.skipTo("]]>")
		return
	}
	start := s.i + len("<![CDATA[")
	j := bytes.Index(s.in[start:], []byte("]]>"))
	if j < 0 {
		s.i = len(s.in) // unterminated: the tail is missing
		return
	}
	s.out = append(s.out, "<![CDATA["...)
	from := len(s.out)
	if j >= minShelf && s.shelve && s.root == "rss" && s.stack[len(s.stack)-1].kind == textElement {
		s.out = append(strconv.AppendInt(append(s.out, markStart...), int64(len(s.shelf)), 10), markEnd...)
		s.shelf = append(s.shelf, string(appendLegal(nil, s.in[start:start+j])))
	} else {
		s.out = appendLegal(s.out, s.in[start:start+j])
	}
	s.collect(s.out[from:])
	s.out = append(s.out, "]]>"...)
	s.i = start + j + 3
}

// chars copies text up to the next <, with references mended.
func (s *scan) chars() {
	j := bytes.IndexByte(s.in[s.i:], '<')
	if j < 0 {
		j = len(s.in) - s.i
	}
	run := s.in[s.i : s.i+j]
	s.i += j
	if len(s.stack) == 0 {
		return // text outside the root is no part of a document
	}
	from := len(s.out)
	s.out = appendText(s.out, run, false)
	if s.stack[len(s.stack)-1].kind == idElement {
		s.collect([]byte(html.UnescapeString(string(s.out[from:]))))
	}
}

func (s *scan) collect(text []byte) {
	if n := len(s.stack); n > 0 && s.stack[n-1].kind == idElement && len(s.text) < 4096 {
		s.text = append(s.text, text...)
	}
}

// legal reports whether XML 1.0 §2.2 allows a character.
func legal(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd || r >= 0x10000 && r <= 0x10ffff
}

// appendLegal copies text without the characters XML forbids.
func appendLegal(out, in []byte) []byte {
	from := 0 // of the run that is legal
	for i := 0; i < len(in); {
		c, n := in[i], 1
		switch {
		case c >= 0x20 && c < utf8.RuneSelf, c == '\t', c == '\n', c == '\r':
			i++
			continue
		case c >= 0xe1 && c <= 0xec && i+2 < len(in) && in[i+1]&0xc0 == 0x80 && in[i+2]&0xc0 == 0x80:
			i += 3 // U+1000 to U+CFFF: Chinese
			continue
		case c >= utf8.RuneSelf:
			var r rune
			if r, n = utf8.DecodeRune(in[i:]); (r != utf8.RuneError || n > 1) && legal(r) {
				i += n
				continue
			}
		}
		out = append(out, in[from:i]...)
		i += n
		from = i
	}
	return append(out, in[from:]...)
}

// appendText copies text and mends its references: those to forbidden
// characters go, a bare & is escaped, and so is a < in an attribute.
func appendText(out, in []byte, attr bool) []byte {
	for i := 0; i < len(in); {
		j := i
		for j < len(in) && in[j] != '&' && in[j] != '>' && !(attr && (in[j] == '<' || in[j] == '"')) {
			j++
		}
		out = appendLegal(out, in[i:j])
		if i = j; i == len(in) {
			break
		}
		switch in[i] {
		case '>':
			if !attr && out[len(out)-1] == ']' { // ]]> ends no CDATA here
				out = append(out, "&gt;"...)
			} else {
				out = append(out, '>')
			}
			i++
			continue
		case '<':
			out = append(out, "&lt;"...)
			i++
			continue
		case '"':
			out = append(out, "&quot;"...)
			i++
			continue
		}
		n, keep := reference(in[i:])
		switch {
		case n == 0:
			out = append(out, "&amp;"...)
			i++
		case keep:
			out = append(out, in[i:i+n]...)
			i += n
		default:
			i += n
		}
	}
	return out
}

// reference measures the reference at the start of in: n is 0 where there is
// none, keep is false where it names a forbidden character.
func reference(in []byte) (n int, keep bool) {
	end := bytes.IndexByte(in[:min(len(in), 40)], ';')
	if end < 2 {
		return 0, false
	}
	name := in[1:end]
	if name[0] != '#' {
		for i, c := range name {
			if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || i > 0 && c >= '0' && c <= '9') {
				return 0, false
			}
		}
		return end + 1, true
	}
	digits, radix := name[1:], rune(10)
	if len(digits) > 1 && (digits[0] == 'x' || digits[0] == 'X') {
		digits, radix = digits[1:], 16
	}
	if len(digits) == 0 {
		return 0, false
	}
	var r rune
	for _, c := range digits {
		var v rune
		switch {
		case c >= '0' && c <= '9':
			v = rune(c - '0')
		case radix == 16 && c >= 'a' && c <= 'f':
			v = rune(c-'a') + 10
		case radix == 16 && c >= 'A' && c <= 'F':
			v = rune(c-'A') + 10
		default:
			return 0, false
		}
		if r = r*radix + v; r > 0x10ffff {
			return end + 1, false
		}
	}
	return end + 1, legal(r)
}

func nameStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == ':' || c >= utf8.RuneSelf
}

func nameByte(c byte) bool { return nameStart(c) || c >= '0' && c <= '9' || c == '-' || c == '.' }

func space(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// name reads a name at i.
func (s *scan) name(i int) (string, int, error) {
	j := i
	for j < len(s.in) && nameByte(s.in[j]) {
		if j++; j-i > maxName {
			return "", j, fmt.Errorf("%w: a name of more than %d bytes", errHostile, maxName)
		}
	}
	name, ok := s.names[string(s.in[i:j])]
	if !ok {
		if name = string(s.in[i:j]); len(s.names) < 1000 {
			s.names[name] = name
		}
	}
	return name, j, nil
}

// literal takes a < for a character.
func (s *scan) literal() {
	s.i++
	if len(s.stack) > 0 {
		s.out = append(s.out, "&lt;"...)
	}
}

func (s *scan) tag() error {
	i := s.i + 1
	closing := i < len(s.in) && s.in[i] == '/'
	if closing {
		i++
	}
	if i >= len(s.in) {
		s.i = len(s.in)
		return nil
	}
	if !nameStart(s.in[i]) {
		s.literal()
		return nil
	}
	name, i, err := s.name(i)
	if err != nil {
		return err
	}
	if !utf8.ValidString(name) || strings.Count(name, ":") > 1 || strings.HasPrefix(name, ":") || strings.HasSuffix(name, ":") {
		s.literal()
		return nil
	}
	if closing {
		j := bytes.IndexByte(s.in[i:], '>')
		if j < 0 {
			s.i = len(s.in)
			return nil
		}
		if k := bytes.IndexByte(s.in[i:], '<'); k >= 0 && k < j {
			j = k - 1 // </item <item>: the end tag lacks its >
		}
		s.i = i + j + 1
		s.end(name)
		return nil
	}
	return s.start(name, i)
}

// start reads the attributes of a start tag and writes it anew.
func (s *scan) start(name string, i int) error {
	mark := len(s.out)
	s.out = append(append(s.out, '<'), name...)
	base := s.inherited()
	s.keys = s.keys[:0]
	count := 0
	empty, closed := false, false
	for i < len(s.in) {
		c := s.in[i]
		switch {
		case space(c):
			i++
			continue
		case c == '>':
			i, closed = i+1, true
		case c == '/' && i+1 < len(s.in) && s.in[i+1] == '>':
			i, closed, empty = i+2, true, true
		case c == '/':
			i++
			continue
		case c == '<' || !nameStart(c):
			// No tag at all (a < b, x <3): the < is a character.
			s.out = s.out[:mark]
			s.literal()
			return nil
		}
		if closed {
			break
		}
		key, j, err := s.name(i)
		if err != nil {
			return err
		}
		if count++; count > maxAttrs {
			return fmt.Errorf("%w: an element with more than %d attributes", errHostile, maxAttrs)
		}
		value := []byte(nil)
		for j < len(s.in) && space(s.in[j]) {
			j++
		}
		if j < len(s.in) && s.in[j] == '=' {
			for j++; j < len(s.in) && space(s.in[j]); j++ {
			}
			if j < len(s.in) && (s.in[j] == '"' || s.in[j] == '\'') {
				k := bytes.IndexByte(s.in[j+1:], s.in[j])
				if k < 0 {
					s.out, s.i = s.out[:mark], len(s.in) // the tail is missing
					return nil
				}
				value, j = s.in[j+1:j+1+k], j+k+2
			} else {
				k := j
				for k < len(s.in) && !space(s.in[k]) && s.in[k] != '>' && s.in[k] != '<' {
					k++
				}
				value, j = s.in[j:k], k
			}
		}
		if len(value) > maxAttrValue {
			return fmt.Errorf("%w: an attribute of more than %d bytes", errHostile, maxAttrValue)
		}
		i = j
		if slices.Contains(s.keys, key) || !utf8.ValidString(key) || strings.HasSuffix(key, ":") || strings.HasPrefix(key, ":") || strings.Count(key, ":") > 1 {
			continue
		}
		s.keys = append(s.keys, key)
		if key == "xml:base" {
			base = joinBase(base, html.UnescapeString(string(value)))
			continue
		}
		s.out = append(append(append(s.out, ' '), key...), '=', '"')
		s.out = append(appendText(s.out, value, true), '"')
	}
	if !closed {
		s.out, s.i = s.out[:mark], len(s.in)
		return nil
	}
	s.i = i
	local := strings.ToLower(name[strings.IndexByte(name, ':')+1:])
	if local == "item" || local == "entry" {
		// The item before it was never closed.
		if k := slices.IndexFunc(s.stack, func(e element) bool { return e.kind == itemElement }); k >= 0 && s.stack[k].name == name {
			tag := bytes.Clone(s.out[mark:])
			s.out = s.out[:mark]
			s.end(name)
			mark = len(s.out)
			s.out = append(s.out, tag...)
		}
	}
	e := element{name: name, base: base}
	depth := len(s.stack)
	parent := byte(plainElement)
	if depth > 0 {
		parent = s.stack[depth-1].kind
	}
	switch {
	case depth == 0 && s.root != "":
		s.out, s.done = s.out[:mark], true // a second root
		return nil
	case depth == 0:
		s.root = local
		e.kind = channelElement
	case parent == channelElement && local == "channel":
		e.kind = channelElement
	case parent == channelElement && (local == "item" || local == "entry"):
		if s.items == maxItems {
			s.out, s.done, s.full = s.out[:mark], true, true
			return nil
		}
		s.items++
		e.kind = itemElement
		s.base, s.ids = append(s.base, base), append(s.ids, "")
	case parent == itemElement && local == "id":
		e.kind, s.text = idElement, s.text[:0]
	case parent == itemElement && (local == "content" || local == "encoded") && base != "":
		s.base[s.items-1] = base
	}
	if parent == itemElement && (name == "description" || name == "content:encoded") {
		e.kind = textElement
	}
	if depth >= maxDepth {
		return fmt.Errorf("%w: more than %d open elements", errHostile, maxDepth)
	}
	if empty || inItem(s.stack) && voidHTML[local] {
		s.out = append(s.out, "/>"...)
		if parent == channelElement {
			s.safe, s.depth = len(s.out), depth
		}
		s.done = depth == 0
		return nil
	}
	s.stack = append(s.stack, e)
	s.out = append(s.out, '>')
	return nil
}

// voidHTML are the elements of unescaped HTML that have no end tag.
var voidHTML = map[string]bool{"br": true, "img": true, "hr": true, "input": true, "wbr": true, "area": true, "col": true, "embed": true, "param": true}

// inItem reports whether an element would stand inside a child of an item.
func inItem(stack []element) bool {
	n := len(stack)
	return n > 2 && slices.ContainsFunc(stack[:n-1], func(e element) bool { return e.kind == itemElement })
}

func (s *scan) inherited() string {
	if n := len(s.stack); n > 0 {
		return s.stack[n-1].base
	}
	return ""
}

// end closes an element and whatever is open within it; an end tag that nothing
// opened is dropped.
func (s *scan) end(name string) {
	k := len(s.stack) - 1
	for k >= 0 && s.stack[k].name != name {
		k--
	}
	if k < 0 {
		return
	}
	for len(s.stack) > k {
		s.close()
	}
	if k > 0 && s.stack[k-1].kind == channelElement {
		s.safe, s.depth = len(s.out), k
	}
	s.done = k == 0
}

// joinBase is the base that xml:base sets within another one.
func joinBase(outer, inner string) string {
	o, err := url.Parse(outer)
	if err != nil || outer == "" {
		return inner
	}
	if u, err := o.Parse(inner); err == nil {
		return u.String()
	}
	return outer
}

// close writes the end tag of the innermost open element.
func (s *scan) close() {
	e := s.stack[len(s.stack)-1]
	if e.kind == idElement && len(s.ids) > 0 {
		s.ids[len(s.ids)-1] = strings.TrimSpace(string(s.text))
	}
	s.stack = s.stack[:len(s.stack)-1]
	s.out = append(append(append(s.out, "</"...), e.name...), '>')
}

// repairJSON cuts a JSON feed whose tail is missing after its last whole item
// and holds its depth to the cap; cut tells whether it was.
func repairJSON(body []byte) (out []byte, cut bool, err error) {
	depth, safe, safeDepth := 0, -1, 0
	quoted, escaped := false, false
	var open []byte
	for i, c := range body {
		switch {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			open = append(open, c)
			if depth++; depth > maxDepth {
				return nil, false, fmt.Errorf("%w: more than %d open values", errHostile, maxDepth)
			}
		case c == '}' || c == ']':
			if depth == 0 {
				return body[:i], false, nil
			}
			open = open[:len(open)-1]
			if depth--; depth == 2 && c == '}' {
				safe, safeDepth = i+1, depth
			}
			if depth == 0 {
				return body[:i+1], false, nil
			}
		}
	}
	if safe < 0 || len(open) < safeDepth {
		return body, true, nil
	}
	out = bytes.Clone(body[:safe])
	for i := safeDepth - 1; i >= 0; i-- {
		out = append(out, map[byte]byte{'{': '}', '[': ']'}[open[i]])
	}
	return out, true, nil
}
