package fetch

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// An answer to a POST belongs to its body: nothing of it is remembered, and no
// validator of the same URL is sent with it.
func TestPost(t *testing.T) {
	var log []string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
			return
		}
		log = append(log, "other "+r.Method+" "+r.Header.Get("X-Requested-With"))
		fmt.Fprint(w, "elsewhere")
	}))
	defer other.Close()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
			return
		}
		body, _ := io.ReadAll(r.Body)
		log = append(log, strings.TrimSpace(fmt.Sprint(r.Method, " ", r.URL.Path, " ", string(body), " ", r.Header.Get("Content-Type"), " ", r.Header.Get("X-Requested-With"), " ", r.Header.Get("If-None-Match"))))
		switch r.URL.Path {
		case "/see":
			http.Redirect(w, r, "/api", http.StatusSeeOther)
		case "/keep":
			http.Redirect(w, r, "/api", http.StatusPermanentRedirect)
		case "/away":
			http.Redirect(w, r, other.URL, http.StatusFound)
		default:
			w.Header().Set("ETag", `"1"`)
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"got":%q}`, body)
		}
	}))
	defer s.Close()
	memory := newMemory()
	c := New(Options{Pace: -1, Open: []string{strings.TrimPrefix(s.URL, "http://"), strings.TrimPrefix(other.URL, "http://")}, Memory: memory})
	defer c.Close()
	ask := func(path, post string) string {
		t.Helper()
		d, err := c.Get(t.Context(), Request{URL: s.URL + path, Post: post, Keep: true, Raw: true, Header: http.Header{"x-requested-with": {"XMLHttpRequest"}, "Content-Length": {"9"}, "If-None-Match": {"x"}}})
		if err != nil {
			t.Fatal(err)
		}
		if string(d.Raw) != string(d.Body) && !d.NotModified {
			t.Errorf("raw %q, body %q", d.Raw, d.Body)
		}
		return string(d.Body)
	}
	ask("/api", "")
	if got := ask("/api", "a=1"); got != `{"got":"a=1"}` {
		t.Error(got)
	}
	if got := ask("/api", `{"a":2}`); got != `{"got":"{\"a\":2}"}` {
		t.Error(got)
	}
	ask("/see", "a=3")
	ask("/keep", "a=4")
	ask("/away", "a=5")
	want := []string{
		"GET /api   XMLHttpRequest",
		"POST /api a=1 application/x-www-form-urlencoded; charset=UTF-8 XMLHttpRequest",
		`POST /api {"a":2} application/json; charset=UTF-8 XMLHttpRequest`,
		"POST /see a=3 application/x-www-form-urlencoded; charset=UTF-8 XMLHttpRequest",
		"GET /api   XMLHttpRequest",
		"POST /keep a=4 application/x-www-form-urlencoded; charset=UTF-8 XMLHttpRequest",
		"POST /api a=4 application/x-www-form-urlencoded; charset=UTF-8 XMLHttpRequest",
		"POST /away a=5 application/x-www-form-urlencoded; charset=UTF-8 XMLHttpRequest",
		"other GET",
	}
	for i := range max(len(log), len(want)) {
		if i >= len(log) || i >= len(want) || strings.TrimSpace(log[i]) != want[i] {
			t.Errorf("asked\n%s\nwant\n%s", strings.Join(log, "\n"), strings.Join(want, "\n"))
			break
		}
	}
}
