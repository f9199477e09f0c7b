package saas

import (
	"net/http"
	"time"
)

const usedRest = 15 * time.Minute // of Budget.Rest

// tryUsed takes cost of a quota that answers tell the use of.
func (k *bucket) tryUsed(cost float64, prio int, now time.Time) (time.Duration, bool) {
	rest := k.b.Rest
	if rest <= 0 {
		rest = usedRest
	}
	if window := now.Truncate(k.b.Per); window.After(k.reset) {
		k.reset, k.own = window, 0
	}
	upto := 1.0
	if k.b.Upto != nil && prio > prioAction {
		upto = k.b.Upto(Kind(prio - 1))
	}
	if k.own > 0 && k.own+cost > upto*k.allowed() {
		return k.reset.Add(k.b.Per + skewMargin).Sub(now), false
	}
	if wait := k.heard.Add(rest).Sub(now); k.used >= upto*k.limit && wait > 0 {
		return wait, false
	}
	if k.used >= upto*k.limit { // one of those who wait asks for all
		k.heard = now
	}
	k.own += cost
	k.used += cost
	return 0, true
}

// hear notes what an answer says of the quotas that it drew on.
func (g *grant) hear(h http.Header) {
	for _, k := range g.bs {
		if k.b.Used == nil {
			continue
		}
		if used, limit := k.b.Used(h); limit > 0 {
			k.b.mu.Lock()
			k.used, k.limit, k.heard = float64(used), float64(limit), k.b.shared.now()
			k.wake()
			k.b.mu.Unlock()
		}
	}
}

// known is the use of the busiest bucket, and its limit, as answers tell it.
func (b *budget) known() (used, limit float64) {
	for _, k := range b.buckets {
		used, limit = max(used, k.used), max(limit, k.limit)
	}
	return used, limit
}
