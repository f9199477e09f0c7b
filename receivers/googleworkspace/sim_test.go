package googleworkspace

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

// simClock is a clock that tests set.
type simClock struct{ t time.Time }

func (c *simClock) now() time.Time { return c.t }

var simNoon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// simAll are all scopes that are granted, for a token that may do everything.
func simAll() (out []string) {
	for _, name := range simGranted {
		out = append(out, simScope(name))
	}
	return out
}

// simStaff asks a fake with tokens of Config's credential.
type simStaff struct {
	*simtest.Client // as the administrator, with all scopes
	clock           *simClock
	key             *rsa.PrivateKey
	file            struct {
		KeyID    string `json:"private_key_id"`
		Email    string `json:"client_email"`
		Key      string `json:"private_key"`
		TokenURI string `json:"token_uri"`
	}
	admin string
}

// newSimStaff makes a fake, wrapped where wrap is not nil.
func newSimStaff(t *testing.T, o sim.Options, wrap func(http.Handler) http.Handler) (*sim.Sim, *simStaff) {
	t.Helper()
	a := &simStaff{clock: &simClock{simNoon}}
	o.Now = a.clock.now
	s, err := newSim(o)
	if err != nil {
		t.Fatal(err)
	}
	a.Client = &simtest.Client{T: t, Handler: s.Handler, Base: "http://google.test"}
	if wrap != nil {
		a.Handler = wrap(s.Handler)
	}
	auth, _ := s.Config(a.Base)["auth"].(obj)
	text, _ := auth["key"].(string)
	a.admin, _ = auth["admin"].(string)
	if err := json.Unmarshal([]byte(text), &a.file); err != nil {
		t.Fatal(err)
	}
	if block, _ := pem.Decode([]byte(a.file.Key)); block != nil {
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		a.key = key.(*rsa.PrivateKey)
		if o.Variant == "" || o.Variant == "basic" || o.Variant == "delegated" {
			a.Client = a.act(a.admin)
		}
	}
	return s, a
}

// claims are those of an assertion for a subject.
func (a *simStaff) claims(subject string, scopes ...string) obj {
	return obj{"iss": a.file.Email, "sub": subject, "scope": strings.Join(scopes, " "), "aud": a.file.TokenURI, "iat": a.clock.t.Unix(),
		"exp": a.clock.t.Unix() + 3600}
}

// ask asks for a token by an assertion.
func (a *simStaff) ask(assertion string) (status int, out struct {
	Token  string `json:"access_token"`
	Error  string
	Reason string `json:"error_description"`
	For    int    `json:"expires_in"`
}) {
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}}
	status, _, b := a.As("Content-Type", "application/x-www-form-urlencoded").Do(http.MethodPost, "/token", form.Encode())
	if err := json.Unmarshal(b, &out); err != nil {
		a.T.Fatal(err)
	}
	return status, out
}

// act is a client that acts for somebody, with all scopes or those named.
func (a *simStaff) act(subject string, scopes ...string) *simtest.Client {
	a.T.Helper()
	if len(scopes) == 0 {
		scopes = simAll()
	}
	status, out := a.ask(simtest.JWT(a.T, a.key, obj{"alg": "RS256", "kid": a.file.KeyID}, a.claims(subject, scopes...)))
	if status != http.StatusOK {
		a.T.Fatalf("a token for %s: %d %s %s", subject, status, out.Error, out.Reason)
	}
	return a.As("Authorization", "Bearer "+out.Token)
}

// rows reads all pages of a list.
func (a *simStaff) rows(c *simtest.Client, target, name string) (all []obj) {
	a.T.Helper()
	sep := "?"
	if strings.Contains(target, "?") {
		sep = "&"
	}
	for next := ""; ; {
		at := target
		if next != "" {
			at += sep + "pageToken=" + url.QueryEscape(next)
		}
		var p map[string]json.RawMessage
		if err := json.Unmarshal(c.Must(http.StatusOK, http.MethodGet, at, ""), &p); err != nil {
			a.T.Fatal(err)
		}
		var rows []obj
		if p[name] != nil {
			if err := json.Unmarshal(p[name], &rows); err != nil {
				a.T.Fatal(err)
			}
		}
		if all = append(all, rows...); p["nextPageToken"] == nil {
			return all
		}
		next = ""
		_ = json.Unmarshal(p["nextPageToken"], &next)
	}
}

func simStr(o obj, key string) string { s, _ := o[key].(string); return s }

// simIDs are the ids of rows, in order.
func simIDs(rows []obj, key string) (out []string) {
	for _, r := range rows {
		out = append(out, simStr(r, key))
	}
	slices.Sort(out)
	return out
}

// simPublished is what a stream must deliver, in order.
func simPublished(s *sim.Sim, stream string) (out []string) {
	s.Published(stream, func(key string) bool { out = append(out, key); return true })
	slices.Sort(out)
	return out
}

const (
	simActivities = "/admin/reports/v1/activity/users/all/applications/"
	simDirectory  = "/admin/directory/v1/"
	simDrive      = "/drive/v3/"
)

// simKeyOf is the key of an activity.
func simKeyOf(r obj) string {
	raw, _ := json.Marshal(r)
	return simReplayKey(raw)
}

func TestTheFakeIsReadAsItIsPublished(t *testing.T) {
	s, a := newSimStaff(t, sim.Options{Seed: 3, Users: 30, Files: 700, Events: 6000, Late: 0.1, Limits: -1}, nil)
	a.clock.t = simNoon.Add(24 * time.Hour)
	a.Client = a.act(a.admin)
	for _, app := range simApps {
		if app.name == simAlerts || app.name == "gmail" {
			continue
		}
		got := map[string]bool{}
		for _, r := range a.rows(a.Client, simActivities+app.name+"?maxResults=300", "items") {
			got[simKeyOf(r)] = true
		}
		for _, key := range simPublished(s, app.name) {
			if !got[key] {
				t.Errorf("%s: %s was published and not read", app.name, key)
			}
			delete(got, key)
		}
		if len(got) > 0 {
			t.Errorf("%s: %d activities more than were published", app.name, len(got))
		}
	}
	f := func(stream, target, name, key string) {
		t.Helper()
		if got, want := simIDs(a.rows(a.Client, target, name), key), simPublished(s, stream); !slices.Equal(got, want) || len(want) == 0 {
			t.Errorf("%s: read %d, published %d", stream, len(got), len(want))
		}
	}
	f("alerts", "/v1beta1/alerts?pageSize=3", "alerts", "alertId")
	f("users", simDirectory+"users?customer=my_customer&maxResults=7&orderBy=email", "users", "id")
	f("groups", simDirectory+"groups?customer=my_customer&maxResults=2", "groups", "id")
	f("roles", simDirectory+"customer/my_customer/roles?maxResults=3", "items", "roleId")
	f("role_assignments", simDirectory+"customer/my_customer/roleassignments?maxResults=3", "items", "roleAssignmentId")
	f("labels", "/v2/labels?publishedOnly=true&view=LABEL_VIEW_FULL&useAdminAccess=true&pageSize=1", "labels", "id")
	f("drives", simDrive+"drives?useDomainAdminAccess=true&pageSize=2", "drives", "id")
	var files, members, grants []string
	for _, u := range a.rows(a.Client, simDirectory+"users?customer=my_customer", "users") {
		id := simStr(u, "id")
		for _, r := range a.rows(a.Client, simDirectory+"users/"+id+"/tokens", "items") {
			grants = append(grants, id+"/"+simStr(r, "clientId"))
		}
		if u["suspended"] == true || u["archived"] == true {
			continue
		}
		files = append(files, simIDs(a.rows(a.act(simStr(u, "primaryEmail")), simDrive+"files?pageSize=4&q="+
			url.QueryEscape("'me' in owners"), "files"), "id")...)
	}
	for _, g := range a.rows(a.Client, simDirectory+"groups?customer=my_customer", "groups") {
		for _, r := range a.rows(a.Client, simDirectory+"groups/"+simStr(g, "id")+"/members?maxResults=2", "members") {
			members = append(members, simStr(g, "id")+"/"+simStr(r, "id"))
		}
	}
	for stream, got := range map[string][]string{"files": files, "group_members": members, "grants": grants} {
		if slices.Sort(got); !slices.Equal(got, simPublished(s, stream)) || len(got) == 0 {
			t.Errorf("%s: read %d, published %d", stream, len(got), len(simPublished(s, stream)))
		}
	}
}
