package feed

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/feeds"

	"paperwire/internal/paper"
)

// maxIncidents is how many of the newest incidents the status feed tells.
const maxIncidents = 100

// writeStatusFeed uses nothing of a source's health that moves with every look
// at the publisher (Checked, Tried, Due), so that the feed rests while nothing
// happens.
func writeStatusFeed(w io.Writer, links Links, health []paper.Health, incidents []paper.Incident) error {
	incidents = slices.Clone(incidents)
	slices.SortFunc(incidents, func(a, b paper.Incident) int {
		if c := b.Began.Compare(a.Began); c != 0 {
			return c
		}
		return int(b.ID - a.ID)
	})
	if len(incidents) > maxIncidents {
		incidents = incidents[:maxIncidents]
	}
	doc := &atomXML{
		Xmlns:      atomNamespace,
		namespaces: extensions(),
		Lang:       "zh-CN",
		AtomFeed: &feeds.AtomFeed{
			Title: "来源状态",
			Id:    paper.URN("status"),
		},
		Author:    person(generator),
		Generator: atomGenerator{Text: generator},
	}
	for _, l := range links.document("atom") {
		doc.Links = append(doc.Links, atomLink{Rel: l.Rel, Type: l.Type, Title: l.Title, Href: l.Href})
	}
	home := uri(links.Home)
	if home != "" {
		doc.Links = append(doc.Links, atomLink{Rel: "alternate", Type: "text/html", Href: home})
	}

	var updated time.Time
	var troubled []string
	for _, h := range health {
		if h.Since.After(updated) {
			updated = h.Since
		}
		switch h.State {
		case "ok", "partial", "waiting", "retired":
		default:
			troubled = append(troubled, sourceName(h.Name, h.Source))
		}
	}
	for _, i := range incidents {
		// Late and missing editions are no state of the source, which is well itself.
		if name := sourceName(i.Name, i.Source); (i.State == "late" || i.State == "missing") && i.Ended.IsZero() && !slices.Contains(troubled, name) {
			troubled = append(troubled, name)
		}
	}
	doc.Subtitle = "全部来源正常"
	if len(troubled) > 0 {
		slices.Sort(troubled)
		doc.Subtitle = plain(fmt.Sprintf("有问题的来源（%d）：%s", len(troubled), strings.Join(troubled, "、")))
	}

	type event struct {
		at    time.Time
		entry atomEntryXML
	}
	var events []event
	for _, i := range incidents {
		name, number := sourceName(i.Name, i.Source), strconv.FormatInt(i.ID, 10)
		add := func(kind, title, text string, at time.Time) {
			e := atomEntryXML{
				AtomEntry: &feeds.AtomEntry{
					Title:     plain(title),
					Id:        paper.URN("status/" + number + "/" + kind),
					Published: stamp(at),
					Updated:   stamp(at),
					Summary:   &feeds.AtomSummary{Content: plain(text), Type: "text"},
				},
			}
			if home != "" {
				e.Links = []atomLink{{Rel: "alternate", Type: "text/html", Href: home}}
			} else {
				e.Content = &atomContent{Type: "text", HTML: plain(text)}
			}
			events = append(events, event{at, e})
			if at.After(updated) {
				updated = at
			}
		}
		problem := i.Problem
		if line(problem) == "" {
			problem = i.State
		}
		add("began", name+"："+condition(i.State), problem, i.Began)
		if !i.Ended.IsZero() {
			add("ended", name+"：已恢复", fmt.Sprintf("自 %s 起的问题已结束：%s", stamp(i.Began), problem), i.Ended)
		}
	}
	slices.SortStableFunc(events, func(a, b event) int { return b.at.Compare(a.at) })
	for _, e := range events {
		doc.Entries = append(doc.Entries, e.entry)
	}
	doc.Updated = stamp(updated)
	return writeXML(w, doc)
}

func sourceName(name, key string) string {
	if name = plain(name); name != "" {
		return name
	}
	return key
}

// condition says a source's state in words.
func condition(state string) string {
	switch state {
	case "failing":
		return "抓取失败"
	case "blocked":
		return "被发布方拦截"
	case "alarm":
		return "版面异常"
	case "late":
		return "逾时未见新一期"
	case "missing":
		return "列出的一期读不到"
	}
	return state
}
