package feed

import (
	"strconv"
	"unicode/utf8"
)

// Bytes are the buffer with what was written.
func (j *JSON) Bytes() []byte { return j.b }

// comma parts a value from the one before it. A value never ends like a beginning.
func (j *JSON) comma() {
	if len(j.b) == j.from {
		return
	}
	switch j.b[len(j.b)-1] {
	case '{', '[', ':':
	default:
		j.b = append(j.b, ',')
	}
}

// Key writes a name: plain ASCII, as it stands.
func (j *JSON) Key(name string) {
	j.comma()
	j.b = append(append(append(j.b, '"'), name...), '"', ':')
}

// Object writes an object with what write puts into it.
func (j *JSON) Object(write func()) {
	j.comma()
	j.b = append(j.b, '{')
	write()
	j.b = append(j.b, '}')
}

// List writes an array with what write puts into it.
func (j *JSON) List(write func()) {
	j.comma()
	j.b = append(j.b, '[')
	write()
	j.b = append(j.b, ']')
}

// Strings writes an array of strings.
func (j *JSON) Strings(list []string) {
	j.List(func() {
		for _, s := range list {
			j.String(s)
		}
	})
}

// String writes a string. The two separators that end a line in old JavaScript are
// escaped, as encoding/json does; what is not UTF-8 becomes U+FFFD.
func (j *JSON) String(s string) {
	j.comma()
	j.b = appendJSON(j.b, s, j.Script)
}

// Int writes a number.
func (j *JSON) Int(n int64) {
	j.comma()
	j.b = strconv.AppendInt(j.b, n, 10)
}

// Bool writes true or false.
func (j *JSON) Bool(x bool) {
	j.comma()
	j.b = strconv.AppendBool(j.b, x)
}

// Raw writes a value that is JSON already; none is null.
func (j *JSON) Raw(value []byte) {
	j.comma()
	if len(value) == 0 {
		value = []byte("null")
	}
	j.b = append(j.b, value...)
}

// asIs are the ASCII characters that stand in a JSON string as they are.
var asIs = func() (t [utf8.RuneSelf]bool) {
	for c := ' '; c < 0x80; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// appendJSON writes a text as a JSON string.
func appendJSON(b []byte, s string, script bool) []byte {
	b = append(b, '"')
	from, n := 0, 0
	for i := 0; i < len(s); i += n {
		c := s[i]
		n = 1
		switch {
		case c < utf8.RuneSelf && asIs[c] && (!script || c != '<' && c != '>' && c != '&'):
			continue
		case c >= 0xe3 && c <= 0xe9 && i+2 < len(s) && s[i+1]>>6 == 2 && s[i+2]>>6 == 2: // U+3000 to U+9FFF
			n = 3
			continue
		case c >= utf8.RuneSelf:
			var r rune
			r, n = utf8.DecodeRuneInString(s[i:])
			if r != '\u2028' && r != '\u2029' && (r != utf8.RuneError || n > 1) {
				continue
			}
			b = append(b, s[from:i]...)
			if n == 1 {
				b = append(b, "\ufffd"...)
			} else {
				b = append(b, '\\', 'u', '2', '0', '2', byte('0'+r&15))
			}
			from = i + n
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		case '\b':
			b = append(b, '\\', 'b')
		case '\f':
			b = append(b, '\\', 'f')
		default:
			const digits = "0123456789abcdef"
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	return append(append(b, s[from:]...), '"')
}
