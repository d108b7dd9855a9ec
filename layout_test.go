package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"paperwire/sources"
	"paperwire/syndicate/card"
	"paperwire/syndicate/feed"
)

// rooms says which packages of ours each package may import (docs/architecture.md).
// Test files obey it too, except main's.
var rooms = map[string][]string{
	".":                  nil, // all
	"internal/paper":     {},
	"internal/fetch":     {},
	"internal/place":     {"internal/paper"},
	"internal/papertest": {"internal/paper"},
	"internal/store":     {"internal/paper"},
	"internal/queue":     {"internal/paper", "internal/store"},
	"sources":            {"internal/paper", "internal/fetch"},
	"syndicate":          {"internal/paper", "syndicate/feed", "syndicate/card", "syndicate/push", "syndicate/wechat", "syndicate/api", "syndicate/web"},
	"syndicate/feed":     {"internal/paper"},
	"syndicate/card":     {"internal/paper", "syndicate/feed"},
	"syndicate/push":     {"internal/paper", "syndicate/feed", "syndicate/card"},
	"syndicate/wechat":   {"internal/paper", "syndicate/feed", "syndicate/card"},
	"syndicate/api":      {"internal/paper", "syndicate/feed", "syndicate/card", "syndicate/push"},
	"syndicate/web":      {"internal/paper", "syndicate/feed", "syndicate/card", "syndicate/push", "syndicate/api"},
	"internal/ingest":    {"internal/paper", "internal/place", "internal/fetch", "internal/store", "sources"},
	"internal/place/gen": {"internal/paper", "internal/place"},
}

// homes are the modules that only one package may import.
var homes = map[string]string{
	"github.com/spf13/viper":        ".",
	"github.com/mmcdole/gofeed":     "sources",
	"github.com/gorilla/feeds":      "syndicate/feed",
	"database/sql":                  "internal/store",
	"github.com/jackc/pgx":          "internal/store",
	"modernc.org/sqlite":            "internal/store",
	"github.com/riverqueue/river":   "internal/queue",
	"github.com/danielgtaylor/huma": "syndicate/api",
}

type goFile struct {
	dir, name string
	syntax    *ast.File
}

func goFiles(t *testing.T, root string) []goFile {
	t.Helper()
	var files []goFile
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && p != root) {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(p) != ".go" {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		files = append(files, goFile{path.Dir(filepath.ToSlash(rel)), path.Base(p), f})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// importProblems holds files against rooms and homes.
func importProblems(files []goFile) []string {
	var bad []string
	for _, f := range files {
		may, known := rooms[f.dir]
		if !known {
			bad = append(bad, f.dir+": not a room of the house: add it to docs/architecture.md and here")
			continue
		}
		test := strings.HasSuffix(f.name, "_test.go")
		for _, spec := range f.syntax.Imports {
			p, _ := strconv.Unquote(spec.Path.Value)
			at := path.Join(f.dir, f.name)
			if ours, ok := strings.CutPrefix(p, "paperwire/"); ok && f.dir != "." && ours != f.dir && !slices.Contains(may, ours) {
				bad = append(bad, at+": imports "+ours)
			}
			for module, home := range homes {
				if (p == module || strings.HasPrefix(p, module+"/")) && f.dir != home && !(test && f.dir == ".") {
					bad = append(bad, at+": imports "+p+", whose home is "+home)
				}
			}
		}
	}
	return bad
}

func TestImportTable(t *testing.T) {
	files := goFiles(t, ".")
	if len(files) < 20 {
		t.Fatalf("found %d files only", len(files))
	}
	for _, p := range importProblems(files) {
		t.Error(p)
	}
	// Every room exists.
	have := map[string]bool{}
	for _, f := range files {
		have[f.dir] = true
	}
	for _, dir := range []string{"internal/paper", "internal/place", "internal/fetch", "internal/store", "internal/queue", "internal/ingest", "internal/papertest", "sources", "syndicate", "syndicate/feed", "syndicate/card", "syndicate/api", "syndicate/web"} {
		if !have[dir] {
			t.Errorf("room %s is empty", dir)
		}
	}
}

// The table is a test that fails when it is broken.
func TestImportTableCatches(t *testing.T) {
	for source, want := range map[string]string{
		"package sources\nimport _ \"paperwire/syndicate/feed\"":     "imports syndicate/feed",
		"package sources\nimport _ \"paperwire/internal/store\"":     "imports internal/store",
		"package sources\nimport _ \"github.com/spf13/viper\"":       "whose home is .",
		"package sources\nimport _ \"github.com/jackc/pgx/v5\"":      "whose home is internal/store",
		"package sources\nimport _ \"database/sql\"":                 "whose home is internal/store",
		"package sources\nimport _ \"github.com/gorilla/feeds\"":     "whose home is syndicate/feed",
		"package sources\nimport _ \"paperwire/internal/something\"": "imports internal/something",
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "x.go", source, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"x.go", "x_test.go"} {
			got := strings.Join(importProblems([]goFile{{"sources", name, f}}), "\n")
			if !strings.Contains(got, want) {
				t.Errorf("%s in %s: got %q, want %q", source, name, got, want)
			}
		}
	}
	if got := importProblems([]goFile{{"internal/helpers", "x.go", &ast.File{}}}); len(got) != 1 {
		t.Errorf("an unknown room passes: %v", got)
	}
}

// The exported types, functions and constants of a package stand in the file
// named after it: its door.
func TestDoors(t *testing.T) {
	for _, f := range goFiles(t, ".") {
		if f.dir == "." || strings.HasSuffix(f.name, "_test.go") || f.name == path.Base(f.dir)+".go" || f.syntax.Name.Name == "main" {
			continue
		}
		for _, d := range f.syntax.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.IsExported() {
					t.Errorf("%s/%s: func %s belongs in the door", f.dir, f.name, d.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						if spec.Name.IsExported() {
							t.Errorf("%s/%s: type %s belongs in the door", f.dir, f.name, spec.Name)
						}
					case *ast.ValueSpec:
						for _, n := range spec.Names {
							if n.IsExported() {
								t.Errorf("%s/%s: %s belongs in the door", f.dir, f.name, n)
							}
						}
					}
				}
			}
		}
	}
}

// Every registered kind has a case under testdata.
func TestEveryKindHasACase(t *testing.T) {
	for _, p := range sources.Platforms() {
		if cases, _ := filepath.Glob("testdata/sources/" + p.Name + "/*"); len(cases) == 0 {
			t.Errorf("platform %s has no case under testdata/sources/%s", p.Name, p.Name)
		}
	}
	dirs, _ := filepath.Glob("testdata/syndicate/*/input.json")
	if len(dirs) == 0 {
		t.Fatal("no cases under testdata/syndicate")
	}
	for _, f := range feed.Formats() {
		for _, d := range dirs {
			if got, _ := filepath.Glob(filepath.Join(filepath.Dir(d), "*."+f.Ext)); len(got) == 0 {
				t.Errorf("format %s has no expectation beside %s", f.Ext, d)
			}
		}
	}
	for _, d := range dirs {
		b, err := os.ReadFile(filepath.Join(filepath.Dir(d), "cards.json"))
		var cards []struct{ Platforms map[string]card.Post }
		if err == nil {
			err = json.Unmarshal(b, &cards)
		}
		if err != nil {
			t.Errorf("cards beside %s: %v", d, err)
		}
		for _, c := range cards {
			for _, p := range card.Platforms() {
				if len(c.Platforms) > 0 && c.Platforms[p.Key].Text == "" { // none when withdrawn
					t.Errorf("platform %s has no post in the cards beside %s", p.Key, d)
				}
			}
		}
	}
	if n := len(slices.Collect(maps.Keys(rooms))); n < 15 {
		t.Errorf("the house has %d rooms", n)
	}
}
