package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"paperwire/internal/ingest"
	"paperwire/internal/paper"
	"paperwire/internal/papertest"
	"paperwire/internal/store"
)

// archiveOf is a small paper with n editions before its newest, of yesterday; of
// some days there is none.
func archiveOf(t testing.TB, n int, rests ...int) *papertest.Publisher {
	t.Helper()
	p := publisher(t, papertest.Options{Key: "old", Day: today().Add(-1 - n - len(rests)), Pages: 2, ArticlesPerPage: 2, Seed: 3})
	for i := range n {
		if slices.Contains(rests, i) {
			p.Rest()
		}
		p.NextDay()
	}
	return p
}

// backfilling is a backfill in a process of its own.
func backfilling(t testing.TB, args ...string) (cmd *exec.Cmd, out *safeBuffer) {
	t.Helper()
	out = &safeBuffer{}
	cmd = exec.Command(os.Args[0], append([]string{"backfill"}, args...)...)
	cmd.Env = append(os.Environ(), "PAPERWIRE_TEST_AS_MAIN=1")
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return cmd, out
}

// paperwireRun runs a command here and gives what it wrote.
func paperwireRun(ctx context.Context, args ...string) (stdout, stderr string, code int) {
	var out, log safeBuffer
	code = exitCode(run(ctx, args, strings.NewReader(""), &out, &log), &log)
	return out.String(), log.String(), code
}

// archived gives the headlines that the store lets out for a day, in print order.
func archived(t testing.TB, dir, dsn string, days []paper.Day) map[paper.Day][]string {
	t.Helper()
	if !store.IsPostgres(dsn) {
		dsn = filepath.Join(dir, dsn)
	}
	st, err := store.Open(t.Context(), dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	all := map[paper.Day][]string{}
	for _, day := range days {
		items, err := st.Items(t.Context(), paper.Public, paper.Scope{Papers: []string{"p1"}}, paper.Window{Day: day})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range items {
			all[day] = append(all[day], i.Headline)
		}
	}
	return all
}

// editions are the days of a publisher that have one, up to a day.
func editionsOf(p *papertest.Publisher, from, to paper.Day) (days []paper.Day, headlines map[paper.Day][]string) {
	headlines = map[paper.Day][]string{}
	for day := from; day <= to; day = day.Add(1) {
		for _, a := range p.Articles(day) {
			headlines[day] = append(headlines[day], a.Headline)
		}
		if len(headlines[day]) > 0 {
			days = append(days, day)
		}
	}
	return days, headlines
}

// asked counts how often each article was asked for.
func asked(p *papertest.Publisher) map[string]int {
	n := map[string]int{}
	for _, r := range p.Requests() {
		if strings.Contains(r.Path, "content_") {
			n[r.Path]++
		}
	}
	return n
}

// current are the documents that a subscriber follows.
var current = []string{
	"/feeds/all.rss", "/feeds/all.atom", "/feeds/all.json?limit=200", "/feeds/paper/p1.rss", "/feeds/section/yaowen.json",
	"/feeds/district/410825.atom", "/feeds/district/410800.json", "/sitemap-news.xml",
}

// following gives bytes and validators of the current documents.
func following(d *daemon) map[string]string {
	d.t.Helper()
	seen := map[string]string{}
	for _, path := range current {
		a := d.get(path)
		if a.StatusCode != http.StatusOK {
			d.t.Fatalf("%s: %d", path, a.StatusCode)
		}
		seen[path] = a.Header.Get("ETag") + " " + a.Header.Get("Last-Modified") + "\n" + string(a.body)
	}
	return seen
}

func undisturbed(d *daemon, before map[string]string) {
	d.t.Helper()
	for path, now := range following(d) {
		if now != before[path] {
			d.t.Errorf("%s changed from\n%s\nto\n%s", path, tail(before[path], 400), tail(now, 400))
		}
	}
	for _, path := range current {
		etag, _, _ := strings.Cut(before[path], " ")
		if a := d.get(path, "If-None-Match", etag); a.StatusCode != http.StatusNotModified {
			d.t.Errorf("%s: %d to the old validator", path, a.StatusCode)
		}
	}
}

// The acceptance of issue 3: ninety editions, two kill -9, every article once, none
// fetched more than twice, and who follows the current feeds sees nothing of it.
func TestBackfillKilled(t *testing.T) {
	stores(t, func(t *testing.T, dsn string) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		rnd := rand.New(rand.NewPCG(seed, 2))
		p := archiveOf(t, 90, 5, 6, 40, 77)
		dir := t.TempDir()
		file := configFor(t, dir, p)
		serve := []string{"serve", "--config", file, "--data", dir, "--store", dsn}
		d := start(t, 0, serve...)
		first := len(p.Articles(p.Day()))
		until(t, "the first edition", func() bool { f, _ := d.feed("paper/p1"); return len(f) == first })
		d.closed("paper/p1")
		before := following(d)
		d.stop()

		from, to := p.Day().Add(-94), p.Day().Add(-1)
		days, want := editionsOf(p, from, to)
		if len(days) != 90 {
			t.Fatalf("%d editions", len(days))
		}
		p.Reset()
		p.Misbehave(papertest.Slow(2 * time.Millisecond).On("content_"))
		args := []string{"p1", "--from", string(from), "--to", string(to), "--config", file, "--data", dir, "--store", dsn}
		for kill := range 2 {
			cmd, out := backfilling(t, args...)
			begun := p.Count("content_", 0)
			after := begun + 20 + rnd.IntN(100)
			until(t, "it reads", func() bool { return p.Count("content_", 0) >= after || cmd.ProcessState != nil })
			time.Sleep(time.Duration(rnd.IntN(20)) * time.Millisecond)
			cmd.Process.Kill()
			if err := cmd.Wait(); err == nil {
				t.Fatalf("kill %d came too late:\n%s", kill, out)
			}
			t.Logf("killed after %d articles", p.Count("content_", 0)-begun)
		}
		began := time.Now()
		cmd, out := backfilling(t, args...)
		if err := cmd.Wait(); err != nil {
			t.Fatalf("the third run: %v\n%s", err, tail(out.String(), 3000))
		}
		t.Logf("the third run took %s", time.Since(began).Round(time.Millisecond))

		have := archived(t, dir, dsn, days)
		for _, day := range days {
			if !slices.Equal(have[day], want[day]) {
				t.Errorf("%s: stored %q, printed %q", day, have[day], want[day])
			}
		}
		twice := 0
		for path, n := range asked(p) {
			if n > 2 {
				t.Errorf("%s was asked for %d times", path, n)
			}
			if n == 2 {
				twice++
			}
		}
		if n := len(asked(p)); n != 90*4 {
			t.Errorf("%d articles asked for", n)
		}
		if twice > 2 {
			t.Errorf("two kills, and %d articles asked for twice", twice)
		}

		// Once more: nothing is asked for but by the looks.
		p.Reset()
		again, log, code := paperwireRun(t.Context(), append([]string{"backfill"}, args...)...)
		if n := len(p.Requests()); n != 0 || code != 0 {
			t.Errorf("a run with nothing to do: exit %d, %d requests, %v\n%s%s", code, n, p.Requests()[:min(n, 5)], again, log)
		}
		if fields := strings.Join(strings.Fields(again), " "); !strings.Contains(fields, "already there 90 not published 4") {
			t.Errorf("the summary does not tell of 90 editions and 4 gaps:\n%s", again)
		}

		d = start(t, 0, serve...)
		undisturbed(d, before)
		for _, day := range []paper.Day{days[0], days[44], days[89]} {
			a := d.get("/editions/p1/" + string(day))
			for _, headline := range want[day] {
				if a.StatusCode != http.StatusOK || !strings.Contains(string(a.body), headline) {
					t.Errorf("/editions/p1/%s: %d, %q is missing", day, a.StatusCode, headline)
				}
			}
		}
	})
}

// slowConfig is configFor with one look an hour: the looks of a test do not keep
// backfill waiting.
func slowConfig(t testing.TB, dir string, p *papertest.Publisher, more ...string) string {
	t.Helper()
	file := configFor(t, dir, p)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := strings.Replace(string(b), "every: 1s}", strings.Join(append([]string{"every: 1h"}, more...), ", ")+"}", 1)
	if err := os.WriteFile(file, []byte(s), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// Beside a running serve: feeds stay as they are, what was rendered before and
// shows the archive is made anew, and corrections of old articles reach their pages
// and nobody else.
func TestBackfillBesideServe(t *testing.T) {
	stores(t, func(t *testing.T, dsn string) {
		p := archiveOf(t, 6)
		dir := t.TempDir()
		file := slowConfig(t, dir, p)
		d := start(t, 0, "serve", "--config", file, "--data", dir, "--store", dsn)
		n := len(p.Articles(p.Day()))
		until(t, "the first edition", func() bool { f, _ := d.feed("paper/p1"); return len(f) == n })
		d.closed("paper/p1")
		before := following(d)
		health := string(d.get("/feeds/status.atom").body)
		from, to := p.Day().Add(-6), p.Day()
		old := p.Articles(from)[0]
		page, article := "/editions/p1/"+string(from), "/a/p1-"+from.Compact()+"-"+old.ID
		if a := d.get(page); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s before: %d", page, a.StatusCode)
		}
		sitemap := string(d.get("/sitemap-pages.xml").body)
		args := []string{"backfill", "p1", "--from", string(from), "--to", string(to), "--config", file, "--data", dir, "--store", dsn}
		out, log, code := paperwireRun(t.Context(), args...)
		if code != 0 {
			t.Fatalf("exit %d\n%s%s", code, out, log)
		}
		until(t, "the old edition is served", func() bool {
			return strings.Contains(string(d.get(page).body), old.Headline) && strings.Contains(string(d.get(article).body), old.Headline)
		})
		until(t, "the sitemap of pages has it", func() bool { return string(d.get("/sitemap-pages.xml").body) != sitemap })
		until(t, "the sitemap of its month has it", func() bool {
			return strings.Contains(string(d.get("/sitemap-"+string(from[:7])+".xml").body), article+"</loc>")
		})
		if a := d.get(article + "/card.json"); !strings.Contains(string(a.body), old.Headline) {
			t.Errorf("card: %d %s", a.StatusCode, tail(string(a.body), 300))
		}
		undisturbed(d, before)
		if now := string(d.get("/feeds/status.atom").body); now != health {
			t.Errorf("the sources' health changed:\n%s\n%s", tail(health, 500), tail(now, 500))
		}

		// A correction of an old article: without --again nobody looks.
		p.Correct(old.ID, func(a *papertest.Article) { a.Headline = "改过的老标题" })
		p.Reset()
		if out, log, code = paperwireRun(t.Context(), args...); code != 0 || len(p.Requests()) > 0 {
			t.Fatalf("exit %d, %d requests\n%s%s", code, len(p.Requests()), out, log)
		}
		if out, log, code = paperwireRun(t.Context(), append(args, "--again")...); code != 0 {
			t.Fatalf("exit %d\n%s%s", code, out, log)
		}
		until(t, "the correction is served", func() bool {
			return strings.Contains(string(d.get(page).body), "改过的老标题") && strings.Contains(string(d.get(article+"/card.json").body), "改过的老标题")
		})
		undisturbed(d, before)
		for path, n := range asked(p) {
			if n > 1 || strings.Contains(path, "/"+strings.ReplaceAll(string(p.Day()[:7]), "-", "-")+"/"+string(p.Day()[8:])+"/") {
				t.Errorf("%s asked for %d times by --again", path, n)
			}
		}
	})
}

// A look goes before: while one waits for the host, backfill does not begin
// another edition.
func TestBackfillGivesWay(t *testing.T) {
	p := archiveOf(t, 20)
	dir := t.TempDir()
	file := slowConfig(t, dir, p)
	look := []string{"fetch", "p1", "--config", file, "--data", dir}
	if out, log, code := paperwireRun(t.Context(), look...); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, out, log)
	}
	p.Misbehave(papertest.Slow(50 * time.Millisecond).On("content_"))
	oldest := p.Day().Add(-20)
	cmd, out := backfilling(t, "p1", "--from", string(oldest), "--to", string(p.Day()), "--config", file, "--data", dir)
	until(t, "it has begun", func() bool { return len(asked(p)) > 6 })
	// News come: the look that brings them in waits for one edition at most.
	p.NextDay()
	news := map[string]bool{}
	for _, a := range p.Articles(p.Day()) {
		news[strings.SplitN(a.URL, "content_", 2)[1]] = true
	}
	if out, log, code := paperwireRun(t.Context(), look...); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, out, log)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			t.Fatalf("%v\n%s", err, tail(out.String(), 2000))
		}
	case <-time.After(3 * time.Minute):
		t.Fatalf("backfill starves:\n%s", tail(out.String(), 2000))
	}
	// At the publisher's no edition was broken into.
	var order []bool
	for _, r := range p.Requests() {
		if _, id, ok := strings.Cut(r.Path, "content_"); ok {
			order = append(order, news[id])
		}
	}
	first, last := slices.Index(order, true), len(order)-1-slices.Index(reversed(order), true)
	if last-first != 3 {
		t.Errorf("the four articles of the news came as %d to %d of %d", first, last, len(order))
	}
	if last == len(order)-1 {
		t.Error("news came only after the whole backfill")
	}
	if first%4 != 0 {
		t.Errorf("news broke into an edition, after %d articles", first)
	}
	if got := archived(t, dir, "paperwire.db", []paper.Day{oldest}); len(got[oldest]) != 4 {
		t.Errorf("the oldest edition: %v", got)
	}
}

func reversed[T any](list []T) []T {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

// A wall in the middle ends the run at once, by name; the same command goes on.
func TestBackfillWall(t *testing.T) {
	p := archiveOf(t, 6, 2)
	dir := t.TempDir()
	file := slowConfig(t, dir, p)
	from := p.Day().Add(-7)
	args := []string{"backfill", "p1", "--from", string(from), "--config", file, "--data", dir}
	// The wall stands at the articles of the fourth day back.
	day := p.Day().Add(-3)
	at := strings.ReplaceAll(string(day), "-", "-")
	at = at[:7] + "/" + at[8:] + "/content_"
	p.Misbehave(papertest.Captcha().On(at))
	out, log, code := paperwireRun(t.Context(), args...)
	if code != exitFailed || !strings.Contains(log, "wall") || !strings.Contains(log, "go on with:\n  paperwire backfill p1 --from "+string(from)) {
		t.Fatalf("exit %d\n%s%s", code, out, log)
	}
	if n := p.Count(at, 0); n != 1 {
		t.Errorf("%d requests ran against the wall", n)
	}
	if n := p.Count(string(day.Add(-1)[:7])+"/"+string(day.Add(-1)[8:])+"/", 0); n != 0 {
		t.Errorf("%d requests after the wall", n)
	}
	p.Behave()
	if out, log, code = paperwireRun(t.Context(), args...); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, out, log)
	}
	days, want := editionsOf(p, from, p.Day())
	have := archived(t, dir, "paperwire.db", days)
	for _, day := range days {
		if !slices.Equal(have[day], want[day]) {
			t.Errorf("%s: %q, want %q", day, have[day], want[day])
		}
	}
	for path, n := range asked(p) {
		if n > 1 && !strings.Contains(path, at) {
			t.Errorf("%s asked for %d times", path, n)
		}
	}
}

// What cannot be read is tried again at the end, and named; a gap is asked for once.
func TestBackfillNamesWhatIsMissing(t *testing.T) {
	p := archiveOf(t, 5, 2)
	dir := t.TempDir()
	file := slowConfig(t, dir, p)
	bad, hiccup := p.Articles(p.Day().Add(-2))[1], p.Articles(p.Day().Add(-1))[2]
	p.Misbehave(papertest.Status(404, 0).On("content_" + bad.ID))
	p.Misbehave(papertest.Status(500, 0).On("content_" + hiccup.ID).Times(1))
	args := []string{"backfill", "p1", "--from", string(p.Day().Add(-6)), "--config", file, "--data", dir}
	out, log, code := paperwireRun(t.Context(), args...)
	if code != exitFailed || !strings.Contains(out, bad.URL) || strings.Contains(out, hiccup.URL) || !strings.Contains(log, "1 of 7 days stayed incomplete") {
		t.Errorf("exit %d\n%s%s", code, out, log)
	}
	if n := p.Count("content_"+bad.ID, 0); n != 2 {
		t.Errorf("the missing article was asked for %d times", n)
	}
	p.Behave()
	p.Reset()
	if out, log, code = paperwireRun(t.Context(), args...); code != 0 {
		t.Errorf("mended: exit %d\n%s%s", code, out, log)
	}
	if n := asked(p); len(n) != 1 {
		t.Errorf("asked for %v", n)
	}
	gap := p.Day().Add(-4)
	for len(p.Articles(gap)) > 0 {
		gap = gap.Add(1)
	}
	if n := p.Count(string(gap[:7])+"/"+string(gap[8:])+"/", 0); n != 0 {
		t.Errorf("the gap of %s was asked for again", gap)
	}
}

// Ctrl-C ends after the article under way and says how to go on.
func TestBackfillStops(t *testing.T) {
	p := archiveOf(t, 6)
	p.Misbehave(papertest.Slow(30 * time.Millisecond).On("content_"))
	dir := t.TempDir()
	file := slowConfig(t, dir, p)
	args := []string{"p1", "--from", string(p.Day().Add(-6)), "--to", string(p.Day()), "--config", file, "--data", dir}
	cmd, out := backfilling(t, args...)
	until(t, "it reads", func() bool { return len(asked(p)) > 5 })
	cmd.Process.Signal(os.Interrupt)
	err := cmd.Wait()
	var exit *exec.ExitError
	if e, ok := err.(*exec.ExitError); ok {
		exit = e
	}
	if exit == nil || exit.ExitCode() != exitFailed || !strings.Contains(out.String(), "stopped after ") || !strings.Contains(out.String(), "paperwire backfill "+strings.Join(args, " ")) {
		t.Fatalf("%v\n%s", err, out)
	}
	if n := len(asked(p)); n > 12 {
		t.Errorf("it went on for %d articles", n)
	}
	if o, l, code := paperwireRun(t.Context(), append([]string{"backfill"}, args...)...); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, o, l)
	}
	for path, n := range asked(p) {
		if n > 1 {
			t.Errorf("%s asked for %d times: nothing was lost", path, n)
		}
	}
}

// A dry run tells and keeps nothing.
func TestBackfillDryRun(t *testing.T) {
	p := archiveOf(t, 4, 1)
	dir := t.TempDir()
	file := slowConfig(t, dir, p)
	from := p.Day().Add(-5)
	args := []string{"backfill", "p1", "--from", string(from), "--to", string(p.Day()), "--config", file, "--data", dir}
	out, log, code := paperwireRun(t.Context(), append(args, "--dry-run")...)
	if code != 0 || !strings.Contains(out, "5 would be read, 0 already there, 1 not published") {
		t.Fatalf("exit %d\n%s%s", code, out, log)
	}
	if n := len(asked(p)); n != 0 {
		t.Errorf("%d articles read", n)
	}
	days, _ := editionsOf(p, from, p.Day())
	if have := archived(t, dir, "paperwire.db", days); len(have) != 0 {
		t.Errorf("stored: %v", have)
	}
	if out, log, code = paperwireRun(t.Context(), args...); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, out, log)
	}
	if out, log, code = paperwireRun(t.Context(), append(args, "--dry-run")...); code != 0 || !strings.Contains(out, "0 would be read, 5 already there, 1 not published") {
		t.Fatalf("exit %d\n%s%s", code, out, log)
	}
}

// What cannot be meant is told as wrong usage.
func TestBackfillRefuses(t *testing.T) {
	feed := publisher(t, papertest.Options{Key: "f", Form: papertest.RSS})
	dir := t.TempDir()
	file := slowConfig(t, dir, feed)
	day := func(n int) string { return string(today().Add(n)) }
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"p1", "--from", day(-3)}, "holds no past editions"},
		{[]string{"--from", day(-3)}, "name one source"},
		{[]string{"nobody", "--from", day(-3)}, "source nobody is not in the configuration"},
		{[]string{"p1"}, "--from is missing"},
		{[]string{"p1", "--from", "gestern"}, "not a day"},
		{[]string{"p1", "--from", day(-3), "--to", "x"}, "not a day"},
		{[]string{"p1", "--from", day(-3), "--to", day(-4)}, "is after --to"},
		{[]string{"p1", "--from", day(-3), "--to", day(2)}, "is yet to come"},
		{[]string{"p1", "--from", day(3)}, "is yet to come"},
		{[]string{"p1", "--from", "1800-01-01"}, "more than 40 years"},
		{[]string{"p1", "--from", day(-3), "--pause", "-1s"}, "--pause"},
	} {
		out, log, code := paperwireRun(t.Context(), append(append([]string{"backfill"}, c.args...), "--config", file, "--data", dir)...)
		if code != exitUsage || !strings.Contains(log, c.says) {
			t.Errorf("%v: exit %d\n%s%s", c.args, code, out, log)
		}
	}
}

// The bar keeps to the width, is drawn five times a second at most, and what is
// logged stands above it.
func TestProgressBar(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(1_700_000_000, 0)
	b := &progressBar{out: &out, now: func() time.Time { return now }, columns: func() int { return 40 }, on: true}
	p := ingest.PastProgress{Source: "jzrb", Name: "焦作日报\x1b[2J", Day: "2026-03-17", Days: 90, Listed: 16}
	for i := range 100 {
		p.Articles, p.Read, p.Done = i, i%16, i/16
		b.show(p)
		now = now.Add(50 * time.Millisecond)
	}
	lines := strings.Split(out.String(), eraseLine)[1:]
	if len(lines) != 25 {
		t.Errorf("drawn %d times in five seconds", len(lines))
	}
	for _, line := range lines {
		columns := 0
		for _, r := range line {
			if columns++; r >= 0x1100 {
				columns++
			}
		}
		if columns > 39 || strings.ContainsAny(line, "\x1b\n") || !strings.HasPrefix(line, "焦作日报") {
			t.Errorf("%d columns: %q", columns, line)
		}
	}
	out.Reset()
	fmt.Fprintln(b, "a line of the log")
	fmt.Fprintln(b, "another")
	if got := out.String(); got != eraseLine+"a line of the log\nanother\n" {
		t.Errorf("%q", got)
	}
	b.on = false
	out.Reset()
	now = now.Add(time.Second)
	b.show(p)
	b.clear()
	if out.Len() > 0 {
		t.Errorf("off, it drew %q", out.String())
	}
	p = ingest.PastProgress{Source: "jzrb", Name: "焦作日报", Day: "2026-03-17", Done: 30, Days: 90, Read: 8, Listed: 16, Articles: 600, Errors: 2}
	want := "焦作日报 2026-03-17 [######--------------] 30/90  articles 8/16  2.0/s  9m45s left  errors 2"
	if got := progressLine(p, 5*time.Minute); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := fit("焦作日报abc", 7); got != "焦作日" {
		t.Errorf("fit: %q", got)
	}
}

func BenchmarkProgressBar(b *testing.B) {
	bar := &progressBar{out: io.Discard, now: time.Now, columns: func() int { return 100 }, on: true}
	p := ingest.PastProgress{Name: "焦作日报", Day: "2026-03-17", Done: 30, Days: 90, Read: 8, Listed: 16, Articles: 600}
	for b.Loop() {
		bar.drawn = time.Time{}
		bar.show(p)
	}
}

// What is news, or will be, is left to looks: backfill would keep it out of the
// current feed for good.
func TestBackfillLeavesNews(t *testing.T) {
	p := publisher(t, papertest.Options{Key: "old", Day: today().Add(-3), Pages: 1, ArticlesPerPage: 2, Seed: 4})
	dir := t.TempDir()
	file := slowConfig(t, dir, p)
	flags := []string{"--config", file, "--data", dir}
	if out, log, code := paperwireRun(t.Context(), append([]string{"fetch"}, flags...)...); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, out, log)
	}
	for range 3 {
		p.NextDay() // up to today
	}
	p.Reset()
	args := append([]string{"backfill", "p1", "--from", string(today().Add(-3)), "--to", string(today())}, flags...)
	out, log, code := paperwireRun(t.Context(), append(args, "--dry-run")...)
	if code != 0 || len(p.Requests()) > 0 || !strings.Contains(out, "0 would be read, 1 already there, 0 not published, 3 left to looks") {
		t.Errorf("exit %d, %d requests\n%s%s", code, len(p.Requests()), out, log)
	}
	if out, log, code = paperwireRun(t.Context(), args...); code != 0 || len(p.Requests()) > 0 {
		t.Errorf("exit %d, %d requests\n%s%s", code, len(p.Requests()), out, log)
	}
	if out, log, code = paperwireRun(t.Context(), append([]string{"fetch"}, flags...)...); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, out, log)
	}
	d := start(t, 0, append([]string{"serve"}, flags...)...)
	if f, _ := d.feed("paper/p1"); len(f) != 8 {
		t.Errorf("the feed holds %d of 8 articles", len(f))
	}
}

// A publisher that is down ends a run before it has knocked at every day; one that
// asks to be left alone is left alone, and the same run goes on.
func TestBackfillOfATroubledPublisher(t *testing.T) {
	p := archiveOf(t, 12)
	dir := t.TempDir()
	file := slowConfig(t, dir, p)
	args := []string{"backfill", "p1", "--from", string(p.Day().Add(-12)), "--to", string(p.Day().Add(-1)), "--config", file, "--data", dir}
	p.Misbehave(papertest.Status(503, 0))
	out, log, code := paperwireRun(t.Context(), args...)
	if code != exitFailed || !strings.Contains(log, "3 days in a row gave nothing") || !strings.Contains(log, "go on with") {
		t.Errorf("exit %d\n%s%s", code, out, log)
	}
	if n := len(p.Requests()); n > 12 {
		t.Errorf("%d requests to a publisher in trouble", n)
	}
	p.Behave()
	p.Misbehave(papertest.Status(503, time.Second).On("content_").Times(1))
	out, log, code = paperwireRun(t.Context(), args...)
	if code != 0 || !strings.Contains(log, "backfill waits") {
		t.Errorf("exit %d\n%s%s", code, out, log)
	}
	for path, n := range asked(p) {
		if n > 2 {
			t.Errorf("%s asked for %d times", path, n)
		}
	}
	days, want := editionsOf(p, p.Day().Add(-12), p.Day().Add(-1))
	have := archived(t, dir, "paperwire.db", days)
	for _, day := range days {
		if !slices.Equal(have[day], want[day]) {
			t.Errorf("%s: %q, want %q", day, have[day], want[day])
		}
	}
}

// A notice of correction is read before the older article that it corrects, and
// leads to it all the same.
func TestBackfillFindsWhatIsCorrected(t *testing.T) {
	day := today().Add(-4)
	p := publisher(t, papertest.Options{Key: "old", Day: day, Pages: -1})
	p.Publish(day, []papertest.Page{{Number: "02", Name: "综合", Articles: []papertest.Article{
		{ID: "2002", Headline: "果园里搭起戏台", Paragraphs: []string{"戏台搭在七十四棵桃树中间，锣鼓一响，邻村的人也来了，坐得满满当当。"}},
	}}})
	when := day.In(paper.Shanghai)
	p.Publish(day.Add(1), []papertest.Page{{Number: "01", Name: "要闻", Articles: []papertest.Article{
		{ID: "4002", Headline: "更 正", Paragraphs: []string{fmt.Sprintf("本报%d月%d日第二版《果园里搭起戏台》一文中，“七十四棵”应为“四十七棵”，特此更正，并向读者致歉。", when.Month(), when.Day())}},
	}}})
	dir := t.TempDir()
	file := slowConfig(t, dir, p)
	if out, log, code := paperwireRun(t.Context(), "backfill", "p1", "--from", string(day), "--config", file, "--data", dir); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, out, log)
	}
	st, err := store.Open(t.Context(), filepath.Join(dir, "paperwire.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	i, err := st.Item(t.Context(), paper.Public, "p1-"+day.Add(1).Compact()+"-4002")
	if err != nil || len(i.Related) != 1 || i.Related[0].ID != "p1-"+day.Compact()+"-2002" {
		t.Errorf("the notice leads to %+v, %v", i.Related, err)
	}
}

// Of an edition that a look brought in, backfill adds what is missing, as archive;
// what is there is neither corrected nor withdrawn by it.
func TestBackfillCompletesAnEditionOfLooks(t *testing.T) {
	p := publisher(t, papertest.Options{Key: "old", Day: today().Add(-6), Pages: 2, ArticlesPerPage: 3, Seed: 6})
	dir := t.TempDir()
	file := slowConfig(t, dir, p)
	flags := []string{"--config", file, "--data", dir}
	list := p.Articles(p.Day())
	missing, corrected, gone := list[1], list[2], list[4]
	p.Misbehave(papertest.Status(500, 0).On("content_" + missing.ID))
	paperwireRun(t.Context(), append([]string{"fetch"}, flags...)...)
	p.Behave()
	d := start(t, 0, append([]string{"serve"}, flags...)...)
	if f, _ := d.feed("all"); len(f) != 5 {
		t.Fatalf("the feed holds %d articles", len(f))
	}
	before := d.get("/feeds/all.json")
	p.Correct(corrected.ID, func(a *papertest.Article) { a.Headline = "换了的标题" })
	p.Withdraw(gone.ID)
	p.Reset()
	for range 2 {
		out, log, code := paperwireRun(t.Context(), append([]string{"backfill", "p1", "--from", string(p.Day())}, flags...)...)
		if code != 0 {
			t.Fatalf("exit %d\n%s%s", code, out, log)
		}
	}
	if n := asked(p); len(n) != 1 || p.Count("content_"+missing.ID, 0) != 1 {
		t.Errorf("asked for %v", n)
	}
	page := "/editions/p1/" + string(p.Day())
	until(t, "the missing article is served", func() bool { return strings.Contains(string(d.get(page).body), missing.Headline) })
	if a := d.get(page); !strings.Contains(string(a.body), corrected.Headline) || !strings.Contains(string(a.body), gone.Headline) {
		t.Errorf("what the look had is not there as it was:\n%s", tail(string(a.body), 3000))
	}
	if a := d.get("/feeds/all.json"); string(a.body) != string(before.body) || a.Header.Get("ETag") != before.Header.Get("ETag") {
		t.Error("the feed changed")
	}
}
