package saastest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAProviderThatKeepsEveryPromisePasses(t *testing.T) { Run(t, acme(nil)) }

// mutants break acme, each in one way. find is the case that must see it.
var mutants = []struct {
	name, find string
	change     func(*saas.Instance)
}{
	{"reads no overlap", "3 late", func(i *saas.Instance) { stream(i, "audit").Poll = auditWindow(0, readAudit) }},
	{"commits before it emits", "2 killed", func(i *saas.Instance) {
		stream(i, "signins").Poll = feed(func(r *saas.Run, rows []json.RawMessage, next string) error {
			if err := r.Commit(next); err != nil {
				return err
			}
			return emit(r, rows)
		})
	}},
	{"forgets to commit", "5 idle", func(i *saas.Instance) {
		stream(i, "signins").Poll = feed(func(r *saas.Run, rows []json.RawMessage, _ string) error { return emit(r, rows) })
	}},
	{"gives unstable keys", "3 late", func(i *saas.Instance) {
		var n atomic.Int64
		st := stream(i, "audit")
		st.Key = func(v *event.Values) string { return v.Str(0) + strings.Repeat("'", int(n.Add(1)%50)) }
		st.Map = func(v *event.Values, add func() *event.Record) error {
			add().ID(v.Str(0))
			return nil
		}
	}},
	{"names events by their place", "1 first", func(i *saas.Instance) {
		stream(i, "signins").Key = func(v *event.Values) string { return "row" + v.Str(1) }
	}},
	{"ignores that there are more pages", "3 every", func(i *saas.Instance) {
		stream(i, "audit").Poll = auditWindow(45*time.Minute, func(ctx context.Context, r *saas.Run, q saas.Req) error {
			pages := 0
			return saas.Pages(ctx, r, q, acmeRows, func(p *saas.Reply, last json.RawMessage) (saas.Req, bool) {
				q, more := acmeNext(p, last)
				pages++
				return q, more && pages < 4
			})
		})
	}},
	{"takes an error for the end", "2 refused", func(i *saas.Instance) {
		stream(i, "audit").Poll = auditWindow(45*time.Minute, func(ctx context.Context, r *saas.Run, q saas.Req) error {
			_ = saas.Pages(ctx, r, q, acmeRows, acmeNext)
			return nil
		})
	}},
	{"reads one page at a time", "5 capacity", func(i *saas.Instance) {
		st := stream(i, "signins")
		st.Every = 5 * time.Minute
		st.Poll = feed(func(r *saas.Run, rows []json.RawMessage, next string) error {
			if err := emit(r, rows); err != nil {
				return err
			}
			if err := r.Commit(next); err != nil {
				return err
			}
			return errEnough
		})
	}},
	{"asks again though nothing came", "5 idle", func(i *saas.Instance) {
		st := stream(i, "signins")
		once := st.Poll
		st.Poll = func(ctx context.Context, r *saas.Run) error {
			for range 10 {
				if err := once(ctx, r); err != nil {
					return err
				}
			}
			return nil
		}
	}},
	{"says that an empty walk was whole", "1 first", func(i *saas.Instance) {
		st := stream(i, "users")
		whole := st.Poll
		st.Poll = func(ctx context.Context, r *saas.Run) error {
			if err := whole(ctx, r); err != nil {
				return err
			}
			r.Done()
			return r.Commit(nil)
		}
	}},
	{"loses what users lead to", "1 first", func(i *saas.Instance) { stream(i, "users").Items = nil }},
	{"gives no hash of what files hold", "12 unchanged", func(i *saas.Instance) {
		stream(i, "content").Fields = event.Table{{"id", ""}, {"name", "entity.name"}}
	}},
	{"lists other hashes than it hands on", "12 unchanged", func(i *saas.Instance) {
		files := stream(i, "files")
		items := files.Items
		files.Items = func(v *event.Values) []saas.Item {
			list := items(v)
			list[0].Hash = strings.ToUpper(list[0].Hash)
			return list
		}
	}},
	{"opens files twice", "12 unchanged", func(i *saas.Instance) {
		open := i.Content
		i.Content = func(ctx context.Context, c *saas.Conn, f saas.FileRef) (io.ReadCloser, error) {
			if in, err := open(ctx, c, f); err == nil {
				_ = in.Close()
			}
			return open(ctx, c, f)
		}
	}},
	{"hands on no file", "12 unchanged", func(i *saas.Instance) {
		stream(i, "content").Poll = func(context.Context, *saas.Run) error { return nil }
	}},
	{"holds all pages", "8 memory", func(i *saas.Instance) {
		var all []json.RawMessage
		stream(i, "signins").Poll = feed(func(r *saas.Run, rows []json.RawMessage, next string) error {
			for _, raw := range rows {
				all = append(all, append(json.RawMessage(nil), raw...))
			}
			if err := emit(r, rows); err != nil {
				return err
			}
			return r.Commit(next)
		})
	}},
	{"sends what did not change", "5 idle", func(i *saas.Instance) {
		stream(i, "users").Poll = func(ctx context.Context, r *saas.Run) error {
			n := r.Now().Unix()
			err := saas.Pages(ctx, r, saas.Req{URL: "/users?of="}, func(p *saas.Reply) saas.Rows {
				return func(yield func(json.RawMessage, error) bool) {
					for raw, err := range p.JSON("rows") {
						stamped := append(append(json.RawMessage(nil), raw[:len(raw)-1]...), `,"read":`...)
						if !yield(append(strconv.AppendInt(stamped, n, 10), '}'), err) {
							return
						}
					}
				}
			}, acmeNext)
			r.Done()
			return err
		}
	}},
}

func stream(i *saas.Instance, name string) *saas.Stream {
	for n := range i.Streams {
		if i.Streams[n].Name == name {
			return &i.Streams[n]
		}
	}
	panic("acme has no stream " + name)
}

// errEnough ends a feed for now.
var errEnough = errors.New("enough")

// feed reads the sign-ins page by page and does with each what page does.
func feed(page func(r *saas.Run, rows []json.RawMessage, next string) error) saas.PollFunc {
	return func(ctx context.Context, r *saas.Run) error {
		next := signinsSince(r).URL
		r.Mark(&next)
		for {
			p, err := r.Do(ctx, saas.Req{URL: next})
			if err != nil {
				return err
			}
			var rows []json.RawMessage
			for raw, err := range p.JSON("rows") {
				if err != nil {
					return err
				}
				rows = append(rows, append(json.RawMessage(nil), raw...))
			}
			if len(rows) == 0 {
				return nil
			}
			if next = p.Field("next"); next == "" {
				return errors.New("the page names no next one")
			}
			if err := page(r, rows, next); errors.Is(err, errEnough) {
				return nil
			} else if err != nil {
				return err
			}
		}
	}
}

func emit(r *saas.Run, rows []json.RawMessage) error {
	for _, raw := range rows {
		if err := r.Emit("", raw); err != nil {
			return err
		}
	}
	return nil
}

// TestMutant runs the suite on one mutant; only TestEveryMutantIsFound asks for it.
func TestMutant(t *testing.T) {
	name := os.Getenv("SAASTEST_MUTANT")
	for _, m := range mutants {
		if m.name == name {
			Run(t, acme(m.change))
			return
		}
	}
	t.Skip("no mutant is asked for")
}

func TestEveryMutantIsFound(t *testing.T) {
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			find := strings.ReplaceAll(m.find, " ", "_")
			cmd := exec.Command(os.Args[0], "-test.run=^TestMutant$/^(1_first|"+find+")", "-test.v")
			cmd.Env = append(os.Environ(), "SAASTEST_MUTANT="+m.name)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestMutant/"+find) {
				t.Errorf("the suite did not find a provider that %s (%v):\n%s", m.name, err, out)
			}
		})
	}
}
