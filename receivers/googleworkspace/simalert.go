package googleworkspace

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// alertID is the id of an alert.
func (s *simOrg) alertID(n int) string { return string(sim.NewRand(s.o.Seed, 56, uint64(n)).UUID(nil)) }

// alert appends an alert of the Alert Center.
func (s *simOrg) alert(b []byte, i int, at time.Time) []byte {
	rnd := sim.NewRand(s.o.Seed, 57, uint64(i))
	u := sim.Pick(rnd, s.users)
	kind := sim.Pick(rnd, [][3]string{{"Suspicious login", "Google identity", "LoginDetails"},
		{"User reported phishing", "Gmail phishing", "MailPhishing"}, {"Leaked password", "Google identity", "AccountWarning"},
		{"Government attack warning", "Google identity", "StateSponsoredAttack"}})
	id := s.alertID(i)
	raw, _ := json.Marshal(obj{"alertId": id, "customerId": s.id, "createTime": simTime(at), "startTime": simTime(at.Add(-time.Minute)),
		"updateTime": simTime(at), "type": kind[0], "source": kind[1], "etag": s.etag(58, uint64(i)), "deleted": false,
		"securityInvestigationToolLink": "https://admin.google.com/ac/sit",
		"data":                          obj{"@type": "type.googleapis.com/google.apps.alertcenter.type." + kind[2], "email": u.email},
		"metadata": obj{"alertId": id, "customerId": s.id, "status": "NOT_STARTED", "severity": "MEDIUM",
			"updateTime": simTime(at), "etag": s.etag(58, uint64(i))}}) // of strings
	return append(b, raw...)
}

// listAlerts is GET /v1beta1/alerts. https://developers.google.com/workspace/admin/alertcenter/reference/rest/v1beta1/alerts/list
func (s *simOrg) listAlerts(c *simCall) (any, *simNo) {
	limit, no := c.size(100, 1000)
	if no != nil {
		return nil, no
	}
	if !c.admin() {
		return nil, simForbid("forbidden", "The caller does not have permission")
	}
	b := sim.Bounds{To: s.o.Now().Add(1), Newest: c.query("orderBy") == "" || strings.HasSuffix(strings.ToLower(c.query("orderBy")), "desc")}
	for _, term := range strings.Split(c.query("filter"), " AND ") {
		if term == "" {
			continue
		}
		name, text, ok := strings.Cut(term, ">=")
		t, err := time.Parse(time.RFC3339, strings.Trim(strings.TrimSpace(text), `"`))
		if name = strings.TrimSpace(name); !ok || err != nil || name != "createTime" && name != "create_time" {
			if name, text, ok = strings.Cut(term, "<"); !ok || !strings.HasPrefix(strings.TrimSpace(name), "create") {
				return nil, &simNo{http.StatusBadRequest, "badRequest", "Request contains an invalid argument: filter " + term, ""}
			}
			if t, err = time.Parse(time.RFC3339, strings.Trim(strings.TrimSpace(text), `"=`)); err != nil {
				return nil, simInvalid("filter", term)
			}
			b.To = t
			continue
		}
		b.From = t
	}
	out, no := s.page(c, s.feeds[simAlerts], b, limit)
	if no != nil {
		return nil, no
	}
	return out.object(c, "alerts", "")
}
