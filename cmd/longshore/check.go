package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	probeTimeout = 45 * time.Second // for one instance
	probeWidth   = 8                // instances at a time
)

type (
	// checkJSON is the answer of `check --json`.
	checkJSON struct {
		OK        bool           `json:"ok"`
		Instances []instanceJSON `json:"instances"`
		Settings  []unsafe       `json:"settings"`
	}
	instanceJSON struct {
		ID           string      `json:"id"`
		OK           bool        `json:"ok"`
		Error        string      `json:"error,omitempty"`
		Who          string      `json:"who,omitempty"`
		Person       bool        `json:"person"`
		Rights       []string    `json:"rights"`
		Capabilities []grantJSON `json:"capabilities"`
		Warnings     []string    `json:"warnings,omitempty"`
	}
	grantJSON struct {
		Capability saas.Capability `json:"capability"`
		Level      saas.Level      `json:"level"`
		Missing    string          `json:"missing,omitempty"`
	}
)

func newCheck(p *program) *cobra.Command {
	var files []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check --config FILE",
		Short: "Connect to every tenant, list rights and what they allow, flag unsafe settings",
		Long: `Reads a configuration, connects to every tenant in it, and says which rights its credential holds, which capabilities they
give and what each other one lacks. Warns of credentials that belong to a person. Settings under which a crash or an outage loses
records are refused, other unsafe ones warned of; each with what to write instead. Nothing is read from the logs and nothing is
changed. Exit code 1: the configuration is wrong, a setting is refused or a tenant failed.`,
		Example: `  longshore check --config agent.yaml
  longshore check --config agent.yaml --json | jq '.instances[] | select(.ok | not)'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(files) == 0 {
				return usagef("--config FILE is needed")
			}
			ctx := untilSignalled(cmd.Context())
			cfg, err := p.load(ctx, files)
			if err != nil {
				return err
			}
			answer, err := p.check(ctx, cfg)
			if err != nil {
				return err
			}
			if asJSON {
				err = writeJSON(p.out, answer)
			} else {
				printCheck(p.out, answer)
			}
			if err == nil && !answer.OK {
				err = errReported
			}
			return err
		},
	}
	cmd.Flags().StringArrayVar(&files, "config", nil, "the configuration `FILE`; may be given several times, later ones win")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

// check asks every instance at once, a bounded number at a time.
func (p *program) check(ctx context.Context, cfg *otelcol.Config) (checkJSON, error) {
	apps, err := p.applications()
	if err != nil {
		return checkJSON{}, err
	}
	byType := map[component.Type]application{}
	for _, a := range apps {
		byType[a.factory.Type()] = a
	}
	ids := slices.SortedFunc(maps.Keys(cfg.Receivers), func(a, b component.ID) int { return strings.Compare(a.String(), b.String()) })
	ids = slices.DeleteFunc(ids, func(id component.ID) bool { _, ok := byType[id.Type()]; return !ok })

	out := checkJSON{OK: true, Instances: make([]instanceJSON, len(ids)), Settings: unsafeSettings(cfg, byType)}
	say := newProgress(p.errs)
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots, done := make(chan struct{}, probeWidth), 0
	for i, id := range ids {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			out.Instances[i] = probe(ctx, byType[id.Type()], cfg.Receivers[id], id)
			mu.Lock()
			defer mu.Unlock()
			done++
			say.say("asked %s of %d", plural(done, "tenant"), len(ids))
		})
	}
	wg.Wait()
	say.end()
	for _, in := range out.Instances {
		out.OK = out.OK && in.OK
	}
	for _, u := range out.Settings {
		out.OK = out.OK && u.Level != refused
	}
	return out, ctx.Err()
}

func probe(ctx context.Context, a application, cfg component.Config, id component.ID) instanceJSON {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	in := instanceJSON{ID: id.String(), Rights: []string{}, Capabilities: []grantJSON{}}
	rep, err := saas.Probe(ctx, a.factory, cfg, id)
	if rep != nil {
		in.Who, in.Person, in.Warnings = rep.Who, rep.Person, rep.Warnings
		in.Rights = append(in.Rights, rep.Held...)
		for _, c := range rep.Capabilities {
			in.Capabilities = append(in.Capabilities, grantJSON{c.Capability, c.Level, c.Missing})
		}
	}
	if err != nil {
		in.Error = err.Error()
	}
	in.OK = in.Error == ""
	return in
}

func printCheck(w io.Writer, c checkJSON) {
	if len(c.Instances) == 0 {
		fmt.Fprintln(w, "the configuration has no application to connect to")
	}
	failed := 0
	for _, in := range c.Instances {
		if !in.OK {
			failed++
			fmt.Fprintln(w, wrap("FAILED  "+in.ID+": ", in.Error, "        ")+"\n")
			continue
		}
		fmt.Fprintf(w, "ok      %s: connected as %s\n", in.ID, cmp.Or(in.Who, "(the application does not say)"))
		if len(in.Rights) > 0 {
			fmt.Fprintln(w, wrap("        rights held: ", strings.Join(in.Rights, ", "), strings.Repeat(" ", 21)))
		}
		for _, g := range in.Capabilities {
			lead := fmt.Sprintf("        %-4s  %-24s  ", mark(g.Level), title(g.Capability))
			fmt.Fprintln(w, strings.TrimRight(wrap(lead, g.Missing, strings.Repeat(" ", 40)), " "))
		}
		for _, warning := range in.Warnings {
			fmt.Fprintln(w, wrap("        warning: ", warning, strings.Repeat(" ", 17)))
		}
		fmt.Fprintln(w)
	}
	for _, u := range c.Settings {
		fmt.Fprintln(w, wrap(fmt.Sprintf("%-7s %s: ", u.Level, u.Where), u.Problem, "        "))
		fmt.Fprintln(w, wrap("        instead: ", u.Instead, strings.Repeat(" ", 17))+"\n")
	}
	fmt.Fprintf(w, "%s, %d failed, %s\n", plural(len(c.Instances), "tenant"), failed, plural(len(c.Settings), "unsafe setting"))
}
