package office365

import (
	"fmt"

	"go.opentelemetry.io/collector/receiver"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// Provider is Microsoft 365.
var Provider = saas.Provider{
	Name:   "office365",
	Module: "o365",
	Title:  "Office 365",
	Hosts: []string{"login.microsoftonline.com", "graph.microsoft.com", "manage.office.com", "*.sharepoint.com", "manage-gcc.office.com",
		"login.microsoftonline.us", "graph.microsoft.us", "manage.office365.us", "*.sharepoint.us", "dod-graph.microsoft.us",
		"manage.protection.apps.mil", "*.sharepoint-mil.us", "login.chinacloudapi.cn", "microsoftgraph.chinacloudapi.cn", "*.sharepoint.cn"},
	Covers: []saas.Cover{
		{Capability: saas.ListAccounts, Level: saas.Has, Proof: delivered},
		{Capability: saas.ListGroups, Level: saas.Has, Proof: delivered},
		{Capability: saas.ListPrivileges, Level: saas.Has, Proof: delivered},
		{Capability: saas.UserGovernance, Level: saas.Part, Proof: governed,
			Why: "what is mastered on premises is changed there, and administrators by a higher role only"},
		{Capability: saas.LogOnActivity, Level: saas.Has, Proof: delivered},
		{Capability: saas.UserActivity, Level: saas.Has, Proof: delivered},
		{Capability: saas.AdminActivity, Level: saas.Has, Proof: delivered},
		{Capability: saas.PeriodicDLP, Level: saas.Has, Proof: scanned},
		{Capability: saas.RealTimeDLP, Level: saas.Part, Proof: scanned,
			Why: "a library does not tell all changes of shares: the feed of activity tells them an hour or so later"},
		{Capability: saas.SharingControl, Level: saas.Part, Proof: governedFiles,
			Why: "what comes from a folder is removed there, and a link that was removed comes back with another address"},
		{Capability: saas.FileGovernance, Level: saas.Part, Proof: governedFiles,
			Why: "recycle bins are SharePoint's own API, which takes an app with a certificate only"},
		{Capability: saas.ViewAppRights, Level: saas.Has, Proof: delivered},
		{Capability: saas.RevokeAppRights, Level: saas.Has, Proof: governed},
		{Capability: saas.ApplyLabels, Level: saas.Part, Proof: governedFiles,
			Why: "Office files and PDF only, in the global cloud, and each label is charged for"},
	},
	Needs: needs(),
	Vendor: event.Vendor{Module: "o365", Layout: recordLayout, Reshape: reshape, Fields: recordTypes,
		Typed: []string{auditSet}},
	Config: func() any { return &Config{Cloud: "global", Files: Files{ScanEvery: day / 2}} },
	Open:   open,
	Sim:    newSim,
	Datasets: map[string]string{"": "audit_general", auditSet: "audit_general", signInSet: "sign_ins",
		directorySet: "directory_audits"},
}

// The tests that show what is covered.
const (
	delivered     = "TestEveryStreamIsDelivered"
	governed      = "TestActionsReachTheirState"
	governedFiles = "TestFileActionsReachTheirState"
	scanned       = "TestContentIsReadOnceAndAgainAfterAChange"
)

func needs() []saas.Need {
	need := func(c saas.Capability, why string, scopes ...string) saas.Need {
		return saas.Need{Capability: c, Licence: "any", Role: "application permissions, consented by an administrator", Scopes: scopes, Why: why}
	}
	user := need(saas.UserGovernance, "no account can be suspended, signed out or made to choose a new password",
		"User.EnableDisableAccount.All", "User.Read.All", "User-PasswordProfile.ReadWrite.All", "User.RevokeSessions.All")
	user.Role += "; for passwords also User Administrator, for administrators a higher role"
	logOn := need(saas.LogOnActivity, "the feed of activity cannot be read", "ActivityFeed.Read")
	logOn.Licence = "any; Entra ID P1 for sign_ins, which takes the place of audit_entra where that is off"
	label := need(saas.ApplyLabels, "no file can be labelled", "Files.ReadWrite.All")
	label.Licence = "Microsoft Purview, with metered APIs set up, and labels enabled for SharePoint"
	return []saas.Need{
		need(saas.ListAccounts, "users are not listed", "User.Read.All"),
		need(saas.ListGroups, "groups and their members are not listed", "Group.Read.All"),
		need(saas.ListPrivileges, "it is not known who administers", "RoleManagement.Read.Directory"),
		user, logOn,
		need(saas.UserActivity, "the feed of activity cannot be read", "ActivityFeed.Read", "ActivityFeed.ReadDlp"),
		need(saas.AdminActivity, "the feed of activity cannot be read", "ActivityFeed.Read"),
		need(saas.PeriodicDLP, "no file can be found and read", "User.Read.All", "Files.Read.All", "Sites.Read.All"),
		need(saas.RealTimeDLP, "it is not known which files change", "User.Read.All", "Files.Read.All", "Sites.Read.All"),
		need(saas.SharingControl, "links and people are seen and cannot be removed", "Files.ReadWrite.All"),
		need(saas.FileGovernance, "no file can be quarantined, deleted or restored", "Files.ReadWrite.All", sharePointRight),
		need(saas.ViewAppRights, "what apps may do is not known", "Directory.Read.All"),
		need(saas.RevokeAppRights, "permissions of apps are seen and cannot be revoked", "DelegatedPermissionGrant.ReadWrite.All",
			"AppRoleAssignment.ReadWrite.All", "Application.ReadWrite.All"),
		label,
	}
}

// NewFactory makes the office365 receiver.
func NewFactory() receiver.Factory { return saas.NewFactory(Provider) }

// open is Provider.Open. Without a type of credential the instance maps what it is given and can send nothing.
func open(cfg any, s saas.Setup) (*saas.Instance, error) {
	given, ok := cfg.(*Config)
	if !ok {
		return nil, fmt.Errorf("open office365: configuration is a %T", cfg)
	}
	c, err := given.resolve(s.Endpoint)
	if err != nil {
		return nil, err
	}
	t, err := newTenant(c, s.Filled())
	if err != nil {
		return nil, err
	}
	return &saas.Instance{
		Base:    t.graph(),
		Hosts:   append(saas.HostsOf(c.URLs.Login, c.URLs.Graph, c.URLs.Manage, c.URLs.SharePoint), "*."+clouds[c.Cloud].sharepoint),
		Auth:    saas.Auth{Key: t.resource, Mint: t.mint, Sign: sign},
		Fault:   fault,
		Budgets: t.budgets(),
		Rights:  t.rights,
		Streams: t.streams(),
		Content: content,
		Actions: t.actions(),
	}, nil
}
