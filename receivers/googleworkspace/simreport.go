package googleworkspace

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simEmpty are applications that nobody uses here.
const simEmpty = " access_transparency gcp gplus groups jamboard mobile chrome data_studio keep vault gemini_in_workspace_apps classroom " +
	"assignments cloud_search tasks data_migration meet_hardware directory_sync ldap profile admin_data_action contacts graduation voice " +
	"chrome_sync workspace_studio gemini_notebook "

// listActivities is the Reports API: newest first over all pages, what persisted late among them.
// https://developers.google.com/workspace/admin/reports/reference/rest/v1/activities/list
func (s *simOrg) listActivities(c *simCall) (any, *simNo) {
	app, now := c.path("app"), s.o.Now()
	feed := s.feeds[app]
	empty := strings.Contains(simEmpty, " "+app+" ")
	if feed == nil && !empty || app == simAlerts {
		return nil, simBad("invalid", "Invalid value '"+app+"' for applicationName")
	}
	b := sim.Bounds{To: now.Add(1), Newest: true}
	for name, into := range map[string]*time.Time{"startTime": &b.From, "endTime": &b.To} {
		if text := c.query(name); text != "" {
			t, err := time.Parse(time.RFC3339, text)
			if err != nil {
				return nil, simInvalid(name, text)
			}
			*into = t
		}
	}
	limit, no := c.size(1000, 1000)
	end := c.query("endTime") != ""
	switch id := c.query("customerId"); {
	case no != nil:
		return nil, no
	case !b.From.IsZero() && !b.From.Before(now):
		return nil, simBad("invalid", "Start time cannot be in the future.")
	case end && b.To.After(now):
		return nil, simBad("invalid", "End time cannot be in the future.")
	case end && !b.From.Before(b.To):
		return nil, simBad("invalid", "Start time must be before end time.")
	case app == "gmail" && (b.From.IsZero() || !end || b.To.Sub(b.From) > 30*24*time.Hour):
		return nil, simBad("invalid", "startTime and endTime are required for gmail and may be 30 days apart.")
	case id != "" && id != "my_customer" && id != s.id:
		return nil, simForbid("forbidden", "Not Authorized to access this resource/api")
	case app == "drive" && s.o.Variant == "basic":
		return nil, simForbid("forbidden", "The customer's edition has no reports of this application.")
	case c.query("filters") != "":
		return nil, simInvalid("filters", c.query("filters"))
	}
	if end {
		b.To = b.To.Add(1) // the end is within
	}
	out := &simRows{}
	if !empty {
		if out, no = s.page(c, feed, b, limit); no != nil {
			return nil, no
		}
	}
	out.etag = s.etag(59, c.sameQuery(), uint64(now.UnixNano()))
	return out.object(c, "items", "admin#reports#activities")
}

// simRows is a page of what a feed holds.
type simRows struct {
	parts      [][]byte // rows, a comma behind each
	etag, next string
}

const simPart = 16 << 10

func (p *simRows) add(raw []byte) {
	n := len(p.parts) - 1
	if n < 0 || len(p.parts[n])+len(raw) >= cap(p.parts[n]) {
		p.parts, n = append(p.parts, make([]byte, 0, max(simPart, len(raw)+1))), n+1
	}
	p.parts[n] = append(append(p.parts[n], raw...), ',')
}

// page reads a page of a feed. Between the pages of a walk late events persist among what was read: pages shift, and the next
// one begins with some rows of the last.
func (s *simOrg) page(c *simCall, feed *sim.Feed, b sim.Bounds, limit int) (*simRows, *simNo) {
	place, no := s.place(c)
	if no != nil {
		return nil, no
	}
	at := feed.Begin(b)
	if place != "" {
		first := at
		var err error
		if at, err = sim.ParseCursor(place); err != nil {
			return nil, simInvalid("pageToken", c.query("pageToken"))
		}
		if back := int(sim.Hash(s.o.Seed, 60, uint64(at.Slot)) % 4); s.o.Late > 0 && limit > 8 && b.Newest {
			at.Slot = min(first.Slot, at.Slot+back)
		}
	}
	keep := simKeep(c)
	out := &simRows{}
	next, more := feed.ReadIn(b, at, limit, func(raw []byte) {
		if keep(raw) {
			out.add(raw)
		}
	})
	if more {
		out.next = s.token(c, next.String())
	}
	return out, nil
}

// simKeep says which activities the path and the query select.
func simKeep(c *simCall) func(raw []byte) bool {
	user, name, ip := c.path("user"), c.query("eventName"), c.query("actorIpAddress")
	if user == "" || user == "all" {
		user = ""
	}
	return func(raw []byte) bool {
		if user == "" && name == "" && ip == "" {
			return true
		}
		text := string(raw)
		head, events, _ := strings.Cut(text, `"events":[`)
		return (user == "" || strings.Contains(head, `"`+user+`"`)) && (name == "" || strings.Contains(events, `"name":"`+name+`"`)) &&
			(ip == "" || strings.Contains(head, `"ipAddress":"`+ip+`"`))
	}
}

// object is the answer. One without rows has no member for them.
func (p *simRows) object(c *simCall, name, kind string) (any, *simNo) {
	head, end := []byte{'{'}, []byte{'}'}
	if kind != "" {
		head = append(sim.Text(append(head, `"kind":"`+kind+`","etag":`...), p.etag), ',')
	}
	if p.next != "" {
		end = append(sim.Text([]byte(`"nextPageToken":`), p.next), '}')
	}
	if n := len(p.parts) - 1; n >= 0 {
		p.parts[n] = p.parts[n][:len(p.parts[n])-1]
		head = append(head, `"`+name+`":[`...)
		end = bytes.Replace(append([]byte("],"), end...), []byte(",}"), []byte("}"), 1)
	} else if p.next == "" {
		head = bytes.TrimSuffix(head, []byte(","))
	}
	parts := append(append([][]byte{head}, p.parts...), end)
	if c.query("fields") == "" {
		return simReply{http.StatusOK, map[string]string{"Content-Type": "application/json; charset=UTF-8"}, parts}, nil
	}
	var all obj
	if err := json.Unmarshal(slices.Concat(parts...), &all); err != nil {
		return nil, &simNo{http.StatusInternalServerError, "backendError", err.Error(), ""}
	}
	return simTyped(all), nil
}

// simTyped gives objects that were decoded the types that masks know.
func simTyped(v any) any {
	switch v := v.(type) {
	case obj:
		for k, f := range v {
			v[k] = simTyped(f)
		}
	case []any:
		out := make([]obj, 0, len(v))
		for _, row := range v {
			o, ok := simTyped(row).(obj)
			if !ok {
				return v
			}
			out = append(out, o)
		}
		return out
	}
	return v
}

// simStreams are the names that published knows.
var simStreams = strings.Fields(`login saml user_accounts drive chat meet calendar token takeout admin groups_enterprise rules
context_aware_access access_evaluation alerts users groups group_members roles role_assignments grants app_passwords labels drives files
drive_files`)

// published is Sim.Published.
func (s *simOrg) published(stream string, f func(key string) bool) {
	if feed := s.feeds[stream]; feed != nil {
		if stream != "drive" || s.o.Variant != "basic" {
			feed.Published(f)
		}
		return
	}
	s.mu.RLock()
	keys := s.keysOf(stream)
	s.mu.RUnlock()
	for _, k := range keys {
		if !f(k) {
			return
		}
	}
}

// keysOf lists what a stream of entities holds now.
func (s *simOrg) keysOf(stream string) (out []string) {
	switch stream {
	case "users":
		for _, u := range s.users {
			if u.deleted.IsZero() {
				out = append(out, u.id)
			}
		}
	case "groups", "group_members":
		for _, g := range s.groups {
			if stream == "groups" {
				out = append(out, g.id)
				continue
			}
			for _, m := range g.members {
				out = append(out, g.id+"/"+m.id)
			}
		}
	case "roles":
		for _, r := range s.roles() {
			out = append(out, r.id)
		}
	case "role_assignments":
		for _, a := range s.assigned() {
			out = append(out, a.id)
		}
	case "grants", "app_passwords":
		for _, u := range s.users {
			if !u.deleted.IsZero() {
				continue
			}
			for _, t := range u.tokens {
				if stream == "grants" {
					out = append(out, u.id+"/"+t.client)
				}
			}
			for _, a := range u.asps {
				if stream == "app_passwords" {
					out = append(out, u.id+"/"+itoa(a.code))
				}
			}
		}
	default:
		out = s.tree.keysOf(stream)
	}
	return out
}

// keysOf are the files and shared drives that must be delivered.
func (t *simTree) keysOf(stream string) (out []string) {
	content := stream == "content"
	for _, h := range t.homes {
		switch {
		case h.user == nil && stream == "drives":
			out = append(out, h.id)
		case (stream == "files" || content) && h.user != nil && h.user.live(), (stream == "drive_files" || content) && h.user == nil:
			n, at := t.list(h)
			for i := range n {
				if f := t.holds(h, at(i)); f != nil && (!content || len(f.revs) > 0) {
					out = append(out, f.id)
				}
			}
		}
	}
	if stream == "labels" && t.s.o.Variant != "basic" {
		return []string{simLabelID, simLabelPlain}
	}
	return out
}
