package paper

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseDay(t *testing.T) {
	for in, want := range map[string]Day{
		"2017-09-07": "2017-09-07", "20170907": "2017-09-07", "2017-09/07": "2017-09-07", "2017/09/07": "2017-09-07",
		"2016-02-29": "2016-02-29",
	} {
		if got, err := ParseDay(in); got != want || err != nil {
			t.Errorf("ParseDay(%q) = %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "2017-9-7", "2017-13-01", "2017-02-30", "2017.09.07", "201709071", "２０１７0907"} {
		if got, err := ParseDay(in); err == nil {
			t.Errorf("ParseDay(%q) = %q, want an error", in, got)
		}
	}
}

func TestDay(t *testing.T) {
	d := Day("2017-09-07")
	if d.Compact() != "20170907" || d.Add(-7) != "2017-08-31" || Day("").Compact() != "" || Day("").Add(1) != "" {
		t.Error(d.Compact(), d.Add(-7))
	}
	// Half past midnight in Shanghai is the day before in London.
	at := time.Date(2017, 9, 6, 16, 30, 0, 0, time.UTC)
	if got := DayOf(at, Shanghai); got != d {
		t.Error(got)
	}
	if got := d.In(Shanghai).UTC().Format(time.RFC3339); got != "2017-09-06T16:00:00Z" {
		t.Error(got)
	}
}

// The ids in feeds never change: these values are for ever.
func TestURN(t *testing.T) {
	if got := URN("jzrb-20170907-279424"); got != "urn:uuid:"+wantURN {
		t.Errorf("URN = %s: every reader would show everything again", got)
	}
	if URN("a") == URN("b") {
		t.Error("two articles share a URN")
	}
}

func TestParseScope(t *testing.T) {
	for in, want := range map[string]string{
		"all":                            "all",
		"district/410825":                "district/410825",
		"paper/jzrb/section/yaowen":      "paper/jzrb/section/yaowen",
		"paper/jzrb/page/a01":            "paper/jzrb/page/A01",
		"district/410825,410803,410825":  "district/410803,410825",
		"paper/a/-section/x/-district/1": "paper/a/-section/x/-district/1",
		"-section/guanggao":              "-section/guanggao",
		"district/温县":                    "district/温县",
		"section/要闻":                     "section/要闻",
		"section/YaoWen":                 "section/yaowen",
		"all/-section/x":                 "-section/x",
		"ALL":                            "all",
		"section/a-b/district/wenxian/":  "section/a-b/district/wenxian",
	} {
		s, err := ParseScope(in)
		if err != nil || s.String() != want {
			t.Errorf("ParseScope(%q) = %s, %v; want %s", in, s, err, want)
		}
	}
	for in, says := range map[string]string{
		"":                                    "empty",
		"papers/a":                            "unknown part",
		"section/a/paper/b":                   "too late",
		"paper/a/paper/b":                     "twice",
		"paper":                               "no value",
		"paper/":                              "no value",
		"page/01":                             "exactly one paper",
		"paper/a,b/page/01":                   "exactly one paper",
		"section/-a":                          "bad value",
		"paper/ä":                             "bad value",
		"district/1,2,3,4,5,6,7,8,9":          "at most 8",
		"section/" + strings.Repeat("x", 200): "bad value",
	} {
		_, err := ParseScope(in)
		var se *ScopeError
		if !errors.As(err, &se) || !strings.Contains(err.Error(), says) {
			t.Errorf("ParseScope(%q): %v, want %q", in, err, says)
		}
	}
}

// The canonical string reads back as itself.
func TestScopeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.StringMatching(`[a-z0-9]{1,8}`), 0, 10)
		s := Scope{
			Papers: values.Draw(t, "papers"), Sections: values.Draw(t, "sections"), Districts: values.Draw(t, "districts"),
			NotSections: values.Draw(t, "not sections"), NotDistricts: values.Draw(t, "not districts"),
		}
		got, err := ParseScope(s.String())
		if err != nil {
			if !strings.Contains(err.Error(), "at most 8") {
				t.Fatalf("%s: %v", s, err)
			}
			return
		}
		again, err := ParseScope(got.String())
		if err != nil || again.String() != got.String() {
			t.Fatalf("%s became %s: %v", got, again, err)
		}
		if !slices.IsSorted(got.Papers) {
			t.Fatalf("unsorted: %s", got)
		}
	})
}

func FuzzParseScope(f *testing.F) {
	f.Add("paper/jzrb/section/yaowen/-district/410825")
	f.Fuzz(func(t *testing.T, in string) {
		s, err := ParseScope(in)
		if err != nil {
			return
		}
		again, err := ParseScope(s.String())
		if err != nil || again.String() != s.String() {
			t.Fatalf("%q: %s became %s, %v", in, s, again, err)
		}
	})
}

func TestPhotoStoriesHaveATitle(t *testing.T) {
	for _, c := range []struct {
		a    Article
		want string
	}{
		{Article{Headline: "图片新闻", Images: []Image{{Caption: "3月15日，柳湾村的油菜花开了，孩子们放起风筝。"}}, Text: "另一句。"}, "图片新闻：3月15日，柳湾村的油菜花开了"},
		{Article{Headline: "图片新闻", Text: "村民在地里挖藕。塘里水很凉。"}, "图片新闻：村民在地里挖藕"},
		{Article{Headline: "图片新闻"}, "图片新闻"},
		{Article{Headline: "图片新闻背后的人", Text: "一位摄影师。"}, "图片新闻背后的人"},
		{Article{Kicker: "本报调查"}, "本报调查"},
		{Article{Headline: "图说", Text: strings.Repeat("长", 50)}, "图说：" + strings.Repeat("长", 30) + "…"},
	} {
		if got := c.a.Title(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestNarrowerRights(t *testing.T) {
	all := []Rights{RightsFull, RightsSummary, RightsHeadline}
	for i, a := range all {
		for j, b := range all {
			if got := a.Narrower(b); got != all[max(i, j)] {
				t.Errorf("%s and %s: %s", a, b, got)
			}
		}
	}
}

const wantURN = "39252fea-877d-59af-afe9-3e27b0815d55"
