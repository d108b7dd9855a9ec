package api

import (
	"time"

	"paperwire/internal/paper"
	"paperwire/syndicate/feed"
)

// article is an article as the API tells it. Fields may join; none may leave.
type article struct {
	ID        string     `json:"id" doc:"For ever: paper, day, the publisher's own id"`
	URN       string     `json:"urn" doc:"The id as the feeds have it"`
	State     string     `json:"state" enum:"live,withdrawn"`
	Revision  int        `json:"revision" doc:"1 at first release, one more for each correction"`
	URL       string     `json:"url" doc:"The share page"`
	OriginURL string     `json:"origin_url" doc:"The publisher's page"`
	Link      string     `json:"link" enum:"share,origin" doc:"Which of the two is canonical"`
	Rights    string     `json:"rights" enum:"full,summary,headline"`
	Paper     string     `json:"paper"`
	PaperName string     `json:"paper_name"`
	Day       string     `json:"day" doc:"The edition's day in the paper's zone"`
	Page      *page      `json:"page,omitempty" doc:"Absent for an item of a feed"`
	Position  int        `json:"position,omitempty" doc:"Place on its page, from 1"`
	Kicker    string     `json:"kicker,omitempty"`
	Headline  string     `json:"headline"`
	Subtitle  string     `json:"subtitle,omitempty"`
	Byline    []person   `json:"byline" nullable:"false"`
	Agency    string     `json:"agency,omitempty" doc:"The other paper or agency it came from"`
	Summary   string     `json:"summary"`
	Text      string     `json:"text,omitempty" doc:"Paragraphs joined by line feeds"`
	HTML      string     `json:"html,omitempty" doc:"Sanitised, links absolute"`
	Images    []image    `json:"images" nullable:"false"`
	Sections  []section  `json:"sections" nullable:"false"`
	Districts []district `json:"districts" nullable:"false"`
	Reach     string     `json:"reach" enum:"district,city,elsewhere,none"`
	Language  string     `json:"language"`
	Published time.Time  `json:"published" doc:"First release here; never moves"`
	Updated   time.Time  `json:"updated" doc:"Last change of content"`
	Related   []related  `json:"related,omitempty" doc:"Articles of the paper that this one is tied to"`
}

type page struct {
	Number string `json:"number" doc:"As printed: 04, A01"`
	Name   string `json:"name"`
}

type person struct {
	Name string `json:"name"`
	Role string `json:"role" enum:"reporter,correspondent,intern,photographer,editor,author"`
}

type image struct {
	URL     string `json:"url"`
	Caption string `json:"caption"`
	Credit  string `json:"credit"`
	Type    string `json:"type,omitempty"`
	Width   int    `json:"width,omitempty"`
	Height  int    `json:"height,omitempty"`
	Length  int64  `json:"length,omitempty"`
}

type related struct {
	Relation paper.Relation `json:"relation" enum:"corrects,corrected_by,fuller,brief,same" doc:"What the other is: what this one corrects, a notice that corrects this one, the whole story of this brief, a brief of this story, the same printed again"`
	ID       string         `json:"id"`
	URL      string         `json:"url" doc:"Its share page"`
	Title    string         `json:"title"`
	Day      paper.Day      `json:"day"`
	Page     string         `json:"page" doc:"Number of its page; empty for an item of a feed"`
}

type section struct {
	Slug string `json:"slug"`
	Name string `json:"name"`
}

type district struct {
	Code     string     `json:"code"`
	Name     string     `json:"name"`
	Tier     string     `json:"tier" enum:"sure,likely"`
	Score    float64    `json:"score"`
	Evidence []evidence `json:"evidence" nullable:"false"`
}

type evidence struct {
	Text   string  `json:"text"`
	Zone   string  `json:"zone"`
	Offset int     `json:"offset"`
	Rule   string  `json:"rule"`
	Weight float64 `json:"weight"`
}

// tell writes an item as the gate let it out, with its body or without.
func (s *server) tell(it paper.Item, full bool) article {
	a := article{
		ID: it.ID, URN: it.URN, State: string(it.State), Revision: it.Version, URL: s.Base + "/a/" + it.ID, OriginURL: it.URL,
		Link: string(it.Link), Rights: string(it.Rights), Paper: it.Paper, PaperName: it.PaperName, Day: string(it.Day), Position: it.Position,
		Kicker: it.Kicker, Headline: it.Headline, Subtitle: it.Subtitle, Agency: it.Agency, Summary: it.Summary,
		Byline: make([]person, len(it.Byline)), Images: make([]image, len(it.Images)),
		Sections: make([]section, len(it.Sections)), Districts: make([]district, len(it.Districts)),
		Reach: string(it.Reach), Language: it.Language, Published: it.Published.UTC(), Updated: it.Updated.UTC(),
	}
	if it.Page.Number != "" {
		a.Page = &page{it.Page.Number, it.Page.Name}
	}
	if full {
		a.Text, a.HTML = it.Text, it.HTML
	}
	for i, p := range it.Byline {
		a.Byline[i] = person{p.Name, string(p.Role)}
	}
	for i, m := range it.Images {
		a.Images[i] = image{m.URL, m.Caption, m.Credit, m.Type, m.Width, m.Height, m.Length}
	}
	for _, r := range feed.Relations(it, s.Base) {
		a.Related = append(a.Related, related(r))
	}
	for i, x := range it.Sections {
		a.Sections[i] = section{x.Slug, x.Name}
	}
	for i, d := range it.Districts {
		a.Districts[i] = district{d.Code, d.Name, string(d.Tier), d.Score, make([]evidence, len(d.Evidence))}
		for j, e := range d.Evidence {
			a.Districts[i].Evidence[j] = evidence{e.Text, e.Zone, e.Offset, e.Rule, e.Weight}
		}
	}
	return a
}

// instant is a time as JSON tells it: absent where there is none.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
