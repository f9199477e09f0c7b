package extract

import (
	"bufio"
	"errors"
	"io"

	"github.com/nwaples/rardecode/v2"
)

const kindRAR = "application/vnd.rar"

// readRAR reads a RAR archive of version 1.5 to 7 as it comes.
func (x *run) readRAR(r *bufio.Reader, f file, form form) (status, error) {
	if err := x.below(f); err != nil {
		return settle(form.kind, false, err)
	}
	var t tally
	names := x.names(f)
	err := x.rarEntries(r, f, names, &t)
	if end := names.close(); err == nil || errors.As(end, new(halt)) {
		err = end
	}
	if errors.Is(err, rardecode.ErrArchiveEncrypted) {
		t.add(status{outcome: Encrypted})
		err = nil
	}
	if errors.As(err, new(flaw)) {
		st, _ := settle("", false, err)
		t.add(st)
		err = nil
	}
	return t.status(form.kind), err
}

func (x *run) rarEntries(r *bufio.Reader, f file, names *flow, t *tally) error {
	var z *rardecode.Reader
	err := contain(func() (err error) {
		z, err = rardecode.NewReader(r, rardecode.MaxDictionarySize(maxWindow))
		return err
	})
	for last := ""; ; {
		var h *rardecode.FileHeader
		if err == nil {
			err = contain(func() (err error) {
				h, err = z.Next()
				return err
			})
			if err == io.EOF {
				return nil
			}
		}
		if err == nil {
			err = x.enter()
		}
		if errors.Is(err, rardecode.ErrArchiveEncrypted) {
			return err
		}
		if err = damage(early(err)); err != nil {
			if err.Error() == last {
				return nil // the damage of the entry before
			}
			return err
		}
		if h.IsDir {
			continue
		}
		name := entryName([]byte(h.Name))
		if err := names.writeLine([]byte(name)); err != nil {
			return err
		}
		if h.Encrypted {
			t.add(status{outcome: Encrypted})
			continue
		}
		in := &unpacked{x, z}
		st, err := x.file(in, file{name: base(name), size: -1, where: inside(f.where, name), depth: f.depth + 1})
		t.add(st)
		if err == nil {
			err = rest(in) // else the next one unpacks it, and nothing counts what it costs
		}
		if err != nil {
			return err
		}
		last = st.reason
	}
}

// rest reads what is left of an entry. That it is damaged has been said, or does not matter.
func rest(in io.Reader) error {
	if _, err := io.Copy(io.Discard, in); err != nil && !errors.As(err, new(flaw)) {
		return err
	}
	return nil
}
