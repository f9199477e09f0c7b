package main

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// target is a fuzz target.
type target struct {
	dir  string // of its package
	name string
}

// targetsOf finds the targets in a folder and below, in order, without those of other modules.
func targetsOf(root string) ([]target, error) {
	var out []target
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return skipped(root, path, d.Name())
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		names, err := targetsIn(path)
		for _, name := range names {
			out = append(out, target{filepath.Dir(path), name})
		}
		return err
	})
	slices.SortFunc(out, func(a, b target) int { return cmp.Or(cmp.Compare(a.dir, b.dir), cmp.Compare(a.name, b.name)) })
	return out, err
}

// skipped says of a folder that it has no packages of the module.
func skipped(root, path, name string) error {
	if path == root {
		return nil
	}
	if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil || name == "testdata" || strings.HasPrefix(name, ".") ||
		strings.HasPrefix(name, "_") {
		return fs.SkipDir
	}
	return nil
}

// targetsIn are the names of a file's targets: functions as `go test` takes them.
func targetsIn(path string) ([]string, error) {
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Recv != nil || !strings.HasPrefix(fn.Name.Name, "Fuzz") || len(fn.Type.Params.List) != 1 {
			continue
		}
		if p, ok := fn.Type.Params.List[0].Type.(*ast.StarExpr); ok {
			if s, ok := p.X.(*ast.SelectorExpr); ok && s.Sel.Name == "F" {
				out = append(out, fn.Name.Name)
			}
		}
	}
	return out, nil
}
