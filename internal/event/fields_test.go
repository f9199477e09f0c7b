package event

import (
	"slices"
	"strings"
	"testing"
)

func TestTheRegistrySaysOfEveryFieldWhatItIs(t *testing.T) {
	own := 0
	var fields []FieldInfo
	for f := range Fields() {
		fields = append(fields, f)
		if f.Meaning == "" || strings.ContainsAny(f.Meaning, "{}\t|") || FieldType(f.Name) != f.Type {
			t.Errorf("got %+v", f)
		}
		if strings.HasPrefix(f.Name, "saas.") {
			own++
		}
	}
	if own == 0 || own >= 120 {
		t.Errorf("%d fields below saas., there is room for 119", own)
	}
	i := 0
	for name := range FieldTypes() {
		if i >= len(fields) || fields[i].Name != name {
			t.Fatalf("field %d is not %s", i, name)
		}
		i++
	}
	f := func(name, typ string, list bool, meaning string, places ...string) {
		t.Helper()
		at := slices.IndexFunc(fields, func(f FieldInfo) bool { return f.Name == name })
		if at < 0 {
			t.Fatalf("no field %s", name)
		}
		if got := fields[at]; got.Type != typ || got.List != list || got.Meaning != meaning || !slices.Equal(got.OCSF, places) {
			t.Errorf("got %+v", got)
		}
	}
	f("organization.name", "keyword", false, "the tenant's name at the vendor", "cloud.org.name")
	f("saas.change.old", "keyword", true, "what changed: old values, index for index")
	f("threat.tactic.name", "keyword", true, "tactics: names", "finding_info.attacks[].tactic.name")
	f("event.outcome", "keyword", false, "`success`, `failure` or `unknown`", "not 2xxx: status")
	f("saas.credential.id", "keyword", false, "key, secret, token: id or its last characters, never the secret", "3004c: entity.uid",
		"5023: resources[credential].uid", "2004: resources[credential].uid")
	f("agent.name", "keyword", false, "the collector's name")
}

// BenchmarkRegistry is what reading the registry adds to the program's start.
func BenchmarkRegistry(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		readFields(registry)
	}
}
