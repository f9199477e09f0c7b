package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/otelcol"
)

// version is set by the release build: -ldflags "-X main.version=1.2.3".
var version = "0.1.0-dev"

// The exit codes.
const (
	exitOK = iota
	exitFailed
	exitUsage
)

// errReported ends a command that has already said on stdout or stderr why it failed.
var errReported = errors.New("reported")

// errUnread ends a command that has said what it could not read, and that its answer is not whole.
var errUnread = errors.New("not read")

// usageError is a wrong call, as opposed to a failure.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func main() {
	paceCollections()
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the program without its process.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	var began bool
	root := newRoot(&program{out: out, errs: errs, in: in, set: settings()}, &began)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errReported):
		return exitFailed
	case errors.Is(err, errUnread):
		return exitUsage
	}
	fmt.Fprintf(errs, "longshore: %v\n", err)
	if errors.As(err, new(usageError)) || !began {
		fmt.Fprintf(errs, "Try: %s --help\n", cmd.CommandPath())
		return exitUsage
	}
	return exitFailed
}

// program is what every command is given.
type program struct {
	in        io.Reader
	out, errs io.Writer
	set       otelcol.CollectorSettings
}

// settings are those of the collector: our components and where configuration may come from.
func settings() otelcol.CollectorSettings {
	set := otelcol.CollectorSettings{
		BuildInfo: component.BuildInfo{Command: "longshore", Description: "Longshore", Version: release()},
		Factories: components,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			DefaultScheme: "env",
			ProviderFactories: []confmap.ProviderFactory{
				envprovider.NewFactory(), fileprovider.NewFactory(), yamlprovider.NewFactory(),
			},
		}},
		ProviderModules: map[string]string{},
	}
	for _, f := range set.ConfigProviderSettings.ResolverSettings.ProviderFactories {
		scheme := f.Create(confmap.ProviderSettings{}).Scheme()
		set.ProviderModules[scheme] = "go.opentelemetry.io/collector/confmap/provider/" + scheme + "provider"
	}
	return set
}

// release is the version, with the commit when the binary was built from a checkout that Go could see.
func release() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return version + "+" + s.Value[:12]
		}
	}
	return version
}

// newRoot is the command tree. began is set when a command's arguments were found good.
func newRoot(p *program, began *bool) *cobra.Command {
	root := otelcol.NewCommand(p.set)
	root.Short = "Collect, classify, govern and export what happens in SaaS applications"
	root.Long = `Longshore polls SaaS applications for sign-ins, audit activity and inventory, classifies what it reads, applies
governance rules and exports to SQLite, Elasticsearch, Kafka or any OTLP receiver. It is a distribution of the
OpenTelemetry Collector: with --config it runs pipelines.`
	root.Example = `  longshore quickstart                 # simulated applications through the whole pipeline, no network needed
  longshore check --config agent.yaml  # connect, list rights and what they allow, flag unsafe settings
  longshore --config agent.yaml        # run`
	root.SilenceErrors = true
	describeFlags(root)
	collect := root.RunE
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if !cmd.Flags().Changed("config") {
			return usagef("no command and no --config FILE; `longshore quickstart` shows everything without either")
		}
		return explainKeys(collect(cmd, args))
	}
	for _, c := range root.Commands() { // the collector's own
		describeFlags(c)
		if do := c.RunE; do != nil {
			c.RunE = func(cmd *cobra.Command, args []string) error { return explainKeys(do(cmd, args)) }
		}
	}
	root.PersistentPreRun = func(*cobra.Command, []string) { *began = true }
	root.AddCommand(newQuickstart(p), newApps(p), newCheck(p), newNormalize(p), newSim(p), newScan(p), newLabel(p), newEDM(p),
		newFingerprint(p), newQuery(p), newConnector(p), newActions(p), newDocs(p))
	return root
}

// describeFlags says what the flags of the collector's own commands are in a line each.
func describeFlags(cmd *cobra.Command) {
	for name, usage := range map[string]string{
		"config":        "configuration `FILE`, or a URI such as env:NAME; may be given several times, later ones win",
		"set":           "one `KEY=VALUE` of the configuration, as processors.dlp.min_confidence=85",
		"feature-gates": "switch the collector's feature gates: `ID,-ID`; see the command featuregate",
	} {
		if f := cmd.Flags().Lookup(name); f != nil {
			f.Usage, f.DefValue = usage, ""
		}
	}
}

// untilSignalled gives a context that ends with the first interrupt; a second one kills the process.
func untilSignalled(ctx context.Context) context.Context {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx
}
