package ingest

import (
	"testing"
	"time"

	"paperwire/internal/paper"
	"paperwire/internal/place"
	"paperwire/sources"
)

func TestWindowNext(t *testing.T) {
	at := func(h, m int) time.Time { return time.Date(2026, 3, 17, h, m, 0, 0, paper.Shanghai) }
	morning := Window{From: 5 * time.Hour, To: 9 * time.Hour, Within: 5 * time.Minute, Every: time.Hour}
	night := Window{From: 23 * time.Hour, To: 2 * time.Hour, Within: 5 * time.Minute, Every: time.Hour}
	for _, c := range []struct {
		name     string
		w        Window
		now, due time.Time
	}{
		{"inside", morning, at(6, 0), at(6, 5)},
		{"at its opening", morning, at(5, 0), at(5, 5)},
		{"at its end", morning, at(9, 0), at(10, 0)},
		{"outside", morning, at(13, 30), at(14, 30)},
		{"the opening comes before the interval", morning, at(4, 40), at(5, 0)},
		{"over midnight, inside before", night, at(23, 30), at(23, 35)},
		{"over midnight, inside after", night, at(1, 0), at(1, 5)},
		{"over midnight, outside", night, at(12, 0), at(13, 0)},
		{"no window", Window{Every: 15 * time.Minute}, at(12, 0), at(12, 15)},
		{"nothing said", Window{}, at(12, 0), at(13, 0)},
		{"another zone's clock", morning, at(6, 0).UTC(), at(6, 5)},
		{"last hour of the day", morning, at(23, 30), at(23, 30).Add(time.Hour)},
	} {
		if got := c.w.next(c.now, paper.Shanghai); !got.Equal(c.due) {
			t.Errorf("%s: %s, want %s", c.name, got.In(paper.Shanghai), c.due)
		}
	}
}

func TestDistrictsRollUp(t *testing.T) {
	g, err := place.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &source{Source: Source{City: "410800"}, above: g.Above}
	for _, c := range []struct {
		name string
		p    paper.Placing
		want []string
	}{
		{"district", paper.Placing{Reach: paper.ReachDistrict, Districts: []paper.Tag{{Code: "410825", Tier: paper.Sure}, {Code: "410804", Tier: paper.Likely}}}, []string{"410000", "410800", "410825"}},
		{"city-wide stands in no district", paper.Placing{Reach: paper.ReachCity}, []string{"410000", "410800"}},
		{"elsewhere stands nowhere", paper.Placing{Reach: paper.ReachElsewhere}, nil},
		{"none", paper.Placing{Reach: paper.ReachNone}, nil},
	} {
		got := s.districts(c.p)
		if len(got) != len(c.want) {
			t.Errorf("%s: %v", c.name, got)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
			}
		}
	}
}

// The mark of a listed article changes with what the listing shows of it, and an
// undated feed item does not change by being looked at tomorrow.
func TestMark(t *testing.T) {
	r := sources.Ref{Title: "题", Printed: &sources.Printed{Headline: "题", Day: "2026-03-17"}}
	tomorrow := sources.Ref{Title: "题", Printed: &sources.Printed{Headline: "题", Day: "2026-03-18"}}
	changed := sources.Ref{Title: "题", Printed: &sources.Printed{Headline: "题", Body: "<p>改</p>"}}
	if mark(r) != mark(tomorrow) || mark(r) == mark(changed) || mark(sources.Ref{Title: "a"}) == mark(sources.Ref{Title: "b"}) {
		t.Error("marks")
	}
}

func TestSizes(t *testing.T) {
	a := paper.Article{
		HTML:   `<figure><img src="http://x.example/a.jpg?a=1&amp;b=2" alt="甲 &lt;乙&gt;"/><figcaption>图</figcaption></figure><p>1 &lt; 2</p><img src="http://x.example/b.jpg" width="9" height="9"/>`,
		Images: []paper.Image{{URL: "http://x.example/a.jpg?a=1&b=2", Width: 640, Height: 480}, {URL: "http://x.example/b.jpg", Width: 1, Height: 1}},
	}
	sizes(&a)
	want := `<figure><img src="http://x.example/a.jpg?a=1&amp;b=2" alt="甲 &lt;乙&gt;" width="640" height="480"/><figcaption>图</figcaption></figure><p>1 &lt; 2</p><img src="http://x.example/b.jpg" width="9" height="9"/>`
	if a.HTML != want {
		t.Errorf("got  %s\nwant %s", a.HTML, want)
	}
}
