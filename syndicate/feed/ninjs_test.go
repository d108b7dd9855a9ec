package feed

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"paperwire/internal/paper"
)

// checked is what testdata/syndicate/tools/validate.mjs says of a file.
type checked struct {
	Version string
	Errors  []any
	Items   []struct {
		ID, Title, Published, Updated, Status, Version, Link, Body string
		Pictures                                                   []string
	}
}

// validated holds documents against the schemas of their formats, and every item of
// ninjs alone.
func validated(t *testing.T, files []string) map[string]checked {
	t.Helper()
	node := tool(t, "node", "nodejs")
	if os.Getenv("PAPERWIRE_NODE_MODULES") == "" {
		missing(t, "PAPERWIRE_NODE_MODULES names no folder: run npm ci in a copy of testdata/tools and name its node_modules")
	}
	var stderr bytes.Buffer
	cmd := exec.Command(node, append([]string{cases + "/tools/validate.mjs", cases + "/schemas"}, files...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var got map[string]checked
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		doc, ok := got[f]
		if !ok || len(doc.Errors) > 0 {
			text, _ := os.ReadFile(f)
			t.Fatalf("%s: %v\n%s", f, doc.Errors, text)
		}
	}
	return got
}

func TestNinjsSchema(t *testing.T) {
	var files []string
	owners := map[string]string{}
	for _, dir := range dirs(t) {
		r := rendered(t, dir)
		for _, ext := range []string{"ninjs", "ninjs3"} {
			files = append(files, r[ext])
			owners[r[ext]] = dir
		}
	}
	for file, saw := range validated(t, files) {
		want := "2.2"
		if strings.HasSuffix(file, "3") {
			want = "3.1"
		}
		entries := load(t, owners[file], "ninjs").entries()
		if saw.Version != want || len(saw.Items) != len(entries) {
			t.Fatalf("%s of %s: version %s, %d of %d items", file, owners[file], saw.Version, len(saw.Items), len(entries))
		}
		for i, e := range entries {
			x := saw.Items[i]
			if x.ID != e.URN || x.Title != e.title || x.Published != stamp(e.Published) || x.Updated != stamp(e.Updated) || x.Link != e.link || len(x.Pictures) != len(e.images) {
				t.Errorf("%s item %d: %+v", owners[file], i, x)
			}
			if (e.State == paper.Withdrawn) != (x.Status == "canceled") || x.Status == "canceled" && x.Body != "" || (x.Body != "") != e.full {
				t.Errorf("%s item %d: %s with a body of %d", owners[file], i, x.Status, len(x.Body))
			}
		}
	}
	// The validator must be able to say no.
	bad := filepath.Join(t.TempDir(), "bad.ninjs")
	doc := bytes.Replace(render(t, mustFormat(t, "ninjs"), fifty()), []byte(`"pubstatus":"usable"`), []byte(`"pubstatus":"maybe"`), 1)
	if err := os.WriteFile(bad, doc, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tool(t, "node", "nodejs"), cases+"/tools/validate.mjs", cases+"/schemas", bad).Output()
	var got map[string]checked
	if err != nil || json.Unmarshal(out, &got) != nil || len(got[bad].Errors) == 0 {
		t.Errorf("the validator takes a status that is none: %v %s", err, out)
	}
}

func mustFormat(t testing.TB, ext string) Format {
	t.Helper()
	f, ok := ByExt(ext)
	if !ok {
		t.Fatalf("no format %s", ext)
	}
	return f
}

// Whatever comes in, every format that has a schema is valid.
func TestSchemasAnyInput(t *testing.T) {
	dir := t.TempDir()
	var objects, feeds []string
	draw := rapid.Custom(anyInput)
	for i := range 60 {
		in := draw.Example(i)
		for _, ext := range []string{"ninjs", "ninjs3", "json", "atom"} {
			file := filepath.Join(dir, fmt.Sprintf("%d.%s", i, ext))
			if err := os.WriteFile(file, render(t, mustFormat(t, ext), in), 0o644); err != nil {
				t.Fatal(err)
			}
			if ext == "atom" {
				feeds = append(feeds, file)
			} else {
				objects = append(objects, file)
			}
		}
	}
	validated(t, objects)
	args := append([]string{"-c", absolute(t, cases+"/schemas/atom-rfc4287.rnc")}, feeds...)
	if out, err := exec.Command(tool(t, "jing", "jing"), args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// appendJSON writes what encoding/json reads back.
func TestAppendJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := clean(anyText().Draw(t, "text"))
		b := appendJSON(nil, s, false)
		var back string
		if err := json.Unmarshal(b, &back); err != nil || back != s {
			t.Fatalf("%q became %s: %v", s, b, err)
		}
		if bytes.ContainsAny(b, "\n\u2028\u2029") {
			t.Fatalf("%q became %s", s, b)
		}
	})
	if got := string(appendJSON(nil, "a\u2028\u2029\u202a\x01\"\\<", false)); got != "\"a\\u2028\\u2029\u202a\\u0001\\\"\\\\<\"" {
		t.Error(got)
	}
}
