package syndicate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"paperwire/internal/paper"
	"paperwire/syndicate/api"
	"paperwire/syndicate/card"
	"paperwire/syndicate/feed"
	"paperwire/syndicate/push"
)

// press gives pushes their documents, for the public view: see [push.Press].
type press struct {
	s *Syndicate

	mu sync.Mutex
	// Many subscriptions to one topic stand at one place: what they get is rendered
	// once. It is for one change of the store only, so nothing that was withdrawn
	// meanwhile is among it.
	seq     int64
	notices map[string]push.Notice
}

// keptNotices bounds the memory for them; each may hold fifty articles.
const keptNotices = 16

func (p *press) Items(ctx context.Context, sc paper.Scope, w paper.Window) ([]paper.Item, error) {
	items, err := p.s.store.Items(ctx, paper.Public, sc, w)
	if err != nil {
		return nil, fmt.Errorf("read items of %s: %w", sc, err)
	}
	return items, nil
}

func (p *press) Article(it paper.Item) (json.RawMessage, error) {
	return api.Article(p.s.site.Load().Base, it)
}

func (p *press) Card(it paper.Item) card.Document {
	return card.New(it, p.s.links(p.s.site.Load(), nil))
}

// requested tells a wrong scope to who wrote it.
func requested(err error) error {
	var wrong *paper.ScopeError
	var unknown *unknownError
	if errors.As(err, &wrong) || errors.As(err, &unknown) {
		return fmt.Errorf("%w: %w", push.ErrRequest, err)
	}
	return err
}

func (p *press) Scope(ctx context.Context, written string) (paper.Scope, error) {
	sc, err := p.s.resolve(ctx, p.s.site.Load(), written)
	return sc, requested(err)
}

func (p *press) Topic(ctx context.Context, topic string) (sc paper.Scope, ext string, err error) {
	st := p.s.site.Load()
	no := func(format string, args ...any) (paper.Scope, string, error) {
		return sc, "", fmt.Errorf("%w: "+format, append([]any{push.ErrRequest}, args...)...)
	}
	u, err := url.Parse(topic)
	if err != nil || !strings.HasPrefix(topic, st.Base+"/feeds/") {
		return no("no feed of this site: topics begin with %s/feeds/", st.Base)
	}
	path := strings.TrimPrefix(u.Path, "/feeds/")
	dot := strings.LastIndexByte(path, '.')
	if dot < strings.LastIndexByte(path, '/') || dot < 0 {
		return no("a feed ends in its format: %s", extensions())
	}
	format, ok := feed.ByExt(strings.ToLower(path[dot+1:]))
	if !ok {
		return no("unknown format %q: there are %s", clip(path[dot+1:]), extensions())
	}
	if sc, err = p.s.resolve(ctx, st, path[:dot]); err != nil {
		return sc, "", requested(err)
	}
	if canonical := st.topic(sc, format); topic != canonical {
		return no("this topic is written %s", canonical)
	}
	return sc, format.Ext, nil
}

// topic is the canonical URL of a feed, without parameters.
func (st *site) topic(sc paper.Scope, f feed.Format) string {
	return st.Base + "/feeds/" + sc.String() + "." + f.Ext
}

func (p *press) Topics(sc paper.Scope) []string {
	var list []string
	st := p.s.site.Load()
	for _, f := range feed.Formats() {
		if f.LinkType != "" {
			list = append(list, st.topic(sc, f))
		}
	}
	return list
}

func (p *press) Room(ext string) int {
	if f, ok := feed.ByExt(ext); ok && f.Edition {
		return articlesIn
	}
	return 50
}

func (p *press) Notice(ctx context.Context, sc paper.Scope, ext string, ids []string) (push.Notice, error) {
	format, ok := feed.ByExt(ext)
	if !ok {
		return push.Notice{}, fmt.Errorf("notice of %s: no format %q", sc, ext)
	}
	sn, err := p.s.refresh(ctx)
	if err != nil {
		return push.Notice{}, err
	}
	k := sc.String() + "." + ext + " " + strings.Join(ids, " ")
	p.mu.Lock()
	if sn.seq != p.seq || len(p.notices) >= keptNotices {
		p.seq, p.notices = sn.seq, map[string]push.Notice{}
	}
	have, ok := p.notices[k]
	p.mu.Unlock()
	if ok {
		return have, nil
	}
	st := p.s.site.Load()
	c, err := p.s.writeFeed(ctx, st, paper.Public, sc, params{ids: ids}, format, sn.version(sc.Parts()).At)
	if err != nil {
		return push.Notice{}, err
	}
	n := push.Notice{Body: c.body, Type: c.ctype, Self: c.self, Items: c.items}
	p.mu.Lock()
	if sn.seq == p.seq {
		p.notices[k] = n
	}
	p.mu.Unlock()
	return n, nil
}

// hubs are the WebSub hubs of a feed: topics have no parameters. Outside ones are told of
// single parts in the formats that are announced to readers (see Topics and pings), so
// only those feeds name them: a reader that believed another would never hear anything.
func (st *site) hubs(sc paper.Scope, p params, f feed.Format) []string {
	if st.Push == nil || p.String() != "" {
		return nil
	}
	hubs := st.Push.Hubs()
	if f.LinkType == "" || len(sc.Pages)+len(sc.NotSections)+len(sc.NotDistricts) > 0 || len(sc.Papers)+len(sc.Sections)+len(sc.Districts) > 1 {
		return hubs[:1]
	}
	return hubs
}

// hub answers /hub.
func (s *Syndicate) hub(w http.ResponseWriter, r *http.Request, st *site) {
	w.Header()["Access-Control-Allow-Origin"] = anyone
	st.Push.ServeHub(w, r, client(r).String())
}

// keyFile answers the file that proves to search engines that the site is ours.
func (s *Syndicate) keyFile(w http.ResponseWriter, _ *http.Request, st *site) {
	_, text, _ := st.Push.KeyFile()
	w.Header()["Cache-Control"] = oneHour
	w.Header()["X-Content-Type-Options"] = noSniff
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write([]byte(text))
}
