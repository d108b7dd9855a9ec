package ingest

import "testing"

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
