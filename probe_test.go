package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"paperwire/internal/papertest"
	"paperwire/internal/place"
)

// probeSite runs the command as a person does.
func probeSite(t *testing.T, config string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	a := &app{in: strings.NewReader(""), out: &out, err: io.Discard, flags: overrides{file: config}, logLevel: "error"}
	c := probeCommand(a)
	c.SetArgs(args)
	c.SetOut(io.Discard)
	c.SetErr(io.Discard)
	c.SilenceErrors, c.SilenceUsage = true, true
	err := c.ExecuteContext(t.Context())
	return out.String(), err
}

const probeConfig = "base_url: http://paperwire.test\nfetch: {pace: 1ms, open_hosts: [127.0.0.1]}\nsources:\n"

// What probe proposes is what works: every form that needs no rules is read from
// exactly those lines.
func TestProbeProposesWhatWorks(t *testing.T) {
	for _, form := range []papertest.Form{papertest.FounderClassic, papertest.FounderNew, papertest.PaperIndex, papertest.RSS, papertest.Atom, papertest.JSONFeed} {
		t.Run(string(form), func(t *testing.T) {
			p := publisher(t, papertest.Options{Key: "jzrb", Name: "焦作日报", Form: form})
			at := p.URL()
			if form == papertest.RSS || form == papertest.Atom || form == papertest.JSONFeed {
				at = p.Feed(form)
			}
			bare := writeConfig(t, probeConfig+"  - {key: other, name: 其他, url: \"http://127.0.0.1:1/\"}\n")
			out, err := probeSite(t, bare, at)
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			_, lines, ok := strings.Cut(out, "\nsources:\n")
			if !ok || strings.Count(lines, "\n") > 5 || !strings.Contains(lines, `city: "410800"`) || !strings.Contains(lines, "name: 焦作日报") {
				t.Fatalf("proposed\n%s", out)
			}
			config := writeConfig(t, probeConfig+lines)
			var told bytes.Buffer
			if err := run(t.Context(), []string{"check", "--config", config}, strings.NewReader(""), &told, io.Discard); err != nil {
				t.Fatalf("%v\n%s\n%s", err, lines, told.String())
			}
			data := t.TempDir()
			if err := run(t.Context(), []string{"fetch", "--config", config, "--data", data, "--log", "error"}, strings.NewReader(""), &told, io.Discard); err != nil {
				t.Fatalf("%v\n%s", err, told.String())
			}
			told.Reset()
			if err := run(t.Context(), []string{"scopes", "--config", config, "--data", data}, strings.NewReader(""), &told, io.Discard); err != nil {
				t.Fatal(err)
			}
			n, _ := listed(p)
			if !strings.Contains(strings.Join(strings.Fields(told.String()), " "), fmt.Sprintf("all %d ", n)) {
				t.Errorf("%d articles are published; taken in:\n%s", n, told.String())
			}
		})
	}
}

func TestProbeSaves(t *testing.T) {
	p := publisher(t, papertest.Options{Key: "jzrb", Name: "焦作日报", Charset: "gb18030"})
	bare := writeConfig(t, probeConfig+"  - {key: other, name: 其他, url: \"http://127.0.0.1:1/\"}\n")
	dir := t.TempDir()
	if out, err := probeSite(t, bare, p.URL(), "--save", dir); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	saved, _ := filepath.Glob(filepath.Join(dir, "founder", "jzrb-*", "body.*"))
	if len(saved) < 4 {
		t.Fatalf("saved %q", saved)
	}
	for _, f := range saved {
		info, err := os.ReadFile(filepath.Join(filepath.Dir(f), "case.txt"))
		if err != nil || !strings.HasPrefix(string(info), "url: http") || !strings.Contains(string(info), "\ncontent-type: ") {
			t.Errorf("%s: %q %v", f, info, err)
		}
	}
	// A second time nothing is written over.
	if _, err := probeSite(t, bare, p.URL(), "--save", dir); err == nil {
		t.Error("written over what was there")
	}
}

func TestProbeSaysWhatItSaw(t *testing.T) {
	p := publisher(t, papertest.Options{Key: "jzrb"})
	p.Misbehave(papertest.Captcha())
	bare := writeConfig(t, probeConfig+"  - {key: other, name: 其他, url: \"http://127.0.0.1:1/\"}\n")
	out, err := probeSite(t, bare, p.URL())
	if !errors.Is(err, errTold) || !strings.Contains(out, "none that is known") || !strings.Contains(out, "captcha") || strings.Contains(out, "sources:") {
		t.Errorf("%v\n%s", err, out)
	}
	var usage usageError
	if _, err := probeSite(t, bare, "ftp://a.example/"); !errors.As(err, &usage) {
		t.Errorf("%v", err)
	}
	if s := printable("a\x1b[2Jb\u202ec\nd"); s != "a[2Jbc\nd" {
		t.Errorf("%q", s)
	}
}

func TestCityOf(t *testing.T) {
	g, err := place.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"焦作日报": "410800", "郑州晚报": "410100", "河南日报": "", "日报": "", "河阳日报": "", "上饶日报": "361100", "": ""} {
		if got := cityOf(g, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
