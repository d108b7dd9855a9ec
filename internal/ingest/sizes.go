package ingest

import (
	"strconv"
	"strings"
	"sync"

	"golang.org/x/net/html"

	"paperwire/internal/fetch"
	"paperwire/internal/paper"
)

// maxRemembered bounds the picture heads that are remembered.
const maxRemembered = 4096

// pictureMemory remembers the heads of pictures that several articles show: a
// logo, a column's picture. The zero value is ready.
type pictureMemory struct {
	mu    sync.Mutex
	heads map[string]fetch.Picture
}

func (m *pictureMemory) get(url string) (fetch.Picture, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.heads[url]
	return p, ok
}

func (m *pictureMemory) put(url string, p fetch.Picture) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.heads == nil || len(m.heads) >= maxRemembered {
		m.heads = map[string]fetch.Picture{}
	}
	m.heads[url] = p
}

// sizes writes the size of each known picture into the <img> that shows it:
// schedulers take the first picture that has width and height.
func sizes(a *paper.Article) {
	known := map[string]paper.Image{}
	for _, i := range a.Images {
		if i.Width > 0 && i.Height > 0 {
			known[i.URL] = i
		}
	}
	if len(known) == 0 || !strings.Contains(a.HTML, "<img") {
		return
	}
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(a.HTML))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			break // end of input: the text is well-formed and in memory
		}
		raw := string(z.Raw())
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			b.WriteString(raw)
			continue
		}
		t := z.Token()
		i, ok := known[attr(t, "src")]
		if t.Data != "img" || !ok || attr(t, "width") != "" {
			b.WriteString(raw)
			continue
		}
		t.Attr = append(t.Attr,
			html.Attribute{Key: "width", Val: strconv.Itoa(i.Width)},
			html.Attribute{Key: "height", Val: strconv.Itoa(i.Height)})
		b.WriteString(t.String())
	}
	a.HTML = b.String()
}

func attr(t html.Token, key string) string {
	for _, a := range t.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
