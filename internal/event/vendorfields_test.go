package event

import (
	"fmt"
	"strings"
	"testing"
)

func TestVendorFieldsAreNamedOnceBelowTheirRoot(t *testing.T) {
	v := Vendor{Module: "acmefields", Root: "acmefields", Typed: []string{"acmefields.log"},
		Fields: "keyword acmefields.a.{x,y} acmefields.b ip acmefields.c"}
	RegisterVendor(v)
	defer RegisterVendor(Vendor{Module: "acmefields"})
	var got []string
	for _, r := range TypedVendors() {
		if r.Module == v.Module {
			for name, typ := range r.FieldTypes() {
				got = append(got, name+" "+typ)
			}
		}
	}
	if s := strings.Join(got, ", "); s != "acmefields.a.x keyword, acmefields.a.y keyword, acmefields.b keyword, acmefields.c ip" {
		t.Fatal(s)
	}
	f := func(fields string, typed []string, want string) {
		t.Helper()
		defer func() {
			if why := fmt.Sprint(recover()); !strings.Contains(why, want) {
				t.Errorf("%q: %s", fields, why)
			}
		}()
		RegisterVendor(Vendor{Module: "acmefields", Root: "acmefields", Fields: fields, Typed: typed})
	}
	all := []string{"acmefields.log"}
	f("acmefields.a", all, "before a type")
	f("keyword acmefields.{a,b.{c,d}}", all, "braces")
	f("keyword other.a", all, "not below the root")
	f("keyword acmefields.a ip acmefields.a", all, "twice")
	f("keyword acmefields.a acmefields.a.b", all, "below another")
	f("keyword acmefields.a", nil, "belong together")
}
