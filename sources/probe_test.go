package sources

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"paperwire/internal/fetch"
	"paperwire/internal/paper"
)

var probeNow = time.Date(2017, 9, 7, 4, 0, 0, 0, time.UTC)

func probeAt(t *testing.T, s *site, at string) Report {
	t.Helper()
	g := fetch.New(fetch.Options{Pace: -1, Open: []string{strings.TrimPrefix(s.URL, "http://")}})
	defer g.Close()
	rep, err := Probe(t.Context(), g, at, paper.Shanghai, probeNow, func(name string) string {
		if name == "河阳日报" {
			return "410800"
		}
		return ""
	})
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func TestProbe(t *testing.T) {
	s := classicSite(t)
	for at, url := range map[string]string{
		"/":                                "/",
		"/hyrb/":                           "/hyrb/",
		"/hyrb/html/2017-09/05/node_3.htm": "/hyrb/paperindex.htm",
		"/hyrb/html/2017-09/07/node_2.htm": "/hyrb/paperindex.htm",
	} {
		rep := probeAt(t, s, s.URL+at)
		if rep.Platform != "founder" || rep.Name != "河阳日报" || rep.Article == nil || rep.Article.Body == "" || len(rep.Edition.Pages) != 2 || len(rep.Edition.Refs) != 3 {
			t.Fatalf("%s: %+v", at, rep)
		}
		lines := strings.Join(rep.Lines, "\n")
		if len(rep.Lines) > 5 || !strings.Contains(lines, "name: 河阳日报") || !strings.Contains(lines, `url: "`+s.URL+url+`"`) || !strings.Contains(lines, `city: "410800"`) {
			t.Errorf("%s: %s", at, lines)
		}
		if strings.HasPrefix(url, "/hyrb") && !strings.Contains(lines, "key: hyrb") {
			t.Errorf("%s: %s", at, lines)
		}
		if warned := strings.Contains(strings.Join(rep.Warnings, "\n"), "one edition"); warned != strings.Contains(at, "node_") {
			t.Errorf("%s: %q", at, rep.Warnings)
		}
		for _, d := range rep.Fetched {
			if d.URL == "" || d.Label == "" || len(d.Body) == 0 {
				t.Errorf("%+v", d)
			}
		}
	}
	s.set("/hyrb/html/2017-09/period.xml", "")
	s.set("/hyrb/html/2017-09/07/node_3.htm", "500")
	warnings := strings.Join(probeAt(t, s, s.URL+"/hyrb/").Warnings, "\n")
	for _, want := range []string{"no calendar", "cannot be read whole", "02"} {
		if !strings.Contains(warnings, want) {
			t.Errorf("no warning of %q: %s", want, warnings)
		}
	}
}

func TestProbeElsewhere(t *testing.T) {
	s := newSite(t, map[string]string{
		"/blog":        `<html><title>博客</title><link rel="alternate" type="application/rss+xml" href="/rss.xml"><a href=/x>x</a></html>`,
		"/rss.xml":     `<rss version="2.0"><channel><title>Some "Quoted": News</title><item><title>甲</title><guid>1</guid><description>正文。</description></item></channel></rss>`,
		"/wall":        `<html><script>document.cookie="a=1";location.reload()</script></html>`,
		"/shop":        `<html><title>商店</title><a href=/x>x</a></html>`,
		"/robots-only": "500",
	})
	rep := probeAt(t, s, s.URL+"/blog")
	if rep.Platform != "feed" || !strings.Contains(strings.Join(rep.Lines, "\n"), `name: "Some \"Quoted\": News"`) || !strings.Contains(strings.Join(rep.Lines, "\n"), "/rss.xml") || !strings.Contains(strings.Join(rep.Warnings, "\n"), "full_text") {
		t.Errorf("%+v", rep)
	}
	for at, want := range map[string]string{"/wall": "wall: JavaScript challenge", "/shop": "商店", "/none": "404", "/robots-only": "500"} {
		rep := probeAt(t, s, s.URL+at)
		if rep.Platform != "" || !strings.Contains(rep.Saw, want) || len(rep.Lines) != 0 {
			t.Errorf("%s: %+v", at, rep)
		}
	}
	s.asked()
	probeAt(t, s, s.URL+"/wall")
	if n := len(s.asked()); n != 1 {
		t.Errorf("a wall was asked %d times", n)
	}
	if _, err := Probe(t.Context(), nil, "ftp://a.example/", nil, probeNow, nil); err == nil {
		t.Error("ftp passes")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Probe(ctx, s.client(), s.URL+"/shop", nil, probeNow, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestProbeEncodings(t *testing.T) {
	text := `<html><head><meta charset=LABEL><title>河阳日报</title></head><body>市区新闻</body></html>`
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ header, meta, body, want string }{
		{"text/html", "gb2312", text, "labelled gb2312 and is utf-8"},
		{"text/html; charset=utf-8", "gbk", gb, "labelled utf-8 and is gb18030"},
		{"text/html", "gbk2312", gb, "labelled gbk2312"},
		{"text/html; charset=GBK", "gb2312", gb, ""},
		{"text/html; charset=utf-8", "utf8", text, ""},
		{"text/html; charset=gbk", "gbk", "<html>plain</html>", ""},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", c.header)
			_, _ = w.Write([]byte(strings.Replace(c.body, "LABEL", c.meta, 1)))
		}))
		g := fetch.New(fetch.Options{Pace: -1, Open: []string{strings.TrimPrefix(s.URL, "http://")}, IgnoreRobots: []string{strings.TrimPrefix(s.URL, "http://")}})
		rep, err := Probe(t.Context(), g, s.URL+"/", nil, probeNow, nil)
		g.Close()
		s.Close()
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(rep.Warnings, "\n")
		if c.want == "" && strings.Contains(got, "labelled") || !strings.Contains(strings.ToLower(got), c.want) || strings.Count(got, c.want) > 1 && c.want != "" {
			t.Errorf("%s, %s: %q", c.header, c.meta, got)
		}
	}
}

func TestKeyOf(t *testing.T) {
	for at, want := range map[string]string{
		"http://epaper.heyang.example/hyrb/html/index.htm": "hyrb", "http://epaper.heyang.example/hyrb/paperindex.htm": "hyrb", "http://szb.hywb.cn/pc/layout/index.html": "hywb",
		"http://127.0.0.1:80/": "paper", "https://www.he-yang.cn/rss.xml": "heyang", "http://a.cn/Jz_Rb/": "jzrb", "http://paper.people.example/rmrb": "rmrb",
	} {
		if got := keyOf(mustURL(at)); got != want {
			t.Errorf("%s: %s, want %s", at, got, want)
		}
	}
}
