package card

func init() {
	register(Platform{
		Key: "miniprogram", Name: "WeChat mini-program", Limit: 64, Unit: "UTF-16 units", Measure: units, Image: "miniprogram",
		About: "the title and the 5:4 picture of onShareAppMessage; the path is the mini-program's own",
		write: func(w *writer) Post {
			p := w.titled()
			p.Payload = map[string]string{"title": p.Text, "imageUrl": p.Image}
			return p
		},
	})
}
