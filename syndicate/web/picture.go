package web

import (
	"strconv"
	"strings"
)

// picture is a picture as a page shows it.
type picture struct {
	URL           string
	Set, Sizes    string // srcset and sizes; empty where there is one size only
	Width, Height int    // of the element, so that nothing jumps; 0 where unknown
}

// Widths that a page shows pictures at, as sizes has them: the measure of the
// text, a column of an edition, else the screen.
const (
	textSizes   = "(min-width:40rem) 36em, 100vw"
	columnSizes = "(min-width:60rem) 34rem, 100vw"
)

// ours reports whether a picture is a copy of ours that comes in other widths;
// GIF does not, because it may move.
func (s *Site) ours(src string) bool {
	return strings.HasPrefix(src, s.opts.Base+"/img/") && !strings.HasSuffix(src, ".gif")
}

// at is the address of a picture in the smallest width that has as many pixels
// as needed; where nothing is known to be smaller, the picture itself.
func (s *Site) at(src string, width, need int) string {
	if s.ours(src) {
		for _, w := range s.opts.Widths {
			if w >= need && w < width {
				return src + "?w=" + strconv.Itoa(w)
			}
		}
	}
	return src
}

// thumb is a picture that fills a box of CSS pixels, for plain and for dense
// screens.
func (s *Site) thumb(src string, width, height, boxWidth, boxHeight int) picture {
	need := boxWidth
	if height > 0 {
		need = max(need, (boxHeight*width+height-1)/height)
	}
	p := picture{URL: s.at(src, width, need), Width: boxWidth, Height: boxHeight}
	if dense := s.at(src, width, 2*need); dense != p.URL {
		p.Set = p.URL + ", " + dense + " 2x"
	}
	return p
}

// wide is a picture that fills its column; most is the greatest width it is
// shown at, in CSS pixels.
func (s *Site) wide(src string, width, height, most int, sizes string) picture {
	p := picture{URL: src}
	if width > 0 && height > 0 {
		p.Width = min(width, most)
		p.Height = max(1, (height*p.Width+width/2)/width)
	}
	if !s.ours(src) {
		return p
	}
	var set []string
	largest := 0
	for _, w := range s.opts.Widths {
		if largest = w; w >= 320 && w < width {
			set = append(set, src+"?w="+strconv.Itoa(w)+" "+strconv.Itoa(w)+"w")
		}
	}
	if width <= largest {
		set = append(set, src+" "+strconv.Itoa(width)+"w")
	}
	if len(set) > 1 {
		p.URL, p.Set, p.Sizes = s.at(src, width, p.Width), strings.Join(set, ", "), sizes
	}
	return p
}
