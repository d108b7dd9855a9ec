package api

import (
	"context"
	"encoding/base64"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"paperwire/internal/paper"
)

type cardsIn struct {
	Since string `query:"changed_since" maxLength:"200" example:"2017-09-07T08:00:00+08:00" doc:"Changes from this instant on; or those behind a list: its next. Without it from the beginning, and so for an instant before what is kept of the log of changes, 30 days"`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"Cards a page"`
}

type cardsOut struct {
	Link string `header:"Link"`
	Body struct {
		Cards []changedCard `json:"cards" nullable:"false"`
		Next  string        `json:"next" doc:"Pass it as changed_since to continue, now or later"`
		More  bool          `json:"more" doc:"There is more already"`
	}
}

// changedCard names a card and says which one it is now.
type changedCard struct {
	ID       string `json:"id"`
	Revision int    `json:"revision" doc:"1 at first release, one more for each correction"`
	State    string `json:"state" enum:"live,withdrawn" doc:"The card of a withdrawn article is gone (410)"`
	URL      string `json:"url" doc:"The share page, which platforms read the card off"`
	Card     string `json:"card_url" doc:"The card document"`
	Changed  string `json:"changed" format:"date-time" doc:"When the article was published, corrected or withdrawn"`
}

// cards lists changes by their place in the change sequence: what commits later
// stands later, whatever its own date, so that who follows next misses nothing.
func (s *server) cards(ctx context.Context, in *cardsIn) (*cardsOut, error) {
	seq, id, err := s.place(ctx, in.Since)
	if err != nil {
		return nil, err
	}
	list, err := s.Data.Changed(ctx, viewOf(ctx), seq, id, in.Limit+1)
	if err != nil {
		return nil, s.problem("cards", err)
	}
	more := len(list) > in.Limit
	if more {
		list = list[:in.Limit]
	}
	out := &cardsOut{}
	out.Body.Cards = make([]changedCard, len(list))
	for i, c := range list {
		it := c.Item
		seq, id = c.Seq, it.ID
		state := "live"
		if it.State == paper.Withdrawn {
			state = "withdrawn"
		}
		at := s.Base + "/a/" + it.ID
		out.Body.Cards[i] = changedCard{ID: it.ID, Revision: it.Version, State: state, URL: at, Card: at + "/card.json", Changed: it.Updated.UTC().Format(time.RFC3339)}
	}
	out.Body.Next = base64.RawURLEncoding.EncodeToString([]byte("c" + strconv.FormatInt(seq, 10) + " " + id))
	if out.Body.More = more; more {
		q := url.Values{"changed_since": {out.Body.Next}, "limit": {strconv.Itoa(in.Limit)}}
		out.Link = "<" + s.Base + "/api/v1/cards?" + q.Encode() + `>; rel="next"`
	}
	return out, nil
}

// place reads changed_since.
func (s *server) place(ctx context.Context, since string) (seq int64, id string, err error) {
	if since == "" {
		return 0, "", nil
	}
	// A + that was not escaped arrives as a space.
	if at, err := time.Parse(time.RFC3339, strings.Replace(since, " ", "+", 1)); err == nil {
		c, err := s.Data.OutboxAt(ctx, at)
		if err != nil {
			return 0, "", s.problem("cards", err)
		}
		return c.Seq + 1, "", nil // an id is greater than none
	}
	b, err := base64.RawURLEncoding.DecodeString(since)
	number, id, ok := strings.Cut(string(b), " ")
	number, mark := strings.CutPrefix(number, "c")
	seq, e := strconv.ParseInt(number, 10, 64)
	if err = errors.Join(err, e); err != nil || !ok || !mark || seq < 0 {
		return 0, "", huma.Error400BadRequest("changed_since: " + wants["query.changed_since"])
	}
	return seq, id, nil
}
