package wechat

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

//go:embed share.js
var script []byte

var scriptTag = func() string {
	sum := sha256.Sum256(script)
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}()

// serveScript answers /wechat/share.js.
func serveScript(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=3600")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin") // pages of partners have it too
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("ETag", scriptTag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(script))
}

// sign is the signature of the JS-SDK: the SHA-1 over raw values.
func sign(ticket, nonce string, timestamp int64, page string) string {
	sum := sha1.Sum(fmt.Appendf(nil, "jsapi_ticket=%s&noncestr=%s&timestamp=%d&url=%s", ticket, nonce, timestamp, page))
	return hex.EncodeToString(sum[:])
}

// pageConfig is what wx.config wants.
type pageConfig struct {
	AppID     string   `json:"appId"`
	Timestamp int64    `json:"timestamp"`
	Nonce     string   `json:"nonceStr"`
	Signature string   `json:"signature"`
	APIs      []string `json:"jsApiList"`
}

var pageAPIs = []string{"updateAppMessageShareData", "updateTimelineShareData"}

// maxPage is how long the address of a page may be, in bytes.
const maxPage = 2048

var errDomain = errors.New("pages of this domain are not signed for: the operator names those that are in wechat.domains")

// page reads the address of a page that wants to share: as it stands, without its
// fragment, because that is what is signed.
func (a *Account) page(raw string) (string, error) {
	raw, _, _ = strings.Cut(raw, "#")
	if raw == "" {
		return "", errors.New("url is missing: the address of the page, as location.href has it")
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.Opaque != "" || len(raw) > maxPage || strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }) {
		return "", errors.New("url is no address of a page, as location.href has it")
	}
	if !a.domains[strings.ToLower(u.Hostname())] {
		return "", errDomain
	}
	return raw, nil
}

// serveConfig answers /wechat/jssdk?url=.
func (a *Account) serveConfig(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Access-Control-Allow-Origin", "*") // a signature is of use on the page that it is for
	h.Set("X-Content-Type-Options", "nosniff")
	page, err := a.page(r.URL.Query().Get("url"))
	if err != nil {
		status := http.StatusBadRequest
		if errors.Is(err, errDomain) {
			status = http.StatusForbidden
		}
		problem(w, r, status, err.Error())
		return
	}
	ticket, err := a.ticket.get(r.Context(), "")
	var nonce string
	if err == nil {
		nonce, err = a.nonce()
	}
	if err != nil {
		// What is wrong is told to the operator, once, where it was found out.
		a.o.Log.Debug("wechat: a page is not signed for", "page", page, "error", err)
		h.Set("Retry-After", "60")
		problem(w, r, http.StatusServiceUnavailable, "WeChat does not let pages be signed at the moment")
		return
	}
	now := a.o.Now().Unix()
	h.Set("Content-Type", "application/json")
	b := jsonOf(pageConfig{a.o.AppID, now, nonce, sign(ticket, nonce, now, page), pageAPIs}).body
	if r.Method != http.MethodHead {
		w.Write(b)
	}
}

// nonce is a random text of 16 letters and digits.
func (a *Account) nonce() (string, error) {
	var b [8]byte
	if _, err := io.ReadFull(a.o.Rand, b[:]); err != nil {
		return "", fmt.Errorf("nonce: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

// problem writes RFC 9457 JSON.
func problem(w http.ResponseWriter, r *http.Request, status int, detail string) {
	b, err := json.Marshal(map[string]any{"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail})
	if err != nil {
		panic(err) // strings and a number
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(append(b, '\n'))
	}
}

// short names something long in a memo.
func short(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return base64.RawURLEncoding.EncodeToString(sum[:18])
}
