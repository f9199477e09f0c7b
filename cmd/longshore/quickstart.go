package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/store"
)

// How long `quickstart --once` waits for everything to arrive, and for each thousand events above the default.
const (
	onceDeadline  = 2 * time.Minute
	onceDefault   = 1000
	onceThousands = 4 * time.Second
)

// maxEvents bounds what each simulated tenant publishes.
const maxEvents = 1_000_000

// quickFlags are what `longshore quickstart` is told.
type quickFlags struct {
	listen, data string
	once, json   bool
	events       int
}

func newQuickstart(p *program) *cobra.Command {
	var f quickFlags
	cmd := &cobra.Command{
		Use:   "quickstart",
		Short: "Simulated applications through the whole pipeline; no network, no other program",
		Long: `Starts the fake of every application, two tenants each, on this machine, and polls them over HTTP with the real receivers;
classifies (dlp), plans actions by sample policies (governance, dry run) and stores everything in SQLite. It goes on until
interrupted and leaves the store in --data.

With --once it ends when all that was published is stored, compares both sets, findings with planted values, and lists the
actions planned. Exit code 0: all equal. 1: something is missing after two minutes (longer with more --events), and what.`,
		Example: `  longshore quickstart
  longshore quickstart --once --json | jq .ok`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.events < 1 || f.events > maxEvents {
				return usagef("--events %d: it must be from 1 to %d", f.events, maxEvents)
			}
			if f.json && !f.once {
				return usagef("--json is the form of the result, which only --once has")
			}
			return p.quickstart(untilSignalled(cmd.Context()), f)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.listen, "listen", "127.0.0.1:0",
		"`ADDR` where the simulated applications listen: a loopback address; each has a port, from this one on")
	fl.StringVar(&f.data, "data", "", "`DIR` of the store and the receivers' state (default ./data; with --once a temporary one)")
	fl.BoolVar(&f.once, "once", false, "end when everything is stored, and compare")
	fl.BoolVar(&f.json, "json", false, "with --once: write the result as JSON")
	fl.IntVar(&f.events, "events", onceDefault, "how many events each tenant publishes, `N`")
	return cmd
}

// rehearsed is a simulated tenant.
type rehearsed struct {
	app  application
	name string // saas.tenant
	base string
	sim  *sim.Sim
	srv  *http.Server
}

// id is the receiver's.
func (r rehearsed) id() string { return r.app.Name + "/" + r.name }

func (p *program) quickstart(ctx context.Context, f quickFlags) (err error) {
	forget, err := f.dataFolder()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, forget()) }()
	tenants, err := p.startSims(f)
	defer func() {
		for _, t := range tenants {
			_ = t.srv.Close()
		}
	}()
	if err != nil {
		return err
	}
	text, err := quickConfig(f, tenants)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended, err := p.startCollector(ctx, "yaml:"+text)
	switch {
	case err != nil && ctx.Err() != nil && !f.once: // interrupted while it started
		return nil
	case err != nil:
		return err
	}
	if !f.once {
		p.sayWhatNext(f, tenants)
		return <-ended
	}
	res, err := p.watch(ctx, f, tenants, ended)
	stop()
	if e := <-ended; err == nil && e != nil {
		err = fmt.Errorf("stop the collector: %w", e)
	}
	if err != nil {
		return err
	}
	return p.printResult(f, res)
}

// watch waits for the store to hold all that was published. The collector runs, so the store is there.
func (p *program) watch(ctx context.Context, f quickFlags, tenants []rehearsed, ended <-chan error) (res *result, err error) {
	r, err := store.OpenReader(ctx, filepath.Join(f.data, "longshore.db"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	w := newWatch(r, tenants, newProgress(p.errs))
	w.limit += time.Duration(max(0, f.events-onceDefault)/1000) * onceThousands
	return w.untilEqual(ctx, ended)
}

// dataFolder makes the folder of the store and the state: a temporary one, which forget removes, for a single run of which
// nobody wants to keep anything.
func (f *quickFlags) dataFolder() (forget func() error, err error) {
	if f.data == "" && f.once {
		if f.data, err = os.MkdirTemp("", "longshore"); err != nil {
			return nil, fmt.Errorf("make temporary folder: %w", err)
		}
		return func() error { return os.RemoveAll(f.data) }, nil
	}
	if f.data == "" {
		f.data = "data"
	}
	if err = os.MkdirAll(f.data, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	return func() error { return nil }, nil
}

// startSims serves two tenants of every application that has a fake.
func (p *program) startSims(f quickFlags) ([]rehearsed, error) {
	apps, err := p.applications()
	if err != nil {
		return nil, err
	}
	host, port, err := loopback(f.listen)
	if err != nil {
		return nil, err
	}
	var out []rehearsed
	for _, a := range apps {
		if a.Sim == nil {
			continue
		}
		for i, name := range []string{"north", "south"} {
			l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
			if err != nil {
				return out, fmt.Errorf("listen for the fake of %s: %w", a.Name, err)
			}
			if port > 0 {
				port++
			}
			t := rehearsed{app: a, name: name, base: "http://" + l.Addr().String()}
			t.sim, err = a.Sim(quickOptions(f, int64(i+1)))
			if err != nil {
				_ = l.Close()
				return out, fmt.Errorf("make the fake of %s: %w", a.Name, err)
			}
			t.srv = &http.Server{Handler: t.sim.Handler, ReadHeaderTimeout: 10 * time.Second}
			go func() { _ = t.srv.Serve(l) }() // ends with Close
			out = append(out, t)
		}
	}
	return out, nil
}

// quickOptions: a day of events. Once: the day is over, so that there is an end. Else its last hour is still to come.
func quickOptions(f quickFlags, seed int64) sim.Options {
	o := sim.Options{Seed: seed, Events: f.events, Users: 16, Files: 160, Limits: 20, Span: 24 * time.Hour}
	back := 23 * time.Hour
	if f.once {
		back = 25 * time.Hour
	}
	o.Start = time.Now().Add(-back).Truncate(time.Second)
	return o
}

// loopback splits an address that only this machine can reach: the fakes' tokens are no secret.
func loopback(addr string) (string, int, error) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, usagef("--listen %q: %w", addr, err)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if ip := net.ParseIP(host); err != nil || (host != "localhost" && (ip == nil || !ip.IsLoopback())) {
		return "", 0, usagef("--listen %q: want a loopback address and a port, as 127.0.0.1:9000", addr)
	}
	return host, int(port), nil
}

// startCollector runs the real collector until ctx ends, and returns when it runs. ended gets its error, once.
func (p *program) startCollector(ctx context.Context, uris ...string) (ended <-chan error, err error) {
	set := p.set
	set.DisableGracefulShutdown = true // ctx says when
	set.ConfigProviderSettings.ResolverSettings.URIs = uris
	col, err := otelcol.NewCollector(set)
	if err != nil {
		return nil, fmt.Errorf("make collector: %w", err)
	}
	end := make(chan error, 1)
	go func() { end <- col.Run(ctx) }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for col.GetState() == otelcol.StateStarting {
		select {
		case <-tick.C:
		case err := <-end:
			return nil, tooEarly(err)
		}
	}
	return end, nil
}

// sayWhatNext tells where things are.
func (p *program) sayWhatNext(f quickFlags, tenants []rehearsed) {
	db, socket := filepath.Join(f.data, "longshore.db"), filepath.Join(f.data, "control.sock")
	fmt.Fprintf(p.out, "Longshore is running against %s:\n\n", plural(len(tenants), "simulated tenant"))
	var lines [][]string
	for _, t := range tenants {
		lines = append(lines, []string{t.id(), t.app.Title, t.base})
	}
	table(p.out, "  ", lines)
	query, connector := "longshore query", "longshore connector"
	if f.data != "data" {
		query, connector = query+" --db "+db, connector+" --socket "+socket
	}
	fmt.Fprintf(p.out, `
Everything is stored in %s, the agent's log is %s. In another terminal:

`, db, filepath.Join(f.data, "longshore.log"))
	table(p.out, "  ", [][]string{
		{query + " 'event.outcome:failure AND event.category:authentication'", "failed sign-ins"},
		{query + " 'event.dataset:saas.finding'", "what dlp and policies found"},
		{query + " 'event.dataset:saas.action'", "what governance would do"},
		{query + " --entities 'entity.type:user saas.entity.status:suspended'", "accounts"},
		{connector + " list", "how reading goes"},
		{connector + " disable " + tenants[0].id(), ""},
	})
	fmt.Fprintln(p.out, "\nInterrupt to stop; the next start goes on from here.")
}
