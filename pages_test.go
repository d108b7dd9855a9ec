package main

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"paperwire/internal/papertest"
)

// Every page in a browser, on a phone and on a desk, light and dark: axe finds nothing,
// nothing sticks out to the side, nothing fails to load; and without scripts it is all
// there. PAPERWIRE_TEST_SHOTS names a folder for pictures of them to look at.
func TestPages(t *testing.T) {
	nodeModules(t)
	chromium := papertest.Need(t, "chromium")
	papers(t, func(t *testing.T, d *daemon, n int) {
		type page struct {
			URL     string            `json:"url"`
			Headers map[string]string `json:"headers,omitempty"`
			Views   int               `json:"views"` // of those that pages.mjs lists
			status  int
		}
		var pages []page
		add := func(views, status int, headers map[string]string, paths ...string) {
			for _, p := range paths {
				pages = append(pages, page{d.url + p, headers, views, status})
			}
		}
		items := d.demoItems("all")
		first := items[0].Own
		key := map[string]string{"Authorization": "Bearer test-key"}
		if n == demoArticles {
			var pictured string
			for _, i := range items {
				if len(i.Files) > 0 {
					pictured = i.Own.ID
				}
			}
			add(5, http.StatusOK, nil, "/a/"+pictured)
			add(5, http.StatusOK, key, "/desk")
			add(2, http.StatusOK, key, "/desk?article="+pictured)
			add(2, http.StatusOK, nil, "/?lang=en", "/status", "/editions/demo")
			add(1, http.StatusOK, nil, "/district/410825", "/district/410871", "/search?q=温县", "/search?q=没有这样的词", "/a/"+first.ID+"?lang=en")
			add(1, http.StatusNotFound, nil, "/no/such/page")
			add(1, http.StatusUnauthorized, nil, "/desk")
		} else {
			add(2, http.StatusOK, key, "/desk")
			add(1, http.StatusOK, nil, "/", "/editions/"+first.Paper)
			for _, i := range items {
				add(1, http.StatusOK, nil, "/a/"+i.Own.ID)
			}
		}
		shots := os.Getenv("PAPERWIRE_TEST_SHOTS")
		if shots != "" {
			shots += "/" + t.Name()
			if err := os.MkdirAll(shots, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		in, err := json.Marshal(map[string]any{"pages": pages, "shots": shots})
		if err != nil {
			t.Fatal(err)
		}
		var saw []struct {
			Page, Status int
			URL, View    string
			Faults       []string
			Checked      int
		}
		node(t, &saw, in, "pages.mjs", chromium)
		for i, s := range saw {
			if want := pages[s.Page].status; s.Status != want {
				t.Errorf("%s: %d, want %d", s.URL, s.Status, want)
			}
			if len(s.Faults) > 0 {
				t.Errorf("%s (%s, picture %d):\n%s", strings.TrimPrefix(s.URL, d.url), s.View, i, strings.Join(s.Faults, "\n"))
			}
			if rules := map[string]int{"390 light": 15, "1280 light": 15, "390 dark": 1, "1280 dark": 1}[s.View]; s.Checked < rules {
				t.Errorf("%s (%s): only %d of axe's rules found something to look at", s.URL, s.View, s.Checked)
			}
		}
		if len(saw) < len(pages) {
			t.Errorf("%d pages were looked at %d times", len(pages), len(saw))
		}
	})
}
