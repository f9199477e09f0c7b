package extract

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/longshore-dev/longshore/internal/dlp/extract/made"
)

// packed is a text packed by a writer.
func packed(t testing.TB, w io.WriteCloser, b *bytes.Buffer, err error, text string) []byte {
	t.Helper()
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func xzOf(t testing.TB, text string) []byte {
	var b bytes.Buffer
	w, err := xz.NewWriter(&b)
	return packed(t, w, &b, err, text)
}

func zstOf(t testing.TB, text string, opts ...zstd.EOption) []byte {
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, append(opts, zstd.WithEncoderConcurrency(1))...)
	return packed(t, w, &b, err, text)
}

// bz2Of is "hello in bzip2\n": Go has no writer.
func bz2Of(t testing.TB) []byte {
	b, err := hex.DecodeString("425a68393141592653598ea722f700000359800010400010001265c0102000221a0068" +
		"40d0341b37a7298e9201f1772453850908ea722f70")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPackedFilesAreReadAsWhatIsInThem(t *testing.T) {
	f := func(in []byte, kind, outcome, reason, want string) {
		t.Helper()
		got, res := piecesOf(t, bytes.NewReader(in), "", Limits{})
		if got != want || res.Outcome != outcome || res.Type != kind || res.Reason != reason {
			t.Errorf("%+v\n%s\nwant %s %s %q\n%s", res, got, kind, outcome, reason, want)
		}
	}
	const gz, tared = "application/gzip", "a.csv: row 1, column 1| n\tm\tk\na.csv: row 2, n| 1\t2\t3\n" +
		"a.csv: row 3, n| 4\t5\t6\nb/c.gz: line 1| deep\n" +
		"the names in it| a.csv\nb/c.gz\n"
	table := "n,m,k\n1,2,3\n4,5,6\n"
	archive := made.Tar(t, "a.csv", table, "b/", "", "b/c.gz", string(made.Gzip(t, "deep")))
	f(made.Gzip(t, "hello"), gz, Done, "", "line 1| hello\n")
	f(append(made.Gzip(t, "hello "), made.Gzip(t, "world")...), gz, Done, "", "line 1| hello world\n")
	f(append(made.Gzip(t, "hello"), make([]byte, 2000)...), gz, Done, "", "line 1| hello\n")
	f(append(made.Gzip(t, "hello"), "secret"...), gz, Partial, "bytes after its end that are no part of it", "line 1| hello\n")
	f(made.Gzip(t, "hello")[:11], gz, NotScanned, "damaged: it ends too early", "")
	f(made.Gzip(t, "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"), gz, NotScanned, "an image: there is no reader for it", "")
	f(bz2Of(t), "application/x-bzip2", Done, "", "line 1| hello in bzip2\n")
	f(xzOf(t, "hello"), "application/x-xz", Done, "", "line 1| hello\n")
	f(append(xzOf(t, "hello "), xzOf(t, "world")...), "application/x-xz", Done, "", "line 1| hello world\n")
	f(zstOf(t, "hello"), "application/zstd", Done, "", "line 1| hello\n")
	f(archive, kindTar, Done, "", tared)
	f(made.Gzip(t, string(archive)), gz, Done, "", tared)
	f(xzOf(t, string(archive)), "application/x-xz", Done, "", tared)
	f(made.Tar(t, "a.zip", string(made.Zip(t, "b.txt", "x"))), kindTar, Done, "",
		"a.zip: the names in it| b.txt\na.zip/b.txt: line 1| x\nthe names in it| a.zip\n")
	f(archive[:520], kindTar, Partial, "of 1 files in it: 1 damaged: it ends too early",
		"a.csv: row 1, column 1| n\tm\tk\na.csv: row 2, n| 1\nthe names in it| a.csv\n")
}

func TestTheNameOfAPackedFileTellsTextsApart(t *testing.T) {
	got, _ := piecesOf(t, bytes.NewReader(made.Gzip(t, "a,b\n1,2\n")), "x.csv.GZ", Limits{})
	if want := "row 1, column 1| a\tb\nrow 2, a| 1\t2\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestLimitsHoldForPackedFiles(t *testing.T) {
	f := func(in []byte, lim Limits, outcome, reason string) {
		t.Helper()
		_, res := piecesOf(t, bytes.NewReader(in), "", lim)
		if res.Outcome != outcome || !strings.Contains(res.Reason, reason) {
			t.Errorf("%+v, want %s: %s", res, outcome, reason)
		}
	}
	blank := strings.Repeat("0 ", 2<<20)
	f(made.Gzip(t, blank), Limits{}, Partial, "the limit of the ratio")
	f(made.Gzip(t, string(made.Gzip(t, blank))), Limits{}, Partial, "the limit of the ratio")
	f(xzOf(t, blank), Limits{}, Partial, "the limit of the ratio")
	f(zstOf(t, blank), Limits{}, Partial, "the limit of the ratio")
	f(made.Tar(t, "a", string(zstOf(t, blank))), Limits{}, Partial, "the limit of the ratio")
	f(made.Gzip(t, "abcdef"), Limits{Text: 5}, Partial, "only the first 5 bytes of its text")
	f(made.Gzip(t, "abcdef"), Limits{Input: 15}, Partial, "only its first 15 bytes were read")
	f(made.Tar(t, "a", "x", "b", "y"), Limits{Entries: 1}, Partial, "only 1 entries were read")
	in := []byte("x")
	for range 6 {
		in = made.Gzip(t, string(in))
	}
	f(in, Limits{Depth: 6}, Done, "")
	f(in, Limits{}, NotScanned, "an archive below 4 others")
	f(in, Limits{Entries: 5, Depth: 9}, Partial, "only 5 entries were read")
	f(zstOf(t, blank, zstd.WithWindowSize(128<<20), zstd.WithSingleSegment(false)), Limits{}, NotScanned, "the limit of an unpacker")
	// The header of a block says 1.5 GiB: LZMA2 with the dictionary's size 37 of 40.
	large := xzOf(t, blank)
	large[16] = 37
	f(large, Limits{}, NotScanned, "")
}

func TestHolesOfASparseFileCost(t *testing.T) {
	// Made by hand: the old GNU format, one byte at the end of 1 TiB.
	b := make([]byte, 2*tarSize, 4*tarSize)
	copy(b, "sparse")
	copy(b[100:], "0000600\x000000000\x000000000\x0000000000001\x0000000000000\x00        S")
	copy(b[257:], "ustar  \x00")
	copy(b[386:], "17777777777\x0000000000001\x00")
	copy(b[483:], "20000000000\x00")
	sum := 0
	for _, c := range b[:tarSize] {
		sum += int(c)
	}
	copy(b[148:], "0"+strings.ToLower(octal(sum))+"\x00 ")
	b = append(b, make([]byte, 2*tarSize)...)
	_, res := piecesOf(t, bytes.NewReader(b), "", Limits{})
	if res.Outcome != NotScanned && res.Outcome != Partial || res.Text > 10<<20 {
		t.Errorf("%+v", res)
	}
}

func octal(n int) string {
	var b []byte
	for ; n > 0; n /= 8 {
		b = append([]byte{byte('0' + n%8)}, b...)
	}
	return string(b)
}

// eachDamage gives a file cut and with a bit turned: n times, or 10,000 times where LONGSHORE_LONG is 1.
func eachDamage(in []byte, n int, f func([]byte)) {
	if os.Getenv("LONGSHORE_LONG") == "1" {
		n = 10_000
	}
	state := uint64(len(in))
	next := func(below int) int {
		state = state*6364136223846793005 + 1442695040888963407
		return int(state>>33) % below
	}
	for i := range n {
		b := bytes.Clone(in)
		if i%2 == 0 {
			b = b[:next(len(b))]
		}
		for range i%3 + i%2 {
			if len(b) > 0 {
				b[next(len(b))] ^= 1 << next(8)
			}
		}
		f(b)
	}
}

// damaged reads what came of a file by damage: there is an outcome, and a reason.
func damaged(t *testing.T, in []byte) {
	t.Helper()
	eachDamage(in, 300, func(b []byte) { check(t, b, "") })
}

func TestDamagedArchivesAreNoTrouble(t *testing.T) {
	text := strings.Repeat("a line of the text, 4111 1111 1111 1111\n", 50)
	damaged(t, made.Gzip(t, text))
	damaged(t, bz2Of(t))
	damaged(t, xzOf(t, text))
	damaged(t, zstOf(t, text))
	damaged(t, made.Tar(t, "a", text, "b/c.txt", text))
}

func FuzzPacked(f *testing.F) {
	for _, in := range [][]byte{made.Gzip(f, "hello"), bz2Of(f), xzOf(f, "hello"), zstOf(f, "hello"), made.Tar(f, "a", "hello", "b", "")} {
		f.Add(in)
	}
	withoutPDFs(f)
	f.Fuzz(func(t *testing.T, in []byte) { check(t, in, "") })
}

func TestAPanicOfALibraryIsDamage(t *testing.T) {
	x := newRun(t.Context(), Limits{}, func(*Piece) {})
	st, err := x.file(&unpacked{x, panicking{}}, file{})
	if err != nil || st.outcome != NotScanned || st.reason != "damaged: its unpacker failed" {
		t.Errorf("%+v, %v", st, err)
	}
}

type panicking struct{}

// Read is io.Reader's.
func (panicking) Read([]byte) (int, error) { panic("out of range") }

func TestBombsOfEveryPackingEnd(t *testing.T) {
	// A text of 16 MB, packed by bzip2.
	bomb, err := hex.DecodeString("" +
		"425a6839314159265359f6f2fd90036ee3180040004000200030804d46150844d150844e6282b24ca6b3e5c2b3d406ddc630" +
		"0080008000400061009a8d150844c2a1089cc50564994d67dbcbf6400dbb8c6001000100008000c201351854211345421139" +
		"8a0ac9329acf970acf501b7718c00200020001000184026a345421130a84227314159265359f6f2fd90036ee318004000400" +
		"0200030804d46150844d150844e6282b24ca6b3e5c2b3d406ddc6300080008000400061009a8d150844c2a1089cc50564994" +
		"d67dbcbf6400dbb8c6001000100008000c2013518542113454211398a0ac9329acf970acf501b7718c002000200010001840" +
		"26a345421130a84227314159265359f6f2fd90036ee3180040004000200030804d46150844d150844e6282b24ca6b3e5c2b3" +
		"d406ddc6300080008000400061009a8d150844c2a1089cc50564994d67dbcbf6400dbb8c6001000100008000c20135185421" +
		"13454211398a0ac9329acf970acf501b7718c00200020001000184026a345421130a84227314159265359f6f2fd90036ee31" +
		"80040004000200030804d46150844d150844e6282b24ca6b3e5c2b3d406ddc6300080008000400061009a8d150844c2a1089" +
		"cc50564994d67dbcbf6400dbb8c6001000100008000c2013518542113454211398a0ac9329acf970acf501b7718c00200020" +
		"001000184026a345421130a84227314159265359f6f2fd90036ee3180040004000200030804d46150844d150844e6282b24c" +
		"a6b3e5c2b3d406ddc6300080008000400061009a8d150844c2a1089cc50564994d66cfc73c3011a02a6001000100008000c2" +
		"00a46a40250d4804a1c5dc914e14242ef86f20c0")
	if err != nil {
		t.Fatal(err)
	}
	layers := []byte(strings.Repeat("0 ", 2<<20))
	for range 3 {
		layers = made.Tar(t, "a", string(made.Gzip(t, string(layers))), "b", string(made.Zip(t, "c", "d")))
	}
	for _, in := range [][]byte{bomb, layers, rarOf(t, "a.bz2", string(bomb)), sevenZip(t, stored, false, "a.bz2", string(bomb)),
		made.Zip(t, "a", string(bomb)), []byte(made.Mail("Content-Transfer-Encoding: base64", "", base64.StdEncoding.EncodeToString(bomb)))} {
		res, err := Read(t.Context(), bytes.NewReader(in), "", -1, Limits{Depth: 9}, func(*Piece) {})
		if err != nil || res.Outcome != Partial && res.Outcome != NotScanned || !strings.Contains(res.Reason, "the limit of the ratio") {
			t.Errorf("%+v, %v", res, err)
		}
	}
}
