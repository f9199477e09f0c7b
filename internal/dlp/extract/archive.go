package extract

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/longshore-dev/longshore/internal/dlp/label"
)

// times writes a factor.
func times(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// readZip reads an archive, or a document that is one.
func (x *run) readZip(r *bufio.Reader, f file, form form) (status, error) {
	if err := x.below(f); err != nil {
		return settle(form.kind, false, err)
	}
	b, err := x.hold(r, f, "an archive")
	defer func() { x.held -= int64(cap(b)) }()
	if err != nil {
		return settle(form.kind, false, err)
	}
	a, err := openArchive(b)
	if err != nil {
		return settle(form.kind, false, err)
	}
	entries, more, err := x.entriesOf(a)
	if err != nil {
		return settle(form.kind, false, err)
	}
	var t tally
	if o := officeOf(entries); o != nil {
		form.kind = o.kind
		if f.depth == 0 {
			x.labels, _ = label.Read(bytes.NewReader(b), int64(len(b))) // memory does not fail
		}
		err = x.office(o, a, entries, f, &t)
	} else if kind := odfOf(a, entries); kind != "" {
		var locked bool
		if locked, err = x.odf(kind, a, entries, f, &t); locked {
			return status{outcome: Encrypted, reason: "an OpenDocument file that needs a password", kind: kind}, err
		}
		form.kind = kind
	} else {
		if kind := mediaType(b); !strings.Contains(kind, "openxmlformats") {
			form.kind = kind // of others that are archives too
		}
		err = x.readEntries(a, entries, f, &t)
	}
	if err == nil && more {
		err = x.tooMany()
	}
	return t.status(form.kind), err
}

// tooMany ends the reading at the limit of entries.
func (x *run) tooMany() error {
	return halt{fmt.Sprintf("only %d entries were read, the limit of an archive's", x.lim.Entries)}
}

// hold reads all of an archive, or of what else is read from its end, into memory.
func (x *run) hold(r io.Reader, f file, what string) ([]byte, error) {
	left := x.lim.Input - x.held
	tooLarge := flawf("%s of more than %s, the limit of what is held", what, bytesText(x.lim.Input))
	if x.held > 0 {
		tooLarge = flawf("archives of more than %s together, the limit of what is held", bytesText(x.lim.Input))
	}
	if f.size > left {
		return nil, tooLarge
	}
	b := make([]byte, 0, max(f.size+1, sample)) // the last byte is to see the end
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):min(int64(cap(b)), left+1)])
		b = b[:len(b)+n]
		switch {
		case int64(len(b)) > left, f.depth == 0 && errors.As(err, new(halt)):
			return nil, tooLarge
		case errors.Is(err, io.EOF):
			x.held += int64(cap(b))
			return b, nil
		case err != nil:
			return nil, err
		}
	}
}

// entriesOf reads the directory as far as the limit of entries lets it.
func (x *run) entriesOf(a *archive) (out []entry, more bool, err error) {
	for {
		e, ok, err := a.next()
		if !ok || err != nil {
			if len(out) > 0 {
				err = nil // what it has is read; that it is damaged will show
			}
			return out, false, err
		}
		if x.entries >= x.lim.Entries {
			return out, true, nil
		}
		x.entries++
		if !e.folder {
			out = append(out, e)
		}
	}
}

// readEntries reads the names and what they stand for.
func (x *run) readEntries(a *archive, entries []entry, f file, t *tally) error {
	w := x.names(f)
	for _, e := range entries {
		if err := w.writeLine([]byte(e.name)); err != nil {
			return errors.Join(err, w.close())
		}
	}
	if err := w.close(); err != nil {
		return err
	}
	for _, e := range entries {
		if err := x.entry(a, e, f, t); err != nil {
			return err
		}
	}
	return nil
}

// entry reads one entry as the file that it is.
func (x *run) entry(a *archive, e entry, f file, t *tally) error {
	if e.encrypted() {
		t.add(status{outcome: Encrypted})
		return nil
	}
	in, err := x.unpack(a, e)
	if err != nil {
		st, err := settle("", false, err)
		t.add(st)
		return err
	}
	st, err := x.file(in, file{name: base(e.name), size: -1, where: inside(f.where, e.name), depth: f.depth + 1})
	t.add(st)
	return err
}

// inside is the location of an entry.
func inside(where, name string) string {
	if where == "" {
		return name
	}
	return where + "/" + name
}

// tally is what became of the entries of an archive.
type tally struct {
	all, read, locked int
	why               map[string]int
}

const maxReasons = 8

// add counts an entry.
func (t *tally) add(st status) {
	t.all++
	switch st.outcome {
	case Done:
		t.read++
		return
	case Encrypted:
		t.locked++
		return
	case Partial:
		t.read++
	}
	if st.many {
		st.reason = "an archive that was not read whole"
	}
	if t.why == nil {
		t.why = map[string]int{}
	}
	if _, known := t.why[st.reason]; !known && len(t.why) >= maxReasons {
		st.reason = "for other reasons"
	}
	t.why[st.reason]++
}

// status is that of the archive.
func (t *tally) status(kind string) status {
	switch {
	case t.all > 0 && t.locked == t.all:
		return status{outcome: Encrypted, reason: "what is in it needs a password", kind: kind}
	case t.locked == 0 && len(t.why) == 0:
		return done(kind)
	}
	var kinds, parts []string
	for _, why := range slices.Sorted(maps.Keys(t.why)) {
		if kind, ok := strings.CutSuffix(why, noReader); ok {
			kinds = append(kinds, several(t.why[why], kind))
		} else {
			parts = append(parts, several(t.why[why], why))
		}
	}
	if len(kinds) > 0 {
		parts = append(parts, "there is no reader for "+strings.Join(kinds, ", "))
	}
	if t.locked > 0 {
		parts = append(parts, several(t.locked, "needs a password"))
	}
	st := status{outcome: Partial, reason: fmt.Sprintf("of %d files in it: %s", t.all, strings.Join(parts, "; ")), kind: kind, many: true}
	if t.read == 0 {
		st.outcome = NotScanned
	}
	return st
}

// several says how often something is so.
func several(n int, what string) string {
	if n == 1 {
		return "1 " + strings.TrimPrefix(strings.TrimPrefix(what, "a "), "an ")
	}
	return fmt.Sprintf("%d × %s", n, what)
}
