package sim

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Doc is what a version of a file holds, made of numbers whenever it is asked for: the same bytes each time.
type Doc struct {
	Seed    int64
	N       uint64 // which of all contents
	Kind    *DocKind
	Planted string // the data type of the value in it, if any
	Decoy   bool
}

// DocKind is a kind of files.
type DocKind struct {
	Ext, MIME string
	often     int
	readable  bool // dlp can read it
	write     func(d Doc, rnd *Rand, text []string) []byte
}

// DocKinds are the kinds of files. Readable ones stand first.
var DocKinds = []DocKind{
	{"txt", "text/plain", 18, true, docText},
	{"csv", "text/csv", 10, true, docTable},
	{"json", "application/json", 8, true, docJSON},
	{"xml", "application/xml", 5, true, docXML},
	{"html", "text/html", 5, true, docHTML},
	{"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", 14, true, docWord},
	{"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", 12, true, docSheet},
	{"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation", 6, true, docSlides},
	{"zip", "application/zip", 4, true, docArchive},
	{"log", "text/plain", 1, true, docLog},
	{"md", "text/markdown", 1, false, func(Doc, *Rand, []string) []byte { return nil }}, // empty
	{"png", "image/png", 6, false, docBinary("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x10\x00\x00\x00\x10\x08\x06\x00\x00\x00")},
	{"pdf", "application/pdf", 7, false, docBinary("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")},
	{"mp4", "video/mp4", 3, false, docBinary("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom")},
}

// docOften are the sums of often: of what is readable, and of all.
var docOften = func() (sums [2]int) {
	for _, k := range DocKinds {
		if sums[1] += k.often; k.readable {
			sums[0] = sums[1]
		}
	}
	return sums
}()

// DocKindOf picks a kind by a random number; what holds a value must be readable.
func DocKindOf(h uint64, readable bool) *DocKind {
	most := docOften[1]
	if readable {
		most = docOften[0]
	}
	at := int(h % uint64(most))
	for i := range DocKinds {
		if at -= DocKinds[i].often; at < 0 {
			return &DocKinds[i]
		}
	}
	panic("unreachable")
}

// Words are what documents and their names are made of.
var Words = strings.Fields(`the a of and to in for with from this that our their next last each plan budget review team project
launch contract supplier invoice quarter market customer draft final summary meeting agenda notes action owner deadline travel office
desk printer coffee lunch train weather garden bridge harbour vessel cargo crane pilot anchor winch deck crew shore tide signal chart
Übersicht résumé naïve façade señor smörgåsbord`)

// Bytes makes the content.
func (d Doc) Bytes() []byte {
	rnd := NewRand(d.Seed, 61, d.N)
	lines := 6 + rnd.N(30)
	if rnd.N(24) == 0 {
		lines *= 6
	}
	text := make([]string, lines)
	var b []byte
	for i := range text {
		b = b[:0]
		for range 6 + rnd.N(8) {
			b = append(append(b, Words[rnd.N(len(Words))]...), ' ')
		}
		text[i] = string(b[:len(b)-1])
	}
	switch at := rnd.N(lines); {
	case d.Planted != "":
		text[at] += ". " + Plant(rnd, d.Planted) + "."
	case d.Decoy:
		text[at] += ". " + Decoy(rnd) + "."
	}
	return d.Kind.write(d, rnd, text)
}

func docText(_ Doc, rnd *Rand, text []string) []byte {
	b := []byte{}
	if rnd.N(5) == 0 {
		b = append(b, "\ufeff"...)
	}
	for _, l := range text {
		b = append(append(b, l...), "\r\n"[rnd.N(2):]...)
	}
	return b
}

// docLog is the one large text.
func docLog(_ Doc, rnd *Rand, text []string) []byte {
	b := make([]byte, 0, 200<<10)
	for len(b) < 160<<10 {
		b = append(append(b, "INFO  "...), Words[rnd.N(len(Words))]...)
		b = append(append(b, " took a moment, "...), Words[rnd.N(len(Words))]...)
		b = append(b, " waits\n"...)
	}
	return append(b, strings.Join(text, "\n")...)
}

func docTable(_ Doc, rnd *Rand, text []string) []byte {
	rows := [][]string{{"team", "state", "remark"}}
	for _, l := range text {
		rows = append(rows, []string{Pick(rnd, Words), Pick(rnd, []string{"open", "done", "\"late\", again"}), l})
	}
	return CSV(rows...)
}

func docJSON(_ Doc, rnd *Rand, text []string) []byte {
	rows := make([]map[string]any, len(text))
	for i, l := range text {
		rows[i] = map[string]any{"n": i, "remark": l, "open": rnd.N(2) == 0}
	}
	b, _ := json.Marshal(map[string]any{"title": text[0][:4], "rows": rows}) // strings and numbers
	return b
}

func docXML(_ Doc, _ *Rand, text []string) []byte {
	return []byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\n<report>" + docWrapped(text, "<remark>", "</remark>\n") + "</report>")
}

func docHTML(_ Doc, _ *Rand, text []string) []byte {
	return []byte("<!DOCTYPE html><html><head><meta charset=utf-8><title>Report</title><style>p{margin:0}</style></head><body>" +
		docWrapped(text, "<p>", "</p>\n") + "</body></html>")
}

func docWrapped(text []string, before, after string) string {
	return before + strings.Join(text, after+before) + after
}

// docBinary begins as files of its format do; the rest is noise.
func docBinary(magic string) func(Doc, *Rand, []string) []byte {
	return func(_ Doc, rnd *Rand, text []string) []byte {
		b := []byte(magic)
		for range 100 * len(text) {
			b = append(b, byte(rnd.Next())|0x80) // never text
		}
		return b
	}
}

// docEntry is one file of an archive.
type docEntry struct{ name, data string }

// docZip packs. Most archives are stored and not compressed, which takes long.
func docZip(d Doc, entries ...docEntry) []byte {
	var b bytes.Buffer
	method := zip.Store
	if d.N%8 == 0 {
		method = zip.Deflate
	}
	z := zip.NewWriter(&b)
	for _, e := range entries {
		w, _ := z.CreateHeader(&zip.FileHeader{Name: e.name, Method: method,
			Modified: time.Date(2025, 1, 2, 3, 4, 6, 0, time.UTC)}) // a buffer takes everything
		_, _ = w.Write([]byte(e.data))
	}
	_ = z.Close()
	return b.Bytes()
}

const (
	docHead     = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	docOffice   = `http://schemas.openxmlformats.org/officeDocument/2006/`
	docPackage  = `http://schemas.openxmlformats.org/package/2006/`
	docOfficeML = `application/vnd.openxmlformats-officedocument.`
)

// docPart is a part of an Office document, the first one the main: its name, its type, what it hangs from others by.
type docPart struct{ name, kind, data string }

// docOPC writes an Office document.
func docOPC(d Doc, parts ...docPart) []byte {
	types := docHead + `<Types xmlns="` + docPackage + `content-types"><Default Extension="rels" ContentType="` +
		`application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>`
	rel := func(id, kind, target string) string {
		return `<Relationship Id="` + id + `" Type="` + docOffice + `relationships/` + kind + `" Target="` + target + `"/>`
	}
	rels := func(list string) string {
		return docHead + `<Relationships xmlns="` + docPackage + `relationships">` + list + `</Relationships>`
	}
	var entries []docEntry
	var list string
	main := parts[0].name
	dir, file := main[:strings.Index(main, "/")+1], main[strings.Index(main, "/")+1:]
	for i, p := range parts {
		types += `<Override PartName="/` + p.name + `" ContentType="` + docOfficeML + p.kind + `+xml"/>`
		entries = append(entries, docEntry{p.name, docHead + p.data})
		if kind := p.kind[strings.LastIndex(p.kind, ".")+1:]; i > 0 {
			list += rel("rId"+strconv.Itoa(i), kind, strings.TrimPrefix(p.name, dir))
		}
	}
	return docZip(d, append([]docEntry{{"[Content_Types].xml", types + "</Types>"}, {"_rels/.rels", rels(rel("rId1", "officeDocument", main))},
		{dir + "_rels/" + file + ".rels", rels(list)}}, entries...)...)
}

// docRuns breaks each line into two runs, within a word, as editors do.
func docRuns(text []string, before, between, after string) string {
	var b strings.Builder
	for _, l := range text {
		at := len(l) - len(l)/4
		for at > 0 && l[at-1] >= 0x80 {
			at--
		}
		b.WriteString(before + l[:at] + between + l[at:] + after)
	}
	return b.String()
}

func docWord(d Doc, _ *Rand, text []string) []byte {
	return docOPC(d, docPart{"word/document.xml", "wordprocessingml.document.main",
		`<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>` +
			docRuns(text, `<w:p><w:r><w:t xml:space="preserve">`, `</w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t xml:space="preserve">`,
				`</w:t></w:r></w:p>`) + `</w:body></w:document>`})
}

func docSheet(d Doc, _ *Rand, text []string) []byte {
	const ns = ` xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`
	var rows strings.Builder
	for i := range text {
		n := strconv.Itoa(i + 1)
		rows.WriteString(`<row r="` + n + `"><c r="A` + n + `"><v>` + n + `</v></c><c r="B` + n + `" t="s"><v>` + strconv.Itoa(i) +
			`</v></c></row>`)
	}
	return docOPC(d, docPart{"xl/workbook.xml", "spreadsheetml.sheet.main", `<workbook` + ns + ` xmlns:r="` + docOffice +
		`relationships"><sheets><sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>`},
		docPart{"xl/worksheets/sheet1.xml", "spreadsheetml.worksheet", `<worksheet` + ns + `><sheetData>` + rows.String() +
			`</sheetData></worksheet>`},
		docPart{"xl/sharedStrings.xml", "spreadsheetml.sharedStrings", `<sst` + ns + `>` + docWrapped(text, "<si><t>", "</t></si>") + `</sst>`})
}

func docSlides(d Doc, _ *Rand, text []string) []byte {
	const ns = ` xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"` +
		` xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="` + docOffice + `relationships"`
	parts := []docPart{{"ppt/presentation.xml", "presentationml.presentation.main", ""}}
	ids := ""
	for i := 0; len(text) > 0; i++ {
		n := min(8, len(text))
		parts = append(parts, docPart{"ppt/slides/slide" + strconv.Itoa(i+1) + ".xml", "presentationml.slide", `<p:sld` + ns +
			`><p:cSld><p:spTree><p:sp><p:txBody>` + docRuns(text[:n], `<a:p><a:r><a:t>`, `</a:t></a:r><a:r><a:t>`, `</a:t></a:r></a:p>`) +
			`</p:txBody></p:sp></p:spTree></p:cSld></p:sld>`})
		ids += `<p:sldId id="` + strconv.Itoa(256+i) + `" r:id="rId` + strconv.Itoa(i+1) + `"/>`
		text = text[n:]
	}
	parts[0].data = `<p:presentation` + ns + `><p:sldIdLst>` + ids + `</p:sldIdLst></p:presentation>`
	return docOPC(d, parts...)
}

// docArchive is a zip with a list in it, every third time within another zip.
func docArchive(d Doc, rnd *Rand, text []string) []byte {
	half := len(text) / 2
	b := docZip(d, docEntry{"README.txt", strings.Join(text[:half], "\n")},
		docEntry{"data/list.csv", string(docTable(d, rnd, text[half:]))})
	if rnd.N(3) == 0 {
		b = docZip(d, docEntry{"inner/" + Pick(rnd, Words) + ".zip", string(b)}, docEntry{"logo.png", "\x89PNG\r\n\x1a\n\xff\xfe"})
	}
	return b
}

// titleTricks are names that are hard to show, sort or save.
var titleTricks = []string{"re\u202ecod.exe\u202c", "zero\u200bwidth\u200d", "cafe\u0301", "café", "👩‍👩‍👧‍👦 Familie",
	"\"quoted\" 'n' `ticked`",
	"=HYPERLINK(A1)", "nbsp\u00a0space", "..%2f..%2fetc", "<b>bold</b> & \u2028line",
	"ﬁnance Ⅳ ①", "مرحبا שלום", "漢字かな交じり", "\ufeffbom", strings.Repeat("long ", 40), "CON",
	"\U0001F3F4\U000E0067\U000E0062\U000E007F", "-rf $(id) ;", "nel\u0085"}

// Title is a name for a file or folder, without extension; tricky = one that is hard to show, sort or save.
func Title(rnd *Rand, tricky bool) string {
	if tricky {
		return Pick(rnd, titleTricks)
	}
	w := Pick(rnd, Words)
	_, first := utf8.DecodeRuneInString(w)
	return strings.ToUpper(w[:first]) + w[first:] + " " + Pick(rnd, Words)
}
