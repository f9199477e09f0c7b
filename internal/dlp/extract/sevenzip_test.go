package extract

import (
	"bytes"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/klauspost/compress/flate"
	"github.com/ulikunitz/xz/lzma"

	"github.com/longshore-dev/longshore/internal/dlp/extract/made"
)

// number7z writes a number as a directory does, with 8 bytes.
func number7z(n int) string { return "\xff" + string(le.AppendUint64(nil, uint64(n))) }

// coder is one as a directory has it: its method, what is packed and the properties of that.
type coder struct{ method, packed, props string }

func lzmaOf(t testing.TB, text string) coder {
	t.Helper()
	var b bytes.Buffer
	w, err := lzma.NewWriter(&b)
	packed := packed(t, w, &b, err, text)
	return coder{"\x03\x01\x01", string(packed[lzma.HeaderLen:]), string(packed[:5])}
}

func lzma2Of(t testing.TB, text string) coder {
	t.Helper()
	var b bytes.Buffer
	w, err := lzma.NewWriter2(&b)
	return coder{"\x21", string(packed(t, w, &b, err, text)), "\x18"}
}

func deflated(t testing.TB, text string) coder {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, 9)
	return coder{"\x04\x01\x08", string(packed(t, w, &b, err, text)), ""}
}

// streams7z tells of one folder.
func streams7z(at int, c coder, size int) string {
	flags := string(rune(len(c.method)))
	props := ""
	if c.props != "" {
		flags = string(rune(len(c.method) | 0x20))
		props = number7z(len(c.props)) + c.props
	}
	return "\x06" + number7z(at) + "\x01\x09" + number7z(len(c.packed)) + "\x00" +
		"\x07\x0b\x01\x00" + "\x01" + flags + c.method + props + "\x0c" + number7z(size) + "\x00"
}

// sevenZip makes an archive of one folder with files, names and contents in turn; the directory is packed, if it is to be.
func sevenZip(t testing.TB, pack func(testing.TB, string) coder, packDir bool, files ...string) []byte {
	t.Helper()
	var all, sums, sizes, names string
	for i := 0; i < len(files); i += 2 {
		all += files[i+1]
		if i+2 < len(files) {
			sizes += number7z(len(files[i+1]))
		}
		sums += packed32(crc32.ChecksumIEEE([]byte(files[i+1])))
		names += wide(files[i]) + "\x00\x00"
	}
	c := pack(t, all)
	count := len(files) / 2
	dir := "\x01\x04" + streams7z(0, c, len(all)) + "\x08\x0d" + number7z(count) + "\x09" + sizes + "\x0a\x01" + sums + "\x00\x00" +
		"\x05" + number7z(count) + "\x11" + number7z(len(names)+1) + "\x00" + names + "\x00\x00"
	body := c.packed
	if packDir {
		d := lzmaOf(t, dir)
		dir = "\x17" + streams7z(len(body), d, len(dir)) + "\x00"
		body += d.packed
	}
	rest := string(le.AppendUint64(nil, uint64(len(body)))) + string(le.AppendUint64(nil, uint64(len(dir)))) +
		packed32(crc32.ChecksumIEEE([]byte(dir)))
	return []byte(mark7z + "\x00\x04" + packed32(crc32.ChecksumIEEE([]byte(rest))) + rest + body + dir)
}

func stored(_ testing.TB, text string) coder { return coder{"\x00", text, ""} }

func TestSevenZipIsRead(t *testing.T) {
	want := "the names in it| a.csv\nd/b.txt\na.csv: row 1, column 1| n\tm\tk\na.csv: row 2, n| 1\t2\t3\na.csv: row 3, n| 4\t5\t6\n" +
		"d/b.txt: line 1| hello\n"
	files := []string{"a.csv", "n,m,k\n1,2,3\n4,5,6\n", "d/b.txt", "hello"}
	for _, pack := range []func(testing.TB, string) coder{stored, lzmaOf, lzma2Of, deflated} {
		for _, packDir := range []bool{false, true} {
			got, res := piecesOf(t, bytes.NewReader(sevenZip(t, pack, packDir, files...)), "", Limits{})
			if got != want || res.Outcome != Done || res.Type != kind7z {
				t.Errorf("%+v\n%s\nwant\n%s", res, got, want)
			}
		}
	}
	f := func(in []byte, lim Limits, outcome, reason string) {
		t.Helper()
		_, res := piecesOf(t, bytes.NewReader(in), "", lim)
		if res.Outcome != outcome || !strings.Contains(res.Reason, reason) {
			t.Errorf("%+v, want %s: %s", res, outcome, reason)
		}
	}
	in := sevenZip(t, lzmaOf, true, files...)
	f(in[:len(in)-1], Limits{}, NotScanned, "or a part of one of several")
	f(sevenZip(t, func(t testing.TB, s string) coder { return coder{"\x06\xf1\x07\x01", s, "\x00"} }, false, files...), Limits{}, Encrypted,
		"what is in it needs a password")
	f(sevenZip(t, func(t testing.TB, s string) coder { return coder{"\x03\x04\x01", s, "\x00"} }, false, files...), Limits{}, NotScanned,
		"packed by a method that has no reader here (030401)")
	f(sevenZip(t, func(t testing.TB, s string) coder {
		c := lzmaOf(t, s)
		c.props = c.props[:1] + packed32(1<<30)
		return c
	}, false, files...), Limits{}, Done, "")
	f(sevenZip(t, lzmaOf, false, "a", strings.Repeat("0 ", 2<<20)), Limits{}, Partial, "the limit of the ratio")
	f(sevenZip(t, lzma2Of, false, "a.png", "\x89PNG\r\n\x1a\n"+strings.Repeat("0 ", 2<<20), "b", "x"), Limits{}, Partial,
		"the limit of the ratio")
	f(in, Limits{Entries: 1}, Partial, "only 1 entries were read")
	f(in, Limits{Depth: -1}, NotScanned, "an archive below -1 others")
	f(in, Limits{Input: 20}, NotScanned, "an archive of more than 20 bytes")
	wrong := sevenZip(t, stored, false, files...)
	wrong[len7z] ^= 1
	f(wrong, Limits{}, Partial, "its checksum is wrong")
}

// vint is a number of RAR 5: seven bits a byte.
func vint(n int) string {
	var b []byte
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return string(append(b, byte(n)))
}

// rarOf makes an archive of RAR 5 of names and contents in turn, which are stored.
func rarOf(t testing.TB, files ...string) []byte {
	t.Helper()
	block := func(head, data string) string {
		head = vint(len(head)) + head
		return packed32(crc32.ChecksumIEEE([]byte(head))) + head + data
	}
	out := "Rar!\x1a\x07\x01\x00" + block("\x01\x00\x00", "")
	for i := 0; i < len(files); i += 2 {
		name, data := files[i], files[i+1]
		out += block("\x02\x02"+vint(len(data))+"\x04"+vint(len(data))+"\x20"+packed32(crc32.ChecksumIEEE([]byte(data)))+"\x00\x01"+
			vint(len(name))+name, data)
	}
	return []byte(out + block("\x05\x00\x00", ""))
}

func TestRARIsRead(t *testing.T) {
	in := rarOf(t, "a.csv", "n,m,k\n1,2,3\n4,5,6\n", "d/b.zip", string(made.Zip(t, "c.txt", "hello")))
	got, res := piecesOf(t, bytes.NewReader(in), "", Limits{})
	want := "a.csv: row 1, column 1| n\tm\tk\na.csv: row 2, n| 1\t2\t3\na.csv: row 3, n| 4\t5\t6\n" +
		"d/b.zip: the names in it| c.txt\nd/b.zip/c.txt: line 1| hello\nthe names in it| a.csv\nd/b.zip\n"
	if got != want || res.Outcome != Done || res.Type != kindRAR {
		t.Errorf("%+v\n%s\nwant\n%s", res, got, want)
	}
	if _, res = piecesOf(t, bytes.NewReader(in), "", Limits{Entries: 1}); !strings.Contains(res.Reason, "only 1 entries were read") {
		t.Errorf("%+v", res)
	}
	if _, res = piecesOf(t, bytes.NewReader(in[:60]), "", Limits{}); !strings.Contains(res.Reason, "damaged") {
		t.Errorf("%+v", res)
	}
}

func TestDamagedSevenZipAndRARAreNoTrouble(t *testing.T) {
	text := strings.Repeat("a line of the text, 4111 1111 1111 1111\n", 50)
	fix := func(b []byte) { // so that the directory is read though it is damaged
		if len(b) > len7z {
			if at, n := le.Uint64(b[12:]), le.Uint64(b[20:]); at <= uint64(len(b)-len7z) && n <= uint64(len(b)-len7z)-at {
				le.PutUint32(b[28:], crc32.ChecksumIEEE(b[len7z+at:][:n]))
			}
		}
	}
	for _, in := range [][]byte{sevenZip(t, lzmaOf, false, "a", text, "b", "x"), sevenZip(t, lzma2Of, true, "a", text)} {
		eachDamage(in, 300, func(b []byte) { fix(b); check(t, b, "") })
	}
	damaged(t, rarOf(t, "a", text, "b", text))
}

func FuzzSevenZip(f *testing.F) {
	f.Add(sevenZip(f, lzmaOf, false, "a", "text", "b", "x"))
	f.Add(sevenZip(f, lzma2Of, true, "a", "text"))
	withoutPDFs(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		check(t, in, "")
		check(t, append([]byte(mark7z+"\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), in...), "")
	})
}

func FuzzRAR(f *testing.F) {
	f.Add(rarOf(f, "a", "text", "b", "x"))
	withoutPDFs(f)
	f.Fuzz(func(t *testing.T, in []byte) { check(t, in, "") })
}
