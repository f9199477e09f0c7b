package kafka

import (
	"fmt"
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
		if strings.Contains(fmt.Sprintf("%v %+v", err, cfg.(*Config).SASL), "hunter2") {
			t.Fatalf("shows the secret: %v %+v", err, cfg.(*Config).SASL)
		}
	}
	ok := []any{"k1:9092"}
	f(map[string]any{"brokers": ok, "tls": map[string]any{}, "topic": "all", "acks": "one", "compression": "zstd"})
	f(map[string]any{"brokers": ok, "sasl": map[string]any{"mechanism": "scram-sha-512", "username": "u", "password": "hunter2"}})
	f(map[string]any{}, "brokers")
	f(map[string]any{"brokers": []any{"k1"}}, "brokers", `"k1"`)
	f(map[string]any{"brokers": []any{"u:hunter2@k1:9092"}}, "brokers", "k1:9092")
	f(map[string]any{"brokers": ok, "topic": "a b"}, "topic", `"a b"`)
	f(map[string]any{"brokers": ok, "topics": map[string]any{"findings": ""}}, "topics: findings")
	f(map[string]any{"brokers": ok, "dead_letter_topic": ".."}, "dead_letter_topic", `".."`)
	f(map[string]any{"brokers": ok, "topic": "saas.{dataset}", "partition_by": "user", "tombstones": true})
	f(map[string]any{"brokers": ok, "topic": "saas.{user}"}, "topic", `"saas.{user}"`, "{dataset}")
	f(map[string]any{"brokers": ok, "partition_by": "deliverytest.Day"}, "partition_by", `"deliverytest.Day"`, "tenant")
	f(map[string]any{"brokers": ok, "sasl": map[string]any{"mechanism": "aws_msk_iam", "aws": map[string]any{"access_key_id": "AKID",
		"secret_access_key": "hunter2"}}}, "aws_msk_iam", "tls")
	f(map[string]any{"brokers": ok, "encoding": "xml"}, "encoding", `"xml"`, "otlp_proto")
	f(map[string]any{"brokers": ok, "acks": "two"}, "acks", `"two"`)
	f(map[string]any{"brokers": ok, "compression": "rar"}, "compression", `"rar"`)
	f(map[string]any{"brokers": ok, "max_message_bytes": 3}, "max_message_bytes", "3")
	f(map[string]any{"brokers": ok, "timeout": "1ms"}, "timeout", "1ms")
	f(map[string]any{"brokers": ok, "sasl": map[string]any{"mechanism": "oauth"}}, "mechanism", `"oauth"`)
	f(map[string]any{"brokers": ok, "sasl": map[string]any{"mechanism": "plain", "username": "u"}}, "username", `"u"`, "password")
}

func TestEveryMechanismIsKnownToTheClient(t *testing.T) {
	for _, name := range mechanisms {
		m, err := SASLConfig{Mechanism: name, Username: "u", Password: "p", AWS: AWSConfig{Region: "r"}}.mechanism(t.Context(), "c")
		if err != nil || (m == nil) != (name == "") || m != nil && !strings.EqualFold(m.Name(), name) {
			t.Errorf("%q: %v, %v", name, m, err)
		}
	}
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
