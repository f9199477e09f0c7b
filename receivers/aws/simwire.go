package aws

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

type obj = map[string]any

// simCall is one request: which operation of which service, by whom.
type simCall struct {
	r              *http.Request
	body           []byte
	wire           string // json, query, xml, rest (JSON by path)
	service, op    string
	region, key    string // of the signature
	bucket, object string // of S3
	in             obj    // of JSON
	form           url.Values
	who            *simCred
	account        *simAccount
	serverID       string
	linger         time.Duration // nothing is there yet: for how long to wait
}

// simReply is an answer. Body is a value for JSON, XML otherwise.
type simReply struct {
	status int
	header map[string]string
	body   any
}

// simError is a refusal, by the name that all protocols but JSON give it.
type simError struct {
	status        int
	code, message string
	more          string            // S3: further elements
	header        map[string]string // and headers
	exact         bool              // the status is what was asked for
}

func simErr(status int, code, message string) *simError {
	return &simError{status: status, code: code, message: message}
}

// simTargets are the services by the prefix of X-Amz-Target.
var simTargets = map[string]string{"CloudTrail_20131101": "cloudtrail",
	"com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101": "cloudtrail",
	"AWSOrganizationsV20161128":                              "organizations",
	"AWSIdentityStore":                                       "identitystore", "SWBExternalService": "sso", "AmazonSQS": "sqs"}

// simRest are the operations of services that are told by their paths.
var simRest = map[string][2]string{"POST /listRegions": {"account", "ListRegions"}, "GET /analyzer": {"access-analyzer", "ListAnalyzers"},
	"POST /findingv2": {"access-analyzer", "ListFindingsV2"},
	"GET /v20180820/configuration/publicAccessBlock":    {"s3", "GetAccountPublicAccessBlock"},
	"PUT /v20180820/configuration/publicAccessBlock":    {"s3", "PutAccountPublicAccessBlock"},
	"DELETE /v20180820/configuration/publicAccessBlock": {"s3", "DeleteAccountPublicAccessBlock"}}

// simRoute tells what a request asks for. The body can be read again.
func simRoute(r *http.Request) *simCall {
	c := &simCall{r: r, wire: "xml", service: "s3"}
	c.body, _ = io.ReadAll(io.LimitReader(r.Body, 64<<20))
	r.Body = io.NopCloser(bytes.NewReader(c.body))
	sc, _ := simAuthorization(r)
	c.region, c.key = sc.region, sc.key
	target, kind := r.Header.Get("X-Amz-Target"), r.Header.Get("Content-Type")
	if i := strings.LastIndexByte(target, '.'); i > 0 {
		c.wire, c.service, c.op = "json", simTargets[target[:i]], target[i+1:]
		_ = json.Unmarshal(c.body, &c.in) // no members then, and what needs some says so
		return c
	}
	if known, ok := simRest[r.Method+" "+r.URL.Path]; ok && sc.service == known[0] {
		c.service, c.op = known[0], known[1]
		if c.service != "s3" {
			c.wire = "rest"
			_ = json.Unmarshal(c.body, &c.in)
		}
		return c
	}
	if strings.HasPrefix(kind, "application/x-www-form-urlencoded") {
		c.wire, c.service = "query", sc.service
		c.form, _ = url.ParseQuery(string(c.body))
		c.op = c.form.Get("Action")
		return c
	}
	c.toBucket()
	return c
}

// text is a member of a JSON request, "" = there is none.
func (c *simCall) text(name string) string { v, _ := c.in[name].(string); return v }

// number is a number of the request, from a JSON member, a form or a query, or the given one.
func (c *simCall) number(name string, or int) int {
	if v, ok := c.in[name].(float64); ok {
		return int(v)
	}
	for _, v := range []string{c.form.Get(name), c.query(name)} {
		if n, err := strconv.Atoi(v); err == nil {
			return n
		}
	}
	return or
}

func (c *simCall) query(name string) string { return c.r.URL.Query().Get(name) }

// flag says whether the query has a name, such as ?acl.
func (c *simCall) flag(name string) bool { return c.r.URL.Query().Has(name) }

// serve answers one request.
func (s *simCloud) serve(w http.ResponseWriter, r *http.Request) {
	c := simRoute(r)
	s.mu.Lock()
	s.minted++
	c.serverID = s.uuid(30, s.minted)
	s.advance()
	e := s.admit(c)
	var out *simReply
	if e == nil {
		if out, e = s.operate(c); e == nil && !simReads(c) {
			s.note(c)
		}
	}
	s.mu.Unlock()
	if c.linger > 0 && e == nil {
		out, e = s.linger(c)
	}
	if e != nil {
		c.refuse(w, e)
		return
	}
	c.answer(w, out)
}

// operate finds the operation.
func (s *simCloud) operate(c *simCall) (*simReply, *simError) {
	switch c.service {
	case "s3":
		return s.s3(c)
	case "iam":
		return s.iam(c)
	}
	h := simOps[c.service+" "+c.op]
	if h == nil {
		h = simCenterOps[c.service+" "+c.op]
	}
	if h != nil {
		v, e := h(s, c)
		return &simReply{body: v}, e
	}
	return nil, simErr(400, "UnknownOperationException", "")
}

// simOps are the operations whose answers are JSON, and those of STS and EC2, whose are XML.
var simOps = map[string]func(*simCloud, *simCall) (any, *simError){
	"sqs ReceiveMessage": (*simCloud).receive, "sqs DeleteMessage": (*simCloud).deleteMessage, "sqs SendMessage": (*simCloud).sendMessage,
	"sqs DeleteMessageBatch": (*simCloud).deleteBatch, "sqs ChangeMessageVisibility": (*simCloud).hideMessage,
	"sqs ChangeMessageVisibilityBatch": (*simCloud).hideBatch, "sqs GetQueueAttributes": (*simCloud).queueAttributes,
	"sqs GetQueueUrl": (*simCloud).queueName, "sts GetCallerIdentity": (*simCloud).callerIdentity, "sts AssumeRole": (*simCloud).assumeRole,
	"organizations ListAccounts": (*simCloud).listAccounts, "organizations DescribeOrganization": (*simCloud).describeOrganization,
	"account ListRegions": (*simCloud).listRegions, "ec2 DescribeRegions": (*simCloud).describeRegions,
	"access-analyzer ListAnalyzers": (*simCloud).listAnalyzers, "access-analyzer ListFindingsV2": (*simCloud).listFindings,
	"cloudtrail LookupEvents": (*simCloud).lookupEvents, "cloudtrail DescribeTrails": (*simCloud).describeTrails,
	"cloudtrail GetTrailStatus": (*simCloud).trailStatus, "cloudtrail GetEventSelectors": (*simCloud).eventSelectors,
	"cloudtrail ListTrails": (*simCloud).listTrails,
}

// answer writes an answer in the service's protocol.
func (c *simCall) answer(w http.ResponseWriter, out *simReply) {
	h := w.Header()
	for k, v := range out.header {
		h.Set(k, v)
	}
	if out.status == 0 {
		out.status = http.StatusOK
	}
	var body []byte
	switch v := out.body.(type) {
	case nil:
	case []byte:
		body = v
	case string:
		h.Set("Content-Type", "text/xml")
		if body = []byte(v); c.wire == "query" {
			body = []byte(simNode(c.op+"Response", v+simNode("ResponseMetadata", simTag("RequestId", c.serverID)), "xmlns", simSpaces[c.service]))
		} else if c.service == "s3" {
			h.Set("Content-Type", "application/xml")
			body = append([]byte(xml.Header), v...)
		}
	default:
		body, _ = json.Marshal(v) // maps, lists, strings and numbers
		h.Set("Content-Type", map[string]string{"rest": "application/json", "json": "application/x-amz-json-1.1"}[c.wire])
		if c.service == "sqs" {
			h.Set("Content-Type", "application/x-amz-json-1.0")
		}
	}
	c.stamp(h)
	if c.r.Method != http.MethodHead && out.header["Content-Length"] == "" {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(out.status)
	if c.r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// stamp writes the id of the request.
func (c *simCall) stamp(h http.Header) {
	if c.service == "s3" {
		h.Set("X-Amz-Request-Id", strings.ToUpper(c.serverID[:8]))
		h.Set("X-Amz-Id-2", c.serverID)
		return
	}
	h.Set("X-Amzn-Requestid", c.serverID)
}

var simSpaces = map[string]string{"iam": "https://iam.amazonaws.com/doc/2010-05-08/", "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
	"ec2": "http://ec2.amazonaws.com/doc/2016-11-15/"}

// simJSONCodes are the names of errors in JSON protocols where they are others.
var simJSONCodes = map[string]string{"InvalidClientTokenId": "UnrecognizedClientException",
	"SignatureDoesNotMatch": "InvalidSignatureException",
	"ExpiredToken":          "ExpiredTokenException", "AccessDenied": "AccessDeniedException", "Throttling": "ThrottlingException",
	"MissingAuthenticationToken": "MissingAuthenticationTokenException", "RequestTimeTooSkewed": "InvalidSignatureException"}

// simS3Codes are the names in S3, and their statuses.
var simS3Codes = map[string]*simError{"InvalidClientTokenId": simErr(403, "InvalidAccessKeyId",
	"The AWS Access Key Id you provided does not exist in our records."),
	"ExpiredToken": simErr(400, "ExpiredToken", "The provided token has expired."), "MissingAuthenticationToken": simErr(403,
		"AccessDenied", "Access Denied"),
	"Throttling": simErr(503, "SlowDown", "Please reduce your request rate."), "UnknownOperationException": simErr(405, "MethodNotAllowed",
		"The specified method is not allowed against this resource.")}

// refuse writes an error in the service's protocol.
func (c *simCall) refuse(w http.ResponseWriter, e *simError) {
	h := w.Header()
	for k, v := range e.header {
		h.Set(k, v)
	}
	var body []byte
	status := e.status
	switch c.wire {
	case "json", "rest":
		code := e.code
		if simJSONCodes[code] != "" {
			code = simJSONCodes[code]
		}
		if c.wire == "json" && status < 500 && !e.exact {
			status = http.StatusBadRequest
		}
		h.Set("Content-Type", "application/x-amz-json-1.1")
		doc := obj{"__type": code, "message": e.message}
		switch c.service {
		case "sqs":
			doc["__type"] = "com.amazonaws.sqs#" + code
			h.Set("Content-Type", "application/x-amz-json-1.0")
			h.Set("X-Amzn-Query-Error", e.code+";Sender")
		case "identitystore", "organizations":
			doc = obj{"__type": code, "Message": e.message}
		}
		h.Set("X-Amzn-Errortype", code)
		body, _ = json.Marshal(doc)
	case "query":
		kind := "Sender"
		if status >= 500 {
			kind = "Receiver"
		}
		h.Set("Content-Type", "text/xml")
		body = []byte(simNode("ErrorResponse", simNode("Error", simTag("Type", kind)+simTag("Code", e.code)+simTag("Message", e.message))+
			simTag("RequestId", c.serverID), "xmlns", simSpaces[c.service]))
		if c.service == "ec2" {
			body = []byte("<Response><Errors><Error>" + simTag("Code", e.code) + simTag("Message", e.message) + "</Error></Errors></Response>")
		}
	default:
		if as := simS3Codes[e.code]; as != nil && !e.exact {
			status, e = as.status, as
		}
		h.Set("Content-Type", "application/xml")
		body = []byte(xml.Header + simNode("Error", simTag("Code", e.code)+simTag("Message", e.message)+e.more+simTag("RequestId", c.serverID)))
	}
	c.stamp(h)
	w.WriteHeader(status)
	if c.r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// failStatus answers with the usual error of a status.
func (s *simCloud) failStatus(w http.ResponseWriter, r *http.Request, status int) {
	c := simRoute(r)
	c.serverID = s.uuid(31, uint64(status))
	code := map[int]string{400: "ValidationException", 401: "ExpiredToken", 403: "AccessDenied", 404: "ResourceNotFoundException",
		409: "ConflictException", 429: "Throttling", 503: "ServiceUnavailable"}[status]
	e := &simError{status: status, code: code, message: map[string]string{"Throttling": "Rate exceeded"}[code], exact: true}
	switch {
	case code == "":
		e.code = "InternalFailure"
	case status == 429 && c.service == "organizations":
		e.code = "TooManyRequestsException"
	case status == 429 && c.service == "sqs":
		e.code = "RequestThrottled"
	case status == 503 && c.service == "s3":
		e.code, e.message = "SlowDown", "Please reduce your request rate."
	}
	c.refuse(w, e)
}

// throttle is the answer to who asks too much.
func (s *simCloud) throttle(w http.ResponseWriter, r *http.Request, _ sim.Window) {
	c := simRoute(r)
	c.serverID = s.uuid(31, 0)
	c.refuse(w, simErr(http.StatusBadRequest, "Throttling", "Rate exceeded"))
}

// simTag is an element with text.
func simTag(name, text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a builder takes everything
	return "<" + name + ">" + b.String() + "</" + name + ">"
}

// simNode is an element with elements, and attributes by name and value.
func simNode(name, inner string, attributes ...string) string {
	open := name
	for i := 0; i+1 < len(attributes); i += 2 {
		open += " " + attributes[i] + `="` + attributes[i+1] + `"`
	}
	return "<" + open + ">" + inner + "</" + name + ">"
}

// simStamp is a time as XML protocols write it.
func simStamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
