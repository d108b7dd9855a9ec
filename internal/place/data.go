package place

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/binary"
	"fmt"
	"io"
	"sort"
	"strings"
	"sync"

	"paperwire/internal/paper"
)

// The table is made from npm packages; NODE_MODULES is the folder that holds
// them (gen/gen.mjs names the packages and their versions).
//
//go:generate sh -c "node gen/gen.mjs \"$NODE_MODULES\" divisions.tsv.gz"

//go:embed divisions.tsv.gz
var packed []byte

// Flags of a county in the table.
const (
	flagWord       = 1 << iota // w: the short name is also a word (解放, 博爱)
	flagShared                 // m: several counties, or a city, have the short name (山阳)
	flagGeneric                // g: the full name is a common noun (解放区, 新城区)
	flagZone                   // z: a statistical zone, not in GB/T 2260 (示范区)
	flagCommon                 // c: a town's name found in three or more counties (城关镇)
	flagListed                 // j: the segmenter's dictionary has the short name as a word
	flagHand                   // h: generic by hand, not by its form
	flagCommonWord             // v: the dictionary has the short name as a common word (解放)
)

// division is one row of the table.
type division struct {
	paper.Division
	flags    uint8
	official string   // a zone's name as the statistics print it, with province and city
	aliases  []string // from overrides, like what follows

	landmarks, stops []string
	trusted, retired bool

	row *row // of another country's table
}

// town is one row of a province's part, which is read only when it is asked for.
type town struct {
	code  string
	name  string
	flags uint8
}

// former is a county that no longer exists under that code or name.
type former struct {
	code, name string
	to         []string // today's codes
	hand       bool     // gen/former.tsv says so
}

// table is the embedded data as decoded, shared by every Gazetteer and never
// written to after base has made it.
type table struct {
	divisions []division // provinces, cities, counties by code
	formers   []former
	landmarks [][2]string         // county code, name
	stops     map[string]string   // short name -> words that contain it, joined by spaces
	handStops map[string]string   // the same, from gen/stops.tsv
	fuse      map[rune]string     // first rune of a name -> runes that make a word with it
	tail      map[rune]string     // last rune of a short name -> runes that make a word with it
	release   map[rune]string     // a rune of those -> runes with which it begins a word of its own
	towns     map[string]*members // by the first two digits of the code
}

// members is the packed part of one province.
type members struct {
	packed []byte
	once   sync.Once
	rows   []town // by code
}

// base decodes everything down to counties: about 100 KB of gzip, 5 ms. Towns wait.
var base = sync.OnceValues(func() (*table, error) {
	t := &table{stops: map[string]string{}, handStops: map[string]string{}, fuse: map[rune]string{}, tail: map[rune]string{}, release: map[rune]string{}, towns: map[string]*members{}}
	rest := packed
	for n := 0; len(rest) > 0; n++ {
		size, name, err := memberHeader(rest)
		if err != nil {
			return nil, fmt.Errorf("read the embedded divisions: part %d: %w", n, err)
		}
		if n > 0 {
			t.towns[name[:2]] = &members{packed: rest[:size]}
		} else {
			text, err := unpack(rest[:size])
			if err != nil {
				return nil, fmt.Errorf("read the embedded divisions: %w", err)
			}
			t.parse(text)
		}
		rest = rest[size:]
	}
	return t, nil
})

// memberHeader reads length and name off a gzip member written by gen.mjs: the
// length of the whole member is its extra field PW (RFC 1952 §2.3.1.1).
func memberHeader(b []byte) (size int, name string, err error) {
	if len(b) < 21 || b[0] != 0x1f || b[1] != 0x8b || b[12] != 'P' || b[13] != 'W' {
		return 0, "", fmt.Errorf("no gzip member with a length")
	}
	size = int(binary.LittleEndian.Uint32(b[16:]))
	end := bytes.IndexByte(b[20:], 0)
	if size > len(b) || end < 2 {
		return 0, "", fmt.Errorf("cut off")
	}
	return size, string(b[20 : 20+end]), nil
}

func unpack(b []byte) (string, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return "", err
	}
	var text strings.Builder
	text.Grow(int(binary.LittleEndian.Uint32(b[len(b)-4:])))
	if _, err := io.Copy(&text, z); err != nil {
		return "", err
	}
	return text.String(), nil
}

func (t *table) parse(text string) {
	t.divisions = make([]division, 0, 3400)
	for len(text) > 0 {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		var f [8]string
		n := 0
		for line != "" && n < len(f) {
			f[n], line, _ = strings.Cut(line, "\t")
			n++
		}
		switch f[0] {
		case "P", "C", "D":
			d := division{Division: paper.Division{Code: f[1], Name: f[2], Short: f[3], Slug: f[4]}, official: f[7]}
			switch f[0] {
			case "P":
				d.Level = "province"
			case "C":
				d.Level, d.Parent = "city", f[1][:2]+"0000"
			default:
				d.Level, d.Parent = "county", f[6]
			}
			d.flags = flags(f[5])
			t.divisions = append(t.divisions, d)
		case "F":
			t.formers = append(t.formers, former{code: f[1], name: f[2], to: strings.Split(f[3], ","), hand: f[4] == "h"})
		case "L":
			t.landmarks = append(t.landmarks, [2]string{f[1], f[2]})
		case "S":
			t.stops[f[1]], t.handStops[f[1]] = f[2], f[3]
		case "X":
			t.fuse[[]rune(f[1])[0]] = f[2]
		case "Y":
			t.tail[[]rune(f[1])[0]] = f[2]
		case "Z":
			t.release[[]rune(f[1])[0]] = f[2]
		}
	}
	sort.SliceStable(t.divisions, func(i, j int) bool { return t.divisions[i].Code < t.divisions[j].Code })
}

func flags(s string) uint8 {
	var v uint8
	for i := 0; i < len(s); i++ {
		if n := strings.IndexByte("wmgzcjhv", s[i]); n >= 0 {
			v |= 1 << n
		}
	}
	return v
}

// townsOf gives the towns of a province by the first two digits of its code.
func (t *table) townsOf(province string) []town {
	m := t.towns[province]
	if m == nil {
		return nil
	}
	m.once.Do(func() {
		text, err := unpack(m.packed)
		if err != nil {
			return // the test reads every part; a damaged binary has no towns
		}
		m.rows = make([]town, 0, strings.Count(text, "\n"))
		for len(text) > 0 {
			line, rest, _ := strings.Cut(text, "\n")
			text = rest
			line = strings.TrimPrefix(line, "T\t")
			code, line, _ := strings.Cut(line, "\t")
			name, f, _ := strings.Cut(line, "\t")
			m.rows = append(m.rows, town{code: code, name: name, flags: flags(f)})
		}
	})
	return m.rows
}

// townsUnder gives the towns whose code starts with a county's code.
func (t *table) townsUnder(county string) []town {
	rows := t.townsOf(county[:2])
	from := sort.Search(len(rows), func(i int) bool { return rows[i].code >= county })
	to := from
	for to < len(rows) && strings.HasPrefix(rows[to].code, county) {
		to++
	}
	return rows[from:to]
}
