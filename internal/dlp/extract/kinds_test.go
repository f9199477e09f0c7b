package extract

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/japanese"

	"github.com/longshore-dev/longshore/internal/dlp/extract/made"
)

// sampled is a small file of a kind with the word "needle" in it.
type sampled struct {
	format, name string
	kind         string // its media type
	content      []byte
}

// needle is what stands in each of them.
const needle = "needle"

// sampleFiles has a file of every format that is read.
func sampleFiles(t testing.TB) []sampled {
	table := "name,card,note\nneedle,4539,x\nAnn,2,y\n"
	office := func(i int) string { return offices[i].kind }
	plain := []sampled{
		{"text", "a.txt", kindText, []byte("a needle\nin a text")},
		{"text, UTF-16", "", kindText, []byte("\xff\xfe" + wide("a needle – 日本"))},
		{"text, UTF-16 the other way", "", kindText, []byte("\xfe\xff\x00n\x00e\x00e\x00d\x00l\x00e")},
		{"text, UTF-32", "", kindText, []byte("\xff\xfe\x00\x00n\x00\x00\x00e\x00\x00\x00e\x00\x00\x00d\x00\x00\x00l\x00\x00\x00e\x00\x00\x00")},
		{"text, Windows-1252", "", kindText, []byte("caf\xe9 needle \x80")},
		{"YAML", "a.yaml", kindText, []byte("a:\n  - needle\n  - b: 'c'\n")},
		{"CSV", "a.csv", kindCSV, []byte(table)},
		{"TSV", "", kindTSV, []byte(strings.ReplaceAll(table, ",", "\t"))},
		{"JSON", "", kindJSON, []byte(`{"a":["needle","\ud83d\ude00",{"b@":-1e5}]}`)},
		{"lines of JSON", "", kindLines, []byte("{\"a\":\"needle\"}\n{\"a\":1}\n")},
		{"XML", "", kindXML, []byte(`<?xml version="1.0"?><!DOCTYPE a><a b="c&amp;d"><![CDATA[needle]]><!-- y -->&#65;</a>`)},
		{"HTML", "", kindHTML, []byte(`<!DOCTYPE html><p class="x">need<b>le</b>&nbsp;<script>1<2</script><input name=ssn value='1'><td>`)},
		{"mail", "", kindMail, []byte(made.Mail("Content-Type: multipart/mixed; boundary=o", "", "--o",
			"Content-Type: text/plain; charset=iso-2022-jp", "Content-Transfer-Encoding: base64", "",
			base64.StdEncoding.EncodeToString([]byte(inSevenBits(t))), "--o", "", needle, "--o--"))},
		{"box of mail", "", kindBox, []byte("From a@b.co Sat Jan  3 01:05:34 1996\nFrom: a@b.co\n\nneedle\n\n" +
			"From b@b.co Sat Jan  3 01:05:34 1996\nFrom: c@d.co\n\ntwo\n")},
		{"RTF", "", kindRTF, []byte(`{\rtf1\ansicpg1252{\fonttbl{\f0\fcharset128 A;}}\f0\'93\'fa need{\b le}\par{\info{\title T}}}`)},
	}
	documents := []sampled{
		{"Word", "", office(0), []byte(made.Docx(t, "<w:p><w:t>a needle</w:t><w:br/></w:p>"))},
		{"Excel", "", office(1), []byte(made.Workbook(t, `<row r="2"><c r="B7" t="s"><v>0</v></c></row>`, `<si><r><t>needle</t></r></si>`))},
		{"PowerPoint", "", office(2), []byte(made.Slides(t, "needle", "two"))},
		{"OpenDocument text", "", kindODF + "text", made.OpenDocument(t, "text", `<text:p>needle<text:s text:c="3"/></text:p>`)},
		{"OpenDocument spreadsheet", "", kindODF + "spreadsheet", made.OpenDocument(t, "spreadsheet",
			`<table:table><table:table-row><table:table-cell><text:p>needle</text:p></table:table-cell></table:table-row></table:table>`)},
		{"OpenDocument presentation", "", kindODF + "presentation", made.OpenDocument(t, "presentation",
			`<draw:page><draw:frame><draw:text-box><text:p>needle</text:p></draw:text-box></draw:frame></draw:page>`)},
		{"Word 97", "", kindDoc, doc97Of(t, 0, "needle caf\xe9", "@日本")},
		{"Excel 97", "", kindXLS, xls8Of(t, []any{xlsTexts, packed32(1) + packed32(1) + xlText(needle)},
			records(xlsText, packed16(1, 1, 0)+packed32(0)))},
		{"PowerPoint 97", "", kindPPT, cfbOf(t, "PowerPoint Document",
			packed16(0xf, pptSlide)+packed32(14)+packed16(0, pptBytes)+packed32(6)+needle)},
		{"Outlook", "", kindMsg, msgOf(t, msgStream+"0037001F", wide(needle), msgStream+"10090102", string(packedRTF(t)))},
	}
	return append(append(plain, documents...), archiveSamples(t, table)...)
}

func archiveSamples(t testing.TB, table string) []sampled {
	return []sampled{
		{"zip", "", kindZip, made.Zip(t, "a.csv", table, "b.zip", string(made.Zip(t, "c.docx", made.Docx(t, "<w:p><w:t>x</w:t></w:p>"))))},
		{"gzip", "", "application/gzip", made.Gzip(t, table)},
		{"bzip2", "", "application/x-bzip2", bz2Of(t)},
		{"xz", "", "application/x-xz", xzOf(t, table)},
		{"zstd", "", "application/zstd", zstOf(t, table)},
		{"tar", "", kindTar, made.Tar(t, "a.csv", table, "b/c.txt", "x")},
		{"7-Zip, LZMA", "", kind7z, sevenZip(t, lzmaOf, false, "a.csv", table, "b", "x")},
		{"7-Zip, LZMA2", "", kind7z, sevenZip(t, lzma2Of, true, "a.csv", table)},
		{"7-Zip, deflate", "", kind7z, sevenZip(t, deflated, true, "a.csv", table)},
		{"RAR", "", kindRAR, rarOf(t, "a.csv", table, "b", "x")},
	}
}

// inSevenBits is Japanese text in the seven bits of mail.
func inSevenBits(t testing.TB) string {
	t.Helper()
	s, err := japanese.ISO2022JP.NewEncoder().String("日本語")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryFormatHasASampleThatIsRead(t *testing.T) {
	for _, s := range sampleFiles(t) {
		got, res := piecesOf(t, bytes.NewReader(s.content), s.name, Limits{})
		want := needle
		if s.format == "bzip2" {
			want = "hello in bzip2"
		}
		if res.Outcome != Done || res.Type != s.kind || !strings.Contains(got, want) {
			t.Errorf("%s, wanted as %s: %+v\n%s", s.format, s.kind, res, got)
		}
	}
}

// FuzzRead begins with a file of every format, PDF apart, and finds its own way from one to another.
func FuzzRead(f *testing.F) {
	for _, s := range sampleFiles(f) {
		f.Add(s.content, s.name)
	}
	withoutPDFs(f)
	f.Fuzz(func(t *testing.T, in []byte, name string) { check(t, in, name) })
}

// withoutPDFs has a target's PDFs refused. To make their reader ready takes longer than an input may; FuzzPDF does it before.
func withoutPDFs(f *testing.F) {
	was := compiled
	compiled = func() (*engine, error) { return nil, errors.New("none") }
	f.Cleanup(func() { compiled = was })
}

// TestTenThousandDamagedFilesOfEveryFormatHaveAnOutcome cuts files, turns bits, and puts pieces of one file into another.
func TestTenThousandDamagedFilesOfEveryFormatHaveAnOutcome(t *testing.T) {
	all := sampleFiles(t)
	began, slowest := time.Now(), time.Duration(0)
	outcomes := map[string]int{}
	n := 0
	for i, s := range all {
		other := all[(i+1)%len(all)].content
		each := func(b []byte) {
			if n++; n%5 == 0 { // the end of another one
				b = append(b, other[len(other)/2:]...)
			}
			before := time.Now()
			outcomes[check(t, b, s.name).Outcome]++
			slowest = max(slowest, time.Since(before))
		}
		eachDamage(s.content, 10_000/len(all)+1, each)
	}
	t.Logf("%d files in %s, %s at most: %v", n, time.Since(began).Round(time.Millisecond), slowest.Round(time.Millisecond), outcomes)
	if n < 10_000 || outcomes[Done] < n/20 || outcomes[Partial] < n/20 || outcomes[NotScanned] < n/20 {
		t.Errorf("of %d: %v: the test does not see what happens", n, outcomes)
	}
	if slowest > 5*time.Second {
		t.Errorf("one took %s", slowest)
	}
}
