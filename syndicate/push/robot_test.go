package push

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"paperwire/internal/paper"
	"paperwire/syndicate/card"
)

// shelf is a press that prints what a test lays on it.
type shelf struct {
	Press
	items []paper.Item
	left  []string          // ids of what the scope carried and carries no more
	moved map[string]string // scopes
	asked []string          // scopes of items, in order
}

func (s *shelf) Items(_ context.Context, sc paper.Scope, w paper.Window) (out []paper.Item, _ error) {
	s.asked = append(s.asked, sc.String())
	for _, it := range s.items {
		if len(sc.Papers) > 0 && !slices.Contains(sc.Papers, it.Paper) {
			continue
		}
		if slices.Contains(s.left, it.ID) && !w.Ever {
			continue
		}
		if !w.Before.IsZero() && strings.TrimSuffix(w.BeforeID, "~") == it.ID && it.State == paper.Live {
			out = append(out, it)
			continue
		}
		if w.Day != "" && it.Day == w.Day && it.State == paper.Live || slices.Contains(w.IDs, it.ID) {
			out = append(out, it)
		}
	}
	return out, nil
}

func (s *shelf) Scope(_ context.Context, written string) (paper.Scope, error) {
	if to, ok := s.moved[written]; ok {
		written = to
	}
	return paper.ParseScope(written)
}

func (s *shelf) Article(it paper.Item) (json.RawMessage, error) {
	return marshal(map[string]any{"id": it.ID, "state": it.State, "headline": it.Headline, "text": it.Text})
}

func (s *shelf) Card(it paper.Item) card.Document {
	return card.New(it, card.Links{Base: "https://news.example", Look: "type"})
}

func (s *shelf) Topics(sc paper.Scope) []string {
	return []string{"https://news.example/feeds/" + sc.String() + ".rss", "https://news.example/feeds/" + sc.String() + ".atom"}
}

var epoch = time.Date(2026, 3, 18, 6, 30, 0, 0, time.UTC)

// edition makes n articles of a paper and day.
func edition(key string, day paper.Day, n int) (list []paper.Item) {
	for i := range n {
		list = append(list, paper.Item{
			Article: paper.Article{
				ID: fmt.Sprintf("%s-%s-%d", key, day.Compact(), i), Paper: key, Day: day, Ordinal: i,
				Headline: fmt.Sprintf("第%d条：%s", i, strings.Repeat("很长的标题😀", 40)), Summary: strings.Repeat("摘要。", 200),
				Images: []paper.Image{{URL: fmt.Sprintf("https://img.example/%d.jpg", i)}},
			},
			State: paper.Live, Version: 1, Published: epoch, Updated: epoch, PaperName: "日报" + key,
		})
	}
	return list
}

func event(seq int64, kind paper.EventKind, key string, day paper.Day, article string) paper.Event {
	return paper.Event{Seq: seq, N: 1, Kind: kind, Paper: key, Day: day, Article: article, At: epoch, Parts: []string{"section/yaowen", "district/410825"}}
}

// mock is a robot's server: it checks what it gets by the documented limits and
// answers as documented.
type mock struct {
	*httptest.Server
	mu     sync.Mutex
	got    []map[string]any
	query  []url.Values
	answer string // instead of its judgement
}

func newMock(t *testing.T, judge func(body map[string]any, raw []byte, q url.Values) string) *mock {
	m := &mock{}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		var body map[string]any
		if err := json.Unmarshal(raw, &body); err != nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
			t.Errorf("%v %q", err, r.Header.Get("Content-Type"))
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		m.got, m.query = append(m.got, body), append(m.query, r.URL.Query())
		if m.answer != "" {
			io.WriteString(w, m.answer)
			return
		}
		io.WriteString(w, judge(body, raw, r.URL.Query()))
	}))
	t.Cleanup(m.Close)
	return m
}

func signature(key, message string) string {
	m := hmac.New(sha256.New, []byte(key))
	io.WriteString(m, message)
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// dig finds a value in JSON by a path of keys.
func dig(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

func length(v any) int { s, _ := v.(string); return len(s) }

func list(v any) []any { l, _ := v.([]any); return l }

// mocks are the three robots with their documented limits (docs/push.md).
func mocks(t *testing.T) map[string]*mock {
	return map[string]*mock{
		"wecom": newMock(t, func(b map[string]any, _ []byte, _ url.Values) string {
			switch b["msgtype"] {
			case "news":
				articles := list(dig(b, "news", "articles"))
				if len(articles) < 1 || len(articles) > 8 {
					return `{"errcode":40058,"errmsg":"articles 1 to 8"}`
				}
				for _, a := range articles {
					if n := length(dig(a, "title")); n == 0 || n > 128 || length(dig(a, "description")) > 512 || length(dig(a, "url")) == 0 {
						return `{"errcode":40058,"errmsg":"too long"}`
					}
				}
			case "text":
				if n := length(dig(b, "text", "content")); n == 0 || n > 2048 {
					return `{"errcode":40058,"errmsg":"text"}`
				}
			default:
				return `{"errcode":40008,"errmsg":"msgtype"}`
			}
			return `{"errcode":0,"errmsg":"ok"}`
		}),
		"dingtalk": newMock(t, func(b map[string]any, raw []byte, q url.Values) string {
			if q.Get("sign") != signature("geheim", q.Get("timestamp")+"\ngeheim") || len(q.Get("timestamp")) != 13 || q.Get("access_token") != "1" {
				return `{"errcode":310000,"errmsg":"sign not match"}`
			}
			if len(raw) > 20<<10 {
				return `{"errcode":40035,"errmsg":"too large"}`
			}
			switch b["msgtype"] {
			case "feedCard":
				for _, l := range list(dig(b, "feedCard", "links")) {
					if length(dig(l, "title")) == 0 || length(dig(l, "messageURL")) == 0 || dig(l, "picURL") == nil {
						return `{"errcode":40035,"errmsg":"link"}`
					}
				}
				if len(list(dig(b, "feedCard", "links"))) > 0 {
					return `{"errcode":0,"errmsg":"ok"}`
				}
			case "text":
				if length(dig(b, "text", "content")) > 0 {
					return `{"errcode":0,"errmsg":"ok"}`
				}
			}
			return `{"errcode":40035,"errmsg":"msg"}`
		}),
		"feishu": newMock(t, func(b map[string]any, raw []byte, _ url.Values) string {
			at, _ := b["timestamp"].(string)
			if b["sign"] != signature(at+"\ngeheim", "") || len(at) != 10 {
				return `{"code":19021,"msg":"sign match fail or timestamp is not within one hour from current time"}`
			}
			if len(raw) > 20<<10 {
				return `{"code":9499,"msg":"Bad Request","data":{}}`
			}
			switch b["msg_type"] {
			case "post":
				for _, l := range list(dig(b, "content", "post", "zh_cn", "content")) {
					if dig(l, 0, "tag") != "a" || length(dig(l, 0, "href")) == 0 {
						return `{"code":9499,"msg":"Bad Request"}`
					}
				}
				if length(dig(b, "content", "post", "zh_cn", "title")) > 0 {
					return `{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}`
				}
			case "text":
				if length(dig(b, "content", "text")) > 0 {
					return `{"code":0,"data":{},"msg":"success"}`
				}
			}
			return `{"code":9499,"msg":"Bad Request"}`
		}),
	}
}

func robotDispatch(kind, to string, items []paper.Item) (*Dispatch, *paper.Receiver) {
	d := New(Options{
		Client: &http.Client{Timeout: 5 * time.Second}, Base: "https://news.example",
		Robots: []RobotOptions{{Key: "x", Kind: kind, Scope: "all", URL: to + "/hook?access_token=1", Secret: "geheim"}},
	})
	d.Attach(&shelf{items: items})
	return d, &paper.Receiver{ID: "robot:x", Kind: paper.Robot, Scope: "all"}
}

func TestRobotsWithinTheirLimits(t *testing.T) {
	items := append(edition("a", "2026-03-17", 60), edition("a", "2026-03-18", 60)...)
	items = append(items, edition("b", "2026-03-18", 3)...)
	var notices []paper.Event
	for i := range 40 {
		it := &items[60+i]
		kind := paper.ArticleCorrected
		it.Version = 2
		if i%5 == 0 {
			kind, it.State, it.Headline, it.Summary = paper.ArticleWithdrawn, paper.Withdrawn, "", ""
		}
		notices = append(notices, event(int64(100+i), kind, "a", it.Day, it.ID))
	}
	for kind, m := range mocks(t) {
		t.Run(kind, func(t *testing.T) {
			d, r := robotDispatch(kind, m.URL, items)
			events := []paper.Event{
				event(1, paper.ArticlePublished, "a", "2026-03-17", "a-20260317-0"),
				event(2, paper.EditionClosed, "a", "2026-03-17", ""),
				event(3, paper.ArticlePublished, "a", "2026-03-18", "a-20260318-0"),
				event(4, paper.EditionClosed, "a", "2026-03-18", ""),
				event(5, paper.EditionClosed, "b", "2026-03-18", ""),
			}
			events = append(events, notices...)
			var messages int
			for len(events) > 0 {
				p, err := d.composeChat(t.Context(), r, events)
				if err != nil {
					t.Fatal(err)
				}
				if p == nil {
					break
				}
				if v := d.send(t.Context(), paper.Robot, p); v.outcome != delivered {
					t.Fatalf("message %d: %+v: %s", messages, v, p.body)
				}
				if p.pause < time.Second {
					t.Error("no pause after a message")
				}
				if !utf8.Valid(p.body) || strings.Contains(string(p.body), "\ufffd") || strings.Contains(string(p.body), `\u003c`) {
					t.Errorf("%s", p.body)
				}
				messages++
				events = slices.DeleteFunc(events, func(e paper.Event) bool { return !p.through.Before(e.Cursor()) })
			}
			// Several editions are one message, and notices as few as their room allows.
			if most := map[string]int{"wecom": 10, "dingtalk": 5, "feishu": 3}[kind]; messages < 3 || messages > most {
				t.Errorf("%d messages", messages)
			}
			told := ""
			for i, body := range m.got[1:] {
				text := fmt.Sprint(body)
				told += text
				if last := strings.LastIndex(text, "撤稿："); last > strings.Index(text, "更正：") && strings.Contains(text, "更正：") {
					t.Errorf("message %d: a withdrawal behind corrections: %s", i, text)
				}
			}
			for _, e := range notices {
				if n := strings.Count(told, "https://news.example/a/"+e.Article+"\n") + strings.Count(told, "https://news.example/a/"+e.Article+"]"); n != 1 {
					t.Errorf("%s is told %d times", e.Article, n)
				}
			}
			first := fmt.Sprint(m.got[0])
			if strings.Contains(first, "2026-03-17") || strings.Contains(first, "a-20260317") || !strings.Contains(first, "日报a、日报b 2026-03-18") || !strings.Contains(first, "b-20260318-2") || !strings.Contains(first, "https://news.example/a/a-20260318-") {
				t.Errorf("%s", first)
			}
			// As the card shows it there: the first large, the others square.
			if kind != "feishu" && (strings.Count(first, "/card/thumb-") != 7 || strings.Count(first, "/card/") != 8) || !strings.Contains(first, "?utm_source="+kind+"&utm_medium=social") {
				t.Errorf("%s", first)
			}
			second := fmt.Sprint(m.got[1])
			if !strings.Contains(second, "更正：") || !strings.Contains(second, "撤稿：日报a 2026-03-18") || strings.Contains(second, "摘要") {
				t.Errorf("%s", second)
			}
		})
	}
}

func TestRobotsAnswers(t *testing.T) {
	items := edition("a", "2026-03-18", 9)
	for _, c := range []struct {
		kind, answer string
		want         outcome
		after        time.Duration
	}{
		{"wecom", `{"errcode":45002,"errmsg":"content size out of limit"}`, refused, 0},
		{"dingtalk", `{"errcode":410100,"errmsg":"发送速度太快而限流"}`, failed, 10 * time.Minute},
		{"dingtalk", `{"errcode":430101,"errmsg":"含有不安全的外链"}`, refused, 0},
		{"dingtalk", `{"errcode":430104,"errmsg":"含有不合适的内容"}`, refused, 0},
		{"feishu", `{"code":19002,"msg":"params error"}`, refused, 0},
		{"wecom", `{"errcode":0,"errmsg":"ok"}`, delivered, 0},
		{"wecom", `{"errcode":45009,"errmsg":"api freq out of limit"}`, failed, time.Minute},
		{"wecom", `{"errcode":93000,"errmsg":"invalid webhook url"}`, failed, 0},
		{"wecom", `{"errcode":40058,"errmsg":"invalid Request Parameter"}`, refused, 0},
		{"wecom", `<html>busy</html>`, failed, 0},
		{"wecom", `{}`, failed, 0},
		{"dingtalk", `{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}`, failed, 10 * time.Minute},
		{"dingtalk", `{"errcode":310000,"errmsg":"keywords not in content"}`, failed, 0},
		{"feishu", `{"code":11232,"msg":"frequency limited psm"}`, failed, time.Minute},
		{"feishu", `{"code":9499,"msg":"Bad Request","data":{}}`, refused, 0},
		{"feishu", `{"StatusCode":0,"StatusMessage":"success"}`, delivered, 0},
		{"feishu", `{"Extra":null,"StatusCode":19001,"StatusMessage":"invalid"}`, failed, 0},
	} {
		m := newMock(t, nil)
		m.answer = c.answer
		d, r := robotDispatch(c.kind, m.URL, items)
		p, err := d.composeChat(t.Context(), r, []paper.Event{event(1, paper.EditionClosed, "a", "2026-03-18", "")})
		if err != nil || p == nil {
			t.Fatal(p, err)
		}
		v := d.send(t.Context(), paper.Robot, p)
		if v.outcome != c.want || v.after != c.after || (v.problem == "") != (c.want == delivered) {
			t.Errorf("%s %s: %+v", c.kind, c.answer, v)
		}
	}
	// A code counts whatever the status; where there is none the status does.
	for _, c := range []struct {
		status int
		answer string
		want   outcome
		after  time.Duration
	}{
		{400, `{"code":9499,"msg":"Bad Request"}`, refused, 0},
		{429, `{"code":99991400,"msg":"frequency limit"}`, failed, time.Minute},
		{502, `<html>`, failed, 0},
		{500, `{"code":0}`, failed, 0},
		{410, ``, gone, 0},
	} {
		d, r := robotDispatch("feishu", "http://x", items)
		p, _ := d.composeChat(t.Context(), r, []paper.Event{event(1, paper.EditionClosed, "a", "2026-03-18", "")})
		if v := p.judge(c.status, []byte(c.answer)); v.outcome != c.want || v.after != c.after || v.problem == "" {
			t.Errorf("%d %s: %+v", c.status, c.answer, v)
		}
	}
	// Where there is no answer its address stays out of the problem.
	d, r := robotDispatch("wecom", "http://127.0.0.1:1", items)
	p, _ := d.composeChat(t.Context(), r, []paper.Event{event(1, paper.EditionClosed, "a", "2026-03-18", "")})
	if v := d.send(t.Context(), paper.Robot, p); v.outcome != failed || strings.Contains(v.problem, "access_token") {
		t.Errorf("%+v", v)
	}
}

func TestPings(t *testing.T) {
	items := edition("a", "2026-03-18", 5)
	items[1].State = paper.Withdrawn
	items[2].Link = paper.LinkOrigin
	type request struct {
		ctype, body string
		query       url.Values
	}
	var got []request
	answers := []string{}
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = append(got, request{r.Header.Get("Content-Type"), string(b), r.URL.Query()})
		w.WriteHeader(status)
		if len(answers) > 0 {
			io.WriteString(w, answers[0])
		}
	}))
	defer server.Close()
	d := New(Options{Client: server.Client(), Base: "https://news.example", Pings: PingOptions{
		Hubs: []string{server.URL + "/hub"}, IndexNow: server.URL + "/indexnow", IndexNowKey: "abcdefgh12", Baidu: server.URL + "/urls", BaiduToken: "t0ken",
	}})
	d.Attach(&shelf{items: items})
	if path, text, ok := d.KeyFile(); path != "/abcdefgh12.txt" || text != "abcdefgh12" || !ok {
		t.Error(path, text, ok)
	}
	var events []paper.Event
	for i, it := range items {
		events = append(events, event(int64(i+1), paper.ArticlePublished, "a", it.Day, it.ID))
	}
	ping := func(id string) verdict {
		t.Helper()
		p, err := d.composePing(t.Context(), &paper.Receiver{ID: id, Kind: paper.Ping, Scope: "all"}, events)
		if err != nil || p == nil || p.through != events[4].Cursor() {
			t.Fatal(p, err)
		}
		return d.send(t.Context(), paper.Ping, p)
	}
	var hub string
	for id := range d.pings {
		if strings.HasPrefix(id, "ping:hub:") {
			hub = id
		}
	}
	if v := ping(hub); v.outcome != delivered {
		t.Errorf("%+v", v)
	}
	form, _ := url.ParseQuery(got[0].body)
	if form.Get("hub.mode") != "publish" || !slices.Contains(form["hub.url"], "https://news.example/feeds/district/410825.atom") || !slices.Contains(form["hub.url"], "https://news.example/feeds/all.rss") || len(form["hub.url"]) != 8 {
		t.Errorf("%v", form)
	}
	if v := ping("ping:indexnow"); v.outcome != delivered {
		t.Errorf("%+v", v)
	}
	if want := `{"host":"news.example","key":"abcdefgh12","keyLocation":"https://news.example/abcdefgh12.txt","urlList":["https://news.example/a/a-20260318-0","https://news.example/a/a-20260318-1","https://news.example/a/a-20260318-3","https://news.example/a/a-20260318-4"]}`; got[1].body != want {
		t.Errorf("%s", got[1].body)
	}
	answers = []string{`{"remain":4999,"success":3}`}
	if v := ping("ping:baidu"); v.outcome != delivered {
		t.Errorf("%+v", v)
	}
	if got[2].body != "https://news.example/a/a-20260318-0\nhttps://news.example/a/a-20260318-3\nhttps://news.example/a/a-20260318-4" || got[2].query.Get("token") != "t0ken" || got[2].query.Get("site") != "https://news.example" {
		t.Errorf("%+v", got[2])
	}
	// New pages only: each counts against the day's quota.
	for i := range events {
		if i > 0 {
			events[i].Kind = paper.ArticleCorrected
		}
	}
	answers = []string{`{"remain":4998,"success":1}`}
	if v := ping("ping:baidu"); v.outcome != delivered || got[len(got)-1].body != "https://news.example/a/a-20260318-0" {
		t.Errorf("%+v %s", v, got[len(got)-1].body)
	}
	answers = []string{`{"remain":4998,"success":0,"not_same_site":["https://news.example/a/a-20260318-0"]}`}
	if v := ping("ping:baidu"); v.outcome != refused || !strings.Contains(v.problem, "not_same_site 1") {
		t.Errorf("%+v", v)
	}
	if p, err := d.composePing(t.Context(), &paper.Receiver{ID: "ping:baidu", Kind: paper.Ping}, events[1:]); p != nil || err != nil {
		t.Errorf("told of corrections: %v %v", p, err)
	}
	status = http.StatusBadRequest
	answers = []string{`{"error":400,"message":"over quota"}`}
	if v := ping("ping:baidu"); v.outcome != refused || v.after != time.Hour {
		t.Errorf("%+v", v)
	}
	status = http.StatusForbidden
	if v := ping("ping:indexnow"); v.outcome != failed || !strings.Contains(v.problem, "key file") {
		t.Errorf("%+v", v)
	}
	status = http.StatusUnprocessableEntity
	if v := ping("ping:indexnow"); v.outcome != refused {
		t.Errorf("%+v", v)
	}
	// Nothing that may be seen, nothing told.
	d.Attach(&shelf{})
	if p, err := d.composePing(t.Context(), &paper.Receiver{ID: "ping:baidu", Kind: paper.Ping}, events); p != nil || err != nil {
		t.Error(p, err)
	}
}

// A process that does not have a robot in its configuration leaves it to one that has:
// it is paused when none has for a while, and goes on where it stood when one has again.
func TestRobotsOfAnotherProcess(t *testing.T) {
	got := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		got++
		io.WriteString(w, `{"errcode":0}`)
	}))
	defer server.Close()
	now := epoch
	items := edition("a", "2026-03-18", 1)
	box := &outbox{trouble: map[string]string{}, receivers: map[string]paper.Receiver{}}
	process := func(robots ...RobotOptions) *Dispatch {
		d := New(Options{Store: box, Client: server.Client(), Base: "https://news.example", Robots: robots, Now: func() time.Time { return now }})
		d.Attach(&shelf{items: items})
		return d
	}
	with, without := process(RobotOptions{Key: "x", Kind: "wecom", Scope: "all", URL: server.URL}), process()
	look := func(d *Dispatch, start bool, want paper.ReceiverState) {
		t.Helper()
		if err := d.configure(t.Context(), start); err != nil {
			t.Fatal(err)
		}
		if r := box.receivers["robot:x"]; r.State != want {
			t.Errorf("it is %q, want %q", r.State, want)
		}
	}
	look(with, true, paper.ReceiverLive)
	look(without, true, paper.ReceiverLive)
	box.events = []paper.Event{event(1, paper.EditionClosed, "a", "2026-03-18", "")}
	if err := without.Drain(t.Context(), "robot:x", now); err != nil || got != 0 || box.receivers["robot:x"].Cursor.Seq != 0 {
		t.Errorf("who does not know it: %v, %d messages", err, got)
	}
	for range 5 {
		now = now.Add(renewEvery)
		look(with, false, paper.ReceiverLive)
		look(without, false, paper.ReceiverLive)
	}
	now = now.Add(silentFor + time.Minute)
	look(without, false, paper.ReceiverPaused)
	if left := box.receivers["robot:x"].Expires.Sub(now); left < 23*time.Hour || left > 24*time.Hour {
		t.Errorf("it expires in %s", left)
	}
	look(with, false, paper.ReceiverLive)
	if err := with.Drain(t.Context(), "robot:x", now); err != nil || got != 1 {
		t.Errorf("%v, %d messages", err, got)
	}
	now = now.Add(silentFor + time.Minute)
	look(without, false, paper.ReceiverPaused)
	look(with, true, paper.ReceiverLive)
}

// A robot that was mended is tried as soon as the process has started, and the incident
// is over when it has answered.
func TestMendedRobot(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"errcode":0}`) }))
	defer server.Close()
	box := &outbox{
		events: []paper.Event{event(1, paper.EditionClosed, "a", "2026-03-18", "")}, trouble: map[string]string{"robot:x": "errcode 93000"},
		receivers: map[string]paper.Receiver{"robot:x": {
			ID: "robot:x", Kind: paper.Robot, Scope: "all", Host: hostOf(server.URL), State: paper.ReceiverLive,
			Attempts: 6, Since: epoch.Add(-2 * time.Hour), Retry: epoch.Add(50 * time.Minute), Problem: "errcode 93000",
		}},
	}
	d := New(Options{
		Store: box, Client: server.Client(), Base: "https://news.example", Now: func() time.Time { return epoch },
		Robots: []RobotOptions{{Key: "x", Kind: "wecom", Scope: "all", URL: server.URL}},
	})
	d.Attach(&shelf{items: edition("a", "2026-03-18", 1)})
	if err := d.configure(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if r := box.receivers["robot:x"]; r.Attempts != 0 || r.Retry.After(epoch) {
		t.Errorf("%+v", r)
	}
	if err := d.Drain(t.Context(), "robot:x", epoch); err != nil || len(box.trouble) != 0 || len(box.tries) != 1 || box.tries[0].Problem != "" {
		t.Errorf("%v, trouble %v, tries %+v", err, box.trouble, box.tries)
	}
}

// No headline calls everybody in the group.
func TestFeishuCallsNobody(t *testing.T) {
	items := edition("a", "2026-03-18", 1)
	items[0].Headline, items[0].Version = `<at user_id="all">所有人</at> 一条`, 2
	d, r := robotDispatch("feishu", "http://x", items)
	p, err := d.composeChat(t.Context(), r, []paper.Event{event(1, paper.ArticleCorrected, "a", "2026-03-18", items[0].ID)})
	if err != nil || strings.Contains(string(p.body), "<") || strings.Contains(string(p.body), `\u003c`) || !strings.Contains(string(p.body), "所有人＜/at> 一条") {
		t.Errorf("%s %v", p.body, err)
	}
}

// Of many papers at once every edition is told, and the first headline has room beside
// their names.
func TestRobotsOverManyPapers(t *testing.T) {
	var items []paper.Item
	var events []paper.Event
	for i := range 12 {
		key := fmt.Sprintf("p%d", i)
		list := edition(key, "2026-03-18", 5)
		for j := range list {
			list[j].PaperName = "焦作某某日报"
		}
		items = append(items, list...)
		events = append(events, event(int64(i+1), paper.EditionClosed, key, "2026-03-18", ""))
	}
	for kind, m := range mocks(t) {
		d, r := robotDispatch(kind, m.URL, items)
		told, messages := "", 0
		for rest := events; len(rest) > 0; messages++ {
			p, err := d.composeChat(t.Context(), r, rest)
			if err != nil || p == nil {
				t.Fatal(p, err)
			}
			if v := d.send(t.Context(), paper.Robot, p); v.outcome != delivered {
				t.Fatalf("%s: %+v: %s", kind, v, p.body)
			}
			told += string(p.body)
			if kind == "dingtalk" {
				if title := fmt.Sprint(dig(m.got[messages], "feedCard", "links", 0, "title")); !strings.Contains(title, "第0条：很长的标题") {
					t.Errorf("its first link: %s", title)
				}
			}
			rest = slices.DeleteFunc(slices.Clone(rest), func(e paper.Event) bool { return !p.through.Before(e.Cursor()) })
		}
		for i := range 12 {
			if n := strings.Count(told, fmt.Sprintf("https://news.example/a/p%d-20260318-0?", i)); n != 1 {
				t.Errorf("%s: the lead of paper %d is told %d times", kind, i, n)
			}
		}
		if want := map[string]int{"wecom": 3, "dingtalk": 3, "feishu": 2}[kind]; messages != want {
			t.Errorf("%s: %d messages, want %d", kind, messages, want)
		}
	}
}

// The operator hears of a message that is left out, until the next one arrives.
func TestRefusalIsTrouble(t *testing.T) {
	answer := `{"errcode":40058,"errmsg":"invalid"}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, answer) }))
	defer server.Close()
	items := append(edition("a", "2026-03-18", 1), edition("a", "2026-03-19", 1)...)
	box := &outbox{
		events: []paper.Event{event(1, paper.EditionClosed, "a", "2026-03-18", "")}, trouble: map[string]string{},
		receivers: map[string]paper.Receiver{"robot:x": {ID: "robot:x", Kind: paper.Robot, Scope: "all", State: paper.ReceiverLive}},
	}
	d := New(Options{
		Store: box, Client: server.Client(), Base: "https://news.example", Now: func() time.Time { return epoch },
		Robots: []RobotOptions{{Key: "x", Kind: "wecom", Scope: "all", URL: server.URL}},
	})
	d.Attach(&shelf{items: items})
	if err := d.Drain(t.Context(), "robot:x", epoch); err != nil || !strings.Contains(box.trouble["robot:x"], "40058") || box.receivers["robot:x"].Cursor.Seq != 1 {
		t.Errorf("%v %v %+v", err, box.trouble, box.receivers["robot:x"])
	}
	answer = `{"errcode":0}`
	box.events = append(box.events, event(2, paper.EditionClosed, "a", "2026-03-19", ""))
	if err := d.Drain(t.Context(), "robot:x", epoch); err != nil || len(box.trouble) != 0 {
		t.Errorf("%v %v", err, box.trouble)
	}
}

// A hub is told of every part that changed, of many in several pings.
func TestPingsOfManyParts(t *testing.T) {
	d := New(Options{Client: http.DefaultClient, Base: "https://news.example", Pings: PingOptions{Hubs: []string{"https://hub.example/"}}})
	d.Attach(&shelf{})
	var events []paper.Event
	for i := range 60 {
		e := event(int64(i+1), paper.ArticlePublished, fmt.Sprintf("p%d", i), "2026-03-18", fmt.Sprintf("p%d-20260318-1", i))
		e.Parts = []string{fmt.Sprintf("section/s%d", i), "district/410825"}
		events = append(events, event(int64(i+1), paper.EditionClosed, e.Paper, e.Day, ""), e)
		events[2*i+1].N = 2
	}
	r := &paper.Receiver{Kind: paper.Ping, Scope: "all"}
	for id := range d.pings {
		r.ID = id
	}
	told := map[string]bool{}
	pings := 0
	for rest := events; len(rest) > 0; pings++ {
		p, err := d.composePing(t.Context(), r, rest)
		if err != nil || p == nil {
			t.Fatal(p, err)
		}
		form, _ := url.ParseQuery(string(p.body))
		if n := len(form["hub.url"]); n > 2*pingTopics {
			t.Errorf("%d topics at once", n)
		}
		for _, u := range form["hub.url"] {
			told[u] = true
		}
		rest = slices.DeleteFunc(slices.Clone(rest), func(e paper.Event) bool { return !p.through.Before(e.Cursor()) })
	}
	if len(told) != 2*(60+60+2) || pings != 2 {
		t.Errorf("%d topics in %d pings", len(told), pings)
	}
}

// A host that hangs takes its four places and no more, whoever asks.
func TestHostsAreBounded(t *testing.T) {
	h := newHosts(time.Now)
	var leave []func()
	for range hostMost {
		l, ok := h.enter(t.Context(), "a.example")
		if !ok {
			t.Fatal("no place")
		}
		leave = append(leave, l)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range hostQueue {
		wg.Go(func() {
			if _, ok := h.enter(ctx, "a.example"); ok {
				t.Error("a fifth place")
			}
		})
	}
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		h.mu.Lock()
		n := h.all["a.example"].waiting
		h.mu.Unlock()
		if n == hostQueue || time.Now().After(end) {
			break
		}
	}
	began := time.Now()
	if _, ok := h.enter(t.Context(), "a.example"); ok || time.Since(began) > time.Second {
		t.Error("it waits behind those that wait")
	}
	if l, ok := h.enter(t.Context(), "b.example"); !ok {
		t.Error("another host has no place")
	} else {
		l()
	}
	cancel()
	wg.Wait()
	leave[0]()
	if l, ok := h.enter(t.Context(), "a.example"); !ok {
		t.Error("no place after one was left")
	} else {
		l()
	}
}

func TestRequestsAreBounded(t *testing.T) {
	now := epoch
	b := newBuckets(func() time.Time { return now })
	n := 0
	for range 1000 {
		if b.take("192.0.2.1") {
			n++
		}
	}
	if n != askBurst || !b.take("192.0.2.2") {
		t.Errorf("%d requests of one client at once", n)
	}
	now = now.Add(10 * time.Second)
	if !b.take("192.0.2.1") {
		t.Error("it may never ask again")
	}
	now = now.Add(time.Hour)
	b.tidy()
	if len(b.all) != 1 {
		t.Errorf("%d clients remembered", len(b.all))
	}
}

func TestRetryAfter(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"": 0, "30": 30 * time.Second, "-3": 0, "999999999999": maxWait, "soon": 0,
		epoch.Add(time.Minute).Format(http.TimeFormat): time.Minute, epoch.Add(-time.Minute).Format(http.TimeFormat): 0,
	} {
		if got := retryAfter(s, epoch); got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	}
}

func TestClip(t *testing.T) {
	for _, s := range []string{"", "短", strings.Repeat("长", 200), strings.Repeat("😀", 99), "a\n b\tc"} {
		for most := 3; most < 140; most++ {
			if got := clip(s, most); len(got) > most || !utf8.ValidString(got) {
				t.Fatalf("%d bytes of %d: %q", len(got), most, got)
			}
		}
	}
}
