package elasticsearch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// LifecycleConfig is how long documents are kept. The servers see to it: Elasticsearch by ILM, OpenSearch by ISM.
type LifecycleConfig struct {
	// Install installs the policy saas-<namespace> on start, and lets the templates name it. It needs manage_ilm. Default: false.
	Install bool `mapstructure:"install"`
	// RolloverAge and RolloverSize are when a data stream begins its next index. An id is unique within one index only: keep
	// the age far above the time for which a receiver may read again. Default: 720h (30 days) and 50gb.
	RolloverAge  time.Duration `mapstructure:"rollover_age"`
	RolloverSize string        `mapstructure:"rollover_size"`
	// DeleteAfter is the age, from the roll-over on, at which an index is deleted; 0 = never. Default: 2160h (90 days).
	DeleteAfter time.Duration `mapstructure:"delete_after"`
}

func defaultLifecycle() LifecycleConfig {
	return LifecycleConfig{RolloverAge: 30 * 24 * time.Hour, RolloverSize: "50gb", DeleteAfter: 90 * 24 * time.Hour}
}

func (l LifecycleConfig) check() error {
	if l.RolloverAge < 24*time.Hour || l.RolloverAge%time.Hour != 0 {
		return fmt.Errorf("lifecycle.rollover_age %v: it must be whole hours, at least 24", l.RolloverAge)
	}
	if l.DeleteAfter != 0 && (l.DeleteAfter < 24*time.Hour || l.DeleteAfter%time.Hour != 0) {
		return fmt.Errorf("lifecycle.delete_after %v: it must be whole hours, at least 24, or 0", l.DeleteAfter)
	}
	digits := strings.TrimRight(l.RolloverSize, "mgtb")
	unit := l.RolloverSize[len(digits):]
	number := digits != "" && len(digits) <= 6 && strings.Trim(digits, "0123456789") == "" && digits[0] != '0'
	if !number || unit != "mb" && unit != "gb" && unit != "tb" {
		return fmt.Errorf("lifecycle.rollover_size %q: it must be a number and mb, gb or tb", l.RolloverSize)
	}
	return nil
}

func hours(d time.Duration) string { return fmt.Sprintf("%dh", d/time.Hour) }

// policyName is the policy of a namespace's data streams.
func policyName(namespace string) string { return "saas-" + namespace }

// mark is how a policy of ours is known, and whether it is what was configured.
func (l LifecycleConfig) mark() string {
	return fmt.Sprintf("managed_by longshore: rollover_age %s, rollover_size %s, delete_after %s",
		hours(l.RolloverAge), l.RolloverSize, hours(l.DeleteAfter))
}

// ilm is the policy for Elasticsearch.
func (l LifecycleConfig) ilm(namespace string) template {
	hot := object{"rollover": object{"max_age": hours(l.RolloverAge), "max_primary_shard_size": l.RolloverSize}}
	phases := object{"hot": object{"actions": hot}}
	if l.DeleteAfter > 0 {
		phases["delete"] = object{"min_age": hours(l.DeleteAfter), "actions": object{"delete": object{}}}
	}
	return template{"/_ilm/policy/" + policyName(namespace),
		object{"policy": object{"_meta": object{"description": l.mark()}, "phases": phases}}}
}

// ism is the policy for OpenSearch.
func (l LifecycleConfig) ism(namespace string) template {
	rollover := object{"rollover": object{"min_index_age": hours(l.RolloverAge), "min_primary_shard_size": l.RolloverSize}}
	hot := object{"name": "hot", "actions": []object{rollover}, "transitions": []object{}}
	states := []object{hot}
	if l.DeleteAfter > 0 {
		hot["transitions"] = []object{{"state_name": "delete", "conditions": object{"min_rollover_age": hours(l.DeleteAfter)}}}
		states = append(states, object{"name": "delete", "actions": []object{{"delete": object{}}}, "transitions": []object{}})
	}
	return template{"/_plugins/_ism/policies/" + policyName(namespace), object{"policy": object{
		"description": l.mark(), "default_state": "hot", "states": states,
		"ism_template": []object{{"index_patterns": []string{"logs-*-" + namespace}, "priority": templatePriority}}}}}
}

// policy is the policy for servers of a flavor.
func (l LifecycleConfig) policy(flavor, namespace string) template {
	if flavor == openSearch {
		return l.ism(namespace)
	}
	return l.ilm(namespace)
}

// errNoLifecycle says that a server keeps no policies.
var errNoLifecycle = errors.New("the server has no lifecycle management")

// installPolicy brings the policy to what is configured. One that is not ours, or was ours and is unchanged, is left alone.
func installPolicy(ctx context.Context, c *client, cfg *Config) error {
	p := cfg.Lifecycle.policy(cfg.Flavor, cfg.Namespace)
	r, err := c.do(ctx, http.MethodGet, p.path, "", nil)
	var f *failure
	switch {
	case errors.As(err, &f) && (f.status == http.StatusBadRequest || f.status == http.StatusMethodNotAllowed):
		return errNoLifecycle
	case errors.As(err, &f) && f.status == http.StatusNotFound:
		return put(ctx, c, http.MethodPut, p.path, p.body)
	case err != nil:
		return err
	}
	mark, path := "", p.path
	if cfg.Flavor == openSearch {
		var there struct {
			Seq    int `json:"_seq_no"`
			Term   int `json:"_primary_term"`
			Policy struct{ Description string }
		}
		err = json.Unmarshal(r.body, &there)
		mark, path = there.Policy.Description, fmt.Sprintf("%s?if_seq_no=%d&if_primary_term=%d", path, there.Seq, there.Term)
	} else {
		var there map[string]struct {
			Policy struct {
				Meta struct{ Description string } `json:"_meta"`
			}
		}
		err = json.Unmarshal(r.body, &there)
		mark = there[policyName(cfg.Namespace)].Policy.Meta.Description
	}
	if err != nil {
		return fmt.Errorf("read policy: %w", err)
	}
	if !cfg.Lifecycle.outdated(mark) {
		return nil
	}
	return put(ctx, c, http.MethodPut, path, p.body)
}

// outdated says whether a policy with this mark is ours and not what is configured.
func (l LifecycleConfig) outdated(mark string) bool {
	return strings.HasPrefix(mark, "managed_by longshore:") && mark != l.mark()
}
