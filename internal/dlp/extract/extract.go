package extract

import (
	"context"
	"io"
	"time"

	"github.com/longshore-dev/longshore/internal/dlp/label"
)

// The outcomes, as saas.finding.scan says them.
const (
	Done       = "done"        // all of the content was read
	Partial    = "partial"     // some of it was read; Reason says what ended it, or what was left out
	NotScanned = "not_scanned" // of a kind that has no text here, or not readable as what it is; Reason says why
	Encrypted  = "encrypted"   // it needs a password
)

// Version is that of the readers: another one may find other text in the same file.
const Version = "4"

// Limits bound what one file may cost. Zero = the default.
type Limits struct {
	Input   int64   // bytes of the file; default 64 MiB. Archives are held, all at one time within as much
	Text    int64   // bytes of text handed on; default 32 MiB
	Depth   int     // archives in archives; default 4
	Entries int     // of all archives in the file; default 10,000
	Ratio   float64 // bytes unpacked to bytes packed, over the whole file once 1 MiB is unpacked; default 200
	XML     int     // elements in elements; default 256

	// Of a PDF.
	Pages    int           // default 5,000
	PageTime time.Duration // to open it, and to read a page; default 10 s
	Memory   int64         // bytes that its reader may take, the PDF among them; default 256 MiB, at least what it begins with, 18 MiB

	// Of OCR, where there is one.
	Images int   // that it is asked for, of a file; default 20
	Image  int64 // bytes of one; default 16 MiB
}

// Result is what became of a file.
type Result struct {
	Outcome string
	Reason  string // why it is not Done; holds nothing of the content
	Type    string // by its content: "application/pdf"
	Bytes   int64  // read
	Text    int64  // handed on
	Labels  label.Found
}

// Kind says what a piece of text is.
type Kind int

// The kinds of text.
const (
	Plain Kind = iota
	JSON       // a JSON document, whole
)

// MaxPiece bounds the text of a piece.
const MaxPiece = 1 << 20

// Piece is text of a file.
type Piece struct {
	Kind     Kind
	Text     []byte // valid until the sink returns, as all of the piece
	From, To int    // what begins here is the piece's own. What stands around it is that of other pieces, for the context
	Spans    []Span // the fields, by where they begin; none = the text stands in no field

	// Where says where a byte stands, for people: "line 3", "Sheet2!C7", "inner.zip/a.txt: line 1". It is to be asked in order.
	Where func(at int) string
}

// Span is the text of a field, up to the next one.
type Span struct {
	At     int
	Name   string // of the column, element, attribute or member
	Number bool   // it is a number in a format that has numbers

	place int // line, row or index, for Where
}

// Sink takes a piece of text.
type Sink func(p *Piece)

// Read gives the text of a file to a sink. name is only a hint, size the bytes that are announced, -1 = unknown. The error is
// in's or the context's: then what was given to the sink is not all. No content makes it fail otherwise, or run without bound.
func Read(ctx context.Context, in io.Reader, name string, size int64, lim Limits, sink Sink) (Result, error) {
	return newRun(ctx, lim, sink).read(in, name, size)
}
