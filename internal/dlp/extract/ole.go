package extract

import (
	"bufio"
	"bytes"
	"strings"
	"unicode/utf16"
)

// The kinds of documents that are compound files.
const (
	kindDoc = "application/msword"
	kindXLS = "application/vnd.ms-excel"
	kindPPT = "application/vnd.ms-powerpoint"
	kindMsg = "application/vnd.ms-outlook"
)

const lockedOffice = "an Office document that needs a password"

// readOLE reads what is in a compound file: an Office document of before 2007, or a message of Outlook. One that needs a
// password is told from its first bytes, however large it is.
func (x *run) readOLE(r *bufio.Reader, f file, form form) (status, error) {
	if head, _ := r.Peek(sample); bytes.Contains(head, packageName) {
		return status{outcome: Encrypted, reason: lockedOffice, kind: form.kind}, nil
	}
	if err := x.below(f); err != nil {
		return settle(form.kind, false, err)
	}
	b, err := x.hold(r, f, "a compound file")
	defer func() { x.held -= int64(cap(b)) }()
	if err != nil {
		return settle(form.kind, false, err)
	}
	c, err := openCompound(b)
	if err != nil {
		return settle(form.kind, false, err)
	}
	return x.storage(c, 0, f, form.kind)
}

// packageName is the name of the stream with the document, as a directory holds it.
var packageName = func() (b []byte) {
	for _, c := range utf16.Encode([]rune("EncryptedPackage")) {
		b = le.AppendUint16(b, c)
	}
	return b
}()

// storage reads a storage as the document that it is.
func (x *run) storage(c *compound, at int, f file, kind string) (status, error) {
	if err := x.below(f); err != nil {
		return settle(kind, false, err)
	}
	in := c.storage(at)
	var t tally
	var st status
	var err error
	switch {
	case c.find(in, "EncryptedPackage") >= 0:
		return status{outcome: Encrypted, reason: lockedOffice, kind: kind}, nil
	case c.find(in, "WordDocument") >= 0:
		kind = kindDoc
		st, err = x.readDoc(c, in, f)
	case c.find(in, "Workbook") >= 0, c.find(in, "Book") >= 0:
		kind = kindXLS
		st, err = x.readXLS(c, in, f)
	case c.find(in, "PowerPoint Document") >= 0:
		kind = kindPPT
		st, err = x.readPPT(c, in, f, &t)
	case c.find(in, "__properties_version1.0") >= 0:
		return x.readMsg(c, in, f)
	default:
		if err = x.objects(c, in, f, &t); err == nil && t.all == 0 {
			return status{outcome: NotScanned, reason: refusal(kind), kind: kind}, nil
		}
		return t.status(kind), err
	}
	if st.outcome == Encrypted {
		return status{outcome: Encrypted, reason: lockedOffice, kind: kind}, nil
	}
	t.add(st)
	if err == nil {
		err = x.objects(c, in, f, &t)
	}
	if c.shared {
		t.add(status{outcome: NotScanned, reason: "refused: its streams share bytes"})
	}
	return t.status(kind), err
}

// objects reads what is beside the document: its properties, and what is embedded in it.
func (x *run) objects(c *compound, in []int, f file, t *tally) error {
	for _, i := range in {
		name := c.dirs[i].name
		if c.dirs[i].kind == oleStorage {
			if err := x.object(c, i, f, t); err != nil {
				return err
			}
			continue
		}
		switch {
		case strings.HasPrefix(name, "\x05") && strings.HasSuffix(name, "SummaryInformation"):
			if err := x.properties(c.stream(i), f); err != nil {
				return err
			}
		case name == "\x01Ole10Native":
			name, b := oleNative(c.stream(i))
			if err := x.member(b, name, f, t); err != nil {
				return err
			}
		case name == "Package", name == "CONTENTS", name == "Contents":
			if err := x.member(c.stream(i), "", f, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// object reads a storage in a document. Some only hold other ones, and code is not read.
func (x *run) object(c *compound, at int, f file, t *tally) error {
	name := c.dirs[at].name
	switch {
	case name == "Macros", name == "_VBA_PROJECT_CUR", name == "MsoDataStore", name == "_SX_DB_CUR", strings.HasPrefix(name, "\x06"):
		return nil
	case name == "ObjectPool":
		return x.objects(c, c.storage(at), file{name: f.name, where: f.where, depth: f.depth + 1}, t)
	}
	if err := x.enter(); err != nil {
		return err
	}
	st, err := x.storage(c, at, file{where: inside(f.where, name), depth: f.depth + 1}, kindOLE)
	t.add(st)
	return err
}

// member reads a file that is in memory as an entry of an archive.
func (x *run) member(b []byte, name string, f file, t *tally) error {
	if err := x.enter(); err != nil {
		return err
	}
	place := base(name)
	if place == "" {
		place = "embedded file"
	}
	st, err := x.file(bytes.NewReader(b), file{name: base(name), size: -1, where: inside(f.where, place), depth: f.depth + 1})
	t.add(st)
	return err
}

// oleNative is the file in an object of the packager: its name, and what it holds ([MS-OLEDS], and what packagers write).
func oleNative(b []byte) (name string, data []byte) {
	if len(b) < 6 {
		return "", b
	}
	rest := b[6:]
	cut := func() string {
		s, after, _ := bytes.Cut(rest, []byte{0})
		rest = after
		return text(s)
	}
	name = cut()
	cut()
	if len(rest) < 8 {
		return "", b[4:]
	}
	n := uint64(le.Uint32(rest[4:]))
	if rest = rest[8:]; n > uint64(len(rest)) || uint64(len(rest))-n < 4 {
		return "", b[4:]
	}
	rest = rest[n:]
	size := uint64(le.Uint32(rest))
	rest = rest[4:]
	return name, rest[:min(size, uint64(len(rest)))]
}

// summaryNames are those of the properties of a summary ([MS-OLEPS], [MS-OSHARED]).
var summaryNames = map[uint32]string{2: "title", 3: "subject", 4: "author", 5: "keywords", 6: "comments", 8: "last author"}

// properties writes the texts in a set of properties.
func (x *run) properties(b []byte, f file) error {
	w := x.flow(f, "")
	w.at = func(int) string { return "its properties" }
	for i := 0; i < 2 && len(b) >= 48+20*i; i++ {
		from := uint64(le.Uint32(b[44+20*i:]))
		if from+8 > uint64(len(b)) {
			break
		}
		page := 1252
		s := b[from:]
		for k := 0; k < int(min(le.Uint32(s[4:]), 1000)) && len(s) >= 16+8*k; k++ {
			id, at := le.Uint32(s[8+8*k:]), uint64(le.Uint32(s[12+8*k:]))
			if at+8 > uint64(len(s)) {
				continue
			}
			v := s[at:]
			n := uint64(le.Uint32(v[4:]))
			var text []byte
			switch le.Uint16(v) {
			case 2: // a number: that of the code page
				if id == 1 {
					page = int(le.Uint16(v[4:]))
				}
				continue
			case 30:
				text = recode(nil, bytes.TrimRight(v[8:8+min(n, uint64(len(v)-8))], "\x00"), codePage(page))
			case 31:
				text = []byte(utf16Text(v[8 : 8+min(2*n, uint64(len(v)-8))]))
			}
			if len(text) == 0 {
				continue
			}
			w.mark(summaryNames[id], false, 0)
			if err := w.writeLine(text); err != nil {
				_ = w.close()
				return err
			}
		}
	}
	return w.close()
}
