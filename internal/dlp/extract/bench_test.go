package extract

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/dlp/extract/made"
)

// samples are files of every kind with about 4 MB of text.
func samples(t testing.TB) map[string][]byte {
	var text, csv, lines, xml, page, body, sheet, strs strings.Builder
	var printed []string
	pages := made.NewPDF()
	xml.WriteString("<rows>\n")
	page.WriteString("<!DOCTYPE html><html><body>")
	for i := range 40_000 {
		words := fmt.Sprintf("row %d of words that say nothing, written by Ann &amp; Bob on a day in the autumn of last year", i)
		plain := strings.Replace(words, "&amp;", "&", 1)
		fmt.Fprintf(&text, "%s\n", plain)
		fmt.Fprintf(&csv, "%d;\"%s\";%d.50;x@example.com\n", i, plain, i)
		fmt.Fprintf(&lines, "{\"id\":%d,\"note\":%q,\"tags\":[\"a\",\"b\"]}\n", i, plain)
		fmt.Fprintf(&xml, "  <row id=\"%d\"><note>%s</note><sum>%d.50</sum></row>\n", i, words, i)
		fmt.Fprintf(&page, "<tr><td>%d</td><td class=\"note\">%s <b>bold</b></td><td><a href=\"/row/%d\">more</a></td></tr>\n", i, words, i)
		fmt.Fprintf(&body, "<w:p w:rsidR=\"00A77B3E\"><w:pPr><w:pStyle w:val=\"Normal\"/></w:pPr><w:r><w:rPr><w:b/></w:rPr><w:t>%s</w:t>"+
			"</w:r></w:p>", words)
		fmt.Fprintf(&sheet, "<row r=\"%d\"><c r=\"A%d\"><v>%d</v></c><c r=\"B%d\" t=\"s\"><v>%d</v></c>"+
			"<c r=\"C%d\" s=\"1\"><v>%d.5</v></c></row>", i+1, i+1, i, i+1, i, i+1, i)
		fmt.Fprintf(&strs, "<si><t>%s</t></si>", words)
		if printed = append(printed, plain); len(printed) == 50 {
			pages.Page(made.Drawn(printed...), "")
			printed = printed[:0]
		}
	}
	xml.WriteString("</rows>")
	return map[string][]byte{
		"text": []byte(text.String()), "csv": []byte(csv.String()), "json lines": []byte(lines.String()),
		"json by value": []byte("[" + strings.ReplaceAll(strings.TrimSpace(lines.String()), "\n", ",\n") + "]"),
		"xml":           []byte(xml.String()), "html": []byte(page.String()), "docx": []byte(made.Docx(t, body.String())),
		"pdf": []byte(pages.String()), "pdf of a page": []byte(made.Pages(strings.Repeat("one page ", 10))),
		"xlsx": []byte(made.Workbook(t, sheet.String(), strs.String())), "zip of text": made.Zip(t, "a.txt", text.String()),
		"text, windows-1252": bytes.ReplaceAll([]byte(text.String()), []byte("autumn"), []byte("\xe9t\xe9")),
	}
}

// BenchmarkRead is the reading alone, by the text handed on.
func BenchmarkRead(b *testing.B) {
	for kind, in := range samples(b) {
		b.Run(kind, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				res, err := Read(context.Background(), bytes.NewReader(in), "", int64(len(in)), Limits{}, func(*Piece) {})
				if err != nil || res.Outcome != Done {
					b.Fatal(res, err)
				}
				b.SetBytes(res.Text)
			}
		})
	}
}

// BenchmarkCompile is what comes before the first PDF is read.
func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		e, err := compile()
		if err != nil {
			b.Fatal(err)
		}
		if err := e.pool.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
