package card

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"paperwire/internal/paper"
	"paperwire/syndicate/feed"
)

var platforms []Platform

// register makes a platform known; only init functions of this package call it.
func register(p Platform) {
	if slices.ContainsFunc(platforms, func(o Platform) bool { return o.Key == p.Key }) {
		panic("card: platform " + p.Key + " registered twice")
	}
	platforms = append(platforms, p)
	slices.SortFunc(platforms, func(a, b Platform) int { return strings.Compare(a.Key, b.Key) })
}

// writer makes what one platform gets from one article.
type writer struct {
	*feed.Cutter
	platform *Platform
	doc      *Document
	item     *paper.Item
	tail     string // of every address: where it was shared, and the edition
}

// posts are the entries of all platforms.
func posts(d *Document, item *paper.Item, c *feed.Cutter) map[string]Post {
	all := make(map[string]Post, len(platforms))
	campaign := item.Paper
	if day := item.Day.Compact(); day != "" {
		campaign += "-" + day
	}
	w := writer{Cutter: c, doc: d, item: item, tail: "&utm_medium=social&utm_campaign=" + url.QueryEscape(campaign)}
	for i := range platforms {
		w.platform = &platforms[i]
		all[w.platform.Key] = w.platform.write(&w)
	}
	return all
}

// address is the share page, marked with the platform it is shared on.
func (w *writer) address() string { return w.doc.URL + "?utm_source=" + w.platform.Key + w.tail }

// start is an entry with what all have.
func (w *writer) start() Post {
	return Post{Limit: w.platform.Limit, Unit: w.platform.Unit, URL: w.address(), Image: w.doc.Images.named(w.platform.Image)}
}

// form is how the headline, what follows it, and the address are joined to a text.
type form struct{ open, shut, between, before string }

var plainly = form{between: "\n\n", before: "\n\n"}

func (f form) join(title, description, link string) string {
	var b strings.Builder
	b.Grow(len(title) + len(description) + len(link) + 16)
	b.WriteString(f.open)
	b.WriteString(title)
	b.WriteString(f.shut)
	if description != "" {
		b.WriteString(f.between)
		b.WriteString(description)
	}
	if link != "" {
		b.WriteString(f.before)
		b.WriteString(link)
	}
	return b.String()
}

// shortest is how many characters of a description are worth being shown.
const shortest = 12

// post is a text of headline, description and address, as much of it as fits.
func (w *writer) post(f form) Post {
	p := w.start()
	p.Text, p.Length, p.Truncated = w.text(f, p.URL, p.Limit, w.platform.Measure)
	return p
}

// text joins what fits into a limit, measures it, and reports whether anything was
// left out. Where nothing of the title fits beside it the address stands alone, and where
// not even that does it is left out too.
func (w *writer) text(f form, link string, limit int, measure func(string) int) (text string, length int, cut bool) {
	title, description := w.doc.Title, w.rest()
	if label, of := labelled(title); label != "" && of != "" && strings.HasPrefix(w.doc.Description, of) && description != "" && !ends(w.doc.Description[len(of):]) {
		// 图片新闻：3月15日，柳湾村的田埂上, and the sentence goes on in the text.
		title, description = label, w.doc.Description
	}
	text = f.join(title, description, link)
	if length = measure(text); length <= limit {
		return text, length, false
	}
	for _, link := range []string{link, w.doc.URL, ""} {
		head, cut := w.Fit(title, limit, 0.5, func(s string) bool { return measure(f.join(s, "", link)) <= limit })
		if head == "" {
			continue
		}
		rest := ""
		if !cut && description != "" {
			// Most measures add up, and measuring a part costs less than joining all.
			room := limit - measure(f.join(head, "", link)) - measure(f.between)
			rest, _ = w.Fit(description, limit, 0.3, func(s string) bool { return measure(s) <= room })
			if measure(f.join(head, rest, link)) > limit {
				rest, _ = w.Fit(description, limit, 0.3, func(s string) bool { return measure(f.join(head, s, link)) <= limit })
			}
			if characters(rest) < shortest {
				rest = ""
			}
		}
		text = f.join(head, rest, link)
		return text, measure(text), true
	}
	for _, link := range []string{link, w.doc.URL} { // one character of the title is more than there is room for
		if n := measure(link); link != "" && n <= limit {
			return link, n, true
		}
	}
	return "", 0, true
}

// labelled parts what stands before a title for its kind, 图片新闻, from the title.
func labelled(title string) (label, of string) {
	const most = 8 // characters of a label
	label, of, ok := strings.Cut(title, "：")
	if !ok || characters(label) > most {
		return "", title
	}
	return label, of
}

// ends reports whether a text goes on with the end of a sentence.
func ends(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return strings.ContainsRune("。！？!?…", r)
}

// rest is what the description says beside the title: that of a picture, or of an item
// whose title is its first sentence, begins with the title's own words. It is empty
// where nothing is left.
func (w *writer) rest() string {
	title, description := w.doc.Title, w.doc.Description
	if strings.HasPrefix(title, description) {
		return ""
	}
	_, of := labelled(title)
	for _, said := range []string{title, of} {
		said = strings.TrimRight(said, "…。 ")
		after, ok := strings.CutPrefix(description, said)
		if r, _ := utf8.DecodeRuneInString(after); !ok || characters(said) < shortest/2 || after != "" && !strings.ContainsRune("，；：。！？!?…", r) {
			continue // nothing of it, or the same words by chance
		}
		return strings.TrimLeft(after, "，；：。！？!?… ")
	}
	return description
}

// summary is the text beside a title: what [writer.rest] leaves, else the subtitle or
// the kicker; with always, at least where the article stood.
func (w *writer) summary(always bool) string {
	if w.platform.Measure(w.doc.Title) > w.platform.Limit {
		return w.doc.Description // the title is cut: here it may be whole
	}
	for _, s := range []string{w.rest(), feed.Line(w.item.Subtitle), feed.Line(w.item.Kicker)} {
		if s != "" && s != w.doc.Title {
			return s
		}
	}
	if !always {
		return ""
	}
	return cmp.Or(strings.TrimSpace(w.doc.Edition.PaperName+" "+string(w.item.Day)), w.doc.Title)
}

// field is one of several texts that a platform wants.
func (w *writer) field(name, s string, limit int, unit string, measure func(string) int) Field {
	length, cut := measure(s), false
	if length > limit {
		s, cut = w.Fit(s, limit, 0.3, func(s string) bool { return measure(s) <= limit })
		length = measure(s)
	}
	return Field{Name: name, Text: s, Length: length, Limit: limit, Unit: unit, Truncated: cut}
}

// titled is an entry whose text is a title, beside further fields.
func (w *writer) titled(fields ...Field) Post {
	p := w.start()
	f := w.field("", w.doc.Title, w.platform.Limit, w.platform.Unit, w.platform.Measure)
	if f.Text == "" { // one character with more marks on it than there is room for
		f = w.field("", w.item.ID, p.Limit, p.Unit, w.platform.Measure)
		f.Truncated = true
	}
	if f.Text == "" {
		f.Text = "…"
		f.Length = w.platform.Measure(f.Text)
	}
	p.Text, p.Length, p.Truncated = f.Text, f.Length, f.Truncated
	p.Fields = fields
	return p
}

// query writes an address and behind it pairs of names and values, those without a
// value left out. A space is %20: several of the forms that these addresses open show a
// + as it stands.
func query(address string, pairs ...string) string {
	n := len(address)
	for i := 0; i < len(pairs); i += 2 {
		n += len(pairs[i]) + 2 + len(pairs[i+1])
		for k := 0; k < len(pairs[i+1]); k++ {
			if !unreserved[pairs[i+1][k]] {
				n += 2
			}
		}
	}
	var b strings.Builder
	b.Grow(n)
	b.WriteString(address)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			continue
		}
		if b.Len() > len(address) {
			b.WriteByte('&')
		}
		b.WriteString(pairs[i])
		b.WriteByte('=')
		for k := 0; k < len(pairs[i+1]); k++ {
			const digits = "0123456789ABCDEF"
			if c := pairs[i+1][k]; unreserved[c] {
				b.WriteByte(c)
			} else {
				b.WriteByte('%')
				b.WriteByte(digits[c>>4])
				b.WriteByte(digits[c&15])
			}
		}
	}
	return b.String()
}

// unreserved are the characters that stand in an address as they are (RFC 3986 §2.3).
var unreserved = func() (t [256]bool) {
	for c := range t {
		t[c] = c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
	}
	return t
}()
