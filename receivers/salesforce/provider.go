package salesforce

import (
	"fmt"
	"net/http"
	"strings"

	"go.opentelemetry.io/collector/receiver"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/saas/infile"
)

// Provider is Salesforce.
var Provider = saas.Provider{
	Name:  "salesforce",
	Title: "Salesforce",
	Hosts: []string{"login.salesforce.com", "test.salesforce.com", "*.my.salesforce.com", "*.file.force.com"},
	Covers: []saas.Cover{
		{Capability: saas.ListAccounts, Level: saas.Has, Proof: delivered},
		{Capability: saas.ListGroups, Level: saas.Has, Proof: delivered},
		{Capability: saas.ListPrivileges, Level: saas.Has, Proof: delivered},
		{Capability: saas.UserGovernance, Level: saas.Has, Proof: "TestAccountsReachTheirState"},
		{Capability: saas.LogOnActivity, Level: saas.Has, Proof: delivered},
		{Capability: saas.UserActivity, Level: saas.Part, Proof: delivered,
			Why: "it needs Event Monitoring or Shield; without, there are log files of log-ons and few other types, a day late"},
		{Capability: saas.AdminActivity, Level: saas.Has, Proof: delivered},
		{Capability: saas.PeriodicDLP, Level: saas.Has, Proof: "TestEveryKindOfFileIsReadAsItIs"},
		{Capability: saas.RealTimeDLP, Level: saas.Has, Proof: "TestAChangedFileIsReadAgain"},
		{Capability: saas.SharingControl, Level: saas.Has, Proof: "TestFileActionsReachTheirState"},
		{Capability: saas.FileGovernance, Level: saas.Has, Proof: "TestFileActionsReachTheirState"},
		{Capability: saas.ViewAppRights, Level: saas.Part, Proof: delivered,
			Why: "the scopes of external client apps are seen; those of connected apps stand in their metadata, which is not read"},
		{Capability: saas.RevokeAppRights, Level: saas.Has, Proof: "TestTokensAreRevokedInEveryForm"},
		{Capability: saas.ApplyLabels, Level: saas.Part, Proof: "TestALabelIsPutIntoTheFile",
			Why: "Salesforce has no field for it: where in_file_labels is set, the label is written into Word, Excel and PowerPoint files"},
	},
	Needs: []saas.Need{
		need(saas.ListAccounts, "any", "users are not listed, or not who is frozen", "ViewAllUsers", "ManageUsers"),
		need(saas.ListGroups, "any", "groups and their members are not listed", "ApiEnabled"),
		need(saas.ListPrivileges, "any", "permission sets and who has them are not listed", "ViewSetup"),
		need(saas.UserGovernance, "any", "no account can be frozen, deactivated, signed out or given another password", "ManageUsers",
			"FreezeUsers", "ResetPasswords"),
		need(saas.LogOnActivity, "any; Event Monitoring for log-outs", "log-ons cannot be read", "MonitorLoginHistory"),
		need(saas.UserActivity, "Event Monitoring or Shield", "log files and stored events cannot be read", "ViewEventLogFiles",
			"ViewPlatformEvents", "ViewAnomalyEvents"),
		need(saas.AdminActivity, "any", "the setup audit trail cannot be read", "ViewSetup"),
		need(saas.PeriodicDLP, "any", "files of others cannot be found", "QueryAllFiles", "ViewAllData"),
		need(saas.RealTimeDLP, "any", "it is not known which files of others change", "QueryAllFiles", "ViewAllData"),
		need(saas.SharingControl, "any", "links and shares are seen and cannot be taken away", "ModifyAllData"),
		need(saas.FileGovernance, "any", "no file of others can be quarantined, deleted or restored", "ModifyAllData"),
		need(saas.ViewAppRights, "any", "apps and their tokens are not listed", "ExternalClientAppViewer", "CustomizeApplication"),
		need(saas.ApplyLabels, "any", "no label can be written into files of others", "ModifyAllData", "QueryAllFiles"),
		need(saas.RevokeAppRights, "any", "tokens are seen and cannot be revoked", "ExternalClientAppViewer", "CustomizeApplication"),
	},
	Vendor: event.Vendor{Module: "salesforce", Snake: true, Layout: eventLayout, Fields: eventTypes,
		Typed: []string{"salesforce.login", "salesforce.logout", "salesforce.apex", "salesforce.setupaudittrail"}},
	Config: func() any { return defaults() },
	Open:   open,
	Sim:    newSim,
	Datasets: map[string]string{"": "event_log_files", "salesforce.login": "login_history", "salesforce.logout": "logout_event",
		"salesforce.apex": "event_log_files", "salesforce.setupaudittrail": "setup_audit_trail", "salesforce.eventlogfile": "event_log_files"},
}

// delivered is the test that every stream comes, of every kind that the sheet of the fake lists.
const delivered = "TestContract"

func need(c saas.Capability, licence, why string, scopes ...string) saas.Need {
	return saas.Need{Capability: c, Licence: licence, Role: "a permission set with these permissions", Scopes: scopes, Why: why}
}

// NewFactory makes the salesforce receiver.
func NewFactory() receiver.Factory { return saas.NewFactory(Provider) }

// open is Provider.Open.
func open(cfg any, s saas.Setup) (*saas.Instance, error) {
	given, ok := cfg.(*Config)
	if !ok {
		return nil, fmt.Errorf("open salesforce: configuration is a %T", cfg)
	}
	o := &org{}
	base, c, err := given.resolve(s.Endpoint)
	if err == nil {
		o.Config, o.labels = c, infile.New(c.InFileLabels, c.Labels)
		o.cred, err = newCredential(c, s.Filled())
	}
	if err != nil {
		return nil, err
	}
	return &saas.Instance{
		Base:    base,
		Hosts:   append(saas.HostsOf(c.URLs.Token), "*.my.salesforce.com", "*.file.force.com"),
		Auth:    saas.Auth{Mint: o.cred.mint, Sign: sign},
		Fault:   o.cred.fault,
		Budgets: budgets(),
		Rights:  o.rights,
		Streams: o.streams(),
		Content: o.content,
		Actions: o.actions(),
	}, nil
}

// budgets are the requests of an org in 24 hours, which all who connect to it share, and those under way: 25 may take longer than
// 20 s. https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/
// salesforce_app_limits_platform_api.htm
func budgets() []saas.Budget {
	api := func(q saas.Req) bool {
		return strings.Contains(q.URL, "/services/data/") || strings.Contains(q.URL, "/services/Soap/")
	}
	return []saas.Budget{
		{Name: "in flight", Match: api, Limit: 25},
		{Name: "requests", Match: api, Limit: 100_000, Per: day, Used: used, Rest: pause, Upto: func(k saas.Kind) float64 {
			if k < saas.Accounts {
				return 0.95
			}
			return 0.8
		}},
	}
}

// used reads what every answer says: api-usage=18/5000.
func used(h http.Header) (n, limit int) {
	for part := range strings.SplitSeq(h.Get("Sforce-Limit-Info"), ";") {
		if _, err := fmt.Sscanf(strings.TrimSpace(part), "api-usage=%d/%d", &n, &limit); err == nil {
			return n, limit
		}
	}
	return 0, 0
}
