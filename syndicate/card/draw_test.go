package card

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	xdraw "golang.org/x/image/draw"
	"golang.org/x/image/font/gofont/goregular"

	"paperwire/internal/paper"
)

// drawn is a picture that a test drew, and what in it must be seen.
type drawn struct {
	name  string
	m     *image.RGBA
	focus image.Rectangle
}

func mix(a, b color.RGBA, t float64) color.RGBA {
	f := func(x, y uint8) uint8 { return uint8(float64(x)*(1-t) + float64(y)*t) }
	return color.RGBA{f(a.R, b.R), f(a.G, b.G), f(a.B, b.B), 255}
}

func ellipse(m *image.RGBA, r image.Rectangle, c color.RGBA) {
	cx, cy := float64(r.Min.X+r.Max.X)/2, float64(r.Min.Y+r.Max.Y)/2
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			dx, dy := (float64(x)+0.5-cx)/(float64(r.Dx())/2), (float64(y)+0.5-cy)/(float64(r.Dy())/2)
			if dx*dx+dy*dy <= 1 && image.Pt(x, y).In(m.Rect) {
				m.SetRGBA(x, y, mix(c, color.RGBA{0, 0, 0, 255}, 0.18*max(0, dx)))
			}
		}
	}
}

func rect(m *image.RGBA, r image.Rectangle, c color.RGBA) {
	draw.Draw(m, r, image.NewUniform(c), image.Point{}, draw.Src)
}

// person is a head with hair, shoulders below; the head is what must be seen.
func person(m *image.RGBA, r *rand.Rand, x, y, size int) image.Rectangle {
	skins := []color.RGBA{{236, 195, 165, 255}, {224, 172, 138, 255}, {198, 140, 105, 255}, {150, 100, 72, 255}}
	coats := []color.RGBA{{40, 60, 110, 255}, {120, 30, 40, 255}, {60, 60, 60, 255}, {30, 90, 60, 255}, {220, 220, 225, 255}}
	head := image.Rect(x, y, x+size, y+size*5/4)
	rect(m, image.Rect(x-size*2/3, y+size*3/2, x+size*5/3, m.Rect.Max.Y).Intersect(m.Rect), coats[r.IntN(len(coats))])
	ellipse(m, image.Rect(x-size*2/3, y+size*5/4, x+size*5/3, y+size*5/2), coats[r.IntN(len(coats))])
	ellipse(m, head.Inset(-size/12).Sub(image.Pt(0, size/10)), color.RGBA{35, 28, 25, 255})
	ellipse(m, head, skins[r.IntN(len(skins))])
	for _, ex := range []int{x + size/4, x + size*5/8} {
		ellipse(m, image.Rect(ex, y+size/2, ex+size/8, y+size/2+size/10), color.RGBA{20, 15, 15, 255})
	}
	rect(m, image.Rect(x+size/3, y+size*9/10, x+size*2/3, y+size*9/10+size/14), color.RGBA{150, 60, 60, 255})
	return head
}

// writing is a board with lines of writing on it.
func writing(m *image.RGBA, r *rand.Rand, b image.Rectangle, board, ink color.RGBA) {
	rect(m, b, board)
	h := max(6, b.Dy()/6)
	for y := b.Min.Y + h/2; y+h < b.Max.Y; y += h * 3 / 2 {
		for x := b.Min.X + h/2; x+h < b.Max.X; x += h * 5 / 4 {
			for range 5 {
				dx, dy := r.IntN(h*2/3), r.IntN(h*2/3)
				if r.IntN(2) == 0 {
					rect(m, image.Rect(x+dx, y+dy, x+h, y+dy+max(1, h/8)).Intersect(b), ink)
				} else {
					rect(m, image.Rect(x+dx, y+dy, x+dx+max(1, h/8), y+h).Intersect(b), ink)
				}
			}
		}
	}
}

// backdrop fills a picture with one of the grounds that photos have.
func backdrop(m *image.RGBA, r *rand.Rand, kind int) {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	noise := func(n int) int { return r.IntN(2*n+1) - n }
	put := func(x, y int, c color.RGBA, n int) {
		d := noise(n)
		f := func(v uint8) uint8 { return uint8(max(0, min(255, int(v)+d))) }
		m.SetRGBA(x, y, color.RGBA{f(c.R), f(c.G), f(c.B), 255})
	}
	horizon := h/3 + r.IntN(h/4)
	for y := range h {
		for x := range w {
			t, s := float64(y)/float64(h), float64(x)/float64(w)
			switch kind {
			case 0: // wall with light from one side
				put(x, y, mix(color.RGBA{190, 186, 178, 255}, color.RGBA{150, 148, 145, 255}, s), 4)
			case 1: // sky over fields
				if y < horizon {
					put(x, y, mix(color.RGBA{120, 165, 215, 255}, color.RGBA{205, 222, 235, 255}, t*2), 3)
				} else {
					put(x, y, mix(color.RGBA{105, 135, 70, 255}, color.RGBA{70, 100, 45, 255}, t), 22)
				}
			case 2: // leaves
				put(x, y, mix(color.RGBA{60, 95, 50, 255}, color.RGBA{95, 130, 70, 255}, 0.5+0.5*math.Sin(float64(x)/9+math.Cos(float64(y)/7)*2)), 18)
			case 3: // hall with rows of lamps
				c := mix(color.RGBA{95, 80, 70, 255}, color.RGBA{60, 52, 48, 255}, t)
				if x/40%3 == 0 && y/24%4 == 0 {
					c = mix(c, color.RGBA{190, 180, 160, 255}, 0.35)
				}
				put(x, y, c, 5)
			case 4: // street: walls with windows, pavement
				c := color.RGBA{165, 155, 145, 255}
				if x/36%2 == 0 && y/48%2 == 0 && y < h*2/3 {
					c = color.RGBA{135, 132, 130, 255}
				}
				if y > h*3/4 {
					c = color.RGBA{120, 120, 122, 255}
				}
				put(x, y, c, 6)
			case 5: // dusk
				put(x, y, mix(color.RGBA{35, 38, 70, 255}, color.RGBA{150, 95, 80, 255}, t*t), 3)
			case 6: // water
				put(x, y, mix(color.RGBA{70, 110, 130, 255}, color.RGBA{110, 150, 165, 255}, 0.5+0.5*math.Sin(float64(y)/5+math.Sin(float64(x)/23)*3)), 6)
			default: // earth
				put(x, y, mix(color.RGBA{150, 125, 95, 255}, color.RGBA{120, 98, 75, 255}, t), 14)
			}
		}
	}
}

// gallery draws forty pictures with a marked focus box (five with -short): the same
// ones on every machine for a seed.
func gallery(seed uint64) []drawn {
	dims := [][2]int{{960, 640}, {1280, 853}, {800, 600}, {640, 960}, {1000, 1000}, {1400, 700}, {720, 1080}, {900, 675}}
	n := 40
	if testing.Short() {
		n = 5 // one of each kind
	}
	var list []drawn
	for i := range n {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		w, h := dims[i%len(dims)][0], dims[i%len(dims)][1]
		m := image.NewRGBA(image.Rect(0, 0, w, h))
		back := (i*3 + i/8) % 8
		backdrop(m, r, back)
		short := min(w, h)
		fx, fy := []float64{0.12, 0.5, 0.68, 0.3, 0.8}[i%5], []float64{0.2, 0.45, 0.62, 0.3}[i/2%4]
		d := drawn{m: m}
		at := func(bw, bh int) image.Rectangle {
			x, y := int(fx*float64(w-bw)), int(fy*float64(h-bh))
			return image.Rect(x, y, x+bw, y+bh)
		}
		switch i % 5 {
		case 0: // one person
			size := short / 6
			b := at(size, size*5/4)
			d.name, d.focus = "face", person(m, r, max(b.Min.X, size), b.Min.Y, size)
		case 1: // people in a row
			size := short / 9
			n := 3 + r.IntN(2)
			b := at(n*size*2, size*5/4)
			d.name = "group"
			for k := range n {
				d.focus = d.focus.Union(person(m, r, max(size, b.Min.X)+k*size*2, b.Min.Y+r.IntN(size/2), size))
			}
		case 2: // a board with writing
			b := at(short*2/5, short/4)
			d.name, d.focus = "board", b
			pairs := [][2]color.RGBA{{{250, 248, 240, 255}, {20, 20, 20, 255}}, {{170, 25, 30, 255}, {250, 220, 120, 255}}, {{30, 70, 140, 255}, {255, 255, 255, 255}}}
			p := pairs[r.IntN(len(pairs))]
			writing(m, r, b, p[0], p[1])
		case 3: // something bright
			b := at(short/4, short/4)
			d.name, d.focus = "bright", b
			ellipse(m, b, []color.RGBA{{235, 60, 40, 255}, {250, 200, 30, 255}, {240, 120, 20, 255}, {230, 40, 120, 255}}[r.IntN(4)])
			ellipse(m, b.Inset(b.Dx()/3), color.RGBA{255, 245, 220, 255})
		default: // a person at a stand with something in the hand
			size := short / 7
			b := at(size*3, size*2)
			d.name = "stand"
			d.focus = person(m, r, max(b.Min.X, size), b.Min.Y, size)
			thing := image.Rect(d.focus.Max.X+size/3, d.focus.Min.Y+size, d.focus.Max.X+size*4/3, d.focus.Min.Y+size*2)
			writing(m, r, thing, color.RGBA{245, 240, 225, 255}, color.RGBA{150, 20, 20, 255})
			d.focus = d.focus.Union(thing)
		}
		d.name = fmt.Sprintf("%02d %s on %d, %d×%d", i, d.name, back, w, h)
		d.focus = d.focus.Intersect(m.Rect)
		list = append(list, d)
	}
	return list
}

func jpegBytes(t testing.TB, m image.Image, quality int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func photoFrom(t testing.TB, m image.Image) *Photo {
	t.Helper()
	f, err := OpenPhoto(jpegBytes(t, m, 88), "image/jpeg")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// frames are where photos stand on the cards.
func frames() map[string]image.Rectangle {
	all := map[string]image.Rectangle{}
	for _, s := range sizes {
		c := &sheet{size: s}
		all[s.Name], _ = c.frame()
	}
	return all
}

// What a picture is of survives whole, in nearly all of forty and at every size.
func TestFocusSurvives(t *testing.T) {
	lost, grounds, total := map[string][]string{}, 0, 0
	for _, d := range gallery(7) {
		total++
		f := photoFrom(t, d.m)
		w, h := float64(d.m.Rect.Dx()), float64(d.m.Rect.Dy())
		for name, r := range frames() {
			p := f.place(r.Dx(), r.Dy(), nil)
			if float64(d.focus.Min.X) < p.from.x0*w-1 || float64(d.focus.Max.X) > p.from.x1*w+1 || float64(d.focus.Min.Y) < p.from.y0*h-1 || float64(d.focus.Max.Y) > p.from.y1*h+1 {
				lost[name] = append(lost[name], d.name)
			}
			if p.ground && name == "og" && w > h*1.3 {
				grounds++
			}
			if !p.to.In(image.Rect(0, 0, r.Dx(), r.Dy())) || p.to.Empty() {
				t.Fatalf("%s, %s: drawn at %v", d.name, name, p.to)
			}
		}
	}
	if grounds > 2 { // whatever is never cropped is never cut
		t.Errorf("og: %d of 25 wide pictures stand on a ground", grounds)
	}
	for _, s := range sizes {
		if n := len(lost[s.Name]); n > 4 {
			t.Errorf("%s: %d of %d are cut: %s", s.Name, n, total, strings.Join(lost[s.Name], "; "))
		} else {
			t.Logf("%s: %d of %d whole; cut: %s", s.Name, total-n, total, strings.Join(lost[s.Name], "; "))
		}
	}
}

func studio(t testing.TB) *Studio {
	t.Helper()
	s, err := NewStudio("", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func decoded(t testing.TB, b []byte) image.Image {
	t.Helper()
	m, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// read reads the code on a card.
func read(m image.Image) (string, error) {
	bmp, err := gozxing.NewBinaryBitmapFromImage(m)
	if err != nil {
		return "", err
	}
	res, err := qrcode.NewQRCodeReader().Decode(bmp, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		return "", err
	}
	return res.GetText(), nil
}

// headlines are long, short and hostile ones.
var headlines = []paper.Article{
	{Headline: "水来了", Kicker: "春灌进行时"},
	{Headline: "春灌用水提前入渠", Kicker: "温县北干渠今日开闸", Subtitle: "——今年灌区计划供水1.2亿立方米"},
	{Headline: "市委理论学习中心组举行集体学习，强调深入贯彻落实新发展理念，推动县域经济高质量发展迈上新台阶"},
	{Headline: "“链”上发力 “数”里淘金", Subtitle: "武陟县培育壮大生物医药产业集群"},
	{Headline: "我市第12届“云台山杯”太极拳公开赛（2025）圆满落幕：来自38个国家和地区的1,206名选手参赛", Kicker: "弘扬传统文化　展示城市形象"},
	{Headline: "A Village Library That Never Closes: How Wenxian County's Farmers Read Through the Winter"},
	{Headline: "焦作高新区与Microsoft、SpaceX签约共建AI-Ready数据中心，总投资3.5亿元"},
	{Headline: "喜迎新春🎉🎊👨‍👩‍👧‍👦全市人民共度佳节🇨🇳"},
	{Headline: "ئۇيغۇر تىلىدىكى خەۋەر سەرلەۋھىسى"},
	{Headline: strings.Repeat("把论文写在大地上，让科技在田间结果；", 17)},
	{Headline: ""},
	{Headline: "《人民日报》评论员：《中共中央关于进一步全面深化改革、推进中国式现代化的决定》（摘要）"},
	{Headline: "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"},
	{Headline: "不忘初心 牢记使命 奋力谱写新时代焦作更加出彩的绚丽篇章"},
	{Headline: "图片新闻", Text: "三月三日，温县番田镇的村民在麦田里浇水。"},
	{Headline: "𠮷野家𪚥𠔻字生僻"},
}

func newItem(a paper.Article) paper.Item {
	a.ID, a.Day, a.Page, a.Language = "slrb-20250304-1_1", "2025-03-04", paper.PageRef{Number: "04", Name: "焦作/温县·马村区"}, cmpOr(a.Language, "zh-CN")
	return paper.Item{
		Article: a, Version: 1, PaperName: "石榴日报", Sections: []paper.Section{{Slug: "yaowen", Name: "要闻"}}, Districts: []paper.Tag{{Code: "410825", Name: "温县"}},
	}
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// contact puts cards onto one sheet for people to look at, where they ask for it:
// PAPERWIRE_CONTACT_SHEETS=DIR go test ./syndicate/card -run TestCards.
func contact(t testing.TB, name string, cards []image.Image, width int) {
	t.Helper()
	dir := os.Getenv("PAPERWIRE_CONTACT_SHEETS")
	if dir == "" {
		return
	}
	const gap = 16
	columns := max(1, 1600/width)
	var rows []int
	for i, m := range cards {
		h := m.Bounds().Dy() * width / m.Bounds().Dx()
		if i%columns == 0 {
			rows = append(rows, 0)
		}
		rows[len(rows)-1] = max(rows[len(rows)-1], h)
	}
	total := gap
	for _, h := range rows {
		total += h + gap
	}
	out := image.NewRGBA(image.Rect(0, 0, columns*(width+gap)+gap, total))
	rect(out, out.Rect, color.RGBA{128, 128, 136, 255})
	y := gap
	for i, m := range cards {
		if i > 0 && i%columns == 0 {
			y += rows[i/columns-1] + gap
		}
		x := gap + i%columns*(width+gap)
		r := image.Rect(x, y, x+width, y+m.Bounds().Dy()*width/m.Bounds().Dx())
		xdraw.ApproxBiLinear.Scale(out, r, m, m.Bounds(), xdraw.Src, nil)
	}
	f, err := os.Create(filepath.Join(dir, name+".png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, out); err != nil {
		t.Fatal(err)
	}
}

// checkCard draws a card and holds it against its size, its limit and its code.
func checkCard(t testing.TB, s *Studio, item paper.Item, name string, f *Photo) image.Image {
	t.Helper()
	b, err := s.Draw(item, links, name, f)
	if err != nil {
		t.Fatalf("%s of %q: %v", name, item.Headline, err)
	}
	size, _, _ := sizeOf(name)
	limit := 300_000
	if size.Name == "thumb" {
		limit = 32_000
	}
	m := decoded(t, b)
	if m.Bounds() != image.Rect(0, 0, size.Width, size.Height) || len(b) > limit {
		t.Fatalf("%s of %q: %v, %d bytes", name, item.Headline, m.Bounds(), len(b))
	}
	if bytes.Contains(b, []byte("Exif")) {
		t.Fatalf("%s of %q carries EXIF", name, item.Headline)
	}
	if size.Name == "wechat_cover" || size.Name == "wecom" || size.Name == "r1x1" {
		if got, err := read(m); err != nil || got != links.Article(item.ID) {
			t.Errorf("%s of %q: the code says %q (%v)", name, item.Headline, got, err)
		}
	}
	return m
}

// Every card of every size is a JPEG of that size within its limit, and its code
// leads to its page: sixteen headlines in type, forty photos.
func TestCards(t *testing.T) {
	s := studio(t)
	sheets := map[string][]image.Image{}
	var mu sync.Mutex
	keep := func(kind string, n int, m image.Image) {
		mu.Lock()
		defer mu.Unlock()
		for len(sheets[kind]) <= n {
			sheets[kind] = append(sheets[kind], image.NewRGBA(m.Bounds()))
		}
		sheets[kind][n] = m
	}
	t.Run("all", func(t *testing.T) {
		for i, a := range headlines {
			if testing.Short() && i%5 > 0 {
				continue
			}
			t.Run(fmt.Sprintf("type %d", i), func(t *testing.T) {
				t.Parallel()
				for _, z := range sizes {
					keep("type-"+z.Name, i, checkCard(t, s, newItem(a), z.Name, nil))
					if i%4 == 1 {
						keep("type-"+z.Name+Dark, i/4, checkCard(t, s, newItem(a), z.Name+Dark, nil))
					}
				}
			})
		}
		for i, d := range gallery(7) {
			t.Run("photo "+d.name, func(t *testing.T) {
				t.Parallel()
				f := photoFrom(t, d.m)
				item := newItem(headlines[i%len(headlines)])
				for _, z := range sizes {
					keep("photo-"+z.Name, i, checkCard(t, s, item, z.Name, f))
					if i%8 == 1 {
						keep("photo-"+z.Name+Dark, i/8, checkCard(t, s, item, z.Name+Dark, f))
					}
				}
			})
		}
	})
	for name, cards := range sheets {
		width := 500
		if strings.Contains(name, "thumb") {
			width = 200
		} else if strings.Contains(name, "r1x1") || strings.Contains(name, "mini") {
			width = 380
		}
		contact(t, name, cards, width)
	}
}

// Without a font a card is ground, rule and code, or the photo and the code.
func TestNoFont(t *testing.T) {
	s := &Studio{serif: typeface{latin: builtIn()[0]}, sans: typeface{latin: builtIn()[1]}, look: "no font"}
	f := photoFrom(t, gallery(7)[0].m)
	var shown []image.Image
	for _, z := range sizes {
		m := checkCard(t, s, newItem(headlines[1]), z.Name, nil)
		if got, err := read(m); err != nil || got != links.Article(newItem(headlines[1]).ID) {
			t.Errorf("%s: the code says %q (%v)", z.Name, got, err)
		}
		shown = append(shown, m, checkCard(t, s, newItem(headlines[1]), z.Name, f))
	}
	// A paper in Latin letters needs none.
	english := newItem(paper.Article{Headline: "A Village Library That Never Closes", Kicker: "Reading", Language: "en"})
	english.PaperName, english.Sections, english.Districts = "The Pomegranate", []paper.Section{{Name: "Front"}}, nil
	english.Page.Name = "Front"
	m := checkCard(t, s, english, "og", nil)
	if _, err := read(m); err == nil {
		t.Error("the code stands where an English headline could be set")
	}
	contact(t, "no-font", append(shown, m), 500)
}

// A studio says once what is missing, and names a font that it cannot read.
func TestNewStudio(t *testing.T) {
	old := [2][]string{serifs, sanses}
	defer func() { serifs, sanses = old[0], old[1] }()
	serifs, sanses = []string{"/nowhere/serif.ttc"}, nil
	var log bytes.Buffer
	s, err := NewStudio("", slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil || strings.Count(log.String(), "fonts-noto-cjk") != 1 || s.Look() == "" {
		t.Errorf("%v: %s", err, &log)
	}
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken.ttf")
	if err := os.WriteFile(broken, []byte("no font"), 0o600); err != nil {
		t.Fatal(err)
	}
	latin := filepath.Join(dir, "latin.ttf")
	if err := os.WriteFile(latin, goregular.TTF, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{filepath.Join(dir, "none.ttf"): "open font", broken: "read font", latin: "no Han characters"} {
		if _, err := NewStudio(path, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
