package feed

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"paperwire/internal/paper"
)

var update = flag.Bool("update", false, "rewrite the expected feeds under testdata/syndicate")

const cases = "../../testdata/syndicate"

// load reads a case: Input as JSON, in which a missing URN is made from the id
// and the links are written for rss.
func load(t testing.TB, dir, ext string) Input {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "input.json"))
	if err != nil {
		t.Fatal(err)
	}
	var in Input
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		t.Fatalf("%s: %v", dir, err)
	}
	for i := range in.Feed.Items {
		if item := &in.Feed.Items[i]; item.URN == "" {
			item.URN = paper.URN(item.ID)
		}
	}
	for _, u := range []*string{&in.Links.Self, &in.Links.Next, &in.Links.Current, &in.Links.Previous, &in.Links.Following} {
		*u = strings.Replace(*u, ".rss", "."+ext, 1)
	}
	return in
}

func render(t testing.TB, f Format, in Input) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f.Write(&b, in); err != nil {
		t.Fatalf("write %s: %v", f.Ext, err)
	}
	return b.Bytes()
}

func dirs(t testing.TB) []string {
	t.Helper()
	inputs, err := filepath.Glob(filepath.Join(cases, "*", "input.json"))
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no cases under %s: %v", cases, err)
	}
	for i := range inputs {
		inputs[i] = filepath.Dir(inputs[i])
	}
	return inputs
}

// Adding a folder with an input.json is all it takes to add a case; -update
// writes what is expected of every format.
func TestCases(t *testing.T) {
	for _, dir := range dirs(t) {
		for _, f := range Formats() {
			t.Run(filepath.Base(dir)+"/"+f.Ext, func(t *testing.T) {
				got := render(t, f, load(t, dir, f.Ext))
				file := filepath.Join(dir, "feed."+f.Ext)
				if *update {
					if err := os.WriteFile(file, got, 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if errors.Is(err, os.ErrNotExist) {
					t.Fatalf("format %s has no expectation in this case; run go test ./syndicate/feed -update and read the diff", f.Ext)
				} else if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(string(want), string(got)); d != "" {
					t.Errorf("feed differs (-want +got):\n%s", d)
				}
				if again := render(t, f, load(t, dir, f.Ext)); !bytes.Equal(got, again) {
					t.Error("the same input gave other bytes")
				}
				wellFormed(t, f.Ext, got)
			})
		}
	}
}

func wellFormed(t testing.TB, ext string, doc []byte) {
	t.Helper()
	if f, _ := ByExt(ext); strings.Contains(f.Type, "json") {
		if !json.Valid(doc) {
			t.Error("not JSON")
		}
		return
	}
	d := xml.NewDecoder(bytes.NewReader(doc))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Errorf("ill-formed: %v", err)
			return
		}
	}
}
