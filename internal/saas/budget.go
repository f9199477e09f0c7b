package saas

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	maxBuckets  = 4096                   // per budget: acting users, regions
	tokenMargin = 0.98                   // of a rate that no header corrects
	paceStart   = 0.25                   // of its share that a walk may take at once, where more urgent requests come too
	skewMargin  = 250 * time.Millisecond // after a window's end, before the first request of the next
)

// budgets are the quotas of one instance.
type budgets struct {
	all   []*budget
	share float64
	now   func() time.Time // the vendor's clock
}

type budget struct {
	Budget
	mu      sync.Mutex
	buckets map[string]*bucket
	shared  *budgets
}

// bucket is the state of one quota for one key. Until a header tells of a window it is a token bucket; from then on the
// window is counted as the vendor counts it.
type bucket struct {
	b        *budget
	limit    float64   // per window, of the vendor
	own      float64   // of it ours, in this window or in flight
	used     float64   // by everybody, in this window, as far as headers tell
	reset    time.Time // end of the window; zero = no header seen
	tokens   float64
	filled   time.Time
	slow     float64   // factor on the rate, from refusals
	until    time.Time // refused until, by our clock: what is known of the vendor's changes
	waiting  [8]int    // by priority
	changed  chan struct{}
	lastUsed time.Time
	urgent   time.Time // when something more urgent than a walk drew on it last
	heard    time.Time // Budget.Used: when an answer told of it, or one is sent to hear
}

func newBudgets(list []Budget, share float64, now func() time.Time) *budgets {
	bs := &budgets{share: share, now: now}
	for _, b := range list {
		bs.all = append(bs.all, &budget{Budget: b, buckets: map[string]*bucket{}, shared: bs})
	}
	// Those in flight come last: who waits for a window must not hold a place that more urgent requests need.
	inFlight := func(b *budget) bool { return b.Per == 0 }
	slices.SortStableFunc(bs.all, func(a, b *budget) int {
		switch {
		case inFlight(a) == inFlight(b):
			return 0
		case inFlight(a):
			return 1
		}
		return -1
	})
	return bs
}

// grant is what a request holds of its budgets.
type grant struct {
	bs    []*bucket
	costs []float64
}

// acquire waits until every budget that q draws on has room. Lower prio numbers go first.
func (bs *budgets) acquire(ctx context.Context, q Req, prio int) (*grant, error) {
	g := &grant{}
	for _, b := range bs.all {
		if b.Match != nil && !b.Match(q) {
			continue
		}
		cost := 1.0
		if b.Cost != nil {
			cost = float64(b.Cost(q))
		}
		key := ""
		if b.Key != nil {
			key = b.Key(q)
		}
		k := b.bucket(key)
		if err := k.take(ctx, cost, prio); err != nil {
			g.release()
			return nil, err
		}
		g.bs, g.costs = append(g.bs, k), append(g.costs, cost)
	}
	return g, nil
}

func (b *budget) bucket(key string) *bucket {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.buckets[key]
	now := b.shared.now()
	if k == nil {
		if len(b.buckets) >= maxBuckets {
			b.evict()
		}
		k = &bucket{b: b, limit: float64(b.Limit), slow: 1, changed: make(chan struct{}), filled: now}
		k.tokens = k.burst()
		b.buckets[key] = k
	}
	k.lastUsed = now
	return k
}

func (b *budget) evict() {
	oldest, at := "", time.Time{}
	for key, k := range b.buckets {
		if k.waiting == [8]int{} && (at.IsZero() || k.lastUsed.Before(at)) {
			oldest, at = key, k.lastUsed
		}
	}
	delete(b.buckets, oldest)
}

// burst is how much a bucket without headers lets pass at once.
func (k *bucket) burst() float64 { return max(1, k.limit*0.01) }

// allowed is our share of a window, at least one request.
func (k *bucket) allowed() float64 { return max(1, float64(int(k.limit*k.b.shared.share))) }

func (k *bucket) take(ctx context.Context, cost float64, prio int) error {
	k.b.mu.Lock()
	k.waiting[prio]++
	defer func() {
		k.waiting[prio]--
		k.wake()
		k.b.mu.Unlock()
	}()
	for {
		wait, ok := k.try(cost, prio)
		if ok {
			return nil
		}
		changed := k.changed
		k.b.mu.Unlock()
		err := waitFor(ctx, wait, changed)
		k.b.mu.Lock()
		if err != nil {
			return err
		}
	}
}

// waitFor waits for the moment, a change or the end of ctx. wait <= 0 = only for a change.
func waitFor(ctx context.Context, wait time.Duration, changed chan struct{}) error {
	var due <-chan time.Time
	if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		due = t.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-changed:
	case <-due:
	}
	return nil
}

// try takes cost when there is room and nobody more urgent waits; else it says how long to wait.
func (k *bucket) try(cost float64, prio int) (time.Duration, bool) {
	for p := range prio {
		if k.waiting[p] > 0 {
			return 0, false
		}
	}
	now := k.b.shared.now()
	if wait := time.Until(k.until); wait > 0 {
		return wait, false
	}
	switch {
	case k.b.Limit <= 0 && k.reset.IsZero():
		return 0, true
	case k.b.Per == 0:
		if k.own > 0 && k.own+cost > k.allowed() {
			return 0, false
		}
		k.own += cost
		return 0, true
	case k.b.Used != nil:
		return k.tryUsed(cost, prio, now)
	case !k.reset.IsZero():
		return k.tryWindow(cost, prio, now)
	}
	return k.tryTokens(cost, now)
}

func (k *bucket) tryWindow(cost float64, prio int, now time.Time) (time.Duration, bool) {
	if end := k.reset.Add(skewMargin); !now.Before(end) {
		k.own, k.used = 0, 0
		k.reset = k.reset.Add((now.Sub(k.reset)/k.b.Per + 1) * k.b.Per)
	}
	if k.own > 0 && k.own+cost > k.allowed() || k.used > 0 && k.used+cost > k.limit {
		return k.reset.Add(skewMargin).Sub(now), false
	}
	if prio < prioWalk {
		k.urgent = now
	} else if wait := k.pace(cost, now); wait > 0 {
		return wait, false
	}
	k.own += cost
	k.used += cost
	return 0, true
}

// pace is how long a walk waits where more urgent requests draw on the same window: it takes its share over the whole
// window, with a start, so that these find room at any time.
func (k *bucket) pace(cost float64, now time.Time) time.Duration {
	if now.Sub(k.urgent) > 2*k.b.Per {
		return 0
	}
	due := (k.own+cost)/k.allowed() - paceStart // as a part of the window
	return k.reset.Add(time.Duration((due - 1) * float64(k.b.Per))).Sub(now)
}

func (k *bucket) tryTokens(cost float64, now time.Time) (time.Duration, bool) {
	rate := k.limit * k.b.shared.share * tokenMargin * k.slow / k.b.Per.Seconds()
	k.tokens = min(k.burst(), k.tokens+rate*now.Sub(k.filled).Seconds())
	k.filled = now
	k.slow = min(1, k.slow+0.0005)
	if need := min(cost, k.burst()); k.tokens < need {
		return time.Duration((need-k.tokens)/rate*float64(time.Second)) + time.Millisecond, false
	}
	k.tokens -= cost
	return 0, true
}

func (k *bucket) wake() {
	close(k.changed)
	k.changed = make(chan struct{})
}

// release ends the request: what counts requests in flight gets its place back.
func (g *grant) release() {
	for i, k := range g.bs {
		if k.b.Per != 0 {
			continue
		}
		k.b.mu.Lock()
		k.own = max(0, k.own-g.costs[i])
		k.wake()
		k.b.mu.Unlock()
	}
}

// learn corrects the windows by a reply's headers, and closes them until the moment of a refusal.
// Headers correct the first budget of a window that the request drew on: the vendor reports its narrowest.
func (g *grant) learn(q quota, refused bool, until time.Time) {
	told := false
	for _, k := range g.bs {
		if k.b.Per == 0 {
			continue
		}
		k.b.mu.Lock()
		if q.known && !told && !q.reset.IsZero() && k.b.Used == nil {
			k.window(q)
			told = true
		}
		if refused {
			k.refuse(until)
		}
		k.wake()
		k.b.mu.Unlock()
	}
}

func (k *bucket) window(q quota) {
	k.limit = float64(q.limit)
	used := k.limit - float64(max(q.remaining, 0))
	if q.remaining < 0 {
		used = 0
	}
	if q.reset.Sub(k.reset).Abs() > time.Second { // another window than the one counted
		if q.reset.Before(k.reset) {
			return
		}
		k.reset, k.own, k.used = q.reset, 1, max(used, 1) // this request is in it; others under way may be
		return
	}
	k.used = max(k.used, used)
}

func (k *bucket) refuse(until time.Time) {
	k.slow = max(0.05, k.slow/2)
	k.tokens = min(k.tokens, 0)
	wait := max(0, until.Sub(k.b.shared.now())) + skewMargin // without a word for a moment, as the refused request does
	if until = time.Now().Add(wait); until.After(k.until) {
		k.until = until
	}
}

// each reports the busiest bucket of every budget, for metrics.
func (bs *budgets) each(f func(name string, used, limit float64)) {
	for _, b := range bs.all {
		b.mu.Lock()
		used, limit := 0.0, 0.0
		for _, k := range b.buckets {
			used, limit = max(used, k.own), max(limit, k.allowed())
		}
		if b.Used != nil {
			used, limit = b.known()
		}
		b.mu.Unlock()
		f(b.Name, used, limit)
	}
}
