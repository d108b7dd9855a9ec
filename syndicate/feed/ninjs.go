package feed

import (
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"paperwire/internal/paper"
)

func init() {
	register(Format{
		Ext:   "ninjs",
		Name:  "ninjs 2.2",
		Type:  "application/json",
		About: "for partners: news items as IPTC describes them, with versions, rights and withdrawals",
		Spec:  "https://iptc.org/std/ninjs/",
		Write: func(w io.Writer, in Input) error {
			return writeNinjs(w, in, ninjs{version: "2.2", lower: true})
		},
	})
}

// ninjs writes one document. The two versions differ in how names are spelled
// (pubstatus, pubStatus) and in little else, so names are given as 3.1 spells
// them. The document is written by hand: it is one type within itself (a feed
// holds items, an item pictures), and encoding/json would need it twice.
type ninjs struct {
	JSON
	version string
	lower   bool // names as in 2.x
}

func (n *ninjs) key(name string) {
	at := len(n.b)
	n.Key(name)
	for i := at; n.lower && i < len(n.b); i++ {
		if c := n.b[i]; c >= 'A' && c <= 'Z' {
			n.b[i] = c | 0x20
		}
	}
}

// list writes an array with what write puts into it, or nothing.
func (n *ninjs) list(name string, write func()) {
	at := len(n.b)
	n.key(name)
	n.b = append(n.b, '[')
	from := len(n.b)
	if write(); len(n.b) == from {
		n.b = n.b[:at]
		return
	}
	n.b = append(n.b, ']')
}

// text writes a name and its value, or nothing where there is none.
func (n *ninjs) text(name, value string) {
	if value != "" {
		n.key(name)
		n.String(value)
	}
}

// count writes a number; 0 is not known.
func (n *ninjs) count(name string, value int64) {
	if value > 0 {
		n.key(name)
		n.Int(value)
	}
}

func (n *ninjs) instant(name string, t time.Time) {
	if !t.IsZero() {
		n.key(name)
		n.b = append(n.b, '"')
		n.b = t.UTC().Truncate(time.Second).AppendFormat(n.b, time.RFC3339)
		n.b = append(n.b, '"')
	}
}

// worded writes a headline, description or body.
func (n *ninjs) worded(role, contentType, value string) {
	if value != "" {
		n.Object(func() {
			n.text("role", role)
			n.text("contentType", contentType)
			n.text("value", value)
		})
	}
}

func (n *ninjs) altID(role, value string) {
	if value != "" {
		n.Object(func() { n.text("role", role); n.text("value", value) })
	}
}

// rendition is where a document can be had; ninjs has no other links.
func (n *ninjs) rendition(name, href, contentType string) {
	if href != "" {
		n.Object(func() { n.text("name", name); n.text("href", href); n.text("contentType", contentType) })
	}
}

// writeNinjs writes a feed as one composite item whose associations are the
// items. An item less its name is a valid document of its own.
func writeNinjs(w io.Writer, in Input, n ninjs) error {
	f := in.Feed
	size := 2048
	for i := range f.Items {
		size += len(f.Items[i].HTML) + 3072
	}
	n.b = make([]byte, 0, size)
	n.Object(func() {
		n.text("uri", f.id())
		n.key("standard")
		n.b = append(n.b, '{')
		n.text("name", "ninjs")
		n.text("version", n.version)
		n.text("schema", "http://www.iptc.org/std/ninjs/ninjs-schema_"+n.version+".json#")
		n.b = append(n.b, '}')
		n.text("type", "composite")
		n.text("profile", "feed")
		n.instant("versionCreated", f.Updated)
		n.text("pubStatus", "usable")
		n.text("language", line(f.Language))
		n.text("copyrightNotice", plain(f.Copyright))
		n.list("headlines", func() { n.worded("main", "", f.title()) })
		n.list("descriptions", func() { n.worded("summary", "text/plain", plain(f.Subtitle)) })
		n.list("infoSources", func() {
			n.Object(func() { n.text("name", f.publisher()) })
		})
		n.list("renditions", func() {
			n.rendition("web", uri(in.Links.Home), "text/html")
			for _, l := range in.Links.document("") {
				if l.Rel == "self" {
					l.Type = "application/json"
				}
				n.rendition(l.Rel, l.Href, l.Type)
			}
		})
		n.list("altIds", func() {
			n.altID("scope", f.Scope.String())
			for _, term := range f.complete() {
				n.altID(completeMark, term)
			}
		})
		n.list("associations", func() {
			for i := range f.Items {
				e := in.entry(f.Items[i])
				n.Object(func() { n.item(in, &e) })
			}
		})
	})
	_, err := w.Write(append(n.b, '\n'))
	return err
}

func (n *ninjs) item(in Input, e *entry) {
	withdrawn := e.State == paper.Withdrawn
	n.text("name", e.title)
	n.text("uri", e.URN)
	n.text("type", "text")
	n.text("profile", "article")
	if e.full {
		n.text("representationType", "full")
	} else {
		n.text("representationType", "partial")
	}
	n.text("version", strconv.Itoa(max(e.Version, 1)))
	n.instant("firstCreated", e.Published)
	n.instant("versionCreated", e.Updated)
	if withdrawn {
		n.text("pubStatus", "canceled")
		n.text("edNote", e.description)
	} else {
		n.instant("contentCreated", e.Dated)
		n.text("pubStatus", "usable")
	}
	n.text("language", e.tongue)
	n.list("headlines", func() {
		n.worded("main", "", e.title)
		n.worded("kicker", "", e.Kicker)
		n.worded("subtitle", "", e.Subtitle)
	})
	n.list("descriptions", func() { n.worded("summary", "text/plain", e.description) })
	if e.full {
		n.list("bodies", func() {
			n.Object(func() {
				n.text("role", "main")
				n.text("contentType", "text/html")
				n.count("charCount", int64(utf8.RuneCountInString(e.Text)))
				body, _ := sized(clean(e.HTML), e.images)
				n.text("value", body)
			})
		})
	}
	if chinese(e.tongue) {
		n.text("by", strings.Join(e.authors, "、"))
	} else {
		n.text("by", strings.Join(e.authors, ", "))
	}
	holder := paperName(e.Item)
	n.text("copyrightHolder", holder)
	n.text("copyrightNotice", "© "+holder)
	if !withdrawn {
		n.text("usageTerms", e.terms())
	}
	n.list("subjects", func() {
		for _, s := range e.sections {
			n.Object(func() {
				n.text("name", s.Name)
				n.text("rel", "section")
				n.text("uri", uri(in.Links.Base+"/section/"+line(s.Slug)))
				n.text("literal", line(s.Slug))
			})
		}
	})
	n.list("places", func() {
		for _, d := range e.districts {
			n.Object(func() {
				n.text("name", d.Name)
				n.text("rel", "about")
				n.text("uri", uri(in.Links.Base+"/district/"+line(d.Code)))
				n.text("literal", line(d.Code))
				n.point(in.Feed.Points[d.Code])
			})
		}
	})
	n.list("infoSources", func() {
		n.Object(func() {
			n.text("name", holder)
			n.text("uri", uri(in.Links.Base+"/"+e.feed))
			n.text("literal", e.Paper)
		})
		if agency := plain(e.Agency); agency != "" && !withdrawn {
			n.Object(func() { n.text("name", agency) })
		}
	})
	n.list("renditions", func() {
		n.rendition("web", e.link, "text/html")
		n.rendition(e.otherRel, e.other, "text/html")
	})
	n.list("associations", func() {
		for i := range e.images {
			n.Object(func() { n.picture(e, i) })
		}
		for _, r := range e.related {
			n.Object(func() {
				n.text("name", r.Title)
				n.text("uri", paper.URN(r.ID))
				n.text("type", "text")
				n.text("representationType", "partial")
				n.list("headlines", func() { n.worded("main", "", r.Title) })
				n.list("renditions", func() { n.rendition("web", r.URL, "text/html") })
				n.list("altIds", func() {
					n.altID("paperwire", r.ID)
					n.altID("relation", string(r.Relation))
				})
			})
		}
	})
	n.list("altIds", func() {
		n.altID("paperwire", e.ID)
		n.altID("edition", e.issue)
		n.altID("day", string(e.Day))
		n.altID("page", line(e.Page.Number))
		n.altID("page name", line(e.Page.Name))
		if e.Position > 0 && e.issue != "" {
			n.altID("position", strconv.Itoa(e.Position))
		}
		n.altID("valid", e.valid)
	})
}

// point is where a place is, as GeoJSON has it: longitude first (RFC 7946 §3.1.1).
func (n *ninjs) point(p string) {
	if !pointForm.MatchString(p) {
		return
	}
	lat, lon, _ := strings.Cut(p, " ")
	y, err := strconv.ParseFloat(lat, 64)
	if err != nil || y < -90 || y > 90 {
		return
	}
	x, err := strconv.ParseFloat(lon, 64)
	if err != nil || x < -180 || x > 180 {
		return
	}
	n.key("geoJSON")
	n.b = append(n.b, `{"type":"Point","coordinates":[`...)
	n.b = strconv.AppendFloat(n.b, x, 'f', -1, 64)
	n.b = append(n.b, ',')
	n.b = strconv.AppendFloat(n.b, y, 'f', -1, 64)
	n.b = append(n.b, "]}"...)
}

// picture is an item of its own, named after the article and its place in it,
// because the address of our copy is another than the publisher's.
func (n *ninjs) picture(e *entry, i int) {
	img, place := e.images[i], strconv.Itoa(i+1)
	name := img.Caption
	if name == "" {
		name = e.title + " (" + place + ")"
	}
	n.text("name", name)
	n.text("uri", paper.URN(e.ID+"/picture/"+place))
	n.text("type", "picture")
	n.list("descriptions", func() { n.worded("caption", "text/plain", img.Caption) })
	n.text("by", img.Credit)
	n.list("renditions", func() {
		n.Object(func() {
			n.text("name", "main")
			n.text("href", img.URL)
			n.text("contentType", img.Type)
			n.count("width", int64(img.Width))
			n.count("height", int64(img.Height))
			n.count("sizeInBytes", img.Length)
		})
	})
}

// terms says what is given of the article, for people. It grants nothing: what a
// partner may do stands in its agreement with the paper.
func (e *entry) terms() string {
	holder := paperName(e.Item)
	if chinese(e.tongue) {
		switch e.Rights {
		case paper.RightsSummary:
			return "仅提供摘要，全文见原文链接。版权归" + holder + "所有，使用以与其约定为准，须注明来源。"
		case paper.RightsHeadline:
			return "仅提供标题和链接。版权归" + holder + "所有，使用以与其约定为准，须注明来源。"
		}
		return "提供全文。版权归" + holder + "所有，使用以与其约定为准，须注明来源。"
	}
	const rest = ". Use is subject to your agreement with the copyright holder; name the source."
	switch e.Rights {
	case paper.RightsSummary:
		return "Summary only; the whole article is behind the link. © " + holder + rest
	case paper.RightsHeadline:
		return "Headline and link only. © " + holder + rest
	}
	return "Whole article. © " + holder + rest
}
