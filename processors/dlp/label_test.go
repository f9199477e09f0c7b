package dlp

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/longshore-dev/longshore/internal/dlp/extract"
	"github.com/longshore-dev/longshore/internal/dlp/extract/made"
	"github.com/longshore-dev/longshore/internal/dlp/label"
	"github.com/longshore-dev/longshore/internal/policy"
)

const (
	labelID   = "2096f6a2-d2f7-48be-b329-b73aaa526e5d"
	labelSite = "cb46c030-1825-4e81-a295-151c039dbf02"
)

// labelled is a document with a text and a label.
func labelled(t *testing.T, text, name string) string {
	t.Helper()
	in := made.Word(t, "<w:p><w:r><w:t>"+strings.ReplaceAll(text, "\n", "</w:t><w:br/><w:t>")+"</w:t></w:r></w:p>")
	if name == "" {
		return in
	}
	c := label.Change{ID: labelID, Site: labelSite, Name: name, At: time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)}
	e, err := label.Set(strings.NewReader(in), int64(len(in)), c)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := e.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestPoliciesMayAskForTheLabelsInAFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.put("f1", labelled(t, payroll, "Confidential"))
		s.put("f2", labelled(t, payroll, ""))
		s.live(10 * time.Minute)
		out := s.take()
		hold := func(when string) string {
			t.Helper()
			set, err := policy.Compile([]policy.Policy{{Name: "a", Kind: policy.File, When: when}}, "dry_run")
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, w := range out["state"] {
				if w.Str("saas.finding.scan") != "" && len(set.Match(w, time.Now())) == 1 {
					names = append(names, w.Str("file.name"))
				}
			}
			return strings.Join(names, " ")
		}
		f := func(when, want string) {
			t.Helper()
			if got := hold(when); got != want {
				t.Errorf("%s holds for %q, want %q", when, got, want)
			}
		}
		f(`has(saas.file.labels) && saas.file.labels.exists(l, l == "Confidential")`, "f1.txt")
		f(`has(saas.file.labels) && "`+labelID+`" in saas.file.labels`, "f1.txt")
		f(`"pii.us_ssn" in finding.types && !has(saas.file.labels)`, "f2.txt")
		if len(out["content_scan"]) != 2 || len(out["content_match"]) != 4 {
			t.Fatalf("%d documents, %d alerts", len(out["content_scan"]), len(out["content_match"]))
		}
		for _, w := range append(out["content_scan"], out["content_match"]...) {
			want := map[string]string{"f1.txt": labelID + "|Confidential"}[w.Str("file.name")]
			has(t, w, "saas.file.labels", want)
		}
		s.put("f1", labelled(t, payroll, "Confidential"), "visibility", "public")
		s.live(time.Hour) // the verdict knows them
		has(t, one(t, "records of the changed file", s.take()["state"]), "saas.file.labels", labelID+"|Confidential")
		if s.reads("f1") != 1 {
			t.Errorf("read %d times", s.reads("f1"))
		}
	})
}

func TestTheNameOfALabelShowsNoValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.put("f1", labelled(t, payroll, "for 4539148803436467"))
		s.put("f2", labelled(t, payroll, "SSN 536904399"))
		s.live(10 * time.Minute)
		n := 0
		for _, all := range s.take() {
			for _, w := range all {
				if w.Str("saas.finding.scan") == "" {
					continue
				}
				n++
				raw, err := json.Marshal(w.Log.Attributes().AsRaw())
				if err != nil || bytes.Contains(raw, []byte("4539148803436467")) || bytes.Contains(raw, []byte("536904399")) {
					t.Errorf("%v: %s", err, raw)
				}
				if !strings.Contains(string(raw), labelID) {
					t.Errorf("the label is not there: %s", raw)
				}
			}
		}
		if n < 6 {
			t.Errorf("%d records", n)
		}
	})
}

func TestAVerdictHoldsFewLabels(t *testing.T) {
	var many label.Found
	for range 100 {
		many.Labels = append(many.Labels, label.Label{ID: labelID, Name: strings.Repeat("x", 256), Enabled: true},
			label.Label{ID: labelSite, Removed: true}, label.Label{ID: labelSite, Enabled: true, Overruled: true})
	}
	if n := len(newVerdict(extract.Result{Labels: many}, nil).Labels); n != 2*maxLabels {
		t.Errorf("%d words, want %d", n, 2*maxLabels)
	}
}
