package card

import "unicode/utf8"

func init() {
	register(Platform{
		Key: "threads", Name: "Threads", Limit: 500, Unit: "characters, emoji as bytes", Measure: threadsLength, Image: "og",
		About: "a text post", Spec: "https://developers.facebook.com/docs/threads/posts",
		write: func(w *writer) Post {
			p := w.post(plainly)
			p.Intent = query("https://www.threads.com/intent/post?", "text", p.Text)
			return p
		},
	})
}

// threadsLength counts characters, and of emoji the bytes of their UTF-8. What is
// not in the first plane is taken for one.
func threadsLength(s string) int {
	n := 0
	for _, r := range s {
		if r > 0xffff || pictorial(r) {
			n += utf8.RuneLen(r)
		} else {
			n++
		}
	}
	return n
}
