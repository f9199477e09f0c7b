package governance

import (
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/event"
)

// publicCards is the policy of the tests below: card numbers that everybody can read.
func publicCards(more m) m {
	p := m{"name": "public cards", "kind": "file", "actions": []any{"remove_public_link", "quarantine_file"},
		"when": `saas.share.visibility == "public" && finding.types.exists(t, t.startsWith("pci."))`}
	for k, v := range more {
		p[k] = v
	}
	return p
}

// sheet is the state of a file: as a walk has it or, with scanned, its content, read at a time after the start of the test.
func sheet(read time.Duration, id, visibility string, scanned bool, more ...string) plog.Logs {
	at := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(read) // the start of a bubble
	b := event.NewBatch(event.Origin{Module: "tiny", Tenant: "acme", Dataset: "tiny.inventory", Version: "1.0", Observed: at})
	r := b.Add(nil, &event.Values{Raw: []byte(`{}`)})
	r.Time(at)
	r.Entity("file", id)
	r.ID("files//" + id + "@1:" + visibility)
	r.Str("saas.file.id", id)
	r.Str("file.name", "card.csv")
	r.Str("file.hash.sha1", "85136c79cbf9fe36bb9d05d0639c70c265c18d37")
	r.Str("saas.file.owner.id", "o1")
	r.Str("saas.file.owner.email", "ana@acme.example")
	r.Str("saas.share.visibility", visibility)
	for i := 0; i+1 < len(more); i += 2 {
		r.Str(more[i], more[i+1])
	}
	if scanned {
		r.ID("content/files/" + id + "@2:pack")
		r.Str("saas.finding.scan", "done")
		r.Strs("saas.finding.data_type", "pii.us_ssn", "pci.credit_card")
		r.Int("saas.finding.count", 7)
	}
	return b.Take()
}

// match is the finding in the content of a file, which repeats the file's exposure.
func match(id string) plog.Logs {
	return records("saas.finding", func(r *event.Record) {
		r.ID("match-" + id)
		r.Str("event.kind", "alert")
		r.Str("event.action", "content_match")
		r.Strs("saas.finding.data_type", "pci.credit_card")
		r.Str("saas.file.id", id)
		r.Str("saas.share.visibility", "public")
	})
}

var enforced = m{"mode": "enforce", "storage": "file_storage", "policies": policies(publicCards(nil))}

func TestPolicyOverFilesAsksOnceForOneState(t *testing.T) {
	inRig(t, enforced, func(r *rig) {
		r.give(sheet(0, "f1", "public", false)) // of a walk, before anybody read the content
		r.changed()
		r.give(match("f1"))
		r.changed()
		began := time.Now()
		for _, l := range []plog.Logs{sheet(time.Minute, "f1", "public", true), match("f1"), sheet(time.Minute, "f1", "public", true)} {
			if err := r.g.ConsumeLogs(t.Context(), l); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Until(began.Add(time.Second))) // of the bubble
		r.changed("POST /users/f1/hide")               // quarantine stands for the link
		r.settle()
		r.give(sheet(time.Minute, "f1", "public", true)) // of the same walk, told of late
		r.give(sheet(time.Hour, "f1", "private", true))  // as it is now
		r.changed("POST /users/f1/hide")
		r.receipts("requested remove_public_link enforce", "result remove_public_link enforce failure",
			"requested quarantine_file enforce", "result quarantine_file enforce success")
		for _, w := range r.of(action.Dataset) {
			if w.Str("event.action") == "remove_public_link" && w.Str("event.outcome") == "failure" &&
				w.Str("event.reason") != "quarantine_file contains remove_public_link" || w.Str("saas.file.id") != "f1" {
				t.Errorf("%v", w.Map())
			}
		}
	})
}

func TestFileThatIsSharedAgainIsActedOnAgain(t *testing.T) {
	inRig(t, m{"mode": "enforce", "storage": "file_storage", "policies": policies(publicCards(m{"actions": []any{"remove_public_link"}}))},
		func(r *rig) {
			share := func() {
				r.v.mu.Lock()
				defer r.v.mu.Unlock()
				r.v.status["f1"] = "PUBLIC"
			}
			at := func() time.Duration { return time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)) }
			share()
			r.give(sheet(at(), "f1", "public", true))
			r.give(sheet(at(), "f1", "private", true))
			share() // as it was, on the same day
			r.give(sheet(at(), "f1", "public", true))
			share() // under another address
			r.give(sheet(at(), "f1", "public", true, "saas.share.link.url", "https://acme.example/s/2"))
			r.changed("POST /users/f1/unlink", "POST /users/f1/unlink", "POST /users/f1/unlink")
		})
}

func TestUndoOfAFileStandsAgainstThePolicy(t *testing.T) {
	inRig(t, enforced, func(r *rig) {
		r.give(sheet(0, "f1", "public", true))
		id := ""
		for _, w := range r.of(action.Dataset) {
			if w.Str("event.action") == "quarantine_file" {
				id = w.Str("saas.action.id")
			}
		}
		time.Sleep(30 * 24 * time.Hour) // of the bubble
		r.end()
		r.begin()
		if _, err := r.g.engine.Undo(t.Context(), id, "ana"); err != nil {
			t.Fatal(err)
		}
		r.settle()
		r.changed("POST /users/f1/hide", "POST /users/f1/link")
		r.give(sheet(31*24*time.Hour, "f1", "public", true))
		r.changed("POST /users/f1/hide", "POST /users/f1/link")
		if n := r.g.engine.Counts()[action.Waiting]; n != 1 {
			t.Fatalf("%d actions wait for a person", n)
		}
	})
}

func TestFilesAreProtectedByTheirOwner(t *testing.T) {
	keys := m{"protect": m{"owners": []any{"Ana@acme.example"}}}
	for k, v := range enforced {
		keys[k] = v
	}
	inRig(t, keys, func(r *rig) {
		r.give(sheet(0, "f1", "public", true))
		r.give(sheet(0, "f2", "public", true, "saas.file.owner.id", "o2", "saas.file.owner.email", "bob@acme.example"))
		r.changed("POST /users/f2/hide")
		all := r.of(action.Dataset)
		found := false
		for _, w := range all {
			found = found || strings.HasPrefix(w.Str("event.reason"), "the files of ") && w.Str("saas.file.id") == "f1"
		}
		if !found {
			t.Fatalf("nothing says that f1 is protected: %d receipts", len(all))
		}
	})
}

func TestStateOfAFileIsWhatGovernanceCanObjectTo(t *testing.T) {
	state := func(l plog.Logs) (out string) {
		for w := range event.Views(l) {
			out = trigger(w)
		}
		return out
	}
	f := func(same bool, a, b plog.Logs) {
		t.Helper()
		if (state(a) == state(b)) != same {
			t.Fatalf("%s and %s", state(a), state(b))
		}
	}
	f(true, sheet(0, "f1", "public", false), sheet(time.Hour, "f1", "public", true))
	f(true, sheet(0, "f1", "public", false), sheet(0, "f1", "public", false, "file.name", "other.csv"))
	f(false, sheet(0, "f1", "public", false), sheet(25*time.Hour, "f1", "public", false))
	f(false, sheet(0, "f1", "public", true), sheet(0, "f1", "private", true))
	f(false, sheet(0, "f1", "public", true), sheet(0, "f2", "public", true))
	f(false, sheet(0, "f1", "public", true), sheet(0, "f1", "public", true, "saas.share.recipients", "eve@out.example"))
	f(false, sheet(0, "f1", "public", true), sheet(0, "f1", "public", true, "saas.container.id", "9"))
	f(false, sheet(0, "f1", "public", true), sheet(0, "f1", "public", true, "file.hash.sha1", "00"))
}
