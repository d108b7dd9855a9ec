package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"paperwire/internal/papertest"
)

// In GB18030 the last two take four bytes each: they are no characters of GBK.
const hardWords = "㳇池村的𬭩"

var (
	metaLabel = regexp.MustCompile(`(?i)charset="?[a-z0-9-]+`)
	htmlType  = regexp.MustCompile(`(?i)^text/html`)
)

// encoded serves a publisher's pages in other bytes and under other labels than
// its own: none for "".
func encoded(t *testing.T, key string, e encoding.Encoding, bom, meta, header, text string) *papertest.Publisher {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := publisher(t, papertest.Options{Key: key, Pages: -1, Day: today(), Base: "http://" + ln.Addr().String()})
	p.Publish(today(), []papertest.Page{{Number: "01", Name: "要闻", Articles: []papertest.Article{{
		Headline: "村口修起了水渠", Subtitle: "——" + text, Byline: "本报讯（记者 林小河）", Paragraphs: []string{text + "的水渠修好了，清水流到了田头。", "人们放下锄头，蹲在渠边洗手。"},
	}}}})
	srv := &httptest.Server{Listener: ln, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		p.ServeHTTP(rec, r)
		body, label := rec.Body.Bytes(), rec.Header().Get("Content-Type")
		if htmlType.MatchString(label) && rec.Code == http.StatusOK {
			label = strings.TrimSuffix("text/html; charset="+header, "; charset=")
			as := "charset=" + meta
			if meta == "" {
				as = "content-language=zh"
			}
			body = metaLabel.ReplaceAll(body, []byte(as))
			if e != nil {
				if body, err = e.NewEncoder().Bytes(body); err != nil {
					t.Error(err)
				}
			}
			body = append([]byte(bom), body...)
		}
		w.Header().Set("Content-Type", label)
		w.WriteHeader(rec.Code)
		w.Write(body)
	})}}
	srv.Start()
	t.Cleanup(srv.Close)
	return p
}

// TestEncodings: whatever bytes a paper is served in, and whatever it calls them,
// what is stored and sent out are the words.
func TestEncodings(t *testing.T) {
	gbk, gb18030 := simplifiedchinese.GBK, simplifiedchinese.GB18030
	cases := []struct {
		name, text         string
		e                  encoding.Encoding
		bom, label, header string
	}{
		{"GBK", "大樊家村", gbk, "", "gbk", "gbk"},
		{"GB18030 with characters of four bytes", hardWords, gb18030, "", "gb18030", "gb18030"},
		{"GB18030 called gb2312", hardWords, gb18030, "", "gb2312", ""},
		{"GB18030 called utf-8", hardWords, gb18030, "", "utf-8", "utf-8"},
		{"UTF-8 called gb2312", hardWords, nil, "", "gb2312", "gb2312"},
		{"the header against the page", hardWords, nil, "", "utf-8", "gbk"},
		{"gbk2312", hardWords, gb18030, "", "gbk2312", "gbk2312"},
		{"no label, GB18030", hardWords, gb18030, "", "", ""},
		{"no label, UTF-8", hardWords, nil, "", "", ""},
		{"UTF-8 with BOM called gbk", hardWords, nil, "\ufeff", "gbk", "gbk"},
		{"UTF-16 with BOM", hardWords, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), "\xff\xfe", "gbk", ""},
	}
	stores(t, func(t *testing.T, dsn string) {
		var list []*papertest.Publisher
		for n, c := range cases {
			list = append(list, encoded(t, "enc"+string(rune('a'+n)), c.e, c.bom, c.label, c.header, c.text))
		}
		dir := t.TempDir()
		d := start(t, 0, "serve", "--config", configFor(t, dir, list...), "--data", dir, "--store", dsn)
		for n, c := range cases {
			scope := "paper/p" + strconv.Itoa(n+1)
			var items []entry
			until(t, c.name, func() bool {
				items, _ = d.feed(scope)
				return len(items) > 0
			})
			if i := items[0]; i.Title != "村口修起了水渠" || !strings.Contains(i.HTML, c.text+"的水渠修好了，清水流到了田头。") || strings.ContainsRune(i.HTML, '\ufffd') {
				t.Errorf("%s: %s: %s", c.name, i.Title, i.HTML)
			}
		}
	})
}
