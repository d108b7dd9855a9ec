package card

// telegramCaption is how long the caption of a picture may be, in UTF-16 units.
const telegramCaption = 1024

func init() {
	register(Platform{
		Key: "telegram", Name: "Telegram", Limit: 4096, Unit: "UTF-16 units", Measure: units, Image: "og",
		About: "a message, and the same as the caption of a picture", Spec: "https://core.telegram.org/bots/api#sendmessage",
		write: func(w *writer) Post {
			p := w.post(plainly)
			p.Intent = query("https://t.me/share/url?", "url", p.URL, "text", plainly.join(w.doc.Title, w.rest(), ""))
			caption := Field{Name: "caption", Text: p.Text, Length: p.Length, Limit: telegramCaption, Unit: p.Unit, Truncated: p.Truncated}
			if p.Length > telegramCaption {
				caption.Text, caption.Length, caption.Truncated = w.text(plainly, p.URL, telegramCaption, units)
			}
			p.Fields = []Field{caption}
			return p
		},
	})
}
