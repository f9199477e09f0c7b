package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"sync"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := command(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// command reads the command line and runs what it asks for.
func command(ctx context.Context, args []string, out io.Writer) (err error) {
	_, file, _, _ := runtime.Caller(0)
	long := os.Getenv("LONGSHORE_LONG") != ""
	each := 10 * time.Second
	if long {
		each = 10 * time.Minute
	}
	f := flag.NewFlagSet("fuzz", flag.ContinueOnError)
	f.SetOutput(out)
	root := f.String("root", filepath.Join(filepath.Dir(file), "..", ".."), "folder of the module")
	under := f.String("under", "internal/dlp", "folder in it whose targets run")
	only := f.String("only", "", "expression that a target's name must match")
	jobs := f.Int("jobs", 2, "targets at a time")
	least := f.Int("least", 5, "inputs a second that every target must try")
	d := f.Duration("time", each, "time of each")
	if err := f.Parse(args); err != nil {
		return err
	}
	name, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	r := &runner{time: *d, ready: 3 * time.Minute, least: *least}
	if r.root, err = filepath.Abs(*root); err != nil {
		return err
	}
	if r.work, err = os.MkdirTemp("", "longshore-fuzz"); err != nil {
		return err
	}
	defer os.RemoveAll(r.work)
	r.cache = filepath.Join(r.work, "inputs")
	if long {
		dir, err := os.UserCacheDir()
		if err != nil {
			return err
		}
		r.cache = filepath.Join(dir, "longshore", "fuzz")
	}
	all, err := targetsOf(filepath.Join(r.root, *under))
	if err != nil {
		return err
	}
	var chosen []target
	for _, t := range all {
		if name.MatchString(t.name) {
			chosen = append(chosen, t)
		}
	}
	return r.all(ctx, chosen, *jobs, out)
}

// all runs targets, some at a time, and writes a line about each. The error says which failed.
func (r *runner) all(ctx context.Context, targets []target, jobs int, out io.Writer) error {
	if len(targets) == 0 {
		return errors.New("there are no fuzz targets there")
	}
	programs := map[string]string{}
	for _, t := range targets {
		if programs[t.dir] != "" {
			continue
		}
		program, err := r.build(ctx, t.dir)
		if err != nil {
			return err
		}
		programs[t.dir] = program
	}
	var (
		mu     sync.Mutex
		failed []error
		wait   sync.WaitGroup
		turns  = make(chan struct{}, jobs)
	)
	for _, t := range targets {
		turns <- struct{}{}
		wait.Go(func() {
			defer func() { <-turns }()
			o := r.run(ctx, programs[t.dir], t)
			mu.Lock()
			defer mu.Unlock()
			rel, _ := filepath.Rel(r.root, t.dir) // of a folder below it
			fmt.Fprintf(out, "%-22s %-18s %6s %9d inputs, %d reach further\n", filepath.ToSlash(rel), t.name, r.time, o.inputs, o.further)
			if o.err != nil {
				fmt.Fprintf(out, "FAILED: %v\n%s", o.err, o.said)
				failed = append(failed, fmt.Errorf("%s of %s: %w", t.name, filepath.ToSlash(rel), o.err))
			}
		})
	}
	wait.Wait()
	fmt.Fprintf(out, "%d targets, %d failed\n", len(targets), len(failed))
	return errors.Join(failed...)
}
