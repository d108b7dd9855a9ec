package main

import (
	"bytes"
	"flag"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"paperwire/sources"
	"paperwire/syndicate/card"
	"paperwire/syndicate/feed"
)

var updateDocs = flag.Bool("update", false, "print the tables of docs/ again")

// documents are the Markdown files that people read, by path.
func documents(t *testing.T) map[string]string {
	t.Helper()
	docs := map[string]string{}
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && p != ".") {
			return filepath.SkipDir
		}
		if !d.IsDir() && filepath.Ext(p) == ".md" {
			b, err := os.ReadFile(p)
			docs[filepath.ToSlash(p)] = string(b)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"README.md", "CHANGELOG.md", "docs/architecture.md", "docs/platforms.md", "docs/formats.md", "docs/cards.md", "docs/operations.md", "docs/districts.md"} {
		if docs[p] == "" {
			t.Errorf("%s is missing", p)
		}
	}
	return docs
}

// What the program prints stands in the documents as it prints it.
func TestPrintedTables(t *testing.T) {
	readme := documents(t)["README.md"]
	for _, p := range sources.Platforms() {
		if !strings.Contains(readme, "| `"+p.Name+"` |") {
			t.Errorf("README.md has no line for the platform %s", p.Name)
		}
	}
	for _, f := range feed.Formats() {
		if !strings.Contains(readme, "| `."+f.Ext+"` |") {
			t.Errorf("README.md has no line for the format %s", f.Ext)
		}
	}
	var platforms, formats, cards bytes.Buffer
	if err := writePlatforms(&platforms, sources.Platforms()); err != nil {
		t.Fatal(err)
	}
	if err := writeFormats(&formats, feed.Formats()); err != nil {
		t.Fatal(err)
	}
	if err := writeCards(&cards, card.Platforms()); err != nil {
		t.Fatal(err)
	}
	imports := "| package | may import of ours |\n|---|---|\n"
	for _, dir := range slices.Sorted(maps.Keys(rooms)) {
		may := "nothing"
		if rooms[dir] == nil {
			dir, may = "main", "all"
		} else if len(rooms[dir]) > 0 {
			may = "`" + strings.Join(rooms[dir], "`, `") + "`"
		}
		imports += "| `" + dir + "` | " + may + " |\n"
	}
	for _, c := range []struct{ file, name, want string }{
		{"docs/platforms.md", "paperwire platforms --markdown", platforms.String()},
		{"docs/formats.md", "paperwire formats --markdown", formats.String()},
		{"docs/cards.md", "paperwire cards --markdown", cards.String()},
		{"docs/architecture.md", "imports", imports},
	} {
		b, err := os.ReadFile(c.file)
		if err != nil {
			t.Error(err)
			continue
		}
		begin, end := "<!-- "+c.name+" -->\n", "<!-- /"+c.name+" -->"
		before, rest, ok := strings.Cut(string(b), begin)
		got, after, closed := strings.Cut(rest, end)
		if !ok || !closed {
			t.Errorf("%s: the table's place is not marked by %q and %q", c.file, begin, end)
			continue
		}
		if got == c.want {
			continue
		}
		if !*updateDocs {
			t.Errorf("%s: the table is not what the program prints: go test . -run PrintedTables -update", c.file)
			continue
		}
		if err := os.WriteFile(c.file, []byte(before+begin+c.want+end+after), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// configKeys are the paths of all keys of the configuration: sources[].key.
func configKeys() []string {
	var keys []string
	var walk func(reflect.Type, string)
	walk = func(typ reflect.Type, prefix string) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			if !f.IsExported() {
				continue
			}
			name := f.Tag.Get("mapstructure")
			if name == "" {
				name = strings.ToLower(f.Name)
			}
			of := f.Type
			if of.Kind() == reflect.Slice && of.Elem().Kind() == reflect.Struct {
				of, name = of.Elem(), name+"[]"
			}
			if of.Kind() == reflect.Struct {
				walk(of, prefix+name+".")
			} else {
				keys = append(keys, prefix+name)
			}
		}
	}
	walk(reflect.TypeFor[config](), "")
	return keys
}

// operations.md has a line of its own for each key and for each metric.
func TestReferenceIsWhole(t *testing.T) {
	text := documents(t)["docs/operations.md"]
	keys := configKeys()
	if len(keys) < 30 || !slices.Contains(keys, "sources[].every_in_window") || !slices.Contains(keys, "fetch.pace") {
		t.Fatalf("found %d keys: %v", len(keys), keys)
	}
	row := regexp.MustCompile("(?m)^\\| `([a-z_.\\[\\]]+)` \\|")
	var named []string
	for _, m := range row.FindAllStringSubmatch(text, -1) {
		named = append(named, m[1])
	}
	for _, k := range keys {
		if !slices.Contains(named, k) {
			t.Errorf("docs/operations.md has no line for the key %s", k)
		}
	}
	b, err := os.ReadFile("syndicate/metrics.go")
	if err != nil {
		t.Fatal(err)
	}
	ours := regexp.MustCompile(`paperwire_[a-z_]*[a-z]`)
	pushed, err := os.ReadFile("syndicate/push/metrics.go")
	if err != nil {
		t.Fatal(err)
	}
	have := ours.FindAllString(string(b)+string(pushed), -1)
	if len(have) < 10 {
		t.Fatalf("found %d metrics", len(have))
	}
	for _, m := range have {
		if !slices.Contains(named, m) {
			t.Errorf("docs/operations.md has no line for the metric %s", m)
		}
	}
	for _, n := range named {
		if strings.HasPrefix(n, "paperwire_") && !slices.Contains(have, n) || !strings.HasPrefix(n, "paperwire_") && strings.Contains(n, "[]") && !slices.Contains(keys, n) {
			t.Errorf("docs/operations.md: there is no %s", n)
		}
	}
}

// anchor is what a heading's link is on the usual hosts.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, strings.TrimSpace(heading))
}

func TestLinksLead(t *testing.T) {
	docs := documents(t)
	link := regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading := regexp.MustCompile(`(?m)^#+ (.*)$`)
	n := 0
	for file, text := range docs {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			u, err := url.Parse(m[1])
			if err != nil || u.IsAbs() {
				continue
			}
			n++
			to := file
			if u.Path != "" {
				to = filepath.ToSlash(filepath.Join(filepath.Dir(file), filepath.FromSlash(u.Path)))
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s: %s leads nowhere", file, m[1])
			}
			if u.Fragment == "" {
				continue
			}
			found := false
			for _, h := range heading.FindAllStringSubmatch(docs[to], -1) {
				found = found || anchor(h[1]) == u.Fragment
			}
			if !found {
				t.Errorf("%s: %s names no heading", file, m[1])
			}
		}
	}
	if n < 10 {
		t.Errorf("found %d links only", n)
	}
	// The code refers to documents by path.
	written := regexp.MustCompile(`docs/[\w/.-]+\.md`)
	for _, f := range goFiles(t, ".") {
		b, err := os.ReadFile(filepath.Join(f.dir, f.name))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range written.FindAllString(string(b), -1) {
			if docs[p] == "" {
				t.Errorf("%s/%s: %s does not exist", f.dir, f.name, p)
			}
		}
	}
	for _, p := range []string{"LICENSE", "NOTICE"} {
		if !strings.Contains(docs["README.md"], "]("+p+")") {
			t.Errorf("README.md does not name %s", p)
		}
	}
	pictures, err := filepath.Glob("docs/*.png")
	if err != nil || len(pictures) == 0 {
		t.Error("docs/ has no picture")
	}
	for _, p := range pictures {
		if i, err := os.Stat(p); err != nil || i.Size() > 200<<10 {
			t.Errorf("%s: over 200 KB, or %v", p, err)
		}
	}
}

var (
	fence  = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```")
	inline = regexp.MustCompile("`([^`\n]+)`")
	// A command line: paperwire by name, path or go run, then words and flags.
	called = regexp.MustCompile(`(?:^|[\s/])(?:paperwire|go run \.)((?:[ \t]+[^\s#|;&]+)*)`)
	word   = regexp.MustCompile(`^[a-z]+$`)
	option = regexp.MustCompile(`^(--[a-z-]+)`)
)

// Every command and flag that a document names is there.
func TestCommandsExist(t *testing.T) {
	help := map[string]string{}
	ask := func(command string) string {
		if h, ok := help[command]; ok {
			return h
		}
		args := []string{"--help"}
		if command != "" {
			args = append(strings.Fields(command), "--help")
		}
		var out bytes.Buffer
		if err := run(t.Context(), args, strings.NewReader(""), &out, io.Discard); err != nil {
			t.Fatal(err)
		}
		help[command] = out.String()
		return help[command]
	}
	commands := map[string]bool{"help": true}
	for _, m := range regexp.MustCompile(`(?m)^  ([a-z]+) `).FindAllStringSubmatch(ask(""), -1) {
		commands[m[1]] = true
	}
	if !commands["serve"] || !commands["check"] {
		t.Fatalf("commands found in the help: %v", commands)
	}
	n := 0
	for file, text := range documents(t) {
		var code []string
		for _, m := range fence.FindAllStringSubmatch(text, -1) {
			if m[1] != "go" && m[1] != "yaml" {
				code = append(code, strings.Split(m[2], "\n")...)
			}
		}
		for _, m := range inline.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			code = append(code, m[1])
		}
		for _, line := range code {
			for _, m := range called.FindAllStringSubmatch(line, -1) {
				words := strings.Fields(m[1])
				command := ""
				if len(words) > 0 && word.MatchString(words[0]) {
					command = words[0]
					if !commands[command] {
						t.Errorf("%s: %q: there is no command %s", file, line, command)
						continue
					}
					if len(words) > 1 && word.MatchString(words[1]) && strings.Contains(ask(command), "\n  "+words[1]+" ") {
						command += " " + words[1] // a command of a command
					}
				}
				n++
				for _, w := range words {
					if f := option.FindString(w); f != "" && !strings.Contains(ask(command), f+" ") {
						t.Errorf("%s: %q: %s has no flag %s", file, line, command, f)
					}
				}
			}
		}
	}
	if n < 8 {
		t.Errorf("found %d command lines only", n)
	}
}

// Every configuration that a document shows is right.
func TestShownConfigurations(t *testing.T) {
	t.Setenv("PAPERWIRE_ROBOT_NEWSROOM_URL", "https://robot.example.cn/send?key=1")
	n := 0
	for file, text := range documents(t) {
		table := "" // the one shown above it
		for _, m := range fence.FindAllStringSubmatch(text, -1) {
			if m[1] == "csv" {
				table = m[2]
			}
			if m[1] != "yaml" {
				continue
			}
			n++
			p := filepath.Join(t.TempDir(), "paperwire.yaml")
			if err := os.WriteFile(filepath.Join(filepath.Dir(p), "divisions.csv"), []byte(table), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(p, []byte(m[2]), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := loadConfig(overrides{file: p}); err != nil {
				t.Errorf("%s:\n%s\n%v", file, m[2], err)
			}
		}
	}
	if n < 3 {
		t.Errorf("found %d configurations only", n)
	}
}

// Documents hold nothing of the machine they were written on.
func TestNoMachinePaths(t *testing.T) {
	bad := regexp.MustCompile(`(?:^|[\s"'(=:])/(?:work|root|home|tmp)/\S*|\bGOPROXY\b|\.internal\b`)
	for file, text := range documents(t) {
		for i, line := range strings.Split(text, "\n") {
			if m := bad.FindString(line); m != "" {
				t.Errorf("%s:%d: %s", file, i+1, strings.TrimSpace(m))
			}
		}
	}
}

// The checks above fail when there is something to find.
func TestDocumentChecksCatch(t *testing.T) {
	for line, want := range map[string]string{
		"paperwire serve --config f": "serve --config f", "/usr/local/bin/paperwire check": "check", "go run . formats": "formats", "paperwire": "",
	} {
		m := called.FindStringSubmatch(line)
		if m == nil || strings.TrimSpace(m[1]) != want {
			t.Errorf("%q: %q, want %q", line, m, want)
		}
	}
	if called.MatchString("paperwire.yaml") && strings.TrimSpace(called.FindStringSubmatch("paperwire.yaml")[1]) != "" {
		t.Error("a file name is taken for a command")
	}
	if got := anchor("Who may import whom?"); got != "who-may-import-whom" {
		t.Error(got)
	}
	if got := configKeys(); !slices.Contains(got, "places[].aliases") || slices.Contains(got, "file") {
		t.Error(got)
	}
}
