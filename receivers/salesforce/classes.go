package salesforce

import (
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
)

// classes of events: by the action of the audit trail, or by the real-time event or log file. The vendor lists no actions: they are
// those seen in public lists.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/
// sforce_api_objects_eventlogfile_supportedeventtypes.htm
var classes = event.ReadClasses(`
authentication,session start login - LoginHistory Login
authentication,session end logout - Logout
authentication,session start impersonation_start - LoginAs
session start impersonation_start - suOrgAdminLogin suNetworkAdminLogin
session end impersonation_end - suOrgAdminLogout suNetworkAdminLogout
authentication info mfa_challenge - IdentityVerification VerificationHistory
authentication start login - IdentityProvider IdpEventLog

iam user,creation user_create - createduser
iam user,change user_enable - activateduser
iam user,change user_disable - deactivateduser
iam user,change user_suspend - frozeuser
iam user,change user_restore - unfrozeuser
iam user,change password_change - changedpassword
iam user,change password_reset - resetpassword
iam user,change user_update - changedemail useremailchangesent changedfederationid changedUserPhoneNumber
iam user,change license_change - PermSetLicenseAssign PermSetLicenseUnassign granteduserpackagelicense revokeduserpackagelicense
iam user,change mfa_enroll - insertTwoFactorInfo2 insertTwoFactorWebAuthN insertAuthenticatorPairing insertTwoFactorTempCode
iam user,change mfa_enroll - lightningloginenroll
iam user,change mfa_remove - deleteTwoFactorInfo2 deleteTwoFactorWebAuthN deleteAuthenticatorPairing deleteTwoFactorTempCode
iam user,change mfa_remove - lightninglogincancel
iam admin,change role_change - changedprofileforuser changedprofileforusercusttostd changedprofileforuserstdtocust
iam admin,change role_change - changedprofileforuserstdtostd changedprofileforusercusttocust
iam admin,change role_change - changedroleforuser changedroleforuserfromnone changedroleforusertonone
iam admin,change role_grant - PermSetAssign PermSetGroupAssign
iam admin,change role_revoke - PermSetUnassign PermSetGroupUnassign
iam admin,change role_change - PermissionUpdate PermissionSet
iam admin,creation role_definition_change - PermSetCreate PermissionSetGroupComponentAdd
iam admin,deletion role_definition_change - PermSetDelete PermissionSetGroupComponentRemove
iam admin,change role_definition_change - PermSetEnableUserPerm PermSetDisableUserPerm PermSetFlsChanged PermSetEntityPermChanged
iam admin,change role_definition_change - profilePermChangedCustom profileOlpChangedCustom profileFlsChangedCustom
iam admin,change role_definition_change - SetupEntityAccessAudit_
iam group,change group_member_change - groupMembership queueMembership GroupMembership

configuration creation app_install - insertConnectedApplication PackageInstall
configuration change app_change - updateConnectedApplication connectedAppOauthPolicyChange
configuration creation setting_change - namedCredentialCreated remoteSiteCreated createScratchOrg createdApexPage
configuration deletion setting_change - deleteScratchOrg
configuration change policy_change - loginIpRangesChanged orgIpRangesChanged changedsessiontimeout
configuration change key_rotate - insertCertificate dkimRotationSuccessful
configuration change deploy - Sandbox ChangeSetOperation MetadataApiOperation
configuration access deploy - MetadataRetrieveOperation

file info - - ContentTransfer File ContentDistribution
file access file_download - DocumentAttachmentDownloads /download
file access file_view - /preview
file creation file_upload - /upload
file creation link_create - /create
file access link_view - /view
file change share_internal - ContentDocumentLink

api access data_access - API Api RestApi BulkApi BulkApi2 BulkApiRequest BulkApiResult ApiTotalUsage
database access report_run - Report AsyncReportRun
database access export_job - ReportExport
database access data_view - ListView URI Uri LightningUri
web access request - ApexExecution ApexCallout ApexSoap ApexRestApi ApexTrigger VisualforceRequest AuraRequest Sites
web error request - ApexUnexpectedException

!intrusion_detection info threat_detected - TransactionSecurity ReportAnomaly ApiAnomaly GuestUserAnomaly LoginAnomaly SessionHijacking
!intrusion_detection info threat_detected - CredentialStuffing
configuration change setting_change - setup
api access - - *`)

// classOf is the class of an event.
func classOf(kind, dataset string) event.Class {
	c, ok := classes[kind]
	switch {
	case ok:
	case dataset == auditSet && strings.HasPrefix(kind, "SetupEntityAccessAudit_"):
		return classes["SetupEntityAccessAudit_"]
	case dataset == auditSet:
		return classes["setup"]
	default:
		return classes["*"]
	}
	return c
}

// transferOf is the class of what was done to a file, by a word of it: VersionDownloadApi, UI_DOWNLOAD, VersionRenditionDownload (which
// is shown), saveVersion.
func transferOf(what string, otherwise event.Class) event.Class {
	what = strings.ToLower(what)
	for _, w := range [...][2]string{{"rendition", "/preview"}, {"preview", "/preview"}, {"viewdistribution", "/view"}, {"view", "/preview"},
		{"download", "/download"}, {"upload", "/upload"}, {"save", "/upload"}, {"create", "/create"}} {
		if strings.Contains(what, w[0]) {
			return classes[w[1]]
		}
	}
	return otherwise
}
