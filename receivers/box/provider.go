package box

import (
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/receiver"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// Provider is Box.
var Provider = saas.Provider{
	Name:  "box",
	Title: "Box",
	Hosts: []string{"api.box.com", "upload.box.com", "*.boxcloud.com"},
	Covers: []saas.Cover{
		{Capability: saas.ListAccounts, Level: saas.Has, Proof: delivered},
		{Capability: saas.ListGroups, Level: saas.Has, Proof: delivered},
		{Capability: saas.ListPrivileges, Level: saas.Part, Proof: delivered,
			Why: "Box tells who is a co-administrator, and to nobody which rights each of them has"},
		{Capability: saas.UserGovernance, Level: saas.Has, Proof: "TestAccountsReachTheirState"},
		{Capability: saas.LogOnActivity, Level: saas.Has, Proof: delivered},
		{Capability: saas.UserActivity, Level: saas.Has, Proof: delivered},
		{Capability: saas.AdminActivity, Level: saas.Has, Proof: delivered},
		{Capability: saas.PeriodicDLP, Level: saas.Has, Proof: "TestContentOfEveryFileIsReadOnceAsItsOwner"},
		{Capability: saas.RealTimeDLP, Level: saas.Has, Proof: "TestTouchedFileComesWithWhatItsFoldersGive"},
		{Capability: saas.SharingControl, Level: saas.Has, Proof: "TestFileActionsReachTheirState"},
		{Capability: saas.FileGovernance, Level: saas.Has, Proof: "TestFileActionsReachTheirState"},
		{Capability: saas.ViewAppRights, Level: saas.Part, Proof: "TestATokenTellsOfTheGrantToItsApp",
			Why: "Box lists no apps that were authorised: those are seen that an event names, without their scopes"},
		{Capability: saas.RevokeAppRights, Level: saas.None,
			Why: "Box revokes a token only for the app that holds it; revoke_sessions ends what a user is signed in to"},
		{Capability: saas.ApplyLabels, Level: saas.Has, Proof: "TestFileActionsReachTheirState"},
	},
	Needs: []saas.Need{
		need(saas.ListAccounts, "any", "users are not listed", "manage_managed_users"),
		need(saas.ListGroups, "any", "groups and their members are not listed", "manage_groups"),
		need(saas.ListPrivileges, "any", "administrators are not known", "manage_managed_users"),
		need(saas.UserGovernance, "any", "no account can be suspended, signed out or made to choose a new password", "manage_managed_users"),
		need(saas.LogOnActivity, "Business or better", "events cannot be read", events),
		need(saas.UserActivity, "Business or better", "events cannot be read", events),
		need(saas.AdminActivity, "Business or better", "events cannot be read", events),
		need(saas.PeriodicDLP, "any", "no file can be found and read", "manage_managed_users", "root_readonly"),
		need(saas.RealTimeDLP, "Business or better", "it is not known which files change", events, "root_readonly"),
		need(saas.SharingControl, "any", "links and collaborators are seen and cannot be removed", "root_readonly", "root_readwrite"),
		need(saas.FileGovernance, "any", "no file can be quarantined, deleted or restored", "root_readonly", "root_readwrite"),
		need(saas.ViewAppRights, "Business or better", "events cannot be read", events),
		need(saas.ApplyLabels, "Business Plus or better; Shield or Governance to enforce", "no file can be classified", "root_readonly",
			"root_readwrite"),
	},
	Vendor: event.Vendor{Module: "box", Root: "box", Layout: eventLayout, Fields: eventTypes,
		Typed: []string{"box_events.*"}},
	Config:   func() any { return &Config{Files: Files{ScanEvery: 12 * time.Hour}} },
	Open:     open,
	Sim:      newSim,
	Datasets: map[string]string{"": "events", "box_events.events": "events", "box_events.shield_alerts": "events"},
}

const (
	events    = "manage_enterprise_properties"
	delivered = "TestEveryStreamIsDeliveredByRequestsThatBoxDescribes"
)

func need(c saas.Capability, licence, why string, scopes ...string) saas.Need {
	n := saas.Need{Capability: c, Licence: licence, Role: "App + Enterprise Access", Scopes: scopes, Why: why}
	if slices.Contains(scopes, "root_readonly") {
		n.Role += " and API calls with the as-user header"
	}
	return n
}

// NewFactory makes the box receiver.
func NewFactory() receiver.Factory { return saas.NewFactory(Provider) }

// open is Provider.Open. Without a type of credential the instance maps what it is given and can send nothing.
func open(cfg any, s saas.Setup) (*saas.Instance, error) {
	given, ok := cfg.(*Config)
	if !ok {
		return nil, fmt.Errorf("open box: configuration is a %T", cfg)
	}
	base, c, err := given.resolve(s.Endpoint)
	if err != nil {
		return nil, err
	}
	cred, err := newCredential(c, s.Filled())
	if err != nil {
		return nil, err
	}
	return &saas.Instance{
		Base:    base,
		Hosts:   hosts(c),
		Auth:    saas.Auth{Mint: cred.mint},
		Fault:   fault,
		Budgets: budgets(c),
		Rights:  cred.rights,
		Streams: streams(c),
		Content: content,
		Actions: actions(c),
	}, nil
}

// streams are what an enterprise has to read.
func streams(c *Config) []saas.Stream { return slices.Concat(activity(c), inventoryStreams(c)) }
