package extract

import (
	"bufio"
	"errors"
	"io"
	"regexp"

	"github.com/longshore-dev/longshore/internal/dlp/label"
)

// readText reads plain text.
func (x *run) readText(r *bufio.Reader, f file, form form) (status, error) {
	return x.gather(f, form, "line", r, func(w *flow, d *decoder) error { return each(d, w.write) })
}

// gather has a text written to a place of its own, and settles what became of it.
func (x *run) gather(f file, form form, unit string, r *bufio.Reader, write func(w *flow, d *decoder) error) (status, error) {
	was := x.text
	w := x.flow(f, unit)
	err := write(w, newDecoder(r))
	if end := w.close(); err == nil || errors.As(end, new(halt)) {
		err = end
	}
	return settle(form.kind, x.text > was, err)
}

// each gives all of a text.
func each(d *decoder, f func(b []byte) error) error {
	for {
		b, err := d.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = f(b)
		}
		if err != nil {
			return err
		}
	}
}

// readMail reads a message as the text that it is. Attachments and other parts that are encoded are not decoded.
func (x *run) readMail(r *bufio.Reader, f file, form form) (status, error) {
	if f.depth == 0 {
		head, _ := r.Peek(sample) // as much as there is
		x.labels = label.Mail(head)
	}
	encoded := false
	st, err := x.gather(f, form, "line", r, func(w *flow, d *decoder) error {
		return each(d, func(b []byte) error {
			encoded = encoded || base64Part.Match(b)
			return w.write(b)
		})
	})
	if encoded && st.outcome == Done {
		st.outcome, st.reason = Partial, "a message: its encoded parts are not decoded"
	}
	return st, err
}

var base64Part = regexp.MustCompile(`(?i)\ncontent-transfer-encoding: *(?:base64|quoted-printable)`)
