package governance

import (
	"cmp"
	"maps"
	"slices"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/policy"
	"github.com/longshore-dev/longshore/internal/saas"
)

// noAccount are the actors that are nobody's account.
var noAccount = []string{"application", "system", "anonymous"}

// request makes what a policy asks of a record with one of its verbs. A record that does not say whom or what gives a request
// that is recorded as refused.
func (g *governor) request(w event.View, p *policy.Policy, verb string) action.Request {
	r := action.Request{
		Module: w.Str("event.module"), Tenant: w.Str("saas.tenant"), Verb: verb, Policy: p.Name, Mode: p.Mode, Trigger: trigger(w),
		By: g.set.ID.String(), OrgID: w.Str("organization.id"), OrgName: w.Str("organization.name"), EntityID: w.Str("entity.id"),
	}
	if p.Severity > 0 {
		r.FindingID = findingID(w, p)
	}
	if action.On(verb) == action.OnFile && w.EntityID() != "" {
		r.Seen = w.Log.ObservedTimestamp().AsTime()
	}
	who := holder(w, p)
	r.Target, r.Unfit = target(w, p, verb, who)
	for _, n := range []string{who.id, who.name, who.email} {
		if n != "" {
			r.Names = append(r.Names, n)
		}
	}
	for k, v := range p.Params {
		r.Target.Params[k] = v
	}
	maps.DeleteFunc(r.Target.Params, func(_, v string) bool { return v == "" })
	return r
}

// account is whom a record names.
type account struct{ id, name, email string }

func accountAt(w event.View, root string) account {
	return account{w.Str(root + ".id"), w.Str(root + ".name"), w.Str(root + ".email")}
}

// holder is the account that a record of the policy's kind is about: of an activity the actor or whom it was done to, of a
// file its owner, else the user, or who holds the role, the grant, the credential.
func holder(w event.View, p *policy.Policy) account {
	switch {
	case p.Kind == policy.Activity && p.Target == policy.ActedUpon:
		return accountAt(w, "user.target")
	case p.Kind == policy.Activity && slices.Contains(noAccount, w.Str("saas.actor.type")):
		return account{}
	case p.Kind == policy.File:
		if o := (account{id: w.Str("saas.file.owner.id"), email: w.Str("saas.file.owner.email")}); o != (account{}) {
			return o
		}
	}
	who := accountAt(w, "user")
	if who.id == "" && w.Str("entity.type") == "user" {
		who.id = w.Str("entity.id")
	}
	return who
}

// target finds what a verb changes (action's list says which params each needs), or says what the record lacks.
func target(w event.View, p *policy.Policy, verb string, who account) (t saas.Target, unfit string) {
	entity := func(typ string) string {
		if w.Str("entity.type") == typ {
			return w.Str("entity.id")
		}
		return ""
	}
	t = saas.Target{Type: action.On(verb), Params: map[string]string{}}
	switch t.Type {
	case action.OnUser:
		t.ID, t.Name = who.id, cmp.Or(who.name, who.email)
		if verb != action.AddToGroup && verb != action.RemoveFromGroup || cmp.Or(p.Params["group.id"], p.Params["group.name"]) != "" {
			break
		}
		group := "group"
		if w.Str("group.id") == "" {
			group = "user.target.group"
		}
		t.Params["group.id"], t.Params["group.name"] = w.Str(group+".id"), w.Str(group+".name")
		if cmp.Or(t.Params["group.id"], t.Params["group.name"]) == "" {
			return t, "neither the record nor the policy names a group"
		}
	case action.OnRole:
		t.ID, t.Name = entity(action.OnRole), w.Str("saas.role.name")
		t.Params["user.id"], t.Params["group.id"], t.Params["role.id"] = who.id, w.Str("group.id"), w.Str("saas.role.id")
		if t.ID == "" && (cmp.Or(who.id, t.Params["group.id"]) == "" || cmp.Or(t.Params["role.id"], t.Name) == "") {
			return t, "the record names no role and who holds it"
		}
		return t, ""
	case action.OnGrant:
		t.ID, t.Name = entity(action.OnGrant), w.Str("saas.app.name")
		t.Params["user.id"], t.Params["client.id"] = who.id, w.Str("saas.app.id")
		if t.ID == "" && t.Params["client.id"] == "" {
			return t, "the record names no application that was granted something"
		}
		return t, ""
	case action.OnCredential:
		t.ID, t.Name = cmp.Or(entity(action.OnCredential), w.Str("saas.credential.id")), w.Str("entity.name")
		t.Params["user.id"], t.Params["credential.type"] = who.id, w.Str("saas.credential.type")
	case action.OnFile:
		t.ID, t.Name = cmp.Or(w.Str("saas.file.id"), entity(action.OnFile)), cmp.Or(w.Str("file.name"), w.Str("entity.name"))
		t.Params["owner.id"], t.Params["owner.email"] = w.Str("saas.file.owner.id"), w.Str("saas.file.owner.email")
		t.Params["file.version"], t.Params["container.id"] = w.Str("saas.file.version"), w.Str("saas.container.id")
	}
	if t.ID == "" {
		return t, "the record names no " + t.Type
	}
	return t, ""
}
