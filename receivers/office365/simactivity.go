package office365

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simContents are the types of content by what their blobs are named after.
var simContents = []struct{ name, short string }{
	{"Audit.AzureActiveDirectory", "aad"}, {"Audit.Exchange", "exc"}, {"Audit.SharePoint", "spo"}, {"Audit.General", "gen"}, {"DLP.All",
		"dlp"},
}

// simActivity is the Management Activity API: its events lie in blobs. Blob b of each type of content holds the events of that type
// which persisted within a run of slots of the feed, some events of the blob before, and those that come a second time days later.
// It is listed from when the run ended, or from somewhat later.
type simActivity struct {
	s    *simOrg
	feed *sim.Feed
	per  int    // slots to a blob
	most int    // blobs; more are never reached
	old  []int8 // of replayed events, the type of content

	types map[int]uint8 // of blobs that are complete, the types that hold something; bounded by the feed
	subs  map[string]*simSub
}

// simSub is the subscription to a type of content. Before it is started for the first time nothing was lost, as if it had been
// started long ago.
type simSub struct {
	on      bool
	stopped [][2]time.Time // what became available meanwhile is lost
}

const (
	simWeek     = 7 * 24 * time.Hour
	simPageSize = 20 // blobs that a page lists
)

func newSimActivity(s *simOrg) (*simActivity, error) {
	a := &simActivity{s: s, types: map[int]uint8{}, subs: map[string]*simSub{}}
	var err error
	a.feed, err = sim.NewFeed(s.o, sim.FeedSpec{Events: 2500, MaxLag: 90 * time.Minute, Make: s.event, Key: s.eventID, ReplayKey: a.replayed})
	if err != nil {
		return nil, err
	}
	a.per = max(1, min(32, a.feed.Len()/64))
	a.most = (a.feed.Len()*(1+int(4*simMonth/s.o.Span)) + a.feed.Slots()) / a.per
	if s.o.Replay != nil {
		for i := range a.feed.Len() {
			a.old = append(a.old, simTypeOf(a.feed.Make(nil, i)))
		}
	}
	return a, nil
}

// typeOf is the type of content of event i.
func (a *simActivity) typeOf(i int) int8 {
	if a.old != nil {
		return a.old[i]
	}
	return a.s.kindOf(i).content
}

// created is when blob b became available.
func (a *simActivity) created(b int) time.Time {
	return a.feed.At((b+1)*a.per - 1).UTC().Truncate(time.Second)
}

// listed is from when on lists have it: where events come late, some blobs are put into the list behind others.
func (a *simActivity) listed(b int) time.Time {
	if h := sim.Hash(a.s.o.Seed, 31, uint64(b)); a.s.o.Late > 0 && h%7 == 0 {
		return a.created(b).Add(time.Duration(h>>8%40) * time.Minute)
	}
	return a.created(b)
}

// within calls each for the events of blob b, of all types.
func (a *simActivity) within(b int, each func(i int)) {
	for j := b * a.per; j < (b+1)*a.per; j++ {
		a.feed.Slot(j, each)
	}
	if b == 0 {
		return
	}
	for i := range a.feed.Again(a.created(b-1), a.created(b)) {
		each(i)
	}
	if sim.Hash(a.s.o.Seed, 32, uint64(b))%5 > 0 {
		return
	}
	for j := (b - 1) * a.per; j < (b-1)*a.per+min(2, a.per); j++ { // these are in two blobs
		a.feed.Slot(j, each)
	}
}

// holds says whether blob b has events of the type. It is asked of blobs that are complete.
func (a *simActivity) holds(b int, kind int8) bool {
	set, ok := a.types[b]
	if !ok {
		a.within(b, func(i int) { set |= 1 << a.typeOf(i) })
		a.types[b] = set
	}
	return set>>kind&1 == 1
}

// from is the first blob that was created at t or later.
func (a *simActivity) from(t time.Time) int {
	return sort.Search(a.most, func(b int) bool { return !a.created(b).Before(t) })
}

// lost says whether what became available then is out of reach: nobody was subscribed.
func (a *simActivity) lost(kind string, at time.Time) bool {
	sub := a.subs[kind]
	return sub != nil && simWithin(sub.stopped, at)
}

// simWithin says whether a moment lies in one of the spans, of which the last may have no end.
func simWithin(spans [][2]time.Time, at time.Time) bool {
	return slices.ContainsFunc(spans, func(span [2]time.Time) bool {
		return !at.Before(span[0]) && (span[1].IsZero() || at.Before(span[1]))
	})
}

// published calls f for the ids of the events of a type of content that could be read since the fake began, each once.
func (a *simActivity) published(kind int8, f func(key string) bool) {
	a.s.mu.Lock()
	var stopped [][2]time.Time
	if sub := a.subs[simContents[kind].name]; sub != nil {
		stopped = slices.Clone(sub.stopped)
	}
	a.s.mu.Unlock()
	now, more := a.s.o.Now(), true
	for b := a.from(a.s.begun.Add(-simWeek)); b < a.most && !a.created(b).After(now); b++ {
		if a.listed(b).After(now) || simWithin(stopped, a.created(b)) {
			continue
		}
		for j := b * a.per; j < (b+1)*a.per && more; j++ {
			a.feed.Slot(j, func(i int) { more = more && (a.typeOf(i) != kind || f(a.feed.Key(i))) })
		}
	}
}

// activityRoutes are the operations of the API.
// https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-reference
func (s *simOrg) activityRoutes(add simAdd) {
	const feed, right = " /api/v1.0/{tenant}/activity/feed/", "ActivityFeed.Read"
	on := func(pattern string, h func(c *simCall, kind int8, sub *simSub) (int, any)) {
		add(pattern, right, func(c *simCall) (int, any) {
			if no := s.tenant(c); no != nil {
				return 0, no
			}
			i := slices.IndexFunc(simContents, func(t struct{ name, short string }) bool { return t.name == c.query("contentType") })
			switch {
			case c.query("contentType") == "":
				return 0, simNo{http.StatusBadRequest, "AF20001", "Missing parameter: contentType."}
			case i < 0:
				return 0, simNo{http.StatusBadRequest, "AF20020", "The specified content type is not valid."}
			}
			sub := s.ma.subs[simContents[i].name]
			if !sub.started() && !strings.HasSuffix(pattern, "start") {
				return 0, simNo{http.StatusBadRequest, "AF20022", "No subscription found for the specified content type."}
			}
			return h(c, int8(i), sub)
		})
	}
	on("POST"+feed+"subscriptions/start", s.start)
	on("POST"+feed+"subscriptions/stop", func(_ *simCall, _ int8, sub *simSub) (int, any) {
		sub.on, sub.stopped = false, append(sub.stopped, [2]time.Time{s.o.Now()})
		return http.StatusOK, nil
	})
	on("GET"+feed+"subscriptions/content", s.contents)
	add("GET"+feed+"subscriptions/list", right, func(c *simCall) (int, any) {
		out := []simObj{}
		for _, t := range simContents {
			if s.ma.subs[t.name].started() {
				out = append(out, simSubscription(t.name))
			}
		}
		return http.StatusOK, cmpNo(s.tenant(c), out)
	})
	add("GET"+feed+"audit/{id}", right, s.blob)
	add("GET"+feed+"resources/dlpSensitiveTypes", right, func(c *simCall) (int, any) {
		return http.StatusOK, cmpNo(s.tenant(c), []simObj{{"id": "50842eb7-edc8-4019-85dd-5a5c1f2bb085", "name": "Credit Card Number"},
			{"id": "0e9b3178-9678-47dd-a509-37222ca96b42", "name": "EU Debit Card Number"}})
	})
}

// cmpNo is the refusal, if there is one.
func cmpNo(no, v any) any {
	if no != nil {
		return no
	}
	return v
}

func (sub *simSub) started() bool { return sub != nil && sub.on }

func simSubscription(kind string) simObj {
	return simObj{"contentType": kind, "status": "enabled", "webhook": nil}
}

// tenant says what is wrong with the tenant that the path names.
func (s *simOrg) tenant(c *simCall) any {
	switch id := c.path("tenant"); {
	case len(id) != 36:
		return simNo{http.StatusBadRequest, "AF20013", "The tenant ID passed in the URL (" + id + ") is not a valid GUID."}
	case id != s.id:
		return simNo{http.StatusForbidden, "AF20010", "The tenant ID passed in the URL (" + id + ") does not match the tenant ID passed in the " +
			"access token (" + s.id + ")."}
	case s.o.Variant == "audit_off":
		return simNo{http.StatusBadRequest, "AF20011", "Tenant " + id + " does not exist."}
	}
	return nil
}

func (s *simOrg) start(c *simCall, kind int8, sub *simSub) (int, any) {
	name := simContents[kind].name
	switch {
	case name == "DLP.All" && !s.may(c.by, "ActivityFeed.ReadDlp"):
		return 0, simNo{http.StatusForbidden, "AF10001", "The permission set (ActivityFeed.Read) sent in the request did not include the " +
			"expected " +
			"permission ActivityFeed.ReadDlp."}
	case sub == nil:
		s.ma.subs[name] = &simSub{on: true}
	case sub.on:
		return 0, simNo{http.StatusBadRequest, "AF20024", "The subscription is already enabled. No property change."}
	default:
		sub.on, sub.stopped[len(sub.stopped)-1][1] = true, s.o.Now()
	}
	return http.StatusOK, simSubscription(name)
}

// window reads startTime and endTime.
func (s *simOrg) window(c *simCall) (from, to time.Time, no any) {
	now := s.o.Now().UTC()
	if from, to = now.Add(-24*time.Hour).Truncate(time.Second),
		now.Truncate(time.Second).Add(time.Second); c.query("startTime")+c.query("endTime") == "" {
		return from, to, nil
	}
	for name, into := range map[string]*time.Time{"startTime": &from, "endTime": &to} {
		if *into = simMoment(c.query(name)); into.IsZero() && c.query(name) != "" {
			return from, to, simNo{http.StatusBadRequest, "AF20002", "Invalid parameter type: " + name + ". Expected type: datetime"}
		}
	}
	if from.IsZero() || to.IsZero() || !from.Before(to) || to.Sub(from) > 24*time.Hour || from.Before(now.Add(-simWeek-time.Hour)) {
		return from, to, simNo{http.StatusBadRequest, "AF20055", "Start time and end time must both be specified (or both omitted) and " +
			"must be less " +
			"than or equal to 24 hours apart, with the start time prior to end time and start time no more than 7 days in the past."}
	}
	return from, to, nil
}

// simMoment reads a time in one of the three forms that the API takes.
func simMoment(v string) time.Time {
	for _, form := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.Parse(form, v); err == nil {
			return t
		}
	}
	return time.Time{}
}

// contents lists the blobs that became available in a window.
func (s *simOrg) contents(c *simCall, kind int8, _ *simSub) (int, any) {
	from, to, no := s.window(c)
	if no != nil {
		return 0, no
	}
	a, now, out := s.ma, s.o.Now(), []simObj{}
	b := a.from(from)
	if v := c.query("nextPage"); v != "" {
		var err error
		if b, err = strconv.Atoi(v); err != nil || b < a.from(from) || b > a.most {
			return 0, simNo{http.StatusBadRequest, "AF20031", "Invalid nextPage Input: " + v + "."}
		}
	}
	for ; b < a.most && a.created(b).Before(to) && !a.created(b).After(now); b++ {
		switch {
		case a.listed(b).After(now) || a.lost(simContents[kind].name, a.created(b)) || !a.holds(b, kind):
			continue
		case len(out) == simPageSize:
			q := url.Values{"contentType": {simContents[kind].name}, "startTime": {from.Format("2006-01-02T15:04:05")},
				"endTime": {to.Format("2006-01-02T15:04:05")}, "nextPage": {strconv.Itoa(b)}}
			c.w.Header().Set("NextPageUri", c.base+c.r.URL.Path+"?"+q.Encode())
			return http.StatusOK, out
		}
		id := a.id(kind, b)
		out = append(out, simObj{"contentType": simContents[kind].name, "contentId": id,
			"contentUri":        c.base + "/api/v1.0/" + s.id + "/activity/feed/audit/" + id,
			"contentCreated":    a.created(b).Format("2006-01-02T15:04:05.000Z"),
			"contentExpiration": a.created(b).Add(simWeek).Format("2006-01-02T15:04:05.000Z")})
	}
	return http.StatusOK, out
}

// id names a blob.
func (a *simActivity) id(kind int8, b int) string {
	at := a.created(b)
	hash := fmt.Sprintf("%016x%016x", sim.Hash(a.s.o.Seed, 33, uint64(b)), sim.Hash(a.s.o.Seed, 34, uint64(b)))
	return fmt.Sprintf("%s%06d$%s%06d$%s%s%s$%s$04", at.Format("20060102150405"), b, at.Format("20060102150405"), b,
		strings.ReplaceAll(a.s.id, "-", ""), simContents[kind].short, at.Format("2006010215"), hash)
}

// parse reads what id wrote; kind < 0 = it is none.
func (a *simActivity) parse(id string) (kind int8, b int) {
	parts := strings.Split(id, "$")
	if len(parts) != 5 || len(parts[0]) < 20 || len(parts[2]) < 45 {
		return -1, 0
	}
	b, err := strconv.Atoi(parts[0][14:])
	i := slices.IndexFunc(simContents, func(t struct{ name, short string }) bool { return t.short == parts[2][32:35] })
	if err != nil || i < 0 || a.id(int8(i), b) != id {
		return -1, 0
	}
	return int8(i), b
}

// blob answers with the events of a blob, in no order.
func (s *simOrg) blob(c *simCall) (int, any) {
	if no := s.tenant(c); no != nil {
		return 0, no
	}
	a, now := s.ma, s.o.Now()
	kind, b := a.parse(c.path("id"))
	switch {
	case kind < 0:
		return 0, simNo{http.StatusBadRequest, "AF20052", "Content ID " + c.path("id") + " in the URL is invalid."}
	case a.listed(b).After(now) || a.lost(simContents[kind].name, a.created(b)) || !a.holds(b, kind):
		return 0, simNo{http.StatusNotFound, "AF20050", "The specified content (" + c.path("id") + ") does not exist."}
	case a.created(b).Add(simWeek).Before(now):
		return 0, simNo{http.StatusBadRequest, "AF20051", "Content requested with the key " + c.path("id") +
			" has already expired. Content older " +
			"than 7 days cannot be retrieved."}
	}
	var at []int
	a.within(b, func(i int) {
		if a.typeOf(i) == kind {
			at = append(at, i)
		}
	})
	if sim.Hash(s.o.Seed, 35, uint64(b))%2 == 0 {
		slices.Reverse(at)
	}
	out := []byte{'['}
	for n, i := range at {
		if n > 0 {
			out = append(out, ',')
		}
		out = a.feed.Make(out, i)
	}
	c.w.Header().Set("Content-Type", "application/json; charset=utf-8")
	return http.StatusOK, append(out, ']')
}
