package extract

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/longshore-dev/longshore/internal/dlp/extract/made"
)

func TestMain(m *testing.M) {
	belt = false // a panic fails the tests
	goleak.VerifyTestMain(m)
}

// piecesOf writes what a sink was given: each piece's own text after where it begins.
func piecesOf(t testing.TB, in io.Reader, name string, lim Limits) (string, Result) {
	t.Helper()
	var b strings.Builder
	res, err := Read(context.Background(), in, name, -1, lim, func(p *Piece) {
		fmt.Fprintf(&b, "%s| %s\n", p.Where(p.From), strings.TrimSpace(string(p.Text[p.From:p.To])))
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), res
}

func TestTextIsReadByWhatItIs(t *testing.T) {
	f := func(in, name, kind, outcome, want string) {
		t.Helper()
		got, res := piecesOf(t, strings.NewReader(in), name, Limits{})
		if got != want || res.Outcome != outcome || res.Type != kind {
			t.Errorf("%s as %s (%s), want %s as %s; got:\n%s\nwant:\n%s", res.Outcome, res.Type, res.Reason, outcome, kind, got, want)
		}
	}
	f("hello\nworld", "", kindText, Done, "line 1| hello\nworld\n")
	f("", "empty.pdf", kindText, Done, "")
	f("a,b,c\n1,2,3\n\"x\"\"y\",\"q\nz\",\n", "", kindCSV, Done, "row 1, column 1| a\tb\tc\nrow 2, a| 1\t2\t3\nrow 3, a| x\"y\tq\nz\n")
	f("a,b\n1,2\n", "", kindText, Done, "line 1| a,b\n1,2\n")
	f("a,b\n1,2\n", "x.csv", kindCSV, Done, "row 1, column 1| a\tb\nrow 2, a| 1\t2\n")
	f(`{"a":[1,{"b":"c"}]}`, "", kindJSON, Done, `| {"a":[1,{"b":"c"}]}`+"\n")
	f("{\"a\":1}\n{\"a\":2}\nxx\n", "", kindLines, Done, "line 1| {\"a\":1}\nline 2| {\"a\":2}\nline 3| xx\n")
	word := made.Docx(t, `<w:p><w:r><w:t>card 4111</w:t></w:r><w:r><w:t xml:space="preserve"> 1111&#160;1111 1111</w:t></w:r></w:p>`+
		`<w:p><w:t>two</w:t></w:p>`, "word/footnotes.xml", "<x><w:p><w:t>foot</w:t></w:p></x>")
	f(word, "", offices[0].kind, Done, "paragraph 1| card 4111 1111 1111 1111\ntwo\nfootnotes, paragraph 1| foot\n")
	f(string(made.Zip(t, "in.docx", word, "a.txt", "hello", "b.png", "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", "d/", "")), "", kindZip, Partial,
		"the names in it| in.docx\na.txt\nb.png\nin.docx: paragraph 1| card 4111 1111 1111 1111\ntwo\n"+
			"in.docx: footnotes, paragraph 1| foot\na.txt: line 1| hello\n")
	f("<?xml version=\"1.0\"?>\n<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>\n"+
		"<a><card number=\"4\">x &amp; &e; y</card>\n<b>one</b><b>two</b></a>",
		"", kindXML, Done, "line 1| xml version=\"1.0\"DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\"]>\n4\nx & &e; y\none\ntwo\n")
	f("<!DOCTYPE html><html><head><title>T</title><style>p {}</style><script>let k = 1</script></head><body><p>41<b>11</b>&nbsp;1"+
		"<td>x<td>y<!-- gone --><a href=\"mailto:a@b.co\">mail</a><input name=\"ssn\" value=\"1\">",
		"", kindHTML, Done, "line 1| html\n gone \nmailto:a@b.co\nssn\n1\nline 1| T\nlet k = 1\n4111 1\tx\tymail\n")
	f("\xff\xfea\x00b\x00\xac\x20", "", kindText, Done, "line 1| ab€\n")
	f("na\xefve \x80 caf\xc3\xa9", "", kindText, Done, "line 1| naïve € café\n")
	f("Subject: hi\nFrom: a@b.co\nTo: c@d.co\n\nhello", "", kindMail, Done,
		"line 1, Subject| hi\na@b.co\nc@d.co\nbody: line 1| hello\n")

	f("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"+strings.Repeat("\x00", 600)+string(packageName), "", kindOLE, Encrypted, "")
	f("%PDF-1.7\n1 0 obj", "a.txt", kindPDF, NotScanned, "")
	f("how a %PDF-1.7 begins", "", kindText, Done, "line 1| how a %PDF-1.7 begins\n")
	f("\x7fELF\x00\x00", "a.txt", "application/x-elf", NotScanned, "")
}

func TestLinesOfMarkupAreThoseOfTheFile(t *testing.T) {
	f := func(in string) {
		t.Helper()
		var want []string
		for i, line := range strings.Split(in, "\n") {
			for range strings.Count(line, "@") {
				want = append(want, fmt.Sprintf("line %d", i+1))
			}
		}
		n := 0
		if _, err := Read(t.Context(), strings.NewReader(in), "", -1, Limits{}, func(p *Piece) {
			for at := p.From; at < p.To; at++ {
				if p.Text[at] == '@' {
					if got, _, _ := strings.Cut(p.Where(at), ","); n >= len(want) || got != want[n] {
						t.Fatalf("@ number %d is at %q, not %v", n, got, want[n:min(n+1, len(want))])
					}
					n++
				}
			}
		}); err != nil || n != len(want) {
			t.Errorf("%d of %d found, %v", n, len(want), err)
		}
	}
	f("<?xml version=\"1.0\"?>\n<a>\n  <b c=\"@\"\n/>@\n@ @<d>@\n</d>\n@</a>")
	f("<?xml version=\"1.0\"?>\n<a>" + strings.Repeat("lorem ipsum\n@ ", 200_000) + "</a>")
	f("<html>\n<p>@\n@<b>@</b>\n<p>@" + strings.Repeat("lorem ipsum\n@ ", 200_000))
}

func TestCellsOfAWorkbookStandInTheirColumns(t *testing.T) {
	book := made.Workbook(t, `<row r="2"><c r="B2" t="s"><v>0</v></c><c r="C2" t="inlineStr"><is><t>card</t></is></c></row>`+
		`<row r="3"><c r="B3" t="s"><v>1</v></c><c r="C3"><f>CONCAT("x",1)</f><v>4.539148803436467E+15</v></c><c r="D3"><v>7</v></c></row>`,
		`<si><t>name</t></si><si><r><t>A</t></r><r><t>nn</t></r><rPh><t>zzz</t></rPh></si><si><t>gone</t></si>`)
	var got strings.Builder
	_, err := Read(t.Context(), strings.NewReader(book), "", -1, Limits{}, func(p *Piece) {
		fmt.Fprintf(&got, "%s|%s|", p.Where(p.From), p.Text)
		for _, s := range p.Spans {
			fmt.Fprintf(&got, " %d %s %s;", s.At, s.Name, p.Where(s.At))
		}
		got.WriteByte('\n')
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "beside the sheets|Staff\n1\nrId1\n| 0 name beside the sheets; 6 sheetId beside the sheets; 8 id beside the sheets;\n" +
		"Staff!B2|name\tcard| 0  Staff!B2; 5  Staff!C2;\n" +
		"Staff!B3|Ann\t4539148803436467\t7| 0 name Staff!B3; 4 card Staff!C3; 21  Staff!D3;\n" +
		"Staff, beside the cells|CONCAT(\"x\",1)\n|\n" +
		"texts that no cell has|gone\n|\n" +
		"link 1|https://x.example/?a=1&b\n| 0 Target link 1;\n" +
		"comments1, paragraph 1|note|\n"
	if got.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", got.String(), want)
	}
}

func TestSlidesAreReadInTheirOrderWithTheirNotes(t *testing.T) {
	slide := func(text string) string { return "<p:sld><a:p><a:r><a:t>" + text + "</a:t></a:r></a:p></p:sld>" }
	deck := string(made.Zip(t, "[Content_Types].xml", "<Types/>",
		"ppt/slides/slide1.xml", slide("second"), "ppt/slides/slide2.xml", slide("first"), "ppt/notesSlides/notesSlide9.xml", slide("note"),
		"ppt/presentation.xml", `<p><p:sldIdLst><p:sldId id="256" r:id="rId2"/><p:sldId id="257" r:id="rId1"/></p:sldIdLst></p>`,
		"ppt/_rels/presentation.xml.rels", `<R><Relationship Id="rId1" Target="slides/slide1.xml"/>`+
			`<Relationship Id="rId2" Target="slides/slide2.xml"/></R>`,
		"ppt/slides/_rels/slide2.xml.rels", `<R><Relationship Id="rId1" Target="../notesSlides/notesSlide9.xml"/></R>`,
		"docProps/core.xml", "<cp><dc:creator>Ann</dc:creator></cp>", "ppt/media/a.png", "\x89PNG\r\n\x1a\n"))
	got, res := piecesOf(t, strings.NewReader(deck), "", Limits{})
	want := "slide 1, paragraph 1| first\nslide 1, notes, paragraph 1| note\nslide 2, paragraph 1| second\n" +
		"docProps/core.xml: line 1, cp.creator| Ann\n"
	if got != want || res.Outcome != Done || res.Type != offices[2].kind {
		t.Errorf("%+v; got:\n%s\nwant:\n%s", res, got, want)
	}
}

func TestTemplatesAndDocumentsWithMacrosAreRead(t *testing.T) {
	f := func(kind, want string, parts ...string) {
		t.Helper()
		types := `<Types><Override PartName="/x" ContentType="application/vnd.` + kind + `.main+xml"/></Types>`
		got, res := piecesOf(t, bytes.NewReader(made.Zip(t, append([]string{"[Content_Types].xml", types}, parts...)...)), "", Limits{})
		if res.Outcome != Done || !strings.Contains(got, want) {
			t.Errorf("%s: %+v: %s", kind, res, got)
		}
	}
	for _, kind := range []string{"ms-word.document.macroEnabled", "ms-word.template.macroEnabledTemplate",
		"openxmlformats-officedocument.wordprocessingml.template"} {
		f(kind, "paragraph 1| hello", "word/document.xml", "<w:p><w:t>hello</w:t></w:p>",
			"word/vbaProject.bin", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	}
	for _, kind := range []string{"ms-excel.sheet.macroEnabled", "openxmlformats-officedocument.spreadsheetml.template"} {
		f(kind, "S!A1| 77", "xl/workbook.xml", `<sheet name="S" r:id="r"/>`, "xl/_rels/workbook.xml.rels",
			`<Relationship Id="r" Target="worksheets/s.xml"/>`, "xl/worksheets/s.xml", "<row><c><v>77</v></c></row>")
	}
	for _, kind := range []string{"ms-powerpoint.presentation.macroEnabled", "openxmlformats-officedocument.presentationml.template"} {
		f(kind, "slide1, paragraph 1| hi", "ppt/presentation.xml", "<p/>", "ppt/slides/slide1.xml", "<a:p><a:t>hi</a:t></a:p>")
	}
}
