package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/longshore-dev/longshore/internal/sim"
)

// The verdict on a file's content, and the stream whose keys are the files judged.
const (
	contentScan   = "content_scan"
	contentStream = "content"
)

// document is what the comparison reads of a stored document.
type document struct {
	Event struct{ ID, Dataset, Kind, Module, Action, Outcome, Reason string }
	Rule  struct{ Name string }
	SAAS  struct {
		Tenant    string
		Inventory struct {
			RunID string `json:"run_id"`
		}
		File    struct{ ID string }
		Finding struct {
			Scan        string
			DataType    []string `json:"data_type"`
			Fingerprint []string
		}
		Action struct{ ID, Policy, Mode string }
	}
}

type (
	// digest is a set of keys: how many, and a sum over them, as sim.Digest gives it.
	digest struct {
		n   int
		sum uint64
	}
	// planned is an action of a policy.
	planned struct{ policy, verb, mode string }
	// effect is what became of a policy's actions: how many, how many of them were refused, and why the first one was.
	effect struct {
		n, refused int
		reason     string
	}
	// holding is what the store holds of one tenant.
	holding struct {
		app      application
		streams  map[string]digest
		seen     map[string]bool // an entity that changed is stored again, an object may make several records
		findings map[string]int  // by data type
		judged   map[string]int  // files by what became of reading their content
		alerts   map[string]int  // by policy
		actions  map[planned]effect
	}
	// tally is what the store holds, by module and tenant.
	tally map[string]*holding
)

func newTally(tenants []rehearsed) tally {
	t := tally{}
	for _, r := range tenants {
		t[r.app.module()+"/"+r.name] = &holding{app: r.app, streams: map[string]digest{}, seen: map[string]bool{},
			findings: map[string]int{}, judged: map[string]int{}, alerts: map[string]int{}, actions: map[planned]effect{}}
	}
	return t
}

func (t tally) of(r rehearsed) *holding { return t[r.app.module()+"/"+r.name] }

func parse(text []byte) (*document, error) {
	d := &document{}
	if err := json.Unmarshal(text, d); err != nil {
		return nil, fmt.Errorf("read a stored document: %w", err)
	}
	return d, nil
}

// add counts a stored document.
func (t tally) add(text []byte) error {
	d, err := parse(text)
	if err != nil {
		return err
	}
	h := t[d.Event.Module+"/"+d.SAAS.Tenant]
	if h == nil {
		return nil // not of this rehearsal
	}
	switch d.Event.Dataset {
	case "saas.finding":
		if d.Event.Action == contentScan {
			h.judged[d.SAAS.Finding.Scan]++
			h.add(contentStream, d.SAAS.File.ID)
			break
		}
		for _, dt := range d.SAAS.Finding.DataType {
			if h.first("finding\x00" + d.found(dt)) {
				h.findings[dt]++
			}
		}
		if len(d.SAAS.Finding.DataType) == 0 {
			h.alerts[d.Rule.Name]++
		}
	case "saas.action":
		h.receipt(d)
	default:
		if stream, key := h.app.keyOf(d); stream != "" {
			h.add(stream, key)
		}
	}
	return nil
}

func (h *holding) add(stream, key string) {
	if (h.app.together() || h.app.Datasets[""] != stream) && !h.first(stream+"\x00"+key) {
		return
	}
	d := h.streams[stream]
	h.streams[stream] = digest{d.n + 1, d.sum + sim.KeySum(key)}
}

// first says whether it was not asked before.
func (h *holding) first(id string) bool {
	before := h.seen[id]
	h.seen[id] = true
	return !before
}

// found names what was found: the records of one object tell of the same values, and so does a file that is read again.
func (d *document) found(dataType string) string {
	return strings.Join(append([]string{dataType, d.SAAS.File.ID}, d.SAAS.Finding.Fingerprint...), "\x00")
}

// receipt counts an action: it has one receipt when it is asked for and, unless it is only planned, one when it has ended.
func (h *holding) receipt(d *document) {
	id := planned{d.SAAS.Action.Policy, d.Event.Action, d.SAAS.Action.Mode}
	e := h.actions[id]
	switch {
	case d.Event.Outcome == "":
		e.n++
	case d.Event.Outcome != "success":
		if e.refused++; e.reason == "" {
			e.reason = d.Event.Reason
		}
	}
	h.actions[id] = e
}

// keyOf finds the stream that a document came from and its key there. An event's id is its key; the id of an entity's state is
// "stream/part/key@number:hash", and the walk it was seen in "stream/part#number".
func (a application) keyOf(d *document) (stream, key string) {
	run, _, _ := cutLast(d.SAAS.Inventory.RunID, "#")
	if run == "" {
		return a.eventOf(d)
	}
	stream, _, _ = strings.Cut(run, "/")
	if run == stream { // a stream of one part, which has no name
		run += "/"
	}
	key, state, ok := cutLast(strings.TrimPrefix(d.Event.ID, run+"/"), "@")
	if !ok || d.Event.Kind != "asset" || strings.HasSuffix(state, ":deleted") {
		return "", ""
	}
	return stream, key
}

// cutLast is strings.Cut at the last separator.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
