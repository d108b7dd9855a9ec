package push

import "time"

// WeCom (企业微信) group robots: 1 to 8 articles of news, titles of 128 bytes,
// descriptions of 512, 2,048 bytes of text, 20 messages a minute.
func init() {
	registerRobot("wecom", robot{
		most: 8, bytes: 2048, pause: 4 * time.Second,
		headlines: func(title string, list []headline) any {
			type article struct {
				Title       string `json:"title"`
				Description string `json:"description,omitempty"`
				URL         string `json:"url"`
				PicURL      string `json:"picurl,omitempty"`
			}
			var articles []article
			for i, h := range list {
				a := article{Title: clip(h.title, 128), URL: h.url, PicURL: h.picture}
				if i == 0 {
					a.Description = clip(title, 512)
					if len(list) == 1 && h.digest != "" {
						a.Description = clip(title+" "+h.digest, 512)
					}
				}
				articles = append(articles, a)
			}
			return map[string]any{"msgtype": "news", "news": map[string]any{"articles": articles}}
		},
		text: func(s string) any {
			return map[string]any{"msgtype": "text", "text": map[string]any{"content": s}}
		},
		// The key in its URL is all it knows of secrets.
		sign: func(_ time.Time, _, url string, message any) (string, any) { return url, message },
		judge: func(answer []byte) (verdict, bool) {
			// 45009: more than 20 a minute. 40058, 44004, 45002: it does not like the message.
			return coded(answer, "errcode", "errmsg", map[int]time.Duration{45009: time.Minute}, 40058, 44004, 45002)
		},
	})
}
