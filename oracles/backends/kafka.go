package backends

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	kafka "github.com/segmentio/kafka-go"
)

// kafkaNodes is how many nodes a cluster has.
const kafkaNodes = 3

// KafkaCluster is a Server of three nodes, each broker and controller; topics have three copies, of which two must be in
// sync. Addr is the addresses of all nodes, with commas. Kill, Stop and Start are for all nodes together.
type KafkaCluster struct{ *Server }

// StartKafkaCluster runs three Kafka nodes, with the options of StartKafka; node i is at Port+i.
func StartKafkaCluster(t testing.TB, options ...string) *KafkaCluster {
	t.Helper()
	need(t, "kafka", "java")
	var offsets []int
	for _, group := range []int{0, 100, 200, 300} {
		for i := range kafkaNodes {
			offsets = append(offsets, group+i)
		}
	}
	data, port := filepath.Join(t.TempDir(), "kafka"), freePort(t, offsets...)
	start := append([]string{"-n", strconv.Itoa(kafkaNodes)}, options...)
	start = append(start, data, strconv.Itoa(port))
	s := &Server{t: t, Port: port, Data: data, scripts: folder("kafka"), again: start, kill: []string{"-9", data}}
	s.run(start)
	return &KafkaCluster{s}
}

// Brokers are the addresses of the nodes.
func (c *KafkaCluster) Brokers() []string { return strings.Split(c.Addr, ",") }

// KillNode ends node i, from 0, without warning.
func (c *KafkaCluster) KillNode(i int) {
	c.t.Helper()
	if err := c.script("stop", []string{"-9", c.Data, strconv.Itoa(i)}); err != nil {
		c.t.Fatal(err)
	}
}

// StartNode starts node i again, on the same port and data.
func (c *KafkaCluster) StartNode(i int) {
	c.t.Helper()
	all := c.Addr
	if err := c.script("start", []string{c.Data, "--node", strconv.Itoa(i)}); err != nil {
		c.t.Fatal(err)
	}
	c.Addr = all
}

// Leader is the node that leads a partition. It asks until there is one, at most for two minutes.
func (c *KafkaCluster) Leader(topic string, partition int) int {
	c.t.Helper()
	return c.watch(topic, partition, "a leader", func(kafka.Partition) bool { return true }).Leader.ID
}

// AwaitInSync waits until all nodes have what is acknowledged in a partition, at most for two minutes.
func (c *KafkaCluster) AwaitInSync(topic string, partition int) {
	c.t.Helper()
	c.watch(topic, partition, "all copies in sync", func(p kafka.Partition) bool { return len(p.Isr) == kafkaNodes })
}

// watch asks for a partition that has a leader until ok holds.
func (c *KafkaCluster) watch(topic string, partition int, what string, ok func(kafka.Partition) bool) kafka.Partition {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		p, err := c.partition(ctx, topic, partition)
		if err == nil && ok(p) {
			return p
		}
		select {
		case <-ctx.Done():
			c.t.Fatalf("wait for %s of %s/%d: %v, last seen %+v", what, topic, partition, err, p)
		case <-tick.C:
		}
	}
}

// partition asks all nodes anew, and believes the first that knows a leader.
func (c *KafkaCluster) partition(ctx context.Context, topic string, partition int) (kafka.Partition, error) {
	cause := fmt.Errorf("no node answers for %s", topic)
	for _, addr := range c.Brokers() {
		found, err := ask(ctx, addr, topic)
		if err != nil {
			cause = err
			continue
		}
		for _, p := range found {
			if p.ID == partition && p.Leader.Host != "" {
				return p, nil
			}
		}
	}
	return kafka.Partition{}, cause
}

func ask(ctx context.Context, addr, topic string) ([]kafka.Partition, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	c, err := kafka.DefaultDialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return nil, err
	}
	return c.ReadPartitions(topic)
}
