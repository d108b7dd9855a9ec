package syndicate

import (
	"strings"
	"testing"

	"paperwire/internal/paper"
	"paperwire/syndicate/push"
)

// A format that tells of no withdrawals makes no notice of one.
func TestNoticeOfAWithdrawal(t *testing.T) {
	m := newMemory()
	s, _ := open(t, m)
	id := m.items[3].ID
	m.items[3].State, m.items[3].Headline, m.items[3].Text, m.items[3].HTML = paper.Withdrawn, "", "", ""
	for ext, want := range map[string]int{"wechat": 0, "rss": 1, "ninjs": 1} {
		n, err := (&press{s: s}).Notice(t.Context(), paper.Scope{}, ext, []string{id})
		if err != nil || n.Items != want {
			t.Errorf("%s: %d items, want %d: %v", ext, n.Items, want, err)
		}
	}
}

// An outside hub is named by the feeds whose topics it is told of, ours by all of them.
func TestHubsOfFeeds(t *testing.T) {
	d := push.New(push.Options{Base: "https://news.example.cn", Pings: push.PingOptions{Hubs: []string{"https://hub.example/"}}})
	s, _ := open(t, newMemory(), func(o *Options) { o.Push = d })
	for target, outside := range map[string]bool{
		"/feeds/all.rss": true, "/feeds/paper/demo.atom": true, "/feeds/section/yaowen.json": true, "/feeds/district/410825.rss": true,
		"/feeds/paper/demo/section/yaowen.rss": false, "/feeds/-section/yaowen.rss": false, "/feeds/paper/demo/page/01.atom": false,
		"/feeds/paper/abend,demo.rss": false, "/feeds/all.ninjs": false,
	} {
		r := ask(s, "GET", target)
		link := strings.Join(r.Header["Link"], ", ")
		text := body(t, r)
		if !strings.Contains(link, `<https://news.example.cn/hub>; rel="hub"`) {
			t.Errorf("%s: our hub is not announced: %s", target, link)
		}
		if got := strings.Contains(link, "hub.example"); got != outside || strings.Contains(text, "https://hub.example/") && !outside {
			t.Errorf("%s: the outside hub: %v, want %v", target, got, outside)
		}
	}
	for _, f := range (&press{s: s}).Topics(paper.Scope{}) {
		if !strings.Contains(strings.Join(ask(s, "GET", strings.TrimPrefix(f, "https://news.example.cn")).Header["Link"], ""), "hub.example") {
			t.Errorf("%s is told of and does not say so", f)
		}
	}
}
