package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/longshore-dev/longshore/internal/saas"
)

type (
	// appJSON is an application as `apps --json` writes it.
	appJSON struct {
		Name         string           `json:"name"`
		Module       string           `json:"module"`
		Title        string           `json:"title"`
		Hosts        []string         `json:"hosts"`
		Capabilities []capabilityJSON `json:"capabilities"`
	}
	capabilityJSON struct {
		Capability saas.Capability `json:"capability"`
		Title      string          `json:"title"`
		Level      saas.Level      `json:"level"`
		Why        string          `json:"why,omitempty"`
		Needs      []needJSON      `json:"needs,omitempty"`
	}
	needJSON struct {
		Licence string   `json:"licence,omitempty"`
		Role    string   `json:"role,omitempty"`
		Scopes  []string `json:"scopes,omitempty"`
		Why     string   `json:"why,omitempty"`
	}
)

func newApps(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "apps [NAME...]",
		Short: "What each application offers, and what it asks for",
		Long: `The capability table: what Longshore can do with each application, in full, in part or not at all and why; the hosts
that a firewall must allow; the licence, role and scopes that each capability needs. With names: only those applications.`,
		Example: `  longshore apps
  longshore apps okta --json`,
		RunE: func(_ *cobra.Command, names []string) error {
			apps, err := p.applications()
			if err != nil {
				return err
			}
			if len(names) > 0 {
				apps = apps[:0]
				for _, n := range names {
					a, err := p.application(n)
					if err != nil {
						return err
					}
					apps = append(apps, a)
				}
			}
			if asJSON {
				return writeJSON(p.out, map[string]any{"apps": appsJSON(apps)})
			}
			printApps(p.out, apps)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

func appsJSON(apps []application) []appJSON {
	out := make([]appJSON, 0, len(apps))
	for _, a := range apps {
		j := appJSON{Name: a.Name, Module: a.module(), Title: a.Title, Hosts: append([]string{}, a.Hosts...)}
		for _, r := range rows() {
			c := a.cover(r.Capability)
			cj := capabilityJSON{Capability: r.Capability, Title: r.title, Level: c.Level, Why: c.Why}
			for _, n := range a.needs(r.Capability) {
				cj.Needs = append(cj.Needs, needJSON{n.Licence, n.Role, n.Scopes, n.Why})
			}
			j.Capabilities = append(j.Capabilities, cj)
		}
		out = append(out, j)
	}
	return out
}

func printApps(w io.Writer, apps []application) {
	if len(apps) > 1 {
		printMatrix(w, apps)
	}
	for i, a := range apps {
		if i > 0 || len(apps) > 1 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s (%s)\n", a.Title, a.Name)
		fmt.Fprintln(w, wrap("  hosts to allow: ", strings.Join(a.Hosts, ", "), strings.Repeat(" ", 18))+"\n")
		for _, r := range rows() {
			c := a.cover(r.Capability)
			lead, indent := fmt.Sprintf("  %-4s  %-24s  ", mark(c.Level), r.title), strings.Repeat(" ", 34)
			needs := a.needs(r.Capability)
			if c.Level == saas.None {
				needs = nil
			}
			if c.Why != "" || len(needs) == 0 {
				fmt.Fprintln(w, wrap(lead, cmp.Or(c.Why, "in full"), indent))
				lead = indent
			}
			for _, n := range needs {
				fmt.Fprintln(w, wrap(lead+"needs ", needText(n), indent+"      "))
				lead = indent
			}
		}
	}
}

// printMatrix is all applications at a glance.
func printMatrix(w io.Writer, apps []application) {
	head := []string{""}
	for _, a := range apps {
		head = append(head, a.Name)
	}
	lines := [][]string{head}
	for _, r := range rows() {
		line := []string{r.title}
		for _, a := range apps {
			line = append(line, mark(a.cover(r.Capability).Level))
		}
		lines = append(lines, line)
	}
	table(w, "", lines)
}

// mark is a level as a word of the table.
func mark(l saas.Level) string {
	switch l {
	case saas.Has:
		return "yes"
	case saas.Part:
		return "part"
	}
	return "no"
}

// needText says what a vendor asks for: role, scopes, licence.
func needText(n saas.Need) string {
	var parts []string
	if n.Role != "" {
		parts = append(parts, "role "+n.Role)
	}
	if len(n.Scopes) > 0 {
		parts = append(parts, "scopes "+strings.Join(n.Scopes, " "))
	}
	if n.Licence != "" && n.Licence != "any" {
		parts = append(parts, "licence "+n.Licence)
	}
	return cmp.Or(strings.Join(parts, "; "), n.Why)
}
