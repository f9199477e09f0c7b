package label

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

const (
	site   = "cb46c030-1825-4e81-a295-151c039dbf02"
	other  = "72f988bf-86f1-41af-91ab-2d7cd011db47"
	secret = "2096f6a2-d2f7-48be-b329-b73aaa526e5d"
	public = "87867195-f2b8-4ac2-b0b6-6bb73cb33afc"

	xmlHead = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	wordDoc = `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p/></w:body></w:document>`
)

var day = time.Date(2026, 11, 27, 9, 30, 0, 0, time.UTC)

// parts are names and contents of a package in turn. A name that ends with * is stored as it is.
type parts []string

// with gives the package other contents, or more parts.
func (p parts) with(pairs ...string) parts {
	out := append(parts(nil), p...)
next:
	for i := 0; i < len(pairs); i += 2 {
		for k := 0; k < len(out); k += 2 {
			if out[k] == pairs[i] {
				out[k+1] = pairs[i+1]
				continue next
			}
		}
		out = append(out, pairs[i], pairs[i+1])
	}
	return out
}

// zip packs them.
func (p parts) zip(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(p); i += 2 {
		h := &zip.FileHeader{Name: strings.TrimSuffix(p[i], "*"), Method: zip.Deflate, Modified: day}
		if strings.HasSuffix(p[i], "*") {
			h.Method = zip.Store
		}
		f, err := w.CreateHeader(h)
		if err == nil {
			_, err = io.WriteString(f, p[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func relsOf(more string) string {
	return xmlHead + `<Relationships xmlns="` + relsSpace + `"><Relationship Id="rId1" Type="` + dialects[0].document +
		`" Target="word/document.xml"/>` + more + `</Relationships>`
}

func typesOf(kind, more string) string {
	return xmlHead + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ` +
		`ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>` +
		`<Override PartName="/word/document.xml" ContentType="` + kind + `"/>` + more + `</Types>`
}

const (
	infoRel   = `<Relationship Id="rId7" Type="` + infoRelation + `" Target="docMetadata/LabelInfo.xml"/>`
	infoOver  = `<Override PartName="/docMetadata/LabelInfo.xml" ContentType="` + infoType + `"/>`
	custOver  = `<Override PartName="/docProps/custom.xml" ContentType="` + customType + `"/>`
	wordKind  = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
	docRels   = "_rels/.rels"
	docTypes  = "[Content_Types].xml"
	docLabels = "docMetadata/LabelInfo.xml"
	docCustom = "docProps/custom.xml"
)

var custRel = `<Relationship Id="rId8" Type="` + dialects[0].custom + `" Target="docProps/custom.xml"/>`

// plain is a document without labels.
var plain = parts{docTypes, typesOf(wordKind, ""), docRels, relsOf(""), "word/document.xml", wordDoc, "word/media/a.png*", "\x89PNG..."}

func infoXML(labels string) string {
	return xmlHead + `<clbl:labelList xmlns:clbl="` + infoSpace + `">` + labels + `</clbl:labelList>`
}

func infoOf(id, tenant, more string) string {
	return `<clbl:label id="{` + id + `}" enabled="1" method="Standard" siteId="{` + tenant + `}" ` + more + ` removed="0"/>`
}

// customXML is properties, of names and values in turn.
func customXML(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, `<property fmtid="%s" pid="%d" name="%s"><vt:lpwstr>%s</vt:lpwstr></property>`, userDefined, 2+i/2, pairs[i], pairs[i+1])
	}
	return xmlHead + `<Properties xmlns="` + dialects[0].customSpace + `" xmlns:vt="` + dialects[0].types + `">` + b.String() + `</Properties>`
}

// props are the properties of a label.
func props(id, tenant, name string) []string {
	k := "MSIP_Label_" + id + "_"
	return []string{k + "Enabled", "true", k + "SetDate", "2018-11-08T21:13:16-0800", k + "Method", "Privileged", k + "Name", name,
		k + "SiteId", tenant, k + "ActionId", "88124cf5-1340-457d-90e1-0000a9427c99", k + "ContentBits", "2"}
}

// withInfo is a document with a part LabelInfo.
func withInfo(labels string) parts {
	return plain.with(docTypes, typesOf(wordKind, infoOver), docRels, relsOf(infoRel), docLabels, infoXML(labels))
}

func withCustom(pairs ...string) parts {
	return plain.with(docTypes, typesOf(wordKind, custOver), docRels, relsOf(custRel), docCustom, customXML(pairs...))
}

func withBoth(labels string, pairs ...string) parts {
	return plain.with(docTypes, typesOf(wordKind, infoOver+custOver), docRels, relsOf(infoRel+custRel), docLabels, infoXML(labels),
		docCustom, customXML(pairs...))
}

func read(t testing.TB, b []byte) Found {
	t.Helper()
	f, err := Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// told writes what was found in short: a line for each label and flaw.
func told(f Found) string {
	var out []string
	for _, l := range f.Labels {
		s := strings.Join([]string{l.ID, l.Site, l.Name, l.Method, strings.Join(l.Places, "+")}, " ")
		if !l.SetDate.IsZero() {
			s += " " + l.SetDate.Format(time.RFC3339)
		}
		if l.ContentBits != 0 {
			s += fmt.Sprintf(" bits=%d", l.ContentBits)
		}
		for _, is := range []struct {
			what string
			so   bool
		}{{"off", !l.Enabled}, {"removed", l.Removed}, {"overruled", l.Overruled}, {"in force", l.InForce()}} {
			if is.so {
				s += " " + is.what
			}
		}
		out = append(out, s)
	}
	return strings.Join(append(out, f.Flaws...), "\n")
}

// set makes a change and gives the file, which is read again.
func set(t testing.TB, b []byte, c Change) (*Edit, []byte) {
	t.Helper()
	e, err := Set(bytes.NewReader(b), int64(len(b)), c)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := e.Write(&out); err != nil {
		t.Fatal(err)
	}
	if f := read(t, out.Bytes()); !f.Read || !equal(f.Labels, e.After) {
		t.Fatalf("the file says\n%s\nand it should say\n%s", told(f), told(Found{Labels: e.After}))
	}
	return e, out.Bytes()
}

// refusal gives why a change is refused.
func refusal(t testing.TB, b []byte, c Change) string {
	t.Helper()
	_, err := Set(bytes.NewReader(b), int64(len(b)), c)
	var r *Refusal
	if !errors.As(err, &r) {
		t.Fatalf("not refused: %v", err)
	}
	return r.Reason
}

// part is the content of an entry.
func part(t testing.TB, b []byte, name string) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
