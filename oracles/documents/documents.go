package documents

import (
	"archive/zip"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/oracles/procs"
)

// Files are the documents, to be opened until the test ends.
func Files(t testing.TB) []*zip.File {
	t.Helper()
	r, err := zip.OpenReader(Jar(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	var out []*zip.File
	for _, f := range r.File {
		if strings.HasPrefix(f.Name, "test-documents/") && !f.FileInfo().IsDir() {
			out = append(out, f)
		}
	}
	if len(out) < 500 {
		t.Fatalf("only %d documents", len(out))
	}
	return out
}

// Jar is the archive that they are in.
func Jar(t testing.TB) string {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	dir := procs.Maven(t, filepath.Join(filepath.Dir(here), "corpus", "pom.xml"))
	found, err := filepath.Glob(filepath.Join(dir, "tika-parsers-*-tests.jar"))
	if err != nil || len(found) != 1 {
		t.Fatalf("find the documents in %s: %v, %v", dir, found, err)
	}
	return found[0]
}
