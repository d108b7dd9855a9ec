package wechat

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"paperwire/internal/paper"
)

// How many articles an answer may have: one to a message, eight to an event.
const (
	toMessage = 1
	toEvent   = 8
)

// saying is what is said to a follower: articles, or text.
type saying struct {
	Text     string   `json:"text,omitempty"`
	Articles []string `json:"articles,omitempty"` // ids
	// have are the articles where they were just read; what is kept has none.
	have []paper.Item
}

// understand says what a message is answered with; nothing where it wants no answer.
func (a *Account) understand(ctx context.Context, m message) (saying, error) {
	switch strings.ToLower(m.MsgType) {
	case "event":
		switch strings.ToLower(m.Event) {
		case "subscribe":
			return a.greet(ctx)
		case "scan": // the account's code, by somebody who follows it already
			return a.today(ctx, paper.Scope{}, toEvent)
		case "click":
			if scope, ok := a.menu[m.EventKey]; ok {
				return a.button(ctx, scope)
			}
			return a.word(ctx, m.EventKey, toEvent)
		}
		return saying{}, nil
	case "text":
		return a.word(ctx, m.Content, toMessage)
	}
	return a.help(ctx, "")
}

// word answers what somebody wrote: a name or a word to look for.
func (a *Account) word(ctx context.Context, written string, most int) (saying, error) {
	written = strings.TrimFunc(norm.NFKC.String(strings.ToValidUTF8(written, "")), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.IsControl(r)
	})
	switch strings.ToLower(written) {
	case "", "帮助", "help":
		return a.help(ctx, "")
	case "今日", "今天", "今日要闻", "today":
		s, err := a.today(ctx, paper.Scope{}, most)
		if err != nil || len(s.Articles) > 0 {
			return s, err
		}
		return a.help(ctx, "还没有报道。")
	}
	if name(written) {
		for _, kind := range []string{"district", "section", "paper"} {
			scope, err := a.desk.Scope(ctx, kind+"/"+written)
			var wrong *paper.ScopeError
			if errors.As(err, &wrong) || errors.Is(err, paper.ErrNotFound) {
				continue
			}
			if err != nil {
				return saying{}, err
			}
			look := a.newest
			if kind == "paper" {
				look = a.today
			}
			if s, err := look(ctx, scope, most); err != nil || len(s.Articles) > 0 {
				return s, err
			}
		}
		if written == "要闻" { // where no section is called that
			if s, err := a.today(ctx, paper.Scope{}, most); err != nil || len(s.Articles) > 0 {
				return s, err
			}
		}
	}
	// A section may be called 焦作/温县·马村区, as pages are.
	switch scope, err := a.desk.Section(ctx, written); {
	case errors.Is(err, paper.ErrNotFound):
	case err != nil:
		return saying{}, err
	default:
		if s, err := a.newest(ctx, scope, most); err != nil || len(s.Articles) > 0 {
			return s, err
		}
	}
	words, err := a.desk.Words(written)
	var wrong *paper.ScopeError
	if errors.As(err, &wrong) {
		return a.help(ctx, "")
	}
	if err != nil {
		return saying{}, err
	}
	items, err := a.desk.Items(ctx, paper.Scope{}, paper.Window{Query: words, Limit: 2 * toEvent})
	if err != nil {
		return saying{}, err
	}
	if s := pick(items, most); len(s.Articles) > 0 {
		return s, nil
	}
	return a.help(ctx, "没有找到“"+shown(written)+"”的报道。")
}

// name reports whether something may be a name of a district or section: nothing that
// has a meaning in a scope.
func name(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '·' })
}

// shown is what somebody wrote, as it may be said back to him: in a text that WeChat
// shows, < would begin a link.
func shown(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '<' || r == '>' || r == '&' {
			return -1
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 20 {
		s = string(r[:20]) + "…"
	}
	return s
}

// pick takes the first live ones.
func pick(items []paper.Item, most int) saying {
	var s saying
	for _, it := range items {
		if it.State == paper.Live && len(s.Articles) < most {
			s.Articles, s.have = append(s.Articles, it.ID), append(s.have, it)
		}
	}
	return s
}

// newest are the last articles of a scope.
func (a *Account) newest(ctx context.Context, scope paper.Scope, most int) (saying, error) {
	// Before any date there are no notices: what has been filed elsewhere since is none
	// of the scope's any more.
	items, err := a.desk.Items(ctx, scope, paper.Window{Limit: toEvent, Before: time.Unix(1<<36, 0)})
	return pick(items, most), err
}

// today is the newest edition of a scope, from its front page.
func (a *Account) today(ctx context.Context, scope paper.Scope, most int) (saying, error) {
	items, err := a.desk.Items(ctx, scope, paper.Window{Newest: true, Limit: toEvent})
	return pick(items, most), err
}

// button is what the menu shows of a scope of the configuration.
func (a *Account) button(ctx context.Context, written string) (saying, error) {
	scope, err := a.desk.Scope(ctx, written)
	var wrong *paper.ScopeError
	if errors.As(err, &wrong) || errors.Is(err, paper.ErrNotFound) {
		a.o.Log.Warn("wechat: a button shows a scope that nobody knows", "scope", written, "error", err)
		return a.help(ctx, "还没有报道。")
	}
	if err != nil {
		return saying{}, err
	}
	s, err := a.today(ctx, scope, toEvent)
	if err != nil || len(s.Articles) > 0 {
		return s, err
	}
	return a.help(ctx, "还没有报道。")
}

// greet is for a new follower: the edition.
func (a *Account) greet(ctx context.Context) (saying, error) {
	s, err := a.today(ctx, paper.Scope{}, toEvent)
	if err != nil || len(s.Articles) > 0 {
		return s, err
	}
	return a.help(ctx, "感谢关注！")
}

// maxText is how long a text may be, in bytes.
const maxText = 2048

// help says what can be written, by example.
func (a *Account) help(ctx context.Context, first string) (saying, error) {
	districts, sections, err := a.desk.Known(ctx, 3)
	if err != nil {
		return saying{}, err
	}
	lines := []string{"您可以发送：", "今日：最新一期"}
	if first != "" {
		lines = append([]string{first}, lines...)
	}
	for _, l := range []struct {
		names []string
		what  string
	}{{sections, "该栏目的最新报道"}, {districts, "当地的最新报道"}} {
		if len(l.names) > 0 {
			lines = append(lines, strings.Join(l.names, "、")+"："+l.what)
		}
	}
	lines = append(lines, "任何词语：含有它的报道")
	text := strings.Join(lines, "\n")
	for len(text) > maxText {
		_, n := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-n]
	}
	return saying{Text: text}, nil
}
