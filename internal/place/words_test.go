package place

import (
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// pack is the language that testdata/latin is written in.
var pack = Language{
	Suffixes:  []string{" District", " County"},
	Prefixes:  []string{"County of ", "Borough of ", "District of "},
	Organs:    []string{"City Council", "Borough Council", "Council", "councillors", "police", "firefighters", "Hospital", "High School", "residents"},
	Roads:     []string{"Road", "Street", "Lane"},
	Stations:  []string{"Station", "bypass"},
	Features:  []string{"River", "Brook"},
	Brands:    []string{"United", "plc"},
	FromAfter: []string{"native", "-born"},
	From:      []string{"born in", "raised in", "from"},
	In:        []string{"in", "near", "around"},
	Passing:   []string{"bound for", "towards"},
	Visit:     []string{"on a visit to"},
	Persons:   []string{"Mr", "Mrs", "Dr", "Councillor"},
	Whole:     []string{"citywide", "all districts"},
}

func latin(t testing.TB, more ...Override) *Gazetteer {
	t.Helper()
	f, err := os.Open("testdata/latin/divisions.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := ReadTable(f, pack)
	if err != nil {
		t.Fatal(err)
	}
	g, err := Load(append(rows, more...))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestLatin(t *testing.T) {
	g := latin(t)
	e := evaluate(t, g, readItems(t, "testdata/latin/items.jsonl"))
	t.Log(e.Sure)
	if len(e.Errors) > 0 {
		t.Errorf("%d items are placed wrongly:\n%s", len(e.Errors), mistakes(e))
	}
	if d, ok := g.Resolve("elmoor", "990100"); !ok || d.Code != "990105" {
		t.Errorf("%+v", d)
	}
	if d, ok := g.Division("990102001"); !ok || d.Name != "Kings Barrow" || !slices.Equal(g.Above("990102001"), []string{"990102", "990100", "990000"}) {
		t.Errorf("%+v", d)
	}
	f, err := g.City("410800")
	if err != nil || !slices.Equal(f.Find(Text{Title: "温县办起夜校"}).Sure(), []string{"410825"}) {
		t.Errorf("beside another country's table China is as it was: %v", err)
	}
}

func TestLatinOverrides(t *testing.T) {
	g := latin(t, Override{Code: "990103", Landmarks: []string{"Gull Rock"}, Stops: []string{"St. Orwin Stakes"}}, Override{Code: "990101", Trusted: true}, Override{Code: "990104", Retire: true})
	f, err := g.City("990100")
	if err != nil {
		t.Fatal(err)
	}
	for title, want := range map[string]string{"Gull Rock lit": "990103", "St. Orwin Stakes run": "", "Ashford lit": "990101", "Market Holme lit": ""} {
		if got := strings.Join(f.Find(Text{Title: title}).Sure(), " "); got != want {
			t.Errorf("%s: %q, want %q", title, got, want)
		}
	}
}

func TestReadTableRefuses(t *testing.T) {
	const head = "level,code,parent,name,aliases,flags\n"
	for text, want := range map[string]string{
		"":                                      "first line",
		"level,code\n":                          "line 1 is",
		head + "village,990001,,Nor,,\n":        `line 2: level "village"`,
		head + "province,99,,Norshire,,\n":      `line 2: code "99"`,
		head + "city,990100,99,Wexmouth,,\n":    `line 2: parent "99"`,
		head + "province,990000,9,Norshire,,":   `line 2: parent "9"`,
		head + "province,990000,,Norshire,,x\n": `line 2: flags "x"`,
		head + "province,990000,,N,,\n":         `line 2: name "N"`,
		head + "province,990000,,Norshire,,\nprovince,990000,,Norshire,,\n": "line 3: code 990000 stands there twice",
		head + "province,990000,,Norshire\n":                                "wrong number of fields",
		head + strings.Repeat("x", maxTable):                                "larger than 16 MB",
	} {
		if _, err := ReadTable(strings.NewReader(text), Language{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q", text, err, want)
		}
	}
	rows, err := ReadTable(strings.NewReader(head+"province,410000,,Norshire,,\n"), Language{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load(rows); err == nil || !strings.Contains(err.Error(), "410000 is 河南省 already") {
		t.Errorf("a code that is taken: %v", err)
	}
}

// Whatever the text, offsets point at the words.
func TestLatinHolds(t *testing.T) {
	f, err := latin(t).City("990100")
	if err != nil {
		t.Fatal(err)
	}
	bits := []string{"Ashford", "ashford", "READING", "Reading District", " ", ", ", ". ", "St. Orwin", "Élmoor", "Mr ", "County of ", "Council", "Wexmouth", "Road", "’s", "—", "\xff", "温", "Nether Tallow", "citywide", "Kings Barrow", "-", "İ"}
	rapid.Check(t, func(t *rapid.T) {
		zone := func(name string) string {
			return strings.Join(rapid.SliceOfN(rapid.SampledFrom(bits), 0, 14).Draw(t, name), "")
		}
		text := Text{PageName: zone("page"), Title: zone("title"), Lead: zone("lead"), Body: zone("body"), Byline: zone("byline")}
		p, all := f.Explain(text)
		zones := map[string]string{"page": text.PageName, "title": text.Title, "lead": text.Lead, "body": text.Body, "byline": text.Byline}
		for _, tag := range p.Districts {
			if len(tag.Evidence) == 0 {
				t.Fatalf("%+v", tag)
			}
			for _, e := range tag.Evidence {
				all = append(all, Rejection{Evidence: e})
			}
		}
		for _, e := range all {
			runes := []rune(zones[e.Zone])
			if n := len([]rune(e.Text)); e.Offset < 0 || e.Offset+n > len(runes) || string(runes[e.Offset:e.Offset+n]) != string([]rune(e.Text)) {
				t.Fatalf("%q is not at %d of %q", e.Text, e.Offset, zones[e.Zone])
			}
		}
	})
}
