package push

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"paperwire/internal/paper"
)

// ledger is a list of incidents as the store keeps one.
type ledger struct {
	list []paper.Incident
	told map[int64]int // times told: 1 its beginning, 2 its end
	busy bool
}

func (l *ledger) Untold(context.Context) (out []paper.Incident, err error) {
	for _, i := range l.list {
		if l.told[i.ID] == 0 && i.Ended.IsZero() || l.told[i.ID] == 1 && !i.Ended.IsZero() {
			out = append(out, i)
		}
	}
	return out, nil
}

func (l *ledger) Told(_ context.Context, i paper.Incident) error { l.told[i.ID]++; return nil }

func (l *ledger) Acquire(context.Context, string, string, time.Duration) error {
	if l.busy {
		return errors.New("busy")
	}
	return nil
}

func TestOneMessagePerIncidentAndOneWhenOver(t *testing.T) {
	var got []message
	status := http.StatusOK
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m message
		b, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(b, &m); err != nil {
			t.Error(err)
		}
		if status == http.StatusOK {
			got = append(got, m)
		}
		w.WriteHeader(status)
	}))
	defer hook.Close()
	now := time.Date(2026, 3, 18, 9, 0, 0, 0, time.UTC)
	l := &ledger{told: map[int64]int{}, list: []paper.Incident{
		{ID: 1, Source: "jzrb", Name: "焦作日报", State: "failing", Problem: "get http://e.example/: 503", Began: now.Add(-time.Minute)},
		{ID: 2, Source: "jzrb", Name: "焦作日报", State: "late", Problem: "no edition by 09:00", Began: now},
	}}
	a := NewAlerts(AlertOptions{Incidents: l, Webhook: hook.URL, Base: "http://p.example", Now: func() time.Time { return now }})
	send := func(want int) {
		t.Helper()
		if err := a.Send(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(got) != want {
			t.Fatalf("%d messages, want %d: %+v", len(got), want, got)
		}
	}
	send(1) // the late edition at once, the failure not before it lasts
	send(1)
	now = now.Add(20 * time.Minute)
	status = http.StatusBadGateway
	if err := a.Send(t.Context()); err == nil || strings.Contains(err.Error(), hook.URL) {
		t.Fatalf("a refused message: %v", err)
	}
	status = http.StatusOK
	send(1)
	now = now.Add(time.Minute)
	send(2) // it was not told, so it comes again, after a pause
	l.list[0].Ended = now
	send(3)
	send(3)
	if m := got[2]; !strings.Contains(m.Text, "over after 22m0s") || m.Status != "http://p.example/status" {
		t.Errorf("%+v", m)
	}
	l.list = append(l.list, paper.Incident{ID: 3, State: "alarm", Began: now})
	l.busy = true
	send(3) // another process speaks
}

// Mail that does not work keeps the webhook from nothing, and the webhook is told once.
func TestChannelsApart(t *testing.T) {
	var got []string
	refused := ""
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m message
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			t.Error(err)
		}
		if m.Source == refused {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		got = append(got, m.Source)
	}))
	defer hook.Close()
	now := time.Date(2026, 3, 18, 9, 0, 0, 0, time.UTC)
	l := &ledger{told: map[int64]int{}, list: []paper.Incident{{ID: 1, Source: "a", State: "alarm", Began: now}, {ID: 2, Source: "b", State: "alarm", Began: now}}}
	a := NewAlerts(AlertOptions{Incidents: l, Webhook: hook.URL, Mail: Mail{Server: "127.0.0.1:1", From: "a@example.cn", To: []string{"b@example.cn"}}, Now: func() time.Time { return now }})
	refused = "a"
	for n := range 4 {
		if err := a.Send(t.Context()); (err != nil) != (n%2 == 0) {
			t.Errorf("look %d: %v", n, err)
		}
		now = now.Add(10 * time.Second)
	}
	refused = ""
	now = now.Add(time.Hour)
	l.list = append(l.list, paper.Incident{ID: 3, Source: "c", State: "alarm", Began: now})
	for range 4 {
		_ = a.Send(t.Context())
		now = now.Add(time.Hour)
	}
	l.list[0].Ended = now
	for range 2 {
		_ = a.Send(t.Context())
	}
	if strings.Join(got, " ") != "b a c a" || l.told[1] != 2 || l.told[2] != 1 || l.told[3] != 1 || len(a.open) != 3 {
		t.Errorf("the webhook was told %v, noted as told %v, %d wait for mail", got, l.told, len(a.open))
	}
}

// A mail server that keeps what it gets.
func TestMail(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var mu sync.Mutex
	var data bytes.Buffer
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		r := bufio.NewReader(c)
		say := func(s string) { io.WriteString(c, s+"\r\n") }
		say("220 test")
		in := false
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			switch word := strings.ToUpper(strings.TrimSpace(line)); {
			case in && word == ".":
				in = false
				say("250 kept")
			case in:
				mu.Lock()
				data.WriteString(line)
				mu.Unlock()
			case word == "DATA":
				in = true
				say("354 go")
			case word == "QUIT":
				say("221 bye")
				return
			default:
				say("250 ok")
			}
		}
	}()
	now := time.Date(2026, 3, 18, 9, 0, 0, 0, time.UTC)
	l := &ledger{told: map[int64]int{}, list: []paper.Incident{{ID: 1, Source: "x", Name: "报\r\nBcc: evil@example.com", State: "alarm", Problem: "改版？", Began: now}}}
	a := NewAlerts(AlertOptions{Incidents: l, Mail: Mail{Server: ln.Addr().String(), From: "pw@example.cn", To: []string{"it@example.cn"}}, Now: func() time.Time { return now }})
	if err := a.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	m, err := mail.ReadMessage(&data)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(base64.NewDecoder(base64.StdEncoding, m.Body))
	if m.Header.Get("Bcc") != "" || !strings.HasPrefix(m.Header.Get("Subject"), "=?utf-8?b?") || !strings.Contains(string(body), "改版？") {
		t.Errorf("%v\n%s", m.Header, body)
	}
}
