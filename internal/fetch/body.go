package fetch

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
)

// readBody reads a whole body and undoes its compression, both within limit
// bytes, so that neither a large file nor a bomb takes more. A body that ends
// before its Content-Length, its last chunk or its compressed stream does is an
// error: half a page would be taken for a page whose articles were withdrawn.
func readBody(resp *http.Response, limit int64) (body []byte, wire int64, err error) {
	tooLarge := func() error { return fmt.Errorf("%w: over %d bytes", ErrTooLarge, limit) }
	if resp.ContentLength > limit {
		return nil, 0, tooLarge()
	}
	raw := &capped{r: resp.Body, left: limit}
	body, whole, err := inflate(raw, resp, limit)
	if err == nil && whole {
		// A compressed stream may end before the body does, and a cut would show
		// only there.
		_, err = io.Copy(io.Discard, raw)
	}
	switch {
	case raw.left < 0 || err == nil && !whole:
		return nil, limit - raw.left, tooLarge()
	case err != nil:
		return nil, limit - raw.left, fmt.Errorf("read body: %w", err)
	}
	return body, limit - raw.left, nil
}

// readHead reads at most n bytes of a body, after decompression; whole tells
// that there are no more. What follows is not waited for.
func readHead(resp *http.Response, n int64) (head []byte, whole bool, wire int64, err error) {
	const most = 1 << 20 // of the wire: compressed nothings may go on for ever
	raw := &capped{r: resp.Body, left: most}
	head, whole, err = inflate(raw, resp, n)
	if err != nil {
		err = fmt.Errorf("read body: %w", err)
	}
	return head, whole, most - raw.left, err
}

// capped stops a reader that gives more than it should. left is negative once it did.
type capped struct {
	r    io.Reader
	left int64
}

func (c *capped) Read(p []byte) (int, error) {
	if c.left < 0 {
		return 0, ErrTooLarge
	}
	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1]
	}
	n, err := c.r.Read(p)
	c.left -= int64(n)
	if c.left < 0 {
		err = ErrTooLarge
	}
	return n, err
}

// inflate reads at most n bytes of what raw holds, decompressed.
func inflate(raw io.Reader, resp *http.Response, n int64) (out []byte, whole bool, err error) {
	r, done, err := decompressed(raw, resp.Header)
	if err != nil {
		return nil, false, err
	}
	defer done()
	// Growing happens in a used buffer; what leaves is a copy of the right size.
	scratch := scratches.Get().(*[]byte)
	buf := (*scratch)[:0]
	defer func() {
		if cap(buf) <= 1<<20 {
			*scratch = buf[:0]
			scratches.Put(scratch)
		}
	}()
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		k, err := r.Read(buf[len(buf):min(int64(cap(buf)), n+1)])
		buf = buf[:len(buf)+k]
		switch {
		case int64(len(buf)) > n:
			return bytes.Clone(buf[:n]), false, nil
		case err == io.EOF, errors.Is(err, gzip.ErrHeader):
			// Some servers append zero bytes to a gzip stream; browsers ignore them.
			return bytes.Clone(buf), true, nil
		case err != nil:
			return nil, false, err
		}
	}
}

var (
	gzips   sync.Pool // *gzip.Reader
	brotlis sync.Pool // *brotli.Reader
	buffers = sync.Pool{New: func() any { return bufio.NewReader(nil) }}

	scratches = sync.Pool{New: func() any { b := make([]byte, 0, 64<<10); return &b }}
)

// decompressed undoes Content-Encoding; done gives the readers back.
func decompressed(raw io.Reader, head http.Header) (r io.Reader, done func(), err error) {
	var codings []string
	for _, v := range head.Values("Content-Encoding") {
		for name := range strings.SplitSeq(v, ",") {
			if name = strings.ToLower(strings.TrimSpace(name)); name != "" && name != "identity" {
				codings = append(codings, name)
			}
		}
	}
	switch len(codings) {
	case 0:
		return raw, func() {}, nil
	case 1:
	default:
		return nil, nil, fmt.Errorf("content encoding %q: one is undone, not several", codings)
	}
	b := buffers.Get().(*bufio.Reader)
	b.Reset(raw)
	giveBack := func() { b.Reset(nil); buffers.Put(b) }
	first, err := b.Peek(2)
	if err != nil && err != io.EOF {
		giveBack()
		return nil, nil, err
	}
	if len(first) == 0 { // nothing, whatever it claims to be
		return b, giveBack, nil
	}
	switch codings[0] {
	case "gzip", "x-gzip":
		// Some servers put the label on what a script already sent plain.
		if !bytes.Equal(first, []byte{0x1f, 0x8b}) {
			return b, giveBack, nil
		}
		z, _ := gzips.Get().(*gzip.Reader)
		if z == nil {
			z = new(gzip.Reader)
		}
		if err := z.Reset(b); err != nil {
			giveBack()
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, nil, fmt.Errorf("gzip: %w", err)
		}
		return z, func() { gzips.Put(z); giveBack() }, nil
	case "br":
		z, _ := brotlis.Get().(*brotli.Reader)
		if z == nil {
			z = new(brotli.Reader)
		}
		if err := z.Reset(b); err != nil {
			giveBack()
			return nil, nil, fmt.Errorf("brotli: %w", err)
		}
		return z, func() { brotlis.Put(z); giveBack() }, nil
	case "deflate":
		// The standard means zlib (RFC 9110 §8.4.1.2); bare deflate is as common.
		if len(first) == 2 && first[0]&0x0f == 8 && (uint(first[0])<<8|uint(first[1]))%31 == 0 {
			z, err := zlib.NewReader(b)
			if err != nil {
				giveBack()
				return nil, nil, fmt.Errorf("deflate: %w", err)
			}
			return z, giveBack, nil
		}
		return flate.NewReader(b), giveBack, nil
	}
	giveBack()
	return nil, nil, fmt.Errorf("content encoding %q: not known", codings[0])
}
