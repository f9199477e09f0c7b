package googleworkspace

import (
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/receiver"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	delivered = "TestContract"
	acts      = "TestActionsReachTheirState"
	fileActs  = "TestFileActionsReachTheirState"
	anyone    = "any"
)

// Provider is Google Workspace.
var Provider = saas.Provider{
	Name:   "googleworkspace",
	Module: module,
	Title:  "Google Workspace",
	Hosts: []string{"admin.googleapis.com", "www.googleapis.com", "drivelabels.googleapis.com", "alertcenter.googleapis.com",
		"oauth2.googleapis.com", "iamcredentials.googleapis.com", "sts.googleapis.com", "*.googleusercontent.com"},
	Covers: []saas.Cover{
		{Capability: saas.ListAccounts, Level: saas.Has, Proof: delivered},
		{Capability: saas.ListGroups, Level: saas.Has, Proof: delivered},
		{Capability: saas.ListPrivileges, Level: saas.Has, Proof: delivered},
		{Capability: saas.UserGovernance, Level: saas.Has, Proof: acts},
		{Capability: saas.LogOnActivity, Level: saas.Has, Proof: delivered},
		{Capability: saas.UserActivity, Level: saas.Has, Proof: delivered},
		{Capability: saas.AdminActivity, Level: saas.Has, Proof: delivered},
		{Capability: saas.PeriodicDLP, Level: saas.Has, Proof: "TestContract"},
		{Capability: saas.RealTimeDLP, Level: saas.Has, Proof: delivered},
		{Capability: saas.SharingControl, Level: saas.Has, Proof: "TestSharingIsTakenAwayAndGivenBack"},
		{Capability: saas.FileGovernance, Level: saas.Part, Proof: fileActs,
			Why: "a file of Google's own format keeps its old revisions: it is quarantined or deleted, not overwritten"},
		{Capability: saas.ViewAppRights, Level: saas.Part, Proof: delivered,
			Why: "Google tells neither when a grant was made nor when it was used, and lists no delegations of the whole domain"},
		{Capability: saas.RevokeAppRights, Level: saas.Has, Proof: "TestGrantsAndTokensAreRevoked"},
		{Capability: saas.ApplyLabels, Level: saas.Part, Proof: fileActs,
			Why: "labels of Google Drive; those of Microsoft Purview have no interface here"},
	},
	Needs: []saas.Need{
		need(saas.ListAccounts, anyone, "Users, read", "users are not listed", readUsers),
		need(saas.ListGroups, anyone, "Groups, read", "groups and their members are not listed", readGroups, readMembers),
		need(saas.ListPrivileges, anyone, "Super Admin", "administrator roles are not known", readRoles),
		need(saas.UserGovernance, anyone, "Users, update, and User Security Management; Super Admin for other administrators",
			"no account can be suspended, signed out or made to choose a new password", readUsers, editUsers, security),
		need(saas.LogOnActivity, anyone, "Reports", "sign-ins cannot be read", readReports),
		need(saas.UserActivity, "Business Standard or better for Drive", "Reports", "activity cannot be read", readReports),
		need(saas.AdminActivity, anyone, "Reports", "changes of administrators cannot be read", readReports, readAlerts),
		need(saas.PeriodicDLP, anyone, "Users, read, and Drive and Docs settings", "no file can be found and read", readUsers, readDrive),
		need(saas.RealTimeDLP, "Business Standard or better", "Reports", "it is not known which files change", readReports, readDrive),
		need(saas.SharingControl, anyone, "none", "links and collaborators are seen and cannot be removed", readDrive, editDrive),
		need(saas.FileGovernance, anyone, "manager of the shared drive of the quarantine", "no file can be quarantined, deleted or restored",
			readDrive, editDrive),
		need(saas.ViewAppRights, anyone, "User Security Management", "grants to apps stay unknown", security),
		need(saas.RevokeAppRights, anyone, "User Security Management", "grants are seen and cannot be revoked", security),
		need(saas.ApplyLabels, "Business Standard or better", "Manage labels", "no file can be labelled", readLabels, editDrive),
	},
	Vendor: event.Vendor{Module: module, Root: module, Snake: true, Reshape: reshape, Names: map[string]string{
		"eventservice": "service.name", "eventname": "event.action", "new_value": module + ".admin.new_value",
		"protopayload.servicename": "service.name", "protopayload.metadata.event.eventname": "event.action"}},
	Config:   func() any { return &Config{Files: Files{ScanEvery: 12 * time.Hour}} },
	Open:     open,
	Sim:      newSim,
	Datasets: sets(),
}

// sets are the datasets, which are all mapped alike but for alerts.
func sets() map[string]string {
	out := map[string]string{"": "login", alertSet: "alerts"}
	for _, app := range usual() {
		out[datasetOf(app)] = app
	}
	return out
}

func need(c saas.Capability, licence, role, why string, scopes ...string) saas.Need {
	return saas.Need{Capability: c, Licence: licence, Role: role, Scopes: scopes, Why: why}
}

// open is Provider.Open. Without a credential the instance maps what it is given and can send nothing.
func open(cfg any, s saas.Setup) (*saas.Instance, error) {
	given, ok := cfg.(*Config)
	if !ok {
		return nil, fmt.Errorf("open googleworkspace: configuration is a %T", cfg)
	}
	k := key{}
	if !s.Offline {
		var err error
		if k, err = given.Auth.read(); err != nil {
			return nil, err
		}
	}
	base, c, err := given.resolve(s.Endpoint, k)
	if err != nil {
		return nil, err
	}
	c.Auth.Admin = strings.ToLower(c.Auth.Admin)
	cred := &credential{Config: c, key: k, base: base, setup: s.Filled()}
	f := &files{Config: c}
	return &saas.Instance{
		Base:    base,
		Hosts:   c.hosts(),
		Auth:    saas.Auth{Key: cred.keyOf, Mint: cred.mint},
		Fault:   fault,
		Budgets: budgets(),
		Rights:  cred.rights,
		Streams: append(c.activity(), c.inventoryStreams(f)...),
		Content: (&opener{files: f}).open,
		Actions: append(c.actions(), f.actions()...),
	}, nil
}

// NewFactory makes the googleworkspace receiver.
func NewFactory() receiver.Factory { return saas.NewFactory(Provider) }
