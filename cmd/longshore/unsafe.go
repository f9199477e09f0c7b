package main

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/otelcol"
)

// unsafe is a setting under which records can be lost, or wait for nothing.
type unsafe struct {
	Where   string `json:"where"`
	Level   string `json:"level"` // refused or warning
	Problem string `json:"problem"`
	Instead string `json:"instead"`
}

// Levels of an unsafe setting: what loses records where nothing else goes wrong than a crash or an outage is refused.
const (
	refused = "refused"
	warning = "warning"
)

// page is the largest batch that a receiver waits for, in records and in bytes.
const (
	page      = 1000
	pageBytes = 4 << 20
)

// note takes what is unsafe, once.
type note func(where, level, problem, instead string)

// unsafeSettings looks at every pipeline that a polled application feeds, or an agent that polls one (otlp).
func unsafeSettings(cfg *otelcol.Config, apps map[component.Type]application) []unsafe {
	out := []unsafe{}
	stores := map[string]bool{}
	seen := map[string]bool{}
	note := func(where, level, problem, instead string) {
		if key := where + problem; !seen[key] {
			seen[key] = true
			out = append(out, unsafe{where, level, problem, instead})
		}
	}
	polls := func(id component.ID) bool { _, ok := apps[id.Type()]; return ok }
	for name, pl := range cfg.Service.Pipelines {
		if name.Signal().String() != "logs" || !slices.ContainsFunc(pl.Receivers, func(id component.ID) bool {
			return polls(id) || id.Type().String() == "otlp"
		}) {
			continue
		}
		for _, id := range pl.Receivers {
			if polls(id) {
				receiverSafety("receivers::"+id.String(), effective(cfg.Receivers[id]), stores, note)
			}
		}
		for _, id := range pl.Processors {
			if id.Type().String() == "batch" {
				note("processors::"+id.String(), refused, "accepts records before they are exported: a crash loses what it holds, and an exporter's "+
					"refusal does not reach the receiver", noBatch)
			}
		}
		for _, id := range pl.Exporters {
			exporterSafety(id, cfg.Exporters[id], stores, note)
		}
	}
	for id, x := range cfg.Extensions {
		if m := effective(x); stores[id.String()] && id.Type().String() == "file_storage" && m["fsync"] != true {
			note("extensions::"+id.String(), warning, "fsync is off: a power failure may lose or damage what was saved, so that positions, queues "+
				"and the action ledger are those of before", "fsync: true")
		}
	}
	slices.SortFunc(out, func(a, b unsafe) int { return cmp.Or(cmp.Compare(a.Where, b.Where), cmp.Compare(a.Problem, b.Problem)) })
	return out
}

// noBatch is what is written instead of a batch processor.
const noBatch = "leave it out: receivers hand on batches of their own, and an exporter can batch in sending_queue"

func receiverSafety(where string, m map[string]any, stores map[string]bool, note note) {
	store := fmt.Sprint(m["storage"])
	if store == "none" {
		note(where, warning, "storage is none: every start reads again from start_at, and what changed while it was off is lost",
			"storage: file_storage, with an extension of that name")
		return
	}
	stores[store] = true
}

func exporterSafety(id component.ID, cfg component.Config, stores map[string]bool, note note) {
	where, m := "exporters::"+id.String(), effective(cfg)
	switch acks, kafka := m["acks"], id.Type().String() == "kafka"; {
	case kafka && acks == "none":
		note(where, refused, "acks is none: no broker says whether it has a message, and what fails on the way is lost", "acks: all")
	case kafka && acks == "one":
		note(where, warning, "acks is one: a leader that dies before its followers have a message loses it", "acks: all")
	}
	queue, ok := m["sending_queue"].(map[string]any)
	if !ok || queue["enabled"] == false {
		return
	}
	if store := queue["storage"]; store != nil && store != "" {
		stores[fmt.Sprint(store)] = true
		retrySafety(where, m, note)
		return
	}
	if queue["wait_for_result"] != true {
		note(where, refused, "its sending_queue is in memory and accepts records before they are exported: a crash loses them, and the stored "+
			"position of the receiver has already moved on", "sending_queue: {enabled: false}, or storage: file_storage in it")
		return
	}
	if q := queueOf(cfg); q != nil && q.Batch.HasValue() {
		batchSafety(where, q.Batch.Get(), note)
	}
}

// queueOf is an exporter's sending_queue; nil when it has none. As a map it has lost its sizers.
func queueOf(cfg component.Config) *exporterhelper.QueueBatchConfig {
	v := reflect.Indirect(reflect.ValueOf(cfg))
	if v.Kind() != reflect.Struct {
		return nil
	}
	for i := range v.NumField() {
		if !v.Field(i).CanInterface() {
			continue
		}
		if q, ok := v.Field(i).Interface().(configoptional.Optional[exporterhelper.QueueBatchConfig]); ok {
			return q.Get()
		}
	}
	return nil
}

// retrySafety is for a persistent queue: the receiver has moved on, so the queue is the only place where its records are.
func retrySafety(where string, m map[string]any, note note) {
	retry, ok := m["retry_on_failure"].(map[string]any)
	if !ok {
		return
	}
	const forever = "retry_on_failure: {enabled: true, max_elapsed_time: 0}"
	ends, _ := retry["max_elapsed_time"].(time.Duration)
	switch {
	case retry["enabled"] == false:
		note(where, refused, "retry_on_failure is off behind a persistent queue: one refusal drops what the queue holds for good", forever)
	case ends > 0:
		note(where, refused, fmt.Sprintf("retry_on_failure ends after %v behind a persistent queue: an outage that lasts longer drops what the "+
			"queue holds for good", ends), forever)
	}
}

// batchSafety is for a queue that a receiver waits for. Nothing is lost there.
func batchSafety(where string, batch *exporterhelper.BatchConfig, note note) {
	most := map[string]int64{"items": page, "bytes": pageBytes, "requests": 1}
	sizer := batch.Sizer.String()
	if batch.MinSize > most[sizer] {
		note(where, warning, fmt.Sprintf("wait_for_result with a batch of at least %d %s: one page of a receiver, %d %s at most, never "+
			"fills it, so every page waits for flush_timeout (%v) and polling falls behind",
			batch.MinSize, sizer, most[sizer], sizer, batch.FlushTimeout),
			fmt.Sprintf("min_size: %d or less", most[sizer]))
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
