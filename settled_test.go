package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"paperwire/internal/papertest"
	"paperwire/internal/store"
)

// configured tells what a store holds of its configuration: the state and the
// schedule of every source, and the names of sections.
func configured(t testing.TB, dir, dsn string) (states map[string]string, sections map[string]string) {
	t.Helper()
	if !store.IsPostgres(dsn) {
		dsn = filepath.Join(dir, dsn)
	}
	st, err := store.Open(t.Context(), dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	health, err := st.Health(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	states, sections = map[string]string{}, map[string]string{}
	for _, h := range health {
		states[h.Source] = h.State
		if h.Due.IsZero() && h.State != "retired" {
			states[h.Source] += ", never looked at again"
		}
	}
	list, err := st.Sections(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		sections[s.Slug] = s.Name
	}
	return states, sections
}

// A command that names no configuration leaves the one of serve alone: its sources
// go on being looked at, and its sections keep their names. Where rules matter it
// works by the file that serve used last, and without it is refused.
func TestCommandsWithoutConfig(t *testing.T) {
	stores(t, func(t *testing.T, dsn string) {
		p := publisher(t, papertest.Options{Key: "one", Day: today(), Pages: 1, ArticlesPerPage: 3})
		q := publisher(t, papertest.Options{Key: "two", Day: today(), Pages: 1, ArticlesPerPage: 2, Seed: 5})
		dir := t.TempDir()
		file := configFor(t, t.TempDir(), p, q)
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		own := strings.Replace(string(raw), "name: 要闻", "name: 本报头条", 1)
		own = strings.Replace(own, "city: \"410800\"", "city: \"410800\", hold: 1ms", 1)
		if err := os.WriteFile(file, []byte(own), 0o644); err != nil {
			t.Fatal(err)
		}
		d := start(t, 0, "serve", "--config", file, "--data", dir, "--store", dsn)
		until(t, "both editions", func() bool { items, _ := d.feed("all"); return len(items) == 5 })
		id := "p1-" + today().Compact() + "-" + p.Articles(today())[0].ID
		same := func(after string) {
			t.Helper()
			states, sections := configured(t, dir, dsn)
			if len(states) != 2 || states["p1"] != "ok" || states["p2"] != "ok" {
				t.Errorf("after %s the sources are %v", after, states)
			}
			if sections["yaowen"] != "本报头条" {
				t.Errorf("after %s the sections are %v", after, sections)
			}
		}
		bare := func(want int, args ...string) (out, log string) {
			t.Helper()
			out, log, code := paperwireRun(t.Context(), append(args, "--data", dir, "--store", dsn)...)
			if code != want {
				t.Fatalf("%v: exit %d, want %d\n%s%s", args, code, want, out, log)
			}
			return out, log
		}
		for _, args := range [][]string{
			{"withdraw", id},
			{"restore", id},
			{"refile", id},
			{"refile", id, "--district", "武陟"},
			{"refile", id, "--district", "rules"},
			{"fetch"},
			{"fetch", "p2"},
			{"reindex", "--dry-run"},
			{"reindex"},
			{"backfill", "p1", "--from", string(today().Add(-2)), "--dry-run"},
		} {
			out, log := bare(0, args...)
			if !strings.Contains(log, file) {
				t.Errorf("%v does not say whose configuration it uses:\n%s", args, log)
			}
			if args[0] == "reindex" && !strings.Contains(out, "5 articles, 0 ") {
				t.Errorf("reindex does not go by the rules of serve:\n%s", out)
			}
			same(strings.Join(args, " "))
		}
		bare(exitUsage, "hold", id) // it is out
		bare(exitUsage, "fetch", "demo")
		same("what was refused")
		if opml := string(d.ok("/feeds.opml").body); !strings.Contains(opml, "报1") || !strings.Contains(opml, "报2") || strings.Contains(opml, "示例日报") {
			t.Errorf("the list of feeds became\n%s", opml)
		}
		q.NextDay()

		// Its file away, or another one in its place: what needs no rules still works.
		d.stop()
		refused := func(hand ...[]string) {
			t.Helper()
			for _, args := range [][]string{{"reindex", "--dry-run"}, {"reindex"}, {"refile", id, "--section", "none"}, {"fetch"}, {"backfill", "p1", "--from", string(today().Add(-2))}} {
				if _, log := bare(exitFailed, args...); !strings.Contains(log, "--config") {
					t.Errorf("%v does not name the remedy:\n%s", args, log)
				}
			}
			for _, args := range hand {
				bare(0, args...)
			}
			same("commands without a file")
		}
		if err := os.Rename(file, file+".kept"); err != nil {
			t.Fatal(err)
		}
		refused([]string{"withdraw", id}, []string{"refile", id})
		if err := os.WriteFile(file, []byte(rightConfig), 0o644); err != nil {
			t.Fatal(err)
		}
		refused([]string{"restore", id}, []string{"refile", id})

		// A look by hand with another file adds its source, and takes none away.
		one := filepath.Join(filepath.Dir(file), "one.yaml")
		if err := os.WriteFile(one, []byte(strings.Replace(strings.Replace(own, "key: p2", "key: p3", 1), "本报头条", "别的名字", 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		bare(0, "fetch", "p1", "--config", one)
		same("fetch with another file")
		bare(0, "fetch", "p3", "--config", one)
		if states, _ := configured(t, dir, dsn); len(states) != 3 || states["p2"] != "ok" || states["p3"] != "ok" {
			t.Errorf("after a look at another source: %v", states)
		}
		// Another file for serve is meant: it retires, and says so.
		d = start(t, 0, "serve", "--config", one, "--data", dir, "--store", dsn)
		until(t, "the other configuration", func() bool {
			states, sections := configured(t, dir, dsn)
			return states["p2"] == "retired" && states["p3"] == "ok" && sections["yaowen"] == "别的名字"
		})
		if !strings.Contains(d.log.String(), "retired: the configuration no longer has these sources") {
			t.Error("the log does not say what was retired")
		}
	})
}

// The store of a look by hand knows its configuration before any serve, and a store
// that only the embedded one has configured needs none.
func TestCommandsOfANewStore(t *testing.T) {
	p := publisher(t, papertest.Options{Key: "one", Day: today(), Pages: 1, ArticlesPerPage: 2})
	dir := t.TempDir()
	file := configFor(t, t.TempDir(), p)
	for _, args := range [][]string{{"fetch", "--config", file}, {"fetch"}, {"reindex"}} {
		if out, log, code := paperwireRun(t.Context(), append(args, "--data", dir)...); code != 0 {
			t.Fatalf("%v: exit %d\n%s%s", args, code, out, log)
		}
	}
	if states, _ := configured(t, dir, "paperwire.db"); len(states) != 1 || states["p1"] != "ok" {
		t.Errorf("the sources are %v", states)
	}
	dir = t.TempDir()
	for _, args := range [][]string{{"fetch"}, {"reindex", "--dry-run"}, {"fetch", "demo"}} {
		if out, log, code := paperwireRun(t.Context(), append(args, "--data", dir)...); code != 0 || strings.Contains(log, "configuration") {
			t.Fatalf("%v: exit %d\n%s%s", args, code, out, log)
		}
	}
	if states, _ := configured(t, dir, "paperwire.db"); len(states) != 1 || states["demo"] != "ok" {
		t.Errorf("the sources are %v", states)
	}
}
