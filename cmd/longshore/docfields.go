package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"
)

// configTable is the table of the keys of a struct type: the fields that are declared in the folder's source, with their comments
// and what they are in the default configuration. Keys of foreign structs are left to their own documentation.
func configTable(folder string, t reflect.Type, defaults any) (string, error) {
	comments, err := fieldComments(folder)
	if err != nil {
		return "", err
	}
	conf := confmap.New()
	if err = marshal(conf, defaults); err != nil {
		return "", fmt.Errorf("write defaults: %w", err)
	}
	var b strings.Builder
	b.WriteString("| key | default | meaning |\n| --- | --- | --- |\n")
	writeFields(&b, t, "", comments, conf)
	return b.String(), nil
}

// writeFields writes a line per commented key and goes into the structs below it.
func writeFields(b *strings.Builder, t reflect.Type, prefix string, comments map[string]string, conf *confmap.Conf) {
	for f := range fields(t) {
		key, opts, _ := strings.Cut(f.Tag.Get("mapstructure"), ",")
		ft := f.Type
		for ft.Kind() == reflect.Pointer || ft.Kind() == reflect.Map {
			ft = ft.Elem()
		}
		if strings.Contains(opts, "squash") {
			writeFields(b, ft, prefix, comments, conf)
			continue
		}
		text, ours := comments[t.Name()+"."+f.Name]
		if !ours || key == "" || key == "-" {
			continue
		}
		path := prefix + key
		if rest, ok := strings.CutPrefix(text, f.Name+" "); ok {
			text = "`" + key + "` " + rest
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", path, written(conf.Get(strings.ReplaceAll(path, ".", confmap.KeyDelimiter)), f.Type), cell(text))
		if f.Type.Kind() == reflect.Map {
			path += ".NAME"
		}
		if ft.Kind() == reflect.Struct {
			writeFields(b, ft, path+".", comments, conf)
		}
	}
}

// written is a default as a user would write it; nothing for what is empty, a secret or more than one value.
func written(v any, t reflect.Type) string {
	switch t.Kind() {
	case reflect.Slice, reflect.Map, reflect.Pointer:
		return ""
	}
	text := fmt.Sprint(v)
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		text = short(d)
	}
	if v != nil && text != "" && t != reflect.TypeFor[configopaque.String]() && !strings.HasPrefix(text, "map[") {
		return "`" + text + "`"
	}
	return ""
}

// fieldComments are the comments of all struct fields in a folder's source, by "Type.Field".
func fieldComments(folder string) (map[string]string, error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("find source in %q: %w", folder, os.ErrNotExist)
	}
	out := map[string]string{}
	for _, name := range slices.DeleteFunc(names, func(n string) bool { return strings.HasSuffix(n, "_test.go") }) {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("read source: %w", err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if ts, ok := n.(*ast.TypeSpec); ok {
				if st, ok := ts.Type.(*ast.StructType); ok {
					maps.Copy(out, structComments(ts.Name.Name, st))
				}
			}
			return true
		})
	}
	return out, nil
}

func structComments(name string, st *ast.StructType) map[string]string {
	out := map[string]string{}
	for _, f := range st.Fields.List {
		text := f.Doc.Text()
		if text == "" {
			text = f.Comment.Text()
		}
		for _, id := range f.Names {
			out[name+"."+id.Name] = text
		}
	}
	return out
}
