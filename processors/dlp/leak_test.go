package dlp

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/internal/dlp/custom"
	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
)

// forms are the ways in which a value might be written.
func forms(value string) (out []string) {
	bare := strings.NewReplacer(" ", "", "-", "", ".", "", "\n", "").Replace(value)
	turned := strings.NewReplacer(" ", "-", "-", " ").Replace(value)
	escaped, _ := json.Marshal(value)
	out = append(out, value, turned, strings.Trim(string(escaped), `"`))
	if !strings.Contains(value, "@") {
		out = append(out, bare)
	}
	for _, v := range []string{value, bare} {
		for shift := range 3 { // inside of another text
			b := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", shift) + v))
			from, to := 0, len(b)/4*4-4
			if shift > 0 {
				from = 4
			}
			out = append(out, b[from:max(from, to)])
		}
	}
	for i := range out {
		out[i] = strings.ToLower(out[i])
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(s string) bool { return len(s) < 8 })
}

// planted is a valid value that nobody has, with a keyword.
func planted(r *sim.Rand, i int) (sentence, value string) {
	types := []string{sim.Card, sim.SSN, sim.IBAN, sim.AWSKey, sim.JWT}
	switch k := i % 10; {
	case k < len(types):
		sentence = sim.Plant(r, types[k])
		return sentence, secretOf(types[k], sentence)
	case k == 5:
		value = fmt.Sprintf("secret%d@private%d.example", i, i)
		return "mail " + value, value
	}
	switch i % 10 { // of detectors of the user's own
	case 7:
		value = fmt.Sprintf("EMP-%06d", 100_000+i)
		return "by " + value, value
	case 8:
		value = fmt.Sprintf("Operation Zebra%d", i)
		return "about " + value, value
	case 9:
		value = fmt.Sprintf("ZQ-%07d", i)
		return "member " + value + " Nobodyson", value
	}
	value = fmt.Sprintf("AB%06dC", 100_000+i)
	return "nino " + value, value
}

// own are the detectors of such values.
func own(t *testing.T, n int) []custom.Detector {
	t.Helper()
	var terms []string
	table := "member,name\n"
	for i := range n {
		terms = append(terms, fmt.Sprintf("Operation Zebra%d", i))
		table += fmt.Sprintf("ZQ-%07d,Nobodyson\n", i)
	}
	const key = "0123456789abcdef"
	file := filepath.Join(t.TempDir(), "t.edm")
	b := custom.Build{Key: []byte(key), Primary: []string{"member"}, Secondary: []string{"name"}}
	if _, err := b.WriteTable(t.Context(), strings.NewReader(table), file); err != nil {
		t.Fatal(err)
	}
	return []custom.Detector{{ID: "acme.employee", Patterns: []string{`\bEMP-?\d{6}\b`}},
		{ID: "acme.operation", Dictionary: &custom.Dictionary{Terms: terms}},
		{ID: "acme.member", ExactMatch: &custom.ExactMatch{File: file, Key: key}},
		{ID: "acme.any", Rule: &custom.Rule{Any: []custom.Term{{Detector: "acme.employee"}, {Detector: "acme.operation"}}}},
		{ID: "acme.text", FileTypes: []string{"text/*"}}}
}

// contentOf writes a value as files of a form hold it.
func contentOf(form int, sentence, value string) string {
	quoted, _ := json.Marshal(sentence)
	switch form {
	case 0:
		return sentence + "\n"
	case 1:
		return "name,note," + value + "\nAnn,\"" + sentence + "\",1\n"
	case 2:
		return fmt.Sprintf(`{"rows":[{"note":%s,%q:{"x":%s}}]}`, quoted, value, quoted)
	case 3:
		return "<doc><note kind=\"" + value + "\">" + sentence + "</note></doc>"
	}
	return "<html><body title=\"" + value + "\"><p>" + sentence + "</p></body></html>"
}

// TestNoValueOfAFileIsInAnythingWritten plants 1,000 values in files, some of them in the files' names and folders as well, and
// looks for them in every byte that leaves: what the processor adds, metrics, logs, errors, the verdicts in the store. The
// vendor's own record of a file passes as it is, and so is looked at only where no value was planted in it.
func TestNoValueOfAFileIsInAnythingWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const files = 1000
		s, r := newStage(t, func(c *Config) {
			c.Packs, c.MinConfidence = []string{"pci", "pii", "finance", "secrets"}, 65
			c.Fields, c.Detectors = []string{"body", "attributes"}, own(t, files)
		}), sim.NewRand(17, 17)
		var values []string
		named := map[string]bool{}
		for i := range files {
			sentence, value := planted(r, i)
			values = append(values, value)
			id := fmt.Sprint("f", i)
			change := []any{"folder", "HR"}
			switch i % 5 {
			case 1:
				change = append(change, "name", value+".txt")
			case 2:
				change = append(change, "name", "of_"+strings.NewReplacer(" ", "_", "-", "").Replace(value)+".csv")
			case 3:
				change = append(change, "folder", "papers of "+value)
			}
			named[id] = i%5 > 0 && i%5 < 4
			s.put(id, contentOf(i%5*3%5, sentence, value), change...)
		}
		failed := 0
		s.refuse = func(plog.Logs) error { // some hand-overs fail, so that errors are written
			if failed++; failed%40 == 0 {
				return fmt.Errorf("refused %d", failed)
			}
			return nil
		}
		s.live(20 * time.Minute)
		for i := 0; i < files; i += 7 {
			s.touch(fmt.Sprint("f", i))
		}
		s.live(time.Hour)
		byType := map[string]int{}
		written := []string{s.logs.String(), fmt.Sprintf("%+v %#v %v", s.procs, s.procs[0], s.procs)}
		out, scans := s.take(), map[string]bool{}
		for _, views := range out {
			for _, w := range views {
				if w.Str("event.action") == contentAction {
					byType[w.Str("rule.id")]++
				}
				if w.Str("event.action") == scanAction {
					scans[w.DocID()] = true
				}
				if w.Str("event.dataset") == findingDataset || !named[w.Str("saas.file.id")] && w.Str("entity.type") == "file" {
					l := plog.NewLogs()
					w.Res.Resource().CopyTo(l.ResourceLogs().AppendEmpty().Resource())
					w.Log.CopyTo(l.ResourceLogs().At(0).ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
					b, err := (&plog.JSONMarshaler{}).MarshalLogs(l)
					if err != nil {
						t.Fatal(err)
					}
					written = append(written, string(b), string(event.AppendECS(nil, w, event.Encoding{})))
				}
			}
		}
		set, verdicts := s.procs[0].(*classifier).judge.set, 0
		for _, f := range s.files {
			v := saas.Find("vault", "acme").Verdict(t.Context(), "sha1:"+f.state["sha1"].(string), set)
			if len(v) > 0 {
				verdicts++
			}
			written = append(written, string(v))
		}
		for _, name := range []string{"records", "bytes", "findings", "files", "fetches", "file_bytes", "verdicts_reused"} {
			m, err := s.tel.GetMetric("longshore_dlp_" + name)
			if err != nil {
				t.Fatal(err)
			}
			written = append(written, fmt.Sprintf("%+v", m))
		}
		if verdicts != files || len(scans) != files || len(out[contentAction]) < files {
			t.Fatalf("%d verdicts, %d documents and %d alerts of %d files", verdicts, len(scans), len(out[contentAction]), files)
		}
		for _, id := range []string{"acme.employee", "acme.operation", "acme.member", "acme.any", "acme.text"} {
			if byType[id] < files/20 {
				t.Errorf("%s has %d alerts", id, byType[id])
			}
		}
		everything := strings.ToLower(strings.Join(written, "\n"))
		leaks := 0
		heads := map[string][]string{} // forms by how they begin
		for _, v := range values {
			for _, form := range forms(v) {
				heads[form[:8]] = append(heads[form[:8]], form)
			}
		}
		for at := range len(everything) - 8 {
			for _, form := range heads[everything[at:at+8]] {
				if strings.HasPrefix(everything[at:], form) {
					if leaks++; leaks < 10 {
						t.Errorf("%q is written: …%s", form, everything[max(0, at-200):min(len(everything), at+60)])
					}
				}
			}
		}
		if t.Logf("%d bytes written, %d alerts", len(everything), len(out[contentAction])); len(everything) < 2<<20 {
			t.Errorf("only %d bytes", len(everything))
		}
	})
}

const aCard = "4539148803436467"

// panicky is a content whose reading ends in a panic with words of it.
type panicky struct{ io.ReadCloser }

// Read is io.Reader's.
func (p panicky) Read(b []byte) (int, error) {
	n, _ := p.ReadCloser.Read(b)
	panic(fmt.Sprintf("cannot read %q", b[:n]))
}

// TestNoValueIsToldWhenAReaderPanics: what a panic says is in no log, record, verdict or metric.
func TestNoValueIsToldWhenAReaderPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.wrap = func(in io.ReadCloser) io.ReadCloser { return panicky{in} }
		s.put("f1", "card "+aCard+"\n")
		s.live(2 * time.Hour)
		out := s.take()
		if len(out[scanAction]) != 1 {
			t.Fatalf("%d documents", len(out[scanAction]))
		}
		all := s.logs.String() + fmt.Sprintf("%+v", s.procs)
		for _, views := range out {
			for _, w := range views {
				all += string(event.AppendECS(nil, w, event.Encoding{}))
			}
		}
		for _, f := range s.files {
			all += string(saas.Find("vault", "acme").Verdict(t.Context(), "sha1:"+f.state["sha1"].(string), s.procs[0].(*classifier).judge.set))
		}
		if got := out[scanAction][0]; got.Str("saas.finding.scan") != "partial" || got.Str("event.reason") != "its reader failed" {
			t.Errorf("%s: %s", got.Str("saas.finding.scan"), got.Str("event.reason"))
		}
		for _, form := range forms(aCard) {
			if strings.Contains(strings.ToLower(all), form) {
				t.Errorf("%q is told", form)
			}
		}
	})
}
