package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/longshore-dev/longshore/extensions/control"
	"github.com/longshore-dev/longshore/internal/saas"
)

// callTimeout bounds a call to the running agent: a disable waits for what is being handed on.
const callTimeout = time.Minute

// connectorFlags are what `longshore connector` is told.
type connectorFlags struct {
	socket string
	json   bool
}

func newConnector(p *program) *cobra.Command {
	var f connectorFlags
	cmd := &cobra.Command{
		Use:   "connector",
		Short: "List, disable and enable the tenants of a running agent",
		Long: `Talks to a running agent over its control socket; the agent's configuration must have the extension control. A disabled
tenant is not read until it is enabled, across restarts too, and goes on then from where it stopped: nothing is lost.`,
		Example: `  longshore connector list
  longshore connector disable okta/acme
  longshore connector enable okta/acme --socket /var/lib/longshore/control.sock`,
		Args: oneOf("connector", "list, disable, enable"),
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	cmd.PersistentFlags().StringVar(&f.socket, "socket", control.DefaultSocket, "`PATH` of the agent's control socket")
	cmd.PersistentFlags().BoolVar(&f.json, "json", false, "write JSON")
	cmd.AddCommand(p.connectorList(&f),
		p.connectorChange(&f, "disable", "Stop reading a tenant, across restarts too", control.Client.Disable),
		p.connectorChange(&f, "enable", "Go on reading a tenant from where it stopped", control.Client.Enable))
	return cmd
}

// oneOf asks for one of the commands below a command.
func oneOf(command, subs string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usagef("unknown command %q of %s; there are: %s", args[0], command, subs)
		}
		return usagef("%s needs one of: %s", command, subs)
	}
}

// show writes what the agent answered: as JSON, or as text writes it.
func (p *program) show(asJSON bool, err error, v any, text func()) error {
	switch {
	case err != nil:
		return err
	case asJSON:
		return writeJSON(p.out, v)
	}
	text()
	return nil
}

func (p *program) connectorList(f *connectorFlags) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "The connected tenants and their streams", Args: cobra.NoArgs,
		Example: "  longshore connector list --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), callTimeout)
			defer cancel()
			cs, err := control.Client{Socket: f.socket}.Connectors(ctx)
			return p.show(f.json, err, map[string]any{"connectors": cs}, func() { printConnectors(p.out, cs) })
		},
	}
}

// connectorChange is a command that changes one tenant and shows its state after it.
func (p *program) connectorChange(f *connectorFlags, verb, short string,
	call func(control.Client, context.Context, string) (control.Connector, error)) *cobra.Command {
	return &cobra.Command{
		Use: verb + " ID", Short: short, Args: cobra.ExactArgs(1),
		Example: "  longshore connector " + verb + " okta/acme",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), callTimeout)
			defer cancel()
			c, err := call(control.Client{Socket: f.socket}, ctx, args[0])
			return p.show(f.json, err, c, func() { printConnectors(p.out, []control.Connector{c}) })
		},
	}
}

// printConnectors writes a heading per tenant and a line per stream.
func printConnectors(w io.Writer, cs []control.Connector) {
	if len(cs) == 0 {
		fmt.Fprintln(w, "the agent has no connected tenant")
	}
	for i, c := range cs {
		if i > 0 {
			fmt.Fprintln(w)
		}
		health := c.Health
		if c.Disabled {
			health = "disabled"
		}
		fmt.Fprintln(w, wrap(c.ID+": ", strings.Join(nonEmpty(health, c.Who, c.Endpoint), " · "), "  "))
		lines := [][]string{{"stream", "records", "behind", "repeats", "set aside", "last read", "state"}}
		for _, s := range c.Streams {
			last, behind, state := "never", "-", "waits" // for its turn, or for the credential
			if s.LastSuccess != nil {
				state = "ok"
				last = s.LastSuccess.Local().Format(time.DateTime)
			}
			if s.LagSeconds > 0 {
				behind = (time.Duration(s.LagSeconds) * time.Second).String()
			}
			if s.Kind == saas.Content.String() {
				state = fmt.Sprintf("%s, %s judged, %s unread", state, count(s.Judged), count(s.Parts))
			}
			off := s.Off
			if off != "" {
				off = "off: " + off
			}
			lines = append(lines, []string{s.Name, count(s.Events), behind, count(s.Duplicates), count(s.SetAside), last,
				cmp.Or(off, s.LastError, state)})
		}
		table(w, "  ", lines)
	}
}

func nonEmpty(in ...string) []string {
	var out []string
	for _, s := range in {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}
