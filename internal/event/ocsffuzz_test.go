package event

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// FuzzAppendOCSF: whatever the fields of a record hold, its document obeys the schema and is the same each time.
func FuzzAppendOCSF(f *testing.F) {
	s := schema(f)
	for seed := range uint64(200) {
		f.Add(seed, "2026-11-23T20:14:03.417Z")
		f.Add(seed, "ana.roy@contoso.example")
		f.Add(seed, "broken \xff\x00 \u2028\"")
		f.Add(seed, "203.0.113.24")
		f.Add(seed, "1@..0")
	}
	f.Fuzz(func(t *testing.T, seed uint64, text string) {
		w := anyRecord(seed, text)
		out := AppendOCSF(nil, w, Encoding{})
		if !json.Valid(out) {
			t.Fatalf("no JSON: %s", out)
		}
		for _, p := range s.check(out) {
			t.Errorf("%s in %s", p, out)
		}
		if again := AppendOCSF(nil, w, Encoding{}); string(again) != string(out) {
			t.Errorf("other bytes for the same record:\n%s\n%s", out, again)
		}
	})
}

// anyRecord has some fields of the registry with values of any kind, and the words that decide its class more often.
func anyRecord(seed uint64, text string) View {
	r := rand.New(rand.NewPCG(seed, 1))
	texts := []string{text, text, "id" + text, strings.ToUpper(text), "user", "high", "saml", "::1", "7", "file"}
	one := func() any {
		switch r.IntN(12) {
		case 0:
			return int64(r.Uint64())
		case 1:
			return r.IntN(10)
		case 2:
			return r.Float64() * 1e18
		case 3:
			return r.IntN(2) == 0
		case 4:
			return map[string]any{"lat": r.Float64(), "lon": r.IntN(90)}
		case 5:
			return math.Inf(1)
		case 6:
			return nil
		}
		return texts[r.IntN(len(texts))]
	}
	attrs := map[string]any{"my." + text: one()}
	for range r.IntN(60) {
		v := one()
		if r.IntN(4) == 0 {
			list := make([]any, r.IntN(4))
			for i := range list {
				list[i] = one()
			}
			v = list
		}
		attrs[fieldTable[r.IntN(len(fieldTable))].name] = v
	}
	acts := []string{"login", "user_create", "role_grant", "app_consent", "group_member_add", "token_create", "app_install", "file_download",
		"link_create", "setting_change", "password_change"}
	for name, words := range map[string][]string{"event.kind": {"event", "event", "event", "alert", "asset", "state"}, "saas.activity": acts,
		"event.category": {"authentication", "iam", "iam", "file", "configuration", "session"}, "event.action": {"x", "suspend_user"},
		"event.type":  {"user", "group", "admin", "start", "change", "creation"},
		"entity.type": {"user", "file", "group"}, "user.id": texts, "file.name": texts, "event.id": texts} {
		if r.IntN(5) > 0 {
			attrs[name] = words[r.IntN(len(words))]
		}
	}
	w := foreign(attrs, text)
	w.Log.SetObservedTimestamp(pcommonTime(observed))
	return w
}
