package exporters

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/exporters/kafka"
	"github.com/longshore-dev/longshore/oracles/backends"
)

// node is a broker and how to read it.
type node struct {
	*backends.Server
	t *testing.T
}

// read gives all messages of a topic: per key the last one, and how many there were.
func (n node) read(topic string) (last map[string]kafkago.Message, count int) {
	n.t.Helper()
	last = map[string]kafkago.Message{}
	n.each(topic, func(m kafkago.Message) {
		last[string(m.Key)] = m
		count++
	})
	return last, count
}

// each reads all messages of a topic, a partition after the other.
func (n node) each(topic string, take func(kafkago.Message)) {
	n.t.Helper()
	addr, _, _ := strings.Cut(n.Addr, ",")
	parts, err := kafkago.LookupPartitions(n.t.Context(), "tcp", addr, topic)
	if err != nil {
		n.t.Fatalf("look up partitions of %s: %v", topic, err)
	}
	for _, p := range parts {
		c, err := kafkago.DialLeader(n.t.Context(), "tcp", addr, topic, p.ID)
		if err != nil {
			n.t.Fatal(err)
		}
		from, to, err := c.ReadOffsets()
		if err != nil {
			n.t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(60 * time.Second))
		if _, err := c.Seek(from, kafkago.SeekAbsolute); err != nil {
			n.t.Fatal(err)
		}
		for at := from; at < to; {
			b := c.ReadBatch(1, 10<<20)
			for {
				m, err := b.ReadMessage()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					n.t.Fatalf("read %s/%d at %d of %d: %v", topic, p.ID, at, to, err)
				}
				at = m.Offset + 1
				take(m)
			}
			_ = b.Close()
		}
		_ = c.Close()
	}
}

// keys are the keys of a topic, each once, and the number of messages.
func (n node) keys(topic string) ([]string, int) {
	last, count := n.read(topic)
	var out []string
	for k := range last {
		out = append(out, k)
	}
	slices.Sort(out)
	return out, count
}

func (n node) exporter(t *testing.T, change func(*kafka.Config)) *running {
	t.Helper()
	f := kafka.NewFactory()
	cfg := f.CreateDefaultConfig().(*kafka.Config)
	cfg.Brokers = []string{n.Addr}
	cfg.RetryConfig.MaxInterval = 2 * time.Second
	if change != nil {
		change(cfg)
	}
	return start(t, f, cfg, "agent-secret")
}

func TestRealKafka(t *testing.T) {
	n := node{backends.StartKafka(t, "-s", "-t"), t}
	for _, c := range []struct {
		name string
		test func(*testing.T, node)
	}{
		{"PublishedIsConsumed", published},
		{"EntitiesKeepTheirOrder", entitiesInOrder},
		{"TemplateMakesTopics", templated},
		{"CompactionForgetsDeletedEntities", compacted},
		{"EveryCodecAndEncodingIsRead", codecs},
		{"TopicMadeElsewhereIsWaitedFor", madeElsewhere},
		{"TooLargeMessagesAreSetAside", tooLarge},
		{"SASLAndTLSWork", secured},
		{"KilledUnderLoadNothingIsLost", nodeKilled},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, node{n.Server, t}) })
	}
}

func published(t *testing.T, n node) {
	e := n.exporter(t, nil)
	logs := batch("published", 0, 5000)
	e.send(logs)
	if lines := e.log.FilterMessageSnippet("Will retry").All(); len(lines) != 0 {
		t.Fatalf("the fresh topic surfaced: %v", lines[0].ContextMap())
	}
	got, messages := n.keys("saas.events")
	same(t, "keys", got, ids(logs))
	if messages != 5000 {
		t.Fatalf("%d messages", messages)
	}
	e.send(batch("published", 100, 200)) // a repeat has the keys of the first
	last, messages := n.read("saas.events")
	if len(last) != 5000 || messages != 5100 {
		t.Fatalf("%d keys, %d messages", len(last), messages)
	}
	m := last[got[0]]
	h := map[string]string{}
	for _, x := range m.Headers {
		h[x.Key] = string(x.Value)
	}
	if h["module"] != "okta" || h["dataset"] != "okta.system" || h["schema"] != "ecs" || !strings.HasPrefix(h["event_id"], "id-") {
		t.Fatalf("headers %v", h)
	}
}

func entitiesInOrder(t *testing.T, n node) {
	e := n.exporter(t, nil)
	for i := range 5 {
		logs := batch("order", 0, 30)
		for k, w := range views(logs) {
			entity(w, fmt.Sprint("u", k), fmt.Sprint("name", i), day.Add(time.Duration(i)*time.Minute))
		}
		e.send(logs)
	}
	last, messages := n.read("saas.entities")
	if len(last) != 30 || messages != 150 {
		t.Fatalf("%d keys, %d messages", len(last), messages)
	}
	for key, m := range last {
		if !strings.Contains(string(m.Value), `"name4"`) {
			t.Fatalf("the last of %s is %s", key, m.Value)
		}
	}
}

func templated(t *testing.T, n node) {
	e := n.exporter(t, func(c *kafka.Config) { c.Topic, c.PartitionBy = "by.{dataset}.{tenant}", "user" })
	logs := batch("Acme Ltd.", 0, 200)
	for i, w := range views(logs) {
		w.Log.Attributes().PutStr("event.dataset", []string{"okta.system", "box_events.events"}[i%2])
	}
	e.send(logs)
	if e.retries() != 0 {
		t.Fatal("the fresh topics surfaced")
	}
	var got []string
	for _, topic := range []string{"by.okta.system.Acme_Ltd_", "by.box_events.events.Acme_Ltd_"} {
		keys, _ := n.keys(topic)
		if len(keys) != 100 {
			t.Fatalf("%s: %d keys", topic, len(keys))
		}
		got = append(got, keys...)
	}
	slices.Sort(got)
	same(t, "keys", got, ids(logs))
}

// compacted writes states of 30 accounts, of which ten end, to a compacted topic until the cleaner has been there.
func compacted(t *testing.T, n node) {
	const topic = "compacted"
	admin := &kafkago.Transport{}
	defer admin.CloseIdleConnections()
	client := kafkago.Client{Addr: kafkago.TCP(n.Addr), Transport: admin}
	var entries []kafkago.ConfigEntry
	for _, kv := range [][2]string{{"cleanup.policy", "compact"}, {"min.cleanable.dirty.ratio", "0.001"}, {"segment.ms", "200"},
		{"delete.retention.ms", "0"}, {"max.compaction.lag.ms", "200"}} {
		entries = append(entries, kafkago.ConfigEntry{ConfigName: kv[0], ConfigValue: kv[1]})
	}
	res, err := client.CreateTopics(t.Context(), &kafkago.CreateTopicsRequest{Topics: []kafkago.TopicConfig{
		{Topic: topic, NumPartitions: 1, ReplicationFactor: 1, ConfigEntries: entries}}})
	if err != nil || res.Errors[topic] != nil {
		t.Fatalf("create topic: %v, %v", res, err)
	}
	e := n.exporter(t, func(c *kafka.Config) { c.Topic, c.Tombstones = topic, true })
	states := func(round int) {
		logs := batch("compacted", 0, 30)
		for k, w := range views(logs) {
			entity(w, fmt.Sprint("u", k), fmt.Sprint("name", round), day.Add(time.Duration(round)*time.Minute))
			if round == 1 && k < 10 {
				w.Log.Attributes().PutEmptySlice("event.type").AppendEmpty().SetStr("deletion")
			}
		}
		e.send(logs)
	}
	states(0)
	states(1)
	gone := map[string]bool{}
	ends := batch("compacted", 0, 10)
	for k, w := range views(ends) {
		entity(w, fmt.Sprint("u", k), "", day)
		gone[w.EntityID()] = true
	}
	last, messages := n.read(topic)
	if len(last) != 30 || messages != 70 {
		t.Fatalf("%d keys, %d messages", len(last), messages)
	}
	for key, m := range last {
		if (m.Value == nil) != gone[key] {
			t.Fatalf("%s ends with %q", key, m.Value)
		}
	}
	alive := batch("compacted", 29, 30)
	entity(views(alive)[0], "u29", "name2", day.Add(time.Hour))
	until(t, "the cleaner", func() bool {
		e.send(alive) // what is written last is never cleaned
		left, there := 0, map[string]bool{}
		n.each(topic, func(m kafkago.Message) {
			if there[string(m.Key)] = true; gone[string(m.Key)] && m.Value != nil {
				left++
			}
		})
		for key := range last {
			if !gone[key] && !there[key] {
				t.Fatalf("%s is gone", key)
			}
		}
		return left == 0
	})
}

func codecs(t *testing.T, n node) {
	for i, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		encoding := []string{"ecs", "otlp_json", "otlp_proto", "ocsf"}[i%4]
		topic := "codec." + codec
		e := n.exporter(t, func(c *kafka.Config) { c.Topic, c.Compression, c.Encoding = topic, codec, encoding })
		logs := batch(codec, 0, 200)
		e.send(logs)
		last, _ := n.read(topic)
		for _, w := range views(logs) {
			m, ok := last[w.DocID()]
			if !ok || len(last) != 200 {
				t.Fatalf("%s: %d keys", codec, len(last))
			}
			var u plog.Unmarshaler = &plog.ProtoUnmarshaler{}
			switch encoding {
			case "ecs":
				if !strings.HasPrefix(string(m.Value), `{"@timestamp":`) {
					t.Fatalf("%s: %.100s", codec, m.Value)
				}
				continue
			case "ocsf":
				if !strings.Contains(string(m.Value), `"class_uid":`) {
					t.Fatalf("%s: %.100s", codec, m.Value)
				}
				continue
			case "otlp_json":
				u = &plog.JSONUnmarshaler{}
			}
			if one, err := u.UnmarshalLogs(m.Value); err != nil || views(one)[0].DocID() != w.DocID() {
				t.Fatalf("%s: %v", codec, err)
			}
		}
	}
}

func madeElsewhere(t *testing.T, n node) {
	e := n.exporter(t, func(c *kafka.Config) { c.Topic, c.AutoCreateTopics = "made.elsewhere", false })
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.send(batch("elsewhere", 0, 100))
	}()
	admin := &kafkago.Transport{}
	defer admin.CloseIdleConnections()
	client := kafkago.Client{Addr: kafkago.TCP(n.Addr), Transport: admin}
	res, err := client.CreateTopics(t.Context(), &kafkago.CreateTopicsRequest{
		Topics: []kafkago.TopicConfig{{Topic: "made.elsewhere", NumPartitions: 4, ReplicationFactor: 1}}})
	if err != nil || res.Errors["made.elsewhere"] != nil {
		t.Fatalf("create topic: %v, %v", res, err)
	}
	<-done
	if e.retries() != 0 {
		t.Fatal("the missing topic surfaced")
	}
	got, _ := n.keys("made.elsewhere")
	same(t, "keys", got, ids(batch("elsewhere", 0, 100)))
}

func tooLarge(t *testing.T, n node) {
	e := n.exporter(t, func(c *kafka.Config) { c.Topic, c.DeadLetterTopic, c.MaxMessageBytes = "large", "large.dead", 8<<20 })
	logs := batch("large", 0, 600)
	noise := make([]byte, 3<<20)
	_, _ = rand.Read(noise)
	huge := views(logs)[300]
	huge.Log.Body().SetStr(`{"huge":"` + base64.StdEncoding.EncodeToString(noise) + `"}`)
	e.send(logs)
	got, _ := n.keys("large")
	same(t, "keys", got, slices.DeleteFunc(ids(logs), func(id string) bool { return id == huge.DocID() }))
	last, _ := n.read("large.dead")
	letter, ok := last[huge.DocID()]
	text := string(letter.Value)
	if !ok || len(last) != 1 || !strings.Contains(text, "Message Size Too Large") || !strings.Contains(text, `"cut":true`) {
		t.Fatalf("%d letters, %.300s", len(last), text)
	}
	if e.retries() != 0 {
		t.Fatalf("%d retries", e.retries())
	}
}

func secured(t *testing.T, n node) {
	for _, mechanism := range []string{"scram-sha-256", "scram-sha-512"} {
		e := n.exporter(t, func(c *kafka.Config) {
			c.Brokers, c.Topic = []string{fmt.Sprintf("127.0.0.1:%d", n.Port+200)}, "secured"
			c.SASL = kafka.SASLConfig{Mechanism: mechanism, Username: "agent", Password: "agent-secret"}
		})
		e.send(batch(mechanism, 0, 50))
	}
	e := n.exporter(t, func(c *kafka.Config) {
		c.Brokers, c.Topic = []string{fmt.Sprintf("localhost:%d", n.Port+300)}, "secured"
		c.TLS = configoptional.Some(configtls.ClientConfig{Config: configtls.Config{CAFile: filepath.Join(n.Data, "ca.pem")}})
	})
	e.send(batch("tls", 0, 50))
	got, _ := n.keys("secured")
	same(t, "keys", got, ids(batch("scram-sha-256", 0, 50), batch("scram-sha-512", 0, 50), batch("tls", 0, 50)))

	wrong := n.exporter(t, func(c *kafka.Config) {
		c.Brokers, c.Topic = []string{fmt.Sprintf("127.0.0.1:%d", n.Port+200)}, "secured"
		c.SASL = kafka.SASLConfig{Mechanism: "scram-sha-512", Username: "agent", Password: "agent-secret-not"}
		c.RetryConfig.Enabled = false
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := wrong.ConsumeLogs(ctx, batch("wrong", 0, 1)); err == nil || strings.Contains(err.Error(), "agent-secret") {
		t.Fatalf("a wrong password: %v", err)
	}
}

func nodeKilled(t *testing.T, n node) {
	e := n.exporter(t, func(c *kafka.Config) { c.Topic = "killed" })
	logs := underLoad(t, e, "killed", func() {
		n.Kill()
		until(t, "the first refusal", func() bool { return e.retries() > 0 })
		n.Server.Start()
	})
	got, messages := n.keys("killed")
	same(t, "keys", got, ids(logs))
	t.Logf("%d retries, %d messages more than records", e.retries(), messages-len(got))
}
