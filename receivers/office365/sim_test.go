package office365

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
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

func simStr(o simObj, key string) string { v, _ := o[key].(string); return v }

// simStaff asks a fake with the credential of Config.
type simStaff struct {
	*simtest.Client
	s      *sim.Sim
	org    *simOrg
	clock  *simClock
	auth   simObj
	tenant string
	sent   int
}

const simBase = "http://o365.test"

// newSimStaff makes a fake, wrapped where wrap is not nil.
func newSimStaff(t testing.TB, o sim.Options, wrap func(http.Handler) http.Handler) *simStaff {
	t.Helper()
	a := &simStaff{clock: &simClock{simNoon}}
	o.Now = a.clock.now
	org, s, err := newSimOrg(o)
	if err != nil {
		t.Fatal(err)
	}
	a.org, a.s, a.Client = org, s, &simtest.Client{T: t, Handler: s.Handler, Base: simBase}
	if wrap != nil {
		a.Handler = wrap(s.Handler)
	}
	a.auth, _ = s.Config(simBase)["auth"].(simObj)
	a.tenant = simStr(a.auth, "tenant_id")
	return a
}

// assertion signs what the app says about itself; change replaces members of the header and claims.
func (a *simStaff) assertion(alg string, change simObj) string {
	a.T.Helper()
	block, _ := pem.Decode([]byte(simStr(a.auth, "private_key")))
	cert, _ := pem.Decode([]byte(simStr(a.auth, "certificate")))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		a.T.Fatal(err)
	}
	a.sent++
	sum, id := sha256.Sum256(cert.Bytes), simStr(a.auth, "client_id")
	header := simObj{"alg": alg, "typ": "JWT", "x5t#S256": base64.RawURLEncoding.EncodeToString(sum[:])}
	claims := simObj{"aud": simBase + "/" + a.tenant + "/oauth2/v2.0/token", "iss": id, "sub": id, "jti": fmt.Sprint("j", a.sent),
		"nbf": a.clock.t.Unix(), "exp": a.clock.t.Unix() + 300}
	for k, v := range change {
		if k == "x5t#S256" {
			header[k] = v
		} else {
			claims[k] = v
		}
	}
	return simtest.JWT(a.T, key.(crypto.Signer), header, claims)
}

// form is a request for a token.
func (a *simStaff) form(resource string) url.Values {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {simStr(a.auth, "client_id")}, "scope": {resource + "/.default"}}
	if a.auth["private_key"] == nil {
		form.Set("client_secret", simStr(a.auth, "client_secret"))
	} else {
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", a.assertion("PS256", nil))
	}
	return form
}

// ask asks for a token.
func (a *simStaff) ask(tenant string, form url.Values) (status int, out simObj) {
	a.T.Helper()
	status, _, b := a.As("Content-Type", "application/x-www-form-urlencoded").Do(http.MethodPost, "/"+tenant+"/oauth2/v2.0/token",
		form.Encode())
	if err := json.Unmarshal(b, &out); err != nil {
		a.T.Fatal(err)
	}
	return status, out
}

// to is the client with a token for an API.
func (a *simStaff) to(resource string) *simtest.Client {
	a.T.Helper()
	status, out := a.ask(a.tenant, a.form(resource))
	if status != http.StatusOK {
		a.T.Fatalf("no token for %s: %v", resource, out)
	}
	return a.As("Authorization", "Bearer "+simStr(out, "access_token"))
}

const (
	graphAPI  = "https://graph.microsoft.com"
	manageAPI = "https://manage.office.com"
	sharesAPI = "https://contoso.sharepoint.com"
)

// simRows reads all pages of a list of Graph's, and gives the last page's delta link.
func simRows(c *simtest.Client, target string) (all []simObj, delta string) {
	c.T.Helper()
	for target != "" {
		p := simtest.Read[struct {
			Value []simObj
			Next  string `json:"@odata.nextLink"`
			Delta string `json:"@odata.deltaLink"`
		}](c, target)
		all, delta = append(all, p.Value...), strings.TrimPrefix(p.Delta, simBase)
		target = strings.TrimPrefix(p.Next, simBase)
	}
	return all, delta
}

func TestTokensAreForOneAPIAndSayWhatTheAppMay(t *testing.T) {
	a := newSimStaff(t, sim.Options{Seed: 3}, nil)
	for resource, ways := range map[string][]int{graphAPI: {200, 401, 401}, manageAPI: {401, 200, 401}, sharesAPI: {401, 401, 200}} {
		c := a.to(resource)
		for i, target := range []string{"/v1.0/users", "/api/v1.0/" + a.tenant + "/activity/feed/subscriptions/list",
			"/sites/team0/_api/site/RecycleBin"} {
			if status, _, b := c.Do(http.MethodGet, target, ""); status != ways[i] {
				t.Errorf("a token for %s at %s: %d %s", resource, target, status, b)
			}
		}
		token := strings.Split(c.Header.Get("Authorization"), ".")
		text, _ := base64.RawURLEncoding.DecodeString(token[1])
		var claims struct {
			Aud, Tid string
			Roles    []string
		}
		if err := json.Unmarshal(text, &claims); err != nil || claims.Aud != resource || claims.Tid != a.tenant || len(claims.Roles) == 0 {
			t.Errorf("%s: %v in %s", resource, err, text)
		}
	}
}

func TestAssertionsOfAnotherCertificateAudienceOrTimeAreRefused(t *testing.T) {
	a := newSimStaff(t, sim.Options{Seed: 3}, nil)
	f := func(alg string, change simObj, status int, code string) {
		t.Helper()
		form := a.form(graphAPI)
		form.Set("client_assertion", a.assertion(alg, change))
		got, out := a.ask(a.tenant, form)
		if why := simStr(out, "error_description"); got != status || !strings.HasPrefix(why, code) {
			t.Errorf("%s %v: %d %v, want %d %s", alg, change, got, out, status, code)
		}
	}
	now := simNoon.Unix()
	f("PS256", nil, 200, "")
	f("RS256", nil, 200, "")
	f("PS256", simObj{"x5t#S256": "other"}, 401, "AADSTS700027: ")
	f("PS256", simObj{"aud": simBase + "/other/oauth2/v2.0/token"}, 401, "AADSTS700023: ")
	f("PS256", simObj{"exp": now - 1}, 401, "AADSTS700024: ")
	f("PS256", simObj{"exp": now + 3600}, 401, "AADSTS700024: ")
	f("PS256", simObj{"iss": "other"}, 401, "AADSTS700021: ")
	f("PS256", simObj{"jti": "j1"}, 200, "")
	f("PS256", simObj{"jti": "j1"}, 401, "AADSTS700027: ")
	if status, out := a.ask("other", a.form(graphAPI)); status != 400 || !strings.HasPrefix(simStr(out, "error_description"),
		"AADSTS90002: ") {
		t.Error(status, out)
	}
	for scope, code := range map[string]string{graphAPI: "AADSTS1002012: ", "https://other.example/.default": "AADSTS500011: "} {
		form := a.form(graphAPI)
		form.Set("scope", scope)
		if status, out := a.ask(a.tenant, form); status != 400 || !strings.HasPrefix(simStr(out, "error_description"), code) {
			t.Error(scope, status, out)
		}
	}
}

func TestSharePointTakesNoTokenThatASecretGot(t *testing.T) {
	a := newSimStaff(t, sim.Options{Seed: 3, Variant: "secret"}, nil)
	a.to(graphAPI).Must(http.StatusOK, http.MethodGet, "/v1.0/users", "")
	if status, _, b := a.to(sharesAPI).Do(http.MethodGet, "/sites/team0/_api/site/RecycleBin", ""); status != 401 ||
		!strings.Contains(string(b), "Unsupported app only token") {
		t.Error(status, string(b))
	}
	wrong := newSimStaff(t, sim.Options{Seed: 3, Variant: "wrong_secret"}, nil)
	if status, out := wrong.ask(wrong.tenant, wrong.form(graphAPI)); status != 401 || out["error"] != "invalid_client" {
		t.Error(status, out)
	}
	wrong = newSimStaff(t, sim.Options{Seed: 3, Variant: "wrong_certificate"}, nil)
	if status, out := wrong.ask(wrong.tenant, wrong.form(graphAPI)); status != 401 || out["error"] != "invalid_client" {
		t.Error(status, out)
	}
	if _, err := newSim(sim.Options{Variant: "nonsense"}); err == nil {
		t.Error("a variant that there is not was taken")
	}
}

// simFeed is the Management Activity API as a reader sees it.
type simFeed struct {
	*simtest.Client
	root string
}

func newSimFeed(a *simStaff) *simFeed {
	return &simFeed{a.to(manageAPI), "/api/v1.0/" + a.tenant + "/activity/feed/"}
}

// list reads all pages of a window, in the order in which they come.
func (f *simFeed) list(kind string, from, to time.Time) (out []simObj, pages int) {
	f.T.Helper()
	const form = "2006-01-02T15:04:05"
	at := f.root + "subscriptions/content?contentType=" + kind + "&startTime=" + from.Format(form) + "&endTime=" + to.Format(form)
	for at != "" {
		status, h, b := f.Do(http.MethodGet, at, "")
		var page []simObj
		if err := json.Unmarshal(b, &page); err != nil || status != http.StatusOK {
			f.T.Fatalf("%s: %d %s", at, status, b)
		}
		out, pages = append(out, page...), pages+1
		at = strings.TrimPrefix(h.Get("NextPageUri"), simBase)
	}
	return out, pages
}

func (f *simFeed) start(kinds ...string) {
	for _, kind := range kinds {
		f.Must(http.StatusOK, http.MethodPost, f.root+"subscriptions/start?contentType="+kind, "")
	}
}

// code is the code of the error that a request gets.
func (f *simFeed) code(method, target string) (int, string) {
	f.T.Helper()
	status, _, b := f.Do(method, f.root+target, "")
	var e struct {
		Error struct{ Code, Message string }
	}
	_ = json.Unmarshal(b, &e)
	return status, e.Error.Code
}

func simKindNames() (out []string) {
	for _, k := range simContents {
		out = append(out, k.name)
	}
	return out
}

func TestEveryEventComesInABlobOfItsTypeAndSomeTwice(t *testing.T) {
	a := newSimStaff(t, sim.Options{Seed: 5, Events: 1500, Late: 0.2, Again: 0.02, Start: simNoon.Add(-6 * 24 * time.Hour),
		Span: 48 * time.Hour}, nil)
	f := newSimFeed(a)
	times, paged, unordered := map[string]int{}, 0, 0
	for n, kind := range simKindNames() {
		f.start(kind)
		var got []string
		for day := range 7 {
			from := simNoon.Add(time.Duration(day-7) * 24 * time.Hour)
			blobs, pages := f.list(kind, from, from.Add(24*time.Hour))
			paged = max(paged, pages)
			last := ""
			for _, b := range blobs {
				at := simStr(b, "contentCreated")
				if at < last || at < from.Format(simTime) || b["contentType"] != kind {
					t.Errorf("%v came after %s in the window from %v", b, last, from)
				}
				if last = at; simStr(b, "contentExpiration") <= at {
					t.Error(b)
				}
				uri := strings.TrimPrefix(simStr(b, "contentUri"), simBase)
				if !strings.HasSuffix(uri, "/activity/feed/audit/"+simStr(b, "contentId")) {
					t.Error(b)
				}
				before := ""
				for _, e := range simtest.Read[[]simObj](f.Client, uri) {
					id, made := simStr(e, "Id"), simStr(e, "CreationTime")
					if times[id]++; times[id] == 1 {
						got = append(got, id)
					}
					if made < before {
						unordered++
					}
					if before = made; e["OrganizationId"] != a.tenant || made == "" || e["Operation"] == "" || made > at {
						t.Errorf("%v in a blob of %s", e, at)
					}
				}
			}
		}
		var want []string
		a.s.Published(simStreams[n], func(key string) bool { want = append(want, key); return true })
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) || len(want) == 0 {
			t.Errorf("%s: %d events were read, %d are published", kind, len(got), len(want))
		}
	}
	twice := slices.DeleteFunc(slices.Collect(maps.Values(times)), func(n int) bool { return n == 1 })
	if len(times) != 1500 || len(twice) < 20 || paged < 2 || unordered == 0 {
		t.Errorf("%d events, %d of them twice; up to %d pages; %d steps back in time", len(times), len(twice), paged, unordered)
	}
}

func TestSubscriptionsAndWindowsAreRefusedAsDocumented(t *testing.T) {
	a := newSimStaff(t, sim.Options{Seed: 5, Events: 200}, nil)
	f := newSimFeed(a)
	g := func(method, target string, status int, code string) {
		t.Helper()
		if s, c := f.code(method, target); s != status || c != code {
			t.Errorf("%s %s: %d %s, want %d %s", method, target, s, c, status, code)
		}
	}
	const spo = "contentType=Audit.SharePoint"
	g("GET", "subscriptions/content?"+spo, 400, "AF20022")
	g("POST", "subscriptions/start", 400, "AF20001")
	g("POST", "subscriptions/start?contentType=Audit.Nothing", 400, "AF20020")
	f.start("Audit.SharePoint")
	g("POST", "subscriptions/start?"+spo, 400, "AF20024")
	g("GET", "subscriptions/content?"+spo+"&startTime=2026-11-24T10:00:00", 400, "AF20055")
	g("GET", "subscriptions/content?"+spo+"&startTime=2026-11-24T10:00:00&endTime=2026-11-24T10:00:00", 400, "AF20055")
	g("GET", "subscriptions/content?"+spo+"&startTime=2026-11-22T10:00:00&endTime=2026-11-23T10:00:01", 400, "AF20055")
	g("GET", "subscriptions/content?"+spo+"&startTime=2026-11-17T10:59&endTime=2026-11-17T12:00", 400, "AF20055")
	g("GET", "subscriptions/content?"+spo+"&startTime=2026-11-17T11:01&endTime=2026-11-17T12:00", 200, "")
	g("GET", "subscriptions/content?"+spo+"&startTime=yesterday&endTime=2026-11-17", 400, "AF20002")
	g("GET", "subscriptions/content?"+spo+"&startTime=2026-11-23&endTime=2026-11-24&nextPage=x", 400, "AF20031")
	g("GET", "subscriptions/content?"+spo, 200, "")
	g("GET", "audit/nothing", 400, "AF20052")
	blobs, _ := f.list("Audit.SharePoint", simNoon.Add(-24*time.Hour), simNoon)
	uri := "audit/" + simStr(blobs[0], "contentId")
	g("GET", uri, 200, "")
	a.clock.t = simNoon.Add(8 * 24 * time.Hour)
	f.Client = a.to(manageAPI)
	g("GET", uri, 400, "AF20051")
	f.root = strings.Replace(f.root, a.tenant, "b0000000-0000-4000-a000-000000000000", 1)
	g("GET", "subscriptions/list", 403, "AF20010")
	f.root = strings.Replace(f.root, "b0000000-0000-4000-a000-000000000000", "x", 1)
	g("GET", "subscriptions/list", 400, "AF20013")
	few := newSimFeed(newSimStaff(t, sim.Options{Seed: 5, Variant: "few_rights"}, nil))
	if s, c := few.code("POST", "subscriptions/start?contentType=DLP.All"); s != 403 || c != "AF10001" {
		t.Error(s, c)
	}
	off := newSimFeed(newSimStaff(t, sim.Options{Seed: 5, Variant: "audit_off"}, nil))
	if s, c := off.code("POST", "subscriptions/start?contentType=Audit.General"); s != 400 || c != "AF20011" {
		t.Error(s, c)
	}
}

func TestWhatHappensWhileNobodyIsSubscribedIsLost(t *testing.T) {
	a := newSimStaff(t, sim.Options{Seed: 5, Events: 600, Start: simNoon, Span: 6 * time.Hour}, nil)
	f, count := newSimFeed(a), func() int { return a.s.Count("audit_entra") }
	f.start("Audit.AzureActiveDirectory")
	a.clock.t = simNoon.Add(2 * time.Hour)
	f.Client = a.to(manageAPI)
	before := count()
	f.Must(http.StatusOK, http.MethodPost, f.root+"subscriptions/stop?contentType=Audit.AzureActiveDirectory", "")
	a.clock.t = simNoon.Add(3 * time.Hour)
	f.Client = a.to(manageAPI)
	if _, code := f.code("GET", "subscriptions/content?contentType=Audit.AzureActiveDirectory"); code != "AF20022" || count() != before {
		t.Error(code, before, count())
	}
	f.start("Audit.AzureActiveDirectory")
	if blobs, _ := f.list("Audit.AzureActiveDirectory", simNoon.Add(2*time.Hour), simNoon.Add(3*time.Hour)); len(blobs) > 0 {
		t.Error("blobs of the hour without a subscription are listed")
	}
	a.clock.t = simNoon.Add(4 * time.Hour)
	f.Client = a.to(manageAPI)
	if blobs, _ := f.list("Audit.AzureActiveDirectory", simNoon.Add(3*time.Hour), simNoon.Add(4*time.Hour)); len(blobs) == 0 ||
		count() <= before {
		t.Error("nothing comes after the subscription was started again", before, count())
	}
}

func TestTooManyRequestsAreToldAsEachAPIDoes(t *testing.T) {
	a := newSimStaff(t, sim.Options{Seed: 5, Limits: 0.0005}, nil)
	f := newSimFeed(a)
	f.code("GET", "subscriptions/list")
	if status, code := f.code("GET", "subscriptions/list"); status != 403 || code != "AF429" {
		t.Error(status, code)
	}
	if status, code := f.code("GET", "subscriptions/list?PublisherIdentifier="+a.tenant); status != 200 {
		t.Error("whoever says whose requests they are has a quota of their own:", status, code)
	}
	g := a.to(graphAPI)
	tell := func(target, code string) {
		t.Helper()
		for range 3 {
			g.Do(http.MethodGet, target, "")
		}
		status, h, b := g.Do(http.MethodGet, target, "")
		var e struct{ Error struct{ Code string } }
		if _ = json.Unmarshal(b, &e); status != 429 || h.Get("Retry-After") == "" || e.Error.Code != code {
			t.Errorf("%s: %d %v %s", target, status, h, b)
		}
	}
	tell("/v1.0/users", "TooManyRequests")
	tell("/v1.0/auditLogs/signIns", "TooManyRequests")
	tell("/v1.0/sites/getAllSites", "activityLimitReached")
}
