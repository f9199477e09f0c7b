package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"

	kafka "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/metadata"
	"github.com/segmentio/kafka-go/protocol/produce"
	"github.com/segmentio/kafka-go/protocol/rawproduce"
)

// got is one message that the stand-in keeps.
type got struct {
	topic     string
	partition int
	key       string
	value     []byte
	headers   map[string]string
}

// standIn takes the place of a cluster behind kafka.RoundTripper. It is a stand-in: it knows metadata and produce only.
type standIn struct {
	mu       sync.Mutex
	topics   map[string]int // partitions
	messages []got
	asked    int // for metadata
	batches  int
	limit    int // bytes of a batch; 0 = none

	find  func(n int, topic string) kafka.Error                                                 // answers the nth question for a topic
	write func(n int, topic string, part int, batch []got) (kafka.Error, map[int]string, error) // answers the nth batch
	hold  func(io.Reader) error                                                                 // fails before a batch is read
}

func newStandIn() *standIn { return &standIn{topics: map[string]int{}} }

func (s *standIn) RoundTrip(ctx context.Context, _ net.Addr, req kafka.Request) (kafka.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	switch r := req.(type) {
	case *metadata.Request:
		return s.metadata(r), nil
	case *rawproduce.Request: // as the exporter gives it to the client
		part := r.Topics[0].Partitions[0]
		if s.hold != nil {
			if err := s.hold(part.RecordSet.Reader); err != nil {
				return nil, err
			}
		}
		set, err := unpacked(part.RecordSet.Reader)
		if err != nil {
			return nil, err
		}
		return s.produce(r.Topics[0].Topic, part.Partition, set.Records)
	case *produce.Request: // as it comes over a connection
		part := r.Topics[0].Partitions[0]
		return s.produce(r.Topics[0].Topic, part.Partition, part.RecordSet.Records)
	}
	return nil, errors.New("the stand-in knows no such request")
}

func (s *standIn) metadata(r *metadata.Request) kafka.Response {
	res := &metadata.Response{}
	for _, name := range r.TopicNames {
		s.asked++
		t := metadata.ResponseTopic{Name: name}
		if s.find != nil {
			t.ErrorCode = int16(s.find(s.asked, name))
		}
		if t.ErrorCode == 0 {
			if s.topics[name] == 0 {
				s.topics[name] = 3
			}
			for i := range s.topics[name] {
				t.Partitions = append(t.Partitions, metadata.ResponsePartition{PartitionIndex: int32(i)})
			}
		}
		res.Topics = append(res.Topics, t)
	}
	return res
}

func (s *standIn) produce(topic string, part int32, records kafka.RecordReader) (kafka.Response, error) {
	s.batches++
	batch, size, err := read(topic, int(part), records)
	if err != nil {
		return nil, err
	}
	var code kafka.Error
	var single map[int]string
	if s.write != nil {
		if code, single, err = s.write(s.batches, topic, int(part), batch); err != nil {
			return nil, err
		}
	}
	if s.limit > 0 && size > s.limit {
		code = kafka.MessageSizeTooLarge
	}
	if code == 0 {
		s.messages = append(s.messages, batch...)
	}
	answer := produce.ResponsePartition{Partition: part, ErrorCode: int16(code)}
	for i, why := range single {
		answer.RecordErrors = append(answer.RecordErrors, produce.ResponseError{BatchIndex: int32(i), BatchIndexErrorMessage: why})
	}
	return &produce.Response{Topics: []produce.ResponseTopic{{Topic: topic, Partitions: []produce.ResponsePartition{answer}}}}, nil
}

// unpacked reads a batch as brokers do, to its last byte.
func unpacked(in io.Reader) (set protocol.RecordSet, err error) {
	text, err := io.ReadAll(in)
	if err != nil {
		return set, err
	}
	if n, err := set.ReadFrom(bytes.NewBuffer(text)); err != nil || n != int64(len(text)) {
		return set, fmt.Errorf("of a batch of %d bytes %d are read, %w", len(text), n, err)
	}
	return set, nil
}

func read(topic string, part int, in kafka.RecordReader) ([]got, int, error) {
	var out []got
	size := 0
	for {
		r, err := in.ReadRecord()
		if errors.Is(err, io.EOF) {
			return out, size, nil
		}
		if err != nil {
			return nil, 0, err
		}
		g := got{topic: topic, partition: part, headers: map[string]string{}}
		key, err := protocol.ReadAll(r.Key)
		if err != nil {
			return nil, 0, err
		}
		if g.value, err = protocol.ReadAll(r.Value); err != nil {
			return nil, 0, err
		}
		g.key = string(key)
		for _, h := range r.Headers {
			g.headers[h.Key] = string(h.Value)
		}
		size += len(key) + len(g.value)
		out = append(out, g)
	}
}

// keys are the keys in a topic, in order of their names.
func (s *standIn) keys(topic string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, m := range s.messages {
		if m.topic == topic {
			out = append(out, m.key)
		}
	}
	slices.Sort(out)
	return out
}
