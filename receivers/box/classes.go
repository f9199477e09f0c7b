package box

import (
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
)

// classes of events by type or, with _ at the end, by how a type begins. More is event.outcome.
// https://developer.box.com/guides/events/enterprise-events/for-enterprise/
var classes = event.ReadClasses(`
authentication,session start login success LOGIN ADMIN_LOGIN
authentication start login failure FAILED_LOGIN
authentication denied device_check failure DEVICE_TRUST_CHECK_FAILED
authentication info token_issued - USER_AUTHENTICATE_OAUTH2_ACCESS_TOKEN_CREATE
session info device_add - ADD_LOGIN_ACTIVITY_DEVICE ADD_DEVICE_ASSOCIATION
session info device_remove - REMOVE_LOGIN_ACTIVITY_DEVICE REMOVE_DEVICE_ASSOCIATION
session info device_check - EDR_CROWDSTRIKE_ACCESS_ALLOWED_NO_CROWDSTRIKE_DEVICE EDR_CROWDSTRIKE_DEVICE_DETECTED EDR_
session info device_check - EDR_CROWDSTRIKE_BOX_TOOLS_OUTDATED EDR_CROWDSTRIKE_DRIVE_OUTDATED EDR_CROWDSTRIKE_NO_BOX_TOOLS
session denied device_check failure EDR_CROWDSTRIKE_ACCESS_REVOKED

iam user,creation user_create - NEW_USER
iam user,change user_update - EDIT_USER EMAIL_ALIAS_CONFIRM EMAIL_ALIAS_PRIMARY EMAIL_ALIAS_ EMAIL_ALIAS_REMOVE
iam user,change tenant_join - MASTER_INVITE_ACCEPT
iam user,info tenant_join_reject - MASTER_INVITE_REJECT
iam user,deletion user_delete - DELETE_USER
iam user,change mfa_enroll - ENABLE_TWO_FACTOR_AUTH ENABLE_MULTI_FACTOR_AUTH
iam user,change mfa_remove - DISABLE_MULTI_FACTOR_AUTH
iam admin,change role_change - CHANGE_ADMIN_ROLE GROUP_ADMIN_PERMISSIONS_UPDATED
iam admin,change role_grant - GROUP_ADMIN_CREATED
iam admin,change role_revoke - GROUP_ADMIN_DELETED
iam admin,change support_access_grant - ACCESS_GRANTED
iam admin,change support_access_revoke - ACCESS_REVOKED
iam group,creation group_create - GROUP_CREATION
iam group,deletion group_delete - GROUP_DELETION
iam group,change group_update - GROUP_EDITED GROUP_
iam group,change group_member_add - GROUP_ADD_USER
iam group,change group_member_remove - GROUP_REMOVE_USER
iam,file group,change collab_add - GROUP_ADD_ITEM
iam,file group,change collab_remove - GROUP_REMOVE_ITEM
iam admin,creation app_create - APPLICATION_CREATED
iam admin,creation app_credential_add - APPLICATION_PUBLIC_KEY_ADDED
iam admin,deletion app_credential_remove - APPLICATION_PUBLIC_KEY_DELETED
iam admin,change app_consent - ENTERPRISE_APP_AUTHORIZATION_UPDATE
iam admin,? app_update - APPLICATION_
iam user,deletion token_revoke - OAUTH2_ACCESS_TOKEN_REVOKE OAUTH2_REFRESH_TOKEN_REVOKE

file creation file_upload - UPLOAD ITEM_CREATE ITEM_UPLOAD
file creation file_copy - COPY ITEM_COPY
file creation file_restore - UNDELETE ITEM_UNDELETE_VIA_TRASH
file change file_edit - EDIT ITEM_MODIFY ITEM_ TAG_ITEM_CREATE
file change file_restore - FILE_VERSION_RESTORE ITEM_MAKE_CURRENT_VERSION
file change file_move - MOVE ITEM_MOVE
file change file_rename - RENAME ITEM_RENAME
file change file_lock - LOCK LOCK_CREATE
file change file_unlock - UNLOCK LOCK_DESTROY
file access file_download - DOWNLOAD FILE_WATERMARKED_DOWNLOAD ITEM_DOWNLOAD SIGNER_DOWNLOADED
file access file_view - PREVIEW ITEM_OPEN ITEM_PREVIEW CONTENT_ACCESS
file access sync_download - ITEM_SYNC
file info sync_stop - ITEM_UNSYNC
file info favorite - FAVORITE UNFAVORITE
file deletion file_delete - DELETE ITEM_TRASH STORAGE_EXPIRATION
file change link_create - SHARE ITEM_SHARED ITEM_SHARED_CREATE
file change link_remove - UNSHARE ITEM_SHARED_UNSHARE SHARE_EXPIRATION
file change link_change - ITEM_SHARED_UPDATE UPDATE_SHARE_EXPIRATION
file access link_use - SHARED_LINK_ SHARED_LINK_REDIRECT_OUT_OF_SHARED_CONTEXT
file info link_send - SHARED_LINK_SEND
file info file_send - ITEM_EMAIL_SEND
file change collab_add - COLLABORATION_INVITE COLLAB_INVITE_COLLABORATOR COLLAB_ADD_COLLABORATOR
file change collab_accept - COLLABORATION_ACCEPT
file change collab_change - COLLABORATION_ROLE_CHANGE COLLAB_ROLE_CHANGE UPDATE_COLLABORATION_EXPIRATION COLLABORATION_ COLLAB_
file change collab_remove - COLLABORATION_REMOVE COLLABORATION_EXPIRATION COLLAB_REMOVE_COLLABORATOR
file change folder_permission_change - CHANGE_FOLDER_PERMISSION ADVANCED_FOLDER_SETTINGS_UPDATE EXTERNAL_COLLAB_SECURITY_SETTINGS
file change label_apply - METADATA_INSTANCE_CREATE METADATA_INSTANCE_UPDATE METADATA_INSTANCE_COPY METADATA_INSTANCE_
file change label_remove - METADATA_INSTANCE_DELETE
file ? watermark - WATERMARK_LABEL_CREATE WATERMARK_LABEL_DELETE WATERMARK_
file ? file_request - FILE_REQUEST_CREATE FILE_REQUEST_UPDATE FILE_REQUEST_DELETE FILE_REQUEST_
file ? comment - COMMENT_CREATE COMMENT_EDIT COMMENT_DELETE COMMENT_
file ? comment - ANNOTATIONV2_CREATE ANNOTATIONV2_EDIT ANNOTATIONV2_DELETE ANNOTATIONV2_
file ? task - TASK_CREATE TASK_UPDATE TASK_ASSIGNMENT_CREATE TASK_ASSIGNMENT_UPDATE TASK_ASSIGNMENT_DELETE TASK_
file ? collection - COLLECTION_CREATE COLLECTION_UPDATE COLLECTION_DELETE COLLECTION_
file ? collection - COLLECTION_ITEM_CREATE COLLECTION_ITEM_UPDATE COLLECTION_ITEM_DELETE
file ? file_link - ITEM_ASSOCIATION_CREATED ITEM_ASSOCIATION_UPDATED ITEM_ASSOCIATION_DELETED
file ? content_recovery - CONTENT_RECOVERY_REPORT_CREATE CONTENT_RECOVERY_REPORT_DELETE CONTENT_RECOVERY_REPORT_INITIATE CONTENT_RECOVERY_
file ? sign - SIGN_DOCUMENT_ASSIGNED SIGN_DOCUMENT_CANCELLED SIGN_DOCUMENT_COMPLETED SIGN_DOCUMENT_CONVERTED SIGN_DOCUMENT_CREATED
file ? sign - SIGN_DOCUMENT_DECLINED SIGN_DOCUMENT_EXPIRED SIGN_DOCUMENT_SIGNED SIGN_DOCUMENT_VIEWED_BY_SIGNED SIGN_DOCUMENT_
file ? sign - SIGN_DOCUMENT_VIEWED_BY_SIGNER SIGNER_FORWARDED SIGNER_
file access ai_request - BOX_AI_USER_REQUEST BOX_AI_
file access ai_request failure BOX_AI_USER_FAILED_REQUEST

configuration ? policy_change - METADATA_TEMPLATE_CREATE METADATA_TEMPLATE_UPDATE METADATA_TEMPLATE_DELETE METADATA_TEMPLATE_ METADATA_
configuration ? policy_change - METADATA_CASCADE_POLICY_CREATE METADATA_CASCADE_POLICY_APPLY METADATA_CASCADE_POLICY_
configuration creation policy_change - CONTENT_WORKFLOW_POLICY_ADD DATA_RETENTION_CREATE_RETENTION RETENTION_POLICY_ASSIGNMENT_ADD
configuration deletion policy_change - DATA_RETENTION_REMOVE_RETENTION
configuration ? policy_change - CONTENT_WORKFLOW_AUTOMATION_ADD CONTENT_WORKFLOW_AUTOMATION_DELETE CONTENT_WORKFLOW_
configuration ? policy_change - DATA_RETENTION_ RETENTION_
configuration ? policy_change - LEGAL_HOLD_POLICY_CREATE LEGAL_HOLD_POLICY_UPDATE LEGAL_HOLD_POLICY_DELETE LEGAL_HOLD_
configuration ? policy_change - LEGAL_HOLD_ASSIGNMENT_CREATE LEGAL_HOLD_ASSIGNMENT_DELETE
configuration ? policy_change - WORKFLOW_AUTOMATION_CREATE WORKFLOW_AUTOMATION_UPDATE WORKFLOW_AUTOMATION_DELETE WORKFLOW_
configuration ? policy_change - SHIELD_ACCESS_POLICY_CREATED SHIELD_ACCESS_POLICY_UPDATED SHIELD_ACCESS_POLICY_DELETED
configuration change policy_change - SHIELD_INFORMATION_BARRIER_ENABLED SHIELD_INFORMATION_BARRIER_PENDING
configuration change policy_change - SHIELD_INFORMATION_BARRIER_DISABLED
configuration change setting_change - EMAIL_UPLOAD_ENABLED EMAIL_UPLOAD_DISABLED
configuration info terms_accept - TERMS_OF_SERVICE_ACCEPT
configuration info terms_reject - TERMS_OF_SERVICE_REJECT

!intrusion_detection info threat_detected - SHIELD_ALERT CONTENT_WORKFLOW_ABNORMAL_DOWNLOAD_ACTIVITY AI_SECURITY_DETECTION SHIELD_
!malware info threat_detected - FILE_MARKED_MALICIOUS
!file change owner_change - ILLEGAL_ITEM_OWNERSHIP_TRANSFER_BY_USER
!file info policy_violation - CONTENT_WORKFLOW_UPLOAD_POLICY_VIOLATION CONTENT_WORKFLOW_SHARING_POLICY_VIOLATION
!file allowed policy_override - SHIELD_JUSTIFICATION_APPROVAL SHIELD_EXTERNAL_COLLAB_INVITE_JUSTIFIED
!file denied policy_block failure SHIELD_DOWNLOAD_BLOCKED SHIELD_EXTERNAL_COLLAB_ACCESS_BLOCKED SHIELD_EXTERNAL_COLLAB_INVITE_BLOCKED
!file denied policy_block failure SHIELD_EXTERNAL_COLLAB_ACCESS_BLOCKED_MISSING_JUSTIFICATION
!file denied policy_block failure SHIELD_EXTERNAL_COLLAB_INVITE_BLOCKED_MISSING_JUSTIFICATION
!file denied policy_block failure SHIELD_SHARED_LINK_ACCESS_BLOCKED SHIELD_SHARED_LINK_STATUS_RESTRICTED_ON_CREATE
!file denied policy_block failure SHIELD_SHARED_LINK_STATUS_RESTRICTED_ON_UPDATE SHIELD_INFORMATION_BARRIER_
!file denied policy_block failure SHIELD_INFORMATION_BARRIER_COLLAB_BLOCKED SHIELD_INFORMATION_BARRIER_GROUP_ADD_USER_BLOCKED
!file denied policy_block failure SHIELD_INFORMATION_BARRIER_ITEM_COPY_BLOCKED SHIELD_INFORMATION_BARRIER_ITEM_MOVE_BLOCKED
!file denied policy_block failure SHIELD_INFORMATION_BARRIER_ITEM_OWNER_TRANSFER_BLOCKED
!file denied policy_block failure SHIELD_INFORMATION_BARRIER_SHARED_ITEM_ACCESS_BLOCKED
configuration ? - - *`)

// classOf is the class of a type of event: its own, else that of the longest beginning that is known.
func classOf(kind string) event.Class {
	c, ok := classes[kind]
	for end := len(kind); !ok && end > 0; {
		end = strings.LastIndexByte(kind[:end], '_')
		if end > 0 {
			c, ok = classes[kind[:end+1]]
		}
	}
	if !ok {
		return classes["*"]
	}
	return c
}
