package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	kafka "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/metadata"
)

// metadataTTL bounds how long the client goes on with an old idea of the topics and their leaders.
const metadataTTL = 2 * time.Second

// cluster is the brokers.
type cluster struct {
	kafka.Client
	create bool // topics that are missing
	acks   kafka.RequiredAcks
	packer *packer
	close  func()
}

// dial makes a client; it connects when it is first used.
func dial(ctx context.Context, cfg *Config) (*cluster, error) {
	t := &kafka.Transport{ClientID: cfg.ClientID, MetadataTTL: metadataTTL, MetadataTopics: cfg.topics()}
	if tls := cfg.TLS.Get(); tls != nil {
		var err error
		if t.TLS, err = tls.LoadTLSConfig(ctx); err != nil {
			return nil, fmt.Errorf("load tls settings: %w", err)
		}
	}
	var err error
	if t.SASL, err = cfg.SASL.mechanism(ctx, cfg.ClientID); err != nil {
		return nil, err
	}
	return newCluster(cfg, t, t.CloseIdleConnections), nil
}

func newCluster(cfg *Config, rt kafka.RoundTripper, closing func()) *cluster {
	return &cluster{
		Client: kafka.Client{Addr: kafka.TCP(cfg.Brokers...), Timeout: cfg.Timeout, Transport: rt},
		create: cfg.AutoCreateTopics, acks: acks[cfg.Acks], packer: newPacker(compressions[cfg.Compression]), close: closing,
	}
}

// partitions are the numbers of a topic's partitions, in order. A topic that is only being made is waited for.
func (c *cluster) partitions(ctx context.Context, topic string) ([]int, error) {
	var found []int
	err := settle(ctx, func() error {
		m, err := c.Transport.RoundTrip(ctx, c.Addr, &metadata.Request{TopicNames: []string{topic}, AllowAutoTopicCreation: c.create})
		if err != nil {
			return err
		}
		res, ok := m.(*metadata.Response)
		if !ok || len(res.Topics) != 1 {
			return kafka.UnknownTopicOrPartition
		}
		if code := res.Topics[0].ErrorCode; code != 0 {
			return kafka.Error(code)
		}
		if len(res.Topics[0].Partitions) == 0 {
			return kafka.UnknownTopicOrPartition
		}
		found = make([]int, len(res.Topics[0].Partitions))
		for i := range found {
			found[i] = i
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find topic %q: %w", topic, err)
	}
	return found, nil
}

// produce writes messages to one partition, as of a time. The map holds what the broker says about single records.
func (c *cluster) produce(ctx context.Context, topic string, partition int, messages []message, at time.Time) (map[int]error, error) {
	b, err := c.packer.pack(messages, at)
	if err != nil {
		return nil, err
	}
	var single map[int]error
	err = settle(ctx, func() error {
		res, err := c.RawProduce(ctx, &kafka.RawProduceRequest{Topic: topic, Partition: partition, RequiredAcks: c.acks,
			RawRecords: protocol.RawRecordSet{Reader: bytes.NewReader(b.out.Bytes())}})
		if err != nil || res == nil { // none: nobody answers
			return err
		}
		single = res.RecordErrors
		return res.Error
	})
	if answered(err) {
		c.packer.release(b)
	}
	return single, err
}

// answered says whether a request is over: one without an answer may be on its way, and the client may still be reading it.
func answered(err error) bool {
	var code kafka.Error
	return err == nil ||
		errors.As(err, &code) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled)
}

// settle repeats what fails because the client does not know yet where a topic is, until the deadline.
func settle(ctx context.Context, do func() error) error {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		err := do()
		if err == nil || !unsettled(err) {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%w (%w)", err, ctx.Err())
		case <-timer.C:
		}
	}
}

// unsettled says whether an error passes with the next metadata.
func unsettled(err error) bool {
	var code kafka.Error
	if errors.As(err, &code) {
		switch code {
		case kafka.UnknownTopicOrPartition, kafka.LeaderNotAvailable, kafka.NotLeaderForPartition, kafka.BrokerNotAvailable,
			kafka.ReplicaNotAvailable, kafka.UnknownTopicID:
			return true
		}
		return false
	}
	return errors.Is(err, protocol.ErrNoTopic) || errors.Is(err, protocol.ErrNoPartition) || errors.Is(err, protocol.ErrNoLeader)
}

// tooLarge says whether a batch, or the only message in it, is above a broker's limit.
func tooLarge(err error) bool {
	return errors.Is(err, kafka.MessageSizeTooLarge) || errors.Is(err, kafka.RecordListTooLarge)
}

// invalid says whether a broker refuses what is in a message, whenever it is sent.
func invalid(err error) bool {
	return errors.Is(err, kafka.InvalidRecord) || errors.Is(err, kafka.InvalidTimestamp)
}
