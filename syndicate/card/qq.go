package card

func init() {
	register(Platform{
		Key: "qq", Name: "QQ and QZone", Limit: 200, Unit: "UTF-16 units", Measure: units, Image: "thumb",
		About: "title and summary of a share; the page has them as itemprop too", Spec: "https://connect.qq.com/intro/share/",
		write: func(w *writer) Post {
			summary := w.field("summary", w.summary(false), 600, "UTF-16 units", units)
			p := w.titled(summary)
			p.Intent = query("https://sns.qzone.qq.com/cgi-bin/qzshare/cgi_qzshare_onekey?",
				"url", p.URL, "title", p.Text, "summary", summary.Text, "site", w.doc.SiteName, "pics", p.Image)
			return p
		},
	})
}
