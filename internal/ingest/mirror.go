package ingest

import (
	"context"
	"errors"
	"net/http"
	"path"
	"regexp"
	"strings"
	"time"

	"paperwire/internal/fetch"
	"paperwire/internal/paper"
)

const (
	maxPicture  = 12 << 20 // bytes of a picture that is copied
	maxPixels   = 50e6     // of a picture that is copied: decoding more is what a bomb is for
	maxMirrored = 24       // pictures copied per article
	// mirrorTries is how often a picture is asked for; then its address at the
	// publisher's is shown.
	mirrorTries = 3
	// mirrorFor is how long the copying may keep an edition back.
	mirrorFor = 10 * time.Minute
)

// mirror copies the pictures of what is about to be released, where the source
// wants it: before the release, because what is out never changes its address.
// What was copied by a look that died is not asked for again. A picture that
// cannot be had stays at the publisher's, and no article waits for it.
func (g *Ingest) mirror(ctx context.Context, s *source, day paper.Day) error {
	if !s.Mirror {
		return nil
	}
	end := g.now().Add(mirrorFor)
	if err := g.mirrorArticles(ctx, s, day, end); err != nil || day == "" {
		return err
	}
	return g.mirrorPages(ctx, s, day, end)
}

// mirrorPages copies the pictures of an edition's pages.
func (g *Ingest) mirrorPages(ctx context.Context, s *source, day paper.Day, end time.Time) error {
	pages, err := g.store.UnmirroredPages(ctx, s.Paper, day)
	if err != nil || len(pages) == 0 {
		return err
	}
	copied, failed := 0, 0
	for _, p := range pages {
		if !g.now().Before(end) {
			g.log.Warn("page pictures not copied in time", "source", s.Key, "day", day, "after", mirrorFor.String())
			break
		}
		kept, tries, err := g.store.Kept(ctx, p.Picture)
		if err != nil {
			return err
		}
		if kept == nil {
			if tries >= mirrorTries {
				continue
			}
			kept, err = g.copyPicture(ctx, paper.Image{URL: p.Picture}, paper.Article{URL: p.URL, Day: day})
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				failed++
				g.log.Debug("copy page picture", "source", s.Key, "url", p.Picture, "error", err)
				if err := g.store.PictureFailed(ctx, p.Picture, !passing(err)); err != nil {
					return err
				}
				if asked := (*fetch.StatusError)(nil); errors.As(err, &asked) && asked.RetryAfter > 0 {
					break
				}
				continue
			}
			copied++
		}
		p.Mirror = kept
		if err := g.store.MirroredPage(ctx, s.Paper, day, p); err != nil {
			return err
		}
	}
	if copied+failed == 0 {
		return nil
	}
	g.log.Info("page pictures", "source", s.Key, "day", day, "copied", copied, "failed", failed)
	return nil
}

func (g *Ingest) mirrorArticles(ctx context.Context, s *source, day paper.Day, end time.Time) error {
	articles, err := g.store.Unmirrored(ctx, s.Key, day)
	if err != nil || len(articles) == 0 {
		return err
	}
	copies := map[string]*paper.Picture{}
	done := map[string]bool{} // by URL: copied, or given up
	copied, failed := 0, 0
	left := true // anything to try again
rounds:
	for round := 0; round < mirrorTries && left; round++ {
		left = false
		for _, a := range articles {
			for n, i := range a.Images {
				if i.Mirror != nil || done[i.URL] || n >= maxMirrored {
					continue
				}
				if !g.now().Before(end) {
					g.log.Warn("pictures not copied in time", "source", s.Key, "day", day, "after", mirrorFor.String())
					break rounds
				}
				p, tries, err := g.store.Kept(ctx, i.URL)
				if err != nil {
					return err
				}
				if p != nil {
					copies[i.URL], done[i.URL] = p, true
					continue
				}
				if tries >= mirrorTries {
					done[i.URL] = true
					continue
				}
				p, err = g.copyPicture(ctx, i, a)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if err == nil {
					copies[i.URL], done[i.URL] = p, true
					copied++
					continue
				}
				final := !passing(err)
				done[i.URL] = final
				left = left || !final
				failed++
				g.log.Debug("copy picture", "source", s.Key, "url", i.URL, "error", err)
				if err := g.store.PictureFailed(ctx, i.URL, final); err != nil {
					return err
				}
				if asked := (*fetch.StatusError)(nil); errors.As(err, &asked) && asked.RetryAfter > 0 {
					break rounds // they want to be left alone
				}
			}
		}
	}
	for _, a := range articles {
		if err := g.store.Mirrored(ctx, a.ID, copies); err != nil {
			return err
		}
	}
	g.log.Info("pictures", "source", s.Key, "day", day, "copied", copied, "failed", failed)
	return nil
}

// copyPicture fetches one picture, the full size first, and keeps it.
func (g *Ingest) copyPicture(ctx context.Context, i paper.Image, a paper.Article) (*paper.Picture, error) {
	var first error
	for _, at := range sizesOf(i.URL) {
		p, body, err := g.fetch.Download(ctx, at, a.URL, maxPicture)
		if err == nil && (p.Width < 1 || p.Height < 1 || float64(p.Width)*float64(p.Height) > maxPixels) {
			err = errPixels
		}
		if err == nil && at != i.URL && p.Width < i.Width {
			err = errPixels // a thumbnail by the name of a full picture
		}
		if err == nil {
			kept, err := g.store.KeepPicture(ctx, i.URL, a.Day, paper.Picture{Type: p.Type, Width: p.Width, Height: p.Height, Source: at}, body)
			if err != nil {
				return nil, err
			}
			return &kept, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if first == nil || at == i.URL {
			first = err // what the picture's own address says decides about trying again
		}
		if passing(err) {
			break // the host is in trouble: other names of the picture are too
		}
	}
	return nil, first
}

// errPixels: the header names no size, or one that nobody needs to print a paper.
var errPixels = errors.New("no size in pixels, or more than 50 million of them")

// passing reports whether a picture may be had later: the network, a host in
// trouble. What the publisher refuses, or is no picture, stays so.
func passing(err error) bool {
	if s := (*fetch.StatusError)(nil); errors.As(err, &s) {
		return s.Code >= 500 || s.Code == http.StatusTooManyRequests || s.Code == http.StatusRequestTimeout
	}
	for _, final := range []error{fetch.ErrNotPicture, fetch.ErrTooLarge, fetch.ErrForbidden, fetch.ErrRobots, fetch.ErrRedirects, errPixels} {
		if errors.Is(err, final) {
			return false
		}
	}
	return true
}

var (
	// pic/202408/19/uuid.jpg.2: what the publisher's software resized.
	resizedEnding = regexp.MustCompile(`(?i)(\.(?:jpe?g|png|gif))\.[0-9]$`)
	// 2026031701_brief.jpg, res01_s.jpg.
	resizedStem = regexp.MustCompile(`(?i)(?:_brief|_small|_thumb|_s)(\.(?:jpe?g|png|gif))$`)
	// The reader drops the ending .2; where there is no full picture, it is there.
	resizing = regexp.MustCompile(`/pic/[0-9]{6}/[0-9]{2}/[^/]+\.(?:jpe?g|png)$`)
)

// sizesOf are the addresses of a picture, the largest first.
func sizesOf(address string) []string {
	stem, query, _ := strings.Cut(address, "?")
	if query != "" || path.Ext(stem) == "" { // made on request: its name tells nothing
		return []string{address}
	}
	switch {
	case resizedEnding.MatchString(stem):
		return []string{resizedEnding.ReplaceAllString(stem, "$1"), address}
	case resizedStem.MatchString(stem):
		return []string{resizedStem.ReplaceAllString(stem, "$1"), address}
	case resizing.MatchString(stem):
		return []string{address, address + ".2"}
	}
	return []string{address}
}
