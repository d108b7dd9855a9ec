package sources

import (
	"bytes"
	"encoding/xml"
	"io"
	"slices"
	"strings"

	"paperwire/internal/paper"
)

// maxPeriods caps the editions of one calendar; a month has at most 31, some
// publishers write a whole year.
const maxPeriods = 2000

// readPeriods reads a calendar (period.xml), oldest first. One form has
// period_date, front_page and rmp_build_time, the other date and url.
func readPeriods(d *document) ([]CalendarDay, bool) {
	head := bytes.ToLower(d.body[:min(len(d.body), 1024)])
	if !bytes.Contains(head, []byte("<period")) || bytes.Contains(head, []byte("<html")) || len(d.body) > maxHTML {
		return nil, false
	}
	dec := xml.NewDecoder(bytes.NewReader(d.body))
	dec.Strict = false
	// The body is UTF-8 already, whatever the declaration says.
	dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	var (
		days   []CalendarDay
		fields map[string]string
		name   string
		depth  int
	)
	for len(days) < maxPeriods {
		t, err := dec.Token()
		if err != nil {
			break
		}
		switch t := t.(type) {
		case xml.StartElement:
			if depth++; depth > 20 {
				return nil, false
			}
			if name = strings.ToLower(t.Name.Local); name == "period" {
				fields = map[string]string{}
				for _, a := range t.Attr {
					fields["@"+strings.ToLower(a.Name.Local)] = a.Value
				}
			}
		case xml.CharData:
			if fields != nil && len(t) < 2000 {
				fields[name] += string(t)
			}
		case xml.EndElement:
			depth--
			if strings.EqualFold(t.Name.Local, "period") && fields != nil {
				if c, ok := periodOf(d, fields); ok {
					days = append(days, c)
				}
				fields = nil
			}
			name = ""
		}
	}
	slices.SortStableFunc(days, func(a, b CalendarDay) int { return strings.Compare(string(a.Day), string(b.Day)) })
	days = slices.CompactFunc(days, func(a, b CalendarDay) bool { return a.Day == b.Day })
	return days, true
}

func periodOf(d *document, fields map[string]string) (CalendarDay, bool) {
	field := func(names ...string) string {
		for _, n := range names {
			if v := strings.TrimSpace(fields[n]); v != "" {
				return v
			}
		}
		return ""
	}
	var c CalendarDay
	for _, v := range []string{field("period_date"), field("date"), field("period_name"), field("name"), field("@date"), field("@id")} {
		v, _, _ = strings.Cut(strings.TrimSpace(v), " ")
		if day, err := paper.ParseDay(v); err == nil {
			c.Day = day
			break
		}
	}
	if c.Day == "" {
		return c, false
	}
	c.Build = field("rmp_build_time", "build_time", "buildtime")
	front := field("front_page", "frontpage", "url", "@url", "@front_page")
	if strings.HasPrefix(front, "/") || strings.HasPrefix(front, "..") || strings.Contains(front, "://") {
		if u := resolve(d.base, front); u != nil {
			if sh, ok := d.shapeOf(u); ok && sh.day == c.Day {
				c.URL = canonical(u)
				return c, true
			}
		}
	}
	// Else it is node_2.htm, 06/node_2.htm or 201709/06/node_2.htm: whatever it
	// is relative to, the page lies in the day's directory beside period.xml.
	if u := resolve(d.base, string(c.Day[8:])+"/"+front[strings.LastIndex(front, "/")+1:]); u != nil {
		c.URL = canonical(u)
	}
	return c, true
}
