package push

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"paperwire/internal/paper"
)

// pinger is one address outside that is told what changed.
type pinger struct {
	url string // without a secret
	// post makes the request of the first events and says of how many; a nil parcel
	// where nothing is to be told of them.
	post func(d *Dispatch, ctx context.Context, events []paper.Event) (p *parcel, told int, err error)
}

// What one ping of a hub names at most: parts, each in several formats. A search engine
// is told of as many pages as are looked at together, which is fewer than it takes.
const pingTopics = 100

func pingers(o PingOptions) map[string]pinger {
	m := map[string]pinger{}
	for _, hub := range o.Hubs {
		sum := sha256.Sum256([]byte(hub))
		m["ping:hub:"+hex.EncodeToString(sum[:6])] = pinger{url: hub, post: func(d *Dispatch, _ context.Context, events []paper.Event) (*parcel, int, error) {
			p, told := d.pingHub(hub, events)
			return p, told, nil
		}}
	}
	if o.IndexNow != "" {
		m["ping:indexnow"] = pinger{url: o.IndexNow, post: (*Dispatch).pingIndexNow}
	}
	if o.Baidu != "" {
		m["ping:baidu"] = pinger{url: o.Baidu, post: (*Dispatch).pingBaidu}
	}
	return m
}

func (d *Dispatch) composePing(ctx context.Context, r *paper.Receiver, events []paper.Event) (*parcel, error) {
	x, ok := d.pings[r.ID]
	if !ok {
		return nil, fmt.Errorf("ping %s is not in the configuration of this process", r.ID)
	}
	p, told, err := x.post(d, ctx, events)
	if err != nil {
		return nil, err
	}
	last := events[told-1]
	if p == nil {
		return d.nothing(ctx, r, events, last.Cursor())
	}
	p.id, p.kind, p.through, p.since, p.pause = last.ID(), last.Kind, last.Cursor(), last.At, 10*time.Second
	return p, nil
}

// pingHub tells an outside hub which topics changed (hub.mode=publish, as hubs that
// are in use take it; WebSub §6 leaves it open): of as many events as have room.
func (d *Dispatch) pingHub(hub string, events []paper.Event) (p *parcel, told int) {
	form := url.Values{"hub.mode": {"publish"}}
	seen := map[string]bool{}
	for _, e := range events {
		var parts []string
		if e.Article != "" {
			parts = slices.DeleteFunc(append([]string{"all", "paper/" + e.Paper}, e.Parts...), func(part string) bool { return seen[part] })
		}
		if told > 0 && len(seen)+len(parts) > pingTopics {
			break
		}
		told++
		for _, part := range parts {
			seen[part] = true
			if scope, err := paper.ParseScope(part); err == nil {
				form["hub.url"] = append(form["hub.url"], d.press.Topics(scope)...)
			}
		}
	}
	if len(form["hub.url"]) == 0 {
		return nil, told
	}
	return &parcel{url: hub, body: []byte(form.Encode()), header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}}, told
}

// pages are the share pages of the events' articles, as far as they are the
// canonical ones; gone says whether those of withdrawn articles too.
func (d *Dispatch) pages(ctx context.Context, events []paper.Event, gone bool) ([]string, error) {
	var ids []string
	seen := map[string]bool{}
	for _, e := range events {
		if e.Article != "" && !seen[e.Article] && e.Kind != paper.ArticleRefiled {
			seen[e.Article] = true
			ids = append(ids, e.Article)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	items, err := d.press.Items(ctx, paper.Scope{}, paper.Window{IDs: ids})
	if err != nil {
		return nil, err
	}
	var urls []string
	for _, it := range items {
		if it.Link == paper.LinkOrigin || it.State != paper.Live && !gone {
			continue
		}
		urls = append(urls, d.o.Base+"/a/"+it.ID)
	}
	return urls, nil
}

// pingIndexNow tells search engines (indexnow.org/documentation).
func (d *Dispatch) pingIndexNow(ctx context.Context, events []paper.Event) (*parcel, int, error) {
	urls, err := d.pages(ctx, events, true)
	if err != nil || len(urls) == 0 {
		return nil, len(events), err
	}
	site, err := url.Parse(d.o.Base)
	if err != nil {
		return nil, len(events), err
	}
	path, key, _ := d.KeyFile()
	body, err := marshal(struct {
		Host        string   `json:"host"`
		Key         string   `json:"key"`
		KeyLocation string   `json:"keyLocation"`
		URLs        []string `json:"urlList"`
	}{site.Host, key, d.o.Base + path, urls})
	if err != nil {
		return nil, len(events), err
	}
	return &parcel{
		url: d.o.Pings.IndexNow, body: body, header: http.Header{"Content-Type": {"application/json; charset=utf-8"}},
		judge: func(status int, _ []byte) verdict {
			v := byStatus(status)
			switch status {
			case http.StatusBadRequest, http.StatusUnprocessableEntity:
				v.outcome = refused
			case http.StatusForbidden:
				v.problem = "HTTP 403: it could not read the key file at our address"
			}
			return v
		},
	}, len(events), nil
}

// pingBaidu tells Baidu (普通收录 API): new pages only, a line each.
func (d *Dispatch) pingBaidu(ctx context.Context, events []paper.Event) (*parcel, int, error) {
	// A corrected page is no new one, and each counts against the day's quota.
	fresh := slices.DeleteFunc(slices.Clone(events), func(e paper.Event) bool { return e.Kind != paper.ArticlePublished })
	urls, err := d.pages(ctx, fresh, false)
	if err != nil || len(urls) == 0 {
		return nil, len(events), err
	}
	q := url.Values{"site": {d.o.Base}, "token": {d.o.Pings.BaiduToken}}
	return &parcel{
		url: d.o.Pings.Baidu + "?" + q.Encode(), body: []byte(strings.Join(urls, "\n")), header: http.Header{"Content-Type": {"text/plain"}},
		judge: func(status int, answer []byte) verdict {
			var a struct {
				Success *int     `json:"success"`
				Message string   `json:"message"`
				Alien   []string `json:"not_same_site"`
				Wrong   []string `json:"not_valid"`
			}
			_ = json.Unmarshal(answer, &a) // an answer without JSON has no success
			switch {
			case status/100 == 2 && a.Success != nil:
				v := verdict{outcome: delivered}
				if n := len(a.Alien) + len(a.Wrong); n > 0 {
					v.problem = fmt.Sprintf("it took %d pages and refused %d: not_same_site %d (is base_url the site that is registered there?), not_valid %d", *a.Success, n, len(a.Alien), len(a.Wrong))
					if *a.Success == 0 {
						v.outcome = refused
					}
				}
				return v
			case strings.Contains(a.Message, "over quota"):
				return verdict{outcome: refused, problem: "over quota: the rest of the day is not told", after: time.Hour}
			case a.Message != "":
				return verdict{outcome: failed, problem: clip(a.Message, 200)}
			case status/100 == 2:
				return verdict{outcome: failed, problem: "its answer is not Baidu's"}
			}
			return byStatus(status)
		},
	}, len(events), nil
}
