package saas

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"
)

// maxSkew is how far this machine's clock may be off before signed requests are refused by some vendor.
const maxSkew = time.Minute

type (
	// Report is what a tenant answered when it was asked what the credential may do.
	Report struct {
		Rights
		Capabilities []Granted // those that the vendor offers, in the order of the table
		Warnings     []string
	}
	// Granted is what the credential gives of one capability.
	Granted struct {
		Capability Capability
		Level      Level  // None = nothing of it
		Missing    string // what it lacks, in words an administrator can act on; "" = nothing
	}
)

// Probe connects to the tenant that a receiver of this configuration would poll, and asks what its credential may do. It
// reads no records and keeps no state. The error says in words what to do about a credential or an address that does not work.
func Probe(ctx context.Context, f component.Factory, cfg component.Config, id component.ID) (*Report, error) {
	p, ok := ProviderOf(f)
	own, isOurs := cfg.(*Config)
	if !ok || !isOurs {
		return nil, fmt.Errorf("connect %s: it is no receiver of an application", id)
	}
	t := &core{id: id, provider: p, cfg: own, log: zap.NewNop(), version: "check"}
	set := component.TelemetrySettings{
		Logger: t.log, MeterProvider: metricnoop.NewMeterProvider(), TracerProvider: tracenoop.NewTracerProvider(),
	}
	if err := t.connect(ctx, nil, set); err != nil {
		return nil, err
	}
	defer t.link.pool.close()
	rep := &Report{}
	if t.inst.Rights != nil {
		r, err := t.inst.Rights(ctx, &Conn{conn{link: t.link, prio: prioAction}})
		switch {
		case Is(err, Denied):
			rep.Warnings = append(rep.Warnings, "what the credential may do cannot be read ("+err.Error()+"): it is learnt from refusals")
		case err != nil:
			return nil, t.inWords(err)
		default:
			rep.Rights = *r
		}
	}
	if rep.Person {
		rep.Warnings = append(rep.Warnings, "the credential belongs to a person, "+rep.Who+
			": use a dedicated service account, which does not end when somebody leaves and has no rights of its own to misuse")
	}
	for _, what := range rep.Blind {
		rep.Warnings = append(rep.Warnings, "stays invisible: "+what)
	}
	if skew := t.link.skew.get(); skew.Abs() > maxSkew {
		rep.Warnings = append(rep.Warnings, fmt.Sprintf("this machine's clock is %v off %s's: set it, or signed requests are refused",
			skew.Abs().Round(time.Second), p.Title))
	}
	rep.Capabilities = p.granted(rep.Held)
	return rep, nil
}

// inWords says what an administrator can do about a failure of the first request.
func (t *core) inWords(err error) error {
	switch {
	case Is(err, Unauthorized):
		return fmt.Errorf("the credential is refused: it is wrong, expired or revoked, or its account is deactivated; make a new one at %s: %w",
			t.link.base.Host, err)
	case Is(err, Missing):
		return fmt.Errorf("%s does not answer like %s: check the endpoint: %w", t.link.base.Host, t.provider.Title, err)
	case Is(err, Unavailable):
		return fmt.Errorf("%s cannot be reached or does not answer: check the endpoint, the firewall and proxy_url: %w", t.link.base.Host, err)
	}
	return err
}

// granted compares what each capability needs with the rights held. Several needs of one capability are alternatives.
func (p *Provider) granted(held []string) []Granted {
	var out []Granted
	for _, c := range p.Covers {
		if c.Level == None {
			continue
		}
		g := Granted{Capability: c.Capability, Level: c.Level}
		for _, n := range p.Needs {
			if n.Capability != c.Capability {
				continue
			}
			lack := lacking(n.Scopes, held)
			if len(lack) == 0 {
				g.Level, g.Missing = c.Level, ""
				break
			}
			if g.Level = Part; len(lack) == len(n.Scopes) {
				g.Level = None
			}
			g.Missing = n.lackText(lack)
		}
		out = append(out, g)
	}
	return out
}

func (n Need) lackText(lack []string) string {
	text := "grant " + strings.Join(lack, ", ")
	if n.Role != "" {
		text += " and the role " + n.Role
	}
	if n.Why != "" {
		text = n.Why + ": " + text
	}
	return text
}
