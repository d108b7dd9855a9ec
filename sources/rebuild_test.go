package sources

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// TestRebuilds: formatting elements that are never closed make no millions of
// others. The page is read all the same.
func TestRebuilds(t *testing.T) {
	var b strings.Builder
	b.WriteString(`<html><head><title>标题</title></head><body><div id="ozoom"><founder-content>`)
	for i := range 400 {
		fmt.Fprintf(&b, "<b a=%d>", i)
	}
	b.WriteString(strings.Repeat("<p>水到了田头", 40_000))
	b.WriteString(`</founder-content></div></body></html><!--enpproperty <founder-date>2024-01-01</founder-date><founder-title>修渠</founder-title><founder-type>1</founder-type><founder-pagenum>01</founder-pagenum> /enpproperty-->`)
	page := b.String()
	if !Rebuilds(page, maxRebuilt) || Rebuilds(string(tame([]byte(page))), maxRebuilt) {
		t.Fatal("the page is no bomb, or is one still when it is tamed")
	}
	n := 0
	walk(openDocument(&url.URL{Scheme: "http", Host: "e.cn"}, "text/html", []byte(page)).root, func(*html.Node) bool { n++; return true })
	if n > 200_000 {
		t.Errorf("%d nodes", n)
	}
	p := Parse(Source{Platform: "founder"}, "http://e.cn/html/2024-01/01/content_1001.htm", "text/html", []byte(page))
	if p.Kind != "article" || !strings.Contains(p.Article.Body, "水到了田头") {
		t.Errorf("%s %s", p.Kind, p.Reason)
	}
	if tame([]byte(strings.Replace(page, "<b a=", `<b x="<" a=`, -1))) != nil {
		t.Error("a bomb that cannot be tamed is let through")
	}
	if ordinary := []byte(`<p><b>甲</b><p>乙`); string(tame(ordinary)) != string(ordinary) {
		t.Error("an ordinary page is changed")
	}
}
