package extract

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"context"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/nwaples/rardecode/v2"
	"github.com/xi2/xz"
)

// packing is a format that packs one file.
type packing struct {
	kind  string
	ext   string   // of names, which say what is in it without it
	marks []string // that it begins with
	open  func(r *bufio.Reader) (io.Reader, func(), error)
}

// maxWindow is how much an unpacker may remember of what it unpacked.
const maxWindow = 64 << 20

// packings are RFC 1952, bzip2, the .xz file format and RFC 8878.
var packings = []packing{
	{"application/gzip", ".gz", []string{"\x1f\x8b\x08"}, openGzip},
	{"application/x-bzip2", ".bz2", []string{"BZh"}, func(r *bufio.Reader) (io.Reader, func(), error) {
		return bzip2.NewReader(r), func() {}, nil
	}},
	{"application/x-xz", ".xz", []string{"\xfd7zXZ\x00"}, func(r *bufio.Reader) (io.Reader, func(), error) {
		in, err := xz.NewReader(r, maxWindow)
		return in, func() {}, err
	}},
	{"application/zstd", ".zst", []string{"\x28\xb5\x2f\xfd", "\x50\x2a\x4d\x18"}, func(r *bufio.Reader) (io.Reader, func(), error) {
		in, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, func() {}, err
		}
		return in, in.Close, nil
	}},
}

// sniffArchive tells archives, but zip, by how they begin.
func sniffArchive(head []byte) (form, bool) {
	for _, p := range packings {
		for _, mark := range p.marks {
			if !bytes.HasPrefix(head, []byte(mark)) || mark == "BZh" && !bzip(head) {
				continue
			}
			return form{kind: p.kind, read: func(x *run, r *bufio.Reader, f file, form form) (status, error) {
				return x.readStream(p, r, f, form)
			}}, true
		}
	}
	switch {
	case bytes.HasPrefix(head, []byte(mark7z)):
		return form{kind: kind7z, read: (*run).read7z}, true
	case bytes.HasPrefix(head, []byte("Rar!\x1a\x07")):
		return form{kind: kindRAR, read: (*run).readRAR}, true
	case tarBlock(head):
		return form{kind: kindTar, read: (*run).readTar}, true
	}
	return form{}, false
}

// bzip says whether a bzip2 file goes on as one: with a block, or with its end.
func bzip(head []byte) bool {
	return len(head) >= 10 && (string(head[4:10]) == "1AY&SY" || string(head[4:10]) == "\x17\x72\x45\x38\x50\x90")
}

// readStream reads the file that is packed. It has the place of the packed one, and the depth of what is in an archive.
func (x *run) readStream(p packing, r *bufio.Reader, f file, form form) (status, error) {
	if err := x.below(f); err != nil {
		return settle(form.kind, false, err)
	}
	if err := x.enter(); err != nil {
		return settle(form.kind, false, err)
	}
	var in io.Reader
	var stop func()
	err := contain(func() (err error) {
		in, stop, err = p.open(r)
		return err
	})
	if err != nil {
		return settle(form.kind, false, damage(early(err)))
	}
	defer stop()
	name := base(f.name)
	if ext := path.Ext(name); strings.EqualFold(ext, p.ext) {
		name = strings.TrimSuffix(name, ext)
	}
	st, err := x.file(&unpacked{x: x, r: in}, file{name: name, size: -1, where: f.where, depth: f.depth + 1})
	st.kind = form.kind
	return st, err
}

// below says whether an archive may stand where it does.
func (x *run) below(f file) error {
	if f.depth > x.lim.Depth {
		return flawf("an archive below %d others, the limit of the depth", x.lim.Depth)
	}
	return nil
}

// enter counts an entry of an archive.
func (x *run) enter() error {
	if x.entries >= x.lim.Entries {
		return x.tooMany()
	}
	x.entries++
	return nil
}

// charge counts bytes that were unpacked.
func (x *run) charge(n int64) error {
	if err := x.ctx.Err(); err != nil {
		return err
	}
	x.unpacked += n
	if x.unpacked > 1<<20 && float64(x.unpacked) > x.lim.Ratio*float64(x.input) {
		return halt{"it unpacks to more than " + times(x.lim.Ratio) + " times its size, the limit of the ratio"}
	}
	return nil
}

// unpacked is what a library unpacks. What it costs is counted.
type unpacked struct {
	x *run
	r io.Reader
}

// Read is io.Reader's.
func (u *unpacked) Read(b []byte) (n int, err error) {
	err = contain(func() (err error) {
		n, err = u.r.Read(b)
		return err
	})
	if over := u.x.charge(int64(n)); over != nil {
		return 0, over
	}
	return n, damage(err)
}

// contain calls a library. A panic of it is damage of the file.
func contain(f func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = flawf("damaged: its unpacker failed")
		}
	}()
	return f()
}

// damage makes an error of a library the file's own, and leaves those that it only passes on.
func damage(err error) error {
	switch {
	case err == nil, err == io.EOF, errors.As(err, new(flaw)), errors.As(err, new(halt)), errors.As(err, new(failure)),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, xz.ErrBuf):
		return flawf("damaged: it ends too early")
	case errors.Is(err, xz.ErrMemlimit), errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, rardecode.ErrDictionaryTooLarge):
		return errWindow
	case errors.Is(err, rardecode.ErrMultiVolume), errors.Is(err, rardecode.ErrBadVolumeNumber):
		return flawf("a part of an archive of several: the others are not here")
	}
	return flawf("damaged: it cannot be unpacked")
}

// early is an error where something has to follow.
func early(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// gunzip reads the members of a gzip file.
type gunzip struct {
	z *gzip.Reader
	r *bufio.Reader
}

func openGzip(r *bufio.Reader) (io.Reader, func(), error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, nil, err
	}
	z.Multistream(false)
	return &gunzip{z, r}, func() { _ = z.Close() }, nil
}

// Read is io.Reader's.
func (g *gunzip) Read(b []byte) (int, error) {
	for {
		n, err := g.z.Read(b)
		if n > 0 && err == io.EOF {
			err = nil // it says so again
		}
		if n > 0 || err != io.EOF {
			return n, err
		}
		if err := g.next(); err != nil {
			return 0, err
		}
	}
}

// next begins the next member. Zeros that fill up the last block of a tape are no damage.
func (g *gunzip) next() error {
	for {
		c, err := g.r.ReadByte()
		if err != nil {
			return err
		}
		if c == 0 {
			continue
		}
		if _ = g.r.UnreadByte(); c != 0x1f {
			return flawf("bytes after its end that are no part of it")
		}
		if err := g.z.Reset(g.r); err != nil {
			return early(err)
		}
		g.z.Multistream(false)
		return nil
	}
}
