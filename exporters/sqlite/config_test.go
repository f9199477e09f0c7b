package sqlite

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
		if err := confmap.NewFromStringMap(m).Unmarshal(cfg); err != nil {
			t.Fatal(err)
		}
		err := cfg.(*Config).Validate()
		if len(want) == 0 && err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Fatalf("%v: got %v, want %q", m, err, w)
			}
		}
	}
	f(map[string]any{})
	f(map[string]any{"path": "a.db", "drop_original": true, "namespace": "eu", "timeout": "1s"})
	f(map[string]any{"path": ""}, "path", DefaultPath)
	f(map[string]any{"path": ":memory:"}, "path", `":memory:"`)
	f(map[string]any{"path": "file:a.db?mode=memory"}, "path", `"file:a.db?mode=memory"`)
	f(map[string]any{"path": "a\x00b"}, "path", "zero byte")
	f(map[string]any{"namespace": ""}, "namespace")
	f(map[string]any{"timeout": "1ms"}, "timeout", "1ms")
	f(map[string]any{"retention": map[string]any{"max_age": "720h", "max_size_mib": 256}})
	f(map[string]any{"retention": map[string]any{"max_age": "1m"}}, "max_age", "1m0s")
	f(map[string]any{"retention": map[string]any{"max_age": "-1h"}}, "max_age", "-1h0m0s")
	f(map[string]any{"retention": map[string]any{"max_size_mib": 255}}, "max_size_mib", "255", "at least 256")
	f(map[string]any{"retention": map[string]any{"max_size_mib": -1}}, "max_size_mib", "-1")
	f(map[string]any{"retention": map[string]any{"max_size_mib": int64(1 << 60)}}, "max_size_mib")
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
