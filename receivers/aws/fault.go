package aws

import (
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
)

// outcomes of the vendor's codes, which are more telling than the status. A code may come with Exception after it, and with a
// name before it. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html,
// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
var outcomes = readOutcomes(map[saas.Outcome]string{
	saas.Throttled: `Throttling Throttled ThrottledRequest RequestThrottled RequestThrottle TooManyRequests RequestLimitExceeded
		BandwidthLimitExceeded ProvisionedThroughputExceeded SlowDown PriorRequestNotComplete OverLimit TransactionInProgress
		EC2Throttled`,
	saas.Unavailable: `RequestTimeTooSkewed RequestTimeout RequestTimeoutException InternalError InternalFailure InternalServerError
		InternalServer ServiceFailure ServiceUnavailable KMSInternal EntityTemporarilyUnmodifiable ConcurrentModification
		OperationAborted ConditionalRequestConflict ReportInProgress CredentialReportNotReady RequestExpired DependencyTimeout`,
	saas.Unauthorized: `ExpiredToken TokenRefreshRequired InvalidToken UnrecognizedClient InvalidClientTokenId InvalidAccessKeyId AuthFailure
		IncompleteSignature MissingAuthenticationToken SignatureDoesNotMatch InvalidSignature InvalidSecurity NotSignedUp`,
	saas.Denied: `AccessDenied UnauthorizedOperation Unauthorized AuthorizationError AllAccessDisabled AccountProblem OptInRequired
		SubscriptionRequired RegionDisabled InvalidObjectState AccessPoliciesNotSupported AWSOrganizationsNotInUse KMSAccessDenied
		AccessControlListNotSupported KMSDisabled KMSInvalidState KMS.DisabledException VpceAccessDenied`,
	saas.Missing: `NoSuchEntity NoSuchKey NoSuchBucket NoSuchVersion NoSuchUpload NoSuchBucketPolicy NoSuchPublicAccessBlockConfiguration
		OwnershipControlsNotFoundError NoSuchTagSet NotFound ResourceNotFound TrailNotFound AccountNotFound ReportNotPresent ReportExpired
		CredentialReportNotPresent CredentialReportExpired QueueDoesNotExist AWS.SimpleQueueService.NonExistentQueue MethodNotAllowed`,
	saas.Already: `EntityAlreadyExists Conflict`,
	saas.Expired: `InvalidNextToken InvalidPaginationToken InvalidMarker`,
})

func readOutcomes(lists map[saas.Outcome]string) map[string]saas.Outcome {
	out := map[string]saas.Outcome{}
	for o, list := range lists {
		for code := range strings.FieldsSeq(list) {
			out[code] = o
		}
	}
	return out
}

// problem is the body of a failure: of the JSON protocols, of the query protocol, or of S3.
type problem struct {
	Type       string      `json:"__type" xml:"-"`
	Message    string      `json:"message" xml:"Message"`
	RetryAfter json.Number `json:"RetryAfterSeconds" xml:"-"`
	Code       string      `json:"-" xml:"Code"`
	Region     string      `json:"-" xml:"Region"`
	Inner      *problem    `json:"-" xml:"Error"`
}

// fault is Instance.Fault.
func (c *credential) fault(status int, h http.Header, head []byte) *saas.Error {
	if status < 300 {
		return nil
	}
	var p problem
	if bytes.HasPrefix(bytes.TrimSpace(head), []byte("<")) {
		_ = xml.Unmarshal(head, &p) // a proxy's page has no codes
	} else {
		_ = json.Unmarshal(head, &p)
	}
	if p.Inner != nil {
		p = *p.Inner
	}
	kind, _, _ := strings.Cut(h.Get("X-Amzn-Errortype"), ":")
	code := cmp.Or(p.Code, p.Type, kind)
	code = code[strings.LastIndexAny(code, "#")+1:]
	e := &saas.Error{Code: code, Msg: p.Message, Outcome: saas.Invalid}
	bare := strings.TrimSuffix(code, "Exception")
	o, known := outcomes[strings.TrimPrefix(bare, "Client.")]
	switch {
	case known:
		e.Outcome = o
	case status == http.StatusTooManyRequests:
		e.Outcome = saas.Throttled
	case status >= 500, status == http.StatusRequestTimeout:
		e.Outcome = saas.Unavailable
	case status == http.StatusUnauthorized:
		e.Outcome = saas.Unauthorized
	case status == http.StatusForbidden:
		e.Outcome = saas.Denied
	case status == http.StatusNotFound:
		e.Outcome = saas.Missing
	}
	if e.Outcome == saas.Unauthorized && (strings.Contains(p.Message, "Signature expired") || strings.Contains(p.Message, "not yet current")) {
		e.Outcome = saas.Unavailable // the clock: the answer told the right time
	}
	if n, err := p.RetryAfter.Int64(); err == nil && n > 0 {
		e.Until = c.now().Add(time.Duration(n) * time.Second)
	}
	if p.Region != "" && h.Get(regionHeader) == "" {
		h.Set(regionHeader, p.Region)
	}
	return e
}

// regionHeader says where a bucket is, also in a refusal.
const regionHeader = "X-Amz-Bucket-Region"
