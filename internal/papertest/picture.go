package papertest

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"unicode/utf16"
)

// drawPicture draws hills below a sky, the same for the same seed.
func drawPicture(m Image, seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 1))
	img := image.NewRGBA(image.Rect(0, 0, m.Width, m.Height))
	hue := rng.IntN(60)
	for y := range m.Height {
		t := y * 255 / m.Height
		line := color.RGBA{uint8(120 + hue + t/4), uint8(160 + t/5), uint8(230 - t/3), 255}
		draw.Draw(img, image.Rect(0, y, m.Width, y+1), image.NewUniform(line), image.Point{}, draw.Src)
	}
	for layer := range 3 {
		phase, wave := rng.Float64()*6, 2+rng.Float64()*3
		green := color.RGBA{uint8(90 - layer*25), uint8(140 - layer*30), uint8(80 - layer*15), 255}
		for x := range m.Width {
			ridge := 0.45 + 0.17*float64(layer) + 0.07*math.Sin(phase+wave*float64(x)/float64(m.Width)*math.Pi)
			draw.Draw(img, image.Rect(x, int(ridge*float64(m.Height)), x+1, m.Height), image.NewUniform(green), image.Point{}, draw.Src)
		}
	}
	return encodePicture(img, m.Format)
}

func encodePicture(img image.Image, format string) []byte {
	var b bytes.Buffer
	var err error
	if format == "png" {
		err = png.Encode(&b, img)
	} else {
		err = jpeg.Encode(&b, img, &jpeg.Options{Quality: 70})
	}
	if err != nil {
		panic(err) // a buffer takes everything
	}
	return b.Bytes()
}

// drawPage draws the picture of a page: a head, and grey lines for the text of
// each article where the image map has its area.
func drawPage(width, height int, areas []area) []byte {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	fill := func(r image.Rectangle, c color.Color) {
		draw.Draw(img, r, image.NewUniform(c), image.Point{}, draw.Src)
	}
	fill(img.Bounds(), color.White)
	fill(image.Rect(width*3/100, height*3/100, width*45/100, height*10/100), color.RGBA{180, 20, 20, 255})
	for _, a := range areas {
		x0, y0, x1, y1 := a.x0*width/1000, a.y0*height/1000, a.x1*width/1000, a.y1*height/1000
		fill(image.Rect(x0, y0, x1, y0+8), color.Gray{40})
		for y := y0 + 14; y+2 < y1; y += 5 {
			fill(image.Rect(x0, y, x1-(y*7)%11, y+2), color.Gray{170})
		}
	}
	return encodePicture(img, "jpeg")
}

// pdfBox is one article of a page as its PDF sets it.
type pdfBox struct {
	area
	headline, text string
}

// pagePDF sets a page: its head, and each article in its area, the type as
// large as the area allows. It names a standard Chinese font (PDF 1.7, 9.7.5.2)
// instead of carrying one, so it has 5 KB or so.
func pagePDF(name, label string, boxes []pdfBox) []byte {
	const width, height = 595, 850 // points; the shape of the page's picture
	var text bytes.Buffer
	line := func(x, y, size float64, s []rune) {
		fmt.Fprintf(&text, "BT /F1 %.1f Tf 1 0 0 1 %.1f %.1f Tm <", size, x, height-y)
		for _, u := range utf16.Encode(s) {
			fmt.Fprintf(&text, "%04X", u)
		}
		text.WriteString("> Tj ET\n")
	}
	line(24, 44, 24, []rune(name))
	line(300, 44, 11, []rune(label))
	for _, b := range boxes {
		x, y := float64(b.x0)*width/1000, float64(b.y0)*height/1000
		w, h := float64(b.x1-b.x0)*width/1000, float64(b.y1-b.y0)*height/1000
		fmt.Fprintf(&text, "0.6 G %.1f %.1f %.1f %.1f re S\n", x, height-y-h, w, h)
		head := []rune(b.headline)
		size := min(22, (w-8)/float64(max(1, len(head))))
		line(x+4, y+size+4, size, head)
		y, h = y+size+12, h-size-16
		body, size := []rune(b.text), 12.0
		for ; size > 3; size -= 0.5 {
			if lines := len(body)/int((w-8)/size) + 1; float64(lines)*size*1.4 < h {
				break
			}
		}
		for at := 1; len(body) > 0; at++ {
			n := min(len(body), int((w-8)/size))
			line(x+4, y+float64(at)*size*1.4, size, body[:n])
			body = body[n:]
		}
	}
	var flate bytes.Buffer
	z := zlib.NewWriter(&flate)
	z.Write(text.Bytes())
	z.Close()
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>", width, height),
		fmt.Sprintf("<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream", flate.Len(), flate.Bytes()),
		"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UTF16-H /DescendantFonts [6 0 R] >>",
		// CIDs 1 to 95 of Adobe-GB1 are ASCII, half as wide as the rest.
		"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> /DW 1000 /W [1 95 500] /FontDescriptor 7 0 R >>",
		"<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>",
	}
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	offsets := make([]int, len(objects))
	for i, o := range objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, xref)
	return b.Bytes()
}
