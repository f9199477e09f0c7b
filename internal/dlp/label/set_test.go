package label

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
)

var confidential = Change{ID: secret, Site: site, Name: `Top "secret" & more`, At: day}

// partsOf are the parts that a change touches.
func partsOf(e *Edit) string {
	var out []string
	for _, p := range e.Parts {
		out = append(out, p.String())
	}
	return strings.Join(out, ", ")
}

func TestANewLabelGoesIntoBothPlaces(t *testing.T) {
	e, b := set(t, plain.zip(t), confidential)
	if got := partsOf(e); got != "docMetadata/LabelInfo.xml (added), _rels/.rels, [Content_Types].xml, docProps/custom.xml (added)" {
		t.Error(got)
	}
	want := secret + " " + site + " " + confidential.Name + " Privileged label_info+properties 2026-11-27T09:30:00Z in force"
	if got := told(read(t, b)); got != want {
		t.Error(got)
	}
	f := func(name, want string) {
		t.Helper()
		if got := part(t, b, name); got != want {
			t.Errorf("%s is\n%s\nwant\n%s", name, got, want)
		}
	}
	f(docLabels, `<?xml version="1.0" encoding="utf-8" standalone="yes"?>`+"\n"+`<clbl:labelList xmlns:clbl="`+infoSpace+`"><clbl:label id="{`+
		secret+`}" enabled="1" method="Privileged" siteId="{`+site+`}" contentBits="0" removed="0"/></clbl:labelList>`)
	f(docRels, relsOf(`<Relationship Id="rId2" Type="`+infoRelation+`" Target="docMetadata/LabelInfo.xml"/><Relationship Id="rId3" Type="`+
		dialects[0].custom+`" Target="docProps/custom.xml"/>`))
	f(docTypes, typesOf(wordKind, infoOver+custOver))
	p := func(pid, attribute, value string) string {
		return `<property fmtid="` + userDefined + `" pid="` + pid + `" name="MSIP_Label_` + secret + "_" + attribute +
			`"><vt:lpwstr xmlns:vt="` + dialects[0].types + `">` + value + `</vt:lpwstr></property>`
	}
	f(docCustom, `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`+"\r\n"+`<Properties xmlns="`+dialects[0].customSpace+`">`+
		p("2", "Enabled", "true")+p("3", "SetDate", "2026-11-27T09:30:00Z")+p("4", "Method", "Privileged")+
		p("5", "Name", "Top &#34;secret&#34; &amp; more")+p("6", "SiteId", site)+p("7", "ContentBits", "0")+`</Properties>`)
}

func TestALabelIsReplacedWhereItStands(t *testing.T) {
	f := func(p parts, c Change, parts string, want ...string) {
		t.Helper()
		e, b := set(t, p.zip(t), c)
		if got := partsOf(e); got != parts {
			t.Errorf("it changes %s, want %s", got, parts)
		}
		if got := told(read(t, b)); got != strings.Join(want, "\n") {
			t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
		}
	}
	c := Change{ID: secret, Site: site, Name: "Secret", At: day}
	info := secret + " " + site + "  Privileged label_info in force"
	cust := secret + " " + site + " Secret Privileged properties 2026-11-27T09:30:00Z in force"
	both := secret + " " + site + " Secret Privileged label_info+properties 2026-11-27T09:30:00Z in force"
	f(withInfo(infoOf(public, site, "")), c, docLabels, info)
	f(withCustom(props(public, site, "Public")...), c, docCustom, cust)
	f(withBoth(infoOf(public, site, ""), props(public, site, "Public")...), c, docLabels+", "+docCustom, both)
	// where it is told to stand, it stands there only
	c.Store = InLabelInfo
	f(withCustom(props(public, site, "Public")...), c, docLabels+" (added), "+docRels+", "+docTypes+", "+docCustom, info)
	c.Store = InProperties
	f(withBoth(infoOf(public, site, ""), props(public, site, "Public")...), c, docLabels+", "+docCustom, cust)
	c.Store = Both
	f(withBoth(infoOf(public, site, "")), c, docLabels+", "+docCustom, both)
	// what is malformed of the tenant is replaced as well
	c.Store = ""
	f(withInfo(infoOf(secret, site, "")+infoOf(public, site, "")), c, docLabels, info)
	// others keep theirs
	f(withBoth(infoOf(public, other, ""), props(public, other, "Public")...), c, docLabels+", "+docCustom,
		public+" "+other+" Public Standard label_info+properties 2018-11-09T05:13:16Z in force", both)
	// an empty list, and one with extensions, which stand last
	f(withInfo("").with(docLabels, `<l:labelList xmlns:l="`+infoSpace+`"/>`), c,
		docLabels+", "+docCustom+" (added), "+docRels+", "+docTypes, both)
	ext := `<clbl:extLst><clbl:ext uri="x"><a/></clbl:ext></clbl:extLst>`
	_, b := set(t, withInfo(ext).zip(t), c)
	if got := part(t, b, docLabels); !strings.HasSuffix(got, ` removed="0"/>`+ext+`</clbl:labelList>`) {
		t.Error(got)
	}
}

func TestOtherPropertiesKeepTheirBytes(t *testing.T) {
	pairs := append([]string{"Client", "ACME &#xA; &amp; Sons", "MSIP_Label_" + public + "_Owner", "ann"}, props(public, site, "Public")...)
	_, b := set(t, withCustom(append(pairs, "Last", "x")...).zip(t), Change{ID: secret, Site: site, At: day})
	got := part(t, b, docCustom)
	before := customXML("Client", "ACME &#xA; &amp; Sons")
	before = strings.TrimSuffix(before, "</Properties>")
	after := strings.TrimPrefix(customXML(append(pairs, "Last", "x")...), customXML(pairs...)[:len(customXML(pairs...))-len("</Properties>")])
	if !strings.HasPrefix(got, before) || !strings.HasSuffix(got, after) || strings.Contains(got, public) ||
		!strings.Contains(got, `pid="12"`) {
		t.Errorf("%s", got)
	}
}

func TestWhatIsThereAlreadyIsNotWrittenAgain(t *testing.T) {
	_, b := set(t, plain.zip(t), confidential)
	f := func(c Change, parts string) {
		t.Helper()
		if e, _ := set(t, b, c); partsOf(e) != parts {
			t.Errorf("it changes %q, want %q", partsOf(e), parts)
		}
	}
	again := confidential
	again.At = day.AddDate(0, 0, 1)
	f(again, "")
	again.Name = "" // that which it has
	f(again, "")
	again.Method = Standard
	f(again, docLabels+", "+docCustom)
	if _, b := set(t, b, again); !strings.Contains(told(read(t, b)), confidential.Name+" Standard") {
		t.Error("the name is lost")
	}
	again = confidential
	again.Store = InLabelInfo
	f(again, docLabels+", "+docCustom)
	f(Change{Site: other, Remove: true}, "")
}

func TestALabelIsRemoved(t *testing.T) {
	f := func(p parts, parts string, want ...string) {
		t.Helper()
		e, b := set(t, p.zip(t), Change{Site: strings.ToUpper(site), Remove: true})
		if got := partsOf(e); got != parts {
			t.Errorf("it changes %s, want %s", got, parts)
		}
		if got := told(read(t, b)); got != strings.Join(want, "\n") {
			t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
		}
		if e, _ := set(t, b, Change{Site: site, Remove: true}); len(e.Parts) != 0 {
			t.Errorf("removed once more: %s", partsOf(e))
		}
	}
	gone := site + " " + site + "   label_info off removed"
	f(plain, "")
	f(withInfo(infoOf(secret, site, "")), docLabels, gone)
	f(withCustom(props(secret, site, "Secret")...), docCustom)
	f(withBoth(infoOf(secret, site, ""), props(public, site, "Public")...), docLabels+", "+docCustom, gone)
	f(withInfo(infoOf(public, other, "")+infoOf(secret, site, "")), docLabels, public+" "+other+"  Standard label_info in force", gone)
	_, b := set(t, withInfo(infoOf(secret, site, "")).zip(t), Change{Site: site, Remove: true})
	want := infoXML(`<clbl:label id="{` + site + `}" enabled="0" method="" siteId="{` + site + `}" removed="1"/>`)
	if got := part(t, b, docLabels); got != want {
		t.Error(got)
	}
	if _, b = set(t, b, confidential); !strings.HasPrefix(told(read(t, b)), secret) {
		t.Error("a label after one that was removed is not set")
	}
}

func TestMarksThatStayAreTold(t *testing.T) {
	e, _ := set(t, withInfo(infoOf(public, site, `contentBits="13"`)).zip(t), confidential)
	if len(e.Notes) != 1 || e.Notes[0] != "what the earlier label put into the content stays: header, watermark, encryption" {
		t.Errorf("%q", e.Notes)
	}
	if e, _ = set(t, withInfo(infoOf(secret, site, `contentBits="9"`)).zip(t), confidential); e.After[0].ContentBits != 1 || e.Notes != nil {
		t.Errorf("%+v", e.After)
	}
}

func TestStrictDocumentsGetStrictProperties(t *testing.T) {
	p := plain.with(docRels, strings.ReplaceAll(relsOf(""), dialects[0].document, dialects[1].document))
	_, b := set(t, p.zip(t), confidential)
	if got := part(t, b, docCustom); !strings.Contains(got, `<Properties xmlns="`+dialects[1].customSpace+`">`) ||
		!strings.Contains(got, `xmlns:vt="`+dialects[1].types+`"`) || !strings.Contains(part(t, b, docRels), dialects[1].custom) {
		t.Error(got)
	}
}

// header is an entry's without what says where it is and how large.
func header(f *zip.File) zip.FileHeader {
	h := f.FileHeader
	h.Extra = nil
	return h
}

// compare fails unless all entries of a but those named are in b, the same bytes, with the same headers and in the same order.
func compare(t testing.TB, a, b []byte, but ...string) {
	t.Helper()
	var of [2]*zip.Reader
	for i, in := range [][]byte{a, b} {
		z, err := zip.NewReader(bytes.NewReader(in), int64(len(in)))
		if err != nil {
			t.Fatal(err)
		}
		of[i] = z
	}
	raw := func(f *zip.File) string {
		r, err := f.OpenRaw()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if of[0].Comment != of[1].Comment || len(of[1].File) < len(of[0].File) {
		t.Fatalf("%d entries of %d", len(of[1].File), len(of[0].File))
	}
	changed := " " + strings.Join(but, " ") + " "
	for i, f := range of[0].File {
		g := of[1].File[i]
		switch {
		case f.Name != g.Name:
			t.Errorf("entry %d is %s, was %s", i, g.Name, f.Name)
		case strings.Contains(changed, " "+f.Name+" "):
			if f.Modified.Unix() != g.Modified.Unix() || f.Method != g.Method || f.ExternalAttrs != g.ExternalAttrs {
				t.Errorf("%s: header %+v, was %+v", f.Name, g.FileHeader, f.FileHeader)
			}
		case !reflect.DeepEqual(header(f), header(g)) || !bytes.Equal(withoutZip64(&f.FileHeader), g.Extra):
			t.Errorf("%s: header %+v, was %+v", f.Name, g.FileHeader, f.FileHeader)
		case raw(f) != raw(g):
			t.Errorf("%s has other bytes", f.Name)
		}
	}
	for _, f := range of[1].File[len(of[0].File):] {
		if !strings.Contains(changed, " "+f.Name+" ") {
			t.Errorf("%s was added", f.Name)
		}
	}
}

func TestOtherPartsKeepTheirBytesOrderAndHeaders(t *testing.T) {
	var in bytes.Buffer
	w := zip.NewWriter(&in)
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	add := func(h zip.FileHeader, text string) {
		f, err := w.CreateHeader(&h)
		must(nil, err)
		must(io.WriteString(f, text))
	}
	add(zip.FileHeader{Name: "word/", Method: zip.Store}, "")
	add(zip.FileHeader{Name: "word/document.xml", Method: zip.Deflate, Comment: "main"}, wordDoc)
	add(zip.FileHeader{Name: docTypes, Method: zip.Store, ExternalAttrs: 0o644 << 16}, typesOf(wordKind, ""))
	// an entry with an extra field of its own and one for sizes that it does not have
	raw := zip.FileHeader{Name: "word/media/a.bin", Method: zip.Store, CRC32: 0xe8b7be43, CompressedSize64: 1, UncompressedSize64: 1,
		Extra: []byte("\x01\x00\x10\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x20\xa2\x02\x00ab")}
	f, err := w.CreateRaw(&raw)
	must(nil, err)
	must(f.Write([]byte("a")))
	add(zip.FileHeader{Name: docRels, Method: zip.Deflate, Modified: day}, relsOf(""))
	must(nil, w.SetComment("by hand"))
	must(nil, w.Close())
	_, out := set(t, in.Bytes(), confidential)
	compare(t, in.Bytes(), out, docTypes, docRels, docLabels, docCustom)
	z, err := zip.NewReader(bytes.NewReader(out), int64(len(out)))
	must(nil, err)
	for _, f := range z.File {
		if f.Name == "word/media/a.bin" && string(f.Extra) != "\x20\xa2\x02\x00ab" {
			t.Errorf("extra %q", f.Extra)
		}
		if (f.Name == docRels || f.Name == docLabels) && (f.Flags&8 != 0 || f.CompressedSize64 == 0) {
			t.Errorf("%s has its sizes behind it", f.Name)
		}
	}
}

func TestWhatIsRefusedIsSaid(t *testing.T) {
	f := func(b, want string, change func(c *Change)) {
		t.Helper()
		c := confidential
		if change != nil {
			change(&c)
		}
		if got := refusal(t, []byte(b), c); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	ok := string(plain.zip(t))
	f(ok, "the site is no GUID", func(c *Change) { c.Site = "x" })
	f(ok, "the id of the label is no GUID", func(c *Change) { c.ID = "" })
	f(ok, "the id of the label is that of the site, which says that a label was removed", func(c *Change) { c.ID = c.Site })
	f(ok, "the method is neither Standard nor Privileged", func(c *Change) { c.Method = "standard" })
	f(ok, "the name is longer than 256 bytes, or no text", func(c *Change) { c.Name = strings.Repeat("a", 257) })
	f(ok, "the name is longer than 256 bytes, or no text", func(c *Change) { c.Name = "a\x00" })
	f(ok, "the name is longer than 256 bytes, or no text", func(c *Change) { c.Name = "a\uffffb" })
	f(ok, "the label has no date", func(c *Change) { c.At = time.Time{} })
	f(ok, "there is no such place for labels", func(c *Change) { c.Store = "x" })
	const kind = "no Word, Excel or PowerPoint file: of others labels are not changed"
	f("hello", kind, nil)
	f("", kind, nil)
	f(string(plain.with(docTypes, typesOf("application/vnd.ms-visio.drawing.main+xml", "")).zip(t)), kind, nil)
	f(ole("EncryptedPackage"), "an encrypted document: its labels are neither read nor changed here", nil)
	f(ole("WordDocument"), "a compound file (OLE2), as of Office 97 to 2003", nil)
	f(zipHead, "a damaged archive", nil)
	const signed = "it is signed: the digital signature would no longer hold"
	origin := plain.with(docRels, relsOf(`<Relationship Id="rId9" Type="`+signature+`origin" Target="_xmlsignatures/origin.sigs"/>`))
	f(string(origin.zip(t)), signed, nil)
	f(string(plain.with("_xmlsignatures/sig1.xml", "x").zip(t)), signed, nil)
	forced := confidential
	forced.Force = true
	set(t, origin.zip(t), forced)
	f(string(plain.with(docLabels, "x").zip(t)), "it has a part docMetadata/LabelInfo.xml that no relationship leads to", nil)
	f(string(plain.with(docRels, relsOf(custRel)).zip(t)), "a relationship leads to the part docProps/custom.xml, which is not there", nil)
	f(string(withInfo("<b").zip(t)), "the part docMetadata/LabelInfo.xml: not well-formed XML", nil)
	f(string(withInfo("").with(docLabels, "<a/>").zip(t)), "LabelInfo is no list of labels", nil)
	f(string(withCustom().with(docCustom, "<a/>").zip(t)), "the custom properties are no list of properties", nil)
	f(string(withInfo("").with(docLabels, "\xff\xfe"+wide(strings.Replace(infoXML(""), "UTF-8", "UTF-16", 1))).zip(t)),
		"a part is in UTF-16, which is not changed here", nil)
	long := withCustom("a", strings.Repeat("x", maxPart-len(customXML("a", ""))))
	f(string(long.zip(t)), "the part docProps/custom.xml would have more than 4 MiB", nil)
	if _, err := Set(broken{}, 100, confidential); err == nil || errors.As(err, new(*Refusal)) {
		t.Errorf("%v", err)
	}
}
