package place

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

func readItems(t testing.TB, file string) []Labelled {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	items, err := ReadLabelled(f, "")
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return items
}

func evaluate(t testing.TB, g *Gazetteer, items []Labelled) Evaluation {
	t.Helper()
	e, err := g.Evaluate(items)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func mistakes(e Evaluation) string {
	var b strings.Builder
	for _, m := range e.Errors {
		got, _ := json.Marshal(m.Placing)
		fmt.Fprintf(&b, "%v (%s) %s\n\twant %v\n\tgot  %s\n", m.ID, m.Class, m.Title, m.Want, got)
	}
	return b.String()
}

func load(t testing.TB) *Gazetteer {
	t.Helper()
	g, err := Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestSharedItems(t *testing.T) {
	const file = "../../../shared/places/dev.jsonl"
	if _, err := os.Stat(file); err != nil {
		if os.Getenv("PAPERWIRE_TEST_ALL") == "1" {
			t.Fatalf("the shared labelled items are not here: %v", err)
		}
		t.Skipf("the shared labelled items are not here: %v", err)
	}
	e := evaluate(t, load(t), readItems(t, file))
	t.Log("sure  ", e.Sure)
	t.Log("likely", e.Likely)
	if e.Sure.Precision() < 0.99 || max(e.Sure.F1(), e.Likely.F1()) < 0.97 {
		t.Errorf("below precision 0.99 or F1 0.97: %v\n%s", e.Sure, mistakes(e))
	}
}

func TestItems(t *testing.T) {
	e := evaluate(t, load(t), readItems(t, "testdata/items.jsonl"))
	t.Log("sure  ", e.Sure)
	t.Log("likely", e.Likely)
	if len(e.Errors) > 0 {
		t.Errorf("%d items are placed wrongly:\n%s", len(e.Errors), mistakes(e))
	}
}

// Sets that were written before the tagger had seen them (docs/districts.md has
// what it made of them then). They guard against falling back.
func TestTraps(t *testing.T) {
	for _, c := range []struct {
		file          string
		precision, f1 float64
	}{
		{"testdata/traps.jsonl", 0.99, 0.975},
		{"testdata/held.jsonl", 0.97, 0.97},
		{"testdata/second.jsonl", 0.97, 0.98},
		{"testdata/third.jsonl", 0.92, 0.96},
		{"testdata/fourth.jsonl", 0.96, 0.965},
		{"testdata/fifth.jsonl", 0.99, 0.99},
		{"testdata/sixth.jsonl", 0.985, 0.98},
	} {
		e := evaluate(t, load(t), readItems(t, c.file))
		t.Log(c.file, e.Sure)
		if e.Sure.Precision() < c.precision || e.Sure.F1() < c.f1 {
			t.Errorf("%s: below precision %.3f or F1 %.3f: %v\n%s", c.file, c.precision, c.f1, e.Sure, mistakes(e))
		}
	}
}
