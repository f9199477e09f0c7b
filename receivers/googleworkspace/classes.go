package googleworkspace

import (
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
)

// classes of events by application and name, by the beginning of a name, or by application alone. More is the outcome of those
// that say none. https://developers.google.com/workspace/admin/reports/v1/appendix/activity/login and those beside it
var classes = event.ReadClasses(`
authentication start login success login/login_success saml/login_success
authentication start login failure login/login_failure saml/login_failure
authentication info mfa_challenge - login/login_challenge login/login_verification
authentication,session end logout - login/logout
session end session_revoked - login/user_signed_out_due_to_suspicious_session_cookie
!authentication info threat_detected - login/suspicious_login login/suspicious_login_less_secure_app login/suspicious_programmatic_login
!authentication info threat_detected - login/gov_attack_warning
session allowed sensitive_action success login/risky_sensitive_action_allowed
session denied sensitive_action failure login/risky_sensitive_action_blocked
iam user,change user_suspend - login/account_disabled_
authentication info - - login saml
iam user,change mfa_enroll - 2sv_enroll titanium_enroll passkey_enrolled
iam user,change mfa_remove - 2sv_disable titanium_unenroll passkey_removed
iam user,change password_change - password_edit
iam user,change recovery_change - recovery_email_edit recovery_phone_edit recovery_secret_qa_edit
iam,configuration user,change mail_forwarding_set - email_forwarding_out_of_domain
iam user,? - - user_accounts

iam user,creation app_consent - token/authorize
iam user,deletion app_consent_revoke - token/revoke
iam user,info app_request - token/request
session info app_api_call - token/activity
iam user,? - - token

file access file_view - drive/view drive/preview drive/access_item_content drive/access_url
file access file_print - drive/print
file access file_download - drive/download drive/sync_item_content
file access file_copy - drive/sheets_import_range drive/source_copy
file creation file_copy - drive/copy
file creation file_create - drive/create
file creation file_upload - drive/upload
file change file_edit - drive/edit
file change file_rename - drive/rename
file change file_move - drive/move drive/add_to_folder drive/remove_from_folder
file change file_lock - drive/add_lock drive/remove_lock
file deletion file_delete - drive/trash drive/delete
file change file_restore - drive/untrash
file,iam change share_change - drive/change_user_access drive/change_document_visibility drive/change_document_access_scope
file,iam change share_change - drive/change_acl_editors drive/sheets_import_range_access_change drive/publish_change
file,iam change owner_change - drive/change_owner
iam user,change member_change - drive/shared_drive_membership_change drive/team_drive_membership_change
configuration change setting_change - drive/shared_drive_settings_change drive/team_drive_settings_change
file change label_apply - drive/label_added drive/label_added_by_item_create
file change label_remove - drive/label_removed
file change label_change - drive/label_field_changed
file info approval - drive/approval_
file info access_request - drive/request_access drive/deny_access_request
file ? - - drive

iam user,creation user_create - admin/CREATE_USER
iam user,deletion user_delete - admin/DELETE_USER
iam user,change user_restore - admin/UNDELETE_USER admin/UNSUSPEND_USER admin/UNARCHIVE_USER
iam user,change user_suspend - admin/SUSPEND_USER admin/ARCHIVE_USER
iam user,change user_update - admin/RENAME_USER admin/CHANGE_USER_ admin/CHANGE_FIRST_NAME admin/CHANGE_LAST_NAME admin/ADD_NICKNAME
iam user,change user_update - admin/REMOVE_NICKNAME admin/MOVE_USER_TO_ORG_UNIT admin/UPDATE_BIRTHDATE
iam user,change recovery_change - admin/ADD_RECOVERY_ admin/CHANGE_RECOVERY_ admin/REMOVE_RECOVERY_
iam user,change password_reset - admin/CHANGE_PASSWORD admin/CHANGE_PASSWORD_ON_NEXT_LOGIN
iam user,info password_view - admin/VIEW_TEMP_PASSWORD
iam,session user,change session_revoked - admin/RESET_SIGNIN_COOKIES
iam user,change mfa_remove - admin/TURN_OFF_2_STEP_VERIFICATION admin/UNENROLL_USER_FROM_ admin/REVOKE_SECURITY_KEY
iam user,change mfa_change - admin/GENERATE_2SV_SCRATCH_CODES admin/DELETE_2SV_SCRATCH_CODES admin/SECURITY_KEY_REGISTERED_FOR_USER
iam user,change mfa_change - admin/USER_ENROLLED_IN_TWO_STEP_VERIFICATION admin/USER_PUT_IN_TWO_STEP_VERIFICATION_GRACE_PERIOD
iam admin,change role_grant - admin/GRANT_ADMIN_PRIVILEGE admin/GRANT_DELEGATED_ADMIN_PRIVILEGES admin/ASSIGN_ROLE
iam admin,change role_revoke - admin/REVOKE_ADMIN_PRIVILEGE admin/UNASSIGN_ROLE
iam admin,creation role_change - admin/CREATE_ROLE
iam admin,deletion role_change - admin/DELETE_ROLE
iam admin,change role_change - admin/ADD_PRIVILEGE admin/REMOVE_PRIVILEGE admin/RENAME_ROLE admin/UPDATE_ROLE
iam user,deletion app_consent_revoke - admin/REVOKE_3LO_TOKEN admin/REVOKE_3LO_DEVICE_TOKENS
iam user,deletion token_revoke - admin/REVOKE_ASP
iam admin,creation delegation_grant - admin/AUTHORIZE_API_CLIENT_ACCESS
iam admin,deletion delegation_revoke - admin/REMOVE_API_CLIENT_ACCESS
configuration change app_trust - admin/ADD_TO_TRUSTED_OAUTH2_APPS admin/TRUST_DOMAIN_OWNED_OAUTH2_APPS
configuration change app_trust_remove - admin/REMOVE_FROM_TRUSTED_OAUTH2_APPS admin/UNTRUST_DOMAIN_OWNED_OAUTH2_APPS
configuration change app_ban - admin/ADD_TO_BLOCKED_OAUTH2_APPS admin/DISALLOW_SERVICE_FOR_OAUTH2_ACCESS
configuration change app_unban - admin/REMOVE_FROM_BLOCKED_OAUTH2_APPS admin/ALLOW_SERVICE_FOR_OAUTH2_ACCESS
configuration creation app_install - admin/ADD_APPLICATION admin/ADD_APPLICATION_TO_WHITELIST
configuration deletion app_uninstall - admin/REMOVE_APPLICATION admin/REMOVE_APPLICATION_FROM_WHITELIST
iam group,creation group_create - admin/CREATE_GROUP groups_enterprise/create_group groups/create_group
iam group,deletion group_delete - admin/DELETE_GROUP groups_enterprise/delete_group groups/delete_group
iam group,change group_member_add - admin/ADD_GROUP_MEMBER groups_enterprise/add_member groups/add_user groups/join groups/accept_invitation
iam group,change group_member_remove - admin/REMOVE_GROUP_MEMBER groups_enterprise/remove_member groups/remove_user groups/leave
iam group,change group_change - admin/CHANGE_GROUP_ admin/UPDATE_GROUP_ groups_enterprise/change_security_setting groups_enterprise/change_
iam group,? group_change - groups_enterprise groups
configuration change setting_change - admin/CHANGE_APPLICATION_SETTING admin/CHANGE_DOCS_SETTING admin/CHANGE_GMAIL_SETTING
configuration change setting_change - admin/CHANGE_EMAIL_SETTING admin/CHANGE_CALENDAR_SETTING admin/TOGGLE_ admin/CHANGE_
configuration creation setting_change - admin/CREATE_APPLICATION_SETTING admin/CREATE_GMAIL_SETTING
configuration deletion setting_change - admin/DELETE_APPLICATION_SETTING admin/DELETE_GMAIL_SETTING
configuration change auth_policy_change - admin/ENFORCE_STRONG_AUTHENTICATION admin/ALLOW_STRONG_AUTHENTICATION
configuration change auth_policy_change - admin/SESSION_CONTROL_SETTINGS_CHANGE admin/WEAK_PROGRAMMATIC_LOGIN_SETTINGS_CHANGED
configuration change auth_policy_change - admin/CHANGE_PASSWORD_MIN_LENGTH admin/CHANGE_PASSWORD_MAX_LENGTH admin/CHANGE_SESSION_LENGTH
configuration change auth_policy_change - admin/CHANGE_TWO_STEP_VERIFICATION_ admin/CHANGE_ALLOWED_TWO_STEP_VERIFICATION_METHODS
configuration change federation_change - admin/CHANGE_SSO_SETTINGS admin/TOGGLE_SSO_ENABLED
configuration creation domain_add - admin/ADD_TRUSTED_DOMAINS admin/ADD_SECONDARY_DOMAIN admin/ADD_DOMAIN_ALIAS
configuration deletion domain_remove - admin/REMOVE_TRUSTED_DOMAINS admin/REMOVE_SECONDARY_DOMAIN admin/REMOVE_DOMAIN_ALIAS
configuration change domain_change - admin/CHANGE_PRIMARY_DOMAIN
file change owner_change - admin/TRANSFER_DOCUMENT_OWNERSHIP admin/CREATE_DATA_TRANSFER_REQUEST
file change file_restore - admin/DRIVE_DATA_RESTORE
configuration access export_job - admin/DOWNLOAD_USERLIST_CSV admin/REQUEST_MAILBOX_DUMP admin/REQUEST_ACCOUNT_INFO admin/CUSTOMER_TAKEOUT_
configuration creation mail_monitor_add - admin/CREATE_EMAIL_MONITOR
configuration deletion mail_monitor_remove - admin/DELETE_EMAIL_MONITOR
configuration creation policy_change - admin/CREATE_RULE admin/CREATE_ALERT
configuration change policy_change - admin/UPDATE_RULE admin/ALERT_STATUS_CHANGED admin/CHANGE_RULE_CRITERIA admin/RENAME_RULE
configuration change policy_change - admin/RULE_STATUS_CHANGED admin/RULE_ACTIONS_CHANGED admin/CHANGE_ALERT_CRITERIA
configuration deletion policy_change - admin/DELETE_RULE admin/DELETE_ALERT
configuration ? - - admin
!file info policy_match - rules/rule_match rules/rule_trigger
file info policy_action - rules/action_complete rules
file access export_job - takeout
authentication denied access_denied failure context_aware_access/ACCESS_DENY_EVENT
authentication denied access_denied failure context_aware_access/ACCESS_DENY_
authentication info policy_evaluation - context_aware_access access_evaluation
email info mail_delivery - gmail
session ? - - chat meet
configuration ? - - calendar gcp chrome access_transparency *`)

// classOf is the class of an event: its own, that of the same name in any application, that of the longest beginning that is
// known, or that of its application.
func classOf(app, name string) event.Class {
	if c, ok := classes[app+"/"+name]; ok {
		return c
	}
	if c, ok := classes[name]; ok && (app == "login" || app == "user_accounts") {
		return c
	}
	for end := len(name); end > 0; {
		if end = strings.LastIndexByte(name[:end], '_'); end > 0 {
			if c, ok := classes[app+"/"+name[:end+1]]; ok {
				return c
			}
		}
	}
	if c, ok := classes[app]; ok {
		return c
	}
	return classes["*"]
}

// verb is the part of a name that tells what was done: the first word in the Admin console, the last elsewhere.
func verb(app, name string) string {
	if app == "admin" {
		word, _, _ := strings.Cut(name, "_")
		return word
	}
	return name[strings.LastIndexByte(name, '_')+1:]
}
