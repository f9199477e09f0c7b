package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simFlags are what `longshore sim` is told.
type simFlags struct {
	app, listen, replay, cert, key, faults string
	opts                                   sim.Options
}

func newSim(p *program) *cobra.Command {
	var f simFlags
	cmd := &cobra.Command{
		Use:   "sim --app NAME",
		Short: "Serve the fake of an application, with generated events or your own",
		Long: `Serves the fake of an application: its API, its limits, its late and unordered events, from a seed, so that two runs publish
the same. Rehearse policies on it, or test another collector: GET /-/published tells how many objects
each stream has published so far, "events" all those of events, with a sum over their keys. Prints on stdout the receiver that polls it,
as YAML. Runs until interrupted.`,
		Example: `  longshore sim --app okta --listen 127.0.0.1:8081 --events 100000
  longshore sim --app okta --replay my-events.jsonl --tls-cert cert.pem --tls-key key.pem
  longshore sim --app okta --faults 429=0.1,500=0.05,hang=0.01`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (f.cert == "") != (f.key == "") {
				return usagef("--tls-cert and --tls-key go together")
			}
			if o := f.opts; o.Events < 0 || o.Users < 0 || o.Span < 0 || o.Late < 0 || o.Late > 1 {
				return usagef("--events %d, --users %d, --span %v, --late %v: none may be negative, nor --late above 1", o.Events, o.Users, o.Span,
					o.Late)
			}
			if f.replay != "" && cmd.Flags().Changed("events") {
				return usagef("--events and --replay exclude each other: the file says how many there are")
			}
			return p.serveSim(untilSignalled(cmd.Context()), f)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.app, "app", "", "the application's `NAME` in configuration (needed)")
	fl.StringVar(&f.listen, "listen", "127.0.0.1:0", "address `ADDR` to serve on; port 0 = any free one")
	fl.IntVar(&f.opts.Events, "events", 0, "how many events to publish, `N` (default: the fake's own number)")
	fl.IntVar(&f.opts.Users, "users", 0, "how many accounts there are, `N` (default: the fake's own number)")
	fl.StringVar(&f.replay, "replay", "",
		"serve the events of this `FILE` (JSON lines; objects, or {\"raw\": object}) instead of generated ones")
	fl.Int64Var(&f.opts.Seed, "seed", 1, "`N`, the seed of everything generated")
	fl.DurationVar(&f.opts.Span, "span", 0, "from the first event to the last (default 24h)")
	fl.Float64Var(&f.opts.Late, "late", 0, "`SHARE` of events published late and out of order, 0 to 1")
	fl.Float64Var(&f.opts.Limits, "limits", 0, "`FACTOR` on the vendor's rate limits; negative = none (default 1)")
	fl.StringVar(&f.faults, "faults", "",
		"share of requests that fail, by how, as in `429=0.1,hang=0.01`; also reset, cut, truncate, slow, giant, null, malformed")
	fl.StringVar(&f.cert, "tls-cert", "", "certificate `FILE`: serve HTTPS")
	fl.StringVar(&f.key, "tls-key", "", "its key `FILE`")
	return cmd
}

func (p *program) serveSim(ctx context.Context, f simFlags) error {
	a, err := p.application(f.app)
	if err != nil {
		return err
	}
	if a.Sim == nil {
		return usagef("%s has no fake", a.Name)
	}
	if f.replay != "" {
		in, err := os.Open(f.replay)
		if err != nil {
			return fmt.Errorf("open events to replay: %w", err)
		}
		defer in.Close()
		f.opts.Replay = in
	}
	s, err := a.Sim(f.opts)
	if err != nil {
		return fmt.Errorf("make the fake of %s: %w", a.Name, err)
	}
	if f.faults != "" {
		if err = s.Faults.Parse(f.faults); err != nil {
			return usagef("--faults %q: %w", f.faults, err)
		}
	}
	l, err := net.Listen("tcp", f.listen)
	if err != nil {
		return fmt.Errorf("listen on %q: %w", f.listen, err)
	}
	base := "http://" + l.Addr().String()
	if f.cert != "" {
		base = "https://" + l.Addr().String()
	}
	if err = p.printReceiver(a, s, base, f.cert); err != nil {
		_ = l.Close()
		return err
	}
	fmt.Fprintf(p.errs, "serving %s at %s; interrupt to stop\n", a.Title, base)
	return serve(ctx, l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/-/published" { // no ServeMux: it would clean the vendors' paths
			tellPublished(w, rehearsed{app: a, sim: s})
			return
		}
		s.Handler.ServeHTTP(w, r)
	}), f.cert, f.key)
}

// tellPublished writes how much a fake has published so far, and the sum of sim.KeySum over its keys.
func tellPublished(w http.ResponseWriter, r rehearsed) {
	type set struct {
		Objects int    `json:"objects"`
		Sum     string `json:"sum"` // 64 bits do not fit JSON's numbers
	}
	sets := map[string]set{}
	all := r.published()
	for _, name := range r.sim.Streams {
		var d digest
		r.sim.Published(name, once(func(key string) bool { d.n, d.sum = d.n+1, d.sum+sim.KeySum(key); return true }))
		all[name] = d
	}
	for name, d := range all {
		sets[name] = set{d.n, strconv.FormatUint(d.sum, 10)}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(sets)
}

// printReceiver writes the YAML that makes a collector poll the fake.
func (p *program) printReceiver(a application, s *sim.Sim, base, cert string) error {
	cfg := s.Config(base)
	cfg["storage"] = "file_storage"
	if cert != "" {
		cfg["tls"] = map[string]any{"ca_file": cert}
	}
	enc := yaml.NewEncoder(p.out)
	enc.SetIndent(2)
	fmt.Fprintf(p.out, "# %s at %s\n", a.Title, base)
	return errors.Join(enc.Encode(map[string]any{"receivers": map[string]any{a.Name + "/sim": cfg}}), enc.Close())
}

// serve serves until ctx ends.
func serve(ctx context.Context, l net.Listener, h http.Handler, cert, key string) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	var err error
	if cert != "" {
		err = srv.ServeTLS(l, cert, key)
	} else {
		err = srv.Serve(l)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve at %s: %w", l.Addr(), err)
}
