package card

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/webp"
)

// maxScans bounds the time that a progressive JPEG takes: each scan goes through all of
// the picture, however few bytes it has. Encoders write about ten.
const maxScans = 30

func weigh(data []byte, kind string) (int64, error) {
	r := bytes.NewReader(data)
	var c image.Config
	var err error
	each := 4.0 // bytes for a pixel
	switch kind {
	case "image/jpeg":
		if c, err = jpeg.DecodeConfig(r); err == nil {
			each, err = jpegWeight(data)
		}
	case "image/png":
		c, err = png.DecodeConfig(r)
		switch c.ColorModel {
		case color.NRGBA64Model, color.RGBA64Model:
			each = 8
		}
		if len(data) > 28 && data[28] != 0 { // interlaced: its passes are decoded apart
			each *= 2
		}
	case "image/gif":
		c, err = gif.DecodeConfig(r)
	case "image/webp":
		c, err = webp.DecodeConfig(r)
		switch c.ColorModel {
		case color.YCbCrModel:
			each = 2
		case color.NYCbCrAModel:
			each = 3
		default:
			each = 8 // without loss it is decoded into numbers first
		}
	default:
		err = errors.New("no kind that is drawn")
	}
	if err != nil {
		return 0, fmt.Errorf("decode picture: %w", err)
	}
	if n := float64(c.Width) * float64(c.Height) * each; n >= 1 && n <= MaxDecode {
		return int64(n), nil
	}
	return 0, fmt.Errorf("decode picture: it has %d×%d pixels, which take %.0f bytes each: over %d MB", c.Width, c.Height, each, MaxDecode>>20)
}

// jpegWeight is what decoding takes for a pixel, in bytes: of a progressive JPEG all
// coefficients are held until the last scan.
func jpegWeight(b []byte) (each float64, err error) {
	scans := 0
	for i := 2; i+4 <= len(b); {
		at := bytes.IndexByte(b[i:], 0xFF) // what is before it is of a scan
		if i += at; at < 0 || i+4 > len(b) {
			break
		}
		marker := b[i+1]
		if marker == 0xFF { // filling
			i++
			continue
		}
		if marker == 0 || marker == 1 || marker >= 0xD0 && marker <= 0xD8 { // these stand alone; 0 is a byte of a scan
			i += 2
			continue
		}
		if marker == 0xD9 {
			break
		}
		n := 2 + int(b[i+2])<<8 + int(b[i+3])
		switch marker {
		case 0xC0, 0xC1, 0xC2: // T.81 §B.2.2
			if i+10 > len(b) {
				break
			}
			all, most := 0, 1
			parts := int(b[i+9])
			for k := range parts {
				if at := i + 11 + 3*k; at < len(b) {
					sampled := int(b[at]>>4) * int(b[at]&15)
					all, most = all+sampled, max(most, sampled)
				}
			}
			one := float64(all) / float64(most)
			if marker == 0xC2 {
				one *= 5 // four for a coefficient
			}
			if parts == 4 {
				one += 4 // put together
			}
			each = max(each, one)
		case 0xDA:
			if scans++; scans > maxScans {
				return 0, fmt.Errorf("more than %d scans", maxScans)
			}
		}
		i += n
	}
	return each, nil
}
