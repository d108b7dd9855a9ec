package api

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"paperwire/internal/paper"
)

// version is that of the API, not of the program: it moves when fields join.
const version = "1.0.0"

type viewKey struct{}

// wants says how to write a parameter that was refused, by its place and name.
var wants = map[string]string{
	"query.limit":         "write a number from 1 to 200",
	"query.day":           "write it like 2017-09-07",
	"query.full":          "write true or false",
	"query.before":        "pass the next of a list as it came",
	"query.changed_since": "write an instant like 2017-09-07T08:00:00+08:00, or pass the next of a list as it came",
	"query.scope":         "at most 2000 characters",
	"path.id":             "at most 128 characters",
	"path.paper":          "at most 24 characters",
	"path.day":            "write it like 2017-09-07",
}

func init() {
	// huma answers a wrong parameter with 422 and words about schemas; here as in
	// the feeds a mistake is a 400 that says how to write it. This variable is the
	// place that huma has for it.
	problem := huma.NewError
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		if status != http.StatusUnprocessableEntity {
			return problem(status, msg, errs...)
		}
		for _, err := range errs {
			var d *huma.ErrorDetail
			if !errors.As(err, &d) {
				continue
			}
			_, name, _ := strings.Cut(d.Location, ".")
			if name == "" { // of a body as a whole: its value is no text to give back
				msg = d.Location + ": " + d.Message
				break
			}
			switch d.Value.(type) {
			case map[string]any, []any: // of an object that has something that it should not
				msg = name + ": " + cmp.Or(wants[d.Location], d.Message)
			default:
				value := []rune(fmt.Sprint(d.Value))
				msg = fmt.Sprintf("%s %q: %s", name, string(value[:min(len(value), 40)]), cmp.Or(wants[d.Location], d.Message))
			}
			break // one is enough to go on with
		}
		return problem(http.StatusBadRequest, msg)
	}
}

// server answers the operations.
type server struct{ Options }

func build(o Options) (http.Handler, error) {
	s := &server{o}
	config := huma.DefaultConfig(o.Title, version)
	// huma's $schema links carry the Host of the request into every body, and its
	// documentation page loads a script from elsewhere: both are off. The
	// description is made once, below, because huma makes it without a lock.
	config.CreateHooks = nil
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.Info.Description = "Articles of newspaper editions, by paper, section and district. " +
		"The same as in the feeds under " + o.Base + "/feeds/. Reading needs no key; what editors do needs the operator's."
	config.Servers = []*huma.Server{{URL: o.Base}}

	mux := http.NewServeMux()
	api := humago.New(mux, config)
	register(api, "listArticles", "/api/v1/articles", "Articles, newest first", s.articles)
	register(api, "getArticle", "/api/v1/articles/{id}", "One article; 410 when it has been withdrawn", s.article, http.StatusGone)
	register(api, "listCards", "/api/v1/cards", "Cards that changed, oldest change first: what platforms should read again", s.cards)
	register(api, "listScopes", "/api/v1/scopes", "What there is a feed of", s.scopes)
	register(api, "listSources", "/api/v1/sources", "How the sources fare", s.sources)
	register(api, "getEdition", "/api/v1/editions/{paper}/{day}", "One edition with its pages", s.edition)
	if o.Editor != nil {
		s.registerDecisions(api)
	}
	if o.Push != nil {
		s.registerWebhooks(api)
	}
	description, err := json.Marshal(api.OpenAPI())
	if err != nil {
		return nil, fmt.Errorf("write openapi: %w", err)
	}
	mux.HandleFunc("GET /api/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		w.Write(description)
	})
	no := func(w http.ResponseWriter, status int, why string) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(huma.NewError(status, why))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		// The mux itself would answer another method in plain text.
		var allow []string
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			if _, pattern := mux.Handler(&http.Request{Method: method, Host: r.Host, URL: r.URL}); pattern != "/" {
				allow = append(allow, method)
			}
		}
		if allow == nil {
			no(w, http.StatusNotFound, "no such path: see "+o.Base+"/api/openapi.json")
			return
		}
		w.Header().Set("Allow", strings.Join(append(allow, http.MethodOptions), ", "))
		no(w, http.StatusMethodNotAllowed, "there are "+strings.Join(allow, ", "))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", "ETag, Link")
		h.Set("Cache-Control", "public, max-age=60")
		h.Set("X-Content-Type-Options", "nosniff")
		if _, err := url.ParseQuery(r.URL.RawQuery); err != nil { // what is dropped of it would ask for more
			no(w, http.StatusBadRequest, "the query cannot be read: write name=value, joined by &, with %XX for what is special")
			return
		}
		ctx := context.WithValue(r.Context(), viewKey{}, o.View(r))
		ctx = context.WithValue(ctx, operatorKey{}, o.Operator != nil && o.Operator(r))
		mux.ServeHTTP(w, r.WithContext(ctx))
	}), nil
}

func register[In, Out any](api huma.API, id, path, summary string, do func(context.Context, *In) (*Out, error), also ...int) {
	huma.Register(api, huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: path, Summary: summary,
		Errors: append(also, http.StatusBadRequest, http.StatusNotFound, http.StatusTooManyRequests, http.StatusServiceUnavailable),
	}, do)
	delete(api.OpenAPI().Paths[path].Get.Responses, "422") // see init
}

func viewOf(ctx context.Context) paper.View { return ctx.Value(viewKey{}).(paper.View) }

// problem maps an error to its answer. What is unknown is "internal error"
// outside, and in the log with all it says.
func (s *server) problem(doing string, err error) error {
	var scope *paper.ScopeError
	switch {
	case errors.As(err, &scope):
		return huma.Error400BadRequest(scope.Reason)
	case errors.Is(err, paper.ErrGone):
		return huma.Error410Gone("withdrawn by its publisher")
	case errors.Is(err, paper.ErrNotFound):
		return huma.Error404NotFound(doing + ": not found")
	}
	s.Log.Error("answer api", "doing", doing, "error", err)
	return huma.ErrorWithHeaders(huma.Error503ServiceUnavailable("the store cannot be read at the moment: try again"),
		http.Header{"Retry-After": {"10"}, "Cache-Control": {"no-store"}})
}

type articlesIn struct {
	Scope  string `query:"scope" default:"all" maxLength:"2000" example:"district/410825" doc:"What the articles are about, as in the URL of a feed: all, or parts in the order paper, section, district, page, -section, -district"`
	Day    string `query:"day" pattern:"^\\d{4}-\\d{2}-\\d{2}$" example:"2017-09-07" doc:"Only the editions of this day, in page order and all of them: limit and before do not apply"`
	Q      string `query:"q" maxLength:"200" example:"山药 丰收" doc:"Words that must all occur, at most four of at most 32 characters; not with day"`
	Before string `query:"before" maxLength:"200" doc:"Continue a list: the next of the page before it"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"Articles a page"`
	Full   bool   `query:"full" doc:"With text and html, as far as the rights go"`
}

type articlesOut struct {
	Link string `header:"Link"`
	Body struct {
		Scope    string    `json:"scope" doc:"The scope in its canonical form"`
		Articles []article `json:"articles" nullable:"false"`
		Next     string    `json:"next,omitempty" doc:"Pass it as before to continue; absent at the end"`
	}
}

// beginning of a list: later than everything. A window that continues a list
// holds no notices, and so neither does the first page.
var beginning = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

func (s *server) articles(ctx context.Context, in *articlesIn) (*articlesOut, error) {
	scope, err := s.Scope(ctx, in.Scope)
	if err != nil {
		return nil, s.scopeProblem(err)
	}
	w := paper.Window{Limit: in.Limit, Before: beginning}
	if in.Q != "" {
		if w.Query, err = s.Words(in.Q); err != nil {
			return nil, s.scopeProblem(err)
		}
	}
	switch {
	case in.Day != "" && in.Q != "":
		return nil, huma.Error400BadRequest("q with day: a search is of all days; take one of them")
	case in.Day != "":
		day, err := paper.ParseDay(in.Day)
		if err != nil {
			return nil, huma.Error400BadRequest(err.Error())
		}
		w = paper.Window{Day: day}
	case in.Before != "":
		if w.Before, w.BeforeID, err = parseCursor(in.Before); err != nil {
			return nil, huma.Error400BadRequest(err.Error())
		}
	}
	if w.Day == "" {
		w.Limit++ // whether there is a next page
	}
	items, err := s.Data.Items(ctx, viewOf(ctx), scope, w)
	if err != nil {
		return nil, s.problem("articles", err)
	}
	more := w.Day == "" && len(items) > in.Limit
	if more {
		items = items[:in.Limit]
	}
	out := &articlesOut{}
	out.Body.Scope = scope.String()
	out.Body.Articles = make([]article, len(items))
	for i, it := range items {
		out.Body.Articles[i] = s.tell(it, in.Full)
	}
	if more {
		last := items[len(items)-1]
		out.Body.Next = cursor(last.Published, last.ID)
		q := url.Values{"scope": {out.Body.Scope}, "limit": {strconv.Itoa(in.Limit)}, "before": {out.Body.Next}}
		if in.Full {
			q.Set("full", "true")
		}
		if in.Q != "" {
			q.Set("q", strings.Join(w.Query, " "))
		}
		out.Link = "<" + s.Base + "/api/v1/articles?" + q.Encode() + `>; rel="next"`
	}
	return out, nil
}

// scopeProblem maps an error of reading a scope; one that is not found says
// what, because the caller wrote it.
func (s *server) scopeProblem(err error) error {
	if errors.Is(err, paper.ErrNotFound) {
		return huma.Error404NotFound(err.Error())
	}
	return s.problem("scope", err)
}

// A cursor is the published instant and the id of the last article of a page.
func cursor(at time.Time, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(at.Unix(), 10) + " " + id))
}

func parseCursor(s string) (time.Time, string, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	at, id, ok := strings.Cut(string(b), " ")
	seconds, e := strconv.ParseInt(at, 10, 64)
	if err != nil || e != nil || !ok || id == "" || seconds < 0 || seconds >= beginning.Unix() {
		return time.Time{}, "", errors.New("before: pass the next of a list as it came")
	}
	return time.Unix(seconds, 0).UTC(), id, nil
}

type articleIn struct {
	ID string `path:"id" maxLength:"128" example:"jzrb-20170907-1_2"`
}

type articleOut struct{ Body article }

func (s *server) article(ctx context.Context, in *articleIn) (*articleOut, error) {
	it, err := s.Data.Item(ctx, viewOf(ctx), in.ID)
	if err == nil && it.State == paper.Withdrawn {
		err = paper.ErrGone
	}
	if err != nil {
		return nil, s.problem("article", err)
	}
	return &articleOut{s.tell(it, true)}, nil
}

type scopesOut struct {
	Body struct {
		Scopes []scopeInfo `json:"scopes" nullable:"false"`
	}
}

type scopeInfo struct {
	Scope string `json:"scope" example:"district/410825"`
	Name  string `json:"name" example:"温县"`
	Count int    `json:"count" doc:"Released articles in it"`
	Last  string `json:"last,omitempty" doc:"Newest edition day in it"`
	Feed  string `json:"feed" doc:"Its feed as RSS; the other formats end in .atom and .json"`
	Page  string `json:"page" doc:"Its page for people"`
}

func (s *server) scopes(ctx context.Context, _ *struct{}) (*scopesOut, error) {
	list, err := s.Data.Scopes(ctx, viewOf(ctx))
	if err != nil {
		return nil, s.problem("scopes", err)
	}
	out := &scopesOut{}
	out.Body.Scopes = make([]scopeInfo, len(list))
	for i, x := range list {
		if x.Part == "all" && x.Name == "" {
			x.Name = s.Title
		}
		if code, ok := strings.CutPrefix(x.Part, "district/"); ok && x.Name == "" {
			if d, ok := s.Names.Division(code); ok {
				x.Name = d.Name
			}
		}
		out.Body.Scopes[i] = scopeInfo{
			Scope: x.Part, Name: x.Name, Count: x.Count, Last: string(x.Last),
			Feed: s.Base + "/feeds/" + x.Part + ".rss", Page: s.Base + "/" + x.Part,
		}
	}
	return out, nil
}

type sourcesOut struct {
	Body struct {
		Sources []source `json:"sources" nullable:"false"`
	}
}

type source struct {
	Key      string     `json:"key"`
	Paper    string     `json:"paper"`
	Name     string     `json:"name"`
	Platform string     `json:"platform"`
	URL      string     `json:"url" doc:"Without credentials and parameters"`
	State    string     `json:"state" enum:"ok,partial,waiting,alarm,failing,blocked,retired"`
	Problem  string     `json:"problem,omitempty"`
	Since    *time.Time `json:"since,omitempty" doc:"When the state began"`
	Checked  *time.Time `json:"checked,omitempty" doc:"Last successful look at the publisher"`
	Due      *time.Time `json:"due,omitempty" doc:"Next look"`
	Edition  string     `json:"edition,omitempty" doc:"Newest edition known"`
	Listed   int        `json:"listed" doc:"Articles the newest edition lists"`
	Read     int        `json:"read"`
	Failed   int        `json:"failed"`
	Articles int        `json:"articles" doc:"Released articles in all"`
}

func (s *server) sources(ctx context.Context, _ *struct{}) (*sourcesOut, error) {
	list, err := s.Data.Health(ctx)
	if err != nil {
		return nil, s.problem("sources", err)
	}
	out := &sourcesOut{}
	out.Body.Sources = make([]source, len(list))
	for i, h := range list {
		out.Body.Sources[i] = source{
			Key: h.Source, Paper: h.Paper, Name: h.Name, Platform: h.Platform, URL: bare(h.URL), State: h.State, Problem: h.Problem,
			Since: instant(h.Since), Checked: instant(h.Checked), Due: instant(h.Due),
			Edition: string(h.Edition), Listed: h.Listed, Read: h.Read, Failed: h.Failed, Articles: h.Articles,
		}
	}
	return out, nil
}

// bare is a URL without what may be secret in it: user, password, parameters.
func bare(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return ""
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

type editionIn struct {
	Paper string `path:"paper" maxLength:"24"`
	Day   string `path:"day" maxLength:"10" example:"2017-09-07"`
}

type editionOut struct{ Body edition }

type edition struct {
	Paper    string        `json:"paper"`
	Day      string        `json:"day"`
	URL      string        `json:"url,omitempty" doc:"The publisher's first page"`
	Page     string        `json:"page" doc:"Its page for people"`
	State    string        `json:"state" enum:"partial,complete,corrected" doc:"complete: every article listed so far has been read; corrected: and one has changed since. While it is uploaded more may come: see the event edition.complete"`
	Articles int           `json:"articles"`
	Previous string        `json:"previous,omitempty" doc:"The day of the edition before it"`
	Next     string        `json:"next,omitempty"`
	Pages    []editionPage `json:"pages" nullable:"false"`
}

type editionPage struct {
	Number  string `json:"number"`
	Name    string `json:"name"`
	URL     string `json:"url,omitempty"`
	Picture string `json:"picture,omitempty" doc:"The page's picture: our own copy where there is one"`
	Width   int    `json:"width,omitempty" doc:"Of our copy, in pixels"`
	Height  int    `json:"height,omitempty"`
	PDF     string `json:"pdf,omitempty"`
	Listed  int    `json:"listed"`
	Read    int    `json:"read"`
	Failed  int    `json:"failed"`
	Areas   []area `json:"areas" nullable:"false" doc:"Where its articles stand on the picture"`
}

type area struct {
	Article string `json:"article" doc:"Id of the article"`
	Shape   string `json:"shape" enum:"rect,poly,circle"`
	Coords  string `json:"coords" example:"40,170,330,550" doc:"As in an image map of HTML: pixels of our copy, or of the picture that the publisher's page shows"`
}

func (s *server) edition(ctx context.Context, in *editionIn) (*editionOut, error) {
	day, err := paper.ParseDay(in.Day)
	if err != nil {
		return nil, huma.Error400BadRequest(err.Error())
	}
	e, err := s.Data.Edition(ctx, viewOf(ctx), in.Paper, day)
	if err != nil {
		return nil, s.problem("edition", err)
	}
	out := &editionOut{edition{
		Paper: e.Paper, Day: string(e.Day), URL: e.URL, Page: s.Base + "/editions/" + e.Paper + "/" + string(e.Day),
		State: string(e.State), Articles: e.Articles, Previous: string(e.Previous), Next: string(e.Next), Pages: make([]editionPage, len(e.Pages)),
	}}
	for i, p := range e.Pages {
		one := editionPage{
			Number: p.Number, Name: p.Name, URL: p.URL, Picture: p.Picture, PDF: p.PDF,
			Listed: p.Listed, Read: p.Read, Failed: p.Failed, Areas: make([]area, len(p.Areas)),
		}
		if p.Mirror != nil {
			one.Width, one.Height = p.Mirror.Width, p.Mirror.Height
		}
		for j, a := range p.Areas {
			one.Areas[j] = area{a.Article, a.Shape, a.Coords}
		}
		out.Body.Pages[i] = one
	}
	return out, nil
}
