package procs

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// Maven copies the dependencies of a pom.xml into a folder, once for each, and gives the folder.
func Maven(t testing.TB, manifest string) string {
	t.Helper()
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		Absent(t, "mvn is not installed")
	}
	list, err := filepath.Abs(manifest)
	if err != nil {
		t.Fatal(err)
	}
	dir := installed(t, list, func(dir string) [][]string {
		return [][]string{{mvn, "-B", "-q", "-f", list, "dependency:copy-dependencies", "-DoutputDirectory=" + dir}}
	})
	return dir
}
