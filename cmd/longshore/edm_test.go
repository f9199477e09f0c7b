package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

const ownDetectors = `detectors:
  - id: acme.employee
    patterns: ['\bEMP-\d{6}\b']
    keywords: [staff number]
  - id: acme.project
    dictionary: {file: terms.txt}
  - id: acme.staff
    exact_match: {file: staff.edm, key_file: edm.key, min_secondary: 2}
  - id: acme.plan
    documents: {file: plans.jsonl}
  - id: acme.leak
    severity: 4
    rule: {all: [acme.project, {detector: acme.employee, count: 1}], within: 100}
`

const plan = "the moon shall be reached by the falcon before the decade ends and all who work on it keep quiet about the road " +
	"that leads there and about the fuel that it burns"

// TestDetectorsOfYourOwnFromTheCommandLine makes a table and fingerprints, scans with all kinds of detectors, and looks for values
// in what is written.
func TestDetectorsOfYourOwnFromTheCommandLine(t *testing.T) {
	folder(t, "etc/own.yaml", ownDetectors, "etc/terms.txt", "Falcon\n", "etc/edm.key", "0123456789abcdef0123456789abcdef\n",
		"staff.csv", "ssn,first,last\n987-65-4321,Zelda,Smith\n,Bob,Jones\n", "plan.txt", plan, "short", "abc",
		"in/a.txt", "Staff number EMP-123456 works on falcon", "in/b.csv", "who,number\nZelda Smith,987654321\n",
		"in/c.txt", "copy: "+strings.ToUpper(plan),
		"in/d.txt", "card: "+aCard+" "+aCard)
	f := func(want string, code int, args ...string) string {
		t.Helper()
		got, out, errs := call(t, "", args...)
		if got != code || !strings.Contains(out+errs, want) {
			t.Errorf("%v: exit code %d, want %d with %q:\n%s%s", args, got, code, want, out, errs)
		}
		low := strings.ToLower(out + errs)
		for _, v := range []string{"emp-123456", "123456", "falcon", "987654321", "987-65", "zelda", "smith", "decade", aCard} {
			if strings.Contains(low, v) {
				t.Errorf("%v: %q is shown:\n%s", args, v, out+errs)
			}
		}
		return out
	}
	f("staff.edm has 1 row; 1 row left out", exitOK, "edm", "build", "--key-file", "etc/edm.key", "--primary", "ssn",
		"--secondary", "first,last", "-o", "etc/staff.edm", "staff.csv")
	f("", exitOK, "fingerprint", "-o", "etc/plans.jsonl", "plan.txt")
	got := f("", exitFailed, "scan", "--detectors", "etc/own.yaml", "--packs", "pci", "--explain", "in")
	for _, want := range []string{"acme.employee", "the pattern, no check; a keyword 1 character before", "acme.project", "term", "acme.staff",
		"row of a table, 2 of 2 other columns", "acme.plan", "fingerprints of a document", "acme.leak", "rule", "pci.credit_card",
		"check digit or structure; a keyword 2 characters before", "check digit or structure; a keyword 19 characters before"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not told:\n%s", want, got)
		}
	}
	got = f("", exitFailed, "scan", "--json", "--detectors", "etc/own.yaml", "--packs", "pci", "--explain", "in/d.txt")
	var file fileJSON
	line, _, _ := strings.Cut(got, "\n")
	if err := json.Unmarshal([]byte(line), &file); err != nil || len(file.Findings) != 1 || len(file.Findings[0].Reasons) != 2 ||
		file.Findings[0].Reasons[0] != (reasonJSON{85, 1, "check digit or structure", "before", 2}) {
		t.Errorf("%v: %+v", err, file)
	}
	if err := os.WriteFile("etc/bad.yaml", []byte("detectors: [{id: acme.x, pattern: [a]}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	f("invalid keys: pattern", exitUsage, "scan", "--detectors", "etc/bad.yaml", "in")
	f("no such file", exitUsage, "scan", "--detectors", "etc/gone.yaml", "in")
	f("the key has 3 bytes", exitUsage, "edm", "build", "--key-file", "short", "--primary", "ssn", "-o", "x", "staff.csv")
	f("no column is called", exitFailed, "edm", "build", "--key-file", "etc/edm.key", "--primary", "x", "-o", "x", "staff.csv")
	f("want --key-file, --primary and --out", exitUsage, "edm", "build", "staff.csv")
	f("no DOCUMENT", exitUsage, "fingerprint")
}

func TestTheExampleOfOwnDetectorsFindsWhatItSays(t *testing.T) {
	example, err := os.ReadFile("../../examples/own-detectors.yaml")
	if err != nil {
		t.Fatal(err)
	}
	folder(t, "own.yaml", string(example), "a.txt", "Blue  heron: staff number EMP-123456, EMP-654321",
		"b.txt", "blue heron\n4711000002 4711000003\n")
	_, out, errs := call(t, "", "scan", "--detectors", "own.yaml", "a.txt", "b.txt")
	for want, n := range map[string]int{"acme.employee_number": 1, "acme.project_leak": 1, "acme.customer_number": 1, "acme.project ": 0} {
		if got := strings.Count(out, want); got != n {
			t.Errorf("%q is told %d times, want %d:\n%s%s", want, got, n, out, errs)
		}
	}
}
