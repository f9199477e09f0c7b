package made

import (
	"encoding/csv"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

// Extensions are those of the kinds of files that File makes, png last, which has no text.
var Extensions = []string{"txt", "csv", "json", "xml", "html", "yaml", "docx", "xlsx", "pptx", "odt", "rtf", "pdf", "eml", "zip", "tgz",
	"png"}

// File makes a file of a kind, by its extension, of lines of text.
func File(t testing.TB, ext string, lines []string) string {
	t.Helper()
	each := func(before, after string) string { // of a line
		return before + strings.ReplaceAll(escaped.Replace(strings.Join(lines, "\n")), "\n", after+before) + after
	}
	switch ext {
	case "csv":
		return table(lines)
	case "json":
		b, _ := json.Marshal(map[string]any{"rows": lines}) // strings
		return string(b)
	case "xml":
		return `<?xml version="1.0"?><report>` + each("<remark>", "</remark>\n") + "</report>"
	case "html":
		return "<!DOCTYPE html><html><head><title>Report</title></head><body>" + each("<p>", "</p>\n") + "</body></html>"
	case "yaml":
		return "rows:\n  - " + strings.Join(lines, "\n  - ") + "\n"
	case "docx":
		return Docx(t, each("<w:p><w:r><w:t>", "</w:t></w:r></w:p>"))
	case "xlsx":
		return book(t, lines, each("<si><t>", "</t></si>"))
	case "pptx":
		return Slides(t, lines...)
	case "odt":
		return string(OpenDocument(t, "text", each("<text:p>", "</text:p>")))
	case "rtf":
		return `{\rtf1\ansi ` + strings.NewReplacer(`\`, `\\`, "{", `\{`, "}", `\}`, "\n", "\\par\n").Replace(strings.Join(lines, "\n")) + "}"
	case "pdf":
		return sheets(lines)
	case "eml":
		return Mail("To: bob@example.com", "Subject: a report", "Content-Type: multipart/mixed; boundary=o", "", "--o", "", "See below.", "--o",
			"Content-Type: text/plain", "", strings.Join(lines, "\r\n"), "--o--", "")
	case "zip":
		return string(Zip(t, "report.csv", table(lines), "readme.txt", "A report."))
	case "tgz":
		return string(Gzip(t, string(Tar(t, "report.txt", strings.Join(lines, "\n"), "readme.txt", "A report."))))
	case "png":
		return "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x10\x00\x00\x00\x10\x08\x06\x00\x00\x00" +
			strings.Repeat("\xf0\x9f", 32*len(lines))
	}
	return strings.Join(lines, "\n")
}

// table has the lines in its last column.
func table(lines []string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.Write([]string{"number", "state", "remark"}) // a builder takes everything
	for i, l := range lines {
		_ = w.Write([]string{strconv.Itoa(i), "open", l})
	}
	w.Flush()
	return b.String()
}

// book has the lines in its second column.
func book(t testing.TB, lines []string, texts string) string {
	var rows strings.Builder
	for i := range lines {
		n := strconv.Itoa(i + 1)
		rows.WriteString(`<row r="` + n + `"><c r="A` + n + `"><v>` + n + `</v></c><c r="B` + n + `" t="s"><v>` + strconv.Itoa(i) +
			`</v></c></row>`)
	}
	return Workbook(t, rows.String(), texts)
}

// sheets has 50 lines on a page.
func sheets(lines []string) string {
	m := NewPDF()
	for len(lines) > 0 {
		n := min(50, len(lines))
		m.Page(Drawn(lines[:n]...), "")
		lines = lines[n:]
	}
	return m.String()
}
