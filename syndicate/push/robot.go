package push

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"paperwire/internal/paper"
	"paperwire/syndicate/card"
)

// robot is one kind of chat robot.
type robot struct {
	most  int           // headlines in one message
	bytes int           // of one text message
	pause time.Duration // between two messages
	// headlines and text make what is posted.
	headlines func(title string, list []headline) any
	text      func(s string) any
	// sign puts the signature in, where there is a secret: into the URL or into the message.
	sign func(now time.Time, secret, url string, message any) (string, any)
	// judge reads the answer: robots say 200 to nearly everything. ok is false where
	// it has no code.
	judge func(answer []byte) (v verdict, ok bool)
}

// chatNotes is how many corrections and withdrawals one message is about at most.
const chatNotes = 30

// headline is one article as a robot shows it: what its card has for this platform.
type headline struct {
	title, digest, url, picture string
}

var robots = map[string]robot{}

// registerRobot makes a kind known; only init functions of this package call it. A kind
// is a platform of package card too, which says how an article looks there.
func registerRobot(kind string, r robot) {
	if !slices.ContainsFunc(card.Platforms(), func(p card.Platform) bool { return p.Key == kind }) {
		panic("push: robot " + kind + " is no platform of cards")
	}
	if _, have := robots[kind]; have {
		panic("push: robot " + kind + " registered twice")
	}
	robots[kind] = r
}

func robotKinds() []string { return slices.Sorted(maps.Keys(robots)) }

// composeChat makes the next message of a robot: the headlines of the editions that
// are complete, or the corrections and withdrawals among the events. What comes in
// between belongs to one message as long as it is of one sort; of several editions
// of a paper only the newest is told, and of so many papers at once that each has two
// headlines.
func (d *Dispatch) composeChat(ctx context.Context, r *paper.Receiver, events []paper.Event) (*parcel, error) {
	o, ok := d.robots[r.ID]
	k, known := robots[o.Kind]
	if !ok || !known {
		return nil, fmt.Errorf("robot %s is not in the configuration of this process", r.ID)
	}
	scope, touch, err := d.scope(ctx, r)
	if err != nil {
		return nil, err
	}
	const editions, notices = 1, 2
	about := 0
	var first paper.Event
	newest := map[string]paper.Event{} // paper -> its newest edition
	var papers []string
	var ids []string           // of what changed
	firsts := map[string]int{} // id -> its first event
	through := events[len(events)-1].Cursor()
	for i, e := range events {
		of := 0
		switch e.Kind {
		case paper.EditionClosed:
			of = editions
		case paper.ArticleCorrected, paper.ArticleWithdrawn:
			of = notices
		}
		if of == 0 || !touch(e) {
			continue
		}
		_, had := newest[e.Paper]
		if about != 0 && of != about || len(ids) == chatNotes || of == editions && !had && len(papers) == k.most/2 {
			through = events[i-1].Cursor() // the next message begins there
			break
		}
		if about == 0 {
			about, first = of, e
		}
		if of == notices {
			if _, have := firsts[e.Article]; !have {
				ids = append(ids, e.Article)
				firsts[e.Article] = i
			}
			continue
		}
		if !had {
			papers = append(papers, e.Paper)
		}
		if e.Day >= newest[e.Paper].Day {
			newest[e.Paper] = e
		}
	}
	var message any
	switch about {
	case editions:
		message, err = d.chatEditions(ctx, scope, o.Kind, papers, newest)
	case notices:
		var told int
		if message, told, err = d.chatNotices(ctx, scope, k, ids); told < len(ids) {
			through = events[firsts[ids[told]]-1].Cursor() // the next message begins there
		}
	}
	if err != nil {
		return nil, err
	}
	if message == nil {
		return d.nothing(ctx, r, events, through)
	}
	url := o.URL
	if o.Secret != "" {
		url, message = k.sign(d.o.Now(), o.Secret, url, message)
	}
	body, err := marshal(message)
	if err != nil {
		return nil, err
	}
	return &parcel{
		id: first.ID(), kind: first.Kind, through: through, since: first.At, pause: k.pause, url: url, body: body,
		header: http.Header{"Content-Type": {"application/json; charset=utf-8"}},
		judge: func(status int, answer []byte) verdict {
			said, ok := k.judge(answer)
			if v := byStatus(status); v.outcome != delivered && (!ok || said.outcome == delivered) {
				return v
			}
			return said // Feishu says 9499 with HTTP 400
		},
	}, nil
}

// chatEditions makes the message about editions that are complete: of several
// papers each gets its share of the headlines.
func (d *Dispatch) chatEditions(ctx context.Context, scope paper.Scope, kind string, papers []string, newest map[string]paper.Event) (any, error) {
	k := robots[kind]
	var lists [][]paper.Item
	var names []string
	var day paper.Day
	for _, key := range papers {
		narrow := scope
		narrow.Papers = []string{key}
		items, err := d.press.Items(ctx, narrow, paper.Window{Day: newest[key].Day})
		if err != nil {
			return nil, err
		}
		if len(items) > 0 {
			lists = append(lists, items)
			// The day once, behind the last of its papers: 焦作日报、焦作晚报 2026-03-18.
			if n := len(names); n > 0 && day != newest[key].Day {
				names[n-1] += " " + string(day)
			}
			names, day = append(names, clip(cmp.Or(items[0].PaperName, key), 36)), newest[key].Day
		}
	}
	if len(lists) == 0 {
		return nil, nil
	}
	var list []headline
	for n := 0; len(list) < k.most; n++ { // one of each in turn
		more := false
		for _, items := range lists {
			if n < len(items) && len(list) < k.most {
				more = true
				list = append(list, d.headline(kind, items[n], len(list) == 0))
			}
		}
		if !more {
			break
		}
	}
	return k.headlines(strings.Join(names, "、")+" "+string(day), list), nil
}

// headline shows an article in a group: the first of a message large, the others with a
// square beside them.
func (d *Dispatch) headline(kind string, it paper.Item, large bool) headline {
	doc := d.press.Card(it)
	post := doc.Platforms[kind]
	h := headline{title: post.Text, digest: doc.Description, url: post.URL, picture: post.Image}
	if square := doc.Images.Thumb; square != nil && !large {
		h.picture = square.URL
	}
	return h
}

// chatNotices makes the message about corrections and withdrawals, those first, and says
// of how many of the articles it tells, from the first on: as many as fit.
func (d *Dispatch) chatNotices(ctx context.Context, scope paper.Scope, k robot, ids []string) (message any, told int, err error) {
	items, err := d.press.Items(ctx, scope, paper.Window{IDs: ids})
	if err != nil {
		return nil, len(ids), err
	}
	by := make(map[string]paper.Item, len(items))
	for _, it := range items {
		by[it.ID] = it
	}
	var gone, corrected []string
	size := 0
	for _, id := range ids {
		it, ok := by[id]
		list, line := &corrected, "更正："+it.Title()
		switch {
		case ok && it.State == paper.Withdrawn:
			list, line = &gone, "撤稿："+cmp.Or(it.PaperName, it.Paper)+" "+string(it.Day)+" 一篇稿件已撤回，请勿再转发"
		case !ok || !it.Corrected():
			told++ // restored meanwhile, or not to be seen here
			continue
		}
		line = clip(line, 300) + "\n" + d.o.Base + "/a/" + it.ID
		if size += len(line) + 1; size > k.bytes && told > 0 {
			break
		}
		*list = append(*list, line)
		told++
	}
	if lines := append(gone, corrected...); len(lines) > 0 {
		message = k.text(strings.Join(lines, "\n"))
	}
	return message, told, nil
}

// clip shortens a text to a number of bytes, between characters, with an ellipsis.
func clip(s string, most int) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= most {
		return s
	}
	s = s[:max(most-len("…"), 0)]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "…"
}

// coded judges an answer that tells a code and a message: 0 is received, wait says
// for how long a robot is not to be asked after a code, never are codes of what
// would be refused again.
func coded(answer []byte, codeKey, textKey string, wait map[int]time.Duration, never ...int) (v verdict, ok bool) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(answer, &fields); err != nil {
		return verdict{outcome: failed, problem: "its answer is no JSON"}, false
	}
	var code int
	var text string
	if err := json.Unmarshal(fields[codeKey], &code); err != nil {
		return verdict{outcome: failed, problem: "its answer has no " + codeKey}, false
	}
	_ = json.Unmarshal(fields[textKey], &text) // for people only
	if code == 0 {
		return verdict{outcome: delivered}, true
	}
	v = verdict{outcome: failed, problem: strings.TrimSpace(fmt.Sprintf("%s %d %s", codeKey, code, clip(text, 200))), after: wait[code]}
	if slices.Contains(never, code) {
		v.outcome = refused
	}
	return v, true
}
