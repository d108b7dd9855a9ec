package papertest

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"paperwire/internal/paper"
)

// The demo paper is this publisher's classic form, printed to files. Its text
// stands in testdata/demo/paper.txt, its pictures as SVG beside it.
//
//	go test ./internal/papertest -run Demo -update         # the documents
//	go test ./internal/papertest -run Demo -update -draw   # and the pictures, by chromium
var (
	update = flag.Bool("update", false, "print the demo paper again")
	redraw = flag.Bool("draw", false, "with -update: draw its pictures again (needs chromium)")
)

const (
	demoDir     = "../../testdata/demo"
	demoLimit   = 2_500_000 // bytes: it is embedded in the program
	photoLimit  = 60_000
	demoCharset = "utf-8"
)

// demoPage and demoArticle are what paper.txt says beyond Page and Article.
type demoPage struct {
	Page
	areas    []area
	articles []demoArticle
}

type demoArticle struct {
	Article
	drawings []string // names of SVG files, one per image
}

// readDemo parses paper.txt.
func readDemo(t *testing.T) (days []paper.Day, pages map[paper.Day][]*demoPage) {
	t.Helper()
	text, err := os.ReadFile("testdata/demo/paper.txt")
	if err != nil {
		t.Fatal(err)
	}
	pages = map[paper.Day][]*demoPage{}
	var page *demoPage
	var article *demoArticle
	body := false
	for i, line := range strings.Split(string(text), "\n") {
		fail := func(what string) { t.Fatalf("paper.txt:%d: %s: %s", i+1, what, line) }
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case strings.HasPrefix(line, "#"):
		case word == "=day":
			day, err := paper.ParseDay(rest)
			if err != nil {
				fail(err.Error())
			}
			days = append(days, day)
		case word == "=page":
			f := strings.Fields(rest)
			page = &demoPage{Page: Page{Number: f[0], Name: f[1]}}
			if len(f) > 2 {
				page.Charset = f[2]
			}
			pages[days[len(days)-1]] = append(pages[days[len(days)-1]], page)
		case word == "=featured":
			page.Featured = append(page.Featured, rest)
		case word == "=article":
			page.articles = append(page.articles, demoArticle{Article: Article{ID: rest}})
			article, body = &page.articles[len(page.articles)-1], false
		case line == "":
			body = article != nil
		case body:
			article.Paragraphs = append(article.Paragraphs, line)
		default:
			name, value, ok := strings.Cut(line, ": ")
			if !ok || article == nil {
				fail("neither a field nor a paragraph")
			}
			switch name {
			case "kicker":
				article.Kicker = value
			case "headline":
				article.Headline = value
			case "subtitle":
				article.Subtitle = value
			case "byline":
				article.Byline = strings.ReplaceAll(value, " | ", "\n")
			case "author":
				article.Author = value
			case "charset":
				article.Charset = value
			case "area":
				var a area
				if n, _ := fmt.Sscan(value, &a.x0, &a.y0, &a.x1, &a.y1); n != 4 {
					fail("four numbers")
				}
				page.areas = append(page.areas, a)
			case "picture", "inline":
				drawing, caption, _ := strings.Cut(value, " | ")
				article.drawings = append(article.drawings, drawing)
				article.Images = append(article.Images, Image{Caption: caption, Width: 1200, Height: 800, Inline: name == "inline"})
			default:
				fail("unknown field")
			}
		}
	}
	return days, pages
}

// demo publishes the two editions with the pictures that are on disk, or with
// new ones. Its site is rooted at / and has no feeds on disk.
func demo(t *testing.T, redraw bool) *Publisher {
	t.Helper()
	days, pages := readDemo(t)
	p := prepare(Options{Key: "demo", Name: "示例日报", Day: days[0], Pages: -1, Base: "http://demo.example", Charset: demoCharset})
	p.root = ""
	for _, day := range days {
		var printed []Page
		for _, q := range pages[day] {
			for _, a := range q.articles {
				for i, drawing := range a.drawings {
					x := &entry{Article: a.Article}
					x.Day, x.Page = day, paper.PageRef{Number: q.Number}
					at := filepath.Join(demoDir, filepath.FromSlash(classicPicture(x, newPicture(a.Images[i], a.ID, i, 0))))
					if redraw {
						a.Images[i].Data = drawPhoto(t, drawing)
					} else if a.Images[i].Data, _ = os.ReadFile(at); a.Images[i].Data == nil {
						t.Fatalf("%s is missing: run with -update -draw", at)
					}
				}
				q.Articles = append(q.Articles, a.Article)
			}
			printed = append(printed, q.Page)
		}
		p.Publish(day, printed)
		e := p.edition(day)
		for i, q := range e.pages {
			q.areas, q.width, q.height = pages[day][i].areas, 700, 1000
			var data []byte
			at := filepath.Join(demoDir, filepath.FromSlash(classicPage(e, q)+"_brief.jpg"))
			if redraw {
				data = drawNewspaper(t, e, q, pages[day][i])
			} else if data, _ = os.ReadFile(at); data == nil {
				t.Fatalf("%s is missing: run with -update -draw", at)
			}
			q.picture = func() []byte { return data }
			var boxes []pdfBox
			for j, x := range q.articles {
				boxes = append(boxes, pdfBox{q.areas[j], oneLine(listTitle(x)), x.plain()})
			}
			q.pdf = func() []byte { return pagePDF(p.opts.Name, longDay(day)+"　"+pageLabel(q.PageRef), boxes) }
		}
	}
	return p
}

// demoFiles are the documents of the demo paper by path below testdata/demo.
func demoFiles(p *Publisher) map[string][]byte {
	files := map[string][]byte{}
	for path, f := range p.build() {
		if path == "/index.htm" || strings.HasPrefix(path, "/html/") || strings.HasPrefix(path, "/page/") || strings.HasPrefix(path, "/res/") {
			if f.to == "" {
				files[path[1:]] = p.render(path, false).body
			}
		}
	}
	return files
}

func TestDemoIsAsPrinted(t *testing.T) {
	files := demoFiles(demo(t, *redraw))
	if *update {
		for _, dir := range []string{"html", "page", "res"} {
			if err := os.RemoveAll(filepath.Join(demoDir, dir)); err != nil {
				t.Fatal(err)
			}
		}
		for path, data := range files {
			at := filepath.Join(demoDir, filepath.FromSlash(path))
			if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(at, data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	total := 0
	err := filepath.WalkDir(demoDir, func(at string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		path, _ := filepath.Rel(demoDir, at)
		path = filepath.ToSlash(path)
		got, err := os.ReadFile(at)
		if err != nil {
			return err
		}
		total += len(got)
		want, ok := files[path]
		if !ok {
			t.Errorf("%s is no part of the demo paper", path)
		} else if !bytes.Equal(got, want) {
			t.Errorf("%s differs from paper.txt: run with -update", path)
		}
		delete(files, path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for path := range files {
		t.Errorf("%s is missing: run with -update", path)
	}
	if total > demoLimit {
		t.Errorf("the demo paper has %d bytes, more than %d", total, demoLimit)
	}
}

// What readers, tests and the README count on.
func TestDemoHolds(t *testing.T) {
	p := demo(t, false)
	named, rare, heads := map[string]int{}, 0, map[string]int{}
	articles, photos := 0, 0
	for _, e := range p.editions {
		if len(e.pages) != 4 {
			t.Errorf("%s has %d pages", e.day, len(e.pages))
		}
		for _, q := range e.pages {
			if len(q.areas) != len(q.articles) {
				t.Errorf("%s page %s: %d areas for %d articles", e.day, q.Number, len(q.areas), len(q.articles))
			}
			for i, a := range q.areas {
				if a.x0 >= a.x1 || a.y0 >= a.y1 || a.x1 > 1000 || a.y1 > 1000 {
					t.Errorf("%s page %s: area %+v", e.day, q.Number, a)
				}
				for _, b := range q.areas[:i] {
					if a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1 {
						t.Errorf("%s page %s: areas %+v and %+v overlap", e.day, q.Number, a, b)
					}
				}
			}
			if c, _, err := image.DecodeConfig(bytes.NewReader(q.picture())); err != nil || c.Width != q.width || c.Height != q.height {
				t.Errorf("picture of %s page %s: %dx%d, %v", e.day, q.Number, c.Width, c.Height, err)
			}
			for _, x := range q.articles {
				articles++
				text := strings.Join(append([]string{x.Headline, x.Subtitle}, x.Paragraphs...), "")
				for _, d := range districts {
					if strings.Contains(text, d) {
						named[d]++
					}
				}
				if x.Headline == "图片新闻" {
					heads[string(e.day)+q.Name]++
				}
				for _, m := range x.images {
					photos++
					if c, format, err := image.DecodeConfig(bytes.NewReader(m.data())); err != nil || format != "jpeg" || c.Width != 1200 || c.Height != 800 {
						t.Errorf("picture of %s: %s %dx%d, %v", x.ID, format, c.Width, c.Height, err)
					}
					if len(m.data()) > photoLimit {
						t.Errorf("picture of %s has %d bytes, more than %d", x.ID, len(m.data()), photoLimit)
					}
				}
				if x.Charset == "gb18030" {
					raw := p.render(p.classicArticle(x), false).body
					back, err := simplifiedchinese.GB18030.NewDecoder().Bytes(raw)
					if err != nil || utf8.Valid(raw) || !bytes.Contains(raw, []byte("charset=gb2312")) {
						t.Errorf("%s is not GB18030 labelled gb2312: %v", x.ID, err)
					}
					for _, r := range string(back) {
						if _, err := simplifiedchinese.GBK.NewEncoder().String(string(r)); err != nil && r > 0x3000 {
							rare++
						}
					}
				}
			}
		}
	}
	if articles < 30 || photos < 8 {
		t.Errorf("%d articles, %d pictures", articles, photos)
	}
	for _, d := range districts {
		if named[d] == 0 {
			t.Errorf("no article names %s", d)
		}
	}
	if named["温县"] < 3 || named["马村区"] < 3 {
		t.Errorf("温县 %d times, 马村区 %d times", named["温县"], named["马村区"])
	}
	if heads["2026-03-17焦作/温县·马村区"] != 2 {
		t.Errorf("图片新闻 %v, want two on one page", heads)
	}
	if rare == 0 {
		t.Error("no character that GBK lacks is served in GB18030")
	}
}

// shoot lets chromium draw a document at a size in pixels.
func shoot(t *testing.T, document string, width, height int) image.Image {
	t.Helper()
	chromium := Need(t, "chromium")
	out := filepath.Join(t.TempDir(), "shot.png")
	cmd := exec.Command(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--allow-file-access-from-files",
		fmt.Sprintf("--window-size=%d,%d", width, height), "--screenshot="+out, "file://"+document)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("chromium: %v: %s", err, b)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// squeeze encodes as JPEG with the best quality that stays within a limit.
func squeeze(t *testing.T, img image.Image, limit int) []byte {
	t.Helper()
	for quality := 88; quality >= 30; quality -= 4 {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
			t.Fatal(err)
		}
		if b.Len() <= limit {
			return b.Bytes()
		}
	}
	t.Fatalf("no quality brings the picture below %d bytes", limit)
	return nil
}

func svgPath(t *testing.T, name string) string {
	t.Helper()
	at, err := filepath.Abs("testdata/demo/" + name + ".svg")
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func drawPhoto(t *testing.T, name string) []byte {
	return squeeze(t, shoot(t, svgPath(t, name), 1200, 800), photoLimit)
}

// drawNewspaper sets a page as a newspaper would, each article in its area, at
// twice the size, and halves it: chromium sets no type small enough.
func drawNewspaper(t *testing.T, e *edition, q *page, d *demoPage) []byte {
	t.Helper()
	var b strings.Builder
	b.WriteString(newspaperStyle)
	if q.Number == "01" {
		fmt.Fprintf(&b, `<div class=mast><b>示例日报</b><span>SHILI RIBAO<br>%s　星期%s　第%d号<br>今日四版</span></div>`, longDay(e.day), weekday(e.day), e.number)
	} else {
		fmt.Fprintf(&b, `<div class=head><b>%s</b><span>%s　%s</span><i>示例日报</i></div>`, q.Number, html.EscapeString(q.Name), longDay(e.day))
	}
	for i, a := range d.areas {
		x := q.articles[i]
		w, h := (a.x1-a.x0)*1400/1000, (a.y1-a.y0)*2000/1000
		columns := max(1, w/250)
		size := min(76, w*10/11/max(4, longestLine(x.Headline)))
		fmt.Fprintf(&b, `<article style="left:%dpx;top:%dpx;width:%dpx;height:%dpx">`, a.x0*1400/1000, a.y0*2000/1000, w, h)
		if x.Kicker != "" {
			fmt.Fprintf(&b, `<p class=kicker>%s</p>`, html.EscapeString(x.Kicker))
		}
		fmt.Fprintf(&b, `<h1 style="font-size:%dpx">%s</h1>`, size, headlineHTML(x.Headline))
		if x.Subtitle != "" {
			fmt.Fprintf(&b, `<p class=sub>%s</p>`, html.EscapeString(x.Subtitle))
		}
		var figures strings.Builder
		for j, drawing := range d.articles[i].drawings {
			fmt.Fprintf(&figures, `<figure><img src="file://%s"><figcaption>%s</figcaption></figure>`, svgPath(t, drawing), html.EscapeString(x.Images[j].Caption))
		}
		if w > 700 && figures.Len() > 0 {
			// A wide article has its pictures beside the text, not within a column.
			fmt.Fprintf(&b, `<div class=row><div style="width:%dpx">%s</div>`, w*43/100/len(d.articles[i].drawings), figures.String())
			figures.Reset()
			columns = max(1, columns*57/100)
		}
		fmt.Fprintf(&b, `<div class=text style="columns:%d">%s`, columns, figures.String())
		for _, s := range x.paragraphs("") {
			if !strings.HasPrefix(s, "<") {
				s = "<p>" + s + "</p>"
			}
			b.WriteString(s)
		}
		b.WriteString(`</div></article>`) // closes the row too
	}
	b.WriteString(newspaperScript)
	at := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(at, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return squeeze(t, halve(shoot(t, at, 1400, 2000)), 150_000)
}

// longestLine is the length of the longest line of a headline, in characters.
func longestLine(s string) int {
	lines := strings.Split(s, "<br>")
	return utf8.RuneCountInString(slices.MaxFunc(lines, func(a, b string) int { return cmp.Compare(utf8.RuneCountInString(a), utf8.RuneCountInString(b)) }))
}

// halve averages each 2x2 pixels.
func halve(img image.Image) image.Image {
	r := img.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, r.Dx()/2, r.Dy()/2))
	for y := range r.Dy() / 2 {
		for x := range r.Dx() / 2 {
			var sum [3]uint32
			for i := range 4 {
				cr, cg, cb, _ := img.At(r.Min.X+2*x+i%2, r.Min.Y+2*y+i/2).RGBA()
				sum[0], sum[1], sum[2] = sum[0]+cr>>8, sum[1]+cg>>8, sum[2]+cb>>8
			}
			out.SetRGBA(x, y, color.RGBA{uint8(sum[0] / 4), uint8(sum[1] / 4), uint8(sum[2] / 4), 255})
		}
	}
	return out
}

const newspaperStyle = `<!DOCTYPE html><meta charset="utf-8"><style>
*{box-sizing:border-box;margin:0;padding:0} body{width:1400px;height:2000px;background:#fdfcf8;font-family:"Noto Serif CJK SC",serif;color:#1a1a1a;overflow:hidden;position:relative}
.mast{position:absolute;left:42px;right:42px;top:36px;height:226px;border-bottom:8px double #b01818;display:flex;align-items:center;justify-content:space-between}
.mast b{font-size:150px;color:#b01818;letter-spacing:22px;font-weight:900}.mast span{font-size:27px;line-height:46px;text-align:right}
.head{position:absolute;left:42px;right:42px;top:36px;height:88px;border-bottom:5px solid #b01818;display:flex;align-items:center;gap:24px;font-size:34px}
.head b{background:#b01818;color:#fff;padding:6px 18px;font-size:42px}.head i{margin-left:auto;color:#b01818;font-style:normal;font-weight:900;font-size:44px;letter-spacing:8px}
article{position:absolute;display:flex;flex-direction:column;padding:12px 14px;border-bottom:2px solid #999;overflow:hidden}
h1{line-height:1.2;font-weight:900;text-align:center;margin:2px 0 6px}.kicker,.sub{text-align:center;font-family:"Noto Sans CJK SC",sans-serif;font-size:24px;line-height:34px;color:#444}
.text{flex:1;min-height:0;column-gap:24px;column-rule:1px solid #ccc;text-align:justify;overflow:hidden;column-fill:auto;font-size:19px;line-height:1.5;margin-top:6px}
.row{flex:1;min-height:0;display:flex;gap:26px;margin-top:6px}.row>div:first-child{flex:none}
.text p{text-indent:2em}figure{break-inside:avoid;margin-bottom:8px}figure img{width:100%;display:block}figcaption{font:15px/1.4 "Noto Sans CJK SC",sans-serif;color:#555;padding:4px 0}
table{border-collapse:collapse;width:100%;font-size:.8em;margin:6px 0;break-inside:avoid}td{border:1px solid #777;padding:2px 5px;text-align:left}
</style>`

// The type of each article grows until its area is full.
const newspaperScript = `<script>onload=()=>{for(const t of document.querySelectorAll('.text')){let f=12;const fits=()=>t.scrollHeight<=t.clientHeight+1&&t.scrollWidth<=t.clientWidth+1;
while(f<34){t.style.fontSize=f+'px';if(!fits()){t.style.fontSize=(f-.5)+'px';break}f+=.5}}}</script>`
