package salesforce

import (
	"slices"
	"strings"
)

// simObject is an object of the org as describe shows it: its name, the prefix of its ids and its fields. A field is "Name" or
// "Name:type"; without a type it is text, or an id where its name ends with Id; "ProfileId>Profile" leads to another object. The
// words with a plus stand for fields that many have.
type simObject struct{ name, prefix, fields string }

// simMany are fields that many objects have.
var simMany = strings.NewReplacer(
	"+audit", "CreatedById>User CreatedDate:time Id LastModifiedById>User LastModifiedDate:time SystemModstamp:time",
	"+event", "CreatedDate:time EventDate:time EventIdentifier Id LoginKey SessionKey SourceIp UserId>User Username",
	"+who", "ProfileId>Profile RoleId>UserRole SessionLevel",
	"+policy", "EvaluationTime:num PolicyId PolicyOutcome",
	"+detect", "LastModifiedDate:time LastReferencedDate:time LastViewedDate:time Score:num SystemModstamp:time Summary")

// simField is a field of an object. Type is as describe names it.
type simField struct{ name, kind, to string }

// simKinds are the types of fields by their short names.
var simKinds = map[string]string{"": "string", "text": "string", "bool": "boolean", "time": "datetime", "date": "date", "num": "double",
	"int": "int", "id": "id", "ref": "reference", "blob": "base64"}

// simSchema are the objects' fields by their names in lower case.
type simSchema struct {
	simObject
	list []simField
	by   map[string]simField
}

// simPermissions are the permissions that profiles and permission sets give.
var simPermissions = strings.Fields(`ApiEnabled AuthorApex CustomizeApplication EventLogReadAccess ExternalClientAppViewer FreezeUsers
	ManageInternalUsers ManageUsers ModifyAllData MonitorLoginHistory QueryAllFiles ResetPasswords ViewAllData ViewAllProfiles ViewAllUsers
	ViewAnomalyEvents ViewEventLogFiles ViewPlatformEvents ViewRoles ViewSetup ManageProfilesPermissionsets AssignPermissionSets ManageRoles
	DataExport ModifyMetadata ViewEncryptedData PasswordNeverExpires ExportReport`)

// simSchemas reads the table of objects.
func simSchemas() map[string]*simSchema {
	out := map[string]*simSchema{}
	for _, o := range simObjects {
		s := &simSchema{simObject: o, by: map[string]simField{}}
		words := strings.Fields(simMany.Replace(o.fields))
		if slices.Contains([]string{"Profile", "PermissionSet", "UserPermissionAccess"}, o.name) {
			for _, p := range simPermissions {
				words = append(words, "Permissions"+p+":bool")
			}
		}
		for _, w := range words {
			w, to, _ := strings.Cut(w, ">")
			name, kind, _ := strings.Cut(w, ":")
			switch {
			case name == "Id":
				kind = "id"
			case kind == "" && strings.HasSuffix(name, "Id"):
				kind = "ref"
			}
			f := simField{name, simKinds[kind], to}
			s.list, s.by[strings.ToLower(name)] = append(s.list, f), f
		}
		out[strings.ToLower(o.name)] = s
	}
	return out
}

// simObjects are the objects of the org, with the fields of API version 67.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/
var simObjects = []simObject{
	{"Name", "", `Id Alias Email FirstName IsActive:bool LastName Name Phone Title Type Username`}, // of whatever an id may be of
	{"User", "005", `+audit AccountId Alias City CommunityNickname CompanyName ContactId Country DefaultCurrencyIsoCode
		DelegatedApproverId Department Division Email EmailEncodingKey EmployeeNumber FederationIdentifier FirstName IsActive:bool
		IsPartner:bool IsPortalEnabled:bool LanguageLocaleKey LastLoginDate:time LastName LastPasswordChangeDate:time LocaleSidKey
		ManagerId>User MobilePhone Name NumberOfFailedLogins:int PasswordExpirationDate:time Phone ProfileId>Profile State TimeZoneSidKey
		Title UserRoleId>UserRole UserType Username`},
	{"UserLogin", "0Yw", `Id IsFrozen:bool IsPasswordLocked:bool LastModifiedById>User LastModifiedDate:time UserId>User`},
	{"Profile", "00e", `+audit Description IsSsoEnabled:bool LastReferencedDate:time LastViewedDate:time Name UserLicenseId UserType`},
	{"UserRole", "00E", `CaseAccessForAccountOwner ContactAccessForAccountOwner DeveloperName ForecastUserId>User Id
		LastModifiedById>User LastModifiedDate:time MayForecastManagerShare:bool Name OpportunityAccessForAccountOwner ParentRoleId>UserRole
		PortalAccountId PortalAccountOwnerId>User PortalRole PortalType RollupDescription SystemModstamp:time`},
	{"Group", "00G", `+audit DefaultDivision Description DeveloperName DoesIncludeBosses:bool DoesSendEmailToMembers:bool Email Name
		OwnerId>Name RelatedId>Name Type`},
	{"GroupMember", "011", `GroupId>Group Id SystemModstamp:time UserOrGroupId`},
	{"CollaborationGroup", "0F9", `+audit AnnouncementId BannerPhotoUrl CanHaveGuests:bool CollaborationType Description FullPhotoUrl
		GroupEmail HasPrivateFieldsAccess:bool InformationBody InformationTitle IsArchived:bool IsAutoArchiveDisabled:bool IsBroadcast:bool
		LastFeedModifiedDate:time LastReferencedDate:time LastViewedDate:time MediumPhotoUrl MemberCount:int Name NetworkId OwnerId>User
		SmallPhotoUrl`},
	{"CollaborationGroupMember", "0FB", `+audit CollaborationGroupId>CollaborationGroup CollaborationRole LastFeedAccessDate:time
		MemberId>User NetworkId NotificationFrequency`},
	{"PermissionSet", "0PS", `+audit Description HasActivationRequired:bool IsCustom:bool IsOwnedByProfile:bool Label LicenseId>Name
		Name NamespacePrefix PermissionSetGroupId>PermissionSetGroup ProfileId>Profile PsgCount:int Type`},
	{"PermissionSetGroup", "0PG", `+audit Description DeveloperName HasActivationRequired:bool IsDeleted:bool Language MasterLabel
		NamespacePrefix Status`},
	{"PermissionSetGroupComponent", "0PN", `+audit IsDeleted:bool PermissionSetGroupId>PermissionSetGroup PermissionSetId>PermissionSet`},
	{"PermissionSetAssignment", "0Pa", `AssigneeId>User ExpirationDate:time Id IsActive:bool IsRevoked:bool
		PermissionSetGroupId>PermissionSetGroup PermissionSetId>PermissionSet SystemModstamp:time`},
	{"SetupEntityAccess", "0J0", `Id ParentId>PermissionSet SetupEntityId SetupEntityType SystemModstamp:time`},
	{"UserPermissionAccess", "0gH", `Id LastCacheUpdate:time`},
	{"LoginHistory", "0Ya", `ApiType ApiVersion Application AuthContextClassRef AuthMethodReference AuthenticationServiceId Browser
		CipherSuite ClientVersion CountryIso ForwardedForIp Id LoginGeoId>LoginGeo LoginSubType LoginTime:time LoginType LoginUrl NetworkId
		OptionsIsGet:bool OptionsIsPost:bool Platform SourceIp Status TlsProtocol UserId>User`},
	{"LoginGeo", "04F", `+audit City Country CountryIso IsDeleted:bool Latitude:num LoginTime:time Longitude:num PostalCode Subdivision`},
	{"SetupAuditTrail", "0Ym", `Action CreatedByContext CreatedById>User CreatedByIssuer CreatedDate:time DelegateUser Display Id
		ResponsibleNamespacePrefix Section SystemModstamp:time`},
	{"VerificationHistory", "0YG", `+audit Activity EventGroup:int IsDeleted:bool LoginGeoId>LoginGeo LoginHistoryId>LoginHistory Policy
		Remarks ResourceId>ConnectedApplication SourceIp Status UserId>User VerificationMethod VerificationTime:time`},
	{"EventLogFile", "0AT", `+audit ApiVersion:num EventType Interval IsDeleted:bool LogDate:time LogFile:blob LogFileContentType
		LogFileFieldNames LogFileFieldTypes LogFileLength:num Sequence:int`},
	{"LoginEvent", "0EV", `+event +policy +who AdditionalInfo ApiType ApiVersion Application AuthContextClassRef AuthMethodReference
		AuthServiceId Browser CipherSuite City ClientVersion Country CountryIso ForwardedForIp HttpMethod LoginGeoId LoginHistoryId
		LoginLatitude:num LoginLongitude:num LoginSubType LoginType LoginUrl NetworkId Platform PostalCode RelatedEventIdentifier Status
		Subdivision TlsProtocol UserType`},
	{"LogoutEvent", "0EV", `+event +who`},
	{"LoginAsEvent", "0EV", `+event +policy +who Application Browser DelegatedOrganizationId:text DelegatedUsername
		LoginAccessChangeExpDate:time LoginAccessChangeGranteeName LoginAccessChangeGranteeType LoginAsCategory LoginHistoryId LoginType
		Platform TargetUrl UserType`},
	{"ApiEvent", "0EV", `+event +policy +who ActionName AdditionalInfo ApiType ApiVersion:num Application BotSessionIdentifier Client
		ConnectedAppId>ConnectedApplication ElapsedTime:int LoginHistoryId>LoginHistory Operation OperationStatus PlannerId Platform
		QueriedEntities Query Records RelatedEventIdentifier RequestIdentifier RowsProcessed:num RowsReturned:num UserAgent`},
	{"ReportEvent", "0EV", `+event +policy +who ActionName BotSessionIdentifier ColumnHeaders DashboardId DashboardName Description
		DisplayedFieldEntities EventSource ExecutionIdentifier ExportFileFormat Format GroupedColumnHeaders IsScheduled:bool
		LoginHistoryId>LoginHistory Name NumberOfColumns:int Operation OwnerId>Name PlannerId QueriedEntities Records RelatedEventIdentifier
		ReportId RowsProcessed:num Scope Sequence:int`},
	{"ListViewEvent", "0EV", `+event +policy +who AppName ColumnHeaders DeveloperName EventSource ExecutionIdentifier FilterCriteria
		ListViewId LoginHistoryId>LoginHistory Name NumberOfColumns:int OrderBy OwnerId>Name QueriedEntities Records RelatedEventIdentifier
		RowsProcessed:num Scope Sequence:int`},
	{"UriEvent", "0EV", `+event +who Message Name Operation OperationStatus QueriedEntities RecordId RelatedEventIdentifier UserType`},
	{"LightningUriEvent", "0EV", `+event +who AppName ConnectionType DeviceId:text DeviceModel DevicePlatform DeviceSessionId:text
		Duration:num EffectivePageTime:num EffectivePageTimeDeviationErrorType EffectivePageTimeDeviationReason
		HasEffectivePageTimeDeviation:bool Operation OsName OsVersion PageStartTime:time PageUrl PreviousPageAppName PreviousPageEntityId
		PreviousPageEntityType PreviousPageUrl QueriedEntities RecordId RelatedEventIdentifier SdkAppType SdkAppVersion SdkVersion UserAgent
		UserType`},
	{"FileEventStore", "0EV", `+event +policy +who CanDownloadPdf:bool ContentSize:int CreatedById>User DocumentId>ContentDocument
		FileAction FileName FileSource FileType IsLatestVersion:bool LastModifiedById>User LastModifiedDate:time ProcessDuration:num
		RelatedEventIdentifier SystemModstamp:time VersionId>ContentVersion VersionNumber`},
	{"PermissionSetEventStore", "0EV", `+event +policy +who EventSource HasExternalUsers:bool ImpactedUserIds
		LoginHistoryId>LoginHistory Operation ParentIdList ParentNameList PermissionExpiration:time PermissionExpirationList PermissionList
		PermissionType RelatedEventIdentifier UserCount`},
	{"BulkApiResultEventStore", "0EV", `+event +policy +who LoginHistoryId>LoginHistory Query RelatedEventIdentifier`},
	{"IdentityVerificationEvent", "0EV", `+event +who Activity City Country CountryIso EventGroup Latitude:num
		LoginHistoryId>LoginHistory Longitude:num Policy PostalCode Remarks ResourceId>ConnectedApplication Status Subdivision
		VerificationMethod`},
	{"IdentityProviderEventStore", "0EV", `AppId>ConnectedApplication AuthSessionId>AuthSession CreatedDate:time ErrorCode
		EventDate:time EventIdentifier HasLogoutUrl:bool Id IdentityUsed InitiatedBy ProfileId>Profile RoleId>UserRole SamlEntityUrl SsoType
		UserId>User`},
	{"SessionHijackingEventStore", "0EV", `+detect +event +policy CurrentIp CurrentPlatform CurrentScreen CurrentUserAgent CurrentWindow
		PreviousIp PreviousPlatform PreviousScreen PreviousUserAgent PreviousWindow SecurityEventData SessionHijackingEventNumber`},
	{"CredentialStuffingEventStore", "0EV", `+detect +event +policy AcceptLanguage CredentialStuffingEventNumber LoginType LoginUrl
		UserAgent`},
	{"ReportAnomalyEventStore", "0EV", `+detect +event +policy Report ReportAnomalyEventNumber SecurityEventData`},
	{"ApiAnomalyEventStore", "0EV", `+detect +event +policy ApiAnomalyEventNumber Operation QueriedEntities RequestIdentifier
		RowsProcessed:num SecurityEventData Uri UserAgent`},
	{"GuestUserAnomalyEventStore", "0EV", `+detect +event +policy GuestUserAnomalyEventNumber RequestedEntities SecurityEventData
		SoqlCommands TotalControllerEvents:int UserAgent UserType`},
	{"LoginAnomalyEventStore", "0EV", `+detect +event +policy FeatureContribution:num FeatureName FeatureValue:num
		LoginAnomalyEventNumber SecurityEventData`},
	{"AuthSession", "0Ak", `CreatedDate:time Id IsAssociatedWithJwtAccessToken:bool IsCurrent:bool LastModifiedDate:time
		LoginGeoId>LoginGeo LoginHistoryId>LoginHistory LoginSubType LoginType LogoutUrl NumSecondsValid:int ParentId>AuthSession
		SessionSecurityLevel SessionType SourceIp UserType UsersId>User`},
	{"OauthToken", "0CQ", `AccessToken AppMenuItemId>AppMenuItem AppName CreatedDate:time DeleteToken Id LastUsedDate:time RequestToken
		UseCount:int UserId>User`},
	{"ConnectedApplication", "0H4", `+audit MobileSessionTimeout MobileStartUrl Name NamedUserUvidTimeout
		OptionsAllowAdminApprovedUsersOnly:bool OptionsAllowExpiredUvidJWT:bool OptionsAppIssueJwtTokenEnabled:bool
		OptionsCodeCredentialGuestEnabled:bool OptionsFullContentPushNotifications:bool OptionsHasSessionLevelPolicy:bool
		OptionsIsInternal:bool OptionsRefreshTokenValidityMetric:bool OptionsTokenExchangeManageBitEnabled:bool PinLength
		RefreshTokenValidityPeriod:int StartUrl UvidTimeout`},
	{"AppMenuItem", "0DS", `+audit ApplicationId Description IsAccessible:bool IsDeleted:bool IsRegisteredDeviceOnly:bool
		IsUsingAdminAuthorization:bool IsVisible:bool Label Name NamespacePrefix SortOrder:int StartUrl Type UserSortOrder:int`},
	{"ExternalClientApplication", "0xI", `+audit ContactEmail ContactPhone Description DeveloperName DistributionState IconUrl InfoUrl
		IsDeleted:bool Language LogoUrl ManagedCollection ManagedSetupPointer ManagedType MasterLabel NamespacePrefix OrgScopedExternalApp
		Version`},
	{"ExtlClntAppOauthSettings", "0xQ", `+audit ClientAssertionCertificate DeveloperName
		ExternalClientApplicationId>ExternalClientApplication ExtlClntAppOauthOptionsFirstPartyAppEnabled:bool IsDeleted:bool Language
		MasterLabel NamespacePrefix OauthLink SingleLogoutUrl OauthScopesADDRESS:bool OauthScopesAPI:bool OauthScopesCDP_API:bool
		OauthScopesCDP_CALCULATED_INSIGHT_API:bool OauthScopesCDP_IDENTITYRESOLUTION_API:bool OauthScopesCDP_INGEST_API:bool
		OauthScopesCDP_PROFILE_API:bool OauthScopesCDP_QUERY_API:bool OauthScopesCDP_SEGMENT_API:bool OauthScopesCHATBOT_API:bool
		OauthScopesCHATTER_REST_API:bool OauthScopesCONTENT:bool OauthScopesCUSTOM_PERMISSIONS:bool OauthScopesDATA_CLOUD_USER_CLAIMS:bool
		OauthScopesECLAIR_REST_API:bool OauthScopesEINSTEIN_GPT_API:bool OauthScopesEMAIL:bool OauthScopesFORGOT_PASSWORD:bool
		OauthScopesFULL:bool OauthScopesHUB_API:bool OauthScopesINTERACTION_API:bool OauthScopesLIGHTNING:bool OauthScopesMCP_API:bool
		OauthScopesOFFLINE_ACCESS:bool OauthScopesOPENID:bool OauthScopesPARDOT_API:bool OauthScopesPHONE:bool OauthScopesPROFILE:bool
		OauthScopesPWDLESS_LOGIN_API:bool OauthScopesREFRESH_TOKEN:bool OauthScopesSCRT_API:bool OauthScopesSFAP_API:bool
		OauthScopesSSO:bool OauthScopesUSER_REGISTRATION_API:bool OauthScopesVF:bool OauthScopesWAVE_REST_API:bool OauthScopesWEB:bool`},
	{"ContentVersion", "068", `+audit Checksum ContentBodyId ContentDocumentId>ContentDocument ContentLocation ContentModifiedById>User
		ContentModifiedDate:time ContentSize:int ContentSizeLong:int ContentUrl CurrencyIsoCode Description Division ExternalDataSourceId
		ExternalDocumentInfo1 ExternalDocumentInfo2 FeaturedContentBoost:int FeaturedContentDate:date FileExtension FileType
		FirstPublishLocationId>Name IsAssetEnabled:bool IsDeleted:bool IsLatest:bool IsMajorVersion:bool MalwareScanDate:time
		MalwareScanStatus NegativeRatingCount:int NetworkId Origin OwnerId>User PathOnClient PositiveRatingCount:int PublishStatus
		RatingCount:int ReasonForChange SharingOption SharingPrivacy TagCsv TextPreview Title VersionData:blob VersionDataUrl VersionNumber`},
	{"ContentDocument", "069", `+audit ArchivedById>User ArchivedDate:date ContentAssetId ContentModifiedDate:time ContentSize:int
		ContentSizeLong:int Description Division FileExtension FileType IsArchived:bool IsDeleted:bool IsInternalOnly:bool
		LastReferencedDate:time LastViewedDate:time LatestPublishedVersionId>ContentVersion MalwareScanDate:time MalwareScanStatus
		OwnerId>User ParentId>ContentWorkspace PublishStatus SharingOption SharingPrivacy Title`},
	{"ContentDocumentLink", "06A", `ContentDocumentId>ContentDocument Id IsDeleted:bool LinkedEntityId>Name ShareType
		SystemModstamp:time Visibility`},
	{"ContentDistribution", "05D", `+audit ContentDocumentId>ContentDocument ContentDownloadUrl ContentVersionId>ContentVersion
		DistributionPublicUrl ExpiryDate:time FirstViewDate:time IsDeleted:bool LastViewDate:time Name OwnerId>User Password PdfDownloadUrl
		RelatedRecordId>Name ViewCount:int PreferencesAllowOriginalDownload:bool PreferencesAllowPDFDownload:bool
		PreferencesAllowViewInBrowser:bool PreferencesExpires:bool PreferencesLinkLatestVersion:bool PreferencesNotifyOnVisit:bool
		PreferencesNotifyRndtnComplete:bool PreferencesPasswordRequired:bool`},
	{"ContentWorkspace", "058", `+audit DefaultRecordTypeId Description DeveloperName IsRestrictContentTypes:bool
		IsRestrictLinkedContentTypes:bool LastWorkspaceActivityDate:time Name NamespacePrefix RootContentFolderId
		ShouldAddCreatorMembership:bool TagModel WorkspaceImageId WorkspaceType`},
	{"Attachment", "00P", `+audit Body:blob BodyLength:int ContentType Description Division IsDeleted:bool IsPrivate:bool Name
		OwnerId>Name ParentId>Name`},
	{"Document", "015", `+audit AuthorId>User Body:blob BodyLength:int ContentType Description DeveloperName FolderId
		IsBodySearchable:bool IsDeleted:bool IsInternalUseOnly:bool IsPublic:bool Keywords LastReferencedDate:time LastViewedDate:time Name
		NamespacePrefix Type Url`},
	{"Folder", "00l", `+audit AccessType DeveloperName IsReadonly:bool Name NamespacePrefix ParentId>Folder Type`},
	{"Organization", "00D", `Country CountryCode CreatedDate:time Id InstanceName IsSandbox:bool LanguageLocaleKey Name NamespacePrefix
		OrganizationType SystemModstamp:time TimeZoneSidKey TrialExpirationDate:time`},
}
