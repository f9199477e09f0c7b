package extract

import (
	"context"
	"errors"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/klippa-app/go-pdfium"
	pdferrors "github.com/klippa-app/go-pdfium/errors"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// PDFium runs as WebAssembly: what a PDF makes of it reaches the memory of its instance and nothing else. It has no files, no
// network, no environment, no clock, and nobody reads what it prints.

// maxInstances is how many PDFs are read at the same time, each by an instance of its own.
const maxInstances = 4

// slots are taken for as long as there is an instance.
var slots = make(chan struct{}, min(maxInstances, runtime.GOMAXPROCS(0)))

// engine makes instances, one at a time.
type engine struct {
	mu   sync.Mutex
	pool pdfium.Pool
	next *memory // of the instance that is being made
}

// compiled is the engine, made when the first PDF is seen: compiling takes seconds.
var compiled = sync.OnceValues(compile)

func compile() (*engine, error) {
	debug.FreeOSMemory()       // what it takes comes on top of what is there
	defer debug.FreeOSMemory() // most of it is garbage now
	e := &engine{}
	allocate := experimental.MemoryAllocatorFunc(func(uint64, uint64) experimental.LinearMemory { return e.next })
	var err error
	e.pool, err = webassembly.Init(webassembly.Config{
		Context:  experimental.WithMemoryAllocator(context.Background(), allocate),
		MaxTotal: maxInstances,
		FSConfig: wazero.NewFSConfig(), // none: the default is the whole disk
		RuntimeConfig: wazero.NewRuntimeConfig().WithCloseOnContextDone(true).WithDebugInfoEnabled(false).
			WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExceptionHandling),
		Stdout: io.Discard, Stderr: io.Discard,
	})
	return e, err
}

// memory is that of an instance. It grows up to a limit; what an instance begins with it always gets.
type memory struct {
	b     []byte
	limit int64
	short bool // more was asked for
}

// Reallocate is experimental.LinearMemory's.
func (m *memory) Reallocate(size uint64) []byte {
	switch {
	case size <= uint64(cap(m.b)):
		m.b = m.b[:size]
	case m.b != nil && size > uint64(m.limit):
		m.short = true
		return nil
	default:
		b := make([]byte, size)
		copy(b, m.b)
		m.b = b
	}
	return m.b
}

// Free is experimental.LinearMemory's. What a call that is being ended still uses is left to the garbage collector.
func (m *memory) Free() {}

// instance is PDFium with one document. It serves one file, so that no file finds what another one left, and is thrown away.
type instance struct {
	api  pdfium.Pdfium
	doc  references.FPDF_DOCUMENT
	mem  *memory
	dead bool // it was ended, or failed: nothing may be asked of it
}

// instance makes a new one.
func (e *engine) instance(ctx context.Context, limit int64) (*instance, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	in := &instance{mem: &memory{limit: limit}}
	e.next = in.mem
	var err error
	in.api, err = e.pool.GetInstanceWithContext(ctx)
	return in, err
}

// close ends an instance, whatever it is doing.
func (in *instance) close() { _ = in.api.Kill() } // nothing can be done about it

var (
	errTime   = errors.New("it takes longer than")
	errMemory = errors.New("it takes more than")
	errFailed = errors.New("its reader fails")
)

// within does what asks PDFium for something, and ends the instance when that takes too long. An error that is neither the
// context's nor one of these is of the document, or of the sink's.
func (in *instance) within(ctx context.Context, d time.Duration, do func() error) error {
	limited, cancel := context.WithTimeoutCause(ctx, d, errTime)
	defer cancel()
	ended := make(chan struct{})
	stop := context.AfterFunc(limited, func() {
		in.close()
		close(ended)
	})
	err := do()
	if !stop() {
		<-ended
		in.dead = true
		return context.Cause(limited)
	}
	switch {
	case in.mem.short:
		in.dead = true
		return errMemory
	case err != nil && !own(err):
		in.dead = true
		return errFailed
	}
	return err
}

// own says whether an error is one that PDFium returned in good order, or not PDFium's at all.
func own(err error) bool {
	if errors.As(err, new(flaw)) || errors.As(err, new(halt)) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	for _, of := range []error{pdferrors.ErrFile, pdferrors.ErrFormat, pdferrors.ErrPassword, pdferrors.ErrSecurity, pdferrors.ErrPage,
		pdferrors.ErrUnknown, pdferrors.ErrSuccess} {
		if errors.Is(err, of) {
			return true
		}
	}
	return refusedBy(err)
}

// refusedBy says whether PDFium has not got what it was asked for. Its errors have no types.
func refusedBy(err error) bool {
	text := strings.ToLower(err.Error())
	return strings.HasPrefix(text, "could not ") && !strings.Contains(text, "memory") && !strings.Contains(text, "wasm")
}

// open gives it its document.
func (in *instance) open(b []byte) error {
	res, err := in.api.OpenDocument(&requests.OpenDocument{File: &b})
	if err != nil {
		return err
	}
	in.doc = res.Document
	return nil
}
