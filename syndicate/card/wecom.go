package card

func init() {
	register(Platform{
		Key: "wecom", Name: "WeCom robot", Limit: 128, Unit: "bytes", Measure: size, Image: "wecom",
		About: "an article of a news message", Spec: "https://developer.work.weixin.qq.com/document/path/91770",
		write: func(w *writer) Post {
			description := w.field("description", w.summary(false), 512, "bytes", size)
			p := w.titled(description)
			p.Payload = map[string]string{"title": p.Text, "description": description.Text, "url": p.URL, "picurl": p.Image}
			return p
		},
	})
}
