package made

import (
	"archive/zip"
	"bytes"
	"io"
	"strconv"
	"strings"
	"testing"
)

// Docx makes a text document of Word of the inside of its body, and of more parts by name and content in turn.
func Docx(t testing.TB, body string, more ...string) string {
	return string(Zip(t, append([]string{"[Content_Types].xml", "<Types/>", "word/document.xml", document("x", body)}, more...)...))
}

// Word is Docx with what a label needs: the kind of the document, and what leads to it.
func Word(t testing.TB, body string, more ...string) string {
	const ns = "http://schemas.openxmlformats.org/"
	return string(Zip(t, append([]string{"[Content_Types].xml", `<Types xmlns="` + ns + `package/2006/content-types"><Override ` +
		`PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`,
		"_rels/.rels", `<Relationships xmlns="` + ns + `package/2006/relationships"><Relationship Id="a" Type="` + ns +
			`officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>`,
		"word/document.xml", document(ns+"wordprocessingml/2006/main", body)}, more...)...))
}

func document(ns, body string) string {
	return `<?xml version="1.0"?><w:document xmlns:w="` + ns + `"><w:body>` + body + `</w:body></w:document>`
}

// Workbook makes one of Excel of a sheet's rows and the texts that its cells refer to.
func Workbook(t testing.TB, data, texts string) string {
	return string(Zip(t, "[Content_Types].xml", "<Types/>",
		"xl/workbook.xml", `<workbook><sheets><sheet name="Staff" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/>`+
			`<Relationship Id="rId2" Target="/xl/sharedStrings.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml", "<worksheet><sheetData>"+data+"</sheetData></worksheet>",
		"xl/sharedStrings.xml", "<sst>"+texts+"</sst>",
		"xl/worksheets/_rels/sheet1.xml.rels", `<R><Relationship Target="https://x.example/?a=1&amp;b" TargetMode="External"/></R>`,
		"xl/comments1.xml", `<comments><text><r><t>no</t></r><r><t>te</t></r></text></comments>`))
}

// Slides makes a presentation of the texts of its slides.
func Slides(t testing.TB, texts ...string) string {
	t.Helper()
	parts := []string{"[Content_Types].xml", "<Types/>"}
	var list, rels strings.Builder
	for i, text := range texts {
		n := strconv.Itoa(i + 1)
		parts = append(parts, "ppt/slides/slide"+n+".xml", "<p:sld><a:p><a:r><a:t>"+escaped.Replace(text)+"</a:t></a:r></a:p></p:sld>")
		list.WriteString(`<p:sldId id="` + n + `" r:id="r` + n + `"/>`)
		rels.WriteString(`<Relationship Id="r` + n + `" Target="slides/slide` + n + `.xml"/>`)
	}
	return string(Zip(t, append(parts, "ppt/presentation.xml", "<p><p:sldIdLst>"+list.String()+"</p:sldIdLst></p>",
		"ppt/_rels/presentation.xml.rels", "<R>"+rels.String()+"</R>")...))
}

// escaped writes a text into markup.
var escaped = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// Mail makes a message of lines: more of its header, and after an empty line its body.
func Mail(lines ...string) string {
	return "From: Ann <ann@example.com>\r\n" + strings.Join(lines, "\r\n")
}

// OpenDocument makes an OpenDocument file of a kind (text, spreadsheet, presentation), of what is inside of its body and of more parts.
func OpenDocument(t testing.TB, kind, body string, more ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	parts := append([]string{"mimetype", "application/vnd.oasis.opendocument." + kind, "content.xml",
		`<?xml version="1.0"?><office:document-content><office:automatic-styles><number:text>style</number:text></office:automatic-styles>` +
			`<office:body>` + body + `</office:body></office:document-content>`}, more...)
	for i := 0; i < len(parts); i += 2 {
		h := &zip.FileHeader{Name: parts[i], Method: zip.Deflate}
		if i == 0 {
			h.Method = zip.Store
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(f, parts[i+1])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
