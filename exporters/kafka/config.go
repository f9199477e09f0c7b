package kafka

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	kafka "github.com/segmentio/kafka-go"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/longshore-dev/longshore/internal/delivery"
)

// Config is what a user writes below `kafka:`.
type Config struct {
	// Brokers are the addresses to begin with, host:port. Example: ["k1:9092", "k2:9092"].
	Brokers []string `mapstructure:"brokers"`
	// ClientID is the name under which brokers know the agent. Default: longshore.
	ClientID string `mapstructure:"client_id"`
	// Topic is one topic for all records, or a template with {module}, {dataset}, {class} (event, entity, finding, action)
	// and {tenant}, such as "saas.{dataset}". A template makes at most 256 topics; what is beyond goes to the topic of its
	// class. Default: none, see topics.
	Topic string `mapstructure:"topic"`
	// Topics are the topics by class of record.
	Topics TopicsConfig `mapstructure:"topics"`
	// PartitionBy is what chooses the partition of activities, findings and actions: id spreads them, user keeps those of one
	// user in order in one partition, tenant those of one tenant. The key stays the id; states of entities always go by it, for
	// a compacted topic. Default: id.
	PartitionBy string `mapstructure:"partition_by"`
	// Tombstones follows the message of a deleted entity with an empty one of the same key, so that compaction removes the
	// entity and a table that is read from the topic loses it. Default: false, the last state says that it is deleted.
	Tombstones bool `mapstructure:"tombstones"`
	// DeadLetterTopic takes what no broker accepts, with the reason. Default: saas.dead_letter.
	DeadLetterTopic string `mapstructure:"dead_letter_topic"`
	// AutoCreateTopics asks the brokers to make topics that are missing, where they allow it. Default: true.
	AutoCreateTopics bool `mapstructure:"auto_create_topics"`
	// Encoding of a message: ecs, ocsf, otlp_json or otlp_proto. Default: ecs.
	Encoding string `mapstructure:"encoding"`
	// DropOriginal leaves the provider's raw object out of ecs (event.original) and ocsf (raw_data) messages. Default: false.
	DropOriginal bool `mapstructure:"drop_original"`
	// Namespace is data_stream.namespace in ecs messages. Default: saas.
	Namespace string `mapstructure:"namespace"`
	// Acks is who must have written a message before it counts: all in-sync replicas, one, or none. Default: all. With
	// none nothing is known of a failure, and records are lost with it.
	Acks string `mapstructure:"acks"`
	// Compression is none, gzip, snappy, lz4 or zstd. Default: lz4.
	Compression string `mapstructure:"compression"`
	// MaxMessageBytes bounds a batch before compression; a single larger message goes alone. Default: 1000000, which fits
	// the brokers' default message.max.bytes.
	MaxMessageBytes int `mapstructure:"max_message_bytes"`
	// Timeout bounds one attempt to write a batch of records. Default: 30s.
	Timeout time.Duration `mapstructure:"timeout"`
	// TLS turns encryption on; {} uses the system's authorities. Default: off.
	TLS configoptional.Optional[configtls.ClientConfig] `mapstructure:"tls"`
	// SASL logs on. Default: off.
	SASL SASLConfig `mapstructure:"sasl"`

	// QueueConfig is a queue before the exporter. Default: none, so that a receiver's mark follows the acknowledgement.
	QueueConfig configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	// RetryConfig says how what was refused for now is tried again. Default: after 0.5 s to 30 s, without end.
	RetryConfig configretry.BackOffConfig `mapstructure:"retry_on_failure"`
}

// TopicsConfig names a topic for each class of record.
type TopicsConfig struct {
	// Events are activities. Default: saas.events.
	Events string `mapstructure:"events"`
	// Entities are states of accounts, groups, files …; the key is the entity, so the topic may be compacted. Default:
	// saas.entities.
	Entities string `mapstructure:"entities"`
	// Findings are what classification and policies concluded. Default: saas.findings.
	Findings string `mapstructure:"findings"`
	// Actions are the receipts of changes. Default: saas.actions.
	Actions string `mapstructure:"actions"`
}

// The encodings.
const (
	encodingECS   = "ecs"
	encodingOCSF  = "ocsf"
	encodingJSON  = "otlp_json"
	encodingProto = "otlp_proto"
)

// What chooses a partition.
const (
	byID     = "id"
	byUser   = "user"
	byTenant = "tenant"
)

var (
	acks         = map[string]kafka.RequiredAcks{"all": kafka.RequireAll, "one": kafka.RequireOne, "none": kafka.RequireNone}
	compressions = map[string]kafka.Compression{"none": 0, "gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd}
	choices      = []string{byID, byUser, byTenant}
	encodings    = []string{encodingECS, encodingOCSF, encodingJSON, encodingProto}
)

func defaultConfig() component.Config {
	retry := configretry.NewDefaultBackOffConfig()
	retry.InitialInterval, retry.MaxInterval, retry.MaxElapsedTime = 500*time.Millisecond, 30*time.Second, 0
	return &Config{
		ClientID: "longshore", DeadLetterTopic: delivery.LetterDataset, AutoCreateTopics: true,
		Topics:      TopicsConfig{Events: "saas.events", Entities: "saas.entities", Findings: "saas.findings", Actions: "saas.actions"},
		PartitionBy: byID, Encoding: encodingECS, Namespace: "saas",
		Acks: "all", Compression: "lz4", MaxMessageBytes: 1_000_000, Timeout: 30 * time.Second,
		QueueConfig: configoptional.Default(exporterhelper.NewDefaultQueueConfig()), RetryConfig: retry,
	}
}

// Validate checks the configuration.
func (c *Config) Validate() error {
	if len(c.Brokers) == 0 {
		return errors.New(`brokers is empty: give at least one, such as "localhost:9092"`)
	}
	for _, b := range c.Brokers {
		if host, port, err := net.SplitHostPort(b); err != nil || host == "" || port == "" || strings.ContainsAny(b, "/@") {
			return fmt.Errorf("brokers: %q is no host:port", b[strings.LastIndexByte(b, '@')+1:])
		}
	}
	for key, topic := range map[string]string{"topics: events": c.Topics.Events, "topics: entities": c.Topics.Entities,
		"topics: findings": c.Topics.Findings, "topics: actions": c.Topics.Actions, "dead_letter_topic": c.DeadLetterTopic} {
		if err := checkTopic(key, topic); err != nil {
			return err
		}
	}
	if _, err := parseTemplate(c.Topic); c.Topic != "" && err != nil {
		return err
	}
	if !slices.Contains(choices, c.PartitionBy) {
		return fmt.Errorf("partition_by %q: it is one of %s", c.PartitionBy, strings.Join(choices, ", "))
	}
	if !slices.Contains(encodings, c.Encoding) {
		return fmt.Errorf("encoding %q: it is one of %s", c.Encoding, strings.Join(encodings, ", "))
	}
	if _, ok := acks[c.Acks]; !ok {
		return fmt.Errorf("acks %q: it is all, one or none", c.Acks)
	}
	if _, ok := compressions[c.Compression]; !ok {
		return fmt.Errorf("compression %q: it is none, gzip, snappy, lz4 or zstd", c.Compression)
	}
	if c.MaxMessageBytes < 1<<10 || c.MaxMessageBytes > 100<<20 {
		return fmt.Errorf("max_message_bytes %d: it must be from %d to %d", c.MaxMessageBytes, 1<<10, 100<<20)
	}
	if c.Timeout < time.Second {
		return fmt.Errorf("timeout %s: it must be at least 1s", c.Timeout)
	}
	return c.SASL.check(c.TLS.HasValue())
}

// checkTopic tells whether Kafka allows the name.
func checkTopic(key, topic string) error {
	odd := func(r rune) bool { return r >= 0x80 || !allowed(byte(r)) }
	if topic == "" || topic == "." || topic == ".." || len(topic) > maxTopic || strings.ContainsFunc(topic, odd) {
		return fmt.Errorf("%s: %q is no name of a topic", key, topic)
	}
	return nil
}

// topic is where records of a class go, unless a template says otherwise.
func (c *Config) topic(class delivery.Class) string {
	if c.Topic != "" {
		return c.Topic
	}
	return c.Topics.of(class)
}

func (c TopicsConfig) of(class delivery.Class) string {
	switch class {
	case delivery.Entity:
		return c.Entities
	case delivery.Finding:
		return c.Findings
	case delivery.Action:
		return c.Actions
	}
	return c.Events
}

// topics are all topics that are ever written to; none: that is not known.
func (c *Config) topics() []string {
	if t, err := parseTemplate(c.Topic); err == nil && t.varies() {
		return nil
	}
	all := []string{c.DeadLetterTopic}
	for _, class := range []delivery.Class{delivery.Event, delivery.Entity, delivery.Finding, delivery.Action} {
		if t := c.topic(class); !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	return all
}
