package push

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// DingTalk (钉钉) group robots: feedCard, 20 messages a minute and then silence for
// ten. The signature stands in the URL: HMAC-SHA256 with the secret as key, of the
// milliseconds, a line feed and the secret.
func init() {
	registerRobot("dingtalk", robot{
		most: 8, bytes: 4096, pause: 4 * time.Second,
		headlines: func(title string, list []headline) any {
			type link struct {
				Title      string `json:"title"`
				MessageURL string `json:"messageURL"`
				PicURL     string `json:"picURL"`
			}
			var links []link
			for i, h := range list {
				text := h.title
				if i == 0 {
					text = clip(title, 120) + " " + text // there is no title of its own
				}
				links = append(links, link{clip(text, 240), h.url, h.picture})
			}
			return map[string]any{"msgtype": "feedCard", "feedCard": map[string]any{"links": links}}
		},
		text: func(s string) any {
			return map[string]any{"msgtype": "text", "text": map[string]any{"content": s}}
		},
		sign: func(now time.Time, secret, to string, message any) (string, any) {
			at := strconv.FormatInt(now.UnixMilli(), 10)
			m := hmac.New(sha256.New, []byte(secret))
			m.Write([]byte(at + "\n" + secret))
			q := url.Values{"timestamp": {at}, "sign": {base64.StdEncoding.EncodeToString(m.Sum(nil))}}
			if strings.Contains(to, "?") {
				return to + "&" + q.Encode(), message
			}
			return to + "?" + q.Encode(), message
		},
		judge: func(answer []byte) (verdict, bool) {
			// 130101, 410100: more than 20 a minute. 310000 is a wrong signature, key word or
			// address: the operator can mend it, so it is tried again. 430101 to 430104 are
			// its objections to a link, a text, a picture and to all of it.
			return coded(answer, "errcode", "errmsg", map[int]time.Duration{130101: 10 * time.Minute, 410100: 10 * time.Minute}, 40035, 430101, 430102, 430103, 430104)
		},
	})
}
