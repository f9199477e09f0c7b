package salesforce

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

// simDesk asks a fake org, by a clock of its own.
type simDesk struct {
	*simtest.Client
	*sim.Sim
	t   *testing.T
	now time.Time
}

const simAPI = "/services/data/v62.0"

func newSimDesk(t *testing.T, o sim.Options) *simDesk {
	t.Helper()
	d := &simDesk{t: t, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	o.Now = func() time.Time { return d.now }
	s, err := newSim(o)
	if err != nil {
		t.Fatal(err)
	}
	d.Sim, d.Client = s, &simtest.Client{T: t, Handler: s.Handler, Base: "http://org.test"}
	if o.Variant != "unapproved" && o.Variant != "wrong_key" {
		d.signIn()
	}
	return d
}

// signIn gets a session by what Config gives.
func (d *simDesk) signIn() {
	d.t.Helper()
	status, got := d.token(nil)
	if status != http.StatusOK {
		d.t.Fatalf("%d: %v", status, got)
	}
	d.Client = d.As("Authorization", "Bearer "+got["access_token"].(string))
}

// token asks for a session; change changes claims.
func (d *simDesk) token(change map[string]any) (int, map[string]any) {
	d.t.Helper()
	auth := d.Config(d.Base)["auth"].(map[string]any)
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {auth["client_id"].(string)}}
	if auth["type"] == "jwt" {
		block, _ := pem.Decode([]byte(auth["private_key"].(string)))
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			d.t.Fatal(err)
		}
		claims := map[string]any{"iss": auth["client_id"], "sub": auth["username"], "aud": "https://login.salesforce.com",
			"exp": d.now.Add(3 * time.Minute).Unix()}
		for k, v := range change {
			claims[k] = v
		}
		form = url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"},
			"assertion": {simtest.JWT(d.t, key.(*rsa.PrivateKey), map[string]any{"alg": "RS256"}, claims)}}
	} else {
		form.Set("client_secret", auth["client_secret"].(string))
	}
	status, _, b := d.As("Content-Type", "application/x-www-form-urlencoded").Do(http.MethodPost, "/services/oauth2/token", form.Encode())
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		d.t.Fatal(err)
	}
	return status, got
}

type simPage struct {
	TotalSize int
	Done      bool
	Next      string `json:"nextRecordsUrl"`
	Records   []map[string]any
}

// query gives all pages of a query.
func (d *simDesk) query(format string, args ...any) (rows []map[string]any) {
	d.t.Helper()
	next := simAPI + "/query?q=" + url.QueryEscape(fmt.Sprintf(format, args...))
	for next != "" {
		p := simtest.Read[simPage](d.Client, next)
		rows, next = append(rows, p.Records...), p.Next
		if p.Done != (next == "") {
			d.t.Fatalf("done is %v beside a next page %q", p.Done, next)
		}
	}
	return rows
}

// refused gives the error of a query.
func (d *simDesk) refused(format string, args ...any) string {
	d.t.Helper()
	status, _, b := d.Do(http.MethodGet, simAPI+"/query?q="+url.QueryEscape(fmt.Sprintf(format, args...)), "")
	return fmt.Sprint(status, " ", simCode(d.t, b))
}

func simCode(t *testing.T, b []byte) string {
	t.Helper()
	var list []struct{ ErrorCode, Message string }
	if err := json.Unmarshal(b, &list); err != nil || len(list) != 1 || list[0].Message == "" {
		t.Fatalf("%.200s: %v", b, err)
	}
	return list[0].ErrorCode
}

func simColumn(rows []map[string]any, name string) (out []string) {
	for _, r := range rows {
		out = append(out, fmt.Sprint(r[name]))
	}
	return out
}

// keys are what a stream must deliver now.
func (d *simDesk) keys(stream string) (out []string) {
	d.Published(stream, func(key string) bool { out = append(out, key); return true })
	slices.Sort(out)
	return out
}

// same checks that a list holds what is published.
func (d *simDesk) same(stream string, got []string) {
	d.t.Helper()
	slices.Sort(got)
	if want := d.keys(stream); len(want) == 0 || !slices.Equal(got, want) {
		d.t.Errorf("%s: %d rows, %d published", stream, len(got), len(want))
	}
}

func TestFakeIssuesSessions(t *testing.T) {
	d := newSimDesk(t, sim.Options{})
	f := func(change map[string]any, code, why string) {
		t.Helper()
		if status, got := d.token(change); status != 400 || got["error"] != code || got["error_description"] != why {
			t.Errorf("%v: %d %v", change, status, got)
		}
	}
	if _, got := d.token(nil); got["instance_url"] != d.Base || got["expires_in"] != nil ||
		!strings.HasPrefix(got["id"].(string), d.Base+"/id/00D") {
		t.Error(got)
	}
	f(map[string]any{"aud": "https://test.salesforce.com"}, "invalid_grant", "audience is invalid")
	f(map[string]any{"exp": d.now.Add(4 * time.Minute).Unix()}, "invalid_grant", "expired assertion")
	f(map[string]any{"exp": d.now.Add(-time.Second).Unix()}, "invalid_grant", "expired assertion")
	f(map[string]any{"iss": "other"}, "invalid_client_id", "client identifier invalid")
	f(map[string]any{"sub": "nobody@contoso.example"}, "invalid_grant", "user hasn't approved this consumer")
	d = newSimDesk(t, sim.Options{Variant: "unapproved"})
	f(nil, "invalid_grant", "user hasn't approved this consumer")
	d = newSimDesk(t, sim.Options{Variant: "wrong_key"})
	f(nil, "invalid_grant", "invalid assertion")
	d = newSimDesk(t, sim.Options{Variant: "client_credentials"})
	who := simtest.Read[map[string]any](d.Client, "/services/oauth2/userinfo")
	if who["preferred_username"] != "svc.collector@contoso.example" {
		t.Error(who)
	}
	if _, err := newSim(sim.Options{Variant: "other"}); err == nil {
		t.Error("an unknown variant was accepted")
	}
}

func TestFakeEndsSessionsWithoutNotice(t *testing.T) {
	d := newSimDesk(t, sim.Options{})
	d.query("SELECT Id FROM Profile")
	d.now = d.now.Add(2*time.Hour + time.Second)
	if got := d.refused("SELECT Id FROM Profile"); got != "401 INVALID_SESSION_ID" {
		t.Error(got)
	}
	d.signIn()
	d.query("SELECT Id FROM Profile")
	token := strings.TrimPrefix(d.Header.Get("Authorization"), "Bearer ")
	d.Must(http.StatusOK, http.MethodPost, "/services/oauth2/revoke?token="+url.QueryEscape(token), "")
	if got := d.refused("SELECT Id FROM Profile"); got != "401 INVALID_SESSION_ID" {
		t.Error(got)
	}
}

func TestFakeReadsSOQL(t *testing.T) {
	d := newSimDesk(t, sim.Options{Users: 20})
	f := func(want int, where string) {
		t.Helper()
		if got := len(d.query("SELECT Id FROM User WHERE %s", where)); got != want {
			t.Errorf("%s: %d rows, want %d", where, got, want)
		}
	}
	all := d.query("SELECT Id, Username, IsActive FROM User ORDER BY Id")
	first := all[0]["Id"].(string)
	f(23, "Id != null")
	f(22, "Id > '"+first+"'")
	f(1, "Id = '"+first[:15]+"'")
	f(2, "Id IN ('"+first+"','"+all[3]["Id"].(string)+"')")
	f(22, "Id NOT IN ('"+first+"')")
	f(1, "username = 'ADMIN@contoso.example'")
	f(1, `LastName = 'O\'Hara' OR LastName = '7'`)
	f(1, "IsActive = false")
	f(1, "IsActive = true AND (Username = 'user3@contoso.example' OR Username = 'user12@contoso.example')")
	f(22, "NOT Username LIKE 'admin@%'")
	f(10, "Username LIKE 'user1_@contoso.example'")
	f(23, "CreatedDate < 2026-11-23T00:00:00Z")
	f(0, "CreatedDate >= 2026-11-23T00:00:00.000+0000")
	f(1, "Profile.Name = 'System Administrator'")
	f(3, "UserRoleId = null")
	rows := d.query("SELECT Id, Profile.Name, Profile.Id, UserRole.Name, ManagerId FROM User " +
		"ORDER BY IsActive DESC, Username LIMIT 2 OFFSET 1")
	if len(rows) != 2 || rows[0]["Profile"].(map[string]any)["Id"] == nil || rows[0]["ManagerId"] != nil {
		t.Error(rows)
	}
	if p := simtest.Read[simPage](d.Client, simAPI+"/query?q=SELECT+COUNT()+FROM+User"); p.TotalSize != 23 || len(p.Records) != 0 {
		t.Error(p)
	}
	g := func(want, query string) {
		t.Helper()
		if got := d.refused("%s", query); got != "400 "+want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	g("INVALID_TYPE", "SELECT Id FROM Nothing")
	g("INVALID_FIELD", "SELECT Id, Nothing FROM User")
	g("INVALID_FIELD", "SELECT Id FROM User WHERE Nothing = 1")
	g("INVALID_FIELD", "SELECT Id, Nothing.Name FROM User")
	g("INVALID_FIELD", "SELECT Id, Id FROM User")
	g("INVALID_FIELD", "SELECT Id FROM User WHERE CreatedDate > '2026-11-23T00:00:00Z'")
	g("INVALID_FIELD", "SELECT Id FROM User WHERE IsActive = 'true'")
	g("INVALID_QUERY_FILTER_OPERATOR", "SELECT Id FROM User WHERE Id > 'x'")
	for _, q := range []string{"", "SELECT FROM User", "SELECT Id FROM User WHERE", "SELECT Id FROM User WHERE Id",
		"SELECT Id FROM User ORDER Id",
		"SELECT Id FROM User WHERE IsActive = true AND Id != null OR Name = 'x'", "SELECT Id FROM User LIMIT -1", "SELECT Id FROM User LIMIT 1 2",
		"SELECT Id FROM User WHERE Name = 'open", "SELECT Id FROM User WHERE (Name = 'x'", "SELECT Id FROM User WHERE Name IN ()",
		"SELECT Id FROM User WHERE CreatedDate > 2026-11-23T00:00:00"} {
		g("MALFORMED_QUERY", q)
	}
	g("NUMBER_OUTSIDE_VALID_RANGE", "SELECT Id FROM User OFFSET 2001")
}

func TestFakeKeepsTheRestrictionsOfObjects(t *testing.T) {
	d := newSimDesk(t, sim.Options{})
	g := func(want, query string) {
		t.Helper()
		if want == "" {
			d.query("%s", query)
		} else if got := d.refused("%s", query); got != "400 "+want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	const at = "2026-11-23T00:00:00Z"
	g("", "SELECT Id FROM LoginEvent WHERE EventDate >= "+at+" AND EventDate < 2026-11-23T01:00:00Z ORDER BY EventDate")
	g("", "SELECT EventIdentifier FROM ApiEvent WHERE EventDate = "+at+" AND EventIdentifier = 'x'")
	g("INVALID_FIELD", "SELECT Id FROM LoginEvent WHERE UserId = '005000000000000'")
	g("INVALID_FIELD", "SELECT Id FROM LoginEvent WHERE EventDate > "+at+" ORDER BY CreatedDate")
	g("MALFORMED_QUERY", "SELECT Id FROM LoginEvent WHERE EventIdentifier = 'x'")
	g("MALFORMED_QUERY", "SELECT Id FROM LoginEvent WHERE EventDate > "+at+" OR EventDate < "+at)
	g("MALFORMED_QUERY", "SELECT Id FROM LoginEvent WHERE EventDate != "+at)
	g("MALFORMED_QUERY", "SELECT COUNT() FROM LoginEvent")
	g("MALFORMED_QUERY", "SELECT COUNT() FROM SetupAuditTrail")
	g("INVALID_FIELD", "SELECT Id FROM SetupAuditTrail WHERE Display = 'x'")
	g("INVALID_FIELD", "SELECT Id FROM LoginHistory WHERE Status = 'Success'")
	g("INVALID_FIELD", "SELECT Id FROM LoginHistory ORDER BY LoginTime, Id")
	g("", "SELECT Id FROM ContentDocumentLink")
	d = newSimDesk(t, sim.Options{Variant: "own_files"})
	g("MALFORMED_QUERY", "SELECT Id FROM ContentDocumentLink")
	g("", "SELECT Id FROM ContentDocumentLink WHERE ContentDocumentId = '069000000000000'")
	g("", "SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId IN ('005000000000000') AND ShareType = 'V'")
	if rows := d.query("SELECT Id FROM ContentVersion"); len(rows) != 0 {
		t.Errorf("%d versions of others", len(rows))
	}
	g("INVALID_TYPE", "SELECT Id FROM UserLogin")
	g("INVALID_TYPE", "SELECT Id FROM ReportAnomalyEventStore")
	d = newSimDesk(t, sim.Options{Variant: "free"})
	g("INVALID_TYPE", "SELECT Id FROM LoginEvent")
	g("", "SELECT Id FROM EventLogFile")
	d = newSimDesk(t, sim.Options{Variant: "no_api"})
	if got := d.refused("SELECT Id FROM User"); got != "403 API_DISABLED_FOR_ORG" {
		t.Error(got)
	}
}

func TestFakePagesByLocatorsThatDie(t *testing.T) {
	d := newSimDesk(t, sim.Options{Users: 900})
	batch := d.As("Sforce-Query-Options", "batchSize=300")
	first := simtest.Read[simPage](batch, simAPI+"/query?q=SELECT+Id+FROM+User")
	if first.TotalSize != 903 || len(first.Records) != 300 || !strings.HasPrefix(first.Next, simAPI+"/query/01g") {
		t.Fatalf("%d of %d, %q", len(first.Records), first.TotalSize, first.Next)
	}
	seen := map[any]bool{}
	for p := first; ; p = simtest.Read[simPage](d.Client, p.Next) {
		for _, r := range p.Records {
			seen[r["Id"]] = true
		}
		if p.Done {
			break
		}
	}
	if len(seen) != 903 {
		t.Errorf("%d users on all pages", len(seen))
	}
	dead := func(next string) {
		t.Helper()
		if _, _, b := d.Do(http.MethodGet, next, ""); simCode(t, b) != "INVALID_QUERY_LOCATOR" {
			t.Errorf("%s: %.200s", next, b)
		}
	}
	for range 10 {
		d.now = d.now.Add(time.Second)
		simtest.Read[simPage](batch, simAPI+"/query?q=SELECT+Id+FROM+User")
	}
	dead(first.Next)
	last := simtest.Read[simPage](batch, simAPI+"/query?q=SELECT+Id+FROM+User")
	d.now = d.now.Add(16 * time.Minute)
	dead(last.Next)
	dead(simAPI + "/query/01g5g0000000001AAA-2000")
}

func TestFakeCountsRequests(t *testing.T) {
	d := newSimDesk(t, sim.Options{Users: 10, Limits: 0.00003})
	for i := range 3 {
		_, h, _ := d.Do(http.MethodGet, simAPI+"/limits", "")
		if got, want := h.Get("Sforce-Limit-Info"), fmt.Sprintf("api-usage=%d/3", i+1); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := d.refused("SELECT Id FROM User"); got != "403 REQUEST_LIMIT_EXCEEDED" {
		t.Error(got)
	}
	d.now = d.now.Add(24 * time.Hour)
	d.signIn()
	d.query("SELECT Id FROM User")
}
