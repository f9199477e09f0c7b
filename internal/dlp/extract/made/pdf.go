package made

import (
	"bytes"
	"compress/zlib"
	"crypto/md5"
	"crypto/rc4"
	"encoding/binary"
	"fmt"
	"strings"
)

// PDF writes a PDF: objects, numbered from 1. The first three are the catalog, the pages and a font.
type PDF struct {
	Objects []string
	Pages   []int  // numbers of objects
	Catalog string // more of it
	Trailer string // more of it
	Packed  bool   // objects are in a stream, and the table of them is one

	key []byte // of encryption, nil = none
}

// NewPDF makes one without pages.
func NewPDF() *PDF {
	return &PDF{Objects: []string{"", "", "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"}}
}

// Add adds an object and gives its number.
func (m *PDF) Add(format string, args ...any) int {
	m.Objects = append(m.Objects, fmt.Sprintf(format, args...))
	return len(m.Objects)
}

// Stream adds a stream, as it is or packed.
func (m *PDF) Stream(dict, data string, flate bool) int {
	if flate {
		var b bytes.Buffer
		z := zlib.NewWriter(&b)
		_, _ = z.Write([]byte(data))
		_ = z.Close()
		dict, data = dict+"/Filter/FlateDecode", b.String()
	}
	n := len(m.Objects) + 1
	if m.key != nil {
		sum := md5.Sum(append(bytes.Clone(m.key), byte(n), byte(n>>8), byte(n>>16), 0, 0))
		data = rc4Of(sum[:10], data)
	}
	return m.Add("<<%s/Length %d>>\nstream\n%s\nendstream", dict, len(data), data)
}

// Page adds a page that a content draws, with more of its dictionary.
func (m *PDF) Page(content, more string) {
	c := m.Stream("", content, len(m.Pages)%2 == 1)
	if !strings.Contains(more, "/Resources") {
		more += "/Resources<</Font<</F1 3 0 R>>>>"
	}
	m.Pages = append(m.Pages, m.Add("<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents %d 0 R%s>>", c, more))
}

// Drawn draws lines of text.
func Drawn(text ...string) string {
	var b strings.Builder
	b.WriteString("BT /F1 12 Tf 72 720 Td ")
	for _, t := range text {
		fmt.Fprintf(&b, "(%s) Tj 0 -14 Td ", strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`).Replace(t))
	}
	return b.String() + "ET"
}

// Pages makes a PDF of a line for each page.
func Pages(pages ...string) string {
	m := NewPDF()
	for _, text := range pages {
		m.Page(Drawn(text), "")
	}
	return m.String()
}

// String is the file.
func (m *PDF) String() string {
	m.Objects[0] = "<</Type/Catalog/Pages 2 0 R" + m.Catalog + ">>"
	kids := make([]string, len(m.Pages))
	for i, n := range m.Pages {
		kids[i] = fmt.Sprint(n, " 0 R")
	}
	m.Objects[1] = fmt.Sprintf("<</Type/Pages/Count %d/Kids[%s]>>", len(kids), strings.Join(kids, " "))
	var b strings.Builder
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	if m.Packed {
		m.pack(&b)
		return b.String()
	}
	at := make([]int, len(m.Objects))
	for i, o := range m.Objects {
		at[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	table := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, m.Trailer, table)
	return b.String()
}

// pack writes what is no stream in one, and the table of objects as another.
func (m *PDF) pack(b *strings.Builder) {
	table := make([]byte, 0, 5*(len(m.Objects)+3))
	entry := func(kind byte, at, index int) {
		table = append(binary.BigEndian.AppendUint32(append(table, kind), uint32(at)), byte(index))
	}
	var head, body strings.Builder
	n, inside := len(m.Objects)+1, 0
	entry(0, 0, 0)
	for i, o := range m.Objects {
		if strings.HasSuffix(o, "endstream") {
			entry(1, b.Len(), 0)
			fmt.Fprintf(b, "%d 0 obj\n%s\nendobj\n", i+1, o)
			continue
		}
		entry(2, n, inside)
		inside++
		fmt.Fprintf(&head, "%d %d ", i+1, body.Len())
		body.WriteString(o + " ")
	}
	m.Stream(fmt.Sprintf("/Type/ObjStm/N %d/First %d", inside, head.Len()), head.String()+body.String(), true)
	entry(1, b.Len(), 0)
	fmt.Fprintf(b, "%d 0 obj\n%s\nendobj\n", n, m.Objects[n-1])
	start := b.Len()
	entry(1, start, 0)
	m.Stream(fmt.Sprintf("/Type/XRef/Size %d/W[1 4 1]/Root 1 0 R", n+2), string(table), true)
	fmt.Fprintf(b, "%d 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n", n+1, m.Objects[n], start)
	m.Objects = m.Objects[:n-1]
}

// padding is what passwords are filled up with: ISO 32000-1, 7.6.3.3.
const padding = "\x28\xbf\x4e\x5e\x4e\x75\x8a\x41\x64\x00\x4e\x56\xff\xfa\x01\x08" +
	"\x2e\x2e\x00\xb6\xd0\x68\x3e\x80\x2f\x0c\xa9\xfe\x64\x53\x69\x7a"

func rc4Of(key []byte, text string) string {
	c, err := rc4.NewCipher(key)
	if err != nil {
		panic(err)
	}
	out := make([]byte, len(text))
	c.XORKeyStream(out, []byte(text))
	return string(out)
}

// Encrypt has the streams that follow encrypted by RC4 of 40 bits, with a password for those who read.
func (m *PDF) Encrypt(password string) {
	pad := (password + padding)[:32]
	owner := md5.Sum([]byte(("owner" + padding)[:32]))
	o := rc4Of(owner[:5], pad)
	sum := md5.Sum([]byte(pad + o + "\xfc\xff\xff\xff" + "0123456789abcdef"))
	m.key = sum[:5]
	m.Trailer += fmt.Sprintf("/ID[<%x><%x>]/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<%x>/U<%x>>>", "0123456789abcdef", "0123456789abcdef", o,
		rc4Of(m.key, padding))
}
