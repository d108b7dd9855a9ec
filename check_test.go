package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"paperwire/internal/store"
	"paperwire/sources"
	"paperwire/syndicate/feed"
)

// paperwire runs the program in this process.
func paperwire(t testing.TB, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	// What should end at once must not serve for ever when it is broken.
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var out, errs safeBuffer
	code = exitCode(run(ctx, args, strings.NewReader(stdin), &out, &errs), &errs)
	return code, out.String(), errs.String()
}

func writeConfig(t testing.TB, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "paperwire.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

const rightConfig = `
listen: "127.0.0.1:0"
sources:
  - {key: jzrb, name: 焦作日报, url: "http://epaper.example.cn/jzrb/", city: "410800"}
sections:
  - {slug: yaowen, name: 要闻, match: [要闻], pages: ["01", A01]}
`

// Every mistake in one go, each on a line of its own that begins with its path.
func TestCheckNamesEveryMistake(t *testing.T) {
	file := writeConfig(t, `
listen: "127.0.0.1:0"
store: one.db
store: two.db
notice_day: 3
fetch: {pace: quick}
push: {hubs: [hub.example], indexnow: "https://api.example/", baidu: "http://b.example/?token=x", max_subscription: 3}
robots:
  - {key: New, kind: slack, scope: "section/b,a"}
  - {key: file, kind: wecom, url_file: nowhere.url}
sources:
  - key: jzrb
    name: 焦作日报
    url: "http://epaper.example.cn/jzrb/"
    city: "410800"
    platform: foundr
    evry: 10m
    rights: all
  - key: jzrb
    name: 焦作晚报
    name: 焦作早报
    url: "epaper.example.cn"
    city: 410800
    every: 10
    hold: soon
    every_in_window: -5m
sections:
  - {slug: yaowen, name: 要闻, pages: [01, A01, 08]}
  - {slug: YaoWen, name: 头版}
`)
	want := map[string]string{
		"store":                      "duplicate key on line 4, first on line 3",
		"notice_day":                 "unknown key: did you mean notice_days?",
		"push.max_subscription":      "unknown key: did you mean max_subscriptions?",
		"push.hubs[0]":               `"hub.example" is no address`,
		"push.indexnow":              "set PAPERWIRE_INDEXNOW_KEY",
		"push.baidu":                 `"http://b.example/?token=x" is no address`,
		"base_url":                   "missing: search engines",
		"robots[0].key":              `"New": one to 24`,
		"robots[0].kind":             `unknown kind "slack": one of dingtalk, feishu, wecom`,
		"robots[0].scope":            `"section/b,a" is written section/a,b`,
		"robots[0]":                  "no address: set PAPERWIRE_ROBOT_NEW_URL",
		"robots[1]":                  "nowhere.url",
		"fetch.pace":                 `bad duration "quick": write it like`,
		"sources[0].platform":        `unknown platform "foundr": one of auto,`,
		"sources[0].evry":            "unknown key: did you mean every?",
		"sources[0].rights":          "one of full, summary, headline",
		"sources[1].key":             `"jzrb" is taken by sources[0]`,
		"sources[1].name":            "duplicate key on line 21, first on line 20",
		"sources[1].url":             "no address",
		"sources[1].city":            "not a text but a number: put it in quotes",
		"sources[1].every":           "bad duration 10: write it with a unit",
		"sources[1].hold":            `bad duration "soon"`,
		"sources[1].every_in_window": `bad duration "-5m"`,
		"sections[0].pages[0]":       "not a text but a number: put it in quotes",
		"sections[0].pages[2]":       "not a text but a number: put it in quotes",
		"sections[1].slug":           "YaoWen",
	}
	code, out, errs := paperwire(t, "", "check", "--config", file)
	if code != exitFailed {
		t.Errorf("check ends with %d", code)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for path, says := range want {
		if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, path+": ") && strings.Contains(l, says) }) {
			t.Errorf("nothing about %s: %s", path, says)
		}
	}
	if t.Failed() {
		t.Logf("stdout:\n%s\nstderr:\n%s", out, errs)
	}

	t.Run("serve refuses it", func(t *testing.T) {
		data := filepath.Join(t.TempDir(), "data")
		code, _, errs := paperwire(t, "", "serve", "--config", file, "--data", data)
		if code != exitFailed {
			t.Errorf("serve ends with %d", code)
		}
		for path := range want {
			if !strings.Contains(errs, path+": ") {
				t.Errorf("serve does not name %s", path)
			}
		}
		if _, err := os.Stat(data); err == nil {
			t.Error("serve made a data directory before it read the configuration")
		}
	})
	t.Run("fetch and scopes refuse it", func(t *testing.T) {
		for _, command := range []string{"fetch", "scopes"} {
			if code, _, errs := paperwire(t, "", command, "--config", file, "--data", t.TempDir()); code != exitFailed || !strings.Contains(errs, "sources[0].platform") {
				t.Errorf("%s ends with %d: %s", command, code, errs)
			}
		}
	})
}

// A slug that is configured again is nobody's former one.
func TestMovedSections(t *testing.T) {
	c := &config{Sections: []sectionConfig{{Slug: "neu", Was: []string{"alt", "minsheng"}}, {Slug: "minsheng", Was: []string{"neu", "shehui"}}}}
	if m := c.moved(); len(m) != 2 || m["alt"] != "neu" || m["shehui"] != "minsheng" {
		t.Errorf("%v", m)
	}
}

// A robot that can never hear of anything is a mistake; one that hardly will is warned of.
func TestCheckRobotScopes(t *testing.T) {
	t.Setenv("PAPERWIRE_ROBOT_X_URL", "https://robot.example/?key=1")
	const config = rightConfig + `  - {slug: minsheng, name: 民生, match: [民生], was: [shehui]}
robots:
  - {key: x, kind: wecom, scope: %q}
`
	feeds := strings.Replace(config, "sections:", `  - {key: wang, name: 网, url: "http://news.example.cn/rss.xml", city: "410800", platform: feed}
sections:`, 1)
	for _, c := range []struct {
		config, scope string
		code          int
		says          string
	}{
		{config, "all", 0, ""},
		{config, "paper/jzrb/section/yaowen", 0, ""},
		{config, "section/shehui", 0, ""}, // it has moved
		{config, "district/410825", 0, ""},
		{config, "paper/jzrb/-district/410825", 0, ""},
		{config, "paper/jzwb", 0, `warning: robots[0].scope: no source has the paper "jzwb": there are jzrb`},
		{config, "district/wenxian", exitFailed, `robots[0].scope: district "wenxian" is written 410825 (温县)`},
		{config, "district/温县", exitFailed, `robots[0].scope: district "温县" is written 410825 (温县)`},
		{config, "-district/nirgends", exitFailed, `robots[0].scope: unknown district "nirgends"`},
		{config, "section/tiyu", 0, `warning: robots[0].scope: no section "tiyu" is configured`},
		{feeds, "all", 0, ""},
		{feeds, "paper/jzrb,wang", 0, `warning: robots[0].scope: the paper "wang" comes from a feed or sitemap`},
	} {
		code, out, errs := paperwire(t, "", "check", "--config", writeConfig(t, fmt.Sprintf(c.config, c.scope)))
		if code != c.code || !strings.Contains(out, c.says) || c.says == "" && strings.Contains(out, "warning") {
			t.Errorf("%s: %d, want %d and %q\n%s%s", c.scope, code, c.code, c.says, out, errs)
		}
	}
}

// An editor's command runs without the secrets of the daemon; check and serve want them.
func TestSecretsOfTheDaemon(t *testing.T) {
	file := writeConfig(t, rightConfig+`
wechat: {menu: [{key: today, scope: all}], domains: [news.example.cn]}
push: {baidu: "http://b.example/urls"}
robots: [{key: newsroom, kind: wecom}]
base_url: "https://news.example.cn"
`)
	if code, out, errs := paperwire(t, "", "check", "--config", file); code != 1 || !strings.Contains(out, "PAPERWIRE_WECHAT_APPID") || !strings.Contains(out, "PAPERWIRE_BAIDU_TOKEN") || !strings.Contains(out, "PAPERWIRE_ROBOT_NEWSROOM_URL") {
		t.Errorf("check: %d %s%s", code, out, errs)
	}
	dir := t.TempDir()
	st, err := store.Open(t.Context(), filepath.Join(dir, "paperwire.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	st.Close()
	if info, err := os.Stat(filepath.Join(dir, "paperwire.db")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the store: %v %v", info, err)
	}
	if code, _, errs := paperwire(t, "", "withdraw", "jzrb-20260317-1", "--config", file, "--data", dir); code == 0 || strings.Contains(errs, "PAPERWIRE_") || strings.Contains(errs, "no store") {
		t.Errorf("withdraw: %d %s", code, errs)
	}
}

// One mistake at a time: it alone is named, on one line.
func TestCheckOneMistake(t *testing.T) {
	if code, out, errs := paperwire(t, "", "check", "--config", writeConfig(t, rightConfig)); code != exitDone || !strings.HasPrefix(out, "ok: 1 sources, 1 sections") {
		t.Fatalf("%d %s %s", code, out, errs)
	}
	for name, c := range map[string]struct{ from, to, want string }{
		"unknown key":          {"city:", "town: x, city:", "sources[0].town: unknown key"},
		"unknown key on top":   {"sections:", "retention: 3\nsections:", "retention: unknown key"},
		"bad duration":         {"city:", "every: 1 hour, city:", "sources[0].every: bad duration"},
		"duration of no unit":  {"city:", "every: 60, city:", "sources[0].every: bad duration 60"},
		"duplicate key":        {"sections:", "sources: []\nsections:", "sources: duplicate key"},
		"unquoted page number": {`"01"`, "01", "sections[0].pages[0]: not a text"},
		"unquoted city":        {`"410800"`, "410800", "sources[0].city: not a text"},
		"unknown platform":     {"city:", "platform: html5, city:", "sources[0].platform: unknown platform"},
		"unknown zone":         {"city:", "zone: Asia/Jiaozuo, city:", "sources[0].zone: unknown zone"},
		"bad window":           {"city:", `window: "9-5", city:`, "sources[0].window:"},
		"bad key":              {"key: jzrb", "key: 焦作", "sources[0].key:"},
		"no such city":         {"410800", "419999", "sources[0].city:"},
		"bad address":          {`"127.0.0.1:0"`, "localhost", "listen:"},
		"bad base":             {"sections:", "base_url: news.example.cn\nsections:", "base_url:"},
		"not YAML":             {"sections:", "sections: [", "not YAML"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(rightConfig, c.from, c.to, 1)
			if text == rightConfig {
				t.Fatal("nothing replaced")
			}
			code, out, _ := paperwire(t, "", "check", "--config", writeConfig(t, text))
			if code != exitFailed || !strings.HasPrefix(out, c.want) {
				t.Errorf("ends with %d, says %q, want %q", code, out, c.want)
			}
			if name != "not YAML" && strings.Count(out, "\n") != 1 {
				t.Errorf("more than the mistake is named:\n%s", out)
			}
		})
	}
	t.Run("secrets", func(t *testing.T) {
		if code, out, _ := paperwire(t, "", "check", "--config", writeConfig(t, rightConfig+"operator_key: abc123\n")); code != exitFailed || strings.Contains(out, "abc123") {
			t.Errorf("a secret in the file: %d %s", code, out)
		}
	})
	t.Run("emptied", func(t *testing.T) {
		for _, text := range []string{"", "sources:\n", "# all gone\n"} {
			if code, out, _ := paperwire(t, "", "check", "--config", writeConfig(t, text)); code != exitFailed || !strings.HasPrefix(out, "sources: missing") {
				t.Errorf("%q: %d %s", text, code, out)
			}
		}
		if code, out, errs := paperwire(t, "", "check", "--config", writeConfig(t, "sources: []\n")); code != exitDone {
			t.Errorf("no source on purpose: %d %s %s", code, out, errs)
		}
	})
	t.Run("places hide nothing", func(t *testing.T) {
		text := strings.Replace(rightConfig, "410800", "419999", 1) + "places:\n  - {code: \"4108\", name: x}\n"
		if code, out, _ := paperwire(t, "", "check", "--config", writeConfig(t, text)); code != exitFailed || !strings.Contains(out, "places: ") || !strings.Contains(out, "sources[0].city:") {
			t.Errorf("%d %s", code, out)
		}
	})
	t.Run("no file", func(t *testing.T) {
		if code, _, errs := paperwire(t, "", "check", "--config", filepath.Join(t.TempDir(), "none.yaml")); code != exitFailed || !strings.Contains(errs, "none.yaml") {
			t.Errorf("%d %s", code, errs)
		}
	})
	t.Run("the embedded one", func(t *testing.T) {
		if code, out, errs := paperwire(t, "", "check"); code != exitDone {
			t.Errorf("%d %s %s", code, out, errs)
		}
	})
}

// Wrong usage is told apart from failure, says what is wrong, and does nothing.
func TestUsage(t *testing.T) {
	for _, args := range [][]string{
		{"chek"},
		{"serve", "now"},
		{"serve", "--lisen", ":1"},
		{"serve", "--log", "loud"},
		{"check", "extra"},
		{"version", "extra"},
		{"platforms", "founder"},
		{"read"},
		{"read", "--url", "http://epaper.example.cn/", "a", "b"},
		{"read", "--url", "http://epaper.example.cn/", "--source", "none", "--config", "config.yaml"},
		{"classify", "--city", "焦作"},
		{"classify", "--city", "419999"},
		{"--nothing"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			code, out, errs := paperwire(t, "", args...)
			if code != exitUsage || out != "" || !strings.HasPrefix(errs, "paperwire: ") {
				t.Errorf("ends with %d, stdout %q, stderr %q", code, out, errs)
			}
		})
	}
	if code, _, errs := paperwire(t, "", "fetch", "none", "--data", t.TempDir()); code == exitDone || !strings.Contains(errs, "none") {
		t.Errorf("fetch of an unknown source ends with %d: %s", code, errs)
	}
}

func TestWhatThereIs(t *testing.T) {
	if code, out, _ := paperwire(t, "", "version"); code != exitDone || !strings.HasPrefix(out, "paperwire ") || strings.Count(out, "\n") != 1 {
		t.Errorf("version: %d %q", code, out)
	}
	_, list, _ := paperwire(t, "", "platforms")
	for _, p := range sources.Platforms() {
		if !strings.Contains(list, p.Name) || !strings.Contains(list, p.About) {
			t.Errorf("platforms does not tell of %s:\n%s", p.Name, list)
		}
	}
	_, list, _ = paperwire(t, "", "formats")
	for _, f := range feed.Formats() {
		if !strings.Contains(list, f.Ext) || !strings.Contains(list, f.About) {
			t.Errorf("formats does not tell of %s:\n%s", f.Ext, list)
		}
	}
	for _, name := range []string{"rss", "atom", "json"} {
		if !strings.Contains(list, name) {
			t.Errorf("no format %s", name)
		}
	}

	t.Run("help", func(t *testing.T) {
		_, help, _ := paperwire(t, "", "--help")
		for _, command := range []string{"serve", "fetch", "read", "classify", "check", "platforms", "formats", "scopes", "version"} {
			if !strings.Contains(help, "\n  "+command+" ") {
				t.Errorf("--help does not list %s", command)
			}
			code, text, errs := paperwire(t, "", command, "--help")
			if code != exitDone || errs != "" || !strings.Contains(text, "Usage:\n  paperwire "+command) || len(text) < 200 {
				t.Errorf("%s --help: %d %q %s", command, code, errs, text)
			}
		}
	})

	t.Run("scopes", func(t *testing.T) {
		dir := t.TempDir()
		args := []string{"--data", dir}
		if code, out, errs := paperwire(t, "", append([]string{"scopes"}, args...)...); code != exitFailed || out != "" || !strings.Contains(errs, "--data") {
			t.Errorf("scopes without a store: %d %q %q", code, out, errs)
		}
		if list, err := os.ReadDir(dir); err != nil || len(list) > 0 {
			t.Errorf("asking for scopes made files: %v %v", list, err)
		}
		// The demo paper needs no network.
		code, out, errs := paperwire(t, "", append([]string{"fetch", "demo"}, args...)...)
		if code != exitDone || !strings.Contains(out, "demo") || !strings.Contains(out, fmt.Sprint(demoPieces)) {
			t.Errorf("fetch: %d\n%s%s", code, out, errs)
		}
		_, out, _ = paperwire(t, "", append([]string{"scopes"}, args...)...)
		have := map[string][]string{}
		for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
			f := strings.Fields(line)
			have[f[0]] = f[1:]
		}
		for scope, want := range map[string]string{"all": fmt.Sprint(demoArticles, " 2026-03-18"), "paper/demo": fmt.Sprint(demoArticles, " 2026-03-18 示例日报"), "section/yaowen": "要闻", "district/410825": "温县"} {
			if got := strings.Join(have[scope], " "); !strings.HasPrefix(got, want) && !strings.HasSuffix(got, want) {
				t.Errorf("%s is %q, want %q", scope, got, want)
			}
		}
		// A second pass finds nothing new, beside whatever else runs.
		code, out, errs = paperwire(t, "", append([]string{"fetch"}, args...)...)
		if f := strings.Fields(strings.SplitN(out, "\n", 2)[1]); code != exitDone || f[2] != "0" || f[3] != "0" || f[4] != "0" {
			t.Errorf("second fetch: %d\n%s%s", code, out, errs)
		}
	})
}

// One line in, one line out, in order; what a line does not have is not needed.
func TestClassify(t *testing.T) {
	in := strings.Join([]string{
		`{"id":"1","title":"温县铁棍山药喜获丰收","lead":"","unknown":[1]}`,
		`{"id":"2","title":"足球联赛开幕"}`,
		`{"id":"3","page_name":"焦作/温县·马村区","title":"马村区开办夜校","byline":"本报记者 云北辰"}`,
		`{"id":"4","title":"鼓楼区开街","paper_city_code":"410200"}`,
	}, "\n") + "\n"
	code, out, errs := paperwire(t, in, "classify", "--city", "410800")
	if code != exitDone || errs != "" {
		t.Fatalf("%d %s", code, errs)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 4 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, want := range []struct{ reach, code string }{{"district", "410825"}, {"", ""}, {"district", "410804"}, {"district", "410204"}} {
		var got struct {
			ID, Reach string
			Districts []struct {
				Code, Name, Tier string
				Evidence         []struct {
					Text, Zone, Rule string
					Weight           float64
				}
			}
		}
		d := json.NewDecoder(strings.NewReader(lines[i]))
		if err := d.Decode(&got); err != nil {
			t.Fatal(err)
		}
		if got.ID != fmt.Sprint(i+1) || want.reach != "" && got.Reach != want.reach || !slices.Contains([]string{"district", "city", "elsewhere", "none"}, got.Reach) {
			t.Errorf("line %d: %s", i+1, lines[i])
		}
		if want.code == "" {
			if len(got.Districts) > 0 || !strings.Contains(lines[i], `"districts":[]`) {
				t.Errorf("line %d: %s", i+1, lines[i])
			}
			continue
		}
		if len(got.Districts) == 0 || got.Districts[0].Code != want.code || got.Districts[0].Tier != "sure" || len(got.Districts[0].Evidence) == 0 || got.Districts[0].Evidence[0].Rule == "" {
			t.Errorf("line %d: %s", i+1, lines[i])
		}
	}
	if code, _, errs := paperwire(t, "{\"id\":\"1\"}\nnot JSON\n", "classify"); code != exitFailed || !strings.Contains(errs, "line 2") {
		t.Errorf("a broken line: %d %s", code, errs)
	}
	if code, out, _ := paperwire(t, "", "classify"); code != exitDone || out != "" {
		t.Errorf("nothing: %d %q", code, out)
	}
}

// read takes what a browser saved and prints the contract's JSON.
func TestRead(t *testing.T) {
	const base = "http://epaper.example.cn/"
	object := func(t *testing.T, out string) map[string]any {
		t.Helper()
		var m map[string]any
		d := json.NewDecoder(strings.NewReader(out))
		if err := d.Decode(&m); err != nil || d.More() {
			t.Fatalf("not one JSON object: %v\n%s", err, out)
		}
		return m
	}
	keys := func(m map[string]any) string {
		var list []string
		for k := range m {
			list = append(list, k)
		}
		slices.Sort(list)
		return strings.Join(list, " ")
	}
	file := func(t *testing.T, path string) string {
		t.Helper()
		b, err := demoFiles.ReadFile("testdata/demo/" + path)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}

	t.Run("page", func(t *testing.T) {
		code, out, errs := paperwire(t, file(t, "html/2026-03/17/node_5.htm"), "read", "--url", base+"html/2026-03/17/node_5.htm")
		m := object(t, out)
		if code != exitDone || errs != "" || keys(m) != "articles day kind name number pages paper" {
			t.Fatalf("%d %s %s", code, errs, keys(m))
		}
		articles, pages := m["articles"].([]any), m["pages"].([]any)
		if m["kind"] != "page" || m["paper"] != "示例日报" || m["day"] != "2026-03-17" || m["number"] != "04" || m["name"] != "焦作/温县·马村区" || len(pages) != 4 || len(articles) != 5 {
			t.Errorf("%s", out)
		}
		first := articles[0].(map[string]any)
		if keys(first) != "page position title url" || first["url"] != base+"html/2026-03/17/content_512014.htm" || first["page"] != "04" || first["position"] != 1.0 {
			t.Errorf("%v", first)
		}
	})
	t.Run("article", func(t *testing.T) {
		path := "html/2026-03/18/content_512031.htm"
		code, out, errs := paperwire(t, "", "read", "--url", base+path, filepath.Join("testdata/demo", path))
		m := object(t, out)
		if code != exitDone || errs != "" || keys(m) != "byline day districts headline html id images kicker kind page sections source subtitle text" {
			t.Fatalf("%d %s %s", code, errs, keys(m))
		}
		if m["kind"] != "article" || m["id"] != "read-20260318-512031" || m["kicker"] != "生态答卷" || m["day"] != "2026-03-18" || m["source"] != "" {
			t.Errorf("%s", out)
		}
		b, _ := json.Marshal(m["byline"])
		if string(b) != `[{"name":"林知远","role":"reporter"},{"name":"阮怀瑾","role":"reporter"},{"name":"水云舟","role":"correspondent"}]` {
			t.Errorf("byline %s", b)
		}
		images := m["images"].([]any)
		if len(images) != 1 || !strings.HasPrefix(images[0].(map[string]any)["url"].(string), base) || images[0].(map[string]any)["credit"] != "孟白露" {
			t.Errorf("images %v", images)
		}
		if strings.Contains(m["text"].(string), "<") || !strings.Contains(m["html"].(string), "<p>") {
			t.Errorf("text or html: %s", out)
		}
	})
	t.Run("with a source's rules", func(t *testing.T) {
		config := writeConfig(t, rightConfig)
		path := "html/2026-03/17/content_512004.htm"
		_, out, errs := paperwire(t, file(t, path), "read", "--url", base+"jzrb/"+path, "--config", config, "--source", "jzrb")
		m := object(t, out)
		d, _ := json.Marshal([]any{m["districts"], m["sections"]})
		if m["id"] != "jzrb-20260317-512004" || string(d) != `[["410825"],["yaowen"]]` {
			t.Errorf("%v %s %s", m["id"], d, errs)
		}
	})
	t.Run("calendar", func(t *testing.T) {
		_, out, _ := paperwire(t, file(t, "html/2026-03/period.xml"), "read", "--url", base+"html/2026-03/period.xml")
		m := object(t, out)
		if list, _ := m["editions"].([]any); m["kind"] != "calendar" || len(list) != 2 {
			t.Errorf("%s", out)
		}
	})
	t.Run("feed", func(t *testing.T) {
		const text = `<rss version="2.0"><channel><title>某报</title><item><title>一</title><guid>a</guid><link>http://epaper.example.cn/1</link><pubDate>Tue, 17 Mar 2026 06:00:00 +0800</pubDate></item><item><title>二</title><link>/2</link></item></channel></rss>`
		_, out, _ := paperwire(t, text, "read", "--url", base+"rss.xml")
		m := object(t, out)
		list, _ := m["articles"].([]any)
		if m["kind"] != "feed" || m["title"] != "某报" || len(list) != 2 {
			t.Fatalf("%s", out)
		}
		one, two := list[0].(map[string]any), list[1].(map[string]any)
		if one["published"] != "2026-03-17T06:00:00+08:00" || two["published"] != nil || two["url"] != base+"2" || keys(two) != "id published title url" {
			t.Errorf("%s", out)
		}
		if id := one["id"].(string); !strings.HasPrefix(id, "read-") || len(id) != len("read-")+16 {
			t.Errorf("id %s", id)
		}
	})
	t.Run("neither", func(t *testing.T) {
		for text, kind := range map[string]string{
			"": "unknown", "\x00\x01\x02": "unknown", "<html><body>欢迎</body></html>": "unknown", "{}": "unknown", "%PDF-1.4": "unknown",
			`<html><head><title>安全验证</title></head><body><form>请输入验证码<img src="/captcha.jpg"><input name="captcha"></form></body></html>`: "blocked",
		} {
			code, out, errs := paperwire(t, text, "read", "--url", base+"html/2026-03/17/node_2.htm")
			m := object(t, out)
			if code != exitFailed || errs != "" || m["kind"] != kind || m["reason"] == "" || keys(m) != "kind reason" {
				t.Errorf("%q: %d %s %s", text, code, out, errs)
			}
		}
		if code, out, errs := paperwire(t, "", "read", "--url", base, filepath.Join(t.TempDir(), "none.htm")); code != exitFailed || out != "" || !strings.Contains(errs, "none.htm") {
			t.Errorf("%d %s %s", code, out, errs)
		}
	})
	t.Run("the same twice", func(t *testing.T) {
		path := "html/2026-03/17/content_512010.htm"
		_, one, _ := paperwire(t, file(t, path), "read", "--url", base+path)
		_, two, _ := paperwire(t, file(t, path), "read", "--url", base+path)
		if one != two || !bytes.Contains([]byte(one), []byte("㳇")) {
			t.Errorf("%s\n%s", one, two)
		}
	})
}
