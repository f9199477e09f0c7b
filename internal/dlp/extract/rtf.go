package extract

import (
	"bufio"
	"errors"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	chars "golang.org/x/text/encoding"
)

// readRTF reads the text of a Rich Text Format document (Microsoft, version 1.9.1): a line for each paragraph, cells apart by
// tabs. Codes of fields, tags of HTML that it was made of, and what it says of itself follow apart.
func (x *run) readRTF(r *bufio.Reader, f file, form form) (status, error) {
	was := x.text
	w, side := x.flow(f, "paragraph"), x.flow(f, "")
	side.at = func(int) string { return "beside the text" }
	d := rtf{w: w, side: side, r: r, ansi: 1252, font: -1, fonts: map[int]int{}, now: rtfGroup{uc: 1, font: -1}}
	err := d.read()
	for _, end := range []error{w.close(), side.close()} {
		if err == nil || errors.As(end, new(halt)) {
			err = end
		}
	}
	if err == nil && d.objects > 0 {
		err = flawf("%s: there is no reader for it", several(d.objects, "an embedded object"))
	}
	return settle(form.kind, x.text > was, err)
}

// rtfGroup is what holds up to the end of a group.
type rtfGroup struct {
	to   rtfTo
	uc   int // characters that stand for one of Unicode, for old readers
	font int
}

// rtfTo says where the text of a group goes.
type rtfTo int

const (
	rtfBody rtfTo = iota
	rtfSide
	rtfFonts
	rtfNowhere
)

const (
	rtfDepth    = 1000 // groups in groups
	rtfWord     = 32   // letters of a control word
	rtfMaxFonts = 4096 // fonts that are remembered
)

// rtf is a document being read.
type rtf struct {
	w, side *flow
	r       *bufio.Reader
	now     rtfGroup
	around  []rtfGroup
	raw     []byte // text as it is encoded
	out     []byte
	high    rune // the first half of a character
	skip    int  // what is left out yet, as it stands for a character of Unicode
	fresh   bool // a group has just begun
	star    bool // it may be left out by who does not know it

	ansi    int         // the document's code page
	font    int         // the one that is being told of
	fonts   map[int]int // code pages
	first   int         // font of the document
	objects int
}

func (d *rtf) read() error {
	for {
		c, err := d.r.ReadByte()
		if err == nil {
			err = d.byte(c)
		}
		switch {
		case errors.Is(err, io.EOF):
			if err := d.flush(); err != nil {
				return err
			}
			if len(d.around) > 0 {
				return flawf("damaged: it ends inside of a group")
			}
			return nil
		case err != nil:
			_ = d.flush()
			return err
		}
	}
}

func (d *rtf) byte(c byte) error {
	fresh := d.fresh
	d.fresh = c == '{' || fresh && (c == '\r' || c == '\n')
	switch c {
	case '{':
		if err := d.flush(); err != nil {
			return err
		}
		if d.skip = 0; len(d.around) >= rtfDepth {
			return flawf("groups below %d others, the limit of RTF", rtfDepth)
		}
		d.around = append(d.around, d.now)
	case '}':
		err := d.flush()
		if d.skip = 0; err == nil && d.now.to == rtfSide {
			err = d.apart()
		}
		if n := len(d.around); n > 0 {
			d.now, d.around = d.around[n-1], d.around[:n-1]
		}
		return err
	case '\\':
		return d.control(fresh)
	case '\r', '\n', 0:
	default:
		return d.char(c)
	}
	return nil
}

// char takes a byte of text.
func (d *rtf) char(c byte) error {
	if d.skip > 0 {
		d.skip--
		return nil
	}
	if d.now.to > rtfSide {
		return nil
	}
	if d.raw = append(d.raw, c); len(d.raw) >= sample {
		return d.flush()
	}
	return nil
}

// flush writes the text that was gathered.
func (d *rtf) flush() error {
	if len(d.raw) == 0 {
		return nil
	}
	d.out = d.out[:0]
	if ascii(d.raw) == len(d.raw) {
		d.out = append(d.out, d.raw...)
	} else {
		d.out = recode(d.out, d.raw, d.encoding())
	}
	d.raw = d.raw[:0]
	return d.put(d.out)
}

// encoding is that of the font in use.
func (d *rtf) encoding() chars.Encoding {
	font := d.now.font
	if font < 0 {
		font = d.first
	}
	if page := d.fonts[font]; page != 0 {
		return codePage(page)
	}
	return codePage(d.ansi)
}

func (d *rtf) put(b []byte) error {
	switch d.now.to {
	case rtfBody:
		return d.w.write(b)
	case rtfSide:
		return d.side.write(b)
	}
	return nil
}

// sign writes a character that a control stands for.
func (d *rtf) sign(r rune) error {
	if d.skip > 0 {
		d.skip--
		return nil
	}
	if err := d.flush(); err != nil {
		return err
	}
	return d.put(appendPlain(d.out[:0], r))
}

// apart ends a line beside the text.
func (d *rtf) apart() error {
	if n := len(d.side.buf); n == d.side.from || d.side.buf[n-1] == '\n' {
		return nil
	}
	return d.side.write(newline)
}

// unicode writes a character by its number, of which the halves of the larger ones come by themselves.
func (d *rtf) unicode(n int) error {
	r := rune(n & 0xffff)
	if err := d.flush(); err != nil {
		return err
	}
	d.skip = 0
	switch {
	case utf16.IsSurrogate(r) && r < 0xdc00:
		d.high = r
	case utf16.IsSurrogate(r):
		if r = utf16.DecodeRune(d.high, r); r != utf8.RuneError {
			if err := d.sign(r); err != nil {
				return err
			}
		}
	case r >= 0xf020 && r <= 0xf0ff: // of a font of symbols
		if err := d.sign(r - 0xf000); err != nil {
			return err
		}
	case r != 0:
		if err := d.sign(r); err != nil {
			return err
		}
	}
	d.skip = d.now.uc
	return nil
}

// control reads what follows a backslash. fresh: it is the first in its group.
func (d *rtf) control(fresh bool) error {
	c, err := d.r.ReadByte()
	if err != nil {
		return err
	}
	switch {
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		return d.word(c)
	case c == '\'':
		return d.hex()
	case c == '*':
		d.star = fresh
	case c == '~':
		return d.sign(' ')
	case c == '_':
		return d.sign('-')
	case c == '-', c == '|', c == ':':
	case c == '\r', c == '\n':
		return d.sign('\n')
	case c == '\\', c == '{', c == '}':
		return d.char(c)
	}
	return nil
}

// hex is a byte of text by two digits.
func (d *rtf) hex() error {
	n := 0
	for range 2 {
		c, err := d.r.ReadByte()
		if err != nil {
			return err
		}
		v := hexDigit(c)
		if v < 0 {
			return d.r.UnreadByte()
		}
		n = n<<4 | v
	}
	return d.char(byte(n))
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// word reads a control word: letters, a number, and a space that is part of it.
func (d *rtf) word(c byte) error {
	var letters [rtfWord]byte
	name := append(letters[:0], c)
	n, digits, minus := 0, false, false
	for {
		c, err := d.r.ReadByte()
		if err != nil {
			if errors.Is(err, io.EOF) {
				break // it ends with it
			}
			return err
		}
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z' && !digits && !minus && len(name) < rtfWord:
			name = append(name, c)
			continue
		case c == '-' && !digits && !minus:
			minus = true
			continue
		case c >= '0' && c <= '9' && n < 1<<30/10:
			n, digits = n*10+int(c-'0'), true
			continue
		case c != ' ':
			if err := d.r.UnreadByte(); err != nil {
				return err
			}
		}
		break
	}
	if minus {
		n = -n
	}
	star := d.star
	d.star = false
	return d.act(string(name), n, star)
}
