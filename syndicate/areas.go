package syndicate

import (
	"math"
	"strconv"
	"strings"

	"paperwire/internal/paper"
)

// Limits of what is taken from a publisher's image map.
const (
	maxCoords    = 4000 // bytes of one area's coordinates
	maxNumbers   = 128  // of one area; it has a dozen corners at most
	maxCoord     = 1e5  // pixels
	areaMargin   = 1.03 // the articles of a page end about so far from its edge
	sameSizeFrom = 0.5  // a copy less than twice as wide as its areas reach is what they were drawn on …
	sameSizeTo   = 1.05 // … and they hardly reach beyond it
)

// showPages puts our copies in the place of the publisher's page pictures, and
// brings the areas to whole pixels of the picture that is shown.
func showPages(e *paper.Edition, base string) {
	pages := make([]paper.EditionPage, len(e.Pages))
	for i, p := range e.Pages {
		p.Areas = mapped(p)
		if p.Mirror != nil {
			p.Picture = base + "/img/" + p.Mirror.Name
		}
		pages[i] = p
	}
	e.Pages = pages
}

// shape is an area with its coordinates read.
type shape struct {
	paper.Area
	at []float64
}

// mapped gives the areas of a page that HTML allows. Publishers draw them on
// the small picture that their page shows and link to a large one behind it; where
// we keep a copy and it is clearly not what they were drawn on, they are made to
// fit by how far they reach, since a page is full of articles.
func mapped(p paper.EditionPage) []paper.Area {
	var shapes []shape
	width, height := 0.0, 0.0
	if p.Mirror != nil && p.Mirror.Width > 0 && p.Mirror.Height > 0 {
		width, height = float64(p.Mirror.Width), float64(p.Mirror.Height)
	}
	reach := 0.0 // the width that holds all areas, were their picture of the copy's proportions
	for _, a := range p.Areas {
		s, ok := readShape(a)
		if !ok {
			continue
		}
		shapes = append(shapes, s)
		for i, f := range s.at {
			switch {
			case s.Shape == "circle" && i == 2:
				f += s.at[0]
			case i%2 == 1 && height > 0:
				f *= width / height
			}
			reach = max(reach, f)
		}
	}
	scale := 1.0
	if width > 0 && reach > 0 && (reach < width*sameSizeFrom || reach > width*sameSizeTo) {
		scale = width / (reach * areaMargin)
	}
	var areas []paper.Area
	for _, s := range shapes {
		if s.write(scale) {
			areas = append(areas, s.Area)
		}
	}
	return areas
}

// readShape brings an area to one of HTML's shapes with as many numbers as it
// needs. Publishers write shape=polygon, fractions (7.5449154,129.64706316) and
// odd counts. It reports whether the area could be mended.
func readShape(a paper.Area) (shape, bool) {
	s := shape{Area: a}
	if len(a.Coords) > maxCoords {
		return s, false
	}
	for field := range strings.FieldsFuncSeq(a.Coords, func(r rune) bool { return r == ',' || r == ' ' }) {
		f, err := strconv.ParseFloat(field, 64)
		if err != nil || math.IsNaN(f) || math.Abs(f) > maxCoord || len(s.at) == maxNumbers {
			return s, false
		}
		s.at = append(s.at, max(f, 0))
	}
	circle := strings.HasPrefix(strings.ToLower(a.Shape), "circ")
	switch n := len(s.at); {
	case circle && n == 3:
		s.Shape = "circle"
	case n == 4: // a rectangle may be given from any corner; HTML wants the first smaller
		s.Shape = "rect"
		s.at = []float64{min(s.at[0], s.at[2]), min(s.at[1], s.at[3]), max(s.at[0], s.at[2]), max(s.at[1], s.at[3])}
	case n >= 6 && !circle:
		s.Shape, s.at = "poly", s.at[:n/2*2]
	default:
		return s, false
	}
	return s, true
}

// write sets the coordinates in whole pixels. It reports whether anything is
// left of the area.
func (s *shape) write(scale float64) bool {
	numbers := make([]string, len(s.at))
	for i, f := range s.at {
		numbers[i] = strconv.Itoa(int(math.Round(f * scale)))
	}
	if s.Shape == "rect" && (numbers[0] == numbers[2] || numbers[1] == numbers[3]) {
		return false
	}
	s.Coords = strings.Join(numbers, ",")
	return true
}
