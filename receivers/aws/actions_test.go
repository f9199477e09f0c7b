package aws

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/saas/saastest"
	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

// seen are the raw objects of the entities that a receiver handed on, by stream and entity.id.
type seen struct {
	t    *testing.T
	c    *client // asks without the receiver
	mu   sync.Mutex
	raws map[string]map[string]string
}

func (s *seen) take(_ context.Context, l plog.Logs) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range event.Views(l) {
		stream, _, _ := strings.Cut(strings.Split(w.Str("saas.inventory.run_id"), "#")[0], "/")
		if id := strings.Clone(w.Str("entity.id")); id != "" {
			if s.raws[stream] == nil {
				s.raws[stream] = map[string]string{}
			}
			s.raws[stream][id] = strings.Clone(w.Raw())
		}
	}
	return nil
}

// pick is the first entity of a stream whose id and raw object hold all the texts, which may begin with "!" for none of them.
func (s *seen) pick(stream string, texts ...string) (id, raw string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(s.raws[stream])) {
		if raw = s.raws[stream][id]; !slices.ContainsFunc(texts, func(text string) bool {
			not, isNot := strings.CutPrefix(text, "!")
			return strings.Contains(id+" "+raw, not) == isNot
		}) {
			return id, raw
		}
	}
	s.t.Fatalf("%s has nothing with %q", stream, texts)
	return "", ""
}

// owned is a target in a bucket: the account that owns it comes with it.
func (s *seen) owned(texts ...string) saas.Target {
	s.t.Helper()
	id, raw := s.pick("files", texts...)
	return saas.Target{ID: id, Params: map[string]string{"owner.id": saas.TextAt(json.RawMessage(raw), "Bucket", "Account"),
		"label": "Confidential"}}
}

// inCloud runs f with a receiver that has read a fake.
func inCloud(t *testing.T, f func(a *saastest.Acts, s *seen)) {
	t.Helper()
	behindDoor(t, nil, func(http.ResponseWriter, *http.Request, http.Handler) bool { return false }, f)
}

// behindDoor is inCloud with further keys of the configuration, and a door that may answer in the place of the fake.
func behindDoor(t *testing.T, keys map[string]any, door func(http.ResponseWriter, *http.Request, http.Handler) bool,
	f func(a *saastest.Acts, s *seen)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)))
		fake, err := newSim(sim.Options{Seed: 3, Users: 30, Files: 200, Events: 5, Limits: -1, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		n, s := &simtest.Net{}, &seen{t: t, raws: map[string]map[string]string{}}
		base, stop := n.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !door(w, r, fake.Handler) {
				fake.Handler.ServeHTTP(w, r)
			}
		}))
		defer stop()
		next, err := consumer.NewLogs(s.take)
		if err != nil {
			t.Fatal(err)
		}
		at := &place{partition: partitionOf(simHome), region: simHome, endpoint: base}
		s.c = &client{Config: &Config{}, credential: newCredential(Auth{}, at, saas.Setup{}.Filled())}
		recv := saastest.Start(t, Provider, "acme", n, next, fake.Config(base), keys,
			map[string]any{"streams": map[string]any{"content": map[string]any{"enabled": false}}})
		defer saastest.End(t, recv)
		time.Sleep(30 * time.Minute)
		f(&saastest.Acts{T: t, Tenant: saastest.TenantOf(t, "aws", "acme"), Changes: func() (n int) {
			for _, q := range fake.Seen.All() {
				if changesCloud(q.Pattern) && q.Status < 300 {
					n += q.N
				}
			}
			return n
		}}, s)
	})
}

// changesCloud says whether an operation of the fake changes something, by its name.
func changesCloud(pattern string) bool {
	op := strings.Split(strings.Trim(pattern, "/"), "/")[1]
	return !slices.ContainsFunc([]string{"Get", "List", "Head", "Describe", "Assume", "Receive", "DeleteMessage", "ChangeMessage",
		"Simulate", "Generate", "list"}, func(verb string) bool { return strings.HasPrefix(op, verb) })
}

func TestActionsReachTheirState(t *testing.T) {
	inCloud(t, func(a *saastest.Acts, s *seen) {
		user, _ := s.pick("iam", ":user/user", `"mfa_active":"true"`, "!#")
		person, _ := s.pick("identity_users")
		group, _ := s.pick("identity_groups", "Empty")
		key, raw := s.pick("credentials", `"AccessKey"`, `"Status":"Active"`)
		for _, do := range []struct {
			verb   string
			target saas.Target
		}{
			{action.SuspendUser, saas.Target{ID: user}},
			{action.SuspendUser, saas.Target{ID: person}},
			{action.RevokeSessions, saas.Target{ID: user}},
			{action.ExpirePassword, saas.Target{ID: user}},
			{action.AddToGroup, saas.Target{ID: user, Params: map[string]string{"group.name": "Admins"}}},
			{action.AddToGroup, saas.Target{ID: person, Params: map[string]string{"group.id": group}}},
			{action.RevokeToken, saas.Target{ID: key, Params: map[string]string{"user.id": saas.TextAt(json.RawMessage(raw), "Arn")}}},
			{action.ResetFactors, saas.Target{ID: user}},
			{action.DeactivateUser, saas.Target{ID: user}},
		} {
			a.Try(do.verb, do.target)
		}
		root, _ := s.pick("iam", ":root")
		_, err := a.Plan(action.SuspendUser, saas.Target{ID: root})
		if !saas.Is(err, saas.Invalid) || !strings.Contains(err.Error(), "root user") {
			t.Errorf("the root user: %v", err)
		}
		if _, err := a.Plan(action.SuspendUser, saas.Target{}); !saas.Is(err, saas.Invalid) {
			t.Errorf("nobody: %v", err)
		}
	})
}

func TestWaysInAreClosed(t *testing.T) {
	inCloud(t, func(a *saastest.Acts, s *seen) {
		for stream, texts := range map[string][][]string{"external_access": {{":oidc-provider/"}, {":saml-provider/"}, {"DatadogIntegration"}},
			"identity_apps": {{"ENABLED"}}} {
			for _, with := range texts {
				id, _ := s.pick(stream, with...)
				a.Try(action.RevokeGrant, saas.Target{ID: id})
			}
		}
		held, _ := s.pick("iam", ":user/", "#arn:")
		a.Try(action.RevokeRole, saas.Target{ID: held})
		assigned, _ := s.pick("assignments", ":permissionSet/", "/GROUP/")
		a.Try(action.RevokeRole, saas.Target{ID: assigned})
	})
}

func TestActionsOnObjectsReachTheirState(t *testing.T) {
	inCloud(t, func(a *saastest.Acts, s *seen) {
		data := s.owned("contoso-data", ".txt", "!GLACIER")
		for _, verb := range []string{action.ApplyLabel, action.QuarantineFile, action.TombstoneFile, action.DeleteFile} {
			a.Try(verb, data)
		}
		public := s.owned("contoso-www", ".txt", "!GLACIER")
		a.Try(action.RemovePublicLink, public)
		a.Try(action.QuarantineFile, public)
	})
}
