package infile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/dlp/label"
	"github.com/longshore-dev/longshore/internal/saas"
)

// MaxSize is how many bytes a file may have that a label is put into. It is in memory as it is read, as it is to be and as it is
// sent: three times, of one file of a tenant at a time.
const MaxSize = 32 << 20

// Place is the param of a target that says where a label goes, where there is more than one place. InFile is the file itself.
const (
	Place  = "place"
	InFile = "file"
)

// Labels are those of one tenant of Microsoft Entra, which are put into the files of one tenant of a vendor.
type Labels struct {
	site string            // the tenant of Microsoft Entra; "" = nothing is written into files
	ids  map[string]string // of labels, by the names that policies give them
	room chan struct{}     // for one file
}

// New makes Labels of what the keys in_file_labels and labels say.
func New(site string, ids map[string]string) *Labels {
	site, _ = label.GUID(site)
	return &Labels{site: site, ids: ids, room: make(chan struct{}, 1)}
}

// Validate reports the first value of the keys in_file_labels and labels that cannot work.
func Validate(site string, ids map[string]string) error {
	if _, ok := label.GUID(site); site != "" && !ok {
		return fmt.Errorf("in_file_labels: %q is no id of a tenant of Microsoft Entra, want one like "+
			"cb46c030-1825-4e81-a295-151c039dbf02", site)
	}
	for _, name := range slices.Sorted(maps.Keys(ids)) {
		if _, ok := label.GUID(ids[name]); !ok || strings.TrimSpace(name) == "" {
			return fmt.Errorf("labels: %q: %q is no id of a label, want one like 2096f6a2-d2f7-48be-b329-b73aaa526e5d", name, ids[name])
		}
	}
	return nil
}

// wanted is the label that a target names, by its name in the configuration or by its id.
func (l *Labels) wanted(t saas.Target) (id, name string, err error) {
	if l.site == "" {
		return "", "", saas.Refuse("in_file_labels: empty, no label may be written into a file here")
	}
	if p := t.Params[Place]; p != "" && p != InFile {
		return "", "", saas.Refuse("place: %q: here a label is written into the file itself only", p)
	}
	want := t.Params["label"]
	if id, ok := label.GUID(l.ids[want]); ok {
		return id, want, nil
	}
	id, ok := label.GUID(want)
	if !ok {
		return "", "", saas.Refuse("label: %q is neither a name in labels nor the id of a label", want)
	}
	for _, name := range slices.Sorted(maps.Keys(l.ids)) {
		if is, _ := label.GUID(l.ids[name]); is == id {
			return id, name, nil
		}
	}
	return id, "", nil
}

// hold waits until no other file of the tenant is in memory.
func (l *Labels) hold(ctx context.Context) (release func(), err error) {
	select {
	case l.room <- struct{}{}:
		return func() { <-l.room }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for another file to be labelled: %w", ctx.Err())
	}
}

// read is the content of a file, whole. Of one that can be no Office file only the beginning is read, which is enough to say so.
func read(ctx context.Context, f File) (string, error) {
	v := f.Version()
	if v.Size > MaxSize {
		return "", saas.Refuse("%s has %d bytes: a label is put into files of at most %d (%d MiB)", v.Name, v.Size, int64(MaxSize), MaxSize>>20)
	}
	in, err := f.Open(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = in.Close() }() // what was read is judged by its length
	const head = 8
	var b strings.Builder
	b.Grow(int(max(v.Size, 0)))
	if _, err := io.CopyN(&b, in, min(head, v.Size)); err == nil && label.MayBeOffice([]byte(b.String())) {
		_, err = io.CopyN(&b, in, v.Size-int64(b.Len())+1) // one more: it must end there
		if err != nil && err != io.EOF {
			return "", cut(v, err)
		}
		if int64(b.Len()) != v.Size {
			err = fmt.Errorf("%d bytes came, %d were told", b.Len(), v.Size)
			return "", cut(v, err)
		}
	} else if err != nil {
		return "", cut(v, err)
	}
	return b.String(), nil
}

// cut is the error of a content that did not come whole: it is read again later.
func cut(v Version, err error) error {
	return &saas.Error{Outcome: saas.Unavailable, Msg: "read " + v.Name, Err: err}
}

// has says whether a content has a label of the tenant, in force.
func (l *Labels) has(content, id string) (bool, error) {
	found, err := label.Read(strings.NewReader(content), int64(len(content)))
	return slices.ContainsFunc(found.InForce(), func(o label.Label) bool { return o.Site == l.site && o.ID == id }), err
}

// set is a content with the label, looked at with the reader of labels. The method is that of labels that a rule sets.
func (l *Labels) set(content, id, name string, at time.Time) (string, *label.Edit, error) {
	in := strings.NewReader(content)
	e, err := label.Set(in, in.Size(), label.Change{ID: id, Site: l.site, Name: name, Method: label.Standard, At: at})
	if err != nil {
		return "", nil, err
	}
	var b strings.Builder
	b.Grow(len(content) + 64<<10)
	if err := e.Write(&b); err != nil {
		return "", nil, err
	}
	is, err := l.has(b.String(), id)
	if err == nil && !is {
		err = &label.Refusal{Reason: "the new file does not have the label that it should have"}
	}
	return b.String(), e, err
}

// sum tells contents apart.
func sum(content string) string {
	h := sha256.New()
	_, _ = io.Copy(h, io.LimitReader(strings.NewReader(content), int64(len(content)))) // piece by piece; a hash takes everything
	return hex.EncodeToString(h.Sum(nil))
}
