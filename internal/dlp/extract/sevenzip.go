package extract

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz/lzma"
)

const (
	kind7z   = "application/x-7z-compressed"
	mark7z   = "7z\xbc\xaf\x27\x1c"
	len7z    = 32       // of what an archive begins with
	maxDir7z = 32 << 20 // of a packed directory
)

// read7z reads a 7-Zip archive (7zFormat.txt of its SDK). It is read by our own code, as the library for it takes memory for
// dictionaries as an archive says, and brings eight more with it. What it is packed with is unpacked by libraries.
func (x *run) read7z(r *bufio.Reader, f file, form form) (status, error) {
	if err := x.below(f); err != nil {
		return settle(form.kind, false, err)
	}
	b, err := x.hold(r, f, "an archive")
	defer func() { x.held -= int64(cap(b)) }()
	if err != nil {
		return settle(form.kind, false, err)
	}
	z, err := x.open7z(b)
	if errors.Is(err, errLocked) {
		return status{outcome: Encrypted, reason: "what is in it needs a password", kind: form.kind}, nil
	}
	if err != nil {
		return settle(form.kind, false, err)
	}
	var t tally
	names := x.names(f)
	for _, name := range z.names {
		if err == nil {
			err = names.writeLine([]byte(name))
		}
	}
	if end := names.close(); err == nil {
		err = end
	}
	if err == nil {
		err = x.entries7z(z, f, &t)
	}
	return t.status(form.kind), err
}

var errLocked = errors.New("it needs a password")

// archive7z is what the directory of an archive says.
type archive7z struct {
	packed  []byte
	folders []folder7z
	names   []string // of files that have content, in order
}

// folder7z is a chain of coders, and the files that it packs, one after the other.
type folder7z struct {
	coders []coder7z
	binds  [][2]int // the input of a coder, and the output of another one that it reads
	inputs []int    // inputs that read the archive
	from   []uint64 // where each of these does
	packed []uint64 // and how much
	sizes  []uint64 // of outputs
	sum    *uint32
	files  []file7z
}

type coder7z struct {
	method string
	props  []byte
	in     int // inputs
}

type file7z struct {
	size uint64
	sum  *uint32
}

// open7z reads the directory, which may be packed itself.
func (x *run) open7z(b []byte) (*archive7z, error) {
	if len(b) < len7z {
		return nil, errDamaged
	}
	at, size := le.Uint64(b[12:]), le.Uint64(b[20:])
	if at > uint64(len(b)-len7z) || size > uint64(len(b)-len7z)-at {
		return nil, flawf("a damaged archive, or a part of one of several: it has no directory")
	}
	z := &archive7z{packed: b[len7z:]}
	dir := b[len7z+at:][:size]
	if size == 0 {
		return z, nil // it is empty
	}
	if crc32.ChecksumIEEE(dir) != le.Uint32(b[28:]) {
		return nil, errDamaged
	}
	for range 4 {
		d := &dir7z{b: dir}
		switch d.byte() {
		case id7zHeader:
			if z.folders = nil; !d.header(z) || d.bad {
				return nil, errDamaged
			}
			return z, nil
		case id7zPacked:
			z.folders = nil
			d.streams(z)
			if d.bad || len(z.folders) == 0 {
				return nil, errDamaged
			}
			fold := &z.folders[0]
			if fold.size() > maxDir7z {
				return nil, flawf("an archive with a directory of more than %s, the limit of 7-Zip", bytesText(maxDir7z))
			}
			in, done, err := x.unpack7z(z, fold)
			if err != nil {
				return nil, err
			}
			dir, err = io.ReadAll(io.LimitReader(in, int64(fold.size())))
			done()
			if err != nil {
				return nil, err
			}
		default:
			return nil, errDamaged
		}
	}
	return nil, errDamaged
}

// size is that of what the folder unpacks to: the output that no coder reads.
func (f *folder7z) size() uint64 {
	if i := f.last(); i >= 0 && i < len(f.sizes) {
		return f.sizes[i]
	}
	return 0
}

func (f *folder7z) last() int {
	for i := range f.coders {
		used := false
		for _, b := range f.binds {
			used = used || b[1] == i
		}
		if !used {
			return i
		}
	}
	return -1
}

// entries7z reads the files, folder by folder.
func (x *run) entries7z(z *archive7z, f file, t *tally) error {
	n := 0
	for i := range z.folders {
		fold := &z.folders[i]
		in, done, err := x.unpack7z(z, fold)
		for _, e := range fold.files {
			if end := x.enter(); end != nil {
				return end
			}
			name := ""
			if n < len(z.names) {
				name = z.names[n]
			}
			n++
			if err != nil {
				if err := x.unread7z(t, err); err != nil {
					return err
				}
				continue
			}
			one := &file7zReader{r: io.LimitReader(in, int64(min(e.size, 1<<62))), left: e.size, want: e.sum}
			st, end := x.file(one, file{name: base(name), size: -1, where: inside(f.where, name), depth: f.depth + 1})
			t.add(st)
			if end == nil {
				end = rest(one)
			}
			if end != nil {
				done()
				return end
			}
		}
		if err == nil {
			done()
		}
	}
	return nil
}

// unread7z counts a file of a folder that cannot be unpacked.
func (x *run) unread7z(t *tally, err error) error {
	if errors.Is(err, errLocked) {
		t.add(status{outcome: Encrypted})
		return nil
	}
	st, err := settle("", false, err)
	t.add(st)
	return err
}

// file7zReader reads a file of a folder, and looks at its checksum.
type file7zReader struct {
	r    io.Reader
	left uint64
	sum  uint32
	want *uint32
}

// Read is io.Reader's.
func (e *file7zReader) Read(b []byte) (int, error) {
	n, err := e.r.Read(b)
	e.sum = crc32.Update(e.sum, crc32.IEEETable, b[:n])
	e.left -= uint64(n)
	if err == io.EOF {
		switch {
		case e.left > 0:
			return n, flawf("damaged: it ends too early")
		case e.want != nil && *e.want != e.sum:
			return n, flawf("damaged: its checksum is wrong")
		}
	}
	return n, err
}

// unpack7z gives what a folder packs.
func (x *run) unpack7z(z *archive7z, f *folder7z) (io.Reader, func(), error) {
	var closers []func()
	done := func() {
		for _, c := range closers {
			c()
		}
	}
	var in io.Reader
	err := contain(func() (err error) {
		in, err = f.reader(z, f.last(), 0, &closers)
		return err
	})
	if err != nil {
		done()
		if errors.Is(err, errLocked) {
			return nil, nil, err
		}
		return nil, nil, damage(early(err))
	}
	return &unpacked{x, in}, done, nil
}

const maxCoders = 8 // of a folder

// reader gives the output of a coder, which reads that of another one, or the archive.
func (f *folder7z) reader(z *archive7z, coder, depth int, closers *[]func()) (io.Reader, error) {
	if coder < 0 || coder >= len(f.coders) || depth > maxCoders || coder >= len(f.sizes) {
		return nil, errDamaged
	}
	c := f.coders[coder]
	if c.method == "\x06\xf1\x07\x01" {
		return nil, errLocked
	}
	if c.in != 1 {
		return nil, flawf("packed by a method that has no reader here (%x)", c.method)
	}
	for _, b := range f.binds {
		if b[0] == coder {
			in, err := f.reader(z, b[1], depth+1, closers)
			if err != nil {
				return nil, err
			}
			return c.unpack(in, f.sizes[coder], closers)
		}
	}
	for i, input := range f.inputs {
		if input == coder && i < len(f.from) {
			end := uint64(len(z.packed))
			if f.from[i] > end || f.packed[i] > end-f.from[i] {
				return nil, flawf("damaged: it ends after the archive does")
			}
			return c.unpack(bytes.NewReader(z.packed[f.from[i]:][:f.packed[i]]), f.sizes[coder], closers)
		}
	}
	return nil, errDamaged
}

// unpack undoes one coder. size is what it unpacks to.
func (c *coder7z) unpack(in io.Reader, size uint64, closers *[]func()) (io.Reader, error) {
	switch c.method {
	case "\x00":
		return in, nil
	case "\x03\x01\x01":
		if len(c.props) != 5 {
			return nil, errDamaged
		}
		if le.Uint32(c.props[1:]) > maxWindow && size > maxWindow {
			return nil, errWindow
		}
		head := append(bytes.Clone(c.props[:1]), le.AppendUint64(le.AppendUint32(nil, min(le.Uint32(c.props[1:]), maxWindow)), size)...)
		return lzma.ReaderConfig{DictCap: maxWindow}.NewReader(io.MultiReader(bytes.NewReader(head), bufio.NewReader(in)))
	case "\x21":
		if len(c.props) != 1 || c.props[0] > 40 {
			return nil, errDamaged
		}
		window := min(uint64(2|c.props[0]&1)<<(c.props[0]/2+11), size)
		if window > maxWindow {
			return nil, errWindow
		}
		return lzma.Reader2Config{DictCap: int(max(window, lzma.MinDictCap))}.NewReader2(bufio.NewReader(in))
	case "\x04\x01\x08":
		return flate.NewReader(in), nil
	case "\x04\x02\x02":
		return bzip2.NewReader(in), nil
	case "\x04\xf7\x11\x01":
		r, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err == nil {
			*closers = append(*closers, r.Close)
		}
		return r, err
	}
	return nil, flawf("packed by a method that has no reader here (%x)", c.method)
}

var errWindow = flawf("it takes more than %s to unpack, the limit of an unpacker", bytesText(maxWindow))
