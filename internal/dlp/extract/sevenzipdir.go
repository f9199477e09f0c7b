package extract

// The parts of a directory of 7-Zip.
const (
	id7zEnd      = 0x00
	id7zHeader   = 0x01
	id7zMore     = 0x02
	id7zStreams  = 0x04
	id7zFiles    = 0x05
	id7zPack     = 0x06
	id7zUnpack   = 0x07
	id7zSub      = 0x08
	id7zSize     = 0x09
	id7zSum      = 0x0a
	id7zFolder   = 0x0b
	id7zUnpacked = 0x0c
	id7zNumber   = 0x0d
	id7zEmpty    = 0x0e
	id7zNames    = 0x11
	id7zPacked   = 0x17
)

const maxFiles7z = 1 << 20 // that an archive may have

// dir7z reads a directory. After what cannot be so it is bad, and gives zeros.
type dir7z struct {
	b      []byte
	bad    bool
	from   uint64   // where the packed streams begin
	packed []uint64 // and how long each is
}

func (d *dir7z) byte() byte {
	if len(d.b) == 0 {
		d.bad = true
		return 0
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c
}

func (d *dir7z) bytes(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.bad, d.b = true, nil
		return nil
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out
}

// number reads one of up to 64 bits: the first byte says how many follow.
func (d *dir7z) number() uint64 {
	first := d.byte()
	v := uint64(0)
	for i := range 8 {
		if first&(0x80>>i) == 0 {
			return v | uint64(first&(0x7f>>i))<<(8*i)
		}
		v |= uint64(d.byte()) << (8 * i)
	}
	return v
}

// count is a number of things of which each takes a byte of the directory.
func (d *dir7z) count() int {
	n := d.number()
	if n > uint64(len(d.b)) {
		d.bad, d.b = true, nil
		return 0
	}
	return int(n)
}

// bits reads n of them.
func (d *dir7z) bits(n int) []bool {
	out := make([]bool, n)
	b := d.bytes(uint64(n+7) / 8)
	for i := range out {
		out[i] = len(b) > 0 && b[i/8]&(0x80>>(i%8)) != 0
	}
	return out
}

// sums reads checksums of n things; nil = it has none.
func (d *dir7z) sums(n int) []*uint32 {
	out := make([]*uint32, n)
	all := d.byte() != 0
	var has []bool
	if !all {
		has = d.bits(n)
	}
	for i := range out {
		if all || has[i] {
			if b := d.bytes(4); b != nil {
				sum := le.Uint32(b)
				out[i] = &sum
			}
		}
	}
	return out
}

// header reads what the archive holds.
func (d *dir7z) header(z *archive7z) bool {
	id := d.byte()
	if id == id7zMore {
		for id = d.byte(); id != id7zEnd && !d.bad; id = d.byte() {
			d.bytes(d.number())
		}
		id = d.byte()
	}
	if id == id7zStreams {
		d.streams(z)
		id = d.byte()
	}
	if id == id7zFiles {
		d.files(z)
	}
	return id == id7zFiles || id == id7zEnd
}

// streams reads how the archive is packed.
func (d *dir7z) streams(z *archive7z) {
	split := false
	for !d.bad {
		switch d.byte() {
		case id7zPack:
			d.pack()
		case id7zUnpack:
			d.folders(z)
		case id7zSub:
			d.split(z)
			split = true
		default:
			for i := range z.folders {
				if f := &z.folders[i]; !split {
					f.files = []file7z{{f.size(), f.sum}}
				}
			}
			return
		}
	}
}

// pack reads where the packed streams are.
func (d *dir7z) pack() {
	d.from = d.number()
	n := d.count()
	for !d.bad {
		switch d.byte() {
		case id7zSize:
			for range n {
				d.packed = append(d.packed, d.number())
			}
		case id7zSum:
			d.sums(n)
		default:
			return
		}
	}
}

// folders reads the chains of coders.
func (d *dir7z) folders(z *archive7z) {
	for !d.bad {
		switch d.byte() {
		case id7zFolder:
			n := d.count()
			if d.byte() != 0 { // it stands elsewhere, which no writer does
				d.bad = true
			}
			for range n {
				if d.bad {
					return
				}
				z.folders = append(z.folders, d.folder())
			}
		case id7zUnpacked:
			for i := range z.folders {
				for range z.folders[i].coders {
					z.folders[i].sizes = append(z.folders[i].sizes, d.number())
				}
			}
		case id7zSum:
			for i, sum := range d.sums(len(z.folders)) {
				z.folders[i].sum = sum
			}
		default:
			return
		}
	}
}

// folder reads a chain of coders, and takes the packed streams that follow those of the one before.
func (d *dir7z) folder() folder7z {
	var f folder7z
	n := d.count()
	if n < 1 || n > maxCoders {
		d.bad = true
		return f
	}
	inputs := 0
	for range n {
		flags := d.byte()
		c := coder7z{method: string(d.bytes(uint64(flags & 0xf))), in: 1}
		if flags&0x10 != 0 {
			c.in = int(min(d.number(), maxCoders))
			if d.number() != 1 {
				d.bad = true
			}
		}
		if flags&0x20 != 0 {
			c.props = d.bytes(d.number())
		}
		inputs += c.in
		f.coders = append(f.coders, c)
	}
	for range n - 1 {
		f.binds = append(f.binds, [2]int{int(d.number() & 0xff), int(d.number() & 0xff)})
	}
	packed := inputs - (n - 1)
	if packed < 1 {
		d.bad = true
		return f
	}
	if packed == 1 {
		f.inputs = []int{f.free()}
	} else {
		for range packed {
			f.inputs = append(f.inputs, int(d.number()&0xff))
		}
	}
	for range packed {
		if len(d.packed) == 0 {
			d.bad = true
			return f
		}
		f.from, f.packed = append(f.from, d.from), append(f.packed, d.packed[0])
		if d.from += d.packed[0]; d.from < d.packed[0] {
			d.bad = true
		}
		d.packed = d.packed[1:]
	}
	return f
}

// free is the input that reads no other coder.
func (f *folder7z) free() int {
	for i := range maxCoders * maxCoders {
		used := false
		for _, b := range f.binds {
			used = used || b[0] == i
		}
		if !used {
			return i
		}
	}
	return 0
}

// split reads which files the folders hold.
func (d *dir7z) split(z *archive7z) {
	id := d.byte()
	counts := make([]int, len(z.folders))
	all := 0
	for i := range counts {
		if counts[i] = 1; id == id7zNumber {
			counts[i] = d.count()
		}
		if all += counts[i]; all > maxFiles7z {
			d.bad = true
			return
		}
	}
	if id == id7zNumber {
		id = d.byte()
	}
	unknown := 0
	for i := range z.folders {
		f := &z.folders[i]
		left := f.size()
		for k := range counts[i] {
			size := left
			if k < counts[i]-1 {
				if id == id7zSize {
					size = d.number()
				}
				if size > left {
					d.bad = true
				}
			}
			if d.bad {
				return
			}
			left -= size
			f.files = append(f.files, file7z{size: size})
		}
		if counts[i] == 1 && f.sum != nil {
			f.files[0].sum = f.sum
		} else {
			unknown += counts[i]
		}
	}
	if id == id7zSize {
		id = d.byte()
	}
	if id == id7zSum {
		sums := d.sums(unknown)
		for i := range z.folders {
			for k := range z.folders[i].files {
				if e := &z.folders[i].files[k]; e.sum == nil && len(sums) > 0 {
					e.sum, sums = sums[0], sums[1:]
				}
			}
		}
		id = d.byte()
	}
	d.bad = d.bad || id != id7zEnd
}

// files reads the names. Those of what has no content, as folders, are left out.
func (d *dir7z) files(z *archive7z) {
	n := d.count()
	empty := make([]bool, n)
	for !d.bad {
		id := d.byte()
		if id == id7zEnd {
			break
		}
		p := &dir7z{b: d.bytes(d.number())}
		switch id {
		case id7zEmpty:
			empty = p.bits(n)
		case id7zNames:
			if p.byte() != 0 {
				d.bad = true
			}
			for i := range n {
				at := 0
				for at+1 < len(p.b) && (p.b[at] != 0 || p.b[at+1] != 0) {
					at += 2
				}
				name := utf16Text(p.bytes(uint64(at)))
				if p.bytes(2); !empty[i] {
					z.names = append(z.names, name)
				}
			}
		}
	}
}
