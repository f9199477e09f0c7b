package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/extensions/control"
	"github.com/longshore-dev/longshore/internal/sim"
)

// TestQuarantineIsUndoneByCommand: a policy hides a public file of a fake enterprise while its files are walked; a person takes it
// back, and the policy does not do it again.
func TestQuarantineIsUndoneByCommand(t *testing.T) {
	box, at := fake(t, "box", sim.Options{Users: 30, Files: 300, Events: 10, Limits: 50})
	dir := shortDir(t)
	socket := filepath.Join(dir, "control.sock")
	store := obj{"sqlite": obj{"path": filepath.Join(dir, "longshore.db")}}
	text := pipeline(dir, obj{"box/acme": polling(box, at, nil)}, store, func(cfg obj) {
		cfg["processors"] = obj{"governance": obj{"storage": "file_storage", "max_actions_per_hour": 1, "policies": []obj{{
			"name": "nothing is public", "kind": "file", "mode": "enforce", "actions": []string{"quarantine_file", "remove_public_link"},
			"when": `entity.type == "file" && saas.share.visibility == "public"`,
		}}}}
		cfg["extensions"].(obj)["control"] = obj{"socket": socket}
		cfg["service"].(obj)["extensions"] = []string{"file_storage", "control"}
		cfg["service"].(obj)["pipelines"].(obj)["logs"].(obj)["processors"] = []string{"governance"}
	})
	agent := start(t, "--config", file(t, "agent.yaml", text))
	list := func(state string) []control.Action {
		code, out, _ := call(t, "", "actions", "list", "--json", "--max", "1000", "--state", state, "--socket", socket)
		if code != exitOK {
			return nil
		}
		return decode[struct{ Actions []control.Action }](t, out).Actions
	}
	var hidden control.Action
	wait(t, func() string {
		for _, a := range list("ended") {
			if a.Verb == "quarantine_file" && a.Result == "done" {
				hidden = a
				return ""
			}
		}
		return "no file is in quarantine"
	})
	for _, part := range []string{`"parent"`, `"shared_link"`, `"open"`} {
		if !strings.Contains(string(hidden.Before), part) {
			t.Errorf("the manifest lacks %s: %s", part, hidden.Before)
		}
	}
	code, out, errs := call(t, "", "actions", "undo", hidden.ID, "--by", "ana", "--socket", socket)
	if code != exitOK || !strings.Contains(out, "taken back by ") {
		t.Fatalf("exit code %d: %s%s", code, out, errs)
	}
	wait(t, func() string {
		for _, a := range list("ended") {
			if a.Undoes == hidden.ID && a.Result == "done" {
				if !strings.Contains(string(a.After), "the address of the link") {
					t.Errorf("what cannot come back is not named: %s", a.After)
				}
				return ""
			}
		}
		return fmt.Sprint("it is not undone: ", list(""))
	})
	if code, out, _ := call(t, "", "actions", "list", "--socket", socket); code != exitOK || !strings.Contains(out, "takes back "+hidden.ID) {
		t.Errorf("exit code %d: %s", code, out)
	}
	if code := agent.end(t, 10*time.Second); code != exitOK {
		t.Errorf("exit code %d:\n%s", code, agent.errs)
	}
}
