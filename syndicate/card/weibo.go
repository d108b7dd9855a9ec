package card

import "strings"

func init() {
	register(Platform{
		Key: "weibo", Name: "Weibo", Limit: 140, Unit: "Han characters", Measure: hanLength, Image: "og",
		About: "a post as newspapers write them, the headline in 【】", Spec: "https://open.weibo.com/wiki/2/statuses/share",
		write: func(w *writer) Post {
			f := form{open: "【", shut: "】", before: " "}
			if strings.ContainsAny(w.doc.Title, "【】") {
				f = form{between: " ", before: " "}
			}
			p := w.post(f)
			title, _, _ := strings.Cut(p.Text, f.before+w.doc.URL) // the form adds the address itself
			p.Intent = query("https://service.weibo.com/share/share.php?", "url", p.URL, "title", title, "pic", p.Image)
			return p
		},
	})
}

// hanLength counts in Han characters, of which ASCII takes a half and what lies
// beyond the first plane two. An address is counted as it is written: that it
// counts as ten once Weibo has shortened it is nowhere promised.
func hanLength(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case r < 0x80:
			n++
		case r <= 0xffff:
			n += 2
		default:
			n += 4
		}
	}
	return (n + 1) / 2
}
