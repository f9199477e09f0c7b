package office365

import (
	"cmp"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simLogin is what the app signs in with.
type simLogin struct{ client, secret, key, cert string }

// simRights are the application permissions of the app, by the API that they are of.
var simRights = map[string][]string{
	simManage: {"ActivityFeed.Read", "ActivityFeed.ReadDlp"},
	simGraph: {"User.Read.All", "Group.Read.All", "GroupMember.Read.All", "RoleManagement.Read.Directory", "AuditLog.Read.All",
		"Directory.Read.All", "Files.Read.All", "Sites.Read.All", "Files.ReadWrite.All", "User.EnableDisableAccount.All",
		"User-PasswordProfile.ReadWrite.All", "User.RevokeSessions.All", "DelegatedPermissionGrant.ReadWrite.All", "Application.Read.All",
		"AppRoleAssignment.ReadWrite.All", "Application.ReadWrite.All", "SensitivityLabels.Read.All", "IdentityRiskyUser.ReadWrite.All",
		"AuditLogsQuery.Read.All"},
	simSharePoint: {"Sites.FullControl.All"},
}

// credentials makes the app known to the issuer.
func (s *simOrg) credentials() error {
	s.issuer = &sim.Issuer{Seed: s.o.Seed, Now: s.o.Now, TTL: 3599 * time.Second, Ahead: 10 * time.Minute, Owner: s.ownerOf, Text: s.text,
		Say:      func(w http.ResponseWriter, a sim.Access, no *sim.Refusal) { s.say(w, a, no) },
		Audience: func(r *http.Request) string { return s.o.BaseOf(r) + r.URL.Path }}
	s.login = simLogin{client: s.uuid(30, 1), secret: "sim8Q~" + string(sim.NewRand(s.o.Seed, 30, 2).Name(nil, 34))}
	app := sim.Client{ID: s.login.client, Scopes: []string{".default"}}
	switch s.o.Variant {
	case "", "few_rights", "no_premium", "audit_off", "wrong_certificate":
		sum, key, err := s.certificate()
		if err != nil {
			return err
		}
		if s.o.Variant == "wrong_certificate" {
			sum[0]++
		}
		app.Keys = map[string]crypto.PublicKey{base64.RawURLEncoding.EncodeToString(sum[:]): key,
			base64.StdEncoding.EncodeToString(sum[:]): key} // as Microsoft's own library writes it
	case "secret", "wrong_secret":
		if app.Secret = s.login.secret; s.o.Variant == "wrong_secret" {
			app.Secret += "!"
		}
	default:
		return fmt.Errorf("variant %q, want secret, few_rights, no_premium, audit_off, wrong_certificate or wrong_secret", s.o.Variant)
	}
	s.issuer.Register(app)
	return nil
}

// certificate makes the app's certificate and gives its thumbprint, which x5t#S256 of an assertion names.
func (s *simOrg) certificate() (thumb [sha256.Size]byte, _ crypto.PublicKey, err error) {
	key, err := sim.RSAKey()
	if err != nil {
		return thumb, nil, fmt.Errorf("make the key of the fake: %w", err)
	}
	about := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "longshore"}, NotBefore: s.o.Start.Add(-simMonth),
		NotAfter: s.o.Start.Add(24 * simMonth)}
	der, err := x509.CreateCertificate(rand.Reader, &about, &about, key.Public(), key)
	if err != nil {
		return thumb, nil, fmt.Errorf("make the certificate of the fake: %w", err)
	}
	s.login.cert = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	s.login.key, err = sim.KeyPEM(key, "")
	return sha256.Sum256(der), key.Public(), err
}

// config is Sim.Config.
func (s *simOrg) config(base string) map[string]any {
	auth := simObj{"type": "certificate", "tenant_id": s.id, "client_id": s.login.client, "certificate": s.login.cert,
		"private_key": s.login.key}
	if s.login.key == "" {
		auth = simObj{"type": "secret", "tenant_id": s.id, "client_id": s.login.client, "client_secret": s.login.secret}
	}
	cfg := simObj{"endpoint": base, "auth": auth}
	if s.o.Limits >= 5 { // as large a tenant as any
		cfg["licenses"] = 50_000
	}
	return cfg
}

// simResources are the APIs by what clients ask tokens for: of all clouds.
var simResources = map[string]string{
	"graph.microsoft.com": simGraph, "graph.microsoft.us": simGraph, "dod-graph.microsoft.us": simGraph,
	"microsoftgraph.chinacloudapi.cn": simGraph, "manage.office.com": simManage, "manage-gcc.office.com": simManage,
	"manage.office365.us": simManage, "manage.protection.apps.mil": simManage,
}

// ownerOf is sim.Issuer's Owner: which API the token is for, and whether it was given for a secret.
func (s *simOrg) ownerOf(form url.Values, j *sim.Signed) (string, *sim.Refusal) {
	scopes := slices.DeleteFunc(strings.Fields(form.Get("scope")), func(scope string) bool { // Microsoft's own library always adds them
		return slices.Contains([]string{"openid", "profile", "offline_access"}, scope)
	})
	resource, ok := strings.CutSuffix(strings.Join(scopes, " "), "/.default")
	host := strings.TrimSuffix(strings.TrimPrefix(resource, "https://"), "/")
	api := simResources[host]
	if api == "" && (host == s.domain+".sharepoint.com" || host == s.domain+"-my.sharepoint.com" || host == s.domain+"-admin.sharepoint.com") {
		api = simSharePoint
	}
	switch {
	case j != nil || form.Get("client_id") != s.login.client:
		return "", &sim.Refusal{Status: http.StatusBadRequest, Code: "unauthorized_client"}
	case !ok:
		return "", &sim.Refusal{Status: http.StatusBadRequest, Code: "invalid_scope"}
	case api == "":
		return "", &sim.Refusal{Status: http.StatusBadRequest, Code: "invalid_resource", Reason: resource}
	case form.Get("client_assertion") == "":
		api += " by secret"
	}
	return api, nil
}

// may says whether the app has one of the permissions.
func (s *simOrg) may(by sim.Access, rights string) bool {
	held := s.held(strings.TrimSuffix(by.Owner, " by secret"))
	return slices.ContainsFunc(strings.Split(rights, " "), func(right string) bool { return slices.Contains(held, right) })
}

// held are the permissions that a token for the API tells of.
func (s *simOrg) held(api string) []string {
	if s.o.Variant != "few_rights" {
		return simRights[api]
	}
	return slices.DeleteFunc(slices.Clone(simRights[api]), func(right string) bool {
		return right == "ActivityFeed.ReadDlp" || strings.HasPrefix(right, "Directory.") || strings.Contains(right, "Write") ||
			strings.Contains(right, "Enable") || strings.Contains(right, "Revoke") || strings.Contains(right, "FullControl")
	})
}

// text is sim.Issuer's Text: a JWT, as Entra ID's tokens are.
// https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
func (s *simOrg) text(a sim.Access, random string) string {
	api := strings.TrimSuffix(a.Owner, " by secret")
	aud := map[string]string{simGraph: "https://graph.microsoft.com", simManage: "https://manage.office.com",
		simSharePoint: "https://" + s.domain + ".sharepoint.com"}[api]
	claims, _ := json.Marshal(simObj{"aud": aud, "iss": "https://sts.windows.net/" + s.id + "/", "tid": s.id, "appid": a.Client,
		"idtyp":    "app",
		"appidacr": map[bool]string{true: "1", false: "2"}[api != a.Owner], "exp": a.Expires.Unix(), "nbf": a.Expires.Add(-time.Hour).Unix(),
		"roles": s.held(api), "ver": "1.0"}) // strings and numbers
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"typ":"JWT","alg":"RS256"}`)) + "." + encode(claims) + "." + random
}

// token is the token endpoint, of which each tenant has one.
func (s *simOrg) token(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("tenant") != s.id {
		s.refuse(w, sim.Refusal{Status: http.StatusBadRequest, Code: "invalid_request", Claim: "tenant", Reason: r.PathValue("tenant")})
		return
	}
	s.issuer.ServeHTTP(w, r)
}

// discovery tells where the tenant's endpoints are. https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc
func (s *simOrg) discovery(w http.ResponseWriter, r *http.Request) {
	at := s.o.BaseOf(r) + "/" + r.PathValue("tenant")
	sim.WriteJSON(w, http.StatusOK, simObj{"token_endpoint": at + "/oauth2/v2.0/token", "issuer": at + "/v2.0",
		"authorization_endpoint": at + "/oauth2/v2.0/authorize", "token_endpoint_auth_methods_supported": []string{"client_secret_post",
			"private_key_jwt"}})
}

// say is sim.Issuer's Say.
func (s *simOrg) say(w http.ResponseWriter, a sim.Access, no *sim.Refusal) {
	if no != nil {
		s.refuse(w, *no)
		return
	}
	sim.WriteJSON(w, http.StatusOK, simObj{"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": a.Token})
}

// refuse answers that there is no token. https://learn.microsoft.com/entra/identity-platform/reference-error-codes
func (s *simOrg) refuse(w http.ResponseWriter, no sim.Refusal) {
	code, why := map[string]int{"tenant": 90002, "kid": 700027, "signature": 700027, "exp": 700024, "aud": 700023, "jti": 700027,
		"iss": 700021}[no.Claim], no.Reason
	if code == 0 {
		code = map[string]int{"invalid_client": 7000215, "unauthorized_client": 700016, "invalid_scope": 1002012, "invalid_resource": 500011,
			"unsupported_grant_type": 70003, "temporarily_unavailable": 90033}[no.Code]
	}
	switch code {
	case 90002:
		why = "Tenant '" + no.Reason + "' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
	case 7000215:
		why = "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret " +
			"ID, for a secret added to app '" + s.login.client + "'."
	case 700016:
		why = "Application with identifier was not found in the directory '" + s.domain + "'."
	case 500011:
		why = "The resource principal named " + no.Reason + " was not found in the tenant named " + s.domain + "."
	case 1002012:
		why = "The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the " +
			"resource identifier (application ID URI)."
	}
	trace, now := s.uuid(13, uint64(s.o.Now().UnixNano())), s.o.Now().UTC().Format("2006-01-02 15:04:05Z")
	sim.WriteJSON(w, cmp.Or(no.Status, http.StatusBadRequest), simObj{"error": no.Code, "error_codes": []int{code}, "timestamp": now,
		"trace_id": trace, "correlation_id": trace, "error_uri": "https://login.microsoftonline.com/error?code=" + strconv.Itoa(code),
		"error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", code, why, trace, trace, now)})
}
