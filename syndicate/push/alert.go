package push

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/smtp"
	"strings"
	"time"

	"paperwire/internal/paper"
)

const (
	lookEvery = 10 * time.Second
	leaseFor  = time.Minute
	waitMost  = time.Hour // longest pause after a message could not be sent
	openMost  = 100       // messages that wait for one channel; what is more is left to the other
	failMost  = 3         // messages that fail on a channel: the others wait for the next look
)

// channel is one way to the operator.
type channel struct {
	send func(context.Context, message) error
	// said is how far the messages have come that did not go out everywhere yet.
	said map[said]progress
}

// said names a message: an incident's beginning or its end.
type said struct {
	incident int64
	over     bool
}

// progress of a message on a channel.
type progress struct {
	done  bool
	pause time.Duration // after the last failure
	again time.Time
}

// Run sends what is to be told until the context is over. A message that cannot be
// sent is tried again, with growing pauses, and keeps neither others nor the other
// channel waiting; it is noted as told when it went out on one.
func (a *Alerts) Run(ctx context.Context) error {
	if len(a.channels) == 0 {
		<-ctx.Done()
		return nil
	}
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		if err := a.Send(ctx); err != nil && ctx.Err() == nil {
			a.o.Log.Error("alert not sent", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// Send tells what is to be told now.
func (a *Alerts) Send(ctx context.Context) error {
	untold, err := a.o.Incidents.Untold(ctx)
	if err != nil || len(untold)+len(a.open) == 0 {
		return err
	}
	if a.o.Incidents.Acquire(ctx, "alerts", a.o.Owner, leaseFor) != nil {
		return nil // another process speaks
	}
	now := a.o.Now()
	over := map[int64]bool{}
	for _, i := range untold {
		over[i.ID] = !i.Ended.IsZero()
	}
	var errs []error
	var open []paper.Incident
	failed := map[*channel]int{}
	for n, i := range append(a.open, untold...) {
		if i.State == "failing" && i.Ended.IsZero() && now.Sub(i.Began) < a.o.Patience {
			continue
		}
		id := said{i.ID, !i.Ended.IsZero()}
		if i.Ended.IsZero() && over[i.ID] {
			for _, c := range a.channels { // the end says it all, and comes now
				delete(c.said, id)
			}
			continue
		}
		somewhere, everywhere := false, true
		for _, c := range a.channels {
			p := c.said[id]
			if !p.done && !now.Before(p.again) && failed[c] < failMost {
				if err := c.send(ctx, a.message(i)); err != nil {
					errs = append(errs, err)
					failed[c]++
					p.pause = min(max(2*p.pause, 2*lookEvery), waitMost)
					p.again = now.Add(p.pause)
				} else {
					p.done = true
				}
				c.said[id] = p
			}
			somewhere, everywhere = somewhere || p.done, everywhere && p.done
		}
		if somewhere && n >= len(a.open) {
			// Noted at once, so that its end is told too, whatever the other channel does.
			if err := a.o.Incidents.Told(ctx, i); err != nil {
				errs = append(errs, err)
				continue // it went out here: the next look only notes it
			}
			a.o.Log.Info("alert", "source", i.Source, "state", i.State, "over", !i.Ended.IsZero())
		}
		switch {
		case everywhere || len(open) == openMost:
			for _, c := range a.channels {
				delete(c.said, id)
			}
		case somewhere:
			open = append(open, i)
		}
	}
	a.open = open
	return errors.Join(errs...)
}

// message is what a webhook gets.
type message struct {
	Text    string    `json:"text"` // one line for people
	Source  string    `json:"source"`
	State   string    `json:"state"` // failing, blocked, alarm, late, missing
	Problem string    `json:"problem"`
	Began   time.Time `json:"began"`
	Ended   time.Time `json:"ended,omitzero"`
	Status  string    `json:"status"` // the status page
}

func (a *Alerts) message(i paper.Incident) message {
	text := fmt.Sprintf("%s (%s): %s", i.Name, i.State, i.Problem)
	if !i.Ended.IsZero() {
		text = fmt.Sprintf("%s: over after %s, was %s", i.Name, i.Ended.Sub(i.Began).Round(time.Minute), i.State)
	}
	return message{Text: text, Source: i.Source, State: i.State, Problem: i.Problem, Began: i.Began, Ended: i.Ended, Status: a.o.Base + "/status"}
}

func (a *Alerts) post(ctx context.Context, m message) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.o.Webhook, bytes.NewReader(b))
	if err != nil {
		return errors.New("alert webhook: not a URL") // the URL may hold a secret
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := a.o.Client.Do(req)
	if err != nil {
		var u interface{ Unwrap() error }
		if errors.As(err, &u) {
			err = u.Unwrap() // without the URL
		}
		return fmt.Errorf("alert webhook: %w", err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("alert webhook: %s", resp.Status)
	}
	return nil
}

// mailWithin is how long a mail server may take for everything.
const mailWithin = 30 * time.Second

func (a *Alerts) mail(ctx context.Context, m message) error {
	c := a.o.Mail
	host, _, err := net.SplitHostPort(c.Server)
	if err != nil {
		return fmt.Errorf("alert mail: server %s: write it like mail.example.cn:587", c.Server)
	}
	ctx, cancel := context.WithTimeout(ctx, mailWithin)
	defer cancel()
	if err := c.deliver(ctx, host, letter(c, m)); err != nil {
		return fmt.Errorf("alert mail: %w", err)
	}
	return nil
}

// deliver is smtp.SendMail for a server that may be silent, or speak TLS from the first
// byte (port 465, RFC 8314 §3.3).
func (c Mail) deliver(ctx context.Context, host string, letter []byte) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.Server)
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	secured := &tls.Config{ServerName: host}
	if strings.HasSuffix(c.Server, ":465") {
		conn = tls.Client(conn, secured)
	}
	s, err := smtp.NewClient(conn, host)
	if err != nil {
		return cmp.Or(ctx.Err(), err)
	}
	defer s.Close()
	steps := []func() error{func() error {
		if ok, _ := s.Extension("STARTTLS"); ok {
			return s.StartTLS(secured)
		}
		return nil
	}, func() error {
		if c.User == "" {
			return nil
		}
		return s.Auth(smtp.PlainAuth("", c.User, c.Password, host))
	}, func() error { return s.Mail(c.From) }}
	for _, to := range c.To {
		steps = append(steps, func() error { return s.Rcpt(to) })
	}
	steps = append(steps, func() error {
		w, err := s.Data()
		if err != nil {
			return err
		}
		if _, err := w.Write(letter); err != nil {
			return err
		}
		return w.Close()
	})
	for _, step := range steps {
		if err := step(); err != nil {
			return cmp.Or(ctx.Err(), err)
		}
	}
	_ = s.Quit() // the letter is there
	return nil
}

// letter is the mail (RFC 5322): the subject encoded, the body in base64, so no
// word of a publisher's can become a header.
func letter(c Mail, m message) []byte {
	body := m.Text + "\r\n\r\nsource: " + m.Source + "\r\nstate: " + m.State + "\r\nproblem: " + m.Problem +
		"\r\nbegan: " + m.Began.Format(time.RFC3339)
	if !m.Ended.IsZero() {
		body += "\r\nended: " + m.Ended.Format(time.RFC3339)
	}
	body += "\r\n\r\n" + m.Status + "\r\n"
	var b bytes.Buffer
	subject := []rune(strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, "Paperwire: "+m.Text))
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nSubject: %s\r\n", c.From, strings.Join(c.To, ", "), mime.BEncoding.Encode("utf-8", string(subject[:min(len(subject), 120)])))
	when := m.Began
	if !m.Ended.IsZero() {
		when = m.Ended
	}
	fmt.Fprintf(&b, "Date: %s\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n", when.Format(time.RFC1123Z))
	text := base64.StdEncoding.EncodeToString([]byte(body))
	for len(text) > 76 {
		b.WriteString(text[:76] + "\r\n")
		text = text[76:]
	}
	b.WriteString(text + "\r\n")
	return b.Bytes()
}
