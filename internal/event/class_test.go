package event

import (
	"slices"
	"testing"
)

func TestClassesSayWhatAnEventMeans(t *testing.T) {
	classes := ReadClasses(`
iam,file user,? user_change oauth2 USER_EDIT USER_X

!file denied policy_block failure BLOCKED
`)
	f := func(kind, verb string, category, types []string, eventKind, activity, more string) {
		t.Helper()
		c, ok := classes[kind]
		b := NewBatch(Origin{Module: "acme"})
		c.Put(b.Add(nil, &Values{Raw: []byte(`{}`)}), verb)
		w := slices.Collect(Views(b.Take()))[0]
		if !ok || !slices.Equal(w.Strs("event.category"), category) || !slices.Equal(w.Strs("event.type"), types) ||
			w.Str("event.kind") != eventKind || w.Str("saas.activity") != activity || c.More != more {
			t.Errorf("%s: %+v", kind, w.Map())
		}
	}
	f("USER_EDIT", "EDIT", []string{"iam", "file"}, []string{"user", "change"}, "event", "user_change", "oauth2")
	f("USER_X", "created", []string{"iam", "file"}, []string{"user", "creation"}, "event", "user_change", "oauth2")
	f("USER_X", "X", []string{"iam", "file"}, []string{"user", "info"}, "event", "user_change", "oauth2")
	f("BLOCKED", "", []string{"file"}, []string{"denied"}, "alert", "policy_block", "failure")
	if len(classes) != 3 {
		t.Errorf("%d types of events", len(classes))
	}
}
