package extract

import (
	"bytes"
	"compress/zlib"
	"math"
	"path"
	"strings"
	"testing"
	"unicode/utf16"
)

// cfbOf makes a compound file ([MS-CFB] version 3) of paths and contents in turn. A storage is made by the first path in it.
func cfbOf(t testing.TB, files ...string) []byte {
	t.Helper()
	type node struct {
		name               string
		kind               byte
		left, right, child uint32
		content            []byte
		start              uint32
	}
	nodes := []node{{name: "Root Entry", kind: oleRoot, left: oleNone, right: oleNone, child: oleNone}}
	index := map[string]int{".": 0}
	var add func(name string, kind byte, content []byte)
	add = func(name string, kind byte, content []byte) {
		folder := path.Dir(name)
		if _, ok := index[folder]; !ok {
			add(folder, oleStorage, nil)
		}
		up := index[folder]
		nodes = append(nodes, node{path.Base(name), kind, nodes[up].child, oleNone, oleNone, content, oleEnd})
		nodes[up].child = uint32(len(nodes) - 1)
		index[name] = len(nodes) - 1
	}
	for i := 0; i < len(files); i += 2 {
		add(files[i], oleStream, []byte(files[i+1]))
	}
	var sectors, small []byte
	var fat, mini []uint32
	put := func(b []byte, into *[]byte, table *[]uint32, size int) uint32 {
		if len(b) == 0 {
			return oleEnd
		}
		first := uint32(len(*table))
		for at := 0; at < len(b); at += size {
			*into = append(*into, b[at:min(at+size, len(b))]...)
			*into = append(*into, make([]byte, (size-len(*into)%size)%size)...)
			*table = append(*table, uint32(len(*table))+1)
		}
		(*table)[len(*table)-1] = oleEnd
		return first
	}
	for i := range nodes[1:] {
		n := &nodes[i+1]
		if len(n.content) >= oleCutoff {
			n.start = put(n.content, &sectors, &fat, 512)
		} else if n.kind == oleStream {
			n.start = put(n.content, &small, &mini, oleSmall)
		}
	}
	nodes[0].content = small
	nodes[0].start = put(small, &sectors, &fat, 512)
	var table []byte
	for _, n := range mini {
		table = le.AppendUint32(table, n)
	}
	miniStart := put(table, &sectors, &fat, 512)
	var dir []byte
	for _, n := range nodes {
		b := make([]byte, oleDirLen)
		for i, u := range utf16.Encode([]rune(n.name)) {
			le.PutUint16(b[2*i:], u)
		}
		le.PutUint16(b[64:], uint16(2*len(utf16.Encode([]rune(n.name)))+2))
		b[66] = n.kind
		for i, v := range []uint32{n.left, n.right, n.child} {
			le.PutUint32(b[68+4*i:], v)
		}
		le.PutUint32(b[116:], n.start)
		le.PutUint64(b[120:], uint64(len(n.content)))
		dir = append(dir, b...)
	}
	dirStart := put(dir, &sectors, &fat, 512)
	head := make([]byte, 512)
	copy(head, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	le.PutUint16(head[26:], 3)
	le.PutUint16(head[30:], 9)
	le.PutUint32(head[48:], dirStart)
	le.PutUint32(head[60:], miniStart)
	le.PutUint32(head[68:], oleEnd)
	count := (len(fat) + 1 + 126) / 127 // sectors of the table, which are in it
	for i := range 109 {
		n := uint32(oleNone)
		if i < count {
			n = uint32(len(fat))
			fat = append(fat, 0xfffffffd)
		}
		le.PutUint32(head[76+4*i:], n)
	}
	for len(fat)%128 != 0 {
		fat = append(fat, oleNone)
	}
	for _, n := range fat {
		sectors = le.AppendUint32(sectors, n)
	}
	return append(head, sectors...)
}

// wide is a text with 16 bits a character.
func wide(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = le.AppendUint16(b, u)
	}
	return string(b)
}

// doc97Of makes a document of Word 97 of pieces, each with 8 bits a character, or with 16 where it begins with @.
func doc97Of(t testing.TB, flags uint16, pieces ...string) []byte {
	t.Helper()
	b := make([]byte, 1024)
	le.PutUint16(b, 0xa5ec)
	le.PutUint16(b[2:], 0xc1)
	le.PutUint16(b[10:], flags)
	var cps, pcds []byte
	cp := 0
	for _, p := range pieces {
		cps = le.AppendUint32(cps, uint32(cp))
		fc := uint32(len(b))*2 | 0x40000000
		if rest, ok := strings.CutPrefix(p, "@"); ok {
			fc = uint32(len(b))
			p = wide(rest)
			cp += len(p) / 2
		} else {
			cp += len(p)
		}
		b = append(b, p...)
		pcds = append(le.AppendUint32(append(pcds, 0, 0), fc), 0, 0)
	}
	cps = le.AppendUint32(cps, uint32(cp))
	plc := append(cps, pcds...)
	clx := append([]byte{1, 2, 0, 9, 9, 2}, le.AppendUint32(nil, uint32(len(plc)))...)
	clx = append(clx, plc...)
	le.PutUint32(b[0x1a2:], 0)
	le.PutUint32(b[0x1a6:], uint32(len(clx)))
	name := "0Table"
	if flags&0x200 != 0 {
		name = "1Table"
	}
	return cfbOf(t, "WordDocument", string(b), name, string(clx))
}

// records makes a stream of records of a kind and body in turn.
func records(all ...any) string {
	var b []byte
	for i := 0; i < len(all); i += 2 {
		body := all[i+1].(string)
		b = append(le.AppendUint16(le.AppendUint16(b, uint16(all[i].(int))), uint16(len(body))), body...)
	}
	return string(b)
}

// packed16 writes numbers with 16 bits each.
func packed16(n ...int) string {
	var b []byte
	for _, v := range n {
		b = le.AppendUint16(b, uint16(v))
	}
	return string(b)
}

func packed32(n uint32) string { return string(le.AppendUint32(nil, n)) }
func double(f float64) string  { return string(le.AppendUint64(nil, math.Float64bits(f))) }
func xlText(s string) string   { return packed16(len(s)) + "\x00" + s }
func xlWide(s string) string   { return packed16(len(wide(s))/2) + "\x01" + wide(s) }

// xls8Of makes a workbook of Excel 97 with one sheet of records.
func xls8Of(t testing.TB, texts []any, sheet string) []byte {
	t.Helper()
	globals := func(at uint32) string {
		return records(xlsBOF, packed16(0x600, 5)+strings.Repeat("\x00", 12), xlsPage, packed16(1200),
			xlsSheet, packed32(at)+"\x00\x00\x05\x00Staff") + records(texts...) + records(xlsEOF, "")
	}
	at := uint32(len(globals(0)))
	return cfbOf(t, "Workbook", globals(at)+records(xlsBOF, packed16(0x600, 0x10)+strings.Repeat("\x00", 12))+sheet+records(xlsEOF, ""))
}

func TestOldOfficeDocumentsAreRead(t *testing.T) {
	f := func(in []byte, kind, outcome, reason, want string) {
		t.Helper()
		got, res := piecesOf(t, bytes.NewReader(in), "", Limits{})
		if got != want || res.Outcome != outcome || res.Reason != reason || res.Type != kind {
			t.Errorf("%+v\n%q\nwant %s %s %q\n%q", res, got, kind, outcome, reason, want)
		}
	}
	f(doc97Of(t, 0, "caf\xe9 41", "@11 日本\r", "a\x07b\x07\x07x\x1ey\x1fz\x0b"), kindDoc, Done, "", "paragraph 1| café 4111 日本\na\tb\t\tx-yz\n")
	f(doc97Of(t, 0x200, "see \x13 HYPERLINK \"http://x.example\" \x14here\x15!\r"+strings.Repeat("long ", 2000)), kindDoc, Done, "",
		"paragraph 1| see here!\n"+strings.TrimSpace(strings.Repeat("long ", 2000))+"\nbeside the text| HYPERLINK \"http://x.example\"\n")
	f(doc97Of(t, 0x100, "x"), kindDoc, Encrypted, lockedOffice, "")
	f(cfbOf(t, "EncryptedPackage", "x"), kindOLE, Encrypted, lockedOffice, "")
	f(cfbOf(t, "nothing", "x"), kindOLE, NotScanned, "a compound file: there is no reader for it", "")
	old := make([]byte, 100)
	le.PutUint16(old[2:], 104)
	le.PutUint32(old[24:], 96)
	le.PutUint32(old[28:], 100)
	copy(old[96:], "h\x80y\r")
	f(cfbOf(t, "WordDocument", string(old)), kindDoc, Done, "", "paragraph 1| h€y\n")
	props := strings.Repeat("\x00", 44) + packed32(48) + packed32(0) + packed32(2) + packed32(1) + packed32(24) + packed32(4) + packed32(32) +
		packed32(2) + packed32(1251) + packed32(30) + packed32(4) + "\xcf\xf0\xe8\x00"
	f(cfbOf(t, "WordDocument", string(old), "\x05SummaryInformation", props), kindDoc, Done, "", "paragraph 1| h€y\nits properties| При\n")
	native := "\x00\x00\x00\x00\x02\x00a.csv\x00C:\\a.csv\x00\x00\x00\x03\x00" + packed32(2) + "x\x00" + packed32(18) + "n,m,k\n1,2,3\n4,5,6\n"
	f(cfbOf(t, "WordDocument", string(old), "ObjectPool/_1/\x01Ole10Native", native), kindDoc, Done, "",
		"paragraph 1| h€y\n_1/a.csv: row 1, column 1| n\tm\tk\n_1/a.csv: row 2, n| 1\t2\t3\n_1/a.csv: row 3, n| 4\t5\t6\n")
}

func TestCellsOfOldWorkbooksStandInTheirColumns(t *testing.T) {
	cell := func(row, col int) string { return packed16(row, col, 0) }
	// The third text goes on in the next record, where its characters are told to have 16 bits.
	texts := []any{xlsTexts, packed32(4) + packed32(4) + xlText("name") + packed16(3) + "\x08\x01\x00Ann" + "\x00\x00\x00\x00" +
		packed16(5) + "\x00ab", xlsContinue, "\x01" + wide("cдe") + xlWide("gone")}
	sheet := records(xlsText, cell(1, 1)+packed32(0), xlsLabel, cell(1, 2)+xlText("card"),
		xlsText, cell(2, 1)+packed32(1), xlsNumber, cell(2, 2)+double(4539148803436467), xlsRK, cell(2, 3)+packed32(700<<2|3),
		xlsMulRK, packed16(3, 1, 0)+packed32(5<<2|2)+packed16(0)+packed32(math.MaxUint32&^3&0x3ff00000)+packed16(2),
		xlsFormula, cell(4, 1)+"\x00\x00\x00\x00\x00\x00\xff\xff", xlsString, xlWide("worked out"), xlsText, cell(4, 2)+packed32(2),
		xlsHeader, xlText("top"), xlsDrawn, strings.Repeat("\x00", 10)+packed16(4)+strings.Repeat("\x00", 6), xlsContinue, "\x00note",
		xlsLink, "\x00\x01"+wide("http://x.example/")+"\x00\x00")
	got, res := piecesOf(t, bytes.NewReader(xls8Of(t, texts, sheet)), "", Limits{})
	want := "Staff!B2| name\tcard\nStaff!B3| Ann\t4539148803436467\t7\nStaff!B4| 5\t1\nStaff!B5| worked out\tabcдe\n" +
		"Staff, beside the cells| Staff\ntop\nnote\nhttp://x.example/\ntexts that no cell has| gone\n"
	if got != want || res.Outcome != Done || res.Type != kindXLS {
		t.Errorf("%+v\n%q\nwant\n%q", res, got, want)
	}
	if _, res := piecesOf(t, bytes.NewReader(cfbOf(t, "Workbook", records(xlsBOF, packed16(0x600, 5), xlsLocked, "x"))), "",
		Limits{}); res.Outcome !=
		Encrypted {
		t.Errorf("%+v", res)
	}
	got, res = piecesOf(t, bytes.NewReader(cfbOf(t, "Book", records(xlsBOF, packed16(0x500, 5), xlsPage, packed16(1251),
		xlsLabel, cell(0, 0)+packed16(3)+"\xcf\xf0\xe8"))), "", Limits{})
	if want := "!A1| При\n"; got != want || res.Outcome != Done {
		t.Errorf("%+v %q", res, got)
	}
}

func TestOldPresentationsAreRead(t *testing.T) {
	atom := func(kind int, instance int, body string) string {
		return packed16(instance<<4, kind) + packed32(uint32(len(body))) + body
	}
	box := func(kind int, body string) string { return packed16(0xf, kind) + packed32(uint32(len(body))) + body }
	var z bytes.Buffer
	zw := zlib.NewWriter(&z)
	_, _ = zw.Write(doc97Of(t, 0, "inner"))
	_ = zw.Close()
	stream := box(0x3e8, box(pptSlideTexts, atom(pptPersist, 0, "x")+atom(pptBytes, 0, "Head\rcaf\xe9")+atom(pptPersist, 0, "x")+
		atom(pptChars, 0, wide("日本")))) + box(pptSlide, box(0x40c, atom(pptChars, 0, wide("box")))) + box(pptNotes, atom(pptBytes, 0, "note")) +
		box(0x138a, atom(pptTag, 0, box(0x2ee0, atom(pptString, 1, wide("a comment"))))+atom(pptTag, 0, "no records")) +
		atom(pptObject, 1, packed32(99)+z.String())
	got, res := piecesOf(t, bytes.NewReader(cfbOf(t, "PowerPoint Document", stream)), "", Limits{})
	want := "slide 1| Head\ncafé\nslide 2| 日本\nslide 1| box\nembedded object: paragraph 1| inner\nnotes 1| note\na comment\n"
	if got != want || res.Outcome != Done || res.Type != kindPPT {
		t.Errorf("%+v\n%q\nwant\n%q", res, got, want)
	}
	_, res = piecesOf(t, bytes.NewReader(cfbOf(t, "PowerPoint Document", stream, "Current User", strings.Repeat("\x00", 12)+
		"\xdf\xc4\xd1\xf3")), "", Limits{})
	if res.Outcome != Encrypted {
		t.Errorf("%+v", res)
	}
}
