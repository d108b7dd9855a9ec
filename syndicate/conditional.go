package syndicate

import (
	"net/http"
	"strings"
	"time"
)

// accepted chooses the encoding of a response from the Accept-Encoding fields
// of its request (RFC 9110 §12.5.3). Among equals the smaller wins: br, then
// gzip. Brotli must be named; `*` alone gets gzip, which everybody can read.
func accepted(fields []string) encoding {
	if len(fields) == 0 {
		return plain
	}
	if len(fields) == 1 {
		switch fields[0] { // what nearly everybody sends
		case "gzip", "gzip, deflate", "gzip,deflate":
			return gzipped
		case "gzip, deflate, br", "gzip, deflate, br, zstd", "br, gzip", "br,gzip":
			return brotlied
		}
	}
	const unset = -1
	br, gz, id, star := unset, unset, unset, unset
	for _, f := range fields {
		for f != "" {
			var item string
			item, f, _ = strings.Cut(f, ",")
			coding, params, _ := strings.Cut(item, ";")
			coding = strings.TrimSpace(coding)
			q := quality(params)
			switch {
			case coding == "*":
				star = q
			case strings.EqualFold(coding, "br"):
				br = q
			case strings.EqualFold(coding, "gzip"), strings.EqualFold(coding, "x-gzip"):
				gz = q
			case strings.EqualFold(coding, "identity"):
				id = q
			}
		}
	}
	if gz == unset {
		gz = star
	}
	best, choice := 0, refused
	if br > best {
		best, choice = br, brotlied
	}
	if gz > best {
		best, choice = gz, gzipped
	}
	switch {
	case id > best:
		choice = plain
	case id == unset && star != 0 && choice == refused:
		choice = plain // identity is always acceptable unless it is excluded
	}
	return choice
}

// quality reads the q of a parameter list in thousandths: 1000 where there is
// none, 0 where it is no number from 0 to 1.
func quality(params string) int {
	for params != "" {
		var p string
		p, params, _ = strings.Cut(params, ";")
		p = strings.TrimSpace(p)
		if len(p) < 2 || (p[0] != 'q' && p[0] != 'Q') || p[1] != '=' {
			continue
		}
		digits := p[2:]
		if digits == "" || len(digits) > 5 || (digits[0] != '0' && digits[0] != '1') {
			return 0
		}
		q := int(digits[0]-'0') * 1000
		if len(digits) > 1 && digits[1] != '.' {
			return 0
		}
		for i, unit := 2, 100; i < len(digits); i, unit = i+1, unit/10 {
			if digits[i] < '0' || digits[i] > '9' {
				return 0
			}
			q += int(digits[i]-'0') * unit
		}
		if q > 1000 {
			return 0
		}
		return q
	}
	return 1000
}

// unchanged reports whether a conditional request may be answered with 304
// (RFC 9110 §13.2.2): If-None-Match decides where it is there, compared weakly,
// because a proxy may have weakened our tag; else If-Modified-Since.
func unchanged(r *http.Request, etag, modified string) bool {
	if tags := r.Header["If-None-Match"]; len(tags) > 0 {
		for _, t := range tags {
			if t == etag || listed(t, etag) {
				return true
			}
		}
		return false
	}
	since := r.Header["If-Modified-Since"]
	if len(since) != 1 || modified == "" {
		return false
	}
	if since[0] == modified {
		return true
	}
	asked, err := http.ParseTime(since[0])
	if err != nil {
		return false
	}
	rose, err := http.ParseTime(modified)
	return err == nil && !rose.After(asked)
}

// listed reports whether a list of entity tags names one. A malformed list
// names what stands before its fault.
func listed(list, etag string) bool {
	for {
		list = strings.TrimLeft(list, " \t,")
		if list == "" {
			return false
		}
		if list[0] == '*' {
			return true
		}
		list = strings.TrimPrefix(list, "W/")
		if list == "" || list[0] != '"' {
			return false
		}
		end := strings.IndexByte(list[1:], '"')
		if end < 0 {
			return false
		}
		if list[:end+2] == etag {
			return true
		}
		list = list[end+2:]
	}
}

// send answers with a document and gives the status it answered with.
func (s *Syndicate) send(w http.ResponseWriter, r *http.Request, st *site, e *entry) int {
	enc := accepted(r.Header["Accept-Encoding"])
	if enc == refused {
		// RFC 9110 §12.5.3 lets us: an error item would stand in shared caches.
		enc = plain
	}
	enc, v := e.pick(enc)
	h := w.Header()
	for i := range e.header {
		h[e.header[i].name] = e.header[i].value
	}
	h["Etag"] = v.etag
	if e.papers != nil {
		if at := s.checkedAt(e); at != nil {
			h["Paperwire-Checked"] = at
		}
	}
	if e.status == http.StatusOK && unchanged(r, v.etag[0], e.modified) {
		w.WriteHeader(http.StatusNotModified)
		return http.StatusNotModified
	}
	for i := range e.whole {
		h[e.whole[i].name] = e.whole[i].value
	}
	var body []byte
	if r.Method != http.MethodHead {
		var err error
		if body, err = e.home(st).body(e, enc); err != nil {
			s.log.Error("inflate cached document", "url", e.key.uri, "error", err)
			s.problem(w, r, st, http.StatusInternalServerError, "")
			return http.StatusInternalServerError
		}
	}
	if e.ctype != nil {
		h["Content-Type"] = e.ctype
	}
	h["Content-Length"] = v.length
	if v.coding != nil {
		h["Content-Encoding"] = v.coding
	}
	w.WriteHeader(e.status)
	if body != nil {
		w.Write(body) // an error is the client's: it has gone
	}
	return e.status
}

// checkedAt is the value of Paperwire-Checked for a document: when the paper
// that was looked at longest ago was last looked at with success, among those
// the document holds; nil where none of them ever was.
func (s *Syndicate) checkedAt(e *entry) []string {
	c := s.health.Load()
	if c == nil {
		return nil
	}
	if known := e.checked.Load(); known != nil && known.of == c {
		return known.value
	}
	at := &checkedAt{of: c}
	if oldest := c.oldest(e.papers); !oldest.IsZero() {
		at.value = []string{oldest.UTC().Format(http.TimeFormat)}
	}
	e.checked.Store(at)
	return at.value
}

// checkedAt remembers a header value for as long as the checks are the same.
type checkedAt struct {
	of    *checks
	value []string
}

// httpTime writes an instant for Last-Modified; empty for the zero time.
func httpTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(http.TimeFormat)
}
