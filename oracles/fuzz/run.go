package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// runner runs targets.
type runner struct {
	root  string // of the module
	work  string // for what is built
	cache string // of inputs that reach further
	time  time.Duration
	ready time.Duration // the most that a target may take before it begins
	least int           // inputs a second
}

// outcome is what became of a target.
type outcome struct {
	inputs, further int
	err             error // why it is a failure
	said            string
}

// build makes the test program of a package with the counters that fuzzing is led by.
func (r *runner) build(ctx context.Context, dir string) (program string, err error) {
	rel, err := filepath.Rel(r.root, dir)
	if err != nil {
		return "", err
	}
	program = filepath.Join(r.work, strings.ReplaceAll(rel, string(filepath.Separator), "-")+".test")
	c := exec.CommandContext(ctx, "go", "test", "-c", "-fuzz=.", "-o", program, "./"+filepath.ToSlash(rel))
	c.Dir = r.root
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the tests of %s: %w\n%s", rel, err, out)
	}
	return program, nil
}

var (
	began    = regexp.MustCompile(`^fuzz: elapsed: .*now fuzzing with`)
	progress = regexp.MustCompile(`^fuzz: elapsed: .*, execs: (\d+) .*, new interesting: (\d+) `)
	written  = regexp.MustCompile(`^\s*Failing input written to (\S+)`)
)

// run runs a target of a program. It is ended by an interrupt when its time is over, which is no failure.
func (r *runner) run(ctx context.Context, program string, t target) (o outcome) {
	c := exec.CommandContext(ctx, program, "-test.run=^$", "-test.fuzz=^"+t.name+"$", "-test.parallel=1", "-test.fuzzminimizetime=10x",
		"-test.fuzzcachedir="+filepath.Join(r.cache, filepath.Base(program)))
	c.Dir = t.dir
	out, err := c.StdoutPipe()
	if err != nil {
		return outcome{err: err}
	}
	c.Stderr = c.Stdout // where progress is told
	if err := c.Start(); err != nil {
		return outcome{err: err}
	}
	var late atomic.Bool
	end := time.AfterFunc(r.ready, func() { late.Store(true); _ = c.Process.Kill() })
	var said strings.Builder
	for s := bufio.NewScanner(out); s.Scan(); {
		line := s.Text()
		switch m := progress.FindStringSubmatch(line); {
		case m != nil:
			o.inputs, _ = strconv.Atoi(m[1]) // of digits
			o.further, _ = strconv.Atoi(m[2])
		case began.MatchString(line):
			if end.Stop() {
				end = time.AfterFunc(r.time, func() { _ = c.Process.Signal(os.Interrupt) })
			}
		case strings.HasPrefix(line, "fuzz: elapsed: "):
		default:
			said.WriteString(line + "\n")
			if m := written.FindStringSubmatch(line); m != nil {
				fmt.Fprintf(&said, "    that is %s\n", filepath.Join(t.dir, m[1]))
			}
		}
	}
	err = c.Wait()
	end.Stop()
	o.said = said.String()
	switch least := max(1, int(float64(r.least)*r.time.Seconds())); {
	case late.Load():
		o.err = fmt.Errorf("it did not begin within %s", r.ready)
	case err != nil:
		o.err = err
	case o.inputs < least:
		o.err = fmt.Errorf("%d inputs are too few, at least %d are wanted", o.inputs, least)
	}
	return o
}
