package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/confmap"

	"github.com/longshore-dev/longshore/exporters/elasticsearch"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
)

// newDocs is for `go generate`: it writes what of docs/ and deploy/ follows from the code.
func newDocs(p *program) *cobra.Command {
	var out, source string
	cmd := &cobra.Command{
		Use: "docs", Short: "Write the generated pages of docs/ and files of deploy/", Hidden: true, Args: cobra.NoArgs,
		Example: "  longshore docs --out . --source .",
		RunE: func(*cobra.Command, []string) error {
			pages, err := p.pages(source)
			if err != nil {
				return err
			}
			for _, name := range slices.Sorted(maps.Keys(pages)) {
				path := filepath.Join(out, filepath.FromSlash(name))
				if err = os.MkdirAll(filepath.Dir(path), 0o755); err == nil {
					err = os.WriteFile(path, []byte(pages[name]), 0o644)
				}
				if err != nil {
					return fmt.Errorf("write page %q: %w", name, err)
				}
				fmt.Fprintln(p.errs, "wrote", path)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "../..", "folder in which docs and deploy are")
	cmd.Flags().StringVar(&source, "source", "../..", "folder of the source, whose comments are the pages' text")
	return cmd
}

// pages are the generated files by name.
func (p *program) pages(source string) (map[string]string, error) {
	apps, err := p.applications()
	if err != nil {
		return nil, err
	}
	out := map[string]string{"docs/commands.md": p.commandsPage(), "docs/fields.md": fieldsPage()}
	for _, a := range apps {
		if out["docs/receivers/"+a.Name+".md"], err = a.page(source); err != nil {
			return nil, fmt.Errorf("write page of %s: %w", a.Name, err)
		}
	}
	for _, flavor := range elasticsearch.Flavors() {
		files, err := elasticsearch.Files(flavor)
		if err != nil {
			return nil, err
		}
		for name, text := range files {
			out["deploy/"+flavor+"/"+name] = text
		}
	}
	return out, nil
}

// page is the documentation of one application.
func (a application) page(source string) (string, error) {
	connect, err := os.ReadFile(filepath.Join(source, "receivers", a.Name, "connect.md"))
	if err != nil {
		return "", fmt.Errorf("read the hand-written part: %w", err)
	}
	in, err := a.instance()
	if err != nil {
		return "", err
	}
	own, err := configTable(filepath.Join(source, "receivers", a.Name), reflect.TypeOf(a.Config()).Elem(), a.Config())
	if err != nil {
		return "", err
	}
	shared, err := configTable(filepath.Join(source, "internal", "saas"), reflect.TypeFor[saas.Keys](), a.factory.CreateDefaultConfig())
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<!-- Written by `go generate ./cmd/longshore` from receivers/%s; change it there. -->\n", a.Name)
	fmt.Fprintf(&b, "# %s\n\nComponent `%s`, `event.module: %s`.\n\n", a.Title, a.Name, a.module())
	a.writeCapabilities(&b)
	fmt.Fprintf(&b, "## Hosts to allow\n\n- `%s`\n\n", strings.Join(a.Hosts, "`\n- `"))
	b.WriteString(strings.TrimSpace(string(connect)) + "\n\n")
	fmt.Fprintf(&b, "## Configuration\n\nKeys of %s:\n\n%s\nKeys of every application, beside `endpoint` and those of an HTTP client (`tls`, "+
		"`proxy_url`, `timeout` …):\n\n%s\n", a.Title, own, shared)
	writeStreams(&b, in.Streams)
	writeActions(&b, in.Actions)
	return b.String(), nil
}

func (a application) writeCapabilities(b *strings.Builder) {
	b.WriteString("## Capabilities\n\n| capability | | why | needs |\n| --- | --- | --- | --- |\n")
	for _, r := range rows() {
		c := a.cover(r.Capability)
		var needs []string
		for _, n := range a.needs(r.Capability) {
			needs = append(needs, needText(n))
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", r.title, mark(c.Level), cell(c.Why), cell(strings.Join(needs, "; or ")))
	}
	b.WriteString("\n")
}

func writeStreams(b *strings.Builder, streams []saas.Stream) {
	kinds := [...]string{saas.SignIn: "sign-ins", saas.Audit: "audit", saas.Accounts: "accounts", saas.Grants: "grants",
		saas.Files: "files", saas.Content: "content"}
	b.WriteString("## Streams\n\nAll are on unless `streams: {NAME: {enabled: false}}` says otherwise; `interval` changes how often.\n\n" +
		"| stream | kind | dataset | read every | needs | gives |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, s := range streams {
		every := short(s.Every)
		if s.Over != "" {
			every = strings.TrimSpace(every + " for each of " + s.Over)
		}
		if s.Lag > 0 {
			every += "; the vendor publishes up to " + short(s.Lag) + " late"
		}
		var gives []string
		for _, g := range s.Gives {
			gives = append(gives, title(g))
		}
		name := s.Name
		if s.Docs != "" {
			name = "[" + name + "](" + s.Docs + ")"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", name, kinds[s.Kind], s.Dataset, every, cell(strings.Join(s.Needs, ", ")),
			strings.Join(gives, ", "))
	}
	b.WriteString("\n")
}

func writeActions(b *strings.Builder, actions []saas.Action) {
	if len(actions) == 0 {
		return
	}
	b.WriteString("## Actions\n\nWhat policies may do here. Without `mode: enforce` they are only planned and recorded.\n\n" +
		"| action | needs | undo |\n| --- | --- | --- |\n")
	for _, a := range actions {
		name := "`" + a.Verb + "`"
		if a.Docs != "" {
			name = "[" + name + "](" + a.Docs + ")"
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", name, cell(strings.Join(a.Needs, ", ")), cmp.Or(cell(a.Irreversible), "yes"))
	}
}

// instance opens the application on its fake's configuration: what it would read and may do. Nothing is sent.
func (a application) instance() (*saas.Instance, error) {
	if a.Sim == nil {
		return nil, fmt.Errorf("it has no fake to take a configuration from")
	}
	s, err := a.Sim(sim.Options{Seed: 1, Events: 1, Users: 1})
	if err != nil {
		return nil, fmt.Errorf("make the fake: %w", err)
	}
	const base = "http://127.0.0.1:1"
	cfg := a.Config()
	if err = confmap.NewFromStringMap(s.Config(base)).Unmarshal(cfg, confmap.WithIgnoreUnused()); err != nil {
		return nil, fmt.Errorf("fill configuration: %w", err)
	}
	return a.Open(cfg, saas.Setup{Endpoint: base, Share: 1, StartAt: 24 * time.Hour, Rand: strings.NewReader(""), Now: time.Now})
}

// short writes a duration without its zero parts.
func short(d time.Duration) string {
	if d == 0 {
		return ""
	}
	s := d.String()
	s = strings.TrimSuffix(s, "m0s") + map[bool]string{true: "m", false: ""}[strings.HasSuffix(s, "m0s")]
	return strings.TrimSuffix(s, "h0m") + map[bool]string{true: "h", false: ""}[strings.HasSuffix(s, "h0m")]
}

// cell makes text fit into a cell of a Markdown table.
func cell(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", `\|`)
}
