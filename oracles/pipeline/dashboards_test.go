package pipeline

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/dashboard"
	"github.com/longshore-dev/longshore/oracles/backends"
	"github.com/longshore-dev/longshore/oracles/procs"
)

// empty are panels that show nothing for these two applications, with the reason.
var empty = map[string]string{
	"Publisher verified":                    "neither application tells",
	"Failed or refused":                     "", // whether a plan was refused depends on what was found first
	"Done":                                  "nothing is done in a dry run",
	"Why not":                               "",
	"Dead letters":                          "every record was taken",
	"Why records were set aside":            "every record was taken",
	"Gaps and other words of the collector": "",
}

// TestEveryPanelShowsWhatTheServerHas runs what every panel of the dashboards asks, in Elasticsearch, over what fakes of
// Okta and Box published.
func TestEveryPanelShowsWhatTheServerHas(t *testing.T) {
	okta := procs.StartSim(t, "okta", "--seed", "51", "--events", "3000", "--users", "40", "--limits", "100")
	box := procs.StartSim(t, "box", "--seed", "1", "--events", "2000", "--users", "40", "--limits", "100")
	server := backends.StartElasticsearch(t)
	p := procs.Pipeline{Dir: t.TempDir(), Order: []string{"dlp", "governance"},
		Receivers:  procs.M{"okta/acme": okta.With(procs.M{"quota_share": 1}), "box/acme": box.With(procs.M{"quota_share": 1})},
		Processors: procs.M{"dlp": procs.M{}, "governance": procs.M{"mode": "dry_run", "policies": policies}},
		Exporters:  procs.M{"elasticsearch": procs.M{"endpoints": []string{server.Addr}}}}
	c := p.Start(t)
	at := index{server.Addr}
	last, since := -1, time.Now()
	procs.Until(t, "no more records", 3*time.Minute, func() bool {
		if c.Ended() {
			t.Fatalf("the collector ended:\n%s", c.Said())
		}
		if n := at.count(t); n != last {
			last, since = n, time.Now()
		}
		return last > 3000 && time.Since(since) > 8*time.Second
	})
	c.Stop()
	for _, d := range dashboard.All {
		for _, panel := range d.Panels {
			shows(t, at, panel)
		}
	}
}

var policies = []procs.M{
	{"name": "account unused", "kind": "account", "severity": 2, "actions": []string{"suspend_user"},
		"when": `entity.type == "user" && saas.entity.status == "active" && has(entity.lifecycle.last_activity) &&
			timestamp(entity.lifecycle.last_activity) < now - duration("336h")`},
	{"name": "files behind a public link", "kind": "file", "severity": 3, "actions": []string{"remove_public_link"},
		"when": `has(saas.share) && saas.share.visibility == "public"`},
}

// shows checks that a panel finds documents, and that each field it counts apart has values among them.
func shows(t *testing.T, at index, p dashboard.Panel) {
	t.Helper()
	var got struct {
		Shards struct{ Failed int } `json:"_shards"`
		Hits   struct{ Total struct{ Value int } }
		Aggs   map[string]json.RawMessage `json:"aggregations"`
	}
	path := "/" + p.View.Pattern + "/_search?ignore_unavailable=true&allow_no_indices=true"
	if err := at.call(t.Context(), "POST", path, string(p.Body()), &got); err != nil {
		t.Errorf("panel %q: %v", p.Title, err)
		return
	}
	why, mayBeEmpty := empty[p.Title]
	buckets := strings.Count(string(got.Aggs["by"])+string(got.Aggs["over"]), `"doc_count"`)
	shown := got.Hits.Total.Value > 0 && (len(p.By) == 0 || buckets > 0)
	switch {
	case got.Shards.Failed > 0:
		t.Errorf("panel %q: %d shards failed", p.Title, got.Shards.Failed)
	case !shown && !mayBeEmpty:
		t.Errorf("panel %q of %s shows nothing: %d documents, %d buckets: %s", p.Title, p.View.Pattern, got.Hits.Total.Value, buckets, p.Body())
	case shown && mayBeEmpty && why != "":
		t.Errorf("panel %q shows something, although %s", p.Title, why)
	}
	if p.Kind == dashboard.Bars && !mayBeEmpty && !strings.Contains(string(got.Aggs["over"]), `"by":{`) {
		t.Errorf("panel %q has no series", p.Title)
	}
}
