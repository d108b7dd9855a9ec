package papertest

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// file is one document of the site. Exactly one of text, data and to is set.
type file struct {
	kind    string // media type without parameters
	charset string // of text
	changed time.Time
	// text renders the document with the charset label that it shall bear. It
	// runs under the publisher's lock.
	text func(label string) string
	data func() []byte // a picture or PDF, drawn without the lock
	to   string        // redirects there
}

// recorder writes down what is answered before it is on the wire, so that a
// test that has read an answer finds it counted.
type recorder struct {
	http.ResponseWriter
	p *Publisher
	r *Request
}

func (w *recorder) WriteHeader(status int) {
	w.p.mu.Lock()
	w.r.Status = status
	w.p.mu.Unlock()
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	w.p.mu.Lock()
	if w.r.Status == 0 {
		w.r.Status = http.StatusOK
	}
	w.r.Bytes += int64(len(b))
	w.p.mu.Unlock()
	return w.ResponseWriter.Write(b)
}

// note writes down what is sent past the recorder.
func (w *recorder) note(status, bytes int) {
	w.p.mu.Lock()
	defer w.p.mu.Unlock()
	w.r.Status, w.r.Bytes = status, int64(bytes)
}

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// ServeHTTP answers one request, rightly or with a fault.
func (p *Publisher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	request := &Request{
		Time: time.Now(), Method: r.Method, Path: r.URL.RequestURI(),
		IfNoneMatch: r.Header.Get("If-None-Match"), IfModifiedSince: r.Header.Get("If-Modified-Since"),
		Range: r.Header.Get("Range"), UserAgent: r.UserAgent(), Referer: r.Referer(), RequestedWith: r.Header.Get("X-Requested-With"),
	}
	p.mu.Lock()
	p.requests = append(p.requests, request)
	fault := p.strike(request.Path)
	if fault.kind == "" || fault.kind == "slow" || fault.kind == "charset" {
		if p.missed(request.Path) {
			fault = Status(http.StatusNotFound, 0)
		}
	}
	p.mu.Unlock()
	rec := &recorder{ResponseWriter: w, p: p, r: request}
	if !p.fail(rec, r, fault) {
		p.serve(rec, r, fault.kind == "charset")
	}
}

// strike picks the fault for a request and counts it; the lock is held.
func (p *Publisher) strike(path string) Fault {
	now := p.opts.Now()
	for i := len(p.faults) - 1; i >= 0; i-- {
		f := p.faults[i]
		if !strings.Contains(path, f.path) || f.during > 0 && !now.Before(f.until) {
			continue
		}
		if f.left == 1 {
			p.faults = append(p.faults[:i:i], p.faults[i+1:]...)
		} else if f.left > 1 {
			p.faults[i].left--
		}
		return f
	}
	return Fault{}
}

// fail answers with a fault; false where the right answer is still to be given.
func (p *Publisher) fail(w *recorder, r *http.Request, f Fault) bool {
	switch f.kind {
	case "slow":
		wait := time.NewTimer(f.delay)
		defer wait.Stop()
		select {
		case <-wait.C:
			return false
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	case "status":
		if f.retry > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(f.retry/time.Second)))
		}
		writeHTML(w, f.status, fmt.Sprintf("<html><head><title>%d %s</title></head><body><center><h1>%[1]d %[2]s</h1></center><hr></body></html>\n",
			f.status, http.StatusText(f.status)))
	case "cutoff":
		whole := p.whole(w, r)
		w.Header().Set("Content-Length", strconv.Itoa(len(whole.body)))
		w.WriteHeader(whole.status)
		w.Write(whole.body[:len(whole.body)/2])
		http.NewResponseController(w).Flush() // else the server drops the half with the connection
		panic(http.ErrAbortHandler)
	case "length":
		whole := p.whole(w, r)
		conn, buf, err := http.NewResponseController(w).Hijack() // net/http refuses to lie
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer conn.Close()
		h := w.Header().Clone()
		h.Set("Content-Length", strconv.Itoa(len(whole.body)*f.status/100))
		h.Set("Connection", "close")
		w.note(whole.status, len(whole.body))
		fmt.Fprintf(buf, "HTTP/1.1 %d %s\r\n", whole.status, http.StatusText(whole.status))
		h.Write(buf)
		buf.WriteString("\r\n")
		buf.Write(whole.body)
		buf.Flush()
	case "loris":
		whole := p.whole(w, r)
		w.Header().Set("Content-Length", strconv.Itoa(len(whole.body)))
		w.WriteHeader(whole.status)
		every := time.NewTicker(f.delay)
		defer every.Stop()
		for i := range whole.body {
			if _, err := w.Write(whole.body[i : i+1]); err != nil {
				panic(http.ErrAbortHandler)
			}
			http.NewResponseController(w).Flush()
			select {
			case <-every.C:
			case <-r.Context().Done():
				panic(http.ErrAbortHandler)
			}
		}
	case "endless":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		for n := int64(64 << 20); n > 0; n = writeHuge(w) {
		}
	case "redirect":
		w.Header().Set("Location", f.to)
		writeHTML(w, http.StatusFound, moved)
	case "captcha":
		writeHTML(w, http.StatusOK, captchaPage)
	case "challenge":
		writeHTML(w, http.StatusOK, challengePage)
	case "empty":
		writeHTML(w, http.StatusOK, "<html><head><meta charset=\"utf-8\"><title>数字报</title></head><body><table><tr><td></td></tr></table></body></html>\n")
	case "loop":
		n, _ := strconv.Atoi(r.URL.Query().Get("loop"))
		http.Redirect(w, r, r.URL.Path+"?loop="+strconv.Itoa(n+1), http.StatusFound)
	case "huge":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		writeHuge(w)
	case "bomb":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Encoding", "gzip")
		z, _ := gzip.NewWriterLevel(w, gzip.BestCompression)
		writeHuge(z)
		z.Close()
	case "down":
		panic(http.ErrAbortHandler)
	default:
		return false
	}
	return true
}

func writeHTML(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	io.WriteString(w, body)
}

// writeHuge writes 64 MiB of HTML and tells how many bytes; 0 where the client
// has left.
func writeHuge(w io.Writer) (sent int64) {
	io.WriteString(w, "<html><head><title>数字报</title></head><body>\n")
	chunk := bytes.Repeat([]byte("<p>本版正在制作，请稍后再来。</p>\n"), 64<<10/43)
	for sent < 64<<20 {
		n, err := w.Write(chunk)
		if err != nil {
			return 0
		}
		sent += int64(n)
	}
	return sent
}

// answered is a right answer before validators and compression.
type answered struct {
	kind    string // Content-Type with its parameters
	body    []byte
	changed time.Time // zero: the answer differs each time
	to      string
}

const (
	moved    = "<html><head><title>302 Found</title></head><body><center><h1>302 Found</h1></center></body></html>\n"
	notFound = "<html><head><title>404 Not Found</title></head><body><center><h1>404 Not Found</h1></center></body></html>\n"
)

// whole is the right answer in full, its body uncompressed; the header but for
// the length is set.
func (p *Publisher) whole(w http.ResponseWriter, r *http.Request) (whole struct {
	status int
	body   []byte
},
) {
	a := p.render(p.key(r), false)
	whole.status, whole.body = http.StatusOK, a.body
	switch {
	case a.to != "":
		whole.status, whole.body = http.StatusFound, []byte(moved)
		w.Header().Set("Location", a.to)
		a.kind = "text/html"
	case a.kind == "":
		whole.status, whole.body, a.kind = http.StatusNotFound, []byte(notFound), "text/html"
	}
	w.Header().Set("Content-Type", a.kind)
	return whole
}

// key is where the site holds what a request asks for: its path; the path and
// the sorted query where there is a document for just that; of a POST the
// parameters too, behind the method, or * for what an interface says of others.
func (p *Publisher) key(r *http.Request) string {
	path, query := r.URL.Path, r.URL.Query()
	if r.Method == http.MethodPost {
		r.ParseForm() // what it cannot read is no parameter
		path, query = "POST "+path, url.Values{}
		for k := range r.Form { // in query and body alike: once
			query.Set(k, r.Form.Get(k))
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.site == nil {
		p.site = p.build()
	}
	if full := path + "?" + query.Encode(); len(query) > 0 && p.site[full] != nil {
		return full
	}
	if len(query) > 0 && p.site[path+"?*"] != nil {
		return path + "?*"
	}
	return path
}

// render looks a key up; kind is empty where nothing is there. wrong swaps the
// charset below its label.
func (p *Publisher) render(key string, wrong bool) answered {
	p.mu.Lock()
	if p.site == nil {
		p.site = p.build()
	}
	f := p.site[key]
	if f == nil {
		p.mu.Unlock()
		return answered{}
	}
	a := answered{kind: f.kind, changed: f.changed, to: f.to}
	if f.text == nil {
		p.mu.Unlock()
		if f.data != nil {
			a.body = f.data()
		}
		return a
	}
	gb := f.charset == "gb18030"
	label := "utf-8"
	if gb != wrong {
		label = cmp.Or(layouts[p.form].label, "gb2312")
	}
	text := f.text(label)
	if p.opts.Noise && f.kind == "text/html" {
		p.noise++
		// The last one: an article of the new form has a document in its body.
		if i := strings.LastIndex(text, "</body>"); i >= 0 {
			text = text[:i] + fmt.Sprintf(advertisement, p.noise*7919%97, p.noise*13+20411) + text[i:]
		}
		a.changed = time.Time{}
	}
	p.mu.Unlock()
	a.body = []byte(text)
	if gb {
		// The papers' own tools know characters that GBK lacks: GB18030 has them all.
		a.body, _ = simplifiedchinese.GB18030.NewEncoder().Bytes(a.body)
	}
	if label == "utf-8" {
		a.kind += "; charset=utf-8"
	} else if wrong {
		a.kind += "; charset=" + label
	}
	return a
}

func (p *Publisher) serve(w http.ResponseWriter, r *http.Request, wrong bool) {
	a := p.render(p.key(r), wrong)
	switch {
	case r.Method == http.MethodPost && a.kind != "":
		if r.Header.Get("X-Requested-With") != "XMLHttpRequest" {
			writeHTML(w, http.StatusForbidden, "<html><head><title>403 Forbidden</title></head><body><center><h1>403 Forbidden</h1></center></body></html>\n")
			return
		}
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	case a.to != "":
		http.Redirect(w, r, a.to, http.StatusFound)
		return
	case a.kind == "":
		writeHTML(w, http.StatusNotFound, notFound)
		return
	}
	p.mu.RLock()
	validate := !p.opts.NoValidators && !a.changed.IsZero()
	squeeze := p.opts.Gzip && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") &&
		!strings.HasPrefix(a.kind, "image/") && a.kind != "application/pdf" // these are compressed already
	p.mu.RUnlock()
	h := w.Header()
	h.Set("Content-Type", a.kind)
	tag := fmt.Sprintf("%x", sha256.Sum256(a.body))[:16]
	if squeeze {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write(a.body)
		z.Close()
		a.body = b.Bytes()
		tag += "-gzip"
		h.Set("Content-Encoding", "gzip")
		h.Set("Vary", "Accept-Encoding")
	}
	if validate {
		h.Set("ETag", `"`+tag+`"`)
	} else {
		a.changed = time.Time{}
	}
	http.ServeContent(w, r, "", a.changed, bytes.NewReader(a.body))
}

const advertisement = `<div class="ad" style="text-align:center"><a href="http://ad.example/click?slot=%d"><img src="http://ad.example/banner.gif" width="468" height="60" alt="广告"></a> 本页已被访问 <b>%d</b> 次</div>
`

// The two walls below imitate the marks of real ones: a form that asks for the
// characters in a picture, and a script that reloads with a token.
const captchaPage = `<!DOCTYPE html><html><head><meta charset="utf-8"><title>安全验证</title></head>
<body><div class="captcha-box"><h3>访问过于频繁，请输入验证码后继续访问</h3>
<form action="/_waf/verify" method="post"><img id="captcha" src="/_waf/captcha.png" width="120" height="40" alt="验证码">
<input name="captcha" autocomplete="off"><button type="submit">提交验证</button></form></div></body></html>
`

const challengePage = `<!DOCTYPE html><html><head><meta charset="utf-8"><meta http-equiv="Cache-Control" content="no-store">
<script>function YunSuoAutoJump(){var s=screen.width+","+screen.height;if(-1==location.href.indexOf("security_verify_")){document.cookie="srcurl="+location.href+";path=/;";}self.location=location.pathname+"?security_verify_data="+s;}</script>
<script>setTimeout("YunSuoAutoJump()",50);</script></head></html>
`
