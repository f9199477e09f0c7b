package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// Bounds of a set of policies.
const (
	MaxPolicies  = 1000
	MaxCondition = 8 << 10 // bytes of a condition
	maxCost      = 100_000 // of one evaluation, in CEL's units: about a millisecond
)

// The kinds of policies, and what each looks at.
const (
	Activity = "activity" // events and alerts
	File     = "file"     // files, and findings in them
	App      = "app"      // what applications were granted
	Account  = "account"  // users, groups, service accounts, roles held, credentials
)

// Whom an activity policy acts on.
const (
	Actor     = "actor"  // who did it
	ActedUpon = "target" // whom it was done to
)

// Kinds lists the kinds.
func Kinds() []string { return []string{Activity, File, App, Account} }

// Policy says what is not right, and what is to be done about it.
type Policy struct {
	// Name of the policy, unique; it is in every receipt and finding.
	Name string `mapstructure:"name"`
	// Kind is activity, file, app or account: which records the condition is asked of.
	Kind string `mapstructure:"kind"`
	// When is the condition: CEL over the record, for example
	// event.action == "user.session.start" && okta.security_context.is_proxy
	When string `mapstructure:"when"`
	// Instances narrows the policy to tenants: "okta/acme" is one, "okta" all of the application. Default: all.
	Instances []string `mapstructure:"instances"`
	// Actions are the verbs to run, for example [suspend_user]. None: the policy only writes a finding.
	Actions []string `mapstructure:"actions"`
	// Mode is dry_run (plan and write what would be sent), approve (wait for a person) or enforce. Default: the processor's.
	Mode string `mapstructure:"mode"`
	// Target says whom an activity policy acts on: actor (default), who did it, or target, whom it was done to.
	Target string `mapstructure:"target"`
	// Params are further facts an action needs, for example {group.id: 00g1} for remove_from_group.
	Params map[string]string `mapstructure:"params"`
	// Threshold makes the policy hold only when the condition held several times within a window.
	Threshold *Threshold `mapstructure:"threshold"`
	// Severity, 1 (low) to 4 (critical), makes every match a finding as well. Default 0: only when there are no actions.
	Severity int `mapstructure:"severity"`
}

// Threshold asks for repetition. Times are those of the records, so a backlog read at once counts as it happened. The counts
// are in memory: they begin anew with the process.
type Threshold struct {
	// Count is how many records it takes, 1 to 1000.
	Count int `mapstructure:"count"`
	// Window is the time within which they have to happen, for example 10m.
	Window time.Duration `mapstructure:"window"`
	// By is the field whose values are counted apart, for example user.id. Default: one count per tenant.
	By string `mapstructure:"by"`
}

// check finds everything wrong with a policy but its condition.
func (p *Policy) check() error {
	choice := func(key, val string, known []string) error {
		if slices.Contains(known, val) {
			return nil
		}
		return fmt.Errorf("policy %q: unknown %s %q%s", p.Name, key, val, didYouMean(val, known))
	}
	if err := choice("kind", p.Kind, Kinds()); err != nil {
		return err
	}
	if err := choice("mode", p.Mode, action.Modes()); err != nil {
		return err
	}
	if err := choice("target", p.Target, []string{Actor, ActedUpon}); err != nil {
		return err
	}
	for _, v := range p.Actions {
		if err := choice("action", v, action.Verbs()); err != nil {
			return err
		}
		if !slices.Contains(actsOn[p.Kind], action.On(v)) {
			return fmt.Errorf("policy %q: action %q changes a %s, and a record of kind %s has none", p.Name, v, action.On(v), p.Kind)
		}
	}
	if p.Severity < 0 || p.Severity > 4 {
		return fmt.Errorf("policy %q: severity %d is not between 0 and 4", p.Name, p.Severity)
	}
	if t := p.Threshold; t != nil {
		switch {
		case t.Count < 1 || t.Count > maxCount:
			return fmt.Errorf("policy %q: threshold count %d is not between 1 and %d", p.Name, t.Count, maxCount)
		case t.Window <= 0:
			return fmt.Errorf("policy %q: threshold window %v is not above 0", p.Name, t.Window)
		}
		return p.checkBy(t.By)
	}
	return nil
}

// checkBy refuses a field that no record has. The vendors' own fields are not known here.
func (p *Policy) checkBy(field string) error {
	root, _, _ := strings.Cut(field, ".")
	if field == "" || event.FieldType(field) != "" || slices.Contains(vendorRoots, root) {
		return nil
	}
	var known []string
	for name := range event.FieldTypes() {
		known = append(known, name)
	}
	if near := saas.Nearest(field, known); near != "" {
		return fmt.Errorf("policy %q: threshold by: no record has a field %q: did you mean %q?", p.Name, field, near)
	}
	return fmt.Errorf("policy %q: threshold by: no record has a field %q", p.Name, field)
}

// actsOn lists the targets that records of a kind can name.
var actsOn = map[string][]string{
	Activity: {action.OnUser, action.OnRole, action.OnGrant, action.OnCredential, action.OnFile},
	File:     {action.OnFile, action.OnUser},
	App:      {action.OnGrant, action.OnUser},
	Account:  {action.OnUser, action.OnRole, action.OnCredential},
}

// holdsFor says whether the policy is meant for a tenant.
func (p *Policy) holdsFor(module, tenant string) bool {
	if len(p.Instances) == 0 {
		return true
	}
	return slices.ContainsFunc(p.Instances, func(id string) bool {
		app, name, one := strings.Cut(id, "/")
		if m, ok := modules[app]; ok {
			app = m
		}
		return app == module && (!one || name == tenant)
	})
}

// modules are the applications whose event.module is not their name.
var modules = map[string]string{"office365": "o365", "googleworkspace": "google_workspace"}

func didYouMean(name string, known []string) string {
	if near := saas.Nearest(name, known); near != "" {
		return fmt.Sprintf(": did you mean %q?", near)
	}
	return ": known are " + strings.Join(known, ", ")
}

// prepare fills in defaults, checks and names what is wrong.
func prepare(ps []Policy, mode string) ([]Policy, error) {
	if len(ps) > MaxPolicies {
		return nil, fmt.Errorf("%d policies, at most %d", len(ps), MaxPolicies)
	}
	ps = slices.Clone(ps)
	var errs []error
	seen := map[string]bool{}
	for i := range ps {
		p := &ps[i]
		switch {
		case strings.TrimSpace(p.Name) == "":
			errs = append(errs, fmt.Errorf("policy %d: name is missing", i+1))
		case seen[p.Name]:
			errs = append(errs, fmt.Errorf("policy %q: there are two of this name", p.Name))
		}
		seen[p.Name] = true
		if p.Mode == "" {
			p.Mode = mode
		}
		if p.Target == "" {
			p.Target = Actor
		}
		if err := p.check(); err != nil {
			errs = append(errs, err)
		}
	}
	return ps, errors.Join(errs...)
}
