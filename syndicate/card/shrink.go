package card

import "math"

// Shrunk is the whole photo as a JPEG of at most so many pixels in width and bytes; it
// is never drawn larger than it is.
func (f *Photo) Shrunk(width, bytes int) ([]byte, error) {
	w := max(2, even(float64(min(width, f.levels[0].width()))))
	dst := newPlanar(w, max(2, even(math.Round(float64(w)/f.ratio()))))
	f.draw(dst, all)
	return within(dst, bytes)
}
