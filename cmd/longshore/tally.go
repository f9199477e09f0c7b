package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/longshore-dev/longshore/internal/sim"
)

// document is what the comparison reads of a stored document.
type document struct {
	Event struct{ ID, Dataset, Kind, Module, Action string }
	Rule  struct{ Name string }
	SAAS  struct {
		Tenant    string
		Inventory struct {
			RunID string `json:"run_id"`
		}
		Finding struct {
			DataType []string `json:"data_type"`
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
	// holding is what the store holds of one tenant.
	holding struct {
		app      application
		streams  map[string]digest
		entities map[string]bool // stream and key: an entity that changed is stored again
		findings map[string]int  // by data type
		alerts   map[string]int  // by policy
		actions  map[planned]int
		seen     map[string]bool // ids of actions
	}
	// tally is what the store holds, by module and tenant.
	tally map[string]*holding
)

func newTally(tenants []rehearsed) tally {
	t := tally{}
	for _, r := range tenants {
		t[r.app.module()+"/"+r.name] = &holding{app: r.app, streams: map[string]digest{}, entities: map[string]bool{},
			findings: map[string]int{}, alerts: map[string]int{}, actions: map[planned]int{}, seen: map[string]bool{}}
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
		for _, dt := range d.SAAS.Finding.DataType {
			h.findings[dt]++
		}
		if len(d.SAAS.Finding.DataType) == 0 {
			h.alerts[d.Rule.Name]++
		}
	case "saas.action": // one receipt when it is asked for and one when it has ended
		if a := d.SAAS.Action; !h.seen[a.ID] {
			h.seen[a.ID] = true
			h.actions[planned{a.Policy, d.Event.Action, a.Mode}]++
		}
	default:
		if stream, key := h.app.keyOf(d); stream != "" {
			h.add(stream, key)
		}
	}
	return nil
}

func (h *holding) add(stream, key string) {
	if id := stream + "\x00" + key; h.app.Datasets[""] != stream {
		if h.entities[id] {
			return
		}
		h.entities[id] = true
	}
	d := h.streams[stream]
	h.streams[stream] = digest{d.n + 1, d.sum + sim.KeySum(key)}
}

// keyOf finds the stream that a document came from and its key there. An event's id is its key, and its dataset says the
// stream; the id of an entity's state is "stream/part/key@walk:hash", and the walk it was seen in "stream/part#walk".
func (a application) keyOf(d *document) (stream, key string) {
	run, _, _ := cutLast(d.SAAS.Inventory.RunID, "#")
	if run == "" {
		return a.Datasets[d.Event.Dataset], d.Event.ID
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
