package extract

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/dlp/extract/made"
)

// Archives that hold themselves, after Russ Cox, "Zip Files All The Way Down". Their packed data is a program of two kinds of blocks, each
// of 5 bytes: a stored block says bytes, and a block with fixed codes says again what was said last. Run, it says itself, with what
// stands before and behind it in the archive.

// say is the head of a stored block (RFC 1951, 3.2.4).
func say(n int) string { return "\x00" + packed16(n, 0xffff^n) }

// bitsOf packs bits, the first of each pair by the number of the second. Codes of Huffman's are written from their other end.
type bitsOf struct {
	all uint64
	n   int
}

func (w *bitsOf) put(v, n int) {
	w.all |= uint64(v) << w.n
	w.n += n
}

func (w *bitsOf) code(v, n int) {
	for i := n - 1; i >= 0; i-- {
		w.put(v>>i&1, 1)
	}
}

// again is a block that repeats the last n bytes: 20, 65 or 258, for which there are codes that fill 5 bytes.
func again(n int) string {
	w := &bitsOf{}
	w.put(0b010, 3) // not the last block, fixed codes
	switch n {
	case 20:
		for range 2 { // 10 bytes from 20 before
			w.code(264-256, 7)
			w.code(8, 5)
			w.put(20-17, 3)
		}
	case 65:
		w.code(276-256, 7)
		w.put(65-59, 3)
		w.code(12, 5)
		w.put(0, 5)
	case 258:
		w.code(0xc0+285-280, 8)
		w.code(16, 5)
		w.put(258-257, 7)
	}
	w.code(0, 7)
	if n != 20 {
		w.put(0b010, 3) // an empty block
		w.code(0, 7)
	}
	return string(le.AppendUint64(nil, w.all)[:5])
}

// endOfBlocks is an empty stored block and the last block.
const endOfBlocks = "\x00\x00\x00\xff\xff\x03\x00"

// program is an archive whose packed data says all of the archive: what stands before it and behind it with the end of the data.
func program(before, behind string) string {
	p, s := len(before)+5, len(behind)+5
	four, five := say(20)+again(20)+say(20)+again(20)+say(20), say(5)
	return before + say(p) + before + say(p) + again(p) + five + again(p) + five + five +
		say(20) + again(p) + five + five + say(20) + again(20) + four + again(20) +
		say(20) + again(20) + say(0) + say(0) + say(s) + again(20) + say(0) + say(0) +
		say(s) + again(s) + behind + again(s) + behind
}

// fixed finds the checksum that a file has that says it: the checksum of a file is linear in every bit of it.
func fixed(t *testing.T, file func(sum uint32) string) string {
	t.Helper()
	of := func(sum uint32) uint32 { return crc32.ChecksumIEEE([]byte(file(sum))) }
	zero := of(0)
	var rows [32]uint64 // of a matrix, with the right side in bit 32
	for i := range rows {
		rows[i] = uint64(zero>>i&1) << 32
	}
	for j := range 32 {
		column := of(1<<j) ^ zero ^ 1<<j
		for i := range rows {
			rows[i] |= uint64(column>>i&1) << j
		}
	}
	for j := range rows {
		for i := j; ; i++ {
			if i == len(rows) {
				t.Fatal("no file has its own checksum: another name may have one")
			}
			if rows[i]>>j&1 == 1 {
				rows[i], rows[j] = rows[j], rows[i]
				break
			}
		}
		for i := range rows {
			if i != j && rows[i]>>j&1 == 1 {
				rows[i] ^= rows[j]
			}
		}
	}
	var sum uint32
	for j, r := range rows {
		sum |= uint32(r>>32) << j
	}
	if of(sum) != sum {
		t.Fatal("the checksum is wrong")
	}
	return file(sum)
}

// gzipQuine unpacks to itself.
func gzipQuine(t *testing.T) string {
	size := len(program(strings.Repeat("p", 15), strings.Repeat("s", 15)))
	return fixed(t, func(sum uint32) string {
		return program("\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\xff"+"self\x00", endOfBlocks+packed32(sum)+packed32(uint32(size)))
	})
}

// zipQuine holds one file, which is itself.
func zipQuine(t *testing.T) string {
	const name = "an archive which is itself.zip"
	const head, tail = lenLocal + len(name), 253
	size := len(program(strings.Repeat("p", head), strings.Repeat("s", tail)))
	const rest = tail - len(endOfBlocks) // of what is not packed
	return fixed(t, func(sum uint32) string {
		about := packed16(20, 0, 8, 0, 0) + packed32(sum) + packed32(uint32(size-head-rest)) + packed32(uint32(size)) + packed16(len(name), 0)
		dir := sigDir + packed16(20) + about + packed16(0, 0, 0) + packed32(0) + packed32(0) + name
		comment := strings.Repeat(" ", rest-len(dir)-lenEnd)
		end := sigEnd + packed16(0, 0, 1, 1) + packed32(uint32(len(dir))) + packed32(uint32(size-rest)) + packed16(len(comment)) + comment
		return program(sigLocal+about+name, endOfBlocks+dir+end)
	})
}

func TestArchivesThatHoldThemselvesEnd(t *testing.T) {
	z, err := gzip.NewReader(strings.NewReader(gzipQuine(t)))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(z); err != nil || string(b) != gzipQuine(t) {
		t.Fatalf("gzip: no quine: %v", err)
	}
	if got := unzipped(t, zipQuine(t)); got != zipQuine(t) {
		t.Fatal("zip: no quine")
	}
	f := func(in string, lim Limits, outcome, reason string, names int) {
		t.Helper()
		got, res := piecesOf(t, strings.NewReader(in), "", lim)
		if res.Outcome != outcome || !strings.Contains(res.Reason, reason) || strings.Count(got, "the names in it") != names {
			t.Errorf("%+v, want %s: %s\n%.2000s", res, outcome, reason, got)
		}
	}
	f(gzipQuine(t), Limits{}, NotScanned, "an archive below 4 others", 0)
	f(gzipQuine(t), Limits{Depth: 100, Entries: 90}, Partial, "only 90 entries were read", 0)
	f(zipQuine(t), Limits{}, NotScanned, "of 1 files in it: 1 archive that was not read whole", 5)
	f(zipQuine(t), Limits{Depth: 100, Entries: 30}, Partial, "only 30 entries were read", 30)
	f(string(made.Tar(t, "a.gz", gzipQuine(t), "b.zip", zipQuine(t))), Limits{}, NotScanned, "of 2 files in it", 5)
}

// unzipped is the only file of an archive, read by another reader.
func unzipped(t *testing.T, in string) string {
	t.Helper()
	z, err := zip.NewReader(strings.NewReader(in), int64(len(in)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := z.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := io.Copy(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
