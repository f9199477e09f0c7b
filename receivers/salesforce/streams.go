package salesforce

import (
	"slices"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	day          = 24 * time.Hour
	inventorySet = "salesforce.inventory"
	reference    = "https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_"
	realTimeDocs = "https://developer.salesforce.com/docs/atlas.en-us.platform_events.meta/platform_events/sforce_api_objects_"
)

// realTime are the objects of real-time events that an org can store, if Event Monitoring is licensed and the event is
// switched on in Event Manager: stream, object, dataset.
// https://developer.salesforce.com/docs/atlas.en-us.platform_events.meta/platform_events/platform_events_objects_monitoring.htm
var realTime = []struct {
	stream, object, dataset string
	kind                    saas.Kind
}{
	{"login_event", "LoginEvent", "salesforce.login", saas.SignIn},
	{"logout_event", "LogoutEvent", "salesforce.logout", saas.SignIn},
	{"login_as_event", "LoginAsEvent", "salesforce.loginas", saas.SignIn},
	{"identity_verification_event", "IdentityVerificationEvent", "salesforce.identityverification", saas.SignIn},
	{"identity_provider_event", "IdentityProviderEventStore", "salesforce.identityprovider", saas.SignIn},
	{"api_event", "ApiEvent", "salesforce.api", saas.Audit},
	{"report_event", "ReportEvent", "salesforce.report", saas.Audit},
	{"list_view_event", "ListViewEvent", "salesforce.listview", saas.Audit},
	{"uri_event", "UriEvent", "salesforce.uri", saas.Audit},
	{"lightning_uri_event", "LightningUriEvent", "salesforce.lightninguri", saas.Audit},
	{"file_event", "FileEventStore", "salesforce.file", saas.Audit},
	{"permission_set_event", "PermissionSetEventStore", "salesforce.permissionset", saas.Audit},
	{"bulk_api_result_event", "BulkApiResultEventStore", "salesforce.bulkapiresult", saas.Audit},
	{"session_hijacking_event", "SessionHijackingEventStore", "salesforce.sessionhijacking", saas.Audit},
	{"credential_stuffing_event", "CredentialStuffingEventStore", "salesforce.credentialstuffing", saas.Audit},
	{"report_anomaly_event", "ReportAnomalyEventStore", "salesforce.reportanomaly", saas.Audit},
	{"api_anomaly_event", "ApiAnomalyEventStore", "salesforce.apianomaly", saas.Audit},
	{"guest_user_anomaly_event", "GuestUserAnomalyEventStore", "salesforce.guestuseranomaly", saas.Audit},
	{"login_anomaly_event", "LoginAnomalyEventStore", "salesforce.loginanomaly", saas.Audit},
}

// streams are what an org has to read.
func (o *org) streams() []saas.Stream {
	return slices.Concat(o.activity(), o.inventory(), o.fileStreams())
}
