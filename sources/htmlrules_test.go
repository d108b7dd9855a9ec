package sources

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// maxCaseRules is how many lines of rules a paper may need.
const maxCaseRules = 15

// caseRules are the rules beside a case, rules.yaml: one key a line, as they
// stand below html: in a configuration; nil where there are none.
func caseRules(t testing.TB, dir string) *HTMLRules {
	raw, err := os.ReadFile(filepath.Join(dir, "rules.yaml"))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	r := &HTMLRules{}
	v := reflect.ValueOf(r).Elem()
	lines := 0
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		lines++
		key, value, _ := strings.Cut(line, ": ")
		field, ok := v.Type().FieldByNameFunc(func(name string) bool {
			f, _ := v.Type().FieldByName(name)
			return f.Tag.Get("mapstructure") == key
		})
		if !ok {
			t.Fatalf("%s: no rule %q", dir, key)
		}
		to := v.FieldByIndex(field.Index)
		one := func(s string) string {
			if len(s) > 1 && s[0] == '\'' {
				return strings.ReplaceAll(s[1:len(s)-1], "''", "'")
			}
			if strings.HasPrefix(s, `"`) {
				if err := json.Unmarshal([]byte(s), &s); err != nil {
					t.Fatalf("%s: %s: %v", dir, line, err)
				}
			}
			return s
		}
		switch to.Kind() {
		case reflect.Bool:
			to.SetBool(value == "true")
		case reflect.String:
			to.SetString(one(value))
		default:
			// [ 'a', 'b' ], with a comma and a space between entries
			for s := range strings.SplitSeq(strings.Trim(value, "[]"), ", ") {
				to.Set(reflect.Append(to, reflect.ValueOf(one(s))))
			}
		}
	}
	if lines > maxCaseRules {
		t.Errorf("%s: %d lines of rules, more than %d", dir, lines, maxCaseRules)
	}
	if err := r.Check(); err != nil {
		t.Errorf("%s: %v", dir, err)
	}
	return r
}
