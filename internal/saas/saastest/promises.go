package saastest

import (
	"testing"

	"github.com/longshore-dev/longshore/internal/sim"
)

var hang = sim.Fault{Kind: sim.Hang}

func (s *suite) refusals(t *testing.T)   {}
func (s *suite) late(t *testing.T)       {}
func (s *suite) pages(t *testing.T)      {}
func (s *suite) priority(t *testing.T)   {}
func (s *suite) capacity(t *testing.T)   {}
func (s *suite) throttled(t *testing.T)  {}
func (s *suite) idle(t *testing.T)       {}
func (s *suite) renewal(t *testing.T)    {}
func (s *suite) badTenant(t *testing.T)  {}
func (s *suite) lostRight(t *testing.T)  {}
func (s *suite) silence(t *testing.T)    {}
func (s *suite) elsewhere(t *testing.T)  {}
func (s *suite) memory(t *testing.T)     {}
func (s *suite) malformed(t *testing.T)  {}
func (s *suite) disabled(t *testing.T)   {}
func (s *suite) snapshots(t *testing.T)  {}
func (s *suite) massDelete(t *testing.T) {}
func (s *suite) metrics(t *testing.T)    {}
