package web

import (
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"paperwire/internal/paper"
	"paperwire/syndicate/card"
	"paperwire/syndicate/feed"
)

// articleBody is what the page of an article shows.
type articleBody struct {
	Item      paper.Item
	Lang      string
	Headline  string
	Paper     string
	PaperPath string
	Edition   string // href of the page it stood on; empty for an item of a feed
	Byline    []credit
	HTML      template.HTML
	Subheads  bool     // the text has subheads: h3, which want an h2 above them
	Summary   []string // where the rights end at a summary
	Figures   []figure // pictures that the text does not hold itself
	Rights    string   // message key of what is left out; empty for the whole article
	Origin    string
	Host      string // of the origin
	Published template.HTML
	Corrected template.HTML
	Notices   []template.HTML // what it corrects, and what corrects it: above the text
	Stories   []template.HTML // other forms of the same story: below it
	Sections  []scopeLink
	Districts []reason
	Before    *entry
	After     *entry
	SamePage  []entry
	Shares    []share
	QR        string // picture of a code that leads here; empty where none are drawn
	Address   string
}

// credit is the people of one role.
type credit struct {
	Role  string // message key
	Names template.HTML
}

// reason says why an article is in a district.
type reason struct {
	Path, Name, Score string
	Evidence          []evidence
}

// evidence is one mention with the words around it.
type evidence struct {
	Before, Words, After string
	Zone                 string // message key
	Rule, Weight         string
	Meaning              string // message key of the rule; empty for one that has none
	Rejected             bool
}

// share is a plain link that opens a platform's own form.
type share struct{ Name, Href string }

func (s *Site) article(w http.ResponseWriter, r *http.Request) {
	ctx, id := r.Context(), r.PathValue("id")
	if !validID(id) {
		s.NotFound(w, r)
		return
	}
	it, err := s.opts.Data.Item(ctx, paper.Public, id)
	gone := errors.Is(err, paper.ErrGone) || err == nil && it.State == paper.Withdrawn
	if err != nil && !gone {
		s.fail(w, r, "read article", err)
		return
	}
	c, err := s.catalog(ctx)
	if err != nil {
		s.fail(w, r, "list papers", err)
		return
	}
	if gone {
		s.gone(w, r, c, it)
		return
	}

	p := s.page(r, "articles")
	name := it.PaperName
	if name == "" {
		name = c.label("paper", it.Paper)
	}
	zone := c.zone(it.Paper)
	address := s.opts.Base + "/a/" + it.ID
	p.Title, p.TitleLang = it.Title(), p.langOf(it.Language, it.Title())
	p.Description = it.Summary
	p.Canonical = address
	origin := webURL(it.URL)
	if origin != "" && (it.Rights != paper.RightsFull || it.Link == paper.LinkOrigin) {
		// Where the whole text stands at the publisher's, search engines shall
		// find it there.
		p.Canonical = origin
	}
	doc := p.addCard(it, zone)
	p.Alternates = append(s.alternates(paper.Scope{Papers: []string{it.Paper}}, name),
		alternate{"application/json+oembed", it.Title(), s.opts.Base + "/oembed?url=" + url.QueryEscape(address)},
		alternate{"application/json", it.Title(), address + "/card.json"})

	body := articleBody{
		Item: it, Lang: p.TitleLang, Headline: it.Title(), Paper: name, PaperPath: p.href("/paper/" + it.Paper),
		Byline: p.byline(it.Byline), Origin: origin, Address: address,
		Published: p.instant(it.Published, zone),
		Shares:    shares(doc),
	}
	if doc.QR != "" {
		body.QR = strings.TrimPrefix(doc.QR, s.opts.Base)
	}
	if body.Headline == "" {
		body.Headline = it.ID
	}
	if it.Headline == "" {
		body.Item.Kicker = "" // it stands in the headline's place
	}
	if u, err := url.Parse(origin); err == nil {
		body.Host = u.Hostname()
	}
	if it.Page.Number != "" && it.Day != "" {
		body.Edition = p.href(editionPath(it.Paper, it.Day, it.Page.Number))
	}
	switch it.Rights {
	case paper.RightsSummary:
		body.Rights = "rights_summary"
	case paper.RightsHeadline:
		body.Rights = "rights_headline"
	}
	var inText map[string]bool
	body.HTML, inText = setBody(it, s.inText)
	body.Subheads = strings.Contains(string(body.HTML), "<h3")
	if body.HTML == "" {
		body.Summary = strings.FieldsFunc(it.Summary, func(r rune) bool { return r == '\n' })
	}
	body.Figures = p.figures(it, inText)
	if it.Corrected() {
		body.Corrected = p.rich("corrected_note", p.instant(it.Updated, zone), strconv.Itoa(it.Version))
	}
	body.Notices, body.Stories = p.relations(it)
	for _, section := range it.Sections {
		body.Sections = append(body.Sections, scopeLink{Path: p.href("/section/" + section.Slug), Name: section.Name})
	}
	for _, tag := range it.Districts {
		body.Districts = append(body.Districts, p.reason(it, tag))
	}
	if it.Page.Number != "" && it.Day != "" {
		items, err := s.opts.Data.Items(ctx, paper.Public, paper.Scope{Papers: []string{it.Paper}}, paper.Window{Day: it.Day})
		if err != nil {
			s.fail(w, r, "list articles of edition", err)
			return
		}
		body.neighbours(p, it, items)
	}
	p.Body = body
	s.write(w, r, http.StatusOK, "article", p)
}

// neighbours finds what stood before and after an article in its edition, and
// beside it on its page.
func (b *articleBody) neighbours(p *page, it paper.Item, items []paper.Item) {
	items = slices.DeleteFunc(items, func(o paper.Item) bool { return o.State == paper.Withdrawn })
	at := slices.IndexFunc(items, func(o paper.Item) bool { return o.ID == it.ID })
	if at > 0 {
		e := p.entry(items[at-1])
		b.Before = &e
		p.Prev = e.Href
	}
	if at >= 0 && at+1 < len(items) {
		e := p.entry(items[at+1])
		b.After = &e
		p.Next = e.Href
	}
	for i, o := range items {
		if i != at && o.Page.Number == it.Page.Number {
			b.SamePage = append(b.SamePage, p.entry(o))
		}
	}
}

// relations sets out the articles that one is tied to: corrections, which a
// reader must not miss, apart from other forms of the same story.
func (p *page) relations(it paper.Item) (notices, stories []template.HTML) {
	for _, r := range feed.Relations(it, p.site.opts.Base) {
		where := p.dayPage(r.Day, r.Page)
		href := p.href("/a/" + r.ID)
		link := func(text template.HTML, lang template.HTMLAttr) template.HTML {
			return template.HTML(`<a href="`+template.HTMLEscapeString(href)+`"`+string(lang)+`>`) + text + `</a>`
		}
		title := link(template.HTML(template.HTMLEscapeString(r.Title)), p.langAttr(p.langOf(it.Language, r.Title)))
		switch r.Relation {
		case paper.Corrects:
			notices = append(notices, p.rich("corrects", where, title))
		case paper.CorrectedBy:
			notices = append(notices, link(p.rich("corrected_by", where), ""))
		case paper.Fuller:
			stories = append(stories, p.rich("story_fuller", where, title))
		case paper.Brief:
			stories = append(stories, p.rich("story_brief", where, title))
		default:
			stories = append(stories, p.rich("story_same", where, title))
		}
	}
	return notices, stories
}

// dayPage says on which day and page something stood: 2017年9月7日第04版.
func (l locale) dayPage(day paper.Day, page string) template.HTML {
	if page == "" {
		return l.date(day)
	}
	return l.rich("date_page", l.date(day), page)
}

// byline gathers the people by what they did, in the order of the byline.
func (l locale) byline(people []paper.Person) []credit {
	var roles []paper.Role
	names := make(map[paper.Role][]string)
	for _, person := range people {
		role := person.Role
		if _, ok := messages["role_"+string(role)]; !ok {
			role = paper.Author
		}
		if names[role] == nil {
			roles = append(roles, role)
		}
		names[role] = append(names[role], person.Name)
	}
	var credits []credit
	for _, role := range roles {
		credits = append(credits, credit{"role_" + string(role), l.names(names[role])})
	}
	return credits
}

// around is how many characters of context stand on each side of a mention.
const around = 14

// reason sets out the evidence of a tag. The words are marked in their context
// where the view may see it; where it may not, they stand alone.
func (p *page) reason(it paper.Item, tag paper.Tag) reason {
	zones := zonesOf(it)
	out := reason{Path: p.href("/district/" + tag.Code), Name: tag.Name, Score: weight(tag.Score)}
	for _, e := range tag.Evidence {
		one := evidence{Words: e.Text, Zone: "zone_" + e.Zone, Rule: e.Rule, Weight: weight(e.Weight), Rejected: e.Weight <= 0}
		if _, ok := messages[one.Zone]; !ok {
			one.Zone = "zone_body"
		}
		if _, ok := messages["rule_"+e.Rule]; ok {
			one.Meaning = "rule_" + e.Rule
		}
		text, words := zones[e.Zone], []rune(e.Text)
		if end := e.Offset + len(words); e.Offset >= 0 && end <= len(text) && len(words) > 0 && string(text[e.Offset:end]) == e.Text {
			from, to := max(0, e.Offset-around), min(len(text), end+around)
			one.Before, one.After = string(text[from:e.Offset]), string(text[end:to])
			if from > 0 {
				one.Before = "…" + one.Before
			}
			if to < len(text) {
				one.After += "…"
			}
		}
		out.Evidence = append(out.Evidence, one)
	}
	return out
}

// zonesOf are the texts that offsets of evidence count in: captions count as
// text after the last paragraph.
func zonesOf(it paper.Item) map[string][]rune {
	title := strings.Join(slices.DeleteFunc([]string{it.Kicker, it.Headline, it.Subtitle}, func(s string) bool { return s == "" }), " ")
	text := it.Text
	for _, image := range it.Images {
		if image.Caption != "" {
			text += "\n" + image.Caption
		}
	}
	lead, body, _ := strings.Cut(strings.TrimPrefix(text, "\n"), "\n")
	var byline []string
	for _, person := range it.Byline {
		byline = append(byline, person.Name)
	}
	return map[string][]rune{
		"page": []rune(it.Page.Name), "title": []rune(title), "lead": []rune(lead), "body": []rune(body), "byline": []rune(strings.Join(byline, " ")),
	}
}

func weight(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

// shared are the platforms whose own forms an article's page links to, in the order
// of the page, each with the key of its name or the name itself.
var shared = []struct{ key, name string }{
	{"weibo", "share_weibo"},
	{"qq", "share_qzone"},
	{"x", "X"},
	{"facebook", "Facebook"},
	{"telegram", "Telegram"},
	{"linkedin", "LinkedIn"},
	{"bluesky", "Bluesky"},
	{"threads", "Threads"},
}

// shares are plain links that open a platform's own form, with the text of the card
// and the address of the share page: that is where the card is, whatever the
// canonical address.
func shares(doc card.Document) []share {
	var list []share
	for _, s := range shared {
		if intent := doc.Platforms[s.key].Intent; intent != "" {
			list = append(list, share{s.name, intent})
		}
	}
	mail := url.Values{"subject": {doc.Title}, "body": {doc.URL}}
	return append(list, share{"share_mail", "mailto:?" + strings.ReplaceAll(mail.Encode(), "+", "%20")})
}

// goneBody is what stands where a withdrawn article was.
type goneBody struct {
	When    template.HTML
	Paper   string
	Edition string
}

func (s *Site) gone(w http.ResponseWriter, r *http.Request, c catalog, it paper.Item) {
	p := s.page(r, "gone_title")
	p.NoIndex = true
	body := goneBody{Paper: c.label("paper", it.Paper)}
	zone := paper.Shanghai
	if it.Paper != "" {
		zone = c.zone(it.Paper)
	}
	when := it.Updated
	if when.IsZero() {
		when = it.Published
	}
	body.When = p.instant(when, zone)
	if it.ID != "" {
		p.addCard(it, zone)
	}
	if it.Paper != "" && it.Day != "" {
		body.Edition = p.href(editionPath(it.Paper, it.Day, it.Page.Number))
		if it.Page.Number == "" {
			body.Edition = p.href("/paper/" + it.Paper)
		}
		p.Alternates = s.alternates(paper.Scope{Papers: []string{it.Paper}}, body.Paper)
	}
	p.Body = body
	s.write(w, r, http.StatusGone, "gone", p)
}
