package action

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// Dataset is event.dataset of receipts.
const Dataset = "saas.action"

// The kinds of receipts.
const (
	requested = "requested"
	result    = "result"
)

// receiptBatch is how many receipts are handed on at once.
const receiptBatch = 100

// receiptBody is the body of a receipt.
type receiptBody struct {
	ID     string      `json:"id"`
	Kind   string      `json:"kind"`
	Verb   string      `json:"verb"`
	Target saas.Target `json:"target"`
	Policy string      `json:"policy,omitempty"`
	Mode   string      `json:"mode"`
	Result Result      `json:"result,omitempty"`
	Reason string      `json:"reason,omitempty"`
	Steps  []saas.Req  `json:"steps,omitempty"`
	Back   []saas.Req  `json:"back,omitempty"`
}

// add writes a receipt (schema.md §9).
func (en *Entry) add(b *event.Batch, kind string) error {
	body := receiptBody{ID: en.ID, Kind: kind, Verb: en.Verb, Target: en.Target, Policy: en.Policy, Mode: en.Mode, Reason: en.Reason}
	if en.Plan != nil {
		body.Steps, body.Back = en.Plan.Steps, en.Plan.Back
	}
	if kind == result {
		body.Result = en.Result
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode receipt of action %q: %w", en.ID, err)
	}
	r := b.Add(nil, &event.Values{Raw: raw})
	r.ID(en.ID + "." + kind)
	r.Str("event.kind", "event")
	r.Str("event.action", en.Verb)
	r.Str("event.reason", en.Reason)
	r.Str("saas.activity", "action_"+kind)
	r.Time(en.Asked)
	r.Date("event.start", en.Asked)
	r.Str("message", en.message(kind))
	what := "change"
	if verbs[en.Verb].deletes && en.Mode != Undo {
		what = "deletion"
	}
	if kind == result {
		r.Time(en.Ended)
		r.Date("event.end", en.Ended)
		r.Int("saas.action.attempts", int64(en.Attempts))
		r.Str("event.outcome", outcomes[en.Result])
		r.Str("error.code", en.Code)
		if en.Result == Denied {
			what = "denied"
		}
	}
	r.Strs("event.type", what)
	r.Str("saas.action.id", en.ID)
	r.Str("saas.action.plan_id", en.planID())
	r.Str("saas.action.mode", en.Mode)
	r.Str("saas.action.requested_by", en.By)
	r.Str("saas.action.approved_by", en.ApprovedBy)
	r.Str("saas.action.policy", en.Policy)
	r.Str("saas.action.finding_id", en.FindingID)
	r.Str("saas.action.entity_id", en.EntityID)
	if en.Plan != nil {
		r.JSON("saas.action.before", en.Plan.Before)
		r.JSON("saas.action.after", en.Plan.After)
	}
	en.addTarget(r)
	return nil
}

var outcomes = map[Result]string{Done: "success", Already: "success", Denied: "failure", Failed: "failure", Unverified: "unknown"}

// addTarget writes what was changed, where records of that kind have it.
func (en *Entry) addTarget(r *event.Record) {
	t := en.Target
	user := t.Params["user.id"]
	category := "iam"
	switch On(en.Verb) {
	case OnUser:
		user = t.ID
		r.Str("user.target.name", t.Name)
		if strings.Contains(t.Name, "@") {
			r.Str("user.target.email", t.Name)
		}
	case OnRole:
		r.Str("saas.role.id", t.Params["role.id"])
	case OnGrant:
		r.Str("saas.app.id", t.Params["client.id"])
	case OnCredential:
		r.Str("saas.credential.id", t.ID)
		r.Str("saas.credential.type", t.Params["credential.type"])
	case OnFile:
		category = "file"
		r.Str("saas.file.id", t.ID)
		r.Str("file.name", t.Name)
		r.Str("saas.file.owner.id", t.Params["owner.id"])
		r.Str("saas.file.owner.email", t.Params["owner.email"])
	}
	r.Strs("event.category", category)
	r.Str("user.target.id", user)
	r.Str("group.id", t.Params["group.id"])
	r.Str("group.name", t.Params["group.name"])
}

// planID is the plan an action belongs to: its own, or that of the action it takes back.
func (en *Entry) planID() string {
	if en.Of != "" {
		return en.Of
	}
	return en.ID
}

// message is a receipt in words.
func (en *Entry) message(kind string) string {
	what := phrase(en.Verb) + ": " + en.label()
	if en.Mode == Undo {
		what = "undo " + what
	}
	if kind == result {
		return what + ": " + string(en.Result)
	}
	if en.State == Waiting {
		return what + ": waits for a person"
	}
	if en.Mode != DryRun || en.Plan == nil {
		return what
	}
	return what + ": would send " + sketch(en.Plan.Steps)
}

// sketch names the first requests of a plan.
func sketch(steps []saas.Req) string {
	if len(steps) == 0 {
		return "what the provider decides step by step"
	}
	var out []string
	for i, q := range steps {
		if i == 5 {
			out = append(out, fmt.Sprintf("and %d more", len(steps)-i))
			break
		}
		method := q.Method
		switch {
		case method == "" && q.Body != "":
			method = "POST"
		case method == "":
			method = "GET"
		}
		out = append(out, method+" "+q.URL)
	}
	return strings.Join(out, ", ")
}

// deliver hands receipts on and then forgets them. What is refused is handed on again.
func (e *Engine) deliver(ctx context.Context) {
	e.mu.Lock()
	keys := slices.Clone(e.owed[:min(len(e.owed), e.deliverMax)])
	e.mu.Unlock()
	err := e.handOn(ctx, keys)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.delivering = false
	switch {
	case err == nil:
		e.owed = slices.Delete(e.owed, 0, len(keys))
		e.deliverMax, e.deliverFails = receiptBatch, 0
	case ctx.Err() != nil:
	default:
		e.deliverFails++
		e.deliverAt = time.Now().Add(pauseAfter(e.deliverFails))
		if consumererror.IsPermanent(err) {
			e.deliverMax = 1 // to find the one that cannot be accepted
		}
		e.set.Log.Warn("handing on receipts failed", zap.Int("receipts", len(keys)), zap.Error(err))
	}
	e.poke()
}

func (e *Engine) handOn(ctx context.Context, keys []string) error {
	logs, err := e.receipts(ctx, keys)
	if err != nil {
		return err
	}
	if logs.LogRecordCount() > 0 {
		err = e.set.Next(ctx, logs)
	}
	if consumererror.IsPermanent(err) && len(keys) == 1 {
		e.set.Log.Error("a receipt can never be handed on and is dropped", zap.String("receipt", keys[0]), zap.Error(err))
		err = nil
	}
	if err != nil {
		return err
	}
	var ops []*storage.Operation
	for _, k := range keys {
		ops = append(ops, storage.DeleteOperation(k))
	}
	if err := e.set.Store.Batch(ctx, ops...); err != nil {
		return fmt.Errorf("forget receipts handed on: %w", err)
	}
	return nil
}

// receipts makes the records of rows.
func (e *Engine) receipts(ctx context.Context, keys []string) (plog.Logs, error) {
	out := plog.NewLogs()
	for _, key := range keys {
		val, err := e.set.Store.Get(ctx, key)
		if err != nil {
			return out, fmt.Errorf("read receipt %q: %w", key, err)
		}
		if val == nil { // handed on, and forgotten before the process knew
			continue
		}
		var en Entry
		if err := json.Unmarshal(val, &en); err != nil {
			return out, fmt.Errorf("read receipt %q: %w", key, err)
		}
		b := event.NewBatch(event.Origin{Module: en.Module, Tenant: en.Tenant, OrgID: en.OrgID, OrgName: en.OrgName,
			Version: e.set.Version, Dataset: Dataset, Observed: time.Now()})
		if err := en.add(b, key[strings.LastIndexByte(key, '/')+1:]); err != nil {
			return out, err
		}
		b.Take().ResourceLogs().MoveAndAppendTo(out.ResourceLogs())
	}
	return out, nil
}
