package office365

import (
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
)

// classes of events by operation, in small letters and without blanks and the full stop that names in Entra ID end with; of one with
// _ at the end, by how it begins. More is event.outcome, where the operation itself says it.
// https://learn.microsoft.com/purview/audit-log-activities
var classes = event.ReadClasses(`
authentication,session start login success userloggedin
authentication start login failure userloginfailed
session start session_start - mailboxlogin teamssessionstarted signinevent
session,authentication end logout - userloggedoff
session end session_revoked - updatestsrefreshtokenvalidfromtimestamp

iam user,creation user_create - adduser inviteexternaluser
iam user,deletion user_delete - deleteuser harddeleteuser
iam user,change user_restore - restoreuser enableaccount
iam user,change user_suspend - disableaccount
iam user,change user_update - updateuser changeuserlicense setlicenseproperties
iam user,change password_reset - resetuserpassword setforcechangeuserpassword resetpassword(byadmin)
iam user,change password_change - changeuserpassword changepassword(self-service)
iam user,change mfa_change - updateuserauthenticationmethod enablestrongauthentication disablestrongauthentication
iam user,change mfa_enroll - userregisteredsecurityinfo
iam user,change mfa_remove - userdeletedsecurityinfo
iam admin,change role_grant - addmembertorole addeligiblemembertorole addscopedmembertorole addroleassignment
iam admin,change role_revoke - removememberfromrole removeeligiblememberfromrole removescopedmemberfromrole
iam group,creation group_create - addgroup teamcreated
iam group,deletion group_delete - deletegroup teamdeleted
iam group,change group_update - updategroup teamsettingchanged restoregroup
iam group,change group_member_add - addmembertogroup memberadded addedtogroup
iam group,change group_member_remove - removememberfromgroup memberremoved removedfromgroup
iam group,change owner_add - addownertogroup
iam group,change owner_remove - removeownerfromgroup
iam group,change role_grant - memberrolechanged
iam user,change app_consent - consenttoapplication adddelegatedpermissiongrant addoauth2permissiongrant
iam user,deletion app_consent_revoke - removedelegatedpermissiongrant removeoauth2permissiongrant
iam admin,change app_consent - addapproleassignmenttoserviceprincipal addapproleassignmentgranttouser addapproleassignmenttogroup
iam admin,deletion app_consent_revoke - removeapproleassignmentfromserviceprincipal removeapproleassignmentgrantfromuser
iam admin,creation app_create - addserviceprincipal addapplication
iam admin,deletion app_delete - removeserviceprincipal deleteapplication harddeleteapplication
iam admin,change app_update - updateserviceprincipal updateapplication
iam admin,change app_credential_add - addserviceprincipalcredentials updateapplication–certificatesandsecretsmanagement
iam admin,change app_credential_remove - removeserviceprincipalcredentials
iam admin,change owner_add - addownertoapplication addownertoserviceprincipal
iam user,change delegation_grant - add-mailboxpermission add-recipientpermission add-mailboxfolderpermission addfolderpermissions
iam user,change delegation_revoke - remove-mailboxpermission remove-recipientpermission

configuration ? policy_change - addpolicy addconditionalaccesspolicy
configuration change policy_change - updatepolicy updateconditionalaccesspolicy
configuration deletion policy_change - deletepolicy deleteconditionalaccesspolicy
configuration change federation_change - setfederationsettingsondomain setdomainauthentication
configuration creation domain_add - addverifieddomain addunverifieddomain adddomaintocompany
configuration deletion domain_remove - removeverifieddomain removeunverifieddomain removedomainfromcompany
configuration change setting_change - setcompanyinformation setdirsyncenabledflag setcompanycontactinformation
configuration change site_admin_add - sitecollectionadminadded addsitecollectionadmin
configuration change site_admin_remove - sitecollectionadminremoved
configuration creation site_create - sitecollectioncreated
configuration deletion site_delete - sitepermanentlydeleted sitedeleted sitecollectiondeleted
configuration change policy_change - sharingpolicychanged
configuration creation mail_rule_add - new-inboxrule
configuration change mail_rule_add - set-inboxrule updateinboxrules enable-inboxrule
configuration deletion mail_rule_remove - remove-inboxrule disable-inboxrule
configuration change mailbox_change - set-mailbox
configuration creation mail_policy_change - new-transportrule
configuration change mail_policy_change - set-transportrule enable-transportrule disable-transportrule disable-antiphish_ set-antiphish_
configuration deletion mail_policy_change - remove-transportrule remove-antiphish_ disable-safe_ remove-safe_
configuration change logging_change - set-adminauditlogconfig
configuration change logging_change - set-mailboxauditbypassassociation
configuration creation app_install - appinstalled botaddedtoteam connectoradded tabadded
configuration deletion app_uninstall - appuninstalled botremovedfromteam connectorremoved tabremoved
configuration creation ediscovery_search - searchcreated
configuration access ediscovery_export - searchexported searchexportdownloaded
configuration creation ediscovery_case - caseadded
configuration creation ediscovery_search - new-compliancesearch new-compliancesearchaction

file access file_view - fileaccessed fileaccessedextended filepreviewed pageviewed pageviewedextended
file access file_download - filedownloaded
file access sync_download - filesyncdownloadedfull filesyncdownloadedpartial
file creation file_upload - fileuploaded filesyncuploadedfull filesyncuploadedpartial foldercreated
file change file_edit - filemodified filemodifiedextended filecheckedin foldermodified
file info file_lock - filecheckedout
file creation file_copy - filecopied foldercopied
file change file_move - filemoved foldermoved
file change file_rename - filerenamed folderrenamed
file deletion file_delete - filerecycled filedeleted folderrecycled folderdeleted
file deletion file_delete - filedeletedfirststagerecyclebin filedeletedsecondstagerecyclebin
file deletion file_delete - folderdeletedfirststagerecyclebin folderdeletedsecondstagerecyclebin
file creation file_restore - filerestored folderrestored
file change file_restore - fileversionrestored
file deletion version_delete - fileversionsalldeleted fileversionsallminorsrecycled fileversionrecycled
file change label_apply - filesensitivitylabelapplied sensitivitylabelapplied sensitivitylabeledfileopened
file change label_change - filesensitivitylabelchanged sensitivitylabelupdated
file change label_remove - filesensitivitylabelremoved sensitivitylabelremoved
file change share_public - anonymouslinkcreated
file change link_change - anonymouslinkupdated
file change link_remove - anonymouslinkremoved companylinkremoved sharedlinkdisabled securelinkdeleted
file access link_use - anonymouslinkused companylinkused securelinkused
file change link_create - companylinkcreated sharedlinkcreated securelinkcreated
file change link_change - securelinkupdated sharedlinkupdated
file change collab_add - addedtosecurelink sharingset sharinginvitationcreated sharinginheritancebroken
file change collab_accept - sharinginvitationaccepted
file change collab_remove - removedfromsecurelink sharingrevoked sharinginvitationrevoked
file info access_request - accessrequestcreated accessrequestapproved accessrequestrejected

email access mail_read - mailitemsaccessed
email info mail_send - send sendas sendonbehalf
email deletion mail_delete - harddelete softdelete movetodeleteditems
email change mail_change - update move
email creation mail_create - create copy

!malware info threat_detected - filemalwaredetected
!email info dlp_match - dlprulematch
!email info dlp_undo - dlpruleundo
!email info dlp_info - dlpinfo
!intrusion_detection info threat_detected - alerttriggered alertentitygenerated alertupdated
!email info threat_detected - timaildata tiurlclickdata
configuration ? - - *`)

// classOf is the class of an operation.
func classOf(operation string) event.Class {
	name := strings.ToLower(strings.ReplaceAll(strings.TrimRight(operation, ". "), " ", ""))
	if c, ok := classes[name]; ok {
		return c
	}
	for _, beginning := range [...]string{"disable-antiphish_", "set-antiphish_", "remove-antiphish_", "disable-safe_", "remove-safe_"} {
		if strings.HasPrefix(name, strings.TrimSuffix(beginning, "_")) {
			return classes[beginning]
		}
	}
	return classes["*"]
}

// verbOf is the part of an operation that tells what was done: Add policy., New-TransportRule, TeamDeleted.
func verbOf(operation string) string {
	verb := strings.TrimRight(operation, ". ")
	if at := strings.IndexAny(verb, " -"); at > 0 {
		verb = verb[:at]
	}
	for _, end := range [...]string{"Created", "Added", "Deleted", "Removed", "Updated"} {
		if strings.HasSuffix(verb, end) {
			return end
		}
	}
	if verb == "New" {
		return "add"
	}
	return verb
}
