package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/dlp/extract/made"
)

const (
	aLabel  = "2096f6a2-d2f7-48be-b329-b73aaa526e5d"
	aTenant = "cb46c030-1825-4e81-a295-151c039dbf02"
)

// wordFile is a Word file without labels, with more parts.
func wordFile(t *testing.T, text string, more ...string) string {
	t.Helper()
	return made.Word(t, "<w:p><w:t>"+text+"</w:t></w:p>", more...)
}

// labelCall fails unless the program ends with a code and says a text.
func labelCall(t *testing.T, code int, want string, args ...string) string {
	t.Helper()
	got, out, errs := call(t, "", append([]string{"label"}, args...)...)
	if got != code || !strings.Contains(out+errs, want) {
		t.Errorf("%v: exit code %d, want %d with %q:\n%s%s", args, got, code, want, out, errs)
	}
	return out
}

func TestALabelIsSetOnlyWhenThatIsWanted(t *testing.T) {
	doc := wordFile(t, "hello")
	folder(t, "plan.docx", doc, "notes.txt", "hello", "mail.eml", "From: a@b.example\nDate: x\nmsip_labels: MSIP_Label_"+aLabel+
		"_Enabled=true; MSIP_Label_"+aLabel+"_SiteId="+aTenant+"; MSIP_Label_"+aLabel+"_Name=Con\x1b[2Jfidential\n\nhello")
	set := []string{"set", "--id", "{" + strings.ToUpper(aLabel) + "}", "--site", aTenant, "--name", "Confidential"}
	out := labelCall(t, exitOK, "", append(set, "plan.docx")...)
	want := "plan.docx: would change: no label becomes Confidential " + aLabel + "; in\n" +
		"    docMetadata/LabelInfo.xml (added), _rels/.rels, [Content_Types].xml, docProps/custom.xml (added)\n" +
		"nothing was written: this was a dry run; --mode enforce writes\n"
	if out != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
	if b, err := os.ReadFile("plan.docx"); err != nil || string(b) != doc {
		t.Fatalf("a dry run changed the file: %v", err)
	}
	labelCall(t, exitOK, "plan.docx: changed: no label becomes", append(set, "--mode", "enforce", "plan.docx")...)
	labelCall(t, exitOK, "plan.docx: unchanged\n", append(set, "--mode", "enforce", "plan.docx")...)
	out = labelCall(t, exitOK, "\n3 files: 2 with a label in force, 1 of other kinds\n", "get", ".")
	if !strings.HasPrefix(out, "PATH                  LABEL                                 STATE      NAME, METHOD, DATE, WHERE\n"+
		"mail.eml              "+aLabel+"  in force   \"Con\\x1b[2Jfidential\", header\n"+
		"plan.docx             "+aLabel+"  in force   Confidential, Privileged, 20") || !strings.Contains(out, "Z, label_info+properties\n") {
		t.Errorf("got\n%s", out)
	}
	labelCall(t, exitOK, "plan.docx: would change: Confidential "+aLabel+" becomes no label; in", "remove", "--site", aTenant, "plan.docx")
	labelCall(t, exitOK, "plan.docx: changed", "remove", "--site", aTenant, "--mode", "enforce", "plan.docx")
	labelCall(t, exitOK, "removed    label_info\n", "get", "plan.docx")
	labelCall(t, exitOK, "0 with a label in force, 1 of other kinds", "get", "notes.txt")
}

func TestLabelsAreToldAsJSON(t *testing.T) {
	folder(t, "a.docx", wordFile(t, "hello"), "b.txt", "hello")
	line := labelCall(t, exitOK, "", "set", "--id", aLabel, "--site", aTenant, "--name", "<C>", "--mode", "enforce", "--json", "a.docx")
	var changed changedJSON
	if err := json.Unmarshal([]byte(line), &changed); err != nil || changed.Outcome != "changed" || changed.Before != nil ||
		len(changed.After) != 1 || changed.After[0].Name != "<C>" || len(changed.Parts) != 4 {
		t.Errorf("%v: %+v", err, changed)
	}
	lines := strings.Split(labelCall(t, exitOK, "", "get", "--json", "."), "\n")
	var files [2]labelledJSON
	for i := range files {
		if err := json.Unmarshal([]byte(lines[i]), &files[i]); err != nil {
			t.Fatal(err)
		}
	}
	if l := files[0].Labels; len(l) != 1 || l[0].ID != aLabel || l[0].Site != aTenant || !l[0].InForce || !l[0].Enabled || l[0].Removed ||
		l[0].Method != "Privileged" || len(l[0].SetDate) != 20 || strings.Join(l[0].Places, " ") != "label_info properties" {
		t.Errorf("%+v", l)
	}
	if files[1].Read || files[1].Reason != "of a kind whose labels are not read here" {
		t.Errorf("%+v", files[1])
	}
	want := `{"summary":{"files":2,"files_with_a_label_in_force":1,"files_with_malformed_labels":0,"files_of_other_kinds":1,` +
		`"files_that_failed":0}}`
	if lines[2] != want {
		t.Errorf("got  %s\nwant %s", lines[2], want)
	}
	_, out, _ := call(t, "", "scan", "--json", "a.docx")
	var scanned fileJSON
	if err := json.Unmarshal([]byte(strings.Split(out, "\n")[0]), &scanned); err != nil || len(scanned.Labels) != 1 ||
		scanned.Labels[0].ID != aLabel || scanned.Labels[0].Name != "<C>" {
		t.Errorf("%v: %s", err, out)
	}
}

func TestScanShowsNoValueInTheNameOfALabel(t *testing.T) {
	folder(t, "a.docx", wordFile(t, "card "+aCard))
	labelCall(t, exitOK, "changed", "set", "--id", aLabel, "--site", aTenant, "--name", "of "+aCard, "--mode", "enforce", "a.docx")
	code, out, _ := call(t, "", "scan", "--json", "a.docx")
	if code != exitFailed || strings.Contains(out, aCard) || !strings.Contains(out, aLabel) {
		t.Errorf("exit code %d: %s", code, out)
	}
}

func TestLabelAnswersByItsExitCode(t *testing.T) {
	ok := wordFile(t, "hello")
	folder(t, "a.docx", ok, "signed.docx", wordFile(t, "hello", "_xmlsignatures/sig1.xml", "x"), "b.txt", "hello",
		"bad.docx", wordFile(t, "hello", "_rels/.rels", "x"),
		"bad.eml", "From: a@b.example\nDate: x\nmsip_labels: MSIP_Label_"+aLabel+"_Enabled=maybe\n\nhello", "dir/c.docx", ok)
	set := []string{"set", "--id", aLabel, "--site", aTenant}
	f := func(code int, want string, args ...string) {
		t.Helper()
		labelCall(t, code, want, args...)
	}
	f(exitUsage, "label needs one of: get, set, remove")
	f(exitUsage, `unknown command "x" of label`, "x")
	f(exitUsage, "no PATH", "get")
	f(exitUsage, "no PATH", set...)
	f(exitUsage, "gone: no such file", "get", "gone")
	f(exitUsage, "gone: no such file", append(set, "gone")...)
	f(exitUsage, "dir is no file", append(set, "dir")...)
	f(exitUsage, `--id "": want a GUID`, "set", "--site", aTenant, "a.docx")
	f(exitUsage, `--site "x": want a GUID`, "set", "--id", aLabel, "--site", "x", "a.docx")
	f(exitUsage, `--method "x": want Standard or Privileged`, append(set, "--method", "x", "a.docx")...)
	f(exitUsage, `--store "x": want label_info, properties, both`, append(set, "--store", "x", "a.docx")...)
	f(exitUsage, `--mode "x": want dry_run or enforce`, append(set, "--mode", "x", "a.docx")...)
	f(exitUsage, `--site "": want a GUID`, "remove", "a.docx")
	f(exitFailed, "malformed: msip_labels: label "+aLabel+": Enabled is not true or false\n\n"+
		"1 file: 0 with a label in force, 1 with malformed labels\n", "get", "bad.eml")
	f(exitOK, "dir/c.docx            none", "get", "dir")
	f(exitFailed, "signed.docx: refused: it is signed: the digital signature would no longer hold", append(set, "signed.docx", "a.docx")...)
	f(exitFailed, "bad.docx: refused: malformed: two entries have the name of the part _rels/.rels", append(set, "bad.docx")...)
	f(exitFailed, "b.txt: refused: no Word, Excel or PowerPoint file", append(set, "b.txt")...)
	f(exitOK, "signed.docx: changed", append(set, "signed.docx", "--force", "--mode", "enforce")...)
	f(exitFailed, "the name is longer than 256 bytes", append(set, "--name", strings.Repeat("x", 300), "a.docx")...)
	if os.Getuid() != 0 {
		if err := os.Chmod("a.docx", 0); err != nil {
			t.Fatal(err)
		}
		f(exitUsage, "cannot be read: permission denied", "get", "a.docx")
		f(exitFailed, "a.docx: failed: permission denied", append(set, "a.docx")...)
	}
}
