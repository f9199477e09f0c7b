package extract

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/dlp/extract/made"
)

func TestTextOfOpenDocumentIsRead(t *testing.T) {
	f := func(in []byte, kind, outcome, reason, want string) {
		t.Helper()
		got, res := piecesOf(t, bytes.NewReader(in), "", Limits{})
		if got != want || res.Outcome != outcome || res.Reason != reason || res.Type != kindODF+kind {
			t.Errorf("%+v\n%s\nwant %s %q\n%s", res, got, outcome, reason, want)
		}
	}
	const manifest, locked = "META-INF/manifest.xml", `<manifest:manifest><manifest:file-entry manifest:full-path="content.xml">` +
		`<manifest:encryption-data manifest:checksum="x"/></manifest:file-entry></manifest:manifest>`
	f(made.OpenDocument(t, "text", `<text:h>Head</text:h>`+
		`<text:p>41<text:span>11</text:span><text:s text:c="2"/>x<text:tab/>y<text:line-break/>z`+
		`<text:a xlink:href="http://x.example/?a=1&amp;b">link</text:a></text:p>`+
		`<table:table><table:table-row><table:table-cell><text:p>a</text:p>`+
		`</table:table-cell></table:table-row></table:table><draw:image xlink:href="Pictures/1.png"/><svg:desc>a picture</svg:desc>`,
		"meta.xml", `<m><dc:creator>Ann</dc:creator></m>`,
		"styles.xml", `<s><office:styles>x</office:styles><style:header><text:p>top</text:p></style:header></s>`,
		"Pictures/1.png", "\x89PNG", manifest, "<manifest:manifest/>"), "text", Done, "",
		"beside the text| http://x.example/?a=1&b\na picture\nparagraph 1| Head\n4111  x\ty\vzlink\na\n"+
			"meta.xml: line 1, m.creator| Ann\nstyles, paragraph 1| top\n")
	f(made.OpenDocument(t, "presentation", `<draw:page><draw:frame><draw:text-box><text:p>slide</text:p></draw:text-box></draw:frame>`+
		`<presentation:notes><text:p>note</text:p></presentation:notes></draw:page>`), "presentation", Done, "", "paragraph 1| slide\nnote\n")
	f(made.OpenDocument(t, "text", "\x00\x01", manifest, locked), "text", Encrypted, "an OpenDocument file that needs a password", "")
	f(made.OpenDocument(t, "text", "<text:p>cut"), "text", Partial,
		"of 1 files in it: 1 damaged: it ends inside of an element", "paragraph 1| cut\n")
}

func TestCellsOfAnOpenSpreadsheetStandInTheirColumns(t *testing.T) {
	row := func(cells ...string) string {
		return "<table:table-row>" + strings.Join(cells, "") + "</table:table-row>"
	}
	text := func(s string) string {
		return `<table:table-cell office:value-type="string"><text:p>` + s + `</text:p></table:table-cell>`
	}
	in := made.OpenDocument(t, "spreadsheet", `<table:table table:name="Staff">`+
		`<table:table-row table:number-rows-repeated="4"><table:table-cell table:number-columns-repeated="1024"/></table:table-row>`+
		row(`<table:table-cell table:number-columns-repeated="2"/>`, text("name"), text("card"))+
		row(`<table:table-cell/><table:covered-table-cell/>`, text("A<text:s/>nn"),
			`<table:table-cell office:value-type="float" office:value="4.539148803436467E+15" table:formula="of:=&quot;f&quot;"><office:annotation>`+
				`<dc:creator>Bob</dc:creator><text:p>a note</text:p></office:annotation><text:p>4.53914880343647E+15</text:p></table:table-cell>`)+
		`</table:table><table:table table:name="Two">`+row(text("x"))+"</table:table>")
	var got strings.Builder
	res, err := Read(t.Context(), bytes.NewReader(in), "", -1, Limits{}, func(p *Piece) {
		fmt.Fprintf(&got, "%s|%s|", p.Where(p.From), p.Text)
		for _, s := range p.Spans {
			fmt.Fprintf(&got, " %d %s %s;", s.At, s.Name, p.Where(s.At))
		}
		got.WriteByte('\n')
	})
	want := "Staff!C5|name\tcard| 0  Staff!C5; 5  Staff!D5;\nStaff!C6|A nn\t4539148803436467| 0 name Staff!C6; 5 card Staff!D6;\n" +
		"Two!A1|x| 0  Two!A1;\nTwo, beside the cells|Staff\nof:=\"f\"\nBob\na note\nTwo\n" +
		"| 0  Two, beside the cells; 6 formula Two, beside the cells; 14  Two, beside the cells;\n"
	if err != nil || res.Outcome != Done || got.String() != want {
		t.Errorf("%+v, %v; got:\n%s\nwant:\n%s", res, err, got.String(), want)
	}
}

func TestDamagedOpenDocumentsAreNoTrouble(t *testing.T) {
	damaged(t, made.OpenDocument(t, "text", strings.Repeat("<text:p>x<text:s/>y</text:p>", 20), "META-INF/manifest.xml", "<m/>"))
	damaged(t, made.OpenDocument(t, "spreadsheet", `<table:table>`+
		strings.Repeat(`<table:table-row><table:table-cell><text:p>x</text:p></table:table-cell></table:table-row>`, 9)))
}

func FuzzOpenDocument(f *testing.F) {
	f.Add(`<text:p>x<text:s text:c="3"/><text:a xlink:href="h">y</text:a></text:p><table:table><table:table-row><table:table-cell>`)
	f.Add(`<table:table table:name="n"><table:table-row table:number-rows-repeated="2"><table:table-cell office:value="1" ` +
		`office:value-type="float"><office:annotation><text:p>n</text:p></office:annotation><text:p>1</text:p></table:table-cell>`)
	f.Fuzz(func(t *testing.T, body string) {
		check(t, made.OpenDocument(t, "text", body), "")
		check(t, made.OpenDocument(t, "spreadsheet", body), "")
		check(t, made.OpenDocument(t, "presentation", body), "")
	})
}
