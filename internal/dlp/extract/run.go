package extract

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/longshore-dev/longshore/internal/dlp/label"
)

// The defaults of Limits.
const (
	defaultInput   = 64 << 20
	defaultText    = 32 << 20
	defaultDepth   = 4
	defaultEntries = 10_000
	defaultRatio   = 200
	defaultXML     = 256

	defaultPages    = 5000
	defaultPageTime = 10 * time.Second
	defaultMemory   = 256 << 20
)

// run is the reading of one file.
type run struct {
	ctx  context.Context
	lim  Limits
	sink Sink

	input    int64 // read of the file
	held     int64 // of archives, now
	unpacked int64 // by all entries
	entries  int
	text     int64 // handed on
	labels   label.Found
	ocr      OCR // nil = there is none
	images   int // that it was asked for
	size     int // of pieces
	context  int // text around a piece's own
	free     []*flow
}

// halt ends the reading of the whole file: a limit.
type halt struct{ reason string }

func (h halt) Error() string { return h.reason }

// flaw ends the reading of one entry: a limit that is its own, or damage.
type flaw struct{ reason string }

func (f flaw) Error() string { return f.reason }

func flawf(format string, args ...any) error { return flaw{fmt.Sprintf(format, args...)} }

// status is what became of a file, or of an entry of one.
type status struct {
	outcome, reason string
	kind            string // its media type
	many            bool   // the reason is of what is in it
}

func done(kind string) status { return status{outcome: Done, kind: kind} }

// settle makes of an error that is the file's own a status. What was written before it stands.
func settle(kind string, some bool, err error) (status, error) {
	var f flaw
	switch {
	case err == nil:
		return done(kind), nil
	case !errors.As(err, &f):
		return status{outcome: Partial, kind: kind}, err
	case some:
		return status{outcome: Partial, reason: f.reason, kind: kind}, nil
	}
	return status{outcome: NotScanned, reason: f.reason, kind: kind}, nil
}

func newRun(ctx context.Context, lim Limits, sink Sink) *run {
	lim.Input = cmp.Or(lim.Input, defaultInput)
	lim.Text = cmp.Or(lim.Text, defaultText)
	lim.Depth = cmp.Or(lim.Depth, defaultDepth)
	lim.Entries = cmp.Or(lim.Entries, defaultEntries)
	lim.Ratio = cmp.Or(lim.Ratio, defaultRatio)
	lim.XML = cmp.Or(lim.XML, defaultXML)
	lim.Pages = cmp.Or(lim.Pages, defaultPages)
	lim.PageTime = cmp.Or(lim.PageTime, defaultPageTime)
	lim.Memory = cmp.Or(lim.Memory, defaultMemory)
	lim.Images = cmp.Or(lim.Images, defaultImages)
	lim.Image = cmp.Or(lim.Image, defaultImage)
	x := &run{ctx: ctx, lim: lim, sink: sink, size: MaxPiece, context: 32 << 10}
	x.ocr, _ = ctx.Value(ocrKey{}).(OCR)
	return x
}

// belt turns a panic into an outcome. Fuzzing takes it off.
var belt = true

// read gives the outcome of a file, whatever happens.
func (x *run) read(in io.Reader, name string, size int64) (res Result, err error) {
	st := status{outcome: Partial}
	defer func() {
		if belt && recover() != nil {
			st.outcome, st.reason, err = Partial, "its reader failed", nil
		}
		res = Result{Outcome: st.outcome, Reason: st.reason, Type: st.kind, Bytes: x.input, Text: x.text, Labels: x.labels}
	}()
	src := &input{x: x, r: in}
	st, err = x.file(src, file{name: name, size: size})
	var h halt
	switch {
	case errors.As(err, &h):
		st.outcome, st.reason, err = Partial, h.reason, nil
	case x.ctx.Err() != nil:
		st.outcome, st.reason, err = Partial, "the time ran out", x.ctx.Err()
	case err != nil:
		st.outcome, st.reason = Partial, "it could not be read to its end"
	case st.outcome == Done && src.ended && x.input < size:
		st.outcome, st.reason = Partial, fmt.Sprintf("it ends after %d of the %d bytes that were announced", x.input, size)
	}
	return res, err
}

// input is the file, up to the limit.
type input struct {
	x     *run
	r     io.Reader
	ended bool
	err   error // the first one, which stays
}

// failure is an error of the file's reader, not of the content.
type failure struct{ error }

// Unwrap is for errors.Is.
func (f failure) Unwrap() error { return f.error }

// Read is io.Reader's.
func (in *input) Read(b []byte) (n int, err error) {
	if in.err == nil {
		in.err = in.x.ctx.Err()
	}
	if in.err != nil {
		return 0, in.err
	}
	left := in.x.lim.Input - in.x.input
	if left > 0 {
		n, err = in.r.Read(b[:min(int64(len(b)), left)])
		in.x.input += int64(n)
	} else {
		var one [1]byte
		if k, e := io.ReadFull(in.r, one[:]); k > 0 {
			err = halt{"only its first " + bytesText(in.x.lim.Input) + " were read, the limit of a file's size"}
		} else {
			err = e
		}
	}
	switch {
	case errors.Is(err, io.EOF):
		in.ended, err = true, io.EOF
	case err != nil && !errors.As(err, new(halt)):
		err = failure{err}
	}
	in.err = err
	return n, err
}

// sample is how much of a file tells what it is.
const sample = 64 << 10

var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, sample) }}

// file is a file, or an entry of one.
type file struct {
	name  string // a hint
	size  int64  // announced; -1 = unknown
	where string // the entries that lead to it: "inner.zip/a.txt"
	depth int    // of archives around it
}

// file reads a file of any kind.
func (x *run) file(in io.Reader, f file) (status, error) {
	r := readers.Get().(*bufio.Reader)
	r.Reset(in)
	defer func() {
		r.Reset(nil)
		readers.Put(r)
	}()
	head, err := r.Peek(sample)
	if err != nil && !errors.Is(err, io.EOF) && (len(head) == 0 || !errors.As(err, new(flaw)) && !errors.As(err, new(halt))) {
		return settle("", false, err)
	}
	form := sniff(head, f.name)
	return form.read(x, r, f, form)
}

// bytesText writes a number of bytes for people.
func bytesText(n int64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
