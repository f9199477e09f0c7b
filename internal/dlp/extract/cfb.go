package extract

import (
	"slices"
	"strings"
	"unicode/utf16"
)

// compound is a compound file in memory ([MS-CFB]): storages and streams, as folders and files are. It is read by our own code:
// the library for it takes memory that grows with the square of a file's storages.
type compound struct {
	b      []byte
	sector int // bytes of one
	fat    []uint32
	mini   []uint32 // of the small streams
	small  []byte   // the small streams
	dirs   []oleDir
	listed []bool // of dirs
	given  int    // bytes of streams
	shared bool   // streams have more bytes than the file
}

// oleDir is a stream or storage.
type oleDir struct {
	name               string
	kind               byte
	left, right, child uint32
	start              uint32
	size               uint64
}

const (
	oleStorage = 1
	oleStream  = 2
	oleRoot    = 5

	oleNone   = 0xffffffff
	oleEnd    = 0xfffffffe
	oleDirLen = 128
	oleSmall  = 64   // bytes of a sector of the small streams
	oleCutoff = 4096 // bytes of a stream that is not small
)

var errCompound = flawf("a damaged compound file: its directory cannot be read")

// openCompound reads the tables of sectors and the directory.
func openCompound(b []byte) (*compound, error) {
	if len(b) < 512 {
		return nil, flawf("a damaged compound file")
	}
	c := &compound{b: b, sector: 512}
	switch le.Uint16(b[30:]) {
	case 9:
	case 12:
		c.sector = 4096
	default:
		return nil, flawf("a damaged compound file")
	}
	c.readFAT()
	dir := c.chain(le.Uint32(b[48:]), c.fat, len(b))
	for at := 0; at+oleDirLen <= len(dir); at += oleDirLen {
		c.dirs = append(c.dirs, oleDirOf(dir[at:at+oleDirLen], c.sector == 512))
	}
	if len(c.dirs) == 0 || c.dirs[0].kind != oleRoot {
		return nil, errCompound
	}
	c.listed = make([]bool, len(c.dirs))
	c.mini = words32(c.chain(le.Uint32(b[60:]), c.fat, len(b)))
	c.small = c.chain(c.dirs[0].start, c.fat, len(b))
	return c, nil
}

// at is a sector, or nil.
func (c *compound) at(n uint32) []byte {
	from := (int64(n) + 1) * int64(c.sector)
	if n >= oleEnd-3 || from >= int64(len(c.b)) {
		return nil
	}
	return c.b[from:min(from+int64(c.sector), int64(len(c.b)))]
}

// readFAT reads which sector follows which: the header names the first 109 sectors of that table, and a list the others.
func (c *compound) readFAT() {
	seen := map[uint32]bool{}
	most := len(c.b)/c.sector + 1
	table := func(names []byte) {
		for _, n := range words32(names) {
			if len(c.fat) < most && n < oleEnd-3 && !seen[n] {
				seen[n] = true
				c.fat = append(c.fat, words32(c.at(n))...)
			}
		}
	}
	table(c.b[76:512])
	for n := le.Uint32(c.b[68:]); n < oleEnd-3 && !seen[n]; {
		b := c.at(n)
		if len(b) < c.sector {
			return
		}
		seen[n] = true
		table(b[:c.sector-4])
		n = le.Uint32(b[c.sector-4:])
	}
}

func words32(b []byte) []uint32 {
	out := make([]uint32, len(b)/4)
	for i := range out {
		out[i] = le.Uint32(b[4*i:])
	}
	return out
}

// chain is the bytes of the sectors that follow each other, most bytes at most. A ring ends where it closes, as most ends it.
func (c *compound) chain(n uint32, fat []uint32, most int) []byte {
	var out []byte
	for len(out) < most {
		b := c.at(n)
		if b == nil {
			break
		}
		out = append(out, b[:min(len(b), most-len(out))]...)
		if int64(n) >= int64(len(fat)) {
			break
		}
		n = fat[n]
	}
	return out
}

// oleDirOf reads an entry of the directory. old: the size has 32 bits.
func oleDirOf(b []byte, old bool) oleDir {
	d := oleDir{kind: b[66], left: le.Uint32(b[68:]), right: le.Uint32(b[72:]), child: le.Uint32(b[76:]), start: le.Uint32(b[116:]),
		size: le.Uint64(b[120:])}
	if old {
		d.size &= 0xffffffff
	}
	d.name = utf16Text(b[:max(0, min(int(le.Uint16(b[64:]))-2, 64))])
	return d
}

// utf16Text is a text of 16 bits a unit, up to a zero.
func utf16Text(b []byte) string {
	var units []uint16
	for i := 0; i+2 <= len(b); i += 2 {
		u := le.Uint16(b[i:])
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}

// storage is what is in one: its entries by their places in the directory, in the order in which they were made. An entry is in
// one storage only.
func (c *compound) storage(at int) []int {
	var out []int
	stack := []uint32{c.dirs[at].child}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if int64(n) >= int64(len(c.dirs)) || c.listed[n] || n == 0 {
			continue
		}
		c.listed[n] = true
		d := &c.dirs[n]
		if d.kind == oleStorage || d.kind == oleStream {
			out = append(out, int(n))
		}
		stack = append(stack, d.right, d.left)
	}
	slices.Sort(out)
	return out
}

// find is the entry of a name in a storage, or -1.
func (c *compound) find(in []int, name string) int {
	for _, i := range in {
		if strings.EqualFold(c.dirs[i].name, name) {
			return i
		}
	}
	return -1
}

// stream is the bytes of a stream; as many as there are, when it is damaged. Streams that share bytes end where all have had
// twice as many as the file.
func (c *compound) stream(at int) []byte {
	d := &c.dirs[at]
	size := int(min(d.size, uint64(len(c.b))))
	if c.given += size; c.given > 2*len(c.b) {
		c.shared = true
		return nil
	}
	if d.size >= oleCutoff {
		return c.chain(d.start, c.fat, size)
	}
	var out []byte
	for n := d.start; len(out) < size; {
		from := int64(n) * oleSmall
		if n >= oleEnd-3 || from >= int64(len(c.small)) {
			break
		}
		b := c.small[from:min(from+oleSmall, int64(len(c.small)))]
		out = append(out, b[:min(len(b), size-len(out))]...)
		if int64(n) >= int64(len(c.mini)) {
			break
		}
		n = c.mini[n]
	}
	return out
}

// named is a stream of a storage by its name, or nil.
func (c *compound) named(in []int, name string) []byte {
	if i := c.find(in, name); i >= 0 && c.dirs[i].kind == oleStream {
		return c.stream(i)
	}
	return nil
}
