package control

import (
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
)

type (
	// Connector is a connected tenant, as the API and `longshore connector list --json` write it.
	Connector struct {
		ID       string   `json:"id"`
		Module   string   `json:"module"`
		Tenant   string   `json:"tenant"`
		Endpoint string   `json:"endpoint,omitempty"`
		Disabled bool     `json:"disabled"`
		Health   string   `json:"health"`
		Who      string   `json:"who,omitempty"`
		Held     []string `json:"held,omitempty"`
		Streams  []Stream `json:"streams"`
	}
	// Stream is the state of one stream of a tenant.
	Stream struct {
		Name        string     `json:"name"`
		Kind        string     `json:"kind"`
		Off         string     `json:"off,omitempty"`
		Parts       int        `json:"parts"`
		Events      int64      `json:"events"`
		Duplicates  int64      `json:"duplicates"`
		Late        int64      `json:"late"`
		SetAside    int64      `json:"set_aside"`
		LagSeconds  float64    `json:"lag_seconds"`
		LastSuccess *time.Time `json:"last_success,omitempty"`
		LastError   string     `json:"last_error,omitempty"`
		Complete    bool       `json:"complete"`
		Judged      int64      `json:"judged,omitempty"`    // of content: files judged since start; its parts are the unread ones
		Fetched     int64      `json:"fetched,omitempty"`   // bytes of their content that were read
		Postponed   int64      `json:"postponed,omitempty"` // changed files left to the next walk
	}
	// failure is the body of every answer that is not a good one.
	failure struct {
		Error string `json:"error"`
	}
)

// describe turns what the SDK knows of a tenant into what the API says of it.
func describe(s saas.Status) Connector {
	c := Connector{ID: s.ID, Module: s.Module, Tenant: s.Tenant, Endpoint: s.Endpoint, Disabled: s.Disabled, Health: s.Health,
		Streams: make([]Stream, 0, len(s.Streams))}
	if s.Rights != nil {
		c.Who, c.Held = s.Rights.Who, s.Rights.Held
	}
	for _, st := range s.Streams {
		out := Stream{Name: st.Name, Kind: st.Kind, Off: st.Off, Parts: st.Parts, Events: st.Events, Duplicates: st.Duplicates,
			Late: st.Late, SetAside: st.SetAside, LagSeconds: st.Lag.Seconds(), LastError: st.LastError, Complete: st.Complete,
			Judged: st.Judged, Fetched: st.Fetched, Postponed: st.Postponed}
		if !st.LastSuccess.IsZero() {
			at := st.LastSuccess.UTC()
			out.LastSuccess = &at
		}
		c.Streams = append(c.Streams, out)
	}
	return c
}
