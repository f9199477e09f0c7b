package extract

import (
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/flate"
)

// archive is a zip archive in memory.
type archive struct {
	b     []byte
	dir   []byte // the directory
	base  int64  // of offsets, which do not count what stands before the archive
	count uint64 // of entries, as it says
	taken []stretch
}

// stretch is bytes that an entry has.
type stretch struct{ from, to int64 }

// entry is what the directory says of a file.
type entry struct {
	name          string
	flags, method uint16
	crc           uint32
	packed, size  uint64
	offset        uint64
	folder        bool
}

const (
	sigLocal  = "PK\x03\x04"
	sigDir    = "PK\x01\x02"
	sigEnd    = "PK\x05\x06"
	sigEnd64  = "PK\x06\x06"
	sigFind64 = "PK\x06\x07"
	lenDir    = 46
	lenLocal  = 30
	lenEnd    = 22
	lenFind64 = 20
	lenEnd64  = 56
)

var (
	le         = binary.LittleEndian
	errDamaged = flawf("a damaged archive: its directory cannot be read")
)

// openArchive finds the directory.
func openArchive(b []byte) (*archive, error) {
	end := -1
	for i := len(b) - lenEnd; i >= max(0, len(b)-lenEnd-1<<16); i-- {
		if b[i] == 'P' && string(b[i:i+4]) == sigEnd && i+lenEnd+int(le.Uint16(b[i+20:])) <= len(b) {
			end = i
			break
		}
	}
	if end < 0 {
		return nil, flawf("a damaged archive: it has no directory")
	}
	count, size, offset := uint64(le.Uint16(b[end+10:])), uint64(le.Uint32(b[end+12:])), uint64(le.Uint32(b[end+16:]))
	stop := uint64(end)
	if find := end - lenFind64; find >= 0 && string(b[find:find+4]) == sigFind64 {
		at := le.Uint64(b[find+8:])
		if at > uint64(find) || uint64(find)-at < lenEnd64 || string(b[at:at+4]) != sigEnd64 {
			return nil, errDamaged
		}
		count, size, offset, stop = le.Uint64(b[at+32:]), le.Uint64(b[at+40:]), le.Uint64(b[at+48:]), at
	}
	if size > stop || offset > stop-size {
		return nil, errDamaged
	}
	return &archive{b: b, dir: b[stop-size : stop], base: int64(stop - size - offset), count: count}, nil
}

// next gives the next entry of the directory; false at its end.
func (a *archive) next() (entry, bool, error) {
	d := a.dir
	if len(d) == 0 {
		return entry{}, false, nil
	}
	if len(d) < lenDir || string(d[:4]) != sigDir {
		if string(d[:min(4, len(d))]) == "PK\x05\x05" {
			return entry{}, false, nil // a signature of the directory
		}
		return entry{}, false, errDamaged
	}
	nameLen, extraLen, noteLen := int(le.Uint16(d[28:])), int(le.Uint16(d[30:])), int(le.Uint16(d[32:]))
	if len(d)-lenDir < nameLen+extraLen+noteLen {
		return entry{}, false, errDamaged
	}
	e := entry{flags: le.Uint16(d[8:]), method: le.Uint16(d[10:]), crc: le.Uint32(d[16:]), packed: uint64(le.Uint32(d[20:])),
		size: uint64(le.Uint32(d[24:])), offset: uint64(le.Uint32(d[42:]))}
	name := d[lenDir : lenDir+nameLen]
	e.wide(d[lenDir+nameLen : lenDir+nameLen+extraLen])
	e.folder = bytes.HasSuffix(name, []byte("/")) || bytes.HasSuffix(name, []byte("\\")) && e.size == 0
	e.name = entryName(name)
	a.dir = d[lenDir+nameLen+extraLen+noteLen:]
	return e, true, nil
}

// text is a name as UTF-8.
func text(name []byte) string {
	if utf8.Valid(name) {
		return string(name)
	}
	out, _ := decode8(nil, name, true)
	return string(out)
}

// wide reads the sizes that have more than 32 bits.
func (e *entry) wide(extra []byte) {
	for len(extra) >= 4 {
		id, n := le.Uint16(extra), int(le.Uint16(extra[2:]))
		if extra = extra[4:]; n > len(extra) {
			return
		}
		if id == 1 {
			b := extra[:n]
			for _, v := range []*uint64{&e.size, &e.packed, &e.offset} {
				if *v == 0xffffffff && len(b) >= 8 {
					*v, b = le.Uint64(b), b[8:]
				}
			}
		}
		extra = extra[n:]
	}
}

// bytes are those of an entry as they are packed. No two entries have the same ones.
func (a *archive) bytes(e entry) ([]byte, error) {
	n := uint64(len(a.b))
	from := e.offset + uint64(a.base)
	if e.offset > n || from > n || n-from < lenLocal || string(a.b[from:from+4]) != sigLocal {
		return nil, flawf("damaged: it is not where the directory says")
	}
	at := from + lenLocal + uint64(le.Uint16(a.b[from+26:])) + uint64(le.Uint16(a.b[from+28:]))
	if at > n || e.packed > n-at {
		return nil, flawf("damaged: it ends after the archive does")
	}
	s := stretch{int64(from), int64(at + e.packed)}
	i, _ := slices.BinarySearchFunc(a.taken, s, func(x, y stretch) int { return int(x.from - y.from) })
	if i > 0 && a.taken[i-1].to > s.from || i < len(a.taken) && a.taken[i].from < s.to {
		return nil, flawf("refused: it shares bytes with another entry")
	}
	a.taken = slices.Insert(a.taken, i, s)
	return a.b[at : at+e.packed], nil
}

// encrypted says whether an entry needs a password.
func (e *entry) encrypted() bool { return e.flags&1 != 0 || e.method == 99 }

// unpack gives the content of an entry. What it costs is counted.
func (x *run) unpack(a *archive, e entry) (io.Reader, error) {
	raw, err := a.bytes(e)
	if err != nil {
		return nil, err
	}
	u := &unpacker{x: x, sum: crc32.NewIEEE(), want: e.crc, packed: bytes.NewReader(raw)}
	switch e.method {
	case 0:
		u.r = u.packed
	case 8:
		u.r = flate.NewReader(u.packed)
	case 12:
		u.r = bzip2.NewReader(u.packed)
	default:
		return nil, flawf("packed by a method that has no reader here (%d)", e.method)
	}
	return u, nil
}

// unpacker reads what is unpacked, within the limit of the ratio.
type unpacker struct {
	x      *run
	packed *bytes.Reader
	r      io.Reader
	sum    interface {
		io.Writer
		Sum32() uint32
	}
	want uint32
}

// Read is io.Reader's.
func (u *unpacker) Read(b []byte) (int, error) {
	n, err := u.r.Read(b)
	_, _ = u.sum.Write(b[:n])
	if over := u.x.charge(int64(n)); over != nil {
		return 0, over
	}
	switch {
	case errors.Is(err, io.EOF):
		if u.sum.Sum32() != u.want {
			return n, flawf("damaged: its checksum is wrong")
		}
		return n, io.EOF
	case err != nil:
		return n, flawf("damaged: it cannot be unpacked")
	}
	return n, nil
}

// base is the last part of a name.
func base(name string) string { return name[strings.LastIndexAny(name, `/\`)+1:] }
