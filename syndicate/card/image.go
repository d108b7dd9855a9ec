package card

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"

	"paperwire/internal/paper"
)

// drawnBy is the version of what draws: one more whenever the same article gets
// another picture, since addresses are cached for ever.
const drawnBy = 3

// sizes in the order of the card document.
var sizes = [...]Size{
	{"og", 1200, 630},          // Open Graph
	{"r16x9", 1600, 900},       // Google wants these three ratios
	{"r4x3", 1200, 900},        //
	{"r1x1", 1080, 1080},       //
	{"wechat_cover", 900, 383}, // 2.35:1
	{"wecom", 1068, 455},       //
	{"miniprogram", 500, 400},  // 5:4
	{"thumb", 200, 200},        // WeChat's share card
}

// sizeOf finds a size by its name, which may end with [Dark].
func sizeOf(name string) (s Size, dark, ok bool) {
	name, dark = strings.CutSuffix(name, Dark)
	for _, s := range sizes {
		if s.Name == name {
			return s, dark, true
		}
	}
	return Size{}, false, false
}

// Of a picture that a card shows.
const (
	minPhotoSide  = 200 // pixels
	maxPhotoRatio = 5   // of its sides: a banner or a strip is no picture
)

var copyName = regexp.MustCompile(`^[0-9a-f]{64}\.(?:jpg|png|gif|webp)$`)

func photoOf(item paper.Item, links Links) (img paper.Image, name string, ok bool) {
	for _, i := range item.Images {
		name := ""
		if i.Mirror != nil {
			i.Width, i.Height = i.Mirror.Width, i.Mirror.Height
			name = i.Mirror.Name
		} else if at, ours := strings.CutPrefix(i.URL, links.Base+"/img/"); ours {
			name = at
		}
		if copyName.MatchString(name) && min(i.Width, i.Height) >= minPhotoSide && max(i.Width, i.Height) <= maxPhotoRatio*min(i.Width, i.Height) {
			return i, name, true
		}
	}
	return paper.Image{}, "", false
}

func madeFrom(item paper.Item, links Links) string {
	b := make([]byte, 0, 1<<10)
	add := func(s string) {
		b = strconv.AppendInt(b, int64(len(s)), 10)
		b = append(b, ':')
		b = append(b, s...)
	}
	add(strconv.Itoa(drawnBy))
	add(links.Look)
	add(links.Base)
	add(links.Site)
	add(item.ID)
	add(strconv.Itoa(item.Version))
	_, photo, _ := photoOf(item, links)
	add(photo)
	if f, ok := links.Focus[item.ID]; ok {
		add(strconv.FormatFloat(f.X, 'g', -1, 64))
		add(strconv.FormatFloat(f.Y, 'g', -1, 64))
	}
	// A version is one of the content; what it is filed under, and what the paper
	// and its page are called, may change without one.
	add(item.PaperName)
	add(item.Page.Number)
	add(item.Page.Name)
	for _, s := range item.Sections[:min(1, len(item.Sections))] {
		add(s.Name)
	}
	for _, t := range item.Districts[:min(1, len(item.Districts))] {
		add(t.Name)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
