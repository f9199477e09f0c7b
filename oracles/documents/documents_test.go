package documents

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"go.uber.org/goleak"

	"github.com/longshore-dev/longshore/internal/dlp"
	"github.com/longshore-dev/longshore/internal/dlp/extract"
	"github.com/longshore-dev/longshore/oracles/procs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// maxPeak bounds what reading takes at most: an archive of 64 MiB held, and as much again that is not collected yet; and beside
// that what compiling the reader of PDFs takes once.
const maxPeak = (128 + 384) << 20

func TestEveryDocumentHasAResultOrAReason(t *testing.T) {
	files := Files(t)
	set, err := dlp.New(dlp.Options{Packs: dlp.Packs()})
	if err != nil {
		t.Fatal(err)
	}
	s, outcomes, kinds := set.Scanner(), map[string]int{}, map[string]int{}
	before := peak(t, true)
	var read, text, documents int64
	for _, f := range files {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		var lim extract.Limits
		res, err := s.File(context.Background(), r, f.Name, int64(f.UncompressedSize64), lim)
		_ = r.Close()
		switch {
		case err != nil:
			t.Errorf("%s: %v", f.Name, err)
		case res.Outcome == extract.Done && res.Reason != "", res.Outcome != extract.Done && res.Reason == "", res.Type == "":
			t.Errorf("%s: %+v", f.Name, res)
		case res.Reason == "its reader failed":
			t.Errorf("%s: a reader failed", f.Name)
		case res.Text > 32<<20 || res.Bytes > int64(f.UncompressedSize64):
			t.Errorf("%s: beyond its limits: %+v", f.Name, res)
		}
		read, text = read+res.Bytes, text+res.Text
		outcomes[res.Outcome]++
		kinds[res.Outcome+" "+res.Type]++
		if office(f.Name) || slices.Contains([]string{".pdf", ".zip", ".doc", ".xls", ".ppt"}, filepath.Ext(f.Name)) {
			documents++
		}
	}
	after := peak(t, false)
	for _, k := range slices.SortedFunc(maps.Keys(kinds), func(a, b string) int { return cmp.Or(kinds[b]-kinds[a], cmp.Compare(a, b)) }) {
		t.Logf("%4d %s", kinds[k], k)
	}
	t.Logf("%d files, %d of them Office, PDF or zip: %v; %d bytes read, %d of text; %d MiB of memory at the peak, %d before",
		len(files), documents, outcomes, read, text, after>>20, before>>20)
	if documents < 100 || outcomes[extract.Done] < 100 {
		t.Errorf("%d documents, %v: the test does not see them", documents, outcomes)
	}
	if after-before > maxPeak {
		t.Errorf("%d MiB of memory were taken", (after-before)>>20)
	}
}

// peak is the most memory that the process had resident; again: from now on.
func peak(t *testing.T, again bool) int64 {
	t.Helper()
	if again {
		if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
			t.Logf("the peak counts from the start: %v", err)
		}
	}
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("no /proc here")
	}
	var kib int64
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

func office(name string) bool {
	return slices.Contains([]string{".docx", ".docm", ".xlsx", ".xlsm", ".pptx", ".pptm"}, strings.ToLower(filepath.Ext(name)))
}

// bare is the letters and digits of a text, wide ones as plain ones.
func bare(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0xff01 && r <= 0xff5e {
			r -= 0xfee0
		}
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}

// known are documents in which other readers find text that is otherwise, and why.
var known = map[string]string{
	"test-documents/testWORD_null_style.docx": "the other reader leaves out what stands in the fields of a form, between the words",
}

func TestOtherReadersFindNoOtherText(t *testing.T) {
	python := filepath.Join(procs.Python(t, filepath.Join("readers", "requirements.txt")), "python")
	out := output(t, python, filepath.Join("readers", "read.py"), Jar(t))
	byName := filesByName(t)
	compared, texts, missing, failed, otherwise := 0, 0, 0, 0, map[string]bool{}
	for line := range bytes.Lines(out) {
		var doc struct {
			Name, Error string
			Texts       []string
		}
		if err := json.Unmarshal(line, &doc); err != nil {
			t.Fatal(err)
		}
		if doc.Error != "" {
			failed++
			t.Logf("%s: the other reader fails: %s", doc.Name, doc.Error)
			continue
		}
		compared++
		ours := bare(textOf(t, byName[doc.Name]))
		for _, want := range doc.Texts {
			texts++
			switch {
			case strings.Contains(ours, bare(want)):
			case known[doc.Name] != "":
				otherwise[doc.Name] = true
			default:
				missing++
				t.Errorf("%s: not in our text: %.80q", doc.Name, want)
			}
		}
	}
	t.Logf("%d documents compared, %d texts, %d missing; %d the other readers cannot read", compared, texts, missing, failed)
	for name, why := range known {
		if !otherwise[name] {
			t.Errorf("%s has no text that is otherwise: %s", name, why)
		}
	}
	if compared < 60 || texts < 1000 {
		t.Error("the test does not see the documents")
	}
}

// output is what another reader prints.
func output(t *testing.T, program string, args ...string) []byte {
	t.Helper()
	c := exec.CommandContext(t.Context(), program, args...)
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		t.Fatalf("run the other readers: %v\n%s", err, said.String())
	}
	return out
}

func filesByName(t *testing.T) map[string]*zip.File {
	byName := map[string]*zip.File{}
	for _, f := range Files(t) {
		byName[f.Name] = f
	}
	return byName
}

// textOf is all text that we find in a file.
func textOf(t *testing.T, f *zip.File) string {
	t.Helper()
	b := bytesOf(t, f)
	var text strings.Builder
	if _, err := extract.Read(t.Context(), bytes.NewReader(b), "", int64(len(b)), extract.Limits{}, func(p *extract.Piece) {
		text.Write(p.Text[p.From:p.To])
		if p.To == len(p.Text) {
			text.WriteByte('\n') // the text ends
		}
	}); err != nil {
		t.Fatal(err)
	}
	return text.String()
}
