package aws

import (
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// Slots of trailFields.
const (
	eID = iota
	eName
	eSource
	eTime
	eIP
	eReadOnly
	eErrorCode
	eErrorMessage
	eRecipient
	eFromConsole
	uType
	uPrincipal
	uARN
	uAccount
	uKey
	uName
	uInvokedBy
	uProvider
	uOnBehalf
	uRole
	uRoleARN
	uMFA
	qUser
	qGroup
	qRole
	qRoleARN
	qPolicyARN
	qPolicy
	qBucket
	qObject
	qKeyID
	qUserID
	qGroupID
	qMember
	qPermissions
	qPrincipal
	qPrincipalType
	qTarget
	qName
	qInstance
	qFunction
	qKey
	qSecret
	qSnapshot
	qImage
	qDB
	qDetector
	qProvider
	sUserARN
	sKeyID
	sGroupARN
	sResponse
	aMFAUsed
	aDetails
	rType
	rARN
	rAccount
	rType2
	rARN2
	rAccount2
	tVersion
	tCipher
	tHost
	fRegion
)

// trailFields are of CloudTrail's records.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
var (
	trailLayout = event.Compile(trailFields)
	trailFields = event.Table{
		eID: {"eventID", "event.id"}, eName: {"eventName", "event.action"}, eSource: {"eventSource", "event.provider"},
		eTime: {"eventTime", "@timestamp"}, eIP: {"sourceIPAddress", ""}, eReadOnly: {"readOnly", ""}, eErrorCode: {"errorCode", "error.code"},
		eErrorMessage: {"errorMessage", "error.message"}, eRecipient: {"recipientAccountId", "cloud.account.id"},
		eFromConsole: {"sessionCredentialFromConsole", ""},
		uType:        {"userIdentity.type", ""}, uPrincipal: {"userIdentity.principalId", ""}, uARN: {"userIdentity.arn", ""},
		uAccount: {"userIdentity.accountId", ""}, uKey: {"userIdentity.accessKeyId", ""}, uName: {"userIdentity.userName", ""},
		uInvokedBy: {"userIdentity.invokedBy", ""}, uProvider: {"userIdentity.identityProvider", "saas.auth.idp"},
		uOnBehalf: {"userIdentity.onBehalfOf.userId", ""},
		uRole:     {"userIdentity.sessionContext.sessionIssuer.userName", ""}, uRoleARN: {"userIdentity.sessionContext.sessionIssuer.arn", ""},
		uMFA:  {"userIdentity.sessionContext.attributes.mfaAuthenticated", ""},
		qUser: {"requestParameters.userName", ""}, qGroup: {"requestParameters.groupName", ""}, qRole: {"requestParameters.roleName", ""},
		qRoleARN: {"requestParameters.roleArn", ""}, qPolicyARN: {"requestParameters.policyArn", ""},
		qPolicy: {"requestParameters.policyName", ""}, qBucket: {"requestParameters.bucketName", ""}, qObject: {"requestParameters.key", ""},
		qKeyID: {"requestParameters.accessKeyId", ""}, qUserID: {"requestParameters.userId", ""}, qGroupID: {"requestParameters.groupId", ""},
		qMember: {"requestParameters.memberId.userId", ""}, qPermissions: {"requestParameters.permissionSetArn", ""},
		qPrincipal: {"requestParameters.principalId", ""}, qPrincipalType: {"requestParameters.principalType", ""},
		qTarget: {"requestParameters.targetId", ""}, qName: {"requestParameters.name", ""}, qInstance: {"requestParameters.instanceId", ""},
		qFunction: {"requestParameters.functionName", ""}, qKey: {"requestParameters.keyId", ""}, qSecret: {"requestParameters.secretId", ""},
		qSnapshot: {"requestParameters.snapshotId", ""}, qImage: {"requestParameters.imageId", ""},
		qDB: {"requestParameters.dBInstanceIdentifier", ""}, qDetector: {"requestParameters.detectorId", ""},
		qProvider: {"requestParameters.sAMLProviderArn", ""},
		sUserARN:  {"responseElements.user.arn", ""}, sKeyID: {"responseElements.accessKey.accessKeyId", ""},
		sGroupARN: {"responseElements.group.arn", ""}, sResponse: {"responseElements", ""},
		aMFAUsed: {"additionalEventData.MFAUsed", ""}, aDetails: {"serviceEventDetails", ""},
		rType: {"resources[0].type", ""}, rARN: {"resources[0].ARN", ""}, rAccount: {"resources[0].accountId", ""},
		rType2: {"resources[1].type", ""}, rARN2: {"resources[1].ARN", ""}, rAccount2: {"resources[1].accountId", ""},
		tVersion: {"tlsDetails.tlsVersion", ""}, tCipher: {"tlsDetails.cipherSuite", "tls.cipher"},
		tHost: {"tlsDetails.clientProvidedHostHeader", "url.domain"}, fRegion: {"awsRegion", "cloud.region"},
		{"userAgent", "user_agent.original"},
		{"requestID", "http.request.id"}, {"eventType", "event.code"}, {"sharedEventID", "transaction.id"},
		// Not read here: spelled by the table where they come in small letters.
		{"eventVersion", ""}, {"eventCategory", ""}, {"managementEvent", ""}, {"apiVersion", ""}, {"vpcEndpointId", ""},
		{"vpcEndpointAccountId", ""}, {"userIdentity.sessionContext.attributes.creationDate", ""},
		{"userIdentity.sessionContext.sessionIssuer.type", ""}, {"userIdentity.sessionContext.sessionIssuer.principalId", ""},
		{"userIdentity.sessionContext.sessionIssuer.accountId", ""},
	}
)

// trailTypes are the members of a record that have a field of their own, named as public rules read them.
const trailTypes = `keyword aws.cloudtrail.{event_version,event_name,event_source,event_type,event_category,event_id,aws_region,api_version}
	aws.cloudtrail.{error_code,error_message,request_id,recipient_account_id,shared_event_id,vpc_endpoint_id,vpc_endpoint_account_id}
	aws.cloudtrail.{source_ip_address,user_agent,request_parameters,response_elements,additional_eventdata,service_event_details}
	aws.cloudtrail.user_identity.{type,principal_id,arn,account_id,access_key_id,user_name,invoked_by,identity_provider}
	aws.cloudtrail.user_identity.session_context.session_issuer.{type,principal_id,arn,account_id,user_name}
	aws.cloudtrail.user_identity.session_context.attributes.mfa_authenticated
	aws.cloudtrail.resources.{type,arn,account_id} aws.cloudtrail.tls_details.{tls_version,cipher_suite,client_provided_host_header}
	date aws.cloudtrail.user_identity.session_context.attributes.creation_date
	boolean aws.cloudtrail.{read_only,management_event,session_credential_from_console}
	flattened aws.cloudtrail.flattened.{request_parameters,response_elements,additional_eventdata,service_event_details}`

// trailTexts are the objects whose members have any name.
var trailTexts = map[string]string{"requestParameters": "request_parameters", "responseElements": "response_elements",
	"additionalEventData": "additional_eventdata", "serviceEventDetails": "service_event_details"}

// hidden stands for the name of somebody who is nobody's user, since it may be a password.
const hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"

// mapTrail maps a record of CloudTrail.
func mapTrail(v *event.Values, add func() *event.Record) error {
	r := add()
	source, name := v.Str(eSource), v.Str(eName)
	readOnly, _ := v.Bool(eReadOnly)
	c, verb := classOf(source, name), verbOf(name, readOnly)
	c.Put(r, verb)
	if c.Derive && verb == "read" && c.Category[0] == "configuration" {
		r.Strs("event.type", "access")
	}
	r.Str("cloud.provider", "aws")
	service, _, _ := strings.Cut(source, ".")
	r.Str("cloud.service.name", service)
	r.Str("saas.auth.protocol", c.More)
	if !v.Has(eRecipient) {
		r.Str("cloud.account.id", v.Str(uAccount))
	}
	if at := v.Str(eIP); !strings.ContainsAny(at, " <") { // "AWS Internal" is no address
		r.Str("source.ip", at)
	}
	r.Str("tls.version", strings.TrimPrefix(v.Str(tVersion), "TLSv"))
	mapOutcome(v, r, service, name)
	mapActor(v, r)
	if c.Category[0] == "authentication" {
		mapSignIn(v, r, name)
	}
	mapTarget(v, r, service, name)
	mapObject(v, r, service)
	return nil
}

// mapOutcome: a sign-in says how it ended under its own name, everything else by an error.
func mapOutcome(v *event.Values, r *event.Record, service, name string) {
	said := ""
	if service == "signin" || service == "sso" {
		if said = saas.TextAt(v.Bytes(sResponse), name); said == "" {
			said = saas.TextAt(v.Bytes(aDetails), name)
		}
	}
	if v.Str(eErrorCode) != "" || v.Str(eErrorMessage) != "" || said == "Failure" {
		r.Str("event.outcome", "failure")
		r.Str("event.reason", v.Str(eErrorMessage))
		return
	}
	r.Str("event.outcome", "success")
}

// actors are the kinds of identities.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
var actors = map[string]string{"IAMUser": "user", "Root": "admin", "FederatedUser": "user", "SAMLUser": "user", "WebIdentityUser": "user",
	"IdentityCenterUser": "user", "Directory": "user", "AssumedRole": "service_account", "Role": "service_account",
	"AWSService": "system", "AWSAccount": "external"}

func mapActor(v *event.Values, r *event.Record) {
	kind, id, name := v.Str(uType), v.Str(uARN), v.Str(uName)
	if name == hidden {
		name = ""
	}
	actor := actors[kind]
	_, session, _ := strings.Cut(v.Str(uPrincipal), ":")
	switch kind {
	case "AssumedRole":
		name = session
		r.Strs("user.roles", v.Str(uRole))
		if fromConsole, _ := v.Bool(eFromConsole); fromConsole || strings.Contains(session, "@") ||
			strings.HasPrefix(v.Str(uRole), "AWSReservedSSO_") {
			actor = "user"
		}
	case "Root":
		name = "root"
	case "AWSService":
		name = v.Str(uInvokedBy)
	case "FederatedUser":
		name = id[strings.LastIndexByte(id, '/')+1:]
	case "IdentityCenterUser":
		if v.Has(uOnBehalf) {
			id = v.Str(uOnBehalf)
		}
	}
	switch {
	case actor == "" && id == "" && name == "" && !v.Has(uPrincipal):
		if actor = "system"; kind != "" || v.Str(uAccount) != "" {
			actor = "anonymous"
		}
	case actor == "":
		actor = "user"
	}
	if id == "" {
		id = v.Str(uPrincipal)
	}
	r.Str("saas.actor.type", actor)
	r.Str("user.id", id)
	r.Str("user.name", name)
	if strings.Contains(name, "@") {
		r.Str("user.email", name)
	}
	if key := v.Str(uKey); key != "" {
		r.Str("saas.credential.id", key)
		r.Str("saas.credential.type", "access_key")
	}
}

func mapSignIn(v *event.Values, r *event.Record, name string) {
	r.Bool("saas.auth.admin_console", name == "ConsoleLogin")
	if used := v.Str(aMFAUsed); used != "" {
		r.Bool("saas.auth.mfa", used == "Yes" && v.Str(eErrorMessage) == "")
	} else if used, ok := v.Bool(uMFA); ok {
		r.Bool("saas.auth.mfa", used)
	}
	r.Str("saas.role.id", v.Str(qRoleARN))
	if role := v.Str(qRoleARN); role != "" {
		r.Str("saas.role.name", role[strings.LastIndexByte(role, '/')+1:])
	}
}

// mapTarget maps whom and what an event of a directory is about.
func mapTarget(v *event.Values, r *event.Record, service, name string) {
	switch service {
	case "iam":
		if user := v.Str(qUser); user != "" {
			r.Str("user.target.name", user)
			r.Str("user.target.id", v.Str(sUserARN))
			if !v.Has(sUserARN) {
				r.Str("user.target.id", arnOf(v, "user/"+user))
			}
		}
		if group := v.Str(qGroup); group != "" {
			r.Str("group.name", group)
			r.Str("group.id", v.Str(sGroupARN))
			if !v.Has(sGroupARN) {
				r.Str("group.id", arnOf(v, "group/"+group))
			}
		}
		if id := firstOf(v, qKeyID, sKeyID); id != "" {
			r.Str("saas.credential.id", id)
			r.Str("saas.credential.type", "access_key")
		}
	case "sso", "sso-directory", "identitystore":
		r.Str("user.target.id", firstOf(v, qMember, qUserID))
		r.Str("user.target.name", v.Str(qUser))
		r.Str("group.id", v.Str(qGroupID))
		switch v.Str(qPrincipalType) {
		case "USER":
			r.Str("user.target.id", v.Str(qPrincipal))
		case "GROUP":
			r.Str("group.id", v.Str(qPrincipal))
		}
		r.Str("saas.role.id", v.Str(qPermissions))
		r.Str("saas.role.scope", v.Str(qTarget))
	}
	if service != "iam" {
		return
	}
	policy, role := firstOf(v, qPolicyARN, qPolicy), v.Str(qRole)
	if policy == "" {
		policy = role
	} else if role != "" { // which holds the policy
		r.Str("saas.object.type", "role")
		r.Str("saas.object.name", role)
	}
	r.Str("saas.role.id", policy)
	r.Str("saas.role.name", policy[strings.LastIndexByte(policy, '/')+1:])
	if privileged[policy[strings.LastIndexByte(policy, '/')+1:]] {
		r.Bool("saas.role.privileged", true)
	}
	if strings.Contains(name, "Provider") {
		r.Str("saas.object.type", "identity_provider")
		r.Str("saas.object.id", v.Str(qProvider))
		r.Str("saas.object.name", v.Str(qName))
	}
}

// arnOf is the ARN of something of IAM without a path in the account of an event.
func arnOf(v *event.Values, name string) string {
	account := firstOf(v, eRecipient, uAccount)
	if account == "" {
		return ""
	}
	part := "aws"
	if arn := v.Str(uARN); strings.HasPrefix(arn, "arn:") {
		part, _, _ = strings.Cut(arn[len("arn:"):], ":")
	}
	return "arn:" + part + ":iam::" + account + ":" + name
}

// firstOf is the first of the values that is there.
func firstOf(v *event.Values, slots ...int) string {
	for _, i := range slots {
		if s := v.Str(i); s != "" {
			return s
		}
	}
	return ""
}

// mapObject maps the object and the bucket that an event is about, else the resource.
func mapObject(v *event.Values, r *event.Record, service string) {
	name, key := v.Str(qBucket), v.Str(qObject)
	if service == "s3" && name != "" {
		r.Str("saas.container.id", name)
		r.Str("saas.container.name", name)
		r.Str("saas.container.type", "bucket")
		owner := bucketOwner(v)
		if key == "" {
			r.Str("saas.object.type", "bucket")
			r.Str("saas.object.id", name)
			return
		}
		mapKey(r, name, key, "")
		r.Str("saas.file.owner.id", owner)
		return
	}
	if r.Get("saas.object.id") == "" {
		r.Str("saas.object.type", v.Str(rType))
		id := firstOf(v, rARN, qInstance, qFunction, qSecret, qKey, qSnapshot, qImage, qDB, qDetector)
		switch {
		case id == "" && service == "ec2":
			id = v.Str(qGroupID)
		case id == "" && strings.HasPrefix(v.Str(qName), "arn:"):
			id = v.Str(qName)
		}
		r.Str("saas.object.id", id)
		r.Str("saas.object.name", v.Str(qName))
	}
}

// bucketOwner is the account of the bucket that an event is about.
func bucketOwner(v *event.Values) string {
	for _, i := range [...]int{rType, rType2} {
		if v.Str(i) == "AWS::S3::Bucket" {
			return v.Str(i + rAccount - rType)
		}
	}
	return v.Str(eRecipient)
}

// mapKey maps the name of an object.
func mapKey(r *event.Record, bucket, key, version string) {
	r.Str("saas.file.id", objectID(bucket, key, version))
	r.Str("file.path", key)
	name := key[strings.LastIndexByte(strings.TrimSuffix(key, "/"), '/')+1:]
	r.Str("file.name", name)
	if at := strings.LastIndexByte(name, '.'); at > 0 && at < len(name)-1 {
		r.Str("file.extension", name[at+1:])
	}
	r.Str("file.type", "file")
}
