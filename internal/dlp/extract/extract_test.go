package extract

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"go.uber.org/goleak"
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

// zipOf makes an archive of names and contents in turn.
func zipOf(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(f, files[i+1])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// docx makes a text document of the inside of its body.
func docx(t testing.TB, body string, more ...string) string {
	return string(zipOf(t, append([]string{"[Content_Types].xml", "<Types/>", "word/document.xml",
		`<?xml version="1.0"?><w:document xmlns:w="x"><w:body>` + body + `</w:body></w:document>`}, more...)...))
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
	word := docx(t, `<w:p><w:r><w:t>card 4111</w:t></w:r><w:r><w:t xml:space="preserve"> 1111&#160;1111 1111</w:t></w:r></w:p>`+
		`<w:p><w:t>two</w:t></w:p>`, "word/footnotes.xml", "<x><w:p><w:t>foot</w:t></w:p></x>")
	f(word, "", offices[0].kind, Done, "paragraph 1| card 4111 1111 1111 1111\ntwo\nfootnotes, paragraph 1| foot\n")
	f(string(zipOf(t, "in.docx", word, "a.txt", "hello", "b.png", "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", "d/", "")), "", kindZip, Partial,
		"the names in it| in.docx\na.txt\nb.png\nin.docx: paragraph 1| card 4111 1111 1111 1111\ntwo\n"+
			"in.docx: footnotes, paragraph 1| foot\na.txt: line 1| hello\n")
}
