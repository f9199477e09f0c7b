package aws

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas/saastest"
)

func TestGoldenRecords(t *testing.T) { saastest.Golden(t, Provider, "../../testdata/aws") }

// happened are the records of one event.
func happened(t *testing.T, raw string) event.View {
	t.Helper()
	return saastest.Mapped(t, Provider, "cloudtrail", json.RawMessage(raw))[0]
}

// rawEvent is an event, decoded apart from the receiver's table; names in any case.
type rawEvent struct {
	EventID, EventName, EventSource, EventTime, AwsRegion, SourceIPAddress, UserAgent, ErrorCode, ErrorMessage, RecipientAccountID string
	UserIdentity                                                                                                                   struct {
		Type, PrincipalID, Arn, AccountID, UserName, AccessKeyID string
		SessionContext                                           struct{ SessionIssuer struct{ UserName string } }
	}
	RequestParameters json.RawMessage
	ResponseElements  json.RawMessage
}

func TestGivenEventsLoseNothing(t *testing.T) {
	raws := saastest.Given(t, "aws", 235)
	saastest.Kept(t, Provider, raws, func(i int, docs []map[string]any) {
		var e rawEvent
		if err := json.Unmarshal(raws[i], &e); err != nil {
			t.Fatal(err)
		}
		w := happened(t, string(raws[i]))
		f := func(name, want string) {
			t.Helper()
			if got := w.Str(name); got != want {
				t.Errorf("event %d (%s): %s is %q, want %q", i, e.EventName, name, got, want)
			}
		}
		f("event.action", e.EventName)
		f("event.provider", e.EventSource)
		f("cloud.region", e.AwsRegion)
		f("user_agent.original", e.UserAgent)
		f("error.code", e.ErrorCode)
		f("error.message", e.ErrorMessage)
		if _, err := netip.ParseAddr(e.SourceIPAddress); err == nil {
			f("source.ip", e.SourceIPAddress)
		} else {
			f("source.ip", "")
		}
		who := e.UserIdentity
		if who.Arn != "" {
			f("user.id", who.Arn)
		} else {
			f("user.id", who.PrincipalID)
		}
		if who.Type == "IAMUser" && who.UserName != "" && who.UserName != hidden {
			f("user.name", who.UserName)
		}
		if _, session, ok := strings.Cut(who.PrincipalID, ":"); ok && who.Type == "AssumedRole" {
			f("user.name", session)
			f("user.roles", who.SessionContext.SessionIssuer.UserName)
		}
		want := "success"
		var said map[string]json.RawMessage
		_ = json.Unmarshal(e.ResponseElements, &said)
		if e.ErrorCode != "" || e.ErrorMessage != "" || string(said[e.EventName]) == `"Failure"` {
			want = "failure"
		}
		f("event.outcome", want)
		var asked struct{ UserName, BucketName, Key string }
		_ = json.Unmarshal(e.RequestParameters, &asked)
		if e.EventSource == "iam.amazonaws.com" {
			f("user.target.name", asked.UserName)
		}
		if e.EventSource == "s3.amazonaws.com" {
			f("saas.container.id", asked.BucketName)
			f("file.path", asked.Key)
		}
		if len(w.Strs("event.category")) == 0 || len(w.Strs("event.type")) == 0 {
			t.Errorf("event %d (%s): category %v, type %v", i, e.EventName, w.Strs("event.category"), w.Strs("event.type"))
		}
	})
}

func TestEventsMeanWhatTheyAre(t *testing.T) {
	categories := strings.Fields("authentication session iam configuration file")
	types := strings.Fields("start end info user group admin creation deletion change access")
	for kind, c := range classes {
		source, name, _ := strings.Cut(kind, ":")
		if name == "*" || name == "" {
			continue
		}
		w := happened(t, `{"eventID":"e1","eventSource":"`+source+`.amazonaws.com","eventName":"`+name+`"}`)
		for _, got := range w.Strs("event.category") {
			if !slices.Contains(categories, got) {
				t.Errorf("%s: event.category %s", kind, got)
			}
		}
		for _, got := range w.Strs("event.type") {
			if !slices.Contains(types, got) {
				t.Errorf("%s: event.type %s", kind, got)
			}
		}
		if w.Str("saas.activity") != c.Activity || w.Str("event.action") != name || len(w.Strs("event.type")) == 0 {
			t.Errorf("%s: %v", kind, w.Map())
		}
	}
	f := func(source, name, rest, category, types, activity, outcome string) {
		t.Helper()
		w := happened(t, `{"eventID":"e1","eventSource":"`+source+`.amazonaws.com","eventName":"`+name+`"`+rest+`}`)
		got := [...]string{strings.Join(w.Strs("event.category"), " "), strings.Join(w.Strs("event.type"), " "), w.Str("saas.activity"),
			w.Str("event.outcome")}
		if got != [...]string{category, types, activity, outcome} {
			t.Errorf("%s:%s is %q", source, name, got)
		}
	}
	f("signin", "ConsoleLogin", `,"responseElements":{"ConsoleLogin":"Success"}`, "authentication session", "start", "login", "success")
	f("signin", "ConsoleLogin", `,"responseElements":{"ConsoleLogin":"Failure"}`, "authentication session", "start", "login", "failure")
	f("signin", "ConsoleLogin", `,"errorMessage":"Failed authentication"`, "authentication session", "start", "login", "failure")
	f("sso", "UserAuthentication", `,"serviceEventDetails":{"UserAuthentication":"Failure"}`, "authentication session", "start", "login",
		"failure")
	f("iam", "CreateUser", "", "iam", "user creation", "user_create", "success")
	f("iam", "CreateUser", `,"errorCode":"AccessDenied"`, "iam", "user creation", "user_create", "failure")
	f("iam", "ListUsers", `,"readOnly":true`, "iam", "user info", "", "success")
	f("iam", "TagMFADevice", "", "iam", "user change", "", "success")
	f("lambda", "UpdateFunctionCode20150331v2", "", "configuration", "change", "code_change", "success")
	f("ec2", "RunInstances", `,"errorCode":"Client.UnauthorizedOperation"`, "configuration", "creation", "compute_start", "failure")
	f("ec2", "DescribeInstances", "", "configuration", "info access", "", "success")
	f("nova", "DeleteThing", "", "configuration", "deletion", "", "success")
	f("cloudtrail", "StopLogging", "", "configuration", "change", "logging_disabled", "success")
	f("s3", "GetObject", "", "file", "access", "file_download", "success")
}

func TestActorsAreToldFromNobody(t *testing.T) {
	f := func(identity, actor, id, name string) {
		t.Helper()
		w := happened(t, `{"eventID":"e1","eventSource":"ec2.amazonaws.com","eventName":"RunInstances","userIdentity":`+identity+`}`)
		if w.Str("saas.actor.type") != actor || w.Str("user.id") != id || w.Str("user.name") != name {
			t.Errorf("%s: %s %q %q", identity, w.Str("saas.actor.type"), w.Str("user.id"), w.Str("user.name"))
		}
	}
	const user = "arn:aws:iam::111122223333:user/ana"
	f(`{"type":"IAMUser","principalId":"AIDAEXAMPLE","arn":"`+user+`","userName":"ana"}`, "user", user, "ana")
	f(`{"type":"Root","principalId":"111122223333","arn":"arn:aws:iam::111122223333:root"}`, "admin", "arn:aws:iam::111122223333:root", "root")
	f(`{"type":"AssumedRole","principalId":"AROAEXAMPLE:i-0abc","arn":"a"}`, "service_account", "a", "i-0abc")
	f(`{"type":"AssumedRole","principalId":"AROAEXAMPLE:ana@contoso.example","arn":"a"}`, "user", "a", "ana@contoso.example")
	f(`{"type":"AWSService","invokedBy":"ec2.amazonaws.com"}`, "system", "", "ec2.amazonaws.com")
	f(`{"type":"AWSAccount","principalId":"AIDAEXAMPLE","accountId":"444455556666"}`, "external", "AIDAEXAMPLE", "")
	f(`{"type":"IAMUser","accountId":"111122223333","userName":"HIDDEN_DUE_TO_SECURITY_REASONS"}`, "user", "", "")
	f(`{"type":"Unknown","accountId":"111122223333","userName":"HIDDEN_DUE_TO_SECURITY_REASONS"}`, "anonymous", "", "")
	f(`{"type":"IdentityCenterUser","onBehalfOf":{"userId":"94"},"principalId":"94"}`, "user", "94", "")
	f(`{}`, "system", "", "")
	f(`null`, "system", "", "")
}

func TestAddressesAreAddresses(t *testing.T) {
	f := func(sent, ip, address string) {
		t.Helper()
		w := happened(t, `{"eventID":"e1","eventName":"A","sourceIPAddress":"`+sent+`"}`)
		if w.Str("source.ip") != ip || w.Str("source.address") != address {
			t.Errorf("%s: %q %q", sent, w.Str("source.ip"), w.Str("source.address"))
		}
	}
	f("203.0.113.24", "203.0.113.24", "")
	f("cloudtrail.amazonaws.com", "", "cloudtrail.amazonaws.com")
	f("AWS Internal", "", "")
}
