package salesforce

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/goleak"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/saas/saastest"
	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tenancy is a fake org and a receiver that polls it, in a bubble of virtual time.
type tenancy struct {
	*testing.T
	net  simtest.Net
	fake *sim.Sim

	mu   sync.Mutex
	docs []map[string]any
	sent []string // changes: what was asked and answered
	asks []*http.Request
}

// inOrg runs f while the receiver polls an org; odd may change what the org does, nil = as it is.
func inOrg(t *testing.T, o sim.Options, keys map[string]any, odd func(http.Handler) http.Handler, f func(o *tenancy)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		// the clock of a bubble begins before what readers of time stamps take for one
		time.Sleep(time.Until(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)))
		o.Now = time.Now
		fake, err := newSim(o)
		if err != nil {
			t.Fatal(err)
		}
		te := &tenancy{T: t, fake: fake}
		h := te.watch(fake.Handler)
		if odd != nil {
			h = odd(h)
		}
		base, stop := te.net.Serve(h)
		defer stop()
		recv := saastest.Start(t, Provider, "acme", &te.net, te, map[string]any{"start_at": "2h"}, fake.Config(base), keys)
		defer saastest.End(t, recv)
		f(te)
	})
}

// watch notes the requests, and of those that change something the answers.
func (o *tenancy) watch(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &answer{ResponseWriter: w}
		h.ServeHTTP(rec, r)
		o.mu.Lock()
		defer o.mu.Unlock()
		o.asks = append(o.asks, r)
		if r.Method != http.MethodGet && !strings.HasSuffix(r.URL.Path, "/oauth2/token") {
			o.sent = append(o.sent, r.Method+" "+r.URL.Path+" "+rec.body.String())
		}
	})
}

type answer struct {
	http.ResponseWriter
	body strings.Builder
}

func (w *answer) Write(p []byte) (int, error) {
	w.body.Write(p)
	return w.ResponseWriter.Write(p)
}

// Capabilities makes the org the next component.
func (o *tenancy) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// judges is the set of detectors by which content is judged in a test that registers it.
const judges = "set 1"

// ConsumeLogs notes what came, and reads the content that is asked for.
func (o *tenancy) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	for w := range event.Views(logs) {
		f := o.tenant().File(w.Str("event.id"))
		if f == nil || f.Verdict(judges) != nil {
			continue
		}
		in, err := f.Open(ctx)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, in)
		if err = errors.Join(err, in.Close()); err != nil {
			return err
		}
		f.Judge(judges, json.RawMessage(`{}`), true)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for w := range event.Views(logs) {
		o.docs = append(o.docs, w.Map())
	}
	return nil
}

// came are the records that ok says yes to.
func (o *tenancy) came(ok func(doc map[string]any) bool) []map[string]any {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(o.docs), func(d map[string]any) bool { return !ok(d) })
}

// asked counts the requests whose URL holds a text.
func (o *tenancy) asked(text string) (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.asks {
		if strings.Contains(r.URL.Path+"?"+r.URL.Query().Get("q"), text) {
			n++
		}
	}
	return n
}

// pass lets virtual time pass, until everybody waits for more of it.
func (o *tenancy) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (o *tenancy) tenant() *saas.Tenant {
	o.Helper()
	t := saas.Find("salesforce", "acme")
	if t == nil {
		o.Fatal("the tenant does not run")
	}
	return t
}

func (o *tenancy) status(stream string) saas.StreamStatus {
	o.Helper()
	for _, s := range o.tenant().Status().Streams {
		if s.Name == stream {
			return s
		}
	}
	o.Fatalf("there is no stream %s", stream)
	return saas.StreamStatus{}
}

// rows asks the org.
func (o *tenancy) rows(soql string) []json.RawMessage {
	o.Helper()
	at := &org{Config: defaults()}
	rows, err := at.all(o.Context(), o.tenant().Conn(), at.query(soql))
	if err != nil {
		o.Fatal(err)
	}
	return rows
}

// text is a member of the first row of a question; "" = there is none.
func (o *tenancy) text(soql string, path ...string) string {
	o.Helper()
	rows := o.rows(soql)
	if len(rows) == 0 {
		return ""
	}
	return strings.Trim(string(saas.Member(rows[0], path...)), `"`)
}
