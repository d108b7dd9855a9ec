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

// ours gives the address of a copy of ours within the site, which is shorter,
// and reports whether it comes in other widths: GIF does not, it may move.
func (s *Site) ours(src string) (path string, sizes bool) {
	path, ok := strings.CutPrefix(src, s.opts.Base+"/img/")
	if !ok {
		return src, false
	}
	return "/img/" + path, !strings.HasSuffix(path, ".gif")
}

// at is the address of a picture in the smallest width that has as many pixels
// as needed; where nothing is known to be smaller, the picture itself.
func (s *Site) at(src string, width, need int) string {
	path, sizes := s.ours(src)
	if sizes {
		for _, w := range s.opts.Widths {
			if w >= need && w < width {
				return path + "?w=" + strconv.Itoa(w)
			}
		}
	}
	return path
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

// inText is a picture in the text of an article.
func (s *Site) inText(src string, width, height int) picture {
	return s.wide(src, width, height, width, textSizes)
}

// wide is a picture that fills its column; most is the greatest width it is
// shown at, in CSS pixels.
func (s *Site) wide(src string, width, height, most int, column string) picture {
	path, sizes := s.ours(src)
	p := picture{URL: path}
	if width > 0 && height > 0 {
		p.Width = min(width, most)
		p.Height = max(1, (height*p.Width+width/2)/width)
	}
	if !sizes {
		return p
	}
	var set []string
	largest := 0
	for _, w := range s.opts.Widths {
		if largest = w; w >= 320 && w < width {
			set = append(set, path+"?w="+strconv.Itoa(w)+" "+strconv.Itoa(w)+"w")
		}
	}
	if width <= largest {
		set = append(set, path+" "+strconv.Itoa(width)+"w")
	}
	if len(set) > 1 {
		p.URL, p.Set, p.Sizes = s.at(src, width, p.Width), strings.Join(set, ", "), column
	}
	return p
}
