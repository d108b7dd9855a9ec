package syndicate

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"

	"paperwire/internal/paper"
)

// key names one rendered document: who is looking, and the canonical request
// URI, which holds scope, format and parameters. The base URL is no part of it,
// because a site with another base has another cache.
type key struct{ view, uri string }

// encoding is a content coding (RFC 9110 §8.4.1) that documents are kept in.
type encoding int

const (
	plain encoding = iota
	gzipped
	brotlied
	refused // nothing we have is acceptable
)

// variant is a document in one encoding, with its header values ready: a
// response assigns the slices into the header map and allocates nothing.
type variant struct {
	body   []byte // nil for plain once it was dropped
	etag   []string
	length []string
	coding []string // Content-Encoding; nil for plain
}

// entry is one rendered document. Everything but the fields marked below is
// written once, before the entry is shared.
type entry struct {
	key      key
	status   int
	header   []field // sent with 200 and 304 alike
	whole    []field // sent only with a body: a 304 should repeat no more than caches need (RFC 9110 §15.4.5)
	ctype    []string
	modified string // Last-Modified, empty where nothing was ever released
	variants [3]variant
	papers   []string // whose checks Paperwire-Checked tells of; nil: it is not sent
	count    counters

	parts   [][]string        // what its version derives from
	version paper.PartVersion // when it was rendered
	checks  *checks           // not nil: it also changes with the sources' health
	page    bool              // it may show anything: any change makes it stale
	small   bool              // kept in the small cache
	picture bool              // kept in the cache of pictures

	seen    atomic.Pointer[snapshot] // found fresh against this snapshot
	checked atomic.Pointer[checkedAt]
	retry   atomic.Int64 // not rendered again before this instant (Unix ns), after an error

	main, idle node // idle holds the uncompressed body, which few ask for
}

type field struct {
	name  string
	value []string
}

// node is an entry's place in the list of what was used when.
type node struct {
	prev, next *node
	of         *entry
	size       int64 // bytes; 0 while it is not in the list
}

// cache holds rendered documents up to a number of bytes; the least recently
// used goes first. Compressed and uncompressed bodies are counted, used and
// dropped apart: an uncompressed one can be had back by inflating.
type cache struct {
	mu      sync.Mutex
	max     int64
	used    int64
	entries map[key]*entry
	root    node // ring: root.next was used last, root.prev longest ago
}

// overhead is what an entry costs beside its bodies, in bytes: a generous guess.
const overhead = 2 << 10

func newCache(limit int64) *cache {
	c := &cache{max: limit, entries: map[key]*entry{}}
	c.root.prev, c.root.next = &c.root, &c.root
	return c
}

// get finds a document and marks it as used. It may be stale.
func (c *cache) get(view, uri string) *entry {
	c.mu.Lock()
	e := c.entries[key{view, uri}]
	if e != nil {
		c.touch(&e.main)
	}
	c.mu.Unlock()
	return e
}

// put keeps a document, in place of an older rendering: without its uncompressed body
// where there is no room for both. A document larger than the whole cache is not kept.
func (c *cache) put(e *entry) {
	main := int64(overhead + len(e.key.uri) + len(e.variants[gzipped].body) + len(e.variants[brotlied].body))
	body := int64(len(e.variants[plain].body))
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.entries[e.key]; old != nil {
		if old.version.Seq > e.version.Seq {
			return // a slower, earlier rendering must not replace a later one
		}
		c.drop(&old.main)
	}
	if main > c.max || main+body > c.max && e.variants[gzipped].body == nil {
		return
	}
	if main+body > c.max {
		e.variants[plain].body, body = nil, 0
	}
	c.entries[e.key] = e
	c.insert(&e.main, e, main)
	if body > 0 {
		c.insert(&e.idle, e, body)
	}
	c.shrink()
}

// remove forgets a document.
func (c *cache) remove(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries[e.key] == e {
		c.drop(&e.main)
	}
}

// body is a document in an encoding. An uncompressed body that was dropped is
// inflated, and kept again.
func (c *cache) body(e *entry, enc encoding) ([]byte, error) {
	if enc != plain {
		return e.variants[enc].body, nil
	}
	c.mu.Lock()
	b := e.variants[plain].body
	if b != nil {
		c.touch(&e.idle)
	}
	c.mu.Unlock()
	if b != nil {
		return b, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(e.variants[gzipped].body))
	if err != nil {
		return nil, err
	}
	if b, err = io.ReadAll(r); err != nil {
		return nil, err
	}
	c.mu.Lock()
	if c.entries[e.key] == e && e.idle.size == 0 && e.main.size+int64(len(b)) <= c.max {
		e.variants[plain].body = b
		c.insert(&e.idle, e, int64(len(b)))
		c.shrink()
	}
	c.mu.Unlock()
	return b, nil
}

// stats tells how many bytes and documents are held.
func (c *cache) stats() (size int64, documents int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used, len(c.entries)
}

// The methods below expect the lock to be held.

func (c *cache) insert(n *node, e *entry, size int64) {
	n.of, n.size = e, size
	n.next, n.prev = c.root.next, &c.root
	n.next.prev, n.prev.next = n, n
	c.used += size
}

func (c *cache) touch(n *node) {
	if n.size == 0 || c.root.next == n {
		return
	}
	n.prev.next, n.next.prev = n.next, n.prev
	n.next, n.prev = c.root.next, &c.root
	n.next.prev, n.prev.next = n, n
}

func (c *cache) shrink() {
	for c.used > c.max && c.root.prev != &c.root {
		c.drop(c.root.prev)
	}
}

// drop takes a node out; with the main node goes the whole entry. A document
// that was never compressed goes whole too: there is nothing to inflate.
func (c *cache) drop(n *node) {
	e := n.of
	unlink := func(n *node) {
		if n.size != 0 {
			n.prev.next, n.next.prev = n.next, n.prev
			c.used -= n.size
			n.prev, n.next, n.size = nil, nil, 0
		}
	}
	if n == &e.idle && e.variants[gzipped].body != nil {
		unlink(n)
		e.variants[plain].body = nil
		return
	}
	unlink(&e.main)
	unlink(&e.idle)
	delete(c.entries, e.key)
}

// Bodies shorter than this are not compressed: they fit one packet anyway.
const compressFrom = 512

var (
	gzips   = sync.Pool{New: func() any { w, _ := gzip.NewWriterLevel(nil, 7); return w }}
	brotlis = sync.Pool{New: func() any { return brotli.NewWriterLevel(nil, 5) }}
)

// encode makes the variants of a body: once per change, never per request.
func encode(body []byte) (v [3]variant) {
	v[plain] = newVariant(body, "")
	if len(body) < compressFrom {
		return v
	}
	var buf bytes.Buffer
	zw := gzips.Get().(*gzip.Writer)
	zw.Reset(&buf)
	zw.Write(body)
	zw.Close()
	gzips.Put(zw)
	if buf.Len() < len(body) {
		v[gzipped] = newVariant(bytes.Clone(buf.Bytes()), "gzip")
	}
	buf.Reset()
	bw := brotlis.Get().(*brotli.Writer)
	bw.Reset(&buf)
	bw.Write(body)
	bw.Close()
	brotlis.Put(bw)
	if v[gzipped].body != nil && buf.Len() < len(body) {
		v[brotlied] = newVariant(bytes.Clone(buf.Bytes()), "br")
	}
	return v
}

// newVariant prepares a body. The ETag is strong and a hash of these very bytes,
// so that each encoding has its own (RFC 9110 §8.8.3.3).
func newVariant(body []byte, coding string) variant {
	sum := sha256.Sum256(body)
	v := variant{
		body:   body,
		etag:   []string{`"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`},
		length: []string{strconv.Itoa(len(body))},
	}
	if coding != "" {
		v.coding = []string{coding}
	}
	return v
}

// pick is the variant to answer with: the asked encoding, or the plain one of a
// document that is not compressed.
func (e *entry) pick(enc encoding) (encoding, *variant) {
	if e.variants[enc].etag == nil {
		enc = plain
	}
	return enc, &e.variants[enc]
}

// Header values that never change. They are shared: whoever wants to change one
// replaces it.
var (
	anyone     = []string{"*"}
	exposed    = []string{"ETag, Last-Modified, Link, Paperwire-Checked"}
	noSniff    = []string{"nosniff"}
	varies     = []string{"Accept-Encoding"}
	oneMinute  = []string{"public, max-age=60"}
	oneHour    = []string{"public, max-age=3600"}
	notToStore = []string{"no-store"}
)

var _ http.Handler = (*Syndicate)(nil)
