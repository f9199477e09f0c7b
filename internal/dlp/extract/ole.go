package extract

import (
	"bufio"
	"bytes"
	"unicode/utf16"
)

// readOLE tells an Office document that needs a password, which is kept in a compound file, from what else is in one.
func (x *run) readOLE(r *bufio.Reader, f file, form form) (status, error) {
	head, _ := r.Peek(sample)
	if len(head) < 512 {
		return status{outcome: NotScanned, reason: "a damaged compound file", kind: form.kind}, nil
	}
	locked := bytes.Contains(head, packageName)
	shift, sector := le.Uint16(head[30:]), le.Uint32(head[48:])
	if at := (int64(sector) + 1) << (shift & 15); !locked && at >= int64(len(head)) && at < x.lim.Input {
		if _, err := r.Discard(int(at)); err == nil {
			dir, _ := r.Peek(4096)
			locked = bytes.Contains(dir, packageName)
		}
	}
	if locked {
		return status{outcome: Encrypted, reason: "an Office document that needs a password", kind: form.kind}, nil
	}
	return x.refuse(r, f, form)
}

// packageName is the name of the stream with the document, as a directory holds it.
var packageName = func() (b []byte) {
	for _, c := range utf16.Encode([]rune("EncryptedPackage")) {
		b = le.AppendUint16(b, c)
	}
	return b
}()
