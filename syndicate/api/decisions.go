package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"paperwire/internal/paper"
)

type operatorKey struct{}

// onlyOperator answers who does not carry the operator key, before anything is
// said of what he sent.
func onlyOperator(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		if ok, _ := ctx.Context().Value(operatorKey{}).(bool); ok {
			next(ctx)
			return
		}
		ctx.SetHeader("WWW-Authenticate", `Bearer realm="paperwire"`)
		ctx.SetHeader("Cache-Control", "no-store")
		_ = huma.WriteErr(api, ctx, http.StatusUnauthorized, "this needs the operator key: send Authorization: Bearer KEY or Paperwire-Key: KEY") // he hung up
	}
}

// secure describes the operator key.
func secure(api huma.API) {
	api.OpenAPI().Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"operator": {Type: "http", Scheme: "bearer", Description: "The operator key; Paperwire-Key: KEY does as well."},
	}
}

// operation is one that only the operator may call.
func operation(api huma.API, id, method, path, summary, description string, status int) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, Description: description, DefaultStatus: status,
		Security: []map[string][]string{{"operator": {}}}, Middlewares: huma.Middlewares{onlyOperator(api)}, MaxBodyBytes: 16 << 10,
		Errors: []int{
			http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound, http.StatusConflict,
			http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusServiceUnavailable,
		},
	}
}

// trueAnswers takes from the description what the operator's operations never answer.
func trueAnswers(api huma.API) {
	for _, item := range api.OpenAPI().Paths {
		for _, o := range []*huma.Operation{item.Get, item.Post, item.Patch, item.Delete} {
			if o == nil || len(o.Security) == 0 {
				continue
			}
			delete(o.Responses, "422") // see init
			if o.RequestBody == nil {
				delete(o.Responses, "413")
				delete(o.Responses, "415")
			}
		}
	}
}

// registerDecisions registers what editors do.
func (s *server) registerDecisions(api huma.API) {
	secure(api)
	const path = "/api/v1/articles/{id}/decisions"
	huma.Register(api, operation(api, "decide", http.MethodPost, path, "Refile, withdraw, restore or hold an article",
		"Stands above rules, tagger and publisher, at every later look too. Neither published nor updated moves by a refiling; a withdrawal and a restoration are told to who had the article.", http.StatusOK), s.decide)
	huma.Register(api, operation(api, "listDecisions", http.MethodGet, path, "What editors did to an article, newest first", "", http.StatusOK), s.decisions)
	trueAnswers(api)
}

type decideIn struct {
	ID   string `path:"id" maxLength:"128" example:"jzrb-20260317-279424" doc:"The article's id"`
	Body struct {
		Action    string   `json:"action" enum:"refile,withdraw,restore,hold" doc:"hold keeps back what is not out yet; restore undoes a withdrawal or a hold"`
		Districts []string `json:"districts,omitempty" maxItems:"40" doc:"refile: codes, names or slugs, or one of city, elsewhere, none, rules; absent leaves them"`
		Sections  []string `json:"sections,omitempty" maxItems:"40" doc:"refile: slugs, slug=name for a new one, or one of none, rules; absent leaves them"`
		Who       string   `json:"who,omitempty" maxLength:"100" doc:"Who decided, for the log"`
		Why       string   `json:"why,omitempty" maxLength:"1000" doc:"The reason, for the log"`
	}
}

type decideOut struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		ID     string   `json:"id"`
		Title  string   `json:"title"`
		Left   []string `json:"left" nullable:"false" doc:"Parts of scopes that it left"`
		Joined []string `json:"joined" nullable:"false" doc:"Parts of scopes that it joined"`
	}
}

func (s *server) decide(ctx context.Context, in *decideIn) (*decideOut, error) {
	d := paper.Decision{Article: in.ID, Action: paper.Action(in.Body.Action), Districts: in.Body.Districts, Sections: in.Body.Sections, Who: in.Body.Who, Why: in.Body.Why}
	if d.Who == "" {
		d.Who = "operator"
	}
	moved, err := s.Editor.Decide(ctx, d)
	if errors.Is(err, paper.ErrDecision) {
		return nil, huma.Error409Conflict(err.Error())
	} else if err != nil {
		return nil, s.problem("article", err)
	}
	out := &decideOut{CacheControl: "no-store"}
	out.Body.ID, out.Body.Title = moved.ID, moved.Title
	out.Body.Left, out.Body.Joined = append([]string{}, moved.Left...), append([]string{}, moved.Joined...)
	return out, nil
}

type decisionsIn struct {
	ID string `path:"id" maxLength:"128" example:"jzrb-20260317-279424" doc:"The article's id"`
}

type decisionsOut struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Decisions []paper.Decision `json:"decisions" nullable:"false"`
	}
}

func (s *server) decisions(ctx context.Context, in *decisionsIn) (*decisionsOut, error) {
	list, err := s.Editor.Decisions(ctx, in.ID, 200)
	if err != nil {
		return nil, s.problem("decisions", err)
	}
	if len(list) == 0 {
		if _, err := s.Data.Item(ctx, viewOf(ctx), in.ID); err != nil && !errors.Is(err, paper.ErrGone) {
			return nil, s.problem("decisions", err)
		}
	}
	out := &decisionsOut{CacheControl: "no-store"}
	out.Body.Decisions = append([]paper.Decision{}, list...)
	return out, nil
}
