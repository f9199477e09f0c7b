package box

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/oracles/procs"
)

// seen is a file as the service account and its owner see it.
type seen struct {
	file
	Guests []string
}

// look reads a file as one account sees it; false = it does not.
func (e *enterprise) look(t *testing.T, as, id string) (s seen, ok bool) {
	t.Helper()
	if e.call(t, as, http.MethodGet, "/2.0/files/"+id+"?fields="+fileFields, "", "", &s.file) != http.StatusOK {
		return s, false
	}
	var p page[struct {
		To struct{ Login string } `json:"accessible_by"`
	}]
	e.call(t, as, http.MethodGet, "/2.0/files/"+id+"/collaborations?limit=1000", "", "", &p)
	for _, g := range p.Entries {
		s.Guests = append(s.Guests, g.To.Login)
	}
	slices.Sort(s.Guests)
	return s, true
}

// open says whether a file has a link that anybody can use.
func (s seen) open() bool {
	var link struct{ Access string }
	return s.Link != nil && json.Unmarshal(*s.Link, &link) == nil && link.Access == "open"
}

// TestAChangedFileIsFoundUnsharedAndQuarantinedWhileAWalkGoesOn writes card numbers into a file behind a public link, with a guest from
// outside, while the program walks all files for the first time; and takes the quarantine back by command.
func TestAChangedFileIsFoundUnsharedAndQuarantinedWhileAWalkGoesOn(t *testing.T) {
	const interval, most = 5 * time.Second, 10 * time.Second // of the poll, and with five seconds more
	e := serve(t, sim.Options{Seed: 71, Events: 500, Users: 26, Files: 20_000, Start: time.Now().Add(-30 * time.Hour), Span: 24 * time.Hour})
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	db, socket := filepath.Join(dir, "longshore.db"), filepath.Join(dir, "c.sock")
	p := procs.Pipeline{Dir: dir, Order: []string{"dlp", "governance"},
		Processors: procs.M{"dlp": procs.M{}, "governance": procs.M{"storage": "file_storage", "policies": []procs.M{{
			"name": "card data behind a public link", "kind": "file", "mode": "enforce",
			"actions": []string{"remove_public_link", "quarantine_file"},
			"when": `has(saas.share) && saas.share.visibility == "public" && file.name.startsWith("leak") && has(finding.types) &&
				finding.types.exists(t, t.startsWith("pci."))`}}}},
		Receivers:  procs.M{"box/acme": e.receiver(procs.M{"streams": procs.M{"events": procs.M{"interval": interval.String()}}})},
		Exporters:  procs.M{"sqlite": procs.M{"path": db}},
		Extensions: procs.M{"control": procs.M{"socket": socket}}}
	owner := e.files(t)[0].Owner.ID
	var folder struct{ ID string }
	e.call(t, owner, http.MethodPost, "/2.0/folders", "application/json", `{"name":"Q4","parent":{"id":"0"}}`, &folder)
	c := p.Start(t)
	procs.Until(t, "the walk to be under way", 2*time.Minute, func() bool { return len(verdicts(t, db)) > 50 })

	leak := e.create(t, owner, folder.ID, "leak.csv", "name,note\nAna,nothing\n")
	path := "/2.0/files/" + leak.ID
	e.call(t, owner, http.MethodPut, path+"?fields=shared_link", "application/json", `{"shared_link":{"access":"open"}}`, nil)
	e.call(t, owner, http.MethodPost, "/2.0/collaborations", "application/json",
		`{"item":{"type":"file","id":"`+leak.ID+`"},"accessible_by":{"type":"user","login":"guest@partner.example"},"role":"editor"}`, nil)
	before, ok := e.look(t, owner, leak.ID)
	if !ok || !before.open() || len(before.Guests) == 0 {
		t.Fatalf("the file is not shared: %+v", before)
	}
	<-time.After(interval + 2*time.Second) // it is known, and nothing is wrong with it
	e.upload(t, leak, "name,card number\nAna,4539 1488 0343 6467\nBob,5500 0055 5555 5559\n")
	began := time.Now()
	procs.Until(t, "the file to be in quarantine", time.Minute, func() bool {
		if c.Ended() {
			t.Fatalf("the collector ended:\n%s", c.Said())
		}
		now, ok := e.look(t, "", leak.ID)
		return ok && !now.open() && len(now.Guests) == 0 && now.Parent.ID != folder.ID
	})
	took, known := time.Since(began), len(verdicts(t, db))
	t.Logf("%.1f s from the change to the quarantine, with a poll every %v; %d files were judged by then", took.Seconds(), interval, known)
	if took > most {
		t.Errorf("it took %v, at most %v", took, most)
	}
	if known > 15_000 {
		t.Errorf("%d files were judged: no walk was going on", known)
	}
	procs.Until(t, "the owner to see it no more", 30*time.Second, func() bool { // the last step
		_, ok := e.look(t, owner, leak.ID)
		return !ok
	})

	type done struct{ ID, Verb, Result, Undoes string }
	var list struct{ Actions []done }
	command := func(out any, args ...string) {
		t.Helper()
		text, err := exec.CommandContext(t.Context(), procs.Binary(t), append(args, "--json", "--socket", socket)...).Output()
		if err == nil && out != nil {
			err = json.Unmarshal(text, out)
		}
		if err != nil {
			t.Fatalf("%v: %v: %s", args, err, text)
		}
	}
	id := ""
	procs.Until(t, "the action to have ended", 30*time.Second, func() bool {
		command(&list, "actions", "list", "--state", "ended")
		for _, a := range list.Actions {
			if a.Verb == "quarantine_file" && a.Result == "done" {
				id = a.ID
			}
		}
		return id != ""
	})
	command(nil, "actions", "undo", id)
	procs.Until(t, "the file to be back", time.Minute, func() bool {
		now, ok := e.look(t, owner, leak.ID)
		return ok && now.Parent.ID == folder.ID && now.open() && slices.Equal(now.Guests, before.Guests)
	})
	procs.Until(t, "the undo to have ended", 30*time.Second, func() bool {
		command(&list, "actions", "list", "--state", "ended")
		return slices.ContainsFunc(list.Actions, func(a done) bool { return a.Undoes == id && a.Result == "done" })
	})
	<-time.After(interval + 2*time.Second) // what a person took back is not done again
	if now, ok := e.look(t, owner, leak.ID); !ok || now.Parent.ID != folder.ID {
		t.Error("the file that a person took back went into quarantine again")
	}
	c.Stop()
}
