package salesforce

import "strings"

// storedColumns are the columns of each stored real-time event that are asked for beside those that all have: an object, and its
// columns. Left out is what later versions of the API added, which others refuse to name, and the rows that somebody looked at.
// https://developer.salesforce.com/docs/atlas.en-us.platform_events.meta/platform_events/platform_events_objects_monitoring.htm
const storedColumns = `
LoginEvent: AdditionalInfo ApiType ApiVersion Application AuthMethodReference AuthServiceId Browser CipherSuite City ClientVersion
   Country CountryIso HttpMethod LoginGeoId LoginHistoryId LoginKey LoginLatitude LoginLongitude LoginSubType LoginType LoginUrl
   NetworkId Platform PolicyId PolicyOutcome PostalCode ProfileId RelatedEventIdentifier RoleId SessionKey SessionLevel SourceIp
   Status Subdivision TlsProtocol UserType Username
LogoutEvent: LoginKey ProfileId RoleId SessionKey SessionLevel SourceIp Username
LoginAsEvent: Application Browser DelegatedOrganizationId DelegatedUsername LoginAsCategory LoginHistoryId LoginKey LoginType Platform
   PolicyId PolicyOutcome ProfileId RoleId SessionKey SessionLevel SourceIp TargetUrl UserType Username
ApiEvent: AdditionalInfo ApiType ApiVersion Application Client ConnectedAppId ElapsedTime LoginHistoryId LoginKey Operation Platform
   PolicyId PolicyOutcome ProfileId QueriedEntities Query RelatedEventIdentifier RoleId RowsProcessed RowsReturned SessionKey
   SessionLevel SourceIp UserAgent Username
ReportEvent: DashboardId DashboardName Description EventSource ExecutionIdentifier ExportFileFormat Format IsScheduled LoginHistoryId
   LoginKey Name NumberOfColumns Operation OwnerId PolicyId PolicyOutcome ProfileId QueriedEntities RelatedEventIdentifier ReportId
   RoleId RowsProcessed Scope Sequence SessionKey SessionLevel SourceIp Username
ListViewEvent: AppName DeveloperName EventSource ExecutionIdentifier FilterCriteria ListViewId LoginHistoryId LoginKey Name
   NumberOfColumns OrderBy OwnerId PolicyId PolicyOutcome ProfileId QueriedEntities RelatedEventIdentifier RoleId RowsProcessed Scope
   Sequence SessionKey SessionLevel SourceIp Username
UriEvent: LoginKey Message Name Operation OperationStatus ProfileId QueriedEntities RecordId RelatedEventIdentifier RoleId SessionKey
   SessionLevel SourceIp UserType Username
LightningUriEvent: AppName ConnectionType DeviceModel DevicePlatform Duration EffectivePageTime EffectivePageTimeDeviationErrorType
   EffectivePageTimeDeviationReason HasEffectivePageTimeDeviation LoginKey Operation OsName OsVersion PageStartTime PageUrl
   PreviousPageAppName PreviousPageEntityId PreviousPageEntityType PreviousPageUrl ProfileId QueriedEntities RecordId
   RelatedEventIdentifier RoleId SdkAppType SdkAppVersion SdkVersion SessionKey SessionLevel SourceIp UserAgent UserType Username
FileEventStore: CanDownloadPdf ContentSize DocumentId FileAction FileName FileSource FileType IsLatestVersion LoginKey PolicyId
   PolicyOutcome ProcessDuration ProfileId RelatedEventIdentifier RoleId SessionKey SessionLevel SourceIp Username VersionId
   VersionNumber
PermissionSetEventStore: EventSource HasExternalUsers ImpactedUserIds LoginHistoryId LoginKey Operation ParentIdList ParentNameList
   PermissionExpiration PermissionExpirationList PermissionList PermissionType PolicyId PolicyOutcome ProfileId RelatedEventIdentifier
   RoleId SessionKey SessionLevel SourceIp UserCount Username
BulkApiResultEventStore: LoginHistoryId LoginKey PolicyId PolicyOutcome ProfileId Query RelatedEventIdentifier RoleId SessionKey
   SessionLevel SourceIp Username
IdentityVerificationEvent: Activity City Country CountryIso EventGroup Latitude LoginHistoryId LoginKey Longitude Policy PostalCode
   ProfileId Remarks ResourceId RoleId SessionKey SessionLevel SourceIp Status Subdivision Username VerificationMethod
IdentityProviderEventStore: AppId AuthSessionId ErrorCode HasLogoutUrl IdentityUsed InitiatedBy ProfileId RoleId SamlEntityUrl SsoType
SessionHijackingEventStore: CurrentIp CurrentPlatform CurrentUserAgent LoginKey PolicyId PolicyOutcome PreviousIp PreviousPlatform
   PreviousUserAgent Score SecurityEventData SessionHijackingEventNumber SessionKey SourceIp Summary Username
CredentialStuffingEventStore: CredentialStuffingEventNumber LoginKey LoginType LoginUrl PolicyId PolicyOutcome Score SessionKey
   SourceIp Summary UserAgent Username
ReportAnomalyEventStore: LoginKey PolicyId PolicyOutcome Report ReportAnomalyEventNumber Score SecurityEventData SessionKey SourceIp
   Summary Username
ApiAnomalyEventStore: ApiAnomalyEventNumber LoginKey Operation PolicyId PolicyOutcome QueriedEntities RowsProcessed Score
   SecurityEventData SessionKey SourceIp Summary Uri UserAgent Username
GuestUserAnomalyEventStore: GuestUserAnomalyEventNumber LoginKey PolicyId PolicyOutcome RequestedEntities Score SecurityEventData
   SessionKey SoqlCommands SourceIp Summary TotalControllerEvents UserAgent UserType Username
LoginAnomalyEventStore: FeatureContribution FeatureName FeatureValue LoginAnomalyEventNumber LoginKey PolicyId PolicyOutcome Score
   SecurityEventData SessionKey SourceIp Summary Username
`

// realTimeColumns are the columns of a stored real-time event.
func realTimeColumns(object string) string {
	all := []string{"Id", "EventIdentifier", "EventDate", "CreatedDate", "UserId"}
	_, of, _ := strings.Cut(storedColumns, "\n"+object+":")
	for name := range strings.FieldsSeq(of) {
		if strings.HasSuffix(name, ":") {
			break
		}
		all = append(all, name)
	}
	return strings.Join(all, ",")
}
