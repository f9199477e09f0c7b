package documents

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/dlp/label"
	"github.com/longshore-dev/longshore/oracles/procs"
)

var change = label.Change{ID: "2096f6a2-d2f7-48be-b329-b73aaa526e5d", Site: "cb46c030-1825-4e81-a295-151c039dbf02",
	Name: "Confidential – äöü & <more>", Method: label.Standard, At: time.Date(2026, 11, 27, 9, 30, 0, 0, time.UTC)}

// relabelled are the documents that take a label, as they then are.
func relabelled(t *testing.T) map[string][]byte {
	t.Helper()
	out, why := map[string][]byte{}, map[string]int{}
	for _, f := range Files(t) {
		b := bytesOf(t, f)
		if !bytes.HasPrefix(b, []byte("PK")) && !office(f.Name) {
			continue
		}
		e, err := label.Set(bytes.NewReader(b), int64(len(b)), change)
		var r *label.Refusal
		if errors.As(err, &r) {
			if why[r.Reason]++; office(f.Name) {
				t.Logf("%s: %s", f.Name, r.Reason)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		var w bytes.Buffer
		if err := e.Write(&w); err != nil {
			t.Errorf("%s: %v", f.Name, err)
			continue
		}
		var parts []string
		for _, p := range e.Parts {
			parts = append(parts, p.Name)
		}
		sameParts(t, f.Name, b, w.Bytes(), parts)
		out[f.Name] = w.Bytes()
	}
	for _, r := range slices.Sorted(maps.Keys(why)) {
		t.Logf("%4d refused: %s", why[r], r)
	}
	return out
}

func bytesOf(t *testing.T, f *zip.File) []byte {
	t.Helper()
	r, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sameParts fails unless all entries but those that are named have the same packed bytes, in the same order.
func sameParts(t *testing.T, name string, was, is []byte, but []string) {
	t.Helper()
	list := func(b []byte) (names, raws []string) {
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, f := range z.File {
			if slices.ContainsFunc(but, func(s string) bool { return strings.EqualFold(s, strings.TrimPrefix(f.Name, "/")) }) {
				continue
			}
			r, err := f.OpenRaw()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			raw, err := io.ReadAll(r)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			names, raws = append(names, f.Name), append(raws, string(raw))
		}
		return names, raws
	}
	names, raws := list(was)
	if n, r := list(is); !slices.Equal(n, names) || !slices.Equal(r, raws) || len(names) == 0 {
		t.Errorf("%s: other parts changed: %q, were %q", name, n, names)
	}
}

func TestDocumentsTakeALabelAndKeepEverythingElse(t *testing.T) {
	all := relabelled(t)
	for name, b := range all {
		found, err := label.Read(bytes.NewReader(b), int64(len(b)))
		i := slices.IndexFunc(found.Labels, func(l label.Label) bool { return l.Site == change.Site })
		if err != nil || i < 0 || !found.Labels[i].InForce() || found.Labels[i].ID != change.ID || found.Labels[i].Name != change.Name ||
			!found.Labels[i].SetDate.Equal(change.At) || len(found.Labels[i].Places) != 2 {
			t.Errorf("%s: %v, %+v", name, err, found)
		}
	}
	t.Logf("%d documents", len(all))
	if len(all) < 100 {
		t.Error("the test does not see the documents")
	}
}

// labelledJar is an archive with the documents.
func labelledJar(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "labelled.zip")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(out)
	all := relabelled(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		f, err := w.Create(name)
		if err == nil {
			_, err = f.Write(all[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), out.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// wantProps fails unless the custom properties hold the label.
func wantProps(t *testing.T, name string, props map[string]string) {
	t.Helper()
	k := "MSIP_Label_" + change.ID + "_"
	for attribute, want := range map[string]string{"Enabled": "true", "SetDate": "2026-11-27T09:30:00Z", "Method": "Standard",
		"Name": change.Name, "SiteId": change.Site, "ContentBits": "0"} {
		if got := props[k+attribute]; got != want {
			t.Errorf("%s: %s is %q, want %q", name, attribute, got, want)
		}
	}
}

func TestOtherReadersOpenLabelledDocuments(t *testing.T) {
	python := filepath.Join(procs.Python(t, filepath.Join("readers", "requirements.txt")), "python")
	c := exec.CommandContext(t.Context(), python, filepath.Join("readers", "labels.py"), Jar(t), labelledJar(t))
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		t.Fatalf("run the other readers: %v\n%s", err, said.String())
	}
	opened, texts, failed := 0, 0, 0
	for line := range bytes.Lines(out) {
		var doc struct {
			Name, Error string
			Same        bool
			Texts       int
			Props       map[string]string
		}
		if err := json.Unmarshal(line, &doc); err != nil {
			t.Fatal(err)
		}
		if !doc.Same {
			t.Errorf("%s: it has another text with a label", doc.Name)
		}
		if doc.Error != "" {
			failed++
			t.Logf("%s: the other reader fails, without a label too: %s", doc.Name, doc.Error)
			continue
		}
		opened, texts = opened+1, texts+doc.Texts
		wantProps(t, doc.Name, doc.Props)
	}
	t.Logf("%d documents opened, %d texts the same; %d the other readers cannot read", opened, texts, failed)
	if opened < 60 || texts < 1000 {
		t.Error("the test does not see the documents")
	}
}

func TestPOIOpensLabelledDocuments(t *testing.T) {
	java, err := exec.LookPath("java")
	if err != nil {
		procs.Absent(t, "java is not installed")
	}
	jars := procs.Maven(t, filepath.Join("poi", "pom.xml"))
	c := exec.CommandContext(t.Context(), java, "-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8", "-cp", filepath.Join(jars, "*"),
		filepath.Join("poi", "Labels.java"), Jar(t), labelledJar(t), change.ID)
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		t.Fatalf("run POI: %v\n%s", err, said.String())
	}
	opened, failed := 0, 0
	for line := range strings.Lines(string(out)) {
		line, ours := strings.CutPrefix(line, "document\t") // other lines are of its log
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		switch {
		case !ours:
		case len(f) != 5:
			t.Fatalf("POI says %q", line)
		case f[1] == "failed":
			failed++
			t.Logf("%s: POI fails, without a label too", f[0])
		case f[2] != "opened" || f[3] != change.Name || f[4] != "application/vnd.ms-office.classificationlabels+xml":
			t.Errorf("%s: %q", f[0], f[2:])
		default:
			opened++
		}
	}
	t.Logf("%d documents opened; %d POI cannot read", opened, failed)
	if opened < 60 {
		t.Error("the test does not see the documents")
	}
}
