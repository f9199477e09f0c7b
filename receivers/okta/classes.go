package okta

import (
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
)

// classes of events by type or, where the last words of a type may be any, by its first words. More is
// saas.auth.protocol. https://developer.okta.com/docs/reference/api/event-types/
var classes = event.ReadClasses(`
authentication,session start login - user.session.start user.session.access_admin_app
authentication start login - user.authentication.sso user.authentication.verify user.authentication.auth
authentication start login - user.authentication.auth_via_IDP user.authentication.auth_via_iwa user.authentication.auth_via_social
authentication start login saml user.authentication.auth_via_inbound_SAML
authentication start login - user.authentication.auth_via_AD_agent
authentication start login ldap user.authentication.auth_via_LDAP_agent
authentication start login radius user.authentication.auth_via_radius
authentication start login oauth2 app.oauth2.signon app.oauth2.invalid_client_credentials
authentication,session end logout - user.session.end user.session.expire user.authentication.slo
authentication info mfa_challenge - user.authentication.auth_via_mfa user.mfa.okta_verify user.mfa.attempt_bypass
authentication info policy_evaluation - policy.evaluate_sign_on policy.auth_reevaluate
authentication info token_issued oauth2 app.oauth2.token.grant app.oauth2.as.token.grant system.oauth2.token
authentication info access_denied - app.generic.unauth_app_access_attempt
authentication info - - user.authentication user.session
session end session_revoked - user.session.clear user.authentication.universal_logout
session info session_context_change - user.session.context
session start impersonation_start - user.session.impersonation
session end impersonation_end - user.session.impersonation.end user.session.impersonation.revoke

iam user,creation user_create - user.lifecycle.create
iam user,change user_enable - user.lifecycle.activate user.lifecycle.reactivate
iam user,change user_disable - user.lifecycle.deactivate
iam user,change user_suspend - user.lifecycle.suspend
iam user,change user_restore - user.lifecycle.unsuspend
iam user,deletion user_delete - user.lifecycle.delete
iam user,change user_lock - user.account.lock
iam user,change user_unlock - user.account.unlock user.account.unlock_by_admin
iam user,change password_reset - user.account.reset_password user.account.expire_password user.lifecycle.password_mass_expiry
iam user,change password_change - user.account.update_password
iam user,change user_update - user.account user.lifecycle application.user_membership.change_username
iam user,info password_view - application.user_membership.show_password
iam admin,change role_grant - user.account.privilege.grant group.privilege.grant app.oauth2.client.privilege.grant
iam admin,change role_grant - iam.resourceset.bindings.add
iam admin,change role_revoke - user.account.privilege.revoke group.privilege.revoke app.oauth2.client.privilege.revoke
iam admin,change role_revoke - iam.resourceset.bindings.delete
iam admin,? role_change - iam
iam user,change mfa_enroll - user.mfa.factor.activate
iam user,change mfa_remove - user.mfa.factor.deactivate user.mfa.factor.reset_all
iam user,change mfa_change - user.mfa.factor
iam group,change group_member_add - group.user_membership.add
iam group,change group_member_remove - group.user_membership.remove
iam group,creation group_create - group.lifecycle.create
iam group,deletion group_delete - group.lifecycle.delete
iam group,? - - group
iam user,change app_assign - application.user_membership.add group.application_assignment.add
iam user,change app_unassign - application.user_membership.remove group.application_assignment.remove
iam user,creation app_consent oauth2 app.oauth2.consent.grant app.oauth2.as.consent.grant app.oauth2.admin.consent.grant
iam user,deletion app_consent_revoke oauth2 app.oauth2.consent.revoke app.oauth2.as.consent.revoke app.oauth2.admin.consent.revoke
iam user,deletion token_revoke oauth2 app.oauth2.token.revoke app.oauth2.as.token.revoke
iam user,creation token_create - system.api_token.create
iam user,change token_change - system.api_token
iam user,deletion token_revoke - system.api_token.revoke
iam user,? - - user app application

configuration ? policy_change - policy application.policy
configuration ? setting_change - zone system application.lifecycle
configuration creation app_install - application.lifecycle.create
configuration deletion app_uninstall - application.lifecycle.delete
configuration ? federation_change - system.idp
configuration ? setting_change - system.log_stream
configuration change logging_disabled - system.log_stream.lifecycle.deactivate
configuration deletion logging_disabled - system.log_stream.lifecycle.delete
configuration creation domain_add - system.custom_url_domain.initiate
configuration ? webhook_add - event_hook inline_hook
configuration ? key_rotate - system.hook.key
configuration access export_job - analytics.reports.export workflows.user.flow.export workflows.user.table.export
api info rate_limit - system.org.rate_limit system.operation.rate_limit system.client.rate_limit application.integration
email info mail_sent - system.email

!intrusion_detection info threat_detected - security user.account.report_suspicious_activity_by_enduser user.risk
!authentication info token_reuse oauth2 app.oauth2.token.detect_reuse app.oauth2.as.token.detect_reuse app.token.reuse
configuration ? - - *`)

// classOf is the class of a type of event: its own, else that of as many of its first words as are known.
func classOf(kind string) event.Class {
	for name := kind; ; {
		if c, ok := classes[name]; ok {
			return c
		}
		end := strings.LastIndexByte(name, '.')
		if end < 0 {
			break
		}
		name = name[:end]
	}
	if strings.HasPrefix(kind, "app") {
		return classes["app"]
	}
	return classes["*"]
}
