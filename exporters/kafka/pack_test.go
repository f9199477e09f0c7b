package kafka

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	kafka "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

var packedAt = time.Date(2026, 11, 20, 10, 0, 0, 7e6, time.UTC)

// texts are messages with values of n bytes that are alike, as documents are.
func texts(n, size int) []message {
	var out []message
	for i := range n {
		value := fmt.Sprintf(`{"id":"%06d"`, i)
		for k := 0; len(value) < size; k++ {
			value += fmt.Sprintf(`,"field.%d":"value %x"`, k%40, i*k*2654435761)
		}
		headers := []header{{"module", "okta"}, {"event_id", fmt.Sprint(i)}}
		out = append(out, message{key: fmt.Sprint("key", i), value: []byte(value), headers: headers})
	}
	return out
}

// TestBatchesAreReadByTheClient reads batches with the client of another maker, which checks lengths and sum.
func TestBatchesAreReadByTheClient(t *testing.T) {
	f := func(codec string, messages ...message) {
		t.Helper()
		k := newPacker(compressions[codec])
		for range 2 { // the second in the memory of the first
			b, err := k.pack(messages, packedAt)
			if err != nil {
				t.Fatal(err)
			}
			set, err := unpacked(bytes.NewReader(b.out.Bytes()))
			if err != nil {
				t.Fatalf("%s: %v", codec, err)
			}
			k.release(b)
			if set.Version != 2 || set.Attributes.Compression() != compressions[codec] {
				t.Errorf("%s: version %d, codec %s", codec, set.Version, set.Attributes.Compression())
			}
			for i, m := range messages {
				r, err := set.Records.ReadRecord()
				if err != nil {
					t.Fatalf("%s: record %d: %v", codec, i, err)
				}
				m.expect(t, r, i)
			}
			if _, err := set.Records.ReadRecord(); err != io.EOF {
				t.Errorf("%s: after the last record %v", codec, err)
			}
		}
	}
	for codec := range compressions {
		f(codec, message{key: "k", value: []byte("v")})
		long := message{key: strings.Repeat("k", 200), value: bytes.Repeat([]byte("ab"), 100_000)}
		f(codec, message{key: "gone"}, message{value: []byte{}}, long)
		f(codec, texts(300, 1000)...)
	}
}

// expect compares a record with the message that it was.
func (m message) expect(t *testing.T, r *protocol.Record, offset int) {
	t.Helper()
	key, err := protocol.ReadAll(r.Key)
	if err != nil {
		t.Fatal(err)
	}
	value, err := protocol.ReadAll(r.Value)
	if err != nil {
		t.Fatal(err)
	}
	var headers []header
	for _, h := range r.Headers {
		headers = append(headers, header{h.Key, string(h.Value)})
	}
	if string(key) != m.key || (value == nil) != (m.value == nil) || !bytes.Equal(value, m.value) || !reflect.DeepEqual(headers, m.headers) {
		t.Errorf("record %d: key %q, value of %d bytes, headers %v", offset, key, len(value), headers)
	}
	if !r.Time.Equal(packedAt) || r.Offset != int64(offset) {
		t.Errorf("record %d: time %s, offset %d", offset, r.Time, r.Offset)
	}
}

// BenchmarkPack makes batches of 250 messages of 4 kB, here and by the client.
func BenchmarkPack(b *testing.B) {
	messages := texts(250, 4000)
	each := func(b *testing.B, size int) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(messages)), "ns/message")
		b.ReportMetric(float64(size)/float64(len(messages)), "B/message")
	}
	b.Run("pack", func(b *testing.B) {
		k := newPacker(kafka.Lz4)
		size := 0
		for b.Loop() {
			p, err := k.pack(messages, packedAt)
			if err != nil {
				b.Fatal(err)
			}
			size = p.out.Len()
			k.release(p)
		}
		each(b, size)
	})
	b.Run("client", func(b *testing.B) {
		size := int64(0)
		for b.Loop() {
			var records []kafka.Record
			for _, m := range messages {
				var headers []kafka.Header
				for _, h := range m.headers {
					headers = append(headers, kafka.Header{Key: h.key, Value: []byte(h.value)})
				}
				r := kafka.Record{Key: kafka.NewBytes([]byte(m.key)), Value: kafka.NewBytes(m.value), Headers: headers, Time: packedAt}
				records = append(records, r)
			}
			set := protocol.RecordSet{Version: 2, Attributes: protocol.Lz4, Records: kafka.NewRecordReader(records...)}
			var err error
			if size, err = set.WriteTo(io.Discard); err != nil {
				b.Fatal(err)
			}
		}
		each(b, int(size))
	})
}
