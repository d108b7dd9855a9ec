package syndicate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"
	"weak"

	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"

	"paperwire/internal/paper"
	"paperwire/syndicate/card"
)

// easel draws the pictures of cards, each once.
type easel struct {
	studio  *card.Studio
	room    *semaphore.Weighted // half the processors: feeds go on being served
	flights singleflight.Group

	mu sync.Mutex
	// The photos drawn from last: whoever asks for one size asks for others too. They
	// are held only until the next collection of garbage.
	last [4]struct {
		name  string
		photo weak.Pointer[card.Photo]
	}
	next int
}

func newEasel(studio *card.Studio) *easel {
	return &easel{studio: studio, room: semaphore.NewWeighted(max(1, int64(runtime.GOMAXPROCS(0))/2))}
}

var cardName = regexp.MustCompile(`^([a-z0-9_]+(?:-dark)?)(?:-([0-9a-f]{8}))?\.jpg$`)

// links are what a card is made with, its dates in a zone.
func (s *Syndicate) links(st *site, zone *time.Location) card.Links {
	l := st.links
	l.Zone = zone
	return l
}

// cardImage answers /a/{id}/card/{name}-{hash8}.jpg. The address without a hash, and
// one with the hash of before, redirect to the one of now.
func (s *Syndicate) cardImage(w http.ResponseWriter, r *http.Request, st *site) {
	v, id := view(r), r.PathValue("id")
	key, _, ok := strings.Cut(id, "-")
	m := cardName.FindStringSubmatch(r.PathValue("file"))
	if !ok || len(id) > 128 || m == nil || !isSize(m[1]) {
		s.problem(w, r, st, http.StatusNotFound, "no such picture: "+sizeNames())
		return
	}
	name := m[1]
	it, err := s.store.Item(r.Context(), v, id)
	if err == nil && it.State == paper.Withdrawn {
		err = paper.ErrGone
	}
	uri := r.URL.Path
	switch {
	case errors.Is(err, paper.ErrNotFound), errors.Is(err, paper.ErrGone):
		s.fail(w, r, st, err)
		return
	case err == nil:
		// Where the store fails, what is rendered goes on being served at the
		// address that was asked for.
		uri = card.ImagePath(it, s.links(st, nil), name)
		if uri != r.URL.Path {
			h := w.Header()
			h["Cache-Control"] = oneMinute
			h["Access-Control-Allow-Origin"] = anyone
			h.Set("Location", uri)
			w.WriteHeader(http.StatusFound)
			return
		}
	case m[2] == "":
		s.fail(w, r, st, err)
		return
	}
	s.serve(w, r, st, document{
		kind: "card", uri: uri, parts: [][]string{{"paper/" + key, "archive/" + key}}, picture: true,
		write: func(ctx context.Context, _ time.Time) (content, error) {
			it, err := s.store.Item(ctx, v, id)
			if err == nil && it.State == paper.Withdrawn {
				err = paper.ErrGone
			}
			if err == nil && card.ImagePath(it, s.links(st, nil), name) != uri {
				err = paper.ErrNotFound // it changed a moment ago: whoever asks again is redirected
			}
			if err != nil {
				return content{}, fmt.Errorf("read article: %w", err)
			}
			b, err := s.cardPicture(ctx, st, v, it, name)
			return content{ctype: "image/jpeg", body: b, caching: forEver}, err
		},
	})
}

// qrCode answers /a/{id}/qr.png: a code that leads to the share page.
func (s *Syndicate) qrCode(w http.ResponseWriter, r *http.Request, st *site) {
	v, id := view(r), r.PathValue("id")
	key, _, ok := strings.Cut(id, "-")
	if !ok || len(id) > 128 {
		s.problem(w, r, st, http.StatusNotFound, "no such article")
		return
	}
	s.serve(w, r, st, document{
		kind: "card", uri: "/a/" + id + "/qr.png", parts: [][]string{{"paper/" + key, "archive/" + key}}, picture: true,
		write: func(ctx context.Context, _ time.Time) (content, error) {
			it, err := s.store.Item(ctx, v, id)
			if err == nil && it.State == paper.Withdrawn {
				err = paper.ErrGone
			}
			if err != nil {
				return content{}, fmt.Errorf("read article: %w", err)
			}
			b, err := card.QR(st.links.Article(id))
			return content{ctype: "image/png", body: b, caching: oneDay}, err
		},
	})
}

var oneDay = []string{"public, max-age=86400"} // the base URL may change

func isSize(name string) bool {
	name = strings.TrimSuffix(name, card.Dark)
	for _, s := range card.Sizes() {
		if s.Name == name {
			return true
		}
	}
	return false
}

func sizeNames() string {
	var names []string
	for _, s := range card.Sizes() {
		names = append(names, s.Name)
	}
	return "there are " + strings.Join(names, ", ") + ", each also with " + card.Dark
}

// cardPicture gives a card's picture as it is kept, or draws and keeps it.
func (s *Syndicate) cardPicture(ctx context.Context, st *site, v paper.View, it paper.Item, name string) ([]byte, error) {
	links := s.links(st, nil)
	kept := s.gallery.kept
	p := paper.Picture{Name: card.ImageHash(it, links) + "-" + name + ".jpg", Type: "image/jpeg"}
	for _, size := range card.Sizes() {
		if size.Name == strings.TrimSuffix(name, card.Dark) {
			p.Width, p.Height = size.Width, size.Height
		}
	}
	if kept != nil {
		b, err := readBlob(ctx, kept, p.Name)
		if err == nil || !errors.Is(err, paper.ErrNotFound) {
			return b, err
		}
	}
	if err := s.easel.room.Acquire(ctx, 1); err != nil {
		return nil, fmt.Errorf("draw card %s %s: %w: %w", it.ID, name, errBusy, err)
	}
	defer s.easel.room.Release(1)
	photo, err := s.photo(ctx, v, it, links)
	if err != nil {
		return nil, fmt.Errorf("draw card %s %s: %w", it.ID, name, err)
	}
	b, err := s.easel.studio.Draw(it, links, name, photo)
	if err != nil {
		return nil, fmt.Errorf("draw card %s %s: %w", it.ID, name, err)
	}
	if kept != nil {
		if err := kept.KeepVariant(ctx, p, b); err != nil {
			s.log.Warn("keep card", "article", it.ID, "name", name, "error", err)
		}
	}
	return b, nil
}

// photo opens the copy that a card shows; nil where there is none, where it had to
// go, or where it cannot be decoded.
func (s *Syndicate) photo(ctx context.Context, v paper.View, it paper.Item, links card.Links) (*card.Photo, error) {
	kept := s.gallery.kept
	_, name, ok := card.Copy(it, links)
	if !ok || kept == nil {
		return nil, nil
	}
	e := s.easel
	e.mu.Lock()
	for _, l := range e.last {
		if p := l.photo.Value(); l.name == name && p != nil {
			e.mu.Unlock()
			return p, nil
		}
	}
	e.mu.Unlock()
	got, err, _ := e.flights.Do(name, func() (any, error) {
		p, err := kept.Picture(ctx, v, name) // an address that looks like a copy's may be none that is shown
		var b []byte
		if err == nil {
			b, err = readBlob(ctx, kept, name)
		}
		if errors.Is(err, paper.ErrNotFound) || errors.Is(err, paper.ErrGone) {
			return (*card.Photo)(nil), nil
		} else if err != nil {
			return nil, err
		}
		release, err := s.gallery.lease(ctx, b, p.Type)
		if err != nil {
			return nil, err
		}
		defer release()
		photo, err := card.OpenPhoto(b, p.Type)
		if err != nil {
			s.log.Info("a card in type for a picture that cannot be drawn", "article", it.ID, "name", name, "error", err)
			return (*card.Photo)(nil), nil
		}
		return photo, nil
	})
	if err != nil {
		return nil, err
	}
	photo := got.(*card.Photo)
	if photo != nil {
		e.mu.Lock()
		e.last[e.next].name, e.last[e.next].photo = name, weak.Make(photo)
		e.next = (e.next + 1) % len(e.last)
		e.mu.Unlock()
	}
	return photo, nil
}

func readBlob(ctx context.Context, kept Pictures, name string) ([]byte, error) {
	_, f, err := kept.Blob(ctx, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxCopy))
	if err != nil {
		return nil, fmt.Errorf("read picture %s: %w", name, err)
	}
	return b, nil
}
