package analysts

import (
	"database/sql"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/longshore-dev/longshore/oracles/procs"
)

func TestMain(m *testing.M) { procs.Main(m) }

// policies are the company's. Kim's and Lee's contracts have ended; Lee's was made longer, which a person knows.
var policies = []procs.M{
	{"name": "contract ended", "kind": "account", "mode": "enforce", "actions": []string{"suspend_user"},
		"when": `entity.type == "user" && has(saas.entity) && has(saas.entity.employee_type) && saas.entity.employee_type == "contract ended" &&
			saas.entity.status == "active"`},
	{"name": "sign-in from where an attack came from", "kind": "activity", "severity": 2, "mode": "enforce",
		"actions": []string{"revoke_sessions"},
		"when":    `event.action == "app.oauth2.consent.grant" && has(source.ip) && source.ip == "203.0.113.99"`},
	{"name": "card numbers behind a public link", "kind": "file", "severity": 3, "actions": []string{"remove_public_link"},
		"when": `has(saas.share) && saas.share.visibility == "public" && has(finding.types) && finding.types.exists(t, t.startsWith("pci."))`},
}

// tell lets the collector read the story into SQLite and into other exporters, and takes back what it did to Lee.
func tell(t *testing.T, w *world, exporters procs.M) (db string) {
	t.Helper()
	okta, box := w.serve(t)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	db = filepath.Join(dir, "longshore.db")
	socket := filepath.Join(dir, "c.sock")
	exporters["sqlite"] = procs.M{"path": db}
	common := procs.M{"storage": "file_storage", "quota_share": 1, "start_at": "80d"}
	with := func(m procs.M) procs.M {
		for k, v := range common {
			m[k] = v
		}
		return m
	}
	p := procs.Pipeline{Dir: dir, Order: []string{"dlp", "governance"}, Exporters: exporters,
		Processors: procs.M{"dlp": procs.M{}, "governance": procs.M{"storage": "file_storage", "policies": policies}},
		Receivers: procs.M{
			"okta/contoso": with(procs.M{"endpoint": okta, "auth": procs.M{"type": "token", "token": "story"}}),
			"box/contoso": with(procs.M{"endpoint": box + "/2.0", "auth": procs.M{"type": "ccg", "client_id": "story", "client_secret": "story",
				"enterprise_id": "777"}})},
		Extensions: procs.M{"control": procs.M{"socket": socket}}}
	c := p.Start(t)
	await := func(what, where string, n int) {
		t.Helper()
		procs.Until(t, what, time.Minute, func() bool {
			if c.Ended() {
				t.Fatalf("the collector ended:\n%s", c.Said())
			}
			return count(db, where) >= n
		})
	}
	await("three actions to be done", `action IN ('suspend_user', 'revoke_sessions') AND outcome = 'success'`, 3)
	for _, a := range actions(t, socket) {
		if lee := w.named("lee.lopez"); a.Target == lee.okta {
			command(t, "undo", a.ID, "--socket", socket)
		}
	}
	await("Lee to be back", `doc ->> '$.saas.action.mode' = 'undo' AND outcome = 'success'`, 1)
	await("the plan for the public link", `action = 'remove_public_link'`, 1)
	await("verdicts on all files", `action = 'content_scan'`, 14)
	await("the refusal about Pete", `action = 'suspend_user' AND outcome = 'failure'`, 1)
	await("all of Okta's log", `dataset = 'okta.system'`, len(w.log))
	await("all of Box's events", `dataset LIKE 'box_events.%'`, len(w.events))
	await("all accounts and files", `dataset IN ('okta.inventory', 'box.inventory')`, len(w.people)+len(w.groups)+len(w.apps)+len(w.files))
	last, since := -1, time.Now()
	procs.Until(t, "no more records", time.Minute, func() bool {
		if n := count(db, "true"); n != last {
			last, since = n, time.Now()
		}
		return time.Since(since) > 2*time.Second
	})
	c.Stop()
	want := []string{"DELETE /api/v1/users/" + w.named("bob.baker").okta + "/sessions",
		"POST /api/v1/users/" + w.named("kim.kang").okta + "/lifecycle/suspend",
		"POST /api/v1/users/" + w.named("lee.lopez").okta + "/lifecycle/suspend",
		"POST /api/v1/users/" + w.named("lee.lopez").okta + "/lifecycle/unsuspend"}
	got := w.changes()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Fatalf("the company was changed by %q, want %q", got, want)
	}
	return db
}

type done struct{ ID, Target string }

func actions(t *testing.T, socket string) []done {
	t.Helper()
	var list struct{ Actions []done }
	text := command(t, "list", "--state", "ended", "--json", "--socket", socket)
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatalf("list actions: %v: %s", err, text)
	}
	return list.Actions
}

// command runs `longshore actions`.
func command(t *testing.T, args ...string) []byte {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), procs.Binary(t), append([]string{"actions"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("actions %v: %v: %s", args, err, text)
	}
	return text
}

func count(path, where string) (n int) {
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err == nil {
		defer db.Close()
		_ = db.QueryRow("SELECT count(*) FROM documents WHERE " + where).Scan(&n)
	}
	return n
}
