package card

import (
	"math"
	"slices"
)

// The map of where the eye goes is computed on a picture of about this many pixels
// on its long side: enough to find a face, and a millisecond of work.
const mapSide = 112

// eye says where in a picture one looks.
type eye struct {
	w, h int
	mass []float64 // of each pixel, 0 where there is only ground; all together 1
	skin []float64 // that of faces, as a share of all that is in the box, by line from the top
	box  region    // what must be seen whole: the parts that hold most of it
	held float64   // how much of the mass is in the box
}

// look finds what a picture is of: what differs from its margins, has edges finer
// than its surroundings', the colours of skin, and stands near the middle.
func look(f *Photo) eye {
	ratio := f.ratio()
	w, h := mapSide, max(8, int(math.Round(mapSide/ratio)))
	if ratio < 1 {
		w, h = max(8, int(math.Round(mapSide*ratio))), mapSide
	}
	var ch [3]plane
	for i := range ch {
		// Each channel in full, so that the maps lie on one another.
		n := 0
		for s := float64(f.levels[0][i].w) / float64(w); s >= 2 && n < len(f.levels)-1; s /= 2 {
			n++
		}
		ch[i] = newPlane(w, h)
		ch[i].scale(f.levels[n][i], all)
	}
	differs := contrast(ch, w, h)
	edges := detail(ch[0])
	skin := skinOf(ch)
	mass := make([]float64, w*h)
	for y := range h {
		for x := range w {
			i := y*w + x
			// The middle, a little above it: that is where photographers put things.
			dx, dy := (float64(x)+0.5)/float64(w)-0.5, (float64(y)+0.5)/float64(h)-0.46
			middle := math.Exp(-(dx*dx + dy*dy) / (2 * 0.35 * 0.35))
			mass[i] = (differs[i] + 0.65*edges[i] + 0.9*skin[i]*(0.35+0.65*differs[i])) * (0.55 + 0.45*middle)
		}
	}
	streaks(mass, w, h)
	smooth(mass, w, h, 1)
	// What lies a little over everything is ground.
	sorted := slices.Clone(mass)
	slices.Sort(sorted)
	median, top := sorted[len(sorted)/2], sorted[len(sorted)*99/100]
	floor := median + 0.12*(top-median)
	sum := 0.0
	for i, m := range mass {
		mass[i] = max(0, m-floor)
		sum += mass[i]
	}
	e := eye{w: w, h: h, mass: mass, box: all, held: 1}
	if sum == 0 || top < 0.02 { // nothing in it
		for i := range mass {
			mass[i] = 1 / float64(len(mass))
		}
		return e
	}
	for i := range mass {
		mass[i] /= sum
	}
	e.frame(skin)
	return e
}

// streaks takes away what goes through a picture from side to side: a horizon, a kerb,
// the edge of a wall.
func streaks(mass []float64, w, h int) {
	line := make([]float64, max(w, h))
	pass := func(count, length, step, stride int) {
		for i := range count {
			for j := range length {
				line[j] = mass[i*stride+j*step]
			}
			slices.Sort(line[:length])
			through := line[length/6] // five sixths have at least that
			for j := range length {
				mass[i*stride+j*step] = max(0, mass[i*stride+j*step]-through)
			}
		}
	}
	pass(h, w, 1, w)
	pass(w, h, w, 1)
}

// contrast is how far each pixel is from the colours at the picture's margins. It
// is measured against the third nearest of sixteen patches around the picture, so
// that a gradient is ground and a person whom the lower margin cuts is none.
func contrast(ch [3]plane, w, h int) []float64 {
	soft := [3]plane{}
	for i := range soft {
		soft[i] = plane{slices.Clone(ch[i].pix), w, w, h}
		soft[i].blur(1)
	}
	type colour [3]float64
	var patches []colour
	patch := func(x0, y0, x1, y1 int) {
		var c colour
		n := 0.0
		for y := y0; y < max(y1, y0+1); y++ {
			for x := x0; x < max(x1, x0+1); x++ {
				for k := range c {
					c[k] += float64(soft[k].pix[y*w+x])
				}
				n++
			}
		}
		for k := range c {
			c[k] /= n
		}
		patches = append(patches, c)
	}
	bw, bh := max(1, w/16), max(1, h/16)
	for i := range 4 {
		x0, x1, y0, y1 := i*w/4, (i+1)*w/4, i*h/4, (i+1)*h/4
		patch(x0, 0, x1, bh)
		patch(x0, h-bh, x1, h)
		patch(0, y0, bw, y1)
		patch(w-bw, y0, w, y1)
	}
	out := make([]float64, w*h)
	for i := range out {
		// The three nearest, without sorting sixteen for each pixel.
		a, b, c := math.Inf(1), math.Inf(1), math.Inf(1)
		y, u, v := float64(soft[0].pix[i]), float64(soft[1].pix[i]), float64(soft[2].pix[i])
		for _, p := range patches {
			dy, du, dv := y-p[0], u-p[1], v-p[2]
			d := dy*dy*0.6 + du*du*2.4 + dv*dv*2.4 // colours are flatter than brightness
			switch {
			case d < a:
				a, b, c = d, a, b
			case d < b:
				b, c = d, b
			case d < c:
				c = d
			}
		}
		out[i] = math.Sqrt(c)
	}
	return level(out)
}

// detail is how much finer the edges are than around: writing on a wall, and not
// the leaves of a wood.
func detail(y plane) []float64 {
	w, h := y.w, y.h
	edges := make([]float64, w*h)
	for j := 1; j < h-1; j++ {
		for i := 1; i < w-1; i++ {
			at := func(dx, dy int) float64 { return float64(y.pix[(j+dy)*w+i+dx]) }
			gx := at(1, -1) + 2*at(1, 0) + at(1, 1) - at(-1, -1) - 2*at(-1, 0) - at(-1, 1)
			gy := at(-1, 1) + 2*at(0, 1) + at(1, 1) - at(-1, -1) - 2*at(0, -1) - at(1, -1)
			edges[j*w+i] = min(math.Sqrt(gx*gx+gy*gy), 300)
		}
	}
	near, wide := slices.Clone(edges), slices.Clone(edges)
	smooth(near, w, h, 2)
	smooth(wide, w, h, max(w, h)/5)
	for i := range near {
		near[i] = max(0, near[i]-0.9*wide[i])
	}
	return level(near)
}

// skinOf is how near each pixel is to the colours of skin (of whatever shade: they
// differ in brightness). Where half a picture has them it is sand or wheat.
func skinOf(ch [3]plane) []float64 {
	out := make([]float64, len(ch[0].pix))
	sum := 0.0
	for i := range out {
		y, cb, cr := float64(ch[0].pix[i]), float64(ch[1].pix[i]), float64(ch[2].pix[i])
		if y < 45 || y > 245 {
			continue
		}
		a, b := (cb-108)/17, (cr-150)/16
		if d := a*a + b*b; d < 1.4 {
			out[i] = 1 - d/1.4
			sum += out[i]
		}
	}
	share := sum / float64(len(out))
	if much := max(0, min(1, (share-0.12)/0.25)); much > 0 {
		for i := range out {
			out[i] *= 1 - 0.85*much
		}
	}
	return out
}

// level brings values to 0…1, their highest hundredth to 1.
func level(v []float64) []float64 {
	sorted := slices.Clone(v)
	slices.Sort(sorted)
	top := sorted[len(sorted)*98/100]
	if top < 6 { // of 255: no more than noise
		top = 6
	}
	for i := range v {
		v[i] = min(1, v[i]/top)
	}
	return v
}

// smooth averages over 2n+1 values both ways.
func smooth(v []float64, w, h, n int) {
	line := make([]float64, max(w, h))
	pass := func(count, length, step, stride int) {
		for i := range count {
			at := func(j int) float64 { return v[i*stride+min(max(j, 0), length-1)*step] }
			sum := 0.0
			for j := -n; j <= n; j++ {
				sum += at(j)
			}
			for j := range length {
				line[j] = max(0, sum/float64(2*n+1))
				sum += at(j+n+1) - at(j-n)
			}
			for j := range length {
				v[i*stride+j*step] = line[j]
			}
		}
	}
	pass(h, w, 1, w)
	pass(w, h, w, 1)
}

// frame finds the box around the parts that hold most of the mass.
func (e *eye) frame(skin []float64) {
	peak := 0.0
	for _, m := range e.mass {
		peak = max(peak, m)
	}
	type part struct {
		x0, y0, x1, y1 int
		sum, skin      float64
	}
	var parts []part
	mark := make([]bool, len(e.mass))
	var stack []int
	for start, m := range e.mass {
		if mark[start] || m < 0.16*peak {
			continue
		}
		p := part{e.w, e.h, 0, 0, 0, 0}
		stack = append(stack[:0], start)
		mark[start] = true
		for len(stack) > 0 {
			i := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			x, y := i%e.w, i/e.w
			p.x0, p.y0, p.x1, p.y1 = min(p.x0, x), min(p.y0, y), max(p.x1, x+1), max(p.y1, y+1)
			p.sum += e.mass[i]
			p.skin += skin[i] * e.mass[i]
			for dy := -1; dy <= 1; dy++ {
				for dx := -1; dx <= 1; dx++ {
					u, v := x+dx, y+dy
					if u < 0 || v < 0 || u >= e.w || v >= e.h {
						continue
					}
					if j := v*e.w + u; !mark[j] && e.mass[j] >= 0.16*peak {
						mark[j] = true
						stack = append(stack, j)
					}
				}
			}
		}
		parts = append(parts, p)
	}
	slices.SortFunc(parts, func(a, b part) int {
		if a.sum > b.sum {
			return -1
		}
		return 1
	})
	faces := 0.0
	for _, p := range parts {
		faces = max(faces, p.skin)
	}
	box := parts[0]
	for _, p := range parts[1:] {
		// A face counts beside the coat below it, which has more of everything.
		if p.sum < 0.2*parts[0].sum && (p.sum < 0.04*parts[0].sum || p.skin < 0.3*faces || p.skin < 0.2*p.sum) {
			continue
		}
		box = part{min(box.x0, p.x0), min(box.y0, p.y0), max(box.x1, p.x1), max(box.y1, p.y1), box.sum + p.sum, 0}
	}
	e.held = 0
	e.skin = make([]float64, e.h)
	for y := box.y0; y < box.y1; y++ {
		for x := box.x0; x < box.x1; x++ {
			e.held += e.mass[y*e.w+x]
			e.skin[y] += skin[y*e.w+x] * e.mass[y*e.w+x]
		}
	}
	for y := range e.skin {
		e.skin[y] /= max(e.held, 1e-9)
	}
	w, h := float64(e.w), float64(e.h)
	e.box = region{
		max(0, (float64(box.x0)-1.5)/w), max(0, (float64(box.y0)-1.5)/h),
		min(1, (float64(box.x1)+1.5)/w), min(1, (float64(box.y1)+1.5)/h),
	}
}

// Where cropping would cut what a picture is of, the picture is set on a ground
// instead, if what it is of is that much of its mass in that little of its surface.
const (
	sureHeld = 0.6
	sureArea = 0.62
	keepMass = 0.8
	faceMass = 0.06 // of a box with people in it
	ofBodies = 0.45 // of a box's height that may go when what goes is bodies
)

// heads is how far down from the top of the box there are faces, with some room below;
// ok is false where there are no people.
func (e eye) heads() (down float64, ok bool) {
	sum := 0.0
	for _, s := range e.skin {
		sum += s
	}
	if sum < faceMass {
		return 0, false
	}
	seen := 0.0
	for y, s := range e.skin {
		if seen += s; seen >= 0.93*sum {
			return min(e.box.y1, (float64(y)+1)/float64(e.h)+0.12*(e.box.y1-e.box.y0)), true
		}
	}
	return e.box.y1, true
}

// crop is the part of a picture of a ratio (width by height) to show in a frame of
// another one: of the frame's ratio, or less far cropped where that would cut what
// the picture is of.
func (e eye) crop(ratio, want float64, focus *Point) region {
	if focus != nil {
		return around(cover(ratio, want), *focus)
	}
	// The window is as large as it can be, so it moves along one side only.
	upright := want > ratio // its full width; it moves up and down
	size := ratio / want
	lo, hi, n := e.box.y0, e.box.y1, e.h
	if !upright {
		size = want / ratio
		lo, hi, n = e.box.x0, e.box.x1, e.w
	}
	sums := make([]float64, n+1) // of the lines before each
	for i := range n {
		line := 0.0
		if upright {
			for x := range e.w {
				line += e.mass[i*e.w+x]
			}
		} else {
			for y := range e.h {
				line += e.mass[y*e.w+i]
			}
		}
		sums[i+1] = sums[i] + line
	}
	before := func(f float64) float64 {
		f = max(0, min(1, f)) * float64(n)
		i := min(int(f), n-1)
		return sums[i] + (sums[i+1]-sums[i])*(f-float64(i))
	}
	if down, people := e.heads(); upright && people && hi-lo > size {
		// Of people the lower part may go, as it does in newspapers.
		hi = max(down, lo+min(size, hi-lo), hi-ofBodies*(hi-lo))
	}
	boxFits := hi-lo <= size+1e-9
	best, at, kept := -1.0, (1-size)/2, 0.0
	const steps = 80
	for k := range steps + 1 {
		a := (1 - size) * float64(k) / steps
		mass := before(a+size) - before(a)
		score := mass
		if boxFits {
			// The whole box, and it not at the very edge of the window.
			score -= 4 * (max(0, a-lo) + max(0, hi-a-size))
			score -= 0.25 * math.Abs((lo+hi)/2-(a+size/2))
		}
		score -= 0.05 * math.Abs(a-(1-size)/2)
		if score > best {
			best, at, kept = score, a, mass
		}
	}
	from, to := at, at+size
	area := (e.box.x1 - e.box.x0) * (e.box.y1 - e.box.y0)
	if !boxFits && e.held >= sureHeld && area <= sureArea || kept < keepMass && e.held >= sureHeld {
		from, to = min(lo, at), max(hi, at+size)
		if !boxFits {
			from, to = lo, hi
		}
	}
	if upright {
		return region{0, from, 1, to}
	}
	return region{from, 0, to, 1}
}

// around moves a window so that a point is in its middle, or as near as may be.
func around(r region, p Point) region {
	w, h := r.x1-r.x0, r.y1-r.y0
	x := max(0, min(1-w, p.X-w/2))
	y := max(0, min(1-h, p.Y-h/2))
	return region{x, y, x + w, y + h}
}
