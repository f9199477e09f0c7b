package saas

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// body is a response's body: bounded, and cancelled when no byte comes for too long.
type body struct {
	rc     io.ReadCloser
	cancel context.CancelCauseFunc
	idle   time.Duration
	left   int64
	end    func() // gives back what the request held
	once   sync.Once
	head   []byte // read ahead
}

// Read reads on, for at most the idle timeout.
func (b *body) Read(p []byte) (int, error) {
	if len(b.head) > 0 {
		n := copy(p, b.head)
		b.head = b.head[n:]
		return n, nil
	}
	if b.left <= 0 {
		return 0, errTooLong
	}
	watch := time.AfterFunc(b.idle, func() { b.cancel(errSilent) })
	n, err := b.rc.Read(p[:min(int64(len(p)), b.left)])
	watch.Stop()
	b.left -= int64(n)
	return n, err
}

var errTooLong = errors.New("the answer is longer than allowed")

// Close ends the request.
func (b *body) Close() {
	b.once.Do(func() {
		b.rc.Close()
		b.cancel(nil)
		b.end()
	})
}

// bounded is a part of an answer that may not be longer: what was packed, a row.
type bounded struct {
	in   io.Reader
	left int64
	over error
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, b.over
	}
	n, err := b.in.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
