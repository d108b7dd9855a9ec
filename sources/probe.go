package sources

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"paperwire/internal/fetch"
	"paperwire/internal/paper"
)

// recorder keeps what a look fetched, as it came.
type recorder struct {
	Getter
	report *Report
}

func (g *recorder) Get(ctx context.Context, r fetch.Request) (*fetch.Document, error) {
	r.Raw, r.Fresh = true, true
	d, err := g.Getter.Get(ctx, r)
	if err == nil && !d.NotModified && len(g.report.Fetched) < maxFetched {
		at := d.URL
		if at == "" {
			at = r.URL
		}
		g.report.Fetched = append(g.report.Fetched, Fetched{URL: at, Label: d.Label, Body: d.Raw})
		g.report.believe(at, d)
	}
	return d, err
}

// maxFetched caps what a look keeps. maxElsewhere caps the feeds, sitemaps and
// entries it tries where the address itself is nothing it knows.
const (
	maxFetched   = 300
	maxElsewhere = 6
)

var metaCharset = regexp.MustCompile(`(?i)<meta[^>]{0,200}?charset\s*=\s*["']?\s*([a-z0-9_\-]+)|^\s*<\?xml[^>]{0,100}?encoding\s*=\s*["']([a-z0-9_\-]+)`)

// believe warns, once for a claim, of a document whose label is not its charset.
func (r *Report) believe(at string, d *fetch.Document) {
	if d.Charset == "" {
		return
	}
	claims := []string{}
	if _, c, ok := strings.Cut(strings.ToLower(d.Label), "charset="); ok {
		claims = append(claims, strings.Trim(c, ` "';`))
	}
	if m := metaCharset.FindSubmatch(d.Raw[:min(len(d.Raw), 4096)]); m != nil {
		claims = append(claims, strings.ToLower(string(m[1])+string(m[2])))
	}
	ascii := !bytes.ContainsFunc(d.Raw, func(c rune) bool { return c >= utf8.RuneSelf })
	for _, c := range claims {
		if ascii || family(c) == family(strings.ToLower(d.Charset)) {
			continue
		}
		r.warn("the encoding is labelled %s and is %s; the bytes are believed (first seen at %s)", c, d.Charset, at)
	}
}

// family is what counts as one charset: GB18030 contains GBK and GB2312.
func family(charset string) string {
	switch {
	case strings.HasPrefix(charset, "gb"), charset == "x-gbk", charset == "cp936", charset == "hz-gb-2312":
		if charset == "gb18030" || charset == "gbk" || charset == "gb2312" || charset == "gb_2312-80" {
			return "gb"
		}
		return charset // gbk2312 is the name of nothing
	case charset == "utf8", charset == "utf-8":
		return "utf-8"
	}
	return charset
}

// warn adds a warning; one that differs only in where it was seen counts once.
func (r *Report) warn(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	key, _, _ := strings.Cut(line, " (first seen")
	for _, w := range r.Warnings {
		if old, _, _ := strings.Cut(w, " (first seen"); old == key {
			return
		}
	}
	r.Warnings = append(r.Warnings, line)
}

// probe is Probe for a checked address.
func probe(ctx context.Context, g Getter, at string, zone *time.Location, now time.Time, city func(string) string) (Report, error) {
	rep := Report{URL: at}
	rec := &recorder{g, &rep}
	today := paper.DayOf(now, zone)
	want := Want{Today: today, Now: now, Max: 1}
	s := Source{Key: "probe", Paper: "probe", Platform: auto, URL: at, Zone: zone}

	f, err := Find(ctx, rec, s, want)
	if ctx.Err() != nil {
		return rep, ctx.Err()
	}
	if len(rep.Fetched) > 0 {
		rep.Landed = rep.Fetched[0].URL
		rep.hops(at)
	}
	if known := err == nil && len(f.Editions) > 0; !known {
		rep.saw(err)
		if !rep.walled(err) {
			if found, u, ok := elsewhere(ctx, rec, s, want); ok {
				rep.warn("the address itself is nothing that can be read (%s); what it leads to is", rep.Saw)
				f, s.URL, err = found, u, nil
			}
		}
		if ctx.Err() != nil {
			return rep, ctx.Err()
		}
		if err != nil || len(f.Editions) == 0 {
			return rep, nil
		}
	} else if u, ok := undated(ctx, rec, s, want, f); ok {
		rep.warn("%s is the address of one edition; the one below always leads to the newest", at)
		s.URL = u
	} else if sh, ok := shapeOf(mustParse(at)); ok && sh.kind != other {
		rep.warn("%s is the address of one edition, and none was found that leads to the newest: look for the paper's own entry", at)
	}
	rep.Saw, rep.Platform, rep.Name, rep.Edition = "", f.Platform, f.Name, f.Editions[len(f.Editions)-1]
	rep.judge(ctx, rec, s, today)
	if err := rep.sample(ctx, rec, s); err != nil {
		return rep, err
	}
	rep.config(s, city)
	return rep, nil
}

func mustParse(at string) *url.URL {
	u, err := url.Parse(at)
	if err != nil {
		return &url.URL{}
	}
	return u
}

// saw says what stands where no platform knows the site.
func (r *Report) saw(err error) {
	var unknown *UnknownError
	var blocked *BlockedError
	switch {
	case err == nil:
		r.Saw = "a source without an edition"
	case errors.As(err, &blocked):
		r.Saw = "a wall: " + blocked.Reason + "; open the site in a browser and agree on access with the publisher, it is never bypassed"
	case errors.Is(err, fetch.ErrRobots):
		r.Saw = "robots.txt asks not to be read; where the publisher agrees, name the host in fetch.ignore_robots"
	case errors.Is(err, fetch.ErrForbidden):
		r.Saw = err.Error() + "; where it is the house's own, name the host in fetch.open_hosts"
	case errors.As(err, &unknown):
		r.Saw = unknown.Reason
	default:
		r.Saw = err.Error()
	}
}

// walled: the publisher does not want to be looked at, so nothing else is tried.
func (r *Report) walled(err error) bool {
	var blocked *BlockedError
	var status *fetch.StatusError
	return errors.As(err, &blocked) || errors.Is(err, fetch.ErrRobots) || errors.Is(err, fetch.ErrForbidden) ||
		errors.As(err, &status) && (status.Code == 429 || status.Code >= 500)
}

// hops tells where the address leads.
func (r *Report) hops(at string) {
	a, b := mustParse(at), mustParse(r.Landed)
	switch {
	case a.Scheme == "http" && b.Scheme == "https" && hostOf(a) == hostOf(b):
		r.warn("the site answers by https: write the address so")
	case hostOf(a) != hostOf(b):
		r.warn("the site redirects to another host, %s", b.Host)
	case identity(at) != identity(r.Landed):
		r.warn("the address redirects to %s", r.Landed)
	}
}

// elsewhere looks at what an unknown site leads to: its feeds, sitemaps and the
// usual names of a paper's entry.
func elsewhere(ctx context.Context, g *recorder, s Source, w Want) (Found, string, bool) {
	base := mustParse(s.URL)
	var list []string
	add := func(ref string) {
		if u := resolve(base, ref); u != nil && len(list) < maxElsewhere && identity(u.String()) != identity(s.URL) {
			for _, old := range list {
				if old == u.String() {
					return
				}
			}
			list = append(list, u.String())
		}
	}
	if d, err := get(ctx, g, s.URL, "", false); err == nil {
		base = d.base
		if d.root != nil {
			d.dom.Find(`link[rel="alternate"]`).EachWithBreak(func(i int, sel *selection) bool {
				if t := strings.ToLower(attr(sel.Nodes[0], "type")); strings.Contains(t, "rss") || strings.Contains(t, "atom") || strings.Contains(t, "feed+json") {
					add(attr(sel.Nodes[0], "href"))
				}
				return i < 20
			})
		}
		base = d.url
	}
	for _, name := range []string{"paperindex.htm", "index.htm", "/sitemap-news.xml", "/sitemap.xml"} {
		add(name)
	}
	for _, u := range list {
		if ctx.Err() != nil {
			break
		}
		s.URL = u
		if f, err := Find(ctx, g, s, w); err == nil && len(f.Editions) > 0 && len(f.Editions[len(f.Editions)-1].Refs) > 0 {
			return f, u, true
		}
	}
	return Found{}, "", false
}

// undated finds the entry above an edition's own address.
func undated(ctx context.Context, g *recorder, s Source, w Want, f Found) (string, bool) {
	u := mustParse(s.URL)
	sh, ok := shapeOf(u)
	if !ok || sh.kind == other {
		return "", false
	}
	_, prefix, _ := strings.Cut(sh.prefix, "/")
	// The path as written: prefixes are compared in lower case.
	dir := u.Path[:min(len(u.Path), len(prefix)+1)]
	up := path.Dir(strings.TrimSuffix(dir, "/"))
	for _, at := range []string{dir + "index.html", dir, strings.TrimSuffix(up, "/") + "/paperindex.htm", strings.TrimSuffix(up, "/") + "/"} {
		c := *u
		c.Path, c.RawPath, c.RawQuery, c.Fragment = at, "", "", ""
		s.URL = c.String()
		if g, err := Find(ctx, g, s, w); err == nil && g.Platform == f.Platform && len(g.Editions) > 0 && g.Editions[0].Day >= f.Editions[0].Day {
			return s.URL, true
		}
	}
	return "", false
}

// judge warns of what an operator would want to know about an edition.
func (r *Report) judge(ctx context.Context, g *recorder, s Source, today paper.Day) {
	e := &r.Edition
	if e.Partial {
		r.warn("the edition cannot be read whole: %s", e.Problem)
	}
	if len(e.Refs) == 0 {
		r.warn("no article is listed")
	}
	if e.Day != "" {
		if e.Day < today.Add(-7) {
			r.warn("the newest edition is of %s: the paper may have moved or ended", e.Day)
		}
		with, unnamed := map[string]bool{}, 0
		for _, ref := range e.Refs {
			with[ref.Page.Number] = true
		}
		empty := 0
		for _, p := range e.Pages {
			if p.Name == "" {
				unnamed++
			}
			if !with[p.Number] {
				empty++
			}
		}
		if unnamed > 0 {
			r.warn("%d of %d pages have no name, so sections cannot follow from it", unnamed, len(e.Pages))
		}
		if empty > 0 {
			r.warn("%d of %d pages list no article", empty, len(e.Pages))
		}
	}
	if r.Platform == "founder" && len(e.Pages) > 0 {
		b := &builder{g: g, s: s, platform: r.Platform, front: e.Pages[0].URL, newest: e.Day}
		if len(b.calendar(ctx, e.Day)) == 0 {
			r.warn("no calendar (period.xml): gaps and holidays are found by trying the days")
		}
	}
}

// sample reads the first article that can be read.
func (r *Report) sample(ctx context.Context, g *recorder, s Source) error {
	var last error
	for _, ref := range r.Edition.Refs[:min(len(r.Edition.Refs), 3)] {
		p, err := Read(ctx, g, s, ref)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			last = err
			continue
		}
		r.Article = &p
		if p.Body != "" {
			break
		}
	}
	var blocked *BlockedError
	switch {
	case errors.As(last, &blocked) && r.Article == nil:
		r.warn("articles stand behind a wall: %s", blocked.Reason)
	case r.Article == nil && last != nil:
		r.warn("no article could be read: %v", last)
	case r.Article != nil && r.Article.Body == "":
		r.warn("the articles looked at have no text: a paper of pictures, or a body that rules must name")
	}
	if r.Platform == "feed" && r.Article != nil && utf8.RuneCountInString(plain(r.Article.Body)) < 200 {
		r.warn("the feed's text is short: full_text: true has it fetched from the articles' pages")
	}
	return nil
}

var (
	safeName    = regexp.MustCompile(`^[\p{Han}][\p{Han}A-Za-z0-9·]*$`)
	keyLike     = regexp.MustCompile(`^[a-z][a-z0-9]{1,23}$`)
	genericName = regexp.MustCompile(`^(?:html?|shtml|pc|layout|content|index|paperindex|epaper|paper|papers|szb|szbz|newspaper|www|web|site|col|column|node|sitemap|rss|feed|atom|feeds|news|app|api|digital|media|m|wap|page|com|cn|net|org|gov|edu|v\d+)$`)
)

// config proposes the lines to paste under sources: at most five.
func (r *Report) config(s Source, city func(string) string) {
	name := r.Name
	if name == "" && r.Article != nil {
		name = r.Article.Agency
	}
	written := name
	switch {
	case name == "":
		written = `"" # the paper's name`
	case !safeName.MatchString(name):
		written = strconv.Quote(name)
	}
	code := ""
	if city != nil && name != "" {
		code = city(name)
	}
	r.Lines = []string{"- key: " + keyOf(mustParse(s.URL)), "  name: " + written, "  url: " + strconv.Quote(s.URL)}
	if code != "" {
		r.Lines = append(r.Lines, "  city: "+strconv.Quote(code))
	} else {
		r.Lines = append(r.Lines, `  # city: "410800"   the code of the city whose districts are meant`)
	}
}

// keyOf guesses a key: what names the paper in the path, else in the host.
func keyOf(u *url.URL) string {
	parts := strings.Split(strings.ToLower(u.Path), "/")
	for i := len(parts) - 1; i >= 0; i-- {
		p := strings.TrimSuffix(parts[i], path.Ext(parts[i]))
		if i == len(parts)-1 && path.Ext(parts[i]) == "" && p != "" {
			p = parts[i]
		}
		p = strings.NewReplacer("-", "", "_", "").Replace(p)
		if keyLike.MatchString(p) && !genericName.MatchString(p) {
			return p
		}
	}
	labels := strings.Split(strings.ToLower(u.Hostname()), ".")
	for _, l := range labels {
		l = strings.ReplaceAll(l, "-", "")
		if keyLike.MatchString(l) && !genericName.MatchString(l) {
			return l
		}
	}
	return "paper"
}
