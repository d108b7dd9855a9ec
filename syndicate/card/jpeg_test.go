package card

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// away is how far two pictures are from each other in brightness: the root of the
// mean square.
func away(a, b image.Image) float64 {
	r := a.Bounds()
	sum := 0.0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			d := float64(color.GrayModel.Convert(a.At(x, y)).(color.Gray).Y) - float64(color.GrayModel.Convert(b.At(x, y)).(color.Gray).Y)
			sum += d * d
		}
	}
	return math.Sqrt(sum / float64(r.Dx()*r.Dy()))
}

// At each quality a picture is as near to what was encoded as image/jpeg makes it,
// and no larger.
func TestJPEGBesideTheStandardLibrary(t *testing.T) {
	m := snapshot(333, 250)
	p := newPlanar(333, 250)
	p.paste(m, image.Point{})
	for _, quality := range []int{5, 30, 60, 84, 95, 100} {
		e := newJPEG(p)
		told := e.quantise(quality)
		b := e.write(told)
		theirs := jpegBytes(t, m, quality)
		ours, ref := away(decoded(t, b), m), away(decoded(t, theirs), m)
		t.Logf("quality %d: %d bytes, %.2f away; image/jpeg: %d bytes, %.2f", quality, len(b), ours, len(theirs), ref)
		if ours > ref*1.05+0.1 || len(b) > len(theirs)+300 || len(b) > told {
			t.Errorf("quality %d: %d bytes (told %d), %.2f away; image/jpeg: %d bytes, %.2f", quality, len(b), told, ours, len(theirs), ref)
		}
	}
}

// Whatever the picture, the file is one that decodes to it, and no larger than told.
func TestJPEGProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 70).Draw(t, "w"), rapid.IntRange(1, 70).Draw(t, "h")
		quality := rapid.IntRange(1, 100).Draw(t, "quality")
		kind := rapid.IntRange(0, 3).Draw(t, "kind")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		p := newPlanar(w, h)
		for c := range p {
			for i := range p[c].pix {
				switch kind {
				case 0: // noise
					p[c].pix[i] = uint8(r.IntN(256))
				case 1: // the hardest edges
					p[c].pix[i] = uint8(r.IntN(2) * 255)
				case 2: // one colour
					p[c].pix[i] = 77
				default:
					p[c].pix[i] = uint8(i)
				}
			}
		}
		e := newJPEG(p)
		told := e.quantise(quality)
		b := e.write(told)
		got, err := jpeg.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if got.Bounds() != image.Rect(0, 0, w, h) || len(b) > told {
			t.Fatalf("%v, %d bytes, told %d", got.Bounds(), len(b), told)
		}
		y := got.(*image.YCbCr)
		if quality == 100 {
			for v := range h {
				for u := range w {
					if d := int(y.Y[y.YOffset(u, v)]) - int(p[0].pix[v*p[0].stride+u]); d > 3 || d < -3 {
						t.Fatalf("at %d,%d: %d away", u, v, d)
					}
				}
			}
		}
	})
}

// The limit holds for what compresses worst, in the best quality that fits.
func TestWithin(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, s := range sizes {
		p := newPlanar(s.Width, s.Height)
		for c := range p {
			for i := range p[c].pix {
				p[c].pix[i] = uint8(r.IntN(256))
			}
		}
		limit := maxCard
		if s.Name == "thumb" {
			limit = maxThumb
		}
		b, err := within(p, limit)
		if err != nil || len(b) > limit || len(b) < limit/2 && s.Width > 1000 {
			t.Errorf("%s: %d bytes, %v", s.Name, len(b), err)
		}
		decoded(t, b)
	}
}
