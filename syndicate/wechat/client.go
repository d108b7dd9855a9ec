package wechat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"paperwire/internal/paper"
)

const (
	early     = 5 * time.Minute  // before its end a token is renewed
	remember  = time.Minute      // for which a process does not look into the store again
	hurried   = 10 * time.Second // the same, of one that is about to end
	renewFor  = 15 * time.Second // a renewal takes at most
	maxAnswer = 1 << 20          // bytes of an answer
)

// Codes of WeChat's API that we do something about.
const (
	busyCode   = -1
	minuteCode = 45011 // too often in a minute
	dayCode    = 45009 // too often in a day
)

// staleToken are the codes that say: this token is none, or no longer.
var staleToken = map[int]bool{40001: true, 40014: true, 42001: true}

// remedies say what a person can do.
var remedies = map[int]string{
	40013: "check PAPERWIRE_WECHAT_APPID",
	40125: "check PAPERWIRE_WECHAT_SECRET",
	40164: "add this machine's address to the account's IP 白名单",
	41002: "set PAPERWIRE_WECHAT_APPID",
	45009: "the day's quota is used up; it is another day at 00:00 in Beijing",
	45011: "asked too often; wait a minute",
	48001: "the account may not do this: it needs to be verified (认证), or the 接口权限 to be given",
	61024: "the account is managed by a platform, which has to ask in its place",
	89503: "an administrator of the account has to confirm this machine's address in WeChat",
}

func (e *CodeError) say() string {
	text := fmt.Sprintf("wechat %s: %d %s", e.Op, e.Code, e.Text)
	if r := remedies[e.Code]; r != "" {
		text += ": " + r
	}
	return text
}

// code is what the API answered; 0 where it is another error.
func code(err error) int {
	var c *CodeError
	if errors.As(err, &c) {
		return c.Code
	}
	return 0
}

// payload is the body of a request, which may have to be sent twice.
type payload struct {
	kind string // Content-Type
	body []byte
}

// jsonOf writes JSON as WeChat wants it: it shows \u003c as it stands.
func jsonOf(v any) payload {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // strings and numbers
	}
	return payload{"application/json; charset=utf-8", b.Bytes()}
}

// upload is a multipart body with one picture in the field media.
func upload(name, kind string, data []byte) payload {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	h := textproto.MIMEHeader{}
	h.Set("Content-Disposition", `form-data; name="media"; filename="`+name+`"`)
	h.Set("Content-Type", kind)
	part, err := w.CreatePart(h)
	if err == nil {
		_, err = part.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // into memory
	}
	return payload{w.FormDataContentType(), b.Bytes()}
}

// call asks the API with the account's token. A token that is none any more is
// renewed, and a server that is busy asked again, each a bounded number of times.
func (a *Account) call(ctx context.Context, op string, query url.Values, p payload, out any) error {
	token, err := a.token.get(ctx, "")
	if err != nil {
		return err
	}
	renewed := false
	for try := 1; ; try++ {
		q := url.Values{"access_token": {token}}
		for k, v := range query {
			q[k] = v
		}
		err := a.once(ctx, op, q, p, out)
		switch c := code(err); {
		case staleToken[c] && !renewed:
			renewed = true
			if token, err = a.token.get(ctx, token); err != nil {
				return err
			}
		case c == busyCode && try < 3:
			select {
			case <-time.After(time.Duration(try) * 500 * time.Millisecond):
			case <-ctx.Done():
				return err
			}
		default:
			return err
		}
	}
}

// once sends one request and reads the answer into out.
func (a *Account) once(ctx context.Context, op string, q url.Values, p payload, out any) error {
	method := http.MethodPost
	if p.body == nil {
		method = http.MethodGet
	}
	address := a.o.API + "/cgi-bin/" + op
	if len(q) > 0 {
		address += "?" + q.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(p.body))
	if err != nil {
		return fmt.Errorf("wechat %s: the address of the API is none", op)
	}
	if p.kind != "" {
		req.Header.Set("Content-Type", p.kind)
	}
	res, err := a.o.Client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // its text has the URL, and that the token
		}
		return fmt.Errorf("wechat %s: %w", op, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return fmt.Errorf("wechat %s: %w", op, err)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("wechat %s: answered %d", op, res.StatusCode)
	}
	if len(b) > maxAnswer {
		return fmt.Errorf("wechat %s: its answer is larger than %d bytes", op, maxAnswer)
	}
	var problem struct {
		Code int    `json:"errcode"`
		Text string `json:"errmsg"`
	}
	if err := json.Unmarshal(b, &problem); err != nil {
		return fmt.Errorf("wechat %s: its answer is no JSON", op)
	}
	if problem.Code != 0 {
		return &CodeError{op, problem.Code, a.harmless(problem.Text)}
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("wechat %s: its answer is not as documented", op)
	}
	return nil
}

// harmless is an answer's text on one line, cut, and without anything secret that it
// may repeat.
func (a *Account) harmless(text string) string {
	for _, secret := range []string{a.o.Secret, a.token.last(), a.ticket.last()} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > 200 {
		text = string(r[:200]) + "…"
	}
	return text
}

// askToken asks for the account's token (stable_token: asking again does not end the
// one before). Where WeChat goes on giving one that it does not take, it is told to
// make another.
func (a *Account) askToken(ctx context.Context, bad string) (string, time.Duration, error) {
	if a.o.Secret == "" {
		return "", 0, errors.New("wechat: set PAPERWIRE_WECHAT_SECRET")
	}
	for _, force := range []bool{false, true} {
		var got struct {
			Token   string `json:"access_token"`
			Expires int    `json:"expires_in"`
		}
		err := a.once(ctx, "stable_token", nil, jsonOf(map[string]any{
			"grant_type": "client_credential", "appid": a.o.AppID, "secret": a.o.Secret, "force_refresh": force,
		}), &got)
		if err != nil {
			return "", 0, err
		}
		if got.Token == "" {
			return "", 0, errors.New("wechat stable_token: its answer has no token")
		}
		if got.Token != bad {
			return got.Token, time.Duration(got.Expires) * time.Second, nil
		}
	}
	return "", 0, errors.New("wechat stable_token: it gives a token that it does not take")
}

// askTicket asks for the ticket that pages are signed with.
func (a *Account) askTicket(ctx context.Context, _ string) (string, time.Duration, error) {
	var got struct {
		Ticket  string `json:"ticket"`
		Expires int    `json:"expires_in"`
	}
	if err := a.call(ctx, "ticket/getticket", url.Values{"type": {"jsapi"}}, payload{}, &got); err != nil {
		return "", 0, err
	}
	if got.Ticket == "" {
		return "", 0, errors.New("wechat ticket/getticket: its answer has no ticket")
	}
	return got.Ticket, time.Duration(got.Expires) * time.Second, nil
}

// shared is a secret of the account with an end, one for all processes.
type shared struct {
	a    *Account
	name string
	ask  func(ctx context.Context, bad string) (value string, lasts time.Duration, err error)
	turn chan struct{} // whoever looks further than at have

	mu    sync.Mutex
	have  string
	until time.Time
	good  time.Time // until then it is given without looking any further
}

func newShared(a *Account, name string, ask func(context.Context, string) (string, time.Duration, error)) *shared {
	return &shared{a: a, name: name, ask: ask, turn: make(chan struct{}, 1)}
}

func (s *shared) memo(what string) string { return "wechat/" + s.a.o.AppID + "/" + s.name + what }

// last is the one that this process knows.
func (s *shared) last() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.have
}

// known gives the one in memory while it may be used without looking any further.
func (s *shared) known(bad string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.a.o.Now()
	return s.have, s.have != "" && s.have != bad && now.Before(s.until) && now.Before(s.good)
}

// note remembers it: for a minute, for ten seconds where it is about to end.
func (s *shared) note(value string, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.a.o.Now()
	s.have, s.until, s.good = value, until, now.Add(remember)
	if !now.Before(until.Add(-early)) {
		s.good = now.Add(hurried)
	}
}

// get gives the secret; bad is one that was not taken. It is renewed five minutes
// before its end by one process of all, and until then the former one is given.
func (s *shared) get(ctx context.Context, bad string) (string, error) {
	if v, ok := s.known(bad); ok {
		return v, nil
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if v, ok := s.known(bad); ok {
		return v, nil
	}
	// Whoever asked first may leave; the others still want it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewFor)
	defer cancel()
	for {
		have, until, err := s.a.o.Store.Memo(ctx, s.memo(""))
		if errors.Is(err, paper.ErrNotFound) || err == nil && have == bad {
			have, err = "", nil
		}
		if err != nil {
			return "", err
		}
		if have != "" && s.a.o.Now().Before(until.Add(-early)) {
			s.note(have, until)
			return have, nil
		}
		if err := s.resting(ctx); err != nil {
			if have != "" {
				s.note(have, until)
				return have, nil
			}
			return "", err
		}
		// A lease, so that of many processes one asks; it outlives no renewal.
		err = s.a.o.Store.Acquire(ctx, s.memo(""), s.a.o.Owner, renewFor)
		if errors.Is(err, paper.ErrBusy) {
			if have != "" {
				s.note(have, until)
				return have, nil // good for minutes more
			}
			select {
			case <-time.After(100 * time.Millisecond):
				continue
			case <-ctx.Done():
				return "", fmt.Errorf("wechat %s: another process is renewing it: %w", s.name, ctx.Err())
			}
		}
		if err != nil {
			return "", err
		}
		v, err := s.renew(ctx, bad)
		if e := s.a.o.Store.Drop(context.WithoutCancel(ctx), s.memo(""), s.a.o.Owner); e != nil {
			s.a.o.Log.Warn("wechat: end of a lease", "what", s.name, "error", e)
		}
		if err != nil && have != "" {
			s.note(have, until)
			return have, nil
		}
		return v, err
	}
}

// resting tells why it was not to be had lately, while it is not asked for again.
func (s *shared) resting(ctx context.Context) error {
	text, until, err := s.a.o.Store.Memo(ctx, s.memo("/rest"))
	switch {
	case errors.Is(err, paper.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("%s (it is not asked again before %s)", text, until.In(paper.Shanghai).Format(time.TimeOnly))
}

// renew asks for another one, unless somebody just did.
func (s *shared) renew(ctx context.Context, bad string) (string, error) {
	now := s.a.o.Now()
	if have, until, err := s.a.o.Store.Memo(ctx, s.memo("")); err == nil && have != bad && now.Before(until.Add(-early)) {
		s.note(have, until)
		return have, nil
	}
	if err := s.resting(ctx); err != nil {
		return "", err // it was found out between our look and our lease
	}
	v, lasts, err := s.ask(ctx, bad)
	if err != nil {
		rest := 10 * time.Second
		switch code(err) {
		case 0, busyCode:
		case minuteCode:
			rest = time.Minute
		default: // a person has to do something
			rest = 10 * time.Minute
		}
		s.a.o.Log.Error("wechat: no "+s.name, "error", err, "again_in", rest)
		if e := s.a.o.Store.KeepMemo(ctx, s.memo("/rest"), err.Error(), now.Add(rest)); e != nil {
			s.a.o.Log.Warn("wechat: keep a rest", "what", s.name, "error", e)
		}
		return "", err
	}
	lasts = min(max(lasts, time.Minute), 24*time.Hour)
	until := now.Add(lasts)
	if err := s.a.o.Store.KeepMemo(ctx, s.memo(""), v, until); err != nil {
		return "", err
	}
	s.a.o.Log.Info("wechat: new "+s.name, "lasts", strconv.Itoa(int(lasts/time.Second))+"s")
	s.note(v, until)
	return v, nil
}
