package event

import (
	"iter"
	"maps"
	"slices"
	"strings"
)

// vendorTypes are the types that a vendor's member may have in an index.
var vendorTypes = []string{"keyword", "ip", "long", "date", "boolean", "geo_point", "flattened"}

// FieldTypes iterates over the names and types in Fields.
func (v Vendor) FieldTypes() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		typ := ""
		for word := range strings.FieldsSeq(v.Fields) {
			if slices.Contains(vendorTypes, word) {
				typ = word
				continue
			}
			names, _ := alternatives(word)
			for _, name := range names {
				if !yield(name, typ) {
					return
				}
			}
		}
	}
}

// TypedVendors are the registered vendors that have Fields, in the order of their modules.
func TypedVendors() (all []Vendor) {
	table := vendors.table.Load()
	if table == nil {
		return nil
	}
	for _, module := range slices.Sorted(maps.Keys(*table)) {
		if v := (*table)[module].Vendor; v.Fields != "" {
			all = append(all, v)
		}
	}
	return all
}

// checkVendorFields panics when Fields cannot be a mapping: they are constants of the program.
func checkVendorFields(v Vendor) {
	seen := map[string]bool{}
	for name, typ := range v.FieldTypes() {
		at := strings.LastIndexByte(name, '.')
		switch {
		case strings.ContainsAny(name, "{},"):
			panic("event: vendor field " + name + " of " + v.Module + ": braces within braces")
		case typ == "":
			panic("event: vendor field " + name + " of " + v.Module + " stands before a type")
		case at < 0 || v.Root != "" && !strings.HasPrefix(name, v.Root+"."):
			panic("event: vendor field " + name + " is not below the root of " + v.Module)
		case seen[name]:
			panic("event: vendor field " + name + " is listed twice")
		}
		seen[name] = true
	}
	for name := range seen {
		for at := strings.LastIndexByte(name, '.'); at > 0; at = strings.LastIndexByte(name[:at], '.') {
			if seen[name[:at]] {
				panic("event: vendor field " + name + " is below another, which is no object")
			}
		}
	}
	if (v.Fields == "") != (len(v.Typed) == 0) {
		panic("event: Fields and Typed of " + v.Module + " belong together")
	}
}
