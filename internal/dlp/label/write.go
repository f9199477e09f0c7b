package label

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Write writes the file. Entries that are not changed keep their packed bytes, their order and their headers; new ones come last.
func (e *Edit) Write(w io.Writer) error {
	z := zip.NewWriter(w)
	if err := z.SetComment(e.p.zip.Comment); err != nil {
		return fmt.Errorf("write the comment: %w", err)
	}
	byEntry := map[int][]byte{}
	for _, f := range e.fresh {
		if f.at >= 0 {
			byEntry[f.at] = f.b
		}
	}
	for i, f := range e.p.zip.File {
		h := f.FileHeader
		h.Extra = withoutZip64(&h)
		if strings.HasSuffix(h.Name, "/") { // a folder has no bytes, though some writers pack it
			h.Method, h.CRC32, h.CompressedSize64, h.UncompressedSize64, h.Flags = zip.Store, 0, 0, 0, h.Flags&^8
			if _, err := z.CreateRaw(&h); err != nil {
				return fmt.Errorf("write a folder: %w", err)
			}
			continue
		}
		b, changed := byEntry[i]
		if !changed {
			raw, err := f.OpenRaw()
			if err != nil {
				return &Refusal{"a damaged archive: an entry is not where its directory says"}
			}
			if err := copyRaw(z, &h, raw); err != nil {
				return err
			}
			continue
		}
		if err := pack(z, &h, b); err != nil {
			return err
		}
	}
	for _, f := range e.fresh {
		if f.at < 0 {
			//lint:ignore SA1019 CreateRaw writes this date, not Modified
			h := &zip.FileHeader{Name: f.name, Method: zip.Deflate, ReaderVersion: 20, ModifiedDate: 1<<5 | 1} // 1980-01-01
			if err := pack(z, h, f.b); err != nil {
				return err
			}
		}
	}
	return z.Close()
}

func copyRaw(z *zip.Writer, h *zip.FileHeader, raw io.Reader) error {
	w, err := z.CreateRaw(h)
	if err != nil {
		return fmt.Errorf("write an entry: %w", err)
	}
	n, err := io.Copy(w, raw)
	switch {
	case err != nil:
		return fmt.Errorf("copy an entry: %w", err)
	case uint64(n) != h.CompressedSize64:
		return &Refusal{"a damaged archive: it ends inside of an entry"}
	}
	return nil
}

// pack writes an entry with its sizes before it, where every reader looks for them.
func pack(z *zip.Writer, h *zip.FileHeader, b []byte) error {
	packed := b
	if h.Method != zip.Store {
		h.Method = zip.Deflate
		var to bytes.Buffer
		w, _ := flate.NewWriter(&to, flate.DefaultCompression) // the level is one
		_, _ = w.Write(b)                                      // a Buffer does not fail
		_ = w.Close()
		packed = to.Bytes()
	}
	h.Flags &^= 8 // no sizes behind it
	h.CRC32, h.CompressedSize64, h.UncompressedSize64 = crc32.ChecksumIEEE(b), uint64(len(packed)), uint64(len(b))
	return copyRaw(z, h, bytes.NewReader(packed))
}

// withoutZip64 are the extra fields of an entry without the one for sizes of more than 32 bits, if it has none such: the writer
// adds that where it is needed, and where it is not some readers refuse it.
func withoutZip64(h *zip.FileHeader) []byte {
	if h.CompressedSize64 >= 1<<32-1 || h.UncompressedSize64 >= 1<<32-1 {
		return h.Extra
	}
	var out []byte
	for b := h.Extra; len(b) > 0; {
		n := len(b)
		if n >= 4 {
			n = min(n, 4+int(binary.LittleEndian.Uint16(b[2:])))
		}
		if n < 4 || binary.LittleEndian.Uint16(b) != 1 {
			out = append(out, b[:n]...)
		}
		b = b[n:]
	}
	return out
}

// Replace writes the file in place of the one that it was made of, which is at path: to a temporary file beside it, which then
// gets its name. Whoever opens it sees the old file or the new one, whole. It keeps its permissions; a symbolic link to it still
// leads to it. was: what it was when it was opened.
func (e *Edit) Replace(path string, was os.FileInfo) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	if err := e.replace(path, was); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func (e *Edit) replace(path string, was os.FileInfo) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	if err := e.settle(tmp, path, was); err != nil {
		_ = tmp.Close() // it may be closed
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

// settle fills the temporary file and gives it its name.
func (e *Edit) settle(tmp *os.File, path string, was os.FileInfo) error {
	if err := e.fill(tmp, was.Mode().Perm()); err != nil {
		return err
	}
	now, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !os.SameFile(was, now) || now.Size() != was.Size() || !now.ModTime().Equal(was.ModTime()) {
		return &Refusal{"it was changed by somebody else meanwhile"}
	}
	return os.Rename(tmp.Name(), path)
}

// fill writes the new file, looks at it with the reader of labels, and waits until it is on disk.
func (e *Edit) fill(tmp *os.File, mode os.FileMode) error {
	if err := e.Write(tmp); err != nil {
		return err
	}
	size, err := tmp.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	found, err := Read(tmp, size)
	if err != nil {
		return err
	}
	if !found.Read || !equal(found.Labels, e.After) {
		return errors.New("the new file does not have the labels that it should have")
	}
	if err := tmp.Chmod(mode); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	return tmp.Close()
}

// equal compares labels.
func equal(a, b []Label) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

// syncFolder makes a new name last.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }() // only read
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
