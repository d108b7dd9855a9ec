package syndicate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"
	"golang.org/x/net/html"
	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"

	"paperwire/internal/paper"
	"paperwire/syndicate/card"
)

// widths are the widths in pixels that ?w= may ask for; few, so that few are kept.
var widths = []int{160, 320, 480, 640, 960, 1200, 1600}

const (
	jpegQuality = 82       // of resized JPEG pictures
	maxCopy     = 16 << 20 // bytes of a picture that is decoded; copies have at most 12 MB
	sourceAfter = 4e6      // pixels above which a picture is halved before it is drawn with care
)

// gallery serves copies of publishers' pictures.
type gallery struct {
	kept    Pictures
	log     *slog.Logger
	room    *semaphore.Weighted // of the memory that decoding takes, in MB; cards take from it too
	within  time.Duration       // after this a picture is sent as it is, for now
	flights singleflight.Group
}

func newGallery(p Pictures, log *slog.Logger) *gallery {
	return &gallery{kept: p, log: log, room: semaphore.NewWeighted(decoding), within: 20 * time.Second}
}

const decoding = card.MaxDecode >> 20 // as much as the largest picture takes

// lease waits until there is memory to decode a picture, and gives what gives it back.
// What is never decoded needs none.
func (g *gallery) lease(ctx context.Context, data []byte, kind string) (release func(), err error) {
	weight, err := card.Weigh(data, kind)
	if err != nil {
		return func() {}, nil
	}
	n := max(1, min(decoding, weight>>20))
	if err := g.room.Acquire(ctx, n); err != nil {
		return nil, fmt.Errorf("%w: %w", errBusy, err)
	}
	return func() { g.room.Release(n) }, nil
}

// errBusy: others are being drawn.
var errBusy = errors.New("too many pictures are being drawn at the moment")

// mirrored puts our copies in the place of the publisher's pictures: the one
// place where an item or a page gets their addresses, before any format, card or page sees it.
type mirrored struct {
	Store
	base func() string
}

func (m mirrored) Items(ctx context.Context, v paper.View, s paper.Scope, w paper.Window) ([]paper.Item, error) {
	items, err := m.Store.Items(ctx, v, s, w)
	base := m.base()
	for i := range items {
		showCopies(&items[i], base)
	}
	return items, err
}

func (m mirrored) Item(ctx context.Context, v paper.View, id string) (paper.Item, error) {
	item, err := m.Store.Item(ctx, v, id)
	showCopies(&item, m.base())
	return item, err
}

func (m mirrored) Changed(ctx context.Context, v paper.View, seq int64, id string, n int) ([]paper.Change, error) {
	list, err := m.Store.Changed(ctx, v, seq, id, n)
	base := m.base()
	for i := range list {
		showCopies(&list[i].Item, base)
	}
	return list, err
}

func (m mirrored) Edition(ctx context.Context, v paper.View, key string, day paper.Day) (paper.Edition, error) {
	e, err := m.Store.Edition(ctx, v, key, day)
	showPages(&e, m.base())
	return e, err
}

func (m mirrored) Editions(ctx context.Context, v paper.View, key string, n int) ([]paper.Edition, error) {
	list, err := m.Store.Editions(ctx, v, key, n)
	base := m.base()
	for i := range list {
		showPages(&list[i], base)
	}
	return list, err
}

// showCopies gives an item's pictures, and the <img> in its text, the address
// and the size of our copies.
func showCopies(item *paper.Item, base string) {
	if !slices.ContainsFunc(item.Images, func(i paper.Image) bool { return i.Mirror != nil }) {
		return
	}
	item.Images = slices.Clone(item.Images)
	copies := map[string]paper.Image{}
	for n := range item.Images {
		i := &item.Images[n]
		p := i.Mirror
		if p == nil {
			continue
		}
		at := i.URL
		i.URL, i.Type, i.Width, i.Height, i.Length, i.Mirror = base+"/img/"+p.Name, p.Type, p.Width, p.Height, p.Length, nil
		copies[at] = *i
	}
	if !strings.Contains(item.HTML, "<img") {
		return
	}
	var b strings.Builder
	b.Grow(len(item.HTML) + 64)
	z := html.NewTokenizer(strings.NewReader(item.HTML))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			break // the end: the text is in memory
		}
		raw := string(z.Raw()) // Token moves on
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken || !strings.HasPrefix(raw, "<img") {
			b.WriteString(raw)
			continue
		}
		t := z.Token()
		at := slices.IndexFunc(t.Attr, func(a html.Attribute) bool { return a.Key == "src" })
		if at < 0 {
			b.WriteString(raw)
			continue
		}
		i, ok := copies[t.Attr[at].Val]
		if !ok {
			b.WriteString(raw)
			continue
		}
		t.Attr[at].Val = i.URL
		t.Attr = slices.DeleteFunc(t.Attr, func(a html.Attribute) bool { return a.Key == "width" || a.Key == "height" })
		t.Attr = append(t.Attr, html.Attribute{Key: "width", Val: strconv.Itoa(i.Width)}, html.Attribute{Key: "height", Val: strconv.Itoa(i.Height)})
		b.WriteString(t.String())
	}
	item.HTML = b.String()
}

var pictureName = regexp.MustCompile(`^([0-9a-f]{64})\.(jpg|png|gif|webp)$`)

// picture answers /img/{hash}.{ext}?w=.
func (s *Syndicate) picture(w http.ResponseWriter, r *http.Request, st *site) {
	name := r.PathValue("name")
	m := pictureName.FindStringSubmatch(name)
	if s.gallery.kept == nil || m == nil {
		s.problem(w, r, st, http.StatusNotFound, "no such picture")
		return
	}
	width, err := widthOf(r.URL)
	if err != nil {
		s.problem(w, r, st, http.StatusBadRequest, err.Error())
		return
	}
	// Whether it may be seen is asked first, and each time: what is withdrawn is
	// not confirmed by a 304 either.
	p, err := s.gallery.kept.Picture(r.Context(), view(r), name)
	switch {
	case errors.Is(err, paper.ErrNotFound):
		s.problem(w, r, st, http.StatusNotFound, "no such picture")
		return
	case err != nil:
		s.fail(w, r, st, err)
		return
	}
	got, body, forNow, err := s.gallery.open(r.Context(), p, width)
	if errors.Is(err, paper.ErrNotFound) {
		// Its bytes went for the quota; the publisher's picture is better than none.
		if u, err := url.Parse(p.Source); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
			w.Header()["Cache-Control"] = oneHour
			w.Header().Set("Location", u.String())
			w.WriteHeader(http.StatusFound)
			return
		}
		s.problem(w, r, st, http.StatusNotFound, "no such picture")
		return
	}
	if err != nil {
		s.fail(w, r, st, err)
		return
	}
	defer body.Close()
	h := w.Header()
	h["Cache-Control"] = forEver
	if forNow {
		h["Cache-Control"] = oneMinute
	}
	h["X-Content-Type-Options"] = noSniff
	h["Access-Control-Allow-Origin"] = anyone
	h["Content-Security-Policy"] = sandboxed
	h["Cross-Origin-Resource-Policy"] = crossOrigin
	h.Set("Content-Type", got.Type)
	h.Set("Etag", `"`+strings.TrimSuffix(got.Name, "."+m[2])+`"`)
	http.ServeContent(w, r, "", time.Time{}, body)
}

// Values of headers that every picture carries.
var (
	forEver     = []string{"public, max-age=31536000, immutable"} // the name is the hash
	sandboxed   = []string{"default-src 'none'; sandbox"}         // should anything in it ever be taken for a page
	crossOrigin = []string{"cross-origin"}                        // feed readers show it on their own pages
)

// widthOf reads ?w=; 0 where it is not asked for.
func widthOf(u *url.URL) (int, error) {
	if u.RawQuery == "" {
		return 0, nil
	}
	asked, ok := u.Query()["w"]
	if !ok {
		return 0, nil
	}
	n, err := strconv.Atoi(asked[0])
	if len(asked) > 1 || err != nil || strconv.Itoa(n) != asked[0] || !slices.Contains(widths, n) {
		var b strings.Builder
		for i, w := range widths {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(strconv.Itoa(w))
		}
		return 0, errors.New("w: one of " + b.String())
	}
	return n, nil
}

// open gives a copy in a width, made once and kept. It gives the copy itself
// where nothing is to be made smaller, where it cannot be decoded, or, for now, where
// too many others are being drawn.
func (g *gallery) open(ctx context.Context, p paper.Picture, width int) (got paper.Picture, body io.ReadSeekCloser, forNow bool, err error) {
	whole := func(forNow bool) (paper.Picture, io.ReadSeekCloser, bool, error) {
		got, body, err := g.kept.Blob(ctx, p.Name)
		return got, body, forNow, err
	}
	if width == 0 || width >= p.Width || p.Type == "image/gif" { // GIF moves
		return whole(false)
	}
	stem, ext, _ := strings.Cut(p.Name, ".")
	small := paper.Picture{Name: stem + "-" + strconv.Itoa(width) + "." + ext, Width: width}
	got, body, err = g.kept.Blob(ctx, small.Name)
	if !errors.Is(err, paper.ErrNotFound) {
		return got, body, false, err
	}
	// Whoever asked first may leave; the others still want it.
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.within)
	defer cancel()
	_, err, _ = g.flights.Do(small.Name, func() (any, error) { return nil, g.make(within, p, small) })
	if err == nil {
		got, body, err = g.kept.Blob(ctx, small.Name)
	}
	if err != nil {
		g.log.Debug("resize picture", "name", p.Name, "width", width, "error", err)
		return whole(!errors.Is(err, errUndrawable))
	}
	return got, body, false, nil
}

// make draws a copy in another width and keeps it.
func (g *gallery) make(ctx context.Context, p, small paper.Picture) (err error) {
	_, f, err := g.kept.Blob(ctx, p.Name)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxCopy))
	f.Close()
	if err != nil {
		return err
	}
	release, err := g.lease(ctx, data, p.Type)
	if err != nil {
		return err
	}
	defer release()
	out, kind, bounds, err := resize(data, p.Type, small.Width)
	if err != nil {
		return err
	}
	small.Type, small.Height = kind, bounds.Dy()
	return g.kept.KeepVariant(ctx, small, out)
}

// errUndrawable: it will never be resized.
var errUndrawable = errors.New("resize")

// resize draws a picture smaller. The same bytes give the same bytes.
func resize(data []byte, kind string, width int) (out []byte, outKind string, bounds image.Rectangle, err error) {
	defer func() {
		if p := recover(); p != nil { // a decoder of somebody else's bytes
			err = fmt.Errorf("%v", p)
		}
		if err != nil {
			err = fmt.Errorf("%w: %w", errUndrawable, err)
		}
	}()
	if _, err := card.Weigh(data, kind); err != nil {
		return nil, "", bounds, err
	}
	var src image.Image
	turn := 1
	switch kind {
	case "image/jpeg":
		src, err = jpeg.Decode(bytes.NewReader(data))
		turn = card.Orientation(data)
	case "image/png":
		src, err = png.Decode(bytes.NewReader(data))
	case "image/webp":
		src, err = webp.Decode(bytes.NewReader(data))
	default:
		err = errors.New("no picture that is resized")
	}
	if err != nil {
		return nil, "", bounds, err
	}
	w, h := src.Bounds().Dx(), src.Bounds().Dy()
	if turn >= 5 { // lying on its side
		w, h = h, w
	}
	if w <= width || h < 1 {
		return nil, "", bounds, errors.New("it is not wider")
	}
	size := image.Rect(0, 0, width, max(1, (h*width+w/2)/w))
	drawn := size
	if turn >= 5 {
		drawn = image.Rect(0, 0, size.Dy(), size.Dx())
	}
	// CatmullRom holds a row of the result for each row of the source, 32 bytes a
	// pixel; halving first, which costs no quality at this distance, bounds that.
	for b := src.Bounds(); b.Dx() >= 2*drawn.Dx() && b.Dx()*b.Dy() > sourceAfter; b = src.Bounds() {
		half := image.NewRGBA(image.Rect(0, 0, b.Dx()/2, max(1, b.Dy()/2)))
		draw.ApproxBiLinear.Scale(half, half.Bounds(), src, b, draw.Src, nil)
		src = half
	}
	dst := image.NewRGBA(drawn)
	draw.CatmullRom.Scale(dst, drawn, src, src.Bounds(), draw.Src, nil)
	dst = turned(dst, turn)
	var b bytes.Buffer
	if dst.Opaque() {
		outKind, err = "image/jpeg", jpeg.Encode(&b, dst, &jpeg.Options{Quality: jpegQuality})
	} else {
		outKind, err = "image/png", png.Encode(&b, dst)
	}
	return b.Bytes(), outKind, size, err
}

// turned puts a picture upright.
func turned(m *image.RGBA, turn int) *image.RGBA {
	if turn == 1 {
		return m
	}
	w, h := m.Rect.Dx(), m.Rect.Dy()
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	if turn >= 5 {
		out = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			u, v := x, y
			switch turn {
			case 2:
				u = w - 1 - x
			case 3:
				u, v = w-1-x, h-1-y
			case 4:
				v = h - 1 - y
			case 5:
				u, v = y, x
			case 6:
				u, v = h-1-y, x
			case 7:
				u, v = h-1-y, w-1-x
			case 8:
				u, v = y, w-1-x
			}
			copy(out.Pix[out.PixOffset(u, v):][:4], m.Pix[m.PixOffset(x, y):][:4])
		}
	}
	return out
}
