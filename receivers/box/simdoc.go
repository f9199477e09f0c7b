package box

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simDoc is what a version of a file holds, made of numbers whenever it is asked for: the same bytes each time.
type simDoc struct {
	seed    int64
	n       uint64 // which of all contents
	kind    *simKind
	planted string // the data type of the value in it, if any
	decoy   bool
}

// simKind is a kind of files.
type simKind struct {
	ext, mime string
	often     int
	readable  bool // dlp can read it
	write     func(d simDoc, rnd *sim.Rand, text []string) []byte
}

// simKinds are the kinds of files. Readable ones stand first.
var simKinds = []simKind{
	{"txt", "text/plain", 18, true, simText},
	{"csv", "text/csv", 10, true, simTable},
	{"json", "application/json", 8, true, simJSON},
	{"xml", "application/xml", 5, true, simXML},
	{"html", "text/html", 5, true, simHTML},
	{"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", 14, true, simWord},
	{"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", 12, true, simSheet},
	{"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation", 6, true, simSlides},
	{"zip", "application/zip", 4, true, simArchive},
	{"log", "text/plain", 1, true, simLog},
	{"md", "text/markdown", 1, false, func(simDoc, *sim.Rand, []string) []byte { return nil }}, // empty
	{"png", "image/png", 6, false, simBinary("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x10\x00\x00\x00\x10\x08\x06\x00\x00\x00")},
	{"pdf", "application/pdf", 7, false, simBinary("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")},
	{"mp4", "video/mp4", 3, false, simBinary("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom")},
}

// simOften are the sums of often: of what is readable, and of all.
var simOften = func() (sums [2]int) {
	for _, k := range simKinds {
		if sums[1] += k.often; k.readable {
			sums[0] = sums[1]
		}
	}
	return sums
}()

// simKindOf picks a kind by a random number; what holds a value must be readable.
func simKindOf(h uint64, readable bool) *simKind {
	most := simOften[1]
	if readable {
		most = simOften[0]
	}
	at := int(h % uint64(most))
	for i := range simKinds {
		if at -= simKinds[i].often; at < 0 {
			return &simKinds[i]
		}
	}
	panic("unreachable")
}

var simWords = strings.Fields(`the a of and to in for with from this that our their next last each plan budget review team project
launch contract supplier invoice quarter market customer draft final summary meeting agenda notes action owner deadline travel office
desk printer coffee lunch train weather garden bridge harbour vessel cargo crane pilot anchor winch deck crew shore tide signal chart
Übersicht résumé naïve façade señor smörgåsbord`)

// bytes makes the content.
func (d simDoc) bytes() []byte {
	rnd := sim.NewRand(d.seed, 61, d.n)
	lines := 6 + rnd.N(30)
	if rnd.N(24) == 0 {
		lines *= 6
	}
	text := make([]string, lines)
	var b []byte
	for i := range text {
		b = b[:0]
		for range 6 + rnd.N(8) {
			b = append(append(b, simWords[rnd.N(len(simWords))]...), ' ')
		}
		text[i] = string(b[:len(b)-1])
	}
	switch at := rnd.N(lines); {
	case d.planted != "":
		text[at] += ". " + sim.Plant(rnd, d.planted) + "."
	case d.decoy:
		text[at] += ". " + sim.Decoy(rnd) + "."
	}
	return d.kind.write(d, rnd, text)
}

func simText(_ simDoc, rnd *sim.Rand, text []string) []byte {
	b := []byte{}
	if rnd.N(5) == 0 {
		b = append(b, "\ufeff"...)
	}
	for _, l := range text {
		b = append(append(b, l...), "\r\n"[rnd.N(2):]...)
	}
	return b
}

// simLog is the one large text.
func simLog(_ simDoc, rnd *sim.Rand, text []string) []byte {
	b := make([]byte, 0, 200<<10)
	for len(b) < 160<<10 {
		b = append(append(b, "INFO  "...), simWords[rnd.N(len(simWords))]...)
		b = append(append(b, " took a moment, "...), simWords[rnd.N(len(simWords))]...)
		b = append(b, " waits\n"...)
	}
	return append(b, strings.Join(text, "\n")...)
}

func simTable(_ simDoc, rnd *sim.Rand, text []string) []byte {
	rows := [][]string{{"team", "state", "remark"}}
	for _, l := range text {
		rows = append(rows, []string{sim.Pick(rnd, simWords), sim.Pick(rnd, []string{"open", "done", "\"late\", again"}), l})
	}
	return sim.CSV(rows...)
}

func simJSON(_ simDoc, rnd *sim.Rand, text []string) []byte {
	rows := make([]obj, len(text))
	for i, l := range text {
		rows[i] = obj{"n": i, "remark": l, "open": rnd.N(2) == 0}
	}
	b, _ := json.Marshal(obj{"title": text[0][:4], "rows": rows}) // strings and numbers
	return b
}

func simXML(_ simDoc, _ *sim.Rand, text []string) []byte {
	return []byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\n<report>" + simWrapped(text, "<remark>", "</remark>\n") + "</report>")
}

func simHTML(_ simDoc, _ *sim.Rand, text []string) []byte {
	return []byte("<!DOCTYPE html><html><head><meta charset=utf-8><title>Report</title><style>p{margin:0}</style></head><body>" +
		simWrapped(text, "<p>", "</p>\n") + "</body></html>")
}

func simWrapped(text []string, before, after string) string {
	return before + strings.Join(text, after+before) + after
}

// simBinary begins as files of its format do; the rest is noise.
func simBinary(magic string) func(simDoc, *sim.Rand, []string) []byte {
	return func(_ simDoc, rnd *sim.Rand, text []string) []byte {
		b := []byte(magic)
		for range 100 * len(text) {
			b = append(b, byte(rnd.Next())|0x80) // never text
		}
		return b
	}
}

// simEntry is one file of an archive.
type simEntry struct{ name, data string }

// simZip packs. Most archives are stored and not compressed, which takes long.
func simZip(d simDoc, entries ...simEntry) []byte {
	var b bytes.Buffer
	method := zip.Store
	if d.n%8 == 0 {
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
	simHead     = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	simOffice   = `http://schemas.openxmlformats.org/officeDocument/2006/`
	simPackage  = `http://schemas.openxmlformats.org/package/2006/`
	simOfficeML = `application/vnd.openxmlformats-officedocument.`
)

// simPart is a part of an Office document, the first one the main: its name, its type, what it hangs from others by.
type simPart struct{ name, kind, data string }

// simOPC writes an Office document.
func simOPC(d simDoc, parts ...simPart) []byte {
	types := simHead + `<Types xmlns="` + simPackage + `content-types"><Default Extension="rels" ContentType="` +
		`application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>`
	rel := func(id, kind, target string) string {
		return `<Relationship Id="` + id + `" Type="` + simOffice + `relationships/` + kind + `" Target="` + target + `"/>`
	}
	rels := func(list string) string {
		return simHead + `<Relationships xmlns="` + simPackage + `relationships">` + list + `</Relationships>`
	}
	var entries []simEntry
	var list string
	main := parts[0].name
	dir, file := main[:strings.Index(main, "/")+1], main[strings.Index(main, "/")+1:]
	for i, p := range parts {
		types += `<Override PartName="/` + p.name + `" ContentType="` + simOfficeML + p.kind + `+xml"/>`
		entries = append(entries, simEntry{p.name, simHead + p.data})
		if kind := p.kind[strings.LastIndex(p.kind, ".")+1:]; i > 0 {
			list += rel("rId"+itoa(i), kind, strings.TrimPrefix(p.name, dir))
		}
	}
	return simZip(d, append([]simEntry{{"[Content_Types].xml", types + "</Types>"}, {"_rels/.rels", rels(rel("rId1", "officeDocument", main))},
		{dir + "_rels/" + file + ".rels", rels(list)}}, entries...)...)
}

// simRuns breaks each line into two runs, within a word, as editors do.
func simRuns(text []string, before, between, after string) string {
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

func simWord(d simDoc, _ *sim.Rand, text []string) []byte {
	return simOPC(d, simPart{"word/document.xml", "wordprocessingml.document.main",
		`<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>` +
			simRuns(text, `<w:p><w:r><w:t xml:space="preserve">`, `</w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t xml:space="preserve">`,
				`</w:t></w:r></w:p>`) + `</w:body></w:document>`})
}

func simSheet(d simDoc, _ *sim.Rand, text []string) []byte {
	const ns = ` xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`
	var rows strings.Builder
	for i := range text {
		n := itoa(i + 1)
		rows.WriteString(`<row r="` + n + `"><c r="A` + n + `"><v>` + n + `</v></c><c r="B` + n + `" t="s"><v>` + itoa(i) + `</v></c></row>`)
	}
	return simOPC(d, simPart{"xl/workbook.xml", "spreadsheetml.sheet.main", `<workbook` + ns + ` xmlns:r="` + simOffice +
		`relationships"><sheets><sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>`},
		simPart{"xl/worksheets/sheet1.xml", "spreadsheetml.worksheet", `<worksheet` + ns + `><sheetData>` + rows.String() +
			`</sheetData></worksheet>`},
		simPart{"xl/sharedStrings.xml", "spreadsheetml.sharedStrings", `<sst` + ns + `>` + simWrapped(text, "<si><t>", "</t></si>") + `</sst>`})
}

func simSlides(d simDoc, _ *sim.Rand, text []string) []byte {
	const ns = ` xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"` +
		` xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="` + simOffice + `relationships"`
	parts := []simPart{{"ppt/presentation.xml", "presentationml.presentation.main", ""}}
	ids := ""
	for i := 0; len(text) > 0; i++ {
		n := min(8, len(text))
		parts = append(parts, simPart{"ppt/slides/slide" + itoa(i+1) + ".xml", "presentationml.slide", `<p:sld` + ns +
			`><p:cSld><p:spTree><p:sp><p:txBody>` + simRuns(text[:n], `<a:p><a:r><a:t>`, `</a:t></a:r><a:r><a:t>`, `</a:t></a:r></a:p>`) +
			`</p:txBody></p:sp></p:spTree></p:cSld></p:sld>`})
		ids += `<p:sldId id="` + itoa(256+i) + `" r:id="rId` + itoa(i+1) + `"/>`
		text = text[n:]
	}
	parts[0].data = `<p:presentation` + ns + `><p:sldIdLst>` + ids + `</p:sldIdLst></p:presentation>`
	return simOPC(d, parts...)
}

// simArchive is a zip with a list in it, every third time within another zip.
func simArchive(d simDoc, rnd *sim.Rand, text []string) []byte {
	half := len(text) / 2
	b := simZip(d, simEntry{"README.txt", strings.Join(text[:half], "\n")},
		simEntry{"data/list.csv", string(simTable(d, rnd, text[half:]))})
	if rnd.N(3) == 0 {
		b = simZip(d, simEntry{"inner/" + sim.Pick(rnd, simWords) + ".zip", string(b)}, simEntry{"logo.png", "\x89PNG\r\n\x1a\n\xff\xfe"})
	}
	return b
}
