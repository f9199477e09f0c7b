package dlp

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/dlp/extract"
	"github.com/longshore-dev/longshore/internal/sim"
)

// chunks gives a text in parts of any length.
type chunks struct {
	r *sim.Rand
	b []byte
}

// Read is io.Reader's.
func (c *chunks) Read(b []byte) (int, error) {
	if len(c.b) == 0 {
		return 0, io.EOF
	}
	n := min(len(b), 1+c.r.N(1+c.r.N(200_000)))
	n = copy(b[:n], c.b)
	c.b = c.b[n:]
	return n, nil
}

// told is what findings say but where.
func told(found []Finding) string {
	var b strings.Builder
	for _, f := range found {
		fmt.Fprintln(&b, f.Type.ID, f.Confidence, f.Count, f.Unique, f.Samples, f.Fingerprints)
	}
	return b.String()
}

func (s *Scanner) file(t testing.TB, in io.Reader, name string) extract.Result {
	t.Helper()
	res, err := s.File(context.Background(), in, name, -1, extract.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestATextInPiecesGivesWhatItGivesWhole(t *testing.T) {
	r := sim.NewRand(3, 3)
	n, s := noise{r}, all(t, 0)
	for range 6 {
		var b bytes.Buffer
		for size := r.N(4 << 20); b.Len() < size; {
			b.WriteString(n.text())
			b.WriteString("\n\n")
		}
		s.Reset()
		s.Text(b.Bytes(), "")
		want := told(s.Findings())
		res := s.file(t, &chunks{r, b.Bytes()}, "")
		if got := told(s.Findings()); got != want || res.Outcome != extract.Done {
			t.Fatalf("%d bytes, %+v:\n%s\nwhole:\n%s", b.Len(), res, got, want)
		}
	}
}

func TestAValueOnTheEndOfAPieceIsFoundOnce(t *testing.T) {
	s := all(t, 0)
	value := []byte(" card number: 4539 1488 0343 6467 and SSN 536-90-4399 ")
	for at := extract.MaxPiece - 33<<10; at < extract.MaxPiece+1<<10; at += 491 {
		b := bytes.Repeat([]byte("lorem ips\n"), 3<<20/20)
		copy(b[at:], value)
		s.file(t, bytes.NewReader(b), "")
		found := s.Findings()
		if len(found) != 2 || found[0].Count != 1 || found[1].Count != 1 || found[0].Confidence != High || found[1].Confidence != High {
			t.Fatalf("at %d: %+v", at, found)
		}
		if want := fmt.Sprint("line ", 1+bytes.Count(b[:at+14], []byte("\n"))); found[0].Locations[0] != want {
			t.Fatalf("at %d: %v, want %s", at, found[0].Locations, want)
		}
	}
}

func TestALargeJSONDocumentGivesWhatItGivesWhole(t *testing.T) {
	n := noise{sim.NewRand(4, 5)}
	s := all(t, 0)
	var rows []any
	for range 20_000 {
		name := sim.Pick(n.Rand, []string{"card", "note", "ssn", "id", "user@x.example", "4539148803436467"})
		rows = append(rows, map[string]any{name: map[string]any{"value": n.text(), "number": json.Number("4539148803436467"),
			"x": []any{n.value(), true, nil}}})
	}
	doc, err := json.Marshal(map[string]any{"rows": rows})
	if err != nil {
		t.Fatal(err)
	}
	if len(doc) < 2*extract.MaxPiece {
		t.Fatalf("only %d bytes", len(doc))
	}
	s.Reset()
	s.JSON(doc)
	want, places := told(s.Findings()), s.Findings()[0].Locations
	s.file(t, &chunks{n.Rand, doc}, "")
	if got := told(s.Findings()); got != want {
		t.Fatalf("got:\n%s\nwhole:\n%s", got, want)
	}
	if got := s.Findings()[0].Locations; !slices.Equal(got, places) {
		t.Errorf("at %v, want %v", got, places)
	}
}

// zipped makes an archive of names and contents in turn.
func zipped(t testing.TB, files ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err == nil {
			_, err = io.WriteString(f, files[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTheFieldOfACellCounts(t *testing.T) {
	s := all(t, 0)
	f := func(in, name, want string) {
		t.Helper()
		s.file(t, strings.NewReader(in), name)
		var got []string
		for _, f := range s.Findings() {
			got = append(got, fmt.Sprint(f.Type.ID, " ", f.Confidence, " ", f.Count, " ", f.Locations))
		}
		if text := strings.Join(got, "; "); text != want {
			t.Errorf("%q:\ngot  %s\nwant %s", in, text, want)
		}
	}
	f("name;SSN;room\nAnn;536904399;1\nBob;536904398;2\n", "", "pii.us_ssn 75 2 [row 2, SSN row 3, SSN]")
	f("name;id;SSN\nAnn;536904399;1\nBob;536904398;2\n", "", "")
	f("name,card\nAnn,4539148803436467\nBob,\n", "a.csv", "pci.credit_card 85 1 [row 2, card]")
	f("name,order_id\nAnn,4539148803436467\nBob,\n", "a.csv", "pci.credit_card 65 1 [row 2, order_id]")
	f("name,x\nSSN,536904300\n,536904300\n", "a.csv", "pii.us_ssn 75 1 [row 2, x]")
	f("<staff><ssn>536904399</ssn><id>536904399</id></staff>", "", "pii.us_ssn 75 1 [line 1, staff.ssn]")
	f("<staff><name>Ann</name><number ssn=\"536904399\"/></staff>", "", "pii.us_ssn 75 1 [line 1, number.ssn]")
	f("{\"a\":{\"ssn\":\"536904399\"}}\n{\"a\":{\"id\":\"536904399\"}}\n", "", "pii.us_ssn 75 1 [line 1: a.ssn]")
	f("<html><input name=\"card\" value=\"4539148803436467\"><p>4539 1488 <b>0343</b>&nbsp;6467", "",
		"pci.credit_card 85 2 [line 1, card line 1]")
}

func TestLocationsShowNoValue(t *testing.T) {
	s := all(t, 0)
	f := func(in string, want ...string) {
		t.Helper()
		s.file(t, strings.NewReader(in), "")
		for _, f := range s.Findings() {
			if f.Type.ID == "pci.credit_card" && !slices.Equal(f.Locations, want) {
				t.Errorf("%q, want %q", f.Locations, want)
			}
		}
	}
	card := "4539148803436467"
	f(zipped(t, "a/"+card+".txt", card, "b.txt", card), "the names in it", "a/*.txt: line 1", "b.txt: line 1")
	f(zipped(t, "ann@x.co.txt", card, "b.txt", card+" ann@x.co"), "*: line 1", "b.txt: line 1")
	f(zipped(t, "in.zip", zipped(t, "b.txt", "\n"+card)), "in.zip/b.txt: line 2")
	f(zipped(t, "a.json", `{"`+card+`":{"x":"`+card+`"}}`), "a.json: *", "a.json: *.x")
}

func TestNothingSaidOfAFileShowsAValue(t *testing.T) {
	card, s := "4539148803436467", all(t, 0)
	f := func(in, name string) {
		t.Helper()
		res := s.file(t, strings.NewReader(in), name)
		said := fmt.Sprintf("%+v %+v", res, s.Findings())
		if len(s.Findings()) == 0 || strings.Contains(said, card) || strings.Contains(said, card[4:12]) {
			t.Errorf("%.30q: %s", in, said)
		}
	}
	sheet := func(name, data string) string {
		return zipped(t, "[Content_Types].xml", "<Types/>", "xl/workbook.xml",
			`<workbook><sheets><sheet name="`+name+`" id="r"/></sheets></workbook>`,
			"xl/_rels/workbook.xml.rels", `<R><Relationship Id="r" Target="worksheets/a.xml"/></R>`,
			"xl/worksheets/a.xml", "<worksheet>"+data+"</worksheet>")
	}
	cell := `<row r="2"><c r="A2"><v>` + card + `</v></c></row>`
	f("card "+card, card)
	f("a;b;"+card+"\n1;2;"+card+"\n1;2;3\n", "")
	f(`{"`+card+`":"`+card+`"}`, "")
	f(`[{"`+card+`":"`+card+strings.Repeat(`"},{"a":"`, 200_000)+`"}]`, "")
	f("<?xml?><a"+card+" b"+card+"='"+card+"'>"+card+"</a"+card+">", "")
	f("<html><input name='"+card+"' value='"+card+"'>"+card, "")
	f(sheet(card, cell), "")
	f(sheet("a", `<row r="1"><c r="A1" t="str"><v>no `+card+`</v></c></row>`+cell), "")
	f(printed(card, card, card), "")
	f(zipped(t, card+".txt", card, card+"/"+card+".png", "\x89PNG\r\n\x1a\n"), "")
	f(zipped(t, "[Content_Types].xml", "<Types/>", "word/"+card+".xml", "<w:p><w:t>"+card+"</w:t></w:p>"), "")
}

// printed makes a PDF of a page for each text, of lines, and a form on the last one, with a field.
func printed(name, value string, pages ...string) string {
	objects := []string{"<</Type/Catalog/Pages 2 0 R>>", "", "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
		"<</Type/Annot/Subtype/Widget/FT/Tx/T(" + name + ")/V(" + value + ")/Rect[0 0 9 9]>>"}
	var kids string
	for _, text := range pages {
		text = "BT /F1 9 Tf 12 TL 36 720 Td (" + strings.ReplaceAll(text, "\n", ") ' (") + ") ' ET"
		objects = append(objects, fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(text), text))
		kids += fmt.Sprintf("%d 0 R ", len(objects)+1)
		objects = append(objects, fmt.Sprintf("<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>"+
			"/Contents %d 0 R/Annots[4 0 R]>>", len(objects)))
	}
	objects[1] = fmt.Sprintf("<</Type/Pages/Count %d/Kids[%s]>>", len(pages), kids)
	var b strings.Builder
	b.WriteString("%PDF-1.4\n")
	for i, o := range objects {
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	return b.String() + "trailer\n<</Root 1 0 R>>\n" // the table of objects is made by the reader
}

func TestValuesInAPDFAreFound(t *testing.T) {
	s, r := all(t, 0), sim.NewRand(6, 6)
	var pages []string
	for range 20 {
		pages = append(pages, "Paid by credit card "+sim.Plant(r, sim.Card)+"\non a day in autumn")
	}
	f := func(in, want string) {
		t.Helper()
		res := s.file(t, strings.NewReader(in), "")
		var got []string
		for _, f := range s.Findings() {
			got = append(got, fmt.Sprint(f.Type.ID, " ", f.Confidence, " ", f.Count, " ", f.Locations))
		}
		if text := strings.Join(got, "; "); text != want || res.Outcome != extract.Done {
			t.Errorf("%+v:\ngot  %s\nwant %s", res, text, want)
		}
	}
	places := "page 1 page 2 page 3 page 4 page 5 page 6 page 7 page 8"
	f(printed("note", "none", pages...), "pci.credit_card 85 20 ["+places+"]")
	f(zipped(t, "a.pdf", printed("note", "none", pages[0])), "pci.credit_card 85 1 [a.pdf: page 1]")
	f(printed("ssn", "536904399", "a form"), "pii.us_ssn 75 1 [page 1, ssn]")
}

func TestManyValuesInAFileKeepTheirLocations(t *testing.T) {
	n := noise{sim.NewRand(5, 5)}
	var b strings.Builder
	for range 5000 {
		b.WriteString(sim.Plant(n.Rand, sim.Card) + "\n")
	}
	s := all(t, 0)
	s.file(t, strings.NewReader(b.String()), "")
	if got := s.Findings()[0]; got.Count != 5000 || len(got.Locations) != 8 || got.Locations[7] != "line 8" {
		t.Errorf("got %d at %v", got.Count, got.Locations)
	}
}

// BenchmarkFile is the reading and the scanning of files, by their bytes.
func BenchmarkFile(b *testing.B) {
	events := bytes.Join(sparse(), []byte("\n"))
	var table, doc strings.Builder
	table.WriteString("name;card;note\n")
	for i, line := range bytes.Split(dense(), []byte("\n")) {
		fmt.Fprintf(&table, "Ann Roy;%d;%s\n", i, bytes.ReplaceAll(line, []byte(";"), []byte(" ")))
		fmt.Fprintf(&doc, "<w:p><w:r><w:t>%s</w:t></w:r></w:p>", bytes.ReplaceAll(line, []byte(";"), []byte(" ")))
	}
	s := all(b, Medium)
	for _, f := range []struct{ kind, in string }{
		{"text, sparse", "text\n" + string(events)}, {"text, dense", string(dense())}, {"json lines, sparse", string(events)},
		{"csv, dense", table.String()}, {"docx, dense", zipped(b, "[Content_Types].xml", "<Types/>", "word/document.xml",
			"<?xml version='1.0'?><w:document>"+doc.String()+"</w:document>")},
	} {
		b.Run(f.kind, func(b *testing.B) {
			rate(b, len(f.in), func() { s.file(b, strings.NewReader(f.in), "") })
		})
	}
}
