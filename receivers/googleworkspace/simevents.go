package googleworkspace

import "time"

// simApp is an application of the Reports API: its share of all events in per cent, how late they may come at most, and whether
// its events hold text that people write.
type simApp struct {
	name  string
	share int
	lag   time.Duration
	free  bool
}

// simApps: https://support.google.com/a/answer/7061566 and what operators report.
var simApps = []simApp{
	{"login", 15, 3 * time.Hour, false}, {"saml", 5, 3 * time.Hour, false}, {"user_accounts", 3, 3 * time.Hour, false},
	{"drive", 40, 6 * time.Hour, true}, {"chat", 4, 3 * time.Minute, false}, {"meet", 3, 3 * time.Minute, false},
	{"calendar", 5, 4 * time.Hour, true}, {"token", 10, 3 * time.Hour, false}, {"takeout", 1, time.Hour, false},
	{"admin", 8, 3 * time.Minute, false}, {"groups_enterprise", 2, 3 * time.Minute, false}, {"rules", 1, time.Hour, false},
	{"context_aware_access", 1, 3 * time.Minute, false}, {"access_evaluation", 1, 3 * time.Minute, false},
	{"gmail", 1, time.Hour, false}, {simAlerts, 1, 10 * time.Minute, false},
}

// simKind is a kind of events: how often it comes, its parameters, and with which other an activity may have it. Parameters are
// name=value, with ? of a truth, # of a number, * of a list, + of a scope with its product; a|b is one of them, ~ a space.
// Of values @me is who acts, @user another, @out an outsider, @group a group, @app an app's name, @client its id; doc stands for
// the parameters of a file, and $ for its name or another title.
type simKind struct {
	app, kind, name string
	often           int
	params          string
	also            string
}

const (
	simDoc   = "primary_event?=true billable?=true doc "
	simAcl   = simDoc + "visibility_change=external|internal|none "
	simUser1 = "USER_EMAIL=@user"
	simAbout = "affected_email_address=@me login_timestamp#=1764000000000000"
	simHow   = "login_type=google_password|reauth|saml|exchange login_challenge_method*=password|google_authenticator|security_key "
)

// simKinds: https://developers.google.com/workspace/admin/reports/v1/appendix/activity/login and those beside it.
var simKinds = []simKind{
	{"login", "login", "login_success", 60, simHow + "is_suspicious?=false", "login_verification"},
	{"login", "login", "login_failure", 12, simHow + "login_failure_type=login_failure_invalid_password|login_failure_account_disabled|" +
		"login_failure_invalid_second_factor", ""},
	{"login", "login", "login_challenge", 6, simHow + "login_challenge_status=Challenge~Passed.|Challenge~Failed.", ""},
	{"login", "login", "login_verification", 8, simHow + "is_second_factor?=true login_challenge_status=passed|incorrect_answer_entered", ""},
	{"login", "login", "logout", 14, "login_type=google_password", ""},
	{"login", "login", "user_signed_out_due_to_suspicious_session_cookie", 1, "affected_email_address=@me", ""},
	{"login", "login", "risky_sensitive_action_allowed", 1, simHow + "is_suspicious?=true sensitive_action_name=change_recovery_phone", ""},
	{"login", "login", "risky_sensitive_action_blocked", 1, simHow + "is_suspicious?=true sensitive_action_name=download_2sv_codes", ""},
	{"login", "account_warning", "suspicious_login", 1, simAbout, ""},
	{"login", "account_warning", "suspicious_login_less_secure_app", 1, simAbout, ""},
	{"login", "account_warning", "suspicious_programmatic_login", 1, simAbout, ""},
	{"login", "account_warning", "account_disabled_generic", 1, "affected_email_address=@user", ""},
	{"login", "account_warning", "account_disabled_hijacked", 1, simAbout, ""},
	{"login", "account_warning", "account_disabled_password_leak", 1, "affected_email_address=@user", ""},
	{"login", "account_warning", "account_disabled_spamming", 1, "affected_email_address=@user", ""},
	{"login", "account_warning", "account_disabled_spamming_through_relay", 1, "affected_email_address=@user", ""},
	{"login", "attack_warning", "gov_attack_warning", 1, "", ""},
	{"login", "email_forwarding_change", "email_forwarding_out_of_domain", 1, "email_forwarding_destination_address=@out", ""},
	{"login", "2sv_change", "2sv_enroll", 2, "", ""},
	{"login", "2sv_change", "2sv_disable", 1, "", ""},
	{"login", "password_change", "password_edit", 2, "", ""},
	{"login", "recovery_info_change", "recovery_email_edit", 1, "", ""},
	{"user_accounts", "2sv_change", "2sv_enroll", 4, "", ""},
	{"user_accounts", "2sv_change", "2sv_disable", 2, "", ""},
	{"user_accounts", "titanium_change", "titanium_enroll", 1, "", ""},
	{"user_accounts", "titanium_change", "titanium_unenroll", 1, "", ""},
	{"user_accounts", "passkey_change", "passkey_enrolled", 2, "", ""},
	{"user_accounts", "passkey_change", "passkey_removed", 1, "", ""},
	{"user_accounts", "password_change", "password_edit", 5, "", ""},
	{"user_accounts", "recovery_info_change", "recovery_email_edit", 2, "", "recovery_phone_edit"},
	{"user_accounts", "recovery_info_change", "recovery_phone_edit", 2, "", ""},
	{"user_accounts", "recovery_info_change", "recovery_secret_qa_edit", 1, "", ""},
	{"user_accounts", "email_forwarding_change", "email_forwarding_out_of_domain", 1, "email_forwarding_destination_address=@out", ""},
	{"saml", "login", "login_success", 9, "application_name=Payroll|Wiki~\"int\" initiated_by=sp|idp orgunit_path=/Sales saml_status_code=" +
		"SUCCESS_URI", ""},
	{"saml", "login", "login_failure", 1, "application_name=Payroll failure_type=failure_app_not_enabled_for_user initiated_by=sp " +
		"saml_status_code=RESPONDER_URI saml_second_level_status_code=REQUEST_DENIED", ""},
	{"token", "auth", "authorize", 20, "client_id=@client app_name=@app client_type=WEB|NATIVE_ANDROID|NATIVE_IOS " +
		"scope_data+=https://www.googleapis.com/auth/drive scope*=https://www.googleapis.com/auth/drive,https://mail.google.com/", ""},
	{"token", "auth", "revoke", 5, "client_id=@client app_name=@app client_type=WEB scope_data+=openid scope*=openid", ""},
	{"token", "auth", "request", 2, "client_id=@client app_name=@app client_type=WEB scope*=https://www.googleapis.com/auth/gmail.modify", ""},
	{"token", "auth", "activity", 60, "api_name=drive|gmail|calendar method_name=drive.files.list|gmail.users.messages.get " +
		"client_id=@client num_response_bytes#=48213 product_bucket=DRIVE app_name=@app client_type=WEB", ""},
	{"drive", "access", "view", 60, simDoc, ""}, {"drive", "access", "preview", 8, simDoc, ""}, {"drive", "access", "print", 2, simDoc, ""},
	{"drive", "access", "download", 14, simDoc, ""}, {"drive", "access", "sheets_import_range", 1, simDoc, ""},
	{"drive", "access", "source_copy", 2, simDoc, "copy"}, {"drive", "access", "copy", 2, simDoc, ""},
	{"drive", "access", "create", 12, simDoc, ""}, {"drive", "access", "upload", 12, simDoc, ""}, {"drive", "access", "edit", 40, simDoc, ""},
	{"drive", "access", "rename", 5, simDoc + "old_value*=draft new_value*=final~\"v2\"", ""},
	{"drive", "access", "move", 5, simDoc + "source_folder_title=Plans destination_folder_title=Archiv~Ü", "change_user_access"},
	{"drive", "access", "add_to_folder", 3, simDoc, ""}, {"drive", "access", "remove_from_folder", 2, simDoc, ""},
	{"drive", "access", "add_lock", 1, simDoc, ""}, {"drive", "access", "remove_lock", 1, simDoc, ""},
	{"drive", "access", "trash", 5, simDoc, ""}, {"drive", "access", "untrash", 2, simDoc, ""}, {"drive", "access", "delete", 3, simDoc, ""},
	{"drive", "acl_change", "change_user_access", 10, simAcl + "target_user=@out|@user old_value*=none new_value*=can_edit|can_view", ""},
	{"drive", "acl_change", "change_document_visibility", 6, simAcl + "target_domain=all old_value*=private new_value*=people_with_link " +
		"old_visibility=private", "change_document_access_scope"},
	{"drive", "acl_change", "change_document_access_scope", 4, simAcl + "target_domain=all old_value*=none new_value*=can_view", ""},
	{"drive", "acl_change", "change_acl_editors", 1, simAcl + "old_value*=true new_value*=false", ""},
	{"drive", "acl_change", "change_owner", 1, simAcl + "new_owner=@user", ""},
	{"drive", "acl_change", "shared_drive_membership_change", 2, simDoc + "membership_change_type=add_to_shared_drive added_role=editor " +
		"target=@user", ""},
	{"drive", "acl_change", "shared_drive_settings_change", 1, simDoc +
		"shared_drive_settings_change_type=restrict_to_domain new_settings_state=on", ""},
	{"drive", "acl_change", "team_drive_membership_change", 1, simDoc + "membership_change_type=remove_from_team_drive target=@out", ""},
	{"drive", "access", "label_added", 2, simDoc + "label=labels/L label_title=Sensitivity", ""},
	{"drive", "access", "label_removed", 1, simDoc + "label=labels/L label_title=Sensitivity", ""},
	{"drive", "access", "label_field_changed", 1, simDoc + "label=labels/L field=F old_value*=Public new_value*=Secret", ""},
	{"drive", "access", "approval_requested", 1, simDoc, ""}, {"drive", "access", "approval_canceled", 1, simDoc, ""},
	{"drive", "access", "approval_reviewer_responded", 1, simDoc, ""}, {"drive", "access", "request_access", 1, simDoc, ""},
	{"drive", "access", "deny_access_request", 1, simDoc, ""}, {"drive", "access", "some_event_of_tomorrow", 1, simDoc, ""},
	{"chat", "user_action", "message_posted", 20, "room_id=AAAAx9 room_name=Team~Ü conversation_type=SPACE|DIRECT_MESSAGE message_type=TEXT " +
		"attachment_status=NO_ATTACHMENT external_room=DISABLED actor=@me", ""},
	{"chat", "user_action", "attachment_upload", 3, "room_id=AAAAx9 room_name=Team attachment_name=list.csv external_room=ENABLED " +
		"actor=@me", ""},
	{"chat", "user_action", "room_created", 2, "room_id=AAAAx9 room_name=Launch external_room=DISABLED actor=@me", ""},
	{"meet", "call", "call_ended", 9, "meeting_code=ABCDEFGHIJ organizer_email=@user identifier=@me identifier_type=email_address " +
		"device_type=web duration_seconds#=1805 is_external?=false ip_address=203.0.113.9", ""},
	{"meet", "call", "abuse_report_submitted", 1, "meeting_code=ABCDEFGHIJ organizer_email=@user", ""},
	{"calendar", "event_change", "create_event", 6, "event_id=x7event organizer_calendar_id=@me calendar_id=@me event_title=$",
		"add_event_guest"},
	{"calendar", "event_change", "change_event_title", 2, "event_id=x7event calendar_id=@me event_title=$ old_event_title=Call", ""},
	{"calendar", "event_change", "add_event_guest", 4, "event_id=x7event calendar_id=@me event_guest=@out event_title=$", ""},
	{"calendar", "calendar_change", "change_calendar_acls", 1, "calendar_id=@me access_level=owner grantee_email=@out event_title=$", ""},
	{"takeout", "takeout", "user_initiated_takeout", 1, "takeout_job_id=c1d2 products_requested*=drive,gmail takeout_destination=drive|email",
		""},
	{"takeout", "takeout", "takeout_complete", 1, "takeout_job_id=c1d2 takeout_status=succeeded", ""},
	{"groups_enterprise", "moderator_action", "create_group", 1, "group_id=@group", ""},
	{"groups_enterprise", "moderator_action", "delete_group", 1, "group_id=@group", ""},
	{"groups_enterprise", "moderator_action", "add_member", 4, "group_id=@group member_id=@user|@out member_role=member member_type=user", ""},
	{"groups_enterprise", "moderator_action", "remove_member", 2, "group_id=@group member_id=@user", ""},
	{"groups_enterprise", "moderator_action", "change_security_setting", 1, "group_id=@group info_setting=WHO_CAN_JOIN " +
		"new_value=ANYONE_CAN_JOIN", ""},
	{"rules", "rule_match_type", "rule_match", 2, "rule_name=Cards rule_type=DLP data_source=DRIVE severity=HIGH resource_id=1x " +
		"resource_title=list resource_owner_email=@user matched_detectors*=CREDIT_CARD_NUMBER has_alert?=true", ""},
	{"rules", "rule_trigger_type", "rule_trigger", 2, "rule_name=Cards rule_type=DLP data_source=DRIVE severity=LOW resource_id=1x", ""},
	{"rules", "action_complete_type", "action_complete", 2, "rule_name=Cards triggered_actions*=ALERT,DRIVE_BLOCK_EXTERNAL_SHARING", ""},
	{"context_aware_access", "CONTEXT_AWARE_ACCESS_USER_EVENT", "ACCESS_DENY_EVENT", 1, "CAA_ACCESS_LEVEL_UNSATISFIED=corp " +
		"CAA_APPLICATION=GMAIL CAA_DEVICE_STATE=No~Device~Signals CAA_ENFORCEMENT_ORG_UNIT=/Sales", ""},
	{"access_evaluation", "access_evaluation", "ACCESS_EVALUATION_EVENT", 1, "application=DRIVE decision=ALLOW|DENY client_id=@client", ""},
	{"gmail", "delivery", "delivery", 1, "subject=Hello", ""},
}

// simAdminKinds are those of the Admin console, by their type.
// https://developers.google.com/workspace/admin/reports/v1/appendix/activity/admin-event-names
var simAdminKinds = []struct{ kind, params, names string }{
	{"USER_SETTINGS", simUser1, "CREATE_USER DELETE_USER UNDELETE_USER SUSPEND_USER UNSUSPEND_USER ARCHIVE_USER RENAME_USER CHANGE_PASSWORD " +
		"CHANGE_PASSWORD_ON_NEXT_LOGIN RESET_SIGNIN_COOKIES TURN_OFF_2_STEP_VERIFICATION UNENROLL_USER_FROM_STRONG_AUTH " +
		"GENERATE_2SV_SCRATCH_CODES GRANT_ADMIN_PRIVILEGE REVOKE_ADMIN_PRIVILEGE GRANT_DELEGATED_ADMIN_PRIVILEGES DOWNLOAD_USERLIST_CSV"},
	{"DELEGATED_ADMIN_SETTINGS", simUser1 + " ROLE_ID=10 ROLE_NAME=Help~Desk PRIVILEGE_NAME=USERS_SUSPEND",
		"ASSIGN_ROLE UNASSIGN_ROLE CREATE_ROLE DELETE_ROLE ADD_PRIVILEGE REMOVE_PRIVILEGE"},
	{"SECURITY_SETTINGS", simUser1 + " APP_ID=@client APP_NAME=@app", "REVOKE_3LO_TOKEN REVOKE_3LO_DEVICE_TOKENS REVOKE_ASP " +
		"ADD_TO_TRUSTED_OAUTH2_APPS REMOVE_FROM_TRUSTED_OAUTH2_APPS ADD_TO_BLOCKED_OAUTH2_APPS REMOVE_FROM_BLOCKED_OAUTH2_APPS"},
	{"SECURITY_SETTINGS", "OAUTH2_SERVICE_NAME=DRIVE ORG_UNIT_NAME=/Sales SETTING_NAME=x OLD_VALUE=false NEW_VALUE=true",
		"ALLOW_SERVICE_FOR_OAUTH2_ACCESS DISALLOW_SERVICE_FOR_OAUTH2_ACCESS ENFORCE_STRONG_AUTHENTICATION ALLOW_STRONG_AUTHENTICATION " +
			"TOGGLE_SSO_ENABLED SESSION_CONTROL_SETTINGS_CHANGE WEAK_PROGRAMMATIC_LOGIN_SETTINGS_CHANGED CHANGE_PASSWORD_MIN_LENGTH"},
	{"DOMAIN_SETTINGS", "API_CLIENT_NAME=@client API_SCOPES*=https://www.googleapis.com/auth/drive,openid DOMAIN_NAME=" + simDomain,
		"AUTHORIZE_API_CLIENT_ACCESS REMOVE_API_CLIENT_ACCESS CHANGE_SSO_SETTINGS ADD_TRUSTED_DOMAINS REMOVE_TRUSTED_DOMAINS " +
			"ADD_SECONDARY_DOMAIN CHANGE_PRIMARY_DOMAIN"},
	{"GROUP_SETTINGS", "GROUP_EMAIL=@group " + simUser1, "CREATE_GROUP DELETE_GROUP ADD_GROUP_MEMBER REMOVE_GROUP_MEMBER " +
		"CHANGE_GROUP_SETTING"},
	{"APPLICATION_SETTINGS", "APPLICATION_NAME=Drive~and~Docs SETTING_NAME=sharing OLD_VALUE=Büro NEW_VALUE=\"any\" ORG_UNIT_NAME=/",
		"CHANGE_APPLICATION_SETTING CREATE_APPLICATION_SETTING DELETE_APPLICATION_SETTING CHANGE_DOCS_SETTING CHANGE_GMAIL_SETTING " +
			"CHANGE_EMAIL_SETTING TOGGLE_SERVICE_ENABLED"},
	{"DOCS_SETTINGS", simUser1 + " NEW_VALUE=@user", "TRANSFER_DOCUMENT_OWNERSHIP CREATE_DATA_TRANSFER_REQUEST DRIVE_DATA_RESTORE"},
	{"EMAIL_SETTINGS", simUser1 + " EMAIL_MONITOR_DEST_EMAIL=@out", "REQUEST_MAILBOX_DUMP CREATE_EMAIL_MONITOR"},
	{"SECURITY_INVESTIGATION", "RULE_NAME=Cards ALERT_ID=a1 ALERT_STATUS=CLOSED", "CREATE_RULE UPDATE_RULE DELETE_RULE ALERT_STATUS_CHANGED"},
}
