package papertest

import (
	"fmt"
	"slices"

	"paperwire/internal/paper"
)

// What goes wrong with an edition at the publisher's: it comes in parts, loses
// articles for a while, is served again at the next day's address, has headlines
// without text.

// absent is an article that is neither listed nor served for a while.
type absent struct {
	*entry
	page *page
	at   int // index on its page
	left int // requests of its own URL until it is back; 0: until Recover
}

// PublishPart prints the beginning of an edition whose upload is not finished:
// of pages the first n, and of each page the first perPage articles (0: all of
// them). Complete brings the rest. A page that is named and not there yet is a
// fault: Status(404, 0).On("node_4.htm").
func (p *Publisher) PublishPart(day paper.Day, pages []Page, n, perPage int) {
	part := slices.Clone(pages[:min(n, len(pages))])
	for i := range part {
		if perPage > 0 {
			part[i].Articles = part[i].Articles[:min(perPage, len(part[i].Articles))]
		}
	}
	p.Publish(day, part)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rest[day] = slices.Clone(pages)
}

// NextDayPart prints the beginning of the next day's synthetic edition, as
// PublishPart does, and tells its day.
func (p *Publisher) NextDayPart(n, perPage int) paper.Day {
	day := p.Day().Add(1)
	p.PublishPart(day, p.compose(day), n, perPage)
	return day
}

// Complete brings what PublishPart left out; what stands there keeps its place.
// It panics where nothing was left out, for that is a mistake in the test.
func (p *Publisher) Complete(day paper.Day) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pages, e := p.rest[day], p.edition(day)
	if pages == nil || e == nil {
		panic(fmt.Sprintf("papertest: nothing of %s was left out", day))
	}
	delete(p.rest, day)
	now := p.tick()
	e.changed = now
	for i, pg := range pages {
		if i >= len(e.pages) {
			p.print(e, pg, now)
			continue
		}
		q := e.pages[i]
		if q.slots == 0 || q.slots >= len(pg.Articles) {
			continue
		}
		if n := len(q.articles); n > 0 {
			q.articles[n-1].changed = now // it gets a link to the next one
		}
		for _, a := range pg.Articles[q.slots:] {
			p.place(e, q, a, now)
		}
	}
}

// Hiccup makes an article vanish from its page's lists and be a 404 at its URL,
// until its URL has been asked for n times; n 0: until Recover.
func (p *Publisher) Hiccup(id string, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hide(p.must(id), n)
}

// Recover brings back what Hiccup and Shrink hid: the articles of the ids, each
// in its place, or all of it without ids.
func (p *Publisher) Recover(ids ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, g := range slices.Backward(slices.Clone(p.gone)) {
		if len(ids) == 0 || slices.Contains(ids, g.ID) {
			p.show(g)
		}
	}
}

// Shrink leaves the edition of a day its first n articles, spread over all pages
// as evenly as they are, and tells the ids of the others: they are neither
// listed nor served until Recover.
func (p *Publisher) Shrink(day paper.Day, n int) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.edition(day)
	if e == nil {
		panic(fmt.Sprintf("papertest: no edition of %s", day))
	}
	var rank, rest []*entry
	for i := 0; ; i++ {
		before := len(rank)
		for _, q := range e.pages {
			if i < len(q.articles) {
				rank = append(rank, q.articles[i])
			}
		}
		if len(rank) == before {
			break
		}
	}
	if n < len(rank) {
		rest = rank[n:]
	}
	ids := make([]string, 0, len(rest))
	for _, x := range slices.Backward(rest) {
		p.hide(x, 0)
		ids = append(ids, x.ID)
	}
	slices.Reverse(ids)
	return ids
}

// EmptyBodies makes the articles of a day's edition headlines without text, or
// whole again; pictures above the text stay.
func (p *Publisher) EmptyBodies(day paper.Day, on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.tick()
	if e := p.edition(day); e != nil {
		for _, q := range e.pages {
			for _, x := range q.articles {
				x.hollow, x.changed = on, now
			}
		}
	}
}

// StaleEntry makes the address of the next day serve the newest edition a second
// time: its pages and articles stand there too, with the day of old printed in
// them, and entry and calendar lead there. It ends with the edition of that day,
// or with StaleEntry(false).
func (p *Publisher) StaleEntry(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tick()
	p.stale = ""
	if on {
		p.stale = p.day.Add(1)
	}
}

// HoldEntry makes entry and calendar keep to the edition before the newest,
// whose pages are at their address already, as before a late upload is through.
func (p *Publisher) HoldEntry(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tick()
	p.held = on
}

// hide takes an article off its page until show; the lock is held.
func (p *Publisher) hide(x *entry, n int) {
	e := p.edition(x.Day)
	for _, q := range e.pages {
		if i := slices.Index(q.articles, x); i >= 0 {
			p.gone = append(p.gone, &absent{entry: x, page: q, at: i, left: n})
			q.articles = slices.Delete(q.articles, i, i+1)
			p.rearranged(e, q, i-1, i)
			return
		}
	}
}

// show puts an article back where it was; the lock is held.
func (p *Publisher) show(g *absent) {
	p.gone = slices.DeleteFunc(p.gone, func(o *absent) bool { return o == g })
	i := min(g.at, len(g.page.articles))
	g.page.articles = slices.Insert(g.page.articles, i, g.entry)
	p.rearranged(p.edition(g.Day), g.page, i-1, i+1)
}

// rearranged numbers a page's articles anew; the two neighbours of the one that
// came or went have other links to the previous and next article now.
func (p *Publisher) rearranged(e *edition, q *page, before, after int) {
	e.changed = p.tick()
	for i, y := range q.articles {
		y.Position = i + 1
		if i == before || i == after {
			y.changed = e.changed
		}
	}
}

// missed counts a request of a hidden article's URL and reports whether it was
// one; the last brings the article back for the next. The lock is held.
func (p *Publisher) missed(path string) bool {
	for _, g := range p.gone {
		if p.articlePath(g.entry) != path {
			continue
		}
		if g.left == 1 {
			p.show(g)
		} else if g.left > 1 {
			g.left--
		}
		return true
	}
	return false
}
