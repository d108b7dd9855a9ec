// Package wechat is a WeChat account (公众号): what its servers ask of us, and what we
// ask of them. Pages get the signature with which they share as a card (JS-SDK),
// followers get answers to what they write, and an editor gets an edition as a draft
// (草稿), which is never published from here.
//
// The account's token and ticket, what was uploaded and which messages were answered
// are kept in the store, so that any number of processes are one account.
package wechat

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"paperwire/internal/paper"
	"paperwire/syndicate/card"
)

// Store is what all processes share; the store satisfies it.
type Store interface {
	// Memo gives a value and until when it holds; the error is [paper.ErrNotFound].
	Memo(ctx context.Context, name string) (value string, until time.Time, err error)
	// KeepMemo keeps a value until an instant, for ever where that is zero.
	KeepMemo(ctx context.Context, name, value string, until time.Time) error
	// FirstMemo keeps a value unless there is one, and gives the one that stands.
	FirstMemo(ctx context.Context, name, value string, until time.Time) (stands string, err error)
	// Acquire takes or renews a lease; the error is [paper.ErrBusy].
	Acquire(ctx context.Context, name, owner string, ttl time.Duration) error
	// Drop gives a lease back.
	Drop(ctx context.Context, name, owner string) error
}

// Desk is where articles come from; syndicate satisfies it. Everything it gives has
// passed the gate for the public view.
type Desk interface {
	Items(ctx context.Context, s paper.Scope, w paper.Window) ([]paper.Item, error)
	Item(ctx context.Context, id string) (paper.Item, error)
	Card(it paper.Item) card.Document
	// Scope reads a scope as somebody wrote it. The error is a *[paper.ScopeError], or
	// [paper.ErrNotFound] where it names something that nobody knows.
	Scope(ctx context.Context, written string) (paper.Scope, error)
	// Section is the section of a name, whatever marks are in it; the error is
	// [paper.ErrNotFound].
	Section(ctx context.Context, name string) (paper.Scope, error)
	// Words reads what somebody searches for; the error is a *[paper.ScopeError].
	Words(q string) ([]string, error)
	// Known are names of districts and of sections that hold something, those with
	// the most first, n of each at most.
	Known(ctx context.Context, n int) (districts, sections []string, err error)
	// Draft is the document in the format wechat of an edition day, of the newest for
	// the empty one, with the day that it is of; part counts from 1. partial: more of
	// the edition is to come.
	Draft(ctx context.Context, s paper.Scope, day paper.Day, part int) (doc []byte, of paper.Day, partial bool, err error)
	// Marked is the address of a share page with the mark of a draft for statistics;
	// any other address stays as it is.
	Marked(ctx context.Context, address string) string
	// Picture gives the bytes of a picture that we serve; ok is false for addresses of
	// others. The errors are [paper.ErrNotFound] and [paper.ErrGone].
	Picture(ctx context.Context, url string) (data []byte, kind string, ok bool, err error)
}

// MenuKey says what a button of the account's menu (type click) shows.
type MenuKey struct {
	Key   string // EventKey of the button
	Scope string // as in the URL of a feed
}

// DefaultAPI is where WeChat's API is.
const DefaultAPI = "https://api.weixin.qq.com"

// Options configure an account. AppID, Secret, Token and AESKey come from the
// environment or files, and never reach a log or an error.
type Options struct {
	Store Store
	// Client reaches the API: it follows no redirect and has a timeout.
	Client *http.Client
	API    string // where the API is, without a trailing slash; default [DefaultAPI]
	AppID  string
	Secret string // AppSecret; empty: only messages are answered
	Token  string // of the callback server; empty: there is none
	// AESKey is the EncodingAESKey, 43 characters. With it only encrypted messages are
	// taken (安全模式, 兼容模式); without it plain ones (明文模式).
	AESKey string
	Base   string // our own address, without a trailing slash
	// Domains are the hosts of pages that may be signed for: the account's JS 接口安全域名.
	// The host of Base is always one.
	Domains []string
	Menu    []MenuKey
	// Verify is the name of the file by which WeChat finds out whose a domain is, such
	// as MP_verify_Abc123.txt; empty: none.
	Verify string
	Owner  string // names this process in leases
	// Fetch gets a publisher's picture for a draft; nil: those that we have no copy of
	// are left out.
	Fetch func(ctx context.Context, url string) (data []byte, kind string, err error)
	Log   *slog.Logger
	Now   func() time.Time
	Rand  io.Reader // default crypto/rand
}

// Account is safe for concurrent use.
type Account struct {
	o       Options
	desk    Desk
	key     []byte // of AES; nil where messages come plain
	domains map[string]bool
	menu    map[string]string
	token   *shared
	ticket  *shared
}

// New makes an account; it starts nothing and asks nobody. [Account.Attach] must be
// called before anything else.
func New(o Options) (*Account, error) {
	if o.AppID == "" {
		return nil, errors.New("the AppID is missing")
	}
	if o.API == "" {
		o.API = DefaultAPI
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Verify != "" && !verifyName.MatchString(o.Verify) {
		return nil, errors.New("the file for verifying a domain is not named like one: MP_verify_Abc123.txt")
	}
	a := &Account{o: o, domains: map[string]bool{}, menu: map[string]string{}}
	if o.AESKey != "" {
		key, err := base64.StdEncoding.DecodeString(o.AESKey + "=")
		if err != nil || len(key) != 32 {
			return nil, errors.New("the EncodingAESKey has not the form of one: 43 letters and digits")
		}
		a.key = key
	}
	base, err := url.Parse(o.Base)
	if err != nil {
		return nil, errors.New("the base URL is none")
	}
	for _, d := range append([]string{base.Hostname()}, o.Domains...) {
		a.domains[strings.ToLower(d)] = true
	}
	for _, m := range o.Menu {
		a.menu[m.Key] = m.Scope
	}
	a.token = newShared(a, "token", a.askToken)
	a.ticket = newShared(a, "ticket", a.askTicket)
	return a, nil
}

// Attach names where articles come from.
func (a *Account) Attach(d Desk) { a.desk = d }

// Signs reports whether pages can be signed for.
func (a *Account) Signs() bool { return a.o.Secret != "" }

// Answers reports whether messages can be answered.
func (a *Account) Answers() bool { return a.o.Token != "" }

var verifyName = regexp.MustCompile(`^MP_verify_([A-Za-z0-9]{1,64})\.txt$`)

// VerifyFile is the path and the text of the file that proves to WeChat that a domain
// is ours; ok is false where there is none.
func (a *Account) VerifyFile() (path, text string, ok bool) {
	m := verifyName.FindStringSubmatch(a.o.Verify)
	if m == nil {
		return "", "", false
	}
	return "/" + m[0], m[1], true
}

// ServeConfig answers GET /wechat/jssdk?url=: what wx.config wants on a page.
func (a *Account) ServeConfig(w http.ResponseWriter, r *http.Request) { a.serveConfig(w, r) }

// ServeScript answers GET /wechat/share.js.
func (a *Account) ServeScript(w http.ResponseWriter, r *http.Request) { serveScript(w, r) }

// ServeCallback answers /wechat/callback: what WeChat's servers send us.
func (a *Account) ServeCallback(w http.ResponseWriter, r *http.Request) { a.serveCallback(w, r) }

// DraftOptions say which articles become a draft.
type DraftOptions struct {
	Scope string    // as in the URL of a feed
	Day   paper.Day // empty: the newest edition
	Part  int       // eight articles at a time, from 1; 0 means 1
	Dry   bool      // upload and leave nothing
	Again bool      // make another draft of what there is one of
}

// Drafted is what came of it.
type Drafted struct {
	Day      paper.Day
	Articles []DraftedArticle
	MediaID  string // of the draft; empty after a dry run
	Already  bool   // it had been left before
	Partial  bool   // more of the edition is to come
}

// DraftedArticle is one article of a draft.
type DraftedArticle struct {
	Title    string
	Length   int // of its body, in UTF-16 units
	Pictures int // in its body
	Uploaded int // of them, and of its cover, that had to be uploaded
	Problems []string
}

// Draft leaves articles as a draft in the account; it never publishes. What was
// uploaded is remembered, so that a run that was ended goes on where it was.
func (a *Account) Draft(ctx context.Context, o DraftOptions) (Drafted, error) { return a.draft(ctx, o) }

// CodeError is what WeChat's API says it did not do.
type CodeError struct {
	Op   string // draft/add
	Code int    // errcode
	Text string // errmsg
}

func (e *CodeError) Error() string { return e.say() }
