package feed

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"paperwire/internal/paper"
)

// missing skips a test whose tool is not on this machine. A machine that sets
// PAPERWIRE_TEST_ALL=1 has promised to have them all.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("PAPERWIRE_TEST_ALL") == "1" {
		t.Fatalf("PAPERWIRE_TEST_ALL is set and %s", what)
	}
	t.Skip(what)
}

func tool(t *testing.T, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name+" is missing: apt install "+pkg)
	}
	return path
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

// rendered writes one case in every format into a folder of its own and gives
// the files by extension.
func rendered(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, out := map[string]string{}, t.TempDir()
	for _, f := range Formats() {
		files[f.Ext] = filepath.Join(out, "feed."+f.Ext)
		if err := os.WriteFile(files[f.Ext], render(t, f, load(t, dir, f.Ext)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// Atom against the schema of RFC 4287, by two programs: jing knows the compact
// form, in which the RFC prints it.
func TestAtomSchema(t *testing.T) {
	for _, c := range []struct {
		name, pkg string
		args      []string
	}{
		{"xmllint", "libxml2-utils", []string{"--nonet", "--noout", "--relaxng", absolute(t, cases+"/schemas/atom-rfc4287.rng")}},
		{"jing", "jing", []string{"-c", absolute(t, cases+"/schemas/atom-rfc4287.rnc")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := tool(t, c.name, c.pkg)
			args := c.args
			for _, dir := range dirs(t) {
				args = append(args, rendered(t, dir)["atom"])
			}
			args = append(args, statusFile(t))
			if out, err := exec.Command(path, args...).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestSitemapSchema(t *testing.T) {
	path := tool(t, "xmllint", "libxml2-utils")
	args := []string{"--nonet", "--noout", "--schema", absolute(t, cases+"/schemas/sitemap/all.xsd"), lists + "/news.xml", lists + "/sitemap.xml"}
	if out, err := exec.Command(path, args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	args = []string{"--nonet", "--noout", "--schema", absolute(t, cases+"/schemas/sitemap/siteindex.xsd"), lists + "/index.xml"}
	if out, err := exec.Command(path, args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// consumed is what the programs in testdata/syndicate/tools saw.
type consumed struct {
	RSSParser struct {
		Title string `json:"title"`
		Items []struct {
			Title, Link, GUID string
			ISODate           time.Time `json:"isoDate"`
			Content           string    `json:"content"` // the description
			Encoded           string    `json:"content:encoded"`
			Creator           string
			Enclosure         *struct{ URL, Type, Length string }
			Categories        []struct {
				Name string                  `json:"_"`
				Attr struct{ Domain string } `json:"$"`
			}
		}
	} `json:"rssParser"`
	FeedParser map[string][]struct {
		Title, Link, GUID, Summary, Description string
		Date                                    time.Time
	} `json:"feedparser"`
	FeedSmith map[string]struct {
		Format string
		Feed   struct {
			Items   []smithItem
			Entries []smithItem
		}
	} `json:"feedsmith"`
	JSONErrors []any `json:"jsonErrors"`
}

type smithItem struct {
	ID    string
	GUID  struct{ Value string }
	Title any
}

// The programs that Postiz, n8n and others read feeds with must see every item
// whole; JSON Feed must satisfy its schema.
func TestConsumers(t *testing.T) {
	node := tool(t, "node", "nodejs")
	modules := os.Getenv("PAPERWIRE_NODE_MODULES")
	if modules == "" {
		missing(t, "PAPERWIRE_NODE_MODULES names no folder: npm install rss-parser@3.13.0 feedparser@2.6.0 feedsmith@3.0.1 ajv@8 ajv-formats and name its node_modules")
	}
	for _, dir := range dirs(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			files := rendered(t, dir)
			cmd := exec.Command(node, cases+"/tools/consume.mjs", files["rss"], files["atom"], files["json"], cases+"/schemas")
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, stderr.String())
			}
			var got consumed
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatal(err)
			}
			if len(got.JSONErrors) > 0 {
				t.Errorf("JSON Feed schema: %v", got.JSONErrors)
			}
			in := load(t, dir, "rss")
			entries := in.entries()
			if len(got.RSSParser.Items) != len(entries) || len(got.FeedParser["rss"]) != len(entries) || len(got.FeedParser["atom"]) != len(entries) ||
				len(got.FeedSmith["rss"].Feed.Items) != len(entries) || len(got.FeedSmith["atom"].Feed.Entries) != len(entries) ||
				len(got.FeedSmith["json"].Feed.Items) != len(entries) {
				t.Fatalf("%d items: not all programs saw all of them", len(entries))
			}
			for i, e := range entries {
				saw := got.RSSParser.Items[i]
				type seen struct {
					Title, Link, GUID, Content, Encoded, Creator, Enclosure string
					Date                                                    time.Time
					Labels                                                  []string
				}
				want := seen{e.title, e.link, e.URN, e.description, e.whole(), e.authors[0], "", e.Published.UTC().Truncate(time.Second), nil}
				have := seen{saw.Title, saw.Link, saw.GUID, saw.Content, saw.Encoded, saw.Creator, "", saw.ISODate, nil}
				if e.enclosure != nil {
					want.Enclosure = e.enclosure.URL + " " + e.enclosure.Type
				}
				if saw.Enclosure != nil {
					have.Enclosure = saw.Enclosure.URL + " " + saw.Enclosure.Type
				}
				for _, s := range e.sections {
					want.Labels = append(want.Labels, "section "+s.Name)
				}
				for _, d := range e.districts {
					want.Labels = append(want.Labels, "district "+d.Name)
				}
				for _, c := range saw.Categories {
					have.Labels = append(have.Labels, c.Attr.Domain+" "+c.Name)
				}
				if d := cmp.Diff(want, have); d != "" {
					t.Errorf("rss-parser, item %d (-want +got):\n%s", i, d)
				}
				for ext, items := range got.FeedParser {
					item := items[i]
					if item.GUID != e.URN || item.Link != e.link || item.Title != e.title || !item.Date.Equal(want.Date) {
						t.Errorf("feedparser, %s item %d: %+v", ext, i, item)
					}
				}
				if id := got.FeedSmith["atom"].Feed.Entries[i].ID; id != e.URN {
					t.Errorf("feedsmith, atom entry %d: id %s", i, id)
				}
				if id := got.FeedSmith["json"].Feed.Items[i].ID; id != e.URN {
					t.Errorf("feedsmith, JSON item %d: id %s", i, id)
				}
				if id := got.FeedSmith["rss"].Feed.Items[i].GUID.Value; id != e.URN {
					t.Errorf("feedsmith, RSS item %d: guid %s", i, id)
				}
				if e.State == paper.Withdrawn && saw.Encoded != "" {
					t.Errorf("item %d is withdrawn and has a body", i)
				}
			}
		})
	}
}
