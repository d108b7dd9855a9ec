package feed

import (
	"encoding/xml"
	"io"
)

type opmlXML struct {
	XMLName xml.Name      `xml:"opml"`
	Version string        `xml:"version,attr"`
	Title   string        `xml:"head>title"`
	Body    []opmlOutline `xml:"body>outline"`
}

type opmlOutline struct {
	Text     string        `xml:"text,attr"`
	Title    string        `xml:"title,attr,omitempty"`
	Type     string        `xml:"type,attr,omitempty"`
	XMLURL   string        `xml:"xmlUrl,attr,omitempty"`
	HTMLURL  string        `xml:"htmlUrl,attr,omitempty"`
	Language string        `xml:"language,attr,omitempty"`
	Version  string        `xml:"version,attr,omitempty"`
	Children []opmlOutline `xml:"outline"`
}

// writeOPML leaves out dateCreated and dateModified: both would be the time of
// rendering.
func writeOPML(w io.Writer, title string, outlines []Outline) error {
	return indented(w, opmlXML{Version: "2.0", Title: line(title), Body: opmlOutlines(outlines, 0)})
}

func opmlOutlines(outlines []Outline, depth int) []opmlOutline {
	var out []opmlOutline
	for _, o := range outlines {
		x := opmlOutline{Text: line(o.Text)}
		if len(o.Children) > 0 && depth < 8 {
			if x.Children = opmlOutlines(o.Children, depth+1); len(x.Children) > 0 {
				out = append(out, x)
			}
			continue
		}
		if x.XMLURL = uri(o.XMLURL); x.XMLURL == "" {
			continue
		}
		// Readers show title or text, so both; RSS is the type of any feed.
		x.Title, x.Type, x.HTMLURL, x.Language = x.Text, "rss", uri(o.HTMLURL), line(o.Language)
		out = append(out, x)
	}
	return out
}

// indented writes an XML document with its declaration and a last newline.
func indented(w io.Writer, doc any) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
