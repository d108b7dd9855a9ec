package papertest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"paperwire/internal/paper"
)

// edition is one issue as the publisher holds it.
type edition struct {
	day     paper.Day
	number  int // of the issue, from 1: the id in period.xml
	pages   []*page
	changed time.Time // of the index pages and the calendar
}

// page is one page of an edition.
type page struct {
	paper.PageRef
	node     int // the node id of the classic form, which is not the page number
	slots    int // articles ever placed here: the positional forms number by it
	articles []*entry
	featured []string
	charset  string
	areas    []area // of its picture, one per article; nil: divided evenly
	width    int    // of its picture, pixels
	height   int
	picture  func() []byte
	pdf      func() []byte
}

// entry is one article with what the publisher knows beside its text.
type entry struct {
	Article
	slot    int  // its number on its page in the positional forms, from 1; it stays
	hollow  bool // its body is served empty
	added   time.Time
	changed time.Time
	images  []*picture
}

// picture is one image file, drawn when it is first asked for.
type picture struct {
	Image
	name string // without extension: res01
	data func() []byte
}

func prepare(o Options) *Publisher {
	o.Key = cmp.Or(o.Key, "test")
	o.Name = cmp.Or(o.Name, "测试日报")
	o.Form = cmp.Or(o.Form, FounderClassic)
	o.Day = cmp.Or(o.Day, "2026-03-17")
	o.Pages = cmp.Or(o.Pages, 4)
	o.ArticlesPerPage = cmp.Or(o.ArticlesPerPage, 4)
	o.City = cmp.Or(o.City, "410800")
	o.Charset = cmp.Or(o.Charset, layouts[o.Form].charset, "utf-8")
	o.Entry = cmp.Or(o.Entry, "meta")
	if o.Now == nil {
		o.Now = time.Now
	}
	p := &Publisher{
		opts:   o,
		base:   o.Base,
		root:   "/" + o.Key,
		form:   o.Form,
		day:    o.Day,
		clock:  o.Day.In(paper.Shanghai).Add(5 * time.Hour),
		byID:   map[string]*entry{},
		nextID: 270000 + int(uint64(o.Seed)%9000)*10,
		used:   map[string]bool{},
		rest:   map[paper.Day][]Page{},
	}
	p.entry = p.entryPath(o.Form)
	return p
}

// tick moves the newsroom's clock: Last-Modified has whole seconds only, so two
// changes within a second would be invisible to If-Modified-Since.
func (p *Publisher) tick() time.Time {
	p.site = nil
	p.clock = p.clock.Add(time.Minute)
	return p.clock
}

// Publish prints an edition of the given pages. A day printed before is
// replaced as a whole; articles that keep their id keep their URL.
func (p *Publisher) Publish(day paper.Day, pages []Page) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at := day.In(paper.Shanghai).Add(5 * time.Hour); at.After(p.clock) {
		p.clock = at
	}
	now := p.tick()
	e := p.edition(day)
	if e == nil {
		e = &edition{day: day, number: 36000 + len(p.editions) + 1}
		p.editions = append(p.editions, e)
		slices.SortFunc(p.editions, func(a, b *edition) int { return cmp.Compare(a.day, b.day) })
	}
	for _, old := range e.pages {
		for _, a := range old.articles {
			delete(p.byID, a.ID)
		}
	}
	p.gone = slices.DeleteFunc(p.gone, func(g *absent) bool {
		if g.entry.Day == day {
			delete(p.byID, g.entry.ID)
		}
		return g.entry.Day == day
	})
	delete(p.rest, day)
	if p.stale <= day {
		p.stale = ""
	}
	e.pages, e.changed = nil, now
	for _, pg := range pages {
		p.print(e, pg, now)
	}
	p.day = max(p.day, day)
}

// print puts a page at the end of an edition.
func (p *Publisher) print(e *edition, pg Page, now time.Time) {
	q := &page{PageRef: paper.PageRef{Number: pg.Number, Name: pg.Name}, node: len(e.pages) + 2, featured: slices.Clone(pg.Featured), width: 350, height: 500}
	q.charset = cmp.Or(pg.Charset, p.opts.Charset)
	e.pages = append(e.pages, q)
	var boxes []pdfBox
	even := areas(len(pg.Articles))
	for i, a := range pg.Articles {
		x := p.place(e, q, a, now)
		boxes = append(boxes, pdfBox{even[i], oneLine(listTitle(x)), x.plain()})
	}
	// Late articles do not change the picture, just as in print.
	q.picture = sync.OnceValue(func() []byte { return drawPage(q.width, q.height, even) })
	q.pdf = sync.OnceValue(func() []byte { return pagePDF(p.opts.Name, longDay(e.day)+"　"+pageLabel(q.PageRef), boxes) })
}

// place puts an article at the end of a page.
func (p *Publisher) place(e *edition, q *page, a Article, now time.Time) *entry {
	if a.ID == "" {
		p.nextID++
		a.ID = strconv.Itoa(p.nextID)
	}
	if p.byID[a.ID] != nil {
		panic("papertest: article id " + a.ID + " is taken")
	}
	q.slots++
	x := &entry{Article: a, slot: q.slots, added: now, changed: now}
	x.Charset = cmp.Or(a.Charset, p.opts.Charset)
	x.Page, x.Day, x.Position = q.PageRef, e.day, len(q.articles)+1
	x.Paragraphs, x.Images = slices.Clone(a.Paragraphs), slices.Clone(a.Images)
	for i, m := range x.Images {
		x.images = append(x.images, newPicture(m, x.ID, i, uint64(p.opts.Seed)))
	}
	q.articles = append(q.articles, x)
	p.byID[a.ID] = x
	return x
}

// newPicture fills the defaults of an image; it is drawn when first served.
func newPicture(m Image, id string, i int, seed uint64) *picture {
	m.Format = cmp.Or(m.Format, "jpeg")
	m.Width, m.Height = cmp.Or(m.Width, 480), cmp.Or(m.Height, 320)
	q := &picture{Image: m, name: fmt.Sprintf("res%s_%d", id, i+1)}
	q.data = func() []byte { return m.Data }
	if m.Data == nil {
		n, _ := strconv.ParseUint(id, 10, 64)
		q.data = sync.OnceValue(func() []byte { return drawPicture(m, seed^n<<8^uint64(i)) })
	}
	return q
}

func (q *picture) ext() string {
	if q.Format == "png" {
		return ".png"
	}
	return ".jpg"
}

// NextDay prints the next day's synthetic edition and tells its day.
func (p *Publisher) NextDay() paper.Day {
	day := p.Day().Add(1)
	p.Publish(day, p.compose(day))
	return day
}

// Rest lets a day pass without an edition, as papers do at weekends and on
// holidays; NextDay prints the one after it.
func (p *Publisher) Rest() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.day = p.day.Add(1)
}

// Articles lists what the edition of a day holds now, in page order.
func (p *Publisher) Articles(day paper.Day) []Article {
	p.mu.RLock()
	defer p.mu.RUnlock()
	e := p.edition(day)
	if e == nil {
		return nil
	}
	var list []Article
	for _, q := range e.pages {
		for _, x := range q.articles {
			a := x.Article
			a.Paragraphs, a.Images = slices.Clone(a.Paragraphs), slices.Clone(a.Images)
			a.URL = p.base + p.articlePath(x)
			list = append(list, a)
		}
	}
	return list
}

// Correct changes an article in place; id, day, page and position stay. It
// panics where no such article is listed, for that is a mistake in the test.
func (p *Publisher) Correct(id string, change func(*Article)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x := p.must(id)
	a := x.Article
	a.Paragraphs, a.Images = slices.Clone(a.Paragraphs), slices.Clone(a.Images)
	change(&a)
	a.ID, a.Day, a.Page, a.Position = x.ID, x.Day, x.Page, x.Position
	before := listTitle(x)
	x.Article, x.changed = a, p.tick()
	listed := listTitle(x) != before
	x.images = nil
	for i, m := range a.Images {
		x.images = append(x.images, newPicture(m, x.ID, i, uint64(p.opts.Seed)))
	}
	if e := p.edition(x.Day); listed && e != nil {
		e.changed = x.changed
	}
}

// Withdraw takes an article out of its page's lists; its URL is a 404 from now on.
func (p *Publisher) Withdraw(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x := p.must(id)
	e := p.edition(x.Day)
	for _, q := range e.pages {
		i := slices.Index(q.articles, x)
		if i < 0 {
			continue
		}
		q.articles = slices.Delete(q.articles, i, i+1)
		p.rearranged(e, q, i-1, i)
	}
	delete(p.byID, x.ID)
}

// AddLate appends an article to a page of an edition that is out already, and
// tells its id.
func (p *Publisher) AddLate(day paper.Day, pageNumber string, a Article) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.edition(day)
	if e == nil {
		panic(fmt.Sprintf("papertest: no edition of %s", day))
	}
	for _, q := range e.pages {
		if q.Number == pageNumber {
			e.changed = p.tick()
			if n := len(q.articles); n > 0 {
				q.articles[n-1].changed = e.changed // it gets a link to the next one
			}
			return p.place(e, q, a, e.changed).ID
		}
	}
	panic(fmt.Sprintf("papertest: edition of %s has no page %s", day, pageNumber))
}

// Switch is a redesign overnight: every edition is served in another form, and
// with newIDs every article has another id (in a positional form: its files have
// another suffix). The old pages are gone (404); the
// old entry leads to the new one. Articles tells the new ids in the old order.
func (p *Publisher) Switch(form Form, newIDs bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.form = form
	now := p.tick()
	if newIDs {
		p.nextID += 3_000_000
		p.skin++
	}
	renamed := map[string]string{}
	rename := func(x *entry) {
		x.changed = now
		if !newIDs {
			return
		}
		p.nextID++
		id := strconv.Itoa(p.nextID)
		renamed[x.ID] = id
		delete(p.byID, x.ID)
		x.ID = id
		p.byID[id] = x
	}
	for _, e := range p.editions {
		e.changed = now
		for _, q := range e.pages {
			for _, x := range q.articles {
				rename(x)
			}
		}
	}
	for _, g := range p.gone {
		rename(g.entry)
	}
	for _, e := range p.editions {
		for _, q := range e.pages {
			for i, id := range q.featured {
				q.featured[i] = cmp.Or(renamed[id], id)
			}
		}
	}
}

// Misbehave adds a fault. Of the faults that fit a request the one added last
// strikes.
func (p *Publisher) Misbehave(f Fault) {
	p.mu.Lock()
	if f.during > 0 {
		f.until = p.opts.Now().Add(f.during)
	}
	p.faults = append(p.faults, f)
	p.mu.Unlock()
	if f.kind == "down" && p.server != nil {
		// A client that finds its idle connection closed asks again by itself;
		// without idle connections one call is one request.
		p.server.CloseClientConnections()
	}
}

// Behave ends every fault.
func (p *Publisher) Behave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = nil
}

// Validators switches ETag and Last-Modified on and off.
func (p *Publisher) Validators(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opts.NoValidators = !on
}

// Requests are the requests so far, in the order of arrival. What a client has
// seen of an answer is in here before it has seen it.
func (p *Publisher) Requests() []Request {
	p.mu.RLock()
	defer p.mu.RUnlock()
	list := make([]Request, len(p.requests))
	for i, r := range p.requests {
		list[i] = *r
	}
	return list
}

// Count tells how many requests had the substring in path or query and were
// answered with the status; status 0 counts every answer.
func (p *Publisher) Count(substring string, status int) int {
	p.mu.RLock()
	defer p.mu.RUnlock()
	n := 0
	for _, r := range p.requests {
		if strings.Contains(r.Path, substring) && (status == 0 || r.Status == status) {
			n++
		}
	}
	return n
}

// Reset forgets the requests so far.
func (p *Publisher) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = nil
}

func (p *Publisher) edition(day paper.Day) *edition {
	for _, e := range p.editions {
		if e.day == day {
			return e
		}
	}
	return nil
}

// latest is the newest edition; nil where nothing has been printed.
func (p *Publisher) latest() *edition {
	if len(p.editions) == 0 {
		return nil
	}
	return p.editions[len(p.editions)-1]
}

// previous is the edition before the one of a day; nil where there is none.
func (p *Publisher) previous(day paper.Day) *edition {
	var before *edition
	for _, e := range p.editions {
		if e.day < day {
			before = e
		}
	}
	return before
}

func (p *Publisher) must(id string) *entry {
	x := p.byID[id]
	if x == nil || slices.ContainsFunc(p.gone, func(g *absent) bool { return g.entry == x }) {
		panic("papertest: no article " + id)
	}
	return x
}
