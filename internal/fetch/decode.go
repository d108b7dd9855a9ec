package fetch

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// The names of the charsets that come out of decode, in lower case as in the
// WHATWG Encoding standard.
const (
	charsetUTF8    = "utf-8"
	charsetUTF16LE = "utf-16le"
	charsetUTF16BE = "utf-16be"
	charsetGB18030 = "gb18030"
)

// decode is Decode.
func decode(body []byte, contentType string) ([]byte, string) {
	if bytes.HasPrefix(body, []byte{0x1F, 0x8B, 8}) {
		if text := unzipped(body); text != nil {
			body = text
		}
	}
	switch {
	case bytes.HasPrefix(body, []byte{0xEF, 0xBB, 0xBF}):
		return fromUTF8(body[3:]), charsetUTF8
	case bytes.HasPrefix(body, []byte{0xFF, 0xFE}):
		return fromUTF16(body[2:], unicode.LittleEndian), charsetUTF16LE
	case bytes.HasPrefix(body, []byte{0xFE, 0xFF}):
		return fromUTF16(body[2:], unicode.BigEndian), charsetUTF16BE
	case bytes.HasPrefix(body, []byte{0x84, 0x31, 0x95, 0x33}):
		return fromGB18030(body[4:]), charsetGB18030
	}
	if order, ok := utf16Order(body, contentType); ok {
		if order == unicode.BigEndian {
			return fromUTF16(body, order), charsetUTF16BE
		}
		return fromUTF16(body, order), charsetUTF16LE
	}
	switch {
	case utf8.Valid(body):
		return withoutNUL(body), charsetUTF8
	case brokenUTF8(body):
		return fromUTF8(body), charsetUTF8
	}
	return fromGB18030(body), charsetGB18030
}

// maxUnzipped bounds what a saved .gz may hold; a sitemap may have 50 MB.
const maxUnzipped = 64 << 20

// unzipped is what a .gz holds, as much of it as can be read; nil where that is
// nothing or too much.
func unzipped(body []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(z, maxUnzipped+1))
	if err != nil && len(text) == 0 || len(text) > maxUnzipped {
		return nil
	}
	return text
}

// fromUTF8 gives body itself where nothing has to change.
func fromUTF8(body []byte) []byte {
	if !utf8.Valid(body) {
		body = bytes.ToValidUTF8(body, []byte("\uFFFD"))
	}
	return withoutNUL(body)
}

func fromUTF16(body []byte, order unicode.Endianness) []byte {
	return transcode(unicode.UTF16(order, unicode.IgnoreBOM), body)
}

func fromGB18030(body []byte) []byte { return transcode(simplifiedchinese.GB18030, body) }

func transcode(from encoding.Encoding, body []byte) []byte {
	text, err := from.NewDecoder().Bytes(body)
	if err != nil { // these decoders write U+FFFD and have no errors
		text = bytes.ToValidUTF8(body, []byte("\uFFFD"))
	}
	return withoutNUL(text)
}

// withoutNUL drops U+0000, which PostgreSQL and XML cannot hold.
func withoutNUL(text []byte) []byte {
	if bytes.IndexByte(text, 0) < 0 {
		return text
	}
	return bytes.ReplaceAll(text, []byte{0}, nil)
}

// brokenUTF8 tells UTF-8 with a few broken places from GB18030: a headline cut
// in the middle of a character by a database column, an advertisement pasted in
// GBK. Taking the whole document for GB18030 would lose all of it. It counts
// characters of three and four bytes, which are what Chinese is in UTF-8 and what
// two-byte GBK is next to never: twenty of them for each broken byte.
func brokenUTF8(body []byte) bool {
	good, bad := 0, 0
	for i := 0; i < len(body); {
		if body[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRune(body[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			if !utf8.FullRune(body[i:]) && good >= 4 {
				return good >= 20*bad // the document ends within a character
			}
			bad++
		case n >= 3:
			good++
		}
		i += n
	}
	return good >= 20*bad
}

// utf16Order tells UTF-16 without a byte order mark: declared in the header, or
// by the first character of its markup (XML 1.0 appendix F.1) or its JSON.
func utf16Order(body []byte, contentType string) (unicode.Endianness, bool) {
	if len(body) < 2 {
		return unicode.LittleEndian, false
	}
	switch {
	case strings.IndexByte("<{[", body[0]) >= 0 && body[1] == 0:
		return unicode.LittleEndian, true
	case body[0] == 0 && strings.IndexByte("<{[", body[1]) >= 0:
		return unicode.BigEndian, true
	}
	declared := charsetOf(contentType)
	if !strings.HasPrefix(declared, "utf-16") {
		return unicode.LittleEndian, false
	}
	// .NET writes encoding="utf-16" over documents that it then sends as UTF-8:
	// markup whose first character stands alone in its unit is not UTF-16.
	if s := bytes.TrimLeft(body, " \t\r\n"); len(s) > 0 && strings.IndexByte("<{[", s[0]) >= 0 && bytes.IndexByte(body, 0) < 0 {
		return unicode.LittleEndian, false
	}
	switch declared {
	case charsetUTF16BE:
		return unicode.BigEndian, true
	case charsetUTF16LE:
		return unicode.LittleEndian, true
	}
	// Plain utf-16: the half of the unit that is zero in ASCII tells; else little
	// endian, as browsers do.
	even, odd := 0, 0
	for i, b := range body {
		if b != 0 {
			continue
		}
		if i%2 == 0 {
			even++
		} else {
			odd++
		}
	}
	if even > odd {
		return unicode.BigEndian, true
	}
	return unicode.LittleEndian, true
}

// charsetOf is the charset parameter of a Content-Type, lower case. Real ones
// are too broken for mime.ParseMediaType: `text/html; charset=gb2312; charset=utf-8`.
func charsetOf(contentType string) string {
	s := strings.ToLower(contentType)
	_, s, ok := strings.Cut(s, "charset=")
	if !ok {
		return ""
	}
	if i := strings.IndexAny(s, ";,"); i >= 0 {
		s = s[:i]
	}
	return strings.Trim(s, " \t\"'")
}

// mediaType is the type of a body without parameters, and whether it is text.
// A missing type and application/octet-stream tell nothing, so the body is
// looked at; a PDF or picture labelled text/html stays as it is.
func mediaType(contentType string, body []byte) (string, bool) {
	name, _, _ := strings.Cut(contentType, ";")
	name, _, _ = strings.Cut(name, ",")
	name = strings.ToLower(strings.TrimSpace(name))
	if !strings.Contains(name, "/") || name == "application/octet-stream" || name == "unknown/unknown" {
		name = sniff(body)
	}
	if !isText(name) {
		return name, false
	}
	if seen := http.DetectContentType(body); isBinary(seen) {
		return seen, false
	}
	return name, true
}

func isText(name string) bool {
	switch name {
	case "application/json", "application/xml", "application/javascript", "application/x-javascript", "application/ecmascript":
		return true
	}
	return strings.HasPrefix(name, "text/") || strings.HasSuffix(name, "+xml") || strings.HasSuffix(name, "+json")
}

// isBinary says whether a sniffed type is one whose magic number no text begins with.
func isBinary(seen string) bool {
	switch seen {
	case "application/pdf", "application/zip", "application/x-gzip", "image/jpeg", "image/png", "image/gif", "image/webp":
		return true
	}
	return false
}

// sniff guesses a type from the body alone.
func sniff(body []byte) string {
	s := bytes.TrimLeft(bytes.TrimPrefix(body, []byte{0xEF, 0xBB, 0xBF}), " \t\r\n")
	if len(s) > 0 && (s[0] == '{' || s[0] == '[') {
		return "application/json"
	}
	name, _, _ := strings.Cut(http.DetectContentType(body), ";")
	if len(s) > 0 && s[0] == '<' && name == "text/plain" {
		return "text/html" // markup that does not begin with a tag browsers know
	}
	return name
}
