package syndicate

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAccepted(t *testing.T) {
	for field, want := range map[string]encoding{
		"":                                plain,
		"gzip":                            gzipped,
		"gzip, deflate":                   gzipped,
		"gzip, deflate, br":               brotlied,
		"gzip, deflate, br, zstd":         brotlied,
		"br;q=0.5, gzip;q=0.8":            gzipped,
		"BR;Q=1.000 , GZip;q=0.999":       brotlied,
		"x-gzip":                          gzipped,
		"*":                               gzipped,
		"*;q=0":                           refused,
		"identity":                        plain,
		"identity;q=1, gzip;q=0.5":        plain,
		"identity;q=0.5, gzip;q=0.5":      gzipped,
		"gzip;q=0":                        plain,
		"gzip;q=0, *":                     plain,
		"gzip;q=0, br;q=0, identity;q=0":  refused,
		"identity;q=0":                    refused,
		"identity;q=0, br":                brotlied,
		"deflate":                         plain,
		"gzip;q=2":                        plain,
		"gzip;q=0.0001":                   plain,
		"gzip;q=":                         plain,
		"gzip; q=0.3 ; level=9":           gzipped,
		",,gzip,,":                        gzipped,
		"gzipped, brotli":                 plain,
		"*;q=0, identity;q=0.1":           plain,
		"*;q=0.5, identity;q=0, gzip;q=0": refused,
	} {
		if got := accepted([]string{field}); got != want {
			t.Errorf("accepted(%q) = %d, want %d", field, got, want)
		}
	}
	if got := accepted(nil); got != plain {
		t.Errorf("without the field: %d, want plain", got)
	}
	if got := accepted([]string{"deflate", "br"}); got != brotlied {
		t.Errorf("two fields: %d, want br", got)
	}
}

// Whatever the field says, the choice is never one that it excludes, and never
// worse than another that it offers.
func TestAcceptedProperty(t *testing.T) {
	names := map[encoding]string{plain: "identity", gzipped: "gzip", brotlied: "br"}
	rapid.Check(t, func(t *rapid.T) {
		weights := map[string]int{}
		var list []string
		for _, name := range rapid.Permutation([]string{"gzip", "br", "identity", "deflate", "zstd"}).Draw(t, "order") {
			if !rapid.Bool().Draw(t, "named "+name) {
				continue
			}
			q := rapid.SampledFrom([]int{0, 1, 250, 500, 999, 1000}).Draw(t, "q of "+name)
			weights[name] = q
			item := fmt.Sprintf("%s;q=%d.%03d", name, q/1000, q%1000)
			if q == 1000 && rapid.Bool().Draw(t, "bare") {
				item = name
			}
			list = append(list, item)
		}
		got := accepted([]string{strings.Join(list, rapid.SampledFrom([]string{",", ", ", " ,"}).Draw(t, "comma"))})
		if got == refused {
			if q, named := weights["identity"]; !named || q > 0 {
				t.Fatalf("%v: refused, but identity is acceptable", list)
			}
			return
		}
		q, named := weights[names[got]]
		if named && q == 0 || !named && got != plain {
			t.Fatalf("%v: chose %s, which is not acceptable", list, names[got])
		}
		for e, name := range names {
			if weights[name] > q {
				t.Fatalf("%v: chose %s (%d), but %s has %d (%d)", list, names[got], q, name, weights[name], e)
			}
		}
	})
}

func TestListed(t *testing.T) {
	for list, want := range map[string]bool{
		`"a"`: true, `W/"a"`: true, `*`: true, `"b", "a"`: true, `"b","a"`: true, `W/"b" , W/"a"`: true, ` "a" `: true,
		`"b", *`: true, ``: false, `"b"`: false, `a`: false, `"a`: false, `"A"`: false, `"aa"`: false, `w/"a"`: false, `"b" x "a"`: false,
	} {
		if got := listed(list, `"a"`); got != want {
			t.Errorf("listed(%s) = %v, want %v", list, got, want)
		}
	}
}

func FuzzListed(f *testing.F) {
	f.Add(`W/"a", "b"`)
	f.Add(`"`)
	f.Fuzz(func(t *testing.T, list string) {
		listed(list, `"tag"`)
		accepted([]string{list})
		if !listed(`"x", `+`"tag"`+list, `"tag"`) {
			t.Error("what follows a match undid it")
		}
	})
}

// A conditional request is answered with 304 exactly when the client names the
// bytes it would get, or, naming none, has them by date.
func TestUnchangedProperty(t *testing.T) {
	m := newMemory()
	s, _ := open(t, m)
	const url = "/feeds/all.rss"
	tags := map[string]string{}
	var modified time.Time
	for _, enc := range []string{"identity", "gzip", "br"} {
		r := ask(s, "GET", url, "Accept-Encoding", enc)
		tags[enc] = r.Header.Get("ETag")
		modified, _ = http.ParseTime(r.Header.Get("Last-Modified"))
	}
	if tags["gzip"] == tags["br"] || tags["gzip"] == tags["identity"] || tags["br"] == tags["identity"] {
		t.Fatalf("encodings share an ETag: %v", tags)
	}
	rapid.Check(t, func(t *rapid.T) {
		enc := rapid.SampledFrom([]string{"identity", "gzip", "br"}).Draw(t, "encoding")
		headers := []string{"Accept-Encoding", enc}
		want := http.StatusOK
		named := rapid.SliceOfN(rapid.SampledFrom([]string{tags["identity"], tags["gzip"], tags["br"], `"other"`, "*"}), 0, 4).Draw(t, "tags")
		if len(named) > 0 {
			for i, tag := range named {
				if tag == tags[enc] || tag == "*" {
					want = http.StatusNotModified
				}
				if tag != "*" && rapid.Bool().Draw(t, "weak") {
					named[i] = "W/" + tag
				}
			}
			headers = append(headers, "If-None-Match", strings.Join(named, ", "))
		}
		if rapid.Bool().Draw(t, "dated") {
			off := rapid.IntRange(-100, 100).Draw(t, "seconds")
			headers = append(headers, "If-Modified-Since", modified.Add(time.Duration(off)*time.Second).Format(http.TimeFormat))
			if len(named) == 0 && off >= 0 {
				want = http.StatusNotModified
			}
		}
		method := rapid.SampledFrom([]string{"GET", "HEAD"}).Draw(t, "method")
		r := ask(s, method, url, headers...)
		if r.StatusCode != want {
			t.Fatalf("%s %v: %d, want %d", method, headers, r.StatusCode, want)
		}
		if r.Header.Get("ETag") != tags[enc] || r.Header.Get("Vary") != "Accept-Encoding" || r.Header.Get("Cache-Control") == "" {
			t.Fatalf("%v: headers %v", headers, r.Header)
		}
		length := r.ContentLength
		if want == http.StatusNotModified || method == "HEAD" {
			b := make([]byte, 1)
			if n, _ := r.Body.Read(b); n != 0 {
				t.Fatalf("%s %d has a body (length %d)", method, want, length)
			}
		}
	})
}
