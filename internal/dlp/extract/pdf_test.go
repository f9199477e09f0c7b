package extract

import (
	"fmt"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/dlp/extract/made"
)

func TestAPDFIsReadPageByPage(t *testing.T) {
	f := func(in, outcome, reason, want string) {
		t.Helper()
		got, res := spansOf(t, in, Limits{})
		if got != want || res.Outcome != outcome || res.Reason != reason || res.Type != kindPDF {
			t.Errorf("%+v, want %s: %s; got:\n%s\nwant:\n%s", res, outcome, reason, got, want)
		}
	}
	f(made.Pages("one", "two (2)", ""), Done, "", "page 1| one\npage 2| two (2)\n")
	f("\r\n"+made.Pages("after an empty line"), Done, "", "page 1| after an empty line\n")
	f("\x00\x05mail"+strings.Repeat("\x00", 122)+made.Pages("after a header"), Done, "", "page 1| after a header\n")

	m := made.NewPDF()
	m.Page(made.Drawn("well-known know-", "ledge of 4111-1111-", "1111-1111, caf\xe9 \x80 5\xa04"), "")
	m.Page("BT /F1 12 Tf 72 720 Td (left) Tj 200 0 Td (right) Tj ET BT /F1 12 Tf 72 700 Td [(spa) 20 (ced) -900 (apart)] TJ ET", "")
	want := "page 1| well-known knowledge of 4111-1111-\n1111-1111, café € 5 4\npage 2| left right\nspaced apart\n"
	f(m.String(), Done, "", want)
	m.Packed = true
	f(m.String(), Done, "", want)

	m = made.NewPDF()
	table := m.Stream("", "/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <ff> endcodespacerange\n"+
		"3 beginbfchar <01> <0416> <02> <00660069> <03> <FF14> endbfchar endcmap", true)
	font := m.Add("<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode %d 0 R>>", table)
	m.Page("BT /F1 12 Tf 72 720 Td <010203> Tj ET", fmt.Sprintf("/Resources<</Font<</F1 %d 0 R>>>>", font))
	f(m.String(), Done, "", "page 1| Жfi4\n")

	form := made.NewPDF()
	x := form.Stream("/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>", made.Drawn("in a form"), true)
	form.Page("/X Do", fmt.Sprintf("/Resources<</XObject<</X %d 0 R>>>>", x))
	f(form.String(), Done, "", "page 1| in a form\n")
}

// spansOf writes what a sink was given, field by field, after where each begins.
func spansOf(t *testing.T, in string, lim Limits) (string, Result) {
	t.Helper()
	var b strings.Builder
	res, err := Read(t.Context(), strings.NewReader(in), "", -1, lim, func(p *Piece) {
		for i, s := range p.Spans {
			end := len(p.Text)
			if i+1 < len(p.Spans) {
				end = p.Spans[i+1].At
			}
			if text := strings.TrimSpace(string(p.Text[s.At:end])); text != "" {
				fmt.Fprintf(&b, "%s| %s\n", p.Where(s.At), text)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), res
}

func TestWhatIsFilledInAndNotedInAPDFIsRead(t *testing.T) {
	m := made.NewPDF()
	m.Page(made.Drawn("a form"), "/Annots[4 0 R 5 0 R 6 0 R 7 0 R 8 0 R]")
	m.Objects = append(m.Objects[:3], append([]string{
		"<</Type/Annot/Subtype/Widget/FT/Tx/T(f1)/TU(Social security number)/V(536-90-4399)/Rect[0 0 9 9]>>",
		"<</Type/Annot/Subtype/Widget/FT/Tx/T(card)/V<FEFF0034>/Rect[0 0 9 9]>>",
		"<</Type/Annot/Subtype/Widget/FT/Tx/T(empty)/Rect[0 0 9 9]>>",
		"<</Type/Annot/Subtype/Text/Contents(please pay)/Rect[0 0 9 9]>>",
		"<</Type/Annot/Subtype/Link/A<</S/URI/URI(mailto:a@b.co)>>/Rect[0 0 9 9]>>",
		"<</Title(The title)/Author(Ann)/Keywords(a, b)/Producer(nobody)>>",
	}, m.Objects[3:]...)...)
	m.Objects[10] = strings.Replace(m.Objects[10], "/Contents 4 0", "/Contents 10 0", 1)
	m.Pages[0] = 11
	m.Catalog, m.Trailer = "/AcroForm<</Fields[4 0 R 5 0 R 6 0 R]>>", "/Info 9 0 R"
	got, res := spansOf(t, m.String(), Limits{})
	want := "properties, Title| The title\nproperties, Author| Ann\nproperties, Keywords| a, b\npage 1| a form\n" +
		"page 1, Social security number| 536-90-4399\npage 1, card| 4\npage 1| please pay\nmailto:a@b.co\n"
	if got != want || res.Outcome != Done {
		t.Errorf("%+v; got:\n%s\nwant:\n%s", res, got, want)
	}
}

// holding makes a PDF with files in it, names and contents in turn.
func holding(text string, files ...string) string {
	m := made.NewPDF()
	m.Page(made.Drawn(text), "")
	names := ""
	for i := 0; i < len(files); i += 2 {
		n := m.Stream("/Type/EmbeddedFile", files[i+1], true)
		names += fmt.Sprintf("(%s)<</Type/Filespec/F(%s)/EF<</F %d 0 R>>>>", files[i], files[i], n)
	}
	m.Catalog = "/Names<</EmbeddedFiles<</Names[" + names + "]>>>>"
	return m.String()
}

func TestAPDFIsReadInArchivesAndHoldsFiles(t *testing.T) {
	f := func(in []byte, lim Limits, outcome, reason, want string) {
		t.Helper()
		got, res := piecesOf(t, strings.NewReader(string(in)), "", lim)
		if got != want || res.Outcome != outcome || res.Reason != reason {
			t.Errorf("%+v, want %s: %s; got:\n%s\nwant:\n%s", res, outcome, reason, got, want)
		}
	}
	f(made.Zip(t, "b.pdf", made.Pages("one", "two"), "c.txt", "three"), Limits{}, Done, "",
		"the names in it| b.pdf\nc.txt\nb.pdf: page 1| one\ntwo\nc.txt: line 1| three\n")
	deep := made.Zip(t, "a.zip", string(made.Zip(t, "b.pdf", holding("one", "c.txt", "two", "d.pdf", made.Pages("three")))))
	f(deep, Limits{}, Done, "", "the names in it| a.zip\na.zip: the names in it| b.pdf\na.zip/b.pdf: page 1| one\n"+
		"a.zip/b.pdf/c.txt: line 1| two\na.zip/b.pdf/d.pdf: page 1| three\n")
	f([]byte(holding("one", "c.png", "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR")), Limits{}, Partial,
		"of 1 files in it: there is no reader for 1 image", "page 1| one\n")
	m := made.NewPDF()
	n := m.Stream("/Type/EmbeddedFile", "two", false)
	m.Page(made.Drawn("one"), fmt.Sprintf("/Annots[<</Type/Annot/Subtype/FileAttachment/Rect[0 0 9 9]"+
		"/FS<</Type/Filespec/F(c.txt)/EF<</F %d 0 R>>>>>>]", n))
	f([]byte(m.String()), Limits{}, Done, "", "page 1| one\nc.txt: line 1| two\n")
	f([]byte(m.String()), Limits{Depth: -1}, Partial, "of 1 files in it: 1 not taken out, for a limit", "page 1| one\n")
	f([]byte(holding("", "c.txt", "two")), Limits{}, Done, "", "c.txt: line 1| two\n")
	f([]byte(holding("one", "c.txt", "two", "d.txt", "3")), Limits{Entries: 1}, Partial,
		"of 2 files in it: 1 not taken out, for a limit", "page 1| one\nc.txt: line 1| two\n")
	f([]byte(holding("one", "c.txt", "two")), Limits{Depth: -1}, Partial, "of 1 files in it: 1 not taken out, for a limit", "page 1| one\n")
	f([]byte(holding("one", "c.txt", strings.Repeat("two ", 1<<19))), Limits{}, Partial,
		"it unpacks to more than 200 times its size, the limit of the ratio", "")
}

func TestWhatAPDFDoesNotGiveHasAReason(t *testing.T) {
	f := func(in string, lim Limits, outcome, reason, want string) {
		t.Helper()
		got, res := spansOf(t, in, lim)
		if got != want || res.Outcome != outcome || res.Reason != reason {
			t.Errorf("%+v, want %s: %s; got:\n%s\nwant:\n%s", res, outcome, reason, got, want)
		}
	}
	m := made.NewPDF()
	image := m.Stream("/Type/XObject/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray", "x", false)
	form := m.Stream(fmt.Sprintf("/Type/XObject/Subtype/Form/BBox[0 0 1 1]/Resources<</XObject<</I %d 0 R>>>>", image), "/I Do", false)
	m.Page("/I Do", fmt.Sprintf("/Resources<</XObject<</I %d 0 R>>>>", image))
	m.Page("/X Do", fmt.Sprintf("/Resources<</XObject<</X %d 0 R>>>>", form))
	f(m.String(), Limits{}, NotScanned, "a PDF of images: there is no reader for it", "")
	m.Page(made.Drawn("text"), "")
	f(m.String(), Limits{}, Partial, "2 of 3 pages hold nothing but images, for which there is no reader", "page 3| text\n")

	m = made.NewPDF()
	m.Page(made.Drawn("please wait"), "")
	x := m.Stream("", "<xdp:xdp/>", false)
	m.Catalog = fmt.Sprintf("/NeedsRendering true/AcroForm<</Fields[]/XFA %d 0 R>>", x)
	f(m.String(), Limits{}, Partial, "a form of XFA: there is no reader for it", "page 1| please wait\n")

	m = made.NewPDF()
	m.Encrypt("")
	m.Page(made.Drawn("open"), "")
	f(m.String(), Limits{}, Done, "", "page 1| open\n")
	m = made.NewPDF()
	m.Encrypt("secret")
	m.Page(made.Drawn("locked"), "")
	f(m.String(), Limits{}, Encrypted, "a PDF that needs a password", "")
	f(strings.Replace(m.String(), "/Filter/Standard", "/Filter/Unheardof", 1), Limits{}, Encrypted,
		"a PDF that is encrypted in a way that has no reader here", "")

	f("%PDF-1.7\nnothing", Limits{}, NotScanned, "a damaged PDF: it cannot be opened", "")
	whole := made.Pages("one", "two")
	// The table of objects is made anew from what is there.
	f(strings.Replace(whole, "startxref\n", "startxref\n9", 1), Limits{}, Done, "", "page 1| one\npage 2| two\n")
	f(whole[:strings.Index(whole, "xref")], Limits{}, NotScanned, "a damaged PDF: it cannot be opened", "")
	f(strings.Replace(whole, "/Type/Page/", "/Type/Nope/", 1), Limits{}, Partial,
		"1 of 2 pages could not be read, the first because it is damaged", "page 2| two\n")

	f(whole, Limits{Pages: 2}, Done, "", "page 1| one\npage 2| two\n")
	f(whole, Limits{Pages: 1}, Partial, "only the first 1 of its 2 pages were read, the limit of pages", "page 1| one\n")
	f(whole, Limits{Text: 6}, Partial, "only the first 6 bytes of its text were read, the limit of a file's text",
		"page 1| one\npage 2| two\n")
	f(whole, Limits{Input: 100}, NotScanned, "a PDF of more than 100 bytes, the limit of what is held", "")
}
