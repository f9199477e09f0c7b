package aws

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// lookupEvents is LookupEvents: what is of the account and Region, newest first, of the last 90 days.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
func (s *simCloud) lookupEvents(c *simCall) (any, *simError) {
	now, most := s.o.Now(), c.number("MaxResults", 50)
	from, to := now.Add(-simReach), now.Add(time.Second)
	if v, ok := c.in["StartTime"].(float64); ok {
		from = time.Unix(int64(v), 0)
	}
	if v, ok := c.in["EndTime"].(float64); ok {
		to = time.Unix(int64(v)+1, 0)
	}
	switch {
	case most < 1 || most > 50:
		return nil, simErr(400, "InvalidMaxResultsException", "MaxResults must be between 1 and 50")
	case !from.Before(to):
		return nil, simErr(400, "InvalidTimeRangeException", "StartTime must be before EndTime")
	case c.in["EventCategory"] != nil && c.in["EventCategory"] != "insight":
		return nil, simErr(400, "InvalidEventCategoryException", "The event category is not valid")
	}
	keep, e := simLookupFilter(c)
	if e != nil {
		return nil, e
	}
	b := sim.Bounds{From: from, To: to, Newest: true}
	if oldest := now.Add(-simReach); from.Before(oldest) {
		b.From = oldest
	}
	at := s.feed.Begin(b)
	if t := c.text("NextToken"); t != "" {
		text, _ := base64.StdEncoding.DecodeString(t) // what is no text has no such beginning
		place, ok := strings.CutPrefix(string(text), simSame(c)+"/")
		var err error
		if at, err = sim.ParseCursor(place); err != nil || !ok {
			return nil, simErr(400, "InvalidNextTokenException", "The token is not valid or was used with other parameters")
		}
	}
	p, out, more := simPlace{c.account, c.region}, []obj{}, true
	for more && len(out) < most && c.in["EventCategory"] == nil {
		at, more = s.feed.ReadIn(b, at, 1, func(raw []byte) {
			if !p.of(raw) {
				return
			}
			if e := simLookedUp(raw); e != nil && keep(e) {
				out = append(out, e)
			}
		})
	}
	if !more || c.in["EventCategory"] != nil {
		return obj{"Events": out}, nil
	}
	return obj{"Events": out, "NextToken": base64.StdEncoding.EncodeToString([]byte(simSame(c) + "/" + at.String()))}, nil
}

// simSame is what must be the same in a request with the token: everything else, by whom and where.
func simSame(c *simCall) string {
	in := obj{}
	for k, v := range c.in {
		if k != "NextToken" {
			in[k] = v
		}
	}
	return fmt.Sprintf("%016x", sim.KeySum(simBody(in)+c.account.id+c.region))
}

// simLookedUp is a record as LookupEvents gives it, nil for one of data.
func simLookedUp(raw []byte) obj {
	var r struct {
		EventID, EventName, EventSource, EventTime string
		ReadOnly, ManagementEvent                  bool
		UserIdentity                               struct {
			UserName, AccessKeyId, PrincipalId string
			SessionContext                     struct{ SessionIssuer struct{ UserName string } }
		}
		RequestParameters map[string]any
		Resources         []struct{ Type, ARN string }
	}
	if err := json.Unmarshal(raw, &r); err != nil || !r.ManagementEvent {
		return nil
	}
	at, err := time.Parse(time.RFC3339, r.EventTime)
	if err != nil {
		return nil
	}
	out := obj{"EventId": r.EventID, "EventName": r.EventName, "ReadOnly": fmt.Sprint(r.ReadOnly), "EventTime": at.Unix(),
		"EventSource": r.EventSource,
		"Resources":   []obj{}, "CloudTrailEvent": string(raw)}
	_, session, _ := strings.Cut(r.UserIdentity.PrincipalId, ":")
	if name := cmp.Or(r.UserIdentity.UserName, session); name != "" {
		out["Username"] = name
	}
	if id := r.UserIdentity.AccessKeyId; id != "" {
		out["AccessKeyId"] = id
	}
	for _, v := range r.Resources {
		out["Resources"] = append(out["Resources"].([]obj), obj{"ResourceType": v.Type, "ResourceName": v.ARN})
	}
	return out
}

// simLookupFilter is what LookupAttributes keep; there may be one.
func simLookupFilter(c *simCall) (func(obj) bool, *simError) {
	list, _ := c.in["LookupAttributes"].([]any)
	if len(list) == 0 {
		return func(obj) bool { return true }, nil
	}
	one, _ := list[0].(obj)
	key, _ := one["AttributeKey"].(string)
	if len(list) > 1 || !slices.Contains([]string{"EventId", "EventName", "ReadOnly", "Username", "ResourceType", "ResourceName",
		"EventSource",
		"AccessKeyId"}, key) {
		return nil, simErr(400, "InvalidLookupAttributesException", "Only one lookup attribute is allowed")
	}
	return func(e obj) bool {
		for _, r := range e["Resources"].([]obj) {
			if r[key] == one["AttributeValue"] {
				return true
			}
		}
		return e[key] == one["AttributeValue"]
	}, nil
}
