package aws

import (
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
)

// classes of events by the first word of their source and their name, or * for all others of the source. More is
// saas.auth.protocol.
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
var classes = event.ReadClasses(`
authentication,session start login - signin:ConsoleLogin sso:Authenticate signin:UserAuthentication sso:UserAuthentication
authentication info mfa_challenge - signin:CheckMfa
authentication info mfa_challenge - signin:CredentialChallenge signin:CredentialVerification
authentication info mfa_challenge - sso:CredentialChallenge sso:CredentialVerification
authentication start login saml sso:Federate signin:Federate
authentication info token_issued - sts:AssumeRole sts:GetSessionToken sts:GetFederationToken sts:AssumeRoot signin:GetSigninToken
authentication info token_issued oauth2 sso:CreateToken sso-oauth:CreateToken sso-oauth:CreateTokenWithIAM sso:GetRoleCredentials
authentication info token_issued saml sts:AssumeRoleWithSAML
authentication info token_issued oidc sts:AssumeRoleWithWebIdentity
authentication info - - signin:* sts:*
session start impersonation_start - signin:SwitchRole
session end impersonation_end - signin:ExitRole
session info session_context_change - signin:RenewRole
authentication,session end logout - sso:Logout signin:Logout
iam user,change password_reset - signin:PasswordRecoveryRequested iam:UpdateLoginProfile
iam user,change password_change - signin:PasswordRecoveryCompleted signin:PasswordUpdated iam:ChangePassword
iam user,change user_update - signin:EmailUpdated iam:UpdateUser iam:TagUser iam:UntagUser
iam user,creation user_create - iam:CreateUser sso-directory:CreateUser identitystore:CreateUser
iam user,deletion user_delete - iam:DeleteUser sso-directory:DeleteUser identitystore:DeleteUser
iam user,change user_update - sso-directory:UpdateUser identitystore:UpdateUser
iam user,change user_suspend - sso-directory:DisableUser
iam user,change user_restore - sso-directory:EnableUser
iam user,change password_reset - sso-directory:UpdatePassword
iam user,creation password_create - iam:CreateLoginProfile
iam user,deletion password_delete - iam:DeleteLoginProfile
iam user,creation token_create - iam:CreateAccessKey iam:CreateServiceSpecificCredential iam:UploadSigningCertificate
iam user,creation token_create - iam:UploadSSHPublicKey
iam user,change token_change - iam:UpdateAccessKey iam:UpdateServiceSpecificCredential iam:UpdateSigningCertificate iam:UpdateSSHPublicKey
iam user,change token_change - iam:ResetServiceSpecificCredential
iam user,deletion token_revoke - iam:DeleteAccessKey iam:DeleteServiceSpecificCredential iam:DeleteSigningCertificate iam:DeleteSSHPublicKey
iam group,change group_member_add - iam:AddUserToGroup sso-directory:AddMemberToGroup identitystore:CreateGroupMembership
iam group,change group_member_remove - iam:RemoveUserFromGroup sso-directory:RemoveMemberFromGroup identitystore:DeleteGroupMembership
iam group,creation group_create - iam:CreateGroup sso-directory:CreateGroup identitystore:CreateGroup
iam group,deletion group_delete - iam:DeleteGroup sso-directory:DeleteGroup identitystore:DeleteGroup
iam group,change group_update - iam:UpdateGroup sso-directory:UpdateGroup identitystore:UpdateGroup
iam admin,change role_grant - iam:AttachUserPolicy iam:AttachGroupPolicy iam:AttachRolePolicy iam:PutUserPolicy iam:PutRolePolicy
iam admin,change role_grant - iam:PutGroupPolicy sso:CreateAccountAssignment iam:AddRoleToInstanceProfile
iam admin,change role_revoke - iam:DetachUserPolicy iam:DetachGroupPolicy iam:DetachRolePolicy iam:DeleteUserPolicy iam:DeleteRolePolicy
iam admin,change role_revoke - iam:DeleteGroupPolicy sso:DeleteAccountAssignment iam:RemoveRoleFromInstanceProfile
iam admin,change role_change - iam:CreatePolicyVersion iam:SetDefaultPolicyVersion iam:DeletePolicyVersion iam:UpdateAssumeRolePolicy
iam admin,change role_change - iam:PutUserPermissionsBoundary iam:DeleteUserPermissionsBoundary iam:PutRolePermissionsBoundary
iam admin,change role_change - iam:DeleteRolePermissionsBoundary iam:UpdateRole sso:ProvisionPermissionSet sso:UpdatePermissionSet
iam admin,change role_change - sso:PutInlinePolicyToPermissionSet sso:DeleteInlinePolicyFromPermissionSet
iam admin,change role_change - sso:AttachManagedPolicyToPermissionSet sso:DetachManagedPolicyFromPermissionSet
iam admin,creation role_create - iam:CreateRole iam:CreatePolicy iam:CreateServiceLinkedRole sso:CreatePermissionSet
iam admin,creation role_create - iam:CreateInstanceProfile
iam admin,deletion role_delete - iam:DeleteRole iam:DeletePolicy sso:DeletePermissionSet iam:DeleteInstanceProfile
iam user,change mfa_enroll - iam:EnableMFADevice iam:CreateVirtualMFADevice sso-directory:StartVirtualMfaDeviceRegistration
iam user,change mfa_remove - iam:DeactivateMFADevice iam:DeleteVirtualMFADevice sso-directory:DeleteMfaDeviceForUser
iam user,change mfa_change - iam:ResyncMFADevice
iam,configuration admin,change policy_change - iam:UpdateAccountPasswordPolicy iam:DeleteAccountPasswordPolicy
iam user,? - - iam:* sso-directory:* identitystore:* sso:*
configuration ? federation_change - iam:CreateSAMLProvider iam:UpdateSAMLProvider iam:DeleteSAMLProvider iam:CreateOpenIDConnectProvider
configuration ? federation_change - iam:DeleteOpenIDConnectProvider iam:UpdateOpenIDConnectProviderThumbprint sso:AssociateDirectory
configuration ? federation_change - iam:AddClientIDToOpenIDConnectProvider iam:RemoveClientIDFromOpenIDConnectProvider
configuration ? federation_change - sso-directory:EnableExternalIdPConfigurationForDirectory sso:DisassociateDirectory
configuration ? federation_change - sso-directory:DisableExternalIdPConfigurationForDirectory
configuration creation app_install - sso:CreateApplication sso:CreateManagedApplicationInstance sso:CreateApplicationInstance
configuration deletion app_uninstall - sso:DeleteApplication sso:DeleteManagedApplicationInstance sso:DeleteApplicationInstance

configuration ? org_change - organizations:CreateAccount organizations:InviteAccountToOrganization organizations:LeaveOrganization
configuration ? org_change - organizations:RemoveAccountFromOrganization organizations:CloseAccount organizations:CreateAccountResult
configuration change policy_change - organizations:AttachPolicy organizations:DetachPolicy organizations:DisablePolicyType
configuration ? policy_change - organizations:CreatePolicy organizations:UpdatePolicy organizations:DeletePolicy

configuration creation bucket_create - s3:CreateBucket
configuration deletion bucket_delete - s3:DeleteBucket
configuration change share_change - s3:PutBucketPolicy s3:DeleteBucketPolicy s3:PutBucketAcl s3:PutBucketPublicAccessBlock
configuration change share_change - s3:DeleteBucketPublicAccessBlock s3:PutAccountPublicAccessBlock s3:DeleteAccountPublicAccessBlock
configuration change share_change - s3:PutBucketOwnershipControls s3:PutBucketReplication s3:PutBucketCors s3:PutBucketWebsite
configuration change setting_change - s3:PutBucketEncryption s3:PutBucketVersioning s3:PutBucketLogging s3:PutBucketLifecycle
configuration change setting_change - s3:DeleteBucketEncryption s3:DeleteBucketReplication s3:DeleteBucketLifecycle s3:PutBucketNotification
file access file_download - s3:GetObject
file creation file_upload - s3:PutObject s3:CompleteMultipartUpload s3:CreateMultipartUpload s3:UploadPart
file creation file_copy - s3:CopyObject s3:UploadPartCopy
file deletion file_delete - s3:DeleteObject s3:DeleteObjects
file change share_change - s3:PutObjectAcl
file creation file_restore - s3:RestoreObject
file change label_change - s3:PutObjectTagging s3:DeleteObjectTagging
file access file_view - s3:HeadObject s3:ListObjects s3:ListObjectVersions s3:GetObjectTagging s3:GetObjectAcl s3:SelectObjectContent

configuration change logging_disabled - cloudtrail:StopLogging cloudtrail:UpdateTrail cloudtrail:PutEventSelectors
configuration deletion logging_disabled - cloudtrail:DeleteTrail cloudtrail:DeleteEventDataStore ec2:DeleteFlowLogs
configuration deletion logging_disabled - bedrock:DeleteModelInvocationLoggingConfiguration logs:DeleteLogGroup logs:DeleteLogStream
configuration ? logging_enabled - cloudtrail:CreateTrail cloudtrail:StartLogging
configuration change key_disable - kms:DisableKey kms:ScheduleKeyDeletion
configuration change policy_change - kms:PutKeyPolicy secretsmanager:PutResourcePolicy ecr:SetRepositoryPolicy
configuration change key_rotate - kms:RotateKeyOnDemand secretsmanager:RotateSecret
configuration access key_use - kms:Decrypt kms:GenerateDataKey kms:Encrypt
file access secret_read - secretsmanager:GetSecretValue secretsmanager:BatchGetSecretValue ssm:GetParameter ssm:GetParameters
file access secret_read - ssm:GetParametersByPath ssm:GetParameterHistory ec2:GetPasswordData
file change secret_change - secretsmanager:PutSecretValue secretsmanager:UpdateSecret ssm:PutParameter
file deletion secret_delete - secretsmanager:DeleteSecret ssm:DeleteParameter ssm:DeleteParameters
session start remote_session - ssm:StartSession ssm:SendCommand ec2-instance-connect:SendSSHPublicKey
session end remote_session - ssm:TerminateSession
configuration creation compute_start - ec2:RunInstances ec2:StartInstances lambda:CreateFunction
configuration deletion compute_stop - ec2:TerminateInstances ec2:StopInstances
configuration change code_change - lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration
configuration change network_exposure - ec2:AuthorizeSecurityGroupIngress ec2:AuthorizeSecurityGroupEgress ec2:CreateVpcPeeringConnection
configuration change network_exposure - ec2:AttachInternetGateway ec2:CreateRoute ec2:CreateNetworkAclEntry
configuration change network_change - ec2:RevokeSecurityGroupIngress ec2:RevokeSecurityGroupEgress
configuration change share_external - ec2:ModifySnapshotAttribute ec2:ModifyImageAttribute rds:ModifyDBSnapshotAttribute
configuration change share_external - rds:ModifyDBClusterSnapshotAttribute lambda:AddPermission
configuration creation key_create - ec2:CreateKeyPair ec2:ImportKeyPair
configuration change defence_disabled - guardduty:UpdateDetector config:StopConfigurationRecorder securityhub:DisableSecurityHub
configuration deletion defence_disabled - guardduty:DeleteDetector config:DeleteConfigRule config:DeleteDeliveryChannel
configuration deletion defence_disabled - config:DeleteConfigurationRecorder access-analyzer:DeleteAnalyzer macie2:DisableMacie
configuration deletion defence_disabled - bedrock:DeleteGuardrail wafv2:DeleteWebACL
configuration ? - - *`)

// classOf is the class of an event. Names of Lambda bear the date of an interface.
func classOf(source, name string) event.Class {
	source, _, _ = strings.Cut(source, ".")
	if c, ok := classes[source+":"+name]; ok {
		return c
	}
	if at := strings.IndexByte(name, '2'); at > 0 && len(name) >= at+8 {
		if c, ok := classes[source+":"+name[:at]]; ok {
			return c
		}
	}
	if c, ok := classes[source+":*"]; ok {
		return c
	}
	return classes["*"]
}

// reads, makes and ends are how names begin of events that only look, make something, or end it.
var (
	reads = strings.Fields("Get List Describe Head Lookup Search Select Query Scan BatchGet Download Check Filter Preview")
	makes = strings.Fields("Create Run Register Import Upload Issue Add Allocate Generate")
	ends  = strings.Fields("Delete Remove Terminate Deregister Purge Release Leave Close")
)

// verbOf is what an event does, as event.Class derives a type from it; "read" for one that only looks.
func verbOf(name string, readOnly bool) string {
	begins := func(list []string) bool {
		for _, w := range list {
			if strings.HasPrefix(name, w) {
				return true
			}
		}
		return false
	}
	switch {
	case readOnly, begins(reads):
		return "read"
	case begins(makes):
		return "create"
	case begins(ends):
		return "delete"
	}
	return "update"
}
