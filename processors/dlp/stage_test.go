package dlp

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
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

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

// vault is a vendor with files, a walk over them and a log of what was touched.
type vault struct {
	mu      sync.Mutex
	files   map[string]*vaultFile
	log     []string
	fetched map[string]int                                                          // by file
	serve   func(w http.ResponseWriter, r *http.Request, id, body string) (ok bool) // instead of the bytes
	wrap    func(io.ReadCloser) io.ReadCloser
}

// vaultFile is the state of a file, and its content.
type vaultFile struct {
	state map[string]any
	body  string
}

func (v *vault) put(id, body string, change ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	sum := sha1.Sum([]byte(body))
	state := map[string]any{"id": id, "name": id + ".txt", "owner": "ann@acme.example", "sha1": hex.EncodeToString(sum[:]),
		"size": len(body), "visibility": "private"}
	for i := 0; i < len(change); i += 2 {
		state[change[i].(string)] = change[i+1]
	}
	v.files[id] = &vaultFile{state, body}
}

// touch logs that something happened to a file.
func (v *vault) touch(id string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.log = append(v.log, id)
}

func (v *vault) reads(id string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.fetched[id]
}

func (v *vault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	step := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case step[0] == "log":
		rows := []map[string]any{}
		for n, id := range v.log {
			rows = append(rows, map[string]any{"n": n, "file": id})
		}
		sim.WriteJSON(w, http.StatusOK, map[string]any{"rows": rows})
	case len(step) == 1:
		rows := []map[string]any{}
		for _, f := range v.files {
			rows = append(rows, f.state)
		}
		slices.SortFunc(rows, func(a, b map[string]any) int { return strings.Compare(a["id"].(string), b["id"].(string)) })
		sim.WriteJSON(w, http.StatusOK, map[string]any{"rows": rows})
	case v.files[step[1]] == nil:
		w.WriteHeader(http.StatusNotFound)
	case len(step) == 2:
		sim.WriteJSON(w, http.StatusOK, v.files[step[1]].state)
	default:
		id, body := step[1], v.files[step[1]].body
		v.fetched[id]++
		v.mu.Unlock()
		defer v.mu.Lock()
		if v.serve == nil || !v.serve(w, r, id, body) {
			_, _ = io.WriteString(w, body)
		}
	}
}

func text(v *event.Values, name string) string {
	var o map[string]any
	_ = json.Unmarshal(v.Raw, &o)
	s, _ := o[name].(string)
	return s
}

func (v *vault) instance(base string) *saas.Instance {
	mapFile := func(v *event.Values, add func() *event.Record) error {
		r := saas.NewEntity(add, "file", text(v, "id"), "file", "info")
		r.Str("saas.file.id", text(v, "id"))
		r.Str("file.name", text(v, "name"))
		r.Str("file.path", "/shared/"+text(v, "name"))
		r.Str("file.hash.sha1", text(v, "sha1"))
		r.Str("saas.file.owner.email", text(v, "owner"))
		r.Str("saas.share.visibility", text(v, "visibility"))
		r.Str("saas.share.link.url", text(v, "link"))
		r.Str("saas.container.name", text(v, "folder"))
		var o struct {
			Size int64    `json:"size"`
			With []string `json:"with"`
		}
		if err := json.Unmarshal(v.Raw, &o); err != nil {
			return err
		}
		if o.Size >= 0 {
			r.Int("file.size", o.Size)
		}
		r.Strs("saas.share.recipients", o.With...)
		return nil
	}
	rows := func(path string) saas.PollFunc {
		return saas.List(func(*saas.Run) saas.Req { return saas.Req{URL: path} }, func(p *saas.Reply) saas.Rows { return p.JSON("rows") }, nil)
	}
	key := func(v *event.Values) string { return text(v, "id") }
	return &saas.Instance{
		Base: base,
		Content: func(ctx context.Context, c *saas.Conn, f saas.FileRef) (io.ReadCloser, error) {
			p, err := c.Do(ctx, saas.Req{URL: "/files/" + f.Part.Key + "/content"})
			if err != nil {
				return nil, err
			}
			if v.wrap != nil {
				return v.wrap(p.Body()), nil
			}
			return p.Body(), nil
		},
		Streams: []saas.Stream{
			{Name: "log", Kind: saas.Audit, Dataset: "vault.log", Every: time.Minute, Keep: 24 * time.Hour,
				Key: func(v *event.Values) string { return string(v.Raw) },
				Map: func(_ *event.Values, add func() *event.Record) error {
					add().Str("event.action", "touched")
					return nil
				},
				Items: func(v *event.Values) []saas.Item { return []saas.Item{{Stream: "content", Key: text(v, "file")}} },
				Poll:  rows("/log")},
			{Name: "files", Kind: saas.Files, Dataset: "vault.inventory", Every: time.Hour, Key: key, Map: mapFile,
				Items: func(v *event.Values) []saas.Item {
					return []saas.Item{{Stream: "content", Key: text(v, "id"), Hash: "sha1:" + text(v, "sha1")}}
				},
				Poll: rows("/files")},
			{Name: "content", Kind: saas.Content, Dataset: "vault.inventory", Over: "files", Width: 8, Map: mapFile,
				Poll: func(ctx context.Context, r *saas.Run) error {
					p, err := r.Do(ctx, saas.Req{URL: "/files/" + r.Item().Key})
					if err != nil {
						return err
					}
					raw, err := p.Raw()
					if err != nil {
						return err
					}
					return r.Emit("", raw)
				}},
		},
	}
}

// stage is the vendor, a tenant that polls it, and processors behind it: all real but the network. It is for the inside of a
// synctest bubble, so that days pass in milliseconds.
type stage struct {
	*vault
	t     *testing.T
	net   *simtest.Net
	dir   string
	base  string
	disk  extension.Extension
	recv  receiver.Logs
	procs []processor.Logs
	tel   *componenttest.Telemetry
	logs  *bytes.Buffer
	core  zapcore.Core
	first []func(*Config)

	out    sync.Mutex
	got    []event.View
	refuse func(plog.Logs) error // what the next component says first
}

// newStage makes it with a processor for every change of the configuration, or one. It starts with the first live.
func newStage(t *testing.T, changes ...func(*Config)) *stage {
	t.Helper()
	s := &stage{vault: &vault{files: map[string]*vaultFile{}, fetched: map[string]int{}}, t: t, net: &simtest.Net{}, dir: t.TempDir(),
		tel: componenttest.NewTelemetry(), logs: &bytes.Buffer{}}
	s.core = zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewDevelopmentEncoderConfig()), zapcore.Lock(zapcore.AddSync(s.logs)), zap.DebugLevel)
	base, stop := s.net.Serve(s.vault)
	s.base = base
	t.Cleanup(func() {
		s.stop()
		stop()
		_ = s.tel.Shutdown(context.Background())
	})
	s.first = changes
	return s
}

// start starts the tenant and its processors.
func (s *stage) start(changes ...func(*Config)) {
	s.t.Helper()
	ctx, must := context.Background(), func(err error) {
		s.t.Helper()
		if err != nil {
			s.t.Fatal(err)
		}
	}
	if len(changes) == 0 {
		changes = []func(*Config){func(*Config) {}}
	}
	fan := fanOut{}
	for _, change := range changes {
		cfg := defaultConfig().(*Config)
		cfg.FingerprintKey = "0123456789abcdef"
		change(cfg)
		must(cfg.Validate())
		set := processortest.NewNopSettings(NewFactory().Type())
		set.TelemetrySettings = s.tel.NewTelemetrySettings()
		set.Logger = zap.New(s.core)
		p, err := NewFactory().CreateLogs(ctx, set, cfg, s)
		must(err)
		must(p.Start(ctx, s))
		s.procs, fan = append(s.procs, p), append(fan, p)
	}
	f := saas.NewFactory(saas.Provider{Name: "vault", Title: "Vault", Config: func() any { return &struct{}{} },
		Open: func(any, saas.Setup) (*saas.Instance, error) { return s.instance(s.base), nil }})
	cfg := f.CreateDefaultConfig().(*saas.Config)
	must(cfg.Unmarshal(confmap.NewFromStringMap(map[string]any{"storage": "file_storage", "middlewares": simtest.Middlewares()})))
	must(cfg.Validate())
	ff := filestorage.NewFactory()
	fc := ff.CreateDefaultConfig().(*filestorage.Config)
	fc.Directory = s.dir
	rs := receivertest.NewNopSettings(f.Type())
	rs.ID, rs.Logger = component.NewIDWithName(f.Type(), "acme"), zap.New(s.core)
	var err error
	s.disk, err = ff.Create(ctx, extension.Settings{ID: component.MustNewID("file_storage"), TelemetrySettings: rs.TelemetrySettings}, fc)
	must(err)
	s.recv, err = f.CreateLogs(ctx, rs, cfg, fan)
	must(err)
	must(s.disk.Start(ctx, s))
	must(s.recv.Start(ctx, s))
}

func (s *stage) stop() {
	if s.recv == nil {
		return
	}
	err := s.recv.Shutdown(context.Background())
	for _, p := range s.procs {
		err = errors.Join(err, p.Shutdown(context.Background()))
	}
	if err = errors.Join(err, s.disk.Shutdown(context.Background())); err != nil {
		s.t.Errorf("stop: %v", err)
	}
	s.recv, s.procs = nil, nil
}

// fanOut hands a copy to each pipeline, one after the other.
type fanOut []processor.Logs

// Capabilities is consumer.Logs's.
func (f fanOut) Capabilities() consumer.Capabilities { return consumer.Capabilities{MutatesData: true} }

// ConsumeLogs is consumer.Logs's.
func (f fanOut) ConsumeLogs(ctx context.Context, l plog.Logs) (err error) {
	for _, p := range f {
		one := plog.NewLogs()
		l.CopyTo(one)
		err = errors.Join(err, p.ConsumeLogs(ctx, one))
	}
	return err
}

// GetExtensions makes the stage the host.
func (s *stage) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{component.MustNewID("file_storage"): s.disk, simtest.NetID: s.net}
}

// Capabilities is consumer.Logs's.
func (s *stage) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeLogs makes the stage the last component.
func (s *stage) ConsumeLogs(_ context.Context, l plog.Logs) error {
	s.out.Lock()
	defer s.out.Unlock()
	if s.refuse != nil {
		if err := s.refuse(l); err != nil {
			return err
		}
	}
	for w := range event.Views(l) {
		s.got = append(s.got, w)
	}
	return nil
}

// live lets time pass.
func (s *stage) live(d time.Duration) {
	if s.recv == nil {
		s.start(s.first...)
	}
	<-time.After(d)
	synctest.Wait()
}

// take gives what came out since the last time, by event.action, and "state" for the files' own records.
func (s *stage) take() map[string][]event.View {
	s.out.Lock()
	defer s.out.Unlock()
	out := map[string][]event.View{}
	for _, w := range s.got {
		kind := w.Str("event.action")
		if w.Str("entity.type") == "file" {
			kind = "state"
		}
		out[kind] = append(out[kind], w)
	}
	s.got = nil
	return out
}

// sum is a counter's value, for one value of an attribute; "" = all.
func (s *stage) sum(name, attr, value string) (n int64) {
	m, err := s.tel.GetMetric(name)
	if err != nil {
		return 0
	}
	for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
		if v, _ := p.Attributes.Value("outcome"); attr == "" || v.AsString() == value {
			n += p.Value
		}
	}
	return n
}
