package exporters

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/longshore-dev/longshore/exporters/kafka"
	"github.com/longshore-dev/longshore/oracles/backends"
)

// campaign is how often leaders die under load.
type campaign struct {
	kills int
	every time.Duration
}

// TestLeadersKilledUnderLoadNothingAcknowledgedIsLost kills whoever leads partition 0 of three copies, of which two must be in
// sync, while records come in. Everything that the exporter took is there; what is there twice is equal.
func TestLeadersKilledUnderLoadNothingAcknowledgedIsLost(t *testing.T) {
	form := campaign{kills: 3, every: 2 * time.Second}
	if os.Getenv("LONGSHORE_LONG") == "1" {
		form = campaign{kills: 15, every: 20 * time.Second}
	}
	c := backends.StartKafkaCluster(t)
	const topic = "leaders"
	create(t, c, topic, 3)
	n := node{c.Server, t}
	e := n.exporter(t, func(cfg *kafka.Config) {
		cfg.Brokers, cfg.Topic, cfg.PartitionBy = c.Brokers(), topic, "user"
	})

	ctx, stop := context.WithCancel(t.Context())
	var published [4]int
	var load sync.WaitGroup
	for i := range published {
		load.Go(func() {
			const size = 200
			for ctx.Err() == nil {
				e.send(batch(loader(i), published[i], published[i]+size))
				published[i] += size
			}
		})
	}
	deaths := time.NewTicker(form.every)
	defer deaths.Stop()
	for range form.kills {
		<-deaths.C
		leader := c.Leader(topic, 0)
		c.KillNode(leader)
		c.StartNode(leader)
		for p := range 3 {
			c.AwaitInSync(topic, p)
		}
	}
	stop()
	load.Wait()

	stored, more := n.repeats(topic)
	var want []string
	for i, count := range published {
		want = append(want, ids(batch(loader(i), 0, count))...)
	}
	slices.Sort(want)
	same(t, "keys", slices.Sorted(maps.Keys(stored)), want)
	if e.retries() == 0 {
		t.Error("no death was felt: nothing was tried again")
	}
	t.Logf("%d kills, %d records published, all there, %d messages more than records, %d retries", form.kills, len(want), more, e.retries())
}

func loader(i int) string { return fmt.Sprint("loader", i) }

// mark is what a repeat must have in common with the first.
type mark struct {
	partition int
	eventID   string
	value     [sha256.Size]byte
}

// repeats reads a topic and counts the messages whose key was there before; such a message must be equal to the first.
func (n node) repeats(topic string) (first map[string]mark, more int) {
	n.t.Helper()
	first = map[string]mark{}
	n.each(topic, func(m kafkago.Message) {
		this := mark{m.Partition, header(m, "event_id"), sha256.Sum256(m.Value)}
		before, again := first[string(m.Key)]
		if !again {
			first[string(m.Key)] = this
			return
		}
		if more++; this != before || this.eventID == "" {
			n.t.Fatalf("%s is there twice and differs: %+v, %+v", m.Key, before, this)
		}
	})
	return first, more
}

func create(t *testing.T, c *backends.KafkaCluster, topic string, partitions int) {
	t.Helper()
	admin := &kafkago.Transport{}
	defer admin.CloseIdleConnections()
	client := kafkago.Client{Addr: kafkago.TCP(c.Brokers()...), Transport: admin}
	res, err := client.CreateTopics(t.Context(), &kafkago.CreateTopicsRequest{Topics: []kafkago.TopicConfig{
		{Topic: topic, NumPartitions: partitions, ReplicationFactor: 3,
			ConfigEntries: []kafkago.ConfigEntry{{ConfigName: "min.insync.replicas", ConfigValue: "2"}}}}})
	if err != nil || res.Errors[topic] != nil {
		t.Fatalf("create topic: %v, %v", res, err)
	}
	for p := range partitions {
		c.AwaitInSync(topic, p)
	}
}

func header(m kafkago.Message, key string) string {
	for _, h := range m.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}
