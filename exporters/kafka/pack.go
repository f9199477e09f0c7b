package kafka

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math/bits"
	"sync"
	"time"

	"github.com/pierrec/lz4/v4"
	kafka "github.com/segmentio/kafka-go"
)

// packer makes batches of records as brokers store them (magic 2), with their length before. The client could make them, but a
// field at a time, and of lz4 it makes blocks of 4 MiB with sums that no broker looks at, where Java's producer makes 64 KiB.
type packer struct {
	codec kafka.Compression
	pool  sync.Pool // of *packed
}

// packed is the memory of a batch.
type packed struct {
	plain []byte       // its records
	out   bytes.Buffer // the batch
	lz4   *lz4.Writer
}

// The places of what is written when the rest is known.
const (
	placeLength = 4 + 8 // of what follows; before are the length of all, and the offset
	placeSum    = placeLength + 4 + 4 + 1
	placeSummed = placeSum + 4
)

// keptPacked bounds the memory that is kept of a batch.
const keptPacked = 4 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func newPacker(codec kafka.Compression) *packer {
	return &packer{codec: codec, pool: sync.Pool{New: func() any { return new(packed) }}}
}

// pack makes a batch of messages, all of one time. Whoever has sent it gives it back to the pool, unless it may still be read.
func (k *packer) pack(messages []message, at time.Time) (*packed, error) {
	b, _ := k.pool.Get().(*packed)
	b.plain = b.plain[:0]
	for i := range messages {
		b.plain = messages[i].appendRecord(b.plain, i)
	}
	b.out.Reset()
	b.head(k.codec, len(messages), at)
	if err := b.compress(k.codec); err != nil {
		return nil, fmt.Errorf("compress %d messages by %s: %w", len(messages), k.codec, err)
	}
	all := b.out.Bytes()
	binary.BigEndian.PutUint32(all, uint32(len(all)-4))
	binary.BigEndian.PutUint32(all[placeLength:], uint32(len(all)-placeLength-4))
	binary.BigEndian.PutUint32(all[placeSum:], crc32.Checksum(all[placeSummed:], castagnoli))
	return b, nil
}

func (k *packer) release(b *packed) {
	if cap(b.plain) <= keptPacked {
		k.pool.Put(b)
	}
}

// head writes what stands before the records. Offsets and epochs are the broker's, producers have no number here.
func (b *packed) head(codec kafka.Compression, n int, at time.Time) {
	h := b.out.AvailableBuffer()
	h = append(h, make([]byte, placeSum-5)...)    // both lengths and the offset
	h = binary.BigEndian.AppendUint32(h, 1<<32-1) // epoch of the leader
	h = append(h, 2, 0, 0, 0, 0)                  // magic, and room for the sum
	h = binary.BigEndian.AppendUint16(h, uint16(codec))
	h = binary.BigEndian.AppendUint32(h, uint32(n-1)) // offset of the last one
	h = binary.BigEndian.AppendUint64(h, uint64(at.UnixMilli()))
	h = binary.BigEndian.AppendUint64(h, uint64(at.UnixMilli())) // the latest time
	h = append(h, bytes.Repeat([]byte{0xff}, 8+2+4)...)          // producer, its epoch, its sequence
	h = binary.BigEndian.AppendUint32(h, uint32(n))
	b.out.Write(h)
}

// compress writes the records after the head.
func (b *packed) compress(codec kafka.Compression) error {
	var w io.WriteCloser
	switch codec {
	case 0:
		b.out.Write(b.plain)
		return nil
	case kafka.Lz4:
		if b.lz4 == nil {
			b.lz4 = lz4.NewWriter(nil)
			if err := b.lz4.Apply(lz4.BlockSizeOption(lz4.Block64Kb), lz4.ChecksumOption(false)); err != nil {
				return err
			}
		}
		b.lz4.Reset(&b.out)
		w = b.lz4
	default:
		w = codec.Codec().NewWriter(&b.out)
	}
	if _, err := w.Write(b.plain); err != nil {
		return err
	}
	return w.Close()
}

// appendRecord appends record i of a batch: lengths of fields are of varying size, and that of a field that is not there is -1.
func (m *message) appendRecord(dst []byte, i int) []byte {
	n := 2 + varSize(i) + varSize(len(m.key)) + len(m.key) + varSize(len(m.headers))
	if n++; m.value != nil {
		n += varSize(len(m.value)) - 1 + len(m.value)
	}
	for _, h := range m.headers {
		n += varSize(len(h.key)) + len(h.key) + varSize(len(h.value)) + len(h.value)
	}
	dst = append(appendVar(dst, n), 0, 0) // neither attributes, nor another time than that of the batch
	dst = append(appendVar(appendVar(dst, i), len(m.key)), m.key...)
	if m.value == nil {
		dst = appendVar(dst, -1)
	} else {
		dst = append(appendVar(dst, len(m.value)), m.value...)
	}
	dst = appendVar(dst, len(m.headers))
	for _, h := range m.headers {
		dst = append(appendVar(dst, len(h.key)), h.key...)
		dst = append(appendVar(dst, len(h.value)), h.value...)
	}
	return dst
}

func appendVar(dst []byte, n int) []byte { return binary.AppendVarint(dst, int64(n)) }

// varSize is how many bytes appendVar appends for a length.
func varSize(n int) int { return (bits.Len(uint(n)) + 7) / 7 }
