package okta

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/goleak"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/saas/saastest"
	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// org is a fake org and a real receiver that polls it, in a bubble of virtual time.
type org struct {
	*testing.T
	net  simtest.Net
	sim  *sim.Sim
	recv receiver.Logs
	base string

	mu   sync.Mutex
	got  map[string]map[string]int // keys by stream, and how often they came
	docs []map[string]any
	sent []string // what the fake answered to changes
}

// inOrg runs f while the receiver polls an org that does as Okta describes it.
func inOrg(t *testing.T, o sim.Options, keys map[string]any, f func(o *org)) {
	t.Helper()
	check := simtest.Spec(t, simSpec, simExceptions)
	inOddOrg(t, o, keys, check.Handler, f)
	check.Done(t, false)
}

// inOddOrg runs f while the receiver polls an org behind something that changes its answers.
func inOddOrg(t *testing.T, o sim.Options, keys map[string]any, odd func(http.Handler) http.Handler, f func(o *org)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		og := &org{T: t, got: map[string]map[string]int{}}
		if o.Now == nil {
			o.Now = time.Now
		}
		s, err := newSim(o)
		if err != nil {
			t.Fatal(err)
		}
		og.sim = s
		base, stop := og.net.Serve(odd(og.watch(s.Handler)))
		defer stop()
		og.base = base
		og.begin(keys)
		defer og.end()
		f(og)
	})
}

func asItIs(h http.Handler) http.Handler { return h }

// watch keeps the answers to changes.
func (o *org) watch(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || strings.HasPrefix(r.URL.Path, "/oauth2/v1/token") {
			h.ServeHTTP(w, r)
			return
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		o.mu.Lock()
		o.sent = append(o.sent, r.Method+" "+r.URL.RequestURI()+" "+rec.Body.String())
		o.mu.Unlock()
		maps.Copy(w.Header(), rec.Header())
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
}

func (o *org) begin(keys map[string]any) {
	o.Helper()
	fake := o.sim.Config(o.base)
	if auth, ok := keys["auth"].(map[string]any); ok {
		maps.Copy(fake["auth"].(map[string]any), auth)
		delete(keys, "auth")
	}
	o.recv = saastest.Start(o.T, Provider, "acme", &o.net, o, map[string]any{"start_at": "48h"}, fake, keys)
}

// pass lets virtual time pass, until everybody waits for more of it.
func (o *org) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (o *org) end() { saastest.End(o.T, o.recv) }

// Capabilities makes the org the next component.
func (o *org) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeLogs notes what came: an event by its id, an entity by its own.
func (o *org) ConsumeLogs(_ context.Context, logs plog.Logs) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for w := range event.Views(logs) {
		stream, key := "system_log", w.Str("event.id")
		if walk := w.Str("saas.inventory.run_id"); walk != "" {
			stream, _, _ = strings.Cut(walk[:strings.LastIndexByte(walk, '#')], "/")
			key = w.Str("entity.id")
		}
		if o.got[stream] == nil {
			o.got[stream] = map[string]int{}
		}
		if key != "" && w.Str("event.dataset") != "saas.agent" {
			o.got[stream][key]++
		}
		o.docs = append(o.docs, w.Map())
	}
	return nil
}

func (o *org) tenant() *saas.Tenant {
	o.Helper()
	t := saas.Find("okta", "acme")
	if t == nil {
		o.Fatal("the tenant does not run")
	}
	return t
}

func (o *org) status(stream string) saas.StreamStatus {
	o.Helper()
	for _, s := range o.tenant().Status().Streams {
		if s.Name == stream {
			return s
		}
	}
	o.Fatalf("there is no stream %s", stream)
	return saas.StreamStatus{}
}

// texts are the strings of a value.
func texts(v any) (out []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, e := range v {
			out = append(out, texts(e)...)
		}
	}
	return out
}

func hasPrefix(v any, prefix string) bool {
	s, _ := v.(string)
	return strings.HasPrefix(s, prefix)
}
