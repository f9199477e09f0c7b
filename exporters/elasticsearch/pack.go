package elasticsearch

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"go.opentelemetry.io/collector/config/configcompression"
)

// packer compresses bodies, a whole one at a time, so that every node is sent the same bytes.
type packer struct {
	name string // of the Content-Encoding
	pool sync.Pool
	zstd *zstd.Encoder
}

// newPacker makes a packer; level 0 is the fastest, which is what a sender of logs wants.
func newPacker(typ configcompression.Type, level configcompression.Level, workers int) (*packer, error) {
	p := &packer{name: string(typ)}
	switch typ {
	case configcompression.TypeGzip:
		if level == 0 {
			level = gzip.BestSpeed
		}
		if _, err := gzip.NewWriterLevel(nil, int(level)); err != nil {
			return nil, fmt.Errorf("compression_params.level %d: %w", level, err)
		}
		p.pool.New = func() any { z, _ := gzip.NewWriterLevel(nil, int(level)); return z }
		return p, nil
	case configcompression.TypeZstd:
		fast := zstd.SpeedFastest
		if level != 0 {
			fast = zstd.EncoderLevelFromZstd(int(level))
		}
		var err error
		p.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(fast), zstd.WithEncoderConcurrency(workers), zstd.WithLowerEncoderMem(true))
		if err != nil {
			return nil, fmt.Errorf("make zstd encoder: %w", err)
		}
		return p, nil
	}
	return nil, nil // as it is
}

// bodies are buffers of compressed bodies.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// pack compresses a body; release gives the memory back, and may only be called when nobody reads the body any more.
func (p *packer) pack(body []byte) (packed []byte, release func(), err error) {
	if p == nil || len(body) == 0 {
		return body, func() {}, nil
	}
	buf, _ := bodies.Get().(*bytes.Buffer)
	buf.Reset()
	release = func() { bodies.Put(buf) }
	if p.zstd != nil {
		buf.Grow(len(body)/4 + 512)
		out := p.zstd.EncodeAll(body, buf.AvailableBuffer())
		*buf = *bytes.NewBuffer(out)
		return out, release, nil
	}
	z, _ := p.pool.Get().(*gzip.Writer)
	defer p.pool.Put(z)
	z.Reset(buf)
	if _, err = z.Write(body); err == nil {
		err = z.Close()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("compress body: %w", err)
	}
	return buf.Bytes(), release, nil
}
