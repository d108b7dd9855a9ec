package wechat

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/net/html"

	"paperwire/internal/paper"
	"paperwire/syndicate/card"
)

// Limits of what is uploaded and left.
const (
	maxUpload  = 1 << 20  // bytes of a picture in a body; less than
	maxThumb   = 64 << 10 // bytes of a JPEG that may be a thumb
	maxWidth   = 1080     // pixels that a picture which is drawn again keeps
	maxContent = 19_999   // UTF-16 units of a body
	maxSource  = 1024     // bytes of an address
	draftLease = 30 * time.Second
)

// Codes of WeChat's API about what was handed to it.
const (
	noMaterial   = 40007 // the cover is not there any more
	badKind      = 40005
	badSize      = 40006
	badPictureSz = 40009
	badPicture   = 40137
)

// listed is an article of the format wechat.
type listed struct {
	Title   string `json:"title"`
	Author  string `json:"author"`
	Digest  string `json:"digest"`
	Content string `json:"content"`
	Source  string `json:"content_source_url"`
	Cover   string `json:"cover_url"`
}

// drafting is an article as draft/add wants it.
type drafting struct {
	Title    string `json:"title"`
	Author   string `json:"author"`
	Digest   string `json:"digest"`
	Content  string `json:"content,omitempty"`
	Source   string `json:"content_source_url"`
	Cover    string `json:"thumb_media_id"`
	Comments int    `json:"need_open_comment"`
	Fans     int    `json:"only_fans_can_comment"`
}

// left is what is kept of a draft.
type left struct {
	Hash    string `json:"hash"`     // of the document that it was made of
	MediaID string `json:"media_id"` // empty where none was left yet
	// Pending is the hash of what was on its way when this was written: whether
	// WeChat has it is not known.
	Pending string `json:"pending,omitempty"`
}

func (a *Account) memo(parts ...string) string {
	return "wechat/" + a.o.AppID + "/" + strings.Join(parts, "/")
}

func (a *Account) draft(ctx context.Context, o DraftOptions) (Drafted, error) {
	scope, err := a.desk.Scope(ctx, o.Scope)
	if err != nil {
		return Drafted{}, err
	}
	o.Part = max(o.Part, 1)
	doc, day, partial, err := a.desk.Draft(ctx, scope, o.Day, o.Part)
	if err != nil {
		return Drafted{}, err
	}
	var list struct {
		Articles []listed `json:"articles"`
	}
	if err := json.Unmarshal(doc, &list); err != nil {
		return Drafted{}, fmt.Errorf("articles of %s: %w", scope, err)
	}
	out := Drafted{Day: day, Partial: partial}
	if len(list.Articles) == 0 {
		return out, fmt.Errorf("part %d of %s: no articles: %w", o.Part, scope, paper.ErrNotFound)
	}
	sum := sha256.Sum256(doc)
	hash := hex.EncodeToString(sum[:])
	name := a.memo("draft", short(scope.String(), string(day), strconv.Itoa(o.Part)))
	state, err := a.left(ctx, name)
	if err != nil {
		return out, err
	}
	if o.Dry || state.Hash == hash && state.MediaID != "" && state.Pending == "" && !o.Again {
		for _, l := range list.Articles {
			d := DraftedArticle{Title: l.Title, Length: units(l.Content)}
			if _, err := eachPicture(l.Content, func(string) (string, error) { d.Pictures++; return "", nil }); err != nil {
				return out, err
			}
			out.Articles = append(out.Articles, d)
		}
		if state.Hash == hash {
			out.MediaID, out.Already = state.MediaID, state.MediaID != ""
		}
		return out, nil
	}
	ctx, release, err := a.hold(ctx, name)
	if err != nil {
		return out, err
	}
	defer release()
	if state, err = a.left(ctx, name); err != nil {
		return out, err
	}
	made := make([]drafting, 0, len(list.Articles))
	for _, l := range list.Articles {
		d, r, err := a.prepare(ctx, l)
		if err != nil {
			return out, fmt.Errorf("article %q: %w", l.Title, err)
		}
		made, out.Articles = append(made, d), append(out.Articles, r)
	}
	if state.Pending == hash {
		// A run was ended while WeChat had it: is it there?
		if out.MediaID, err = a.findDraft(ctx, made, state.MediaID); err != nil {
			return out, err
		}
		out.Already = out.MediaID != ""
	}
	if out.MediaID == "" {
		state.Pending = hash
		if err := a.keep(ctx, name, state); err != nil {
			return out, err
		}
		if out.MediaID, err = a.addDraft(ctx, made, list.Articles); err != nil {
			if code(err) != 0 { // it says that it did not take it
				state.Pending = ""
				err = errors.Join(err, a.keep(ctx, name, state))
			}
			return out, err
		}
	}
	return out, a.keep(ctx, name, left{Hash: hash, MediaID: out.MediaID})
}

func (a *Account) left(ctx context.Context, name string) (l left, err error) {
	text, _, err := a.o.Store.Memo(ctx, name)
	if errors.Is(err, paper.ErrNotFound) {
		return l, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &l)
	}
	return l, err
}

func (a *Account) keep(ctx context.Context, name string, l left) error {
	b, _ := json.Marshal(l) // strings
	return a.o.Store.KeepMemo(context.WithoutCancel(ctx), name, string(b), time.Time{})
}

// hold keeps others from leaving the same draft, for as long as it takes.
func (a *Account) hold(ctx context.Context, name string) (context.Context, func(), error) {
	if err := a.o.Store.Acquire(ctx, name, a.o.Owner, draftLease); errors.Is(err, paper.ErrBusy) {
		return ctx, nil, fmt.Errorf("%w, or was ended within the last half minute", err)
	} else if err != nil {
		return ctx, nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(draftLease / 3)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if err := a.o.Store.Acquire(ctx, name, a.o.Owner, draftLease); err != nil {
					cancel(err)
				}
			}
		}
	}()
	return ctx, func() {
		cancel(nil)
		<-done
		if err := a.o.Store.Drop(context.WithoutCancel(ctx), name, a.o.Owner); err != nil {
			a.o.Log.Warn("wechat: end of a lease", "what", "draft", "error", err)
		}
	}, nil
}

// prepare uploads what an article shows.
func (a *Account) prepare(ctx context.Context, l listed) (drafting, DraftedArticle, error) {
	r := DraftedArticle{Title: l.Title}
	d := drafting{Title: l.Title, Author: l.Author, Digest: l.Digest, Source: l.Source}
	if marked := a.desk.Marked(ctx, l.Source); len(marked) <= maxSource {
		d.Source = marked
	}
	var err error
	if d.Cover, err = a.cover(ctx, l.Cover, false, &r); err != nil {
		return d, r, fmt.Errorf("cover: %w", err)
	}
	done := map[string]string{}
	d.Content, err = eachPicture(l.Content, func(src string) (string, error) {
		to, known := done[src]
		if !known {
			var err error
			if to, err = a.bodyPicture(ctx, src, &r); err != nil {
				return "", err
			}
			done[src] = to
		}
		if to != "" {
			r.Pictures++
		}
		return to, nil
	})
	// WeChat's addresses may be longer than ours: what was just within the limit may
	// be so no more. The last pictures go first.
	for err == nil && units(d.Content) > maxContent && r.Pictures > 0 {
		n := 0
		d.Content, err = eachPicture(d.Content, func(src string) (string, error) {
			if n++; n == r.Pictures {
				return "", nil
			}
			return src, nil
		})
		r.Pictures--
		r.Problems = append(r.Problems, "the last picture is left out: the body would be too long")
	}
	if err == nil && !strings.ContainsFunc(textOf(d.Content), unicode.IsLetter) && !strings.Contains(d.Content, "<img") {
		// A picture and its caption were all there was: WeChat takes no empty body.
		d.Content = "<p>" + html.EscapeString(cmp.Or(textOf(l.Content), l.Digest, l.Title)) + "</p>"
	}
	r.Length = units(d.Content)
	return d, r, err
}

// textOf is the text of HTML, on one line.
func textOf(content string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(content))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return strings.Join(strings.Fields(b.String()), " ")
		case html.TextToken:
			b.Write(z.Text())
			b.WriteByte(' ')
		}
	}
}

// eachPicture writes HTML with other addresses of its pictures; one that gets none is
// taken out, with the section that it begins: its caption.
func eachPicture(content string, to func(src string) (string, error)) (string, error) {
	if !strings.Contains(content, "<img") {
		return content, nil
	}
	b := make([]byte, 0, len(content)+256)
	section := -1 // where one begins, as the last thing written
	skipped := 0  // sections that are open in what is taken out
	z := html.NewTokenizer(strings.NewReader(content))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			return string(b), nil // the end: the text is in memory
		}
		raw := string(z.Raw()) // Token moves on
		t := z.Token()
		if skipped > 0 {
			switch {
			case t.Data != "section":
			case kind == html.StartTagToken:
				skipped++
			case kind == html.EndTagToken:
				skipped--
			}
			continue
		}
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken || t.Data != "img" {
			if section = -1; kind == html.StartTagToken && t.Data == "section" {
				section = len(b)
			}
			b = append(b, raw...)
			continue
		}
		i := slices.IndexFunc(t.Attr, func(a html.Attribute) bool { return a.Key == "src" })
		if i < 0 {
			continue
		}
		src, err := to(t.Attr[i].Val)
		if err != nil {
			return "", err
		}
		switch t.Attr[i].Val = src; {
		case src != "":
			b = append(b, t.String()...)
		case section >= 0:
			b, skipped = b[:section], 1
		}
		section = -1
	}
}

// bodyPicture uploads a picture of a body; its address is empty where it is left out.
func (a *Account) bodyPicture(ctx context.Context, src string, r *DraftedArticle) (string, error) {
	data, kind, err := a.fitting(ctx, src)
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if err != nil {
		r.Problems = append(r.Problems, fmt.Sprintf("picture %s is left out: %v", src, err))
		return "", nil
	}
	sum := sha256.Sum256(data)
	name := a.memo("picture", hex.EncodeToString(sum[:]))
	if to, _, err := a.o.Store.Memo(ctx, name); !errors.Is(err, paper.ErrNotFound) {
		return to, err
	}
	var got struct {
		URL string `json:"url"`
	}
	err = a.call(ctx, "media/uploadimg", nil, upload(fileName(kind), kind, data), &got)
	switch code(err) {
	case badKind, badSize, badPictureSz, badPicture:
		r.Problems = append(r.Problems, fmt.Sprintf("picture %s is left out: %v", src, err))
		return "", nil
	}
	if err == nil && got.URL == "" {
		err = errors.New("wechat media/uploadimg: its answer has no address")
	}
	if err != nil {
		return "", err
	}
	r.Uploaded++
	return got.URL, a.o.Store.KeepMemo(ctx, name, got.URL, time.Time{})
}

// cover uploads a cover for ever and gives its id; again, even where it was before.
func (a *Account) cover(ctx context.Context, src string, again bool, r *DraftedArticle) (string, error) {
	data, kind, err := a.fitting(ctx, src)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	name := a.memo("cover", hex.EncodeToString(sum[:]))
	if !again {
		if id, _, err := a.o.Store.Memo(ctx, name); !errors.Is(err, paper.ErrNotFound) {
			return id, err
		}
	}
	as := "image" // a thumb may only be small; both may be covers
	if kind == "image/jpeg" && len(data) <= maxThumb {
		as = "thumb"
	}
	var got struct {
		ID string `json:"media_id"`
	}
	err = a.call(ctx, "material/add_material", url.Values{"type": {as}}, upload(fileName(kind), kind, data), &got)
	if err == nil && got.ID == "" {
		err = errors.New("wechat material/add_material: its answer has no id")
	}
	if err != nil {
		return "", err
	}
	r.Uploaded++
	return got.ID, a.o.Store.KeepMemo(ctx, name, got.ID, time.Time{})
}

func fileName(kind string) string {
	if kind == "image/png" {
		return "picture.png"
	}
	return "picture.jpg"
}

// fitting gets a picture as WeChat takes it: JPEG or PNG of less than 1 MB. What is
// otherwise is drawn again.
func (a *Account) fitting(ctx context.Context, src string) (data []byte, kind string, err error) {
	data, _, ours, err := a.desk.Picture(ctx, src)
	if err == nil && !ours {
		if a.o.Fetch == nil {
			return nil, "", errors.New("there is no copy of it")
		}
		data, _, err = a.o.Fetch(ctx, src)
	}
	if err != nil {
		return nil, "", err
	}
	kind = http.DetectContentType(data) // what servers say of it is often wrong
	if (kind == "image/jpeg" || kind == "image/png") && len(data) < maxUpload {
		return data, kind, nil
	}
	photo, err := card.OpenPhoto(data, kind)
	if err != nil {
		return nil, "", err
	}
	data, err = photo.Shrunk(maxWidth, maxUpload/2)
	return data, "image/jpeg", err
}

// addDraft leaves the draft. Where a cover is gone, because somebody tidied up the
// account's materials, all are uploaded again.
func (a *Account) addDraft(ctx context.Context, made []drafting, list []listed) (string, error) {
	for again := false; ; again = true {
		var got struct {
			ID string `json:"media_id"`
		}
		err := a.call(ctx, "draft/add", nil, jsonOf(map[string]any{"articles": made}), &got)
		if code(err) == noMaterial && !again {
			var r DraftedArticle
			for i := range made {
				if made[i].Cover, err = a.cover(ctx, list[i].Cover, true, &r); err != nil {
					return "", err
				}
			}
			continue
		}
		if err == nil && got.ID == "" {
			err = errors.New("wechat draft/add: its answer has no id")
		}
		return got.ID, err
	}
}

// findDraft looks for a draft of these articles among the newest ones of the account;
// not is one that is not meant.
func (a *Account) findDraft(ctx context.Context, made []drafting, not string) (string, error) {
	var got struct {
		Items []struct {
			ID      string `json:"media_id"`
			Content struct {
				Articles []drafting `json:"news_item"`
			} `json:"content"`
		} `json:"item"`
	}
	if err := a.call(ctx, "draft/batchget", nil, jsonOf(map[string]int{"offset": 0, "count": 20, "no_content": 1}), &got); err != nil {
		return "", err
	}
draft:
	for _, d := range got.Items {
		if d.ID == not || len(d.Content.Articles) != len(made) {
			continue
		}
		for i, x := range d.Content.Articles {
			if m := made[i]; x.Title != m.Title || x.Source != m.Source || x.Cover != m.Cover {
				continue draft
			}
		}
		return d.ID, nil
	}
	return "", nil
}

// units counts characters as UTF-16 does, the strictest way that a server may.
func units(s string) int {
	n := 0
	for _, r := range s {
		if n++; r > 0xffff {
			n++
		}
	}
	return n
}
