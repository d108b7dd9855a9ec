package web

import (
	"crypto/hmac"
	"encoding/hex"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A session at the desk is a cookie that holds its end and a seal of it. Nothing
// of it is kept here, so that every process knows it, and another operator key
// ends it.
const (
	sessionName  = "paperwire_desk"
	sessionLasts = 12 * time.Hour
	triesAtOnce  = 64 // keys that are tried at one time; with the pause, as many a second
	triesOfOne   = 4  // of them by one client: nobody keeps others from coming in
)

// tries counts the keys that are being tried. The zero value is ready.
type tries struct {
	mu  sync.Mutex
	of  map[netip.Prefix]int
	all int
}

// begin takes a place, unless all are taken.
func (t *tries) begin(who netip.Prefix) (end func(), ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all >= triesAtOnce || t.of[who] >= triesOfOne {
		return nil, false
	}
	if t.of == nil {
		t.of = map[netip.Prefix]int{}
	}
	t.all++
	t.of[who]++
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.all--
		if t.of[who]--; t.of[who] == 0 {
			delete(t.of, who)
		}
	}, true
}

// signedIn reports whether a request comes from the operator: with the key in a
// header, or with a session.
func (s *Site) signedIn(r *http.Request) bool {
	if s.opts.Operator(r) {
		return true
	}
	if s.opts.Seal == nil {
		return false
	}
	// A neighbouring host may have set one of the same name: any that is ours will do.
	for _, c := range r.CookiesNamed(sessionName) {
		end, seal, _ := strings.Cut(c.Value, ".")
		seconds, err := strconv.ParseInt(end, 10, 64)
		if err != nil || len(end) > 12 {
			continue
		}
		left := time.Unix(seconds, 0).Sub(s.opts.Now())
		given, err := hex.DecodeString(seal)
		if err == nil && left > 0 && left <= sessionLasts && hmac.Equal(given, s.opts.Seal(end)) {
			return true
		}
	}
	return false
}

// fromHere refuses what a form of another site sends (Sec-Fetch-Site, else Origin).
func (s *Site) fromHere(h http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	// A proxy may call us by another name than the one readers use.
	if err := guard.AddTrustedOrigin(s.opts.Base); err != nil {
		s.opts.Log.Warn("only the Host field tells where a form comes from", "url", s.opts.Base, "error", err)
	}
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.Error(w, r, http.StatusForbidden, localeOf(r).plain("desk_foreign"))
	}))
	return guard.Handler(h)
}

// door answers the forms by which the operator comes and goes.
func (s *Site) door(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	if err := r.ParseForm(); err != nil {
		s.Error(w, r, http.StatusBadRequest, "")
		return
	}
	if r.PostForm.Has("leave") {
		s.setSession(w, "", -1)
		s.toDesk(w, r)
		return
	}
	// Who finds all places taken is not told anything of the key.
	end, ok := s.tries.begin(s.opts.Client(r))
	if !ok {
		w.Header().Set("Retry-After", "5")
		s.signIn(w, r, http.StatusTooManyRequests, "desk_busy")
		return
	}
	defer end()
	key := strings.TrimSpace(r.PostForm.Get("key"))
	if s.opts.Seal == nil || key == "" || !s.opts.Operator(&http.Request{Header: http.Header{"Paperwire-Key": {key}}}) {
		s.opts.Log.Warn("wrong operator key", "url", r.URL.Path)
		select {
		case <-time.After(s.pause):
		case <-r.Context().Done():
		}
		s.signIn(w, r, http.StatusUnauthorized, "desk_wrong")
		return
	}
	until := strconv.FormatInt(s.opts.Now().Add(sessionLasts).Unix(), 10)
	s.setSession(w, until+"."+hex.EncodeToString(s.opts.Seal(until)), int(sessionLasts/time.Second))
	s.toDesk(w, r)
}

func (s *Site) setSession(w http.ResponseWriter, value string, seconds int) {
	http.SetCookie(w, &http.Cookie{
		Name: sessionName, Value: value, Path: "/desk", MaxAge: seconds, HttpOnly: true,
		SameSite: http.SameSiteStrictMode, Secure: strings.HasPrefix(s.opts.Base, "https:"),
	})
}

// toDesk leads back to what was asked for, by GET.
func (s *Site) toDesk(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, (&url.URL{Path: "/desk", RawQuery: r.URL.RawQuery}).String(), http.StatusSeeOther)
}

// signInBody is the form that asks for the key.
type signInBody struct {
	Action string // where it is sent: what was asked for is kept
	Wrong  string // message key of why the key was not taken; empty at first
}

func (s *Site) signIn(w http.ResponseWriter, r *http.Request, status int, wrong string) {
	p := s.page(r, "desk_title")
	p.NoIndex, p.caching = true, "no-store"
	p.Body = signInBody{Action: (&url.URL{Path: "/desk", RawQuery: r.URL.RawQuery}).String(), Wrong: wrong}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="paperwire"`)
	}
	s.write(w, r, status, "signin", p)
}
