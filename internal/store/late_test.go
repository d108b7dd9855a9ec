package store

import (
	"fmt"
	"testing"

	"paperwire/internal/paper"
)

// Recent knows days by whatever brought them; what lay before the first look of a
// source, or was history at it, is not missing.
func TestRecent(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		s := open(t, dsn(t), newClock())
		configure(t, s, "a")
		recent := func(since paper.Day) string {
			t.Helper()
			r, err := s.Recent(t.Context(), "a", "a", since)
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(len(r.Listed), " ", r.First, " ", r.Unfinished)
		}
		if got := recent(rd.Add(-7)); got != "0  []" {
			t.Errorf("of a new source: %s", got)
		}
		old(t, s, false, art("a", rd.Add(-6), "1", 0, "旧闻"))
		if got := recent(rd.Add(-7)); got != "1  []" {
			t.Errorf("with an edition that backfill brought: %s", got)
		}
		take(t, s, true, art("a", rd.Add(-3), "1", 0, "看到来源时已有的"))
		take(t, s, false, art("a", rd.Add(-1), "1", 0, "新闻"))
		if got := recent(rd.Add(-7)); got != fmt.Sprint("3 ", rd.Add(-3), " []") {
			t.Errorf("after the first look: %s", got)
		}
		if got := recent(rd.Add(-2)); got != fmt.Sprint("1 ", rd.Add(-3), " []") {
			t.Errorf("when that is long ago: %s", got)
		}
		if _, _, err := s.List(t.Context(), Listing{Source: "a", Paper: "a", Day: rd, Refs: []Listed{{Origin: "1", URL: "http://a.example/1"}}}); err != nil {
			t.Fatal(err)
		}
		if got := recent(rd.Add(-7)); got != fmt.Sprint("4 ", rd.Add(-3), " [", rd, "]") {
			t.Errorf("with an edition that is listed and not read: %s", got)
		}
	})
}

// A command's own sources stand beside those of serve, which stay as they are.
func TestBeside(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		s := open(t, dsn(t), newClock())
		of := func(key, section string, beside bool) {
			t.Helper()
			if err := s.Configure(t.Context(), Setup{
				Beside:   beside,
				Papers:   []paper.Paper{{Key: key, Name: key, Zone: "Asia/Shanghai"}},
				Sources:  []SourceRow{{Key: key, Paper: key, Name: key, Platform: "auto", URL: "http://" + key + ".example/"}},
				Sections: []paper.Section{{Slug: "yaowen", Name: section}},
			}); err != nil {
				t.Fatal(err)
			}
		}
		of("a", "要闻", false)
		of("b", "别的名字", true)
		health, err := s.Health(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range health {
			if h.State != "waiting" || h.Due.IsZero() {
				t.Errorf("source %+v", h)
			}
		}
		if now, err := s.Sections(t.Context()); err != nil || len(health) != 2 || len(now) != 1 || now[0].Name != "要闻" {
			t.Errorf("%d sources, sections %v: %v", len(health), now, err)
		}
		of("b", "别的名字", false)
		if health, err = s.Health(t.Context()); err != nil || health[0].Source != "b" || health[1].State != "retired" {
			t.Errorf("configured otherwise: %+v, %v", health, err)
		}
	})
}
