package syndicate

import (
	"strings"
	"testing"

	"paperwire/internal/paper"
)

// A draft of a day is that day's edition: what stands on no page is in it only where
// nothing has a page.
func TestDraftOfADay(t *testing.T) {
	m := newMemory()
	feed := m.release("abend", 7, "minsheng", "410803")
	m.items[len(m.items)-1].Page = paper.PageRef{}
	s, _ := open(t, m)
	for _, scope := range []string{"all", "paper/abend"} {
		sc, err := paper.ParseScope(scope)
		if err != nil {
			t.Fatal(err)
		}
		doc, day, _, err := wechatDesk{s}.Draft(t.Context(), sc, "2017-09-07", 1)
		if err != nil || day != "2017-09-07" || strings.Contains(string(doc), feed.Headline) {
			t.Errorf("%s %s: %v, or the item of a feed is in it: %s", scope, day, err, doc)
		}
	}
	m.items = m.items[len(m.items)-1:]
	if doc, _, _, err := (wechatDesk{s}).Draft(t.Context(), paper.Scope{}, "2017-09-07", 1); err != nil || !strings.Contains(string(doc), feed.Headline) {
		t.Errorf("of a feed alone: %s %v", doc, err)
	}
}
