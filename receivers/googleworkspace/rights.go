package googleworkspace

import (
	"context"
	"net/url"
	"slices"

	"github.com/longshore-dev/longshore/internal/saas"
)

// allScopes are what the streams and the actions need.
var allScopes = []string{readReports, readUsers, editUsers, security, readGroups, readMembers, readRoles, readDrive, editDrive, readLabels,
	readAlerts}

// account is a user as far as actions and rights look at him.
type account struct {
	ID            string `json:"id"`
	Email         string `json:"primaryEmail"`
	Customer      string `json:"customerId"`
	Suspended     bool   `json:"suspended"`
	Archived      bool   `json:"archived"`
	Reason        string `json:"suspensionReason,omitempty"`
	Admin         bool   `json:"isAdmin"`
	Delegated     bool   `json:"isDelegatedAdmin"`
	MustChange    bool   `json:"changePasswordAtNextLogin"`
	EnrolledIn2SV bool   `json:"isEnrolledIn2Sv"`
}

// granted are the scopes that were granted to the service account: all, or those of which a token of its own is had.
func (c *credential) granted(ctx context.Context, conn *saas.Conn) (held []string, err error) {
	if _, err := c.ask(ctx, conn, c.Auth.Admin, allScopes...); !ungranted(err) {
		return slices.Clone(allScopes), err
	}
	for _, scope := range allScopes {
		_, err := c.ask(ctx, conn, c.Auth.Admin, scope)
		switch {
		case err == nil:
			held = append(held, scope)
		case !ungranted(err):
			return nil, err
		}
	}
	if len(held) == 0 {
		return nil, &saas.Error{Outcome: saas.Unauthorized, Code: "unauthorized_client",
			Msg: "the service account was granted no scope: enter its client id and the scopes in the Admin console"}
	}
	return held, nil
}

// rights is Instance.Rights. What the administrator's role allows he is asked at once.
func (c *credential) rights(ctx context.Context, conn *saas.Conn) (r *saas.Rights, err error) {
	r = &saas.Rights{Who: c.key.ClientEmail + " for " + c.Auth.Admin, Self: []string{c.key.ClientEmail, c.key.ClientID, c.Auth.Admin}}
	if r.Held, err = c.granted(ctx, conn); err != nil {
		return nil, err
	}
	for scope, more := range wider {
		if slices.Contains(r.Held, more) && !slices.Contains(r.Held, scope) {
			r.Held = append(r.Held, scope)
		}
	}
	slices.Sort(r.Held)
	if !slices.Contains(r.Held, readUsers) {
		return r, nil
	}
	var me account
	if err := saas.Get(ctx, conn, directory+"users/"+url.PathEscape(c.Auth.Admin)+"?projection=basic", &me); saas.Is(err, saas.Denied) {
		r.Blind = append(r.Blind, "the directory: "+c.Auth.Admin+" is no administrator, or not one who may read users")
		return r, nil
	} else if err != nil {
		return nil, err
	}
	r.OrgID = me.Customer
	r.Self = append(r.Self, me.ID)
	if !me.Admin {
		r.Blind = append(r.Blind, "changes of other administrators' accounts, for which "+c.Auth.Admin+" would have to be a super administrator")
	}
	return r, nil
}
