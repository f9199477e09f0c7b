package procs

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Python installs a list of requirements into an environment of its own, once for each list, and gives the folder of its
// programs: python among them.
func Python(t testing.TB, requirements string) string {
	t.Helper()
	pip := strings.Fields("-m pip install --quiet --no-input --disable-pip-version-check --no-deps -r")
	dir := installed(t, "python3", requirements, func(python, list, dir string) [][]string {
		return [][]string{
			{python, "-m", "venv", "--clear", dir},
			append(append([]string{filepath.Join(dir, "bin", "python")}, pip...), list),
		}
	})
	return filepath.Join(dir, "bin")
}

// Sources fetches the sources of a list of requirements, once for each list, and gives the folder of their archives.
func Sources(t testing.TB, requirements string) string {
	t.Helper()
	fetch := strings.Fields("-m pip download --quiet --no-input --disable-pip-version-check --no-deps --no-binary :all:")
	return installed(t, "python3", requirements, func(python, list, dir string) [][]string {
		return [][]string{append(append([]string{python}, fetch...), "-d", dir, "-r", list)}
	})
}

// Node installs the packages of a package.json, once for each, and gives the folder of their programs.
func Node(t testing.TB, manifest string) string {
	t.Helper()
	dir := installed(t, "npm", manifest, func(npm, list, dir string) [][]string {
		return [][]string{
			{"mkdir", "-p", dir},
			{"cp", list, filepath.Join(dir, "package.json")},
			{npm, "install", "--prefix", dir, "--no-audit", "--no-fund", "--no-package-lock", "--silent"},
		}
	})
	return filepath.Join(dir, "node_modules", ".bin")
}

// Maven copies the dependencies of a pom.xml into a folder, once for each, and gives the folder.
func Maven(t testing.TB, manifest string) string {
	t.Helper()
	return installed(t, "mvn", manifest, func(mvn, list, dir string) [][]string {
		return [][]string{{mvn, "-B", "-q", "-f", list, "dependency:copy-dependencies", "-DoutputDirectory=" + dir}}
	})
}

// installed runs the commands, of one program, that fill a folder named after a list and its content, unless it is filled.
func installed(t testing.TB, program, list string, how func(program, list, dir string) [][]string) (dir string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		Absent(t, "%s is not installed", program)
	}
	if list, err = filepath.Abs(list); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(cache, "longshore", fmt.Sprintf("%s-%.12x", filepath.Base(filepath.Dir(list)), sha256.Sum256(text)))
	defer lock(t, dir+".lock")()
	done := filepath.Join(dir, ".complete")
	if _, err := os.Stat(done); err == nil {
		return dir
	}
	for _, c := range how(path, list, dir) {
		if out, err := exec.CommandContext(t.Context(), c[0], c[1:]...).CombinedOutput(); err != nil {
			Absent(t, "%s: %v\n%s", strings.Join(c, " "), err, out)
		}
	}
	if err := os.WriteFile(done, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// lock keeps other test processes from installing at the same time.
func lock(t testing.TB, path string) (unlock func()) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatalf("lock %s: %v", path, err)
	}
	return func() { _ = f.Close() }
}
