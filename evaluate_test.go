package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// evaluated runs the command as a person does.
func evaluated(t *testing.T, config, stdin string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	a := &app{in: strings.NewReader(stdin), out: &out, err: io.Discard, flags: overrides{file: config}, logLevel: "error"}
	c := evaluateCommand(a)
	c.SetArgs(args)
	c.SetOut(io.Discard)
	c.SetErr(io.Discard)
	c.SilenceErrors, c.SilenceUsage = true, true
	err := c.ExecuteContext(t.Context())
	return out.String(), err
}

const evaluateItems = `{"id":"a","title":"温县办起夜校","districts":["410825"],"class":"plain"}
{"id":"b","title":"老街口的灯","lead":"怀庆药谷的药农下地了。","districts":["410821"],"class":"zone"}

{"id":"c","paper_city_code":"320100","title":"江宁区办起夜校","districts":["320115"],"class":"plain","unknown":1}
{"id":"d","title":"武陟路修好了","districts":[],"class":"road"}
`

func TestEvaluate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "items.jsonl")
	if err := os.WriteFile(file, []byte("\ufeff"+evaluateItems), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := evaluated(t, "", "", "--city", "410800", file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"sure tags        F1 0.800  precision 1.000  recall 0.667  exact 3 of 4",
		"official names   F1 0.800",
		"+ short, page    F1 0.667", // 武陟 for the road
		"  plain                    F1 1.000",
		"  320100 南京市 ",
		"1 errors\n\nb  410800  zone  老街口的灯\n  want 410821 修武县\n  got  none (reach none)",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if again, err := evaluated(t, "", evaluateItems, "--city", "410800", "--errors", "0", "-"); err != nil || strings.Contains(again, "老街口") || !strings.Contains(again, "1 errors") {
		t.Errorf("from standard input, without errors: %v\n%s", err, again)
	}
	if two, err := evaluated(t, "", "", "--city", "410800", file, file); err != nil || !strings.Contains(two, "exact 6 of 8") {
		t.Errorf("two files: %v\n%s", err, two)
	}

	// The places of a configuration count; left out, they do not.
	config := writeConfig(t, "base_url: http://paperwire.test\nsources:\n  - {key: jzrb, name: 焦作日报, url: \"http://127.0.0.1:1/\", city: \"410800\"}\nplaces:\n  - {code: \"410821\", aliases: [怀庆药谷]}\n")
	out, err = evaluated(t, config, evaluateItems, "--city", "410800", "--json", "--leave-out", "-")
	if err != nil {
		t.Fatal(err)
	}
	type measure struct {
		F1    float64
		Exact int
	}
	var got struct {
		Sure    measure
		Errors  []struct{ ID string }
		Classes map[string]struct{ Sure measure }
		LeftOut []struct {
			City          string
			Rules         []struct{ Kind, Code, Text string }
			With, Without struct{ Sure measure }
		} `json:"left_out"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got.Sure.F1 != 0.8 || len(got.Errors) != 1 || got.Errors[0].ID != "b" || got.Classes["plain"].Sure.Exact != 2 || len(got.LeftOut) != 2 {
		t.Errorf("%+v", got)
	}
	if l := got.LeftOut[1]; l.City != "410800" || l.With.Sure.F1 != 1 || l.Without.Sure.F1 != 0.6667 || !strings.Contains(out, `"kind": "override"`) {
		t.Errorf("%+v", l)
	}
}

func TestEvaluateRefuses(t *testing.T) {
	var usage usageError
	for _, c := range []struct {
		stdin, want string
		usage       bool
		args        []string
	}{
		{"", "name a file", true, nil},
		{evaluateItems, "nowhere", true, []string{"--city", "nowhere", "-"}},
		{evaluateItems, "negative", true, []string{"--errors", "-1", "-"}},
		{"\n", "no items", false, []string{"-"}},
		{evaluateItems + "{", "read -: line 6", false, []string{"-"}},
		{`{"title":"温县"}`, "line 1: no districts", false, []string{"-"}},
		{`{"districts":[],"paper_city_code":"99"}`, `item 1 (<nil>): city "99" is unknown`, false, []string{"-"}},
		{"", "no such file", false, []string{filepath.Join(t.TempDir(), "missing")}},
	} {
		if _, err := evaluated(t, "", c.stdin, c.args...); err == nil || !strings.Contains(err.Error(), c.want) || errors.As(err, &usage) != c.usage {
			t.Errorf("%v: %v, want %q", c.args, err, c.want)
		}
	}
}

// A table of another country comes in by the configuration, as docs/districts.md
// shows it.
func TestGazetteerFromConfiguration(t *testing.T) {
	dir := t.TempDir()
	doc := documents(t)["docs/districts.md"]
	block := func(open string) string {
		_, rest, ok := strings.Cut(doc, open)
		text, _, closed := strings.Cut(rest, "```")
		if !ok || !closed {
			t.Fatalf("docs/districts.md has no block %q", open)
		}
		return text
	}
	if err := os.WriteFile(filepath.Join(dir, "divisions.csv"), []byte(block("```csv\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	_, last, _ := strings.Cut(doc, "## Other countries")
	_, text, _ := strings.Cut(last, "```yaml\n")
	text, _, _ = strings.Cut(text, "```")
	config := filepath.Join(dir, "paperwire.yaml")
	write := func(text string) {
		if err := os.WriteFile(config, []byte("base_url: http://paperwire.test\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(text)
	out, err := evaluated(t, config, `{"id":1,"title":"Ashford City Council votes","lead":"Mr Ashford was there.","districts":["990101"]}`, "--city", "990100", "-")
	if err != nil || !strings.Contains(out, "exact 1 of 1") {
		t.Errorf("%v\n%s", err, out)
	}
	for bad, want := range map[string]string{
		strings.Replace(text, "divisions.csv", "missing.csv", 1): "gazetteers[0].table: open ",
		strings.Replace(text, "organs:", "organ:", 1):            "organs",
		strings.Replace(text, "table: divisions.csv", "", 1):     "gazetteers[0].table: missing",
	} {
		write(bad)
		if _, err := loadConfig(overrides{file: config}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
