package web

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"flag"
	"fmt"
	"html"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"paperwire/internal/paper"
	"paperwire/syndicate/feed"
)

// serveAt shows the pages of the fake newspaper in a browser:
//
//	go test ./syndicate/web -args -serve 127.0.0.1:8090
var serveAt = flag.String("serve", "", "serve the fake newspaper at this address instead of testing")

func TestMain(m *testing.M) {
	flag.Parse()
	if *serveAt == "" {
		os.Exit(m.Run())
	}
	mux := http.NewServeMux()
	o := options(newsroom(), "http://"+*serveAt)
	o.Links.Look = "drawn"
	site := New(o)
	site.Register(mux, nil)
	mux.HandleFunc("GET /pictures/{name}", drawPicture)
	mux.HandleFunc("GET /a/{id}/card/{name}", drawPicture)
	mux.HandleFunc("GET /a/{id}/qr.png", drawPicture)
	mux.HandleFunc("GET /empty/", func(w http.ResponseWriter, r *http.Request) {
		empty := New(options(&shelf{}, "http://"+*serveAt))
		empty.home(w, r)
	})
	mux.HandleFunc("GET /broken/", func(w http.ResponseWriter, r *http.Request) { site.Error(w, r, http.StatusInternalServerError, "") })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { site.NotFound(w, r) })
	fmt.Fprintln(os.Stderr, http.ListenAndServe(*serveAt, mux))
	os.Exit(1)
}

// drawPicture draws the pictures of the fake newspaper.
func drawPicture(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if strings.HasPrefix(name, "broken") {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	if strings.HasPrefix(name, "page") {
		fmt.Fprint(w, `<svg xmlns="http://www.w3.org/2000/svg" width="700" height="1000"><rect width="700" height="1000" fill="#f4f1e8"/><rect x="40" y="40" width="420" height="90" fill="#a33"/>`)
		for i := range 4 {
			x, y := 40+i%2*320, 170+i/2*410
			fmt.Fprintf(w, `<g fill="#777"><rect x="%d" y="%d" width="290" height="36" fill="#222"/>`, x, y)
			for j := range 17 {
				fmt.Fprintf(w, `<rect x="%d" y="%d" width="290" height="9"/>`, x, y+56+j*19)
			}
			fmt.Fprint(w, `</g>`)
		}
		fmt.Fprint(w, `</svg>`)
		return
	}
	fmt.Fprint(w, `<svg xmlns="http://www.w3.org/2000/svg" width="900" height="600"><rect width="900" height="600" fill="#b9c9d2"/><circle cx="700" cy="130" r="60" fill="#f3e2a0"/><path d="M0 430 250 250 430 390 620 210 900 420V600H0z" fill="#6c7f6a"/><path d="M0 520 300 430 600 500 900 440V600H0z" fill="#8d8a5b"/></svg>`)
}

// shelf is the store of the tests: values that answer as the gate would.
type shelf struct {
	papers   []paper.Paper
	items    []paper.Item // newest first
	editions []paper.Edition
	scopes   []paper.ScopeInfo
	health   []paper.Health
	trouble  []paper.Incident
	broken   error // what every method answers, where set
}

func (s *shelf) Papers(context.Context) ([]paper.Paper, error) { return s.papers, s.broken }

func (s *shelf) Health(context.Context) ([]paper.Health, error) { return s.health, s.broken }

func (s *shelf) Incidents(context.Context, int) ([]paper.Incident, error) { return s.trouble, s.broken }

func (s *shelf) Scopes(context.Context, paper.View) ([]paper.ScopeInfo, error) {
	return s.scopes, s.broken
}

func (s *shelf) Item(_ context.Context, _ paper.View, id string) (paper.Item, error) {
	for _, it := range s.items {
		if it.ID == id {
			if it.State == paper.Withdrawn {
				return it, paper.ErrGone
			}
			return it, s.broken
		}
	}
	return paper.Item{}, cmp.Or(s.broken, paper.ErrNotFound)
}

func (s *shelf) Items(_ context.Context, _ paper.View, scope paper.Scope, w paper.Window) ([]paper.Item, error) {
	var found []paper.Item
	for _, it := range s.items {
		if holds(scope, it) && (w.Day == "" || it.Day == w.Day) &&
			(w.Before.IsZero() || it.Published.Before(w.Before) || it.Published.Equal(w.Before) && it.ID < w.BeforeID) {
			found = append(found, it)
		}
	}
	if w.Day != "" {
		slices.SortStableFunc(found, func(a, b paper.Item) int { return a.Ordinal - b.Ordinal })
		return found, s.broken
	}
	return found[:min(len(found), cmp.Or(w.Limit, 50))], s.broken
}

func holds(s paper.Scope, it paper.Item) bool {
	var sections, districts []string
	for _, x := range it.Sections {
		sections = append(sections, x.Slug)
	}
	for _, x := range it.Districts {
		districts = append(districts, x.Code, x.Code[:4]+"00")
	}
	any := func(wanted, have []string) bool {
		return slices.ContainsFunc(wanted, func(v string) bool { return slices.Contains(have, v) })
	}
	return (s.Papers == nil || slices.Contains(s.Papers, it.Paper)) && (s.Sections == nil || any(s.Sections, sections)) &&
		(s.Districts == nil || any(s.Districts, districts)) && (s.Pages == nil || slices.Contains(s.Pages, it.Page.Number)) &&
		!any(s.NotSections, sections) && !any(s.NotDistricts, districts)
}

func (s *shelf) Edition(_ context.Context, _ paper.View, key string, day paper.Day) (paper.Edition, error) {
	for _, e := range s.editions {
		if e.Paper == key && e.Day == day {
			return e, s.broken
		}
	}
	return paper.Edition{}, cmp.Or(s.broken, paper.ErrNotFound)
}

func (s *shelf) Editions(_ context.Context, _ paper.View, key string, n int) ([]paper.Edition, error) {
	var found []paper.Edition
	for _, e := range s.editions {
		if (key == "" || e.Paper == key) && len(found) < n {
			found = append(found, e)
		}
	}
	return found, s.broken
}

func (s *shelf) Archive(_ context.Context, _ paper.View, scope paper.Scope, day paper.Day) (paper.Archive, error) {
	a := paper.Archive{Day: day}
	for _, it := range s.items {
		switch {
		case !holds(scope, it) || it.State == paper.Withdrawn:
		case it.Day < day && it.Day > a.Previous:
			a.Previous = it.Day
		case it.Day > day && (a.Next == "" || it.Day < a.Next):
			a.Next = it.Day
		}
	}
	return a, s.broken
}

// atlas is a gazetteer of one city and a county beyond it.
type atlas []paper.Division

var places = atlas{
	{Code: "410000", Name: "河南省", Slug: "henan", Level: "province"},
	{Code: "410800", Name: "焦作市", Short: "焦作", Slug: "jiaozuo", Level: "city", Parent: "410000"},
	{Code: "410825", Name: "温县", Slug: "wenxian", Level: "county", Parent: "410800"},
	{Code: "410803", Name: "中站区", Short: "中站", Slug: "zhongzhan", Level: "county", Parent: "410800"},
	{Code: "410804", Name: "马村区", Short: "马村", Slug: "macun", Level: "county", Parent: "410800"},
	{Code: "410882", Name: "沁阳市", Short: "沁阳", Slug: "qinyang", Level: "county", Parent: "410800"},
	{Code: "410822", Name: "博爱县", Short: "博爱", Slug: "boai", Level: "county", Parent: "410800"},
	{Code: "130100", Name: "石家庄市", Short: "石家庄", Slug: "shijiazhuang", Level: "city", Parent: "130000"},
	{Code: "130121", Name: "井陉县", Short: "井陉", Slug: "jingxing", Level: "county", Parent: "130100"},
}

func (a atlas) Division(code string) (paper.Division, bool) {
	i := slices.IndexFunc(a, func(d paper.Division) bool { return d.Code == code })
	if i < 0 {
		return paper.Division{}, false
	}
	return a[i], true
}

func (a atlas) Under(code string) []paper.Division {
	return slices.DeleteFunc(slices.Clone(a), func(d paper.Division) bool { return d.Parent != code })
}

func (a atlas) Above(code string) (codes []string) {
	for d, ok := a.Division(code); ok && d.Parent != ""; d, ok = a.Division(d.Parent) {
		codes = append(codes, d.Parent)
	}
	return codes
}

func (a atlas) Resolve(s string, _ ...string) (paper.Division, bool) {
	i := slices.IndexFunc(a, func(d paper.Division) bool {
		return s != "" && (s == d.Code || s == d.Name || s == d.Short || s == d.Slug)
	})
	if i < 0 {
		return paper.Division{}, false
	}
	return a[i], true
}

func options(d Data, base string) Options {
	return Options{
		Base: base, SiteTitle: "示例订阅站", Footer: "示例备 00000000 号 · 编辑部 0391-0000000", Data: d, Names: places,
		Formats: []feed.Format{
			{Ext: "atom", Name: "Atom", LinkType: "application/atom+xml", About: "Atom 1.0"},
			{Ext: "json", Name: "JSON Feed", LinkType: "application/feed+json", About: "JSON Feed 1.1"},
			{Ext: "ninjs", Name: "ninjs", About: "IPTC ninjs 2.2"},
			{Ext: "rss", Name: "RSS", LinkType: "application/rss+xml", About: "RSS 2.0"},
			{Ext: "wechat", Name: "微信图文", About: "newest edition for WeChat drafts"},
		},
		Scope:    func(ctx context.Context, written string) (paper.Scope, error) { return resolve(ctx, d, written) },
		Operator: func(r *http.Request) bool { return r.Header.Get("Paperwire-Key") == deskKey },
		Seal: func(text string) []byte {
			mac := hmac.New(sha256.New, []byte(deskKey))
			mac.Write([]byte(text))
			return mac.Sum(nil)
		},
	}
}

const deskKey = "correct horse"

// resolve knows the scopes of the store and the names of the atlas.
func resolve(ctx context.Context, d Data, written string) (paper.Scope, error) {
	s, err := paper.ParseScope(written)
	if err != nil {
		return s, err
	}
	known, err := d.Scopes(ctx, paper.Public)
	if err != nil {
		return s, err
	}
	for _, list := range [][]string{s.Districts, s.NotDistricts} {
		for i, v := range list {
			division, ok := places.Resolve(v)
			if !ok {
				return s, paper.ErrNotFound
			}
			list[i] = division.Code
		}
	}
	for part, values := range map[string][]string{"paper": s.Papers, "section": slices.Concat(s.Sections, s.NotSections)} {
		for _, v := range values {
			if !slices.ContainsFunc(known, func(x paper.ScopeInfo) bool { return x.Part == part+"/"+v }) {
				return s, paper.ErrNotFound
			}
		}
	}
	return paper.ParseScope(s.String())
}

const longHan = "一场持续了整整三个月的秋收与抢种之间的赛跑如何在温县的十二个乡镇之间悄悄改变了人们对土地与时令以及邻里互助的看法与做法"

const longEnglish = "An unusually long English headline about the quiet reorganisation of county libraries, their reading rooms, and the volunteers who keep both open through the winter"

// newsroom is a fictional paper with three editions, a feed in English, and
// every odd thing a page has to bear.
func newsroom() *shelf {
	s := &shelf{
		papers: []paper.Paper{
			{Key: "demo", Name: "示例日报", City: "410800", Zone: "Asia/Shanghai", Language: chinese, Link: paper.LinkShare, Rights: paper.RightsFull, URL: "http://epaper.example.cn/"},
			{Key: "gazette", Name: "The Example Gazette", Zone: "UTC", Language: english, Link: paper.LinkOrigin, Rights: paper.RightsSummary},
			{Key: "oldpaper", Name: "示例晚报", City: "410800", Zone: "Asia/Shanghai", Retired: true},
		},
	}
	pictures := "http://" + cmp.Or(*serveAt, "pictures.example.cn") + "/pictures/"
	heads := []string{"河堤上的灯重新亮了", "麦田边的图书角迎来第一百位读者", "图片新闻", "老街的钟表匠收了三个徒弟", "山药地里来了测土的人", "公交改线以后，早市搬了家", "图片新闻", "一座水塔的六十年"}
	pageNames := []string{"要闻", "综合", "焦作/温县·马村区", "副刊"}
	counties := []string{"410825", "410803", "410804", "410822"}
	days := []paper.Day{"2017-09-07", "2017-09-06", "2017-09-05"}
	paragraphs := []string{
		"本报讯 清晨六点，温县黄河滩区的灯一盏接一盏亮了起来。巡堤的人说，上一次看见这样长的一串光，还是十多年前的事。",
		"灯是村里人自己修好的。电线从旧仓库里清出来，一截一截接上；灯罩洗了三遍，有的还留着当年写的编号。",
		"“不为别的，就为走夜路的人心里踏实。”老陈把手电筒别回腰上，沿着堤往东走。他的身后，是刚刚浇过水的麦地和一排新栽的杨树。",
	}
	for d, day := range days {
		ed := paper.Edition{Paper: "demo", Day: day, State: paper.EditionComplete, URL: "http://epaper.example.cn/html/node_1.htm"}
		if d == 0 {
			ed.State = paper.EditionPartial
		}
		if d > 0 {
			ed.Next = days[d-1]
		}
		if d+1 < len(days) {
			ed.Previous = days[d+1]
		}
		for p, name := range pageNames {
			number := fmt.Sprintf("%02d", p+1)
			page := paper.EditionPage{
				PageRef: paper.PageRef{Number: number, Name: name}, URL: "http://epaper.example.cn/node_" + number + ".htm",
				Picture: pictures + "page" + number, PDF: pictures + "page" + number + ".pdf", Listed: 8, Read: 8,
			}
			if p == 3 {
				page.Picture, page.PDF = "", ""
			}
			for i := range 8 {
				n := p*8 + i
				id := fmt.Sprintf("demo-%s-%d", day.Compact(), 1000+n)
				at := time.Date(2017, 9, 7, 0, 30, 0, 0, time.UTC).AddDate(0, 0, -d).Add(-time.Duration(n) * time.Second)
				it := paper.Item{
					Article: paper.Article{
						ID: id, Paper: "demo", Source: "demo", Day: day, URL: "http://epaper.example.cn/content_" + id + ".htm", Page: page.PageRef,
						Position: i + 1, Ordinal: n, Headline: heads[i], Language: chinese, Text: strings.Join(paragraphs, "\n"), Summary: paragraphs[0],
						Byline: []paper.Person{{Name: "陈示例", Role: paper.Reporter}, {Name: "李样本", Role: paper.Reporter}, {Name: "王范文", Role: paper.Correspondent}},
					},
					State: paper.Live, Version: 1, Published: at, Updated: at, Rights: paper.RightsFull, Link: paper.LinkShare,
					PaperName: "示例日报", PaperCity: "410800", Sections: []paper.Section{{Slug: "yaowen", Name: "要闻"}},
				}
				for _, text := range paragraphs {
					it.HTML += "<p>" + html.EscapeString(text) + "</p>"
				}
				code := counties[n%len(counties)]
				division, _ := places.Division(code)
				it.Districts = []paper.Tag{{Code: code, Name: division.Name, Tier: paper.Sure, Score: 4.5, Evidence: []paper.Evidence{
					{Text: "温县", Zone: "lead", Offset: 9, Rule: "full", Weight: 3},
					{Text: "黄河滩区", Zone: "lead", Offset: 11, Rule: "alias", Weight: 1.5},
					{Text: "马村", Zone: "body", Offset: 3, Rule: "short", Weight: 0},
				}}}
				it.Reach = paper.ReachDistrict
				switch n {
				case 0:
					it.Kicker, it.Subtitle = "秋日见闻", "——温县黄河滩区三百户人家修好了十年未亮的路灯"
					it.Images = []paper.Image{{URL: pictures + "photo", Caption: "灯光映在新修的堤上", Credit: "赵摄影", Width: 900, Height: 600}}
					it.HTML += "<h3>走夜路的人</h3><p>" + paragraphs[2] + "</p><h3>一盏一盏接上</h3><p>" + paragraphs[1] + "</p>"
					it.Version, it.Updated = 2, at.Add(5*time.Hour)
					it.Related = []paper.Related{
						{Relation: paper.CorrectedBy, ID: "demo-" + day.Compact() + "-1010", Title: "更正", Day: day, Page: paper.PageRef{Number: "02", Name: "综合"}},
						{Relation: paper.Brief, ID: "demo-" + day.Compact() + "-1011", Title: "堤上的灯亮了", Day: day, Page: paper.PageRef{Number: "02", Name: "综合"}},
					}
				case 1:
					it.Headline = longHan
					it.Images = []paper.Image{{URL: pictures + "broken", Caption: "打不开的图片"}}
				case 2:
					it.Images = []paper.Image{{URL: pictures + "photo2", Caption: "图书角一隅", Width: 900, Height: 600}}
				case 5:
					it.Rights, it.HTML, it.Text = paper.RightsSummary, "", ""
				case 6:
					it.Agency = "新华社"
				case 10:
					it.Headline, it.Text = "更正", "本报同日第01版报道中的户数应为三百一十户，特此更正。"
					it.HTML, it.Summary = "<p>"+it.Text+"</p>", it.Text
					it.Related = []paper.Related{{Relation: paper.Corrects, ID: "demo-" + day.Compact() + "-1000", Title: "河堤上的<灯>重新亮了", Day: day, Page: paper.PageRef{Number: "01", Name: "要闻"}}}
				case 9:
					if d == 0 {
						it = paper.Item{Article: paper.Article{ID: id, Paper: "demo", Day: day, Page: page.PageRef, Position: i + 1, Ordinal: n}, State: paper.Withdrawn, Version: 2, Published: at, Updated: at.Add(2 * time.Hour)}
					}
				}
				if i < 4 {
					x, y := 40+i%2*320, 170+i/2*410
					page.Areas = append(page.Areas, paper.Area{Article: id, Shape: "rect", Coords: fmt.Sprintf("%d,%d,%d,%d", x, y, x+290, y+380), Title: heads[i]})
				}
				s.items = append(s.items, it)
				ed.Articles++
			}
			ed.Pages = append(ed.Pages, page)
		}
		s.editions = append(s.editions, ed)
	}
	at := time.Date(2017, 9, 6, 12, 0, 0, 0, time.UTC)
	s.items = append(s.items, paper.Item{
		Article: paper.Article{
			ID: "gazette-20170906-0123456789abcdef", Paper: "gazette", Day: "2017-09-06", URL: "https://gazette.example.org/libraries?a=1&b=2", Headline: longEnglish, Language: english,
			Summary: "Readers came early. They stayed until the lamps were lit, and some came back the next day.", Byline: []paper.Person{{Name: "A. N. Example", Role: paper.Author}},
		}, State: paper.Live, Version: 1, Published: at, Updated: at, Rights: paper.RightsSummary, Link: paper.LinkOrigin, PaperName: "The Example Gazette",
	})
	slices.SortStableFunc(s.items, func(a, b paper.Item) int { return b.Published.Compare(a.Published) })
	s.count()
	s.scopes = append(s.scopes, paper.ScopeInfo{Part: "district/410882", Name: "沁阳市", Last: "2016-03-01"}, paper.ScopeInfo{Part: "section/fukan", Name: "副刊"})
	s.health = []paper.Health{
		{Source: "demo", Paper: "demo", Name: "示例日报", Platform: "founder", URL: "http://epaper.example.cn/", State: "ok", Checked: at, Tried: at, Due: at.Add(5 * time.Minute), Edition: "2017-09-07", Listed: 32, Read: 32, Articles: 96},
		{Source: "gazette", Paper: "gazette", Name: "The Example Gazette", Platform: "feed", URL: "https://gazette.example.org/feed", State: "failing", Problem: "get https://gazette.example.org/feed: 503 Service Unavailable; the publisher's server is down: nothing to do but wait", Since: at, Checked: at.Add(-26 * time.Hour), Tried: at, Due: at.Add(time.Hour), Edition: "", Listed: 40, Read: 31, Failed: 9},
		{Source: "oldpaper", Paper: "oldpaper", Name: "示例晚报", Platform: "founder", State: "retired"},
	}
	if *serveAt != "" {
		s.worsen(at)
	}
	s.trouble = []paper.Incident{
		{ID: 3, Source: "demo", Name: "示例日报", State: "late", Problem: "no edition of 2017-09-08 by 09:00: late, or a day without a paper", Began: at.AddDate(0, 0, 1)},
		{ID: 2, Source: "gazette", Name: "The Example Gazette", State: "failing", Problem: "get https://gazette.example.org/feed: 503 Service Unavailable", Began: at},
		{ID: 1, Source: "demo", Name: "示例日报", State: "alarm", Problem: "edition 2017-09-06 lists 3 articles, usually 32", Began: at.Add(-20 * time.Hour), Ended: at.Add(-19 * time.Hour)},
	}
	return s
}

// worsen adds a source in each of the other states.
func (s *shelf) worsen(at time.Time) {
	for i, state := range []string{"alarm", "blocked", "partial", "waiting"} {
		s.health = append(s.health, paper.Health{
			Source: state, Paper: "demo", Name: "示例" + state + "报", Platform: "paperindex", URL: "http://epaper.example.cn/" + state + "/paperindex.htm", State: state, Since: at,
			Problem: map[string]string{
				"alarm":   "edition 2017-09-07 lists 3 articles, usually 61: a redesign or an upload that broke off; compare it with the site",
				"blocked": "a captcha is asked for: open the site in a browser and agree on access with the publisher; it is never bypassed",
				"partial": "2 of 40 articles could not be read; they are tried again",
			}[state],
			Checked: at.Add(-time.Duration(i) * time.Hour), Due: at.Add(time.Hour), Edition: "2017-09-06", Listed: 40, Read: 40 - 2*(i/2), Failed: 2 * (i / 2),
		})
	}
}

// count fills the scopes from the items.
func (s *shelf) count() {
	seen := make(map[string]*paper.ScopeInfo)
	add := func(part, name string, it paper.Item) {
		if seen[part] == nil {
			seen[part] = &paper.ScopeInfo{Part: part, Name: name}
		}
		seen[part].Count++
		seen[part].Last = max(seen[part].Last, it.Day)
	}
	for _, p := range s.papers {
		seen["paper/"+p.Key] = &paper.ScopeInfo{Part: "paper/" + p.Key, Name: p.Name}
	}
	for _, it := range s.items {
		if it.State != paper.Live {
			continue
		}
		add("paper/"+it.Paper, it.PaperName, it)
		for _, x := range it.Sections {
			add("section/"+x.Slug, x.Name, it)
		}
		for _, x := range it.Districts {
			add("district/"+x.Code, x.Name, it)
			add("district/410800", "焦作市", it)
		}
	}
	s.scopes = nil
	for _, info := range seen {
		s.scopes = append(s.scopes, *info)
	}
	slices.SortFunc(s.scopes, func(a, b paper.ScopeInfo) int { return strings.Compare(a.Part, b.Part) })
}
