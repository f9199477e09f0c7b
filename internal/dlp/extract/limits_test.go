package extract

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/dlp/extract/made"
)

func TestEveryLimitEndsTheReadingWithItsReason(t *testing.T) {
	f := func(in string, lim Limits, outcome, reason, want string) {
		t.Helper()
		got, res := piecesOf(t, strings.NewReader(in), "", lim)
		if res.Outcome != outcome || !strings.Contains(res.Reason, reason) || got != want {
			t.Errorf("%s: %s\n%s\nwant %s: %s\n%s", res.Outcome, res.Reason, got, outcome, reason, want)
		}
	}
	f("abcdef", Limits{Input: 6}, Done, "", "line 1| abcdef\n")
	f("abcdef", Limits{Input: 5}, Partial, "only its first 5 bytes were read", "line 1| abcde\n")
	f("abcdef", Limits{Text: 5}, Partial, "only the first 5 bytes of its text", "line 1| abcde\n")
	f(`{"a":"bcdef"}`, Limits{Text: 5}, Partial, "of its text were read", "")
	one := string(made.Zip(t, "a.txt", "hello"))
	f(one, Limits{Input: int64(len(one)) - 1}, NotScanned, "an archive of more than", "")
	two := string(made.Zip(t, "a.txt", "hello", "b.txt", "you"))
	f(two, Limits{Text: 14}, Partial, "only the first 14 bytes of its text", "the names in it| a.txt\nb.txt\na.txt: line 1| he\n")
	f(two, Limits{Entries: 1}, Partial, "only 1 entries were read", "the names in it| a.txt\na.txt: line 1| hello\n")
	deep := one
	for range 3 {
		deep = string(made.Zip(t, "z", deep))
	}
	f(deep, Limits{Depth: 2}, NotScanned, "1 archive that was not read whole",
		"the names in it| z\nz: the names in it| z\nz/z: the names in it| z\n")
	f(string(made.Zip(t, "z", one)), Limits{Depth: -1}, NotScanned, "an archive below -1 others", "")
	f("<a><b><c>x</c></b></a>", Limits{XML: 2}, NotScanned, "elements below 2 others", "")
	f("<a>y<b><c>x</c></b></a>", Limits{XML: 2}, Partial, "elements below 2 others", "line 1, a| y\n")
	f("<?xml?><a><b>x</b>", Limits{}, Partial, "ends inside of an element", "line 1| xml\nx\n")
	f("<a><b>x</b>", Limits{}, Done, "", "line 1, a.b| x\n")
	f("<a>x<b", Limits{}, Partial, "ends inside of a tag", "line 1, a| x\n")
}

func TestBombsAreRefused(t *testing.T) {
	f := func(in []byte, outcome, reason string) {
		t.Helper()
		var n int64
		res, err := Read(t.Context(), bytes.NewReader(in), "", -1, Limits{}, func(p *Piece) { n += int64(p.To - p.From) })
		if err != nil || res.Outcome != outcome || !strings.Contains(res.Reason, reason) || n != res.Text || n > defaultText {
			t.Errorf("%v, %+v, %d bytes; want %s: %s", err, res, n, outcome, reason)
		}
	}
	zeros := made.Zip(t, "a", strings.Repeat("0 ", 32<<20))
	f(zeros, Partial, "the limit of the ratio")
	f(made.Zip(t, "a.zip", string(zeros)), Partial, "the limit of the ratio")
	f(docxBomb(t), Partial, "the limit of the ratio")
	f([]byte(`<!DOCTYPE a [<!ENTITY a "`+strings.Repeat("x", 1000)+`"><!ENTITY b "`+strings.Repeat("&a;", 1000)+`">]><a>`+
		strings.Repeat("&b;", 1000)+"</a>"), Done, "")
	f([]byte(strings.Repeat("<a>", 1<<20)), NotScanned, "elements below 256 others")
	f([]byte("<a "+strings.Repeat("x", 2<<20)), NotScanned, "a tag of more than")
	f([]byte("<html>"+strings.Repeat("<!---->", 1<<18)), Done, "")
	f([]byte("<?xml?>"+strings.Repeat("<!---->", 1<<18)), Done, "")
	f([]byte(strings.Repeat("[", 1<<21)), Done, "")
	f([]byte(`a,"`+strings.Repeat("x\n", 2<<20)), Done, "")
}

func docxBomb(t *testing.T) []byte {
	return []byte(made.Docx(t, "<w:p>"+strings.Repeat("<w:t> </w:t>", 4<<20)))
}

// rawZip is an archive of stored entries whose directory is as told.
func rawZip(t *testing.T, content string, offsets ...uint32) []byte {
	t.Helper()
	var b []byte
	local := func() {
		b = append(b, sigLocal...)
		b = append(b, make([]byte, lenLocal-4)...)
		binary.LittleEndian.PutUint32(b[len(b)-12:], uint32(len(content)))
		binary.LittleEndian.PutUint16(b[len(b)-4:], 1)
		b = append(append(b, 'n'), content...)
	}
	local()
	local()
	start := len(b)
	for _, at := range offsets {
		d := make([]byte, lenDir)
		copy(d, sigDir)
		binary.LittleEndian.PutUint32(d[20:], uint32(len(content)))
		binary.LittleEndian.PutUint32(d[24:], uint32(len(content)))
		binary.LittleEndian.PutUint16(d[28:], 1)
		binary.LittleEndian.PutUint32(d[42:], at)
		b = append(append(b, d...), 'n')
	}
	end := make([]byte, lenEnd)
	copy(end, sigEnd)
	binary.LittleEndian.PutUint16(end[10:], uint16(len(offsets)))
	binary.LittleEndian.PutUint32(end[12:], uint32(len(b)-start))
	binary.LittleEndian.PutUint32(end[16:], uint32(start))
	return append(b, end...)
}

func TestEntriesThatShareBytesAreRefused(t *testing.T) {
	f := func(outcome, reason string, offsets ...uint32) {
		t.Helper()
		_, res := piecesOf(t, bytes.NewReader(rawZip(t, "", offsets...)), "", Limits{})
		if res.Outcome != outcome || res.Reason != reason {
			t.Errorf("%v: %+v, want %s", offsets, res, reason)
		}
	}
	f(Done, "", 0, lenLocal+1)
	f(Done, "", lenLocal+1, 0)
	f(Partial, "of 2 files in it: 1 refused: it shares bytes with another entry", 0, 0)
	f(Partial, "of 2 files in it: 1 damaged: it is not where the directory says", 0, 7)
	f(NotScanned, "of 1 files in it: 1 damaged: it is not where the directory says", 1<<31)
}

func TestArchivesThatMultiplyEnd(t *testing.T) {
	in := string(made.Zip(t, "a", "PK\x03\x04 none"))
	for range 10 {
		in = string(made.Zip(t, "a", in, "b", in))
	}
	var n int
	res, err := Read(t.Context(), strings.NewReader(in), "", -1, Limits{}, func(*Piece) { n++ })
	if err != nil || res.Outcome != NotScanned && res.Outcome != Partial || n != 1<<5-1 {
		t.Errorf("%+v, %v, %d pieces", res, err, n)
	}
}

func TestAnErrorOfTheReaderIsGivenBack(t *testing.T) {
	gone := errors.New("the disk is gone")
	f := func(in string) {
		t.Helper()
		res, err := Read(t.Context(), io.MultiReader(strings.NewReader(in), failing{gone}), "", -1, Limits{},
			func(*Piece) {})
		if !errors.Is(err, gone) || res.Outcome != Partial || res.Reason != "it could not be read to its end" {
			t.Errorf("%q: %+v, %v", in, res, err)
		}
	}
	f("")
	f("hello")
	f("<a>hello")
	f("<html>hello")
	f("{\"a\":1}\n{\"a\":2}\n")
	f("a,b,c\n1,2,3\n1,2,3\n1,2,3")
	f(string(made.Zip(t, "a", "b")))
	f("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 600))
}

type failing struct{ err error }

// Read is io.Reader's.
func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestTheTimeEndsTheReadingOfAnyKind(t *testing.T) {
	f := func(in string) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		n := 0
		res, err := Read(ctx, strings.NewReader(in), "", -1, Limits{Ratio: 1e6}, func(*Piece) { cancel(); n++ })
		if !errors.Is(err, context.Canceled) || res.Outcome != Partial || res.Reason != "the time ran out" || n != 1 {
			t.Errorf("%q: %+v, %v after %d pieces", in[:20], res, err, n)
		}
	}
	long := strings.Repeat("lorem ipsum ", 200_000)
	f(long)
	f("<a>" + long + "</a>")
	f("<html>" + long)
	f(strings.Repeat("{\"a\":1}\n", 10))
	f(strings.Repeat("a,b,c\n", 10))
	f(string(made.Zip(t, "a", long)))
	f(made.Docx(t, "<w:p><w:t>"+long))
	f(made.Pages(slices.Repeat([]string{long[:20_000]}, 60)...))
}

func TestAFileShorterThanAnnouncedIsNotWhole(t *testing.T) {
	f := func(in string, size int64, outcome, reason string) {
		t.Helper()
		res, err := Read(t.Context(), strings.NewReader(in), "", size, Limits{}, func(*Piece) {})
		if err != nil || res.Outcome != outcome || res.Reason != reason {
			t.Errorf("%d: %+v, %v", size, res, err)
		}
	}
	f("hello", 5, Done, "")
	f("hello", -1, Done, "")
	f("hello", 4, Done, "")
	f("hello", 6, Partial, "it ends after 5 of the 6 bytes that were announced")
}

func TestADamagedDocumentIsNoTrouble(t *testing.T) {
	whole := []byte(made.Docx(t, strings.Repeat(`<w:p><w:t>card &amp; 4111</w:t></w:p>`, 20)))
	book := []byte(made.Workbook(t, `<row><c t="s"><v>0</v></c><c t="s"><v>9</v></c></row>`, "<si><t>x</t></si>"))
	for _, doc := range [][]byte{whole, book} {
		for i := range doc {
			for _, in := range [][]byte{doc[:i], append(append(bytes.Clone(doc[:i]), doc[i]^0x55), doc[i+1:]...)} {
				res, err := Read(t.Context(), bytes.NewReader(in), "", -1, Limits{}, func(*Piece) {})
				if err != nil || res.Outcome == "" || res.Outcome != Done && res.Reason == "" {
					t.Fatalf("at %d of %d: %+v, %v", i, len(doc), res, err)
				}
			}
		}
	}
}
