package place

import "unicode/utf8"

// trie finds names in text, leftmost and longest. Nearly all runes of a text
// are turned away by the first rune's bit or by that of the first two, so a
// megabyte costs a few milliseconds. It is built once and then read only.
type trie struct {
	keys  []uint64 // open addressing: parent<<21 | rune, 0 where empty
	kids  []int32
	used  int
	terms []int32         // by node: id of what ends here, or -1
	first [1 << 10]uint64 // bit per rune of the basic plane
	pair  [1 << 12]uint64 // bit per hash of two runes: 262,144 bits
}

func newTrie(sizeHint int) *trie {
	n := 1024
	for n < sizeHint*2 {
		n *= 2
	}
	return &trie{keys: make([]uint64, n), kids: make([]int32, n), terms: []int32{-1}}
}

func hash64(k uint64) uint64 {
	k *= 0x9e3779b97f4a7c15
	return k ^ k>>29
}

func pairBit(a, b rune) (int, uint64) {
	h := hash64(uint64(a)<<21|uint64(b)) >> 32 & (1<<18 - 1)
	return int(h >> 6), 1 << (h & 63)
}

func (t *trie) child(node int32, r rune) int32 {
	key := uint64(node+1)<<21 | uint64(r)
	mask := uint64(len(t.keys) - 1)
	for i := hash64(key) & mask; ; i = (i + 1) & mask {
		switch t.keys[i] {
		case key:
			return t.kids[i]
		case 0:
			return -1
		}
	}
}

func (t *trie) put(key uint64, kid int32) {
	mask := uint64(len(t.keys) - 1)
	i := hash64(key) & mask
	for t.keys[i] != 0 {
		i = (i + 1) & mask
	}
	t.keys[i], t.kids[i] = key, kid
	t.used++
}

// add puts a name in and returns the id that stands for it: the given one, or
// the one that an earlier add of the same name gave. Names have two runes or more.
func (t *trie) add(name string, id int32) int32 {
	node, n := int32(0), 0
	var one rune
	for _, r := range name {
		switch n {
		case 0:
			one = r
			if r < 1<<16 {
				t.first[r>>6] |= 1 << (r & 63)
			}
		case 1:
			w, b := pairBit(one, r)
			t.pair[w] |= b
		}
		n++
		kid := t.child(node, r)
		if kid < 0 {
			if t.used*2 >= len(t.keys) {
				t.grow()
			}
			kid = int32(len(t.terms))
			t.terms = append(t.terms, -1)
			t.put(uint64(node+1)<<21|uint64(r), kid)
		}
		node = kid
	}
	if t.terms[node] < 0 {
		t.terms[node] = id
	}
	return t.terms[node]
}

func (t *trie) grow() {
	keys, kids := t.keys, t.kids
	t.keys, t.kids, t.used = make([]uint64, 2*len(keys)), make([]int32, 2*len(kids)), 0
	for i, k := range keys {
		if k != 0 {
			t.put(k, kids[i])
		}
	}
}

// prefix gives the id of the longest name that s begins with, and its length in
// bytes; -1 where there is none.
func (t *trie) prefix(s string) (id int32, size int) {
	id = -1
	node := int32(0)
	for i, r := range s {
		if node = t.child(node, r); node < 0 {
			break
		}
		if t.terms[node] >= 0 {
			id, size = t.terms[node], i+utf8.RuneLen(r)
		}
	}
	return id, size
}

// hit is a name found in a text.
type hit struct {
	id         int32
	from, to   int // bytes
	rune, size int // offset and length in runes
}

// scan appends the names in s to hits, from left to right, at most limit.
func (t *trie) scan(s string, hits []hit, limit int) []hit {
	pos := 0 // in runes
	for i := 0; i < len(s); pos++ {
		c := s[i]
		if c < utf8.RuneSelf {
			i++
			continue
		}
		r, w := decode(s, i)
		if r >= 1<<16 || t.first[r>>6]&(1<<(r&63)) == 0 || i+w >= len(s) {
			i += w
			continue
		}
		r2, w2 := decode(s, i+w)
		if word, bit := pairBit(r, r2); t.pair[word]&bit == 0 {
			i += w
			continue
		}
		node := t.child(0, r)
		if node >= 0 {
			node = t.child(node, r2)
		}
		end, n, id, size := i+w+w2, 2, int32(-1), 0
		to := 0
		for node >= 0 {
			if t.terms[node] >= 0 {
				id, to, size = t.terms[node], end, n
			}
			if end >= len(s) {
				break
			}
			r, w := decode(s, end)
			node = t.child(node, r)
			end += w
			n++
		}
		if id < 0 {
			i += w
			continue
		}
		hits = append(hits, hit{id: id, from: i, to: to, rune: pos, size: size})
		if len(hits) >= limit {
			return hits
		}
		i = to
		pos += size - 1
	}
	return hits
}

// decode is utf8.DecodeRuneInString with the three-byte form, which Chinese is
// written in, done at once.
func decode(s string, i int) (rune, int) {
	if c := s[i]; c >= 0xe1 && c <= 0xec && i+2 < len(s) && s[i+1]&0xc0 == 0x80 && s[i+2]&0xc0 == 0x80 {
		return rune(c&0x0f)<<12 | rune(s[i+1]&0x3f)<<6 | rune(s[i+2]&0x3f), 3
	}
	return utf8.DecodeRuneInString(s[i:])
}
