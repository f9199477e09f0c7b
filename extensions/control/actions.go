package control

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/longshore-dev/longshore/internal/action"
)

// maxActions bounds what one call lists.
const maxActions = 1000

// Action is an action of the ledger, as the API and `longshore actions list --json` write it.
type Action struct {
	ID         string            `json:"id"`
	Tenant     string            `json:"tenant"` // application and tenant
	Verb       string            `json:"verb"`
	Type       string            `json:"type"` // of what is changed
	Target     string            `json:"target"`
	Name       string            `json:"name,omitempty"`
	Params     map[string]string `json:"params,omitempty"`
	Policy     string            `json:"policy,omitempty"`
	Mode       string            `json:"mode"`
	State      action.State      `json:"state"`
	Result     action.Result     `json:"result,omitempty"`
	Reason     string            `json:"reason,omitempty"`
	By         string            `json:"by,omitempty"`
	ApprovedBy string            `json:"approved_by,omitempty"`
	Asked      time.Time         `json:"asked"`
	Ended      *time.Time        `json:"ended,omitempty"`
	Undoes     string            `json:"undoes,omitempty"`    // the action that it takes back
	UndoneBy   string            `json:"undone_by,omitempty"` // the action that takes it back
	Before     json.RawMessage   `json:"before,omitempty"`    // what it changed
	After      json.RawMessage   `json:"after,omitempty"`     // what was learnt, as what could not be brought back
}

func describeAction(en action.Entry) Action {
	a := Action{ID: en.ID, Tenant: en.Module + "/" + en.Tenant, Verb: en.Verb, Type: en.Target.Type, Target: en.Target.ID,
		Name: en.Target.Name, Params: en.Target.Params, Policy: en.Policy, Mode: en.Mode, State: en.State, Result: en.Result, Reason: en.Reason,
		By: en.By, ApprovedBy: en.ApprovedBy, Asked: en.Asked.UTC(), Undoes: en.Of, UndoneBy: en.Undone}
	if !en.Ended.IsZero() {
		at := en.Ended.UTC()
		a.Ended = &at
	}
	if en.Plan != nil {
		a.Before, a.After = en.Plan.Before, en.Plan.After
	}
	return a
}

// listActions answers with the newest actions of all engines, of one state where the query names one.
func listActions(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	n := maxActions
	if text := q.Get("max"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 1 || n > maxActions {
			answer(w, http.StatusBadRequest, failure{fmt.Sprintf("max %q is not a number from 1 to %d", text, maxActions)})
			return
		}
	}
	out := []Action{}
	for _, e := range action.Engines() {
		list, err := e.List(r.Context(), action.State(q.Get("state")), n)
		if err != nil {
			answer(w, http.StatusInternalServerError, failure{err.Error()})
			return
		}
		for _, en := range list {
			out = append(out, describeAction(en))
		}
	}
	slices.SortStableFunc(out, func(a, b Action) int { return b.Asked.Compare(a.Asked) })
	answer(w, http.StatusOK, out[:min(n, len(out))])
}

func undo(e *action.Engine, ctx context.Context, id, by string) error {
	_, err := e.Undo(ctx, id, by)
	return err
}

// decide is a person's word about an action. The answer is the action after it.
func decide(do func(e *action.Engine, ctx context.Context, id, by string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		e, err := action.Holder(id)
		if err != nil {
			answer(w, http.StatusNotFound, failure{err.Error()})
			return
		}
		if err = do(e, r.Context(), id, r.URL.Query().Get("by")); err != nil {
			answer(w, http.StatusConflict, failure{err.Error()})
			return
		}
		en, err := e.Get(r.Context(), id)
		if err != nil {
			answer(w, http.StatusInternalServerError, failure{err.Error()})
			return
		}
		answer(w, http.StatusOK, describeAction(en))
	}
}

// Actions lists the newest actions of a state; "" = of any.
func (c Client) Actions(ctx context.Context, state string, most int) ([]Action, error) {
	var out []Action
	q := url.Values{"state": {state}, "max": {strconv.Itoa(most)}}
	err := c.call(ctx, http.MethodGet, "/v1/actions?"+q.Encode(), &out)
	return out, err
}

// Approve lets an action that waits go on, in the name of by.
func (c Client) Approve(ctx context.Context, id, by string) (Action, error) {
	return c.decide(ctx, id, "approve", by)
}

// Undo takes an action back, in the name of by. UndoneBy of what comes names the action that does it.
func (c Client) Undo(ctx context.Context, id, by string) (Action, error) {
	return c.decide(ctx, id, "undo", by)
}

func (c Client) decide(ctx context.Context, id, what, by string) (Action, error) {
	var out Action
	path := "/v1/actions/" + url.PathEscape(id) + "/" + what + "?" + url.Values{"by": {by}}.Encode()
	err := c.call(ctx, http.MethodPost, path, &out)
	return out, err
}
