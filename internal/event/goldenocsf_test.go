package event

import (
	"os"
	"path/filepath"
	"testing"
)

// TestGoldenDocumentsObeyTheSchema: the documents of testdata/golden, which are made by receivers, processors and actions.
func TestGoldenDocumentsObeyTheSchema(t *testing.T) {
	s := schema(t)
	files, err := filepath.Glob("../../testdata/golden/*.ocsf.json")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d golden documents: %v", len(files), err)
	}
	for _, file := range files {
		doc, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range s.check(doc) {
			t.Errorf("%s: %s", filepath.Base(file), p)
		}
	}
}
