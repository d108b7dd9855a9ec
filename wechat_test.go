package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf16"

	"paperwire/internal/ingest"
	"paperwire/internal/paper"
	"paperwire/internal/store"
	"paperwire/syndicate"
	"paperwire/syndicate/card"
	"paperwire/syndicate/wechat"
)

// What is secret of the account of these tests.
const (
	wxApp    = "wx0123456789abcdef"
	wxSecret = "5ecre75ecre75ecre75ecre75ecre7aa"
	wxToken  = "tokentokentoken"
	wxKey    = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
)

// wechatAPI answers as WeChat's documentation says, and fails as told.
type wechatAPI struct {
	*httptest.Server
	t  testing.TB
	mu sync.Mutex

	token     string // the one that is taken; WeChat forgot the others
	given     string // the one that stable_token gives without being forced; empty: token
	lasts     int
	made      int
	calls     map[string]int
	fail      map[string][]int // codes that the next calls of an operation answer
	hang      map[string]int   // calls of an operation after which the connection breaks although it was done
	pictures  map[string][]byte
	materials map[string]string // type by id
	drafts    []map[string]any
}

func newWechatAPI(t testing.TB) *wechatAPI {
	m := &wechatAPI{
		t: t, lasts: 7200, calls: map[string]int{}, fail: map[string][]int{}, hang: map[string]int{},
		pictures: map[string][]byte{}, materials: map[string]string{},
	}
	m.Server = httptest.NewServer(m)
	t.Cleanup(m.Close)
	return m
}

func (m *wechatAPI) count(op string) int { m.mu.Lock(); defer m.mu.Unlock(); return m.calls[op] }

func (m *wechatAPI) left() int { m.mu.Lock(); defer m.mu.Unlock(); return len(m.drafts) }

func (m *wechatAPI) covers() int { m.mu.Lock(); defer m.mu.Unlock(); return len(m.materials) }

func (m *wechatAPI) shown() int { m.mu.Lock(); defer m.mu.Unlock(); return len(m.pictures) }

// draft are the articles of a draft.
func (m *wechatAPI) draft(n int) []map[string]any {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.drafts[n]["content"].(map[string]any)["news_item"].([]map[string]any)
}

func (m *wechatAPI) with(f func()) { m.mu.Lock(); defer m.mu.Unlock(); f() }

var wechatTexts = map[int]string{
	-1: "system error", 40001: "invalid credential, access_token is invalid or not latest", 40007: "invalid media_id", 40009: "invalid image size",
	40013: "invalid appid", 40125: "invalid appsecret", 40137: "invalid image format", 40164: "invalid ip 192.0.2.1, not in whitelist", 42001: "access_token expired",
	45002: "content size out of limit", 45003: "title size out of limit", 45004: "description size out of limit", 45009: "reach max api daily quota limit",
	45011: "api minute-quota reach limit, please retry next minute", 48001: "api unauthorized",
}

func (m *wechatAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	op := strings.TrimPrefix(r.URL.Path, "/cgi-bin/")
	m.calls[op]++
	w.Header().Set("Content-Type", "application/json; encoding=utf-8")
	out, code := m.answer(op, r)
	if code != 0 {
		out = map[string]any{"errcode": code, "errmsg": wechatTexts[code] + " rid: 65f0-0a1b-2c3d " + r.URL.Query().Get("access_token")}
	}
	if m.hang[op] > 0 {
		m.hang[op]--
		panic(http.ErrAbortHandler)
	}
	json.NewEncoder(w).Encode(out)
}

func (m *wechatAPI) answer(op string, r *http.Request) (map[string]any, int) {
	if codes := m.fail[op]; len(codes) > 0 {
		m.fail[op] = codes[1:]
		if codes[0] != 0 {
			return nil, codes[0]
		}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		m.t.Error(err)
	}
	if op == "stable_token" {
		var q struct {
			Grant  string `json:"grant_type"`
			App    string `json:"appid"`
			Secret string `json:"secret"`
			Force  bool   `json:"force_refresh"`
		}
		switch err := json.Unmarshal(body, &q); {
		case err != nil || q.Grant != "client_credential" || r.Method != http.MethodPost:
			return nil, 47001
		case q.App != wxApp:
			return nil, 40013
		case q.Secret != wxSecret:
			return nil, 40125
		}
		if m.given != "" && !q.Force {
			return map[string]any{"access_token": m.given, "expires_in": m.lasts}, 0
		}
		if m.token == "" || q.Force {
			m.made++
			m.token = fmt.Sprintf("TOKEN_%d_%s", m.made, strings.Repeat("x", 100))
		}
		return map[string]any{"access_token": m.token, "expires_in": m.lasts}, 0
	}
	if m.token == "" || r.URL.Query().Get("access_token") != m.token {
		return nil, 40001
	}
	switch op {
	case "ticket/getticket":
		if r.URL.Query().Get("type") != "jsapi" || r.Method != http.MethodGet {
			return nil, 40097
		}
		return map[string]any{"errcode": 0, "errmsg": "ok", "ticket": "TICKET_of_this_account", "expires_in": m.lasts}, 0
	case "media/uploadimg", "material/add_material":
		r.Body = io.NopCloser(bytes.NewReader(body))
		f, head, err := r.FormFile("media")
		if err != nil {
			return nil, 41005
		}
		data, _ := io.ReadAll(f)
		c, kind, err := image.DecodeConfig(bytes.NewReader(data))
		if err != nil || kind != "jpeg" && kind != "png" || c.Width == 0 || !strings.HasSuffix(head.Filename, map[string]string{"jpeg": ".jpg", "png": ".png"}[kind]) {
			return nil, 40137
		}
		sum := sha1.Sum(data)
		name := hex.EncodeToString(sum[:])
		if op == "media/uploadimg" {
			if len(data) >= 1<<20 {
				return nil, 40009
			}
			m.pictures[name] = data
			return map[string]any{"url": "http://mmbiz.qpic.cn/mmbiz_jpg/" + name + "/0?wx_fmt=jpeg"}, 0
		}
		as := r.URL.Query().Get("type")
		if as != "thumb" && as != "image" || as == "thumb" && (len(data) > 64<<10 || kind != "jpeg") {
			return nil, 40009
		}
		id := fmt.Sprintf("MEDIA_%s_%d", name[:8], len(m.materials))
		m.materials[id] = as
		return map[string]any{"media_id": id, "url": "http://mmbiz.qpic.cn/x/0"}, 0
	case "draft/add":
		if bytes.Contains(body, []byte(`\u003c`)) {
			m.t.Error("draft/add: WeChat would show \\u003c")
		}
		var q struct{ Articles []map[string]any }
		if err := json.Unmarshal(body, &q); err != nil || len(q.Articles) < 1 || len(q.Articles) > 8 {
			return nil, 47001
		}
		for _, a := range q.Articles {
			for field, limit := range map[string]int{"title": 32, "author": 16, "digest": 128, "content": 19999} {
				text, _ := a[field].(string)
				if n := len(utf16.Encode([]rune(text))); n > limit || field == "title" && n == 0 {
					m.t.Errorf("draft/add: %s has %d characters", field, n)
					return nil, 45002
				}
			}
			if m.materials[a["thumb_media_id"].(string)] == "" {
				return nil, 40007
			}
			for _, src := range regexp.MustCompile(`<img[^>]* src="([^"]*)"`).FindAllStringSubmatch(a["content"].(string), -1) {
				if !strings.HasPrefix(src[1], "http://mmbiz.qpic.cn/") {
					m.t.Errorf("draft/add: WeChat would take out %s", src[1])
				}
			}
		}
		id := fmt.Sprintf("DRAFT_%d", len(m.drafts)+1)
		m.drafts = append(m.drafts, map[string]any{"media_id": id, "content": map[string]any{"news_item": q.Articles}, "update_time": 1})
		return map[string]any{"media_id": id}, 0
	case "draft/batchget":
		list := slices.Clone(m.drafts)
		slices.Reverse(list)
		return map[string]any{"total_count": len(list), "item_count": len(list), "item": list}, 0
	}
	m.t.Errorf("no such operation: %s", op)
	return nil, 40066
}

// wechatConfigFile is the embedded configuration with an account.
func wechatConfigFile(t testing.TB, dir, api, base string) string {
	t.Helper()
	b := string(defaultConfig)
	for old, now := range map[string]string{
		`appid: ""`:                      `appid: ` + wxApp,
		`base_url: ""`:                   `base_url: ` + base,
		"  # secret_file: wechat.secret": "  api: " + api + "\n  # secret_file: wechat.secret",
		"  menu: []":                     "  menu: [{key: today, scope: paper/demo}, {key: gone, scope: paper/nobody}, {key: wenxian, scope: district/410825}]",
		`pace: 1.2s`:                     `pace: 1ms`,
		`verify: ""`:                     `verify: MP_verify_Abc123.txt`,
	} {
		if !strings.Contains(b, old) {
			t.Fatalf("config.yaml has no %q", old)
		}
		b = strings.Replace(b, old, now, 1)
	}
	file := filepath.Join(dir, "paperwire.yaml")
	if err := os.WriteFile(file, []byte(b), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PAPERWIRE_WECHAT_SECRET", wxSecret)
	return file
}

// wechatHouse is the demo paper, read, behind a server of its own, with an account.
type wechatHouse struct {
	*house
	url string
	log *safeBuffer
	dir string
	cfg string // path
}

func newWechatHouse(t testing.TB, dsn, api string) *wechatHouse {
	t.Helper()
	var syn http.Handler
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { syn.ServeHTTP(w, r) }))
	t.Cleanup(srv.Close)
	x := &wechatHouse{url: srv.URL, log: &safeBuffer{}, dir: t.TempDir()}
	x.cfg = wechatConfigFile(t, x.dir, api, srv.URL)
	c, err := loadConfig(overrides{file: x.cfg, data: x.dir, store: dsn})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(x.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if x.house, err = open(t.Context(), c, srv.URL, log, false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.close)
	if err := x.include(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := x.ingest.Fetch(t.Context(), nil, func(ingest.Report) {}); err != nil {
		t.Fatal(err)
	}
	if syn, err = syndicate.New(syndicate.Options{Base: srv.URL, Store: x.store, Names: x.names, Pictures: x.store, Wechat: x.wechat, Log: log}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if x.log == nil {
			return // a benchmark
		}
		for _, secret := range []string{wxSecret, wxToken, wxKey, "TOKEN_", "TICKET_"} {
			if i := strings.Index(x.log.String(), secret); i >= 0 {
				t.Errorf("the log tells %s: …%s", secret, tail(x.log.String()[:i+len(secret)], 200))
			}
		}
	})
	return x
}

// wxMessage is what a follower's telephone makes WeChat send.
type wxMessage map[string]string

func (m wxMessage) xml() string {
	var b strings.Builder
	b.WriteString("<xml>")
	for k, v := range m {
		b.WriteString("<" + k + "><![CDATA[" + v + "]]></" + k + ">")
	}
	b.WriteString("</xml>")
	return b.String()
}

func follower(n int) string { return fmt.Sprintf("oFollower%06d", n) }

func written(n int, text string) wxMessage {
	return wxMessage{"ToUserName": "gh_account", "FromUserName": follower(n), "CreateTime": "1700000000", "MsgType": "text", "Content": text, "MsgId": fmt.Sprint(23456789012345678 + n)}
}

func happened(n int, event, key string) wxMessage {
	return wxMessage{"ToUserName": "gh_account", "FromUserName": follower(n), "CreateTime": "1700000000", "MsgType": "event", "Event": event, "EventKey": key}
}

// wxReply is an answer as WeChat reads it.
type wxReply struct {
	ToUserName, FromUserName, MsgType, Content, CreateTime string
	ArticleCount                                           int
	Articles                                               struct {
		Items []struct {
			Title, Description string
			PicURL             string `xml:"PicUrl"`
			URL                string `xml:"Url"`
		} `xml:"item"`
	}
	Encrypt, MsgSignature, TimeStamp, Nonce string
}

// wxSign is the signature of WeChat's servers, written from the documentation alone.
func wxSign(values ...string) string {
	slices.Sort(values)
	return fmt.Sprintf("%x", sha1.Sum([]byte(strings.Join(values, ""))))
}

func wxSeal(t testing.TB, plain string) string {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(wxKey + "=")
	if err != nil {
		t.Fatal(err)
	}
	b := append([]byte("0123456789abcdef"), binary.BigEndian.AppendUint32(nil, uint32(len(plain)))...)
	b = append(append(b, plain...), wxApp...)
	pad := 32 - len(b)%32
	b = append(b, bytes.Repeat([]byte{byte(pad)}, pad)...)
	c, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	cipher.NewCBCEncrypter(c, key[:16]).CryptBlocks(b, b)
	return base64.StdEncoding.EncodeToString(b)
}

func wxOpen(t testing.TB, box string) string {
	t.Helper()
	key, _ := base64.StdEncoding.DecodeString(wxKey + "=")
	b, err := base64.StdEncoding.DecodeString(box)
	if err != nil {
		t.Fatal(err)
	}
	c, _ := aes.NewCipher(key)
	cipher.NewCBCDecrypter(c, key[:16]).CryptBlocks(b, b)
	n := binary.BigEndian.Uint32(b[16:])
	return string(b[20 : 20+n])
}

// post sends a message as WeChat does and gives the status and the answer.
func (x *wechatHouse) post(t testing.TB, q url.Values, body string) (int, string) {
	t.Helper()
	r, err := http.Post(x.url+"/wechat/callback?"+q.Encode(), "text/xml", strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	return r.StatusCode, string(b)
}

// tell sends a message, sealed or plain, and reads the answer; nil for success.
func (x *wechatHouse) tell(t testing.TB, m wxMessage, sealed bool) *wxReply {
	t.Helper()
	q := url.Values{"timestamp": {"1700000001"}, "nonce": {"314159"}, "signature": {wxSign(wxToken, "1700000001", "314159")}}
	body := m.xml()
	if sealed {
		box := wxSeal(t, body)
		body = wxMessage{"ToUserName": "gh_account", "Encrypt": box}.xml()
		q.Set("encrypt_type", "aes")
		q.Set("msg_signature", wxSign(wxToken, "1700000001", "314159", box))
	}
	status, answer := x.post(t, q, body)
	if status != http.StatusOK {
		t.Errorf("%v: %d %s", m, status, answer)
		return nil
	}
	if answer == "success" {
		return nil
	}
	var r wxReply
	if err := xml.Unmarshal([]byte(answer), &r); err != nil {
		t.Errorf("%v: %v\n%s", m, err, answer)
		return nil
	}
	if sealed {
		if wxSign(wxToken, r.TimeStamp, r.Nonce, r.Encrypt) != r.MsgSignature {
			t.Errorf("%v: the answer's signature is wrong: %s", m, answer)
		}
		plain := wxOpen(t, r.Encrypt)
		r = wxReply{}
		if err := xml.Unmarshal([]byte(plain), &r); err != nil {
			t.Errorf("%v: %v\n%s", m, err, plain)
			return nil
		}
	}
	if r.ToUserName != m["FromUserName"] || r.FromUserName != m["ToUserName"] || r.CreateTime == "" || r.ArticleCount != len(r.Articles.Items) {
		t.Errorf("%v: %+v", m, r)
	}
	return &r
}

func (r *wxReply) ids() (ids []string) {
	for _, i := range r.Articles.Items {
		u, err := url.Parse(i.URL)
		if err == nil {
			ids = append(ids, strings.TrimPrefix(u.Path, "/a/"))
		}
	}
	return ids
}

// wxItems are the ids of what a window of a scope holds, the live ones.
func (x *wechatHouse) items(t testing.TB, scope string, w paper.Window) (ids []string) {
	t.Helper()
	sc, err := paper.ParseScope(scope)
	if err != nil {
		t.Fatal(err)
	}
	list, err := x.store.Items(t.Context(), paper.Public, sc, w)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range list {
		if i.State == paper.Live {
			ids = append(ids, i.ID)
		}
	}
	return ids
}

// What followers write and press, in both modes, is answered as documented, and what
// is not from WeChat is refused.
func TestWechatCallback(t *testing.T) {
	for _, sealed := range []bool{false, true} {
		t.Run(map[bool]string{false: "plain", true: "sealed"}[sealed], func(t *testing.T) {
			t.Setenv("PAPERWIRE_WECHAT_TOKEN", wxToken)
			if sealed {
				t.Setenv("PAPERWIRE_WECHAT_AESKEY", wxKey)
			}
			x := newWechatHouse(t, "", newWechatAPI(t).URL)
			edition := x.items(t, "all", paper.Window{Newest: true})
			yaowen := x.items(t, "section/yaowen", paper.Window{})
			wenxian := x.items(t, "district/410825", paper.Window{})
			if len(edition) < 8 || len(yaowen) == 0 || len(wenxian) == 0 {
				t.Fatal(len(edition), len(yaowen), len(wenxian))
			}
			n := 0
			for _, c := range []struct {
				say  string
				want []string // ids; nil: text
				text string
			}{
				{"今日", edition[:1], ""},
				{" 今日。", edition[:1], ""},
				{"要闻", yaowen[:1], ""},
				{"温县", wenxian[:1], ""},
				{"“温县”", wenxian[:1], ""},
				{"wenxian", wenxian[:1], ""},
				{"410825", wenxian[:1], ""},
				{"示例日报", edition[:1], ""},
				{"焦作/温县·马村区", x.items(t, "section/jiaozuo-wenxian-macunqu-5698", paper.Window{})[:1], ""},
				{"山药", x.items(t, "all", paper.Window{Query: []string{"山药"}})[:1], ""},
				{"帮助", nil, "今日：最新一期"},
				{"", nil, "任何词语"},
				{"？？？", nil, "任何词语"},
				{"紫色的河马", nil, "没有找到“紫色的河马”的报道。"},
				{"section/yaowen", nil, "没有找到"},
				{"a/b/../c", nil, "没有找到"},
				{"<a href=\"http://evil.example\">x</a>", nil, "没有找到"},
				{"一 二 三 四 五 六", nil, "任何词语"},
				{strings.Repeat("长", 2000), nil, "任何词语"},
				{"\x00\x01", nil, "任何词语"},
			} {
				n++
				m := written(n, strings.ReplaceAll(c.say, "\x00", ""))
				if strings.Contains(c.say, "\x01") {
					m["Content"] = ""
				}
				r := x.tell(t, m, sealed)
				switch {
				case r == nil:
					t.Errorf("%q: no answer", c.say)
				case c.want != nil && (r.MsgType != "news" || !slices.Equal(r.ids(), c.want)):
					t.Errorf("%q: %v, want %v", c.say, r, c.want)
				case c.want == nil && (r.MsgType != "text" || !strings.Contains(r.Content, c.text)):
					t.Errorf("%q: %v, want %q", c.say, r, c.text)
				case c.want == nil && (strings.Contains(r.Content, "<a") || len(r.Content) > 2048):
					t.Errorf("%q: %q", c.say, r.Content)
				}
			}
			for _, c := range []struct {
				event, key string
				want       []string
				nothing    bool
			}{
				{"subscribe", "", edition[:8], false},
				{"subscribe", "qrscene_123", edition[:8], false},
				{"SCAN", "123", edition[:8], false},
				{"CLICK", "today", edition[:8], false},
				{"CLICK", "要闻", yaowen[:min(8, len(yaowen))], false},
				{"CLICK", "gone", nil, false},
				{"CLICK", "nowhere", nil, false},
				{"unsubscribe", "", nil, true},
				{"VIEW", "http://x.example/", nil, true},
				{"LOCATION", "", nil, true},
				{"TEMPLATESENDJOBFINISH", "", nil, true},
			} {
				n++
				r := x.tell(t, happened(n, c.event, c.key), sealed)
				switch {
				case c.nothing != (r == nil):
					t.Errorf("%s %s: %v", c.event, c.key, r)
				case r == nil:
				case c.want != nil && (r.MsgType != "news" || !slices.Equal(r.ids(), c.want)):
					t.Errorf("%s %s: %v, want %v", c.event, c.key, r.ids(), c.want)
				case c.want == nil && r.MsgType != "text":
					t.Errorf("%s %s: %v", c.event, c.key, r)
				}
			}
			for _, kind := range []string{"image", "voice", "video", "location", "link", "nonsense"} {
				n++
				m := written(n, "")
				m["MsgType"] = kind
				if r := x.tell(t, m, sealed); r == nil || r.MsgType != "text" {
					t.Errorf("%s: %v", kind, r)
				}
			}
			// What an answer shows is what the card says.
			r := x.tell(t, happened(n+1, "subscribe", ""), sealed)
			for i, item := range r.Articles.Items {
				it, err := x.store.Item(t.Context(), paper.Public, edition[i])
				if err != nil {
					t.Fatal(err)
				}
				p := card.New(it, card.Links{Base: x.url}).Platforms["wechat_reply"].Payload.(map[string]string)
				if item.Title != p["Title"] || item.Description != p["Description"] || item.URL != p["Url"] || !strings.HasPrefix(item.PicURL, x.url+"/a/") {
					t.Errorf("%+v, want %+v", item, p)
				}
				if a, err := fetchURL(item.PicURL); i < 2 && (err != nil || a.StatusCode != http.StatusOK) {
					t.Errorf("%s: %v", item.PicURL, err)
				}
			}

			// Withdrawn between the first answer and its repetition: not sent again.
			m := written(n+2, "今日")
			if r := x.tell(t, m, sealed); !slices.Equal(r.ids(), edition[:1]) {
				t.Error(r)
			}
			if _, err := x.ingest.Decide(t.Context(), paper.Decision{Article: edition[0], Action: paper.WithdrawHand, Who: "t"}); err != nil {
				t.Fatal(err)
			}
			if r := x.tell(t, m, sealed); r.MsgType != "text" || !strings.Contains(r.Content, "撤回") {
				t.Errorf("%+v", r)
			}
			if r := x.tell(t, written(n+3, "今日"), sealed); !slices.Equal(r.ids(), edition[1:2]) {
				t.Error(r)
			}

			x.refused(t, sealed)
		})
	}
}

// refused is what is not from WeChat, or not as documented.
func (x *wechatHouse) refused(t *testing.T, sealed bool) {
	good := func() url.Values {
		return url.Values{"timestamp": {"1"}, "nonce": {"2"}, "signature": {wxSign(wxToken, "1", "2")}}
	}
	a, err := fetchURL(x.url + "/wechat/callback?echostr=5838479218&" + good().Encode())
	if err != nil || a.StatusCode != http.StatusOK || string(a.body) != "5838479218" || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/plain") {
		t.Errorf("echostr: %v %d %s", err, a.StatusCode, a.body)
	}
	wrong := good()
	wrong.Set("signature", wxSign("anothertoken", "1", "2"))
	if a, err := fetchURL(x.url + "/wechat/callback?echostr=x&" + wrong.Encode()); err != nil || a.StatusCode != http.StatusForbidden || strings.Contains(string(a.body), "x\n") {
		t.Errorf("a forged echostr: %v %d %s", err, a.StatusCode, a.body)
	}
	if a, err := fetchURL(x.url + "/wechat/callback"); err != nil || a.StatusCode != http.StatusForbidden {
		t.Errorf("nothing: %v %d", err, a.StatusCode)
	}
	post := func(what string, q url.Values, body string, want int) {
		t.Helper()
		if status, answer := x.post(t, q, body); status != want {
			t.Errorf("%s: %d %s", what, status, answer)
		}
	}
	plain := written(1, "今日").xml()
	post("a forged signature", wrong, plain, http.StatusForbidden)
	if !sealed {
		post("no XML", good(), "今日", http.StatusBadRequest)
		post("no sender", good(), "<xml><MsgType>text</MsgType></xml>", http.StatusBadRequest)
		post("too long", good(), "<xml>"+strings.Repeat("x", 65<<10), http.StatusRequestEntityTooLarge)
		post("an entity", good(), `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml><FromUserName>&e;</FromUserName></xml>`, http.StatusBadRequest)
		q := good()
		q.Set("encrypt_type", "aes")
		post("encrypted without a key", q, plain, http.StatusForbidden)
		return
	}
	post("plain where messages are encrypted", good(), plain, http.StatusForbidden)
	box := wxSeal(t, plain)
	q := good()
	q.Set("encrypt_type", "aes")
	q.Set("msg_signature", wxSign(wxToken, "1", "2", box))
	envelope := func(box string) string { return wxMessage{"ToUserName": "gh", "Encrypt": box}.xml() }
	post("as it should be", q, envelope(box), http.StatusOK)
	post("another message under the signature", q, envelope(wxSeal(t, written(2, "要闻").xml())), http.StatusForbidden)
	post("without the message", q, plain, http.StatusForbidden)
	for what, box := range map[string]string{"rubbish": "AAAA", "no base64": "%%%", "empty": "", "noise": base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{9}, 64))} {
		q.Set("msg_signature", wxSign(wxToken, "1", "2", box))
		post(what, q, envelope(box), http.StatusForbidden)
	}
}

// A thousand messages of all kinds, each up to three times, from many connections at
// once: each is answered, always with the same.
func TestWechatThousandMessages(t *testing.T) {
	t.Setenv("PAPERWIRE_WECHAT_TOKEN", wxToken)
	t.Setenv("PAPERWIRE_WECHAT_AESKEY", wxKey)
	storesInTurn(t, func(t *testing.T, dsn string) {
		if dsn == "paperwire.db" {
			dsn = ""
		}
		x := newWechatHouse(t, dsn, newWechatAPI(t).URL)
		edition := x.items(t, "all", paper.Window{Newest: true})
		first := func(scope string, w paper.Window) string { return x.items(t, scope, w)[0] }
		kinds := []struct {
			m    func(n int) wxMessage
			want string // ids, or text
		}{
			{func(n int) wxMessage { return written(n, "今日") }, edition[0]},
			{func(n int) wxMessage { return written(n, "要闻") }, first("section/yaowen", paper.Window{})},
			{func(n int) wxMessage { return written(n, "温县") }, first("district/410825", paper.Window{})},
			{func(n int) wxMessage { return written(n, "山药") }, first("all", paper.Window{Query: []string{"山药"}})},
			{func(n int) wxMessage { return written(n, fmt.Sprintf("第%d匹河马", n)) }, "text"},
			{func(n int) wxMessage { return happened(n, "subscribe", "") }, strings.Join(edition[:8], " ")},
			{func(n int) wxMessage { return happened(n, "CLICK", "today") }, strings.Join(edition[:8], " ")},
			{func(n int) wxMessage { return happened(n, "unsubscribe", "") }, ""},
			{func(n int) wxMessage { m := written(n, ""); m["MsgType"] = "image"; return m }, "text"},
		}
		const messages, at = 1000, 12
		jobs := make(chan int)
		var answered, late atomic.Int64
		var mu sync.Mutex
		said := map[int]string{}
		var all sync.WaitGroup
		for range at {
			all.Go(func() {
				for n := range jobs {
					k := kinds[n%len(kinds)]
					r := x.tell(t, k.m(n), true)
					// On a machine that has no time (-race, other tests) it is late; what it
					// was about to say then stands when it is asked again.
					for try := 0; r == nil && k.want != "" && try < 10; try++ {
						late.Add(1)
						r = x.tell(t, k.m(n), true)
					}
					got := ""
					if r != nil {
						if got = strings.Join(r.ids(), " "); r.MsgType == "text" {
							got = "text"
						}
						answered.Add(1)
						mu.Lock()
						if before, ok := said[n]; ok && before != r.Content+got {
							t.Errorf("message %d: first %q, then %q", n, before, r.Content+got)
						}
						said[n] = r.Content + got
						mu.Unlock()
					}
					if got != k.want {
						t.Errorf("message %d: %q, want %q", n, got, k.want)
					}
				}
			})
		}
		began := time.Now()
		sent := 0
		for n := range messages {
			for range 1 + n%3 { // one after another: WeChat repeats soon, and other workers take them at once
				jobs <- n
				sent++
			}
		}
		close(jobs)
		all.Wait()
		t.Logf("%d messages, %d of them repeated, in %s: %d answers, %d late", sent, sent-messages, time.Since(began).Round(time.Millisecond), answered.Load(), late.Load())
		if n := int64(strings.Count(x.log.String(), "no answer in time")); n != late.Load() {
			t.Errorf("%d messages had no answer, and the log tells of %d", late.Load(), n)
		}
	})
}

// WeChat waits for five seconds: who cannot answer within them says so, and has the
// answer ready when WeChat asks again.
func TestWechatFiveSeconds(t *testing.T) {
	t.Setenv("PAPERWIRE_WECHAT_TOKEN", wxToken)
	x := newWechatHouse(t, "", newWechatAPI(t).URL)
	db, err := sql.Open("sqlite", x.store.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	other, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil { // nobody else can write
		t.Fatal(err)
	}
	m := written(1, "今日")
	began := time.Now()
	if r := x.tell(t, m, false); r != nil {
		t.Errorf("an answer that is not kept: %v", r)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("success after %s", took)
	}
	if _, err := other.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if r := x.tell(t, m, false); r == nil || r.MsgType != "news" {
		t.Errorf("asked again: %v", r)
	}
}

// BenchmarkWechat is what a page that is opened in WeChat costs, and a message: one
// that is new, one that comes again.
func BenchmarkWechat(b *testing.B) {
	b.Setenv("PAPERWIRE_WECHAT_TOKEN", wxToken)
	x := newWechatHouse(b, "", newWechatAPI(b).URL)
	x.log = nil
	b.Run("sign", func(b *testing.B) {
		b.ReportAllocs()
		r := httptest.NewRequest(http.MethodGet, "/wechat/jssdk?url="+url.QueryEscape(x.url+"/a/x"), nil)
		for b.Loop() {
			w := httptest.NewRecorder()
			if x.wechat.ServeConfig(w, r); w.Code != http.StatusOK {
				b.Fatal(w.Code, w.Body)
			}
		}
	})
	message := func(n int) {
		body := written(n, "温县").xml()
		q := url.Values{"timestamp": {"1"}, "nonce": {"2"}, "signature": {wxSign(wxToken, "1", "2")}}
		w := httptest.NewRecorder()
		x.wechat.ServeCallback(w, httptest.NewRequest(http.MethodPost, "/wechat/callback?"+q.Encode(), strings.NewReader(body)))
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "<Articles>") {
			b.Fatal(w.Code, w.Body)
		}
	}
	n := 0
	b.Run("message", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			n++
			message(n)
		}
	})
	b.Run("repeated", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			message(1)
		}
	})
}

// turning is a clock that tests turn.
type turning struct{ ahead atomic.Int64 }

func (c *turning) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *turning) add(d time.Duration) { c.ahead.Add(int64(d)) }

// Several processes are one account: one asks for a token, five minutes before its
// end one asks again, and what WeChat does not take is renewed once.
func TestWechatToken(t *testing.T) {
	storesInTurn(t, func(t *testing.T, dsn string) {
		if dsn == "paperwire.db" {
			dsn = filepath.Join(t.TempDir(), dsn)
		}
		api := newWechatAPI(t)
		c := &turning{}
		log := &safeBuffer{}
		var accounts []*wechat.Account
		for i := range 3 {
			st, err := store.Open(t.Context(), dsn, store.Options{Now: c.now})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { st.Close() })
			a, err := wechat.New(wechat.Options{
				Store: st, Client: &http.Client{Timeout: 5 * time.Second}, API: api.URL, AppID: wxApp, Secret: wxSecret, Base: "https://news.example.cn",
				Owner: fmt.Sprint("process ", i), Now: c.now, Log: slog.New(slog.NewTextHandler(log, nil)),
			})
			if err != nil {
				t.Fatal(err)
			}
			accounts = append(accounts, a)
		}
		ask := func(a *wechat.Account) int {
			w := httptest.NewRecorder()
			a.ServeConfig(w, httptest.NewRequest(http.MethodGet, "/wechat/jssdk?url="+url.QueryEscape("https://news.example.cn/a/x?y=1#z"), nil))
			if w.Code != http.StatusOK {
				if strings.Contains(w.Body.String(), "errcode") || w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "48001") {
					t.Errorf("%d %s", w.Code, w.Body)
				}
				return w.Code
			}
			var got struct {
				AppID, NonceStr, Signature string
				Timestamp                  int64
				JsAPIList                  []string
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Error(err)
			}
			want := fmt.Sprintf("%x", sha1.Sum([]byte("jsapi_ticket=TICKET_of_this_account&noncestr="+got.NonceStr+"&timestamp="+strconv.FormatInt(got.Timestamp, 10)+"&url=https://news.example.cn/a/x?y=1")))
			if got.Signature != want || got.AppID != wxApp || len(got.NonceStr) < 16 || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s, want %s", w.Body, want)
			}
			return w.Code
		}
		everybody := func(want int) {
			t.Helper()
			var all sync.WaitGroup
			for _, a := range accounts {
				for range 10 {
					all.Go(func() {
						if got := ask(a); got != want {
							t.Errorf("%d, want %d", got, want)
						}
					})
				}
			}
			all.Wait()
		}
		asked := func(tokens, tickets int) {
			t.Helper()
			if got := [2]int{api.count("stable_token"), api.count("ticket/getticket")}; got != [2]int{tokens, tickets} {
				t.Errorf("asked for tokens and tickets %v times, want %d and %d", got, tokens, tickets)
			}
		}
		everybody(http.StatusOK)
		asked(1, 1)
		c.add(114 * time.Minute)
		everybody(http.StatusOK)
		asked(1, 1)
		c.add(90 * time.Second) // less than five minutes are left
		everybody(http.StatusOK)
		asked(2, 2)

		// WeChat takes the token no longer, and gives another one.
		c.add(116 * time.Minute)
		api.with(func() { api.token = ""; api.fail["ticket/getticket"] = []int{42001} })
		everybody(http.StatusOK)
		asked(5, 4) // renewed, and then twice: asked again WeChat gave the same, until it was told to make another

		// Somebody else had another one made: the one in the store is none any more. What
		// stable_token gives is that same one, until it is told to make another.
		c.add(116 * time.Minute)
		everybody(http.StatusOK)
		asked(6, 5)
		c.add(116 * time.Minute)
		api.with(func() { api.given = api.token; api.token = "ANOTHER" })
		everybody(http.StatusOK)
		asked(9, 7)
		api.with(func() { api.given = "" })

		// A busy server is asked again.
		c.add(116 * time.Minute)
		api.with(func() { api.fail["ticket/getticket"] = []int{-1, -1} })
		everybody(http.StatusOK)
		asked(10, 10)

		// While a renewal fails, the former one is good until its end. Nobody asks again
		// and again.
		c.add(116 * time.Minute)
		api.with(func() { api.fail["ticket/getticket"] = []int{45009, 45009, 45009} })
		everybody(http.StatusOK)
		asked(11, 11)
		c.add(5 * time.Minute)
		everybody(http.StatusServiceUnavailable)
		asked(11, 11)
		if !strings.Contains(log.String(), "the day's quota is used up") {
			t.Errorf("the log says not why: %s", tail(log.String(), 500))
		}
		c.add(6 * time.Minute)
		everybody(http.StatusServiceUnavailable)
		asked(11, 12)
		api.with(func() { clear(api.fail) })
		c.add(11 * time.Minute)
		everybody(http.StatusOK)
		asked(11, 13)

		// What only a person can mend is said once, and how.
		for code, remedy := range map[int]string{48001: "needs to be verified", 40164: "IP 白名单", 40125: "PAPERWIRE_WECHAT_SECRET"} {
			c.add(150 * time.Minute)
			n := api.count("stable_token")
			api.with(func() { api.token = ""; api.fail["stable_token"] = []int{code} })
			everybody(http.StatusServiceUnavailable)
			if got := api.count("stable_token") - n; got != 1 {
				t.Errorf("%d: asked %d times", code, got)
			}
			if !strings.Contains(log.String(), remedy) {
				t.Errorf("%d: %s", code, tail(log.String(), 500))
			}
		}
		for _, secret := range []string{wxSecret, "TOKEN_", "TICKET_"} {
			if strings.Contains(log.String(), secret) {
				t.Errorf("the log tells %s", secret)
			}
		}
	})
}

// The script and the signature as WeChat's own program takes them, from the page of an
// article and from another one; in another browser nothing happens at all.
func TestWechatShares(t *testing.T) {
	nodeModules(t)
	if _, err := os.Stat(os.Getenv("PAPERWIRE_NODE_MODULES") + "/weixin-js-sdk"); err != nil {
		t.Fatal("PAPERWIRE_NODE_MODULES has no weixin-js-sdk: run npm ci again")
	}
	x := newWechatHouse(t, "", newWechatAPI(t).URL)
	id := x.items(t, "all", paper.Window{})[0]
	type seen struct {
		Asked []struct {
			Name string
			Args map[string]any
		}
		Loaded, Fetched, Warnings []string
	}
	open := func(path, agent string) (s seen) {
		t.Helper()
		b, _ := json.Marshal(map[string]string{"page": x.url + path, "agent": agent})
		node(t, &s, b, "wechat.mjs", "share")
		return s
	}
	const phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.49(0x18003137) NetType/WIFI Language/zh_CN"
	if s := open("/a/"+id, "Mozilla/5.0 (iPhone) Safari/604.1"); len(s.Asked)+len(s.Loaded)+len(s.Fetched) > 0 {
		t.Errorf("outside WeChat: %+v", s)
	}
	for _, path := range []string{"/a/" + id, "/a/" + id + "?from=singlemessage&isappinstalled=0", "/all"} {
		s := open(path, phone)
		if len(s.Warnings) > 0 || !slices.Equal(s.Loaded, []string{"https://res.wx.qq.com/open/js/jweixin-1.6.0.js"}) || len(s.Asked) < 3 || s.Asked[0].Name != "preVerifyJSAPI" {
			t.Fatalf("%s: %+v", path, s)
		}
		v := s.Asked[0].Args
		want := fmt.Sprintf("%x", sha1.Sum([]byte(fmt.Sprintf("jsapi_ticket=TICKET_of_this_account&noncestr=%v&timestamp=%v&url=%s", v["verifyNonceStr"], v["verifyTimestamp"], x.url+path))))
		if v["verifySignature"] != want || v["verifyAppId"] != wxApp {
			t.Errorf("%s: %v, want %s", path, v, want)
		}
		got := map[string]map[string]any{}
		for _, a := range s.Asked {
			got[a.Name] = a.Args
		}
		message, timeline := got["updateAppMessageShareData"], got["updateTimelineShareData"]
		if path == "/all" {
			if message["link"] != x.url+"/all" || message["title"] == "" {
				t.Errorf("%s: %v", path, message)
			}
			continue
		}
		a, err := fetchURL(x.url + "/a/" + id + "/card.json")
		if err != nil {
			t.Fatal(err)
		}
		var c card.Document
		if err := json.Unmarshal(a.body, &c); err != nil {
			t.Fatal(err)
		}
		p := c.Platforms["wechat_share"].Payload.(map[string]any)
		for _, key := range []string{"title", "desc", "link", "imgUrl"} {
			if message[key] != p[key] || key != "desc" && timeline[key] != p[key] || p[key] == "" {
				t.Errorf("%s: %s: %v and %v, want %v", path, key, message[key], timeline[key], p[key])
			}
		}
		a, err = fetchURL(x.url + path)
		if err != nil || !strings.Contains(a.Header.Get("Content-Security-Policy"), "https://res.wx.qq.com") || !strings.Contains(a.Header.Get("Content-Security-Policy"), "connect-src 'self'") {
			t.Errorf("%s: %v %s", path, err, a.Header.Get("Content-Security-Policy"))
		}
	}
	if a, err := fetchURL(x.url + "/MP_verify_Abc123.txt"); err != nil || string(a.body) != "Abc123" {
		t.Errorf("the file for WeChat: %v %d %q", err, a.StatusCode, a.body)
	}
	for page, want := range map[string]int{"": http.StatusBadRequest, "https://evil.example/": http.StatusForbidden, x.url + "/": http.StatusOK} {
		if a, err := fetchURL(x.url + "/wechat/jssdk?url=" + url.QueryEscape(page)); err != nil || a.StatusCode != want {
			t.Errorf("%q: %v %d %s", page, err, a.StatusCode, a.body)
		}
	}
}

// Two programs of others understand what we encrypt, and we what they do.
func TestWechatOracles(t *testing.T) {
	nodeModules(t)
	t.Setenv("PAPERWIRE_WECHAT_TOKEN", wxToken)
	t.Setenv("PAPERWIRE_WECHAT_AESKEY", wxKey)
	x := newWechatHouse(t, "", newWechatAPI(t).URL)
	type box struct{ Encrypt, MsgSignature, TimeStamp, Nonce string }
	type task struct {
		Token   string   `json:"token"`
		Key     string   `json:"key"`
		App     string   `json:"app"`
		Encrypt []string `json:"encrypt"`
		Decrypt []box    `json:"decrypt"`
	}
	in := task{Token: wxToken, Key: wxKey, App: wxApp, Encrypt: []string{}, Decrypt: []box{}}
	for i, say := range []string{"今日", "要闻", "温县", "👨‍👩‍👧‍👦 𠮷野家", "a", strings.Repeat("长", 500), "]]&gt;", "x  y"} {
		for pad := range 5 { // every remainder that padding may meet comes up
			in.Encrypt = append(in.Encrypt, written(100*i+pad, say+strings.Repeat("。", pad)).xml())
		}
	}
	var out struct {
		Encrypted []box
		Decrypted [][2]string
	}
	b, _ := json.Marshal(in)
	node(t, &out, b, "wechat.mjs", "crypt")
	if len(out.Encrypted) != 2*len(in.Encrypt) {
		t.Fatal(len(out.Encrypted))
	}
	for i, e := range out.Encrypted {
		q := url.Values{
			"timestamp": {e.TimeStamp}, "nonce": {e.Nonce}, "signature": {wxSign(wxToken, e.TimeStamp, e.Nonce)},
			"encrypt_type": {"aes"}, "msg_signature": {e.MsgSignature},
		}
		status, answer := x.post(t, q, wxMessage{"ToUserName": "gh_account", "Encrypt": e.Encrypt}.xml())
		var r wxReply
		if err := xml.Unmarshal([]byte(answer), &r); status != http.StatusOK || err != nil {
			t.Fatalf("message %d: %d %s", i, status, answer)
		}
		in.Decrypt = append(in.Decrypt, box{r.Encrypt, r.MsgSignature, r.TimeStamp, r.Nonce})
	}
	in.Encrypt = []string{}
	b, _ = json.Marshal(in)
	node(t, &out, b, "wechat.mjs", "crypt")
	if len(out.Decrypted) != len(in.Decrypt) {
		t.Fatal(len(out.Decrypted))
	}
	for i, d := range out.Decrypted {
		var r wxReply
		if err := xml.Unmarshal([]byte(d[0]), &r); err != nil || d[0] != d[1] || r.FromUserName != "gh_account" {
			t.Errorf("answer %d: %v: %q and %q", i, err, d[0], d[1])
		}
	}
}

// An edition becomes a draft, once, whatever happens in between.
func TestWechatDraft(t *testing.T) {
	api := newWechatAPI(t)
	x := newWechatHouse(t, "", api.URL)
	edition := x.items(t, "all", paper.Window{Newest: true})
	var doc struct {
		Articles []struct {
			Title, Author, Digest, Content string
			Source                         string `json:"content_source_url"`
		}
	}
	a, err := fetchURL(x.url + "/feeds/all.wechat")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(a.body, &doc); err != nil || len(doc.Articles) != 8 {
		t.Fatalf("%v: %d articles", err, len(doc.Articles))
	}
	draft := func(args ...string) (string, error) {
		var out, log bytes.Buffer
		err := run(t.Context(), append([]string{"wechat", "draft", "--config", x.cfg, "--data", x.dir}, args...), nil, &out, &log)
		for _, secret := range []string{wxSecret, "TOKEN_"} {
			if strings.Contains(out.String()+log.String()+fmt.Sprint(err), secret) {
				t.Errorf("%v: it tells %s: %v\n%s%s", args, secret, err, &out, &log)
			}
		}
		return out.String(), err
	}
	count := func() (n int) { return api.count("media/uploadimg") + api.count("material/add_material") }

	out, err := draft("--dry-run")
	if err != nil || !strings.Contains(out, doc.Articles[0].Title) || !strings.Contains(out, "nothing was uploaded") || count()+api.count("stable_token") > 0 {
		t.Fatalf("dry run: %v, %d calls\n%s", err, count(), out)
	}

	// It fails in the middle, goes on, and uploads nothing twice.
	api.with(func() { api.fail["material/add_material"] = []int{0, 0, 45009} })
	out, err = draft()
	if err == nil || !strings.Contains(err.Error(), "45009") || !strings.Contains(err.Error(), "run it again") || api.left() != 0 {
		t.Fatalf("%v\n%s", err, out)
	}
	// Its token is taken no longer; WeChat leaves the draft and the answer is lost.
	api.with(func() { api.token = ""; api.hang["draft/add"] = 1 })
	if out, err = draft(); err == nil || api.left() != 1 {
		t.Fatalf("%v, %d drafts\n%s", err, api.left(), out)
	}
	uploaded := count()
	if out, err = draft(); err != nil || !strings.Contains(out, "DRAFT_1") || api.left() != 1 || count() != uploaded {
		t.Fatalf("%v, %d drafts, %d uploads after %d\n%s", err, api.left(), count(), uploaded, out)
	}
	if n := api.covers(); n != 8 {
		t.Errorf("%d covers", n)
	}
	if n := api.count("media/uploadimg"); n != api.shown() || n == 0 {
		t.Errorf("%d uploads of %d pictures", n, api.shown())
	}
	if out, err = draft("--scope", "all", "--edition", "newest", "--part", "1"); err != nil || !strings.Contains(out, "already") || api.left() != 1 {
		t.Fatalf("%v, %d drafts\n%s", err, api.left(), out)
	}
	articles := api.draft(0)
	for i, got := range articles {
		want := doc.Articles[i]
		if got["title"] != want.Title || got["author"] != want.Author || got["digest"] != want.Digest || got["content_source_url"] != want.Source+"?utm_source=wechat_draft&utm_medium=social&utm_campaign=demo-20260318" {
			t.Errorf("article %d: %v", i, got)
		}
		text := func(s string) string { return regexp.MustCompile(`<[^>]*>`).ReplaceAllString(s, "") }
		if text(got["content"].(string)) != text(want.Content) {
			t.Errorf("article %d has other words", i)
		}
	}

	// Another one when it is asked for; covers that were tidied away are uploaded again.
	api.with(func() { clear(api.materials) })
	if out, err = draft("--again"); err != nil || !strings.Contains(out, "DRAFT_2") || api.covers() != 8 {
		t.Fatalf("%v, %d covers\n%s", err, api.covers(), out)
	}
	if out, err = draft("--part", "2"); err != nil || !strings.Contains(out, "DRAFT_3") || strings.Contains(out, doc.Articles[0].Title) {
		t.Fatalf("%v\n%s", err, out)
	}
	// Who may not is told so.
	api.with(func() { api.fail["draft/add"] = []int{48001} })
	if out, err = draft("--again"); err == nil || !strings.Contains(err.Error(), "needs to be verified") || api.left() != 3 {
		t.Fatalf("%v\n%s", err, out)
	}
	// What was withdrawn is in no draft; a changed edition is another one.
	if _, err := x.ingest.Decide(t.Context(), paper.Decision{Article: edition[0], Action: paper.WithdrawHand, Who: "t"}); err != nil {
		t.Fatal(err)
	}
	if out, err = draft(); err != nil || !strings.Contains(out, "DRAFT_4") || strings.Contains(out, "1  "+doc.Articles[0].Title) {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, args := range [][]string{{"--part", "0"}, {"--edition", "soon"}, {"--scope", "nobody/x"}, {"--scope", "paper"}} {
		var usage usageError
		if out, err := draft(args...); !errors.As(err, &usage) {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
	for _, args := range [][]string{{"--scope", "paper/nobody"}, {"--edition", "1999-01-01"}, {"--part", "20"}} {
		if out, err := draft(args...); exitCode(err, io.Discard) != exitFailed {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
	if api.left() != 4 {
		t.Errorf("%d drafts", api.left())
	}
}

// Everything that is wrong with an account is named with its key, and nothing secret.
func TestWechatCheck(t *testing.T) {
	t.Setenv("PAPERWIRE_WECHAT_SECRET", wxSecret)
	t.Setenv("PAPERWIRE_WECHAT_AESKEY", "tooshortakey")
	problems := func(config string) string {
		t.Helper()
		file := filepath.Join(t.TempDir(), "paperwire.yaml")
		if err := os.WriteFile(file, []byte("wechat: "+config+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := loadConfig(overrides{file: file, data: t.TempDir()})
		text := fmt.Sprint(err)
		for _, secret := range []string{wxSecret, "tooshortakey"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s: it tells %s", config, secret)
			}
		}
		return text
	}
	for config, want := range map[string]string{
		`{}`:                               "wechat.appid: missing",
		`{appid: wx1}`:                     "EncodingAESKey",
		`{appid: wx1, app_id: x}`:          "wechat.app_id: unknown key: did you mean appid?",
		`{appid: wx1, token_file: nofile}`: "nofile",
		`{appid: wx1, domains: ["https://a.example"]}`:                     "wechat.domains[0]",
		`{appid: wx1, domains: ["a.example:80"]}`:                          "wechat.domains[0]",
		`{appid: wx1, menu: [{key: a, scope: nowhere}]}`:                   "wechat.menu[0].scope",
		`{appid: wx1, menu: [{key: a, scope: "section/b,a"}]}`:             "is written section/a,b",
		`{appid: wx1, menu: [{scope: all}]}`:                               "wechat.menu[0].key",
		`{appid: wx1, menu: [{key: a, scope: all}, {key: a, scope: all}]}`: "twice",
		`{appid: wx1, api: "api.weixin.qq.com"}`:                           "wechat.api",
	} {
		if got := problems(config); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", config, got, want)
		}
	}
	t.Setenv("PAPERWIRE_WECHAT_AESKEY", "")
	for config, want := range map[string]string{
		`{appid: wx1, verify: ../x.txt}`:                                           "MP_verify_Abc123.txt",
		`{appid: wx1, verify: MP_verify_Abc123.txt, menu: [{key: a, scope: all}]}`: "<nil>",
	} {
		if got := problems(config); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", config, got, want)
		}
	}
}
