package documents

import (
	"bytes"
	"encoding/json"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/longshore-dev/longshore/oracles/procs"
)

// tikaKinds are extensions of documents that Apache Tika reads as well, but for what is in pictures.
const tikaKinds = "doc,dot,docx,docm,dotx,dotm,xls,xlt,xlsx,xlsm,xltx,xltm,ppt,pps,pot,pptx,pptm,potx,potm,ppsx,ppsm,msg,eml,mbox,rtf,odt,ott," +
	"ods,odp"

// wanted is the least part of the words that others find which we find, as a mean over documents.
const wanted = 0.99

// labels are words that Tika adds to what a document holds.
const labels = "footnoteRef endnoteRef Comment by From To Cc Bcc Recipients Attachments Sent Subject"

// apart are documents of which we find less by design, and why. They do not count.
var apart = map[string]string{
	"protect.xlsx":                "it is encrypted with a password that all know: encrypted",
	"protectedFile.xlsx":          "the same",
	"testEXCEL_4.xls":             "no compound file, but one of Excel 4: not scanned",
	"testRTFEmbeddedFiles.rtf":    "objects that are embedded in RTF are not read: partial",
	"testEXCEL_phonetic.xlsx":     "how words are said is left out",
	"testEXCEL_phonetic.xls":      "the same",
	"testWORD_phonetic.docx":      "how words are said is joined to them",
	"test_recursive_embedded.doc": "archives in archives, beyond the limit of the depth: partial",
}

// letterWords are those of a text of letters, two or more. Numbers and dates, which are shown in many ways, are none.
func letterWords(s string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsFuncSeq(plain(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if len(w) > 1 && strings.IndexFunc(w, unicode.IsDigit) < 0 {
			out[w] = true
		}
	}
	return out
}

// plain makes wide letters plain ones, and leaves out what has no width, as we do.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 0xff01 && r <= 0xff5e:
			return r - 0xfee0
		case r == 0xad, r >= 0x200b && r <= 0x200f, r == 0xfeff:
			return -1
		}
		return r
	}, s)
}

// lettersRecall is the part of the words of one text that another one has.
func lettersRecall(theirs, ours map[string]bool) (part float64, lost []string) {
	for w := range theirs {
		if !ours[w] {
			lost = append(lost, w)
		}
	}
	slices.Sort(lost)
	return 1 - float64(len(lost))/float64(len(theirs)), lost
}

func TestWordsThatTikaFindsAreFound(t *testing.T) {
	jars, err := filepath.Glob(filepath.Join(procs.Maven(t, filepath.Join("tika", "pom.xml")), "tika-app-*.jar"))
	if err != nil || len(jars) != 1 {
		t.Fatalf("find Tika: %v, %v", jars, err)
	}
	java, err := exec.LookPath("java")
	if err != nil {
		procs.Absent(t, "java is not installed")
	}
	out := output(t, java, "-Xmx1g", "-cp", jars[0], filepath.Join("tika", "Read.java"), Jar(t), tikaKinds)
	byName := filesByName(t)
	left := maps.Clone(apart)
	sums, counts := map[string]float64{}, map[string]int{}
	for line := range bytes.Lines(out) {
		var doc struct{ Name, Error, Text string }
		if err := json.Unmarshal(line, &doc); err != nil {
			t.Fatal(err)
		}
		if doc.Error != "" {
			t.Logf("%s: Tika fails: %s", doc.Name, doc.Error)
			continue
		}
		theirs := letterWords(doc.Text)
		for _, w := range strings.Fields(labels) {
			delete(theirs, w)
		}
		if len(theirs) == 0 {
			continue
		}
		part, lost := lettersRecall(theirs, letterWords(textOf(t, byName[doc.Name])))
		if part < 1 {
			t.Logf("%s: %.4f of its words, without %d: %.200s", doc.Name, part, len(lost), strings.Join(lost, " "))
		}
		if why := apart[filepath.Base(doc.Name)]; why != "" {
			if delete(left, filepath.Base(doc.Name)); part == 1 {
				t.Errorf("%s has no words that we do not find: %s", doc.Name, why)
			}
			continue
		}
		for _, kind := range []string{"", filepath.Ext(doc.Name)} {
			sums[kind] += part
			counts[kind]++
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%-6s %3d documents, %.4f of their words", kind, counts[kind], sums[kind]/float64(counts[kind]))
	}
	for name := range left {
		t.Errorf("%s was not read", name)
	}
	switch mean := sums[""] / float64(counts[""]); {
	case counts[""] < 100:
		t.Errorf("only %d documents: the test does not see them", counts[""])
	case mean < wanted:
		t.Errorf("%.4f of the words are found, at least %.2f are wanted", mean, wanted)
	}
}
