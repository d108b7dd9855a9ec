package card

func init() {
	register(Platform{
		Key: "feishu", Name: "Feishu robot", Limit: 300, Unit: "bytes", Measure: size, Image: "og",
		About: "title and text of a post message, far below its 20 KB",
		write: func(w *writer) Post {
			text := w.field("text", w.summary(true), 2000, "bytes", size)
			p := w.titled(text)
			p.Payload = feishuPost{Title: p.Text, Content: [][]feishuElement{
				{{Tag: "text", Text: text.Text}}, {{Tag: "a", Text: p.URL, Href: p.URL}},
			}}
			return p
		},
	})
}

// feishuPost is what stands under a language in a post message.
type feishuPost struct {
	Title   string            `json:"title"`
	Content [][]feishuElement `json:"content"`
}

type feishuElement struct {
	Tag  string `json:"tag"`
	Text string `json:"text"`
	Href string `json:"href,omitempty"`
}
