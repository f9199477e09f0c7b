package label

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Where a label stands in a file.
const (
	InLabelInfo  = "label_info" // the part docMetadata/LabelInfo.xml
	InProperties = "properties" // custom properties MSIP_Label_<id>_…
	InHeader     = "header"     // msip_labels of a message
)

// The methods by which labels are assigned.
const (
	Standard   = "Standard"   // by default, or by a rule
	Privileged = "Privileged" // by a person
)

// Label is what a file says of one label.
type Label struct {
	ID          string    // in small letters, a GUID without braces where it is one
	Site        string    // the tenant, a GUID; "" = not said
	Name        string    // unique in the tenant, not what people see; "" = not said: LabelInfo has no place for it
	Enabled     bool      // it applies
	Method      string    // Standard, Privileged, or as it stands; "" of a label that was removed
	SetDate     time.Time // zero = not said
	ActionID    string    // of the action that set it, in files of older writers
	ContentBits uint32    // what was put into the content: 1 header, 2 footer, 4 watermark, 8 encryption
	Removed     bool      // a label of this tenant was taken away; ID is then that of the tenant
	Places      []string  // InLabelInfo, InProperties, InHeader
	Overruled   bool      // LabelInfo says something else of the same tenant, and counts ([MS-OFFCRYPTO] 2.6.3)
}

// InForce says whether the label counts.
func (l *Label) InForce() bool { return l.Enabled && !l.Removed && !l.Overruled }

// Found is what a file says of labels.
type Found struct {
	Read   bool     // the file is of a kind that has labels here
	Reason string   // why it was not read
	Labels []Label  // in the order in which they stand, those of LabelInfo first
	Flaws  []string // what is malformed. They hold nothing of the content but ids of labels
}

// InForce are the labels that count.
func (f *Found) InForce() []Label {
	return slices.DeleteFunc(slices.Clone(f.Labels), func(l Label) bool { return !l.InForce() })
}

// The limits.
const (
	maxPart      = 4 << 20  // bytes of a part that is read
	maxDirectory = 4 << 20  // bytes of the directory of an archive
	maxHeader    = 64 << 10 // bytes of the header of a message
	maxLabels    = 256
	maxFlaws     = 16
	maxText      = 256 // bytes of an id, a name or a method
)

const (
	zipHead = "PK\x03\x04"
	oleHead = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
)

// MayBeOffice says of the first eight bytes of a file whether it can be one that labels are put into, or an encrypted one.
func MayBeOffice(head []byte) bool {
	return strings.HasPrefix(string(head), zipHead) || strings.HasPrefix(string(head), oleHead)
}

// Read tells the labels of a file. An error is in's.
func Read(in io.ReaderAt, size int64) (Found, error) {
	head := make([]byte, min(max(size, 0), maxHeader))
	n, err := in.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return Found{}, fmt.Errorf("read the beginning: %w", err)
	}
	head = head[:n]
	switch {
	case strings.HasPrefix(string(head), zipHead):
		p, err := openPackage(in, size)
		if err != nil {
			return refused(err)
		}
		return p.labels()
	case strings.HasPrefix(string(head), oleHead):
		return Found{Reason: compound(in, head)}, nil
	}
	return Mail(head), nil
}

// flaw is what makes a file, or a part of one, malformed, or of another kind.
type flaw struct{ reason string }

func (f flaw) Error() string { return f.reason }

func flawf(format string, args ...any) error { return flaw{fmt.Sprintf(format, args...)} }

// refused is the result of a file that is not read for a reason of its own.
func refused(err error) (Found, error) {
	var f flaw
	if errors.As(err, &f) {
		return Found{Reason: f.reason}, nil
	}
	return Found{}, err
}

// flawed adds what is malformed.
func (f *Found) flawed(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); len(f.Flaws) < maxFlaws && !slices.Contains(f.Flaws, text) {
		f.Flaws = append(f.Flaws, text)
	}
}

// add adds a label.
func (f *Found) add(l Label) {
	if len(f.Labels) >= maxLabels {
		f.flawed("more than %d labels: the others are not told", maxLabels)
		return
	}
	f.Labels = append(f.Labels, l)
}

// weigh joins what two places say of one label, and marks what LabelInfo overrules. Of a label that both have, LabelInfo's word
// counts, and the properties add what LabelInfo has no place for.
func (f *Found) weigh() {
	var out []Label
	for _, l := range f.Labels {
		if !slices.Contains(l.Places, InProperties) || l.Site == "" {
			out = append(out, l)
			continue
		}
		i := slices.IndexFunc(out, func(o Label) bool { return o.Site == l.Site && o.Places[0] == InLabelInfo })
		switch {
		case i < 0:
			out = append(out, l)
		case out[i].ID == l.ID:
			o := &out[i]
			o.Name, o.SetDate, o.ActionID, o.Places = l.Name, l.SetDate, l.ActionID, append(o.Places, InProperties)
		default:
			l.Overruled = true
			out = append(out, l)
		}
	}
	f.Labels = out
}

// GUID reads a GUID, with or without braces: in small letters, without. false = it is none.
func GUID(s string) (string, bool) {
	if strings.HasPrefix(s, "{") && strings.HasSuffix(s, "}") && len(s) > 1 {
		s = s[1 : len(s)-1]
	}
	if len(s) != 36 {
		return "", false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return "", false
			}
		case (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f'):
			return "", false
		}
	}
	return strings.ToLower(s), true
}

// readDate reads a date as the writers of labels write it: with a time zone, and with or without fractions of a second.
func readDate(s string) (time.Time, bool) {
	for _, form := range [...]string{time.RFC3339, "2006-01-02T15:04:05Z0700"} {
		if t, err := time.Parse(form, s); err == nil && t.Year() > 1900 {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
