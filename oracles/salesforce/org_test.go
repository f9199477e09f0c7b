package salesforce

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/oracles/procs"
	"github.com/longshore-dev/longshore/receivers/salesforce"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// org is a running fake.
type org struct {
	*sim.Sim
	t    *testing.T
	base string
}

func start(t *testing.T, o sim.Options) org {
	t.Helper()
	s, err := salesforce.Provider.Sim(o)
	if err != nil {
		t.Fatal(err)
	}
	base, stop, err := sim.Serve("127.0.0.1:0", s, "", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return org{s, t, base}
}

// auth is the credential that the org gives.
func (o org) auth() map[string]any { return o.Config(o.base)["auth"].(map[string]any) }

// keys are what a stream must deliver.
func (o org) keys(stream string) (out []string) {
	o.Published(stream, func(key string) bool { out = append(out, key); return true })
	slices.Sort(out)
	return out
}

func TestAForeignClientReadsAndGovernsTheSameOrg(t *testing.T) {
	python := filepath.Join(procs.Python(t, filepath.Join("simple", "requirements.txt")), "python")
	o := start(t, sim.Options{Seed: 5, Users: 2200, Events: 9000, Files: 60, Late: 0.1, MaxLag: 10 * time.Minute,
		Start: time.Now().Add(-30 * time.Hour), Span: 24 * time.Hour})
	given := o.auth()
	given["base"] = o.base
	text, err := json.Marshal(given)
	if err != nil {
		t.Fatal(err)
	}
	streams := []string{"users", "groups", "permission_sets", "permission_set_assignments", "login_history", "setup_audit_trail",
		"login_event", "event_log_files", "files", "trash"}
	want := map[string][]string{}
	for _, stream := range streams {
		want[stream] = o.keys(stream)
	}
	c := exec.CommandContext(t.Context(), python, filepath.Join("simple", "read.py"))
	var out, wrong bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(text), &out, &wrong
	if err := c.Run(); err != nil {
		t.Fatalf("%v\n%s", err, wrong.String())
	}
	var got map[string][]string
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for _, stream := range streams {
		if slices.Sort(got[stream]); len(want[stream]) == 0 || !slices.Equal(got[stream], want[stream]) {
			t.Errorf("%s: %d read, %d published", stream, len(got[stream]), len(want[stream]))
		}
	}
	if len(got["governed"]) != 1 || len(got["usage"]) != 1 || got["usage"][0] == "" {
		t.Errorf("governed %v, usage %v", got["governed"], got["usage"])
	}
}

// session is the token of a client of the org.
func (o org) session() string {
	o.t.Helper()
	auth := o.auth()
	r, err := http.PostForm(o.base+"/services/oauth2/token", url.Values{"grant_type": {"client_credentials"},
		"client_id": {auth["client_id"].(string)}, "client_secret": {auth["client_secret"].(string)}})
	if err != nil {
		o.t.Fatal(err)
	}
	defer r.Body.Close()
	var token struct {
		Value string `json:"access_token"`
	}
	if err := json.NewDecoder(r.Body).Decode(&token); err != nil || token.Value == "" {
		o.t.Fatalf("sign in: %d %v", r.StatusCode, err)
	}
	return token.Value
}

// get decodes what the org answers.
func (o org) get(session, path string, into any) {
	o.t.Helper()
	req, err := http.NewRequestWithContext(o.t.Context(), http.MethodGet, o.base+path, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+session)
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		o.t.Fatal(err)
	}
	defer r.Body.Close()
	if err := json.NewDecoder(r.Body).Decode(into); err != nil || r.StatusCode != http.StatusOK {
		o.t.Fatalf("GET %s: %d %v", path, r.StatusCode, err)
	}
}
