package label

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// onDisk is a file with a change that is ready.
func onDisk(t *testing.T) (path string, was os.FileInfo, e *Edit) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "a.docx")
	if err := os.WriteFile(path, plain.zip(t), 0o640); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	if was, err = f.Stat(); err != nil {
		t.Fatal(err)
	}
	if e, err = Set(f, was.Size(), confidential); err != nil {
		t.Fatal(err)
	}
	return path, was, e
}

// alone fails unless a folder holds only these.
func alone(t *testing.T, path string, names ...string) {
	t.Helper()
	all, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range all {
		got = append(got, d.Name())
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		t.Errorf("the folder has %q", got)
	}
}

func TestAFileIsReplacedWholeWithItsMode(t *testing.T) {
	path, was, e := onDisk(t)
	link := filepath.Join(filepath.Dir(path), "link.docx")
	if err := os.Symlink("a.docx", link); err != nil {
		t.Fatal(err)
	}
	if err := e.Replace(link, was); err != nil {
		t.Fatal(err)
	}
	alone(t, path, "a.docx", "link.docx")
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if to, err := os.Readlink(link); err != nil || to != "a.docx" {
		t.Errorf("the link leads to %q: %v", to, err)
	}
	b, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(told(read(t, b)), secret) {
		t.Errorf("%v: %s", err, told(read(t, b)))
	}
}

func TestAFileThatWasChangedMeanwhileIsLeft(t *testing.T) {
	path, was, e := onDisk(t)
	if err := os.WriteFile(path, []byte("newer"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := e.Replace(path, was); err == nil {
		t.Error("a newer file was replaced")
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "newer" {
		t.Errorf("%q, %v", b, err)
	}
	alone(t, path, "a.docx")
	path, was, e = onDisk(t)
	if err := errors.Join(os.Rename(path, path+".old"), os.WriteFile(path, []byte("newer"), 0o640)); err != nil {
		t.Fatal(err)
	}
	if err := e.Replace(path, was); !errors.As(err, new(*Refusal)) {
		t.Errorf("another file was replaced: %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "newer" {
		t.Errorf("%q, %v", b, err)
	}
	alone(t, path, "a.docx", "a.docx.old")
}

func TestAFileThatCannotBeWrittenIsLeft(t *testing.T) {
	path, was, e := onDisk(t)
	e.After = nil // what is written is not what was wanted
	if err := e.Replace(path, was); err == nil || !strings.Contains(err.Error(), "does not have the labels") {
		t.Errorf("%v", err)
	}
	if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, plain.zip(t)) {
		t.Errorf("the file is another one: %v", err)
	}
	alone(t, path, "a.docx")
	if err := e.Replace(path+"x", was); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}
