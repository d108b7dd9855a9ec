package card

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
	"golang.org/x/text/unicode/norm"

	"paperwire/syndicate/feed"
)

// Where distributions keep fonts with Han characters, best first. Of a collection
// the Simplified Chinese one is taken, whatever its place.
var (
	serifs = []string{
		"/usr/share/fonts/opentype/noto/NotoSerifCJK-Bold.ttc",
		"/usr/share/fonts/noto-cjk/NotoSerifCJK-Bold.ttc",
		"/usr/share/fonts/google-noto-serif-cjk-fonts/NotoSerifCJK-Bold.ttc",
		"/usr/share/fonts/google-noto-cjk/NotoSerifCJK-Bold.ttc",
		"/usr/share/fonts/opentype/source-han-serif/SourceHanSerif-Bold.ttc",
		"/usr/share/fonts/adobe-source-han-serif/SourceHanSerifSC-Bold.otf",
		"/System/Library/Fonts/Supplemental/Songti.ttc",
		`C:\Windows\Fonts\simsun.ttc`,
	}
	sanses = []string{
		"/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
		"/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
		"/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
		"/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
		"/usr/share/fonts/opentype/source-han-sans/SourceHanSans-Regular.ttc",
		"/usr/share/fonts/adobe-source-han-sans/SourceHanSansSC-Regular.otf",
		"/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
		"/usr/share/fonts/truetype/droid/DroidSansFallback.ttf",
		"/usr/share/fonts/google-droid-sans-fonts/DroidSansFallbackFull.ttf",
		"/usr/share/fonts/droid/DroidSansFallbackFull.ttf",
		"/System/Library/Fonts/Hiragino Sans GB.ttc",
		`C:\Windows\Fonts\msyh.ttc`,
	}
)

// proof are characters that a font for Chinese has.
const proof = "县区焦作日报，。"

// openFont reads a font, or that of a collection which is for Simplified Chinese. The
// file stays open: of 25 MB a card needs a few glyphs.
func openFont(path string) (*sfnt.Font, string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, "", fmt.Errorf("open font: %w", err)
	}
	c, err := opentype.ParseCollectionReaderAt(f)
	if err != nil {
		f.Close()
		return nil, "", fmt.Errorf("read font %s: %w", path, err)
	}
	var first *sfnt.Font
	var b sfnt.Buffer
	for i := range c.NumFonts() {
		one, err := c.Font(i)
		if err != nil {
			continue
		}
		name, err := one.Name(&b, sfnt.NameIDFull)
		if err != nil || !has(one, proof) {
			continue
		}
		if first == nil || strings.Contains(name, " SC") {
			first = one
			if strings.Contains(name, " SC") {
				break
			}
		}
	}
	if first == nil {
		f.Close()
		return nil, "", fmt.Errorf("read font %s: it has no Han characters", path)
	}
	name, err := first.Name(&b, sfnt.NameIDFull)
	if err != nil {
		name = filepath.Base(path)
	}
	version, err := first.Name(&b, sfnt.NameIDVersion)
	if err != nil {
		version = ""
	}
	return first, name + " " + version, nil
}

func has(f *sfnt.Font, s string) bool {
	var b sfnt.Buffer
	for _, r := range s {
		if g, err := f.GlyphIndex(&b, r); err != nil || g == 0 {
			return false
		}
	}
	_, err := f.LoadGlyph(&b, mustIndex(f, &b, '县'), fixed.I(32), nil) // some have outlines that cannot be read
	return err == nil
}

func mustIndex(f *sfnt.Font, b *sfnt.Buffer, r rune) sfnt.GlyphIndex {
	g, err := f.GlyphIndex(b, r)
	if err != nil {
		return 0
	}
	return g
}

// cell is what is set as one: a character with its marks.
type cell struct {
	glyphs  []glyph
	first   rune
	last    rune
	advance float64 // in ems
	before  float64 // space before it within a line, in ems: between Han and Latin
	missing bool    // 〓 stands for it
	space   bool
	holds   float64 // to the cell before it, from 0 to 1: how much of a word the two are
	bound   bool    // to the cell before it: inside a name, or a few words in quotation marks
}

type glyph struct {
	font  *sfnt.Font
	index sfnt.GlyphIndex
	at    float64 // from the cell's beginning, in ems
}

// typeface is the font with Han characters, nil where there is none, and one with
// Latin letters: small fonts for Chinese have none, nor figures.
type typeface struct {
	han, latin *sfnt.Font
	read       *outlines // what was read of them; nil: nothing is kept
}

// outlines keeps what was read of the glyphs of a typeface: a font is read from its file,
// in many small pieces. It is safe for concurrent use.
type outlines struct {
	mu     sync.Mutex
	glyphs map[rune]found
	shapes map[glyph]sfnt.Segments // at outlined pixels to the em; never written to
}

type found struct {
	glyph   glyph
	advance float64
	ok      bool
}

const (
	outlined    = 1024 // pixels to the em at which outlines are kept
	mostOutline = 3000 // glyphs, of about 2 KB
)

func newOutlines() *outlines {
	return &outlines{glyphs: map[rune]found{}, shapes: map[glyph]sfnt.Segments{}}
}

// setter measures and draws with one typeface. It is of one goroutine.
type setter struct {
	face typeface
	buf  sfnt.Buffer
	geta []glyph // 〓
	ink  vector.Rasterizer
}

func newSetter(f typeface) *setter {
	if f.read == nil {
		f.read = newOutlines()
	}
	s := &setter{face: f}
	if g, _, ok := s.find('〓'); ok {
		s.geta = []glyph{g}
	}
	return s
}

// find gives the glyph of a character and its advance in ems.
func (s *setter) find(r rune) (glyph, float64, bool) {
	kept := s.face.read
	kept.mu.Lock()
	f, ok := kept.glyphs[r]
	kept.mu.Unlock()
	if !ok {
		f.glyph, f.advance, f.ok = s.look(r)
		kept.mu.Lock()
		if len(kept.glyphs) >= mostOutline {
			clear(kept.glyphs)
		}
		kept.glyphs[r] = f
		kept.mu.Unlock()
	}
	return f.glyph, f.advance, f.ok
}

// look is find in the fonts themselves.
func (s *setter) look(r rune) (glyph, float64, bool) {
	for _, f := range [2]*sfnt.Font{s.face.han, s.face.latin} {
		if f == nil {
			continue
		}
		g, err := f.GlyphIndex(&s.buf, r)
		if err != nil || g == 0 {
			continue
		}
		if a, err := f.GlyphAdvance(&s.buf, g, fixed.I(measured), font.HintingNone); err == nil {
			return glyph{font: f, index: g}, float64(a) / 64 / measured, true
		}
	}
	return glyph{}, 0, false
}

// builtIn are the fonts that the program brings itself, for headlines and for the rest.
var builtIn = sync.OnceValue(func() (faces [2]*sfnt.Font) {
	for i, ttf := range [2][]byte{gobold.TTF, goregular.TTF} {
		f, err := opentype.Parse(ttf)
		if err != nil {
			panic("card: a font of the program's own: " + err.Error())
		}
		faces[i] = f
	}
	return faces
})

const measured = 1000 // pixels to the em at which advances are measured

// bound are scripts whose letters change with their neighbours or run the other way.
// Set one by one they would be wrong, so they are not set.
var bound = []*unicode.RangeTable{
	unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko, unicode.Mongolian, unicode.Tibetan,
	unicode.Devanagari, unicode.Bengali, unicode.Tamil, unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Gujarati,
	unicode.Gurmukhi, unicode.Oriya, unicode.Sinhala, unicode.Khmer, unicode.Myanmar, unicode.Thai, unicode.Lao,
}

// cells makes of text what is set. missing is how many characters have no glyph.
func (s *setter) cells(text string) (list []cell, missing int) {
	text = strings.TrimSpace(norm.NFC.String(text))
	state := -1
	for len(text) > 0 {
		var cluster string
		cluster, text, _, state = uniseg.FirstGraphemeClusterInString(text, state)
		c := cell{}
		for _, r := range cluster {
			if unicode.IsSpace(r) {
				r = ' '
			}
			if unicode.In(r, unicode.Cf, unicode.Cc, unicode.Variation_Selector) {
				continue
			}
			if c.first == 0 {
				c.first = r
			}
			c.last = r
			g, a, ok := s.find(r)
			if !ok || unicode.In(r, bound...) {
				if unicode.IsMark(r) && len(c.glyphs) > 0 {
					continue // the letter without its mark
				}
				c.missing = true
				break
			}
			if unicode.IsMark(r) && len(c.glyphs) > 0 {
				a = 0
			}
			g.at = c.advance
			c.glyphs = append(c.glyphs, g)
			c.advance += a
		}
		if c.first == 0 {
			continue
		}
		c.space = c.first == ' '
		if c.missing {
			if r, _ := utf8.DecodeRuneInString(cluster); pictorial(r) {
				continue // a headline loses nothing without its emoji, and 〓 would look like a misprint
			}
			missing++
			c.glyphs, c.first, c.last, c.advance = s.geta, '〓', '〓', 1
		}
		list = append(list, c)
	}
	s.quotes(list)
	for i := 1; i < len(list); i++ {
		a, b := &list[i-1], &list[i]
		if isHan(a.last) && isLatin(b.first) || isLatin(a.last) && isHan(b.first) {
			b.before = 0.14
		}
		// Of two brackets or stops in a row, the empty halves are not both set.
		if a.advance > 0.9 && (isCloser(a.last) && (isCloser(b.first) || isOpener(b.first)) || isOpener(a.last) && isOpener(b.first)) && b.advance > 0.9 {
			b.before = -0.5
		}
	}
	return list, missing
}

// quotes sets quotation marks of Latin text in Latin width: fonts for Chinese have
// “ ” ’ as wide as a Han character.
func (s *setter) quotes(list []cell) {
	latin := func(i int) bool { return i >= 0 && i < len(list) && isLatin(list[i].first) }
	for i := range list {
		var plain rune
		switch list[i].first {
		case '’', '‘':
			if latin(i-1) || latin(i+1) && list[i].first == '‘' {
				plain = '\''
			}
		case '“':
			if latin(i + 1) {
				plain = '"'
			}
		case '”':
			if latin(i - 1) {
				plain = '"'
			}
		}
		if plain == 0 || list[i].advance < 0.9 {
			continue
		}
		// The pair stays a pair: only where all the text around is Latin.
		if i > 0 && isHan(list[i-1].first) || i+1 < len(list) && isHan(list[i+1].first) {
			continue
		}
		if g, a, ok := s.find(plain); ok {
			list[i].glyphs, list[i].advance, list[i].first, list[i].last = []glyph{g}, a, plain, plain
		}
	}
}

func isHan(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) || r == '〓'
}

func isLatin(r rune) bool {
	return r < 0x2E80 && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// Kinsoku: what must not begin a line, and what must not end one (JIS X 4051,
// GB/T 15834 §5.1).
const (
	noStart = "·。．，、：；！？…—～·）」』】〕〗〉》”’］｝!%),.:;?]}’”°℃％‰－々ー"
	noEnd   = "（「『【〔〖〈《“‘［｛([{‘“￥$￡€#＃"
	hanging = "。，、．" // may stand outside the measure
	closing = "。．，、：；！？）」』】〕〗〉》”’］｝"
	opening = "（「『【〔〖〈《“‘［｛"
)

func isCloser(r rune) bool { return strings.ContainsRune(closing, r) }
func isOpener(r rune) bool { return strings.ContainsRune(opening, r) }

// mayBreak reports whether a line may end before list[i].
func mayBreak(list []cell, i int) bool {
	a, b := list[i-1], list[i]
	switch {
	case b.space:
		return false // it goes with what is before it
	case a.space && strings.ContainsRune(noEnd, inked(list[:i])):
		return false
	case a.space && b.first == '—':
		return true // the dash of a subtitle
	case strings.ContainsRune(noStart, b.first), strings.ContainsRune(noEnd, a.last):
		return false
	case a.space:
		return true
	case a.last == '—' && b.first == '—', a.last == '…' && b.first == '…':
		return false
	}
	inWord := func(r rune) bool { return isLatin(r) || strings.ContainsRune("'\"./_@&+-:", r) }
	if inWord(a.last) && inWord(b.first) {
		return a.last == '-' && unicode.IsLetter(b.first) || a.last == '/' // of a word that has a hyphen
	}
	if a.last == ',' && unicode.IsDigit(b.first) && i > 1 && unicode.IsDigit(list[i-2].last) {
		return false // 1,234
	}
	// A number keeps its unit: 3.5亿, 第12届 may part, 80％ may not.
	return true
}

// inked is the last character that is seen.
func inked(list []cell) rune {
	for i := len(list) - 1; i >= 0; i-- {
		if !list[i].space {
			return list[i].last
		}
	}
	return utf8.RuneError
}

// strain is how bad it is to end a line before list[i]: not at all where the
// headline pauses, little where a phrase is likely to end.
func strain(list []cell, i int) float64 {
	a, b := list[i-1], list[i]
	switch {
	case b.bound:
		return 0.35
	case strings.ContainsRune("，。：；！？", a.last), a.space && !isLatin(b.first):
		return 0
	case a.last == '—':
		return 0.1
	case strings.ContainsRune("、”》）", a.last), strings.ContainsRune("“《（", b.first):
		return 0.01
	case a.space:
		return 0.02
	case unicode.IsDigit(a.last) && isHan(b.first), strings.ContainsRune("第约近超达年月", a.last) && unicode.IsDigit(b.first):
		return 0.08 // 38个, 第12届, 3月16日
	case strings.ContainsRune("的了着过", a.last), strings.ContainsRune("与和及在为向把将让", b.first), isLatin(a.last) != isLatin(b.first):
		return 0.02
	}
	return 0.03 + 0.12*b.holds
}

// bind notes which neighbours in a headline are likely to be parts of a word: those
// that mostly stand together in the article. Without a dictionary its own text knows
// best that 柳湾闸 is one. Names that are known, and a few words in quotation marks, are
// parted only where nothing else will do.
func bind(list []cell, text string, names []string) {
	for _, name := range names {
		rs := []rune(name)
		if len(rs) < 2 {
			continue
		}
		for i := 0; i+len(rs) <= len(list); i++ {
			same := true
			for k, r := range rs {
				same = same && list[i+k].first == r
			}
			for k := 1; same && k < len(rs); k++ {
				list[i+k].bound = true
			}
		}
	}
	const few = 8 // with the marks
	for i := range list {
		shut, opens := feed.Closer(list[i].first)
		if !opens {
			continue
		}
		for k := i + 1; k < min(i+few, len(list)); k++ {
			if list[k].first == shut {
				for j := i + 1; j <= k; j++ {
					list[j].bound = true
				}
				break
			}
		}
	}
	type pair [2]rune
	together, single := map[pair]int{}, map[rune]int{}
	for i := 1; i < len(list); i++ {
		if a, b := list[i-1].last, list[i].first; isHan(a) && isHan(b) {
			together[pair{a, b}], single[a], single[b] = 0, 0, 0
		}
	}
	was := rune(0)
	for n, r := range text {
		if n > 20_000 {
			break
		}
		if _, ok := single[r]; ok {
			single[r]++
			if _, ok := together[pair{was, r}]; ok {
				together[pair{was, r}]++
			}
		}
		was = r
	}
	for i := 1; i < len(list); i++ {
		a, b := list[i-1].last, list[i].first
		if n := together[pair{a, b}]; n >= 2 {
			list[i].holds = float64(n) / math.Sqrt(float64(single[a]*single[b]))
		}
	}
}

// line is a part of the cells, without the spaces at its end.
type line struct {
	from, to int
	width    float64 // in ems, as it is seen: without hanging stops
	indent   float64 // of the first glyph, in ems: an opening bracket's empty half is not seen
}

// strip is cells with the sums of their widths, so that any part is measured at once.
type strip struct {
	cells []cell
	sums  []float64 // in ems, of the cells before each
}

func newStrip(list []cell) strip {
	s := strip{list, make([]float64, len(list)+1)}
	for i, c := range list {
		s.sums[i+1] = s.sums[i] + c.before + c.advance
	}
	return s
}

func (s strip) line(from, to int) line {
	for to > from && s.cells[to-1].space {
		to--
	}
	for from < to && s.cells[from].space {
		from++
	}
	l := line{from: from, to: to}
	if from == to {
		return l
	}
	l.width = s.sums[to] - s.sums[from] - s.cells[from].before
	switch a := s.cells[to-1]; {
	case a.advance < 0.9:
	case strings.ContainsRune(hanging, a.last):
		l.width -= a.advance
	case isCloser(a.last):
		l.width -= 0.5
	}
	if a := s.cells[from]; isOpener(a.first) && a.advance > 0.9 {
		l.indent = -0.5
		l.width -= 0.5
	}
	return l
}

// breakLines breaks cells into at most most lines of at most measure ems, as even as
// may be and rather where the headline pauses: the more so the larger firm is, 1 for
// both alike. ok is false where they do not fit.
func breakLines(list []cell, measure float64, most int, firm float64) (lines []line, ok bool) {
	n := len(list)
	if n == 0 {
		return nil, true
	}
	all := newStrip(list)
	may := make([]bool, n+1)
	may[0], may[n] = true, true
	last := 0
	for i := 1; i < n; i++ {
		may[i] = mayBreak(list, i)
		if may[i] {
			last = i
		} else if all.line(last, i+1).width > measure {
			may[i] = true // a word longer than a line
			last = i
		}
	}
	// How few lines are needed.
	need := 0
	for at := 0; at < n; need++ {
		to := 0
		for i := at + 1; i <= n; i++ {
			if all.line(at, i).width > measure+1e-9 && to > 0 {
				break
			}
			if may[i] {
				to = i
			}
		}
		if to == 0 || all.line(at, to).width > measure+1e-9 || need == most {
			return nil, false
		}
		at = to
	}
	const never = 1e18
	whole := all.line(0, n).width / float64(need)
	// cost[k][i]: of setting the first i cells in k lines.
	cost, from := make([][]float64, need+1), make([][]int, need+1)
	for k := range cost {
		cost[k], from[k] = make([]float64, n+1), make([]int, n+1)
		for i := range cost[k] {
			cost[k][i] = never
		}
	}
	cost[0][0] = 0
	for k := 1; k <= need; k++ {
		for i := 1; i <= n; i++ {
			if !may[i] {
				continue
			}
			for j := i - 1; j >= 0; j-- {
				if !may[j] || cost[k-1][j] >= never {
					continue
				}
				w := all.line(j, i).width
				if w > measure+1e-9 {
					break
				}
				d := (w - whole) / measure
				c := cost[k-1][j] + d*d
				if i < n {
					c += firm * strain(list, i)
				}
				if c < cost[k][i] {
					cost[k][i], from[k][i] = c, j
				}
			}
		}
	}
	if cost[need][n] >= never {
		return nil, false
	}
	lines = make([]line, need)
	for k, i := need, n; k > 0; k-- {
		j := from[k][i]
		lines[k-1] = all.line(j, i)
		i = j
	}
	return lines, true
}

// block is text as it will be drawn.
type block struct {
	cells []cell
	lines []line
	size  float64 // pixels to the em
	lead  float64 // from line to line, pixels
}

func (b block) height() int {
	if len(b.lines) == 0 {
		return 0
	}
	return int(b.lead*float64(len(b.lines)-1) + b.size + 0.5)
}

// width is that of the longest line, in pixels.
func (b block) width() float64 {
	w := 0.0
	for _, l := range b.lines {
		w = max(w, l.width)
	}
	return w * b.size
}

// fit sets text in the largest size that fits a box: sizes in pixels, leading in ems.
// What does not fit in the smallest either ends with an ellipsis.
func (s *setter) fit(list []cell, w, h, largest, smallest, leading float64, most int) block {
	for size := largest; ; size = max(smallest, size*0.95) {
		n := min(most, int((h/size-1)/leading+1e-9)+1)
		if n >= 1 && h >= size {
			if lines, ok := breakLines(list, w/size, n, 1); ok {
				// A little smaller it may break where it pauses: 白鹭回来了 ／ ——小沙河三年记.
				for less := size; !natural(list, lines) && less >= max(smallest, 0.72*size); less *= 0.95 {
					if better, ok := breakLines(list, w/less, len(lines), 10); ok && natural(list, better) {
						return block{list, better, less, less * leading}
					}
				}
				return block{list, lines, size, size * leading}
			}
		}
		if size <= smallest {
			n = max(1, n)
			text := make([]rune, len(list))
			for i, c := range list {
				text[i] = c.first
			}
			whole := func(cut int) bool {
				return cut == len(list) || list[cut].space || mayBreak(list, cut) && !list[cut].bound
			}
			for _, torn := range []bool{false, true} { // within a word or a name only where there is nothing else
				for cut := min(len(list), int(w/size*2.5)*n); cut > 0; cut-- {
					if end := list[cut-1]; end.space || strings.ContainsRune("，、：；", end.last) || isOpener(end.last) || !torn && !whole(cut) {
						continue
					}
					dots, _ := s.cells("…" + feed.Unclosed(string(text[:cut])))
					short := append(append([]cell{}, list[:cut]...), dots...)
					if lines, ok := breakLines(short, w/size, n, 1); ok {
						return block{short, lines, size, size * leading}
					}
				}
			}
			return block{size: size, lead: size * leading}
		}
	}
}

// natural reports lines that end where the text pauses.
func natural(list []cell, lines []line) bool {
	for _, l := range lines[min(1, len(lines)):] {
		if strain(list, l.from) > 0.01 {
			return false
		}
	}
	return true
}

// draw draws a block, its upper left corner at x, y. align is 0 for flush left, 0.5
// for centred and 1 for flush right within w.
func (s *setter) draw(m *image.RGBA, b block, x, y, w, align float64, ink color.RGBA) {
	if len(b.lines) == 0 {
		return
	}
	for n, l := range b.lines {
		at := x + (w-l.width*b.size)*align + l.indent*b.size
		base := y + float64(n)*b.lead + 0.88*b.size // the em box of Han characters
		for i := l.from; i < l.to; i++ {
			c := b.cells[i]
			if i > l.from {
				at += c.before * b.size
			}
			if c.missing && len(c.glyphs) == 0 {
				// The font has no 〓 either: two bars do.
				for _, dy := range []float64{0.28, 0.62} {
					bar := image.Rect(int(at+0.08*b.size), int(base-dy*b.size), int(at+0.92*b.size), int(base-(dy-0.2)*b.size))
					draw.Draw(m, bar, image.NewUniform(ink), image.Point{}, draw.Src)
				}
			}
			for _, g := range c.glyphs {
				s.glyph(m, g, b.size, at+g.at*b.size, base, ink)
			}
			at += c.advance * b.size
		}
	}
}

// shape is the outline of a glyph; none where it has none or it cannot be read.
func (s *setter) shape(g glyph) sfnt.Segments {
	g.at = 0
	kept := s.face.read
	kept.mu.Lock()
	shape, ok := kept.shapes[g]
	kept.mu.Unlock()
	if ok {
		return shape
	}
	segments, err := g.font.LoadGlyph(&s.buf, g.index, fixed.I(outlined), nil)
	if err == nil {
		shape = slices.Clone(segments)
	}
	kept.mu.Lock()
	if len(kept.shapes) >= mostOutline {
		clear(kept.shapes)
	}
	kept.shapes[g] = shape
	kept.mu.Unlock()
	return shape
}

// glyph draws one outline, its origin at x, y.
func (s *setter) glyph(m *image.RGBA, g glyph, size, x, y float64, ink color.RGBA) {
	segments := s.shape(g)
	if len(segments) == 0 {
		return
	}
	b, unit := segments.Bounds(), size/outlined/64
	left, top := math.Floor(x+float64(b.Min.X)*unit), math.Floor(y+float64(b.Min.Y)*unit)
	r := image.Rect(int(left), int(top), int(math.Ceil(x+float64(b.Max.X)*unit)), int(math.Ceil(y+float64(b.Max.Y)*unit)))
	if !r.In(m.Rect) || r.Empty() {
		return // nothing is ever set beyond the card
	}
	s.ink.Reset(r.Dx(), r.Dy())
	at := func(p fixed.Point26_6) (float32, float32) {
		return float32(x - left + float64(p.X)*unit), float32(y - top + float64(p.Y)*unit)
	}
	for _, seg := range segments {
		ax, ay := at(seg.Args[0])
		bx, by := at(seg.Args[1])
		cx, cy := at(seg.Args[2])
		switch seg.Op {
		case sfnt.SegmentOpMoveTo:
			s.ink.ClosePath()
			s.ink.MoveTo(ax, ay)
		case sfnt.SegmentOpLineTo:
			s.ink.LineTo(ax, ay)
		case sfnt.SegmentOpQuadTo:
			s.ink.QuadTo(ax, ay, bx, by)
		case sfnt.SegmentOpCubeTo:
			s.ink.CubeTo(ax, ay, bx, by, cx, cy)
		}
	}
	s.ink.ClosePath()
	s.ink.Draw(m, r, image.NewUniform(ink), image.Point{})
}
