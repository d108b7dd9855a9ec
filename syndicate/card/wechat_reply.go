package card

func init() {
	register(Platform{
		Key: "wechat_reply", Name: "WeChat, answer to a message", Limit: 64, Unit: "UTF-16 units", Measure: units, Image: "wechat_cover",
		About: "an article of a news reply",
		write: func(w *writer) Post {
			description := w.field("description", w.summary(false), MaxDescription, "UTF-16 units", units)
			p := w.titled(description)
			p.Payload = map[string]string{"Title": p.Text, "Description": description.Text, "PicUrl": p.Image, "Url": p.URL}
			return p
		},
	})
}
