package syndicate

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"paperwire/internal/paper"
)

func sized(name string, n int, seq int64) *entry {
	// Text that compresses to about a third, like a feed.
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "%s %d 秋收 %x;", name, i, i*2654435761)
	}
	return &entry{key: key{"public", name}, variants: encode([]byte(b.String())), version: paper.PartVersion{Seq: seq}}
}

// The cache never holds more than it may, counts what it holds, gives back what
// was put, and drops what was used longest ago.
func TestCacheProperty(t *testing.T) {
	bodies := map[string][]byte{}
	made := map[string]*entry{}
	for i := range 12 {
		name := fmt.Sprintf("/feeds/%d", i)
		e := sized(name, 2000*(i+1), 1)
		made[name], bodies[name] = e, bytes.Clone(e.variants[plain].body)
	}
	rapid.Check(t, func(t *rapid.T) {
		c := newCache(int64(rapid.IntRange(1000, 80_000).Draw(t, "limit")))
		var order []string // of use, latest last
		used := func(name string) {
			order = append(slices.DeleteFunc(order, func(s string) bool { return s == name }), name)
		}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				name := fmt.Sprintf("/feeds/%d", rapid.IntRange(0, 11).Draw(t, "i"))
				have := made[name]
				e := &entry{key: have.key, variants: have.variants, version: have.version}
				c.put(e)
				used(name)
			},
			"get": func(t *rapid.T) {
				name := fmt.Sprintf("/feeds/%d", rapid.IntRange(0, 11).Draw(t, "i"))
				e := c.get("public", name)
				if e == nil {
					return
				}
				used(name)
				enc := encoding(rapid.IntRange(0, 2).Draw(t, "encoding"))
				b, err := c.body(e, enc)
				if err != nil {
					t.Fatal(err)
				}
				if enc == plain && !bytes.Equal(b, bodies[name]) {
					t.Fatalf("%s came back as %d other bytes", name, len(b))
				}
			},
			"": func(t *rapid.T) {
				var total int64
				for n := c.root.next; n != &c.root; n = n.next {
					total += n.size
					if c.entries[n.of.key] != n.of {
						t.Fatalf("%s is in the list, not in the map", n.of.key.uri)
					}
				}
				if total != c.used || total > c.max {
					t.Fatalf("holds %d, counts %d, may hold %d", total, c.used, c.max)
				}
				// Whoever is still there was used after whoever is gone, unless it is
				// larger than the whole cache.
				gone := -1
				for i, name := range order {
					if c.entries[key{"public", name}] == nil && made[name] != nil && int64(overhead+len(bodies[name])*2) < c.max {
						gone = i
					}
				}
				for i, name := range order {
					if i < gone && c.entries[key{"public", name}] != nil {
						t.Fatalf("%s went before %s, which was used earlier", order[gone], name)
					}
				}
			},
		})
	})
}

func TestCacheKeepsTheLaterRendering(t *testing.T) {
	c := newCache(1 << 20)
	late, early := sized("/feeds/all.rss", 3000, 7), sized("/feeds/all.rss", 3000, 6)
	c.put(late)
	c.put(early)
	if c.get("public", "/feeds/all.rss") != late {
		t.Error("a slower, earlier rendering replaced the later one")
	}
}

// An uncompressed body goes before the document does, and comes back.
func TestCacheDropsUncompressedFirst(t *testing.T) {
	e := sized("/feeds/all.rss", 30_000, 1)
	want := bytes.Clone(e.variants[plain].body)
	c := newCache(int64(overhead+len(e.variants[gzipped].body)+len(e.variants[brotlied].body)+len(want)) + 100)
	c.put(e)
	for range 3 {
		c.get("public", "/feeds/all.rss")
	}
	c.put(sized("/feeds/other.rss", 3000, 1))
	if c.get("public", "/feeds/all.rss") != e || e.variants[plain].body != nil {
		t.Fatal("the uncompressed body should have gone, and only that")
	}
	got, err := c.body(e, plain)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("inflated to %d bytes (%v), want the %d that were put", len(got), err, len(want))
	}
}

// A document that has no room whole is kept compressed, and does not push out the rest
// when somebody wants it otherwise.
func TestCacheKeepsLargeOnesCompressed(t *testing.T) {
	e := sized("/feeds/all/archive/2017-09-07.rss", 300_000, 1)
	want := bytes.Clone(e.variants[plain].body)
	c := newCache(int64(len(want)))
	small := sized("/feeds/other.rss", 3000, 1)
	c.put(small)
	c.put(e)
	if got, err := c.body(e, plain); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("inflated to %d bytes (%v), want the %d that were put", len(got), err, len(want))
	}
	if c.get("public", e.key.uri) != e || c.get("public", small.key.uri) != small || c.used > c.max {
		t.Errorf("%d bytes, at most %d; large %v, small %v", c.used, c.max, c.get("public", e.key.uri) == e, c.get("public", small.key.uri) == small)
	}
}

// Browsers tell their languages in many ways, and there are two languages.
func TestPagesByLanguage(t *testing.T) {
	s, _ := open(t, newMemory())
	catchUp(t, s)
	st := s.site.Load()
	_, before := st.cache.stats()
	for i := range 60 {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Language", fmt.Sprintf("zh-CN,zh;q=0.%02d", i+10))
		s.ServeHTTP(httptest.NewRecorder(), r)
	}
	for i := range 60 {
		r := httptest.NewRequest("GET", fmt.Sprintf("/?x=%d", i), nil)
		s.ServeHTTP(httptest.NewRecorder(), r)
	}
	if _, now := st.cache.stats(); now != before+1 {
		t.Errorf("%d pages are kept in the large cache, want 1", now-before)
	}
}

// What one view sees is never sent to another.
func TestCacheKeepsViewsApart(t *testing.T) {
	s, _ := open(t, newMemory())
	catchUp(t, s)
	const uri = "/feeds/all.rss"
	secret := &entry{key: key{"partner", uri}, variants: encode([]byte("only for the partner")), page: true, checks: s.health.Load(), status: 200}
	secret.seen.Store(s.snap.Load())
	s.site.Load().cache.put(secret)
	if got := body(t, ask(s, "GET", uri)); strings.Contains(got, "partner") {
		t.Error("the public was sent a partner's bytes")
	}
	if s.site.Load().cache.get("partner", uri) != secret {
		t.Error("the public's rendering took the partner's place")
	}
}
