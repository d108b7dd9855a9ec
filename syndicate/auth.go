package syndicate

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// operator lets only requests with the operator key through. Where a request
// comes from is no credential: a proxy on the same machine looks like loopback.
func (s *Syndicate) operator(st *site, h http.Handler) http.Handler {
	may := st.operates()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !may(r) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="paperwire"`)
			w.Header()["Cache-Control"] = notToStore
			writeProblem(w, r, http.StatusUnauthorized, "this needs the operator key: send Authorization: Bearer KEY or Paperwire-Key: KEY")
			return
		}
		w.Header()["Cache-Control"] = notToStore
		h.ServeHTTP(w, r)
	})
}

// operates tells which requests carry the operator key.
func (st *site) operates() func(*http.Request) bool {
	// Hashes have one length, so comparing them tells nothing about the key's.
	want := sha256.Sum256([]byte(st.OperatorKey))
	open := st.OperatorKey != ""
	return func(r *http.Request) bool {
		got := sha256.Sum256([]byte(presented(r)))
		return open && subtle.ConstantTimeCompare(got[:], want[:]) == 1
	}
}

// seal is the HMAC of a text under a key that is made of the operator key for the
// sessions of the desk and serves nothing else; nil where there is no operator key.
func (st *site) seal() func(text string) []byte {
	if st.OperatorKey == "" {
		return nil
	}
	key := hmac.New(sha256.New, []byte(st.OperatorKey))
	key.Write([]byte("sessions at the desk"))
	secret := key.Sum(nil)
	return func(text string) []byte {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(text))
		return mac.Sum(nil)
	}
}

// presented is the key a request carries (RFC 6750 §2.1, or our own field).
func presented(r *http.Request) string {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	return r.Header.Get("Paperwire-Key")
}
