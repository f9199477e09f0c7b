package backends

import (
	"testing"

	kafka "github.com/segmentio/kafka-go"
)

func TestAnotherNodeLeadsWhenTheLeaderIsKilled(t *testing.T) {
	c := StartKafkaCluster(t)
	all := c.Addr
	if len(c.Brokers()) != kafkaNodes {
		t.Fatalf("addresses %q", all)
	}
	admin := &kafka.Transport{}
	defer admin.CloseIdleConnections()
	client := kafka.Client{Addr: kafka.TCP(c.Brokers()...), Transport: admin}
	res, err := client.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{
		Topics: []kafka.TopicConfig{{Topic: "led", NumPartitions: 1, ReplicationFactor: kafkaNodes}}})
	if err != nil || res.Errors["led"] != nil {
		t.Fatalf("create topic: %v, %v", res, err)
	}
	c.AwaitInSync("led", 0)
	first := c.Leader("led", 0)
	c.KillNode(first)
	if next := c.watch("led", 0, "another leader", func(p kafka.Partition) bool { return p.Leader.ID != first }); next.Leader.ID == first {
		t.Fatalf("node %d still leads", first)
	}
	c.StartNode(first)
	c.AwaitInSync("led", 0)
	if c.Addr != all {
		t.Fatalf("addresses %q became %q", all, c.Addr)
	}
}
