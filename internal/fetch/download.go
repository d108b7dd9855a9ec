package fetch

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net/http"
)

// Download gets a whole picture of at most limit bytes and tells its size in
// pixels. Its bytes say what it is, whatever its label says; nothing of it is
// remembered. Errors as for Get, and ErrNotPicture.
func (c *Client) Download(ctx context.Context, url, referer string, limit int64) (Picture, []byte, error) {
	d, err := c.Get(ctx, Request{
		URL: url, Referer: referer, MaxBody: limit, Fresh: true, Defer: true, Raw: true,
		Header: http.Header{"Accept": {"image/jpeg,image/png,image/gif,image/webp,*/*;q=0.5"}},
	})
	if err != nil {
		return Picture{}, nil, err
	}
	p, err := parsePicture(d.Raw)
	if err == nil && !ends(p.Type, d.Raw) {
		err = fmt.Errorf("%w: it breaks off", ErrNotPicture)
	}
	if err != nil {
		return Picture{}, nil, fmt.Errorf("get %s: %w", d.URL, err)
	}
	p.Length = int64(len(d.Raw))
	return p, d.Raw, nil
}

// ends reports whether a picture has its end: an upload that broke off is stored
// cut at the publisher's, and served with the length that it has. Cameras and
// scripts append up to a few KB behind the end.
func ends(kind string, b []byte) bool {
	tail := b[max(0, len(b)-16<<10):]
	switch kind {
	case "image/jpeg":
		return bytes.Contains(tail, []byte{0xFF, 0xD9})
	case "image/png":
		return bytes.Contains(tail, []byte("IEND"))
	case "image/gif":
		return bytes.IndexByte(tail, 0x3B) >= 0
	case "image/webp": // RIFF: the length of what follows the first eight bytes
		return int64(binary.LittleEndian.Uint32(b[4:]))+8 <= int64(len(b))
	}
	return false
}
