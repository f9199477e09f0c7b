package extract

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/klippa-app/go-pdfium/enums"
	pdferrors "github.com/klippa-app/go-pdfium/errors"
	"github.com/klippa-app/go-pdfium/requests"
)

// maxFailures is after how many pages that end PDFium no further one is tried.
const maxFailures = 3

// pdf is a PDF that is read.
type pdf struct {
	x      *run
	b      []byte
	w      *flow
	total  int // pages that it has
	next   int // page
	began  bool
	xfa    bool                                 // its pages only say that they are made of something else
	count  struct{ images, damaged, ended int } // pages: with images alone, that cannot be read, that ended PDFium
	unseen string                               // why there is no text of its images
	why    string                               // the first of those could not be read
	files  []attached
	kept   int64 // bytes of files
	left   int   // files that were not taken
	depth  int   // of archives around it
	plain  []byte
	some   bool // text that is more than spaces was written
}

// attached is a file in a PDF.
type attached struct {
	name string
	b    []byte
}

// readPDF reads the text of a PDF, page by page, and the files in it.
func (x *run) readPDF(r *bufio.Reader, f file, form form) (status, error) {
	b, err := x.hold(r, f, "a PDF")
	defer func() { x.held -= int64(cap(b)) }()
	if err != nil {
		return settle(form.kind, false, err)
	}
	if !bytes.Contains(b, []byte("obj")) { // it has no object, of which all of a PDF is made
		return settle(form.kind, false, errUnopened)
	}
	p := &pdf{x: x, b: b, w: x.flow(f, ""), depth: f.depth}
	p.w.at = p.where
	defer func() { x.held -= p.kept }()
	if err = p.read(); err == nil {
		err = p.pictures()
	}
	if end := p.w.close(); err == nil || errors.As(end, new(halt)) {
		err = end
	}
	st, err := p.settle(form.kind, err)
	if err != nil {
		return st, err
	}
	return p.inside(f, st)
}

// isPDF says whether a file begins as one. Readers look for it in the first 1,024 bytes; what has it in a text is a text.
func isPDF(head []byte) bool {
	at := bytes.Index(head[:min(len(head), 1024)], []byte("%PDF-"))
	return at >= 0 && (len(bytes.Trim(head[:at], "\ufeff\x00 \t\r\n")) == 0 || unreadable(head))
}

// read has the pages read by one instance after another: a new one after each that failed.
func (p *pdf) read() error {
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	case <-p.x.ctx.Done():
		return p.x.ctx.Err()
	}
	e, err := compiled()
	if err != nil {
		return flawf("a PDF: its reader cannot run on this system")
	}
	for {
		more, err := p.instance(e)
		if err != nil || !more {
			return err
		}
	}
}

// instance reads as far as one instance comes.
func (p *pdf) instance(e *engine) (more bool, err error) {
	in, err := e.instance(p.x.ctx, p.x.lim.Memory)
	if err != nil {
		return false, cmp.Or(p.x.ctx.Err(), flawf("a PDF: %s", p.reason(errFailed)))
	}
	defer in.close()
	if err := in.within(p.x.ctx, p.x.lim.PageTime, func() error { return p.open(in) }); err != nil {
		return false, p.unopened(in, err)
	}
	for ; p.next < min(p.total, p.x.lim.Pages); p.next++ {
		err := in.within(p.x.ctx, p.x.lim.PageTime, func() error { return p.page(in) })
		switch {
		case errors.As(err, new(halt)) || p.x.ctx.Err() != nil:
			return false, err
		case in.dead:
			p.because(err)
			p.next++
			p.count.ended++
			return p.count.ended < maxFailures && p.next < p.total, nil
		case err != nil:
			p.because(err)
			p.count.damaged++
		}
	}
	return false, nil
}

// open opens the document, and the first time reads what is said of it as a whole.
func (p *pdf) open(in *instance) error {
	if err := in.open(p.b); err != nil {
		return err
	}
	res, err := in.api.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: in.doc})
	if err != nil || p.began {
		return err
	}
	p.total, p.began = res.PageCount, true
	form, err := in.api.FPDF_GetFormType(&requests.FPDF_GetFormType{Document: in.doc})
	if err != nil {
		return err
	}
	p.xfa = form.FormType == enums.FPDF_FORMTYPE_XFA_FULL
	if err := p.properties(in); err != nil {
		return err
	}
	return p.attachments(in)
}

// unopened says why a document could not be opened. After a failure it could be before, and this is one more.
func (p *pdf) unopened(in *instance, err error) error {
	switch {
	case p.x.ctx.Err() != nil || errors.As(err, new(halt)):
		return err
	case in.dead:
		return flawf("a PDF: %s", p.reason(err))
	case errors.Is(err, pdferrors.ErrPassword):
		return locked{"a PDF that needs a password"}
	case errors.Is(err, pdferrors.ErrSecurity):
		return locked{"a PDF that is encrypted in a way that has no reader here"}
	}
	return errUnopened
}

var errUnopened = flawf("a damaged PDF: it cannot be opened")

// locked is the error of what needs a password.
type locked struct{ reason string }

func (l locked) Error() string { return l.reason }

// because notes why a page was not read, if it is the first.
func (p *pdf) because(err error) {
	if p.why == "" {
		p.why = p.reason(err)
	}
}

// reason is an error for people.
func (p *pdf) reason(err error) string {
	switch {
	case errors.Is(err, errTime):
		return fmt.Sprintf("%v %v, the limit of the time for a page", err, p.x.lim.PageTime)
	case errors.Is(err, errMemory):
		return fmt.Sprintf("%v %s of memory, the limit", err, bytesText(p.x.lim.Memory))
	case errors.Is(err, errFailed):
		return err.Error()
	}
	return "it is damaged"
}

// settle says what became of the pages.
func (p *pdf) settle(kind string, err error) (status, error) {
	var l locked
	if errors.As(err, &l) {
		return status{outcome: Encrypted, reason: l.reason, kind: kind}, nil
	}
	if err != nil {
		return settle(kind, p.some, err)
	}
	var parts []string
	read := min(p.total, p.x.lim.Pages)
	if p.total == 0 {
		parts = append(parts, "a damaged PDF: it has no pages")
	}
	if read < p.total {
		parts = append(parts, fmt.Sprintf("only the first %d of its %d pages were read, the limit of pages", read, p.total))
	}
	if n := p.count.damaged + p.count.ended + read - p.next; n > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d pages could not be read, the first because %s", n, p.total, p.why))
	}
	if n := p.count.images; n > 0 && n == p.total {
		parts = append(parts, "a PDF of images: "+cmp.Or(p.unseen, strings.TrimPrefix(noReader, ": ")))
	} else if n > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d pages hold nothing but images, for which there is no reader", n, p.total))
	}
	if p.xfa {
		parts = append(parts, "a form of XFA"+noReader)
	}
	if len(parts) == 0 {
		return done(kind), nil
	}
	st := status{outcome: Partial, reason: strings.Join(parts, "; "), kind: kind}
	if !p.some {
		st.outcome = NotScanned
	}
	return st, nil
}

// where says the page of a byte and the field. What is of the document as a whole has the page 0.
func (p *pdf) where(at int) string {
	s := p.w.span(at)
	place := "properties"
	if s.place > 0 {
		place = fmt.Sprintf("page %d", s.place)
	}
	if s.Name == "" {
		return place
	}
	return place + ", " + s.Name
}

// inside reads the files that were found, and adds what became of them.
func (p *pdf) inside(f file, st status) (status, error) {
	var t tally
	for i := range p.files {
		a := &p.files[i]
		in := bytes.NewReader(a.b)
		got, err := p.x.file(in, file{name: base(a.name), size: int64(len(a.b)), where: inside(f.where, a.name), depth: f.depth + 1})
		t.add(got)
		if err != nil {
			return st, err
		}
	}
	for range p.left {
		t.add(status{outcome: NotScanned, reason: "not taken out, for a limit"})
	}
	of := t.status(st.kind)
	switch {
	case of.outcome == Done && t.all > 0 && st.outcome == NotScanned:
		st.outcome = Partial
	case of.outcome != Done && st.outcome == Done:
		of.outcome = Partial
		return of, nil
	case of.outcome != Done:
		st.reason += "; " + of.reason
		st.outcome = Partial
	}
	return st, nil
}
