package dashboard

// View is a set of documents that panels look at.
type View struct {
	ID, Title, Pattern string
	Timed              bool // the time picker applies
}

// The views.
var (
	Records  = View{"longshore-records", "Longshore records", "logs-*-saas", true}
	Entities = View{"longshore-entities", "Longshore entities (current state)", "saas-entities-saas", false}
	Letters  = View{"longshore-dead-letters", "Longshore dead letters", "logs-saas.dead_letter-saas", true}
)

// Kind is how a panel shows its numbers.
type Kind string

// The kinds.
const (
	Number Kind = "metric"
	Pie    Kind = "pie"
	Bars   Kind = "histogram" // over time
	Table  Kind = "table"
)

// Panel is one picture: what is counted among the documents of a view that a Lucene query finds.
type Panel struct {
	Title string
	Kind  Kind
	View  View
	Query string
	By    []string // fields whose values are counted apart
	Count string   // a field whose different values are counted; "" = documents
	Last  string   // a date whose latest value stands beside the count
}

// Dashboard is one page.
type Dashboard struct {
	ID, Title, Text string
	Panels          []Panel
}

const (
	signIns  = `event.category:authentication AND event.kind:event`
	failed   = signIns + ` AND event.outcome:failure`
	grants   = `entity.type:app_grant AND NOT event.type:deletion`
	files    = `entity.type:file AND NOT event.type:deletion AND NOT saas.entity.status:trashed`
	shared   = files + ` AND saas.share.visibility:(public OR link)`
	findings = `event.dataset:saas.finding AND event.kind:alert`
	scans    = `event.dataset:saas.finding AND event.action:content_scan`
	actions  = `event.dataset:saas.action`
)

// All are the dashboards.
var All = []Dashboard{
	{"longshore-sign-ins", "Longshore: sign-ins", "Who signs in to which application, from where, and what failed.", []Panel{
		{Title: "Sign-ins", Kind: Number, View: Records, Query: signIns},
		{Title: "Failed sign-ins", Kind: Number, View: Records, Query: failed},
		{Title: "Accounts with failed sign-ins", Kind: Number, View: Records, Query: failed, Count: "user.name"},
		{Title: "Sign-ins by outcome", Kind: Bars, View: Records, Query: signIns, By: []string{"event.outcome"}},
		{Title: "Second factor used", Kind: Pie, View: Records, Query: signIns + ` AND event.outcome:success`, By: []string{"saas.auth.mfa"}},
		{Title: "Applications signed in to", Kind: Pie, View: Records, Query: signIns, By: []string{"application.name"}},
		{Title: "Addresses that fail against many accounts", Kind: Table, View: Records, Query: failed, By: []string{"source.ip"},
			Count: "user.name",
			Last:  "@timestamp"},
		{Title: "Accounts that fail most", Kind: Table, View: Records, Query: failed, By: []string{"user.name", "event.reason"},
			Last: "@timestamp"},
		{Title: "Countries", Kind: Table, View: Records, Query: signIns, By: []string{"source.geo.country_name"},
			Count: "user.name", Last: "@timestamp"},
		{Title: "Changes of factors and passwords", Kind: Table, View: Records,
			Query: `saas.activity:(mfa_remove OR mfa_enroll OR password_reset)`, By: []string{"event.action", "user.target.name"},
			Last: "@timestamp"},
	}},
	{"longshore-grants", "Longshore: risky grants", "Applications with access, what they may do, who let them in; new roles.", []Panel{
		{Title: "Grants to applications", Kind: Number, View: Entities, Query: grants},
		{Title: "Granted by an administrator for all", Kind: Number, View: Entities, Query: grants + ` AND saas.grant.admin_consent:true`},
		{Title: "Applications with grants", Kind: Number, View: Entities, Query: grants, Count: "saas.app.id"},
		{Title: "Publisher verified", Kind: Pie, View: Entities, Query: `entity.type:(app_grant OR application)`,
			By: []string{"saas.app.verified"}},
		{Title: "Scopes", Kind: Table, View: Entities, Query: grants, By: []string{"saas.grant.scopes"}, Count: "saas.app.id"},
		{Title: "Applications and their scopes", Kind: Table, View: Entities, Query: grants,
			By:    []string{"saas.app.name", "saas.grant.scopes"},
			Count: "user.id"},
		{Title: "Consents", Kind: Bars, View: Records, Query: `saas.activity:(app_consent OR app_install OR app_credential_add)`,
			By: []string{"event.action"}},
		{Title: "Roles granted", Kind: Table, View: Records, Query: `saas.activity:role_grant`,
			By:   []string{"user.target.name", "saas.role.name"},
			Last: "@timestamp"},
		{Title: "Holders of privileged roles", Kind: Table, View: Entities,
			Query: `entity.type:role_assignment AND saas.role.privileged:true`,
			By:    []string{"saas.role.name", "user.name"}},
		{Title: "Credentials", Kind: Table, View: Entities, Query: `entity.type:credential AND NOT event.type:deletion`,
			By: []string{"saas.credential.type", "user.name"}, Last: "saas.credential.expires"},
	}},
	{"longshore-files", "Longshore: exposed files", "Files that others can reach, with whom, and what was found in them.", []Panel{
		{Title: "Files", Kind: Number, View: Entities, Query: files},
		{Title: "Files behind a link or public", Kind: Number, View: Entities, Query: shared},
		{Title: "Exposed files with findings", Kind: Number, View: Entities, Query: shared + ` AND saas.finding.count:>0`},
		{Title: "Visibility", Kind: Pie, View: Entities, Query: files, By: []string{"saas.share.visibility"}},
		{Title: "Links with a password", Kind: Pie, View: Entities, Query: shared, By: []string{"saas.share.link.password"}},
		{Title: "Domains outside", Kind: Table, View: Entities, Query: files, By: []string{"saas.share.external_domains"},
			Count: "saas.file.owner.email"},
		{Title: "Owners of exposed files", Kind: Table, View: Entities, Query: shared, By: []string{"saas.file.owner.email"}},
		{Title: "What is in files that are shared", Kind: Table, View: Entities, Query: files + ` AND saas.finding.count:>0`,
			By: []string{"saas.finding.data_type", "saas.share.visibility"}},
		{Title: "Shared and unshared", Kind: Bars, View: Records,
			Query: `saas.activity:(share_public OR share_external OR share_internal OR link_create OR link_remove OR collab_add OR collab_remove)`,
			By:    []string{"saas.activity"}},
		{Title: "Downloads", Kind: Table, View: Records, Query: `saas.activity:(file_download OR sync_download)`, By: []string{"user.name"},
			Count: "saas.file.id", Last: "@timestamp"},
	}},
	{"longshore-findings", "Longshore: findings", "What classification and policies found, and what could not be read.", []Panel{
		{Title: "Findings", Kind: Number, View: Records, Query: findings},
		{Title: "Files with findings", Kind: Number, View: Records, Query: findings, Count: "saas.file.id"},
		{Title: "Files not fully read", Kind: Number, View: Records, Query: scans + ` AND NOT saas.finding.scan:done`, Count: "saas.file.id"},
		{Title: "Findings by type", Kind: Bars, View: Records, Query: findings, By: []string{"saas.finding.data_type"}},
		{Title: "Types", Kind: Pie, View: Records, Query: findings, By: []string{"saas.finding.data_type"}},
		{Title: "Policies that held", Kind: Table, View: Records, Query: findings + ` AND event.action:policy_match`,
			By: []string{"rule.name", "event.severity"}, Last: "@timestamp"},
		{Title: "Files", Kind: Table, View: Records, Query: findings + ` AND _exists_:saas.file.id`,
			By: []string{"file.name", "saas.finding.data_type"}, Last: "@timestamp"},
		{Title: "How far files were read", Kind: Pie, View: Records, Query: scans, By: []string{"saas.finding.scan"}},
		{Title: "Why files were not read", Kind: Table, View: Records, Query: scans + ` AND NOT saas.finding.scan:done`,
			By: []string{"event.reason", "file.extension"}},
		{Title: "Alerts of the applications themselves", Kind: Table, View: Records,
			Query: `event.kind:alert AND NOT event.dataset:saas.finding`,
			By:    []string{"event.module", "event.action"}, Last: "@timestamp"},
	}},
	{"longshore-actions", "Longshore: actions", "What governance would do, did, and what became of it.", []Panel{
		{Title: "Actions", Kind: Number, View: Records, Query: actions, Count: "saas.action.id"},
		{Title: "Done", Kind: Number, View: Records, Query: actions + ` AND saas.activity:action_result AND event.outcome:success`,
			Count: "saas.action.id"},
		{Title: "Failed or refused", Kind: Number, View: Records,
			Query: actions + ` AND saas.activity:action_result AND event.outcome:failure`,
			Count: "saas.action.id"},
		{Title: "Actions by mode", Kind: Bars, View: Records, Query: actions, By: []string{"saas.action.mode"}},
		{Title: "Verbs", Kind: Pie, View: Records, Query: actions, By: []string{"event.action"}},
		{Title: "Policies", Kind: Table, View: Records, Query: actions, By: []string{"saas.action.policy", "event.action"},
			Count: "saas.action.id",
			Last:  "@timestamp"},
		{Title: "On whom", Kind: Table, View: Records, Query: actions, By: []string{"user.target.name", "event.action"}, Last: "@timestamp"},
		{Title: "Why not", Kind: Table, View: Records, Query: actions + ` AND event.outcome:failure`,
			By:   []string{"event.action", "event.reason"},
			Last: "@timestamp"},
	}},
	{"longshore-health", "Longshore: collection health", "Whether every tenant's streams arrive, how late, and what was set aside.", []Panel{
		{Title: "Records", Kind: Number, View: Records},
		{Title: "Tenants", Kind: Number, View: Records, Count: "saas.tenant"},
		{Title: "Dead letters", Kind: Number, View: Letters},
		{Title: "Records by dataset", Kind: Bars, View: Records, By: []string{"event.dataset"}},
		{Title: "Newest record of each stream", Kind: Table, View: Records, By: []string{"event.module", "saas.tenant", "event.dataset"},
			Last: "@timestamp"},
		{Title: "Last fetched", Kind: Table, View: Records, By: []string{"saas.tenant", "event.dataset"}, Last: "event.created"},
		{Title: "Complete walks of accounts and files", Kind: Table, View: Records, Query: `saas.inventory.complete:true`,
			By: []string{"event.module", "saas.tenant"}, Last: "@timestamp"},
		{Title: "Gaps and other words of the collector", Kind: Table, View: Records, Query: `event.dataset:saas.agent`,
			By: []string{"saas.tenant", "event.action", "event.provider"}, Last: "@timestamp"},
		{Title: "Why records were set aside", Kind: Table, View: Letters, By: []string{"saas.dead_letter.dataset", "error.type"},
			Last: "@timestamp"},
	}},
}
