package syndicate

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"paperwire/internal/paper"
)

func TestAreasAreMended(t *testing.T) {
	for _, c := range []struct{ shape, coords, want string }{
		{"rect", "1,2,3,4", "rect 1,2,3,4"},
		{"RECT", "30,40,1,2", "rect 1,2,30,40"},
		{"", "1, 2, 3, 4", "rect 1,2,3,4"},
		{"polygon", "7.5449154,129.64706316,674.7307968,129.6,674,700,7,700", "poly 8,130,675,130,674,700,7,700"},
		{"poly", "1,1,9,1,9,9,4", "poly 1,1,9,1,9,9"},
		{"Circle", "5,5,3", "circle 5,5,3"},
		{"rect", "1,2,3", ""},
		{"rect", "5,5,5,9", ""},
		{"poly", "1,2,x,4,5,6", ""},
		{"poly", "NaN,2,3,4,5,6", ""},
		{"poly", "1e9,2,3,4,5,6", ""},
		{"poly", strings.Repeat("1,", 2000), ""},
		{"poly", "-3,2,3,4,5,6", "poly 0,2,3,4,5,6"},
		{"", "", ""},
	} {
		got := ""
		for _, a := range mapped(paper.EditionPage{Areas: []paper.Area{{Article: "demo-20170907-1_1", Shape: c.shape, Coords: c.coords}}}) {
			got = a.Shape + " " + a.Coords
		}
		if got != c.want {
			t.Errorf("%s %.40s: %q, want %q", c.shape, c.coords, got, c.want)
		}
	}
}

// Areas fit the copy that is shown, also where they were drawn on a small
// picture and the copy is the large one behind it.
func TestAreasFitTheCopy(t *testing.T) {
	page := func(width, height int, coords ...string) []string {
		p := paper.EditionPage{Mirror: &paper.Picture{Width: width, Height: height}}
		for _, c := range coords {
			p.Areas = append(p.Areas, paper.Area{Shape: "rect", Coords: c})
		}
		var got []string
		for _, a := range mapped(p) {
			got = append(got, a.Coords)
		}
		return got
	}
	for _, c := range []struct {
		name          string
		width, height int
		coords, want  []string
	}{
		{"drawn on the copy", 700, 1000, []string{"20,30,340,500", "350,30,680,980"}, []string{"20,30,340,500", "350,30,680,980"}},
		{"drawn on the copy, one article only", 700, 1000, []string{"20,30,360,500"}, []string{"20,30,360,500"}},
		{"drawn on a brief picture of 350 × 500", 1400, 2000, []string{"10,15,170,250", "175,15,340,490"}, []string{"40,59,674,991", "693,59,1347,1942"}},
		{"drawn on a larger one", 350, 500, []string{"20,30,680,980"}, []string{"10,15,337,485"}},
		{"size unknown", 0, 0, []string{"20,30,680,980"}, []string{"20,30,680,980"}},
	} {
		if got := page(c.width, c.height, c.coords...); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// Whatever a publisher writes, what comes out is an image map that HTML allows,
// and where the copy's size is known it lies on the copy.
func TestAnyAreas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.OneOf(rapid.SampledFrom([]string{"0", "-1", "1e5", "NaN", "Inf", "3.7", "", "１", "0x10"}), rapid.StringMatching(`-?[0-9]{1,6}(\.[0-9]{1,4})?`))
		p := paper.EditionPage{Mirror: &paper.Picture{Width: rapid.IntRange(0, 4000).Draw(t, "width"), Height: rapid.IntRange(0, 4000).Draw(t, "height")}}
		for range rapid.IntRange(0, 4).Draw(t, "areas") {
			p.Areas = append(p.Areas, paper.Area{
				Shape:  rapid.SampledFrom([]string{"", "rect", "poly", "polygon", "circle", "circ", "<b>"}).Draw(t, "shape"),
				Coords: strings.Join(rapid.SliceOfN(number, 0, 140).Draw(t, "coords"), ","),
			})
		}
		for _, a := range mapped(p) {
			var at []float64
			if err := json.Unmarshal([]byte("["+a.Coords+"]"), &at); err != nil {
				t.Fatalf("%q: %v", a.Coords, err)
			}
			if n := len(at); a.Shape == "rect" && n != 4 || a.Shape == "circle" && n != 3 || a.Shape == "poly" && (n < 6 || n%2 != 0) || !slices.Contains([]string{"rect", "poly", "circle"}, a.Shape) {
				t.Fatalf("%s with %d numbers", a.Shape, n)
			}
			for i, f := range at {
				if f < 0 || f != math.Trunc(f) || p.Mirror.Width > 0 && p.Mirror.Height > 0 && i%2 == 0 && a.Shape != "circle" && f > float64(p.Mirror.Width)*sameSizeTo+1 {
					t.Fatalf("%s %s on a copy %d wide", a.Shape, a.Coords, p.Mirror.Width)
				}
			}
		}
	})
}

// A page's picture is shown as our copy in the sizes there are, on the page of
// the edition, the home page and in the API, with its areas where they belong.
func TestPagePicture(t *testing.T) {
	a := newAlbum()
	copied := a.add("image/jpeg", 1400, 2000, jpegOf(t, painting(1400, 2000, false)))
	m := newMemory()
	m.pages = []paper.EditionPage{{
		PageRef: paper.PageRef{Number: "01", Name: "要闻"}, Picture: "http://epaper.example.cn/page.jpg", Mirror: &copied,
		Areas: []paper.Area{{Article: m.items[0].ID, Shape: "rect", Coords: "10,15,170,250"}, {Article: "demo-20170907-nobody", Shape: "rect", Coords: "175,15,340,490"}},
	}}
	s := gallerySite(t, a, m)
	catchUp(t, s)
	address := "/img/" + copied.Name
	w := askPicture(s, "GET", "/editions/demo/2017-09-07", map[string]string{"Accept": "text/html"})
	doc, err := html.Parse(w.Body)
	if err != nil || w.Code != 200 {
		t.Fatal(w.Code, err)
	}
	var sheet, area map[string]string
	for n := range doc.Descendants() {
		at := map[string]string{}
		for _, x := range n.Attr {
			at[x.Key] = x.Val
		}
		switch {
		case n.Data == "img" && at["usemap"] != "":
			sheet = at
		case n.Data == "area":
			if area != nil {
				t.Error("the area of an article that is not released leads somewhere")
			}
			area = at
		}
	}
	if sheet["src"] != address+"?w=960" || sheet["width"] != "960" || sheet["height"] != "1371" || sheet["sizes"] == "" ||
		!strings.Contains(sheet["srcset"], address+"?w=480 480w, ") || !strings.HasSuffix(sheet["srcset"], address+" 1400w") {
		t.Errorf("picture %v", sheet)
	}
	if area["coords"] != "27,40,462,680" || area["href"] != "/a/"+m.items[0].ID { // 960/1400 of the areas on the copy
		t.Errorf("area %v", area)
	}
	for _, each := range strings.Split(sheet["srcset"], ", ") {
		target, _, _ := strings.Cut(each, " ")
		if w := askPicture(s, "GET", target, nil); w.Code != 200 || w.Header().Get("Content-Type") != "image/jpeg" {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
	if home := askPicture(s, "GET", "/", map[string]string{"Accept": "text/html"}).Body.String(); !strings.Contains(home, `src="`+address+`?w=320" srcset="`+address+`?w=320, `+address+`?w=640 2x"`) {
		t.Errorf("the home page shows no small copy: %s", home)
	}
	var e struct {
		Pages []struct {
			Picture       string
			Width, Height int
			Areas         []struct{ Article, Shape, Coords string }
		}
	}
	if err := json.Unmarshal(askPicture(s, "GET", "/api/v1/editions/demo/2017-09-07", nil).Body.Bytes(), &e); err != nil {
		t.Fatal(err)
	}
	if p := e.Pages[0]; p.Picture != "https://news.example.cn"+address || p.Width != 1400 || p.Height != 2000 || len(p.Areas) != 2 || p.Areas[0].Coords != "40,59,674,991" {
		t.Errorf("%+v", p)
	}
	if m.pages[0].Picture != "http://epaper.example.cn/page.jpg" {
		t.Error("the store's own edition was written to")
	}
}

// A small picture in a list is our copy in a size that fills its box, however
// wide or high the picture is.
func TestThumbnails(t *testing.T) {
	for _, c := range []struct {
		kind          string
		width, height int
		want          string
	}{
		{"image/jpeg", 900, 600, `src="%?w=160" srcset="%?w=160, %?w=320 2x"`},
		{"image/jpeg", 900, 200, `src="%?w=480" srcset="%?w=480, % 2x"`}, // 405 wide to be 90 high
		{"image/jpeg", 300, 900, `src="%?w=160" srcset="%?w=160, % 2x"`},
		{"image/jpeg", 100, 75, `src="%" alt`},
		{"image/gif", 900, 600, `src="%" alt`},
	} {
		a, m := newAlbum(), newMemory()
		copied := a.add(c.kind, c.width, c.height, []byte("any"))
		m.items[0].Images = []paper.Image{{URL: "http://epaper.example.cn/1.jpg", Mirror: &copied}}
		s := gallerySite(t, a, m)
		catchUp(t, s)
		want := strings.ReplaceAll(c.want, "%", "/img/"+copied.Name)
		// The article itself shows it in the width of its column.
		if page := askPicture(s, "GET", "/a/"+m.items[0].ID, map[string]string{"Accept": "text/html"}).Body.String(); !strings.Contains(page, `<img src="/img/`+copied.Name+`"`) ||
			c.kind == "image/jpeg" && c.width == 900 && !strings.Contains(page, "?w=640 640w, ") {
			t.Errorf("%s %d × %d: not on its page as our copy", c.kind, c.width, c.height)
		}
		for _, path := range []string{"/all", "/editions/demo/2017-09-07"} {
			if got := askPicture(s, "GET", path, map[string]string{"Accept": "text/html"}).Body.String(); !strings.Contains(got, want) {
				t.Errorf("%s %d × %d: no %s", path, c.width, c.height, want)
			}
		}
	}
}
