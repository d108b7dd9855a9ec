package ingest

import (
	"testing"
	"time"
)

// What a source's address holds beside its path may be a key, and its problems are public.
func TestDiscreet(t *testing.T) {
	s := &source{}
	s.URL = "https://api.example.cn/feed?key=TOP%20SECRET&n=3"
	for in, want := range map[string]string{
		"get https://api.example.cn/feed?key=TOP%20SECRET&n=3: 404 Not Found": "get https://api.example.cn/feed?…: 404 Not Found",
		"get https://api.example.cn/a/3?k=TOP SECRET: 404 Not Found":          "get https://api.example.cn/a/3?k=…: 404 Not Found",
		"get https://api.example.cn/a?id=3: 404 Not Found":                    "get https://api.example.cn/a?id=3: 404 Not Found",
	} {
		if got := s.discreet(in); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}

// A feed that was found by looking is looked at as one.
func TestWindowOfFeed(t *testing.T) {
	w := Window{From: 5 * time.Hour, To: 9 * time.Hour, Every: time.Hour, OfFeed: 15 * time.Minute}
	now := time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)
	if at := w.of("feed").next(now, nil); at.Sub(now) != 15*time.Minute {
		t.Errorf("a feed: in %s", at.Sub(now))
	}
	if at := w.of("founder").next(now, nil); at.Sub(now) != time.Hour {
		t.Errorf("a paper: in %s", at.Sub(now))
	}
}
