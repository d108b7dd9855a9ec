package sources

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mmcdole/gofeed"
)

// wellFormed reads a document with the strict XML parser to its end.
func wellFormed(b []byte) error {
	dec := xml.NewDecoder(bytes.NewReader(b))
	dec.Entity = xml.HTMLEntity
	depth := 0
	for {
		t, err := dec.Token()
		if errors.Is(err, io.EOF) {
			if depth != 0 {
				return fmt.Errorf("%d elements open", depth)
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch t.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		}
	}
}

func TestRepair(t *testing.T) {
	const decl = `<?xml version="1.0" encoding="UTF-8"?>`
	for _, c := range []struct{ name, in, want string }{
		{"declaration", `<?xml version='1.0' encoding='gb2312'?><rss/>`, `<rss/>`},
		{"what a server prints before", "Warning: x\n<?xml version='1.0'?><rss></rss>", `<rss></rss>`},
		{"forbidden characters", "<rss>a\x00\x0b\x1fb\ufffec</rss>", `<rss>abc</rss>`},
		{"forbidden references", `<rss>a&#0;&#x1F;&#xFFFF;&#x110000;b&#9;&#x4e2d;</rss>`, `<rss>ab&#9;&#x4e2d;</rss>`},
		{"bare ampersand", `<rss a="x&y"><link>?a=1&b=2&amp;c &nbsp; & &;</link></rss>`, `<rss a="x&amp;y"><link>?a=1&amp;b=2&amp;c &nbsp; &amp; &amp;;</link></rss>`},
		{"bare less-than", `<rss>1 < 2 <3 a<b <</rss>`, `<rss>1 &lt; 2 &lt;3 a&lt;b &lt;</rss>`},
		{"unquoted attribute", `<rss version=2.0 x></rss>`, `<rss version="2.0" x=""></rss>`},
		{"quotes in attribute", `<rss a='say "hi" <b>'></rss>`, `<rss a="say &quot;hi&quot; &lt;b>"></rss>`},
		{"twice the same attribute", `<rss a="1" a="2"></rss>`, `<rss a="1"></rss>`},
		{"comment, instruction, doctype", `<!DOCTYPE rss [<!ENTITY a "b">]><rss><!-- <x> --><?php echo ?>t</rss>`, `<rss>t</rss>`},
		{"cdata", "<rss><![CDATA[<b>&\x02]]></rss>", `<rss><![CDATA[<b>&]]></rss>`},
		{"crossed", `<rss><a><b></a></b></rss>`, `<rss><a><b></b></a></rss>`},
		{"stray end", `<rss></p></rss>`, `<rss></rss>`},
		{"second root", `<rss></rss><rss>x</rss>`, `<rss></rss>`},
		{"tail missing", `<rss><channel><title>t</title><item><title>1</title></item><item><title>2`, `<rss><channel><title>t</title><item><title>1</title></item></channel></rss>`},
		{"tail missing within a tag", `<rss><channel><item><title>1</title></item><item a="`, `<rss><channel><item><title>1</title></item></channel></rss>`},
		{"tail missing within cdata", `<rss><channel><item>1</item><item><![CDATA[x`, `<rss><channel><item>1</item></channel></rss>`},
		{"only end tags missing", `<rss><channel><item>1</item>`, `<rss><channel><item>1</item></channel></rss>`},
		{"item not closed", `<rss><channel><item><title>1</title><item><title>2</title></item></channel></rss>`, `<rss><channel><item><title>1</title></item><item><title>2</title></item></channel></rss>`},
		{"end tag without its >", `<rss><channel><item>1</item <item>2</item></channel></rss>`, `<rss><channel><item>1</item><item>2</item></channel></rss>`},
		{"HTML without escapes", `<rss><channel><item><description>a<br>b<img src=x></description></item></channel></rss>`, `<rss><channel><item><description>a<br/>b<img src="x"/></description></item></channel></rss>`},
	} {
		r, err := repair([]byte(c.in))
		got := strings.TrimPrefix(string(r.xml), decl)
		if err != nil || got != c.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", c.name, err, got, c.want)
		}
		if err := wellFormed(r.xml); err != nil {
			t.Errorf("%s: %v: %s", c.name, err, r.xml)
		}
	}
}

func TestRepairRefuses(t *testing.T) {
	var attrs strings.Builder
	for i := range maxAttrs + 1 {
		fmt.Fprintf(&attrs, ` xmlns:n%d="u"`, i)
	}
	for name, in := range map[string]string{
		"attributes": "<rss" + attrs.String() + "></rss>",
		"depth":      "<rss>" + strings.Repeat("<a>", maxDepth+1),
		"name":       "<rss><" + strings.Repeat("a", maxName+1) + "></rss>",
		"attribute":  `<rss a="` + strings.Repeat("a", maxAttrValue+1) + `"></rss>`,
		"size":       "<rss>" + strings.Repeat("a", maxFeed) + "</rss>",
	} {
		if _, err := repair([]byte(in)); !errors.Is(err, errHostile) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := repairJSON([]byte(`{"items":` + strings.Repeat("[", maxDepth))); !errors.Is(err, errHostile) {
		t.Errorf("JSON depth: %v", err)
	}
	many := "<rss><channel><title>t</title>" + strings.Repeat("<item><title>1</title></item>", maxItems+5) + "</channel></rss>"
	if r, err := repair([]byte(many)); err != nil || strings.Count(string(r.xml), "<item>") != maxItems || r.cut == "" || wellFormed(r.xml) != nil {
		t.Errorf("items: %v, cut %q", err, r.cut)
	}
}

func FuzzRepair(f *testing.F) {
	for _, dir := range cases(f) {
		if _, kind, body := loadCase(f, dir); strings.Contains(kind, "xml") {
			f.Add(body)
		}
	}
	f.Add([]byte(`<rss><channel><item><a b='c'/><![CDATA[x]]></item`))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := repair(in)
		if err != nil {
			return
		}
		if err := wellFormed(r.xml); err != nil && r.root != "" && !benign(err) {
			t.Errorf("%v\nin  %q\nout %q", err, in, r.xml)
		}
		if len(r.ids) != len(r.base) {
			t.Errorf("%d ids, %d bases", len(r.ids), len(r.base))
		}
		u, _ := url.Parse("https://f.example/feed")
		e, _, err := readFeed(Source{}, Want{Today: "2026-01-02"}, openDocument(u, "text/xml", in))
		if err != nil {
			return
		}
		for _, ref := range e.Refs {
			if strings.Contains(ref.Title+ref.Printed.Body+ref.Printed.Summary+strings.Join(ref.Printed.Columns, ""), markStart) && !bytes.Contains(in, []byte(markStart)) && !bytes.Contains(in, []byte("&#")) {
				t.Errorf("a mark was left: %+v", ref)
			}
			if len(ref.Origin) != 16 || ref.Printed == nil || ref.Printed.Day == "" {
				t.Errorf("%+v", ref)
			}
		}
	})
}

// benign are the strict parser's complaints about names and entities, which
// gofeed's lenient one takes.
func benign(err error) bool {
	s := err.Error()
	return strings.Contains(s, "invalid character entity") || strings.Contains(s, "invalid XML name") || strings.Contains(s, "space")
}

// Long texts go round the parser and must come out as if they had gone through.
func TestShelf(t *testing.T) {
	long := strings.Repeat("长", minShelf)
	for _, c := range []struct{ name, in, want string }{
		{"content:encoded", "<content:encoded><![CDATA[<p>甲 &amp; " + long + "</p>]]></content:encoded>", "<p>甲 &amp; " + long + "</p>"},
		{"description", "<description> <![CDATA[ <p>" + long + "</p> ]]>\n</description>", "<p>" + long + "</p>"},
		{"text and two sections", "<description>&lt;p>甲<![CDATA[" + long + "]]>乙<![CDATA[" + long + "</p>]]></description>", "<p>甲" + long + "乙" + long + "</p>"},
		{"forbidden characters", "<description><![CDATA[<p>\x01" + long + "\ufffe</p>]]></description>", "<p>" + long + "</p>"},
		{"the mark itself", "<description><![CDATA[<p>" + markStart + "0" + markEnd + long + "</p>]]></description>", "<p>" + markStart + "0" + markEnd + long + "</p>"},
		{"another name", "<body><![CDATA[<p>" + long + "</p>]]></body>", "<p>" + long + "</p>"},
	} {
		in := `<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>t</title><item><title>甲</title>` + c.in + `</item></channel></rss>`
		e, _, err := readFeed(Source{}, Want{Today: "2026-12-01"}, openDocument(mustURL("https://n.example/rss.xml"), "text/xml", []byte(in)))
		if err != nil || len(e.Refs) != 1 || e.Refs[0].Printed.Body != c.want {
			t.Errorf("%s: %v\n%+v\nwant %q", c.name, err, e.Refs, c.want)
		}
		r, err := repair([]byte(in))
		if shelved := len(r.shelf) > 0; err != nil || shelved != (c.name != "the mark itself" && c.name != "another name") {
			t.Errorf("%s: %d texts shelved, %v", c.name, len(r.shelf), err)
		}
	}
}

// FuzzFinished: what is taken as it stands is what parsing and writing it makes.
func FuzzFinished(f *testing.F) {
	for _, s := range []string{
		"<p>甲</p>\n <p>乙<br/><strong>丙</strong>&amp;</p>", "<p>a</p><p></p>", "<p><b><i>x</i></b></p>", "<p>a<b>b</p></b>", "<p>&#39;&#34;\"</p>", "<p>a</p>b", "<p><p>x</p></p>",
	} {
		f.Add(s)
	}
	base := mustURL("https://n.example/")
	if !finished("<p>甲</p>\n <p>乙<br/><strong>丙</strong>&amp;</p>") {
		f.Error("nothing is taken")
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.TrimSpace(s)
		if !utf8.ValidString(s) || !finished(s) {
			return
		}
		if got := rewritten(s, base); got != s {
			t.Errorf("%q becomes %q", s, got)
		}
	})
}

func benchFeed() []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>基准</title><link>https://b.example/</link>`)
	text := strings.Repeat("<p>这是一段用来量速度的正文，长短与常见的消息相仿。</p>", 20)
	for i := range 100 {
		fmt.Fprintf(&b, `<item><title>第%d条</title><link>https://b.example/%d</link><guid isPermaLink="false">g%d</guid><pubDate>Fri, 20 Nov 2026 08:30:00 +0800</pubDate><category>要闻</category><description>摘要</description><content:encoded><![CDATA[%s]]></content:encoded></item>`, i, i, i, text)
	}
	b.WriteString(`</channel></rss>`)
	return b.Bytes()
}

// BenchmarkFeed reads a feed of 100 items whole; BenchmarkGofeed is the library
// alone on the same bytes.
func BenchmarkFeed(b *testing.B) {
	body := benchFeed()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	u, _ := url.Parse("https://b.example/rss")
	for b.Loop() {
		if e, _, err := readFeed(Source{}, Want{}, openDocument(u, "text/xml", body)); err != nil || len(e.Refs) != 100 {
			b.Fatal(err)
		}
	}
}

func BenchmarkRepair(b *testing.B) {
	body := benchFeed()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := repair(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGofeed(b *testing.B) {
	body := benchFeed()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if f, err := gofeed.NewParser().Parse(bytes.NewReader(body)); err != nil || len(f.Items) != 100 {
			b.Fatal(err)
		}
	}
}
