package label

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestLabelsAreReadFromBothPlaces(t *testing.T) {
	f := func(p parts, want ...string) {
		t.Helper()
		got := read(t, p.zip(t))
		if !got.Read || told(got) != strings.Join(want, "\n") {
			t.Errorf("got\n%s\nwant\n%s", told(got), strings.Join(want, "\n"))
		}
	}
	f(plain)
	f(withInfo(infoOf(secret, site, `contentBits="3"`)), secret+" "+site+"  Standard label_info bits=3 in force")
	f(withInfo(infoOf(strings.ToUpper(secret), strings.ToUpper(site), "")), secret+" "+site+"  Standard label_info in force")
	f(withInfo(""))
	f(withCustom(props(secret, site, "Confidential &amp; more")...),
		secret+" "+site+" Confidential & more Privileged properties 2018-11-09T05:13:16Z bits=2 in force")
	f(withCustom("Other", "x", "MSIP_Label_short", "x"))
	// the same label: LabelInfo's word counts, the properties add its name and date
	f(withBoth(infoOf(secret, site, ""), props(secret, site, "Confidential")...),
		secret+" "+site+" Confidential Standard label_info+properties 2018-11-09T05:13:16Z in force")
	// another label of the tenant: LabelInfo counts; of another tenant: both do
	f(withBoth(infoOf(secret, site, ""), props(public, site, "Public")...), secret+" "+site+"  Standard label_info in force",
		public+" "+site+" Public Privileged properties 2018-11-09T05:13:16Z bits=2 overruled")
	f(withBoth(infoOf(secret, site, ""), props(public, other, "Public")...), secret+" "+site+"  Standard label_info in force",
		public+" "+other+" Public Privileged properties 2018-11-09T05:13:16Z bits=2 in force")
	// a label that was removed overrules too
	f(withBoth(`<clbl:label id="{`+site+`}" enabled="0" method="" siteId="{`+site+`}" removed="1"/>`, props(public, site, "Public")...),
		site+" "+site+"   label_info off removed", public+" "+site+" Public Privileged properties 2018-11-09T05:13:16Z bits=2 overruled")
}

func TestLabelsOfOtherKindsOfPackagesAreRead(t *testing.T) {
	one := infoOf(secret, site, "")
	want := secret + " " + site + "  Standard label_info in force"
	f := func(p parts) {
		t.Helper()
		if got := told(read(t, p.zip(t))); got != want {
			t.Errorf("got %q", got)
		}
	}
	for _, main := range []string{"xl/workbook.xml", "ppt/presentation.xml"} {
		f(withInfo(one).with(docRels, strings.ReplaceAll(relsOf(infoRel), "word/document.xml", main), main, "<x/>"))
	}
	strict := strings.ReplaceAll(relsOf(infoRel), dialects[0].document, dialects[1].document)
	f(withInfo(one).with(docRels, strict))
	f(withInfo(one).with(docRels, strings.ReplaceAll(relsOf(infoRel), `"docMetadata/`, `"/docMetadata/`)))
	f(withInfo(one).with(docLabels, "\xff\xfe"+wide(strings.Replace(infoXML(one), "UTF-8", "UTF-16", 1))))
	// another prefix, or none
	f(withInfo(one).with(docLabels, strings.ReplaceAll(strings.ReplaceAll(infoXML(one), "clbl:label", "label"), "xmlns:clbl", "xmlns")))
}

// wide is a text of letters in UTF-16.
func wide(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteString(s[i:i+1] + "\x00")
	}
	return b.String()
}

func TestWhatIsMalformedIsToldNotGuessed(t *testing.T) {
	f := func(p parts, want ...string) {
		t.Helper()
		if got := told(read(t, p.zip(t))); got != strings.Join(want, "\n") {
			t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
		}
	}
	label := func(attrs string) parts { return withInfo("<clbl:label " + attrs + "/>") }
	f(label(`id="" enabled="1" method="Standard" siteId="{`+site+`}" removed="0"`), "LabelInfo: a label without an id")
	f(label(`id="a" enabled="1" method="Standard" siteId="x" removed="0"`), "LabelInfo: a label whose siteId is no GUID")
	f(label(`id="a" enabled="yes" method="Standard" siteId="`+site+`" removed="0"`),
		"LabelInfo: a label in which enabled is not true or false")
	f(label(`id="a" enabled="1" method="Standard" siteId="`+site+`"`), "LabelInfo: a label in which removed is not true or false")
	f(label(`id="a" enabled="1" siteId="`+site+`" removed="0"`), "LabelInfo: a label without a method")
	f(label(`id="a" enabled="1" method="Standard" siteId="`+site+`" removed="0" contentBits="-1"`),
		"LabelInfo: a label in which contentBits is no number")
	f(withInfo(infoOf(secret, site, "")+infoOf(public, site, "")), "LabelInfo: 2 labels of one tenant")
	f(withInfo("").with(docLabels, "<a/>"), "LabelInfo: it is no list of labels")
	f(withInfo("<b"), "the part docMetadata/LabelInfo.xml: not well-formed XML")
	f(withInfo("").with(docLabels, `<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`),
		"the part docMetadata/LabelInfo.xml: XML with a document type")
	f(plain.with(docRels, relsOf(infoRel)), "a relationship leads to the part docMetadata/LabelInfo.xml, which is not there")
	f(withInfo("").with(docRels, relsOf(infoRel)).with(docLabels, strings.Repeat("<a>", maxDepth+2)),
		fmt.Sprintf("the part docMetadata/LabelInfo.xml: elements below %d others", maxDepth))

	k := "MSIP_Label_" + secret + "_"
	f(withCustom(k+"Name", "x"), "custom properties: label "+secret+": Enabled is not true or false")
	f(withCustom(k+"Enabled", "true", k+"SiteId", "x"), "custom properties: label "+secret+": SiteId is no GUID")
	f(withCustom(k+"Enabled", "true", k+"enabled", "false"), "custom properties: label "+secret+" has two values of one attribute")
	f(withCustom(k+"Enabled", "True", k+"SetDate", "2018-11-08T21:13:16", k+"ContentBits", "many", k+"ActionId", "1"),
		secret+"    properties in force", "custom properties: label "+secret+": it has no SiteId",
		"custom properties: label "+secret+": SetDate is no date with a time zone",
		"custom properties: label "+secret+": ContentBits is no number", "custom properties: label "+secret+": ActionId is no GUID")
}

func TestOtherFilesAreToldWhy(t *testing.T) {
	f := func(b, want string) {
		t.Helper()
		if got := read(t, []byte(b)); got.Read || got.Reason != want {
			t.Errorf("got %+v, want %q", got, want)
		}
	}
	f("", "of a kind whose labels are not read here")
	f("%PDF-1.7\n", "of a kind whose labels are not read here")
	f("From: hello, and nothing else\n\n", "of a kind whose labels are not read here")
	f(zipHead+"x", "a damaged archive")
	f(string(parts{"a.txt", "x"}.zip(t)), "an archive that is no Office Open XML file")
	f(string(parts{docTypes, "x"}.zip(t)), "an archive that is no Office Open XML file: it has no _rels/.rels")
	f(string(plain.with(docRels, relsOf(infoRel+infoRel)).zip(t)),
		"malformed: two relationships of its package are of one type, where one may be")
	f(string(plain.with(docRels, strings.ReplaceAll(relsOf(""), dialects[0].document, "x")).zip(t)),
		"an archive that is no Office Open XML file: no relationship leads to a document")
	f(string(append(plain, docRels, "x").zip(t)), "malformed: two entries have the name of the part _rels/.rels")
	f(string(plain.with(docRels, relsOf("")+strings.Repeat(" ", maxPart)).zip(t)), "the part _rels/.rels has more than 4 MiB")
	f(ole("Workbook"), "a compound file (OLE2), as of Office 97 to 2003")
	f(ole("EncryptedPackage"), "an encrypted document: its labels are neither read nor changed here")
	f(oleHead, "a compound file (OLE2), as of Office 97 to 2003")
}

// ole is a compound file with a stream of a name.
func ole(stream string) string {
	head := make([]byte, 512)
	copy(head, oleHead)
	head[30], head[48] = 9, 1
	return string(head) + strings.Repeat("\x00", 512) + wide("Root Entry") + strings.Repeat("\x00", 300) + wide(stream)
}

func TestADirectoryWithoutEndIsNotRead(t *testing.T) {
	many := slices.Clone(plain)
	for i := range 1 + maxDirectory/(46+200) {
		many = append(many, fmt.Sprintf("%0200d*", i), "")
	}
	if f := read(t, many.zip(t)); f.Read || f.Reason != "an archive whose directory has more than 4 MiB" {
		t.Errorf("%+v", f.Reason)
	}
}

// broken is a file that cannot be read.
type broken struct{}

func (broken) ReadAt([]byte, int64) (int, error) { return 0, errors.New("input/output error") }

func TestErrorsOfTheFileAreErrors(t *testing.T) {
	if _, err := Read(broken{}, 100); err == nil || !strings.Contains(err.Error(), "input/output error") {
		t.Errorf("%v", err)
	}
}

func TestLabelsOfMessagesAreRead(t *testing.T) {
	const head = "Received: from a by b\r\nDate: Mon, 1 Jun 2026 10:00:00 +0000\r\nFrom: a@acme.example\r\n"
	k := "MSIP_Label_" + secret + "_"
	f := func(b string, want ...string) {
		t.Helper()
		if got := read(t, []byte(b)); !got.Read || told(got) != strings.Join(want, "\n") {
			t.Errorf("got\n%s\n(%s)\nwant\n%s", told(got), got.Reason, strings.Join(want, "\n"))
		}
	}
	f(head + "\r\nmsip_labels: " + k + "Enabled=true\r\n")
	f(head + "msip_labels:\r\n\r\nhello")
	f(head+"msip_labels: "+k+"Enabled=True;\r\n "+k+"SetDate=2020-04-12T03:33:41.1453932Z;\r\n "+k+"Name=Internal\r\n Only; "+k+
		"SiteId="+site+"; "+k+"Tag=10, 3, 0, 1;"+k+"ContentBits=0;"+k+"Method=Privileged; \r\nSubject: x\r\n\r\nhello",
		secret+" "+site+" Internal Only Privileged header 2020-04-12T03:33:41Z in force")
	f("From a@b Mon Jun  1\n"+strings.ReplaceAll(head, "\r", "")+"Msip_Labels: "+k+"Enabled=false;"+k+"SiteId="+site+";"+k+
		"Name==?utf-8?B?R2Vow6RpbQ==?=;MSIP_Label_"+public+"_Enabled=true;MSIP_Label_"+public+"_SiteId="+other+"\n\nx",
		secret+" "+site+" Gehäim  header off", public+" "+other+"   header in force")
	f(head+"msip_labels: "+k+"Enabled=x\r\n\r\n", "msip_labels: label "+secret+": Enabled is not true or false")
	f(head+"no colon\r\n\x01: \x02\r\nMSIP_LABELS : "+k+"Enabled=true;"+k+"SiteId="+site+"\r\n\r\n", secret+" "+site+"   header in force")
	f(head+"X: "+strings.Repeat("y", maxHeader-len(head)-200)+"\r\nmsip_labels: "+k+"Enabled=true;"+k+"SiteId="+site+";"+
		strings.Repeat(" ", 300)+k+"Enabled=false\r\n\r\n", "only the first 64 KiB of the header were read")
	f(head+strings.Repeat("X: "+strings.Repeat("y", 70)+"\r\n", 1000)+"msip_labels: "+k+"Enabled=true\r\n\r\n",
		"only the first 64 KiB of the header were read")
}

func TestLabelsAndFlawsAreBounded(t *testing.T) {
	var pairs []string
	var list strings.Builder
	for i := range maxLabels + 10 {
		id := fmt.Sprintf("%08x-0000-0000-0000-000000000000", i+1)
		pairs = append(pairs, "MSIP_Label_"+id+"_Enabled", "x")
		list.WriteString(infoOf(secret, id, ""))
	}
	if f := read(t, withBoth(list.String(), pairs...).zip(t)); len(f.Labels) != maxLabels || len(f.Flaws) != maxFlaws ||
		f.Flaws[0] != "more than 256 labels: the others are not told" {
		t.Errorf("%d labels, flaws %q", len(f.Labels), f.Flaws)
	}
	f := read(t, withInfo(strings.Repeat("<a/>", maxKids+1)).zip(t))
	if len(f.Flaws) != 1 || !strings.Contains(f.Flaws[0], "more than 20000 elements") {
		t.Errorf("%q", f.Flaws)
	}
}

func BenchmarkRead(b *testing.B) {
	doc := withBoth(infoOf(secret, site, ""), props(secret, site, "Secret")...).zip(b)
	b.ReportAllocs()
	for b.Loop() {
		if f := read(b, doc); len(f.Labels) != 1 {
			b.Fatal(f)
		}
	}
}

func TestGUIDsAreReadAsTheyAreWritten(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got, ok := GUID(in); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", in, got, ok)
		}
	}
	f(site, site)
	f("{"+strings.ToUpper(site)+"}", site)
	f("{"+site, "")
	f("", "")
	f("{}", "")
	f(strings.Repeat("0", 36), "")
	f(site[:35]+"g", "")
}
