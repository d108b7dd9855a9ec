package card

func init() {
	register(Platform{
		Key: "mastodon", Name: "Mastodon", Limit: 500, Unit: "graphemes", Measure: graphemes, Image: "og",
		// Mastodon counts an address as 23; ours is counted as it is written, so that
		// other servers of the fediverse take the post too.
		About: "a status; its card is read off the share page", Spec: "https://docs.joinmastodon.org/user/posting/",
		write: func(w *writer) Post { return w.post(plainly) },
	})
}
