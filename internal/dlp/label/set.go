package label

import (
	"cmp"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Both is LabelInfo and the custom properties.
const Both = "both"

// Change is what is to be made of the labels of a file.
type Change struct {
	ID, Site string    // of the label and its tenant, GUIDs
	Name     string    // "" = that which the file has of this label, or none
	Method   string    // default Privileged
	At       time.Time // the label's date
	Remove   bool      // takes the label of Site away instead; ID, Name and Method do not count

	// Store is where the label goes: InLabelInfo, InProperties or Both. Default: where the file has the tenant's label; into both
	// if it has none. Which one Office reads is a setting of the tenant (co-authoring of encrypted files, then LabelInfo), which no
	// file tells; a label in both is seen by everybody, and one that is found in one place is the tenant's setting as
	// [MS-OFFCRYPTO] 2.6.3 infers it.
	Store string

	Force bool // also a signed document, whose signature breaks
}

// Refusal says why a file is not changed.
type Refusal struct{ Reason string }

func (r *Refusal) Error() string { return r.Reason }

// Part is a part of a file that is changed, or added.
type Part struct {
	Name  string
	Added bool
}

// Edit is a file with other labels, ready to be written.
type Edit struct {
	Before, After []Label
	Parts         []Part   // none = the file is as it is wanted
	Notes         []string // what the change leaves

	p     *office
	fresh []fresh
}

// fresh is the new content of a part.
type fresh struct {
	name string
	at   int // the entry, -1 = none yet
	b    []byte
}

// families begin the media types of the documents that have labels.
var families = []string{"application/vnd.openxmlformats-officedocument.wordprocessingml.", "application/vnd.ms-word.",
	"application/vnd.openxmlformats-officedocument.spreadsheetml.", "application/vnd.ms-excel.",
	"application/vnd.openxmlformats-officedocument.presentationml.", "application/vnd.ms-powerpoint."}

// Set works out what is to be written. An error that is a *Refusal is about the file, or the change; others are in's.
func Set(in io.ReaderAt, size int64, c Change) (*Edit, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	e, err := newEdit(in, size, c)
	if err == nil {
		err = e.change(c)
	}
	var f flaw
	if errors.As(err, &f) {
		return nil, &Refusal{f.reason}
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

func (c *Change) check() error {
	var ok bool
	if c.Site, ok = GUID(c.Site); !ok {
		return &Refusal{"the site is no GUID"}
	}
	if c.Remove {
		return nil
	}
	c.Method, c.Name = cmp.Or(c.Method, Privileged), strings.TrimSpace(c.Name)
	if c.ID, ok = GUID(c.ID); !ok {
		return &Refusal{"the id of the label is no GUID"}
	}
	switch {
	case c.ID == c.Site:
		return &Refusal{"the id of the label is that of the site, which says that a label was removed"}
	case c.Method != Standard && c.Method != Privileged:
		return &Refusal{"the method is neither " + Standard + " nor " + Privileged}
	case len(c.Name) > maxText || !utf8.ValidString(c.Name) || strings.ContainsFunc(c.Name, notXML):
		return &Refusal{"the name is longer than " + strconv.Itoa(maxText) + " bytes, or no text"}
	case c.At.IsZero():
		return &Refusal{"the label has no date"}
	case !slices.Contains([]string{"", InLabelInfo, InProperties, Both}, c.Store):
		return &Refusal{"there is no such place for labels"}
	}
	return nil
}

// notXML says whether a name cannot have a character.
func notXML(r rune) bool { return r < ' ' || r == 0xfffe || r == 0xffff }

// newEdit opens a file that may be changed.
func newEdit(in io.ReaderAt, size int64, c Change) (*Edit, error) {
	head := make([]byte, min(max(size, 0), 512))
	n, err := in.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch head = head[:n]; {
	case strings.HasPrefix(string(head), oleHead):
		return nil, flawf("%s", compound(in, head))
	case !strings.HasPrefix(string(head), zipHead):
		return nil, flawf("no Word, Excel or PowerPoint file: of others labels are not changed")
	}
	p, err := openPackage(in, size)
	if err != nil {
		return nil, err
	}
	if err := p.may(c.Force); err != nil {
		return nil, err
	}
	e := &Edit{p: p}
	before, err := p.labels()
	e.Before = before.Labels
	return e, err
}

// may says why a package is not to be changed, or nil.
func (p *office) may(force bool) error {
	var packed uint64
	for _, f := range p.zip.File {
		if packed += f.CompressedSize64; packed > uint64(p.size) || f.CompressedSize64 > uint64(p.size) {
			return flawf("a damaged archive: its entries are larger than it")
		}
		p.signed = p.signed || strings.HasPrefix(strings.ToLower(f.Name), "_xmlsignatures/")
	}
	if p.signed && !force {
		return flawf("it is signed: the digital signature would no longer hold")
	}
	types, err := p.tree(typesPart)
	if err != nil {
		return err
	}
	kind := ""
	ext := strings.ToLower(p.main[strings.LastIndexByte(p.main, '.')+1:])
	for i := range types.kids {
		k := &types.kids[i]
		value, _ := k.attr("ContentType")
		switch {
		case k.Local == "Override" && strings.EqualFold(first(k.attr("PartName")), "/"+p.main):
			kind = value
		case k.Local == "Default" && kind == "" && strings.EqualFold(first(k.attr("Extension")), ext):
			kind = value
		}
	}
	if !slices.ContainsFunc(families, func(f string) bool { return strings.HasPrefix(kind, f) }) {
		return flawf("no Word, Excel or PowerPoint file: of others labels are not changed")
	}
	return nil
}

// stored says where the file has labels of a tenant.
func (e *Edit) stored(site string) (info, custom *tree, inInfo, inCustom bool, own []Label, err error) {
	p := e.p
	if p.info != "" {
		if info, err = p.tree(p.info); err != nil {
			return
		}
	}
	if p.custom != "" {
		if custom, err = p.tree(p.custom); err != nil {
			return
		}
	}
	if info != nil {
		for i := range info.kids {
			guid, _ := GUID(first(info.kids[i].attr("siteId")))
			inInfo = inInfo || guid == site
		}
	}
	if custom != nil {
		var f Found
		f.readCustom(custom)
		own = f.Labels
		inCustom = slices.ContainsFunc(own, func(l Label) bool { return l.Site == site })
	}
	return
}

// change makes the change.
func (e *Edit) change(c Change) error {
	info, custom, inInfo, inCustom, own, err := e.stored(c.Site)
	if err != nil {
		return err
	}
	l := e.wanted(c)
	toInfo, toCustom := c.Store == InLabelInfo || c.Store == Both, c.Store == InProperties || c.Store == Both
	switch {
	case c.Remove:
		toInfo, toCustom = inInfo, false
	case c.Store == "":
		toInfo, toCustom = inInfo || !inCustom, inCustom || !inInfo
	}
	if e.same(c, l, toInfo == inInfo && toCustom == inCustom) {
		e.After = e.Before
		return nil
	}
	switch {
	case toInfo && info != nil:
		err = e.put(e.p.info, func() ([]byte, error) { return editInfo(info, l) })
	case toInfo:
		err = e.add(&e.p.info, infoPart, infoType, infoRelation, newInfo(l))
	case inInfo:
		err = e.put(e.p.info, func() ([]byte, error) { return dropInfo(info, c.Site) })
	}
	if err != nil {
		return err
	}
	if !toCustom {
		l = nil
	}
	if err := e.properties(custom, own, c.Site, l); err != nil {
		return err
	}
	after, err := e.p.labels()
	e.After = after.Labels
	return err
}

// properties changes the custom properties.
func (e *Edit) properties(custom *tree, own []Label, site string, l *Label) error {
	if custom == nil {
		if l == nil {
			return nil
		}
		return e.add(&e.p.custom, customPart, customType, e.p.of.custom, newCustom(e.p.of, l))
	}
	b, changed, err := editCustom(custom, own, site, l)
	if err != nil || !changed {
		return err
	}
	return e.put(e.p.custom, func() ([]byte, error) { return b, nil })
}

// wanted is the label as it is to be.
func (e *Edit) wanted(c Change) *Label {
	if c.Remove {
		return &Label{ID: c.Site, Site: c.Site, Removed: true}
	}
	l := &Label{ID: c.ID, Site: c.Site, Name: c.Name, Enabled: true, Method: c.Method, SetDate: c.At}
	for _, o := range e.Before {
		switch {
		case o.ID == c.ID && o.Site == c.Site:
			l.Name = cmp.Or(l.Name, o.Name)
			l.ContentBits = o.ContentBits &^ 8 // the content is not encrypted
		case o.Site == c.Site && o.ContentBits&7 != 0 && !o.Overruled:
			e.Notes = append(e.Notes, "what the earlier label put into the content stays: "+strings.Join(Marks(o.ContentBits), ", "))
		}
	}
	return l
}

// Marks says what content bits mean.
func Marks(bits uint32) (out []string) {
	for i, name := range []string{"header", "footer", "watermark", "encryption"} {
		if bits&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return out
}

// same says whether nothing is to be done. there: the label stands where it is to stand, and nowhere else.
func (e *Edit) same(c Change, l *Label, there bool) bool {
	of := slices.DeleteFunc(slices.Clone(e.Before), func(o Label) bool { return o.Site != c.Site })
	if c.Remove {
		return !slices.ContainsFunc(of, func(o Label) bool { return !o.Removed })
	}
	return there && len(of) == 1 && of[0].InForce() && of[0].ID == l.ID && of[0].Method == l.Method &&
		(of[0].Name == l.Name || of[0].Name == "" && !slices.Contains(of[0].Places, InProperties))
}
