package saas

import (
	"cmp"
	"crypto/rand"
	"io"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/sim"
)

// Provider is one SaaS application as code. nil and zero = the vendor has no such thing.
type Provider struct {
	Name   string       // component type: "okta"
	Module string       // event.module; "" = Name
	Title  string       // "Okta"
	Covers []Cover      // its column of the capability table, one entry per Capability
	Needs  []Need       // licence, role and scopes per capability
	Hosts  []string     // what a firewall must allow
	Vendor event.Vendor // how the vendor's own fields are written
	// Config returns the provider's own configuration, defaults filled in: a pointer to a struct with mapstructure tags.
	// The keys endpoint, storage, streams, start_at … and confighttp's client keys belong to the SDK.
	Config func() any
	// Open builds the instance from what Config returned, filled, and from the endpoint. It sends nothing.
	// A malformed value is an error that names the key and the value.
	Open func(cfg any, s Setup) (*Instance, error)
	// Sim is the fake of the application.
	Sim func(o sim.Options) (*sim.Sim, error)
	// Datasets says for `normalize` which stream maps a dataset's objects; "" is the default.
	Datasets map[string]string
}

func (p *Provider) module() string { return cmp.Or(p.Module, p.Name) }

// Declared are all streams, as a configuration of defaults without a credential has them. They can only map.
func (p *Provider) Declared() ([]Stream, error) {
	inst, err := p.Open(p.Config(), Setup{Offline: true, Share: 1})
	if err != nil {
		return nil, err
	}
	return inst.Streams, nil
}

// Setup is what Open gets from the SDK.
type Setup struct {
	Endpoint string           // base URL; "" = the vendor's public one
	Share    float64          // of what the provider allows this credential, 0 < Share <= 1
	StartAt  time.Duration    // how far back the first run goes
	Rand     io.Reader        // for nonces and keys
	Now      func() time.Time // the vendor's clock
	Offline  bool             // only the mapping is wanted: credentials may be missing
}

// Filled is s with this machine's randomness and clock where it has none.
func (s Setup) Filled() Setup {
	if s.Rand == nil {
		s.Rand = rand.Reader
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	return s
}

// Capability is one row of the capability table.
type Capability string

// The rows, in the order of the table.
const (
	ListAccounts    Capability = "list_accounts"
	ListGroups      Capability = "list_groups"
	ListPrivileges  Capability = "list_privileges"
	UserGovernance  Capability = "user_governance"
	LogOnActivity   Capability = "log_on_activity"
	UserActivity    Capability = "user_activity"
	AdminActivity   Capability = "administrative_activity"
	PeriodicDLP     Capability = "dlp_periodic_scan"
	RealTimeDLP     Capability = "dlp_near_real_time_scan"
	SharingControl  Capability = "sharing_control"
	FileGovernance  Capability = "file_governance"
	ViewAppRights   Capability = "view_app_permissions"
	RevokeAppRights Capability = "revoke_app_permissions"
	ApplyLabels     Capability = "apply_sensitivity_labels"
)

// Level says how far a provider has a capability.
type Level string

// The levels.
const (
	Has  Level = "has"
	Part Level = "part"
	None Level = "none" // the vendor offers none
)

// Cover is one cell of the capability table.
type Cover struct {
	Capability Capability
	Level      Level
	Why        string // the reason for Part and None
	Proof      string // the scenario test that shows Has and Part
}

// Need is what the vendor asks for before a capability works.
type Need struct {
	Capability Capability
	Licence    string
	Role       string
	Scopes     []string
	Why        string // what is missing without it, in words an administrator can act on
}
