package card

import (
	"fmt"
	"image"
	"image/color"

	"github.com/skip2/go-qrcode"
)

// quietZone is the free margin around a code, in modules (ISO/IEC 18004 §5.3.8).
const quietZone = 4

// least is how many pixels a module has at least: telephones read less badly.
const least = 3

func newCode(url string) (*qrcode.QRCode, error) {
	q, err := qrcode.New(url, qrcode.Medium)
	if err != nil { // 2,331 bytes are too many, 2,953 may not be
		q, err = qrcode.New(url, qrcode.Low)
	}
	if err != nil {
		return nil, fmt.Errorf("qr code: %w", err)
	}
	return q, nil
}

func qrPNG(url string) ([]byte, error) {
	q, err := newCode(url)
	if err != nil {
		return nil, err
	}
	b, err := q.PNG(-8) // pixels a module
	if err != nil {
		return nil, fmt.Errorf("qr code: %w", err)
	}
	return b, nil
}

// modules are those of a code without its quiet zone, true where dark.
func modules(url string) ([][]bool, error) {
	q, err := newCode(url)
	if err != nil {
		return nil, err
	}
	q.DisableBorder = true
	return q.Bitmap(), nil
}

// qr draws the code as large as whole pixels a module allow, in the middle of r or
// flush right and at its foot. It is dark on white in any colours, since not every
// telephone reads it the other way. What is drawn on is returned; empty where there
// is no room.
func (c *sheet) qr(m *image.RGBA, r image.Rectangle, centred bool) image.Rectangle {
	n := len(c.code)
	if n == 0 {
		return image.Rectangle{}
	}
	quiet := quietZone
	each := min(r.Dx(), r.Dy()) / (n + 2*quiet)
	if each < least {
		return image.Rectangle{}
	}
	side := each * (n + 2*quiet)
	at := image.Pt(r.Max.X-side, r.Max.Y-side)
	if centred {
		at = image.Pt(r.Min.X+(r.Dx()-side)/2, r.Min.Y+(r.Dy()-side)/2)
	}
	out := image.Rectangle{at, at.Add(image.Pt(side, side))}
	c.fill(m, out, color.RGBA{255, 255, 255, 255})
	for y, row := range c.code {
		for x, isDark := range row {
			if isDark {
				p := at.Add(image.Pt((x+quiet)*each, (y+quiet)*each))
				c.fill(m, image.Rectangle{p, p.Add(image.Pt(each, each))}, color.RGBA{20, 18, 15, 255})
			}
		}
	}
	return out
}
