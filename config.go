package main

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"

	"paperwire/internal/ingest"
	"paperwire/internal/paper"
	"paperwire/internal/place"
	"paperwire/internal/store"
	"paperwire/sources"
	"paperwire/syndicate/card"
	"paperwire/syndicate/push"
	"paperwire/syndicate/wechat"
)

//go:embed config.yaml
var defaultConfig []byte

// config is config.yaml. Lists with key:, never maps keyed by data: viper
// lower-cases map keys and splits them at dots.
type config struct {
	Listen           string
	OperationsListen string `mapstructure:"operations_listen"`
	BaseURL          string `mapstructure:"base_url"`
	Store            string
	Site             struct{ Title, Footer string }
	NoticeDays       int `mapstructure:"notice_days"`
	CacheMB          int `mapstructure:"cache_mb"`
	Fetch            struct {
		Pace         time.Duration
		UserAgent    string   `mapstructure:"user_agent"`
		OpenHosts    []string `mapstructure:"open_hosts"`
		IgnoreRobots []string `mapstructure:"ignore_robots"`
	}
	Pictures struct {
		QuotaMB int `mapstructure:"quota_mb"`
	}
	Card struct {
		Font  string // path
		Focus []focusConfig
	}
	Alerts struct {
		Webhook string
		SMTP    string `mapstructure:"smtp"`
		From    string
		To      []string
	}
	Push struct {
		OpenHosts               []string `mapstructure:"open_hosts"`
		OpenCallbacks           []string `mapstructure:"open_callbacks"`
		MaxSubscriptions        int      `mapstructure:"max_subscriptions"`
		MaxSubscriptionsPerHost int      `mapstructure:"max_subscriptions_per_host"`
		Hubs                    []string
		IndexNow                string
		Baidu                   string
	}
	Robots   []robotConfig
	Wechat   wechatConfig
	Sources  []sourceConfig
	Sections []sectionConfig
	Places   []placeConfig
	// Gazetteers are tables of other countries.
	Gazetteers []gazetteerConfig

	file   string           // where it came from; empty for the embedded one
	data   string           // data directory
	local  bool             // see overrides
	tables []place.Override // the rows of Gazetteers
}

type sourceConfig struct {
	Key, Name, URL, City, Platform, Zone, Language, Paper, Window, Expect string
	Every                                                                 time.Duration
	EveryInWindow                                                         time.Duration `mapstructure:"every_in_window"`
	Hold                                                                  time.Duration
	Rights, Link                                                          string
	Editions                                                              int
	Mirror                                                                bool
	FullText                                                              bool `mapstructure:"full_text"`
	HTML                                                                  *sources.HTMLRules
	JSON                                                                  *sources.JSONRules
}

// robotConfig is a chat robot. Where it is reached, and its secret, come from the
// environment or from files.
type robotConfig struct {
	Key, Kind, Scope string
	URLFile          string `mapstructure:"url_file"`
	SecretFile       string `mapstructure:"secret_file"`
}

// wechatConfig is the WeChat account. What is secret comes from the environment or
// from files.
type wechatConfig struct {
	AppID      string `mapstructure:"appid"`
	SecretFile string `mapstructure:"secret_file"`
	TokenFile  string `mapstructure:"token_file"`
	AESKeyFile string `mapstructure:"aeskey_file"`
	API        string `mapstructure:"api"`
	Verify     string
	Domains    []string
	Menu       []wechatMenu
}

// wechatMenu says what a button of the account's menu shows.
type wechatMenu struct{ Key, Scope string }

type sectionConfig struct {
	Slug, Name string
	Match      []string
	Pages      []string
	Was        []string
}

// focusConfig says what the cropping of an article's picture keeps.
type focusConfig struct{ Article, At string }

type placeConfig struct {
	City, Code, Name string
	Aliases          []string
	Landmarks, Stops []string
	TrustedShort     bool `mapstructure:"trusted_short"`
	Retire           bool
	Point            string
}

type gazetteerConfig struct {
	Table    string // path of a CSV, relative to the configuration
	Language *place.Language
}

// overrides are what the command line says against the file.
type overrides struct {
	file, data, listen, store, baseURL string
	// local: a command that tells nobody anything, and so needs no secret: they may be in
	// the daemon's environment only.
	local bool
}

// localConfig reads the configuration for a command that needs no secret.
func localConfig(o overrides) (*config, error) {
	o.local = true
	return loadConfig(o)
}

// configError is everything that is wrong with a configuration, a line each.
type configError struct {
	file     string
	problems []string
}

func (e *configError) Error() string {
	name := e.file
	if name == "" {
		name = "embedded config.yaml"
	}
	if len(e.problems) == 1 {
		return name + ": " + e.problems[0]
	}
	return fmt.Sprintf("%s: %d mistakes:\n  %s", name, len(e.problems), strings.Join(e.problems, "\n  "))
}

// loadConfig reads, checks and completes the configuration with a fresh viper:
// a broken file never touches the one in use. Flags win over the environment
// (PAPERWIRE_LISTEN, _STORE, _BASE_URL), which wins over the file.
func loadConfig(o overrides) (*config, error) {
	raw := defaultConfig
	if o.file != "" {
		var err error
		if raw, err = os.ReadFile(o.file); err != nil {
			return nil, fmt.Errorf("read config: %w", err)
		}
	}
	v := viper.NewWithOptions(viper.KeyDelimiter("\x1f"))
	v.SetConfigType("yaml")
	v.SetDefault("listen", ":8080")
	v.SetDefault("store", "paperwire.db")
	v.SetDefault("notice_days", 7)
	v.SetDefault("cache_mb", 64)
	v.SetDefault("fetch\x1fpace", "1.2s")
	v.SetDefault("push\x1fmax_subscriptions", 20000)
	v.SetDefault("push\x1fmax_subscriptions_per_host", 2000)
	v.SetDefault("pictures\x1fquota_mb", 2048)
	if err := v.BindEnv("wechat\x1fappid", "PAPERWIRE_WECHAT_APPID"); err != nil {
		return nil, err
	}
	if err := v.BindEnv("alerts\x1fwebhook", "PAPERWIRE_ALERT_WEBHOOK"); err != nil {
		return nil, err
	}
	for _, key := range []string{"listen", "store", "base_url"} {
		if err := v.BindEnv(key, "PAPERWIRE_"+strings.ToUpper(key)); err != nil {
			return nil, err
		}
	}
	bad := &configError{file: o.file}
	raw, bad.problems = singleKeys(raw)
	if err := v.ReadConfig(bytes.NewReader(raw)); err != nil {
		bad.problems = append(bad.problems, "not YAML: "+strings.TrimPrefix(err.Error(), "While parsing config: "))
		return nil, bad
	}
	var keys map[string]any
	err := yaml.Unmarshal(raw, &keys)
	if list, named := keys["sources"]; err == nil && list == nil && (named || len(keys) == 0) {
		// An editor or a full disk leaves a file empty for a while: that is no wish to
		// retire every paper.
		bad.problems = append(bad.problems, "sources: missing: is the file being written? For no source at all write sources: []")
	}
	c := &config{file: o.file, data: o.data}
	if c.data == "" {
		c.data = "."
	}
	err = v.UnmarshalExact(c, viper.DecodeHook(decodeHook), func(d *mapstructure.DecoderConfig) { d.WeaklyTypedInput = false })
	bad.problems = append(bad.problems, decodeProblems(err)...)
	if o.listen != "" {
		c.Listen = o.listen
	}
	if o.store != "" {
		c.Store = o.store
	}
	if o.baseURL != "" {
		c.BaseURL = o.baseURL
	}
	c.local = o.local
	bad.problems = append(bad.problems, c.check()...)
	if len(bad.problems) > 0 {
		return nil, bad
	}
	return c, nil
}

// singleKeys names the keys that a mapping holds twice and takes the later ones
// out: the parser stops at the first, and a person wants to hear of everything.
// What is not YAML is left to the parser.
func singleKeys(raw []byte) (single []byte, repeated []string) {
	var doc yaml.Node
	if yaml.Unmarshal(raw, &doc) != nil {
		return raw, nil
	}
	var walk func(n *yaml.Node, path string)
	walk = func(n *yaml.Node, path string) {
		switch n.Kind {
		case yaml.DocumentNode:
			for _, c := range n.Content {
				walk(c, path)
			}
		case yaml.SequenceNode:
			for i, c := range n.Content {
				walk(c, fmt.Sprintf("%s[%d]", path, i))
			}
		case yaml.MappingNode:
			first := map[string]int{}
			var kept []*yaml.Node
			for i := 0; i+1 < len(n.Content); i += 2 {
				key := n.Content[i]
				at := strings.TrimPrefix(path+"."+key.Value, ".")
				if line, ok := first[key.Value]; ok {
					repeated = append(repeated, fmt.Sprintf("%s: duplicate key on line %d, first on line %d: keep one of them", at, key.Line, line))
					continue
				}
				first[key.Value] = key.Line
				kept = append(kept, key, n.Content[i+1])
				walk(n.Content[i+1], at)
			}
			n.Content = kept
		}
	}
	walk(&doc, "")
	if len(repeated) == 0 {
		return raw, nil
	}
	single, err := yaml.Marshal(&doc)
	if err != nil {
		return raw, repeated
	}
	return single, repeated
}

// decodeHook reads durations as Go writes them. A bare number would otherwise
// become nanoseconds.
func decodeHook(from, to reflect.Type, data any) (any, error) {
	if to != reflect.TypeFor[time.Duration]() || from == to {
		return data, nil
	}
	s, ok := data.(string)
	if !ok {
		return nil, fmt.Errorf("bad duration %v: write it with a unit, like 10m or 1.5s", data)
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return nil, fmt.Errorf("bad duration %q: write it like 10m or 1.5s", s)
	}
	return d, nil
}

var (
	unusedKeys = regexp.MustCompile(`^'(.*)' has invalid keys: (.*)$`)
	wrongType  = regexp.MustCompile(`^'(.*)' expected type '(.*)', got unconvertible type '(.*?)'`)
	notAMap    = regexp.MustCompile(`^'(.*?)' expected a map(?: or struct)?, got "?'?(\w+)`)
	notAList   = regexp.MustCompile(`^'(.*?)':? source data must be an array or slice`)
	quotedPath = regexp.MustCompile(`^(?:error decoding )?'(.*?)':? (.*)$`)
)

// plainType names a Go type as a person would.
func plainType(name string) string {
	switch {
	case strings.HasPrefix(name, "int"), strings.HasPrefix(name, "float"), strings.HasPrefix(name, "uint"):
		return "number"
	case name == "string":
		return "text"
	case name == "bool":
		return "true or false, without quotes"
	case strings.HasPrefix(name, "[]"):
		return "list"
	case strings.HasPrefix(name, "map"), strings.HasPrefix(name, "struct"), strings.HasPrefix(name, "main."):
		return "group of keys"
	}
	return name
}

// keyPath turns mapstructure's path, which is made of Go's names, into the
// file's: Sources[1].EveryInWindow is sources[1].every_in_window.
func keyPath(goPath string) string {
	goPath = strings.TrimPrefix(strings.TrimPrefix(goPath, "main.config"), ".")
	parts := strings.Split(goPath, ".")
	for i, p := range parts {
		name, index, found := strings.Cut(p, "[")
		for _, t := range []reflect.Type{reflect.TypeFor[config](), reflect.TypeOf(config{}.Fetch), reflect.TypeOf(config{}.Push), reflect.TypeFor[robotConfig](), reflect.TypeFor[wechatConfig](), reflect.TypeFor[sourceConfig]()} {
			if f, ok := t.FieldByName(name); ok && f.Tag.Get("mapstructure") != "" {
				name = f.Tag.Get("mapstructure")
			}
		}
		if found {
			index = "[" + index
		}
		parts[i] = strings.ToLower(name) + index
	}
	return strings.Join(parts, ".")
}

// decodeProblems turns mapstructure's words into ours: the path, then the remedy.
func decodeProblems(err error) []string {
	if err == nil {
		return nil
	}
	var lines []string
	var walk func(error)
	walk = func(err error) {
		switch e := err.(type) {
		case interface{ WrappedErrors() []error }:
			for _, x := range e.WrappedErrors() {
				walk(x)
			}
		case interface{ Unwrap() []error }:
			for _, x := range e.Unwrap() {
				walk(x)
			}
		default:
			text := e.Error()
			if strings.Contains(text, "\n") {
				if u := errors.Unwrap(err); u != nil {
					walk(u)
					return
				}
			}
			lines = append(lines, decodeProblem(text)...)
		}
	}
	walk(err)
	slices.Sort(lines)
	return slices.Compact(lines)
}

func decodeProblem(text string) []string {
	text = strings.TrimSpace(text)
	if m := unusedKeys.FindStringSubmatch(text); m != nil {
		var lines []string
		for _, k := range strings.Split(m[2], ", ") {
			at := keyPath(m[1])
			lines = append(lines, strings.TrimPrefix(at+"."+k, ".")+": unknown key"+nearKey(at, k))
		}
		return lines
	}
	if m := wrongType.FindStringSubmatch(text); m != nil {
		if m[2] == "string" {
			return []string{keyPath(m[1]) + ": not a text but a " + plainType(m[3]) + `: put it in quotes ("04" and 04 differ)`}
		}
		return []string{keyPath(m[1]) + ": should be a " + plainType(m[2]) + ", not a " + plainType(m[3])}
	}
	if m := notAMap.FindStringSubmatch(text); m != nil {
		return []string{strings.ToLower(m[1]) + ": should hold keys of its own, like {key: value}, not a " + m[2]}
	}
	if m := notAList.FindStringSubmatch(text); m != nil {
		return []string{strings.ToLower(m[1]) + ": should be a list: begin each entry with \"- \""}
	}
	if m := quotedPath.FindStringSubmatch(text); m != nil {
		return []string{keyPath(m[1]) + ": " + m[2]}
	}
	return []string{text}
}

// nearKey suggests the key that was meant.
func nearKey(path, key string) string {
	t := reflect.TypeFor[config]()
	switch {
	case strings.HasSuffix(path, "].html"):
		t = reflect.TypeFor[sources.HTMLRules]()
	case strings.HasSuffix(path, "].json"):
		t = reflect.TypeFor[sources.JSONRules]()
	case strings.HasPrefix(path, "sources["):
		t = reflect.TypeFor[sourceConfig]()
	case strings.HasPrefix(path, "sections["):
		t = reflect.TypeFor[sectionConfig]()
	case strings.HasPrefix(path, "places["):
		t = reflect.TypeFor[placeConfig]()
	case strings.HasSuffix(path, "].language"):
		t = reflect.TypeFor[place.Language]()
	case strings.HasPrefix(path, "gazetteers["):
		t = reflect.TypeFor[gazetteerConfig]()
	case strings.HasPrefix(path, "robots["):
		t = reflect.TypeFor[robotConfig]()
	case path == "wechat":
		t = reflect.TypeFor[wechatConfig]()
	case path == "push":
		t = reflect.TypeOf(config{}.Push)
	case path == "fetch":
		t = reflect.TypeOf(config{}.Fetch)
	case path == "pictures":
		t = reflect.TypeOf(config{}.Pictures)
	case path == "site":
		t = reflect.TypeOf(config{}.Site)
	case path != "":
		return ""
	}
	best, least := "", 3
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("mapstructure")
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		if d := distance(name, key); f.IsExported() && d < least {
			best, least = name, d
		}
	}
	if best == "" {
		return ""
	}
	return ": did you mean " + best + "?"
}

// distance is the edit distance of two keys.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

var keyPattern = regexp.MustCompile(`^[a-z0-9]{1,24}$`)

// check tells everything that is wrong, each with its path and a remedy.
func (c *config) check() []string {
	var bad []string
	say := func(path, format string, args ...any) {
		bad = append(bad, path+": "+fmt.Sprintf(format, args...))
	}
	if !listenable(c.Listen) {
		say("listen", "%q is no address: write it like :8080 or 127.0.0.1:8080", c.Listen)
	}
	if c.OperationsListen != "" && !listenable(c.OperationsListen) {
		say("operations_listen", "%q is no address: write it like 127.0.0.1:9090", c.OperationsListen)
	}
	if u, err := url.Parse(c.BaseURL); c.BaseURL != "" && (!webURL(c.BaseURL) || err != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "") {
		say("base_url", "%q is no address of a site: write scheme and host alone, like https://news.example.cn", redacted(c.BaseURL))
	}
	switch scheme, rest, ok := strings.Cut(c.Store, "://"); {
	case c.Store == "":
		say("store", "empty: name an SQLite file or postgres://…")
	case ok && !store.IsPostgres(c.Store):
		say("store", "%s:// is no database that can be used: name an SQLite file or postgres://…", scheme)
	case ok && rest == "":
		say("store", "names no database: write it like postgres://user@host/paperwire")
	}
	if c.Fetch.Pace < time.Millisecond {
		say("fetch.pace", "%s: publishers are asked politely, at least 1ms apart, better 1.2s", c.Fetch.Pace)
	}
	for i, h := range c.Fetch.OpenHosts {
		if !hostName(h) {
			say(fmt.Sprintf("fetch.open_hosts[%d]", i), "%q: a host alone, or host:port, without scheme and path", h)
		}
	}
	for i, h := range c.Fetch.IgnoreRobots {
		if !hostName(h) {
			say(fmt.Sprintf("fetch.ignore_robots[%d]", i), "%q: a host alone, or host:port, without scheme and path", h)
		}
	}
	if c.NoticeDays < 1 || c.NoticeDays > 366 {
		say("notice_days", "%d: between 1 and 366", c.NoticeDays)
	}
	if c.CacheMB < 1 || c.CacheMB > 1<<20 {
		say("cache_mb", "%d: between 1 and %d", c.CacheMB, 1<<20)
	}
	if c.Alerts.Webhook != "" && !webURL(c.Alerts.Webhook) {
		say("alerts.webhook", "no address: write it like https://hooks.example.cn/…")
	}
	if c.Alerts.SMTP != "" {
		if _, _, err := net.SplitHostPort(c.Alerts.SMTP); err != nil {
			say("alerts.smtp", "%q is no server: write it like mail.example.cn:587", c.Alerts.SMTP)
		}
		if c.Alerts.From == "" || len(c.Alerts.To) == 0 {
			say("alerts", "smtp needs from and to")
		}
	}
	if c.Alerts.SMTP == "" && (c.Alerts.From != "" || len(c.Alerts.To) > 0) {
		say("alerts.smtp", "missing: from and to are for mail")
	}
	for i, address := range append([]string{c.Alerts.From}, c.Alerts.To...) {
		if address == "" {
			continue
		}
		if _, err := mail.ParseAddress(address); err != nil {
			path := "alerts.from"
			if i > 0 {
				path = fmt.Sprintf("alerts.to[%d]", i-1)
			}
			say(path, "%q is no mail address", address)
		}
	}
	lacks := say
	if c.local {
		lacks = func(string, string, ...any) {}
	}
	c.checkPush(say, lacks)
	c.checkWechat(say, lacks)
	if c.Pictures.QuotaMB < 1 {
		say("pictures.quota_mb", "%d: at least 1", c.Pictures.QuotaMB)
	}
	if c.Card.Font != "" {
		if _, err := card.NewStudio(c.font(), slog.New(slog.DiscardHandler)); err != nil {
			say("card.font", "%v", err)
		}
	}
	for i, f := range c.Card.Focus {
		if f.Article == "" {
			say(fmt.Sprintf("card.focus[%d].article", i), "the id of an article, as in its address /a/{id}")
		}
		if _, ok := f.point(); !ok {
			say(fmt.Sprintf("card.focus[%d].at", i), "%q: write how far from the left and from above, both from 0 to 1: \"0.3 0.25\"", f.At)
		}
	}
	platforms := []string{"auto"}
	for _, p := range sources.Platforms() {
		platforms = append(platforms, p.Name)
	}
	seen := map[string]int{}
	for i, s := range c.Sources {
		at := fmt.Sprintf("sources[%d]", i)
		if !keyPattern.MatchString(s.Key) {
			say(at+".key", "%q: one to 24 of a-z and 0-9", s.Key)
		} else if first, ok := seen[s.Key]; ok {
			say(at+".key", "%q is taken by sources[%d]: every source has a key of its own (several sources of one paper name it with paper:)", s.Key, first)
		} else {
			seen[s.Key] = i
		}
		if s.Paper != "" && !keyPattern.MatchString(s.Paper) {
			say(at+".paper", "%q: one to 24 of a-z and 0-9", s.Paper)
		}
		if s.Name == "" {
			say(at+".name", "missing: the paper's name as readers know it")
		}
		if !webURL(strings.ReplaceAll(s.URL, "{base_url}", "http://localhost")) {
			say(at+".url", "%q is no address: write it like http://epaper.example.cn/jzrb/", redacted(s.URL))
		}
		if s.Platform != "" && !slices.Contains(platforms, s.Platform) {
			say(at+".platform", "unknown platform %q: one of %s", s.Platform, strings.Join(platforms, ", "))
		}
		if _, err := zoneOf(s.Zone); err != nil {
			say(at+".zone", "unknown zone %q: write it like Asia/Shanghai", s.Zone)
		}
		if _, err := windowOf(s); err != nil {
			say(at+".window", "%v", err)
		}
		if _, err := clockOf(s.Expect); err != nil {
			say(at+".expect", "%v", err)
		}
		if s.Every != 0 && s.Every < time.Second {
			say(at+".every", "%s is too often: at least 1s", s.Every)
		}
		if s.EveryInWindow != 0 && s.EveryInWindow < time.Second {
			say(at+".every_in_window", "%s is too often: at least 1s", s.EveryInWindow)
		}
		if s.Language != "" && !languagePattern.MatchString(s.Language) {
			say(at+".language", "%q is no language: write it like zh-CN", s.Language)
		}
		for name, rules := range map[string]interface{ Check() error }{"html": s.HTML, "json": s.JSON} {
			if reflect.ValueOf(rules).IsNil() {
				continue
			}
			for _, line := range splitErrors(rules.Check()) {
				say(at+"."+name, "%s", line)
			}
		}
		if s.Platform == "html" && s.HTML != nil && !s.HTML.Drives() {
			say(at+".html", "articles or article_url is missing: platform html finds articles by them")
		}
		if s.Platform == "html" && s.HTML == nil || s.Platform == "json" && s.JSON == nil {
			say(at+"."+s.Platform, "missing: platform %s reads by rules; docs/platforms.md has examples", s.Platform)
		}
		if !slices.Contains([]string{"", "full", "summary", "headline"}, s.Rights) {
			say(at+".rights", "%q: one of full, summary, headline", s.Rights)
		}
		if !slices.Contains([]string{"", "share", "origin"}, s.Link) {
			say(at+".link", "%q: one of share, origin", s.Link)
		}
		if s.Editions < 0 || s.Editions > 31 {
			say(at+".editions", "%d: between 1 and 31; more is a matter of backfill", s.Editions)
		}
	}
	for i, x := range c.Gazetteers {
		rows, err := c.table(x)
		if err != nil {
			say(fmt.Sprintf("gazetteers[%d].table", i), "%v", err)
		}
		c.tables = append(c.tables, rows...)
	}
	// What the rooms check themselves, they also say themselves.
	g, err := place.Load(c.overrides())
	if err != nil {
		say("places", "%v", err)
		if g, err = place.Load(nil); err != nil { // the rest is checked all the same
			say("places", "%v", err)
			return bad
		}
	}
	if c.checkScopes(g, say); len(bad) == 0 {
		bad = append(bad, splitErrors(ingest.Check(c.ingest("http://localhost"), g))...)
	} else {
		// Sections and cities are checked even when a source is wrong.
		bad = append(bad, splitErrors(ingest.Check(ingest.Config{Sections: c.ingest("http://localhost").Sections}, g))...)
		for i, s := range c.Sources {
			if _, err := g.City(s.City); err != nil {
				say(fmt.Sprintf("sources[%d].city", i), "%v", err)
			}
		}
	}
	return bad
}

// font is the path of the font for cards, as other files beside the configuration;
// empty where none is named.
func (c *config) font() string {
	if c.Card.Font == "" || c.file == "" || filepath.IsAbs(c.Card.Font) {
		return c.Card.Font
	}
	return filepath.Join(filepath.Dir(c.file), c.Card.Font)
}

func splitErrors(err error) []string {
	if err == nil {
		return nil
	}
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		var lines []string
		for _, e := range j.Unwrap() {
			lines = append(lines, splitErrors(e)...)
		}
		return lines
	}
	return strings.Split(err.Error(), "\n")
}

func webURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil && !strings.ContainsAny(s, " \t\r\n")
}

// redacted is an address without the password somebody may have written in it.
func redacted(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.User == nil {
		return s
	}
	u.User = url.User("…")
	return u.String()
}

// listenable reports whether an address can be listened on, as far as its form goes.
func listenable(s string) bool {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return false
	}
	n, err := strconv.Atoi(port)
	return err == nil && n >= 0 && n <= 65535
}

// hostName reports whether s is a host or host:port.
func hostName(s string) bool {
	return s != "" && !strings.ContainsAny(s, "/ @?#")
}

var languagePattern = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

func zoneOf(name string) (*time.Location, error) {
	if name == "" || name == paper.Shanghai.String() {
		return paper.Shanghai, nil
	}
	return time.LoadLocation(name)
}

var windowPattern = regexp.MustCompile(`^([01]?\d|2[0-4]):([0-5]\d)\s*-\s*([01]?\d|2[0-4]):([0-5]\d)$`)

// windowOf reads 05:00-09:00 with the intervals. A feed without a window is
// looked at every 15 minutes, a paper often in the early morning.
func windowOf(s sourceConfig) (ingest.Window, error) {
	w := ingest.Window{Within: s.EveryInWindow, Every: s.Every}
	span := s.Window
	if span == "" && s.Every == 0 {
		const ofFeed = 15 * time.Minute
		switch s.Platform {
		case "feed":
			w.Every = ofFeed
			return w, nil
		case "", "auto": // it may turn out to be one
			w.OfFeed = ofFeed
		}
		span = "05:00-09:00"
	}
	if w.Every == 0 {
		w.Every = time.Hour
	}
	if w.Within == 0 {
		w.Within = 5 * time.Minute
	}
	if span == "" {
		return w, nil
	}
	m := windowPattern.FindStringSubmatch(span)
	if m == nil {
		return w, fmt.Errorf("%q is no window: write it like 05:00-09:00", span)
	}
	at := func(h, m string) time.Duration {
		d, _ := time.ParseDuration(h + "h" + m + "m")
		return min(d, 24*time.Hour)
	}
	w.From, w.To = at(m[1], m[2]), at(m[3], m[4])
	if w.From == w.To {
		return w, fmt.Errorf("%q is an empty window", span)
	}
	return w, nil
}

// clockOf reads 09:00 as the time after midnight; 0 for "".
func clockOf(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, fmt.Errorf("%q is no time of day: write it like 09:00", s)
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, nil
}

func (c *config) overrides() []place.Override {
	list := make([]place.Override, len(c.Places))
	for i, p := range c.Places {
		list[i] = place.Override{City: p.City, Code: p.Code, Name: p.Name, Aliases: p.Aliases, Landmarks: p.Landmarks, Stops: p.Stops, Trusted: p.TrustedShort, Retire: p.Retire, Point: p.Point}
	}
	return append(list, c.tables...)
}

// table reads a gazetteer of another country.
func (c *config) table(g gazetteerConfig) ([]place.Override, error) {
	if g.Table == "" {
		return nil, errors.New("missing: name a CSV file")
	}
	name := g.Table
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(c.file), name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var l place.Language
	if g.Language != nil {
		l = *g.Language
	}
	rows, err := place.ReadTable(f, l)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return rows, nil
}

// points are the configured georss points by division code.
func (c *config) points() map[string]string {
	m := map[string]string{}
	for _, p := range c.Places {
		if p.Point != "" {
			m[p.Code] = p.Point
		}
	}
	return m
}

// point reads "0.3 0.25".
func (f focusConfig) point() (p card.Point, ok bool) {
	at := strings.Fields(f.At)
	if len(at) != 2 {
		return p, false
	}
	var errX, errY error
	p.X, errX = strconv.ParseFloat(at[0], 64)
	p.Y, errY = strconv.ParseFloat(at[1], 64)
	return p, errX == nil && errY == nil && p.X >= 0 && p.X <= 1 && p.Y >= 0 && p.Y <= 1
}

// focus are the configured points of pictures by article.
func (c *config) focus() map[string]card.Point {
	m := map[string]card.Point{}
	for _, f := range c.Card.Focus {
		m[f.Article], _ = f.point()
	}
	return m
}

// moved maps former section slugs to the present ones. One that is configured again
// is nobody's former one.
func (c *config) moved() map[string]string {
	m := map[string]string{}
	for _, s := range c.Sections {
		for _, old := range s.Was {
			m[old] = s.Slug
		}
	}
	for _, s := range c.Sections {
		delete(m, s.Slug)
	}
	return m
}

// ingest is what ingest needs to know, with our own address put in.
func (c *config) ingest(base string) ingest.Config {
	out := ingest.Config{}
	for _, s := range c.Sources {
		zone, err := zoneOf(s.Zone)
		if err != nil {
			zone = paper.Shanghai // check has said so
		}
		window, _ := windowOf(s)
		expect, _ := clockOf(s.Expect)
		x := ingest.Source{
			Source: sources.Source{
				Key: s.Key, Paper: or(s.Paper, s.Key), Platform: or(s.Platform, "auto"), HTML: s.HTML, JSON: s.JSON, FullText: s.FullText,
				URL: strings.ReplaceAll(s.URL, "{base_url}", base), Zone: zone,
			},
			Name: s.Name, City: s.City, Language: or(s.Language, "zh-CN"), Window: window, Hold: s.Hold,
			Rights: paper.Rights(or(s.Rights, "full")), Link: paper.Link(or(s.Link, "share")), Editions: s.Editions, Expect: expect, Mirror: s.Mirror,
		}
		out.Sources = append(out.Sources, x)
	}
	for _, s := range c.Sections {
		out.Sections = append(out.Sections, ingest.SectionRule{Slug: s.Slug, Name: or(s.Name, s.Slug), Match: s.Match, Pages: s.Pages, Was: s.Was})
	}
	// What shows in documents beside articles, papers and sections: when it
	// changes, every document may.
	b, _ := json.Marshal(struct {
		Base   string
		Site   any
		Points map[string]string
	}{base, c.Site, c.points()})
	sum := sha256.Sum256(b)
	out.Presentation = hex.EncodeToString(sum[:])
	return out
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// storeDSN is where the store lives: a path under the data directory, or a database.
func (c *config) storeDSN() string {
	if store.IsPostgres(c.Store) || filepath.IsAbs(c.Store) {
		return c.Store
	}
	return filepath.Join(c.data, c.Store)
}

// base is our own address without a trailing slash; port is the one we listen on.
func (c *config) base(port string) string {
	if c.BaseURL != "" {
		return strings.TrimRight(c.BaseURL, "/")
	}
	if port == "" {
		_, port, _ = net.SplitHostPort(c.Listen)
	}
	return "http://localhost:" + port
}

// checkPush tells what is wrong with where pushes go, and which secrets it lacks.
func (c *config) checkPush(say, lacks func(path, format string, args ...any)) {
	for _, open := range []struct {
		key   string
		hosts []string
	}{{"open_hosts", c.Push.OpenHosts}, {"open_callbacks", c.Push.OpenCallbacks}} {
		for i, h := range open.hosts {
			if !hostName(h) {
				say(fmt.Sprintf("push.%s[%d]", open.key, i), "%q: a host alone, or host:port, without scheme and path", h)
			}
		}
	}
	if c.Push.MaxSubscriptions < 1 || c.Push.MaxSubscriptionsPerHost < 1 {
		say("push", "max_subscriptions and max_subscriptions_per_host: at least 1")
	}
	for i, h := range c.Push.Hubs {
		if !webURL(h) {
			say(fmt.Sprintf("push.hubs[%d]", i), "%q is no address: write it like https://hub.example.com/", redacted(h))
		}
	}
	pings := c.pings()
	if c.Push.IndexNow != "" {
		if !webURL(c.Push.IndexNow) {
			say("push.indexnow", "%q is no address: write it like https://api.indexnow.org/indexnow", redacted(c.Push.IndexNow))
		}
		if !indexNowKey.MatchString(pings.IndexNowKey) {
			lacks("push.indexnow", "needs a key: set PAPERWIRE_INDEXNOW_KEY to 8 to 128 of a-z, A-Z, 0-9 and -")
		}
	}
	if c.Push.Baidu != "" {
		if !webURL(c.Push.Baidu) || strings.Contains(c.Push.Baidu, "?") {
			say("push.baidu", "%q is no address: write it like http://data.zz.baidu.com/urls; the token is not part of it", redacted(c.Push.Baidu))
		}
		if pings.BaiduToken == "" {
			lacks("push.baidu", "needs a token: set PAPERWIRE_BAIDU_TOKEN")
		}
	}
	if (c.Push.IndexNow != "" || c.Push.Baidu != "") && c.BaseURL == "" {
		say("base_url", "missing: search engines cannot be told of pages at localhost")
	}
	seen := map[string]int{}
	for i, r := range c.Robots {
		at := fmt.Sprintf("robots[%d]", i)
		if !keyPattern.MatchString(r.Key) {
			say(at+".key", "%q: one to 24 of a-z and 0-9", r.Key)
		} else if first, ok := seen[r.Key]; ok {
			say(at+".key", "%q is taken by robots[%d]", r.Key, first)
		} else {
			seen[r.Key] = i
		}
		if kinds := push.RobotKinds(); !slices.Contains(kinds, r.Kind) {
			say(at+".kind", "unknown kind %q: one of %s", r.Kind, strings.Join(kinds, ", "))
		}
		if scope, err := paper.ParseScope(or(r.Scope, "all")); err != nil {
			say(at+".scope", "%v", err)
		} else if r.Scope != "" && scope.String() != r.Scope {
			say(at+".scope", "%q is written %s", r.Scope, scope)
		}
		o, err := c.robot(r)
		switch {
		case err != nil:
			lacks(at, "%v", err)
		case o.URL == "":
			lacks(at, "no address: set %s, or name a file with url_file", robotEnv(r.Key, "URL"))
		case !webURL(o.URL):
			say(at, "the address in %s or url_file is none: it is like https://…", robotEnv(r.Key, "URL"))
		}
	}
}

// scope is what a robot hears of; ok is false where it is written wrongly, which
// checkPush says.
func (r robotConfig) scope() (sc paper.Scope, ok bool) {
	sc, err := paper.ParseScope(or(r.Scope, "all"))
	return sc, err == nil && sc.String() == or(r.Scope, "all")
}

// checkScopes tells of robots whose scope nothing can ever be in.
func (c *config) checkScopes(g *place.Gazetteer, say func(path, format string, args ...any)) {
	cities := map[string][]string{} // of each paper
	var all []string
	for _, s := range c.Sources {
		cities[or(s.Paper, s.Key)] = append(cities[or(s.Paper, s.Key)], s.City)
		all = append(all, s.City)
	}
	for i, r := range c.Robots {
		sc, ok := r.scope()
		if !ok {
			continue
		}
		at := fmt.Sprintf("robots[%d].scope", i)
		near := all
		if len(sc.Papers) > 0 {
			near = nil
		}
		for _, key := range sc.Papers {
			near = append(near, cities[key]...)
		}
		for _, v := range slices.Concat(sc.Districts, sc.NotDistricts) {
			d, ok := g.Division(v)
			if !ok {
				d, ok = g.Resolve(v, near...)
			}
			switch {
			case !ok || d.Level == "town": // articles are filed down to the county
				say(at, "unknown district %q", v)
			case d.Code != v:
				say(at, "district %q is written %s (%s)", v, d.Code, d.Name)
			}
		}
	}
}

// warnings are what may be meant as it is, but hardly.
func (c *config) warnings() (list []string) {
	known := map[string]bool{}
	for _, s := range c.Sections {
		known[s.Slug] = true
	}
	dated := map[string]bool{} // papers -> whether a source has editions
	for _, s := range c.Sources {
		key := or(s.Paper, s.Key)
		dated[key] = dated[key] || s.Platform != "feed" && s.Platform != "sitemap"
	}
	for i, r := range c.Robots {
		sc, ok := r.scope()
		if !ok {
			continue
		}
		at := fmt.Sprintf("robots[%d].scope: ", i)
		for _, v := range slices.Concat(sc.Sections, sc.NotSections) {
			if _, moved := c.moved()[v]; !known[v] && !moved {
				list = append(list, fmt.Sprintf("%sno section %q is configured: there is one only if the name of a page makes that slug", at, v))
			}
		}
		for _, key := range sc.Papers {
			if _, ok := dated[key]; !ok {
				list = append(list, fmt.Sprintf("%sno source has the paper %q: there are %s", at, key, strings.Join(slices.Sorted(maps.Keys(dated)), ", ")))
			}
		}
		papers := sc.Papers
		if len(papers) == 0 && len(dated) > 0 && !slices.Contains(slices.Collect(maps.Values(dated)), true) {
			papers = slices.Sorted(maps.Keys(dated))
		}
		for _, key := range papers {
			if has, ok := dated[key]; ok && !has {
				list = append(list, fmt.Sprintf("%sthe paper %q comes from a feed or sitemap and has no editions: the robot tells of its corrections and withdrawals only", at, key))
			}
		}
	}
	return list
}

var indexNowKey = regexp.MustCompile(`^[A-Za-z0-9-]{8,128}$`)

func robotEnv(key, what string) string {
	return "PAPERWIRE_ROBOT_" + strings.ToUpper(key) + "_" + what
}

// robot completes a chat robot with what does not stand in the configuration.
func (c *config) robot(r robotConfig) (push.RobotOptions, error) {
	o := push.RobotOptions{Key: r.Key, Kind: r.Kind, Scope: or(r.Scope, "all"), URL: os.Getenv(robotEnv(r.Key, "URL")), Secret: os.Getenv(robotEnv(r.Key, "SECRET"))}
	err := errors.Join(c.secret(r.URLFile, &o.URL), c.secret(r.SecretFile, &o.Secret))
	return o, err
}

// secret reads what the environment does not have from a file beside the configuration.
func (c *config) secret(name string, to *string) error {
	if name == "" || *to != "" {
		return nil
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(c.file), name)
	}
	b, err := os.ReadFile(name)
	*to = strings.TrimSpace(string(b))
	return err
}

// wechat completes the WeChat account with what does not stand in the configuration.
func (c *config) wechat() (wechat.Options, error) {
	o := wechat.Options{
		AppID: c.Wechat.AppID, API: strings.TrimRight(c.Wechat.API, "/"), Domains: c.Wechat.Domains, Verify: c.Wechat.Verify,
		Secret: os.Getenv("PAPERWIRE_WECHAT_SECRET"), Token: os.Getenv("PAPERWIRE_WECHAT_TOKEN"), AESKey: os.Getenv("PAPERWIRE_WECHAT_AESKEY"),
	}
	for _, m := range c.Wechat.Menu {
		o.Menu = append(o.Menu, wechat.MenuKey(m))
	}
	return o, errors.Join(c.secret(c.Wechat.SecretFile, &o.Secret), c.secret(c.Wechat.TokenFile, &o.Token), c.secret(c.Wechat.AESKeyFile, &o.AESKey))
}

// checkWechat tells what is wrong with the WeChat account, and which secrets it lacks.
func (c *config) checkWechat(say, lacks func(path, format string, args ...any)) {
	o, err := c.wechat()
	for _, line := range splitErrors(err) {
		lacks("wechat", "%s", line)
	}
	if o.AppID == "" {
		if o.Secret+o.Token+o.AESKey != "" || len(o.Domains)+len(o.Menu) > 0 {
			lacks("wechat.appid", "missing: set PAPERWIRE_WECHAT_APPID, or write the AppID here")
		}
	} else if _, err := wechat.New(o); err != nil {
		lacks("wechat", "%v", err)
	}
	if o.API != "" && (!webURL(o.API) || strings.ContainsAny(o.API, "?#")) {
		say("wechat.api", "%q is no address: leave it out for %s", redacted(o.API), wechat.DefaultAPI)
	}
	for i, d := range o.Domains {
		if !hostName(d) || strings.Contains(d, ":") {
			say(fmt.Sprintf("wechat.domains[%d]", i), "%q: a host alone, without scheme, port and path", d)
		}
	}
	seen := map[string]bool{}
	for i, m := range o.Menu {
		at := fmt.Sprintf("wechat.menu[%d]", i)
		if m.Key == "" || len(m.Key) > 128 {
			say(at+".key", "%q: the key of the button, of at most 128 bytes", m.Key)
		} else if seen[m.Key] {
			say(at+".key", "%q stands here twice", m.Key)
		}
		seen[m.Key] = true
		if scope, err := paper.ParseScope(m.Scope); err != nil {
			say(at+".scope", "%v", err)
		} else if scope.String() != m.Scope {
			say(at+".scope", "%q is written %s", m.Scope, scope)
		}
	}
}

// pings are who outside is told of changes.
func (c *config) pings() push.PingOptions {
	return push.PingOptions{
		Hubs: c.Push.Hubs, IndexNow: c.Push.IndexNow, IndexNowKey: os.Getenv("PAPERWIRE_INDEXNOW_KEY"),
		Baidu: c.Push.Baidu, BaiduToken: os.Getenv("PAPERWIRE_BAIDU_TOKEN"),
	}
}
