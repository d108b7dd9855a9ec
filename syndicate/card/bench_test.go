package card

import (
	"image"
	"image/color"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	xdraw "golang.org/x/image/draw"

	"paperwire/internal/paper"
)

// snapshot is a picture as detailed as those of newspapers: as JPEG at quality 88,
// about two bits a pixel.
func snapshot(w, h int) *image.RGBA {
	r := rand.New(rand.NewPCG(3, 3))
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	small := image.NewRGBA(image.Rect(0, 0, w/12, h/12))
	for i := 0; i < len(small.Pix); i += 4 {
		v := uint8(70 + r.IntN(110))
		small.Pix[i], small.Pix[i+1], small.Pix[i+2], small.Pix[i+3] = v, uint8(int(v)*9/10), uint8(int(v)*3/4+r.IntN(20)), 255
	}
	xdraw.BiLinear.Scale(m, m.Rect, small, small.Rect, xdraw.Src, nil)
	for y := range h {
		for x := range w {
			c := m.RGBAAt(x, y)
			d := r.IntN(15) - 7
			f := func(v uint8) uint8 { return uint8(max(0, min(255, int(v)+d))) }
			m.SetRGBA(x, y, color.RGBA{f(c.R), f(c.G), f(c.B), 255})
		}
	}
	person(m, r, w/3, h/4, h/6)
	return m
}

// processor is the time that this process has computed for.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// All eight pictures of an article, from the bytes of its copy to JPEG. cpu-ms is
// what one core takes, whoever else uses the machine.
func BenchmarkImageSet(b *testing.B) {
	s := studio(b)
	for _, c := range []struct {
		name string
		data []byte
	}{
		{"photo-1600x1067", jpegBytes(b, snapshot(1600, 1067), 88)},
		{"photo-900x600", jpegBytes(b, snapshot(900, 600), 88)},
		{"photo-4000x3000", jpegBytes(b, snapshot(4000, 3000), 88)},
		{"type", nil},
	} {
		b.Run(c.name, func(b *testing.B) {
			item := newItem(paper.Article{Headline: "我市第12届“云台山杯”太极拳公开赛圆满落幕：来自38个国家和地区的1,206名选手参赛", Kicker: "弘扬传统文化　展示城市形象"})
			b.ReportAllocs()
			began, bytes := processor(), 0
			for b.Loop() {
				var f *Photo
				if c.data != nil {
					var err error
					if f, err = OpenPhoto(c.data, "image/jpeg"); err != nil {
						b.Fatal(err)
					}
				}
				bytes = 0
				for _, z := range sizes {
					out, err := s.Draw(item, links, z.Name, f)
					if err != nil {
						b.Fatal(err)
					}
					bytes += len(out)
				}
			}
			b.ReportMetric(float64((processor()-began).Microseconds())/1000/float64(b.N), "cpu-ms/op")
			b.ReportMetric(float64(bytes)/1000, "KB-out")
		})
	}
}

func BenchmarkOpenPhoto(b *testing.B) {
	data := jpegBytes(b, snapshot(1600, 1067), 88)
	began := processor()
	for b.Loop() {
		if _, err := OpenPhoto(data, "image/jpeg"); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((processor()-began).Microseconds())/1000/float64(b.N), "cpu-ms/op")
}

func BenchmarkNewStudio(b *testing.B) {
	began := processor()
	for b.Loop() {
		studio(b)
	}
	b.ReportMetric(float64((processor()-began).Microseconds())/1000/float64(b.N), "cpu-ms/op")
}
