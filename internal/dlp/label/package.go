package label

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode/utf16"
)

// The names that [MS-OFFCRYPTO] 2.6, [MS-OI29500] 3.4.1.5 and ISO/IEC 29500 give. Those of strict documents begin otherwise.
const (
	infoPart     = "docMetadata/LabelInfo.xml"
	infoType     = "application/vnd.ms-office.classificationlabels+xml"
	infoRelation = "http://schemas.microsoft.com/office/2020/02/relationships/classificationlabels"
	infoSpace    = "http://schemas.microsoft.com/office/2020/mipLabelMetadata"

	customPart = "docProps/custom.xml"
	customType = "application/vnd.openxmlformats-officedocument.custom-properties+xml"

	relsPart  = "_rels/.rels"
	relsSpace = "http://schemas.openxmlformats.org/package/2006/relationships"
	typesPart = "[Content_Types].xml"

	signature = "http://schemas.openxmlformats.org/package/2006/relationships/digital-signature/"
)

// dialect is what transitional and strict documents call the same thing.
type dialect struct{ document, custom, customSpace, types string }

var dialects = [...]dialect{
	{"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument",
		"http://schemas.openxmlformats.org/officeDocument/2006/relationships/custom-properties",
		"http://schemas.openxmlformats.org/officeDocument/2006/custom-properties",
		"http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"},
	{"http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument",
		"http://purl.oclc.org/ooxml/officeDocument/relationships/customProperties",
		"http://purl.oclc.org/ooxml/officeDocument/customProperties",
		"http://purl.oclc.org/ooxml/officeDocument/docPropsVTypes"},
}

// office is an Office Open XML package.
type office struct {
	in     io.ReaderAt
	size   int64
	zip    *zip.Reader
	names  map[string]int // of entries, in small letters; -1 = of several
	rels   *tree
	main   string // the part of the document itself
	info   string // the part with labels, as its relationship names it; "" = none
	custom string // with custom properties
	of     dialect
	signed bool
	fresh  map[string][]byte // parts that are changed
}

// thrifty is a file of which no more than so many bytes are read.
type thrifty struct {
	in   io.ReaderAt
	left int64 // <0 = no limit
}

var errLarge = errors.New("too large a directory")

func (t *thrifty) ReadAt(b []byte, at int64) (int, error) {
	n, err := t.in.ReadAt(b, at)
	if t.left >= 0 {
		if t.left -= int64(n); t.left < 0 {
			t.left = 0
			return 0, errLarge
		}
	}
	return n, err
}

// openPackage reads the directory and the relationships of a package.
func openPackage(in io.ReaderAt, size int64) (*office, error) {
	limited := &thrifty{in: in, left: maxDirectory}
	z, err := zip.NewReader(limited, size)
	switch {
	case errors.Is(err, errLarge):
		return nil, flawf("an archive whose directory has more than %d MiB", maxDirectory>>20)
	case errors.Is(err, zip.ErrInsecurePath): // nothing is unpacked to a path
	case errors.Is(err, zip.ErrFormat), errors.Is(err, zip.ErrAlgorithm), errors.Is(err, zip.ErrChecksum), errors.Is(err, io.EOF),
		errors.Is(err, io.ErrUnexpectedEOF):
		return nil, flawf("a damaged archive")
	case err != nil:
		return nil, fmt.Errorf("read the directory: %w", err)
	}
	limited.left = -1
	p := &office{in: in, size: size, zip: z, names: make(map[string]int, len(z.File))}
	for i, f := range z.File {
		name := strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(f.Name, `\`, "/"), "/"))
		if _, twice := p.names[name]; twice {
			i = -1
		}
		p.names[name] = i
	}
	if _, ok := p.names[strings.ToLower(typesPart)]; !ok {
		return nil, flawf("an archive that is no Office Open XML file")
	}
	if p.rels, err = p.tree(relsPart); err != nil {
		return nil, err
	}
	return p, p.relate()
}

// relate finds the parts that the package's relationships lead to.
func (p *office) relate() error {
	if p.rels == nil {
		return flawf("an archive that is no Office Open XML file: it has no %s", relsPart)
	}
	for i := range p.rels.kids {
		k := &p.rels.kids[i]
		kind, _ := k.attr("Type")
		target, _ := k.attr("Target")
		if mode, _ := k.attr("TargetMode"); mode == "External" || k.Space != relsSpace || k.Local != "Relationship" {
			continue
		}
		to := &p.info
		switch {
		case strings.HasPrefix(kind, signature):
			p.signed = true
			continue
		case kind == infoRelation:
		case kind == dialects[0].custom, kind == dialects[1].custom:
			to = &p.custom
		case kind == dialects[0].document, kind == dialects[1].document:
			to, p.of = &p.main, dialects[0]
			if kind == dialects[1].document {
				p.of = dialects[1]
			}
		default:
			continue
		}
		if *to != "" {
			return flawf("malformed: two relationships of its package are of one type, where one may be")
		}
		*to = strings.TrimPrefix(path.Clean("/"+target), "/")
	}
	if p.main == "" {
		return flawf("an archive that is no Office Open XML file: no relationship leads to a document")
	}
	return nil
}

// content is a part, unpacked; nil = there is none.
func (p *office) content(name string) ([]byte, error) {
	name = strings.ToLower(name)
	if b, ok := p.fresh[name]; ok {
		return b, nil
	}
	i, ok := p.names[name]
	if !ok {
		return nil, nil
	}
	if i < 0 {
		return nil, flawf("malformed: two entries have the name of the part %s", known(name))
	}
	f := p.zip.File[i]
	if f.Flags&1 != 0 {
		return nil, flawf("an archive that needs a password")
	}
	r, err := f.Open()
	if err != nil {
		return nil, flawf("the part %s cannot be unpacked", known(name))
	}
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(io.LimitReader(r, maxPart+1))
	switch {
	case len(b) > maxPart:
		return nil, flawf("the part %s has more than %d MiB", known(name), maxPart>>20)
	case err != nil:
		return nil, flawf("the part %s is damaged", known(name))
	}
	return b, nil
}

// known is the name of a part if it is one that Office gives: another one may be anybody's text.
func known(name string) string {
	for _, k := range [...]string{infoPart, customPart, relsPart, typesPart} {
		if strings.EqualFold(name, k) {
			return k
		}
	}
	return "that a relationship leads to"
}

// tree is a part as XML; nil = there is none.
func (p *office) tree(name string) (*tree, error) {
	b, err := p.content(name)
	if b == nil || err != nil {
		return nil, err
	}
	t, err := parse(b)
	if err != nil {
		return nil, flawf("the part %s: %s", known(name), err.Error())
	}
	return t, nil
}

// labels are those of the package.
func (p *office) labels() (Found, error) {
	f := Found{Read: true}
	for _, of := range [...]struct {
		part string
		read func(f *Found, t *tree)
	}{{p.info, (*Found).readInfo}, {p.custom, (*Found).readCustom}} {
		if of.part == "" {
			continue
		}
		t, err := p.tree(of.part)
		switch {
		case err != nil:
			f.flawed("%s", err.Error())
		case t == nil:
			f.flawed("a relationship leads to the part %s, which is not there", known(of.part))
		default:
			of.read(&f, t)
		}
	}
	f.weigh()
	return f, nil
}

// compound says what a compound file is: Office keeps a document that is encrypted in one.
func compound(in io.ReaderAt, head []byte) string {
	if len(head) >= 512 {
		shift, sector := binary.LittleEndian.Uint16(head[30:]), binary.LittleEndian.Uint32(head[48:])
		dir := make([]byte, 4096)
		n, _ := in.ReadAt(dir, (int64(sector)+1)<<(shift&15)) // beyond the end: nothing
		var name []byte
		for _, c := range utf16.Encode([]rune("EncryptedPackage")) {
			name = binary.LittleEndian.AppendUint16(name, c)
		}
		if bytes.Contains(dir[:n], name) || bytes.Contains(head, name) {
			return "an encrypted document: its labels are neither read nor changed here"
		}
	}
	return "a compound file (OLE2), as of Office 97 to 2003"
}
