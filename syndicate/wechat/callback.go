package wechat

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"paperwire/internal/paper"
)

const (
	patience   = 4500 * time.Millisecond // WeChat waits for five seconds
	maxMessage = 64 << 10                // bytes
	// answered is for how long an answer stands. WeChat asks three times within
	// fifteen seconds.
	answered = 10 * time.Minute
)

// message is what WeChat's servers send. What it says of itself is believed only once
// its signature was checked.
type message struct {
	ToUserName   string
	FromUserName string
	CreateTime   string
	MsgType      string
	MsgID        string `xml:"MsgId"`
	Content      string
	Event        string
	EventKey     string
	Encrypt      string
}

// serveCallback answers /wechat/callback.
func (a *Account) serveCallback(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	q := r.URL.Query()
	stamp, nonce := q.Get("timestamp"), q.Get("nonce")
	if !same(q.Get("signature"), signature(a.o.Token, stamp, nonce)) {
		problem(w, r, http.StatusForbidden, "the signature is not WeChat's")
		return
	}
	if r.Method != http.MethodPost {
		// Whoever sets up the account has it checked that this is the right address.
		text(w, q.Get("echostr"))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
	if err != nil {
		problem(w, r, http.StatusRequestEntityTooLarge, "a message has at most 64 KB")
		return
	}
	var m message
	if err := xml.Unmarshal(body, &m); err != nil {
		problem(w, r, http.StatusBadRequest, "the message is no XML")
		return
	}
	encrypted := q.Get("encrypt_type") == "aes"
	switch {
	case encrypted && a.key == nil:
		a.o.Log.Error("wechat: messages come encrypted: set PAPERWIRE_WECHAT_AESKEY, or choose 明文模式")
		problem(w, r, http.StatusForbidden, "there is no key for encrypted messages")
		return
	case !encrypted && a.key != nil:
		// The signature of a plain one does not cover what it says.
		a.o.Log.Error("wechat: messages come plain: choose 安全模式, or unset PAPERWIRE_WECHAT_AESKEY")
		problem(w, r, http.StatusForbidden, "only encrypted messages are taken")
		return
	case encrypted:
		plain := ""
		if same(q.Get("msg_signature"), signature(a.o.Token, stamp, nonce, m.Encrypt)) {
			plain, err = decrypt(a.key, a.o.AppID, m.Encrypt)
		} else {
			err = errCrypt
		}
		if err == nil {
			m = message{}
			err = xml.Unmarshal([]byte(plain), &m)
		}
		if err != nil {
			problem(w, r, http.StatusForbidden, "the message is not one for this account")
			return
		}
	}
	if m.FromUserName == "" || m.CreateTime == "" {
		problem(w, r, http.StatusBadRequest, "the message says not from whom it is, or when")
		return
	}
	reply := a.reply(r.Context(), m)
	if reply == "" {
		text(w, "success")
		return
	}
	if encrypted {
		if reply, err = a.sealed(reply); err != nil {
			a.o.Log.Error("wechat: encrypt an answer", "error", err)
			text(w, "success")
			return
		}
	}
	h.Set("Content-Type", "text/xml; charset=utf-8")
	io.WriteString(w, reply)
}

func text(w http.ResponseWriter, s string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, s)
}

// sealed is an answer as the secure mode wants it.
func (a *Account) sealed(reply string) (string, error) {
	nonce, err := a.nonce()
	if err != nil {
		return "", err
	}
	box, err := encrypt(a.key, a.o.Rand, a.o.AppID, reply)
	if err != nil {
		return "", err
	}
	stamp := strconv.FormatInt(a.o.Now().Unix(), 10)
	return "<xml><Encrypt>" + cdata(box) + "</Encrypt><MsgSignature>" + cdata(signature(a.o.Token, stamp, nonce, box)) +
		"</MsgSignature><TimeStamp>" + stamp + "</TimeStamp><Nonce>" + cdata(nonce) + "</Nonce></xml>", nil
}

// reply is the answer to a message within the time that WeChat waits; empty for none.
// What takes longer is finished all the same, so that it stands when WeChat asks again.
func (a *Account) reply(ctx context.Context, m message) string {
	done := make(chan string, 1)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*patience)
	go func() {
		defer cancel()
		defer func() {
			if p := recover(); p != nil {
				a.o.Log.Error("wechat: panic while answering", "panic", p, "stack", string(debug.Stack()))
				done <- ""
			}
		}()
		reply, err := a.answer(ctx, m)
		if err != nil {
			a.o.Log.Error("wechat: answer a message", "type", m.MsgType, "event", m.Event, "error", err)
			reply = ""
		}
		done <- reply
	}()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case reply := <-done:
		return reply
	case <-late.C:
		a.o.Log.Warn("wechat: no answer in time", "type", m.MsgType, "event", m.Event)
		return ""
	}
}

// answer is what a message is answered with. What was answered once is answered so
// again: WeChat repeats a message whose answer it did not get.
func (a *Account) answer(ctx context.Context, m message) (string, error) {
	name := "wechat/" + a.o.AppID + "/answer/"
	if m.MsgID != "" {
		name += short("message", m.FromUserName, m.MsgID)
	} else {
		name += short("event", m.FromUserName, m.CreateTime, m.Event, m.EventKey)
	}
	var s saying
	kept, _, err := a.o.Store.Memo(ctx, name)
	if errors.Is(err, paper.ErrNotFound) {
		if s, err = a.understand(ctx, m); err != nil {
			return "", err
		}
		b, _ := json.Marshal(s) // strings
		kept, err = a.o.Store.FirstMemo(ctx, name, string(b), a.o.Now().Add(answered))
	}
	if err != nil {
		return "", err
	}
	stands := saying{have: s.have}
	if err := json.Unmarshal([]byte(kept), &stands); err != nil {
		return "", fmt.Errorf("answer of before: %w", err)
	}
	return a.write(ctx, m, stands)
}

// write is an answer as XML. Articles that were not just read are asked for now, so
// that what was withdrawn meanwhile is not among them.
func (a *Account) write(ctx context.Context, m message, s saying) (string, error) {
	var items strings.Builder
	n := 0
	for _, id := range s.Articles {
		it, err := a.item(ctx, s, id)
		if errors.Is(err, paper.ErrNotFound) || errors.Is(err, paper.ErrGone) || err == nil && it.State != paper.Live {
			continue
		}
		if err != nil {
			return "", err
		}
		card := a.desk.Card(it)
		fields, _ := card.Platforms["wechat_reply"].Payload.(map[string]string)
		if fields == nil {
			continue
		}
		picture := fields["PicUrl"]
		if n > 0 && card.Images.R1x1 != nil { // only the first is shown large
			picture = card.Images.R1x1.URL
		}
		items.WriteString("<item><Title>" + cdata(fields["Title"]) + "</Title><Description>" + cdata(fields["Description"]) +
			"</Description><PicUrl>" + cdata(picture) + "</PicUrl><Url>" + cdata(fields["Url"]) + "</Url></item>")
		n++
	}
	head := "<xml><ToUserName>" + cdata(m.FromUserName) + "</ToUserName><FromUserName>" + cdata(m.ToUserName) +
		"</FromUserName><CreateTime>" + strconv.FormatInt(a.o.Now().Unix(), 10) + "</CreateTime>"
	switch {
	case n > 0:
		return head + "<MsgType>" + cdata("news") + "</MsgType><ArticleCount>" + strconv.Itoa(n) + "</ArticleCount><Articles>" + items.String() + "</Articles></xml>", nil
	case s.Text != "":
		return head + "<MsgType>" + cdata("text") + "</MsgType><Content>" + cdata(s.Text) + "</Content></xml>", nil
	case len(s.Articles) > 0:
		return head + "<MsgType>" + cdata("text") + "</MsgType><Content>" + cdata("这篇稿件已被撤回。") + "</Content></xml>", nil
	}
	return "", nil
}

func (a *Account) item(ctx context.Context, s saying, id string) (paper.Item, error) {
	if i := slices.IndexFunc(s.have, func(it paper.Item) bool { return it.ID == id }); i >= 0 {
		return s.have[i], nil
	}
	return a.desk.Item(ctx, id)
}

// cdata writes text that XML 1.0 may hold, whatever it is (§2.2, §2.7).
func cdata(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return "<![CDATA[" + strings.ReplaceAll(s, "]]>", "]]]]><![CDATA[>") + "]]>"
}
