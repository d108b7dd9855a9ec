package card

import "strings"

// The limits of draft/add. Characters are counted as UTF-16 does, the strictest way.
const (
	draftAuthor = 16
	draftDigest = 128
	draftURL    = 1024 // bytes
)

func init() {
	register(Platform{
		Key: "wechat_draft", Name: "WeChat, article of a draft", Limit: 32, Unit: "UTF-16 units", Measure: units, Image: "wechat_cover",
		About: "title, author and digest of draft/add; the body is in the feed .wechat", Spec: "https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Add_draft.html",
		write: func(w *writer) Post {
			var author strings.Builder
			left := false
			for i, a := range w.doc.Authors { // as many names as fit
				if i > 0 && units(author.String())+1+units(a.Name) > draftAuthor {
					left = true
					break
				}
				if i > 0 {
					author.WriteByte(' ')
				}
				author.WriteString(a.Name)
			}
			by := w.field("author", author.String(), draftAuthor, "UTF-16 units", units)
			by.Truncated = by.Truncated || left
			digest := w.field("digest", w.summary(false), draftDigest, "UTF-16 units", units)
			p := w.titled(by, digest)
			payload := map[string]string{"title": p.Text, "author": by.Text, "digest": digest.Text}
			for _, link := range []string{p.URL, w.doc.URL} {
				if len(link) <= draftURL {
					payload["content_source_url"] = link
					break
				}
			}
			p.Payload = payload
			return p
		},
	})
}
