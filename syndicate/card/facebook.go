package card

func init() {
	register(Platform{
		Key: "facebook", Name: "Facebook", Limit: 63_206, Unit: "UTF-16 units", Measure: units, Image: "og",
		About: "a post of a page; its card is read off the share page", Spec: "https://developers.facebook.com/docs/graph-api/reference/page/feed/",
		write: func(w *writer) Post {
			p := w.post(plainly)
			p.Intent = query("https://www.facebook.com/sharer/sharer.php?", "u", p.URL)
			return p
		},
	})
}
