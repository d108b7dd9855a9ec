package card

import "strings"

func init() {
	register(Platform{
		Key: "linkedin", Name: "LinkedIn", Limit: 3000, Unit: "UTF-16 units", Measure: units, Image: "og",
		About: "the commentary of a post; its card is read off the share page", Spec: "https://learn.microsoft.com/linkedin/marketing/community-management/shares/posts-api",
		write: func(w *writer) Post {
			p := w.post(plainly)
			p.Payload = map[string]string{"commentary": littleText.Replace(p.Text)}
			p.Intent = query("https://www.linkedin.com/sharing/share-offsite/?", "url", p.URL)
			return p
		},
	})
}

// littleText escapes what has a meaning in a commentary of the Posts API, which else
// ends at the first bracket.
var littleText = func() *strings.Replacer {
	var pairs []string
	for _, c := range `\|{}@[]()<>#*_~` {
		pairs = append(pairs, string(c), `\`+string(c))
	}
	return strings.NewReplacer(pairs...)
}()
