package custom

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/longshore-dev/longshore/internal/dlp"
)

// The file of a table: begins, for each primary column its buckets and its rows, the header as JSON, the header's HMAC, its length,
// ends. A row of a primary column is 8 bytes of the HMAC of its value, by which the rows are in order, and 4 bytes for each
// secondary column: of a hash that the rest of that HMAC keys, so that equal values of two rows look different.
const (
	tableBegins = "longshore exact match 1\n"
	tableEnds   = "\nend of exact match\n"
	macBytes    = sha256.Size
	keyBytes    = 8 // of a row
	colBytes    = 4
	perBucket   = 128       // rows, about
	maxRows     = 100 << 20 // of a table
	maxColumns  = 32
	maxHeader   = 1 << 20
	maxValue    = 64 // bytes of a value as it is compared
	minPrimary  = 4
	maxTokens   = 8 // words of a value
	minTableKey = 16
)

// header says what a table has.
type header struct {
	Rows      int      `json:"rows"`
	Bits      int      `json:"bits"` // of the hash that choose the bucket
	Primary   []column `json:"primary"`
	Secondary []column `json:"secondary"`
	Body      []byte   `json:"body"` // SHA-256 of all before the header
}

// column says how the values of a column look, which is all that is told of them: their lengths and whether they are of digits,
// of letters or of both, and of how many words they are at most.
type column struct {
	Name   string    `json:"name"`
	Shapes [4]uint64 `json:"shapes"` // by class, a bit for each length
	Tokens int       `json:"tokens"`
}

// may says whether a value of the column may have a shape.
func (c *column) may(class uint8, n int) bool { return n <= maxValue && c.Shapes[class]>>(n-1)&1 != 0 }

func (c *column) note(v value) {
	c.Shapes[v.class] |= 1 << (len(v.text) - 1)
	c.Tokens = max(c.Tokens, v.tokens)
}

// Classes of values.
const (
	ofDigits  = 1
	ofLetters = 2
)

// value is one as it is compared: letters and digits in lower case without accents.
type value struct {
	text   []byte
	class  uint8
	tokens int
}

// valueOf reads a value. ok: it can be one of a table.
func valueOf(text string) (v value, ok bool) {
	in := false
	for _, c := range text {
		word, _ := dlp.WordRune(c)
		if word {
			n := len(v.text)
			v.text = dlp.FoldRune(v.text, c)
			v.class |= classOf(v.text[n:])
			if !in {
				v.tokens++
			}
		}
		in = word
	}
	return v, len(v.text) > 0 && len(v.text) <= maxValue && v.tokens <= maxTokens
}

// classOf is the class of a character, folded.
func classOf(c []byte) (class uint8) {
	for _, b := range c {
		if b >= '0' && b <= '9' {
			class |= ofDigits
		} else {
			class |= ofLetters
		}
	}
	return class
}

// hasher makes hashes with the key of a table. It is for one goroutine.
type hasher struct {
	mac interface {
		io.Writer
		Sum([]byte) []byte
		Reset()
	}
	sum [sha256.Size]byte
	buf []byte
}

func newHasher(key []byte) *hasher { return &hasher{mac: hmac.New(sha256.New, key)} }

// primary gives the hash of a value of a primary column, and what keys those of its row.
func (h *hasher) primary(column int, v []byte) (hash uint64, row []byte) {
	h.mac.Reset()
	h.buf = append(append(h.buf[:0], 'p', byte(column)), v...)
	_, _ = h.mac.Write(h.buf) // never fails
	h.mac.Sum(h.sum[:0])
	return binary.BigEndian.Uint64(h.sum[:]), h.sum[keyBytes:]
}

// secondary is the hash of a value of the row that was hashed last. 0 is kept for no value.
func (h *hasher) secondary(row []byte, column int, v []byte) uint32 {
	h.buf = append(append(append(h.buf[:0], row...), byte(column)), v...)
	sum := sha256.Sum256(h.buf)
	return max(1, binary.BigEndian.Uint32(sum[:]))
}

// sign is the HMAC of a header.
func sign(key, header []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("header"))
	mac.Write(header)
	return mac.Sum(nil)
}

// table is an opened one. Its rows stay in the file.
type table struct {
	header
	in      io.ReaderAt
	key     []byte
	name    string
	version []byte
	width   int        // of a row
	start   []int64    // of the rows of a primary column
	buckets [][]uint32 // of each primary column: its first row, and the number of rows
}

// openTable opens a table and reads it through once, so that what is damaged is not used.
func openTable(name string, key []byte) (*table, error) {
	if len(key) < minTableKey {
		return nil, fmt.Errorf("the key has %d bytes: want at least %d", len(key), minTableKey)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	t := &table{in: f, key: key, name: name}
	if err = t.open(info.Size()); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

var errTruncated = errors.New("it is truncated, or was not made by `longshore edm build`")

func (t *table) open(size int64) error {
	tail := make([]byte, macBytes+4+len(tableEnds))
	begins := make([]byte, len(tableBegins))
	if size < int64(len(tail)+len(begins)) {
		return errTruncated
	}
	if _, err := t.in.ReadAt(begins, 0); err != nil || string(begins) != tableBegins {
		return errTruncated
	}
	if _, err := t.in.ReadAt(tail, size-int64(len(tail))); err != nil || string(tail[macBytes+4:]) != tableEnds {
		return errTruncated
	}
	n := int64(binary.BigEndian.Uint32(tail[macBytes:]))
	end := size - int64(len(tail)) - n
	if n > maxHeader || end < int64(len(begins)) {
		return errTruncated
	}
	head := make([]byte, n)
	if _, err := t.in.ReadAt(head, end); err != nil {
		return errTruncated
	}
	if t.version = sign(t.key, head); !hmac.Equal(t.version, tail[:macBytes]) {
		return errors.New("the key is not the one that it was built with, or it is damaged")
	}
	if err := json.Unmarshal(head, &t.header); err != nil || !t.sound() {
		return errTruncated
	}
	return t.load(end)
}

// sound says whether a header is one that could be written.
func (h *header) sound() bool {
	return h.Rows > 0 && h.Rows <= maxRows && h.Bits >= 0 && h.Bits <= 24 && len(h.Primary) > 0 &&
		len(h.Primary)+len(h.Secondary) <= maxColumns
}

// load reads the buckets, and checks all that stands before the header.
func (t *table) load(end int64) error {
	t.width = keyBytes + colBytes*len(t.Secondary)
	at, index := int64(len(tableBegins)), int64(4*(1<<t.Bits+1))
	for range t.Primary {
		b := make([]byte, index)
		if _, err := t.in.ReadAt(b, at); err != nil {
			return errTruncated
		}
		first := make([]uint32, len(b)/4)
		for i := range first {
			if first[i] = binary.BigEndian.Uint32(b[4*i:]); int(first[i]) > t.Rows || i > 0 && first[i] < first[i-1] {
				return errTruncated
			}
		}
		t.buckets, t.start = append(t.buckets, first), append(t.start, at+index)
		at += index + int64(t.Rows)*int64(t.width)
	}
	if at != end {
		return errTruncated
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(t.in, 0, end)); err != nil {
		return err
	}
	if !bytes.Equal(sum.Sum(nil), t.Body) {
		return errors.New("it is damaged")
	}
	return nil
}

// maxAlike is how many rows of the same primary value are looked at.
const maxAlike = 16

// rows gives those of a primary value, without their hash. room is where they are read to.
func (t *table) rows(column int, hash uint64, room []byte) (rows, read []byte) {
	b := hash >> (64 - t.Bits)
	from, to := int64(t.buckets[column][b]), int64(t.buckets[column][b+1])
	n := int(to-from) * t.width
	if cap(room) < n {
		room = make([]byte, n)
	}
	room = room[:n]
	if _, err := t.in.ReadAt(room, t.start[column]+from*int64(t.width)); err != nil && !errors.Is(err, io.EOF) {
		return nil, room
	}
	low, high := 0, int(to-from)
	for low < high {
		if mid := (low + high) / 2; binary.BigEndian.Uint64(room[mid*t.width:]) < hash {
			low = mid + 1
		} else {
			high = mid
		}
	}
	high = low
	for high < int(to-from) && high-low < maxAlike && binary.BigEndian.Uint64(room[high*t.width:]) == hash {
		high++
	}
	return room[low*t.width : high*t.width], room
}

// keyOf is the key as it is given, or that of a file.
func keyOf(key, file string) ([]byte, error) {
	if file == "" {
		return []byte(key), nil
	}
	return ReadKey(file)
}

// ReadKey reads the key of a table: the file without the space at its ends.
func ReadKey(file string) ([]byte, error) {
	b, err := readFile(file, 1<<16)
	if err != nil {
		return nil, err
	}
	key := []byte(strings.TrimSpace(string(b)))
	if len(key) < minTableKey || !utf8.Valid(key) {
		return nil, fmt.Errorf("%s: the key has %d bytes: want at least %d of text", file, len(key), minTableKey)
	}
	return key, nil
}
