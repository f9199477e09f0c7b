package saastest

import (
	"context"
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
)

// acme is a small provider with one stream of each shape: an endless feed of sign-ins, an audit log read newest first in
// windows that touches drives, users, a user's grants, and drives read in parts. change may spoil it.
func acme(change func(*saas.Instance)) saas.Provider {
	return saas.Provider{
		Name: "acme", Title: "Acme",
		Config: func() any { return &acmeConfig{} },
		Sim:    newAcmeSim,
		Open: func(cfg any, s saas.Setup) (*saas.Instance, error) {
			inst := acmeInstance(cfg.(*acmeConfig), s)
			if change != nil {
				change(inst)
			}
			return inst, nil
		},
	}
}

type acmeConfig struct {
	Secret string `mapstructure:"secret"`
}

func acmeInstance(c *acmeConfig, s saas.Setup) *saas.Instance {
	in := func(prefix string) func(saas.Req) bool {
		return func(q saas.Req) bool { return strings.HasPrefix(strings.TrimPrefix(q.URL, s.Endpoint), prefix) }
	}
	return &saas.Instance{
		Base: s.Endpoint,
		Auth: saas.Auth{Mint: func(ctx context.Context, conn *saas.Conn, _ string) (saas.Token, error) {
			p, err := conn.Do(ctx, saas.Req{URL: "/token", Body: "secret=" + c.Secret, NoAuth: true})
			if err != nil {
				return saas.Token{}, err
			}
			var t struct{ Token string }
			err = p.Into(&t)
			return saas.Token{Value: t.Token}, err
		}},
		Budgets: []saas.Budget{{Name: "log", Match: in("/log"), Limit: 60, Per: time.Minute}, {Name: "rest", Limit: 600, Per: time.Minute,
			Match: func(q saas.Req) bool { return !in("/log")(q) }}, {Name: "in flight", Limit: 20}},
		Rights: func(ctx context.Context, conn *saas.Conn) (*saas.Rights, error) {
			p, err := conn.Do(ctx, saas.Req{URL: "/me"})
			if err != nil {
				return nil, err
			}
			r := &saas.Rights{OrgID: "org1"}
			return r, p.Into(&r.Held)
		},
		Streams: []saas.Stream{
			{Name: "signins", Kind: saas.SignIn, Dataset: "acme.signin", Every: 15 * time.Second, Keep: time.Hour, Needs: []string{"log"},
				Fields: event.Table{{"id", ""}, {"at", "@timestamp"}}, Key: acmeKey, Map: acmeEvent,
				Poll: saas.Feed(signinsSince, acmeRows, acmeNext)},
			{Name: "audit", Kind: saas.Audit, Dataset: "acme.audit", Every: time.Minute, Keep: 2 * time.Hour, Needs: []string{"log"},
				Fields: event.Table{{"id", ""}, {"at", "@timestamp"}, {"user", "user.id"}}, Key: acmeKey, Map: acmeEvent,
				Items: func(v *event.Values) []saas.Item {
					return []saas.Item{{Stream: "drives", Key: v.Str(2)}, {Stream: "content", Key: v.Str(2) + "-files1"}}
				},
				Poll: auditWindow(45*time.Minute, readAudit)},
			acmeList("users", saas.Accounts, "", time.Hour, func(v *event.Values) []saas.Item {
				return []saas.Item{{Stream: "grants", Key: v.Str(0)}, {Stream: "drives", Key: v.Str(0)}, {Stream: "files", Key: v.Str(0)}}
			}),
			acmeList("grants", saas.Grants, "users", 6*time.Hour, nil),
			acmeList("drives", saas.Files, "users", 12*time.Hour, nil),
			acmeList("files", saas.Files, "users", 12*time.Hour, func(v *event.Values) []saas.Item {
				return []saas.Item{{Stream: "content", Key: v.Str(0), Hash: "sha1:" + v.Str(2)}}
			}),
			acmeContent(),
		},
		Content: func(ctx context.Context, conn *saas.Conn, f saas.FileRef) (io.ReadCloser, error) {
			p, err := conn.Do(ctx, saas.Req{URL: "/files/" + f.ID + "/content"})
			if err != nil {
				return nil, err
			}
			return p.Body(), nil
		},
	}
}

// acmeContent reads the state of a file whose content is to be judged.
func acmeContent() saas.Stream {
	st := acmeList("files", saas.Content, "files", 0, nil)
	st.Name, st.Poll = "content", func(ctx context.Context, r *saas.Run) error {
		p, err := r.Do(ctx, saas.Req{URL: "/files/" + r.Item().Key})
		if err != nil {
			return err
		}
		raw, err := p.Raw()
		if err != nil {
			return err
		}
		return r.Emit("", raw)
	}
	return st
}

func acmeList(name string, kind saas.Kind, over string, every time.Duration, items func(*event.Values) []saas.Item) saas.Stream {
	return saas.Stream{Name: name, Kind: kind, Dataset: "acme.inventory", Over: over, Every: every, Width: 3, Keep: time.Hour,
		Fields: event.Table{{"id", ""}, {"name", "entity.name"}, {"sha1", "file.hash.sha1"}}, Key: acmeKey, Items: items,
		Map: func(v *event.Values, add func() *event.Record) error {
			add().Entity(strings.TrimSuffix(name, "s"), v.Str(0))
			return nil
		},
		Poll: saas.List(func(r *saas.Run) saas.Req { return saas.Req{URL: "/" + name + "?of=" + r.Item().Key} }, acmeRows, acmeNext)}
}

func signinsSince(r *saas.Run) saas.Req {
	return saas.Req{URL: "/log/signins?since=" + url.QueryEscape(r.Since().Format(time.RFC3339Nano))}
}

// auditWindow reads the audit log, newest first, with an overlap.
func auditWindow(lag time.Duration, read func(context.Context, *saas.Run, saas.Req) error) saas.PollFunc {
	return saas.Window{Lag: lag, Max: time.Hour, Read: func(ctx context.Context, r *saas.Run, from, to time.Time) error {
		q := url.Values{"from": {from.Format(time.RFC3339Nano)}, "to": {to.Format(time.RFC3339Nano)}}
		return read(ctx, r, saas.Req{URL: "/log/audit?" + q.Encode()})
	}}.Poll
}

func readAudit(ctx context.Context, r *saas.Run, q saas.Req) error {
	return saas.Pages(ctx, r, q, acmeRows, acmeNext)
}

func acmeKey(v *event.Values) string { return v.Str(0) }

func acmeEvent(v *event.Values, add func() *event.Record) error {
	if _, ok := v.Time(1); !ok {
		return fmt.Errorf("read event %q: no time", v.Str(0))
	}
	add()
	return nil
}

func acmeRows(p *saas.Reply) saas.Rows { return p.JSON("rows") }

func acmeNext(p *saas.Reply, _ json.RawMessage) (saas.Req, bool) {
	next := p.Field("next")
	return saas.Req{URL: next}, next != ""
}

var acmeText = strings.Repeat("as long as vendors' events are. ", 40)

// acmeSim is the fake.
type acmeSim struct {
	o     sim.Options
	feed  [2]*sim.Feed
	users []string

	mu     sync.Mutex
	tokens map[string]bool
}

func newAcmeSim(o sim.Options) (*sim.Sim, error) {
	o = o.Filled()
	s := &acmeSim{o: o, tokens: map[string]bool{}}
	for i := range max(3, o.Users) {
		s.users = append(s.users, fmt.Sprintf("u%03d", i))
	}
	for n, name := range []string{"signin", "audit"} {
		opts := o
		opts.Seed += int64(n)
		var err error
		s.feed[n], err = sim.NewFeed(opts, sim.FeedSpec{Events: 500, MaxLag: 30 * time.Minute,
			Key: func(i int) string { return name + strconv.Itoa(i) },
			Make: func(b []byte, i int, at time.Time) []byte {
				who := s.users[len(s.users)-1-i%len(s.users)]
				return fmt.Appendf(b, `{"id":"%s%d","at":"%s","user":"%s","detail":{"n":%d,"text":"%s"}}`, name, i,
					at.Format(time.RFC3339Nano), who, i, acmeText)
			}})
		if err != nil {
			return nil, err
		}
	}
	mux := http.NewServeMux()
	s.routes(mux)
	limits := &sim.Limiter{Now: o.Now, Factor: o.Limits, Of: func(r *http.Request) (string, int) {
		if strings.HasPrefix(r.URL.Path, "/log") {
			return "log", 60
		}
		return "", 600
	}, Tell: func(h http.Header, w sim.Window) {
		h.Set("X-RateLimit-Limit", strconv.Itoa(w.Limit))
		h.Set("X-RateLimit-Remaining", strconv.Itoa(w.Remaining))
		h.Set("X-RateLimit-Reset", strconv.FormatInt(w.Reset.Unix(), 10))
	}, Deny: func(w http.ResponseWriter, r *http.Request, _ sim.Window) { s.fail(w, r, http.StatusTooManyRequests) }}
	out := sim.New(o, sim.Vendor{Mux: mux, Fail: s.fail, Gates: []sim.Gate{limits.Gate, s.gate}})
	out.Config = func(base string) map[string]any { return map[string]any{"endpoint": base, "secret": "s3"} }
	out.Streams = []string{"signins", "audit", "users", "grants", "drives", "files"}
	out.Published = s.published
	return out, nil
}

func (s *acmeSim) fail(w http.ResponseWriter, _ *http.Request, status int) {
	sim.WriteJSON(w, status, map[string]string{"error": http.StatusText(status)})
}

func (s *acmeSim) gate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		ok := r.URL.Path == "/token" || s.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
		s.mu.Unlock()
		if !ok {
			s.fail(w, r, http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *acmeSim) routes(mux *http.ServeMux) {
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("secret") != "s3" {
			s.fail(w, r, http.StatusUnauthorized)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		t := "t" + strconv.Itoa(len(s.tokens))
		s.tokens[t] = true
		sim.WriteJSON(w, http.StatusOK, map[string]string{"token": t})
	})
	mux.HandleFunc("GET /me", func(w http.ResponseWriter, _ *http.Request) { sim.WriteJSON(w, http.StatusOK, []string{"log", "read"}) })
	mux.HandleFunc("GET /log/signins", s.signins)
	mux.HandleFunc("GET /log/audit", s.audit)
	mux.HandleFunc("GET /files/{id}", func(w http.ResponseWriter, r *http.Request) {
		sim.WriteJSON(w, http.StatusOK, acmeRow("files", r.PathValue("id")))
	})
	mux.HandleFunc("GET /files/{id}/content", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, acmeBody(r.PathValue("id")))
	})
	for _, name := range []string{"users", "grants", "drives", "files"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			at, _ := strconv.Atoi(r.URL.Query().Get("at"))
			rows, next := sim.Slice(s.keys(name, r.URL.Query().Get("of")), at, 4)
			var out []json.RawMessage
			for _, k := range rows {
				out = append(out, acmeRow(name, k))
			}
			s.page(w, r, out, map[string]string{"at": strconv.Itoa(next)}, next > 0)
		})
	}
}

func acmeRow(stream, key string) json.RawMessage {
	hash := ""
	if stream == "files" {
		hash = fmt.Sprintf(`"sha1":"%x",`, sha1.Sum([]byte(acmeBody(key))))
	}
	return fmt.Appendf(nil, `{"id":"%s",%s"name":"the %s of acme","profile":{"kind":"%s"}}`, key, hash, key, stream)
}

// acmeBody is the content of a file; the second ones of all users are alike.
func acmeBody(file string) string {
	if strings.HasSuffix(file, "2") {
		file = "everybody"
	}
	return strings.Repeat("the content of a file of "+file+". ", 50)
}

// keys are the entities of a stream, of one user or of all.
func (s *acmeSim) keys(stream, of string) (out []string) {
	if stream == "users" {
		return s.users
	}
	for _, u := range s.users {
		if of == "" || of == u {
			out = append(out, u+"-"+stream+"1", u+"-"+stream+"2")
		}
	}
	return out
}

func (s *acmeSim) published(stream string, f func(string) bool) {
	switch stream {
	case "signins":
		s.feed[0].Published(f)
	case "audit":
		s.feed[1].Published(f)
	default:
		for _, k := range s.keys(stream, "") {
			if !f(k) {
				return
			}
		}
	}
}

func (s *acmeSim) page(w http.ResponseWriter, r *http.Request, rows []json.RawMessage, next map[string]string, more bool) {
	out := map[string]any{"rows": append([]json.RawMessage{}, rows...)}
	if more {
		out["next"] = sim.WithQuery(s.o.BaseOf(r), r, next)
	}
	sim.WriteJSON(w, http.StatusOK, out)
}

func (s *acmeSim) signins(w http.ResponseWriter, r *http.Request) {
	c, err := sim.ParseCursor(r.URL.Query().Get("after"))
	if err != nil {
		since, _ := time.Parse(time.RFC3339Nano, r.URL.Query().Get("since"))
		c = s.feed[0].After(since)
	}
	var rows []json.RawMessage
	c = s.feed[0].Read(c, 20, func(raw []byte) { rows = append(rows, append(json.RawMessage(nil), raw...)) })
	s.page(w, r, rows, map[string]string{"after": c.String(), "since": ""}, true)
}

func (s *acmeSim) audit(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	from, _ := time.Parse(time.RFC3339Nano, q.Get("from"))
	to, _ := time.Parse(time.RFC3339Nano, q.Get("to"))
	bounds := sim.Bounds{From: from, To: to, Newest: true}
	c, err := sim.ParseCursor(q.Get("after"))
	if err != nil {
		c = s.feed[1].Begin(bounds)
	}
	var rows []json.RawMessage
	c, more := s.feed[1].ReadIn(bounds, c, 20, func(raw []byte) { rows = append(rows, append(json.RawMessage(nil), raw...)) })
	s.page(w, r, rows, map[string]string{"after": c.String()}, more)
}
