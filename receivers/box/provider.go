package box

import (
	crand "crypto/rand"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/receiver"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// Provider is Box.
var Provider = saas.Provider{
	Name:     "box",
	Title:    "Box",
	Hosts:    []string{"api.box.com", "upload.box.com", "*.boxcloud.com", "*.box.com"},
	Vendor:   event.Vendor{Module: "box", Root: "box", Layout: eventLayout},
	Config:   func() any { return &Config{Files: Files{ScanEvery: 12 * time.Hour}} },
	Open:     open,
	Sim:      newSim,
	Datasets: map[string]string{"": "events", "box_events.events": "events", "Box.Event": "events"},
}

// NewFactory makes the box receiver.
func NewFactory() receiver.Factory { return saas.NewFactory(Provider) }

// open is Provider.Open. Without a type of credential the instance maps what it is given and can send nothing.
func open(cfg any, s saas.Setup) (*saas.Instance, error) {
	given, ok := cfg.(*Config)
	if !ok {
		return nil, fmt.Errorf("open box: configuration is a %T", cfg)
	}
	base, c, err := given.resolve(s.Endpoint)
	if err != nil {
		return nil, err
	}
	if s.Rand == nil {
		s.Rand = crand.Reader
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	cred, err := newCredential(c, s)
	if err != nil {
		return nil, err
	}
	return &saas.Instance{
		Base:    base,
		Hosts:   hosts(c),
		Auth:    saas.Auth{Mint: cred.mint},
		Fault:   fault,
		Budgets: budgets(c),
		Rights:  cred.rights,
		Streams: streams(c),
		Content: content,
		Actions: actions(c),
	}, nil
}

// streams are what an enterprise has to read.
func streams(c *Config) []saas.Stream { return slices.Concat(activity(c), inventoryStreams(c)) }
