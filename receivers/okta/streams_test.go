package okta

import (
	"maps"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/saas/saastest"
	"github.com/longshore-dev/longshore/internal/sim"
)

func TestEveryStreamIsDelivered(t *testing.T) {
	for _, variant := range []string{"dpop", "token"} {
		t.Run(variant, func(t *testing.T) {
			inOrg(t, sim.Options{Seed: 4, Variant: variant, Events: 400, Users: 40, Late: 0.1}, nil, func(o *org) {
				o.pass(2 * time.Hour)
				o.mu.Lock()
				defer o.mu.Unlock()
				for _, stream := range o.sim.Streams {
					var want []string
					o.sim.Published(stream, func(key string) bool { want = append(want, key); return true })
					slices.Sort(want)
					got := slices.Sorted(maps.Keys(o.got[stream]))
					if !slices.Equal(got, want) || len(want) < 2 {
						t.Errorf("%s: %d keys delivered, %d published: %.300v and %.300v", stream, len(got), len(want), got, want)
					}
					for key, n := range o.got[stream] {
						if n != 1 {
							t.Errorf("%s: %s came %d times", stream, key, n)
						}
					}
				}
				if n := o.sim.Seen.Count("", "", http.StatusTooManyRequests); n > 0 {
					t.Errorf("%d requests above the limit", n)
				}
				for _, s := range o.tenant().Status().Streams {
					if s.Off != "" || s.LastError != "" || s.SetAside > 0 || s.Gaps > 0 {
						t.Errorf("%s: off %q, error %q, %d set aside, %d gaps", s.Name, s.Off, s.LastError, s.SetAside, s.Gaps)
					}
				}
			})
		})
	}
}

func TestEveryStreamOfTheFakeIsOneOfTheReceiver(t *testing.T) {
	s, err := newSim(sim.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, st := range streams(&Config{}, "") {
		names = append(names, st.Name)
		if st.Docs == "" || len(st.Needs) == 0 || len(st.Gives) == 0 || st.Dataset == "" {
			t.Errorf("%s does not say all that a stream says", st.Name)
		}
	}
	if !slices.Equal(slices.Sorted(slices.Values(names)), slices.Sorted(slices.Values(s.Streams))) {
		t.Errorf("the receiver has %v, the fake %v", names, s.Streams)
	}
}

func TestReadOnlyAdministratorReadsAllButRolesAndTokens(t *testing.T) {
	inOrg(t, sim.Options{Seed: 4, Variant: "readonly", Events: 50, Users: 30}, nil, func(o *org) {
		o.pass(90 * time.Minute)
		for _, s := range o.tenant().Status().Streams {
			off := s.Name == "admin_roles" || s.Name == "custom_roles" || s.Name == "api_tokens"
			if (s.Off != "") != off {
				t.Errorf("%s: off %q", s.Name, s.Off)
			}
			if !off && len(o.got[s.Name]) == 0 {
				t.Errorf("%s: nothing came", s.Name)
			}
		}
	})
}

// dying refuses, from the moment on, the link that was stored then.
func dying(status int, killed *atomic.Bool) func(http.Handler) http.Handler {
	dead := ""
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if killed.Load() && dead == "" && r.URL.Query().Has("after") {
				dead = r.URL.String()
			}
			if r.URL.String() == dead {
				sim.WriteJSON(w, status, obj{"errorCode": "E0000001", "errorSummary": "Api validation failed: after"})
				return
			}
			h.ServeHTTP(w, r)
		})
	}
}

// seldom lets hours pass with few requests.
func seldom() map[string]any {
	return map[string]any{"streams": map[string]any{"system_log": map[string]any{"interval": "10m"}}}
}

func TestDeadLinkOfTheLogIsReadAgainFromWhereItEnded(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusNotFound, http.StatusGone} {
		late := sim.Options{Seed: 5, Variant: "token", Events: 300, Users: 30, Limits: -1, Late: 0.1, Span: 30 * time.Hour}
		var killed atomic.Bool
		inOddOrg(t, late, seldom(), dying(status, &killed), func(o *org) {
			o.pass(time.Hour)
			before := len(o.got["system_log"])
			killed.Store(true)
			o.pass(10 * time.Hour)
			want := o.sim.Count("system_log")
			if len(o.got["system_log"]) != want || before == want {
				t.Errorf("%d: %d events delivered, %d published, %d before the link died", status, len(o.got["system_log"]), want, before)
			}
			for key, n := range o.got["system_log"] {
				if n != 1 {
					t.Errorf("%d: event %s came %d times", status, key, n)
				}
			}
			if s := o.status("system_log"); s.Off != "" || s.LastError != "" || s.Gaps > 0 {
				t.Errorf("%d: off %q, error %q, %d gaps", status, s.Off, s.LastError, s.Gaps)
			}
		})
	}
}

func TestLogOlderThanOktaKeepsIsAGap(t *testing.T) {
	inOrg(t, sim.Options{Seed: 5, Events: 100, Users: 30, Limits: -1}, map[string]any{"start_at": "200d"}, func(o *org) {
		o.pass(10 * time.Minute)
		if s := o.status("system_log"); s.Gaps != 1 || s.Off != "" || s.LastError != "" {
			t.Errorf("%d gaps, off %q, error %q", s.Gaps, s.Off, s.LastError)
		}
		if got, want := len(o.got["system_log"]), o.sim.Count("system_log"); got != want {
			t.Errorf("%d events delivered, %d published", got, want)
		}
	})
}

func TestBuiltInGroupsCanBeLeftOut(t *testing.T) {
	inOrg(t, sim.Options{Seed: 4, Events: 20, Users: 30, Limits: -1}, map[string]any{"skip_builtin_groups": true}, func(o *org) {
		o.pass(time.Hour)
		if n := o.status("group_members").Parts; n != 7 || len(o.got["groups"]) != 8 {
			t.Errorf("members of %d groups are read, of %d groups", n, len(o.got["groups"]))
		}
	})
}

func TestActivityMakesWhatItTouchedDue(t *testing.T) {
	all := map[string]any{"auth": map[string]any{"governance": []any{"all"}}}
	inOrg(t, sim.Options{Seed: 4, Events: 20, Users: 30, Limits: -1}, all, func(o *org) {
		o.pass(90 * time.Minute)
		ctx, conn := o.Context(), o.tenant().Conn()
		deleted := func(stream string) bool {
			o.mu.Lock()
			defer o.mu.Unlock()
			return slices.ContainsFunc(o.docs, func(d map[string]any) bool {
				return saastest.Lookup(d, "event.action") == nil && slices.Contains(texts(saastest.Lookup(d, "event.type")), "deletion") &&
					len(texts(saastest.Lookup(d, "saas.inventory.run_id"))) > 0 && hasPrefix(saastest.Lookup(d, "saas.inventory.run_id"), stream+"/")
			})
		}
		var grants []struct{ ID, UserID string }
		for key := range o.got["users"] {
			if err := saas.Get(ctx, conn, "/api/v1/users/"+key+"/grants", &grants); err == nil && len(grants) > 0 {
				break
			}
		}
		if err := saas.Send(ctx, conn, remove("/api/v1/users/"+grants[0].UserID+"/grants/"+grants[0].ID)); err != nil {
			t.Fatal(err)
		}
		o.pass(2 * time.Minute)
		if !deleted("user_grants") {
			t.Error("a consent that was revoked is not noticed by its event")
		}
	})
}

func TestStreamsNeedNoMoreThanTheySay(t *testing.T) {
	all := streams(&Config{}, "")
	for _, s := range all {
		scopes := []any{}
		for _, need := range s.Needs {
			scopes = append(scopes, need)
		}
		for _, parent := range all {
			if parent.Name == s.Over {
				for _, need := range parent.Needs {
					scopes = append(scopes, need)
				}
			}
		}
		inOrg(t, quiet("dpop"), map[string]any{"auth": map[string]any{"scopes": scopes}}, func(o *org) {
			o.pass(30 * time.Minute)
			if st := o.status(s.Name); st.Off != "" || st.LastError != "" || len(o.got[s.Name]) != o.sim.Count(s.Name) {
				t.Errorf("%s with %v: off %q, error %q, %d of %d delivered", s.Name, scopes, st.Off, st.LastError, len(o.got[s.Name]),
					o.sim.Count(s.Name))
			}
		})
	}
}
