package aws

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simKindEvent is events of sim.Planted.
const simKindEvent = 1

// simCatalogue are the kinds of events: how often each comes, its source, who does it (u a person, r somebody in a role, R root, s a
// service of AWS, x an account of others, c somebody of Identity Center), what kind of event it is (c = of the console, m =
// management, r =
// management that only reads, d = of data), and its names.
const simCatalogue = `
900 s3 r d GetObject HeadObject
400 s3 r d PutObject
600 sts s r AssumeRole
400 signin u c ConsoleLogin
300 ec2 r r DescribeInstances DescribeSecurityGroups
250 iam r r ListUsers GetAccountAuthorizationDetails
150 kms s r Decrypt
120 signin c c UserAuthentication CredentialVerification
120 sts r r AssumeRoleWithSAML AssumeRoleWithWebIdentity GetSessionToken GetFederationToken AssumeRoot
100 s3 r d DeleteObject CopyObject PutObjectTagging PutObjectAcl ListObjects DeleteObjects CompleteMultipartUpload RestoreObject
90 s3 u m PutBucketPolicy PutBucketAcl PutBucketPublicAccessBlock DeleteBucketPublicAccessBlock CreateBucket DeleteBucketPolicy
80 iam u m CreateUser DeleteUser UpdateUser CreateLoginProfile UpdateLoginProfile DeleteLoginProfile ChangePassword
80 iam r m CreateAccessKey UpdateAccessKey DeleteAccessKey CreateServiceSpecificCredential UploadSigningCertificate UploadSSHPublicKey
80 iam u m AddUserToGroup RemoveUserFromGroup CreateGroup DeleteGroup
80 iam r m AttachUserPolicy AttachRolePolicy AttachGroupPolicy PutUserPolicy PutRolePolicy PutGroupPolicy DetachUserPolicy DeleteRolePolicy
60 iam r m CreatePolicyVersion SetDefaultPolicyVersion UpdateAssumeRolePolicy CreateRole DeleteRole PutUserPermissionsBoundary
60 iam u m EnableMFADevice DeactivateMFADevice CreateVirtualMFADevice DeleteVirtualMFADevice UpdateAccountPasswordPolicy
50 ec2 r m RunInstances TerminateInstances AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress CreateSnapshot
50 signin u c SwitchRole ExitRole CheckMfa
40 secretsmanager r r GetSecretValue
40 sso c m CreateAccountAssignment DeleteAccountAssignment CreatePermissionSet PutInlinePolicyToPermissionSet ProvisionPermissionSet
40 sso-directory c m CreateUser DisableUser EnableUser DeleteUser AddMemberToGroup RemoveMemberFromGroup
40 sso c c Authenticate Federate Logout
30 signin R c ConsoleLogin PasswordRecoveryRequested PasswordRecoveryCompleted PasswordUpdated EmailUpdated
30 organizations r m CreateAccount InviteAccountToOrganization LeaveOrganization RemoveAccountFromOrganization AttachPolicy DetachPolicy
30 cloudtrail r m StopLogging DeleteTrail UpdateTrail PutEventSelectors CreateTrail StartLogging
30 kms r m DisableKey ScheduleKeyDeletion PutKeyPolicy
30 ssm r m SendCommand StartSession
30 ssm r r GetParameter GetParameters
30 iam r m CreateSAMLProvider UpdateSAMLProvider DeleteSAMLProvider CreateOpenIDConnectProvider
25 ec2 r m ModifySnapshotAttribute ModifyImageAttribute CreateKeyPair ModifyInstanceAttribute CreateVpcPeeringConnection
25 rds r m ModifyDBSnapshotAttribute ModifyDBInstance
25 lambda r m CreateFunction20150331 UpdateFunctionCode20150331v2 AddPermission20150331v2
25 s3 x d GetObject
20 guardduty r m DeleteDetector UpdateDetector
20 config r m StopConfigurationRecorder DeleteConfigRule
20 securityhub r m DisableSecurityHub
20 access-analyzer r m DeleteAnalyzer
20 quantum-tomorrow r m EntangleEverything`

// simType is a kind of event; it comes for draws below upTo.
type simType struct {
	source, name string
	by, kind     byte
	upTo         int
}

var simTypes = func() (all []simType) {
	sum := 0
	for line := range strings.SplitSeq(strings.TrimSpace(simCatalogue), "\n") {
		w := strings.Fields(line)
		often, _ := strconv.Atoi(w[0])
		for _, name := range w[4:] {
			sum += often
			all = append(all, simType{w[1], name, w[2][0], w[3][0], sum})
		}
	}
	return all
}()

func (s *simCloud) eventID(i int) string { return s.uuid(10, uint64(i)) }

// simPlace is where an event happens.
type simPlace struct {
	account *simAccount
	region  string
}

// place says what event i is and where; rnd goes on with the rest of it.
func (s *simCloud) place(i int) (t *simType, at simPlace, rnd *sim.Rand) {
	rnd = sim.NewRand(s.o.Seed, 11, uint64(i))
	draw := rnd.N(simTypes[len(simTypes)-1].upTo)
	t = &simTypes[sort.Search(len(simTypes), func(k int) bool { return draw < simTypes[k].upTo })]
	at.account, at.region = sim.Pick(rnd, s.active()), sim.Pick(rnd, s.regions)
	switch t.source {
	case "iam", "organizations":
		at.region = s.global()
	}
	if t.by == 'R' {
		at.region = s.global()
	}
	return t, at, rnd
}

// whereabouts is the place of event i, generated or replayed.
func (s *simCloud) whereabouts(i int) (at simPlace) {
	if s.o.Replay == nil {
		_, at, _ = s.place(i)
		return at
	}
	var e struct{ RecipientAccountId, AwsRegion string }
	_ = json.Unmarshal(s.feed.Make(nil, i), &e) // an event without both is of the first account
	if at.account = s.byID[e.RecipientAccountId]; at.account == nil {
		at.account = s.accounts[0]
	}
	if at.region = s.home(); e.AwsRegion == s.global() {
		at.region = s.global()
	}
	return at
}

// generate appends event i.
func (s *simCloud) generate(b []byte, i int, at time.Time) []byte {
	t, where, rnd := s.place(i)
	e := &simEvent{s: s, t: t, at: at, account: where.account, region: where.region, rnd: rnd, id: s.eventID(i), n: i}
	return e.write(b)
}

// simEvent is a record of CloudTrail before it is written.
type simEvent struct {
	s               *simCloud
	t               *simType
	at              time.Time
	account         *simAccount
	region, id      string
	n               int
	rnd             *sim.Rand
	params, outcome []byte // JSON; nil = null
	resources       []byte
	fail, why       string
}

// write appends the record. https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
func (e *simEvent) write(b []byte) []byte {
	e.fill()
	b = append(b, `{"eventVersion":"1.11","userIdentity":`...)
	b = e.identity(b)
	b = sim.Field(b, "eventTime", simStamp(e.at))
	b = sim.Field(sim.Field(b, "eventSource", e.t.source+".amazonaws.com"), "eventName", e.t.name)
	b = sim.Field(b, "awsRegion", e.region)
	ip, agent := fmt.Sprintf("203.0.113.%d", 1+e.rnd.N(250)), sim.Pick(e.rnd, []string{"Mozilla/5.0 (X11; Linux x86_64)", "[aws-cli/2.31.0]",
		"Boto3/1.40 \"quoted\"", "Terraform/1.13"})
	if e.t.by == 's' {
		ip, agent = "lambda.amazonaws.com", "lambda.amazonaws.com"
	} else if e.rnd.N(20) == 0 {
		ip = "2001:db8::" + strconv.FormatInt(int64(1+e.rnd.N(4000)), 16)
	}
	b = sim.Field(sim.Field(b, "sourceIPAddress", ip), "userAgent", agent)
	if e.fail != "" {
		if e.fail != "-" {
			b = sim.Field(b, "errorCode", e.fail)
		}
		b = sim.Field(b, "errorMessage", e.why)
	}
	b = sim.Raw(append(b, `,"requestParameters":`...), e.params)
	b = sim.Raw(append(b, `,"responseElements":`...), e.outcome)
	category, kind := "Management", "AwsApiCall"
	switch e.t.kind {
	case 'd':
		category = "Data"
	case 'c':
		kind = "AwsServiceEvent"
		if e.t.source == "signin" {
			kind = "AwsConsoleSignIn"
		}
		b = append(b, `,"additionalEventData":{"LoginTo":"https://console.aws.amazon.com/","MobileVersion":"No","MFAUsed":"`...)
		b = append(append(b, sim.Pick(e.rnd, []string{"Yes", "No"})...), `"}`...)
	}
	b = sim.Field(sim.Field(b, "requestID", strings.ToUpper(string(e.rnd.Name(nil, 16)))), "eventID", e.id)
	b = append(b, `,"readOnly":`...)
	b = strconv.AppendBool(b, e.t.kind == 'r' || strings.HasPrefix(e.t.name, "Get") || strings.HasPrefix(e.t.name, "Head") ||
		strings.HasPrefix(e.t.name, "List"))
	if e.resources != nil {
		b = append(append(b, `,"resources":`...), e.resources...)
	}
	b = sim.Field(b, "eventType", kind)
	b = strconv.AppendBool(append(b, `,"managementEvent":`...), e.t.kind != 'd')
	b = sim.Field(b, "recipientAccountId", e.account.id)
	if e.t.by == 'x' {
		b = sim.Field(b, "sharedEventID", e.s.uuid(12, uint64(e.n)))
	}
	b = sim.Field(b, "eventCategory", category)
	if e.t.by != 's' {
		b = append(b, `,"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"`...)
		b = append(append(b, e.t.source+"."+e.region+".amazonaws.com"...), `"}`...)
	}
	return append(b, '}')
}

// identity appends who did it.
func (e *simEvent) identity(b []byte) []byte {
	a, rnd := e.account, e.rnd
	u := sim.Pick(rnd, a.iam.users)
	root := e.s.arn("iam", "", a.id, "root")
	switch e.t.by {
	case 'u':
		b = sim.Field(sim.Field(append(b, `{"type":"IAMUser"`...), "principalId", u.id), "arn", u.arn)
		b = sim.Field(b, "accountId", a.id)
		name := u.name
		if e.fail == "-" && e.n%5 == 0 {
			name = "HIDDEN_DUE_TO_SECURITY_REASONS"
		} else if len(u.keys) > 0 && e.t.kind != 'c' {
			b = sim.Field(b, "accessKeyId", u.keys[0].id)
		}
		return append(sim.Field(b, "userName", name), '}')
	case 'R':
		b = sim.Field(sim.Field(append(b, `{"type":"Root"`...), "principalId", a.id), "arn", root)
		return append(sim.Field(b, "accountId", a.id), '}')
	case 's':
		return append(b, `{"type":"AWSService","invokedBy":"lambda.amazonaws.com"}`...)
	case 'x':
		return append(b, `{"type":"AWSAccount","principalId":"AROAOUTSIDEEXAMPLE:job","accountId":"464622532012"}`...)
	case 'c':
		user := sim.Pick(rnd, e.s.center.users)
		b = sim.Field(sim.Field(append(b, `{"type":"IdentityCenterUser"`...), "principalId", e.s.center.store), "accountId", a.id)
		b = sim.Text(append(b, `,"onBehalfOf":{"userId":`...), user["UserId"].(string))
		return append(append(sim.Field(b, "identityStoreArn", e.s.arn("identitystore", "", a.id, "identitystore/"+e.s.center.store)), '}'), '}')
	}
	r := sim.Pick(rnd, a.iam.roles)
	b = sim.Field(append(b, `{"type":"AssumedRole"`...), "principalId", r.id+":"+u.name)
	b = sim.Field(sim.Field(b, "arn", e.s.arn("sts", "", a.id, "assumed-role/"+r.name+"/"+u.name)), "accountId", a.id)
	b = sim.Field(b, "accessKeyId", "ASIA"+strings.ToUpper(string(rnd.Name(nil, 16))))
	b = sim.Field(append(b, `,"sessionContext":{"sessionIssuer":{"type":"Role"`...), "principalId", r.id)
	b = sim.Field(sim.Field(sim.Field(b, "arn", r.arn), "accountId", a.id), "userName", r.name)
	b = sim.Text(append(b, `},"attributes":{"creationDate":`...), simStamp(e.at.Add(-time.Duration(rnd.N(3000))*time.Second)))
	return append(sim.Field(b, "mfaAuthenticated", sim.Pick(rnd, []string{"true", "false"})), "}}}"...)
}

// fill says what was asked for and what came of it.
func (e *simEvent) fill() {
	rnd, a := e.rnd, e.account
	user, role := sim.Pick(rnd, a.iam.users), sim.Pick(rnd, a.iam.roles)
	in := func(pairs ...string) {
		b := []byte{'{'}
		for i := 0; i+1 < len(pairs); i += 2 {
			if i > 0 {
				b = append(b, ',')
			}
			b = sim.Text(append(sim.Text(b, pairs[i]), ':'), pairs[i+1])
		}
		e.params = append(b, '}')
	}
	switch e.t.source {
	case "signin":
		if e.outcome = []byte(`{"` + e.t.name + `":"Success"}`); rnd.N(6) == 0 {
			e.outcome, e.fail, e.why = []byte(`{"`+e.t.name+`":"Failure"}`), "-", "Failed authentication"
		}
		return
	case "iam":
		in("userName", user.name, "policyArn", a.iam.policies[0].arn, "roleName", role.name, "groupName", a.iam.groups[0].name)
	case "sts":
		in("roleArn", role.arn, "roleSessionName", user.name, "durationSeconds", "3600")
		e.resources = append(sim.Field(sim.Text([]byte(`[{"accountId":`), a.id), "ARN", role.arn), `,"type":"AWS::IAM::Role"}]`...)
	case "s3":
		e.aimS3(in)
	case "ec2":
		in("groupId", "sg-"+e.s.hex(13, uint64(e.n), 17), "ipPermissions",
			`{"items":[{"ipProtocol":"tcp","fromPort":22,"cidrIp":"0.0.0.0/0"}]}`)
	case "cloudtrail":
		in("name", e.s.arn("cloudtrail", e.s.home(), e.s.accounts[0].id, "trail/org"))
	default:
		in("id", e.s.uuid(13, uint64(e.n)), "name", "thing <"+strconv.Itoa(e.n)+">")
	}
	if t, decoy := sim.Planted(e.s.o.Seed, simKindEvent, uint64(e.n)); t != "" {
		in("description", sim.Plant(rnd, t))
	} else if decoy {
		in("description", sim.Decoy(rnd))
	}
	if rnd.N(12) == 0 {
		e.fail, e.why = "AccessDenied", "User: "+user.arn+" is not authorized to perform: "+e.t.source+":"+e.t.name
		if e.t.source == "ec2" {
			e.fail = "Client.UnauthorizedOperation"
		}
	}
}

// aimS3 picks a bucket of the account, and an object for an event of data.
func (e *simEvent) aimS3(in func(...string)) {
	b := e.s.buckets[fmt.Sprintf("contoso-data%s-%d", e.s.suffix(), e.account.n)]
	if e.t.kind != 'd' || len(b.objects) == 0 {
		in("bucketName", b.name, "Host", b.name+".s3."+b.region+".amazonaws.com", strings.TrimPrefix(e.t.name, "Put"), "")
		return
	}
	at := e.rnd.N(len(b.objects))
	for at > 0 && b.objects[at].latest().marker { // nobody writes what is gone
		at--
	}
	o := b.objects[at]
	in("bucketName", b.name, "key", o.key)
	e.resources = sim.Text([]byte(`[{"type":"AWS::S3::Object","ARN":`), e.s.arn("s3", "", "", b.name+"/"+o.key))
	e.resources = append(sim.Field(append(e.resources, `},{"type":"AWS::S3::Bucket"`...), "accountId", e.account.id), `}]`...)
}

// simReplayKey is the identity of a replayed event: its id, or a hash.
func simReplayKey(raw []byte) string {
	var o struct{ EventID string }
	if err := json.Unmarshal(raw, &o); err != nil || o.EventID == "" {
		return fmt.Sprintf("%016x", sim.KeySum(string(raw)))
	}
	return o.EventID
}

// of says whether a record is of a place.
func (p simPlace) of(raw []byte) bool {
	return bytes.Contains(raw, []byte(`"awsRegion":"`+p.region+`"`)) && bytes.Contains(raw,
		[]byte(`"recipientAccountId":"`+p.account.id+`"`))
}
