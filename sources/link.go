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
	pad        bool // it lies in the telephone's or tablet's edition
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
	// joyhua: 20240822/html/page_01.htm beside content_7_1.htm.
	joyhuaPage = regexp.MustCompile(`(?i)^page_([a-z]{0,2}\d{1,3})\.s?html?$`)
	// PaperIndex: Page01BC.htm, Articel01002MT.htm (spelt so); the two letters at
	// the end are the skin's and change from one edition to the next.
	paperIndexPage    = regexp.MustCompile(`(?i)^page([a-z]{0,2}\d{2,4})(?:[a-z]{2})?\.s?html?$`)
	paperIndexArticle = regexp.MustCompile(`(?i)^artic(?:el|le)([a-z]{0,2}\d{2}|\d{4})(\d{3})(?:[a-z]{2})?\.s?html?$`)

	nwFile = regexp.MustCompile(`(?i)^nw\.d\d+[a-z]+\d*_(\d{8})_(\d+)-([a-z]{0,3}\d+)\.s?html?$`)

	// The telephone and tablet editions of the same pages.
	padPath = regexp.MustCompile(`(?i)/(?:i?pad|mb|mobile|wap|phone|h5|m|app|padphone)/`)
)

// shapeOf reads the shape of an absolute URL.
func shapeOf(u *url.URL) (shape, bool) { return shapeIn(u, readDir) }

// shapeIn is shapeOf for one who remembers what directories tell.
func shapeIn(u *url.URL, dirOf func(*url.URL, string) directory) (shape, bool) {
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
	in := dirOf(u, u.Path[:slash+1])
	if in.day == "" {
		return shape{}, false
	}
	f := u.Path[slash+1:]
	s := shape{platform: "founder", day: in.day, prefix: in.prefix, root: in.root, file: f, pad: in.pad}
	var m []string
	is := func(re *regexp.Regexp) bool {
		m = re.FindStringSubmatch(f)
		return m != nil
	}
	switch {
	case c == 'n' && is(nodeFile):
		s.kind = indexPage
		if !in.classic {
			s.number = m[1]
		}
		if s.number == "" {
			s.number = in.number
		}
	case (c == 'c' || c == 'l') && is(columnFile):
		s.kind, s.number = indexPage, m[1]
	case c == 'n' && is(nbsFile):
		s.kind, s.number = indexPage, m[1]
	case (c == 'c' || c == 'a') && is(contentFile):
		s.kind, s.id = articlePage, m[1]
	case c == 'c' && is(cFile):
		s.kind, s.id = articlePage, m[1]
	case c == 'p' && !in.classic && in.html && is(joyhuaPage):
		s.kind, s.number = indexPage, m[1]
	case c == 'p' && !in.classic && is(paperIndexPage):
		s.platform, s.kind, s.number = "paperindex", indexPage, m[1]
	case c == 'a' && !in.classic && is(paperIndexArticle):
		s.platform, s.kind, s.id, s.positional, s.number = "paperindex", articlePage, m[1]+m[2], true, m[1]
	case c == 'n' && is(nwFile):
		s.kind, s.id, s.positional, s.number = articlePage, m[2]+"-"+m[3], true, m[3]
		if s.day.Compact() != m[1] {
			return shape{}, false
		}
	default:
		return shape{}, false
	}
	return s, true
}

// directory is what the directories of a URL tell.
type directory struct {
	day     paper.Day // empty where they tell none
	prefix  string
	root    string
	number  string // the last directory where it is a page number
	pad     bool   // see padPath
	html    bool   // they end in 20240822/html/
	classic bool   // 2017-09/07: N of node_N is a node id and tells nothing; in the new form node_A01 is page A01
}

// readDir reads the directories of a URL, up to and with the last slash.
func readDir(u *url.URL, dir string) directory {
	m := datedPath.FindStringSubmatch(dir + "x")
	if m == nil {
		return directory{}
	}
	day, err := paper.ParseDay(m[2] + m[4] + m[5])
	if err != nil {
		return directory{}
	}
	prefix := strings.ToLower(m[1])
	in := directory{day: day, prefix: hostOf(u) + prefix, classic: m[3] != "", pad: padPath.MatchString(dir)}
	in.root = hostOf(u) + path.Dir(strings.TrimSuffix(prefix, "/"))
	if !strings.HasSuffix(in.root, "/") {
		in.root += "/"
	}
	in.html = m[6] == "html/"
	if m[6] != "" {
		in.number = lastDir(m[6])
	}
	return in
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
	if u.RawQuery == "" && u.RawPath == "" && u.Opaque == "" && len(u.Path) > 1 && plainPath(u.Path) && lowerHost(u.Host) && (u.Scheme == "http" || u.Scheme == "https") {
		return u.Scheme + "://" + u.Host + u.Path // what follows would say, as mostly
	}
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

// plainPath reports whether a path is absolute and means itself: nothing in it is
// escaped or to be escaped, and no segment is empty or begins with a dot.
func plainPath(p string) bool {
	if p == "" || p[0] != '/' {
		return false
	}
	for i := range len(p) {
		switch c := p[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-':
		case c == '/', c == '.':
			if i > 0 && p[i-1] == '/' {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// lowerHost reports whether a host is written in lower-case ASCII, as mostly.
func lowerHost(h string) bool {
	for i := range len(h) {
		if c := h[i]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == ':') {
			return false
		}
	}
	return h != ""
}

// plainDir is the directory of a plain http(s) URL, else empty.
func plainDir(u *url.URL) string {
	if u.RawPath != "" || u.Opaque != "" || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || !plainPath(u.Path) {
		return ""
	}
	return u.Path[:strings.LastIndexByte(u.Path, '/')+1]
}

// resolve is [resolve] within the document. A page has some hundred links, nearly
// all of the form node_2.htm or ../../../page/1/x.pdf: these need no parser.
func (d *document) resolve(href string) *url.URL {
	href = strings.TrimSpace(href)
	if d.dir == "" || href == "" || len(href) > 2000 {
		return resolve(d.base, href)
	}
	dir, rest := d.dir, href
	if rest[0] == '/' {
		dir, rest = "/", rest[1:]
	} else {
		for {
			if r, ok := strings.CutPrefix(rest, "./"); ok {
				rest = r
			} else if r, ok := strings.CutPrefix(rest, "../"); ok {
				rest, dir = r, dir[:strings.LastIndexByte(dir[:max(len(dir)-1, 1)], '/')+1]
			} else {
				break
			}
		}
	}
	at := dir + rest
	if rest == "" || rest[0] == '/' || !plainPath(at) {
		return resolve(d.base, href)
	}
	return &url.URL{Scheme: d.base.Scheme, User: d.base.User, Host: d.base.Host, Path: at}
}

// link is a reference of a document as read.
type link struct {
	u   *url.URL // nil where it is none that can be fetched
	sh  shape
	ok  bool   // it has a shape; only then:
	at  string // its canonical form
	key string // its identity
}

// link reads a reference, once: the readers of a page ask for the same ones
// again and again.
func (d *document) link(href string) *link {
	if l := d.links[href]; l != nil {
		return l
	}
	l := &link{u: d.resolve(href)}
	if l.u != nil {
		if l.sh, l.ok = d.shapeOf(l.u); l.ok {
			// One scheme for the publisher's own host: http and https are one.
			if u := l.u; (u.Scheme != d.url.Scheme || u.Host != d.url.Host) && hostOf(u) == hostOf(d.url) {
				c := *u
				c.Scheme, c.Host = d.url.Scheme, d.url.Host
				l.u = &c
			}
			l.at = canonical(l.u)
			l.key = identity(l.at)
		}
	}
	if d.links == nil {
		d.links = map[string]*link{}
	}
	if len(d.links) < 8*maxArticles {
		d.links[href] = l
	}
	return l
}

// isPage reports whether a link leads to a page of an edition.
func (l *link) isPage() bool { return l.ok && l.sh.kind == indexPage }

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
