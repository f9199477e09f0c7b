package okta

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/receiver"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

const noFiles = "Okta stores no files of its customers"

// Provider is Okta Workforce Identity.
var Provider = saas.Provider{
	Name:  "okta",
	Title: "Okta",
	Hosts: []string{"*.okta.com", "*.okta-emea.com", "*.oktapreview.com", "*.okta-gov.com", "*.okta.mil"},
	Covers: []saas.Cover{
		{Capability: saas.ListAccounts, Level: saas.Has, Proof: "TestEveryStreamIsDelivered"},
		{Capability: saas.ListGroups, Level: saas.Has, Proof: "TestEveryStreamIsDelivered"},
		{Capability: saas.ListPrivileges, Level: saas.Has, Proof: "TestEveryStreamIsDelivered"},
		{Capability: saas.UserGovernance, Level: saas.Has, Proof: "TestActionsReachTheirState"},
		{Capability: saas.LogOnActivity, Level: saas.Has, Proof: "TestEveryStreamIsDelivered"},
		{Capability: saas.UserActivity, Level: saas.Has, Proof: "TestEveryStreamIsDelivered"},
		{Capability: saas.AdminActivity, Level: saas.Has, Proof: "TestEveryStreamIsDelivered"},
		{Capability: saas.PeriodicDLP, Level: saas.None, Why: noFiles},
		{Capability: saas.RealTimeDLP, Level: saas.None, Why: noFiles},
		{Capability: saas.SharingControl, Level: saas.None, Why: noFiles},
		{Capability: saas.FileGovernance, Level: saas.None, Why: noFiles},
		{Capability: saas.ViewAppRights, Level: saas.Has, Proof: "TestEveryStreamIsDelivered"},
		{Capability: saas.RevokeAppRights, Level: saas.Has, Proof: "TestActionsReachTheirState"},
		{Capability: saas.ApplyLabels, Level: saas.None, Why: noFiles},
	},
	Needs: []saas.Need{
		need(saas.ListAccounts, "Read-only Administrator", "users are not listed", "okta.users.read"),
		need(saas.ListGroups, "Read-only Administrator", "groups and their members are not listed", "okta.groups.read"),
		need(saas.ListPrivileges, "Super Administrator", "administrator roles stay unknown: Okta shows them to Super Administrators",
			"okta.roles.read", "okta.groups.read", "okta.apps.read"),
		need(saas.UserGovernance, "Super Administrator, or Group Administrator for users without a role",
			"no account can be suspended, deactivated, unlocked or made to sign in again",
			"okta.users.manage", "okta.groups.manage", "okta.roles.manage"),
		need(saas.LogOnActivity, "Read-only Administrator", "the System Log cannot be read", "okta.logs.read"),
		need(saas.UserActivity, "Read-only Administrator", "the System Log cannot be read", "okta.logs.read"),
		need(saas.AdminActivity, "Read-only Administrator", "the System Log cannot be read", "okta.logs.read"),
		need(saas.ViewAppRights, "Read-only Administrator; Super Administrator for API tokens", "consents and tokens stay unknown",
			"okta.apps.read", "okta.appGrants.read", "okta.users.read", "okta.apiTokens.read"),
		need(saas.RevokeAppRights, "Super Administrator", "consents and tokens are seen and cannot be revoked",
			"okta.users.manage", "okta.apps.manage", "okta.appGrants.manage", "okta.apiTokens.manage"),
	},
	Vendor: event.Vendor{Module: "okta", Root: "okta", Snake: true, Layout: logLayout,
		Flat: map[string]string{"debugContext.debugData": "flattened"}, Fields: logTypes, Typed: []string{"okta.system"}},
	Config:   func() any { return &Config{Auth: Auth{DPoP: true}} },
	Open:     open,
	Sim:      newSim,
	Datasets: map[string]string{"": "system_log", "okta.system": "system_log"},
}

// NewFactory makes the okta receiver.
func NewFactory() receiver.Factory { return saas.NewFactory(Provider) }

func need(c saas.Capability, role, why string, scopes ...string) saas.Need {
	return saas.Need{Capability: c, Licence: "any", Role: role, Scopes: scopes, Why: why}
}

// open is Provider.Open. Without a type of credential the instance maps what it is given and can send nothing.
func open(cfg any, s saas.Setup) (*saas.Instance, error) {
	c, ok := cfg.(*Config)
	if !ok {
		return nil, fmt.Errorf("open okta: configuration is a %T", cfg)
	}
	base := ""
	if s.Endpoint != "" || c.Auth.Type != "" {
		var err error
		if base, err = checkEndpoint(s.Endpoint); err != nil {
			return nil, err
		}
	}
	cred, err := newCredential(c.Auth, base, s.Filled())
	if err != nil {
		return nil, err
	}
	return &saas.Instance{
		Base:    base,
		Auth:    saas.Auth{Mint: cred.mint, Sign: cred.sign},
		Fault:   cred.fault,
		Budgets: budgets(base),
		Rights:  cred.rights,
		Streams: streams(c, base),
		Actions: actions(),
	}, nil
}

// budgets are the quotas of an org a minute, by family of endpoints, and its requests in flight. Editions differ: the
// reply headers correct them. https://developer.okta.com/docs/reference/rl-global-mgmt/
func budgets(base string) []saas.Budget {
	families := []struct {
		prefix string
		limit  int
	}{
		{"/api/v1/logs", 120}, {"/api/v1/users/", 600}, {"/api/v1/users", 600}, {"/api/v1/groups/", 1000}, {"/api/v1/groups", 500},
		{"/api/v1/apps/", 500}, {"/api/v1/apps", 100}, {"/api/v1/iam/", 600}, {"/oauth2/v1/token", 600}, {"/oauth2/v1/clients", 100},
		{"/", 1200},
	}
	family := func(q saas.Req) string {
		path := strings.TrimPrefix(q.URL, base)
		for _, f := range families {
			if strings.HasPrefix(path, f.prefix) {
				return f.prefix
			}
		}
		return "/"
	}
	list := []saas.Budget{{Name: "in flight", Limit: 75}}
	for _, f := range families {
		list = append(list, saas.Budget{Name: cmp.Or(strings.TrimPrefix(f.prefix, "/api/v1/"), "other"), Limit: f.limit, Per: time.Minute,
			Match: func(q saas.Req) bool { return family(q) == f.prefix }})
	}
	return list
}
