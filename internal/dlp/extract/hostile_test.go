package extract

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"hash/crc32"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/dlp/extract/made"
)

// ends reads a file that is made to be trouble: it ends soon, with less memory asked for than 64 MiB, and as it should.
func ends(t *testing.T, what, in, outcome, reason string) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	res, err := Read(t.Context(), strings.NewReader(in), "", -1, Limits{}, func(*Piece) {})
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	if err != nil || res.Outcome != outcome || !strings.Contains(res.Reason, reason) || (outcome == Done) != (res.Reason == "") {
		t.Errorf("%s: %v, %+v; want %s: %s", what, err, res, outcome, reason)
	}
	if asked := after.TotalAlloc - before.TotalAlloc; took > 5*time.Second || asked > 64<<20 || res.Text > 8<<20 {
		t.Errorf("%s of %d bytes: took %s and %d bytes of memory for %d of text", what, len(in), took, asked, res.Text)
	}
}

const tenThousand = 10_000

func TestTenThousandInEachOtherEnd(t *testing.T) {
	r := strings.Repeat
	ends(t, "lists of JSON", r("[", tenThousand)+r("]", tenThousand), Done, "")
	ends(t, "objects of JSON", r(`{"a":`, tenThousand)+"1"+r("}", tenThousand), Done, "")
	ends(t, "objects and lists that do not end", r(`{"a":[`, tenThousand), Done, "")
	ends(t, "elements of XML", r("<a>", tenThousand)+"x"+r("</a>", tenThousand), NotScanned, "elements below 256 others")
	ends(t, "elements of HTML", "<html>"+r("<div>", tenThousand)+"x"+r("</div>", tenThousand), Done, "")
	ends(t, "elements of a document", made.Docx(t, r("<w:p>", tenThousand)+"x"+r("</w:p>", tenThousand)), NotScanned,
		"elements below 256 others")
	ends(t, "rows of a workbook", made.Workbook(t, r("<row><c>", tenThousand), ""), Partial, "elements below 256 others")
	ends(t, "tables of OpenDocument", string(made.OpenDocument(t, "text", r("<table:table><table:table-row><table:table-cell>", tenThousand))),
		NotScanned, "elements below 256 others")
	ends(t, "groups of RTF", `{\rtf1`+r("{", tenThousand)+r("}", tenThousand)+"}", NotScanned, "groups below 1000 others")
	ends(t, "messages", r("From: a@b.co\nContent-Type: message/rfc822\n\n", tenThousand)+"From: a@b.co\n\nx", Partial,
		"1 archive that was not read whole")
	ends(t, "messages in parts",
		r("From: a@b.co\nContent-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: message/rfc822\n\n", tenThousand)+
			"From: a@b.co\n\nx", Partial, "only 10000 entries were read")
	ends(t, "zip archives", nestedZip(tenThousand), NotScanned, "1 archive that was not read whole")
	ends(t, "tar archives", nestedTar(t, tenThousand), NotScanned, "")
	if _, err := compiled(); err != nil { // which takes its time, once
		t.Fatal(err)
	}
	m := made.NewPDF()
	m.Page(made.Drawn("one"), "")
	m.Catalog = "/X " + r("[", tenThousand) + r("]", tenThousand)
	ends(t, "lists of a PDF", m.String(), Done, "")
}

// nestedZip is an archive of an archive, and so on, none packed.
func nestedZip(depth int) string {
	heads, tails := make([]string, depth), make([]string, depth)
	size := 0
	for i := range depth { // from the innermost
		sum := uint32(0)
		if i >= depth-5 { // of those that are read
			sum = crc32.ChecksumIEEE([]byte(strings.Join(heads[depth-i:], "") + strings.Join(tails[:i], "")))
		}
		about := packed16(20, 0, 0, 0, 0) + packed32(sum) + packed32(uint32(size)) + packed32(uint32(size)) + packed16(1, 0)
		heads[depth-1-i] = sigLocal + about + "z"
		dir := sigDir + packed16(20) + about + packed16(0, 0, 0) + packed32(0) + packed32(0) + "z"
		tails[i] = dir + sigEnd + packed16(0, 0, 1, 1) + packed32(uint32(len(dir))) + packed32(uint32(lenLocal+1+size)) + packed16(0)
		size += lenLocal + 1 + len(tails[i])
	}
	return strings.Join(heads, "") + strings.Join(tails, "")
}

// nestedTar is an archive of an archive, and so on.
func nestedTar(t *testing.T, depth int) string {
	heads := make([]string, depth)
	for i := range depth {
		head := made.Tar(t, "t.tar", "")[:tarSize]
		copy(head[124:136], zeroed(octal((depth-1-i)*tarSize)))
		sum := 0
		for k, c := range head {
			if k >= 148 && k < 156 {
				c = ' '
			}
			sum += int(c)
		}
		copy(head[148:], zeroed(octal(sum))[5:]+"\x00 ")
		heads[i] = string(head)
	}
	return strings.Join(heads, "")
}

// zeroed fills an octal number up to 11 digits.
func zeroed(s string) string { return strings.Repeat("0", 11-len(s)) + s }

func TestBillionsOfLaughsAreNotTold(t *testing.T) {
	entities := `<!DOCTYPE x [<!ENTITY a0 "laugh">`
	for i := range 9 {
		n := string(rune('0' + i))
		entities += `<!ENTITY a` + string(rune('1'+i)) + ` "` + strings.Repeat("&a"+n+";", 10) + `">`
	}
	entities += "]>"
	ends(t, "a picture", `<?xml version="1.0"?>`+entities+`<svg><text>&a9;</text></svg>`, Done, "")
	ends(t, "a document", string(made.Zip(t, "[Content_Types].xml", "<Types/>", "word/document.xml",
		`<?xml version="1.0"?>`+entities+"<w:document><w:body><w:p><w:t>&a9;</w:t></w:p></w:body></w:document>")), Done, "")
	ends(t, "a workbook", string(made.Zip(t, "[Content_Types].xml", "<Types/>",
		"xl/workbook.xml", entities+`<workbook><sheets><sheet name="&a9;" sheetId="1" r:id="r"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels", entities+`<R><Relationship Id="r" Target="worksheets/sheet1.xml"/></R>`,
		"xl/worksheets/sheet1.xml", entities+"<worksheet><sheetData><row><c><v>&a9;</v></c></row></sheetData></worksheet>")), Done, "")
	ends(t, "an OpenDocument text", string(made.OpenDocument(t, "text", entities+"<text:p>&a9;</text:p>")), Done, "")
	ends(t, "a page", "<!DOCTYPE html>"+entities+"<html><p>&a9;</p></html>", Done, "")
	ends(t, "a feed", `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1:1/x.dtd"> %a;]><x>&b;</x>`, Done, "")
}

// overlapping is an archive after David Fifield, "A better zip bomb": each file's packed data says the head of the next file as a
// stored block, goes on in the data of that, and ends in the one kernel, which is in all of them.
func overlapping(t *testing.T, files, kernel int) string {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	data := string(packed(t, w, &b, err, strings.Repeat("a", kernel)))
	body, dir, unpacked := data, "", strings.Repeat("a", kernel)
	ats := make([]int, files) // where heads are, from the end
	var about []string
	for i := range files {
		if i > 0 { // the head of the file before is said
			head := sigLocal + about[i-1] + "n"
			body = say(len(head)) + head + body
			unpacked = head + unpacked
		}
		about = append(about, packed16(20, 0, 8, 0, 0)+packed32(crc32.ChecksumIEEE([]byte(unpacked)))+packed32(uint32(len(body)))+
			packed32(uint32(len(unpacked)))+packed16(1, 0))
		ats[i] = len(body) + lenLocal + 1
	}
	body = sigLocal + about[files-1] + "n" + body
	for i, a := range about {
		dir += sigDir + packed16(20) + a + packed16(0, 0, 0) + packed32(0) + packed32(uint32(len(body)-ats[i])) + "n"
	}
	return body + dir + sigEnd + packed16(0, 0, files, files) + packed32(uint32(len(dir))) + packed32(uint32(len(body))) + packed16(0)
}

func TestAFileInManyFilesIsReadOnce(t *testing.T) {
	in := overlapping(t, 250, 1<<20)
	z, err := zip.NewReader(strings.NewReader(in), int64(len(in)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, r); err != nil || n < 1<<20 {
			t.Fatalf("no bomb: %d bytes, %v", n, err)
		}
	}
	ends(t, "overlapping files", in, Partial, "249 × refused: it shares bytes with another entry")
}
