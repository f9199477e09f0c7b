package salesforce

import (
	"cmp"
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
)

// permissions are what streams and actions need of the credential's user, as UserPermissionAccess has them with Permissions before.
var permissions = strings.Fields(`ApiEnabled ViewSetup ViewAllData ModifyAllData ViewEventLogFiles ViewPlatformEvents ViewAnomalyEvents
	MonitorLoginHistory QueryAllFiles ManageUsers ManageInternalUsers FreezeUsers ResetPasswords CustomizeApplication ViewAllUsers
	ExternalClientAppViewer`)

// probeTime is how long the name of the credential's user is asked for.
const probeTime = 5 * time.Second

// service is a word in the name of an account that no person has.
var service = regexp.MustCompile(`(?i)(^|[^a-z])(svc|service|integration|api|bot|robot|automation|system|longshore)([^a-z]|$)`)

// rights is Instance.Rights.
func (o *org) rights(ctx context.Context, conn *saas.Conn) (*saas.Rights, error) {
	r := &saas.Rights{Who: "app " + o.cred.ClientID, Self: []string{o.cred.ClientID}}
	var org struct{ ID, Name string }
	if err := o.first(ctx, conn, "SELECT Id,Name FROM Organization", &org); err != nil {
		return nil, err
	}
	me := o.cred.me()
	r.OrgID, r.OrgName = cmp.Or(org.ID, me.org), org.Name
	var user struct{ ID, Username string }
	if me.user != "" { // of whom the name is good to know, and not worth waiting for
		soon, cancel := context.WithTimeout(ctx, probeTime)
		defer cancel()
		if err := o.first(soon, conn, "SELECT Id,Username FROM User WHERE Id = "+quote(me.user), &user); saas.Is(err, saas.Unauthorized) {
			return nil, err
		}
	}
	if name := cmp.Or(user.Username, o.cred.Username); name != "" {
		r.Who, r.Person = name, !service.MatchString(name)
		r.Self = append(r.Self, me.user, name)
	}
	var err error
	if r.Held, err = o.held(ctx, conn, permissions); err != nil {
		return nil, err
	}
	if !slices.Contains(r.Held, "QueryAllFiles") && !slices.Contains(r.Held, "ModifyAllData") {
		r.Blind = append(r.Blind, "files that nobody shared with the agent's user: give it the permission Query All Files")
	}
	return r, nil
}

// held are those of the permissions that the user has. One that the org does not know is not held.
func (o *org) held(ctx context.Context, conn *saas.Conn, names []string) (held []string, err error) {
	var row map[string]any
	err = o.first(ctx, conn, "SELECT Permissions"+strings.Join(names, ",Permissions")+" FROM UserPermissionAccess", &row)
	if saas.Code(err) == "INVALID_FIELD" && len(names) > 1 {
		for half := range slices.Chunk(names, (len(names)+1)/2) {
			some, err := o.held(ctx, conn, half)
			if err != nil {
				return nil, err
			}
			held = append(held, some...)
		}
		return held, nil
	}
	if err != nil && saas.Code(err) != "INVALID_FIELD" {
		return nil, err
	}
	for _, name := range names {
		if row["Permissions"+name] == true {
			held = append(held, name)
		}
	}
	return held, nil
}

// first decodes the first row of a question; none = v stays as it is.
func (o *org) first(ctx context.Context, d saas.Doer, soql string, v any) error {
	rows, err := o.all(ctx, d, o.query(soql))
	if err != nil || len(rows) == 0 {
		return err
	}
	return json.Unmarshal(rows[0], v)
}
