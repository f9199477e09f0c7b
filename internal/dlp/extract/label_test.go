package extract

import (
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/dlp/extract/made"
)

func TestTheLabelsOfAFileAreToldBesideItsText(t *testing.T) {
	const id, site = "2096f6a2-d2f7-48be-b329-b73aaa526e5d", "cb46c030-1825-4e81-a295-151c039dbf02"
	const rel = "http://schemas.openxmlformats.org/package/2006/relationships"
	doc := func(info string) string {
		return string(made.Zip(t, "[Content_Types].xml", "<Types/>", "word/document.xml", "<w:document xmlns:w='x'/>", "_rels/.rels",
			`<Relationships xmlns="`+rel+`"><Relationship Id="a" Target="word/document.xml" `+
				`Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/><Relationship Id="b" `+
				`Type="http://schemas.microsoft.com/office/2020/02/relationships/classificationlabels" Target="docMetadata/LabelInfo.xml"/>`+
				`</Relationships>`, "docMetadata/LabelInfo.xml", info))
	}
	good := doc(`<labelList xmlns="http://schemas.microsoft.com/office/2020/mipLabelMetadata"><label id="` + id +
		`" enabled="1" method="Standard" siteId="` + site + `" removed="0"/></labelList>`)
	mail := "Date: Mon, 1 Jun 2026 10:00:00 +0000\nFrom: a@acme.example\nmsip_labels: MSIP_Label_" + id + "_Enabled=true; MSIP_Label_" + id +
		"_SiteId=" + site + "\n\nhello\n"
	f := func(in string, labels, flaws int) {
		t.Helper()
		_, res := piecesOf(t, strings.NewReader(in), "", Limits{})
		if len(res.Labels.InForce()) != labels || len(res.Labels.Flaws) != flaws {
			t.Errorf("%s: %+v", res.Type, res.Labels)
		}
	}
	f(good, 1, 0)
	f(mail, 1, 0)
	f(doc("<a/>"), 0, 1)
	f(string(made.Zip(t, "a.docx", good, "b.eml", mail)), 0, 0) // those of an attachment are not the file's
	f("hello", 0, 0)
}
