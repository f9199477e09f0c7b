package documents

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/longshore-dev/longshore/internal/dlp/extract"
	"github.com/longshore-dev/longshore/oracles/procs"
)

// The recall that is wanted of the mean of all PDFs, below which a PDF is listed, and how many there have to be.
const (
	wantRecall = 0.96
	goodRecall = 0.99
	minPDFs    = 80
)

// pdfs puts the PDFs that Apache Tika, pdfminer and pypdf test their readers with into a folder.
func pdfs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range Files(t) {
		if path.Ext(f.Name) == ".pdf" {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			put(t, dir, "tika", f.Name, r)
			_ = r.Close()
		}
	}
	found, err := filepath.Glob(filepath.Join(procs.Sources(t, filepath.Join("archives", "requirements.txt")), "*.tar.gz"))
	if err != nil || len(found) != 2 {
		t.Fatalf("find the sources: %v, %v", found, err)
	}
	for _, name := range found {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		from, _, _ := strings.Cut(filepath.Base(name), "-")
		r := tar.NewReader(z)
		h, err := r.Next()
		for ; err == nil; h, err = r.Next() {
			if path.Ext(h.Name) == ".pdf" {
				put(t, dir, from, h.Name, r)
			}
		}
		if _ = f.Close(); !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
	}
	return dir
}

// put writes a file of a corpus.
func put(t *testing.T, dir, corpus, name string, in io.Reader) {
	t.Helper()
	b, err := io.ReadAll(in)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, corpus+"-"+path.Base(name)), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// words counts the words of a text: letters and digits, at least two.
func words(text string) map[string]int {
	out := map[string]int{}
	for _, w := range strings.FieldsFunc(norm.NFKC.String(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	}) {
		if utf8.RuneCountInString(w) > 1 {
			out[w]++
		}
	}
	return out
}

// recall is the part of the words of another reader that are ours too, each as often as it has it.
func recall(theirs, ours map[string]int) (part float64, all int, missing []string) {
	found := 0
	for w, n := range theirs {
		all += n
		found += min(n, ours[w])
		if ours[w] < n {
			missing = append(missing, w)
		}
	}
	slices.Sort(missing)
	return float64(found) / float64(max(all, 1)), all, missing[:min(len(missing), 6)]
}

func TestMuPDFFindsNoOtherWordsInPDFs(t *testing.T) {
	dir := pdfs(t)
	python := filepath.Join(procs.Python(t, filepath.Join("pdfs", "requirements.txt")), "python")
	c := exec.CommandContext(t.Context(), python, filepath.Join("pdfs", "read.py"), dir)
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		t.Fatalf("run the other reader: %v\n%s", err, said.String())
	}
	read, compared, sum, outcomes := 0, 0, 0.0, map[string]int{}
	for line := range bytes.Lines(out) {
		var doc struct{ Name, Error, Text string }
		if err := json.Unmarshal(line, &doc); err != nil {
			t.Fatal(err)
		}
		ours, res := pdfText(t, filepath.Join(dir, doc.Name))
		read++
		outcomes[res.Outcome]++
		if (doc.Error != "") != (res.Outcome == extract.Encrypted) {
			t.Errorf("%s: %s (%s), where the other reader says: %q", doc.Name, res.Outcome, res.Reason, doc.Error)
		}
		theirs := words(doc.Text)
		if len(theirs) == 0 {
			t.Logf("       %s: no words for the other reader; %s: %s", doc.Name, res.Outcome, cmp.Or(res.Reason, doc.Error))
			continue
		}
		compared++
		part, all, missing := recall(theirs, words(ours))
		sum += part
		if part < goodRecall {
			t.Logf("%.3f of %5d words: %s: not found are %q", part, all, doc.Name, missing)
		}
	}
	t.Logf("%d PDFs read: %v; %d have words to be compared, of which %.4f are found in the mean", read, outcomes, compared, sum/float64(compared))
	if compared < minPDFs || sum/float64(compared) < wantRecall {
		t.Errorf("%d PDFs, recall %.4f: want at least %d and %.2f", compared, sum/float64(compared), minPDFs, wantRecall)
	}
}

// pdfText is the text that we find in a PDF, and what is said of it.
func pdfText(t *testing.T, name string) (string, extract.Result) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	res, err := extract.Read(t.Context(), bytes.NewReader(b), "", int64(len(b)), extract.Limits{}, func(p *extract.Piece) {
		text.Write(p.Text[p.From:p.To])
	})
	if err != nil || res.Type != "application/pdf" || res.Reason == "its reader failed" {
		t.Errorf("%s: %+v, %v", filepath.Base(name), res, err)
	}
	return text.String(), res
}
