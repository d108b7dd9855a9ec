package place

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"paperwire/internal/paper"
)

// labelled is an item with the districts a person gave it.
type labelled struct {
	Item
	Districts []string `json:"districts"`
	Class     string   `json:"class"`
}

func readItems(t testing.TB, file string) []labelled {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var items []labelled
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var it labelled
		if err := json.Unmarshal(in.Bytes(), &it); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		items = append(items, it)
	}
	return items
}

func (it labelled) text() Text {
	return Text{PageName: it.PageName, Title: it.Title, Lead: it.Lead, Body: it.BodySnippet, Byline: it.Byline}
}

// measure is precision, recall and F1 over district tags of the sure tier.
type measure struct{ right, wrong, missed int }

func (m measure) precision() float64 { return float64(m.right) / max(1, float64(m.right+m.wrong)) }
func (m measure) recall() float64    { return float64(m.right) / max(1, float64(m.right+m.missed)) }
func (m measure) f1() float64 {
	return 2 * float64(m.right) / max(1, float64(2*m.right+m.wrong+m.missed))
}

func (m measure) String() string {
	return fmt.Sprintf("F1 %.3f (precision %.3f, recall %.3f; %d right, %d wrong, %d missed)", m.f1(), m.precision(), m.recall(), m.right, m.wrong, m.missed)
}

func evaluate(t testing.TB, g *Gazetteer, items []labelled) (sure, likely measure, failures []string) {
	t.Helper()
	for _, it := range items {
		f, err := g.City(it.PaperCityCode)
		if err != nil {
			t.Fatalf("%v: %v", it.ID, err)
		}
		p := f.Find(it.text())
		bad := false
		for _, tag := range p.Districts {
			ok := slices.Contains(it.Districts, tag.Code)
			if ok {
				likely.right++
			} else {
				likely.wrong++
			}
			if tag.Tier == paper.Sure {
				if ok {
					sure.right++
				} else {
					sure.wrong++
					bad = true
				}
			}
		}
		for _, code := range it.Districts {
			if !slices.Contains(p.Sure(), code) {
				sure.missed++
				bad = true
			}
			if !slices.ContainsFunc(p.Districts, func(t paper.Tag) bool { return t.Code == code }) {
				likely.missed++
			}
		}
		if bad {
			got, _ := json.Marshal(p)
			failures = append(failures, fmt.Sprintf("%v (%s) %s|%s|%s|%s|%s\n\twant %v\n\tgot  %s", it.ID, it.Class, it.PageName, it.Title, it.Lead, it.BodySnippet, it.Byline, it.Districts, got))
		}
	}
	return sure, likely, failures
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
	sure, likely, failures := evaluate(t, load(t), readItems(t, file))
	t.Log("sure  ", sure)
	t.Log("likely", likely)
	if sure.precision() < 0.97 || sure.f1() < 0.90 || testing.Verbose() {
		t.Log(strings.Join(failures, "\n"))
	}
	if sure.precision() < 0.97 || sure.f1() < 0.90 {
		t.Errorf("below precision 0.97 or F1 0.90: %v", sure)
	}
}

func TestItems(t *testing.T) {
	sure, likely, failures := evaluate(t, load(t), readItems(t, "testdata/items.jsonl"))
	t.Log("sure  ", sure)
	t.Log("likely", likely)
	if len(failures) > 0 {
		t.Errorf("%d items are placed wrongly:\n%s", len(failures), strings.Join(failures, "\n"))
	}
}
