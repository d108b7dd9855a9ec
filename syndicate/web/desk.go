package web

import (
	"cmp"
	"context"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"paperwire/internal/paper"
	"paperwire/syndicate/card"
	"paperwire/syndicate/feed"
)

// The desk is where somebody who posts articles by hand finds them ready: an
// edition in page order, each with the text and the picture of one platform; one
// article with those of all; what became of what was posted. It is behind the
// operator key, shows what the public view may see, and nothing at it changes
// anything.

// deskList is how many articles a page of the desk lists: with the longest texts
// it stays below 60 KB.
const deskList = 10

// Of what is told to be new, so many lists of deskNew articles are looked through.
const (
	deskNew   = 200
	deskLists = 5
)

// deskChanges is how many corrections are listed, and deskEarlier how many more behind a
// fold; what was withdrawn always is listed. Older ones are marked in their edition.
const (
	deskChanges = 4
	deskEarlier = 20
)

// habits are the platforms in the order of the desk; what is not among them follows.
var habits = []string{
	"weibo", "wechat_share", "wechat_draft", "wechat_reply", "wecom", "dingtalk", "feishu", "qq", "miniprogram",
	"x", "facebook", "telegram", "linkedin", "mastodon", "bluesky", "threads",
}

// deskPlatforms are all platforms in the order of the desk.
var deskPlatforms = func() []card.Platform {
	list := card.Platforms()
	rank := func(p card.Platform) int {
		if i := slices.Index(habits, p.Key); i >= 0 {
			return i
		}
		return len(habits)
	}
	slices.SortStableFunc(list, func(a, b card.Platform) int { return rank(a) - rank(b) })
	return list
}()

// choice is what somebody at the desk looks at; its address holds all of it.
type choice struct {
	Paper, Platform, Section, District string
	Day                                paper.Day
	Since                              int64 // unix seconds; only what was published or changed after it; 0: everything
	Part                               int   // of the list, from 1
	Article                            string
}

// errChoice: an address of the desk that nobody wrote by clicking.
var errChoice = errors.New("no such view of the desk")

func readChoice(q url.Values) (choice, error) {
	c := choice{Paper: q.Get("paper"), Platform: q.Get("platform"), Section: q.Get("section"), District: q.Get("district"), Article: q.Get("article"), Part: 1}
	if c.Platform != "" && !slices.ContainsFunc(deskPlatforms, func(p card.Platform) bool { return p.Key == c.Platform }) {
		return c, errChoice
	}
	if c.Article != "" && !validID(c.Article) {
		return c, errChoice
	}
	var err error
	if day := q.Get("day"); day != "" { // a form sends fields that are empty
		if c.Day, err = paper.ParseDay(day); err != nil {
			return c, errChoice
		}
	}
	if since := q.Get("since"); since != "" {
		if c.Since, err = strconv.ParseInt(since, 10, 64); err != nil || c.Since < 0 || c.Since > 1<<38 {
			return c, errChoice
		}
	}
	if part := q.Get("part"); part != "" {
		if c.Part, err = strconv.Atoi(part); err != nil || c.Part < 1 || c.Part > 10_000 {
			return c, errChoice
		}
	}
	return c, nil
}

// path is the address of a choice.
func (c choice) path() string {
	q := url.Values{}
	for name, value := range map[string]string{
		"paper": c.Paper, "day": string(c.Day), "platform": c.Platform, "section": c.Section, "district": c.District, "article": c.Article,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if c.Since > 0 {
		q.Set("since", strconv.FormatInt(c.Since, 10))
	}
	if c.Part > 1 {
		q.Set("part", strconv.Itoa(c.Part))
	}
	if len(q) == 0 {
		return "/desk"
	}
	return "/desk?" + q.Encode()
}

// deskBody is what the desk shows.
type deskBody struct {
	Choice       choice
	Action       string // where the form that leaves is sent
	Paper        string
	Lang         string        // that the address asks for; empty where it does not
	Edition      string        // href
	Prev, Next   string        // href of the editions beside
	Before       string        // href of the nearest day before that has something, where there is no edition
	Behind       string        // and after
	Partial      bool          // something of the edition is still missing
	Since        template.HTML // the instant that the list begins at; empty for the whole edition
	Whole, After string        // href of the whole edition, and of what comes after now
	Changed      []changed
	Earlier      []changed // corrections, behind a fold
	Papers       []option
	Sections     []option
	Districts    []option
	Unfiltered   string // href; empty where nothing is filtered
	Tabs         []tab
	Found        int // articles that fit, on all pages of the list
	From, To     int // of them, those on this page
	Posts        []deskPost
	Newer, Older string // href of the pages of the list before and after
}

// option is one of a <select>.
type option struct {
	Value, Name string
	Count       int
	Chosen      bool
}

// changed is an article that may have been posted and is not what it was.
type changed struct {
	ID         string // of the elements
	Withdrawn  bool
	Title      string // empty where it was withdrawn: the content is gone for everybody
	TitleLang  string
	Href       string
	Paper      string
	Page       paper.PageRef
	Position   int
	Day        paper.Day
	When       template.HTML
	URL        string
	Inspectors []share // that make a platform read a link again
}

// inspectors are the pages at which platforms read a link again.
var inspectors = []struct{ name, before, after string }{
	{"Facebook", "https://developers.facebook.com/tools/debug/?q=", ""},
	{"LinkedIn", "https://www.linkedin.com/post-inspector/inspect/", ""},
	{"Telegram", "https://t.me/WebpageBot?text=", ""},
}

// deskPost is an article with what one platform gets of it.
type deskPost struct {
	Entry     entry
	Position  int
	Sections  []string
	Districts []string
	Preview   preview
}

func (s *Site) desk(w http.ResponseWriter, r *http.Request) {
	if !s.signedIn(r) {
		s.signIn(w, r, http.StatusUnauthorized, "")
		return
	}
	w.Header().Set("Cache-Control", "no-store") // of every answer behind the key
	at, err := readChoice(r.URL.Query())
	if err != nil {
		s.Error(w, r, http.StatusBadRequest, localeOf(r).plain("desk_bad"))
		return
	}
	c, err := s.catalog(r.Context())
	if err != nil {
		s.fail(w, r, "list papers", err)
		return
	}
	if at.Article != "" {
		s.deskArticle(w, r, c, at)
		return
	}
	p := s.page(r, "desk_title")
	p.NoIndex, p.caching = true, "no-store"
	body := deskBody{Action: p.href("/desk")}
	if p.chosen {
		body.Lang = p.lang
	}
	if err = s.fillDesk(r.Context(), p, c, at, &body); err != nil {
		s.fail(w, r, "read edition for the desk", err)
		return
	}
	if body.Paper != "" {
		p.Title = p.plain("desk_of", body.Paper)
	}
	p.Body = body
	s.write(w, r, http.StatusOK, "desk", p)
}

// fillDesk finds the edition that is meant and sets it out.
func (s *Site) fillDesk(ctx context.Context, p *page, c catalog, at choice, b *deskBody) error {
	data := s.opts.Data
	day, err := s.newest(ctx, &at)
	if err != nil {
		return err
	}
	b.Choice = at
	if at.Paper == "" {
		return nil // nothing has been released yet
	}
	if _, ok := c.paper(at.Paper); !ok {
		return paper.ErrNotFound
	}
	shown := at // with the day that is meant where none is named
	shown.Day = cmp.Or(at.Day, day)
	zone := c.zone(at.Paper)
	b.Paper = c.label("paper", at.Paper)
	scope := paper.Scope{Papers: []string{at.Paper}}
	ed, err := data.Edition(ctx, paper.Public, at.Paper, shown.Day)
	switch {
	case err == nil:
		b.Edition, b.Partial = p.href(editionPath(at.Paper, shown.Day, "")), ed.State == paper.EditionPartial
		turn := choice{Paper: at.Paper, Platform: at.Platform}
		if ed.Previous != "" {
			turn.Day = ed.Previous
			b.Prev = p.href(turn.path())
		}
		if ed.Next != "" {
			turn.Day = ed.Next
			b.Next = p.href(turn.path())
		}
	case errors.Is(err, paper.ErrNotFound): // a feed has days and no editions; and no paper appears on every day
		near, err := data.Archive(ctx, paper.Public, scope, shown.Day)
		if err != nil {
			return err
		}
		turn := choice{Paper: at.Paper, Platform: at.Platform}
		if near.Previous != "" {
			turn.Day = near.Previous
			b.Before = p.href(turn.path())
		}
		if near.Next != "" {
			turn.Day = near.Next
			b.Behind = p.href(turn.path())
		}
	default:
		return err
	}
	recent, err := data.Items(ctx, paper.Public, scope, paper.Window{})
	if err != nil {
		return err
	}
	var items []paper.Item
	if at.Since > 0 {
		items, err = s.since(ctx, scope, time.Unix(at.Since, 0))
	} else {
		items, err = data.Items(ctx, paper.Public, scope, paper.Window{Day: shown.Day})
	}
	if err != nil {
		return err
	}

	// A paper's dates all come from one clock, and each is greater than those
	// before: the greatest of them parts what is there from what is to come.
	last := at.Since
	for _, it := range slices.Concat(recent, items) {
		last = max(last, it.Published.Unix(), it.Updated.Unix())
	}
	after := at
	after.Since, after.Day, after.Part = last, "", 1
	b.After = p.href(after.path())
	if at.Since > 0 {
		b.Since = p.instant(time.Unix(at.Since, 0), zone)
		whole := at
		whole.Since, whole.Part = 0, 1
		b.Whole = p.href(whole.path())
	}
	b.Changed, b.Earlier = p.changes(recent, at.Since, zone)

	items = slices.DeleteFunc(items, func(it paper.Item) bool { return it.State == paper.Withdrawn })
	for _, one := range c.papers {
		if !one.Retired || one.Key == at.Paper {
			b.Papers = append(b.Papers, option{one.Key, c.label("paper", one.Key), 0, one.Key == at.Paper})
		}
	}
	b.Sections = filters(items, at.Section, c, "section")
	b.Districts = filters(items, at.District, c, "district")
	if at.Section != "" || at.District != "" {
		without := at
		without.Section, without.District, without.Part = "", "", 1
		b.Unfiltered = p.href(without.path())
		items = slices.DeleteFunc(items, func(it paper.Item) bool {
			return at.Section != "" && !slices.ContainsFunc(it.Sections, func(x paper.Section) bool { return x.Slug == at.Section }) ||
				at.District != "" && !slices.ContainsFunc(it.Districts, func(x paper.Tag) bool { return x.Code == at.District })
		})
	}
	platform := deskPlatforms[0]
	for i, one := range deskPlatforms {
		tabbed := at
		tabbed.Platform = one.Key
		if i == 0 {
			tabbed.Platform = ""
		}
		here := one.Key == cmp.Or(at.Platform, deskPlatforms[0].Key)
		if here {
			platform = one
		}
		b.Tabs = append(b.Tabs, tab{Name: p.platform(one), Href: p.href(tabbed.path()), Here: here})
	}

	b.Found = len(items)
	from := min((at.Part-1)*deskList, len(items))
	items = items[from:]
	turn := at
	if at.Part > 1 {
		turn.Part = at.Part - 1
		b.Newer = p.href(turn.path())
	}
	if len(items) > deskList {
		items = items[:deskList]
		turn.Part = at.Part + 1
		b.Older = p.href(turn.path())
	}
	b.From, b.To = from+1, from+len(items)
	for i, it := range items {
		alone := choice{Article: it.ID}
		post := deskPost{Entry: p.entry(it), Position: it.Position}
		for _, x := range it.Sections {
			post.Sections = append(post.Sections, x.Name)
		}
		for _, x := range it.Districts {
			post.Districts = append(post.Districts, x.Name)
		}
		post.Preview = p.preview(it, s.cardAt(it, zone), platform, strconv.Itoa(from+i+1))
		post.Preview.All = p.href(alone.path())
		b.Posts = append(b.Posts, post)
	}
	b.Choice.Day = shown.Day
	return nil
}

// newest finds the paper that is meant where none is named, and its newest day.
func (s *Site) newest(ctx context.Context, at *choice) (paper.Day, error) {
	editions, err := s.opts.Data.Editions(ctx, paper.Public, at.Paper, 1)
	if err != nil {
		return "", err
	}
	if len(editions) > 0 && editions[0].Day != "" {
		at.Paper = cmp.Or(at.Paper, editions[0].Paper)
		return editions[0].Day, nil
	}
	var scope paper.Scope
	if at.Paper != "" {
		scope.Papers = []string{at.Paper}
	}
	items, err := s.opts.Data.Items(ctx, paper.Public, scope, paper.Window{Limit: 1})
	if err != nil || len(items) == 0 {
		return "", err
	}
	at.Paper = cmp.Or(at.Paper, items[0].Paper)
	return items[0].Day, nil
}

// since are the articles that were published after an instant, the newest day
// first, each day in page order.
func (s *Site) since(ctx context.Context, scope paper.Scope, after time.Time) ([]paper.Item, error) {
	var all []paper.Item
	window := paper.Window{Limit: deskNew}
	for range deskLists {
		items, err := s.opts.Data.Items(ctx, paper.Public, scope, window)
		if err != nil {
			return nil, err
		}
		full := len(items) >= deskNew
		if len(items) > 0 {
			last := items[len(items)-1]
			window.Before, window.BeforeID = last.Published, last.ID
			full = full && last.Published.After(after)
		}
		for _, it := range items {
			if it.Published.After(after) {
				all = append(all, it)
			}
		}
		if !full {
			break
		}
	}
	slices.SortStableFunc(all, func(a, b paper.Item) int {
		return cmp.Or(strings.Compare(string(b.Day), string(a.Day)), a.Ordinal-b.Ordinal)
	})
	return all, nil
}

// changes are the corrections and withdrawals that feeds tell of, the last first. What
// was withdrawn has to be taken down and is never folded away, as earlier corrections are.
func (p *page) changes(items []paper.Item, since int64, zone *time.Location) (list, earlier []changed) {
	items = slices.DeleteFunc(slices.Clone(items), func(it paper.Item) bool {
		return it.State != paper.Withdrawn && !it.Corrected() || it.Updated.Unix() <= since
	})
	slices.SortStableFunc(items, func(a, b paper.Item) int { return b.Updated.Compare(a.Updated) })
	corrected := 0
	for i, it := range items {
		one := changed{
			ID: "changed" + strconv.Itoa(i+1), Withdrawn: it.State == paper.Withdrawn, Title: it.Title(), TitleLang: p.langOf(it.Language, it.Title()),
			Href: p.href("/a/" + it.ID), Page: it.Page, Position: it.Position, Day: it.Day,
			When: p.instant(it.Updated, zone), URL: p.site.opts.Links.Article(it.ID),
		}
		if one.Withdrawn {
			list = append(list, one)
			continue
		}
		alone := choice{Article: it.ID}
		one.Href = p.href(alone.path())
		one.Title = cmp.Or(one.Title, it.ID)
		if corrected++; corrected > deskChanges+deskEarlier {
			continue
		}
		if corrected > deskChanges {
			one.Title = feed.NewCutter(it).Within(one.Title, 30)
			earlier = append(earlier, one) // what is to be done stands on its own page
			continue
		}
		for _, x := range inspectors {
			one.Inspectors = append(one.Inspectors, share{x.name, x.before + url.QueryEscape(one.URL)})
		}
		list = append(list, one)
	}
	return list, earlier
}

// filters are the sections or districts of articles, with how many each has, in
// the order of the edition. What is chosen stands there even where nothing has it.
func filters(items []paper.Item, chosen string, c catalog, part string) []option {
	var list []option
	add := func(value, name string, n int) {
		i := slices.IndexFunc(list, func(o option) bool { return o.Value == value })
		if i < 0 {
			list = append(list, option{value, cmp.Or(name, value), 0, value == chosen})
			i = len(list) - 1
		}
		list[i].Count += n
	}
	for _, it := range items {
		if part == "section" {
			for _, x := range it.Sections {
				add(x.Slug, x.Name, 1)
			}
			continue
		}
		for _, x := range it.Districts {
			add(x.Code, x.Name, 1)
		}
	}
	if chosen != "" {
		add(chosen, c.label(part, chosen), 0)
	}
	return list
}

// cardAt is the card of an item, its dates in a zone.
func (s *Site) cardAt(it paper.Item, zone *time.Location) card.Document {
	links := s.opts.Links
	links.Zone = zone
	return card.New(it, links)
}

// deskArticleBody is one article with what every platform gets of it.
type deskArticleBody struct {
	Entry    entry
	Action   string
	Back     string // href of its edition at the desk
	Changed  []changed
	Previews []preview
	Pictures []deskPicture
	QR       string
	Card     string // href of the card document
}

// deskPicture is one size of the card's picture to download.
type deskPicture struct {
	Href, Dark, File, DarkFile string
	Name                       string
	Width, Height              int
}

func (s *Site) deskArticle(w http.ResponseWriter, r *http.Request, c catalog, at choice) {
	it, err := s.opts.Data.Item(r.Context(), paper.Public, at.Article)
	if err != nil && !(errors.Is(err, paper.ErrGone) && it.ID != "") {
		s.fail(w, r, "read article", err)
		return
	}
	zone := c.zone(it.Paper)
	p := s.page(r, "desk_title")
	p.NoIndex, p.caching = true, "no-store"
	body := deskArticleBody{
		Entry: p.entry(it), Action: p.href("/desk"),
		Back: p.href(choice{Paper: it.Paper, Day: it.Day}.path()), Card: "/a/" + it.ID + "/card.json",
	}
	body.Entry.Paper = cmp.Or(body.Entry.Paper, c.label("paper", it.Paper))
	body.Changed, _ = p.changes([]paper.Item{it}, 0, zone)
	if it.State != paper.Withdrawn {
		p.Title, p.TitleLang = it.Title(), body.Entry.Lang
		doc := s.cardAt(it, zone)
		for _, one := range deskPlatforms {
			body.Previews = append(body.Previews, p.preview(it, doc, one, one.Key))
		}
		if s.opts.Links.Look != "" {
			for _, size := range card.Sizes() {
				body.Pictures = append(body.Pictures, deskPicture{
					Href: card.ImagePath(it, s.opts.Links, size.Name), Dark: card.ImagePath(it, s.opts.Links, size.Name+card.Dark),
					File: it.ID + "-" + size.Name + ".jpg", DarkFile: it.ID + "-" + size.Name + card.Dark + ".jpg",
					Name: size.Name, Width: size.Width, Height: size.Height,
				})
			}
		}
		body.QR = s.within(doc.QR)
	}
	p.Body = body
	s.write(w, r, http.StatusOK, "deskarticle", p)
}

// within is an address of ours within the site: the desk may be open under
// another name than readers use.
func (s *Site) within(address string) string {
	if path, ok := strings.CutPrefix(address, s.opts.Base+"/"); ok {
		return "/" + path
	}
	return address
}
