package saas_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

func TestAKeyOfSeveralFieldsNeedsThemAll(t *testing.T) {
	layout := event.Compile(event.Table{{"a", ""}, {"b", ""}, {"c", ""}})
	f := func(n int, raw, want string) {
		t.Helper()
		var v event.Values
		if err := layout.Fill([]byte(raw), &v); err != nil {
			t.Fatal(err)
		}
		if got := saas.KeyOf(n)(&v); got != want {
			t.Errorf("%d of %s: %q, want %q", n, raw, got, want)
		}
	}
	f(1, `{"a":"x","b":"y"}`, "x")
	f(2, `{"a":"x","b":"y"}`, "x/y")
	f(3, `{"a":"x","b":7,"c":"z"}`, "x/7/z")
	f(2, `{"a":"x"}`, "")
	f(3, `{"a":"x","b":"","c":"z"}`, "")
	f(1, `{}`, "")
}

func TestTheObjectOfARecordIsKnownByItsID(t *testing.T) {
	f := func(id, want string) {
		t.Helper()
		if got := saas.ObjectKey(id); got != want {
			t.Errorf("%q: %q, want %q", id, got, want)
		}
	}
	f("abc", "abc")
	f("abc#1", "abc")
	f("abc#2#12", "abc#2")
	f("arn#AdministratorAccess", "arn#AdministratorAccess")
	f("abc#", "abc#")
	f("#1", "#1")
	f("", "")
}

func TestFragmentsAreJoinedAsTheyWereSent(t *testing.T) {
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	f := func(got json.RawMessage, want string) {
		t.Helper()
		if string(got) != want || !json.Valid(got) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	f(saas.Join("user roles", raw(`{"id" : 1.0}`), raw(`[ "a" ]`)), `{"user":{"id" : 1.0},"roles":[ "a" ]}`)
	f(saas.Join("user roles", nil, raw(`[]`)), `{"roles":[]}`)
	f(saas.Join("user roles", nil, nil), `{}`)
	f(saas.Join("user", saas.Quote("a \"quoted\" <name>\u2028")), `{"user":"a \"quoted\" \u003cname\u003e\u2028"}`)
	f(saas.Array(nil), `[]`)
	f(saas.Array([]json.RawMessage{raw(`1`), raw(`{"a":[]}`)}), `[1,{"a":[]}]`)
}

func TestAMemberIsFoundByItsNames(t *testing.T) {
	f := func(raw, path, want string) {
		t.Helper()
		if got := saas.Member(json.RawMessage(raw), strings.Fields(path)...); string(got) != want {
			t.Errorf("%s in %s: %s, want %s", path, raw, got, want)
		}
	}
	f(`{"a":{"b": {"c":[1,2]}},"b":0}`, "a b", `{"c":[1,2]}`)
	f(`{"a":{"b": {"c":[1,2]}},"b":0}`, "a b c", `[1,2]`)
	f(`{"a":{"b":1}}`, "a x", "")
	f(`{"a":{"b":1}}`, "a b c", "")
	f(`{"a":1}`, "", `{"a":1}`)
	f(`[1]`, "a", "")
	f(``, "a", "")
	g := func(raw, want string) {
		t.Helper()
		if got := saas.Text(json.RawMessage(raw)); got != want {
			t.Errorf("the text of %s is %q, want %q", raw, got, want)
		}
	}
	g(`"a\u00e9"`, "aé")
	g(`7`, "")
	g(`null`, "")
	g(``, "")
}

func TestAnEntitysRecordSaysWhatItIs(t *testing.T) {
	b := event.NewBatch(event.Origin{Module: "vendor", Dataset: "vendor.inventory"})
	v := event.Values{Raw: []byte(`{}`)}
	saas.NewEntity(func() *event.Record { return b.Add(nil, &v) }, "user", "u1", "iam", "user", "info")
	for w := range event.Views(b.Take()) {
		if w.Str("entity.type") != "user" || w.Str("entity.id") != "u1" || !slices.Equal(w.Strs("event.category"), []string{"iam"}) ||
			!slices.Equal(w.Strs("event.type"), []string{"user", "info"}) {
			t.Errorf("got %v", w.Map())
		}
	}
}

// acting runs f with the connection of a tenant whose vendor answers as h does.
func acting(t *testing.T, h http.HandlerFunc, f func(ctx context.Context, c *saas.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.serve(h)
		s.open = func() *saas.Instance { return &saas.Instance{} }
		s.start()
		f(t.Context(), s.tenant().Conn())
	})
}

func TestStepsAreSentInOrderUntilOneFails(t *testing.T) {
	var seen []string
	h := func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Method+" "+r.URL.Path)
		switch r.URL.Path {
		case "/gone":
			w.WriteHeader(http.StatusNotFound)
		case "/denied":
			w.WriteHeader(http.StatusForbidden)
		default:
			_, _ = io.WriteString(w, `{"name":"x"}`)
		}
	}
	f := func(steps string, fault saas.Outcome, want string) {
		t.Helper()
		acting(t, h, func(ctx context.Context, c *saas.Conn) {
			seen = nil
			var list []saas.Req
			for step := range strings.SplitSeq(steps, ", ") {
				method, path, _ := strings.Cut(step, " ")
				method, removes := strings.CutPrefix(method, "-")
				list = append(list, saas.Req{Method: method, URL: path, Removes: removes})
			}
			if err := saas.Send(ctx, c, list); fault < 0 && err != nil || fault >= 0 && !saas.Is(err, fault) {
				t.Errorf("%s: %v", steps, err)
			}
			if got := strings.Join(seen, ", "); got != want {
				t.Errorf("%s: sent %s", steps, got)
			}
		})
	}
	f("PUT /a, DELETE /b", -1, "PUT /a, DELETE /b")
	f("DELETE /gone, PUT /a", -1, "DELETE /gone, PUT /a")
	f("PUT /gone, PUT /a", saas.Missing, "PUT /gone")
	f("-POST /gone, PUT /a", -1, "POST /gone, PUT /a")
	f("PUT /a, PUT /denied, PUT /b", saas.Denied, "PUT /a, PUT /denied")
	acting(t, h, func(ctx context.Context, c *saas.Conn) {
		var v struct{ Name string }
		if err := saas.Get(ctx, c, "/a", &v); err != nil || v.Name != "x" {
			t.Errorf("got %+v, %v", v, err)
		}
		if err := saas.Get(ctx, c, "/gone", &v); !saas.Is(err, saas.Missing) {
			t.Errorf("got %v", err)
		}
	})
}

func TestAGuardedActionSendsNothingTwice(t *testing.T) {
	var seen []string
	h := func(_ http.ResponseWriter, r *http.Request) { seen = append(seen, r.URL.Path) }
	f := func(done bool, back []saas.Req, doing, undoing, fault string) {
		t.Helper()
		acting(t, h, func(ctx context.Context, c *saas.Conn) {
			a := saas.Guarded(saas.Action{Verb: "suspend"}, func(context.Context, *saas.Conn, *saas.Plan) (bool, error) { return done, nil })
			p := &saas.Plan{Verb: "suspend", Target: saas.Target{ID: "u1"}, Steps: []saas.Req{{Method: "POST", URL: "/do"}}, Back: back}
			seen = nil
			if err := a.Do(ctx, c, p); err != nil || strings.Join(seen, " ") != doing {
				t.Errorf("done %v: sent %v: %v", done, seen, err)
			}
			if ok, err := a.Done(ctx, c, p); ok != done || err != nil {
				t.Errorf("done %v: %v, %v", done, ok, err)
			}
			seen = nil
			err := a.Undo(ctx, c, p)
			wrong := fault == "" && err != nil || fault != "" && (err == nil || !strings.Contains(err.Error(), fault))
			if wrong || strings.Join(seen, " ") != undoing {
				t.Errorf("done %v: sent back %v: %v", done, seen, err)
			}
		})
	}
	back := []saas.Req{{Method: "POST", URL: "/back"}}
	f(false, back, "/do", "", "")
	f(true, back, "", "/back", "")
	f(true, nil, "", "", "nothing takes back this suspend of u1")
	acting(t, h, func(ctx context.Context, c *saas.Conn) {
		broken := func(context.Context, *saas.Conn, *saas.Plan) (bool, error) { return false, fmt.Errorf("cannot say") }
		a := saas.Guarded(saas.Action{Irreversible: "it is gone"}, broken)
		if err := a.Do(ctx, c, &saas.Plan{Steps: back}); err == nil || a.Undo != nil || len(seen) > 0 {
			t.Errorf("sent %v though nobody can say whether it is done: %v", seen, err)
		}
	})
	if err := saas.Refuse("no %s", "x"); !saas.Is(err, saas.Invalid) || !strings.Contains(err.Error(), "no x") {
		t.Error(err)
	}
	if err := saas.Settled("is %s", "so"); !saas.Is(err, saas.Already) || !strings.Contains(err.Error(), "is so") {
		t.Error(err)
	}
}

func TestSiftedRowsAreThoseThatAreWanted(t *testing.T) {
	rows := func(yield func(json.RawMessage, error) bool) {
		_ = yield(json.RawMessage(`1`), nil) && yield(json.RawMessage(`2`), nil) && yield(nil, io.EOF)
	}
	got, last := "", error(nil)
	for row, err := range saas.Sift(rows, func(row json.RawMessage) json.RawMessage {
		if string(row) == "1" {
			return nil
		}
		return append(row, '0')
	}) {
		got, last = got+string(row), err
	}
	if got != "20" || last != io.EOF {
		t.Errorf("%q, %v", got, last)
	}
	for range saas.Sift(rows, func(row json.RawMessage) json.RawMessage { return row }) {
		break
	}
}

func TestEachRowOfOneRequestIsCalledFor(t *testing.T) {
	h := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/denied" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, `{"rows":[1,2,3],"next":"/more"}`)
	}
	acting(t, h, func(ctx context.Context, c *saas.Conn) {
		var seen []string
		p, err := saas.Each(ctx, c, saas.Req{URL: "/rows"}, "rows", func(row json.RawMessage) error {
			seen = append(seen, string(row))
			return nil
		})
		if err != nil || strings.Join(seen, " ") != "1 2 3" || p.Field("next") != "/more" {
			t.Errorf("saw %v: %v", seen, err)
		}
		calls := 0
		_, err = saas.Each(ctx, c, saas.Req{URL: "/rows"}, "rows", func(json.RawMessage) error { calls++; return io.ErrNoProgress })
		if err != io.ErrNoProgress || calls != 1 {
			t.Errorf("%d calls, of which the first failed: %v", calls, err)
		}
		if _, err := saas.Each(ctx, c, saas.Req{URL: "/denied"}, "rows", nil); !saas.Is(err, saas.Denied) {
			t.Errorf("got %v", err)
		}
	})
}
