package card

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"sync"
)

// The JPEG encoder of cards (ITU-T T.81, baseline, 4:2:0). Beside image/jpeg it is
// twice as fast on planes, knows how large a file becomes before it writes it, so that
// the size limit costs no second encoding, and makes the codes for the picture at
// hand, which saves a twelfth.

// zigzag is where coefficient n of a block stands (figure A.6).
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// The steps of brightness and of colours at quality 50, in zigzag order (tables K.1, K.2).
var steps50 = [2][64]uint8{
	{
		16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51,
		56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
	},
	{
		17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
	},
}

type jpegEncoder struct {
	w, h   int
	blocks int
	cosine []int16  // coefficients of all blocks in the order of the file, each in zigzag order, times 8
	levels []int16  // the same, quantised
	some   []uint64 // which of a block's are not 0
	steps  [2][64]uint8
	freq   [4][257]uint32 // of the symbols: DC and AC of brightness, DC and AC of colours
	codes  [4]huffman
}

// channels of the six blocks of a unit (16×16 pixels).
var unit = [6]uint8{0, 0, 0, 0, 1, 2}

// encoders are those at rest: each has up to ten megabytes of buffers.
var encoders = sync.Pool{New: func() any { return new(jpegEncoder) }}

// newJPEG transforms a picture, for any quality.
func newJPEG(p planar) *jpegEncoder {
	e := encoders.Get().(*jpegEncoder)
	e.w, e.h = p.width(), p.height()
	across, down := (e.w+15)/16, (e.h+15)/16
	e.blocks = across * down * 6
	e.cosine = slices.Grow(e.cosine[:0], e.blocks*64)[:e.blocks*64]
	e.levels = slices.Grow(e.levels[:0], e.blocks*64)[:e.blocks*64]
	e.some = slices.Grow(e.some[:0], e.blocks)[:e.blocks]
	var b [64]int32
	n := 0
	for y := range down {
		for x := range across {
			for i := range 4 {
				p[0].block(&b, x*16+i%2*8, y*16+i/2*8)
				transform(&b, e.cosine[n:])
				n += 64
			}
			for c := 1; c < 3; c++ {
				p[c].block(&b, x*8, y*8)
				transform(&b, e.cosine[n:])
				n += 64
			}
		}
	}
	return e
}

// block loads 8×8 values less 128; beyond its sides a plane goes on as it ends.
func (p plane) block(b *[64]int32, x, y int) {
	if x+8 <= p.w && y+8 <= p.h {
		for v := range 8 {
			row := p.pix[(y+v)*p.stride+x:][:8]
			to := b[v*8:][:8]
			for u, s := range row {
				to[u] = int32(s) - 128
			}
		}
		return
	}
	for v := range 8 {
		row := p.pix[min(y+v, p.h-1)*p.stride:]
		for u := range 8 {
			b[v*8+u] = int32(row[min(x+u, p.w-1)]) - 128
		}
	}
}

// transform is the discrete cosine transform times 8, in integers so that every
// machine writes the same bytes (after Loeffler, Ligtenberg and Moschytz, 1989).
func transform(b *[64]int32, out []int16) {
	for i := 0; i < 64; i += 8 {
		r := b[i:][:8:8]
		t0, t7, t1, t6 := r[0]+r[7], r[0]-r[7], r[1]+r[6], r[1]-r[6]
		t2, t5, t3, t4 := r[2]+r[5], r[2]-r[5], r[3]+r[4], r[3]-r[4]
		a0, a3, a1, a2 := t0+t3, t0-t3, t1+t2, t1-t2
		r[0], r[4] = (a0+a1)<<2, (a0-a1)<<2
		z := (a2 + a3) * 4433
		r[2], r[6] = (z+a3*6270+1<<10)>>11, (z-a2*15137+1<<10)>>11
		z1, z2, z3, z4 := (t4+t7)*-7373, (t5+t6)*-20995, t4+t6, t5+t7
		z5 := (z3 + z4) * 9633
		z3, z4 = z3*-16069+z5, z4*-3196+z5
		r[7] = (t4*2446 + z1 + z3 + 1<<10) >> 11
		r[5] = (t5*16819 + z2 + z4 + 1<<10) >> 11
		r[3] = (t6*25172 + z2 + z3 + 1<<10) >> 11
		r[1] = (t7*12299 + z1 + z4 + 1<<10) >> 11
	}
	for i := range 8 {
		r := b[i:][: 57 : 64-i]
		t0, t7, t1, t6 := r[0]+r[56], r[0]-r[56], r[8]+r[48], r[8]-r[48]
		t2, t5, t3, t4 := r[16]+r[40], r[16]-r[40], r[24]+r[32], r[24]-r[32]
		a0, a3, a1, a2 := t0+t3, t0-t3, t1+t2, t1-t2
		r[0], r[32] = (a0+a1+2)>>2, (a0-a1+2)>>2
		z := (a2 + a3) * 4433
		r[16], r[48] = (z+a3*6270+1<<14)>>15, (z-a2*15137+1<<14)>>15
		z1, z2, z3, z4 := (t4+t7)*-7373, (t5+t6)*-20995, t4+t6, t5+t7
		z5 := (z3 + z4) * 9633
		z3, z4 = z3*-16069+z5, z4*-3196+z5
		r[56] = (t4*2446 + z1 + z3 + 1<<14) >> 15
		r[40] = (t5*16819 + z2 + z4 + 1<<14) >> 15
		r[24] = (t6*25172 + z2 + z3 + 1<<14) >> 15
		r[8] = (t7*12299 + z1 + z4 + 1<<14) >> 15
	}
	out = out[:64]
	for n, at := range zigzag {
		out[n] = int16(b[at&63])
	}
}

// quantise divides by the steps of a quality from 1 to 100, counts what is to be
// written, and gives about how many bytes that is: never less than it becomes.
func (e *jpegEncoder) quantise(quality int) int {
	scale := 200 - 2*quality
	if quality < 50 {
		scale = 5000 / quality
	}
	var half, inverse [2][64]int32
	for t := range e.steps {
		for n, s := range steps50[t] {
			q := int32(max(1, min(255, (int(s)*scale+50)/100)))
			e.steps[t][n], half[t][n], inverse[t][n] = uint8(q), q*4, (1<<18+q*8-1)/(q*8)
		}
	}
	e.freq = [4][257]uint32{}
	var last [3]int16
	for b := range e.blocks {
		c := unit[b%6]
		t := min(c, 1)
		from, to := e.cosine[b*64:][:64:64], e.levels[b*64:][:64:64]
		h, inv := &half[t], &inverse[t]
		mask := uint64(0)
		for n, v := range from {
			w := int32(v)
			sign := w >> 31
			w = (w ^ sign) - sign
			if w < h[n] {
				to[n] = 0
				continue
			}
			to[n] = int16((((w + h[n]) * inv[n] >> 18) ^ sign) - sign)
			mask |= 1 << n
		}
		dc, ac := &e.freq[2*t], &e.freq[2*t+1]
		dc[category(to[0]-last[c])]++
		last[c] = to[0]
		mask &^= 1
		e.some[b] = mask
		before := 0
		for m := mask; m != 0; m &= m - 1 {
			n := bits.TrailingZeros64(m)
			run := n - before - 1
			for ; run > 15; run -= 16 {
				ac[0xF0]++
			}
			ac[run<<4|category(to[n])]++
			before = n
		}
		if before < 63 {
			ac[0]++
		}
	}
	e.freq[1][0], e.freq[3][0] = max(1, e.freq[1][0]), max(1, e.freq[3][0]) // a table has one code at least
	total := 0
	for i := range e.codes {
		e.codes[i].make(&e.freq[i])
		for symbol, n := range e.freq[i][:256] {
			total += int(n) * (int(e.codes[i].bits[symbol]) + symbol&15)
		}
	}
	return total/8 + total/8/64 + 1000 // what is stuffed behind bytes of ones; the head
}

// category is how many bits a number takes (table F.1).
func category(v int16) int {
	if v < 0 {
		v = -v
	}
	return bits.Len16(uint16(v))
}

// huffman is one table of codes.
type huffman struct {
	counts [17]uint8 // of codes by length
	order  []uint8   // the symbols, by length of their codes
	code   [256]uint16
	bits   [256]uint8
}

// make makes the best codes of at most 16 bits for symbols by how often they occur
// (§K.2).
func (h *huffman) make(freq *[257]uint32) {
	*h = huffman{order: h.order[:0]}
	freq[256] = 1 // so that no code is all ones
	type node struct {
		freq        uint64
		left, right int // -1: a symbol
		symbol      int
	}
	var nodes []node
	var alive []int
	for s, f := range freq {
		if f > 0 {
			alive = append(alive, len(nodes))
			nodes = append(nodes, node{uint64(f), -1, -1, s})
		}
	}
	for len(alive) > 1 {
		// The rarest last; among equals the larger symbol, for one result everywhere.
		slices.SortFunc(alive, func(a, b int) int {
			if nodes[a].freq != nodes[b].freq {
				if nodes[a].freq > nodes[b].freq {
					return -1
				}
				return 1
			}
			return a - b
		})
		a, b := alive[len(alive)-1], alive[len(alive)-2]
		nodes = append(nodes, node{nodes[a].freq + nodes[b].freq, a, b, -1})
		alive = append(alive[:len(alive)-2], len(nodes)-1)
	}
	var counts [257]int
	var walk func(n, depth int)
	lengths := [257]int{}
	walk = func(n, depth int) {
		if nodes[n].left < 0 {
			counts[max(1, depth)]++
			lengths[nodes[n].symbol] = max(1, depth)
			return
		}
		walk(nodes[n].left, depth+1)
		walk(nodes[n].right, depth+1)
	}
	walk(alive[0], 0)
	for i := 256; i > 16; i-- { // figure K.3
		for counts[i] > 0 {
			j := i - 2
			for counts[j] == 0 {
				j--
			}
			counts[i] -= 2
			counts[i-1]++
			counts[j+1] += 2
			counts[j]--
		}
	}
	for i := 16; ; i-- { // the place that no symbol takes is the last of the longest
		if counts[i] > 0 {
			counts[i]--
			break
		}
	}
	symbols := make([]int, 0, 256)
	for s := range 256 {
		if freq[s] > 0 {
			symbols = append(symbols, s)
		}
	}
	slices.SortStableFunc(symbols, func(a, b int) int { return lengths[a] - lengths[b] })
	code, k := uint16(0), 0
	for n := 1; n <= 16; n++ {
		h.counts[n] = uint8(counts[n])
		for range counts[n] {
			s := symbols[k]
			h.order = append(h.order, uint8(s))
			h.code[s], h.bits[s] = code, uint8(n)
			code++
			k++
		}
		code <<= 1
	}
}

// write gives the file of the quality that was quantised for.
func (e *jpegEncoder) write(room int) []byte {
	out := make([]byte, 0, room)
	segment := func(marker byte, body ...byte) {
		out = append(out, 0xFF, marker)
		out = binary.BigEndian.AppendUint16(out, uint16(len(body)+2))
		out = append(out, body...)
	}
	out = append(out, 0xFF, 0xD8)
	segment(0xE0, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0)
	segment(0xDB, append(append([]byte{0}, e.steps[0][:]...), append([]byte{1}, e.steps[1][:]...)...)...)
	segment(0xC0, 8, byte(e.h>>8), byte(e.h), byte(e.w>>8), byte(e.w), 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1)
	for i, id := range []byte{0x00, 0x10, 0x01, 0x11} {
		segment(0xC4, append(append([]byte{id}, e.codes[i].counts[1:]...), e.codes[i].order...)...)
	}
	segment(0xDA, 3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0)

	var acc uint64 // the lowest held bits are still to be written
	held := 0
	put := func(v uint32, n int) {
		acc = acc<<n | uint64(v)
		held += n
		if held < 32 {
			return
		}
		held -= 32
		four := uint32(acc >> held)
		// A byte of ones is followed by one of zeros (§B.1.1.5).
		if x := ^four; (x-0x01010101)&^x&0x80808080 == 0 {
			out = binary.BigEndian.AppendUint32(out, four)
			return
		}
		for shift := 24; shift >= 0; shift -= 8 {
			b := byte(four >> shift)
			out = append(out, b)
			if b == 0xFF {
				out = append(out, 0)
			}
		}
	}
	var last [3]int16
	for b := range e.blocks {
		c := unit[b%6]
		dc, ac := &e.codes[2*min(c, 1)], &e.codes[2*min(c, 1)+1]
		level := e.levels[b*64:][:64:64]
		d := level[0] - last[c]
		last[c] = level[0]
		symbol := func(h *huffman, s, size int, v int16) {
			if v < 0 {
				v--
			}
			put(uint32(h.code[s])<<size|uint32(v)&(1<<size-1), int(h.bits[s])+size)
		}
		size := category(d)
		symbol(dc, size, size, d)
		before := 0
		for m := e.some[b]; m != 0; m &= m - 1 {
			n := bits.TrailingZeros64(m)
			run := n - before - 1
			for ; run > 15; run -= 16 {
				put(uint32(ac.code[0xF0]), int(ac.bits[0xF0]))
			}
			size := category(level[n])
			symbol(ac, run<<4|size, size, level[n])
			before = n
		}
		if before < 63 {
			put(uint32(ac.code[0]), int(ac.bits[0]))
		}
	}
	if rest := held % 8; rest != 0 {
		put(1<<(8-rest)-1, 8-rest)
	}
	for ; held > 0; held -= 8 {
		b := byte(acc >> (held - 8))
		out = append(out, b)
		if b == 0xFF {
			out = append(out, 0)
		}
	}
	return append(out, 0xFF, 0xD9)
}
