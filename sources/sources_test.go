package sources

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"paperwire/internal/fetch"
	"paperwire/internal/paper"
)

var update = flag.Bool("update", false, "rewrite what must come out of the cases under testdata/sources")

// One case is a folder testdata/sources/{platform}/{name} with a document as
// fetched (body.*, raw bytes), case.txt (url, content-type) and want.json, what
// Parse makes of it. Adding a folder is all it takes.
func cases(t testing.TB) []string {
	dirs, err := filepath.Glob(filepath.Join("..", "testdata", "sources", "*", "*"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	return dirs
}

// loadCase reads a case: its document decoded as fetch does it.
func loadCase(t testing.TB, dir string) (at, contentType string, body []byte) {
	info, err := os.ReadFile(filepath.Join(dir, "case.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(info)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "url":
			at = value
		case "content-type":
			contentType = value
		default:
			t.Fatalf("%s/case.txt: unknown key %q", dir, key)
		}
	}
	files, _ := filepath.Glob(filepath.Join(dir, "body.*"))
	if len(files) != 1 {
		t.Fatalf("%s: %d bodies", dir, len(files))
	}
	raw, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	body, _ = fetch.Decode(raw, contentType)
	contentType, _, _ = strings.Cut(contentType, ";")
	return at, contentType, body
}

func TestCases(t *testing.T) {
	covered := map[string]bool{}
	for _, dir := range cases(t) {
		kind := filepath.Base(filepath.Dir(dir))
		t.Run(kind+"/"+filepath.Base(dir), func(t *testing.T) {
			if _, ok := platforms[kind]; !ok {
				t.Fatalf("platform %s is not registered", kind)
			}
			at, contentType, body := loadCase(t, dir)
			s := Source{Key: "read", Platform: auto, Zone: paper.Shanghai, HTML: caseRules(t, dir), JSON: caseJSON(t, dir)}
			got := render(t, Parse(s, at, contentType, body))
			file := filepath.Join(dir, "want.json")
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("%v (go test -update writes it)", err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("came out:\n%s\nmust come out:\n%s", got, want)
			}
		})
		covered[kind] = true
	}
	for _, p := range Platforms() {
		if !covered[p.Name] {
			t.Errorf("platform %s has no case under testdata/sources/%s", p.Name, p.Name)
		}
	}
}

// render writes what came out as JSON without what is empty.
func render(t *testing.T, p Parsed) []byte {
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(prune(v)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func prune(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if x = prune(x); x == nil {
				delete(v, k)
			} else {
				v[k] = x
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		for i := range v {
			v[i] = prune(v[i])
		}
		if len(v) == 0 {
			return nil
		}
	case string:
		if v == "" || v == (time.Time{}).Format(time.RFC3339) {
			return nil
		}
	case json.Number:
		if v == "0" {
			return nil
		}
	case bool:
		if !v {
			return nil
		}
	}
	return v
}

func TestRegisterPanicsOnASecondOne(t *testing.T) {
	for _, name := range []string{"founder", "feed", auto, ""} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("platform %q registered a second time", name)
				}
			}()
			register(platform{info: Info{Name: name}})
		}()
	}
}

func TestPlatformsAreSorted(t *testing.T) {
	var names []string
	for _, p := range Platforms() {
		if p.About == "" || len(p.Shapes) == 0 {
			t.Errorf("%s tells nothing about itself", p.Name)
		}
		names = append(names, p.Name)
	}
	if !slices.IsSorted(names) || len(names) < 4 {
		t.Errorf("platforms %v", names)
	}
}

func TestParseRefusesNonsense(t *testing.T) {
	for _, c := range []struct {
		s    Source
		url  string
		body string
	}{
		{Source{Platform: "nosuch"}, "http://a.example/", "<html>"},
		{Source{}, "no url", "<html>"},
		{Source{}, "http://a.example/", ""},
		{Source{}, "http://a.example/", "%PDF-1.4"},
		{Source{}, "http://a.example/", "<html><body><a href=/x>x</a></body></html>"},
		{Source{Platform: "feed"}, "http://a.example/html/2026-01/02/node_1.htm", "<html><a href=content_1.htm>x</a></html>"},
	} {
		if p := Parse(c.s, c.url, "text/html", []byte(c.body)); p.Kind != "unknown" || p.Reason == "" {
			t.Errorf("%+v: %s %q", c, p.Kind, p.Reason)
		}
	}
}
