package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/store"
)

// bulk stands in for Elasticsearch: it takes what is written with _bulk and counts it.
type bulk struct {
	mu   sync.Mutex
	held tally
	ids  map[string]bool
	key  string // of the last request
}

func newBulk(t *testing.T, tenants ...rehearsed) (*bulk, string) {
	b := &bulk{held: newTally(tenants), ids: map[string]bool{}}
	srv := httptest.NewServer(b)
	t.Cleanup(srv.Close)
	return b, srv.URL
}

// ServeHTTP is http.Handler's.
func (b *bulk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	if r.URL.Path != "/_bulk" {
		_, _ = io.WriteString(w, `{"version":{"number":"8.19.0"}}`)
		return
	}
	b.key = r.Header.Get("Authorization")
	body, err := io.ReadAll(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(body)); err == nil {
			body, err = io.ReadAll(z)
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var items []string
	lines := bufio.NewScanner(bytes.NewReader(body))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		op := lines.Text()
		lines.Scan()
		verb := "create"
		if strings.Contains(op, `"index":`) { // the current state of an entity
			verb = "index"
		} else if !b.ids[op] {
			b.ids[op] = true
			if err := b.held.add(lines.Bytes()); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
		}
		items = append(items, fmt.Sprintf(`{%q:{"status":201}}`, verb))
	}
	fmt.Fprintf(w, `{"errors":false,"items":[%s]}`, strings.Join(items, ","))
}

func (b *bulk) lacks(tn rehearsed, s *sim.Sim, streams ...string) string {
	want := all(s, streams...)()
	b.mu.Lock()
	defer b.mu.Unlock()
	for stream, d := range want {
		if got := b.held.of(tn).streams[stream]; got != d {
			return fmt.Sprintf("%s of %s: %d of %d records", stream, tn.id(), got.n, d.n)
		}
	}
	return ""
}

// selfSigned makes a certificate for this machine that is its own authority, for servers and clients.
func selfSigned(t *testing.T) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	text := func(typ string, b []byte) string { return string(pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: b})) }
	return file(t, "self.crt", text("CERTIFICATE", der)), file(t, "self.key", text("PRIVATE KEY", pkcs8))
}

// freePort gives an address of this machine where nobody listens.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// startExample runs an example with what a test must have elsewhere.
func startExample(t *testing.T, name string, other obj) *started {
	t.Helper()
	b, err := yaml.Marshal(other)
	if err != nil {
		t.Fatal(err)
	}
	return start(t, "--config", "../../examples/"+name, "--config", file(t, "elsewhere.yaml", string(b)))
}

// appKey is what an example's receiver needs to sign in to a fake: the key in a file.
func appKey(t *testing.T, s *sim.Sim, base string) obj {
	t.Helper()
	auth := s.Config(base)["auth"].(obj)
	key := file(t, "okta.pem", auth["private_key"].(string))
	return obj{"endpoint": base, "auth": obj{"client_id": auth["client_id"], "key_id": auth["key_id"], "private_key_file": key}}
}

func oktaApp(t *testing.T) application {
	t.Helper()
	a, err := (&program{set: settings()}).application("okta")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func quietly(dir string) obj {
	return obj{"telemetry": obj{"metrics": obj{"level": "none"}, "logs": obj{"output_paths": []string{filepath.Join(dir, "agent.log")}}}}
}

// TestExampleSidecarSendsThroughTheExampleGateway: what both read arrives in Elasticsearch.
func TestExampleSidecarSendsThroughTheExampleGateway(t *testing.T) {
	acme, acmeAt := fake(t, "okta", sim.Options{Events: 300, Limits: 20, Variant: "token"})
	hq, hqAt := fake(t, "okta", sim.Options{Seed: 2, Events: 300, Limits: 20})
	app := oktaApp(t)
	far, near := rehearsed{app: app, name: "acme"}, rehearsed{app: app, name: "hq"}
	es, esAt := newBulk(t, far, near)
	cert, key := selfSigned(t)
	at := freePort(t)

	t.Setenv("ES_API_KEY", "the-key")
	dir := t.TempDir()
	gateway := startExample(t, "gateway.yaml", obj{
		"extensions": obj{"file_storage": obj{"directory": filepath.Join(dir, "state")}, "health_check": obj{"endpoint": "localhost:0"}},
		"receivers": obj{"okta/hq": appKey(t, hq, hqAt),
			"otlp": obj{"protocols": obj{"http": obj{"endpoint": at, "tls": obj{"cert_file": cert, "key_file": key, "client_ca_file": cert}}}}},
		"exporters": obj{"elasticsearch": obj{"endpoints": []string{esAt}, "install_templates": false}},
		"service":   quietly(dir),
	})
	t.Setenv("OKTA_TOKEN", acme.Config("")["auth"].(obj)["token"].(string))
	dir = shortDir(t)
	sidecar := startExample(t, "sidecar.yaml", obj{
		"extensions": obj{"file_storage": obj{"directory": filepath.Join(dir, "state")}, "health_check": obj{"endpoint": "localhost:0"},
			"control": obj{"socket": filepath.Join(dir, "control.sock")}},
		"receivers": obj{"okta/acme": obj{"endpoint": acmeAt}},
		"exporters": obj{"otlp_http": obj{"endpoint": "https://" + at, "tls": obj{"ca_file": cert, "cert_file": cert, "key_file": key}}},
		"service":   quietly(dir),
	})
	wait(t, func() string {
		if lack := es.lacks(near, hq); lack != "" {
			return lack
		}
		return es.lacks(far, acme, "system_log", "users", "groups", "user_grants")
	})
	if code := sidecar.end(t, 10*time.Second); code != exitOK {
		t.Errorf("the sidecar ended with %d:\n%s", code, sidecar.errs)
	}
	if code := gateway.end(t, 10*time.Second); code != exitOK {
		t.Errorf("the gateway ended with %d:\n%s", code, gateway.errs)
	}
	es.mu.Lock()
	defer es.mu.Unlock()
	if es.key != "ApiKey the-key" {
		t.Errorf("Elasticsearch was asked with %q", es.key)
	}
	for dt, n := range acme.Planted {
		if got := es.held.of(far).findings[dt]; got != n {
			t.Errorf("%s: %d findings of %d planted", dt, got, n)
		}
	}
}

func TestExampleOfTwoTenantsStoresBoth(t *testing.T) {
	east, eastAt := fake(t, "okta", sim.Options{Events: 300, Limits: 20})
	west, westAt := fake(t, "okta", sim.Options{Seed: 2, Events: 300, Limits: 20, Variant: "token"})
	t.Setenv("OKTA_WEST_TOKEN", west.Config("")["auth"].(obj)["token"].(string))
	dir := shortDir(t)
	db := filepath.Join(dir, "longshore.db")
	agent := startExample(t, "two-okta-tenants.yaml", obj{
		"extensions": obj{"file_storage": obj{"directory": filepath.Join(dir, "state")},
			"control": obj{"socket": filepath.Join(dir, "control.sock")}},
		"receivers": obj{"okta/east": appKey(t, east, eastAt), "okta/west": obj{"endpoint": westAt}},
		"exporters": obj{"sqlite": obj{"path": db}},
		"service":   quietly(dir),
	})
	holds(t, db, "okta/east", all(east))
	holds(t, db, "okta/west", all(west))
	if code := agent.end(t, 10*time.Second); code != exitOK {
		t.Errorf("exit code %d:\n%s", code, agent.errs)
	}
}

// TestExampleBoxFilesJudgesEveryFile: every file of the enterprise has a verdict.
func TestExampleBoxFilesJudgesEveryFile(t *testing.T) {
	from, at := fake(t, "box", sim.Options{Seed: 2, Events: 50, Users: 26, Files: 250, Limits: 50})
	auth := from.Config(at)["auth"].(obj)
	t.Setenv("BOX_SECRET", auth["client_secret"].(string))
	t.Setenv("DLP_KEY", "sixteen characters")
	dir := shortDir(t)
	db := filepath.Join(dir, "longshore.db")
	agent := startExample(t, "box-files.yaml", obj{
		"extensions": obj{"file_storage": obj{"directory": filepath.Join(dir, "state")}, "control": obj{"socket": filepath.Join(dir, "c.sock")}},
		"receivers":  obj{"box/sales": polling(from, at, nil)},
		"exporters":  obj{"sqlite": obj{"path": db}},
		"service":    quietly(dir),
	})
	wait(t, func() string {
		r, err := store.OpenReader(t.Context(), db)
		if err != nil {
			return err.Error()
		}
		defer func() { _ = r.Close() }()
		judged := map[string]bool{}
		if _, err = since(t.Context(), r, 0, func(_ int64, text []byte) error {
			d, err := parse(text)
			if err == nil && d.Event.Action == contentScan {
				judged[d.SAAS.File.ID] = true
			}
			return err
		}); err != nil {
			return err.Error()
		}
		if want := from.Count(contentStream); len(judged) < want {
			return fmt.Sprintf("%d of %d files are judged", len(judged), want)
		}
		return ""
	})
	if code := agent.end(t, 10*time.Second); code != exitOK {
		t.Errorf("exit code %d:\n%s", code, agent.errs)
	}
}

// TestExampleAWSOrganizationStoresAccountsAndTheirObjects polls all that the file says, of a fake that has nothing else.
func TestExampleAWSOrganizationStoresAccountsAndTheirObjects(t *testing.T) {
	exampleStores(t, "aws-organization.yaml", map[string][]string{"aws/acme": {"accounts", "iam", "identity_users", "files"}})
}

func TestExampleOfficeSuitesStoresPeopleAndFilesOfAll(t *testing.T) {
	for _, key := range []string{"M365_CERTIFICATE", "M365_KEY", "GOOGLE_KEY", "SF_KEY"} {
		t.Setenv(key, "in its place") // the fake's
	}
	exampleStores(t, "office-suites.yaml", map[string][]string{
		"office365/contoso":       {"users", "group_members", "files"},
		"googleworkspace/contoso": {"users", "group_members", "files", "drive_files"},
		"salesforce/sales":        {"users", "files"},
	})
}

// exampleStores runs an example against fakes of its receivers, and wants what these streams published to be stored.
func exampleStores(t *testing.T, name string, streams map[string][]string) {
	t.Helper()
	t.Setenv("DLP_KEY", "sixteen characters")
	dir := shortDir(t)
	db, receivers, fakes := filepath.Join(dir, "longshore.db"), obj{}, map[string]*sim.Sim{}
	for id := range streams {
		app, _, _ := strings.Cut(id, "/")
		from, at := fake(t, app, sim.Options{Seed: 2, Events: 100, Users: 10, Files: 40, Limits: 50})
		receivers[id], fakes[id] = polling(from, at, nil), from
	}
	agent := startExample(t, name, obj{
		"extensions": obj{"file_storage": obj{"directory": filepath.Join(dir, "state")}, "control": obj{"socket": filepath.Join(dir, "c.sock")}},
		"receivers":  receivers,
		"exporters":  obj{"sqlite": obj{"path": db}},
		"service":    quietly(dir),
	})
	for id, from := range fakes {
		holds(t, db, id, all(from, streams[id]...))
	}
	if code := agent.end(t, 10*time.Second); code != exitOK {
		t.Errorf("exit code %d:\n%s", code, agent.errs)
	}
}

// TestREADMEShowsAConfigurationThatIsValid: the one between the fences.
func TestREADMEShowsAConfigurationThatIsValid(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	cfg, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("README.md has no configuration")
	}
	s, _ := fake(t, "okta", sim.Options{})
	key := file(t, "okta.pem", s.Config("")["auth"].(obj)["private_key"].(string))
	t.Setenv("ES_API_KEY", "x")
	t.Setenv("BOX_SECRET", "x")
	path := file(t, "readme.yaml", strings.Replace(cfg, "private_key_file: okta.pem", "private_key_file: "+key, 1))
	if code, _, errs := call(t, "", "validate", "--config", path); code != exitOK {
		t.Errorf("exit code %d: %s", code, errs)
	}
}
