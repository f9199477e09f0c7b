package analysts

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
)

// idle are conditions without which the story has the same answer, with the reason.
var idle = map[string]string{
	`01-sign-ins-without-second-factor: 2 filter {"range":{"@timestamp":{"gte":"now-8d"}}}`:               spared,
	`04-oauth-grants-to-mail-and-files: 1 must_not {"term":{"saas.app.verified":true}}`:                   "neither application tells",
	`05-files-with-findings-shared-outside: 2 filter {"term":{"entity.type":"file"}}`:                     onlyFiles,
	`15-public-links-created: 2 filter {"term":{"entity.type":"file"}}`:                                   onlyFiles,
	`07-active-here-suspended-there: 1 filter {"term":{"entity.type":"user"}}`:                            onlyAccounts,
	`07-active-here-suspended-there: 2 filter {"term":{"entity.type":"user"}}`:                            onlyAccounts,
	`12-dormant-administrators: 2 filter {"term":{"entity.type":"user"}}`:                                 onlyAccounts,
	`07-active-here-suspended-there: 1 filter {"term":{"event.module":"box"}}`:                            notBoth,
	`07-active-here-suspended-there: 2 filter {"term":{"event.module":"okta"}}`:                           notBoth,
	`09-what-governance-changed: 1 filter {"range":{"@timestamp":{"gte":"now-90d"}}}`:                     allNow,
	`20-collection-health: 1 filter {"range":{"@timestamp":{"gte":"now-7d"}}}`:                            allNow,
	`09-what-governance-changed: 2 filter {"term":{"event.outcome":"success"}}`:                           "no undo failed",
	`16-external-collaborators: 1 filter {"exists":{"field":"saas.share.external_domains"}}`:              passedOver,
	`23-deleted-then-restored: 1 filter {"terms":{"saas.activity":["file_delete","file_restore"]}}`:       passedOver,
	`24-accounts-without-second-factor: 1 filter {"terms":{"saas.activity":["mfa_remove","mfa_enroll"]}}`: passedOver,
}

const (
	spared       = "it spares the server older sessions"
	onlyFiles    = "only files have the id of one"
	onlyAccounts = "only accounts have such a state and what stands beside it"
	notBoth      = "in one application an account is not active and suspended"
	allNow       = "all of it is of now"
	passedOver   = "the aggregation passes over what lacks it"
)

// everyConditionCounts asks a question once more without each of its conditions: the story holds what each of them keeps out.
func everyConditionCounts(t *testing.T, q *question, at string) {
	t.Helper()
	try := func(what string, changed *question) {
		t.Helper()
		rows, err := changed.search(t.Context(), at)
		if err != nil {
			t.Errorf("without %s: %v", what, err)
			return
		}
		same := slices.Equal(q.lines(rows), answers[q.name])
		switch why, excused := idle[q.name+": "+what]; {
		case same && !excused:
			t.Errorf("the answer is the same without %s", what)
		case !same && excused:
			t.Errorf("%s counts, although it is written that %s", what, why)
		}
	}
	for i, b := range q.bodies {
		for what, text := range without(t, b.text) {
			changed := *q
			changed.bodies = slices.Clone(q.bodies)
			changed.bodies[i].text = text
			try(fmt.Sprintf("%d %s", i+1, what), &changed)
		}
		if b.keep != "" {
			changed := *q
			changed.bodies = slices.Clone(q.bodies)
			changed.bodies[i].keep = "0 = 0"
			try("keep", &changed)
		}
	}
	if q.join != nil {
		changed, whole := *q, *q.join
		whole.not, whole.right = true, 0
		changed.join = &whole
		changed.bodies = []body{q.bodies[0], q.bodies[1]}
		changed.bodies[1].text = `{"query": {"match_none": {}}}`
		changed.bodies[1].rows, changed.bodies[1].columns = "hits.hits[]", []string{"_id"}
		try("then", &changed)
	}
}

// without is a body with one condition left out, by what was left out.
func without(t *testing.T, text string) map[string]string {
	t.Helper()
	out := map[string]string{}
	var root any
	if err := json.Unmarshal([]byte(text), &root); err != nil {
		t.Fatal(err)
	}
	var walk func(at any)
	walk = func(at any) {
		switch at := at.(type) {
		case []any:
			for _, e := range at {
				walk(e)
			}
		case map[string]any:
			for key, v := range at {
				if list, ok := v.([]any); ok && (key == "filter" || key == "must_not" || key == "should") {
					for i, c := range list {
						if len(list) == 1 && key == "should" {
							continue
						}
						at[key] = slices.Delete(slices.Clone(list), i, i+1)
						one, _ := json.Marshal(c) // it came of JSON
						all, _ := json.Marshal(root)
						out[key+" "+string(one)] = string(all)
					}
					at[key] = list
				}
				walk(v)
			}
		}
	}
	walk(root)
	return out
}
