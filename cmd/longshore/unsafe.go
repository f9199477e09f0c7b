package main

import (
	"cmp"
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"
)

// unsafe is a setting under which records can be lost, or repeated without bound.
type unsafe struct {
	Where   string `json:"where"`
	Problem string `json:"problem"`
	Instead string `json:"instead"`
}

// page is the largest batch that a receiver waits for.
const page = 1000

// unsafeSettings looks at every pipeline that a polled application feeds.
func unsafeSettings(cfg *otelcol.Config, apps map[component.Type]application) []unsafe {
	out := []unsafe{}
	stores := map[string]bool{}
	seen := map[string]bool{}
	note := func(where, problem, instead string) {
		if key := where + problem; !seen[key] {
			seen[key] = true
			out = append(out, unsafe{where, problem, instead})
		}
	}
	for _, pl := range cfg.Service.Pipelines {
		if !slices.ContainsFunc(pl.Receivers, func(id component.ID) bool { _, ok := apps[id.Type()]; return ok }) {
			continue
		}
		for _, id := range pl.Receivers {
			if _, ok := apps[id.Type()]; ok {
				receiverSafety("receivers::"+id.String(), effective(cfg.Receivers[id]), stores, note)
			}
		}
		for _, id := range pl.Processors {
			if id.Type().String() == "batch" {
				note("processors::"+id.String(), "accepts records before they are exported, so that a crash loses what it holds",
					"leave it out; receivers hand on batches of their own, and exporters can batch in sending_queue")
			}
		}
		for _, id := range pl.Exporters {
			exporterSafety("exporters::"+id.String(), effective(cfg.Exporters[id]), stores, note)
		}
	}
	for id, x := range cfg.Extensions {
		if m := effective(x); stores[id.String()] && id.Type().String() == "file_storage" && m["fsync"] != true {
			note("extensions::"+id.String(), "fsync is off: a power failure may lose or damage what was saved", "fsync: true")
		}
	}
	slices.SortFunc(out, func(a, b unsafe) int { return cmp.Compare(a.Where, b.Where) })
	return out
}

func receiverSafety(where string, m map[string]any, stores map[string]bool, note func(where, problem, instead string)) {
	store := fmt.Sprint(m["storage"])
	if store == "none" {
		note(where, "storage is none: every start reads again from start_at, and what changed while it was off is lost",
			"storage: file_storage, with an extension of that name")
		return
	}
	stores[store] = true
}

func exporterSafety(where string, m map[string]any, stores map[string]bool, note func(where, problem, instead string)) {
	queue, ok := m["sending_queue"].(map[string]any)
	if !ok || queue["enabled"] == false {
		return
	}
	if store := queue["storage"]; store != nil && store != "" {
		stores[fmt.Sprint(store)] = true
		if retry, ok := m["retry_on_failure"].(map[string]any); ok && retry["enabled"] == false {
			note(where, "retry_on_failure is off behind a persistent queue: one refusal drops what the queue holds for good",
				"retry_on_failure: {enabled: true, max_elapsed_time: 0}")
		}
		return
	}
	if queue["wait_for_result"] != true {
		note(where, "its sending_queue is in memory and accepts records before they are exported: a crash loses them, and the receiver's "+
			"stored position has already moved on", "sending_queue: {enabled: false}, or storage: file_storage in it")
		return
	}
	if batch, ok := queue["batch"].(map[string]any); ok && number(batch["min_size"]) > page {
		note(where, fmt.Sprintf("wait_for_result with a batch of at least %d: a receiver waits for a batch that its page of %d never fills",
			number(batch["min_size"]), page), fmt.Sprintf("min_size: %d or less", page))
	}
}

// effective is a component's configuration with its defaults, as a map.
func effective(cfg component.Config) map[string]any {
	conf := confmap.New()
	if cfg == nil || marshal(conf, cfg) != nil {
		return map[string]any{}
	}
	return conf.ToStringMap()
}

// marshal writes a configuration. Conf.Marshal asks only what is inside of it how it wants to be written.
func marshal(conf *confmap.Conf, cfg any) error {
	if m, ok := cfg.(confmap.Marshaler); ok {
		return m.Marshal(conf)
	}
	return conf.Marshal(cfg)
}

func number(v any) int64 {
	switch n := v.(type) {
	case int:
		return int64(n)
	case int64:
		return n
	}
	return 0
}
