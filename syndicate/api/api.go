// Package api is /api/v1: the same articles as the feeds hold, for programs
// that want to ask, and the editor's hand for who has the operator key. It is
// described by /api/openapi.json.
package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"paperwire/internal/paper"
	"paperwire/syndicate/push"
)

// Data is what the API tells; the store satisfies it. Every answer has passed
// the gate for the view it was asked for.
type Data interface {
	Items(ctx context.Context, v paper.View, s paper.Scope, w paper.Window) ([]paper.Item, error)
	// Item gives paper.ErrNotFound, or paper.ErrGone for a withdrawn article.
	Item(ctx context.Context, v paper.View, id string) (paper.Item, error)
	// Changed are the items whose present version came to be behind a place in the
	// order of changes, oldest first, n at most.
	Changed(ctx context.Context, v paper.View, seq int64, id string, n int) ([]paper.Change, error)
	// OutboxAt is a place in the change sequence behind all that was visible before an instant.
	OutboxAt(ctx context.Context, at time.Time) (paper.Cursor, error)
	Scopes(ctx context.Context, v paper.View) ([]paper.ScopeInfo, error)
	Edition(ctx context.Context, v paper.View, paperKey string, day paper.Day) (paper.Edition, error)
	Health(ctx context.Context) ([]paper.Health, error)
}

// Names gives divisions their names; place.Gazetteer satisfies it.
type Names interface {
	Division(code string) (paper.Division, bool)
}

// Editor carries out what editors decide; ingest.Ingest satisfies it. Errors:
// paper.ErrNotFound, and paper.ErrDecision with what is wrong.
type Editor interface {
	Decide(ctx context.Context, d paper.Decision) (paper.Refiled, error)
	// Decisions are those on an article, or all for "": the newest n, newest first.
	Decisions(ctx context.Context, article string, n int) ([]paper.Decision, error)
}

// Options configure the API.
type Options struct {
	Base  string // scheme and host without a trailing slash
	Title string // of the installation
	Data  Data
	Names Names
	// View says who is looking.
	View func(*http.Request) paper.View
	// Scope reads a scope as somebody wrote it. Its errors are shown as they
	// are: *paper.ScopeError as 400, one that wraps paper.ErrNotFound as 404.
	Scope func(ctx context.Context, written string) (paper.Scope, error)
	// Words reads the words of a search; its errors are *paper.ScopeError.
	Words func(q string) ([]string, error)
	Log   *slog.Logger
	// Editor is nil where nobody may change anything.
	Editor Editor
	// Push is nil where there are no webhooks.
	Push *push.Dispatch
	// Operator reports whether a request carries the operator key.
	Operator func(*http.Request) bool
}

// New makes the handler of everything below /api/. What it does not know it
// answers with problem+json (RFC 9457).
func New(o Options) (http.Handler, error) { return build(o) }

// Article is an item as the API tells it, with its body: a JSON object. base is our
// own address without a trailing slash.
func Article(base string, it paper.Item) (json.RawMessage, error) {
	s := server{Options{Base: base}}
	return json.Marshal(s.tell(it, true))
}

// WebhookPatterns are the operations on webhooks that change something, as patterns
// of http.ServeMux.
func WebhookPatterns() []string {
	const all, one = "/api/v1/webhooks", "/api/v1/webhooks/{id}"
	return []string{
		"POST " + all, "PATCH " + one, "DELETE " + one, "POST " + one + "/secret", "POST " + one + "/test",
		"POST " + one + "/replay", "POST " + one + "/dead-letters/{event}",
	}
}
