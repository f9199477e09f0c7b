package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/longshore-dev/longshore/extensions/control"
	"github.com/longshore-dev/longshore/internal/action"
)

// actionsFlags are what `longshore actions` is told.
type actionsFlags struct {
	socket, state, by string
	json              bool
	most              int
}

var actionStates = []string{string(action.Asked), string(action.Waiting), string(action.Sending), string(action.Sent), string(action.Ended)}

func newActions(p *program) *cobra.Command {
	var f actionsFlags
	cmd := &cobra.Command{
		Use:   "actions",
		Short: "List, approve and undo what policies do, in a running agent",
		Long: `Talks to a running agent over its control socket; the agent's configuration must have the extension control. An action that
waits for a person is approved here, and one that was done is taken back: as long as the ledger keeps it, 90 days by default. What
cannot be brought back is named in the receipt.`,
		Example: `  longshore actions list --state waiting
  longshore actions approve 3q2-7wXbQmW9kR0fYdLh
  longshore actions undo 3q2-7wXbQmW9kR0fYdLh`,
		Args: oneOf("actions", "list, approve, undo"),
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	cmd.PersistentFlags().StringVar(&f.socket, "socket", control.DefaultSocket, "`PATH` of the agent's control socket")
	cmd.PersistentFlags().BoolVar(&f.json, "json", false, "write JSON")
	cmd.AddCommand(p.actionsList(&f), p.actionsDecide(&f, "approve", "Let an action go on that waits for a person", control.Client.Approve),
		p.actionsDecide(&f, "undo", "Take back what an action changed", control.Client.Undo))
	return cmd
}

func (p *program) actionsList(f *actionsFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "The newest actions", Args: cobra.NoArgs,
		Example: "  longshore actions list --state waiting",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.state != "" && !slices.Contains(actionStates, f.state) {
				return usagef("--state %q: there are %s", f.state, strings.Join(actionStates, ", "))
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), callTimeout)
			defer cancel()
			list, err := control.Client{Socket: f.socket}.Actions(ctx, f.state, f.most)
			return p.show(f.json, err, map[string]any{"actions": list}, func() { printActions(p.out, list) })
		},
	}
	cmd.Flags().StringVar(&f.state, "state", "", "only those of this `STATE`: "+strings.Join(actionStates, ", "))
	cmd.Flags().IntVar(&f.most, "max", 50, "at most this `NUMBER`, up to 1000")
	return cmd
}

// actionsDecide is a command that gives a person's word about an action.
func (p *program) actionsDecide(f *actionsFlags, verb, short string,
	call func(c control.Client, ctx context.Context, id, by string) (control.Action, error)) *cobra.Command {
	cmd := &cobra.Command{
		Use: verb + " ID", Short: short, Args: cobra.ExactArgs(1),
		Example: "  longshore actions " + verb + " 3q2-7wXbQmW9kR0fYdLh",
		RunE: func(cmd *cobra.Command, args []string) error {
			by := f.by
			if u, err := user.Current(); by == "" && err == nil {
				by = u.Username
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), callTimeout)
			defer cancel()
			a, err := call(control.Client{Socket: f.socket}, ctx, args[0], by)
			return p.show(f.json, err, a, func() { printActions(p.out, []control.Action{a}) })
		},
	}
	cmd.Flags().StringVar(&f.by, "by", "", "`NAME` of the person who says so (default the account that runs the command)")
	return cmd
}

// printActions writes a line per action.
func printActions(w io.Writer, list []control.Action) {
	if len(list) == 0 {
		fmt.Fprintln(w, "no such action is in the ledger")
		return
	}
	lines := [][]string{{"id", "asked", "tenant", "action", "target", "policy", "mode", "state", ""}}
	for _, a := range list {
		note := a.Reason
		if a.UndoneBy != "" {
			note = "taken back by " + a.UndoneBy
		}
		if a.Undoes != "" {
			note = strings.Join(nonEmpty("takes back "+a.Undoes, a.Reason), ": ")
		}
		lines = append(lines, []string{a.ID, a.Asked.Local().Format(time.DateTime), a.Tenant, a.Verb,
			strings.Join(nonEmpty(a.Type, a.Target, a.Name), " "), a.Policy, a.Mode, cmp.Or(string(a.Result), string(a.State)), note})
	}
	table(w, "", lines)
}
