package sim

import (
	"context"
	"time"
)

// Await asks ready at once and every second until it says yes: an answer that a vendor holds back until there is something to
// tell. It gives up after d, or when the client has left.
func Await(ctx context.Context, d time.Duration, ready func() bool) bool {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for ; !ready(); d -= time.Second {
		if d <= 0 {
			return false
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}
