package card

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"log/slog"
	"math"
	"slices"
	"strings"
	"time"

	"golang.org/x/image/font/sfnt"

	"paperwire/internal/paper"
	"paperwire/syndicate/feed"
)

// How large a card may be, in bytes: WhatsApp shows none above 300 KB, WeChat
// takes thumbs of 32 KB.
const (
	maxCard  = 300_000
	maxThumb = 32_000
)

const maxEnlarged = 1.5 // a small picture is set on a ground rather than enlarged further

// palette are the colours of the pages (web/assets).
type palette struct{ paper, ink, quiet, line, accent color.RGBA }

var (
	light = palette{rgb(0xfcfbf7), rgb(0x1e1c18), rgb(0x605b51), rgb(0xd8d3c5), rgb(0x8f1d1d)}
	dark  = palette{rgb(0x171613), rgb(0xe6e2d8), rgb(0xa8a294), rgb(0x3b382f), rgb(0xee9a8b)}
)

func rgb(v uint32) color.RGBA { return color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255} }

func newStudio(path string, log *slog.Logger) (*Studio, error) {
	s := &Studio{serif: typeface{latin: builtIn()[0], read: newOutlines()}, sans: typeface{latin: builtIn()[1], read: newOutlines()}}
	if path != "" {
		f, name, err := openFont(path)
		if err != nil {
			return nil, err
		}
		face := typeface{f, builtIn()[1], newOutlines()}
		s.serif, s.sans, s.look = face, face, name
		return s, nil
	}
	find := func(paths []string) (*sfnt.Font, string) {
		for _, p := range paths {
			if f, name, err := openFont(p); err == nil {
				return f, name
			}
		}
		return nil, ""
	}
	var serif, sans string
	s.serif.han, serif = find(serifs)
	s.sans.han, sans = find(sanses)
	if s.serif.han == nil {
		s.serif.han, serif = s.sans.han, sans
	}
	if s.sans.han == nil {
		s.sans.han, sans = s.serif.han, serif
	}
	s.look = serif + "\n" + sans
	if s.serif.han != nil {
		s.serif.latin = builtIn()[1] // beside a font without Latin letters, which is not bold
	} else {
		s.look = "no font"
		log.Warn("no font with Han characters found: cards without a picture have no headline; install fonts-noto-cjk or fonts-droid-fallback, or name one under card.font")
	}
	return s, nil
}

// sheet is a card that is being drawn.
type sheet struct {
	item   paper.Item
	links  Links
	size   Size
	dark   bool
	colour palette
	zh     bool
	serif  *setter
	sans   *setter
	code   [][]bool // modules of the QR code
}

func (s *Studio) draw(item paper.Item, links Links, name string, photo *Photo) ([]byte, error) {
	size, isDark, ok := sizeOf(name)
	if !ok {
		return nil, fmt.Errorf("draw card: no size is called %q", name)
	}
	c := &sheet{item: item, links: links, size: size, dark: isDark, colour: light, zh: item.Language == "" || strings.HasPrefix(strings.ToLower(item.Language), "zh")}
	if isDark {
		c.colour = dark
	}
	c.serif, c.sans = newSetter(s.serif), newSetter(s.sans)
	if _, panel := c.frame(); photo == nil || !panel.Empty() {
		var err error
		if c.code, err = modules(links.Article(item.ID)); err != nil {
			c.code = nil // an address too long for a code: a card without one
		}
	}
	limit := maxCard
	if size.Name == "thumb" {
		limit = maxThumb
	}
	if photo == nil {
		m := newPlanar(size.Width, size.Height)
		m.paste(c.inType(), image.Point{})
		return within(m, limit)
	}
	return within(c.withPhoto(photo), limit)
}

// within writes a JPEG that is no larger than the limit, in the best quality up to 84.
func within(p planar, limit int) ([]byte, error) {
	e := newJPEG(p)
	defer encoders.Put(e)
	for quality := 84; ; {
		size := e.quantise(quality)
		if size <= limit {
			if b := e.write(size); len(b) <= limit {
				return b, nil
			}
		}
		if quality <= 5 {
			return nil, errors.New("draw card: it does not become small enough")
		}
		// As much less quality as there is too much, about.
		less := int(float64(quality) * math.Pow(float64(limit)/float64(size), 0.8))
		quality = max(5, min(quality-2, less))
	}
}

// frame is where on a card its photo goes, and where the rest of it.
func (c *sheet) frame() (photo, panel image.Rectangle) {
	w, h := c.size.Width, c.size.Height
	all := image.Rect(0, 0, w, h)
	split := func(at int) (image.Rectangle, image.Rectangle) {
		return image.Rect(0, 0, at, h), image.Rect(at, 0, w, h)
	}
	switch c.size.Name {
	case "wechat_cover":
		return split(648)
	case "wecom":
		return split(762)
	case "r1x1":
		return image.Rect(0, 0, w, 800), image.Rect(0, 800, w, h)
	}
	return all, image.Rectangle{}
}

func (c *sheet) withPhoto(f *Photo) planar {
	canvas := newPlanar(c.size.Width, c.size.Height)
	at, panel := c.frame()
	c.place(canvas.sub(at), f)
	if panel.Empty() {
		return canvas
	}
	m := image.NewRGBA(image.Rect(0, 0, panel.Dx(), panel.Dy()))
	c.fill(m, m.Rect, c.colour.paper)
	if c.size.Name == "r1x1" {
		c.below(m)
	} else {
		c.beside(m)
	}
	canvas.paste(m, panel.Min)
	return canvas
}

// placing is which part of a photo is drawn where in its frame.
type placing struct {
	from   region
	to     image.Rectangle
	ground bool // it does not cover the frame
}

// place says how a photo stands in a frame.
func (f *Photo) place(w, h int, focus *Point) placing {
	want, ratio := float64(w)/float64(h), f.ratio()
	pw, ph := float64(f.levels[0].width()), float64(f.levels[0].height())
	from := f.eye.crop(ratio, want, focus)
	scale := min(float64(w)/((from.x1-from.x0)*pw), float64(h)/((from.y1-from.y0)*ph))
	if scale > maxEnlarged {
		// It stands on a ground anyway: so show as much of it as there is room for.
		scale = maxEnlarged
		rw, rh := min(1, float64(w)/scale/pw), min(1, float64(h)/scale/ph)
		mid := Point{(from.x0 + from.x1) / 2, (from.y0 + from.y1) / 2}
		from = around(region{0, 0, rw, rh}, mid)
	}
	dw, dh := min(w, even((from.x1-from.x0)*pw*scale)), min(h, even((from.y1-from.y0)*ph*scale))
	if w-dw <= 4 {
		dw = w
	}
	if h-dh <= 4 {
		dh = h
	}
	x, y := (w-dw)/4*2, (h-dh)/4*2
	return placing{from, image.Rect(x, y, x+dw, y+dh), dw < w || dh < h}
}

func (c *sheet) place(dst planar, f *Photo) {
	var focus *Point
	if p, ok := c.links.Focus[c.item.ID]; ok {
		focus = &p
	}
	p := f.place(dst.width(), dst.height(), focus)
	if p.ground {
		f.ground(dst, c.dark)
	}
	f.draw(dst.sub(p.to), p.from)
}

func (c *sheet) fill(m *image.RGBA, r image.Rectangle, ink color.RGBA) {
	draw.Draw(m, r, image.NewUniform(ink), image.Point{}, draw.Src)
}

// rule draws a double line as it stands under a name plate.
func (c *sheet) rule(m *image.RGBA, x0, x1, y, weight int) {
	c.fill(m, image.Rect(x0, y, x1, y+weight), c.colour.ink)
	c.fill(m, image.Rect(x0, y+2*weight+max(1, weight/2), x1, y+2*weight+2*max(1, weight/2)), c.colour.ink)
}

// plate is the paper's name.
func (c *sheet) plate() string {
	if name := feed.Line(c.item.PaperName); name != "" {
		return name
	}
	return feed.Line(c.links.Site)
}

// title is what the card document calls the article, or nothing where that would
// be the paper's name.
func (c *sheet) title() string {
	for _, s := range []string{c.item.Title(), c.item.Subtitle} {
		if s = feed.Line(s); s != "" {
			return s
		}
	}
	var cut feed.Cutter
	if s := cut.Within(c.item.Summary, 30); s != "" {
		return s
	}
	return cut.Within(c.item.Text, 30)
}

func (c *sheet) date() string {
	t := c.item.Day.In(time.UTC)
	if t.IsZero() {
		return string(c.item.Day)
	}
	if c.zh {
		return t.Format("2006年1月2日")
	}
	return t.Format("2 January 2006")
}

// where names where the article stands: section and district, and its page.
func (c *sheet) where() (filed, printed string) {
	var names, page []string
	add := func(to *[]string, s string) {
		if s = feed.Line(s); s != "" && !slices.Contains(names, s) {
			*to = append(*to, s)
		}
	}
	for _, s := range c.item.Sections[:min(1, len(c.item.Sections))] {
		add(&names, s.Name)
	}
	for _, d := range c.item.Districts[:min(1, len(c.item.Districts))] {
		add(&names, d.Name)
	}
	if n := c.item.Page.Number; n != "" && c.zh {
		add(&page, "第"+n+"版")
	} else if n != "" {
		add(&page, "Page "+n)
	}
	add(&page, c.item.Page.Name)
	return strings.Join(names, dot), strings.Join(page, dot)
}

const dot = " · "

// foot is all of where in one line.
func (c *sheet) foot() string {
	filed, printed := c.where()
	if filed == "" || printed == "" {
		return filed + printed
	}
	return filed + dot + printed
}

func (c *sheet) scan() string {
	if c.zh {
		return "扫码读全文"
	}
	return "Scan to read"
}

// text sets one line or more where it can be set: nothing where the font lacks most of
// it, or, without a font for Chinese, any of it.
func (c *sheet) text(s *setter, text string, w, h, largest, smallest, leading float64, most int) block {
	if text == "" {
		return block{}
	}
	if r := []rune(text); len(r) > 400 {
		text = string(r[:400])
	}
	list, missing := s.cells(text)
	if s == c.serif {
		bind(list, c.item.Text, feed.NewCutter(c.item).Names)
	}
	if 2*missing > len(list) || missing > 0 && s.face.han == nil || len(list) == 0 {
		return block{}
	}
	return s.fit(list, w, h, largest, smallest, leading, most)
}

// inType is a card without a photo: the name plate and date, the headline between
// rules, and where it stood.
func (c *sheet) inType() *image.RGBA {
	w, h := c.size.Width, c.size.Height
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	c.fill(m, m.Rect, c.colour.paper)
	if c.serif.face.han == nil && c.text(c.serif, c.title(), 1000, 1000, 10, 10, 1, 100).height() == 0 {
		pad, weight := min(w, h)/10, max(1, h/300)
		c.rule(m, pad, w-pad, pad-3*weight, weight)
		c.fill(m, image.Rect(pad, h-pad, w-pad, h-pad+weight), c.colour.line)
		c.qr(m, image.Rect(pad, pad+2*weight, w-pad, h-pad-weight), true)
		return m
	}
	u := math.Sqrt(float64(w)*float64(h)/(1200*630)) * 0.4
	u += float64(h) / 630 * 0.6 // of the lengths on the card of 1200×630
	px := func(f float64) int { return int(math.Round(f * u)) }
	margin := px(64)
	small := c.size.Name == "thumb"
	if small {
		margin, u = 15, 0.5
	}
	left, right, top, bottom := margin, w-margin, margin*3/4, h-margin*3/4

	// A column for the code, on the covers that have one.
	beside := c.size.Name == "wechat_cover" || c.size.Name == "wecom"
	if beside && c.code != nil {
		side := h * 56 / 100
		if r := c.qr(m, image.Rect(right-side, 0, right, h-px(30)), true); !r.Empty() {
			b := c.text(c.sans, c.scan(), float64(side), 40*u, 24*u, 10, 1, 1)
			c.sans.draw(m, b, float64(r.Min.X), float64(r.Max.Y+px(12)), float64(r.Dx()), 0.5, c.colour.quiet)
			right = r.Min.X - px(48)
			c.fill(m, image.Rect(right+px(24), margin, right+px(24)+max(1, px(1.5)), h-margin), c.colour.line)
		}
	}

	// Name plate, date, double rule.
	room := float64(right - left)
	plate := c.text(c.serif, c.plate(), room*0.62, 48*u, 42*u, 14, 1, 1)
	c.serif.draw(m, plate, float64(left), float64(top), room, 0, c.colour.accent)
	head := max(plate.height(), px(34))
	if !small {
		date := c.text(c.sans, c.date(), room-plate.width()-24*u, 32*u, 28*u, 11, 1, 1)
		c.sans.draw(m, date, float64(left), float64(top+head)-date.size*0.98-2*u, room, 1, c.colour.quiet)
	}
	y := top + head + px(14)
	weight := max(1, px(2.4))
	c.rule(m, left, right, y, weight)
	y += 4*weight + px(8)

	// Where it stood, under a fine line; on the square with the code beside it.
	foot := bottom
	if c.size.Name == "r1x1" && c.code != nil {
		if r := c.qr(m, image.Rect(right-260, bottom-260, right, bottom), false); !r.Empty() {
			foot = r.Min.Y - px(26)
			c.fill(m, image.Rect(left, foot, right, foot+max(1, px(1.5))), c.colour.line)
			filed, printed := c.where()
			beside := float64(r.Min.X-left) - 40*u
			blocks := []block{
				c.text(c.sans, filed, beside, 40*u, 30*u, 14, 1, 1),
				c.text(c.sans, printed, beside, 40*u, 30*u, 14, 1, 1),
				c.text(c.sans, c.scan(), beside, 40*u, 26*u, 14, 1, 1),
			}
			high := 0.0
			for _, b := range blocks {
				if b.height() > 0 {
					high += float64(b.height()) + 16*u
				}
			}
			at := float64(r.Min.Y) + (float64(r.Dy())-high+16*u)/2
			for i, b := range blocks {
				if b.height() == 0 {
					continue
				}
				ink := c.colour.quiet
				if i == 2 {
					ink = c.colour.accent
				}
				c.sans.draw(m, b, float64(left), at, beside, 0, ink)
				at += float64(b.height()) + 16*u
			}
		}
	} else if !small {
		b := c.text(c.sans, c.foot(), room, 34*u, 28*u, 10, 1, 1)
		if b.height() > 0 {
			c.sans.draw(m, b, float64(left), float64(bottom-b.height()), room, 0, c.colour.quiet)
			foot = bottom - b.height() - px(18)
			c.fill(m, image.Rect(left, foot, right, foot+max(1, px(1.5))), c.colour.line)
		}
	}

	// Kicker, headline, subtitle, in the room between.
	y += px(8)
	high := float64(foot-y) - 20*u
	kicker, sub := block{}, block{}
	title := c.title()
	if k := feed.Line(c.item.Kicker); k != title && !small {
		kicker = c.text(c.sans, k, room, 44*u, 36*u, 22*u, 1, 1)
	}
	if kicker.height() > 0 {
		high -= float64(kicker.height()) + 18*u
	}
	largest, smallest, most := 128*u, 44*u, 5
	switch c.size.Name {
	case "thumb":
		largest, smallest, most = 44, 21, 4
	case "r1x1":
		largest, smallest, most = 150, 60, 6
	}
	headline := c.text(c.serif, title, room, high, largest, smallest, 1.3, most)
	if s := feed.Line(c.item.Subtitle); s != "" && !small && headline.height() > 0 {
		if left := high - float64(headline.height()); left > 70*u {
			sub = c.text(c.sans, s, room, min(left-24*u, 92*u), 34*u, 24*u, 1.4, 2)
		}
	}
	if headline.height() == 0 {
		// Nothing that can be set: the paper's name stands for it, or the code, where
		// that is not there yet.
		if beside || c.size.Name == "r1x1" {
			headline = c.text(c.serif, c.plate(), room, high, largest, smallest, 1.3, 2)
		} else {
			c.qr(m, image.Rect(left, y, right, foot-px(8)), true)
		}
	}
	total := float64(headline.height())
	if kicker.height() > 0 {
		total += float64(kicker.height()) + 18*u
		high += float64(kicker.height()) + 18*u
	}
	if sub.height() > 0 {
		total += float64(sub.height()) + 24*u
	}
	at := float64(y) + max(0, high-total)*0.46
	if kicker.height() > 0 {
		c.sans.draw(m, kicker, float64(left), at, room, 0, c.colour.quiet)
		at += float64(kicker.height()) + 18*u
	}
	c.serif.draw(m, headline, float64(left), at, room, 0, c.colour.ink)
	at += float64(headline.height()) + 24*u
	c.sans.draw(m, sub, float64(left), at, room, 0, c.colour.quiet)
	return m
}

// beside is the panel to the right of a photo: name plate, code, what it is for.
func (c *sheet) beside(m *image.RGBA) {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	u := float64(h) / 383
	pad := int(22 * u)
	plate := c.text(c.serif, c.plate(), float64(w-2*pad), 44*u, 34*u, 15, 1.2, 1)
	scan := c.text(c.sans, c.scan(), float64(w-2*pad), 30*u, 20*u, 11, 1, 1)
	date := c.text(c.sans, c.date(), float64(w-2*pad), 30*u, 18*u, 11, 1, 1)
	y := int(34 * u)
	if plate.height() > 0 {
		c.serif.draw(m, plate, float64(pad), float64(y), float64(w-2*pad), 0.5, c.colour.accent)
		y += plate.height() + int(14*u)
	}
	c.rule(m, pad, w-pad, y, max(1, int(2*u)))
	y += int(16 * u)
	foot := h - int(26*u)
	for _, b := range []block{date, scan} {
		if b.height() == 0 {
			continue
		}
		foot -= b.height()
		c.sans.draw(m, b, float64(pad), float64(foot), float64(w-2*pad), 0.5, c.colour.quiet)
		foot -= int(8 * u)
	}
	c.qr(m, image.Rect(pad, y, w-pad, foot), true)
}

// below is the panel under a photo: headline, where it stood, name plate, code.
func (c *sheet) below(m *image.RGBA) {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	const pad = 40
	right := w - pad
	if r := c.qr(m, image.Rect(w-pad-h+56, 28, w-28, h-28), true); !r.Empty() {
		right = r.Min.X - 36
	}
	room := float64(right - pad)
	plate := c.text(c.serif, c.plate(), room*0.6, 36, 32, 16, 1, 1)
	where := c.text(c.sans, c.foot(), room, 30, 24, 14, 1, 1)
	y := 34
	c.serif.draw(m, plate, pad, float64(y), room, 0, c.colour.accent)
	date := c.text(c.sans, c.date(), room-plate.width()-20, 30, 24, 12, 1, 1)
	c.sans.draw(m, date, pad, float64(y+plate.height())-date.size-2, room, 1, c.colour.quiet)
	y += max(plate.height(), 26) + 12
	c.rule(m, pad, right, y, 2)
	y += 16
	foot := h - 34 - where.height()
	c.sans.draw(m, where, pad, float64(foot), room, 0, c.colour.quiet)
	high := float64(foot - y - 14)
	title := c.text(c.serif, c.title(), room, high, 58, 28, 1.25, 2)
	c.serif.draw(m, title, pad, float64(y)+max(0, high-float64(title.height()))*0.5, room, 0, c.colour.ink)
}
