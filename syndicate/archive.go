package syndicate

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"paperwire/internal/paper"
	"paperwire/syndicate/feed"
)

// maxArchive is how many items one archive document may hold. A day of a hundred
// papers is read paper by paper or district by district.
const maxArchive = 5000

// archives reports whether a format has archive documents (RFC 5005 §4).
func archives(f feed.Format) bool { return f.Ext == "rss" || f.Ext == "atom" || f.Ext == "json" }

// archivePath splits {scope}/archive/{day}. A section may be called archive, but no
// value of a scope ends in it and a day.
func archivePath(path string) (scope, day string, ok bool) {
	at := strings.LastIndex(path, "/archive/")
	if at < 0 || strings.Contains(path[at+len("/archive/"):], "/") {
		return "", "", false
	}
	return path[:at], path[at+len("/archive/"):], true
}

// archiveURL is the address of an archive document; empty for the empty day.
func (st *site) archiveURL(sc paper.Scope, day paper.Day, f feed.Format) string {
	if day == "" {
		return ""
	}
	return st.Base + "/feeds/" + sc.String() + "/archive/" + string(day) + "." + f.Ext
}

// archive answers /feeds/{scope}/archive/{day}.{rss,atom,json}.
func (s *Syndicate) archive(w http.ResponseWriter, r *http.Request, st *site, written, day, ext string) {
	format, ok := feed.ByExt(ext)
	if !ok || !archives(format) {
		s.problem(w, r, st, http.StatusNotFound, fmt.Sprintf("archives exist as .rss, .atom and .json, not as %q", clip("."+ext)))
		return
	}
	d, err := paper.ParseDay(day)
	if err != nil {
		s.problem(w, r, st, http.StatusBadRequest, fmt.Sprintf("archive: day %q: write it like 2017-09-07", clip(day)))
		return
	}
	sc, err := s.resolve(r.Context(), st, written)
	if err != nil {
		s.failScope(w, r, st, err, ext)
		return
	}
	q, err := feedQuery(r.URL.RawQuery)
	for _, name := range known {
		if err == nil && q.Has(name) {
			err = &paper.ScopeError{Reason: name + ": an archive is a whole day and takes no parameters"}
		}
	}
	if err != nil {
		s.failScope(w, r, st, err, ext)
		return
	}
	canonical := "/feeds/" + sc.String() + "/archive/" + string(d) + "." + ext
	if r.URL.RequestURI() != canonical {
		redirect(w, canonical)
		return
	}
	v := view(r)
	s.serve(w, r, st, document{
		kind: "archive", uri: canonical, parts: archiveParts(sc), ofPapers: true, archive: true, combined: combined(sc, params{}),
		write: func(ctx context.Context, rose time.Time) (content, error) {
			return s.writeArchive(ctx, st, v, sc, d, format, rose)
		},
	})
}

// archiveParts are what the version of an archive document derives from: what stood
// in the scope may have left it, and what came by backfill raises a part of its own.
func archiveParts(sc paper.Scope) [][]string {
	list := []string{"archive"}
	for _, parts := range sc.Parts() {
		list = append(list, parts...)
	}
	return [][]string{list}
}

// whole is the caching of archive documents: seldom asked for again, but a
// correction must arrive.
var whole = []string{"public, max-age=3600, must-revalidate"}

// writeArchive renders one archive document.
func (s *Syndicate) writeArchive(ctx context.Context, st *site, v paper.View, sc paper.Scope, day paper.Day, format feed.Format, rose time.Time) (content, error) {
	known, err := s.catalog(ctx, st, false)
	if err != nil {
		return content{}, err
	}
	a, err := s.store.Archive(ctx, v, sc, day)
	if err != nil {
		return content{}, err
	}
	if !a.Holds {
		return content{}, &emptyDay{a, sc, format}
	}
	items, err := s.store.Items(ctx, v, sc, paper.Window{Day: day, Archive: true, Limit: maxArchive + 1})
	if err != nil {
		return content{}, fmt.Errorf("read archive of %s %s: %w", sc, day, err)
	}
	if len(items) > maxArchive {
		return content{}, &paper.ScopeError{Reason: fmt.Sprintf("more than %d articles stand in %s on %s: ask for the archives of its papers or districts", maxArchive, sc, day)}
	}
	in := st.input(sc, items, known)
	in.Feed.Title += " · " + string(day)
	in.Links.Self = st.archiveURL(sc, day, format)
	in.Links.Current = st.Base + "/feeds/" + sc.String() + "." + format.Ext
	in.Links.Previous, in.Links.Following = st.archiveURL(sc, a.Previous, format), st.archiveURL(sc, a.Next, format)
	in.Links.Open, in.View = !a.Closed, v
	// A closed day was last changed by a correction, or by its closing; of an open one
	// something may have gone, so only its scope's version tells.
	in.Feed.Updated = updated(items, rose)
	modified := rose
	if a.Closed {
		if modified = a.At; in.Feed.Updated.After(modified) {
			modified = in.Feed.Updated
		}
	}
	if in.Feed.Complete, err = s.complete(ctx, items); err != nil {
		return content{}, err
	}
	var b bytes.Buffer
	if err := format.Write(&b, in); err != nil {
		return content{}, fmt.Errorf("write archive %s of %s %s: %w", format.Ext, sc, day, err)
	}
	return content{ctype: format.Type, body: b.Bytes(), papers: papersOf(items, sc, known), self: in.Links.Self, caching: whole, modified: modified}, nil
}

// emptyDay says that a scope has nothing on a day, and what is nearest. It is a 404.
type emptyDay struct {
	paper.Archive
	scope  paper.Scope
	format feed.Format
}

func (e *emptyDay) Error() string {
	text := fmt.Sprintf("%s holds nothing on %s", e.scope, e.Day)
	var near []string
	for _, d := range []paper.Day{e.Previous, e.Next} {
		if d != "" {
			near = append(near, "/feeds/"+e.scope.String()+"/archive/"+string(d)+"."+e.format.Ext)
		}
	}
	if near == nil {
		return text
	}
	return text + "; the nearest: " + strings.Join(near, " and ")
}

// Unwrap makes it a [paper.ErrNotFound].
func (e *emptyDay) Unwrap() error { return paper.ErrNotFound }
