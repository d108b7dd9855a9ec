package card

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// quarters is a picture whose quarters tell which way up it is.
func quarters(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	rect(m, image.Rect(0, 0, w/2, h/2), color.RGBA{220, 30, 30, 255})
	rect(m, image.Rect(w/2, 0, w, h/2), color.RGBA{30, 200, 30, 255})
	rect(m, image.Rect(0, h/2, w/2, h), color.RGBA{30, 30, 220, 255})
	rect(m, image.Rect(w/2, h/2, w, h), color.RGBA{230, 230, 40, 255})
	return m
}

// withEXIF puts an orientation into a JPEG, as telephones do, and a place.
func withEXIF(b []byte, turn byte) []byte {
	tiff := []byte{'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, turn, 0, 0, 0, 0, 0, 0}
	body := append([]byte("Exif\x00\x00"), tiff...)
	head := binary.BigEndian.AppendUint16([]byte{0xFF, 0xD8, 0xFF, 0xE1}, uint16(len(body)+2))
	return slices.Concat(head, body, b[2:])
}

// Whatever EXIF says, the picture is upright.
func TestOrientation(t *testing.T) {
	want := quarters(480, 320)
	for turn := byte(1); turn <= 8; turn++ {
		// What the camera stored, so that turning it gives the picture.
		w, h := 480, 320
		if turn >= 5 {
			w, h = h, w
		}
		stored := image.NewRGBA(image.Rect(0, 0, w, h))
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
				stored.SetRGBA(x, y, want.RGBAAt(u, v))
			}
		}
		p, err := decode(withEXIF(jpegBytes(t, stored, 95), turn), "image/jpeg")
		if err != nil || p.width() != 480 || p.height() != 320 {
			t.Fatalf("%d: %v, %d×%d", turn, err, p.width(), p.height())
		}
		e := newJPEG(p)
		size := e.quantise(95)
		if d := away(decoded(t, e.write(size)), want); d > 8 {
			t.Errorf("orientation %d: %.1f away from upright", turn, d)
		}
	}
}

// cmyk is a JPEG as printers send them: four channels of 32×32 blocks, each of one ink.
func cmyk(w, h int) []byte {
	out := []byte{0xFF, 0xD8}
	segment := func(marker byte, body ...byte) {
		out = binary.BigEndian.AppendUint16(append(out, 0xFF, marker), uint16(len(body)+2))
		out = append(out, body...)
	}
	segment(0xEE, append([]byte("Adobe"), 0, 100, 0, 0, 0, 0, 0)...)
	segment(0xDB, append([]byte{0}, bytes.Repeat([]byte{8}, 64)...)...)
	segment(0xC0, 8, byte(h>>8), byte(h), byte(w>>8), byte(w), 4, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0)
	// Eight codes of three bits and more for the DC sizes, one for the end of a block.
	segment(0xC4, append([]byte{0x00, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)...)
	segment(0xC4, append([]byte{0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0)...)
	segment(0xDA, 4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0)
	acc, held := uint32(0), 0
	put := func(v uint32, n int) {
		for i := n - 1; i >= 0; i-- {
			acc, held = acc<<1|v>>i&1, held+1
			if held == 8 {
				out = append(out, byte(acc))
				if byte(acc) == 0xFF {
					out = append(out, 0)
				}
				acc, held = 0, 0
			}
		}
	}
	last := [4]int{}
	for y := 0; y < h; y += 8 {
		for x := 0; x < w; x += 8 {
			inks := [4]int{255, 255 - x*255/w, 255 - y*255/h, 255} // Adobe's are upside down
			for c, v := range inks {
				dc := v - 128
				d := dc - last[c]
				last[c] = dc
				size := category(int16(d))
				put(uint32(size), 4)
				if d < 0 {
					d--
				}
				put(uint32(d)&(1<<size-1), size)
				put(0, 1)
			}
		}
	}
	put(0x7F, 7)
	return append(out, 0xFF, 0xD9)
}

// header is a PNG of a size that it does not hold.
func header(w, h uint32, depth, kind byte) []byte {
	chunk := func(name string, body []byte) []byte {
		b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
		b = append(append(b, name...), body...)
		return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
	}
	ihdr := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	return slices.Concat([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(ihdr, depth, kind, 0, 0, 0)), chunk("IDAT", []byte{0x78, 0x9c}), chunk("IEND", nil))
}

// Every form that a picture comes in makes cards.
func TestFormsOfPictures(t *testing.T) {
	want := quarters(480, 320)
	encoded := func(m image.Image) []byte {
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	deep := image.NewNRGBA64(want.Rect)
	clear := image.NewNRGBA(want.Rect)
	gray := image.NewGray(want.Rect)
	for y := range 320 {
		for x := range 480 {
			deep.Set(x, y, want.At(x, y))
			gray.Set(x, y, want.At(x, y))
			if x < 240 && y < 160 {
				clear.Set(x, y, want.At(x, y))
			}
		}
	}
	pal := color.Palette{color.White, color.RGBA{220, 30, 30, 255}, color.RGBA{30, 200, 30, 255}, color.RGBA{30, 30, 220, 255}, color.RGBA{230, 230, 40, 255}}
	frames := &gif.GIF{}
	for range 3 {
		f := image.NewPaletted(want.Rect, pal)
		for y := range 320 {
			for x := range 480 {
				f.Set(x, y, want.At(x, y))
			}
		}
		frames.Image, frames.Delay = append(frames.Image, f), append(frames.Delay, 10)
	}
	frames.Image[1] = image.NewPaletted(want.Rect, pal) // what follows the first is something else
	var moving bytes.Buffer
	if err := gif.EncodeAll(&moving, frames); err != nil {
		t.Fatal(err)
	}
	s := studio(t)
	for name, c := range map[string]struct {
		data []byte
		kind string
		near float64 // how far from the quarters it may be
	}{
		"jpeg":        {jpegBytes(t, want, 90), "image/jpeg", 6},
		"png":         {encoded(want), "image/png", 6},
		"16 bit png":  {encoded(deep), "image/png", 6},
		"clear png":   {encoded(clear), "image/png", math.Inf(1)},
		"gray png":    {encoded(gray), "image/png", 6},
		"gray jpeg":   {jpegBytes(t, gray, 90), "image/jpeg", 6},
		"moving gif":  {moving.Bytes(), "image/gif", 6},
		"cmyk jpeg":   {cmyk(480, 320), "image/jpeg", math.Inf(1)},
		"odd, 4:4:4":  {jpegBytes(t, quarters(479, 321), 90), "image/jpeg", 8},
		"webp no jpg": {[]byte("RIFF\x00\x00\x00\x00WEBPVP8 "), "image/webp", -1},
	} {
		f, err := OpenPhoto(c.data, c.kind)
		if c.near < 0 {
			if err == nil {
				t.Errorf("%s: opened", name)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		e := newJPEG(f.levels[0])
		size := e.quantise(95)
		got := decoded(t, e.write(size))
		if got.Bounds() == want.Bounds() {
			if d := away(got, want); d > c.near {
				t.Errorf("%s: %.1f away", name, d)
			}
		}
		switch name {
		case "clear png":
			if y, _, _, _ := got.At(400, 300).RGBA(); y>>8 < 250 {
				t.Errorf("what is clear is %d", y>>8)
			}
		case "cmyk jpeg": // more magenta to the right
			_, left, _, _ := got.At(20, 20).RGBA()
			_, right, _, _ := got.At(460, 20).RGBA()
			if left < right+0x6000 {
				t.Errorf("cmyk: green is %d at the left, %d at the right", left>>8, right>>8)
			}
		}
		for i, z := range sizes {
			if !testing.Short() || i == 0 {
				checkCard(t, s, newItem(headlines[1]), z.Name, f)
			}
		}
	}
}

// progressive is a JPEG of grey in so many components, each scanned so often: a few
// bytes that go a long way.
func progressive(w, h, parts, scans int) []byte {
	b := []byte{0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0}
	b = append(b, bytes.Repeat([]byte{1}, 64)...)
	b = append(b, 0xFF, 0xC2, 0, byte(8+3*parts), 8, byte(h>>8), byte(h), byte(w>>8), byte(w), byte(parts))
	for c := range parts {
		b = append(b, byte(c+1), 0x11, 0)
	}
	for _, t := range [2][2]byte{{0x00, 0x00}, {0x10, 0xE0}} {
		b = append(b, 0xFF, 0xC4, 0, 20, t[0], 1)
		b = append(b, make([]byte, 15)...)
		b = append(b, t[1])
	}
	// Runs of 32,767 empty blocks: 0 and fourteen times 1.
	bits := strings.Repeat("0"+strings.Repeat("1", 14), ((w+7)/8*((h+7)/8)+32766)/32767)
	bits += strings.Repeat("1", (8-len(bits)%8)%8)
	var data []byte
	for i := 0; i < len(bits); i += 8 {
		n, _ := strconv.ParseUint(bits[i:i+8], 2, 8)
		if data = append(data, byte(n)); n == 0xFF {
			data = append(data, 0)
		}
	}
	for range scans {
		for c := range parts {
			b = append(b, 0xFF, 0xDA, 0, 8, 1, byte(c+1), 0, 1, 63, 0)
			b = append(b, data...)
		}
	}
	return append(b, 0xFF, 0xD9)
}

// What would take all memory, or is no picture, is refused before it is decoded.
func TestBombs(t *testing.T) {
	good := jpegBytes(t, quarters(480, 320), 90)
	strip := jpegBytes(t, image.NewGray(image.Rect(0, 0, 1, 30000)), 90)
	wide := slices.Clone(good)
	at := bytes.Index(wide, []byte{0xFF, 0xC0})
	binary.BigEndian.PutUint32(wide[at+5:], 0xFFFFFFFF) // 65,535 × 65,535
	for name, c := range map[string]struct {
		data []byte
		kind string
		want string
	}{
		"png of 60000×60000":         {header(60000, 60000, 8, 2), "image/png", "60000×60000"},
		"png of 6000×6000 in 16 bit": {header(6000, 6000, 16, 2), "image/png", "6000×6000"},
		"jpeg of 65535×65535":        {wide, "image/jpeg", "65535×65535"},
		"1×30000":                    {strip, "image/jpeg", "1×30000"},
		"progressive of 7000×7000":   {progressive(7000, 7000, 3, 1), "image/jpeg", "15 bytes each"},
		"40 scans":                   {progressive(400, 400, 1, 40), "image/jpeg", "more than 30 scans"},
		"half":                       {good[:len(good)/2], "image/jpeg", ""},
		"nothing":                    {nil, "image/jpeg", ""},
		"another kind":               {good, "image/png", ""},
		"svg":                        {[]byte("<svg/>"), "image/svg+xml", "no kind"},
		"html":                       {[]byte(strings.Repeat("<html>", 100)), "image/gif", ""},
	} {
		if _, err := OpenPhoto(c.data, c.kind); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What cameras and 长图 are is none.
	for name, data := range map[string][]byte{
		"24 megapixels": jpegBytes(t, quarters(6016, 4016), 60), "a long picture": jpegBytes(t, quarters(1080, 8000), 60), "ten scans": progressive(640, 480, 1, 10),
	} {
		if _, err := OpenPhoto(data, "image/jpeg"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	rapid.Check(t, func(t *rapid.T) { // nothing panics, whatever bytes are wrong
		b := slices.Clone(good[:2000])
		for range rapid.IntRange(1, 8).Draw(t, "wrong bytes") {
			b[rapid.IntRange(2, len(b)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		}
		_, _ = OpenPhoto(b, "image/jpeg")
	})
}

// A small picture is never enlarged by more than half, and nothing of it is cut off
// then without need.
func TestSmallPictures(t *testing.T) {
	for _, dims := range [][2]int{{200, 200}, {300, 200}, {240, 400}, {700, 300}, {1000, 250}} {
		f := photoFrom(t, quarters(dims[0], dims[1]))
		for name, r := range frames() {
			p := f.place(r.Dx(), r.Dy(), nil)
			sx := float64(p.to.Dx()) / ((p.from.x1 - p.from.x0) * float64(dims[0]))
			sy := float64(p.to.Dy()) / ((p.from.y1 - p.from.y0) * float64(dims[1]))
			if sx > 1.53 || sy > 1.53 || math.Abs(sx/sy-1) > 0.03 {
				t.Errorf("%v on %s: enlarged by %.2f, %.2f", dims, name, sx, sy)
			}
		}
	}
	if p := photoFrom(t, quarters(300, 200)).place(1600, 900, nil); p.from != all || !p.ground {
		t.Errorf("a small picture is cut though there is room: %+v", p)
	}
}

// A point that somebody chose is in the picture, in its middle where it can be.
func TestFocusPoint(t *testing.T) {
	f := photoFrom(t, gallery(7)[3].m)
	rapid.Check(t, func(t *rapid.T) {
		p := Point{rapid.Float64Range(0, 1).Draw(t, "x"), rapid.Float64Range(0, 1).Draw(t, "y")}
		w, h := rapid.IntRange(100, 800).Draw(t, "w"), rapid.IntRange(100, 800).Draw(t, "h")
		got := f.place(w, h, &p).from
		if p.X < got.x0-1e-9 || p.X > got.x1+1e-9 || p.Y < got.y0-1e-9 || p.Y > got.y1+1e-9 || got.x0 < 0 || got.y0 < 0 || got.x1 > 1+1e-9 || got.y1 > 1+1e-9 {
			t.Fatalf("%v is not in %v", p, got)
		}
	})
	l := links
	l.Focus = map[string]Point{newItem(headlines[1]).ID: {0, 0}}
	s := studio(t)
	with, err := s.Draw(newItem(headlines[1]), l, "thumb", f)
	if err != nil {
		t.Fatal(err)
	}
	if without, _ := s.Draw(newItem(headlines[1]), links, "thumb", f); bytes.Equal(with, without) {
		t.Error("the point changes nothing")
	}
}
