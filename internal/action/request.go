package action

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
)

// The modes of a request.
const (
	DryRun  = "dry_run" // it is planned, and the receipt says what would be sent
	Approve = "approve" // it is planned, and waits for a person
	Enforce = "enforce" // it is planned and done
	Undo    = "undo"    // it takes back another action; only Engine.Undo makes these
)

// Modes lists the modes that a policy may have.
func Modes() []string { return []string{DryRun, Approve, Enforce} }

// Request asks for one change.
type Request struct {
	Module string      `json:"module"` // event.module of the tenant
	Tenant string      `json:"tenant"` // saas.tenant
	Verb   string      `json:"verb"`
	Target saas.Target `json:"target"`
	Policy string      `json:"policy,omitempty"`
	Mode   string      `json:"mode"`
	// Trigger is what led to it: the id of a record, or of an entity and a day. The same trigger asked twice is one action.
	Trigger string `json:"trigger"`
	// Seen is when the state was read that led to it, where a state did. The same trigger is another action when the first was done
	// before: the state is there again. Zero = it happened once.
	Seen time.Time `json:"seen,omitzero"`
	// Names are further names of the account that is changed, so that protecting any one of them protects it.
	Names []string `json:"names,omitempty"`
	// By is who or what asks.
	By        string `json:"by"`
	FindingID string `json:"finding_id,omitempty"`
	EntityID  string `json:"entity_id,omitempty"`
	OrgID     string `json:"org_id,omitempty"`
	OrgName   string `json:"org_name,omitempty"`
	// Unfit says why it cannot be done at all; it is then recorded as refused. "" = it can be tried.
	Unfit string `json:"unfit,omitempty"`
}

// ID is the stable id of a request.
func (r *Request) ID() string {
	parts := []string{r.Module, r.Tenant, r.Verb, r.Target.Type, r.Target.ID, r.Policy, r.Mode, r.Trigger}
	for _, k := range slices.Sorted(maps.Keys(r.Target.Params)) {
		parts = append(parts, k, r.Target.Params[k])
	}
	return stableID(parts...)
}

// change names what a policy does to an object, whatever led to it.
func (r *Request) change() string { return stableID(r.Module, r.Tenant, r.Policy, r.Verb, r.object()) }

func stableID(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	id := base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:15])
	if id[0] == '-' { // on a command line it would be an option
		id = "A" + id[1:]
	}
	return id
}

// tenant is what is named in errors and counted by the cap: "okta/acme".
func (r *Request) tenant() string { return r.Module + "/" + r.Tenant }

// object names what is changed, for people and for asking which requests are about the same.
func (r *Request) object() string {
	t := r.Target
	if t.ID != "" {
		return t.Type + " " + t.ID
	}
	return t.Type + " " + cmp.Or(t.Params["user.id"], t.Params["group.id"], t.Name) + " " + cmp.Or(t.Params["client.id"], t.Params["role.id"])
}

// label is the object with its name, where it has one.
func (r *Request) label() string {
	if r.Target.Name != "" && r.Target.Name != r.Target.ID {
		return r.object() + " (" + r.Target.Name + ")"
	}
	return r.object()
}
