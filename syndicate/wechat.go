package syndicate

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"paperwire/internal/paper"
	"paperwire/syndicate/card"
	"paperwire/syndicate/feed"
)

// wechatDesk gives the WeChat account its articles, for the public view: see
// [wechat.Desk].
type wechatDesk struct{ s *Syndicate }

func (d wechatDesk) Items(ctx context.Context, sc paper.Scope, w paper.Window) ([]paper.Item, error) {
	items, err := d.s.store.Items(ctx, paper.Public, sc, w)
	if err != nil {
		return nil, fmt.Errorf("read items of %s: %w", sc, err)
	}
	return items, nil
}

func (d wechatDesk) Item(ctx context.Context, id string) (paper.Item, error) {
	return d.s.store.Item(ctx, paper.Public, id)
}

func (d wechatDesk) Card(it paper.Item) card.Document {
	return card.New(it, d.s.links(d.s.site.Load(), nil))
}

func (d wechatDesk) Scope(ctx context.Context, written string) (paper.Scope, error) {
	return d.s.resolve(ctx, d.s.site.Load(), written)
}

func (d wechatDesk) Words(q string) ([]string, error) { return queryWords(q) }

func (d wechatDesk) Known(ctx context.Context, n int) (districts, sections []string, err error) {
	scopes, err := d.s.store.Scopes(ctx, paper.Public)
	if err != nil {
		return nil, nil, fmt.Errorf("list scopes: %w", err)
	}
	slices.SortFunc(scopes, func(a, b paper.ScopeInfo) int { return cmp.Or(b.Count-a.Count, strings.Compare(a.Part, b.Part)) })
	st := d.s.site.Load()
	for _, x := range scopes {
		kind, value, _ := strings.Cut(x.Part, "/")
		switch {
		case x.Count == 0:
		case kind == "section" && len(sections) < n && x.Name != "":
			sections = append(sections, feed.Line(x.Name))
		case kind == "district" && len(districts) < n:
			if v, ok := st.Names.Division(value); ok && v.Level == "county" {
				districts = append(districts, v.Name)
			}
		}
	}
	return districts, sections, nil
}

func (d wechatDesk) Section(ctx context.Context, name string) (paper.Scope, error) {
	known, err := d.s.catalog(ctx, d.s.site.Load(), false)
	if err != nil {
		return paper.Scope{}, err
	}
	plain := func(s string) string { return strings.ToLower(norm.NFKC.String(feed.Line(s))) }
	for slug, x := range known.sections {
		if plain(x.Name) == plain(name) {
			return paper.Scope{Sections: []string{slug}}, nil
		}
	}
	return paper.Scope{}, fmt.Errorf("section called %q: %w", name, paper.ErrNotFound)
}

func (d wechatDesk) Marked(ctx context.Context, address string) string {
	st := d.s.site.Load()
	id, ours := strings.CutPrefix(address, st.Base+"/a/")
	if !ours {
		return address
	}
	it, err := d.Item(ctx, id)
	if err != nil || it.State != paper.Live {
		return address // it will fail elsewhere, or be withdrawn
	}
	if url := d.Card(it).Platforms["wechat_draft"].URL; strings.HasPrefix(url, address) {
		return url
	}
	return address
}

func (d wechatDesk) Draft(ctx context.Context, sc paper.Scope, day paper.Day, part int) (doc []byte, of paper.Day, partial bool, err error) {
	st := d.s.site.Load()
	known, err := d.s.catalog(ctx, st, false)
	if err != nil {
		return nil, "", false, err
	}
	w := paper.Window{Day: day}
	if day == "" {
		w = paper.Window{Newest: true, Limit: articlesIn * part}
	}
	items, err := d.Items(ctx, sc, w)
	if err != nil {
		return nil, "", false, err
	}
	// The day's edition, as the newest is: with pages, where anything has one.
	if page := func(i paper.Item) bool { return i.Page.Number != "" }; slices.ContainsFunc(items, page) {
		items = slices.DeleteFunc(items, func(i paper.Item) bool { return !page(i) })
	}
	asked := map[string]bool{}
	for _, it := range items {
		if day = it.Day; asked[it.Paper] {
			continue
		}
		asked[it.Paper] = true
		ed, err := d.s.store.Edition(ctx, paper.Public, it.Paper, it.Day)
		if err != nil && !errors.Is(err, paper.ErrNotFound) { // an item of a feed has no edition
			return nil, "", false, err
		}
		partial = partial || err == nil && ed.State == paper.EditionPartial
	}
	format, ok := feed.ByExt("wechat")
	if !ok {
		return nil, "", false, errors.New("there is no format wechat")
	}
	in := st.input(sc, items, known)
	in.View, in.Part = paper.Public, part
	var b bytes.Buffer
	if err := format.Write(&b, in); err != nil {
		return nil, "", false, fmt.Errorf("write the articles of %s: %w", sc, err)
	}
	return b.Bytes(), day, partial, nil
}

func (d wechatDesk) Picture(ctx context.Context, url string) (data []byte, kind string, ok bool, err error) {
	st := d.s.site.Load()
	path, ours := strings.CutPrefix(url, st.Base+"/")
	fields := strings.Split(path, "/")
	switch {
	case !ours:
		return nil, "", false, nil
	case len(fields) == 2 && fields[0] == "img" && pictureName.MatchString(fields[1]):
		kept := d.s.gallery.kept
		if kept == nil {
			return nil, "", true, paper.ErrNotFound
		}
		p, err := kept.Picture(ctx, paper.Public, fields[1])
		if err == nil {
			data, err = readBlob(ctx, kept, fields[1])
		}
		return data, p.Type, true, err
	case len(fields) == 4 && fields[0] == "a" && fields[2] == "card":
		m := cardName.FindStringSubmatch(fields[3])
		if m == nil || !isSize(m[1]) {
			return nil, "", true, paper.ErrNotFound
		}
		it, err := d.s.store.Item(ctx, paper.Public, fields[1])
		if err == nil && it.State != paper.Live {
			err = paper.ErrGone
		}
		if err == nil {
			data, err = d.s.cardPicture(ctx, st, paper.Public, it, m[1])
		}
		return data, "image/jpeg", true, err
	}
	return nil, "", false, nil // the demo paper is served at our address, by others
}

// registerWechat adds what pages and WeChat's servers ask for.
func (st *site) registerWechat() {
	a := st.Wechat
	if a == nil {
		return
	}
	if path, text, ok := a.VerifyFile(); ok {
		st.mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Cache-Control"] = oneMinute
			w.Header()["X-Content-Type-Options"] = noSniff
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			io.WriteString(w, text)
		})
	}
	if a.Signs() {
		st.mux.HandleFunc("/wechat/jssdk", a.ServeConfig)
		st.mux.HandleFunc("/wechat/share.js", a.ServeScript)
	}
	if a.Answers() {
		st.mux.HandleFunc("/wechat/callback", a.ServeCallback)
		st.mux.HandleFunc("POST /wechat/callback", a.ServeCallback)
	}
}
