package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// ignoreFile lists what `scan` leaves out of the folder that holds it.
const ignoreFile = ".longshoreignore"

// ignores are the patterns of a file, as gitignore(5) has them: a line each, # begins a comment, ! takes back, a slash at the end means
// folders alone, and one elsewhere means the place from the folder on; ** is any number of folders.
type ignores []ignored

type ignored struct {
	glob    string
	back    bool // what matches is scanned after all
	folders bool
}

// readIgnores reads a file of patterns. must: it has to be there.
func readIgnores(name string, must bool) (list ignores, err error) {
	file, err := os.Open(name)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) && !must {
			return nil, nil
		}
		return nil, err
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimRight(lines.Text(), " \t\r")
		if text == "" || text[0] == '#' {
			continue
		}
		var i ignored
		text, i.back = strings.CutPrefix(text, "!")
		text, i.folders = strings.CutSuffix(strings.TrimPrefix(text, `\`), "/")
		if i.glob = strings.TrimPrefix(text, "/"); !strings.Contains(text, "/") {
			i.glob = "**/" + text
		}
		if strings.HasSuffix(i.glob, "/**") { // what is in a folder, not itself
			i.glob += "/*"
		}
		if !doublestar.ValidatePattern(i.glob) {
			return nil, fmt.Errorf("%s, line %d: %q is no pattern of files", name, n, lines.Text())
		}
		list = append(list, i)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return list, nil
}

// leaveOut says whether a file or folder is left out; what is in a folder that is left out is not asked for.
func (l ignores) leaveOut(root, path string, folder bool) bool {
	rel, err := filepath.Rel(root, path)
	if err != nil || rel == "." {
		return false
	}
	rel = filepath.ToSlash(rel)
	for i := len(l) - 1; i >= 0; i-- {
		if l[i].folders && !folder {
			continue
		}
		if hit, _ := doublestar.Match(l[i].glob, rel); hit { // the pattern is valid
			return !l[i].back
		}
	}
	return false
}
