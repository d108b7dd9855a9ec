package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"paperwire/internal/paper"
	"paperwire/syndicate/push"
)

// registerWebhooks registers what the operator does with webhooks.
func (s *server) registerWebhooks(api huma.API) {
	secure(api)
	const all, one = "/api/v1/webhooks", "/api/v1/webhooks/{id}"
	huma.Register(api, operation(api, "createWebhook", http.MethodPost, all, "Register a webhook",
		"It gets what happens from now on, in the Standard Webhooks form. The secret is told in this answer and never again.", http.StatusCreated), s.createWebhook)
	huma.Register(api, operation(api, "listWebhooks", http.MethodGet, all, "All webhooks", "", http.StatusOK), s.listWebhooks)
	huma.Register(api, operation(api, "getWebhook", http.MethodGet, one, "One webhook, and how it fares", "", http.StatusOK), s.getWebhook)
	huma.Register(api, operation(api, "updateWebhook", http.MethodPatch, one, "Change a webhook",
		"What is absent stays as it is. One that was paused and is live goes on where it stood; what waits is tried at once. So does one that was gone, where state or another url is sent.", http.StatusOK), s.updateWebhook)
	huma.Register(api, operation(api, "deleteWebhook", http.MethodDelete, one, "Delete a webhook", "With its deliveries and dead letters.", http.StatusNoContent), s.deleteWebhook)
	huma.Register(api, operation(api, "rotateWebhookSecret", http.MethodPost, one+"/secret", "Give a webhook another secret",
		"The former one signs too for a day.", http.StatusOK), s.rotateSecret)
	huma.Register(api, operation(api, "testWebhook", http.MethodPost, one+"/test", "Send a message of type test now", "", http.StatusOK), s.testWebhook)
	huma.Register(api, operation(api, "listDeliveries", http.MethodGet, one+"/deliveries", "What was sent, newest first",
		"The last 1000 tries, none older than 30 days.", http.StatusOK), s.deliveries)
	huma.Register(api, operation(api, "listDeadLetters", http.MethodGet, one+"/dead-letters", "Events that it did not get, in order", "Kept for 30 days.", http.StatusOK), s.deadLetters)
	huma.Register(api, operation(api, "resendDeadLetter", http.MethodPost, one+"/dead-letters/{event}", "Send one dead letter again now",
		"As the article stands by now. It is forgotten when it arrives.", http.StatusOK), s.resend)
	huma.Register(api, operation(api, "replayWebhook", http.MethodPost, one+"/replay", "Send everything again from a cursor or an instant",
		"With the ids it had. It reaches back 30 days.", http.StatusOK), s.replay)
	huma.Register(api, operation(api, "listReceivers", http.MethodGet, "/api/v1/receivers", "Everybody who is pushed to, and how they fare",
		"Subscriptions at the hub, webhooks, chat robots, pings; by id.", http.StatusOK), s.receivers)
	huma.Register(api, operation(api, "listReceiverDeliveries", http.MethodGet, "/api/v1/receivers/{id}/deliveries", "What a webhook, robot or ping was sent, newest first",
		"The last 1000 tries, none older than 30 days. Those of subscriptions are not kept.", http.StatusOK), s.deliveries)
	trueAnswers(api)
}

// pushProblem maps an error of the pushes; what is wrong with the request is for
// the operator to read.
func (s *server) pushProblem(err error) error {
	if errors.Is(err, push.ErrRequest) {
		return huma.Error409Conflict(err.Error())
	}
	return s.problem("webhook", err)
}

type webhook struct {
	ID          string     `json:"id"`
	URL         string     `json:"url"`
	Host        string     `json:"host"`
	Scope       string     `json:"scope" example:"district/410825"`
	Events      []string   `json:"events" nullable:"false" doc:"Empty: all"`
	Description string     `json:"description,omitempty"`
	Patience    int64      `json:"patience" doc:"Seconds for which an event is tried before it goes to the dead letters"`
	State       string     `json:"state" enum:"live,paused,gone" doc:"gone: it answered 410"`
	Cursor      string     `json:"cursor" doc:"Behind the last event that it has"`
	Problem     string     `json:"problem,omitempty" doc:"Of the last try; absent after a success"`
	Attempts    int        `json:"attempts" doc:"Failed tries of what it gets next"`
	Since       *time.Time `json:"failing_since,omitempty"`
	Retry       *time.Time `json:"next_try,omitempty"`
	Rotated     *time.Time `json:"former_secret_until,omitempty"`
	Created     time.Time  `json:"created"`
	Secret      string     `json:"secret,omitempty" doc:"Told once: when it is made"`
}

func tellWebhook(w push.Webhook) webhook {
	r := w.Receiver
	out := webhook{
		ID: r.ID, URL: w.URL, Host: r.Host, Scope: w.Scope, Events: make([]string, len(w.Events)), Description: w.Description, Patience: int64(w.Patience / time.Second),
		State: string(r.State), Cursor: push.WriteCursor(r.Cursor), Problem: r.Problem, Attempts: r.Attempts,
		Since: instant(r.Since), Retry: instant(r.Retry), Rotated: instant(w.Rotated), Created: r.Created.UTC().Truncate(time.Second),
	}
	for i, k := range w.Events {
		out.Events[i] = string(k)
	}
	return out
}

type webhookOut struct {
	CacheControl string `header:"Cache-Control"`
	Body         webhook
}

func told(w push.Webhook) *webhookOut { return &webhookOut{"no-store", tellWebhook(w)} }

func kinds(list []string) (out []paper.EventKind) {
	for _, k := range list {
		out = append(out, paper.EventKind(k))
	}
	return out
}

type createWebhookIn struct {
	Body struct {
		URL         string   `json:"url" maxLength:"2048" example:"https://n8n.example.cn/webhook/paperwire"`
		Scope       string   `json:"scope,omitempty" default:"all" maxLength:"2000" doc:"As in the URL of a feed"`
		Events      []string `json:"events,omitempty" maxItems:"10" doc:"article.published, article.corrected, article.withdrawn, article.refiled, edition.complete; absent: all"`
		Description string   `json:"description,omitempty" maxLength:"200"`
		Patience    int64    `json:"patience,omitempty" minimum:"1" maximum:"86400" default:"86400" doc:"Seconds for which an event is tried before it goes to the dead letters"`
	}
}

func (s *server) createWebhook(ctx context.Context, in *createWebhookIn) (*webhookOut, error) {
	w, secret, err := s.Push.CreateWebhook(ctx, push.WebhookSpec{
		URL: in.Body.URL, Scope: in.Body.Scope, Events: kinds(in.Body.Events), Description: in.Body.Description, Patience: time.Duration(in.Body.Patience) * time.Second,
	})
	if errors.Is(err, push.ErrRequest) {
		return nil, huma.Error400BadRequest(err.Error())
	} else if err != nil {
		return nil, s.pushProblem(err)
	}
	out := told(w)
	out.Body.Secret = secret
	return out, nil
}

type webhooksOut struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Webhooks []webhook `json:"webhooks" nullable:"false"`
	}
}

func (s *server) listWebhooks(ctx context.Context, _ *struct{}) (*webhooksOut, error) {
	list, err := s.Push.Webhooks(ctx)
	if err != nil {
		return nil, s.pushProblem(err)
	}
	out := &webhooksOut{CacheControl: "no-store"}
	out.Body.Webhooks = make([]webhook, len(list))
	for i, w := range list {
		out.Body.Webhooks[i] = tellWebhook(w)
	}
	return out, nil
}

type webhookIn struct {
	ID string `path:"id" maxLength:"40" example:"wh_0123456789abcdef01"`
}

func (s *server) getWebhook(ctx context.Context, in *webhookIn) (*webhookOut, error) {
	w, err := s.Push.Webhook(ctx, in.ID)
	if err != nil {
		return nil, s.pushProblem(err)
	}
	return told(w), nil
}

type updateWebhookIn struct {
	ID   string `path:"id" maxLength:"40"`
	Body struct {
		URL         *string   `json:"url,omitempty" maxLength:"2048"`
		Scope       *string   `json:"scope,omitempty" maxLength:"2000"`
		Events      *[]string `json:"events,omitempty" maxItems:"10"`
		Description *string   `json:"description,omitempty" maxLength:"200"`
		Patience    *int64    `json:"patience,omitempty" minimum:"1" maximum:"86400"`
		State       *string   `json:"state,omitempty" enum:"live,paused"`
	}
}

func (s *server) updateWebhook(ctx context.Context, in *updateWebhookIn) (*webhookOut, error) {
	w, err := s.Push.UpdateWebhook(ctx, in.ID, func(spec *push.WebhookSpec) {
		b := in.Body
		if b.URL != nil {
			spec.URL = *b.URL
		}
		if b.Scope != nil {
			spec.Scope = *b.Scope
		}
		if b.Events != nil {
			spec.Events = kinds(*b.Events)
		}
		if b.Description != nil {
			spec.Description = *b.Description
		}
		if b.Patience != nil {
			spec.Patience = time.Duration(*b.Patience) * time.Second
		}
		if b.State != nil {
			spec.Paused, spec.Gone = *b.State == "paused", false
		}
	})
	if errors.Is(err, push.ErrRequest) {
		return nil, huma.Error400BadRequest(err.Error())
	} else if err != nil {
		return nil, s.pushProblem(err)
	}
	return told(w), nil
}

func (s *server) deleteWebhook(ctx context.Context, in *webhookIn) (*struct{}, error) {
	if err := s.Push.DeleteWebhook(ctx, in.ID); err != nil {
		return nil, s.pushProblem(err)
	}
	return nil, nil
}

type secretOut struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Secret string    `json:"secret" doc:"Told this once"`
		Until  time.Time `json:"former_secret_until"`
	}
}

func (s *server) rotateSecret(ctx context.Context, in *webhookIn) (*secretOut, error) {
	secret, until, err := s.Push.RotateSecret(ctx, in.ID)
	if err != nil {
		return nil, s.pushProblem(err)
	}
	out := &secretOut{CacheControl: "no-store"}
	out.Body.Secret, out.Body.Until = secret, until
	return out, nil
}

type delivery struct {
	N       int64     `json:"n" doc:"Counts the tries of this webhook; pass it as before to see older ones"`
	Event   string    `json:"event" doc:"The webhook-id of the message"`
	Type    string    `json:"type"`
	At      time.Time `json:"at"`
	Took    int64     `json:"took_ms"`
	Status  int       `json:"status" doc:"HTTP status; 0 where there was no answer"`
	Problem string    `json:"problem,omitempty" doc:"Absent where it was received"`
}

func tellDelivery(d paper.Delivery) delivery {
	return delivery{d.N, d.Event, string(d.Kind), d.At.UTC(), d.Took.Milliseconds(), d.Status, d.Problem}
}

type deliveryOut struct {
	CacheControl string `header:"Cache-Control"`
	Body         delivery
}

func (s *server) testWebhook(ctx context.Context, in *webhookIn) (*deliveryOut, error) {
	d, err := s.Push.TestWebhook(ctx, in.ID)
	if err != nil {
		return nil, s.pushProblem(err)
	}
	return &deliveryOut{"no-store", tellDelivery(d)}, nil
}

type receiver struct {
	ID       string     `json:"id"`
	Kind     string     `json:"kind" enum:"subscription,intent,webhook,robot,ping" doc:"intent: a request to the hub that is not verified yet"`
	Scope    string     `json:"scope,omitempty"`
	Host     string     `json:"host"`
	State    string     `json:"state" enum:"live,paused,gone"`
	Cursor   string     `json:"cursor" doc:"Behind the last event that it has"`
	Problem  string     `json:"problem,omitempty" doc:"Of the last try; absent after a success"`
	Attempts int        `json:"attempts" doc:"Failed tries of what it gets next"`
	Since    *time.Time `json:"failing_since,omitempty"`
	Retry    *time.Time `json:"next_try,omitempty"`
	Expires  *time.Time `json:"expires,omitempty" doc:"When it ends unless it is renewed: the lease of a subscription, a robot or ping that stands in no configuration any more"`
}

type receiversIn struct {
	Kind  string `query:"kind" enum:"subscription,intent,webhook,robot,ping" doc:"Only those"`
	After string `query:"after" maxLength:"80" doc:"The id of the last one seen"`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"200"`
}

type receiversOut struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Receivers []receiver `json:"receivers" nullable:"false"`
	}
}

func (s *server) receivers(ctx context.Context, in *receiversIn) (*receiversOut, error) {
	list, err := s.Push.Receivers(ctx, paper.ReceiverKind(in.Kind), in.After, in.Limit)
	if err != nil {
		return nil, s.pushProblem(err)
	}
	out := &receiversOut{CacheControl: "no-store"}
	out.Body.Receivers = make([]receiver, len(list))
	for i, r := range list {
		out.Body.Receivers[i] = receiver{
			ID: r.ID, Kind: string(r.Kind), Scope: r.Scope, Host: r.Host, State: string(r.State), Cursor: push.WriteCursor(r.Cursor), Problem: r.Problem,
			Attempts: r.Attempts, Since: instant(r.Since), Retry: instant(r.Retry), Expires: instant(r.Expires),
		}
	}
	return out, nil
}

type deliveriesIn struct {
	ID     string `path:"id" maxLength:"80"`
	Before int64  `query:"before" minimum:"0" doc:"The n of the last one seen"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type deliveriesOut struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Deliveries []delivery `json:"deliveries" nullable:"false"`
	}
}

func (s *server) deliveries(ctx context.Context, in *deliveriesIn) (*deliveriesOut, error) {
	list, err := s.Push.Deliveries(ctx, in.ID, in.Before, in.Limit)
	if err != nil {
		return nil, s.pushProblem(err)
	}
	out := &deliveriesOut{CacheControl: "no-store"}
	out.Body.Deliveries = make([]delivery, len(list))
	for i, d := range list {
		out.Body.Deliveries[i] = tellDelivery(d)
	}
	return out, nil
}

type deadLetter struct {
	Event    string    `json:"event" doc:"The webhook-id of the message"`
	Type     string    `json:"type"`
	Article  string    `json:"article,omitempty"`
	Paper    string    `json:"paper"`
	Day      string    `json:"day,omitempty"`
	Happened time.Time `json:"happened"`
	GivenUp  time.Time `json:"given_up"`
	Attempts int       `json:"attempts"`
	Problem  string    `json:"problem" doc:"Of the last try"`
	Cursor   string    `json:"cursor" doc:"Pass it as after to see later ones"`
}

type deadLettersIn struct {
	ID    string `path:"id" maxLength:"40"`
	After string `query:"after" maxLength:"60" doc:"The cursor of the last one seen"`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type deadLettersOut struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		DeadLetters []deadLetter `json:"dead_letters" nullable:"false"`
	}
}

func (s *server) deadLetters(ctx context.Context, in *deadLettersIn) (*deadLettersOut, error) {
	var after paper.Cursor
	if in.After != "" {
		var err error
		if after, _, err = push.ReadCursor(in.After); err != nil {
			return nil, huma.Error400BadRequest(err.Error())
		}
	}
	list, err := s.Push.DeadLetters(ctx, in.ID, after, in.Limit)
	if err != nil {
		return nil, s.pushProblem(err)
	}
	out := &deadLettersOut{CacheControl: "no-store"}
	out.Body.DeadLetters = make([]deadLetter, len(list))
	for i, d := range list {
		e := d.Event
		out.Body.DeadLetters[i] = deadLetter{e.ID(), string(e.Kind), e.Article, e.Paper, string(e.Day), e.At.UTC(), d.At.UTC(), d.Attempts, d.Problem, push.WriteCursor(e.Cursor())}
	}
	return out, nil
}

type resendIn struct {
	ID    string `path:"id" maxLength:"40"`
	Event string `path:"event" maxLength:"60" example:"evt_42_3_tc2yvc"`
}

func (s *server) resend(ctx context.Context, in *resendIn) (*deliveryOut, error) {
	d, err := s.Push.Resend(ctx, in.ID, in.Event)
	if err != nil {
		return nil, s.pushProblem(err)
	}
	return &deliveryOut{"no-store", tellDelivery(d)}, nil
}

type replayIn struct {
	ID   string `path:"id" maxLength:"40"`
	Body struct {
		Cursor string    `json:"cursor,omitempty" maxLength:"60" doc:"Of a message: what follows it comes again"`
		Since  time.Time `json:"since,omitempty" doc:"Instead of a cursor: what happened from then on"`
	}
}

func (s *server) replay(ctx context.Context, in *replayIn) (*webhookOut, error) {
	if (in.Body.Cursor == "") == in.Body.Since.IsZero() {
		return nil, huma.Error400BadRequest("send either cursor or since")
	}
	var to *paper.Cursor
	since := in.Body.Since
	if in.Body.Cursor != "" {
		c, at, err := push.ReadCursor(in.Body.Cursor)
		if err != nil {
			return nil, huma.Error400BadRequest(err.Error())
		}
		to, since = &c, at
	}
	w, err := s.Push.Replay(ctx, in.ID, to, since)
	if err != nil {
		return nil, s.pushProblem(err)
	}
	return told(w), nil
}
