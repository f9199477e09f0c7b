package extract

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"path"
	"regexp"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// form is a format: its media type, and how it is read.
type form struct {
	kind string
	read func(x *run, r *bufio.Reader, f file, form form) (status, error)
	sep  byte // between cells

	strict bool // XML that says that it is
}

const (
	kindText  = "text/plain"
	kindCSV   = "text/csv"
	kindTSV   = "text/tab-separated-values"
	kindJSON  = "application/json"
	kindLines = "application/x-ndjson"
	kindXML   = "text/xml"
	kindHTML  = "text/html"
	kindMail  = "message/rfc822"
	kindZip   = "application/zip"
	kindPDF   = "application/pdf"
	kindRTF   = "text/rtf"
	kindOLE   = "application/x-ole-storage"
)

// sniff tells the format by how a file begins; its name decides only between those of text.
func sniff(head []byte, name string) form {
	if form, ok := sniffArchive(head); ok {
		return form
	}
	switch {
	case len(head) == 0:
		return form{kind: kindText, read: (*run).readText}
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")), bytes.HasPrefix(head, []byte("PK\x07\x08")):
		return form{kind: kindZip, read: (*run).readZip}
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
		return form{kind: mediaType(head), read: (*run).readOLE}
	case isPDF(head):
		return form{kind: kindPDF, read: (*run).readPDF}
	case bytes.HasPrefix(head, []byte("{\\rtf")):
		return form{kind: kindRTF, read: (*run).readRTF}
	}
	enc, skip := encodingOf(head)
	text := head[skip:]
	if enc != bits8 {
		text, _ = enc.decode(nil, text, true)
	}
	if unreadable(text) {
		return form{kind: mediaType(head), read: (*run).refuse}
	}
	if kind := mediaType(head); !strings.HasPrefix(kind, "text/") && refused[kind] != "" {
		return form{kind: kind, read: (*run).refuse}
	}
	return sniffText(bytes.TrimLeft(text, " \t\r\n"), strings.ToLower(path.Ext(name)), len(head) < sample)
}

// mailHead is how a message begins, or a box of them: lines with names, and among them who it is from or which way it came.
var mailHead = regexp.MustCompile(`^(?:from [^\n]*\n)?(?:[a-z][a-z0-9_-]*:(?:[ \t\r][^\n]*)?\n(?:[ \t][^\n]*\n)*){0,20}` +
	`(?:from|received|return-path): [^\n]*\n[a-z \t\r\n]`)

// mailName is the first line of a message whose name says that it is one.
var mailName = regexp.MustCompile(`^(?:from [^\n]*\n)?[a-z][a-z0-9_-]*:`)

// sniffText tells formats of text apart.
func sniffText(text []byte, ext string, whole bool) form {
	low := bytes.ToLower(text[:min(len(text), 1024)])
	switch {
	case bytes.HasPrefix(low, []byte("<!doctype html")), bytes.HasPrefix(low, []byte("<html")), bytes.HasPrefix(low, []byte("<head")),
		bytes.HasPrefix(low, []byte("<body")):
		return form{kind: kindHTML, read: (*run).readHTML}
	case bytes.HasPrefix(low, []byte("<?xml")), bytes.HasPrefix(low, []byte("<!doctype ")):
		if bytes.Contains(low, []byte("<html")) {
			return form{kind: kindHTML, read: (*run).readHTML}
		}
		return form{kind: kindXML, read: (*run).readXML, strict: true}
	case ext == ".txt" || ext == ".md" || ext == ".log":
	case len(low) > 1 && low[0] == '<' && (nameStart(low[1]) || low[1] == '!'):
		if ext == ".html" || ext == ".htm" || bytes.Contains(low, []byte("<div")) || bytes.Contains(low, []byte("<p>")) {
			return form{kind: kindHTML, read: (*run).readHTML}
		}
		return form{kind: kindXML, read: (*run).readXML}
	}
	if mailHead.Match(low) || (ext == ".eml" || ext == ".mbox") && mailName.Match(low) {
		return form{kind: kindMail, read: (*run).readMail}
	}
	if kind := sniffJSON(text, whole); kind != "" {
		return form{kind: kind, read: (*run).readJSON}
	}
	if sep := sniffTable(text, ext, whole); sep != 0 {
		kind := kindCSV
		if sep == '\t' {
			kind = kindTSV
		}
		return form{kind: kind, read: (*run).readCSV, sep: sep}
	}
	return form{kind: kindText, read: (*run).readText}
}

// unreadable says whether a text has bytes that texts have not. An escape begins a colour in logs.
func unreadable(text []byte) bool {
	odd := 0
	for _, c := range text {
		switch {
		case c == 0:
			return true
		case c < ' ' && (c < '\t' || c > '\r') && c != 0x1b:
			odd++
		}
	}
	return odd > len(text)/64
}

// sniffJSON says whether a text is JSON, or lines of it, or, when it is not whole, begins so.
func sniffJSON(text []byte, whole bool) string {
	if len(text) < 2 || text[0] != '{' && text[0] != '[' {
		return ""
	}
	if line, rest, more := bytes.Cut(text, newline); more && json.Valid(line) {
		if rest = bytes.TrimLeft(rest, " \t\r\n"); len(rest) > 0 && (rest[0] == '{' || rest[0] == '[') {
			return kindLines
		}
	}
	if whole {
		if json.Valid(text) {
			return kindJSON
		}
		return ""
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	for range 1000 {
		if _, err := dec.Token(); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		} else if err != nil {
			return ""
		}
	}
	return kindJSON
}

// sniffTable tells what separates the cells when a text is a table: the same number of cells in each of some lines. A name
// that says so needs fewer of them.
func sniffTable(text []byte, ext string, whole bool) byte {
	named := ext == ".csv" || ext == ".tsv" || ext == ".tab"
	best, width := byte(0), 1
	for _, sep := range []byte("\t;,|") {
		n, lines := columns(text, sep, whole)
		enough := lines >= 3 && n >= 3 || lines >= 5 && n >= 2 && sep != ','
		if named {
			enough = n >= 2
		}
		if enough && n > width {
			best, width = sep, n
		}
	}
	if best == 0 && named {
		return ','
	}
	return best
}

// columns counts the cells in each of the first lines: 0 when they differ. The last line counts only when it is whole.
func columns(text []byte, sep byte, whole bool) (n, lines int) {
	quoted, cells := false, 1
	for _, c := range text {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == sep:
			cells++
		case c == '\n':
			if lines > 0 && cells != n {
				return 0, lines
			}
			n = cells
			cells = 1
			if lines++; lines == 20 {
				return n, lines
			}
		}
	}
	if whole && cells > 1 || lines == 0 {
		if lines > 0 && cells != n {
			return 0, lines
		}
		return cells, lines + 1
	}
	return n, lines
}

// mediaType is what a file is by how it begins.
func mediaType(head []byte) string {
	kind, _, _ := strings.Cut(mimetype.Detect(head[:min(len(head), 4096)]).String(), ";")
	return kind
}

// refused are names for people of kinds that are not read.
var refused = map[string]string{
	"application/msword":            "a Word document of before 2007",
	"application/vnd.ms-excel":      "an Excel workbook of before 2007",
	"application/vnd.ms-powerpoint": "a PowerPoint presentation of before 2007",
	"application/vnd.ms-outlook":    "an Outlook message", kindOLE: "a compound file", "application/gzip": "a gzip archive",
	"application/x-tar": "a tar archive", "application/x-7z-compressed": "a 7-Zip archive", "application/x-rar-compressed": "a RAR archive",
	"application/x-bzip2": "a bzip2 archive", "application/x-xz": "an xz archive", "application/vnd.sqlite3": "an SQLite database",
	"application/x-sqlite3": "an SQLite database", "application/postscript": "a PostScript document",
	"application/octet-stream": "data of no known kind",
}

const noReader = ": there is no reader for it"

// refusal says why a kind is not read.
func refusal(kind string) string {
	name := refused[kind]
	if name == "" {
		switch class, _, _ := strings.Cut(kind, "/"); class {
		case "image":
			name = "an image"
		case "video":
			name = "a video"
		case "audio":
			name = "a recording"
		case "font":
			name = "a font"
		default:
			name = "data of the type " + kind
		}
	}
	return name + noReader
}

// refuse is the reader of what has none.
func (x *run) refuse(r *bufio.Reader, f file, form form) (status, error) {
	if x.ocr != nil && strings.HasPrefix(form.kind, "image/") {
		return x.readImage(r, f, form)
	}
	return status{outcome: NotScanned, reason: refusal(form.kind), kind: form.kind}, nil
}
