package ingest

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"paperwire/sources"
)

// Caps on one article's body. A long read of a real paper is about 60 KB of
// HTML; what is beyond a cap is cut, never an error.
const (
	maxBodyBytes = 1 << 20 // HTML read
	maxDepth     = 200     // nested elements followed
	maxBlocks    = 4000    // paragraphs, figures, tables …
	maxTextBytes = 400_000 // plain text kept
	maxImages    = 100
	maxCells     = 5000 // table cells in one body
	maxURLBytes  = 2048
	maxSpan      = 100 // colspan, rowspan
)

// A body is read into blocks of flat runs and written again from scratch, so
// nothing of the publisher's markup survives but what this file writes.
type blockKind int

const (
	para blockKind = iota
	subhead
	figure
	table
	list
	quote
)

type block struct {
	kind    blockKind
	runs    []run    // para, subhead; a figure's caption
	image   picture  // figure
	rows    [][]cell // table
	items   [][]run  // list
	ordered bool     // list
	inner   []block  // quote: paragraphs only
	bold    bool     // the whole paragraph is strong
	centred bool     // para, figure: as pictures and their captions are set
	caption bool     // para: the markup says that it is one
	labels  bool     // para: captions of several pictures, 图①：… 图②：…
}

// run is text of one style, or one line break.
type run struct {
	text       string
	href       string
	strong, em bool
	br         bool
}

type cell struct {
	runs     []run
	head     bool
	col, row int // spans; 0 and 1 are the same
}

type picture struct {
	url           string
	alt           string
	width, height int
	credit        string
	kind          string // media type, where a feed tells it
	length        int64
}

// readBody turns hostile HTML, or plain text with line breaks, into blocks.
// Relative addresses are resolved against base, which may be nil.
func readBody(src string, base *url.URL) []block {
	src = clipBytes(src, maxBodyBytes)
	if escapedTwice(src) {
		src = html.UnescapeString(src)
	}
	if !strings.ContainsAny(src, "<&") {
		src = html.EscapeString(src)
		src = strings.ReplaceAll(strings.ReplaceAll(src, "\r\n", "\n"), "\n", "<br>")
	}
	r := &reader{base: base}
	r.blocks = make([]block, 0, min(8+len(src)/256, maxBlocks/10))
	nodes, err := parse(src)
	if err != nil {
		// Nobody's article, but its words may be. Keep them without structure.
		r.words(src)
	}
	for _, n := range nodes {
		r.walk(n, 0)
	}
	r.flush()
	return r.blocks
}

// escapedTwice reports whether src is HTML that was escaped once too often:
// &lt;p&gt;甲&lt;/p&gt; and no tag.
func escapedTwice(src string) bool {
	if !strings.Contains(src, "&lt;") || strings.Contains(src, "<") {
		return false
	}
	for _, tag := range []string{"&lt;/p&gt;", "&lt;/P&gt;", "&lt;/div&gt;", "&lt;/DIV&gt;", "&lt;br", "&lt;BR"} {
		if strings.Contains(src, tag) {
			return true
		}
	}
	return false
}

// Caps on what the parser may be made to build. A formatting element left open
// is built again in every later paragraph: 100 KB of <b a=1><b a=2>…<p>x<p>x…
// are ten million elements.
const (
	maxRebuilt = 1_000_000 // open formatting elements × elements
	maxNesting = 512       // the parser's own limit
)

var errRebuilt = errors.New("parse body: too many elements left open")

// parse reads HTML as a browser would. In body context a nested
// <html><head><body>, which some Founder skins have, is dissolved by the parser
// itself. The parser looks at every byte several times, and nine in ten of an
// article's are words, so it gets two characters for each run of words. The tree
// is the same.
func parse(src string) ([]*html.Node, error) {
	if sources.Rebuilds(src, maxRebuilt) {
		return nil, errRebuilt
	}
	short, held := holdWords(src)
	nodes, err := html.ParseFragment(strings.NewReader(short), &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body})
	if err != nil {
		return nil, err // nested deeper than maxNesting
	}
	if len(held) > 0 {
		for _, n := range nodes {
			giveWords(n, held)
			for d := range n.Descendants() {
				giveWords(d, held)
			}
		}
	}
	return nodes, nil
}

// heldMark stands before the number of a run of words. It is a noncharacter,
// which printed text never holds and cleanRunes drops.
const (
	heldMark  = "\ufdd0"
	heldFirst = 0xf0000 // number 0, in a private plane
	maxHeld   = 60_000
	minHeld   = 32 // bytes
)

// holdWords takes the long runs of words out of src. A run begins with a
// character beyond ASCII, behind a > and with no quotation mark between them:
// there the parser is in text, in a comment or within quotes, never among
// attributes. It holds nothing that means anything in any of these, and no >
// follows it, which could end a comment.
func holdWords(src string) (short string, held []string) {
	// &#xfdd0; would come out as the mark.
	if strings.Contains(src, "&#") || strings.Contains(src, heldMark) {
		return src, nil
	}
	var b strings.Builder
	done := 0 // src[:done] is written
	for at := 0; at < len(src) && len(held) < maxHeld; {
		end := len(src)
		if i := strings.IndexByte(src[at:], '<'); i >= 0 {
			end = at + i
		}
		for at < end {
			c := src[at]
			if c == '"' || c == '\'' {
				break
			}
			if c < utf8.RuneSelf {
				at++
				continue
			}
			stop := at + wordsEnd(src[at:end])
			if stop-at >= minHeld && (stop == len(src) || src[stop] != '>') {
				if held == nil {
					b.Grow(len(src) / 4)
				}
				b.WriteString(src[done:at])
				b.WriteString(heldMark)
				b.WriteRune(rune(heldFirst + len(held)))
				held = append(held, src[at:stop])
				done = stop
				if len(held) == maxHeld {
					break
				}
			}
			at = stop
		}
		i := strings.IndexByte(src[end:], '>')
		if i < 0 {
			break
		}
		at = end + i + 1
	}
	b.WriteString(src[done:])
	return b.String(), held
}

// wordsEnd is how long the run of words at the beginning of s is.
func wordsEnd(s string) int {
	for _, c := range []byte("&>\r\"'\x00") {
		if i := strings.IndexByte(s, c); i >= 0 {
			s = s[:i]
		}
	}
	return len(s)
}

// giveWords puts the words back into a node.
func giveWords(n *html.Node, held []string) {
	if n.Type == html.TextNode {
		n.Data = withWords(n.Data, held)
	}
	for i := range n.Attr {
		n.Attr[i].Val = withWords(n.Attr[i].Val, held)
	}
}

func withWords(s string, held []string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, heldMark)
		if i < 0 {
			break
		}
		c, size := utf8.DecodeRuneInString(s[i+len(heldMark):])
		n := int(c) - heldFirst
		if n < 0 || n >= len(held) {
			break // never: the marks are ours
		}
		rest := s[i+len(heldMark)+size:]
		if i == 0 && rest == "" && b.Len() == 0 {
			return held[n]
		}
		b.WriteString(s[:i])
		b.WriteString(held[n])
		s = rest
	}
	if b.Len() == 0 {
		return s
	}
	b.WriteString(s)
	return b.String()
}

type reader struct {
	base       *url.URL
	blocks     []block
	line       []run // the paragraph being collected
	heading    bool  // it is inside h1…h6
	href       string
	strong, em int
	pre        bool
	centred    bool
	caption    bool
	bytes      int // of text, so far
	images     int
	cells      int
}

// dropped elements go with all they hold.
var dropped = map[atom.Atom]bool{
	atom.Script: true, atom.Style: true, atom.Noscript: true, atom.Template: true, atom.Iframe: true,
	atom.Object: true, atom.Embed: true, atom.Applet: true, atom.Input: true, atom.Button: true,
	atom.Select: true, atom.Textarea: true, atom.Option: true, atom.Svg: true, atom.Math: true, atom.Title: true,
	atom.Meta: true, atom.Link: true, atom.Base: true, atom.Audio: true, atom.Video: true, atom.Canvas: true,
	atom.Map: true, atom.Area: true, atom.Frame: true, atom.Frameset: true, atom.Noframes: true, atom.Noembed: true,
	atom.Head: true, atom.Datalist: true, atom.Dialog: true, atom.Param: true, atom.Source: true,
	atom.Track: true, atom.Progress: true, atom.Meter: true, atom.Keygen: true, atom.Rp: true, atom.Rt: true,
}

// breaking elements begin and end a paragraph.
var breaking = map[atom.Atom]bool{
	atom.P: true, atom.Div: true, atom.Section: true, atom.Article: true, atom.Header: true, atom.Footer: true,
	atom.Main: true, atom.Aside: true, atom.Nav: true, atom.Center: true, atom.Address: true, atom.Pre: true,
	atom.Dl: true, atom.Dt: true, atom.Dd: true, atom.Hr: true, atom.Form: true, atom.Fieldset: true,
	atom.H1: true, atom.H2: true, atom.H3: true, atom.H4: true, atom.H5: true, atom.H6: true, atom.Details: true,
	atom.Summary: true, atom.Figcaption: true, atom.Caption: true, atom.Li: true, atom.Td: true, atom.Th: true,
	atom.Tr: true, atom.Html: true, atom.Body: true, atom.Hgroup: true, atom.Legend: true,
}

func (r *reader) walk(n *html.Node, depth int) {
	if n.Type == html.TextNode {
		r.text(n.Data)
		return
	}
	if n.Type != html.ElementNode || depth > maxDepth || len(r.blocks) >= maxBlocks || r.bytes >= maxTextBytes {
		return
	}
	// Foreign (SVG, MathML) trees are where parsers disagree: out.
	if n.Namespace != "" || dropped[n.DataAtom] || hidden(n) || n.DataAtom == 0 && fromWord(n) {
		return
	}
	switch n.DataAtom {
	case atom.Br:
		r.line = append(r.line, run{br: true})
		r.bytes++
		return
	case atom.Img, atom.Image:
		r.picture(n)
		return
	case atom.Ul, atom.Ol, atom.Menu, atom.Dir:
		r.list(n, depth)
		return
	case atom.Table:
		r.table(n, depth)
		return
	case atom.Blockquote:
		r.quote(n, depth)
		return
	case atom.Figure:
		r.figure(n, depth)
		return
	case atom.Sup, atom.Sub:
		if s := raised(n); s != "" {
			r.text(s)
			return
		}
	}
	breaks := breaking[n.DataAtom]
	if breaks {
		r.flush()
	}
	href, strong, em, pre, heading := r.href, r.strong, r.em, r.pre, r.heading
	centred, caption := r.centred, r.caption
	if breaks {
		r.centred = aligned(n, r.centred)
		r.caption = r.caption || n.DataAtom == atom.Figcaption || captionName(attribute(n, "class"))
	}
	switch n.DataAtom {
	case atom.B, atom.Strong:
		r.strong++
	case atom.I, atom.Em, atom.Cite, atom.Dfn:
		r.em++
	case atom.A:
		r.href = r.link(attribute(n, "href"), true)
	case atom.Pre, atom.Listing, atom.Xmp, atom.Plaintext:
		r.pre = true
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		r.heading = true
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		r.walk(c, depth+1)
	}
	if breaks {
		r.flush()
	}
	r.href, r.strong, r.em, r.pre, r.heading = href, strong, em, pre, heading
	r.centred, r.caption = centred, caption
}

// fromWord reports whether an element is one in which word processors keep what
// is no text of the article: <xml><w:WordDocument><w:View>Normal</w:View>…. One
// that was never closed holds the article as well, and is none.
func fromWord(n *html.Node) bool {
	if n.Data != "xml" && !strings.HasPrefix(n.Data, "w:") && n.Data != "o:documentproperties" && n.Data != "o:officedocumentsettings" {
		return false
	}
	for d := range n.Descendants() {
		if breaking[d.DataAtom] || d.DataAtom == atom.Br || d.DataAtom == atom.Img {
			return false
		}
	}
	return true
}

var (
	superscript = strings.NewReplacer("0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴", "5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹", "+", "⁺", "-", "⁻", "−", "⁻", "n", "ⁿ")
	subscript   = strings.NewReplacer("0", "₀", "1", "₁", "2", "₂", "3", "₃", "4", "₄", "5", "₅", "6", "₆", "7", "₇", "8", "₈", "9", "₉", "+", "₊", "-", "₋", "−", "₋")
)

// raised is the text of <sup> or <sub> in characters that keep their meaning in
// plain text, at most eight: m², CO₂, and 10⁶, which is not 106. It is "" where
// there are none for it.
func raised(n *html.Node) string {
	c := n.FirstChild
	if c == nil || c.Type != html.TextNode || c.NextSibling != nil {
		return ""
	}
	s, signs := strings.TrimSpace(c.Data), "0123456789+-−"
	if n.DataAtom == atom.Sup {
		signs += "n"
	}
	if len(s) > 8 || strings.Trim(s, signs) != "" {
		return ""
	}
	if n.DataAtom == atom.Sup {
		return superscript.Replace(s)
	}
	return subscript.Replace(s)
}

var (
	// Class names that content systems give to captions: wp-caption-text, pic-desc, tuzhu.
	captionClass = regexp.MustCompile(`(?i)(?:^|[\s_-])(?:caption(?:-?text)?|tu-?(?:zhu|shuo)|(?:pic|img|image|photo)[_-]?(?:desc|info|note|text|txt|zs|sm|explain|title))(?:$|[\s_-])`)
	textAlign    = regexp.MustCompile(`(?i)text-align\s*:\s*([a-z]+)`)
)

func captionName(class string) bool { return class != "" && captionClass.MatchString(class) }

// aligned reports whether the text of n is centred, where around is what stands
// around it.
func aligned(n *html.Node, around bool) bool {
	if n.DataAtom == atom.Center {
		return true
	}
	if style := attribute(n, "style"); style != "" {
		if m := textAlign.FindStringSubmatch(style); m != nil {
			return strings.EqualFold(m[1], "center")
		}
	}
	if a := strings.TrimSpace(attribute(n, "align")); a != "" {
		return strings.EqualFold(a, "center") || strings.EqualFold(a, "middle")
	}
	return around
}

// text adds text of the current style. White space of the source is decided
// here, as long as it can be told from white space that was printed.
func (r *reader) text(s string) {
	if r.bytes >= maxTextBytes {
		return
	}
	s = clipBytes(cleanRunes(s), maxTextBytes-r.bytes)
	r.bytes += len(s)
	if r.pre {
		for i, l := range strings.Split(s, "\n") {
			if i > 0 {
				r.line = append(r.line, run{br: true})
			}
			r.add(l)
		}
		return
	}
	// Some CMS lose the line breaks and keep the indents: 。　　 begins a paragraph.
	for {
		// An indent at the very beginning, which most paragraphs have, is none of them.
		if inner := strings.TrimLeft(s, "\u3000"); !strings.Contains(inner, "\u3000\u3000") && !strings.Contains(inner, "\u00a0\u00a0\u00a0\u00a0") {
			break
		}
		at := lostBreak.FindStringIndex(s)
		if at == nil {
			break
		}
		_, size := utf8.DecodeRuneInString(s[at[0]:])
		cut := at[0] + size
		r.add(s[:cut])
		r.line = append(r.line, run{br: true})
		s = s[cut:]
	}
	r.add(s)
}

var lostBreak = regexp.MustCompile(`[。！？”](?:\x{3000}{2,}|\x{a0}{4,})|\n[ \t\r\n]*\x{3000}{2,}`)

func (r *reader) add(s string) {
	if s != "" {
		r.line = append(r.line, run{text: s, href: r.href, strong: r.strong > 0, em: r.em > 0})
	}
}

// flush ends the paragraph being collected. One <p> often holds a whole
// article with <br> between its paragraphs: a break followed by an indent, an
// empty line, or a break after a full sentence of prose begins a new one. Other
// breaks (verse, addresses, bylines on three lines) stay.
func (r *reader) flush() {
	line := r.line
	r.line = r.line[:0] // what is kept of it is copied below
	if len(line) == 0 {
		return
	}
	kind := para
	if r.heading {
		kind = subhead
	}
	var cur []run
	end := func() {
		if cur = trimRuns(cur); len(cur) > 0 && len(r.blocks) < maxBlocks {
			cur[0].text = joinSpaced(cur[0].text, len(cur) == 1)
			r.blocks = append(r.blocks, block{kind: kind, runs: cur, bold: allBold(cur), centred: r.centred, caption: r.caption})
		}
		cur = nil
	}
	for len(line) > 0 {
		i := 0
		for i < len(line) && !line[i].br {
			i++
		}
		seg := line[:i]
		fresh := spaceRuns(seg)
		switch {
		case len(fresh) == 0:
			end()
		case len(cur) == 0 || indented(seg) || endsProse(cur):
			end()
			cur = fresh
		default:
			cur = append(append(cur, run{br: true}), fresh...)
		}
		if i < len(line) {
			i++
		}
		line = line[i:]
	}
	end()
}

// joinSpaced joins words that were spaced out to fill a line: 编 者 按 as a whole
// line, and 本 报 讯 before a text.
func joinSpaced(s string, line bool) string {
	if rest, ok := strings.CutPrefix(s, "本 报 讯"); ok {
		return "本报讯" + rest
	}
	if line && len(s) <= len("编 者 的 话") && strings.Contains(s, " ") {
		return unspace(s)
	}
	return s
}

// endsProse tells a full line of prose, at least 24 characters that end a
// sentence, from verse.
func endsProse(runs []run) bool {
	first := len(runs) // of the last line: a poem of 100,000 lines is asked at each
	for first > 0 && !runs[first-1].br {
		first--
	}
	s := plain(runs[first:])
	return strings.ContainsRune("。！？”…", lastRune(s)) && longer(s, 23)
}

// indented reports whether a line begins with two wide spaces or their like.
func indented(line []run) bool {
	wide := 0
	for _, r := range line {
		for _, c := range r.text {
			switch {
			case c == '\u3000':
				wide += 2
			case c == '\u00a0' || c == '\u2003':
				wide++
			case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			default:
				return wide >= 4
			}
		}
	}
	return false
}

// longer reports whether s has more than n characters, without counting them all.
func longer(s string, n int) bool {
	return len(s) > n && (len(s) > n*utf8.UTFMax || utf8.RuneCountInString(s) > n)
}

// collect reads the children of n as blocks of their own.
func (r *reader) collect(n *html.Node, depth int) []block {
	r.flush()
	outer := r.blocks
	r.blocks = nil
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		r.walk(c, depth+1)
	}
	r.flush()
	got := r.blocks
	r.blocks = outer
	return got
}

func (r *reader) list(n *html.Node, depth int) {
	r.flush()
	out := block{kind: list, ordered: n.DataAtom == atom.Ol}
	var lifted []block
	item := func(blocks []block) {
		var runs []run
		for _, b := range blocks {
			switch b.kind {
			case para, subhead:
				if len(runs) > 0 {
					runs = append(runs, run{br: true})
				}
				runs = append(runs, b.runs...)
			case list: // a nested list becomes items of this one
				if len(runs) > 0 {
					out.items = append(out.items, runs)
					runs = nil
				}
				out.items = append(out.items, b.items...)
			default:
				lifted = append(lifted, b)
			}
		}
		if len(runs) > 0 {
			out.items = append(out.items, runs)
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode && c.DataAtom == atom.Li && !hidden(c) && depth < maxDepth {
			item(r.collect(c, depth+1))
		} else {
			item(r.collectOne(c, depth+1))
		}
	}
	if len(out.items) > 0 {
		r.blocks = append(r.blocks, out)
	}
	r.blocks = append(r.blocks, lifted...)
}

func (r *reader) collectOne(n *html.Node, depth int) []block {
	r.flush()
	outer := r.blocks
	r.blocks = nil
	r.walk(n, depth)
	r.flush()
	got := r.blocks
	r.blocks = outer
	return got
}

func (r *reader) quote(n *html.Node, depth int) {
	got := r.collect(n, depth)
	out := block{kind: quote}
	var lifted []block
	for _, b := range got {
		switch b.kind {
		case para, subhead:
			b.kind = para
			out.inner = append(out.inner, b)
		case quote:
			out.inner = append(out.inner, b.inner...)
		default:
			lifted = append(lifted, b)
		}
	}
	if len(out.inner) > 0 {
		r.blocks = append(r.blocks, out)
	}
	r.blocks = append(r.blocks, lifted...)
}

func (r *reader) figure(n *html.Node, depth int) {
	r.blocks = append(r.blocks, captioned(r.collect(n, depth))...)
}

// captioned makes what follows the last picture its caption, where the whole is
// little enough to be one (300 characters).
func captioned(got []block) []block {
	last, chars := -1, 0
	for i, b := range got {
		switch b.kind {
		case figure:
			last = i
		case para, subhead:
			chars += utf8.RuneCountInString(plain(b.runs))
		default:
			return got
		}
	}
	if last < 0 || chars > 300 {
		return got
	}
	var out []block
	var caption []run
	for _, b := range got {
		if b.kind == figure {
			out = append(out, b)
			continue
		}
		if len(caption) > 0 {
			caption = append(caption, run{br: true})
		}
		caption = append(caption, b.runs...)
	}
	f := &out[len(out)-1]
	if len(f.runs) > 0 && len(caption) > 0 {
		f.runs = append(f.runs, run{br: true})
	}
	f.runs = append(f.runs, caption...)
	return out
}

func (r *reader) table(n *html.Node, depth int) {
	r.flush()
	var trs []*html.Node
	nested := false
	var find func(*html.Node, int)
	find = func(n *html.Node, d int) {
		for c := n.FirstChild; c != nil && d < maxDepth; c = c.NextSibling {
			switch {
			case c.Type != html.ElementNode || hidden(c):
			case c.DataAtom == atom.Table:
				nested = true
			case c.DataAtom == atom.Tr:
				trs = append(trs, c)
				find(c, d+1)
			default:
				find(c, d+1)
			}
		}
	}
	find(n, depth)
	widest := 0
	for _, tr := range trs {
		w := 0
		for c := tr.FirstChild; c != nil; c = c.NextSibling {
			if c.DataAtom == atom.Td || c.DataAtom == atom.Th {
				w++
			}
		}
		widest = max(widest, w)
	}
	// One column, or a table in a table, is layout: Founder sets pictures so,
	// with the caption in the next row.
	if widest <= 1 || nested {
		got := r.collect(n, depth)
		if !nested {
			got = captioned(got)
		}
		r.blocks = append(r.blocks, got...)
		return
	}
	// A table's heading stands before it.
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.DataAtom == atom.Caption {
			r.walk(c, depth+1)
		}
	}
	out := block{kind: table}
	var flow []block     // all there is in it, in order
	var pictured [][]int // of a row of pictures: where those of each cell stand in flow
	columns, figures := 0, 0
	for _, tr := range trs {
		var row []cell
		var here [][]int
		texts, start := 0, len(flow)
		for c := tr.FirstChild; c != nil; c = c.NextSibling {
			if c.Type != html.ElementNode || (c.DataAtom != atom.Td && c.DataAtom != atom.Th) || r.cells >= maxCells || hidden(c) {
				continue
			}
			r.cells++
			cl := cell{head: c.DataAtom == atom.Th, col: span(c, "colspan"), row: span(c, "rowspan")}
			var figs []int
			for _, b := range r.collect(c, depth+1) {
				items := [][]run{b.runs}
				switch b.kind {
				case figure:
					figs = append(figs, len(flow))
					items = nil
				case list:
					items = b.items
				case para, subhead:
				default:
					items = nil
				}
				for _, it := range items {
					if len(cl.runs) > 0 {
						cl.runs = append(cl.runs, run{br: true})
					}
					cl.runs = append(cl.runs, it...)
				}
				flow = append(flow, b)
			}
			if len(cl.runs) > 0 {
				texts++
			}
			row, here, figures = append(row, cl), append(here, figs), figures+len(figs)
		}
		if captionRow(row, pictured) {
			for i, at := range pictured {
				if runs := row[i].runs; len(runs) > 0 {
					flow[at[len(at)-1]].runs = runs
				}
			}
			flow, pictured = flow[:start], nil
			continue
		}
		pictured = nil
		if texts == 0 && len(flow) > start {
			pictured = here
		}
		if len(row) > 0 {
			out.rows = append(out.rows, row)
		}
		columns = max(columns, texts)
	}
	// Pictures beside a text, or beside each other, are layout.
	if columns <= 1 && figures > 0 {
		r.blocks = append(r.blocks, flow...)
		return
	}
	if columns > 0 {
		out.rows = slices.DeleteFunc(out.rows, func(row []cell) bool {
			return figures > 0 && !slices.ContainsFunc(row, func(c cell) bool { return len(c.runs) > 0 })
		})
		r.blocks = append(r.blocks, out)
	}
	for _, b := range flow {
		if b.kind == figure || b.kind == table || b.kind == quote {
			r.blocks = append(r.blocks, b)
		}
	}
}

// captionRow reports whether a row of a table holds the captions of the pictures
// in the row above: a cell for each, at most 200 characters.
func captionRow(row []cell, pictures [][]int) bool {
	if len(pictures) == 0 || len(row) != len(pictures) {
		return false
	}
	some := false
	for i, c := range row {
		if len(c.runs) > 0 && (len(pictures[i]) == 0 || longer(plain(c.runs), 200)) {
			return false
		}
		some = some || len(c.runs) > 0
	}
	return some
}

func span(n *html.Node, name string) int {
	v, err := strconv.Atoi(strings.TrimSpace(attribute(n, name)))
	if err != nil || v < 2 || v > maxSpan {
		return 0
	}
	return v
}

// lazy are the attributes that lazy-loading scripts keep the real address in.
var lazy = []string{"data-src", "data-original", "data-lazy-src", "data-lazyload", "data-lazy", "data-echo", "data-actualsrc", "data-url", "data-original-src"}

// skinPictures are the names of icons, spacers and loading marks.
var skinPictures = words("blank spacer loading lazy lazyload placeholder pixel transparent grey gray zoomin zoomout zoomact pdf checkbox d d1")

// skin reports whether an address is of a picture of the page's skin.
func skin(u string) bool {
	u = strings.ToLower(u)
	if strings.Contains(u, "/tplimg/") {
		return true
	}
	path, _, _ := strings.Cut(u, "?")
	name, kind, _ := strings.Cut(path[strings.LastIndexByte(path, '/')+1:], ".")
	switch kind {
	case "gif", "png", "jpg", "jpeg", "svg":
		return skinPictures[name]
	}
	return false
}

func (r *reader) picture(n *html.Node) {
	if r.images >= maxImages {
		return
	}
	src := ""
	for _, name := range lazy {
		if v := r.link(attribute(n, name), false); v != "" {
			src = v
			break
		}
	}
	if src == "" {
		src = r.link(attribute(n, "src"), false)
	}
	if src == "" {
		src = r.link(firstOfSet(attribute(n, "srcset")), false)
	}
	p := picture{url: fullSize(src), width: pixels(attribute(n, "width")), height: pixels(attribute(n, "height"))}
	if src == "" || skin(src) {
		return
	}
	// Counters and icons; 0 is not known.
	if (p.width > 0 && p.width <= 24) || (p.height > 0 && p.height <= 24) {
		return
	}
	if p.url != src {
		p.width, p.height = 0, 0 // they were the small picture's
	}
	p.alt = cleanLine(attribute(n, "alt"))
	if p.alt == "" {
		p.alt = cleanLine(attribute(n, "title"))
	}
	p.alt = clipRunes(p.alt, 300)
	r.images++
	// A picture stands on its own; the words before it are a paragraph.
	r.flush()
	if len(r.blocks) < maxBlocks {
		r.blocks = append(r.blocks, block{kind: figure, image: p, centred: r.centred})
	}
}

// firstOfSet is the first address of a srcset.
func firstOfSet(s string) string {
	s = strings.TrimSpace(s)
	if i := strings.IndexAny(s, ", \t\n"); i > 0 {
		return s[:i]
	}
	return s
}

var resized = regexp.MustCompile(`(?i)(\.(?:jpe?g|png|gif|webp))\.\d$`)

// fullSize undoes Founder's resized pictures: uuid.jpg.2 is a small uuid.jpg.
func fullSize(u string) string {
	if n := len(u); n < 2 || u[n-2] != '.' {
		return u
	}
	return resized.ReplaceAllString(u, "$1")
}

// pixels reads a width or height in pixels; percentages and nonsense are 0.
func pixels(s string) int {
	v, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(s), "px"))
	if err != nil || v < 1 || v > 20000 {
		return 0
	}
	return v
}

// link is an absolute http or https address (mailto too where asked), or empty.
func (r *reader) link(s string, mail bool) string { return resolve(r.base, s, mail) }

func resolve(base *url.URL, s string, mail bool) string {
	s = strings.TrimSpace(cleanRunes(s))
	if s == "" || s[0] == '#' || len(s) > maxURLBytes { // #top leads nowhere from here
		return ""
	}
	u, err := url.Parse(s)
	if err != nil {
		return ""
	}
	if base != nil {
		u = base.ResolveReference(u)
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https":
		if u.Host == "" || strings.ContainsAny(u.Host, "\"'<>`\\ ") {
			return ""
		}
	case "mailto":
		if !mail || u.Opaque == "" {
			return ""
		}
	default:
		return ""
	}
	u.User = nil
	out := u.String()
	if !safeAddress(out, mail) {
		out = escapeAddress(out) // a query is as it was printed: ?f=a b.jpg
	}
	if len(out) > maxURLBytes || !safeAddress(out, mail) {
		return ""
	}
	return out
}

// unsafe are the printable characters that no address holds (RFC 3986 §2).
const unsafe = "\"<>`\\ "

// safeAddress reports whether an address may be written.
func safeAddress(u string, mail bool) bool {
	if !strings.HasPrefix(u, "http://") && !strings.HasPrefix(u, "https://") && !(mail && strings.HasPrefix(u, "mailto:")) {
		return false
	}
	for i := 0; i < len(u); i++ {
		if c := u[i]; c <= ' ' || c == 0x7f || c == '"' || c == '<' || c == '>' || c == '`' || c == '\\' {
			return false
		}
	}
	return true
}

func escapeAddress(u string) string {
	var b strings.Builder
	for i := 0; i < len(u); i++ {
		if c := u[i]; strings.IndexByte(unsafe, c) >= 0 {
			b.WriteString("%" + strings.ToUpper(strconv.FormatUint(uint64(c), 16)))
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

var hiddenStyle = regexp.MustCompile(`(?i)display\s*:\s*none|visibility\s*:\s*hidden`)

func hidden(n *html.Node) bool {
	for _, a := range n.Attr {
		if a.Key == "hidden" || a.Key == "style" && a.Val != "" && hiddenStyle.MatchString(a.Val) {
			return true
		}
	}
	return false
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name && a.Namespace == "" {
			return a.Val
		}
	}
	return ""
}

// words reads HTML as tokens, for what the parser refuses: the text alone.
func (r *reader) words(src string) {
	z := html.NewTokenizer(strings.NewReader(src))
	skip := atom.Atom(0)
	for r.bytes < maxTextBytes {
		switch z.Next() {
		case html.ErrorToken:
			r.flush()
			return
		case html.TextToken:
			if skip == 0 {
				r.text(html.UnescapeString(string(z.Raw())))
			}
		case html.StartTagToken:
			name, _ := z.TagName()
			a := atom.Lookup(name)
			switch {
			case a == atom.Br:
				r.line = append(r.line, run{br: true})
			case a == atom.Script || a == atom.Style || a == atom.Textarea || a == atom.Title:
				skip = a
			case breaking[a]:
				r.flush()
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			a := atom.Lookup(name)
			if a == skip {
				skip = 0
			}
			if breaking[a] {
				r.flush()
			}
		}
	}
	r.flush()
}

// plain is the text of runs, a line break as \n.
func plain(runs []run) string {
	if len(runs) == 1 && !runs[0].br {
		return runs[0].text
	}
	var b strings.Builder
	for _, r := range runs {
		if r.br {
			b.WriteByte('\n')
		} else {
			b.WriteString(r.text)
		}
	}
	return b.String()
}

// spaceRuns collapses white space across the runs of one line: an indent goes, a
// gap becomes one space, and a mere line end of the source between two Chinese
// characters becomes nothing.
func spaceRuns(in []run) []run {
	if len(in) == 1 && !in[0].br {
		// Nearly every paragraph: one run, nothing to collapse but the indent.
		r := in[0]
		if r.text = strings.TrimFunc(r.text, unicode.IsSpace); r.text == "" {
			return nil
		}
		if evenlySpaced(r.text) {
			return []run{r}
		}
	}
	var out []run
	var b strings.Builder
	var now run               // whose text b collects
	var last rune             // last character written, 0 at the start
	gap, hard := false, false // white space pending; more than a source line end
	newline := false
	end := func() {
		if b.Len() > 0 {
			now.text = b.String()
			out = append(out, now)
			b.Reset()
		}
	}
	for _, r := range in {
		for _, c := range r.text {
			if unicode.IsSpace(c) {
				gap = true
				if c == '\n' || c == '\r' {
					newline = true
				} else if c != '\t' && c != ' ' {
					hard = true
				}
				continue
			}
			if b.Len() == 0 || now.href != r.href || now.strong != r.strong || now.em != r.em {
				end()
				now = r
			}
			if gap && last != 0 && (hard || !newline || !cjk(last) || !cjk(c)) {
				b.WriteByte(' ')
			}
			gap, hard, newline = false, false, false
			b.WriteRune(c)
			last = c
		}
	}
	end()
	return out
}

// evenlySpaced reports whether the only white space in s is single spaces.
func evenlySpaced(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c > 0xe3: // Chinese characters from U+4000
			i += 2
		case c > ' ' && c < utf8.RuneSelf:
		case c == ' ':
			if i > 0 && s[i-1] == ' ' {
				return false
			}
		case c < ' ':
			return false
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			if unicode.IsSpace(r) {
				return false
			}
			i += n - 1
		}
	}
	return true
}

func cjk(c rune) bool {
	return unicode.Is(unicode.Han, c) || c >= 0x3000 && c <= 0x303f || c >= 0xff00 && c <= 0xffef || strings.ContainsRune("“”‘’—…", c)
}

func trimRuns(runs []run) []run {
	for len(runs) > 0 && (runs[0].br || strings.TrimSpace(runs[0].text) == "") {
		runs = runs[1:]
	}
	for len(runs) > 0 && (runs[len(runs)-1].br || strings.TrimSpace(runs[len(runs)-1].text) == "") {
		runs = runs[:len(runs)-1]
	}
	if n := len(runs); n > 0 {
		runs[n-1].text = strings.TrimRightFunc(runs[n-1].text, unicode.IsSpace)
		runs[0].text = strings.TrimLeftFunc(runs[0].text, unicode.IsSpace)
	}
	return runs
}

// cutRuns keeps the bytes [from, to) of the runs' plain text.
func cutRuns(runs []run, from, to int) []run {
	var out []run
	at := 0
	for _, r := range runs {
		n := len(r.text)
		if r.br {
			n = 1
		}
		lo, hi := max(from-at, 0), min(to-at, n)
		if lo < hi {
			if !r.br {
				r.text = r.text[lo:hi]
			}
			out = append(out, r)
		}
		at += n
	}
	return trimRuns(out)
}

func allBold(runs []run) bool {
	for _, r := range runs {
		if !r.br && !r.strong {
			return false
		}
	}
	return true
}

// writeHTML writes blocks as XML-well-formed HTML. Everything of it stands in
// this file: the elements and attributes are literals, texts and addresses are
// escaped, and an address that is not plainly http, https or mailto is not
// written. The tests hold what comes out against bluemonday, which must find
// nothing to change.
func writeHTML(blocks []block) string {
	var w writer
	w.Grow(sizeOf(blocks))
	w.all(blocks)
	return w.String()
}

// sizeOf is about how many bytes the HTML of blocks takes.
func sizeOf(blocks []block) int {
	n := 0
	for _, b := range blocks {
		n += 40 + 2*len(b.image.url)
		for _, r := range b.runs {
			n += len(r.text) + 2*len(r.href)
		}
	}
	return n
}

type writer struct{ strings.Builder }

// escape writes text or the value of an attribute.
func (w *writer) escape(s string) {
	if strings.IndexByte(s, '&') < 0 && strings.IndexByte(s, '<') < 0 && strings.IndexByte(s, '>') < 0 &&
		strings.IndexByte(s, '"') < 0 && strings.IndexByte(s, '\'') < 0 && strings.IndexByte(s, '\r') < 0 {
		w.WriteString(s)
		return
	}
	w.WriteString(html.EscapeString(s))
}

func (w *writer) all(blocks []block) {
	for _, b := range blocks {
		switch b.kind {
		case para:
			w.element("p", b.runs)
		case subhead:
			w.element("h3", b.runs)
		case figure:
			if !safeAddress(b.image.url, false) {
				continue // never: resolve makes no others
			}
			w.WriteString("<figure>")
			w.img(b.image)
			if caption := withCredit(b.runs, b.image.credit); len(caption) > 0 {
				w.element("figcaption", caption)
			}
			w.WriteString("</figure>")
		case quote:
			w.WriteString("<blockquote>")
			w.all(b.inner)
			w.WriteString("</blockquote>")
		case list:
			name := "ul"
			if b.ordered {
				name = "ol"
			}
			w.WriteString("<" + name + ">")
			for _, it := range b.items {
				w.element("li", it)
			}
			w.WriteString("</" + name + ">")
		case table:
			w.table(b.rows)
		}
	}
}

// withCredit prints the credit as papers do, behind the caption: （张三 摄）.
func withCredit(caption []run, credit string) []run {
	if credit == "" {
		return caption
	}
	word := " 摄"
	house, name, _ := strings.Cut(credit, " ")
	switch {
	case (house == "新华社" || house == "中新社") && name == "":
		word = "发"
	case house == "新华社" || house == "中新社":
	case slices.ContainsFunc(strings.Split(credit, "、"), func(s string) bool {
		return !isName(s, titledName) || isOffice(s) || strings.HasSuffix(s, "者")
	}):
		word = " 供图" // an office
	}
	if len(caption) == 0 {
		return []run{{text: credit + word}}
	}
	return append(slices.Clone(caption), run{text: "（" + credit + word + "）"})
}

func (w *writer) table(rows [][]cell) {
	w.WriteString("<table>")
	for _, row := range rows {
		w.WriteString("<tr>")
		for _, c := range row {
			name := "td"
			if c.head {
				name = "th"
			}
			w.WriteString("<" + name)
			if c.col > 1 {
				w.WriteString(` colspan="` + strconv.Itoa(c.col) + `"`)
			}
			if c.row > 1 {
				w.WriteString(` rowspan="` + strconv.Itoa(c.row) + `"`)
			}
			w.WriteByte('>')
			w.inline(c.runs)
			w.WriteString("</" + name + ">")
		}
		w.WriteString("</tr>")
	}
	w.WriteString("</table>")
}

func (w *writer) img(p picture) {
	w.WriteString(`<img src="`)
	w.escape(p.url)
	w.WriteString(`" alt="`)
	w.escape(p.alt)
	w.WriteByte('"')
	if p.width > 0 && p.height > 0 {
		w.WriteString(` width="` + strconv.Itoa(p.width) + `" height="` + strconv.Itoa(p.height) + `"`)
	}
	w.WriteString("/>")
}

func (w *writer) element(name string, runs []run) {
	w.WriteByte('<')
	w.WriteString(name)
	w.WriteByte('>')
	w.inline(runs)
	w.WriteString("</")
	w.WriteString(name)
	w.WriteByte('>')
}

// inline nests a, strong, em in this order, closing each as soon as a run is
// without it.
func (w *writer) inline(runs []run) {
	var now run
	shut := func(to run) {
		if now.em && (!to.em || to.strong != now.strong || to.href != now.href) {
			w.WriteString("</em>")
			now.em = false
		}
		if now.strong && (!to.strong || to.href != now.href) {
			w.WriteString("</strong>")
			now.strong = false
		}
		if now.href != "" && to.href != now.href {
			w.WriteString("</a>")
			now.href = ""
		}
	}
	for _, r := range runs {
		if r.href != "" && !safeAddress(r.href, true) {
			r.href = ""
		}
		if r.br {
			shut(run{})
			w.WriteString("<br/>")
			continue
		}
		shut(r)
		if r.href != "" && now.href == "" {
			w.WriteString(`<a href="`)
			w.escape(r.href)
			w.WriteString(`">`)
		}
		if r.strong && !now.strong {
			w.WriteString("<strong>")
		}
		if r.em && !now.em {
			w.WriteString("<em>")
		}
		now = r
		w.escape(r.text)
	}
	shut(run{})
}

// textOf is the plain text: one line per paragraph, list item and table row;
// captions stand with their pictures.
func textOf(blocks []block) string {
	var b strings.Builder
	b.Grow(sizeOf(blocks))
	addText(&b, blocks)
	return b.String()
}

func addText(b *strings.Builder, blocks []block) {
	line := func(runs []run) {
		if len(runs) == 0 {
			return
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		for _, r := range runs {
			if r.br {
				b.WriteByte('\n')
			} else {
				b.WriteString(r.text)
			}
		}
	}
	for _, bl := range blocks {
		switch bl.kind {
		case para, subhead:
			line(bl.runs)
		case quote:
			addText(b, bl.inner)
		case list:
			for _, it := range bl.items {
				line(it)
			}
		case table:
			for _, row := range bl.rows {
				cells := make([]string, 0, len(row))
				for _, c := range row {
					if s := strings.ReplaceAll(plain(c.runs), "\n", " "); s != "" {
						cells = append(cells, s)
					}
				}
				if len(cells) > 0 {
					line([]run{{text: strings.Join(cells, " ")}})
				}
			}
		}
	}
}

// sanitise is readBody and writeHTML: the structure alone, nothing moved.
func sanitise(src string, base *url.URL) string { return writeHTML(readBody(src, base)) }
