package extract

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/longshore-dev/longshore/internal/dlp/extract/made"
)

// check reads a file of any content and looks at what no content may change.
func check(t *testing.T, in []byte, name string) Result {
	t.Helper()
	lim := Limits{Input: 1 << 20, Text: 1 << 18, Depth: 2, Entries: 50, XML: 20, Pages: 5, PageTime: time.Second}
	var n int64
	res, err := Read(context.Background(), bytes.NewReader(in), name, int64(len(in)), lim, func(p *Piece) {
		if p.From < 0 || p.From > p.To || p.To > len(p.Text) || len(p.Text) > MaxPiece {
			t.Fatalf("piece [%d:%d) of %d", p.From, p.To, len(p.Text))
		}
		for i, s := range p.Spans {
			if s.At < 0 || s.At > len(p.Text) || i > 0 && s.At <= p.Spans[i-1].At {
				t.Fatalf("span %d at %d of %d", i, s.At, len(p.Text))
			}
		}
		for at := p.From; at < p.To; at += 1 + (p.To-p.From)/3 {
			_ = p.Where(at)
		}
		n += int64(p.To - p.From)
	})
	switch {
	case err != nil:
		t.Fatal(err)
	case n != res.Text || n > lim.Text || res.Bytes > lim.Input || !utf8.ValidString(res.Reason):
		t.Fatalf("%d bytes handed on, %+v", n, res)
	case (res.Outcome == Done) != (res.Reason == "") || res.Type == "":
		t.Fatalf("%+v", res)
	case res.Outcome != Done && res.Outcome != Partial && res.Outcome != NotScanned && res.Outcome != Encrypted:
		t.Fatalf("%+v", res)
	}
	return res
}

func FuzzText(f *testing.F) {
	f.Add([]byte("hello\nworld"))
	f.Add([]byte("\xff\xfea\x00\x3d\xd8\x00"))
	f.Add([]byte("From a\nTo: b\nSubject: c\nContent-Transfer-Encoding: base64\n\nAAAA"))
	f.Add([]byte("caf\xe9 \xe2\x80\x91 \xef\xbc\x94"))
	f.Add([]byte("\xff\xfe\x00\x00a\x00\x00\x00"))
	f.Add([]byte("a:\n  - b\n  - 'c': d\n"))
	f.Fuzz(func(t *testing.T, in []byte) { check(t, in, "") })
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("a,b\n\"x\"\"\",\"y\nz\"\n"))
	f.Add([]byte("a;b;c\n;;\n"))
	f.Fuzz(func(t *testing.T, in []byte) { check(t, in, "a.csv") })
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"a":[1,"\ud83d\ude00\u0041\n",{"b@":-1e5}]}`))
	f.Add([]byte("{}\n{\"a\":1}\n[1]\nx"))
	f.Fuzz(func(t *testing.T, in []byte) {
		check(t, in, "")
		var whole, parts strings.Builder
		feed := func(b *strings.Builder, n int) {
			x := newRun(context.Background(), Limits{}, func(p *Piece) { b.WriteString(p.Where(0) + " " + string(p.Text) + "\n") })
			v := newValues(x.flow(file{}, ""))
			for i := 0; i < len(in); i += n {
				if err := v.feed(in[i:min(len(in), i+n)]); err != nil {
					t.Fatal(err)
				}
			}
			if err := v.close(); err != nil {
				t.Fatal(err)
			}
		}
		feed(&whole, len(in)+1)
		feed(&parts, 1)
		if whole.String() != parts.String() {
			t.Fatalf("%q\n%q", whole.String(), parts.String())
		}
	})
}

func FuzzXML(f *testing.F) {
	f.Add([]byte(`<?xml version="1.0"?><!DOCTYPE a><a b="c&amp;d"><![CDATA[x]]><!-- y -->&#65;</a>`))
	f.Add([]byte("<\x00?\x00x\x00?\x00>\x00<\x00a\x00/\x00>\x00"))
	f.Fuzz(func(t *testing.T, in []byte) { check(t, append([]byte("<?xml "), in...), "") })
}

func FuzzHTML(f *testing.F) {
	f.Add([]byte(`<p class="x">a<b>b</b>&nbsp;<script>1<2</script><input name=ssn value='1'><!-- c --><td>`))
	f.Fuzz(func(t *testing.T, in []byte) { check(t, append([]byte("<html>"), in...), "") })
}

func FuzzZip(f *testing.F) {
	f.Add(made.Zip(f, "a.txt", "hello", "b.zip", string(made.Zip(f, "c.csv", "a,b\n1,2\n"))))
	f.Add([]byte(made.Docx(f, "<w:p><w:t>x</w:t></w:p>")))
	f.Add([]byte(made.Workbook(f, `<row><c t="s"><v>0</v></c></row>`, "<si><t>x</t></si>")))
	withoutPDFs(f)
	f.Fuzz(func(t *testing.T, in []byte) { check(t, in, "") })
}

func FuzzOffice(f *testing.F) {
	f.Add(`<w:p><w:t>x</w:t><w:br/><Fallback/></w:p>`, `<row r="2"><c r="B7" t="s"><v>0</v></c></row>`, `<si><r><t>x</t></r></si>`)
	withoutPDFs(f)
	f.Fuzz(func(t *testing.T, body, rows, texts string) {
		check(t, []byte(made.Docx(t, body)), "")
		check(t, []byte(made.Workbook(t, rows, texts)), "")
		check(t, made.Zip(t, "[Content_Types].xml", "<Types/>", "ppt/presentation.xml", rows, "ppt/slides/slide1.xml", body), "")
	})
}

func FuzzPDF(f *testing.F) {
	f.Add([]byte(made.Pages("one", "two")))
	f.Add([]byte(holding("one", "c.txt", "two")))
	m := made.NewPDF()
	m.Packed = true
	m.Page(made.Drawn("packed"), "/Annots[<</Type/Annot/Subtype/Widget/FT/Tx/T(a)/V(b)/Rect[0 0 9 9]>>]")
	f.Add([]byte(m.String()))
	m = made.NewPDF()
	m.Encrypt("")
	m.Page(made.Drawn("open"), "")
	f.Add([]byte(m.String()))
	if _, err := compiled(); err != nil { // within an input it would count as one that hangs
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, in []byte) { check(t, append([]byte("%PDF-1.7\n"), in...), "") })
}
