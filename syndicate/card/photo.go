package card

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"

	"golang.org/x/image/webp"
)

// What a photo is made smaller to: each crop is drawn from it.
const (
	plateWidth  = 1600
	plateHeight = 1200
)

// plane is one channel of a picture.
type plane struct {
	pix          []uint8
	stride, w, h int
}

func newPlane(w, h int) plane { return plane{make([]uint8, w*h), w, w, h} }

// sub is a part of a plane.
func (p plane) sub(r image.Rectangle) plane {
	return plane{p.pix[r.Min.Y*p.stride+r.Min.X:], p.stride, r.Dx(), r.Dy()}
}

// planar is a picture in brightness and two colours of half its width and height
// (4:2:0): how JPEG keeps it, and two and a half times less to move than RGBA.
type planar [3]plane

func newPlanar(w, h int) planar {
	return planar{newPlane(w, h), newPlane((w+1)/2, (h+1)/2), newPlane((w+1)/2, (h+1)/2)}
}

func (p planar) width() int  { return p[0].w }
func (p planar) height() int { return p[0].h }

// sub is a part of a picture; its corner is brought to even places.
func (p planar) sub(r image.Rectangle) planar {
	half := image.Rect(r.Min.X/2, r.Min.Y/2, r.Min.X/2+(r.Dx()+1)/2, r.Min.Y/2+(r.Dy()+1)/2)
	r = r.Sub(r.Min).Add(half.Min.Mul(2))
	return planar{p[0].sub(r), p[1].sub(half), p[2].sub(half)}
}

// paste puts an opaque picture onto p, its upper left corner at an even place.
func (p planar) paste(m *image.RGBA, at image.Point) {
	q := p.sub(m.Rect.Sub(m.Rect.Min).Add(at))
	// Most of a card is paper: a colour is worked out when it changes.
	was := [4]uint8{}
	yy, b, r := color.RGBToYCbCr(0, 0, 0)
	for y := 0; y < q[0].h; y += 2 {
		for x := 0; x < q[0].w; x += 2 {
			var cb, cr, n int
			for v := y; v < min(y+2, q[0].h); v++ {
				for u := x; u < min(x+2, q[0].w); u++ {
					if c := [4]uint8(m.Pix[v*m.Stride+u*4:]); c != was {
						was = c
						yy, b, r = color.RGBToYCbCr(c[0], c[1], c[2])
					}
					q[0].pix[v*q[0].stride+u] = yy
					cb, cr, n = cb+int(b), cr+int(r), n+1
				}
			}
			q[1].pix[y/2*q[1].stride+x/2] = uint8((cb + n/2) / n)
			q[2].pix[y/2*q[2].stride+x/2] = uint8((cr + n/2) / n)
		}
	}
}

// shrink averages k×k pixels into one.
func (p plane) shrink(k int) plane {
	out := newPlane(max(1, p.w/k), max(1, p.h/k))
	sums := make([]uint32, out.w)
	for y := range out.h {
		clear(sums)
		rows := min(k, p.h-y*k)
		for v := range rows {
			row := p.pix[(y*k+v)*p.stride:][:p.w]
			if k == 2 && len(row) >= 2*len(sums) {
				for x := range sums {
					sums[x] += uint32(row[2*x]) + uint32(row[2*x+1])
				}
				continue
			}
			for x := range sums {
				for _, c := range row[x*k : min(len(row), x*k+k)] {
					sums[x] += uint32(c)
				}
			}
		}
		n := uint32(rows * min(k, p.w))
		line := out.pix[y*out.stride:][:out.w]
		for x, s := range sums {
			line[x] = uint8((s + n/2) / n)
		}
	}
	return out
}

func (p planar) shrink(k int) planar {
	out := planar{p[0].shrink(k), p[1].shrink(k), p[2].shrink(k)}
	return out
}

// region is a part of a picture as fractions of its sides.
type region struct{ x0, y0, x1, y1 float64 }

var all = region{0, 0, 1, 1}

// scale draws a part of src over all of p, with two neighbours in each direction.
// Whoever makes something smaller than by half begins with a shrunk src.
func (p plane) scale(src plane, r region) {
	type tap struct{ at, next, weight int32 } // of 256: how much of the next
	taps := func(n, of int, from, to float64) []tap {
		list := make([]tap, n)
		step := (to - from) * float64(of) / float64(n)
		for i := range list {
			f := max(0, from*float64(of)+(float64(i)+0.5)*step-0.5)
			at := min(int(f), of-1)
			list[i] = tap{int32(at), int32(min(at+1, of-1)), int32((f - float64(at)) * 256)}
			if list[i].weight > 256 {
				list[i].weight = 256
			}
		}
		return list
	}
	across, down := taps(p.w, src.w, r.x0, r.x1), taps(p.h, src.h, r.y0, r.y1)
	if len(across) == 0 || len(down) == 0 {
		return
	}
	left, right := int(across[0].at), int(across[len(across)-1].next)+1
	for i := range across {
		across[i].at -= int32(left)
		across[i].next -= int32(left)
	}
	mixed := make([]uint16, right-left) // a row between two rows, times 256
	for y, d := range down {
		a := src.pix[int(d.at)*src.stride+left:][:len(mixed)]
		b := src.pix[int(d.next)*src.stride+left:][:len(mixed)]
		w := uint32(d.weight)
		for x := range mixed {
			mixed[x] = uint16(uint32(a[x])*(256-w) + uint32(b[x])*w)
		}
		out := p.pix[y*p.stride:][:p.w]
		for x := range out {
			t := &across[x]
			out[x] = uint8((uint32(mixed[t.at])*uint32(256-t.weight) + uint32(mixed[t.next])*uint32(t.weight) + 1<<15) >> 16)
		}
	}
}

func (p planar) scale(src planar, r region) {
	for i := range p {
		p[i].scale(src[i], r)
	}
}

// blur averages over 2n+1 pixels, both ways.
func (p plane) blur(n int) {
	line := make([]int, max(p.w, p.h))
	pass := func(count, length, step, stride int) {
		for i := range count {
			at := func(j int) int { return i*stride + min(max(j, 0), length-1)*step }
			sum := 0
			for j := -n; j <= n; j++ {
				sum += int(p.pix[at(j)])
			}
			for j := range length {
				line[j] = sum / (2*n + 1)
				sum += int(p.pix[at(j+n+1)]) - int(p.pix[at(j-n)])
			}
			for j := range length {
				p.pix[at(j)] = uint8(line[j])
			}
		}
	}
	pass(p.h, p.w, 1, p.stride)
	pass(p.w, p.h, p.stride, 1)
}

// turned is a plane put upright, by EXIF's orientation.
func (p plane) turned(turn int) plane {
	if turn <= 1 || turn > 8 {
		return p
	}
	out := newPlane(p.w, p.h)
	if turn >= 5 { // lying on its side
		out = newPlane(p.h, p.w)
	}
	for y := range out.h {
		for x := range out.w {
			u, v := x, y
			switch turn {
			case 2:
				u = p.w - 1 - x
			case 3:
				u, v = p.w-1-x, p.h-1-y
			case 4:
				v = p.h - 1 - y
			case 5:
				u, v = y, x
			case 6:
				u, v = y, p.h-1-x
			case 7:
				u, v = p.w-1-y, p.h-1-x
			case 8:
				u, v = p.w-1-y, x
			}
			out.pix[y*out.stride+x] = p.pix[v*p.stride+u]
		}
	}
	return out
}

// decode reads a publisher's picture: of a moving one the first frame. What is
// clear is white.
func decode(data []byte, kind string) (p planar, err error) {
	defer func() { // a decoder of somebody else's bytes
		if r := recover(); r != nil {
			err = fmt.Errorf("decode picture: %v", r)
		}
	}()
	if _, err := weigh(data, kind); err != nil {
		return p, err
	}
	var m image.Image
	r := bytes.NewReader(data)
	turn := 1
	switch kind {
	case "image/jpeg":
		m, err = jpeg.Decode(r)
		turn = Orientation(data)
	case "image/png":
		m, err = png.Decode(r)
	case "image/gif":
		m, err = gif.Decode(r)
	case "image/webp":
		m, err = webp.Decode(r)
	}
	if err != nil {
		return p, fmt.Errorf("decode picture: %w", err)
	}
	b := m.Bounds()
	if b.Empty() {
		return p, errors.New("decode picture: it is empty")
	}
	if y, ok := m.(*image.YCbCr); ok {
		half := plane{stride: y.CStride, w: (b.Dx() + 1) / 2, h: (b.Dy() + 1) / 2}
		switch y.SubsampleRatio {
		case image.YCbCrSubsampleRatio420:
			p[0] = plane{y.Y[y.YOffset(b.Min.X, b.Min.Y):], y.YStride, b.Dx(), b.Dy()}
			p[1], p[2] = half, half
			at := y.COffset(b.Min.X, b.Min.Y)
			p[1].pix, p[2].pix = y.Cb[at:], y.Cr[at:]
		case image.YCbCrSubsampleRatio444:
			p[0] = plane{y.Y[y.YOffset(b.Min.X, b.Min.Y):], y.YStride, b.Dx(), b.Dy()}
			at := y.COffset(b.Min.X, b.Min.Y)
			p[1] = plane{y.Cb[at:], y.CStride, b.Dx(), b.Dy()}.halved()
			p[2] = plane{y.Cr[at:], y.CStride, b.Dx(), b.Dy()}.halved()
		}
	}
	if p[0].pix == nil {
		// In strips, so that a whole copy in RGBA is never held.
		p = newPlanar(b.Dx(), b.Dy())
		const rows = 64
		strip := image.NewRGBA(image.Rect(0, 0, b.Dx(), rows))
		for y := 0; y < b.Dy(); y += rows {
			part := strip.SubImage(image.Rect(0, 0, b.Dx(), min(rows, b.Dy()-y))).(*image.RGBA)
			draw.Draw(part, part.Rect, image.White, image.Point{}, draw.Src)
			draw.Draw(part, part.Rect, m, b.Min.Add(image.Pt(0, y)), draw.Over)
			p.paste(part, image.Pt(0, y))
		}
	}
	// Whole steps first, which are cheap; what remains is less than twice.
	if k := min(p.width()/plateWidth, p.height()/plateHeight); k > 1 {
		p = p.shrink(k)
	}
	for i := range p {
		p[i] = p[i].turned(turn)
	}
	return p, nil
}

// halved has half the width and height, rounded up.
func (p plane) halved() plane {
	out := newPlane((p.w+1)/2, (p.h+1)/2)
	for y := range out.h {
		a := p.pix[2*y*p.stride:][:p.w]
		b := p.pix[min(2*y+1, p.h-1)*p.stride:][:p.w]
		for x := range out.w {
			u := min(2*x+1, p.w-1)
			out.pix[y*out.stride+x] = uint8((int(a[2*x]) + int(a[u]) + int(b[2*x]) + int(b[u]) + 2) / 4)
		}
	}
	return out
}

func openPhoto(data []byte, kind string) (*Photo, error) {
	p, err := decode(data, kind)
	if err != nil {
		return nil, err
	}
	w, h := p.width(), p.height()
	if min(w, h) < 2 {
		return nil, fmt.Errorf("open picture: %d×%d is a line", w, h)
	}
	photo := &Photo{levels: []planar{p}}
	for p.width() >= 64 && p.height() >= 64 {
		p = p.shrink(2)
		photo.levels = append(photo.levels, p)
	}
	photo.eye = look(photo)
	return photo, nil
}

// draw draws a part of the photo over all of dst, from the level that is nearest above.
func (f *Photo) draw(dst planar, r region) {
	src := f.levels[0]
	w, h := (r.x1-r.x0)*float64(src.width())/float64(dst.width()), (r.y1-r.y0)*float64(src.height())/float64(dst.height())
	n := 0
	for s := min(w, h); s >= 1.8 && n < len(f.levels)-1; s /= 2 {
		n++
	}
	// A level loses up to a pixel at its end, which is less than anybody sees.
	dst.scale(f.levels[n], r)
}

// ground draws the photo over all of dst so that nothing in it can be made out,
// darker or lighter: what a smaller picture stands on.
func (f *Photo) ground(dst planar, dark bool) {
	w, h := dst.width(), dst.height()
	small := newPlanar(48, max(4, 48*h/w))
	f.draw(small, cover(f.ratio(), float64(w)/float64(h)))
	for i := range small {
		for range 2 {
			small[i].blur(3)
		}
	}
	for i, v := range small[0].pix {
		if dark {
			small[0].pix[i] = uint8(int(v) * 45 / 100)
		} else {
			small[0].pix[i] = uint8(70 + int(v)*55/100)
		}
	}
	dst.scale(small, all)
}

// cover is the middle part, of another ratio, of a picture.
func cover(ratio, want float64) region {
	if want > ratio {
		d := (1 - ratio/want) / 2
		return region{0, d, 1, 1 - d}
	}
	d := (1 - want/ratio) / 2
	return region{d, 0, 1 - d, 1}
}

func (f *Photo) ratio() float64 {
	return float64(f.levels[0].width()) / float64(f.levels[0].height())
}

// even rounds to the next even number below, since colours stand for two pixels.
func even(f float64) int { return int(math.Round(f/2)) * 2 }
