package extract

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/klauspost/compress/zlib"
)

// The records of a presentation that are looked at ([MS-PPT] 2.13.24).
const (
	pptSlide      = 0x03ee
	pptNotes      = 0x03f0
	pptPersist    = 0x03f3
	pptMaster     = 0x03f8
	pptChars      = 0x0fa0
	pptBytes      = 0x0fa8
	pptString     = 0x0fba
	pptSlideTexts = 0x0ff0
	pptObject     = 0x1011
	pptTag        = 0x138b

	pptLockedToken = 0xf3d1c4df
)

// readPPT reads a presentation of PowerPoint 97 to 2003: all texts in the order of the file, by the slide or notes that they are
// of, and objects that are embedded.
func (x *run) readPPT(c *compound, in []int, f file, t *tally) (status, error) {
	if user := c.named(in, "Current User"); len(user) >= 16 && le.Uint32(user[12:]) == pptLockedToken || c.find(in, "EncryptedSummary") >= 0 {
		return status{outcome: Encrypted}, nil
	}
	was := x.text
	p := ppt97{x: x, f: f, t: t}
	p.w = x.flow(f, "")
	p.w.at = func(int) string { return p.place }
	p.at("beside the slides")
	err := p.read(c.named(in, "PowerPoint Document"), true)
	if end := p.w.close(); err == nil || errors.As(end, new(halt)) {
		err = end
	}
	return settle(kindPPT, x.text > was, err)
}

// ppt97 is a presentation being read.
type ppt97 struct {
	x       *run
	f       file
	t       *tally
	w       *flow
	place   string
	slides  int
	notes   int
	listed  int // slides in the list of texts
	inSlide bool
	out     []byte
}

func (p *ppt97) at(place string) { p.place = place }

// read goes through records, which need no stack: what is in a container stands where it does. tags: what was added for later
// versions, as comments are, is read too.
func (p *ppt97) read(b []byte, tags bool) error {
	for len(b) > 0 {
		if len(b) < 8 {
			return flawf("damaged: it ends inside of a record")
		}
		head, kind, n := le.Uint16(b), le.Uint16(b[2:]), uint64(le.Uint32(b[4:]))
		b = b[8:]
		if head&0xf == 0xf {
			if err := p.container(kind, head>>4); err != nil {
				return err
			}
			continue
		}
		body := b[:min(n, uint64(len(b)))]
		err := p.atom(kind, head>>4, body)
		if kind == pptTag && tags {
			if err = p.read(body, false); errors.As(err, new(flaw)) {
				err = nil // it holds no records
			}
		}
		if err != nil {
			return err
		}
		if n > uint64(len(b)) {
			return flawf("damaged: it ends inside of a record")
		}
		b = b[n:]
	}
	return nil
}

// container begins a slide, or something else that texts stand in.
func (p *ppt97) container(kind, instance uint16) error {
	place := ""
	switch {
	case kind == pptSlide:
		p.slides++
		place = "slide " + strconv.Itoa(p.slides)
	case kind == pptNotes:
		p.notes++
		place = "notes " + strconv.Itoa(p.notes)
	case kind == pptMaster:
		place = "a master"
	case kind == pptSlideTexts:
		p.listed, p.inSlide = 0, instance == 0
		place = "beside the slides"
	default:
		return nil
	}
	if err := p.w.end(); err != nil {
		return err
	}
	p.at(place)
	return nil
}

func (p *ppt97) atom(kind, instance uint16, b []byte) error {
	switch kind {
	case pptPersist:
		if p.listed++; p.inSlide {
			if err := p.w.end(); err != nil {
				return err
			}
			p.at("slide " + strconv.Itoa(p.listed))
		}
	case pptChars, pptString:
		return p.text(b, 2)
	case pptBytes:
		return p.text(b, 1)
	case pptObject:
		return p.object(b, instance == 1)
	}
	return nil
}

// text writes a text of 8 or 16 bits a character, of which the upper 8 are zero then.
func (p *ppt97) text(b []byte, width int) error {
	p.out = p.out[:0]
	if width == 2 {
		p.out, _ = utf16LE.decode(p.out, b, true)
	} else {
		for _, c := range b {
			p.out = appendPlain(p.out, rune(c))
		}
	}
	for i, c := range p.out {
		if c == '\r' {
			p.out[i] = '\n'
		}
	}
	return p.w.writeLine(p.out)
}

// object reads an embedded object, a compound file by itself, which may be packed (2.10.34).
func (p *ppt97) object(b []byte, packed bool) error {
	if err := p.x.enter(); err != nil {
		return err
	}
	f := file{size: -1, where: inside(p.f.where, "embedded object"), depth: p.f.depth + 1}
	if !packed || len(b) < 4 {
		st, err := p.x.file(bytes.NewReader(b), f)
		p.t.add(st)
		return err
	}
	z, err := zlib.NewReader(bytes.NewReader(b[4:]))
	if err != nil {
		p.t.add(status{outcome: NotScanned, reason: "damaged: it cannot be unpacked"})
		return nil
	}
	st, err := p.x.file(&unpacked{p.x, z}, f)
	p.t.add(st)
	return err
}
