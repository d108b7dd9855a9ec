package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"paperwire/internal/paper"
	"paperwire/syndicate/card"
)

//go:embed templates assets
var files embed.FS

// page is what every template gets; Body is what its own template shows.
type page struct {
	locale
	site *Site
	r    *http.Request

	Title       string // of the document; the site's title is added
	TitleLang   string // where the title is not in the language of the page
	Description string
	Canonical   string // absolute
	Alternates  []alternate
	Prev, Next  string // rel=prev, rel=next; hrefs
	Meta        []card.Meta
	JSONLD      template.JS // a data block, which the CSP's script-src does not concern
	NoIndex     bool
	Body        any

	caching string // Cache-Control where it is not the usual one
}

// alternate is one <link rel=alternate>.
type alternate struct{ Type, Title, Href string }

// views are the templates of one locale, by the name of their file.
type views map[string]*template.Template

// usualCaching lets a CDN hold a page for a minute: a correction or withdrawal
// shows within that time, an operator's mistake does not stay.
const usualCaching = "public, max-age=60"

func parseViews() map[locale]views {
	paths, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		panic(err)
	}
	all := make(map[locale]views)
	for _, l := range []locale{{chinese, false}, {chinese, true}, {english, false}, {english, true}} {
		base := template.Must(template.New("base.html").Funcs(l.funcs()).ParseFS(files, "templates/base.html", "templates/parts.html"))
		all[l] = make(views)
		for _, path := range paths {
			name := strings.TrimSuffix(strings.TrimPrefix(path, "templates/"), ".html")
			if name != "base" && name != "parts" {
				all[l][name] = template.Must(template.Must(base.Clone()).ParseFS(files, path))
			}
		}
	}
	return all
}

// funcs are the functions of the templates, bound to a language.
func (l locale) funcs() template.FuncMap {
	return template.FuncMap{
		"t":        l.rich,
		"plain":    l.plain,
		"name":     l.name,
		"href":     l.href,
		"lang":     l.langOf,
		"langattr": l.langAttr,
		"link": func(href, text string) template.HTML {
			return template.HTML(`<a href="` + template.HTMLEscapeString(href) + `">` + template.HTMLEscapeString(text) + `</a>`)
		},
		"editionpath": func(key string, day paper.Day) string { return editionPath(key, day, "") },
		"iso":         isoDay,
		"day":         l.longDay,
		"css":         func() string { return "/assets/" + assetNames["paper.css"] },
		"js":          func() string { return "/assets/" + assetNames["paper.js"] },
		"deskcss":     func() string { return "/assets/" + assetNames["desk.css"] },
	}
}

// href is a link within the site that keeps the language the reader chose.
func (l locale) href(path string) string {
	if !l.chosen {
		return path
	}
	fragment := ""
	if i := strings.IndexByte(path, '#'); i >= 0 {
		path, fragment = path[:i], path[i:]
	}
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	return path + sep + "lang=" + l.lang + fragment
}

// langOf is the language of a text in the data: what its source says, but Han
// characters are Chinese whatever an English feed says of itself.
func (l locale) langOf(tag, text string) string {
	if hasHan(text) && !strings.HasPrefix(tag, "zh") && !strings.HasPrefix(tag, "ja") {
		return chinese
	}
	return tag
}

// langAttr is the attribute that names a language where it is not the page's.
func (l locale) langAttr(tag string) template.HTMLAttr {
	bad := func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}
	if tag == "" || tag == l.lang || len(tag) > 35 || strings.ContainsFunc(tag, bad) {
		return ""
	}
	return template.HTMLAttr(` lang="` + tag + `"`)
}

// isoDay writes an edition's day for lists and quiet lines.
func isoDay(d paper.Day) template.HTML {
	s := template.HTMLEscapeString(string(d))
	return template.HTML(`<time datetime="` + s + `">` + s + `</time>`)
}

// longDay writes an edition's day with its weekday, for mastheads.
func (l locale) longDay(d paper.Day) template.HTML {
	return template.HTML(`<time datetime="` + template.HTMLEscapeString(string(d)) + `">` + template.HTMLEscapeString(l.longDayText(d)) + `</time>`)
}

// date writes an edition's day for sentences, without its weekday.
func (l locale) date(d paper.Day) template.HTML {
	text := string(d)
	if t := d.In(time.UTC); !t.IsZero() {
		text = t.Format("2006年1月2日")
		if l.lang == english {
			text = t.Format("2 January 2006")
		}
	}
	return template.HTML(`<time datetime="` + template.HTMLEscapeString(string(d)) + `">` + template.HTMLEscapeString(text) + `</time>`)
}

func (l locale) longDayText(d paper.Day) string {
	t := d.In(time.UTC)
	if t.IsZero() {
		return string(d)
	}
	if l.lang == english {
		return t.Format("Monday, 2 January 2006")
	}
	return t.Format("2006年1月2日 星期") + [...]string{"日", "一", "二", "三", "四", "五", "六"}[t.Weekday()]
}

// instant writes an instant as absolute text in a zone; the offset stands
// beside it where a reader of the page would not take it for granted.
func (l locale) instant(t time.Time, zone *time.Location) template.HTML {
	if t.IsZero() {
		return ""
	}
	t = t.In(zone)
	text := `<span class="d">` + t.Format("2006-01-02") + `</span> ` + t.Format("15:04")
	if _, offset := t.Zone(); l.lang == english || offset != 8*60*60 {
		text += t.Format(" -07:00")
	}
	return template.HTML(`<time datetime="` + t.Format(time.RFC3339) + `">` + text + `</time>`)
}

// page starts the page of a request. Its canonical address is the path alone.
func (s *Site) page(r *http.Request, title string, args ...any) *page {
	l := localeOf(r)
	return &page{
		locale: l, site: s, r: r,
		Title:     l.plain(title, args...),
		Canonical: s.opts.Base + (&url.URL{Path: r.URL.Path}).EscapedPath(),
	}
}

// SiteTitle is the name of this installation.
func (p *page) SiteTitle() string { return p.site.opts.SiteTitle }

// Footer is the operator's line below every page.
func (p *page) Footer() string { return p.site.opts.Footer }

// Wechat reports whether WeChat may share the page as a card.
func (p *page) Wechat() bool {
	_, gone := p.Body.(goneBody)
	return p.site.opts.Wechat && !p.NoIndex && !gone
}

// WechatCard is the path of the article's card document; empty on other pages.
func (p *page) WechatCard() string {
	if b, ok := p.Body.(articleBody); ok {
		return "/a/" + b.Item.ID + "/card.json"
	}
	return ""
}

// Lang is the language of the page.
func (p *page) Lang() string { return p.lang }

// Other is the same page in the other language, with its own parameters kept.
func (p *page) Other() string {
	q := p.r.URL.Query()
	q.Set("lang", p.OtherLang())
	return "?" + q.Encode()
}

// OtherLang is the language the page is not in.
func (p *page) OtherLang() string {
	if p.lang == english {
		return chinese
	}
	return english
}

// Here reports whether the page is at a path, for aria-current.
func (p *page) Here(path string) bool { return p.r.URL.Path == path }

// write renders a page, sets its headers and answers a conditional request.
func (s *Site) write(w http.ResponseWriter, r *http.Request, status int, view string, p *page) {
	var b bytes.Buffer
	if err := s.views[p.locale][view].ExecuteTemplate(&b, "base.html", p); err != nil {
		s.opts.Log.Error("render page", "view", view, "url", r.URL.Path, "error", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	// html/template writes + as &#43;, for browsers that once guessed UTF-7. Some
	// readers look for application/rss+xml with a regular expression and see no
	// feed. What a text itself writes as &#43; stands as &amp;#43; and is not met.
	text := bytes.ReplaceAll(b.Bytes(), []byte("&#43;"), []byte("+"))
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", p.lang)
	h.Add("Vary", "Accept-Language")
	secure(h)
	if p.Wechat() {
		// The script asks us for two documents and loads WeChat's own, in WeChat only.
		h.Set("Content-Security-Policy", strings.Replace(policy, "script-src 'self'", "script-src 'self' https://res.wx.qq.com; connect-src 'self'", 1))
	}
	switch {
	case h.Get("Cache-Control") == "no-store": // what is behind a key, whatever became of it
	case p.caching != "":
		h.Set("Cache-Control", p.caching)
	case status >= http.StatusInternalServerError:
		h.Set("Cache-Control", "no-store")
	default:
		h.Set("Cache-Control", usualCaching)
	}
	if status == http.StatusOK {
		// ServeContent answers If-None-Match (304) and HEAD.
		sum := sha256.Sum256(text)
		h.Set("ETag", `W/"`+hex.EncodeToString(sum[:12])+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
		return
	}
	h.Set("Content-Length", fmt.Sprint(len(text)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(text) // the client is gone; nothing to do
	}
}

const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' https: http:; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// secure sets the headers that keep a page to itself. Pictures may come from
// the publishers, over http too: many of them have nothing else.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
}

// fail answers an error of the store: what is unknown becomes a 404, everything
// else is named in the log and a plain 500 outside.
func (s *Site) fail(w http.ResponseWriter, r *http.Request, doing string, err error) {
	switch {
	case errors.Is(err, paper.ErrNotFound):
		s.NotFound(w, r)
	case r.Context().Err() != nil:
		// The reader has left; there is nobody to answer and nothing is wrong.
	default:
		s.opts.Log.Error(doing, "url", r.URL.Path, "error", err)
		s.Error(w, r, http.StatusInternalServerError, "")
	}
}

// assetNames maps the names of the embedded files to names that hold a hash of
// their content, so that they can be kept for ever.
var assetNames = func() map[string]string {
	names := make(map[string]string)
	for _, name := range []string{"paper.css", "paper.js", "desk.css"} {
		data, err := files.ReadFile("assets/" + name)
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(data)
		stem, ext, _ := strings.Cut(name, ".")
		names[name] = stem + "-" + hex.EncodeToString(sum[:4]) + "." + ext
	}
	return names
}()

func (s *Site) asset(w http.ResponseWriter, r *http.Request) {
	for name, hashed := range assetNames {
		if r.PathValue("name") == hashed {
			s.file(w, r, name, "public, max-age=31536000, immutable")
			return
		}
	}
	s.NotFound(w, r)
}

func (s *Site) favicon(w http.ResponseWriter, r *http.Request) {
	s.file(w, r, "favicon.ico", "public, max-age=604800")
}

// icon is the same in the size that search engines and home screens want.
func (s *Site) icon(w http.ResponseWriter, r *http.Request) {
	s.file(w, r, "icon.png", "public, max-age=604800")
}

func (s *Site) file(w http.ResponseWriter, r *http.Request, name, caching string) {
	data, err := files.ReadFile("assets/" + name)
	if err != nil {
		s.fail(w, r, "read asset", err)
		return
	}
	sum := sha256.Sum256(data)
	h := w.Header()
	h.Set("Content-Type", map[string]string{
		"paper.css": "text/css; charset=utf-8", "desk.css": "text/css; charset=utf-8", "paper.js": "text/javascript; charset=utf-8", "favicon.ico": "image/x-icon", "icon.png": "image/png",
	}[name])
	h.Set("Cache-Control", caching)
	h.Set("ETag", `W/"`+hex.EncodeToString(sum[:12])+`"`)
	secure(h)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}
