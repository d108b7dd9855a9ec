package card

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"testing"
)

// Whatever a photo is of, it becomes small enough, keeps its sides' ratio and is not
// drawn larger than it is.
func TestShrunk(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	noise := image.NewRGBA(image.Rect(0, 0, 2400, 1800))
	for i := range noise.Pix {
		noise.Pix[i] = uint8(r.Uint32())
	}
	small := image.NewPaletted(image.Rect(0, 0, 101, 67), color.Palette{color.White, color.Black})
	for _, c := range []struct {
		name         string
		encode       func(*bytes.Buffer) error
		kind         string
		width, limit int
		w, h         int
	}{
		{"noise", func(b *bytes.Buffer) error { return png.Encode(b, noise) }, "image/png", 1080, 512 << 10, 1080, 810},
		{"noise as JPEG", func(b *bytes.Buffer) error { return jpeg.Encode(b, noise, &jpeg.Options{Quality: 100}) }, "image/jpeg", 1080, 200 << 10, 1080, 810},
		{"a small GIF", func(b *bytes.Buffer) error { return gif.Encode(b, small, nil) }, "image/gif", 1080, 64 << 10, 102, 68},
	} {
		var b bytes.Buffer
		if err := c.encode(&b); err != nil {
			t.Fatal(err)
		}
		photo, err := OpenPhoto(b.Bytes(), c.kind)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		data, err := photo.Shrunk(c.width, c.limit)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got, err := jpeg.DecodeConfig(bytes.NewReader(data))
		if err != nil || len(data) > c.limit || got.Width-c.w > 0 || c.w-got.Width > 2 || got.Height-c.h > 0 || c.h-got.Height > 2 {
			t.Errorf("%s: %d bytes, %d×%d, %v", c.name, len(data), got.Width, got.Height, err)
		}
	}
}
