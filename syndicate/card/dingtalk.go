package card

func init() {
	register(Platform{
		Key: "dingtalk", Name: "DingTalk robot", Limit: 100, Unit: "UTF-16 units", Measure: units, Image: "og",
		About: "a link message; an entry of a feedCard has the same names",
		write: func(w *writer) Post {
			text := w.field("text", w.summary(true), 500, "UTF-16 units", units)
			p := w.titled(text)
			p.Payload = map[string]string{"title": p.Text, "text": text.Text, "messageUrl": p.URL, "picUrl": p.Image}
			return p
		},
	})
}
