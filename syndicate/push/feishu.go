package push

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Feishu (飞书) group robots: 20 KB a message, 100 a minute, 5 a second. The
// signature stands in the message: HMAC-SHA256 of nothing, with the seconds, a line
// feed and the secret as key.
func init() {
	registerRobot("feishu", robot{
		most: 20, bytes: 8 << 10, pause: time.Second,
		headlines: func(title string, list []headline) any {
			// A post, not a card: its links are fields, so no headline can be markup.
			type tag struct {
				Tag  string `json:"tag"`
				Text string `json:"text"`
				Href string `json:"href,omitempty"`
			}
			var lines [][]tag
			for _, h := range list {
				lines = append(lines, []tag{{"a", clip(h.title, 300), h.url}})
			}
			return map[string]any{"msg_type": "post", "content": map[string]any{"post": map[string]any{"zh_cn": map[string]any{
				"title": clip(title, 300), "content": lines,
			}}}}
		},
		text: func(s string) any {
			// In a text <at user_id="all"> calls everybody in the group: no publisher's
			// headline may.
			s = strings.ReplaceAll(s, "<", "＜")
			return map[string]any{"msg_type": "text", "content": map[string]any{"text": s}}
		},
		sign: func(now time.Time, secret, url string, message any) (string, any) {
			at := strconv.FormatInt(now.Unix(), 10)
			m := hmac.New(sha256.New, []byte(at+"\n"+secret))
			if fields, ok := message.(map[string]any); ok {
				fields["timestamp"], fields["sign"] = at, base64.StdEncoding.EncodeToString(m.Sum(nil))
			}
			return url, message
		},
		judge: func(answer []byte) (verdict, bool) {
			// Old robots answer StatusCode, new ones code. 11232: too many, as at every
			// full and half hour. 9499, 19002: it does not like the message.
			key, text := "code", "msg"
			var old struct {
				Code       *int
				StatusCode *int
			}
			if json.Unmarshal(answer, &old) == nil && old.Code == nil && old.StatusCode != nil {
				key, text = "StatusCode", "StatusMessage"
			}
			return coded(answer, key, text, map[int]time.Duration{11232: time.Minute, 99991400: time.Minute}, 9499, 19002)
		},
	})
}
