package action

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/longshore-dev/longshore/internal/saas"
)

// maxLearnt bounds the ids that are known of protected accounts: one for each account and tenant.
const maxLearnt = 10_000

// accountParams are the params that name an account, or the client it acts through.
var accountParams = []string{"user.id", "user.name", "user.email", "client.id", "collaborator"}

// protectedBy says why what r changes must not be changed, or "". before is what the plan found, nil until there is one: its
// texts count as names, since a record may name by id whom the list names by address. A file's owner is not changed with it.
func protectedBy(r *Request, target saas.Target, before json.RawMessage, self, protect []string) string {
	names := slices.Clone(r.Names)
	onFile := On(r.Verb) == OnFile
	if onFile {
		names, before = nil, nil
	} else {
		names = append(names, target.ID, target.Name)
	}
	for _, key := range accountParams {
		names = append(names, target.Params[key])
	}
	names = append(names, texts(nil, before)...)
	for _, n := range names {
		n = strings.TrimSpace(n)
		if among(self, n) {
			return fmt.Sprintf("%s is the agent's own account", n)
		}
		if among(protect, n) {
			return fmt.Sprintf("%s is protected", n)
		}
	}
	return ""
}

// Learn is told of an account and its names. One that is protected by a name is protected by its id from then on: many records
// name an account by its id alone. nil = it is saved, or is nobody who is protected.
func (e *Engine) Learn(ctx context.Context, module, tenant, id string, names ...string) error {
	i := slices.IndexFunc(names, e.isProtected)
	if i < 0 || id == "" {
		return nil
	}
	key := protectedPrefix + module + "/" + tenant + "/" + id
	e.mu.Lock()
	_, known := e.learnt[key]
	full := len(e.learnt) >= maxLearnt
	e.mu.Unlock()
	if known {
		return nil
	}
	if full {
		return fmt.Errorf("protect %s of %s/%s: %d ids are protected already", id, module, tenant, maxLearnt)
	}
	if err := e.set.Store.Batch(ctx, storage.SetOperation(key, []byte(names[i]))); err != nil {
		return fmt.Errorf("protect %s of %s/%s: %w", id, module, tenant, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.learnt[key] = struct{}{}
	return nil
}

func (e *Engine) isProtected(name string) bool { return among(e.set.Protect, name) }

// among says whether a list of accounts has a name.
func among(list []string, name string) bool {
	name = strings.TrimSpace(name)
	return name != "" && slices.ContainsFunc(list, func(p string) bool { return strings.EqualFold(strings.TrimSpace(p), name) })
}

// refusal says why an entry must not be done as it is planned so far, or "".
func (e *Engine) refusal(en *Entry, target saas.Target, before json.RawMessage, self []string) string {
	protect := slices.Clone(e.set.Protect)
	prefix := protectedPrefix + en.tenant() + "/"
	e.mu.Lock()
	for key := range e.learnt {
		if id, ok := strings.CutPrefix(key, prefix); ok {
			protect = append(protect, id)
		}
	}
	e.mu.Unlock()
	if On(en.Verb) == OnFile {
		for _, params := range []map[string]string{en.Target.Params, target.Params} {
			for _, owner := range []string{params["owner.id"], params["owner.email"]} {
				if among(e.set.Owners, owner) {
					return fmt.Sprintf("the files of %s are protected", owner)
				}
			}
		}
	}
	return protectedBy(&en.Request, target, before, self, protect)
}

// texts appends all strings of a JSON value.
func texts(out []string, raw json.RawMessage) []string {
	var v any
	if len(raw) == 0 || json.Unmarshal(raw, &v) != nil {
		return out
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			out = append(out, v)
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(v)
	return out
}

// lacking lists the rights that an action needs and the credential does not have; nothing when what it has is not known.
func lacking(needs, held []string) string {
	if len(held) == 0 {
		return ""
	}
	var lack []string
	for _, need := range needs {
		if !slices.ContainsFunc(strings.Split(need, "|"), func(n string) bool { return slices.Contains(held, n) }) {
			lack = append(lack, strings.ReplaceAll(need, "|", " or "))
		}
	}
	if len(lack) == 0 {
		return ""
	}
	return "the credential lacks " + strings.Join(lack, ", ")
}

// needsPerson says why an action waits for a person, or "" and then counts it. It is called once an action is about to be sent.
func (e *Engine) needsPerson(en *Entry, self []string, now time.Time) string {
	approved := en.ApprovedBy != ""
	switch {
	case approved:
	case en.Mode == Approve:
		return "the policy asks for approval"
	case len(self) == 0 && On(en.Verb) != OnFile:
		return "the credential may not read which account is the agent's own, so it cannot be left out"
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if id := e.undone[en.change()]; id != "" && !approved && !en.Seen.IsZero() {
		return fmt.Sprintf("somebody took back the same action before (%s): it is done again when a person says so", id)
	}
	sent := e.sent[en.tenant()]
	if sent == nil {
		sent = map[string]time.Time{}
		e.sent[en.tenant()] = sent
	}
	for id, at := range sent {
		if now.Sub(at) >= time.Hour {
			delete(sent, id)
		}
	}
	if _, counted := sent[en.ID]; !counted && !approved && len(sent) >= e.set.PerHour {
		return fmt.Sprintf("%d actions were sent to %s within an hour, which is the cap", len(sent), en.tenant())
	}
	sent[en.ID] = now
	return ""
}
