//go:build msgraph

package office365

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	kiota "github.com/microsoft/kiota-serialization-json-go"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/models/odataerrors"
	"go.uber.org/goleak"

	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/oracles/procs"
	"github.com/longshore-dev/longshore/receivers/office365"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tenant is a running fake, and a client that trusts it.
type tenant struct {
	*sim.Sim
	t    *testing.T
	base string
	http *http.Client
	auth map[string]any
}

func start(t *testing.T, o sim.Options) *tenant {
	t.Helper()
	s, err := office365.Provider.Sim(o)
	if err != nil {
		t.Fatal(err)
	}
	cert := procs.NewCert(t)
	base, stop, err := sim.Serve("127.0.0.1:0", s, cert.Cert, cert.Key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	ca, err := os.ReadFile(cert.CA)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}
	t.Cleanup(transport.CloseIdleConnections)
	c := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &tenant{s, t, base, c, s.Config(base)["auth"].(map[string]any)}
}

// text is a member of the credential.
func (n *tenant) text(name string) string {
	v, _ := n.auth[name].(string)
	return v
}

// token is what Microsoft's library gets for an API.
func (n *tenant) token(resource string) (string, error) {
	n.t.Helper()
	var cred confidential.Credential
	var err error
	if n.text("private_key") == "" {
		cred, err = confidential.NewCredFromSecret(n.text("client_secret"))
	} else {
		certs, key, bad := confidential.CertFromPEM([]byte(n.text("certificate")+n.text("private_key")), "")
		if bad != nil {
			n.t.Fatal(bad)
		}
		cred, err = confidential.NewCredFromCert(certs, key)
	}
	if err != nil {
		n.t.Fatal(err)
	}
	app, err := confidential.New(n.base+"/"+n.text("tenant_id"), n.text("client_id"), cred, confidential.WithHTTPClient(n.http),
		confidential.WithInstanceDiscovery(false))
	if err != nil {
		n.t.Fatal(err)
	}
	got, err := app.AcquireTokenByCredential(context.Background(), []string{resource + "/.default"})
	return got.AccessToken, err
}

// get asks for a target, which is a URL or a path.
func (n *tenant) get(token, target string) (int, []byte) {
	n.t.Helper()
	if !strings.HasPrefix(target, "http") {
		target = n.base + target
	}
	r, err := http.NewRequestWithContext(n.t.Context(), http.MethodGet, target, nil)
	if err != nil {
		n.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := n.http.Do(r)
	if err != nil {
		n.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	return resp.StatusCode, b
}

const (
	graph  = "https://graph.microsoft.com"
	manage = "https://manage.office.com"
	shares = "https://contoso.sharepoint.com"
)

func TestMicrosoftsLibrarySignsInForEachAPI(t *testing.T) {
	for _, variant := range []string{"", "secret"} {
		n := start(t, sim.Options{Seed: 2, Variant: variant})
		for resource, target := range map[string]string{graph: "/v1.0/users", shares: "/sites/team0/_api/site/RecycleBin",
			manage: "/api/v1.0/" + n.text("tenant_id") + "/activity/feed/subscriptions/list"} {
			want := http.StatusOK
			if variant == "secret" && resource == shares {
				want = http.StatusUnauthorized
			}
			token, err := n.token(resource)
			if err != nil {
				t.Fatalf("variant %q, %s: %v", variant, resource, err)
			}
			if status, b := n.get(token, target); status != want {
				t.Errorf("variant %q, %s: %d, want %d: %.300s", variant, target, status, want, b)
			}
		}
	}
	for variant, code := range map[string]string{"wrong_secret": "AADSTS7000215", "wrong_certificate": "AADSTS700027"} {
		if _, err := start(t, sim.Options{Seed: 2, Variant: variant}).token(graph); err == nil || !strings.Contains(err.Error(), code) {
			t.Errorf("variant %q: %v", variant, err)
		}
	}
}

// page is a page of a list as the vendor's types have it.
type page[T any] interface {
	GetValue() []T
	GetOdataNextLink() *string
}

// all reads every page of a list with the vendor's types.
func all[T any, P page[T]](n *tenant, token, target string, create serialization.ParsableFactory) (rows []T) {
	n.t.Helper()
	for target != "" {
		status, b := n.get(token, target)
		if status != http.StatusOK {
			n.t.Fatalf("%s: %d %.300s", target, status, b)
		}
		p := parse[P](n.t, b, create)
		rows, target = append(rows, p.GetValue()...), ""
		if next := p.GetOdataNextLink(); next != nil {
			target = *next
		}
	}
	return rows
}

func parse[P any](t *testing.T, b []byte, create serialization.ParsableFactory) P {
	t.Helper()
	node, err := kiota.NewJsonParseNodeFactory().GetRootParseNode("application/json", b)
	if err != nil {
		t.Fatal(err)
	}
	v, err := node.GetObjectValue(create)
	if err != nil {
		t.Fatalf("%v: %.300s", err, b)
	}
	return v.(P)
}

// str is what a pointer points to, or nothing.
func str[T any](v *T) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(*v)
}

// same compares what the vendor's types read with what the fake published of a stream.
func (n *tenant) same(stream string, got map[string]bool) {
	n.t.Helper()
	want := map[string]bool{}
	n.Published(stream, func(key string) bool { want[key] = true; return true })
	if !maps.Equal(got, want) || len(want) == 0 {
		n.t.Errorf("%s: %d read, %d published", stream, len(got), len(want))
	}
}

func TestMicrosoftsTypesReadTheDirectory(t *testing.T) {
	n := start(t, sim.Options{Seed: 2, Users: 60})
	token, err := n.token(graph)
	if err != nil {
		t.Fatal(err)
	}
	users, groups := map[string]bool{}, map[string]bool{}
	suspended, guests := 0, 0
	for _, u := range all[models.Userable, models.UserCollectionResponseable](n, token, "/v1.0/users?$top=7&$select=id,userPrincipalName,"+
		"displayName,accountEnabled,userType,createdDateTime,signInSessionsValidFromDateTime",
		models.CreateUserCollectionResponseFromDiscriminatorValue) {
		users[str(u.GetId())] = true
		if str(u.GetUserPrincipalName()) == "" || u.GetCreatedDateTime() == nil || u.GetSignInSessionsValidFromDateTime() == nil {
			t.Errorf("user %s has no name or no times", str(u.GetId()))
		}
		if enabled := u.GetAccountEnabled(); enabled == nil || !*enabled {
			suspended++
		}
		if str(u.GetUserType()) == "Guest" {
			guests++
		}
	}
	if n.same("users", users); suspended == 0 || guests == 0 || suspended == len(users) {
		t.Errorf("%d suspended and %d guests of %d", suspended, guests, len(users))
	}
	nested := 0
	for _, g := range all[models.Groupable, models.GroupCollectionResponseable](n, token, "/v1.0/groups?$top=2",
		models.CreateGroupCollectionResponseFromDiscriminatorValue) {
		groups[str(g.GetId())] = true
		for _, m := range all[models.DirectoryObjectable, models.DirectoryObjectCollectionResponseable](n, token,
			"/v1.0/groups/"+str(g.GetId())+"/members?$top=5", models.CreateDirectoryObjectCollectionResponseFromDiscriminatorValue) {
			switch m := m.(type) {
			case models.Groupable:
				nested++
			case models.Userable:
				if !users[str(m.GetId())] {
					t.Errorf("member %s is no user", str(m.GetId()))
				}
			default:
				t.Errorf("member %s is a %T", str(m.GetId()), m)
			}
		}
	}
	if n.same("groups", groups); nested == 0 {
		t.Error("no group is in a group")
	}
}

func TestMicrosoftsTypesReadWhoMayDoWhat(t *testing.T) {
	n := start(t, sim.Options{Seed: 2, Users: 60})
	token, err := n.token(graph)
	if err != nil {
		t.Fatal(err)
	}
	roles := map[string]string{}
	for _, r := range all[models.UnifiedRoleDefinitionable, models.UnifiedRoleDefinitionCollectionResponseable](n, token,
		"/v1.0/roleManagement/directory/roleDefinitions", models.CreateUnifiedRoleDefinitionCollectionResponseFromDiscriminatorValue) {
		roles[str(r.GetId())] = str(r.GetDisplayName())
	}
	for _, a := range all[models.UnifiedRoleAssignmentable, models.UnifiedRoleAssignmentCollectionResponseable](n, token,
		"/v1.0/roleManagement/directory/roleAssignments?$expand=principal",
		models.CreateUnifiedRoleAssignmentCollectionResponseFromDiscriminatorValue) {
		if roles[str(a.GetRoleDefinitionId())] == "" || a.GetPrincipal() == nil || str(a.GetPrincipal().GetId()) != str(a.GetPrincipalId()) {
			t.Errorf("assignment %s", str(a.GetId()))
		}
	}
	apps, grants := map[string]models.ServicePrincipalable{}, 0
	for _, a := range all[models.ServicePrincipalable, models.ServicePrincipalCollectionResponseable](n, token,
		"/v1.0/servicePrincipals?$top=3",
		models.CreateServicePrincipalCollectionResponseFromDiscriminatorValue) {
		apps[str(a.GetId())] = a
	}
	for _, g := range all[models.OAuth2PermissionGrantable, models.OAuth2PermissionGrantCollectionResponseable](n, token,
		"/v1.0/oauth2PermissionGrants?$top=5", models.CreateOAuth2PermissionGrantCollectionResponseFromDiscriminatorValue) {
		grants++
		if apps[str(g.GetClientId())] == nil || apps[str(g.GetResourceId())] == nil || str(g.GetScope()) == "" ||
			(str(g.GetConsentType()) == "Principal") != (str(g.GetPrincipalId()) != "") {
			t.Errorf("grant %s", str(g.GetId()))
		}
	}
	assigned := 0
	for id, resource := range apps {
		for _, a := range all[models.AppRoleAssignmentable, models.AppRoleAssignmentCollectionResponseable](n, token,
			"/v1.0/servicePrincipals/"+id+"/appRoleAssignedTo", models.CreateAppRoleAssignmentCollectionResponseFromDiscriminatorValue) {
			assigned++
			offered := slices.ContainsFunc(resource.GetAppRoles(), func(r models.AppRoleable) bool { return *r.GetId() == *a.GetAppRoleId() })
			if apps[a.GetPrincipalId().String()] == nil || a.GetResourceId().String() != id || !offered {
				t.Errorf("assignment %s", str(a.GetId()))
			}
		}
	}
	if grants < 10 || assigned < 10 {
		t.Errorf("%d grants, %d assignments", grants, assigned)
	}
}

func TestMicrosoftsTypesReadDrivesAndShares(t *testing.T) {
	n := start(t, sim.Options{Seed: 2, Users: 16, Files: 200, Limits: -1})
	token, err := n.token(graph)
	if err != nil {
		t.Fatal(err)
	}
	files, links := map[string]bool{}, map[string]int{}
	for _, s := range all[models.Siteable, models.SiteCollectionResponseable](n, token, "/v1.0/sites/getAllSites?$top=4",
		models.CreateSiteCollectionResponseFromDiscriminatorValue) {
		for _, d := range all[models.Driveable, models.DriveCollectionResponseable](n, token, "/v1.0/sites/"+str(s.GetId())+"/drives",
			models.CreateDriveCollectionResponseFromDiscriminatorValue) {
			at := "/v1.0/drives/" + str(d.GetId())
			for _, it := range all[models.DriveItemable, models.DriveItemCollectionResponseable](n, token, at+"/root/delta?$top=9",
				models.CreateDriveItemCollectionResponseFromDiscriminatorValue) {
				if it.GetRoot() == nil {
					files[str(it.GetId())] = true
				}
				if f := it.GetFile(); f != nil && (f.GetHashes() == nil || str(f.GetHashes().GetQuickXorHash()) == "" || it.GetSize() == nil) {
					t.Errorf("file %s has no hash or size", str(it.GetId()))
				}
				n.shares(token, at+"/items/"+str(it.GetId()), it, links)
			}
		}
	}
	n.same("files", files)
	if links["anonymous"] == 0 || links["organization"] == 0 || links["users"] == 0 || links["direct"] == 0 || links["inherited"] == 0 {
		t.Error(links)
	}
}

// shares counts the permissions of an item by what they are, and checks that its facet says the same.
func (n *tenant) shares(token, at string, it models.DriveItemable, links map[string]int) {
	n.t.Helper()
	rank := map[string]int{"": 0, "users": 1, "organization": 2, "anonymous": 3}
	widest := ""
	for _, p := range all[models.Permissionable, models.PermissionCollectionResponseable](n, token, at+"/permissions",
		models.CreatePermissionCollectionResponseFromDiscriminatorValue) {
		scope := ""
		switch link := p.GetLink(); {
		case link != nil:
			scope = str(link.GetScope())
			links[scope]++
		case p.GetGrantedToV2() == nil || len(p.GetRoles()) != 1:
			n.t.Errorf("permission %s of %s is nobody's", str(p.GetId()), at)
		case p.GetGrantedToV2().GetSiteGroup() == nil && p.GetRoles()[0] != "owner":
			scope = "users"
			links["direct"]++
		}
		if p.GetInheritedFrom() != nil {
			links["inherited"]++
		}
		if rank[scope] > rank[widest] {
			widest = scope
		}
	}
	facet := ""
	if it.GetShared() != nil {
		facet = str(it.GetShared().GetScope())
	}
	if facet != widest {
		n.t.Errorf("%s is shared with %q and says %q", at, widest, facet)
	}
}

func TestMicrosoftsTypesReadLogsAndErrors(t *testing.T) {
	n := start(t, sim.Options{Seed: 2, Events: 600, Limits: -1})
	token, err := n.token(graph)
	if err != nil {
		t.Fatal(err)
	}
	signs, audits := map[string]bool{}, map[string]bool{}
	for _, s := range all[models.SignInable, models.SignInCollectionResponseable](n, token, "/v1.0/auditLogs/signIns?$top=40",
		models.CreateSignInCollectionResponseFromDiscriminatorValue) {
		signs[str(s.GetId())] = true
		if s.GetCreatedDateTime() == nil || s.GetStatus() == nil || s.GetStatus().GetErrorCode() == nil || s.GetRiskState() == nil ||
			s.GetConditionalAccessStatus() == nil || str(s.GetLocation().GetCity()) == "" {
			t.Errorf("sign-in %s", str(s.GetId()))
		}
	}
	n.same("sign_ins", signs)
	for _, a := range all[models.DirectoryAuditable, models.DirectoryAuditCollectionResponseable](n, token,
		"/v1.0/auditLogs/directoryAudits?$top=20",
		models.CreateDirectoryAuditCollectionResponseFromDiscriminatorValue) {
		audits[str(a.GetId())] = true
		if by := a.GetInitiatedBy(); by == nil || (by.GetUser() == nil) == (by.GetApp() == nil) || len(a.GetTargetResources()) == 0 {
			t.Errorf("audit %s", str(a.GetId()))
		}
	}
	n.same("directory_audits", audits)
	for target, code := range map[string]string{"/v1.0/users/none": "Request_ResourceNotFound", "/v1.0/drives/none": "itemNotFound",
		"/v1.0/users?$top=5000": "Request_UnsupportedQuery"} {
		_, b := n.get(token, target)
		e := parse[odataerrors.ODataErrorable](t, b, odataerrors.CreateODataErrorFromDiscriminatorValue).GetErrorEscaped()
		if e == nil || str(e.GetCode()) != code || e.GetInnerError() == nil || str(e.GetInnerError().GetRequestId()) == "" ||
			e.GetInnerError().GetDate() == nil {
			t.Errorf("%s: %s", target, b)
		}
	}
}
