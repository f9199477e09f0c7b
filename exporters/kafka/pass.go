package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	kafka "github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"github.com/longshore-dev/longshore/internal/delivery"
	"github.com/longshore-dev/longshore/internal/event"
)

const (
	roomBytes   = 8 << 20  // of messages encoded before they are written
	keptRoom    = 16 << 20 // of memory that an idle exporter keeps for each batch that ran at the same time
	overhead    = 96       // bytes of a record beside key, value and headers, at most
	maxRecords  = 10_000   // in one batch of a partition
	lanesAtOnce = 8        // partitions written to at the same time
	letterLimit = 32 << 10 // bytes of each part of a letter: all of it fits into the smallest limit in use
	keptErrors  = 3
)

// room holds messages until they are written.
type room struct {
	buf      []byte
	messages []message
	headers  []header // of all messages
}

// header is one of a message.
type header struct{ key, value string }

// message is one record on its way.
type message struct {
	view       event.View
	rec        int // number of the record in the batch
	topic      string
	key        string
	by         string // what chooses the partition
	tombstone  bool   // it has no value
	headers    []header
	start, end int    // of the value in the room
	value      []byte // set when the room is full; nil in a tombstone
}

func (m *message) size() int {
	n := overhead + len(m.key) + len(m.value)
	for _, h := range m.headers {
		n += len(h.key) + len(h.value) + 4
	}
	return n
}

// pass is the writing of one batch.
type pass struct {
	*sink
	ctx context.Context // of this call only: a pass lives no longer
	at  time.Time

	mu     sync.Mutex
	failed []bool // by record
	errs   []error
}

// add encodes one record.
func (p *pass) add(r *room, w event.View, rec int) {
	class := delivery.ClassOf(w)
	m := message{view: w, rec: rec, topic: p.topics.topic(w, class), start: len(r.buf)}
	entity := ""
	if class == delivery.Entity {
		entity = w.EntityID()
	}
	if m.key = entity; entity == "" {
		m.key = w.DocID()
	}
	m.by = m.key
	if entity == "" {
		m.by = p.chooser(w, m.key)
	}
	m.headers = p.headers(r, w)
	r.buf = p.encode(r.buf, w)
	m.end = len(r.buf)
	r.messages = append(r.messages, m)
	if p.cfg.Tombstones && entity != "" && deleted(w) {
		m.start, m.tombstone = m.end, true
		r.messages = append(r.messages, m)
	}
}

// chooser is the text that chooses the partition of a record. One without a user or tenant goes by its key.
func (p *pass) chooser(w event.View, key string) string {
	var fields []string
	switch p.cfg.PartitionBy {
	case byUser:
		fields = []string{"user.id", "user.email", "user.name"}
	case byTenant:
		fields = []string{"saas.tenant"}
	}
	for _, f := range fields {
		if text := w.Str(f); text != "" {
			return text
		}
	}
	return key
}

// headers are those of a record.
func (p *pass) headers(r *room, w event.View) []header {
	start := len(r.headers)
	for _, h := range [...]header{{"module", w.Str("event.module")}, {"dataset", w.Str("event.dataset")}, {"schema", p.cfg.Encoding},
		{"event_id", w.Str("event.id")}} {
		if h.value != "" {
			r.headers = append(r.headers, h)
		}
	}
	return slices.Clip(r.headers[start:])
}

func (p *pass) encode(dst []byte, w event.View) []byte {
	e := event.Encoding{NoOriginal: p.cfg.DropOriginal, Namespace: p.cfg.Namespace}
	switch p.cfg.Encoding {
	case encodingOCSF:
		return event.AppendOCSF(dst, w, e)
	case encodingProto:
		return event.AppendOTLPProto(dst, w)
	case encodingJSON:
		return event.AppendOTLPJSON(dst, w)
	}
	return event.AppendECS(dst, w, e)
}

// deleted says whether a state of an entity is its end.
func deleted(w event.View) bool {
	return w.Str("event.kind") == "asset" && slices.Contains(w.Strs("event.type"), "deletion")
}

// lane is one partition.
type lane struct {
	topic     string
	partition int
}

// flush writes all messages of the room, and empties it.
func (p *pass) flush(r *room) {
	topics := map[string][]message{}
	for _, m := range r.messages {
		if m.value = r.buf[m.start:m.end]; m.tombstone {
			m.value = nil
		}
		topics[m.topic] = append(topics[m.topic], m)
	}
	var wait sync.WaitGroup
	slots := make(chan struct{}, lanesAtOnce)
	for topic, messages := range topics {
		wait.Go(func() { p.topic(topic, messages, slots) })
	}
	wait.Wait()
	clear(r.messages)
	clear(r.headers)
	r.buf, r.messages, r.headers = r.buf[:0], r.messages[:0], r.headers[:0]
	if cap(r.buf) > keptRoom {
		r.buf = nil
	}
}

// topic writes the messages of one topic. While it is waited for, those of others are written.
func (p *pass) topic(topic string, messages []message, slots chan struct{}) {
	numbers, err := p.cluster.partitions(p.ctx, topic)
	if err != nil {
		p.again(messages, err)
		return
	}
	lanes := map[int][]message{}
	for _, m := range messages {
		n := choose(m.by, numbers)
		lanes[n] = append(lanes[n], m)
	}
	var wait sync.WaitGroup
	for n, messages := range lanes {
		slots <- struct{}{}
		wait.Go(func() {
			p.lane(lane{topic, n}, messages)
			<-slots
		})
	}
	wait.Wait()
}

// choose gives a text the partition that Java's producer gives a key.
func choose(key string, partitions []int) int {
	return kafka.Murmur2Balancer{Consistent: true}.Balance(kafka.Message{Key: []byte(key)}, partitions...)
}

// lane writes messages to a partition, in order; after a failure the rest waits for the next attempt.
func (p *pass) lane(l lane, messages []message) {
	for len(messages) > 0 {
		n, size := 0, 0
		for n < len(messages) && n < maxRecords {
			size += messages[n].size()
			if n > 0 && size > p.cfg.MaxMessageBytes {
				break
			}
			n++
		}
		if !p.batch(l, messages[:n]) {
			p.again(messages[n:], nil)
			return
		}
		messages = messages[n:]
	}
}

// batch writes messages in one request; false: some must be tried again. What a broker cannot take together is halved.
func (p *pass) batch(l lane, messages []message) bool {
	if len(messages) == 0 {
		return true
	}
	single, err := p.cluster.produce(p.ctx, l.topic, l.partition, messages, p.at)
	switch {
	case err == nil:
		p.counters.Add(delivery.Accepted, count(messages))
		return true
	case !tooLarge(err) && !invalid(err):
		p.again(messages, fmt.Errorf("write to topic %q, partition %d: %w", l.topic, l.partition, err))
		return false
	case len(messages) == 1:
		return p.refuse(messages[0], err)
	case invalid(err) && len(single) > 0:
		return p.sift(l, messages, single, err)
	}
	mid := len(messages) / 2
	if !p.batch(l, messages[:mid]) {
		p.again(messages[mid:], nil)
		return false
	}
	return p.batch(l, messages[mid:])
}

// count is how many of the messages are records.
func count(messages []message) int {
	n := 0
	for _, m := range messages {
		if !m.tombstone {
			n++
		}
	}
	return n
}

// sift sets aside the messages that a broker names, and writes the others.
func (p *pass) sift(l lane, messages []message, single map[int]error, err error) bool {
	rest := make([]message, 0, len(messages))
	ok := true
	for i, m := range messages {
		if why, bad := single[i]; bad {
			ok = p.refuse(m, fmt.Errorf("%w: %w", err, why)) && ok
		} else {
			rest = append(rest, m)
		}
	}
	if len(rest) == len(messages) { // it names none of these
		p.again(messages, err)
		return false
	}
	return p.batch(l, rest) && ok
}

// again marks records to be tried again.
func (p *pass) again(messages []message, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range messages {
		p.failed[m.rec] = true
	}
	known := func(e error) bool { return e.Error() == why.Error() }
	if why != nil && len(p.errs) < keptErrors && !slices.ContainsFunc(p.errs, known) {
		p.errs = append(p.errs, why)
	}
}

// refuse sets a record aside for good. Where that fails, the record is tried again.
func (p *pass) refuse(m message, why error) bool {
	r := delivery.Refusal{ID: m.key, Type: "refused", Reason: why.Error()}
	var code kafka.Error
	if errors.As(why, &code) {
		r.Type = code.Title()
	}
	if err := p.post(m, r); err != nil {
		p.again([]message{m}, fmt.Errorf("set aside record %s (%s): %w", r.ID, r.Type, err))
		return false
	}
	p.counters.Add(delivery.Refused, 1)
	p.log.Warn("a record can never be written and was set aside", zap.String("id", r.ID), zap.String("cause", r.Type))
	return true
}

// post writes a letter to the dead-letter topic.
func (p *pass) post(m message, r delivery.Refusal) error {
	topic := p.cfg.DeadLetterTopic
	numbers, err := p.cluster.partitions(p.ctx, topic)
	if err != nil {
		return err
	}
	letter := message{key: m.key, value: delivery.Letter(m.view, r, p.cfg.Namespace, letterLimit, p.at)}
	letter.headers = []header{{"schema", encodingECS}, {"dataset", delivery.LetterDataset}, {"reason", r.Type}}
	if _, err = p.cluster.produce(p.ctx, topic, choose(m.key, numbers), []message{letter}, p.at); err != nil {
		return fmt.Errorf("write to topic %q: %w", topic, err)
	}
	return nil
}
