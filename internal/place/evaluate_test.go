package place

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestMeasure(t *testing.T) {
	var m Measure
	m.add([]string{"1", "2"}, []string{"2", "3"})
	m.add(nil, nil)
	m.add([]string{"4"}, nil)
	if m != (Measure{Items: 3, Exact: 1, Right: 1, Wrong: 1, Missed: 2}) || m.Precision() != 0.5 || m.F1() != 0.4 {
		t.Errorf("%v", m)
	}
	if (Measure{}).F1() != 1 {
		t.Error("nothing to find is no failure")
	}
}

// What is left out is really off: a landmark, a former name, a stop phrase, a
// word, a common noun and an override, each seen to work and then not to.
func TestWithout(t *testing.T) {
	g, err := Load([]Override{{City: "410800", Code: "410821", Aliases: []string{"怀庆药谷"}}, {City: "320100", Code: "320171", Name: "江北新区"}})
	if err != nil {
		t.Fatal(err)
	}
	codes := func(g *Gazetteer, city, s string) string {
		f, err := g.City(city)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(f.Find(Text{Title: s, Lead: s + "。"}).Sure(), " ")
	}
	for _, c := range []struct{ city, kind, text, with, without string }{
		{"410800", "landmark", "神农山白松岭的云海", "410882", ""},
		{"410800", "override", "怀庆药谷的药农下地", "410821", ""},
		{"320100", "stop", "曹家与江宁织造", "", "320115"},
		{"410800", "generic", "走遍解放区的山", "", "410802"},
		{"610100", "former", "户县的画农画起了新房", "610118", ""},
		{"410800", "word", "看遍山阳无此景", "", "410811"},
		{"320100", "override", "江北新区开通夜间巴士", "320171", ""},
	} {
		rules := g.Rules(c.city)
		if !slices.ContainsFunc(rules, func(r Rule) bool { return r.Kind == c.kind }) {
			t.Errorf("%s: no rule of the kind %s is listed: %v", c.city, c.kind, rules)
			continue
		}
		bare, err := g.Without(rules)
		if err != nil {
			t.Fatal(err)
		}
		if left := bare.Rules(c.city); len(left) > 0 {
			t.Errorf("%s: still on: %v", c.city, left)
		}
		if with, without := codes(g, c.city, c.text), codes(bare, c.city, c.text); with != c.with || without != c.without {
			t.Errorf("%s %s: %q with and %q without its rules, want %q and %q", c.kind, c.text, with, without, c.with, c.without)
		}
		// Another city keeps its own.
		other := "410800"
		if c.city == other {
			other = "610100"
		}
		if have, want := bare.Rules(other), g.Rules(other); !slices.Equal(have, want) {
			t.Errorf("without the rules of %s, %s has %d rules of %d", c.city, other, len(have), len(want))
		}
	}
	if len(load(t).Rules("410800")) == 0 {
		t.Error("leaving out has changed the embedded table")
	}
}

// ordinary are names of counties that are, in the rules of the language, words.
const ordinary = "公安 港口 高新区 经开区 城区 城关 老城 新城 古城 运河 汽车 来宾 工业园区 示范区"

// No code names a place: what is written about one stands in the tables of gen/,
// where Rules lists it and Without switches it off.
func TestCodeNamesNoPlace(t *testing.T) {
	names := map[string]bool{}
	for _, d := range load(t).rows {
		if d.Level == "province" {
			continue
		}
		names[d.Name] = true
		if d.Short != "" {
			names[d.Short] = true
		}
	}
	for _, l := range load(t).table.landmarks {
		names[l[1]] = true
	}
	for w := range strings.SplitSeq(ordinary, " ") {
		delete(names, w)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			s, _ := strconv.Unquote(lit.Value)
			for w := range strings.FieldsSeq(s) {
				seen++
				if names[w] {
					t.Errorf("the code names %s", w)
				}
			}
			return true
		})
	}
	if seen < 500 {
		t.Fatalf("saw %d words only", seen)
	}
}

// TestLeaveOut: in a city that nobody has looked at, little is lost.
func TestLeaveOut(t *testing.T) {
	const file = "../../../shared/places/dev.jsonl"
	if _, err := os.Stat(file); err != nil {
		if os.Getenv("PAPERWIRE_TEST_ALL") == "1" {
			t.Fatalf("the shared labelled items are not here: %v", err)
		}
		t.Skipf("the shared labelled items are not here: %v", err)
	}
	items := readItems(t, file)
	g := load(t)
	e, left, err := g.LeaveOut(items)
	if err != nil {
		t.Fatal(err)
	}
	whole := evaluate(t, g, items)
	for _, l := range left {
		t.Logf("%s: %.3f, left out %.3f, %d rules", l.City, l.With.Sure.F1(), l.Without.Sure.F1(), len(l.Rules))
	}
	t.Logf("all: %.3f, left out %.3f", whole.Sure.F1(), e.Sure.F1())
	if loss := whole.Sure.F1() - e.Sure.F1(); loss >= 0.04 {
		t.Errorf("leaving out loses %.4f:\n%s", loss, mistakes(e))
	}
}
