package card

import "strings"

// blueskyBytes is the other limit of a post.
const blueskyBytes = 3000

func init() {
	register(Platform{
		Key: "bluesky", Name: "Bluesky", Limit: 300, Unit: "graphemes", Measure: blueskyLength, Image: "og",
		About: "a post with its address as a facet, and the card to embed", Spec: "https://docs.bsky.app/docs/advanced-guides/posts",
		write: func(w *writer) Post {
			p := w.post(plainly)
			p.Intent = query("https://bsky.app/intent/compose?", "text", p.Text)
			record := blueskyPost{Type: "app.bsky.feed.post", Text: p.Text, Embed: blueskyEmbed{
				Type: "app.bsky.embed.external", External: blueskyCard{URI: p.URL, Title: w.doc.Title, Description: w.doc.Description},
			}}
			if w.item.Language != "" {
				record.Langs = []string{w.item.Language}
			}
			if at := strings.LastIndex(p.Text, w.doc.URL); at >= 0 {
				record.Facets = []blueskyFacet{{
					Index:    blueskyRange{at, len(p.Text)},
					Features: []blueskyFeature{{Type: "app.bsky.richtext.facet#link", URI: p.Text[at:]}},
				}}
			}
			p.Payload = record
			return p
		},
	})
}

// blueskyLength counts graphemes. A text may have 3,000 bytes besides, ten for each
// of 300 graphemes: where it has more, it is as long as its bytes make it.
func blueskyLength(s string) int {
	n := graphemes(s)
	if len(s) > blueskyBytes {
		n = max(n, (len(s)+9)/10)
	}
	return n
}

// blueskyPost is a record of app.bsky.feed.post, but for createdAt and the
// uploaded thumbnail. Positions count bytes.
type blueskyPost struct {
	Type   string         `json:"$type"`
	Text   string         `json:"text"`
	Langs  []string       `json:"langs,omitempty"`
	Facets []blueskyFacet `json:"facets,omitempty"`
	Embed  blueskyEmbed   `json:"embed"`
}

type blueskyFacet struct {
	Index    blueskyRange     `json:"index"`
	Features []blueskyFeature `json:"features"`
}

type blueskyRange struct {
	Start int `json:"byteStart"`
	End   int `json:"byteEnd"`
}

type blueskyFeature struct {
	Type string `json:"$type"`
	URI  string `json:"uri"`
}

type blueskyEmbed struct {
	Type     string      `json:"$type"`
	External blueskyCard `json:"external"`
}

type blueskyCard struct {
	URI         string `json:"uri"`
	Title       string `json:"title"`
	Description string `json:"description"`
}
