package sources

import (
	"net/url"
	"path"
	"regexp"
	"strings"

	"paperwire/internal/paper"
)

// What a URL's shape says it leads to.
type kind byte

const (
	other kind = iota
	indexPage
	articlePage
)

// shape is what the path of a URL tells, whatever the skin.
type shape struct {
	kind     kind
	platform string // whose form it is
	day      paper.Day
	prefix   string // host and path before the date directory, lower case
	root     string // prefix without its last directory: /pc/layout/ and /pc/content/ share /pc/
	file     string
	id       string // origin id of an article
	number   string // page number where the URL tells it; of an article its page
	// positional: the id is page and place (nw.D…_1-01), not a key.
	positional bool
	ruled      bool // by the source's own rules
}

var (
	// html/2017-09/07/…, layout/202408/30/…, 2024-09-07/…, 20240907/…; at most two
	// directories between the date and the file (html/cqrb/2023-01/01/001/node.htm).
	datedPath = regexp.MustCompile(`^(.*/)((?:19|20)\d{2})([-/]?)(\d{2})[-/]?(\d{2})/((?:[^/]+/){0,2}?)([^/]+)$`)

	nodeFile    = regexp.MustCompile(`(?i)^node(?:_([a-z0-9]+))?\.s?html?$`)
	columnFile  = regexp.MustCompile(`(?i)^(?:col|layout)_?([a-z]{0,2}\d{1,4})\.s?html?$`)
	nbsFile     = regexp.MustCompile(`(?i)^nbs\.d\d+[a-z]+\d*_([a-z]{0,3}\d+)\.s?html?$`)
	contentFile = regexp.MustCompile(`(?i)^(?:content|con|article|art)_((?:[a-z]+_)?\d+(?:_\d+)*)\.s?html?$`)
	cFile       = regexp.MustCompile(`(?i)^c(\d{2,})\.s?html?$`)
	// PaperIndex: Page01BC.htm, Articel01002MT.htm (spelt so); the two letters at
	// the end are the skin's and change from one edition to the next.
	paperIndexPage    = regexp.MustCompile(`(?i)^page([a-z]{0,2}\d{2,4})(?:[a-z]{2})?\.s?html?$`)
	paperIndexArticle = regexp.MustCompile(`(?i)^artic(?:el|le)([a-z]{0,2}\d{2}|\d{4})(\d{3})(?:[a-z]{2})?\.s?html?$`)

	nwFile = regexp.MustCompile(`(?i)^nw\.d\d+[a-z]+\d*_(\d{8})_(\d+)-([a-z]{0,3}\d+)\.s?html?$`)

	// The telephone and tablet editions of the same pages.
	padPath = regexp.MustCompile(`(?i)/(?:i?pad|mb|mobile|wap|phone|h5|m|app|padphone)/`)
)

// shapeOf reads the shape of an absolute URL.
func shapeOf(u *url.URL) (shape, bool) {
	if dot := strings.LastIndexByte(u.Path, '.'); dot < 0 || !strings.Contains(strings.ToLower(u.Path[dot:]), "htm") {
		return shape{}, false
	}
	// The first letter of the file spares most links every expression.
	slash := strings.LastIndexByte(u.Path, '/')
	if slash < 0 || slash+1 == len(u.Path) {
		return shape{}, false
	}
	c := u.Path[slash+1] | 0x20
	if c != 'n' && c != 'c' && c != 'l' && c != 'a' && c != 'p' {
		return shape{}, false
	}
	m := datedPath.FindStringSubmatch(u.Path)
	if m == nil {
		return shape{}, false
	}
	day, err := paper.ParseDay(m[2] + m[4] + m[5])
	if err != nil {
		return shape{}, false
	}
	prefix := strings.ToLower(m[1])
	s := shape{platform: "founder", day: day, prefix: hostOf(u) + prefix, file: m[7]}
	s.root = hostOf(u) + path.Dir(strings.TrimSuffix(prefix, "/"))
	if !strings.HasSuffix(s.root, "/") {
		s.root += "/"
	}
	f := m[7]
	// In the new form node_A01 is page A01; in the classic one (2017-09/07) N is
	// a node id and tells nothing.
	classic := m[3] != ""
	switch {
	case c == 'n' && nodeFile.MatchString(f):
		s.kind = indexPage
		if !classic {
			s.number = nodeFile.FindStringSubmatch(f)[1]
		}
		if m[6] != "" && s.number == "" {
			s.number = lastDir(m[6])
		}
	case (c == 'c' || c == 'l') && columnFile.MatchString(f):
		s.kind, s.number = indexPage, columnFile.FindStringSubmatch(f)[1]
	case c == 'n' && nbsFile.MatchString(f):
		s.kind, s.number = indexPage, nbsFile.FindStringSubmatch(f)[1]
	case (c == 'c' || c == 'a') && contentFile.MatchString(f):
		s.kind, s.id = articlePage, contentFile.FindStringSubmatch(f)[1]
	case c == 'c' && cFile.MatchString(f):
		s.kind, s.id = articlePage, cFile.FindStringSubmatch(f)[1]
	case c == 'p' && !classic && paperIndexPage.MatchString(f):
		s.platform, s.kind, s.number = "paperindex", indexPage, paperIndexPage.FindStringSubmatch(f)[1]
	case c == 'a' && !classic && paperIndexArticle.MatchString(f):
		n := paperIndexArticle.FindStringSubmatch(f)
		s.platform, s.kind, s.id, s.positional, s.number = "paperindex", articlePage, n[1]+n[2], true, n[1]
	case c == 'n' && nwFile.MatchString(f):
		n := nwFile.FindStringSubmatch(f)
		s.kind, s.id, s.positional, s.number = articlePage, n[2]+"-"+n[3], true, n[3]
		if s.day.Compact() != n[1] {
			return shape{}, false
		}
	default:
		return shape{}, false
	}
	return s, true
}

// lastDir is the last directory before the file where it is a page number.
func lastDir(dirs string) string {
	d := path.Base(strings.TrimSuffix(dirs, "/"))
	if len(d) <= 4 && strings.Trim(strings.TrimLeft(strings.ToUpper(d), "ABCDEFGHIJKLMNOPQRSTUVWXYZ"), "0123456789") == "" && strings.ContainsAny(d, "0123456789") {
		return d
	}
	return ""
}

// hostOf is the host for comparing: lower case, without the default port.
func hostOf(u *url.URL) string {
	h := strings.ToLower(u.Host)
	h = strings.TrimSuffix(h, ":80")
	return strings.TrimSuffix(h, ":443")
}

// canonical is the one form of a publisher's URL: absolute, dot segments
// resolved, without fragment and query (?div=-1, sessions). Of a page that a
// program makes (show.aspx?id=7) the query stays, but for sessions and clocks.
func canonical(u *url.URL) string {
	c := *u
	if c.RawQuery != "" && dynamicFile.MatchString(c.Path) {
		c.RawQuery = steadyQuery(c.RawQuery)
	} else {
		c.RawQuery = ""
	}
	c.Fragment, c.RawFragment, c.ForceQuery = "", "", false
	c.Scheme, c.Host, c.User = strings.ToLower(c.Scheme), strings.ToLower(c.Host), nil
	if strings.Contains(c.Path, "//") {
		c.Path, c.RawPath = collapseSlashes(c.Path), ""
	}
	return c.String()
}

var (
	dynamicFile  = regexp.MustCompile(`(?i)\.(?:aspx?|php|jsp|do|action|ashx|cgi)$`)
	sessionParam = regexp.MustCompile(`(?i)^(?:(?:jsessionid|phpsessid|asp\.net_sessionid|session_?id|div|utm_[a-z]+|spm)=|(?:rnd|rand|random|timestamp|time|t|_)=(?:\d{9,}|0?\.\d+)$|(?:rnd|rand|random|_)=)`)
)

// steadyQuery is a query without sessions and clocks, in its own order.
func steadyQuery(q string) string {
	keep := strings.Split(q, "&")[:0]
	for _, p := range strings.Split(q, "&") {
		if p != "" && !sessionParam.MatchString(p) {
			keep = append(keep, p)
		}
	}
	return strings.Join(keep, "&")
}

func collapseSlashes(p string) string {
	for strings.Contains(p, "//") {
		p = strings.ReplaceAll(p, "//", "/")
	}
	return p
}

// skinSuffix are the two letters that PaperIndex hangs on every file of a skin.
var skinSuffix = regexp.MustCompile(`(?i)(/(?:page|artic(?:el|le))[a-z]{0,2}\d{2,7})[a-z]{2}(\.s?html?)$`)

// identity is what two URLs of one document share: http and https are one, and
// so are the skins of a PaperIndex page (Page01BC.htm, Page01NU.htm).
func identity(u string) string {
	if _, rest, ok := strings.Cut(u, "://"); ok {
		u = rest
	}
	host, rest, _ := strings.Cut(u, "/")
	host = strings.TrimSuffix(strings.TrimSuffix(host, ":80"), ":443")
	if i := strings.LastIndexByte(u, '/'); i >= 0 && i+3 < len(u) && (u[i+1]|0x20 == 'p' || u[i+1]|0x20 == 'a') {
		rest = skinSuffix.ReplaceAllString("/"+rest, "$1$2")[1:]
	}
	return host + "/" + rest
}

// resolve makes a link absolute; nil where it is none that can be fetched.
func resolve(base *url.URL, href string) *url.URL {
	href = strings.TrimSpace(href)
	if href == "" || href[0] == '#' || len(href) > 2000 {
		return nil
	}
	// Windows publishers write ..\..\res\1.jpg.
	if strings.Contains(href, `\`) && !strings.ContainsAny(href, "?#") {
		href = strings.ReplaceAll(href, `\`, "/")
	}
	u, err := base.Parse(href)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	return u
}
