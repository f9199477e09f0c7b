package custom

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Build says how a table for exact data match is made.
type Build struct {
	Key                []byte
	Primary, Secondary []string // names of columns
}

// Built is what was made.
type Built struct {
	Rows int // that the table has
	Left int // rows that are left out: a primary value is missing, shorter than 4 letters and digits, or too long
}

// row is where a row stands, by the hash of its primary value.
type row struct {
	hash uint64
	at   uint32
}

// building is a table in the making.
type building struct {
	Build
	head  header
	hash  *hasher
	order [][]row  // of each primary column
	cells [][]byte // of each primary column: the hashes of the secondary ones, row by row
	out   Built
}

// WriteTable reads a CSV with a line of names and writes the table to a file, which is there when it is whole.
func (b Build) WriteTable(ctx context.Context, in io.Reader, name string) (built Built, err error) {
	if len(b.Key) < minTableKey {
		return built, fmt.Errorf("the key has %d bytes: want at least %d", len(b.Key), minTableKey)
	}
	if len(b.Primary) == 0 {
		return built, errors.New("no primary column")
	}
	if n := len(b.Primary) + len(b.Secondary); n > maxColumns {
		return built, fmt.Errorf("%d columns: want at most %d", n, maxColumns)
	}
	x := building{Build: b, hash: newHasher(b.Key), order: make([][]row, len(b.Primary)), cells: make([][]byte, len(b.Primary))}
	if err = x.read(ctx, in); err != nil {
		return built, err
	}
	if x.out.Rows == 0 {
		return built, errors.New("no row has all primary values")
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".edm")
	if err != nil {
		return built, err
	}
	defer func() {
		if err != nil {
			_ = f.Close() // what is unfinished goes
			_ = os.Remove(f.Name())
		}
	}()
	if err = x.write(f); err != nil {
		return built, err
	}
	if err = errors.Join(f.Sync(), f.Close()); err != nil {
		return built, err
	}
	return x.out, os.Rename(f.Name(), name)
}

// read hashes the rows.
func (x *building) read(ctx context.Context, in io.Reader) error {
	r := csv.NewReader(skipMark(bufio.NewReaderSize(in, 1<<20)))
	r.ReuseRecord = true
	names, err := r.Read()
	if err != nil {
		return fmt.Errorf("read the names of the columns: %w", err)
	}
	var at []int
	for i, want := range slices.Concat(x.Primary, x.Secondary) {
		k := slices.Index(names, want)
		switch {
		case k < 0:
			return fmt.Errorf("no column is called %q: there are %s", want, strings.Join(names, ", "))
		case slices.Contains(at, k):
			return fmt.Errorf("column %q is named twice", want)
		case i < len(x.Primary):
			x.head.Primary = append(x.head.Primary, column{Name: want})
		default:
			x.head.Secondary = append(x.head.Secondary, column{Name: want})
		}
		at = append(at, k)
	}
	for {
		record, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return withoutText(err)
		case x.out.Rows >= maxRows:
			return fmt.Errorf("more than %d rows", maxRows)
		case x.out.Rows&1023 == 0 && ctx.Err() != nil:
			return ctx.Err()
		}
		x.row(record, at)
	}
}

// withoutText is where a CSV is wrong.
func withoutText(err error) error {
	var e *csv.ParseError
	if errors.As(err, &e) {
		return fmt.Errorf("line %d: %w", e.Line, e.Err)
	}
	return err
}

// skipMark passes over a byte order mark.
func skipMark(r *bufio.Reader) io.Reader {
	if b, err := r.Peek(3); err == nil && string(b) == "\ufeff" {
		_, _ = r.Discard(len(b))
	}
	return r
}

// row adds a row.
func (x *building) row(record []string, at []int) {
	n := len(x.Primary)
	primary, secondary := make([]value, 0, maxColumns), make([]value, 0, maxColumns)
	for _, k := range at[:n] {
		v, ok := valueOf(record[k])
		if !ok || len(v.text) < minPrimary {
			x.out.Left++
			return
		}
		primary = append(primary, v)
	}
	for _, k := range at[n:] {
		v, ok := valueOf(record[k])
		if !ok {
			v = value{}
		}
		secondary = append(secondary, v)
	}
	for p, v := range primary {
		hash, key := x.hash.primary(p, v.text)
		x.head.Primary[p].note(v)
		x.order[p] = append(x.order[p], row{hash, uint32(x.out.Rows)})
		for s, v := range secondary {
			cell := uint32(0)
			if len(v.text) > 0 {
				cell = x.hash.secondary(key, s, v.text)
				x.head.Secondary[s].note(v)
			}
			x.cells[p] = binary.BigEndian.AppendUint32(x.cells[p], cell)
		}
	}
	x.out.Rows++
}

// write writes the file.
func (x *building) write(f io.Writer) error {
	x.head.Rows = x.out.Rows
	x.head.Bits = min(24, bits.Len(uint(x.out.Rows/perBucket)))
	sum := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(f, sum), 1<<20)
	_, _ = w.WriteString(tableBegins) // its error stays, for Flush
	width := colBytes * len(x.Secondary)
	for p, order := range x.order {
		slices.SortFunc(order, func(a, b row) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.at, b.at)) })
		next, b := 0, []byte(nil)
		for bucket := range 1<<x.head.Bits + 1 {
			for next < len(order) && order[next].hash>>(64-x.head.Bits) < uint64(bucket) {
				next++
			}
			_, _ = w.Write(binary.BigEndian.AppendUint32(b[:0], uint32(next)))
		}
		for _, r := range order {
			_, _ = w.Write(binary.BigEndian.AppendUint64(b[:0], r.hash))
			_, _ = w.Write(x.cells[p][int(r.at)*width:][:width])
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	x.head.Body = sum.Sum(nil)
	head, err := json.Marshal(x.head)
	if err != nil {
		return err
	}
	end := bytes.Join([][]byte{head, sign(x.Key, head), binary.BigEndian.AppendUint32(nil, uint32(len(head))), []byte(tableEnds)}, nil)
	_, err = f.Write(end)
	return err
}
