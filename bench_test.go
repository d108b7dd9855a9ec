package main

import (
	"bufio"
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"paperwire/internal/paper"
	"paperwire/internal/papertest"
	"paperwire/internal/store"
)

// The shelf of BenchmarkStored100k: ten papers of one city for a quarter of a
// year, as a group of newspapers would fill a store in about that time.
const (
	shelfPapers   = 10
	shelfDays     = 100
	shelfArticles = 100 // of an edition
)

var (
	shelfSections  = []string{"yaowen", "minsheng", "wenhua", "difang", "jingji", "tiyu", "kejiao", "shizheng"}
	shelfDistricts = []string{"410802", "410803", "410804", "410811", "410821", "410822", "410823", "410825", "410882", "410883"}
)

// fillShelf puts the shelf into a store by its own doors: listed, ingested,
// settled, released. The bodies have about 600 characters.
func fillShelf(b *testing.B, dsn string, days int) {
	first := paper.Day("2026-01-01")
	now := first.In(paper.Shanghai).Add(6 * time.Hour)
	s, err := store.Open(b.Context(), dsn, store.Options{Now: func() time.Time { return now }})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	setup := store.Setup{}
	for p := range shelfPapers {
		key := "p" + strconv.Itoa(p)
		setup.Papers = append(setup.Papers, paper.Paper{Key: key, Name: "第" + strconv.Itoa(p) + "日报", City: "410800", Zone: "Asia/Shanghai", Language: "zh-CN", Link: paper.LinkShare, Rights: paper.RightsFull})
		setup.Sources = append(setup.Sources, store.SourceRow{Key: key, Paper: key, Name: key, Platform: "founder", URL: "http://" + key + ".example/", Step: time.Hour})
	}
	for _, slug := range shelfSections {
		setup.Sections = append(setup.Sections, paper.Section{Slug: slug, Name: slug})
	}
	if err := s.Configure(b.Context(), setup); err != nil {
		b.Fatal(err)
	}
	for d := range days {
		day := first.Add(d)
		for p := range shelfPapers {
			shelfEdition(b, s, "p"+strconv.Itoa(p), day)
		}
		now = now.Add(24 * time.Hour)
	}
}

func shelfEdition(b *testing.B, s *store.Store, key string, day paper.Day) {
	shelfIngest(b, s, key, day, shelfArticles)
	if r, err := s.Release(b.Context(), key); err != nil || r.Articles != shelfArticles {
		b.Fatalf("released %d of %s %s: %v", r.Articles, key, day, err)
	}
}

// shelfIngest takes in an edition of n articles, ready to be released.
func shelfIngest(b *testing.B, s *store.Store, key string, day paper.Day, n int) {
	l := store.Listing{Source: key, Paper: key, Day: day, URL: "http://" + key + ".example/" + string(day)}
	for p := range 8 {
		number := fmt.Sprintf("%02d", p+1)
		l.Pages = append(l.Pages, paper.EditionPage{PageRef: paper.PageRef{Number: number, Name: shelfSections[p]}})
	}
	for i := range n {
		l.Refs = append(l.Refs, store.Listed{Origin: strconv.Itoa(i), URL: l.URL + "/" + strconv.Itoa(i), Page: l.Pages[i%8].Number, Ordinal: i})
	}
	if _, _, err := s.List(b.Context(), l); err != nil {
		b.Fatal(err)
	}
	for i, r := range l.Refs {
		section, district := shelfSections[i%8], shelfDistricts[(i*7+len(key)+int(key[1]))%10]
		words := fmt.Sprintf("%s%s第%d篇", key, day, i)
		body := strings.Repeat(words+"：今年地里的收成比去年好，村里的人都来看。", 15)
		a := paper.Article{
			Paper: key, Source: key, Day: day, URL: r.URL, Page: l.Pages[i%8].PageRef, Position: i/8 + 1, Ordinal: i, Headline: words,
			Byline: []paper.Person{{Name: "丁一", Role: paper.Reporter}}, Text: body, HTML: "<p>" + body + "</p>", Summary: words + "。", Language: "zh-CN",
		}
		f := paper.Filing{
			Sections:  []paper.Section{{Slug: section, Name: section}},
			Placing:   paper.Placing{Reach: paper.ReachDistrict, Districts: []paper.Tag{{Code: district, Name: district, Tier: paper.Sure, Score: 3}}},
			Districts: []string{"410000", "410800", district},
		}
		if _, err := s.Ingest(b.Context(), store.Incoming{Article: a, Filing: f, Origin: r.Origin, RefDay: day, Hash: words}); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Settle(b.Context(), key, key, day, l.Pages, 0); err != nil {
		b.Fatal(err)
	}
}

// shelfScopes are 200 scopes that readers of the shelf would subscribe to.
func shelfScopes() []string {
	scopes := []string{"all", "district/410800", "district/410000"}
	for _, d := range shelfDistricts {
		scopes = append(scopes, "district/"+d)
	}
	for _, x := range shelfSections {
		scopes = append(scopes, "section/"+x)
		for _, d := range shelfDistricts {
			scopes = append(scopes, "section/"+x+"/district/"+d)
		}
	}
	for p := range shelfPapers {
		key := "paper/p" + strconv.Itoa(p)
		scopes = append(scopes, key)
		for _, d := range shelfDistricts {
			scopes = append(scopes, key+"/district/"+d)
		}
	}
	return scopes[:200]
}

// BenchmarkStored100k starts the daemon on a store with 100,000 released
// articles and asks it for 200 scopes, as RSS, gzip: the time to the first byte
// of a feed that is not rendered yet and of one that is, and the daemon's memory.
// Beside it, the store alone: the newest 50 of a scope of one part, and of one of
// two parts. The fill, which takes minutes, is not timed.
// PAPERWIRE_TEST_SHELF names a file to keep the filled store in between runs.
func BenchmarkStored100k(b *testing.B) {
	dir := b.TempDir()
	dsn := os.Getenv("PAPERWIRE_TEST_SHELF")
	if dsn == "" {
		dsn = filepath.Join(dir, "shelf.db")
	}
	if _, err := os.Stat(dsn); err != nil {
		began := time.Now()
		fillShelf(b, dsn, shelfDays)
		b.Logf("filled in %s", time.Since(began).Round(time.Second))
	}
	size, err := os.Stat(dsn)
	if err != nil {
		b.Fatal(err)
	}

	scopes := shelfScopes()
	s, err := store.Open(b.Context(), dsn, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	var single, combined []time.Duration
	for _, written := range scopes {
		scope, err := paper.ParseScope(written)
		if err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		items, err := s.Items(b.Context(), paper.Public, scope, paper.Window{Limit: 50})
		if took := time.Since(began); strings.Count(written, "/") < 2 {
			single = append(single, took)
		} else {
			combined = append(combined, took)
		}
		if err != nil || len(items) != 50 {
			b.Fatalf("%s: %d items: %v", written, len(items), err)
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}

	file := filepath.Join(dir, "paperwire.yaml")
	if err := os.WriteFile(file, []byte("base_url: http://shelf.example\nsources: []\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	d := start(b, 0, "serve", "--config", file, "--data", dir, "--store", dsn, "--listen", "127.0.0.1:0")
	before := resident(b, d.cmd.Process.Pid)
	var cold, cached []time.Duration
	for _, scope := range scopes {
		// Full feeds, up to 200 items: together they are more than the cache holds.
		cold = append(cold, firstByte(b, d.url+"/feeds/"+scope+".rss"))
		cached = append(cached, firstByte(b, d.url+"/feeds/"+scope+".rss"))
	}
	last := d.url + "/feeds/" + scopes[len(scopes)-1] + ".rss"
	for b.Loop() {
		firstByte(b, last)
	}
	ms := func(list []time.Duration) float64 {
		slices.Sort(list)
		return float64(list[len(list)/2].Microseconds()) / 1000
	}
	b.ReportMetric(float64(size.Size())/(1<<20), "store-MB")
	b.ReportMetric(ms(single), "newest50-single-ms")
	b.ReportMetric(ms(combined), "newest50-combined-ms")
	b.ReportMetric(ms(cold), "first-byte-cold-ms")
	b.ReportMetric(ms(cached), "first-byte-cached-ms")
	b.ReportMetric(before, "RSS-start-MB")
	b.ReportMetric(resident(b, d.cmd.Process.Pid), "RSS-200-scopes-MB")
}

// stretchShelf copies the articles of a shelf until there are n, each copy days
// before: table by table, because by the store's doors a million take half an hour.
// The copies are in no search index.
func stretchShelf(b *testing.B, dsn string, n int) {
	began := time.Now()
	db, err := sql.Open("sqlite", "file:"+dsn+"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_pragma=cache_size(-400000)")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	var have int
	if err := db.QueryRow(`SELECT COUNT(*) FROM articles`).Scan(&have); err != nil {
		b.Fatal(err)
	}
	columns := func(table string) (names []string) {
		rows, err := db.Query(`SELECT name FROM pragma_table_info(?)`, table)
		if err != nil {
			b.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var c string
			if err := rows.Scan(&c); err != nil {
				b.Fatal(err)
			}
			names = append(names, c)
		}
		return names
	}
	tables := map[string][]string{}
	for _, t := range []string{"articles", "evidence", "versions", "filings"} {
		tables[t] = columns(t)
		if _, err := db.Exec(`CREATE TEMP TABLE shelf_` + t + ` AS SELECT * FROM ` + t); err != nil {
			b.Fatal(err)
		}
	}
	for copied := 1; copied*have < n; copied++ {
		id := fmt.Sprintf(" || '-%d'", copied)
		past := fmt.Sprintf(" - %d", copied*4*86400)
		day := fmt.Sprintf("date(day, '-%d days')", copied*4)
		tx, err := db.Begin()
		if err != nil {
			b.Fatal(err)
		}
		for table, change := range map[string]map[string]string{
			"articles": {"id": "id" + id, "day": day, "published": "published" + past, "updated": "updated" + past, "search_row": fmt.Sprintf("search_row - (%d << 24)", copied*4*86400)},
			"evidence": {"article": "article" + id},
			"versions": {"article": "article" + id, "updated": "updated" + past},
			"filings":  {"article": "article" + id, "published": "published" + past},
		} {
			var into, from []string
			for _, c := range tables[table] {
				into = append(into, c)
				if x := change[c]; x != "" {
					c = x
				}
				from = append(from, c)
			}
			if _, err := tx.Exec(`INSERT INTO ` + table + ` (` + strings.Join(into, ", ") + `) SELECT ` + strings.Join(from, ", ") + ` FROM shelf_` + table); err != nil {
				b.Fatal(err)
			}
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := db.Exec(`UPDATE scopes SET items = items * ?`, max(1, n/have)); err != nil {
		b.Fatal(err)
	}
	b.Logf("%d articles in %s", n, time.Since(began).Round(time.Second))
}

// BenchmarkReleaseToReaders lets out editions of 60 articles into a store of 100,000
// (PAPERWIRE_TEST_ARTICLES names another number) beside a daemon, as another process
// on the database would, and waits for the first byte of each of the 23 feeds that
// change by it, all cached before: the time from the beginning of the release to the
// first of them, and to the last.
func BenchmarkReleaseToReaders(b *testing.B) {
	n := 100_000
	if s := os.Getenv("PAPERWIRE_TEST_ARTICLES"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	dir := b.TempDir()
	dsn := filepath.Join(dir, "shelf.db")
	fillShelf(b, dsn, 4)
	stretchShelf(b, dsn, n)
	file := filepath.Join(dir, "paperwire.yaml")
	if err := os.WriteFile(file, []byte("base_url: http://shelf.example\nsources: []\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	d := start(b, 0, "serve", "--config", file, "--data", dir, "--store", dsn, "--listen", "127.0.0.1:0")
	ahead := time.Duration(0) // an edition of 60 takes a minute of its paper's time
	s, err := store.Open(b.Context(), dsn, store.Options{Now: func() time.Time { return time.Now().Add(ahead) }})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	scopes := []string{"all", "district/410000", "district/410800", "paper/p3"}
	for _, x := range shelfDistricts {
		scopes = append(scopes, "district/"+x)
	}
	for _, x := range shelfSections {
		scopes = append(scopes, "section/"+x)
	}
	day := paper.DayOf(time.Now(), paper.Shanghai)
	var releases, firsts, lasts []time.Duration
	for b.Loop() {
		for _, x := range scopes {
			firstByte(b, d.url+"/feeds/"+x+".rss")
		}
		day = day.Add(1)
		ahead += 2 * time.Minute
		shelfIngest(b, s, "p3", day, 60)
		mark := "p3" + string(day) + "第"
		began := time.Now()
		if r, err := s.Release(b.Context(), "p3"); err != nil || r.Articles != 60 {
			b.Fatalf("released %d: %v", r.Articles, err)
		}
		releases = append(releases, time.Since(began))
		for i, x := range scopes {
			for {
				req, _ := http.NewRequestWithContext(b.Context(), http.MethodGet, d.url+"/feeds/"+x+".rss", nil)
				req.Header.Set("Accept-Encoding", "identity")
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					b.Fatal(err)
				}
				took := time.Since(began)
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil {
					b.Fatal(err)
				}
				if strings.Contains(string(body), mark) {
					if i == 0 {
						firsts = append(firsts, took)
					}
					lasts = append(lasts[:len(firsts)-1], took)
					break
				}
				time.Sleep(5 * time.Millisecond)
			}
		}
	}
	ms := func(list []time.Duration) float64 {
		slices.Sort(list)
		return float64(list[len(list)/2].Microseconds()) / 1000
	}
	b.ReportMetric(float64(n), "stored")
	b.ReportMetric(ms(releases), "release-ms")
	b.ReportMetric(ms(firsts), "first-feed-ms")
	b.ReportMetric(ms(lasts), "all-feeds-ms")
	b.ReportMetric(resident(b, d.cmd.Process.Pid), "RSS-MB")
}

// BenchmarkThousandPapers starts the daemon with a thousand papers of its own, each
// at a host of its own and in a city of its own by turns, and waits until each has
// been looked at twice: its memory, and how many looks a second it came to.
func BenchmarkThousandPapers(b *testing.B) {
	const papers = 1000
	binary := filepath.Join(b.TempDir(), "paperwire")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		b.Fatalf("build: %v: %s", err, out) // the tests' own binary is larger by half
	}
	ln, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		b.Fatal(err)
	}
	port := strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
	p := papertest.New(papertest.Options{Key: "one", Day: today(), Pages: 2, ArticlesPerPage: 3, Base: "http://127.0.0.1:" + port, Now: time.Now})
	b.Cleanup(p.Close)
	var looks atomic.Int64
	srv := &httptest.Server{Listener: ln, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/one/index.htm" {
			looks.Add(1)
		}
		p.ServeHTTP(w, r)
	})}}
	srv.Start()
	b.Cleanup(srv.Close)
	cities := []string{"410800", "410100", "320500", "330100", "440300", "510100", "610100", "370200"}
	var conf strings.Builder
	conf.WriteString("base_url: http://shelf.example\nfetch: {pace: 1ms, open_hosts: [")
	var hosts []string
	for n := range papers {
		hosts = append(hosts, fmt.Sprintf("127.1.%d.%d", n/250, n%250+1))
	}
	conf.WriteString(strings.Join(hosts, ", ") + "]}\nsources:\n")
	for n, h := range hosts {
		fmt.Fprintf(&conf, "  - {key: p%d, name: 第%d日报, url: \"http://%s:%s/one/index.htm\", city: %q, every: 1m}\n", n, n, h, port, cities[n%len(cities)])
	}
	for b.Loop() {
		looks.Store(0)
		dir := b.TempDir()
		file := filepath.Join(dir, "paperwire.yaml")
		if err := os.WriteFile(file, []byte(conf.String()), 0o600); err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		d := startBinary(b, binary, 0, "serve", "--config", file, "--data", dir, "--listen", "127.0.0.1:0")
		most := 0.0
		for looks.Load() < 2*papers {
			if time.Since(began) > 10*time.Minute {
				b.Fatalf("%d looks in ten minutes\n%s", looks.Load(), tail(d.log.String(), 2000))
			}
			time.Sleep(200 * time.Millisecond)
			time.Sleep(200 * time.Millisecond)
			most = max(most, resident(b, d.cmd.Process.Pid))
		}
		b.ReportMetric(most, "RSS-most-MB")
		b.ReportMetric(float64(looks.Load())/time.Since(began).Seconds(), "looks/s")
		d.stop()
	}
}

// The environment of a bare server (BenchmarkCachedFeed): files with the headers and
// the body that it answers everything with, the headers as HTTP writes them.
const bareHeaders, bareBody = "PAPERWIRE_TEST_BARE_HEADERS", "PAPERWIRE_TEST_BARE_BODY"

// serveBare is what a daemon's cached feed is held against: net/http and a handler
// that does nothing but write what is ready.
func serveBare() {
	raw, err := os.ReadFile(os.Getenv(bareHeaders))
	if err != nil {
		panic(err)
	}
	body, err := os.ReadFile(os.Getenv(bareBody))
	if err != nil {
		panic(err)
	}
	first, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(raw)), nil)
	if err != nil {
		panic(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(os.Stderr, "{\"msg\":\"serving\",\"listen\":%q}\n", ln.Addr())
	debug.SetGCPercent(50) // as the daemon
	srv := newServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		for name, value := range first.Header {
			h[name] = value
		}
		w.WriteHeader(first.StatusCode)
		if first.StatusCode == http.StatusOK {
			w.Write(body)
		}
	}), slog.New(slog.DiscardHandler))
	panic(srv.Serve(ln))
}

// BenchmarkCachedFeed asks the daemon for a cached feed of 200 articles and a bare
// net/http server, a process too and with the same time limits, for the same bytes, over
// one connection each: 21 rounds of each, interleaved. It reports the medians of what a
// request takes, of what it costs the server's process in processor time, all else that
// the process does at that time included, and of the slowest of a hundred; and the bare
// server's figures by ours as rates: 1 is as fast, .5 half as fast.
func BenchmarkCachedFeed(b *testing.B) {
	dir := b.TempDir()
	dsn := filepath.Join(dir, "shelf.db")
	fillShelf(b, dsn, 1)
	file := filepath.Join(dir, "paperwire.yaml")
	if err := os.WriteFile(file, []byte("base_url: http://shelf.example\nsources: []\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	ours := start(b, 0, "serve", "--config", file, "--data", dir, "--store", dsn, "--listen", "127.0.0.1:0")
	for _, c := range []struct{ name, encoding string }{{"plain", "identity"}, {"gzip", "gzip"}, {"304", "gzip"}} {
		b.Run(c.name, func(b *testing.B) {
			request := "GET /feeds/all.rss HTTP/1.1\r\nHost: shelf.example\r\nAccept-Encoding: " + c.encoding + "\r\n"
			head, body, first := askRaw(b, ours.url, request+"\r\n")
			if c.name == "304" {
				request += "If-None-Match: " + first.Header.Get("ETag") + "\r\n"
				head, body, _ = askRaw(b, ours.url, request+"\r\n")
			}
			request += "\r\n"
			headers, content := filepath.Join(b.TempDir(), "headers"), filepath.Join(b.TempDir(), "body")
			if err := errors.Join(os.WriteFile(headers, head, 0o600), os.WriteFile(content, body, 0o600)); err != nil {
				b.Fatal(err)
			}
			b.Setenv(bareHeaders, headers)
			b.Setenv(bareBody, content)
			bare := start(b, 0)
			if again, _, _ := askRaw(b, bare.url, request); len(again) != len(head) {
				b.Fatalf("the bare server answers otherwise:\n%s\n%s", again, head)
			}
			const rounds, requests = 21, 3000
			var took, cost, slow [2][]float64 // µs: of the bare server, of ours
			for b.Loop() {
				for n := range 2 * (rounds + 1) {
					who := (n + n/2) % 2 // each first in every other round
					d := []*daemon{bare, ours}[who]
					before := processor(b, d.cmd.Process.Pid)
					began := time.Now()
					each := askAgain(b, d.url, request, len(head)+len(body), requests)
					wall := time.Since(began)
					if n < 2 {
						continue // connections and caches warm up
					}
					slices.Sort(each)
					took[who] = append(took[who], float64(wall.Nanoseconds())/1000/requests)
					cost[who] = append(cost[who], float64((processor(b, d.cmd.Process.Pid)-before).Nanoseconds())/1000/requests)
					slow[who] = append(slow[who], float64(each[len(each)*99/100].Nanoseconds())/1000)
				}
			}
			median := func(list []float64) float64 {
				list = slices.Sorted(slices.Values(list))
				return list[len(list)/2]
			}
			for _, x := range []struct {
				unit string
				of   [2][]float64
			}{{"µs", took}, {"cpu-µs", cost}, {"p99-µs", slow}} {
				b.ReportMetric(median(x.of[0]), "bare-"+x.unit)
				b.ReportMetric(median(x.of[1]), "ours-"+x.unit)
			}
			b.ReportMetric(median(took[0])/median(took[1]), "rate")
			b.ReportMetric(median(cost[0])/median(cost[1]), "cpu-rate")
			bare.stop()
		})
	}
}

// askRaw asks once, and gives the answer's head and body as they came.
func askRaw(b *testing.B, url, request string) (head, body []byte, first *http.Response) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(request)); err != nil {
		b.Fatal(err)
	}
	var wire bytes.Buffer
	first, err = http.ReadResponse(bufio.NewReader(io.TeeReader(conn, &wire)), nil)
	if err != nil {
		b.Fatal(err)
	}
	if body, err = io.ReadAll(first.Body); err != nil {
		b.Fatal(err)
	}
	return wire.Bytes()[:wire.Len()-len(body)], body, first
}

// askAgain asks n times over one connection, and gives what each request took. Answers
// are of one length and not looked into, so that asking costs next to nothing.
func askAgain(b *testing.B, url, request string, length, n int) []time.Duration {
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	line, into := []byte(request), make([]byte, 64<<10)
	took := make([]time.Duration, n)
	for i := range took {
		began := time.Now()
		if _, err := conn.Write(line); err != nil {
			b.Fatal(err)
		}
		for left := length; left > 0; {
			got, err := conn.Read(into[:min(left, len(into))])
			if err != nil {
				b.Fatal(err)
			}
			left -= got
		}
		took[i] = time.Since(began)
	}
	return took
}

// processor is the processor time a process has had, as Linux tells it of its threads.
func processor(b *testing.B, pid int) (sum time.Duration) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, f := range files {
		raw, _ := os.ReadFile(f) // a thread may have ended
		var ns int64
		fmt.Sscan(string(raw), &ns)
		sum += time.Duration(ns)
	}
	if sum == 0 {
		missing(b, "processor time is read from /proc/*/task/*/schedstat")
	}
	return sum
}

// missing ends a benchmark that cannot measure here.
func missing(b *testing.B, why string) {
	if os.Getenv("PAPERWIRE_TEST_ALL") == "1" {
		b.Fatal(why)
	}
	b.Skip(why)
}

// firstByte is the time to the first byte of an answer's body.
func firstByte(b *testing.B, url string) time.Duration {
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	began := time.Now()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadFull(resp.Body, make([]byte, 1)); err != nil || resp.StatusCode != http.StatusOK {
		b.Fatalf("%s: %s: %v", url, resp.Status, err)
	}
	took := time.Since(began)
	io.Copy(io.Discard, resp.Body)
	return took
}

// resident is the resident memory of a process in MB, as Linux tells it.
func resident(b *testing.B, pid int) float64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		missing(b, "resident memory is read from /proc: "+err.Error())
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			if err != nil {
				b.Fatal(err)
			}
			return kb / 1024
		}
	}
	b.Fatal("no VmRSS")
	return 0
}
