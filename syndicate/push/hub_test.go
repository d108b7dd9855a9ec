package push

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"paperwire/internal/paper"
)

// Who has as many requests waiting as one may have is told to wait; the next is not.
func TestIntentsOfOneClient(t *testing.T) {
	d, box, _ := hooked(t, &shelf{}, hook{})
	ask := func(client, callback string) int {
		form := url.Values{"hub.mode": {"subscribe"}, "hub.topic": {"https://news.example/feeds/all.rss"}, "hub.callback": {callback}}
		r := httptest.NewRequest(http.MethodPost, "/hub", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		d.ServeHub(w, r, client)
		return w.Code
	}
	for i := range maxIntents {
		if code := ask("a", fmt.Sprintf("https://r%d.example/", i)); code != http.StatusAccepted {
			t.Fatalf("request %d: %d", i, code)
		}
	}
	if code := ask("a", "https://more.example/"); code != http.StatusTooManyRequests {
		t.Errorf("one more of the same client: %d", code)
	}
	if code := ask("b", "https://more.example/"); code != http.StatusAccepted {
		t.Errorf("another client: %d", code)
	}
	n := 0
	for _, r := range box.receivers {
		if r.Client == "b" && r.Kind == paper.Intent {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d requests of the other client", n)
	}
	// One host is one, on whatever port.
	for i := range maxIntents - 1 {
		ask(fmt.Sprint("c", i), fmt.Sprintf("https://more.example:%d/", 1000+i))
	}
	if code := ask("d", "https://more.example:4000/"); code != http.StatusTooManyRequests {
		t.Errorf("one more at the same host: %d", code)
	}
}

// Callbacks at one host share its places whatever their ports, and take none from the
// operator's receivers there.
func TestCallbacksShareTheirHost(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	d := New(Options{Client: server.Client(), Base: "https://news.example"})
	for range hostMost {
		if _, ok := d.hosts.enter(t.Context(), "callbacks at 127.0.0.1"); !ok {
			t.Fatal("no place")
		}
	}
	d.hosts.all["callbacks at 127.0.0.1"].waiting = hostQueue
	for kind, want := range map[paper.ReceiverKind]outcome{paper.Intent: crowded, paper.Subscription: crowded, paper.Webhook: delivered} {
		if v := d.send(t.Context(), kind, &parcel{url: server.URL}); v.outcome != want {
			t.Errorf("%s: %+v", kind, v)
		}
	}
}
