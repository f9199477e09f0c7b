package elasticsearch

import (
	"strings"
	"testing"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
)

func TestConfigurationErrorsNameKeyAndValue(t *testing.T) {
	f := func(m map[string]any, want ...string) {
		t.Helper()
		cfg := defaultConfig()
		err := confmap.NewFromStringMap(m).Unmarshal(cfg)
		if err == nil {
			err = cfg.(*Config).Validate()
		}
		if len(want) == 0 {
			if err != nil {
				t.Fatal(err)
			}
			return
		}
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Fatalf("%v: got %v, want %q", m, err, w)
			}
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Fatalf("shows the secret: %v", err)
		}
	}
	ok := []any{"https://es:9200"}
	f(map[string]any{"endpoints": ok, "api_key": "abc", "tls": map[string]any{"insecure_skip_verify": true}})
	f(map[string]any{"endpoint": "http://127.0.0.1:9200", "user": "u", "password": "hunter2"})
	f(map[string]any{}, "endpoints")
	f(map[string]any{"endpoints": []any{"es:9200"}}, "endpoints", "es:9200")
	f(map[string]any{"endpoints": []any{"https://u:hunter2@es:9200"}}, "endpoints", "es:9200")
	f(map[string]any{"endpoints": []any{"u:hunter2@es:9200"}}, "endpoints")
	f(map[string]any{"endpoints": ok, "api_key": "hunter2", "user": "u"}, "api_key", `"u"`)
	f(map[string]any{"endpoints": ok, "user": "u"}, "user", `"u"`, "password")
	f(map[string]any{"endpoints": ok, "namespace": "a-b"}, "namespace", `"a-b"`)
	f(map[string]any{"endpoints": ok, "namespace": "default"}, "namespace", `"default"`)
	f(map[string]any{"endpoints": ok, "namespace": "default", "install_templates": false})
	f(map[string]any{"endpoints": ok, "flush": map[string]any{"bytes": 12}}, "flush.bytes", "12")
	f(map[string]any{"endpoints": ok, "flush": map[string]any{"bytes": 1 << 20, "interval": "1s"}}, "flush.interval", "sending_queue")
	f(map[string]any{"endpoints": ok, "num_workers": 0}, "num_workers", "0")
	f(map[string]any{"endpoints": ok, "num_workers": 8, "mapping": map[string]any{"mode": "ecs"}, "compression": "zstd", "pipeline": "geo"})
	f(map[string]any{"endpoints": ok, "mapping": map[string]any{"mode": "otel"}}, "mapping.mode", `"otel"`)
	f(map[string]any{"endpoints": ok, "compression": "snappy"}, "compression", `"snappy"`)
	f(map[string]any{"endpoints": ok, "flavor": "solr"}, "flavor", `"solr"`)
	f(map[string]any{"endpoints": ok, "flavor": "opensearch"})
	f(map[string]any{"endpoints": ok, "retry": map[string]any{"enabled": true}}, "retry ", "retry_on_failure")
	f(map[string]any{"endpoints": ok, "discover": map[string]any{"on_start": true}}, "discover", "endpoints")
	f(map[string]any{"endpoints": ok, "logs_index": "x"}, "logs_index", "namespace")
	f(map[string]any{"cloudid": "n:Y2xvdWQuZXhhbXBsZSRhYmMka2li", "api_key": "abc"})
	f(map[string]any{"cloudid": "n:Y2xvdWQuZXhhbXBsZSRhYmMka2li", "endpoints": ok}, "cloudid", "endpoints")
	f(map[string]any{"cloudid": "n:??"}, `cloudid "n:??"`)
	f(map[string]any{"endpoints": []any{"https://es:9200/?q=1"}}, "endpoints", "q=1")
	f(map[string]any{"endpoints": ok, "lifecycle": map[string]any{"delete_after": "90m"}}, "lifecycle.delete_after", "1h30m")
	f(map[string]any{"endpoints": ok, "lifecycle": map[string]any{"rollover_age": "1h"}}, "lifecycle.rollover_age", "1h")
	f(map[string]any{"endpoints": ok, "lifecycle": map[string]any{"rollover_size": "big"}}, "lifecycle.rollover_size", `"big"`)
	f(map[string]any{"endpoints": ok, "dead_letter": map[string]any{"index": "a", "file": "b"}}, "dead_letter", `"a"`, `"b"`)
	f(map[string]any{"endpoints": ok, "dead_letter": map[string]any{"index": "A"}}, "dead_letter", `"A"`)
}

func TestDatasetsBecomeNamesOfDataStreams(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := fit(in); got != want || unfit(got) != "" {
			t.Fatalf("%q: %q, want %q", in, got, want)
		}
	}
	f("okta.system", "okta.system")
	f("", "generic")
	f("My-App/x y", "my_app_x_y")
	f(strings.Repeat("é", 60), strings.Repeat("é", 50))
}

func TestConfigurationCanBeWrittenAndReadAgain(t *testing.T) {
	if err := componenttest.CheckConfigStruct(defaultConfig()); err != nil {
		t.Fatal(err)
	}
	conf := confmap.New()
	if err := conf.Marshal(defaultConfig()); err != nil {
		t.Fatal(err)
	}
	again := NewFactory().CreateDefaultConfig()
	if err := conf.Unmarshal(again); err != nil {
		t.Fatal(err)
	}
	if conf.IsSet("sending_queue::queue_size") || conf.Get("retry_on_failure::max_elapsed_time") == nil {
		t.Fatalf("defaults %v", conf.ToStringMap())
	}
}
