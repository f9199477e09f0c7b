package extract

import (
	"bufio"
	"errors"
	"io"
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
