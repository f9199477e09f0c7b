package office365

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/saas"
)

// faults are the codes that mean something else than the status they come with.
// https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-reference#errors
var faults = map[string]saas.Outcome{
	"AF429": saas.Throttled, "AF20022": saas.Denied, "AF20023": saas.Denied, "AF20024": saas.Already,
	"AF20050": saas.Missing, "AF20051": saas.Missing, "AF20052": saas.Missing,
	"AF20030": saas.Unavailable, "AF20031": saas.Unavailable, "AF20055": saas.Unavailable, // as time passes, and when listed again
	"AF10001": saas.Denied, "AF20010": saas.Denied, "AF20011": saas.Denied, "AF20012": saas.Denied, "AF20013": saas.Denied,
	"AF20001": saas.Invalid, "AF20002": saas.Invalid, "AF20003": saas.Invalid, "AF20020": saas.Invalid,
	"Directory_ExpiredPageToken": saas.Expired, "Request_MultipleObjectsWithSameKeyValue": saas.Already,
	"ResourceNotFound": saas.Missing,
}

// fault is Instance.Fault. The feed of activity refuses what is too much under 403 too.
func fault(status int, h http.Header, head []byte) *saas.Error {
	if status < 400 {
		return nil
	}
	var b struct {
		Error       json.RawMessage `json:"error"`
		Description string          `json:"error_description"`
		Message     string
		OData       struct {
			Code    string
			Message struct{ Value string }
		} `json:"odata.error"`
	}
	var in struct{ Code, Message string }
	_ = json.Unmarshal(head, &b) // a proxy's page has no codes
	_ = json.Unmarshal(b.Error, &in)
	oauth := saas.Text(b.Error)
	e := &saas.Error{Outcome: saas.ByStatus(status), Code: cmp.Or(in.Code, oauth, b.OData.Code),
		Msg: cmp.Or(in.Message, b.Description, b.OData.Message.Value, b.Message)}
	outcome, known := faults[e.Code]
	switch {
	case known:
		e.Outcome = outcome
	case strings.HasPrefix(e.Code, "AF5"):
		e.Outcome = saas.Unavailable
	case oauth != "" && status < 500 && oauth != "temporarily_unavailable" && status != http.StatusTooManyRequests:
		e.Outcome = saas.Unauthorized
	case oauth == "temporarily_unavailable":
		e.Outcome = saas.Unavailable
	case strings.Contains(e.Msg, "app only token"): // of SharePoint, to one that was given for a secret
		e.Outcome = saas.Denied
	case status == 509, status == http.StatusServiceUnavailable && h.Get("Retry-After") != "":
		e.Outcome = saas.Throttled
	case slices.Contains([]int{http.StatusLocked, http.StatusPreconditionFailed}, status): // somebody works at the file
		e.Outcome = saas.Pending
	}
	return e
}
