package box

import (
	"net/http"

	"github.com/longshore-dev/longshore/internal/sim"
)

// newSim is Provider.Sim.
func newSim(o sim.Options) (*sim.Sim, error) {
	return sim.New(o.Filled(), sim.Vendor{Mux: http.NewServeMux()}), nil
}
