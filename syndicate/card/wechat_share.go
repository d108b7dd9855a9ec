package card

func init() {
	register(Platform{
		Key: "wechat_share", Name: "WeChat, shared from the page", Limit: 512, Unit: "bytes", Measure: size, Image: "thumb",
		About: "the data of updateAppMessageShareData and updateTimelineShareData", Spec: "https://developers.weixin.qq.com/doc/oplatform/Mobile_App/Share_and_Favorites/Android.html",
		write: func(w *writer) Post {
			desc := w.field("desc", w.summary(true), 1024, "bytes", size)
			p := w.titled(desc)
			p.Payload = map[string]string{"title": p.Text, "desc": desc.Text, "link": p.URL, "imgUrl": p.Image}
			return p
		},
	})
}
