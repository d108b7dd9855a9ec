package syndicate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"paperwire/internal/paper"
	"paperwire/syndicate/card"
)

// cardOf makes the card of an item, its dates in the zone of its paper.
func (s *Syndicate) cardOf(ctx context.Context, st *site, it paper.Item) (card.Document, error) {
	known, err := s.catalog(ctx, st, false)
	if err != nil {
		return card.Document{}, err
	}
	return card.New(it, s.links(st, known.papers[it.Paper].Location())), nil
}

// card answers /a/{id}/card.json. That of a withdrawn article comes with 410
// and says no more than that.
func (s *Syndicate) card(w http.ResponseWriter, r *http.Request, st *site) {
	v, id := view(r), r.PathValue("id")
	key, _, ok := strings.Cut(id, "-")
	if !ok || len(id) > 128 {
		s.problem(w, r, st, http.StatusNotFound, "no such article")
		return
	}
	s.serve(w, r, st, document{
		kind: "card", uri: "/a/" + id + "/card.json", parts: [][]string{{"paper/" + key, "archive/" + key}},
		write: func(ctx context.Context, _ time.Time) (content, error) {
			c := content{ctype: "application/json"}
			it, err := s.store.Item(ctx, v, id)
			switch {
			case errors.Is(err, paper.ErrGone) && it.ID == id, err == nil && it.State == paper.Withdrawn:
				c.status = http.StatusGone
			case err != nil:
				return c, fmt.Errorf("read article: %w", err)
			}
			d, err := s.cardOf(ctx, st, it)
			if err != nil {
				return c, err
			}
			if c.body, err = d.JSON(); err != nil {
				return c, fmt.Errorf("write json: %w", err)
			}
			c.body = append(c.body, '\n')
			return c, nil
		},
	})
}

// oembed answers /oembed?url= for our share pages (oembed.com, type link).
func (s *Syndicate) oembed(w http.ResponseWriter, r *http.Request, st *site) {
	q := r.URL.Query()
	if f := q.Get("format"); f != "" && f != "json" {
		s.problem(w, r, st, http.StatusNotImplemented, "format: only json is written")
		return
	}
	if q.Get("url") == "" {
		s.problem(w, r, st, http.StatusBadRequest, "url is missing: the address of a share page, "+st.Base+"/a/{id}")
		return
	}
	id, ours := strings.CutPrefix(q.Get("url"), st.Base+"/a/")
	id, _, _ = strings.Cut(id, "?")
	id, _, _ = strings.Cut(id, "#")
	if !ours || id == "" || strings.Contains(id, "/") || len(id) > 128 {
		s.problem(w, r, st, http.StatusNotFound, "url: write the address of a share page, "+st.Base+"/a/{id}")
		return
	}
	it, err := s.store.Item(r.Context(), view(r), id)
	if err == nil && it.State == paper.Withdrawn {
		err = paper.ErrGone
	}
	if err != nil {
		s.fail(w, r, st, err)
		return
	}
	d, err := s.cardOf(r.Context(), st, it)
	if err != nil {
		s.fail(w, r, st, err)
		return
	}
	e := embedding{Version: "1.0", Type: "link", Title: d.Title, Provider: d.SiteName, ProviderURL: st.Base + "/", CacheAge: 60}
	names := make([]string, len(d.Authors))
	for i, a := range d.Authors {
		names[i] = a.Name
	}
	e.Author = strings.Join(names, ", ")
	// A thumbnail must fit what the consumer has room for, or stay away (§2.3.4).
	for _, img := range []*card.Image{d.Images.OG, d.Images.Miniprogram, d.Images.Thumb} {
		if img != nil && img.Width > 0 && img.Height > 0 && fits(img.Width, q.Get("maxwidth")) && fits(img.Height, q.Get("maxheight")) {
			e.Thumbnail, e.Width, e.Height = img.URL, img.Width, img.Height
			break
		}
	}
	b, err := encodeJSON(e)
	if err != nil {
		s.fail(w, r, st, err)
		return
	}
	h := w.Header()
	h["Cache-Control"] = oneMinute // what is withdrawn must go
	h["Access-Control-Allow-Origin"] = anyone
	h.Set("Content-Type", "application/json")
	w.Write(b)
}

// embedding is the answer of oEmbed 1.0 §2.3.
type embedding struct {
	Version     string `json:"version"`
	Type        string `json:"type"`
	Title       string `json:"title"`
	Author      string `json:"author_name,omitempty"`
	Provider    string `json:"provider_name"`
	ProviderURL string `json:"provider_url"`
	CacheAge    int    `json:"cache_age"` // seconds
	Thumbnail   string `json:"thumbnail_url,omitempty"`
	Width       int    `json:"thumbnail_width,omitempty"`
	Height      int    `json:"thumbnail_height,omitempty"`
}

// fits reports whether pixels stay within a limit; no limit or a wrong one is none.
func fits(pixels int, limit string) bool {
	n, err := strconv.Atoi(limit)
	return err != nil || pixels <= n
}

// encodeJSON writes JSON that people can read: Han characters and & as they are.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("write json: %w", err)
	}
	return b.Bytes(), nil
}
