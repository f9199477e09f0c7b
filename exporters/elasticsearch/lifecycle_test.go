package elasticsearch

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap/zaptest/observer"

	"github.com/longshore-dev/longshore/internal/delivery/deliverytest"
)

// policies is a stand-in for the servers' lifecycle management, which those that tests can run do not have.
type policies struct {
	kept  string // the policy, as it was written
	wrote int
	query string
}

func (p *policies) serve(w http.ResponseWriter, r *http.Request) bool {
	ism := strings.HasPrefix(r.URL.Path, "/_plugins/_ism/policies/")
	if !ism && !strings.HasPrefix(r.URL.Path, "/_ilm/policy/") {
		return false
	}
	body, _ := io.ReadAll(r.Body)
	switch {
	case r.Method == http.MethodPut:
		p.kept, p.query = string(read(&http.Request{Header: r.Header, Body: io.NopCloser(strings.NewReader(string(body)))})), r.URL.RawQuery
		p.wrote++
	case p.kept == "":
		w.WriteHeader(http.StatusNotFound)
	case ism:
		fmt.Fprintf(w, `{"_id":"saas-saas","_seq_no":7,"_primary_term":2,%s`, strings.TrimPrefix(p.kept, "{"))
	default:
		fmt.Fprintf(w, `{"saas-saas":%s}`, p.kept)
	}
	return true
}

func TestPolicyIsInstalledOnceAndKeptUpToTheConfiguration(t *testing.T) {
	f := func(flavor, product, want string) {
		t.Helper()
		s, p := newStandIn(t), &policies{}
		s.product, s.any = product, p.serve
		again := func(change func(*LifecycleConfig)) *observer.ObservedLogs {
			e, logs := logged(t, s, func(c *Config) {
				c.Flavor, c.Lifecycle.Install = flavor, true
				change(&c.Lifecycle)
			})
			defer func() { _ = e.shutdown(context.Background()) }()
			deliverytest.Drain(t, e.push, deliverytest.Batch(0, 1))
			return logs
		}
		if logs := again(func(*LifecycleConfig) {}); logs.Len() != 0 {
			t.Fatal(logs.All())
		}
		again(func(*LifecycleConfig) {})
		if p.wrote != 1 || !strings.Contains(p.kept, want) || !strings.Contains(p.kept, `"2160h"`) || p.query != "" {
			t.Fatalf("wrote %d times %s", p.wrote, p.kept)
		}
		again(func(l *LifecycleConfig) { l.DeleteAfter = 240 * time.Hour })
		if p.wrote != 2 || !strings.Contains(p.kept, `"240h"`) {
			t.Fatalf("wrote %d times %s", p.wrote, p.kept)
		}
		if flavor == openSearch && p.query != "if_seq_no=7&if_primary_term=2" {
			t.Fatalf("query %q", p.query)
		}
		again(func(l *LifecycleConfig) { l.DeleteAfter = 0 })
		if p.wrote != 3 || strings.Contains(p.kept, `"delete"`) {
			t.Fatalf("wrote %d times %s", p.wrote, p.kept)
		}
		p.kept = strings.Replace(p.kept, "managed_by longshore", "mine", 1)
		again(func(*LifecycleConfig) {})
		if p.wrote != 3 {
			t.Fatalf("overwrote %s", p.kept)
		}
		var logs struct {
			Template struct {
				Settings struct {
					Index struct{ Lifecycle struct{ Name string } }
				}
			}
		}
		if err := json.Unmarshal(s.templates["/_index_template/saas-logs-saas"], &logs); err != nil {
			t.Fatal(err)
		}
		if name := logs.Template.Settings.Index.Lifecycle.Name; (name == "saas-saas") != (flavor == elastic) {
			t.Fatalf("%s: the templates name policy %q", flavor, name)
		}
		if text := string(s.templates["/_index_template/saas-entities-saas"]); strings.Contains(text, `"lifecycle"`) {
			t.Fatalf("entities are rolled over: %s", text)
		}
	}
	f(elastic, "Elasticsearch", `"max_age":"720h"`)
	f(openSearch, "", `"min_index_age":"720h"`)
}

func TestTemplatesNameThePolicyWhenItComesLater(t *testing.T) {
	s, p := newStandIn(t), &policies{}
	s.any = p.serve
	started(t, s, nil)
	n := len(s.order)
	started(t, s, func(c *Config) { c.Lifecycle.Install = true })
	if len(s.order) != 2*n || !strings.Contains(string(s.templates["/_index_template/saas-logs-saas"]), `"name":"saas-saas"`) {
		t.Fatalf("%d of %d templates written again", len(s.order)-n, n)
	}
	started(t, s, nil)
	if len(s.order) != 2*n {
		t.Fatal("templates written for nothing")
	}
}

func TestAServerWithoutPoliciesIsToldAndUsed(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusMethodNotAllowed} { // as Elasticsearch without X-Pack answers
		s := newStandIn(t)
		s.other = func(w http.ResponseWriter, r *http.Request) bool {
			none := strings.HasPrefix(r.URL.Path, "/_ilm/")
			if none {
				w.WriteHeader(status)
			}
			return none
		}
		e, logs := logged(t, s, func(c *Config) { c.Lifecycle.Install = true })
		deliverytest.Drain(t, e.push, deliverytest.Batch(0, 3))
		if logs.FilterMessageSnippet("lifecycle.install does nothing").Len() != 1 || len(s.templates) == 0 {
			t.Fatalf("%v", logs.All())
		}
		if strings.Contains(string(s.templates["/_index_template/saas-logs-saas"]), "lifecycle") {
			t.Fatal("the templates name a policy that is not there")
		}
	}
}
