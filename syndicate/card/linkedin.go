package card

func init() {
	register(Platform{
		Key: "linkedin", Name: "LinkedIn", Limit: 3000, Unit: "UTF-16 units", Measure: units, Image: "og",
		About: "the commentary of a post; its card is read off the share page", Spec: "https://learn.microsoft.com/linkedin/marketing/community-management/shares/posts-api",
		write: func(w *writer) Post {
			p := w.post(plainly)
			p.Intent = query("https://www.linkedin.com/sharing/share-offsite/?", "url", p.URL)
			return p
		},
	})
}
