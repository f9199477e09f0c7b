package extract

import (
	"archive/tar"
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"
)

const kindTar = "application/x-tar"

const tarSize = 512 // of a block

// tarBlock says whether a file begins with the header of a tar archive (POSIX ustar, GNU, or the one before them): its checksum
// is right.
func tarBlock(head []byte) bool {
	if len(head) < tarSize || head[0] == 0 {
		return false
	}
	sum := int64(8 * ' ')
	for i, c := range head[:tarSize] {
		if i < 148 || i >= 156 {
			sum += int64(c)
		}
	}
	said, err := strconv.ParseInt(strings.Trim(string(head[148:156]), " \x00"), 8, 64)
	return err == nil && said == sum
}

// names gathers the names of an archive's entries, which are a text of their own.
func (x *run) names(f file) *flow {
	w := x.flow(f, "")
	w.at = func(int) string { return "the names in it" }
	return w
}

// counted counts what is read.
type counted struct {
	r io.Reader
	n int64
}

// Read is io.Reader's.
func (c *counted) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// readTar reads a tar archive as it comes.
func (x *run) readTar(r *bufio.Reader, f file, form form) (status, error) {
	if err := x.below(f); err != nil {
		return settle(form.kind, false, err)
	}
	var t tally
	names := x.names(f)
	err := x.tarEntries(r, f, names, &t)
	if end := names.close(); err == nil || errors.As(end, new(halt)) {
		err = end
	}
	if errors.As(err, new(flaw)) {
		st, _ := settle("", false, err)
		t.add(st)
		err = nil
	}
	return t.status(form.kind), err
}

func (x *run) tarEntries(r *bufio.Reader, f file, names *flow, t *tally) error {
	in := &counted{r: r}
	z := tar.NewReader(in)
	for last := ""; ; {
		var h *tar.Header
		err := contain(func() (err error) {
			h, err = z.Next()
			return err
		})
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = x.ctx.Err()
		}
		if err == nil {
			err = x.enter()
		}
		if err = damage(err); err != nil {
			if err.Error() == last {
				return nil // the damage of the entry before
			}
			return err
		}
		name := entryName([]byte(h.Name))
		if h.Typeflag == tar.TypeDir {
			continue
		}
		if err := names.writeLine([]byte(name)); err != nil {
			return err
		}
		switch h.Typeflag {
		case tar.TypeLink, tar.TypeSymlink:
			if err := names.writeLine([]byte(text([]byte(h.Linkname)))); err != nil {
				return err
			}
			continue
		case tar.TypeChar, tar.TypeBlock, tar.TypeFifo, tar.TypeXGlobalHeader:
			continue
		}
		st, err := x.file(&tarred{unpacked{x, z}, in}, file{name: base(name), size: -1, where: inside(f.where, name), depth: f.depth + 1})
		t.add(st)
		if err != nil {
			return err
		}
		last = st.reason
	}
}

// tarred is an entry of a tar archive. It costs what it has more bytes than the archive: a sparse file is mostly holes.
type tarred struct {
	unpacked
	in *counted
}

// Read is io.Reader's.
func (e *tarred) Read(b []byte) (n int, err error) {
	was := e.in.n
	err = contain(func() (err error) {
		n, err = e.r.Read(b)
		return err
	})
	if over := e.x.charge(max(0, int64(n)-(e.in.n-was))); over != nil {
		return 0, over
	}
	return n, damage(err)
}
