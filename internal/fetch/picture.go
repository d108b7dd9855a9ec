package fetch

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// headBytes is how much of a picture is asked for: EXIF data of up to 64 KB
// stands before a JPEG's size, but most is far shorter.
const headBytes = 64 << 10

// picture is Picture for a checked URL.
func (c *Client) picture(ctx context.Context, first *url.URL, referer string) (p Picture, err error) {
	err = c.run(ctx, &errand{
		first: first, robots: true, hops: c.opts.MaxRedirects, limit: c.opts.Timeout, budget: c.opts.Timeout,
		prepare: func(_ context.Context, _ *url.URL, head http.Header) {
			head.Set("Accept", "image/jpeg,image/png,image/gif,image/webp,*/*;q=0.5")
			head.Set("Accept-Encoding", "identity")
			head.Set("Range", "bytes=0-"+strconv.Itoa(headBytes-1))
			if referer != "" {
				head.Set("Referer", referer)
			}
		},
		answer: func(u *url.URL, resp *http.Response, a answered) (int64, error) {
			total := int64(0)
			switch resp.StatusCode {
			case http.StatusPartialContent:
				var ok bool
				if total, ok = rangeTotal(resp.Header.Get("Content-Range")); !ok {
					return 0, fmt.Errorf("asked for the first bytes and got %q", resp.Header.Get("Content-Range"))
				}
			case http.StatusOK: // does not know ranges: read as much and hang up
				if resp.Header.Get("Content-Encoding") == "" {
					total = max(resp.ContentLength, 0)
				}
			default:
				drain(resp.Body)
				return 0, a.status(u, resp)
			}
			head, whole, wire, err := readHead(resp, headBytes)
			if err != nil {
				return wire, err
			}
			if whole && resp.StatusCode == http.StatusOK {
				total = int64(len(head))
			} else if total < int64(len(head)) {
				total = 0 // a total below what came is no total
			}
			if p, err = parsePicture(head); err != nil {
				return wire, err
			}
			p.Length = total
			return wire, nil
		},
	})
	if err != nil {
		return Picture{}, err
	}
	return p, nil
}

// rangeTotal reads `bytes 0-65535/123456`; the total is 0 where it is `*`. ok is
// false for a range that does not begin at the beginning.
func rangeTotal(v string) (total int64, ok bool) {
	v, ok = strings.CutPrefix(strings.ToLower(strings.TrimSpace(v)), "bytes")
	span, size, both := strings.Cut(strings.TrimLeft(v, " ="), "/")
	if from, _, _ := strings.Cut(span, "-"); !ok || !both || strings.TrimSpace(from) != "0" {
		return 0, false
	}
	total, err := strconv.ParseInt(strings.TrimSpace(size), 10, 64)
	if err != nil || total < 0 {
		total = 0
	}
	return total, true
}

// parsePicture reads type and size from the first bytes of a picture. The size is
// that of the stored pixels; an EXIF orientation is not applied.
func parsePicture(b []byte) (Picture, error) {
	at := func(i int) int {
		if i < len(b) {
			return int(b[i])
		}
		return 0
	}
	s := string(b[:min(len(b), 16)])
	switch {
	case strings.HasPrefix(s, "\xFF\xD8\xFF"):
		w, h := jpegSize(b)
		return Picture{Type: "image/jpeg", Width: w, Height: h}, nil

	case strings.HasPrefix(s, "\x89PNG\r\n\x1a\n"):
		p := Picture{Type: "image/png"}
		if len(b) >= 24 && string(b[12:16]) == "IHDR" {
			p.Width, p.Height = pixels(binary.BigEndian.Uint32(b[16:])), pixels(binary.BigEndian.Uint32(b[20:]))
		}
		return p, nil

	case strings.HasPrefix(s, "GIF87a"), strings.HasPrefix(s, "GIF89a"):
		return Picture{Type: "image/gif", Width: at(6) | at(7)<<8, Height: at(8) | at(9)<<8}, nil

	case len(s) >= 16 && s[:4] == "RIFF" && s[8:12] == "WEBP":
		p := Picture{Type: "image/webp"}
		switch {
		case len(b) < 30:
		case s[12:16] == "VP8X": // canvas, 24 bits each, less one
			p.Width, p.Height = 1+(at(24)|at(25)<<8|at(26)<<16), 1+(at(27)|at(28)<<8|at(29)<<16)
		case s[12:16] == "VP8L" && b[20] == 0x2F: // 14 bits each, less one
			bits := binary.LittleEndian.Uint32(b[21:])
			p.Width, p.Height = 1+int(bits&0x3FFF), 1+int(bits>>14&0x3FFF)
		case s[12:16] == "VP8 " && b[20]&1 == 0 && string(b[23:26]) == "\x9D\x01\x2A": // key frame; the top 2 bits are scale
			p.Width, p.Height = (at(26)|at(27)<<8)&0x3FFF, (at(28)|at(29)<<8)&0x3FFF
		}
		return p, nil
	}
	return Picture{}, ErrNotPicture
}

// pixels drops sizes that PNG does not allow (above 2³¹−1).
func pixels(n uint32) int {
	if n > 1<<31-1 {
		return 0
	}
	return int(n)
}

// jpegSize walks the segments to the frame header, whichever of the thirteen
// (baseline, progressive, arithmetic…) it is.
func jpegSize(b []byte) (width, height int) {
	for i := 2; i+4 <= len(b); {
		if b[i] != 0xFF {
			return 0, 0
		}
		m := b[i+1]
		switch {
		case m == 0xFF: // fill
			i++
			continue
		case m == 0x01 || m >= 0xD0 && m <= 0xD8: // alone, without a length
			i += 2
			continue
		case m == 0xD9 || m == 0xDA: // end, or the picture itself
			return 0, 0
		}
		n := int(b[i+2])<<8 | int(b[i+3])
		if m >= 0xC0 && m <= 0xCF && m != 0xC4 && m != 0xC8 && m != 0xCC {
			if n < 8 || i+9 > len(b) {
				return 0, 0
			}
			return int(b[i+7])<<8 | int(b[i+8]), int(b[i+5])<<8 | int(b[i+6])
		}
		if n < 2 {
			return 0, 0
		}
		i += 2 + n
	}
	return 0, 0
}
