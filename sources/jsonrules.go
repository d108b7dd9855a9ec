package sources

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"paperwire/internal/fetch"
	"paperwire/internal/paper"
)

// Platform json reads newspapers whose pages are drawn by script from a JSON API
// or a data.js: each has a shape of its own, so rules say where things stand.
func init() {
	register(platform{
		info: Info{
			Name:  "json",
			About: "JSON APIs and data.js behind pages drawn by script, by rules",
			Needs: "`json`: paths and templates, at most 15 lines",
			Shapes: []string{
				"html/2024/20240822/data.json", "list.do", "getPage.do?page=1&code=20240822", "index.json", "data.js", "api/getLayouts?sid=1&cid=2&date=20240822",
			},
		},
		direct: true,
		sniff:  func(Source, *document) bool { return false },
		find:   findJSON,
		read:   readJSON,
		parse:  parseJSON,
	})
}

// ---- documents

// Caps of a JSON document.
const (
	maxJSON       = 8 << 20 // bytes
	maxJSONValues = 300_000 // members and elements
	maxPathValues = 20_000  // what one path may lead to
	maxNested     = 3       // JSON in text in JSON
)

var (
	scriptValue = regexp.MustCompile(`[=(]\s*[\[{]`)
	plainNumber = regexp.MustCompile(`^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$`)
)

// jsonValue decodes the first list or object of a document: JSON, a callback's
// argument, or the literal that a script gives to a variable.
func jsonValue(body []byte, variable string) (any, error) {
	body = bytes.TrimLeft(body, "\ufeff \t\r\n;")
	switch {
	case len(body) == 0:
		return nil, errors.New("empty, where JSON was expected")
	case len(body) > maxJSON:
		return nil, fmt.Errorf("more than %d bytes of JSON", maxJSON)
	case body[0] == '<':
		return nil, errors.New("markup, where JSON was expected")
	case body[0] == '{' || body[0] == '[':
	case variable != "":
		// Only so much of a script is looked at as cannot be costly.
		m := regexp.MustCompile(`(?:^|[^\w$.])(?:window\.)?` + regexp.QuoteMeta(variable) + `\s*[=:(]\s*[\[{]`).FindIndex(body)
		if m == nil {
			return nil, fmt.Errorf("variable %q is given no list or object", variable)
		}
		body = body[m[1]-1:]
	default:
		m := scriptValue.FindIndex(body)
		if m == nil {
			return nil, errors.New("no list or object in it")
		}
		body = body[m[1]-1:]
	}
	strict, err := strictJSON(body)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(strict))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("bad JSON: %w", err)
	}
	return v, nil
}

// strictJSON writes the JavaScript literal at the start of in as JSON: names and
// single quotes as in data.js, comments, trailing commas, leading zeros and raw
// line ends in text are mended. What follows the literal is not looked at.
func strictJSON(in []byte) ([]byte, error) {
	out := make([]byte, 0, len(in)+64)
	var open []byte
	values := 0
	last := func() byte {
		if len(out) == 0 {
			return 0
		}
		return out[len(out)-1]
	}
	for i := 0; i < len(in); {
		c := in[i]
		switch {
		case space(c):
			i++
		case c == '{' || c == '[':
			if len(open) >= maxDepth {
				return nil, fmt.Errorf("more than %d values within each other", maxDepth)
			}
			open, out = append(open, c), append(out, c)
			values++
			i++
		case c == '}' || c == ']':
			if last() == ',' {
				out = out[:len(out)-1]
			}
			if len(open) == 0 || open[len(open)-1] != c-2 {
				return nil, fmt.Errorf("bad JSON: %q closes nothing at byte %d", c, i)
			}
			open, out = open[:len(open)-1], append(out, c)
			i++
			if len(open) == 0 {
				return out, nil
			}
		case c == ',':
			if l := last(); l != ',' && l != '[' && l != '{' {
				out = append(out, c)
			}
			values++
			i++
		case c == ':':
			out = append(out, c)
			i++
		case c == '"' || c == '\'' || c == '`':
			n := 0
			if out, n = quoteJS(out, in[i:]); n == 0 {
				return nil, errors.New("bad JSON: its tail is missing")
			}
			i += n
		case bytes.HasPrefix(in[i:], []byte("//")):
			if n := bytes.IndexByte(in[i:], '\n'); n >= 0 {
				i += n
			} else {
				i = len(in)
			}
		case bytes.HasPrefix(in[i:], []byte("/*")):
			n := bytes.Index(in[i:], []byte("*/"))
			if n < 0 {
				return nil, errors.New("bad JSON: its tail is missing")
			}
			i += n + 2
		default:
			n := i
			for n < len(in) && (nameByte(in[n]) && in[n] != ':' || in[n] == '$' || in[n] == '+') {
				n++
			}
			if n == i {
				return nil, fmt.Errorf("bad JSON: %q at byte %d", c, i)
			}
			word := string(in[i:n])
			i = n
			for n < len(in) && space(in[n]) {
				n++
			}
			switch {
			case n < len(in) && in[n] == ':':
				out = strconv.AppendQuote(out, strings.ToValidUTF8(word, ""))
			case word == "true" || word == "false" || word == "null" || plainNumber.MatchString(word):
				out = append(out, word...)
			case word == "undefined" || word == "NaN":
				out = append(out, "null"...)
			case c >= '0' && c <= '9': // 01
				out = strconv.AppendQuote(out, strings.ToValidUTF8(word, ""))
			default:
				return nil, fmt.Errorf("bad JSON: %.40q is a program, not a value", word)
			}
		}
		if values > maxJSONValues {
			return nil, fmt.Errorf("more than %d values", maxJSONValues)
		}
	}
	return nil, errors.New("bad JSON: its tail is missing")
}

// quoteJS appends the string literal at the start of in as JSON; n is its length,
// 0 where it never ends.
func quoteJS(out, in []byte) (quoted []byte, n int) {
	out = append(out, '"')
	for i := 1; i < len(in); i++ {
		switch c := in[i]; {
		case c == in[0]:
			return append(out, '"'), i + 1
		case c == '\\' && i+1 < len(in):
			i++
			switch e := in[i]; {
			case strings.IndexByte(`"\/bfnrt`, e) >= 0:
				out = append(out, '\\', e)
			case e == 'u':
				if i+4 < len(in) && hexDigits(in[i+1:i+5]) {
					out = append(out, '\\', 'u')
				} else {
					out = append(out, 'u')
				}
			case e == 'x' && i+2 < len(in) && hexDigits(in[i+1:i+3]):
				out = append(out, `\u00`...)
			case e == '\n' || e == '\r':
			default:
				i--
				if in[i+1] >= ' ' {
					i++
					out = append(out, e)
				}
			}
		case c == '"':
			out = append(out, '\\', '"')
		case c < ' ':
			out = fmt.Appendf(out, `\u%04x`, c)
		default:
			out = append(out, c)
		}
	}
	return out, 0
}

func hexDigits(b []byte) bool {
	for _, c := range b {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return false
		}
	}
	return true
}

// ---- paths

// step is one step of a path: into a member, to a place, or to every element.
type step struct {
	name  string
	place int
	kind  byte // '.' member, '[' place, '*' every
}

// parsePath reads a path into its alternatives.
func parsePath(s string) (paths [][]step, err error) {
	if len(s) > 500 {
		return nil, errors.New("longer than 500 characters")
	}
	var path []step
	ended := true // an alternative may not be empty
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == ' ':
			i++
		case c == '|':
			if ended {
				return nil, fmt.Errorf("%q: nothing stands before the |", s)
			}
			paths, path, ended = append(paths, path), nil, true
			i++
		case c == '.':
			ended = false
			i++
		case c == '"':
			end := strings.IndexByte(s[i+1:], '"')
			if end < 1 {
				return nil, fmt.Errorf("%q: a quote is not closed", s)
			}
			path, ended = append(path, step{kind: '.', name: s[i+1 : i+1+end]}), false
			i += end + 2
		case c == '[':
			end := strings.IndexByte(s[i:], ']')
			if end < 0 {
				return nil, fmt.Errorf("%q: a [ is not closed", s)
			}
			in := strings.TrimSpace(s[i+1 : i+end])
			if in == "*" {
				path = append(path, step{kind: '*'})
			} else if n, err := strconv.Atoi(in); err == nil {
				path = append(path, step{kind: '[', place: n})
			} else {
				return nil, fmt.Errorf("%q: [%s] is no place: write a number or *", s, in)
			}
			ended = false
			i += end + 1
		default:
			end := strings.IndexAny(s[i:], ".[|\"")
			if end < 0 {
				end = len(s) - i
			}
			if strings.ContainsAny(s[i:i+end], "{}]") {
				return nil, fmt.Errorf("%q: no path: write names joined by dots", s)
			}
			path, ended = append(path, step{kind: '.', name: strings.TrimSpace(s[i : i+end])}), false
			i += end
		}
	}
	if ended {
		return nil, fmt.Errorf("%q: nothing to look for", s)
	}
	return append(paths, path), nil
}

// follow gives what a path leads to: of the first alternative that leads to
// something other than null and nothing.
func follow(v any, path string) []any {
	if path == "" || v == nil {
		return nil
	}
	paths, err := parsePath(path)
	if err != nil {
		return nil
	}
	for _, steps := range paths {
		if got := followSteps(v, steps, nil, 0); len(got) > 0 {
			return got
		}
	}
	return nil
}

func followSteps(v any, steps []step, got []any, nested int) []any {
	if len(got) >= maxPathValues || v == nil {
		return got
	}
	if len(steps) == 0 {
		switch x := v.(type) {
		case string:
			if strings.TrimSpace(x) == "" {
				return got
			}
		case []any:
			if len(x) == 0 {
				return got
			}
		}
		return append(got, v)
	}
	if s, ok := v.(string); ok && nested < maxNested {
		if s = strings.TrimSpace(s); s != "" && (s[0] == '{' || s[0] == '[') {
			if in, err := jsonValue([]byte(s), ""); err == nil {
				return followSteps(in, steps, got, nested+1)
			}
		}
		return got
	}
	switch st := steps[0]; st.kind {
	case '.':
		if m, ok := v.(map[string]any); ok {
			return followSteps(m[st.name], steps[1:], got, nested)
		}
	case '[':
		if l, ok := v.([]any); ok {
			n := st.place
			if n < 0 {
				n += len(l)
			}
			if n >= 0 && n < len(l) {
				return followSteps(l[n], steps[1:], got, nested)
			}
		}
	case '*':
		switch x := v.(type) {
		case []any:
			for _, e := range x {
				got = followSteps(e, steps[1:], got, nested)
			}
		case map[string]any:
			names := make([]string, 0, len(x))
			for name := range x {
				names = append(names, name)
			}
			slices.Sort(names)
			for _, name := range names {
				got = followSteps(x[name], steps[1:], got, nested)
			}
		}
	}
	return got
}

// each gives the elements a path leads to; a list it leads to counts as its
// elements, so that the last [*] may be left out.
func each(v any, path string) []any {
	got := follow(v, path)
	if len(got) == 1 {
		switch x := got[0].(type) {
		case []any:
			return x
		case string:
			if in, err := jsonValue([]byte(x), ""); err == nil {
				if l, ok := in.([]any); ok {
					return l
				}
			}
		}
	}
	return got
}

// texts are the values of a path as text.
func texts(v any, path string) []string {
	var list []string
	for _, x := range each(v, path) {
		switch x := x.(type) {
		case string:
			list = append(list, strings.TrimSpace(x))
		case json.Number:
			list = append(list, x.String())
		case bool:
			list = append(list, strconv.FormatBool(x))
		}
	}
	return list
}

// value1 is the first value of a path as text.
func value1(v any, path string) string {
	if list := texts(v, path); len(list) > 0 {
		return list[0]
	}
	return ""
}

// ---- templates

var (
	slot     = regexp.MustCompile(`\{([^{}":,]+)\}`)
	dayNames = map[string]func(y, m, d string) string{
		"yyyy": func(y, _, _ string) string { return y }, "yy": func(y, _, _ string) string { return y[2:] },
		"mm": func(_, m, _ string) string { return m }, "dd": func(_, _, d string) string { return d },
		"m":        func(_, m, _ string) string { return strings.TrimPrefix(m, "0") },
		"d":        func(_, _, d string) string { return strings.TrimPrefix(d, "0") },
		"yyyymmdd": func(y, m, d string) string { return y + m + d }, "yyyy-mm-dd": func(y, m, d string) string { return y + "-" + m + "-" + d },
	}
)

// dated reports whether a template holds a part of the edition's day.
func dated(template string) bool {
	for _, m := range slot.FindAllStringSubmatch(template, -1) {
		if dayNames[m[1]] != nil {
			return true
		}
	}
	return false
}

// fillIn puts values into a template. escape gets a value and what was written
// before it.
func fillIn(template string, day paper.Day, escape func(value, before string) string, from ...any) (string, error) {
	var b strings.Builder
	at := 0
	for _, m := range slot.FindAllStringSubmatchIndex(template, 50) {
		name := template[m[2]:m[3]]
		b.WriteString(template[at:m[0]])
		at = m[1]
		if f := dayNames[name]; f != nil {
			if len(day) != 10 {
				return "", fmt.Errorf("{%s}: the day is not known", name)
			}
			b.WriteString(f(string(day[:4]), string(day[5:7]), string(day[8:])))
			continue
		}
		value := ""
		for _, v := range from {
			if value = value1(v, name); value != "" {
				break
			}
		}
		if value == "" {
			return "", fmt.Errorf("{%s}: nothing stands there", name)
		}
		b.WriteString(escape(value, b.String()))
		if b.Len() > 64<<10 {
			return "", errors.New("longer than 64 KB")
		}
	}
	b.WriteString(template[at:])
	return b.String(), nil
}

func escapeAddress(value, before string) string {
	switch {
	case before == "" || strings.Contains(value, "://"):
		return value // an address, whole or from the root
	case strings.Contains(before, "?"):
		return url.QueryEscape(value)
	case strings.Contains(value, ".."):
		return url.PathEscape(value)
	}
	return strings.NewReplacer("?", "%3F", "#", "%23", " ", "%20").Replace(value)
}

func escapeJSON(value, _ string) string {
	b, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(b[1 : len(b)-1])
}

func escapeForm(value, _ string) string { return url.QueryEscape(value) }

// ---- rules

func (r *JSONRules) check() error {
	if r == nil {
		return errors.New("json: missing: platform json needs rules, see docs/platforms.md")
	}
	var errs []error
	bad := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("json."+key+": "+format, args...))
	}
	for _, f := range []struct{ key, path string }{
		{"days", r.Days},
		{"paper", r.Paper},
		{"pages", r.Pages},
		{"page_number", r.PageNumber},
		{"page_name", r.PageName},
		{"page_picture", r.PagePicture},
		{"page_pdf", r.PagePDF},
		{"articles", r.Articles},
		{"id", r.ID},
		{"title", r.Title},
		{"kicker", r.Kicker},
		{"subtitle", r.Subtitle},
		{"author", r.Author},
		{"agency", r.Agency},
		{"content", r.Content},
		{"images", r.Images},
		{"captions", r.Captions},
		{"article_at", r.ArticleAt},
	} {
		if f.path != "" {
			if _, err := parsePath(f.path); err != nil {
				bad(f.key, "%w", err)
			}
		}
	}
	for _, f := range []struct{ key, template string }{
		{"list", r.List}, {"list_body", r.ListBody}, {"page", r.Page}, {"page_body", r.PageBody}, {"article", r.Article}, {"article_body", r.ArticleBody}, {"link", r.Link},
	} {
		for _, m := range slot.FindAllStringSubmatch(f.template, -1) {
			if dayNames[m[1]] == nil {
				if _, err := parsePath(m[1]); err != nil {
					bad(f.key, "%w", err)
				}
			}
		}
		if !strings.HasSuffix(f.key, "_body") && strings.Contains(slot.ReplaceAllString(f.template, ""), "{") {
			bad(f.key, "%q: a { is not closed", f.template)
		}
	}
	if r.Link != "" && !strings.Contains(r.Link, "{") {
		if _, err := parsePath(r.Link); err != nil {
			bad("link", "%w", err)
		}
	}
	if r.Day != "" && r.Day != "url" {
		if _, err := parsePath(r.Day); err != nil {
			bad("day", "%w", err)
		}
	}
	if r.Articles == "" {
		bad("articles", "missing: the path to every article of a page, such as onePageArticleList")
	}
	if r.Title == "" {
		bad("title", "missing: the path from an article to its headline, such as mainTitle")
	}
	if r.Content == "" && r.Article == "" && r.Link == "" {
		bad("content", "missing: say content where the body stands, or article or link where it is got from")
	}
	asksDay := dated(r.List + r.ListBody)
	if r.Day == "" && !asksDay {
		bad("day", "missing: the path to the edition's day, or {yyyymmdd} in list; else yesterday's edition would be taken for today's")
	}
	if r.Days != "" && !asksDay {
		bad("list", "must hold the day, such as {yyyy-mm-dd}, because days is set")
	}
	if r.PageBody != "" && r.Page == "" {
		bad("page", "missing: the address that page_body is sent to")
	}
	if r.ArticleBody != "" && r.Article == "" {
		bad("article", "missing: the address that article_body is sent to")
	}
	if r.ArticleBody != "" && r.ID == "" {
		bad("id", "missing: where articles are asked for by POST only their id tells them apart")
	}
	if r.Page != "" && r.Pages == "" {
		bad("pages", "missing: the path to every page that is asked for")
	}
	for _, h := range r.Headers {
		name, value, ok := strings.Cut(h, ":")
		name = strings.ToLower(strings.TrimSpace(name))
		switch {
		case !ok || name == "" || strings.ContainsAny(name, " \t\r\n") || strings.ContainsAny(value, "\r\n\x00"):
			bad("headers", "%q: write it like \"X-Requested-With: XMLHttpRequest\"", h)
		case name == "cookie" || name == "authorization" || name == "proxy-authorization":
			bad("headers", "%s: credentials have no place in the configuration", name)
		}
	}
	return errors.Join(errs...)
}

func (r *JSONRules) header() http.Header {
	head := http.Header{}
	for _, h := range r.Headers {
		name, value, _ := strings.Cut(h, ":")
		head.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return head
}

// api asks one source's API by its rules.
type api struct {
	g    Getter
	s    Source
	r    *JSONRules
	base *url.URL
}

func newAPI(g Getter, s Source) (*api, error) {
	if err := s.JSON.Check(); err != nil {
		return nil, &UnknownError{URL: s.URL, Reason: strings.ReplaceAll(err.Error(), "\n", "; ")}
	}
	base, err := url.Parse(s.URL)
	if err != nil || base.Host == "" {
		return nil, &UnknownError{URL: s.URL, Reason: "is no absolute http(s) URL"}
	}
	return &api{g: g, s: s, r: s.JSON, base: base}, nil
}

// address fills a template of an address and makes it absolute.
func (a *api) address(template string, day paper.Day, from ...any) (string, error) {
	if template == "" {
		return a.s.URL, nil
	}
	at, err := fillIn(template, day, escapeAddress, from...)
	if err != nil {
		return "", err
	}
	u := resolve(a.base, at)
	if u == nil {
		return "", fmt.Errorf("%.100q is no address", at)
	}
	return u.String(), nil
}

// bodyOf fills the template of a request's body.
func (a *api) bodyOf(template string, day paper.Day, from ...any) (string, error) {
	t := strings.TrimLeft(template, " \n\t")
	if m := slot.FindStringIndex(t); t != "" && (t[0] == '[' || t[0] == '{' && (m == nil || m[0] > 0)) {
		return fillIn(template, day, escapeJSON, from...)
	}
	return fillIn(template, day, escapeForm, from...)
}

func (a *api) ask(ctx context.Context, at, body string, keep bool) (*document, error) {
	return request(ctx, a.g, fetch.Request{URL: at, Referer: a.s.URL, Keep: keep, Post: body, Header: a.r.header()})
}

// value asks for a JSON document.
func (a *api) value(ctx context.Context, at, body string) (any, error) {
	d, err := a.ask(ctx, at, body, true)
	if err != nil {
		return nil, err
	}
	v, err := jsonValue(d.body, a.r.Variable)
	if err != nil {
		return nil, &UnknownError{URL: at, Reason: err.Error() + ": " + seen(d)}
	}
	return v, nil
}

func findJSON(ctx context.Context, g Getter, s Source, w Want, _ *document) (Found, error) {
	f := Found{Platform: "json"}
	a, err := newAPI(g, s)
	if err != nil {
		return f, err
	}
	take := func(day paper.Day) (bool, error) {
		e, name, err := a.edition(ctx, day)
		if ctx.Err() != nil {
			return false, fmt.Errorf("find %s: %w", s.URL, ctx.Err())
		}
		if fetch.Missing(err) && day != "" || err == nil && len(e.Refs) == 0 && !e.Partial && day != "" {
			f.Missing = append(f.Missing, day)
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if f.Name == "" {
			f.Name = name
		}
		f.Editions = append(f.Editions, e)
		return true, nil
	}
	// What comes late is nothing that the look stands or falls with.
	takeLate := func(days []paper.Day) error {
		for _, day := range days {
			_, err := take(day)
			var blocked *BlockedError
			switch {
			case err == nil:
			case ctx.Err() != nil:
				return err
			default:
				if f.Missing = append(f.Missing, day); errors.As(err, &blocked) {
					return nil // what was found stands; no more is asked for
				}
			}
		}
		return nil
	}
	limit := max(w.Max, 1)
	switch asksDay := dated(a.r.List + a.r.ListBody); {
	case !asksDay:
		if _, err := take(""); err != nil {
			return f, err
		}
		e := f.Editions[0]
		switch {
		case e.Day == "":
			return Found{Platform: "json"}, &UnknownError{URL: s.URL, Reason: fmt.Sprintf("no day where json.day (%s) says", a.r.Day)}
		case w.Only != "" && e.Day != w.Only:
			f.Editions, f.Missing = nil, []paper.Day{w.Only}
		case w.Only == "" && e.Day <= w.After && !slices.Contains(w.Again, e.Day) && !slices.Contains(w.Late, e.Day):
			f.Editions = nil
		}
		return f, nil
	case w.Only != "":
		_, err := take(w.Only)
		return f, err
	case a.r.Days != "":
		days, err := a.days(ctx)
		if err != nil {
			return f, err
		}
		if len(days) == 0 {
			return f, &UnknownError{URL: s.URL, Reason: fmt.Sprintf("no day where json.days (%s) says", a.r.Days)}
		}
		var fresh, late []paper.Day
		for _, day := range days {
			switch {
			case slices.Contains(w.Late, day):
				late = append(late, day)
			case day > w.After && (w.Today == "" || day <= w.Today.Add(1)):
				fresh = append(fresh, day)
			}
		}
		fresh = append(fresh[max(0, len(fresh)-limit):], w.Again...)
		slices.Sort(fresh)
		for _, day := range slices.Compact(fresh) {
			_, err := take(day)
			var blocked *BlockedError
			switch {
			case err == nil:
			case ctx.Err() != nil || errors.As(err, &blocked) || day > w.After:
				return f, err
			default:
				f.Problem = err.Error() // of one that is looked at again: it takes no news down
			}
		}
		if err := takeLate(late); err != nil {
			return f, err
		}
		for _, day := range f.Missing {
			if slices.Contains(days, day) {
				f.Announced = append(f.Announced, day)
			}
		}
	default:
		// No calendar: days are tried, the newest first.
		var firstErr error
		found := 0
		today := w.Today
		if today == "" && !w.Now.IsZero() {
			today = paper.DayOf(w.Now, s.zone())
		}
		if today == "" {
			return f, &UnknownError{URL: s.URL, Reason: "the day to ask for is not known"}
		}
		for day, n := today, 0; day > w.After && n <= maxGap && found < limit; day, n = day.Add(-1), n+1 {
			ok, err := take(day)
			if err != nil {
				firstErr = err
				break
			}
			if ok {
				found++
			}
		}
		again := slices.Clone(w.Again)
		slices.Sort(again)
		for _, day := range slices.Compact(again) {
			if slices.ContainsFunc(f.Editions, func(e Edition) bool { return e.Day == day }) || slices.Contains(f.Missing, day) {
				continue
			}
			if _, err := take(day); err != nil && firstErr == nil {
				firstErr = err
			}
		}
		if err := takeLate(w.Missed); err != nil {
			return f, err
		}
		if firstErr != nil && len(f.Editions) == 0 {
			return f, firstErr
		}
		if len(f.Editions) == 0 && w.After == "" {
			return f, &UnknownError{URL: s.URL, Reason: fmt.Sprintf("no edition from %s back to %s", today, f.Missing[len(f.Missing)-1])}
		}
	}
	slices.SortFunc(f.Editions, func(a, b Edition) int { return strings.Compare(string(a.Day), string(b.Day)) })
	slices.Sort(f.Missing)
	return f, nil
}

// days reads the calendar, oldest first.
func (a *api) days(ctx context.Context) ([]paper.Day, error) {
	v, err := a.value(ctx, a.s.URL, "")
	if err != nil {
		return nil, err
	}
	var days []paper.Day
	for _, raw := range texts(v, a.r.Days) {
		if d := a.dayOf(raw); d != "" {
			days = append(days, d)
		}
	}
	slices.Sort(days)
	return slices.Compact(days), nil
}

var dayInAddress = regexp.MustCompile(`(?:^|[^\d])((?:19|20)\d{2})[-_/.]?(\d{2})[-_/.]?(\d{2})(?:[^\d]|$)`)

// dayOf is the day of a value: a date, an epoch, or text that begins with a date.
func (a *api) dayOf(raw string) paper.Day {
	if m := readDate(raw, a.s.zone(), time.Time{}); m.day != "" {
		return m.day
	}
	if m := dayInAddress.FindStringSubmatch(raw); m != nil {
		if d, err := paper.ParseDay(m[1] + m[2] + m[3]); err == nil {
			return d
		}
	}
	return ""
}

// listing is one list on its way to an edition.
type listing struct {
	a    *api
	at   string
	day  paper.Day
	root any
	e    *Edition
	has  map[string]bool // origins
}

// edition reads one edition's list and the lists of its pages. day is empty where
// the list itself tells it.
func (a *api) edition(ctx context.Context, day paper.Day) (e Edition, name string, err error) {
	at, err := a.address(a.r.List, day)
	if err != nil {
		return e, "", &UnknownError{URL: a.s.URL, Reason: "json.list: " + err.Error()}
	}
	body, err := a.bodyOf(a.r.ListBody, day)
	if err != nil {
		return e, "", &UnknownError{URL: at, Reason: "json.list_body: " + err.Error()}
	}
	root, err := a.value(ctx, at, body)
	if err != nil {
		return e, "", err
	}
	told := a.told(root, at)
	if day != "" && told != "" && told != day {
		return e, "", nil // an old edition at today's address
	}
	if day == "" {
		day = told
	}
	e.Day, e.URL = day, at
	l := &listing{a: a, at: at, day: day, root: root, e: &e, has: map[string]bool{}}
	for _, p := range l.pages() {
		from := p.value
		if a.r.Page != "" {
			if from, err = l.own(ctx, &p); err != nil {
				if ctx.Err() != nil {
					return e, "", ctx.Err()
				}
				e.Partial, e.Problem = true, fmt.Sprintf("page %s: %v", p.Number, err)
				e.Pages = append(e.Pages, p.Page)
				continue
			}
		}
		if a.r.Pages != "" {
			e.Pages = append(e.Pages, p.Page)
		}
		l.articles(from, p)
	}
	if len(e.Refs) == 0 && !e.Partial && len(e.Pages) > 0 {
		e.Partial, e.Problem = true, "no article where json.articles says"
	}
	return e, plain(value1(root, a.r.Paper)), nil
}

// told is the day that a list tells itself.
func (a *api) told(root any, at string) paper.Day {
	switch a.r.Day {
	case "":
		return ""
	case "url":
		return a.dayOf(at)
	}
	return a.dayOf(value1(root, a.r.Day))
}

// listed is a page as listed.
type listed struct {
	Page
	value any // where its articles are looked for
}

// pages are the pages of a list. Without a path to pages the list is one, and its
// articles name theirs.
func (l *listing) pages() []listed {
	if l.a.r.Pages == "" {
		return []listed{{value: l.root}}
	}
	var list []listed
	for _, v := range each(l.root, l.a.r.Pages) {
		if len(list) == maxPages {
			l.e.Partial, l.e.Problem = true, fmt.Sprintf("more than %d pages", maxPages)
			break
		}
		p := listed{value: v}
		p.PageRef, p.URL = l.a.pageOf(v), l.at
		p.Picture, p.PDF = fullSize(l.link(v, l.a.r.PagePicture)), l.link(v, l.a.r.PagePDF)
		list = append(list, p)
	}
	return list
}

// link is the absolute address a path leads to.
func (l *listing) link(v any, path string) string {
	if u := resolve(l.base(), value1(v, path)); u != nil {
		return u.String()
	}
	return ""
}

func (l *listing) base() *url.URL {
	if u, err := url.Parse(l.at); err == nil && u.Host != "" {
		return u
	}
	return l.a.base
}

// pageOf reads number and name of a page; a label such as 第01版：要闻 holds both.
func (a *api) pageOf(v any) paper.PageRef {
	number, name := plain(value1(v, a.r.PageNumber)), plain(value1(v, a.r.PageName))
	ref := paper.PageRef{Number: number, Name: name}
	if got, sure := readLabel(number); sure != noLabel && got.Number != "" {
		ref.Number = got.Number
		if ref.Name == "" {
			ref.Name = got.Name
		}
	}
	if got, sure := readLabel(name); sure == strongLabel {
		ref.Name = got.Name
		if ref.Number == "" {
			ref.Number = got.Number
		}
	} else if name != "" {
		ref.Name = nameOf(name)
	}
	if utf8.RuneCountInString(ref.Number) > 12 {
		ref.Number = string([]rune(ref.Number)[:12])
	}
	return ref
}

// own asks for a page's own list.
func (l *listing) own(ctx context.Context, p *listed) (any, error) {
	at, err := l.a.address(l.a.r.Page, l.day, p.value, l.root)
	if err != nil {
		return nil, err
	}
	body, err := l.a.bodyOf(l.a.r.PageBody, l.day, p.value, l.root)
	if err != nil {
		return nil, err
	}
	p.URL = at
	return l.a.value(ctx, at, body)
}

// articles takes the articles of one page into the edition.
func (l *listing) articles(from any, p listed) {
	items := slices.Clone(each(from, l.a.r.Articles))
	if l.a.r.Reversed {
		slices.Reverse(items)
	}
	positions := map[string]int{}
	for _, v := range items {
		if len(l.e.Refs) >= maxArticles {
			l.e.Partial, l.e.Problem = true, fmt.Sprintf("more than %d articles", maxArticles)
			return
		}
		page := p.PageRef
		if l.a.r.Pages == "" {
			if page = l.a.pageOf(v); !slices.ContainsFunc(l.e.Pages, func(q Page) bool { return q.PageRef == page }) && page.Number != "" && len(l.e.Pages) < maxPages {
				l.e.Pages = append(l.e.Pages, Page{PageRef: page, URL: l.at})
			}
		}
		r, err := l.ref(v, p.value, page.Number, positions[page.Number]+1)
		if err != nil {
			l.e.Partial, l.e.Problem = true, fmt.Sprintf("page %s: an article: %v", page.Number, err)
			continue
		}
		if l.has[r.Origin] {
			continue
		}
		l.has[r.Origin] = true
		positions[page.Number]++
		r.Page, r.Position, r.Ordinal = page, positions[page.Number], len(l.e.Refs)
		if r.Printed != nil {
			r.Printed.Page = page
		}
		l.e.Refs = append(l.e.Refs, r)
	}
}

var cleanID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:8])
}

// ref makes a reference of an article as listed. Without id and address its place
// is its identity, as in an edition whose ids are page and place.
func (l *listing) ref(v, page any, number string, position int) (r Ref, err error) {
	a := l.a
	p := a.printed(v, l.base())
	p.Day = l.day
	r.Title, r.Origin = p.Headline, value1(v, a.r.ID)
	if !cleanID.MatchString(r.Origin) && r.Origin != "" {
		r.Origin = hashOf(r.Origin)
	}
	if a.r.Link != "" {
		if strings.Contains(a.r.Link, "{") {
			if p.URL, err = a.address(a.r.Link, l.day, v, page, l.root); err != nil {
				return r, fmt.Errorf("link: %w", err)
			}
		} else {
			p.URL = l.link(v, a.r.Link)
		}
	}
	switch {
	case p.Body != "":
		r.Printed = &p
	case a.r.Article != "":
		if r.URL, err = a.address(a.r.Article, l.day, v, page, l.root); err != nil {
			return r, fmt.Errorf("article: %w", err)
		}
		if r.body, err = a.bodyOf(a.r.ArticleBody, l.day, v, page, l.root); err != nil {
			return r, fmt.Errorf("article_body: %w", err)
		}
	case p.URL == "" && len(p.Images) > 0:
		r.Printed = &p
	case p.URL == "":
		return r, fmt.Errorf("%q has neither content nor an address", p.Headline)
	}
	if r.URL == "" {
		r.URL = p.URL
	}
	switch {
	case r.Origin != "":
	case r.URL != "":
		r.Origin = hashOf(identity(r.URL))
	default:
		if r.Origin, r.Positional = fmt.Sprintf("%s-%d", number, position), true; !cleanID.MatchString(r.Origin) {
			r.Origin = hashOf(r.Origin)
		}
	}
	if r.URL == "" || r.body != "" {
		// No address of its own; two articles never share one.
		if r.URL == "" {
			r.URL = l.at
		}
		r.URL, _, _ = strings.Cut(r.URL, "#")
		r.URL += "#" + r.Origin
	}
	if p.URL == "" {
		p.URL = r.URL
	} else if p.URL != r.URL {
		r.Also = []string{p.URL}
	}
	r.listed = &p
	return r, nil
}

var anyTag = regexp.MustCompile(`&lt;\s*/?[a-zA-Z]|%3[cC](?:p|div|br|P|DIV|BR|%2[fF])|&amp;lt;`)

// printed reads the fields of an article, in the list or in its own answer.
func (a *api) printed(v any, base *url.URL) Printed {
	p := Printed{
		Headline: plain(value1(v, a.r.Title)), Kicker: plain(value1(v, a.r.Kicker)), Subtitle: plain(value1(v, a.r.Subtitle)),
		Author: plain(strings.Join(texts(v, a.r.Author), "、")), Agency: plain(value1(v, a.r.Agency)),
	}
	parts := texts(v, a.r.Content)
	for i, s := range parts {
		// Bodies are often escaped once more than JSON asks for.
		for range 2 {
			if hasTag.MatchString(s) || !anyTag.MatchString(s) {
				break
			}
			if u, err := url.PathUnescape(s); err == nil && !strings.Contains(s, "&") {
				s = u
			} else {
				s = html.UnescapeString(s)
			}
		}
		parts[i] = bodyHTML(s, false, base)
	}
	p.Body = strings.Join(parts, "")
	if p.Body != "" {
		a.s.fragment(p.Body, base, &p)
	}
	captions := texts(v, a.r.Captions)
	for i, src := range texts(v, a.r.Images) {
		u := resolve(base, fullSize(src))
		if u == nil || len(p.Images) >= 50 {
			continue
		}
		img := Image{URL: u.String()}
		if i < len(captions) {
			img.Caption = plain(captions[i])
		}
		p.Images = append(p.Images, img)
	}
	p.Images = notInBody(p.Images, p.Body)
	return p
}

func readJSON(ctx context.Context, g Getter, s Source, r Ref) (Printed, error) {
	a, err := newAPI(g, s)
	if err != nil {
		return Printed{}, err
	}
	if a.r.ArticleBody != "" && r.body == "" {
		return Printed{}, &UnknownError{URL: r.URL, Reason: "is asked for by POST, and what to ask for stands in the edition's list"}
	}
	at, _, _ := strings.Cut(r.URL, "#")
	d, err := a.ask(ctx, at, r.body, false)
	if err != nil {
		return Printed{}, err
	}
	if err := s.rule(d); err != nil {
		return Printed{}, &UnknownError{URL: r.URL, Reason: err.Error()}
	}
	p, reason := a.article(d)
	if p == nil {
		return Printed{}, &UnknownError{URL: r.URL, Reason: reason + ": " + seen(d)}
	}
	if l := r.listed; l != nil {
		p.URL = l.URL
		for _, f := range []struct {
			to   *string
			from string
		}{
			{&p.Headline, l.Headline},
			{&p.Kicker, l.Kicker},
			{&p.Subtitle, l.Subtitle},
			{&p.Author, l.Author},
			{&p.Agency, l.Agency},
			{&p.Body, l.Body},
		} {
			if *f.to == "" {
				*f.to = f.from
			}
		}
		if len(p.Images) == 0 {
			p.Images = notInBody(l.Images, p.Body)
		}
		p.Day = l.Day
	}
	if p.Page.Number == "" {
		p.Page = r.Page
	}
	return *p, nil
}

// article reads the answer to an article's own request, JSON or a page.
func (a *api) article(d *document) (*Printed, string) {
	v, err := jsonValue(d.body, a.r.Variable)
	if err != nil {
		if d.root != nil {
			return webArticle(d, a.s.zone())
		}
		return nil, err.Error()
	}
	if a.r.ArticleAt != "" {
		got := follow(v, a.r.ArticleAt)
		if len(got) == 0 {
			return nil, fmt.Sprintf("nothing where json.article_at (%s) says", a.r.ArticleAt)
		}
		v = got[0]
	}
	p := a.printed(v, d.base)
	if p.Body == "" && len(p.Images) == 0 {
		return nil, fmt.Sprintf("no body where json.content (%s) says", a.r.Content)
	}
	p.URL = d.url.String()
	return &p, ""
}

// parseJSON reads a list, a page's list or an article, whatever the rules find in
// the document, in this order.
func parseJSON(s Source, d *document) (Parsed, bool) {
	if s.JSON == nil {
		return Parsed{}, false
	}
	if s.URL == "" {
		s.URL = d.url.String()
	}
	a, err := newAPI(nil, s)
	if err != nil {
		return Parsed{Kind: "unknown", Reason: err.Error()}, true
	}
	root, err := jsonValue(d.body, a.r.Variable)
	if err == nil {
		day := a.told(root, d.url.String())
		if day == "" {
			day = a.dayOf(d.url.String())
		}
		e := Edition{Day: day, URL: d.url.String()}
		l := &listing{a: a, at: e.URL, day: e.Day, root: root, e: &e, has: map[string]bool{}}
		for _, p := range l.pages() {
			if a.r.Pages != "" {
				e.Pages = append(e.Pages, p.Page)
			}
			if a.r.Page == "" {
				l.articles(p.value, p)
			}
		}
		if len(e.Pages) == 0 && len(e.Refs) == 0 {
			l.articles(root, listed{Page: Page{URL: e.URL}}) // a page's own list
		}
		if len(e.Pages) > 0 || len(e.Refs) > 0 {
			page := &ParsedPage{Paper: plain(value1(root, a.r.Paper)), Day: e.Day, Pages: e.Pages, Refs: e.Refs}
			if len(e.Pages) > 0 {
				page.Page = e.Pages[0]
			}
			return Parsed{Kind: "page", Platform: "json", Page: page}, true
		}
	}
	p, reason := a.article(d)
	if p == nil {
		return Parsed{Kind: "unknown", Reason: reason}, true
	}
	ref := Ref{URL: d.url.String(), Title: p.Headline, Origin: hashOf(identity(d.url.String()))}
	if v := follow(root, a.r.ArticleAt); len(v) > 0 {
		root = v[0]
	}
	if id := value1(root, a.r.ID); cleanID.MatchString(id) {
		ref.Origin = id
	}
	return Parsed{Kind: "article", Platform: "json", Article: p, Ref: ref}, true
}
