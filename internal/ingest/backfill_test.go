package ingest

import (
	"context"
	"errors"
	"testing"
	"time"

	"paperwire/internal/fetch"
	"paperwire/sources"
)

// counting answers every request with a page of 4 MB and counts them.
type counting struct {
	n    map[string]int
	late int
	fail bool
}

func (c *counting) Get(_ context.Context, r fetch.Request) (*fetch.Document, error) {
	c.n[r.URL]++
	if r.Defer {
		c.late++
	}
	if c.fail {
		return nil, errors.New("503")
	}
	return &fetch.Document{URL: r.URL, Body: make([]byte, 4<<20)}, nil
}

// Entry and calendar are asked for once in a while, whatever the number of days;
// failures and articles are not remembered, and neither is without bound.
func TestMemo(t *testing.T) {
	at := time.Date(2026, 3, 18, 6, 0, 0, 0, time.UTC)
	c := &counting{n: map[string]int{}}
	m := &memo{Getter: c, now: func() time.Time { return at }, dry: true}
	get := func(url string, keep bool) {
		t.Helper()
		if _, err := m.Get(t.Context(), fetch.Request{URL: url, Keep: keep}); err != nil && !c.fail {
			t.Fatal(err)
		}
	}
	is := func(url string, want int) {
		t.Helper()
		if c.n[url] != want {
			t.Errorf("%s was asked for %d times, want %d", url, c.n[url], want)
		}
	}
	c.fail = true
	get("entry", true)
	c.fail = false
	get("entry", true)
	get("entry", true)
	is("entry", 2)
	if c.late != 2 {
		t.Error("a dry run leaves validators behind")
	}
	get("article", false)
	get("article", false)
	is("article", 2)
	at = at.Add(memoFor + time.Second)
	get("entry", true)
	is("entry", 3)
	for _, page := range []string{"1", "2", "3", "4", "5"} {
		get(page, true)
	}
	get("entry", true)
	is("entry", 4)
	m.forget()
	get("entry", true)
	is("entry", 5)
}

// The problem of an edition tells a wall by the words of the error it was.
func TestWalled(t *testing.T) {
	wall := &sources.BlockedError{URL: "http://a.example/node_2.htm", Reason: "a captcha"}
	if !walled("page 01: "+wall.Error()) || walled("page 01: get http://a.example/node_2.htm: 503 Service Unavailable") {
		t.Error("walls are told by their words")
	}
}
